//! The keys of the store: how they stand, and from one to the next while everything goes on.
//!
//! **Master key.** It wraps the others and lies in a source outside the store. A rotation wraps them under the next master key
//! beside the present one, puts the next one into its source, opens the store with it as the source gives it back, and only
//! then lets go of the one before. Ended at any moment, the store opens with the key before or the key behind, and
//! [`status`] says which; run again, the rotation goes on where it stopped.
//!
//! **Data key.** It seals values. A rotation makes another one, under which values are sealed from then on, and goes through
//! all that lies under the one before, batch by batch, beside readers and writers. The key before is dropped in a
//! transaction that finds nothing under it. A write names, in its own transaction, a key that the store still has, so that
//! nothing can come to lie under a dropped one. Any process that has the store open goes on with a rotation whose process
//! has ended. In PostgreSQL the database key goes along: each value is encrypted under the next one as it is sealed anew.
//!
//! **Hash key.** It stays: hashes of tokens cannot be made again without the tokens, which the store does not have, so another
//! key would end every token of every program at once. It never leaves the process and is wrapped anew with the master key.

mod data;
mod held;
mod master;
mod status;

use patchbay_model::change::ChangeKind;
use patchbay_model::{Code, MemberId, Operation, OrganizationId, Origin, Problem, Scope, Timestamp};
use patchbay_store::{ReadTx, WriteTx};
use patchbay_vault::{KeyHeader, KeySource, SourceKind};

pub(crate) use data::work;
pub use data::{Progress, begin_data_rotation, rotate_data};
pub(crate) use held::{HeldKeys, reload};
pub use master::{MasterRotated, forget_replaced, next_source, rotate_master};
pub use status::{look, status};

use crate::audit::record::{Done, record_for};
use crate::contention::again;
use crate::{CallerInfo, Engine, ManagementGrant};

/// How the keys stand. Ids, counts and times, never a key.
#[derive(Clone, Debug)]
pub struct Status {
    /// The kind of source that the master key comes from.
    pub source: SourceKind,
    /// The source that this program was given; none for callers that do not hold the key.
    pub key_source: Option<KeySource>,
    /// Whether the caller holds the key.
    pub holder: bool,
    /// When the master key was rotated last.
    pub master_rotated_at: Option<Timestamp>,
    /// A rotation of the master key that was not finished.
    pub pending: Option<PendingMaster>,
    /// Why this program can no longer get the master key.
    pub trouble: Option<String>,
    /// Replaced master keys that are still in the keyring.
    pub replaced: u64,
    /// The data keys, the active one first.
    pub data_keys: Vec<KeyUse>,
    /// The database keys, the active one first; none on SQLite.
    pub database_keys: Vec<KeyUse>,
    /// Sealed values in the store.
    pub values: u64,
    /// When the data key was rotated last.
    pub data_rotated_at: Option<Timestamp>,
    /// A rotation of the data key that is under way.
    pub rotation: Option<Rotation>,
}

/// A master key that is being brought in.
#[derive(Clone, Copy, Debug)]
pub struct PendingMaster {
    /// The kind of its source.
    pub source: SourceKind,
    /// When its rotation began.
    pub begun_at: Timestamp,
    /// Whether this program has opened the store with it.
    pub opened_here: bool,
}

/// A key and what lies under it.
#[derive(Clone, Debug)]
pub struct KeyUse {
    /// Its id.
    pub id: String,
    /// Whether new values lie under it.
    pub active: bool,
    /// When it was made; early stores do not say.
    pub created_at: Option<Timestamp>,
    /// How many values lie under it.
    pub values: u64,
}

/// A rotation of the data key.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// When it began.
    pub begun_at: Timestamp,
    /// Values that still lie under a key before.
    pub remaining: u64,
    /// Whether some process is at it now.
    pub running: bool,
}

/// The key header as a transaction sees it.
///
/// # Errors
/// `store_damaged` when it cannot be read, and problems of the store.
pub(crate) async fn header(tx: &mut ReadTx) -> Result<KeyHeader, Problem> {
    parse(tx.header().await?.key_header)
}

