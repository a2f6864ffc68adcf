//! What doctor says of a store's backups.

use std::time::Duration;

use patchbay_engine::{Engine, backup};
use patchbay_model::{Code, Timestamp};

use super::Check;

/// Older than this, a day was missed.
const LATE: Duration = Duration::from_secs(2 * 86_400);

pub(super) fn backups(engine: &Engine) -> Check {
    match backup::found(engine) {
        Ok(backups) => judged(&backups, engine.now()),
        Err(problem) if problem.code == Code::OperationUnsupported => Check::note("backups", problem.message),
        Err(problem) => Check::problem("backups", &problem),
    }
}

fn judged(all: &backup::Backups, now: Timestamp) -> Check {
    let place = all.folder.display();
    if let Some(failure) = &all.failure {
        return Check::bad("backups", format!("The last {} failed, at {}. {}", turns(failure.count), failure.at, failure.message));
    }
    let newest = all.backups.first();
    match (all.settings.enabled, newest) {
        (false, None) => Check::note("backups", "None are made, because they are switched off, and there are none. Switch them on, or see to it that the store is kept otherwise."),
        (false, Some(newest)) => Check::note("backups", format!("None are made, because they are switched off. The newest of those in {place} is from {}.", newest.created_at)),
        (true, None) => Check::note("backups", "There is none yet. One is made a day while `patchbay serve` or the application has the store open."),
        (true, Some(newest)) if now.since(newest.created_at) > LATE => Check::note(
            "backups",
            format!(
                "The newest in {place} is from {}: since then nothing had the store open for long enough. It is made when `patchbay serve` or the application does.",
                newest.created_at
            ),
        ),
        (true, Some(newest)) => Check::good("backups", format!("{} in {place}, the newest from {}.", all.backups.len(), newest.created_at)),
    }
}

fn turns(count: u32) -> String {
    if count <= 1 { "backup".to_owned() } else { format!("{count} backups") }
}

#[cfg(test)]
mod tests {
    use patchbay_engine::backup::{Backup, Backups, Failure, Made, Settings};

    use super::super::State;
    use super::*;

    fn found(enabled: bool, newest: Option<&str>, failure: Option<u32>) -> Check {
        let backup = |at: &str| Backup { name: String::new(), created_at: at.parse().unwrap(), made: Made::Daily, bytes: 1 };
        let failure = failure.map(|count| Failure { at: "2026-03-02T09:00:00Z".parse().unwrap(), code: String::new(), message: "The disk is full.".to_owned(), count });
        let backups = newest.map(backup).into_iter().collect();
        let all = Backups { folder: "backups".into(), backups, settings: Settings { enabled, ..Settings::default() }, next_due: None, failure };
        judged(&all, "2026-03-02T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_failure_is_bad_and_what_is_late_or_off_is_said() {
        let failed = found(true, Some("2026-03-01T10:00:00Z"), Some(3));
        assert!(failed.state == State::Bad && failed.words.contains("3 backups failed") && failed.words.contains("full"), "{}", failed.words);
        assert!(found(true, Some("2026-03-01T10:00:00Z"), None).state == State::Good);
        for (enabled, newest) in [(true, None), (true, Some("2026-02-01T10:00:00Z")), (false, None), (false, Some("2026-03-01T10:00:00Z"))] {
            assert!(found(enabled, newest, None).state == State::Note, "{enabled} {newest:?}");
        }
    }
}
