//! What a person enters: entry, call, replacement, refusal.

use std::sync::Arc;

use libtest_mimic::Failed;
use patchbay_model::integration::IntegrationStatus;
use patchbay_providers::manifest::CredentialOption;
use patchbay_providers::{Catalog, Provider};

use crate::unbuilt::{refused, unbuilt};
use crate::world::{World, must};

pub(crate) async fn life(catalog: &Catalog, provider: &Arc<Provider>, way: &CredentialOption) -> Result<(), Failed> {
    let world = World::new(catalog, provider).await?;
    let issue = || world.simulator.issue(provider.id(), &way.word).ok_or("the provider makes no such key");
    let first = issue()?;
    let integration = world.integration(world.config(Some(way), Some(&first.fields))).await?;
    if unbuilt(provider, way) {
        return refused(&world, &integration).await;
    }
    world.works(&integration, "the first call").await?;
    must(world.status(&integration).await? == IntegrationStatus::Active, || "it is not active after the first call".to_owned())?;

    // The key is changed at the provider, then here; the integration stays the same one.
    let second = issue()?;
    world.simulator.withdraw(&first);
    let problem = world.fails(&integration, "the call after the key ended").await?;
    let status = world.status(&integration).await?;
    must(matches!(status, IntegrationStatus::NeedsAttention { .. }), || format!("it is {status:?} after {:?}: {}", problem.code, problem.message))?;
    world.change(&integration, world.config(Some(way), Some(&second.fields))).await?;
    world.works(&integration, "the call with the new key").await?;
    let after = world.now(&integration).await?;
    must(after.id == integration.id && after.status == IntegrationStatus::Active, || format!("it is another one: {after:?}"))?;
    world.engine.shutdown().await;
    Ok(())
}

/// A provider that needs no credential works at once.
pub(crate) async fn nothing(catalog: &Catalog, provider: &Arc<Provider>) -> Result<(), Failed> {
    let world = World::new(catalog, provider).await?;
    let integration = world.integration(world.config(None, None)).await?;
    world.works(&integration, "the first call").await?;
    world.engine.shutdown().await;
    Ok(())
}
