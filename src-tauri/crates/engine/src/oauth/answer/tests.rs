use patchbay_model::Problem;
use proptest::prelude::*;
use reqwest::header::HeaderValue;
use serde_json::json;

use super::sample as server;
use super::*;

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn later(seconds: u64) -> Timestamp {
    now().plus(Duration::from_secs(seconds))
}

fn slack() -> Server {
    server(json!({
        "scopes": { "separator": "," },
        "lifetime": { "access": { "silent": { "non_expiring": { "probe_days": 1 } } } },
        "answer": {
            "ok": { "pointer": "/ok", "equals": true }, "error": ["/error"],
            "keep": { "team": { "at": "/team/id" }, "webhook": { "at": "/incoming_webhook/url", "secret": true }, "region": { "at": "/dc", "means": { "eu": "api.eu.test" } } },
            "tokens": [
                { "name": "main", "access": "/access_token", "refresh": "/refresh_token", "expires": { "at": "/expires_in", "unit": "seconds" }, "scope": "/scope" },
                { "name": "user", "access": "/authed_user/access_token", "refresh": "/authed_user/refresh_token",
                  "expires": { "at": "/authed_user/expires_in", "unit": "seconds" }, "scope": "/authed_user/scope", "optional": true },
            ],
        },
    }))
}

fn of_kind(kind: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))])
}

fn said(server: &Server, status: u16, kind: &'static str, body: &[u8]) -> Answer {
    read(server, status, &of_kind(kind), body, now())
}

fn granted(server: &Server, kind: &'static str, body: &str) -> NewTokens {
    match said(server, 200, kind, body.as_bytes()) {
        Answer::Granted(new) => *new,
        Answer::Refused(refusal) => panic!("{body} holds tokens and was read as {}", refusal.error),
        Answer::Nonsense => panic!("{body} holds tokens and was read as nothing"),
    }
}

fn main(server: &Server, body: &str) -> Token {
    granted(server, "application/json", body).tokens.remove(MAIN).unwrap()
}

fn refused_as(server: &Server, status: u16, kind: &'static str, body: &str) -> String {
    match said(server, status, kind, body.as_bytes()) {
        Answer::Granted(_) => "tokens".to_owned(),
        Answer::Refused(refusal) => refusal.error,
        Answer::Nonsense => "nonsense".to_owned(),
    }
}

