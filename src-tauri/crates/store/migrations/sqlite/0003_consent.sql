-- Consent that lasts: legs of a consent and what happened on them, links for people without an account here, the history of
-- every renewal, clocks of what runs out, revocations with their proof, checks of provider apps, an organization's own
-- manifests. Only additions.

PRAGMA user_version = 3;

-- A manifest of an organization's own is a definition like any other, but nobody else's.
ALTER TABLE integration_definitions ADD COLUMN organization_id BLOB REFERENCES organizations (id);
ALTER TABLE integration_definitions ADD COLUMN manifest TEXT;
CREATE INDEX integration_definitions_organization ON integration_definitions (organization_id, name) WHERE organization_id IS NOT NULL;
DROP TRIGGER integration_definitions_immutable;
CREATE TRIGGER integration_definitions_immutable
BEFORE UPDATE OF id, name, type, version, auth_type, docs_url, config_schema, credentials_schema, created_at, organization_id, manifest ON integration_definitions
BEGIN SELECT RAISE(ABORT, 'an integration definition is immutable'); END;

-- The row of a consent mirrors its newest leg (`route`, `redirect_uri`, `state_hash`, `verifier`).
ALTER TABLE connect_sessions ADD COLUMN link_id BLOB;
ALTER TABLE connect_sessions ADD COLUMN form TEXT;
ALTER TABLE connect_sessions ADD COLUMN explanation TEXT;
ALTER TABLE connect_sessions ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0;

-- One try of a consent on one route. What it alone knows (verifier, device code, reference of a pushed request) is sealed.
CREATE TABLE connect_legs (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    session_id BLOB NOT NULL REFERENCES connect_sessions (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    route TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('prepared', 'opened', 'answered', 'ended')),
    ticket_hash BLOB,
    state_hash BLOB,
    browser_hash BLOB,
    secrets TEXT,
    user_code TEXT,
    verification_uri TEXT,
    next_poll_at TEXT,
    poll_seconds INTEGER,
    expires TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (session_id, number)
) STRICT;
CREATE UNIQUE INDEX connect_legs_ticket ON connect_legs (ticket_hash) WHERE ticket_hash IS NOT NULL;
CREATE UNIQUE INDEX connect_legs_state ON connect_legs (state_hash) WHERE state_hash IS NOT NULL;
CREATE INDEX connect_legs_poll ON connect_legs (organization_id, next_poll_at) WHERE next_poll_at IS NOT NULL;

-- What happened during a consent, without what must stay secret. Rows are only added.
CREATE TABLE flight_steps (
    session_id BLOB NOT NULL REFERENCES connect_sessions (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    leg_id BLOB,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    origin TEXT,
    detail TEXT NOT NULL,
    PRIMARY KEY (session_id, number)
) STRICT;

-- Links that are given to people who have no account here: to connect, to a receipt, to a calendar.
CREATE TABLE public_links (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    account_id BLOB,
    integration_id BLOB,
    integration_point_id BLOB,
    end_user_id BLOB,
    receipt_id BLOB,
    member_id BLOB NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('connect', 'receipt', 'calendar')),
    hash BLOB NOT NULL UNIQUE,
    settings TEXT NOT NULL,
    expires TEXT NOT NULL,
    uses_left INTEGER,
    last_used_at TEXT,
    revoked_at TEXT,
    created_at TEXT NOT NULL,
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id),
    FOREIGN KEY (organization_id, integration_point_id) REFERENCES integration_points (organization_id, id),
    FOREIGN KEY (organization_id, account_id, end_user_id) REFERENCES end_users (organization_id, account_id, id)
) STRICT;
CREATE INDEX public_links_list ON public_links (organization_id, created_at, id);
CREATE INDEX public_links_account ON public_links (organization_id, account_id, integration_id);
CREATE INDEX public_links_point ON public_links (organization_id, integration_point_id);
CREATE INDEX public_links_end_user ON public_links (organization_id, account_id, end_user_id);
CREATE INDEX public_links_member ON public_links (organization_id, member_id);
CREATE INDEX public_links_expires ON public_links (expires);

