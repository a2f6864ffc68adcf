//! How long tokens live, and what a refresh does to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long what a server gives out lives.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifetime {
    /// Access tokens.
    pub access: AccessLifetime,
    /// Seconds after which an authorization code is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_seconds: Option<u64>,
    /// Seconds unused after which a refresh token dies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
    /// Seconds after the consent at which it ends whatever is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absolute_seconds: Option<u64>,
    /// Whether an administrator at the provider can set these otherwise, so that only answers tell.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub adjustable: bool,
    /// Whether a token that nobody uses is refreshed before it dies.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub keep_alive: bool,
    /// Grants that one person can have for one app at once; the oldest falls out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_user_limit: Option<u32>,
}

/// How long an access token lives where the answer does not say.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessLifetime {
    /// Seconds, as the provider documents them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// What an answer without an end means.
    #[serde(default)]
    pub silent: Silent,
}

/// What an answer without an end means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Silent {
    /// Something is wrong: `seconds` is assumed and the finding is shown.
    #[default]
    Finding,
    /// It is usual: `seconds` holds, without a finding.
    AsDocumented,
    /// The access token is a JWT whose `exp` says it.
    JwtExp,
    /// Such tokens have no end. They are probed, since nothing holds for ever.
    NonExpiring {
        /// Days between two probes.
        probe_days: u32,
    },
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rotation {
    /// It stays the same.
    None,
    /// There is a new one each time.
    Rotates {
        /// Seconds for which the one before still works.
        grace_seconds: u64,
        /// The one before works until the new one is used for the first time, whatever `grace_seconds` says.
        #[serde(default, skip_serializing_if = "super::is_default")]
        until_used: bool,
        /// What happens when it is used after that.
        reuse: Reuse,
    },
    /// Not known: handled as if reuse ended the family and there were no grace.
    Unknown,
}

/// What happens when a rotated refresh token is used again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reuse {
    /// The request is refused, nothing else.
    Refused,
    /// The whole grant ends.
    EndsFamily,
    /// Not known: handled as if the grant ended.
    Unknown,
}
