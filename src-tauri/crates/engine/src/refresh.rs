//! Renewal of tokens: one at a time over all tasks and processes, and safe against a crash at any instruction.
//!
//! Before anything is sent, the intent is written to the journal under a lease; the answer is stored in the transaction
//! that makes it current; the set before is kept until the new one has worked once. An intent that was never resolved
//! means that the provider may have rotated the token without our having the new one.

mod flights;
mod material;
mod outcome;

use std::time::{Duration, Instant};

use patchbay_model::credential::{Credential, Envelope};
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::{Code, CredentialId, Origin, Problem, Scope, Secret, Timestamp};
use patchbay_providers::manifest::lifetime::Rotation;
use patchbay_store::{RefreshEntry, RefreshLease, RefreshState, SecretWriteTx, StoreError};
use uuid::Uuid;

pub(crate) use flights::Flights;
use material::Material;
use outcome::Outcome;

use crate::Engine;
use crate::call::opened::Opened;
use crate::call::{sealed, status};
use crate::consent::TokenSet;
use crate::contention::{Turns, again};

/// Longer than two requests to the token endpoint take, so that a lease does not end under a request.
const LEASE: Duration = Duration::from_secs(120);
/// How long a call waits for another process that is renewing.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(40);
/// How often it looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// After trouble, tokens that still work are used for this long before the next try.
const REST: Duration = Duration::from_secs(30);

/// The tokens to use now: renewed first where that is due.
///
/// # Errors
/// `needs_reconnect` when a person must authorize again; why the provider could not be asked, when the old tokens are of no
/// more use.
pub(crate) async fn current(engine: &Engine, scope: Scope, credential: Credential, set: TokenSet) -> Result<Opened, Problem> {
    let now = engine.now();
    let flights = &engine.outbound().flights;
    let keep = |credential, set| Ok(Opened::Tokens { credential: Box::new(credential), set });
    if now < set.due() || (set.usable(now) && (set.refresh_token.is_none() || flights.rests(credential.id))) {
        return keep(credential, set);
    }
    match renew(engine, scope, &credential, &set, Reason::Due).await {
        Ok((credential, set)) => keep(credential, set),
        Err(trouble) if set.usable(engine.now()) && !trouble.needs_person => {
            tracing::warn!(credential = %credential.id, problem = %trouble.problem, "tokens could not be renewed; the old ones still work");
            flights.rest(credential.id, REST);
            keep(credential, set)
        }
        Err(trouble) => Err(trouble.problem),
    }
}

/// New tokens after the provider refused the access token before its time; none when there is no way to any.
///
/// # Errors
/// As [`current`].
pub(crate) async fn after_refusal(engine: &Engine, scope: Scope, credential: &Credential, refused: &TokenSet) -> Result<Option<Opened>, Problem> {
    if refused.refresh_token.is_none() {
        return Ok(None);
    }
    let (credential, set) = renew(engine, scope, credential, refused, Reason::Refused).await.map_err(|trouble| trouble.problem)?;
    Ok(Some(Opened::Tokens { credential: Box::new(credential), set }))
}

/// Notes that the provider took the tokens of this credential: the set before the last renewal is forgotten.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn proven(engine: &Engine, scope: Scope, credential: CredentialId) -> Result<(), Problem> {
    if engine.outbound().flights.take_unproven(credential) {
        again!(engine, {
            let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
            tx.settle_refresh(credential, engine.now()).await?;
            tx.commit().await?;
            Ok(())
        });
    }
    Ok(())
}

/// Why tokens are renewed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    Due,
    Refused,
}

/// Why they could not be.
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

/// A lease with the intent written down: from here on a request may be sent.
struct Intent {
    id: Uuid,
    credential: Credential,
    set: TokenSet,
    refresh_token: Secret,
    /// An attempt before this one was left half-way.
    uncertain: bool,
    /// The set before the one in force, where that one was never proven.
    earlier: Option<Envelope>,
}

enum Start {
    /// Someone has renewed it already, or the set in force is to be used on.
    Use(Box<(Credential, TokenSet)>),
    Go(Box<Intent>),
}

