//! "Explain this page": the text of the page is read when the person asks for that, shown to them, and handed in only if they say so.

use gtk::prelude::*;
use patchbay_model::Problem;
use patchbay_model::flight::{Explanation, page_text};
use serde::Deserialize;
use tauri::WebviewWindow;
use url::Url;
use webkit2gtk::WebViewExt;

use super::{ConsentEnd, Recorder};

/// Runs in a world of its own: the page's scripts do not see it, and what they changed in theirs is not here. Where a password can be
/// entered, also in an open shadow tree or in a frame of the same origin, nothing is read.
const SCRIPT: &str = "(() => {
  const asks = (root) =>
    root.querySelector('input[type=password]') !== null ||
    [...root.querySelectorAll('*')].some((element) => {
      if (element.shadowRoot && asks(element.shadowRoot)) return true;
      try { return element.contentDocument ? asks(element.contentDocument) : false; } catch { return false; }
    });
  return JSON.stringify(asks(document) ? { password: true } : { text: (document.body ? document.body.innerText : '').slice(0, 4096) });
})()";
/// The name of that world.
const WORLD: &str = "patchbay";

/// What was read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Page {
    password: bool,
    text: String,
}

/// Reads the page, shows what was read, and has it explained if the person agrees.
pub(super) fn ask(window: &WebviewWindow, recorder: &Recorder, end: impl Fn(ConsentEnd) + Clone + Send + 'static) {
    let (inner, recorder) = (window.clone(), recorder.clone());
    let asked = window.with_webview(move |view| {
        let view = view.inner();
        let page = view.clone();
        view.evaluate_javascript(SCRIPT, Some(WORLD), None, None::<&gtk::gio::Cancellable>, move |read| {
            let read = read.ok().and_then(|value| serde_json::from_str::<Page>(&value.to_string()).ok());
            let url = page.uri().and_then(|uri| Url::parse(&uri).ok());
            match (read, url) {
                (Some(Page { password: true, .. }), _) => {
                    say(&inner, "This page was not read", "It has a field for a password. Patchbay never reads such a page.", None, &end);
                }
                (Some(read), Some(url)) if !page_text(&read.text).is_empty() => show(&inner, recorder, url, page_text(&read.text), end),
                _ => say(&inner, "Nothing to read", "This page has no text.", None, &end),
            }
        });
    });
    if let Err(error) = asked {
        tracing::warn!(%error, "a page of a consent could not be read");
    }
}

/// Shows what was read, before anybody else sees it.
fn show(window: &WebviewWindow, recorder: Recorder, url: Url, text: String, end: impl Fn(ConsentEnd) + Clone + Send + 'static) {
    let Some(dialog) = dialog(window, "Explain this page", "This was read of the page. What looks like a key or a mail address was left out. Send it to have it explained?") else {
        return;
    };
    let buffer = gtk::TextBuffer::builder().text(&text).build();
    let view = gtk::TextView::builder().buffer(&buffer).editable(false).cursor_visible(false).wrap_mode(gtk::WrapMode::WordChar).margin(6).build();
    let scrolled = gtk::ScrolledWindow::builder().child(&view).min_content_height(220).min_content_width(400).shadow_type(gtk::ShadowType::In).build();
    dialog.content_area().pack_start(&scrolled, true, true, 0);
    dialog.add_button("_Do not send", gtk::ResponseType::Cancel);
    let send = dialog.add_button("_Send", gtk::ResponseType::Accept);
    let inner = window.clone();
    dialog.connect_response(move |dialog, response| {
        if response != gtk::ResponseType::DeleteEvent {
            dialog.close();
        }
        if response != gtk::ResponseType::Accept {
            return;
        }
        let (window, recorder, url, text, end) = (inner.clone(), recorder.clone(), url.clone(), text.clone(), end.clone());
        tauri::async_runtime::spawn(async move {
            let answer = recorder.explain(&url, text).await;
            let shown = window.clone();
            if let Err(error) = window.run_on_main_thread(move || explained(&shown, answer, &end)) {
                tracing::warn!(%error, "an explanation could not be shown");
            }
        });
    });
    dialog.show_all();
    send.grab_focus();
}

fn explained(window: &WebviewWindow, answer: Result<Option<Explanation>, Problem>, end: &(impl Fn(ConsentEnd) + Clone + Send + 'static)) {
    match answer {
        Ok(Some(explanation)) => {
            let mut words = explanation.words;
            if let Some(change) = explanation.change {
                words = format!("{words}\n\nTo change: {}.", change.place);
                if let Some(to) = change.to {
                    words = format!("{words}\nIt should hold exactly: {to}");
                }
            }
            say(window, "What this page means", &words, explanation.switch.map(|_| "_Continue in my browser"), end);
        }
        Ok(None) => say(
            window,
            "This page is not known",
            "Patchbay does not know what this page means. Its text is kept with this consent, for whoever looks after the connection.",
            None,
            end,
        ),
        Err(problem) => say(window, "This page could not be explained", &problem.message, None, end),
    }
}

/// Tells something; `on` is the button by which the person goes on in the browser.
fn say(window: &WebviewWindow, title: &str, words: &str, on: Option<&str>, end: &(impl Fn(ConsentEnd) + Clone + Send + 'static)) {
    let Some(dialog) = dialog(window, title, words) else { return };
    let close = dialog.add_button("C_lose", gtk::ResponseType::Close);
    if let Some(on) = on {
        dialog.add_button(on, gtk::ResponseType::Accept);
    }
    let end = end.clone();
    dialog.connect_response(move |dialog, response| {
        if response != gtk::ResponseType::DeleteEvent {
            dialog.close();
        }
        if response == gtk::ResponseType::Accept {
            end(ConsentEnd::ContinueInBrowser);
        }
    });
    dialog.show_all();
    close.grab_focus();
}

fn dialog(window: &WebviewWindow, title: &str, words: &str) -> Option<gtk::Dialog> {
    let parent = window.gtk_window().ok()?;
    let dialog = gtk::Dialog::builder().title(title).transient_for(&parent).modal(true).destroy_with_parent(true).build();
    let label = gtk::Label::builder().label(words).wrap(true).xalign(0.0).max_width_chars(56).margin(6).selectable(true).can_focus(false).build();
    let area = dialog.content_area();
    area.set_spacing(6);
    area.set_margin(8);
    area.pack_start(&label, false, false, 0);
    Some(dialog)
}
