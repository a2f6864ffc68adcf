//! Accounts on the wire.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use patchbay_model::permission::PermissionSet;
use patchbay_model::schema::{Lifetime, NewFullname, NewName};
use patchbay_model::{AccountId, Environment, Fullname, Label, Name, OrganizationId, Timestamp, account};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::token::RefreshToken;

/// One customer of the organization.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Account {
    pub id: AccountId,
    pub organization_id: OrganizationId,
    pub name: Name,
    pub fullname: Fullname,
    pub environment: Environment,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Label>>")]
    pub labels: Vec<Label>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub x_patchbay: Option<AccountExtra>,
}

/// What is ours on an account.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct AccountExtra {
    /// The tenant id by which integration systems know it.
    pub external_id: String,
    /// How many integrations it has; absent where it was not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integrations: Option<u64>,
}

/// Body of `accounts.create`.
#[derive(Clone, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct CreateAccount {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
    pub environment: Option<Environment>,
    #[schemars(with = "Option<Vec<Label>>", length(max = 64))]
    pub labels: Option<Vec<String>>,
    /// Asks for a token that covers this account alone.
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub token: Option<ProvisionToken>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<AccountExtraInput>,
}

/// What of ours can be set on an account.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct AccountExtraInput {
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"))]
    pub external_id: Option<String>,
    /// On a PUT: the `updated_at` that the change was made from; where the account has changed since, it is refused with 409.
    pub expected_updated_at: Option<Timestamp>,
}

/// A token to be made together with an account.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct ProvisionToken {
    /// `account-manager`, `connect-ui` or `token-issuer`.
    #[schemars(with = "super::FirstTokenSet")]
    pub permission_set: PermissionSet,
    /// As `24h`, which is also the default.
    #[schemars(with = "Option<Lifetime>")]
    pub token_ttl: Option<String>,
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
}

/// Result of `accounts.create`.
#[derive(Clone, Serialize, TS, JsonSchema)]
pub struct AccountCreated {
    pub account: Account,
    /// Only when one was asked for; its secrets are shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token: Option<RefreshToken>,
}

/// PUT of an account: the whole object; what is read-only in it is ignored.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct UpdateAccount {
    #[schemars(with = "Option<Name>")]
    pub name: Option<String>,
    #[schemars(with = "Fullname")]
    pub fullname: String,
    pub environment: Environment,
    #[schemars(with = "Option<Vec<Label>>", length(max = 64))]
    pub labels: Option<Vec<String>>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<AccountExtraInput>,
}

impl Account {
    /// The view of an account; `integrations` is how many it has, where that was counted.
    pub fn view(account: account::Account, integrations: Option<u64>) -> Self {
        Self {
            id: account.id,
            organization_id: account.organization_id,
            name: account.name,
            fullname: account.fullname,
            environment: account.environment,
            labels: account.labels,
            created_at: account.created_at,
            updated_at: account.updated_at,
            x_patchbay: Some(AccountExtra { external_id: account.external_id, integrations }),
        }
    }
}
