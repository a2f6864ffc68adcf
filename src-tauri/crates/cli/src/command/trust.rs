//! `patchbay trust`: what the owner of an AWS role pastes, so that the organization's principal may assume it.

use patchbay_engine::NetworkPolicy;
use patchbay_model::Operation;
use serde_json::{Map, Value, json};

use crate::arguments::Trust;
use crate::failure::Failure;
use crate::opened::{Request, on};
use crate::output::Output;
use crate::table::field;

pub(crate) async fn run(arguments: Trust, output: &Output) -> Result<(), Failure> {
    let given = [("region", &arguments.region), ("partition", &arguments.partition)];
    let config: Map<String, Value> = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.as_deref()?.into()))).collect();
    let request = Request::default().with_body(json!({ "provider": arguments.provider, "provider_config": config }));
    let trust = on(&arguments.store, &arguments.organization, NetworkPolicy::default(), async |opened| Ok(opened.run(Operation::ProviderAppsTrust, request).await?)).await?;
    let words = format!(
        "External id, to be entered with the role's ARN: {}\nPrincipal that will assume the role: {}\nTrust policy of the role:\n{}",
        field(&trust, "external_id"),
        field(&trust, "principal"),
        field(&trust, "policy"),
    );
    output.result(&words, &trust);
    Ok(())
}
