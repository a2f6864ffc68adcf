//! What only the desktop can do: create and open stores, take people to consent, save files.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use patchbay_api::wire;
use patchbay_api::wire::consent::ConnectSession;
use patchbay_api::wire::host::{
    AppState, Connect, CopyStore, CreateStore, ForgetStore, Host, MarkStore, OpenStore, RecentStore, SaveFile, SavedFile, SessionInfo, SessionMember, StoreInfo, StoreWork,
    WorkKind, WorkOutcome,
};
use patchbay_engine::consent::loopback::Loopback;
use patchbay_engine::consent::{self, BeginConsent, Begun};
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::{CallerInfo, Engine, Grant, ManagementGrant, NetworkPolicy, account, audit, changes, integration, member, moving, organization};
use patchbay_model::change::{Change, ChangeKind};
use patchbay_model::consent::ConsentRoute;
use patchbay_model::{Code, ConnectSessionId, Context, Origin, Problem, Secret};
use patchbay_vault::{KeyAccess, KeySource, system_context};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex, RwLock, watch};

use crate::consent_window::{self, ConsentEnd, ConsentPage};
use crate::stores::{self, Recents};
use crate::work::{Hand, Work};

/// How long the loopback listener waits for a person who went to the browser; the session itself ends no later.
const BROWSER_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// How long a store that does not answer is left alone.
const RETRY: Duration = Duration::from_millis(500);

