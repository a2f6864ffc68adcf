//! A sample organization with believable data on mock providers, to look around in.

use patchbay_model::Context;
use patchbay_model::Problem;
use patchbay_vault::KeyAccess;

use super::create::make;
use super::{Created, StoreUrl};
use crate::Engine;

/// Creates a store with a sample organization, filled with believable data on mock providers.
///
/// # Errors
/// Like [`super::create`].
pub async fn create_sample(store: &StoreUrl, keys: &KeyAccess, context: Context) -> Result<(Engine, Created), Problem> {
    make(store, keys, "Northwind Software", true, context).await
}
