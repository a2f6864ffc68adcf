//! `patchbay token`: tokens of the Management and Connector API.

use patchbay_engine::NetworkPolicy;
use patchbay_model::{Operation, Problem};
use serde_json::{Value, json};

use crate::arguments::{Token, TokenCommand, TokenList, TokenMint, TokenOne};
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::{field, table};

pub(crate) async fn run(arguments: Token, output: &Output) -> Result<(), Failure> {
    let network = NetworkPolicy::default();
    let (words, value) = match arguments.command {
        TokenCommand::Mint(arguments) => on(&arguments.store, &arguments.organization, network, async |opened| Ok(mint(opened, &arguments).await?)).await?,
        TokenCommand::List(arguments) => on(&arguments.store, &arguments.organization, network, async |opened| Ok(list(opened, &arguments).await?)).await?,
        TokenCommand::Reset(arguments) => on(&arguments.store, &arguments.organization, network, async |opened| Ok(reset(opened, &arguments).await?)).await?,
        TokenCommand::Revoke(arguments) => on(&arguments.store, &arguments.organization, network, async |opened| Ok(revoke(opened, &arguments).await?)).await?,
    };
    output.result(&words, &value);
    Ok(())
}

type Result2 = Result<(String, Value), Problem>;

async fn mint(opened: &Opened, arguments: &TokenMint) -> Result2 {
    if let Some((account, integration)) = &arguments.integration {
        let request = Request::on([("account_id", account), ("integration_id", integration)]).with_body(json!({ "name": arguments.name, "token_ttl": arguments.ttl }));
        let token = opened.run(Operation::TokensCreateIntegration, request).await?;
        let words = format!("Integration access token for {account}/{integration}, until {}:\n  {}\nIt is shown this once.", field(&token, "expires"), field(&token, "secret"));
        return Ok((words, token));
    }
    let mut ids = Vec::new();
    for account in &arguments.account {
        let account = opened.run(Operation::AccountsGet, Request::on([("account_id", account)])).await?;
        ids.push(account.get("id").cloned().unwrap_or_default());
    }
    let resources = if ids.is_empty() { json!({}) } else { json!({ "accounts": { "ids": ids } }) };
    let body = json!({ "name": arguments.name, "permission_set": arguments.permission_set, "resources": resources, "token_ttl": arguments.ttl });
    let token = opened.run(Operation::TokensCreate, Request::default().with_body(body)).await?;
    Ok((pair_words(&token), token))
}

async fn list(opened: &Opened, arguments: &TokenList) -> Result2 {
    let mut query: Vec<(&str, String)> = arguments.filter.iter().map(|filter| ("filter", filter.clone())).collect();
    if let Some(limit) = arguments.limit {
        query.push(("limit", limit.to_string()));
    }
    let tokens = opened.run(Operation::TokensList, Request::default().with_query(query)).await?;
    let rows = tokens.as_array().map(Vec::as_slice).unwrap_or_default();
    let words = if rows.is_empty() { "There are no tokens.".to_owned() } else { table(rows, &["id", "name", "owner_type", "owner_id", "token_type", "expires"]) };
    Ok((words, json!({ "tokens": tokens })))
}

async fn reset(opened: &Opened, arguments: &TokenOne) -> Result2 {
    let token = opened.run(Operation::TokensGet, Request::on([("refresh_token_id", &arguments.token)])).await?;
    let (owner, id) = (field(&token, "owner_id"), field(&token, "id"));
    let token = opened.run(Operation::TokensReset, Request::on([("owner_id", &owner), ("refresh_token_id", &id)])).await?;
    Ok((format!("{}\nThe secrets before have stopped working.", pair_words(&token)), token))
}

async fn revoke(opened: &Opened, arguments: &TokenOne) -> Result2 {
    opened.run(Operation::TokensDelete, Request::on([("refresh_token_id", &arguments.token)])).await?;
    Ok((format!("Token `{}` is revoked; its secrets have stopped working.", arguments.token), json!({ "revoked": arguments.token })))
}

/// A container with the secrets of its newest pair, as `RefreshToken` on the wire.
fn pair_words(token: &Value) -> String {
    let primary = |half: &str, name: &str| token.pointer(&format!("/primary/{half}/{name}")).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut words =
        format!("Token `{}` ({}).\nAccess token, until {}:\n  {}\n", field(token, "name"), field(token, "id"), primary("access", "expires"), primary("access", "secret"));
    if !primary("refresh", "secret").is_empty() {
        words.push_str(&format!("Refresh token, until {}:\n  {}\n", primary("refresh", "expires"), primary("refresh", "secret")));
    }
    words.push_str("They are shown this once.");
    words
}
