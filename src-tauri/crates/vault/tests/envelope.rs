//! What is sealed opens at its own place with its own key, and nowhere else.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail the test")]

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_model::{AccountId, Code, Context, OrganizationId, Secret};
use patchbay_vault::{Aad, Envelope, KeyHeader, MasterKey, OsEntropy, SourceKind, SystemClock, Vault, mint_token, parse_token, system_context};
use uuid::Uuid;

fn master(byte: u8) -> MasterKey {
    MasterKey::from_base64(&Secret::new(STANDARD.encode([byte; 32]))).unwrap()
}

fn vault(byte: u8) -> (Vault, KeyHeader) {
    Vault::create(&master(byte), Uuid::from_u128(1), SourceKind::Env, None, &system_context()).unwrap()
}

fn organization(id: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(id))
}

fn account(id: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(id))
}

fn code<T>(result: Result<T, patchbay_model::Problem>) -> Code {
    result.err().expect("it must be refused").code
}

#[test]
fn a_moved_ciphertext_does_not_open() {
    let (vault, _) = vault(1);
    let row = Uuid::from_u128(30);
    let home = Aad::new(organization(10), Some(account(20)), "shared_credentials", row);
    let envelope = vault.seal(&home, &Secret::new("hunter2"), &OsEntropy).unwrap();
    assert_eq!(vault.open(&home, &envelope).unwrap().expose(), "hunter2");

    for (what, place) in [
        ("organization", Aad::new(organization(11), Some(account(20)), "shared_credentials", row)),
        ("account", Aad::new(organization(10), Some(account(21)), "shared_credentials", row)),
        ("no account", Aad::new(organization(10), None, "shared_credentials", row)),
        ("table", Aad::new(organization(10), Some(account(20)), "integration_instances", row)),
        ("column", Aad::new(organization(10), Some(account(20)), "shared_credentials.previous", row)),
        ("row", Aad::new(organization(10), Some(account(20)), "shared_credentials", Uuid::from_u128(31))),
        ("organization and account exchanged", Aad::new(organization(20), Some(account(10)), "shared_credentials", row)),
    ] {
        assert_eq!(code(vault.open(&place, &envelope)), Code::SealBroken, "another {what} must not open it");
    }

    // "No account" is a place of its own: not even the nil account opens it.
    let nobody = Aad::new(organization(10), None, "t", row);
    let envelope = vault.seal(&nobody, &Secret::new("x"), &OsEntropy).unwrap();
    assert_eq!(code(vault.open(&Aad::new(organization(10), Some(account(0)), "t", row), &envelope)), Code::SealBroken);
    assert_eq!(vault.open(&nobody, &envelope).unwrap().expose(), "x");
}

#[test]
fn a_changed_envelope_does_not_open_and_the_message_holds_no_secret() {
    let (vault, _) = vault(1);
    let place = Aad::new(organization(1), None, "t", Uuid::nil());
    let envelope = vault.seal(&place, &Secret::new("hunter2"), &OsEntropy).unwrap();
    let bytes = STANDARD.decode(&envelope.ct).unwrap();
    assert!(!envelope.ct.contains("hunter2") && !bytes.windows(7).any(|part| part == b"hunter2"), "the ciphertext does not hold the secret");
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1;
        let changed = Envelope { ct: STANDARD.encode(changed), ..envelope.clone() };
        assert_eq!(code(vault.open(&place, &changed)), Code::SealBroken, "a change of byte {position} is noticed");
    }
    for changed in [
        Envelope { v: 2, ..envelope.clone() },
        Envelope { key_id: "other".into(), ..envelope.clone() },
        Envelope { ct: String::new(), ..envelope.clone() },
        Envelope { ct: "?".into(), ..envelope.clone() },
    ] {
        let problem = vault.open(&place, &changed).err().unwrap();
        assert!(problem.code == Code::SealBroken && !problem.message.contains("hunter2"), "{}", problem.message);
    }
    assert_ne!(envelope.ct, vault.seal(&place, &Secret::new("hunter2"), &OsEntropy).unwrap().ct, "each sealing has a nonce of its own");
}

#[test]
fn the_header_survives_json_and_unlocks_with_the_right_key_only() {
    let (vault, header) = vault(1);
    let place = Aad::new(organization(1), None, "t", Uuid::nil());
    let envelope = vault.seal(&place, &Secret::new("hunter2"), &OsEntropy).unwrap();
    let json = serde_json::to_string(&header).unwrap();
    let read: KeyHeader = serde_json::from_str(&json).unwrap();
    assert_eq!(read, header);

    let again = Vault::unlock(&master(1), &read).unwrap();
    assert_eq!(again.open(&place, &envelope).unwrap().expose(), "hunter2");
    let token = parse_token(mint_token(patchbay_model::token::SecretKind::Refresh, &OsEntropy).expose()).unwrap_or_else(|_| unreachable!());
    assert_eq!(again.token_hash(&token), vault.token_hash(&token), "hashes stay the same over restarts");
    assert_ne!(vault.keyed_hash("token", b"x"), vault.keyed_hash("state", b"x"), "purposes are apart");

    let problem = Vault::unlock(&master(2), &read).err().unwrap();
    assert_eq!(problem.code, Code::WrongKey);
    assert!(problem.message.contains("an environment variable"), "it says where the right key came from: {}", problem.message);
    assert_eq!(serde_json::to_string(&read).unwrap(), json, "a wrong key changes nothing");
}

#[test]
fn a_forged_or_newer_header_is_refused() {
    let (_, header) = vault(1);
    let changed = |change: &dyn Fn(&mut KeyHeader)| {
        let mut header = header.clone();
        change(&mut header);
        code(Vault::unlock(&master(1), &header))
    };
    assert_eq!(changed(&|header| header.version = 2), Code::StoreNewer);
    assert_eq!(changed(&|header| header.store_id = Uuid::from_u128(2)), Code::WrongKey, "another store's check value differs");
    assert_eq!(changed(&|header| header.lock.check = "?".into()), Code::StoreDamaged);
    assert_eq!(changed(&|header| header.active = "none".into()), Code::StoreDamaged);
    assert_eq!(changed(&|header| header.lock.data_keys.clear()), Code::StoreDamaged);
    assert_eq!(changed(&|header| header.lock.data_keys[0].id = "renamed".into()), Code::StoreDamaged);
    assert_eq!(changed(&|header| header.lock.hash_key.wrapped = header.lock.data_keys[0].wrapped.clone()), Code::StoreDamaged, "a data key is no hash key");
    assert_eq!(changed(&|header| header.lock.data_keys[0] = header.lock.hash_key.clone()), Code::StoreDamaged, "nor the other way round");
}

#[test]
fn keys_of_two_stores_differ_although_the_master_key_is_the_same() {
    let context = Context::new(Arc::new(SystemClock), Arc::new(OsEntropy));
    let (one, _) = Vault::create(&master(1), Uuid::from_u128(1), SourceKind::File, None, &context).unwrap();
    let (two, _) = Vault::create(&master(1), Uuid::from_u128(2), SourceKind::File, None, &context).unwrap();
    assert_ne!(one.keyed_hash("p", b"x"), two.keyed_hash("p", b"x"));
    assert_ne!((one.store_id(), Uuid::nil()), (two.store_id(), Uuid::nil()));
}
