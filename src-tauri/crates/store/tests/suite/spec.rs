//! The two table specifications to which the data-model document links are written from the schema of a fresh store and from
//! the catalog of providers, and committed under `spec/`. To make them anew: `PATCHBAY_BLESS=1 cargo test -p patchbay-store spec`.

use std::fmt::Write as _;

use patchbay_providers::{Catalog, Provider};
use serde_json::{Map, Value, json};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, FromRow};

use crate::cluster::ADMINISTRATOR;
use crate::place::{Directory, empty_store};
use crate::provisioning::{connect, prepared};

/// A column: its name, its type in the data-model document's terms, and what it holds.
type Meaning = (&'static str, &'static str, &'static str);

const DEFINITIONS: &[Meaning] = &[
    ("id", "uuid", "Names this version of this connector."),
    ("name", "varchar", "The provider's id, such as `ticketing_redmine`."),
    ("type", "varchar", "The category: the unified API that the provider serves, such as `ticketing`."),
    ("version", "varchar", "Version of the provider's manifest. A changed manifest is a new row."),
    ("auth_type", "varchar", "The `type`s of the credentials accepted, joined by commas, or `none`."),
    ("docs_url", "varchar", "The vendor's documentation."),
    ("config_schema", "jsonb", "JSON Schema (draft 2020-12) of `integration_instances.config` without `type` and `credential`. Below, per provider."),
    ("credentials_schema", "jsonb", "JSON Schema of the credentials that are entered. Below, per provider."),
    ("status", "enum", "`active`: new instances pin it. `deprecated`: a newer version exists; instances that pin this one keep working. `withdrawn`: it must not be pinned anew."),
    ("created_at", "timestamptz", "When this version came into the store."),
    ("updated_at", "timestamptz", "When its status last changed."),
    ("organization_id", "uuid", "Whose own manifest this is; null for what comes with the program."),
    ("manifest", "text", "The manifest as it was entered; null for what comes with the program."),
];

const INSTANCES: &[Meaning] = &[
    ("id", "uuid", "Names the instance; the wire's integration id."),
    ("organization_id", "uuid", "Whose."),
    ("account_id", "uuid", "The customer (tenant) that it belongs to."),
    ("integration_id", "uuid", "The definition that it pins."),
    ("name", "varchar", "Slug, unique in the account, ignoring case."),
    ("fullname", "varchar", "Name for people."),
    ("provider", "varchar", "`integration_definitions.name` of the definition, repeated for lists."),
    ("connector", "varchar", "`integration_definitions.type` of the definition, repeated for lists."),
    ("integration_point_id", "uuid", "The point that governs it, if one does."),
    ("status", "enum", "Its state. A call moves it between `active` and `needs_attention`; the others are set by people."),
    ("status_cause", "varchar", "Why it needs attention."),
    ("status_since", "timestamptz", "Since when it is in that state."),
    ("credentials", "jsonb", "The secrets that it owns, sealed; null where it owns none. Below."),
    ("config", "jsonb", "Everything that is no secret. Below, per provider."),
    ("webhook_config", "jsonb", "Reserved for webhooks of the provider; null."),
    ("refresh_token_id", "uuid", "The container of the tokens that its creation made."),
    ("last_used_at", "timestamptz", "Last connector call. Written in batches, at most 30 s late."),
    ("last_connected_at", "timestamptz", "Last time the provider accepted the credential. Written in batches, at most 30 s late."),
    ("created_at", "timestamptz", "When it was made."),
    ("updated_at", "timestamptz", "When it was last changed."),
    ("deleted_at", "timestamptz", "When it was deleted. Such a row is out of every query and kept for the undo."),
    ("deletion_id", "uuid", "The deletion that took it, by which it can be brought back."),
];

#[derive(FromRow)]
struct Column {
    name: String,
    #[sqlx(rename = "type")]
    kind: String,
    notnull: bool,
    dflt_value: Option<String>,
    pk: i64,
}

#[derive(FromRow)]
struct Reference {
    id: i64,
    table: String,
    from: String,
    to: Option<String>,
    on_delete: String,
}

/// What the database itself says of a table.
async fn structure(connection: &mut SqliteConnection, server: &mut PgConnection, table: &str, meanings: &[Meaning]) -> String {
    let columns: Vec<Column> = sqlx::query_as(AssertSqlSafe(format!("PRAGMA table_info({table})"))).fetch_all(&mut *connection).await.unwrap();
    let mut text = String::from("## Columns\n\n| column | type | in PostgreSQL | in SQLite | null | default | meaning |\n| --- | --- | --- | --- | --- | --- | --- |\n");
    let known: Vec<&str> = meanings.iter().map(|(name, ..)| *name).collect();
    let found: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(found, known, "every column of {table} is described, in its order");
    for (column, (_, logical, meaning)) in columns.iter().zip(meanings) {
        let null = if column.notnull || column.pk > 0 { "no" } else { "yes" };
        let default = column.dflt_value.as_deref().map_or(String::new(), |value| format!("`{value}`"));
        let key = if column.pk > 0 { " Primary key." } else { "" };
        let (kind,): (String,) = sqlx::query_as("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = ('patchbay.' || $1)::regclass AND attname = $2")
            .bind(table)
            .bind(&column.name)
            .fetch_one(&mut *server)
            .await
            .unwrap();
        writeln!(text, "| `{}` | {logical} | {kind} | {} | {null} | {default} | {meaning}{key} |", column.name, column.kind).unwrap();
    }
    text.push_str("\n## Constraints\n\n");
    let (created,): (String,) = sqlx::query_as("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = $1").bind(table).fetch_one(&mut *connection).await.unwrap();
    for unique in clauses(&created, "UNIQUE (") {
        writeln!(text, "- Unique: `({unique})`.").unwrap();
    }
    for check in clauses(&created, "CHECK (") {
        writeln!(text, "- Check: `{check}`.").unwrap();
    }
    let references: Vec<Reference> = sqlx::query_as(AssertSqlSafe(format!("PRAGMA foreign_key_list({table})"))).fetch_all(&mut *connection).await.unwrap();
    let mut ids: Vec<i64> = references.iter().map(|reference| reference.id).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let parts: Vec<&Reference> = references.iter().filter(|reference| reference.id == id).collect();
        let from: Vec<&str> = parts.iter().map(|part| part.from.as_str()).collect();
        let to: Vec<&str> = parts.iter().map(|part| part.to.as_deref().unwrap_or("id")).collect();
        let deleting = if parts[0].on_delete == "NO ACTION" { String::new() } else { format!(", on delete {}", parts[0].on_delete.to_lowercase()) };
        writeln!(text, "- Foreign key: `({})` refers to `{} ({})`{deleting}.", from.join(", "), parts[0].table, to.join(", ")).unwrap();
    }
    let others: Vec<(String, String)> =
        sqlx::query_as("SELECT type, sql FROM sqlite_schema WHERE tbl_name = $1 AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type, name")
            .bind(table)
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    let of = |kind: &str| others.iter().filter(|(found, _)| found == kind).map(|(_, sql)| sql.as_str()).collect::<Vec<_>>().join(";\n");
    text.push_str("- On SQLite `STRICT`: the database refuses a value of another type.\n\n");
    writeln!(text, "## Indexes\n\n```sql\n{}\n```", of("index")).unwrap();
    if !of("trigger").is_empty() {
        writeln!(text, "\n## Triggers\n\n```sql\n{}\n```", of("trigger")).unwrap();
    }
    text
}

