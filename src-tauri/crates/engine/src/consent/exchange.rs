//! Exchanges a code for tokens, proves them, and makes the integration work, in one transaction at the end.

use patchbay_model::change::ChangeKind;
use patchbay_model::consent::{ConnectLeg, ConnectSession, ConnectState, ConsentRoute};
use patchbay_model::credential::{Credential, CredentialKind, CredentialOwner, SealedAt};
use patchbay_model::deadline::{Clock, ClockKind, ClockOwner};
use patchbay_model::flight::{NewStep, StepDetail, StepKind};
use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus};
use patchbay_model::revocation::RevocationReason;
use patchbay_model::{Code, CredentialId, Fullname, Name, Operation, Problem, Scope, Secret, Timestamp};
use patchbay_providers::manifest::{At, Cause};
use patchbay_providers::{CHOSEN, Provider, Server};
use patchbay_store::{PROVIDER_APP_KEY, SecretWriteTx};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::callback::Callback;
use super::choice;
use super::client::client_of;
use super::explain::Trouble;
use super::finish::{self, Taken, origin_of};
use super::flight::{self, Trail};
use super::leg::{self, LegSecrets};
use super::signed;
use super::{KEPT_KEY, LOCATED_KEY, REDIRECT_KEY, receipt};
use crate::audit::record::{Done, record_for};
use crate::call::opened::Opened;
use crate::call::{ProbeOutcome, Proof, located, prove, sealed, settings_of};
use crate::contention::again;
use crate::oauth::{self, Answer, Authority, MAIN, NewTokens, OAuthClient, Prepared, Refusal, TokenSet, authority};
use crate::revocation::{self, Fate, Taking};
use crate::{CallerInfo, Engine, connect_link, definition, refresh, sealing};

/// A consent that has come to its end.
pub(super) struct Finished {
    pub(super) session: ConnectSession,
}

/// What is needed for the exchange, read in one transaction.
pub(super) struct Material {
    provider: Arc<Provider>,
    /// `type` of the credential that the consent is for.
    word: String,
    app_name: String,
    pub(super) client: OAuthClient,
    /// Of a consent of which a person chooses: what its exchange brought.
    pub(super) verifier: Option<Secret>,
    pub(super) device_code: Option<Secret>,
    integration: Integration,
}

/// From the code to a working integration.
///
/// # Errors
/// What the session is to be ended with. Nothing was stored then.
pub(super) async fn run(engine: &Engine, scope: Scope, caller: &CallerInfo, taken: &Taken, trail: &mut Trail) -> Result<Finished, Problem> {
    let (session, callback) = (&taken.session, &taken.callback);
    let material = gather(engine, scope, session, taken.leg.as_ref()).await?;
    let server = material.server()?;
    let authority = match material.authority(engine).await {
        // The provider's own error says more than that its metadata cannot be read just now.
        Err(_) if callback.error.is_some() => {
            finish::check_issuer(session, None, callback)?;
            trail.trouble = trouble(callback);
            let error = finish::code(session, &material.provider, server, callback).err();
            return Err(error.unwrap_or_else(|| Problem::internal("an error of the provider was read as none")));
        }
        authority => authority?,
    };
    finish::check_issuer(session, Some(&authority), callback)?;
    signed::check(&authority, &material.client, callback)?;
    trail.trouble = trouble(callback);
    let code = finish::code(session, &material.provider, server, callback)?;
    let brought = callback.kept(&server.callback.keep)?;
    let new = exchange(engine, caller, &material, &authority.knowing(&brought), taken, code, trail).await?;
    // What the provider says to us itself counts before what a browser brought.
    let new = NewTokens { kept: brought.into_iter().chain(new.kept).collect(), ..new };
    established(engine, scope, caller, session, &material, new, (taken.leg.as_ref(), trail)).await
}

/// From tokens to a working integration.
///
/// # Errors
/// As [`run`].
pub(super) async fn established(
    engine: &Engine,
    scope: Scope,
    caller: &CallerInfo,
    session: &ConnectSession,
    material: &Material,
    new: NewTokens,
    trail: (Option<&ConnectLeg>, &mut Trail),
) -> Result<Finished, Problem> {
    let kept = new.kept.clone();
    for finding in &new.findings {
        tracing::warn!(integration = %session.integration_id, %finding, "a token answer is odd");
    }
    let set = new.into_set().ok_or_else(|| Problem::internal("an answer was read as tokens and has none"))?;
    // However often it is renewed, it ends so long after the consent.
    let set = set.ending(material.server()?.lifetime.absolute_seconds.map(|seconds| engine.now().plus(std::time::Duration::from_secs(seconds))));
    proved(engine, scope, caller, session, material, set, kept, trail).await
}

