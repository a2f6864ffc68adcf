//! Two real programs: `patchbay serve` twice on one database, `patchbay init` for an organization per case, and the Management
//! API as a stranger speaks it. Their clock is the test's, through a small library between them and the C library
//! (peers/clock.c).

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use patchbay_api::operation::ROUTES;
use patchbay_model::{Clock, Code, Operation};
use patchbay_vault::SystemClock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::cluster::{Cluster, Database, LOGIN};
use crate::world::{Answer, Call, TestClock};

const SERVERS: usize = 2;

/// Longest time for an answer, and for an end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The servers, and what they run on.
pub(crate) struct Servers {
    running: Vec<Server>,
    pub(crate) clock: Arc<TestClock>,
    organizations: AtomicUsize,
    place: Place,
}

/// One server, killed when dropped.
struct Server {
    child: Child,
    address: String,
    log: PathBuf,
    answers: AtomicUsize,
    /// Open as long as it runs: it may have more to say.
    _out: BufReader<ChildStdout>,
}

/// The store, and how programs are started on it.
struct Place {
    database: Database,
    folder: tempfile::TempDir,
}

impl Place {
    /// The program with the words of a command, on the store and under the clock.
    fn command(&self, words: &[&str]) -> Command {
        // Beside the test's own folder; cargo builds programs of other packages only when it is told to.
        let program = std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().join("patchbay");
        assert!(program.exists(), "{} is not there: cargo build --bin patchbay", program.display());
        let mut command = Command::new(program);
        for name in ["PATCHBAY_KEY_SOURCE", "PATCHBAY_PASSPHRASE", "PATCHBAY_LOG", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "CREDENTIALS_DIRECTORY"] {
            command.env_remove(name);
        }
        command.env("LD_PRELOAD", self.library()).env("CLOCK_FILE", self.clock());
        command.args(words).args(["--output", "json", "--store", &self.database.url(LOGIN), "--key-source"]).arg(format!("file:{}", self.folder.path().join("key").display()));
        command.stdin(Stdio::null()).current_dir(self.folder.path());
        command
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("clock.so")
    }

    fn clock(&self) -> PathBuf {
        self.folder.path().join("clock")
    }

    /// Runs a command to its end and gives what it printed.
    fn run(&self, words: &[&str]) -> Value {
        let said = self.command(words).output().unwrap();
        assert!(said.status.success(), "{words:?}: {}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        serde_json::from_slice(&said.stdout).unwrap()
    }

    fn serve(&self, number: usize) -> Server {
        let log = self.folder.path().join(format!("log-{number}"));
        let mut child = self.command(&["serve", "--listen", "127.0.0.1:0", "--drain", "0"]).stdout(Stdio::piped()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            let _ = child.wait();
            panic!("serve ended: {}", std::fs::read_to_string(&log).unwrap())
        });
        let address = said["listening"].as_str().unwrap().split_once("://").unwrap().1.to_owned();
        Server { child, address, log, answers: AtomicUsize::new(0), _out: out }
    }
}

impl Servers {
    pub(crate) fn start() -> Self {
        let place = Place { database: Cluster::get().empty(LOGIN), folder: tempfile::tempdir().unwrap() };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/peers/clock.c");
        let said =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(place.library()).arg(source).output().expect("a C compiler, which Rust needs to link, must be there");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        // From this moment on, since what is removed for good is removed by the database's clock, which runs.
        let clock = TestClock::shared(SystemClock.now().unix_micros(), File::create(place.clock()).unwrap());
        place.run(&["init", "--organization", "Acme Tools"]);
        let running = (0..SERVERS).map(|number| place.serve(number)).collect();
        Self { running, clock: Arc::new(clock), organizations: AtomicUsize::new(0), place }
    }

    /// Ends the servers, each in good order, and looks at the store.
    #[expect(clippy::print_stderr, reason = "the counts say what the run is worth")]
    pub(crate) fn end(mut self) {
        let answers: Vec<usize> = self.running.iter().map(|server| server.answers.load(Ordering::SeqCst)).collect();
        for server in &mut self.running {
            server.end();
        }
        let report = self.place.run(&["store", "verify"]);
        assert_eq!(report["clean"], true, "{report}");
        let organizations = self.organizations.load(Ordering::SeqCst);
        eprintln!("two servers on one database: {answers:?} answers over {organizations} organizations");
        let total: usize = answers.iter().sum();
        assert!(answers.iter().all(|count| count * 5 >= total * 2), "the load is spread over both: {answers:?}");
        assert!(total >= organizations * 10, "there was something to answer: {answers:?}");
    }
}

