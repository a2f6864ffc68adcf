//! What an integration point says of an integration: the one place that compares the two. It is asked when an integration is
//! made, changed, tested and moved between versions, at every call, and when somebody wants to know what a change of the
//! point would do.

use patchbay_model::definition::Definition;
use patchbay_model::integration::Integration;
use patchbay_model::point::{IntegrationPoint, Violation, ViolationReason};
use patchbay_model::{Code, Environment, Problem};
use serde_json::Value;

/// What of an integration a point governs.
pub(crate) struct Subject<'a> {
    /// Of the account.
    pub(crate) environment: Environment,
    /// The definition that it pins.
    pub(crate) definition: &'a Definition,
    /// The whole configuration.
    pub(crate) config: &'a Value,
}

/// Everything in which an integration contradicts a point; nothing when the point allows it.
pub(crate) fn violations(point: &IntegrationPoint, subject: &Subject<'_>) -> Vec<Violation> {
    let Subject { environment, definition, config } = subject;
    let mut found = Vec::new();
    if definition.connector != point.connector {
        let message = format!(
            "Integration point `{}` governs the connector `{}`, and {} belongs to `{}`. Use another point.",
            point.name,
            point.connector.as_str(),
            definition.provider,
            definition.connector.as_str()
        );
        found.push(Violation { reason: ViolationReason::Connector, member: None, message });
    }
    if !point.allows(*environment, &definition.provider) {
        let message = format!(
            "Integration point `{}` does not allow {} for `{}` accounts. Allow it in the point's `{}` environment, or use another point.",
            point.name,
            definition.provider,
            environment.as_str(),
            environment.as_str()
        );
        found.push(Violation { reason: ViolationReason::ProviderNoLongerAllowed, member: None, message });
    }
    for (member, locked) in locked(point, definition) {
        if config.get(member) != Some(locked) {
            let message =
                format!("Integration point `{}` locks `{member}` to {}, and the integration has {}. Update the integration.", point.name, shown(locked), held(config.get(member)));
            found.push(Violation { reason: ViolationReason::LockedValueDiffers, member: Some(member.to_owned()), message });
        }
    }
    found
}

/// Members that a point locks, of those that this version of the provider knows: what a version does not have cannot be held to a value.
pub(crate) fn locked<'a>(point: &'a IntegrationPoint, definition: &'a Definition) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let members = point.policy_of(&definition.provider).into_iter().flat_map(|policy| &policy.locked);
    members.map(|(member, value)| (member.as_str(), value)).filter(|(member, _)| definition.config_member(member).is_some())
}

/// The refusal of a call by the first contradiction.
pub(crate) fn refusal(integration: &Integration, point: &IntegrationPoint, violation: &Violation) -> Problem {
    Problem::new(Code::ProviderNotAllowed, format!("Integration `{}` may not be used. {}", integration.name, violation.message))
        .with_resource("integration", integration.id, "affected")
        .with_resource("integration_point", point.id, "cause")
}

/// A value of a configuration for a sentence; long ones are cut. Configurations hold no secrets.
pub(crate) fn shown(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    let cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() { format!("`{cut}...`") } else { format!("`{cut}`") }
}

fn held(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_owned(), shown)
}