/// Who may do what with a table on PostgreSQL, as its catalog says.
async fn access(server: &mut PgConnection, table: &str) -> String {
    let mut text = String::from(
        "\n## Access on PostgreSQL\n\nThe table belongs to `patchbay_owner`, as whom nobody logs in. The program's logins are members of these roles.\n\n| role | reads | adds | changes | removes |\n| --- | --- | --- | --- | --- |\n",
    );
    for role in ["patchbay_management", "svc_integration"] {
        let mut cells = Vec::new();
        for right in ["SELECT", "INSERT", "UPDATE"] {
            let (number, all, without, with): (i64, i64, Option<String>, Option<String>) = sqlx::query_as("SELECT count(*) FILTER (WHERE may), count(*), string_agg('`' || attname || '`', ', ' ORDER BY attnum) FILTER (WHERE NOT may), string_agg('`' || attname || '`', ', ' ORDER BY attnum) FILTER (WHERE may) FROM (SELECT attname, attnum, has_column_privilege($1, attrelid, attnum, $3) AS may FROM pg_attribute WHERE attrelid = ('patchbay.' || $2)::regclass AND attnum > 0 AND NOT attisdropped) AS columns")
                .bind(role)
                .bind(table)
                .bind(right)
                .fetch_one(&mut *server)
                .await
                .unwrap();
            cells.push(match (number, without, with) {
                (0, ..) => "nothing".to_owned(),
                (_, None, _) => "everything".to_owned(),
                (few, _, Some(with)) if few * 2 < all => format!("{with} alone"),
                (_, Some(without), _) => format!("everything but {without}"),
            });
        }
        let (removes,): (bool,) = sqlx::query_as("SELECT has_table_privilege($1, 'patchbay.' || $2, 'DELETE')").bind(role).bind(table).fetch_one(&mut *server).await.unwrap();
        writeln!(text, "| `{role}` | {} | {} | {} | {} |", cells[0], cells[1], cells[2], if removes { "rows" } else { "nothing" }).unwrap();
    }
    let policies: Vec<(String, String)> = sqlx::query_as("SELECT CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' ELSE 'DELETE' END, pg_get_expr(coalesce(polqual, polwithcheck), polrelid, true) FROM pg_policy WHERE polrelid = ('patchbay.' || $1)::regclass ORDER BY array_position(ARRAY['r', 'a', 'w', 'd']::\"char\"[], polcmd)")
        .bind(table)
        .fetch_all(&mut *server)
        .await
        .unwrap();
    if policies.is_empty() {
        return text;
    }
    text.push_str("\nRow-level security is forced. The scope functions read settings of the transaction; without them there are no rows.\n\n```sql\n");
    for (command, rule) in policies {
        // What PostgreSQL adds to each as the name of its column says nothing.
        let rule: String = rule.split_whitespace().collect::<Vec<_>>().join(" ");
        let rule = ["scope_is_system", "scope_is_whole", "scope_organization", "scope_account"].iter().fold(rule, |rule, name| rule.replace(&format!(" AS {name}"), ""));
        writeln!(text, "{command}: {rule}").unwrap();
    }
    text.push_str("```\n");
    text
}

