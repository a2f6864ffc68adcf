import { describe, expect, it } from 'vitest';
import type { JsonObject } from './wire';
import { cleaned, fieldsOf, initialValues, titleOf, validate } from './schema';

const schema = {
  type: 'object',
  required: ['url', 'credential'],
  properties: {
    type: { const: 'ticketing_redmine' },
    url: { type: 'string', format: 'uri', title: 'URL', description: 'Where it is.' },
    default_project: { type: 'string', maxLength: 5 },
    page_size: { type: 'integer', minimum: 1, maximum: 100, default: 25 },
    verify_tls: { type: 'boolean', default: true },
    region: { enum: ['eu', 'us'] },
    channels: { type: 'array', items: { type: 'string' } },
    custom_field_mappings: { type: 'array', items: { $ref: '#/$defs/mapping' } },
    credential: {
      oneOf: [
        { title: 'API key', properties: { type: { const: 'token' }, secret: { type: 'string', writeOnly: true } }, required: ['secret'] },
        { title: 'Password', properties: { type: { const: 'basic' }, username: { type: 'string' }, secret: { type: 'string', format: 'password' } }, required: ['username', 'secret'] },
      ],
    },
  },
  $defs: { mapping: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, project_id: { type: 'string', default: '*' } } } },
} as unknown as JsonObject;

describe('schema forms', () => {
  const fields = fieldsOf(schema);
  const kinds = Object.fromEntries(fields.map((field) => [field.name, field.kind]));

  it('draws each property as its kind', () => {
    expect(kinds).toEqual({
      url: 'text', default_project: 'text', page_size: 'number', verify_tls: 'flag', region: 'choice', channels: 'lines', custom_field_mappings: 'rows', credential: 'variant',
    });
    const credential = fields.find((field) => field.name === 'credential');
    expect(credential?.variants.map((variant) => variant.type)).toEqual(['token', 'basic']);
    expect(credential?.variants[1]?.parts.map((part) => part.kind)).toEqual(['text', 'secret']);
  });

  it('starts with defaults', () => {
    expect(initialValues(fields)).toEqual({ page_size: 25, verify_tls: true, credential: { type: 'token' } });
  });

  it('finds what is missing or wrong', () => {
    expect(validate(fields, { url: 'nowhere', default_project: 'too long', page_size: 2.5, credential: { type: 'basic', username: 'u' } })).toEqual({
      '/url': 'Enter a full address, such as https://tickets.example.com.',
      '/default_project': 'Enter at most 5 characters.',
      '/page_size': 'Enter a whole number.',
      '/credential/secret': 'This is needed.',
    });
  });

  it('sends nothing that was left empty, nor fields of another variant', () => {
    expect(cleaned(fields, { url: ' https://x ', default_project: '', credential: { type: 'token', secret: 's', username: 'left' }, custom_field_mappings: [{ name: '' }, { name: 'a' }] })).toEqual({
      url: 'https://x', credential: { type: 'token', secret: 's' }, custom_field_mappings: [{ name: 'a' }],
    });
  });

  it('makes titles of names', () => {
    expect(titleOf('default_issue_type')).toBe('Default issue type');
    expect(titleOf('base_url')).toBe('Base URL');
  });
});
