//! The operating system's keyring: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
//!
//! It holds the master key and nothing else: some keyrings take no more than 2.5 kB. Every call may wait for a person to
//! unlock the keyring, so every call blocks; run it off the async runtime. A keyring that is not there, or that is there and
//! does not answer, is given up after [`GREETING`]; one that has answered may ask a person, for no longer than [`PATIENCE`].

use std::sync::{Arc, mpsc};
use std::time::Duration;

use keyring::{Entry, Error};
use keyring_core::api::CredentialStoreApi;
use patchbay_model::{Code, Context, Problem, Secret};
use uuid::Uuid;

use crate::same_bytes;

/// Service name of our entries. The user name is the store's id, and for a master key that came by rotation the key's id
/// behind it: the key before keeps its entry until the next one has opened the store.
pub(crate) const SERVICE: &str = "patchbay";

/// Longest wait for a sign of life, which no keyring asks a person for.
const GREETING: Duration = Duration::from_millis(1800);

/// Longest wait for the keyring, time for a person to type a password among it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The same end to every sentence.
pub(crate) const OTHER_SOURCES: &str = "or choose another key source: passphrase, file:PATH, env:NAME or systemd.";

/// Writes, reads and deletes an entry of its own, so that a keyring is trusted only after it has kept a secret. Blocks.
///
/// # Errors
/// `key_unavailable`, in one sentence that says what is wrong with the keyring and what to do.
pub fn probe(context: &Context) -> Result<(), Problem> {
    let user = format!("probe-{}", context.new_uuid());
    let mut random = [0; 32];
    context.entropy().fill(&mut random);
    let value = Secret::new(random.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    off_this_thread(move |keyring| {
        let entry = keyring.entry(&user)?;
        entry.set_password(value.expose())?;
        let read = entry.get_password().map(Secret::new);
        // Deleted before what was read is judged, so that a bad keyring is not littered as well.
        let deleted = entry.delete_credential();
        let kept = same_bytes(read?.expose().as_bytes(), value.expose().as_bytes());
        deleted?;
        Ok(kept)
    })
    .and_then(|kept| if kept { Ok(()) } else { Err(unavailable("The system keyring gave back another value than it was given; repair it,")) })
}

/// Reads a master key of a store; none when the keyring has no such entry. Blocks.
///
/// # Errors
/// `key_unavailable` when the keyring cannot be used.
pub(crate) fn read(store_id: Uuid, master: Option<Uuid>) -> Result<Option<Secret>, Problem> {
    off_this_thread(move |keyring| match keyring.entry(&user(store_id, master))?.get_password() {
        Ok(password) => Ok(Some(Secret::new(password))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    })
}

/// That the keyring has no key for a store.
pub(crate) fn missing(store_id: Uuid, master: Option<Uuid>) -> Problem {
    let user = user(store_id, master);
    unavailable(&format!("The system keyring has no key for this store (service `{SERVICE}`, user `{user}`); open the store as the user and on the machine that made it,"))
}

/// Writes a master key of a store and reads it back. Blocks.
///
/// # Errors
/// `key_unavailable` when the keyring cannot be used or did not keep the key.
pub(crate) fn write(store_id: Uuid, master: Option<Uuid>, key: Secret) -> Result<(), Problem> {
    off_this_thread(move |keyring| {
        let entry = keyring.entry(&user(store_id, master))?;
        entry.set_password(key.expose())?;
        let read = Secret::new(entry.get_password()?);
        Ok(same_bytes(read.expose().as_bytes(), key.expose().as_bytes()))
    })
    .and_then(|kept| if kept { Ok(()) } else { Err(unavailable("The system keyring did not keep the key; repair it,")) })
}

/// Deletes a master key of a store; a key that is not there is no error. Blocks.
///
/// # Errors
/// `key_unavailable` when the keyring cannot be used.
pub(crate) fn delete(store_id: Uuid, master: Option<Uuid>) -> Result<(), Problem> {
    off_this_thread(move |keyring| match keyring.entry(&user(store_id, master))?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(error),
    })
}

fn user(store_id: Uuid, master: Option<Uuid>) -> String {
    master.map_or_else(|| store_id.to_string(), |master| format!("{store_id}/{master}"))
}

/// A connection to the platform's keyring.
///
/// Not the default store of `keyring`: that one connects once in the life of a process and remembers a failure, or waits for
/// ever where the first call met a keyring that hangs.
pub(crate) struct Keyring(Arc<dyn CredentialStoreApi + Send + Sync>);

impl Keyring {
    /// Connects and waits for the first answer. On Linux that opens a session of the Secret Service, for which no keyring has
    /// to be unlocked.
    fn connect() -> keyring::Result<Self> {
        #[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
        let store = zbus_secret_service_keyring_store::Store::new()?;
        #[cfg(target_os = "macos")]
        let store = apple_native_keyring_store::keychain::Store::new()?;
        #[cfg(target_os = "windows")]
        let store = windows_native_keyring_store::Store::new()?;
        Ok(Self(store))
    }

    pub(crate) fn entry(&self, user: &str) -> keyring::Result<Entry> {
        self.0.build(SERVICE, user, None).map(|inner| Entry { inner })
    }
}

/// Runs on a thread of its own: the D-Bus client drives an executor of its own, which must not happen within a caller's
/// async runtime, and a keyring that never answers must not hold the caller for ever.
pub(crate) fn off_this_thread<T: Send + 'static>(work: impl FnOnce(&Keyring) -> keyring::Result<T> + Send + 'static) -> Result<T, Problem> {
    let (greet, greeted) = mpsc::channel();
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(move || {
            let connected = Keyring::connect();
            // Nobody listens any more when the patience has run out.
            let _ = greet.send(());
            let _ = sender.send(connected.and_then(|keyring| work(&keyring)).map_err(|error| words(&error)));
        })
        .map_err(|error| Problem::internal(format_args!("no thread could be started ({error})")))?;
    greeted.recv_timeout(GREETING).map_err(|_| unavailable("The system keyring does not answer; restart gnome-keyring or KWallet and try again,"))?;
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(unavailable("The system keyring did not answer within two minutes; unlock it and try again,")))
}

fn words(error: &Error) -> Problem {
    let problem = match error {
        Error::NoStorageAccess(_) => unavailable("The system keyring is locked, or its prompt was dismissed; unlock it and try again,"),
        Error::Ambiguous(_) => unavailable("The system keyring has several entries for this store; delete the ones that do not belong there,"),
        _ if !session_bus_is_set() => unavailable("The system keyring cannot be reached, because no D-Bus session is running here; start Patchbay within a desktop session,"),
        Error::PlatformFailure(_) => unavailable("No keyring service answers here, or it refuses to keep secrets; start and unlock gnome-keyring or KWallet and try again,"),
        _ => unavailable("The system keyring cannot be used; repair it and try again,"),
    };
    // The platform's words never hold the secret: stores put it only into BadEncoding and BadDataFormat, which are not shown.
    match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => problem.with_detail(cause.to_string().chars().take(300).collect::<String>()),
        _ => problem,
    }
}

/// Whether a D-Bus session can be there: named by the environment, or systemd's own socket. Elsewhere than on Linux the
/// question does not arise.
fn session_bus_is_set() -> bool {
    if cfg!(any(target_os = "macos", target_os = "windows")) || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty()) {
        return true;
    }
    std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| std::path::Path::new(&folder).join("bus").exists())
}

fn unavailable(sentence: &str) -> Problem {
    Problem::new(Code::KeyUnavailable, format!("{sentence} {OTHER_SOURCES}"))
}
