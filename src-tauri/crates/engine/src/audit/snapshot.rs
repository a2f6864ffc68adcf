//! What the audit log keeps of an object before and after a change: the object as stored, under the names that the wire
//! uses, without secrets, without what its use changes (states that follow the provider, times of use, counters of
//! failures), and without `updated_at`. It is enough to bring the object back by its own update verb.

use patchbay_model::account::Account;
use patchbay_model::audit::AuditObject;
use patchbay_model::change::ChangeKind;
use patchbay_model::consent::ProviderApp;
use patchbay_model::credential::{Credential, CredentialKind, CredentialOwner};
use patchbay_model::definition::Definition;
use patchbay_model::end_user::EndUser;
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::member::{Member, MemberState};
use patchbay_model::organization::Organization;
use patchbay_model::permission::Role;
use patchbay_model::point::IntegrationPoint;
use patchbay_model::time::format_lifetime;
use patchbay_model::token::{TokenContainer, TokenOwner};
use patchbay_model::webhook::OrganizationWebhook;
use patchbay_model::{AccountId, CredentialId, DefinitionId, IntegrationId, IntegrationPointId, MemberId, Problem, ProviderAppId, TokenId, WebhookId};
use patchbay_store::ReadTx;
use serde_json::{Value, json};
use uuid::Uuid;

/// An object that the audit log can show before and after a change.
pub(crate) trait Snapshot {
    /// What it is.
    const KIND: ChangeKind;

    /// Its id.
    fn object_id(&self) -> Uuid;

    /// Its state. No secret may stand in it, and nothing that changes without anybody changing the object: an undo compares
    /// it with what the change left behind.
    fn snapshot(&self) -> Value;
}

/// The state of an object that is stored, by its kind and id; none where it is gone, or of a kind without snapshots.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn stored(tx: &mut ReadTx, object: AuditObject) -> Result<Option<Value>, Problem> {
    let id = object.id;
    Ok(match object.kind {
        ChangeKind::Account => tx.account(AccountId::from_uuid(id)).await?.map(|object| object.snapshot()),
        ChangeKind::Member => tx.member(MemberId::from_uuid(id)).await?.map(|object| object.snapshot()),
        ChangeKind::IntegrationPoint => tx.point(IntegrationPointId::from_uuid(id)).await?.map(|object| object.snapshot()),
        ChangeKind::Integration => tx.integration(IntegrationId::from_uuid(id)).await?.map(|object| object.snapshot()),
        ChangeKind::Credential => tx.credential(CredentialId::from_uuid(id)).await?.map(|object| object.snapshot()),
        ChangeKind::Token => tx.token(TokenId::from_uuid(id)).await?.map(|object| object.snapshot()),
        ChangeKind::ProviderApp => tx.provider_app(ProviderAppId::from_uuid(id)).await?.map(|object| object.snapshot()),
        ChangeKind::OrganizationWebhook => tx.webhook(WebhookId::from_uuid(id)).await?.map(|object| object.snapshot()),
        ChangeKind::Organization => Some(tx.organization().await?.snapshot()),
        ChangeKind::Definition => tx.definition(DefinitionId::from_uuid(id)).await?.map(|object| object.snapshot()),
        ChangeKind::Role => tx.find_role(&id.to_string()).await?.map(|object| object.snapshot()),
        ChangeKind::ConnectSession | ChangeKind::Audit | ChangeKind::WebhookDelivery | ChangeKind::EndUser | ChangeKind::ConnectLink | ChangeKind::Revocation | ChangeKind::Key => {
            None
        }
    })
}

impl Snapshot for Organization {
    const KIND: ChangeKind = ChangeKind::Organization;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "fullname": self.fullname,
            "contact": self.contact,
            "reply_to": self.reply_to,
            "picture": self.picture,
            "options": {
                "invite_duration": self.options.invite_duration.map(format_lifetime),
                "forgot_duration": self.options.forgot_duration.map(format_lifetime),
                "password_duration": self.options.password_duration.map(format_lifetime),
                "minimum_password_length": self.options.minimum_password_length,
            },
        })
    }
}

impl Snapshot for Member {
    const KIND: ChangeKind = ChangeKind::Member;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        // A lock for wrong passwords comes and goes by itself; apart from it the member is enabled.
        let state = if self.state == MemberState::Locked && self.locked_until.is_some() { MemberState::Enabled } else { self.state };
        json!({
            "id": self.id,
            "name": self.name,
            "fullname": self.fullname,
            "nickname": self.nickname,
            "picture": self.picture,
            "type": self.member_type,
            "state": state,
            "role_binding": self.role_binding,
            "ttl": self.ttl.map(format_lifetime),
            "token_ttl": format_lifetime(self.token_ttl),
            "expires": self.expires,
        })
    }
}

