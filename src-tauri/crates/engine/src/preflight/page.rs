//! The words of a page.

/// Most that is looked at.
const MOST: usize = 64 * 1024;

/// What a person would read of it: its text without marks, scripts and styles, with the commonest entities resolved.
pub(super) fn text(body: &[u8]) -> String {
    let whole = String::from_utf8_lossy(body.get(..MOST).unwrap_or(body));
    let mut text = String::new();
    let mut rest = &*whole;
    while let Some((before, mark)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let name = mark.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
        let hidden = !mark.starts_with('/') && matches!(name.as_str(), "script" | "style");
        let end = if hidden { find_end(mark, &name) } else { mark.find('>').map(|at| at + 1) };
        rest = end.and_then(|end| mark.get(end..)).unwrap_or_default();
    }
    text.push_str(rest);
    for (entity, sign) in [("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")] {
        if text.contains(entity) {
            text = text.replace(entity, sign);
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Behind the end of an element whose content is no text.
fn find_end(mark: &str, name: &str) -> Option<usize> {
    let lower = mark.to_ascii_lowercase();
    let at = lower.find(&format!("</{name}"))?;
    lower.get(at..)?.find('>').map(|end| at + end + 1)
}
