//! Jira from its own side: consent, sites, refreshes with their grace, ends.

use patchbay_providers::Catalog;
use patchbay_simulator::{SimAnswer, SimRequest};
use serde_json::Value;
use url::Url;

use crate::client::{REDIRECT, VERIFIER, World, authorize, challenge, param, text};

const TOKEN: &str = "https://auth.atlassian.com/oauth/token";
/// The words that the manifest knows of Atlassian.
const SPENT: &str = "unauthorized_client";
const WRONG_SECRET: &str = "access_denied";
const SITES: &str = "https://api.atlassian.com/oauth/token/accessible-resources";

fn code(world: &World) -> String {
    let scopes = "read:jira-work write:jira-work read:jira-user offline_access";
    let params = [("scope", scopes), ("audience", "api.atlassian.com"), ("prompt", "consent"), ("code_challenge", &challenge()), ("code_challenge_method", "S256")];
    let back = world.simulator.consent(&authorize(world, "ticketing_jira", "https://auth.atlassian.com/authorize", &params), true).unwrap();
    assert!(back.as_str().starts_with(REDIRECT), "{back}");
    assert_eq!(param(&back, "state").as_deref(), Some("s1"));
    assert_eq!(param(&back, "iss"), None, "this provider does not name itself");
    param(&back, "code").unwrap()
}

fn exchange(world: &World, code: &str) -> SimAnswer {
    world.post_json("ticketing_jira", TOKEN, &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)])
}

