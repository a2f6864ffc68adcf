//! What is sent to each operation: on which kind of object, with which body. A route without a sample fails the matrix.

use serde_json::{Value, json};

use super::place::{Kind, Params, manifest};

/// The body of a call.
pub(super) enum Body {
    /// None.
    None,
    /// The object as it is, which is a good PUT.
    Same,
    /// A patch of the full name.
    Fullname,
    /// Made from the object's ids and a word that is used once.
    Made(fn(&Params, &str) -> Value),
}

/// A good call of an operation.
pub(super) struct Sample {
    pub(super) operation: &'static str,
    pub(super) kind: Kind,
    pub(super) body: Body,
    /// The status when permission and reach let it through, where that is not the route's own.
    pub(super) done: Option<u16>,
}

const fn bare(operation: &'static str, kind: Kind) -> Sample {
    Sample { operation, kind, body: Body::None, done: None }
}

const fn same(operation: &'static str, kind: Kind) -> Sample {
    Sample { operation, kind, body: Body::Same, done: None }
}

const fn fullname(operation: &'static str, kind: Kind) -> Sample {
    Sample { operation, kind, body: Body::Fullname, done: None }
}

const fn made(operation: &'static str, kind: Kind, body: fn(&Params, &str) -> Value) -> Sample {
    Sample { operation, kind, body: Body::Made(body), done: None }
}

const fn let_through(sample: Sample, status: u16) -> Sample {
    Sample { operation: sample.operation, kind: sample.kind, body: sample.body, done: Some(status) }
}

/// The version of the mock provider that every integration of the matrix pins.
const PINNED: &str = "3";

