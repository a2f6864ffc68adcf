//! Taking a person to a provider's page and bringing the answer back, in a window of ours or in the browser. The store begins and
//! finishes the consent, be it one of this machine's or a server: verifier, client secret and exchange never leave it. What is here
//! opens the address that it is given, stops at the exact callback, and hands that address back.

use std::sync::Arc;
use std::time::Duration;

use patchbay_api::wire::host::Connect;
use patchbay_engine::consent::loopback::{CALLBACK_PATH, Loopback};
use patchbay_model::consent::ConsentRoute;
use patchbay_model::{Code, Problem};
use serde_json::{Value, json};
use url::Url;

use crate::consent_window::{self, ConsentEnd, ConsentPage};
use crate::desk::Desk;
use crate::opened::{Opened, OpenedStore};

/// How long the loopback listener waits for a person who went to the browser; the session itself ends no later.
const BROWSER_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// A consent that the store has begun.
struct Begun {
    /// The session as the window sees it.
    session: Value,
    /// The provider's page. It stays outside the web view.
    authorize_url: Url,
    /// The exact address at which the answer comes.
    redirect_uri: Url,
    embedded_window: bool,
}

impl Begun {
    fn id(&self) -> String {
        text(&self.session, "id")
    }
}

impl Desk {
    /// Begins a consent and takes the person there. A provider that refuses embedded windows is opened in the browser.
    ///
    /// # Errors
    /// Problems of the store, and those of opening a window or the browser.
    pub(crate) async fn connect(&self, params: Connect) -> Result<Value, Problem> {
        match params.route {
            ConsentRoute::Window => self.connect_in_window(&params.integration_id).await,
            ConsentRoute::Browser => self.connect_in_browser(&params.integration_id).await,
            ConsentRoute::Link => Err(Problem::field("/route", "The application connects in its window or in the browser. Use `window` or `browser`.")),
        }
    }

    async fn connect_in_window(&self, integration: &str) -> Result<Value, Problem> {
        let store = self.opened().await?;
        let begun = begin(&store, integration, ConsentRoute::Window, None).await?;
        let id = begun.id();
        if !begun.embedded_window {
            cancel(&store, &id).await?;
            return self.connect_in_browser(integration).await;
        }
        let page = match page(&store, &begun).await {
            Ok(page) => page,
            Err(problem) => {
                cancel(&store, &id).await?;
                return Err(problem);
            }
        };
        self.close_window(None).await;
        let (desk, opened, session, integration) = (self.clone(), store.clone(), id.clone(), integration.to_owned());
        let ended = move |end: ConsentEnd| {
            tauri::async_runtime::spawn(async move { desk.window_ended(&opened, &session, &integration, end).await });
        };
        match consent_window::open(self.app(), &page, ended) {
            Ok(group) => self.show_window(id, group).await,
            Err(error) => {
                cancel(&store, &id).await?;
                return Err(Problem::internal(format_args!("the consent window could not be opened ({error}); connect in the browser")));
            }
        }
        Ok(begun.session)
    }

    async fn window_ended(&self, store: &OpenedStore, session: &str, integration: &str, end: ConsentEnd) {
        self.window_gone(session).await;
        let outcome = match end {
            ConsentEnd::Callback(url) => finish(store, session, &url).await,
            ConsentEnd::Cancelled => cancel(store, session).await,
            ConsentEnd::ContinueInBrowser => match cancel(store, session).await {
                Ok(()) => Box::pin(self.connect_in_browser(integration)).await.map(drop),
                Err(problem) => Err(problem),
            },
        };
        told(session, outcome);
    }

    async fn connect_in_browser(&self, integration: &str) -> Result<Value, Problem> {
        let store = self.opened().await?;
        let (loopback, begun) = begin_in_browser(&store, integration).await?;
        let id = begun.id();
        if let Err(error) = tauri_plugin_opener::open_url(begun.authorize_url.as_str(), None::<&str>) {
            cancel(&store, &id).await?;
            return Err(Problem::internal(format_args!("the system's browser could not be opened ({error}); set a default browser")));
        }
        // Otherwise the server hears the answer itself, and the session tells what came of it.
        if let Some(loopback) = loopback {
            tauri::async_runtime::spawn(async move {
                let outcome = match loopback.wait(BROWSER_PATIENCE).await {
                    Ok(url) => finish(&store, &id, &url).await,
                    Err(problem) => cancel(&store, &id).await.and(Err(problem)),
                };
                told(&id, outcome);
            });
        }
        Ok(begun.session)
    }
}

