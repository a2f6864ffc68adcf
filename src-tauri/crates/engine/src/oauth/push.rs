//! Pushed authorization requests (RFC 9126): what is asked for goes to the server before the person does, over a way that no browser sees.

use patchbay_model::{Code, Problem};
use serde_json::Value;
use url::Url;

use super::answer::{Refusal, bounded};
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
    let name = authority.provider.fullname();
    pushed(engine, authority, client, asked).await?.map_err(|refusal| {
        let why = match (&refusal.error, &refusal.description) {
            (error, Some(words)) => format!("`{error}`: {words}"),
            (error, None) if error.is_empty() => format!("status {}", refusal.status),
            (error, None) => format!("`{error}`"),
        };
        Problem::new(Code::ProviderRefused, format!("{name} does not take the request for consent ({why}). Correct the provider app, then begin again."))
    })
}

/// The same, with what the server said where it did not take it.
///
/// # Errors
/// Why it could not be asked.
pub(crate) async fn pushed(engine: &Engine, authority: &Authority, client: &OAuthClient, asked: Url) -> Result<Result<Url, Refusal>, Problem> {
    if !authority.pushes() {
        return Ok(Ok(asked));
    }
    let prepared = Prepared::pushed(engine.context(), authority, client, &asked)?;
    let mask = prepared.mask();
    let answer = send(engine, prepared, engine.context().new_uuid()).await.answer()?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (answer.status.is_success(), text("request_uri")) {
        (true, Some(request_uri)) => {
            let mut url = authority.authorize()?;
            url.query_pairs_mut().append_pair("client_id", &client.id).append_pair("request_uri", request_uri);
            Ok(Ok(url))
        }
        _ => {
            let covered = |text: &str| mask.text(&bounded(text)).into_owned();
            let error = text("error").map(covered).unwrap_or_default();
            Ok(Err(Refusal { error, description: text("error_description").map(covered), status: answer.status.as_u16() }))
        }
    }
}
