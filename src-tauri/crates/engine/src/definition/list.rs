//! Lists definitions.

use std::collections::HashMap;

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{Operation, Problem};

use super::Counted;
use crate::{Engine, ManagementGrant, reach};

/// Lists the definitions of the store: every version of every provider that it has known.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<Counted>, Problem> {
    let mut tx = reach::listing(engine, grant, Operation::DefinitionsList).await?;
    let page = tx.definitions_page(&query).await?;
    let ids: Vec<_> = page.items.iter().map(|definition| definition.id).collect();
    let counts: HashMap<_, _> = tx.count_pinned(&ids).await?.into_iter().collect();
    let items = page.items.into_iter().map(|definition| Counted { integrations: counts.get(&definition.id).copied().unwrap_or_default(), definition }).collect();
    Ok(Listed { items, total: page.total, next: page.next })
}
