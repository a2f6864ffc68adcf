//! Both schemas say the same: every table, column, key, index, reference and check of the one is in the other, but for what
//! stands in a short list here, with the reason.

use std::collections::BTreeSet;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::cluster::ADMINISTRATOR;
use crate::place::{Directory, empty_store};
use crate::provisioning::{connect, prepared};

/// Lines of the one schema that are not in the other. Whoever adds one gives the reason.
const ON_SQLITE_ALONE: &[&str] = &[
    // There are no booleans.
    "check audit_events: secret_replaced IN 0, 1",
    // A file has one writer, so the number can be given when the row is written.
    "column changes.sequence INTEGER not null",
    "primary key changes: sequence",
    "index changes_organization on changes: organization_id, sequence",
];

/// As above.
const ON_POSTGRESQL_ALONE: &[&str] = &[
    // Numbers are given at the commit; until then there is none.
    "column changes.sequence INTEGER",
    "index changes_sequence on changes, unique: sequence WHERE sequence IS NOT NULL",
    "index changes_organization on changes: organization_id, sequence WHERE sequence IS NOT NULL",
    // Servers of two versions work on one database; a file is opened by the newest and refused to older ones.
    "column store_header.minimum_reader INTEGER not null default 1",
];

/// One way of writing an expression: without brackets, quotes, casts and PostgreSQL's form of IN.
fn plain(expression: &str) -> String {
    let mut text = expression.replace("= ANY (ARRAY[", "IN (").replace("])", ")");
    for cast in ["::text", "::jsonb", "::bigint", "::character varying", "COLLATE \"C\""] {
        text = text.replace(cast, "");
    }
    let text: String = text.chars().filter(|c| !matches!(c, '(' | ')' | '"')).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn column(table: &str, name: &str, class: &str, required: bool, default: Option<&str>) -> String {
    let default = default.map_or(String::new(), |value| {
        // Booleans are written as numbers on SQLite.
        let value = plain(value);
        format!(" default {}", if value == "false" { "0" } else { &value })
    });
    format!("column {table}.{name} {class}{}{default}", if required { " not null" } else { "" })
}

fn reference(table: &str, from: &str, to_table: &str, to: &str, deleting: &str) -> String {
    format!("reference {table}: {from} to {to_table}: {to}{deleting}")
}

async fn of_sqlite(connection: &mut SqliteConnection) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let tables: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations'")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    for (table, sql) in tables {
        lines.insert(format!("table {table}"));
        let columns: Vec<(String, String, bool, Option<String>, i64)> =
            sqlx::query_as(AssertSqlSafe(format!("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{table}') ORDER BY pk")))
                .fetch_all(&mut *connection)
                .await
                .unwrap();
        let key: Vec<&str> = columns.iter().filter(|(.., place)| *place > 0).map(|(name, ..)| name.as_str()).collect();
        lines.insert(format!("primary key {table}: {}", key.join(", ")));
        for (name, class, required, default, place) in &columns {
            lines.insert(column(&table, name, class, *required || *place > 0, default.as_deref()));
        }
        let references: Vec<(i64, String, String, Option<String>, String)> =
            sqlx::query_as(AssertSqlSafe(format!("SELECT id, \"table\", \"from\", \"to\", on_delete FROM pragma_foreign_key_list('{table}') ORDER BY id, seq")))
                .fetch_all(&mut *connection)
                .await
                .unwrap();
        for id in references.iter().map(|(id, ..)| *id).collect::<BTreeSet<_>>() {
            let parts: Vec<_> = references.iter().filter(|(one, ..)| *one == id).collect();
            let from: Vec<&str> = parts.iter().map(|(_, _, from, ..)| from.as_str()).collect();
            let to: Vec<&str> = parts.iter().map(|(_, _, _, to, _)| to.as_deref().unwrap_or("id")).collect();
            let deleting = if parts[0].4 == "CASCADE" { ", deleting along" } else { "" };
            lines.insert(reference(&table, &from.join(", "), &parts[0].1, &to.join(", "), deleting));
        }
        let uniques: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(format!("SELECT (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(made.name) ORDER BY seqno)) FROM pragma_index_list('{table}') AS made WHERE made.origin = 'u'"))).fetch_all(&mut *connection).await.unwrap();
        lines.extend(uniques.into_iter().map(|(columns,)| format!("unique {table}: {columns}")));
        for check in crate::spec::clauses(&sql, "CHECK (") {
            lines.insert(format!("check {table}: {}", plain(check)));
        }
    }
    let indexes: Vec<(String, String, String)> =
        sqlx::query_as("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").fetch_all(&mut *connection).await.unwrap();
    lines.extend(indexes.iter().map(|(name, table, sql)| index(name, table, sql)));
    lines
}

