//! What can be told of a provider app without a person: a good one, one with a wrong secret, with a redirect URI that is not registered, and
//! with a scope that nobody knows. What a manifest says cannot be told must not be told.

use std::sync::Arc;

use libtest_mimic::Failed;
use patchbay_engine::preflight::{self, Checks};
use patchbay_engine::provider_app::{self, UpdateProviderApp};
use patchbay_model::Secret;
use patchbay_model::preflight::{CheckKind, CheckOutcome};
use patchbay_providers::manifest::redirect::{Matching, Mismatch};
use patchbay_providers::manifest::revoke::{AuthorizeTest, TokenTest};
use patchbay_providers::manifest::{Auth, ClientAuth, CredentialOption};
use patchbay_providers::{Catalog, Provider};

use crate::consent::{REDIRECT, register};
use crate::world::{World, must, problem};

pub(crate) async fn trial(catalog: &Catalog, provider: &Arc<Provider>, way: &CredentialOption) -> Result<(), Failed> {
    let Auth::Consent { server: name, .. } = &way.auth else { return Err("nobody consents to this".into()) };
    let server = provider.server(name).ok_or("the server is not in the manifest")?;
    let world = World::new(catalog, provider).await?;
    register(&world, provider, name, server, way).await?;
    world.integration(world.config(Some(way), None)).await?;
    let tells_client = matches!(server.preflight.token, TokenTest::Standard | TokenTest::Tells { .. });
    let tells_page = matches!(server.preflight.authorize, AuthorizeTest::Standard | AuthorizeTest::Tells { .. });

    let good = preflight::preflight(&world.engine, &world.grant, "our-client").await.map_err(problem("the test of a good app"))?;
    expect(&good, CheckKind::Reached, true, "good")?;
    expect(&good, CheckKind::Client, tells_client, "good")?;
    expect(&good, CheckKind::RedirectUri, tells_page, "good")?;
    expect(&good, CheckKind::Scopes, tells_page, "good")?;

    if server.client_auth != [ClientAuth::None] {
        let bad = test(&world, |app| app.client_secret = Some(Secret::new("not-the-client-secret"))).await?;
        // Where a client can ask for a token of its own, that tells a wrong secret too.
        let asks = |way: &CredentialOption| matches!(&way.auth, Auth::ClientCredentials { server, .. } if server == name);
        let asks_itself = matches!(server.preflight.token, TokenTest::CannotTell { .. }) && provider.manifest().credential.iter().any(asks);
        expect(&bad, CheckKind::Client, tells_client || asks_itself, "bad")?;
        let secret = world.simulator.setup_at(provider.id(), name).ok_or("the provider is not simulated")?.client_secret;
        test(&world, |app| app.client_secret = Some(Secret::new(secret.as_str()))).await?;
    }
    if server.redirect.mismatch == Mismatch::Refused && server.redirect.matching == Matching::Exact {
        let bad = test(&world, |app| app.redirect_uris = vec![format!("{REDIRECT}/elsewhere")]).await?;
        expect(&bad, CheckKind::RedirectUri, tells_page, "bad")?;
    }
    let bad = test(&world, |app| {
        app.redirect_uris = vec![REDIRECT.to_owned()];
        app.scopes = vec!["sim_unknown".to_owned()];
    })
    .await?;
    expect(&bad, CheckKind::Scopes, tells_page, "bad")?;
    expect(&bad, CheckKind::RedirectUri, tells_page, "good")?;
    world.engine.shutdown().await;
    Ok(())
}

async fn test(world: &World, with: impl FnOnce(&mut UpdateProviderApp)) -> Result<Checks, Failed> {
    let app = provider_app::get(&world.engine, &world.grant, "our-client").await.map_err(problem("the provider app"))?;
    let mut change = UpdateProviderApp::of(app);
    with(&mut change);
    provider_app::update(&world.engine, &world.grant, "our-client", change).await.map_err(problem("the change of the app"))?;
    preflight::preflight(&world.engine, &world.grant, "our-client").await.map_err(problem("the test"))
}

/// That this is what was found, or that nothing was where the manifest says so.
fn expect(checks: &Checks, kind: CheckKind, tells: bool, wanted: &str) -> Result<(), Failed> {
    let check = checks.checks.iter().find(|check| check.kind == kind).ok_or_else(|| format!("{} was not tested", kind.as_str()))?;
    let wanted = if tells { wanted } else { "cannot_tell" };
    let whole = matches!(&check.outcome, CheckOutcome::CannotTell { why } if why.is_empty());
    must(check.outcome.word().as_str() == wanted && !whole, || format!("{} is to be {wanted}: {:?}", kind.as_str(), check.outcome))
}
