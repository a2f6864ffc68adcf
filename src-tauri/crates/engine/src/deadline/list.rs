//! Lists deadlines.

use std::time::Duration;

use patchbay_model::deadline::{Actor, Deadline, DeadlineKind};
use patchbay_model::{Operation, Problem, Scope, Timestamp};
use patchbay_store::{EndsQuery, ReadTx};

use super::assemble::{self, Ending};
use super::{DeadlineQuery, Deadlines, MOST};
use crate::{Engine, ManagementGrant, definition, reach};

/// Two years: no deadline in a calendar is of use that lies further ahead.
const CALENDAR: Duration = Duration::from_secs(2 * 366 * 86_400);

/// Lists what ends within a time, the earliest first, within the caller's reach: members, provider apps and sunsets to those who
/// may list these.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: DeadlineQuery) -> Result<Deadlines, Problem> {
    let tx = reach::listing(engine, grant, Operation::DeadlinesList).await?;
    gather(engine, grant, tx, query).await
}

/// Everything that a person has to see to, for a calendar.
///
/// # Errors
/// As [`list`].
pub async fn everything_for_people(engine: &Engine, grant: &ManagementGrant) -> Result<Deadlines, Problem> {
    let tx = reach::listing(engine, grant, Operation::DeadlinesFeed).await?;
    gather(engine, grant, tx, DeadlineQuery { within: CALENDAR, kinds: None, who: Some(Actor::Person), account: None, limit: MOST }).await
}

async fn gather(engine: &Engine, grant: &ManagementGrant, mut tx: ReadTx, query: DeadlineQuery) -> Result<Deadlines, Problem> {
    let now = engine.now();
    let until = now.plus(query.within);
    let limit = query.limit.clamp(1, MOST);
    let wanted = |kind: DeadlineKind| query.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
    let may = |operation| grant.require(operation, None).is_ok();
    let whole = query.account.is_none();
    let manual = query.who != Some(Actor::Patchbay);
    let ends = EndsQuery {
        now,
        until,
        kinds: query.kinds.as_ref().map(|kinds| kinds.iter().filter_map(|kind| kind.clock()).collect()),
        renewed: query.who != Some(Actor::Person),
        manual,
        account: query.account,
        // One more, to know whether there are more.
        limit: limit + 1,
    };
    let mut all: Vec<Deadline> = tx.credential_clocks(&ends).await?.into_iter().map(assemble::credential).collect();
    if whole && may(Operation::ProviderAppsList) {
        all.extend(tx.provider_app_clocks(&ends).await?.into_iter().map(assemble::provider_app));
    }
    if manual && wanted(DeadlineKind::Token) && may(Operation::TokensList) {
        all.extend(tx.token_ends(&ends).await?.into_iter().map(assemble::token));
    }
    if manual && whole && wanted(DeadlineKind::Member) && may(Operation::MembersList) && matches!(tx.scope(), Scope::Organization(_)) {
        all.extend(tx.member_ends(until, limit + 1).await?.into_iter().map(assemble::member));
    }
    if manual && wanted(DeadlineKind::Sunset) && may(Operation::DefinitionsList) {
        let used = tx.definitions_in_use(query.account).await?;
        drop(tx);
        all.extend(sunsets(engine, &used, until).await?);
    }
    Ok(assemble::together(all, usize::try_from(limit).unwrap_or_default()))
}

/// What providers take away from under the integrations that pin these definitions.
async fn sunsets(engine: &Engine, used: &[(patchbay_model::DefinitionId, u64)], until: Timestamp) -> Result<Vec<Deadline>, Problem> {
    let ids: Vec<_> = used.iter().map(|(id, _)| *id).collect();
    let definitions = definition::of_ids(engine, &ids).await?;
    let mut ends = Vec::new();
    for (id, integrations) in used {
        let Some(definition) = definitions.get(id) else { continue };
        let Some(provider) = engine.provider_of(definition) else { continue };
        for sunset in &provider.manifest().sunset {
            let Some(at) = sunset.from().filter(|at| *at < until) else { continue };
            ends.push(assemble::sunset(&Ending {
                provider: &definition.provider,
                fullname: provider.fullname(),
                version: &definition.version,
                what: &sunset.what,
                reason: &sunset.reason,
                instead: sunset.instead.as_deref(),
                at,
                integrations: *integrations,
            }));
        }
    }
    Ok(ends)
}
