//! When a backup is due, and the task that looks.

use std::fs::File;
use std::io::BufReader;
use std::time::Duration;

use patchbay_model::{Problem, Timestamp};

use super::folder::Folder;
use super::{Backup, Failure, LastFailure, Made, create, image, retention};
use crate::Engine;
use crate::engine::{Stopping, WeakEngine};

/// From one backup to the next.
const INTERVAL: Duration = Duration::from_secs(86_400);
/// How long a process looks around before the first: what it was started for comes first.
const SETTLE: Duration = Duration::from_secs(10);
/// How often it is looked whether one is due; a clock may jump, and another process may end.
const LOOK: Duration = Duration::from_secs(300);
/// How far in the future a backup may lie and still count: beyond that, the clock was wrong when it was made.
const SKEW: Duration = Duration::from_secs(300);
/// When it is tried again after the first, the second and every later failure.
const RETRIES: [Duration; 3] = [Duration::from_secs(600), Duration::from_secs(1800), Duration::from_secs(3600)];

/// What came of a look.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Backups are switched off.
    Off,
    /// The next one is due then.
    NotDue(Timestamp),
    /// Another process is making one.
    Held,
    /// One was made.
    Made(Backup),
}

/// Looks after the store's backups until the engine stops. For programs that have a store open for long; a command that is
/// over at once does not make backups. Without a runtime, on a read-only store and on one that is not a file, it does nothing.
pub fn start(engine: &Engine) {
    if tokio::runtime::Handle::try_current().is_err() || engine.read_only() {
        return;
    }
    match super::offered(engine) {
        Ok(folder) => engine.keep(tokio::spawn(run(engine.downgrade(), folder, engine.stopping()))),
        Err(problem) => tracing::debug!("no backups are made here: {}", problem.message),
    }
}

async fn run(engine: WeakEngine, folder: Folder, mut stopping: Stopping) {
    let mut wait = SETTLE;
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stopping.stopped() => return,
        }
        let Some(engine) = engine.upgrade() else { return };
        // Given up when the program ends: what was begun is swept away by the next turn, and it is due still.
        let turned = tokio::select! {
            turned = turn(&folder, engine.now(), engine.backup_failure(), |backup| fits(&engine, &folder, backup), |file| image::write(&engine, file)) => turned,
            () = stopping.stopped() => return,
        };
        wait = match turned {
            Ok(Turn::NotDue(due)) => due.since(engine.now()).clamp(Duration::from_secs(1), LOOK),
            Ok(Turn::Made(backup)) => {
                tracing::info!(name = backup.name, bytes = backup.bytes, "a backup of the store was made");
                LOOK
            }
            Ok(Turn::Off | Turn::Held) => LOOK,
            Err(problem) => {
                tracing::error!(code = problem.code.as_str(), "no backup of the store could be made: {}", problem.message);
                LOOK
            }
        };
    }
}

/// Whether the store's present master key opens a backup. After a rotation none does, and the next one is due at once: else a
/// store that is lost soon after would be gone with the key of before. What cannot be read does not fit.
pub(super) fn fits(engine: &Engine, folder: &Folder, backup: &Backup) -> bool {
    let header = File::open(folder.path().join(&backup.name)).ok().and_then(|file| image::read_header(&mut BufReader::new(file)).ok());
    header.is_some_and(|header| engine.vault().fits(&header.key_header).unwrap_or_default())
}

/// When the next backup is due. `fits` says whether the present key opens one.
pub(super) fn due(backups: &[Backup], failure: Option<&Failure>, now: Timestamp, fits: impl Fn(&Backup) -> bool) -> Timestamp {
    let believable = now.plus(SKEW);
    let last = backups.iter().filter(|backup| backup.made == Made::Daily && backup.created_at <= believable).max_by_key(|backup| backup.created_at);
    let due = last.filter(|last| fits(last)).map_or(now, |last| last.created_at.plus(INTERVAL));
    let retry = failure.filter(|failure| failure.at <= believable).map(|failure| {
        let turn = usize::try_from(failure.count.saturating_sub(1)).unwrap_or_default().min(RETRIES.len() - 1);
        failure.at.plus(RETRIES.get(turn).copied().unwrap_or(INTERVAL))
    });
    retry.map_or(due, |retry| retry.max(due))
}

/// Makes a backup when one is due and nobody else is at it, and removes those whose time has come. Nothing is removed unless
/// a new one was made.
///
/// # Errors
/// Why it could not be made; that is written down, too.
pub(super) async fn turn<W, T>(folder: &Folder, now: Timestamp, known: &LastFailure, fits: impl Fn(&Backup) -> bool, write: W) -> Result<Turn, Problem>
where
    W: FnOnce(File) -> T,
    T: Future<Output = Result<File, Problem>>,
{
    let settings = folder.settings();
    if !settings.enabled {
        return Ok(Turn::Off);
    }
    let failed = |problem: &Problem, count: u32| {
        let failure = Failure { at: now, code: problem.code.as_str().to_owned(), message: problem.message.clone(), count };
        known.set(Some(failure.clone()));
        failure
    };
    let before = known.get();
    let count = |before: Option<&Failure>| before.map_or(1, |failure| failure.count.saturating_add(1));
    // A folder that cannot even be looked at is a failure like any other, and waits like any other.
    let looked = folder.list().and_then(|backups| {
        let failure = folder.failure().into_iter().chain(before.clone()).max_by_key(|failure| failure.at);
        let due = due(&backups, failure.as_ref(), now, &fits);
        if due > now { Ok(Err(Turn::NotDue(due))) } else { folder.lease().map(|lease| lease.map(|lease| (lease, failure)).ok_or(Turn::Held)) }
    });
    let (lease, failure) = match looked {
        Ok(Ok(leased)) => leased,
        Ok(Err(turn)) => return Ok(turn),
        Err(problem) => {
            failed(&problem, count(before.as_ref()));
            return Err(problem);
        }
    };
    // Looked at again now that nobody else can be at it: another process may just have finished.
    let listed = folder.list()?;
    let due = due(&listed, failure.as_ref(), now, &fits);
    if due > now {
        return Ok(Turn::NotDue(due));
    }
    let backup = match create::make(folder, &lease, now, Made::Daily, write).await {
        Ok(backup) => backup,
        Err(problem) => {
            let failure = failed(&problem, count(failure.as_ref()));
            if let Err(problem) = folder.set_failure(&lease, Some(&failure)) {
                tracing::debug!(code = problem.code.as_str(), "the failure could not be written down");
            }
            return Err(problem);
        }
    };
    known.set(None);
    folder.set_failure(&lease, None)?;
    for old in retention::superfluous(&folder.list()?, &settings) {
        folder.remove(&lease, old)?;
        tracing::info!(name = old.name, "an old backup of the store was removed");
    }
    Ok(Turn::Made(backup))
}
