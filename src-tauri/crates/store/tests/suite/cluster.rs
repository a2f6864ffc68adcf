//! A throwaway PostgreSQL for tests: one server per test program, one database per test, copied from a prepared one. Other
//! crates take this file in by its path; it needs nothing but Debian's package `postgresql`.
//!
//! The server belongs to a guard process that holds the other end of a pipe: when the test program ends, however it ends,
//! the pipe closes, and the guard stops the server and removes its folder.

#![allow(dead_code, reason = "not every test program uses everything")]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The superuser of the server.
pub(crate) const ADMINISTRATOR: &str = "postgres";

/// A login with both roles, as it is with one store URL.
pub(crate) const LOGIN: &str = "patchbay_test";

/// The two logins of the arrangement that separates them.
pub(crate) const MANAGEMENT_LOGIN: &str = "patchbay_test_management";
pub(crate) const SVC_LOGIN: &str = "patchbay_test_svc";

/// The database that the others are copied from.
const TEMPLATE: &str = "patchbay_template";

/// Starts the server, waits for the end of its standard input, stops the server and removes the folder. `fast` shutdown
/// cuts connections. The first argument is the folder with PostgreSQL's programs, the second the server's.
const GUARD: &str = r#"
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= >"$2/log" 2>&1 &
server=$!
read -r end
kill -INT "$server"
wait "$server"
rm -rf "$2"
"#;

/// Settings for speed, and against what a friendly server would hide: an odd time zone, and the order of a language.
const SETTINGS: &str = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\nshared_buffers = 64MB\nmax_connections = 1000\njit = off\nautovacuum_naptime = 1h\ntimezone = 'Asia/Kathmandu'\nlc_messages = 'C'\n";

/// One server.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    number: AtomicU64,
    /// The end of its standard input, which closes with this program, is the server's.
    _guard: Child,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// One database, which goes with this value.
pub(crate) struct Database {
    pub(crate) name: String,
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that is gone takes its databases along.
        let _ = Cluster::get().psql("postgres", ADMINISTRATOR, &format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name));
    }
}

impl Database {
    /// Its URL for a login. Everybody on this machine's socket is believed.
    pub(crate) fn url(&self, login: &str) -> String {
        let folder = Cluster::get().folder.display().to_string().replace('/', "%2F");
        format!("postgres://{login}@{folder}/{}", self.name)
    }

    /// Runs statements in it and gives what they print.
    pub(crate) fn psql(&self, login: &str, sql: &str) -> Result<String, String> {
        Cluster::get().psql(&self.name, login, sql)
    }
}

impl Cluster {
    /// The server of this test program, started when it is first asked for.
    pub(crate) fn get() -> &'static Self {
        CLUSTER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let programs = programs();
        let folder = std::env::temp_dir().join(format!("patchbay-cluster-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        let user = unprivileged();
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(&folder, Some(user), Some(group)).unwrap();
        }
        let by = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(&folder).env("LC_ALL", "C.UTF-8");
            if let Some((user, group)) = user {
                command.uid(user).gid(group);
            }
            command
        };
        let mut initdb = by(&programs.join("initdb"));
        initdb.arg("--pgdata").arg(folder.join("data")).args(["--username", ADMINISTRATOR, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]);
        initdb.args(["--locale-provider", "icu", "--icu-locale", "en-US"]);
        let made = initdb.stdin(Stdio::null()).output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let configuration = folder.join("data/postgresql.conf");
        std::fs::OpenOptions::new().append(true).open(configuration).unwrap().write_all(SETTINGS.as_bytes()).unwrap();
        let mut guard = by(Path::new("/bin/sh"));
        guard.args(["-c", GUARD, "guard"]).arg(&programs).arg(&folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own: who ends the tests by the keyboard does not end the guard before it has cleaned up.
        guard.process_group(0);
        let guard = guard.spawn().unwrap();
        let cluster = Self { programs, folder, number: AtomicU64::new(1), _guard: guard };
        cluster.wait();
        cluster
    }