-- The journal's row of a credential: of which of its tokens, which token was sent (a keyed hash), since when and how often
-- its outcome is unknown, and whether who sent it is known to be dead when it is.
ALTER TABLE refresh_journal ADD COLUMN token TEXT NOT NULL DEFAULT 'main';
ALTER TABLE refresh_journal ADD COLUMN sent_fp BLOB;
ALTER TABLE refresh_journal ADD COLUMN first_sent_at TEXT;
ALTER TABLE refresh_journal ADD COLUMN sends INTEGER NOT NULL DEFAULT 0;
ALTER TABLE refresh_journal ADD COLUMN reason TEXT;
ALTER TABLE refresh_journal ADD COLUMN gone_at TEXT;
ALTER TABLE refresh_journal ADD COLUMN witnessed INTEGER NOT NULL DEFAULT 0;

-- Every step of every renewal. Rows are only added; tokens stand in them as keyed hashes. One that is `spent` is never sent
-- again: the transaction that would write down that intent looks here.
CREATE TABLE refresh_steps (
    credential_id BLOB NOT NULL REFERENCES credentials (id) ON DELETE CASCADE,
    attempt_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    organization_id BLOB NOT NULL,
    account_id BLOB,
    at TEXT NOT NULL,
    step TEXT NOT NULL,
    token TEXT NOT NULL,
    owner TEXT NOT NULL,
    fp BLOB,
    next_fp BLOB,
    spent INTEGER NOT NULL DEFAULT 0,
    note TEXT,
    PRIMARY KEY (credential_id, attempt_id, number)
) STRICT;
CREATE INDEX refresh_steps_spent ON refresh_steps (credential_id, fp) WHERE spent;
CREATE INDEX refresh_steps_list ON refresh_steps (organization_id, credential_id, at);
CREATE INDEX refresh_steps_old ON refresh_steps (at);

-- When something ends, and when it should be renewed.
CREATE TABLE clocks (
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('credential', 'provider_app')),
    owner_id BLOB NOT NULL,
    token TEXT NOT NULL,
    clock TEXT NOT NULL,
    organization_id BLOB NOT NULL,
    account_id BLOB,
    at TEXT NOT NULL,
    renew_at TEXT,
    PRIMARY KEY (owner_id, token, clock)
) STRICT;
CREATE INDEX clocks_due ON clocks (renew_at) WHERE renew_at IS NOT NULL;
CREATE INDEX clocks_list ON clocks (organization_id, at);

-- Access that is taken back at the provider. It outlives the integration, so no key leads there.
CREATE TABLE revocations (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    account_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    integration_name TEXT NOT NULL,
    provider TEXT NOT NULL,
    definition_id BLOB NOT NULL REFERENCES integration_definitions (id),
    provider_app_id BLOB,
    receipt_id BLOB,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'revoked', 'proven', 'alive', 'manual', 'failed')),
    tokens TEXT,
    proof TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TEXT,
    owner TEXT,
    lease_until TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    FOREIGN KEY (organization_id, provider_app_id) REFERENCES provider_apps (organization_id, id)
) STRICT;
CREATE INDEX revocations_list ON revocations (organization_id, created_at, id);
CREATE INDEX revocations_integration ON revocations (organization_id, account_id, integration_id);
CREATE INDEX revocations_app ON revocations (organization_id, provider_app_id);
CREATE INDEX revocations_due ON revocations (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

ALTER TABLE provider_apps ADD COLUMN secret_expires TEXT;
ALTER TABLE provider_apps ADD COLUMN next_check_at TEXT;
ALTER TABLE provider_apps ADD COLUMN family TEXT;

-- What was last found about a provider app, without a customer having had to try.
CREATE TABLE app_checks (
    provider_app_id BLOB NOT NULL REFERENCES provider_apps (id) ON DELETE CASCADE,
    organization_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (provider_app_id, kind, subject)
) STRICT;

ALTER TABLE consent_receipts ADD COLUMN expires_at TEXT;
ALTER TABLE consent_receipts ADD COLUMN revocation_id BLOB;
ALTER TABLE consent_receipts ADD COLUMN withdrawn_by TEXT;
