//! A store of the first schema, opened by the present program: everything is still there. The old schema is made by its own
//! migration and filled by plain SQL, since the program of that time is not at hand.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use patchbay_model::*;
use patchbay_store::Store;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::place::*;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
const ROWS: &str = include_str!("migrating/first.sql");
const SECOND: &str = include_str!("../../migrations/sqlite/0002_management.sql");

/// Tells the test, run anew as a process of its own, which store to migrate halfway, and how far.
const HALFWAY: &str = "PATCHBAY_TEST_HALFWAY";

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal).foreign_keys(true).connect().await.unwrap()
}

/// The rows of the fixture with ids and times written out.
fn rows() -> String {
    let mut sql = String::new();
    let mut rest = ROWS;
    while let Some(at) = rest.find(['#', '@']) {
        let digits = rest[at + 1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - at - 1);
        sql.push_str(&rest[..at]);
        match (rest[at + 1..at + 1 + digits].parse::<i64>(), rest.as_bytes()[at]) {
            (Ok(number), b'#') => sql.push_str(&format!("x'0198c0de000070008000{number:012x}'")),
            (Ok(number), _) => sql.push_str(&format!("'{}'", time(number))),
            // An address.
            (Err(_), byte) => sql.push(char::from(byte)),
        }
        rest = &rest[at + 1 + digits..];
    }
    sql + rest
}

/// A store that the first program made and used.
async fn first_store(path: &Path) {
    let mut connection = connect(path).await;
    let first: Vec<_> = MIGRATIONS.iter().filter(|migration| migration.version == 1).cloned().collect();
    Migrator { migrations: Cow::Owned(first), ..Migrator::DEFAULT }.run(&mut connection).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(rows())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// The tables of a store with their columns.
async fn columns(connection: &mut SqliteConnection) -> BTreeMap<String, Vec<String>> {
    let sql = "SELECT t.name, c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations' ORDER BY c.cid";
    let found: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(connection).await.unwrap();
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in found {
        tables.entry(table).or_default().push(column);
    }
    tables
}

/// Everything that stands in these columns, as SQL literals.
async fn contents(path: &Path, columns: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let mut connection = connect(path).await;
    let mut all = BTreeMap::new();
    for (table, columns) in columns {
        let literals: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
        let sql = format!("SELECT {} AS line FROM {table} ORDER BY line", literals.join(" || ',' || "));
        let lines: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        all.insert(table.clone(), lines.into_iter().map(|(line,)| line).collect());
    }
    connection.close().await.unwrap();
    all
}

async fn schema(path: &Path) -> i64 {
    let mut connection = connect(path).await;
    let (version,): (i64,) = sqlx::query_as("SELECT user_version FROM pragma_user_version").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    version
}

#[tokio::test]
async fn a_store_of_the_first_schema_keeps_everything() {
    let directory = Directory::new();
    let path = directory.file();
    first_store(&path).await;
    let mut connection = connect(&path).await;
    let tables = columns(&mut connection).await;
    connection.close().await.unwrap();
    let before = contents(&path, &tables).await;
    for (table, lines) in &before {
        assert!(!lines.is_empty(), "the fixture has nothing in {table}, so nothing would be seen to be lost");
    }

    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.verify_structure().await.unwrap(), []);
    let ours = Scope::Organization(OrganizationId::from_uuid(fixed(2)));
    let mut tx = store.write_secrets(ours, Origin::Api).await.unwrap();
    let own = tx.credential(CredentialId::from_uuid(fixed(40))).await.unwrap().unwrap();
    assert_eq!(tx.secrets().sealed_credential(&own).await.unwrap().unwrap().ct, "b3du", "what was sealed is found through its credential");
    let point = tx.find_point("support").await.unwrap().unwrap();
    assert_eq!(point.environments.prod, Some(point::AllowedProviders::All));
    // The deletion of before can still be undone, and the references hold: a credential that is gone takes its journal along.
    tx.undo_deletion(DeletionId::from_uuid(fixed(91)), time(0)).await.unwrap();
    assert_eq!(tx.find_integration(AccountId::from_uuid(fixed(11)), "redmine").await.unwrap().unwrap().id, IntegrationId::from_uuid(fixed(22)));
    drop(tx);
    store.close().await;
    assert_eq!(schema(&path).await, MIGRATIONS.iter().map(|migration| migration.version).max().unwrap());
    let after = contents(&path, &tables).await;
    for (table, lines) in before {
        let (kept, added): (Vec<&String>, Vec<&String>) = after[&table].iter().partition(|line| lines.contains(line));
        assert_eq!(kept, lines.iter().collect::<Vec<_>>(), "{table}");
        // The built-in roles of both organizations became rows.
        assert_eq!(added.len(), if table == "roles" { 8 } else { 0 }, "{table} has more than before: {added:?}");
    }
    let mut connection = connect(&path).await;
    let journal = "SELECT count(*) FROM pragma_foreign_key_list('refresh_journal') WHERE \"table\" = 'credentials'";
    assert_eq!(sqlx::query_as::<_, (i64,)>(journal).fetch_one(&mut connection).await.unwrap().0, 1, "the journal refers to the table that was built anew");
    let dangling = "INSERT INTO integration_credential_references (integration_id, organization_id, credential_id) VALUES (x'00', x'00', x'00')";
    assert!(sqlx::query(dangling).execute(&mut connection).await.is_err(), "references are enforced");
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_migration_that_is_killed_leaves_the_old_store() {
    if let Ok(task) = std::env::var(HALFWAY) {
        return halfway(&task).await;
    }
    let statements = SECOND.matches(";\n").count();
    let directory = Directory::new();
    let path = directory.file();
    first_store(&path).await;
    let mut connection = connect(&path).await;
    let tables = columns(&mut connection).await;
    connection.close().await.unwrap();
    let before = contents(&path, &tables).await;
    for tenth in 1..=10 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["migrating::a_migration_that_is_killed_leaves_the_old_store", "--exact", "--nocapture"])
            .env(HALFWAY, format!("{} {}", statements * tenth / 10, path.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.ends_with("halfway")), "the migration got to its {tenth}. tenth");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(schema(&path).await, 1);
        assert_eq!(contents(&path, &tables).await, before, "killed at the {tenth}. tenth");
    }
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.verify_structure().await.unwrap(), [], "and the next attempt gets through");
    store.close().await;
}

/// Runs so many statements of the second migration in a transaction, pages of it spilled into the log, and waits for its end.
async fn halfway(task: &str) {
    use std::io::Write;
    let (number, path) = task.split_once(' ').unwrap();
    let end = SECOND.match_indices(";\n").nth(number.parse::<usize>().unwrap() - 1).unwrap().0 + 1;
    let mut connection = connect(Path::new(path)).await;
    for setting in ["PRAGMA foreign_keys = OFF", "PRAGMA cache_size = 1", "PRAGMA cache_spill = 1", "BEGIN IMMEDIATE"] {
        sqlx::query(setting).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql(&SECOND[..end]).execute(&mut connection).await.unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "halfway").unwrap();
    out.flush().unwrap();
    std::future::pending::<()>().await;
}

/// An id of the fixture.
fn fixed(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000 + number)
}
