//! What is written down about a renewal, and when: before anything is sent (`begin`), when its outcome is known (`granted`,
//! `refused`, `unchanged`, `lost`), and when the new set has worked (`prove`). Each is one transaction.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use patchbay_model::credential::Credential;
use patchbay_model::deadline::ClockOwner;
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::refresh::{Attempt, Flight, Fp, NewStep, RefreshReason, RefreshStep};
use patchbay_model::{Code, CredentialId, Origin, Problem, Scope, Secret, Timestamp};
use patchbay_store::{SecretWriteTx, StoreError};
use serde_json::json;
use uuid::Uuid;

use super::doubt::{self, Case, Said, Verdict};
use super::material::Material;
use super::{By, Trouble, WAIT_FOR_OTHERS, fingerprint, told};
use crate::Engine;
use crate::call::{kept_of, sealed, status};
use crate::consent::KEPT_KEY;
use crate::contention::{Turns, again};
use crate::oauth::{MAIN, NewTokens, Token, TokenSet};

/// How long nobody else may go on, whatever became of the owner. One that is seen to be dead is not waited for.
const LEASE: Duration = Duration::from_secs(120);
/// How often it looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// An intent that is written down: from here on a request may be sent.
pub(super) struct Intent {
    pub(super) attempt: Attempt,
    /// The name of the token that is renewed.
    token: String,
    pub(super) credential: Credential,
    pub(super) set: TokenSet,
    pub(super) refresh_token: Secret,
    /// When the intent was committed.
    pub(super) committed: (Instant, Timestamp),
}

impl Intent {
    /// Whether the token that is renewed is still the one in this set.
    fn is_of(&self, in_force: &TokenSet) -> bool {
        let access = |set: &TokenSet| set.token(&self.token).map(|token| token.access.clone());
        access(in_force).zip(access(&self.set)).is_some_and(|(now, then)| now.expose() == then.expose())
    }
}

/// What came of wanting to renew.
pub(super) enum Start {
    /// Someone has renewed it already, or the set in force is to be used on.
    Use(Box<(Credential, TokenSet)>),
    /// To be sent.
    Go(Box<Intent>),
}

enum Tried {
    Start(Start),
    /// Another process has it, for so long at most.
    Held(Duration),
    /// The provider is to be asked after this token first.
    Ask(Secret),
}

/// What a provider said of a token when it was asked.
#[derive(Clone, Copy)]
struct Told {
    fp: Fp,
    alive: Option<bool>,
}

