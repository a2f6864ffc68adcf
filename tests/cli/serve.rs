//! `serve`: starts, answers, stops in order.

use serde_json::json;

use crate::bench::{Bench, Said};

fn access(made: &serde_json::Value) -> String {
    made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned()
}

#[test]
fn serve_starts_answers_and_stops_on_a_signal() {
    let (bench, made) = Bench::new();
    for signal in ["TERM", "INT"] {
        let server = bench.serve(&[]);
        assert_eq!(server.call("GET", "/healthz", "", None).unwrap().0, 200);
        let (status, answer) = server.call("GET", "/v1/organization", &access(&made), None).unwrap();
        assert_eq!((status, &answer["result"]["id"]), (200, &made["organization"]["id"]), "{answer}");
        assert_eq!(server.call("GET", "/v1/organization", "", None).unwrap().0, 401);
        let address = server.address.clone();
        server.signal(signal);
        let (status, errors) = server.ended();
        assert_eq!(status, Some(0), "SIG{signal} is an orderly end:\n{errors}");
        assert!(errors.contains(&format!("listening on http://{address}")), "the address is on standard error:\n{errors}");
        assert!(!errors.contains(&access(&made)), "no token is in the log:\n{errors}");
        assert!(std::net::TcpStream::connect(&address).is_err(), "the port is free again");
    }
    bench.run(&["store", "verify"]).done();
}

#[test]
fn serve_waits_to_be_noticed_unless_it_is_asked_twice() {
    let (bench, made) = Bench::new();
    let server = crate::bench::Server::start(bench.command(&["serve", "--listen", "127.0.0.1:0", "--drain", "3600"]));
    assert_eq!(server.call("GET", "/readyz", "", None).unwrap().0, 200);
    server.signal("TERM");
    while server.call("GET", "/readyz", "", None).unwrap().0 == 200 {
        std::thread::yield_now();
    }
    let (status, answer) = server.call("POST", "/v1/accounts", &access(&made), Some(&json!({ "name": "late" }))).unwrap();
    assert_eq!(status, 201, "requests are taken until those in front have noticed: {answer}");
    server.signal("TERM");
    let (status, errors) = server.ended();
    assert_eq!(status, Some(0), "nothing was cut off:\n{errors}");
    assert!(errors.contains("asked to end"), "{errors}");
    bench.run(&["store", "verify"]).done();
}

#[test]
fn plain_http_stays_on_loopback_or_behind_a_proxy() {
    let (bench, _) = Bench::new();
    let said = bench.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(said.status, 64);
    for way_out in ["--tls-cert", "--trusted-proxy", "127.0.0.1"] {
        assert!(said.err.contains(way_out), "the sentence names {way_out}: {}", said.err);
    }
    let server = bench.serve(&["--trusted-proxy", "10.0.0.0/8"]);
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
}

#[test]
fn providers_are_played_for_samples_alone() {
    let mut command = crate::bench::program();
    command.args(["simulate", "--provider", "ticketing_jira", "--fault", "{\"fault\":\"outage\",\"seconds\":60}", "--output", "json"]);
    let simulator = crate::bench::Server::start(command);
    let (status, rows) = simulator.call("GET", "/-/providers", "", None).unwrap();
    assert_eq!((status, &rows[0]["id"]), (200, &json!("ticketing_jira")), "{rows}");

    let (bench, _) = Bench::new();
    let url = format!("http://{}", simulator.address);
    let said = bench.run(&["serve", "--listen", "127.0.0.1:0", "--rehearse", &url]).refused("invalid_request");
    assert!(said.err.contains("not a sample"), "{}", said.err);
    let said = bench.run(&["serve", "--listen", "127.0.0.1:0", "--rehearse", "https://example.com"]);
    assert_eq!(said.status, 64, "{}", said.err);
    let sample = Bench::empty();
    let made = sample.run(&["init", "--sample"]).done().json();
    let server = sample.serve(&["--rehearse", &url]);
    assert_eq!(server.call("GET", "/v1/organization", &access(&made), None).unwrap().0, 200);
    server.signal("INT");
    assert_eq!(server.ended().0, Some(0));
    simulator.signal("INT");
    let (status, errors) = simulator.ended();
    assert_eq!(status, Some(0), "{errors}");
}

