//! A store in a PostgreSQL database: two pools of connections, one per role, and transactions that state their scope.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use patchbay_model::{Scope, Secret};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tokio::sync::Mutex;

use crate::db::{Tx, scope_settings};
use crate::error::{Result, StoreError};

/// Connections of the role that manages, and of the one that opens sealed values.
const MANAGEMENT: u32 = 8;
const SECRETS: u32 = 4;

/// How long a task waits for a connection.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// The channel on which the database says that something changed.
const CHANNEL: &str = "patchbay_changes";

/// Where the store's database is, and who logs in. Shown without passwords.
#[derive(Clone)]
pub struct PostgresAddress {
    management: PgConnectOptions,
    secrets: Option<PgConnectOptions>,
    shown: String,
}

impl PostgresAddress {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...`, and the address of the second login where there is
    /// one. TLS is verified (`sslmode=verify-full`) unless the address says otherwise or the server is on this machine.
    ///
    /// # Errors
    /// [`StoreError::Address`], which repeats nothing of the address: it may hold a password.
    pub fn parse(url: &str, secrets: Option<&str>) -> Result<Self> {
        let management = options(url)?;
        let shown = shown(&management);
        let secrets = secrets.map(options).transpose()?;
        if let Some(secrets) = &secrets
            && (secrets.get_host(), secrets.get_port(), secrets.get_database()) != (management.get_host(), management.get_port(), management.get_database())
        {
            return Err(StoreError::Address("The two addresses of the store name different databases. They must differ in the login alone.".to_owned()));
        }
        Ok(Self { management, secrets, shown })
    }

    /// Whether sealed values are reached by a login of their own, so that the database itself keeps the two apart.
    pub fn has_two_logins(&self) -> bool {
        self.secrets.as_ref().is_some_and(|secrets| secrets.get_username() != self.management.get_username())
    }

    /// For connecting as the login that manages, without a role.
    pub(crate) fn management(&self) -> &PgConnectOptions {
        &self.management
    }

    /// For connecting as the login that opens sealed values, without a role.
    pub(crate) fn secrets(&self) -> &PgConnectOptions {
        self.secrets.as_ref().unwrap_or(&self.management)
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl PartialEq for PostgresAddress {
    fn eq(&self, other: &Self) -> bool {
        self.shown == other.shown
    }
}

impl Eq for PostgresAddress {}

fn options(url: &str) -> Result<PgConnectOptions> {
    let wrong = |why: &str| StoreError::Address(format!("The address of the database {why}. Give it as postgres://USER@HOST:PORT/DATABASE."));
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(wrong("does not begin with postgres://"));
    }
    let options = PgConnectOptions::from_str(url).map_err(|_| wrong("cannot be read"))?;
    if options.get_database().is_none_or(str::is_empty) {
        return Err(wrong("names no database"));
    }
    let options = if url.contains("sslmode=") || url.contains("ssl-mode=") {
        options
    } else if options.get_socket().is_some() || is_here(options.get_host()) {
        options.ssl_mode(PgSslMode::Prefer)
    } else {
        options.ssl_mode(PgSslMode::VerifyFull)
    };
    Ok(options
        .application_name("patchbay")
        .options([
            ("statement_timeout", "30s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "60s"),
            ("TimeZone", "UTC"),
            ("search_path", "patchbay,pg_temp"),
            // Statements carry tokens' hashes and the database key as parameters.
            ("log_parameter_max_length_on_error", "0"),
        ])
        .statement_cache_capacity(256)
        .disable_statement_logging())
}

fn is_here(host: &str) -> bool {
    host.starts_with('/') || matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]")
}

fn shown(options: &PgConnectOptions) -> String {
    let place = options.get_socket().map_or_else(|| format!("{}:{}", options.get_host(), options.get_port()), |socket| socket.display().to_string());
    format!("postgres://{}@{place}/{}", options.get_username(), options.get_database().unwrap_or_default())
}

/// An open database.
pub(crate) struct Server {
    management: PgPool,
    secrets: PgPool,
    /// Connected when somebody first waits, and anew after it was lost.
    listener: Mutex<Option<PgListener>>,
}

impl Server {
    /// As [`crate::Store::connect`].
    pub(crate) async fn connect(address: &PostgresAddress) -> Result<Self> {
        let named = |error: sqlx::Error| match StoreError::from(error) {
            // Without a right on the schema nobody sees whether it is there.
            StoreError::Sql(sqlx::Error::Database(error)) if error.code().is_some_and(|code| matches!(&*code, "42P01" | "3F000" | "22023" | "42704")) => {
                StoreError::MissingSchema(address.to_string())
            }
            other => other,
        };
        let management = pool(address.management(), "patchbay_management", MANAGEMENT).await.map_err(named)?;
        let secrets = pool(address.secrets(), "svc_integration", SECRETS).await.map_err(named)?;
        let server = Self { management, secrets, listener: Mutex::new(None) };
        server.check_schema().await?;
        Ok(server)
    }

    /// That this program knows the schema, or that the schema says that this program will do.
    async fn check_schema(&self) -> Result<()> {
        let known = newest_schema();
        let (found, minimum): (i64, Option<i64>) =
            sqlx::query_as("SELECT coalesce(max(version), 0), (SELECT minimum_reader FROM store_header) FROM _sqlx_migrations WHERE success").fetch_one(&self.management).await?;
        if minimum.is_some_and(|minimum| minimum > known) {
            return Err(StoreError::Newer { found, known });
        }
        Ok(())
    }

    /// Begins to read: one view for the whole transaction.
    pub(crate) async fn read(&self, scope: Scope) -> Result<Tx> {
        begin(&self.management, READ, scope, None).await
    }

    /// Begins to write.
    pub(crate) async fn write(&self, scope: Scope, key: Option<Secret>) -> Result<Tx> {
        begin(&self.management, WRITE, scope, key).await
    }

    /// As [`Self::read`], in the role that may open sealed values.
    pub(crate) async fn read_secrets(&self, scope: Scope, key: Option<Secret>) -> Result<Tx> {
        begin(&self.secrets, READ, scope, key).await
    }

    /// As [`Self::write`], in the role that may open sealed values.
    pub(crate) async fn write_secrets(&self, scope: Scope, key: Option<Secret>) -> Result<Tx> {
        begin(&self.secrets, WRITE, scope, key).await
    }

    /// Waits until the database says that something changed, and no longer than `patience`.
    pub(crate) async fn wait_for_changes(&self, patience: Duration) -> Result<()> {
        let mut held = self.listener.lock().await;
        let mut listener = match held.take() {
            Some(listener) => listener,
            None => {
                let mut listener = PgListener::connect_with(&self.management).await?;
                listener.listen(CHANNEL).await?;
                // What happened before it listened was not told to it.
                *held = Some(listener);
                return Ok(());
            }
        };
        match tokio::time::timeout(patience, listener.try_recv()).await {
            // Lost: what happened meanwhile was not told, so the caller looks, and the next wait connects anew.
            Ok(Ok(None)) => {}
            Ok(Err(error)) => return Err(error.into()),
            Ok(Ok(Some(_))) => {
                // One look answers all that have come by now.
                while listener.next_buffered().is_some() {}
                *held = Some(listener);
            }
            Err(_) => *held = Some(listener),
        }
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.listener.lock().await.take();
        self.management.close().await;
        self.secrets.close().await;
    }
}

/// The newest schema that this program knows.
fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// Embedded migrations, run by whoever provisions.
pub(crate) static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const WRITE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";

async fn pool(options: &PgConnectOptions, role: &'static str, size: u32) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(size)
        .min_connections(0)
        .acquire_timeout(TURN_TIMEOUT)
        // A server that was started anew is noticed before a request pays for it.
        .test_before_acquire(false)
        .max_lifetime(Duration::from_secs(30 * 60))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(AssertSqlSafe(format!("SET ROLE {role}"))).await?;
                Ok(())
            })
        })
        .connect_with(options.clone())
        .await
}

/// Begins and states the scope in one go.
async fn begin(pool: &PgPool, how: &str, scope: Scope, key: Option<Secret>) -> Result<Tx> {
    let statement = format!("{how}; {}", scope_settings(scope));
    let tx = match pool.begin_with(AssertSqlSafe(statement.clone())).await {
        Ok(tx) => tx,
        // The connection was broken while it lay there, as after a restart of the server. The next one is a new one.
        Err(sqlx::Error::Io(_) | sqlx::Error::BeginFailed) => pool.begin_with(AssertSqlSafe(statement)).await?,
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code.starts_with("57P")) => pool.begin_with(AssertSqlSafe(statement)).await?,
        Err(error) => return Err(error.into()),
    };
    Ok(Tx::Postgres { tx, pending: None, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_no_password_and_verifies_the_server() {
        let address = PostgresAddress::parse("postgres://me:s3cret@db.example.com:6432/patchbay", None).unwrap();
        assert_eq!(address.to_string(), "postgres://me@db.example.com:6432/patchbay");
        assert!(matches!(address.management().get_ssl_mode(), PgSslMode::VerifyFull));
        let here = PostgresAddress::parse("postgres://me@localhost/patchbay", None).unwrap();
        assert!(matches!(here.management().get_ssl_mode(), PgSslMode::Prefer));
        let weak = PostgresAddress::parse("postgres://me@db.example.com/patchbay?sslmode=require", None).unwrap();
        assert!(matches!(weak.management().get_ssl_mode(), PgSslMode::Require));
    }

    #[test]
    fn an_address_that_cannot_be_is_refused_without_repeating_it() {
        for url in ["", "sqlite:a", "postgres://me:s3cret@host:notaport/x", "postgres://me:s3cret@host"] {
            let error = PostgresAddress::parse(url, None).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
        let error = PostgresAddress::parse("postgres://a@one/x", Some("postgres://b@two/x")).unwrap_err();
        assert!(error.to_string().contains("different databases"));
    }
}
