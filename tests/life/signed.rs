//! Answers that a provider signs: what is forged, altered, of another shop or not signed at all is not taken.

use std::sync::Arc;

use libtest_mimic::Failed;
use patchbay_engine::consent::{self, BeginConsent, Platform};
use patchbay_model::consent::{ConnectState, ConsentRoute};
use patchbay_model::integration::IntegrationStatus;
use patchbay_model::{Code, Problem, Secret};
use patchbay_providers::manifest::CredentialOption;
use patchbay_providers::{Catalog, Provider};
use patchbay_vault::webhook_signature;
use url::Url;

use crate::consent::{REDIRECT, connect, register};
use crate::world::{World, must, problem};

/// What becomes of an answer on its way.
type Altering<'a> = dyn Fn(Vec<(String, String)>) -> Vec<(String, String)> + 'a;

pub(crate) async fn life(catalog: &Catalog, provider: &Arc<Provider>, way: &CredentialOption) -> Result<(), Failed> {
    let server = provider.consent(&way.word).ok_or("nobody consents to this")?;
    let signed = server.callback.signed.as_ref().ok_or("its answers are not signed")?;
    let world = World::new(catalog, provider).await?;
    register(&world, provider, "main", server, way).await?;
    let integration = world.integration(world.config(Some(way), None)).await?;
    let signature = signed.param.as_str();
    let secret = Secret::new(world.simulator.setup_at(provider.id(), "main").ok_or("the provider is not simulated")?.client_secret);
    // What the provider itself signed, for another shop that has installed the same app.
    let theirs = |pairs: Vec<(String, String)>| {
        let mut pairs: Vec<_> = pairs
            .into_iter()
            .filter(|(name, _)| name != signature)
            .map(|(name, value)| if name == "shop" { (name, "evil.myshopify.com".to_owned()) } else { (name, value) })
            .collect();
        pairs.sort();
        let message = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let made = webhook_signature(&secret, message.as_bytes());
        pairs.push((signature.to_owned(), made.trim_start_matches("sha256=").to_owned()));
        pairs
    };
    let altered = |alter: &'static dyn Fn(&str, String, &str) -> Option<String>| {
        move |pairs: Vec<(String, String)>| pairs.into_iter().filter_map(|(name, value)| alter(&name, value, signature).map(|value| (name, value))).collect::<Vec<_>>()
    };
    let forged: Vec<(&str, Box<Altering<'_>>)> = vec![
        ("an answer without a signature", Box::new(altered(&|name, value, signature| (name != signature).then_some(value)))),
        ("an empty signature", Box::new(altered(&|name, value, signature| Some(if name == signature { String::new() } else { value })))),
        ("a signature of something else", Box::new(altered(&|name, value, signature| Some(if name == signature { value.chars().rev().collect() } else { value })))),
        ("another code", Box::new(altered(&|name, value, _| Some(if name == "code" { format!("{value}0") } else { value })))),
        ("another shop", Box::new(altered(&|name, value, _| Some(if name == "shop" { "evil.myshopify.com".to_owned() } else { value })))),
        ("an answer of which something is missing", Box::new(altered(&|name, value, _| (name != "host").then_some(value)))),
        ("the answer for another shop, well signed", Box::new(theirs)),
    ];
    for (what, alter) in forged {
        let problem = answered(&world, integration.id, &*alter).await?.err().ok_or_else(|| format!("{what} is taken"))?;
        must(problem.code == Code::ConsentIssuerMismatch && problem.message.contains("The code was not used"), || format!("{what}: {:?}: {}", problem.code, problem.message))?;
        must(world.outcomes("authorization_code").is_empty(), || format!("{what}: the code went to the provider"))?;
        must(world.status(&integration).await? == IntegrationStatus::AwaitingConsent, || format!("{what}: nothing was stored"))?;
    }
    connect(&world, &integration).await?;
    world.works(&integration, "the call after an answer with a good signature").await
}

/// A consent whose answer was altered on its way.
async fn answered(world: &World, integration: patchbay_model::IntegrationId, alter: &Altering<'_>) -> Result<Result<ConnectState, Problem>, Failed> {
    let begin = BeginConsent { integration, route: Some(ConsentRoute::Paste), platform: Platform::default(), redirect_uri: Some(REDIRECT.to_owned()), end_user: None };
    let begun = consent::begin(&world.engine, &world.grant, begin).await.map_err(problem("the beginning of the consent"))?;
    let page = begun.authorize_url.as_ref().ok_or("the consent has no page yet")?;
    let callback = world.simulator.consent(page, true).map_err(|page| Failed::from(format!("the provider's page says: {page}")))?;
    let mut altered: Url = callback.clone();
    let pairs = alter(callback.query_pairs().into_owned().collect());
    altered.query_pairs_mut().clear().extend_pairs(pairs);
    Ok(consent::finish(&world.engine, &world.grant, begun.session.id, altered.as_str()).await.map(|session| session.state))
}
