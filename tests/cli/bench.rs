//! A store in a folder of its own, the program run on it, and a plain HTTP client for what it serves.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use patchbay_vault::system_context;
use serde_json::Value;

/// The program under test.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
    // What the surroundings say must not decide a test.
    for name in ["PATCHBAY_KEY_SOURCE", "PATCHBAY_PASSPHRASE", "PATCHBAY_LOG", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "CREDENTIALS_DIRECTORY"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// What a finished command said.
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        Self { status: output.status.code().expect("it ended by itself"), out: String::from_utf8(output.stdout).unwrap(), err: String::from_utf8(output.stderr).unwrap() }
    }

    /// Demands exit status 0.
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.status, 0, "it must succeed:\n{}\n{}", self.out, self.err);
        self
    }

    /// Demands exit status 1 and a problem of this code in the JSON.
    pub(crate) fn refused(self, code: &str) -> Self {
        assert_eq!(self.status, 1, "it must fail:\n{}\n{}", self.out, self.err);
        assert_eq!(self.json().pointer("/problem/code").and_then(Value::as_str), Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Demands that standard output is exactly one JSON object.
    pub(crate) fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("one JSON object must be on standard output ({error}):\n{}\n{}", self.out, self.err));
        assert!(value.is_object(), "{value}");
        value
    }
}

/// A folder with a store and its key file, or with the key file of a store that lies elsewhere; removed at the end.
pub(crate) struct Bench {
    pub(crate) folder: PathBuf,
    /// Where the store is, if not in the folder.
    elsewhere: Option<String>,
}

impl Bench {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let folder = std::env::temp_dir().join(format!("patchbay-cli-{}", system_context().new_uuid()));
        std::fs::create_dir(&folder).unwrap();
        Self { folder, elsewhere: None }
    }

    /// An empty folder for the key of a store at this address.
    pub(crate) fn elsewhere(url: String) -> Self {
        let mut bench = Self::empty();
        bench.elsewhere = Some(url);
        bench
    }

    /// Whether its store is somewhere else than in its folder.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// A folder with a store that has one organization, and what `init` printed.
    pub(crate) fn new() -> (Self, Value) {
        let bench = Self::empty();
        let made = bench.run(&["init", "--organization", "acme"]).done().json();
        (bench, made)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("store.db")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.join("key")
    }

    /// The program with the words of a command, the store, the key source and JSON output.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        match &self.elsewhere {
            Some(url) => self.at(words, url, &self.key()),
            None => self.on(words, &self.store(), &self.key()),
        }
    }

    pub(crate) fn on(&self, words: &[&str], store: &Path, key: &Path) -> Command {
        self.at(words, &format!("sqlite:{}", store.display()), key)
    }

    /// The same on a store at any address.
    pub(crate) fn at(&self, words: &[&str], url: &str, key: &Path) -> Command {
        let mut command = program();
        command.args(words).arg("--store").arg(url).arg("--key-source").arg(format!("file:{}", key.display()));
        command.args(["--output", "json"]).current_dir(&self.folder);
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Said {
        Said::of(self.command(words).output().unwrap())
    }

    pub(crate) fn serve(&self, more: &[&str]) -> Server {
        Server::start(self.command(&[&["serve", "--listen", "127.0.0.1:0", "--drain", "0"], more].concat()))
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// How much of its log a server shows when a test fails.
const LAST_LINES: usize = 40;

/// A running `serve`, killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
    stderr: Option<std::thread::JoinHandle<String>>,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let _ = child.wait();
            panic!("serve ended:\n{}", stderr.join().unwrap());
        }
        let line: Value = serde_json::from_str(&line).unwrap();
        let address = line["listening"].as_str().unwrap().split_once("://").expect("the address is a URL").1.to_owned();
        Self { child, address, stderr: Some(stderr) }
    }

    /// Sends a signal by its name, as `kill` takes it.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "the process is there to take {name}");
    }

    /// Waits for the end; gives the exit status (none after a signal) and what was on standard error.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "serve must end within 20 seconds");
            std::thread::sleep(Duration::from_millis(20));
        };
        (status.code(), self.stderr.take().unwrap().join().unwrap())
    }

    pub(crate) fn call(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> std::io::Result<(u16, Value)> {
        call(&self.address, method, path, token, body)
    }
}

impl Drop for Server {
    #[expect(clippy::print_stderr, reason = "why a test failed often stands in the log of the program alone")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let (true, Some(stderr)) = (std::thread::panicking(), self.stderr.take()) {
            let text = stderr.join().unwrap_or_default();
            let last: Vec<&str> = text.lines().rev().take(LAST_LINES).collect();
            eprintln!("the last lines of serve:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// One request on a connection of its own. An answer that does not come whole is an error, so that a write whose
/// acknowledgement was cut off does not count as acknowledged.
pub(crate) fn call(address: &str, method: &str, path: &str, token: &str, body: Option<&Value>) -> std::io::Result<(u16, Value)> {
    ask(address, method, path, token, body, Duration::from_secs(30)).map(|(status, _, value)| (status, value))
}

/// The same by whoever has that much patience. Gives the head too, in small letters.
pub(crate) fn ask(address: &str, method: &str, path: &str, token: &str, body: Option<&Value>, patience: Duration) -> std::io::Result<(u16, String, Value)> {
    let cut = || std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the answer is not whole");
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(patience))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let authorization = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    // Sessions are for browsers, which say from which page a request comes.
    let origin = if path.starts_with("/session") { format!("Origin: http://{address}\r\n") } else { String::new() };
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{authorization}{origin}{kind}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").ok_or_else(cut)?;
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let body = &answer[end + 4..];
    let status: u16 = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(cut)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).and_then(|text| text.trim().parse::<usize>().ok());
    if length.is_some_and(|length| length != body.len()) {
        return Err(cut());
    }
    let value = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned())) };
    Ok((status, head, value))
}