fn refresh(world: &World, token: &str) -> SimAnswer {
    world.post_json("ticketing_jira", TOKEN, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

fn tokens(answer: &SimAnswer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let body = answer.value().unwrap();
    (text(&body, "/access_token"), text(&body, "/refresh_token"))
}

fn error(answer: &SimAnswer) -> String {
    text(&answer.value().unwrap(), "/error")
}

#[test]
fn a_consent_becomes_tokens_that_find_the_site() {
    let world = World::new(&Catalog::builtin().unwrap());
    let (access, refresh_token) = tokens(&exchange(&world, &code(&world)));
    let sites = world.bearer(SITES, &access).value().unwrap();
    let cloud = text(&sites, "/0/id");
    assert_eq!(text(&sites, "/0/url"), "https://example.atlassian.net", "the site of the sample configuration");
    let myself = format!("https://api.atlassian.com/ex/jira/{cloud}/rest/api/3/myself");
    assert_eq!(text(&world.bearer(&myself, &access).value().unwrap(), "/displayName"), "Ada Lovelace");
    assert_eq!(world.bearer(&myself, "sim_access_0").status, 401);

    // It ends after an hour, and the refresh gives the next.
    world.advance(3600);
    assert_eq!(world.bearer(&myself, &access).status, 401);
    let (next, next_refresh) = tokens(&refresh(&world, &refresh_token));
    assert_ne!(refresh_token, next_refresh, "this provider rotates");
    assert_eq!(world.bearer(&myself, &next).status, 200);

    // The one before is good for ten minutes more; after that its use ends all.
    world.advance(599);
    assert_eq!(refresh(&world, &refresh_token).status, 200);
    world.advance(2);
    assert_eq!(error(&refresh(&world, &refresh_token)), SPENT);
    assert_eq!(error(&refresh(&world, &next_refresh)), "invalid_grant", "reuse ends the family where it is not known to be harmless");
    let last = world.simulator.log().pop().unwrap();
    assert_eq!((last.what.as_str(), last.sent.as_deref(), last.delivered), ("refresh_token", Some(next_refresh.as_str()), true));
}

#[test]
fn what_does_not_fit_is_refused() {
    let world = World::new(&Catalog::builtin().unwrap());
    let first = code(&world);
    let wrong = world.post_json(
        "ticketing_jira",
        TOKEN,
        &[("grant_type", "authorization_code"), ("code", &first), ("redirect_uri", REDIRECT), ("code_verifier", &VERIFIER.replace('a', "b"))],
    );
    assert_eq!((wrong.status, error(&wrong).as_str()), (400, "invalid_grant"));
    let (access, _) = tokens(&exchange(&world, &first));
    assert_eq!(error(&exchange(&world, &first)), SPENT, "a code is good once");
    assert_eq!(world.bearer(SITES, &access).status, 401, "and its second use ends what the first gave");

    let late = code(&world);
    world.advance(601);
    assert_eq!(error(&exchange(&world, &late)), SPENT);

    let mut stranger = world.json("ticketing_jira", TOKEN, &[("grant_type", "refresh_token"), ("refresh_token", "sim_refresh_0")]);
    stranger.body = String::from_utf8(stranger.body).unwrap().replace("sim_secret_", "another_").into_bytes();
    let answer = world.ask(&stranger);
    assert_eq!((answer.status, error(&answer).as_str()), (401, WRONG_SECRET), "in the words that the manifest knows");
}

#[test]
fn the_pages_are_forms_with_labels() {
    let world = World::new(&Catalog::builtin().unwrap());
    let url = authorize(&world, "ticketing_jira", "https://auth.atlassian.com/authorize", &[("scope", "read:jira-work"), ("audience", "api.atlassian.com"), ("prompt", "consent")]);
    let page = |request: &SimRequest| String::from_utf8(world.ask(request).body).unwrap();
    let sign_in = page(&SimRequest::to("GET", &url));
    for part in ["<h1>Sign in</h1>", "<label for=\"login\">Login</label>", "<label for=\"password\">Password</label>", "<html lang=\"en\">"] {
        assert!(sign_in.contains(part), "{part} is missing in {sign_in}");
    }
    assert!(!sign_in.contains("<script"));
    let question = page(&SimRequest::to("POST", &url).form(&[("login", "ada@example.com"), ("password", "simulated")]));
    for part in ["<h1>Allow access</h1>", "Read projects and issues", ">Allow</button>", ">Deny</button>"] {
        assert!(question.contains(part), "{part} is missing in {question}");
    }
    assert!(page(&SimRequest::to("POST", &url).form(&[("login", "ada@example.com"), ("password", "guessed")])).contains("wrong"));
    let denied = world.simulator.consent(&url, false).unwrap();
    assert_eq!(param(&denied, "error").as_deref(), Some("access_denied"));

    let elsewhere = Url::parse(&url.as_str().replace("patchbay.sim.invalid", "evil.example")).unwrap();
    assert!(world.simulator.consent(&elsewhere, true).unwrap_err().contains("not registered"));
    let stranger = Url::parse(&url.as_str().replace("sim_client_ticketing_jira", "sim_client_nobody")).unwrap();
    assert!(world.simulator.consent(&stranger, true).is_err());
    let wrongly_joined = Url::parse(&url.as_str().replace("read%3Ajira-work", "a%2Cb")).unwrap();
    assert_eq!(param(&world.simulator.consent(&wrongly_joined, true).unwrap(), "error").as_deref(), Some("invalid_scope"));
}

#[test]
fn a_key_works_until_it_is_withdrawn() {
    let world = World::new(&Catalog::builtin().unwrap());
    let key = world.simulator.issue(&crate::client::id("ticketing_jira"), "basic").unwrap();
    let field = |name: &str| key.fields.get(name).and_then(Value::as_str).unwrap().to_owned();
    let coded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{}:{}", field("username"), field("secret")));
    let request = SimRequest::to("GET", &Url::parse("https://example.atlassian.net/rest/api/3/myself").unwrap())
        .with("authorization", &format!("Basic {coded}"))
        .with("accept", "application/json");
    assert_eq!(text(&world.ask(&request).value().unwrap(), "/accountId"), "sim-1");
    world.simulator.withdraw(&key);
    assert_eq!(world.ask(&request).status, 401);
}
