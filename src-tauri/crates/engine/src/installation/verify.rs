//! Checks a store as a whole.

use patchbay_model::{AccountId, OrganizationId, Problem, Scope};
use patchbay_vault::Aad;

use super::VerifyReport;
use crate::Engine;

impl Engine {
    /// Checks the store's structure and opens every sealed value.
    ///
    /// # Errors
    /// Problems of reading; what is wrong with the data stands in the report.
    pub async fn verify_store(&self) -> Result<VerifyReport, Problem> {
        let mut report = VerifyReport { findings: self.store().verify_structure().await?.into_iter().map(|finding| finding.sentence).collect(), sealed_values: 0 };
        let sealed = self.store().read_secrets(Scope::System).await?.secrets().enumerate_sealed().await?;
        for value in sealed {
            let account = value.account_id.map(AccountId::from_uuid);
            let place = Aad::new(OrganizationId::from_uuid(value.organization_id), account, &value.sealed_for_table, value.sealed_for_row);
            match self.vault().open(&place, &value.envelope) {
                Ok(_) => report.sealed_values += 1,
                Err(problem) => report.findings.push(format!("The sealed value of {} {} does not open. {}", value.table.as_str(), value.row, problem.message)),
            }
        }
        Ok(report)
    }
}
