//! Asking a provider to end what it gave, and whether it has ended.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::revocation::{Revocation, RevocationStep};
use patchbay_model::{Code, Problem, Scope, Secret};
use patchbay_providers::manifest::Slot;
use patchbay_providers::manifest::call::{CallBody, CallFacts};
use patchbay_providers::manifest::revoke::{Ends, How, Proof, TokenKind};
use patchbay_providers::manifest::server::TokenBody;
use patchbay_providers::{ProviderRequest, ProviderResponse, Step, Values};
use reqwest::header::RETRY_AFTER;
use serde_json::Value;

use super::attempt::{Material, keep};
use crate::Engine;
use crate::call::drive::{Drive, DriveState};
use crate::call::opened::Opened;
use crate::call::prove;
use crate::http::HttpAnswer;
use crate::oauth::{self, Answer, Authority, MAIN, OAuthClient, Prepared, Refusal, Sent, TokenSet, authority, bounded};

/// The name under which these requests stand in the log.
const REVOKE: &str = "revoke";

/// What came of asking for the end.
pub(super) enum Asked {
    /// The provider has taken it, or there was nothing left to end.
    Taken(String),
    /// It has taken one token of the set, and another not.
    Partly { taken: String, refused: String },
    /// It has not, this time.
    NotTaken {
        /// Whether it refused, or could not be asked.
        step: RevocationStep,
        words: String,
        /// How long it wants to be left alone.
        wait: Option<Duration>,
    },
    /// It cannot be asked at all.
    Cannot(String),
}

impl Asked {
    fn refused(words: impl Into<String>) -> Self {
        Self::NotTaken { step: RevocationStep::Refused, words: words.into(), wait: None }
    }

    fn trouble(problem: Problem) -> Self {
        let step = match problem.code {
            Code::ProviderRefused | Code::NeedsReconnect | Code::InvalidConfig => RevocationStep::Refused,
            _ => RevocationStep::Unreachable,
        };
        Self::NotTaken { step, wait: problem.retry_after.map(Duration::from_secs), words: problem.message }
    }
}

/// What is known of its end.
pub(super) enum Evidence {
    /// What was given before is refused.
    Dead(String),
    /// It is still answered.
    Answered(String),
    /// What was seen would have been seen without the end of anything, too.
    Unproven(String),
    /// The access token is refused; of the refresh token nothing is known.
    Half(String),
    /// That could not be found out now.
    Unknown(String),
    /// Nothing can tell.
    Nothing,
}

/// Asks for the end.
pub(super) async fn end(engine: &Engine, scope: Scope, revocation: &mut Revocation, material: &mut Material) -> Asked {
    match material.facts.revocation.how.clone() {
        How::None => Asked::Cannot("This provider has nothing that a program could ask.".to_owned()),
        How::Rfc7009 { order, ends, body } => at_endpoint(engine, revocation, material, &order, ends, body).await,
        How::Call(call) => by_call(engine, scope, revocation, material, &call).await,
    }
}

/// The server at which a person consented, and the client that it knows us as.
async fn grantor(engine: &Engine, material: &Material) -> Result<(Authority, OAuthClient), Asked> {
    let Some(server) = &material.facts.server else { return Err(Asked::Cannot("There is no authorization server that could be asked.".to_owned())) };
    let Some(client) = material.client.clone() else {
        return Err(Asked::Cannot("The provider app with which this was authorized is gone, and the provider takes it from nobody else.".to_owned()));
    };
    let config = material.kept.settings();
    match authority(engine.http(), &engine.outbound().metadata, &material.provider, server, &config).await {
        Ok(authority) => Ok((authority.knowing(&material.kept.beside()), client)),
        Err(problem) => Err(Asked::trouble(problem)),
    }
}

