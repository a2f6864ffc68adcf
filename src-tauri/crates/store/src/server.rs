//! A store in a PostgreSQL database: two pools of connections, one per role, and transactions that state their scope.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use patchbay_model::{PostgresUrl, Scope, Secret};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tokio::sync::Mutex;

use crate::db::{Tx, scope_settings};
use crate::error::{Result, StoreError};
use crate::provision::{Identity, identify, newest_schema, provision};

/// Connections of the role that manages, and of the one that opens sealed values.
const MANAGEMENT: u32 = 8;
const SECRETS: u32 = 4;

/// How long a task waits for a connection.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the server may take to answer somebody who only wants to know whether it does.
const TRY_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// Reads an address. TLS is verified (`sslmode=verify-full`) unless the address says otherwise or the server is on this
    /// machine.
    ///
    /// # Errors
    /// [`StoreError::Address`], which repeats nothing of the address: it may hold a password.
    pub fn of(url: &PostgresUrl) -> Result<Self> {
        let management = options(url)?;
        let secrets = url.second_login().map(options).transpose()?;
        if let Some(secrets) = &secrets
            && (secrets.get_host(), secrets.get_port(), secrets.get_database()) != (management.get_host(), management.get_port(), management.get_database())
        {
            return Err(StoreError::Address("The two addresses of the store name different databases. They must differ in the login alone.".to_owned()));
        }
        Ok(Self { management, secrets, shown: url.to_string() })
    }

    /// The second login, where there is one of another name.
    fn second_login(&self) -> Option<&str> {
        self.secrets.as_ref().map(PgConnectOptions::get_username).filter(|name| *name != self.management.get_username())
    }

    /// Whether sealed values are reached by a login of their own, so that the database itself keeps the two apart.
    pub fn has_two_logins(&self) -> bool {
        self.second_login().is_some()
    }

    /// For connecting as the login that opens sealed values, without a role.
    fn secrets(&self) -> &PgConnectOptions {
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

fn options(url: &PostgresUrl) -> Result<PgConnectOptions> {
    // The driver's words may repeat the address.
    let wrong = |why: &str| StoreError::Address(format!("The address of the database {why}. Give it as postgres://USER@HOST:PORT/DATABASE."));
    let options = PgConnectOptions::from_str(url.connection_string().expose()).map_err(|_| wrong("cannot be read"))?;
    if options.get_database().is_none_or(str::is_empty) {
        return Err(wrong("names no database"));
    }
    // Only where the address itself asks for it is less than a verified server enough; the environment (PGSSLMODE) is not asked.
    let asked = url.url().query_pairs().any(|(name, _)| matches!(&*name, "sslmode" | "ssl-mode"));
    let options = if asked {
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

/// An open database.
pub(crate) struct Server {
    management: Pool,
    secrets: Pool,
    /// Connected when somebody first waits, and anew after it was lost.
    listener: Mutex<Option<PgListener>>,
    /// For a session that holds nothing but a lock.
    witness: PgConnectOptions,
}

impl Server {
    /// As [`crate::Store::create_in`].
    pub(crate) async fn create(address: &PostgresAddress) -> Result<Self> {
        let mut connection = within_patience(address.management.connect()).await?;
        provision(&mut connection, address.second_login()).await?;
        connection.close().await?;
        Self::pools(address).await
    }

    /// As [`crate::Store::connect`].
    pub(crate) async fn connect(address: &PostgresAddress) -> Result<Self> {
        let mut connection = within_patience(address.management.connect()).await?;
        let found = identify(&mut connection).await?;
        found.check(newest_schema())?;
        match found {
            Identity::Empty => return Err(StoreError::MissingSchema(address.to_string())),
            // An older schema is brought up to date by whoever opens it first; an older server goes on working beside it.
            Identity::Store { schema, .. } if schema.is_none_or(|schema| schema < newest_schema()) => provision(&mut connection, address.second_login()).await?,
            Identity::Store { .. } => {}
        }
        connection.close().await?;
        Self::pools(address).await
    }

    async fn pools(address: &PostgresAddress) -> Result<Self> {
        let management = Pool::new(&address.management, "patchbay_management", MANAGEMENT);
        let secrets = Pool::new(address.secrets(), "svc_integration", SECRETS);
        // Tried without the pools, which wait for a server that may be coming and do not tell what is wrong.
        for pool in [&management, &secrets] {
            pool.try_out().await?;
        }
        Ok(Self { management, secrets, listener: Mutex::new(None), witness: address.management.clone() })
    }

    /// The address for a session that holds nothing but a lock.
    pub(crate) fn witness_address(&self) -> PgConnectOptions {
        self.witness.clone()
    }

    /// Begins to read: one view for the whole transaction.
    pub(crate) async fn read(&self, scope: Scope) -> Result<Tx> {
        self.management.begin(READ, scope, None).await
    }

    /// Begins to write.
    pub(crate) async fn write(&self, scope: Scope, key: Option<Secret>) -> Result<Tx> {
        self.management.begin(WRITE, scope, key).await
    }

    /// As [`Self::read`], in the role that may open sealed values.
    pub(crate) async fn read_secrets(&self, scope: Scope, key: Option<Secret>) -> Result<Tx> {
        self.secrets.begin(READ, scope, key).await
    }

    /// As [`Self::write`], in the role that may open sealed values.
    pub(crate) async fn write_secrets(&self, scope: Scope, key: Option<Secret>) -> Result<Tx> {
        self.secrets.begin(WRITE, scope, key).await
    }

    /// Waits until the database says that something changed, and no longer than `patience`.
    pub(crate) async fn wait_for_changes(&self, patience: Duration) -> Result<()> {
        let mut held = self.listener.lock().await;
        let mut listener = match held.take() {
            Some(listener) => listener,
            None => {
                let mut listener = PgListener::connect_with(&self.management.pool).await?;
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
        self.management.pool.close().await;
        self.secrets.pool.close().await;
    }
}

const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const WRITE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";

/// Connections in one role.
struct Pool {
    pool: PgPool,
    options: PgConnectOptions,
    role: &'static str,
    size: u32,
}

impl Pool {
    /// A pool that connects when it is first asked.
    fn new(options: &PgConnectOptions, role: &'static str, size: u32) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(size)
            .min_connections(0)
            .acquire_timeout(TURN_TIMEOUT)
            // A broken one shows itself at its BEGIN, which costs nothing more than a question for its health would.
            .test_before_acquire(false)
            .max_lifetime(Duration::from_secs(30 * 60))
            .after_connect(move |connection, _| Box::pin(async move { take_role(connection, role).await }))
            .connect_lazy_with(options.clone());
        Self { pool, options: options.clone(), role, size }
    }

    /// Begins and states the scope in one go.
    async fn begin(&self, how: &str, scope: Scope, key: Option<Secret>) -> Result<Tx> {
        let statement = format!("{how}; {}", scope_settings(scope));
        // When the server went away and came back, every connection that lay idle is broken. Each is found out by its BEGIN,
        // with which nothing is lost, and there are no more of them than the pool has room for.
        let mut last = String::new();
        for _ in 0..=self.size {
            match self.pool.begin_with(AssertSqlSafe(statement.clone())).await {
                Ok(tx) => return Ok(Tx::Postgres { tx, pending: None, key }),
                Err(error) if broken(&error) => last = error.to_string(),
                Err(sqlx::Error::PoolTimedOut) => return Err(self.reason().await),
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unreachable(last))
    }

    /// Why no connection came in time: the pool does not tell a server that is gone from one that has enough to do.
    async fn reason(&self) -> StoreError {
        match self.try_out().await {
            Ok(()) => StoreError::Busy,
            Err(error) => error.into(),
        }
    }

    /// Connects once, and leaves.
    async fn try_out(&self) -> Result<(), sqlx::Error> {
        let connecting = async {
            let mut connection = self.options.connect().await?;
            take_role(&mut connection, self.role).await?;
            connection.close().await
        };
        within_patience(connecting).await
    }
}

/// The answer of a server that may be there and say nothing.
async fn within_patience<T>(asking: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let silent = |_| sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "it does not answer"));
    tokio::time::timeout(TRY_TIMEOUT, asking).await.map_err(silent)?
}

async fn take_role(connection: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(format!("SET ROLE {role}"))).await.map(drop)
}

/// Whether a connection turned out to be none any more (PostgreSQL's class 57P: the server was told to end, or crashed).
fn broken(error: &sqlx::Error) -> bool {
    match error {
        // Refused is what the pool says itself of a server that is not there.
        sqlx::Error::Io(error) => error.kind() != std::io::ErrorKind::ConnectionRefused && !crate::error::is_untrusted(error),
        sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P") && code != "57P03"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<PostgresAddress> {
        PostgresAddress::of(&url.parse().unwrap())
    }

    #[test]
    fn an_address_shows_no_password_and_verifies_the_server() {
        let address = parse("postgres://me:s3cret@db.example.com:6432/patchbay").unwrap();
        assert_eq!(address.to_string(), "postgres://me@db.example.com:6432/patchbay");
        assert!(matches!(address.management.get_ssl_mode(), PgSslMode::VerifyFull));
        let here = parse("postgres://me@localhost/patchbay").unwrap();
        assert!(matches!(here.management.get_ssl_mode(), PgSslMode::Prefer));
        let weak = parse("postgres://me@db.example.com/patchbay?sslmode=require").unwrap();
        assert!(matches!(weak.management.get_ssl_mode(), PgSslMode::Require));
        // What only looks like it, in a password or the name of the database, weakens nothing.
        for url in [
            "postgres://me:sslmode=disable@db.example.com/patchbay",
            "postgres://me@db.example.com/sslmode=disable",
            "postgres://me@db.example.com/patchbay?application_name=sslmode=disable",
        ] {
            let address = parse(url).unwrap();
            assert!(matches!(address.management.get_ssl_mode(), PgSslMode::VerifyFull), "{url}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_is_refused_without_repeating_it() {
        let error = parse("postgres://me:s3cret@host").unwrap_err().to_string();
        assert!(error.contains("names no database") && !error.contains("s3cret"), "{error}");
        let first: PostgresUrl = "postgres://a@one/x".parse().unwrap();
        let error = PostgresAddress::of(&first.clone().with_second_login(Some("postgres://b:s3cret@two/x".parse().unwrap()))).unwrap_err().to_string();
        assert!(error.contains("different databases") && !error.contains("s3cret"), "{error}");
        let apart = PostgresAddress::of(&first.with_second_login(Some("postgres://b@one/x".parse().unwrap()))).unwrap();
        assert!(apart.has_two_logins());
    }
}
