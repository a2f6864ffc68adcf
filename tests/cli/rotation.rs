//! Rotations of keys that are cut short, in a file and in PostgreSQL: by kill -9 of the program and of the database server, and
//! by disks without room. Whatever the moment, the store opens, every sealed value opens, no key is lost, and the next
//! rotation goes on from there.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::{Bench, Said};
use crate::cluster::Cluster;
use crate::full::{ERRORS, FULL, cases, copy, library, on_disk, operations, points, told};
use crate::keys::{clean, filled, filled_at, status};
use crate::kill::{Dice, seed, settings};

/// Sealed values in each store.
const VALUES: usize = 60;

/// Stores that are worked on in turn: when it is one's turn again, the lease of the rotation that was cut short there has ended
/// (20 s). Whoever goes on sooner waits for it.
const STORES: u64 = 8;

/// Longest time in which a rotation ends whose database server was killed and is there again.
const ENDS: Duration = Duration::from_secs(60);

/// What is rotated.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Which {
    Data,
    Master,
    Both,
}

const EACH: [Which; 3] = [Which::Data, Which::Master, Which::Both];

impl Which {
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Data => &["key", "rotate", "--data"],
            Self::Master => &["key", "rotate", "--master"],
            Self::Both => &["key", "rotate"],
        }
    }

    /// How many lines it tells while there is still something to do.
    fn lines(self) -> u64 {
        match self {
            Self::Data => 2,
            Self::Master => 1,
            Self::Both => 3,
        }
    }
}

/// A store whose rotations are cut short.
struct Store {
    bench: Bench,
    /// Every master key that its key file has held.
    keys: BTreeSet<String>,
    /// How often a rotation was found half-way.
    half_way: u64,
}

impl Store {
    fn of(bench: Bench) -> Self {
        Self { bench, keys: BTreeSet::new(), half_way: 0 }
    }

    /// What holds at every moment.
    fn holds(&mut self, place: &str) -> Value {
        let now = status(&self.bench);
        assert_eq!((&now["opens"], &now["values"]), (&json!(true), &json!(VALUES)), "{place}: {now}");
        for keys in ["data_keys", "database_keys"] {
            let count = now[keys].as_array().unwrap().len();
            assert!(count <= 2, "{place}: besides the active one there is at most the one before: {now}");
        }
        self.half_way += u64::from(now["rotation"].is_object() || now["master"]["pending"].is_object());
        clean(&self.bench, VALUES);
        // What opens copies and backups of before is still there.
        self.keys.insert(std::fs::read_to_string(self.bench.key()).unwrap());
        let files = std::fs::read_dir(&self.bench.folder).unwrap().map(|entry| entry.unwrap());
        let kept: BTreeSet<String> = files
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("key"))
            .map(|entry| String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned())
            .collect();
        assert!(self.keys.is_subset(&kept), "{place}: {} of {} master keys are lost", self.keys.difference(&kept).count(), self.keys.len());
        now
    }

    /// Goes on to the end.
    fn finish(&mut self, place: &str) {
        self.bench.run(Which::Both.words()).done();
        let now = self.holds(place);
        let count = |keys: &str| now[keys].as_array().unwrap().len();
        let whole = count("data_keys") == 1 && count("database_keys") <= 1 && now["rotation"].is_null() && now["master"]["pending"].is_null();
        assert!(whole, "{place}: {now}");
    }
}

