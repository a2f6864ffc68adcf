//! One organization as a sealed file, for what moves it as it is.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use patchbay_engine::moving;
use patchbay_engine::{Engine, ManagementGrant};
use patchbay_model::{Code, Problem};

use crate::wire::moving::ConfigurationFilled;

/// How an image travels as it is.
pub const MEDIA_TYPE: &str = "application/octet-stream";

/// The caller's organization as a sealed file without a name, to be read from its beginning.
///
/// # Errors
/// Those of [`moving::copy_out`].
pub async fn sealed(engine: &Engine, grant: &ManagementGrant, recipient: &str) -> Result<File, Problem> {
    let file = waiting()?;
    let (mut file, _) = moving::copy_out(engine, grant, recipient, file, &mut |_| {}).await?;
    file.seek(SeekFrom::Start(0)).map_err(spool)?;
    Ok(file)
}

/// Takes a sealed file.
///
/// # Errors
/// Those of [`moving::fill`].
pub async fn filled(engine: &Engine, grant: &ManagementGrant, mut file: File) -> Result<ConfigurationFilled, Problem> {
    file.seek(SeekFrom::Start(0)).map_err(spool)?;
    moving::fill(engine, grant, file, &mut |_| {}).await.map(Into::into)
}

/// The server's own disk, on which an image waits.
pub(crate) fn spool(error: std::io::Error) -> Problem {
    Problem::new(Code::StoreReadOnly, format!("The server has no room for the image ({}). Free some space in its temporary folder and try again.", error.kind()))
}

/// A file without a name, in which an image waits.
///
/// # Errors
/// `store_read_only` when there is no room for it.
pub fn waiting() -> Result<File, Problem> {
    tempfile::tempfile().map_err(spool)
}
