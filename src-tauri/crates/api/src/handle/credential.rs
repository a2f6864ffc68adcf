//! `credentials.*`

use patchbay_engine::credential;
use patchbay_model::{Code, Problem, Timestamp};
use serde_json::{Value, json};

use super::{Bare, Call, With, deleted, listed};
use crate::handle::overview::impact_view;
use crate::patch::{self, Writable};
use crate::reply::Deleted;
use crate::request::{Json, ListOf, NoBody, Patch, from_value};
use crate::wire::credential::{CreateCredential, Credential, UpdateCredential};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::overview::Impact;

const WRITABLE: Writable = Writable { fields: &["name", "fullname", "config", "expires"], lists: &[] };

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Credential>, Problem> {
    credential::list(call.engine, call.grant, call.request.path("owner_id")?, call.query.list).await.map(listed)
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<Credential>, Problem> {
    credential::get(call.engine, call.grant, call.path("owner_id")?, call.path("credential_id")?).await.map(view)
}

pub(crate) async fn lookup(call: Bare<'_>) -> Result<Answer<Credential>, Problem> {
    credential::lookup(call.engine, call.grant, call.path("credential_id")?).await.map(view)
}

pub(crate) async fn create(call: With<'_, Json<CreateCredential>>) -> Result<Answer<Credential>, Problem> {
    let body = call.body.0;
    let new = credential::CreateCredential { name: body.name, fullname: body.fullname, config: body.config, owner_type: body.owner_type, expires: body.expires };
    credential::create(call.engine, call.grant, call.request.path("owner_id")?, new).await.map(view)
}

pub(crate) async fn update(call: With<'_, Json<UpdateCredential>>) -> Result<Answer<Credential>, Problem> {
    let expected = call.body.0.x_patchbay.as_ref().and_then(|extra| extra.expected_updated_at);
    let change = change(call.body.0, expected);
    credential::update(call.engine, call.grant, call.request.path("owner_id")?, call.request.path("credential_id")?, change).await.map(view)
}

/// Narrower than other patches (synqly-wire.md section 7). The view has no secrets, so a patch of one secret field says that
/// field alone, and the engine keeps the others.
pub(crate) async fn patch(call: With<'_, Patch>) -> Result<Answer<Credential>, Problem> {
    narrow(&call.body)?;
    let row = credential::get(call.engine, call.grant, call.request.path("owner_id")?, call.request.path("credential_id")?).await?;
    let (id, expected) = (row.id.to_string(), row.updated_at);
    let public = row.public_config.clone();
    let mut current = serde_json::to_value(Credential::from(row)).map_err(|error| Problem::internal(format_args!("a credential cannot be written: {error}")))?;
    if let Some(config) = current.get_mut("config").and_then(Value::as_object_mut) {
        config.extend(public);
    }
    let patch = as_additions(call.body, &current);
    let after = patch::apply(&current, patch, &WRITABLE)?;
    let change = change(from_value(after)?, Some(expected));
    credential::update(call.engine, call.grant, call.request.path("owner_id")?, &id, change).await.map(view)
}

pub(crate) async fn impact(call: Bare<'_>) -> Result<Answer<Impact>, Problem> {
    credential::impact(call.engine, call.grant, call.path("owner_id")?, call.path("credential_id")?).await.map(impact_view)
}

pub(crate) async fn delete(call: Bare<'_>) -> Result<Deleted, Problem> {
    credential::delete(call.engine, call.grant, call.path("owner_id")?, call.path("credential_id")?).await.map(deleted)
}

fn view(credential: patchbay_model::credential::Credential) -> Answer<Credential> {
    Answer::of(credential.into())
}

fn change(body: UpdateCredential, expected: Option<Timestamp>) -> credential::UpdateCredential {
    credential::UpdateCredential { name: body.name, fullname: Some(body.fullname), config: body.config, expires: body.expires, expected }
}

fn narrow(patch: &Patch) -> Result<(), Problem> {
    for (index, operation) in patch.0.as_array().into_iter().flatten().enumerate() {
        let op = operation.get("op").and_then(Value::as_str).unwrap_or_default();
        let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
        let allowed_path = ["/name", "/fullname", "/expires"].contains(&path) || path.strip_prefix("/config/").is_some_and(|field| !field.is_empty() && field != "type");
        if !["add", "remove", "replace"].contains(&op) || !allowed_path {
            return Err(Problem::new(Code::InvalidPatch, "A credential's patch may only add, remove or replace /name, /fullname, /expires or a field of /config.")
                .at_body(&format!("/{index}")));
        }
    }
    Ok(())
}

/// A secret field is stored but not in the view, so a `replace` of a field that is not there is an `add`.
fn as_additions(mut patch: Patch, current: &Value) -> Patch {
    for operation in patch.0.as_array_mut().into_iter().flatten() {
        let missing = operation.get("path").and_then(Value::as_str).is_some_and(|path| path.starts_with("/config/") && current.pointer(path).is_none());
        if missing && operation.get("op").and_then(Value::as_str) == Some("replace") {
            operation["op"] = json!("add");
        }
    }
    patch
}
