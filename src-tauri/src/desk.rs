//! What only the desktop can do: create and open stores, and say which one is open.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use patchbay_api::wire;
use patchbay_api::wire::host::{
    AppState, AwaitHanded, CopyStore, CreateStore, ForgetStore, HandedOver, MarkStore, OpenStore, RecentStore, SaveFile, SavedFile, StoreWork, WorkKind, WorkOutcome,
};
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::{NetworkPolicy, moving};
use patchbay_model::change::Change;
use patchbay_model::{Code, Context, Origin, PostgresUrl, Problem, RemoteUrl, Secret};
use patchbay_remote::{Connection, RemoteStore};
use patchbay_server::Rehearsals;
use patchbay_vault::{KeyAccess, KeySource, KeyringItem, system_context};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager};
use tokio::sync::{Mutex, RwLock, watch};

use crate::consent_window;
use crate::opened::{Opened, OpenedStore, send_everything_changed};
use crate::servers::{self, Given};
use crate::stores::{self, Recents};
use crate::work::{Hand, Work};

enum Session {
    /// First run, or nothing was chosen yet.
    NoStore,
    /// The store of last time is being opened.
    Opening { url: String },
    /// There is a store that does not open.
    Locked { url: String, code: Code, message: String },
    /// A store is open.
    Open(Arc<OpenedStore>),
}

/// The state behind the window. Clones share it.
#[derive(Clone)]
pub(crate) struct Desk {
    inner: Arc<Inner>,
}

struct Inner {
    app: AppHandle,
    context: Context,
    network: NetworkPolicy,
    default_path: PathBuf,
    sample_path: PathBuf,
    /// For the last answers of servers.
    cache: PathBuf,
    recents: Recents,
    session: RwLock<Session>,
    work: Work,
    /// One store is opened at a time, so that the one asked for last is the one that is open in the end.
    opening: Mutex<()>,
    /// Rises whenever another store is opened, so that listeners turn to it.
    generation: watch::Sender<u64>,
    /// One consent at a time has a window; beginning another, or cancelling, closes it.
    window: Mutex<Option<(String, consent_window::Group)>>,
    /// Who waits for a browser to come back, by consent.
    listening: Mutex<HashMap<String, JoinHandle<()>>>,
    /// An address that somebody handed over, until a store is open to look at it.
    handed: Mutex<Option<Secret>>,
    /// What became of the newest start that brought something.
    told_of_handed: watch::Sender<HandedOver>,
    /// Providers that are played on this computer.
    rehearsals: Rehearsals,
}

impl Desk {
    /// Finds the folders; opens nothing yet.
    ///
    /// # Errors
    /// When the system names no folder for an application's data.
    pub(crate) fn new(app: &AppHandle) -> tauri::Result<Self> {
        let data = app.path().app_data_dir()?;
        let recents = Recents::new(&app.path().app_config_dir()?);
        let last = recents.all().into_iter().next();
        let allow_private = std::env::var_os("PATCHBAY_ALLOW_PRIVATE_NETWORKS").is_some_and(|value| value == "1");
        Ok(Self {
            inner: Arc::new(Inner {
                app: app.clone(),
                context: system_context(),
                network: NetworkPolicy { allow_private, rehearsal: None },
                default_path: data.join("patchbay.db"),
                sample_path: data.join("sample.db"),
                cache: app.path().app_cache_dir()?,
                session: RwLock::new(last.map_or(Session::NoStore, |last| Session::Opening { url: last.url })),
                work: Work::default(),
                opening: Mutex::new(()),
                recents,
                generation: watch::Sender::new(0),
                window: Mutex::new(None),
                listening: Mutex::new(HashMap::new()),
                handed: Mutex::new(None),
                told_of_handed: watch::Sender::new(HandedOver::default()),
                rehearsals: Rehearsals::default(),
            }),
        })
    }

    /// Opens the store that was open last, if any. What stands in the way is shown by the window as `app.state`.
    pub(crate) async fn open_last(&self) {
        let Some(last) = self.inner.recents.all().into_iter().next() else { return };
        let opened = match last.key_source.as_deref().map(str::parse).transpose() {
            // Nobody has typed the passphrase yet; the window asks for it.
            Ok(Some(KeySource::Passphrase)) => Err(passphrase_needed()),
            Ok(_) => self.open(&last.url, With::default()).await,
            Err(problem) => Err(problem),
        };
        if let Err(problem) = opened {
            let mut session = self.inner.session.write().await;
            // The person may have opened another one meanwhile.
            if matches!(&*session, Session::Opening { .. }) {
                *session = Session::Locked { url: last.url, code: problem.code, message: problem.message };
            }
            drop(session);
            self.bring_handed().await;
        }
    }