/// In a task of its own: the call that needs the tokens may be given up half-way, and an answer on its way must not be lost
/// with it.
async fn renew(engine: &Engine, scope: Scope, credential: &Credential, seen: &TokenSet, reason: Reason) -> Result<(Credential, TokenSet), Trouble> {
    let (engine, credential, seen) = (engine.clone(), credential.clone(), seen.clone());
    let task = tokio::spawn(async move {
        let _held = engine.hold();
        renew_alone(&engine, scope, &credential, &seen, reason).await
    });
    task.await.map_err(|_| Problem::internal("a renewal of tokens was interrupted"))?
}

async fn renew_alone(engine: &Engine, scope: Scope, credential: &Credential, seen: &TokenSet, reason: Reason) -> Result<(Credential, TokenSet), Trouble> {
    let flight = engine.outbound().flights.of(credential.id);
    let _alone = flight.lock().await;
    // Who the client is and where it asks is found before the lease is taken: it can take its time.
    let material = material::gather(engine, scope, credential).await?;
    let intent = match start(engine, scope, credential.id, seen, reason, &material).await? {
        Start::Use(found) => return Ok(*found),
        Start::Go(intent) => *intent,
    };
    let outcome = material.ask(engine, &intent.refresh_token).await?;
    match outcome {
        Outcome::Granted(new) => activate(engine, scope, intent, new).await,
        Outcome::Dead => match retry_with_earlier(engine, &material, &intent).await? {
            Some(new) => activate(engine, scope, intent, new).await,
            None => dead(engine, scope, &material, &intent).await,
        },
        Outcome::Unchanged(problem) => {
            // What was uncertain before stays so: this attempt has told nothing about it.
            if !intent.uncertain {
                again!(engine, {
                    let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
                    tx.abandon_refresh(intent.credential.id, intent.id, engine.now()).await?;
                    tx.commit().await?;
                    Ok(())
                });
            }
            Err(problem.into())
        }
        Outcome::Lost(problem) => Err(problem.into()),
    }
}

