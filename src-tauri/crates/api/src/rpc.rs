//! Commands: the management operations by id, as the browser's `/rpc` and the application's window send them. There is no
//! bearer token here and no connector grant: the type of the grant is the whole proof.

use patchbay_engine::{Engine, ManagementGrant};
use patchbay_model::problem::Location;
use patchbay_model::{Code, Operation, Problem};
use serde_json::{Map, Value};

use crate::operation;
use crate::request::Request;

/// Runs a command: `params` has `path`, `query` and `body` as the contract says, and the result is the wire's envelope.
///
/// # Errors
/// `not_found` for a command that does not exist, and the problems of the operation.
pub async fn dispatch(engine: &Engine, grant: &ManagementGrant, command: &str, params: Value) -> Result<Value, Problem> {
    let operation = operation(command)?;
    let request = request(params)?;
    Box::pin(operation::run(engine, grant, operation, request)).await?.into_result()
}

/// The operation that a command names.
///
/// # Errors
/// `not_found` when there is none.
pub fn operation(command: &str) -> Result<Operation, Problem> {
    Operation::from_id(command).ok_or_else(|| {
        let shown: String = command.chars().take(80).collect();
        Problem::new(Code::NotFound, format!("There is no command `{shown}`. The window and the program may be of different versions; reload or update.")).at_body("/command")
    })
}

fn request(params: Value) -> Result<Request, Problem> {
    let mut params = match params {
        Value::Null => Map::new(),
        Value::Object(params) => params,
        _ => return Err(Problem::new(Code::InvalidBody, "The params of a command must be an object with path, query and body.").at_body("/params")),
    };
    let path = pairs(params.remove("path"), Location::Path, "path")?;
    let query = pairs(params.remove("query"), Location::Query, "query")?;
    let body = params.remove("body").filter(|body| !body.is_null());
    Ok(Request { path, query, body })
}

/// The members of an object as pairs; a list stands for a repeated parameter.
fn pairs(value: Option<Value>, location: Location, part: &str) -> Result<Vec<(String, String)>, Problem> {
    let members = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(Problem::new(Code::InvalidBody, format!("The member `{part}` of the params must be an object.")).at_body(&format!("/params/{part}"))),
    };
    let mut pairs = Vec::new();
    for (name, value) in members {
        let values = match value {
            Value::Null => continue,
            Value::Array(values) => values,
            one => vec![one],
        };
        for value in values {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                _ => return Err(Problem::new(Code::InvalidField, format!("The parameter `{name}` must be a text, number or truth value.")).at(location.clone(), &name)),
            };
            pairs.push((name.clone(), text));
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn params_become_a_request() {
        let request = request(json!({"path": {"account_id": "a"}, "query": {"limit": 5, "filter": ["a", "b"], "total": true, "start_after": null}, "body": {}})).unwrap();
        assert_eq!(request.path("account_id").unwrap(), "a");
        assert_eq!(request.values("filter").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(request.values("limit").collect::<Vec<_>>(), ["5"]);
        assert_eq!(request.values("start_after").count(), 0);
    }

    #[test]
    fn odd_params_are_refused() {
        for params in [json!([]), json!("x"), json!({"path": []}), json!({"query": {"a": {}}}), json!({"query": {"a": [[]]}})] {
            assert!(matches!(request(params.clone()).unwrap_err().code, Code::InvalidBody | Code::InvalidField), "{params}");
        }
        assert_eq!(operation("accounts.destroy").unwrap_err().code, Code::NotFound);
    }
}
