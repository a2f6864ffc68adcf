//! Connector calls: one operation of a unified API, run at the provider of one integration.

use patchbay_model::connector::ticketing::{TicketingAnswer, TicketingOperation};
use patchbay_model::credential::{Credential, CredentialKind};
use patchbay_model::integration::Integration;
use patchbay_model::{Problem, Secret};

use crate::http::Exchange;
use crate::{ConnectorGrant, Engine};

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
    /// What went to the provider and came back, secrets covered; empty unless asked for.
    pub exchanges: Vec<Exchange>,
}

/// A call made to be looked at: what it gave or why it failed, and all that went over the wire.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The unified answer, or the problem.
    pub answer: Result<TicketingAnswer, Problem>,
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
}

/// A connection that is not stored, or not stored like this, to be tested.
pub(crate) struct Draft {
    /// The integration as it would be; its configuration holds the settings alone.
    pub(crate) integration: Integration,
    /// The stored credential that it would use.
    pub(crate) credential: Option<Credential>,
    /// Or what was entered: kind, fields that are no secret, JSON object of those that are.
    pub(crate) entered: Option<(CredentialKind, serde_json::Map<String, serde_json::Value>, Secret)>,
}

impl Engine {
    /// Runs one ticketing operation.
    ///
    /// # Errors
    /// `operation_unsupported` before any request; `integration_not_active` or `needs_reconnect` by the integration's status;
    /// `provider_not_allowed` when its point no longer allows the provider; what the provider or the way to it brings.
    pub async fn call_ticketing(&self, grant: &ConnectorGrant, operation: TicketingOperation, options: CallOptions) -> Result<CallOutcome, Problem> {
        let _ = (grant, operation, options);
        Err(crate::pending(self))
    }

    /// Runs one ticketing operation to look at it; the exchanges are there when it fails, too.
    pub async fn try_ticketing(&self, grant: &ConnectorGrant, operation: TicketingOperation) -> Trial {
        let _ = (grant, operation);
        Trial { answer: Err(crate::pending(self)), exchanges: Vec::new() }
    }

    /// Asks the provider whom the integration's credential belongs to. Moves the integration to `active` when that works and
    /// to `needs_attention` when the credential or the configuration is refused; a paused one is only asked.
    ///
    /// # Errors
    /// Why the connection does not work.
    pub async fn probe(&self, integration: &Integration) -> Result<ProbeOutcome, Problem> {
        let _ = integration;
        Err(crate::pending(self))
    }

    /// Asks the provider whom a credential belongs to, without storing anything.
    ///
    /// # Errors
    /// Why the connection does not work.
    pub(crate) async fn probe_draft(&self, draft: Draft) -> Result<ProbeOutcome, Problem> {
        let Draft { integration, credential, entered } = draft;
        let _ = (integration, credential, entered);
        Err(crate::pending(self))
    }
}
