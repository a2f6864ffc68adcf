//! Rotation of the master key, in steps between which the program may end.

use std::path::PathBuf;

use patchbay_model::{Code, Operation, Problem, Scope, Secret};
use patchbay_vault::{KeyAccess, KeyHeader, KeySource, OpenedBy, SourceKind, Vault};

use super::{Author, advance, must_hold_key};
use crate::{Engine, ManagementGrant};

/// What came of a rotation of the master key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MasterRotated {
    /// Where the master key comes from now.
    pub source: KeySource,
    /// Whether a rotation that had been begun before was finished with it.
    pub resumed: bool,
    /// The file that keeps the key before, where a key file was exchanged.
    pub kept_file: Option<PathBuf>,
    /// Whether the keyring still holds the key before.
    pub kept_entry: bool,
}

/// Reads where the next master key shall come from; none for the present source.
///
/// # Errors
/// `invalid_field` at `/to` or `/passphrase`.
pub fn next_source(to: Option<&str>, passphrase: Option<Secret>) -> Result<Option<KeyAccess>, Problem> {
    let to = to.map(|text| text.parse::<KeySource>().map_err(|problem| problem.at_body("/to"))).transpose()?;
    match (to, passphrase) {
        (Some(KeySource::Passphrase) | None, Some(passphrase)) => Ok(Some(KeyAccess::with_passphrase(passphrase))),
        (Some(KeySource::Passphrase), None) => Err(Problem::field("/passphrase", "/passphrase is missing; give the next passphrase.")),
        (Some(_), Some(_)) => Err(Problem::field("/passphrase", "/passphrase goes with the source `passphrase` alone. Leave it out.")),
        (source, None) => Ok(source.map(KeyAccess::from)),
    }
}

/// Rotates the master key: makes or reads the next one at `to` (where left out, at the present source), wraps every key under
/// it, opens the store with it as the source gives it back, and lets go of the one before. A rotation that had been begun is
/// finished when `to` gives its key; otherwise it is given up for a new one.
///
/// What kept the key before stays: an entry of the keyring until [`forget_replaced`], a key file for its owner to remove.
/// Copies and backups made before open with it alone.
///
/// # Errors
/// `permission_denied`; `key_unavailable`, `weak_password`, `invalid_field` when the source gives no next key;
/// problems of the store. Then the store is as it was, or opens with either key, which [`super::status`] says.
pub async fn rotate_master(engine: &Engine, grant: &ManagementGrant, to: Option<KeyAccess>) -> Result<MasterRotated, Problem> {
    grant.require(Operation::KeysRotate, None)?;
    must_hold_key(grant)?;
    let held = engine.keys().access();
    let to = to.unwrap_or_else(|| held.clone());
    if matches!(to.source(), KeySource::Passphrase) && !to.has_passphrase() {
        return Err(Problem::field("/passphrase", "The next passphrase is missing. Give it, or name another source."));
    }
    let author = Author::new(engine, grant, Operation::KeysRotate, "master").await?;
    let mut header = read(engine).await?;
    engine.keys().follow(&header)?;
    if let Some(proven) = open_pending(&to, &header).await? {
        return finish(engine, &author, &to, &header, &proven, true).await;
    }
    if header.pending.is_some() && engine.vault().opened_by() == OpenedBy::Pending {
        // Nobody may be left with the key before: what this program was opened with comes first.
        let Some(proven) = open_pending(&held, &header).await? else {
            return Err(Problem::new(
                Code::KeyUnavailable,
                "The store was opened with a master key whose rotation is not finished, and its source does not give it any more. Put it back, or open the store with the key before.",
            ));
        };
        finish(engine, &author, &held, &header, &proven, true).await?;
        header = read(engine).await?;
    }
    if !engine.vault().fits(&header)? {
        return Err(Problem::new(Code::WrongKey, "The master key was rotated by another program. Start this one anew with the next key."));
    }
    withdraw(&header).await;
    let (access, asked, context) = (to.clone(), header.clone(), engine.context().clone());
    let next = blocking(move || access.next_master(&asked, &context)).await?;
    let vault = engine.vault();
    let header = advance(engine, grant.caller().origin, None, |header, _| vault.with_next_master(header, &next, engine.context())).await?;
    let (access, asked, context) = (to.clone(), header.clone(), engine.context().clone());
    let placed = blocking(move || access.place(&asked, &next, &context)).await;
    let proven = match placed {
        Ok(()) => open_pending(&to, &header).await,
        Err(problem) => Err(problem),
    };
    match proven {
        Ok(Some(proven)) => finish(engine, &author, &to, &header, &proven, false).await,
        Ok(None) => {
            give_up(
                engine,
                &to,
                &header,
                Problem::new(
                    Code::KeyUnavailable,
                    format!("{} did not give back the key that it was given, so nothing was changed. Mend it, or name another source.", to.source()),
                ),
            )
            .await
        }
        Err(problem) => give_up(engine, &to, &header, problem).await,
    }
}

