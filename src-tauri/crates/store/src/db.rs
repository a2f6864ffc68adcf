//! One way to ask both databases. Statements look as sqlx's own; their values are kept in types of ours until they run, and
//! are given to the driver of the database that the transaction belongs to. Rows are read by `FromRow`, which sqlx derives
//! for either.

use std::fmt::{Display, Write};
use std::marker::PhantomData;

use futures_util::TryStreamExt;
use patchbay_model::{Scope, Secret};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::types::Json;
use sqlx::{Arguments, AssertSqlSafe, ColumnIndex, Decode, FromRow, Postgres, Row, SqlSafeStr, SqlStr, Sqlite, Transaction, Type};
use uuid::Uuid;

use crate::dialect::{At, Dialect, JsonText};
use crate::file::transaction::{FileTx, Statement};

/// A transaction on either database.
pub(crate) enum Tx {
    /// On a file.
    Sqlite(FileTx),
    /// On a server. `pending` is said before the next statement: the scope that was entered meanwhile.
    Postgres {
        tx: Transaction<'static, Postgres>,
        pending: Option<String>,
        /// Under which sealed columns are sealed once more.
        key: Option<Secret>,
    },
}

impl Tx {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres { .. } => Dialect::Postgres,
        }
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres { tx, .. } => tx.commit().await,
        }
    }

    /// Runs a last statement, and commits. On a file its rows are given; a server is not asked for any.
    pub(crate) async fn commit_with(self, last: Query) -> Result<Vec<AnyRow>, sqlx::Error> {
        match self {
            Self::Sqlite(tx) => Ok(tx.commit_with(last.for_sqlite()?).await?.into_iter().map(AnyRow::Sqlite).collect()),
            Self::Postgres { .. } => {
                let mut tx = self;
                last.execute(&mut tx).await?;
                tx.commit().await?;
                Ok(Vec::new())
            }
        }
    }

    pub(crate) async fn rollback(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(tx) => tx.rollback().await,
            Self::Postgres { tx, .. } => tx.rollback().await,
        }
    }

    /// Goes on in another scope. A file knows no scopes: the queries themselves bind them.
    pub(crate) fn enter(&mut self, scope: Scope) {
        if let Self::Postgres { pending, .. } = self {
            *pending = Some(scope_settings(scope));
        }
    }

    /// What was noted to be said before the next statement.
    async fn settle(&mut self) -> Result<(), sqlx::Error> {
        if let Self::Postgres { tx, pending, .. } = self
            && let Some(sql) = pending.take()
        {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **tx).await?;
        }
        Ok(())
    }
}

/// The settings that row-level security reads, for this transaction alone. Ids are written by us and hold no quotes.
pub(crate) fn scope_settings(scope: Scope) -> String {
    let (kind, organization, account) = match scope {
        Scope::System => ("system", String::new(), String::new()),
        Scope::Organization(organization) => ("tenant", organization.to_string(), "all".to_owned()),
        Scope::Account(organization, account) => ("tenant", organization.to_string(), account.to_string()),
    };
    format!("SET LOCAL patchbay.scope = '{kind}'; SET LOCAL patchbay.organization = '{organization}'; SET LOCAL patchbay.account = '{account}'")
}

/// A value of a statement. What is missing has a type too: PostgreSQL asks for it.
#[derive(Clone)]
pub(crate) enum Bind {
    Text(Option<String>),
    Id(Option<Uuid>),
    Int(Option<i64>),
    Bool(Option<bool>),
    Time(Option<At>),
    Json(Option<JsonText>),
    Bytes(Option<Vec<u8>>),
    Key(Secret),
}

