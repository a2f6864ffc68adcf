import { describe, expect, it } from 'vitest';
import { python, snippet } from './snippets';

const get = { method: 'GET', path: '/v1/ticketing/tickets?limit=5&filter=status%5Beq%5DDone' };
const post = { method: 'POST', path: '/v1/ticketing/tickets', body: { summary: "it's on fire", tags: ['a'], open: true, due: null } };

describe('snippets', () => {
  it('never hold a token', () => {
    for (const language of ['curl', 'python', 'typescript'] as const) {
      const text = snippet(language, post, 'https://patchbay.example/');
      expect(text).toContain('PATCHBAY_TOKEN');
      expect(text).toContain('https://patchbay.example/v1/ticketing/tickets');
    }
  });

  it('quote for the shell', () => {
    expect(snippet('curl', post, 'http://x')).toContain(`--data '{"summary":"it'\\''s on fire"`);
    expect(snippet('curl', get, 'http://x')).not.toContain('--data');
  });

  it('write Python values', () => {
    expect(python({ a: [true, null] })).toBe('{\n    "a": [\n        True,\n        None,\n    ],\n}');
    expect(python({})).toBe('{}');
  });

  it('send a body as JSON in TypeScript', () => {
    expect(snippet('typescript', post, 'http://x')).toContain('body: JSON.stringify({');
  });
});
