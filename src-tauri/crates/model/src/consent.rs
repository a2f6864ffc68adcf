//! Consent: a person authorizes a provider for an integration.

use serde::{Deserialize, Serialize};

use crate::flight::Explanation;
use crate::{AccountId, Code, ConnectLegId, ConnectSessionId, EndUserId, IntegrationId, MemberId, OrganizationId, ProviderAppId, ProviderId, Timestamp};

/// How the person gets to the provider's page (product.md section 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentRoute {
    /// A window of the application, with its own ephemeral session.
    Window,
    /// The system's browser; the answer comes to a loopback address (RFC 8252 section 7.3).
    Browser,
    /// The server's own callback address: the browser in which the web interface runs, or a link that is passed on.
    Link,
    /// Any browser; the person brings back the address at which it ended.
    Paste,
    /// Any browser on any machine; the person enters a code there (RFC 8628).
    Device,
}

impl ConsentRoute {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Browser => "browser",
            Self::Link => "link",
            Self::Paste => "paste",
            Self::Device => "device",
        }
    }

    /// Whether the provider's page is made ready when somebody comes for it, not when the way is chosen.
    pub const fn opens_later(self) -> bool {
        matches!(self, Self::Link)
    }
}

/// Most ways that one consent is tried on.
pub const MOST_LEGS: u32 = 4;

/// The state of a leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegState {
    /// Chosen; nobody has come yet.
    Prepared,
    /// A person is on the way; an answer is awaited.
    Opened,
    /// Its answer was taken.
    Answered,
    /// Over: another was answered, or the consent has ended.
    Ended,
}

impl LegState {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Opened => "opened",
            Self::Answered => "answered",
            Self::Ended => "ended",
        }
    }
}

/// A leg: one try of a consent on one way, as stored. Its ticket and its state lie beside it as keyed hashes, its
/// verifier sealed.
#[derive(Clone, PartialEq, Debug)]
pub struct ConnectLeg {
    /// Its id.
    pub id: ConnectLegId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// For which customer.
    pub account_id: AccountId,
    /// Of which consent.
    pub session_id: ConnectSessionId,
    /// Its place among those of the consent, from 1.
    pub number: u32,
    /// The way.
    pub route: ConsentRoute,
    /// The exact redirect URI that is sent.
    pub redirect_uri: String,
    /// Its state.
    pub state: LegState,
    /// Keyed hash of what the browser holds that opened it; an answer from another is not taken.
    pub browser_hash: Option<Vec<u8>>,
    /// What a person enters where, and when the provider is asked for the answer.
    pub device: Option<DeviceLeg>,
    /// Until when an answer is accepted.
    pub expires: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What an open leg by way of a device knows (RFC 8628 section 3.2). Its device code lies sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceLeg {
    /// What the person enters.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// Before this the provider is not asked; whoever asks moves it on first, so that its interval holds over all processes.
    pub next_poll_at: Timestamp,
    /// Seconds between two questions.
    pub poll_seconds: u32,
}

/// What a person is told who goes by way of a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DevicePrompt {
    /// The code to enter.
    pub user_code: String,
    /// Where to enter it, in any browser.
    pub verification_uri: String,
    /// The same with the code in it, where the provider has that; told once, when the way is chosen.
    pub verification_uri_complete: Option<String>,
}

impl From<&DeviceLeg> for DevicePrompt {
    fn from(leg: &DeviceLeg) -> Self {
        Self { user_code: leg.user_code.clone(), verification_uri: leg.verification_uri.clone(), verification_uri_complete: None }
    }
}

/// The state of a consent. It is used once: `Begun` ends in exactly one of the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ConnectState {
    /// The person is on the way.
    Begun,
    /// A callback was taken and the code is being exchanged; a second callback is a replay.
    Exchanging,
    /// The answer gives access to several places, and a person has yet to choose one. What it brought lies sealed until then.
    Choosing,
    /// Tokens are stored and the integration is active.
    Completed,
    /// It ended without tokens.
    Failed {
        /// Why.
        code: Code,
    },
    /// The person closed the window or pressed Cancel.
    Cancelled,
}

