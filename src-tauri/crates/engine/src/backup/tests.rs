use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use patchbay_model::{Code, Problem, Timestamp};
use uuid::Uuid;

use super::folder::Folder;
use super::schedule::{Turn, due, turn};
use super::{Backup, LastFailure, Made, Settings, create};

const DAY: Duration = Duration::from_secs(86_400);

struct Place {
    directory: tempfile::TempDir,
    folder: Folder,
    known: LastFailure,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::of(&directory.path().join("acme.db"), Uuid::from_u128(7)).unwrap();
        Self { directory, folder, known: LastFailure::default() }
    }

    /// A look, with a backup that writes these bytes.
    async fn look(&self, now: Timestamp) -> Result<Turn, Problem> {
        turn(&self.folder, now, &self.known, |_| true, whole).await
    }

    fn backups(&self) -> Vec<Backup> {
        self.folder.list().unwrap()
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

async fn whole(mut file: File) -> Result<File, Problem> {
    file.write_all(b"everything").unwrap();
    Ok(file)
}

async fn broken(mut file: File) -> Result<File, Problem> {
    file.write_all(b"half of ev").unwrap();
    Err(Problem::new(Code::BackupFailed, "The disk is full."))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn one_a_day_and_at_once_after_a_gap() {
    let place = Place::new();
    let start = at("2026-03-02T09:30:00.5Z");
    let Ok(Turn::Made(first)) = place.look(start).await else { panic!("the first is due at once") };
    assert_eq!((first.made, first.bytes, first.created_at), (Made::Daily, 10, at("2026-03-02T09:30:00Z")));
    assert_eq!(place.look(start.plus(Duration::from_secs(3600))).await.unwrap(), Turn::NotDue(first.created_at.plus(DAY)));
    assert!(matches!(place.look(start.plus(DAY)).await.unwrap(), Turn::Made(_)));
    // Nobody had the store open for a month.
    assert!(matches!(place.look(start.plus(30 * DAY)).await.unwrap(), Turn::Made(_)));
    assert_eq!(place.backups().len(), 3);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_them() {
    use std::os::unix::fs::MetadataExt as _;
    let place = Place::new();
    place.look(at("2026-03-02T09:30:00Z")).await.unwrap();
    place.folder.set_settings(&Settings::default()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(place.folder.path()), 0o700);
    for name in place.files() {
        assert_eq!(mode(&place.folder.path().join(&name)), 0o600, "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    std::fs::create_dir(place.folder.path()).unwrap();
    std::fs::set_permissions(place.folder.path(), std::fs::Permissions::from_mode(0o770)).unwrap();
    let problem = place.look(at("2026-03-02T09:30:00Z")).await.unwrap_err();
    assert!(problem.code == Code::BackupFailed && problem.message.contains("chmod 700"), "{}", problem.message);
    assert!(place.known.get().is_some(), "it is told");
    assert!(place.files().is_empty(), "nothing was put there");
}

#[tokio::test]
async fn a_file_in_the_place_of_the_folder_is_left_alone() {
    let place = Place::new();
    std::fs::write(place.folder.path(), "somebody's").unwrap();
    let problem = place.look(at("2026-03-02T09:30:00Z")).await.unwrap_err();
    assert_eq!(problem.code, Code::BackupFailed);
    assert_eq!(std::fs::read(place.folder.path()).unwrap(), b"somebody's");
}

#[tokio::test]
async fn a_failure_leaves_nothing_half_made_is_told_and_tried_again_later_and_later() {
    let place = Place::new();
    let mut now = at("2026-03-02T09:30:00Z");
    assert!(matches!(place.look(now).await.unwrap(), Turn::Made(_)));
    now = now.plus(DAY);
    for (count, minutes) in [(1, 10), (2, 30), (3, 60), (4, 60)] {
        let problem = turn(&place.folder, now, &place.known, |_| true, broken).await.unwrap_err();
        assert_eq!(problem.message, "The disk is full.");
        for failure in [place.known.get().unwrap(), place.folder.failure().unwrap()] {
            assert_eq!((failure.at, failure.count, failure.message.as_str()), (now, count, "The disk is full."));
        }
        let again = now.plus(Duration::from_secs(minutes * 60));
        assert_eq!(place.look(again.minus(Duration::from_secs(1))).await.unwrap(), Turn::NotDue(again));
        now = again;
    }
    assert_eq!(place.backups().len(), 1, "what was there is there");
    assert!(!place.files().iter().any(|name| name.ends_with(".partial")), "{:?}", place.files());
    assert!(matches!(place.look(now).await.unwrap(), Turn::Made(_)));
    assert_eq!((place.known.get(), place.folder.failure()), (None, None), "it works again");
}

#[tokio::test]
async fn nothing_is_removed_before_a_new_one_is_whole() {
    let place = Place::new();
    place.folder.set_settings(&Settings { enabled: true, daily: 1, weekly: 0 }).unwrap();
    let now = at("2026-03-02T09:30:00Z");
    place.look(now).await.unwrap();
    let first = place.backups();
    turn(&place.folder, now.plus(DAY), &place.known, |_| true, broken).await.unwrap_err();
    assert_eq!(place.backups(), first);
    place.look(now.plus(2 * DAY)).await.unwrap();
    assert_eq!(place.backups().len(), 1);
    assert_ne!(place.backups(), first);
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept_away_and_no_backup() {
    let place = Place::new();
    let lease = place.folder.lease().unwrap().unwrap();
    place.folder.begin(&lease).unwrap().write_all(b"half").unwrap();
    // The process dies: its lock goes with it, its file stays.
    drop(lease);
    assert!(place.backups().is_empty());
    let Ok(Turn::Made(made)) = place.look(at("2026-03-02T09:30:00Z")).await else { panic!("it is due still") };
    assert_eq!(made.bytes, 10, "nothing of the half one is in it");
    assert!(!place.files().iter().any(|name| name.ends_with(".partial")));
}

#[test]
fn of_many_processes_one_makes_it() {
    let place = Place::new();
    let now = at("2026-03-02T09:30:00Z");
    let held = place.folder.lease().unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(place.look(now)).unwrap(), Turn::Held);
    assert!(place.folder.lease().unwrap().is_none(), "not even by hand");
    drop(held);
    let look = || {
        let turned = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(place.look(now));
        usize::from(matches!(turned.unwrap(), Turn::Made(_)))
    };
    // Each opens the lock anew, as a process of its own would.
    let made: usize = std::thread::scope(|scope| {
        let looks: Vec<_> = (0..8).map(|_| scope.spawn(look)).collect();
        looks.into_iter().map(|look| look.join().unwrap()).sum()
    });
    assert_eq!((made, place.backups().len()), (1, 1));
}

#[tokio::test]
async fn two_of_one_second_have_two_names() {
    let place = Place::new();
    let now = at("2026-03-02T09:30:00Z");
    let lease = place.folder.lease().unwrap().unwrap();
    let first = create::make(&place.folder, &lease, now, Made::ByHand, whole).await.unwrap();
    let second = create::make(&place.folder, &lease, now, Made::ByHand, whole).await.unwrap();
    assert_ne!(first.name, second.name);
    assert_eq!(place.backups(), [second, first]);
}

#[tokio::test]
async fn one_made_by_hand_does_not_count_for_the_day() {
    let place = Place::new();
    let now = at("2026-03-02T09:30:00Z");
    let lease = place.folder.lease().unwrap().unwrap();
    create::make(&place.folder, &lease, now, Made::ByHand, whole).await.unwrap();
    drop(lease);
    assert!(matches!(place.look(now.plus(Duration::from_secs(60))).await.unwrap(), Turn::Made(_)));
}

#[tokio::test]
async fn a_backup_from_a_wrong_clock_does_not_stop_the_others() {
    let place = Place::new();
    place.look(at("2031-01-01T00:00:00Z")).await.unwrap();
    let now = at("2026-03-02T09:30:00Z");
    assert!(matches!(place.look(now).await.unwrap(), Turn::Made(_)), "the clock is right again");
    assert!(matches!(place.look(now.plus(DAY)).await.unwrap(), Turn::Made(_)));
    let failure = super::Failure { at: at("2031-01-01T00:00:00Z"), code: String::new(), message: String::new(), count: 1 };
    assert_eq!(due(&[], Some(&failure), now, |_| true), now, "nor does a failure");
}

#[tokio::test]
async fn switched_off_means_none() {
    let place = Place::new();
    place.folder.set_settings(&Settings { enabled: false, ..Settings::default() }).unwrap();
    assert_eq!(place.look(at("2026-03-02T09:30:00Z")).await.unwrap(), Turn::Off);
    assert!(place.backups().is_empty());
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_the_usual_ones() {
    let place = Place::new();
    place.folder.set_settings(&Settings { enabled: false, daily: 3, weekly: 2 }).unwrap();
    assert_eq!(place.folder.settings(), Settings { enabled: false, daily: 3, weekly: 2 });
    let file = place.files().into_iter().find(|name| name.ends_with("settings.json")).unwrap();
    for damaged in ["", "{", "[]", r#"{"enabled":false,"daily":"many","weekly":1}"#] {
        std::fs::write(place.folder.path().join(&file), damaged).unwrap();
        assert_eq!(place.folder.settings(), Settings::default(), "{damaged}: a damaged file must not switch backups off");
    }
}

#[tokio::test]
async fn stores_in_one_folder_keep_apart() {
    let place = Place::new();
    let now = at("2026-03-02T09:30:00Z");
    let beside = |name: &str, id: u128| Folder::of(&place.directory.path().join(name), Uuid::from_u128(id)).unwrap();
    // Another file, another store under the same name, and one whose name begins alike.
    let others = [beside("other.db", 7), beside("acme.db", 8), beside("acme.db-2", 7), beside("acme.db-daily", 7)];
    for folder in &others {
        assert!(matches!(turn(folder, now, &LastFailure::default(), |_| true, whole).await.unwrap(), Turn::Made(_)));
    }
    place.look(now).await.unwrap();
    for folder in others.iter().chain([&place.folder]) {
        assert_eq!(folder.list().unwrap().len(), 1, "{folder:?}");
    }
    // What is not ours is not looked at.
    for name in ["acme.db", "notes.txt", "acme.db-x-daily-000000000007.backup", "acme.db-2026-03-02T09.30.00Z-weekly-000000000007.backup"] {
        std::fs::write(place.folder.path().join(name), "").unwrap();
    }
    assert_eq!(place.backups().len(), 1);
}

#[tokio::test]
async fn one_that_the_present_key_does_not_open_does_not_count() {
    let place = Place::new();
    let now = at("2026-03-02T09:30:00Z");
    let Ok(Turn::Made(first)) = place.look(now).await else { panic!("the first is due") };
    let fits = |backup: &Backup| backup.name != first.name;
    let soon = now.plus(Duration::from_secs(60));
    assert!(matches!(turn(&place.folder, soon, &place.known, fits, whole).await.unwrap(), Turn::Made(_)));
    assert!(matches!(turn(&place.folder, soon, &place.known, fits, whole).await.unwrap(), Turn::NotDue(_)), "and the new one does");
}
