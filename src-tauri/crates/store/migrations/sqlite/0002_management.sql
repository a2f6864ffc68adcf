-- The whole management plane: organization webhooks and their deliveries, end users and consent receipts, policy of
-- integration points, moves between versions of a definition, the state before and after a change, status over time.
-- Foreign keys are off while this runs (a table is rebuilt), and are checked as a whole behind it.

PRAGMA user_version = 2;

CREATE TABLE organization_webhooks (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('test', 'prod')),
    filters TEXT NOT NULL,
    url TEXT NOT NULL,
    -- Of a row of `credentials`, which in turn refers to this one: the reference is kept by the aggregate, not by a key.
    credential_id BLOB NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB,
    UNIQUE (organization_id, id)
) STRICT;
CREATE UNIQUE INDEX organization_webhooks_name ON organization_webhooks (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX organization_webhooks_list ON organization_webhooks (organization_id, name, id) WHERE deleted_at IS NULL;

-- One row per event and webhook, written in the transaction of the change (an outbox), kept afterwards as the delivery log.
CREATE TABLE webhook_deliveries (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    webhook_id BLOB NOT NULL,
    account_id BLOB,
    integration_id BLOB,
    event TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TEXT NOT NULL,
    -- Who sends it; while it is sent, `next_attempt_at` is when the lease ends and another may.
    lease_owner TEXT,
    last_status INTEGER,
    last_error TEXT,
    redelivery_of BLOB,
    delivered_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    FOREIGN KEY (organization_id, webhook_id) REFERENCES organization_webhooks (organization_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX webhook_deliveries_list ON webhook_deliveries (organization_id, webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (organization_id, webhook_id, next_attempt_at, id) WHERE state IN ('pending', 'sending');
CREATE INDEX webhook_deliveries_old ON webhook_deliveries (updated_at) WHERE state IN ('delivered', 'failed');

-- Each try of a delivery.
CREATE TABLE webhook_attempts (
    delivery_id BLOB NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
    organization_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    status INTEGER,
    error TEXT,
    response TEXT,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (delivery_id, number)
) STRICT;

-- Persons of a customer who authorized or configured something. Whom a provider named stands in the receipts.
CREATE TABLE end_users (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    name TEXT NOT NULL,
    fullname TEXT NOT NULL,
    email TEXT,
    external_id TEXT,
    last_seen_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    deletion_id BLOB,
    UNIQUE (organization_id, account_id, id),
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
) STRICT;
CREATE UNIQUE INDEX end_users_name ON end_users (organization_id, account_id, lower(name)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX end_users_external_id ON end_users (organization_id, account_id, external_id) WHERE deleted_at IS NULL AND external_id IS NOT NULL;
CREATE INDEX end_users_list ON end_users (organization_id, account_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX end_users_deletion ON end_users (deletion_id) WHERE deletion_id IS NOT NULL;

-- Who agreed to what, and when. Erasing the person empties `end_user_id`, `issuer` and `subject`; that somebody agreed stays
-- known, also after the integration is gone: it goes with its account. `deletion_id` is the deletion that ended it, whose
-- undo takes it up again.
CREATE TABLE consent_receipts (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    end_user_id BLOB,
    connect_session_id BLOB,
    provider TEXT NOT NULL,
    issuer TEXT,
    scopes TEXT NOT NULL,
    subject TEXT,
    granted_at TEXT NOT NULL,
    ended_at TEXT,
    erased_at TEXT,
    deletion_id BLOB,
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
    FOREIGN KEY (organization_id, account_id, end_user_id) REFERENCES end_users (organization_id, account_id, id)
) STRICT;
CREATE INDEX consent_receipts_integration ON consent_receipts (organization_id, account_id, integration_id, granted_at);
CREATE INDEX consent_receipts_end_user ON consent_receipts (organization_id, account_id, end_user_id, granted_at, id);
CREATE INDEX consent_receipts_subject ON consent_receipts (organization_id, account_id, provider, subject);
CREATE INDEX consent_receipts_deletion ON consent_receipts (deletion_id) WHERE deletion_id IS NOT NULL;

-- An integration's moves between versions of its provider's definition; the newest one not rolled back can be.
CREATE TABLE definition_moves (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    from_definition BLOB NOT NULL REFERENCES integration_definitions (id),
    to_definition BLOB NOT NULL REFERENCES integration_definitions (id),
    config_before TEXT NOT NULL,
    config_after TEXT NOT NULL,
    member_id BLOB NOT NULL,
    moved_at TEXT NOT NULL,
    rolled_back_at TEXT,
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX definition_moves_integration ON definition_moves (organization_id, account_id, integration_id, moved_at);

-- How many integrations of a tenant pin a definition. Definitions are never deleted, so no reference has to be looked up.
DROP INDEX integration_instances_definition;
CREATE INDEX integration_instances_pinned ON integration_instances (organization_id, integration_id, account_id) WHERE deleted_at IS NULL;

-- What an integration reported: failures and recoveries, not every call.
CREATE TABLE status_events (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    created_at TEXT NOT NULL,
    status TEXT NOT NULL,
    -- Of the problem; missing when calls work again.
    code TEXT,
    error TEXT,
    request INTEGER NOT NULL,
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX status_events_list ON status_events (organization_id, account_id, integration_id, created_at, id);
CREATE INDEX status_events_due ON status_events (created_at);

-- Counters per minute, for the time series; written in the same batches as the totals.
CREATE TABLE status_minutes (
    integration_id BLOB NOT NULL,
    minute TEXT NOT NULL,
    organization_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cpu_time_us INTEGER NOT NULL,
    in_bytes INTEGER NOT NULL,
    out_bytes INTEGER NOT NULL,
    PRIMARY KEY (integration_id, minute),
    FOREIGN KEY (organization_id, account_id, integration_id) REFERENCES integration_instances (organization_id, account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX status_minutes_organization ON status_minutes (organization_id, minute);
CREATE INDEX status_minutes_due ON status_minutes (minute);

ALTER TABLE integration_counters ADD COLUMN cpu_time_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE integration_counters ADD COLUMN db_ops INTEGER NOT NULL DEFAULT 0;
ALTER TABLE integration_counters ADD COLUMN api_ops INTEGER NOT NULL DEFAULT 0;
ALTER TABLE integration_counters ADD COLUMN reset_at TEXT;
CREATE INDEX integration_counters_list ON integration_counters (organization_id, account_id, integration_id);

-- Shared policy of a point: locked and defaulted configuration, scopes to ask.
ALTER TABLE integration_points ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';

-- Who was asked to agree, when that is known before the consent.
ALTER TABLE connect_sessions ADD COLUMN end_user_id BLOB;

-- When one of a container's secrets was last shown; written with a delay, as an integration's is.
ALTER TABLE token_containers ADD COLUMN last_used_at TEXT;

-- Until when no password of a member is looked at, after too many wrong ones. A member that is `locked` without it was
-- locked by an administrator.
ALTER TABLE members ADD COLUMN locked_until TEXT;

-- On what the change was, as it was and as it became (no secrets), and how it is undone.
ALTER TABLE audit_events ADD COLUMN object_kind TEXT;
ALTER TABLE audit_events ADD COLUMN object_id BLOB;
ALTER TABLE audit_events ADD COLUMN before TEXT;
ALTER TABLE audit_events ADD COLUMN after TEXT;
ALTER TABLE audit_events ADD COLUMN deletion_id BLOB;
-- Nothing is kept of a secret that was replaced or removed, so such a change cannot be undone.
ALTER TABLE audit_events ADD COLUMN secret_replaced INTEGER NOT NULL DEFAULT 0 CHECK (secret_replaced IN (0, 1));
ALTER TABLE audit_events ADD COLUMN undo_of BLOB;
ALTER TABLE audit_events ADD COLUMN undone_by BLOB;
CREATE INDEX audit_events_object ON audit_events (organization_id, object_id, created_at, id);
CREATE INDEX audit_events_deletion ON audit_events (deletion_id) WHERE deletion_id IS NOT NULL;
CREATE INDEX audit_events_operation ON audit_events (organization_id, operation, created_at, id);
CREATE INDEX audit_events_type ON audit_events (organization_id, audit_type, created_at, id);

-- Credentials may belong to an organization webhook. A CHECK cannot be changed, so the table is built anew.
CREATE TABLE credentials_next (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    owner_type TEXT NOT NULL CHECK (owner_type IN ('account', 'integration', 'integration_point', 'organization_webhook')),
    owner_id BLOB NOT NULL,
    account_id BLOB,
    integration_id BLOB,
    integration_point_id BLOB,
    organization_webhook_id BLOB,
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
    FOREIGN KEY (organization_id, organization_webhook_id) REFERENCES organization_webhooks (organization_id, id),
    FOREIGN KEY (organization_id, shared_credential_id) REFERENCES shared_credentials (organization_id, id),
    FOREIGN KEY (organization_id, provider_app_id) REFERENCES provider_apps (organization_id, id),
    CHECK ((sealed_at = 'integration') = (sealed_integration_id IS NOT NULL)),
    CHECK ((sealed_at = 'shared') = (shared_credential_id IS NOT NULL)),
    CHECK ((owner_type IN ('account', 'integration')) = (account_id IS NOT NULL)),
    CHECK ((owner_type = 'integration_point') = (integration_point_id IS NOT NULL)),
    CHECK ((owner_type = 'organization_webhook') = (organization_webhook_id IS NOT NULL))
) STRICT;
INSERT INTO credentials_next (id, organization_id, owner_type, owner_id, account_id, integration_id, integration_point_id, name, fullname, kind, public_config, sealed_at, sealed_integration_id, shared_credential_id, provider_app_id, expires, managed, secret_set_at, created_at, updated_at, deleted_at, deletion_id)
SELECT id, organization_id, owner_type, owner_id, account_id, integration_id, integration_point_id, name, fullname, kind, public_config, sealed_at, sealed_integration_id, shared_credential_id, provider_app_id, expires, managed, secret_set_at, created_at, updated_at, deleted_at, deletion_id FROM credentials;
DROP TABLE credentials;
ALTER TABLE credentials_next RENAME TO credentials;
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

-- The built-in roles become rows, so that lists hold them. Their ids are made as `builtin_role_id` of the model makes them.
INSERT INTO roles (id, organization_id, name, fullname, description, resources, permission_set, created_at, updated_at)
SELECT unhex(substr(hex(organizations.id), 1, 12) || '8' || builtin.place || substr(hex(organizations.id), 15)), organizations.id, builtin.name, builtin.fullname, builtin.description, '{}', builtin.permission_set, organizations.created_at, organizations.created_at
FROM organizations, (
    SELECT '0' AS place, 'root_administrator' AS name, 'Root administrator' AS fullname, 'Everything. The organization always keeps one member with this role.' AS description, 'administrator' AS permission_set
    UNION ALL SELECT '1', 'administrator', 'Administrator', 'Everything. For those who run the organization from day to day.', 'administrator'
    UNION ALL SELECT '2', 'viewer', 'Viewer', 'Lists and reads everything, and changes nothing. For support and auditors.', 'viewer'
    UNION ALL SELECT '3', 'member', 'Member', 'Reads everything; creates, changes and tests accounts, integrations and credentials. For those who connect customers.', 'member'
) AS builtin
WHERE NOT EXISTS (SELECT 1 FROM roles AS own WHERE own.organization_id = organizations.id AND lower(own.name) = builtin.name AND own.deleted_at IS NULL);
