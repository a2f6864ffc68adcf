//! Roles and permission sets on the wire.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use std::collections::BTreeMap;

use patchbay_model::permission::{self, PermissionSet};
use patchbay_model::schema::{NewFullname, NewName};
use patchbay_model::{Fullname, RoleId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::query::UpdateExtra;
use super::token::Resources;

/// A permission set over resources, by name.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Role {
    pub id: RoleId,
    pub name: String,
    pub fullname: Fullname,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
    /// Absent where it is over everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub resources: Option<Resources>,
    pub permission_set: PermissionSet,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub x_patchbay: Option<RoleExtra>,
}

/// What is ours on a role.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct RoleExtra {
    /// Every organization has it, and it cannot be changed or deleted.
    pub builtin: bool,
    /// How many members have it.
    pub members: u64,
}

impl Role {
    /// The view of a role that so many members have.
    pub fn view(role: permission::Role, members: u64) -> Self {
        let builtin = role.is_builtin();
        let everything = role.resources == permission::ResourceScope::default();
        Self {
            id: role.id,
            name: role.name.as_str().to_owned(),
            fullname: role.fullname,
            description: role.description,
            resources: (!everything).then(|| crate::handle::resources::shown(&role.resources)),
            permission_set: role.permission_set,
            created_at: role.created_at,
            updated_at: role.updated_at,
            x_patchbay: Some(RoleExtra { builtin, members }),
        }
    }
}

/// Body of `roles.create`.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CreateRole {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
    #[schemars(length(max = 2000), regex(pattern = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"))]
    pub description: Option<String>,
    /// Everything when left out.
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub resources: Option<Resources>,
    pub permission_set: PermissionSet,
    /// Read on a PUT.
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<UpdateExtra>,
}

/// PUT of a role: the whole object; what is read-only in it is ignored.
pub type UpdateRole = CreateRole;

/// A permission set, with what it allows.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
#[ts(rename = "PermissionSetDefinition")]
pub struct PermissionSetView {
    pub name: PermissionSet,
    /// When to use it.
    pub description: String,
    /// Parts of `resources` by which a token or role with this set can be narrowed.
    pub resource_restrictions: Vec<String>,
    /// Actions per API; `all` sums them up.
    pub permissions: BTreeMap<String, PermissionActions>,
}

/// Actions of one API.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct PermissionActions {
    pub actions: Vec<String>,
}

impl From<PermissionSet> for PermissionSetView {
    fn from(set: PermissionSet) -> Self {
        let actions = |actions: Vec<&str>| PermissionActions { actions: actions.into_iter().map(ToOwned::to_owned).collect() };
        Self {
            name: set,
            description: set.description().to_owned(),
            resource_restrictions: vec!["accounts".to_owned(), "integrations".to_owned()],
            permissions: patchbay_engine::permission::map(set).into_iter().map(|(api, had)| (api.to_owned(), actions(had))).collect(),
        }
    }
}
