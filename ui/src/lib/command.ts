/** A verb of the palette: a place to go to, offered to those who may do it. */
export interface Command {
  title: string;
  href: string;
  /** `local`: only in the application, which opens stores. */
  needs?: 'write' | 'administer' | 'local';
}
