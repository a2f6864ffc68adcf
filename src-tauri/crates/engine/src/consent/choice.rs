//! A consent that gives access to several places, such as organizations or accounts of a person: the person is asked for which one it
//! shall be, before anything of it is used. What the exchange brought lies sealed with the session until then, so that a process may die
//! meanwhile; what nobody chooses is taken back at the provider.

use std::collections::BTreeMap;
use std::time::Duration;

use patchbay_model::change::ChangeKind;
use patchbay_model::consent::{ConnectLeg, ConnectSession, ConnectState, Place};
use patchbay_model::credential::SealedAt;
use patchbay_model::flight::{StepDetail, StepKind};
use patchbay_model::revocation::RevocationReason;
use patchbay_model::{Code, ConnectSessionId, CredentialId, Operation, Problem, Scope, Secret};
use patchbay_providers::CHOSEN;
use patchbay_store::{PROVIDER_APP_KEY, SecretWriteTx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::begin::word;
use super::exchange::{self, Finished, Material};
use super::finish::{self, origin_of};
use super::flight::{self, Trail};
use super::{KEPT_KEY, reachable};
use crate::audit::record::{Done, record_for};
use crate::background::surely;
use crate::contention::again;
use crate::oauth::TokenSet;
use crate::revocation::{self, Fate, Taking};
use crate::{CallerInfo, Engine, ManagementGrant, definition, refresh, sealing};

/// How long a choice is waited for: shorter than most access tokens live.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// What an exchange brought, as it lies sealed while a person chooses.
#[derive(Deserialize, Serialize)]
struct Brought {
    /// The set, as it would be sealed with a credential.
    set: String,
    /// What came beside it and may be shown.
    kept: BTreeMap<String, String>,
}

impl Brought {
    fn read(plain: &Secret) -> Result<(TokenSet, BTreeMap<String, String>), Problem> {
        // The parser's own words could quote the value.
        let other = || Problem::internal("what a consent brought has another form than Patchbay writes");
        let brought: Self = serde_json::from_str(plain.expose()).map_err(|_| other())?;
        Ok((TokenSet::from_secret(&Secret::new(brought.set))?, brought.kept))
    }

    fn written(set: &TokenSet, kept: &BTreeMap<String, String>) -> Result<Secret, Problem> {
        let brought = Self { set: set.to_secret()?.expose().to_owned(), kept: kept.clone() };
        serde_json::to_string(&brought).map(Secret::new).map_err(|_| Problem::internal("what a consent brought could not be written"))
    }
}

/// Keeps what an exchange brought until a person has chosen among these places.
pub(super) async fn ask(
    engine: &Engine,
    scope: Scope,
    caller: &CallerInfo,
    session: &ConnectSession,
    (set, kept): (&TokenSet, &BTreeMap<String, String>),
    places: &[Place],
    (leg, trail): (Option<&ConnectLeg>, &Trail),
) -> Result<Finished, Problem> {
    let plain = Brought::written(set, kept)?;
    Ok(again!(engine, {
        let mut tx = engine.store().write_secrets(scope, origin_of(session.route, caller)).await?;
        let now = engine.now();
        let envelope = engine.seal(&mut tx, &sealing::verifier_place(session), &plain).await?;
        let until = surely(engine, &mut tx).await?.plus(PATIENCE);
        if !tx.await_choice(session, places, &envelope, until, now).await? {
            return Err(Problem::new(Code::ConsentReplayed, "This consent ended while its answer was being checked. Begin the consent again."));
        }
        let words = format!("The consent gives access to {} places; a person chooses one.", places.len());
        let step = flight::step(StepKind::Located, leg, now, StepDetail { words: Some(words), ..StepDetail::default() });
        flight::write(&mut tx, session, trail.steps.iter().cloned().chain([step]).collect()).await?;
        let done = Done::changed(Operation::ConnectFinish)
            .in_account(session.account_id)
            .on_integration(session.integration_id)
            .object(ChangeKind::ConnectSession, session.id.uuid())
            .giving(session.id, "");
        record_for(engine, &mut tx, session.organization_id, Some(session.member_id), caller, done).await?;
        let session = tx.connect_session(session.id).await?.ok_or_else(|| Problem::not_found("connect session", session.id))?;
        tx.commit().await?;
        Ok(Finished { session })
    }))
}

/// Finishes a consent with one of the places that its answer gave access to.
///
/// # Errors
/// `invalid_field` for a place that was not offered; `consent_replayed` when nothing is to be chosen (any more), `consent_expired` when it
/// is too late; those of the end of a consent.
pub async fn choose(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId, place: &str) -> Result<ConnectSession, Problem> {
    let mut tx = engine.store().read(grant.scope()).await?;
    let session = reachable(&mut tx, grant, Operation::ConnectChoose, session).await?;
    if session.state != ConnectState::Choosing {
        return Err(finish::over(&session));
    }
    let now = surely(engine, &mut tx).await?;
    drop(tx);
    let scope = Scope::Account(session.organization_id, session.account_id);
    if session.expires <= now {
        let late = finish::late();
        again!(engine, {
            let mut tx = engine.store().write_secrets(scope, grant.caller().origin).await?;
            abandon(engine, &mut tx, &session, ConnectState::Failed { code: late.code }, &late.message).await?;
            tx.commit().await?;
            Ok(())
        });
        return Err(late);
    }
    if !session.places.iter().any(|offered| offered.id == place) {
        let problem = Problem::new(Code::InvalidField, "This place was not offered by the provider for this consent. Choose one of those that it lists.");
        return Err(problem.at_body("/place"));
    }
    // In a task of its own, as the end of every consent: whoever waits may go away.
    let (engine, caller, place) = (engine.clone(), grant.caller().clone(), place.to_owned());
    let task = tokio::spawn(async move {
        let _held = engine.hold();
        chosen(&engine, scope, &caller, &session, &place).await
    });
    task.await.map_err(|_| Problem::internal("the end of a consent was interrupted"))?
}

async fn chosen(engine: &Engine, scope: Scope, caller: &CallerInfo, session: &ConnectSession, place: &str) -> Result<ConnectSession, Problem> {
    let mut material = exchange::gather(engine, scope, session, None).await?;
    // Another was quicker: there is nothing sealed any more.
    let Some(plain) = material.brought() else {
        return Err(Problem::new(Code::ConsentReplayed, "The choice was made already."));
    };
    let (set, mut kept) = Brought::read(&plain)?;
    kept.insert(CHOSEN.to_owned(), place.to_owned());
    let mut trail = Trail::default();
    match exchange::proved(engine, scope, caller, session, &material, set, kept, (None, &mut trail)).await {
        Ok(Finished { session }) => Ok(session),
        Err(problem) => {
            // What the provider refuses at once is of no use; everything else can be tried again until the time is over.
            if problem.code == Code::ProviderRefused {
                finish::failed(engine, scope, caller, (session, None), &trail, &problem).await?;
            }
            Err(problem)
        }
    }
}

/// Ends a consent of which nobody has chosen, or will: what it brought is taken back at the provider.
///
/// # Errors
/// `key_unavailable` when nothing can be sealed; problems of the store.
pub(crate) async fn abandon(engine: &Engine, tx: &mut SecretWriteTx, session: &ConnectSession, state: ConnectState, words: &str) -> Result<(), Problem> {
    let now = engine.now();
    give_back(engine, tx, session).await?;
    // Of a deleted one nobody reads the steps.
    if tx.end_connect_session(session.id, state, Some(words), now).await? && tx.connect_session(session.id).await?.is_some() {
        let detail = StepDetail { words: Some(words.to_owned()), ..StepDetail::default() };
        flight::write(tx, session, vec![flight::step(StepKind::Ended, None, now, detail)]).await?;
    }
    Ok(())
}

async fn give_back(engine: &Engine, tx: &mut SecretWriteTx, session: &ConnectSession) -> Result<(), Problem> {
    let Some(integration) = tx.integration_even_deleted(session.integration_id).await? else { return Ok(()) };
    let Some(envelope) = tx.secrets().sealed_connect_verifier(session.id).await? else { return Ok(()) };
    let plain = match engine.open_sealed_in(tx, &sealing::verifier_place(session), &envelope).await {
        Ok(plain) => plain,
        // What cannot be opened is dropped: nobody can use it, and the provider cannot be asked with it.
        Err(problem) if problem.code == Code::SealBroken => return Ok(()),
        Err(problem) => return Err(problem),
    };
    let (set, kept) = Brought::read(&plain)?;
    let definition = definition::pinned(engine, tx, integration.definition).await?;
    let Some(provider) = engine.provider_of(&definition) else { return Ok(()) };
    let known = match integration.config.pointer("/credential/value").and_then(Value::as_str).and_then(|id| id.parse::<CredentialId>().ok()) {
        Some(id) => tx.credential(id).await?.filter(|credential| credential.sealed_at != SealedAt::Nowhere),
        None => None,
    };
    // Where that could end what is in force too, it is left to end by itself.
    if let Some(known) = known
        && let Some((_, in_force)) = refresh::in_force(engine, tx, &known).await?
        && Fate::of(&provider, Some(word(&integration)), &set, &in_force) != Fate::Ended
    {
        return Ok(());
    }
    let mut credential = exchange::new_credential(engine, &integration)?;
    if let Some(app) = session.provider_app_id {
        credential.public_config.insert(PROVIDER_APP_KEY.to_owned(), app.to_string().into());
    }
    credential.public_config.insert(KEPT_KEY.to_owned(), json!(kept));
    let taking = Taking { integration: &integration, credential: &credential, plain: Some(set.to_secret()?), reason: RevocationReason::Abandoned, receipt: None };
    revocation::begin(engine, tx, taking).await.map(drop)
}

impl Material {
    /// What the exchange brought, where a person chooses: it lies where the verifier lay.
    fn brought(&mut self) -> Option<Secret> {
        self.verifier.take()
    }
}
