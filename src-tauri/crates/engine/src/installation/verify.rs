//! Checks a store as a whole.

use patchbay_model::Problem;

use super::VerifyReport;
use crate::{Engine, moving};

impl Engine {
    /// Checks the store's structure, reads every row and opens every sealed value: [`moving::verify`] without its progress.
    ///
    /// # Errors
    /// Problems of reading; what is wrong with the data stands in the report.
    pub async fn verify_store(&self) -> Result<VerifyReport, Problem> {
        moving::verify(self, &mut |_| {}).await
    }
}
