//! What a database server and the logins are like, as far as it matters to secrets and to what is kept: for `doctor` to tell.

use std::time::Duration;

use patchbay_model::{Scope, Timestamp};

use crate::db;
use crate::dialect::At;
use crate::error::Result;
use crate::store::Store;
use crate::witness::Witness;

/// How a remark is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// It is as it should be.
    Good,
    /// It is worth knowing, and perhaps meant so.
    Note,
    /// It takes away what the database should hold.
    Bad,
}

/// Something about the database, in words that say what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// What it is about.
    pub subject: &'static str,
    /// How it is meant.
    pub weight: Weight,
    /// The words.
    pub words: String,
}

/// A login: its name, and whether it is a superuser or bypasses row security, may become the owner, manages, opens secrets.
type Login = (String, bool, bool, bool, bool);

const LOGIN: &str = "SELECT session_user::text, rolsuper OR rolbypassrls, pg_has_role(session_user, 'patchbay_owner', 'MEMBER'), pg_has_role(session_user, 'patchbay_management', 'MEMBER'), pg_has_role(session_user, 'svc_integration', 'MEMBER') FROM pg_roles WHERE rolname = session_user";

/// The server: version, database, whether pgcrypto is there, whether it is a standby, whether transactions only read unless they
/// say otherwise.
type Server = (String, String, bool, bool, bool);

const SERVER: &str = "SELECT current_setting('server_version'), current_database()::text, EXISTS (SELECT FROM pg_extension WHERE extname = 'pgcrypto'), pg_is_in_recovery(), current_setting('default_transaction_read_only')::boolean";

/// What a login's session sees: whether parameters would be written in full, whether statements are written, whether the
/// connection is encrypted, whether it stays on this machine, and which settings are off without which a crash loses something.
type Session = (bool, bool, bool, bool, String);

const SESSION: &str = "SELECT current_setting('log_parameter_max_length') <> '0', current_setting('log_statement') IN ('all', 'mod') OR current_setting('log_min_duration_statement') <> '-1' OR current_setting('log_min_duration_sample') <> '-1' OR current_setting('log_transaction_sample_rate') <> '0', coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), coalesce(inet_client_addr() << '127.0.0.0/8' OR inet_client_addr() = '::1', true), (SELECT coalesce(string_agg(name, ', ' ORDER BY name), '') FROM unnest(ARRAY['fsync', 'full_page_writes', 'synchronous_commit']) AS name WHERE current_setting(name) = 'off')";

/// Clocks that differ by less are the scheduler's and the network's.
const APART: Duration = Duration::from_secs(5);

/// Clocks that differ by more make tokens of ten minutes live half as long, or half as long again.
const FAR_APART: Duration = Duration::from_secs(300);

impl Store {
    /// What is to be said of the database that the store lies in; nothing of a file. `now` reads the clock of this machine, which
    /// is compared with the server's.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remarks(&self, now: impl Fn() -> Timestamp) -> Result<Vec<Remark>> {
        if self.path().is_some() {
            return Ok(Vec::new());
        }
        let mut tx = self.read(Scope::System).await?;
        let manages: Login = db::query_as(LOGIN).fetch_one(&mut tx.tx).await?;
        let server: Server = db::query_as(SERVER).fetch_one(&mut tx.tx).await?;
        let first: Session = db::query_as(SESSION).fetch_one(&mut tx.tx).await?;
        let before = now();
        let (At(there),): (At,) = db::query_as("SELECT clock_timestamp()").fetch_one(&mut tx.tx).await?;
        let after = now();
        drop(tx);
        // What is set for a login need not be what is set for the other.
        let mut tx = self.read_secrets(Scope::System).await?;
        let opens: Login = db::query_as(LOGIN).fetch_one(&mut tx.tx).await?;
        let second: Session = db::query_as(SESSION).fetch_one(&mut tx.tx).await?;
        drop(tx);
        let mut remarks = vec![database(&server)];
        remarks.extend(primary(&server));
        remarks.push(owners(self.witness("doctor").await));
        remarks.extend([
            durability([&first, &second]),
            clocks(there, before, after),
            separation(&manages, &opens),
            parameters(&server.1, [&first, &second]),
            transport([&first, &second]),
        ]);
        Ok(remarks)
    }
}