/// RFC 7009.
async fn at_endpoint(engine: &Engine, revocation: &Revocation, material: &Material, order: &[TokenKind], ends: Ends, body: TokenBody) -> Asked {
    let (authority, client) = match grantor(engine, material).await {
        Ok(both) => both,
        Err(asked) => return asked,
    };
    let set = match material.kept.set() {
        Ok(Some(set)) => set,
        Ok(None) => return Asked::Cannot("There are no tokens that could be ended.".to_owned()),
        Err(problem) => return Asked::trouble(problem),
    };
    let (mut taken, mut gone, mut trouble, mut unsupported) = (Vec::new(), false, None, Vec::new());
    for (_, token) in set.tokens().take(if material.facts.revocation.each_token { usize::MAX } else { 1 }) {
        for kind in order {
            let secret = match kind {
                TokenKind::Refresh => token.refresh.as_ref(),
                TokenKind::Access => Some(&token.access),
            };
            let Some(secret) = secret else { continue };
            let prepared = match Prepared::revoke(engine.context(), &authority, &client, *kind, secret, body) {
                Ok(prepared) => prepared,
                // The metadata names no such endpoint.
                Err(problem) => return Asked::Cannot(problem.message),
            };
            let mask = prepared.mask();
            match judged(oauth::send(engine, prepared, revocation.id.uuid()).await) {
                Judged::Taken => taken.push(*kind),
                Judged::Gone => gone = true,
                Judged::Unsupported => unsupported.push(*kind),
                Judged::OfClient(refusal) => {
                    trouble.get_or_insert_with(|| Asked::refused(mask.problem(Problem::new(Code::ProviderRefused, of_client(material, &refusal))).message));
                }
                Judged::Trouble(asked) => {
                    let asked = match asked {
                        Asked::NotTaken { step, words, wait } => Asked::NotTaken { step, words: mask.problem(Problem::new(Code::ProviderRefused, words)).message, wait },
                        other => other,
                    };
                    trouble.get_or_insert(asked);
                }
            }
        }
    }
    let all = "The provider's revocation endpoint took it.".to_owned();
    let (some, renewable) = (!taken.is_empty(), set.main.refresh.is_some() && !taken.contains(&TokenKind::Refresh));
    match trouble {
        // The grant ends with the first of its tokens, whatever is said of the others.
        _ if some && ends != Ends::Token => Asked::Taken(all),
        // One that is not taken today is not taken tomorrow; one that could not be asked about is. What becomes of an access token is seen.
        Some(Asked::NotTaken { step: RevocationStep::Refused, .. }) if some && !renewable => Asked::Taken(all),
        Some(Asked::NotTaken { step: RevocationStep::Refused, words, .. }) if some => {
            Asked::Partly { taken: "The provider's revocation endpoint took the access token.".to_owned(), refused: format!("It did not take the refresh token. {words}") }
        }
        Some(asked) => asked,
        None if some && renewable && unsupported.contains(&TokenKind::Refresh) => Asked::Partly {
            taken: "The provider's revocation endpoint took the access token.".to_owned(),
            refused: "It takes no refresh tokens (`unsupported_token_type`).".to_owned(),
        },
        None if some => Asked::Taken(all),
        None if gone => Asked::Taken("The provider says that it had ended before.".to_owned()),
        None => Asked::refused("The provider's revocation endpoint does not take the kind of token that there is."),
    }
}

/// Whose fault it is that the provider does not take the client, and where that is mended. It is asked again by itself.
fn of_client(material: &Material, refusal: &Refusal) -> String {
    let says = refusal.description.as_deref().map(|words| format!(": {words}")).unwrap_or_default();
    let app = material.app.as_deref().unwrap_or_default();
    format!("The provider does not take client id and secret of the provider app `{app}` (`{}`{says}). Correct them there: until then nothing has ended.", bounded(&refusal.error))
}

enum Judged {
    Taken,
    Gone,
    Unsupported,
    /// It was not the client that it says it is.
    OfClient(Refusal),
    Trouble(Asked),
}

