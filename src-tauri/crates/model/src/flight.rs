//! The flight recorder of a consent: what it keeps of each step, and what it must not.
//!
//! Addresses on the way to a consent carry codes, states and the names of persons. [`Seen`] is what may be kept of one: it
//! is made where the address is seen, before it goes anywhere, and made again where it is stored.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::consent::ConsentRoute;
use crate::{AccountId, Code, ConnectLegId, ConnectSessionId, OrganizationId, Timestamp};

/// Most steps of one consent.
pub const MOST_STEPS: u32 = 200;
/// Most bytes of what is kept of one step.
pub const LARGEST_STEP: usize = 2048;
/// Most characters of a page that a person has explained.
pub const LONGEST_PAGE: usize = 4096;
/// Most parameters that are told of one address.
const MOST_PARAMETERS: usize = 24;
/// Longest value that is told in clear.
const LONGEST_VALUE: usize = 300;
/// Longest path that is told.
const LONGEST_PATH: usize = 200;
/// Longest name of a parameter, and of an origin's host.
const LONGEST_NAME: usize = 64;
/// From this length on, a part of a path may be somebody's key.
const SUSPICIOUS: usize = 16;

/// The parameters whose values are told: what was asked for, and what went wrong.
const TOLD: [&str; 10] = ["response_type", "client_id", "redirect_uri", "scope", "response_mode", "prompt", "error", "error_description", "iss", "code_challenge_method"];

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A way was chosen; its state and verifier are made when somebody goes there.
    Prepared,
    /// The request was pushed to the provider beforehand (RFC 9126).
    Par,
    /// The person was sent to the provider.
    Opened,
    /// A page was shown.
    Navigated,
    /// A page led on.
    Redirected,
    /// A page opened another window.
    Popup,
    /// A page wanted to go where it may not.
    Blocked,
    /// The provider's answer arrived.
    Callback,
    /// The code went to the provider.
    Exchange,
    /// The provider answered that.
    Answer,
    /// Where the provider's API is was found out.
    Located,
    /// The tokens were tried.
    Probe,
    /// A person had a page explained.
    Explained,
    /// The consent came to its end.
    Ended,
}

impl StepKind {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Par => "par",
            Self::Opened => "opened",
            Self::Navigated => "navigated",
            Self::Redirected => "redirected",
            Self::Popup => "popup",
            Self::Blocked => "blocked",
            Self::Callback => "callback",
            Self::Exchange => "exchange",
            Self::Answer => "answer",
            Self::Located => "located",
            Self::Probe => "probe",
            Self::Explained => "explained",
            Self::Ended => "ended",
        }
    }

    /// Whether a window tells of it; the others are the store's own to write.
    pub const fn is_of_a_window(self) -> bool {
        matches!(self, Self::Navigated | Self::Redirected | Self::Popup | Self::Blocked)
    }
}

/// A value of a parameter, as far as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// As it was.
    Clear(String),
    /// So many characters.
    Length(u32),
    /// The `state` that was sent.
    Ours,
    /// A `state` that was not sent with this consent.
    Another,
}

/// One parameter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
pub struct SeenParameter {
    /// Its name.
    pub name: String,
    /// Its value, as far as it is told.
    pub value: Shown,
}

/// What may be kept of an address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
pub struct Seen {
    /// Scheme, host and port; the scheme alone where there is no host.
    pub origin: String,
    /// Its path; what may be a key or a person in it is `*`.
    pub path: String,
    /// Its query. A fragment is never kept.
    pub parameters: Vec<SeenParameter>,
}

/// What is kept of an address; `state` is the one that was sent, where whoever sees the address knows it.
pub fn redact(url: &Url, state: Option<&str>) -> Seen {
    if !matches!(url.scheme(), "http" | "https") {
        // Of `data:` and the like everything behind the scheme is content.
        return Seen { origin: format!("{}:", bounded(url.scheme(), LONGEST_NAME)), path: String::new(), parameters: Vec::new() };
    }
    let parameters = url.query_pairs().take(MOST_PARAMETERS).map(|(name, value)| {
        let value = match name.as_ref() {
            "state" if state.is_some_and(|state| state == value) => Shown::Ours,
            "state" => Shown::Another,
            name if TOLD.contains(&name) => Shown::Clear(value.into_owned()),
            _ => Shown::Length(length(&value)),
        };
        SeenParameter { name: name.into_owned(), value }
    });
    Seen { origin: url.origin().ascii_serialization(), path: url.path().to_owned(), parameters: parameters.collect() }.bounded()
}

