//! A store in PostgreSQL whose server goes away, is slow, full, read-only, or not the one that it should be. Each has its
//! words, in bounded time; nothing is left by half, and nothing has to be started anew when the trouble is over.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::bench::{Bench, Said, Server};
use crate::cluster::Cluster;
use crate::full::library;

/// Longest time for any answer while the database is not well: a connection is waited for ten seconds, and then asked why.
const ANSWER: Duration = Duration::from_secs(25);
/// Longest time until a server works again when its database does.
const BACK: Duration = Duration::from_secs(40);

/// A store with an organization in a database of the cluster, the token of it, and the database's name.
pub(crate) fn store(cluster: &Cluster) -> (Bench, String, String) {
    let (name, url) = cluster.database();
    let bench = Bench::elsewhere(url);
    let made = bench.run(&["init", "--organization", "acme"]).done().json();
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
    (bench, token, name)
}

fn make(server: &Server, token: &str, name: &str) -> (u16, Value) {
    let begun = Instant::now();
    let answer = server.call("POST", "/v1/accounts", token, Some(&json!({ "name": name }))).unwrap();
    assert!(begun.elapsed() < ANSWER, "{name}: it took {:?}", begun.elapsed());
    answer
}

/// Makes an account as soon as that is possible again.
pub(crate) fn makes_again(server: &Server, token: &str, name: &str) {
    let deadline = Instant::now() + BACK;
    loop {
        match make(server, token, name) {
            (201, _) => return,
            (status, answer) => assert!(status == 503 && Instant::now() < deadline, "{name}: {status} {answer}"),
        }
    }
}

fn count(server: &Server, token: &str) -> usize {
    let (status, page) = server.call("GET", "/v1/accounts?limit=1000", token, None).unwrap();
    assert_eq!(status, 200, "{page}");
    page["result"].as_array().unwrap().len()
}

#[test]
fn a_database_that_goes_away_and_comes_back_needs_no_restart() {
    let mut cluster = Cluster::start(&[]);
    let (bench, token, name) = store(&cluster);
    let server = bench.serve(&[]);
    for round in 0..2 {
        // Many at once, so that many connections lie idle when the server goes.
        std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8).map(|number| (&server, &token, format!("before-{round}-{number}"))).collect();
            for (server, token, name) in calls {
                scope.spawn(move || assert_eq!(make(server, token, &name).0, 201, "{name}"));
            }
        });
        if round == 0 {
            cluster.stop()
        } else {
            cluster.kill()
        }
        let (status, answer) = make(&server, &token, "meanwhile");
        assert_eq!((status, answer["code"].as_str()), (503, Some("store_busy")), "{answer}");
        assert!(answer["message"].as_str().unwrap().contains("cannot be reached"), "{answer}");
        // SDKs wait as long as they are told.
        let mut stream = TcpStream::connect(&server.address).unwrap();
        write!(stream, "GET /v1/accounts HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n", server.address).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 503") && text.to_lowercase().contains("\r\nretry-after: "), "{text}");
        assert_eq!(server.call("GET", "/healthz", "", None).unwrap().0, 200, "it lives");
        cluster.resume();
        makes_again(&server, &token, &format!("after-{round}"));
        assert_eq!(count(&server, &token), 9 * (round + 1), "what was refused did not happen");
    }

    // A command on a database that is not there says so, and soon.
    cluster.stop();
    let begun = Instant::now();
    let said = bench.run(&["token", "list"]).refused("store_busy");
    assert!(said.err.contains("cannot be reached") && begun.elapsed() < ANSWER, "{}", said.err);
    cluster.resume();

    // Somebody holds the table: waited for a bounded time, refused, and over when he lets go.
    let mut holder = cluster.psql(&name);
    writeln!(holder.stdin.as_mut().unwrap(), "BEGIN; LOCK TABLE patchbay.accounts IN ACCESS EXCLUSIVE MODE; SELECT 'held';").unwrap();
    while cluster.sql(&name, "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'patchbay.accounts'::regclass AND granted") != "1" {
        std::thread::sleep(Duration::from_millis(20));
    }
    let (status, answer) = make(&server, &token, "held");
    assert_eq!((status, answer["code"].as_str()), (503, Some("store_busy")), "{answer}");
    drop(holder.stdin.take());
    holder.wait().unwrap();
    makes_again(&server, &token, "released");

    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
    assert_eq!(bench.run(&["store", "verify"]).done().json()["clean"], true);
}

