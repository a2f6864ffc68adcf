//! Opens a store with its key.

use patchbay_model::definition::{Definition, DefinitionStatus};
use patchbay_model::{Context, DefinitionId, Origin, Problem, ProviderId, Scope, Secret, Timestamp};
use patchbay_providers::{Catalog, Provider};
use patchbay_store::{PostgresAddress, Store, StoreError, WriteTx};
use patchbay_vault::{KeyAccess, Vault};

use super::StoreUrl;
use crate::contention::Turns;
use crate::engine::Parts;
use crate::http::HttpClient;
use crate::{Engine, NetworkPolicy, background, key};

/// Opens a store.
///
/// # Errors
/// `store_missing`, `store_damaged`, `store_newer`, `store_locked`, `key_unavailable`, `wrong_key`; other problems of the store.
pub async fn open(store: &StoreUrl, keys: &KeyAccess, context: Context, network: NetworkPolicy, origin: Origin) -> Result<Engine, Problem> {
    open_with(store, keys, catalog()?, context, network, origin).await
}

/// Opens a store with another catalog than the built-in one.
///
/// # Errors
/// Those of [`open`].
pub async fn open_with(store: &StoreUrl, keys: &KeyAccess, catalog: Catalog, context: Context, network: NetworkPolicy, origin: Origin) -> Result<Engine, Problem> {
    let (store, vault) = open_store(store, keys).await?;
    // On a read-only place there is nothing to bring up to date; it is opened for looking at.
    if !store.is_read_only() {
        sync(&store, &catalog, &context).await?;
    }
    start(store, vault, keys, catalog, context, network, origin)
}

/// The store at a URL, its keys not unlocked.
///
/// # Errors
/// `store_missing`, `store_damaged`, `store_newer`, `store_locked`; other problems of the store.
pub(crate) async fn at(url: &StoreUrl) -> Result<Store, Problem> {
    match url {
        StoreUrl::Sqlite(path) => Ok(Store::open(path).await?),
        StoreUrl::Postgres(url) => {
            let store = Store::connect(&PostgresAddress::of(url)?).await?;
            if !store.is_complete().await? {
                store.close().await;
                return Err(StoreError::MissingSchema(url.to_string()).into());
            }
            Ok(store)
        }
        StoreUrl::Remote(url) => Err(super::url::not_here(url)),
    }
}

/// Opens a store and its keys, and starts nothing.
///
/// # Errors
/// Those of [`open`].
pub(crate) async fn open_store(url: &StoreUrl, keys: &KeyAccess) -> Result<(Store, Vault), Problem> {
    let store = at(url).await?;
    match unlock(&store, keys).await {
        Ok(vault) => Ok((store, vault)),
        Err(problem) => {
            store.close().await;
            Err(problem)
        }
    }
}

/// Unlocks the keys of an open store.
pub(super) async fn unlock(store: &Store, keys: &KeyAccess) -> Result<Vault, Problem> {
    let header = key::header(&mut store.read(Scope::System).await?).await?;
    let keys = keys.clone();
    // Argon2id, a keyring and a person take their time.
    let vault = tokio::task::spawn_blocking(move || keys.open_vault(&header)).await.map_err(|_| Problem::internal("unlocking was interrupted"))??;
    hand_over_database_key(store, &vault);
    Ok(vault)
}

/// The database needs its keys for every sealed value; a file has none.
pub(crate) fn hand_over_database_key(store: &Store, vault: &Vault) {
    let keys: Vec<(String, Secret)> = vault.database_keys().into_iter().map(|key| (key.id, key.passphrase)).collect();
    if !keys.is_empty() {
        store.unlock_database_keys(&keys);
    }
}

/// Joins the parts and starts what runs beside the verbs.
pub(super) fn start(store: Store, vault: Vault, keys: &KeyAccess, catalog: Catalog, context: Context, network: NetworkPolicy, origin: Origin) -> Result<Engine, Problem> {
    let http = HttpClient::new(network, context.clone())?;
    let engine = Engine::assemble(Parts { store, vault, access: keys.clone(), catalog, http, context, origin, network });
    background::start(&engine);
    Ok(engine)
}

/// The providers of this build.
pub(super) fn catalog() -> Result<Catalog, Problem> {
    Catalog::builtin().map_err(|error| Problem::internal(format!("the catalog of providers is broken: {error}")))
}

