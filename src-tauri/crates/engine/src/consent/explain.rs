//! What went wrong in a consent, and the one thing to change: by the provider's own rules first, then by those of RFC 6749 and
//! OpenID Connect Core 1.0.

use patchbay_model::consent::{ConnectSession, ConnectState, ConsentRoute, ProviderApp};
use patchbay_model::flight::{Changer, Explanation, LONGEST_PAGE, NewStep, Remedy, Seen as Place, StepDetail, StepKind, page_text, words};
use patchbay_model::{ConnectSessionId, Operation, Problem};
use patchbay_providers::Provider;
use patchbay_providers::manifest::revoke::Seen;
use patchbay_providers::manifest::{At, Cause};
use patchbay_store::WriteTx;

use super::flight;
use crate::{Engine, ManagementGrant, definition};

/// Longest quote.
const LONGEST_QUOTE: usize = 400;

/// What is known of an error: the provider's word for it, its sentence, the text of a page.
#[derive(Clone, Default)]
pub(crate) struct Trouble {
    pub(crate) code: Option<String>,
    pub(crate) words: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) content_type: Option<String>,
    pub(crate) page: Option<String>,
}

impl Trouble {
    /// The same for the rules of a manifest.
    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen { code: self.code.as_deref(), words: self.words.as_deref(), status: self.status, content_type: self.content_type.as_deref(), page: self.page.as_deref() }
    }

    /// What of it can be quoted.
    pub(crate) fn quote(&self) -> Option<String> {
        let text = self.words.as_deref().or(self.page.as_deref()).or(self.code.as_deref())?;
        Some(words(text, LONGEST_QUOTE)).filter(|quote| !quote.is_empty())
    }
}

/// A consent, as far as an explanation depends on it.
pub(crate) struct Asked<'a> {
    /// The redirect URI that was sent.
    pub(crate) redirect_uri: &'a str,
    /// The scopes that were asked for.
    pub(crate) scopes: &'a [String],
    /// By which client.
    pub(crate) app: &'a ProviderApp,
}

/// Explains an error; nothing where neither the provider's rules nor the general ones know it.
fn explain(asked: &Asked<'_>, provider: &Provider, at: At, trouble: &Trouble) -> Option<Explanation> {
    let (cause, said) = match told(provider, at, trouble) {
        Some((cause, said)) => (cause, Some(said)),
        None => (usual(at, trouble)?, None),
    };
    Some(explanation(asked, provider, cause, said, trouble.quote()))
}

/// What the provider's rules say of an error. A page has no word of an error of its own: the words of the rules are looked for in its text;
/// and what the endpoint answers without a person is what a person sees there too.
pub(crate) fn told<'a>(provider: &'a Provider, at: At, trouble: &Trouble) -> Option<(Cause, &'a str)> {
    let Some(page) = &trouble.page else { return provider.explain(at, &trouble.seen()) };
    let places = if at == At::Page { [At::Page, At::Authorize] } else { [at, At::Page] };
    places.into_iter().find_map(|at| {
        let codes = provider.manifest().error.iter().filter(|rule| rule.at == at).filter_map(|rule| rule.code.as_deref());
        let found = codes.filter(|code| page.contains(code)).find_map(|code| provider.explain(at, &Seen { code: Some(code), ..trouble.seen() }));
        found.or_else(|| provider.explain(at, &trouble.seen()))
    })
}

/// What is told of a cause.
pub(crate) fn explanation(asked: &Asked<'_>, provider: &Provider, cause: Cause, said: Option<&str>, quote: Option<String>) -> Explanation {
    let name = provider.fullname();
    Explanation {
        cause: word(cause),
        words: said.map_or_else(|| sentence(cause, name), str::to_owned),
        change: change(cause, asked, name),
        quote,
        switch: (cause == Cause::WindowRefused).then_some(ConsentRoute::Browser),
    }
}

