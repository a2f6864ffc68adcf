//! Where an app's provider is: some need an integration's configuration for that.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use patchbay_model::Problem;
use patchbay_model::consent::ProviderApp;
use patchbay_model::list::{Filter, ListQuery, Operator};
use patchbay_providers::manifest::{Auth, Endpoints};
use patchbay_providers::{Provider, Server};
use patchbay_store::ReadTx;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use crate::Engine;
use crate::http::{HttpRequest, Limits, Repeat};
use crate::oauth::{Authority, same_issuer};

/// How many integrations are looked at for a configuration.
const MOST: u32 = 50;
/// How long an answer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// Most that is read of an answer.
pub(super) const LARGEST: usize = 1 << 19;

/// The server at which people consent.
pub(super) fn server(provider: &Provider) -> Option<&Server> {
    provider.manifest().credential.iter().find_map(|way| match &way.auth {
        Auth::Consent { server, .. } => provider.server(server),
        _ => None,
    })
}

/// A configuration that leads to the app's server: none needed, the app's own issuer, or that of an integration.
pub(super) async fn config(tx: &mut ReadTx, provider: &Provider, server: &Server, app: &ProviderApp) -> Result<Option<Map<String, Value>>, Problem> {
    let own = match &server.endpoints {
        Endpoints::Discovery { issuer, .. } => issuer.chosen_by().zip(app.issuer.as_deref()).map(|(property, issuer)| Map::from_iter([(property.to_owned(), Value::from(issuer))])),
        Endpoints::Fixed(_) => None,
    };
    for config in own.into_iter().chain([Map::new()]) {
        if leads(provider, server, app, &config) {
            return Ok(Some(config));
        }
    }
    Ok(configs(tx, provider).await?.into_iter().find(|config| leads(provider, server, app, config)))
}

/// The configurations of integrations at a provider, as far as one looks.
pub(super) async fn configs(tx: &mut ReadTx, provider: &Provider) -> Result<Vec<Map<String, Value>>, Problem> {
    let of_provider = Filter { field: "provider_type".to_owned(), operator: Operator::Eq, values: vec![provider.id().to_string()] };
    let found = tx.integrations(None, &ListQuery { filters: vec![of_provider], limit: Some(MOST), ..ListQuery::default() }).await?;
    Ok(found.items.into_iter().filter_map(|integration| integration.config.as_object().cloned()).collect())
}

/// Whether a configuration leads to the server at which the app is registered.
fn leads(provider: &Provider, server: &Server, app: &ProviderApp, config: &Map<String, Value>) -> bool {
    let values = provider.values(config, &BTreeMap::new(), &BTreeMap::new());
    let found = match &server.endpoints {
        Endpoints::Discovery { issuer, .. } => provider.endpoint(server, issuer, &values).is_ok(),
        Endpoints::Fixed(fixed) => [&fixed.authorize, &fixed.token].into_iter().flatten().all(|template| provider.endpoint(server, template, &values).is_ok()),
    };
    let home = provider.home(server, &values).ok().flatten();
    found && (!server.self_hosted || home.is_some_and(|home| app.issuer.as_deref().is_some_and(|issuer| same_issuer(issuer, &home))))
}

/// The issuer under which metadata is kept.
pub(super) fn issuer(provider: &Provider, server: &Server, config: &Map<String, Value>) -> Option<String> {
    let Endpoints::Discovery { issuer, .. } = &server.endpoints else { return None };
    let values = provider.values(config, &BTreeMap::new(), &BTreeMap::new());
    values.text(provider.manifest(), issuer).ok().flatten()
}

/// That somebody answers at the token endpoint, whatever it is. Metadata that was read just now says that by itself.
pub(super) async fn reached(engine: &Engine, authority: &Authority) -> Result<(), Problem> {
    if matches!(authority.server.endpoints, Endpoints::Discovery { .. }) {
        return Ok(());
    }
    let request = HttpRequest { method: Method::GET, url: authority.token()?, headers: HeaderMap::new(), body: bytes::Bytes::new(), template: "(authorization server)".into() };
    let limits = Limits { deadline: Instant::now() + PATIENCE, max_bytes: LARGEST, repeat: Repeat::Idempotent };
    engine.http().send(&request, limits, None, None).await?;
    Ok(())
}
