//! `patchbay audit`: what was done and what was refused, on the screen or as a file.

use std::io::Write;
use std::path::Path;

use patchbay_api::export::{self, AuditExport};
use patchbay_api::request::Request as ExportRequest;
use patchbay_api::wire::audit::ExportFormat;
use patchbay_engine::{CallerInfo, Grant, NetworkPolicy, audit};
use patchbay_model::{Code, Operation, Origin, Problem};
use serde_json::{Value, json};

use crate::arguments::{Audit, AuditCommand, AuditExportArguments, AuditList, AuditOne, Format, LogFormat};
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::{field, table};

/// Rows that a list shows where no limit is given.
const USUAL: u32 = 50;

pub(crate) async fn run(arguments: Audit, output: &Output) -> Result<(), Failure> {
    let (store, organization) = match &arguments.command {
        AuditCommand::List(AuditList { store, organization, .. })
        | AuditCommand::Show(AuditOne { store, organization, .. })
        | AuditCommand::Export(AuditExportArguments { store, organization, .. }) => (store, organization),
    };
    on(store, organization, NetworkPolicy::default(), async |opened| {
        let (words, value) = match &arguments.command {
            AuditCommand::List(arguments) => list(opened, arguments).await?,
            AuditCommand::Show(arguments) => show(opened, arguments).await?,
            AuditCommand::Export(arguments) => return carry(opened, arguments, output).await,
        };
        output.result(&words, &value);
        Ok(())
    })
    .await
}

async fn list(opened: &Opened, arguments: &AuditList) -> Result<(String, Value), Problem> {
    let mut query = conditions(&arguments.filter, &arguments.order);
    if arguments.order.is_empty() {
        query.push(("order", "created_at[desc]".to_owned()));
    }
    query.push(("limit", arguments.limit.unwrap_or(USUAL).to_string()));
    let rows = opened.run(Operation::AuditList, Request::default().with_query(query)).await?;
    let shown: Vec<Value> = rows.as_array().into_iter().flatten().map(line).collect();
    let words = if shown.is_empty() { "The log has no such rows.".to_owned() } else { table(&shown, &["created_at", "operation", "outcome", "origin", "object", "undo", "id"]) };
    Ok((words, json!({ "audit": rows })))
}

/// A row as people look at it.
fn line(row: &Value) -> Value {
    let extra = row.get("x_patchbay").cloned().unwrap_or_default();
    let problem = field(&extra, "problem");
    let undo = match (extra.get("undone_by").is_some(), extra.get("undoable").and_then(Value::as_bool)) {
        (true, _) => "undone",
        (false, Some(true)) => "can be undone",
        (false, _) => "",
    };
    json!({
        "created_at": field(row, "created_at"),
        "operation": field(&extra, "operation"),
        "outcome": if problem.is_empty() { "done".to_owned() } else { problem },
        "origin": field(&extra, "origin"),
        "object": format!("{} {}", field(&extra, "object_kind"), field(&extra, "object_id")).trim(),
        "undo": undo,
        "id": field(&extra, "id"),
    })
}

async fn show(opened: &Opened, arguments: &AuditOne) -> Result<(String, Value), Problem> {
    let row = opened.run(Operation::AuditGet, Request::on([("audit_id", &arguments.audit)])).await?;
    let text = |value: Option<&Value>| value.map(Value::to_string).unwrap_or_default();
    let mut words = format!("{} {} {}\n", field(&row, "created_at"), field(&row, "method"), field(&row, "path"));
    words.push_str(&table(&[line(&row)], &["operation", "outcome", "origin", "object", "undo"]));
    let differences: Vec<Value> = row
        .get("diff")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|one| json!({ "field": field(one, "path"), "was": text(one.get("was")), "became": text(one.get("value")) }))
        .collect();
    if differences.is_empty() {
        for (name, title) in [("before", "Before"), ("after", "After")] {
            if let Some(state) = row.get(name) {
                words.push_str(&format!("\n{title}: {state}"));
            }
        }
    } else {
        words.push_str(&format!("\n\n{}", table(&differences, &["field", "was", "became"])));
    }
    Ok((words, row))
}

