//! Taking a person to a provider's page and bringing the answer back, in a window of ours or in the browser. The store begins and
//! finishes the consent, be it one of this machine's or a server: verifier, client secret and exchange never leave it. What is here
//! opens the address that it is given, stops at the exact callback, and hands that address back.

use std::sync::Arc;
use std::time::Duration;

use patchbay_api::wire::host::{Connect, SwitchRoute};
use patchbay_engine::consent::loopback::Loopback;
use patchbay_model::consent::ConsentRoute;
use patchbay_model::{Code, Problem};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

use crate::consent_window::{self, ConsentEnd, ConsentPage, Recorder, Told};
use crate::desk::Desk;
use crate::opened::OpenedStore;

/// How long the loopback listener waits for a person who went to the browser; the session itself ends no later.
const BROWSER_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Most steps that are written down at once.
const MOST_AT_ONCE: usize = 50;

/// A consent that the store has begun.
struct Begun {
    /// The session as the window sees it.
    session: Value,
    /// The provider's page. It stays outside the web view.
    authorize_url: Option<Url>,
    /// Where the person sets out, where a server takes the answer.
    start_url: Option<Url>,
    /// The exact address at which the answer comes.
    redirect_uri: Url,
}

impl Begun {
    fn id(&self) -> String {
        text(&self.session, "id")
    }

    fn page(&self) -> Result<&Url, Problem> {
        self.authorize_url.as_ref().ok_or_else(|| Problem::internal("a consent has begun without the provider's page"))
    }
}

/// What is to be gone on a way.
#[derive(Clone)]
enum Errand {
    /// A consent for this integration, which begins.
    Begin { account: String, integration: String },
    /// A consent that is under way, which goes on.
    Switch { session: String, account: String, integration: String },
}

impl Desk {
    /// Begins a consent and takes the person there. A provider that refuses embedded windows is opened in the browser.
    ///
    /// # Errors
    /// Problems of the store, and those of opening a window or the browser.
    pub(crate) async fn connect(&self, params: Connect) -> Result<Value, Problem> {
        let store = self.opened().await?;
        self.go(store, Errand::Begin { account: params.account_id, integration: params.integration_id }, params.route).await
    }

