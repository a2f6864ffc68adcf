-- Who may see and change what. Nothing here trusts the program: its roles are members of `patchbay_management` or
-- `svc_integration`, which own nothing, bypass nothing, and see the rows of the scope that the transaction states.
-- Run as `patchbay_owner` with `search_path = patchbay, pg_temp`.

-- The scope of a transaction is stated in settings of the transaction:
--   patchbay.organization = 'UUID' and patchbay.account = 'UUID'   one account
--   patchbay.organization = 'UUID' and patchbay.account = 'all'    the whole organization
--   patchbay.scope = 'system'                                      maintenance of the store as a whole
-- What is not stated is no rows; what is no UUID is an error. Each is asked once per statement (as an init plan), so that
-- policies cost a comparison per row and indexes serve as ever.
CREATE FUNCTION scope_is_system() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN current_setting('patchbay.scope', true) IS NOT DISTINCT FROM 'system';

CREATE FUNCTION scope_is_whole() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN current_setting('patchbay.account', true) IS NOT DISTINCT FROM 'all';

CREATE FUNCTION scope_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN current_setting('patchbay.account', true) <> '' THEN nullif(current_setting('patchbay.organization', true), '')::uuid END;

CREATE FUNCTION scope_account() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN current_setting('patchbay.account', true) NOT IN ('', 'all') THEN current_setting('patchbay.account', true)::uuid END;

-- One line per tenant table: who sees a row, who adds one, who changes or removes one. The words are those of the scopes in
-- the program's transactions:
--   account    the row's account, or its whole organization
--   none       also rows of the organization that belong to no account
--   governing  the same, but for what belongs to an organization webhook
--   of ...     the account of the integration or the token container that the row belongs to
--   open       every scope within the organization
--   whole      the whole organization alone
--   system     maintenance alone, which every line includes
DO $$
DECLARE
    line record;
    rule text;
    words jsonb := '{
        "account": "%1$I = (SELECT patchbay.scope_account()) OR (SELECT patchbay.scope_is_whole())",
        "none": "%1$I IS NULL OR %1$I = (SELECT patchbay.scope_account()) OR (SELECT patchbay.scope_is_whole())",
        "governing": "(%1$I IS NULL AND owner_type <> ''organization_webhook'') OR %1$I = (SELECT patchbay.scope_account()) OR (SELECT patchbay.scope_is_whole())",
        "of integration": "(SELECT patchbay.scope_is_whole()) OR EXISTS (SELECT 1 FROM patchbay.integration_instances AS owner WHERE owner.id = integration_id AND owner.account_id = (SELECT patchbay.scope_account()))",
        "of container": "(SELECT patchbay.scope_is_whole()) OR EXISTS (SELECT 1 FROM patchbay.token_containers AS owner WHERE owner.id = container_id AND owner.account_id = (SELECT patchbay.scope_account()))",
        "whole": "(SELECT patchbay.scope_is_whole())"
    }';
