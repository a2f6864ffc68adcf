//! A PostgreSQL of our own for tests of the program: peers/postgres.py, spoken to over its standard input and output.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A cluster that keeps what it acknowledged; it ends, and everything of it goes, when this is dropped.
pub(crate) struct Cluster {
    child: Child,
    /// Nothing only while it is dropped.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    facts: Value,
    databases: AtomicU32,
}

impl Cluster {
    /// Starts one. `settings` are those of postgresql.conf.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_on(settings, None)
    }

    /// Starts one on a disk that has no room while the second file exists; the first is the library that makes it so.
    pub(crate) fn start_on(settings: &[(&str, &str)], full: Option<(&Path, &Path)>) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/peers/postgres.py");
        let mut command = Command::new("python3");
        command.arg(script).args(["--durable", "--stdin"]);
        for (name, value) in settings {
            command.arg("--set").arg(format!("{name}={value}"));
        }
        if let Some((library, switch)) = full {
            command.arg("--full-library").arg(library).arg("--full-while").arg(switch);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 must be installed");
        let orders = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let facts = answer(&mut answers);
        Self { child, orders, answers, facts, databases: AtomicU32::new(0) }
    }

    fn order(&mut self, word: &str) -> Value {
        writeln!(self.orders.as_mut().unwrap(), "{word}").unwrap();
        let said = answer(&mut self.answers);
        assert!(said.get("error").is_none(), "{word}: {said}");
        said
    }

    /// kill -9 of every process of the server.
    pub(crate) fn kill(&mut self) {
        self.order("kill");
    }

    /// Ends the server in good order, cutting what is connected.
    pub(crate) fn stop(&mut self) {
        self.order("stop");
    }

    /// Starts it again, on the same port.
    pub(crate) fn resume(&mut self) {
        let port = self.facts["port"].clone();
        self.facts = self.order("start");
        assert_eq!(self.facts["port"], port, "somebody else took the port meanwhile");
    }

    /// Has the server show a certificate: files in PEM.
    pub(crate) fn show_certificate(&mut self, certificate: &Path, key: &Path) {
        self.facts = self.order(&format!("tls {} {}", certificate.display(), key.display()));
    }

    pub(crate) fn port(&self) -> u64 {
        self.facts["port"].as_u64().unwrap()
    }

    fn superuser(&self, database: &str) -> Command {
        let fact = |name: &str| self.facts[name].as_str().unwrap();
        self.psql_as(fact("user"), fact("password"), database)
    }

    /// `psql` as any login.
    pub(crate) fn psql_as(&self, login: &str, password: &str, database: &str) -> Command {
        let mut psql = Command::new(Path::new(self.facts["bin"].as_str().unwrap()).join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", login, "-d", database]);
        psql.arg("-p").arg(self.port().to_string()).env("PGPASSWORD", password);
        psql
    }

    /// A session of the superuser that runs what is written to its standard input, and ends with it.
    pub(crate) fn psql(&self, database: &str) -> Child {
        self.superuser(database).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
    }

    /// Runs statements as the superuser; gives a line per row, columns parted by `|`.
    pub(crate) fn sql(&self, database: &str, text: &str) -> String {
        let said = self.superuser(database).args(["-c", text]).output().unwrap();
        assert!(said.status.success(), "{text}\n{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap().trim().to_owned()
    }

    /// A new, empty database whose owner may make the roles that a store needs and is no superuser; gives its name and the
    /// address of the owner.
    pub(crate) fn database(&self) -> (String, String) {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let (name, login, password) = (format!("store_{number}"), format!("owner_{number}"), "an-owners-password");
        self.sql("postgres", &format!("CREATE ROLE {login} LOGIN CREATEROLE PASSWORD '{password}'"));
        self.sql("postgres", &format!("CREATE DATABASE {name} OWNER {login}"));
        let url = format!("postgres://{login}:{password}@127.0.0.1:{}/{name}", self.port());
        (name, url)
    }

    /// A copy of a database that nobody is connected to, with the owner of it; gives the address of the owner. `url` is the
    /// owner's for the one that is copied.
    pub(crate) fn copy(&self, name: &str, url: &str) -> String {
        let copy = format!("copy_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let owner = self.sql("postgres", &format!("SELECT datdba::regrole FROM pg_database WHERE datname = '{name}'"));
        self.sql("postgres", &format!("CREATE DATABASE {copy} OWNER {owner} TEMPLATE {name}"));
        // Without it PostgreSQL 15 gives numbers of the copy's sequences twice when it is killed: it believes that it has noted
        // some in advance, and has done so for the original alone.
        self.sql("postgres", "CHECKPOINT");
        format!("{}/{copy}", url.strip_suffix(&format!("/{name}")).expect("the address is that of the database"))
    }

    /// Starts the server anew as a standby, which can be read and not written. It follows nobody, and stays one.
    pub(crate) fn stand_by(&mut self) {
        self.stop();
        std::fs::write(Path::new(self.facts["data"].as_str().unwrap()).join("standby.signal"), "").unwrap();
        self.resume();
    }
}

fn answer(answers: &mut impl BufRead) -> Value {
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("the throwaway PostgreSQL ended or said what nobody reads ({error}): {line}"))
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It ends itself when nobody speaks to it any more, and removes its files.
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}