#[test]
fn whoever_simulates_by_hand_is_told_where_and_as_whom_at_once() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let mut child = crate::bench::program().args(["simulate", "--provider", "ticketing_jira"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // It goes on after that, so the last line that is awaited must have left before its end.
    let last = "  https://patchbay.sim.invalid/oauth/callback";
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told = Vec::new();
    while told.last().is_none_or(|line| line != last) {
        told.push(lines.next().expect("it ended before it had told everything"));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let told = told.join("\n");
    for word in ["listen on http://127.0.0.1:", "sim_client_ticketing_jira", "sim_secret_ticketing_jira", "https://example.atlassian.net", "ada@example.com"] {
        assert!(told.contains(word), "{word} is told: {told}");
    }
}

#[test]
fn a_port_in_use_is_told() {
    let (bench, _) = Bench::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = Said::of(bench.command(&["serve", "--listen", &address]).output().unwrap());
    assert_eq!(said.status, 1, "{}", said.err);
    assert!(said.err.contains(&address) && said.err.contains("choose another port"), "{}", said.err);
}

#[test]
fn a_certificate_that_cannot_be_read_is_told() {
    let (bench, _) = Bench::new();
    std::fs::write(bench.folder.join("cert.pem"), "no certificate").unwrap();
    std::fs::write(bench.folder.join("key.pem"), "no key").unwrap();
    let said = bench.run(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    assert_eq!(said.status, 1, "{}", said.err);
    assert!(said.err.contains("cert.pem"), "{}", said.err);
    let said = bench.run(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", "none.pem", "--tls-key", "key.pem"]);
    assert!(said.status == 1 && said.err.contains("none.pem"), "{}", said.err);
}

#[test]
fn two_processes_work_on_one_store() {
    let (bench, made) = Bench::new();
    let one = bench.serve(&[]);
    let two = bench.serve(&[]);
    let token = access(&made);
    for (server, name) in [(&one, "first"), (&two, "second")] {
        let (status, answer) = server.call("POST", "/v1/accounts", &token, Some(&json!({ "name": name }))).unwrap();
        assert_eq!(status, 201, "{answer}");
    }
    for server in [&one, &two] {
        let (_, answer) = server.call("GET", "/v1/accounts", &token, None).unwrap();
        let names: Vec<&str> = answer["result"].as_array().unwrap().iter().filter_map(|account| account["name"].as_str()).collect();
        assert_eq!(names, ["first", "second"], "each sees what the other wrote");
    }
    bench.run(&["store", "verify"]).done();
}

#[test]
fn a_setup_link_signs_in_once() {
    let (bench, _) = Bench::new();
    let server = bench.serve(&["--setup-link"]);
    std::thread::sleep(std::time::Duration::from_millis(200));
    let address = server.address.clone();
    server.signal("TERM");
    let (_, errors) = server.ended();
    let link = errors.split_whitespace().find(|word| word.contains("pbk_")).unwrap_or_else(|| panic!("a link is on standard error:\n{errors}"));
    assert!(link.starts_with(&format!("http://{address}/")), "{link}");
    let secret = &link[link.find("pbk_").unwrap()..];

    let server = bench.serve(&[]);
    let redeem = || server.call("POST", "/session", "", Some(&json!({ "setup": secret }))).unwrap();
    let (first, answer) = redeem();
    assert!(matches!(first, 200 | 201 | 204), "{first} {answer}");
    assert_eq!(redeem().0, 401, "the second time it is nothing");
}

/// Certificate by openssl and client by curl, both of which Debian's ca-certificates and the set-up bring along.
#[test]
fn https_is_served_with_a_certificate_and_plain_http_is_not() {
    use std::process::{Command, Stdio};
    let (bench, made) = Bench::new();
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1";
    let status =
        Command::new("openssl").args(request.split(' ')).current_dir(&bench.folder).stderr(Stdio::null()).status().expect("openssl must be installed (Debian package openssl)");
    assert!(status.success());
    let command = bench.command(&["serve", "--listen", "0.0.0.0:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let server = crate::bench::Server::start(command);
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    let ask = |scheme: &str| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--cacert"]).arg(bench.folder.join("cert.pem"));
        curl.args(["--config", "-", &format!("{scheme}://127.0.0.1:{port}/v1/organization")]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = curl.spawn().expect("curl must be installed (Debian package curl)");
        // The token goes by standard input: arguments can be seen by every user of the machine.
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("header = \"Authorization: Bearer {}\"\n", access(&made)).as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let answer = ask("https");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let body: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(body["result"]["name"], "acme");
    assert!(!ask("http").status.success(), "plain HTTP has no answer here");
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
}
