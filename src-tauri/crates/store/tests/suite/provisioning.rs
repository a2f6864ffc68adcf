//! Making a PostgreSQL database a store: by the program, by an administrator, again, side by side, and where it is refused.

use patchbay_model::{Code, Problem};
use patchbay_store::{Identity, PostgresAddress, Store, StoreError, identify, provision, provisioning_script};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::cluster::{ADMINISTRATOR, Cluster, Database, LOGIN, MANAGEMENT_LOGIN, SVC_LOGIN};

/// A login that may make roles and owns its databases, as `patchbay init` finds it in small installations.
const MAKER: &str = "patchbay_test_maker";

pub(crate) async fn connect(database: &Database, login: &str) -> PgConnection {
    database.url(login).parse::<PgConnectOptions>().unwrap().disable_statement_logging().connect().await.unwrap()
}

async fn newest() -> i64 {
    let database = prepared();
    let Identity::Store { schema: Some(schema), complete: false, .. } = identify(&mut connect(&database, LOGIN).await).await.unwrap() else { panic!("the template is a store") };
    schema
}

/// A database as an administrator's `psql` left it.
pub(crate) fn prepared() -> Database {
    Cluster::get().prepared(&provisioning_script(LOGIN, None))
}

#[tokio::test]
async fn a_login_that_may_make_roles_prepares_its_database_by_itself() {
    let database = Cluster::get().empty(MAKER);
    let mut connection = connect(&database, MAKER).await;
    assert_eq!(identify(&mut connection).await.unwrap(), Identity::Empty);
    provision(&mut connection, None).await.unwrap();
    let found = identify(&mut connection).await.unwrap();
    assert!(matches!(found, Identity::Store { schema: Some(5), minimum_reader: None, complete: false }), "{found:?}");
    provision(&mut connection, None).await.unwrap();
    let facts = "SELECT pg_has_role('patchbay_test_maker', 'patchbay_owner', 'MEMBER'), (SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'patchbay'), (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace), (SELECT count(*) FROM pg_class WHERE relnamespace = 'patchbay'::regnamespace AND relkind IN ('r', 'S') AND relowner <> 'patchbay_owner'::regrole)";
    assert_eq!(database.psql(ADMINISTRATOR, facts).unwrap(), "f|patchbay_owner|0|0", "the owner's role is given back, and nobody else owns anything");
}

#[tokio::test]
async fn several_prepare_side_by_side() {
    let (one, other) = (Cluster::get().empty(MAKER), Cluster::get().empty(MAKER));
    let work = async |database: &Database| {
        let mut connection = connect(database, MAKER).await;
        provision(&mut connection, None).await
    };
    let (a, b, c) = tokio::join!(work(&one), work(&one), work(&other));
    a.unwrap();
    b.unwrap();
    c.unwrap();
    for database in [&one, &other] {
        assert_eq!(database.psql(ADMINISTRATOR, "SELECT string_agg(version::text, ',' ORDER BY version) FROM patchbay._sqlx_migrations").unwrap(), "1,2,3,4,5");
    }
}

