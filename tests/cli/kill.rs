//! kill -9 under write load: what was acknowledged is there afterwards, and the store is clean.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use patchbay_vault::system_context;
use serde_json::json;

use crate::bench::{Bench, call};

/// Writers at a time.
const WRITERS: usize = 4;

/// Small and repeatable; the quality of randomness that choosing a moment needs (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// `PATCHBAY_KILL_ROUNDS` rounds (3; `make soak` sets 50), at moments that `PATCHBAY_KILL_SEED` decides.
#[test]
fn acknowledged_writes_survive_kill_9() {
    let rounds = number("PATCHBAY_KILL_ROUNDS").unwrap_or(3);
    let seed = number("PATCHBAY_KILL_SEED").unwrap_or_else(|| u64::try_from(system_context().now().unix_micros()).unwrap());
    eprintln!("kill -9: {rounds} rounds, PATCHBAY_KILL_SEED={seed}");
    let mut dice = Dice(seed);
    let (bench, made) = Bench::new();
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
    let mut expected: Vec<String> = Vec::new();
    let mut rounds_with_writes = 0;

    for round in 0..rounds {
        let server = bench.serve(&[]);
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (stop, acknowledged, token, address) = (stop.clone(), acknowledged.clone(), token.clone(), server.address.clone());
                std::thread::spawn(move || {
                    for turn in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let name = format!("r{round}-w{writer}-{turn}");
                        match call(&address, "POST", "/v1/accounts", &token, Some(&json!({ "name": name }))) {
                            Ok((201, _)) => acknowledged.lock().unwrap().push(name),
                            // Busy is an honest answer; the name was not acknowledged, so nothing is expected of it.
                            Ok((503, _)) => {}
                            Ok((status, answer)) => panic!("{name}: {status} {answer}"),
                            Err(_) => return,
                        }
                    }
                })
            })
            .collect();
        // Between nearly at once and in full swing.
        std::thread::sleep(Duration::from_millis(20 + dice.roll(600)));
        server.signal("KILL");
        let (status, _) = server.ended();
        assert_eq!(status, None, "round {round}: it was killed, it did not end");
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.join().unwrap();
        }
        let written = std::mem::take(&mut *acknowledged.lock().unwrap());
        rounds_with_writes += u64::from(!written.is_empty());
        expected.extend(written);

        let verified = bench.run(&["store", "verify"]).done().json();
        assert_eq!(verified["clean"], true, "round {round}, seed {seed}: {verified}");
        let there = accounts(&bench, &token);
        let lost: Vec<&String> = expected.iter().filter(|name| !there.contains(*name)).collect();
        assert!(lost.is_empty(), "round {round}, seed {seed}: {} of {} acknowledged writes are lost: {lost:?}", lost.len(), expected.len());
        // More may be there than was acknowledged: at most one in flight for each writer and round.
        let unasked = there.len() - expected.len();
        assert!(unasked as u64 <= WRITERS as u64 * (round + 1), "round {round}, seed {seed}: {unasked} rows nobody waited for");
    }
    assert!(rounds_with_writes > 0, "seed {seed}: the load must write something");
    eprintln!("kill -9: {} acknowledged writes are all there", expected.len());
}

/// Names of all accounts, page by page.
pub(crate) fn accounts(bench: &Bench, token: &str) -> std::collections::HashSet<String> {
    let server = bench.serve(&[]);
    let mut names = std::collections::HashSet::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/accounts?limit=1000{}", if after.is_empty() { String::new() } else { format!("&start_after={after}") });
        let (status, page) = server.call("GET", &path, token, None).unwrap();
        assert_eq!(status, 200, "{page}");
        let page: Vec<String> = page["result"].as_array().unwrap().iter().filter_map(|account| account["name"].as_str().map(ToOwned::to_owned)).collect();
        match page.last() {
            Some(last) => after = last.clone(),
            None => break,
        }
        names.extend(page);
    }
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
    names
}
