//! Provider apps and connect sessions, ours alone.
#![expect(missing_docs, reason = "fields are those of the model")]

use patchbay_model::consent::{self, ConnectState, ConsentRoute, Place};
use patchbay_model::flight::{self, Explanation, Seen, StepDetail, StepKind};
use patchbay_model::preflight::CheckWord;
use patchbay_model::schema::{NewFullname, NewName};
use patchbay_model::{AccountId, Code, ConnectLegId, ConnectSessionId, EndUserId, Fullname, IntegrationId, Name, ProviderAppId, ProviderId, Secret, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::query::UpdateExtra;

/// The organization's own OAuth client at a provider.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ProviderApp {
    pub id: ProviderAppId,
    pub name: Name,
    pub fullname: Fullname,
    pub provider: ProviderId,
    /// The issuer at which it is registered, for providers with discovery.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub issuer: Option<String>,
    pub client_id: String,
    /// Whether a client secret is stored; a public client has none.
    pub has_client_secret: bool,
    /// Registered at the provider, exactly.
    pub redirect_uris: Vec<String>,
    /// Scopes to ask for; the provider's usual ones where empty.
    pub scopes: Vec<String>,
    /// When the client secret ends at the provider, as somebody entered it: it stands in the list of deadlines.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub secret_expires: Option<Timestamp>,
    /// The worst that its last preflight found; not told where it was not tested since it was changed, and in answers to changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub preflight: Option<CheckWord>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Body of `provider_apps.trust`.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct ProposeTrust {
    /// At which provider a role shall be assumed.
    pub provider: String,
    /// Its configuration as far as it is entered; region and partition count.
    #[ts(type = "Record<string, unknown>")]
    pub provider_config: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Result of `provider_apps.trust`.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct TrustPolicy {
    /// The ARN of the organization's own principal.
    pub principal: String,
    /// A new external id, for one role of one customer.
    pub external_id: String,
    /// The trust policy of the role, as JSON to paste.
    pub policy: String,
}

impl From<patchbay_engine::provider_app::Trust> for TrustPolicy {
    fn from(trust: patchbay_engine::provider_app::Trust) -> Self {
        let patchbay_engine::provider_app::Trust { principal, external_id, policy } = trust;
        Self { principal, external_id, policy }
    }
}

/// Body of `provider_apps.create`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CreateProviderApp {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
    pub provider: String,
    #[schemars(length(max = 2000), regex(pattern = r"^$|^https?://[^\s?#\x00-\x1f]+$"))]
    pub issuer: Option<String>,
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"^[\x20-\x7e]+$"))]
    pub client_id: String,
    #[ts(optional, type = "string")]
    pub client_secret: Option<Secret>,
    #[schemars(length(max = 50), inner(length(max = 2000), regex(pattern = r"^(https://[A-Za-z0-9]|http://(localhost|127\.0\.0\.1|\[::1\])([:/?]|$))[^\s#\x00-\x1f]*$")))]
    pub redirect_uris: Option<Vec<String>>,
    #[schemars(length(max = 200), inner(length(min = 1, max = 500), regex(pattern = r"^[\x21\x23-\x5b\x5d-\x7e]+$")))]
    pub scopes: Option<Vec<String>>,
    /// When the client secret ends at the provider, where it tells.
    pub secret_expires: Option<Timestamp>,
}

/// PUT of a provider app: the whole object; a client secret that is left out is kept, an empty one is removed.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct UpdateProviderApp {
    #[schemars(with = "Option<Name>")]
    pub name: Option<String>,
    #[schemars(with = "Fullname")]
    pub fullname: String,
    #[schemars(length(max = 2000), regex(pattern = r"^$|^https?://[^\s?#\x00-\x1f]+$"))]
    pub issuer: Option<String>,
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"^[\x20-\x7e]+$"))]
    pub client_id: String,
    #[ts(optional, type = "string")]
    pub client_secret: Option<Secret>,
    #[schemars(length(max = 50), inner(length(max = 2000), regex(pattern = r"^(https://[A-Za-z0-9]|http://(localhost|127\.0\.0\.1|\[::1\])([:/?]|$))[^\s#\x00-\x1f]*$")))]
    pub redirect_uris: Option<Vec<String>>,
    #[schemars(length(max = 200), inner(length(min = 1, max = 500), regex(pattern = r"^[\x21\x23-\x5b\x5d-\x7e]+$")))]
    pub scopes: Option<Vec<String>>,
    /// When the client secret ends at the provider; not known where it is left out.
    pub secret_expires: Option<Timestamp>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<UpdateExtra>,
}

impl From<consent::ProviderApp> for ProviderApp {
    fn from(app: consent::ProviderApp) -> Self {
        Self {
            id: app.id,
            name: app.name,
            fullname: app.fullname,
            provider: app.provider,
            issuer: app.issuer,
            client_id: app.client_id,
            has_client_secret: app.client_secret.is_some(),
            redirect_uris: app.redirect_uris,
            scopes: app.scopes,
            secret_expires: app.secret_expires,
            preflight: None,
            created_at: app.created_at,
            updated_at: app.updated_at,
        }
    }
}

