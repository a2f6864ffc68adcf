//! `connect.*`

use patchbay_engine::Engine;
use patchbay_engine::consent::{self, BeginConsent, Begun, Platform, SwitchConsent};
use patchbay_model::consent::{ConsentRoute, DevicePrompt};
use patchbay_model::flight::{NewStep, StepDetail};
use patchbay_model::{ConnectSessionId, Problem};

use super::{Bare, Call, With};
use crate::picture;
use crate::request::{Json, NoBody, Place};
use crate::wire::consent::{
    BeginConnect, ChooseConnect, ConnectOffer, ConnectSession, DeviceCode, ExplainPage, Explained, FinishConnect, FlightStep, RecordFlight, Recorded, SeenStep, SwitchConnect,
};
use crate::wire::envelope::{Answer, Listed};

pub(crate) async fn routes(call: Call<'_, Place, NoBody>) -> Result<Listed<ConnectOffer>, Problem> {
    let platform = Platform { window: call.query.window, browser: call.query.browser };
    let offers = consent::routes(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?, platform).await?;
    let rows = offers.into_iter().enumerate().map(|(place, offer)| ConnectOffer {
        route: offer.route,
        recommended: place == 0 && offer.possible(),
        redirect_uri: offer.redirect_uri,
        any_port: offer.any_port,
        why_not: offer.refused,
    });
    Ok(Listed { result: rows.collect(), total: None, next: None })
}

pub(crate) async fn begin(call: With<'_, Json<BeginConnect>>) -> Result<Answer<ConnectSession>, Problem> {
    let body = call.body.0;
    let integration = body.integration_id.parse().map_err(|_| Problem::not_found("integration", &body.integration_id).at_body("/integration_id"))?;
    let platform = Platform { window: body.window.unwrap_or_default(), browser: body.browser.unwrap_or_default() };
    let begin = BeginConsent { integration, route: body.route, platform, redirect_uri: body.redirect_uri, end_user: body.end_user_id };
    consent::begin(call.engine, call.grant, begin).await.map(|begun| begun_view(call.engine, begun))
}

pub(crate) async fn switch(call: With<'_, Json<SwitchConnect>>) -> Result<Answer<ConnectSession>, Problem> {
    let session = session(&call)?;
    let body = call.body.0;
    let platform = Platform { window: body.window.unwrap_or_default(), browser: body.browser.unwrap_or_default() };
    let switch = SwitchConsent { route: body.route, redirect_uri: body.redirect_uri, platform };
    consent::switch(call.engine, call.grant, session, switch).await.map(|begun| begun_view(call.engine, begun))
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<ConnectSession>, Problem> {
    let session = session(&call)?;
    let read = consent::get(call.engine, call.grant, session).await?;
    let prompt = if read.route == ConsentRoute::Device { consent::prompt(call.engine, call.grant, session).await? } else { None };
    Ok(Answer::of(ConnectSession { device: prompt.map(shown), ..ConnectSession::view(read) }))
}

pub(crate) async fn latest(call: Bare<'_>) -> Result<Listed<ConnectSession>, Problem> {
    let latest = consent::latest(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    Ok(Listed { result: latest.into_iter().map(ConnectSession::view).collect(), total: None, next: None })
}

pub(crate) async fn flight(call: Bare<'_>) -> Result<Listed<FlightStep>, Problem> {
    let steps = consent::flight(call.engine, call.grant, session(&call)?).await?;
    Ok(Listed { result: steps.into_iter().map(FlightStep::from).collect(), total: None, next: None })
}

pub(crate) async fn record(call: With<'_, Json<RecordFlight>>) -> Result<Answer<Recorded>, Problem> {
    const MOST: usize = 50;
    let session = session(&call)?;
    let seen = |step: SeenStep| NewStep { kind: step.kind, leg: None, at: step.at, detail: StepDetail { seen: Some(step.seen), ..StepDetail::default() } };
    let steps = call.body.0.steps.into_iter().take(MOST).map(seen).collect();
    consent::record(call.engine, call.grant, session, steps).await.map(|steps| Answer::of(Recorded { steps }))
}

pub(crate) async fn explain(call: With<'_, Json<ExplainPage>>) -> Result<Answer<Explained>, Problem> {
    let session = session(&call)?;
    let page = call.body.0;
    consent::explain_page(call.engine, call.grant, session, page.seen, &page.text).await.map(|explanation| Answer::of(Explained { explanation }))
}

pub(crate) async fn finish(call: With<'_, Json<FinishConnect>>) -> Result<Answer<ConnectSession>, Problem> {
    consent::finish(call.engine, call.grant, session(&call)?, &call.body.0.callback_url).await.map(view)
}

pub(crate) async fn answer(call: With<'_, Json<FinishConnect>>) -> Result<Answer<ConnectSession>, Problem> {
    consent::answer(call.engine, call.grant, &call.body.0.callback_url).await.map(view)
}

pub(crate) async fn choose(call: With<'_, Json<ChooseConnect>>) -> Result<Answer<ConnectSession>, Problem> {
    consent::choose(call.engine, call.grant, session(&call)?, &call.body.0.place).await.map(view)
}

pub(crate) async fn cancel(call: Bare<'_>) -> Result<Answer<ConnectSession>, Problem> {
    consent::cancel(call.engine, call.grant, session(&call)?).await.map(view)
}

fn session<Q, B>(call: &Call<'_, Q, B>) -> Result<ConnectSessionId, Problem> {
    let text = call.path("connect_session_id")?;
    text.parse().map_err(|_| Problem::not_found("consent", text))
}

fn view(session: patchbay_model::consent::ConnectSession) -> Answer<ConnectSession> {
    Answer::of(ConnectSession::view(session))
}

/// With where the person goes, which is told once.
fn begun_view(engine: &Engine, begun: Begun) -> Answer<ConnectSession> {
    let start_url = begun.start.as_ref().and_then(|ticket| consent::start_url(engine, ticket));
    Answer::of(ConnectSession { authorize_url: begun.authorize_url.map(Into::into), start_url, device: begun.device.map(shown), ..ConnectSession::view(begun.session) })
}

/// With the address for the camera of a phone, which has the code in it where the provider takes that.
fn shown(prompt: DevicePrompt) -> DeviceCode {
    let DevicePrompt { user_code, verification_uri, verification_uri_complete } = prompt;
    // An address that is too long for a picture is still one to be followed.
    let qr = picture::of(verification_uri_complete.as_deref().unwrap_or(&verification_uri)).ok();
    DeviceCode { user_code, verification_uri, verification_uri_complete, qr }
}
