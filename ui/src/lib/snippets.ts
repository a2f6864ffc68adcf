// The same call in three languages. The token is a placeholder: secrets are never put into text to copy.
export interface CallShown {
  method: string;
  path: string;
  body?: unknown;
}

export type Language = 'curl' | 'python' | 'typescript';

export const LANGUAGES: { id: Language; title: string }[] = [
  { id: 'curl', title: 'curl' },
  { id: 'python', title: 'Python' },
  { id: 'typescript', title: 'TypeScript' },
];

const shell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A JSON value as a Python literal. */
export function python(value: unknown, indent = ''): string {
  const inner = `${indent}    `;
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) return value.length ? `[\n${value.map((one) => `${inner}${python(one, inner)},\n`).join('')}${indent}]` : '[]';
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    return entries.length ? `{\n${entries.map(([name, one]) => `${inner}${JSON.stringify(name)}: ${python(one, inner)},\n`).join('')}${indent}}` : '{}';
  }
  return JSON.stringify(value);
}

/** The program for a call; `base` is the server's address without a slash at its end. */
export function snippet(language: Language, call: CallShown, base: string): string {
  const url = `${base.replace(/\/+$/, '')}${call.path}`;
  const has = call.body !== undefined && call.body !== null;
  if (language === 'curl') {
    const lines = [`curl --request ${call.method} ${shell(url)}`, `  --header "Authorization: Bearer $PATCHBAY_TOKEN"`];
    if (has) lines.push(`  --header 'Content-Type: application/json'`, `  --data ${shell(JSON.stringify(call.body))}`);
    return lines.join(' \\\n');
  }
  if (language === 'python') {
    const body = has ? `,\n    json=${python(call.body, '    ')}` : '';
    return `import os

import httpx

response = httpx.request(
    ${JSON.stringify(call.method)},
    ${JSON.stringify(url)},
    headers={"Authorization": f"Bearer {os.environ['PATCHBAY_TOKEN']}"}${body},
)
response.raise_for_status()
print(response.json())`;
  }
  const body = has ? `\n  body: JSON.stringify(${JSON.stringify(call.body, null, 2).replaceAll('\n', '\n  ')}),` : '';
  const type = has ? `, "Content-Type": "application/json"` : '';
  return `const response = await fetch(${JSON.stringify(url)}, {
  method: ${JSON.stringify(call.method)},
  headers: { Authorization: \`Bearer \${process.env.PATCHBAY_TOKEN}\`${type} },${body}
});
if (!response.ok) throw new Error(await response.text());
console.log(await response.json());`;
}
