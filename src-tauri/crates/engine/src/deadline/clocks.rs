//! The clocks of what somebody enters. Those of tokens come from the tokens themselves ([`crate::consent::TokenSet`]).

use patchbay_model::Problem;
use patchbay_model::consent::ProviderApp;
use patchbay_model::credential::{Credential, CredentialKind};
use patchbay_model::deadline::{Clock, ClockKind, ClockOwner};
use patchbay_store::WriteTx;
use patchbay_vault::certificate_end;
use serde_json::Value;

/// The clocks of a credential that was entered: the end that somebody gave it, and that of its certificate.
pub(crate) fn of_entered(credential: &Credential) -> Vec<Clock> {
    let entered = credential.expires.map(|at| Clock::of(ClockKind::Secret, at));
    let certificate = match credential.kind {
        CredentialKind::TlsCertificate => credential.public_config.get("certificate").and_then(Value::as_str).and_then(certificate_end),
        _ => None,
    };
    entered.into_iter().chain(certificate.map(|at| Clock::of(ClockKind::Certificate, at))).collect()
}

/// Writes the clocks of a credential that was entered or changed by hand, in the transaction that stores it. What a person
/// authorized keeps its own.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn entered(tx: &mut WriteTx, credential: &Credential) -> Result<(), Problem> {
    if credential.kind == CredentialKind::OAuthUser {
        return Ok(());
    }
    Ok(tx.set_clocks(ClockOwner::Credential(credential.id), &of_entered(credential)).await?)
}

/// Writes the clocks of a provider app: of its client secret, where there is one and its end is known.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn provider_app(tx: &mut WriteTx, app: &ProviderApp) -> Result<(), Problem> {
    let clocks: Vec<Clock> = app.secret_expires.filter(|_| app.client_secret.is_some()).map(|at| Clock::of(ClockKind::Secret, at)).into_iter().collect();
    Ok(tx.set_clocks(ClockOwner::ProviderApp(app.id), &clocks).await?)
}
