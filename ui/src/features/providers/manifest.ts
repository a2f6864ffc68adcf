import type { ManifestDestination } from '$lib/wire';
import { joined } from '$lib/words';

/** What a new manifest begins with. */
export const SKELETON = `format = 2
id = "custom_example"
version = "1"
fullname = "Example"
vendor = "Example"
connector = "custom"
description = "What it is, in a sentence."
docs_url = "https://docs.example.com"
release = { availability = "pre-release", environments = ["test", "prod"] }
base = { fixed = { url = "https://api.example.com/v1" } }

[[credential]]
type = "token"
kind = "token"
title = "API key"
description = "Where a person finds it."
auth = "plain"
place = "bearer"

# The cheapest request that only a good credential is answered.
[probe]
call = { url = "/me" }
id = "/id"
name = "/name"

# Who says so: an address, "observed: ..." or "unverified".
[sources]
"base" = "unverified"
`;

const WORDS: Record<string, string> = {
  people: 'people sign in there',
  grants: 'codes, client secrets and refresh tokens',
  credentials: 'the tokens and keys of calls',
};

/** What goes to a host, in words. */
export const carried = (destination: ManifestDestination): string => destination.carries.map((word) => WORDS[word] ?? word).join('; ');

/** Where a host that is filled in may lie. */
export function within(destination: ManifestDestination): string {
  if (!destination.host.includes('{')) return '';
  return destination.only.length ? `Only ${joined(destination.only.map((one) => (one.startsWith('.') ? `hosts below ${one.slice(1)}` : one)))}.` : 'Any host that whoever connects it fills in.';
}
