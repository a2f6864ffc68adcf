//! `end_users.*`

use patchbay_engine::end_user;
use patchbay_model::Problem;

use super::{Bare, Call, With, listed};
use crate::reply::Empty;
use crate::request::{Json, ListOf, NoBody};
use crate::wire::end_user::{ConsentReceipt, CreateEndUser, EndUser, ErasureImpact, UpdateEndUser};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::overview::Count;

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<EndUser>, Problem> {
    end_user::list(call.engine, call.grant, call.request.path("account_id")?, call.query.list).await.map(listed)
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<EndUser>, Problem> {
    end_user::get(call.engine, call.grant, call.path("account_id")?, call.path("end_user_id")?).await.map(|person| Answer::of(person.into()))
}

pub(crate) async fn create(call: With<'_, Json<CreateEndUser>>) -> Result<Answer<EndUser>, Problem> {
    let body = call.body.0;
    let new = end_user::CreateEndUser { name: body.name, fullname: body.fullname, email: body.email, external_id: body.external_id };
    end_user::create(call.engine, call.grant, call.request.path("account_id")?, new).await.map(|person| Answer::of(person.into()))
}

pub(crate) async fn update(call: With<'_, Json<UpdateEndUser>>) -> Result<Answer<EndUser>, Problem> {
    let body = call.body.0;
    let change = end_user::UpdateEndUser {
        name: super::given(body.name),
        fullname: Some(body.fullname),
        email: body.email,
        external_id: body.external_id,
        expected: body.x_patchbay.and_then(|extra| extra.expected_updated_at),
    };
    end_user::update(call.engine, call.grant, call.request.path("account_id")?, call.request.path("end_user_id")?, change).await.map(|person| Answer::of(person.into()))
}

pub(crate) async fn erase(call: Bare<'_>) -> Result<Empty, Problem> {
    end_user::erase(call.engine, call.grant, call.path("account_id")?, call.path("end_user_id")?).await?;
    Ok(Empty)
}

pub(crate) async fn impact(call: Bare<'_>) -> Result<Answer<ErasureImpact>, Problem> {
    let impact = end_user::impact(call.engine, call.grant, call.path("account_id")?, call.path("end_user_id")?).await?;
    let counts = |counts: &[(&str, u64)]| counts.iter().filter(|(_, count)| *count > 0).map(|&(kind, count)| Count { kind: kind.to_owned(), count }).collect();
    Ok(Answer::of(ErasureImpact {
        takes: counts(&[("consent_receipt", impact.receipts), ("audit", impact.audit_events)]),
        used_by: Vec::new(),
        keeps: counts(&[("integration", impact.integrations)]),
        undoable: false,
    }))
}

pub(crate) async fn receipts(call: Call<'_, ListOf, NoBody>) -> Result<Listed<ConsentReceipt>, Problem> {
    let (account, person) = (call.request.path("account_id")?, call.request.path("end_user_id")?);
    end_user::receipts(call.engine, call.grant, account, person, call.query.list).await.map(listed)
}