fn remark(subject: &'static str, weight: Weight, words: impl Into<String>) -> Remark {
    Remark { subject, weight, words: words.into() }
}

fn database((version, name, pgcrypto, ..): &Server) -> Remark {
    if *pgcrypto {
        return remark("database", Weight::Good, format!("PostgreSQL {version}, database `{name}`."));
    }
    remark(
        "database",
        Weight::Bad,
        format!(
            "The extension pgcrypto is missing in the database `{name}`, without which nothing sealed can be read or written. Let an administrator of the database run: CREATE EXTENSION pgcrypto"
        ),
    )
}

/// Whether a server that died is seen to be dead.
fn owners(witness: Result<Option<Witness>>) -> Remark {
    match witness {
        Ok(Some(_)) => remark("processes", Weight::Good, "A server that dies is seen to be dead at once, so that another goes on with what it was renewing."),
        Ok(None) => remark(
            "processes",
            Weight::Note,
            "Sessions are not this program's own, as behind a pooler in transaction mode. What a server was renewing or revoking when it died waits two minutes or three for another. Let the pooler keep sessions, or connect past it.",
        ),
        Err(error) => remark("processes", Weight::Note, format!("Whether a server that dies is seen to be dead could not be tried: {error}.")),
    }
}

/// Nothing where the database can be written.
fn primary((_, name, _, standby, read_only): &Server) -> Option<Remark> {
    let words = match (standby, read_only) {
        (true, _) => "The database server is a standby: the store can be looked at, and every change is refused. Give the address of the primary.".to_owned(),
        (false, true) => format!(
            "The database `{name}` is set to read-only, so every change is refused. Let an administrator of the database run: ALTER DATABASE \"{name}\" RESET default_transaction_read_only"
        ),
        (false, false) => return None,
    };
    Some(remark("primary", Weight::Bad, words))
}

fn durability(sessions: [&Session; 2]) -> Remark {
    let mut off: Vec<&str> = sessions.into_iter().flat_map(|(.., off)| off.split(", ")).filter(|name| !name.is_empty()).collect();
    off.sort_unstable();
    off.dedup();
    let loses = match off.as_slice() {
        [] => return remark("durability", Weight::Good, "What the server has acknowledged is on its disk."),
        ["synchronous_commit"] => "the last changes that were acknowledged",
        _ => "changes that were acknowledged, or the whole database",
    };
    remark("durability", Weight::Bad, format!("A crash of the database server loses {loses}. Let an administrator of the database switch on there: {}.", off.join(", ")))
}

/// `before` and `after` are what the clock here said around the question.
fn clocks(there: Timestamp, before: Timestamp, after: Timestamp) -> Remark {
    let (behind, ahead) = (before.since(there), there.since(after));
    let apart = behind.max(ahead);
    if apart <= APART {
        return remark("database clock", Weight::Good, "The clocks of this machine and of the database server agree.");
    }
    let weight = if apart > FAR_APART { Weight::Bad } else { Weight::Note };
    let how = if ahead > behind { "ahead of" } else { "behind" };
    remark(
        "database clock",
        weight,
        format!(
            "The clock of the database server is {} s {how} that of this machine. Lifetimes of tokens go by the clock of each machine, and leases by the database's: set both clocks, for example by NTP.",
            apart.as_secs()
        ),
    )
}

fn parameters(database: &str, sessions: [&Session; 2]) -> Remark {
    let how = |words: &str| format!("{words} Let an administrator of the database run: ALTER DATABASE \"{database}\" SET log_parameter_max_length = 0");
    let in_full = sessions.into_iter().any(|(in_full, ..)| *in_full);
    let written = sessions.into_iter().any(|(in_full, written, ..)| *in_full && *written);
    match (in_full, written) {
        (false, _) => remark("parameters", Weight::Good, "The server writes no parameters of statements into its log."),
        (true, false) => {
            remark("parameters", Weight::Note, how("The server writes no statements into its log; should it once, their parameters would be among them, and so the database key."))
        }
        (true, true) => remark("parameters", Weight::Bad, how("The server writes statements with their parameters into its log, and so the database key.")),
    }
}

