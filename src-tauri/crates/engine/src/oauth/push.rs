//! Pushed authorization requests (RFC 9126): what is asked for goes to the server before the person does, over a way that no browser sees.

use patchbay_model::{Code, Problem};
use serde_json::Value;
use url::Url;

use super::answer::bounded;
use super::authority::Authority;
use super::call::send;
use super::client::OAuthClient;
use super::request::Prepared;
use crate::Engine;

/// The address for the person, after what stood in it was pushed where the server takes or wants that; else the address as it is.
///
/// # Errors
/// Why the server did not take it.
pub(crate) async fn push(engine: &Engine, authority: &Authority, client: &OAuthClient, asked: Url) -> Result<Url, Problem> {
    if !authority.pushes() {
        return Ok(asked);
    }
    let prepared = Prepared::pushed(engine.context(), authority, client, &asked)?;
    let mask = prepared.mask();
    let answer = send(engine, prepared, engine.context().new_uuid()).await.answer()?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = authority.provider.fullname();
    match (answer.status.is_success(), text("request_uri")) {
        (true, Some(request_uri)) => {
            let mut url = authority.authorize()?;
            url.query_pairs_mut().append_pair("client_id", &client.id).append_pair("request_uri", request_uri);
            Ok(url)
        }
        _ => {
            let why = match (text("error"), text("error_description")) {
                (Some(error), Some(words)) => format!("`{}`: {}", bounded(error), bounded(words)),
                (Some(error), None) => format!("`{}`", bounded(error)),
                _ => format!("status {}", answer.status.as_u16()),
            };
            Err(mask.problem(Problem::new(Code::ProviderRefused, format!("{name} does not take the request for consent ({why}). Correct the provider app, then begin again."))))
        }
    }
}
