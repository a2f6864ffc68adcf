import { describe, expect, it } from 'vitest';
import type { ProviderOperation } from '$lib/wire';
import { bodySchema, dots, isList, pathNames, rowsOf, tableColumns } from './call';

const operation = (parts: Partial<ProviderOperation>): ProviderOperation => ({ id: 'x', name: 'x', supported: true, ...parts });

describe('calls', () => {
  it('knows the parameters of a path', () => {
    expect(pathNames(operation({ request_path: '/v1/ticketing/tickets/{ticket_id}/comments/{comment_id}' }))).toEqual(['ticket_id', 'comment_id']);
  });
  it('tells lists apart', () => {
    expect(isList(operation({ name: 'query_tickets', request_method: 'GET' }))).toBe(true);
    expect(isList(operation({ name: 'get_ticket', request_method: 'GET' }))).toBe(false);
  });
  it('takes a schema with or without its envelope', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } };
    expect(bodySchema(operation({ request_body: { required: true, schema } }))).toEqual(schema);
    expect(bodySchema(operation({ request_body: schema }))).toEqual(schema);
    expect(bodySchema(operation({}))).toBeNull();
  });
  it('chooses columns that hold something', () => {
    expect(tableColumns([{ updated_at: 't', summary: 's', id: '1', status: null, tags: ['a'], extra: 'x' }])).toEqual(['id', 'summary', 'updated_at', 'extra']);
  });
  it('finds the rows of a list', () => {
    expect(rowsOf({ result: [{ id: '1' }], cursor: '' })).toHaveLength(1);
    expect(rowsOf({ result: { id: '1' } })).toBeNull();
  });
  it('draws secrets as dots', () => {
    expect(dots('Bearer ***')).toBe('Bearer ••••••');
  });
});