pub(super) const SAMPLES: &[Sample] = &[
    bare("organization.get", Kind::Nothing),
    same("organization.update", Kind::Nothing),
    fullname("organization.patch", Kind::Nothing),
    bare("accounts.list", Kind::Nothing),
    bare("accounts.get", Kind::Account),
    made("accounts.create", Kind::Nothing, |_, word| json!({"name": word, "labels": ["own"]})),
    same("accounts.update", Kind::Account),
    fullname("accounts.patch", Kind::Account),
    bare("accounts.delete", Kind::Account),
    bare("accounts.impact", Kind::Account),
    bare("integration_points.list", Kind::Nothing),
    bare("integration_points.get", Kind::Point),
    made("integration_points.create", Kind::Nothing, |_, word| json!({"name": word, "connector": "ticketing", "environments": {"prod": ["*"]}})),
    same("integration_points.update", Kind::Point),
    fullname("integration_points.patch", Kind::Point),
    bare("integration_points.delete", Kind::Point),
    bare("integration_points.impact", Kind::Point),
    made("integration_points.preview", Kind::Point, |_, _| json!({"connector": "ticketing", "environments": {"test": ["*"]}})),
    bare("integrations.list", Kind::Nothing),
    bare("integrations.list_account", Kind::Account),
    bare("integrations.get", Kind::Integration),
    made("integrations.create", Kind::Account, |_, word| json!({"name": word, "provider_config": {"type": "ticketing_mock_ticketing"}})),
    made("integrations.verify", Kind::Account, |_, _| json!({"integration": {"provider_config": {"type": "ticketing_mock_ticketing"}}})),
    bare("integrations.verify_existing", Kind::Integration),
    same("integrations.update", Kind::Integration),
    fullname("integrations.patch", Kind::Integration),
    bare("integrations.delete", Kind::Integration),
    bare("integrations.impact", Kind::Integration),
    bare("integrations.list_versions", Kind::Integration),
    bare("integrations.journal", Kind::Integration),
    made("integrations.preview_version", Kind::Integration, |_, _| json!({"version": PINNED})),
    // A move to the version that is pinned already is looked at and refused.
    let_through(made("integrations.set_version", Kind::Integration, |_, _| json!({"version": PINNED})), 400),
    let_through(bare("integrations.rollback_version", Kind::Integration), 400),
    bare("integrations.preview_disconnect", Kind::Integration),
    bare("integrations.disconnect", Kind::Integration),
    bare("integrations.receipts", Kind::Integration),
    // Nobody has agreed to anything: that it is looked at is what permission decides.
    let_through(bare("integrations.receipt_link", Kind::Integration), 400),
    bare("integrations.pause", Kind::Integration),
    bare("integrations.resume", Kind::Integration),
    made("integrations.call", Kind::Integration, |_, _| json!({"operation": "query_tickets"})),
    bare("credentials.list", Kind::Credential),
    bare("credentials.get", Kind::Credential),
    bare("credentials.lookup", Kind::Credential),
    made("credentials.create", Kind::Credential, |_, word| json!({"name": word, "config": {"type": "token", "secret": "s"}})),
    same("credentials.update", Kind::Credential),
    fullname("credentials.patch", Kind::Credential),
    bare("credentials.delete", Kind::Credential),
    bare("credentials.impact", Kind::Credential),
    made("tokens.create_token", Kind::Nothing, |_, word| json!({"name": word, "permission_set": "connect-ui", "resources": {"accounts": {"labels": ["own"]}}})),
    made("tokens.create_integration_token", Kind::Integration, |_, _| json!({})),
    bare("tokens.list", Kind::Nothing),
    bare("tokens.get", Kind::IntegrationToken),
    bare("tokens.refresh", Kind::IntegrationToken),
    bare("tokens.rotate", Kind::IntegrationToken),
    bare("tokens.reset", Kind::IntegrationToken),
    bare("tokens.remove_secondary", Kind::IntegrationToken),
    bare("tokens.delete", Kind::IntegrationToken),
    bare("tokens.impact", Kind::IntegrationToken),
    bare("tokens.get", Kind::OrganizationToken),
    bare("tokens.refresh", Kind::OrganizationToken),
    bare("tokens.rotate", Kind::OrganizationToken),
    bare("tokens.reset", Kind::OrganizationToken),
    bare("tokens.remove_secondary", Kind::OrganizationToken),
    bare("tokens.delete", Kind::OrganizationToken),
    bare("tokens.impact", Kind::OrganizationToken),
    bare("members.list", Kind::Nothing),
    bare("members.get", Kind::Member),
    made("members.create", Kind::Nothing, |_, word| json!({"name": format!("{word}@example.com")})),
    same("members.update", Kind::Member),
    fullname("members.patch", Kind::Member),
    bare("members.delete", Kind::Member),
    bare("members.impact", Kind::Member),
    made("members.create_link", Kind::Member, |_, _| json!({"purpose": "invitation"})),
    bare("members.unlock", Kind::Member),
    bare("end_users.list", Kind::EndUser),
    bare("end_users.get", Kind::EndUser),
    made("end_users.create", Kind::Account, |_, word| json!({"name": word})),
    same("end_users.update", Kind::EndUser),
    bare("end_users.erase", Kind::EndUser),
    bare("end_users.impact", Kind::EndUser),
    bare("end_users.receipts", Kind::EndUser),
    bare("roles.list", Kind::Nothing),
    bare("roles.get", Kind::Role),
    made("roles.create", Kind::Nothing, |_, word| json!({"name": word, "permission_set": "viewer"})),
    same("roles.update", Kind::Role),
    fullname("roles.patch", Kind::Role),
    bare("roles.delete", Kind::Role),
    bare("roles.impact", Kind::Role),
    bare("permissionset.list", Kind::Nothing),
    bare("permissionset.get", Kind::Nothing),
    // The right password and a bad new one: that it is looked at is what permission decides.
    let_through(made("auth.change_password", Kind::Session, |_, _| json!({"old_secret": crate::world::PASSWORD, "new_secret": "password"})), 400),
    bare("auth.logoff", Kind::Session),
    bare("capabilities.list_connectors", Kind::Nothing),
    bare("capabilities.list_providers", Kind::Nothing),
    bare("capabilities.get_provider", Kind::Nothing),
    bare("audit.list", Kind::Nothing),
    bare("audit.get", Kind::Change),
    bare("audit.export", Kind::Nothing),
    bare("audit.undo", Kind::Change),
    bare("provider_apps.list", Kind::Nothing),
    bare("provider_apps.get", Kind::App),
    made("provider_apps.create", Kind::Nothing, |_, word| json!({"name": word, "provider": "ticketing_jira", "client_id": "c"})),
    same("provider_apps.update", Kind::App),
    bare("provider_apps.delete", Kind::App),
    bare("provider_apps.impact", Kind::App),
    // The organization of the matrix has no principal at AWS.
    let_through(made("provider_apps.trust", Kind::Nothing, |_, _| json!({"provider": "storage_aws_s3"})), 400),
    bare("provider_apps.checks", Kind::App),
    bare("provider_apps.preflight", Kind::App),
    made("connect.begin", Kind::Consent, |params, _| json!({"integration_id": params.get("integration_id"), "route": "window"})),
    bare("connect.routes", Kind::Consent),
    let_through(made("connect.choose", Kind::Connect, |_, _| json!({"place": "acme"})), 400),
    made("connect.switch", Kind::Connect, |_, _| json!({"route": "paste"})),
    bare("connect.get", Kind::Connect),
    bare("connect.latest", Kind::Connect),
    bare("connect.flight", Kind::Connect),
    made(
        "connect.record",
        Kind::Connect,
        |_, _| json!({"steps": [{"kind": "navigated", "at": "2026-11-22T00:00:00Z", "seen": {"origin": "https://login.example.com", "path": "/", "parameters": []}}]}),
    ),
    made("connect.explain", Kind::Connect, |_, _| json!({"seen": {"origin": "https://login.example.com", "path": "/", "parameters": []}, "text": "invalid_client"})),
    // Nobody can bring a good answer without a provider; that it is looked at is what permission decides.
    let_through(made("connect.finish", Kind::Connect, |_, _| json!({"callback_url": "http://127.0.0.1/oauth/callback?state=forged&code=c"})), 400),
    // It names no consent: one that is not within reach is as unknown as one that never was.
    let_through(made("connect.answer", Kind::Nothing, |_, _| json!({"callback_url": "http://127.0.0.1/oauth/callback?state=forged&code=c"})), 400),
    bare("connect.cancel", Kind::Connect),
    bare("connect_links.list", Kind::Nothing),
    made("connect_links.create", Kind::Account, |params, _| json!({"account_id": params.get("account_id"), "provider": "ticketing_mock_ticketing"})),
    bare("connect_links.revoke", Kind::Link),
    bare("revocations.list", Kind::Nothing),
    bare("revocations.get", Kind::Revocation),
    bare("revocations.confirm", Kind::Revocation),
    // Nothing is kept to ask with: that it is looked at is what permission decides.
    let_through(bare("revocations.retry", Kind::Revocation), 400),
    bare("deletions.undo", Kind::Deletion),
    bare("manifests.schema", Kind::Nothing),
    bare("manifests.list", Kind::Nothing),
    made("manifests.check", Kind::Nothing, |_, word| json!({"manifest": manifest(word)})),
    made("manifests.add", Kind::Nothing, |_, word| json!({"manifest": manifest(word)})),
    bare("manifests.withdraw", Kind::Manifest),
    bare("meta.management_openapi_spec", Kind::Nothing),
    bare("meta.engine_openapi_spec", Kind::Nothing),
    bare("definitions.list", Kind::Nothing),
    bare("definitions.get", Kind::Definition),
    bare("status.list", Kind::Nothing),
    bare("status.get_timeseries", Kind::Nothing),
    bare("status.get", Kind::Integration),
    bare("status.reset", Kind::Integration),
    bare("status.list_events", Kind::Integration),
    bare("status.get_integration_timeseries", Kind::Integration),
    bare("overview.get", Kind::Nothing),
    bare("deadlines.list", Kind::Nothing),
    bare("deadlines.feed", Kind::Nothing),
    bare("deadlines.feed_link", Kind::Nothing),
    bare("deadlines.make_feed_link", Kind::Nothing),
    bare("deadlines.revoke_feed_link", Kind::Nothing),
    let_through(bare("backups.list", Kind::Nothing), 403),
    // Of a store with several organizations, its operator alone decides about backups.
    let_through(bare("backups.create", Kind::Nothing), 403),
    let_through(made("backups.settings", Kind::Nothing, |_, _| json!({"enabled": true, "daily": 7, "weekly": 4})), 403),
    // The keys belong to the store, which holds another organization too.
    let_through(bare("keys.status", Kind::Nothing), 403),
    let_through(made("keys.rotate", Kind::Nothing, |_, _| json!({"key": "data"})), 403),
    let_through(bare("keys.forget", Kind::Nothing), 403),
    made("configuration.export", Kind::Nothing, |_, _| json!({})),
    bare("configuration.recipient", Kind::Nothing),
    made("configuration.copy", Kind::Nothing, |_, _| json!({"recipient": "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"})),
    // Three letters are no image: whoever may fill is told so.
    let_through(made("configuration.fill", Kind::Nothing, |_, _| json!({"image": "YWdl"})), 400),
    bare("organization_webhooks.list", Kind::Nothing),
    bare("organization_webhooks.get", Kind::Webhook),
    made(
        "organization_webhooks.create",
        Kind::Nothing,
        |_, word| json!({"name": word, "filters": ["all"], "url": "https://hooks.example.com/x", "secret": {"value": "sixteen characters and more"}}),
    ),
    same("organization_webhooks.update", Kind::Webhook),
    fullname("organization_webhooks.patch", Kind::Webhook),
    bare("organization_webhooks.delete", Kind::Webhook),
    bare("organization_webhooks.impact", Kind::Webhook),
    bare("organization_webhooks.list_deliveries", Kind::Webhook),
    bare("organization_webhooks.get_delivery", Kind::Delivery),
    bare("organization_webhooks.redeliver", Kind::Delivery),
    bare("organization_webhooks.test", Kind::Webhook),
];