impl Bind {
    fn add<A: Arguments>(self, arguments: &mut A) -> Result<(), sqlx::error::BoxDynError>
    where
        Option<String>: for<'t> sqlx::Encode<'t, A::Database> + Type<A::Database>,
        Option<Uuid>: for<'t> sqlx::Encode<'t, A::Database> + Type<A::Database>,
        Option<i64>: for<'t> sqlx::Encode<'t, A::Database> + Type<A::Database>,
        Option<bool>: for<'t> sqlx::Encode<'t, A::Database> + Type<A::Database>,
        Option<At>: for<'t> sqlx::Encode<'t, A::Database> + Type<A::Database>,
        Option<JsonText>: for<'t> sqlx::Encode<'t, A::Database> + Type<A::Database>,
        Option<Vec<u8>>: for<'t> sqlx::Encode<'t, A::Database> + Type<A::Database>,
    {
        match self {
            Self::Text(value) => arguments.add(value),
            Self::Id(value) => arguments.add(value),
            Self::Int(value) => arguments.add(value),
            Self::Bool(value) => arguments.add(value),
            Self::Time(value) => arguments.add(value),
            Self::Json(value) => arguments.add(value),
            Self::Bytes(value) => arguments.add(value),
            Self::Key(key) => arguments.add(Some(key.expose().to_owned())),
        }
    }
}

/// What can be a value of a statement.
pub(crate) trait IntoBind {
    /// As a value; an error for a structure that cannot be written as JSON.
    fn into_bind(self) -> Result<Bind, sqlx::Error>;
}

/// A type of which an optional value is one too.
macro_rules! into_bind {
    ($($type:ty => $variant:ident ($convert:expr)),+ $(,)?) => {
        $(
            impl IntoBind for $type {
                fn into_bind(self) -> Result<Bind, sqlx::Error> {
                    Ok(Bind::$variant(Some($convert(self))))
                }
            }
            impl IntoBind for Option<$type> {
                fn into_bind(self) -> Result<Bind, sqlx::Error> {
                    Ok(Bind::$variant(self.map($convert)))
                }
            }
        )+
    };
}

into_bind! {
    String => Text(std::convert::identity),
    &String => Text(Clone::clone),
    &str => Text(str::to_owned),
    Uuid => Id(std::convert::identity),
    i64 => Int(std::convert::identity),
    bool => Bool(std::convert::identity),
    At => Time(std::convert::identity),
    Vec<u8> => Bytes(std::convert::identity),
    &[u8] => Bytes(<[u8]>::to_vec),
    &Vec<u8> => Bytes(Clone::clone),
    [u8; 32] => Bytes(|bytes: [u8; 32]| bytes.to_vec()),
}

impl IntoBind for &Option<String> {
    fn into_bind(self) -> Result<Bind, sqlx::Error> {
        Ok(Bind::Text(self.clone()))
    }
}

impl<T: serde::Serialize> IntoBind for Json<T> {
    fn into_bind(self) -> Result<Bind, sqlx::Error> {
        let text = serde_json::to_string(&self.0).map_err(|error| sqlx::Error::Encode(error.into()))?;
        Ok(Bind::Json(Some(JsonText(text))))
    }
}

impl<T: serde::Serialize> IntoBind for Option<Json<T>> {
    fn into_bind(self) -> Result<Bind, sqlx::Error> {
        self.map_or(Ok(Bind::Json(None)), IntoBind::into_bind)
    }
}

/// A row that either database can give.
pub(crate) trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Record for T {}

/// A row of either database, not read yet.
pub(crate) enum AnyRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl AnyRow {
    pub(crate) fn try_get<'r, T, I>(&'r self, index: I) -> Result<T, sqlx::Error>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(index),
            Self::Postgres(row) => row.try_get(index),
        }
    }

    pub(crate) fn read<T: Record>(&self) -> Result<T, sqlx::Error> {
        match self {
            Self::Sqlite(row) => T::from_row(row),
            Self::Postgres(row) => T::from_row(row),
        }
    }
}

/// Why nothing sealed is touched yet.
const LOCKED: &str = "the store's keys are not unlocked";

/// A statement with its values.
#[must_use = "a statement does nothing until it is run"]
pub(crate) struct Query {
    sql: SqlStr,
    binds: Vec<Bind>,
    /// Why a value could not be taken; told when the statement is run.
    refused: Option<sqlx::Error>,
    /// Whether the driver keeps it prepared for the next time.
    kept: bool,
}

/// A statement whose rows are read as `T`.
#[must_use = "a statement does nothing until it is run"]
pub(crate) struct QueryAs<T> {
    query: Query,
    output: PhantomData<fn() -> T>,
}