    /// Goes on with a consent on another way. What the person did on the way before is not lost: its answer is still taken.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub(crate) async fn switch_route(&self, params: SwitchRoute) -> Result<Value, Problem> {
        let store = self.opened().await?;
        let session = store.result("connect.get", json!({ "path": { "connect_session_id": params.connect_session_id } })).await?;
        let errand = Errand::Switch { session: params.connect_session_id, account: text(&session, "account_id"), integration: text(&session, "integration_id") };
        self.go(store, errand, params.route).await
    }

    async fn go(&self, store: Arc<OpenedStore>, errand: Errand, route: ConsentRoute) -> Result<Value, Problem> {
        match route {
            ConsentRoute::Window => self.go_in_window(store, errand).await,
            ConsentRoute::Browser => self.go_in_browser(store, errand).await,
            ConsentRoute::Paste => self.go_by_paste(store, errand).await,
            ConsentRoute::Link | ConsentRoute::Device => Err(Problem::field(
                "/route",
                "The application connects in its window, in the browser, or by the address at which a browser ends. Use `window`, `browser` or `paste`.",
            )),
        }
    }

    async fn go_in_window(&self, store: Arc<OpenedStore>, errand: Errand) -> Result<Value, Problem> {
        let begun = match begin(&store, &errand, ConsentRoute::Window, None).await {
            Ok(begun) => begun,
            Err(problem) if problem.code == Code::ConsentRouteUnavailable => return self.go_in_browser(store, errand).await,
            Err(problem) => return Err(problem),
        };
        let id = begun.id();
        let (recorder, told) = Recorder::new(self.context(), begun.page()?);
        let page = match page(&store, &begun, recorder).await {
            Ok(page) => page,
            Err(problem) => {
                cancel(&store, &id).await?;
                return Err(problem);
            }
        };
        self.put_window_away(&store, &id).await?;
        let (desk, opened, session) = (self.clone(), store.clone(), begun.session.clone());
        let ended = move |end: ConsentEnd| {
            tauri::async_runtime::spawn(async move { desk.window_ended(&opened, &session, end).await });
        };
        match consent_window::open(self.app(), &page, ended) {
            Ok(group) => {
                tauri::async_runtime::spawn(record(store.clone(), id.clone(), told));
                self.show_window(id, group).await;
            }
            Err(error) => {
                cancel(&store, &id).await?;
                return Err(Problem::internal(format_args!("the consent window could not be opened ({error}); connect in the browser")));
            }
        }
        Ok(begun.session)
    }

    /// Closes the window that is open. A consent of another session ends with it; one that goes on does not.
    async fn put_window_away(&self, store: &OpenedStore, session: &str) -> Result<(), Problem> {
        match self.close_window(None).await {
            Some(before) if before != session => cancel(store, &before).await,
            _ => Ok(()),
        }
    }

    async fn window_ended(&self, store: &Arc<OpenedStore>, session: &Value, end: ConsentEnd) {
        let id = text(session, "id");
        let was_shown = self.window_gone(&id).await;
        let outcome = match end {
            ConsentEnd::Callback(url) => {
                let finished = finish(store, &id, &url).await;
                self.listen_no_more(Some(&id)).await;
                finished
            }
            // Put away for another way, it was nobody's wish to give up.
            ConsentEnd::Cancelled if !was_shown => Ok(()),
            ConsentEnd::Cancelled => cancel(store, &id).await,
            ConsentEnd::ContinueInBrowser => {
                let errand = Errand::Switch { session: id.clone(), account: text(session, "account_id"), integration: text(session, "integration_id") };
                Box::pin(self.go_in_browser(store.clone(), errand)).await.map(drop)
            }
        };
        if !matches!(outcome, Ok(()) if !was_shown) {
            told(&id, outcome);
        }
    }

    async fn go_in_browser(&self, store: Arc<OpenedStore>, errand: Errand) -> Result<Value, Problem> {
        let (listener, begun) = self.begin_in_browser(&store, &errand).await?;
        let id = begun.id();
        self.put_window_away(&store, &id).await?;
        let mut session = begun.session.clone();
        let start = match &listener {
            Some(listener) => listener.start_url(),
            None => begun.start_url.clone().ok_or_else(|| Problem::internal("a server began a consent by link without a link"))?,
        };
        if let Some(members) = session.as_object_mut() {
            members.insert("start_url".to_owned(), start.as_str().into());
        }
        // Otherwise the server hears the answer itself, and the session tells what came of it.
        if let Some(listener) = listener {
            let (store, page, session) = (store.clone(), begun.page()?.clone(), id.clone());
            let desk = self.clone();
            let waiting = tauri::async_runtime::spawn(async move {
                let outcome = match listener.wait(&page, BROWSER_PATIENCE).await {
                    Ok(url) => finish(&store, &session, &url).await,
                    Err(problem) => Err(problem),
                };
                desk.close_window(Some(&session)).await;
                told(&session, outcome);
            });
            self.listen(id.clone(), waiting).await;
        }
        if let Err(error) = tauri_plugin_opener::open_url(start.as_str(), None::<&str>) {
            tracing::warn!(%error, "the system's browser could not be opened; the window shows the address to copy");
        }
        Ok(session)
    }

    /// Begins a consent whose answer comes to a listener on this machine, at the address that is registered: at any port, where
    /// the provider takes that. Where none is registered, a server takes the answer at its own address, and there is no listener.
    async fn begin_in_browser(&self, store: &Arc<OpenedStore>, errand: &Errand) -> Result<(Option<Loopback>, Begun), Problem> {
        let (Errand::Begin { account, integration } | Errand::Switch { account, integration, .. }) = errand;
        let path = json!({ "account_id": account, "integration_id": integration });
        let offers = store.result("connect.routes", json!({ "path": path, "query": { "window": true, "browser": true } })).await?;
        let offer = |route: ConsentRoute| offers.as_array().into_iter().flatten().find(|offer| offer["route"] == route.as_str());
        let can = |offer: &&Value| offer.get("why_not").is_none();
        if let Some(browser) = offer(ConsentRoute::Browser).filter(can) {
            let registered = address(browser, "redirect_uri")?;
            let any_port = browser["any_port"] == true;
            let listener = match Loopback::bind(self.context(), &registered, any_port).await {
                Ok(listener) => listener,
                // A consent before this one may still be waited for.
                Err(_) => {
                    self.listen_no_more(None).await;
                    Loopback::bind(self.context(), &registered, any_port).await?
                }
            };
            let begun = begin(store, errand, ConsentRoute::Browser, Some(listener.redirect_uri())).await?;
            return Ok((Some(listener), begun));
        }
        if store.remote().is_some() && offer(ConsentRoute::Link).filter(can).is_some() {
            return Ok((None, begin(store, errand, ConsentRoute::Link, None).await?));
        }
        let why: Vec<&str> = [ConsentRoute::Browser, ConsentRoute::Link].into_iter().filter_map(offer).filter_map(|offer| offer["why_not"].as_str()).collect();
        Err(Problem::new(
            Code::ConsentRouteUnavailable,
            format!("The provider app has no redirect URI that leads from a browser to this application or to the server. {} Or connect in the window.", why.join(" ")),
        ))
    }

    async fn go_by_paste(&self, store: Arc<OpenedStore>, errand: Errand) -> Result<Value, Problem> {
        let begun = begin(&store, &errand, ConsentRoute::Paste, None).await?;
        self.put_window_away(&store, &begun.id()).await?;
        if let Err(error) = tauri_plugin_opener::open_url(begun.page()?.as_str(), None::<&str>) {
            return Err(Problem::internal(format_args!("the system's browser could not be opened ({error}); set a default browser")));
        }
        Ok(begun.session)
    }
}