fn index(name: &str, table: &str, sql: &str) -> String {
    let unique = if sql.contains("UNIQUE INDEX") { ", unique" } else { "" };
    let what = &sql[sql.find('(').unwrap()..];
    format!("index {name} on {table}{unique}: {}", plain(what))
}

/// A constraint: its table, kind, definition and columns; of a reference the other table, its columns, and whether rows go
/// along.
type Constraint = (String, String, String, String, Option<String>, Option<String>, bool);

async fn of_postgres(connection: &mut PgConnection) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    // Rendered without the schema's name.
    sqlx::query("SET search_path = patchbay").execute(&mut *connection).await.unwrap();
    let tables: Vec<(String,)> =
        sqlx::query_as("SELECT relname::text FROM pg_class WHERE relnamespace = 'patchbay'::regnamespace AND relkind IN ('r', 'p') AND relname <> '_sqlx_migrations'")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    lines.extend(tables.iter().map(|(table,)| format!("table {table}")));
    let columns: Vec<(String, String, String, bool, Option<String>)> = sqlx::query_as("SELECT class.relname::text, attname::text, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid) FROM pg_attribute JOIN pg_class AS class ON class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE class.relnamespace = 'patchbay'::regnamespace AND class.relkind IN ('r', 'p') AND class.relname <> '_sqlx_migrations' AND attnum > 0 AND NOT attisdropped").fetch_all(&mut *connection).await.unwrap();
    for (table, name, kind, required, default) in &columns {
        let class = match kind.as_str() {
            "uuid" | "bytea" => "BLOB",
            "text" | "character varying" | "timestamp with time zone" | "jsonb" => "TEXT",
            "bigint" | "boolean" => "INTEGER",
            other => panic!("{table}.{name} is {other}, which stands for nothing on SQLite"),
        };
        lines.insert(column(table, name, class, *required, default.as_deref()));
    }
    let constraints: Vec<Constraint> = sqlx::query_as("SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid), coalesce((SELECT string_agg(attname, ', ' ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS key (number, place) JOIN pg_attribute ON attrelid = conrelid AND attnum = number), ''), nullif(confrelid, 0)::regclass::text, (SELECT string_agg(attname, ', ' ORDER BY place) FROM unnest(confkey) WITH ORDINALITY AS key (number, place) JOIN pg_attribute ON attrelid = confrelid AND attnum = number), confdeltype = 'c' FROM pg_constraint WHERE connamespace = 'patchbay'::regnamespace AND contype IN ('p', 'u', 'f', 'c') AND conrelid <> 'patchbay._sqlx_migrations'::regclass").fetch_all(&mut *connection).await.unwrap();
    for (table, kind, definition, keys, parent, parents_keys, deleting) in constraints {
        lines.insert(match kind.as_str() {
            "p" => format!("primary key {table}: {keys}"),
            "u" => format!("unique {table}: {keys}"),
            "f" => reference(&table, &keys, &parent.unwrap(), &parents_keys.unwrap(), if deleting { ", deleting along" } else { "" }),
            _ => format!("check {table}: {}", plain(definition.trim_start_matches("CHECK"))),
        });
    }
    let indexes: Vec<(String, String, String)> = sqlx::query_as("SELECT indexname::text, tablename::text, indexdef FROM pg_indexes WHERE schemaname = 'patchbay' AND tablename <> '_sqlx_migrations' AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE connamespace = 'patchbay'::regnamespace AND conname = indexname)").fetch_all(&mut *connection).await.unwrap();
    lines.extend(indexes.iter().map(|(name, table, sql)| index(name, table, sql)));
    lines
}

