//! Opens a store with its key.

use patchbay_model::definition::{Definition, DefinitionStatus};
use patchbay_model::{Code, Context, DefinitionId, Origin, Problem, Scope};
use patchbay_providers::{Catalog, Provider};
use patchbay_store::{Store, WriteTx};
use patchbay_vault::{KeyAccess, KeyHeader, Vault};

use super::StoreUrl;
use crate::engine::Parts;
use crate::http::HttpClient;
use crate::{Engine, NetworkPolicy, background};

/// Opens a store.
///
/// # Errors
/// `store_missing`, `store_damaged`, `store_newer`, `store_locked`, `key_unavailable`, `wrong_key`; other problems of the store.
pub async fn open(store: &StoreUrl, keys: &KeyAccess, context: Context, network: NetworkPolicy, origin: Origin) -> Result<Engine, Problem> {
    let StoreUrl::Sqlite(path) = store;
    let store = Store::open(path).await?;
    let vault = match unlock(&store, keys).await {
        Ok(vault) => vault,
        Err(problem) => {
            store.close().await;
            return Err(problem);
        }
    };
    // On a read-only place there is nothing to bring up to date; it is opened for looking at.
    if !store.is_read_only() {
        sync(&store, &context).await?;
    }
    start(store, vault, context, network, origin)
}

/// Unlocks the keys of an open store.
pub(super) async fn unlock(store: &Store, keys: &KeyAccess) -> Result<Vault, Problem> {
    let header = store.read(Scope::System).await?.header().await?;
    let damaged = |_| Problem::new(Code::StoreDamaged, "The store's key header cannot be read. Restore the store from a backup.");
    let header: KeyHeader = serde_json::from_value(header.key_header).map_err(damaged)?;
    let keys = keys.clone();
    // Argon2id, a keyring and a person take their time.
    tokio::task::spawn_blocking(move || keys.open_vault(&header)).await.map_err(|_| Problem::internal("unlocking was interrupted"))?
}

/// Joins the parts and starts what runs beside the verbs.
pub(super) fn start(store: Store, vault: Vault, context: Context, network: NetworkPolicy, origin: Origin) -> Result<Engine, Problem> {
    let catalog = catalog()?;
    let http = HttpClient::new(network, context.clone())?;
    let engine = Engine::assemble(Parts { store, vault, catalog, http, context, origin, network });
    background::start(&engine);
    Ok(engine)
}

/// The providers of this build.
pub(super) fn catalog() -> Result<Catalog, Problem> {
    Catalog::builtin().map_err(|error| Problem::internal(format!("the catalog of providers is broken: {error}")))
}

/// Brings the definitions in the store up to date with the catalog: a version that is not there yet is added and becomes
/// the one that new integrations pin, older ones are deprecated, those of providers that are gone withdrawn.
///
/// # Errors
/// Problems of the store.
pub(super) async fn sync(store: &Store, context: &Context) -> Result<(), Problem> {
    let catalog = catalog()?;
    let stored = store.read(Scope::System).await?.definitions().await?;
    if wanted(&catalog, &stored).is_empty() && catalog.providers().iter().all(|provider| known(provider, &stored)) {
        return Ok(());
    }
    let mut tx = store.write(Scope::System, Origin::Background).await?;
    // Read again: another process may have done it meanwhile.
    let stored = tx.definitions().await?;
    for provider in catalog.providers() {
        if !known(provider, &stored) {
            insert(&mut tx, provider, context).await?;
        }
    }
    for (id, status) in wanted(&catalog, &stored) {
        tx.set_definition_status(id, status, context.now()).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn known(provider: &Provider, stored: &[Definition]) -> bool {
    stored.iter().any(|definition| definition.provider == *provider.id() && definition.version == provider.version())
}

/// Definitions whose status is not what the catalog wants.
fn wanted(catalog: &Catalog, stored: &[Definition]) -> Vec<(DefinitionId, DefinitionStatus)> {
    stored
        .iter()
        .filter_map(|definition| {
            let status = match catalog.get(&definition.provider) {
                Some(provider) if provider.version() == definition.version => DefinitionStatus::Active,
                Some(_) => DefinitionStatus::Deprecated,
                None => DefinitionStatus::Withdrawn,
            };
            (status != definition.status).then_some((definition.id, status))
        })
        .collect()
}

async fn insert(tx: &mut WriteTx, provider: &Provider, context: &Context) -> Result<(), Problem> {
    let now = context.now();
    let definition = Definition {
        id: DefinitionId::from_uuid(context.new_uuid()),
        provider: provider.id().clone(),
        connector: provider.connector(),
        version: provider.version().to_owned(),
        auth_type: provider.auth_type(),
        docs_url: provider.manifest().docs_url.clone(),
        config_schema: provider.settings_schema(),
        credentials_schema: provider.credentials_schema(),
        status: DefinitionStatus::Active,
        created_at: now,
        updated_at: now,
    };
    tx.insert_definition(&definition).await?;
    Ok(())
}