/// From a set of tokens to a working integration, or to the question for which of several places it shall be.
///
/// # Errors
/// As [`run`].
#[expect(clippy::too_many_arguments, reason = "each is a part of what is stored together")]
pub(super) async fn proved(
    engine: &Engine,
    scope: Scope,
    caller: &CallerInfo,
    session: &ConnectSession,
    material: &Material,
    set: TokenSet,
    mut kept: BTreeMap<String, String>,
    (leg, trail): (Option<&ConnectLeg>, &mut Trail),
) -> Result<Finished, Problem> {
    let settings = settings_of(&material.integration.config);
    let opened = Opened::Fresh(Box::new(set.clone()));
    let proof = prove(engine, scope, material.integration.id, &material.provider, &settings, &kept, Some(&material.word), opened).await;
    match proof.places.as_slice() {
        [] => {}
        // The only one is the chosen one, also when others come later.
        [only] => drop(kept.insert(CHOSEN.to_owned(), only.id.clone())),
        places => return choice::ask(engine, scope, caller, session, (&set, &kept), places, (leg, trail)).await,
    }
    proven(&proof, leg, engine.now(), trail);
    if let (Err(problem), IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused }) = (&proof.outcome, proof.status) {
        return Err(Problem::new(
            Code::ProviderRefused,
            format!(
                "The provider gave a token and refuses it at once. Check that the scopes of provider app `{}` allow what the integration needs. {}",
                material.app_name, problem.message
            ),
        ));
    }
    let public = |public: &mut serde_json::Map<String, Value>| {
        if let Some(app) = session.provider_app_id {
            public.insert(PROVIDER_APP_KEY.to_owned(), app.to_string().into());
        }
        if session.route == ConsentRoute::Device {
            public.remove(REDIRECT_KEY);
        } else {
            public.insert(REDIRECT_KEY.to_owned(), session.redirect_uri.as_str().into());
        }
        match &proof.located {
            Some(found) => public.insert(LOCATED_KEY.to_owned(), located(found, &settings)),
            None => public.remove(LOCATED_KEY),
        };
        if kept.is_empty() {
            public.remove(KEPT_KEY);
        } else {
            public.insert(KEPT_KEY.to_owned(), json!(kept));
        }
        if let Some(scope) = &set.main.scope {
            public.insert("scope".to_owned(), scope.as_str().into());
        }
    };
    let granted = receipt::granted(set.main.scope.as_deref(), &session.scopes, &material.server()?.scopes.separator);
    let clocks = refresh::ahead::clocks(engine.context(), material.server()?, &set, true);
    // The code is used up and the tokens are here: they are stored, whoever comes between.
    Ok(again!(engine, {
        store(engine, scope, caller, session, (&set, &clocks), (&material.word, &public), granted.clone(), &proof.outcome, proof.status, (leg, &trail.steps)).await
    }))
}

/// What an answer says that went wrong.
fn trouble(callback: &Callback) -> Option<(At, Trouble)> {
    let error = callback.error.clone()?;
    Some((At::Callback, Trouble { code: Some(error), words: callback.error_description.clone(), ..Trouble::default() }))
}

/// What the proof of the tokens found. Whose they are is no business of the recorder.
fn proven(proof: &Proof, leg: Option<&ConnectLeg>, now: Timestamp, trail: &mut Trail) {
    if let Some(base) = proof.located.as_ref().and_then(|located| located.base_url.as_ref()) {
        trail.add(StepKind::Located, leg, now, flight::at(base, None));
    }
    let detail = match &proof.outcome {
        Ok(_) => StepDetail { words: Some("The provider answers with the new tokens.".to_owned()), ..StepDetail::default() },
        Err(problem) => flight::failed(problem),
    };
    trail.add(StepKind::Probe, leg, now, detail);
}