    /// Writes out what is kept in memory.
    pub(crate) async fn close(&self) {
        self.inner.rehearsals.end_all().await;
        if let Session::Open(store) = &*self.inner.session.read().await {
            store.close().await;
        }
    }

    /// The wire form of a problem.
    pub(crate) fn view(&self, problem: Problem, command: &str) -> wire::problem::Problem {
        let instance = self.inner.context.new_uuid();
        if problem.code.status() >= 500 {
            tracing::warn!(command, code = problem.code.as_str(), %instance, "{}", problem.message);
        }
        wire::problem::Problem::new(&problem, self.inner.context.now(), instance)
    }

    /// Runs one command of the contract.
    ///
    /// # Errors
    /// What the command refuses; `invalid_request` for a command that is not in the contract.
    pub(crate) async fn run(&self, command: &str, params: Value) -> Result<Value, Problem> {
        match command {
            "app.state" => json(&self.state().await),
            "app.recent" => json(&self.inner.recents.all()),
            "app.forget_store" => json(&self.forget_store(&read::<ForgetStore>(params)?).await?),
            "app.mark_store" => json(&self.mark_store(read(params)?)?),
            "app.create_store" => json(&self.create_store(read(params)?).await?),
            "app.open_store" => json(&self.open_store(read(params)?).await?),
            "store.work" => json(&self.opened().await.map(|store| self.inner.work.of(&store.url))?),
            "store.verify" => json(&self.verify_store().await?),
            "store.copy" => json(&self.copy_store(read(params)?).await?),
            "app.reconnect" => json(&self.reconnect().await?),
            "app.handed" => json(&self.handed_over(read::<AwaitHanded>(params)?.after).await?),
            "app.create_sample" => json(&self.open_sample().await?),
            "session.info" => {
                let store = self.opened().await?;
                store.session_info(self.inner.recents.get(&store.url)).await
            }
            "consent.connect" => self.connect(read(params)?).await,
            "consent.switch" => self.switch_route(read(params)?).await,
            "file.save" => json(&self.save_file(read(params)?).await?),
            _ if Rehearsals::handles(command) => self.rehearse(command, params).await,
            _ => {
                let over =
                    matches!(command, "connect.cancel" | "connect.finish").then(|| params.pointer("/path/connect_session_id").and_then(Value::as_str).map(ToOwned::to_owned));
                let store = self.opened().await?;
                let answer = store.run(command, params).await;
                if command == "keys.rotate" && answer.is_ok() {
                    self.remember_source(&store);
                }
                if let (Some(session), true) = (over, answer.is_ok()) {
                    self.close_window(session.as_deref()).await;
                    self.listen_no_more(session.as_deref()).await;
                }
                answer
            }
        }
    }

    /// Sends the changes that the holder may see to the window until it goes. When another store is opened, or after a gap, the
    /// window is told that everything may have changed.
    pub(crate) async fn subscribe(&self, channel: Channel<Change>) {
        let desk = self.clone();
        let mut generation = self.inner.generation.subscribe();
        tauri::async_runtime::spawn(async move {
            loop {
                let store = match &*desk.inner.session.read().await {
                    Session::Open(store) => Some(store.clone()),
                    Session::NoStore | Session::Opening { .. } | Session::Locked { .. } => None,
                };
                let turned = match store {
                    Some(store) => tokio::select! {
                        gone = store.pass_on(&channel) => {
                            if gone {
                                return;
                            }
                            continue;
                        }
                        turned = generation.changed() => turned,
                    },
                    None => generation.changed().await,
                };
                if turned.is_err() || send_everything_changed(&channel).is_err() {
                    return;
                }
            }
        });
    }

    /// A rehearsal plays a provider of the store's organization here, whether the store is here or at a server.
    async fn rehearse(&self, command: &str, params: Value) -> Result<Value, Problem> {
        let store = self.opened().await?;
        let catalog = store.catalog().await?;
        let answer = self.inner.rehearsals.run(&store.url, &catalog, command, params.clone()).await?;
        if let (Some("browser"), Some(start)) = (params.get("action").and_then(Value::as_str), answer.get("open").and_then(Value::as_str))
            && let Err(error) = tauri_plugin_opener::open_url(start, None::<&str>)
        {
            tracing::warn!(%error, "the system's browser could not be opened; the window shows the address to copy");
        }
        Ok(answer)
    }