#[test]
fn liberties_of_providers_are_taken_as_they_come() {
    let plain = server(json!({}));
    let strict = main(&plain, r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"refresh_token":"r","scope":"x y"}"#);
    assert_eq!((strict.expires, strict.expiry, strict.refresh.unwrap().expose(), strict.scope.as_deref()), (later(60), Expiry::Told, "r", Some("x y")));
    let loose = main(&plain, r#"{"access_token":"a","expires_in":" 60","scope":["x","y"]}"#);
    assert_eq!((loose.expires, loose.refresh.is_none(), loose.scope.as_deref()), (later(60), true, Some("x y")));
    for kind in ["application/x-www-form-urlencoded; charset=utf-8", "text/plain", ""] {
        let form = granted(&plain, kind, "access_token=a%2Bb&scope=x&expires_in=60").tokens.remove(MAIN).unwrap();
        assert_eq!((form.access.expose(), form.expires), ("a+b", later(60)), "{kind}");
    }
    assert_eq!(main(&plain, r#"{"access_token":"a","expires_in":59.9}"#).expires, later(59));
    assert_eq!(main(&plain, r#"{"access_token":"a","expires_in":99999999999}"#).expires, later(LONGEST_LIFE));
    let lists = server(json!({ "scopes": { "separator": "," }, "answer": { "scope_separator": ";" } }));
    assert_eq!(main(&lists, r#"{"access_token":"a","scope":["x","y"]}"#).scope.as_deref(), Some("x;y"));
}

#[test]
fn a_missing_end_is_a_finding_and_never_no_end() {
    let plain = server(json!({}));
    for missing in [
        "",
        r#","expires_in":0"#,
        r#","expires_in":null"#,
        r#","expires_in":-1"#,
        r#","expires_in":1e30"#,
        r#","expires_in":"60.""#,
        r#","expires_in":[60]"#,
        r#","expires_in":true"#,
    ] {
        let body = format!(r#"{{"access_token":"a"{missing}}}"#);
        let mut new = granted(&plain, "application/json", &body);
        let token = new.tokens.remove(MAIN).unwrap();
        assert_eq!((token.expires, token.expiry), (later(600), Expiry::Assumed), "{body}");
        assert_eq!(new.findings, [Finding::NoExpiry { token: MAIN.to_owned(), assumed: 600 }], "{body}");
    }
    let silent = server(json!({ "lifetime": { "access": {} } }));
    assert_eq!(main(&silent, r#"{"access_token":"a"}"#).expires, later(ASSUMED_LIFE));
    // RFC 7519 section 3.1: its `exp` lies in 2011. One of 2026-11-22T12:00:00Z follows.
    let past = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    assert_eq!(main(&plain, &json!({ "access_token": past }).to_string()).expiry, Expiry::Assumed, "an end in the past tells nothing");
    let own = "e30.eyJleHAiOjE3OTUzNDg4MDB9.x";
    let new = granted(&plain, "application/json", &json!({ "access_token": own }).to_string());
    assert_eq!((new.tokens[MAIN].expires, new.tokens[MAIN].expiry, new.findings.len()), (later(7200), Expiry::Jwt, 0));
    assert_eq!(main(&plain, &json!({ "access_token": own, "expires_in": 5 }).to_string()).expires, later(5), "the answer goes before the token");
    let documented = server(json!({ "lifetime": { "access": { "seconds": 30, "silent": "as_documented" } } }));
    let new = granted(&documented, "application/json", r#"{"access_token":"a"}"#);
    assert_eq!((new.tokens[MAIN].expires, new.findings.len()), (later(30), 0));
}

#[test]
fn ends_are_told_in_many_units() {
    let of = |unit: &str| {
        server(
            json!({ "answer": { "tokens": [{ "access": "/t", "expires": { "at": "/e", "unit": unit }, "refresh": "/r", "refresh_expires": { "at": "/re", "unit": unit } }] }, "lifetime": { "access": {}, "idle_seconds": 5000 } }),
        )
    };
    for (unit, value) in [
        ("seconds", json!(90)),
        ("milliseconds", json!("90000")),
        ("unix_time", json!(1_795_341_690)),
        ("unix_milliseconds", json!(1_795_341_690_000_u64)),
        ("iso8601", json!("2026-11-22T11:01:30+01:00")),
    ] {
        let token = main(&of(unit), &json!({ "t": "a", "r": "r", "e": value, "re": value }).to_string());
        assert_eq!((token.expires, token.refresh_expires), (later(90), Some(later(90))), "{unit}");
        let token = main(&of(unit), &json!({ "t": "a", "r": "r" }).to_string());
        assert_eq!((token.expiry, token.refresh_expires), (Expiry::Assumed, Some(later(5000))), "{unit}: the manifest's figure");
        assert_eq!(main(&of(unit), &json!({ "t": "a" }).to_string()).refresh_expires, None, "nothing that could end");
    }
    for past in ["unix_time", "unix_milliseconds"] {
        assert_eq!(main(&of(past), r#"{"t":"a","e":1}"#).expiry, Expiry::Assumed);
    }
    assert_eq!(main(&of("iso8601"), r#"{"t":"a","e":"1970-01-01T00:00:00Z"}"#).expiry, Expiry::Assumed);
}

#[test]
fn one_answer_holds_several_tokens_and_what_lies_beside_them() {
    let body = json!({
        "ok": true, "access_token": "bot", "refresh_token": "rb", "expires_in": 43200, "scope": "chat:write,commands", "team": { "id": "T1" }, "dc": "eu",
        "incoming_webhook": { "url": "https://hook.test/x" }, "authed_user": { "id": "U1", "access_token": "user", "scope": "search:read" },
    });
    let new = granted(&slack(), "application/json", &body.to_string());
    assert_eq!((new.tokens[MAIN].access.expose(), new.tokens[MAIN].expires, new.tokens[MAIN].expiry), ("bot", later(43200), Expiry::Told));
    let user = &new.tokens["user"];
    assert_eq!((user.access.expose(), user.expiry, user.refresh.is_none(), user.scope.as_deref()), ("user", Expiry::NonExpiring, true, Some("search:read")));
    assert_eq!(new.kept, BTreeMap::from([("team".to_owned(), "T1".to_owned()), ("region".to_owned(), "api.eu.test".to_owned())]));
    assert_eq!(new.secrets["webhook"].expose(), "https://hook.test/x");
    let elsewhere = granted(&slack(), "application/json", r#"{"ok":true,"access_token":"a","dc":"evil.test","team":{"id":"a\nb"}}"#);
    assert!(elsewhere.kept.is_empty(), "a word that stands for nothing, and a line break: {:?}", elsewhere.kept);
    assert_eq!(refused_as(&slack(), 200, "application/json", r#"{"ok":false,"error":"invalid_code"}"#), "invalid_code");
    assert_eq!(refused_as(&slack(), 200, "application/json", r#"{"ok":false,"access_token":"a"}"#), "error", "what says that it failed has failed");
    assert_eq!(refused_as(&slack(), 200, "application/json", r#"{"access_token":"a"}"#), "error");
    assert_eq!(refused_as(&slack(), 200, "application/json", r#"{"ok":true,"authed_user":{"access_token":"a"}}"#), "nonsense", "the token that requests carry is not there");
}

#[test]
fn errors_are_told_whatever_the_status_and_form() {
    let plain = server(json!({}));
    for (status, kind, body, error) in [
        (400, "application/json", r#"{"error":"invalid_grant","error_description":"grant\nis gone"}"#, "invalid_grant"),
        (200, "application/json", r#"{"error":"bad_verification_code"}"#, "bad_verification_code"),
        (401, "application/json", r#"{"error":{"code":"invalid_client","message":"no"}}"#, "invalid_client"),
        (400, "application/json", r#"{"error":17}"#, "17"),
        (400, "application/x-www-form-urlencoded", "error=redirect_uri_mismatch&error_description=x", "redirect_uri_mismatch"),
        (400, "application/json", r#"{"access_token":"a","error":"invalid_request"}"#, "invalid_request"),
        (200, "application/json", r#"{"access_token":"a","error":null}"#, "tokens"),
        (200, "application/json", r#"{"access_token":"a","error":""}"#, "tokens"),
    ] {
        assert_eq!(refused_as(&plain, status, kind, body), error, "{body}");
    }
    let Answer::Refused(refusal) = said(&plain, 403, "application/json", &[br#"{"error":"e","error_description":""#.as_slice(), &[b'x'; 1000], br#""}"#].concat()) else {
        panic!("an error")
    };
    assert_eq!((refusal.status, refusal.description.unwrap().len()), (403, 300), "a provider's words are bounded");
    let elsewhere = server(json!({ "answer": { "error": ["/fault/code"], "error_words": ["/fault/text"] } }));
    let Answer::Refused(refusal) = said(&elsewhere, 200, "application/json", br#"{"fault":{"code":"E1","text":"gone"}}"#) else { panic!("an error") };
    assert_eq!((refusal.error.as_str(), refusal.description.as_deref()), ("E1", Some("gone")));
}

#[test]
fn what_is_neither_is_nothing() {
    let plain = server(json!({}));
    let page = "<!doctype html><a href='/?a=1&access_token=stolen&error=x'>sign in</a>";
    for (kind, body) in [
        ("application/json", ""),
        ("text/html; charset=utf-8", page),
        ("application/json", page),
        ("", page),
        ("text/html", "access_token=a"),
        ("application/json", "[]"),
        ("application/json", r#"[{"access_token":"a"}]"#),
        ("application/json", "null"),
        ("application/json", "\"access_token=a\""),
        ("application/json", "{}"),
        ("application/json", r#"{"access_token":""}"#),
        ("application/json", r#"{"access_token":5}"#),
        ("application/json", r#"{"access_token":["a"]}"#),
        ("application/json", r#"{"access_token":"a\u0000"}"#),
        ("application/json", "{\"access_token\":\"a\\r\\nx: y\"}"),
        ("application/json", r#"{"access_token":"a""#),
        ("application/x-www-form-urlencoded", "access_token=a%00b"),
        ("application/x-www-form-urlencoded", "access_token="),
    ] {
        assert_eq!(refused_as(&plain, 200, kind, body), "nonsense", "{kind}: {body:?}");
    }
    assert_eq!(refused_as(&plain, 200, "application/json", &format!(r#"{{"access_token":"{}"}}"#, "a".repeat(LONGEST_TOKEN + 1))), "nonsense");
    assert_eq!(refused_as(&plain, 502, "application/json", r#"{"access_token":"a"}"#), "nonsense", "an answer with this status grants nothing");
    assert_eq!(refused_as(&plain, 200, "application/json", &"[".repeat(100_000)), "nonsense");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever a token endpoint sends, what is taken from it can stand in a header, ends, and can be sealed and read again.
    #[test]
    fn whatever_comes_is_read_without_harm(body in body(), status in 100..600_u16, kind in prop::sample::select(vec!["application/json", "text/html", "application/x-www-form-urlencoded", ""])) {
        for server in [server(json!({})), slack()] {
            let Answer::Granted(new) = said(&server, status, kind, &body) else { continue };
            prop_assert!(status < 400);
            for token in new.tokens.values() {
                prop_assert!(HeaderValue::from_str(token.access.expose()).is_ok() || !token.access.expose().is_ascii());
                prop_assert!(token.expires > now() && token.expires <= later(LONGEST_LIFE));
                prop_assert!(token.obtained == now());
            }
            let sealed: Result<_, Problem> = new.into_set().unwrap().to_secret();
            prop_assert!(super::super::tokens::TokenSet::from_secret(&sealed.unwrap()).is_ok());
        }
    }
}

/// Bytes of any kind, and answers of which some member is something else.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("60")),
        prop::collection::vec(any::<String>().prop_map(Value::from), 0..3).prop_map(Value::from),
        any::<String>().prop_map(|access| json!({ "access_token": access, "id": access })),
    ];
    let name = prop::sample::select(vec!["access_token", "refresh_token", "expires_in", "scope", "ok", "error", "authed_user", "team", "incoming_webhook", "dc", "token_type"]);
    let object = prop::collection::btree_map(name.prop_map(str::to_owned), leaf, 0..8).prop_map(|members| {
        let mut object: Map<String, Value> = members.into_iter().collect();
        // Half of them would otherwise never be a grant.
        object.entry("access_token").or_insert_with(|| json!("a"));
        object.entry("ok").or_insert_with(|| json!(true));
        Value::Object(object).to_string().into_bytes()
    });
    let form = any::<(String, String)>()
        .prop_map(|(a, b)| url::form_urlencoded::Serializer::new(String::new()).append_pair("access_token", &a).append_pair("expires_in", &b).finish().into_bytes());
    prop_oneof![prop::collection::vec(any::<u8>(), 0..200), object, form]
}
