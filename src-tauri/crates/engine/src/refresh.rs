//! Renewal of tokens: each of a set by its own clock, one at a time over all tasks and processes, and safe against a crash at any instruction.
//!
//! Before anything is sent, the intent is written to the journal; the answer is stored in the transaction that makes it
//! current; the set before is kept until the new one has worked once. No token is sent by two living processes, and none whose
//! outcome is known is sent again. Of one whose outcome nobody knows `doubt` decides.

pub(crate) mod ahead;
mod doubt;
mod flights;
mod journal;
mod material;
mod outcome;
pub(crate) mod worker;

use std::time::{Duration, Instant};

use patchbay_model::credential::Credential;
use patchbay_model::integration::AttentionCause;
use patchbay_model::refresh::{Fp, RefreshReason};
use patchbay_model::{Code, CredentialId, Problem, Scope, Secret};
use patchbay_providers::CredentialOption;
use patchbay_store::StoreError;
use uuid::Uuid;

pub(crate) use flights::{Flights, Renewed};
use journal::{Intent, Start};
pub(crate) use journal::{at_rest, in_force, replace, retire};
use material::Material;
use outcome::Outcome;

use crate::Engine;
use crate::call::opened::Opened;
use crate::oauth::{MAIN, TokenSet};

/// After trouble, tokens that still work are used for this long before the next try.
const REST: Duration = Duration::from_secs(30);
/// How long a call waits for another process that is renewing.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(40);
/// How long after its intent a request may still leave. One that was held up for longer is not sent: by then others may think
/// that this process is dead.
const SEND_WINDOW: Duration = Duration::from_secs(10);

/// How long a token is left alone of which a person has to take care while the others are used on.
const LONG_REST: Duration = Duration::from_secs(3600);

/// The tokens to use now: each renewed first where it is due. One that calls carry must be of use; what comes of the others is no
/// trouble of whoever calls. `way` is how the credential was entered.
///
/// # Errors
/// `needs_reconnect` when a person must authorize again; why the provider could not be asked, when the old tokens are of no
/// more use.
pub(crate) async fn current(engine: &Engine, scope: Scope, mut credential: Credential, mut set: TokenSet, way: Option<&CredentialOption>) -> Result<Opened, Problem> {
    let others: Vec<String> = set.more.keys().cloned().collect();
    for name in std::iter::once(MAIN).chain(others.iter().map(String::as_str)) {
        if let Some(renewed) = where_due(engine, scope, &credential, &set, name, material::carries(way, name)).await? {
            (credential, set) = renewed;
        }
    }
    Ok(Opened::Tokens { credential: Box::new(credential), set })
}

/// The set with this token renewed, where that is due and was done.
async fn where_due(engine: &Engine, scope: Scope, credential: &Credential, set: &TokenSet, name: &str, carried: bool) -> Result<Option<(Credential, TokenSet)>, Problem> {
    let Some(token) = set.token(name) else { return Ok(None) };
    let (now, flights) = (engine.now(), &engine.outbound().flights);
    let left_alone = || token.refresh.is_none() || flights.rests(&Renewed(credential.id, name.to_owned()));
    if now < token.due() || ((!carried || token.usable(now)) && left_alone()) {
        return Ok(None);
    }
    let trouble = match renew(engine, scope, credential, set, name, RefreshReason::Due, By::Call).await {
        Ok(renewed) => return Ok(Some(renewed)),
        Err(trouble) => trouble,
    };
    if carried && (trouble.needs_person || !token.usable(engine.now())) {
        return Err(trouble.problem);
    }
    tracing::warn!(credential = %credential.id, token = name, problem = %trouble.problem, "a token could not be renewed; what still works is used on");
    flights.rest(Renewed(credential.id, name.to_owned()), if trouble.needs_person { LONG_REST } else { REST });
    Ok(None)
}

/// Other tokens after the provider refused a request that carried these before their time; none when there is no way to any.
///
/// # Errors
/// As [`current`].
pub(crate) async fn after_refusal(engine: &Engine, scope: Scope, credential: &Credential, refused: &TokenSet, way: Option<&CredentialOption>) -> Result<Option<Opened>, Problem> {
    let (mut in_force, mut set) = (credential.clone(), refused.clone());
    let mut before = Vec::new();
    let mut renewed = false;
    for (name, token) in refused.tokens().filter(|(name, token)| token.refresh.is_some() && material::carries(way, name)) {
        // One that was refused at its first use: perhaps it is not known everywhere at the provider yet, and the access token of
        // before still is. Its refresh token is spent.
        if let Some((attempt, earlier)) = journal::previous(engine, scope, credential, name).await?
            && earlier.access.expose() != token.access.expose()
            && engine.outbound().flights.falls_back(attempt)
        {
            before.push((name, earlier));
            continue;
        }
        (in_force, set) = renew(engine, scope, &in_force, &set, name, RefreshReason::Refused, By::Call).await.map_err(|trouble| trouble.problem)?;
        renewed = true;
    }
    if before.is_empty() && !renewed {
        return Ok(None);
    }
    let set = before.into_iter().fold(set, |set, (name, earlier)| set.having(name, earlier));
    Ok(Some(Opened::Tokens { credential: Box::new(in_force), set }))
}

