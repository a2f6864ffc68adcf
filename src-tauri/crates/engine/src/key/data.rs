//! Rotation of the data key: a new key, every value sealed anew under it, and the key before dropped when nothing is left.

use std::time::Duration;

use patchbay_model::{AccountId, Code, Operation, OrganizationId, Origin, Problem, Scope, Timestamp};
use patchbay_store::{SealedTable, SealedValue};
use patchbay_vault::{Aad, KeyHeader};
use uuid::Uuid;

use super::status::remaining;
use super::{Author, advance, decides_over_keys, replace};
use crate::contention::again;
use crate::engine::Stopping;
use crate::engine::WeakEngine;
use crate::{Engine, ManagementGrant};

/// How long the other processes leave a rotation to the one that is at it, counted from its last batch. Long enough for a
/// batch on a slow disk, short enough that a rotation whose process was killed goes on soon.
const LEASE: Duration = Duration::from_secs(20);

/// Values sealed anew in one transaction: some ten milliseconds in which other writers wait.
const BATCH: u32 = 500;

/// How often a process looks whether a rotation was left lying.
const LOOK: Duration = Duration::from_secs(15);

/// How long a rotation that failed is left alone by the worker.
const AFTER_FAILURE: Duration = Duration::from_secs(300);

/// How long processes on other machines have to take up a database key before the first value is encrypted under it. They
/// are told at once; a statement in the database cannot ask for a key that it was not given.
const SPREAD: Duration = Duration::from_millis(1500);

/// How often whoever watches another process's rotation looks again.
const WATCH: Duration = Duration::from_millis(500);

/// How far a rotation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Values sealed anew since this process took part.
    pub done: u64,
    /// Values that lay under a key before at that time.
    pub total: u64,
}

/// Begins a rotation of the data key, or asks for one that was begun to be gone on with. A process that has the store open,
/// this one among them, does the work.
///
/// # Errors
/// `permission_denied`; `update_conflict` while the master key is being rotated; problems of the store.
pub async fn begin_data_rotation(engine: &Engine, grant: &ManagementGrant) -> Result<(), Problem> {
    decides_over_keys(engine, grant, Operation::KeysRotate).await?;
    let author = Author::new(engine, grant, Operation::KeysRotate, "data").await?;
    // Without a lease: whoever is quickest takes it.
    begin(engine, grant.caller().origin, &author, &engine.context().new_uuid().to_string(), Duration::ZERO).await?;
    engine.keys().wake();
    Ok(())
}

/// Rotates the data key and returns when it is done. A rotation that was begun and left lying is gone on with; one that
/// another process is at is watched to its end.
///
/// # Errors
/// `permission_denied`; `update_conflict` while the master key is being rotated; `seal_broken` when values do not open, for
/// which the key before is kept; problems of the store. What was done stays done: the next attempt goes on there.
pub async fn rotate_data(engine: &Engine, grant: &ManagementGrant, mut progress: impl FnMut(Progress)) -> Result<Progress, Problem> {
    decides_over_keys(engine, grant, Operation::KeysRotate).await?;
    let author = Author::new(engine, grant, Operation::KeysRotate, "data").await?;
    let owner = engine.context().new_uuid().to_string();
    begin(engine, grant.caller().origin, &author, &owner, LEASE).await?;
    let mut seen = Progress::default();
    loop {
        match take(engine, &owner).await? {
            Taken::Ours => match sweep(engine, &owner, &mut seen, &mut progress, None).await {
                Ok(Swept::Done) => return Ok(seen),
                Ok(Swept::Elsewhere | Swept::Stopped) => {}
                Err(problem) => {
                    // Whoever mends what is wrong need not wait. Where nothing can be written, the lease ends by itself.
                    let _ = give_back(engine, &owner).await;
                    return Err(problem);
                }
            },
            Taken::Elsewhere => {
                let left = left(engine).await?;
                seen.total = seen.total.max(left);
                seen.done = seen.total - left;
                progress(seen);
            }
            Taken::Nothing => return Ok(Progress { done: seen.total, ..seen }),
        }
        tokio::time::sleep(WATCH).await;
    }
}

/// Makes the next key, unless a rotation is under way.
async fn begin(engine: &Engine, origin: Origin, author: &Author<'_>, owner: &str, lease: Duration) -> Result<(), Problem> {
    let mut tx = engine.store().read(Scope::System).await?;
    let begun = super::header(&mut tx).await?.rotation.is_some();
    drop(tx);
    if begun {
        return Ok(());
    }
    let vault = engine.vault();
    let next = advance(engine, origin, Some(author), |header, now| match header.rotation {
        // Begun by another in this moment.
        Some(_) => Ok(header.clone()),
        None => vault.with_next_data_key(header, owner, now.plus(lease), engine.context()),
    })
    .await?;
    engine.keys().follow(&next)?;
    engine.hand_over_database_keys();
    Ok(())
}

