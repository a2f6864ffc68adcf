//! The window in which a person authorizes a provider.
//!
//! The page inside is the provider's and is trusted with nothing: its session ends with the window, it may go to http and
//! https addresses only, downloads are refused, and no command of ours can be called from it. The strip above it is drawn
//! by the toolkit, not by the page, so that the page cannot paint over the origin that it shows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use patchbay_model::consent::is_callback;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};
use url::Url;

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

    let (handle, end, callback) = (app.clone(), ending.clone(), page.redirect_uri.clone());
    builder = builder.on_navigation(move |to| {
        if is_callback(&callback, to) {
            // Nothing listens at the callback: the answer is taken from the address before it is asked for.
            let (handle, end, to) = (handle.clone(), end.clone(), to.clone());
            tauri::async_runtime::spawn(async move { end.finish(&handle, group, ConsentEnd::Callback(to)) });
            return false;
        }
        matches!(to.scheme(), "http" | "https") || to.as_str() == "about:blank"
    });

    let shown = strip.clone();
    builder = builder.on_page_load(move |window, load| {
        let (url, loading) = (load.url().clone(), matches!(load.event(), PageLoadEvent::Started));
        shown.show(&window, &url, loading);
    });

    let (handle, popup_page, popup_count, popup_ending) = (app.clone(), page.clone(), count.clone(), ending.clone());
    builder = builder.on_new_window(move |url, features| {
        // Providers sign people in through popups of other identity providers; such a window gets the same strip and rules.
        const MOST_WINDOWS: u64 = 4;
        let allowed = matches!(url.scheme(), "http" | "https") || url.as_str() == "about:blank";
        if !allowed || popup_count.load(Ordering::Relaxed) >= MOST_WINDOWS {
            return NewWindowResponse::Deny;
        }
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
    if !is_popup {
        let end = ending.clone();
        window.on_window_event(move |event| {
            if matches!(event, WindowEvent::Destroyed) {
                end.tell(ConsentEnd::Cancelled);
            }
        });
    }
    let (cancel_app, cancel_end) = (app.clone(), ending.clone());
    let (browser_app, browser_end) = (app.clone(), ending.clone());
    strip.attach(
        &window,
        page,
        move || cancel_end.finish(&cancel_app, group, ConsentEnd::Cancelled),
        move || browser_end.finish(&browser_app, group, ConsentEnd::ContinueInBrowser),
    )?;
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

#[cfg(target_os = "linux")]
mod strip {
    //! A native bar above the web view.

    use std::sync::{Arc, Mutex};

    use gtk::atk::prelude::AtkObjectExt;
    use gtk::prelude::*;
    use tauri::WebviewWindow;
    use url::Url;

    use super::{ConsentPage, origin_words};

    /// Labels of the bar by name; touched on the main thread only, so widgets are looked up there and never carried over.
    #[derive(Clone, Default)]
    pub(super) struct Strip {
        last: Arc<Mutex<Option<(Url, bool)>>>,
    }

    const ORIGIN: &str = "patchbay-consent-origin";
    const LOCK: &str = "patchbay-consent-lock";

    impl Strip {
        /// Packs the bar above the web view.
        pub(super) fn attach(
            &self,
            window: &WebviewWindow,
            page: &ConsentPage,
            on_cancel: impl Fn() + Send + 'static,
            on_browser: impl Fn() + Send + 'static,
        ) -> tauri::Result<()> {
            let (inner, page, last) = (window.clone(), page.clone(), self.last.clone());
            window.run_on_main_thread(move || {
                let Ok(column) = inner.default_vbox() else { return };
                let bar = gtk::Box::new(gtk::Orientation::Vertical, 4);
                bar.set_margin(8);

                let who = gtk::Label::new(Some(&format!("{} asks for access to {} for {}", page.organization, page.provider, page.account)));
                who.set_xalign(0.0);
                who.set_line_wrap(true);
                bar.pack_start(&who, false, false, 0);

                let row = gtk::Box::new(gtk::Orientation::Horizontal, 6);
                let lock = gtk::Image::from_icon_name(Some("content-loading-symbolic"), gtk::IconSize::Menu);
                lock.set_widget_name(LOCK);
                row.pack_start(&lock, false, false, 0);
                let origin = gtk::Label::new(Some("Loading"));
                origin.set_widget_name(ORIGIN);
                origin.set_xalign(0.0);
                origin.set_selectable(true);
                origin.set_can_focus(false);
                // The end of a host name decides whose it is; cut in the middle, never at the end.
                origin.set_ellipsize(gtk::pango::EllipsizeMode::Middle);
                row.pack_start(&origin, true, true, 0);
                bar.pack_start(&row, false, false, 0);

                // The origin has a row of its own, so that a long host name is not cut for the buttons' sake.
                let buttons = gtk::Box::new(gtk::Orientation::Horizontal, 6);
                let browser = gtk::Button::with_mnemonic("Continue in my _browser");
                browser.connect_clicked(move |_| on_browser());
                buttons.pack_end(&browser, false, false, 0);
                let cancel = gtk::Button::with_mnemonic("_Cancel");
                cancel.connect_clicked(move |_| on_cancel());
                buttons.pack_end(&cancel, false, false, 0);
                bar.pack_start(&buttons, false, false, 0);
                bar.pack_start(&gtk::Separator::new(gtk::Orientation::Horizontal), false, false, 0);

                column.pack_start(&bar, false, false, 0);
                column.reorder_child(&bar, 0);
                bar.show_all();
                let known = last.lock().ok().and_then(|last| last.clone());
                if let Some((url, loading)) = known {
                    draw(&column, &url, loading);
                }
            })
        }

        /// Shows where the page is.
        pub(super) fn show(&self, window: &WebviewWindow, url: &Url, loading: bool) {
            if let Ok(mut last) = self.last.lock() {
                *last = Some((url.clone(), loading));
            }
            let (inner, url) = (window.clone(), url.clone());
            let drawn = window.run_on_main_thread(move || {
                if let Ok(column) = inner.default_vbox() {
                    draw(&column, &url, loading);
                }
            });
            if let Err(error) = drawn {
                tracing::warn!(%error, "the consent window's origin could not be shown");
            }
        }
    }

    fn find(root: &gtk::Widget, name: &str) -> Option<gtk::Widget> {
        if root.widget_name() == name {
            return Some(root.clone());
        }
        root.downcast_ref::<gtk::Container>()?.children().iter().find_map(|child| find(child, name))
    }

    fn draw(column: &gtk::Box, url: &Url, loading: bool) {
        let root = column.upcast_ref::<gtk::Widget>();
        let (words, secure) = origin_words(url);
        if let Some(label) = find(root, ORIGIN).and_then(|widget| widget.downcast::<gtk::Label>().ok()) {
            label.set_text(&if secure || words == "Loading" { words } else { format!("{words} (not encrypted)") });
        }
        if let Some(lock) = find(root, LOCK).and_then(|widget| widget.downcast::<gtk::Image>().ok()) {
            // WebKit refuses a page whose certificate does not verify, so https here means a verified certificate.
            let (icon, said) = match (loading, secure) {
                (true, _) => ("content-loading-symbolic", "Loading"),
                (false, true) => ("channel-secure-symbolic", "Encrypted, certificate verified"),
                (false, false) => ("channel-insecure-symbolic", "Not encrypted"),
            };
            lock.set_from_icon_name(Some(icon), gtk::IconSize::Menu);
            lock.set_tooltip_text(Some(said));
            if let Some(accessible) = lock.accessible() {
                accessible.set_name(said);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod strip {
    //! Without a place that the page cannot draw over, the window's title carries the origin and the main window's panel
    //! offers Cancel and the system's browser.

    use tauri::WebviewWindow;
    use url::Url;

    use super::{ConsentPage, origin_words};

    #[derive(Clone, Default)]
    pub(super) struct Strip;

    impl Strip {
        pub(super) fn attach(&self, window: &WebviewWindow, page: &ConsentPage, _: impl Fn() + Send + 'static, _: impl Fn() + Send + 'static) -> tauri::Result<()> {
            window.set_title(&format!("{} asks for access to {} for {}", page.organization, page.provider, page.account))
        }

        pub(super) fn show(&self, window: &WebviewWindow, url: &Url, _: bool) {
            let (words, secure) = origin_words(url);
            let title = if secure { words } else { format!("{words} (not encrypted)") };
            if let Err(error) = window.set_title(&title) {
                tracing::warn!(%error, "the consent window's origin could not be shown");
            }
        }
    }
}
