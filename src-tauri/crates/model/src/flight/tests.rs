use super::*;

fn seen(text: &str) -> Seen {
    redact(&Url::parse(text).unwrap(), Some("our-state"))
}

#[test]
fn what_was_asked_is_told_and_what_came_is_not() {
    let seen = seen(
        "https://login.example.com:8443/oauth2/v1/authorize?response_type=code&client_id=abc&redirect_uri=http%3A%2F%2F127.0.0.1%3A47%2Foauth%2Fcallback%3Fx%3Dsecret&scope=openid%20email&state=our-state&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw&login_hint=ada%40example.com#access_token=t0ps3cret",
    );
    assert_eq!((seen.origin.as_str(), seen.path.as_str()), ("https://login.example.com:8443", "/oauth2/v1/authorize"));
    for (name, value) in [("response_type", "code"), ("client_id", "abc"), ("redirect_uri", "http://127.0.0.1:47/oauth/callback"), ("scope", "openid email")] {
        assert_eq!(seen.told(name), Some(value), "{name}");
    }
    let of = |name: &str| seen.parameters.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.value.clone()).unwrap();
    assert_eq!((of("state"), of("code_challenge"), of("login_hint")), (Shown::Ours, Shown::Length(40), Shown::Length(15)));
    let kept = serde_json::to_string(&seen).unwrap();
    for secret in ["our-state", "t0ps3cret", "E9Mel", "ada", "x=secret"] {
        assert!(!kept.contains(secret), "{secret} in {kept}");
    }
}

#[test]
fn an_answer_is_told_without_its_code() {
    let good = seen("http://127.0.0.1:47/oauth/callback?code=c0de&state=our-state&iss=https%3A%2F%2Fissuer.example%2F");
    assert_eq!(good.told("iss"), Some("https://issuer.example/"));
    assert!(!serde_json::to_string(&good).unwrap().contains("c0de"));
    let bad = seen("http://127.0.0.1:47/oauth/callback?error=access_denied&error_description=ada%40example.com+said+no&state=other");
    assert_eq!((bad.told("error"), bad.told("error_description")), (Some("access_denied"), Some("* said no")));
    assert!(bad.parameters.contains(&SeenParameter { name: "state".to_owned(), value: Shown::Another }));
}

#[test]
fn keys_persons_and_ids_in_paths_are_masked() {
    for (path, kept) in [
        ("/o/oauth2/v2/auth", "/o/oauth2/v2/auth"),
        ("/interaction/sPZ9tU2x_4Q0Wn8kTrLm1/login", "/interaction/*/login"),
        ("/u/ada@example.com/grant", "/u/*/grant"),
        ("/u/ada%40example.com/grant", "/u/*/grant"),
        ("/f47ac10b-58cc-4372-a567-0e02b2c3d479/oauth2/v2.0/authorize", "/*/oauth2/v2.0/authorize"),
        ("/magic/aB3dE9fG2h", "/magic/*"),
        ("/oauth-authorizations/new", "/oauth-authorizations/new"),
        ("/identity/connect/authorize", "/identity/connect/authorize"),
        ("/abcdefghijklmnopqrstuvwxyzabcdef", "/*"),
    ] {
        assert_eq!(seen(&format!("https://x.test{path}")).path, kept);
    }
    let named = seen("https://x.test/?eyJhbGciOiJSUzI1NiJ9=1");
    assert_eq!(named.parameters[0].name, "*");
}

#[test]
fn other_schemes_are_told_by_their_name_alone() {
    for (url, origin) in [("data:text/html,<b>secret</b>", "data:"), ("file:///etc/passwd", "file:"), ("patchbay-evil://x/y?z", "patchbay-evil:"), ("about:blank", "about:")] {
        assert_eq!(seen(url), Seen { origin: origin.to_owned(), path: String::new(), parameters: Vec::new() });
    }
}

#[test]
fn what_comes_from_elsewhere_is_held_to_the_same() {
    let many = (0..100).map(|n| SeenParameter { name: format!("p{n}"), value: Shown::Clear("secret".to_owned()) }).collect();
    let kept = Seen { origin: "https://ada:pw@x.test/secret".to_owned(), path: "/a\nb".to_owned(), parameters: many }.bounded();
    assert_eq!((kept.origin.as_str(), kept.path.as_str(), kept.parameters.len()), ("https://x.test", "/a b", MOST_PARAMETERS));
    assert!(kept.parameters.iter().all(|parameter| parameter.value == Shown::Length(6)));
    assert_eq!(kept.clone().bounded(), kept, "once is enough");
    let long = StepDetail { words: Some("x ".repeat(5000)), seen: Some(seen(&format!("https://x.test/?error={}", "é".repeat(500)))), ..StepDetail::default() }.bounded();
    assert!(serde_json::to_string(&long).unwrap().len() <= LARGEST_STEP);
}