enum Taken {
    /// This process is at it now.
    Ours,
    /// Another one is.
    Elsewhere,
    /// There is no rotation.
    Nothing,
}

/// Takes the lease on a rotation that nobody is at.
async fn take(engine: &Engine, owner: &str) -> Result<Taken, Problem> {
    let mut tx = engine.store().read(Scope::System).await?;
    let header = super::header(&mut tx).await?;
    let now = tx.clock(engine.now()).await?;
    drop(tx);
    let free = |header: &KeyHeader, now: Timestamp| header.rotation.as_ref().is_some_and(|rotation| rotation.owner == owner || rotation.lease_until <= now);
    if header.rotation.is_none() {
        return Ok(Taken::Nothing);
    }
    if !free(&header, now) {
        return Ok(Taken::Elsewhere);
    }
    let vault = engine.vault();
    let header =
        advance(
            engine,
            Origin::Background,
            None,
            |header, now| {
                if free(header, now) { vault.with_next_data_key(header, owner, now.plus(LEASE), engine.context()) } else { Ok(header.clone()) }
            },
        )
        .await?;
    match &header.rotation {
        Some(rotation) if rotation.owner == owner => {}
        Some(_) => return Ok(Taken::Elsewhere),
        None => return Ok(Taken::Nothing),
    }
    if header.rotation.as_ref().is_some_and(|rotation| rotation.next.is_some()) {
        if header.active_database.is_some() {
            tokio::time::sleep(SPREAD).await;
        }
        let header = advance(engine, Origin::Background, None, |header, _| Ok(header.with_next_keys_active())).await?;
        engine.keys().follow(&header)?;
    } else {
        engine.keys().follow(&header)?;
    }
    engine.hand_over_database_keys();
    Ok(Taken::Ours)
}

/// Values that still lie under a key before.
async fn left(engine: &Engine) -> Result<u64, Problem> {
    let mut tx = engine.store().read_secrets(Scope::System).await?;
    let header = super::header(&mut tx).await?;
    Ok(remaining(&header, &tx.secrets().count_sealed().await?))
}

enum Swept {
    /// Nothing lies under a key before, and it is dropped.
    Done,
    /// Another process has taken the rotation over.
    Elsewhere,
    /// The program ends; somebody else goes on.
    Stopped,
}

/// Goes through every table until nothing is left, then drops the key before.
async fn sweep(engine: &Engine, owner: &str, seen: &mut Progress, progress: &mut impl FnMut(Progress), stopping: Option<&Stopping>) -> Result<Swept, Problem> {
    seen.total = left(engine).await? + seen.done;
    progress(*seen);
    loop {
        let mut broken = 0;
        for table in SealedTable::ALL {
            let mut after = None;
            loop {
                if stopping.is_some_and(Stopping::has_stopped) {
                    give_back(engine, owner).await?;
                    return Ok(Swept::Stopped);
                }
                let step = again!(engine, { batch(engine, owner, table, after).await });
                match step {
                    Batch::Elsewhere => return Ok(Swept::Elsewhere),
                    Batch::Last => break,
                    Batch::Sealed { last, sealed, unopened } => {
                        after = Some(last);
                        broken += unopened;
                        seen.done += sealed;
                        seen.total = seen.total.max(seen.done);
                        progress(*seen);
                    }
                }
            }
        }
        if broken > 0 {
            return Err(Problem::new(
                Code::SealBroken,
                format!(
                    "{broken} sealed values do not open, so they lie where they lay and the data key before is kept for them. Run `patchbay store verify` to see which, enter them again, then rotate again."
                ),
            ));
        }
        match finish(engine, owner).await? {
            Finished::Done => return Ok(Swept::Done),
            Finished::Elsewhere => return Ok(Swept::Elsewhere),
            // A process that had not heard of the new key sealed under the one before meanwhile.
            Finished::Left => {}
        }
    }
}

/// Ends the own lease on a rotation, so that the next one who looks goes on with it.
async fn give_back(engine: &Engine, owner: &str) -> Result<(), Problem> {
    advance(engine, Origin::Background, None, |header, now| Ok(if held_by(header, owner) { header.with_lease_until(now) } else { header.clone() })).await.map(drop)
}

fn held_by(header: &KeyHeader, owner: &str) -> bool {
    header.rotation.as_ref().is_some_and(|rotation| rotation.owner == owner)
}

enum Batch {
    /// Another process has taken the rotation over.
    Elsewhere,
    /// There is nothing more in this table.
    Last,
    /// Values were sealed anew.
    Sealed {
        /// The row up to which was gone.
        last: Uuid,
        sealed: u64,
        unopened: u64,
    },
}

