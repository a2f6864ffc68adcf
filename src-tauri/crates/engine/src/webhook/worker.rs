//! Sending what is due, in whichever process has the store open.
//!
//! Of one webhook at most one delivery is under way, over all processes, in the order in which they fall due; many webhooks
//! are served side by side, so that one that does not answer holds up nobody else.

use std::collections::HashSet;
use std::time::Duration;

use patchbay_model::change::{Change, ChangeKind};
use patchbay_model::webhook::{Attempt, OrganizationWebhook};
use patchbay_model::{Origin, Problem, Scope, WebhookId};
use patchbay_store::{DueWebhook, Outcome, Secrets};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

use super::send::{self, PATIENCE, Parcel, Signing};
use crate::Engine;
use crate::call::sealed;
use crate::contention::again;
use crate::engine::{Stopping, WeakEngine};

/// Webhooks served side by side.
const WIDTH: usize = 32;
/// Longer than an attempt and the writing down of what came of it.
pub(super) const LEASE: Duration = Duration::from_secs(2 * PATIENCE.as_secs());
/// How long a process looks around before it begins: a command that is over at once has no business with webhooks.
const SETTLE: Duration = Duration::from_millis(500);
/// How often the store is asked without a reason, should the clock have jumped.
const LOOK: Duration = Duration::from_secs(30);
/// How long what is under way may take when the program ends.
const GRACE: Duration = Duration::from_secs(3);
/// How often the writing down of an attempt is tried.
const TRIES: u32 = 3;

/// Error of an attempt whose process ended without writing down what came of it.
const LOST: &str = "Patchbay ended while this attempt was under way, so that its answer is not known.";
/// The same when it ended in good order.
const STOPPED: &str = "Patchbay was shut down before an answer came.";

/// What is under way in this process.
#[derive(Default)]
struct Sending {
    busy: HashSet<WebhookId>,
    tasks: JoinSet<WebhookId>,
}

impl Sending {
    /// Claims and begins what is due, as far as there is room. Gives in how long something else will be due.
    async fn begin_due(&mut self, engine: &Engine) -> Result<Option<Duration>, Problem> {
        let mut tx = engine.store().read(Scope::System).await?;
        let (due, now) = (tx.due_webhooks().await?, tx.clock(engine.now()).await?);
        drop(tx);
        for webhook in due {
            if self.busy.contains(&webhook.webhook_id) {
                continue;
            }
            if webhook.due > now {
                return Ok(Some(webhook.due.since(now)));
            }
            if self.tasks.len() >= WIDTH {
                return Ok(None);
            }
            let Some(parcel) = again!(engine, { claim(engine, webhook).await }) else { continue };
            self.busy.insert(webhook.webhook_id);
            let engine = engine.clone();
            self.tasks.spawn(async move {
                deliver(&engine, &parcel).await;
                parcel.webhook.id
            });
        }
        Ok(None)
    }

    /// Waits until one has ended; for ever when none is under way.
    async fn one_ended(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(webhook)) => {
                self.busy.remove(&webhook);
            }
            // A task that panicked cannot say whose it was; its lease ends by itself.
            Some(Err(_)) => self.busy.clear(),
            None => std::future::pending().await,
        }
    }
}

/// Runs until the engine stops.
pub(crate) async fn run(engine: WeakEngine, mut changes: broadcast::Receiver<Change>, mut stopping: Stopping) {
    tokio::select! {
        () = tokio::time::sleep(SETTLE) => {}
        () = stopping.stopped() => return,
    }
    let mut sending = Sending::default();
    loop {
        let Some(strong) = engine.upgrade() else { return };
        let next = match sending.begin_due(&strong).await {
            Ok(next) => next.map_or(LOOK, |wait| wait.min(LOOK)),
            Err(problem) => {
                tracing::warn!(code = problem.code.as_str(), "webhooks could not be served and will be tried again");
                LOOK
            }
        };
        drop(strong);
        tokio::select! {
            () = tokio::time::sleep(next) => {}
            () = sending.one_ended() => {}
            () = news(&mut changes) => {}
            () = stopping.stopped() => break,
        }
    }
    let ended = async { while sending.tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        sending.tasks.shutdown().await;
        if let Some(engine) = engine.upgrade()
            && let Err(problem) = release(&engine).await
        {
            tracing::warn!(code = problem.code.as_str(), "deliveries under way could not be given back; another process takes them over when their lease ends");
        }
    }
}