#[test]
fn addresses_in_parameters_are_told_without_keys_and_users() {
    let of = |uri: &str| {
        seen(&format!("https://x.test/?{}", url::form_urlencoded::Serializer::new(String::new()).append_pair("redirect_uri", uri).finish())).parameters[0].value.clone()
    };
    assert_eq!(of("https://app.test:8443/cb?x=1#y"), Shown::Clear("https://app.test:8443/cb".to_owned()));
    assert_eq!(of("https://app.test/hook/sPZ9tU2x_4Q0Wn8kTrLm1/cb"), Shown::Clear("https://app.test/hook/*/cb".to_owned()));
    assert_eq!(of("https://ada:secret@app.test/cb"), Shown::Length(30));
    assert_eq!(of("mailto:ada@example.com"), Shown::Clear("mailto:".to_owned()));
    let google = seen("https://x.test/?client_id=407408718192-1t0k3n.apps.googleusercontent.com");
    assert_eq!(google.told("client_id"), Some("407408718192-1t0k3n.apps.googleusercontent.com"));
}

#[test]
fn a_page_keeps_its_lines_and_loses_its_keys() {
    let text = page_text("Error 400: redirect_uri_mismatch\n\n  Signed in as ada@example.com \nRequest id: 7f3c9a1b2d4e5f60718293a4b5c6d7e8\n");
    assert_eq!(text, "Error 400: redirect_uri_mismatch\nSigned in as *\nRequest id: *");
    assert_eq!(words("redirect_uri=http://127.0.0.1:47811/oauth/callback?x=1, sorry", 100), "redirect_uri=http://127.0.0.1:47811/oauth/callback sorry");
    assert!(page_text(&"é\n".repeat(5000)).len() <= LONGEST_PAGE);
}

mod secrets {
    use proptest::prelude::*;

    use super::*;

    /// What providers make codes, tokens and states of.
    fn secret() -> impl Strategy<Value = String> {
        prop_oneof!["[A-Za-z0-9_-]{12}[0-9][A-Za-z0-9_-]{11,50}", "[0-9a-f]{16}[0-9][0-9a-f]{15}", "eyJ[A-Za-z0-9]{20,40}\\.eyJ[A-Za-z0-9]{20,40}\\.[A-Za-z0-9_-]{30,40}"]
    }

    /// Where one can stand.
    fn planted(place: usize, secret: &str) -> String {
        let quoted: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        match place {
            0 => format!("https://idp.test/cb?code={quoted}"),
            1 => format!("https://idp.test/cb?state={quoted}&error=x"),
            2 => format!("https://idp.test/cb#access_token={quoted}"),
            3 => format!("https://idp.test/interaction/{quoted}/login"),
            4 => format!("https://{quoted}:{quoted}@idp.test/"),
            5 => format!("https://idp.test/?{quoted}=1&SAMLRequest={quoted}"),
            6 => format!("https://idp.test/?redirect_uri=https%3A%2F%2Fidp.test%2F{quoted}%3Ft%3D{quoted}%23{quoted}"),
            7 => format!("https://idp.test/?error_description=the+token+{quoted}+is+wrong&error={quoted}"),
            8 => format!("https://idp.test/?redirect_uri=https%3A%2F%2F{quoted}%40idp.test%2F&iss={quoted}"),
            9 => format!("https://idp.test/?scope=openid+{quoted}&prompt={quoted}"),
            10 => format!("data:text/html,{quoted}"),
            _ => format!("https://idp.test/a;{quoted}/b?x[{quoted}]=y"),
        }
    }

    proptest! {
        #[test]
        fn planted_ones_do_not_survive(secret in secret(), place in 0_usize..12, known in any::<bool>()) {
            let url = Url::parse(&planted(place, &secret)).unwrap();
            let seen = redact(&url, known.then_some(secret.as_str()));
            let detail = StepDetail { seen: Some(seen.clone()), words: Some(format!("said {secret}.")), error: Some(secret.clone()), ..StepDetail::default() }.bounded();
            let kept = serde_json::to_string(&detail).unwrap();
            prop_assert!(!kept.contains(&secret), "{secret} in {kept}");
            prop_assert!(kept.len() <= LARGEST_STEP);
            prop_assert_eq!(seen.clone().bounded(), seen, "what was redacted once is redacted");
        }

        #[test]
        fn from_elsewhere_they_do_not_either(secret in secret(), name in "[a-z_]{1,20}") {
            let parameters = [Shown::Clear(secret.clone()), Shown::Ours].map(|value| SeenParameter { name: name.clone(), value });
            let seen = Seen { origin: format!("https://{secret}@x.test/{secret}"), path: format!("/{secret}"), parameters: parameters.to_vec() };
            let kept = serde_json::to_string(&seen.bounded()).unwrap();
            prop_assert!(name == "client_id" || !kept.contains(&secret), "{secret} in {kept}");
        }
    }
}