    async fn state(&self) -> AppState {
        let default_path = self.inner.default_path.display().to_string();
        match &*self.inner.session.read().await {
            Session::NoStore => AppState::NoStore { default_path },
            Session::Opening { url } => AppState::Opening { store: self.inner.recents.get(url), default_path },
            Session::Locked { url, code, message } => AppState::Locked { store: self.inner.recents.get(url), code: *code, message: message.clone(), default_path },
            Session::Open(store) => AppState::Open { store: self.inner.recents.get(&store.url) },
        }
    }

    /// The store that is open.
    ///
    /// # Errors
    /// Why none is.
    pub(crate) async fn opened(&self) -> Result<Arc<OpenedStore>, Problem> {
        match &*self.inner.session.read().await {
            Session::Open(store) => Ok(store.clone()),
            Session::NoStore => Err(Problem::new(Code::StoreMissing, "No store is open. Create one, open one, or explore the sample organization.")),
            Session::Opening { url } => Err(Problem::new(Code::StoreBusy, format!("{url} is being opened. Try again in a moment."))),
            Session::Locked { code, message, .. } => Err(Problem::new(*code, message.clone())),
        }
    }

    /// Whether the store of last time is being opened.
    pub(crate) async fn is_opening(&self) -> bool {
        matches!(&*self.inner.session.read().await, Session::Opening { .. })
    }

    async fn create_store(&self, params: CreateStore) -> Result<AppState, Problem> {
        let given = params.url.filter(|url| !url.trim().is_empty());
        let store = parsed(&stores::address(&given.unwrap_or_else(|| self.inner.default_path.display().to_string())))?;
        if let Some(path) = store.file() {
            if path.exists() {
                return Err(Problem::field("/url", format!("There is a file at {} already. Open it, or choose another place.", path.display())));
            }
            make_folder(path)?;
        }
        let keys = key_access(&params.key_source, params.passphrase)?;
        let (engine, _) = installation::create(&store, &keys, &params.organization, self.inner.context.clone()).await?;
        engine.shutdown().await;
        let _alone = self.inner.opening.lock().await;
        self.open_here(store, keys).await?;
        Ok(self.state().await)
    }

    async fn open_store(&self, params: OpenStore) -> Result<AppState, Problem> {
        let OpenStore { url, key_source, passphrase, password, token, refresh } = params;
        self.open(&stores::address(&url), With { key_source, passphrase, password, token, refresh }).await?;
        Ok(self.state().await)
    }

    /// Opens a store with what a person gave, and with what is kept for the rest.
    async fn open(&self, url: &str, with: With) -> Result<(), Problem> {
        let _alone = self.inner.opening.lock().await;
        let store = match parsed(url)? {
            StoreUrl::Remote(server) => return self.open_server(server, with).await,
            StoreUrl::Postgres(database) => StoreUrl::Postgres(with_password(database, with.password).await?),
            file => file,
        };
        let source = with.key_source.or_else(|| self.inner.recents.get(&store.to_string()).key_source).ok_or_else(source_needed)?;
        self.open_here(store, key_access(&source, with.passphrase)?).await
    }

    /// Opens a file or a database. The caller holds the lock.
    async fn open_here(&self, store: StoreUrl, keys: KeyAccess) -> Result<(), Problem> {
        let engine = installation::open(&store, &keys, self.inner.context.clone(), self.inner.network, Origin::Desktop).await?;
        let first = engine.organizations().await?.into_iter().next();
        let organization = first.ok_or_else(|| Problem::new(Code::StoreDamaged, format!("The store {store} holds no organization. Restore it from a copy.")))?;
        let grant = engine.local_grant(organization.id, Origin::Desktop).await?;
        patchbay_engine::backup::start(&engine);
        let account = match &store {
            StoreUrl::Postgres(database) => {
                // Not to be kept means to be typed in next time, and is kept nowhere else.
                if let Err(problem) = keep_password(database).await {
                    tracing::warn!("{}", problem.message);
                }
                database.user()
            }
            StoreUrl::Sqlite(_) | StoreUrl::Remote(_) => None,
        };
        let opened = OpenedStore { url: store.to_string(), opened: Opened::Local { engine, grant: Box::new(grant) } };
        self.turn_to(opened, Some(keys.source().to_string()), account).await;
        Ok(())
    }

