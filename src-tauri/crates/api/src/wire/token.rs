//! Tokens on the wire (synqly-wire.md section 6).
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 6")]

use patchbay_model::permission::PermissionSet;
use patchbay_model::schema::{Lifetime, NewFullname, NewName};
use patchbay_model::token::TokenType;
use patchbay_model::{Fullname, Label, MemberId, Name, OrganizationId, Timestamp, TokenId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One secret with what it may do. Later reads have an empty secret.
#[derive(Clone, Serialize, TS, JsonSchema)]
pub struct Token {
    pub secret: String,
    pub expires: Timestamp,
    pub permissions: TokenPermissions,
}

/// What a token may do.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct TokenPermissions {
    /// Roles, where the token acts by those of its member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub role_binding: Option<Vec<String>>,
    /// A permission set over resources, fixed when the token was minted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub adhoc_role: Option<AdhocRole>,
    /// Id of the organization or integration.
    pub resource_id: String,
    /// `organization` or `integration`.
    pub resource_type: String,
    /// What the resource is in: the account of an integration, else the organization.
    pub parent_id: String,
    /// The container's id.
    pub id: TokenId,
    pub organization_id: OrganizationId,
    pub member_id: MemberId,
}

/// A permission set over resources.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct AdhocRole {
    pub resources: Resources,
    pub permission_set: PermissionSet,
}

/// Which objects; what is left out is not narrowed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct Resources {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::request::optional_object")]
    pub accounts: Option<AccountResources>,
    /// `["*"]` or the token's own organization, beside which there is none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::request::optional_object")]
    pub organizations: Option<OrganizationResources>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::request::optional_object")]
    pub integrations: Option<IntegrationResources>,
}

/// A choice of accounts; each part that is given must hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct AccountResources {
    /// Ids or `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(regex(pattern = r"^(\*|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$")))]
    pub ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Label>>")]
    pub labels: Option<Vec<String>>,
    /// `test`, `prod`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<patchbay_model::Environment>>")]
    pub environments: Option<Vec<String>>,
}

/// A choice of organizations.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct OrganizationResources {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(regex(pattern = r"^(\*|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$")))]
    pub ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 0))]
    pub labels: Option<Vec<String>>,
}

/// A choice of integrations.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct IntegrationResources {
    /// Ids of connectors or `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<super::CategoryOrAll>>")]
    pub categories: Option<Vec<String>>,
}

/// An access secret and the one that refreshes it.
#[derive(Clone, Serialize, TS, JsonSchema)]
pub struct TokenPair {
    pub access: Token,
    pub refresh: Token,
}

/// A token container: the thing that `refresh_token_id` names.
#[derive(Clone, Serialize, TS, JsonSchema)]
pub struct RefreshToken {
    pub id: TokenId,
    pub name: Name,
    pub fullname: Fullname,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub member_id: Option<MemberId>,
    /// Id of the organization or integration.
    pub owner_id: String,
    /// `organization` or `integration`.
    pub owner_type: String,
    pub expires: Timestamp,
    /// As `24h`.
    pub token_ttl: String,
    pub token_type: TokenType,
    pub primary: TokenPair,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub secondary: Option<TokenPair>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Body of `tokens.create_token`.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CreateToken {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
    #[serde(deserialize_with = "crate::request::object")]
    pub resources: Resources,
    pub permission_set: PermissionSet,
    /// As `1h`; 24 h when left out.
    #[schemars(with = "Option<Lifetime>")]
    pub token_ttl: Option<String>,
}

/// Body of `tokens.create_integration_token`.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct CreateIntegrationToken {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    /// As `2h`; 10 min when left out.
    #[schemars(with = "Option<Lifetime>")]
    pub token_ttl: Option<String>,
}
