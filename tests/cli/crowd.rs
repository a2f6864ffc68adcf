//! More requests at once than a server has connections to its database, while a stranger holds what some of them want. Each is
//! answered in the end, or told to come back; nothing is made by half, and afterwards all is as before.

use std::io::Write;
use std::process::Child;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::{Server, ask};
use crate::cluster::Cluster;
use crate::connections::{makes_again, store};

/// Several times as many as the twelve connections that a server has.
const CROWD: usize = 60;

/// Who waits longer than this waits for ever: a turn at a connection, twice, and what a lock is waited for, are half a minute.
const FOR_EVER: Duration = Duration::from_secs(120);

/// Somebody else's transaction in the database; it ends when it is let go.
struct Stranger(Child);

impl Stranger {
    /// Runs `statement` in a transaction and holds what it took, a lock of this kind on the accounts.
    fn holding(cluster: &Cluster, database: &str, statement: &str, lock: &str) -> Self {
        let mut child = cluster.psql(database);
        writeln!(child.stdin.as_mut().unwrap(), "SET application_name = 'stranger'; BEGIN; {statement};").unwrap();
        let held = format!(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE application_name = 'stranger' AND mode = '{lock}' AND relation = 'patchbay.accounts'::regclass AND granted"
        );
        while cluster.sql(database, &held) != "1" {
            assert!(child.try_wait().unwrap().is_none(), "{statement}: it ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }

    fn let_go(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// A request, and what came of it.
struct Answered {
    name: String,
    status: u16,
}

/// Sends all at once and waits for every answer. What is refused is refused in words and with a time to come back.
fn all_at_once(server: &Server, token: &str, requests: &[(&str, String, Option<Value>)]) -> Vec<Answered> {
    let starting = std::sync::Barrier::new(requests.len());
    let one = |(method, path, body): &(&str, String, Option<Value>)| {
        starting.wait();
        let (status, head, answer) = ask(&server.address, method, path, token, body.as_ref(), FOR_EVER).unwrap_or_else(|error| panic!("{method} {path} {body:?}: {error}"));
        if status == 503 {
            assert_eq!(answer["code"], "store_busy", "{answer}");
            let wait = head.lines().find_map(|line| line.strip_prefix("retry-after:")).and_then(|text| text.trim().parse::<u32>().ok());
            assert!(wait.is_some_and(|seconds| (1..=60).contains(&seconds)), "when to come back: {head}");
        }
        let name = body.as_ref().and_then(|body| body["name"].as_str()).unwrap_or(path).to_owned();
        assert!([200, 201, 503].contains(&status), "{method} {path}: {status} {answer}");
        Answered { name, status }
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = requests.iter().map(|request| scope.spawn(|| one(request))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn names(server: &Server, token: &str) -> Vec<String> {
    let (status, page) = server.call("GET", "/v1/accounts?limit=1000", token, None).unwrap();
    assert_eq!(status, 200, "{page}");
    page["result"].as_array().unwrap().iter().map(|account| account["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_crowd_is_answered_whatever_it_waits_for() {
    let cluster = Cluster::start(&[]);
    let (bench, token, database) = store(&cluster);
    let server = bench.serve(&[]);
    let (status, answer) = server.call("POST", "/v1/accounts", &token, Some(&json!({ "name": "held" }))).unwrap();
    assert_eq!(status, 201, "{answer}");
    let mut made = vec!["held".to_owned()];
    let create = |round: &str, number: usize| ("POST", "/v1/accounts".to_owned(), Some(json!({ "name": format!("{round}-{number}") })));
    let change = |number: usize| ("PUT", "/v1/accounts/held".to_owned(), Some(json!({ "fullname": format!("Changed {number}"), "environment": "prod" })));
    let list = || ("GET", "/v1/accounts?limit=10".to_owned(), None);

    // A row is held: who wants it waits with a connection in hand, and so few are left for all the others.
    let stranger = Stranger::holding(&cluster, &database, "SELECT id FROM patchbay.accounts WHERE name = 'held' FOR UPDATE", "RowShareLock");
    let crowd: Vec<_> = (0..CROWD)
        .map(|number| {
            if number < 5 {
                change(number)
            } else if number % 3 == 0 {
                list()
            } else {
                create("row", number)
            }
        })
        .collect();
    let answers = all_at_once(&server, &token, &crowd);
    assert!(answers[..5].iter().all(|answer| answer.status == 503), "nobody goes past the lock");
    made.extend(answers.iter().filter(|answer| answer.status == 201).map(|answer| answer.name.clone()));
    assert!(made.len() > 1 && answers.iter().any(|answer| answer.status == 200), "a row that is held does not hold up everybody");
    stranger.let_go();

    // The whole table is held: nobody gets through, and each is told so.
    let stranger = Stranger::holding(&cluster, &database, "LOCK TABLE patchbay.accounts IN ACCESS EXCLUSIVE MODE", "AccessExclusiveLock");
    let crowd: Vec<_> = (0..CROWD).map(|number| if number % 3 == 0 { list() } else { create("table", number) }).collect();
    let answers = std::thread::scope(|scope| {
        let crowd = scope.spawn(|| all_at_once(&server, &token, &crowd));
        assert_eq!(server.call("GET", "/healthz", "", None).unwrap().0, 200, "it lives");
        crowd.join().unwrap()
    });
    assert!(answers.iter().all(|answer| answer.status == 503), "nobody goes past the lock");
    stranger.let_go();

    // Nothing of it is left: no transaction lies open, and what was told is what is there.
    makes_again(&server, &token, "afterwards");
    made.push("afterwards".to_owned());
    let crowd: Vec<_> = (0..CROWD).map(|number| if number % 2 == 0 { list() } else { create("free", number) }).collect();
    let answers = all_at_once(&server, &token, &crowd);
    assert!(answers.iter().filter(|answer| answer.status == 503).count() < CROWD / 10, "with nothing in the way hardly anybody is sent away");
    made.extend(answers.iter().filter(|answer| answer.status == 201).map(|answer| answer.name.clone()));
    made.sort();
    assert_eq!(names(&server, &token), made, "what was refused did not happen, and what was acknowledged did");
    let (status, log) = server.call("GET", "/v1/audit/organizations?limit=1000&filter=operation%5Beq%5Daccounts.create", &token, None).unwrap();
    let done = log["result"].as_array().unwrap().iter().filter(|row| row["code"] == "201").count();
    assert_eq!((status, done), (200, made.len()), "each has its row in the log");
    let open = cluster.sql(&database, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'patchbay' AND state LIKE 'idle in transaction%'");
    assert_eq!(open, "0", "no transaction was left open");
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
    assert_eq!(bench.run(&["store", "verify"]).done().json()["clean"], true);
}