/// Begins a consent whose answer comes to a listener on this machine. Most providers take every port of the loopback address; for
/// one that takes only what is registered, the store knows which port that is. Where none is registered at all, a server takes the
/// answer at its own address, and there is no listener.
async fn begin_in_browser(store: &Arc<OpenedStore>, integration: &str) -> Result<(Option<Loopback>, Begun), Problem> {
    let port = match &store.opened {
        Opened::Local { engine, grant } => {
            let id = integration.parse().map_err(|_| Problem::not_found("integration", integration))?;
            patchbay_engine::consent::loopback_port(engine, grant, id).await?
        }
        Opened::Remote(_) => None,
    };
    let loopback = Loopback::bind(port).await?;
    let problem = match begin(store, integration, ConsentRoute::Browser, Some(loopback.redirect_uri())).await {
        Ok(begun) => return Ok((Some(loopback), begun)),
        Err(problem) => problem,
    };
    let Some(remote) = store.remote().filter(|_| not_registered(&problem)) else { return Err(problem) };
    drop(loopback);
    // A server was not asked for the port. Without an address it takes the registered one, and tells it.
    if let Ok(begun) = begin(store, integration, ConsentRoute::Browser, None).await {
        match at(&begun.redirect_uri).await {
            Some(loopback) => return Ok((Some(loopback), begun)),
            None => cancel(store, &begun.id()).await?,
        }
    }
    let info = remote.call("session.info", json!({})).await?;
    let Some(servers) = text(&info, "link_redirect_uri").parse::<Url>().ok() else { return Err(problem) };
    match begin(store, integration, ConsentRoute::Link, Some(&servers)).await {
        Ok(begun) => Ok((None, begun)),
        Err(problem) if not_registered(&problem) => Err(Problem::new(
            Code::ConsentCallbackMismatch,
            format!(
                "The provider app has no redirect URI that leads from a browser to this application or to the server. Register http://127.0.0.1:PORT{CALLBACK_PATH} or {servers} at the provider and add it to the app, or connect in the window."
            ),
        )),
        Err(problem) => Err(problem),
    }
}

/// A listener at exactly this address, where there can be one.
async fn at(redirect_uri: &Url) -> Option<Loopback> {
    let loopback = Loopback::bind(Some(redirect_uri.port()?)).await.ok()?;
    (loopback.redirect_uri() == redirect_uri).then_some(loopback)
}

fn not_registered(problem: &Problem) -> bool {
    problem.code == Code::InvalidField && problem.context.parameter.as_ref().is_some_and(|parameter| parameter.id == "/redirect_uri")
}

async fn begin(store: &OpenedStore, integration: &str, route: ConsentRoute, redirect_uri: Option<&Url>) -> Result<Begun, Problem> {
    let body = json!({ "integration_id": integration, "route": route, "redirect_uri": redirect_uri });
    let mut session = store.result("connect.begin", json!({ "body": body })).await?;
    let url = |session: &Value, name: &str| text(session, name).parse::<Url>().map_err(|_| Problem::internal(format_args!("a consent has begun without {name}")));
    let (authorize_url, redirect_uri) = (url(&session, "authorize_url")?, url(&session, "redirect_uri")?);
    let embedded_window = session.get("embedded_window").and_then(Value::as_bool).unwrap_or_default();
    if let Some(members) = session.as_object_mut() {
        members.remove("authorize_url");
        members.remove("embedded_window");
    }
    let begun = Begun { session, authorize_url, redirect_uri, embedded_window };
    // A server says where to go. It must not make the system open a file or another program.
    if matches!(begun.authorize_url.scheme(), "https" | "http") {
        return Ok(begun);
    }
    cancel(store, &begun.id()).await?;
    Err(Problem::new(
        Code::ProviderInvalidAnswer,
        format!("The provider's page is at an address that is no web address ({}:). Nothing was opened; correct the provider's configuration.", begun.authorize_url.scheme()),
    ))
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
async fn page(store: &OpenedStore, begun: &Begun) -> Result<ConsentPage, Problem> {
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
        authorize_url: begun.authorize_url.clone(),
        redirect_uri: begun.redirect_uri.clone(),
    })
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
