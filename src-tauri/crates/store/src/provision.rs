//! Making a PostgreSQL database fit to be a store: roles, extension, schema, rights. All of it happens in one transaction,
//! by the same statements that [`script`] prints for an administrator of the database, so a kill leaves nothing half-made
//! and what a person ran by hand is what the program would have run.

mod script;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnection, PgDatabaseError};
use sqlx::{AssertSqlSafe, Connection};

pub use self::script::script;
use self::script::{Step, steps};
use crate::error::{Result, StoreError};

/// Embedded migrations of PostgreSQL. Their numbers are those of SQLite's.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// The schema in which everything of ours lies.
pub(crate) const SCHEMA: &str = "patchbay";

/// The oldest server that reads our statements: bodies of functions that are bound when they are made.
const OLDEST_SERVER: i32 = 140_000;

/// How often provisioning begins anew when another one, for a second database of the same server, changed a role meanwhile.
const TRIES: usize = 5;

/// The newest schema of PostgreSQL that this program knows.
pub(crate) fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// What a database holds, as far as anybody who may connect can see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identity {
    /// Nothing of anybody's.
    Empty,
    /// The schema of a store.
    Store {
        /// The newest migration that was applied; none when this login may not look.
        schema: Option<i64>,
        /// The oldest schema that a program must know to work with it; none before the store is complete, and when this
        /// login may not look.
        minimum_reader: Option<i64>,
        /// Whether the header is there: it is written last.
        complete: bool,
    },
}

impl Identity {
    /// Whether a program that knows the schemas up to `known` may work with the store: newer ones are made so that older
    /// programs can, and say so when that is over.
    ///
    /// # Errors
    /// [`StoreError::Newer`].
    pub fn check(self, known: i64) -> Result<()> {
        match self {
            Self::Store { minimum_reader: Some(least), schema, .. } if least > known => Err(StoreError::Newer { found: schema.unwrap_or(least), known }),
            Self::Store { .. } | Self::Empty => Ok(()),
        }
    }
}

/// Looks at a database. Nothing is changed, and no right is needed but that to connect.
///
/// # Errors
/// [`StoreError::ForeignDatabase`] for a database that holds tables of another program, and those of the database.
pub async fn identify(connection: &mut PgConnection) -> Result<Identity> {
    let (database, ours, foreign, header): (String, i64, i64, bool) = sqlx::query_as(
        "SELECT current_database()::text, count(*) FILTER (WHERE space.nspname = 'patchbay'), count(*) FILTER (WHERE space.nspname <> 'patchbay'), COALESCE(bool_or(space.nspname = 'patchbay' AND class.relname = 'store_header'), false) FROM pg_class AS class JOIN pg_namespace AS space ON space.oid = class.relnamespace WHERE class.relkind IN ('r', 'p', 'v', 'm', 'f') AND space.nspname NOT IN ('pg_catalog', 'information_schema') AND space.nspname NOT LIKE 'pg\\_%' AND NOT EXISTS (SELECT 1 FROM pg_depend AS depend WHERE depend.classid = 'pg_class'::regclass AND depend.objid = class.oid AND depend.deptype = 'e')",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !header {
        // A schema of our name with tables in it that are not ours is another program's too.
        return if ours + foreign == 0 { Ok(Identity::Empty) } else { Err(StoreError::ForeignDatabase { database, tables: ours + foreign }) };
    }
    // Asked as the login itself, which may have no rights yet.
    let looked: Result<(Option<i64>, Option<i64>), sqlx::Error> = async {
        let mut tx = connection.begin().await?;
        sqlx::query("SELECT set_config('role', rolname, true) FROM pg_roles WHERE rolname = 'patchbay_management' AND pg_has_role(session_user, oid, 'MEMBER')")
            .execute(&mut *tx)
            .await?;
        let found = sqlx::query_as("SELECT (SELECT max(version) FROM patchbay._sqlx_migrations WHERE success), (SELECT minimum_reader FROM patchbay.store_header)")
            .fetch_one(&mut *tx)
            .await?;
        tx.rollback().await?;
        Ok(found)
    }
    .await;
    match looked {
        Ok((schema, minimum_reader)) => Ok(Identity::Store { schema, minimum_reader, complete: minimum_reader.is_some() }),
        Err(error) if denied(&error) => Ok(Identity::Store { schema: None, minimum_reader: None, complete: false }),
        Err(error) => Err(error.into()),
    }
}

/// Makes the database that `connection` is connected to fit to be a store, or brings its schema up to this program's. What
/// is there already is left alone, so that it may run again and again, and side by side. `svc_login` is the second login,
/// where there is one: then the connection's own gets the management role alone.
///
/// # Errors
/// [`StoreError::ForeignDatabase`], [`StoreError::Newer`], [`StoreError::MissingRight`] with the statements that an
/// administrator of the database must run, [`StoreError::UnfitServer`] for a server that is too old, or roles of our names that
/// are not what they must be, and those of the database. Nothing was changed then.
pub async fn provision(connection: &mut PgConnection, svc_login: Option<&str>) -> Result<()> {
    let mut tries = 0;
    loop {
        tries += 1;
        match attempt(connection, svc_login).await {
            // The same role was made, or the same right given, at the same time.
            Err(StoreError::Contended | StoreError::NameTaken { .. }) if tries < TRIES => {}
            Err(StoreError::Sql(error)) if tries < TRIES && contended(&error) => {}
            outcome => return outcome,
        }
    }
}

async fn attempt(connection: &mut PgConnection, svc_login: Option<&str>) -> Result<()> {
    let mut tx = connection.begin().await?;
    // Two that begin at once do one after the other what one of them then finds done. A long migration may take its time.
    sqlx::raw_sql(
        "SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_advisory_xact_lock(8098994861117531751)",
    )
    .execute(&mut *tx)
    .await?;
    let (version,): (i32,) = sqlx::query_as("SELECT current_setting('server_version_num')::integer").fetch_one(&mut *tx).await?;
    if version < OLDEST_SERVER {
        return Err(StoreError::UnfitServer { what: format!("it is PostgreSQL {}, and {} is the oldest that will do", version / 10_000, OLDEST_SERVER / 10_000) });
    }
    identify(&mut tx).await?.check(newest_schema())?;
    refuse_dangerous_roles(&mut tx).await?;
    let (login, superuser): (String, bool) = sqlx::query_as("SELECT session_user::text, rolsuper FROM pg_roles WHERE rolname = session_user").fetch_one(&mut *tx).await?;
    let steps = steps(&login, superuser, svc_login);
    let mut missing = Vec::new();
    for step in &steps {
        if !step.needed(&mut tx).await? {
            continue;
        }
        if missing.is_empty() {
            let mut inner = tx.begin().await?;
            match sqlx::raw_sql(AssertSqlSafe(step.sql.clone())).execute(&mut *inner).await {
                Ok(_) => inner.commit().await?,
                Err(error) if denied(&error) => {
                    inner.rollback().await?;
                    missing.push((step, error.as_database_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())));
                }
                // A login that was named and is not there.
                Err(error) if code(&error) == Some("42704") => return Err(StoreError::UnfitServer { what: error.to_string() }),
                Err(error) => return Err(error.into()),
            }
        } else {
            missing.push((step, String::new()));
        }
    }
    if let Some((first, why)) = missing.first() {
        let what = format!("{} ({why})", first.what);
        let statements = script::for_administrator(missing.iter().map(|(step, _)| *step));
        return Err(StoreError::MissingRight { login, what, statements });
    }
    tx.commit().await?;
    Ok(())
}

