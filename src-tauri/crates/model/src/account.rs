//! Accounts: the organization's customers, strictly isolated from each other.

use crate::{AccountId, Environment, Fullname, Label, Name, OrganizationId, Timestamp};

/// An account as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whose account.
    pub organization_id: OrganizationId,
    /// Its slug, unique in the organization.
    pub name: Name,
    /// Its name for people.
    pub fullname: Fullname,
    /// Test or production.
    pub environment: Environment,
    /// Labels, sorted, without doubles.
    pub labels: Vec<Label>,
    /// The tenant id by which integration systems know it; unique in the organization, at first the name.
    pub external_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
