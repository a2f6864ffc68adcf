//! Requests as data: where the API is, what proves a credential.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Pointer, Success};
use super::place::SigV4;
use super::template::Template;

/// A request as data.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallFacts {
    /// Its method.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub method: CallMethod,
    /// Where; what begins with a slash is below the base address, and nothing is that address.
    pub url: Template,
    /// Headers beside the credential's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Template>,
    /// Parameters in the address; escaped by the engine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Template>,
    /// What it carries.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub body: CallBody,
    /// What holds in a good answer, beside a status of 2xx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Success>,
    /// Whether the credential goes with it, at its place.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub authenticated: bool,
    /// For what it is signed, where that is another service than the credential's place says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<SigV4>,
    /// Whether the client authenticates with it by Basic, id and secret of the provider app.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub as_client: bool,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_yes(value: &bool) -> bool {
    *value
}

/// Methods of [`CallFacts`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the methods of RFC 9110")]
pub enum CallMethod {
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What a request carries.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CallBody {
    /// Nothing.
    #[default]
    Empty,
    /// A form.
    Form(BTreeMap<String, Template>),
    /// JSON; each text in it is a template.
    Json(Value),
}

/// What proves a credential: the cheapest request that only a good one is answered. An adapter's own goes before it.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// What is asked.
    pub call: CallFacts,
    /// Where the id of whose it is stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Pointer>,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Pointer>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Pointer>,
    /// What the credential is good for, in words for receipts, where no scope tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Pointer>,
    /// Status words of a credential that is refused, where they are others than 401 and 403.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<super::revoke::ErrorMatch>,
}

/// Where the provider's API is.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Base {
    /// Inside Patchbay: there is no network.
    Local,
    /// In this property of the configuration.
    Config {
        /// Its name.
        property: String,
        /// The address where it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<Template>,
    },
    /// Always there.
    Fixed {
        /// The address.
        url: String,
    },
    /// Made of the configuration.
    Template {
        /// The address.
        url: Template,
    },
    /// Told by an answer or a callback (Salesforce's `instance_url`).
    Kept {
        /// Under which key it is kept.
        key: String,
        /// The address, where the value is not all of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<Template>,
        /// Hosts that it may be, or suffixes with a dot in front: an answer must not send tokens elsewhere.
        hosts: Vec<String>,
    },
    /// The secret is the address (incoming webhooks).
    Secret {
        /// Hosts that it may be, or suffixes with a dot in front; none: any.
        #[serde(default)]
        hosts: Vec<String>,
        /// Paths of calls come behind the secret's, and its query stays (signed addresses of Azure). Without it calls go to the address as it is.
        #[serde(default, skip_serializing_if = "super::is_default")]
        joined: bool,
    },
    /// Found by asking.
    Lookup(Box<Lookup>),
}

/// How the address is found by asking.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// What is asked.
    pub call: CallFacts,
    /// Where the rows stand in the answer; one object is one row.
    pub items: Pointer,
    /// Which row.
    pub pick: Pick,
    /// What is taken of it, for `{located.x}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub take: BTreeMap<String, Pointer>,
    /// The address.
    pub url: Template,
    /// The address where the answer has no such row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Template>,
    /// Seconds for which the outcome is kept, where asking often is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_seconds: Option<u64>,
    /// Hosts that a looked up host may be, or suffixes with a dot in front.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// Which row of a lookup.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Pick {
    /// The only one; several are refused with a list of them.
    Only,
    /// The first.
    First,
    /// The one that has this there. Of two addresses the origins are compared.
    Equals {
        /// Where.
        pointer: Pointer,
        /// What.
        template: Template,
    },
    /// The one that a person chooses; the choice is kept.
    Asked {
        /// Where the name of a row stands.
        label: Pointer,
        /// Where its id stands, by which it is found again.
        id: Pointer,
    },
    /// The one that has `true` there.
    IsTrue {
        /// Where.
        pointer: Pointer,
    },
}
