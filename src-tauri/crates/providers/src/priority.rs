//! Unified priorities and the names that providers give theirs.

use patchbay_model::connector::ticketing::Priority;

/// The names that stand for each unified priority at a provider, in lower case, the preferred first. A name may stand for
/// several; it is read as the first that has it.
pub(crate) type Names = &'static [(Priority, &'static [&'static str])];

/// The unified priority of a provider's name, if it is a known one.
pub(crate) fn read(names: Names, name: &str) -> Option<Priority> {
    let name = name.trim().to_lowercase();
    names.iter().find(|(_, known)| known.contains(&name.as_str())).map(|(priority, _)| *priority)
}

/// The provider's entry for a unified priority: the first preferred name that the provider has.
pub(crate) fn choose<T>(names: Names, priority: Priority, entries: &[T], name: impl Fn(&T) -> &str) -> Option<&T> {
    let (_, wanted) = names.iter().find(|(known, _)| *known == priority)?;
    wanted.iter().find_map(|wanted| entries.iter().find(|entry| name(entry).trim().to_lowercase() == *wanted))
}

/// The word on the wire.
pub(crate) const fn word(priority: Priority) -> &'static str {
    match priority {
        Priority::Urgent => "URGENT",
        Priority::Critical => "CRITICAL",
        Priority::High => "HIGH",
        Priority::Medium => "MEDIUM",
        Priority::Moderate => "MODERATE",
        Priority::Low => "LOW",
        Priority::Planning => "PLANNING",
    }
}

/// Reads the word of [`word`].
pub(crate) fn from_word(text: &str) -> Option<Priority> {
    use Priority::{Critical, High, Low, Medium, Moderate, Planning, Urgent};
    [Urgent, Critical, High, Medium, Moderate, Low, Planning].into_iter().find(|priority| word(*priority) == text)
}
