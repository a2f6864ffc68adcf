//! What the database itself keeps every role from, whatever the program does: raw SQL by each login, in both arrangements.
//! Nothing of the program stands between; what must not be possible fails in PostgreSQL, or finds nothing.

mod ciphertexts;

use patchbay_model::credential::{Envelope, SealedAt};
use patchbay_model::{AccountId, Code, OrganizationId, Secret};
use patchbay_vault::{Aad, MasterKey, OsEntropy, SourceKind, Vault, system_context};
use sqlx::postgres::{PgConnection, PgDatabaseError};
use sqlx::{AssertSqlSafe, Connection, Row};
use uuid::Uuid;

use crate::cluster::{ADMINISTRATOR, Cluster, LOGIN, MANAGEMENT_LOGIN, SVC_LOGIN};
use crate::place::{Backend, Place};
use crate::provisioning::connect;

const MANAGEMENT: &str = "patchbay_management";
const SVC: &str = "svc_integration";

/// Columns that hold sealed values.
const SEALED: [(&str, &str); 7] = [
    ("integration_instances", "credentials"),
    ("shared_credentials", "credentials"),
    ("connect_sessions", "verifier"),
    ("refresh_journal", "previous"),
    ("refresh_flights", "previous"),
    ("connect_legs", "secrets"),
    ("revocations", "tokens"),
];

/// Tables that belong to the store and to no tenant, or, as definitions, not all of whose rows do.
const OF_THE_STORE: [&str; 3] = ["store_header", "integration_definitions", "_sqlx_migrations"];

/// Sessions that act as a role: by the one login for both, by a login of its own, and by that one without saying the role.
async fn sessions(place: &Place, role: &str) -> Vec<(String, PgConnection)> {
    let own = if role == MANAGEMENT { MANAGEMENT_LOGIN } else { SVC_LOGIN };
    let mut sessions = Vec::new();
    for (login, says) in [(LOGIN, true), (own, true), (own, false)] {
        let mut connection = connect(place.database.as_ref().unwrap(), login).await;
        sqlx::raw_sql("SET search_path = patchbay, pg_temp").execute(&mut connection).await.unwrap();
        if says {
            sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE {role}"))).execute(&mut connection).await.unwrap();
        }
        sessions.push((format!("{login}{}", if says { format!(" as {role}") } else { String::new() }), connection));
    }
    sessions
}

fn scope(organization: OrganizationId, account: Option<AccountId>) -> String {
    let account = account.map_or_else(|| "all".to_owned(), |id| id.to_string());
    format!("SET LOCAL patchbay.organization = '{organization}'; SET LOCAL patchbay.account = '{account}'")
}

const SYSTEM: &str = "SET LOCAL patchbay.scope = 'system'";

/// What PostgreSQL said no with.
#[derive(Debug)]
struct Refusal {
    code: String,
    words: String,
}

/// Runs statements within a scope, in a transaction that is given up. Gives how many rows the last one found or changed.
async fn tried(connection: &mut PgConnection, scope: &str, sql: &str) -> Result<u64, Refusal> {
    let mut tx = connection.begin().await.unwrap();
    let refusal = |error: sqlx::Error| {
        let Some(said) = error.as_database_error().map(|error| error.downcast_ref::<PgDatabaseError>()) else { panic!("{error}") };
        Refusal { code: said.code().to_owned(), words: format!("{} {} {}", said.message(), said.detail().unwrap_or_default(), said.hint().unwrap_or_default()) }
    };
    let outcome = async {
        sqlx::raw_sql(AssertSqlSafe(scope.to_owned())).execute(&mut *tx).await.map_err(refusal)?;
        if sql.trim_start().starts_with("SELECT") || sql.contains("RETURNING") {
            Ok(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut *tx).await.map_err(refusal)?.len() as u64)
        } else {
            Ok(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *tx).await.map_err(refusal)?.rows_affected())
        }
    }
    .await;
    tx.rollback().await.unwrap();
    outcome
}

/// That PostgreSQL refuses a statement for want of a right.
async fn assert_denied(who: &str, connection: &mut PgConnection, scope: &str, sql: &str) {
    match tried(connection, scope, sql).await {
        Err(refusal) => assert_eq!(refusal.code, "42501", "{who}: {sql}: {}", refusal.words),
        Ok(rows) => panic!("{who} could: {sql} ({rows} rows)"),
    }
}

