//! The organization's own OAuth client at a provider.

use std::collections::BTreeMap;

use patchbay_model::consent::ProviderApp;
use patchbay_model::integration::Integration;
use patchbay_model::{Code, Problem, Secret};
use patchbay_providers::{Provider, Server};
use patchbay_store::{ReadTx, SecretReadTx};
use serde::Deserialize;

use crate::oauth::{OAuthClient, same_issuer};
use crate::{Engine, sealing};

#[derive(Deserialize)]
struct SealedClientSecret {
    client_secret: Secret,
}

/// The client of an app, its secret in clear.
///
/// # Errors
/// `seal_broken`, and problems of the store.
pub(crate) async fn client_of(engine: &Engine, tx: &mut SecretReadTx, app: &ProviderApp) -> Result<OAuthClient, Problem> {
    let secret = match app.client_secret {
        None => None,
        Some(shared) => {
            let envelope = tx.secrets().sealed_shared(shared).await?.ok_or_else(|| {
                Problem::new(Code::ProviderAppMissing, format!("The client secret of provider app `{}` is gone. Enter it again.", app.name)).with_resource(
                    "provider_app",
                    app.id,
                    "cause",
                )
            })?;
            let plain = engine.open_sealed_in(tx, &sealing::shared_place(app.organization_id, None, shared), &envelope).await?;
            let sealed: SealedClientSecret = serde_json::from_str(plain.expose()).map_err(|_| Problem::internal("a sealed client secret has another form than Patchbay writes"))?;
            Some(sealed.client_secret)
        }
    };
    Ok(OAuthClient { id: app.client_id.clone(), secret })
}

/// The app with which an integration is connected: at a server of the customer's own the one registered there. A client secret is never sent
/// to an address that the app does not name.
///
/// # Errors
/// `provider_app_missing`, and problems of the store.
pub(super) async fn app_for(tx: &mut ReadTx, provider: &Provider, server: &Server, integration: &Integration) -> Result<ProviderApp, Problem> {
    let apps = tx.provider_apps_at(provider.id()).await?;
    let config = integration.config.as_object().cloned().unwrap_or_default();
    let issuer = provider.home(server, &provider.values(&config, &BTreeMap::new(), &BTreeMap::new()))?;
    let issuer = issuer.as_deref();
    let fits = |app: &ProviderApp| issuer.is_none_or(|issuer| app.issuer.as_deref().is_some_and(|known| same_issuer(known, issuer)));
    apps.into_iter().find(fits).ok_or_else(|| {
        let place = issuer.map_or_else(|| provider.fullname().to_owned(), |issuer| format!("the issuer {issuer}"));
        Problem::new(
            Code::ProviderAppMissing,
            format!("There is no provider app for {place}. Register Patchbay there as a client, then add a provider app with the client id that you get."),
        )
        .with_resource("integration", integration.id, "affected")
    })
}