/// Explains the error of a consent, and writes that down beside it.
///
/// # Errors
/// Those of the store.
pub(super) async fn write(engine: &Engine, tx: &mut WriteTx, session: &ConnectSession, at: At, trouble: &Trouble) -> Result<Option<Explanation>, Problem> {
    let app = match session.provider_app_id {
        Some(app) => tx.provider_app(app).await?,
        None => None,
    };
    let (Some(integration), Some(app)) = (tx.integration(session.integration_id).await?, app) else { return Ok(None) };
    let definition = definition::pinned(engine, tx, integration.definition).await?;
    let Some(provider) = engine.provider_of(&definition) else { return Ok(None) };
    let asked = Asked { redirect_uri: &session.redirect_uri, scopes: &session.scopes, app: &app };
    let explanation = explain(&asked, &provider, at, trouble);
    if let Some(explanation) = &explanation {
        tx.explain_connect_session(session, explanation).await?;
    }
    Ok(explanation)
}

/// Explains a page of the provider whose text a person let be read. Gives what it means, where that is known.
///
/// # Errors
/// `consent_replayed` for a consent that is over, and problems of permission.
pub async fn explain_page(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId, seen: Place, text: &str) -> Result<Option<Explanation>, Problem> {
    let text = page_text(text.get(..text.floor_char_boundary(LONGEST_PAGE)).unwrap_or_default());
    let mut tx = engine.store().write(grant.scope(), grant.caller().origin).await?;
    let session = super::reachable(&mut tx, grant, Operation::ConnectExplain, session).await?;
    if session.state != ConnectState::Begun {
        return Err(super::finish::over(&session));
    }
    let legs = tx.connect_legs(session.id).await?;
    let detail = StepDetail { seen: Some(seen), words: Some(text.replace('\n', " ")), ..StepDetail::default() };
    let step = NewStep { kind: StepKind::Explained, leg: legs.last().map(|leg| leg.id), at: engine.now(), detail };
    let explanation = write(engine, &mut tx, &session, At::Page, &Trouble { page: Some(text), ..Trouble::default() }).await?;
    flight::write(&mut tx, &session, vec![step]).await?;
    tx.commit().await?;
    Ok(explanation)
}

