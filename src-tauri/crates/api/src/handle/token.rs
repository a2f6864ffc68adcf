//! `tokens.*`

use patchbay_engine::token::{self, Bearer, ContainerState, LiveSecret, Pair};
use patchbay_model::Problem;
use patchbay_model::time::format_lifetime;
use patchbay_model::token::{Authority, TokenContainer, TokenOwner};

use super::{Bare, Call, With, page, resources};
use crate::handle::overview::impact_view;
use crate::reply::Empty;
use crate::request::{Json, ListOf, MaybeJson, NoBody};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::overview::Impact;
use crate::wire::token::{AdhocRole, CreateIntegrationToken, CreateToken, RefreshToken, Token, TokenPair, TokenPermissions};

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<RefreshToken>, Problem> {
    let mut rows = token::list(call.engine, call.grant, call.query.list).await?;
    let items = std::mem::take(&mut rows.items);
    Ok(page(rows, items.into_iter().map(container)))
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<RefreshToken>, Problem> {
    token::get(call.engine, call.grant, call.path("refresh_token_id")?).await.map(answer)
}

pub(crate) async fn create(call: With<'_, Json<CreateToken>>) -> Result<Answer<RefreshToken>, Problem> {
    let body = call.body.0;
    let resources = resources::read(Some(&body.resources), call.grant.organization())?;
    let new = token::CreateToken { name: body.name, fullname: body.fullname, resources, permission_set: body.permission_set, token_ttl: body.token_ttl };
    token::mint(call.engine, call.grant, new).await.map(answer)
}

pub(crate) async fn create_integration(call: With<'_, MaybeJson<CreateIntegrationToken>>) -> Result<Answer<Token>, Problem> {
    let body = call.body.0.unwrap_or_default();
    let made = token::mint_integration(call.engine, call.grant, call.request.path("account_id")?, call.request.path("integration_id")?, body.name, body.token_ttl).await?;
    Ok(Answer::of(pair(&made.container, made.primary).access))
}

/// A refresh by a caller of the Management API; one by the refresh secret itself comes through [`refresh_as`].
pub(crate) async fn refresh(call: Bare<'_>) -> Result<Answer<RefreshToken>, Problem> {
    refresh_as(call.engine, Bearer::Management(call.grant), call.path("refresh_token_id")?).await
}

pub(crate) async fn refresh_as(engine: &patchbay_engine::Engine, bearer: Bearer<'_>, id: &str) -> Result<Answer<RefreshToken>, Problem> {
    token::refresh(engine, bearer, id).await.map(answer)
}

pub(crate) async fn rotate(call: Bare<'_>) -> Result<Answer<RefreshToken>, Problem> {
    token::rotate(call.engine, call.grant, call.path("owner_id")?, call.path("refresh_token_id")?).await.map(answer)
}

pub(crate) async fn reset(call: Bare<'_>) -> Result<Answer<RefreshToken>, Problem> {
    token::reset(call.engine, Bearer::Management(call.grant), call.path("owner_id")?, call.path("refresh_token_id")?).await.map(answer)
}

pub(crate) async fn remove_secondary(call: Bare<'_>) -> Result<Empty, Problem> {
    token::remove_secondary(call.engine, call.grant, call.path("refresh_token_id")?).await.map(|()| Empty)
}

pub(crate) async fn impact(call: Bare<'_>) -> Result<Answer<Impact>, Problem> {
    token::impact(call.engine, call.grant, call.path("refresh_token_id")?).await.map(impact_view)
}

pub(crate) async fn delete(call: Bare<'_>) -> Result<Empty, Problem> {
    token::delete(call.engine, call.grant, call.path("refresh_token_id")?).await.map(|()| Empty)
}

fn answer(state: ContainerState) -> Answer<RefreshToken> {
    Answer::of(container(state))
}

/// A container with its pairs; secrets are in it only right after they were made.
pub(crate) fn container(state: ContainerState) -> RefreshToken {
    let ContainerState { container, primary, secondary } = state;
    let (owner_id, owner_type) = owner(&container);
    RefreshToken {
        primary: pair(&container, primary),
        secondary: secondary.map(|secondary| pair(&container, Some(secondary))),
        id: container.id,
        name: container.name,
        fullname: container.fullname,
        member_id: Some(container.member_id),
        owner_id,
        owner_type: owner_type.to_owned(),
        expires: container.expires,
        token_ttl: format_lifetime(container.access_ttl),
        token_type: container.token_type,
        created_at: container.created_at,
        updated_at: container.updated_at,
    }
}

/// A pair on the wire, which demands both halves: a half that is not there has an empty secret and the container's end.
pub(crate) fn pair(container: &TokenContainer, pair: Option<Pair>) -> TokenPair {
    let (access, refresh) = pair.map_or((None, None), |pair| (Some(pair.access), pair.refresh));
    TokenPair { access: half(container, access), refresh: half(container, refresh) }
}

fn half(container: &TokenContainer, live: Option<LiveSecret>) -> Token {
    let expires = live.as_ref().map_or(container.expires, |live| live.expires);
    let secret = live.and_then(|live| live.secret).map(|secret| secret.expose().to_owned()).unwrap_or_default();
    Token { secret, expires, permissions: permissions(container) }
}

fn owner(container: &TokenContainer) -> (String, &'static str) {
    match container.owner {
        TokenOwner::Organization(id) => (id.to_string(), "organization"),
        TokenOwner::Integration(_, id) => (id.to_string(), "integration"),
    }
}

fn permissions(container: &TokenContainer) -> TokenPermissions {
    let (resource_id, resource_type) = owner(container);
    let parent_id = match container.owner {
        TokenOwner::Organization(id) => id.to_string(),
        TokenOwner::Integration(account, _) => account.to_string(),
    };
    let (role_binding, adhoc_role) = match (&container.authority, container.owner) {
        (_, TokenOwner::Integration(..)) => (None, None),
        (Authority::Roles(roles), _) => (Some(roles.iter().map(ToString::to_string).collect()), None),
        (Authority::Adhoc { resources: scope, permission_set }, _) => (None, Some(AdhocRole { resources: resources::shown(scope), permission_set: *permission_set })),
    };
    TokenPermissions {
        role_binding,
        adhoc_role,
        resource_id,
        resource_type: resource_type.to_owned(),
        parent_id,
        id: container.id,
        organization_id: container.organization_id,
        member_id: container.member_id,
    }
}
