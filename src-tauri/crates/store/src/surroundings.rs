//! What a database server and the logins are like, as far as it matters to secrets: for `doctor` to tell.

use patchbay_model::Scope;

use crate::db;
use crate::error::Result;
use crate::store::Store;

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

/// The server: version, database, whether parameters would be written in full, whether statements are written, whether the
/// connection is encrypted, whether it stays on this machine.
type Facts = (String, String, bool, bool, bool, bool);

const FACTS: &str = "SELECT current_setting('server_version'), current_database()::text, current_setting('log_parameter_max_length') <> '0', current_setting('log_statement') IN ('all', 'mod') OR current_setting('log_min_duration_statement') <> '-1' OR current_setting('log_min_duration_sample') <> '-1' OR current_setting('log_transaction_sample_rate') <> '0', coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), coalesce(inet_client_addr() << '127.0.0.0/8' OR inet_client_addr() = '::1', true)";

impl Store {
    /// What is to be said of the database that the store lies in; nothing of a file.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remarks(&self) -> Result<Vec<Remark>> {
        if self.path().is_some() {
            return Ok(Vec::new());
        }
        let mut tx = self.read(Scope::System).await?;
        let manages: Login = db::query_as(LOGIN).fetch_one(&mut tx.tx).await?;
        let (version, database, in_full, written, encrypted, here): Facts = db::query_as(FACTS).fetch_one(&mut tx.tx).await?;
        drop(tx);
        let mut tx = self.read_secrets(Scope::System).await?;
        let opens: Login = db::query_as(LOGIN).fetch_one(&mut tx.tx).await?;
        drop(tx);
        let remark = |subject, weight, words: String| Remark { subject, weight, words };
        Ok(vec![
            remark("database", Weight::Good, format!("PostgreSQL {version}, database `{database}`.")),
            separation(&manages, &opens),
            match (in_full, written) {
                (false, _) => remark("parameters", Weight::Good, "The server writes no parameters of statements into its log.".to_owned()),
                (true, false) => remark(
                    "parameters",
                    Weight::Note,
                    format!(
                        "The server writes no statements into its log; should it once, their parameters would be among them, and so the database key. Let an administrator of the database run: ALTER DATABASE \"{database}\" SET log_parameter_max_length = 0"
                    ),
                ),
                (true, true) => remark(
                    "parameters",
                    Weight::Bad,
                    format!(
                        "The server writes statements with their parameters into its log, and so the database key. Let an administrator of the database run: ALTER DATABASE \"{database}\" SET log_parameter_max_length = 0"
                    ),
                ),
            },
            match (encrypted, here) {
                (true, _) => remark("transport", Weight::Good, "The connection to the database is encrypted.".to_owned()),
                (false, true) => remark("transport", Weight::Good, "The connection to the database stays on this machine.".to_owned()),
                (false, false) => remark(
                    "transport",
                    Weight::Bad,
                    "The connection to the database is not encrypted. Leave `sslmode` out of the store's address, and give the server a certificate.".to_owned(),
                ),
            },
        ])
    }
}

/// Whether the database itself keeps those who manage from what is sealed.
fn separation(manages: &Login, opens: &Login) -> Remark {
    let remark = |weight, words: String| Remark { subject: "separation", weight, words };
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