/// What the standards say of an error, wherever it is met.
pub(crate) fn usual(at: At, trouble: &Trouble) -> Option<Cause> {
    let text = [trouble.words.as_deref(), trouble.page.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ").to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    let redirect = says(&["redirect_uri", "redirect uri", "redirect url", "callback url"]);
    Some(match trouble.code.as_deref() {
        Some("redirect_uri_mismatch") => Cause::RedirectMismatch,
        Some("invalid_request" | "invalid_grant" | "unauthorized_client") if redirect => Cause::RedirectMismatch,
        Some("invalid_client") if at == At::Token => Cause::WrongSecret,
        Some("invalid_client" | "unauthorized_client") => Cause::UnknownClient,
        Some("invalid_scope") => Cause::ScopeUnknown,
        Some("access_denied") => Cause::PersonRefused,
        Some("consent_required" | "interaction_required" | "login_required" | "account_selection_required") => Cause::PersonRefused,
        Some("invalid_grant") if says(&["code_verifier", "pkce", "code challenge"]) => Cause::PkceRefused,
        Some("invalid_request") if says(&["code_challenge", "pkce"]) => Cause::PkceRefused,
        Some("invalid_grant") if at == At::Token => Cause::TokenSpent,
        Some("server_error" | "temporarily_unavailable") => Cause::Outage,
        _ if trouble.status == Some(429) => Cause::RateLimited,
        _ if trouble.status.is_some_and(|status| status >= 500) => Cause::Outage,
        // A page has no words of the standards, so only what it plainly says is taken.
        None if says(&["disallowed_useragent", "browser or app may not be secure", "browser is not supported", "unsupported browser"]) => Cause::WindowRefused,
        None if redirect && says(&["mismatch", "not registered", "does not match", "did not match", "invalid", "not allowed", "not match"]) => Cause::RedirectMismatch,
        None if says(&["invalid_client", "client is unknown", "unknown client", "client_id is invalid", "invalid client"]) => Cause::UnknownClient,
        None if says(&["invalid_scope", "invalid scope", "unknown scope"]) => Cause::ScopeUnknown,
        None if says(&["admin approval", "administrator must", "admin consent", "approval required"]) => Cause::AdminConsentNeeded,
        _ => return None,
    })
}

fn word(cause: Cause) -> String {
    serde_json::to_value(cause).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn sentence(cause: Cause, name: &str) -> String {
    match cause {
        Cause::RedirectMismatch => format!("{name} does not know the address to which it should send the person back."),
        Cause::UnknownClient => format!("{name} does not know the client id, or does not let it ask in this way."),
        Cause::WrongSecret => format!("{name} does not accept the client secret."),
        Cause::ScopeUnknown => format!("{name} does not know one of the scopes that were asked for."),
        Cause::ScopeNotAllowed => format!("{name} does not give one of the scopes to this app."),
        Cause::AdminConsentNeeded => format!("An administrator of the customer has to agree at {name} first."),
        Cause::AppNotApproved => format!("The app is not approved at {name}."),
        Cause::AppSuspended => format!("The app is switched off at {name}."),
        Cause::TestMode => format!("The app is in test mode at {name}, and this person is none of its testers."),
        Cause::WindowRefused => format!("{name} does not show its page in windows of applications."),
        Cause::PkceRefused => format!("{name} did not accept the proof that the code was asked for here (PKCE)."),
        Cause::PersonRefused => "The person, or the provider for them, said no.".to_owned(),
        Cause::PersonNotAllowed => format!("The person may not do this at {name}."),
        Cause::TokenSpent => "The code was used before, is too old, or was given to another client.".to_owned(),
        Cause::GrantEnded => "The authorization has ended.".to_owned(),
        Cause::ClockWrong => "A clock is wrong: this machine's or the provider's.".to_owned(),
        Cause::RateLimited => format!("{name} was asked too often."),
        Cause::Outage => format!("{name} is out of order."),
        Cause::Unknown => format!("{name} gives no reason that is known here."),
    }
}

/// The one thing to change.
fn change(cause: Cause, asked: &Asked<'_>, name: &str) -> Option<Remedy> {
    let at_app = |what: &str| format!("{what} of the app at {name}");
    let app = asked.app;
    let here = |what: &str| format!("{what} of provider app `{}`", app.name);
    let one = |who, place: String, from: Vec<String>, to: Option<String>| Some(Remedy { who, place, from, to });
    match cause {
        Cause::RedirectMismatch => one(Changer::Administrator, at_app("Redirect URIs"), app.redirect_uris.clone(), Some(asked.redirect_uri.to_owned())),
        Cause::UnknownClient => one(Changer::Administrator, here("Client id"), vec![app.client_id.clone()], None),
        Cause::WrongSecret => one(Changer::Administrator, here("Client secret"), Vec::new(), None),
        Cause::ScopeUnknown => one(Changer::Administrator, here("Scopes"), asked.scopes.to_vec(), None),
        Cause::ScopeNotAllowed => one(Changer::Administrator, at_app("Scopes"), Vec::new(), Some(asked.scopes.join(" "))),
        Cause::PkceRefused | Cause::AppNotApproved | Cause::AppSuspended | Cause::TestMode => one(Changer::Administrator, at_app("Settings"), Vec::new(), None),
        Cause::AdminConsentNeeded => one(Changer::Customer, format!("Approvals of apps at {name}"), Vec::new(), None),
        Cause::PersonNotAllowed => one(Changer::Customer, format!("The person's rights at {name}"), Vec::new(), None),
        Cause::PersonRefused | Cause::TokenSpent | Cause::GrantEnded => one(Changer::Person, "Connect again and agree".to_owned(), Vec::new(), None),
        Cause::RateLimited | Cause::Outage => one(Changer::Provider, "Try again later".to_owned(), Vec::new(), None),
        Cause::WindowRefused | Cause::ClockWrong | Cause::Unknown => None,
    }
}
