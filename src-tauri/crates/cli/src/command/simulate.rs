//! `patchbay simulate`: the providers of the catalog, played on this computer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use patchbay_model::{Problem, ProviderId};
use patchbay_providers::{Catalog, Provider, UserManifest};
use patchbay_server::Simulated;
use patchbay_simulator::{FaultOrder, Simulator};
use patchbay_vault::system_context;
use serde_json::{Value, json};

use crate::arguments::Simulate;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{field, table};

pub(crate) async fn run(arguments: Simulate, output: &Output) -> Result<(), Failure> {
    let catalog = catalog(&arguments.manifest)?;
    let chosen = chosen(&catalog, &arguments.provider)?;
    let faults = arguments.fault.iter().map(|text| fault(text)).collect::<Result<Vec<_>, _>>()?;
    let simulator = Simulator::of(&chosen, system_context());
    faults.into_iter().for_each(|fault| simulator.order(fault));
    let simulated = Simulated::start(simulator.clone(), arguments.listen).await?;
    let listening = format!("http://{}", simulated.address());
    let providers = simulator.described();
    output.result(&words(&listening, &providers), &json!({ "listening": listening, "control": format!("{listening}/-"), "providers": providers }));
    output.progress("end the simulation with Ctrl-C");
    tokio::signal::ctrl_c().await.map_err(|error| Problem::internal(format_args!("Ctrl-C cannot be heard ({error})")))?;
    output.progress("stopped");
    Ok(())
}

/// What a person needs to go there: of each provider the client, and what all of them have in common.
fn words(listening: &str, providers: &[Value]) -> String {
    let rows: Vec<Value> = providers
        .iter()
        .map(|provider| {
            json!({
                "provider": field(provider, "id"),
                "client id": field(provider, "client_id"),
                "client secret": field(provider, "client_secret"),
                "configuration": provider.get("sample_config").filter(|config| config.as_object().is_some_and(|config| !config.is_empty())),
            })
        })
        .collect();
    let mut words = format!("Simulated providers listen on {listening}\n\n{}\n", table(&rows, &["provider", "client id", "client secret", "configuration"]));
    if let Some(first) = providers.first() {
        let person = |name: &str| first.get("person").map(|person| field(person, name)).unwrap_or_default();
        words.push_str(&format!("\nSign in as {} with the password {}. Clients know these redirect URIs:\n", person("login"), person("password")));
        for uri in first.get("redirect_uris").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            words.push_str(&format!("  {uri}\n"));
        }
    }
    words
}

fn catalog(files: &[PathBuf]) -> Result<Catalog, Failure> {
    let builtin = Catalog::builtin().map_err(Problem::internal)?;
    let own = files.iter().map(|file| manifest(file)).collect::<Result<Vec<_>, _>>()?;
    builtin.overlaid(&own).map_err(|error| Failure::usage(format!("--manifest: {error}")))
}

/// A manifest out of a file, beside the version that it says itself.
fn manifest(file: &Path) -> Result<UserManifest, Failure> {
    let unusable = |why: String| Failure::usage(format!("--manifest: {} cannot be used: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| unusable(error.to_string()))?;
    let word = |key: &str| table.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let id = ProviderId::parse(&word("id")).map_err(|problem| unusable(problem.message))?;
    Ok(UserManifest { id, version: format!("{}+file", word("version")), text })
}

fn chosen(catalog: &Catalog, wanted: &[String]) -> Result<Vec<Arc<Provider>>, Failure> {
    if wanted.is_empty() {
        return Ok(catalog.providers().to_vec());
    }
    wanted.iter().map(|id| catalog.find(id).cloned().ok_or_else(|| Failure::usage(format!("--provider: there is no provider `{id}` in the catalog")))).collect()
}

fn fault(text: &str) -> Result<FaultOrder, Failure> {
    let value = if text.trim_start().starts_with('{') { serde_json::from_str(text) } else { Ok(json!({ "fault": text })) };
    value.and_then(serde_json::from_value::<FaultOrder>).map_err(|error| Failure::usage(format!("--fault: `{text}` is no fault: {error}")))
}
