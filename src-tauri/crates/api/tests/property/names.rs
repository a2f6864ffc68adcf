//! Words of the reference model: ids, names, addresses, permission sets (synqly-wire.md sections 4 and 6).

use serde_json::Value;

/// The id that a text is, in its one spelling.
pub(crate) fn id_of(text: &str) -> Option<String> {
    text.parse::<uuid::Uuid>().ok().map(|id| id.to_string())
}

/// The rule of names: 1 to 100 of a slug's characters behind an optional tilde, no word of a path, nothing that is an id.
pub(crate) fn slug(text: &str) -> Option<String> {
    const SEGMENTS: [&str; 12] = ["verify", "lookup", "info", "rotate", "reset", "refresh", "secondary", "events", "timeseries", "mcp", "synqly-integrations", "x"];
    let text = text.to_lowercase();
    let body = text.strip_prefix('~').unwrap_or(&text);
    let good = !body.is_empty() && text.len() <= 100 && body.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    (good && !SEGMENTS.contains(&text.as_str()) && id_of(&text).is_none()).then_some(text)
}

/// A name made of a full name: everything outside of a slug becomes one dash, none at the ends.
pub(crate) fn derived(fullname: &str) -> Option<String> {
    let kept: String = fullname.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { ' ' }).collect();
    let mut text = kept.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    text.truncate(100);
    slug(text.trim_end_matches('-'))
}

pub(crate) fn address(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (local, domain) = text.split_once('@')?;
    let good = !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.') && !domain.contains('@') && !text.contains(' ');
    good.then_some(text)
}

/// Permission sets that an administrator can hand out.
pub(crate) fn permission_set(word: &Value) -> bool {
    ["administrator", "viewer", "member", "account-manager", "connect-ui", "token-issuer", "account-provisioner"].iter().any(|known| word == known)
}

pub(crate) fn fullname(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control)).then(|| text.to_owned())
}
