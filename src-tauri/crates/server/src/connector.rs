//! Connector routes: an integration's access token, then the operation at its provider. Which integration it is stands in the
//! token, never in the path.

use axum::response::Response;
use patchbay_api::request::Request;
use patchbay_api::ticketing::{self, Route};
use patchbay_engine::{CallerInfo, Grant};
use patchbay_model::connector::Connector;
use patchbay_model::{Code, Origin, Problem};

use crate::management::query;
use crate::serving::{Audited, Outcome, Visit};
use crate::{answer, body, gate};

pub(crate) async fn ticketing(route: &'static Route, visit: Visit) -> Outcome {
    let caller = visit.head.info(Origin::Api);
    let mut grant = None;
    let result = attempt(route, visit, &caller, &mut grant).await;
    Outcome { result, audited: Some(Audited { grant, operation: format!("ticketing.{}", route.name), caller }) }
}

async fn attempt(route: &'static Route, visit: Visit, caller: &CallerInfo, seen: &mut Option<Grant>) -> Result<Response, Problem> {
    let Visit { app, head, path, body, .. } = visit;
    let grant = gate::bearer(&app, &head, caller.clone()).await?;
    *seen = Some(grant.clone());
    let grant = grant.connector()?;
    let request = Request { path, query: query(&head.uri)?, body: body::read(&head.headers, body, body::CONNECTOR).await? };
    ticketing::run(&app.engine, &grant, route, request).await.map(answer::reply)
}

pub(crate) async fn not_offered(connector: Connector, visit: Visit) -> Outcome {
    let caller = visit.head.info(Origin::Api);
    let grant = gate::bearer(&visit.app, &visit.head, caller.clone()).await;
    let (seen, result) = match grant {
        Ok(grant) => (Some(grant.clone()), grant.connector().and_then(|_| Err(refusal(connector)))),
        Err(problem) => (None, Err(problem)),
    };
    Outcome { result, audited: Some(Audited { grant: seen, operation: connector.as_str().to_owned(), caller }) }
}

fn refusal(connector: Connector) -> Problem {
    Problem::new(Code::OperationUnsupported, format!("This version of Patchbay has no {} API. GET /v1/capabilities/connectors lists what there is.", connector.fullname()))
}
