//! kill -9 under write load, of us and of the database server: what was acknowledged is there afterwards, nothing is there by
//! half, and the store is clean.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use patchbay_vault::system_context;
use serde_json::{Value, json};

use crate::bench::{Bench, Server, call};
use crate::cluster::Cluster;

/// Writers at a time.
const WRITERS: u64 = 4;
/// Longest time in which a server that got its database back goes on.
const BACK: Duration = Duration::from_secs(40);

/// Small and repeatable; the quality of randomness that choosing a moment needs (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    /// Between nearly at once and in full swing.
    fn wait(&mut self) {
        std::thread::sleep(Duration::from_millis(20 + self.roll(600)));
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// What became of the requests, as whoever sent them knows it.
#[derive(Default)]
struct Known {
    /// Accounts that were acknowledged, with their ids.
    made: BTreeMap<String, String>,
    /// Accounts whose deletion was acknowledged.
    deleted: HashSet<String>,
    /// Accounts whose deletion was asked for and not answered.
    unsure: HashSet<String>,
    /// Ids of integrations that were acknowledged, with the account of each.
    integrations: BTreeMap<String, String>,
}

/// Writers in full swing.
struct Load {
    known: Arc<Mutex<Known>>,
    /// How many requests were acknowledged.
    acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    writers: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    /// Begins to write. `patient` writers go on when they are not answered, since only the database is gone.
    fn start(server: &Server, token: &str, round: u64, seed: u64, patient: bool, known: &Arc<Mutex<Known>>) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let writers = (0..WRITERS)
            .map(|writer| {
                let writer = Writer {
                    place: format!("r{round}-w{writer}"),
                    address: server.address.clone(),
                    token: token.to_owned(),
                    patient,
                    dice: Dice(seed ^ (round << 8) ^ writer),
                    known: known.clone(),
                    acknowledged: acknowledged.clone(),
                };
                let stop = stop.clone();
                std::thread::spawn(move || writer.write_until(&stop))
            })
            .collect();
        Self { known: known.clone(), acknowledged, stop, writers }
    }

    /// That the writers are answered (again), within the time that a database may take to come back.
    fn goes_on(&self, place: &str) {
        let (before, deadline) = (self.acknowledged.load(Ordering::Relaxed), Instant::now() + BACK);
        while self.acknowledged.load(Ordering::Relaxed) < before + WRITERS {
            assert!(Instant::now() < deadline, "{place}: the database is back, and nothing is acknowledged");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the writing; gives how many requests were acknowledged.
    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.join().unwrap();
        }
        drop(self.known);
        self.acknowledged.load(Ordering::Relaxed)
    }
}

struct Writer {
    place: String,
    address: String,
    token: String,
    patient: bool,
    dice: Dice,
    known: Arc<Mutex<Known>>,
    acknowledged: Arc<AtomicU64>,
}

impl Writer {
    fn write_until(mut self, stop: &AtomicBool) {
        let mut mine: Vec<String> = Vec::new();
        for turn in 0.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let answered = match (self.dice.roll(8), mine.pop()) {
                (0, Some(name)) => self.delete(&name),
                (1 | 2, Some(name)) => {
                    let answered = self.integrate(&name);
                    mine.push(name);
                    answered
                }
                (_, kept) => {
                    mine.extend(kept);
                    let name = format!("{}-{turn}", self.place);
                    let answered = self.make(&name);
                    if answered == Some(true) {
                        mine.push(name);
                    }
                    answered
                }
            };
            match answered {
                Some(true) => {
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                // Busy is an honest answer: nothing was acknowledged, so nothing is expected.
                Some(false) => {}
                None if self.patient => {}
                None => return,
            }
        }
    }

