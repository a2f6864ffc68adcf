-- Consent that lasts: legs of a consent and what happened on them, links for people without an account here, the history of
-- every renewal, clocks of what runs out, revocations with their proof, checks of provider apps, an organization's own
-- manifests. Only additions: older servers work on.
-- Run as `patchbay_owner` with `search_path = patchbay, pg_temp`.

-- A manifest of an organization's own is a definition like any other, but nobody else's.
ALTER TABLE integration_definitions ADD COLUMN organization_id uuid REFERENCES organizations (id);
ALTER TABLE integration_definitions ADD COLUMN manifest text COLLATE "C";
CREATE INDEX integration_definitions_organization ON integration_definitions (organization_id, name) WHERE organization_id IS NOT NULL;
DROP TRIGGER integration_definitions_immutable ON integration_definitions;
CREATE TRIGGER integration_definitions_immutable
BEFORE UPDATE OF id, name, type, version, auth_type, docs_url, config_schema, credentials_schema, created_at, organization_id, manifest ON integration_definitions
FOR EACH ROW EXECUTE FUNCTION definition_is_immutable();

-- The row of a consent mirrors its newest leg (`route`, `redirect_uri`, `state_hash`, `verifier`).
ALTER TABLE connect_sessions ADD COLUMN link_id uuid;
ALTER TABLE connect_sessions ADD COLUMN form jsonb;
ALTER TABLE connect_sessions ADD COLUMN explanation jsonb;
ALTER TABLE connect_sessions ADD COLUMN recorded bigint NOT NULL DEFAULT 0;

-- One try of a consent on one route. What it alone knows (verifier, device code, reference of a pushed request) is sealed.
CREATE TABLE connect_legs (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    session_id uuid NOT NULL REFERENCES connect_sessions (id) ON DELETE CASCADE,
    number bigint NOT NULL,
    route text COLLATE "C" NOT NULL,
    redirect_uri text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('prepared', 'opened', 'answered', 'ended')),
    ticket_hash bytea,
    state_hash bytea,
    browser_hash bytea,
    secrets jsonb,
    user_code text COLLATE "C",
    verification_uri text COLLATE "C",
    next_poll_at timestamptz,
    poll_seconds bigint,
    expires timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (session_id, number)
);
CREATE UNIQUE INDEX connect_legs_ticket ON connect_legs (ticket_hash) WHERE ticket_hash IS NOT NULL;
CREATE UNIQUE INDEX connect_legs_state ON connect_legs (state_hash) WHERE state_hash IS NOT NULL;
CREATE INDEX connect_legs_poll ON connect_legs (organization_id, next_poll_at) WHERE next_poll_at IS NOT NULL;

-- What happened during a consent, without what must stay secret. Rows are only added.
CREATE TABLE flight_steps (
    session_id uuid NOT NULL REFERENCES connect_sessions (id) ON DELETE CASCADE,
    number bigint NOT NULL,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    leg_id uuid,
    at timestamptz NOT NULL,
    kind text COLLATE "C" NOT NULL,
    origin text COLLATE "C",
    detail jsonb NOT NULL,
    PRIMARY KEY (session_id, number)
);

-- Links that are given to people who have no account here: to connect, to a receipt, to a calendar.
CREATE TABLE public_links (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    account_id uuid,
    integration_id uuid,
    integration_point_id uuid,
    end_user_id uuid,
    receipt_id uuid,
    member_id uuid NOT NULL,
    purpose text COLLATE "C" NOT NULL CHECK (purpose IN ('connect', 'receipt', 'calendar')),
    hash bytea NOT NULL UNIQUE,
    settings jsonb NOT NULL,
    expires timestamptz NOT NULL,
    uses_left bigint,
    last_used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL,
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id),
    FOREIGN KEY (organization_id, integration_point_id) REFERENCES integration_points (organization_id, id),
    FOREIGN KEY (organization_id, account_id, end_user_id) REFERENCES end_users (organization_id, account_id, id)
);
CREATE INDEX public_links_list ON public_links (organization_id, created_at, id);
CREATE INDEX public_links_account ON public_links (organization_id, account_id, integration_id);
CREATE INDEX public_links_point ON public_links (organization_id, integration_point_id);
CREATE INDEX public_links_end_user ON public_links (organization_id, account_id, end_user_id);
CREATE INDEX public_links_member ON public_links (organization_id, member_id);
CREATE INDEX public_links_expires ON public_links (expires);

