//! The page of a consent under way, as the browser sees it that it belongs to, and as everybody else does; with a provider that is played.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use patchbay_engine::NetworkPolicy;
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_model::{Clock, Context, Origin, ProviderId, Timestamp};
use patchbay_providers::{Catalog, sample_config_of};
use patchbay_server::Simulated;
use patchbay_simulator::{Fault, FaultOrder, Simulator};
use patchbay_vault::{KeyAccess, KeySource, OsEntropy, SystemClock};
use serde_json::{Value, json};
use url::Url;

use crate::connect::{hidden, link, safe, send};
use crate::world::{ORIGIN, Seen, World, text};

/// Runs with the machine's clock, and some time ahead of it.
struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        Timestamp::from_unix_micros(now.unix_micros() + self.0.load(Ordering::SeqCst)).unwrap_or(now)
    }
}

/// A world in which one provider is played, and one customer's browser.
struct Played {
    world: World,
    simulator: Simulator,
    provider: ProviderId,
    clock: Arc<MovedClock>,
    _simulated: Simulated,
}

impl Played {
    async fn new(provider: &str) -> Self {
        let catalog = Catalog::builtin().unwrap();
        let provider = catalog.find(provider).unwrap().clone();
        let folder = tempfile::tempdir().unwrap();
        let store = StoreUrl::Sqlite(folder.path().join("store.db"));
        let keys = KeyAccess::from(KeySource::File(folder.path().join("key")));
        let clock = Arc::new(MovedClock(AtomicI64::new(0)));
        let context = Context::new(clock.clone(), Arc::new(OsEntropy));
        let simulator = Simulator::of(std::slice::from_ref(&provider), context.clone());
        let simulated = Simulated::start(simulator.clone(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let network = NetworkPolicy { allow_private: false, rehearsal: Some(simulated.rehearsal().unwrap()) };
        let (engine, created) = installation::create(&store, &keys, "Acme Tools", context.clone()).await.unwrap();
        engine.shutdown().await;
        let engine = installation::open_with(&store, &keys, catalog.clone(), context, network, Origin::Api).await.unwrap();
        let world = World::of(engine, created, folder).await;
        Self { world, simulator, provider: provider.id().clone(), clock, _simulated: simulated }
    }

    /// The organization registers with the provider; says with which redirect URIs.
    async fn register(&self, redirect_uris: &[&str]) {
        let setup = self.simulator.setup(&self.provider).unwrap();
        let mut app = json!({"name": "our-secret-app", "provider": self.provider.as_str(), "client_id": setup.client_id, "client_secret": setup.client_secret, "redirect_uris": redirect_uris});
        if self.provider.as_str() == "ticketing_gitlab" {
            app["issuer"] = json!("https://gitlab.com");
        }
        self.world.api("POST", "/v1/x/provider-apps", Some(&app)).await.status(201);
        redirect_uris.iter().for_each(|uri| self.simulator.register(&self.provider, uri));
    }

    /// The customer's person opens a link and fills its form in. Gives the page of the consent, and what the browser holds.
    async fn begun(&self, body: Value) -> Visit<'_> {
        let mut body = body;
        body["provider"] = json!(self.provider.as_str());
        let (path, _) = link(&self.world, body).await;
        let catalog = Catalog::builtin().unwrap();
        let provider = catalog.find(self.provider.as_str()).unwrap();
        let way = provider.manifest().credential.iter().find(|way| way.word == "o_auth_user").unwrap();
        let form = self.world.ask("GET", &format!("{path}/{}?way=o_auth_user", self.provider)).send().await.status(200);
        let cookie = crate::connect::cookie(&form);
        let mut fields = vec![("form".to_owned(), hidden(&form, "form")), ("way".to_owned(), "o_auth_user".to_owned())];
        fields.extend(sample_config_of(provider.manifest(), way).iter().filter_map(|(name, value)| Some((format!("config.{name}"), value.as_str()?.to_owned()))));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let sent = send(&self.world, &format!("{path}/{}", self.provider), &cookie, ORIGIN, &fields).await.status(303);
        let page = sent.header("location").to_owned();
        assert!(page.starts_with("/connect/session/"), "{page}");
        Visit { played: self, page, cookie }
    }

    fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    async fn status(&self) -> Value {
        let listed = self.world.api("GET", &format!("/v1/integrations/{}?filter=provider_type[eq]{}", self.world.account, self.provider), None).await.result();
        listed[0]["x_patchbay"]["status"].clone()
    }
}

/// A browser at the page of its consent.
struct Visit<'a> {
    played: &'a Played,
    page: String,
    cookie: String,
}