BEGIN
    FOR line IN SELECT * FROM (VALUES
        -- table, its organization, its account, read, add, change and remove
        ('organizations', 'id', NULL, 'open', 'whole', 'whole'),
        ('roles', 'organization_id', NULL, 'whole', 'whole', 'whole'),
        ('members', 'organization_id', NULL, 'whole', 'whole', 'whole'),
        ('accounts', 'organization_id', 'id', 'account', 'whole', 'account'),
        ('integration_points', 'organization_id', NULL, 'open', 'whole', 'whole'),
        ('integration_instances', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('integration_counters', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('integration_credential_references', 'organization_id', NULL, 'of integration', 'of integration', 'of integration'),
        -- What a point or a provider app owns is used in the scope of an account, and changed in that of the organization.
        ('shared_credentials', 'organization_id', 'account_id', 'none', 'account', 'account'),
        ('provider_apps', 'organization_id', NULL, 'open', 'whole', 'whole'),
        ('credentials', 'organization_id', 'account_id', 'governing', 'account', 'account'),
        -- A point's credential is renewed by whichever account's call finds it old.
        ('refresh_journal', 'organization_id', 'account_id', 'none', 'none', 'none'),
        ('token_containers', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('token_secrets', 'organization_id', NULL, 'of container', 'of container', 'of container'),
        ('connect_sessions', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('web_sessions', 'organization_id', NULL, 'whole', 'whole', 'whole'),
        ('one_time_links', 'organization_id', NULL, 'whole', 'whole', 'whole'),
        -- Of what an account's scope does, some is the organization's: it is written there and not read.
        ('audit_events', 'organization_id', 'account_id', 'account', 'none', 'account'),
        ('changes', 'organization_id', 'account_id', 'account', 'none', 'system'),
        ('deletions', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('local_documents', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('local_document_numbers', 'organization_id', 'account_id', 'account', 'account', 'account'),
        -- An account's scope asks which webhooks are told of what it does.
        ('organization_webhooks', 'organization_id', NULL, 'open', 'whole', 'whole'),
        ('webhook_deliveries', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('webhook_attempts', 'organization_id', NULL, 'whole', 'whole', 'whole'),
        ('end_users', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('consent_receipts', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('definition_moves', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('status_events', 'organization_id', 'account_id', 'account', 'account', 'account'),
        ('status_minutes', 'organization_id', 'account_id', 'account', 'account', 'account')
    ) AS lines (name, organization, account, sees, adds, alters)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', line.name);
        FOR rule IN
            SELECT format('CREATE POLICY %I ON %I FOR %s TO patchbay_management, svc_integration %s ((SELECT patchbay.scope_is_system())%s)',
                line.name || '_' || lower(does), line.name, does, kind,
                CASE word
                    WHEN 'system' THEN ''
                    WHEN 'open' THEN format(' OR %I = (SELECT patchbay.scope_organization())', line.organization)
                    ELSE format(' OR (%I = (SELECT patchbay.scope_organization()) AND (%s))', line.organization, format(words ->> word, line.account))
                END)
            FROM (VALUES ('SELECT', 'USING', line.sees), ('INSERT', 'WITH CHECK', line.adds), ('UPDATE', 'USING', line.alters), ('DELETE', 'USING', line.alters)) AS policies (does, kind, word)
        LOOP
            EXECUTE rule;
        END LOOP;
    END LOOP;
END;
$$;
-- An organization goes when another takes its place, which is maintenance; no scope of its own removes it.
DROP POLICY organizations_delete ON organizations;
CREATE POLICY organizations_delete ON organizations FOR DELETE TO patchbay_management, svc_integration USING ((SELECT patchbay.scope_is_system()));

-- The numbers of changes (see the table). The lock is taken when the transaction is at its end and goes with it, so no
-- client ever holds it while it waits for something else. The row is found by its place, not by an index, so that
-- serializable transactions do not meet on a page of that index. The notification is a bare wake-up.
CREATE FUNCTION number_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(8098994861117531750);
    UPDATE patchbay.changes SET sequence = nextval('patchbay.changes_numbers') WHERE ctid = NEW.ctid;
    PERFORM pg_notify('patchbay_changes', '');
    RETURN NULL;
END;
$$;
CREATE CONSTRAINT TRIGGER changes_numbered AFTER INSERT ON changes
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION number_change();
-- The owner is under the policies too; this is all that it may see of any tenant.
CREATE POLICY changes_owner ON changes FOR ALL TO patchbay_owner USING (true);

-- The newest and the oldest number that is there, in every scope: a number is no tenant's.
CREATE FUNCTION newest_change() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    RETURN (SELECT coalesce(max(sequence), 0) FROM patchbay.changes);
CREATE FUNCTION oldest_change() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    RETURN (SELECT coalesce(min(sequence), 0) FROM patchbay.changes);

-- Sealed values: what goes in is an AEAD envelope already, bound to its row; what lies in the column is that envelope under
-- the database key, which is no part of the database. pgcrypto lies in whichever schema it was installed.
DO $$
DECLARE
    place text := (SELECT space.nspname FROM pg_extension AS extension JOIN pg_namespace AS space ON space.oid = extension.extnamespace WHERE extension.extname = 'pgcrypto');
BEGIN
    IF place IS NULL THEN
        RAISE EXCEPTION 'the extension pgcrypto is missing';
    END IF;
    EXECUTE format('CREATE FUNCTION sealed(envelope bytea, database_key text) RETURNS text LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
        RETURN translate(encode(%I.pgp_sym_encrypt_bytea(envelope, database_key, ''cipher-algo=aes256, s2k-mode=1''), ''base64''), chr(10), '''')', place);
    EXECUTE format('CREATE FUNCTION opened(ct text, database_key text) RETURNS bytea LANGUAGE sql STABLE STRICT PARALLEL SAFE
        RETURN %I.pgp_sym_decrypt_bytea(decode(ct, ''base64''), database_key)', place);
END;
$$;
-- Statistics would keep samples of the ciphertexts beside the table.
ALTER TABLE integration_instances ALTER COLUMN credentials SET STATISTICS 0;
ALTER TABLE shared_credentials ALTER COLUMN credentials SET STATISTICS 0;
ALTER TABLE connect_sessions ALTER COLUMN verifier SET STATISTICS 0;
ALTER TABLE refresh_journal ALTER COLUMN previous SET STATISTICS 0;

-- Gives every role its rights on every table anew. A migration that adds a table or a column ends with
-- `SELECT regrant()`. Nobody gets TRUNCATE (row security does not hold there), REFERENCES or TRIGGER. Columns that say
-- whose a row is are never updated. Its owner may not read a sealed value either; that it could give itself the right is
-- in the nature of an owner, so nobody logs in as one.
CREATE FUNCTION regrant() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sealed constant text[] := '{integration_instances.credentials,shared_credentials.credentials,connect_sessions.verifier,refresh_journal.previous}';
    fixed constant text[] := '{id,hash,organization_id,account_id}';
    -- Tables of which rows stay.
    kept constant text[] := '{store_header,integration_definitions}';
    -- Tables of which only these columns are updated.
    few constant jsonb := '{
        "store_header": ["key_header"],
        "integration_definitions": ["status", "updated_at"],
        "audit_events": ["undone_by", "path", "body", "response", "before", "after"],
        "changes": [],
        "deletions": []
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

REVOKE ALL ON FUNCTION scope_is_system(), scope_is_whole(), scope_organization(), scope_account(), newest_change(), oldest_change(), sealed(bytea, text), opened(text, text), number_change(), definition_is_immutable(), regrant() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scope_is_system(), scope_is_whole(), scope_organization(), scope_account(), newest_change(), oldest_change(), sealed(bytea, text) TO patchbay_management, svc_integration;
GRANT EXECUTE ON FUNCTION opened(text, text) TO svc_integration;
GRANT USAGE ON SCHEMA patchbay TO patchbay_management, svc_integration;