-- The journal's row of a credential: of which of its tokens, which token was sent (a keyed hash), since when and how often
-- its outcome is unknown, and whether who sent it is known to be dead when it is.
ALTER TABLE refresh_journal ADD COLUMN token text COLLATE "C" NOT NULL DEFAULT 'main';
ALTER TABLE refresh_journal ADD COLUMN sent_fp bytea;
ALTER TABLE refresh_journal ADD COLUMN first_sent_at timestamptz;
ALTER TABLE refresh_journal ADD COLUMN sends bigint NOT NULL DEFAULT 0;
ALTER TABLE refresh_journal ADD COLUMN reason text COLLATE "C";
ALTER TABLE refresh_journal ADD COLUMN gone_at timestamptz;
ALTER TABLE refresh_journal ADD COLUMN witnessed boolean NOT NULL DEFAULT false;

-- Every step of every renewal. Rows are only added; tokens stand in them as keyed hashes. One that is `spent` is never sent
-- again: the transaction that would write down that intent looks here.
CREATE TABLE refresh_steps (
    credential_id uuid NOT NULL REFERENCES credentials (id) ON DELETE CASCADE,
    attempt_id uuid NOT NULL,
    number bigint NOT NULL,
    organization_id uuid NOT NULL,
    account_id uuid,
    at timestamptz NOT NULL,
    step text COLLATE "C" NOT NULL,
    token text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    fp bytea,
    next_fp bytea,
    spent boolean NOT NULL DEFAULT false,
    note jsonb,
    PRIMARY KEY (credential_id, attempt_id, number)
);
CREATE INDEX refresh_steps_spent ON refresh_steps (credential_id, fp) WHERE spent;
CREATE INDEX refresh_steps_list ON refresh_steps (organization_id, credential_id, at);
CREATE INDEX refresh_steps_old ON refresh_steps (at);

-- When something ends, and when it should be renewed.
CREATE TABLE clocks (
    owner_kind text COLLATE "C" NOT NULL CHECK (owner_kind IN ('credential', 'provider_app')),
    owner_id uuid NOT NULL,
    token text COLLATE "C" NOT NULL,
    clock text COLLATE "C" NOT NULL,
    organization_id uuid NOT NULL,
    account_id uuid,
    at timestamptz NOT NULL,
    renew_at timestamptz,
    PRIMARY KEY (owner_id, token, clock)
);
CREATE INDEX clocks_due ON clocks (renew_at) WHERE renew_at IS NOT NULL;
CREATE INDEX clocks_list ON clocks (organization_id, at);

