//! Connector calls: one operation of a unified API, run at the provider of one integration.

pub(crate) mod drive;
mod local;
mod metered;
pub(crate) mod opened;
pub(crate) mod places;
mod plan;
mod probe;
pub(crate) mod request;
pub(crate) mod sealed;
pub(crate) mod status;

use patchbay_model::connector::ticketing::{TicketingAnswer, TicketingOperation};
use patchbay_model::integration::IntegrationStatus;
use patchbay_model::{Code, Problem};
use patchbay_store::count_operations;

pub(crate) use plan::{kept_of, settings_of, whole_settings};
pub(crate) use probe::{Draft, Proof, located, prove};

use crate::http::{Exchange, Mask, Recorder};
use crate::usage::{CallUse, Caller};
use crate::{ConnectorGrant, Engine, refresh};

/// How to run a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallOptions {
    /// Whether to write down what went to the provider and what came back.
    pub trace: bool,
}

/// What a call gave.
#[derive(Clone, Debug)]
pub struct CallOutcome {
    /// The unified answer.
    pub answer: TicketingAnswer,
    /// What the provider could not do of it, for `messages.problems`.
    pub notices: Vec<Problem>,
    /// What went to the provider and came back, secrets covered; empty unless asked for.
    pub exchanges: Vec<Exchange>,
}

/// A call made to be looked at: what it gave or why it failed, and all that went over the wire.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The unified answer, or the problem.
    pub answer: Result<TicketingAnswer, Problem>,
    /// What the provider could not do of it.
    pub notices: Vec<Problem>,
    /// What went to the provider and came back, secrets covered.
    pub exchanges: Vec<Exchange>,
}

/// What a provider said to a credential.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProbeOutcome {
    /// The provider's id of whom the credential belongs to, where it says one.
    pub id: Option<String>,
    /// The name of whom it belongs to, where it says one.
    pub name: Option<String>,
    /// The e-mail address of whom it belongs to, where it says one.
    pub email: Option<String>,
}

impl Engine {
    /// Runs one ticketing operation.
    ///
    /// # Errors
    /// `operation_unsupported` before any request; `integration_not_active` or `needs_reconnect` by the integration's status;
    /// `provider_not_allowed` when its point no longer allows the provider; what the provider or the way to it brings.
    pub async fn call_ticketing(&self, grant: &ConnectorGrant, operation: TicketingOperation, options: CallOptions) -> Result<CallOutcome, Problem> {
        let Trial { answer, notices, exchanges } = run(self, grant, operation, options).await;
        Ok(CallOutcome { answer: answer?, notices, exchanges })
    }

    /// Runs one ticketing operation to look at it; the exchanges are there when it fails, too.
    pub async fn try_ticketing(&self, grant: &ConnectorGrant, operation: TicketingOperation) -> Trial {
        run(self, grant, operation, CallOptions { trace: true }).await
    }
}

/// What is known of a call when it ends, for the counters.
struct Seen {
    caller: Caller,
    connected: bool,
    status: IntegrationStatus,
    api_ops: u64,
    in_bytes: usize,
    out_bytes: usize,
}

/// Runs a call and counts what it used. One of an integration that is gone belongs to nobody's counters.
async fn run(engine: &Engine, grant: &ConnectorGrant, operation: TicketingOperation, options: CallOptions) -> Trial {
    let mut seen = None;
    let ((trial, db_ops), worked) = metered::metered(count_operations(attempt(engine, grant, operation, options, &mut seen))).await;
    if let Some(Seen { caller, connected, status, api_ops, in_bytes, out_bytes }) = seen {
        let bytes = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let failure = trial.answer.as_ref().err().map(|problem| (problem.code, problem.message.clone()));
        engine.note_use(caller, CallUse { failure, connected, status, worked, db_ops, api_ops, in_bytes: bytes(in_bytes), out_bytes: bytes(out_bytes) });
    }
    trial
}

async fn attempt(engine: &Engine, grant: &ConnectorGrant, operation: TicketingOperation, options: CallOptions, seen: &mut Option<Seen>) -> Trial {
    let failed = |problem| Trial { answer: Err(problem), notices: Vec::new(), exchanges: Vec::new() };
    let scope = grant.scope();
    let plan = match plan::load(engine, scope, grant.integration()).await {
        Ok(plan) => plan,
        Err(problem) => return failed(problem),
    };
    let caller = Caller { organization: plan.integration.organization_id, account: plan.integration.account_id, integration: plan.integration.id };
    let seen = seen.insert(Seen { caller, connected: false, status: plan.integration.status, api_ops: 0, in_bytes: 0, out_bytes: 0 });
    let provider = std::sync::Arc::clone(&plan.provider);
    let name = operation.name();
    let checked = if provider.supports(name) {
        plan.integration.callable().and_then(|()| plan.governed())
    } else {
        Err(Problem::new(
            Code::OperationUnsupported,
            format!("{} does not offer `{name}`. GET /v1/capabilities/providers/{} lists what it offers.", provider.fullname(), provider.id()),
        ))
    };
    if let Err(problem) = checked {
        return failed(problem);
    }
    let opened = match plan.open(engine, scope).await {
        Ok(opened) => opened,
        Err(problem) => return failed(problem),
    };
    let recorder = options.trace.then(|| {
        let mut mask = Mask::default();
        opened.cover(&mut mask);
        Recorder::new(mask)
    });
    let mut drive = plan.drive(engine, scope, name, opened, recorder);
    let answer = match plan.locate(&mut drive).await {
        Ok(located) => match provider.ticketing(operation, &drive.adapter_context(located)) {
            Ok(step) => drive.run(step).await,
            Err(problem) => Err(problem),
        },
        Err(problem) => Err(problem),
    };
    let answer = answer.map_err(|problem| drive.covered(problem));
    (seen.api_ops, seen.in_bytes, seen.out_bytes) = (drive.state.operations, drive.state.received, drive.state.sent);
    seen.connected = drive.state.accepted || answer.is_ok();
    seen.status = plan.conclude(engine, scope, &drive, answer.is_ok()).await;
    Trial { answer, notices: std::mem::take(&mut drive.state.notices), exchanges: drive.recorder.map(Recorder::into_exchanges).unwrap_or_default() }
}

impl plan::Plan {
    /// Writes down what the call told about the integration, and gives its status then. Trouble with that is no trouble of
    /// the call.
    async fn conclude(&self, engine: &Engine, scope: patchbay_model::Scope, drive: &drive::Drive<'_>, succeeded: bool) -> IntegrationStatus {
        if let (true, opened::Opened::Tokens { credential, set }) = (drive.state.accepted, &drive.opened)
            && let Err(problem) = refresh::proven(engine, scope, credential.id, set, drive.option()).await
        {
            tracing::warn!(%problem, "the set of tokens before the last renewal could not be forgotten");
        }
        let Some(to) = status::after_call(self.integration.status, &drive.state, succeeded) else { return self.integration.status };
        if let Err(problem) = status::write(engine, scope, &self.integration, to).await {
            tracing::warn!(%problem, integration = %self.integration.id, "the status after a call could not be written");
        }
        to
    }
}