#[tokio::test]
async fn an_older_schema_is_brought_up_to_date() {
    let database = Cluster::get().empty(MAKER);
    let mut connection = connect(&database, MAKER).await;
    provision(&mut connection, None).await.unwrap();
    // As the second migration left it.
    let before = "SET search_path = patchbay; DELETE FROM _sqlx_migrations WHERE version > 2; COMMENT ON SCHEMA patchbay IS 'Patchbay, schema 2'; ALTER POLICY integration_credential_references_insert ON integration_credential_references WITH CHECK (false); DROP TABLE refresh_flights, connect_legs, flight_steps, public_links, refresh_steps, clocks, revocations, app_checks; DROP POLICY integration_definitions_select ON integration_definitions; DROP POLICY integration_definitions_insert ON integration_definitions; DROP POLICY integration_definitions_update ON integration_definitions; DROP POLICY integration_definitions_delete ON integration_definitions; DROP TRIGGER integration_definitions_immutable ON integration_definitions; ALTER TABLE integration_definitions DISABLE ROW LEVEL SECURITY, DROP COLUMN organization_id, DROP COLUMN manifest; CREATE TRIGGER integration_definitions_immutable BEFORE UPDATE OF id ON integration_definitions FOR EACH ROW EXECUTE FUNCTION definition_is_immutable(); ALTER TABLE connect_sessions DROP COLUMN link_id, DROP COLUMN form, DROP COLUMN explanation, DROP COLUMN recorded, DROP COLUMN choice; ALTER TABLE refresh_journal DROP COLUMN token, DROP COLUMN sent_fp, DROP COLUMN first_sent_at, DROP COLUMN sends, DROP COLUMN reason, DROP COLUMN gone_at, DROP COLUMN witnessed; ALTER TABLE provider_apps DROP COLUMN secret_expires, DROP COLUMN next_check_at, DROP COLUMN family; ALTER TABLE consent_receipts DROP COLUMN expires_at, DROP COLUMN revocation_id, DROP COLUMN withdrawn_by";
    database.psql(ADMINISTRATOR, before).unwrap();
    assert!(matches!(identify(&mut connection).await.unwrap(), Identity::Store { schema: Some(2), .. }));
    provision(&mut connection, None).await.unwrap();
    assert!(matches!(identify(&mut connection).await.unwrap(), Identity::Store { schema: Some(5), .. }));
    let rule = "SELECT with_check LIKE '%integration_credential_references.integration_id%' FROM pg_policies WHERE policyname = 'integration_credential_references_insert'";
    assert_eq!(database.psql(ADMINISTRATOR, rule).unwrap(), "t");
}

