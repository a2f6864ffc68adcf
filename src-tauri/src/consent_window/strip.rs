//! A native bar above the web view.

use std::sync::{Arc, Mutex};

use gtk::atk::prelude::AtkObjectExt;
use gtk::prelude::*;
use tauri::WebviewWindow;
use url::Url;

use super::{ConsentEnd, ConsentPage, origin_words, reading};

/// Labels of the bar by name; touched on the main thread only, so widgets are looked up there and never carried over.
#[derive(Clone, Default)]
pub(super) struct Strip {
    last: Arc<Mutex<Option<(Url, bool)>>>,
}

const ORIGIN: &str = "patchbay-consent-origin";
const LOCK: &str = "patchbay-consent-lock";

impl Strip {
    /// Packs the bar above the web view.
    pub(super) fn attach(&self, window: &WebviewWindow, page: &ConsentPage, end: impl Fn(ConsentEnd) + Clone + Send + 'static) -> tauri::Result<()> {
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
            let to_browser = end.clone();
            browser.connect_clicked(move |_| to_browser(ConsentEnd::ContinueInBrowser));
            buttons.pack_end(&browser, false, false, 0);
            let cancel = gtk::Button::with_mnemonic("_Cancel");
            let to_end = end.clone();
            cancel.connect_clicked(move |_| to_end(ConsentEnd::Cancelled));
            buttons.pack_end(&cancel, false, false, 0);
            let explain = gtk::Button::with_mnemonic("_Explain this page");
            explain.set_tooltip_text(Some("Reads the text of this page when pressed, and shows it to you first. Never of a page with a password field."));
            let (read, recorder) = (inner.clone(), page.recorder.clone());
            explain.connect_clicked(move |_| reading::ask(&read, &recorder, end.clone()));
            buttons.pack_start(&explain, false, false, 0);
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
