//! `integrations.call`: Try it.

use patchbay_engine::integration;
use patchbay_model::connector::Connector;
use patchbay_model::{Code, Problem};
use url::form_urlencoded;

use super::With;
use crate::operation::path_parameters;
use crate::request::{Json, Request};
use crate::ticketing;
use crate::wire::call::{CallAnswer, CallIntegration, CallRequestShown, ConnectorQuery};
use crate::wire::envelope::Answer;
use crate::wire::problem;

/// Runs an operation of the integration's connector inside the core. A provider's trouble is part of the answer, since it is
/// what the caller came to see; trouble with the request itself is a problem.
pub(crate) async fn call(call: With<'_, Json<CallIntegration>>) -> Result<Answer<CallAnswer>, Problem> {
    let body = call.body.0;
    let (account, id) = (call.request.path("account_id")?, call.request.path("integration_id")?);
    let grant = integration::connector_grant(call.engine, call.grant, account, id).await?;
    let row = integration::get(call.engine, call.grant, account, id).await?;
    if row.connector != Connector::Ticketing {
        return Err(Problem::new(
            Code::OperationUnsupported,
            format!("The connector `{}` has no operations in this version of Patchbay. Test the connection instead.", row.connector.as_str()),
        ));
    }
    let request = Request { path: body.path.into_iter().collect(), query: pairs(body.query), body: body.body.filter(|body| !body.is_null()) };
    let shown = shown(&body.operation, &request);
    let (operation, meta) = ticketing::read(&body.operation, request)?;
    let status = ticketing::ROUTES.iter().find(|route| route.name == body.operation).map_or(200, |route| route.status);
    let trial = Box::pin(call.engine.try_ticketing(&grant, operation)).await;
    let messages = super::messages(call.engine, trial.notices);
    let (status, answer, problem) = match trial.answer.and_then(|answer| ticketing::envelope(answer, &meta, &trial.exchanges, messages)) {
        Ok(answer) => (status, Some(answer), None),
        Err(trouble) => (trouble.code.status(), None, Some(problem::Problem::new(&trouble, call.engine.now(), call.engine.context().new_uuid()))),
    };
    Ok(Answer::of(CallAnswer { status, answer, problem, exchanges: trial.exchanges.into_iter().map(Into::into).collect(), request: shown }))
}

fn pairs(query: ConnectorQuery) -> Vec<(String, String)> {
    let one = |name: &str, value: Option<String>| value.map(|value| (name.to_owned(), value));
    let many = |name: &'static str, values: Option<Vec<String>>| values.unwrap_or_default().into_iter().map(move |value| (name.to_owned(), value));
    one("limit", query.limit.map(|limit| limit.to_string()))
        .into_iter()
        .chain(one("cursor", query.cursor))
        .chain(many("filter", query.filter))
        .chain(many("order", query.order))
        .chain(many("meta", query.meta))
        .collect()
}

/// The request of a program that does the same.
fn shown(operation: &str, request: &Request) -> CallRequestShown {
    let Some(route) = ticketing::ROUTES.iter().find(|route| route.name == operation) else {
        return CallRequestShown { method: String::new(), path: String::new(), body: None };
    };
    let mut path = route.path.to_owned();
    for name in path_parameters(route.path) {
        let value: String = form_urlencoded::byte_serialize(request.path(name).unwrap_or_default().as_bytes()).collect();
        path = path.replace(&format!("{{{name}}}"), &value.replace('+', "%20"));
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
    if !query.is_empty() {
        path = format!("{path}?{query}");
    }
    CallRequestShown { method: route.method.as_str().to_owned(), path, body: request.body.clone() }
}
