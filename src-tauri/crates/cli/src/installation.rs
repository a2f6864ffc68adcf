//! From arguments to an open installation: key, engine, organization.

use std::io::IsTerminal;

use patchbay_engine::installation::StoreUrl;
use patchbay_engine::{Engine, ManagementGrant, NetworkPolicy, Rehearsal};
use patchbay_model::{Code, OrganizationId, Origin, Problem, Secret};
use patchbay_vault::{KeyAccess, KeySource, system_context};

use crate::arguments::{KeyArguments, OrganizationArguments, StoreArguments};
use crate::failure::Failure;

/// The variable that a passphrase may come from, for programs without a terminal.
const PASSPHRASE: &str = "PATCHBAY_PASSPHRASE";

/// The same for the store that a copy makes.
const TO_PASSPHRASE: &str = "PATCHBAY_TO_PASSPHRASE";

/// The same for the next passphrase of a rotation.
const NEW_PASSPHRASE: &str = "PATCHBAY_NEW_PASSPHRASE";

/// The same for a backup.
const BACKUP_PASSPHRASE: &str = "PATCHBAY_BACKUP_PASSPHRASE";

/// The key source that was named, with its passphrase if it needs one.
pub(crate) fn key_access(arguments: &KeyArguments, new: bool) -> Result<KeyAccess, Failure> {
    let source = arguments.source()?.ok_or_else(|| {
        Failure::usage(
            "name a key source: --key-source keyring, passphrase, file:PATH, env:NAME or systemd, or set PATCHBAY_KEY_SOURCE. \
             There is no default, so that a key is never taken from where you did not mean.",
        )
    })?;
    access(source, PASSPHRASE, "Passphrase of the store: ", new)
}

/// The key source of the store that a copy makes.
pub(crate) fn copy_access(source: Option<KeySource>) -> Result<KeyAccess, Failure> {
    let source = source.ok_or_else(|| {
        Failure::usage("name where the copy's master key comes from: --to-key-source keyring, passphrase, file:PATH, env:NAME or systemd, or set PATCHBAY_TO_KEY_SOURCE.")
    })?;
    access(source, TO_PASSPHRASE, "Passphrase of the copy: ", true)
}

fn access(source: KeySource, variable: &str, prompt: &str, new: bool) -> Result<KeyAccess, Failure> {
    if source == KeySource::Passphrase { passphrase(variable, prompt, new).map(KeyAccess::with_passphrase) } else { Ok(source.into()) }
}

/// The passphrase of a backup.
pub(crate) fn backup_passphrase(new: bool) -> Result<Secret, Failure> {
    passphrase(BACKUP_PASSPHRASE, "Passphrase of the backup: ", new)
}

/// The next passphrase of a store whose master key is rotated.
pub(crate) fn new_passphrase() -> Result<Secret, Failure> {
    passphrase(NEW_PASSPHRASE, "Next passphrase of the store: ", true)
}

/// From the variable, else asked for on the terminal. Never an argument: arguments are seen by every user of the machine.
fn passphrase(variable: &str, prompt: &str, new: bool) -> Result<Secret, Failure> {
    if let Ok(text) = std::env::var(variable) {
        return Ok(Secret::new(text));
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(
            Problem::new(Code::KeyUnavailable, format!("There is no terminal to ask for the passphrase on. Set {variable}, or name something else than a passphrase.")).into()
        );
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Secret::new)
            .map_err(|error| Problem::new(Code::KeyUnavailable, format!("The passphrase cannot be read: {error}. Set {variable} instead.")))
    };
    let first = ask(prompt)?;
    if new && !patchbay_vault::same_bytes(ask("The same again: ")?.expose().as_bytes(), first.expose().as_bytes()) {
        return Err(Problem::new(Code::KeyUnavailable, "The two passphrases differ. Nothing was made; try again.").into());
    }
    Ok(first)
}

/// Opens the store with its key.
pub(crate) async fn open(arguments: &StoreArguments, network: NetworkPolicy) -> Result<Engine, Failure> {
    open_named(&arguments.url()?, &arguments.key, network).await
}

/// The same, of a store and of what names its key, which is not asked for where the store is not opened here.
pub(crate) async fn open_named(store: &StoreUrl, key: &KeyArguments, network: NetworkPolicy) -> Result<Engine, Failure> {
    store.opened_here()?;
    open_url(store, &key_access(key, false)?, network).await
}

/// The same, of parts.
pub(crate) async fn open_url(store: &StoreUrl, keys: &KeyAccess, network: NetworkPolicy) -> Result<Engine, Failure> {
    Ok(patchbay_engine::installation::open(store, keys, system_context(), network, Origin::Cli).await?)
}

/// The organization that was named, or the only one.
pub(crate) async fn organization(engine: &Engine, arguments: &OrganizationArguments) -> Result<OrganizationId, Failure> {
    let organizations = engine.organizations().await?;
    let names = || organizations.iter().map(|organization| organization.name.as_str()).collect::<Vec<_>>().join(", ");
    match (&arguments.organization, organizations.as_slice()) {
        // Names are unique ignoring case, and an id wins over a name.
        (Some(wanted), all) => all
            .iter()
            .find(|organization| organization.id.to_string() == *wanted)
            .or_else(|| all.iter().find(|organization| organization.name.as_str().eq_ignore_ascii_case(wanted)))
            .map(|organization| organization.id)
            .ok_or_else(|| Failure::from(Problem::not_found("organization", wanted).with_detail(format!("This store has: {}.", names())))),
        (None, [only]) => Ok(only.id),
        (None, []) => Err(Problem::new(Code::NotFound, "This store has no organization. Add one with `patchbay init`.").into()),
        (None, _) => Err(Failure::usage(format!("this store has several organizations; name one with --organization: {}", names()))),
    }
}

/// The grant of the holder of the key in that organization.
pub(crate) async fn grant(engine: &Engine, arguments: &OrganizationArguments) -> Result<ManagementGrant, Failure> {
    let organization = organization(engine, arguments).await?;
    Ok(engine.local_grant(organization, Origin::Cli).await?)
}

/// Where the simulated providers are.
pub(crate) fn rehearsal(text: &str) -> Result<Rehearsal, Failure> {
    let wrong = || Failure::usage("--rehearse: give the address that `patchbay simulate` printed, such as http://127.0.0.1:40000.");
    let url = text.parse::<url::Url>().ok().filter(|url| url.scheme() == "http").ok_or_else(wrong)?;
    let address = url.socket_addrs(|| None).ok().and_then(|addresses| addresses.into_iter().find(|address| address.ip().is_loopback()));
    address.and_then(Rehearsal::at).ok_or_else(wrong)
}

/// What somebody works with in earnest is not rehearsed: its tokens would go to the simulator and be spent there.
pub(crate) async fn only_samples(store: &StoreArguments) -> Result<(), Failure> {
    let engine = open(store, NetworkPolicy::default()).await?;
    let organizations = engine.organizations().await;
    engine.shutdown().await;
    match organizations?.iter().find(|organization| !organization.sample) {
        None => Ok(()),
        Some(real) => Err(Problem::new(
            Code::InvalidRequest,
            format!(
                "Organization `{}` is not a sample, and its credentials must not go to simulated providers. Rehearse on a store of its own: patchbay init --sample.",
                real.name
            ),
        )
        .into()),
    }
}