-- Access that is taken back at the provider. It outlives the integration, so no key leads there.
CREATE TABLE revocations (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    integration_name text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    definition_id uuid NOT NULL REFERENCES integration_definitions (id),
    provider_app_id uuid,
    receipt_id uuid,
    reason text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'sent', 'revoked', 'proven', 'alive', 'manual', 'failed')),
    tokens jsonb,
    proof jsonb NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    owner text COLLATE "C",
    lease_until timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    FOREIGN KEY (organization_id, provider_app_id) REFERENCES provider_apps (organization_id, id)
);
CREATE INDEX revocations_list ON revocations (organization_id, created_at, id);
CREATE INDEX revocations_integration ON revocations (organization_id, account_id, integration_id);
CREATE INDEX revocations_app ON revocations (organization_id, provider_app_id);
CREATE INDEX revocations_due ON revocations (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

ALTER TABLE provider_apps ADD COLUMN secret_expires timestamptz;
ALTER TABLE provider_apps ADD COLUMN next_check_at timestamptz;
ALTER TABLE provider_apps ADD COLUMN family text COLLATE "C";

-- What was last found about a provider app, without a customer having had to try.
CREATE TABLE app_checks (
    provider_app_id uuid NOT NULL REFERENCES provider_apps (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    detail jsonb NOT NULL,
    PRIMARY KEY (provider_app_id, kind, subject)
);

ALTER TABLE consent_receipts ADD COLUMN expires_at timestamptz;
ALTER TABLE consent_receipts ADD COLUMN revocation_id uuid;
ALTER TABLE consent_receipts ADD COLUMN withdrawn_by text COLLATE "C";

-- Statistics would keep samples of the ciphertexts beside the table.
ALTER TABLE connect_legs ALTER COLUMN secrets SET STATISTICS 0;
ALTER TABLE revocations ALTER COLUMN tokens SET STATISTICS 0;

-- Who sees and changes what, in the words of 0002_access.sql. Every column says whose it is.
DO $$
DECLARE
    line record;
    rule text;
    words jsonb := '{
        "account": "%1$s.account_id = (SELECT patchbay.scope_account()) OR (SELECT patchbay.scope_is_whole())",
        "none": "%1$s.account_id IS NULL OR %1$s.account_id = (SELECT patchbay.scope_account()) OR (SELECT patchbay.scope_is_whole())",
        "whole": "(SELECT patchbay.scope_is_whole())"
    }';
BEGIN
    FOR line IN SELECT * FROM (VALUES
        -- table, read, add, change and remove
        ('connect_legs', 'account', 'account', 'account'),
        ('flight_steps', 'account', 'account', 'account'),
        ('public_links', 'account', 'account', 'account'),
        -- A point's credential is renewed by whichever account's call finds it old.
        ('refresh_steps', 'none', 'none', 'none'),
        ('clocks', 'none', 'none', 'none'),
        ('revocations', 'account', 'account', 'account'),
        ('app_checks', 'open', 'whole', 'whole')
    ) AS lines (name, sees, adds, alters)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', line.name);
        FOR rule IN
            SELECT format('CREATE POLICY %I ON %I FOR %s TO patchbay_management, svc_integration %s ((SELECT patchbay.scope_is_system())%s)',
                line.name || '_' || lower(does), line.name, does, kind,
                CASE word
                    WHEN 'open' THEN format(' OR %I.organization_id = (SELECT patchbay.scope_organization())', line.name)
                    ELSE format(' OR (%I.organization_id = (SELECT patchbay.scope_organization()) AND (%s))', line.name, format(words ->> word, line.name))
                END)
            FROM (VALUES ('SELECT', 'USING', line.sees), ('INSERT', 'WITH CHECK', line.adds), ('UPDATE', 'USING', line.alters), ('DELETE', 'USING', line.alters)) AS policies (does, kind, word)
        LOOP
            EXECUTE rule;
        END LOOP;
    END LOOP;
END;
$$;

-- Definitions of the program are everybody's; an organization's own are seen by it alone and added by its whole scope.
ALTER TABLE integration_definitions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY integration_definitions_select ON integration_definitions FOR SELECT TO patchbay_management, svc_integration
    USING (integration_definitions.organization_id IS NULL OR (SELECT patchbay.scope_is_system()) OR integration_definitions.organization_id = (SELECT patchbay.scope_organization()));
CREATE POLICY integration_definitions_insert ON integration_definitions FOR INSERT TO patchbay_management, svc_integration
    WITH CHECK ((SELECT patchbay.scope_is_system()) OR (integration_definitions.organization_id = (SELECT patchbay.scope_organization()) AND (SELECT patchbay.scope_is_whole())));
CREATE POLICY integration_definitions_update ON integration_definitions FOR UPDATE TO patchbay_management, svc_integration
    USING ((SELECT patchbay.scope_is_system()) OR (integration_definitions.organization_id = (SELECT patchbay.scope_organization()) AND (SELECT patchbay.scope_is_whole())));
CREATE POLICY integration_definitions_delete ON integration_definitions FOR DELETE TO patchbay_management, svc_integration
    USING ((SELECT patchbay.scope_is_system()));

-- As in 0002_access.sql, with the new sealed columns and the tables to which rows are only added.
CREATE OR REPLACE FUNCTION regrant() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sealed constant text[] := '{integration_instances.credentials,shared_credentials.credentials,connect_sessions.verifier,refresh_journal.previous,connect_legs.secrets,revocations.tokens}';
    fixed constant text[] := '{id,hash,organization_id,account_id}';
    -- Tables of which rows stay.
    kept constant text[] := '{store_header,integration_definitions}';
    -- Tables of which only these columns are updated.
    few constant jsonb := '{
        "store_header": ["key_header"],
        "integration_definitions": ["status", "updated_at"],
        "audit_events": ["undone_by", "path", "body", "response", "before", "after"],
        "changes": [],
        "deletions": [],
        "refresh_steps": [],
        "flight_steps": []
    }';
    one record;
    reading text;
    adding text;
    updating text;
