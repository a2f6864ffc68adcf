//! `accounts.*`

use patchbay_engine::account::{self, FirstToken};
use patchbay_engine::{Engine, ManagementGrant};
use patchbay_model::{Problem, Timestamp, account::Account as Row};

use super::{Bare, Call, With, deleted, page};
use crate::handle::overview::impact_view;
use crate::handle::token::container;
use crate::patch::{self, Writable};
use crate::reply::Deleted;
use crate::request::{Json, ListOf, NoBody, Patch, Revoking, from_value};
use crate::wire::account::{Account, AccountCreated, CreateAccount, UpdateAccount};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::overview::Impact;

const WRITABLE: Writable = Writable { fields: &["name", "fullname", "environment", "labels", "x_patchbay"], lists: &["labels"] };

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Account>, Problem> {
    let mut rows = account::list(call.engine, call.grant, call.query.list).await?;
    let accounts = std::mem::take(&mut rows.items);
    let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
    let counts = account::integration_counts(call.engine, call.grant, &ids).await?;
    Ok(page(
        rows,
        accounts.into_iter().map(|account| {
            let count = counts.get(&account.id).copied().unwrap_or_default();
            Account::view(account, Some(count))
        }),
    ))
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<Account>, Problem> {
    let account = account::get(call.engine, call.grant, call.path("account_id")?).await?;
    counted(call.engine, call.grant, account).await
}

pub(crate) async fn create(call: With<'_, Json<CreateAccount>>) -> Result<Answer<AccountCreated>, Problem> {
    let created = account::create(call.engine, call.grant, new(call.body.0)).await?;
    Ok(Answer::of(AccountCreated { account: Account::view(created.account, Some(0)), token: created.token.map(container) }))
}

/// What is to be made.
pub(crate) fn new(body: CreateAccount) -> account::CreateAccount {
    account::CreateAccount {
        name: body.name,
        fullname: body.fullname,
        environment: body.environment,
        labels: body.labels.unwrap_or_default(),
        external_id: body.x_patchbay.and_then(|extra| extra.external_id),
        token: body.token.map(|token| FirstToken { permission_set: token.permission_set, token_ttl: token.token_ttl, name: token.name, fullname: token.fullname }),
    }
}

pub(crate) async fn update(call: With<'_, Json<UpdateAccount>>) -> Result<Answer<Account>, Problem> {
    let expected = call.body.0.x_patchbay.as_ref().and_then(|extra| extra.expected_updated_at);
    let account = account::update(call.engine, call.grant, call.request.path("account_id")?, change(call.body.0, expected)).await?;
    counted(call.engine, call.grant, account).await
}

pub(crate) async fn patch(call: With<'_, Patch>) -> Result<Answer<Account>, Problem> {
    let row = account::get(call.engine, call.grant, call.path("account_id")?).await?;
    let (id, expected) = (row.id.to_string(), row.updated_at);
    let change = change(from_value(patch::apply(&Account::view(row, None), call.body, &WRITABLE)?)?, Some(expected));
    let account = account::update(call.engine, call.grant, &id, change).await?;
    counted(call.engine, call.grant, account).await
}

pub(crate) async fn delete(call: Call<'_, Revoking, NoBody>) -> Result<Deleted, Problem> {
    if call.query.now {
        return account::delete_and_revoke(call.engine, call.grant, call.path("account_id")?).await.map(deleted);
    }
    account::delete(call.engine, call.grant, call.path("account_id")?).await.map(deleted)
}

pub(crate) async fn impact(call: Bare<'_>) -> Result<Answer<Impact>, Problem> {
    account::impact(call.engine, call.grant, call.path("account_id")?).await.map(impact_view)
}

fn change(body: UpdateAccount, expected: Option<Timestamp>) -> account::UpdateAccount {
    account::UpdateAccount {
        name: body.name,
        fullname: Some(body.fullname),
        environment: Some(body.environment),
        labels: body.labels.unwrap_or_default(),
        external_id: body.x_patchbay.and_then(|extra| extra.external_id),
        expected,
    }
}

async fn counted(engine: &Engine, grant: &ManagementGrant, account: Row) -> Result<Answer<Account>, Problem> {
    let count = account::integration_counts(engine, grant, &[account.id]).await?.get(&account.id).copied().unwrap_or_default();
    Ok(Answer::of(Account::view(account, Some(count))))
}
