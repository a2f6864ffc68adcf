//! Store URLs: which store, and which kind of it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use patchbay_model::{Code, PostgresUrl, Problem, RemoteUrl};

/// Where a store lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreUrl {
    /// `sqlite:PATH`: one local file.
    Sqlite(PathBuf),
    /// `postgres://...`: a database that several servers may share.
    Postgres(PostgresUrl),
    /// `https://HOST`: another Patchbay, for programs that can be its clients. No engine opens it.
    Remote(RemoteUrl),
}

impl StoreUrl {
    /// The file of a local store.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) | Self::Remote(_) => None,
        }
    }

    /// Demands a store that is opened here, before its key is asked for.
    ///
    /// # Errors
    /// `invalid_field` for a server, whose store is opened by the server alone.
    pub fn opened_here(&self) -> Result<(), Problem> {
        match self {
            Self::Sqlite(_) | Self::Postgres(_) => Ok(()),
            Self::Remote(url) => Err(not_here(url)),
        }
    }

    /// A name for people: the file without its folders, the database with its host, or the server.
    pub fn label(&self) -> String {
        match self {
            Self::Sqlite(path) => path.file_name().map_or_else(|| self.to_string(), |name| name.to_string_lossy().into_owned()),
            Self::Postgres(url) => {
                let database = url.database().unwrap_or_else(|| "postgres".to_owned());
                url.url().host_str().filter(|host| !host.is_empty()).map_or_else(|| database.clone(), |host| format!("{database} at {host}"))
            }
            Self::Remote(url) => url.host(),
        }
    }
}

/// What a command that needs the store itself says of a server.
pub(super) fn not_here(url: &RemoteUrl) -> Problem {
    Problem::new(
        Code::InvalidField,
        format!("{url} is a Patchbay server, whose store is opened by the server alone. Run this where the store is, with sqlite:PATH or postgres://..."),
    )
}

impl FromStr for StoreUrl {
    type Err = Problem;

    // What cannot be read is not repeated: a password may be in it.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
        match (path, text.split_once("://").map(|(scheme, _)| scheme)) {
            (Some(path), _) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            (None, Some("postgres" | "postgresql")) => text.parse().map(Self::Postgres),
            (None, Some("https" | "http")) => text.parse().map(Self::Remote),
            _ => Err(Problem::new(Code::InvalidField, "The store must be given as sqlite:PATH, postgres://USER@HOST/DATABASE or https://HOST, for example sqlite:patchbay.db.")),
        }
    }
}

impl std::fmt::Display for StoreUrl {
    /// Never a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
            Self::Remote(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read_and_shown_without_its_password() {
        for (text, shown, label) in [
            ("sqlite:/srv/acme.db", "sqlite:/srv/acme.db", "acme.db"),
            ("sqlite://acme.db", "sqlite:acme.db", "acme.db"),
            ("postgres://ada:hunter2@db.example/acme", "postgres://ada@db.example/acme", "acme at db.example"),
            ("https://patchbay.example.com/", "https://patchbay.example.com", "patchbay.example.com"),
        ] {
            let url: StoreUrl = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.label().as_str()), (shown, label));
            assert!(!format!("{url:?}").contains("hunter2"));
        }
        for bad in ["", "sqlite:", "acme.db", "mysql://u:hunter2@h/d", "http://patchbay.example.com"] {
            let problem = bad.parse::<StoreUrl>().unwrap_err();
            assert!(!problem.message.contains("hunter2"), "{}", problem.message);
        }
    }
}
