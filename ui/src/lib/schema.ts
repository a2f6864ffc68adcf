// Forms from JSON Schema (draft 2020-12, the part that provider manifests use).
import type { Json, JsonObject } from '$lib/wire';

export type FieldKind = 'text' | 'secret' | 'long' | 'number' | 'flag' | 'choice' | 'lines' | 'rows' | 'group' | 'variant' | 'json';

export interface SchemaField {
  name: string;
  kind: FieldKind;
  title: string;
  help: string;
  required: boolean;
  initial: Json | undefined;
  integer: boolean;
  choices: { value: string; title: string }[];
  /** Parts of a group, and of each row. */
  parts: SchemaField[];
  /** Alternatives told apart by `type`. */
  variants: { type: string; title: string; help: string; parts: SchemaField[] }[];
  placeholder?: string;
  pattern?: string;
  format?: string;
  least?: number;
  most?: number;
}

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** `default_issue_type` as a label: `Default issue type`. */
export function titleOf(name: string): string {
  const words = name.replaceAll('_', ' ').trim();
  const shown = words.charAt(0).toUpperCase() + words.slice(1);
  return shown.replace(/\burl\b/gi, 'URL').replace(/\bid\b/gi, 'ID').replace(/\bapi\b/gi, 'API');
}

/** Follows `$ref` into `$defs` of the same document. */
function resolve(schema: JsonObject, root: JsonObject): JsonObject {
  const ref = text(schema['$ref']);
  if (!ref.startsWith('#/')) return schema;
  let at: Json | undefined = root;
  for (const part of ref.slice(2).split('/')) at = isObject(at) ? at[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  const { $ref: _ref, ...rest } = schema;
  return isObject(at) ? { ...resolve(at, root), ...rest } : rest;
}

function constOf(schema: JsonObject, root: JsonObject): string {
  const type = isObject(schema['properties']) ? schema['properties']['type'] : undefined;
  if (!isObject(type)) return '';
  const resolved = resolve(type, root);
  return text(resolved['const']) || text(list(resolved['enum'])[0]);
}

/** The types of a schema without `null`. */
function typeOf(schema: JsonObject): string {
  const type = schema['type'];
  return Array.isArray(type) ? text(type.find((one) => one !== 'null')) : text(type);
}

function fieldOf(name: string, raw: JsonObject, required: boolean, root: JsonObject): SchemaField {
  const schema = resolve(raw, root);
  const alternatives = list(schema['oneOf']).length ? list(schema['oneOf']) : list(schema['anyOf']);
  const options = alternatives.filter(isObject).map((option) => resolve(option, root));
  const field: SchemaField = {
    name,
    kind: 'json',
    title: text(schema['title']) || titleOf(name),
    help: text(schema['description']),
    required,
    initial: schema['default'],
    integer: typeOf(schema) === 'integer',
    choices: [],
    parts: [],
    variants: [],
    placeholder: text(list(schema['examples'])[0]) || undefined,
    format: text(schema['format']) || undefined,
    pattern: text(schema['pattern']) || undefined,
  };
  const number = (key: string) => (typeof schema[key] === 'number' ? (schema[key] as number) : undefined);
  field.least = number('minimum') ?? number('minLength') ?? number('minItems');
  field.most = number('maximum') ?? number('maxLength') ?? number('maxItems');

  const type = typeOf(schema);
  if (options.length && options.every((option) => constOf(option, root) !== '')) {
    field.kind = 'variant';
    field.variants = options.map((option) => {
      const id = constOf(option, root);
      return { type: id, title: text(option['title']) || titleOf(id), help: text(option['description']), parts: fieldsOf(option, root).filter((part) => part.name !== 'type') };
    });
  } else if (options.length && options.every((option) => 'const' in option)) {
    field.kind = 'choice';
    field.choices = options.map((option) => ({ value: text(option['const']), title: text(option['title']) || text(option['const']) }));
  } else if (list(schema['enum']).length) {
    field.kind = 'choice';
    field.choices = list(schema['enum']).map((value) => ({ value: String(value), title: titleOf(String(value)) }));
  } else if (type === 'boolean') field.kind = 'flag';
  else if (type === 'integer' || type === 'number') field.kind = 'number';
  else if (type === 'string') field.kind = schema['writeOnly'] === true || schema['format'] === 'password' ? 'secret' : schema['format'] === 'multiline' ? 'long' : 'text';
  else if (type === 'array' && isObject(schema['items'])) {
    const items = resolve(schema['items'], root);
    if (typeOf(items) === 'object') {
      field.kind = 'rows';
      field.parts = fieldsOf(items, root);
    } else if (list(items['enum']).length) {
      field.kind = 'lines';
      field.choices = list(items['enum']).map((value) => ({ value: String(value), title: titleOf(String(value)) }));
    } else field.kind = 'lines';
  } else if (type === 'object' && isObject(schema['properties'])) {
    if (constOf(schema, root) !== '') {
      field.kind = 'variant';
      const id = constOf(schema, root);
      field.variants = [{ type: id, title: field.title, help: '', parts: fieldsOf(schema, root).filter((part) => part.name !== 'type') }];
    } else {
      field.kind = 'group';
      field.parts = fieldsOf(schema, root);
    }
  }
  return field;
}

/** The fields of an object schema, in the order in which they are to be filled in. */
export function fieldsOf(schema: JsonObject, root: JsonObject = schema): SchemaField[] {
  const resolved = resolve(schema, root);
  const properties = isObject(resolved['properties']) ? resolved['properties'] : {};
  const required = list(resolved['required']).map(String);
  const wanted = list(resolved['x-order']).map(String);
  const rank = (name: string, property: Json | undefined): number => {
    const own = isObject(property) && typeof property['x-order'] === 'number' ? property['x-order'] : undefined;
    const listed = wanted.indexOf(name);
    // Without an order of their own, secrets come after what they belong to.
    const secret = isObject(property) && (property['writeOnly'] === true || property['format'] === 'password');
    return own ?? (listed < 0 ? (secret ? 1001 : 1000) : listed);
  };
  return Object.entries(properties)
    .filter((entry): entry is [string, JsonObject] => isObject(entry[1]))
    .filter(([, property]) => !('const' in property) || property['x-show'] === true)
    .sort(([a, left], [b, right]) => rank(a, left) - rank(b, right))
    .map(([name, property]) => fieldOf(name, property, required.includes(name), root));
}

/** What the form starts with. */
export function initialValues(fields: SchemaField[]): JsonObject {
  const values: JsonObject = {};
  for (const field of fields) {
    if (field.initial !== undefined) values[field.name] = field.initial;
    else if (field.kind === 'group' && field.required) values[field.name] = initialValues(field.parts);
    else if (field.kind === 'variant' && field.required && field.variants[0]) values[field.name] = { type: field.variants[0].type, ...initialValues(field.variants[0].parts) };
    else if (field.kind === 'choice' && field.required && field.choices.length === 1 && field.choices[0]) values[field.name] = field.choices[0].value;
  }
  return values;
}

const blank = (value: Json | undefined): boolean => value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** The values without what was left empty. */
export function cleaned(fields: SchemaField[], values: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const field of fields) {
    const value = values[field.name];
    if (blank(value)) continue;
    if (field.kind === 'group' && isObject(value)) {
      const inner = cleaned(field.parts, value);
      if (field.required || Object.keys(inner).length) out[field.name] = inner;
    } else if (field.kind === 'variant' && isObject(value)) {
      const variant = field.variants.find((one) => one.type === value['type']);
      out[field.name] = variant ? { type: variant.type, ...cleaned(variant.parts, value) } : value;
    } else if (field.kind === 'rows' && Array.isArray(value)) {
      const rows = value.filter(isObject).map((row) => cleaned(field.parts, row)).filter((row) => Object.keys(row).length);
      if (rows.length) out[field.name] = rows;
    } else if (field.kind === 'text') out[field.name] = text(value).trim();
    else out[field.name] = value as Json;
  }
  return out;
}

