//! A server as the store of a window: its commands, its changes, whether it can be reached, and what is known while it cannot.

use std::sync::Arc;
use std::time::Duration;

use patchbay_model::{Code, Context, Problem, RemoteUrl, Timestamp};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify, broadcast, watch};
use tokio::task::JoinHandle;

use crate::cache::Cache;
use crate::client::{Client, Failure, is_read};
use crate::events::{Event, Listening};
use crate::transport::Lost;

/// Changes kept for a listener that reads late; one that falls further behind reads everything anew.
const BACKLOG: usize = 1024;
/// The first wait before the server is tried again.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest one.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// How long after a token could not be renewed it is tried again.
const RENEW_AGAIN: Duration = Duration::from_secs(60);
/// How long somebody who asks for it waits for an attempt to end, which its own timeouts end mostly.
const LOOK: Duration = Duration::from_secs(10);
/// How long a server that has no room for another listener is left alone.
const CROWDED: Duration = Duration::from_secs(30);

/// Whether the server can be reached.
#[derive(Clone, PartialEq, Debug)]
pub enum Connection {
    /// It answers.
    Online,
    /// It does not. Reads give what was kept, everything else is refused, and it is tried again and again.
    Offline {
        /// Since when: the break that was noticed, or, when it was there before we were, the last sign of life.
        since: Timestamp,
        /// Why, in words.
        why: String,
    },
    /// It answers, and will not have us: the token has ended, or the versions do not fit. Only a person can mend that.
    Ended(Problem),
}

/// A server that is open as a store. Clones share it; when the last one goes, it listens no more.
#[derive(Clone)]
pub struct RemoteStore {
    inner: Arc<Inner>,
    _listener: Arc<Listener>,
}

/// The task that listens. It holds the parts and not the store, and so does not keep the store alive.
struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Inner {
    client: Client,
    cache: Option<Cache>,
    context: Context,
    connection: watch::Sender<Connection>,
    /// Held by whoever finds that the server is away.
    turning: Mutex<()>,
    events: broadcast::Sender<Event>,
    /// Asks the listener to look at once whether the server is there.
    look: Notify,
    /// How often it has looked.
    looked: watch::Sender<u64>,
}

impl RemoteStore {
    /// Opens a server. When it cannot be reached and its last `session.info` was kept, it opens as it was last seen.
    ///
    /// # Errors
    /// `server_unreachable` when it cannot be reached and nothing was kept; `server_incompatible`; `token_invalid`; other problems of the server.
    pub async fn open(client: Client, cache: Option<Cache>, context: Context) -> Result<Self, Problem> {
        let (connection, listening) = match first_contact(&client, cache.as_ref()).await {
            Ok(listening) => (Connection::Online, Some(listening)),
            Err(Failure::Lost(lost)) => match last_seen(cache.as_ref()).await {
                Some(since) => (Connection::Offline { since, why: lost.words }, None),
                None => return Err(Failure::Lost(lost).problem_of("session.info")),
            },
            Err(Failure::Problem(problem)) => {
                if ends(&problem) {
                    forget(cache).await;
                }
                return Err(problem);
            }
        };
        let inner = Arc::new(Inner {
            client,
            cache,
            context,
            connection: watch::Sender::new(connection),
            turning: Mutex::new(()),
            events: broadcast::Sender::new(BACKLOG),
            look: Notify::new(),
            looked: watch::Sender::new(0),
        });
        let parts = inner.clone();
        let listener = tokio::spawn(async move {
            let mut turn = Turn { listening, last: None, wait: FIRST_WAIT };
            while turn.run(&parts).await {}
        });
        Ok(Self { inner, _listener: Arc::new(Listener(listener)) })
    }

    /// The server's address.
    pub fn url(&self) -> &RemoteUrl {
        self.inner.client.url()
    }

    /// Whether the server can be reached, now and from now on.
    pub fn connection(&self) -> watch::Receiver<Connection> {
        self.inner.connection.subscribe()
    }

    /// Changes as they happen.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    /// Tries to reach the server now instead of at the next turn.
    pub fn look_now(&self) {
        self.inner.look.notify_one();
    }

    /// The same, and waits for what comes of it: afterwards [`Self::connection`] tells.
    pub async fn look(&self) {
        if matches!(*self.inner.connection.borrow(), Connection::Ended(_)) {
            return;
        }
        let mut looked = self.inner.looked.subscribe();
        self.look_now();
        // An attempt that takes longer goes on, and is told when it has ended.
        let _ = tokio::time::timeout(LOOK, looked.changed()).await;
    }

    /// Remembers for the next start that the server was there until now. What is read later is read from it all the same.
    pub async fn close(&self) {
        let online = matches!(*self.inner.connection.borrow(), Connection::Online);
        if let (true, Some(cache)) = (online, self.inner.cache.clone()) {
            let now = self.inner.context.now();
            aside(move || cache.note(now)).await;
        }
    }

