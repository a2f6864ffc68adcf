//! `status.*`

use std::collections::HashMap;

use patchbay_engine::{account, integration, status};
use patchbay_model::Problem;

use super::integration::{distinct, views};
use super::{Bare, Call, listed, page};
use crate::reply::Empty;
use crate::request::{Expand, ListOf, NoBody, Timeseries};
use crate::wire::account::Account;
use crate::wire::envelope::{Answer, Listed};
use crate::wire::status::{Status, StatusEvent, StatusTimeseries};

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Status>, Problem> {
    let mut rows = status::list(call.engine, call.grant, call.query.list).await?;
    let states = std::mem::take(&mut rows.items);
    let mut accounts = HashMap::new();
    if call.query.expand.has("account") {
        let found = account::of_ids(call.engine, call.grant, &distinct(states.iter().map(|state| state.account_id))).await?;
        accounts.extend(found.into_iter().map(|account| (account.id, Account::view(account, None))));
    }
    let mut integrations = HashMap::new();
    if call.query.expand.has("integration") {
        let ids: Vec<_> = states.iter().map(|state| state.integration_id).collect();
        let found = integration::of_ids(call.engine, call.grant, &ids).await?;
        integrations.extend(views(call.engine, call.grant, found, &Expand::default()).await?.into_iter().map(|view| (view.id, view)));
    }
    Ok(page(
        rows,
        states.into_iter().map(|state| {
            let (account, integration) = (accounts.get(&state.account_id).cloned(), integrations.remove(&state.integration_id));
            Status::view(state, account, integration)
        }),
    ))
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<Status>, Problem> {
    let state = status::get(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    Ok(Answer::of(Status::view(state, None, None)))
}

pub(crate) async fn reset(call: Bare<'_>) -> Result<Empty, Problem> {
    status::reset(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    Ok(Empty)
}

pub(crate) async fn list_events(call: Call<'_, ListOf, NoBody>) -> Result<Listed<StatusEvent>, Problem> {
    status::events(call.engine, call.grant, call.request.path("account_id")?, call.request.path("integration_id")?, call.query.list).await.map(listed)
}

pub(crate) async fn get_timeseries(call: Bare<'_>) -> Result<Answer<StatusTimeseries>, Problem> {
    status::of_organization(call.engine, call.grant).await.map(|series| Answer::of(series.into()))
}

pub(crate) async fn get_integration_timeseries(call: Call<'_, Timeseries, NoBody>) -> Result<Answer<StatusTimeseries>, Problem> {
    let interval = call.query.interval;
    status::of_integration(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?, interval).await.map(|series| Answer::of(series.into()))
}
