use patchbay_engine::backup::{self, Made, Settings};
use patchbay_engine::installation;
use patchbay_engine::token::{self, CreateToken};
use patchbay_model::permission::PermissionSet;
use patchbay_model::{Code, Environment};
use patchbay_vault::{FileKey, open_file};

use crate::world::{World, caller};

/// The text of a backup, opened with the key file of the store alone.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn text(world: &World, name: &str) -> String {
    use std::io::Read as _;
    let file = std::fs::File::open(world.folder.path().join("backups").join(name)).unwrap();
    let mut input = std::io::BufReader::new(file);
    let header = backup::read_header(&mut input).unwrap();
    let vault = world.keys().open_vault(&header.key_header).unwrap();
    let mut text = String::new();
    open_file(&FileKey::Identities(vec![vault.backup_identity().unwrap()]), input).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_backup_holds_everything_and_shows_nothing() {
    let world = World::new().await;
    world.account("t-alpha-customer", Environment::Prod, &[]).await;
    world.redmine("t-alpha-customer", "redmine", "a-secret-of-the-provider").await;
    let made = backup::create(&world.engine, &world.grant).await.unwrap();
    assert_eq!(made.made, Made::ByHand);
    let bytes = std::fs::read(world.folder.path().join("backups").join(&made.name)).unwrap();
    assert_eq!(u64::try_from(bytes.len()).unwrap(), made.bytes);
    let shown = String::from_utf8_lossy(&bytes);
    assert!(!shown.contains("t-alpha-customer") && !shown.contains("acme"), "not even a name is to be seen");
    let text = text(&world, &made.name);
    assert!(text.contains("t-alpha-customer") && text.contains("acme-tools"));
    assert!(!text.contains("a-secret-of-the-provider"), "secrets are sealed once more");

    let listed = backup::list(&world.engine, &world.grant).await.unwrap();
    assert_eq!((listed.backups, listed.failure, listed.settings), (vec![made], None, Settings::default()));
    assert_eq!(listed.next_due, Some(world.engine.now()), "one by hand does not count for the day");
}

#[tokio::test]
async fn only_an_administrator_of_the_whole_organization_decides() {
    let world = World::new().await;
    for set in [PermissionSet::Viewer, PermissionSet::AccountManager, PermissionSet::ConnectUi, PermissionSet::AccountProvisioner] {
        let token = CreateToken { name: None, fullname: None, resources: Default::default(), permission_set: set, token_ttl: None };
        let minted = token::mint(&world.engine, &world.grant, token).await.unwrap();
        let token = world.management(minted.primary.unwrap().access.secret.unwrap().expose()).await;
        let set = set.as_str();
        assert_eq!(backup::list(&world.engine, &token).await.unwrap_err().code, Code::PermissionDenied, "{set}");
        assert_eq!(backup::create(&world.engine, &token).await.unwrap_err().code, Code::PermissionDenied, "{set}");
        assert_eq!(backup::change_settings(&world.engine, &token, Settings::default()).await.unwrap_err().code, Code::PermissionDenied, "{set}");
    }
    assert!(!world.folder.path().join("backups").exists(), "nothing was made");
}

#[tokio::test]
async fn the_administrator_of_one_organization_does_not_decide_for_another() {
    let world = World::new().await;
    let remote = world.grant.with_caller(caller());
    backup::create(&world.engine, &remote).await.unwrap();
    let (second, _) = installation::create(&world.store(), &world.keys(), "Other", world.context.clone()).await.unwrap();
    let off = Settings { enabled: false, ..Settings::default() };
    for refused in [backup::list(&world.engine, &remote).await.err(), backup::change_settings(&world.engine, &remote, off).await.err()] {
        let problem = refused.unwrap();
        assert!(problem.code == Code::PermissionDenied && problem.message.contains("several organizations"), "{}", problem.message);
    }
    // Whoever sits at the machine with the key does.
    assert!(!backup::change_settings(&world.engine, &world.grant, off).await.unwrap().settings.enabled);
    second.shutdown().await;
}

#[tokio::test]
async fn settings_have_bounds_and_leave_a_row() {
    let world = World::new().await;
    for bad in [Settings { daily: 0, ..Settings::default() }, Settings { daily: 1001, ..Settings::default() }, Settings { weekly: 1001, ..Settings::default() }] {
        assert_eq!(backup::change_settings(&world.engine, &world.grant, bad).await.unwrap_err().code, Code::InvalidField, "{bad:?}");
    }
    let changed = backup::change_settings(&world.engine, &world.grant, Settings { enabled: true, daily: 30, weekly: 0 }).await.unwrap();
    assert_eq!(changed.settings.daily, 30);
    let rows = patchbay_engine::audit::list(&world.engine, &world.grant, patchbay_model::list::ListQuery::default()).await.unwrap();
    assert!(rows.items.iter().any(|row| row.operation == "backups.settings"));
}

#[tokio::test]
async fn what_was_cut_off_or_changed_is_no_backup() {
    let world = World::new().await;
    let made = backup::create(&world.engine, &world.grant).await.unwrap();
    let bytes = std::fs::read(world.folder.path().join("backups").join(&made.name)).unwrap();
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    for length in [0, 1, line / 2, line] {
        assert_eq!(backup::read_header(&mut &bytes[..length]).unwrap_err().code, Code::StoreDamaged, "{length} bytes");
    }
    assert_eq!(backup::read_header(&mut &b"{\"patchbay_backup\":2}\n"[..]).unwrap_err().code, Code::StoreNewer);
    assert_eq!(backup::read_header(&mut &b"age-encryption.org/v1\n"[..]).unwrap_err().code, Code::StoreDamaged);
}
