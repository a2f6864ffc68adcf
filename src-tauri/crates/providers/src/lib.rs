//! Facts and mappings of providers, without I/O: manifests as data, adapters as state machines over values.
//!
//! A provider is one TOML file in `catalog/` and at most one adapter. An adapter turns a unified operation into
//! [`step::Step`]s: requests to send and what to do with their answers. It has no client, no async and no secrets; the
//! engine sends the requests, adds the credential where the manifest says, and feeds the answers back.

mod adapters;
mod attachment;
pub mod capability;
pub mod catalog;
mod declared;
pub mod exchange;
pub mod manifest;
mod matching;
mod patch;
mod priority;
mod reading;
mod refusal;
pub mod routes;
mod schema;
pub mod step;
mod values;
pub mod xml;

pub use catalog::{Catalog, CatalogError, Provider, UserManifest};
pub use declared::{CHOSEN, LocateContext, Located, allowed as is_allowed_host, is_secret_address};
pub use exchange::{Method, Part, ProviderRequest, ProviderResponse, RequestBody, SignedFor};
pub use manifest::{CredentialOption, Manifest, Place, Server, sample_config, sample_config_of};
pub use routes::{Offer, Platform, routes};
pub use step::{AdapterContext, Continue, Identity, LocalAnswer, LocalOp, Step};
pub use values::Values;