/// Seals the next values of a table anew, in one transaction.
async fn batch(engine: &Engine, owner: &str, table: SealedTable, after: Option<Uuid>) -> Result<Batch, Problem> {
    let mut tx = engine.store().write_secrets(Scope::System, Origin::Background).await?;
    let header = super::header(&mut tx).await?;
    if !held_by(&header, owner) {
        return Ok(Batch::Elsewhere);
    }
    let page = tx.secrets().sealed_page(table, after, Some((&header.active, header.active_database.as_deref())), BATCH).await?;
    let Some(last) = page.last().map(|value| value.row) else { return Ok(Batch::Last) };
    let vault = engine.vault();
    let mut next = Vec::with_capacity(page.len());
    let mut unopened = 0;
    for value in page {
        let place = place(&value);
        match vault.open(&place, &value.envelope) {
            Ok(plain) => {
                let envelope = vault.seal(&place, &plain, engine.context().entropy())?;
                next.push((value.row, envelope));
            }
            Err(_) => unopened += 1,
        }
    }
    let sealed = next.len() as u64;
    tx.reseal(table, &next).await?;
    // Renewed by the work itself, and told with it: whoever watches reads how far it is.
    let now = tx.clock(engine.now()).await?;
    if header.rotation.as_ref().is_some_and(|rotation| rotation.lease_until < now.plus(LEASE / 2)) {
        replace(&mut tx, &header, &header.with_lease_until(now.plus(LEASE))).await?;
    }
    tx.commit().await?;
    Ok(Batch::Sealed { last, sealed, unopened })
}

/// The place that a value belongs to.
fn place(value: &SealedValue) -> Aad<'_> {
    Aad::new(OrganizationId::from_uuid(value.organization_id), value.account_id.map(AccountId::from_uuid), &value.sealed_for_table, value.sealed_for_row)
}

enum Finished {
    Done,
    Elsewhere,
    Left,
}

/// Drops the keys before, in the transaction that finds nothing under them.
async fn finish(engine: &Engine, owner: &str) -> Result<Finished, Problem> {
    let (finished, header) = again!(engine, { finish_once(engine, owner).await });
    engine.keys().follow(&header)?;
    engine.hand_over_database_keys();
    Ok(finished)
}

async fn finish_once(engine: &Engine, owner: &str) -> Result<(Finished, KeyHeader), Problem> {
    let mut tx = engine.store().write_secrets(Scope::System, Origin::Background).await?;
    let header = super::header(&mut tx).await?;
    if !held_by(&header, owner) {
        return Ok((Finished::Elsewhere, header));
    }
    if remaining(&header, &tx.secrets().count_sealed().await?) > 0 {
        return Ok((Finished::Left, header));
    }
    let next = header.with_active_keys_alone(engine.now());
    replace(&mut tx, &header, &next).await?;
    tx.commit().await?;
    tracing::info!(key = next.active, "the data key was rotated");
    Ok((Finished::Done, next))
}

/// Follows the keys of the store and goes on with rotations that were left lying, until the engine stops.
pub(crate) async fn work(engine: WeakEngine, mut stopping: Stopping) {
    let owner = match engine.upgrade() {
        Some(engine) => engine.context().new_uuid().to_string(),
        None => return,
    };
    let mut wait = LOOK;
    loop {
        // The strong handle must not be held while waiting.
        let woken = match engine.upgrade() {
            Some(engine) => engine.keys().woken(),
            None => return,
        };
        let told = tokio::select! {
            () = woken.notified() => true,
            () = tokio::time::sleep(wait) => false,
            () = stopping.stopped() => return,
        };
        drop(woken);
        let Some(engine) = engine.upgrade() else { return };
        if (told || engine.keys().worth_asking_again())
            && let Err(problem) = super::reload(&engine).await
        {
            tracing::warn!(code = problem.code.as_str(), "the store's keys could not be read anew");
        }
        wait = match turn(&engine, &owner, &stopping).await {
            Ok(()) => LOOK,
            Err(problem) => {
                tracing::warn!(code = problem.code.as_str(), "the rotation of the data key stopped: {}", problem.message);
                AFTER_FAILURE
            }
        };
    }
}

async fn turn(engine: &Engine, owner: &str, stopping: &Stopping) -> Result<(), Problem> {
    if engine.read_only() {
        return Ok(());
    }
    match take(engine, owner).await? {
        Taken::Ours => sweep(engine, owner, &mut Progress::default(), &mut |_| {}, Some(stopping)).await.map(drop),
        Taken::Elsewhere | Taken::Nothing => Ok(()),
    }
}
