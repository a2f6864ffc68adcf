//! Faults happen where and as often as they were ordered.

use patchbay_providers::Catalog;
use patchbay_simulator::{Fault, FaultOrder, SimReply, SimRequest};
use serde_json::json;

use crate::client::{REDIRECT, VERIFIER, World, authorize, challenge, param, text};

const TOKEN: &str = "https://auth.atlassian.com/oauth/token";

struct Party {
    world: World,
    refresh: String,
    access: String,
}

impl Party {
    fn new() -> Self {
        let world = World::new(&Catalog::builtin().unwrap());
        let params = [
            ("scope", "read:jira-work offline_access"),
            ("audience", "api.atlassian.com"),
            ("prompt", "consent"),
            ("code_challenge", &challenge()),
            ("code_challenge_method", "S256"),
        ];
        let back = world.simulator.consent(&authorize(&world, "ticketing_jira", "https://auth.atlassian.com/authorize", &params), true).unwrap();
        let code = param(&back, "code").unwrap();
        let body = world
            .post_json("ticketing_jira", TOKEN, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)])
            .value()
            .unwrap();
        Self { refresh: text(&body, "/refresh_token"), access: text(&body, "/access_token"), world }
    }

    fn refresh(&self) -> SimReply {
        self.world.simulator.answer(&self.world.json("ticketing_jira", TOKEN, &[("grant_type", "refresh_token"), ("refresh_token", self.refresh.as_str())]))
    }

    fn order(&self, fault: Fault) {
        self.world.simulator.order(FaultOrder::once(fault));
    }

    fn body(&self) -> serde_json::Value {
        match self.refresh() {
            SimReply::Answer(answer) => answer.value().unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_lost_answer_is_told_from_a_lost_request() {
    let party = Party::new();
    party.order(Fault::LoseBefore);
    assert_eq!(party.refresh(), SimReply::Drop);
    party.order(Fault::LoseAfter);
    assert_eq!(party.refresh(), SimReply::Drop);
    let log = party.world.simulator.log();
    let [before, after] = &log[log.len() - 2..] else { panic!("two requests are logged") };
    assert!(!before.rotated && !before.delivered && before.gave.is_empty());
    assert!(after.rotated && !after.delivered && after.gave.len() == 2, "{after:?}");
    assert!(matches!(party.refresh(), SimReply::Answer(answer) if answer.status == 200), "within the grace of this provider");
    party.order(Fault::Slow { ms: 50 });
    let SimReply::Answer(answer) = party.refresh() else { panic!("an answer comes") };
    let delivered = || party.world.simulator.log().last().unwrap().delivered;
    assert!(answer.delay.as_millis() == 50 && !delivered(), "it is on its way");
    party.world.simulator.handed_over(&answer);
    assert!(delivered());
}

#[test]
fn answers_can_be_spoilt() {
    let party = Party::new();
    party.order(Fault::Status { code: 429, retry_after: Some(7) });
    let SimReply::Answer(answer) = party.refresh() else { panic!("an answer comes") };
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    party.order(Fault::Html);
    assert!(matches!(party.refresh(), SimReply::Answer(answer) if answer.status == 200 && answer.body.starts_with(b"<!DOCTYPE html>")));
    party.order(Fault::Empty);
    assert!(matches!(party.refresh(), SimReply::Answer(answer) if answer.body.is_empty()));
    party.order(Fault::Truncated);
    assert!(matches!(party.refresh(), SimReply::DropAfter(answer, half) if half > 0 && half < answer.body.len()));
    party.order(Fault::Stall);
    assert_eq!(party.refresh(), SimReply::Stall);
    party.order(Fault::Endless);
    assert_eq!(party.refresh(), SimReply::Endless);
    party.order(Fault::Ok200Error);
    assert_eq!(text(&party.body(), "/error"), "temporarily_unavailable");
    party.order(Fault::NoExpiry);
    assert!(party.body().get("expires_in").is_none());
    party.order(Fault::NoRefreshToken);
    assert!(party.body().get("refresh_token").is_none());
    party.order(Fault::ScopeLess);
    assert!(party.body().get("scope").is_none());
    party.order(Fault::WrongType);
    assert_eq!(party.body()["access_token"], json!(17));
    assert!(party.body().get("refresh_token").is_some(), "each of them happened once");
}

#[test]
fn what_was_given_out_can_end_at_once() {
    let sites = "https://api.atlassian.com/oauth/token/accessible-resources";
    let party = Party::new();
    assert_eq!(party.world.bearer(sites, &party.access).status, 200);
    party.world.simulator.order(FaultOrder::once(Fault::Status { code: 500, retry_after: None }).at_api());
    assert_eq!(party.world.bearer(sites, &party.access).status, 500);
    party.order(Fault::ExpireAccess);
    assert_eq!(party.world.bearer(sites, &party.access).status, 401);
    party.order(Fault::Outage { seconds: 60 });
    assert!(matches!(party.refresh(), SimReply::Answer(answer) if answer.status == 503));
    party.order(Fault::Advance { seconds: 61 });
    assert!(matches!(party.refresh(), SimReply::Answer(answer) if answer.status == 200));
    party.order(Fault::RevokeGrant);
    assert_eq!(text(&party.body(), "/error"), "invalid_grant");
    let robbed = Party::new();
    robbed.order(Fault::ReuseRefresh);
    assert_eq!(text(&robbed.body(), "/error"), "unauthorized_client", "the second who uses it is refused, in Atlassian's word for that");
    assert_eq!(robbed.world.bearer(sites, &robbed.access).status, 401, "and the grant has ended");
}

#[test]
fn the_way_back_can_be_forged() {
    let party = Party::new();
    let url =
        authorize(&party.world, "ticketing_jira", "https://auth.atlassian.com/authorize", &[("scope", "read:jira-work"), ("audience", "api.atlassian.com"), ("prompt", "consent")]);
    let back = |fault: Fault| {
        party.order(fault);
        party.world.simulator.consent(&url, true)
    };
    assert_eq!(param(&back(Fault::Deny).unwrap(), "error").as_deref(), Some("access_denied"));
    assert_eq!(param(&back(Fault::AuthorizeError { code: "server_error".to_owned() }).unwrap(), "error").as_deref(), Some("server_error"));
    assert_ne!(param(&back(Fault::WrongState).unwrap(), "state").as_deref(), Some("s1"));
    assert_eq!(back(Fault::DoubleParam).unwrap().query_pairs().filter(|(name, _)| name == "code").count(), 2);
    assert!(back(Fault::RedirectElsewhere).unwrap().path().ends_with("/elsewhere"));
    assert!(back(Fault::RefuseWindow).unwrap_err().contains("403"));
    assert!(param(&party.world.simulator.consent(&url, true).unwrap(), "code").is_some());
}

#[test]
fn faults_are_ordered_over_the_wire_too() {
    let party = Party::new();
    let control = |method: &str, path: &str, body: &str| {
        let mut request = SimRequest { method: method.to_owned(), host: "-".to_owned(), path: path.to_owned(), ..SimRequest::default() };
        request.body = body.as_bytes().to_vec();
        party.world.ask(&request)
    };
    let order = json!({ "fault": "status", "code": 502, "provider": "ticketing_jira", "times": 2, "after": 1 });
    assert_eq!(control("POST", "/faults", &order.to_string()).status, 200);
    assert_eq!(control("POST", "/faults", "{\"fault\":\"of_nobody\"}").status, 400);
    let status = |reply: SimReply| if let SimReply::Answer(answer) = reply { answer.status } else { 0 };
    assert_eq!([status(party.refresh()), status(party.refresh()), status(party.refresh()), status(party.refresh())], [200, 502, 502, 200]);
    let log = control("GET", "/log", "").value().unwrap();
    assert_eq!(log.as_array().unwrap().last().unwrap()["outcome"], "granted");
    assert!(control("GET", "/providers", "").value().unwrap().as_array().unwrap().iter().any(|row| row["id"] == "ticketing_jira"));
    assert_eq!(control("GET", "/nothing", "").status, 404);
}
