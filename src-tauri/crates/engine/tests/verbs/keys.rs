//! From one key to the next, while other processes have the store open.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by a panic; the exemption of tests does not reach their fixtures")]

use std::path::PathBuf;
use std::time::Duration;

use patchbay_engine::credential::{self, CreateCredential};
use patchbay_engine::key::{self, Progress, Status};
use patchbay_engine::{Engine, ManagementGrant, NetworkPolicy, installation};
use patchbay_model::list::ListQuery;
use patchbay_model::{Code, Environment, Origin, Secret};
use patchbay_vault::{KeyAccess, KeySource, SourceKind};
use serde_json::json;

use crate::world::World;

/// Another process on the same store.
async fn another(world: &World, keys: &KeyAccess) -> (Engine, ManagementGrant) {
    let engine = installation::open(&world.store(), keys, world.context.clone(), NetworkPolicy::default(), Origin::Cli).await.unwrap();
    let grant = engine.local_grant(world.created.organization.id, Origin::Cli).await.unwrap();
    (engine, grant)
}

fn file(world: &World, name: &str) -> KeyAccess {
    KeyAccess::from(KeySource::File(world.folder.path().join(name)))
}

async fn seal_one(engine: &Engine, grant: &ManagementGrant, name: &str) {
    let new = CreateCredential { name: Some(name.to_owned()), config: Some(json!({ "type": "token", "secret": "s3cret" })), ..CreateCredential::default() };
    credential::create(engine, grant, "t-alpha", new).await.unwrap();
}

async fn status(engine: &Engine, grant: &ManagementGrant) -> Status {
    key::status(engine, grant).await.unwrap()
}

/// An account with sealed values of every kind that can be made here, a tombstone among them.
async fn filled() -> World {
    let world = World::new().await;
    world.account("t-alpha", Environment::Prod, &[]).await;
    for name in ["one", "two", "gone"] {
        world.redmine("t-alpha", name, "a-secret-of-the-provider").await;
    }
    patchbay_engine::integration::delete(&world.engine, &world.grant, "t-alpha", "gone").await.unwrap();
    seal_one(&world.engine, &world.grant, "shared").await;
    world
}

async fn clean(engine: &Engine, values: u64) {
    let report = engine.verify_store().await.unwrap();
    assert_eq!((report.findings.as_slice(), report.sealed_values), ([].as_slice(), values));
}

