//! How integrations fare: sums of their calls, what happened to them, and how their calls lie in time.

use crate::{AccountId, IntegrationId, OrganizationId, StatusEventId, Timestamp};

/// The sums of an integration's calls with its status; of one that was never called they are zeros.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IntegrationState {
    /// Whose.
    pub organization_id: OrganizationId,
    /// In which account.
    pub account_id: AccountId,
    /// Which integration.
    pub integration_id: IntegrationId,
    /// The word of its status.
    pub status: String,
    /// The sums.
    pub used: CallSums,
    /// Since when its calls are counted: its making, or the last reset.
    pub counted_since: Timestamp,
    /// When the integration was made.
    pub created_at: Timestamp,
    /// When the sums or the status last changed.
    pub updated_at: Timestamp,
}

/// What calls used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallSums {
    /// Calls, those among them that failed.
    pub requests: u64,
    /// Calls that ended in a problem.
    pub failed: u64,
    /// Microseconds in which Patchbay itself worked at them; waiting is not counted.
    pub cpu_time_us: u64,
    /// Transactions on the store.
    pub db_ops: u64,
    /// Requests to the provider.
    pub api_ops: u64,
    /// Bytes of bodies from the provider.
    pub in_bytes: u64,
    /// Bytes of bodies to the provider.
    pub out_bytes: u64,
}

impl CallSums {
    /// Adds another sum to this one.
    pub fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.failed = self.failed.saturating_add(other.failed);
        self.cpu_time_us = self.cpu_time_us.saturating_add(other.cpu_time_us);
        self.db_ops = self.db_ops.saturating_add(other.db_ops);
        self.api_ops = self.api_ops.saturating_add(other.api_ops);
        self.in_bytes = self.in_bytes.saturating_add(other.in_bytes);
        self.out_bytes = self.out_bytes.saturating_add(other.out_bytes);
    }
}

/// Something that happened to an integration: calls began to fail, fail in another way, or work again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatusEvent {
    /// Its id.
    pub id: StatusEventId,
    /// In which account.
    pub account_id: AccountId,
    /// Of which integration.
    pub integration_id: IntegrationId,
    /// When.
    pub created_at: Timestamp,
    /// The word of the integration's status behind it.
    pub status: String,
    /// The code of the problem; none when calls work again.
    pub code: Option<String>,
    /// The problem in words.
    pub error: Option<String>,
    /// Number of the call, counted like [`CallSums::requests`].
    pub request: u64,
}

/// What calls of one minute used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MinuteUse {
    /// Its first moment.
    pub minute: Timestamp,
    /// What they used; operations are not kept by the minute.
    pub used: CallSums,
}
