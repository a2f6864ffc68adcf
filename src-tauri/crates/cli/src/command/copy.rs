//! `patchbay store copy`: between any two stores, of which one or both may be servers.
//!
//! Two stores that are opened here are copied whole. Through a server goes the organization of the token: the server seals it
//! to the other end, and takes what is sealed to itself, so that nothing is in clear on the way or in a file.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use patchbay_engine::NetworkPolicy;
use patchbay_engine::installation::StoreUrl;
use patchbay_engine::moving::{self, TableSum};
use patchbay_model::{Code, Context, Problem, RemoteUrl};
use patchbay_remote::{Client, Failure as Refused};
use patchbay_vault::{AgeIdentity, system_context};
use serde_json::{Value, json};

use super::store::{Teller, add, counted, rows};
use crate::arguments::StoreCopy;
use crate::failure::Failure;
use crate::installation::{copy_access, grant, open_named};
use crate::opened::{self, TO_TOKEN, TOKEN, TokenWords};
use crate::output::Output;

pub(crate) async fn run(arguments: &StoreCopy, output: &Output) -> Result<(), Failure> {
    let context = system_context();
    let (from, to) = (arguments.source_url()?, arguments.target_url()?);
    let (words, mut value) = match (&from, &to) {
        (StoreUrl::Remote(from), StoreUrl::Remote(to)) => across(arguments, from, to, output).await?,
        (StoreUrl::Remote(from), to) => fetched(arguments, from, to, &context, output).await?,
        (from, StoreUrl::Remote(to)) => sent(arguments, from, to, &context, output).await?,
        (from, to) => whole(arguments, from, to, &context, output).await?,
    };
    add(&mut value, [("from", json!(from.to_string())), ("to", json!(to.to_string()))]);
    let go_on = "Go on with one of the two: both would renew the same authorizations and tell the same webhooks.";
    output.result(&format!("{words}\n{go_on}"), &json!({ "copied": value }));
    Ok(())
}

/// The whole of a store, tokens with it.
async fn whole(arguments: &StoreCopy, from: &StoreUrl, to: &StoreUrl, context: &Context, output: &Output) -> Result<(String, Value), Failure> {
    let keys = copy_access(arguments.to_source()?)?;
    let engine = open_named(from, &arguments.key, NetworkPolicy::default()).await?;
    let mut teller = Teller::new(output, context.clone());
    let copied = moving::copy(&engine, to, &keys, context, &mut |step| teller.tell(step)).await;
    engine.shutdown().await;
    let copied = copied?;
    let (tables, sealed_values) = (&copied.counts.tables, copied.counts.sealed_values);
    let words =
        format!("{from} is in {to} too: {} rows, {sealed_values} sealed values under the keys of the copy, read back and compared. Tokens work there as before.", rows(tables));
    let mut value = counted(tables, sealed_values);
    add(&mut value, [("store_id", json!(copied.store_id))]);
    Ok((words, value))
}

/// From a server into a new store here.
async fn fetched(arguments: &StoreCopy, from: &RemoteUrl, to: &StoreUrl, context: &Context, output: &Output) -> Result<(String, Value), Failure> {
    let keys = copy_access(arguments.to_source()?)?;
    let client = greeted(from, opened::client(from, arguments.token_file.as_deref())?).await?;
    let identity = AgeIdentity::generate();
    output.progress(&format!("Fetching the organization from {from} ..."));
    let image = client.fetch_image(&identity.recipient().to_string(), waiting()?).await.map_err(|refused| refused_by(refused, "configuration.copy"))?;
    let mut teller = Teller::new(output, context.clone());
    let filled = moving::copy_in(rewound(image)?, identity, to, &keys, context, &mut |step| teller.tell(step)).await?;
    let (tables, sealed_values) = (&filled.counts.tables, filled.counts.sealed_values);
    let words = format!(
        "The organization of {from} is in {to}: {} rows, {sealed_values} sealed values under the keys of the copy. Tokens of the server do not work there; \
         `patchbay token mint` makes new ones.",
        rows(tables)
    );
    let mut value = counted(tables, sealed_values);
    add(&mut value, [("organization_id", json!(filled.organization))]);
    Ok((words, value))
}