/// A rotation under way, at a moment that the dice choose: a while after it began, or after something that it has told.
fn under_way(bench: &Bench, which: Which, dice: &mut Dice) -> Child {
    let mut child = bench.command(which.words()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut longest = 400;
    for _ in 0..dice.roll(which.lines() + 1) {
        match lines.next() {
            // A database is given its next key, and every server the time to hear of it.
            Some(line) if line.starts_with("Rotating the data key") && bench.is_elsewhere() => longest = 1900,
            Some(_) => longest = 120,
            None => break,
        }
    }
    // Nobody has to wait until what is said is read.
    std::thread::spawn(move || lines.for_each(drop));
    std::thread::sleep(Duration::from_millis(dice.roll(longest)));
    child
}

/// Waits for the end of a rotation whose database server was killed: done or refused, it does not hang.
fn ends(mut child: Child, place: &str) {
    let deadline = Instant::now() + ENDS;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(matches!(status.code(), Some(0 | 1)), "{place}: {status}");
            return;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{place}: the rotation did not end in {ENDS:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Kills rotations of these stores in turn, and now and then the database server instead.
#[expect(clippy::print_stderr, reason = "the counts say what the run is worth")]
fn survive(what: &str, rounds: u64, seed: u64, stores: Vec<Bench>, mut cluster: Option<&mut Cluster>) {
    let mut dice = Dice(seed);
    let mut stores: Vec<Store> = stores.into_iter().map(Store::of).collect();
    for round in 0..rounds {
        let turns = stores.len();
        let which = EACH[usize::try_from(round % 3).unwrap()];
        let index = usize::try_from(round).unwrap();
        let store = &mut stores[index % turns];
        let place = format!("round {round}, {which:?}, seed {seed}");
        // Sometimes what was cut short is finished, sometimes it is cut short again.
        if index >= turns && dice.roll(2) == 0 {
            store.finish(&place);
        }
        let mut child = under_way(&store.bench, which, &mut dice);
        match &mut cluster {
            // Of three rounds one, each time of another kind.
            Some(cluster) if (round % 3 + round / 3) % 3 == 2 => {
                cluster.kill();
                cluster.resume();
                ends(child, &place);
            }
            _ => {
                child.kill().unwrap();
                child.wait().unwrap();
            }
        }
        store.holds(&place);
    }
    let half_way: u64 = stores.iter().map(|store| store.half_way).sum();
    assert!(rounds < 20 || half_way > 0, "seed {seed}: no kill met a rotation");
    for store in &mut stores {
        store.finish(&format!("at the end, seed {seed}"));
    }
    eprintln!("kill -9 of {what}: {rounds} rounds, {half_way} of them half-way, of keys and sealed values none lost; seed {seed}");
}

#[test]
fn rotations_survive_kill_9() {
    let (rounds, seed) = settings("key rotations in a file");
    let (first, _) = filled(VALUES);
    let stores = (0..rounds.clamp(1, STORES)).map(|_| copy(&first)).collect();
    survive("key rotations in a file", rounds, seed, stores, None);
}

/// Stores in a database of their own each, all alike.
struct Alike {
    first: Bench,
    name: String,
    url: String,
}

impl Alike {
    fn make(cluster: &Cluster) -> Self {
        let (name, url) = cluster.database();
        let (first, _) = filled_at(Bench::elsewhere(url.clone()), VALUES);
        Self { first, name, url }
    }

    fn another(&self, cluster: &Cluster) -> Bench {
        let bench = Bench::elsewhere(cluster.copy(&self.name, &self.url));
        std::fs::copy(self.first.key(), bench.key()).unwrap();
        bench
    }
}

#[test]
fn rotations_in_a_database_survive_kill_9_of_its_server_too() {
    let (rounds, seed) = settings("key rotations in PostgreSQL");
    let mut cluster = Cluster::start(&[]);
    let alike = Alike::make(&cluster);
    let stores = (0..rounds.clamp(1, STORES)).map(|_| alike.another(&cluster)).collect();
    survive("key rotations in PostgreSQL", rounds, seed, stores, Some(&mut cluster));
}

/// Runs out of room at many operations of a rotation in a file.
fn runs_out(which: Which) {
    let (ready, _) = filled(VALUES);
    let operations = operations(&copy(&ready), which.words());
    let mut refused = 0;
    let mut stores = Vec::new();
    for (turn, point) in points(operations).into_iter().enumerate() {
        let error = ERRORS[turn % ERRORS.len()];
        let place = format!("{which:?}: error {error} at operation {point} of {operations}");
        let mut store = Store::of(copy(&ready));
        store.keys.insert(std::fs::read_to_string(ready.key()).unwrap());
        let mut command = on_disk(&store.bench.folder, store.bench.command(which.words()), error);
        let said = Said::of(command.env("FULL_AFTER", point.to_string()).output().unwrap());
        assert!(!said.err.contains("panicked"), "{place}: {}", said.err);
        if said.status != 0 {
            refused += 1;
            assert_eq!(said.status, 1, "{place}: {}{}", said.out, said.err);
            told(&said.json()["problem"], error, &place);
        }
        store.holds(&place);
        left_no_draft(&store.bench, &place);
        stores.push((store, place));
    }
    assert!(refused > 0, "of {operations} operations none was needed");
    // There is room again, and by now the leases of the first ones have ended.
    for (store, place) in &mut stores {
        store.finish(place);
        left_no_draft(&store.bench, place);
    }
}

/// That beside a key file lie the keys before and behind it and nothing that was half written.
fn left_no_draft(bench: &Bench, place: &str) {
    for entry in std::fs::read_dir(&bench.folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = !name.starts_with("key") || name == "key" || name.starts_with("key.old-") || name.starts_with("key.next-");
        assert!(known, "{place}: {name} was left");
    }
}

#[test]
fn a_rotation_of_the_data_key_without_room_goes_on_when_there_is_some() {
    runs_out(Which::Data);
}

#[test]
fn a_rotation_of_the_master_key_without_room_goes_on_when_there_is_some() {
    runs_out(Which::Master);
}

#[test]
fn rotations_in_a_database_without_room_go_on_when_there_is_some() {
    let seed = seed();
    eprintln!("key rotations in PostgreSQL without room: PATCHBAY_KILL_SEED={seed}");
    let mut dice = Dice(seed);
    let switch = std::env::temp_dir().join(format!("patchbay-full-{}", patchbay_vault::system_context().new_uuid()));
    let cluster = Cluster::start_on(&[], Some((library(), &switch)));
    let alike = Alike::make(&cluster);
    // Tables without a gap grow with the first value that is sealed anew.
    cluster.sql(&alike.name, "VACUUM FULL");
    let mut refused = 0;
    let mut stores = Vec::new();
    for turn in 0..cases(6) {
        let which = EACH[usize::try_from(turn % 3).unwrap()];
        let place = format!("turn {turn}, {which:?}, seed {seed}");
        let mut store = Store::of(alike.another(&cluster));
        store.keys.insert(std::fs::read_to_string(alike.first.key()).unwrap());
        // From its beginning, or from a moment on that the dice choose.
        let child = if turn < 3 {
            std::fs::write(&switch, "").unwrap();
            store.bench.command(which.words()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
        } else {
            let child = under_way(&store.bench, which, &mut dice);
            std::fs::write(&switch, "").unwrap();
            child
        };
        let said = Said::of(child.wait_with_output().unwrap());
        if said.status != 0 {
            refused += 1;
            assert_eq!(said.status, 1, "{place}: {}", said.out);
            let problem = said.json()["problem"].clone();
            assert_eq!(problem["code"], "store_read_only", "{place}: {problem}");
            told(&problem, FULL, &place);
        }
        // What is there can be read while there is no room.
        store.holds(&place);
        std::fs::remove_file(&switch).unwrap();
        stores.push((store, place));
    }
    assert!(refused > 0, "seed {seed}: the disk has an end");
    for (store, place) in &mut stores {
        store.finish(place);
    }
}
