//! Configuration as code (product.md section 6).

use patchbay_model::Problem;

use crate::{Engine, ManagementGrant};

/// What becomes of secrets in an export.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum SecretsMode {
    /// Each is marked `omitted`.
    #[default]
    Omitted,
    /// Each is sealed to this age recipient (`age1...`).
    Sealed {
        /// The recipient.
        recipient: String,
    },
}

/// How to export.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExportOptions {
    /// What becomes of secrets.
    pub secrets: SecretsMode,
}

/// Writes the organization's configuration as the text of a `patchbay.yaml`, version 1.
///
/// # Errors
/// `permission_denied`, `invalid_field` for a recipient that cannot be read, problems of the store.
pub async fn export(engine: &Engine, grant: &ManagementGrant, options: ExportOptions) -> Result<String, Problem> {
    let _ = (grant, options);
    Err(crate::pending(engine))
}
