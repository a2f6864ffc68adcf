//! `patchbay undo`: takes a change back.

use patchbay_engine::NetworkPolicy;
use patchbay_model::{Code, Operation, Problem};
use serde_json::Value;

use crate::arguments::Undo;
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::field;

/// How many of the newest rows are looked through for the last change.
const LOOKED_AT: u32 = 200;

pub(crate) async fn run(arguments: Undo, output: &Output) -> Result<(), Failure> {
    let named = arguments.audit.as_deref();
    let (words, value) = on(&arguments.store, &arguments.organization, NetworkPolicy::default(), async |opened| Ok(undo(opened, named).await?)).await?;
    output.result(&words, &value);
    Ok(())
}

async fn undo(opened: &Opened, named: Option<&str>) -> Result<(String, Value), Problem> {
    let id = match named {
        Some(id) => id.to_owned(),
        None => last(opened).await?,
    };
    let row = opened.run(Operation::AuditUndo, Request::on([("audit_id", &id)])).await?;
    let was = opened.run(Operation::AuditGet, Request::on([("audit_id", &id)])).await?;
    let extra = |row: &Value, name: &str| row.get("x_patchbay").map(|extra| field(extra, name)).unwrap_or_default();
    let words = format!(
        "Taken back: {} of {} {}, made {}.\n`patchbay undo {}` makes it again.",
        extra(&was, "operation"),
        extra(&was, "object_kind").replace('_', " "),
        extra(&was, "object_id"),
        field(&was, "created_at"),
        extra(&row, "id")
    );
    Ok((words, row))
}

/// The newest change of the acting member that is not taken back and is no undo itself.
async fn last(opened: &Opened) -> Result<String, Problem> {
    let query = vec![
        ("filter", format!("member_id[eq]{}", opened.member())),
        ("filter", "audit_type[eq]API".to_owned()),
        ("order", "created_at[desc]".to_owned()),
        ("limit", LOOKED_AT.to_string()),
    ];
    let rows = opened.run(Operation::AuditList, Request::default().with_query(query)).await?;
    let flag = |extra: &Value, name: &str| extra.get(name).and_then(Value::as_bool).unwrap_or_default();
    rows.as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| row.get("x_patchbay"))
        .find(|extra| (flag(extra, "has_before") || flag(extra, "has_after")) && extra.get("undone_by").is_none() && extra.get("undo_of").is_none())
        .map(|extra| field(extra, "id"))
        .ok_or_else(|| Problem::new(Code::NotFound, format!("There is no change to take back among the last {LOOKED_AT}. Name one: `patchbay audit list` shows them.")))
}