/// Reads it.
///
/// # Errors
/// When something of it is gone.
pub(super) async fn gather(engine: &Engine, scope: Scope, session: &ConnectSession, leg: Option<&ConnectLeg>) -> Result<Material, Problem> {
    let mut tx = engine.store().read_secrets(scope).await?;
    engine.can_seal(&mut tx).await?;
    let integration = tx.integration(session.integration_id).await?.ok_or_else(|| Problem::not_found("integration", session.integration_id))?;
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let provider = engine.provider_of(&definition).ok_or_else(|| Problem::internal("the provider of an integration is not in the catalog"))?;
    let word = integration.config.pointer("/credential/type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let app = match session.provider_app_id {
        Some(app) => tx.provider_app(app).await?,
        None => None,
    };
    let app = app.ok_or_else(leg::app_gone)?;
    let client = client_of(engine, &mut tx, &app).await?;
    let secrets = match leg {
        Some(leg) => match tx.secrets().sealed_connect_leg(leg.id).await? {
            Some(envelope) => Some(LegSecrets::from_secret(&engine.open_sealed_in(&mut tx, &sealing::leg_place(leg), &envelope).await?)?),
            None => None,
        },
        None => None,
    };
    let (verifier, device_code) = match (leg, secrets) {
        (_, Some(secrets)) => (secrets.verifier, secrets.device_code),
        (Some(_), None) => (None, None),
        (None, None) => match tx.secrets().sealed_connect_verifier(session.id).await? {
            Some(envelope) => (Some(engine.open_sealed_in(&mut tx, &sealing::verifier_place(session), &envelope).await?), None),
            None => (None, None),
        },
    };
    Ok(Material { provider, word, app_name: app.name.to_string(), client, verifier, device_code, integration })
}

impl Material {
    /// The server as this integration meets it.
    pub(super) async fn authority(&self, engine: &Engine) -> Result<Authority, Problem> {
        let config = self.integration.config.as_object().cloned().unwrap_or_default();
        authority(engine.http(), &engine.outbound().metadata, &self.provider, self.server()?, &config).await
    }

    /// The server at which the person consented.
    fn server(&self) -> Result<&Server, Problem> {
        self.provider.consent(&self.word).ok_or_else(|| Problem::internal("a consent belongs to a credential without an authorization server"))
    }
}

/// Tokens for a code.
async fn exchange(engine: &Engine, caller: &CallerInfo, material: &Material, authority: &Authority, taken: &Taken, code: &str, trail: &mut Trail) -> Result<NewTokens, Problem> {
    let (session, leg) = (&taken.session, taken.leg.as_ref());
    let code = Secret::new(code);
    let prepared = Prepared::code(engine.context(), authority, &material.client, &code, &session.redirect_uri, material.verifier.as_ref())?;
    // A provider may quote what it was sent.
    let mask = prepared.mask();
    // By itself, so that a code that was sent is known as sent whatever becomes of this process.
    flight::note(engine, session, caller.origin, flight::step(StepKind::Exchange, leg, engine.now(), flight::at(prepared.url(), None))).await;
    let answer = oauth::send(engine, prepared, session.id.uuid()).await.answer().inspect_err(|problem| trail.add(StepKind::Answer, leg, engine.now(), flight::failed(problem)))?;
    let (status, now) = (answer.status.as_u16(), engine.now());
    let said = StepDetail { status: Some(status), ..StepDetail::default() };
    let read = oauth::read(&authority.server, status, &answer.headers, &answer.body, now);
    match &read {
        Answer::Granted(new) => {
            let scopes = new.tokens.get(MAIN).and_then(|token| token.scope.as_deref()).map(|scope| receipt::granted(Some(scope), &[], &authority.server.scopes.separator));
            let odd = new.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            trail.add(StepKind::Answer, leg, now, StepDetail { scopes, words: Some(odd), ..said });
        }
        Answer::Refused(refusal) => {
            let covered = |text: &String| mask.text(text).into_owned();
            let (error, words) = (covered(&refusal.error), refusal.description.as_ref().map(covered));
            trail.add(StepKind::Answer, leg, now, StepDetail { error: Some(error.clone()), words: words.clone(), ..said });
            trail.trouble = Some((At::Token, Trouble { code: Some(error), words, status: Some(status), ..Trouble::default() }));
        }
        Answer::Nonsense => trail.add(StepKind::Answer, leg, now, StepDetail { words: Some("Neither tokens nor an error.".to_owned()), ..said }),
    }
    match read {
        Answer::Granted(new) => Ok(*new),
        Answer::Refused(refusal) => {
            if let Some(issuer) = &authority.issuer {
                engine.outbound().metadata.forget(issuer);
            }
            Err(mask.problem(refused(material, session, &refusal)))
        }
        Answer::Nonsense => Err(Problem::new(
            Code::ProviderInvalidAnswer,
            format!("The provider's token endpoint answers with something that is neither tokens nor an error (status {status}). Check the issuer or the provider's address."),
        )),
    }
}

