import { STATUS } from '$kit/status';
import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';

export const COLUMNS: Column[] = [
  { id: 'fullname', title: 'Integration', width: 'minmax(120px, 1.6fr)', sort: 'fullname' },
  { id: 'account', title: 'Account', width: 'minmax(84px, 1.2fr)' },
  { id: 'provider', title: 'Provider', width: 'minmax(72px, 1fr)', sort: 'provider_type' },
  { id: 'status', title: 'Status', width: 'minmax(128px, 144px)', sort: 'status' },
  { id: 'since', title: 'Since', width: 'minmax(76px, 104px)' },
  { id: 'next', title: 'To do', width: 'minmax(120px, 144px)' },
  { id: 'name', title: 'Name', width: 'minmax(120px, 1fr)', sort: 'name', optional: true },
  { id: 'last_used_at', title: 'Last used', width: '104px', sort: 'last_used_at', optional: true },
  { id: 'last_connected_at', title: 'Last connected', width: '112px', sort: 'last_connected_at', optional: true },
  { id: 'updated_at', title: 'Changed', width: '104px', sort: 'updated_at', optional: true },
];

export const FILTERS: FilterField[] = [
  { field: 'status', title: 'Status', operators: ['eq', 'ne', 'in'], values: Object.entries(STATUS).map(([value, { word }]) => ({ value, title: word })) },
  { field: 'name', title: 'Name', operators: ['like', 'eq', 'in'] },
  { field: 'fullname', title: 'Integration', operators: ['like', 'eq'] },
  { field: 'provider_type', title: 'Provider ID', operators: ['eq', 'ne', 'in', 'like'] },
  { field: 'category', title: 'Connector', operators: ['eq', 'ne'] },
  { field: 'account_id', title: 'Account ID', operators: ['eq', 'in'] },
  { field: 'integration_point_id', title: 'Integration point ID', operators: ['eq', 'in'] },
  { field: 'last_used_at', title: 'Last used', operators: ['gte', 'lt'] },
  { field: 'created_at', title: 'Created', operators: ['gte', 'lt'] },
];
