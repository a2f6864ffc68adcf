import type { CredentialKind } from '$lib/wire';

interface Part {
  name: string;
  title: string;
  secret: boolean;
  required: boolean;
}

const plain = (name: string, title: string, required = true): Part => ({ name, title, secret: false, required });
const secret = (name: string, title: string, required = true): Part => ({ name, title, secret: true, required });

/** Kinds of credential that a person can enter, with their parts (synqly-wire.md section 7). */
export const CREDENTIAL_KINDS: { kind: CredentialKind; title: string; parts: Part[] }[] = [
  { kind: 'token', title: 'Token or API key', parts: [secret('secret', 'Token')] },
  { kind: 'basic', title: 'User name and password', parts: [plain('username', 'User name'), secret('secret', 'Password')] },
  { kind: 'o_auth_client', title: 'OAuth client', parts: [plain('client_id', 'Client ID'), secret('client_secret', 'Client secret'), plain('token_url', 'Token URL', false)] },
  { kind: 'secret', title: 'Other secret', parts: [secret('secret', 'Secret')] },
];

const WORDS: Record<CredentialKind, string> = {
  aws: 'AWS access key',
  aws_role: 'AWS role',
  token: 'Token',
  basic: 'Password',
  secret: 'Secret',
  o_auth_client: 'OAuth client',
  tls_certificate: 'TLS certificate',
  o_auth_user: 'Consent of a person',
};

export const credentialWord = (kind: CredentialKind): string => WORDS[kind] ?? kind;
