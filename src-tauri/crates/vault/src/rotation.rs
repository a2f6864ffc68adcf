//! How the key header goes from one key to the next. Every step is a header that opens by itself, so that a program may end
//! between any two; the store replaces one by the next only when nobody else did.

use patchbay_model::{Code, Context, Problem, Timestamp};

use crate::header::{DataRotation, KeyHeader, Lock, NextKeys, Pending, RetiredKey};
use crate::wrapping::{NamedKey, Role, Wrapping, damaged};
use crate::{NextMaster, OpenedBy, SourceKind, Vault, WrappedKey};

impl Vault {
    /// The header with the next master key pending: every key is wrapped under it too, so that the store opens with the
    /// present master key and, as soon as that is in its source, with the next one. What was pending before is given up.
    ///
    /// # Errors
    /// `wrong_key` when the master key was rotated meanwhile; those of [`Vault::unlock`].
    pub fn with_next_master(&self, header: &KeyHeader, next: &NextMaster, context: &Context) -> Result<KeyHeader, Problem> {
        // A rotation of the data key may have gone on since this vault was opened.
        let held = self.reloaded(header)?.ok_or_else(rotated_meanwhile)?;
        let wrapping = Wrapping::new(&next.key, self.store_id);
        let wrapped = |role: Role, held: &[NamedKey], wanted: &[WrappedKey]| -> Result<Vec<WrappedKey>, Problem> {
            wanted
                .iter()
                .map(|wanted| {
                    let key = held.iter().find(|key| key.id == wanted.id).ok_or_else(damaged)?;
                    // The key is as old as before; only its wrapping is new.
                    Ok(WrappedKey { created_at: wanted.created_at, ..wrapping.wrap(role, key, context)? })
                })
                .collect()
        };
        let hash_key = wrapped(Role::Hash, std::slice::from_ref(&held.hash_key), std::slice::from_ref(&header.lock.hash_key))?;
        let lock = Lock {
            master: Some(next.id()),
            made_with: next.kind(),
            kdf: next.kdf.clone(),
            check: wrapping.check(),
            data_keys: wrapped(Role::Data, &held.data_keys, &header.lock.data_keys)?,
            hash_key: hash_key.into_iter().next().ok_or_else(damaged)?,
            database_keys: wrapped(Role::Database, &held.database_keys, &header.lock.database_keys)?,
        };
        Ok(KeyHeader { pending: Some(Pending { lock, begun_at: context.now() }), ..header.clone() })
    }

    /// The header with a new data key, in PostgreSQL with a new database key too, and `owner` at work on their rotation until
    /// the lease ends. New values still go under the keys before, until [`KeyHeader::with_next_keys_active`]. A rotation that
    /// was begun is taken over: no further key is made.
    ///
    /// # Errors
    /// `update_conflict` while the master key is being rotated; `wrong_key` when the master key was rotated meanwhile.
    pub fn with_next_data_key(&self, header: &KeyHeader, owner: &str, lease_until: Timestamp, context: &Context) -> Result<KeyHeader, Problem> {
        if let Some(rotation) = &header.rotation {
            return Ok(KeyHeader { rotation: Some(DataRotation { owner: owner.to_owned(), lease_until, ..rotation.clone() }), ..header.clone() });
        }
        if header.pending.is_some() || self.opened_by() == OpenedBy::Pending {
            return Err(Problem::new(
                Code::UpdateConflict,
                "A rotation of the master key was begun and is not at its end. Run `patchbay key rotate --master` to finish it, then rotate the data key.",
            ));
        }
        if !self.master.opens(&header.lock)? {
            return Err(rotated_meanwhile());
        }
        let mut next = header.clone();
        let data_key = NamedKey::generate(context);
        next.lock.data_keys.push(self.master.wrap(Role::Data, &data_key, context)?);
        let mut database = None;
        if header.active_database.is_some() {
            let database_key = NamedKey::generate(context);
            next.lock.database_keys.push(self.master.wrap(Role::Database, &database_key, context)?);
            database = Some(database_key.id);
        }
        next.rotation = Some(DataRotation { begun_at: context.now(), owner: owner.to_owned(), lease_until, next: Some(NextKeys { data: data_key.id, database }) });
        Ok(next)
    }