impl Seen {
    /// The same, with what must not be kept taken out: also of one that came from elsewhere.
    #[must_use]
    pub fn bounded(self) -> Self {
        let origin = match Url::parse(&self.origin) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => bounded(&url.origin().ascii_serialization(), LONGEST_VALUE),
            Ok(url) => format!("{}:", bounded(url.scheme(), LONGEST_NAME)),
            Err(_) => String::new(),
        };
        let parameters = self.parameters.into_iter().take(MOST_PARAMETERS).map(|SeenParameter { name, value }| {
            let value = match value {
                Shown::Clear(text) if TOLD.contains(&name.as_str()) => told(&name, &text),
                Shown::Clear(text) => Shown::Length(length(&text)),
                Shown::Ours | Shown::Another if name != "state" => Shown::Length(0),
                other => other,
            };
            SeenParameter { name: if is_secret(&name) { "*".to_owned() } else { bounded(&name, LONGEST_NAME) }, value }
        });
        Self { origin, path: masked_path(&self.path), parameters: parameters.collect() }
    }

    /// The value of a parameter that is told.
    pub fn told(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|parameter| parameter.name == name).and_then(|parameter| match &parameter.value {
            Shown::Clear(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

/// A value in clear. Of addresses in it the origin and the path; words that name a person, without the name.
fn told(name: &str, text: &str) -> Shown {
    match name {
        "redirect_uri" | "iss" => address(text).map_or_else(|| Shown::Length(length(text)), Shown::Clear),
        // Those of some providers look like keys, and are none.
        "client_id" => Shown::Clear(bounded(text, LONGEST_VALUE)),
        _ => Shown::Clear(words(text, LONGEST_VALUE)),
    }
}

/// An address without what may be somebody's: as it was written, if that is all of it. None for what is none, or names a user.
fn address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| url.username().is_empty() && url.password().is_none())?;
    let path = masked_path(url.path());
    if !url.has_host() {
        return Some(format!("{}:", bounded(url.scheme(), LONGEST_NAME)));
    }
    if path == url.path() {
        return Some(bounded(text.split(['?', '#']).next().unwrap_or_default(), LONGEST_VALUE));
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(bounded(&format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default()), LONGEST_VALUE))
}

/// Words of a provider: one line, bounded, without mail addresses and what looks like a key. Of addresses the origin and the path.
pub fn words(text: &str, most: usize) -> String {
    bounded(&text.split_whitespace().map(word).collect::<Vec<_>>().join(" "), most)
}

fn word(word: &str) -> String {
    let of_key = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let bare = word.trim_matches(|c| !of_key(c));
    // A scope or an error's name is long without being a key, so only a mixture of letters and digits is taken for one.
    let key = |text: &str| text.len() >= 24 && is_key(text);
    let masked = || "*".to_owned();
    if let Some(at) = word.find("https://").or_else(|| word.find("http://")) {
        let (before, rest) = word.split_at(at);
        let written = rest.trim_end_matches(|c| !of_key(c) && c != '/');
        let known = address(written).filter(|_| !key(before) && !word.contains('@'));
        return known.map_or_else(masked, |address| format!("{before}{address}"));
    }
    if word.contains('@') || key(bare) { masked() } else { word.to_owned() }
}

fn masked_path(path: &str) -> String {
    let masked: Vec<&str> = path.split('/').map(|segment| if is_secret(segment) { "*" } else { segment }).collect();
    bounded(&masked.join("/"), LONGEST_PATH)
}

/// Whether a part of a path, or a parameter's name, may be a key, an id of somebody, or a mail address.
fn is_secret(segment: &str) -> bool {
    let decoded = segment.to_ascii_lowercase().contains("%40") || segment.contains('@');
    decoded || is_key(segment) || segment.len() > LONGEST_NAME
}

/// Long, and not made of words: digits or capitals among letters.
fn is_key(text: &str) -> bool {
    let (digits, capitals) = (text.bytes().filter(u8::is_ascii_digit).count(), text.bytes().filter(u8::is_ascii_uppercase).count());
    let small = text.bytes().filter(u8::is_ascii_lowercase).count();
    let mixed = digits > 0 && capitals > 0 && small > 0;
    let longest_word = text.split(|c: char| !c.is_ascii_lowercase()).map(str::len).max().unwrap_or_default();
    (text.len() >= SUSPICIOUS && (digits > 0 || capitals > 2 || longest_word > 24)) || (text.len() >= 10 && mixed)
}

fn length(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// At most so many bytes, on one line.
fn bounded(text: &str, most: usize) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.len() > most {
        let end = (0..=most).rev().find(|end| line.is_char_boundary(*end)).unwrap_or_default();
        line.truncate(end);
    }
    line
}

/// What else is kept of a step. What does not belong to it is left out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(default)]
pub struct StepDetail {
    /// By which way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub route: Option<ConsentRoute>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub seen: Option<Seen>,
    /// The exact redirect URI that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub redirect_uri: Option<String>,
    /// The scopes that were asked for, or given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub scopes: Option<Vec<String>>,
    /// HTTP status of the provider's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub status: Option<u16>,
    /// The provider's error, as a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<String>,
    /// What was said: the provider's words, or one sentence of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub words: Option<String>,
    /// How it ended, where that was no success.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<Code>,
}

impl StepDetail {
    /// The same within the bounds of what is kept.
    #[must_use]
    pub fn bounded(self) -> Self {
        let line = |text: Option<String>, most| text.map(|text| words(&text, most)).filter(|text| !text.is_empty());
        let mut kept = Self {
            route: self.route,
            seen: self.seen.map(Seen::bounded),
            redirect_uri: self.redirect_uri.map(|uri| bounded(&uri, LONGEST_VALUE)),
            scopes: self.scopes.map(|scopes| scopes.iter().take(30).map(|scope| bounded(scope, LONGEST_NAME)).collect()),
            status: self.status,
            error: line(self.error, LONGEST_NAME * 2),
            words: line(self.words, LONGEST_VALUE * 2),
            code: self.code,
        };
        while let Some(seen) = kept
            .seen
            .as_mut()
            .filter(|seen| !seen.parameters.is_empty() && serde_json::to_string(&(&kept.words, &kept.scopes, &**seen)).map_or(0, |text| text.len()) > LARGEST_STEP * 3 / 4)
        {
            seen.parameters.pop();
        }
        kept
    }
}

/// What went wrong, and the one thing to change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
pub struct Explanation {
    /// What it means, as a word: `redirect_mismatch`, `person_refused`, ...
    pub cause: String,
    /// The same in a sentence or two.
    pub words: String,
    /// What to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub change: Option<Remedy>,
    /// What the provider said, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub quote: Option<String>,
    /// Another way that would avoid it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub switch: Option<ConsentRoute>,
}

/// The one thing to change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
pub struct Remedy {
    /// Who can.
    pub who: Changer,
    /// Where.
    pub place: String,
    /// What is there now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// What should be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to: Option<String>,
}

/// Who can change something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Changer {
    /// Whoever administers the organization, here and in the settings of its app at the provider.
    Administrator,
    /// Whoever administers the customer's side at the provider.
    Customer,
    /// Whoever runs the provider.
    Provider,
    /// The person who was asked.
    Person,
}

/// The text of a page, as a person let it be read: whole lines stay, what looks like a key or a mail address does not.
pub fn page_text(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| words(line, LONGEST_PAGE)).filter(|line| !line.is_empty()).collect();
    let mut text = lines.join("\n");
    text.truncate(text.floor_char_boundary(LONGEST_PAGE));
    text
}

/// A step that is to be written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewStep {
    /// What happened.
    pub kind: StepKind,
    /// On which leg.
    pub leg: Option<ConnectLegId>,
    /// When.
    pub at: Timestamp,
    /// What is kept of it.
    pub detail: StepDetail,
}

/// A step as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlightStep {
    /// Of which consent.
    pub session_id: ConnectSessionId,
    /// Its place in the row, from 1.
    pub number: u32,
    /// Whose.
    pub organization_id: OrganizationId,
    /// For which customer.
    pub account_id: AccountId,
    /// What happened.
    pub step: NewStep,
}

#[cfg(test)]
mod tests;
