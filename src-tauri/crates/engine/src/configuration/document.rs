//! `patchbay.yaml`, version 1: what stands in it and in which order. Objects are keyed by name; there are no ids and no
//! times, so that two exports of the same configuration are the same text.

use std::collections::BTreeMap;

use patchbay_model::point::{PointEnvironments, ProviderPolicy};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Objects under their names, in the order of these.
pub(super) type Named<T> = BTreeMap<String, T>;

/// The whole file.
#[derive(Serialize)]
pub(super) struct Document {
    pub(super) version: u32,
    pub(super) organization: Organization,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) members: Named<Member>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) integration_points: Named<Point>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) provider_apps: Named<App>,
    /// The organization's own that are in force, by provider: the text as it was entered.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) manifests: Named<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) webhooks: Named<Webhook>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) accounts: Named<Account>,
}

#[derive(Serialize)]
pub(super) struct Organization {
    pub(super) name: String,
    pub(super) fullname: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reply_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) picture: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<&'static str, Value>,
}

/// Never with a password: a member is applied as invited.
#[derive(Serialize)]
pub(super) struct Member {
    pub(super) fullname: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nickname: Option<String>,
    #[serde(rename = "type")]
    pub(super) member_type: patchbay_model::member::MemberType,
    pub(super) roles: Vec<String>,
    pub(super) token_ttl: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) disabled: bool,
}

#[derive(Serialize)]
pub(super) struct Point {
    pub(super) fullname: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) connector: &'static str,
    pub(super) environments: PointEnvironments,
    /// Per provider: locked and defaulted configuration, scopes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) policy: Named<ProviderPolicy>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) credentials: Named<SharedCredential>,
}

#[derive(Serialize)]
pub(super) struct App {
    pub(super) fullname: String,
    pub(super) provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issuer: Option<String>,
    pub(super) client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_secret: Option<SecretMark>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) scopes: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Webhook {
    pub(super) fullname: String,
    pub(super) environment: &'static str,
    pub(super) filters: Vec<&'static str>,
    pub(super) url: String,
    /// The name of the one among `credentials` that signs.
    pub(super) credential: String,
    pub(super) credentials: Named<SharedCredential>,
}

#[derive(Serialize)]
pub(super) struct Account {
    pub(super) fullname: String,
    pub(super) environment: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) labels: Vec<String>,
    pub(super) external_id: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) credentials: Named<SharedCredential>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) integrations: Named<Integration>,
}

#[derive(Serialize)]
pub(super) struct Integration {
    pub(super) fullname: String,
    pub(super) provider: String,
    /// The version of the definition that it pins.
    pub(super) provider_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) integration_point: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) config: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) credential: Option<CredentialUse>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) paused: bool,
}

/// How an integration comes by its credential.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum CredentialUse {
    /// Its own.
    Own(Fields),
    /// One of its account, by name.
    Account { account_credential: String },
    /// One of its integration point, by name.
    Point { integration_point_credential: String },
    /// One that is gone; it must be given again.
    Missing { missing: bool },
}

/// A credential that integrations share.
#[derive(Serialize)]
pub(super) struct SharedCredential {
    pub(super) fullname: String,
    #[serde(flatten)]
    pub(super) fields: Fields,
}

/// The fields of a credential: those that are no secret in clear, each of the others marked.
#[derive(Serialize)]
pub(super) struct Fields {
    #[serde(rename = "type")]
    pub(super) word: String,
    #[serde(flatten)]
    pub(super) public: BTreeMap<String, Value>,
    #[serde(flatten)]
    pub(super) secrets: BTreeMap<String, SecretMark>,
}

/// What stands in place of a secret: `omitted`, or `sealed` with the armored file.
pub(super) enum SecretMark {
    /// It was left out and must be given when the file is applied.
    Omitted,
    /// It is sealed to an age recipient (age-encryption.org/v1).
    Sealed(String),
}

impl Serialize for SecretMark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Omitted => serializer.serialize_str("omitted"),
            Self::Sealed(armored) => BTreeMap::from([("sealed", armored)]).serialize(serializer),
        }
    }
}
