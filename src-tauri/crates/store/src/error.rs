//! What can go wrong with a store, and the words for it.

use std::path::PathBuf;

use patchbay_model::Problem;
use patchbay_model::problem::{Code, Resource};
use uuid::Uuid;

use crate::dialect::{self, Trouble};

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no file at this place.
    #[error("there is no store at {0}")]
    Missing(PathBuf),
    /// The file is something else, or was never completed.
    #[error("{0} is not a Patchbay store")]
    NotAStore(PathBuf),
    /// A store is there already.
    #[error("there is a store at {0} already")]
    Exists(PathBuf),
    /// The database has no tables of ours yet.
    #[error("there is no store in {0}")]
    MissingSchema(String),
    /// The address of the database cannot be understood, or asks for what we do not do.
    #[error("{0}")]
    Address(String),
    /// The file is damaged.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// A newer Patchbay wrote the file.
    #[error("the store has schema {found}; this program knows up to {known}")]
    Newer {
        /// Schema of the file.
        found: i64,
        /// Newest schema of this program.
        known: i64,
    },
    /// The database holds tables of another program.
    #[error("the database {database} holds {tables} tables of another program")]
    ForeignDatabase {
        /// Its name.
        database: String,
        /// How many.
        tables: i64,
    },
    /// The login may not make the database a store.
    #[error("the login {login} may not {what}")]
    MissingRight {
        /// The login.
        login: String,
        /// What it may not, and why.
        what: String,
        /// What an administrator of the database must run.
        statements: String,
    },
    /// The database server cannot hold a store as it is.
    #[error("the database server cannot hold a store: {what}")]
    UnfitServer {
        /// What is wrong with it.
        what: String,
    },
    /// The file or its file system cannot be written.
    #[error("the store is read-only")]
    ReadOnly,
    /// The store lies on a read-only place and has changes that were never merged into its file.
    #[error("{0} is on a read-only place and has unmerged changes beside it")]
    ReadOnlyUnmerged(PathBuf),
    /// No space is left.
    #[error("the disk is full")]
    DiskFull,
    /// The operating system refuses the file.
    #[error("the store's file cannot be used: {0}")]
    Io(String),
    /// Another process writes for longer than we wait.
    #[error("the store is busy")]
    Busy,
    /// Another transaction came between, so this one left nothing behind; the same again will do.
    #[error("another transaction came between")]
    Contended,
    /// The server of the database is going, coming, or out of reach.
    #[error("the database server cannot be reached: {0}")]
    Unreachable(String),
    /// The server of the database cannot prove who it is, or offers no TLS where the address wants it.
    #[error("the database server is not trusted: {0}")]
    Untrusted(String),
    /// The database can only be read: a standby, or one that was set so.
    #[error("the database is read-only")]
    ServerReadOnly,
    /// The server of the database has no room on its disk, or cannot use it.
    #[error("the database server cannot use its disk: {0}")]
    ServerDisk(String),
    /// The login at the database lacks a right.
    #[error("the database denies it: {0}")]
    Denied(String),
    /// The server of the database does not let the login in.
    #[error("the database server refuses the login: {0}")]
    Refused(String),
    /// The server has no database of the name in the address.
    #[error("there is no such database: {0}")]
    NoDatabase(String),
    /// Another process holds the store exclusively, or we need to and others have it open.
    #[error("the store is held by {holder}")]
    Locked {
        /// Which process, in words.
        holder: String,
    },
    /// A name, or another value that must be unique, is used by another object.
    #[error("{noun} name taken")]
    NameTaken {
        /// What kind of object.
        noun: &'static str,
        /// The field that must be unique, `name` mostly.
        field: &'static str,
        /// The value, where known.
        value: String,
    },
    /// The object cannot go, because others use it.
    #[error("{noun} {id} is in use")]
    InUse {
        /// What kind of object.
        noun: &'static str,
        /// Its id.
        id: Uuid,
        /// The first of those that use it.
        users: Vec<Resource>,
        /// How many use it.
        count: u64,
    },
    /// The object is not there, or not within the scope.
    #[error("no {noun} {id}")]
    NotFound {
        /// What kind of object.
        noun: &'static str,
        /// What was asked for.
        id: String,
    },
    /// A text holds U+0000, which PostgreSQL does not keep.
    #[error("a text holds the character U+0000")]
    Character,
    /// A row refers to an object that is not there, or of another tenant.
    #[error("a reference leads nowhere")]
    DanglingReference,
    /// The time for an undo is over, or its parent is gone.
    #[error("{0}")]
    NotUndoable(String),
    /// A query on tenant data outside the scope that it needs: a fault of the caller's code.
    #[error("{what} is not visible in this scope")]
    WrongScope {
        /// What was asked for.
        what: &'static str,
    },
    /// A row does not hold what it should.
    #[error("{table}.{column} holds an impossible value: {detail}")]
    BadRow {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// An image of a store is not as it was written, or cannot be read into a store.
    #[error("the image is not whole: {table} line {line}: {what}")]
    Image {
        /// The table; empty outside of all.
        table: String,
        /// The line of the image; 0 where it is not known.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// An image of a newer Patchbay.
    #[error("the image has schema {found}; this program knows {known}")]
    NewerImage {
        /// Schema of the image.
        found: i64,
        /// Newest schema of this program.
        known: i64,
    },
    /// An image goes into an empty store, and this one is not.
    #[error("the store is not empty: {what}")]
    NotEmpty {
        /// What is in it.
        what: String,
    },
    /// The list was asked for in a way that cannot be.
    #[error(transparent)]
    Query(Box<Problem>),
    /// Anything else from the database.
    #[error("the database failed: {0}")]
    Sql(#[source] sqlx::Error),
}

/// What the store answers.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => return Self::Busy,
            sqlx::Error::Tls(_) => return Self::Untrusted(error.to_string()),
            sqlx::Error::Io(io) if is_untrusted(io) => return Self::Untrusted(io.to_string()),
            // The driver's own words name an address and a cause, never a password.
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed => return Self::Unreachable(error.to_string()),
            // A server that dies in the middle of its answer, or a session that is not where it was left.
            sqlx::Error::Protocol(_) | sqlx::Error::BeginFailed => return Self::Unreachable(error.to_string()),
            _ => {}
        }
        if let sqlx::Error::Database(database) = &error {
            if let Some(what) = dialect::violated_unique(database.as_ref()) {
                let (noun, field) = unique_field(&what);
                return Self::NameTaken { noun, field, value: String::new() };
            }
            return match dialect::trouble(database.as_ref()) {
                Some(Trouble::Busy) => Self::Busy,
                Some(Trouble::Contended) => Self::Contended,
                Some(Trouble::Unreachable) => Self::Unreachable(database.message().to_owned()),
                Some(Trouble::Denied) => Self::Denied(database.message().to_owned()),
                Some(Trouble::Refused) => Self::Refused(database.message().to_owned()),
                Some(Trouble::NoDatabase) => Self::NoDatabase(database.message().to_owned()),
                Some(Trouble::ReadOnly) => Self::ReadOnly,
                Some(Trouble::DiskFull) => Self::DiskFull,
                Some(Trouble::ServerReadOnly) => Self::ServerReadOnly,
                Some(Trouble::ServerDisk) => Self::ServerDisk(database.message().to_owned()),
                Some(Trouble::Damaged) => Self::Damaged(database.message().to_owned()),
                Some(Trouble::CannotOpen | Trouble::Io) => Self::Io(database.message().to_owned()),
                Some(Trouble::Reference) => Self::DanglingReference,
                Some(Trouble::Character) => Self::Character,
                None => Self::Sql(error),
            };
        }
        Self::Sql(error)
    }
}

