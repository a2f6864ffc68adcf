//! Reads the overview.

use patchbay_model::Problem;

use super::Overview;
use crate::{Engine, ManagementGrant};

/// Reads the overview.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant) -> Result<Overview, Problem> {
    let _ = (grant,);
    Err(crate::pending(engine))
}