/// The store that is open, with the grant of the holder of its key.
struct OpenedStore {
    /// Where it is, without secrets.
    url: String,
    engine: Engine,
    grant: ManagementGrant,
}

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
    recents: Recents,
    session: RwLock<Session>,
    work: Work,
    /// One store is opened at a time, so that the one asked for last is the one that is open in the end.
    opening: Mutex<()>,
    /// Rises whenever another store is opened, so that listeners turn to it.
    generation: watch::Sender<u64>,
    /// One consent at a time has a window; beginning another, or cancelling, closes it.
    window: Mutex<Option<(ConnectSessionId, consent_window::Group)>>,
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
                network: NetworkPolicy { allow_private },
                default_path: data.join("patchbay.db"),
                sample_path: data.join("sample.db"),
                session: RwLock::new(last.map_or(Session::NoStore, |last| Session::Opening { url: last.url })),
                work: Work::default(),
                opening: Mutex::new(()),
                recents,
                generation: watch::Sender::new(0),
                window: Mutex::new(None),
            }),
        })
    }

    /// Opens the store that was open last, if any. What stands in the way is shown by the window as `app.state`.
    pub(crate) async fn open_last(&self) {
        let Some(last) = self.inner.recents.all().into_iter().next() else { return };
        let opened = match last.key_source.as_deref().map(str::parse).transpose() {
            // Nobody has typed the passphrase yet; the window asks for it.
            Ok(Some(KeySource::Passphrase)) => Err(passphrase_needed()),
            Ok(Some(source)) => self.open(&last.url, KeyAccess::from(source)).await,
            Ok(None) => Err(source_needed()),
            Err(problem) => Err(problem),
        };
        if let Err(problem) = opened {
            let mut session = self.inner.session.write().await;
            // The person may have opened another one meanwhile.
            if matches!(&*session, Session::Opening { .. }) {
                *session = Session::Locked { url: last.url, code: problem.code, message: problem.message };
            }
        }
    }

    /// Writes out what is kept in memory.
    pub(crate) async fn close(&self) {
        if let Session::Open(store) = &*self.inner.session.read().await {
            store.engine.shutdown().await;
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
            "app.reconnect" => json(&self.state().await),
            "app.create_sample" => json(&self.open_sample().await?),
            "session.info" => json(&self.session_info().await?),
            "consent.connect" => json(&self.connect(read(params)?).await?),
            "file.save" => json(&self.save_file(read(params)?).await?),
            _ => {
                let store = self.opened().await?;
                let grant = called(&store.grant, command, &params);
                let answer = patchbay_api::rpc::dispatch(&store.engine, &grant, command, params.clone()).await;
                if let Err(problem) = &answer {
                    audit::refused(&store.engine, Some(&Grant::Management(grant.clone())), command, grant.caller(), problem).await;
                }
                if command == "connect.cancel" && answer.is_ok() {
                    self.close_window(params.pointer("/path/connect_session_id").and_then(Value::as_str)).await;
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
                        gone = pass_on(&store, &channel) => {
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

    async fn state(&self) -> AppState {
        let default_path = self.inner.default_path.display().to_string();
        match &*self.inner.session.read().await {
            Session::NoStore => AppState::NoStore { default_path },
            Session::Opening { url } => AppState::Opening { store: self.inner.recents.get(url), default_path },
            Session::Locked { url, code, message } => AppState::Locked { store: self.inner.recents.get(url), code: *code, message: message.clone(), default_path },
            Session::Open(store) => AppState::Open { store: self.inner.recents.get(&store.url) },
        }
    }

    async fn opened(&self) -> Result<Arc<OpenedStore>, Problem> {
        match &*self.inner.session.read().await {
            Session::Open(store) => Ok(store.clone()),
            Session::NoStore => Err(Problem::new(Code::StoreMissing, "No store is open. Create one, open one, or explore the sample organization.")),
            Session::Opening { url } => Err(Problem::new(Code::StoreBusy, format!("{url} is being opened. Try again in a moment."))),
            Session::Locked { code, message, .. } => Err(Problem::new(*code, message.clone())),
        }
    }

    async fn create_store(&self, params: CreateStore) -> Result<AppState, Problem> {
        let given = params.url.filter(|url| !url.trim().is_empty());
        let url = stores::address(&given.unwrap_or_else(|| self.inner.default_path.display().to_string()));
        let store = parsed(&url)?;
        if let Some(path) = store.file() {
            if path.exists() {
                return Err(Problem::field("/url", format!("There is a file at {} already. Open it, or choose another place.", path.display())));
            }
            make_folder(path)?;
        }
        let keys = key_access(&params.key_source, params.passphrase)?;
        let (engine, _) = installation::create(&store, &keys, &params.organization, self.inner.context.clone()).await?;
        engine.shutdown().await;
        self.open(&url, keys).await?;
        Ok(self.state().await)
    }

    async fn open_store(&self, params: OpenStore) -> Result<AppState, Problem> {
        let url = stores::address(&params.url);
        let source = params.key_source.or_else(|| self.inner.recents.get(&url).key_source).ok_or_else(source_needed)?;
        let keys = key_access(&source, params.passphrase)?;
        self.open(&url, keys).await?;
        Ok(self.state().await)
    }

    async fn forget_store(&self, params: &ForgetStore) -> Result<Vec<RecentStore>, Problem> {
        if let Session::Open(store) = &*self.inner.session.read().await
            && store.url == params.url
        {
            return Err(Problem::field("/url", "This store is open. Open another one first."));
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
        let (hand, begun) = self.inner.work.begin(&store.url, WorkKind::Verify, None, self.inner.context.now())?;
        let desk = self.clone();
        tauri::async_runtime::spawn(async move {
            let looked = moving::verify(&store.engine, &mut |step| hand.step(step)).await;
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
        let url = stores::address(&params.url);
        let to = parsed(&url)?;
        if let Some(path) = to.file() {
            make_folder(path)?;
        }
        let keys = key_access(&params.key_source, params.passphrase)?;
        let (hand, begun) = self.inner.work.begin(&store.url, WorkKind::Copy, Some(to.to_string()), self.inner.context.now())?;
        let desk = self.clone();
        tauri::async_runtime::spawn(async move {
            let copied = moving::copy(&store.engine, &to, &keys, &desk.inner.context, &mut |step| hand.step(step)).await;
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
        self.open(&format!("sqlite:{}", path.display()), keys).await?;
        Ok(self.state().await)
    }

    async fn open(&self, url: &str, keys: KeyAccess) -> Result<(), Problem> {
        let _alone = self.inner.opening.lock().await;
        let engine = installation::open(&parsed(url)?, &keys, self.inner.context.clone(), self.inner.network, Origin::Desktop).await?;
        let first = engine.organizations().await?.into_iter().next();
        let organization = first.ok_or_else(|| Problem::new(Code::StoreDamaged, format!("The store {url} holds no organization. Restore it from a copy.")))?;
        let grant = engine.local_grant(organization.id, Origin::Desktop).await?;
        patchbay_engine::backup::start(&engine);
        let store = OpenedStore { url: url.to_owned(), engine, grant };
        let before = std::mem::replace(&mut *self.inner.session.write().await, Session::Open(Arc::new(store)));
        if let Session::Open(before) = before {
            before.engine.shutdown().await;
        }
        // Not to be found again next time is a nuisance, no reason to keep the store shut.
        if let Err(problem) = self.inner.recents.remember(url, Some(keys.source().to_string()), None) {
            tracing::warn!("{}", problem.message);
        }
        self.tell_everything_changed();
        Ok(())
    }

    fn tell_everything_changed(&self) {
        self.inner.generation.send_modify(|generation| *generation += 1);
    }

    async fn session_info(&self) -> Result<SessionInfo, Problem> {
        let store = self.opened().await?;
        let organization = organization::get(&store.engine, &store.grant).await?;
        let who = member::get(&store.engine, &store.grant, &store.grant.member().to_string()).await?;
        let sample = organization.sample;
        let known = self.inner.recents.get(&store.url);
        Ok(SessionInfo {
            host: Host::Desktop,
            store: StoreInfo { label: known.label, kind: known.kind, url: Some(known.url), mark: known.mark, offline_since: None },
            organization: organization.into(),
            member: SessionMember { id: who.id, name: who.name, fullname: who.fullname },
            permission_set: store.grant.permission_set(),
            sample,
            read_only: store.engine.read_only(),
            public_url: None,
            link_redirect_uri: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            token_id: None,
            expires: None,
        })
    }

    /// Begins a consent and takes the person there. A provider that refuses embedded windows is opened in the browser.
    async fn connect(&self, params: Connect) -> Result<ConnectSession, Problem> {
        let id = params.integration_id.parse().map_err(|_| Problem::not_found("integration", &params.integration_id))?;
        match params.route {
            ConsentRoute::Window => self.connect_in_window(id).await,
            ConsentRoute::Browser => self.connect_in_browser(id).await,
            ConsentRoute::Link => Err(Problem::field("/route", "The application connects in its window or in the browser. Use `window` or `browser`.")),
        }
    }

    async fn connect_in_window(&self, id: patchbay_model::IntegrationId) -> Result<ConnectSession, Problem> {
        let store = self.opened().await?;
        let begin = BeginConsent { integration: id, route: ConsentRoute::Window, redirect_uri: None, end_user: None };
        let begun = consent::begin(&store.engine, &called(&store.grant, "consent.connect", &Value::Null), begin).await?;
        if !begun.embedded_window {
            consent::cancel(&store.engine, &store.grant, begun.session.id).await?;
            return self.connect_in_browser(id).await;
        }
        let page = consent_page(&store, &begun).await?;
        let (desk, opened, session) = (self.clone(), store.clone(), begun.session.id);
        self.close_window(None).await;
        let ended = move |end: ConsentEnd| {
            tauri::async_runtime::spawn(async move { desk.window_ended(&opened, session, id, end).await });
        };
        let group = match consent_window::open(&self.inner.app, &page, ended) {
            Ok(group) => group,
            Err(error) => {
                consent::cancel(&store.engine, &store.grant, session).await?;
                return Err(Problem::internal(format_args!("the consent window could not be opened ({error}); connect in the browser")));
            }
        };
        *self.inner.window.lock().await = Some((session, group));
        Ok(ConnectSession::view(begun.session, None))
    }

    async fn window_ended(&self, store: &OpenedStore, session: ConnectSessionId, id: patchbay_model::IntegrationId, end: ConsentEnd) {
        self.inner.window.lock().await.take_if(|(open, _)| *open == session);
        let outcome = match end {
            ConsentEnd::Callback(url) => consent::finish(&store.engine, &store.grant, session, url.as_str()).await.map(drop),
            ConsentEnd::Cancelled => consent::cancel(&store.engine, &store.grant, session).await.map(drop),
            ConsentEnd::ContinueInBrowser => match consent::cancel(&store.engine, &store.grant, session).await {
                Ok(_) => self.connect_in_browser(id).await.map(drop),
                Err(problem) => Err(problem),
            },
        };
        // The session says the same, and the window shows it from there.
        if let Err(problem) = outcome {
            tracing::info!(code = problem.code.as_str(), %session, "a consent ended without tokens");
        }
    }

    async fn connect_in_browser(&self, id: patchbay_model::IntegrationId) -> Result<ConnectSession, Problem> {
        let store = self.opened().await?;
        let loopback = Loopback::bind(consent::loopback_port(&store.engine, &store.grant, id).await?).await?;
        let begin = BeginConsent { integration: id, route: ConsentRoute::Browser, redirect_uri: Some(loopback.redirect_uri().to_string()), end_user: None };
        let begun = consent::begin(&store.engine, &called(&store.grant, "consent.connect", &Value::Null), begin).await?;
        let session = begun.session.id;
        if let Err(error) = tauri_plugin_opener::open_url(begun.authorize_url.as_str(), None::<&str>) {
            consent::cancel(&store.engine, &store.grant, session).await?;
            return Err(Problem::internal(format_args!("the system's browser could not be opened ({error}); set a default browser")));
        }
        tauri::async_runtime::spawn(async move {
            let outcome = match loopback.wait(BROWSER_PATIENCE).await {
                Ok(url) => consent::finish(&store.engine, &store.grant, session, url.as_str()).await.map(drop),
                Err(problem) => consent::cancel(&store.engine, &store.grant, session).await.and(Err(problem)),
            };
            if let Err(problem) = outcome {
                tracing::info!(code = problem.code.as_str(), %session, "a consent ended without tokens");
            }
        });
        Ok(ConnectSession::view(begun.session, None))
    }

    /// Closes the consent window: of this session, or whichever is open.
    async fn close_window(&self, session: Option<&str>) {
        let open = self.inner.window.lock().await.take_if(|(open, _)| session.is_none_or(|session| open.to_string() == session));
        if let Some((_, group)) = open {
            consent_window::close(&self.inner.app, group);
        }
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

/// Most changes sent at once; behind that, the window reads everything anew.
const MOST_CHANGES: u32 = 500;

/// Passes changes on until the window goes (true) or the store cannot be asked for a while (false).
async fn pass_on(store: &OpenedStore, channel: &Channel<Change>) -> bool {
    let mut woken = store.engine.subscribe();
    let Ok(mut seen) = changes::latest(&store.engine).await else {
        tokio::time::sleep(RETRY).await;
        return false;
    };
    loop {
        match woken.recv().await {
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => {
                tokio::time::sleep(RETRY).await;
                return false;
            }
        }
        // One wake-up stands for all that came with it.
        while woken.try_recv().is_ok() {}
        let Ok(page) = changes::since(&store.engine, &store.grant, seen, MOST_CHANGES).await else { continue };
        let behind = page.len() >= MOST_CHANGES as usize;
        seen = page.last().map_or(seen, |change| change.sequence);
        let sent = if behind {
            seen = changes::latest(&store.engine).await.unwrap_or(seen);
            send_everything_changed(channel)
        } else {
            page.into_iter().try_for_each(|change| channel.send(change))
        };
        if sent.is_err() {
            return true;
        }
    }
}

/// What the consent window's strip says.
async fn consent_page(store: &OpenedStore, begun: &Begun) -> Result<ConsentPage, Problem> {
    let (account_id, integration_id) = (begun.session.account_id.to_string(), begun.session.integration_id.to_string());
    let organization = organization::get(&store.engine, &store.grant).await?;
    let account = account::get(&store.engine, &store.grant, &account_id).await?;
    let integration = integration::get(&store.engine, &store.grant, &account_id, &integration_id).await?;
    let provider = store.engine.catalog().get(&integration.provider).map_or_else(|| integration.provider.to_string(), |provider| provider.fullname().to_owned());
    Ok(ConsentPage {
        organization: organization.fullname.to_string(),
        account: account.fullname.to_string(),
        provider,
        authorize_url: begun.authorize_url.clone(),
        redirect_uri: begun.session.redirect_uri.parse().map_err(Problem::internal)?,
    })
}

/// The holder's grant, for one command.
fn called(grant: &ManagementGrant, command: &str, params: &Value) -> ManagementGrant {
    grant.with_caller(CallerInfo { path: command.to_owned(), body: params.get("body").cloned(), ..CallerInfo::local(Origin::Desktop) })
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

fn send_everything_changed(channel: &Channel<Change>) -> tauri::Result<()> {
    const KINDS: [ChangeKind; 10] = [
        ChangeKind::Organization,
        ChangeKind::Member,
        ChangeKind::Account,
        ChangeKind::IntegrationPoint,
        ChangeKind::Integration,
        ChangeKind::Credential,
        ChangeKind::Token,
        ChangeKind::ProviderApp,
        ChangeKind::ConnectSession,
        ChangeKind::Audit,
    ];
    KINDS.into_iter().try_for_each(|kind| channel.send(Change { sequence: 0, kind, id: String::new(), account_id: None, origin: Origin::Background }))
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Problem> {
    serde_json::from_value(params).map_err(|error| Problem::new(Code::InvalidBody, format!("The command's params cannot be read: {error}. Update the application.")))
}

fn json<T: Serialize>(value: &T) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(Problem::internal)
}