fn conditions(filter: &[String], order: &[String]) -> Vec<(&'static str, String)> {
    filter.iter().map(|filter| ("filter", filter.clone())).chain(order.iter().map(|order| ("order", order.clone()))).collect()
}

/// An export under way. A server gives it in parts of some megabytes, each with where to go on.
enum Parts<'a> {
    Local(Box<AuditExport>),
    Remote { opened: &'a Opened, query: Vec<(&'static str, String)>, behind: Option<String>, over: bool },
}

impl Parts<'_> {
    async fn next(&mut self) -> Result<Option<String>, Problem> {
        match self {
            Self::Local(export) => export.next().await,
            Self::Remote { over: true, .. } => Ok(None),
            Self::Remote { opened, query, behind, over } => {
                let mut query = query.clone();
                query.extend(behind.take().map(|behind| ("start_after", behind)));
                let part = opened.run(Operation::AuditExport, Request::default().with_query(query)).await?;
                *behind = part.get("next").and_then(Value::as_str).map(ToOwned::to_owned);
                *over = behind.is_none();
                Ok(Some(field(&part, "content")))
            }
        }
    }
}

async fn carry(opened: &Opened, arguments: &AuditExportArguments, output: &Output) -> Result<(), Failure> {
    let format = match arguments.format {
        LogFormat::Jsonl => ExportFormat::Jsonl,
        LogFormat::Csv => ExportFormat::Csv,
    };
    let mut query = conditions(&arguments.filter, &arguments.order);
    query.push(("format", format.file_name().rsplit('.').next().unwrap_or_default().to_owned()));
    let mut export = match opened {
        Opened::Local { engine, grant } => {
            let query = query.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let grant = grant.with_caller(CallerInfo { path: Operation::AuditExport.id().to_owned(), ..CallerInfo::local(Origin::Cli) });
            match export::begin(engine, &grant, &ExportRequest { query, ..ExportRequest::default() }).await {
                Ok(export) => Parts::Local(Box::new(export)),
                Err(problem) => {
                    audit::refused(engine, Some(&Grant::Management(grant.clone())), Operation::AuditExport.id(), grant.caller(), &problem).await;
                    return Err(problem.into());
                }
            }
        }
        Opened::Remote { .. } => Parts::Remote { opened, query, behind: None, over: false },
    };
    match &arguments.to {
        Some(path) => {
            let bytes = to_file(&mut export, path).await?;
            output.result(&format!("The audit log is in {}.", path.display()), &json!({ "written": path.display().to_string(), "bytes": bytes }));
        }
        None if output.is(Format::Words) => {
            while let Some(part) = export.next().await? {
                output.text("audit", &part);
            }
        }
        None => {
            let mut whole = String::new();
            while let Some(part) = export.next().await? {
                whole.push_str(&part);
            }
            output.text("audit", &whole);
        }
    }
    Ok(())
}

/// Writes part by part into a file beside the target, which then takes its place: an earlier export is replaced whole or not
/// at all. Gives the bytes written.
async fn to_file(export: &mut Parts<'_>, path: &Path) -> Result<u64, Failure> {
    let trouble = |error: std::io::Error| {
        Problem::new(Code::InvalidField, format!("{} cannot be written: {error}. Choose another place with --to; nothing was left half-written.", path.display()))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(trouble)?;
    let mut bytes = 0;
    while let Some(part) = export.next().await? {
        draft.write_all(part.as_bytes()).map_err(trouble)?;
        bytes += part.len() as u64;
    }
    draft.as_file().sync_all().map_err(trouble)?;
    draft.persist(path).map_err(|error| trouble(error.error))?;
    Ok(bytes)
}