/// What a statement did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done(u64);

impl Done {
    pub(crate) fn rows_affected(self) -> u64 {
        self.0
    }
}

/// A statement.
pub(crate) fn query(sql: impl SqlSafeStr) -> Query {
    Query { sql: sql.into_sql_str(), binds: Vec::new(), refused: None, kept: true }
}

/// A statement whose rows are read as `T`.
pub(crate) fn query_as<T: Record>(sql: impl SqlSafeStr) -> QueryAs<T> {
    QueryAs { query: query(sql), output: PhantomData }
}

impl Query {
    pub(crate) fn bind(mut self, value: impl IntoBind) -> Self {
        match value.into_bind() {
            Ok(bind) => self.binds.push(bind),
            Err(error) => self.refused = Some(error),
        }
        self
    }

    /// Binds the database key, as the next value: where the database seals nothing there is none, and none is asked for.
    pub(crate) fn bind_key(mut self, tx: &Tx) -> Self {
        match tx {
            Tx::Sqlite(_) => {}
            Tx::Postgres { key: Some(key), .. } => self.binds.push(Bind::Key(key.clone())),
            Tx::Postgres { key: None, .. } => self.refused = Some(sqlx::Error::Configuration(LOCKED.into())),
        }
        self
    }

    /// It will hardly be said again in these very words, so the driver need not keep it prepared.
    pub(crate) fn once(self) -> Self {
        Self { kept: false, ..self }
    }

    fn parts(self) -> Result<(SqlStr, Vec<Bind>, bool), sqlx::Error> {
        match self.refused {
            Some(error) => Err(error),
            None => Ok((self.sql, self.binds, self.kept)),
        }
    }

