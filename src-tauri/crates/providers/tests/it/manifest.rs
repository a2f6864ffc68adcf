//! Manifests good and bad: what is read, what is refused and with which words.

use std::borrow::Cow;

use patchbay_model::ProviderId;
use patchbay_model::consent::ConsentRoute;
use patchbay_providers::manifest::credential::Flow;
use patchbay_providers::manifest::{self, At, Cause, Families, Family, Fault, Filter, Manifest, Part, Seen, Slot, Source, Template, TemplateError};
use patchbay_providers::{Catalog, Platform, Provider, UserManifest, routes};
use serde_json::{Value, json};

const GOOD: &str = include_str!("../fixtures/manifest/ticketing_sample.toml");
const FAMILY: &str = include_str!("../fixtures/manifest/family.toml");
const MEMBER: &str = include_str!("../fixtures/manifest/identity_member.toml");

fn families() -> Families {
    Families::from([("sample".to_owned(), Family::parse(FAMILY).unwrap())])
}

fn read(text: &str) -> Result<Manifest, String> {
    Manifest::read(text, &families())
}

/// The good manifest with one piece replaced, and what is found in it.
fn faults(from: &str, to: &str) -> Vec<Fault> {
    assert!(GOOD.contains(from), "{from}");
    read(&GOOD.replacen(from, to, 1)).unwrap().check()
}

#[test]
fn a_good_manifest_is_read_and_written_again() {
    let manifest = read(GOOD).unwrap();
    assert_eq!(manifest.check(), []);
    assert_eq!(manifest.check_sources(), []);
    let again: Manifest = serde_json::from_value(serde_json::to_value(&manifest).unwrap()).unwrap();
    assert_eq!(again, manifest);
}