#[tokio::test]
async fn every_value_is_sealed_anew_and_the_key_before_is_dropped() {
    let world = filled().await;
    let before = status(&world.engine, &world.grant).await;
    assert_eq!((before.values, before.data_keys.len(), before.data_keys[0].values, before.data_rotated_at), (4, 1, 4, None), "the tombstone is one of them");
    assert!(before.database_keys.is_empty() && before.rotation.is_none() && before.holder);
    assert_eq!(before.key_source, Some(world.keys().source().clone()));
    // Tokens live on: their hashes are under another key, which stays.
    let token = world.created.token.primary.as_ref().unwrap().access.secret.clone().unwrap();

    let mut told = Vec::new();
    world.advance(60);
    let done = key::rotate_data(&world.engine, &world.grant, |progress| told.push(progress)).await.unwrap();
    assert_eq!(done, Progress { done: 4, total: 4 });
    assert_eq!((told.first(), told.last()), (Some(&Progress { done: 0, total: 4 }), Some(&done)));
    let after = status(&world.engine, &world.grant).await;
    assert_eq!((after.values, after.data_keys.len(), after.data_keys[0].values), (4, 1, 4));
    assert!(after.data_keys[0].id != before.data_keys[0].id && after.data_rotated_at == Some(world.engine.now()) && after.rotation.is_none(), "{after:?}");
    clean(&world.engine, 4).await;
    world.management(token.expose()).await;
    let log = patchbay_engine::audit::list(&world.engine, &world.grant, ListQuery::default()).await.unwrap();
    assert_eq!(log.items.iter().filter(|row| row.operation == "keys.rotate").count(), 1, "the log tells of it once");
    // What is sealed from now on, and whoever opens the store from now on.
    seal_one(&world.engine, &world.grant, "later").await;
    world.engine.shutdown().await;
    let (engine, _) = another(&world, &world.keys()).await;
    clean(&engine, 5).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_process_that_had_the_store_open_goes_on() {
    let world = filled().await;
    let (other, grant) = another(&world, &world.keys()).await;
    key::rotate_data(&world.engine, &world.grant, |_| {}).await.unwrap();
    // It has heard of nothing and is not asked to wait.
    seal_one(&other, &grant, "of-the-other").await;
    let after = status(&world.engine, &world.grant).await;
    assert_eq!((after.data_keys.len(), after.data_keys[0].values), (1, 5), "nothing comes to lie under the key before");
    clean(&world.engine, 5).await;
    clean(&other, 5).await;

    // And the other way round, a value under a key that it has not met.
    let (reader, grant) = another(&world, &world.keys()).await;
    key::rotate_data(&other, &grant, |_| {}).await.unwrap();
    let renamed = credential::UpdateCredential { config: Some(json!({ "type": "token", "secret": "s3cret" })), ..credential::UpdateCredential::default() };
    let updated = credential::update(&reader, &grant, "t-alpha", "shared", renamed).await.unwrap();
    assert_eq!(updated.name.as_str(), "shared", "it opened what was there, to see whether the secret is another");
    clean(&reader, 5).await;
    other.shutdown().await;
    reader.shutdown().await;
}

#[tokio::test]
async fn two_rotations_at_a_time_are_one() {
    let world = filled().await;
    let (other, grant) = another(&world, &world.keys()).await;
    let before = status(&other, &grant).await;
    let (one, two) = tokio::join!(key::rotate_data(&world.engine, &world.grant, |_| {}), key::rotate_data(&other, &grant, |_| {}));
    one.unwrap();
    two.unwrap();
    let after = status(&other, &grant).await;
    assert!(after.data_keys.len() == 1 && after.data_keys[0].id != before.data_keys[0].id && after.rotation.is_none(), "{after:?}");
    clean(&other, 4).await;
    other.shutdown().await;
}

/// Waits until the process says so; a change of another process reaches it within a second.
async fn until(engine: &Engine, grant: &ManagementGrant, what: &str, so: impl Fn(&Status) -> bool) -> Status {
    for _ in 0..200 {
        let status = status(engine, grant).await;
        if so(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to this: {what}");
}

#[tokio::test]
async fn a_rotation_that_was_begun_is_gone_on_with_by_whoever_has_the_store_open() {
    let world = filled().await;
    key::begin_data_rotation(&world.engine, &world.grant).await.unwrap();
    key::begin_data_rotation(&world.engine, &world.grant).await.unwrap();
    let done = until(&world.engine, &world.grant, "the rotation ends", |status| status.rotation.is_none() && status.data_rotated_at.is_some()).await;
    assert_eq!((done.data_keys.len(), done.data_keys[0].values), (1, 4));
    clean(&world.engine, 4).await;
}

#[tokio::test]
async fn the_master_key_goes_to_another_file_and_those_without_it_say_so() {
    let world = filled().await;
    let (other, grant) = another(&world, &world.keys()).await;
    world.advance(60);
    let rotated = key::rotate_master(&world.engine, &world.grant, Some(file(&world, "next.key"))).await.unwrap();
    assert!(!rotated.resumed && rotated.kept_file.is_none() && !rotated.kept_entry);
    let after = status(&world.engine, &world.grant).await;
    assert_eq!((after.source, after.master_rotated_at, after.trouble.as_deref()), (SourceKind::File, Some(world.engine.now()), None));
    assert_eq!(after.key_source, Some(file(&world, "next.key").source().clone()));

    // The other process holds the keys and goes on; what it cannot do any more it says.
    let told = until(&other, &grant, "the other process says that it lacks the key", |status| status.trouble.is_some()).await;
    assert!(told.trouble.as_ref().unwrap().contains("was rotated at") && told.trouble.as_ref().unwrap().contains("start it anew"), "{told:?}");
    seal_one(&other, &grant, "of-the-other").await;
    clean(&other, 5).await;
    let refused = key::rotate_master(&other, &grant, Some(file(&world, "third.key"))).await.unwrap_err();
    assert_eq!(refused.code, Code::WrongKey, "{}", refused.message);

    // Until a data key comes that it cannot unwrap: then it refuses rather than lose what it was given.
    key::rotate_data(&world.engine, &world.grant, |_| {}).await.unwrap();
    let new = CreateCredential { name: Some("late".to_owned()), config: Some(json!({ "type": "token", "secret": "s3cret" })), ..CreateCredential::default() };
    let refused = credential::create(&other, &grant, "t-alpha", new).await.unwrap_err();
    assert!(refused.code == Code::KeyUnavailable && refused.message.contains("rotated"), "{}", refused.message);
    clean(&world.engine, 5).await;
    other.shutdown().await;

    world.engine.shutdown().await;
    let wrong = installation::open(&world.store(), &world.keys(), world.context.clone(), NetworkPolicy::default(), Origin::Cli).await.err().unwrap();
    assert_eq!(wrong.code, Code::WrongKey);
    let looked = key::look(&world.store(), &world.context).await.unwrap();
    assert_eq!((looked.values, looked.data_keys[0].values, looked.holder), (5, 5, false), "what needs no key is told without one");
    let (engine, _) = another(&world, &file(&world, "next.key")).await;
    clean(&engine, 5).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_key_file_is_exchanged_and_every_process_follows() {
    let world = filled().await;
    let (other, grant) = another(&world, &world.keys()).await;
    let rotated = key::rotate_master(&world.engine, &world.grant, None).await.unwrap();
    let kept: PathBuf = rotated.kept_file.unwrap();
    assert!(kept.exists() && rotated.source == *world.keys().source());
    key::rotate_data(&world.engine, &world.grant, |_| {}).await.unwrap();
    // Its source gives the next key, so that it never has to say anything.
    let told = until(&other, &grant, "the other process holds the next key", |status| status.trouble.is_none() && status.master_rotated_at.is_some()).await;
    assert_eq!(told.data_keys.len(), 1);
    seal_one(&other, &grant, "of-the-other").await;
    key::rotate_data(&other, &grant, |_| {}).await.unwrap();
    clean(&other, 5).await;
    clean(&world.engine, 5).await;
    other.shutdown().await;
}

#[tokio::test]
async fn a_passphrase_is_brought_in_and_needed_from_then_on() {
    let world = filled().await;
    let missing = key::rotate_master(&world.engine, &world.grant, Some(KeySource::Passphrase.into())).await.unwrap_err();
    assert_eq!(missing.code, Code::InvalidField, "{}", missing.message);
    let weak = key::rotate_master(&world.engine, &world.grant, Some(KeyAccess::with_passphrase(Secret::new("short")))).await.unwrap_err();
    assert_eq!(weak.code, Code::WeakPassword);
    assert!(status(&world.engine, &world.grant).await.pending.is_none(), "nothing was begun");
    let unwritable = KeyAccess::from(KeySource::File(world.folder.path().join("no/such/folder/key")));
    let refused = key::rotate_master(&world.engine, &world.grant, Some(unwritable)).await.unwrap_err();
    assert!(refused.code == Code::KeyUnavailable && status(&world.engine, &world.grant).await.pending.is_none(), "it was taken back: {}", refused.message);

    let passphrase = KeyAccess::with_passphrase(Secret::new("correct horse battery"));
    key::rotate_master(&world.engine, &world.grant, Some(passphrase.clone())).await.unwrap();
    world.engine.shutdown().await;
    assert_eq!(installation::open(&world.store(), &world.keys(), world.context.clone(), NetworkPolicy::default(), Origin::Cli).await.err().unwrap().code, Code::KeyUnavailable);
    let (engine, _) = another(&world, &passphrase).await;
    clean(&engine, 4).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn who_may() {
    let world = filled().await;
    let token = world.created.token.primary.as_ref().unwrap().access.secret.clone().unwrap();
    let remote = world.management(token.expose()).await;
    let shown = status(&world.engine, &remote).await;
    assert!(!shown.holder && shown.key_source.is_none(), "where the key lies is told to its holder alone: {shown:?}");
    for refused in [
        key::rotate_master(&world.engine, &remote, Some(file(&world, "of-a-stranger"))).await.map(drop).unwrap_err(),
        key::forget_replaced(&world.engine, &remote).await.map(drop).unwrap_err(),
    ] {
        assert!(refused.code == Code::PermissionDenied && refused.message.contains("where it lies"), "{}", refused.message);
    }
    assert!(!world.folder.path().join("of-a-stranger").exists(), "nobody writes files through the API");
    assert_eq!(key::rotate_data(&world.engine, &remote, |_| {}).await.unwrap().done, 4, "the only organization's administrator may rotate the data key");

    let (second, _) = installation::create(&world.store(), &world.keys(), "Other", world.context.clone()).await.unwrap();
    for refused in [
        key::status(&world.engine, &remote).await.map(drop).unwrap_err(),
        key::begin_data_rotation(&world.engine, &remote).await.unwrap_err(),
        key::rotate_data(&world.engine, &remote, |_| {}).await.map(drop).unwrap_err(),
    ] {
        assert!(refused.code == Code::PermissionDenied && refused.message.contains("several organizations"), "{}", refused.message);
    }
    // The holder may, and the log of each organization tells of it.
    key::rotate_data(&world.engine, &world.grant, |_| {}).await.unwrap();
    for organization in second.organizations().await.unwrap() {
        let grant = second.local_grant(organization.id, Origin::Cli).await.unwrap();
        let log = patchbay_engine::audit::list(&second, &grant, ListQuery::default()).await.unwrap();
        assert!(log.items.iter().any(|row| row.operation == "keys.rotate" && row.organization_id == organization.id), "{}", organization.name);
    }
    second.shutdown().await;
}