impl Visit<'_> {
    /// The page as it is now.
    async fn look(&self) -> Seen {
        let seen = self.played.world.ask("GET", &self.page).header("cookie", &self.cookie).send().await;
        safe(&seen);
        for secret in ["our-secret-app", "client_id", "sim_client", "sim_secret", "code_verifier"] {
            assert!(!seen.text.contains(secret), "{secret} is none of the person's business: {}", seen.text);
        }
        seen
    }

    /// Sets out for the provider, answers there, and gives the address at which the answer comes back.
    async fn away(&self, allow: bool) -> String {
        let away = self.played.world.ask("GET", &format!("{}/go", self.page)).header("cookie", &self.cookie).send().await.status(303);
        assert_eq!((away.header("referrer-policy"), away.header("cache-control"), away.header("set-cookie")), ("no-referrer", "no-store", ""));
        let page: Url = away.header("location").parse().unwrap();
        let back = self.played.simulator.consent(&page, allow).unwrap();
        assert!(back.as_str().starts_with(ORIGIN), "{back}");
        back[url::Position::BeforePath..].to_owned()
    }

    /// Comes back with an answer.
    async fn back(&self, callback: &str) -> Seen {
        let back = self.played.world.ask("GET", callback).header("cookie", &self.cookie).send().await.status(303);
        assert_eq!((back.header("location"), back.header("cache-control")), (self.page.as_str(), "no-store"));
        self.look().await
    }

    /// Sends a form of the page.
    async fn press(&self, act: &str, fields: &[(&str, &str)]) -> Seen {
        let token = hidden(&self.look().await, "form");
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("form", token.as_str())]).collect();
        send(&self.played.world, &format!("{}/{act}", self.page), &self.cookie, ORIGIN, &fields).await
    }

    /// The same browser at another page.
    fn at(&self, page: &str) -> Self {
        Visit { played: self.played, page: page.to_owned(), cookie: self.cookie.clone() }
    }
}

