//! What manifests describe and this version cannot do yet. A way that cannot be gone says so at its first call and sends nothing. Each
//! trial holds on to what is so now: once it can be done, that trial fails, and its rule leaves this file.

use std::sync::Arc;

use libtest_mimic::Failed;
use patchbay_model::Code;
use patchbay_model::credential::CredentialKind;
use patchbay_model::integration::Integration;
use patchbay_providers::Provider;
use patchbay_providers::manifest::{Auth, Base, CredentialOption};

use crate::world::{World, must};

/// Whether this version cannot go this way.
pub(crate) fn unbuilt(provider: &Arc<Provider>, way: &CredentialOption) -> bool {
    let base = way.base.as_ref().unwrap_or(&provider.manifest().base);
    let minted = matches!(way.kind, CredentialKind::Aws | CredentialKind::AwsRole | CredentialKind::TlsCertificate) || matches!(way.auth, Auth::Mint(_) | Auth::SelfSigned { .. });
    let placed = way.place.parts().is_some_and(|parts| parts.header.is_none());
    minted || placed || matches!(base, Base::Secret { .. })
}

/// The first call is refused here, with a reason, and no credential went out.
pub(crate) async fn refused(world: &World, integration: &Integration) -> Result<(), Failed> {
    let problem = world.fails(integration, "the first call of a way that is not built").await?;
    must(matches!(problem.code, Code::OperationUnsupported | Code::InvalidConfig), || format!("it is refused otherwise: {:?}: {}", problem.code, problem.message))?;
    let asked = world.asked("probe");
    must(asked.is_empty(), || format!("the provider was asked all the same: {asked:?}"))?;
    world.engine.shutdown().await;
    Ok(())
}
