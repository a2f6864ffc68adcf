//! The store: every row of Patchbay in one database file, behind transactions that know whose data they may touch.
//!
//! A [`Store`] gives [`ReadTx`] and [`WriteTx`]; queries are their methods, one file per aggregate. The scope of a
//! transaction is bound into every query on tenant data, so there is no way to ask without one. Sealed values leave and
//! enter as envelopes, through functions whose names begin with `sealed`; this crate cannot open them.

mod accounts;
mod app_checks;
mod audit;
mod audit_texts;
mod changes;
mod clocks;
mod connect_legs;
mod connect_sessions;
mod credentials;
mod db;
mod definition_moves;
mod definitions;
mod deletions;
mod deliveries;
mod dialect;
mod documents;
mod end_users;
mod error;
mod file;
mod flight;
mod header;
mod image;
mod integrations;
mod list;
mod lock;
mod members;
mod operations;
mod organizations;
mod place;
mod points;
mod provider_apps;
mod provision;
mod public_links;
mod receipts;
mod refresh;
mod resealing;
mod revocations;
mod roles;
mod row;
mod sealed;
mod server;
mod status;
mod store;
mod surroundings;
mod tokens;
mod transaction;
mod usage;
mod used;
mod users;
mod verify;
mod web_sessions;
mod webhooks;
mod witness;

pub use audit_texts::AuditTexts;
pub use clocks::{AppClock, CredentialClock, EndsQuery, MemberEnd, TokenEnd};
pub use connect_legs::LegOpening;
pub use credentials::PROVIDER_APP_KEY;
pub use deliveries::{DueWebhook, Outcome};
pub use documents::LocalDocument;
pub use error::{Result, StoreError};
pub use header::StoreHeader;
pub use image::{
    Batch, IMAGE_VERSION, ImageDecoder, ImageDefinition, ImageEncoder, ImageHeader, ImageSource, ImageSums, ImageTable, SealedCell, TableHeader, TableSum, TransferKey,
};
pub use list::list_fields;
pub use operations::count_operations;
pub use place::StorePlace;
pub use points::PointMember;
pub use provision::{Identity, identify, provision, script as provisioning_script};
pub use resealing::SealedCount;
pub use revocations::DueRevocation;
pub use roles::RoleMembers;
pub use sealed::{SealedTable, SealedValue, Secrets};
pub use server::PostgresAddress;
pub use store::Store;
pub use surroundings::{Remark, Weight};
pub use tokens::FoundToken;
pub use transaction::{ReadTx, SecretReadTx, SecretWriteTx, WriteTx};
pub use usage::{Turn, Usage};
pub use used::Affected;
pub use users::{IntegrationUser, Users};
pub use verify::Finding;
pub use witness::Witness;