/// RFC 7009 section 2.2: success says that nothing is left of the token, whether there was something or not.
fn judged(sent: Sent) -> Judged {
    let answer = match sent {
        Sent::Answered(answer) => answer,
        Sent::Unsent(problem) | Sent::Lost(problem) => return Judged::Trouble(Asked::trouble(problem)),
    };
    if answer.status.is_success() {
        return Judged::Taken;
    }
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let word = said.get("error").and_then(Value::as_str).unwrap_or_default();
    match word {
        "unsupported_token_type" => Judged::Unsupported,
        "invalid_token" | "invalid_grant" | "token_revoked" | "token_expired" => Judged::Gone,
        "invalid_client" => {
            Judged::OfClient(Refusal { error: word.to_owned(), description: said.get("error_description").and_then(Value::as_str).map(bounded), status: answer.status.as_u16() })
        }
        _ => {
            let words = match said.get("error_description").and_then(Value::as_str) {
                Some(description) => format!("The provider answers `{}`: {}", bounded(word), bounded(description)),
                None if !word.is_empty() => format!("The provider answers `{}`.", bounded(word)),
                None => format!("The provider answers with status {}.", answer.status.as_u16()),
            };
            let status = answer.status.as_u16();
            let step = if status >= 500 || status == 429 { RevocationStep::Unreachable } else { RevocationStep::Refused };
            Judged::Trouble(Asked::NotTaken { step, words, wait: wait_of(&answer) })
        }
    }
}

