//! `auth.*`

use patchbay_engine::{CallerInfo, Engine, member};
use patchbay_model::{Problem, Secret};

use super::{Bare, With};
use crate::handle::token::pair;
use crate::reply::Empty;
use crate::request::Json;
use crate::wire::envelope::Answer;
use crate::wire::member::{ChangePassword, LoggedOn, Logon, PasswordChanged};

/// A logon asked for by a caller who is signed in already; one without a grant comes through [`logon_as`].
pub(crate) async fn logon(call: With<'_, Json<Logon>>) -> Result<Answer<LoggedOn>, Problem> {
    let organization = call.request.path("organization_id")?;
    logon_as(call.engine, organization, &call.body.0.name, call.body.0.secret, call.grant.caller().clone()).await
}

pub(crate) async fn logon_as(engine: &Engine, organization: &str, name: &str, secret: Secret, caller: CallerInfo) -> Result<Answer<LoggedOn>, Problem> {
    let logon = member::logon(engine, organization, name, secret, caller).await?;
    let expired = logon.member.pin_expires.is_some_and(|expires| expires <= engine.now());
    Ok(Answer::of(LoggedOn {
        auth_code: if expired { "expired" } else { "success" }.to_owned(),
        auth_msg: expired.then(|| "The password must be changed. Until then the token does that and nothing else.".to_owned()),
        refresh_token_id: logon.token.container.id,
        token: pair(&logon.token.container, logon.token.primary),
        organization: logon.organization.into(),
        member: logon.member.into(),
    }))
}

pub(crate) async fn change_password(call: With<'_, Json<ChangePassword>>) -> Result<Answer<PasswordChanged>, Problem> {
    let body = call.body.0;
    member::change_password(call.engine, call.grant, body.old_secret, body.new_secret).await?;
    Ok(Answer::of(PasswordChanged { auth_code: "success".to_owned() }))
}

pub(crate) async fn logoff(call: Bare<'_>) -> Result<Empty, Problem> {
    member::logoff(call.engine, call.grant).await.map(|()| Empty)
}
