//! The one reviewed list of tables for images: what travels, in which order, and of which type each column is.
//!
//! The order is that of references: a row comes behind those that it refers to. A test compares the list with the schema,
//! so that a new table or column is a failure until it is decided here whether it travels.

use super::value::Kind;

/// A column and its type.
pub(crate) type Column = (&'static str, Kind);

/// A table as it stands in an image.
#[derive(Debug)]
pub struct ImageTable {
    /// Its name.
    pub name: &'static str,
    pub(crate) columns: &'static [Column],
    /// The primary key, by which rows are ordered.
    pub(crate) key: &'static [&'static str],
    /// The column that says whose a row is; none for what belongs to the store.
    pub(crate) organization: Option<&'static str>,
    /// Whether the table travels with one organization to another store. What holds hashes under the store's own key does
    /// not: they are of no use elsewhere.
    pub(crate) travels: bool,
    /// Rows that are read at once. Fewer where a row may be large.
    pub(crate) page: usize,
}

/// Rows that are read at once of tables with small rows.
const MANY: usize = 250;
/// Of tables whose rows may hold whole documents.
const FEW: usize = 20;

macro_rules! table {
    ($name:ident $(by $key:ident)+, $organization:expr, $travels:literal, $page:ident: $($column:ident $kind:ident),+ $(,)?) => {
        ImageTable {
            name: stringify!($name),
            columns: &[$((column_name(stringify!($column)), Kind::$kind)),+],
            key: &[$(stringify!($key)),+],
            organization: $organization,
            travels: $travels,
            page: $page,
        }
    };
}

/// `type` is a word of Rust, so the macro is given `r#type`.
const fn column_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

const OWNED: Option<&str> = Some("organization_id");