/// Writes the intent down, or finds that there is no need to. Another process is waited for until `give_up`.
pub(super) async fn begin(
    engine: &Engine,
    scope: Scope,
    id: CredentialId,
    seen: &TokenSet,
    reason: RefreshReason,
    material: &Material,
    give_up: Instant,
) -> Result<Start, Trouble> {
    let witnessed = engine.outbound().witnessed(engine).await;
    let mut turns = Turns::new(engine.context());
    let mut asked = None;
    loop {
        let left = match attempt(engine, scope, id, seen, reason, material, witnessed, asked).await {
            Ok(Tried::Start(start)) => return Ok(start),
            Ok(Tried::Held(left)) => left,
            Ok(Tried::Ask(token)) => {
                asked = Some(Told { fp: fingerprint(engine, &token), alive: material.introspect(engine, &token).await });
                continue;
            }
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

#[expect(clippy::too_many_arguments, reason = "each is a part of what is decided in one transaction")]
async fn attempt(
    engine: &Engine,
    scope: Scope,
    id: CredentialId,
    seen: &TokenSet,
    reason: RefreshReason,
    material: &Material,
    witnessed: bool,
    asked: Option<Told>,
) -> Result<Tried, Trouble> {
    let now = engine.now();
    let new = engine.context().new_uuid();
    told(id, new, "before_begin");
    let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
    let (credential, set) = read(engine, &mut tx, id).await?;
    let found = |credential, set| Ok(Tried::Start(Start::Use(Box::new((credential, set)))));
    let name = material.token.as_str();
    // A person has connected anew, and there is no token of this name any more.
    let Some((token, seen)) = set.token(name).cloned().zip(seen.token(name)) else { return found(credential, set) };
    let renewed = token.access.expose() != seen.access.expose() && token.usable(now);
    // Whoever comes ahead of its time comes for the token that it has seen.
    let early = reason == RefreshReason::Due && now < token.due() && (material.by == By::Call || token.obtained != seen.obtained);
    if renewed || early {
        return found(credential, set);
    }
    let me = engine.outbound().lease_owner.as_str();
    let clock = tx.clock(now).await?;
    let usable = reason == RefreshReason::Due && token.usable(now);
    let mut steps = Vec::new();
    let flight = match tx.flight(id, name).await? {
        Flight::Sending(other) => match presence(engine, &mut tx, &other, me, clock).await? {
            Presence::Over => Flight::Doubt(other),
            Presence::Dead => {
                steps.push(NewStep::of(other.id, me, RefreshStep::TakenOver, clock).renewing(name).about(other.fp).noting(json!({ "from": other.owner })));
                Flight::Doubt(other)
            }
            Presence::Lives if usable => return found(credential, set),
            Presence::Lives => {
                if other.gone.is_some() {
                    tx.note_gone(id, name, other.id, None).await?;
                    tx.commit().await?;
                }
                return Ok(Tried::Held(other.until.since(clock)));
            }
            Presence::Settles if usable && other.gone.is_some() => return found(credential, set),
            Presence::Settles => {
                if other.gone.is_none() {
                    tx.note_gone(id, name, other.id, Some(clock)).await?;
                    tx.commit().await?;
                }
                return if usable { found(credential, set) } else { Ok(Tried::Held(engine.store().settle())) };
            }
        },
        other => other,
    };
    let Some(refresh_token) = token.refresh.clone() else {
        return Err(attention(engine, tx, material, AttentionCause::CredentialExpired).await?);
    };
    let fp = fingerprint(engine, &refresh_token);
    if tx.is_spent(id, fp).await? {
        // Its outcome is known: whoever found out has said so, and sending it again could only do harm.
        let cause = match tx.integration(material.integration.id).await?.map(|integration| integration.status) {
            Some(IntegrationStatus::NeedsAttention { cause: cause @ (AttentionCause::RefreshUncertain | AttentionCause::RefreshRefused | AttentionCause::GrantExpired) }) => cause,
            _ => AttentionCause::RefreshRefused,
        };
        return Err(attention(engine, tx, material, cause).await?);
    }
    if let Flight::Doubt(before) = &flight {
        let case = Case {
            rotation: material.rotation(),
            reason,
            usable: token.usable(now),
            since_first: clock.since(before.first_sent_at),
            since_last: clock.since(before.since),
            sends: before.sends,
            said: match asked.filter(|told| told.fp == fp) {
                None if material.introspects() => Said::NotAsked,
                Some(Told { alive: Some(true), .. }) => Said::Alive,
                Some(Told { alive: Some(false), .. }) => Said::Dead,
                None | Some(Told { alive: None, .. }) => Said::Nothing,
            },
        };
        let introspected = |alive: bool| NewStep::of(new, me, RefreshStep::Introspected, clock).renewing(name).about(fp).noting(json!({ "active": alive }));
        match doubt::judge(case) {
            Verdict::Send if case.said == Said::Alive => steps.push(introspected(true)),
            Verdict::Send => {}
            Verdict::UseUp => return found(credential, set),
            Verdict::Ask => return Ok(Tried::Ask(refresh_token)),
            Verdict::GiveUp => {
                let first = first_of(&mut tx, id, fp).await?;
                let cause = AttentionCause::RefreshUncertain;
                steps.push(introspected(false));
                steps.push(NewStep { spent: true, ..NewStep::of(new, me, RefreshStep::Dead, clock).renewing(name).about(fp) });
                steps.push(NewStep::of(new, me, RefreshStep::Attention, clock).renewing(name).about(fp).noting(json!({ "cause": cause, "first": first })));
                tx.put_flight(&credential, name, &Flight::Idle, &steps, clock).await?;
                let trouble = attention(engine, tx, material, cause).await?;
                told(id, new, "dead");
                return Err(trouble);
            }
            Verdict::Wait(left) => {
                let words = "The answers to the last renewals were lost on the way. The provider is asked again in a while.";
                return Err(Problem::new(Code::ProviderUnreachable, words).retry_after(left.as_secs().clamp(1, 600)).into());
            }
        }
    }
    engine.can_seal(&mut tx).await?;
    let attempt = Attempt { id: new, owner: me.to_owned(), until: clock.plus(LEASE), witnessed, gone: None, fp, sends: 1, first_sent_at: clock, since: clock, reason };
    let Some(attempt) = flight.begin(attempt) else { return Ok(Tried::Held(LEASE)) };
    let note = json!({ "reason": reason, "sends": attempt.sends });
    steps.push(NewStep::of(new, me, RefreshStep::Intent, clock).renewing(name).about(fp).noting(note));
    tx.put_flight(&credential, name, &Flight::Sending(attempt.clone()), &steps, clock).await?;
    tx.commit().await?;
    told(id, new, "intent");
    let committed = (Instant::now(), engine.now());
    Ok(Tried::Start(Start::Go(Box::new(Intent { attempt, token: name.to_owned(), credential, set, refresh_token, committed }))))
}

/// What is known of a process that may be sending.
enum Presence {
    /// Its time is over, or it is this one, which sends nothing any more.
    Over,
    /// It died, and what it had sent last has arrived by now.
    Dead,
    /// It seems dead, but not for long enough.
    Settles,
    /// It lives, or nobody can tell.
    Lives,
}

async fn presence(engine: &Engine, tx: &mut SecretWriteTx, other: &Attempt, me: &str, clock: Timestamp) -> Result<Presence, Problem> {
    if other.owner == me || other.until <= clock {
        return Ok(Presence::Over);
    }
    if !other.witnessed || engine.store().owner_lives(tx, &other.owner).await? {
        return Ok(Presence::Lives);
    }
    Ok(if other.gone.is_some_and(|gone| clock.since(gone) >= engine.store().settle()) { Presence::Dead } else { Presence::Settles })
}

/// The credential with the set in force.
pub(super) async fn read(engine: &Engine, tx: &mut SecretWriteTx, id: CredentialId) -> Result<(Credential, TokenSet), Problem> {
    let gone = || Problem::new(Code::NeedsReconnect, "The credential of this integration was deleted. Connect again.");
    let credential = tx.credential(id).await?.ok_or_else(gone)?;
    let envelope = tx.secrets().sealed_credential(&credential).await?.ok_or_else(gone)?;
    let set = TokenSet::from_secret(&sealed::open_in(engine, tx, &credential, &envelope).await?)?;
    Ok((credential, set))
}

/// Whether the journal still speaks of this attempt.
fn is_ours(flight: &Flight, ours: &Attempt) -> bool {
    matches!(flight, Flight::Sending(attempt) if attempt.id == ours.id)
}

/// Stores the answer and makes it current, in one transaction. An answer that has come must not be lost: until it is stored
/// that is tried, also while the database is away.
pub(super) async fn granted(engine: &Engine, scope: Scope, material: &Material, intent: Intent, new: NewTokens) -> Result<(Credential, TokenSet), Trouble> {
    // RFC 6749 sections 5.1 and 6: what the answer leaves out stays as it was.
    for finding in &new.findings {
        tracing::warn!(credential = %intent.credential.id, %finding, "a token answer is odd");
    }
    let give_up = Instant::now() + WAIT_FOR_OTHERS;
    loop {
        match store(engine, scope, material, &intent, &new).await {
            Ok(Stored::Current(in_force)) => {
                told(in_force.0.id, intent.attempt.id, "activated");
                return Ok(*in_force);
            }
            Ok(Stored::Newer(in_force)) => return Ok(*in_force),
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
    Current(Box<(Credential, TokenSet)>),
    /// A person has connected anew meanwhile, or another process was quicker: theirs is the newer grant.
    Newer(Box<(Credential, TokenSet)>),
    /// Another process took over and is still asking.
    Held,
}

async fn store(engine: &Engine, scope: Scope, material: &Material, intent: &Intent, new: &NewTokens) -> Result<Stored, Problem> {
    let (attempt, name) = (&intent.attempt, intent.token.as_str());
    let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
    let (mut credential, in_force) = read(engine, &mut tx, intent.credential.id).await?;
    let clock = tx.clock(engine.now()).await?;
    let flight = tx.flight(credential.id, name).await?;
    let ours = is_ours(&flight, attempt);
    let step = |step| NewStep::of(attempt.id, &attempt.owner, step, clock).renewing(name);
    let mut steps = vec![step(RefreshStep::Sent).about(attempt.fp)];
    if !intent.is_of(&in_force) {
        steps.push(step(RefreshStep::RaceFound));
        let flight = if ours { Flight::Idle } else { flight };
        put(&mut tx, &credential, name, ours, &flight, &steps, clock).await?;
        tx.commit().await?;
        return Ok(Stored::Newer(Box::new((credential, in_force))));
    }
    // The machine slept over the end of our lease. Our answer is the newest that there is, so it is stored all the same as soon
    // as whoever took over has an outcome.
    if let (false, Flight::Sending(other)) = (ours, &flight)
        && !matches!(presence(engine, &mut tx, other, &attempt.owner, clock).await?, Presence::Over | Presence::Dead)
    {
        return Ok(Stored::Held);
    }
    // Another token of the set may have been renewed meanwhile, which stays as it is. A renewal may bring the same access token with
    // a later end.
    let set = in_force.renewed(name, new.clone());
    if set.main.obtained != in_force.main.obtained {
        credential.expires = Some(set.main.expires);
        credential.secret_set_at = Some(set.main.obtained);
    }
    credential.updated_at = engine.now();
    keep(&mut credential, &new.kept);
    // In the transaction that stores it, so that it lies under a key that the store still has then.
    let envelope = sealed::seal(engine, &mut tx, &credential, &set.to_secret()?).await?;
    tx.activate_set(&credential, &envelope, clock).await?;
    tx.set_clocks(ClockOwner::Credential(credential.id), &material.clocks(engine, &set)).await?;
    let next = set.token(name).and_then(|token| token.refresh.as_ref()).map(|token| fingerprint(engine, token));
    steps.push(NewStep { next_fp: next, spent: next != Some(attempt.fp), ..step(RefreshStep::Granted).about(attempt.fp) });
    steps.push(step(RefreshStep::Activated));
    tx.put_flight(&credential, name, &attempt.clone().granted(clock), &steps, clock).await?;
    if !ours {
        // Whoever took over may have found the token dead, which it was: rotated for us.
        if let Some(now) = tx.integration(material.integration.id).await?
            && material.carried != (now.status == status::TOKEN_LOST)
        {
            tx.set_integration_status(now.id, &status::LIVE, IntegrationStatus::Active, engine.now(), false).await?;
        }
    }
    tx.commit().await?;
    Ok(Stored::Current(Box::new((credential, set))))
}

/// What came beside the tokens stands with what came before.
fn keep(credential: &mut Credential, kept: &BTreeMap<String, String>) {
    if kept.is_empty() {
        return;
    }
    let mut all = kept_of(&credential.public_config);
    all.extend(kept.clone());
    credential.public_config.insert(KEPT_KEY.to_owned(), json!(all));
}

/// Writes the state down where the journal speaks of our attempt, and the steps in any case.
async fn put(tx: &mut SecretWriteTx, credential: &Credential, token: &str, ours: bool, flight: &Flight, steps: &[NewStep], clock: Timestamp) -> Result<(), StoreError> {
    if ours { tx.put_flight(credential, token, flight, steps, clock).await } else { tx.add_steps(credential, steps).await }
}

/// The provider changed nothing, or nothing was sent.
pub(super) async fn unchanged(engine: &Engine, scope: Scope, intent: &Intent, sent: bool, cause: Option<AttentionCause>, material: &Material) -> Result<(), Trouble> {
    ended(engine, scope, intent, RefreshStep::Unchanged, sent, Attempt::unchanged).await?;
    if let Some(cause) = cause {
        let to = IntegrationStatus::NeedsAttention { cause };
        again!(engine, {
            let mut tx = engine.store().write(scope, Origin::Background).await?;
            tx.set_integration_status(material.integration.id, &status::LIVE, to, engine.now(), false).await?;
            tx.commit().await?;
            Ok(())
        });
    }
    Ok(())
}

/// No answer came.
pub(super) async fn lost(engine: &Engine, scope: Scope, intent: &Intent) -> Result<(), Trouble> {
    ended(engine, scope, intent, RefreshStep::Lost, true, Attempt::lost).await?;
    told(intent.credential.id, intent.attempt.id, "lost");
    Ok(())
}

async fn ended(engine: &Engine, scope: Scope, intent: &Intent, step: RefreshStep, sent: bool, to: fn(Attempt) -> Flight) -> Result<(), Problem> {
    let attempt = &intent.attempt;
    again!(engine, {
        let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
        let clock = tx.clock(engine.now()).await?;
        let flight = tx.flight(intent.credential.id, &intent.token).await?;
        let of = |step| NewStep::of(attempt.id, &attempt.owner, step, clock).renewing(&intent.token).about(attempt.fp);
        let mut steps = Vec::new();
        if sent {
            steps.push(of(RefreshStep::Sent));
        }
        steps.push(of(step).noting(json!({ "sent": sent })));
        put(&mut tx, &intent.credential, &intent.token, is_ours(&flight, attempt), &to(attempt.clone()), &steps, clock).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

/// The provider refuses the refresh token for good, unless other tokens have come into force meanwhile.
pub(super) async fn dead(engine: &Engine, scope: Scope, material: &Material, intent: &Intent) -> Result<(Credential, TokenSet), Trouble> {
    let mut turns = Turns::new(engine.context());
    loop {
        match found_dead(engine, scope, material, intent).await {
            Err(trouble) if trouble.problem.contended => turns.again(trouble.problem).await?,
            done => return done,
        }
    }
}

async fn found_dead(engine: &Engine, scope: Scope, material: &Material, intent: &Intent) -> Result<(Credential, TokenSet), Trouble> {
    let (attempt, name) = (&intent.attempt, intent.token.as_str());
    let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
    let clock = tx.clock(engine.now()).await?;
    let (in_force, set) = read(engine, &mut tx, intent.credential.id).await?;
    let flight = tx.flight(in_force.id, name).await?;
    let ours = is_ours(&flight, attempt);
    let step = |step| NewStep::of(attempt.id, &attempt.owner, step, clock).renewing(name).about(attempt.fp);
    let mut steps = vec![step(RefreshStep::Sent)];
    if !intent.is_of(&set) {
        steps.push(step(RefreshStep::RaceFound));
        put(&mut tx, &in_force, name, ours, &Flight::Idle, &steps, clock).await?;
        tx.commit().await?;
        return Ok((in_force, set));
    }
    let ends = set.token(name).into_iter().flat_map(|token| [token.refresh_expires, token.absolute_expires]);
    let over = ends.flatten().any(|end| end <= engine.now());
    let cause = match attempt.sends {
        2.. => AttentionCause::RefreshUncertain,
        _ if over => AttentionCause::GrantExpired,
        _ => AttentionCause::RefreshRefused,
    };
    steps.push(NewStep { spent: true, ..step(RefreshStep::Dead) });
    let first = if attempt.sends > 1 { first_of(&mut tx, in_force.id, attempt.fp).await? } else { None };
    steps.push(step(RefreshStep::Attention).noting(json!({ "cause": cause, "first": first })));
    put(&mut tx, &in_force, name, ours, &attempt.clone().dead(), &steps, clock).await?;
    let trouble = attention(engine, tx, material, cause).await?;
    told(in_force.id, attempt.id, "dead");
    Err(trouble)
}

/// How the first attempt with a token ended, by which its outcome came into doubt.
async fn first_of(tx: &mut SecretWriteTx, id: CredentialId, fp: Fp) -> Result<Option<serde_json::Value>, StoreError> {
    let steps = tx.refresh_steps(id, 100).await?;
    let about = |attempt: Uuid| steps.iter().filter(move |taken| taken.step.attempt == attempt);
    let Some(first) = steps.iter().rev().find(|taken| taken.step.step == RefreshStep::Intent && taken.step.fp == Some(fp)) else { return Ok(None) };
    let last = about(first.step.attempt).filter(|taken| taken.step.step != RefreshStep::TakenOver).max_by_key(|taken| taken.number);
    Ok(last.map(|taken| json!({ "attempt": taken.step.attempt, "step": taken.step.step, "at": taken.step.at })))
}

/// Marks the integration, and gives the problem of whoever wanted tokens. Without a token that no call carries it goes on, unless
/// it has stopped already.
async fn attention(engine: &Engine, mut tx: SecretWriteTx, material: &Material, cause: AttentionCause) -> Result<Trouble, Problem> {
    let to = if material.carried { IntegrationStatus::NeedsAttention { cause } } else { status::TOKEN_LOST };
    let now = engine.now();
    let goes_on = tx.integration(material.integration.id).await?.is_some_and(|integration| integration.callable().is_ok());
    if material.carried || goes_on {
        tx.set_integration_status(material.integration.id, &status::LIVE, to, now, false).await?;
    }
    tx.commit().await?;
    let problem = material.integration.clone().into_status(to, now).callable().err().unwrap_or_else(|| Problem::new(Code::NeedsReconnect, cause.words()));
    Ok(Trouble { problem, needs_person: true })
}

/// The token that came at `obtained` has worked: the set before is forgotten, if that is still what the journal waits for.
pub(super) async fn prove(engine: &Engine, scope: Scope, id: CredentialId, name: &str, obtained: Timestamp) -> Result<(), Problem> {
    let mut tx = engine.store().read(scope).await?;
    let flight = tx.flight(id, name).await?;
    drop(tx);
    let Flight::Unproven { attempt, .. } = flight else { return Ok(()) };
    told(id, attempt, "proving");
    again!(engine, {
        let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
        let clock = tx.clock(engine.now()).await?;
        let flight = tx.flight(id, name).await?;
        let credential = match name {
            MAIN => tx.credential(id).await?.filter(|credential| credential.secret_set_at == Some(obtained)),
            // When further tokens came stands in the set alone.
            _ => Some(read(engine, &mut tx, id).await?).filter(|(_, set)| set.token(name).is_some_and(|token| token.obtained == obtained)).map(|(credential, _)| credential),
        };
        if let (Flight::Unproven { attempt: now, .. }, Some(credential)) = (flight, credential)
            && now == attempt
        {
            let step = NewStep::of(attempt, &engine.outbound().lease_owner, RefreshStep::Proven, clock).renewing(name);
            tx.put_flight(&credential, name, &Flight::Idle, &[step], clock).await?;
            tx.commit().await?;
        }
        Ok(())
    });
    told(id, attempt, "proven");
    Ok(())
}

/// The token of this name of the set before, where the one in force was never proven: it may still live.
pub(super) async fn previous(engine: &Engine, scope: Scope, credential: &Credential, name: &str) -> Result<Option<(Uuid, Token)>, Problem> {
    let mut tx = engine.store().read_secrets(scope).await?;
    let Flight::Unproven { attempt, .. } = tx.flight(credential.id, name).await? else { return Ok(None) };
    let Some(envelope) = tx.secrets().sealed_previous(credential.id, name).await? else { return Ok(None) };
    drop(tx);
    let set = TokenSet::from_secret(&sealed::open(engine, credential, &envelope).await?)?;
    Ok(set.token(name).filter(|token| token.usable(engine.now())).map(|token| (attempt, token.clone())))
}

/// A credential's tokens are not used any more, since the access is taken back: they are never sent again by a renewal. Gives their
/// plain text.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn retire(engine: &Engine, tx: &mut SecretWriteTx, credential: &Credential) -> Result<Option<Secret>, Problem> {
    let Some((plain, set)) = in_force(engine, tx, credential).await? else { return Ok(None) };
    spend(engine, tx, credential, &set, |_| true, |step| step, RefreshStep::Revoked).await?;
    Ok(Some(plain))
}

/// The same where a new consent brought others, with a note on what becomes of them. A token that came once more is sent on.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn replace(engine: &Engine, tx: &mut SecretWriteTx, credential: &Credential, (before, now): (&TokenSet, &TokenSet), words: &str) -> Result<(), Problem> {
    let living: Vec<&str> = now.tokens().filter_map(|(_, token)| token.refresh.as_ref()).map(Secret::expose).collect();
    let ends = |token: &Secret| !living.contains(&token.expose());
    spend(engine, tx, credential, before, ends, |step| step.noting(json!({ "words": words })), RefreshStep::Reconnected).await
}

/// The tokens of a credential as they were sealed, and read; none where there are none.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn in_force(engine: &Engine, tx: &mut SecretWriteTx, credential: &Credential) -> Result<Option<(Secret, TokenSet)>, Problem> {
    let Some(envelope) = tx.secrets().sealed_credential(credential).await? else { return Ok(None) };
    let plain = sealed::open_in(engine, tx, credential, &envelope).await?;
    let set = TokenSet::from_secret(&plain)?;
    Ok(Some((plain, set)))
}

async fn spend(
    engine: &Engine,
    tx: &mut SecretWriteTx,
    credential: &Credential,
    set: &TokenSet,
    ends: impl Fn(&Secret) -> bool,
    noted: impl Fn(NewStep) -> NewStep,
    why: RefreshStep,
) -> Result<(), Problem> {
    let clock = tx.clock(engine.now()).await?;
    let attempt = engine.context().new_uuid();
    let step = || noted(NewStep::of(attempt, &engine.outbound().lease_owner, why, clock));
    let tokens = set.tokens().filter_map(|(name, token)| Some((name, token.refresh.as_ref()?)));
    let mut steps: Vec<NewStep> = tokens.map(|(name, token)| NewStep { spent: ends(token), ..step().renewing(name).about(fingerprint(engine, token)) }).collect();
    if steps.is_empty() {
        steps.push(step());
    }
    for (name, _) in tx.flights(credential.id).await? {
        tx.put_flight(credential, &name, &Flight::Idle, &[], clock).await?;
    }
    tx.add_steps(credential, &steps).await?;
    Ok(())
}

/// That no process that lives may be sending a token of this credential: what its answer brings would be lost.
///
/// # Errors
/// `store_busy`, to be tried again; problems of the store.
pub(crate) async fn at_rest(engine: &Engine, tx: &mut SecretWriteTx, credential: CredentialId) -> Result<(), Problem> {
    let clock = tx.clock(engine.now()).await?;
    let mut living = false;
    for (_, flight) in tx.flights(credential).await? {
        if let Flight::Sending(attempt) = flight {
            living |= attempt.until > clock && (!attempt.witnessed || engine.store().owner_lives(tx, &attempt.owner).await?);
        }
    }
    if !living {
        return Ok(());
    }
    Err(Problem { contended: true, ..Problem::new(Code::StoreBusy, "The access is being renewed at this moment. Try again in a moment.").retry_after(1) })
}
