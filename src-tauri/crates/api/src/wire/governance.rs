//! What a change of an integration point would do, on the wire.
#![expect(missing_docs, reason = "what a member is says its type; the others have words")]

use patchbay_model::point::Violation;
use patchbay_model::{AccountId, Environment, IntegrationId, Name, ProviderId};
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use super::problem::Problem;

/// What a point would do to the integrations under it, were it as sent.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct PointPreview {
    /// Integrations whose calls would be refused.
    pub affected: u64,
    /// Integrations whose calls are refused now and would not be any more.
    pub mended: u64,
    /// The affected ones by environment of their accounts.
    pub environments: PointEffects,
    /// The first 100 of the affected ones, in the order of their names.
    pub integrations: Vec<AffectedIntegration>,
    /// Why the change would not be made at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub refused: Option<Problem>,
}

#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct PointEffects {
    pub test: PointEffect,
    pub prod: PointEffect,
}

/// One integration can have several reasons, so these can be more than `affected` together.
#[derive(Clone, Copy, Debug, Default, Serialize, TS, JsonSchema)]
pub struct PointEffect {
    /// Integrations whose calls would be refused.
    pub affected: u64,
    pub connector: u64,
    pub provider_no_longer_allowed: u64,
    pub locked_value_differs: u64,
}

/// One integration whose calls would be refused.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct AffectedIntegration {
    pub id: IntegrationId,
    pub name: Name,
    pub account_id: AccountId,
    pub account_name: Name,
    pub environment: Environment,
    pub provider_type: ProviderId,
    /// What would stand in its way.
    pub violations: Vec<Violation>,
    /// Whether its calls are refused by the point as it is now, too.
    pub already: bool,
}
