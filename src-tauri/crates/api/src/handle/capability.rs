//! `capabilities.*`: the catalog as rows, with the organization's own manifests in it. Being signed in is enough.

use patchbay_model::connector::Connector as Category;
use patchbay_model::{Operation, Problem, Timestamp};
use patchbay_providers::capability::{self, OperationRow};
use patchbay_providers::manifest::lifetime::Rotation;
use patchbay_providers::manifest::redirect::Window;
use patchbay_providers::manifest::revoke::How;
use patchbay_providers::manifest::{Auth, Source, credential::Flow};
use patchbay_providers::{Catalog, CredentialOption, Provider as Entry, routes};
use serde_json::Value;

use super::Call;
use crate::request::{Expand, NoBody};
use crate::wire::capability::{
    ConfigFacts, Connector, ConsentFacts, CredentialChoice, Provider, ProviderExtra, ProviderFact, ProviderFilter, ProviderOperation, ProviderOrder, Release, SunsetFact,
};
use crate::wire::envelope::{Answer, Listed};

type Request<'a> = Call<'a, Expand, NoBody>;

pub(crate) async fn list_connectors(call: Request<'_>) -> Result<Listed<Connector>, Problem> {
    call.grant.require(Operation::CapabilitiesListConnectors, None)?;
    let catalog = call.engine.catalog_for(call.grant).await?;
    let now = call.engine.now();
    let rows = Category::ALL.iter().copied().filter(|category| catalog.of(*category).next().is_some()).map(|category| connector(&catalog, category, &call.query, now)).collect();
    Ok(Listed { result: rows, total: None, next: None })
}

pub(crate) async fn list_providers(call: Request<'_>) -> Result<Listed<Provider>, Problem> {
    call.grant.require(Operation::CapabilitiesListProviders, None)?;
    let catalog = call.engine.catalog_for(call.grant).await?;
    let rows = catalog.providers().iter().map(|entry| provider(&catalog, entry, &call.query, call.engine.now())).collect();
    Ok(Listed { result: rows, total: None, next: None })
}

pub(crate) async fn get_provider(call: Request<'_>) -> Result<Answer<Provider>, Problem> {
    call.grant.require(Operation::CapabilitiesGetProvider, None)?;
    let id = call.path("provider_id")?;
    let catalog = call.engine.catalog_for(call.grant).await?;
    let entry = catalog.find(id).ok_or_else(|| Problem::not_found("provider", id))?;
    Ok(Answer::of(provider(&catalog, entry, &call.query, call.engine.now())))
}

fn connector(catalog: &Catalog, category: Category, expand: &Expand, now: Timestamp) -> Connector {
    Connector {
        id: category,
        name: category,
        fullname: category.fullname().to_owned(),
        description: format!("One API for {} providers.", category.fullname()),
        provider_ids: catalog.of(category).map(|entry| entry.id().clone()).collect(),
        providers: expand.has("provider").then(|| catalog.of(category).map(|entry| Provider { connector: None, ..provider(catalog, entry, &Expand::default(), now) }).collect()),
        release: None,
    }
}

fn provider(catalog: &Catalog, entry: &Entry, expand: &Expand, now: Timestamp) -> Provider {
    let manifest = entry.manifest();
    let with_config = expand.has("provider_config");
    let row = entry.capabilities(capability::Expand {
        connector: false,
        operations: expand.has("operation") || expand.has("request_body"),
        provider_config: with_config,
        request_body: expand.has("request_body"),
        providers: false,
    });
    let category = entry.connector();
    let whole_connector = expand.has("connector").then(|| connector(catalog, category, &Expand::default(), now));
    Provider {
        id: manifest.id.clone(),
        name: row.name,
        fullname: row.fullname,
        vendor: row.vendor,
        description: row.description,
        connector_id: category,
        connector: Some(whole_connector.and_then(|row| serde_json::to_value(row).ok()).unwrap_or_else(|| Value::from(category.as_str()))),
        operations: row.operations.map(|rows| rows.into_iter().map(operation).collect()),
        provider_config: row.provider_config,
        release: Some(Release { availability: word(&manifest.release.availability), environments: Some(manifest.release.environments.clone()) }),
        x_patchbay: ProviderExtra {
            version: manifest.version.clone(),
            docs_url: manifest.docs_url.clone(),
            auth_type: entry.auth_type(),
            mock: entry.is_local(),
            config: with_config.then(|| ConfigFacts { schema: entry.settings_schema(), order: manifest.config.iter().map(|property| property.name.clone()).collect() }),
            credentials: manifest.credential.iter().map(|option| credential(entry, option)).collect(),
            facts: entry.facts().len(),
            unverified: manifest.unverified(),
            own: entry.is_own(),
            claims: expand.has("facts").then(|| claims(entry)),
            sunsets: manifest
                .sunset
                .iter()
                .map(|sunset| SunsetFact {
                    date: sunset.date.clone(),
                    what: sunset.what.clone(),
                    ended: sunset.from().is_some_and(|from| from <= now),
                    reason: sunset.reason.clone(),
                    instead: sunset.instead.clone(),
                    source: sunset.source.to_string(),
                })
                .collect(),
            consent: manifest.credential.iter().find_map(|option| entry.consent(&option.word)).map(|server| ConsentFacts {
                needs_provider_app: true,
                needs_issuer: server.self_hosted,
                embedded_window: !matches!(server.window, Window::Refused { .. }),
                loopback_any_port: routes::any_port(server),
                default_scopes: server.scopes.default.clone(),
                device: manifest.credential.iter().any(|option| matches!(&option.auth, Auth::Consent { flows, .. } if flows.contains(&Flow::Device))),
                rotation: match server.rotation {
                    Rotation::None => "none",
                    Rotation::Rotates { .. } => "rotates",
                    Rotation::Unknown => "unknown",
                }
                .to_owned(),
                revocable: !matches!(server.revocation.how, How::None),
            }),
        },
    }
}

/// What is claimed of a provider, and who says so.
fn claims(entry: &Entry) -> Vec<ProviderFact> {
    let facts = entry.facts().into_iter();
    facts
        .map(|fact| ProviderFact {
            value: entry.manifest().stated(&fact.path),
            verified: fact.source.as_ref().is_some_and(Source::is_verified),
            source: fact.source.map(|source| source.to_string()),
            fact: fact.path,
        })
        .collect()
}

fn credential(entry: &Entry, option: &CredentialOption) -> CredentialChoice {
    CredentialChoice {
        kind: option.kind,
        wire_type: option.word.clone(),
        title: option.title.clone(),
        description: option.description.clone(),
        schema: entry.credential_schema(&option.word).unwrap_or_default(),
    }
}

fn operation(row: OperationRow) -> ProviderOperation {
    let some = |items: Vec<String>| (!items.is_empty()).then_some(items);
    ProviderOperation {
        id: row.id,
        name: row.name.to_owned(),
        fullname: Some(row.fullname),
        description: None,
        request_method: Some(row.request_method.to_owned()),
        request_path: Some(row.request_path.to_owned()),
        supported: row.supported,
        required_fields: some(row.required_fields),
        supported_response_fields: some(row.supported_response_fields),
        filters: Some(
            row.filters.into_iter().map(|filter| ProviderFilter { name: filter.name, kind: filter.value_type, operators: filter.operators, values: filter.values }).collect(),
        ),
        orders: Some(row.orders.into_iter().map(|order| ProviderOrder { name: order.name, directions: order.directions }).collect()),
        request_body: row.request_body,
    }
}

/// The word that a unit variant is written as.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}
