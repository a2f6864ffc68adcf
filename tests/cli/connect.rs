//! `patchbay connect`: a consent from the terminal, at a provider that is played in this process.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::sync::Arc;

use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::integration::{self, CreateIntegration};
use patchbay_engine::provider_app::{self, CreateProviderApp};
use patchbay_engine::{account, account::CreateAccount};
use patchbay_model::{Origin, Secret};
use patchbay_providers::sample_config;
use patchbay_server::Simulated;
use patchbay_simulator::{Fault, FaultOrder, Simulator};
use patchbay_vault::{KeyAccess, KeySource, system_context};
use serde_json::{Value, json};

use crate::bench::{Bench, Said, program};

const PROVIDER: &str = "custom_acme";
const MANIFEST: &str = include_str!("../../src-tauri/crates/providers/tests/fixtures/manifest/custom_acme.toml");

/// A store of samples with an integration at a provider of its own.
async fn prepared(bench: &Bench) -> (Simulator, Simulated) {
    prepared_at(bench, PROVIDER, "http://127.0.0.1:8085/oauth/callback").await
}

/// The same with this provider.
async fn prepared_at(bench: &Bench, id: &str, redirect_uri: &str) -> (Simulator, Simulated) {
    let store = StoreUrl::Sqlite(bench.store());
    let keys = KeyAccess::from(KeySource::File(bench.key()));
    let (engine, created) = installation::create_sample(&store, &keys, system_context()).await.unwrap();
    let grant = engine.local_grant(created.organization.id, Origin::Cli).await.unwrap();
    patchbay_engine::manifest_entry::add(&engine, &grant, MANIFEST).await.unwrap();
    let provider = Arc::clone(engine.catalog_for(&grant).await.unwrap().find(id).unwrap());
    let simulator = Simulator::of(std::slice::from_ref(&provider), system_context());
    let setup = simulator.setup(provider.id()).unwrap();
    let app = CreateProviderApp {
        name: Some("ours".to_owned()),
        fullname: None,
        provider: id.to_owned(),
        issuer: None,
        client_id: setup.client_id,
        client_secret: Some(Secret::new(setup.client_secret)),
        redirect_uris: vec![redirect_uri.to_owned()],
        scopes: Vec::new(),
        secret_expires: None,
    };
    provider_app::create(&engine, &grant, app).await.unwrap();
    account::create(&engine, &grant, CreateAccount { name: Some("globex".to_owned()), ..CreateAccount::default() }).await.unwrap();
    let mut config = sample_config(provider.manifest());
    config.insert("type".to_owned(), id.into());
    config.insert("credential".to_owned(), json!({ "type": "o_auth_user" }));
    let new = CreateIntegration { name: Some("desk".to_owned()), provider_config: Value::Object(config), ..CreateIntegration::default() };
    integration::create(&engine, &grant, "globex", new).await.unwrap();
    engine.shutdown().await;
    let simulated = Simulated::start(simulator.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    (simulator, simulated)
}

fn words(bench: &Bench, words: &[&str]) -> std::process::Command {
    let mut program = program();
    program.args(words).args(["--store", &format!("sqlite:{}", bench.store().display()), "--key-source", &format!("file:{}", bench.key().display())]);
    program
}

/// The head of what is answered at an address of this computer.
fn get(url: &url::Url, cookie: &str) -> String {
    use std::io::Write;
    let address = url.socket_addrs(|| None).unwrap();
    let mut stream = std::net::TcpStream::connect(&address[..]).unwrap();
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    write!(stream, "GET {target} HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_waited_for_and_its_outcome_said() {
    let bench = Bench::empty();
    let (simulator, simulated) = prepared(&bench).await;
    let rehearse = format!("http://{}", simulated.address());
    for agrees in [false, true] {
        let mut child = words(&bench, &["connect", "--integration", "globex/desk", "--rehearse", &rehearse, "--proof", "--output", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let start: url::Url = told["open"].as_str().unwrap().parse().unwrap();
        let set_out = tokio::task::spawn_blocking(move || get(&start, "")).await.unwrap();
        let page: url::Url = header(&set_out, "location").parse().unwrap();
        let cookie = header(&set_out, "set-cookie").split(';').next().unwrap().to_owned();
        let back = simulator.consent(&page, agrees).unwrap();
        let arrived = tokio::task::spawn_blocking(move || get(&back, &cookie)).await.unwrap();
        assert!(arrived.starts_with("HTTP/1.1 200"), "{arrived}");
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        let status = child.wait().unwrap();
        let ended: Value = serde_json::from_str(rest.trim()).unwrap_or_else(|error| panic!("{error}: {rest}"));
        if agrees {
            assert_eq!((status.code(), ended["session"]["state"].as_str()), (Some(0), Some("completed")), "{ended}");
            assert!(ended["proof"].is_array(), "{ended}");
        } else {
            assert_eq!((status.code(), ended["problem"]["code"].as_str()), (Some(1), Some("consent_denied")), "{ended}");
        }
    }
}

/// A consent up to its end, with these arguments beside: the exit status, and what was said.
async fn connected(bench: &Bench, simulator: &Simulator, rehearse: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let mut child = words(bench, &["connect", "--integration", "globex/desk", "--rehearse", rehearse, "--output", "json"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let start: url::Url = told["open"].as_str().unwrap().parse().unwrap();
    let set_out = tokio::task::spawn_blocking(move || get(&start, "")).await.unwrap();
    let page: url::Url = header(&set_out, "location").parse().unwrap();
    let cookie = header(&set_out, "set-cookie").split(';').next().unwrap().to_owned();
    let back = simulator.consent(&page, true).unwrap();
    tokio::task::spawn_blocking(move || get(&back, &cookie)).await.unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let status = child.wait().unwrap();
    (status.code(), serde_json::from_str(rest.trim()).unwrap_or_else(|error| panic!("{error}: {rest}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_places_one_is_named() {
    let bench = Bench::empty();
    let (simulator, simulated) = prepared_at(&bench, "accounting_xero", "http://localhost:8085/oauth/callback").await;
    let rehearse = format!("http://{}", simulated.address());
    simulator.order(FaultOrder::once(Fault::Places { count: 2 }));
    for arguments in [[].as_slice(), &["--place", "Nobody Ltd"]] {
        let (status, told) = connected(&bench, &simulator, &rehearse, arguments).await;
        let message = told["problem"]["message"].as_str().unwrap_or_default();
        assert!(status == Some(1) && message.contains("sim-name-2 (sim-tenant-2)") && message.contains("cancelled"), "{told}");
    }
    let (status, told) = connected(&bench, &simulator, &rehearse, &["--place", "sim-name"]).await;
    assert_eq!((status, told["session"]["state"].as_str()), (Some(0), Some("completed")), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_made_listed_and_taken_back() {
    let bench = Bench::empty();
    let (_simulator, _simulated) = prepared(&bench).await;
    let run = |arguments: &[&str]| Said::of(words(&bench, arguments).args(["--output", "json"]).output().unwrap());
    let made = run(&["connect", "link", "create", "--account", "globex", "--integration", "desk", "--ttl", "24h"]);
    assert_eq!(made.status, 0, "{}", made.err);
    let made: Value = serde_json::from_str(&made.out).unwrap();
    assert!(made["url"].as_str().unwrap().contains("/connect/pbc_") && made.get("qr").is_none(), "{made}");
    let listed: Value = serde_json::from_str(&run(&["connect", "link", "list"]).out).unwrap();
    assert_eq!((listed["links"][0]["id"].as_str(), listed["links"][0]["state"].as_str()), (made["id"].as_str(), Some("live")));
    let revoked = run(&["connect", "link", "revoke", made["id"].as_str().unwrap()]);
    assert_eq!(revoked.status, 0, "{}", revoked.err);
    assert_eq!(Said::of(program().args(["connect"]).output().unwrap()).status, 64);
    assert_eq!(Said::of(program().args(["connect", "link", "create", "--account", "x"]).output().unwrap()).status, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_is_added_and_withdrawn() {
    let bench = Bench::empty();
    let (_simulator, _simulated) = prepared(&bench).await;
    let file = bench.folder.join("custom_other.toml");
    let path = file.display().to_string();
    std::fs::write(&file, MANIFEST.replacen("custom_acme", "custom_other", 1)).unwrap();
    let run = |arguments: &[&str]| Said::of(words(&bench, arguments).output().unwrap());
    let tried = run(&["catalog", "add", &path, "--dry-run"]);
    assert!(tried.status == 0 && tried.out.contains("To login.acme.example") && tried.out.contains("Nothing was added."), "{} {}", tried.out, tried.err);
    let added = run(&["catalog", "add", &path]);
    assert!(added.status == 0 && added.out.contains("Added: new integrations of custom_other"), "{} {}", added.out, added.err);
    let gone = run(&["catalog", "withdraw", "custom_other"]);
    assert!(gone.status == 0 && gone.out.contains("Withdrawn"), "{} {}", gone.out, gone.err);
    std::fs::write(&file, "format = 2\nid = 7\n").unwrap();
    let broken = run(&["catalog", "add", &path]);
    assert!(broken.status == 1 && broken.out.contains("custom_other.toml:2:"), "{} {}", broken.out, broken.err);
}
