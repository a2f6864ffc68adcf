//! Creating and opening an installation: a store with its key.

mod create;
mod open;
mod sample;
mod url;
mod verify;

use patchbay_model::list::{Direction, ListQuery, Order};
use patchbay_model::member::Member;
use patchbay_model::organization::Organization;
use patchbay_model::{OrganizationId, Origin, Problem, Scope};
use patchbay_store::TableSum;

pub use create::create;
pub(crate) use create::{create_empty, remove};
pub(crate) use open::{at, hand_over_database_key, open_store, sunsets};
pub use open::{open, open_with};
pub use patchbay_store::{Remark, Weight, provisioning_script};
pub use sample::create_sample;
pub use url::StoreUrl;

use crate::session::is_root;
use crate::token::ContainerState;
use crate::token::verify::role_permits;
use crate::{CallerInfo, Engine, ManagementGrant};

/// A new organization with its first member and its first token.
#[derive(Clone)]
pub struct Created {
    /// The organization.
    pub organization: Organization,
    /// The member as whom the holder of the key acts.
    pub member: Member,
    /// The first token, with secrets.
    pub token: ContainerState,
}

/// What `store verify` found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct VerifyReport {
    /// What is wrong; empty when all is well.
    pub findings: Vec<String>,
    /// Sealed values that were opened.
    pub sealed_values: u64,
    /// Rows of each table that were read.
    pub tables: Vec<TableSum>,
}

impl Engine {
    /// The grant of the holder of the store's key: the organization's first member, everything allowed.
    ///
    /// # Errors
    /// `not_found` when the store has no such organization.
    pub async fn local_grant(&self, organization: OrganizationId, origin: Origin) -> Result<ManagementGrant, Problem> {
        let member = self.first_member(organization).await?;
        let mut tx = self.store().read(Scope::Organization(organization)).await?;
        let permits = role_permits(&mut tx, &member).await?;
        Ok(ManagementGrant { organization, member: member.id, container: None, permits, password_expired: false, caller: CallerInfo::local(origin), undoing: None })
    }

    /// The member as whom the holder of the key acts: the oldest root administrator.
    ///
    /// # Errors
    /// `not_found` when the store has no such organization.
    pub(crate) async fn first_member(&self, organization: OrganizationId) -> Result<Member, Problem> {
        let mut tx = self.store().read(Scope::Organization(organization)).await?;
        let oldest = Order { field: "created_at".to_owned(), direction: Direction::Asc };
        let mut query = ListQuery { orders: vec![oldest], limit: Some(ListQuery::DEFAULT_LIMIT), ..ListQuery::default() };
        loop {
            let page = tx.members(&query).await?;
            if let Some(member) = page.items.into_iter().find(is_root) {
                return Ok(member);
            }
            if page.next.is_none() {
                return Err(Problem::not_found(OrganizationId::NOUN, organization));
            }
            query.start_after = page.next;
        }
    }

    /// What is to be said of the database that the store lies in, for `doctor`; nothing of a file.
    ///
    /// # Errors
    /// Problems of the store.
    pub async fn remarks(&self) -> Result<Vec<Remark>, Problem> {
        Ok(self.store().remarks(|| self.now()).await?)
    }

    /// Every organization in the store, for the holder of the key.
    ///
    /// # Errors
    /// Problems of the store.
    pub async fn organizations(&self) -> Result<Vec<Organization>, Problem> {
        Ok(self.store().read(Scope::System).await?.organizations().await?)
    }
}
