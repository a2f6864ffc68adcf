//! What is in a backup.

use std::fs::File;

use patchbay_model::{Code, Problem};

use crate::Engine;

/// Writes the store into an open file, and gives the file back.
///
/// # Errors
/// `backup_failed`; problems of the store.
pub(super) async fn write(_engine: &Engine, _file: File) -> Result<File, Problem> {
    Err(Problem::new(Code::OperationUnsupported, "This version of Patchbay cannot write backups yet."))
}
