//! Which redirect URIs a server takes, and whether its page works in a window.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which redirect URIs can be registered. Elsewhere than on loopback it is always https; custom schemes are never used.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// Which loopback addresses it takes.
    pub loopback: Loopback,
    /// Whether a loopback address may have any port (RFC 8252 section 7.3).
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub port: Port,
    /// Whether loopback may be plain http.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub plain_http_loopback: bool,
    /// How many an app can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// How the sent one is compared with the registered.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub matching: Matching,
    /// What happens when it is not registered.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub mismatch: Mismatch,
    /// What whoever registers one must know beside that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// Which loopback addresses are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loopback {
    /// None.
    No,
    /// `127.0.0.1` and `[::1]`.
    Ip,
    /// `localhost` alone.
    Localhost,
    /// Both.
    Either,
}

/// Which port a loopback address may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Port {
    /// Any, whatever is registered.
    Any,
    /// The one registered.
    #[default]
    Registered,
}

/// How redirect URIs are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// Letter by letter.
    #[default]
    Exact,
    /// The registered one must be its beginning.
    Prefix,
}

/// What happens when a redirect URI is not registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// An error page of the provider.
    #[default]
    Refused,
    /// The code goes to the first registered one, without a word.
    GoesToFirst,
}

/// Whether the provider's page works in a window of the application; many refuse that (RFC 8252 section 8.12).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Window {
    /// It does.
    Works,
    /// The provider refuses it.
    Refused {
        /// How, for the person who wonders.
        words: String,
    },
    /// Nobody has tried.
    Untested,
}
