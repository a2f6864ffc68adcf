//! How clients say who they are (RFC 6749 section 2.3, RFC 7523 section 2.2).

use std::collections::BTreeMap;

use patchbay_model::Timestamp;
use patchbay_providers::manifest::server::Audience;
use patchbay_providers::manifest::{ClientAuth, Server};

use crate::jwt;
use crate::site::{Endpoint, Site};
use crate::wire::SimRequest;
use crate::world::World;

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Caller {
    pub(crate) id: String,
    /// The key that was entered, for clients of their own.
    pub(crate) key: Option<usize>,
}

/// Whether a server takes nothing but signed assertions.
pub(crate) fn only_assertions(server: &Server) -> bool {
    server.client_auth.iter().all(|way| matches!(way, ClientAuth::PrivateKeyJwt { .. }))
}

/// Who asks, if the manifest allows this way and the secret is right.
pub(crate) fn authenticate(world: &World, site: &Site, server: &Server, request: &SimRequest, fields: &BTreeMap<String, String>, now: Timestamp) -> Result<Caller, &'static str> {
    let allowed = |wanted: &ClientAuth| server.client_auth.iter().any(|way| way == wanted || *way == ClientAuth::Discovered);
    let field = |name: &str| fields.get(name).map(String::as_str);
    if let Some(assertion) = field("client_assertion") {
        return by_assertion(world, site, server, assertion, field("client_assertion_type"), now);
    }
    let (id, secret) = match request.basic() {
        Some((user, password)) if password.is_empty() && server.client_auth.contains(&ClientAuth::SecretAsUser) => {
            let id = field("client_id")
                .map(str::to_owned)
                .or_else(|| world.clients.iter().find(|(_, client)| client.secret == user && client.provider == *site.provider.id()).map(|(id, _)| id.clone()));
            (id.ok_or("the secret as user name is of no client")?, Some(user))
        }
        Some((user, password)) => {
            if !allowed(&ClientAuth::Basic) {
                return Err("this provider takes no Basic");
            }
            // Both are written as a form would (RFC 6749 section 2.3.1).
            (decoded(&user), Some(decoded(&password)))
        }
        None => {
            let id = field("client_id").ok_or("there is no client_id")?.to_owned();
            match field("client_secret") {
                Some(secret) if allowed(&ClientAuth::Post) => (id, Some(secret.to_owned())),
                Some(_) => return Err("this provider takes no client_secret in the body"),
                None if allowed(&ClientAuth::None) => (id, None),
                None => return Err("there is no client secret"),
            }
        }
    };
    if field("client_id").is_some_and(|sent| sent != id) {
        return Err("two clients are named");
    }
    if let Some(client) = world.clients.get(&id).filter(|client| client.provider == *site.provider.id()) {
        return if secret.is_none_or(|secret| secret == client.secret) { Ok(Caller { id, key: None }) } else { Err("the client secret is wrong") };
    }
    let key = world.keys.iter().position(|key| key.provider == *site.provider.id() && !key.ended && key.text("client_id") == Some(&id));
    match key {
        Some(number) if secret.as_deref().is_some_and(|secret| world.keys[number].text("client_secret") == Some(secret)) => Ok(Caller { id, key: Some(number) }),
        Some(_) => Err("the client secret is wrong"),
        None => Err("nobody knows this client"),
    }
}

fn by_assertion(world: &World, site: &Site, server: &Server, assertion: &str, kind: Option<&str>, now: Timestamp) -> Result<Caller, &'static str> {
    if kind != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
        return Err("client_assertion_type is not that of a JWT");
    }
    let token = site.endpoint(server, Endpoint::Token);
    for way in &server.client_auth {
        let (algorithms, audience) = match way {
            ClientAuth::PrivateKeyJwt { algorithms, audience } => {
                let audience = match audience {
                    Audience::Issuer => site.issuer(server),
                    Audience::Token => token.clone(),
                    Audience::Fixed(template) => site.fill(template),
                };
                (Some(algorithms.as_slice()), vec![audience])
            }
            ClientAuth::Discovered => (None, vec![site.issuer(server), token.clone()]),
            _ => continue,
        };
        let read = jwt::read(assertion, algorithms, now)?;
        let id = read.text("iss").filter(|issuer| read.text("sub") == Some(issuer)).ok_or("iss and sub of the assertion are not the client")?.to_owned();
        if !audience.iter().flatten().any(|wanted| read.is_for(wanted)) {
            return Err("the assertion is for somebody else");
        }
        if read.text("jti").is_none() {
            return Err("the assertion has no jti");
        }
        let key = world.keys.iter().position(|key| key.provider == *site.provider.id() && !key.ended && key.text("client_id") == Some(&id));
        if key.is_none() && !world.clients.contains_key(&id) {
            return Err("nobody knows this client");
        }
        return Ok(Caller { id, key });
    }
    Err("this provider takes no assertions of clients")
}

/// A text as a form writes it.
fn decoded(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={text}").as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
