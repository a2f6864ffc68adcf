//! The statements that make a database a store, in their order, each so written that it does nothing the second time.

use std::fmt::Write as _;

use super::{MIGRATIONS, SCHEMA, newest_schema};

/// One step of provisioning.
pub(super) struct Step {
    /// What it does, in words that go on from "may not".
    pub(super) what: String,
    /// Its statements.
    pub(super) sql: String,
    /// A condition, as an expression of SQL, under which it is done already.
    pub(super) unless: Option<String>,
    /// Whether an administrator of the database can do it once and for all, so that the login needs no right for it.
    administrators: bool,
}

impl Step {
    fn new(what: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { what: what.into(), sql: sql.into(), unless: None, administrators: true }
    }

    fn unless(self, condition: impl Into<String>) -> Self {
        Self { unless: Some(condition.into()), ..self }
    }

    /// That it is done as the owner and needs nothing but to be a member of that role.
    fn by_owner(self) -> Self {
        Self { administrators: false, ..self }
    }
}

/// What `pg_has_role` must be asked for: since PostgreSQL 16 one can be a member of a role and not be able to become it.
const BECOMES: &str = "CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END";

/// A name as SQL reads it.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL reads it, whatever the setting for backslashes.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn exists(table: &str, column: &str, name: &str) -> String {
    format!("EXISTS (SELECT 1 FROM {table} WHERE {column} = {})", literal(name))
}

/// Makes a role that nobody logs in as. Another database of the same server may be made a store at the same time.
fn role(name: &str) -> Step {
    Step::new(
        format!("create the role {name}"),
        format!("DO $$ BEGIN CREATE ROLE {name} NOLOGIN NOINHERIT; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"),
    )
    .unless(exists("pg_roles", "rolname", name))
}

/// Makes `login` a member of one of our roles.
fn membership(role: &str, login: &str) -> Step {
    Step::new(format!("make {} a member of {role}", identifier(login)), format!("GRANT {role} TO {};", identifier(login))).unless(format!(
        "SELECT bool_or(pg_has_role(member.oid, parent.oid, {BECOMES})) FROM pg_roles AS member, pg_roles AS parent WHERE member.rolname = {} AND parent.rolname = {}",
        literal(login),
        literal(role)
    ))
}

/// One migration with the row that says that it ran, as sqlx writes it.
fn migration(migration: &sqlx::migrate::Migration) -> Step {
    let version = migration.version;
    let checksum: String = migration.checksum.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let sql = format!(
        "SET LOCAL ROLE patchbay_owner;\nSET LOCAL search_path = {SCHEMA}, pg_temp;\nCREATE TABLE IF NOT EXISTS _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL);\nDO $step$\nBEGIN\nIF EXISTS (SELECT 1 FROM _sqlx_migrations WHERE version = {version} AND checksum <> '\\x{checksum}') THEN\n    RAISE EXCEPTION 'migration {version} was applied in another form';\nEND IF;\nIF NOT EXISTS (SELECT 1 FROM _sqlx_migrations WHERE version = {version}) THEN\n    EXECUTE $migration$\n{}\n$migration$;\n    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES ({version}, {}, true, '\\x{checksum}', -1);\nEND IF;\nEND;\n$step$;\nRESET search_path;\nRESET ROLE;",
        migration.sql.as_str().trim_end(),
        literal(&migration.description),
    );
    Step::new(format!("apply migration {version} as patchbay_owner"), sql).by_owner()
}

/// Every step, for the login that runs them and, where there is one, the second login. A superuser is no member of a role
/// for its own sake.
pub(super) fn steps(login: &str, superuser: bool, svc_login: Option<&str>) -> Vec<Step> {
    let mut steps = vec![role("patchbay_owner"), role("patchbay_management"), role("svc_integration")];
    if !superuser {
        steps.push(membership("patchbay_management", login));
    }
    match svc_login {
        Some(svc) => steps.push(membership("svc_integration", svc)),
        None if !superuser => steps.push(membership("svc_integration", login)),
        None => {}
    }
    steps.extend(schema(&identifier(login), &literal(login)));
    steps
}