/// Reads a key header.
///
/// # Errors
/// `store_damaged`.
pub(crate) fn parse(header: serde_json::Value) -> Result<KeyHeader, Problem> {
    serde_json::from_value(header).map_err(|_| Problem::new(Code::StoreDamaged, "The store's key header cannot be read. Restore the store from a backup."))
}

/// Takes the header from one state to the next in a transaction of its own, and tells every organization. `step` gets the
/// time by the store's clock, which all processes share.
///
/// # Errors
/// What `step` refuses, and problems of the store.
async fn advance(engine: &Engine, origin: Origin, author: Option<&Author<'_>>, step: impl Fn(&KeyHeader, Timestamp) -> Result<KeyHeader, Problem>) -> Result<KeyHeader, Problem> {
    Ok(again!(engine, { advance_once(engine, origin, author, &step).await }))
}

async fn advance_once(
    engine: &Engine,
    origin: Origin,
    author: Option<&Author<'_>>,
    step: impl Fn(&KeyHeader, Timestamp) -> Result<KeyHeader, Problem>,
) -> Result<KeyHeader, Problem> {
    let mut tx = engine.store().write(Scope::System, origin).await?;
    let before = header(&mut tx).await?;
    let next = step(&before, tx.clock(engine.now()).await?)?;
    replace(&mut tx, &before, &next).await?;
    if let Some(author) = author {
        author.record(engine, &mut tx).await?;
    }
    tx.commit().await?;
    Ok(next)
}

/// Puts the next header in place of the one that was read in the same transaction.
async fn replace(tx: &mut WriteTx, before: &KeyHeader, next: &KeyHeader) -> Result<(), Problem> {
    let json = |header: &KeyHeader| serde_json::to_value(header).map_err(|_| Problem::internal("the key header cannot be written as JSON"));
    tx.replace_key_header(&json(before)?, &json(next)?).await?;
    tx.changed_everywhere(ChangeKind::Key, before.store_id).await?;
    Ok(())
}

/// Who rotates, for the log of every organization: the keys are theirs as well.
struct Author<'a> {
    caller: &'a CallerInfo,
    operation: Operation,
    /// What was done, as the log shows it.
    what: &'static str,
    members: Vec<(OrganizationId, MemberId)>,
}

impl<'a> Author<'a> {
    async fn new(engine: &Engine, grant: &'a ManagementGrant, operation: Operation, what: &'static str) -> Result<Self, Problem> {
        let mut members = Vec::new();
        for organization in engine.organizations().await? {
            let own = organization.id == grant.organization();
            members.push((organization.id, if own { grant.member() } else { engine.first_member(organization.id).await?.id }));
        }
        Ok(Self { caller: grant.caller(), operation, what, members })
    }

    async fn record(&self, engine: &Engine, tx: &mut WriteTx) -> Result<(), Problem> {
        for (organization, member) in &self.members {
            tx.visit(Scope::Organization(*organization))?;
            record_for(engine, tx, *organization, Some(*member), self.caller, Done::changed(self.operation).giving(self.what, self.what)).await?;
        }
        tx.visit(Scope::System)?;
        Ok(())
    }
}

/// That the caller may decide over the keys of the store. They lie under everything in it, so where it holds several
/// organizations the administrator of one has no say; whoever holds the key has.
async fn decides_over_keys(engine: &Engine, grant: &ManagementGrant, operation: Operation) -> Result<(), Problem> {
    grant.require(operation, None)?;
    if holds_key(grant) || engine.organizations().await?.len() <= 1 {
        return Ok(());
    }
    Err(Problem::new(
        Code::PermissionDenied,
        "This store holds several organizations, and its keys are those of all of them. Ask whoever runs this Patchbay: keys are looked after there, with `patchbay key`.",
    ))
}

/// That the caller holds the master key and sits where it lies: its sources are files, variables and keyrings of this machine.
fn must_hold_key(grant: &ManagementGrant) -> Result<(), Problem> {
    if holds_key(grant) {
        return Ok(());
    }
    Err(Problem::new(
        Code::PermissionDenied,
        "The master key is rotated where it lies, by whoever holds it: in the application that has the store open, or with `patchbay key rotate --master` on the server.",
    ))
}

fn holds_key(grant: &ManagementGrant) -> bool {
    grant.container().is_none() && matches!(grant.caller().origin, Origin::Desktop | Origin::Cli)
}
