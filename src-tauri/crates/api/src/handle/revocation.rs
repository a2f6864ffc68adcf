//! `revocations.*`

use patchbay_engine::revocation;
use patchbay_model::Problem;

use super::{Bare, Call, listed};
use crate::request::{ListOf, NoBody};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::revocation::Revocation;

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Revocation>, Problem> {
    revocation::list(call.engine, call.grant, call.query.list).await.map(listed)
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<Revocation>, Problem> {
    revocation::get(call.engine, call.grant, call.path("revocation_id")?).await.map(|row| Answer::of(row.into()))
}

pub(crate) async fn confirm(call: Bare<'_>) -> Result<Answer<Revocation>, Problem> {
    revocation::confirm(call.engine, call.grant, call.path("revocation_id")?).await.map(|row| Answer::of(row.into()))
}

pub(crate) async fn retry(call: Bare<'_>) -> Result<Answer<Revocation>, Problem> {
    revocation::retry(call.engine, call.grant, call.path("revocation_id")?).await.map(|row| Answer::of(row.into()))
}
