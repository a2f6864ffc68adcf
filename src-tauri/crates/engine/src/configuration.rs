//! Configuration as code (product.md section 6).

mod document;
mod export;

pub use export::export;

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
