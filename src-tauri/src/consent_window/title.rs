//! Without a place that the page cannot draw over, the window's title carries the origin and the main window's panel
//! offers Cancel and the system's browser.

use tauri::WebviewWindow;
use url::Url;

use super::{ConsentEnd, ConsentPage, origin_words};

#[derive(Clone, Default)]
pub(super) struct Strip;

impl Strip {
    pub(super) fn attach(&self, window: &WebviewWindow, page: &ConsentPage, _: impl Fn(ConsentEnd) + Clone + Send + 'static) -> tauri::Result<()> {
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
