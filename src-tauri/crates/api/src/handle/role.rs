//! `roles.*` and `permissionset.*`

use patchbay_engine::{permission, role};
use patchbay_model::{OrganizationId, Problem, Timestamp};

use super::{Bare, Call, With, deleted, given, page, resources};
use crate::handle::overview::impact_view;
use crate::patch::{self, Writable};
use crate::reply::Deleted;
use crate::request::{Json, ListOf, NoBody, Patch, from_value};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::overview::Impact;
use crate::wire::role::{CreateRole, PermissionSetView, Role, UpdateRole};

const WRITABLE: Writable = Writable { fields: &["name", "fullname", "description", "resources", "permission_set"], lists: &[] };

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Role>, Problem> {
    let mut rows = role::list(call.engine, call.grant, call.query.list).await?;
    let counts = role::member_counts(call.engine, call.grant).await?;
    let roles = std::mem::take(&mut rows.items);
    Ok(page(rows, roles.into_iter().map(|role| view(role, &counts))))
}

fn view(role: patchbay_model::permission::Role, counts: &std::collections::HashMap<String, u64>) -> Role {
    let members = counts.get(role.name.as_str()).copied().unwrap_or_default();
    Role::view(role, members)
}

fn answer((role, members): (patchbay_model::permission::Role, u64)) -> Answer<Role> {
    Answer::of(Role::view(role, members))
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<Role>, Problem> {
    role::get(call.engine, call.grant, call.path("role_id")?).await.map(answer)
}

pub(crate) async fn create(call: With<'_, Json<CreateRole>>) -> Result<Answer<Role>, Problem> {
    let body = call.body.0;
    let resources = resources::read(body.resources.as_ref(), call.grant.organization())?;
    let new = role::CreateRole { name: body.name, fullname: body.fullname, description: body.description, resources, permission_set: body.permission_set };
    role::create(call.engine, call.grant, new).await.map(|role| answer((role, 0)))
}

pub(crate) async fn update(call: With<'_, Json<UpdateRole>>) -> Result<Answer<Role>, Problem> {
    let expected = call.body.0.x_patchbay.as_ref().and_then(|extra| extra.expected_updated_at);
    let change = change(call.body.0, call.grant.organization(), expected)?;
    role::update(call.engine, call.grant, call.request.path("role_id")?, change).await.map(answer)
}

pub(crate) async fn patch(call: With<'_, Patch>) -> Result<Answer<Role>, Problem> {
    let (current, members) = role::get(call.engine, call.grant, call.path("role_id")?).await?;
    let (id, expected) = (current.id.to_string(), current.updated_at);
    let patched: UpdateRole = from_value(patch::apply(&Role::view(current, members), call.body, &WRITABLE)?)?;
    role::update(call.engine, call.grant, &id, change(patched, call.grant.organization(), Some(expected))?).await.map(answer)
}

pub(crate) async fn delete(call: Bare<'_>) -> Result<Deleted, Problem> {
    role::delete(call.engine, call.grant, call.path("role_id")?).await.map(deleted)
}

pub(crate) async fn impact(call: Bare<'_>) -> Result<Answer<Impact>, Problem> {
    role::impact(call.engine, call.grant, call.path("role_id")?).await.map(impact_view)
}

fn change(body: UpdateRole, organization: OrganizationId, expected: Option<Timestamp>) -> Result<role::UpdateRole, Problem> {
    let resources = resources::read(body.resources.as_ref(), organization)?;
    Ok(role::UpdateRole { name: given(body.name), fullname: given(body.fullname), description: body.description, resources, permission_set: body.permission_set, expected })
}

/// `permissionset.list`
pub(crate) async fn list_sets(call: Bare<'_>) -> Result<Answer<Vec<PermissionSetView>>, Problem> {
    permission::list(call.grant).map(|sets| Answer::of(sets.into_iter().map(PermissionSetView::from).collect()))
}

/// `permissionset.get`
pub(crate) async fn get_set(call: Bare<'_>) -> Result<Answer<PermissionSetView>, Problem> {
    permission::get(call.grant, call.path("permissionset_id")?).map(|set| Answer::of(set.into()))
}
