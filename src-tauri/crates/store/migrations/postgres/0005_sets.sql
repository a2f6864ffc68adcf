-- Renewal of each token of a set by itself, and a choice that a person has yet to make. Only additions: older servers work on.
-- Run as `patchbay_owner` with `search_path = patchbay, pg_temp`.

-- The journal's rows of all tokens but the main one, whose row stays in refresh_journal, one for each credential.
CREATE TABLE refresh_flights (
    id uuid NOT NULL PRIMARY KEY,
    credential_id uuid NOT NULL REFERENCES credentials (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    account_id uuid,
    token text COLLATE "C" NOT NULL CHECK (token <> 'main'),
    intent_id uuid NOT NULL,
    owner text COLLATE "C" NOT NULL,
    lease_until timestamptz NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('intent', 'activated', 'settled')),
    sealed_table text COLLATE "C",
    sealed_row uuid,
    previous jsonb,
    sent_fp bytea,
    first_sent_at timestamptz,
    sends bigint NOT NULL DEFAULT 0,
    reason text COLLATE "C",
    gone_at timestamptz,
    witnessed boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (credential_id, token)
);

-- What a person may choose among, while an exchange waits for that. What the exchange brought lies sealed where the verifier lay.
ALTER TABLE connect_sessions ADD COLUMN choice jsonb;

-- Statistics would keep samples of the ciphertexts beside the table.
ALTER TABLE refresh_flights ALTER COLUMN previous SET STATISTICS 0;

-- As refresh_journal in 0002_access.sql: a point's credential is renewed by whichever account's call finds it old.
DO $$
DECLARE
    own constant text := '(SELECT patchbay.scope_is_system()) OR (refresh_flights.organization_id = (SELECT patchbay.scope_organization()) AND (refresh_flights.account_id IS NULL OR refresh_flights.account_id = (SELECT patchbay.scope_account()) OR (SELECT patchbay.scope_is_whole())))';
    does text;
BEGIN
    ALTER TABLE refresh_flights ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    FOREACH does IN ARRAY ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'] LOOP
        EXECUTE format('CREATE POLICY %I ON refresh_flights FOR %s TO patchbay_management, svc_integration %s (%s)',
            'refresh_flights_' || lower(does), does, CASE does WHEN 'INSERT' THEN 'WITH CHECK' ELSE 'USING' END, own);
    END LOOP;
END;
$$;

-- As in 0004_consent.sql, with the new sealed column.
CREATE OR REPLACE FUNCTION regrant() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sealed constant text[] := '{integration_instances.credentials,shared_credentials.credentials,connect_sessions.verifier,refresh_journal.previous,refresh_flights.previous,connect_legs.secrets,revocations.tokens}';
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