fn wait_of(answer: &HttpAnswer) -> Option<Duration> {
    answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// A request of the provider's own.
async fn by_call(engine: &Engine, scope: Scope, revocation: &mut Revocation, material: &mut Material, call: &CallFacts) -> Asked {
    let mut set = match material.kept.set() {
        Ok(set) => set,
        Err(problem) => return Asked::trouble(problem),
    };
    if let Some(dead) = set.as_ref().filter(|set| carries_access(call) && !set.main.usable(engine.now()) && set.main.refresh.is_some()).cloned() {
        match renewed(engine, scope, revocation, material, dead).await {
            Ok(living) => set = Some(living),
            Err(asked) => return asked,
        }
    }
    let Some(set) = set else {
        let opened = match material.kept.entered() {
            Ok(opened) => opened,
            Err(problem) => return Asked::trouble(problem),
        };
        return one_call(engine, scope, revocation, material, call, values(material, None), opened).await;
    };
    let mut asked = Asked::refused("There is no token that could be ended.");
    for (name, token) in set.tokens().take(if material.facts.revocation.each_token { usize::MAX } else { 1 }) {
        let opened = Opened::Fresh(Box::new(TokenSet { main: token.clone(), ..set.clone() }));
        asked = one_call(engine, scope, revocation, material, call, values(material, Some((&set, name))), opened).await;
        if !matches!(asked, Asked::Taken(_)) {
            return asked;
        }
    }
    asked
}

/// Whether a request needs a living access token.
fn carries_access(call: &CallFacts) -> bool {
    let is_access = |slot: &Slot| matches!(slot, Slot::AccessToken | Slot::Token(_));
    let templates = call.headers.values().chain(call.query.values());
    let written = match &call.body {
        CallBody::Empty => false,
        CallBody::Form(form) => form.values().any(|template| template.slots().any(is_access)),
        CallBody::Json(value) => value.to_string().contains("{access_token}"),
    };
    call.authenticated || written || call.url.slots().any(is_access) || templates.flat_map(|template| template.slots()).any(is_access)
}

/// What the templates of the request can have.
fn values(material: &Material, token: Option<(&TokenSet, &str)>) -> Values {
    let mut values = material.provider.values(&material.kept.settings(), &material.kept.beside(), &std::collections::BTreeMap::new());
    if let Some(client) = &material.client {
        values.set(Slot::ClientId, client.id.clone());
        if let Some(secret) = &client.secret {
            values.set(Slot::ClientSecret, secret.expose());
        }
    }
    if let Some((set, name)) = token {
        for (other, token) in set.tokens() {
            values.set(Slot::Token(other.to_owned()), token.access.expose());
            if other == name {
                values.set(Slot::AccessToken, token.access.expose());
                if let Some(refresh) = &token.refresh {
                    values.set(Slot::RefreshToken, refresh.expose());
                }
            }
        }
        for (key, secret) in &set.kept {
            values.set(Slot::Kept(key.clone()), secret.expose());
        }
    } else if let Ok(fields) = serde_json::from_str::<serde_json::Map<String, Value>>(material.kept.plain.expose()) {
        if let Some(secret) = fields.get("secret").and_then(Value::as_str) {
            values.set(Slot::Secret, secret);
        }
        if let Some(username) = material.kept.public.get("username").and_then(Value::as_str) {
            values.set(Slot::Username, username);
        }
    }
    values
}

async fn one_call(engine: &Engine, scope: Scope, revocation: &Revocation, material: &Material, call: &CallFacts, values: Values, opened: Opened) -> Asked {
    // Client secrets and tokens follow the address, so it may lead nowhere else than the manifest allows.
    if let Some(server) = &material.facts.server
        && let Err(problem) = material.provider.endpoint(server, &call.url, &values)
    {
        return Asked::Cannot(problem.message);
    }
    let mut request = match material.provider.request(call, None, &values) {
        Ok(request) => request,
        Err(problem) => return Asked::Cannot(problem.message),
    };
    if call.as_client {
        let Some(OAuthClient { id, secret: Some(secret) }) = &material.client else {
            return Asked::Cannot("The provider takes it from the provider app alone, of which the client secret is gone.".to_owned());
        };
        let both = Secret::new(format!("{id}:{}", secret.expose()));
        request = request.header("authorization", &format!("Basic {}", STANDARD.encode(both.expose())));
    }
    // Ending what has ended ends nothing.
    request.idempotent = true;
    let answer = match sent(engine, scope, revocation, material, opened, request).await {
        Ok(answer) => answer,
        Err(problem) => return Asked::trouble(problem),
    };
    match (answer.status, material.provider.answer(call, &answer, "revocation")) {
        (_, Ok(_)) => Asked::Taken("The provider took the request to end it.".to_owned()),
        // It does not know what was to be ended, or refuses it as no longer good.
        (401 | 404 | 410, Err(_)) => Asked::Taken(format!("The provider knows nothing more of it (status {}).", answer.status)),
        (429 | 500.., Err(problem)) => Asked::NotTaken { step: RevocationStep::Unreachable, words: problem.message, wait: None },
        (_, Err(problem)) => Asked::refused(problem.message),
    }
}

async fn sent(engine: &Engine, scope: Scope, revocation: &Revocation, material: &Material, opened: Opened, request: ProviderRequest) -> Result<ProviderResponse, Problem> {
    let mut drive = Drive {
        engine,
        scope,
        integration: revocation.integration_id,
        operation: REVOKE,
        provider: std::sync::Arc::clone(&material.provider),
        word: material.kept.word.clone(),
        settings: material.kept.settings(),
        kept: material.kept.beside(),
        located: std::collections::BTreeMap::new(),
        opened,
        minted: None,
        covers: Vec::new(),
        recorder: None,
        state: DriveState::begin(),
    };
    let outcome = drive.run(Step::send(request, |response| Ok(Step::Done(response)))).await;
    outcome.map_err(|problem| drive.covered(problem))
}

/// A living access token in place of one that has ended, so that something can be asked with it.
async fn renewed(engine: &Engine, scope: Scope, revocation: &mut Revocation, material: &mut Material, set: TokenSet) -> Result<TokenSet, Asked> {
    let (authority, client) = grantor(engine, material).await?;
    let Some(refresh) = set.main.refresh.clone() else { return Ok(set) };
    let prepared = Prepared::refresh(engine.context(), &authority, &client, &refresh, material.kept.redirect_uri()).map_err(Asked::trouble)?;
    let answer = oauth::send(engine, prepared, engine.context().new_uuid()).await.answer().map_err(Asked::trouble)?;
    match oauth::read(&authority.server, answer.status.as_u16(), &answer.headers, &answer.body, engine.now()) {
        Answer::Granted(new) => {
            let set = set.renewed(MAIN, *new);
            material.kept.plain = set.to_secret().map_err(Asked::trouble)?;
            let plain = material.kept.to_secret().map_err(Asked::trouble)?;
            keep(engine, scope, revocation, &plain).await.map_err(Asked::trouble)?;
            revocation.proof.alive_until = super::kept::end_of(&set);
            revocation.proof.note(engine.now(), RevocationStep::Renewed, "The access token had ended and was renewed once more, to end all of it.");
            Ok(set)
        }
        Answer::Refused(refusal) if refusal.status < 500 => {
            Err(Asked::Taken(format!("The provider does not renew the access any more (`{}`): it had ended before.", bounded(&refusal.error))))
        }
        _ => Err(Asked::NotTaken { step: RevocationStep::Unreachable, words: "The provider's token endpoint is out of order.".to_owned(), wait: wait_of(&answer) }),
    }
}

/// What is said of it before anybody is asked to end it, where what is said afterwards is to prove the end: a server says of a token that
/// it would not tell this client about that it is not active, too (RFC 7662 section 2.2). Nothing where it works as far as is known
/// already, or does not.
pub(super) async fn before(engine: &Engine, revocation: &Revocation, material: &Material) -> Option<String> {
    if material.facts.revocation.proof != Proof::Introspection || said_active(revocation) {
        return None;
    }
    let (authority, client) = grantor(engine, material).await.ok()?;
    let set = material.kept.set().ok()??;
    for (kind, token) in each_of(&set) {
        if oauth::introspect(engine, &authority, &client, kind, token).await == Some(true) {
            return Some(format!("The provider says of the {} that it is active.", noun(kind)));
        }
    }
    None
}

fn said_active(revocation: &Revocation) -> bool {
    revocation.proof.events.iter().any(|event| event.step == RevocationStep::Active)
}

/// The tokens about which a server can be asked, the one that lives longer first.
fn each_of(set: &TokenSet) -> impl Iterator<Item = (TokenKind, &Secret)> {
    set.main.refresh.iter().map(|token| (TokenKind::Refresh, token)).chain([(TokenKind::Access, &set.main.access)])
}

const fn noun(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Refresh => "refresh token",
        TokenKind::Access => "access token",
    }
}

