//! What manifests describe and this version cannot do yet. A way that cannot be gone says so at its first call and sends nothing. Each
//! trial holds on to what is so now: once it can be done, that trial fails, and its rule leaves this file.

use std::sync::Arc;

use libtest_mimic::Failed;
use patchbay_model::Code;
use patchbay_model::credential::CredentialKind;
use patchbay_model::integration::Integration;
use patchbay_providers::Provider;
use patchbay_providers::manifest::{At, Auth, Base, Cause, CredentialOption, Server, Slot};

use crate::world::{World, must};

/// Whether this version cannot go this way.
pub(crate) fn unbuilt(provider: &Arc<Provider>, way: &CredentialOption) -> bool {
    let base = way.base.as_ref().unwrap_or(&provider.manifest().base);
    let minted = matches!(way.kind, CredentialKind::Aws | CredentialKind::AwsRole | CredentialKind::OAuthClient | CredentialKind::TlsCertificate)
        || matches!(way.auth, Auth::Mint(_) | Auth::SelfSigned { .. });
    let placed = way.place.parts().is_some_and(|parts| parts.header.is_none());
    // What a callback brings is not kept yet.
    let brought = way.auth.server().and_then(|name| provider.server(name)).map(|server| server.callback.keep.as_slice()).unwrap_or_default();
    let missing = matches!(base, Base::Template { url } if url.slots().any(|slot| matches!(slot, Slot::Kept(key) if brought.contains(key))));
    minted || placed || missing || matches!(base, Base::Secret { .. })
}

/// Whether an end that the provider tells in an answer that looks good by its status does not lead to a renewal yet.
pub(crate) fn silent_end(provider: &Provider, way: &CredentialOption) -> bool {
    let probe = way.probe.as_ref().or(provider.manifest().probe.as_ref());
    probe.is_some_and(|probe| probe.refused.iter().any(|refused| refused.code.is_some() && refused.status.is_none()))
}

/// Whether renewals want a parameter that they do not have yet.
pub(crate) fn incomplete_renewal(server: &Server) -> bool {
    server.refresh_params.values().any(|template| template.slots().any(|slot| *slot == Slot::RedirectUri))
}

/// Whether the provider has a word of its own for the end of a grant that is not recognised yet.
pub(crate) fn foreign_end(provider: &Provider) -> bool {
    let ended = provider.manifest().error.iter().find(|rule| rule.at == At::Token && rule.cause == Cause::GrantEnded).and_then(|rule| rule.code.as_deref());
    ended == Some("bad_verification_code")
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