/// Whether what failed is the proof of who the server is, and not the line to it.
pub(crate) fn is_untrusted(error: &std::io::Error) -> bool {
    // What rustls refuses comes as invalid data, and its words begin alike for every kind of bad certificate.
    error.kind() == std::io::ErrorKind::InvalidData && error.to_string().contains("certificate")
}

/// The noun and field behind a unique index: the name of an index on an expression, or the list of its columns.
fn unique_field(index: &str) -> (&'static str, &'static str) {
    const NOUNS: &[(&str, &str)] = &[
        ("organizations", "organization"),
        ("organization_webhooks", "organization webhook"),
        ("roles", "role"),
        ("members", "member"),
        ("accounts", "account"),
        ("integration_points", "integration point"),
        ("integration_definitions", "definition"),
        ("integration_instances", "integration"),
        ("provider_apps", "provider app"),
        ("credentials", "credential"),
        ("token_containers", "token"),
        ("end_users", "end user"),
    ];
    let noun = NOUNS.iter().find(|(table, _)| index.starts_with(table)).map_or("object", |(_, noun)| noun);
    let field = if index.ends_with("_name") {
        "name"
    } else if index.ends_with("external_id") {
        "external_id"
    } else {
        "id"
    };
    (noun, field)
}

impl StoreError {
    /// Puts the value into a [`StoreError::NameTaken`], which the database does not tell.
    #[must_use]
    pub(crate) fn naming(self, name: &str, external_id: Option<&str>) -> Self {
        match self {
            Self::NameTaken { noun, field: "external_id", .. } => Self::NameTaken { noun, field: "external_id", value: external_id.unwrap_or_default().to_owned() },
            Self::NameTaken { noun, field: "name", .. } => Self::NameTaken { noun, field: "name", value: name.to_owned() },
            other => other,
        }
    }

