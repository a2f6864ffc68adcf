//! Management operations through the one table that `/v1`, `/rpc` and the window use, so that a command answers what they
//! answer, under the same permissions and with an audit row.

use patchbay_engine::{CallerInfo, Engine, Grant, ManagementGrant, audit};
use patchbay_model::{Operation, Origin, Problem};
use serde_json::Value;

/// A request: path parameters by name, query pairs, a JSON body.
#[derive(Default)]
pub(crate) struct Request(patchbay_api::request::Request);

impl Request {
    /// A request with path parameters.
    pub(crate) fn on<const N: usize>(path: [(&str, &String); N]) -> Self {
        let path = path.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Self(patchbay_api::request::Request { path, ..Default::default() })
    }

    pub(crate) fn with_query(mut self, query: Vec<(&str, String)>) -> Self {
        self.0.query = query.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self
    }

    /// Members that are null were not given, and are not sent.
    pub(crate) fn with_body(mut self, mut body: Value) -> Self {
        if let Value::Object(members) = &mut body {
            members.retain(|_, member| !member.is_null());
        }
        self.0.body = Some(body);
        self
    }
}

/// Runs an operation and gives the `result` of its envelope.
pub(crate) async fn run(engine: &Engine, grant: &ManagementGrant, operation: Operation, request: Request) -> Result<Value, Problem> {
    let caller = CallerInfo { path: operation.id().to_owned(), body: request.0.body.clone(), ..CallerInfo::local(Origin::Cli) };
    let grant = grant.with_caller(caller);
    let reply = match Box::pin(patchbay_api::operation::run(engine, &grant, operation, request.0)).await {
        Ok(reply) => reply,
        Err(problem) => {
            audit::refused(engine, Some(&Grant::Management(grant.clone())), operation.id(), grant.caller(), &problem).await;
            return Err(problem);
        }
    };
    let mut reply = reply.into_result()?;
    Ok(reply.get_mut("result").map(Value::take).unwrap_or_default())
}
