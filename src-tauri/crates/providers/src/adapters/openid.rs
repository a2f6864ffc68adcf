//! Any OpenID provider (OpenID Connect Core 1.0, Discovery 1.0). Its one request proves the grant: userinfo.

use patchbay_model::{Code, Problem};
use serde_json::Value;
use url::Url;

use super::Adapter;
use crate::exchange::{Method, ProviderRequest, ProviderResponse};
use crate::reading::{invalid, json, text};
use crate::refusal::refused;
use crate::step::{AdapterContext, Identity, Step};

const NAME: &str = "The OpenID provider";

/// The adapter of `identity_openid`.
pub(crate) struct OpenId;

impl Adapter for OpenId {
    fn probe(&self, context: &AdapterContext) -> Result<Step<Identity>, Problem> {
        let issuer = context.base_url.clone().ok_or_else(|| Problem::internal("the issuer is missing"))?;
        let metadata = metadata_url(&issuer)
            .ok_or_else(|| Problem::new(Code::InvalidConfig, "The issuer is no address below which metadata can lie. Correct it.").at_body("/provider_config/issuer"))?;
        Ok(Step::send(ProviderRequest::new(Method::Get, metadata).anonymous(), move |response| {
            let userinfo = userinfo_url(&issuer, &response)?;
            Ok(Step::send(ProviderRequest::new(Method::Get, userinfo), |response| identity(&response).map(Step::Done)))
        }))
    }
}

/// `issuer` + `/.well-known/openid-configuration`, a slash at its end dropped (OpenID Connect Discovery 1.0 section 4.1).
fn metadata_url(issuer: &Url) -> Option<Url> {
    Url::parse(&format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/'))).ok()
}

/// The userinfo endpoint out of the metadata, whose issuer must be the one asked for (Discovery 1.0 section 4.3).
fn userinfo_url(issuer: &Url, response: &ProviderResponse) -> Result<Url, Problem> {
    if !response.ok() {
        return Err(refused(NAME, response, "metadata of the issuer", issuer.as_str()));
    }
    let metadata = json(NAME, response)?;
    let named = text(&metadata, "issuer").unwrap_or_default();
    if named.trim_end_matches('/') != issuer.as_str().trim_end_matches('/') {
        return Err(Problem::new(Code::InvalidConfig, format!("The metadata found below {issuer} names another issuer. Enter the issuer exactly as the provider names itself."))
            .at_body("/provider_config/issuer"));
    }
    let endpoint = text(&metadata, "userinfo_endpoint").ok_or_else(|| invalid(NAME, "names no userinfo endpoint"))?;
    let endpoint =
        Url::parse(&endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(|| invalid(NAME, "names a userinfo endpoint that is no web address"))?;
    // A credential given over TLS must not go on in clear.
    if issuer.scheme() == "https" && endpoint.scheme() != "https" {
        return Err(invalid(NAME, "names a userinfo endpoint without TLS"));
    }
    Ok(endpoint)
}

fn identity(response: &ProviderResponse) -> Result<Identity, Problem> {
    if !response.ok() {
        return Err(refused(NAME, response, "userinfo", ""));
    }
    let claims: Value = json(NAME, response)?;
    let id = text(&claims, "sub").ok_or_else(|| invalid(NAME, "has no subject (`sub`)"))?;
    let name = ["name", "preferred_username", "email", "nickname"].iter().find_map(|claim| text(&claims, claim));
    // An address that the provider says it has not verified may be anybody's.
    let verified = claims.get("email_verified").and_then(Value::as_bool) != Some(false);
    let email = text(&claims, "email").filter(|_| verified);
    Ok(Identity { id: Some(id), name, email })
}