const CALLBACK: &str = "http://localhost:8080/oauth/callback";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_a_consent_from_its_begin_to_its_receipt() {
    let played = Played::new("ticketing_gitlab").await;
    played.register(&[CALLBACK]).await;
    let visit = played.begun(json!({"return_url": "https://app.example.com/done"})).await;
    let ready = visit.look().await.status(200);
    assert!(ready.text.contains("Continue at GitLab Issues") && ready.text.contains("Acme Tools") && ready.text.contains("for alpha"), "{}", ready.text);
    assert_eq!(ready.header("refresh"), "", "nothing is awaited yet, and whoever reads is not disturbed");

    let callback = visit.away(true).await;
    let away = visit.look().await.status(200);
    assert!(away.text.contains("Waiting for GitLab Issues") && away.text.contains("/go\""), "{}", away.text);
    assert_eq!(away.header("refresh"), "10");
    let still = visit.at(&format!("{}?still", visit.page)).look().await;
    assert_eq!(still.header("refresh"), "", "whoever wants the page to stay as it is has it so");
    assert!(still.text.contains("Look again"), "{}", still.text);

    let done = visit.back(&callback).await.status(200);
    assert!(done.text.contains("GitLab Issues is connected") && done.text.contains("What you agreed to"), "{}", done.text);
    assert!(done.text.contains("href=\"https://app.example.com/done\"") && done.text.contains("Taking it back"), "{}", done.text);
    assert_eq!(done.header("refresh"), "");
    assert_eq!(played.status().await, "active");
    // The receipt has one address, however often the page is loaded; whoever withdraws there sees it here.
    let receipt = |seen: &Seen| seen.text.split_once("href=\"/connect/receipt/").unwrap().1.split('"').next().unwrap().to_owned();
    assert_eq!(receipt(&done), receipt(&visit.look().await));
    let shown = visit.at(&format!("/connect/receipt/{}", receipt(&done))).look().await.status(200);
    assert!(shown.text.contains("Withdraw consent"), "{}", shown.text);
    let sure = [("form", hidden(&shown, "form")), ("sure", "yes".to_owned())];
    let sure: Vec<(&str, &str)> = sure.iter().map(|(name, value)| (*name, value.as_str())).collect();
    send(&played.world, &format!("/connect/receipt/{}/withdraw", receipt(&done)), &visit.cookie, ORIGIN, &sure).await.status(200);
    assert!(visit.look().await.text.contains("is no longer connected"));

    // A second answer says nothing else; after a day there is nothing to see.
    assert!(visit.back(&callback).await.text.contains("is no longer connected"));
    played.advance(86_401);
    assert!(visit.look().await.status(404).text.contains("Nothing to see here"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_nobody_elses() {
    let played = Played::new("ticketing_gitlab").await;
    played.register(&[CALLBACK]).await;
    let visit = played.begun(json!({})).await;
    // Another customer of the same organization has one of its own.
    let rival = Visit { played: &played, page: String::new(), cookie: "patchbay_connect_8080=BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB".to_owned() };
    let nobody = rival.at("/connect/session/00000000-0000-4000-8000-000000000000").look().await.status(404);
    let token = hidden(&visit.look().await, "form");
    for cookie in ["", "patchbay_connect_8080=x", rival.cookie.as_str(), "patchbay_connect_8080=%00", &format!("patchbay_connect_8080={}", "A".repeat(20_000))] {
        let stranger = Visit { played: &played, page: visit.page.clone(), cookie: cookie.to_owned() };
        let seen = stranger.look().await.status(404);
        assert_eq!(seen.text, nobody.text, "whether there is one is not told");
        let go = played.world.ask("GET", &format!("{}/go", visit.page)).header("cookie", cookie).send().await.status(404);
        assert_eq!(go.header("location"), "");
    }
    for act in ["switch", "stop", "choose", "again"] {
        let to = format!("{}/{act}", visit.page);
        for (cookie, origin, token, why) in [
            (visit.cookie.as_str(), "https://evil.example", token.as_str(), "another site's page"),
            (rival.cookie.as_str(), ORIGIN, token.as_str(), "another browser"),
            ("", ORIGIN, token.as_str(), "no browser"),
            (visit.cookie.as_str(), ORIGIN, "", "no proof"),
            (visit.cookie.as_str(), ORIGIN, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a guessed proof"),
        ] {
            let refused = send(&played.world, &to, cookie, origin, &[("form", token), ("route", "device")]).await;
            assert_eq!(refused.status, 403, "{act}: {why}: {}", refused.text);
        }
        let long = send(&played.world, &to, &visit.cookie, ORIGIN, &[("form", &token), ("x", &"x".repeat(70 << 10))]).await;
        assert_eq!(long.status, 413, "{act}");
    }
    assert!(visit.look().await.text.contains("Continue at GitLab Issues"), "nothing of it did anything");
    // A program that looks ahead is no person.
    let ahead = played.world.ask("GET", &format!("{}/go", visit.page)).header("cookie", &visit.cookie).header("sec-purpose", "prefetch").send().await;
    assert_eq!(ahead.status, 204);
    assert!(visit.look().await.text.contains("Continue at GitLab Issues"));
    // Nor does the id stand where addresses are written down.
    let log = played.world.api("GET", "/v1/audit/organizations?limit=500", None).await.status(200);
    assert!(log.text.contains("/connect/...") && !log.text.contains("/connect/session/"), "{}", log.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_consents_is_slowed() {
    let played = Played::new("ticketing_gitlab").await;
    let stranger = Visit { played: &played, page: String::new(), cookie: String::new() };
    for odd in ["x", "%00", "..%2f..", "00000000-0000-4000-8000-000000000000", &"9".repeat(6000), "%F0%9F%90%99"] {
        assert!(stranger.at(&format!("/connect/session/{odd}")).look().await.status(404).text.contains("Nothing to see here"));
    }
    for _ in 0..14 {
        stranger.at("/connect/session/00000000-0000-4000-8000-000000000000").look().await.status(404);
    }
    let slowed = stranger.at("/connect/session/00000000-0000-4000-8000-000000000000").look().await.status(429);
    assert!(slowed.header("retry-after").parse::<u32>().is_ok_and(|wait| wait > 0), "{}", slowed.text);
    let sent = send(&played.world, "/connect/session/x/again", "", ORIGIN, &[]).await;
    assert_eq!(sent.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_explained_and_the_link_still_good() {
    let played = Played::new("ticketing_gitlab").await;
    played.register(&[CALLBACK]).await;
    let visit = played.begun(json!({})).await;
    let callback = visit.away(false).await;
    let refused = visit.back(&callback).await.status(200);
    assert!(refused.text.contains("GitLab Issues was not connected") && refused.text.contains("You said no at GitLab Issues"), "{}", refused.text);
    assert!(refused.text.contains("What to do") && refused.text.contains("Try again") && refused.text.contains("person_refused"), "{}", refused.text);

    let sent = visit.press("again", &[]).await.status(303);
    let second = visit.at(sent.header("location"));
    assert_ne!(second.page, visit.page);
    assert!(second.look().await.text.contains("Continue at GitLab Issues"));
    // It has the same form token for no other consent.
    let token = hidden(&second.look().await, "form");
    assert_eq!(send(&played.world, &format!("{}/again", visit.page), &visit.cookie, ORIGIN, &[("form", &token)]).await.status, 403);
    // What is under way is not begun anew.
    let early = second.press("again", &[]).await.status(303);
    assert_eq!(early.header("location"), second.page);
    let callback = second.away(true).await;
    assert!(second.back(&callback).await.text.contains("GitLab Issues is connected"));
    // The link was good for one connection.
    let old = visit.look().await.status(200);
    assert!(old.text.contains("whoever sent you here for a new link") && !old.text.contains("/again\""), "{}", old.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_an_administrator_can_change_is_not_shown_to_a_person() {
    let played = Played::new("ticketing_gitlab").await;
    played.register(&[CALLBACK]).await;
    let visit = played.begun(json!({})).await;
    let callback = visit.away(true).await;
    played.simulator.order(FaultOrder::once(Fault::Status { code: 503, retry_after: None }));
    let failed = visit.back(&callback).await.status(200);
    assert!(failed.text.contains("GitLab Issues was not connected") && failed.text.contains("Wait a few minutes"), "{}", failed.text);

    for (error, says, next) in [
        ("invalid_scope", "asks GitLab Issues for something", "Only Acme Tools can change that"),
        ("unauthorized_client", "does not recognise Acme Tools", "Only Acme Tools can change that"),
        ("temporarily_unavailable", "GitLab Issues is out of order", "Wait a few minutes"),
        ("x\"><img src=x>", "was not connected", "Try again"),
    ] {
        let visit = played.begun(json!({})).await;
        played.simulator.order(FaultOrder::once(Fault::AuthorizeError { code: error.to_owned() }));
        let callback = visit.away(true).await;
        let seen = visit.back(&callback).await.status(200);
        assert!(seen.text.contains(says) && seen.text.contains(next), "{error}: {}", seen.text);
        assert!(!seen.text.contains("<img") && !seen.text.contains("redirect_uri") && !seen.text.contains("8080/oauth"), "{}", seen.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_runs_out_and_a_newer_try_are_told() {
    let played = Played::new("ticketing_gitlab").await;
    played.register(&[CALLBACK]).await;
    let visit = played.begun(json!({})).await;
    let callback = visit.away(true).await;
    played.advance(601);
    let late = visit.look().await.status(200);
    assert!(late.text.contains("The time for this step is over") && late.text.contains("/again\""), "{}", late.text);
    assert!(visit.back(&callback).await.text.contains("The time for this step is over"));

    let second = visit.at(visit.press("again", &[]).await.status(303).header("location"));
    let stopped = second.press("stop", &[]).await.status(303);
    assert_eq!(stopped.header("location"), second.page);
    assert!(second.look().await.text.contains("Nothing was connected"));
    let third = second.at(second.press("again", &[]).await.status(303).header("location"));
    // Whoever goes back to an older page is led to the newest one.
    let old = second.look().await.status(200);
    assert!(old.text.contains("begun anew") && old.text.contains(&format!("href=\"{}\"", third.page)), "{}", old.text);
    let gone = played.world.ask("GET", &format!("{}/go", second.page)).header("cookie", &second.cookie).send().await.status(303);
    assert_eq!(gone.header("location"), second.page, "an old one leads nowhere else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_on_another_device_is_waited_for() {
    let played = Played::new("ticketing_gitlab").await;
    // No server's address is registered: only a code can be entered.
    played.register(&["http://127.0.0.1:9/callback"]).await;
    let visit = played.begun(json!({})).await;
    let shown = visit.look().await.status(200);
    assert!(shown.text.contains("Enter a code at GitLab Issues") && shown.text.contains("<svg") && shown.text.contains("QR code of the address"), "{}", shown.text);
    assert!(!shown.text.contains("<?xml") && !shown.text.contains("in this browser instead"), "{}", shown.text);
    assert_eq!(shown.header("refresh"), "5");
    let code = shown.text.split_once("<strong class=\"code\">").unwrap().1.split('<').next().unwrap().to_owned();
    let page: Url = shown.text.split_once("class=\"address\" href=\"").unwrap().1.split('"').next().unwrap().parse().unwrap();
    assert_eq!(visit.look().await.text, shown.text, "it is the same code at every load");

    let asked =
        |simulator: &Simulator| simulator.log().iter().filter(|entry| entry.what.contains("device")).map(|entry| (entry.what.clone(), entry.outcome.clone())).collect::<Vec<_>>();
    let before = asked(&played.simulator).len();
    visit.look().await;
    assert_eq!(asked(&played.simulator).len(), before, "the provider is asked in its own time: {:?}", asked(&played.simulator));
    played.advance(6);
    visit.look().await;
    let log = asked(&played.simulator);
    assert!(log.len() > before && log.last().unwrap().1 == "authorization_pending", "{log:?}");

    played.simulator.enter(&page, &code, true).unwrap();
    played.advance(6);
    let done = visit.look().await.status(200);
    assert!(done.text.contains("GitLab Issues is connected") && done.text.contains("Your receipt"), "{}", done.text);
    assert_eq!(played.status().await, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_turns_to_another_way_and_back() {
    let played = Played::new("ticketing_gitlab").await;
    played.register(&[CALLBACK]).await;
    let visit = played.begun(json!({})).await;
    assert!(visit.look().await.text.contains("Use a code on another device instead"));
    let turned = visit.press("switch", &[("route", "device")]).await.status(303);
    assert_eq!(turned.header("location"), visit.page, "it is the same consent");
    assert!(visit.look().await.text.contains("Enter a code at GitLab Issues"));
    visit.press("switch", &[("route", "window")]).await.status(303);
    assert!(visit.look().await.text.contains("Continue at GitLab Issues"), "what no page can do is taken for its own way");
    visit.press("switch", &[("route", "device")]).await.status(303);
    // Four ways are enough; the one that there is stays.
    let shown = visit.look().await;
    assert!(!shown.text.contains("in this browser instead"), "{}", shown.text);
    let code = shown.text.split_once("<strong class=\"code\">").unwrap().1.split('<').next().unwrap().to_owned();
    let page: Url = shown.text.split_once("class=\"address\" href=\"").unwrap().1.split('"').next().unwrap().parse().unwrap();
    played.simulator.enter(&page, &code, false).unwrap();
    // Both codes that were shown are asked for, in turn.
    played.advance(6);
    visit.look().await;
    played.advance(6);
    let refused = visit.look().await;
    assert!(refused.text.contains("GitLab Issues was not connected") && refused.text.contains("You said no"), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_taken_back_stops_nothing_and_begins_nothing() {
    let played = Played::new("ticketing_gitlab").await;
    played.register(&[CALLBACK]).await;
    let visit = played.begun(json!({})).await;
    let token = hidden(&visit.look().await, "form");
    let links = played.world.api("GET", "/v1/x/connect-links", None).await.result();
    played.world.api("DELETE", &format!("/v1/x/connect-links/{}", text(&links[0]["id"])), None).await.status(200);
    let seen = visit.look().await.status(200);
    assert!(!seen.text.contains("/stop\"") && !seen.text.contains("/switch\""), "{}", seen.text);
    for act in ["switch", "stop", "choose", "again"] {
        let refused = send(&played.world, &format!("{}/{act}", visit.page), &visit.cookie, ORIGIN, &[("form", &token), ("route", "device")]).await;
        assert_eq!(refused.status, 404, "{act}");
        safe(&refused);
        assert!(refused.text.contains("This link does not work") || refused.text.contains("Ask whoever sent it"), "{}", refused.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_made_by_the_policy_that_the_page_shows() {
    let played = Played::new("storage_aws_s3").await;
    let catalog = Catalog::builtin().unwrap();
    let manifest = catalog.find("storage_aws_s3").unwrap().manifest();
    let way = manifest.credential.iter().find(|way| way.word == "aws_role").unwrap();
    let config = sample_config_of(manifest, way);
    let (path, _) = link(&played.world, json!({"provider": "storage_aws_s3"})).await;
    let to = format!("{path}/storage_aws_s3");
    let early = played.world.ask("GET", &format!("{to}?way=aws_role")).send().await.status(400);
    assert!(early.text.contains("not set up yet") && !early.text.contains("AssumeRole"), "{}", early.text);

    played.register(&[]).await;
    let form = played.world.ask("GET", &format!("{to}?way=aws_role")).send().await.status(200);
    safe(&form);
    let policy: Value = {
        let text = form.text.split_once("<textarea id=\"policy\"").unwrap().1.split_once('>').unwrap().1.split_once("</textarea>").unwrap().0;
        serde_json::from_str(&text.replace("&quot;", "\"")).unwrap()
    };
    let external_id = text(&policy["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]);
    assert!(external_id.len() > 32 && policy["Statement"][0]["Principal"]["AWS"].as_str().is_some_and(|arn| arn.starts_with("arn:")), "{policy}");
    assert!(form.text.contains("s3:ListBucket") && !form.text.contains("name=\"credential.external_id\""), "what is the customer's own is not asked: {}", form.text);
    let other = {
        let (path, _) = link(&played.world, json!({"provider": "storage_aws_s3"})).await;
        played.world.ask("GET", &format!("{path}/storage_aws_s3?way=aws_role")).send().await.status(200)
    };
    assert!(other.text.contains(&external_id), "another link of the same customer has the same");

    let cookie = crate::connect::cookie(&form);
    let role = played.simulator.issue(&played.provider, "aws_role").unwrap();
    let arn = role.fields["role_arn"].as_str().unwrap().to_owned();
    let entered: Vec<(String, &str)> = config.iter().filter_map(|(name, value)| Some((format!("config.{name}"), value.as_str()?))).collect();
    let token = hidden(&form, "form");
    let theirs = role.fields["external_id"].as_str().unwrap();
    let mut fields = vec![("form", token.as_str()), ("way", "aws_role"), ("credential.role_arn", arn.as_str()), ("credential.external_id", theirs)];
    fields.extend(entered.iter().map(|(name, value)| (name.as_str(), *value)));
    // The role still trusts another external id, which nobody can choose by a form of their own.
    let refused = send(&played.world, &to, &cookie, ORIGIN, &fields).await.status(400);
    safe(&refused);
    assert!(refused.text.contains("role=\"alert\"") && refused.text.contains("trust policy") && refused.text.contains(&external_id), "{}", refused.text);
    played.simulator.trust(&role, &external_id);
    let done = send(&played.world, &to, &cookie, ORIGIN, &fields).await.status(200);
    assert!(done.text.contains("is connected"), "{}", done.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_places_the_person_chooses_one() {
    let played = Played::new("accounting_xero").await;
    played.register(&[CALLBACK]).await;
    let visit = played.begun(json!({})).await;
    played.simulator.order(FaultOrder::once(Fault::Places { count: 3 }));
    let callback = visit.away(true).await;
    let asked = visit.back(&callback).await.status(200);
    assert!(asked.text.contains("Which one at Xero?") && asked.text.contains("Use for alpha"), "{}", asked.text);
    assert_eq!(asked.header("refresh"), "", "whoever chooses is not disturbed");
    assert_eq!(played.status().await, "awaiting_consent", "nothing is used before");
    let places: Vec<String> = asked.text.split("name=\"place\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    assert_eq!(places.len(), 3, "{}", asked.text);

    // Another browser, another site, and whoever has no proof, choose nothing.
    let token = hidden(&asked, "form");
    let to = format!("{}/choose", visit.page);
    let rival = "patchbay_connect_8080=BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
    for (cookie, origin, token) in [(rival, ORIGIN, token.as_str()), (visit.cookie.as_str(), "https://evil.example", token.as_str()), (visit.cookie.as_str(), ORIGIN, "")] {
        assert_eq!(send(&played.world, &to, cookie, origin, &[("form", token), ("place", &places[0])]).await.status, 403);
    }
    for odd in [&[][..], &[("place", "")], &[("place", "never-offered")], &[("place", "\"><img src=x>")]] {
        let seen = visit.press("choose", odd).await;
        assert!(seen.text.contains("Choose one of these.") && seen.text.contains("role=\"alert\"") && !seen.text.contains("<img"), "{}", seen.text);
        safe(&seen);
    }
    assert_eq!(played.status().await, "awaiting_consent");

    let chosen = visit.press("choose", &[("place", &places[1])]).await.status(303);
    assert_eq!(chosen.header("location"), visit.page);
    let done = visit.look().await.status(200);
    assert!(done.text.contains("Xero is connected") && done.text.contains("What you agreed to"), "{}", done.text);
    assert_eq!(played.status().await, "active");
    // It was chosen once, and the link was good for one connection.
    assert_eq!(send(&played.world, &to, &visit.cookie, ORIGIN, &[("form", &token), ("place", &places[0])]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_nobody_makes_is_over() {
    let played = Played::new("accounting_xero").await;
    played.register(&[CALLBACK]).await;
    let visit = played.begun(json!({})).await;
    played.simulator.order(FaultOrder::once(Fault::Places { count: 2 }));
    let callback = visit.away(true).await;
    let asked = visit.back(&callback).await.status(200);
    let token = hidden(&asked, "form");
    played.advance(20 * 60 + 1);
    let late = visit.look().await.status(200);
    assert!(late.text.contains("The time for this step is over"), "{}", late.text);
    let place = asked.text.split_once("name=\"place\" value=\"").unwrap().1.split('"').next().unwrap();
    send(&played.world, &format!("{}/choose", visit.page), &visit.cookie, ORIGIN, &[("form", &token), ("place", place)]).await.status(303);
    assert!(visit.look().await.text.contains("The time for this step is over"));
    assert_eq!(played.status().await, "awaiting_consent");

    let second = visit.at(visit.press("again", &[]).await.status(303).header("location"));
    played.simulator.order(FaultOrder::once(Fault::Places { count: 2 }));
    let callback = second.away(true).await;
    second.back(&callback).await;
    second.press("stop", &[]).await.status(303);
    assert!(second.look().await.text.contains("Nothing was connected"));
}