async fn names(place: &Place, sql: &str) -> Vec<String> {
    let mut connection = connect(place.database.as_ref().unwrap(), ADMINISTRATOR).await;
    sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn tenant_tables(place: &Place) -> Vec<String> {
    let tables = names(place, "SELECT relname::text FROM pg_class WHERE relnamespace = 'patchbay'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1").await;
    tables.into_iter().filter(|table| !OF_THE_STORE.contains(&table.as_str())).collect()
}

#[tokio::test]
async fn every_table_of_a_tenant_is_under_forced_row_security() {
    let place = Place::new(Backend::Postgres).await;
    let tables = tenant_tables(&place).await;
    assert_eq!(tables.len(), 38, "{tables:?}");
    let open =
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'patchbay'::regnamespace AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY 1";
    assert_eq!(names(&place, open).await, ["_sqlx_migrations", "store_header"]);
    for command in ["r", "a", "w", "d"] {
        let covered = names(&place, &format!("SELECT DISTINCT class.relname::text FROM pg_policy AS policy JOIN pg_class AS class ON class.oid = policy.polrelid WHERE policy.polcmd = '{command}' AND NOT 0 = ANY (policy.polroles) ORDER BY 1")).await;
        let governed: Vec<String> = covered.into_iter().filter(|table| table != "integration_definitions").collect();
        assert_eq!(governed, tables, "a policy for {command}, and none for everybody");
    }
    // Whatever else could reach a row without being asked for its policy.
    for role in [MANAGEMENT, SVC, "public"] {
        for right in ["TRUNCATE", "REFERENCES", "TRIGGER"] {
            let with = names(
                &place,
                &format!("SELECT relname::text FROM pg_class WHERE relnamespace = 'patchbay'::regnamespace AND relkind = 'r' AND has_table_privilege('{role}', oid, '{right}')"),
            )
            .await;
            assert!(with.is_empty(), "{role} has {right} on {with:?}");
        }
    }
    assert!(names(&place, "SELECT relname::text FROM pg_class WHERE relnamespace = 'patchbay'::regnamespace AND relkind = 'r' AND has_any_column_privilege('public', oid, 'SELECT, INSERT, UPDATE')").await.is_empty());
    let closed = names(&place, &format!("SELECT class.relname || '.' || attname FROM pg_attribute JOIN pg_class AS class ON class.oid = attrelid WHERE class.relnamespace = 'patchbay'::regnamespace AND class.relkind = 'r' AND attnum > 0 AND NOT attisdropped AND NOT has_column_privilege('{MANAGEMENT}', class.oid, attnum, 'SELECT') ORDER BY 1")).await;
    assert_eq!(
        closed,
        [
            "connect_legs.secrets",
            "connect_sessions.verifier",
            "integration_instances.credentials",
            "refresh_flights.previous",
            "refresh_journal.previous",
            "revocations.tokens",
            "shared_credentials.credentials"
        ],
        "and every other column is readable"
    );
    assert!(names(&place, &format!("SELECT attname::text FROM pg_attribute JOIN pg_class AS class ON class.oid = attrelid WHERE class.relnamespace = 'patchbay'::regnamespace AND class.relkind = 'r' AND attnum > 0 AND NOT attisdropped AND NOT has_column_privilege('{SVC}', class.oid, attnum, 'SELECT')")).await.is_empty());
    let definers = names(&place, "SELECT proname::text FROM pg_proc WHERE pronamespace = 'patchbay'::regnamespace AND prosecdef ORDER BY 1").await;
    assert_eq!(definers, ["newest_change", "number_change", "oldest_change"], "functions with the owner's rights are few");
    let loose = names(
        &place,
        "SELECT proname::text FROM pg_proc WHERE pronamespace = 'patchbay'::regnamespace AND prosecdef AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(proconfig, '{}'))",
    )
    .await;
    assert!(loose.is_empty(), "their search path is pinned: {loose:?}");
}

#[tokio::test]
async fn the_management_role_reads_no_sealed_value() {
    let place = Place::new(Backend::Postgres).await;
    let ours = place.ours.organization.id;
    let new = "gen_random_uuid()";
    for (who, mut connection) in sessions(&place, MANAGEMENT).await {
        for (table, column) in SEALED {
            for sql in [
                format!("SELECT {column} FROM {table}"),
                format!("SELECT * FROM {table}"),
                format!("SELECT one FROM {table} AS one"),
                format!("SELECT one::text FROM {table} AS one"),
                format!("SELECT to_jsonb(one) FROM {table} AS one"),
                format!("SELECT (one).{column} FROM {table} AS one"),
                format!("SELECT organization_id FROM {table} WHERE {column} IS NOT NULL"),
                format!("SELECT organization_id FROM {table} WHERE {column} ->> 'ct' LIKE 'a%'"),
                format!("SELECT organization_id FROM {table} ORDER BY {column}"),
                format!("SELECT count({column}) FROM {table}"),
                format!("SELECT md5(string_agg({column}::text, '')) FROM {table}"),
                format!("SELECT one.organization_id FROM {table} AS one JOIN {table} AS other USING ({column})"),
                format!("SELECT pg_typeof((SELECT {column} FROM {table} LIMIT 1))"),
                format!("SELECT pg_column_size({column}) FROM {table}"),
                format!("SELECT 1 / (CASE WHEN {column} ->> 'ct' LIKE 'a%' THEN 0 ELSE 1 END) FROM {table}"),
                format!("SELECT query_to_xml('SELECT {column} FROM patchbay.{table}', true, false, '')"),
                format!("SELECT table_to_xml('patchbay.{table}', true, false, '')"),
                format!("SELECT patchbay.opened({column} ->> 'ct', 'guess') FROM {table}"),
                format!("WITH taken AS (SELECT {column} FROM {table}) SELECT * FROM taken"),
                format!("COPY {table} TO STDOUT"),
                format!("COPY {table} ({column}) TO STDOUT"),
                format!("COPY (SELECT {column} FROM {table}) TO STDOUT"),
                format!("CREATE TEMP TABLE loot AS SELECT {column} FROM {table}"),
                format!("CREATE TEMP VIEW loot AS SELECT {column} FROM {table}; SELECT * FROM loot"),
                format!("DECLARE loot CURSOR FOR SELECT {column} FROM {table}; FETCH ALL FROM loot"),
                format!("PREPARE loot_{table} AS SELECT {column} FROM {table}; EXECUTE loot_{table}"),
                format!("DO $$ BEGIN PERFORM {column} FROM {table}; END $$"),
                format!("EXPLAIN ANALYZE SELECT {column} FROM {table}"),
                format!("UPDATE {table} SET {column} = {column}"),
                format!("UPDATE {table} SET {column} = NULL RETURNING {column}"),
                format!("UPDATE {table} SET {column} = NULL WHERE {column} IS NOT NULL"),
                format!("DELETE FROM {table} RETURNING {column}"),
                format!("DELETE FROM {table} WHERE {column} ->> 'ct' LIKE 'a%'"),
                format!("MERGE INTO {table} AS mine USING (SELECT 1) AS one ON mine.{column} IS NOT NULL WHEN MATCHED THEN DELETE"),
                format!("UPDATE organizations SET contact = (SELECT {column}::text FROM {table} LIMIT 1)"),
                format!(
                    "INSERT INTO audit_events (id, organization_id, created_at, origin, audit_type, operation, method, path, status, code, remote_addr, user_agent, body) SELECT {new}, '{ours}', now(), 'api', '', '', '', '', 0, '', '', '', {column} FROM {table}"
                ),
            ] {
                assert_denied(&who, &mut connection, &scope(ours, None), &sql).await;
            }
        }
        for sql in [
            "UPDATE integration_instances SET config = credentials".to_owned(),
            "UPDATE integration_instances SET fullname = credentials ->> 'ct'".to_owned(),
            format!(
                "INSERT INTO shared_credentials (id, organization_id, credentials, created_at, updated_at) SELECT {new}, organization_id, credentials, now(), now() FROM integration_instances"
            ),
            format!(
                "INSERT INTO shared_credentials (id, organization_id, credentials, created_at, updated_at) VALUES ({new}, '{ours}', '{{}}', now(), now()) RETURNING credentials"
            ),
            format!("INSERT INTO shared_credentials (id, organization_id, credentials, created_at, updated_at) VALUES ({new}, '{ours}', '{{}}', now(), now()) RETURNING *"),
            format!(
                "INSERT INTO shared_credentials AS mine (id, organization_id, credentials, created_at, updated_at) VALUES ({new}, '{ours}', '{{}}', now(), now()) ON CONFLICT (id) DO UPDATE SET credentials = mine.credentials"
            ),
            format!(
                "INSERT INTO shared_credentials AS mine (id, organization_id, credentials, created_at, updated_at) VALUES ({new}, '{ours}', '{{}}', now(), now()) ON CONFLICT (id) DO UPDATE SET updated_at = now() WHERE mine.credentials IS NOT NULL"
            ),
        ] {
            assert_denied(&who, &mut connection, &scope(ours, None), &sql).await;
        }
        // Neither do the server's own books tell, nor its files.
        for sql in [
            "SELECT * FROM pg_statistic",
            "SELECT pg_read_file('postgresql.conf')",
            "SELECT pg_ls_dir('.')",
            "SELECT lo_import('/etc/passwd')",
            "COPY organizations (contact) TO PROGRAM 'cat'",
            "COPY organizations (contact) FROM PROGRAM 'id'",
            "CREATE EXTENSION pageinspect",
            "SELECT rolpassword FROM pg_authid",
        ] {
            assert_denied(&who, &mut connection, &scope(ours, None), sql).await;
        }
        let statistics = "SELECT 1 FROM pg_stats WHERE schemaname = 'patchbay' AND tablename NOT IN ('store_header', 'integration_definitions', '_sqlx_migrations')";
        place.database.as_ref().unwrap().psql(ADMINISTRATOR, "ANALYZE").unwrap();
        assert_eq!(tried(&mut connection, &scope(ours, None), statistics).await.unwrap(), 0, "{who}: statistics would be samples of everybody's rows");
        // What it is for works: it writes them.
        let written = "UPDATE integration_instances SET credentials = '{\"v\": 1, \"key_id\": \"k\", \"ct\": \"\"}'";
        assert_eq!(tried(&mut connection, &scope(ours, None), written).await.unwrap(), 2, "{who} writes");
    }
    for (who, mut connection) in sessions(&place, SVC).await {
        assert_eq!(tried(&mut connection, &scope(ours, None), "SELECT credentials FROM integration_instances WHERE credentials IS NOT NULL").await.unwrap(), 2, "{who} reads");
    }
    assert_eq!(names(&place, "SELECT attname::text FROM pg_stats WHERE schemaname = 'patchbay' AND (tablename, attname) IN (('integration_instances', 'credentials'), ('shared_credentials', 'credentials'), ('connect_sessions', 'verifier'), ('refresh_journal', 'previous'), ('refresh_flights', 'previous'), ('connect_legs', 'secrets'), ('revocations', 'tokens'))").await, [""; 0], "and no samples of ciphertexts are kept at all");
}

#[tokio::test]
async fn nobody_becomes_another() {
    let place = Place::new(Backend::Postgres).await;
    let database = place.database.as_ref().unwrap();
    for (login, others) in [
        (MANAGEMENT_LOGIN, vec![SVC, SVC_LOGIN, LOGIN, "patchbay_owner", ADMINISTRATOR]),
        (SVC_LOGIN, vec![MANAGEMENT, MANAGEMENT_LOGIN, LOGIN, "patchbay_owner", ADMINISTRATOR]),
        // One login for both is both; that much `doctor` says. More it is not.
        (LOGIN, vec!["patchbay_owner", ADMINISTRATOR, MANAGEMENT_LOGIN, SVC_LOGIN]),
    ] {
        let mut connection = connect(database, login).await;
        for other in &others {
            for sql in [
                format!("SET ROLE \"{other}\""),
                format!("SET LOCAL ROLE \"{other}\""),
                format!("SELECT set_config('role', '{other}', false)"),
                format!("SET SESSION AUTHORIZATION \"{other}\""),
                format!("GRANT \"{other}\" TO \"{login}\""),
                format!("ALTER ROLE \"{other}\" LOGIN PASSWORD 'mine'"),
                format!("ALTER ROLE \"{other}\" RENAME TO mine"),
                format!("REASSIGN OWNED BY \"{other}\" TO \"{login}\""),
                format!("ALTER DEFAULT PRIVILEGES FOR ROLE \"{other}\" GRANT SELECT ON TABLES TO \"{login}\""),
            ] {
                assert_denied(login, &mut connection, "SELECT 1", &sql).await;
            }
        }
        for sql in [
            format!("ALTER ROLE \"{login}\" SUPERUSER"),
            format!("ALTER ROLE \"{login}\" BYPASSRLS"),
            format!("ALTER ROLE \"{login}\" CREATEROLE"),
            "CREATE ROLE mine".to_owned(),
            "CREATE SCHEMA mine".to_owned(),
            "CREATE TABLE public.mine (id int)".to_owned(),
            "CREATE TABLE patchbay.mine (id int)".to_owned(),
            "ALTER SCHEMA patchbay RENAME TO mine".to_owned(),
            "ALTER DATABASE template1 SET search_path = mine".to_owned(),
            "ALTER SYSTEM SET row_security = off".to_owned(),
            "SET session_replication_role = replica".to_owned(),
            "SET log_statement = 'all'".to_owned(),
            "SELECT pg_reload_conf()".to_owned(),
        ] {
            match tried(&mut connection, "SELECT 1", &sql).await {
                // Some are refused as no command of a transaction before anybody asks for rights.
                Err(refusal) => assert!(matches!(refusal.code.as_str(), "42501" | "25001"), "{login}: {sql}: {}", refusal.words),
                Ok(_) => panic!("{login} could: {sql}"),
            }
        }
        // A grant by one who may not grant is a warning, and nothing is granted.
        for (grant, asked) in [
            ("GRANT SELECT ON patchbay.integration_instances TO PUBLIC", "has_table_privilege('public', 'patchbay.integration_instances', 'SELECT')"),
            ("GRANT SELECT (credentials) ON patchbay.integration_instances TO PUBLIC", "has_column_privilege('public', 'patchbay.integration_instances', 'credentials', 'SELECT')"),
            ("GRANT USAGE ON SCHEMA patchbay TO PUBLIC", "has_schema_privilege('public', 'patchbay', 'USAGE')"),
            ("GRANT EXECUTE ON FUNCTION patchbay.opened(text, text) TO PUBLIC", "has_function_privilege('public', 'patchbay.opened(text, text)', 'EXECUTE')"),
        ] {
            match tried(&mut connection, grant, &format!("SELECT 1 WHERE {asked}")).await {
                Ok(rows) => assert_eq!(rows, 0, "{login} could: {grant}"),
                Err(refusal) => assert_eq!(refusal.code, "42501", "{login}: {grant}: {}", refusal.words),
            }
        }
    }
}

#[tokio::test]
async fn nobody_changes_the_rules() {
    let place = Place::new(Backend::Postgres).await;
    let ours = scope(place.ours.organization.id, None);
    for role in [MANAGEMENT, SVC] {
        for (who, mut connection) in sessions(&place, role).await {
            for table in ["integration_instances", "shared_credentials", "changes", "accounts", "store_header", "integration_definitions"] {
                for sql in [
                    format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"),
                    format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"),
                    format!("CREATE POLICY mine ON {table} USING (true)"),
                    format!("ALTER TABLE {table} OWNER TO CURRENT_USER"),
                    format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
                    format!("ALTER TABLE {table} ADD COLUMN mine int"),
                    format!("ALTER TABLE {table} RENAME TO mine"),
                    format!("CREATE TRIGGER mine BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"),
                    format!("CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING"),
                    format!("CREATE INDEX mine ON {table} ((random()))"),
                    format!("TRUNCATE {table}"),
                    format!("DROP TABLE {table}"),
                    format!("COMMENT ON TABLE {table} IS 'mine'"),
                    format!("CREATE TEMP TABLE child () INHERITS ({table})"),
                    format!("CREATE VIEW patchbay.mine AS SELECT 1 FROM {table}"),
                ] {
                    assert_denied(&who, &mut connection, &ours, &sql).await;
                }
            }
            for sql in [
                "ALTER POLICY integration_instances_select ON integration_instances USING (true)",
                "DROP POLICY integration_instances_select ON integration_instances",
                "DROP POLICY changes_owner ON changes",
                "CREATE OR REPLACE FUNCTION patchbay.scope_is_system() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
                "ALTER FUNCTION patchbay.scope_is_system() RENAME TO mine",
                "DROP FUNCTION patchbay.scope_is_system() CASCADE",
                "CREATE FUNCTION patchbay.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "SELECT patchbay.regrant()",
                "SELECT patchbay.number_change()",
                "SELECT nextval('patchbay.changes_numbers')",
                "SELECT setval('patchbay.changes_numbers', 1)",
                "UPDATE changes SET sequence = 0",
                "UPDATE changes SET origin = 'api'",
                "UPDATE audit_events SET operation = 'nothing'",
                "UPDATE audit_events SET created_at = now()",
                "UPDATE deletions SET deleted_at = now()",
                "DELETE FROM store_header",
                "DELETE FROM integration_definitions",
                "UPDATE store_header SET minimum_reader = 99",
                "UPDATE store_header SET id = gen_random_uuid()",
                "UPDATE integration_definitions SET docs_url = 'https://evil.example'",
                "INSERT INTO _sqlx_migrations VALUES (99, 'mine', now(), true, '', 0)",
                "ALTER EXTENSION pgcrypto SET SCHEMA public",
                "DROP SCHEMA patchbay CASCADE",
            ] {
                assert_denied(&who, &mut connection, &ours, sql).await;
            }
            let number = format!("INSERT INTO changes (sequence, organization_id, kind, object_id, origin) VALUES (1, '{}', 'account', 'x', 'api')", place.ours.organization.id);
            assert_denied(&who, &mut connection, &ours, &number).await;
            // Maintenance alone removes an organization: in its own scope there is none to remove.
            assert_eq!(tried(&mut connection, &ours, "DELETE FROM organizations").await.map_err(|refusal| refusal.words), Ok(0), "{who}");
            // Switched off, row security refuses in place of filtering.
            assert_denied(&who, &mut connection, &ours, "SET LOCAL row_security = off; SELECT count(*) FROM integration_instances").await;
        }
    }
}

#[tokio::test]
async fn without_a_whole_scope_there_are_no_rows() {
    let place = Place::new(Backend::Postgres).await;
    let (ours, theirs) = (place.ours.organization.id, place.theirs.organization.id);
    let account = place.ours.accounts[0].account.id;
    let tables = tenant_tables(&place).await;
    let set = |name: &str, value: &str| format!("SET LOCAL patchbay.{name} = '{value}'");
    let empty = [
        "SELECT 1".to_owned(),
        set("organization", &ours.to_string()),
        set("account", "all"),
        set("account", &account.to_string()),
        format!("{}; {}", set("organization", &ours.to_string()), set("account", "")),
        format!("{}; {}", set("organization", ""), set("account", "all")),
        set("scope", ""),
        set("scope", "System"),
        set("scope", "system "),
        set("scope", "tenant"),
        set("scope", "''system''"),
        format!("{}; {}", set("organization", &Uuid::nil().to_string()), set("account", "all")),
        format!("{}; {}", set("organization", &Uuid::from_u128(7).to_string()), set("account", &account.to_string())),
    ];
    for role in [MANAGEMENT, SVC] {
        for (who, mut connection) in sessions(&place, role).await {
            for table in &tables {
                for scope in &empty {
                    assert_eq!(tried(&mut connection, scope, &format!("SELECT 1 FROM {table}")).await.unwrap(), 0, "{who} sees {table} with {scope}");
                    if !matches!(table.as_str(), "organizations") {
                        assert_eq!(tried(&mut connection, scope, &format!("DELETE FROM {table}")).await.unwrap(), 0, "{who} empties {table} with {scope}");
                    }
                }
                // What is no UUID is an error, and no row.
                for value in ["x", "all", "%", "null", "ALL", "' OR true --"] {
                    let organization = format!("SET LOCAL patchbay.organization = {}; SET LOCAL patchbay.account = 'all'", quoted(value));
                    // An empty table answers before anybody looks at the setting.
                    match tried(&mut connection, &organization, &format!("SELECT 1 FROM {table}")).await {
                        Ok(rows) => assert_eq!(rows, 0, "{who}: {table} with organization {value}"),
                        Err(error) => assert_eq!(error.code, "22P02", "{who}: {table} with organization {value}: {}", error.words),
                    }
                }
            }
            for value in ["x", "ALL", "All", " all", "all, all", "{all}"] {
                let scope = format!("{}; SET LOCAL patchbay.account = {}", set("organization", &ours.to_string()), quoted(value));
                let error = tried(&mut connection, &scope, "SELECT 1 FROM integration_instances").await.unwrap_err();
                assert_eq!(error.code, "22P02", "{who}: account {value}: {}", error.words);
            }
            // An account of ours is none of theirs, and the other way round.
            for (organization, account) in [(theirs, account), (ours, place.theirs.accounts[0].account.id)] {
                let scope = scope(organization, Some(account));
                for table in ["accounts", "integration_instances", "audit_events", "changes", "deletions", "connect_sessions"] {
                    assert_eq!(tried(&mut connection, &scope, &format!("SELECT 1 FROM {table}")).await.unwrap(), 0, "{who} sees {table} of a crossed scope");
                }
            }
            // What a transaction stated ends with it.
            let mut tx = connection.begin().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(scope(ours, None))).execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(tried(&mut connection, "SELECT 1", "SELECT 1 FROM accounts").await.unwrap(), 0, "{who}: a scope outlives its transaction");
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[tokio::test]
async fn nobody_reaches_another_account_or_organization() {
    let place = Place::new(Backend::Postgres).await;
    let (ours, theirs) = (&place.ours, &place.theirs);
    let (organization, one, two) = (ours.organization.id, ours.accounts[0].account.id, ours.accounts[1].account.id);
    let within = scope(organization, Some(one));
    let tables = tenant_tables(&place).await;
    let with_account = names(&place, "SELECT class.relname::text FROM pg_attribute JOIN pg_class AS class ON class.oid = attrelid WHERE class.relnamespace = 'patchbay'::regnamespace AND class.relkind = 'r' AND attname = 'account_id' AND NOT attisdropped ORDER BY 1").await;
    for role in [MANAGEMENT, SVC] {
        for (who, mut connection) in sessions(&place, role).await {
            for table in &tables {
                let column = if table == "organizations" { "id" } else { "organization_id" };
                for scope in [&within, &scope(organization, None)] {
                    assert_eq!(
                        tried(&mut connection, scope, &format!("SELECT 1 FROM {table} WHERE {column} <> '{organization}'")).await.unwrap(),
                        0,
                        "{who} sees {table} of another organization"
                    );
                }
                let updatable = names(&place, &format!("SELECT attname::text FROM pg_attribute WHERE attrelid = 'patchbay.{table}'::regclass AND attnum > 0 AND NOT attisdropped AND has_column_privilege('{role}', attrelid, attnum, 'UPDATE') AND has_column_privilege('{role}', attrelid, attnum, 'SELECT') ORDER BY attnum DESC LIMIT 1")).await;
                if let Some(changed) = updatable.first() {
                    let sql = format!("UPDATE {table} SET {changed} = {changed} WHERE {column} <> '{organization}'");
                    assert_eq!(tried(&mut connection, &scope(organization, None), &sql).await.unwrap(), 0, "{who} changes {table} of another organization");
                    if with_account.contains(table) {
                        let sql = format!("UPDATE {table} SET {changed} = {changed} WHERE account_id IS DISTINCT FROM '{one}'");
                        // Of a point's credential that is being renewed every account may write down how far it has come.
                        assert_eq!(tried(&mut connection, &within, &sql).await.unwrap(), 0, "{who} changes {table} of another account");
                    }
                }
                // Whose a row is never changes, for nobody.
                for fixed in names(
                    &place,
                    &format!("SELECT attname::text FROM pg_attribute WHERE attrelid = 'patchbay.{table}'::regclass AND attname IN ('id', 'organization_id', 'account_id')"),
                )
                .await
                {
                    assert_denied(&who, &mut connection, &scope(organization, None), &format!("UPDATE {table} SET {fixed} = '{two}'")).await;
                }
            }
            for table in &with_account {
                assert_eq!(
                    tried(&mut connection, &within, &format!("SELECT 1 FROM {table} WHERE account_id <> '{one}'")).await.unwrap(),
                    0,
                    "{who} sees {table} of another account"
                );
                if table != "changes" {
                    assert_eq!(
                        tried(&mut connection, &within, &format!("DELETE FROM {table} WHERE account_id IS DISTINCT FROM '{one}'")).await.unwrap(),
                        0,
                        "{who} deletes in {table} of another account"
                    );
                }
            }
            assert!(tried(&mut connection, &within, "SELECT 1 FROM integration_instances").await.unwrap() == 1, "{who} sees the account's own");
            // What belongs to the organization alone is closed to an account's scope.
            for table in ["roles", "members", "web_sessions", "one_time_links", "webhook_attempts"] {
                assert_eq!(tried(&mut connection, &within, &format!("SELECT 1 FROM {table}")).await.unwrap(), 0, "{who} sees {table} in an account's scope");
            }
            assert_eq!(
                tried(&mut connection, &within, &format!("SELECT 1 FROM token_secrets WHERE container_id <> '{}'", ours.accounts[0].token.id)).await.unwrap(),
                0,
                "{who} sees another's token secrets"
            );
            assert_eq!(
                tried(&mut connection, &within, &format!("SELECT 1 FROM integration_credential_references WHERE integration_id <> '{}'", ours.accounts[0].integration.id))
                    .await
                    .unwrap(),
                0
            );
            for table in ["organizations", "integration_points", "provider_apps", "organization_webhooks"] {
                assert_eq!(tried(&mut connection, &within, &format!("UPDATE {table} SET updated_at = now()")).await.unwrap(), 0, "{who} changes {table} in an account's scope");
            }
            // Rows for others are not added either.
            let copy = |organization: OrganizationId, account: AccountId| {
                format!(
                    "INSERT INTO integration_instances (id, organization_id, account_id, integration_id, name, fullname, provider, connector, status, status_since, config, refresh_token_id, created_at, updated_at) SELECT gen_random_uuid(), '{organization}', '{account}', integration_id, 'intruder', fullname, provider, connector, status, status_since, config, refresh_token_id, created_at, updated_at FROM integration_instances LIMIT 1"
                )
            };
            assert_denied(&who, &mut connection, &within, &copy(organization, two)).await;
            assert_denied(&who, &mut connection, &within, &copy(theirs.organization.id, theirs.accounts[0].account.id)).await;
            assert_denied(&who, &mut connection, &scope(organization, None), &copy(theirs.organization.id, theirs.accounts[0].account.id)).await;
            let shared = |account: &str| {
                format!(
                    "INSERT INTO shared_credentials (id, organization_id, account_id, credentials, created_at, updated_at) VALUES (gen_random_uuid(), '{organization}', {account}, '{{}}', now(), now())"
                )
            };
            assert_denied(&who, &mut connection, &within, &shared("NULL")).await;
            assert_denied(&who, &mut connection, &within, &shared(&format!("'{two}'"))).await;
            assert_denied(
                &who,
                &mut connection,
                &within,
                &format!("INSERT INTO changes (organization_id, account_id, kind, object_id, origin) VALUES ('{organization}', '{two}', 'account', 'x', 'api')"),
            )
            .await;
            assert_denied(
                &who,
                &mut connection,
                &within,
                &format!("INSERT INTO changes (organization_id, kind, object_id, origin) VALUES ('{}', 'account', 'x', 'api')", theirs.organization.id),
            )
            .await;
            // A reference over the border leads nowhere, and does not tell whether it would lead somewhere.
            let point = |id: String| format!("UPDATE integration_instances SET integration_point_id = '{id}'");
            let (known, unknown) = (
                tried(&mut connection, &within, &point(theirs.point.id.to_string())).await.unwrap_err(),
                tried(&mut connection, &within, &point(Uuid::from_u128(7).to_string())).await.unwrap_err(),
            );
            assert_eq!((known.code.as_str(), unknown.code.as_str()), ("23503", "23503"));
            assert_eq!(known.words, unknown.words.replace(&Uuid::from_u128(7).to_string(), &theirs.point.id.to_string()));
        }
    }
}

#[tokio::test]
async fn errors_and_functions_tell_nothing_of_other_rows() {
    let place = Place::new(Backend::Postgres).await;
    let database = place.database.as_ref().unwrap();
    let (ours, theirs) = (&place.ours, &place.theirs);
    let within = scope(ours.organization.id, Some(ours.accounts[0].account.id));
    database
        .psql(ADMINISTRATOR, &format!("UPDATE patchbay.integration_instances SET fullname = 'the others'' secret plan' WHERE account_id <> '{}'", ours.accounts[0].account.id))
        .unwrap();
    for role in [MANAGEMENT, SVC] {
        for (who, mut connection) in sessions(&place, role).await {
            // A function that is cheap and tells would be asked before the policy, were the policy no barrier.
            let spy = "CREATE FUNCTION pg_temp.spy(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN IF $1 LIKE '%secret%' THEN RAISE EXCEPTION 'seen: %', $1; END IF; RETURN true; END $$";
            for sql in [
                "SELECT 1 FROM integration_instances WHERE pg_temp.spy(fullname)",
                "SELECT 1 FROM integration_instances WHERE 1 / (CASE WHEN fullname LIKE '%secret%' THEN 0 ELSE 1 END) = 1",
                "SELECT 1 FROM integration_instances WHERE CASE WHEN fullname LIKE '%secret%' THEN fullname::int = 1 ELSE true END",
                "SELECT 1 FROM integration_instances AS one JOIN accounts ON pg_temp.spy(one.fullname)",
            ] {
                let found = tried(&mut connection, &format!("{spy}; {within}"), sql).await;
                assert_eq!(found.as_ref().ok(), Some(&1), "{who}: {sql}: {found:?}");
            }
            for sql in [
                // The key is taken by a row of theirs.
                format!(
                    "INSERT INTO accounts (id, organization_id, name, fullname, environment, labels, external_id, created_at, updated_at) VALUES ('{}', '{}', 'fresh', 'Fresh', 'test', '[]', 'fresh', now(), now())",
                    theirs.accounts[0].account.id, ours.organization.id
                ),
                format!(
                    "INSERT INTO organizations (id, name, fullname, refresh_token_id, options, created_at, updated_at) VALUES ('{}', 'theirs', 'X', gen_random_uuid(), '{{}}', now(), now())",
                    ours.organization.id
                ),
                "UPDATE integration_instances SET status = 'no such status'".to_owned(),
                "UPDATE integration_instances SET name = NULL".to_owned(),
            ] {
                let refusal = tried(&mut connection, &scope(ours.organization.id, None), &sql).await.unwrap_err();
                assert!(refusal.code.starts_with("23"), "{who}: {sql}: {refusal:?}");
                for secret in ["secret plan", "ct", "theirs", "Failing row", "already exists"] {
                    assert!(!refusal.words.contains(secret), "{who}: {sql} tells {secret}: {}", refusal.words);
                }
            }
        }
    }
}

#[tokio::test]
async fn an_organizations_own_manifest_is_seen_by_nobody_else() {
    let place = Place::new(Backend::Postgres).await;
    let (ours, theirs) = (place.ours.organization.id, place.theirs.organization.id);
    let insert = |organization: &str| {
        format!(
            "INSERT INTO patchbay.integration_definitions (id, name, type, version, auth_type, docs_url, config_schema, credentials_schema, status, created_at, updated_at, organization_id) VALUES (gen_random_uuid(), 'custom_secret', 'custom', '1', '', '', '{{}}', '{{}}', 'active', now(), now(), {organization})"
        )
    };
    place.database.as_ref().unwrap().psql(ADMINISTRATOR, &insert(&format!("'{theirs}'"))).unwrap();
    for role in [MANAGEMENT, SVC] {
        for (who, mut connection) in sessions(&place, role).await {
            let seen = "SELECT 1 FROM integration_definitions WHERE name = 'custom_secret'";
            for scope in [scope(ours, None), scope(ours, Some(place.ours.accounts[0].account.id))] {
                assert_eq!(tried(&mut connection, &scope, seen).await.unwrap(), 0, "{who} sees another organization's manifest");
                assert!(tried(&mut connection, &scope, "SELECT 1 FROM integration_definitions").await.unwrap() > 0, "{who} sees those of the program");
                let changing = "UPDATE integration_definitions SET status = 'withdrawn'";
                assert_eq!(tried(&mut connection, &scope, changing).await.unwrap(), 0, "{who} withdraws what is not its own");
                assert_denied(&who, &mut connection, &scope, &insert("NULL")).await;
                assert_denied(&who, &mut connection, &scope, &insert(&format!("'{theirs}'"))).await;
            }
            assert_eq!(tried(&mut connection, &scope(theirs, None), seen).await.unwrap(), 1, "{who}: its own organization sees it");
            assert_eq!(tried(&mut connection, &scope(theirs, None), "UPDATE integration_definitions SET status = 'withdrawn'").await.unwrap(), 1, "{who} withdraws its own");
        }
    }
}

#[tokio::test]
async fn names_in_front_of_ours_change_nothing() {
    let place = Place::new(Backend::Postgres).await;
    let ours = place.ours.organization.id;
    for role in [MANAGEMENT, SVC] {
        for (who, mut connection) in sessions(&place, role).await {
            let hijack = "CREATE FUNCTION pg_temp.scope_is_system() RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE FUNCTION pg_temp.scope_organization() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'; CREATE FUNCTION pg_temp.current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT 'system' $$; CREATE FUNCTION pg_temp.nextval(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'; CREATE FUNCTION pg_temp.uuid_eq(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE OPERATOR pg_temp.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = pg_temp.uuid_eq); CREATE TEMP TABLE changes (sequence bigint, organization_id uuid, account_id uuid, kind text, object_id text, origin text); SET LOCAL search_path = pg_temp, patchbay, pg_catalog";
            for table in ["integration_instances", "organizations", "token_secrets", "integration_credential_references"] {
                assert_eq!(tried(&mut connection, hijack, &format!("SELECT 1 FROM patchbay.{table}")).await.unwrap(), 0, "{who} sees {table} by a name in front");
            }
            // The change is numbered in the real table, by the real sequence, whatever stands in front of it.
            let mut tx = connection.begin().await.unwrap();
            let insert =
                format!("{}; {hijack}; INSERT INTO patchbay.changes (organization_id, kind, object_id, origin) VALUES ('{ours}', 'account', 'hijack', 'api')", scope(ours, None));
            sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            let numbered = "SELECT 1 FROM patchbay.changes WHERE object_id = 'hijack' AND sequence IS NULL";
            assert_eq!(tried(&mut connection, &scope(ours, None), numbered).await.unwrap(), 0, "{who}: a change without a number");
            let found = tried(&mut connection, &scope(ours, None), "SELECT 1 FROM patchbay.changes WHERE object_id = 'hijack' AND sequence > 1").await.unwrap();
            assert!(found > 0, "{who}: the change is there");
        }
    }
}

#[tokio::test]
async fn the_owner_itself_reads_no_sealed_value_and_no_tenant() {
    let place = Place::new(Backend::Postgres).await;
    let mut connection = connect(place.database.as_ref().unwrap(), ADMINISTRATOR).await;
    sqlx::raw_sql("SET ROLE patchbay_owner; SET search_path = patchbay, pg_temp").execute(&mut connection).await.unwrap();
    for (table, column) in SEALED {
        assert_denied("the owner", &mut connection, SYSTEM, &format!("SELECT {column} FROM {table}")).await;
        assert_denied("the owner", &mut connection, SYSTEM, &format!("UPDATE {table} SET updated_at = now() RETURNING {column}")).await;
    }
    for table in tenant_tables(&place).await {
        let rows = tried(&mut connection, SYSTEM, &format!("SELECT 1 FROM {table}")).await.unwrap();
        assert!(rows == 0 || table == "changes", "the owner sees {rows} rows of {table}");
    }
}
