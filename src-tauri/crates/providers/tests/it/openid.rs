//! The generic OpenID provider: metadata, then userinfo.

use patchbay_model::Code;
use patchbay_providers::{Catalog, Identity, ProviderRequest, ProviderResponse, Step};
use serde_json::{Value, json};

use crate::drive::{answer, context, exchange};

const ISSUER: &str = "https://login.example.com/tenant";

pub(crate) fn honest(request: &ProviderRequest) -> ProviderResponse {
    if request.url.path().ends_with("/.well-known/openid-configuration") {
        let issuer = request.url.as_str().trim_end_matches("/.well-known/openid-configuration").to_owned();
        answer(200, &json!({ "issuer": issuer, "userinfo_endpoint": "https://api.example.com/userinfo" }))
    } else {
        answer(200, &json!({ "sub": "u-1", "name": "Ada Lovelace", "email": "ada@example.com" }))
    }
}

fn probe() -> Result<Step<Identity>, patchbay_model::Problem> {
    Catalog::builtin().unwrap().find("identity_openid").unwrap().probe(&context(json!({ "issuer": ISSUER }), Some(ISSUER)))
}

#[test]
fn the_credential_goes_to_userinfo_only() {
    let (result, sent) = exchange(probe(), honest);
    assert_eq!(result.unwrap(), Identity { id: Some("u-1".into()), name: Some("Ada Lovelace".into()), email: Some("ada@example.com".into()) });
    let seen: Vec<(&str, bool)> = sent.iter().map(|request| (request.url.as_str(), request.authenticated)).collect();
    assert_eq!(seen, [("https://login.example.com/tenant/.well-known/openid-configuration", false), ("https://api.example.com/userinfo", true)]);
}

#[test]
fn metadata_of_another_issuer_is_refused() {
    let cases: [(Value, Code); 5] = [
        (json!({ "issuer": "https://evil.example.com", "userinfo_endpoint": "https://evil.example.com/u" }), Code::InvalidConfig),
        (json!({ "userinfo_endpoint": "https://api.example.com/u" }), Code::InvalidConfig),
        (json!({ "issuer": ISSUER }), Code::ProviderInvalidAnswer),
        (json!({ "issuer": ISSUER, "userinfo_endpoint": "http://login.example.com/u" }), Code::ProviderInvalidAnswer),
        (json!({ "issuer": ISSUER, "userinfo_endpoint": "file:///etc/passwd" }), Code::ProviderInvalidAnswer),
    ];
    for (metadata, code) in cases {
        let (result, sent) = exchange(probe(), |_| answer(200, &metadata));
        assert_eq!(result.unwrap_err().code, code, "{metadata}");
        assert_eq!(sent.len(), 1, "no credential is sent");
    }
}

#[test]
fn userinfo_without_a_subject_proves_nothing() {
    let (result, _) = exchange(probe(), |request| if request.authenticated { answer(200, &json!({ "name": "x" })) } else { honest(request) });
    assert_eq!(result.unwrap_err().code, Code::ProviderInvalidAnswer);
    let (result, _) = exchange(probe(), |request| if request.authenticated { answer(401, &json!({ "error": "invalid_token" })) } else { honest(request) });
    assert_eq!(result.unwrap_err().code, Code::ProviderRefused);
}