    pub(crate) fn not_found(noun: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { noun, id: id.to_string() }
    }
}

impl From<Problem> for StoreError {
    fn from(problem: Problem) -> Self {
        Self::Query(Box::new(problem))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        fn new(code: Code, message: impl Into<String>) -> Problem {
            Problem::new(code, message)
        }
        match error {
            StoreError::Missing(path) => new(Code::StoreMissing, format!("There is no store at {}. Check the path, or create a store there first.", path.display())),
            StoreError::MissingSchema(place) => new(Code::StoreMissing, format!("There is no store in {place}. Check the address, or create a store there with `patchbay init`.")),
            StoreError::Address(why) => new(Code::InvalidField, why),
            StoreError::NotAStore(path) => new(Code::StoreDamaged, format!("{} is not a Patchbay store. Choose another file, or restore this one from a backup.", path.display())),
            StoreError::Exists(path) => new(Code::NameTaken, format!("There is a store at {} already. Open it, or choose another path.", path.display())),
            StoreError::Damaged(what) => {
                new(Code::StoreDamaged, "The store's file is damaged. Stop every Patchbay that uses it, keep a copy, and restore it from a backup.").with_detail(what)
            }
            StoreError::Newer { found, known } => {
                new(Code::StoreNewer, format!("The store was written by a newer Patchbay (schema {found}, this program knows {known}). Update this program; nothing was changed."))
            }
            StoreError::ForeignDatabase { database, tables } => {
                new(Code::StoreDamaged, format!("The database `{database}` holds {tables} tables of another program. Give the store a database of its own; nothing was changed."))
            }
            StoreError::MissingRight { login, what, statements } => new(
                Code::StoreUnprepared,
                format!(
                    "The login `{login}` may not {what}. Let an administrator of the database run these statements in it, then try again; nothing was changed. (`patchbay store sql` prints everything that makes a database a store.)
{statements}"
                ),
            ),
            StoreError::UnfitServer { what } => {
                new(Code::StoreUnprepared, format!("The database server cannot hold a store: {what}. Let its administrator mend that, then try again; nothing was changed."))
            }
            StoreError::ReadOnly => {
                new(Code::StoreReadOnly, "The store cannot be written: its file or disk is read-only. Make it writable or copy it to another disk; nothing was changed.")
            }
            StoreError::ReadOnlyUnmerged(path) => new(
                Code::StoreReadOnly,
                format!("{0} is on a read-only disk and its latest changes lie in {0}-wal beside it. Copy both files to a writable disk and open the store there.", path.display()),
            ),
            StoreError::DiskFull => new(Code::StoreReadOnly, "The store cannot be written: the disk is full. Free some space and try again; nothing was changed."),
            StoreError::Io(what) => {
                new(Code::StoreReadOnly, "The store's file cannot be used. Check the disk and the permissions of the file and its directory.").with_detail(what)
            }
            StoreError::Busy => new(Code::StoreBusy, "The store is busy with another writer. Try again in a few seconds.").retry_after(2),
            StoreError::Contended => {
                let mut problem = new(Code::StoreBusy, "Another change came between at the same moment, and nothing was changed. Try again.").retry_after(1);
                problem.contended = true;
                problem
            }
            StoreError::Unreachable(what) => {
                new(Code::StoreBusy, "The database server of this store cannot be reached at the moment. Try again in a few seconds; if it stays so, look whether the server runs.")
                    .retry_after(5)
                    .with_detail(what)
            }
            StoreError::Untrusted(what) => new(
                Code::StoreUntrusted,
                "The database server does not prove that it is the one that the address names, so nothing was sent to it. Name its certificate authority in the address (sslrootcert=FILE), give the host as its certificate does, or have it offer TLS.",
            )
            .with_detail(what),
            StoreError::ServerReadOnly => new(
                Code::StoreReadOnly,
                "The database can only be read: it is a standby, or was set to read-only. Give the address of the primary, or have its administrator allow writing; nothing was changed.",
            ),
            StoreError::ServerDisk(what) => new(
                Code::StoreReadOnly,
                "The database server cannot write to its disk, which is full or broken. Have its administrator make room and try again; nothing was changed.",
            )
            .with_detail(what),
            StoreError::Denied(what) => {
                new(Code::StoreReadOnly, "The database does not let this login do that. Run `patchbay doctor` on the store; it names the right that is missing.").with_detail(what)
            }
            StoreError::Refused(what) => new(
                Code::StoreRefused,
                "The database server does not let this login in. Check the user in the address and its password; if both are right, ask the server's administrator whether it may log in from here.",
            )
            .with_detail(what),
            StoreError::NoDatabase(what) => {
                new(Code::StoreMissing, "The database server has no database of this name. Check the address, or have its administrator make the database.").with_detail(what)
            }
            StoreError::Locked { holder } => {
                new(Code::StoreLocked, format!("The store is held by {holder}. Wait until it has finished, or stop it, and try again.")).retry_after(5)
            }
            StoreError::NameTaken { noun, field, value } => {
                let shown = if value.is_empty() { String::new() } else { format!(" `{value}`") };
                new(Code::NameTaken, format!("The {} {field}{shown} is used already. Choose another {field}.", noun)).at_body(&format!("/{field}"))
            }
            StoreError::InUse { noun, id, users, count } => {
                let mut problem = new(Code::InUse, format!("The {noun} {id} is used by {count} other object(s) and cannot be deleted. Delete or change those first."));
                problem.context.resources = users;
                problem
            }
            StoreError::NotFound { noun, id } => Self::not_found(noun, id),
            StoreError::Character => new(Code::InvalidField, "A text of the request holds the character U+0000, which cannot be stored. Leave it out."),
            StoreError::DanglingReference => {
                new(Code::InvalidField, "The request refers to an object that does not exist in this organization and account. Check the ids in the request.")
            }
            StoreError::NotUndoable(why) => new(Code::UpdateConflict, why),
            StoreError::Query(problem) => *problem,
            StoreError::Image { table, line, what } => {
                let place = match (table.is_empty(), line) {
                    (true, 0) => String::new(),
                    (true, line) => format!(" at line {line}"),
                    (false, 0) => format!(" in the table {table}"),
                    (false, line) => format!(" in the table {table}, at line {line}"),
                };
                new(Code::InvalidImage, format!("The image of the store is not usable{place}: {what}. Nothing was changed; take another backup, or make the copy anew."))
            }
            StoreError::NewerImage { found, known } => {
                new(Code::StoreNewer, format!("The image was made by a newer Patchbay (schema {found}, this program knows {known}). Update this program; nothing was changed."))
            }
            StoreError::NotEmpty { what } => {
                new(Code::InUse, format!("The target is not empty: it has {what}. A copy goes into an empty store only, so that nothing is mixed or lost; name another target."))
            }
            StoreError::WrongScope { what } => Self::internal(format!("{what} was asked for outside its scope")),
            StoreError::BadRow { table, column, detail } => {
                new(Code::StoreDamaged, format!("A row of the store cannot be read ({table}.{column}). Run `patchbay store verify` and restore a backup if it reports damage."))
                    .with_detail(detail)
            }
            StoreError::Sql(error) => {
                tracing::error!(%error, "the database failed");
                Self::internal("the database refused a statement")
            }
        }
    }
}
