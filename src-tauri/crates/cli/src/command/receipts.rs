//! `patchbay receipts`: who agreed to what for an integration, and the link to it for whoever agreed.

use patchbay_engine::NetworkPolicy;
use patchbay_model::{Operation, Problem};
use serde_json::{Value, json};

use crate::arguments::Receipts;
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::{field, table};

pub(crate) async fn run(arguments: Receipts, output: &Output) -> Result<(), Failure> {
    let network = NetworkPolicy::default();
    let (words, value) =
        on(
            &arguments.store,
            &arguments.organization,
            network,
            async |opened| {
                if arguments.link { Ok(link(opened, &arguments).await?) } else { Ok(list(opened, &arguments).await?) }
            },
        )
        .await?;
    output.result(&words, &value);
    Ok(())
}

fn of(arguments: &Receipts) -> Request {
    let (account, integration) = &arguments.integration;
    Request::on([("account_id", account), ("integration_id", integration)])
}

async fn list(opened: &Opened, arguments: &Receipts) -> Result<(String, Value), Problem> {
    let receipts = opened.run(Operation::IntegrationsReceipts, of(arguments)).await?;
    let rows: Vec<Value> = receipts.as_array().into_iter().flatten().map(line).collect();
    let words = if rows.is_empty() { "Nobody has agreed to anything.".to_owned() } else { table(&rows, &["agreed", "by", "until", "ended", "allows"]) };
    Ok((words, json!({ "receipts": receipts })))
}

fn line(receipt: &Value) -> Value {
    let allows: Vec<String> = receipt.get("granted").and_then(Value::as_array).into_iter().flatten().map(|granted| field(granted, "scope")).collect();
    json!({
        "agreed": field(receipt, "granted_at"),
        "by": field(receipt, "end_user_name"),
        "until": field(receipt, "expires_at"),
        "ended": field(receipt, "ended_at"),
        "allows": allows.join(" "),
    })
}

async fn link(opened: &Opened, arguments: &Receipts) -> Result<(String, Value), Problem> {
    let made = opened.run(Operation::IntegrationsReceiptLink, of(arguments)).await?;
    let note = field(&made, "note");
    let note = if note.is_empty() { String::new() } else { format!("\n{note}") };
    Ok((format!("The receipt, for the person who agreed, until {}:\n  {}\nIt is shown this once.{note}", field(&made, "expires"), field(&made, "url")), made))
}
