//! Metadata of issuers (OpenID Connect Discovery 1.0, RFC 8414): what the manifest says of them, and nothing that it does not.

use patchbay_providers::manifest::credential::Flow;
use patchbay_providers::manifest::revoke::{How, Proof};
use patchbay_providers::manifest::server::{Iss, Par};
use patchbay_providers::manifest::{Auth, ClientAuth, Endpoints, Pkce, Server};
use serde_json::{Map, Value, json};
use url::Url;

use crate::site::{Endpoint, Site};

/// Where the metadata of an issuer is.
pub(crate) fn addresses(site: &Site, server: &Server, issuer: &str) -> Vec<String> {
    let bare = issuer.trim_end_matches('/');
    let mut all = vec![format!("{bare}/.well-known/openid-configuration"), format!("{bare}/.well-known/oauth-authorization-server")];
    if let Ok(url) = Url::parse(issuer) {
        let path = url.path().trim_end_matches('/');
        all.push(format!("{}/.well-known/oauth-authorization-server{path}", url.origin().ascii_serialization()));
    }
    if let Endpoints::Discovery { metadata: Some(metadata), .. } = &server.endpoints {
        all.extend(site.fill(metadata));
    }
    all.dedup();
    all
}

/// Where its keys are.
pub(crate) fn keys(issuer: &str) -> String {
    format!("{}/sim/keys", issuer.trim_end_matches('/'))
}

/// The metadata of a server.
pub(crate) fn document(site: &Site, name: &str, server: &Server) -> Value {
    let issuer = site.issuer(server).unwrap_or_default();
    let mut all = Map::new();
    let mut say = |key: &str, value: Value| all.insert(key.to_owned(), value);
    say("issuer", json!(issuer));
    say("jwks_uri", json!(keys(&issuer)));
    let devices = site.manifest().credential.iter().any(|way| matches!(&way.auth, Auth::Consent { server, flows } if server == name && flows.contains(&Flow::Device)));
    let endpoints = [
        ("authorization_endpoint", Endpoint::Authorize, true),
        ("token_endpoint", Endpoint::Token, true),
        ("userinfo_endpoint", Endpoint::Userinfo, true),
        ("pushed_authorization_request_endpoint", Endpoint::Par, server.par != Par::No),
        ("device_authorization_endpoint", Endpoint::Device, devices),
        ("revocation_endpoint", Endpoint::Revocation, matches!(server.revocation.how, How::Rfc7009 { .. })),
        ("introspection_endpoint", Endpoint::Introspection, server.revocation.proof == Proof::Introspection),
    ];
    for (key, endpoint, offered) in endpoints {
        if let Some(address) = site.endpoint(server, endpoint).filter(|_| offered) {
            say(key, json!(address));
        }
    }
    let ways: Vec<&str> = server
        .client_auth
        .iter()
        .flat_map(|way| match way {
            ClientAuth::None => vec!["none"],
            ClientAuth::Basic | ClientAuth::SecretAsUser => vec!["client_secret_basic"],
            ClientAuth::Post => vec!["client_secret_post"],
            ClientAuth::PrivateKeyJwt { .. } => vec!["private_key_jwt"],
            ClientAuth::Discovered => vec!["client_secret_basic", "client_secret_post"],
        })
        .collect();
    say("token_endpoint_auth_methods_supported", json!(ways));
    say("response_types_supported", json!(["code"]));
    say("subject_types_supported", json!(["public"]));
    say("id_token_signing_alg_values_supported", json!(["RS256"]));
    if server.pkce != Pkce::Forbidden {
        say("code_challenge_methods_supported", json!(["S256"]));
    }
    if server.callback.iss != Iss::Never {
        say("authorization_response_iss_parameter_supported", json!(true));
    }
    if server.par == Par::Required {
        say("require_pushed_authorization_requests", json!(true));
    }
    Value::Object(all)
}