impl Step {
    /// Whether the database is not yet as the step makes it.
    async fn needed(&self, connection: &mut PgConnection) -> Result<bool> {
        let Some(unless) = &self.unless else { return Ok(true) };
        let (done,): (bool,) = sqlx::query_as(AssertSqlSafe(format!("SELECT COALESCE(({unless}), false)"))).fetch_one(&mut *connection).await?;
        Ok(!done)
    }
}

/// Roles belong to the whole server, so others may have made or changed them: one that bypasses row security, or a
/// management role that can become the other one, would make all that follows worthless.
async fn refuse_dangerous_roles(connection: &mut PgConnection) -> Result<()> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT format('the role %I is a superuser or bypasses row security', rolname) FROM pg_roles WHERE rolname IN ('patchbay_owner', 'patchbay_management', 'svc_integration') AND (rolsuper OR rolbypassrls) UNION ALL SELECT format('the role %I can log in', rolname) FROM pg_roles WHERE rolname IN ('patchbay_owner', 'patchbay_management', 'svc_integration') AND rolcanlogin UNION ALL SELECT format('the role %I is a member of %I', child.rolname, parent.rolname) FROM pg_roles AS child, pg_roles AS parent WHERE child.rolname IN ('patchbay_owner', 'patchbay_management', 'svc_integration') AND parent.rolname IN ('patchbay_owner', 'patchbay_management', 'svc_integration') AND child.oid <> parent.oid AND NOT child.rolsuper AND pg_has_role(child.oid, parent.oid, 'MEMBER')",
    )
    .fetch_all(connection)
    .await?;
    if rows.is_empty() {
        return Ok(());
    }
    Err(StoreError::UnfitServer { what: rows.into_iter().map(|(line,)| line).collect::<Vec<_>>().join("; ") })
}

fn code(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code)
}

/// SQLSTATE `insufficient_privilege`.
fn denied(error: &sqlx::Error) -> bool {
    code(error) == Some("42501")
}

/// Whether another transaction was at the same roles: PostgreSQL has no code of its own for a row of its catalog that was
/// changed meanwhile.
fn contended(error: &sqlx::Error) -> bool {
    match code(error) {
        Some("42710") => true,
        Some("XX000") => error.to_string().contains("concurrently updated"),
        _ => false,
    }
}
