//! The catalog of an organization: the built-in one with its own manifests in front.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use patchbay_model::definition::Definition;
use patchbay_model::integration::Integration;
use patchbay_model::{DefinitionId, OrganizationId, Problem};
use patchbay_providers::{Catalog, Provider, UserManifest};
use patchbay_store::ReadTx;

use crate::{Engine, ManagementGrant, definition, reach};

/// A catalog, and the definitions whose manifests stand in it.
type Overlaid = (Vec<DefinitionId>, Arc<Catalog>);

/// Manifests that were read before. They are immutable, so each is read once; which of them are in force is asked every time.
#[derive(Default)]
pub(crate) struct OwnManifests {
    by_definition: Mutex<HashMap<DefinitionId, Option<Arc<Provider>>>>,
    catalogs: Mutex<HashMap<OrganizationId, Overlaid>>,
}

impl OwnManifests {
    /// What a manifest says; none where this build cannot read it.
    fn provider(&self, catalog: &Catalog, definition: &Definition) -> Option<Arc<Provider>> {
        let mut known = self.by_definition.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let text = definition.manifest.clone()?;
            let given = UserManifest { id: definition.provider.clone(), version: definition.version.clone(), text };
            // It was read when it was added, so this is one of another build.
            catalog
                .own(&given)
                .map_err(
                    |error| tracing::warn!(definition = %definition.id, provider = %definition.provider, %error, "a manifest of an organization cannot be read by this version"),
                )
                .ok()
        };
        known.entry(definition.id).or_insert_with(read).clone()
    }

    fn catalog(&self, organization: OrganizationId, active: &[DefinitionId]) -> Option<Arc<Catalog>> {
        let known = self.catalogs.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&organization).filter(|(of, _)| of == active).map(|(_, catalog)| catalog.clone())
    }

    fn keep(&self, organization: OrganizationId, active: Vec<DefinitionId>, catalog: &Arc<Catalog>) {
        self.catalogs.lock().unwrap_or_else(PoisonError::into_inner).insert(organization, (active, catalog.clone()));
    }
}

impl Engine {
    /// What is known of the version that a definition describes: by the organization's own manifest where it is one, else by the
    /// catalog, of that version where it is kept or of the newest.
    pub fn provider_of(&self, definition: &Definition) -> Option<Arc<Provider>> {
        match definition.manifest {
            None => self.catalog().version(&definition.provider, &definition.version).cloned(),
            Some(_) => self.own_manifests().provider(self.catalog(), definition),
        }
    }

    /// The name of an integration's provider, as the version says that it pins where that was read before.
    pub(crate) fn fullname_of(&self, integration: &Integration) -> String {
        let pinned = self.definitions().get(integration.definition).and_then(|definition| self.provider_of(&definition));
        let provider = pinned.or_else(|| self.catalog().get(&integration.provider).cloned());
        provider.map_or_else(|| integration.provider.to_string(), |provider| provider.fullname().to_owned())
    }

    /// The catalog by which the organization of a transaction goes.
    ///
    /// # Errors
    /// Problems of the store.
    pub(crate) async fn catalog_of(&self, tx: &mut ReadTx) -> Result<Arc<Catalog>, Problem> {
        let active = tx.own_active_definitions().await?;
        if active.is_empty() {
            return Ok(self.builtin());
        }
        let Some(organization) = tx.scope().organization() else { return Ok(self.builtin()) };
        if let Some(catalog) = self.own_manifests().catalog(organization, &active) {
            return Ok(catalog);
        }
        let mut own = Vec::new();
        for id in &active {
            let definition = definition::pinned(self, tx, *id).await?;
            own.extend(self.provider_of(&definition));
        }
        let catalog = Arc::new(self.catalog().laid_over(own));
        self.own_manifests().keep(organization, active, &catalog);
        Ok(catalog)
    }

    /// The catalog by which the caller's organization goes.
    ///
    /// # Errors
    /// Problems of the store.
    pub async fn catalog_for(&self, grant: &ManagementGrant) -> Result<Arc<Catalog>, Problem> {
        let mut tx = reach::reading(self, grant).await?;
        self.catalog_of(&mut tx).await
    }
}
