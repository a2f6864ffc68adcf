//! `patchbay revocation`: what is taken back at providers, and what a person has to do there.

use patchbay_engine::NetworkPolicy;
use patchbay_model::{Operation, Problem};
use serde_json::{Value, json};

use super::disconnect::steps;
use crate::arguments::{Revocation, RevocationCommand, RevocationList, RevocationOne};
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::{field, table};

pub(crate) async fn run(arguments: Revocation, output: &Output) -> Result<(), Failure> {
    let network = NetworkPolicy::default();
    let (words, value) = match arguments.command {
        RevocationCommand::List(arguments) => on(&arguments.store, &arguments.organization, network, async |opened| Ok(list(opened, &arguments).await?)).await?,
        RevocationCommand::Show(arguments) => {
            on(&arguments.store, &arguments.organization, network, async |opened| Ok(one(opened, &arguments, Operation::RevocationsGet).await?)).await?
        }
        RevocationCommand::Confirm(arguments) => {
            on(&arguments.store, &arguments.organization, network, async |opened| Ok(one(opened, &arguments, Operation::RevocationsConfirm).await?)).await?
        }
        RevocationCommand::Retry(arguments) => {
            on(&arguments.store, &arguments.organization, network, async |opened| Ok(one(opened, &arguments, Operation::RevocationsRetry).await?)).await?
        }
    };
    output.result(&words, &value);
    Ok(())
}

async fn list(opened: &Opened, arguments: &RevocationList) -> Result<(String, Value), Problem> {
    let mut query: Vec<(&str, String)> = arguments.filter.iter().map(|filter| ("filter", filter.clone())).collect();
    query.push(("order", "created_at[desc]".to_owned()));
    if let Some(limit) = arguments.limit {
        query.push(("limit", limit.to_string()));
    }
    let found = opened.run(Operation::RevocationsList, Request::default().with_query(query)).await?;
    let rows = found.as_array().map(Vec::as_slice).unwrap_or_default();
    let words =
        if rows.is_empty() { "Nothing was taken back.".to_owned() } else { table(rows, &["id", "integration_name", "provider", "reason", "state", "needs_person", "updated_at"]) };
    Ok((words, json!({ "revocations": found })))
}

async fn one(opened: &Opened, arguments: &RevocationOne, operation: Operation) -> Result<(String, Value), Problem> {
    let revocation = opened.run(operation, Request::on([("revocation_id", &arguments.revocation)])).await?;
    let mut lines = vec![format!("{} at {}: {}", field(&revocation, "integration_name"), field(&revocation, "provider"), field(&revocation, "state_words"))];
    lines.extend(revocation.get("events").and_then(Value::as_array).into_iter().flatten().map(|event| format!("  {}  {}", field(event, "at"), field(event, "words"))));
    if revocation.get("needs_person").and_then(Value::as_bool).unwrap_or_default() {
        lines.extend(steps(&revocation));
    }
    Ok((lines.join("\n"), revocation))
}