/// What stands in the brackets behind each occurrence of a word.
pub(crate) fn clauses<'a>(sql: &'a str, word: &str) -> Vec<&'a str> {
    let inside = |(start, _): (usize, &str)| {
        let rest = &sql[start + word.len()..];
        let mut depth = 1;
        let end = rest.find(|c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        &rest[..end.unwrap()]
    };
    sql.match_indices(word).map(inside).collect()
}

fn code(text: &mut String, value: &Value) {
    writeln!(text, "```json\n{}\n```\n", serde_json::to_string_pretty(value).unwrap()).unwrap();
}

const HEAD: &str =
    "<!-- Generated from the schema of a fresh store and the catalog of providers; do not edit. To make it anew: PATCHBAY_BLESS=1 cargo test -p patchbay-store spec -->\n\n";

/// The providers whose schemas are printed: with none, one and several ways to authenticate.
const SHOWN: [&str; 4] = ["identity_openid", "ticketing_jira", "ticketing_mock_ticketing", "ticketing_redmine"];
const OTHERS: &str = "Those of some providers; `GET /v1/capabilities/providers/PROVIDER` has any other's.\n\n";

fn shown(catalog: &Catalog) -> impl Iterator<Item = &Provider> {
    SHOWN.iter().map(|id| &**catalog.find(id).unwrap())
}

async fn definitions(connection: &mut SqliteConnection, server: &mut PgConnection, catalog: &Catalog) -> String {
    let mut text = format!(
        "{HEAD}# `integration_definitions`\n\nOne version of one connector's metadata. Rows belong to the store and to no tenant, but for an organization's own manifests. They are immutable but for `status` and `updated_at`; a trigger holds that.\n\n"
    );
    text.push_str(&structure(connection, server, "integration_definitions", DEFINITIONS).await);
    text.push_str(&access(server, "integration_definitions").await);
    text.push_str("\n## Embedded JSON: `config_schema` and `credentials_schema`\n\n");
    text.push_str(OTHERS);
    for provider in shown(catalog) {
        writeln!(text, "### `{}`, version {}\n\n`config_schema`:\n", provider.id(), provider.version()).unwrap();
        code(&mut text, &provider.settings_schema());
        text.push_str("`credentials_schema`:\n\n");
        code(&mut text, &provider.credentials_schema());
    }
    format!("{}\n", text.trim_end())
}

async fn instances(connection: &mut SqliteConnection, server: &mut PgConnection, catalog: &Catalog) -> String {
    let mut text = format!("{HEAD}# `integration_instances`\n\nA tenant's installation of a definition: configuration, sealed credentials, state and telemetry.\n\n");
    text.push_str(&structure(connection, server, "integration_instances", INSTANCES).await);
    text.push_str(&access(server, "integration_instances").await);
    text.push_str("\n## Embedded JSON: `credentials`\n\nAn envelope. Organization, account and row are bound into the seal, so that one that was moved does not open. No query but those of the sealed column reads it. On PostgreSQL `ct` is the same once more under the database key (`pgp_sym_encrypt`), which is no part of the database.\n\n");
    let envelope = json!({
        "type": "object",
        "required": ["v", "key_id", "ct"],
        "additionalProperties": false,
        "properties": {
            "v": { "title": "Version of the envelope", "const": 1 },
            "key_id": { "title": "The data key that sealed it", "type": "string" },
            "ct": { "title": "Nonce and ciphertext", "type": "string", "contentEncoding": "base64" },
        },
    });
    code(&mut text, &envelope);
    text.push_str("Inside lie the members of the credential that are `writeOnly` in `integration_definitions.credentials_schema` (see [integration_definition.md](integration_definition.md)), or the tokens that a person's consent gave.\n\n");
    text.push_str("## Embedded JSON: `config`\n\nThe definition's `config_schema` with `type` and a reference to the credential. `webhook_url` and `polling_interval` are members of every definition; on the wire they travel in `x_patchbay.config`, the others in `provider_config`.\n\n");
    text.push_str(OTHERS);
    for provider in shown(catalog) {
        writeln!(text, "### `{}`, version {}\n", provider.id(), provider.version()).unwrap();
        code(&mut text, &stored(provider));
    }
    format!("{}\n", text.trim_end())
}

