//! `patchbay store`: looking after a store.

use patchbay_engine::NetworkPolicy;
use patchbay_engine::installation::provisioning_script;
use serde_json::json;

use crate::arguments::{Store, StoreArguments, StoreCommand};
use crate::failure::Failure;
use crate::installation::open;
use crate::output::Output;

pub(crate) async fn run(arguments: Store, output: &Output) -> Result<(), Failure> {
    match arguments.command {
        StoreCommand::Verify(arguments) => verify(&arguments, output).await,
        StoreCommand::Sql(arguments) => {
            output.text("sql", &provisioning_script(&arguments.management, arguments.svc.as_deref()));
            Ok(())
        }
    }
}

/// Exit status 1 when something is wrong with the store, and a line for each thing.
async fn verify(arguments: &StoreArguments, output: &Output) -> Result<(), Failure> {
    let engine = open(arguments, NetworkPolicy::default()).await?;
    output.progress("Checking the structure and opening every sealed value ...");
    let report = engine.verify_store().await;
    engine.shutdown().await;
    let report = report?;
    let clean = report.findings.is_empty();
    let words = if clean {
        format!("The store is clean: its structure is whole, and all {} sealed values open.", report.sealed_values)
    } else {
        let mut words = format!("{} things are wrong with the store:\n", report.findings.len());
        for finding in &report.findings {
            words.push_str(&format!("- {finding}\n"));
        }
        words.push_str("Stop every Patchbay that uses it, keep a copy, and restore it from a backup.");
        words
    };
    output.result(&words, &json!({ "clean": clean, "findings": report.findings, "sealed_values": report.sealed_values }));
    if clean { Ok(()) } else { Err(Failure::Found) }
}
