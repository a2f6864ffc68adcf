//! `provider_apps.*`

use patchbay_engine::{preflight, provider_app};
use patchbay_model::Problem;

use super::{Bare, Call, With, deleted, listed};
use crate::handle::overview::impact_view;
use crate::reply::Deleted;
use crate::request::{Json, ListOf, NoBody};
use crate::wire::consent::{CreateProviderApp, ProposeTrust, ProviderApp, TrustPolicy, UpdateProviderApp};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::overview::Impact;
use crate::wire::preflight::AppChecks;

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<ProviderApp>, Problem> {
    let mut apps: Listed<ProviderApp> = provider_app::list(call.engine, call.grant, call.query.list).await.map(listed)?;
    let worst = preflight::worst(call.engine, call.grant).await?;
    for app in &mut apps.result {
        app.preflight = worst.get(&app.id).copied();
    }
    Ok(apps)
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<ProviderApp>, Problem> {
    let app = provider_app::get(call.engine, call.grant, call.path("provider_app_id")?).await?;
    let worst = preflight::worst(call.engine, call.grant).await?;
    Ok(Answer::of(ProviderApp { preflight: worst.get(&app.id).copied(), ..app.into() }))
}

pub(crate) async fn create(call: With<'_, Json<CreateProviderApp>>) -> Result<Answer<ProviderApp>, Problem> {
    let body = call.body.0;
    let new = provider_app::CreateProviderApp {
        name: body.name,
        fullname: body.fullname,
        provider: body.provider,
        issuer: body.issuer,
        client_id: body.client_id,
        client_secret: body.client_secret.filter(|secret| !secret.is_empty()),
        redirect_uris: body.redirect_uris.unwrap_or_default(),
        scopes: body.scopes.unwrap_or_default(),
        secret_expires: body.secret_expires,
    };
    provider_app::create(call.engine, call.grant, new).await.map(|app| Answer::of(app.into()))
}

pub(crate) async fn update(call: With<'_, Json<UpdateProviderApp>>) -> Result<Answer<ProviderApp>, Problem> {
    let body = call.body.0;
    let change = provider_app::UpdateProviderApp {
        name: body.name,
        fullname: Some(body.fullname),
        issuer: body.issuer,
        client_id: body.client_id,
        client_secret: body.client_secret,
        redirect_uris: body.redirect_uris.unwrap_or_default(),
        scopes: body.scopes.unwrap_or_default(),
        secret_expires: body.secret_expires,
        expected: body.x_patchbay.and_then(|extra| extra.expected_updated_at),
    };
    provider_app::update(call.engine, call.grant, call.request.path("provider_app_id")?, change).await.map(|app| Answer::of(app.into()))
}

pub(crate) async fn impact(call: Bare<'_>) -> Result<Answer<Impact>, Problem> {
    provider_app::impact(call.engine, call.grant, call.path("provider_app_id")?).await.map(impact_view)
}

pub(crate) async fn trust(call: With<'_, Json<ProposeTrust>>) -> Result<Answer<TrustPolicy>, Problem> {
    let ProposeTrust { provider, provider_config } = call.body.0;
    provider_app::trust(call.engine, call.grant, &provider, provider_config.unwrap_or_default()).await.map(|trust| Answer::of(trust.into()))
}

pub(crate) async fn checks(call: Bare<'_>) -> Result<Answer<AppChecks>, Problem> {
    preflight::checks(call.engine, call.grant, call.path("provider_app_id")?).await.map(|checks| Answer::of(checks.into()))
}

pub(crate) async fn preflight(call: Bare<'_>) -> Result<Answer<AppChecks>, Problem> {
    preflight::preflight(call.engine, call.grant, call.path("provider_app_id")?).await.map(|checks| Answer::of(checks.into()))
}

pub(crate) async fn delete(call: Bare<'_>) -> Result<Deleted, Problem> {
    provider_app::delete(call.engine, call.grant, call.path("provider_app_id")?).await.map(deleted)
}
