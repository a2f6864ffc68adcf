//! Transactions. What a query may see is decided here: every transaction has a scope, and every query on tenant data binds it.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};

use patchbay_model::change::ChangeKind;
use patchbay_model::permission::ResourceScope;
use patchbay_model::{AccountId, Origin, Scope, Timestamp};
use uuid::Uuid;

use crate::db::{self, QueryBuilder, Tx};
use crate::dialect::{At, Dialect};
use crate::error::{Result, StoreError};
use crate::store::Announcer;

/// A consistent view of the store within a scope. Queries are methods, one file per aggregate.
pub struct ReadTx {
    pub(crate) tx: Tx,
    /// The scope in which it began.
    whole: Scope,
    scope: Scope,
    pub(crate) narrowed: Option<Vec<ResourceScope>>,
}

impl ReadTx {
    pub(crate) fn new(tx: Tx, scope: Scope) -> Self {
        Self { tx, whole: scope, scope, narrowed: None }
    }

    /// How its database says things.
    pub(crate) fn dialect(&self) -> Dialect {
        self.tx.dialect()
    }

    /// What this transaction may see.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Narrows the lists of this transaction to what at least one of `scopes` covers, so that pages and totals are right for
    /// a caller with resource scopes; none: not narrowed. Single objects are not narrowed: compare them with
    /// [`ResourceScope::covers_account`] and [`ResourceScope::covers_category`]. The scopes' choice of organizations is the
    /// caller's to heed, since a transaction has one organization.
    pub fn narrow_lists(&mut self, scopes: Option<Vec<ResourceScope>>) {
        self.narrowed = scopes;
    }

    /// The time by which all processes on this store agree who holds a lease: `ours` on a file, which is of one machine; the
    /// server's clock on a server, since the machines before it may differ in theirs.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn clock(&mut self, ours: Timestamp) -> Result<Timestamp> {
        match self.dialect().clock() {
            None => Ok(ours),
            Some(sql) => {
                let (At(now),): (At,) = db::query_as(sql).fetch_one(&mut self.tx).await?;
                Ok(now)
            }
        }
    }

    /// Goes on in a narrower scope within the same view: from the system to an organization (after a token's hash was
    /// found), from an organization to one of its accounts.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] when the new scope is not within the old.
    pub fn enter(&mut self, scope: Scope) -> Result<()> {
        let narrower = match (self.scope, scope) {
            (Scope::System, _) => true,
            (Scope::Organization(old), Scope::Organization(new) | Scope::Account(new, _)) => old == new,
            (Scope::Account(..), _) => self.scope == scope,
            (Scope::Organization(_), Scope::System) => false,
        };
        if !narrower {
            return Err(StoreError::WrongScope { what: "a wider scope" });
        }
        self.tx.enter(scope);
        self.scope = scope;
        Ok(())
    }

    /// Goes on in another scope within the same view, for maintenance of the store as a whole that leaves something with each
    /// organization. Only for a transaction that began in the system's scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] for any other.
    pub fn visit(&mut self, scope: Scope) -> Result<()> {
        if self.whole != Scope::System {
            return Err(StoreError::WrongScope { what: "a wider scope" });
        }
        self.tx.enter(scope);
        self.scope = scope;
        Ok(())
    }

    /// The organization and, in an account's scope, the account.
    pub(crate) fn bound(&self) -> Result<(Uuid, Option<Uuid>)> {
        match self.scope {
            Scope::Organization(organization) => Ok((organization.uuid(), None)),
            Scope::Account(organization, account) => Ok((organization.uuid(), Some(account.uuid()))),
            Scope::System => Err(StoreError::WrongScope { what: "tenant data" }),
        }
    }

    /// The organization, for what belongs to it as a whole and is open to read in its accounts' scopes too.
    pub(crate) fn bound_organization(&self) -> Result<Uuid> {
        self.bound().map(|(organization, _)| organization)
    }

    /// The organization, for what is closed to an account's scope.
    pub(crate) fn whole_organization(&self, what: &'static str) -> Result<Uuid> {
        match self.scope {
            Scope::Organization(organization) => Ok(organization.uuid()),
            Scope::Account(..) | Scope::System => Err(StoreError::WrongScope { what }),
        }
    }

    /// That this is the system's scope, for maintenance of the store as a whole.
    pub(crate) fn system(&self, what: &'static str) -> Result<()> {
        if self.scope == Scope::System { Ok(()) } else { Err(StoreError::WrongScope { what }) }
    }
}

/// A transaction that writes. Dropped without [`WriteTx::commit`], it leaves nothing behind.
pub struct WriteTx {
    read: ReadTx,
    origin: Origin,
    changes: Vec<PendingChange>,
    /// What stands in `changes`, so that an object that is written twice is told once.
    known: HashSet<(Uuid, ChangeKind, String)>,
    announcer: Announcer,
}

struct PendingChange {
    organization: Uuid,
    account: Option<Uuid>,
    kind: ChangeKind,
    id: String,
}