function fault(field: SchemaField, value: Json): string | null {
  const size = typeof value === 'string' || Array.isArray(value) ? value.length : typeof value === 'number' ? value : 0;
  const unit = typeof value === 'string' ? ' characters' : Array.isArray(value) ? ' entries' : '';
  if (field.kind === 'number' && (typeof value !== 'number' || !Number.isFinite(value))) return 'Enter a number.';
  if (field.integer && !Number.isInteger(value)) return 'Enter a whole number.';
  if (field.least !== undefined && size < field.least) return `Enter at least ${field.least}${unit}.`;
  if (field.most !== undefined && size > field.most) return `Enter at most ${field.most}${unit}.`;
  if (field.format === 'uri' && typeof value === 'string' && !/^https?:\/\/[^\s/]+/.test(value.trim())) return 'Enter a full address, such as https://tickets.example.com.';
  if (field.format === 'email' && typeof value === 'string' && !/^\S+@\S+$/.test(value.trim())) return 'Enter an e-mail address.';
  if (field.pattern && typeof value === 'string' && !matches(field.pattern, value.trim())) return 'This does not have the form that the provider expects.';
  return null;
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true;
  }
}

/** Faults that can be seen without asking the core: JSON Pointer to words. */
export function validate(fields: SchemaField[], values: JsonObject, base = ''): Record<string, string> {
  const faults: Record<string, string> = {};
  for (const field of fields) {
    const at = `${base}/${field.name}`;
    const value = values[field.name];
    if (blank(value)) {
      if (field.required && field.kind !== 'flag') faults[at] = field.kind === 'choice' || field.kind === 'variant' ? 'Choose one.' : 'This is needed.';
      continue;
    }
    if (field.kind === 'group' && isObject(value)) Object.assign(faults, validate(field.parts, value, at));
    else if (field.kind === 'variant' && isObject(value)) {
      const variant = field.variants.find((one) => one.type === value['type']);
      if (variant) Object.assign(faults, validate(variant.parts, value, at));
    } else if (field.kind === 'rows' && Array.isArray(value)) {
      value.forEach((row, index) => isObject(row) && Object.assign(faults, validate(field.parts, row, `${at}/${index}`)));
    } else {
      const words = fault(field, value as Json);
      if (words) faults[at] = words;
    }
  }
  return faults;
}
