//! Answers of the server, and its problems as our own.

use patchbay_model::problem::{Location, Parameter, ProblemContext, Resource};
use patchbay_model::{Code, Problem, RemoteUrl};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::transport::{Answered, Lost};

/// Longest text of a problem that is taken over.
const LONGEST: usize = 4000;

/// What a server answered.
pub(crate) enum Outcome {
    /// JSON of a success.
    Done(Value),
    /// A Problem of a Patchbay.
    Refused(Problem),
    /// Nothing of a Patchbay: something else stands there, or stands between.
    Foreign(Lost),
}

/// Reads an answer.
pub(crate) fn read(url: &RemoteUrl, answered: &Answered) -> Outcome {
    let body: Option<Value> = if answered.body.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&answered.body).ok() };
    match (answered.status, body) {
        (200..=299, Some(body)) => Outcome::Done(body),
        (status, Some(body)) => match problem(&body) {
            Some(problem) => Outcome::Refused(problem),
            None => Outcome::Foreign(foreign(url, status)),
        },
        (status, None) => Outcome::Foreign(foreign(url, status)),
    }
}

/// What answered is no Patchbay: a proxy whose server is gone, a page to sign in to a network, another program.
fn foreign(url: &RemoteUrl, status: u16) -> Lost {
    let words = match status {
        502..=504 => format!("{url} cannot be reached: the proxy in front of it answers {status}."),
        300..=399 => format!("{url} sends us elsewhere (status {status}), where a token must not follow. Give the address that it is really at."),
        _ => format!("What answers at {url} is not Patchbay (status {status}). Check the address, and whether the network wants you to sign in first."),
    };
    // A gateway that could not pass the request on may have passed it on after all.
    Lost { words, unsent: status == 503 || (300..=399).contains(&status), slow: false }
}

#[derive(Deserialize)]
struct Wire {
    code: String,
    message: String,
    #[serde(default)]
    status: u16,
    detail: Option<String>,
    remediation: Option<String>,
    #[serde(default)]
    context: Context,
    retry_after: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Context {
    parameter: Option<WireParameter>,
    resources: Vec<WireResource>,
    raw_error: Option<String>,
    provider_details: Map<String, Value>,
}

#[derive(Deserialize)]
struct WireParameter {
    id: String,
    location: String,
    value: Option<String>,
}

#[derive(Deserialize)]
struct WireResource {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    rel: String,
}

/// A problem off the wire; none where it is something else. A code that this version does not know becomes the nearest one.
pub(crate) fn problem(body: &Value) -> Option<Problem> {
    let wire: Wire = serde_json::from_value(body.clone()).ok()?;
    let code = serde_json::from_value(Value::String(wire.code)).unwrap_or(if wire.status >= 500 { Code::Internal } else { Code::InvalidRequest });
    let bounded = |text: String| text.chars().take(LONGEST).collect::<String>();
    let parameter = wire.context.parameter.and_then(|parameter| {
        let location = match parameter.location.as_str() {
            "header" => Location::Header,
            "path" => Location::Path,
            "query" => Location::Query,
            "body" => Location::Body,
            _ => return None,
        };
        Some(Parameter { id: parameter.id, location, value: parameter.value })
    });
    let context = ProblemContext {
        parameter,
        resources: wire.context.resources.into_iter().map(|resource| Resource { kind: resource.kind, id: resource.id, rel: resource.rel }).collect(),
        raw_error: wire.context.raw_error.map(bounded),
        provider_details: wire.context.provider_details,
    };
    let mut problem = Problem::new(code, bounded(wire.message));
    problem.detail = wire.detail.map(bounded);
    problem.remediation = wire.remediation.map(bounded);
    problem.context = Box::new(context);
    problem.retry_after = wire.retry_after;
    Some(problem)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(status: u16, body: &str) -> Outcome {
        read(&"https://h.example".parse().unwrap(), &Answered { status, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn a_problem_arrives_as_it_was_raised() {
        let raised = Problem::field("/name", "The name is bad.").with_detail("more").with_remediation("do this").with_resource("account", "a", "cause").retry_after(3);
        let at = "2026-11-22T00:00:00Z".parse().unwrap();
        let wire = patchbay_api::wire::problem::Problem::new(&raised, at, patchbay_vault::system_context().new_uuid());
        assert_eq!(problem(&serde_json::to_value(wire).unwrap()).unwrap(), raised);
    }

    #[test]
    fn a_code_of_a_newer_server_keeps_its_words() {
        for (status, code) in [(409, Code::InvalidRequest), (500, Code::Internal)] {
            let read = problem(&json!({"code": "from_the_future", "message": "Something new happened.", "status": status})).unwrap();
            assert_eq!((read.code, read.message.as_str()), (code, "Something new happened."));
        }
    }

    #[test]
    fn what_is_not_patchbay_is_told_apart() {
        assert!(matches!(answered(200, "{\"result\":1}"), Outcome::Done(value) if value["result"] == 1));
        assert!(matches!(answered(204, ""), Outcome::Done(Value::Null)));
        for (status, body, words) in
            [(200, "<html>", "is not Patchbay"), (302, "", "sends us elsewhere"), (502, "<html>bad gateway", "proxy"), (404, "{\"error\":\"x\"}", "is not Patchbay")]
        {
            let Outcome::Foreign(lost) = answered(status, body) else { panic!("{status} {body} is foreign") };
            assert!(lost.words.contains(words), "{}", lost.words);
        }
    }
}