    /// What the server wrote into its log.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join("log")).unwrap()).into_owned()
    }

    /// Waits until the server answers, as `pg_isready` does, and not for a time.
    fn wait(&self) {
        for _ in 0..600 {
            let ready = Command::new(self.programs.join("pg_isready")).arg("-h").arg(&self.folder).args(["-q", "-t", "1"]).status().unwrap();
            if ready.success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("PostgreSQL does not start: {}", std::fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }

    /// Runs statements and gives what they print: a line per row, columns parted by `|`.
    pub(crate) fn psql(&self, database: &str, login: &str, sql: &str) -> Result<String, String> {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-U", login, "-f", "-", "-h"]).arg(&self.folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Written by another thread: a server that refuses early does not read to the end.
        let mut input = child.stdin.take().unwrap();
        let text = sql.to_owned();
        let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
        let done = child.wait_with_output().unwrap();
        let _ = writer.join();
        if done.status.success() { Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
    }

    /// A name that no other database of this server has.
    fn name(&self) -> String {
        format!("patchbay_{}", self.number.fetch_add(1, Ordering::Relaxed))
    }

    /// An empty database that `login` owns, which may make roles and is no superuser.
    pub(crate) fn empty(&self, login: &str) -> Database {
        let name = self.name();
        self.login(login, "CREATEROLE");
        self.psql("postgres", ADMINISTRATOR, &format!("CREATE DATABASE \"{name}\" OWNER \"{login}\"")).unwrap();
        Database { name }
    }

    /// A database with the schema of a store, without its header. `script` makes it (what `patchbay store sql` prints for
    /// [`LOGIN`]); the first call runs it, the others copy.
    pub(crate) fn prepared(&self, script: &str) -> Database {
        static PREPARED: OnceLock<()> = OnceLock::new();
        PREPARED.get_or_init(|| {
            self.login(LOGIN, "");
            self.psql("postgres", ADMINISTRATOR, &format!("CREATE DATABASE {TEMPLATE}")).unwrap();
            self.psql(TEMPLATE, ADMINISTRATOR, script).unwrap();
            self.login(MANAGEMENT_LOGIN, "");
            self.login(SVC_LOGIN, "");
            self.psql("postgres", ADMINISTRATOR, &format!("GRANT patchbay_management TO {MANAGEMENT_LOGIN}; GRANT svc_integration TO {SVC_LOGIN};")).unwrap();
        });
        let name = self.name();
        self.psql("postgres", ADMINISTRATOR, &format!("CREATE DATABASE \"{name}\" TEMPLATE {TEMPLATE}")).unwrap();
        Database { name }
    }

    /// A copy of a database that nobody is connected to, owned by `login`.
    pub(crate) fn copied(&self, of: &Database, login: &str) -> Database {
        let name = self.name();
        self.psql("postgres", ADMINISTRATOR, &format!("CREATE DATABASE \"{name}\" OWNER \"{login}\" TEMPLATE \"{}\"", of.name)).unwrap();
        Database { name }
    }

    /// Makes a login where it is not there.
    pub(crate) fn login(&self, name: &str, attributes: &str) {
        let sql = format!("DO $$ BEGIN CREATE ROLE \"{name}\" LOGIN {attributes}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;");
        self.psql("postgres", ADMINISTRATOR, &sql).unwrap();
    }
}

/// The folder with the programs of the newest PostgreSQL on this machine.
fn programs() -> PathBuf {
    let version = |path: &Path| path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok());
    let folders = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let newest = folders.filter(|path| path.join("bin/initdb").exists()).max_by_key(|path| version(path));
    newest.expect("PostgreSQL is not installed: apt-get install postgresql postgresql-contrib").join("bin")
}

/// User and group of somebody who is not root, for the server refuses to run as root; none where we are not.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |words: &[&str]| {
        let said = Command::new("id").args(words).output().unwrap();
        String::from_utf8_lossy(&said.stdout).trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    ["postgres", "nobody"].iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
}