    /// Opens a server. The caller holds the lock.
    async fn open_server(&self, server: RemoteUrl, with: With) -> Result<(), Problem> {
        let given = with.token.filter(|token| !token.expose().trim().is_empty()).map(|access| Given { access, refresh: with.refresh.filter(|refresh| !refresh.is_empty()) });
        let remote = servers::open(&server, given, &self.inner.cache, &self.inner.context).await?;
        let info = remote.call("session.info", json!({})).await?;
        let account = info.pointer("/member/name").and_then(Value::as_str).map(ToOwned::to_owned);
        let url = StoreUrl::Remote(server).to_string();
        self.follow(url.clone(), &remote);
        self.turn_to(OpenedStore { url, opened: Opened::Remote(remote) }, None, account).await;
        Ok(())
    }

    /// Locks the store of a server when it will not have us any more: then a person has to give another token.
    fn follow(&self, url: String, remote: &RemoteStore) {
        let (desk, mut connection) = (self.clone(), remote.connection());
        tauri::async_runtime::spawn(async move {
            let ended = connection.wait_for(|connection| matches!(connection, Connection::Ended(_))).await.map(|ended| ended.clone());
            // An error means that the store is closed, and another one open.
            let Ok(Connection::Ended(problem)) = ended else { return };
            let mut session = desk.inner.session.write().await;
            if matches!(&*session, Session::Open(store) if store.url == url) {
                *session = Session::Locked { url, code: problem.code, message: problem.message };
                drop(session);
                desk.tell_everything_changed();
            }
        });
    }

    /// Makes this the store that is open, and puts it first on the list.
    async fn turn_to(&self, store: OpenedStore, key_source: Option<String>, account: Option<String>) {
        let url = store.url.clone();
        let before = std::mem::replace(&mut *self.inner.session.write().await, Session::Open(Arc::new(store)));
        if let Session::Open(before) = before {
            before.close().await;
        }
        // Not to be found again next time is a nuisance, no reason to keep the store shut.
        if let Err(problem) = self.inner.recents.remember(&url, key_source, account) {
            tracing::warn!("{}", problem.message);
        }
        self.tell_everything_changed();
        // An answer may take as long as the provider does, and nobody waits for that to have a store open.
        let desk = self.clone();
        tauri::async_runtime::spawn(async move { desk.bring_handed().await });
    }

    /// Remembers where the master key of a store comes from, which a rotation may have changed.
    fn remember_source(&self, store: &OpenedStore) {
        if let Opened::Local { engine, .. } = &store.opened
            && let Err(problem) = self.inner.recents.remember(&store.url, Some(engine.key_source().to_string()), None)
        {
            tracing::warn!("{}", problem.message);
        }
    }

    /// Tries again what could not be reached.
    async fn reconnect(&self) -> Result<AppState, Problem> {
        let (shut, store) = match &*self.inner.session.read().await {
            Session::Open(store) => (None, Some(store.clone())),
            Session::Locked { url, .. } => (Some(url.clone()), None),
            Session::NoStore | Session::Opening { .. } => (None, None),
        };
        if let Some(remote) = store.as_ref().and_then(|store| store.remote()) {
            remote.look().await;
        }
        if let Some(url) = shut {
            self.open(&url, With::default()).await?;
        }
        Ok(self.state().await)
    }

    /// Takes a store off the list, with what the keyring and the cache hold for it. The store stays as it is.
    async fn forget_store(&self, params: &ForgetStore) -> Result<Vec<RecentStore>, Problem> {
        if let Session::Open(store) = &*self.inner.session.read().await
            && store.url == params.url
        {
            return Err(Problem::field("/url", "This store is open. Open another one first."));
        }
        match parsed(&params.url) {
            Ok(StoreUrl::Remote(server)) => servers::forget(&server, &self.inner.cache).await?,
            Ok(StoreUrl::Postgres(database)) => aside(move || password_item(&database).delete()).await?,
            // What cannot be read any more has nothing kept for it.
            Ok(StoreUrl::Sqlite(_)) | Err(_) => {}
        }
        self.inner.recents.forget(&params.url)?;
        let mut session = self.inner.session.write().await;
        if matches!(&*session, Session::Locked { url, .. } if *url == params.url) {
            *session = Session::NoStore;
        }
        Ok(self.inner.recents.all())
    }

    fn mark_store(&self, params: MarkStore) -> Result<Vec<RecentStore>, Problem> {
        self.inner.recents.mark(&params.url, params.mark, params.label)?;
        Ok(self.inner.recents.all())
    }

