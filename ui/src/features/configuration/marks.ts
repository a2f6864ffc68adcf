/** How many secrets an export leaves out and how many it seals, counted by their marks in the file. */
export function marksOf(content: string): { omitted: number; sealed: number } {
  const lines = content.split('\n');
  const marked = (word: string) => lines.filter((line) => new RegExp(`^[^#]*[:{,]\\s*["']?${word}["']?\\s*[},]?`).test(line) || new RegExp(`^\\s*(- )?${word}:`).test(line)).length;
  return { omitted: marked('omitted'), sealed: marked('sealed') };
}
