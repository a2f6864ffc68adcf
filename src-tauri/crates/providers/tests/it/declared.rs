//! Providers without an adapter: their address and their probe, as the manifest declares them.

use std::collections::BTreeMap;

use patchbay_model::{Code, Problem};
use patchbay_providers::{Catalog, Identity, LocateContext, Located, Method, ProviderRequest, ProviderResponse, RequestBody};
use serde_json::{Value, json};

use crate::drive::{answer, context, exchange, object};

const SAMPLE: &str = include_str!("../fixtures/manifest/ticketing_sample.toml");
const BASE: &str = "base = { template = { url = \"https://{config.site|label}.sample.example\" } }";
const PROBE: &str = "probe = { call = { url = \"/me\" }, id = \"/id\" }";

/// The sample with some of its lines replaced.
fn catalog(replaced: &[(&str, &str)]) -> Catalog {
    let text = replaced.iter().fold(SAMPLE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    Catalog::of_manifests(&[("ticketing_sample", &text)]).unwrap_or_else(|error| panic!("{error}"))
}

fn locate(base: &str, config: Value, kept: &[(&str, &str)], reply: impl FnMut(&ProviderRequest) -> ProviderResponse) -> (Result<Located, Problem>, Vec<ProviderRequest>) {
    let kept: BTreeMap<String, String> = kept.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let config = object(config);
    exchange(catalog(&[(BASE, base)]).find("ticketing_sample").unwrap().locate(&LocateContext { config: &config, credential: Some("token"), kept: &kept }), reply)
}

fn base_url(base: &str, config: Value, kept: &[(&str, &str)]) -> Result<String, Code> {
    locate(base, config, kept, |_| panic!("nothing is asked")).0.map(|located| located.base_url.unwrap().to_string()).map_err(|problem| problem.code)
}

#[test]
fn an_address_is_made_of_the_configuration() {
    assert_eq!(base_url(BASE, json!({ "site": "acme" }), &[]).unwrap(), "https://acme.sample.example/");
    assert_eq!(base_url(BASE, json!({ "site": "evil.test/x" }), &[]), Err(Code::InvalidConfig));
    assert_eq!(base_url(BASE, json!({}), &[]), Err(Code::InvalidConfig));
    let region = "base = { template = { url = \"https://{config.region.api}/v1\" } }";
    assert_eq!(base_url(region, json!({ "site": "acme" }), &[]).unwrap(), "https://api.sample.example/v1", "the default of the property");
    assert_eq!(base_url(region, json!({ "region": "eu" }), &[]).unwrap(), "https://api.eu.sample.example/v1");
    assert_eq!(base_url(region, json!({ "region": "mars" }), &[]), Err(Code::InvalidConfig));
    let otherwise = "base = { config = { property = \"note\", otherwise = \"https://{config.region.api}\" } }";
    assert_eq!(base_url(otherwise, json!({}), &[]).unwrap(), "https://api.sample.example/");
    assert_eq!(base_url(otherwise, json!({ "note": "https://own.example" }), &[]).unwrap(), "https://own.example/");
}

/// What an answer names is believed only among hosts that the manifest names: tokens would follow it anywhere else.
#[test]
fn an_answer_leads_to_known_hosts_alone() {
    let kept = "base = { kept = { key = \"domain\", hosts = [\".sample.example\"] } }";
    assert_eq!(base_url(kept, json!({}), &[("domain", "https://eu.sample.example")]).unwrap(), "https://eu.sample.example/");
    for hostile in
        ["https://evil.example", "https://sample.example.evil.example", "https://evilsample.example", "http://eu.sample.example", "https://a@eu.sample.example", "file:///x", ""]
    {
        assert_eq!(base_url(kept, json!({}), &[("domain", hostile)]), Err(Code::ProviderInvalidAnswer), "{hostile}");
    }
    assert_eq!(base_url(kept, json!({}), &[]), Err(Code::ProviderInvalidAnswer));
    let whole = "base = { kept = { key = \"domain\", template = \"https://{kept.domain|host}/api\", hosts = [\"eu.sample.example\"] } }";
    assert_eq!(base_url(whole, json!({}), &[("domain", "eu.sample.example")]).unwrap(), "https://eu.sample.example/api");
    assert_eq!(base_url(whole, json!({}), &[("domain", "us.sample.example")]), Err(Code::ProviderInvalidAnswer));
}

fn lookup(pick: &str) -> String {
    format!(
        "base = {{ lookup = {{ call = {{ url = \"https://api.sample.example/sites\", query = {{ site = \"{{config.site}}\" }} }}, items = \"/sites\", pick = {pick}, take = {{ id = \"/id\" }}, url = \"https://api.sample.example/s/{{located.id|path}}\" }} }}"
    )
}

#[test]
fn a_lookup_takes_the_row_that_fits() {
    let two = json!({ "sites": [{ "id": 1, "name": "other", "main": false }, { "id": 2, "name": "acme", "main": true }] });
    for (pick, wanted) in [
        ("{ equals = { pointer = \"/name\", template = \"{config.site}\" } }", Some("2")),
        ("{ is_true = { pointer = \"/main\" } }", Some("2")),
        ("\"first\"", Some("1")),
        ("\"only\"", None),
    ] {
        let (found, sent) = locate(&lookup(pick), json!({ "site": "acme" }), &[], |_| answer(200, &two));
        assert_eq!((sent[0].url.as_str(), sent[0].authenticated), ("https://api.sample.example/sites?site=acme", true));
        match wanted {
            Some(id) => {
                let found = found.unwrap();
                assert_eq!((found.base_url.unwrap().as_str(), found.values["id"].as_str()), (format!("https://api.sample.example/s/{id}").as_str(), id));
            }
            None => assert_eq!(found.unwrap_err().code, Code::InvalidConfig),
        }
    }
    for (status, body, code) in [
        (200, json!({ "sites": [] }), Code::ProviderInvalidAnswer),
        (200, json!({ "sites": [{ "id": ".." }] }), Code::ProviderInvalidAnswer),
        (200, json!("x"), Code::ProviderInvalidAnswer),
        (401, json!({}), Code::ProviderRefused),
        (503, json!({}), Code::ProviderUnreachable),
    ] {
        let (found, _) = locate(&lookup("\"first\""), json!({ "site": "acme" }), &[], |_| answer(status, &body));
        assert_eq!(found.unwrap_err().code, code, "{body}");
    }
}

fn probe(probe: &str, reply: &ProviderResponse) -> (Result<Identity, Problem>, Vec<ProviderRequest>) {
    let catalog = catalog(&[(PROBE, probe)]);
    let mut known = context(json!({ "site": "acme" }), Some("https://acme.sample.example/base/"));
    known.credential = Some("token_id".to_owned());
    exchange(catalog.find("ticketing_sample").unwrap().probe(&known), |_| reply.clone())
}

#[test]
fn a_probe_is_sent_as_written() {
    let me = answer(200, &json!({ "ok": true, "user": { "id": 7, "name": "Ada", "mail": "ada@example.com" } }));
    let whole = "probe = { call = { method = \"post\", url = \"/me\", headers = { X-Site = \"{config.site}\", X-Note = \"{config.note}\" }, body = { json = { query = \"{{ me {{ id }} }}\", site = \"{config.site}\" } }, ok = { pointer = \"/ok\", equals = true } }, id = \"/user/id\", name = \"/user/name\", email = \"/user/mail\", refused = [{ code = \"bad_token\" }] }";
    let (found, sent) = probe(whole, &me);
    assert_eq!(found.unwrap(), Identity { id: Some("7".into()), name: Some("Ada".into()), email: Some("ada@example.com".into()) });
    assert_eq!((sent[0].method, sent[0].url.as_str(), sent[0].authenticated), (Method::Post, "https://acme.sample.example/base/me", true));
    assert_eq!(sent[0].body, RequestBody::Json(json!({ "query": "{ me { id } }", "site": "acme" })));
    assert!(sent[0].headers.contains(&("x-site".to_owned(), "acme".to_owned())));
    assert!(sent[0].headers.iter().all(|(name, _)| name != "x-note"), "left out where it is not given");
    for (status, body, code) in [
        (200, json!({ "ok": false }), Code::ProviderRefused),
        (200, json!({ "ok": false, "error": "bad_token" }), Code::ProviderRefused),
        (401, json!({}), Code::ProviderRefused),
        (429, json!({}), Code::ProviderRateLimited),
    ] {
        assert_eq!(probe(whole, &answer(status, &body)).0.unwrap_err().code, code, "{body}");
    }
    let page = ProviderResponse { status: 200, headers: vec![], body: b"<html>".to_vec() };
    assert_eq!(probe(whole, &page).0.unwrap_err().code, Code::ProviderInvalidAnswer);
    let form = "probe = { call = { method = \"post\", url = \"\", body = { form = { a = \"{config.site} &\" } } } }";
    let (found, sent) = probe(form, &ProviderResponse { status: 204, headers: vec![], body: vec![] });
    assert_eq!((found.unwrap(), sent[0].url.as_str()), (Identity::default(), "https://acme.sample.example/base"));
    assert_eq!(sent[0].body, RequestBody::Bytes { content_type: "application/x-www-form-urlencoded".to_owned(), bytes: b"a=acme+%26".to_vec() });
}

#[test]
fn a_way_may_have_a_probe_of_its_own() {
    let own = ("place = { header = \"X-Key\" }", "place = { header = \"X-Key\" }\nprobe = { call = { url = \"https://api.sample.example/key\" } }");
    let catalog = catalog(&[own]);
    let provider = catalog.find("ticketing_sample").unwrap();
    let asked = |word: &str| {
        let mut known = context(json!({ "site": "acme" }), Some("https://acme.sample.example"));
        known.credential = Some(word.to_owned());
        exchange(provider.probe(&known), |_| answer(200, &json!({}))).1[0].url.to_string()
    };
    assert_eq!((asked("token"), asked("basic")), ("https://api.sample.example/key".to_owned(), "https://acme.sample.example/me".to_owned()));
}

#[test]
fn an_answer_in_xml_is_looked_into_as_well() {
    let xml = |kind: &str, body: &str| ProviderResponse { status: 200, headers: vec![("content-type".to_owned(), kind.to_owned())], body: body.as_bytes().to_vec() };
    let whole = "probe = { call = { url = \"/\" }, id = \"/WhoResponse/Result/Id\" }";
    let body = "<WhoResponse xmlns=\"urn:x\"><Result><Id>7</Id></Result></WhoResponse>";
    assert_eq!(probe(whole, &xml("text/xml", body)).0.unwrap().id.as_deref(), Some("7"));
    assert_eq!(probe(whole, &xml("text/html", body)).0.unwrap_err().code, Code::ProviderInvalidAnswer, "a page is no answer");
    assert_eq!(probe(whole, &xml("text/xml", "<html><body/></html>")).0.unwrap_err().code, Code::ProviderInvalidAnswer);
}

/// What ends a token early is told in many ways; all of them lead to another one, and none of them is taken for an answer.
#[test]
fn refusals_of_the_credential_are_told_from_other_refusals() {
    let refused = "probe = { call = { url = \"/me\" }, refused = [{ code = \"token_expired\" }] }";
    let rules = "[[error]]\nat = \"api\"\ncode = \"KeyDeleted\"\nstatus = 403\ncause = \"unknown_client\"\nwords = \"The key is gone.\"\n\n[[error]]\nat = \"api\"\ncode = \"TooMany\"\ncause = \"rate_limited\"\nwords = \"Wait.\"\n\n[server.main]";
    let catalog = catalog(&[(PROBE, refused), ("[server.main]", rules)]);
    let provider = catalog.find("ticketing_sample").unwrap();
    let refuses = |status: u16, body: Value| provider.refuses(provider.way("token"), &answer(status, &body));
    assert!(refuses(401, json!({})) && refuses(200, json!({ "error": "token_expired" })) && refuses(403, json!({ "error": "KeyDeleted" })));
    assert!(
        !refuses(403, json!({ "error": "NotAllowed" }))
            && !refuses(429, json!({ "error": "TooMany" }))
            && !refuses(200, json!({ "error": "KeyDeleted" }))
            && !refuses(500, json!({}))
    );
}

#[test]
fn an_address_that_is_the_secret_is_left_to_whoever_has_it() {
    let (found, asked) = locate("base = { secret = { hosts = [\".sample.example\"] } }", json!({}), &[], |_| panic!("nothing is asked"));
    let url = found.unwrap().base_url.unwrap();
    assert!(patchbay_providers::is_secret_address(&url) && asked.is_empty());
}