#[tokio::test]
async fn a_kill_leaves_nothing_half_made() {
    let database = Cluster::get().empty(MAKER);
    let mut holder = connect(&database, ADMINISTRATOR).await;
    let mut connection = connect(&database, MAKER).await;
    let (backend,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()").fetch_one(&mut connection).await.unwrap();
    // A lock on the catalog of schemas holds it up in the middle: roles and rights are made, the schema is not.
    let mut tx = holder.begin().await.unwrap();
    sqlx::query("LOCK TABLE pg_namespace IN EXCLUSIVE MODE").execute(&mut *tx).await.unwrap();
    let made = tokio::spawn(async move { provision(&mut connection, None).await });
    loop {
        let (waits,): (bool,) = sqlx::query_as("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE pid = $1 AND NOT granted)").bind(backend).fetch_one(&mut *tx).await.unwrap();
        if waits {
            break;
        }
        tokio::task::yield_now().await;
    }
    sqlx::query("SELECT pg_terminate_backend($1)").bind(backend).execute(&mut *tx).await.unwrap();
    assert!(made.await.unwrap().is_err());
    tx.rollback().await.unwrap();
    let mut connection = connect(&database, MAKER).await;
    assert_eq!(identify(&mut connection).await.unwrap(), Identity::Empty);
    provision(&mut connection, None).await.unwrap();
}

#[tokio::test]
async fn who_is_not_let_in_is_told_apart_from_who_may_not() {
    let database = prepared();
    let trouble = async |url: String| Store::connect(&PostgresAddress::of(&url.parse().unwrap()).unwrap()).await.err().unwrap();
    let refused = trouble(database.url("patchbay_test_nobody")).await;
    assert!(matches!(&refused, StoreError::Refused(_)), "{refused}");
    let missing = trouble(database.url(LOGIN).replace(&database.name, "patchbay_missing")).await;
    assert!(matches!(&missing, StoreError::NoDatabase(_)), "{missing}");
    let codes = [refused, missing].map(|error| Problem::from(error).code);
    assert_eq!(codes, [Code::StoreRefused, Code::StoreMissing]);
}

#[tokio::test]
async fn a_login_without_the_right_is_told_what_an_administrator_must_run() {
    Cluster::get().login("patchbay_test_poor", "");
    let database = Cluster::get().empty(MAKER);
    let mut connection = connect(&database, "patchbay_test_poor").await;
    let error = provision(&mut connection, None).await.unwrap_err();
    let StoreError::MissingRight { login, statements, .. } = &error else { panic!("{error}") };
    assert_eq!(login, "patchbay_test_poor");
    for expected in [
        "GRANT patchbay_owner TO \"patchbay_test_poor\"",
        "CREATE SCHEMA patchbay",
        "CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA patchbay",
        "ALTER SCHEMA patchbay OWNER TO patchbay_owner",
    ] {
        assert!(statements.contains(expected), "{expected} is missing:\n{statements}");
    }
    assert_eq!(identify(&mut connection).await.unwrap(), Identity::Empty, "nothing was changed");
    // Exactly these, word for word, and the same command works.
    database.psql(ADMINISTRATOR, statements).unwrap();
    provision(&mut connection, None).await.unwrap();
    assert!(matches!(identify(&mut connection).await.unwrap(), Identity::Store { schema: Some(5), .. }));
    let problem = Problem::from(error);
    assert_eq!(problem.code, Code::StoreUnprepared);
    assert!(problem.message.contains("patchbay store sql") && problem.message.contains("CREATE SCHEMA patchbay"), "{}", problem.message);
}

#[tokio::test]
async fn what_an_administrator_runs_leaves_nothing_to_do_and_may_run_again() {
    let database = Cluster::get().empty(MAKER);
    prepared();
    let script = provisioning_script(MANAGEMENT_LOGIN, Some(SVC_LOGIN));
    database.psql(ADMINISTRATOR, &script).unwrap();
    let before = database.psql(ADMINISTRATOR, "SELECT * FROM patchbay._sqlx_migrations ORDER BY version").unwrap();
    database.psql(ADMINISTRATOR, &script).unwrap();
    database.psql(MAKER, &script).unwrap();
    assert_eq!(database.psql(ADMINISTRATOR, "SELECT * FROM patchbay._sqlx_migrations ORDER BY version").unwrap(), before);
    // The login with the least rights goes on by itself.
    let mut connection = connect(&database, MANAGEMENT_LOGIN).await;
    provision(&mut connection, Some(SVC_LOGIN)).await.unwrap();
    let memberships = "SELECT pg_has_role('patchbay_test_management', 'svc_integration', 'MEMBER'), pg_has_role('patchbay_test_svc', 'patchbay_management', 'MEMBER'), pg_has_role('patchbay_test_management', 'patchbay_owner', 'MEMBER')";
    assert_eq!(database.psql(ADMINISTRATOR, memberships).unwrap(), "f|f|f", "two logins, neither with the other's role");
    // What the two ways write of a migration is the same.
    let other = Cluster::get().empty(MAKER);
    provision(&mut connect(&other, MAKER).await, None).await.unwrap();
    let rows = "SELECT version, description, success, checksum FROM patchbay._sqlx_migrations ORDER BY version";
    assert_eq!(other.psql(ADMINISTRATOR, rows).unwrap(), database.psql(ADMINISTRATOR, rows).unwrap());
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    for foreign in
        ["CREATE TABLE invoices (id int)", "CREATE SCHEMA shop; CREATE VIEW shop.orders AS SELECT 1 AS id", "CREATE SCHEMA patchbay; CREATE TABLE patchbay.wires (id int)"]
    {
        let database = Cluster::get().empty(MAKER);
        database.psql(MAKER, foreign).unwrap();
        let error = provision(&mut connect(&database, MAKER).await, None).await.unwrap_err();
        assert!(matches!(error, StoreError::ForeignDatabase { tables: 1, .. }), "{foreign}: {error}");
        let problem = Problem::from(error);
        assert!(problem.message.contains("tables of another program") && problem.message.contains(&database.name), "{}", problem.message);
        assert_eq!(database.psql(ADMINISTRATOR, "SELECT count(*) FROM pg_class WHERE relname = 'organizations'").unwrap(), "0");
    }
    // What an extension brings along is nobody's table.
    let database = Cluster::get().empty(MAKER);
    database.psql(ADMINISTRATOR, "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION pgcrypto SCHEMA public").unwrap();
    let mut connection = connect(&database, MAKER).await;
    provision(&mut connection, None).await.unwrap();
    let opened = "SET ROLE svc_integration; SELECT convert_from(patchbay.opened(patchbay.sealed('secret'::bytea, 'key'), 'key'), 'UTF8')";
    assert_eq!(database.psql(MAKER, opened).unwrap(), "secret", "pgcrypto is found where it lies");
}

#[tokio::test]
async fn a_newer_schema_is_refused_when_it_says_so_and_left_alone_when_not() {
    let known = newest().await;
    let database = prepared();
    let newer = format!(
        "COMMENT ON SCHEMA patchbay IS 'Patchbay, schema {0}'; INSERT INTO patchbay._sqlx_migrations VALUES ({0}, 'later', now(), true, '\\x00', 1); INSERT INTO patchbay.store_header (singleton, id, key_header, created_at) VALUES (1, gen_random_uuid(), '{{}}', now());",
        known + 1
    );
    database.psql(ADMINISTRATOR, &newer).unwrap();
    let mut connection = connect(&database, LOGIN).await;
    assert_eq!(identify(&mut connection).await.unwrap(), Identity::Store { schema: Some(known + 1), minimum_reader: Some(1), complete: true });
    provision(&mut connection, None).await.unwrap();
    assert_eq!(
        database.psql(ADMINISTRATOR, "SELECT obj_description('patchbay'::regnamespace, 'pg_namespace')").unwrap(),
        format!("Patchbay, schema {}", known + 1),
        "an older program does not take it back"
    );
    database.psql(ADMINISTRATOR, &format!("UPDATE patchbay.store_header SET minimum_reader = {}", known + 1)).unwrap();
    let error = provision(&mut connection, None).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found, known: mine } if found == known + 1 && mine == known), "{error}");
    let message = Problem::from(error).message;
    assert!(message.contains("newer Patchbay") && !message.contains('\n'), "{message}");
}

