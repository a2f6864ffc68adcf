//! `audit.*`

use patchbay_engine::audit;
use patchbay_model::Problem;

use super::{Bare, Call, page};
use crate::export;
use crate::reply::AuditFile;
use crate::request::{ExportOf, ListOf, NoBody};
use crate::wire::audit::{Audit, AuditDetail};
use crate::wire::envelope::{Answer, Listed};

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Audit>, Problem> {
    let mut rows = audit::list(call.engine, call.grant, call.query.list).await?;
    let items = std::mem::take(&mut rows.items);
    Ok(page(rows, items.into_iter().map(|event| Audit::view(call.engine, event))))
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<AuditDetail>, Problem> {
    let event = audit::get(call.engine, call.grant, call.path("audit_id")?).await?;
    Ok(Answer::of(AuditDetail::view(call.engine, event)))
}

pub(crate) async fn undo(call: Bare<'_>) -> Result<Answer<Audit>, Problem> {
    let event = audit::undo(call.engine, call.grant, call.path("audit_id")?).await?;
    Ok(Answer::of(Audit::view(call.engine, event)))
}

pub(crate) async fn export(call: Call<'_, ExportOf, NoBody>) -> Result<AuditFile, Problem> {
    export::whole(call.engine, call.grant, call.query).await.map(AuditFile)
}