#[test]
fn what_cannot_be_read_names_its_line_and_key() {
    for (from, to, wanted) in [
        ("pkce = \"allowed\"", "pkce = \"sometimes\"", "unknown variant `sometimes`"),
        ("par = \"no\"", "parr = \"no\"", "unknown field `parr`"),
        ("place = \"bearer\"", "place = \"cookie\"", "unknown variant `cookie`"),
        ("place = \"bearer\"", "place = { cookie = \"x\" }", "unknown field `cookie`"),
        ("error = [\"/error\"]", "error = [\"error.code\"]", "write `/error/code`"),
        ("\"server.main.pkce\" = \"unverified\"", "\"server.main.pkce\" = \"I think so\"", "neither an https address"),
        ("\"server.main.pkce\" = \"unverified\"", "\"server.main.pkce\" = { url = \"https://a.example\", read = \"yesterday\" }", "`yesterday` is no day"),
        ("{config.site|label}.sample.example\" } }", "{config.site|labell}.sample.example\" } }", "the filter `labell` is not known"),
        ("{config.site|label}.sample.example\" } }", "{site}.sample.example\" } }", "`{site}` is not known"),
        ("{config.site|label}.sample.example\" } }", "{config.site|label.sample.example\" } }", "a brace is not closed"),
        ("id = \"ticketing_sample\"", "id = \"Sample\"", "provider"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = read(&GOOD.replacen(from, to, 1)).unwrap_err();
        assert!(error.contains(wanted), "{to}: {error}");
        assert!(error.contains("line "), "{to}: {error}");
    }
}

#[test]
fn what_contradicts_itself_is_found_by_key() {
    for (from, to, key, wanted) in [
        ("format = 2", "format = 1", "format", "reads format 2"),
        ("connector = \"ticketing\"", "connector = \"siem\"", "id", "siem_"),
        ("server = \"main\", flows", "server = \"other\", flows", "credential.o_auth_user.auth", "there is no [server.other]"),
        ("flows = [\"code\"]", "flows = [\"device\"]", "server.main.endpoints.fixed.device", "is missing"),
        ("flows = [\"code\"]", "flows = []", "credential.o_auth_user.auth.consent.flows", "names no flow"),
        ("kind = \"o_auth_user\"", "kind = \"token\"", "credential.o_auth_user.kind", "does not fit"),
        ("par = \"no\"", "par = \"required\"", "server.main.par", "endpoint is missing"),
        ("steps = [\"Open the settings.\"]", "steps = []", "server.main.revocation.manual.steps", "always a way by hand"),
        ("place = \"basic\"", "place = \"sigv4\"", "credential.basic.place", "sigv4"),
        ("date = \"2027-02\"", "date = \"soon\"", "sunset.0.date", "no day"),
        ("what = \"server.main.scopes.default\"", "what = \"server.main.scopes.nothing\"", "sunset.0.what", "no fact"),
        ("name = \"site\"", "name = \"credential\"", "config.credential", "reserved"),
        ("hosts = [\".sample.example\"]", "hosts = [\"example\"]", "server.main.hosts", "neither a host nor a suffix"),
        (
            "means = { eu = { api = \"api.eu.sample.example\" }, us = { api = \"api.sample.example\" } }",
            "means = { eu = { api = \"api.eu.sample.example\" } }",
            "config.region",
            "exactly the values",
        ),
        ("code = \"invalid_client\"\n", "", "error.0", "says nothing"),
    ] {
        let found = faults(from, to);
        assert!(found.iter().any(|fault| fault.key == key && fault.message.contains(wanted)), "{to}: {found:?}");
    }
}

/// A template decides where secrets go, so each place has its rule.
#[test]
fn templates_stay_in_their_places() {
    let base = "https://{config.site|label}.sample.example\" } }";
    let revoke = "https://{config.region.api}/revoke/{client_id|path}";
    for (from, to, wanted) in [
        (base, "https://{config.site}.sample.example\" } }", "{config.site|label}"),
        (base, "https://{config.nothing|label}.sample.example\" } }", "no such property"),
        (base, "https://user@{config.site|label}.sample.example\" } }", "plain one"),
        (base, "http://{config.site|label}.sample.example\" } }", "begin with https://"),
        (base, "https://{secret|label}.sample.example\" } }", "is secret"),
        (base, "https://sample.example/{config.site}\" } }", "{config.site|path}"),
        (base, "{config.site}/api\" } }", "is no address"),
        (base, "https://{kept.domain|host}/api\" } }", "name the `hosts`"),
        (base, "https://{kept.nowhere|label}.sample.example\" } }", "nothing keeps it"),
        (base, "https://{config.note|label}.sample.example\" } }", "may be missing"),
        ("https://login.sample.example/authorize", "{config.own}/authorize", "would choose where client secrets go"),
        ("https://login.sample.example/authorize", "https://{config.site|label}/authorize", "would choose where client secrets go"),
        (revoke, "https://{config.region.web}/revoke", "has no `web`"),
        (revoke, "https://{config.region.api}/revoke/{client_secret|path}", "is secret"),
        ("{ header = \"X-Key\" }", "{ headers = { Authorization = \"Key {access_token}\" } }", "with auth plain it is `{secret}`"),
        ("{ header = \"X-Key\" }", "{ headers = { Authorization = \"Key {username}\" } }", "kind basic"),
        ("{ header = \"X-Key\" }", "{ header = \"X Key\" }", "no name of a header"),
        ("{ header = \"X-Key\" }", "{ header = \"X-Key\", user_is_key = \"X\" }", "exclude one another"),
        ("{ header = \"X-Key\" }", "{ headers = { A = \"{extra.x}\" } }", "no such field"),
        ("{ header = \"X-Key\" }", "{ headers = { A = \"{token.user}\" } }", "no `answer.tokens`"),
        ("{ header = \"X-Key\" }", "{ headers = { A = \"{located.x}\" } }", "no `base.lookup.take`"),
    ] {
        let found = faults(from, to);
        assert!(found.iter().any(|fault| fault.message.contains(wanted)), "{to}: {found:?}");
    }
    assert_eq!(faults("{ header = \"X-Key\" }", "{ query = { key = \"{secret}\" } }"), [], "a provider may want it there");
    let own = "https://login.sample.example/authorize";
    for bound in ["https://{config.site|label}.sample.example/authorize", "https://{config.region.api}/authorize"] {
        assert_eq!(faults(own, bound), [], "{bound}");
    }
    let text = GOOD.replacen(own, "{config.own}/authorize", 1);
    assert_eq!(read(&text.replacen("pkce = \"allowed\"", "pkce = \"allowed\"\nself_hosted = true", 1)).unwrap().check(), []);
    let named = text.replacen("examples = [\"https://own.example\"]", "hosts = [\".sample.example\"]", 1);
    let manifest = read(&named).unwrap();
    assert_eq!(manifest.check(), []);
    let property = manifest.config.iter().find(|property| property.name == "own").unwrap();
    let allows = |address: &str| property.allows(&address.parse().unwrap());
    assert!(allows("https://eu.sample.example/x") && !allows("https://sample.example.evil.example") && !allows("https://evilsample.example"));
    assert_eq!(faults("token_params = {}", "token_params = { note = \"{config.note}\" }"), [], "left out where it is not given");
    assert_eq!(faults(base, "https://{kept.domain|label}.sample.example\" } }"), [], "a label cannot leave its domain");
}

#[test]
fn templates_are_filled_without_letting_values_out() {
    let given = |text: &'static str| move |_: &Slot| Some(Cow::Borrowed(text));
    let fill = |template: &str, value: &'static str| Template::parse(template).unwrap().fill(given(value));
    assert_eq!(fill("https://{config.a|label}.x.example", "acme").unwrap(), "https://acme.x.example");
    for hostile in ["acme.example/", "a@b", "a b", "", "-a", "a..b", "a\r\nb", "ä"] {
        assert!(fill("https://{config.a|label}.x.example", hostile).is_err(), "{hostile}");
    }
    assert_eq!(fill("https://{config.a|host}/x", "https://H.example:8443/path").unwrap(), "https://h.example:8443/x");
    assert_eq!(fill("{config.a|origin}/x", "https://h.example/path").unwrap(), "https://h.example/x");
    assert!(fill("https://{config.a|host}/x", "file:///etc/passwd").is_err());
    assert_eq!(fill("/p/{config.a|path}/q", "a/../b?c#d").unwrap(), "/p/a%2F..%2Fb%3Fc%23d/q");
    for dots in ["", ".", ".."] {
        assert!(fill("/p/{config.a|path}", dots).is_err(), "{dots:?}");
    }
    assert_eq!(fill("?a={config.a|query}", "x&b=c").unwrap(), "?a=x%26b%3Dc");
    assert_eq!(fill("X {secret}", "line\r\nSet: y"), Err(TemplateError::Unfit("secret".to_owned())));
    assert_eq!(Template::parse("{{ me {{ id }} }}").unwrap().parts(), [Part::Text("{ me { id } }".to_owned())]);
    assert_eq!(Template::parse("{config.a|host}").unwrap().parts(), [Part::Value(Slot::Config("a".to_owned()), Some(Filter::Host))]);
    assert_eq!(Template::parse("a}").unwrap_err(), TemplateError::Brace);
    assert_eq!(Template::parse("a\nb").unwrap_err(), TemplateError::Control);
    assert_eq!(Template::parse("{secret}").unwrap().fill(|_| None), Err(TemplateError::Missing("secret".to_owned())));
}

#[test]
fn a_manifest_lies_over_its_family() {
    let member = read(MEMBER).unwrap();
    assert_eq!(member.check(), []);
    assert_eq!(member.check_sources(), []);
    let server = &member.server["main"];
    assert_eq!((server.scopes.default.clone(), server.scopes.separator.as_str()), (vec!["own".to_owned()], ","), "key by key");
    assert!(server.rotation == manifest::lifetime::Rotation::None, "what is one of several kinds stands whole");
    assert_eq!(member.credential.iter().map(|way| (way.word.as_str(), way.title.as_str())).collect::<Vec<_>>(), [("o_auth_user", "Sign in here")], "only what it lists");
    assert!(!member.server.contains_key("unused"), "a member need not use all that its family has");
    assert_eq!(member.error.iter().map(|rule| rule.cause).collect::<Vec<_>>(), [Cause::AdminConsentNeeded, Cause::WrongSecret], "its own rules first");
    assert_eq!(member.source_of("server.main.scopes.default"), Some(&Source::Unverified));
    assert!(Manifest::read(MEMBER, &Families::new()).unwrap_err().contains("there is no family/sample.toml"));
    assert!(Family::parse("id = \"x\"").unwrap_err().contains("belongs to a provider"));
}

#[test]
fn facts_have_the_source_of_their_longest_name() {
    let manifest = read(GOOD).unwrap();
    let of = |path: &str| manifest.facts().into_iter().find(|fact| fact.path == path).unwrap_or_else(|| panic!("{path}")).source.unwrap().to_string();
    assert_eq!(of("server.main.pkce"), "unverified");
    assert_eq!(of("server.main.client_auth"), "https://sample.example/oauth");
    assert_eq!(of("error.token.invalid_client"), "observed: a server of ours");
    assert_eq!(manifest.unverified(), 1);
    let without = read(&GOOD.replace("\"server.main\" = \"https://sample.example/oauth\"\n", "")).unwrap();
    assert!(without.check_sources().iter().any(|fault| fault.key == "server.main.client_auth" && fault.message.contains("no source")));
}

#[test]
fn errors_are_explained_by_the_first_rule_that_holds() {
    let catalog = Catalog::of_manifests(&[("ticketing_sample", GOOD)]).unwrap();
    let provider: &Provider = catalog.find("ticketing_sample").unwrap();
    let seen = Seen { code: Some("invalid_client"), status: Some(401), ..Seen::default() };
    assert_eq!(provider.explain(At::Token, &seen).unwrap().0, Cause::WrongSecret);
    assert_eq!(provider.explain(At::Page, &seen), None);
    let page = Seen { page: Some("Sorry. This Browser Is Not Secure."), ..Seen::default() };
    assert_eq!(provider.explain(At::Page, &page).unwrap().0, Cause::WindowRefused);
    assert_eq!(provider.explain(At::Page, &Seen::default()), None);
}

#[test]
fn routes_are_offered_with_the_reason_of_those_that_cannot_be_gone() {
    let manifest = read(GOOD).unwrap();
    let server = &manifest.server["main"];
    let platform = Platform { window: true, browser: true, hosted: Some("https://p.example/callback") };
    let registered = ["https://p.example/callback".to_owned(), "http://127.0.0.1:7000/callback".to_owned()];
    let order = |registered: &[String], platform: &Platform<'_>| {
        routes(server, &[Flow::Code], registered, platform).into_iter().filter(patchbay_providers::Offer::possible).map(|offer| offer.route).collect::<Vec<_>>()
    };
    assert_eq!(order(&registered, &platform), [ConsentRoute::Browser, ConsentRoute::Link, ConsentRoute::Paste], "its page refuses windows");
    assert_eq!(order(&registered[..1], &platform), [ConsentRoute::Link, ConsentRoute::Paste]);
    assert_eq!(order(&registered, &Platform::default()), [ConsentRoute::Paste]);
    assert_eq!(order(&[], &platform), []);
    let localhost = ["http://localhost:7000/callback".to_owned()];
    assert_eq!(order(&localhost, &platform), [ConsentRoute::Paste], "it takes addresses alone");
    let offers = routes(server, &[Flow::Code], &registered, &platform);
    assert_eq!(offers[0].redirect_uri.as_deref(), Some("http://127.0.0.1:7000/callback"));
    assert!(offers.iter().find(|offer| offer.route == ConsentRoute::Window).unwrap().refused.as_deref().unwrap().contains("embedded browsers"));
    let possible =
        |flows: &[Flow]| routes(server, flows, &registered, &platform).into_iter().filter(patchbay_providers::Offer::possible).map(|offer| offer.route).collect::<Vec<_>>();
    assert_eq!(possible(&[Flow::Code, Flow::Device]), [ConsentRoute::Browser, ConsentRoute::Link, ConsentRoute::Device, ConsentRoute::Paste]);
    assert_eq!(possible(&[Flow::Device]), [ConsentRoute::Device], "there is no page");
}

