//! Who uses an object that others depend on: a point, a provider app, a credential.

use patchbay_model::credential::CredentialKind;
use patchbay_model::problem::Resource;
use patchbay_model::{AccountId, CredentialId, DeletionId, IntegrationId, IntegrationPointId, Name, ProviderAppId, ProviderId, Timestamp};
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::row;
use crate::transaction::ReadTx;

/// Integrations at a provider (`$3`) with a credential of a kind (`$4`), as far as the transaction sees.
macro_rules! by_role {
    () => {
        "organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND provider = $3 AND deleted_at IS NULL AND id IN (SELECT reference.integration_id FROM integration_credential_references AS reference JOIN credentials AS role ON role.organization_id = reference.organization_id AND role.id = reference.credential_id WHERE reference.organization_id = $1 AND role.kind = $4 AND role.deleted_at IS NULL)"
    };
}

/// Most users that are named; the count is of all.
const NAMED: i64 = 100;

/// An integration that uses something.
#[derive(Clone, PartialEq, Debug)]
pub struct IntegrationUser {
    /// Its id.
    pub id: IntegrationId,
    /// Its account.
    pub account_id: AccountId,
    /// Its name.
    pub name: Name,
}

/// Integrations that use an object: how many, and the first hundred by name.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Users {
    /// All of them.
    pub count: u64,
    /// The first.
    pub integrations: Vec<IntegrationUser>,
}

impl Users {
    fn new(rows: Vec<(Uuid, Uuid, String, i64)>) -> Self {
        Self {
            count: rows.first().map_or(0, |(.., number)| row::count(*number)),
            integrations: rows
                .into_iter()
                .map(|(id, account, name, _)| IntegrationUser { id: IntegrationId::from_uuid(id), account_id: AccountId::from_uuid(account), name: Name::from_stored(name) })
                .collect(),
        }
    }

    /// The users as resources of a problem.
    pub fn resources(&self) -> Vec<Resource> {
        self.integrations.iter().map(|user| Resource { kind: "integration".to_owned(), id: user.id.to_string(), rel: "cause".to_owned() }).collect()
    }

    /// Those of both, each of which has others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.count += others.count;
        self.integrations.extend(others.integrations);
        self.integrations.sort_by(|one, other| (one.name.as_str(), one.id.uuid()).cmp(&(other.name.as_str(), other.id.uuid())));
        self.integrations.truncate(usize::try_from(NAMED).unwrap_or(usize::MAX));
        self
    }

    /// That there are none.
    ///
    /// # Errors
    /// [`StoreError::InUse`] with them.
    pub fn refuse(&self, noun: &'static str, id: Uuid) -> Result<()> {
        if self.count == 0 { Ok(()) } else { Err(StoreError::InUse { noun, id, users: self.resources(), count: self.count }) }
    }
}

impl ReadTx {
    /// Integrations under a point.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn point_users(&mut self, id: IntegrationPointId) -> Result<Users> {
        let (organization, account) = self.bound()?;
        let rows = db::query_as(
            "SELECT id, account_id, name, count(*) OVER () FROM integration_instances WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND integration_point_id = $3 AND deleted_at IS NULL ORDER BY name, id LIMIT $4",
        )
        .bind(organization)
        .bind(account)
        .bind(id.uuid())
        .bind(NAMED)
        .fetch_all(&mut self.tx)
        .await?;
        Ok(Users::new(rows))
    }

    /// Integrations that a person authorized through a provider app, or is authorizing now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn provider_app_users(&mut self, id: ProviderAppId) -> Result<Users> {
        let (organization, account) = self.bound()?;
        let rows = db::query_as(
            "SELECT id, account_id, name, count(*) OVER () FROM integration_instances WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND deleted_at IS NULL AND (id IN (SELECT used.integration_id FROM credentials AS used WHERE used.organization_id = $1 AND used.provider_app_id = $3 AND used.deleted_at IS NULL) OR id IN (SELECT running.integration_id FROM connect_sessions AS running WHERE running.organization_id = $1 AND running.provider_app_id = $3 AND running.state IN ('begun', 'exchanging') AND running.deleted_at IS NULL)) ORDER BY name, id LIMIT $4",
        )
        .bind(organization)
        .bind(account)
        .bind(id.uuid())
        .bind(NAMED)
        .fetch_all(&mut self.tx)
        .await?;
        Ok(Users::new(rows))
    }

    /// Integrations at a provider that work by a role which the organization's own principal assumes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn role_users(&mut self, provider: &ProviderId) -> Result<Users> {
        let (organization, account) = self.bound()?;
        let rows = db::query_as(concat!("SELECT id, account_id, name, count(*) OVER () FROM integration_instances WHERE ", by_role!(), " ORDER BY name, id LIMIT $5"))
            .bind(organization)
            .bind(account)
            .bind(provider.as_str())
            .bind(CredentialKind::AwsRole.as_str())
            .bind(NAMED)
            .fetch_all(&mut self.tx)
            .await?;
        Ok(Users::new(rows))
    }

    /// How many of them were used since.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn role_users_since(&mut self, provider: &ProviderId, since: Timestamp) -> Result<u64> {
        let (organization, account) = self.bound()?;
        let (number,): (i64,) = db::query_as(concat!("SELECT count(*) FROM integration_instances WHERE ", by_role!(), " AND last_used_at >= $5"))
            .bind(organization)
            .bind(account)
            .bind(provider.as_str())
            .bind(CredentialKind::AwsRole.as_str())
            .bind(At(since))
            .fetch_one(&mut self.tx)
            .await?;
        Ok(row::count(number))
    }

    /// All integrations whose configuration refers to a credential, for whoever must change each of them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn credential_user_ids(&mut self, id: CredentialId) -> Result<Vec<IntegrationId>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<(Uuid,)> = db::query_as(
            "SELECT id FROM integration_instances WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND deleted_at IS NULL AND id IN (SELECT reference.integration_id FROM integration_credential_references AS reference WHERE reference.organization_id = $1 AND reference.credential_id = $3) ORDER BY id",
        )
        .bind(organization)
        .bind(account)
        .bind(id.uuid())
        .fetch_all(&mut self.tx)
        .await?;
        Ok(rows.into_iter().map(|(id,)| IntegrationId::from_uuid(id)).collect())
    }

    /// The integrations that a deletion took.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn deleted_integrations(&mut self, deletion: DeletionId) -> Result<Vec<IntegrationId>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<(Uuid,)> =
            db::query_as("SELECT id FROM integration_instances WHERE deletion_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) ORDER BY id")
                .bind(deletion.uuid())
                .bind(organization)
                .bind(account)
                .fetch_all(&mut self.tx)
                .await?;
        Ok(rows.into_iter().map(|(id,)| IntegrationId::from_uuid(id)).collect())
    }

    /// Integrations whose configuration refers to a credential.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn credential_users(&mut self, id: CredentialId) -> Result<Users> {
        let (organization, account) = self.bound()?;
        let rows = db::query_as(
            "SELECT id, account_id, name, count(*) OVER () FROM integration_instances WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND deleted_at IS NULL AND id IN (SELECT reference.integration_id FROM integration_credential_references AS reference WHERE reference.organization_id = $1 AND reference.credential_id = $3) ORDER BY name, id LIMIT $4",
        )
        .bind(organization)
        .bind(account)
        .bind(id.uuid())
        .bind(NAMED)
        .fetch_all(&mut self.tx)
        .await?;
        Ok(Users::new(rows))
    }
}
