//! How integrations fare: sums of their calls, events, time series.
//!
//! Calls are counted in memory and written in batches ([`crate::usage`]); whoever asks here sees what this process has
//! counted up to now, and what others have written.

mod events;
mod get;
mod list;
mod reset;
mod series;

use patchbay_model::Problem;

pub use events::events;
pub use get::get;
pub use list::list;
pub use reset::reset;
pub use series::{Interval, Point, Series, of_integration, of_organization};

use crate::{Engine, usage};

/// Writes what this process has counted. A store that cannot be written now is read all the same.
async fn up_to_date(engine: &Engine) {
    if let Err(problem) = usage::flush_calls(engine).await {
        tracing::warn!(code = problem.code.as_str(), "usage counters could not be written");
    }
}

/// A list that is asked for by somebody who looks now.
async fn listing(engine: &Engine, grant: &crate::ManagementGrant, operation: patchbay_model::Operation) -> Result<patchbay_store::ReadTx, Problem> {
    grant.require(operation, None)?;
    up_to_date(engine).await;
    crate::reach::listing(engine, grant, operation).await
}
