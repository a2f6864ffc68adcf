//! How the keys stand.

use patchbay_model::{Context, Operation, Problem, Scope, Timestamp};
use patchbay_store::SealedCount;
use patchbay_vault::{KeyHeader, OpenedBy, WrappedKey};

use super::{KeyUse, PendingMaster, Rotation, Status, decides_over_keys, holds_key};
use crate::installation::StoreUrl;
use crate::{Engine, ManagementGrant};

/// How the keys stand. Counts every sealed value, which takes a second for a million of them.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn status(engine: &Engine, grant: &ManagementGrant) -> Result<Status, Problem> {
    decides_over_keys(engine, grant, Operation::KeysStatus).await?;
    // One view for both, so that no value lies under a key that the header does not name.
    let mut tx = engine.store().read_secrets(Scope::System).await?;
    let header = super::header(&mut tx).await?;
    let counts = tx.secrets().count_sealed().await?;
    let now = tx.clock(engine.now()).await?;
    drop(tx);
    let mut status = described(&header, &counts, now);
    status.holder = holds_key(grant);
    status.key_source = status.holder.then(|| engine.keys().source());
    status.trouble = engine.keys().trouble();
    if let Some(pending) = &mut status.pending {
        pending.opened_here = engine.vault().opened_by() == OpenedBy::Pending;
    }
    Ok(status)
}

/// What can be told of the keys of a store that does not open, by whoever can read its file or database.
///
/// # Errors
/// Those of opening a store, but for its keys.
pub async fn look(store: &StoreUrl, context: &Context) -> Result<Status, Problem> {
    let store = crate::installation::at(store).await?;
    let looked = async {
        let mut tx = store.read_secrets(Scope::System).await?;
        let header = super::header(&mut tx).await?;
        let counts = tx.secrets().count_sealed().await?;
        Ok(described(&header, &counts, context.now()))
    }
    .await;
    store.close().await;
    looked
}

fn described(header: &KeyHeader, counts: &[SealedCount], now: Timestamp) -> Status {
    Status {
        source: header.lock.made_with,
        key_source: None,
        holder: false,
        master_rotated_at: header.master_rotated_at,
        pending: header.pending.as_ref().map(|pending| PendingMaster { source: pending.lock.made_with, begun_at: pending.begun_at, opened_here: false }),
        trouble: None,
        replaced: header.retired.len() as u64,
        data_keys: uses(&header.lock.data_keys, Some(&header.active), |id| sum(counts, |count| count.data_key == id)),
        database_keys: uses(&header.lock.database_keys, header.active_database.as_ref(), |id| sum(counts, |count| count.database_key.as_deref() == Some(id))),
        values: sum(counts, |_| true),
        data_rotated_at: header.data_rotated_at,
        rotation: rotation(header, counts, now),
    }
}

fn uses(keys: &[WrappedKey], active: Option<&String>, values: impl Fn(&str) -> u64) -> Vec<KeyUse> {
    let mut uses: Vec<KeyUse> =
        keys.iter().map(|key| KeyUse { id: key.id.clone(), active: Some(&key.id) == active, created_at: key.created_at, values: values(&key.id) }).collect();
    uses.sort_by_key(|key| !key.active);
    uses
}

fn sum(counts: &[SealedCount], which: impl Fn(&SealedCount) -> bool) -> u64 {
    counts.iter().filter(|count| which(count)).map(|count| count.values).sum()
}

fn rotation(header: &KeyHeader, counts: &[SealedCount], now: Timestamp) -> Option<Rotation> {
    header.rotation.as_ref().map(|rotation| Rotation { begun_at: rotation.begun_at, remaining: remaining(header, counts), running: rotation.lease_until > now })
}

/// Values that a rotation still has to seal anew.
pub(super) fn remaining(header: &KeyHeader, counts: &[SealedCount]) -> u64 {
    let (data, database) = match header.rotation.as_ref().and_then(|rotation| rotation.next.as_ref()) {
        Some(next) => (&next.data, next.database.as_ref().or(header.active_database.as_ref())),
        None => (&header.active, header.active_database.as_ref()),
    };
    sum(counts, |count| count.data_key != *data || (database.is_some() && count.database_key.as_ref() != database))
}