#[test]
fn manifests_of_an_organization_go_before_the_built_in() {
    let builtin = Catalog::builtin().unwrap();
    let id = |text: &str| ProviderId::parse(text).unwrap();
    let own = |provider: &str, version: &str, text: &str| UserManifest { id: id(provider), version: version.to_owned(), text: text.to_owned() };
    let redmine = include_str!("../../catalog/ticketing_redmine.toml").replace("fullname = \"Redmine\"", "fullname = \"Our Redmine\"");
    let catalog = builtin.overlaid(&[own("ticketing_redmine", "3+abc123.1", &redmine), own("ticketing_sample", "1+abc123.1", GOOD)]).unwrap();
    let ours = catalog.find("ticketing_redmine").unwrap();
    assert_eq!((ours.fullname(), ours.version()), ("Our Redmine", "3+abc123.1"));
    assert_eq!(catalog.version(&id("ticketing_redmine"), "3").unwrap().fullname(), "Redmine", "what is pinned stays");
    assert_eq!(catalog.version(&id("ticketing_redmine"), "2").unwrap().fullname(), "Redmine");
    assert_eq!(catalog.providers().len(), builtin.providers().len() + 1);
    assert!(catalog.providers().is_sorted_by(|a, b| a.id() < b.id()));
    assert_eq!(builtin.find("ticketing_redmine").unwrap().fullname(), "Redmine", "the catalog beneath is as it was");
    for bad in [
        vec![own("ticketing_redmine", "3", &redmine)],
        vec![own("ticketing_sample", "1+a.1", GOOD), own("ticketing_sample", "1+a.2", GOOD)],
        vec![own("ticketing_other", "1+a.1", GOOD)],
        vec![own("ticketing_sample", "1+a.1", &GOOD.replace("[limits]", "[[operation]]\nname = \"list_projects\"\n[limits]"))],
        vec![own("ticketing_sample", "1+a.1", "format = 2")],
    ] {
        assert!(builtin.overlaid(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn sunsets_begin_with_their_day_or_month() {
    let catalog = Catalog::of_manifests(&[("ticketing_sample", GOOD)]).unwrap();
    let provider = catalog.find("ticketing_sample").unwrap();
    assert!(provider.sunsets("2027-01-31T23:59:59Z".parse().unwrap()).is_empty());
    assert_eq!(provider.sunsets("2027-02-01T00:00:00Z".parse().unwrap()).len(), 1);
    assert!(!provider.withdrawn("2030-01-01T00:00:00Z".parse().unwrap()), "a fact ends, not the version");
}

/// The published schema is that of the types. `PATCHBAY_BLESS=1` writes it anew.
#[test]
fn the_published_schema_is_fresh_and_judges_alike() {
    let made = format!("{}\n", serde_json::to_string_pretty(&manifest::json_schema()).unwrap());
    if std::env::var_os("PATCHBAY_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/catalog/manifest.schema.json"), &made).unwrap();
    } else {
        assert_eq!(manifest::JSON_SCHEMA, made, "run with PATCHBAY_BLESS=1");
    }
    let judge = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&manifest::json_schema()).unwrap();
    for text in
        [GOOD, include_str!("../../catalog/ticketing_zendesk.toml"), include_str!("../../catalog/identity_openid.toml"), include_str!("../../catalog/ticketing_redmine.toml")]
    {
        let value: Value = toml::from_str(text).unwrap();
        let errors: Vec<String> = judge.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path)).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut worse = value;
        worse["frob"] = json!(1);
        assert!(!judge.is_valid(&worse));
    }
}