    /// Whether it was acknowledged; nothing when no answer came.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>, done: u16) -> Option<Result<Value, ()>> {
        match call(&self.address, method, path, &self.token, body) {
            Ok((status, answer)) if status == done => Some(Ok(answer)),
            Ok((503, _)) => Some(Err(())),
            // The commit before was not answered, and this is its echo.
            Ok((409, answer)) if self.patient && answer["code"] == "name_taken" => Some(Err(())),
            Ok((status, answer)) => panic!("{}: {method} {path}: {status} {answer}", self.place),
            Err(_) => None,
        }
    }

    fn make(&self, name: &str) -> Option<bool> {
        let answer = self.ask("POST", "/v1/accounts", Some(&json!({ "name": name })), 201)?;
        let Ok(answer) = answer else { return Some(false) };
        let id = answer["result"]["account"]["id"].as_str().or_else(|| answer["result"]["id"].as_str()).unwrap_or_default().to_owned();
        self.known.lock().unwrap().made.insert(name.to_owned(), id);
        Some(true)
    }

    /// An integration with its credential and token: rows of many tables, all of them or none.
    fn integrate(&self, account: &str) -> Option<bool> {
        let body = json!({ "provider_config": { "type": "ticketing_redmine", "url": "https://redmine.example.com", "credential": { "type": "token", "secret": "a secret of the provider" } } });
        let answer = self.ask("POST", &format!("/v1/integrations/{account}"), Some(&body), 201)?;
        let Ok(answer) = answer else { return Some(false) };
        let id = answer["result"]["integration"]["id"].as_str().unwrap().to_owned();
        self.known.lock().unwrap().integrations.insert(id, account.to_owned());
        Some(true)
    }

    fn delete(&self, name: &str) -> Option<bool> {
        self.known.lock().unwrap().unsure.insert(name.to_owned());
        let answer = self.ask("DELETE", &format!("/v1/accounts/{name}"), None, 204)?;
        if answer.is_err() {
            // Even a busy database may have got as far as the commit: what became of it is not known.
            return Some(false);
        }
        let mut known = self.known.lock().unwrap();
        known.unsure.remove(name);
        known.deleted.insert(name.to_owned());
        Some(true)
    }
}

/// Compares the store with what is known of it. `strangers` is how many objects may be there that nobody was told of.
fn compare(bench: &Bench, token: &str, known: &Known, strangers: u64, whole: bool, place: &str) {
    let verified = bench.run(&["store", "verify"]).done().json();
    assert_eq!(verified["clean"], true, "{place}: {verified}");
    let server = bench.serve(&[]);
    let there = listed(&server, token, "/v1/accounts", "name");
    let lost: Vec<&String> = known.made.keys().filter(|name| !there.contains(*name) && !known.deleted.contains(*name) && !known.unsure.contains(*name)).collect();
    assert!(lost.is_empty(), "{place}: {} of {} acknowledged accounts are lost: {lost:?}", lost.len(), known.made.len());
    let undead: Vec<&String> = known.deleted.iter().filter(|name| there.contains(*name)).collect();
    assert!(undead.is_empty(), "{place}: deletions were acknowledged and did not happen: {undead:?}");
    let unasked = there.iter().filter(|name| !known.made.contains_key(*name)).count() as u64;
    assert!(unasked <= strangers, "{place}: {unasked} accounts nobody waited for");

    let integrations = listed(&server, token, "/v1/integrations", "id");
    let lives = |account: &String| !known.deleted.contains(account) && !known.unsure.contains(account);
    let lost: Vec<&String> = known.integrations.iter().filter(|(id, account)| lives(account) && !integrations.contains(*id)).map(|(id, _)| id).collect();
    assert!(lost.is_empty(), "{place}: {} of {} acknowledged integrations are lost: {lost:?}", lost.len(), known.integrations.len());
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0), "{place}");

    // An object without its row in the log, or a row without its object, would be half a change.
    if whole {
        let gone = known.deleted.len() + known.unsure.iter().filter(|name| !there.contains(*name)).count();
        assert_eq!(rows(bench, "accounts.delete"), gone, "{place}: deletions and their rows in the log");
        assert_eq!(rows(bench, "accounts.create"), there.len() + gone, "{place}: accounts and their rows in the log");
    }
}

/// How many rows of an operation the log has.
fn rows(bench: &Bench, operation: &str) -> usize {
    let file = bench.folder.join("audit.jsonl");
    bench.run(&["audit", "export", "--format", "jsonl", "--filter", &format!("operation[eq]{operation}"), "--filter", "status[lt]300", "--to", "audit.jsonl"]).done();
    let count = std::fs::read_to_string(&file).unwrap().lines().count();
    std::fs::remove_file(&file).unwrap();
    count
}

/// Names of all accounts.
pub(crate) fn accounts(bench: &Bench, token: &str) -> HashSet<String> {
    let server = bench.serve(&[]);
    let names = listed(&server, token, "/v1/accounts", "name");
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
    names
}

