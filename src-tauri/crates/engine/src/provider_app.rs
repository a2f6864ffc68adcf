//! Provider apps: the organization's own OAuth clients at providers, and its own principals at AWS.

mod create;
mod delete;
mod get;
mod impact;
mod list;
mod trust;
mod update;
mod users;

use patchbay_model::consent::ProviderApp;
use patchbay_model::{Secret, Timestamp};

pub use create::create;
pub use delete::delete;
pub(crate) use get::find;
pub use get::get;
pub use impact::impact;
pub use list::list;
pub(crate) use trust::proposal;
pub use trust::{Trust, trust};
pub use update::update;

/// A new provider app.
#[derive(Clone)]
pub struct CreateProviderApp {
    /// Slug; derived where missing.
    pub name: Option<String>,
    /// Name for people.
    pub fullname: Option<String>,
    /// Provider id.
    pub provider: String,
    /// Issuer, for providers with discovery.
    pub issuer: Option<String>,
    /// RFC 6749 section 2.2.
    pub client_id: String,
    /// None for a public client.
    pub client_secret: Option<Secret>,
    /// Redirect URIs registered at the provider, exactly.
    pub redirect_uris: Vec<String>,
    /// Scopes to ask for; the manifest's where empty.
    pub scopes: Vec<String>,
    /// When the client secret ends at the provider.
    pub secret_expires: Option<Timestamp>,
}

/// The whole provider app as it shall be. The provider cannot change.
#[derive(Clone)]
pub struct UpdateProviderApp {
    /// Unchanged where missing.
    pub name: Option<String>,
    /// Unchanged where missing.
    pub fullname: Option<String>,
    /// Issuer, for providers with discovery.
    pub issuer: Option<String>,
    /// RFC 6749 section 2.2.
    pub client_id: String,
    /// The sealed one stays where missing; an empty one removes it.
    pub client_secret: Option<Secret>,
    /// Redirect URIs registered at the provider, exactly.
    pub redirect_uris: Vec<String>,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// When the client secret ends at the provider; not known where missing.
    pub secret_expires: Option<Timestamp>,
    /// The `updated_at` that the change was made from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

impl UpdateProviderApp {
    /// An app as it is, so that something of it can be changed.
    pub fn of(app: ProviderApp) -> Self {
        Self {
            name: None,
            fullname: None,
            issuer: app.issuer,
            client_id: app.client_id,
            client_secret: None,
            redirect_uris: app.redirect_uris,
            scopes: app.scopes,
            secret_expires: app.secret_expires,
            expected: None,
        }
    }
}
