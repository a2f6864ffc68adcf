//! A server on a store in a temporary folder, a line to it that can be cut, and a clock that both sides go by.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use patchbay_engine::Engine;
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_model::{Clock, Context, Problem, RemoteUrl, Secret, Timestamp};
use patchbay_remote::{Cache, CacheLimits, Client, Connection, Event, Held, RemoteStore, TokenPlace};
use patchbay_server::{ServeOptions, Server};
use patchbay_vault::{KeyAccess, KeySource, LocalKey, OsEntropy};
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

/// Longest wait for what must come in the end. Nothing waits so long unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The real time, moved.
#[derive(Clone, Default)]
pub(crate) struct MovedClock(Arc<AtomicI64>);

impl MovedClock {
    pub(crate) fn forward(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn context(&self) -> Context {
        Context::new(Arc::new(self.clone()), Arc::new(OsEntropy))
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let moved = self.0.load(Ordering::SeqCst);
        Timestamp::from_unix_micros(patchbay_vault::system_context().now().unix_micros() + moved).unwrap()
    }
}

/// A server that runs.
struct Running {
    end: oneshot::Sender<()>,
    done: JoinHandle<Result<(), Problem>>,
}

pub(crate) struct World {
    pub(crate) clock: MovedClock,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) engine: Engine,
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    pub(crate) organization: String,
    pub(crate) access: Secret,
    pub(crate) refresh: Secret,
    running: Option<Running>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let (clock, folder) = (MovedClock::default(), tempfile::tempdir().unwrap());
        let keys = KeyAccess::from(KeySource::File(folder.path().join("key")));
        let (engine, created) = installation::create(&StoreUrl::Sqlite(folder.path().join("store.db")), &keys, "Acme", clock.context()).await.unwrap();
        let pair = created.token.primary.unwrap();
        let mut world = Self {
            clock,
            folder,
            engine,
            address: "127.0.0.1:0".parse().unwrap(),
            organization: created.organization.id.to_string(),
            access: pair.access.secret.unwrap(),
            refresh: pair.refresh.unwrap().secret.unwrap(),
            running: None,
        };
        world.start().await;
        world
    }

    /// Starts the server, at the address it had before if it had one.
    pub(crate) async fn start(&mut self) {
        let server = Server::bind(self.engine.clone(), ServeOptions::local(self.address)).await.unwrap();
        self.address = server.address().unwrap();
        let (end, ended) = oneshot::channel();
        let done = tokio::spawn(server.run(async {
            let _ = ended.await;
        }));
        self.running = Some(Running { end, done });
    }

    /// Ends the server in order.
    pub(crate) async fn stop(&mut self) {
        let Running { end, done } = self.running.take().unwrap();
        end.send(()).unwrap();
        done.await.unwrap().unwrap();
    }

    pub(crate) fn url(&self) -> RemoteUrl {
        url(self.address)
    }

    /// A client with the organization's first token, from memory.
    pub(crate) fn client(&self) -> Client {
        self.client_with(self.access.expose())
    }

    pub(crate) fn client_with(&self, access: &str) -> Client {
        let context = self.clock.context();
        Client::new(self.url(), Held::access_only(Secret::new(access), context.now()), TokenPlace::Memory, "test", context).unwrap()
    }

    /// A token of this permission set, minted through the server.
    pub(crate) async fn token(&self, permission_set: &str) -> (String, String) {
        let made = self.client().call("tokens.create_token", &json!({"body": {"permission_set": permission_set, "resources": {}, "token_ttl": "1h"}})).await.unwrap();
        (text(&made, "/result/primary/access/secret"), text(&made, "/result/id"))
    }

    /// A cache in the world's folder, under a key that is the same each time.
    pub(crate) fn cache(&self, limits: CacheLimits) -> Cache {
        let key = LocalKey::from_base64(&Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")).unwrap();
        Cache::with_key(&self.folder.path().join("answers"), "https://h.example", key, limits, self.clock.context()).unwrap()
    }

    /// Opens the server at this address as a window does.
    pub(crate) async fn open_at(&self, address: SocketAddr) -> Result<RemoteStore, Problem> {
        let context = self.clock.context();
        let held = Held::access_only(self.access.clone(), context.now());
        let client = Client::new(url(address), held, TokenPlace::Memory, "test", context.clone()).unwrap();
        RemoteStore::open(client, Some(self.cache(CacheLimits::default())), context).await
    }
}

pub(crate) fn url(address: SocketAddr) -> RemoteUrl {
    format!("http://{address}").parse().unwrap()
}

pub(crate) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is missing in {value}")).to_owned()
}

/// A line to the server that can be cut: connections break, and new ones are refused.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    whole: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let (whole, mut state) = watch::channel(true);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut listener = Some(listener);
            let mut connections = JoinSet::new();
            loop {
                match &listener {
                    Some(open) => tokio::select! {
                        accepted = open.accept() => {
                            let (mut near, _) = accepted.unwrap();
                            connections.spawn(async move {
                                if let Ok(mut far) = TcpStream::connect(server).await {
                                    let _ = copy_bidirectional(&mut near, &mut far).await;
                                }
                            });
                        }
                        turned = state.changed() => if turned.is_err() { return },
                    },
                    None => {
                        if state.changed().await.is_err() {
                            return;
                        }
                    }
                }
                let now = *state.borrow();
                if !now {
                    connections.abort_all();
                    listener = None;
                } else if listener.is_none() {
                    listener = Some(TcpListener::bind(address).await.unwrap());
                }
            }
        });
        Self { address, whole, task }
    }

    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

/// Waits until the store says so of its connection.
pub(crate) async fn until(store: &RemoteStore, wanted: impl Fn(&Connection) -> bool) -> Connection {
    let mut connection = store.connection();
    let found = tokio::time::timeout(PATIENCE, connection.wait_for(|connection| wanted(connection))).await;
    match found {
        Ok(found) => found.unwrap().clone(),
        Err(_) => panic!("the connection stays {:?}", store.connection().borrow()),
    }
}

pub(crate) fn offline(connection: &Connection) -> bool {
    matches!(connection, Connection::Offline { .. })
}

pub(crate) fn online(connection: &Connection) -> bool {
    matches!(connection, Connection::Online)
}

/// The next event that is wanted.
pub(crate) async fn event(events: &mut tokio::sync::broadcast::Receiver<Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    tokio::time::timeout(PATIENCE, async {
        loop {
            let event = events.recv().await.expect("the store is open");
            if wanted(&event) {
                return event;
            }
        }
    })
    .await
    .expect("the event comes in the end")
}
