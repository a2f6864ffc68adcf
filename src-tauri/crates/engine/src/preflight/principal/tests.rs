use patchbay_model::{Fullname, Name, OrganizationId, ProviderAppId};
use patchbay_providers::Catalog;
use uuid::Uuid;

use super::*;

/// Refusals of AWS, as its token service writes them.
fn refusal(code: &str, says: &str, date: &str) -> ProviderResponse {
    let body = format!(
        r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{says}</Message></Error><RequestId>id</RequestId></ErrorResponse>"#
    );
    ProviderResponse { status: 403, headers: vec![("Date".to_owned(), date.to_owned())], body: body.into_bytes() }
}

fn found(answer: &ProviderResponse) -> (String, String, Option<String>) {
    let catalog = Catalog::builtin().unwrap();
    let provider = catalog.find("storage_aws_s3").unwrap();
    let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    let app = ProviderApp {
        id: ProviderAppId::from_uuid(Uuid::nil()),
        organization_id: OrganizationId::from_uuid(Uuid::nil()),
        name: Name::parse("our-principal").unwrap(),
        fullname: Fullname::parse("Our principal").unwrap(),
        provider: provider.id().clone(),
        issuer: None,
        client_id: "AKIDEXAMPLE".to_owned(),
        client_secret: None,
        redirect_uris: Vec::new(),
        scopes: Vec::new(),
        secret_expires: None,
        created_at: now,
        updated_at: now,
    };
    match judged(&Asked { redirect_uri: "", scopes: &[], app: &app }, provider, answer, now) {
        CheckOutcome::Bad(explanation) => (explanation.cause, explanation.words, explanation.quote),
        CheckOutcome::Good => ("good".to_owned(), String::new(), None),
        CheckOutcome::CannotTell { why } => ("cannot_tell".to_owned(), why, None),
    }
}

#[test]
fn a_clock_that_is_wrong_is_told_from_a_wrong_key() {
    let expired = "Signature expired: 20261123T000000Z is now earlier than 20261123T001500Z (20261123T003000Z - 15 min.)";
    let (cause, words, quote) = found(&refusal("SignatureDoesNotMatch", expired, "Mon, 23 Nov 2026 00:30:00 GMT"));
    assert_eq!((cause.as_str(), quote.as_deref()), ("clock_wrong", Some(expired)));
    assert!(words.contains("30 minutes behind"), "{words}");
    let early = "Signature not yet current: 20261123T000000Z is still later than 20261122T231500Z (20261122T230000Z + 15 min.)";
    let (cause, words, _) = found(&refusal("SignatureDoesNotMatch", early, "Sun, 22 Nov 2026 23:00:00 GMT"));
    assert_eq!(cause, "clock_wrong");
    assert!(words.contains("60 minutes ahead"), "{words}");
    let (cause, words, _) = found(&refusal("RequestTimeTooSkewed", "The difference is too large.", "no date"));
    assert_eq!(cause, "clock_wrong");
    assert!(!words.contains("minutes") && words.contains("clock"), "{words}");

    let secret = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.";
    assert_eq!(found(&refusal("SignatureDoesNotMatch", secret, "Mon, 23 Nov 2026 00:30:00 GMT")).0, "wrong_secret", "whatever the clock says");
    assert_eq!(found(&refusal("InvalidClientTokenId", "The security token included in the request is invalid.", "")).0, "unknown_client");
}

#[test]
fn what_aws_would_not_say_tells_nothing() {
    let (cause, why, _) = found(&refusal("SomethingNew", "of which nobody knows", ""));
    assert!(cause == "cannot_tell" && why.contains("SomethingNew"), "{why}");
    let page = ProviderResponse { status: 200, headers: Vec::new(), body: b"<html><body>Welcome</body></html>".to_vec() };
    assert_eq!(found(&page).0, "cannot_tell");
    let other = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/patchbay</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
    assert_eq!(found(&ProviderResponse { status: 200, headers: Vec::new(), body: other.into() }).0, "good");
}
