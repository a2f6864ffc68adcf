// The generated contract, and the few shapes that only the interface needs.
export type * from './contract/contract';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
export type IntegrationStatus = import('./contract/contract').IntegrationExtra['status'];
export type ProviderConfig = { type: string } & Record<string, unknown>;
