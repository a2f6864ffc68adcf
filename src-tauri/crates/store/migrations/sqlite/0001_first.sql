-- The first schema. Names of tables and columns follow the data-model document and hold for PostgreSQL too.
-- Ids are UUIDs in 16 bytes, points in time RFC 3339 text with six digits (so they sort as text), structures JSON text.
-- A row with `deleted_at` is a tombstone: out of every query, kept for the undo of `deletion_id`, removed by the purge.
-- The second UNIQUE (organization_id, ...) of a parent lets its children refer to it together with their tenant, so that
-- no row can ever point into another organization or account.

PRAGMA application_id = 1346523763;
PRAGMA user_version = 1;

CREATE TABLE store_header (
    singleton INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    id BLOB NOT NULL,
    key_header TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE organizations (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    refresh_token_id BLOB NOT NULL,
    contact TEXT,
    reply_to TEXT,
    picture TEXT,
    options TEXT NOT NULL,
    sample INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX organizations_name ON organizations (lower(name));

CREATE TABLE roles (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    description TEXT,
    resources TEXT NOT NULL,
    permission_set TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB
) STRICT;
CREATE UNIQUE INDEX roles_name ON roles (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX roles_list ON roles (organization_id, name, id) WHERE deleted_at IS NULL;

CREATE TABLE members (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    nickname TEXT,
    picture TEXT,
    member_type TEXT NOT NULL,
    state TEXT NOT NULL,
    role_binding TEXT NOT NULL,
    ttl_seconds INTEGER,
    token_ttl_seconds INTEGER NOT NULL,
    expires TEXT,
    pin_expires TEXT,
    failed_logons INTEGER NOT NULL DEFAULT 0,
    last_logon TEXT,
    password_hash TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB
) STRICT;
CREATE UNIQUE INDEX members_name ON members (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX members_list ON members (organization_id, name, id) WHERE deleted_at IS NULL;

CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('test', 'prod')),
    labels TEXT NOT NULL,
    external_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB,
    UNIQUE (organization_id, id)
) STRICT;
CREATE UNIQUE INDEX accounts_name ON accounts (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX accounts_external_id ON accounts (organization_id, external_id) WHERE deleted_at IS NULL;
CREATE INDEX accounts_list ON accounts (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX accounts_created ON accounts (organization_id, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE integration_points (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    description TEXT,
    connector TEXT NOT NULL,
    environments TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB,
    UNIQUE (organization_id, id)
) STRICT;
CREATE UNIQUE INDEX integration_points_name ON integration_points (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX integration_points_list ON integration_points (organization_id, name, id) WHERE deleted_at IS NULL;

-- Definitions belong to the store, not to a tenant. Immutable but for status and updated_at: the trigger holds that.
CREATE TABLE integration_definitions (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    version TEXT NOT NULL,
    auth_type TEXT NOT NULL,
    docs_url TEXT NOT NULL,
    config_schema TEXT NOT NULL,
    credentials_schema TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'deprecated', 'withdrawn')),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (name, version)
) STRICT;
CREATE TRIGGER integration_definitions_immutable
BEFORE UPDATE OF id, name, type, version, auth_type, docs_url, config_schema, credentials_schema, created_at ON integration_definitions
BEGIN SELECT RAISE(ABORT, 'an integration definition is immutable'); END;

CREATE TABLE integration_instances (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    integration_id BLOB NOT NULL REFERENCES integration_definitions (id),
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    provider TEXT NOT NULL,
    connector TEXT NOT NULL,
    integration_point_id BLOB,
    status TEXT NOT NULL CHECK (status IN ('draft', 'awaiting_consent', 'active', 'needs_attention', 'paused', 'revoked')),
    status_cause TEXT,
    status_since TEXT NOT NULL,
    credentials TEXT,
    config TEXT NOT NULL,
    webhook_config TEXT,
    refresh_token_id BLOB NOT NULL,
    last_used_at TEXT,
    last_connected_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB,
    UNIQUE (organization_id, account_id, id),
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
    FOREIGN KEY (organization_id, integration_point_id) REFERENCES integration_points (organization_id, id),
    CHECK ((status = 'needs_attention') = (status_cause IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX integration_instances_name ON integration_instances (organization_id, account_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_list ON integration_instances (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_list_account ON integration_instances (organization_id, account_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_created ON integration_instances (organization_id, created_at, id) WHERE deleted_at IS NULL;
-- The filters that the screens use end in the default order, so that a filtered page costs no more than an unfiltered one.
CREATE INDEX integration_instances_point ON integration_instances (organization_id, integration_point_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_status ON integration_instances (organization_id, status, name, id) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_provider ON integration_instances (organization_id, provider, name, id) WHERE deleted_at IS NULL;
CREATE INDEX integration_instances_definition ON integration_instances (integration_id);
CREATE INDEX integration_instances_deletion ON integration_instances (deletion_id) WHERE deletion_id IS NOT NULL;

-- Telemetry that is written in batches, beside the row so that a call never rewrites the wide one.
CREATE TABLE integration_counters (
    integration_id BLOB NOT NULL PRIMARY KEY REFERENCES integration_instances (id) ON DELETE CASCADE,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    requests INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    in_bytes INTEGER NOT NULL DEFAULT 0,
    out_bytes INTEGER NOT NULL DEFAULT 0,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE shared_credentials (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    account_id BLOB,
    credentials TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
) STRICT;
CREATE INDEX shared_credentials_account ON shared_credentials (organization_id, account_id);
CREATE INDEX shared_credentials_deletion ON shared_credentials (deletion_id) WHERE deletion_id IS NOT NULL;

CREATE TABLE provider_apps (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    provider TEXT NOT NULL,
    issuer TEXT,
    client_id TEXT NOT NULL,
    client_secret BLOB,
    redirect_uris TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, client_secret) REFERENCES shared_credentials (organization_id, id)
) STRICT;
CREATE UNIQUE INDEX provider_apps_name ON provider_apps (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX provider_apps_list ON provider_apps (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX provider_apps_secret ON provider_apps (organization_id, client_secret);

CREATE TABLE credentials (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    owner_type TEXT NOT NULL CHECK (owner_type IN ('account', 'integration', 'integration_point')),
    owner_id BLOB NOT NULL,
    account_id BLOB,
    integration_id BLOB,
    integration_point_id BLOB,
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    kind TEXT NOT NULL,
    public_config TEXT NOT NULL,
    sealed_at TEXT NOT NULL CHECK (sealed_at IN ('integration', 'shared', 'nowhere')),
    sealed_integration_id BLOB,
    shared_credential_id BLOB,
    provider_app_id BLOB,
    expires TEXT,
    managed INTEGER NOT NULL,
    secret_set_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id),
    FOREIGN KEY (organization_id, account_id, sealed_integration_id) REFERENCES integration_instances (organization_id, account_id, id),
    FOREIGN KEY (organization_id, integration_point_id) REFERENCES integration_points (organization_id, id),
    FOREIGN KEY (organization_id, shared_credential_id) REFERENCES shared_credentials (organization_id, id),
    FOREIGN KEY (organization_id, provider_app_id) REFERENCES provider_apps (organization_id, id),
    CHECK ((sealed_at = 'integration') = (sealed_integration_id IS NOT NULL)),
    CHECK ((sealed_at = 'shared') = (shared_credential_id IS NOT NULL)),
    CHECK ((owner_type = 'integration_point') = (account_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX credentials_name ON credentials (organization_id, owner_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX credentials_list ON credentials (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX credentials_list_owner ON credentials (organization_id, owner_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX credentials_account ON credentials (organization_id, account_id);
CREATE INDEX credentials_integration ON credentials (integration_id);
CREATE INDEX credentials_sealed_integration ON credentials (sealed_integration_id);
CREATE INDEX credentials_point ON credentials (organization_id, integration_point_id);
CREATE INDEX credentials_shared ON credentials (organization_id, shared_credential_id);
CREATE INDEX credentials_app ON credentials (organization_id, provider_app_id);
CREATE INDEX credentials_deletion ON credentials (deletion_id) WHERE deletion_id IS NOT NULL;

-- Which credentials a configuration refers to (`{"type": "basic_id", "value": ...}`), so that users of one are found by index.
CREATE TABLE integration_credential_references (
    integration_id BLOB NOT NULL REFERENCES integration_instances (id) ON DELETE CASCADE,
    organization_id BLOB NOT NULL,
    credential_id BLOB NOT NULL,
    PRIMARY KEY (integration_id, credential_id)
) STRICT;
CREATE INDEX integration_credential_references_credential ON integration_credential_references (organization_id, credential_id);

-- One row per credential that is being renewed (product.md section 5): who may, what was sent, what came back.
CREATE TABLE refresh_journal (
    credential_id BLOB NOT NULL PRIMARY KEY REFERENCES credentials (id) ON DELETE CASCADE,
    organization_id BLOB NOT NULL,
    account_id BLOB,
    intent_id BLOB NOT NULL,
    owner TEXT NOT NULL,
    lease_until TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('leased', 'intent', 'activated', 'settled')),
    sealed_table TEXT,
    sealed_row BLOB,
    previous TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE token_containers (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    owner_type TEXT NOT NULL CHECK (owner_type IN ('organization', 'integration')),
    owner_id BLOB NOT NULL,
    account_id BLOB,
    integration_id BLOB,
    member_id BLOB NOT NULL,
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    token_type TEXT NOT NULL,
    authority TEXT NOT NULL,
    access_ttl_seconds INTEGER NOT NULL,
    refresh_ttl_seconds INTEGER,
    expires TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB,
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id),
    CHECK ((owner_type = 'integration') = (integration_id IS NOT NULL)),
    CHECK ((integration_id IS NULL) = (account_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX token_containers_name ON token_containers (organization_id, owner_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX token_containers_list ON token_containers (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX token_containers_owner ON token_containers (organization_id, owner_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX token_containers_account ON token_containers (organization_id, account_id);
CREATE INDEX token_containers_integration ON token_containers (integration_id);
CREATE INDEX token_containers_member ON token_containers (organization_id, member_id);
CREATE INDEX token_containers_deletion ON token_containers (deletion_id) WHERE deletion_id IS NOT NULL;

CREATE TABLE token_secrets (
    hash BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    container_id BLOB NOT NULL REFERENCES token_containers (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('organization_access', 'integration_access', 'refresh')),
    slot TEXT NOT NULL CHECK (slot IN ('primary', 'secondary')),
    expires TEXT NOT NULL
) STRICT;
CREATE INDEX token_secrets_container ON token_secrets (container_id);

CREATE TABLE connect_sessions (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    provider_app_id BLOB,
    member_id BLOB NOT NULL,
    route TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    issuer TEXT,
    scopes TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('begun', 'exchanging', 'completed', 'failed', 'cancelled')),
    failure_code TEXT,
    message TEXT,
    state_hash BLOB NOT NULL UNIQUE,
    verifier TEXT,
    expires TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB,
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id),
    FOREIGN KEY (organization_id, provider_app_id) REFERENCES provider_apps (organization_id, id)
) STRICT;
CREATE INDEX connect_sessions_integration ON connect_sessions (organization_id, account_id, integration_id);
CREATE INDEX connect_sessions_app ON connect_sessions (organization_id, provider_app_id);
CREATE INDEX connect_sessions_open ON connect_sessions (organization_id, expires) WHERE state = 'begun';

CREATE TABLE web_sessions (
    id BLOB NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    member_id BLOB NOT NULL,
    token_id BLOB,
    authority TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    expires TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX web_sessions_member ON web_sessions (organization_id, member_id);
CREATE INDEX web_sessions_token ON web_sessions (token_id);
CREATE INDEX web_sessions_expires ON web_sessions (expires);

-- Links that are shown once to an administrator to pass on: first set-up, invitation, reset of a password.
CREATE TABLE one_time_links (
    hash BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    member_id BLOB NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('setup', 'invitation', 'reset')),
    expires TEXT NOT NULL,
    used_at TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX one_time_links_member ON one_time_links (organization_id, member_id);

-- No foreign keys: the log outlives what it speaks of.
CREATE TABLE audit_events (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    created_at TEXT NOT NULL,
    origin TEXT NOT NULL,
    audit_type TEXT NOT NULL,
    operation TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    code TEXT NOT NULL,
    remote_addr TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    member_id BLOB,
    account_id BLOB,
    integration_id BLOB,
    body TEXT,
    response TEXT
) STRICT;
CREATE INDEX audit_events_list ON audit_events (organization_id, created_at, id);
CREATE INDEX audit_events_account ON audit_events (organization_id, account_id, created_at, id);
CREATE INDEX audit_events_integration ON audit_events (organization_id, integration_id, created_at, id);
CREATE INDEX audit_events_member ON audit_events (organization_id, member_id, created_at, id);

CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BLOB NOT NULL,
    account_id BLOB,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    origin TEXT NOT NULL
) STRICT;
CREATE INDEX changes_organization ON changes (organization_id, sequence);

CREATE TABLE deletions (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    account_id BLOB,
    kind TEXT NOT NULL,
    object_id BLOB NOT NULL,
    deleted_at TEXT NOT NULL
) STRICT;
CREATE INDEX deletions_due ON deletions (deleted_at);

CREATE TABLE local_documents (
    integration_id BLOB NOT NULL,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    collection TEXT NOT NULL,
    document_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (integration_id, collection, document_id),
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX local_documents_list ON local_documents (integration_id, collection, position);

CREATE TABLE local_document_numbers (
    integration_id BLOB NOT NULL,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    collection TEXT NOT NULL,
    last_number INTEGER NOT NULL,
    PRIMARY KEY (integration_id, collection),
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id) ON DELETE CASCADE
) STRICT;
