//! How a grant is ended, and what can be told of a provider app without a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::call::CallFacts;
use super::server::TokenBody;
use super::template::Template;

/// How a grant or key is ended at the provider.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// By what.
    pub how: How,
    /// What proves that it has ended.
    #[serde(default)]
    pub proof: Proof,
    /// The endpoint answers success whether anything ended or not, so that only the proof counts.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub answers_ok_always: bool,
    /// Seconds that it takes to be seen everywhere: the proof waits that long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_seconds: Option<u64>,
    /// Each token of a set is ended by a request of its own.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub each_token: bool,
    /// What a request of the provider's own ends, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
    /// What a person does in its place. There is always a way.
    pub manual: Manual,
}

/// What ends a grant.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum How {
    /// The revocation endpoint (RFC 7009).
    Rfc7009 {
        /// Which tokens are sent, in order.
        order: Vec<TokenKind>,
        /// What ends.
        ends: Ends,
        /// How the request is written, where it is not a form.
        #[serde(default, skip_serializing_if = "super::is_default")]
        body: TokenBody,
    },
    /// A request of the provider's own.
    Call(Box<CallFacts>),
    /// Nothing but a person.
    None,
}

/// A kind of token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Refresh token.
    Refresh,
    /// Access token.
    Access,
}

/// What a revocation ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// All that the person granted to this app, by every consent.
    Grant,
    /// Every token of the consent by which the token that was sent came, and of no other consent.
    Set,
    /// The token that was sent, and what came from it.
    Token,
}

/// What proves that a grant has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The probe is refused.
    #[default]
    Probe,
    /// Introspection says so.
    Introspection,
    /// Nothing can.
    Nothing,
}

/// What a person does.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    /// Step by step.
    pub steps: Vec<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Template>,
}

/// What an unattended test of a provider app can tell.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Preflight {
    /// By exchanging a code that is none: whether client id and secret are right.
    pub token: TokenTest,
    /// By opening the authorization address without a person: whether redirect URI, scopes and client are.
    pub authorize: AuthorizeTest,
}

/// What the token endpoint tells.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenTest {
    /// By the error of RFC 6749 section 5.2: `invalid_grant` for a good client, `invalid_client` for a bad one.
    #[default]
    Standard,
    /// By these answers.
    Tells {
        /// Of a good client.
        good: Vec<ErrorMatch>,
        /// Of a bad one.
        bad: Vec<ErrorMatch>,
    },
    /// It answers both alike.
    CannotTell {
        /// How.
        why: String,
    },
    /// It must not be asked.
    Skip {
        /// Why.
        why: String,
    },
}

/// What the authorization endpoint tells.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthorizeTest {
    /// By RFC 6749 section 4.1.2.1: a page for a client or redirect URI that it does not know, an error at the redirect URI for scopes.
    Standard,
    /// By these answers.
    Tells {
        /// Of a redirect URI that is not registered.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        redirect: Vec<ErrorMatch>,
        /// Of a scope that is not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        scope: Vec<ErrorMatch>,
        /// Of a client that nobody knows.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        client: Vec<ErrorMatch>,
    },
    /// It asks for a person before it judges, or that is not known.
    CannotTell {
        /// How.
        why: String,
    },
    /// There is nothing to ask: no person takes part.
    Skip {
        /// Why.
        why: String,
    },
}

impl Default for AuthorizeTest {
    fn default() -> Self {
        Self::CannotTell { why: "Nobody has tried what this provider answers.".to_owned() }
    }
}

/// What makes an answer out. All that is given must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorMatch {
    /// The word of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What its text or page contains; letter case does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The media type of the answer (an HTML page where JSON was due).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// What was seen of an answer or a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen<'a> {
    /// The word of the error.
    pub code: Option<&'a str>,
    /// Its explanation.
    pub words: Option<&'a str>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The media type of the answer, without its parameters.
    pub content_type: Option<&'a str>,
    /// The text of a page, where a person let it be read.
    pub page: Option<&'a str>,
}

impl ErrorMatch {
    /// Whether all of it holds; a match that says nothing never does.
    pub fn holds(&self, seen: &Seen<'_>) -> bool {
        let code = self.code.as_deref().map(|code| seen.code == Some(code));
        let status = self.status.map(|status| seen.status == Some(status));
        let contains = self.contains.as_deref().map(|text| {
            let text = text.to_lowercase();
            [seen.words, seen.page].into_iter().flatten().any(|place| place.to_lowercase().contains(&text))
        });
        let media = self.content_type.as_deref().map(|wanted| seen.content_type.is_some_and(|found| found.eq_ignore_ascii_case(wanted)));
        let said: Vec<bool> = [code, status, contains, media].into_iter().flatten().collect();
        !said.is_empty() && said.iter().all(|holds| *holds)
    }
}