/// Which setting to change, out of the provider's error (RFC 6749 section 5.2).
fn refused(material: &Material, session: &ConnectSession, refusal: &Refusal) -> Problem {
    let words = refusal.description.as_deref().map(|words| format!(" The provider says: `{words}`.")).unwrap_or_default();
    let about_redirect = refusal.description.as_deref().is_some_and(|words| words.to_ascii_lowercase().contains("redirect"));
    let (cause, own) = oauth::cause(&material.provider, refusal);
    let step = match cause {
        Cause::WrongSecret | Cause::UnknownClient => {
            format!("The provider does not accept the client id or client secret of provider app `{}`. Correct them there.", material.app_name)
        }
        _ if cause == Cause::RedirectMismatch || about_redirect => {
            format!("The redirect URI is not the one that the provider expects. Register exactly {} at the provider.", session.redirect_uri)
        }
        Cause::TokenSpent | Cause::GrantEnded => {
            "The provider does not accept the code: it was used before, is too old, or was given to another client. Begin the consent again.".to_owned()
        }
        Cause::ScopeUnknown | Cause::ScopeNotAllowed => format!("The provider does not give one of the scopes. Correct the scopes of provider app `{}`.", material.app_name),
        _ if refusal.error == "unsupported_grant_type" => "The client may not use the authorization code grant. Allow it for the client at the provider.".to_owned(),
        _ => own.map_or_else(|| format!("The provider refuses the exchange of the code with `{}`.", refusal.error), str::to_owned),
    };
    let mut problem = Problem::new(Code::ProviderRefused, format!("{step}{words}"));
    problem.context.raw_error = Some(refusal.description.as_ref().map_or(refusal.error.clone(), |words| format!("{}: {words}", refusal.error)));
    problem.context.provider_details.insert("status".to_owned(), refusal.status.into());
    problem
}

