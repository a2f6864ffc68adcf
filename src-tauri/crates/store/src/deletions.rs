//! Deletion, its undo, and the purge.
//!
//! A deletion puts `deleted_at` and one `deletion_id` on a row and on all that goes with it, so that it is out of every
//! query with the commit and can be brought back as a whole until the purge removes it from the file.

use patchbay_model::change::ChangeKind;
use patchbay_model::deletion::{Deletion, Impact};
use patchbay_model::permission::Role;
use patchbay_model::{AccountId, CredentialId, DeletionId, IntegrationId, IntegrationPointId, MemberId, OrganizationId, ProviderAppId, RoleId, Timestamp, TokenId, WebhookId};
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

/// Tables whose rows are tombstoned.
const TOMBSTONED: &[(&str, ChangeKind)] = &[
    ("accounts", ChangeKind::Account),
    ("members", ChangeKind::Member),
    ("roles", ChangeKind::Role),
    ("integration_points", ChangeKind::IntegrationPoint),
    ("integration_instances", ChangeKind::Integration),
    ("shared_credentials", ChangeKind::Credential),
    ("provider_apps", ChangeKind::ProviderApp),
    ("credentials", ChangeKind::Credential),
    ("token_containers", ChangeKind::Token),
    ("connect_sessions", ChangeKind::ConnectSession),
    ("organization_webhooks", ChangeKind::OrganizationWebhook),
    ("end_users", ChangeKind::EndUser),
];

#[derive(FromRow)]
struct DeletionRow {
    id: Uuid,
    organization_id: Uuid,
    account_id: Option<Uuid>,
    kind: String,
    object_id: Uuid,
    deleted_at: At,
}

impl TryFrom<DeletionRow> for (OrganizationId, Deletion) {
    type Error = StoreError;

    fn try_from(row: DeletionRow) -> Result<Self> {
        Ok((
            OrganizationId::from_uuid(row.organization_id),
            Deletion {
                id: DeletionId::from_uuid(row.id),
                kind: row::word("deletions", "kind", &row.kind)?,
                object_id: row.object_id,
                account_id: row.account_id.map(AccountId::from_uuid),
                deleted_at: row.deleted_at.0,
            },
        ))
    }
}

/// One deletion in the making.
struct Marking {
    organization: Uuid,
    id: Uuid,
    now: At,
}

