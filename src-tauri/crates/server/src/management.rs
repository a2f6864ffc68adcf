//! Management routes: a bearer token, then the operation of the table.

use axum::response::Response;
use patchbay_api::operation::{self, Route, Rule};
use patchbay_api::request::Request;
use patchbay_api::wire::envelope::Answer;
use patchbay_api::wire::moving::CopyConfiguration;
use patchbay_api::{calendar, export, image};
use patchbay_engine::{CallerInfo, Grant};
use patchbay_model::{Code, Operation, Origin, Problem};
use url::form_urlencoded;

use crate::serving::{Audited, Outcome, Visit};
use crate::{answer, body, gate};

pub(crate) async fn run(route: &'static Route, visit: Visit) -> Outcome {
    let mut caller = visit.head.info(Origin::Api);
    let mut grant = None;
    let result = attempt(route, visit, &mut caller, &mut grant).await;
    Outcome { result, audited: Some(Audited { grant, operation: route.operation.id().to_owned(), caller }) }
}

async fn attempt(route: &'static Route, visit: Visit, caller: &mut CallerInfo, seen: &mut Option<Grant>) -> Result<Response, Problem> {
    let Visit { app, head, path, body, .. } = visit;
    if route.rule == Rule::Logon {
        app.limiter.admit(head.caller.address, app.engine.now())?;
        let request = Request { path, query: query(&head.uri)?, body: body::read(&head.headers, body, body::MANAGEMENT).await? };
        let result = operation::logon(&app.engine, caller.clone(), request).await;
        if result.as_ref().is_err_and(|problem| problem.code == Code::LogonFailed) {
            app.limiter.failed(head.caller.address, app.engine.now());
        }
        return result.map(answer::reply);
    }
    // The token comes first: nobody is made to read a body for a stranger.
    let grant = gate::bearer(&app, &head, caller.clone()).await?;
    *seen = Some(grant.clone());
    if let (Rule::RefreshOrManagement, Grant::Refresh(refresh)) = (route.rule, &grant) {
        let request = Request { path, query: query(&head.uri)?, body: None };
        return operation::refresh(&app.engine, refresh, request).await.map(answer::reply);
    }
    let grant = grant.management()?;
    if route.operation == Operation::ConfigurationFill && body::is_bytes(&head.headers) {
        let grant = grant.with_caller(caller.clone());
        // Nobody is made to store gigabytes for a caller who may not send them.
        grant.require(route.operation, None)?;
        let file = body::spool(body, image::waiting()?).await?;
        return image::filled(&app.engine, &grant, file).await.map(|filled| answer::json(route.status, &Answer::of(filled)));
    }
    let body = body::read(&head.headers, body, body::MANAGEMENT).await?;
    caller.body.clone_from(&body);
    let request = Request { path, query: query(&head.uri)?, body };
    let grant = grant.with_caller(caller.clone());
    if route.operation == Operation::ConfigurationFill {
        // The image has no place in the log.
        caller.body = None;
    }
    if route.operation == Operation::ConfigurationCopy && body::wants_bytes(&head.headers) {
        let CopyConfiguration { recipient } = serde_json::from_value(request.body.unwrap_or_default())
            .map_err(|_| Problem::field("/recipient", "The image needs an age recipient, to whom it is sealed. Send {\"recipient\": \"age1...\"}."))?;
        return answer::file(image::sealed(&app.engine, &grant, &recipient).await?);
    }
    if route.operation == Operation::AuditExport {
        return export::begin(&app.engine, &grant, &request).await.map(answer::export);
    }
    if route.operation == Operation::DeadlinesFeed {
        return calendar::of(&app.engine, &grant).await.map(answer::calendar);
    }
    operation::run(&app.engine, &grant, route.operation, request).await.map(answer::reply)
}

/// Most query parameters of a request.
const MOST: usize = 200;

/// The query's pairs in order, decoded.
pub(crate) fn query(uri: &axum::http::Uri) -> Result<Vec<(String, String)>, Problem> {
    let pairs: Vec<_> = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).take(MOST + 1).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    if pairs.len() > MOST {
        return Err(Problem::new(Code::InvalidRequest, format!("The query has more than {MOST} parameters. Send fewer.")));
    }
    Ok(pairs)
}
