//! From a snapshot back to what an update verb takes: the whole object as it was.

use patchbay_model::definition::DefinitionStatus;
use patchbay_model::member::MemberState;
use patchbay_model::organization::OrganizationOptions;
use patchbay_model::time::parse_lifetime;
use patchbay_model::{Environment, Problem};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::account::UpdateAccount;
use crate::call::whole_settings;
use crate::credential::UpdateCredential;
use crate::end_user::UpdateEndUser;
use crate::integration::UpdateIntegration;
use crate::integration::version::Target;
use crate::member::UpdateMember;
use crate::organization::UpdateOrganization;
use crate::point::UpdatePoint;
use crate::provider_app::UpdateProviderApp;
use crate::role::UpdateRole;
use crate::webhook::UpdateWebhook;

/// A member as text; empty where there is none.
pub(super) fn text(snapshot: &Value, member: &str) -> String {
    maybe(snapshot, member).unwrap_or_default()
}

fn maybe(snapshot: &Value, member: &str) -> Option<String> {
    snapshot.get(member).and_then(Value::as_str).map(ToOwned::to_owned)
}

/// A member in its type. Snapshots are our own writing, so one that does not read was written by another version.
fn read<T: DeserializeOwned>(snapshot: &Value, member: &str) -> Result<T, Problem> {
    let value = snapshot.get(member).cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|_| Problem::internal(format!("`{member}` of a snapshot in the audit log cannot be read")))
}

pub(super) fn organization(before: &Value) -> Result<UpdateOrganization, Problem> {
    let options = before.get("options").cloned().unwrap_or_default();
    let lifetime = |member: &str| maybe(&options, member).as_deref().and_then(parse_lifetime);
    Ok(UpdateOrganization {
        name: maybe(before, "name"),
        fullname: maybe(before, "fullname"),
        contact: maybe(before, "contact"),
        reply_to: maybe(before, "reply_to"),
        picture: maybe(before, "picture"),
        options: OrganizationOptions {
            invite_duration: lifetime("invite_duration"),
            forgot_duration: lifetime("forgot_duration"),
            password_duration: lifetime("password_duration"),
            minimum_password_length: read(&options, "minimum_password_length")?,
        },
        expected: None,
    })
}

pub(super) fn member(before: &Value, after: Option<&Value>) -> Result<UpdateMember, Problem> {
    // A state that the change left alone is left alone: a lock that came about since is not opened by the way.
    let state: Option<MemberState> = if after.is_some_and(|after| after.get("state") == before.get("state")) { None } else { read(before, "state")? };
    Ok(UpdateMember {
        name: maybe(before, "name"),
        fullname: maybe(before, "fullname"),
        nickname: maybe(before, "nickname"),
        picture: maybe(before, "picture"),
        state,
        role_binding: Some(read(before, "role_binding")?),
        ttl: Some(maybe(before, "ttl")),
        token_ttl: maybe(before, "token_ttl"),
        expires: Some(read(before, "expires")?),
        pin_expires: None,
        expected: None,
    })
}

pub(super) fn end_user(before: &Value) -> UpdateEndUser {
    UpdateEndUser { name: maybe(before, "name"), fullname: maybe(before, "fullname"), email: maybe(before, "email"), external_id: maybe(before, "external_id"), expected: None }
}

pub(super) fn account(before: &Value) -> Result<UpdateAccount, Problem> {
    Ok(UpdateAccount {
        name: maybe(before, "name"),
        fullname: maybe(before, "fullname"),
        environment: read::<Option<Environment>>(before, "environment")?,
        labels: read(before, "labels")?,
        external_id: maybe(before, "external_id"),
        expected: None,
    })
}

pub(super) fn point(before: &Value) -> Result<UpdatePoint, Problem> {
    Ok(UpdatePoint {
        name: maybe(before, "name"),
        fullname: maybe(before, "fullname"),
        description: maybe(before, "description"),
        connector: None,
        environments: read(before, "environments")?,
        policy: Some(read(before, "policy")?),
        expected: None,
    })
}

/// The credential stands in the configuration as a reference, which the verb takes as it is.
pub(super) fn integration(before: &Value) -> UpdateIntegration {
    UpdateIntegration {
        name: maybe(before, "name"),
        fullname: maybe(before, "fullname"),
        provider_config: before.get("provider_config").cloned().unwrap_or_default(),
        integration_point: maybe(before, "integration_point_id"),
        webhook_config: before.get("webhook_config").filter(|config| !config.is_null()).cloned(),
        runtime: Some(before.get("config").and_then(Value::as_object).cloned().unwrap_or_default()),
        expected: None,
    }
}

/// The version that an integration pinned, with its configuration then.
pub(super) fn version(before: &Value) -> Target {
    let mut config = whole_settings(before.get("provider_config").unwrap_or(&Value::Null));
    config.extend(before.get("config").and_then(Value::as_object).cloned().unwrap_or_default());
    Target { definition: maybe(before, "definition_id"), version: None, config: Some(config), expected: None }
}

pub(super) fn credential(before: &Value, after: Option<&Value>) -> Result<UpdateCredential, Problem> {
    // Of the configuration the snapshot has what is no secret; fields that are left out keep their sealed values.
    let config = before.get("config").filter(|config| after.and_then(|after| after.get("config")) != Some(config)).map(|config| {
        let mut config = config.clone();
        if let Value::Object(fields) = &mut config {
            fields.insert("type".to_owned(), before.get("type").cloned().unwrap_or_default());
        }
        config
    });
    Ok(UpdateCredential { name: maybe(before, "name"), fullname: maybe(before, "fullname"), config, expires: read(before, "expires")?, expected: None })
}

pub(super) fn provider_app(before: &Value) -> Result<UpdateProviderApp, Problem> {
    Ok(UpdateProviderApp {
        name: maybe(before, "name"),
        fullname: maybe(before, "fullname"),
        issuer: maybe(before, "issuer"),
        client_id: text(before, "client_id"),
        client_secret: None,
        redirect_uris: read(before, "redirect_uris")?,
        scopes: read(before, "scopes")?,
        secret_expires: maybe(before, "secret_expires").and_then(|text| text.parse().ok()),
        expected: None,
    })
}

/// The status that a manifest had.
pub(super) fn definition_status(before: &Value) -> Result<DefinitionStatus, Problem> {
    read(before, "status")
}

pub(super) fn role(before: &Value) -> Result<UpdateRole, Problem> {
    Ok(UpdateRole {
        name: maybe(before, "name"),
        fullname: maybe(before, "fullname"),
        description: maybe(before, "description"),
        resources: read(before, "resources")?,
        permission_set: read(before, "permission_set")?,
        expected: None,
    })
}

pub(super) fn webhook(before: &Value) -> Result<UpdateWebhook, Problem> {
    Ok(UpdateWebhook {
        name: maybe(before, "name"),
        fullname: maybe(before, "fullname"),
        environment: read::<Option<Environment>>(before, "environment")?,
        filters: read(before, "filters")?,
        url: text(before, "url"),
        credential: maybe(before, "credential_id"),
        expected: None,
    })
}
