//! The hosted connect pages, as a browser without script sees them, and what strangers cannot make of them.

use serde_json::{Value, json};

use crate::world::{ORIGIN, Seen, World, text};

/// A link, as its maker passes it on.
pub(crate) async fn link(world: &World, body: Value) -> (String, String) {
    let mut body = body;
    body["account_id"] = json!(world.account);
    let made = world.api("POST", "/v1/x/connect-links", Some(&body)).await.status(201).result();
    assert!(made["qr"].as_str().is_some_and(|qr| qr.contains("<svg")), "{made}");
    let url = text(&made["url"]);
    (url.strip_prefix(ORIGIN).unwrap_or_else(|| panic!("{url} is at the public address")).to_owned(), text(&made["id"]))
}

/// A page in a browser that holds this cookie, if any.
async fn page(world: &World, path: &str, cookie: Option<&str>) -> Seen {
    let ask = world.ask("GET", path).header("user-agent", "a browser");
    let seen = match cookie {
        Some(cookie) => ask.header("cookie", cookie),
        None => ask,
    }
    .send()
    .await;
    safe(&seen);
    seen
}

/// What holds for every page.
#[track_caller]
pub(crate) fn safe(seen: &Seen) {
    assert_eq!(seen.header("content-type"), "text/html; charset=utf-8", "{}: {}", seen.what, seen.text);
    let policy = seen.header("content-security-policy");
    for part in ["default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
    assert_eq!((seen.header("x-frame-options"), seen.header("cache-control"), seen.header("referrer-policy")), ("DENY", "no-store", "same-origin"));
    assert_eq!((seen.header("cross-origin-opener-policy"), seen.header("x-content-type-options")), ("same-origin", "nosniff"));
    assert!(!seen.text.contains("<script") && !seen.text.contains(" style=") && !seen.text.contains("javascript:"), "{}", seen.text);
    assert!(seen.text.contains("<html lang=\"en\">") && seen.text.contains("width=device-width"));
}

/// The value of a hidden field.
#[track_caller]
pub(crate) fn hidden(seen: &Seen, name: &str) -> String {
    let at = format!("name=\"{name}\" value=\"");
    let rest = seen.text.split_once(&at).unwrap_or_else(|| panic!("{name} is not on the page: {}", seen.text)).1;
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) fn cookie(seen: &Seen) -> String {
    seen.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// A form that is sent as browsers send it.
pub(crate) async fn send(world: &World, path: &str, cookie: &str, origin: &str, fields: &[(&str, &str)]) -> Seen {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    world.ask("POST", path).header("cookie", cookie).header("origin", origin).raw(body, "application/x-www-form-urlencoded").send().await
}

#[tokio::test]
async fn a_form_makes_a_connection_that_works() {
    let world = World::new().await;
    let (path, _) = link(&world, json!({"provider": "ticketing_mock_ticketing", "return_url": "https://app.example.com/done"})).await;
    let seen = page(&world, &path, None).await.status(200);
    assert!(seen.text.contains("Acme") && seen.text.contains("alpha"), "who asks, and for whom: {}", seen.text);
    let set = seen.header("set-cookie").to_owned();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/") && !set.contains("Secure"), "{set}");
    let again = page(&world, &path, Some(&cookie(&seen))).await;
    assert_eq!(again.header("set-cookie"), "", "a browser keeps what it has");
    assert_eq!(hidden(&again, "form"), hidden(&seen, "form"));

    let done = send(&world, &format!("{path}/ticketing_mock_ticketing"), &cookie(&seen), ORIGIN, &[("form", &hidden(&seen, "form"))]).await.status(200);
    safe(&done);
    assert!(done.text.contains("is connected") && done.text.contains("href=\"https://app.example.com/done\""), "{}", done.text);
    let listed = world.api("GET", &format!("/v1/integrations/{}", world.account), None).await.result();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "one more than before");

    let gone = page(&world, &path, Some(&cookie(&seen))).await.status(404);
    assert!(gone.text.contains("This link does not work"), "{}", gone.text);
}

#[tokio::test]
async fn a_point_offers_its_providers_and_prescribes_what_it_locks() {
    let world = World::new().await;
    let policy = json!({"providers": {"ticketing_redmine": {"locked": {"default_project": "support"}, "defaults": {"url": "https://redmine.example.com"}}}});
    let point = json!({"name": "desks", "connector": "ticketing", "environments": {"prod": ["ticketing_redmine", "ticketing_jira"]}, "x_patchbay": {"policy": policy}});
    world.api("POST", "/v1/integration-points", Some(&point)).await.status(201);
    let (path, _) = link(&world, json!({"integration_point_id": "desks"})).await;
    let seen = page(&world, &path, None).await.status(200);
    for provider in ["ticketing_redmine", "ticketing_jira"] {
        assert!(seen.text.contains(&format!("href=\"{path}/{provider}\"")), "{}", seen.text);
    }
    assert!(!seen.text.contains("mock"), "what the point does not allow is not offered");
    let other = page(&world, &format!("{path}/ticketing_mock_ticketing"), None).await.status(404);
    assert!(other.text.contains("does not offer"), "{}", other.text);

    let form = page(&world, &format!("{path}/ticketing_redmine"), None).await.status(200);
    assert!(form.text.contains("value=\"https://redmine.example.com\""), "a default stands there: {}", form.text);
    assert!(form.text.contains("support") && !form.text.contains("name=\"config.default_project\""), "what is locked is told and not asked: {}", form.text);
    assert!(form.text.contains("name=\"credential.secret\"") && form.text.contains("href=\"") && form.text.contains("?way=basic\""), "{}", form.text);
    assert!(!form.text.contains("webhook_url") && !form.text.contains("polling_interval"), "what programs need is not the customer's");
    let basic = page(&world, &format!("{path}/ticketing_redmine?way=basic"), None).await;
    assert!(basic.text.contains("name=\"credential.username\"") && basic.text.contains("autocomplete=\"username\""), "{}", basic.text);
}

#[tokio::test]
async fn faults_stand_beside_their_fields_and_secrets_are_not_sent_back() {
    let world = World::new().await;
    let (path, _) = link(&world, json!({"provider": "ticketing_redmine"})).await;
    let seen = page(&world, &path, None).await;
    let (cookie, token) = (cookie(&seen), hidden(&seen, "form"));
    let path = format!("{path}/ticketing_redmine");
    let fields =
        |url: &'static str, secret: &'static str| [("form", token.clone()), ("way", "token".to_owned()), ("config.url", url.to_owned()), ("credential.secret", secret.to_owned())];
    let post = async |fields: [(&'static str, String); 4]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        send(&world, &path, &cookie, ORIGIN, &fields).await
    };
    let missing = post(fields("", "")).await.status(400);
    safe(&missing);
    for field in ["config.url", "credential.secret"] {
        assert!(missing.text.contains(&format!("id=\"{field}-error\"")), "{field}: {}", missing.text);
    }
    let wrong = post(fields("redmine.example.com", "PLANTED-KEY")).await.status(400);
    assert!(wrong.text.contains("id=\"config.url-error\"") && wrong.text.contains("must be a URL"), "{}", wrong.text);
    assert!(wrong.text.contains("value=\"redmine.example.com\"") && !wrong.text.contains("PLANTED-KEY"), "{}", wrong.text);
    let markup = post(fields("https://x/\"><img src=x>", "PLANTED-KEY")).await.status(400);
    assert!(!markup.text.contains("<img src=x>"), "{}", markup.text);
    // Nobody answers there, and private addresses are refused: that is said, and the next try goes on with the same integration.
    for _ in 0..2 {
        let refused = post(fields("http://127.0.0.1:9", "PLANTED-KEY")).await.status(400);
        safe(&refused);
        assert!(refused.text.contains("role=\"alert\"") && !refused.text.contains("PLANTED-KEY"), "{}", refused.text);
    }
    let listed = world.api("GET", &format!("/v1/integrations/{}", world.account), None).await;
    assert!(!listed.text.contains("PLANTED-KEY"));
    assert_eq!(listed.result().as_array().map(Vec::len), Some(2), "one for both tries");
}

#[tokio::test]
async fn a_form_of_another_site_or_browser_is_not_taken() {
    let world = World::new().await;
    let (path, _) = link(&world, json!({"provider": "ticketing_mock_ticketing"})).await;
    let (other, _) = link(&world, json!({"provider": "ticketing_mock_ticketing"})).await;
    let seen = page(&world, &path, None).await;
    let (ours, token) = (cookie(&seen), hidden(&seen, "form"));
    let theirs = cookie(&page(&world, &path, None).await);
    assert_ne!(ours, theirs);
    let to = format!("{path}/ticketing_mock_ticketing");
    for (cookie, origin, token, why) in [
        (ours.as_str(), "https://evil.example", token.as_str(), "another site's page"),
        (ours.as_str(), "null", token.as_str(), "a page of nowhere"),
        (theirs.as_str(), ORIGIN, token.as_str(), "another browser"),
        ("", ORIGIN, token.as_str(), "a browser without cookies"),
        (ours.as_str(), ORIGIN, "", "no proof"),
        (ours.as_str(), ORIGIN, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a guessed proof"),
    ] {
        let refused = send(&world, &to, cookie, origin, &[("form", token)]).await.status(403);
        safe(&refused);
        assert!(refused.text.contains("This form was not taken"), "{why}: {}", refused.text);
    }
    let crossed = send(&world, &format!("{other}/ticketing_mock_ticketing"), &ours, ORIGIN, &[("form", &token)]).await;
    assert_eq!(crossed.status, 403, "a proof for one link is none for another");
    let kind = world.ask("POST", &to).header("cookie", &ours).header("origin", ORIGIN).raw(format!("form={token}"), "text/plain").send().await;
    assert_eq!(kind.status, 415);
    let long = send(&world, &to, &ours, ORIGIN, &[("form", &token), ("config.x", &"x".repeat(70 << 10))]).await;
    assert_eq!(long.status, 413);
    let listed = world.api("GET", &format!("/v1/integrations/{}", world.account), None).await.result();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "nothing was made");
}

#[tokio::test]
async fn guessing_links_is_slowed_and_tells_nothing() {
    let world = World::new().await;
    let (path, id) = link(&world, json!({"provider": "ticketing_mock_ticketing"})).await;
    world.api("DELETE", &format!("/v1/x/connect-links/{id}"), None).await.status(200);
    let revoked = page(&world, &path, None).await.status(404);
    let guessed = page(&world, "/connect/pbc_0000000000000000000000000000000000000000000AAAAAA", None).await.status(404);
    assert_eq!(revoked.text, guessed.text, "which of the reasons it is, is not told");
    assert!(!revoked.text.contains("Acme"), "{}", revoked.text);
    let mut slowed = false;
    for _ in 0..30 {
        slowed |= page(&world, "/connect/pbc_rubbish", None).await.status == 429;
    }
    assert!(slowed, "whoever guesses has to wait");
}

#[tokio::test]
async fn what_stands_in_the_address_stands_in_no_log() {
    let world = World::new().await;
    let (path, _) = link(&world, json!({"provider": "ticketing_mock_ticketing"})).await;
    let secret = path.rsplit('/').next().unwrap().to_owned();
    world.ask("PUT", &path).send().await.status(405);
    world.ask("POST", &format!("{path}/a/b/c")).send().await.status(404);
    world.ask("GET", "/v1/x/connect-links").bearer(&secret).send().await.problem(401, "token_invalid");
    let seen = page(&world, &path, None).await;
    send(&world, &format!("{path}/ticketing_mock_ticketing"), &cookie(&seen), ORIGIN, &[("form", &hidden(&seen, "form"))]).await.status(200);
    let log = world.api("GET", "/v1/audit/organizations?limit=500", None).await.status(200);
    assert!(log.text.contains("integrations.create") && log.text.contains("/connect/..."), "what was done by the link is there: {}", log.text);
    assert!(!log.text.contains(&secret) && !log.text.contains(&secret[4..24]), "the link is not: {}", log.text);
    let listed = world.api("GET", "/v1/x/connect-links", None).await.status(200);
    assert!(!listed.text.contains(&secret), "nor is it read back");
}

#[tokio::test]
async fn a_consent_is_begun_by_a_link_to_the_provider() {
    let world = World::new().await;
    let (path, _) = link(&world, json!({"provider": "ticketing_jira"})).await;
    let seen = page(&world, &format!("{path}/ticketing_jira?way=o_auth_user"), None).await.status(200);
    let fields = [("form", hidden(&seen, "form")), ("way", "o_auth_user".to_owned()), ("config.url", "https://acme.atlassian.net".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let to = format!("{path}/ticketing_jira");
    let missing = send(&world, &to, &cookie(&seen), ORIGIN, &fields).await.status(400);
    safe(&missing);
    assert!(missing.text.contains("not set up yet"), "nobody registered a client: {}", missing.text);

    let app = json!({"name": "app", "provider": "ticketing_jira", "client_id": "c", "redirect_uris": [format!("{ORIGIN}/oauth/callback")]});
    world.api("POST", "/v1/x/provider-apps", Some(&app)).await.status(201);
    let leaving = send(&world, &to, &cookie(&seen), ORIGIN, &fields).await.status(303);
    let page_of_it = leaving.header("location").to_owned();
    assert!(page_of_it.starts_with("/connect/session/"), "a form is never sent on to another site: {page_of_it}");
    let ready = page(&world, &page_of_it, Some(&cookie(&seen))).await.status(200);
    assert!(ready.text.contains("Continue to Jira") && ready.text.contains(&format!("href=\"{page_of_it}/go\"")), "{}", ready.text);
    page(&world, &page_of_it, None).await.status(404);
}