impl Server {
    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn end(&mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "it ended before it was asked to: {}", self.log());
        assert!(Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap().success());
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it must end: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success() && !self.log().contains("panicked"), "{status}: {}", self.log());
    }

    /// One request on a connection of its own: the status, the lines of the head and the body.
    async fn ask(&self, method: &str, target: &str, token: &str, body: Option<&Value>) -> (u16, Vec<String>, Value) {
        let exchange = async {
            let mut stream = TcpStream::connect(&self.address).await?;
            let body = body.map(Value::to_string).unwrap_or_default();
            let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
            let (host, length) = (&self.address, body.len());
            let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{kind}Content-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all((head + &body).as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| panic!("{method} {target} is not answered: {}", self.log()));
        let answer = answer.unwrap_or_else(|error| panic!("{method} {target}: {error}: {}", self.log()));
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer is whole");
        let mut lines = head.lines().map(ToOwned::to_owned);
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("an answer has a status");
        self.answers.fetch_add(1, Ordering::SeqCst);
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap_or_else(|error| panic!("{method} {target}: {error}: {body}")) };
        (status, lines.collect(), body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An organization of its own on the servers, and a token of its first member that outlasts every case.
pub(crate) struct Tenant {
    servers: Arc<Servers>,
    pub(crate) organization: String,
    pub(crate) member: String,
    pub(crate) container: String,
    token: String,
}

impl Tenant {
    pub(crate) async fn new(servers: Arc<Servers>) -> Self {
        let number = servers.organizations.fetch_add(1, Ordering::SeqCst);
        let made = servers.place.run(&["init", "--organization", &format!("Case {number}")]);
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("a text is missing: {made}")).to_owned();
        let first = text(&made["organization"]["token"]["access"]["secret"]);
        // The first token lives for a day, and cases wait for longer.
        let new = json!({ "name": "acting", "resources": {}, "permission_set": "administrator", "token_ttl": "2160h" });
        let (status, _, answer) = servers.running[number % SERVERS].ask("POST", "/v1/tokens", &first, Some(&new)).await;
        assert_eq!(status, 201, "{answer}");
        let container = &answer["result"];
        Self {
            organization: text(&made["organization"]["id"]),
            member: text(&container["member_id"]),
            container: text(&container["id"]),
            token: text(&container["primary"]["access"]["secret"]),
            servers,
        }
    }

    /// The server whose turn it is.
    fn server(&self, turn: usize) -> &Server {
        &self.servers.running[turn % SERVERS]
    }

    /// Sends a request by the route of its operation.
    pub(crate) async fn send(&self, turn: usize, call: &Call) -> Answer {
        let operation = Operation::from_id(call.operation).unwrap();
        let route = ROUTES.iter().find(|route| route.operation == operation).unwrap();
        let (status, head, body) = self.server(turn).ask(route.method.as_str(), &target(route.path, call), &self.token, call.body.as_ref()).await;
        let header = |wanted: &str| {
            let found = head.iter().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.trim().to_owned())
        };
        let refused = (status >= 400).then(|| {
            let code = Code::ALL.iter().find(|code| body["code"] == code.as_str()).unwrap_or_else(|| panic!("{call:?}: {status} without a code: {body}"));
            assert_eq!(status, code.status(), "{call:?}: {body}");
            (code.as_str(), body["message"].as_str().unwrap_or_default().to_owned())
        });
        let body = if refused.is_some() { Value::Null } else { body };
        Answer { status, refused, body, next: header("x-next-start-after"), deletion: header("x-patchbay-deletion") }
    }

    /// Whether a secret is known: one that is good for something else is refused by its kind, and not as one that is dead.
    pub(crate) async fn opens(&self, turn: usize, secret: &str) -> bool {
        let (status, _, answer) = self.server(turn).ask("GET", "/v1/organization", secret, None).await;
        assert!([200, 401, 403].contains(&status), "{answer}");
        status != 401
    }
}

/// Path and query of a request.
fn target(path: &str, call: &Call) -> String {
    let mut url = Url::parse("http://server").unwrap();
    let segments = path.split('/').skip(1).map(|segment| segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')).map_or(segment, |name| call.path(name)));
    url.path_segments_mut().unwrap().clear().extend(segments);
    if !call.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&call.query);
    }
    url[url::Position::BeforePath..].to_owned()
}
