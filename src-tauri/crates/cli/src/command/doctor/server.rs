//! A Patchbay server as the doctor sees it: from outside.

use std::path::Path;

use patchbay_model::RemoteUrl;
use patchbay_remote::Client;
use serde_json::{Value, json};

use super::Check;
use crate::failure::Failure;
use crate::opened::{client, stranger};

/// Whether the server can be reached and fits this program, and whether the token opens it.
pub(super) async fn checks(url: &RemoteUrl, token_file: Option<&Path>) -> Vec<Check> {
    let (client, token) = match client(url, token_file) {
        Ok(client) => (client, None),
        // The server can be looked at without a token.
        Err(failure) => match stranger(url) {
            Ok(client) => (client, Some(failure)),
            Err(failure) => return vec![check("server", failure)],
        },
    };
    if let Err(failure) = client.greet().await {
        return vec![Check::problem("server", &failure.problem_of("session.info"))];
    }
    let server = Check::good("server", format!("{url} is a Patchbay of a version that fits this one."));
    let token = match token {
        None => opens(&client).await,
        Some(Failure::Usage(sentence)) if token_file.is_none() && std::env::var_os("PATCHBAY_TOKEN").is_none() => {
            Check::note("token", format!("Nothing behind the server's door was looked at: {sentence}."))
        }
        Some(failure) => check("token", failure),
    };
    vec![server, token]
}

async fn opens(client: &Client) -> Check {
    match client.call("session.info", &json!({})).await {
        Ok(info) => {
            let text = |pointer: &str| info.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            Check::good("token", format!("The token acts as {} in organization {}.", text("/member/name"), text("/organization/name")))
        }
        Err(failure) => Check::problem("token", &failure.problem_of("session.info")),
    }
}

fn check(name: &'static str, failure: Failure) -> Check {
    match failure {
        Failure::Problem(problem) => Check::problem(name, &problem),
        Failure::Usage(sentence) => Check::bad(name, format!("{sentence}.")),
        Failure::Wire(_) | Failure::Found => Check::bad(name, "It could not be looked at."),
    }
}