fn transport(sessions: [&Session; 2]) -> Remark {
    if sessions.into_iter().any(|(_, _, encrypted, here, _)| !encrypted && !here) {
        return remark("transport", Weight::Bad, "The connection to the database is not encrypted. Leave `sslmode` out of the store's address, and give the server a certificate.");
    }
    let encrypted = sessions.into_iter().all(|(_, _, encrypted, ..)| *encrypted);
    remark("transport", Weight::Good, if encrypted { "The connection to the database is encrypted." } else { "The connection to the database stays on this machine." })
}

/// Whether the database itself keeps those who manage from what is sealed.
fn separation(manages: &Login, opens: &Login) -> Remark {
    let remark = |weight, words: String| remark("separation", weight, words);
    for (login, above, ..) in [manages, opens] {
        if *above {
            return remark(
                Weight::Bad,
                format!(
                    "The login `{login}` is a superuser or bypasses row-level security: the database holds nothing back from it. Work with logins of their own, as `patchbay store sql` shows."
                ),
            );
        }
    }
    for (login, _, owner, ..) in [manages, opens] {
        if *owner {
            return remark(Weight::Bad, format!("The login `{login}` is a member of patchbay_owner and could change every rule. Run: REVOKE patchbay_owner FROM \"{login}\""));
        }
    }
    let ((login, .., opens_too), (second, _, _, manages_too, _)) = (manages, opens);
    if login == second {
        return remark(
            Weight::Note,
            format!(
                "One login, `{login}`, has both roles: what manages can read what is sealed by changing its role, so this is no separation by login. Give a second login with --store-svc."
            ),
        );
    }
    if *opens_too || *manages_too {
        return remark(
            Weight::Bad,
            format!(
                "The logins `{login}` and `{second}` are two, but one of them has both roles. Run: REVOKE svc_integration FROM \"{login}\"; REVOKE patchbay_management FROM \"{second}\""
            ),
        );
    }
    remark(Weight::Good, format!("`{login}` manages and cannot read what is sealed; `{second}` can, and neither can become the other."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_agree_within_the_time_of_the_question() {
        let at = |seconds: i64| Timestamp::from_unix_micros((1_795_000_000 + seconds) * 1_000_000).unwrap();
        // A server that took its time to answer is not one whose clock is wrong.
        for (there, before, after, weight) in [
            (0, 0, 0, Weight::Good),
            (5, 0, 0, Weight::Good),
            (7, 0, 60, Weight::Good),
            (66, 0, 60, Weight::Note),
            (-6, 0, 60, Weight::Note),
            (300, 0, 0, Weight::Note),
            (301, 0, 0, Weight::Bad),
            (-3600, 0, 0, Weight::Bad),
        ] {
            let told = clocks(at(there), at(before), at(after));
            assert_eq!(told.weight, weight, "{there}: {}", told.words);
            let side = if there < 0 { " s behind that" } else { " s ahead of that" };
            assert!(weight == Weight::Good || told.words.contains(side), "{there}: {}", told.words);
        }
    }

    #[test]
    fn what_is_off_for_either_login_is_told_once() {
        let session = |off: &str| (false, false, true, false, off.to_owned());
        let told = |first: &str, second: &str| durability([&session(first), &session(second)]);
        assert_eq!(told("", "").weight, Weight::Good);
        let last = told("", "synchronous_commit");
        assert!(last.weight == Weight::Bad && last.words.contains("loses the last changes") && last.words.contains("on there: synchronous_commit."), "{}", last.words);
        let whole = told("fsync, synchronous_commit", "fsync");
        assert!(whole.weight == Weight::Bad && whole.words.contains("the whole database. ") && whole.words.ends_with("on there: fsync, synchronous_commit."), "{}", whole.words);
    }
}