/// Asks whether it has ended.
pub(super) async fn evidence(engine: &Engine, scope: Scope, revocation: &Revocation, material: &Material) -> Evidence {
    match material.facts.revocation.proof {
        Proof::Nothing => Evidence::Nothing,
        Proof::Introspection => introspected(engine, revocation, material).await,
        Proof::Probe => match probed(engine, scope, revocation, material).await {
            Evidence::Dead(words) if refresh_may_live(revocation, material) => Evidence::Half(words),
            other => other,
        },
    }
}

/// Whether the end of the access token says nothing of the refresh token beside it.
fn refresh_may_live(revocation: &Revocation, material: &Material) -> bool {
    let has_one = material.kept.set().ok().flatten().is_some_and(|set| set.main.refresh.is_some());
    let partly = || {
        revocation.proof.events.iter().rfind(|event| matches!(event.step, RevocationStep::Taken | RevocationStep::Partly)).is_some_and(|event| event.step == RevocationStep::Partly)
    };
    has_one && (material.facts.spares_refresh() || partly())
}

/// RFC 7662 section 2.2.
async fn introspected(engine: &Engine, revocation: &Revocation, material: &Material) -> Evidence {
    let unknown = |asked| match asked {
        Asked::NotTaken { words, .. } | Asked::Cannot(words) | Asked::Taken(words) | Asked::Partly { refused: words, .. } => Evidence::Unknown(words),
    };
    let (authority, client) = match grantor(engine, material).await {
        Ok(both) => both,
        Err(asked) => return unknown(asked),
    };
    let Ok(Some(set)) = material.kept.set() else { return Evidence::Nothing };
    for (kind, token) in each_of(&set) {
        let prepared = match Prepared::introspect(engine.context(), &authority, &client, kind, token) {
            Ok(prepared) => prepared,
            Err(_) => return Evidence::Nothing,
        };
        let answer = match oauth::send(engine, prepared, revocation.id.uuid()).await.answer() {
            Ok(answer) => answer,
            Err(problem) => return Evidence::Unknown(problem.message),
        };
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match said.get("active").and_then(Value::as_bool) {
            Some(false) => {}
            Some(true) => return Evidence::Answered(format!("The provider says that the {} is active.", noun(kind))),
            None => return Evidence::Unknown(format!("The provider does not say whether the {} is active (status {}).", noun(kind), answer.status.as_u16())),
        }
    }
    if said_active(revocation) {
        Evidence::Dead("The provider says now that nothing of it is active.".to_owned())
    } else {
        Evidence::Unproven("The provider says that nothing of it is active, and said no other before it was asked to end it, so that this proves nothing.".to_owned())
    }
}

