//! `patchbay deadlines`: what ends by itself, as a list or as a calendar.

use std::io::Write;
use std::path::Path;

use patchbay_engine::NetworkPolicy;
use patchbay_model::{Operation, Problem};
use serde_json::{Value, json};

use crate::arguments::Deadlines;
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::{field, table};

pub(crate) async fn run(arguments: Deadlines, output: &Output) -> Result<(), Failure> {
    let network = NetworkPolicy::default();
    if arguments.feed_link || arguments.revoke_feed_link {
        let (words, value) = on(&arguments.store, &arguments.organization, network, async |opened| Ok(feed_link(opened, arguments.feed_link).await?)).await?;
        output.result(&words, &value);
        return Ok(());
    }
    let Some(file) = &arguments.ics else {
        let (words, value) = on(&arguments.store, &arguments.organization, network, async |opened| Ok(list(opened, &arguments).await?)).await?;
        output.result(&words, &value);
        return Ok(());
    };
    let calendar = on(&arguments.store, &arguments.organization, network, async |opened| Ok(opened.run(Operation::DeadlinesFeed, Request::default()).await?)).await?;
    write(file, &field(&calendar, "content"), output)
}

async fn list(opened: &Opened, arguments: &Deadlines) -> Result<(String, Value), Problem> {
    let mut query: Vec<(&str, String)> = arguments.kind.iter().map(|kind| ("kind", kind.clone())).collect();
    query.extend(arguments.within.iter().map(|within| ("within", within.clone())));
    if !arguments.all {
        query.push(("who", "person".to_owned()));
    }
    let found = opened.run(Operation::DeadlinesList, Request::default().with_query(query)).await?;
    let rows: Vec<Value> = found.get("deadlines").and_then(Value::as_array).into_iter().flatten().map(line).collect();
    let words = match (rows.is_empty(), found.get("more").and_then(Value::as_bool).unwrap_or_default()) {
        (true, _) => "Nothing ends in that time.".to_owned(),
        (false, false) => table(&rows, &["at", "what", "of", "customer", "next_step"]),
        (false, true) => format!("{}\nThere are more. Look less far ahead, or name a kind.", table(&rows, &["at", "what", "of", "customer", "next_step"])),
    };
    Ok((words, found))
}

/// Makes the address of the calendar, or revokes it.
async fn feed_link(opened: &Opened, make: bool) -> Result<(String, Value), Problem> {
    if !make {
        opened.run(Operation::DeadlinesRevokeFeedLink, Request::default()).await?;
        return Ok(("The address of the calendar opens nothing any more.".to_owned(), json!({ "revoked": true })));
    }
    let made = opened.run(Operation::DeadlinesMakeFeedLink, Request::default()).await?;
    let note = field(&made, "note");
    let note = if note.is_empty() { String::new() } else { format!("\n{note}") };
    Ok((format!("Subscribe to this address in a calendar. It works until {}:\n  {}\nIt is shown this once.{note}", field(&made, "expires"), field(&made, "url")), made))
}

/// A deadline as a line for people; the next step is the last column, so that it may be as long as it is.
fn line(row: &Value) -> Value {
    let object = row.get("object").cloned().unwrap_or_default();
    json!({
        "at": field(row, "at").get(..16).map(|at| at.replace('T', " ")).unwrap_or_default(),
        "what": field(row, "what"),
        "of": field(&object, "name"),
        "customer": field(&object, "account_name"),
        "next_step": field(row, "next_step"),
    })
}

fn write(file: &Path, content: &str, output: &Output) -> Result<(), Failure> {
    if file == Path::new("-") {
        return std::io::stdout().lock().write_all(content.as_bytes()).map_err(|error| Failure::from(Problem::internal(format_args!("the calendar cannot be written ({error})"))));
    }
    std::fs::write(file, content).map_err(|error| Failure::usage(format!("{} cannot be written ({error}). Name another file.", file.display())))?;
    output.result(&format!("The calendar is in {}.", file.display()), &json!({ "file": file.display().to_string() }));
    Ok(())
}