#[tokio::test]
async fn both_schemas_are_one() {
    let directory = Directory::new();
    empty_store(&directory).await.close().await;
    let mut file = SqliteConnectOptions::new().filename(directory.file()).read_only(true).connect().await.unwrap();
    let database = prepared();
    let (sqlite, postgres) = (of_sqlite(&mut file).await, of_postgres(&mut connect(&database, ADMINISTRATOR).await).await);
    assert!(sqlite.len() > 500, "{} lines", sqlite.len());
    let known = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
    let alone: BTreeSet<String> = sqlite.difference(&postgres).cloned().collect();
    assert_eq!(alone, known(ON_SQLITE_ALONE), "on SQLite and not on PostgreSQL: add it there, or to the list with the reason");
    let alone: BTreeSet<String> = postgres.difference(&sqlite).cloned().collect();
    assert_eq!(alone, known(ON_POSTGRESQL_ALONE), "on PostgreSQL and not on SQLite: add it there, or to the list with the reason");
}

#[tokio::test]
async fn types_of_postgresql_say_what_sqlite_leaves_open() {
    let database = prepared();
    let ask = |sql: &str| database.psql(ADMINISTRATOR, sql).unwrap();
    let columns = "FROM pg_attribute JOIN pg_class AS class ON class.oid = attrelid LEFT JOIN pg_collation ON pg_collation.oid = attcollation WHERE class.relnamespace = 'patchbay'::regnamespace AND class.relkind = 'r' AND class.relname <> '_sqlx_migrations' AND attnum > 0 AND NOT attisdropped";
    assert_eq!(
        ask(&format!("SELECT string_agg(class.relname || '.' || attname, ', ') {columns} AND atttypid IN ('text'::regtype, 'varchar'::regtype) AND collname IS DISTINCT FROM 'C'")),
        "",
        "texts compare by bytes, as on SQLite"
    );
    let times = "attname ~ '(^|_)(at|until|expires|logon|since|minute)$' AND attname NOT IN ('sealed_at')";
    assert_eq!(
        ask(&format!("SELECT string_agg(class.relname || '.' || attname, ', ') {columns} AND ({times}) <> (atttypid = 'timestamptz'::regtype)")),
        "",
        "what is a time has a time's type, and nothing else"
    );
    assert_eq!(
        ask(&format!(
            "SELECT string_agg(class.relname || '.' || attname, ', ') {columns} AND (attname = 'id' OR attname ~ '_id$') AND atttypid <> 'uuid'::regtype AND (class.relname, attname) NOT IN (('changes', 'object_id'), ('accounts', 'external_id'), ('end_users', 'external_id'), ('local_documents', 'document_id'), ('provider_apps', 'client_id'))"
        )),
        "",
        "ids are UUIDs, but for those that others give"
    );
    assert_eq!(
        ask(&format!("SELECT string_agg(class.relname || '.' || attname, ', ' ORDER BY 1) {columns} AND atttypid = 'bytea'::regtype")),
        "connect_legs.ticket_hash, connect_legs.state_hash, connect_legs.browser_hash, connect_sessions.state_hash, one_time_links.hash, public_links.hash, refresh_flights.sent_fp, refresh_journal.sent_fp, refresh_steps.fp, refresh_steps.next_fp, token_secrets.hash, web_sessions.hash"
    );
    assert_eq!(
        ask(&format!("SELECT string_agg(class.relname || '.' || attname, ', ' ORDER BY 1) {columns} AND atttypid = 'boolean'::regtype")),
        "audit_events.secret_replaced, credentials.managed, organizations.sample, refresh_flights.witnessed, refresh_journal.witnessed, refresh_steps.spent"
    );
}