async fn probed(engine: &Engine, scope: Scope, revocation: &Revocation, material: &Material) -> Evidence {
    let opened = match material.kept.set() {
        Ok(Some(set)) => Opened::Fresh(Box::new(set)),
        Ok(None) => match material.kept.entered() {
            Ok(opened) => opened,
            Err(_) => return Evidence::Nothing,
        },
        Err(_) => return Evidence::Nothing,
    };
    if !material.provider.probes() {
        return Evidence::Nothing;
    }
    let word = material.kept.word.as_deref();
    let settings = material.kept.settings();
    let proof = prove(engine, scope, revocation.integration_id, &material.provider, &settings, &material.kept.beside(), word, opened).await;
    let over = revocation.proof.alive_until.is_some_and(|end| end <= engine.now());
    match proof.outcome {
        Ok(_) => Evidence::Answered("The provider still answers the access token.".to_owned()),
        Err(problem) if refuses(material, proof.status, &problem) => Evidence::Dead(if over {
            "The provider refuses the access token, whose own time is over too.".to_owned()
        } else {
            "The provider refuses the access token before its time.".to_owned()
        }),
        Err(problem) => Evidence::Unknown(problem.message),
    }
}

/// Whether a probe failed because the credential is refused: by its status, or by the words that the manifest knows.
fn refuses(material: &Material, status: IntegrationStatus, problem: &Problem) -> bool {
    let way = material.kept.word.as_deref().and_then(|word| material.provider.way(word)).and_then(|way| way.probe.as_ref());
    let by_words = way.or(material.provider.manifest().probe.as_ref()).is_some_and(|probe| !probe.refused.is_empty());
    status == IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused } || (by_words && problem.code == Code::ProviderRefused)
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    use super::*;

    fn told(status: u16, body: &'static str) -> &'static str {
        let answer = HttpAnswer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: body.into() };
        match judged(Sent::Answered(answer)) {
            Judged::Taken => "taken",
            Judged::Gone => "gone",
            Judged::Unsupported => "unsupported",
            Judged::Trouble(Asked::NotTaken { step: RevocationStep::Unreachable, .. }) => "later",
            Judged::OfClient(_) | Judged::Trouble(_) => "refused",
        }
    }

    #[test]
    fn answers_of_a_revocation_endpoint() {
        assert_eq!(told(200, ""), "taken");
        assert_eq!(told(204, ""), "taken");
        assert_eq!(told(400, r#"{"error":"unsupported_token_type"}"#), "unsupported");
        assert_eq!(told(400, r#"{"error":"invalid_token"}"#), "gone");
        assert_eq!(told(401, r#"{"error":"invalid_client"}"#), "refused");
        assert_eq!(told(404, "<html>"), "refused");
        assert_eq!(told(429, ""), "later");
        assert_eq!(told(503, "come back"), "later");
    }
}
