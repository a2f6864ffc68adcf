-- The schema as of SQLite's migrations 1 and 2, in PostgreSQL's types. Names of tables and columns follow the data-model
-- document; a test compares both schemas. What roles may see of it stands in the next file.
-- A row with `deleted_at` is a tombstone: out of every query, kept for the undo of `deletion_id`, removed by the purge.
-- The second UNIQUE (organization_id, ...) of a parent lets its children refer to it together with their tenant, so that
-- no row can ever point into another organization or account. Texts compare by bytes, as on SQLite.
-- Run as `patchbay_owner` with `search_path = patchbay, pg_temp`.

CREATE TABLE store_header (
    singleton bigint NOT NULL PRIMARY KEY CHECK (singleton = 1),
    id uuid NOT NULL,
    key_header jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    -- The oldest schema that a program must know to work with this store. A migration raises it when it takes away what
    -- older programs use; until then those go on working beside newer ones.
    minimum_reader bigint NOT NULL DEFAULT 1
);

CREATE TABLE organizations (
    id uuid NOT NULL PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    refresh_token_id uuid NOT NULL,
    contact text COLLATE "C",
    reply_to text COLLATE "C",
    picture text COLLATE "C",
    options jsonb NOT NULL,
    sample boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX organizations_name ON organizations (lower(name));

CREATE TABLE roles (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    description text COLLATE "C",
    resources jsonb NOT NULL,
    permission_set text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid
);
CREATE UNIQUE INDEX roles_name ON roles (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX roles_list ON roles (organization_id, name, id) WHERE deleted_at IS NULL;

CREATE TABLE members (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    nickname text COLLATE "C",
    picture text COLLATE "C",
    member_type text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    role_binding jsonb NOT NULL,
    ttl_seconds bigint,
    token_ttl_seconds bigint NOT NULL,
    expires timestamptz,
    pin_expires timestamptz,
    failed_logons bigint NOT NULL DEFAULT 0,
    last_logon timestamptz,
    password_hash text COLLATE "C",
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    -- Until when no password of a member is looked at, after too many wrong ones. A member that is `locked` without it was
    -- locked by an administrator.
    locked_until timestamptz
);
CREATE UNIQUE INDEX members_name ON members (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX members_list ON members (organization_id, name, id) WHERE deleted_at IS NULL;

CREATE TABLE accounts (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL CHECK (environment IN ('test', 'prod')),
    labels jsonb NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    UNIQUE (organization_id, id)
);
CREATE UNIQUE INDEX accounts_name ON accounts (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX accounts_external_id ON accounts (organization_id, external_id) WHERE deleted_at IS NULL;
CREATE INDEX accounts_list ON accounts (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX accounts_created ON accounts (organization_id, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE integration_points (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    description text COLLATE "C",
    connector text COLLATE "C" NOT NULL,
    environments jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    -- Shared policy of a point: locked and defaulted configuration, scopes to ask.
    policy jsonb NOT NULL DEFAULT '{}',
    UNIQUE (organization_id, id)
);
CREATE UNIQUE INDEX integration_points_name ON integration_points (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX integration_points_list ON integration_points (organization_id, name, id) WHERE deleted_at IS NULL;

-- Definitions belong to the store, not to a tenant. Immutable but for status and updated_at: the trigger holds that.
CREATE TABLE integration_definitions (
    id uuid NOT NULL PRIMARY KEY,
    name varchar COLLATE "C" NOT NULL,
    type varchar COLLATE "C" NOT NULL,
    version varchar COLLATE "C" NOT NULL,
    auth_type text COLLATE "C" NOT NULL,
    docs_url text COLLATE "C" NOT NULL,
    config_schema jsonb NOT NULL,
    credentials_schema jsonb NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('active', 'deprecated', 'withdrawn')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (name, version)
);
CREATE FUNCTION definition_is_immutable() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'an integration definition is immutable' USING ERRCODE = 'integrity_constraint_violation';
END;
$$;
CREATE TRIGGER integration_definitions_immutable
BEFORE UPDATE OF id, name, type, version, auth_type, docs_url, config_schema, credentials_schema, created_at ON integration_definitions
FOR EACH ROW EXECUTE FUNCTION definition_is_immutable();

CREATE TABLE integration_instances (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL REFERENCES integration_definitions (id),
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    connector text COLLATE "C" NOT NULL,
    integration_point_id uuid,
    status text COLLATE "C" NOT NULL CHECK (status IN ('draft', 'awaiting_consent', 'active', 'needs_attention', 'paused', 'revoked')),
    status_cause text COLLATE "C",
    status_since timestamptz NOT NULL,
    credentials jsonb,
    config jsonb NOT NULL,
    webhook_config jsonb,
    refresh_token_id uuid NOT NULL,
    last_used_at timestamptz,
    last_connected_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    UNIQUE (organization_id, account_id, id),
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
    FOREIGN KEY (organization_id, integration_point_id) REFERENCES integration_points (organization_id, id),
    CHECK ((status = 'needs_attention') = (status_cause IS NOT NULL))
);
CREATE UNIQUE INDEX integration_instances_name ON integration_instances (organization_id, account_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_list ON integration_instances (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_list_account ON integration_instances (organization_id, account_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_created ON integration_instances (organization_id, created_at, id) WHERE deleted_at IS NULL;
-- The filters that the screens use end in the default order, so that a filtered page costs no more than an unfiltered one.
CREATE INDEX integration_instances_point ON integration_instances (organization_id, integration_point_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_status ON integration_instances (organization_id, status, name, id) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_provider ON integration_instances (organization_id, provider, name, id) WHERE deleted_at IS NULL;
-- How many integrations of a tenant pin a definition. Definitions are never deleted, so no reference has to be looked up.
CREATE INDEX integration_instances_pinned ON integration_instances (organization_id, integration_id, account_id) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_deletion ON integration_instances (deletion_id) WHERE deletion_id IS NOT NULL;

-- Telemetry that is written in batches, beside the row so that a call never rewrites the wide one.
CREATE TABLE integration_counters (
    integration_id uuid NOT NULL PRIMARY KEY REFERENCES integration_instances (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    requests bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    in_bytes bigint NOT NULL DEFAULT 0,
    out_bytes bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL,
    cpu_time_us bigint NOT NULL DEFAULT 0,
    db_ops bigint NOT NULL DEFAULT 0,
    api_ops bigint NOT NULL DEFAULT 0,
    reset_at timestamptz
);
CREATE INDEX integration_counters_list ON integration_counters (organization_id, account_id, integration_id);

CREATE TABLE shared_credentials (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    account_id uuid,
    credentials jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
);
CREATE INDEX shared_credentials_account ON shared_credentials (organization_id, account_id);
CREATE INDEX shared_credentials_deletion ON shared_credentials (deletion_id) WHERE deletion_id IS NOT NULL;

CREATE TABLE provider_apps (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    issuer text COLLATE "C",
    client_id text COLLATE "C" NOT NULL,
    client_secret uuid,
    redirect_uris jsonb NOT NULL,
    scopes jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, client_secret) REFERENCES shared_credentials (organization_id, id)
);
CREATE UNIQUE INDEX provider_apps_name ON provider_apps (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX provider_apps_list ON provider_apps (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX provider_apps_secret ON provider_apps (organization_id, client_secret);

CREATE TABLE organization_webhooks (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL CHECK (environment IN ('test', 'prod')),
    filters jsonb NOT NULL,
    url text COLLATE "C" NOT NULL,
    -- Of a row of `credentials`, which in turn refers to this one: the reference is kept by the aggregate, not by a key.
    credential_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    UNIQUE (organization_id, id)
);
CREATE UNIQUE INDEX organization_webhooks_name ON organization_webhooks (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX organization_webhooks_list ON organization_webhooks (organization_id, name, id) WHERE deleted_at IS NULL;

CREATE TABLE credentials (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    owner_type text COLLATE "C" NOT NULL CHECK (owner_type IN ('account', 'integration', 'integration_point', 'organization_webhook')),
    owner_id uuid NOT NULL,
    account_id uuid,
    integration_id uuid,
    integration_point_id uuid,
    organization_webhook_id uuid,
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    public_config jsonb NOT NULL,
    sealed_at text COLLATE "C" NOT NULL CHECK (sealed_at IN ('integration', 'shared', 'nowhere')),
    sealed_integration_id uuid,
    shared_credential_id uuid,
    provider_app_id uuid,
    expires timestamptz,
    managed boolean NOT NULL,
    secret_set_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id),
    FOREIGN KEY (organization_id, account_id, sealed_integration_id) REFERENCES integration_instances (organization_id, account_id, id),
    FOREIGN KEY (organization_id, integration_point_id) REFERENCES integration_points (organization_id, id),
    FOREIGN KEY (organization_id, organization_webhook_id) REFERENCES organization_webhooks (organization_id, id),
    FOREIGN KEY (organization_id, shared_credential_id) REFERENCES shared_credentials (organization_id, id),
    FOREIGN KEY (organization_id, provider_app_id) REFERENCES provider_apps (organization_id, id),
    CHECK ((sealed_at = 'integration') = (sealed_integration_id IS NOT NULL)),
    CHECK ((sealed_at = 'shared') = (shared_credential_id IS NOT NULL)),
    CHECK ((owner_type IN ('account', 'integration')) = (account_id IS NOT NULL)),
    CHECK ((owner_type = 'integration_point') = (integration_point_id IS NOT NULL)),
    CHECK ((owner_type = 'organization_webhook') = (organization_webhook_id IS NOT NULL))
);
CREATE UNIQUE INDEX credentials_name ON credentials (organization_id, owner_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX credentials_list ON credentials (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX credentials_list_owner ON credentials (organization_id, owner_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX credentials_account ON credentials (organization_id, account_id);
CREATE INDEX credentials_integration ON credentials (integration_id);
CREATE INDEX credentials_sealed_integration ON credentials (sealed_integration_id);
CREATE INDEX credentials_point ON credentials (organization_id, integration_point_id);
CREATE INDEX credentials_webhook ON credentials (organization_id, organization_webhook_id);
CREATE INDEX credentials_shared ON credentials (organization_id, shared_credential_id);
CREATE INDEX credentials_app ON credentials (organization_id, provider_app_id);
CREATE INDEX credentials_deletion ON credentials (deletion_id) WHERE deletion_id IS NOT NULL;

-- Which credentials a configuration refers to (`{"type": "basic_id", "value": ...}`), so that users of one are found by index.
CREATE TABLE integration_credential_references (
    integration_id uuid NOT NULL REFERENCES integration_instances (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    credential_id uuid NOT NULL,
    PRIMARY KEY (integration_id, credential_id)
);
CREATE INDEX integration_credential_references_credential ON integration_credential_references (organization_id, credential_id);

-- One row per credential that is being renewed (product.md section 5): who may, what was sent, what came back.
CREATE TABLE refresh_journal (
    credential_id uuid NOT NULL PRIMARY KEY REFERENCES credentials (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    account_id uuid,
    intent_id uuid NOT NULL,
    owner text COLLATE "C" NOT NULL,
    lease_until timestamptz NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('leased', 'intent', 'activated', 'settled')),
    sealed_table text COLLATE "C",
    sealed_row uuid,
    previous jsonb,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE token_containers (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    owner_type text COLLATE "C" NOT NULL CHECK (owner_type IN ('organization', 'integration')),
    owner_id uuid NOT NULL,
    account_id uuid,
    integration_id uuid,
    member_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    token_type text COLLATE "C" NOT NULL,
    authority jsonb NOT NULL,
    access_ttl_seconds bigint NOT NULL,
    refresh_ttl_seconds bigint,
    expires timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    -- When one of a container's secrets was last shown; written with a delay, as an integration's is.
    last_used_at timestamptz,
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id),
    CHECK ((owner_type = 'integration') = (integration_id IS NOT NULL)),
    CHECK ((integration_id IS NULL) = (account_id IS NULL))
);
CREATE UNIQUE INDEX token_containers_name ON token_containers (organization_id, owner_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX token_containers_list ON token_containers (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX token_containers_owner ON token_containers (organization_id, owner_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX token_containers_account ON token_containers (organization_id, account_id);
CREATE INDEX token_containers_integration ON token_containers (integration_id);
CREATE INDEX token_containers_member ON token_containers (organization_id, member_id);
CREATE INDEX token_containers_deletion ON token_containers (deletion_id) WHERE deletion_id IS NOT NULL;

CREATE TABLE token_secrets (
    hash bytea NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    container_id uuid NOT NULL REFERENCES token_containers (id) ON DELETE CASCADE,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('organization_access', 'integration_access', 'refresh')),
    slot text COLLATE "C" NOT NULL CHECK (slot IN ('primary', 'secondary')),
    expires timestamptz NOT NULL
);
CREATE INDEX token_secrets_container ON token_secrets (container_id);

CREATE TABLE connect_sessions (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    provider_app_id uuid,
    member_id uuid NOT NULL,
    route text COLLATE "C" NOT NULL,
    redirect_uri text COLLATE "C" NOT NULL,
    issuer text COLLATE "C",
    scopes jsonb NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('begun', 'exchanging', 'completed', 'failed', 'cancelled')),
    failure_code text COLLATE "C",
    message text COLLATE "C",
    state_hash bytea NOT NULL UNIQUE,
    verifier jsonb,
    expires timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    -- Who was asked to agree, when that is known before the consent.
    end_user_id uuid,
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id),
    FOREIGN KEY (organization_id, provider_app_id) REFERENCES provider_apps (organization_id, id)
);
CREATE INDEX connect_sessions_integration ON connect_sessions (organization_id, account_id, integration_id);
CREATE INDEX connect_sessions_app ON connect_sessions (organization_id, provider_app_id);
CREATE INDEX connect_sessions_open ON connect_sessions (organization_id, expires) WHERE state = 'begun';

CREATE TABLE web_sessions (
    id uuid NOT NULL PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    member_id uuid NOT NULL,
    token_id uuid,
    authority jsonb NOT NULL,
    user_agent text COLLATE "C" NOT NULL,
    expires timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX web_sessions_member ON web_sessions (organization_id, member_id);
CREATE INDEX web_sessions_token ON web_sessions (token_id);
CREATE INDEX web_sessions_expires ON web_sessions (expires);

-- Links that are shown once to an administrator to pass on: first set-up, invitation, reset of a password.
CREATE TABLE one_time_links (
    hash bytea NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    member_id uuid NOT NULL,
    purpose text COLLATE "C" NOT NULL CHECK (purpose IN ('setup', 'invitation', 'reset')),
    expires timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX one_time_links_member ON one_time_links (organization_id, member_id);

-- No foreign keys: the log outlives what it speaks of.
CREATE TABLE audit_events (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    created_at timestamptz NOT NULL,
    origin text COLLATE "C" NOT NULL,
    audit_type text COLLATE "C" NOT NULL,
    operation text COLLATE "C" NOT NULL,
    method text COLLATE "C" NOT NULL,
    path text COLLATE "C" NOT NULL,
    status bigint NOT NULL,
    code text COLLATE "C" NOT NULL,
    remote_addr text COLLATE "C" NOT NULL,
    user_agent text COLLATE "C" NOT NULL,
    member_id uuid,
    account_id uuid,
    integration_id uuid,
    body jsonb,
    response jsonb,
    -- On what the change was, as it was and as it became (no secrets), and how it is undone.
    object_kind text COLLATE "C",
    object_id uuid,
    before jsonb,
    after jsonb,
    deletion_id uuid,
    -- Nothing is kept of a secret that was replaced or removed, so such a change cannot be undone.
    secret_replaced boolean NOT NULL DEFAULT false,
    undo_of uuid,
    undone_by uuid
);
CREATE INDEX audit_events_list ON audit_events (organization_id, created_at, id);
CREATE INDEX audit_events_account ON audit_events (organization_id, account_id, created_at, id);
CREATE INDEX audit_events_integration ON audit_events (organization_id, integration_id, created_at, id);
CREATE INDEX audit_events_member ON audit_events (organization_id, member_id, created_at, id);
CREATE INDEX audit_events_object ON audit_events (organization_id, object_id, created_at, id);
CREATE INDEX audit_events_deletion ON audit_events (deletion_id) WHERE deletion_id IS NOT NULL;
CREATE INDEX audit_events_operation ON audit_events (organization_id, operation, created_at, id);
CREATE INDEX audit_events_type ON audit_events (organization_id, audit_type, created_at, id);

-- `sequence` is given at COMMIT by the trigger of the next file: numbers become visible in their order, so a reader that saw
-- one has seen all before it. Until then it is missing, and nobody but the writer sees the row.
CREATE TABLE changes (
    sequence bigint,
    organization_id uuid NOT NULL,
    account_id uuid,
    kind text COLLATE "C" NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    origin text COLLATE "C" NOT NULL
);
CREATE SEQUENCE changes_numbers AS bigint OWNED BY changes.sequence;
CREATE UNIQUE INDEX changes_sequence ON changes (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX changes_organization ON changes (organization_id, sequence) WHERE sequence IS NOT NULL;

CREATE TABLE deletions (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    account_id uuid,
    kind text COLLATE "C" NOT NULL,
    object_id uuid NOT NULL,
    deleted_at timestamptz NOT NULL
);
CREATE INDEX deletions_due ON deletions (deleted_at);

CREATE TABLE local_documents (
    integration_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    collection text COLLATE "C" NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (integration_id, collection, document_id),
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id) ON DELETE CASCADE
);
CREATE INDEX local_documents_list ON local_documents (integration_id, collection, position);

CREATE TABLE local_document_numbers (
    integration_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    collection text COLLATE "C" NOT NULL,
    last_number bigint NOT NULL,
    PRIMARY KEY (integration_id, collection),
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id) ON DELETE CASCADE
);

-- One row per event and webhook, written in the transaction of the change (an outbox), kept afterwards as the delivery log.
CREATE TABLE webhook_deliveries (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    account_id uuid,
    integration_id uuid,
    event text COLLATE "C" NOT NULL,
    payload text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'failed')),
    attempts bigint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    -- Who sends it; while it is sent, `next_attempt_at` is when the lease ends and another may.
    lease_owner text COLLATE "C",
    last_status bigint,
    last_error text COLLATE "C",
    redelivery_of uuid,
    delivered_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    FOREIGN KEY (organization_id, webhook_id) REFERENCES organization_webhooks (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_deliveries_list ON webhook_deliveries (organization_id, webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (organization_id, webhook_id, next_attempt_at, id) WHERE state IN ('pending', 'sending');
CREATE INDEX webhook_deliveries_old ON webhook_deliveries (updated_at) WHERE state IN ('delivered', 'failed');

-- Each try of a delivery.
CREATE TABLE webhook_attempts (
    delivery_id uuid NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    number bigint NOT NULL,
    created_at timestamptz NOT NULL,
    status bigint,
    error text COLLATE "C",
    response text COLLATE "C",
    duration_ms bigint NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

-- Persons of a customer who authorized or configured something. Whom a provider named stands in the receipts.
CREATE TABLE end_users (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    fullname text COLLATE "C" NOT NULL,
    email text COLLATE "C",
    external_id text COLLATE "C",
    last_seen_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion_id uuid,
    UNIQUE (organization_id, account_id, id),
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
);
CREATE UNIQUE INDEX end_users_name ON end_users (organization_id, account_id, lower(name)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX end_users_external_id ON end_users (organization_id, account_id, external_id) WHERE deleted_at IS NULL AND external_id IS NOT NULL;
CREATE INDEX end_users_list ON end_users (organization_id, account_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX end_users_deletion ON end_users (deletion_id) WHERE deletion_id IS NOT NULL;

-- Who agreed to what, and when. Erasing the person empties `end_user_id`, `issuer` and `subject`; that somebody agreed stays
-- known, also after the integration is gone: it goes with its account. `deletion_id` is the deletion that ended it, whose
-- undo takes it up again.
CREATE TABLE consent_receipts (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    end_user_id uuid,
    connect_session_id uuid,
    provider text COLLATE "C" NOT NULL,
    issuer text COLLATE "C",
    scopes jsonb NOT NULL,
    subject text COLLATE "C",
    granted_at timestamptz NOT NULL,
    ended_at timestamptz,
    erased_at timestamptz,
    deletion_id uuid,
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
    FOREIGN KEY (organization_id, account_id, end_user_id) REFERENCES end_users (organization_id, account_id, id)
);
CREATE INDEX consent_receipts_integration ON consent_receipts (organization_id, account_id, integration_id, granted_at);
CREATE INDEX consent_receipts_end_user ON consent_receipts (organization_id, account_id, end_user_id, granted_at, id);
CREATE INDEX consent_receipts_subject ON consent_receipts (organization_id, account_id, provider, subject);
CREATE INDEX consent_receipts_deletion ON consent_receipts (deletion_id) WHERE deletion_id IS NOT NULL;

-- An integration's moves between versions of its provider's definition; the newest one not rolled back can be.
CREATE TABLE definition_moves (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    from_definition uuid NOT NULL REFERENCES integration_definitions (id),
    to_definition uuid NOT NULL REFERENCES integration_definitions (id),
    config_before jsonb NOT NULL,
    config_after jsonb NOT NULL,
    member_id uuid NOT NULL,
    moved_at timestamptz NOT NULL,
    rolled_back_at timestamptz,
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id) ON DELETE CASCADE
);
CREATE INDEX definition_moves_integration ON definition_moves (organization_id, account_id, integration_id, moved_at);

-- What an integration reported: failures and recoveries, not every call.
CREATE TABLE status_events (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    status text COLLATE "C" NOT NULL,
    -- Of the problem; missing when calls work again.
    code text COLLATE "C",
    error text COLLATE "C",
    request bigint NOT NULL,
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id) ON DELETE CASCADE
);
CREATE INDEX status_events_list ON status_events (organization_id, account_id, integration_id, created_at, id);
CREATE INDEX status_events_due ON status_events (created_at);

-- Counters per minute, for the time series; written in the same batches as the totals.
CREATE TABLE status_minutes (
    integration_id uuid NOT NULL,
    minute timestamptz NOT NULL,
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    succeeded bigint NOT NULL,
    failed bigint NOT NULL,
    cpu_time_us bigint NOT NULL,
    in_bytes bigint NOT NULL,
    out_bytes bigint NOT NULL,
    PRIMARY KEY (integration_id, minute),
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id) ON DELETE CASCADE
);
CREATE INDEX status_minutes_organization ON status_minutes (organization_id, minute);
CREATE INDEX status_minutes_due ON status_minutes (minute);
