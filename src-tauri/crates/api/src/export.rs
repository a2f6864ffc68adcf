//! The audit log as a file: JSON Lines or CSV, written row by row, so that a million rows need no more memory than a page.

use patchbay_engine::audit::{self, Export};
use patchbay_engine::{Engine, ManagementGrant};
use patchbay_model::Problem;
use patchbay_model::audit::AuditEvent;
use patchbay_model::list::ListQuery;
use serde_json::Value;

use crate::request::{ExportOf, ReadQuery, Request};
use crate::wire::audit::{Audit, ExportFormat, ExportedAudit};

/// Most bytes of an export that is the result of a command; the next part begins behind it.
const LARGEST: usize = 4 << 20;

/// Columns of the CSV.
const COLUMNS: [&str; 24] = [
    "id",
    "created_at",
    "origin",
    "audit_type",
    "operation",
    "method",
    "path",
    "code",
    "status",
    "remote_addr",
    "user_agent",
    "member_id",
    "account_id",
    "environment",
    "integration_id",
    "object_kind",
    "object_id",
    "body",
    "response",
    "before",
    "after",
    "deletion_id",
    "undo_of",
    "undone_by",
];

impl ExportFormat {
    /// The media type of a file.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/x-ndjson; charset=utf-8",
            // RFC 4180 section 3.
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// A name for a file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Jsonl => "audit.jsonl",
            Self::Csv => "audit.csv",
        }
    }
}

/// An export under way, as text.
pub struct AuditExport {
    engine: Engine,
    format: ExportFormat,
    export: Export,
    begun: bool,
}

/// Begins an export with the parameters of a request.
///
/// # Errors
/// Problems of the request, and those of [`audit::export`].
pub async fn begin(engine: &Engine, grant: &ManagementGrant, request: &Request) -> Result<AuditExport, Problem> {
    let ExportOf { list, format } = ExportOf::read(request)?;
    of(engine, grant, list, format).await
}

/// Begins an export.
///
/// # Errors
/// Those of [`audit::export`].
pub async fn of(engine: &Engine, grant: &ManagementGrant, query: ListQuery, format: ExportFormat) -> Result<AuditExport, Problem> {
    Ok(AuditExport { engine: engine.clone(), format, export: audit::export(engine, grant, query).await?, begun: false })
}

impl AuditExport {
    /// How it is written.
    pub fn format(&self) -> ExportFormat {
        self.format
    }

    /// The next part of the text; none at the end.
    ///
    /// # Errors
    /// Problems of the store.
    pub async fn next(&mut self) -> Result<Option<String>, Problem> {
        let Some(rows) = self.export.next().await? else { return Ok(None) };
        let header = !std::mem::replace(&mut self.begun, true);
        match self.format {
            ExportFormat::Jsonl => self.lines(rows).map(Some),
            ExportFormat::Csv => self.cells(rows, header).map(Some),
        }
    }

    fn lines(&self, rows: Vec<AuditEvent>) -> Result<String, Problem> {
        let mut text = String::new();
        for row in rows {
            let (before, after) = (row.before.clone(), row.after.clone());
            let mut line = serde_json::to_value(Audit::view(&self.engine, row)).map_err(unwritable)?;
            if let Value::Object(members) = &mut line {
                members.extend([("before", before), ("after", after)].into_iter().filter_map(|(name, state)| state.map(|state| (name.to_owned(), state))));
            }
            text.push_str(&line.to_string());
            text.push('\n');
        }
        Ok(text)
    }

    fn cells(&self, rows: Vec<AuditEvent>, header: bool) -> Result<String, Problem> {
        // RFC 4180 section 2: lines end with CRLF.
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        if header {
            writer.write_record(COLUMNS).map_err(unwritable)?;
        }
        for row in rows {
            writer.write_record(record(row).map(harmless)).map_err(unwritable)?;
        }
        let bytes = writer.into_inner().map_err(unwritable)?;
        String::from_utf8(bytes).map_err(unwritable)
    }
}

fn unwritable(error: impl std::fmt::Display) -> Problem {
    Problem::internal(format_args!("a row of an export cannot be written: {error}"))
}

/// The cells of a row.
fn record(row: AuditEvent) -> [String; 24] {
    let json = |value: Option<Value>| value.map(|value| value.to_string()).unwrap_or_default();
    let id = |id: Option<String>| id.unwrap_or_default();
    [
        row.id.to_string(),
        row.created_at.to_string(),
        row.origin.as_str().to_owned(),
        row.audit_type,
        row.operation,
        row.method,
        row.path,
        row.status.to_string(),
        row.code,
        row.remote_addr,
        row.user_agent,
        id(row.member_id.map(|id| id.to_string())),
        id(row.account_id.map(|id| id.to_string())),
        row.environment.unwrap_or(patchbay_model::Environment::Prod).as_str().to_owned(),
        id(row.integration_id.map(|id| id.to_string())),
        row.object.map(|object| object.kind.as_str().to_owned()).unwrap_or_default(),
        id(row.object.map(|object| object.id.to_string())),
        json(row.body),
        json(row.response),
        json(row.before),
        json(row.after),
        id(row.deletion.map(|id| id.to_string())),
        id(row.undo_of.map(|id| id.to_string())),
        id(row.undone_by.map(|id| id.to_string())),
    ]
}

/// A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe in front, as OWASP's page on CSV
/// injection advises.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}

/// `audit.export` as a command: as much as fits, and where to go on.
///
/// # Errors
/// Those of [`begin`].
pub(crate) async fn whole(engine: &Engine, grant: &ManagementGrant, query: ExportOf) -> Result<ExportedAudit, Problem> {
    let ExportOf { list, format } = query;
    // A part that goes on behind another has no header of its own.
    let goes_on = list.start_after.is_some();
    let mut export = of(engine, grant, list, format).await?;
    export.begun = goes_on;
    let mut content = String::new();
    while let Some(part) = export.next().await? {
        content.push_str(&part);
        if content.len() >= LARGEST {
            break;
        }
    }
    let next = export.export.start_after().map(ToOwned::to_owned);
    Ok(ExportedAudit { file_name: format.file_name().to_owned(), content_type: format.media_type().to_owned(), content, next })
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn formulas_are_disarmed() {
        for (cell, written) in [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\t=1", "'\t=1"), ("a=1", "a=1"), ("", "")] {
            assert_eq!(harmless(cell.to_owned()), written);
        }
    }
}