impl ReadTx {
    /// A deletion that can perhaps be undone.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn deletion(&mut self, id: DeletionId) -> Result<Option<Deletion>> {
        let (organization, account) = self.bound()?;
        let row: Option<DeletionRow> = db::query_as(
            "SELECT id, organization_id, account_id, kind, object_id, deleted_at FROM deletions WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)",
        )
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(|row| row.try_into().map(|(_, deletion): (OrganizationId, Deletion)| deletion)).transpose()
    }

    /// Deletions of all organizations from before `before`, whose undo is over and which wait for the purge; what is to be
    /// revoked at providers is revoked now. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn due_deletions(&mut self, before: Timestamp) -> Result<Vec<(OrganizationId, Deletion)>> {
        self.system("the deletions of all organizations")?;
        let rows: Vec<DeletionRow> =
            db::query_as("SELECT id, organization_id, account_id, kind, object_id, deleted_at FROM deletions WHERE deleted_at < $1 ORDER BY deleted_at, id")
                .bind(At(before))
                .fetch_all(&mut self.tx)
                .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// What a deletion of an account would take.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn account_impact(&mut self, id: AccountId) -> Result<Impact> {
        let (organization, account) = self.bound()?;
        let (integrations, credentials, tokens, connect_sessions, end_users): (i64, i64, i64, i64, i64) = db::query_as(
            "SELECT (SELECT count(*) FROM integration_instances WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL), (SELECT count(*) FROM credentials WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL), (SELECT count(*) FROM token_containers WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL), (SELECT count(*) FROM connect_sessions WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND state IN ('begun', 'exchanging') AND deleted_at IS NULL), (SELECT count(*) FROM end_users WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL)",
        )
        .bind(organization)
        .bind(id.uuid())
        .bind(account)
        .fetch_one(&mut self.tx)
        .await?;
        Ok(Impact { end_users: row::count(end_users), ..impact(integrations, credentials, tokens, connect_sessions) })
    }

    /// What a deletion of an integration would take.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn integration_impact(&mut self, id: IntegrationId) -> Result<Impact> {
        let (organization, account) = self.bound()?;
        let (credentials, tokens, connect_sessions): (i64, i64, i64) = db::query_as(
            "SELECT (SELECT count(*) FROM credentials WHERE organization_id = $1 AND integration_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL), (SELECT count(*) FROM token_containers WHERE organization_id = $1 AND integration_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL), (SELECT count(*) FROM connect_sessions WHERE organization_id = $1 AND integration_id = $2 AND (account_id = $3 OR $3 IS NULL) AND state IN ('begun', 'exchanging') AND deleted_at IS NULL)",
        )
        .bind(organization)
        .bind(id.uuid())
        .bind(account)
        .fetch_one(&mut self.tx)
        .await?;
        Ok(impact(0, credentials, tokens, connect_sessions))
    }

    /// What a deletion of a member would take: the organization tokens that it made or signed in with.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn member_impact(&mut self, id: MemberId) -> Result<Impact> {
        let organization = self.whole_organization("a member")?;
        let (tokens,): (i64,) =
            db::query_as("SELECT count(*) FROM token_containers WHERE organization_id = $1 AND member_id = $2 AND owner_type = 'organization' AND deleted_at IS NULL")
                .bind(organization)
                .bind(id.uuid())
                .fetch_one(&mut self.tx)
                .await?;
        Ok(impact(0, 0, tokens, 0))
    }

    /// What a deletion of a point would take, once nothing uses it: its credentials.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn point_impact(&mut self, id: IntegrationPointId) -> Result<Impact> {
        let organization = self.bound_organization()?;
        let (credentials,): (i64,) = db::query_as("SELECT count(*) FROM credentials WHERE organization_id = $1 AND integration_point_id = $2 AND deleted_at IS NULL")
            .bind(organization)
            .bind(id.uuid())
            .fetch_one(&mut self.tx)
            .await?;
        Ok(impact(0, credentials, 0, 0))
    }
}

fn impact(integrations: i64, credentials: i64, tokens: i64, connect_sessions: i64) -> Impact {
    Impact {
        integrations: row::count(integrations),
        credentials: row::count(credentials),
        tokens: row::count(tokens),
        connect_sessions: row::count(connect_sessions),
        end_users: 0,
    }
}

impl WriteTx {
    /// Deletes an account with its integrations, credentials and their tokens. Organization tokens that are narrowed to the
    /// account stay (synqly-wire.md section 7).
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn delete_account(&mut self, id: AccountId, deletion: DeletionId, now: Timestamp) -> Result<Impact> {
        self.whole_organization("the deletion of an account")?;
        let impact = self.account_impact(id).await?;
        let marking = self.begin_deletion(deletion, ChangeKind::Account, id.uuid(), Some(id), now).await?;
        if self.mark(&marking, "accounts", "id = $4", id.uuid()).await? == 0 {
            return Err(StoreError::not_found(AccountId::NOUN, id));
        }
        for table in ["integration_instances", "credentials", "shared_credentials", "token_containers", "connect_sessions", "end_users"] {
            self.mark(&marking, table, "account_id = $4", id.uuid()).await?;
        }
        self.end_receipts_of_deletion(&marking).await?;
        self.announce(impact, ChangeKind::Account, id.uuid(), Some(id))?;
        Ok(impact)
    }

