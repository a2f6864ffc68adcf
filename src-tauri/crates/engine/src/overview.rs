//! How things stand, on one page.

mod get;

use patchbay_model::integration::Integration;
use patchbay_model::status::CallSums;

pub use get::get;

/// Counts and what needs a person.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Overview {
    /// Accounts within reach.
    pub accounts: u64,
    /// Of these, test accounts.
    pub test_accounts: u64,
    /// Integrations within reach.
    pub integrations: u64,
    /// Integrations per status word.
    pub by_status: Vec<(String, u64)>,
    /// Integrations per provider id, most first.
    pub by_provider: Vec<(String, u64)>,
    /// Integration points.
    pub integration_points: u64,
    /// Members; nothing for a caller that may not list them.
    pub members: Option<u64>,
    /// What calls used in the last hour, as far as it is written (see [`crate::status`]).
    pub last_hour: CallSums,
    /// Integrations that need attention or wait for consent, latest first, at most 20.
    pub attention: Vec<Integration>,
}
