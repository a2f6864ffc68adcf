//! `overview.get`, impacts, `configuration.export`

use patchbay_engine::configuration::{self, ExportOptions, SecretsMode};
use patchbay_engine::{audit, deletion, organization, overview};
use patchbay_model::list::{Direction, ListQuery, Order};
use patchbay_model::{Operation, Problem, ProviderId};

use super::{Bare, With};
use crate::handle::integration::views;
use crate::request::{Expand, MaybeJson};
use crate::wire::audit::Audit;
use crate::wire::envelope::Answer;
use crate::wire::overview::{CallCounts, Count, ExportConfiguration, ExportedConfiguration, Impact, Overview, ProviderCount};

/// Audit events shown on the overview.
const RECENT: u32 = 10;

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<Overview>, Problem> {
    let overview = overview::get(call.engine, call.grant).await?;
    let recent = if call.grant.require(Operation::AuditList, None).is_ok() {
        let newest = ListQuery { limit: Some(RECENT), orders: vec![Order { field: "created_at".to_owned(), direction: Direction::Desc }], ..ListQuery::default() };
        audit::list(call.engine, call.grant, newest).await?.items
    } else {
        Vec::new()
    };
    Ok(Answer::of(Overview {
        accounts: overview.accounts,
        test_accounts: overview.test_accounts,
        integration_points: overview.integration_points,
        integrations: overview.integrations,
        members: overview.members,
        last_hour: CallCounts { requests: overview.last_hour.requests, failed: overview.last_hour.failed },
        by_status: counts(overview.by_status),
        by_provider: overview.by_provider.into_iter().filter_map(|(provider, count)| ProviderId::parse(&provider).ok().map(|provider| ProviderCount { provider, count })).collect(),
        attention: views(call.engine, call.grant, overview.attention, &Expand::default()).await?,
        recent: recent.into_iter().map(|event| Audit::view(call.engine, event)).collect(),
    }))
}

fn counts(counts: Vec<(String, u64)>) -> Vec<Count> {
    counts.into_iter().map(|(kind, count)| Count { kind, count }).collect()
}

pub(crate) fn impact_view(impact: deletion::Impact) -> Answer<Impact> {
    // The wire names kinds in the singular, as `resources[].type` does; the verb counts rows of tables.
    let takes = impact.counts.into_iter().filter(|(_, count)| *count > 0).map(|(kind, count)| Count { kind: kind.strip_suffix('s').unwrap_or(&kind).to_owned(), count });
    Answer::of(Impact { takes: takes.collect(), used_by: impact.users, affects: impact.affects, used_today: impact.used_today })
}

pub(crate) async fn export(call: With<'_, MaybeJson<ExportConfiguration>>) -> Result<Answer<ExportedConfiguration>, Problem> {
    let body = call.body.0.unwrap_or_default();
    let secrets = match (body.secrets.as_deref(), body.recipient) {
        (None | Some("omitted"), _) => SecretsMode::Omitted,
        (Some("sealed"), Some(recipient)) => SecretsMode::Sealed { recipient },
        (Some("sealed"), None) => return Err(Problem::field("/recipient", "Sealing secrets needs an age recipient. Give one that begins with age1.")),
        _ => return Err(Problem::field("/secrets", "The field `secrets` must be omitted or sealed.")),
    };
    let content = configuration::export(call.engine, call.grant, ExportOptions { secrets }).await?;
    let name = organization::get(call.engine, call.grant).await?.name;
    Ok(Answer::of(ExportedConfiguration { file_name: format!("{name}.patchbay.yaml"), content }))
}