    /// Deletes an integration with its tokens and own credentials.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn delete_integration(&mut self, id: IntegrationId, deletion: DeletionId, now: Timestamp) -> Result<Impact> {
        let integration = self.integration(id).await?.ok_or_else(|| StoreError::not_found(IntegrationId::NOUN, id))?;
        let impact = self.integration_impact(id).await?;
        let account = Some(integration.account_id);
        let marking = self.begin_deletion(deletion, ChangeKind::Integration, id.uuid(), account, now).await?;
        self.mark(&marking, "integration_instances", "id = $4", id.uuid()).await?;
        for table in ["credentials", "token_containers", "connect_sessions"] {
            self.mark(&marking, table, "integration_id = $4", id.uuid()).await?;
        }
        self.end_receipts_of_deletion(&marking).await?;
        self.mark_orphaned_shared(&marking).await?;
        self.announce(impact, ChangeKind::Integration, id.uuid(), account)?;
        Ok(impact)
    }

    /// Deletes a point with its credentials.
    ///
    /// # Errors
    /// [`StoreError::InUse`] with its integrations, [`StoreError::NotFound`], and those of the database.
    pub async fn delete_point(&mut self, id: IntegrationPointId, deletion: DeletionId, now: Timestamp) -> Result<Impact> {
        self.whole_organization("the deletion of an integration point")?;
        if self.point(id).await?.is_none() {
            return Err(StoreError::not_found(IntegrationPointId::NOUN, id));
        }
        let users = self.point_users(id).await?;
        users.refuse(IntegrationPointId::NOUN, id.uuid())?;
        let impact = self.point_impact(id).await?;
        let marking = self.begin_deletion(deletion, ChangeKind::IntegrationPoint, id.uuid(), None, now).await?;
        self.mark(&marking, "integration_points", "id = $4", id.uuid()).await?;
        self.mark(&marking, "credentials", "integration_point_id = $4", id.uuid()).await?;
        self.mark_orphaned_shared(&marking).await?;
        self.announce(impact, ChangeKind::IntegrationPoint, id.uuid(), None)?;
        Ok(impact)
    }

    /// Deletes a credential. It may be in use: ask [`ReadTx::credential_users`] and tell its integrations, whose
    /// configuration then refers to nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn delete_credential(&mut self, id: CredentialId, deletion: DeletionId, now: Timestamp) -> Result<()> {
        let credential = self.credential(id).await?.ok_or_else(|| StoreError::not_found(CredentialId::NOUN, id))?;
        let account = credential.owner.account();
        self.check_tenant(credential.organization_id.uuid(), account.map(AccountId::uuid))?;
        let marking = self.begin_deletion(deletion, ChangeKind::Credential, id.uuid(), account, now).await?;
        self.mark(&marking, "credentials", "id = $4", id.uuid()).await?;
        self.end_receipts_of_deletion(&marking).await?;
        self.mark_orphaned_shared(&marking).await?;
        self.announce(Impact::default(), ChangeKind::Credential, id.uuid(), account)
    }

    /// Deletes a token container; its secrets are dead with the commit.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn delete_token(&mut self, id: TokenId, deletion: DeletionId, now: Timestamp) -> Result<()> {
        let token = self.token(id).await?.ok_or_else(|| StoreError::not_found(TokenId::NOUN, id))?;
        let account = match token.owner {
            patchbay_model::token::TokenOwner::Organization(_) => None,
            patchbay_model::token::TokenOwner::Integration(account, _) => Some(account),
        };
        let marking = self.begin_deletion(deletion, ChangeKind::Token, id.uuid(), account, now).await?;
        self.mark(&marking, "token_containers", "id = $4", id.uuid()).await?;
        self.announce(Impact::default(), ChangeKind::Token, id.uuid(), account)
    }

    /// Deletes a member with the organization tokens that it made or signed in with, its browsers' sessions and its links, of
    /// which the undo brings the tokens back. Tokens of integrations stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn delete_member(&mut self, id: MemberId, deletion: DeletionId, now: Timestamp) -> Result<Impact> {
        let impact = self.member_impact(id).await?;
        let marking = self.begin_deletion(deletion, ChangeKind::Member, id.uuid(), None, now).await?;
        if self.mark(&marking, "members", "id = $4", id.uuid()).await? == 0 {
            return Err(StoreError::not_found(MemberId::NOUN, id));
        }
        self.mark(&marking, "token_containers", "member_id = $4 AND owner_type = 'organization'", id.uuid()).await?;
        self.remove_web_sessions_of(id, None).await?;
        self.remove_password_links_of(id).await?;
        self.announce(impact, ChangeKind::Member, id.uuid(), None)?;
        Ok(impact)
    }

    /// Deletes a role of the organization's own.
    ///
    /// # Errors
    /// [`StoreError::InUse`] with the members that have it, [`StoreError::NotFound`], and those of the database.
    pub async fn delete_role(&mut self, role: &Role, deletion: DeletionId, now: Timestamp) -> Result<()> {
        self.whole_organization("the deletion of a role")?;
        let users = self.role_members(&role.name).await?;
        if users.count > 0 {
            return Err(StoreError::InUse { noun: RoleId::NOUN, id: role.id.uuid(), users: users.resources(), count: users.count });
        }
        let marking = self.begin_deletion(deletion, ChangeKind::Role, role.id.uuid(), None, now).await?;
        if self.mark(&marking, "roles", "id = $4", role.id.uuid()).await? == 0 {
            return Err(StoreError::not_found(RoleId::NOUN, role.id));
        }
        self.announce(Impact::default(), ChangeKind::Role, role.id.uuid(), None)
    }

    /// Deletes a provider app with its secret.
    ///
    /// # Errors
    /// [`StoreError::InUse`] with the integrations that were authorized through it, or while access is being taken back through it,
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn delete_provider_app(&mut self, id: ProviderAppId, deletion: DeletionId, now: Timestamp) -> Result<()> {
        self.whole_organization("the deletion of a provider app")?;
        let app = self.provider_app(id).await?.ok_or_else(|| StoreError::not_found(ProviderAppId::NOUN, id))?;
        let users = self.provider_app_users(id).await?;
        users.refuse(ProviderAppId::NOUN, id.uuid())?;
        let revocations = self.revocations_through(id).await?;
        if revocations > 0 {
            return Err(StoreError::InUse { noun: ProviderAppId::NOUN, id: id.uuid(), users: Vec::new(), count: revocations });
        }
        let marking = self.begin_deletion(deletion, ChangeKind::ProviderApp, id.uuid(), None, now).await?;
        self.mark(&marking, "provider_apps", "id = $4", id.uuid()).await?;
        if let Some(secret) = app.client_secret {
            self.mark(&marking, "shared_credentials", "id = $4", secret.uuid()).await?;
        }
        self.announce(Impact::default(), ChangeKind::ProviderApp, id.uuid(), None)
    }

    /// Deletes a webhook with its credentials. What waits to be sent to it waits on, and goes on when this is undone.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn delete_webhook(&mut self, id: WebhookId, deletion: DeletionId, now: Timestamp) -> Result<()> {
        self.whole_organization("the deletion of an organization webhook")?;
        let marking = self.begin_deletion(deletion, ChangeKind::OrganizationWebhook, id.uuid(), None, now).await?;
        if self.mark(&marking, "organization_webhooks", "id = $4", id.uuid()).await? == 0 {
            return Err(StoreError::not_found(WebhookId::NOUN, id));
        }
        self.mark(&marking, "credentials", "organization_webhook_id = $4", id.uuid()).await?;
        self.mark_orphaned_shared(&marking).await?;
        self.announce(impact(0, 1, 0, 0), ChangeKind::OrganizationWebhook, id.uuid(), None)
    }

    /// Brings back all that a deletion took, when it was not before `earliest`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a deletion that is not there (any more), [`StoreError::NotUndoable`] when the time is
    /// over, the parent is gone or a name was given away, and those of the database.
    pub async fn undo_deletion(&mut self, id: DeletionId, earliest: Timestamp) -> Result<Deletion> {
        let deletion = self.deletion(id).await?.ok_or_else(|| StoreError::not_found(DeletionId::NOUN, id))?;
        if deletion.deleted_at < earliest {
            return Err(StoreError::NotUndoable("The time in which this deletion could be undone is over. Make the object anew.".to_owned()));
        }
        let organization = self.bound_organization()?;
        let (parentless,): (i64,) = db::query_as(PARENTLESS).bind(organization).bind(id.uuid()).fetch_one(&mut self.tx).await?;
        if parentless > 0 {
            return Err(StoreError::NotUndoable("What this belongs to was deleted too. Undo that deletion first, then this one.".to_owned()));
        }
        if self.lost_roles(organization, &deletion).await? {
            return Err(StoreError::NotUndoable("A role of this member was deleted meanwhile. Undo that deletion first, or make the member anew with other roles.".to_owned()));
        }
        let account = deletion.account_id;
        for &(table, kind) in TOMBSTONED {
            let sql = format!("UPDATE {table} SET deleted_at = NULL, deletion_id = NULL WHERE deletion_id = $1 AND organization_id = $2");
            let restored = db::query(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).execute(&mut self.tx).await.map_err(|error| match StoreError::from(error) {
                StoreError::NameTaken { noun, field, .. } => {
                    StoreError::NotUndoable(format!("The {field} of the {noun} is used by another one by now. Rename that one, then undo the deletion."))
                }
                other => other,
            })?;
            if restored.rows_affected() > 0 && kind != deletion.kind {
                self.changed(kind, deletion.object_id, account)?;
            }
        }
        db::query("UPDATE consent_receipts SET ended_at = NULL, deletion_id = NULL WHERE deletion_id = $1 AND organization_id = $2 AND NOT EXISTS (SELECT 1 FROM consent_receipts AS newer WHERE newer.organization_id = $2 AND newer.account_id = consent_receipts.account_id AND newer.integration_id = consent_receipts.integration_id AND newer.ended_at IS NULL)")
            .bind(id.uuid())
            .bind(organization)
            .execute(&mut self.tx)
            .await?;
        db::query("DELETE FROM deletions WHERE id = $1 AND organization_id = $2").bind(id.uuid()).bind(organization).execute(&mut self.tx).await?;
        self.changed(deletion.kind, deletion.object_id, account)?;
        Ok(deletion)
    }

    /// Removes for good what was deleted before `before`, in all organizations. Gives the number of rows. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn purge_deleted(&mut self, before: Timestamp) -> Result<u64> {
        self.system("the deletions of all organizations")?;
        let mut purged = 0;
        for sql in PURGE {
            purged += db::query(*sql).bind(At(before)).execute(&mut self.tx).await?.rows_affected();
        }
        db::query("DELETE FROM deletions WHERE deleted_at < $1").bind(At(before)).execute(&mut self.tx).await?;
        Ok(purged)
    }

    /// Whether a deletion took a member with a role that is gone. One of its name that was made since is another role, which
    /// may allow more.
    async fn lost_roles(&mut self, organization: Uuid, deletion: &Deletion) -> Result<bool> {
        let sql = format!(
            "SELECT count(*) FROM members WHERE organization_id = $1 AND deletion_id = $2 AND EXISTS (SELECT 1 FROM {} WHERE NOT EXISTS (SELECT 1 FROM roles WHERE roles.organization_id = $1 AND roles.name = each.value AND roles.deleted_at IS NULL AND roles.created_at <= $3))",
            self.dialect().json_elements("members.role_binding")
        );
        let bound = db::query_as(AssertSqlSafe(sql)).bind(organization).bind(deletion.id.uuid()).bind(At(deletion.deleted_at));
        let (lost,): (i64,) = bound.fetch_one(&mut self.tx).await?;
        Ok(lost > 0)
    }

    async fn begin_deletion(&mut self, deletion: DeletionId, kind: ChangeKind, object: Uuid, account: Option<AccountId>, now: Timestamp) -> Result<Marking> {
        let organization = self.bound_organization()?;
        db::query("INSERT INTO deletions (id, organization_id, account_id, kind, object_id, deleted_at) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(deletion.uuid())
            .bind(organization)
            .bind(account.map(AccountId::uuid))
            .bind(kind.as_str())
            .bind(object)
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        Ok(Marking { organization, id: deletion.uuid(), now: At(now) })
    }

    /// Marks the live rows of `table` that `condition` (over `$4`) chooses.
    async fn mark(&mut self, marking: &Marking, table: &'static str, condition: &'static str, value: Uuid) -> Result<u64> {
        let sql = format!("UPDATE {table} SET deleted_at = $1, deletion_id = $2 WHERE organization_id = $3 AND deleted_at IS NULL AND {condition}");
        let done = db::query(AssertSqlSafe(sql)).bind(marking.now).bind(marking.id).bind(marking.organization).bind(value).execute(&mut self.tx).await?;
        Ok(done.rows_affected())
    }

    /// Marks shared sealed values whose last credential goes with this deletion.
    async fn mark_orphaned_shared(&mut self, marking: &Marking) -> Result<()> {
        db::query("UPDATE shared_credentials SET deleted_at = $1, deletion_id = $2 WHERE organization_id = $3 AND deleted_at IS NULL AND id IN (SELECT gone.shared_credential_id FROM credentials AS gone WHERE gone.deletion_id = $2 AND gone.shared_credential_id IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM credentials AS live WHERE live.shared_credential_id = shared_credentials.id AND live.deleted_at IS NULL) AND NOT EXISTS (SELECT 1 FROM provider_apps AS app WHERE app.client_secret = shared_credentials.id AND app.deleted_at IS NULL)")
            .bind(marking.now)
            .bind(marking.id)
            .bind(marking.organization)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Ends the receipts in force of the integrations that go with this deletion, or whose consent does. The undo takes them
    /// up again, unless somebody agreed anew meanwhile.
    async fn end_receipts_of_deletion(&mut self, marking: &Marking) -> Result<()> {
        db::query("UPDATE consent_receipts SET ended_at = $1, deletion_id = $2 WHERE organization_id = $3 AND ended_at IS NULL AND integration_id IN (SELECT id FROM integration_instances WHERE deletion_id = $2 UNION SELECT integration_id FROM credentials WHERE deletion_id = $2 AND kind = 'o_auth_user' AND integration_id IS NOT NULL)")
            .bind(marking.now)
            .bind(marking.id)
            .bind(marking.organization)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Notes the changes of a deletion: the object itself, and once per kind what went with it.
    fn announce(&mut self, impact: Impact, kind: ChangeKind, id: Uuid, account: Option<AccountId>) -> Result<()> {
        self.changed(kind, id, account)?;
        let taken = [
            (impact.integrations, ChangeKind::Integration),
            (impact.credentials, ChangeKind::Credential),
            (impact.tokens, ChangeKind::Token),
            (impact.connect_sessions, ChangeKind::ConnectSession),
            (impact.end_users, ChangeKind::EndUser),
        ];
        for (number, taken) in taken {
            if number > 0 {
                self.changed(taken, id, account)?;
            }
        }
        Ok(())
    }
}

/// Rows of a deletion whose parent is deleted by another one.
const PARENTLESS: &str = "SELECT (SELECT count(*) FROM integration_instances AS child WHERE child.organization_id = $1 AND child.deletion_id = $2 AND (EXISTS (SELECT 1 FROM accounts AS parent WHERE parent.id = child.account_id AND parent.deletion_id <> $2) OR EXISTS (SELECT 1 FROM integration_points AS parent WHERE parent.id = child.integration_point_id AND parent.deletion_id <> $2))) + (SELECT count(*) FROM credentials AS child WHERE child.organization_id = $1 AND child.deletion_id = $2 AND (EXISTS (SELECT 1 FROM accounts AS parent WHERE parent.id = child.account_id AND parent.deletion_id <> $2) OR EXISTS (SELECT 1 FROM integration_instances AS parent WHERE parent.id = child.integration_id AND parent.deletion_id <> $2) OR EXISTS (SELECT 1 FROM integration_points AS parent WHERE parent.id = child.integration_point_id AND parent.deletion_id <> $2) OR EXISTS (SELECT 1 FROM organization_webhooks AS parent WHERE parent.id = child.organization_webhook_id AND parent.deletion_id <> $2) OR EXISTS (SELECT 1 FROM provider_apps AS parent WHERE parent.id = child.provider_app_id AND parent.deletion_id <> $2))) + (SELECT count(*) FROM token_containers AS child WHERE child.organization_id = $1 AND child.deletion_id = $2 AND (EXISTS (SELECT 1 FROM integration_instances AS parent WHERE parent.id = child.integration_id AND parent.deletion_id <> $2) OR (child.owner_type = 'organization' AND EXISTS (SELECT 1 FROM members AS parent WHERE parent.id = child.member_id AND parent.deletion_id <> $2))))";

/// Statements of the purge, children first. A child goes with its parent even when it was deleted later by itself.
const PURGE: &[&str] = &[
    "DELETE FROM consent_receipts WHERE account_id IN (SELECT id FROM accounts WHERE deleted_at < $1)",
    "UPDATE consent_receipts SET deletion_id = NULL WHERE deletion_id IS NOT NULL AND ended_at < $1",
    "DELETE FROM public_links WHERE account_id IN (SELECT id FROM accounts WHERE deleted_at < $1) OR integration_id IN (SELECT id FROM integration_instances WHERE deleted_at < $1) OR integration_point_id IN (SELECT id FROM integration_points WHERE deleted_at < $1) OR end_user_id IN (SELECT id FROM end_users WHERE deleted_at < $1) OR member_id IN (SELECT id FROM members WHERE deleted_at < $1)",
    "DELETE FROM end_users WHERE deleted_at < $1 OR account_id IN (SELECT id FROM accounts WHERE deleted_at < $1)",
    "DELETE FROM connect_sessions WHERE deleted_at < $1 OR integration_id IN (SELECT id FROM integration_instances WHERE deleted_at < $1)",
    "DELETE FROM token_containers WHERE deleted_at < $1 OR integration_id IN (SELECT id FROM integration_instances WHERE deleted_at < $1)",
    // A sealed value in a live row goes with its credential, unless another credential has taken its place.
    "UPDATE integration_instances SET credentials = NULL WHERE id IN (SELECT gone.sealed_integration_id FROM credentials AS gone WHERE gone.deleted_at < $1) AND NOT EXISTS (SELECT 1 FROM credentials AS live WHERE live.sealed_integration_id = integration_instances.id AND (live.deleted_at IS NULL OR live.deleted_at >= $1))",
    "DELETE FROM clocks WHERE owner_id IN (SELECT gone.id FROM credentials AS gone WHERE gone.deleted_at < $1 OR gone.integration_id IN (SELECT id FROM integration_instances WHERE deleted_at < $1) OR gone.account_id IN (SELECT id FROM accounts WHERE deleted_at < $1) OR gone.organization_webhook_id IN (SELECT id FROM organization_webhooks WHERE deleted_at < $1)) OR owner_id IN (SELECT id FROM provider_apps WHERE deleted_at < $1)",
    "DELETE FROM credentials WHERE deleted_at < $1 OR integration_id IN (SELECT id FROM integration_instances WHERE deleted_at < $1) OR account_id IN (SELECT id FROM accounts WHERE deleted_at < $1) OR organization_webhook_id IN (SELECT id FROM organization_webhooks WHERE deleted_at < $1)",
    "DELETE FROM organization_webhooks WHERE deleted_at < $1",
    "UPDATE connect_sessions SET provider_app_id = NULL WHERE provider_app_id IN (SELECT id FROM provider_apps WHERE deleted_at < $1)",
    "UPDATE credentials SET provider_app_id = NULL WHERE provider_app_id IN (SELECT id FROM provider_apps WHERE deleted_at < $1)",
    "UPDATE revocations SET provider_app_id = NULL WHERE provider_app_id IN (SELECT id FROM provider_apps WHERE deleted_at < $1)",
    "DELETE FROM provider_apps WHERE deleted_at < $1",
    "DELETE FROM integration_instances WHERE deleted_at < $1",
    "DELETE FROM shared_credentials WHERE deleted_at < $1 AND NOT EXISTS (SELECT 1 FROM credentials AS kept WHERE kept.organization_id = shared_credentials.organization_id AND kept.shared_credential_id = shared_credentials.id) AND NOT EXISTS (SELECT 1 FROM provider_apps AS kept WHERE kept.organization_id = shared_credentials.organization_id AND kept.client_secret = shared_credentials.id)",
    "DELETE FROM integration_points WHERE deleted_at < $1 AND NOT EXISTS (SELECT 1 FROM integration_instances AS kept WHERE kept.integration_point_id = integration_points.id) AND NOT EXISTS (SELECT 1 FROM credentials AS kept WHERE kept.integration_point_id = integration_points.id)",
    "DELETE FROM one_time_links WHERE member_id IN (SELECT id FROM members WHERE deleted_at < $1)",
    "DELETE FROM web_sessions WHERE member_id IN (SELECT id FROM members WHERE deleted_at < $1)",
    "DELETE FROM members WHERE deleted_at < $1",
    "DELETE FROM roles WHERE deleted_at < $1",
    "DELETE FROM accounts WHERE deleted_at < $1",
];
