//! What a change of an integration point would do to the integrations under it.

use std::collections::BTreeMap;

use patchbay_model::connector::Connector;
use patchbay_model::point::{IntegrationPoint, PointPolicy, Violation, ViolationReason};
use patchbay_model::{AccountId, Environment, Fullname, IntegrationId, Name, Operation, Problem, ProviderId};
use patchbay_store::PointMember;
use serde_json::Value;

use super::create::{allowed, connector_of, description};
use super::update::fixed_connector;
use super::{UpdatePoint, policy};
use crate::governance::{self, Subject};
use crate::{Engine, ManagementGrant, definition, reach};

/// Affected integrations that are named; all are counted.
const NAMED: usize = 100;
/// Integrations read at once.
const PAGE: u32 = 1000;

/// What a change would do.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// Integrations whose calls would be refused.
    pub affected: u64,
    /// Integrations whose calls are refused now and would not be any more.
    pub mended: u64,
    /// The affected ones by environment of their accounts.
    pub environments: BTreeMap<Environment, Effect>,
    /// The first of the affected ones, in the order of their names.
    pub integrations: Vec<Affected>,
    /// Why the change would not be made at all.
    pub refused: Option<Problem>,
}

/// What a change would do in one environment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effect {
    /// Integrations whose calls would be refused.
    pub affected: u64,
    /// For how many of them each reason holds; one integration can have several.
    pub reasons: BTreeMap<ViolationReason, u64>,
}

/// One integration whose calls would be refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Affected {
    /// Its id.
    pub id: IntegrationId,
    /// Its slug.
    pub name: Name,
    /// Its account.
    pub account_id: AccountId,
    /// That account's slug.
    pub account_name: Name,
    /// That account's environment.
    pub environment: Environment,
    /// Its provider.
    pub provider: ProviderId,
    /// What would stand in its way.
    pub violations: Vec<Violation>,
    /// Whether its calls are refused by the point as it is now, too.
    pub already: bool,
}

/// What the point would do to the integrations under it, were it as `change` says. Nothing is written.
///
/// # Errors
/// `not_found`, `permission_denied`; `invalid_field` and `invalid_config` for a point that could not be; problems of the store.
pub async fn preview(engine: &Engine, grant: &ManagementGrant, point: &str, change: UpdatePoint) -> Result<Preview, Problem> {
    grant.require(Operation::IntegrationPointsPreview, None)?;
    let mut tx = reach::reading(engine, grant).await?;
    let before = reach::point(&mut tx, point).await?;
    // What the change itself would refuse is refused here as well.
    if let Some(name) = change.name.as_deref().filter(|name| *name != before.name.as_str()) {
        Name::parse(name)?;
    }
    if let Some(fullname) = &change.fullname {
        Fullname::parse(fullname)?;
    }
    description(change.description)?;
    let connector = match &change.connector {
        Some(word) => connector_of(word)?,
        None => before.connector,
    };
    let catalog = engine.catalog_of(&mut tx).await?;
    let mut after = IntegrationPoint { connector, environments: allowed(&catalog, connector, change.environments)?, ..before.clone() };
    let policy = change.policy.unwrap_or_else(|| kept(&before, connector));
    after.policy = policy::checked(engine, &mut tx, connector, policy).await?;
    let mut preview = Preview { refused: fixed_connector(&before, Some(connector)).err(), ..Preview::default() };
    for environment in [Environment::Test, Environment::Prod] {
        preview.environments.insert(environment, Effect::default());
    }
    let locking = |point: &IntegrationPoint| -> Vec<ProviderId> {
        point.policy.providers.iter().filter(|(_, policy)| !policy.locked.is_empty()).map(|(provider, _)| provider.clone()).collect()
    };
    let mut configured = locking(&before);
    configured.extend(locking(&after));
    let mut last: Option<PointMember> = None;
    loop {
        let page = tx.point_members(before.id, &configured, last.as_ref().map(|member| (&member.name, member.id)), PAGE).await?;
        for member in &page {
            let definition = definition::pinned(engine, &mut tx, member.definition).await?;
            let subject = Subject { environment: member.environment, definition: &definition, config: member.config.as_ref().unwrap_or(&Value::Null) };
            let already = !governance::violations(&before, &subject).is_empty();
            preview.note(member, governance::violations(&after, &subject), already);
        }
        match page.into_iter().last() {
            Some(member) => last = Some(member),
            None => return Ok(preview),
        }
    }
}

/// A policy that is left as it is; under another connector its providers would have no meaning.
fn kept(before: &IntegrationPoint, connector: Connector) -> PointPolicy {
    if connector == before.connector { before.policy.clone() } else { PointPolicy::default() }
}

impl Preview {
    fn note(&mut self, member: &PointMember, violations: Vec<Violation>, already: bool) {
        if violations.is_empty() {
            self.mended += u64::from(already);
            return;
        }
        self.affected += 1;
        let effect = self.environments.entry(member.environment).or_default();
        effect.affected += 1;
        for reason in ViolationReason::ALL.into_iter().filter(|reason| violations.iter().any(|violation| violation.reason == *reason)) {
            *effect.reasons.entry(reason).or_default() += 1;
        }
        if self.integrations.len() < NAMED {
            self.integrations.push(Affected {
                id: member.id,
                name: member.name.clone(),
                account_id: member.account_id,
                account_name: member.account_name.clone(),
                environment: member.environment,
                provider: member.provider.clone(),
                violations,
                already,
            });
        }
    }
}
