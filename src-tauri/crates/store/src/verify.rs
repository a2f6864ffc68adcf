//! Verification of the store's structure, in words. Whether sealed values open is for the holder of the key to say.

use sqlx::AssertSqlSafe;

use patchbay_model::Scope;

use crate::db;
use crate::dialect;
use crate::error::Result;
use crate::store::Store;

/// Something that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which check found it.
    pub check: &'static str,
    /// What was found, as a sentence.
    pub sentence: String,
}

/// Relations that no foreign key holds, because what they point at may be removed by itself: each a query for the number of
/// rows that lead nowhere, and the sentence for it.
const RELATIONS: &[(&str, &str)] = &[
    (
        "SELECT count(*) FROM token_secrets AS child LEFT JOIN token_containers AS parent ON parent.id = child.container_id AND parent.organization_id = child.organization_id WHERE parent.id IS NULL",
        "token secrets belong to a container of another organization or to none",
    ),
    (
        "SELECT count(*) FROM token_containers AS child WHERE child.owner_type = 'organization' AND child.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM members AS parent WHERE parent.id = child.member_id AND parent.organization_id = child.organization_id AND parent.deleted_at IS NULL)",
        "organization tokens belong to a member that is not there",
    ),
    (
        "SELECT count(*) FROM integration_instances AS child JOIN integration_definitions AS parent ON parent.id = child.integration_id WHERE parent.name <> child.provider OR parent.type <> child.connector",
        "integrations name another provider or connector than their definition",
    ),
    (
        "SELECT count(*) FROM integration_instances AS child JOIN accounts AS parent ON parent.id = child.account_id WHERE child.deleted_at IS NULL AND parent.deleted_at IS NOT NULL",
        "integrations are live although their account is deleted",
    ),
    (
        "SELECT count(*) FROM credentials AS child JOIN integration_instances AS parent ON parent.id = child.integration_id WHERE child.deleted_at IS NULL AND parent.deleted_at IS NOT NULL",
        "credentials are live although their integration is deleted",
    ),
    (
        "SELECT count(*) FROM credentials AS child JOIN integration_instances AS parent ON parent.id = child.sealed_integration_id WHERE child.deleted_at IS NULL AND parent.credentials IS NULL",
        "credentials point at a sealed value that is not there",
    ),
    (
        "SELECT count(*) FROM credentials AS child JOIN shared_credentials AS parent ON parent.id = child.shared_credential_id WHERE child.deleted_at IS NULL AND parent.deleted_at IS NOT NULL",
        "credentials point at a shared sealed value that is deleted",
    ),
    (
        "SELECT count(*) FROM token_containers AS child JOIN integration_instances AS parent ON parent.id = child.integration_id WHERE child.deleted_at IS NULL AND parent.deleted_at IS NOT NULL",
        "tokens are live although their integration is deleted",
    ),
    (
        "SELECT count(*) FROM integration_counters AS child LEFT JOIN integration_instances AS parent ON parent.id = child.integration_id AND parent.organization_id = child.organization_id AND parent.account_id = child.account_id WHERE parent.id IS NULL",
        "counters belong to an integration of another tenant",
    ),
    (
        "SELECT count(*) FROM refresh_journal AS child LEFT JOIN credentials AS parent ON parent.id = child.credential_id AND parent.organization_id = child.organization_id WHERE parent.id IS NULL",
        "rows of the refresh journal belong to a credential of another tenant",
    ),
    (
        "SELECT count(*) FROM refresh_flights AS child LEFT JOIN credentials AS parent ON parent.id = child.credential_id AND parent.organization_id = child.organization_id WHERE parent.id IS NULL",
        "renewals of further tokens belong to a credential of another tenant",
    ),
    (
        "SELECT count(*) FROM organization_webhooks AS child WHERE child.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM credentials AS parent WHERE parent.id = child.credential_id AND parent.organization_id = child.organization_id AND parent.organization_webhook_id = child.id AND parent.deleted_at IS NULL)",
        "webhooks name a signing credential that is not theirs or not there",
    ),
    (
        "SELECT count(*) FROM webhook_attempts AS child LEFT JOIN webhook_deliveries AS parent ON parent.id = child.delivery_id AND parent.organization_id = child.organization_id WHERE parent.id IS NULL",
        "attempts belong to a delivery of another organization",
    ),
    (
        "SELECT count(*) FROM definition_moves AS child JOIN integration_instances AS owner ON owner.id = child.integration_id JOIN integration_definitions AS parent ON parent.id IN (child.from_definition, child.to_definition) WHERE parent.name <> owner.provider",
        "moves between versions name a definition of another provider than their integration's",
    ),
    (
        "SELECT count(*) FROM end_users AS child JOIN accounts AS parent ON parent.id = child.account_id WHERE child.deleted_at IS NULL AND parent.deleted_at IS NOT NULL",
        "end users are live although their account is deleted",
    ),
    (
        "SELECT count(*) FROM consent_receipts AS child JOIN integration_instances AS parent ON parent.id = child.integration_id WHERE parent.organization_id <> child.organization_id OR parent.account_id <> child.account_id",
        "consent receipts belong to an integration of another tenant",
    ),
    (
        "SELECT count(*) FROM consent_receipts AS child JOIN integration_instances AS parent ON parent.id = child.integration_id WHERE child.ended_at IS NULL AND parent.deleted_at IS NOT NULL",
        "consent receipts are in force although their integration is deleted",
    ),
    (
        "SELECT count(*) FROM (SELECT 1 FROM consent_receipts WHERE ended_at IS NULL GROUP BY integration_id HAVING count(*) > 1) AS doubled",
        "integrations have more than one consent receipt in force",
    ),
    (
        "SELECT count(*) FROM consent_receipts WHERE erased_at IS NOT NULL AND (end_user_id IS NOT NULL OR subject IS NOT NULL)",
        "consent receipts still name a person who was erased",
    ),
    (
        "SELECT count(*) FROM connect_sessions AS child LEFT JOIN end_users AS parent ON parent.id = child.end_user_id AND parent.organization_id = child.organization_id AND parent.account_id = child.account_id WHERE child.end_user_id IS NOT NULL AND parent.id IS NULL",
        "consents name an end user of another account or one that is not there",
    ),
    (
        "SELECT count(*) FROM connect_legs AS child LEFT JOIN connect_sessions AS parent ON parent.id = child.session_id AND parent.organization_id = child.organization_id AND parent.account_id = child.account_id WHERE parent.id IS NULL",
        "legs belong to a consent of another tenant",
    ),
    (
        "SELECT count(*) FROM flight_steps AS child LEFT JOIN connect_sessions AS parent ON parent.id = child.session_id AND parent.organization_id = child.organization_id AND parent.account_id = child.account_id WHERE parent.id IS NULL",
        "recorded steps belong to a consent of another tenant",
    ),
    (
        "SELECT count(*) FROM refresh_steps AS child LEFT JOIN credentials AS parent ON parent.id = child.credential_id AND parent.organization_id = child.organization_id WHERE parent.id IS NULL",
        "steps of renewals belong to a credential of another tenant",
    ),
    (
        "SELECT count(*) FROM clocks AS child WHERE (child.owner_kind = 'credential' AND NOT EXISTS (SELECT 1 FROM credentials AS parent WHERE parent.id = child.owner_id AND parent.organization_id = child.organization_id)) OR (child.owner_kind = 'provider_app' AND NOT EXISTS (SELECT 1 FROM provider_apps AS parent WHERE parent.id = child.owner_id AND parent.organization_id = child.organization_id))",
        "clocks belong to nothing that is there",
    ),
    (
        "SELECT count(*) FROM app_checks AS child LEFT JOIN provider_apps AS parent ON parent.id = child.provider_app_id AND parent.organization_id = child.organization_id WHERE parent.id IS NULL",
        "checks belong to a provider app of another organization",
    ),
    (
        "SELECT count(*) FROM public_links AS child LEFT JOIN members AS parent ON parent.id = child.member_id AND parent.organization_id = child.organization_id WHERE parent.id IS NULL",
        "links for others belong to a member that is not there",
    ),
    ("SELECT count(*) FROM revocations WHERE tokens IS NOT NULL AND state IN ('proven', 'manual', 'failed')", "revocations that have ended still keep tokens"),
    (
        "SELECT count(*) FROM one_time_links AS child LEFT JOIN members AS parent ON parent.id = child.member_id AND parent.organization_id = child.organization_id WHERE parent.id IS NULL",
        "one-time links belong to a member that is not there",
    ),
    (
        "SELECT count(*) FROM audit_events AS child LEFT JOIN organizations AS parent ON parent.id = child.organization_id WHERE parent.id IS NULL",
        "audit rows belong to no organization",
    ),
];

