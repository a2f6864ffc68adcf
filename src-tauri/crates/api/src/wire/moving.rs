//! One organization on its way to another Patchbay, on the wire.

use patchbay_engine::moving::Filled;
use patchbay_model::{OrganizationId, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// To whom an image is sealed that `configuration.fill` is to take.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ImageRecipient {
    /// An age recipient, `age1...`. It is the same as long as the store is.
    pub recipient: String,
}

/// Parameters of `configuration.copy`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyConfiguration {
    /// The age recipient, `age1...`, that alone can open the image.
    #[ts(type = "string")]
    #[schemars(with = "String", length(min = 1, max = 200))]
    pub recipient: String,
}

/// An organization, sealed.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct SealedImage {
    /// Base64 of an age file.
    pub image: String,
}

/// Body of `configuration.fill`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FillConfiguration {
    /// Base64 of an age file that `configuration.copy` gave, sealed to the recipient of this Patchbay.
    #[ts(type = "string")]
    #[schemars(with = "String", length(min = 1))]
    pub image: Secret,
}

/// Rows of a table that were written.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct TableRows {
    /// The table.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of their lines in the image, in hexadecimal digits.
    pub sha256: String,
}

/// What `configuration.fill` brought.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ConfigurationFilled {
    /// The organization for which the caller's token works from now on.
    pub organization_id: OrganizationId,
    /// All rows.
    pub rows: u64,
    /// Sealed values among them.
    pub sealed_values: u64,
    /// Rows and checksum of each table.
    pub tables: Vec<TableRows>,
}

impl From<Filled> for ConfigurationFilled {
    fn from(filled: Filled) -> Self {
        let rows = filled.counts.rows();
        let tables = filled.counts.tables.into_iter().map(|sum| TableRows { table: sum.table, rows: sum.rows, sha256: sum.sha256 }).collect();
        Self { organization_id: filled.organization, rows, sealed_values: filled.counts.sealed_values, tables }
    }
}
