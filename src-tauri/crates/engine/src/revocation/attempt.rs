//! One look at a revocation that is due: ask the provider to end it, or ask whether it has ended, and write down what came of it.

use std::sync::Arc;
use std::time::Duration;

use patchbay_model::revocation::{Revocation, RevocationState, RevocationStep};
use patchbay_model::{Code, Origin, Problem, Scope, Secret};
use patchbay_providers::Provider;
use patchbay_store::DueRevocation;

use super::ask::{self, Asked, Evidence};
use super::facts::Facts;
use super::kept::Kept;
use crate::consent::client_of;
use crate::contention::again;
use crate::oauth::OAuthClient;
use crate::{Engine, definition, sealing};

/// Longer than all requests of one look and the writing down of what came of it.
const LEASE: Duration = Duration::from_secs(180);
/// The pause before each further try; after the last one a person has to act.
const PAUSES: [Duration; 5] = [Duration::from_secs(60), Duration::from_secs(600), Duration::from_secs(3600), Duration::from_secs(6 * 3600), Duration::from_secs(24 * 3600)];
/// How long after its end an access token is asked for once more.
const AFTER_END: Duration = Duration::from_secs(5);

/// What is needed to ask.
pub(super) struct Material {
    pub(super) provider: Arc<Provider>,
    pub(super) facts: Facts,
    pub(super) kept: Kept,
    /// The client that the tokens were given to, where there was one and it is still there.
    pub(super) client: Option<OAuthClient>,
    /// The name of the provider app that it belongs to.
    pub(super) app: Option<String>,
}

/// How it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    /// Again, after so long.
    In(Duration),
    /// Nothing more is done.
    Over,
}

/// Looks at a revocation, if nobody else does. Says whether it did.
///
/// # Errors
/// Problems of the store. What the provider brings is written down.
pub(super) async fn work(engine: &Engine, due: DueRevocation) -> Result<bool, Problem> {
    let scope = Scope::Account(due.organization_id, due.account_id);
    // Whether others see that this process lives, should it die at this.
    engine.outbound().witnessed(engine).await;
    let Some(mut revocation) = again!(engine, { claim(engine, scope, due).await }) else { return Ok(false) };
    let next = match load(engine, scope, &revocation).await {
        Ok(mut material) => go_on(engine, scope, &mut revocation, &mut material).await,
        Err(problem) if problem.contended || problem.code == Code::StoreBusy => return Err(problem),
        Err(problem) => {
            revocation.proof.note(engine.now(), RevocationStep::Unreachable, problem.message);
            later(engine, &mut revocation, None)
        }
    };
    finish(engine, scope, revocation, next).await?;
    Ok(true)
}

async fn claim(engine: &Engine, scope: Scope, due: DueRevocation) -> Result<Option<Revocation>, Problem> {
    let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
    let now = tx.clock(engine.now()).await?;
    let me = engine.outbound().lease_owner.as_str();
    let Some(before) = tx.revocation(due.id).await? else { return Ok(None) };
    let mut dead = None;
    if let Some(owner) = before.owner.filter(|owner| owner != me)
        && before.lease_until.is_some_and(|until| until > now)
        && !engine.store().owner_lives(&mut tx, &owner).await?
    {
        dead = Some(owner);
    }
    let claimed = tx.claim_revocation(due.id, me, dead.as_deref(), now, now.plus(LEASE)).await?;
    tx.commit().await?;
    Ok(claimed)
}

async fn load(engine: &Engine, scope: Scope, revocation: &Revocation) -> Result<Material, Problem> {
    let mut tx = engine.store().read_secrets(scope).await?;
    let envelope = tx.secrets().sealed_revocation(revocation.id).await?.ok_or_else(|| Problem::internal("a revocation that is not at its end keeps nothing to ask with"))?;
    let kept = Kept::from_secret(&engine.open_sealed_in(&mut tx, &sealing::revocation_place(revocation), &envelope).await?)?;
    let definition = definition::pinned(engine, &mut tx, revocation.definition).await?;
    let provider = engine.provider_of(&definition).ok_or_else(|| Problem::internal("the provider of a revocation is not in the catalog"))?;
    let app = match revocation.provider_app_id {
        Some(app) => tx.provider_app(app).await?,
        None => None,
    };
    let client = match &app {
        Some(app) => Some(client_of(engine, &mut tx, app).await?),
        None => None,
    };
    let facts = Facts::of(&provider, kept.word.as_deref());
    Ok(Material { provider, facts, kept, client, app: app.map(|app| app.name.to_string()) })
}