    /// Runs a command of the contract. While the server cannot be reached, a read gives what was kept of it.
    ///
    /// # Errors
    /// Problems of the command, and `server_unreachable`.
    pub async fn call(&self, command: &str, params: Value) -> Result<Value, Problem> {
        let inner = &self.inner;
        let reads = is_read(command);
        let connection = inner.connection.borrow().clone();
        match connection {
            Connection::Online => {}
            Connection::Offline { since, .. } if reads => return self.kept(command, params, since).await,
            Connection::Offline { since, .. } => {
                return Err(Problem::new(
                    Code::ServerUnreachable,
                    format!("{} cannot be reached since {since}, so nothing can be changed now. Nothing was sent; try again when the connection is back.", self.url()),
                ));
            }
            Connection::Ended(problem) => return Err(problem),
        }
        match inner.client.call(command, &params).await {
            Ok(answer) => {
                if let (true, Some(cache)) = (reads, inner.cache.clone()) {
                    let (command, params, kept) = (command.to_owned(), params, answer.clone());
                    aside(move || cache.put(&command, &params, &kept)).await;
                }
                Ok(answer)
            }
            Err(Failure::Problem(problem)) => {
                if ends(&problem) {
                    inner.end(problem.clone()).await;
                } else if let (true, Code::NotFound | Code::PermissionDenied, Some(cache)) = (reads, problem.code, inner.cache.clone()) {
                    // What is gone, or out of reach by now, is not to be seen from the cache either.
                    let (command, params) = (command.to_owned(), params);
                    aside(move || cache.remove(&command, &params)).await;
                }
                Err(problem)
            }
            Err(Failure::Lost(lost)) => {
                // A slow answer is no broken connection; the listener finds out which it is.
                inner.look.notify_one();
                if lost.slow {
                    return Err(Failure::Lost(lost).problem_of(command));
                }
                let since = inner.offline(&lost).await;
                if reads { self.kept(command, params, since).await.map_err(|_| Failure::Lost(lost).problem_of(command)) } else { Err(Failure::Lost(lost).problem_of(command)) }
            }
        }
    }

    async fn kept(&self, command: &str, params: Value, since: Timestamp) -> Result<Value, Problem> {
        if let Some(cache) = self.inner.cache.clone() {
            let command = command.to_owned();
            if let Some(Some(kept)) = aside(move || cache.get(&command, &params)).await {
                return Ok(kept.answer);
            }
        }
        Err(Problem::new(
            Code::ServerUnreachable,
            format!("{} cannot be reached since {since}, and this was not looked at before that. Go back to what you have seen, or wait for the connection.", self.url()),
        ))
    }
}

impl Inner {
    /// The server answers.
    fn online(&self) -> bool {
        self.connection.send_if_modified(|connection| {
            let was_offline = matches!(connection, Connection::Offline { .. });
            if was_offline {
                *connection = Connection::Online;
            }
            was_offline
        })
    }

    /// The server does not answer. Gives since when.
    async fn offline(&self, lost: &Lost) -> Timestamp {
        let _alone = self.turning.lock().await;
        if let Connection::Offline { since, .. } = &*self.connection.borrow() {
            return *since;
        }
        let since = self.context.now();
        // Before it is told, so that a start before the server is back tells the same time.
        if let Some(cache) = self.cache.clone() {
            aside(move || cache.note(since)).await;
        }
        self.connection.send_if_modified(|connection| {
            let was_online = matches!(connection, Connection::Online);
            if was_online {
                tracing::info!("{}", lost.words);
                *connection = Connection::Offline { since, why: lost.words.clone() };
            }
            was_online
        });
        since
    }

    /// The server will not have us. What a token that has ended could read is not kept.
    async fn end(&self, problem: Problem) {
        if problem.code != Code::ServerIncompatible {
            forget(self.cache.clone()).await;
        }
        self.connection.send_replace(Connection::Ended(problem));
    }

    fn tell(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }
}

/// One connection of the listener after the other.
struct Turn {
    listening: Option<Listening>,
    /// Behind which change to go on.
    last: Option<String>,
    wait: Duration,
}

impl Turn {
    /// Listens until the stream ends, or tries once to open one. Gives whether to go on.
    async fn run(&mut self, inner: &Inner) -> bool {
        match self.listening.take() {
            Some(listening) => {
                self.listen(inner, listening).await;
                true
            }
            None => self.connect(inner).await,
        }
    }

