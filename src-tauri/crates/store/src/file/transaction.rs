//! A transaction on a file. Every word with the driver is two turns between threads, each dearer than what SQLite does
//! meanwhile; so BEGIN travels with the first statement, and COMMIT with the last where it is one that gives rows.

use futures_util::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, SqlStr, Sqlite};

/// A transaction on a file, which SQLite begins with its first statement. Dropped without a commit, it is rolled back.
pub(crate) struct FileTx {
    /// Taken when it is at its end.
    connection: Option<PoolConnection<Sqlite>>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// The first statement stands for itself; the transaction begins with the second.
    Alone(&'static str),
    /// Nothing was said yet; what is to be said before the first statement.
    Waiting(&'static str),
    /// SQLite may have begun it: also while it is asked to, since what asks may be given up half-way.
    Begun,
}

/// A statement of which the words come before or after others.
pub(crate) struct Statement {
    pub(crate) sql: SqlStr,
    pub(crate) arguments: SqliteArguments,
    /// Whether the driver keeps it prepared for the next time.
    pub(crate) kept: bool,
}

impl Statement {
    fn query(self) -> Query<'static, Sqlite, SqliteArguments> {
        sqlx::query_with(self.sql, self.arguments).persistent(self.kept)
    }
}

impl FileTx {
    /// To begin with `begin`.
    pub(crate) fn new(connection: PoolConnection<Sqlite>, begin: &'static str) -> Self {
        Self { connection: Some(connection), stage: Stage::Waiting(begin) }
    }

    /// To begin with `begin` after a first statement that stands for itself.
    pub(crate) fn after_one(connection: PoolConnection<Sqlite>, begin: &'static str) -> Self {
        Self { connection: Some(connection), stage: Stage::Alone(begin) }
    }

    fn connection(&mut self) -> Result<&mut PoolConnection<Sqlite>, sqlx::Error> {
        self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    /// The statement with what is still to be said before it.
    fn begun(&mut self, statement: Statement) -> Statement {
        match std::mem::replace(&mut self.stage, Stage::Begun) {
            Stage::Alone(begin) => {
                self.stage = Stage::Waiting(begin);
                statement
            }
            Stage::Waiting(begin) => Statement { sql: AssertSqlSafe(format!("{begin}; {}", statement.sql.as_str())).into_sql_str(), ..statement },
            Stage::Begun => statement,
        }
    }

    /// Gives each row to `take` while SQLite already looks for the next one.
    pub(crate) async fn fetch<E: From<sqlx::Error>>(&mut self, statement: Statement, mut take: impl FnMut(SqliteRow) -> Result<(), E>) -> Result<(), E> {
        let statement = self.begun(statement);
        let mut rows = statement.query().fetch(&mut **self.connection()?);
        while let Some(row) = rows.try_next().await? {
            take(row)?;
        }
        Ok(())
    }

    pub(crate) async fn fetch_optional(&mut self, statement: Statement) -> Result<Option<SqliteRow>, sqlx::Error> {
        let statement = self.begun(statement);
        statement.query().fetch_optional(&mut **self.connection()?).await
    }

    /// How many rows it changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        // By itself: SQLite's number of changed rows says for BEGIN what the statement before it had changed.
        if let Stage::Alone(begin) | Stage::Waiting(begin) = std::mem::replace(&mut self.stage, Stage::Begun) {
            self.connection()?.execute(begin).await?;
        }
        Ok(statement.query().execute(&mut **self.connection()?).await?.rows_affected())
    }

    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        if self.stage == Stage::Begun {
            self.connection()?.execute("COMMIT").await?;
        }
        self.connection.take();
        Ok(())
    }

    /// Runs a last statement that gives rows, and commits.
    pub(crate) async fn commit_with(mut self, statement: Statement) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let statement = self.begun(statement);
        let rows = Statement { sql: AssertSqlSafe(format!("{}; COMMIT", statement.sql.as_str())).into_sql_str(), ..statement }.query().fetch_all(&mut **self.connection()?).await?;
        self.connection.take();
        Ok(rows)
    }

    pub(crate) async fn rollback(mut self) -> Result<(), sqlx::Error> {
        if self.stage == Stage::Begun {
            self.connection()?.execute("ROLLBACK").await?;
        }
        self.connection.take();
        Ok(())
    }
}

impl Drop for FileTx {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take().filter(|_| self.stage == Stage::Begun) else { return };
        // Where nothing runs any more the connection is closed, which rolls back as well.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(connection.detach());
            return;
        };
        runtime.spawn(async move {
            // SQLite rolls back itself when the disk is full or fails, or it never began; then there is none to roll back. A
            // connection that cannot be told to is not given to the next one.
            if connection.execute("ROLLBACK").await.is_err() {
                drop(connection.detach());
            }
        });
    }
}