impl Snapshot for EndUser {
    const KIND: ChangeKind = ChangeKind::EndUser;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        json!({
            "id": self.id,
            "account_id": self.account_id,
            "name": self.name,
            "fullname": self.fullname,
            "email": self.email,
            "external_id": self.external_id,
        })
    }
}

impl Snapshot for Role {
    const KIND: ChangeKind = ChangeKind::Role;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "fullname": self.fullname,
            "description": self.description,
            "resources": self.resources,
            "permission_set": self.permission_set,
        })
    }
}

/// The text stands in the row for good, so the log says which, and what became of it.
impl Snapshot for Definition {
    const KIND: ChangeKind = ChangeKind::Definition;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        json!({
            "id": self.id,
            "provider": self.provider,
            "connector": self.connector,
            "version": self.version,
            "auth_type": self.auth_type,
            "docs_url": self.docs_url,
            "status": self.status,
        })
    }
}

impl Snapshot for Account {
    const KIND: ChangeKind = ChangeKind::Account;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "fullname": self.fullname,
            "environment": self.environment,
            "labels": self.labels,
            "external_id": self.external_id,
        })
    }
}

impl Snapshot for IntegrationPoint {
    const KIND: ChangeKind = ChangeKind::IntegrationPoint;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "fullname": self.fullname,
            "description": self.description,
            "connector": self.connector,
            "environments": self.environments,
            "policy": self.policy,
        })
    }
}

impl Snapshot for OrganizationWebhook {
    const KIND: ChangeKind = ChangeKind::OrganizationWebhook;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "fullname": self.fullname,
            "environment": self.environment,
            "filters": self.filters,
            "url": self.url,
            "credential_id": self.credential_id,
        })
    }
}

impl Snapshot for Integration {
    const KIND: ChangeKind = ChangeKind::Integration;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        json!({
            "id": self.id,
            "account_id": self.account_id,
            "name": self.name,
            "fullname": self.fullname,
            "definition_id": self.definition,
            "provider_type": self.provider,
            "integration_point_id": self.integration_point_id,
            "provider_config": self.provider_config(),
            "config": self.runtime_config(),
            "webhook_config": self.webhook_config,
            // The other states follow what the provider says.
            "paused": self.status == IntegrationStatus::Paused,
        })
    }
}

impl Snapshot for Credential {
    const KIND: ChangeKind = ChangeKind::Credential;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        // Tokens that a person authorized are renewed by themselves, and their end moves with that.
        let entered = self.kind != CredentialKind::OAuthUser;
        let owner = match self.owner {
            CredentialOwner::Account(account) => account.uuid(),
            CredentialOwner::Integration(_, integration) => integration.uuid(),
            CredentialOwner::IntegrationPoint(point) => point.uuid(),
            CredentialOwner::OrganizationWebhook(webhook) => webhook.uuid(),
        };
        json!({
            "id": self.id,
            "owner_type": self.owner.owner_type(),
            "owner_id": owner,
            "name": self.name,
            "fullname": self.fullname,
            "type": self.kind,
            "config": self.public_config,
            "expires": self.expires.filter(|_| entered),
            "secret_set_at": self.secret_set_at.filter(|_| entered),
        })
    }
}

impl Snapshot for ProviderApp {
    const KIND: ChangeKind = ChangeKind::ProviderApp;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "fullname": self.fullname,
            "provider": self.provider,
            "issuer": self.issuer,
            "client_id": self.client_id,
            "has_client_secret": self.client_secret.is_some(),
            "redirect_uris": self.redirect_uris,
            "scopes": self.scopes,
            "secret_expires": self.secret_expires,
        })
    }
}

impl Snapshot for TokenContainer {
    const KIND: ChangeKind = ChangeKind::Token;

    fn object_id(&self) -> Uuid {
        self.id.uuid()
    }

    fn snapshot(&self) -> Value {
        let (owner_type, owner) = match self.owner {
            TokenOwner::Organization(organization) => ("organization", organization.uuid()),
            TokenOwner::Integration(_, integration) => ("integration", integration.uuid()),
        };
        json!({
            "id": self.id,
            "owner_type": owner_type,
            "owner_id": owner,
            "member_id": self.member_id,
            "name": self.name,
            "fullname": self.fullname,
            "token_type": self.token_type,
            "authority": self.authority,
            "token_ttl": format_lifetime(self.access_ttl),
        })
    }
}