    /// Begins to look through the open store. The window asks for `store.work` until it has ended.
    async fn verify_store(&self) -> Result<StoreWork, Problem> {
        let store = self.opened().await?;
        let engine = store.engine()?.clone();
        let (hand, begun) = self.inner.work.begin(&store.url, WorkKind::Verify, None, self.inner.context.now())?;
        let desk = self.clone();
        tauri::async_runtime::spawn(async move {
            let looked = moving::verify(&engine, &mut |step| hand.step(step)).await;
            let rows = |tables: &[moving::TableSum]| tables.iter().map(|table| table.rows).sum();
            desk.end(
                hand,
                "store.verify",
                looked.map(|report| WorkOutcome::Verified { rows: rows(&report.tables), sealed_values: report.sealed_values, findings: report.findings }),
            );
        });
        Ok(begun)
    }

    /// Begins to copy the open store into a new one with keys of its own.
    async fn copy_store(&self, params: CopyStore) -> Result<StoreWork, Problem> {
        let store = self.opened().await?;
        let engine = store.engine()?.clone();
        let url = stores::address(&params.url);
        let to = parsed(&url)?;
        if let Some(path) = to.file() {
            make_folder(path)?;
        }
        let keys = key_access(&params.key_source, params.passphrase)?;
        let (hand, begun) = self.inner.work.begin(&store.url, WorkKind::Copy, Some(to.to_string()), self.inner.context.now())?;
        let desk = self.clone();
        tauri::async_runtime::spawn(async move {
            let copied = moving::copy(&engine, &to, &keys, &desk.inner.context, &mut |step| hand.step(step)).await;
            if copied.is_ok()
                && let Err(problem) = desk.inner.recents.add(&to.to_string(), keys.source().to_string())
            {
                tracing::warn!("{}", problem.message);
            }
            desk.end(hand, "store.copy", copied.map(|copied| WorkOutcome::Copied { rows: copied.counts.rows(), sealed_values: copied.counts.sealed_values }));
        });
        Ok(begun)
    }

    fn end(&self, hand: Hand, command: &str, outcome: Result<WorkOutcome, Problem>) {
        hand.end(self.inner.context.now(), outcome.map_err(|problem| self.view(problem, command)));
    }

    /// The sample's key lies in a file beside it: nothing in it is worth a keyring.
    async fn open_sample(&self) -> Result<AppState, Problem> {
        let path = self.inner.sample_path.clone();
        let keys = KeyAccess::from(KeySource::File(path.with_extension("key")));
        make_folder(&path)?;
        if !path.exists() {
            let (engine, _) = installation::create_sample(&StoreUrl::Sqlite(path.clone()), &keys, self.inner.context.clone()).await?;
            engine.shutdown().await;
        }
        let _alone = self.inner.opening.lock().await;
        self.open_here(StoreUrl::Sqlite(path), keys).await?;
        Ok(self.state().await)
    }

    fn tell_everything_changed(&self) {
        self.inner.generation.send_modify(|generation| *generation += 1);
    }

    /// The application.
    pub(crate) fn app(&self) -> &AppHandle {
        &self.inner.app
    }

    /// Remembers the window of a consent.
    pub(crate) async fn show_window(&self, session: String, group: consent_window::Group) {
        *self.inner.window.lock().await = Some((session, group));
    }

    /// The window of a consent has closed. Says whether it was the one to be shown still.
    pub(crate) async fn window_gone(&self, session: &str) -> bool {
        self.inner.window.lock().await.take_if(|(open, _)| open == session).is_some()
    }

    /// Closes the consent window: of this session, or whichever is open. Gives whose it was.
    pub(crate) async fn close_window(&self, session: Option<&str>) -> Option<String> {
        let (session, group) = self.inner.window.lock().await.take_if(|(open, _)| session.is_none_or(|session| open == session))?;
        consent_window::close(&self.inner.app, group);
        Some(session)
    }

    /// Remembers who waits for a browser to come back with the answer of a consent; one for each.
    pub(crate) async fn listen(&self, session: String, waiting: JoinHandle<()>) {
        let mut listening = self.inner.listening.lock().await;
        listening.retain(|_, waiting| !waiting.inner().is_finished());
        if let Some(before) = listening.insert(session, waiting) {
            before.abort();
        }
    }

    /// Ends the waiting for a browser: for the answer of this consent, or of every one.
    pub(crate) async fn listen_no_more(&self, session: Option<&str>) {
        let mut listening = self.inner.listening.lock().await;
        listening.retain(|known, waiting| {
            let over = session.is_none_or(|session| known == session);
            if over {
                waiting.abort();
            }
            !over
        });
    }