/// From a store here into the empty organization of a token.
async fn sent(arguments: &StoreCopy, from: &StoreUrl, to: &RemoteUrl, context: &Context, output: &Output) -> Result<(String, Value), Failure> {
    let client = greeted(to, opened::client(to, arguments.token_file.as_deref())?).await?;
    let recipient = client.image_recipient().await.map_err(|refused| refused_by(refused, "configuration.recipient"))?;
    let engine = open_named(from, &arguments.key, NetworkPolicy::default()).await?;
    let mut teller = Teller::new(output, context.clone());
    let written = match grant(&engine, &arguments.organization).await {
        Ok(grant) => moving::copy_out(&engine, &grant, &recipient, waiting()?, &mut |step| teller.tell(step)).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    engine.shutdown().await;
    let (image, counts) = written?;
    output.progress(&format!("Sending {} rows to {to} ...", counts.rows()));
    taken(&client, to, image, Some(&counts.tables), &TOKEN).await
}

/// From a server to another; what lies here in between is sealed to the other.
async fn across(arguments: &StoreCopy, from: &RemoteUrl, to: &RemoteUrl, output: &Output) -> Result<(String, Value), Failure> {
    let source = greeted(from, opened::client(from, arguments.token_file.as_deref())?).await?;
    let target = greeted(to, opened::client_by(to, arguments.to_token_file.as_deref(), &TO_TOKEN)?).await?;
    let recipient = target.image_recipient().await.map_err(|refused| refused_by(refused, "configuration.recipient"))?;
    output.progress(&format!("Fetching the organization from {from} ..."));
    let image = source.fetch_image(&recipient, waiting()?).await.map_err(|refused| refused_by(refused, "configuration.copy"))?;
    output.progress(&format!("Sending it to {to} ..."));
    taken(&target, to, image, None, &TO_TOKEN).await
}

/// Has a server take an image, and compares what it counted with what was `given`. Of what another server gave nothing is known
/// here: the image itself says what must be in it, and who takes it holds it against that.
async fn taken(client: &Client, to: &RemoteUrl, image: File, given: Option<&[TableSum]>, token: &TokenWords) -> Result<(String, Value), Failure> {
    let filled = client.send_image(rewound(image)?).await.map_err(|refused| refused_by(refused, "configuration.fill"))?;
    let tables: Vec<TableSum> = filled.get("tables").and_then(|tables| serde_json::from_value(tables.clone()).ok()).unwrap_or_default();
    if given.is_some_and(|given| given != tables) {
        return Err(Problem::internal(format_args!("{to} counted other rows than it was sent; do not use it")).into());
    }
    let sealed_values = filled.get("sealed_values").and_then(Value::as_u64).unwrap_or_default();
    let words = format!(
        "The organization is in {to}: {} rows, {sealed_values} sealed values under the keys of that server. The token that you gave ({} or a file) works for it \
         from now on; other tokens do not go along.",
        rows(&tables),
        token.variable
    );
    let mut value = counted(&tables, sealed_values);
    add(&mut value, [("organization_id", filled.get("organization_id").cloned().unwrap_or_default())]);
    Ok((words, value))
}

async fn greeted(url: &RemoteUrl, client: Client) -> Result<Client, Failure> {
    client.greet().await.map_err(|refused| refused_by(refused, &format!("greeting {url}")))?;
    Ok(client)
}

fn refused_by(refused: Refused, command: &str) -> Failure {
    refused.problem_of(command).into()
}

/// A file without a name, in which a sealed image waits.
fn waiting() -> Result<File, Failure> {
    Ok(tempfile::tempfile().map_err(unusable)?)
}

fn rewound(mut file: File) -> Result<File, Failure> {
    file.seek(SeekFrom::Start(0)).map_err(unusable)?;
    Ok(file)
}

fn unusable(error: std::io::Error) -> Problem {
    Problem::new(Code::BackupFailed, format!("The temporary folder cannot be used ({error}). Free some space there, or set TMPDIR to another folder."))
}
