//! What a provider's errors mean.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::revoke::{ErrorMatch, Seen};

/// What an error of this provider means. The first rule that holds counts.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// Where it is met.
    pub at: At,
    /// The word of the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What its text or page contains; letter case does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The media type of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// What it means.
    pub cause: Cause,
    /// What to do, in one or two sentences.
    pub words: String,
}

impl ErrorRule {
    /// Whether it speaks of this.
    pub fn holds(&self, at: At, seen: &Seen<'_>) -> bool {
        self.at == at && self.pattern().holds(seen)
    }

    /// What it matches.
    pub fn pattern(&self) -> ErrorMatch {
        ErrorMatch { code: self.code.clone(), contains: self.contains.clone(), status: self.status, content_type: self.content_type.clone() }
    }
}

/// Where an error is met.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The authorization endpoint, asked without a person.
    Authorize,
    /// A page that the person sees.
    Page,
    /// The redirect URI.
    Callback,
    /// The token endpoint.
    Token,
    /// The API.
    Api,
}

/// What an error means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The redirect URI is not the registered one.
    RedirectMismatch,
    /// Nobody knows the client id.
    UnknownClient,
    /// The client secret is wrong or has ended.
    WrongSecret,
    /// There is no such scope.
    ScopeUnknown,
    /// The app or the person may not have the scope.
    ScopeNotAllowed,
    /// An administrator must consent.
    AdminConsentNeeded,
    /// The provider or an administrator has not approved the app.
    AppNotApproved,
    /// The app is switched off.
    AppSuspended,
    /// The app is in test mode and the person is not one of its testers.
    TestMode,
    /// The page refuses to be shown in a window of an application.
    WindowRefused,
    /// PKCE is missing, unwanted or wrong.
    PkceRefused,
    /// The person said no.
    PersonRefused,
    /// The person may not do this.
    PersonNotAllowed,
    /// Code or token has been used already.
    TokenSpent,
    /// The grant has ended.
    GrantEnded,
    /// A clock is wrong.
    ClockWrong,
    /// Too many requests.
    RateLimited,
    /// The provider is not well.
    Outage,
    /// Nobody knows.
    Unknown,
}
