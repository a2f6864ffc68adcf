//! `patchbay preflight`: tests provider apps without a person.

use patchbay_engine::NetworkPolicy;
use patchbay_model::{Operation, Problem};
use serde_json::{Value, json};

use crate::arguments::Preflight;
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::field;

/// Apps that are asked for at once.
const PAGE: &str = "1000";

pub(crate) async fn run(arguments: Preflight, output: &Output) -> Result<(), Failure> {
    // At a server, its operator decides on private networks.
    let network = NetworkPolicy { allow_private: arguments.allow_private_networks, rehearsal: None };
    let tested = on(&arguments.store, &arguments.organization, network, async |opened| Ok(test(opened, &arguments, output).await?)).await?;
    let bad = tested.iter().flat_map(checks).filter(|check| field(check, "outcome") == "bad").count();
    let words = if tested.is_empty() { "There is no provider app.".to_owned() } else { tested.iter().map(lines).collect::<Vec<_>>().join("\n") };
    output.result(&words, &json!({ "good": bad == 0, "provider_apps": tested }));
    if bad == 0 { Ok(()) } else { Err(Failure::Found) }
}

async fn test(opened: &Opened, arguments: &Preflight, output: &Output) -> Result<Vec<Value>, Problem> {
    let apps = match &arguments.app {
        Some(app) => vec![opened.run(Operation::ProviderAppsGet, Request::on([("provider_app_id", app)])).await?],
        None => {
            let found = opened.run(Operation::ProviderAppsList, Request::default().with_query(vec![("limit", PAGE.to_owned())])).await?;
            found.as_array().cloned().unwrap_or_default()
        }
    };
    let mut tested = Vec::new();
    for app in apps {
        output.progress(&format!("Testing {}", field(&app, "name")));
        let found = opened.run(Operation::ProviderAppsPreflight, Request::on([("provider_app_id", &field(&app, "id"))])).await?;
        tested.push(json!({ "id": app.get("id"), "name": app.get("name"), "provider": app.get("provider"), "checks": found.get("checks") }));
    }
    Ok(tested)
}

fn checks(app: &Value) -> impl Iterator<Item = &Value> {
    app.get("checks").and_then(Value::as_array).into_iter().flatten()
}

fn lines(app: &Value) -> String {
    let rows = checks(app).map(|check| {
        let (outcome, kind, subject) = (field(check, "outcome").replace('_', " "), field(check, "kind").replace('_', " "), field(check, "subject"));
        let what = if subject.is_empty() { kind } else { format!("{kind} {subject}") };
        let said = said(check);
        if said.is_empty() { format!("  {outcome:<11}  {what}") } else { format!("  {outcome:<11}  {what}: {said}") }
    });
    std::iter::once(format!("{} ({})", field(app, "name"), field(app, "provider"))).chain(rows).collect::<Vec<_>>().join("\n")
}

/// What is wrong and where it is mended, or why nothing can be told.
fn said(check: &Value) -> String {
    let Some(explanation) = check.get("explanation") else { return field(check, "why") };
    let place = explanation.pointer("/change/place").and_then(Value::as_str);
    place.map_or_else(|| field(explanation, "words"), |place| format!("{} To change: {place}.", field(explanation, "words")))
}
