//! What a person enters: entry, call, replacement, refusal; and what is got with it on the way, until it ends.

use std::sync::Arc;

use libtest_mimic::Failed;
use patchbay_engine::provider_app;
use patchbay_model::Code;
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_providers::manifest::revoke::{How, Manual, Proof, Revocation};
use patchbay_providers::manifest::{Auth, CredentialOption};
use patchbay_providers::{Catalog, Provider};
use patchbay_simulator::{Fault, FaultOrder};
use serde_json::{Map, Value};

use crate::world::{World, must, problem, registered};

pub(crate) async fn life(catalog: &Catalog, provider: &Arc<Provider>, way: &CredentialOption) -> Result<(), Failed> {
    let world = World::new(catalog, provider).await?;
    let issue = || world.simulator.issue(provider.id(), &way.word).ok_or("the provider makes no such key");
    let first = issue()?;
    let integration = world.integration(world.config(Some(way), Some(&first.fields))).await?;
    if let Auth::AwsRole { .. } = &way.auth {
        // Nobody can assume a role before the organization has a principal of its own.
        let refusal = world.fails(&integration, "the call without a principal").await?;
        must(refusal.code == Code::ProviderAppMissing, || format!("it is refused otherwise: {:?}: {}", refusal.code, refusal.message))?;
        registered(&world, provider).await?;
        let settings = patchbay_providers::sample_config_of(provider.manifest(), way);
        let trust = provider_app::trust(&world.engine, &world.grant, provider.id().as_str(), settings).await.map_err(problem("the trust policy"))?;
        must(trust.policy.contains(&trust.principal) && trust.policy.contains(&trust.external_id), || format!("the policy lets in somebody else: {}", trust.policy))?;
    }
    world.works(&integration, "the first call").await?;
    match &way.auth {
        Auth::Mint(login) => got(&world, &integration, "mint", login.expires.seconds.unwrap_or(3600)).await?,
        Auth::AwsRole { .. } => {
            must(world.outcomes("assume_role") == ["granted", "AccessDenied"], || format!("a wrong external id was not tried: {:?}", world.outcomes("assume_role")))?;
            got(&world, &integration, "assume_role", 3600).await?;
            wrong_external_id(&world, &integration, way, &first.fields).await?;
        }
        _ => {}
    }
    must(world.status(&integration).await? == IntegrationStatus::Active, || "it is not active after the first call".to_owned())?;

    // The key is changed at the provider, then here; the integration stays the same one.
    world.simulator.withdraw(&first);
    let problem = world.fails(&integration, "the call after the key ended").await?;
    let status = world.status(&integration).await?;
    must(matches!(status, IntegrationStatus::NeedsAttention { .. }), || format!("it is {status:?} after {:?}: {}", problem.code, problem.message))?;
    let second = issue()?;
    world.change(&integration, world.config(Some(way), Some(&second.fields))).await?;
    world.works(&integration, "the call with the new key").await?;
    let after = world.now(&integration).await?;
    must(after.id == integration.id && after.status == IntegrationStatus::Active, || format!("it is another one: {after:?}"))?;

    // We give it back; where the provider lets a key end itself, that is proven.
    let by_hand = Revocation {
        how: How::None,
        proof: Proof::Nothing,
        answers_ok_always: false,
        settle_seconds: None,
        each_token: false,
        ends: None,
        manual: Manual { steps: Vec::new(), url: None },
    };
    let facts = way.revocation.as_ref().filter(|_| matches!(way.auth, Auth::Plain)).unwrap_or(&by_hand);
    crate::revoking::gives_back(&world, &integration, facts).await?;
    let third = issue()?;
    world.change(&integration, world.config(Some(way), Some(&third.fields))).await?;
    world.works(&integration, "the call with a key after it was disconnected").await?;
    must(world.status(&integration).await? == IntegrationStatus::Active, || "it is not active after it was connected again".to_owned())?;
    world.engine.shutdown().await;
    if matches!(&way.auth, Auth::Mint(login) if login.end.is_some()) {
        let ends = world.outcomes("mintend").iter().filter(|outcome| *outcome == "ok").count();
        must(ends > 0, || "the session stays open at the provider".to_owned())?;
    }
    Ok(())
}

/// What was got with a key serves several calls, and is got anew before it ends.
async fn got(world: &World, integration: &Integration, what: &str, seconds: u64) -> Result<(), Failed> {
    let granted = || world.outcomes(what).iter().filter(|outcome| *outcome == "granted").count();
    let before = granted();
    world.works(integration, "the second call").await?;
    must(granted() == before, || "what was got is not used again".to_owned())?;
    world.simulator.order(FaultOrder::once(Fault::ExpireAccess));
    world.works(integration, "the call after the provider ended it before its time").await?;
    must(granted() == before + 1, || format!("it was got {} times after that", granted() - before))?;
    world.advance(seconds + 1);
    world.works(integration, "the call after its time was over").await?;
    must(granted() == before + 2, || format!("it was got {} times after its time was over", granted() - before - 1))
}

/// A role is not given to whoever names another external id.
async fn wrong_external_id(world: &World, integration: &Integration, way: &CredentialOption, fields: &Map<String, Value>) -> Result<(), Failed> {
    let mut wrong = fields.clone();
    wrong.insert("external_id".to_owned(), "somebody-else".into());
    world.change(integration, world.config(Some(way), Some(&wrong))).await?;
    let problem = world.fails(integration, "the call with a wrong external id").await?;
    must(problem.code == Code::ProviderRefused, || format!("it is refused otherwise: {:?}: {}", problem.code, problem.message))?;
    world.change(integration, world.config(Some(way), Some(fields))).await?;
    world.works(integration, "the call with the right external id").await
}

/// A provider that needs no credential works at once.
pub(crate) async fn nothing(catalog: &Catalog, provider: &Arc<Provider>) -> Result<(), Failed> {
    let world = World::new(catalog, provider).await?;
    let integration = world.integration(world.config(None, None)).await?;
    world.works(&integration, "the first call").await?;
    world.engine.shutdown().await;
    Ok(())
}
