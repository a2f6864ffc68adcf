//! Reads the overview.

use std::time::Duration;

use patchbay_model::integration::IntegrationStatus;
use patchbay_model::list::{Direction, Filter, ListQuery, Operator, Order};
use patchbay_model::status::CallSums;
use patchbay_model::{Operation, Problem};

use super::Overview;
use crate::{Engine, ManagementGrant, reach};

/// How far back calls are summed up.
const HOUR: Duration = Duration::from_secs(3600);
/// Integrations shown that need a person.
const ATTENTION: u32 = 20;

/// Reads the overview, within the caller's reach.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant) -> Result<Overview, Problem> {
    let mut tx = reach::listing(engine, grant, Operation::OverviewGet).await?;
    let count = |filters: Vec<Filter>| ListQuery { filters, limit: Some(1), total: true, ..ListQuery::default() };
    let is = |field: &str, values: &[&str]| Filter {
        field: field.to_owned(),
        operator: if values.len() == 1 { Operator::Eq } else { Operator::In },
        values: values.iter().map(|&value| value.to_owned()).collect(),
    };

    let accounts = tx.accounts(&count(Vec::new())).await?.total.unwrap_or_default();
    let test_accounts = tx.accounts(&count(vec![is("environment", &["test"])])).await?.total.unwrap_or_default();
    let mut by_status = Vec::new();
    for word in ["active", "needs_attention", "awaiting_consent", "draft", "paused", "revoked"] {
        let number = tx.integrations(None, &count(vec![is("status", &[word])])).await?.total.unwrap_or_default();
        if number > 0 {
            by_status.push((word.to_owned(), number));
        }
    }
    let integrations = by_status.iter().map(|(_, number)| number).sum();
    let mut by_provider = tx.count_integrations_by_provider().await?;
    by_provider.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let integration_points = tx.points(&count(Vec::new())).await?.total.unwrap_or_default();
    let members = match grant.require(Operation::MembersList, None) {
        Ok(()) => tx.members(&count(Vec::new())).await?.total,
        Err(_) => None,
    };
    let waiting = ListQuery {
        filters: vec![is("status", &[IntegrationStatus::AwaitingConsent.as_str(), "needs_attention"])],
        orders: vec![Order { field: "updated_at".to_owned(), direction: Direction::Desc }],
        limit: Some(ATTENTION),
        ..ListQuery::default()
    };
    let attention = tx.integrations(None, &waiting).await?.items;
    let mut last_hour = CallSums::default();
    let now = engine.now();
    for minute in tx.status_minutes(None, now.minus(HOUR), now).await? {
        last_hour.add(&minute.used);
    }
    Ok(Overview { accounts, test_accounts, integrations, by_status, by_provider, integration_points, members, last_hour, attention })
}