/// Waits for something that may be due.
async fn news(changes: &mut broadcast::Receiver<Change>) {
    loop {
        match changes.recv().await {
            Ok(change) if matches!(change.kind, ChangeKind::WebhookDelivery | ChangeKind::OrganizationWebhook) => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Sends everything that is due now, and what falls due meanwhile, without waiting for what is due later. Gives how many
/// attempts were made. Processes that are open do this by themselves; it is for those that are not, and for tests.
///
/// # Errors
/// Problems of the store.
pub async fn deliver_due(engine: &Engine) -> Result<usize, Problem> {
    let mut sending = Sending::default();
    let mut made = 0;
    loop {
        sending.begin_due(engine).await?;
        if sending.tasks.is_empty() {
            return Ok(made);
        }
        sending.one_ended().await;
        made += 1;
    }
}

/// Takes the lease on the first due delivery of a webhook, with all that is needed to send it.
async fn claim(engine: &Engine, webhook: DueWebhook) -> Result<Option<Parcel>, Problem> {
    let mut tx = engine.store().write_secrets(Scope::Organization(webhook.organization_id), Origin::Background).await?;
    let now = tx.clock(engine.now()).await?;
    let Some(delivery) = tx.claim_delivery(webhook.webhook_id, &engine.outbound().lease_owner, now, now.plus(LEASE), LOST).await? else { return Ok(None) };
    let Some(webhook) = tx.webhook(webhook.webhook_id).await? else { return Ok(None) };
    let payload = tx.delivery_payload(delivery.id).await?;
    let signing = signing(engine, tx.secrets(), &webhook).await?;
    tx.commit().await?;
    Ok(Some(Parcel { delivery, webhook, payload, signing, rehearsal: false }))
}

/// The credential that signs for a webhook, opened; or why it cannot be.
///
/// # Errors
/// Problems of the store.
pub(super) async fn signing(engine: &Engine, mut tx: Secrets<'_>, webhook: &OrganizationWebhook) -> Result<Signing, Problem> {
    let missing = || "The credential of the webhook is missing, so nothing can be signed. Give the webhook another one.".to_owned();
    let Some(credential) = tx.credential(webhook.credential_id).await? else { return Ok(Err(missing())) };
    let Some(envelope) = tx.sealed_credential(&credential).await? else { return Ok(Err(missing())) };
    let secret = sealed::open_in(engine, &mut tx, &credential, &envelope).await.and_then(|plain| send::secret_of(&plain));
    Ok(secret.map(|secret| (credential, secret)).map_err(|problem| problem.message))
}

/// Sends and writes down what came of it.
pub(super) async fn deliver(engine: &Engine, parcel: &Parcel) {
    let (attempt, outcome) = send::attempt(engine, parcel).await;
    if let Some(error) = &attempt.error {
        tracing::info!(delivery = %parcel.delivery.id, webhook = %parcel.webhook.id, attempt = attempt.number, status = attempt.status, error, "a delivery failed");
    }
    for turn in 1..=TRIES {
        match finish(engine, parcel, &attempt, &outcome).await {
            Ok(()) => return,
            // The lease ends, and it is sent again: at least once.
            Err(problem) if turn == TRIES => tracing::warn!(delivery = %parcel.delivery.id, code = problem.code.as_str(), "what came of a delivery could not be written down"),
            Err(_) => {}
        }
    }
}

async fn finish(engine: &Engine, parcel: &Parcel, attempt: &Attempt, outcome: &Outcome) -> Result<(), Problem> {
    again!(engine, {
        let mut tx = engine.store().write(Scope::Organization(parcel.delivery.organization_id), Origin::Background).await?;
        // What is due later is so by the clock that all processes share.
        let outcome = match outcome {
            Outcome::Again(at) => Outcome::Again(tx.clock(engine.now()).await?.plus(at.since(engine.now()))),
            other => other.clone(),
        };
        tx.finish_delivery(parcel.delivery.id, &engine.outbound().lease_owner, attempt, &outcome).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

/// Gives back what this process has under way.
async fn release(engine: &Engine) -> Result<(), Problem> {
    again!(engine, {
        let mut tx = engine.store().write(Scope::System, Origin::Background).await?;
        let now = tx.clock(engine.now()).await?;
        tx.release_deliveries(&engine.outbound().lease_owner, now, STOPPED).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}
