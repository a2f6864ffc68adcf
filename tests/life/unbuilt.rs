//! Ways that manifests describe and this version cannot go yet. Each says so at its first call and sends nothing; once it can be gone,
//! that trial fails, and the way leaves this file.

use std::sync::Arc;

use libtest_mimic::Failed;
use patchbay_model::Code;
use patchbay_model::credential::CredentialKind;
use patchbay_model::integration::Integration;
use patchbay_providers::Provider;
use patchbay_providers::manifest::{Base, CredentialOption};

use crate::world::{World, must};

/// Whether this version cannot go this way.
pub(crate) fn unbuilt(provider: &Arc<Provider>, way: &CredentialOption) -> bool {
    let minted = matches!(way.kind, CredentialKind::Aws | CredentialKind::AwsRole | CredentialKind::OAuthClient | CredentialKind::TlsCertificate);
    let placed = way.place.parts().is_some_and(|parts| parts.header.is_none());
    let address = matches!(way.base.as_ref().unwrap_or(&provider.manifest().base), Base::Secret { .. });
    minted || placed || address
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
