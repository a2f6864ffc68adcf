//! A ticket system inside Patchbay, kept in local documents.

use patchbay_model::Problem;

use super::Adapter;
use crate::step::{AdapterContext, Identity, Step};

/// The adapter of `ticketing_mock_ticketing`.
pub(crate) struct MockTicketing;

impl Adapter for MockTicketing {
    fn probe(&self, _context: &AdapterContext) -> Result<Step<Identity>, Problem> {
        Ok(Step::Done(Identity { id: None, name: Some("mock".to_owned()) }))
    }
}