/// Columns that hold JSON.
const JSON: &[(&str, &str)] = &[
    ("store_header", "key_header"),
    ("organizations", "options"),
    ("roles", "resources"),
    ("members", "role_binding"),
    ("accounts", "labels"),
    ("integration_points", "environments"),
    ("organization_webhooks", "filters"),
    ("webhook_deliveries", "payload"),
    ("integration_points", "policy"),
    ("integration_definitions", "config_schema"),
    ("integration_definitions", "credentials_schema"),
    ("integration_instances", "credentials"),
    ("integration_instances", "config"),
    ("integration_instances", "webhook_config"),
    ("definition_moves", "config_before"),
    ("definition_moves", "config_after"),
    ("shared_credentials", "credentials"),
    ("provider_apps", "redirect_uris"),
    ("provider_apps", "scopes"),
    ("credentials", "public_config"),
    ("refresh_journal", "previous"),
    ("refresh_flights", "previous"),
    ("token_containers", "authority"),
    ("connect_sessions", "scopes"),
    ("consent_receipts", "scopes"),
    ("connect_sessions", "verifier"),
    ("connect_sessions", "form"),
    ("connect_sessions", "explanation"),
    ("connect_sessions", "choice"),
    ("connect_legs", "secrets"),
    ("flight_steps", "detail"),
    ("public_links", "settings"),
    ("refresh_steps", "note"),
    ("revocations", "tokens"),
    ("revocations", "proof"),
    ("app_checks", "detail"),
    ("web_sessions", "authority"),
    ("audit_events", "body"),
    ("audit_events", "response"),
    ("local_documents", "body"),
];

