//! Consent by link, as browsers see it: the start address, the cookie that binds it, and the callback.

use serde_json::json;

use crate::world::{ORIGIN, World};

/// A consent by link that has begun: the path of its start address.
async fn begun(world: &World) -> String {
    let app = json!({ "provider": "ticketing_jira", "client_id": "c", "client_secret": "s", "redirect_uris": [format!("{ORIGIN}/oauth/callback")] });
    world.api("POST", "/v1/x/provider-apps", Some(&app)).await.status(201);
    let body = json!({ "fullname": "By link", "provider_config": { "type": "ticketing_jira", "url": "https://acme.atlassian.net", "credential": { "type": "o_auth_user" } } });
    let made = world.api("POST", &format!("/v1/integrations/{}", world.account), Some(&body)).await.result();
    let session = world.api("POST", "/v1/x/connect-sessions", Some(&json!({ "integration_id": made["integration"]["id"] }))).await.result();
    assert_eq!((session["route"].as_str(), session.get("authorize_url")), (Some("link"), None), "{session}");
    session["start_url"].as_str().unwrap().strip_prefix(ORIGIN).unwrap().to_owned()
}

#[tokio::test]
async fn the_browser_that_sets_out_is_the_one_that_comes_back() {
    let world = World::new().await;
    let start = begun(&world).await;
    // What looks a link up before a person follows it is not bound to it.
    world.ask("HEAD", &start).send().await.status(204);
    world.ask("GET", &start).header("sec-purpose", "prefetch;prerender").send().await.status(204);

    let away = world.ask("GET", &start).send().await.status(303);
    assert!(away.header("location").starts_with("https://auth.atlassian.com/authorize?"), "{}", away.header("location"));
    assert_eq!((away.header("referrer-policy"), away.header("cache-control")), ("no-referrer", "no-store"));
    let cookie = away.header("set-cookie");
    assert!(cookie.starts_with("patchbay_connect_8080=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let hers = cookie.split(';').next().unwrap().to_owned();
    let again = world.ask("GET", &start).header("cookie", &hers).send().await.status(303);
    assert_eq!(again.header("location"), away.header("location"), "the same browser gets the same page");
    let other = world.ask("GET", &start).send().await.status(400);
    assert!(other.text.contains("another browser") && other.header("set-cookie").is_empty(), "{}", other.text);

    let state = away.header("location").split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    for stranger in ["", "patchbay_connect_8080=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "patchbay_connect_8080=x"] {
        let seen = world.ask("GET", &format!("/oauth/callback?error=access_denied&state={state}")).header("cookie", stranger).send().await.status(400);
        assert!(seen.text.contains("another browser"), "{}", seen.text);
    }
    // What came of it stands on a page of its own, which this browser alone can see; a second answer changes nothing.
    for answer in ["error=access_denied", "code=c"] {
        let back = world.ask("GET", &format!("/oauth/callback?{answer}&state={state}")).header("cookie", &hers).send().await.status(303);
        let page = back.header("location").to_owned();
        assert!(page.starts_with("/connect/session/") && !page.contains(&state), "{page}");
        let seen = world.ask("GET", &page).header("cookie", &hers).send().await.status(200);
        assert!(seen.text.contains("You said no at Jira") && !seen.text.contains(&state), "{}", seen.text);
        world.ask("GET", &page).send().await.status(404);
    }
}

#[tokio::test]
async fn guessing_a_start_address_is_slowed_and_leaves_no_path_in_the_log() {
    let world = World::new().await;
    for _ in 0..20 {
        let seen = world.ask("GET", "/connect/start/guessed-ticket").send().await.status(404);
        assert!(seen.text.contains("no longer valid"), "{}", seen.text);
    }
    world.ask("GET", "/connect/start/guessed-ticket").send().await.problem(429, "rate_limited");
    let log = world.api("GET", "/v1/audit/organizations?limit=1000", None).await.text;
    assert!(!log.contains("guessed-ticket"), "{log}");
}