    async fn listen(&mut self, inner: &Inner, mut listening: Listening) {
        let mut soonest = Duration::ZERO;
        // What a server says that sends its listeners away.
        let mut away = Duration::ZERO;
        loop {
            let due = inner.client.due_in().map(|due| due.max(soonest));
            tokio::select! {
                piece = listening.next() => match piece {
                    Ok(Some(piece)) => {
                        self.wait = FIRST_WAIT;
                        away = piece.retry.filter(|_| piece.id.is_none()).unwrap_or_default();
                        if piece.id.is_some() {
                            self.last = piece.id;
                        }
                        if let Some(event) = piece.event {
                            inner.tell(event);
                        }
                    }
                    // A server that ends in order closes its streams, and another may be there at once.
                    Ok(None) => return tokio::time::sleep(away).await,
                    Err(lost) => {
                        tracing::debug!("{}", lost.words);
                        return;
                    }
                },
                // A stream may stand for days; the token is renewed all the same.
                () = tokio::time::sleep(due.unwrap_or(Duration::MAX)), if due.is_some() => {
                    if let Err(failure) = inner.client.renew().await {
                        tracing::info!("{}", failure.words());
                        return;
                    }
                    // One that failed is tried again, and not at once.
                    soonest = RENEW_AGAIN;
                }
                // Somebody had no answer: perhaps this stream is as dead, and just does not know yet.
                () = inner.look.notified() => return,
            }
        }
    }

    async fn connect(&mut self, inner: &Inner) -> bool {
        let connected = match inner.client.greet().await {
            Ok(()) => Listening::open(&inner.client, self.last.as_deref()).await,
            Err(failure) => Err(failure),
        };
        let pause = self.connected(inner, connected).await;
        inner.looked.send_modify(|times| *times += 1);
        let Some(pause) = pause else { return self.listening.is_some() };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = inner.look.notified() => {}
        }
        true
    }

    /// What follows from an attempt: how long to wait before the next, or none when there is no next.
    async fn connected(&mut self, inner: &Inner, connected: Result<Listening, Failure>) -> Option<Duration> {
        Some(match connected {
            Ok(listening) => {
                // Without a change to go on behind, what happened meanwhile is not known; and what was read meanwhile was old.
                if inner.online() || self.last.is_none() {
                    inner.tell(Event::Everything);
                }
                self.listening = Some(listening);
                return None;
            }
            Err(Failure::Problem(problem)) if ends(&problem) => {
                inner.end(problem).await;
                return None;
            }
            // It is there, and has no room.
            Err(Failure::Problem(problem)) => {
                tracing::info!("{}", problem.message);
                if inner.online() {
                    inner.tell(Event::Everything);
                }
                match problem.code {
                    // It ends; another takes its place, or none does.
                    Code::ShuttingDown => self.next_wait(inner),
                    _ => problem.retry_after.map_or(CROWDED, Duration::from_secs),
                }
            }
            Err(Failure::Lost(lost)) => {
                inner.offline(&lost).await;
                self.next_wait(inner)
            }
        })
    }

    /// Twice as long each time, with up to a third more, so that the windows of a server that comes back do not all come at once.
    fn next_wait(&mut self, inner: &Inner) -> Duration {
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST_WAIT);
        let mut random = [0];
        inner.context.entropy().fill(&mut random);
        wait + wait * u32::from(random[0]) / (3 * 256)
    }
}

/// Whether only a person can mend it.
fn ends(problem: &Problem) -> bool {
    matches!(problem.code, Code::TokenInvalid | Code::TokenMissing | Code::WrongTokenKind | Code::ServerIncompatible)
}

/// The version, who we are there, and the stream of changes: opened before anything is shown, so that no change is missed in
/// between.
async fn first_contact(client: &Client, cache: Option<&Cache>) -> Result<Listening, Failure> {
    client.greet().await?;
    let info = client.call("session.info", &json!({})).await?;
    let listening = Listening::open(client, None).await?;
    if let Some(cache) = cache.cloned() {
        aside(move || {
            // Answers that another member or organization saw are not for this one.
            let who = |info: &Value| [info.pointer("/member/id").cloned(), info.pointer("/organization/id").cloned()];
            if cache.get("session.info", &json!({})).is_some_and(|before| who(&before.answer) != who(&info)) {
                cache.clear();
            }
            cache.put("session.info", &json!({}), &info);
        })
        .await;
    }
    Ok(listening)
}

/// When the server answered last, if what is kept is enough to open it: its last `session.info`.
async fn last_seen(cache: Option<&Cache>) -> Option<Timestamp> {
    let cache = cache?.clone();
    aside(move || cache.get("session.info", &json!({})).map(|info| cache.last().unwrap_or(info.at))).await.flatten()
}

async fn forget(cache: Option<Cache>) {
    if let Some(cache) = cache {
        aside(move || cache.clear()).await;
    }
}

/// Runs what reads and writes files off the async threads; nothing when the program ends meanwhile.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
