import type { JsonObject, ProviderOperation } from '$lib/wire';

/** Names in `{}` of a path, in order. */
export const pathNames = (operation: ProviderOperation): string[] => [...(operation.request_path ?? '').matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '');

/** Whether an operation answers a page of a list. */
export const isList = (operation: ProviderOperation): boolean =>
  operation.request_method === 'GET' && /^(list|query)_/.test(operation.name) && ((operation.filters?.length ?? 0) > 0 || (operation.orders?.length ?? 0) > 0 || /_(projects|tickets)$/.test(operation.name));

/** The schema of the body, where the catalog has one. */
export function bodySchema(operation: ProviderOperation): JsonObject | null {
  const body = operation.request_body as { schema?: JsonObject } | JsonObject | undefined;
  if (!body || typeof body !== 'object') return null;
  const schema = ('schema' in body ? body.schema : body) as JsonObject | undefined;
  return schema && typeof schema === 'object' && schema['properties'] ? schema : null;
}

const FIRST = ['id', 'name', 'summary', 'status', 'priority', 'issue_type', 'project', 'assignee', 'file_name', 'content', 'creator', 'updated_at', 'created_at'];

/** Columns for a table of unified objects: known fields that some row has, in a useful order. */
export function tableColumns(rows: JsonObject[]): string[] {
  const has = (name: string) => rows.some((row) => row[name] !== undefined && row[name] !== null && row[name] !== '' && typeof row[name] !== 'object');
  const known = FIRST.filter(has);
  const others = Object.keys(rows[0] ?? {}).filter((name) => !FIRST.includes(name) && has(name));
  return [...known, ...others].slice(0, 7);
}

/** Rows of a list answer; nothing when it is no list of objects. */
export function rowsOf(answer: unknown): JsonObject[] | null {
  const result = (answer as { result?: unknown } | undefined)?.result;
  return Array.isArray(result) && result.every((one) => typeof one === 'object' && one !== null && !Array.isArray(one)) ? (result as JsonObject[]) : null;
}

/** Secrets come masked from the core; here they are drawn as dots. */
export const dots = (text: string): string => text.replace(/\*{3,}|\[(?:masked|redacted|secret)\]|<(?:masked|redacted|secret)>/gi, '••••••');
