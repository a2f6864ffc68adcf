//! Shows the renewals of an integration's tokens.

use patchbay_model::refresh::{Fp, RefreshReason, RefreshStep, StepTaken};
use patchbay_model::{CredentialId, Operation, Problem};
use serde_json::Value;
use uuid::Uuid;

use crate::{Engine, ManagementGrant, reach};

/// Attempts that are shown.
const SHOWN: usize = 100;
/// Steps that are read for them; an attempt has six.
const READ: u32 = 800;

/// One intended request to a token endpoint, and what came of it.
#[derive(Clone, Debug)]
pub struct JournalAttempt {
    /// Its id.
    pub id: Uuid,
    /// The name of the token that was to be renewed; `main` is the one that calls carry.
    pub token: String,
    /// The process that made it.
    pub owner: String,
    /// Why; none where nothing was to be sent.
    pub reason: Option<RefreshReason>,
    /// How often its token was or may have been sent without an outcome, this attempt among them.
    pub sends: u32,
    /// The last step.
    pub outcome: RefreshStep,
    /// The refresh token that was to be sent.
    pub before: Option<Fp>,
    /// The one that came.
    pub after: Option<Fp>,
    /// In their order.
    pub steps: Vec<StepTaken>,
}

/// The renewals of an integration's tokens, the newest first.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn journal(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Vec<JournalAttempt>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (_, integration) = reach::permitted(&mut tx, grant, Operation::IntegrationsJournal, account, integration).await?;
    let credential = integration.config.pointer("/credential/value").and_then(Value::as_str).and_then(|id| id.parse::<CredentialId>().ok());
    let Some(credential) = credential else { return Ok(Vec::new()) };
    Ok(attempts(tx.refresh_steps(credential, READ).await?))
}

/// Steps, newest first, by their attempts.
fn attempts(steps: Vec<StepTaken>) -> Vec<JournalAttempt> {
    let mut attempts: Vec<(Uuid, Vec<StepTaken>)> = Vec::new();
    for taken in steps {
        match attempts.iter().position(|(id, _)| *id == taken.step.attempt) {
            Some(place) => attempts[place].1.push(taken),
            None if attempts.len() == SHOWN => break,
            None => attempts.push((taken.step.attempt, vec![taken])),
        }
    }
    attempts.into_iter().filter_map(|(id, steps)| attempt(id, steps)).collect()
}

fn attempt(id: Uuid, mut steps: Vec<StepTaken>) -> Option<JournalAttempt> {
    steps.sort_by_key(|taken| taken.number);
    let (first, last) = (steps.first()?.step.clone(), steps.last()?.step.step);
    let noted = |name: &str| first.note.as_ref().and_then(|note| note.get(name)).cloned();
    Some(JournalAttempt {
        id,
        reason: noted("reason").and_then(|word| serde_json::from_value(word).ok()),
        sends: noted("sends").and_then(|number| number.as_u64()).and_then(|number| u32::try_from(number).ok()).unwrap_or_default(),
        outcome: last,
        before: first.fp,
        after: steps.iter().find_map(|taken| taken.step.next_fp),
        token: first.token,
        owner: first.owner,
        steps,
    })
}
