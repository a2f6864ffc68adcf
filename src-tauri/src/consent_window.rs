//! The window in which a person authorizes a provider.
//!
//! The page inside is the provider's and is trusted with nothing: its session ends with the window, it may go to http and
//! https addresses only, downloads are refused, and no command of ours can be called from it. The strip above it is drawn
//! by the toolkit, not by the page, so that the page cannot paint over the origin that it shows.

#[cfg(target_os = "linux")]
mod reading;
mod recorder;
#[cfg(target_os = "linux")]
mod strip;
#[cfg(not(target_os = "linux"))]
#[path = "consent_window/title.rs"]
mod strip;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use patchbay_model::consent::is_callback;
use patchbay_model::flight::StepKind;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};
use url::Url;

pub(crate) use recorder::{Recorder, Told};

/// Labels of consent windows begin with this; no capability names them.
pub(crate) const LABEL_PREFIX: &str = "consent-";

/// What the strip says and where the window goes.
#[derive(Clone)]
pub(crate) struct ConsentPage {
    /// Who asks.
    pub(crate) organization: String,
    /// For which customer.
    pub(crate) account: String,
    /// At which provider.
    pub(crate) provider: String,
    /// The provider's page.
    pub(crate) authorize_url: Url,
    /// The exact address at which the window stops.
    pub(crate) redirect_uri: Url,
    /// Who is told what it shows.
    pub(crate) recorder: Recorder,
}

/// How the window ended.
pub(crate) enum ConsentEnd {
    /// It reached the callback; the address carries the answer.
    Callback(Url),
    /// The person closed it or pressed Cancel.
    Cancelled,
    /// The person wants to go on in the system's browser.
    ContinueInBrowser,
}

/// Told once, by whichever end comes first.
#[derive(Clone)]
struct Ending(Arc<Mutex<Option<TellOnce>>>);

type TellOnce = Box<dyn FnOnce(ConsentEnd) + Send>;

impl Ending {
    fn tell(&self, end: ConsentEnd) {
        let tell = self.0.lock().ok().and_then(|mut tell| tell.take());
        if let Some(tell) = tell {
            tell(end);
        }
    }

    /// Tells the end and closes every window of this consent.
    fn finish(&self, app: &AppHandle, group: Group, end: ConsentEnd) {
        self.tell(end);
        close(app, group);
    }
}

/// The windows of one consent: the first and its popups.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group(u64);

/// Opens the window.
///
/// # Errors
/// When the toolkit cannot make a window.
pub(crate) fn open(app: &AppHandle, page: &ConsentPage, on_end: impl FnOnce(ConsentEnd) + Send + 'static) -> tauri::Result<Group> {
    static GROUPS: AtomicU64 = AtomicU64::new(1);
    let group = Group(GROUPS.fetch_add(1, Ordering::Relaxed));
    let ending = Ending(Arc::new(Mutex::new(Some(Box::new(on_end)))));
    build(app, page, group, &Arc::new(AtomicU64::new(0)), &ending, WebviewUrl::External(page.authorize_url.clone()), None)?;
    Ok(group)
}

/// Closes every window of a consent.
pub(crate) fn close(app: &AppHandle, group: Group) {
    let prefix = format!("{LABEL_PREFIX}{}-", group.0);
    for (label, window) in app.webview_windows() {
        if label.starts_with(&prefix)
            && let Err(error) = window.destroy()
        {
            tracing::warn!(%error, "a consent window could not be closed");
        }
    }
}

fn build(
    app: &AppHandle,
    page: &ConsentPage,
    group: Group,
    count: &Arc<AtomicU64>,
    ending: &Ending,
    url: WebviewUrl,
    features: Option<tauri::webview::NewWindowFeatures>,
) -> tauri::Result<WebviewWindow> {
    let number = count.fetch_add(1, Ordering::Relaxed);
    let is_popup = features.is_some();
    let mut builder = WebviewWindowBuilder::new(app, format!("{LABEL_PREFIX}{}-{number}", group.0), url)
        .title(format!("Connect {} - Patchbay", page.provider))
        .inner_size(520.0, 720.0)
        .min_inner_size(360.0, 420.0)
        .center()
        .incognito(true)
        .devtools(false)
        .on_download(|_, _| false);
    if let Some(features) = features {
        builder = builder.window_features(features);
    }

    let strip = strip::Strip::default();

    let (handle, end, callback, recorder) = (app.clone(), ending.clone(), page.redirect_uri.clone(), page.recorder.clone());
    builder = builder.on_navigation(move |to| {
        if is_callback(&callback, to) {
            // Nothing listens at the callback: the answer is taken from the address before it is asked for.
            let (handle, end, to) = (handle.clone(), end.clone(), to.clone());
            tauri::async_runtime::spawn(async move { end.finish(&handle, group, ConsentEnd::Callback(to)) });
            return false;
        }
        let allowed = matches!(to.scheme(), "http" | "https") || to.as_str() == "about:blank";
        if !allowed {
            recorder.saw(StepKind::Blocked, to);
        }
        allowed
    });

    let (shown, recorder) = (strip.clone(), page.recorder.clone());
    builder = builder.on_page_load(move |window, load| {
        let (url, loading) = (load.url().clone(), matches!(load.event(), PageLoadEvent::Started));
        // Where the engine tells of redirects too, it is listened to itself.
        if loading && cfg!(not(target_os = "linux")) {
            recorder.saw(StepKind::Navigated, &url);
        }
        shown.show(&window, &url, loading);
    });

    let (handle, popup_page, popup_count, popup_ending) = (app.clone(), page.clone(), count.clone(), ending.clone());
    builder = builder.on_new_window(move |url, features| {
        // Providers sign people in through popups of other identity providers; such a window gets the same strip and rules.
        const MOST_WINDOWS: u64 = 4;
        let allowed = matches!(url.scheme(), "http" | "https") || url.as_str() == "about:blank";
        if !allowed || popup_count.load(Ordering::Relaxed) >= MOST_WINDOWS {
            popup_page.recorder.saw(StepKind::Blocked, &url);
            return NewWindowResponse::Deny;
        }
        popup_page.recorder.saw(StepKind::Popup, &url);
        let Ok(blank) = Url::parse("about:blank") else { return NewWindowResponse::Deny };
        match build(&handle, &popup_page, group, &popup_count, &popup_ending, WebviewUrl::External(blank), Some(features)) {
            Ok(window) => NewWindowResponse::Create { window },
            Err(error) => {
                tracing::warn!(%error, "a popup of the consent window could not be opened");
                NewWindowResponse::Deny
            }
        }
    });

    let window = builder.build()?;
    #[cfg(target_os = "linux")]
    recorder::watch(&window, &page.recorder)?;
    if !is_popup {
        let end = ending.clone();
        window.on_window_event(move |event| {
            if matches!(event, WindowEvent::Destroyed) {
                end.tell(ConsentEnd::Cancelled);
            }
        });
    }
    let (end, handle) = (ending.clone(), app.clone());
    strip.attach(&window, page, move |end_by| end.finish(&handle, group, end_by))?;
    Ok(window)
}

/// The origin in the form that people compare: scheme, host and port.
fn origin_words(url: &Url) -> (String, bool) {
    match url.scheme() {
        "https" => (url.origin().ascii_serialization(), true),
        "http" => (url.origin().ascii_serialization(), false),
        _ => ("Loading".to_owned(), false),
    }
}
