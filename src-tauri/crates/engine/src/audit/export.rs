//! Reads the whole log, or what filters leave of it, page by page: whoever writes it out holds one page at a time.

use patchbay_model::audit::AuditEvent;
use patchbay_model::list::{Filter, ListQuery, Operator};
use patchbay_model::{Operation, Problem};

use super::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Rows that are read at once.
const PAGE: u32 = 200;

/// An export under way.
pub struct Export {
    engine: Engine,
    grant: ManagementGrant,
    query: ListQuery,
    ready: Option<Vec<AuditEvent>>,
}

/// Begins an export: the query is understood, and the first page read, before anything is answered. It ends with what the
/// log holds now, its own row among it, so that a busy log cannot keep it going for ever.
///
/// # Errors
/// `permission_denied`, also for a caller that is narrowed to some accounts; problems of the query and the store.
pub async fn export(engine: &Engine, grant: &ManagementGrant, mut query: ListQuery) -> Result<Export, Problem> {
    grant.require(Operation::AuditExport, None)?;
    query.limit = Some(PAGE);
    query.total = false;
    let mut export = Export { engine: engine.clone(), grant: grant.clone(), query, ready: None };
    // A query that cannot be is refused before the export is noted as done.
    export.page().await?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::AuditExport)).await?;
    tx.commit().await?;
    export.query.filters.push(Filter { field: "created_at".to_owned(), operator: Operator::Lte, values: vec![engine.now().to_string()] });
    let (rows, next) = export.page().await?;
    export.query.start_after = next;
    export.ready = Some(rows);
    Ok(export)
}

impl Export {
    /// The next rows; none at the end.
    ///
    /// # Errors
    /// Problems of the store.
    pub async fn next(&mut self) -> Result<Option<Vec<AuditEvent>>, Problem> {
        if let Some(rows) = self.ready.take() {
            return Ok(Some(rows));
        }
        if self.query.start_after.is_none() {
            return Ok(None);
        }
        let (rows, next) = self.page().await?;
        self.query.start_after = next;
        Ok(Some(rows))
    }

    /// Where to go on behind the rows that were given; none when there are no more.
    pub fn start_after(&self) -> Option<&str> {
        self.query.start_after.as_deref()
    }

    async fn page(&self) -> Result<(Vec<AuditEvent>, Option<String>), Problem> {
        let page = reach::listing(&self.engine, &self.grant, Operation::AuditExport).await?.audit_events(&self.query).await?;
        Ok((page.items, page.next))
    }
}
