//! What a person grants: consent, call, end and renewal, taking back, consent anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use libtest_mimic::Failed;
use patchbay_engine::consent::{self, BeginConsent, Platform};
use patchbay_engine::provider_app::{self, CreateProviderApp};
use patchbay_model::Secret;
use patchbay_model::consent::{ConnectState, ConsentRoute};
use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus};
use patchbay_providers::manifest::credential::Flow;
use patchbay_providers::manifest::lifetime::{Rotation, Silent};
use patchbay_providers::manifest::{Auth, ClientAuth, CredentialOption, Server};
use patchbay_providers::{Catalog, Provider};
use patchbay_simulator::{Fault, FaultOrder};

use crate::world::{World, at, must, problem};

/// Taken by every provider: https elsewhere than on this computer.
pub(crate) const REDIRECT: &str = "https://patchbay.sim.invalid/oauth/callback";

pub(crate) async fn life(catalog: &Catalog, provider: &Arc<Provider>, way: &CredentialOption) -> Result<(), Failed> {
    let Auth::Consent { server: name, flows } = &way.auth else { return Err("nobody consents to this".into()) };
    let server = provider.server(name).ok_or("the server is not in the manifest")?;
    let world = World::new(catalog, provider).await?;
    register(&world, provider, name, server, way).await?;
    let integration = world.integration(world.config(Some(way), None)).await?;
    must(integration.status == IntegrationStatus::AwaitingConsent, || format!("before anybody consents it is {:?}", integration.status))?;

    connect(&world, &integration).await?;
    world.works(&integration, "the first call").await?;

    let renewable = renewable(server);
    let grants = world.asked("refresh_token").len();
    world.simulator.order(FaultOrder::once(Fault::ExpireAccess));
    if renewable {
        world.works(&integration, "the call after the access token ended").await?;
        let asked = world.asked("refresh_token");
        must(asked.len() == grants + 1, || format!("it was renewed {} times", asked.len() - grants))?;
        must(asked.iter().all(|entry| entry.outcome == "granted"), || format!("a renewal was refused: {asked:?}"))?;
        kept_alive(&world, server, &integration).await?;
        by_the_clock(&world, server, &integration).await?;
    } else {
        world.fails(&integration, "the call after the access token ended").await?;
        connect(&world, &integration).await?;
    }

    // The person takes it back at the provider.
    world.simulator.order(FaultOrder::once(Fault::RevokeGrant));
    let problem = world.fails(&integration, "the call after the person took it back").await?;
    let status = world.status(&integration).await?;
    must(matches!(status, IntegrationStatus::NeedsAttention { .. }), || format!("it is {status:?} after {:?}: {}", problem.code, problem.message))?;

    // The same integration, with everything that others know of it.
    connect(&world, &integration).await?;
    world.works(&integration, "the call after the second consent").await?;
    let after = world.now(&integration).await?;
    must(after.id == integration.id && after.name == integration.name && after.status == IntegrationStatus::Active, || format!("it is another one: {after:?}"))?;
    // We give it back: it ends at the provider, and that is proven.
    crate::revoking::gives_back(&world, &integration, &server.revocation).await?;
    connect(&world, &integration).await?;
    world.works(&integration, "the call after the consent that followed").await?;
    let after = world.now(&integration).await?;
    must(after.id == integration.id && after.status == IntegrationStatus::Active, || format!("it is another one: {after:?}"))?;
    if flows.contains(&Flow::Device) {
        by_device(&world, &integration).await?;
    }
    world.engine.shutdown().await;
    Ok(())
}

/// The access token ends by time, and so does what nobody uses.
async fn by_the_clock(world: &World, server: &Server, integration: &Integration) -> Result<(), Failed> {
    let before = world.asked("refresh_token").len();
    world.advance(server.lifetime.access.seconds.unwrap_or(3600) + 1);
    world.works(integration, "the call when its time was over").await?;
    let asked = world.asked("refresh_token").len() - before;
    must(asked == 1, || format!("it was renewed {asked} times when its time was over"))?;
    if let Some(idle) = server.lifetime.idle_seconds {
        world.advance(idle + 1);
        world.fails(integration, "the call after nobody used it for too long").await?;
        let status = world.status(integration).await?;
        let expired = IntegrationStatus::NeedsAttention { cause: AttentionCause::GrantExpired };
        must(status == expired || !matches!(status, IntegrationStatus::NeedsAttention { .. }), || format!("that its time was over is told as {status:?}"))?;
        connect(world, integration).await?;
        world.works(integration, "the call after that consent").await?;
    }
    Ok(())
}