/// Brings the definitions in the store up to date with the catalog: a version that is not there yet is added, the newest is
/// the one that new integrations pin, older ones are deprecated. Withdrawn are versions whose manifest says so
/// ([`patchbay_providers::manifest::Sunset`]), all versions of a provider whose newest says so, and those of providers that
/// are gone from the catalog.
///
/// # Errors
/// Problems of the store.
pub(super) async fn sync(store: &Store, catalog: &Catalog, context: &Context) -> Result<(), Problem> {
    let now = context.now();
    let stored = store.read(Scope::System).await?.definitions().await?;
    if wanted(catalog, &stored, now).is_empty() && catalog.every_version().all(|provider| known(provider, &stored)) {
        return Ok(());
    }
    let mut turns = Turns::new(context);
    loop {
        match bring_up(store, catalog, context, now).await {
            Err(problem) => turns.again(problem).await?,
            done => return done,
        }
    }
}

async fn bring_up(store: &Store, catalog: &Catalog, context: &Context, now: Timestamp) -> Result<(), Problem> {
    let mut tx = store.write(Scope::System, Origin::Background).await?;
    // Read again: another process may have done it meanwhile.
    let stored = tx.definitions().await?;
    for provider in catalog.every_version().filter(|provider| !known(provider, &stored)) {
        insert(&mut tx, catalog, provider, context).await?;
    }
    for (id, status) in wanted(catalog, &stored, now) {
        tx.set_definition_status(id, status, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Withdraws the versions whose sunset has begun since the store was opened. Nothing else: another program of another version
/// may have the store open too, and the two must not take turns.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn sunsets(store: &Store, catalog: &Catalog, context: &Context) -> Result<(), Problem> {
    let now = context.now();
    let begun = |stored: &[Definition]| -> Vec<DefinitionId> {
        let ended = wanted(catalog, stored, now).into_iter().filter(|(_, status)| *status == DefinitionStatus::Withdrawn);
        ended.map(|(id, _)| id).filter(|id| stored.iter().any(|definition| definition.id == *id && catalog.get(&definition.provider).is_some())).collect()
    };
    if begun(&store.read(Scope::System).await?.definitions().await?).is_empty() {
        return Ok(());
    }
    let mut tx = store.write(Scope::System, Origin::Background).await?;
    let stored = tx.definitions().await?;
    for id in begun(&stored) {
        tx.set_definition_status(id, DefinitionStatus::Withdrawn, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn known(provider: &Provider, stored: &[Definition]) -> bool {
    stored.iter().any(|definition| definition.organization.is_none() && definition.provider == *provider.id() && definition.version == provider.version())
}

/// Definitions whose status is not what the catalog wants.
fn wanted(catalog: &Catalog, stored: &[Definition], now: Timestamp) -> Vec<(DefinitionId, DefinitionStatus)> {
    stored
        .iter()
        // Of its own manifests each organization decides.
        .filter(|definition| definition.organization.is_none())
        .map(|definition| (definition, status(catalog, &definition.provider, &definition.version, now)))
        .filter(|(definition, status)| *status != definition.status)
        .map(|(definition, status)| (definition.id, status))
        .collect()
}

/// What the catalog says of a version.
fn status(catalog: &Catalog, provider: &ProviderId, version: &str, now: Timestamp) -> DefinitionStatus {
    match catalog.get(provider) {
        None => DefinitionStatus::Withdrawn,
        Some(newest) if newest.withdrawn(now) => DefinitionStatus::Withdrawn,
        Some(newest) if newest.version() == version => DefinitionStatus::Active,
        Some(_) if catalog.version(provider, version).is_some_and(|own| own.version() == version && own.withdrawn(now)) => DefinitionStatus::Withdrawn,
        Some(_) => DefinitionStatus::Deprecated,
    }
}

async fn insert(tx: &mut WriteTx, catalog: &Catalog, provider: &Provider, context: &Context) -> Result<(), Problem> {
    let now = context.now();
    let definition = Definition {
        id: DefinitionId::from_uuid(context.new_uuid()),
        provider: provider.id().clone(),
        connector: provider.connector(),
        version: provider.version().to_owned(),
        auth_type: provider.auth_type(),
        docs_url: provider.manifest().docs_url.clone(),
        organization: None,
        manifest: None,
        config_schema: provider.settings_schema(),
        credentials_schema: provider.credentials_schema(),
        status: status(catalog, provider.id(), provider.version(), now),
        created_at: now,
        updated_at: now,
    };
    tx.insert_definition(&definition).await?;
    Ok(())
}