/// Removes replaced master keys from the keyring. Copies and backups from before can be opened no more.
///
/// # Errors
/// `permission_denied`; `key_unavailable` when the keyring cannot be used; problems of the store.
pub async fn forget_replaced(engine: &Engine, grant: &ManagementGrant) -> Result<u64, Problem> {
    grant.require(Operation::KeysForget, None)?;
    must_hold_key(grant)?;
    let header = read(engine).await?;
    if header.retired.is_empty() {
        return Ok(0);
    }
    let author = Author::new(engine, grant, Operation::KeysForget, "master").await?;
    let mut gone = 0;
    for retired in header.retired {
        let (store_id, one) = (header.store_id, retired.clone());
        blocking(move || KeyAccess::remove_retired(store_id, &one)).await?;
        advance(engine, grant.caller().origin, Some(&author), |header, _| Ok(header.without_retired(&retired))).await?;
        gone += 1;
    }
    Ok(gone)
}

/// The last steps: the key is in its source and opens the store.
async fn finish(engine: &Engine, author: &Author<'_>, to: &KeyAccess, header: &KeyHeader, proven: &Vault, resumed: bool) -> Result<MasterRotated, Problem> {
    let agrees = |proven: &Vault| {
        if engine.vault().agrees_with(header, proven)? { Ok(()) } else { Err(Problem::internal("the next master key wraps other keys than the present one; nothing was changed")) }
    };
    agrees(proven)?;
    let (access, asked) = (to.clone(), header.clone());
    let kept_file = blocking(move || access.settle(&asked)).await?;
    // Once more, from where it will be looked for from now on.
    let settled = open_pending(to, header)
        .await?
        .ok_or_else(|| Problem::new(Code::KeyUnavailable, format!("{} no longer gives the next key. Run the rotation again; until then both keys open the store.", to.source())))?;
    agrees(&settled)?;
    let pending = header.pending.as_ref().and_then(|pending| pending.lock.master);
    // This process must not find the key before gone from its source while it does not hold the next one yet.
    let _turn = engine.keys().turn().await;
    let last = advance(engine, author.caller.origin, Some(author), |header, now| {
        if header.pending.as_ref().and_then(|pending| pending.lock.master) != pending {
            return Err(Problem::new(
                Code::UpdateConflict,
                "Another program has begun a rotation of the master key meanwhile, and this one was given up. Look at `patchbay key status`.",
            ));
        }
        header.with_pending_in_place(true, now)
    })
    .await;
    let last = match last {
        Ok(last) => last,
        Err(problem) => {
            if let (Code::UpdateConflict, Some(kept)) = (problem.code, kept_file) {
                let (access, ours) = (to.clone(), settled);
                blocking(move || access.unsettle(&kept, &ours)).await?;
            }
            return Err(problem);
        }
    };
    let (access, asked) = (to.clone(), last.clone());
    let opened = blocking(move || access.open_vault(&asked)).await?;
    engine.keys().exchange(opened, to);
    tracing::info!(source = last.lock.made_with.as_str(), "the master key was rotated");
    let kept_entry = header.lock.made_with == SourceKind::Keyring;
    Ok(MasterRotated { source: to.source().clone(), resumed, kept_file, kept_entry })
}

/// Takes the pending key back, out of the header first, so that nothing points at a key that is gone.
async fn give_up(engine: &Engine, to: &KeyAccess, header: &KeyHeader, why: Problem) -> Result<MasterRotated, Problem> {
    let ours = header.pending.clone();
    advance(engine, engine.origin(), None, |now, _| Ok(if now.pending == ours { now.without_pending() } else { now.clone() })).await?;
    let (access, asked) = (to.clone(), header.clone());
    if let Err(problem) = blocking(move || access.withdraw(&asked)).await {
        tracing::warn!(code = problem.code.as_str(), "a master key that was not used is left behind in its source");
    }
    Err(why)
}

/// Removes the keyring's entry of a rotation that was begun and is given up for another.
async fn withdraw(header: &KeyHeader) {
    if header.pending.as_ref().is_none_or(|pending| pending.lock.made_with != SourceKind::Keyring) {
        return;
    }
    let asked = header.clone();
    // The entry opens nothing once the header has let go of it; that it stays behind harms nobody.
    let _ = blocking(move || KeyAccess::from(KeySource::Keyring).withdraw(&asked)).await;
}

async fn open_pending(access: &KeyAccess, header: &KeyHeader) -> Result<Option<Vault>, Problem> {
    if header.pending.is_none() {
        return Ok(None);
    }
    let (access, header) = (access.clone(), header.clone());
    blocking(move || access.open_pending(&header)).await
}

async fn read(engine: &Engine) -> Result<KeyHeader, Problem> {
    let mut tx = engine.store().read(Scope::System).await?;
    super::header(&mut tx).await
}

/// Sources may wait for a person, and Argon2id takes its time: neither belongs on an async thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal("the work on a key source was interrupted"))?
}
