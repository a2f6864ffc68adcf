//! Credentials on the wire: metadata going out, secrets coming in, never the other way.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use patchbay_model::credential::{self, CredentialKind, CredentialOwner};
use patchbay_model::schema::{NewFullname, NewName};
use patchbay_model::{AccountId, CredentialId, Fullname, IntegrationId, IntegrationPointId, Name, Timestamp, WebhookId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::query::UpdateExtra;

/// A credential without its secret.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Credential {
    pub id: CredentialId,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account_id: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_id: Option<IntegrationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_point_id: Option<IntegrationPointId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub organization_webhook_id: Option<WebhookId>,
    /// `account`, `integration`, `integration_point` or `organization_webhook`.
    pub owner_type: String,
    pub name: Name,
    pub fullname: Fullname,
    pub config: CredentialConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires: Option<Timestamp>,
    /// `Managed` or `Unmanaged`.
    pub managed: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub x_patchbay: Option<CredentialExtra>,
}

/// The kind alone.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct CredentialConfig {
    #[serde(rename = "type")]
    pub kind: CredentialKind,
}

/// What is ours on a credential.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct CredentialExtra {
    /// The parts that are no secret: `username`, `client_id`, `role_arn`.
    #[ts(type = "Record<string, unknown>")]
    pub public: serde_json::Map<String, serde_json::Value>,
    /// When the secret was last entered or obtained.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub secret_set_at: Option<Timestamp>,
}

/// Body of `credentials.create`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CreateCredential {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
    /// `{type, ...}` as synqly-wire.md section 7 has it; its secrets are sealed and never given back.
    #[ts(optional, type = "{ type: string } & Record<string, unknown>")]
    #[schemars(schema_with = "super::credential_config")]
    pub config: Option<serde_json::Value>,
    /// `account`, `integration_point` or `organization_webhook`; what the owner in the path is, when left out.
    pub owner_type: Option<String>,
    pub expires: Option<Timestamp>,
}

/// PUT of a credential: the whole object; a `config` with secrets replaces them, one with the kind alone keeps them.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct UpdateCredential {
    #[schemars(with = "Option<Name>")]
    pub name: Option<String>,
    #[schemars(with = "Fullname")]
    pub fullname: String,
    #[ts(optional, type = "{ type: string } & Record<string, unknown>")]
    #[schemars(schema_with = "super::credential_config")]
    pub config: Option<serde_json::Value>,
    pub expires: Option<Timestamp>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<UpdateExtra>,
}

impl From<credential::Credential> for Credential {
    fn from(credential: credential::Credential) -> Self {
        let (integration_id, integration_point_id, organization_webhook_id) = match credential.owner {
            CredentialOwner::Account(_) => (None, None, None),
            CredentialOwner::Integration(_, integration) => (Some(integration), None, None),
            CredentialOwner::IntegrationPoint(point) => (None, Some(point), None),
            CredentialOwner::OrganizationWebhook(webhook) => (None, None, Some(webhook)),
        };
        Self {
            id: credential.id,
            account_id: credential.owner.account(),
            integration_id,
            integration_point_id,
            organization_webhook_id,
            owner_type: credential.owner.owner_type().to_owned(),
            name: credential.name,
            fullname: credential.fullname,
            config: CredentialConfig { kind: credential.kind },
            expires: credential.expires,
            managed: if credential.managed { "Managed" } else { "Unmanaged" }.to_owned(),
            created_at: credential.created_at,
            updated_at: credential.updated_at,
            x_patchbay: Some(CredentialExtra { public: credential.public_config, secret_set_at: credential.secret_set_at }),
        }
    }
}