    /// The address that was handed over and waits.
    pub(crate) fn handed_address(&self) -> &Mutex<Option<Secret>> {
        &self.inner.handed
    }

    /// Where it is told what became of what was handed over.
    pub(crate) fn told_of_handed(&self) -> &watch::Sender<HandedOver> {
        &self.inner.told_of_handed
    }

    /// Clock and randomness.
    pub(crate) fn context(&self) -> &Context {
        &self.inner.context
    }

    async fn save_file(&self, params: SaveFile) -> Result<SavedFile, Problem> {
        use tauri_plugin_dialog::DialogExt;
        let (tell, told) = tokio::sync::oneshot::channel();
        self.inner.app.dialog().file().set_file_name(&params.suggested_name).save_file(move |chosen| {
            // Nobody waits any more when the window has gone.
            let _ = tell.send(chosen);
        });
        let Some(chosen) = told.await.ok().flatten().and_then(|chosen| chosen.into_path().ok()) else { return Ok(SavedFile { path: None }) };
        tokio::fs::write(&chosen, params.content)
            .await
            .map_err(|error| Problem::new(Code::InvalidField, format!("The file {} could not be written: {error}. Choose another place.", chosen.display())))?;
        Ok(SavedFile { path: Some(chosen.display().to_string()) })
    }
}

/// What a person gave to open a store with.
#[derive(Default)]
struct With {
    key_source: Option<String>,
    passphrase: Option<Secret>,
    password: Option<Secret>,
    token: Option<Secret>,
    refresh: Option<Secret>,
}

/// The entry of the keyring that holds the password of a database's user.
fn password_item(database: &PostgresUrl) -> KeyringItem {
    KeyringItem::new(format!("password of {database}"))
}

/// The database with its password: the one given, the one in its address, or else the one in the keyring. A database that asks for
/// none has none there.
async fn with_password(database: PostgresUrl, given: Option<Secret>) -> Result<PostgresUrl, Problem> {
    if let Some(password) = given.filter(|password| !password.is_empty()) {
        return Ok(database.with_password(Some(password)));
    }
    if database.password().is_some() {
        return Ok(database);
    }
    let item = password_item(&database);
    // Where there is no keyring there is no password in it either.
    let kept = aside(move || item.read()).await.unwrap_or_else(|problem| {
        tracing::info!("{}", problem.message);
        None
    });
    Ok(database.with_password(kept))
}

/// Keeps the password with which a database was opened.
///
/// # Errors
/// `key_unavailable`: it is kept in the keyring or not at all.
async fn keep_password(database: &PostgresUrl) -> Result<(), Problem> {
    let Some(password) = database.password().cloned() else { return Ok(()) };
    let item = password_item(database);
    aside(move || if item.read()?.is_some_and(|kept| kept.expose() == password.expose()) { Ok(()) } else { item.write(password) }).await
}

/// Keyrings are used off the async threads.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal("the keyring was interrupted"))?
}

fn key_access(source: &str, passphrase: Option<Secret>) -> Result<KeyAccess, Problem> {
    match (source.parse()?, passphrase) {
        (KeySource::Passphrase, Some(passphrase)) => Ok(KeyAccess::with_passphrase(passphrase)),
        (KeySource::Passphrase, None) => Err(passphrase_needed()),
        (source, _) => Ok(KeyAccess::from(source)),
    }
}

fn passphrase_needed() -> Problem {
    Problem::new(Code::KeyUnavailable, "This store is locked with a passphrase. Enter it to open the store.").at_body("/passphrase")
}

fn source_needed() -> Problem {
    Problem::field("/key_source", "Say what protects the store's secrets: the keyring, a passphrase or a key file.")
}

fn parsed(url: &str) -> Result<StoreUrl, Problem> {
    url.parse().map_err(|problem: Problem| problem.at_body("/url"))
}

fn make_folder(path: &std::path::Path) -> Result<(), Problem> {
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder)
        .map_err(|error| Problem::new(Code::StoreReadOnly, format!("The folder {} could not be made: {error}. Choose another place or mend its permissions.", folder.display())))
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Problem> {
    serde_json::from_value(params).map_err(|error| Problem::new(Code::InvalidBody, format!("The command's params cannot be read: {error}. Update the application.")))
}

fn json<T: Serialize>(value: &T) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(Problem::internal)
}