/// Every table that travels, in the order of references.
pub(crate) static TABLES: &[ImageTable] = &[
    table!(organizations by id, Some("id"), true, MANY:
        id Uuid, name Text, fullname Text, refresh_token_id Uuid, contact Text, reply_to Text, picture Text, options Json, sample Bool, created_at Time, updated_at Time),
    table!(roles by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, name Text, fullname Text, description Text, resources Json, permission_set Text, created_at Time, updated_at Time, deleted_at Time,
        deletion_id Uuid),
    table!(members by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, name Text, fullname Text, nickname Text, picture Text, member_type Text, state Text, role_binding Json, ttl_seconds Int,
        token_ttl_seconds Int, expires Time, pin_expires Time, failed_logons Int, last_logon Time, password_hash Text, created_at Time, updated_at Time, deleted_at Time,
        deletion_id Uuid, locked_until Time),
    table!(accounts by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, name Text, fullname Text, environment Text, labels Json, external_id Text, created_at Time, updated_at Time, deleted_at Time,
        deletion_id Uuid),
    table!(integration_points by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, name Text, fullname Text, description Text, connector Text, environments Json, created_at Time, updated_at Time, deleted_at Time,
        deletion_id Uuid, policy Json),
    table!(integration_definitions by id, None, true, MANY:
        id Uuid, name Text, r#type Text, version Text, auth_type Text, docs_url Text, config_schema Json, credentials_schema Json, status Text, created_at Time,
        updated_at Time, organization_id Uuid, manifest Text),
    table!(integration_instances by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, integration_id Definition, name Text, fullname Text, provider Text, connector Text, integration_point_id Uuid,
        status Text, status_cause Text, status_since Time, credentials Sealed, config Json, webhook_config Json, refresh_token_id Uuid, last_used_at Time,
        last_connected_at Time, created_at Time, updated_at Time, deleted_at Time, deletion_id Uuid),
    table!(integration_counters by integration_id, OWNED, true, MANY:
        integration_id Uuid, organization_id Uuid, account_id Uuid, requests Int, failed Int, in_bytes Int, out_bytes Int, updated_at Time, cpu_time_us Int, db_ops Int,
        api_ops Int, reset_at Time),
    table!(shared_credentials by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, credentials Sealed, created_at Time, updated_at Time, deleted_at Time, deletion_id Uuid),
    table!(provider_apps by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, name Text, fullname Text, provider Text, issuer Text, client_id Text, client_secret Uuid, redirect_uris Json, scopes Json,
        created_at Time, updated_at Time, deleted_at Time, deletion_id Uuid, secret_expires Time, next_check_at Time, family Text),
    table!(app_checks by provider_app_id by kind by subject, OWNED, true, MANY:
        provider_app_id Uuid, organization_id Uuid, kind Text, subject Text, at Time, outcome Text, detail Json),
    table!(organization_webhooks by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, name Text, fullname Text, environment Text, filters Json, url Text, credential_id Uuid, created_at Time, updated_at Time,
        deleted_at Time, deletion_id Uuid),
    table!(credentials by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, owner_type Text, owner_id Uuid, account_id Uuid, integration_id Uuid, integration_point_id Uuid, organization_webhook_id Uuid, name Text,
        fullname Text, kind Text, public_config Json, sealed_at Text, sealed_integration_id Uuid, shared_credential_id Uuid, provider_app_id Uuid, expires Time, managed Bool,
        secret_set_at Time, created_at Time, updated_at Time, deleted_at Time, deletion_id Uuid),
    table!(integration_credential_references by integration_id by credential_id, OWNED, true, MANY:
        integration_id Uuid, organization_id Uuid, credential_id Uuid),
    table!(refresh_journal by credential_id, OWNED, true, MANY:
        credential_id Uuid, organization_id Uuid, account_id Uuid, intent_id Uuid, owner Text, lease_until Time, state Text, sealed_table Text, sealed_row Uuid,
        previous Sealed, created_at Time, updated_at Time, token Text, sent_fp Bytes, first_sent_at Time, sends Int, reason Text, gone_at Time, witnessed Bool),
    table!(refresh_flights by id, OWNED, true, MANY:
        id Uuid, credential_id Uuid, organization_id Uuid, account_id Uuid, token Text, intent_id Uuid, owner Text, lease_until Time, state Text, sealed_table Text,
        sealed_row Uuid, previous Sealed, sent_fp Bytes, first_sent_at Time, sends Int, reason Text, gone_at Time, witnessed Bool, created_at Time, updated_at Time),
    // Hashes of tokens say nothing under another key, but which attempt ended how does.
    table!(refresh_steps by credential_id by attempt_id by number, OWNED, true, MANY:
        credential_id Uuid, attempt_id Uuid, number Int, organization_id Uuid, account_id Uuid, at Time, step Text, token Text, owner Text, fp Bytes, next_fp Bytes, spent Bool,
        note Json),
    table!(clocks by owner_id by token by clock, OWNED, true, MANY:
        owner_kind Text, owner_id Uuid, token Text, clock Text, organization_id Uuid, account_id Uuid, at Time, renew_at Time),
    table!(token_containers by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, owner_type Text, owner_id Uuid, account_id Uuid, integration_id Uuid, member_id Uuid, name Text, fullname Text, token_type Text,
        authority Json, access_ttl_seconds Int, refresh_ttl_seconds Int, expires Time, created_at Time, updated_at Time, deleted_at Time, deletion_id Uuid,
        last_used_at Time),
    table!(token_secrets by hash, OWNED, false, MANY:
        hash Bytes, organization_id Uuid, container_id Uuid, kind Text, slot Text, expires Time),
    table!(end_users by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, name Text, fullname Text, email Text, external_id Text, last_seen_at Time, created_at Time, updated_at Time,
        deleted_at Time, deletion_id Uuid),
    // The state of a consent is a hash, but its row is history too; one that is under way cannot be finished elsewhere.
    table!(connect_sessions by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, integration_id Uuid, provider_app_id Uuid, member_id Uuid, route Text, redirect_uri Text, issuer Text, scopes Json,
        state Text, failure_code Text, message Text, state_hash Bytes, verifier Sealed, expires Time, created_at Time, updated_at Time, deleted_at Time, deletion_id Uuid,
        end_user_id Uuid, link_id Uuid, form Json, explanation Json, recorded Int, choice Json),
    table!(connect_legs by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, session_id Uuid, number Int, route Text, redirect_uri Text, state Text, ticket_hash Bytes, state_hash Bytes,
        browser_hash Bytes, secrets Sealed, user_code Text, verification_uri Text, next_poll_at Time, poll_seconds Int, expires Time, created_at Time, updated_at Time),
    table!(flight_steps by session_id by number, OWNED, true, MANY:
        session_id Uuid, number Int, organization_id Uuid, account_id Uuid, leg_id Uuid, at Time, kind Text, origin Text, detail Json),
    table!(public_links by id, OWNED, false, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, integration_id Uuid, integration_point_id Uuid, end_user_id Uuid, receipt_id Uuid, member_id Uuid, purpose Text,
        hash Bytes, settings Json, expires Time, uses_left Int, last_used_at Time, revoked_at Time, created_at Time),
    table!(consent_receipts by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, integration_id Uuid, end_user_id Uuid, connect_session_id Uuid, provider Text, issuer Text, scopes Json, subject Text,
        granted_at Time, ended_at Time, erased_at Time, deletion_id Uuid, expires_at Time, revocation_id Uuid, withdrawn_by Text),
    table!(revocations by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, integration_id Uuid, integration_name Text, provider Text, definition_id Definition, provider_app_id Uuid,
        receipt_id Uuid, reason Text, state Text, tokens Sealed, proof Json, attempts Int, next_attempt_at Time, owner Text, lease_until Time, created_at Time,
        updated_at Time),
    table!(definition_moves by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, integration_id Uuid, from_definition Definition, to_definition Definition, config_before Json, config_after Json,
        member_id Uuid, moved_at Time, rolled_back_at Time),
    table!(web_sessions by id, OWNED, false, MANY:
        id Uuid, hash Bytes, organization_id Uuid, member_id Uuid, token_id Uuid, authority Json, user_agent Text, expires Time, last_seen_at Time, created_at Time),
    table!(one_time_links by hash, OWNED, false, MANY:
        hash Bytes, organization_id Uuid, member_id Uuid, purpose Text, expires Time, used_at Time, created_at Time),
    table!(audit_events by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, created_at Time, origin Text, audit_type Text, operation Text, method Text, path Text, status Int, code Text, remote_addr Text,
        user_agent Text, member_id Uuid, account_id Uuid, integration_id Uuid, body Json, response Json, object_kind Text, object_id Uuid, before Json, after Json,
        deletion_id Uuid, secret_replaced Bool, undo_of Uuid, undone_by Uuid),
    table!(deletions by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, kind Text, object_id Uuid, deleted_at Time),
    table!(webhook_deliveries by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, webhook_id Uuid, account_id Uuid, integration_id Uuid, event Text, payload Text, state Text, attempts Int, next_attempt_at Time,
        lease_owner Text, last_status Int, last_error Text, redelivery_of Uuid, delivered_at Time, created_at Time, updated_at Time),
    table!(webhook_attempts by delivery_id by number, OWNED, true, MANY:
        delivery_id Uuid, organization_id Uuid, number Int, created_at Time, status Int, error Text, response Text, duration_ms Int),
    table!(status_events by id, OWNED, true, MANY:
        id Uuid, organization_id Uuid, account_id Uuid, integration_id Uuid, created_at Time, status Text, code Text, error Text, request Int),
    table!(status_minutes by integration_id by minute, OWNED, true, MANY:
        integration_id Uuid, minute Time, organization_id Uuid, account_id Uuid, succeeded Int, failed Int, cpu_time_us Int, in_bytes Int, out_bytes Int),
    table!(local_documents by integration_id by collection by document_id, OWNED, true, FEW:
        integration_id Uuid, organization_id Uuid, account_id Uuid, collection Text, document_id Text, position Int, body Json),
    table!(local_document_numbers by integration_id by collection, OWNED, true, MANY:
        integration_id Uuid, organization_id Uuid, account_id Uuid, collection Text, last_number Int),
];