/// Tokens, credential, configuration, status and session: all of it, or nothing.
#[expect(clippy::too_many_arguments, reason = "each is a part of what is stored together")]
async fn store(
    engine: &Engine,
    scope: Scope,
    caller: &CallerInfo,
    session: &ConnectSession,
    (set, clocks): (&TokenSet, &[Clock]),
    (word, public): (&str, &(impl Fn(&mut serde_json::Map<String, Value>) + Sync)),
    granted: Vec<String>,
    outcome: &Result<ProbeOutcome, Problem>,
    status: IntegrationStatus,
    (leg, trail): (Option<&ConnectLeg>, &[NewStep]),
) -> Result<Finished, Problem> {
    let now = engine.now();
    let mut tx = engine.store().write_secrets(scope, origin_of(session.route, caller)).await?;
    let mut integration = tx.integration(session.integration_id).await?.ok_or_else(|| Problem::not_found("integration", session.integration_id))?;
    let known = match integration.config.pointer("/credential/value").and_then(Value::as_str).and_then(|id| id.parse::<CredentialId>().ok()) {
        Some(id) => tx.credential(id).await?,
        None => None,
    };
    let own = CredentialOwner::Integration(integration.account_id, integration.id);
    let known = known.filter(|credential| credential.owner == own && credential.kind == CredentialKind::OAuthUser);
    let fresh = known.is_none();
    if let Some(before) = &known {
        replaced(engine, &mut tx, &integration, before, set).await?;
    }
    let mut credential = match known {
        Some(credential) => credential,
        None => new_credential(engine, &integration)?,
    };
    public(&mut credential.public_config);
    credential.sealed_at = SealedAt::Integration(integration.id);
    credential.expires = Some(set.main.expires);
    credential.secret_set_at = Some(now);
    credential.updated_at = now;
    let envelope = sealed::seal(engine, &mut tx, &credential, &set.to_secret()?).await?;
    tx.set_sealed_integration(integration.id, Some(&envelope)).await?;
    if fresh {
        tx.insert_credential(&credential).await?;
        if let Some(config) = integration.config.as_object_mut() {
            let word = word.strip_suffix("_id").unwrap_or(word);
            config.insert("credential".to_owned(), json!({ "type": format!("{word}_id"), "value": credential.id.to_string() }));
        }
    } else {
        tx.update_credential(&credential).await?;
    }
    tx.set_clocks(ClockOwner::Credential(credential.id), clocks).await?;
    // An administrator's pause outlasts a consent that was under way.
    if integration.status != IntegrationStatus::Paused {
        integration = integration.into_status(status, now);
    }
    if outcome.is_ok() {
        integration.last_connected_at = Some(now);
    }
    integration.updated_at = now;
    tx.update_integration(&integration).await?;
    let until = clocks.iter().filter(|clock| clock.kind == ClockKind::RefreshAbsolute).map(|clock| clock.at).min();
    receipt::write(engine, &mut tx, caller, session, &integration, (granted, until), outcome.as_ref().ok()).await?;
    connect_link::act::completed(&mut tx, session, &integration.provider, now).await?;
    let message = match outcome {
        Ok(ProbeOutcome { name: Some(name), .. } | ProbeOutcome { name: None, id: Some(name), .. }) => format!("Authorized by {}.", oauth::bounded(name)),
        Ok(ProbeOutcome { name: None, id: None, .. }) => "Authorized.".to_owned(),
        Err(problem) => format!("Authorized, but the connection could not be tested: {}", problem.message),
    };
    if !tx.end_connect_session(session.id, ConnectState::Completed, Some(&message), now).await? {
        return Err(Problem::new(Code::ConsentReplayed, "This consent ended while its answer was being checked. Begin the consent again."));
    }
    let words = if outcome.is_ok() { "Authorized, and the connection works." } else { "Authorized; the connection could not be tested." };
    let ended = flight::step(StepKind::Ended, leg, now, StepDetail { words: Some(words.to_owned()), ..StepDetail::default() });
    flight::write(&mut tx, session, trail.iter().cloned().chain([ended]).collect()).await?;
    let done = Done::changed(Operation::ConnectFinish)
        .in_account(integration.account_id)
        .on_integration(integration.id)
        .object(ChangeKind::ConnectSession, session.id.uuid())
        .giving(session.id, integration.name.as_str());
    record_for(engine, &mut tx, session.organization_id, Some(session.member_id), caller, done).await?;
    let session = tx.connect_session(session.id).await?.ok_or_else(|| Problem::not_found("connect session", session.id))?;
    tx.commit().await?;
    Ok(Finished { session })
}

/// The tokens that others take the place of. Where the provider ends single consents, they are ended there; where it ends all that the
/// person granted to the app, or nobody has verified what it ends, that could end the new ones too. The journal says which it is.
async fn replaced(engine: &Engine, tx: &mut SecretWriteTx, integration: &Integration, credential: &Credential, now: &TokenSet) -> Result<(), Problem> {
    let Some((plain, before)) = refresh::in_force(engine, tx, credential).await? else { return Ok(()) };
    let definition = definition::pinned(engine, tx, integration.definition).await?;
    let word = integration.config.pointer("/credential/type").and_then(Value::as_str);
    let fate = engine.provider_of(&definition).map_or(Fate::Unverified, |provider| Fate::of(&provider, word, &before, now));
    refresh::replace(engine, tx, credential, (&before, now), fate.words()).await?;
    if fate == Fate::Ended {
        let receipt = tx.receipts_of_integration(integration.id).await?.pop().map(|receipt| receipt.id);
        revocation::begin(engine, tx, Taking { integration, credential, plain: Some(plain), reason: RevocationReason::Replaced, receipt }).await?;
    }
    Ok(())
}

pub(super) fn new_credential(engine: &Engine, integration: &Integration) -> Result<Credential, Problem> {
    let now = engine.now();
    let id = CredentialId::from_uuid(engine.context().new_uuid());
    Ok(Credential {
        id,
        organization_id: integration.organization_id,
        owner: CredentialOwner::Integration(integration.account_id, integration.id),
        name: Name::from_stored(format!("consent-{id}")),
        fullname: Fullname::parse(&format!("Consent of {}", integration.name))?,
        kind: CredentialKind::OAuthUser,
        public_config: serde_json::Map::new(),
        sealed_at: SealedAt::Nowhere,
        expires: None,
        managed: true,
        secret_set_at: None,
        created_at: now,
        updated_at: now,
    })
}
