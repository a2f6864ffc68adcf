//! `patchbay catalog add` and `withdraw`: manifests of the organization's own.

use patchbay_engine::NetworkPolicy;
use patchbay_model::{Operation, Problem};
use serde_json::{Value, json};

use crate::arguments::{CatalogAdd, CatalogWithdraw};
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::field;

pub(super) async fn add(arguments: &CatalogAdd, output: &Output) -> Result<(), Failure> {
    let path = arguments.file.display();
    let text = std::fs::read_to_string(&arguments.file).map_err(|error| Failure::usage(format!("{path} cannot be read: {error}.")))?;
    let body = json!({ "manifest": text });
    let (checked, added) = on(&arguments.store, &arguments.organization, NetworkPolicy::default(), async |opened| {
        let checked = opened.run(Operation::ManifestsCheck, Request::default().with_body(body.clone())).await?;
        let good = checked.get("good").and_then(Value::as_bool).unwrap_or_default();
        if arguments.dry_run || !good {
            return Ok((checked, None));
        }
        Ok((checked, Some(opened.run(Operation::ManifestsAdd, Request::default().with_body(body)).await?)))
    })
    .await?;
    let mut words = told(&path.to_string(), &checked);
    match &added {
        Some(entry) => {
            words.push_str(&format!("Added: new integrations of {} go by version {} now. `patchbay undo` takes it back.\n", field(entry, "provider"), field(entry, "version")))
        }
        None if checked.get("good") == Some(&Value::Bool(true)) => words.push_str("Nothing was added.\n"),
        None => {
            output.result(&words, &checked);
            return Err(Failure::Found);
        }
    }
    output.result(words.trim_end(), &json!({ "check": checked, "added": added }));
    Ok(())
}

pub(super) async fn withdraw(arguments: &CatalogWithdraw, output: &Output) -> Result<(), Failure> {
    let entry = on(&arguments.store, &arguments.organization, NetworkPolicy::default(), async |opened| Ok::<_, Failure>(withdrawn(opened, &arguments.manifest).await?)).await?;
    let pinning = match entry.get("integrations").and_then(Value::as_u64).unwrap_or_default() {
        0 => "No integration uses it.".to_owned(),
        1 => "1 integration goes on with it until it is moved.".to_owned(),
        many => format!("{many} integrations go on with it until they are moved."),
    };
    output.result(&format!("Withdrawn: version {} of {}. {pinning} `patchbay undo` brings it back.", field(&entry, "version"), field(&entry, "provider")), &entry);
    Ok(())
}

async fn withdrawn(opened: &Opened, manifest: &String) -> Result<Value, Problem> {
    opened.run(Operation::ManifestsWithdraw, Request::on([("manifest_id", manifest)])).await
}

/// A check in words: what is wrong, else where secrets go and what is different.
fn told(path: &str, checked: &Value) -> String {
    let list = |name: &str| checked.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut words = String::new();
    for finding in list("findings") {
        let key = finding.get("key").and_then(Value::as_str).map(|key| format!("{key}: ")).unwrap_or_default();
        words.push_str(&format!("{path}:{}:{}: {key}{}\n", finding["line"], finding["column"], field(&finding, "message")));
    }
    for destination in list("destinations") {
        let joined = |name: &str| destination.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        let only = joined("only");
        let only = if only.is_empty() { String::new() } else { format!(", below {only} alone") };
        words.push_str(&format!("To {}{only}: {}.\n", field(&destination, "host"), joined("carries")));
    }
    if let Some(overrides) = checked.get("overrides").and_then(Value::as_str) {
        words.push_str(&format!("It takes the place of version {overrides}.\n"));
        for difference in list("differences") {
            let said = |name: &str| difference.get(name).map_or_else(|| "nothing".to_owned(), ToString::to_string);
            words.push_str(&format!("  {}: {} becomes {}\n", field(&difference, "fact"), said("before"), said("after")));
        }
    }
    words
}