#[test]
fn a_form_shows_what_a_way_needs_beside_its_kind() {
    let text = GOOD.replacen(
        "place = { header = \"X-Key\" }",
        "place = { header = \"X-Key\" }\nconfig = [{ name = \"tenant\", title = \"Tenant\", description = \"Its name.\", default = \"all\", schema = { type = \"string\" } }]",
        1,
    );
    let catalog = Catalog::of_manifests(&[("ticketing_sample", &text)]).unwrap();
    let provider = catalog.find("ticketing_sample").unwrap();
    let accepts = |schema: &Value, value: &Value| jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(schema).unwrap().is_valid(value);
    let app = provider.credential_schema("app").unwrap();
    let entered = |extra: Value| json!({ "type": "app", "client_id": "1", "client_secret": "k", "extra": extra });
    assert!(accepts(&app, &entered(json!({ "installation": "7" }))));
    for bad in [json!({}), json!({ "installation": "" }), json!({ "installation": "7", "other": "x" })] {
        assert!(!accepts(&app, &entered(bad.clone())), "{bad}");
    }
    assert!(!accepts(&app, &json!({ "type": "app", "client_id": "1", "client_secret": "k" })), "what is required inside makes the whole required");
    let settings = provider.settings_schema();
    assert_eq!(settings["properties"]["tenant"]["default"], "all");
    assert!(accepts(&settings, &json!({ "site": "acme", "own": "https://own.example" })), "a property of one way is never required of all");
    assert!(accepts(&settings, &json!({ "site": "acme", "own": "https://own.example", "tenant": "x", "region": "eu" })));
}