/// Tables that stay behind, each with the reason.
#[cfg(test)]
pub(crate) const LEFT: &[(&str, &str)] = &[
    ("store_header", "Stands in the image's own header, or is the target's own."),
    ("changes", "News for windows that look at this store; whoever looks at another one reads everything anew."),
];

/// The table of this name.
pub(crate) fn table(name: &str) -> Option<&'static ImageTable> {
    TABLES.iter().find(|table| table.name == name)
}

impl ImageTable {
    /// Where a column stands.
    pub(crate) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|(name, _)| *name == column)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{ConnectOptions, Connection};

    use super::*;

    #[tokio::test]
    async fn every_table_and_column_of_the_schema_is_decided() {
        let mut connection = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true).connect().await.unwrap();
        crate::file::MIGRATIONS.run_direct(None, &mut connection, false).await.unwrap();
        let names: Vec<(String,)> = sqlx::query_as("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for (name,) in &names {
            let left = LEFT.iter().any(|(table, _)| table == name);
            assert!(table(name).is_some() != left, "the table {name} must be in TABLES, or in LEFT with a reason, and not in both");
            let Some(table) = table(name) else { continue };
            let columns: Vec<(String, String, i64)> =
                sqlx::query_as("SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid").bind(name).fetch_all(&mut connection).await.unwrap();
            for (column, kind, _) in &columns {
                let place = table.position(column).unwrap_or_else(|| panic!("{name}.{column} must be in TABLES"));
                let of_type: &[Kind] = match kind.as_str() {
                    "BLOB" => &[Kind::Uuid, Kind::Definition, Kind::Bytes],
                    "INTEGER" => &[Kind::Int, Kind::Bool],
                    _ => &[Kind::Text, Kind::Time, Kind::Json, Kind::Sealed],
                };
                assert!(of_type.contains(&table.columns[place].1), "{name}.{column} is {kind}");
            }
            assert_eq!(table.columns.len(), columns.len(), "{name} has columns in TABLES that the schema does not have");
            let mut key: Vec<_> = columns.iter().filter(|(.., place)| *place > 0).collect();
            key.sort_by_key(|(.., place)| *place);
            assert_eq!(key.into_iter().map(|(column, ..)| column.as_str()).collect::<Vec<_>>(), table.key, "the key of {name}");
        }
        assert_eq!(TABLES.len() + LEFT.len(), names.len(), "TABLES and LEFT name tables that are no more");
        connection.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_table_comes_behind_those_that_it_refers_to() {
        let mut connection = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true).connect().await.unwrap();
        crate::file::MIGRATIONS.run_direct(None, &mut connection, false).await.unwrap();
        for (place, table) in TABLES.iter().enumerate() {
            let parents: Vec<(String,)> = sqlx::query_as("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)").bind(table.name).fetch_all(&mut connection).await.unwrap();
            for (parent,) in parents {
                let before = TABLES.iter().position(|table| table.name == parent).unwrap();
                assert!(before <= place, "{} refers to {parent}, which must stand before it", table.name);
            }
        }
        connection.close().await.unwrap();
    }
}