/// Notes that the provider took these tokens of a credential, as far as calls carry them: the set before the last renewal of each is forgotten.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn proven(engine: &Engine, scope: Scope, credential: CredentialId, set: &TokenSet, way: Option<&CredentialOption>) -> Result<(), Problem> {
    let flights = &engine.outbound().flights;
    for (name, token) in set.tokens().filter(|(name, _)| material::carries(way, name)) {
        // Which set is in force is asked once: a process that renewed may have died before it could prove its own.
        let renewed = Renewed(credential, name.to_owned());
        if !flights.is_proven(&renewed, token.obtained) {
            journal::prove(engine, scope, credential, name, token.obtained).await?;
            flights.proven(renewed, token.obtained);
        }
    }
    Ok(())
}

/// A token as the journal knows it.
fn fingerprint(engine: &Engine, token: &Secret) -> Fp {
    engine.vault().keyed_hash("refresh token", token.expose().as_bytes())
}

/// Tells whoever watches the journal at work.
fn told(credential: CredentialId, attempt: Uuid, step: &'static str) {
    tracing::debug!(target: "patchbay::journal", %credential, %attempt, step);
}

/// On whose account tokens are renewed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    /// A call needs them.
    Call,
    /// Their time has come, and nobody asked.
    Clock,
}

/// Why tokens could not be renewed.
struct Trouble {
    problem: Problem,
    /// Nothing but a new consent helps.
    needs_person: bool,
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self { problem, needs_person: false }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

/// In a task of its own: the call that needs the tokens may be given up half-way, and an answer on its way must not be lost
/// with it.
async fn renew(engine: &Engine, scope: Scope, credential: &Credential, seen: &TokenSet, token: &str, reason: RefreshReason, by: By) -> Result<(Credential, TokenSet), Trouble> {
    let (engine, credential, seen, token) = (engine.clone(), credential.clone(), seen.clone(), token.to_owned());
    let task = tokio::spawn(async move {
        let _held = engine.hold();
        renew_alone(&engine, scope, &credential, &seen, &token, reason, by).await
    });
    task.await.map_err(|_| Problem::internal("a renewal of tokens was interrupted"))?
}

async fn renew_alone(
    engine: &Engine,
    scope: Scope,
    credential: &Credential,
    seen: &TokenSet,
    token: &str,
    reason: RefreshReason,
    by: By,
) -> Result<(Credential, TokenSet), Trouble> {
    // Counted from here: whoever stood in line behind another of this process does not wait all over again.
    let give_up = Instant::now() + WAIT_FOR_OTHERS;
    let flight = engine.outbound().flights.of(&Renewed(credential.id, token.to_owned()));
    let _alone = flight.lock().await;
    // Who the client is and where it asks is found before the intent is written down: it can take its time.
    let material = material::gather(engine, scope, credential, token, by).await?;
    let mut lost_before = false;
    loop {
        let intent = match journal::begin(engine, scope, credential.id, seen, reason, &material, give_up).await? {
            Start::Use(found) => return Ok(*found),
            Start::Go(intent) => *intent,
        };
        let outcome = send(engine, &material, &intent).await;
        match outcome {
            Ok(Outcome::Granted(new)) => return journal::granted(engine, scope, &material, intent, *new).await,
            Ok(Outcome::Dead) => return journal::dead(engine, scope, &material, &intent).await,
            Ok(Outcome::ClientRefused(problem)) => {
                journal::unchanged(engine, scope, &intent, true, Some(AttentionCause::ClientRefused), &material).await?;
                return Err(problem.into());
            }
            Ok(Outcome::Unchanged(problem)) => {
                journal::unchanged(engine, scope, &intent, true, None, &material).await?;
                return Err(problem.into());
            }
            Ok(Outcome::Lost(problem)) => {
                journal::lost(engine, scope, &intent).await?;
                if lost_before {
                    return Err(problem.into());
                }
                // Once more, as an attempt of its own, where the journal allows it.
                lost_before = true;
            }
            Err(problem) => {
                journal::unchanged(engine, scope, &intent, false, None, &material).await?;
                return Err(problem.into());
            }
        }
    }
}

/// Sends the one request of an attempt, unless it was held up for so long that others may have gone on.
async fn send(engine: &Engine, material: &Material, intent: &Intent) -> Result<Outcome, Problem> {
    let (instant, wall) = intent.committed;
    let late = instant.elapsed() >= SEND_WINDOW || engine.now().since(wall) >= SEND_WINDOW;
    if late || (intent.attempt.witnessed && !engine.outbound().is_seen()) {
        return Err(Problem::new(Code::StoreBusy, "The renewal was held up and was not sent. Try again in a moment.").retry_after(1));
    }
    told(intent.credential.id, intent.attempt.id, "sent");
    let outcome = material.ask(engine, &intent.refresh_token, intent.attempt.id).await?;
    told(intent.credential.id, intent.attempt.id, "answered");
    Ok(outcome)
}
