//! Many accounts and integrations at once: the verbs for one, in transactions of many.

use patchbay_model::account::Account;
use patchbay_model::name::name_and_fullname;
use patchbay_model::{Operation, Problem};
use patchbay_store::WriteTx;

use crate::account::{self, CreateAccount};
use crate::integration::{self, CreateIntegration};
use crate::{Engine, ManagementGrant, reach};

/// Objects written in one transaction: enough that its cost does not count, few enough that other writers wait a moment only.
const BATCH: usize = 500;

/// An import under way. What was made since the last save is given up when it is dropped.
pub struct Import<'a> {
    engine: &'a Engine,
    grant: &'a ManagementGrant,
    tx: Option<WriteTx>,
    unsaved: usize,
    /// The account of the line before: lines of one account mostly stand together.
    last: Option<(String, Account)>,
}

/// What became of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Imported {
    /// It was made.
    Made,
    /// Its name was there already, and what has it was left as it is.
    AlreadyThere,
}

impl<'a> Import<'a> {
    /// An import by this caller, with the same permissions, rules and audit rows as one object at a time.
    pub fn new(engine: &'a Engine, grant: &'a ManagementGrant) -> Self {
        Self { engine, grant, tx: None, unsaved: 0, last: None }
    }

    /// Makes an account, unless one of its name is there.
    ///
    /// # Errors
    /// As [`account::create`]; nothing since the last save may be kept then.
    pub async fn account(&mut self, mut new: CreateAccount) -> Result<Imported, Problem> {
        let draft = account::create::draft(self.engine, self.grant, &new)?;
        let (engine, grant) = (self.engine, self.grant);
        let tx = self.writing().await?;
        if let Some(found) = tx.find_account(draft.name.as_str()).await? {
            // The name of an account out of reach is taken all the same, which the insert would say.
            return if grant.reaches(&found) { Ok(Imported::AlreadyThere) } else { Err(grant.denied(Operation::AccountsCreate)) };
        }
        account::create::insert(engine, tx, grant, draft, new.token.take()).await?;
        self.unsaved += 1;
        Ok(Imported::Made)
    }

    /// Makes an integration in the account of this id or name, unless one of its name is there. The provider is not asked.
    ///
    /// # Errors
    /// As [`integration::create`]; nothing since the last save may be kept then.
    pub async fn integration(&mut self, account: &str, new: CreateIntegration) -> Result<Imported, Problem> {
        let (engine, grant) = (self.engine, self.grant);
        let known = self.last.take().filter(|(reference, _)| reference == account).map(|(_, account)| account);
        let tx = self.writing().await?;
        let found = match known {
            Some(account) => account,
            None => reach::account(tx, grant, account).await?,
        };
        // A name made of the new id cannot be there.
        let named = new.name.is_some() || new.fullname.is_some();
        let (name, _) = name_and_fullname(new.name.as_deref(), new.fullname.as_deref(), found.id.uuid())?;
        let there = named && tx.find_integration(found.id, name.as_str()).await?.is_some();
        if !there {
            integration::create::insert(engine, tx, grant, &found, new).await?;
            self.unsaved += 1;
        }
        self.last = Some((account.to_owned(), found));
        Ok(if there { Imported::AlreadyThere } else { Imported::Made })
    }

    /// Whether it is time to save.
    pub fn is_due(&self) -> bool {
        self.unsaved >= BATCH
    }

    /// Makes durable what was made since the last save.
    ///
    /// # Errors
    /// Problems of the store; nothing since the last save is kept then.
    pub async fn save(&mut self) -> Result<(), Problem> {
        self.unsaved = 0;
        if let Some(tx) = self.tx.take() {
            tx.commit().await?;
        }
        Ok(())
    }

    async fn writing(&mut self) -> Result<&mut WriteTx, Problem> {
        let tx = match self.tx.take() {
            Some(tx) => tx,
            None => reach::writing_organization(self.engine, self.grant).await?,
        };
        Ok(self.tx.insert(tx))
    }
}
