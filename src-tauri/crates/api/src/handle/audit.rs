//! `audit.*`

use patchbay_engine::audit;
use patchbay_model::Problem;

use super::{Call, listed};
use crate::request::{ListOf, NoBody};
use crate::wire::audit::Audit;
use crate::wire::envelope::Listed;

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Audit>, Problem> {
    audit::list(call.engine, call.grant, call.query.list).await.map(listed)
}