/// The schema of the column: that of the settings, with the provider and the reference in front.
fn stored(provider: &Provider) -> Value {
    let settings = provider.settings_schema();
    let mut properties = Map::new();
    properties.insert("type".to_owned(), json!({ "title": "Provider", "const": provider.id().as_str() }));
    let words: Vec<String> = provider.manifest().credential.iter().map(|option| format!("{}_id", option.word)).collect();
    if !words.is_empty() {
        properties.insert(
            "credential".to_owned(),
            json!({
                "title": "Reference to a row of `credentials`",
                "type": "object",
                "required": ["type", "value"],
                "additionalProperties": false,
                "properties": { "type": { "enum": words }, "value": { "type": "string", "format": "uuid" } },
            }),
        );
    }
    properties.extend(settings["properties"].as_object().unwrap().clone());
    let mut required = vec![json!("type")];
    required.extend(settings["required"].as_array().into_iter().flatten().cloned());
    json!({ "$schema": settings["$schema"], "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

#[tokio::test]
async fn the_committed_table_specifications_are_fresh() {
    let directory = Directory::new();
    empty_store(&directory).await.close().await;
    let mut connection = SqliteConnectOptions::new().filename(directory.file()).read_only(true).connect().await.unwrap();
    let database = prepared();
    let mut server = connect(&database, ADMINISTRATOR).await;
    let catalog = Catalog::builtin().unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("spec");
    let fresh = [
        ("integration_definition.md", definitions(&mut connection, &mut server, &catalog).await),
        ("integration_instances.md", instances(&mut connection, &mut server, &catalog).await),
    ];
    for (name, fresh) in fresh {
        let path = folder.join(name);
        if std::env::var_os("PATCHBAY_BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &fresh).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == fresh, "spec/{name} is stale: run PATCHBAY_BLESS=1 cargo test -p patchbay-store spec and commit it");
    }
}

#[tokio::test]
async fn nothing_of_a_definition_changes_but_its_status() {
    use sqlx::Connection;

    use crate::place::{BACKENDS, Place, time};
    use patchbay_model::definition::DefinitionStatus;
    use patchbay_model::{Origin, Scope};

    for backend in BACKENDS {
        let place = Place::new(*backend).await;
        // As one who may do anything: the trigger stands in the way, not the lack of a right.
        for (column, kind, _) in DEFINITIONS.iter().filter(|(column, ..)| !["status", "updated_at"].contains(column)) {
            let refused = match &place.database {
                None => {
                    let mut connection = SqliteConnectOptions::new().filename(place.directory.file()).connect().await.unwrap();
                    let value = if *kind == "uuid" { "x'00'" } else { "'other'" };
                    let refused = sqlx::query(AssertSqlSafe(format!("UPDATE integration_definitions SET {column} = {value}"))).execute(&mut connection).await.unwrap_err();
                    connection.close().await.unwrap();
                    refused.to_string()
                }
                Some(database) => {
                    let value = match *kind {
                        "uuid" => "gen_random_uuid()",
                        "jsonb" => "'{}'",
                        "timestamptz" => "now()",
                        _ => "'other'",
                    };
                    database.psql(crate::cluster::ADMINISTRATOR, &format!("UPDATE patchbay.integration_definitions SET {column} = {value}")).unwrap_err()
                }
            };
            assert!(refused.contains("an integration definition is immutable"), "{column}: {refused}");
        }
        let mut tx = place.store.write(Scope::System, Origin::Cli).await.unwrap();
        tx.set_definition_status(place.definition.id, DefinitionStatus::Withdrawn, time(9)).await.unwrap();
        tx.commit().await.unwrap();
        let after = place.store.read(Scope::System).await.unwrap().definition(place.definition.id).await.unwrap().unwrap();
        assert_eq!((after.status, after.updated_at, &after.config_schema), (DefinitionStatus::Withdrawn, time(9), &place.definition.config_schema));
    }
}
