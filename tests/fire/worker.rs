//! One of the processes: its share of the sixty-four threads that use the integration, and a place in the journal at which it stops, so that it
//! is killed exactly there.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Condvar, Mutex, PoisonError};

use patchbay_model::{Context, Origin, Scope};
use patchbay_vault::{OsEntropy, SystemClock};
use tracing::field::{Field, Visit};
use tracing::span;

/// Tells a test, run anew as a process of its own, what it works on.
const WORK: &str = "PATCHBAY_FIRE_WORK";
/// Of this process: sixty-four in all.
const THREADS: usize = 64 / crate::round::PROCESSES;

/// The step at which this process stops; empty for none.
static STOP_AT: Mutex<String> = Mutex::new(String::new());
static RELEASED: Condvar = Condvar::new();

/// Hears what the engine tells of its journal.
struct Watcher;

struct StepOf(String);

impl Visit for StepOf {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "step" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl tracing::Subscriber for Watcher {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "patchbay::journal"
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut step = StepOf(String::new());
        event.record(&mut step);
        let stop = STOP_AT.lock().unwrap_or_else(PoisonError::into_inner);
        if *stop == step.0 {
            say(&format!("at {}", step.0));
            drop(RELEASED.wait_while(stop, |stop| *stop == step.0).unwrap_or_else(PoisonError::into_inner));
        } else {
            drop(stop);
        }
        if step.0 == "sent" {
            say("sent");
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "fire: {line}").and_then(|()| out.flush()).unwrap();
}

/// Does the work of a worker where this process is one.
pub(crate) fn is_one() -> bool {
    let Ok(work) = std::env::var(WORK) else { return false };
    tracing::subscriber::set_global_default(Watcher).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().unwrap();
    let [store, key, organization, account, integration] = work.split('\n').collect::<Vec<_>>().try_into().unwrap();
    let engine = runtime.block_on(crate::open(&store.parse().unwrap(), Path::new(key), Context::new(std::sync::Arc::new(SystemClock), std::sync::Arc::new(OsEntropy))));
    let scope = Scope::Account(organization.parse().unwrap(), account.parse().unwrap());
    let grant = runtime.block_on(engine.local_grant(organization.parse().unwrap(), Origin::Desktop)).unwrap();
    let Scope::Account(_, account) = scope else { unreachable!("it was made so") };
    let found = runtime.block_on(patchbay_engine::integration::get(&engine, &grant, &account.to_string(), integration)).unwrap();
    let (begun, rounds) = mpsc::channel();
    std::thread::spawn(move || {
        for order in std::io::stdin().lock().lines().map_while(Result::ok) {
            let stop = order.strip_prefix("begin ");
            stop.unwrap_or_default().clone_into(&mut STOP_AT.lock().unwrap_or_else(PoisonError::into_inner));
            RELEASED.notify_all();
            if stop.is_some() && begun.send(()).is_err() {
                return;
            }
        }
    });
    say("ready");
    for () in rounds {
        let (good, bad) = runtime.block_on(async {
            let probes: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (engine, found) = (engine.clone(), found.clone());
                    tokio::spawn(async move { engine.probe(&found).await })
                })
                .collect();
            let (mut good, mut bad) = (0, Vec::new());
            for probe in probes {
                match probe.await.unwrap() {
                    Ok(_) => good += 1,
                    Err(problem) => bad.push(problem.code.as_str()),
                }
            }
            (good, bad)
        });
        say(&format!("done {good} {}", bad.join(",")));
    }
    true
}

/// A worker as the test sees it.
pub(crate) struct Worker {
    child: Child,
    orders: ChildStdin,
    lines: Receiver<String>,
    alive: bool,
}

impl Worker {
    /// Starts `test` of this program as a worker.
    pub(crate) fn start(test: &str, work: &str) -> Self {
        let mut child =
            Command::new(std::env::current_exe().unwrap()).args([test, "--exact", "--nocapture"]).env(WORK, work).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let orders = child.stdin.take().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = mpsc::channel();
        // Ends with the process.
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if let Some((_, line)) = line.split_once("fire: ")
                    && told.send(line.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        let worker = Self { child, orders, lines, alive: true };
        assert_eq!(worker.lines.recv().unwrap(), "ready");
        worker
    }

    /// Begins a round, in which it stops at this step.
    pub(crate) fn begin(&mut self, stop_at: &str) {
        writeln!(self.orders, "begin {stop_at}").unwrap();
    }

    /// Lets it go on past the step at which it stopped or would stop.
    pub(crate) fn release(&mut self) {
        if self.alive {
            writeln!(self.orders, "release").unwrap();
        }
    }

    /// Whether nobody killed it.
    pub(crate) fn is_alive(&self) -> bool {
        self.alive
    }

    /// What it says next, if it has said anything.
    pub(crate) fn heard(&self) -> Option<String> {
        self.lines.try_recv().ok()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.alive = false;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder and key of the work, as its words.
pub(crate) fn work(store: &str, key: &Path, organization: &str, account: &str, integration: &str) -> String {
    [store, &key.display().to_string(), organization, account, integration].join("\n")
}
