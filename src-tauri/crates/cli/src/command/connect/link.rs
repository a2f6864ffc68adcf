//! `patchbay connect link`: addresses by which a customer's person connects a provider without signing in.

use patchbay_engine::NetworkPolicy;
use patchbay_model::{Operation, Problem};
use serde_json::{Value, json};

use crate::arguments::{ConnectLinkCommand, ConnectLinkCreate, ConnectLinkList, ConnectLinkRevoke};
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::{field, table};

pub(super) async fn run(command: ConnectLinkCommand, output: &Output) -> Result<(), Failure> {
    let network = NetworkPolicy::default();
    let (words, value) = match command {
        ConnectLinkCommand::Create(arguments) => on(&arguments.store, &arguments.organization, network, async |opened| Ok(create(opened, &arguments).await?)).await?,
        ConnectLinkCommand::List(arguments) => on(&arguments.store, &arguments.organization, network, async |opened| Ok(list(opened, &arguments).await?)).await?,
        ConnectLinkCommand::Revoke(arguments) => on(&arguments.store, &arguments.organization, network, async |opened| Ok(revoke(opened, &arguments).await?)).await?,
    };
    output.result(&words, &value);
    Ok(())
}

async fn create(opened: &Opened, arguments: &ConnectLinkCreate) -> Result<(String, Value), Problem> {
    let body = json!({
        "account_id": arguments.account,
        "integration_id": arguments.integration,
        "integration_point_id": arguments.point,
        "provider": arguments.provider,
        "end_user_id": arguments.end_user,
        "ttl": arguments.ttl,
        "uses": arguments.uses,
        "return_url": arguments.return_url,
    });
    let mut link = opened.run(Operation::ConnectLinksCreate, Request::default().with_body(body)).await?;
    // A picture is of no use on a terminal, and a program has the address.
    if let Some(members) = link.as_object_mut() {
        members.remove("qr");
    }
    let mut words =
        format!("Connect link `{}`, until {}:\n  {}\nIt is shown this once. Send it to the person alone.", field(&link, "id"), field(&link, "expires"), field(&link, "url"));
    if let Some(note) = link.get("note").and_then(Value::as_str) {
        words.push_str(&format!("\n{note}"));
    }
    Ok((words, link))
}

async fn list(opened: &Opened, arguments: &ConnectLinkList) -> Result<(String, Value), Problem> {
    let mut query: Vec<(&str, String)> = arguments.filter.iter().map(|filter| ("filter", filter.clone())).collect();
    query.push(("order", "created_at[desc]".to_owned()));
    query.extend(arguments.limit.map(|limit| ("limit", limit.to_string())));
    let links = opened.run(Operation::ConnectLinksList, Request::default().with_query(query)).await?;
    let rows = links.as_array().map(Vec::as_slice).unwrap_or_default();
    let words =
        if rows.is_empty() { "There are no connect links.".to_owned() } else { table(rows, &["id", "state", "account_id", "integration_id", "provider", "uses_left", "expires"]) };
    Ok((words, json!({ "links": links })))
}

async fn revoke(opened: &Opened, arguments: &ConnectLinkRevoke) -> Result<(String, Value), Problem> {
    let link = opened.run(Operation::ConnectLinksRevoke, Request::on([("connect_link_id", &arguments.link)])).await?;
    Ok((format!("Connect link `{}` opens nothing any more.", arguments.link), link))
}