async fn begin(store: &OpenedStore, errand: &Errand, route: ConsentRoute, redirect_uri: Option<&Url>) -> Result<Begun, Problem> {
    let mut session = match errand {
        Errand::Begin { integration, .. } => {
            let body = json!({ "integration_id": integration, "route": route, "redirect_uri": redirect_uri });
            store.result("connect.begin", json!({ "body": body })).await?
        }
        Errand::Switch { session, .. } => {
            let body = json!({ "route": route, "redirect_uri": redirect_uri });
            store.result("connect.switch", json!({ "path": { "connect_session_id": session }, "body": body })).await?
        }
    };
    let found = |name: &str| text(&session, name).parse::<Url>().ok();
    let (authorize_url, start_url, redirect_uri) = (found("authorize_url"), found("start_url"), address(&session, "redirect_uri")?);
    if let Some(members) = session.as_object_mut() {
        members.remove("authorize_url");
    }
    let begun = Begun { session, authorize_url, start_url, redirect_uri };
    // A server says where to go. It must not make the system open a file or another program.
    let bad = begun.authorize_url.iter().chain(&begun.start_url).find(|url| !matches!(url.scheme(), "https" | "http"));
    let Some(scheme) = bad.map(|url| url.scheme().to_owned()) else { return Ok(begun) };
    cancel(store, &begun.id()).await?;
    Err(Problem::new(
        Code::ProviderInvalidAnswer,
        format!("The provider's page is at an address that is no web address ({scheme}:). Nothing was opened; correct the provider's configuration."),
    ))
}

/// Writes down what the windows of a consent saw, until the last of them has closed. The consent goes on whether or not it is recorded.
async fn record(store: Arc<OpenedStore>, session: String, mut told: mpsc::Receiver<Told>) {
    let path = json!({ "connect_session_id": session });
    let mut waiting = Vec::new();
    while told.recv_many(&mut waiting, MOST_AT_ONCE).await > 0 {
        let mut steps = Vec::new();
        for one in waiting.drain(..) {
            match one {
                Told::Step { kind, at, seen } => steps.push(json!({ "kind": kind, "at": at, "seen": seen })),
                Told::Page { seen, text, answer } => {
                    // What was seen before it stands before it.
                    write_down(&store, &path, std::mem::take(&mut steps)).await;
                    let found = store.result("connect.explain", json!({ "path": path, "body": { "seen": seen, "text": text } })).await;
                    let explained = found.map(|found| found.get("explanation").and_then(|explanation| serde_json::from_value(explanation.clone()).ok()));
                    // Nobody waits any more when the window has gone.
                    let _ = answer.send(explained);
                }
            }
        }
        write_down(&store, &path, steps).await;
    }
}

async fn write_down(store: &OpenedStore, path: &Value, steps: Vec<Value>) {
    if steps.is_empty() {
        return;
    }
    if let Err(problem) = store.run("connect.record", json!({ "path": path, "body": { "steps": steps } })).await {
        tracing::debug!(code = problem.code.as_str(), "what a consent's window saw could not be recorded");
    }
}

async fn finish(store: &OpenedStore, session: &str, callback: &Url) -> Result<(), Problem> {
    store.run("connect.finish", json!({ "path": { "connect_session_id": session }, "body": { "callback_url": callback } })).await.map(drop)
}

async fn cancel(store: &OpenedStore, session: &str) -> Result<(), Problem> {
    store.run("connect.cancel", json!({ "path": { "connect_session_id": session } })).await.map(drop)
}

/// The session says the same, and the window shows it from there.
fn told(session: &str, outcome: Result<(), Problem>) {
    if let Err(problem) = outcome {
        tracing::info!(code = problem.code.as_str(), session, "a consent ended without tokens");
    }
}

/// What the consent window's strip says.
async fn page(store: &OpenedStore, begun: &Begun, recorder: Recorder) -> Result<ConsentPage, Problem> {
    let (account_id, integration_id) = (text(&begun.session, "account_id"), text(&begun.session, "integration_id"));
    let organization = store.result("organization.get", json!({})).await?;
    let account = store.result("accounts.get", json!({ "path": { "account_id": account_id } })).await?;
    let integration = store.result("integrations.get", json!({ "path": { "account_id": account_id, "integration_id": integration_id } })).await?;
    let provider_id = text(&integration, "provider_type");
    let provider =
        store.result("capabilities.get_provider", json!({ "path": { "provider_id": provider_id } })).await.map_or_else(|_| String::new(), |provider| text(&provider, "fullname"));
    Ok(ConsentPage {
        organization: text(&organization, "fullname"),
        account: text(&account, "fullname"),
        provider: if provider.is_empty() { provider_id } else { provider },
        authorize_url: begun.page()?.clone(),
        redirect_uri: begun.redirect_uri.clone(),
        recorder,
    })
}

fn address(value: &Value, name: &str) -> Result<Url, Problem> {
    text(value, name).parse().map_err(|_| Problem::internal(format_args!("a consent was told without {name}")))
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
