//! `GET /calendar/{file}`: the deadlines of the member who made the address, for a calendar program that signs in nowhere.

use axum::response::Response;
use patchbay_api::calendar;
use patchbay_engine::deadline;
use patchbay_model::{Code, Origin, Problem};

use crate::answer;
use crate::serving::Visit;

/// What an address ends with.
const SUFFIX: &str = ".ics";

/// Gives the calendar.
pub(crate) async fn calendar(visit: Visit) -> Result<Response, Problem> {
    let Visit { app, head, path, .. } = visit;
    app.limiter.admit(head.caller.address, app.engine.now())?;
    let file = path.iter().find(|(name, _)| name == "file").map(|(_, file)| file.as_str()).unwrap_or_default();
    let opened = match file.strip_suffix(SUFFIX) {
        Some(secret) => deadline::open_feed(&app.engine, secret, head.info(Origin::Web)).await,
        None => Err(Problem::new(Code::LinkInvalid, "The address of a calendar ends with .ics. Copy it whole.")),
    };
    let grant = opened.inspect_err(|problem| {
        if problem.code == Code::LinkInvalid {
            app.limiter.failed(head.caller.address, app.engine.now());
        }
    })?;
    calendar::of(&app.engine, &grant).await.map(answer::calendar)
}