BEGIN
    FOR one IN SELECT oid, relname::text AS name FROM pg_class WHERE relnamespace = 'patchbay'::regnamespace AND relkind = 'r' AND relowner = 'patchbay_owner'::regrole ORDER BY relname LOOP
        EXECUTE format('REVOKE ALL ON TABLE patchbay.%I FROM PUBLIC, patchbay_owner, patchbay_management, svc_integration', one.name);
        IF one.name = '_sqlx_migrations' THEN
            EXECUTE format('GRANT SELECT ON TABLE patchbay.%I TO patchbay_management, svc_integration', one.name);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE patchbay.%I TO patchbay_owner', one.name);
            CONTINUE;
        END IF;
        SELECT CASE WHEN bool_or(one.name || '.' || attname = ANY (sealed)) THEN format('SELECT (%s)', string_agg(quote_ident(attname), ', ' ORDER BY attnum) FILTER (WHERE one.name || '.' || attname <> ALL (sealed))) ELSE 'SELECT' END,
               CASE WHEN one.name = 'changes' THEN format('INSERT (%s)', string_agg(quote_ident(attname), ', ' ORDER BY attnum) FILTER (WHERE attname <> 'sequence')) ELSE 'INSERT' END,
               string_agg(quote_ident(attname), ', ' ORDER BY attnum) FILTER (WHERE CASE WHEN few ? one.name THEN few -> one.name ? attname::text ELSE attname <> ALL (fixed) END)
        INTO reading, adding, updating
        FROM pg_attribute WHERE attrelid = one.oid AND attnum > 0 AND NOT attisdropped;
        -- The owner checks references, cascades and numbers changes.
        EXECUTE format('GRANT %s, INSERT, UPDATE, DELETE, REFERENCES, TRIGGER ON TABLE patchbay.%I TO patchbay_owner', reading, one.name);
        EXECUTE format('GRANT %s, %s ON TABLE patchbay.%I TO patchbay_management', reading, adding, one.name);
        EXECUTE format('GRANT SELECT, %s ON TABLE patchbay.%I TO svc_integration', adding, one.name);
        IF updating IS NOT NULL THEN
            EXECUTE format('GRANT UPDATE (%s) ON TABLE patchbay.%I TO patchbay_management, svc_integration', updating, one.name);
        END IF;
        IF one.name <> ALL (kept) THEN
            EXECUTE format('GRANT DELETE ON TABLE patchbay.%I TO patchbay_management, svc_integration', one.name);
        END IF;
    END LOOP;
END;
$$;
SELECT regrant();