impl Deref for WriteTx {
    type Target = ReadTx;
    fn deref(&self) -> &ReadTx {
        &self.read
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut ReadTx {
        &mut self.read
    }
}

impl WriteTx {
    pub(crate) fn new(tx: Tx, scope: Scope, origin: Origin, announcer: Announcer) -> Self {
        Self { read: ReadTx::new(tx, scope), origin, changes: Vec::new(), known: HashSet::new(), announcer }
    }

    /// From where the changes of this transaction come.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Notes that an object changed; listeners are told after the commit. The methods that write do this themselves.
    pub(crate) fn changed(&mut self, kind: ChangeKind, id: impl std::fmt::Display, account: Option<AccountId>) -> Result<()> {
        let organization = self.bound_organization()?;
        let id = id.to_string();
        let account = account.map(AccountId::uuid);
        if self.known.insert((organization, kind, id.clone())) {
            self.changes.push(PendingChange { organization, account, kind, id });
        }
        Ok(())
    }

    /// Notes a change of the store as a whole, which listeners of every organization are told of. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn changed_everywhere(&mut self, kind: ChangeKind, id: impl std::fmt::Display) -> Result<()> {
        self.system("every organization")?;
        let id = id.to_string();
        for organization in self.organizations().await? {
            let organization = organization.id.uuid();
            if self.known.insert((organization, kind, id.clone())) {
                self.changes.push(PendingChange { organization, account: None, kind, id: id.clone() });
            }
        }
        Ok(())
    }

    /// Refuses a write of another organization's or account's row before the database does.
    pub(crate) fn check_tenant(&self, organization: Uuid, account: Option<Uuid>) -> Result<()> {
        let (bound, bound_account) = self.bound()?;
        let within = bound == organization && (bound_account.is_none() || bound_account == account);
        if within { Ok(()) } else { Err(StoreError::WrongScope { what: "a row of another tenant" }) }
    }

    /// Makes everything durable, with the rows of `changes`. Gives the newest sequence when there were any and it is known
    /// already.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] and the like; nothing was written then.
    pub async fn commit(mut self) -> Result<Option<i64>> {
        // Many in one statement, each statement within the number of parameters that databases take.
        let mut statements: Vec<_> = self.changes.chunks(500).map(|changes| self.insertion(changes)).collect();
        let last = statements.pop();
        for statement in statements {
            statement.build().execute(&mut self.read.tx).await?;
        }
        let sequence = match last {
            None => {
                self.read.tx.commit().await?;
                None
            }
            Some(mut last) => {
                // On a server they are numbered at the commit, and the server tells.
                if self.dialect() == Dialect::Sqlite {
                    last.push(" RETURNING sequence");
                }
                let rows = self.read.tx.commit_with(last.build()).await?;
                rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?.into_iter().max()
            }
        };
        if let Some(sequence) = sequence {
            self.announcer.announce(sequence);
        }
        Ok(sequence)
    }

    /// Writes down some of the changes.
    fn insertion(&self, changes: &[PendingChange]) -> QueryBuilder {
        let mut sql = QueryBuilder::new(self.dialect(), "INSERT INTO changes (organization_id, account_id, kind, object_id, origin) ");
        sql.push_values(changes, |mut row, change| {
            row.push_bind(change.organization).push_bind(change.account).push_bind(change.kind.as_str()).push_bind(&change.id).push_bind(self.origin.as_str());
        });
        sql
    }

    /// Gives everything up.
    ///
    /// # Errors
    /// When the database cannot even do that.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.read.tx.rollback().await?)
    }
}

/// A transaction that reads, sealed values too. They stay sealed: this crate has no key to open them with.
pub struct SecretReadTx(ReadTx);

/// A transaction that writes and may read sealed values.
pub struct SecretWriteTx(WriteTx);

impl SecretReadTx {
    pub(crate) fn new(tx: ReadTx) -> Self {
        Self(tx)
    }

    /// Ends the view.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn rollback(self) -> Result<()> {
        Ok(self.0.tx.rollback().await?)
    }
}

impl SecretWriteTx {
    pub(crate) fn new(tx: WriteTx) -> Self {
        Self(tx)
    }

    /// As [`WriteTx::commit`].
    ///
    /// # Errors
    /// As there.
    pub async fn commit(self) -> Result<Option<i64>> {
        self.0.commit().await
    }

    /// As [`WriteTx::rollback`].
    ///
    /// # Errors
    /// As there.
    pub async fn rollback(self) -> Result<()> {
        self.0.rollback().await
    }
}

impl Deref for SecretReadTx {
    type Target = ReadTx;
    fn deref(&self) -> &ReadTx {
        &self.0
    }
}

impl DerefMut for SecretReadTx {
    fn deref_mut(&mut self) -> &mut ReadTx {
        &mut self.0
    }
}

impl Deref for SecretWriteTx {
    type Target = WriteTx;
    fn deref(&self) -> &WriteTx {
        &self.0
    }
}

impl DerefMut for SecretWriteTx {
    fn deref_mut(&mut self) -> &mut WriteTx {
        &mut self.0
    }
}
