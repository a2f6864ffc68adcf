//! Tells what the windows of a consent see. Addresses are redacted here, before anybody else gets them.

use std::sync::Arc;

use patchbay_model::flight::{Explanation, Seen, StepKind, redact};
use patchbay_model::{Context, Problem, Timestamp};
use tokio::sync::{mpsc, oneshot};
use url::Url;

/// How much may wait to be written down.
const WAITING: usize = 64;

/// What windows tell.
pub(crate) enum Told {
    /// A step.
    Step { kind: StepKind, at: Timestamp, seen: Seen },
    /// The text of a page, which the person let be read and sent, and who waits for what it means.
    Page { seen: Seen, text: String, answer: oneshot::Sender<Result<Option<Explanation>, Problem>> },
}

/// Tells what the windows of a consent see.
#[derive(Clone)]
pub(crate) struct Recorder {
    context: Context,
    state: Option<Arc<str>>,
    tell: mpsc::Sender<Told>,
}

impl Recorder {
    /// A recorder, and what it tells. Of a page that goes faster than it is written down, steps are lost.
    pub(crate) fn new(context: &Context, authorize_url: &Url) -> (Self, mpsc::Receiver<Told>) {
        let (tell, told) = mpsc::channel(WAITING);
        let state = authorize_url.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| Arc::from(state.as_ref()));
        (Self { context: context.clone(), state, tell }, told)
    }

    /// Tells a step.
    pub(super) fn saw(&self, kind: StepKind, url: &Url) {
        // A new window's page before there is one is no step of anybody.
        if url.as_str() != "about:blank"
            && let Err(error) = self.tell.try_send(Told::Step { kind, at: self.context.now(), seen: redact(url, self.state.as_deref()) })
        {
            tracing::debug!(%error, "a step of a consent's window was not recorded");
        }
    }

    /// Hands in the text of a page.
    #[cfg(target_os = "linux")]
    pub(super) async fn explain(&self, url: &Url, text: String) -> Result<Option<Explanation>, Problem> {
        let gone = || Problem::internal("the consent has ended meanwhile");
        let (answer, answered) = oneshot::channel();
        self.tell.send(Told::Page { seen: redact(url, self.state.as_deref()), text, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// Listens to the main frame of a window: what leads on, and what is shown. Frames within the page are its own business.
///
/// # Errors
/// When the window has gone.
#[cfg(target_os = "linux")]
pub(super) fn watch(window: &tauri::WebviewWindow, recorder: &Recorder) -> tauri::Result<()> {
    use std::cell::RefCell;

    use webkit2gtk::{LoadEvent, WebViewExt};

    let recorder = recorder.clone();
    window.with_webview(move |view| {
        let before: RefCell<Option<Url>> = RefCell::new(None);
        view.inner().connect_load_changed(move |view, event| {
            let now = view.uri().and_then(|uri| Url::parse(&uri).ok());
            match event {
                LoadEvent::Started => {
                    before.replace(now);
                }
                LoadEvent::Redirected => {
                    if let Some(url) = before.replace(now) {
                        recorder.saw(StepKind::Redirected, &url);
                    }
                }
                LoadEvent::Committed => {
                    if let Some(url) = now {
                        recorder.saw(StepKind::Navigated, &url);
                    }
                }
                _ => {}
            }
        });
    })
}
