//! `connect.*`

use patchbay_engine::consent::{self, BeginConsent};
use patchbay_model::{ConnectSessionId, Problem};

use super::{Bare, With};
use crate::request::Json;
use crate::wire::consent::{BeginConnect, ConnectSession, FinishConnect};
use crate::wire::envelope::Answer;

pub(crate) async fn begin(call: With<'_, Json<BeginConnect>>) -> Result<Answer<ConnectSession>, Problem> {
    let body = call.body.0;
    let integration = body.integration_id.parse().map_err(|_| Problem::not_found("integration", &body.integration_id).at_body("/integration_id"))?;
    let begun = consent::begin(call.engine, call.grant, BeginConsent { integration, route: body.route, redirect_uri: body.redirect_uri, end_user: body.end_user_id }).await?;
    let embedded_window = begun.embedded_window;
    let mut view = ConnectSession::view(begun.session, Some(begun.authorize_url.into()));
    view.embedded_window = Some(embedded_window);
    Ok(Answer::of(view))
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<ConnectSession>, Problem> {
    consent::get(call.engine, call.grant, session(&call)?).await.map(view)
}

pub(crate) async fn finish(call: With<'_, Json<FinishConnect>>) -> Result<Answer<ConnectSession>, Problem> {
    consent::finish(call.engine, call.grant, session(&call)?, &call.body.0.callback_url).await.map(view)
}

pub(crate) async fn cancel(call: Bare<'_>) -> Result<Answer<ConnectSession>, Problem> {
    consent::cancel(call.engine, call.grant, session(&call)?).await.map(view)
}

fn session<Q, B>(call: &super::Call<'_, Q, B>) -> Result<ConnectSessionId, Problem> {
    let text = call.path("connect_session_id")?;
    text.parse().map_err(|_| Problem::not_found("consent", text))
}

fn view(session: patchbay_model::consent::ConnectSession) -> Answer<ConnectSession> {
    Answer::of(ConnectSession::view(session, None))
}