/// Takes the lease and writes the intent down, or finds that there is no need to.
async fn start(engine: &Engine, scope: Scope, id: CredentialId, seen: &TokenSet, reason: Reason, material: &Material) -> Result<Start, Trouble> {
    let give_up = Instant::now() + WAIT_FOR_OTHERS;
    let mut turns = Turns::new(engine.context());
    loop {
        let left = match attempt(engine, scope, id, seen, reason, material).await {
            Ok(Attempt::Start(start)) => return Ok(start),
            Ok(Attempt::Held { left }) => left,
            Err(trouble) if trouble.problem.contended => {
                turns.again(trouble.problem).await?;
                continue;
            }
            Err(trouble) => return Err(trouble),
        };
        if Instant::now() >= give_up {
            return Err(Problem::new(Code::StoreBusy, "Another process is renewing the access at the provider and has not finished. Try again in a moment.")
                .retry_after(left.as_secs().clamp(1, 60))
                .into());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

enum Attempt {
    Start(Start),
    /// Another process has the lease, for so long at most.
    Held {
        left: Duration,
    },
}

async fn attempt(engine: &Engine, scope: Scope, id: CredentialId, seen: &TokenSet, reason: Reason, material: &Material) -> Result<Attempt, Trouble> {
    let now = engine.now();
    let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
    let (credential, set) = read(engine, &mut tx, id).await?;
    let found = |credential, set| Ok(Attempt::Start(Start::Use(Box::new((credential, set)))));
    let renewed = set.access_token.expose() != seen.access_token.expose() && set.usable(now);
    if renewed || (reason == Reason::Due && now < set.due()) {
        return found(credential, set);
    }
    let Some(refresh_token) = set.refresh_token.clone() else {
        return Err(attention(engine, tx, material, AttentionCause::CredentialExpired).await?);
    };
    let intent = engine.context().new_uuid();
    let clock = tx.clock(now).await?;
    match tx.acquire_refresh(id, &engine.outbound().lease_owner, intent, clock, clock.plus(LEASE)).await? {
        RefreshLease::Acquired { before } => {
            let uncertain = before.as_ref().is_some_and(|before| before.state == RefreshState::Intent);
            // A second use of a token that was rotated makes many providers revoke everything, so what still works is
            // used up first.
            if uncertain && reason == Reason::Due && set.usable(now) && !material.bears_repetition(before.as_ref(), clock) {
                return found(credential, set);
            }
            engine.can_seal(&mut tx).await?;
            tx.record_refresh_intent(id, intent, clock).await?;
            tx.commit().await?;
            let earlier = before.filter(|before| before.state == RefreshState::Activated).and_then(|before| before.previous);
            Ok(Attempt::Start(Start::Go(Box::new(Intent { id: intent, credential, set, refresh_token, uncertain, earlier }))))
        }
        RefreshLease::Held { .. } if reason == Reason::Due && set.usable(now) => found(credential, set),
        RefreshLease::Held { until, .. } => {
            tx.rollback().await?;
            Ok(Attempt::Held { left: until.since(clock) })
        }
    }
}

async fn read(engine: &Engine, tx: &mut SecretWriteTx, id: CredentialId) -> Result<(Credential, TokenSet), Problem> {
    let gone = || Problem::new(Code::NeedsReconnect, "The credential of this integration was deleted. Connect again.");
    let credential = tx.credential(id).await?.ok_or_else(gone)?;
    let envelope = tx.secrets().sealed_credential(&credential).await?.ok_or_else(gone)?;
    let set = TokenSet::from_secret(&sealed::open_in(engine, tx, &credential, &envelope).await?)?;
    Ok((credential, set))
}

/// Stores the answer and makes it current, in one transaction.
async fn activate(engine: &Engine, scope: Scope, intent: Intent, new: TokenSet) -> Result<(Credential, TokenSet), Trouble> {
    let Intent { id, mut credential, set: old, refresh_token, .. } = intent;
    // RFC 6749 sections 5.1 and 6: what the answer leaves out stays as it was.
    let set = TokenSet { refresh_token: new.refresh_token.or(Some(refresh_token)), scope: new.scope.or_else(|| old.scope.clone()), ..new };
    let plain = set.to_secret()?;
    credential.expires = Some(set.expires);
    credential.secret_set_at = Some(set.obtained);
    credential.updated_at = engine.now();
    let give_up = Instant::now() + WAIT_FOR_OTHERS;
    let mut intent = id;
    // An answer that has come must not be lost: until then it is tried, also while the database is away.
    loop {
        match store(engine, scope, intent, &credential, &old, &plain).await {
            Ok(Stored::Current) => {
                engine.outbound().flights.unproven(credential.id);
                return Ok((credential, set));
            }
            Ok(Stored::Newer(in_force)) => return Ok(*in_force),
            // The machine slept over the end of our lease and another process took it. Our answer is the newest that there
            // is, so it is stored all the same as soon as the other lets go.
            Ok(Stored::Leased(next)) => intent = next,
            Ok(Stored::Held) => tokio::time::sleep(LOOK_AGAIN).await,
            Err(problem) if problem.code == Code::StoreBusy && Instant::now() < give_up => tokio::time::sleep(LOOK_AGAIN).await,
            Err(problem) => return Err(Problem { contended: false, ..problem }.into()),
        }
        if Instant::now() >= give_up {
            return Err(Problem::new(Code::StoreBusy, "New tokens came from the provider but could not be stored, since another process holds the renewal. Try again.").into());
        }
    }
}

/// What came of storing an answer.
enum Stored {
    /// It is in force.
    Current,
    /// A person has connected anew meanwhile, or another process was quicker: theirs is the newer grant.
    Newer(Box<(Credential, TokenSet)>),
    /// The lease was lost and taken again, under this intent.
    Leased(Uuid),
    /// The lease was lost, and another has it.
    Held,
}

async fn store(engine: &Engine, scope: Scope, intent: Uuid, credential: &Credential, old: &TokenSet, plain: &Secret) -> Result<Stored, Problem> {
    let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
    let (in_force, in_force_set) = read(engine, &mut tx, credential.id).await?;
    let clock = tx.clock(engine.now()).await?;
    if in_force_set.access_token.expose() != old.access_token.expose() {
        tx.abandon_refresh(credential.id, intent, clock).await?;
        tx.commit().await?;
        return Ok(Stored::Newer(Box::new((in_force, in_force_set))));
    }
    // In the transaction that stores it, so that it lies under a key that the store still has then.
    let envelope = sealed::seal(engine, &mut tx, credential, plain).await?;
    match tx.activate_refresh(credential, intent, &envelope, clock).await {
        Ok(()) => {
            tx.commit().await?;
            return Ok(Stored::Current);
        }
        Err(StoreError::Busy) => tx.rollback().await?,
        Err(error) => return Err(error.into()),
    }
    let next = engine.context().new_uuid();
    let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
    let clock = tx.clock(engine.now()).await?;
    if let RefreshLease::Acquired { .. } = tx.acquire_refresh(credential.id, &engine.outbound().lease_owner, next, clock, clock.plus(LEASE)).await? {
        tx.record_refresh_intent(credential.id, next, clock).await?;
        tx.commit().await?;
        Ok(Stored::Leased(next))
    } else {
        tx.rollback().await?;
        Ok(Stored::Held)
    }
}

/// The set in force was never proven and its refresh token is dead: the one before may still be the provider's truth.
async fn retry_with_earlier(engine: &Engine, material: &Material, intent: &Intent) -> Result<Option<TokenSet>, Trouble> {
    let Some(envelope) = &intent.earlier else { return Ok(None) };
    let earlier = TokenSet::from_secret(&sealed::open(engine, &intent.credential, envelope).await?)?;
    let Some(token) = earlier.refresh_token.filter(|token| token.expose() != intent.refresh_token.expose()) else { return Ok(None) };
    Ok(match material.ask(engine, &token).await? {
        Outcome::Granted(new) => Some(TokenSet { refresh_token: new.refresh_token.or(Some(token)), ..new }),
        Outcome::Dead | Outcome::Unchanged(_) | Outcome::Lost(_) => None,
    })
}

/// The provider refuses the refresh token for good, unless a person has connected anew meanwhile.
async fn dead(engine: &Engine, scope: Scope, material: &Material, intent: &Intent) -> Result<(Credential, TokenSet), Trouble> {
    let mut turns = Turns::new(engine.context());
    loop {
        match found_dead(engine, scope, material, intent).await {
            Err(trouble) if trouble.problem.contended => turns.again(trouble.problem).await?,
            done => return done,
        }
    }
}

async fn found_dead(engine: &Engine, scope: Scope, material: &Material, intent: &Intent) -> Result<(Credential, TokenSet), Trouble> {
    let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
    tx.abandon_refresh(intent.credential.id, intent.id, engine.now()).await?;
    let (in_force, set) = read(engine, &mut tx, intent.credential.id).await?;
    if set.access_token.expose() != intent.set.access_token.expose() {
        tx.commit().await?;
        return Ok((in_force, set));
    }
    let cause = if intent.uncertain { AttentionCause::RefreshUncertain } else { AttentionCause::RefreshRefused };
    Err(attention(engine, tx, material, cause).await?)
}

async fn attention(engine: &Engine, mut tx: SecretWriteTx, material: &Material, cause: AttentionCause) -> Result<Trouble, Problem> {
    let to = IntegrationStatus::NeedsAttention { cause };
    let now = engine.now();
    tx.set_integration_status(material.integration.id, &status::LIVE, to, now, false).await?;
    tx.commit().await?;
    let problem = material.integration.clone().into_status(to, now).callable().err().unwrap_or_else(|| Problem::new(Code::NeedsReconnect, cause.words()));
    Ok(Trouble { problem, needs_person: true })
}

impl Material {
    /// Whether the same refresh token may be sent again although the answer to an earlier request was lost.
    fn bears_repetition(&self, before: Option<&RefreshEntry>, now: Timestamp) -> bool {
        match self.server.rotation {
            Rotation::None => true,
            Rotation::Rotates { grace_seconds, .. } => before.is_some_and(|before| now.since(before.updated_at) < Duration::from_secs(grace_seconds)),
            Rotation::Unknown => false,
        }
    }
}
