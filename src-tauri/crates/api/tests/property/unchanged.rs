//! A whole object that is written back as it was read changes nothing but the time of its change; a patch that fails anywhere
//! changes nothing at all.

use serde_json::{Value, json};

use crate::commands::{operation, path_of};
use crate::model::{Kind, Model, Row};
use crate::world::{Call, World};

/// Most objects of a case that are tried.
const TRIED: usize = 6;

/// Writes some objects back as they were read.
pub(crate) async fn written_back(world: &World, model: &Model) -> Result<(), String> {
    let changeable = |row: &&Row| row.gone.is_none() && row.kind != Kind::Token && row.wire["x_patchbay"]["builtin"] != true;
    // The last ones made had most happen to what they depend on.
    for row in model.rows.iter().rev().filter(changeable).take(TRIED) {
        tried(world, model, row).await.map_err(|trouble| format!("{:?} {}: {trouble}", row.kind, row.text("name")))?;
    }
    Ok(())
}

async fn tried(world: &World, model: &Model, row: &Row) -> Result<(), String> {
    let path = path_of(model, row);
    let call = |verb: &str, body: Option<Value>| Call { operation: operation(row.kind, verb), path: path.clone(), query: Vec::new(), body };
    let read = async || world.send(&call("get", None)).await.body["result"].clone();
    let before = read().await;
    world.advance(1_000_000);
    let put = world.send(&call("update", Some(before.clone()))).await;
    let mut expected = before.clone();
    match &put.refused {
        None => expected["updated_at"] = json!(world.now()),
        // What it depends on has changed since: a credential that is gone, a point that no longer allows its provider.
        Some((code, _)) if ["invalid_config", "provider_not_allowed"].contains(code) && row.kind == Kind::Integration => {}
        Some((code, words)) => return Err(format!("what was read cannot be written back: {code} ({words})")),
    }
    let after = read().await;
    if after != expected {
        return Err(format!("written back unchanged it became {after} of {expected}"));
    }
    if row.kind == Kind::App {
        return Ok(());
    }
    world.advance(1_000_000);
    let bad = json!([{ "op": "replace", "path": "/fullname", "value": "Half a patch" }, { "op": "test", "path": "/id", "value": "another" }]);
    let refused = world.send(&call("patch", Some(bad))).await.refused;
    if refused.as_ref().is_none_or(|(code, _)| *code != "invalid_patch") {
        return Err(format!("a patch whose test fails must be refused with invalid_patch, and is {refused:?}"));
    }
    if read().await != after {
        return Err("a patch that failed changed something".to_owned());
    }
    Ok(())
}