/// One run of a consent, from its link to its outcome.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ConnectSession {
    pub id: ConnectSessionId,
    pub account_id: AccountId,
    pub integration_id: IntegrationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub provider_app_id: Option<ProviderAppId>,
    /// Who is asked to agree, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub end_user_id: Option<EndUserId>,
    pub route: ConsentRoute,
    /// The exact redirect URI that was sent; empty by the way `device`, which has none.
    pub redirect_uri: String,
    /// The provider's page; only in the answers of `connect.begin` and `connect.switch`, and not for the way `link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub authorize_url: Option<String>,
    /// Where the person goes, by the way `link` or `browser`; only in the same answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub start_url: Option<String>,
    /// What the person enters where, by the way `device`, as long as that is awaited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub device: Option<DeviceCode>,
    pub scopes: Vec<String>,
    /// `begun`, `exchanging`, `choosing`, `completed`, `failed` or `cancelled`.
    #[ts(type = "\"begun\" | \"exchanging\" | \"choosing\" | \"completed\" | \"failed\" | \"cancelled\"")]
    pub state: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<Code>,
    /// The same in words, with the one thing to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub message: Option<String>,
    /// What went wrong and what to change, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub explanation: Option<Explanation>,
    /// The places of which one is to be chosen, while it is `choosing`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Place>>")]
    pub places: Vec<Place>,
    /// Until when a callback is accepted, or a choice.
    pub expires: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A code that a person enters in any browser.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct DeviceCode {
    pub user_code: String,
    /// Where it is entered.
    pub verification_uri: String,
    /// The same with the code in it, where the provider has that; only in the answers of `connect.begin` and `connect.switch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub verification_uri_complete: Option<String>,
    /// That address as SVG, for the camera of a phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub qr: Option<String>,
}

/// Body of `connect.begin`.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct BeginConnect {
    #[schemars(with = "patchbay_model::schema::IdOrName")]
    pub integration_id: String,
    /// The way; left out, the first that can be gone.
    pub route: Option<ConsentRoute>,
    /// For the way `browser` or `window`: the loopback or internal address that takes the callback. Left out for `link`, it is the server's own.
    #[schemars(length(max = 2000))]
    pub redirect_uri: Option<String>,
    /// Whether the program that asks can show a window, where no way is named.
    pub window: Option<bool>,
    /// Whether the program that asks can open the system's browser and listen on its machine, where no way is named.
    pub browser: Option<bool>,
    /// Id or name of the end user who is asked to agree. Left out, the person is found by what the provider tells, or made.
    pub end_user_id: Option<String>,
}

/// Body of `connect.switch`.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct SwitchConnect {
    /// The way; left out, the first that can be gone.
    pub route: Option<ConsentRoute>,
    /// As in `connect.begin`.
    #[schemars(length(max = 2000))]
    pub redirect_uri: Option<String>,
    /// As in `connect.begin`.
    pub window: Option<bool>,
    /// As in `connect.begin`.
    pub browser: Option<bool>,
}

/// Parameters of `connect.routes`: what the program can do that asks.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct PlaceParams {
    /// It can show a window of its own.
    pub window: Option<bool>,
    /// It can open the system's browser and listen on its machine for what comes back.
    pub browser: Option<bool>,
}

/// One way to consent.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ConnectOffer {
    pub route: ConsentRoute,
    /// Whether it is the one to take first.
    pub recommended: bool,
    /// The redirect URI that would be sent; that of a browser gets the port that is listened on, where the provider takes any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub redirect_uri: Option<String>,
    /// Whether that redirect URI may have any port.
    pub any_port: bool,
    /// Why it cannot be gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub why_not: Option<String>,
}

/// One step of a consent.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct FlightStep {
    /// Its place, from 1.
    pub number: u32,
    pub kind: StepKind,
    pub at: Timestamp,
    /// Which way it belongs to, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub leg_id: Option<ConnectLegId>,
    pub detail: StepDetail,
}

/// A step that a window saw.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
pub struct SeenStep {
    /// `navigated`, `redirected`, `popup` or `blocked`.
    pub kind: StepKind,
    /// When.
    pub at: Timestamp,
    /// The address, redacted.
    pub seen: Seen,
}

/// Body of `connect.record`.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
pub struct RecordFlight {
    #[schemars(length(max = 50))]
    pub steps: Vec<SeenStep>,
}

/// Answer of `connect.record`.
#[derive(Clone, Copy, Debug, Serialize, TS, JsonSchema)]
pub struct Recorded {
    /// How many steps there are now.
    pub steps: u32,
}

/// Body of `connect.explain`.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
pub struct ExplainPage {
    /// The page's address, redacted.
    pub seen: Seen,
    /// What a person sees of it, as they let it be read. More than 4 kB are not looked at.
    #[schemars(length(max = 16384))]
    pub text: String,
}

/// Answer of `connect.explain`.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Explained {
    /// What the page means; nothing where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub explanation: Option<Explanation>,
}

impl From<flight::FlightStep> for FlightStep {
    fn from(step: flight::FlightStep) -> Self {
        Self { number: step.number, kind: step.step.kind, at: step.step.at, leg_id: step.step.leg, detail: step.step.detail }
    }
}

/// Body of `connect.choose`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
pub struct ChooseConnect {
    /// `id` of one of the session's `places`.
    #[schemars(length(max = 4096))]
    pub place: String,
}

/// Body of `connect.finish` and `connect.answer`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
pub struct FinishConnect {
    /// The whole URL at which the provider sent the person back.
    #[schemars(length(max = 16384))]
    pub callback_url: String,
}

impl ConnectSession {
    /// The view of a session.
    pub fn view(session: consent::ConnectSession) -> Self {
        let code = match session.state {
            ConnectState::Failed { code } => Some(code),
            _ => None,
        };
        Self {
            id: session.id,
            account_id: session.account_id,
            integration_id: session.integration_id,
            provider_app_id: session.provider_app_id,
            end_user_id: session.end_user_id,
            route: session.route,
            redirect_uri: session.redirect_uri,
            authorize_url: None,
            start_url: None,
            device: None,
            scopes: session.scopes,
            state: session.state.as_str().to_owned(),
            code,
            message: session.message,
            explanation: session.explanation,
            places: session.places,
            expires: session.expires,
            created_at: session.created_at,
            updated_at: session.updated_at,
        }
    }
}