async fn go_on(engine: &Engine, scope: Scope, revocation: &mut Revocation, material: &mut Material) -> Next {
    if matches!(revocation.state, RevocationState::Pending | RevocationState::Sent) {
        if let Some(words) = ask::before(engine, revocation, material).await {
            revocation.proof.note(engine.now(), RevocationStep::Active, words);
        }
        let asked = ask::end(engine, scope, revocation, material).await;
        let now = engine.now();
        match asked {
            Asked::Taken(words) => {
                revocation.proof.note(now, RevocationStep::Taken, words);
                if let Some(next) = taken(revocation, material) {
                    return next;
                }
            }
            Asked::Partly { taken: one, refused } => {
                revocation.proof.note(now, RevocationStep::Partly, format!("{one} {refused}"));
                if let Some(next) = taken(revocation, material) {
                    return next;
                }
            }
            Asked::NotTaken { step, words, wait } => {
                revocation.proof.note(now, step, words);
                return later(engine, revocation, wait);
            }
            Asked::Cannot(words) => {
                revocation.proof.note(now, RevocationStep::GivenUp, words);
                revocation.state = RevocationState::Manual;
                return Next::Over;
            }
        }
    }
    let evidence = ask::evidence(engine, scope, revocation, material).await;
    let now = engine.now();
    match evidence {
        Evidence::Dead(words) => {
            revocation.proof.note(now, RevocationStep::Dead, words);
            revocation.state = RevocationState::Proven;
            Next::Over
        }
        Evidence::Answered(words) => {
            revocation.proof.note(now, RevocationStep::Answered, words);
            revocation.state = RevocationState::Alive;
            match revocation.proof.alive_until.filter(|end| *end > now) {
                Some(end) => {
                    revocation.attempts = 0;
                    Next::In(end.since(now) + AFTER_END)
                }
                None => later(engine, revocation, None),
            }
        }
        Evidence::Unknown(words) => {
            revocation.proof.note(now, RevocationStep::Unreachable, words);
            later(engine, revocation, None)
        }
        Evidence::Unproven(words) => {
            revocation.proof.note(now, RevocationStep::Unproven, words);
            Next::Over
        }
        Evidence::Half(words) => {
            let open = "Whether the refresh token ended with the access token, nothing tells: a person makes sure at the provider.";
            revocation.proof.note(now, RevocationStep::Unproven, format!("{words} {open}"));
            revocation.state = RevocationState::Failed;
            Next::Over
        }
        Evidence::Nothing => Next::Over,
    }
}

/// It was taken. Says when it is looked at again, where the provider needs a while.
fn taken(revocation: &mut Revocation, material: &Material) -> Option<Next> {
    revocation.state = RevocationState::Revoked;
    revocation.attempts = 1;
    material.facts.revocation.settle_seconds.map(|seconds| Next::In(Duration::from_secs(seconds)))
}

/// The next try, or the end of all tries.
fn later(engine: &Engine, revocation: &mut Revocation, wait: Option<Duration>) -> Next {
    let tries = usize::try_from(revocation.attempts.max(1)).unwrap_or(usize::MAX);
    if let Some(pause) = PAUSES.get(tries - 1) {
        return Next::In(wait.map_or(*pause, |wait| wait.clamp(*pause, PAUSES[PAUSES.len() - 1])));
    }
    let words = match revocation.state {
        // It was taken, and nothing could be found out about it.
        RevocationState::Revoked => "Whether it has ended could not be found out.",
        RevocationState::Alive => "It is still answered, although the provider has taken it back.",
        _ => "The provider did not take it, however often it was asked.",
    };
    revocation.proof.note(engine.now(), RevocationStep::GivenUp, words);
    if revocation.state != RevocationState::Revoked {
        revocation.state = RevocationState::Failed;
    }
    Next::Over
}

async fn finish(engine: &Engine, scope: Scope, revocation: Revocation, next: Next) -> Result<(), Problem> {
    again!(engine, {
        let mut tx = engine.store().write(scope, Origin::Background).await?;
        let now = tx.clock(engine.now()).await?;
        let next_attempt_at = match next {
            Next::In(pause) => Some(now.plus(pause)),
            Next::Over => None,
        };
        let revocation = Revocation { next_attempt_at, ..revocation.clone() };
        // Whoever took over meanwhile writes down what came of that.
        tx.put_revocation(&revocation, Some(&engine.outbound().lease_owner), now).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

/// Puts tokens that were renewed on the way in place of those that a revocation keeps.
pub(super) async fn keep(engine: &Engine, scope: Scope, revocation: &Revocation, plain: &Secret) -> Result<(), Problem> {
    again!(engine, {
        let mut tx = engine.store().write(scope, Origin::Background).await?;
        let envelope = engine.seal(&mut tx, &sealing::revocation_place(revocation), plain).await?;
        tx.set_sealed_revocation(revocation.id, &engine.outbound().lease_owner, &envelope).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}
