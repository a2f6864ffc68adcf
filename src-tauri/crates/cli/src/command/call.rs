//! `patchbay call`: one connector operation of one integration, run inside the core.

use std::io::Read;

use patchbay_api::operation::path_parameters;
use patchbay_api::ticketing;
use patchbay_engine::NetworkPolicy;
use patchbay_model::Operation;
use serde_json::{Map, Value, json};

use crate::arguments::Call;
use crate::failure::Failure;
use crate::opened::{Request, on};
use crate::output::Output;
use crate::table::table;

/// Columns of lists, the ones that a row has not being left out.
const COLUMNS: &[&str] = &["id", "name", "file_name", "provider_field_name", "status", "priority", "assignee", "creator", "summary", "content", "file_size"];

pub(crate) async fn run(arguments: Call, output: &Output) -> Result<(), Failure> {
    let parameters = parameters(&arguments.operation, &arguments.ids)?;
    let body = arguments.body.as_deref().map(read_body).transpose()?;
    let (account, integration) = &arguments.integration;
    let call = json!({
        "operation": arguments.operation,
        "path": parameters,
        "query": { "limit": arguments.limit, "cursor": arguments.cursor, "filter": arguments.filter, "order": arguments.order },
        "body": body,
    });
    let request = Request::on([("account_id", account), ("integration_id", integration)]).with_body(call);
    // At a server, its operator decides on private networks.
    let network = NetworkPolicy { allow_private: arguments.allow_private_networks, rehearsal: None };
    let done = on(&arguments.store, &arguments.organization, network, async |opened| Ok(opened.run(Operation::IntegrationsCall, request).await?)).await?;
    let exchanges = done.get("exchanges").cloned().unwrap_or_default();
    if arguments.trace {
        for exchange in exchanges.as_array().map(Vec::as_slice).unwrap_or_default() {
            output.progress(&exchange_words(exchange));
        }
    }
    if let Some(problem) = done.get("problem").filter(|problem| !problem.is_null()) {
        let mut problem = problem.clone();
        if let (true, Some(problem)) = (arguments.trace, problem.as_object_mut()) {
            problem.insert("exchanges".to_owned(), exchanges);
        }
        return Err(Failure::Wire(problem));
    }
    let mut answer = match done.get("answer") {
        Some(Value::Object(answer)) => answer.clone(),
        _ => Map::new(),
    };
    let words = answer_words(&answer);
    if arguments.trace {
        answer.insert("exchanges".to_owned(), exchanges);
    }
    output.result(&words, &Value::Object(answer));
    Ok(())
}

/// The ids under the names that the operation's path gives them.
fn parameters(operation: &str, ids: &[String]) -> Result<Map<String, Value>, Failure> {
    let Some(route) = ticketing::ROUTES.iter().find(|route| route.name == operation) else {
        let known: Vec<&str> = ticketing::ROUTES.iter().map(|route| route.name).collect();
        return Err(Failure::usage(format!("there is no operation `{operation}`. Choose one of: {}", known.join(", "))));
    };
    let names: Vec<&str> = path_parameters(route.path).collect();
    if names.len() != ids.len() {
        let takes = if names.is_empty() { "no ids".to_owned() } else { names.join(" and ") };
        return Err(Failure::usage(format!("{operation} takes {takes}, {} were given", ids.len())));
    }
    Ok(names.into_iter().zip(ids).map(|(name, id)| (name.to_owned(), Value::String(id.clone()))).collect())
}

/// The JSON itself, `@FILE`, or `-` for standard input.
fn read_body(text: &str) -> Result<Value, Failure> {
    let text = match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("--body: {path} cannot be read: {error}")))?,
        None if text == "-" => {
            let mut read = String::new();
            std::io::stdin().read_to_string(&mut read).map_err(|error| Failure::usage(format!("--body: standard input cannot be read: {error}")))?;
            read
        }
        None => text.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| Failure::usage(format!("--body is not JSON: {error}")))
}

fn answer_words(answer: &Map<String, Value>) -> String {
    match answer.get("result") {
        Some(Value::Array(rows)) if rows.is_empty() => "Nothing was found.".to_owned(),
        Some(Value::Array(rows)) => {
            let mut words = table(rows, COLUMNS);
            if let Some(cursor) = answer.get("cursor").and_then(Value::as_str).filter(|cursor| !cursor.is_empty()) {
                words.push_str(&format!("\nMore: --cursor {cursor}"));
            }
            words
        }
        None | Some(Value::Null) => "Done.".to_owned(),
        Some(one) => serde_json::to_string_pretty(one).unwrap_or_default(),
    }
}

/// One line for what was asked and what came back; the whole of it is in the JSON.
fn exchange_words(exchange: &Value) -> String {
    let text = |pointer: &str| exchange.pointer(pointer).map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)).unwrap_or_default();
    let outcome = if exchange.pointer("/response/status").is_some() { text("/response/status") } else { text("/error") };
    format!("{} {} -> {outcome}", text("/request/method"), text("/request/url"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_given_in_the_order_of_the_path() {
        let ids = ["DEMO-1".to_owned(), "7".to_owned()];
        assert_eq!(Value::Object(parameters("delete_comment", &ids).unwrap()), json!({ "ticket_id": "DEMO-1", "comment_id": "7" }));
        for (operation, ids) in [("delete_comment", &ids[..1]), ("query_tickets", &ids[..1]), ("nonsense", &ids[..0])] {
            assert!(matches!(parameters(operation, ids), Err(Failure::Usage(_))), "{operation} with {} ids", ids.len());
        }
    }

    #[test]
    fn a_body_is_json_or_a_file_of_it() {
        assert_eq!(read_body("{\"a\":1}").unwrap(), json!({ "a": 1 }));
        assert!(matches!(read_body("{"), Err(Failure::Usage(_))));
        assert!(matches!(read_body("@/nowhere/at/all"), Err(Failure::Usage(_))));
    }
}