impl ConnectState {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Exchanging => "exchanging",
            Self::Choosing => "choosing",
            Self::Completed => "completed",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A place that a consent gives access to, such as one of several organizations of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
pub struct Place {
    /// The provider's id of it.
    pub id: String,
    /// Its name for people.
    pub name: String,
}

/// One run of a consent, as stored. Verifier and state lie beside it, sealed and hashed.
#[derive(Clone, PartialEq, Debug)]
pub struct ConnectSession {
    /// Its id.
    pub id: ConnectSessionId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// For which customer.
    pub account_id: AccountId,
    /// For which integration.
    pub integration_id: IntegrationId,
    /// The client that asks.
    pub provider_app_id: Option<ProviderAppId>,
    /// Who began it.
    pub member_id: MemberId,
    /// Who is asked to agree, where that is known before.
    pub end_user_id: Option<EndUserId>,
    /// How the person goes there.
    pub route: ConsentRoute,
    /// The exact redirect URI that was sent.
    pub redirect_uri: String,
    /// The issuer expected in the answer, where known (RFC 9207).
    pub issuer: Option<String>,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// Its state.
    pub state: ConnectState,
    /// The message of a failure, for the person.
    pub message: Option<String>,
    /// What went wrong and what to change, where that can be told.
    pub explanation: Option<Explanation>,
    /// What a person chooses among, while [`ConnectState::Choosing`].
    pub places: Vec<Place>,
    /// Until when a callback is accepted, or a choice.
    pub expires: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The organization's own OAuth client at a provider, as stored. Its secret is a shared credential.
#[derive(Clone, PartialEq, Debug)]
pub struct ProviderApp {
    /// Its id.
    pub id: ProviderAppId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Its slug, unique in the organization.
    pub name: crate::Name,
    /// Its name for people.
    pub fullname: crate::Fullname,
    /// At which provider.
    pub provider: ProviderId,
    /// The issuer at which the client is registered, for providers with discovery (OpenID Connect Discovery 1.0).
    pub issuer: Option<String>,
    /// RFC 6749 section 2.2.
    pub client_id: String,
    /// Where the client secret is sealed; none for a public client.
    pub client_secret: Option<crate::SharedCredentialId>,
    /// Redirect URIs registered at the provider, exactly.
    pub redirect_uris: Vec<String>,
    /// Scopes to ask for; the manifest's where empty.
    pub scopes: Vec<String>,
    /// When the client secret ends at the provider, as somebody entered it.
    pub secret_expires: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Whether `got` came to the redirect URI `registered`: scheme, host, port and path are equal to the letter and neither
/// carries user information (RFC 9700 section 2.1, RFC 8252 section 7.3). Query parameters of the registered URI must be
/// there too. A redirect URI has no fragment (RFC 6749 section 3.1.2); some providers hang one on the answer, which says nothing.
pub fn is_callback(registered: &url::Url, got: &url::Url) -> bool {
    let same_place = registered.scheme() == got.scheme()
        && registered.host() == got.host()
        && registered.port_or_known_default() == got.port_or_known_default()
        && registered.path() == got.path();
    let nobody = |url: &url::Url| url.username().is_empty() && url.password().is_none();
    same_place && nobody(registered) && nobody(got) && registered.fragment().is_none() && registered.query_pairs().all(|pair| got.query_pairs().any(|other| other == pair))
}

#[cfg(test)]
mod tests {
    use super::is_callback;

    #[test]
    fn a_callback_matches_to_the_letter() {
        let registered = "http://127.0.0.1:4000/oauth/callback".parse().unwrap();
        let is = |text: &str| is_callback(&registered, &text.parse().unwrap());
        assert!(is("http://127.0.0.1:4000/oauth/callback?code=x&state=y"));
        assert!(is("http://127.0.0.1:4000/oauth/callback?code=x&state=y#_=_"));
        for other in [
            "https://127.0.0.1:4000/oauth/callback?code=x",
            "http://127.0.0.1:4001/oauth/callback?code=x",
            "http://localhost:4000/oauth/callback?code=x",
            "http://127.0.0.1:4000/oauth/callback/?code=x",
            "http://127.0.0.1:4000/oauth/Callback?code=x",
            "http://a@127.0.0.1:4000/oauth/callback?code=x",
            "http://127.0.0.1:4000/oauth/callbackx?code=x",
            "http://127.0.0.1:4000/?x=/oauth/callback",
        ] {
            assert!(!is(other), "{other} is another address");
        }
        let with_query = "https://h:443/cb?a=1".parse().unwrap();
        assert!(is_callback(&with_query, &"https://h/cb?a=1&code=2".parse().unwrap()));
        assert!(!is_callback(&with_query, &"https://h/cb?code=2".parse().unwrap()), "its own query is missing");
    }
}