#[tokio::test]
async fn roles_that_would_undo_everything_are_refused() {
    let database = prepared();
    let mut connection = connect(&database, ADMINISTRATOR).await;
    for (change, expected) in [
        ("ALTER ROLE patchbay_management BYPASSRLS", "bypasses row security"),
        ("ALTER ROLE svc_integration LOGIN", "svc_integration can log in"),
        ("GRANT svc_integration TO patchbay_management", "patchbay_management is a member of svc_integration"),
        (
            "CREATE ROLE patchbay_test_between; GRANT patchbay_owner TO patchbay_test_between; GRANT patchbay_test_between TO svc_integration",
            "svc_integration is a member of patchbay_owner",
        ),
    ] {
        // Roles are the whole server's: within a transaction that nobody else sees.
        let mut tx = connection.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(change.to_owned())).execute(&mut *tx).await.unwrap();
        let error = provision(&mut tx, None).await.unwrap_err();
        tx.rollback().await.unwrap();
        assert!(matches!(error, StoreError::UnfitServer { .. }) && error.to_string().contains(expected), "{change}: {error}");
        assert_eq!(Problem::from(error).code, Code::StoreUnprepared);
    }
    let error = provision(&mut connection, Some("nobody of this name")).await.unwrap_err();
    assert!(matches!(error, StoreError::UnfitServer { .. }) && error.to_string().contains("nobody of this name"), "{error}");
}