    /// Whether `next`, opened from this header by the pending master key, has the keys that this vault's master key gives of
    /// the same header. Looked at before the key before goes: a store whose keys are wrapped wrongly under the next one would
    /// be lost. What this vault holds in this moment says nothing: a rotation of the data key may have gone on since.
    ///
    /// # Errors
    /// Those of [`Vault::unlock`].
    pub fn agrees_with(&self, header: &KeyHeader, next: &Self) -> Result<bool, Problem> {
        let Some(held) = self.reloaded(header)? else { return Ok(false) };
        let same = |ours: &[NamedKey], theirs: &[NamedKey]| ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| a.id == b.id && *a.key == *b.key);
        Ok(held.same_hash_key(next) && same(&held.data_keys, &next.data_keys) && same(&held.database_keys, &next.database_keys))
    }
}

fn rotated_meanwhile() -> Problem {
    Problem::new(Code::WrongKey, "The master key was rotated meanwhile. Restart this program with the new one.")
}

impl KeyHeader {
    /// The header with the pending master key as the only one. With `remove_entry` the keyring entry of the key before is
    /// noted down, to be removed.
    ///
    /// # Errors
    /// `update_conflict` when nothing is pending.
    pub fn with_pending_in_place(&self, remove_entry: bool, now: Timestamp) -> Result<Self, Problem> {
        let pending = self.pending.clone().ok_or_else(|| Problem::new(Code::UpdateConflict, "No rotation of the master key is under way. Look at `patchbay key status`."))?;
        let mut retired = self.retired.clone();
        if remove_entry && self.lock.made_with == SourceKind::Keyring {
            retired.push(RetiredKey { master: self.lock.master, since: now });
        }
        Ok(Self { lock: pending.lock, pending: None, retired, master_rotated_at: Some(now), ..self.clone() })
    }

    /// The header without the pending master key.
    #[must_use]
    pub fn without_pending(&self) -> Self {
        Self { pending: None, ..self.clone() }
    }

    /// The header that no longer remembers a master key that was replaced.
    #[must_use]
    pub fn without_retired(&self, gone: &RetiredKey) -> Self {
        Self { retired: self.retired.iter().filter(|retired| *retired != gone).cloned().collect(), ..self.clone() }
    }

    /// The header with the keys of its rotation as the active ones. Once they are, it stays as it is.
    #[must_use]
    pub fn with_next_keys_active(&self) -> Self {
        let mut header = self.clone();
        if let Some(next) = header.rotation.as_mut().and_then(|rotation| rotation.next.take()) {
            header.active = next.data;
            header.active_database = next.database.or(header.active_database);
        }
        header
    }

    /// The header with another time until which its rotation is left to the process that is at it.
    #[must_use]
    pub fn with_lease_until(&self, lease_until: Timestamp) -> Self {
        Self { rotation: self.rotation.clone().map(|rotation| DataRotation { lease_until, ..rotation }), ..self.clone() }
    }

    /// Whether a value under this data key can be opened by whoever unlocks the store.
    pub fn has_data_key(&self, id: &str) -> bool {
        self.lock.data_keys.iter().any(|key| key.id == id)
    }

    /// The header with nothing but the active data key and database key: the end of a rotation. Only right when nothing lies
    /// under another one.
    #[must_use]
    pub fn with_active_keys_alone(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        for lock in std::iter::once(&mut next.lock).chain(next.pending.as_mut().map(|pending| &mut pending.lock)) {
            lock.data_keys.retain(|key| key.id == self.active);
            lock.database_keys.retain(|key| Some(&key.id) == self.active_database.as_ref());
        }
        next.rotation = None;
        next.data_rotated_at = Some(now);
        next
    }
}