/// A member of everything in a list, page by page.
fn listed(server: &Server, token: &str, path: &str, member: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut after = String::new();
    loop {
        let (status, page) = server.call("GET", &format!("{path}?limit=1000&order=id[asc]{after}"), token, None).unwrap();
        assert_eq!(status, 200, "{page}");
        let page = page["result"].as_array().unwrap();
        let Some(last) = page.last() else { return found };
        after = format!("&start_after={}", last["id"].as_str().unwrap());
        found.extend(page.iter().filter_map(|row| row[member].as_str().map(ToOwned::to_owned)));
    }
}

/// `PATCHBAY_KILL_SEED`, which decides the moments.
pub(crate) fn seed() -> u64 {
    number("PATCHBAY_KILL_SEED").unwrap_or_else(|| u64::try_from(system_context().now().unix_micros()).unwrap())
}

/// `PATCHBAY_KILL_ROUNDS` (3; `make soak` sets more) and the seed.
#[expect(clippy::print_stderr, reason = "without the seed a run cannot be repeated")]
pub(crate) fn settings(what: &str) -> (u64, u64) {
    let (rounds, seed) = (number("PATCHBAY_KILL_ROUNDS").unwrap_or(3), seed());
    eprintln!("kill -9 of {what}: {rounds} rounds, PATCHBAY_KILL_SEED={seed}");
    (rounds, seed)
}

#[expect(clippy::print_stderr, reason = "the counts say what the run is worth")]
fn told(what: &str, rounds: u64, seed: u64, acknowledged: u64, known: &Known) {
    assert!(acknowledged > 0, "seed {seed}: the load must write something");
    eprintln!(
        "kill -9 of {what}: {rounds} rounds, {acknowledged} acknowledged writes ({} accounts, {} deletions, {} integrations), none lost; seed {seed}",
        known.made.len(),
        known.deleted.len(),
        known.integrations.len()
    );
}

#[test]
fn acknowledged_writes_survive_kill_9() {
    let (rounds, seed) = settings("the program on a file");
    let mut dice = Dice(seed);
    let (bench, made) = Bench::new();
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
    let known = Arc::default();
    let mut acknowledged = 0;
    for round in 0..rounds {
        let server = bench.serve(&[]);
        let load = Load::start(&server, &token, round, seed, false, &known);
        dice.wait();
        server.signal("KILL");
        let place = format!("round {round}, seed {seed}");
        assert_eq!(server.ended().0, None, "{place}: it was killed, it did not end");
        acknowledged += load.end();
        compare(&bench, &token, &known.lock().unwrap(), WRITERS * (round + 1), round % 10 == 9 || round + 1 == rounds, &place);
    }
    told("the program on a file", rounds, seed, acknowledged, &known.lock().unwrap());
}

/// Who is killed in a round.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Victim {
    Us,
    Database,
    Both,
}

#[test]
fn acknowledged_writes_survive_kill_9_of_the_database_server() {
    let (rounds, seed) = settings("the program and of PostgreSQL");
    let mut dice = Dice(seed);
    let mut cluster = Cluster::start(&[]);
    let (_, url) = cluster.database();
    let bench = Bench::elsewhere(url);
    let made = bench.run(&["init", "--organization", "acme"]).done().json();
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
    let known = Arc::default();
    let (mut acknowledged, mut strangers) = (0, 0);
    for round in 0..rounds {
        // Each in turn, so that even a few rounds try all.
        let victim = [Victim::Database, Victim::Us, Victim::Both][usize::try_from(round % 3).unwrap()];
        let place = format!("round {round}, {victim:?}, seed {seed}");
        let server = bench.serve(&[]);
        let load = Load::start(&server, &token, round, seed, victim == Victim::Database, &known);
        dice.wait();
        // What was under way may have been committed and not answered.
        strangers += WRITERS;
        if victim != Victim::Us {
            cluster.kill();
        }
        if victim != Victim::Database {
            server.signal("KILL");
            assert_eq!(server.ended().0, None, "{place}: it was killed, it did not end");
            acknowledged += load.end();
            if victim == Victim::Both {
                cluster.resume();
            }
        } else {
            std::thread::sleep(Duration::from_millis(dice.roll(300)));
            cluster.resume();
            load.goes_on(&place);
            acknowledged += load.end();
            server.signal("TERM");
            assert_eq!(server.ended().0, Some(0), "{place}: it did without its database and ends in good order");
        }
        compare(&bench, &token, &known.lock().unwrap(), strangers, round % 10 == 9 || round + 1 == rounds, &place);
    }
    told("the program and of PostgreSQL", rounds, seed, acknowledged, &known.lock().unwrap());
}