    fn for_sqlite(self) -> Result<Statement, sqlx::Error> {
        let (sql, binds, kept) = self.parts()?;
        let mut arguments = SqliteArguments::default();
        for bind in binds {
            bind.add(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        Ok(Statement { sql, arguments, kept })
    }

    fn for_postgres(self) -> Result<sqlx::query::Query<'static, Postgres, PgArguments>, sqlx::Error> {
        let (sql, binds, kept) = self.parts()?;
        let mut arguments = PgArguments::default();
        for bind in binds {
            bind.add(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        Ok(sqlx::query_with(sql, arguments).persistent(kept))
    }

    // What both drivers need while they run is put on the heap: inside of every verb that asks many questions it would be
    // on the stack of the thread, many times.

    pub(crate) async fn execute(self, tx: &mut Tx) -> Result<Done, sqlx::Error> {
        Box::pin(async move {
            tx.settle().await?;
            Ok(Done(match tx {
                Tx::Sqlite(tx) => tx.execute(self.for_sqlite()?).await?,
                Tx::Postgres { tx, .. } => self.for_postgres()?.execute(&mut **tx).await?.rows_affected(),
            }))
        })
        .await
    }

    /// Gives each row to `take` as it comes: what is made of it is made while the database looks for the next one.
    pub(crate) async fn fetch<E: From<sqlx::Error> + Send>(self, tx: &mut Tx, mut take: impl FnMut(AnyRow) -> Result<(), E> + Send) -> Result<(), E> {
        Box::pin(async move {
            tx.settle().await?;
            match tx {
                Tx::Sqlite(tx) => tx.fetch(self.for_sqlite()?, |row| take(AnyRow::Sqlite(row))).await,
                Tx::Postgres { tx, .. } => {
                    let query = self.for_postgres()?;
                    let mut rows = query.fetch(&mut **tx);
                    while let Some(row) = rows.try_next().await? {
                        take(AnyRow::Postgres(row))?;
                    }
                    Ok(())
                }
            }
        })
        .await
    }

    async fn fetch_optional(self, tx: &mut Tx) -> Result<Option<AnyRow>, sqlx::Error> {
        Box::pin(async move {
            tx.settle().await?;
            Ok(match tx {
                Tx::Sqlite(tx) => tx.fetch_optional(self.for_sqlite()?).await?.map(AnyRow::Sqlite),
                Tx::Postgres { tx, .. } => self.for_postgres()?.fetch_optional(&mut **tx).await?.map(AnyRow::Postgres),
            })
        })
        .await
    }
}

impl<T: Record> QueryAs<T> {
    pub(crate) fn bind_key(self, tx: &Tx) -> Self {
        Self { query: self.query.bind_key(tx), output: PhantomData }
    }

    pub(crate) fn bind(self, value: impl IntoBind) -> Self {
        Self { query: self.query.bind(value), output: PhantomData }
    }

    pub(crate) async fn fetch_all(self, tx: &mut Tx) -> Result<Vec<T>, sqlx::Error> {
        let mut rows = Vec::new();
        self.query.fetch(tx, |row| row.read().map(|row| rows.push(row))).await?;
        Ok(rows)
    }

    pub(crate) async fn fetch_optional(self, tx: &mut Tx) -> Result<Option<T>, sqlx::Error> {
        self.query.fetch_optional(tx).await?.as_ref().map(AnyRow::read).transpose()
    }

    pub(crate) async fn fetch_one(self, tx: &mut Tx) -> Result<T, sqlx::Error> {
        self.fetch_optional(tx).await?.ok_or(sqlx::Error::RowNotFound)
    }
}

/// A statement that is put together. What is pushed is text of ours; values are bound.
pub(crate) struct QueryBuilder {
    dialect: Dialect,
    sql: String,
    binds: Vec<Bind>,
    refused: Option<sqlx::Error>,
}

impl QueryBuilder {
    pub(crate) fn new(dialect: Dialect, sql: &str) -> Self {
        Self { dialect, sql: sql.to_owned(), binds: Vec::new(), refused: None }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn push(&mut self, sql: impl Display) -> &mut Self {
        // Writing to a string does not fail.
        let _ = write!(self.sql, "{sql}");
        self
    }

    pub(crate) fn push_bind(&mut self, value: impl IntoBind) -> &mut Self {
        let placeholder = self.bind(value);
        self.push(placeholder)
    }

    /// Binds a value and gives what stands for it, for statements that name it within an expression.
    pub(crate) fn bind(&mut self, value: impl IntoBind) -> String {
        match value.into_bind() {
            Ok(bind) => self.binds.push(bind),
            Err(error) => self.refused = Some(error),
        }
        format!("${}", self.binds.len())
    }

    /// As [`Query::bind_key`], and gives what stands for the key.
    pub(crate) fn bind_key(&mut self, tx: &Tx) -> String {
        match tx {
            Tx::Sqlite(_) => return String::new(),
            Tx::Postgres { key: Some(key), .. } => self.binds.push(Bind::Key(key.clone())),
            Tx::Postgres { key: None, .. } => self.refused = Some(sqlx::Error::Configuration(LOCKED.into())),
        }
        format!("${}", self.binds.len())
    }

    /// Pushes a list with `separator` between its members.
    pub(crate) fn separated(&mut self, separator: &'static str) -> Separated<'_> {
        Separated { builder: self, separator, begun: false }
    }

    /// Pushes VALUES with a row per item.
    pub(crate) fn push_values<I: IntoIterator>(&mut self, items: I, mut row: impl FnMut(Separated<'_>, I::Item)) {
        self.push("VALUES ");
        for (number, item) in items.into_iter().enumerate() {
            self.push(if number > 0 { ", (" } else { "(" });
            row(self.separated(", "), item);
            self.push(")");
        }
    }

    pub(crate) fn build(self) -> Query {
        Query { sql: AssertSqlSafe(self.sql).into_sql_str(), binds: self.binds, refused: self.refused, kept: true }
    }

    pub(crate) fn build_query_as<T: Record>(self) -> QueryAs<T> {
        QueryAs { query: self.build(), output: PhantomData }
    }
}

/// A list within a statement that is put together.
pub(crate) struct Separated<'a> {
    builder: &'a mut QueryBuilder,
    separator: &'static str,
    begun: bool,
}

impl Separated<'_> {
    pub(crate) fn push_bind(&mut self, value: impl IntoBind) -> &mut Self {
        if self.begun {
            self.builder.push(self.separator);
        }
        self.begun = true;
        self.builder.push_bind(value);
        self
    }
}
