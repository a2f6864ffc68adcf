//! `/healthz`, `/readyz`, `/v1/version`: for those who watch over the program. They tell nothing of the organization.

use axum::response::Response;
use patchbay_api::contract::CONTRACT;
use patchbay_engine::changes;
use patchbay_model::{Code, Problem};
use serde_json::json;

use crate::answer;
use crate::app::App;

/// The process answers.
#[expect(clippy::unnecessary_wraps, reason = "every target gives a result")]
pub(crate) fn healthy() -> Result<Response, Problem> {
    Ok(answer::json(200, &json!({ "status": "ok" })))
}

/// The store answers, too, and the server is not about to end.
pub(crate) async fn ready(app: &App) -> Result<Response, Problem> {
    if app.leaves() {
        return Err(Problem::new(Code::ShuttingDown, "This server is about to end. Send requests to another one, or come back in a moment.").retry_after(5));
    }
    changes::ready(&app.engine).await?;
    Ok(answer::json(200, &json!({ "status": "ready" })))
}

/// Which version runs, and which contract it speaks on `/rpc`.
#[expect(clippy::unnecessary_wraps, reason = "every target gives a result")]
pub(crate) fn version() -> Result<Response, Problem> {
    Ok(answer::json(200, &json!({ "name": "patchbay", "version": env!("CARGO_PKG_VERSION"), "contract": CONTRACT })))
}