/// The steps that make the schema, run by the login that these two write as a name and as a text.
fn schema(login: &str, name: &str) -> Vec<Step> {
    let newest = newest_schema();
    // Looked at without rights to the table: whether the newest migration ran is told by what it made. Only the steps of an
    // outdated schema are left then, for which the owner's role is needed for as long as this transaction.
    let current =
        format!("SELECT substring(obj_description(oid, 'pg_namespace') FROM '^Patchbay, schema ([0-9]+)$')::bigint >= {newest} FROM pg_namespace WHERE nspname = '{SCHEMA}'");
    let mut steps = vec![
        Step::new("become patchbay_owner", format!("GRANT patchbay_owner TO {login};")).unless(format!(
            "SELECT COALESCE(({current}), false) OR EXISTS (SELECT 1 FROM pg_roles AS parent WHERE parent.rolname = 'patchbay_owner' AND pg_has_role({name}, parent.oid, {BECOMES}))"
        )),
        Step::new(
            format!("create the schema {SCHEMA} with the extension pgcrypto in it"),
            format!("CREATE SCHEMA {SCHEMA};\nCREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA {SCHEMA};\nALTER SCHEMA {SCHEMA} OWNER TO patchbay_owner;"),
        )
        .unless(exists("pg_namespace", "nspname", SCHEMA)),
        Step::new("create the extension pgcrypto", format!("CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA {SCHEMA};")).unless(exists("pg_extension", "extname", "pgcrypto")),
    ];
    steps.extend(MIGRATIONS.iter().map(|one| migration(one).unless(current.clone())));
    steps.push(
        Step::new(
            "note the schema's version as patchbay_owner",
            format!("SET LOCAL ROLE patchbay_owner;\nCOMMENT ON SCHEMA {SCHEMA} IS 'Patchbay, schema {newest}';\nRESET ROLE;"),
        )
        .unless(current)
        .by_owner(),
    );
    // It was needed for the migrations alone. A login that an administrator made a member stays one.
    steps.push(
        Step::new(
            "give the role patchbay_owner back",
            format!("REVOKE patchbay_owner FROM {login};"),
        )
        .unless(format!(
            "SELECT NOT EXISTS (SELECT 1 FROM pg_auth_members AS link JOIN pg_roles AS parent ON parent.oid = link.roleid JOIN pg_roles AS child ON child.oid = link.member JOIN pg_roles AS giver ON giver.oid = link.grantor WHERE parent.rolname = 'patchbay_owner' AND child.rolname = {name} AND giver.rolname = {name})"
        ))
        .by_owner(),
    );
    // Where it is not allowed, `doctor` says so.
    steps.push(
        Step::new(
            "switch the logging of parameters off",
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET log_parameter_max_length = 0', current_database()); EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;\nDO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET log_parameter_max_length_on_error = 0', current_database()); EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;",
        )
        .unless("SELECT EXISTS (SELECT 1 FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND 'log_parameter_max_length_on_error=0' = ANY (setconfig))"),
    );
    steps
}

/// What an administrator runs in place of steps that failed for want of a right, so that the command can go on after it.
pub(super) fn for_administrator<'a>(steps: impl Iterator<Item = &'a Step>) -> String {
    let lines: Vec<&str> = steps.filter(|step| step.administrators).map(|step| step.sql.as_str()).collect();
    lines.join("\n")
}

/// Everything that makes a database a store, for an administrator to run in it with `psql`: roles, memberships of the logins
/// that the program will use (they must be there), extension, schema and rights. It may run again, and on an older store.
pub fn script(management_login: &str, svc_login: Option<&str>) -> String {
    let mut text = String::from(
        "-- Makes this database a store of Patchbay. Run it as a superuser, or as the owner of the database with CREATEROLE:\n--   psql --set ON_ERROR_STOP=1 --dbname DATABASE --file THIS\n-- It may run again; what is there already is left alone.\nBEGIN;\nSELECT pg_advisory_xact_lock(8098994861117531751);\n",
    );
    let mut steps = vec![role("patchbay_owner"), role("patchbay_management"), role("svc_integration")];
    steps.push(membership("patchbay_management", management_login));
    steps.push(membership("svc_integration", svc_login.unwrap_or(management_login)));
    steps.extend(schema("SESSION_USER", "session_user"));
    for step in &steps {
        // Writing to a text does not fail.
        let _ = match &step.unless {
            Some(unless) => {
                writeln!(text, "\n-- {}\nDO $guard$ BEGIN IF NOT COALESCE(({unless}), false) THEN EXECUTE $guarded$\n{}\n$guarded$; END IF; END $guard$;", step.what, step.sql)
            }
            None => writeln!(text, "\n-- {}\n{}", step.what, step.sql),
        };
    }
    text.push_str("\nCOMMIT;\n");
    text
}
