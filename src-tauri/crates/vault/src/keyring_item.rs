//! Small secrets of the application in the operating system's keyring, beside the master keys of stores: the tokens of a
//! server, the key of a cache, the password of a database.

use patchbay_model::{Code, Context, Problem, Secret};

use crate::keyring::{OTHER_SOURCES, SERVICE, off_this_thread, probe};
use crate::same_bytes;

/// The end of every sentence about an entry that cannot be used.
const ENDING: &str = "or use the command line, which can do without a keyring.";

/// Most bytes of a value: some keyrings take no more than 2.5 kB, encoded as they like.
const LARGEST: usize = 1200;

/// One entry: service `patchbay`, and a user name that says what it is. Every call blocks, for as long as a person needs to
/// unlock the keyring: run it off the async runtime. Nothing is put anywhere else when the keyring cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyringItem {
    user: String,
}

impl KeyringItem {
    /// Names an entry. The name is no secret and stands in the keyring as it is, so that a person can recognise it there.
    pub fn new(name: impl Into<String>) -> Self {
        Self { user: name.into() }
    }

    /// Writes, reads and deletes an entry of its own, before a keyring is trusted with anything.
    ///
    /// # Errors
    /// `key_unavailable`, in one sentence that says what is wrong with the keyring and what to do.
    pub fn probe(context: &Context) -> Result<(), Problem> {
        probe(context).map_err(ours)
    }

    /// Reads it; nothing where there is none.
    ///
    /// # Errors
    /// `key_unavailable` when the keyring cannot be used.
    pub fn read(&self) -> Result<Option<Secret>, Problem> {
        let user = self.user.clone();
        off_this_thread(move |keyring| match keyring.entry(&user)?.get_password() {
            Ok(value) => Ok(Some(Secret::new(value))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
        .map_err(ours)
    }

    /// Writes it and reads it back.
    ///
    /// # Errors
    /// `key_unavailable` when the keyring cannot be used or did not keep the value.
    pub fn write(&self, value: Secret) -> Result<(), Problem> {
        if value.len() > LARGEST {
            return Err(Problem::internal(format_args!("a value of {} bytes is too large for a keyring", value.len())));
        }
        let user = self.user.clone();
        let kept = off_this_thread(move |keyring| {
            let entry = keyring.entry(&user)?;
            entry.set_password(value.expose())?;
            let read = Secret::new(entry.get_password()?);
            Ok(same_bytes(read.expose().as_bytes(), value.expose().as_bytes()))
        })
        .map_err(ours)?;
        if kept {
            return Ok(());
        }
        Err(Problem::new(Code::KeyUnavailable, format!("The system keyring did not keep its entry `{}` (service `{SERVICE}`); repair it, {ENDING}", self.user)))
    }

    /// Deletes it; one that is not there is no error.
    ///
    /// # Errors
    /// `key_unavailable` when the keyring cannot be used.
    pub fn delete(&self) -> Result<(), Problem> {
        let user = self.user.clone();
        off_this_thread(move |keyring| match keyring.entry(&user)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(error),
        })
        .map_err(ours)
    }
}

/// The same sentence, for what is no key of a store and has no other source.
fn ours(mut problem: Problem) -> Problem {
    if let Some(sentence) = problem.message.strip_suffix(OTHER_SOURCES) {
        problem.message = format!("{sentence}{ENDING}");
    }
    problem
}