impl Store {
    /// Checks pages, indexes, references and the shape of structures. Empty when all is well.
    ///
    /// # Errors
    /// [`crate::StoreError::Damaged`] when the file is too broken even for that, and those of the database.
    pub async fn verify_structure(&self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        // Whether a sealed value is there is for those alone to see who may open it.
        let mut view = self.read_secrets(Scope::System).await?;
        let tx = &mut view.tx;
        for sentence in dialect::integrity(tx).await? {
            findings.push(Finding { check: "integrity", sentence });
        }
        for sentence in dialect::broken_references(tx).await? {
            findings.push(Finding { check: "references", sentence });
        }
        for (sql, words) in RELATIONS {
            let (number,): (i64,) = db::query_as(*sql).fetch_one(tx).await?;
            if number > 0 {
                findings.push(Finding { check: "relations", sentence: format!("{number} {words}.") });
            }
        }
        for (table, column) in JSON {
            let sql = format!("SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND NOT {}", tx.dialect().is_json(column));
            let (number,): (i64,) = db::query_as(AssertSqlSafe(sql)).fetch_one(tx).await?;
            if number > 0 {
                findings.push(Finding { check: "structures", sentence: format!("{number} rows of {table} hold no JSON in {column}.") });
            }
        }
        Ok(findings)
    }
}
