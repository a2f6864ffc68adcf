//! `integrations.receipts`, `integrations.receipt_link`, and the address of the calendar

use patchbay_engine::connect_link::MadeLink as Made;
use patchbay_engine::{Engine, deadline, receipt};
use patchbay_model::Problem;

use super::Bare;
use crate::reply::Empty;
use crate::wire::envelope::{Answer, Listed};
use crate::wire::receipt::{FeedLink, IntegrationReceipt, MadeLink};

pub(crate) async fn list(call: Bare<'_>) -> Result<Listed<IntegrationReceipt>, Problem> {
    let receipts = receipt::list(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    Ok(Listed { result: receipts.into_iter().map(Into::into).collect(), total: None, next: None })
}

pub(crate) async fn link(call: Bare<'_>) -> Result<Answer<MadeLink>, Problem> {
    let made = receipt::link(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    Ok(Answer::of(addressed(call.engine, &made, "/connect/receipt/", "")))
}

pub(crate) async fn feed_link(call: Bare<'_>) -> Result<Answer<FeedLink>, Problem> {
    let link = deadline::feed_link(call.engine, call.grant).await?;
    let (created_at, expires, last_used_at) = link.as_ref().map_or((None, None, None), |link| (Some(link.created_at), Some(link.expires), link.last_used_at));
    Ok(Answer::of(FeedLink { exists: link.is_some(), created_at, expires, last_used_at }))
}

pub(crate) async fn make_feed_link(call: Bare<'_>) -> Result<Answer<MadeLink>, Problem> {
    let made = deadline::make_feed_link(call.engine, call.grant).await?;
    Ok(Answer::of(addressed(call.engine, &made, "/calendar/", ".ics")))
}

pub(crate) async fn revoke_feed_link(call: Bare<'_>) -> Result<Empty, Problem> {
    deadline::revoke_feed_link(call.engine, call.grant).await?;
    Ok(Empty)
}

/// The address of a link, where somebody serves it.
fn addressed(engine: &Engine, made: &Made, before: &str, after: &str) -> MadeLink {
    let path = format!("{before}{}{after}", made.secret.expose());
    let (url, note) = match engine.public_url() {
        Some(public) => (format!("{public}{path}"), None),
        None => (path, Some("The link works at the address of a served Patchbay on this store. Start `patchbay serve`, and put its address in front.".to_owned())),
    };
    MadeLink { id: made.link.id, url, expires: made.link.expires, note }
}