/// Nobody uses it for longer than an unused refresh token lives, and it stays where the manifest says that it shall.
async fn kept_alive(world: &World, server: &Server, integration: &Integration) -> Result<(), Failed> {
    let Some(idle) = server.lifetime.idle_seconds.filter(|_| server.lifetime.keep_alive) else { return Ok(()) };
    let week = 7 * 86_400;
    let step = if idle > week { (idle / 2).min(idle - week) } else { idle / 2 };
    let before = world.asked("refresh_token").len();
    let times = usize::try_from(idle / step + 1).unwrap_or_default();
    for _ in 0..times {
        world.advance(step + 1);
        patchbay_engine::deadline::renew_due(&world.engine).await.map_err(problem("the renewal that nobody asked for"))?;
    }
    let asked = world.asked("refresh_token").len() - before;
    must(asked == times, || format!("it was kept alive {asked} times, not {times}"))?;
    world.works(integration, "the call after nobody used it, and it was kept alive").await
}

/// The organization registers itself, as an administrator would.
pub(crate) async fn register(world: &World, provider: &Arc<Provider>, name: &str, server: &Server, way: &CredentialOption) -> Result<(), Failed> {
    register_asking(world, provider, name, server, way, &[]).await
}

/// The same, asking for these scopes.
pub(crate) async fn register_asking(world: &World, provider: &Arc<Provider>, name: &str, server: &Server, way: &CredentialOption, scopes: &[&str]) -> Result<(), Failed> {
    let setup = world.simulator.setup_at(provider.id(), name).ok_or("the provider is not simulated")?;
    let config = patchbay_providers::sample_config_of(provider.manifest(), way);
    let issuer = provider.home(server, &provider.values(&config, &BTreeMap::new(), &BTreeMap::new())).map_err(problem("where the server is"))?;
    let app = CreateProviderApp {
        name: Some("our-client".to_owned()),
        fullname: None,
        provider: provider.id().to_string(),
        issuer,
        client_id: setup.client_id.clone(),
        client_secret: (server.client_auth != [ClientAuth::None]).then(|| Secret::new(setup.client_secret.as_str())),
        redirect_uris: vec![REDIRECT.to_owned()],
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        secret_expires: None,
    };
    provider_app::create(&world.engine, &world.grant, app).await.map(drop).map_err(problem("the provider app"))
}

/// A whole consent.
pub(crate) async fn connect(world: &World, integration: &Integration) -> Result<(), Failed> {
    let begin =
        BeginConsent { integration: integration.id, route: Some(ConsentRoute::Paste), platform: Platform::default(), redirect_uri: Some(REDIRECT.to_owned()), end_user: None };
    let begun = consent::begin(&world.engine, &world.grant, begin).await.map_err(problem("the beginning of the consent"))?;
    let page = begun.authorize_url.as_ref().ok_or("the consent has no page yet")?;
    let callback = world.simulator.consent(page, true).map_err(|page| Failed::from(format!("the provider's page says: {page}")))?;
    let session = consent::finish(&world.engine, &world.grant, begun.session.id, callback.as_str()).await.map_err(|problem| {
        let last = world.simulator.log().pop().map(|entry| format!("{entry:?}")).unwrap_or_default();
        Failed::from(format!("the end of the consent: {:?}: {}; the provider last saw {last}", problem.code, problem.message))
    })?;
    must(session.state == ConnectState::Completed, || format!("the consent ended {:?}: {:?}", session.state, session.message))
}

/// The same integration once more, by a code that a person enters elsewhere.
async fn by_device(world: &World, integration: &Integration) -> Result<(), Failed> {
    let begin = BeginConsent { integration: integration.id, route: Some(ConsentRoute::Device), platform: Platform::default(), redirect_uri: None, end_user: None };
    let begun = consent::begin(&world.engine, &world.grant, begin).await.map_err(problem("the beginning at a device"))?;
    let prompt = begun.device.ok_or("no code is shown")?;
    let page = prompt.verification_uri.parse().map_err(at("the page for the code"))?;
    world.simulator.enter(&page, &prompt.user_code, true).map_err(|page| Failed::from(format!("the page for the code says: {page}")))?;
    world.advance(5);
    let session = consent::get(&world.engine, &world.grant, begun.session.id).await.map_err(problem("the consent at a device"))?;
    must(session.state == ConnectState::Completed, || format!("the consent at a device ended {:?}: {:?}", session.state, session.message))?;
    world.works(integration, "the call after the consent at a device").await
}

/// Whether this provider gives tokens that can be renewed.
fn renewable(server: &Server) -> bool {
    let endless = matches!(server.lifetime.access.silent, Silent::NonExpiring { .. }) && !matches!(server.rotation, Rotation::Rotates { .. });
    let offline = server.scopes.offline.as_ref().is_none_or(|offline| server.scopes.default.contains(offline));
    !endless && offline && server.answer.tokens.first().is_some_and(|first| first.refresh.is_some())
}