#[test]
fn a_database_that_can_only_be_read_is_read() {
    let mut cluster = Cluster::start(&[]);
    let (bench, token, name) = store(&cluster);
    let server = bench.serve(&[]);
    assert_eq!(make(&server, &token, "before").0, 201);
    // As a standby answers, and a database that its administrator has set so.
    cluster.sql("postgres", &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    cluster.stop();
    cluster.resume();
    let deadline = Instant::now() + BACK;
    while server.call("GET", "/v1/accounts", &token, None).unwrap().0 != 200 {
        assert!(Instant::now() < deadline, "reading goes on");
    }
    assert_eq!(count(&server, &token), 1);
    // What a connection asks for itself would count more than what the database says; a standby would not have it.
    let (status, answer) = make(&server, &token, "refused");
    assert_eq!((status, answer["code"].as_str()), (503, Some("store_read_only")), "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("standby"), "{answer}");
    let said = bench.run(&["init", "--organization", "globex"]).refused("store_read_only");
    assert!(said.err.contains("standby"), "{}", said.err);
    cluster.sql("postgres", &format!("ALTER DATABASE {name} RESET default_transaction_read_only"));
    cluster.stop();
    cluster.resume();
    makes_again(&server, &token, "after");
    assert_eq!(count(&server, &token), 2);
}

#[test]
fn a_database_server_without_room_loses_nothing() {
    let switch = std::env::temp_dir().join(format!("patchbay-full-{}", patchbay_vault::system_context().new_uuid()));
    let cluster = Cluster::start_on(&[], Some((library(), &switch)));
    let (bench, token, name) = store(&cluster);
    let server = bench.serve(&[]);
    let mut made = 0;
    for round in 0..2 {
        for number in 0..5 {
            assert_eq!(make(&server, &token, &format!("before-{round}-{number}")).0, 201);
            made += 1;
        }
        std::fs::write(&switch, "").unwrap();
        let mut refused = None;
        for number in 0..2000 {
            match make(&server, &token, &format!("full-{round}-{number}")) {
                (201, _) => made += 1,
                other => {
                    refused = Some(other);
                    break;
                }
            }
        }
        let (status, answer) = refused.expect("the disk has an end");
        assert_eq!((status, answer["code"].as_str()), (503, Some("store_read_only")), "{answer}");
        assert!(answer["message"].as_str().unwrap().contains("full"), "{answer}");
        assert_eq!(count(&server, &token), made, "reading goes on, and nothing is there by half");
        std::fs::remove_file(&switch).unwrap();
        makes_again(&server, &token, &format!("after-{round}"));
        made += 1;
    }
    assert_eq!(count(&server, &token), made);
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
    assert_eq!(bench.run(&["store", "verify"]).done().json()["clean"], true);
    assert_eq!(cluster.sql(&name, "SELECT count(*) FROM patchbay.accounts"), made.to_string());
}

/// A certificate authority with a certificate for one host, as files in PEM.
struct Papers {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

fn papers(folder: &Path, word: &str, host: &str) -> Papers {
    let pem = |name: &str, kind: &str, der: &[u8]| {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let path = folder.join(format!("{word}-{name}.pem"));
        std::fs::write(&path, format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))).unwrap();
        path
    };
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &rcgen::Issuer::from_params(&params, &authority_key)).unwrap();
    Papers {
        authority: pem("authority", "CERTIFICATE", authority.der()),
        certificate: pem("certificate", "CERTIFICATE", certificate.der()),
        key: pem("key", "PRIVATE KEY", key.serialized_der()),
    }
}

#[test]
fn a_server_has_to_prove_that_it_is_the_one() {
    // Not one of the names of this machine for which an address may do without.
    let host = "127.0.0.2";
    let mut cluster = Cluster::start(&[("listen_addresses", "127.0.0.1,127.0.0.2")]);
    let (_, url) = cluster.database();
    let bench = Bench::empty();
    let (good, wrong) = (papers(&bench.folder, "good", host), papers(&bench.folder, "wrong", "db.example.com"));
    cluster.show_certificate(&good.certificate, &good.key);
    let at = |query: &str| format!("{}{query}", url.replace("127.0.0.1", host));
    let rooted = |papers: &Papers| format!("sslrootcert={}", papers.authority.display());
    let init = |url: &str| Said::of(bench.at(&["init", "--organization", "acme"], url, &bench.key()).output().unwrap());

    // Verified although the address says nothing of TLS; and nobody vouches for this authority.
    let said = init(&at("")).refused("store_untrusted");
    assert!(said.err.contains("certificate") && !said.err.contains("an-owners-password"), "{}", said.err);
    init(&at(&format!("?{}", rooted(&wrong)))).refused("store_untrusted");
    // The environment does not weaken what the address does not.
    let mut weakened = bench.at(&["init", "--organization", "acme"], &at(""), &bench.key());
    Said::of(weakened.env("PGSSLMODE", "disable").output().unwrap()).refused("store_untrusted");
    assert!(cluster.sql("store_0", "SELECT count(*) FROM pg_namespace WHERE nspname = 'patchbay'") == "0", "nothing was made");
    init(&at(&format!("?{}", rooted(&good)))).done();

    // The right authority, and the certificate of another host.
    let strangers = {
        let folder = &bench.folder;
        papers(folder, "stranger", "db.example.com")
    };
    cluster.show_certificate(&strangers.certificate, &strangers.key);
    let list = |query: &str| Said::of(bench.at(&["token", "list"], &at(query), &bench.key()).output().unwrap());
    list(&format!("?{}", rooted(&strangers))).refused("store_untrusted");
    // Weaker only because the address says so: the authority without the host, and neither.
    list(&format!("?sslmode=verify-ca&{}", rooted(&strangers))).done();
    list(&format!("?sslmode=verify-ca&{}", rooted(&good))).refused("store_untrusted");
    list("?sslmode=require").done();
}
