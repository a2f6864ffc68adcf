//! `patchbay disconnect`: takes an integration's access back at the provider, and says what proves it.

use std::time::{Duration, Instant};

use patchbay_engine::NetworkPolicy;
use patchbay_model::{Operation, Problem};
use serde_json::{Value, json};

use crate::arguments::Disconnect;
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::field;

/// How often it is looked how far it is.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) async fn run(arguments: Disconnect, output: &Output) -> Result<(), Failure> {
    // At a server, its operator decides on private networks.
    let network = NetworkPolicy { allow_private: arguments.allow_private_networks, rehearsal: None };
    let (words, value) = on(&arguments.store, &arguments.organization, network, async |opened| {
        if arguments.preview { Ok(preview(opened, &arguments).await?) } else { Ok(disconnect(opened, &arguments, output).await?) }
    })
    .await?;
    output.result(&words, &value);
    Ok(())
}

fn of(arguments: &Disconnect) -> Request {
    let (account, integration) = &arguments.integration;
    Request::on([("account_id", account), ("integration_id", integration)])
}

async fn preview(opened: &Opened, arguments: &Disconnect) -> Result<(String, Value), Problem> {
    let preview = opened.run(Operation::IntegrationsPreviewDisconnect, of(arguments)).await?;
    let mut lines = vec![match field(&preview, "how").as_str() {
        _ if preview.get("already").and_then(Value::as_bool).unwrap_or_default() => "It is disconnected already.".to_owned(),
        "endpoint" | "call" => "The provider would be asked to end the access.".to_owned(),
        "manual" => "This provider cannot be asked by a program. A person would do this there:".to_owned(),
        _ => "It has nothing of its own to give back at the provider.".to_owned(),
    }];
    if field(&preview, "how") == "manual" {
        lines.extend(steps(&preview));
    }
    if field(&preview, "ends") == "grant" {
        lines.push("Everything ends that the person granted to your app there.".to_owned());
    }
    let others = preview.get("affects").and_then(Value::as_array).map_or(0, Vec::len);
    if others > 0 {
        lines.push(format!("{others} other integration(s) of the same person would lose their access too."));
    }
    lines.push("Nothing was changed.".to_owned());
    Ok((lines.join("\n"), preview))
}

async fn disconnect(opened: &Opened, arguments: &Disconnect, output: &Output) -> Result<(String, Value), Problem> {
    let done = opened.run(Operation::IntegrationsDisconnect, of(arguments)).await?;
    let (account, integration) = &arguments.integration;
    let Some(mut revocation) = done.get("revocation").cloned().filter(|revocation| !revocation.is_null()) else {
        return Ok((format!("{account}/{integration} is disconnected. It had nothing of its own to give back at the provider."), done));
    };
    output.progress(&format!("{account}/{integration} is disconnected here. Revocation {}.", field(&revocation, "id")));
    let id = field(&revocation, "id");
    let give_up = Instant::now() + Duration::from_secs(arguments.wait);
    while matches!(field(&revocation, "state").as_str(), "pending" | "sent") && field(&revocation, "attempts").parse::<u32>().unwrap_or_default() < 2 && Instant::now() < give_up {
        tokio::time::sleep(LOOK).await;
        revocation = opened.run(Operation::RevocationsGet, Request::on([("revocation_id", &id)])).await?;
    }
    let mut lines = vec![field(&revocation, "state_words")];
    lines.extend(revocation.get("events").and_then(Value::as_array).into_iter().flatten().map(|event| format!("  {}  {}", field(event, "at"), field(event, "words"))));
    if revocation.get("needs_person").and_then(Value::as_bool).unwrap_or_default() {
        lines.extend(steps(&revocation));
        lines.push(format!("Then say so: patchbay revocation confirm {id}"));
    }
    let integration = done.get("integration").cloned().unwrap_or_default();
    Ok((lines.join("\n"), json!({ "integration": integration, "revocation": revocation })))
}

/// What a person does, numbered.
pub(super) fn steps(of: &Value) -> Vec<String> {
    let steps = of.get("manual_steps").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut lines: Vec<String> = steps.enumerate().map(|(number, step)| format!("  {}. {step}", number + 1)).collect();
    let url = field(of, "manual_url");
    if !url.is_empty() {
        lines.push(format!("  {url}"));
    }
    lines
}
