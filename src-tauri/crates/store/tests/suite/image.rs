//! Images: every row comes back as it was, and nothing else passes for one.

use std::collections::BTreeMap;
use std::fmt::Write;

use patchbay_model::*;
use patchbay_store::{ImageDecoder, ImageEncoder, ImageSource, ImageSums, Store, StoreError, StoreHeader, TableSum, TransferKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::place::*;

/// The image of a whole store, as text.
async fn text_of(store: &Store) -> String {
    encode(store.image(time(7)).await.unwrap()).await.0
}

async fn encode(mut source: ImageSource) -> (String, Vec<TableSum>) {
    let (mut encoder, mut text) = ImageEncoder::new(source.header());
    while let Some(batch) = source.next().await.unwrap() {
        text.push_str(&encoder.batch(&batch));
    }
    source.end().await.unwrap();
    let (end, sums) = encoder.finish();
    (text + &end, sums)
}

/// A store that is filled with an image.
async fn filled(directory: &Directory, text: &str) -> Result<Store, StoreError> {
    let mut decoder = ImageDecoder::open(text.as_bytes())?;
    let header = decoder.header().clone();
    let store = Store::create(&directory.file()).await?;
    let mut tx = store.write(Scope::System, Origin::Cli).await?;
    tx.require_empty().await?;
    while let Some(batch) = decoder.next_batch()? {
        tx.insert_image(&batch).await?;
    }
    tx.insert_header(&StoreHeader { id: header.store_id, key_header: header.key_header.unwrap_or_default(), created_at: header.store_created_at }).await?;
    tx.commit().await?;
    Ok(store)
}

/// Reads an image to its end.
fn read(text: &[u8]) -> Result<Vec<TableSum>, StoreError> {
    let mut decoder = ImageDecoder::open(text)?;
    while decoder.next_batch()?.is_some() {}
    Ok(decoder.finish())
}

fn sha(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Rows by table, put together as an image by hand: what is said of the form holds for those who know it from the words alone.
fn by_hand(header: &Value, rows: &BTreeMap<&str, Vec<Value>>) -> String {
    let mut header = header.clone();
    for table in header["tables"].as_array_mut().unwrap() {
        table["rows"] = json!(rows.get(table["name"].as_str().unwrap()).map_or(0, Vec::len));
    }
    let mut text = format!("{header}\n");
    let mut all = 0;
    for table in header["tables"].as_array().unwrap() {
        let name = table["name"].as_str().unwrap();
        let mut lines = String::new();
        for row in rows.get(name).into_iter().flatten() {
            let unknown: Vec<_> = row.as_object().unwrap().keys().filter(|key| !table["columns"].as_array().unwrap().contains(&json!(key))).collect();
            assert!(unknown.is_empty(), "{name} has no {unknown:?}");
            let values: Vec<&Value> = table["columns"].as_array().unwrap().iter().map(|column| row.get(column.as_str().unwrap()).unwrap_or(&Value::Null)).collect();
            let _ = writeln!(lines, "{}", json!(values));
            all += 1;
        }
        let count = rows.get(name).map_or(0, Vec::len);
        let _ = write!(text, "{}\n{lines}{}\n", json!({"table": name}), json!({"rows": count, "sha256": sha(&lines)}));
    }
    let end = json!({"end": {"rows": all, "sha256": sha(&text)}});
    text + &end.to_string() + "\n"
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn text(&mut self) -> String {
        const PARTS: &[&str] = &["a", "Z", "9", " ", "\"", "\\", "'", "\n", "\t", "\u{1}", "ß", "漢", "🦀", "%", "{}", "$1", "--", "\u{2028}", "e\u{301}", ";"];
        (0..self.roll(12) + 1).map(|_| PARTS[self.roll(PARTS.len() as u64) as usize]).collect()
    }

    fn structure(&mut self, depth: u64) -> Value {
        match self.roll(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.roll(2) == 0),
            2 => json!([0, 1, -1, i64::MAX, i64::MIN][self.roll(5) as usize]),
            3 => json!([0.5, -2.25, 1e-7, 1e300, 3.25][self.roll(5) as usize]),
            4 => json!(u64::MAX),
            5 => json!(self.text()),
            6 => Value::Array((0..self.roll(4)).map(|_| self.structure(depth - 1)).collect()),
            _ => {
                let members: BTreeMap<String, Value> = (0..self.roll(4)).map(|_| (self.text(), self.structure(depth - 1))).collect();
                json!(members)
            }
        }
    }

    fn json(&mut self) -> Value {
        json!([self.structure(3)])
    }

    fn time(&mut self) -> Value {
        json!(time(i64::try_from(self.roll(1 << 31)).unwrap()).to_string())
    }

    fn some(&mut self, value: Value) -> Value {
        if self.roll(3) == 0 { Value::Null } else { value }
    }
}

fn id() -> Value {
    json!(uuid().to_string())
}

fn sealed(dice: &mut Dice) -> Value {
    json!([1, "key", dice.text()])
}

/// Rows of every table that travels, as many as a hundred of some, with whatever a column may hold.
fn everything(seed: u64) -> BTreeMap<&'static str, Vec<Value>> {
    let mut d = Dice(seed);
    let d = &mut d;
    let mut rows: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    let stamp = |d: &mut Dice| (d.time(), d.time());
    for number in 0..2 {
        let organization = id();
        let (created, updated) = stamp(d);
        rows.entry("organizations").or_default().push(json!({"id": organization, "name": format!("org-{number}"), "fullname": d.text(), "refresh_token_id": id(),
            "contact": d.text(), "options": d.json(), "sample": number == 1, "created_at": created, "updated_at": updated}));
        rows.entry("roles").or_default().push(json!({"id": id(), "organization_id": organization, "name": d.text(), "fullname": d.text(), "resources": d.json(),
            "permission_set": "viewer", "created_at": created, "updated_at": updated, "deleted_at": d.time(), "deletion_id": id()}));
        let member = id();
        rows.entry("members").or_default().push(json!({"id": member, "organization_id": organization, "name": d.text(), "fullname": d.text(), "member_type": "PERSONAL",
            "state": "ENABLED", "role_binding": d.json(), "ttl_seconds": d.some(json!(60)), "token_ttl_seconds": 3600, "failed_logons": 3, "password_hash": d.text(),
            "created_at": created, "updated_at": updated, "locked_until": d.time()}));
        let point = id();
        rows.entry("integration_points").or_default().push(json!({"id": point, "organization_id": organization, "name": "p", "fullname": d.text(), "connector": "ticketing",
            "environments": d.json(), "policy": d.json(), "created_at": created, "updated_at": updated}));
        let definition = id();
        rows.entry("integration_definitions")
            .or_default()
            .push(json!({"id": definition, "name": format!("provider-{number}"), "type": "ticketing", "version": "1", "auth_type": "basic",
            "docs_url": d.text(), "config_schema": d.json(), "credentials_schema": d.json(), "status": "active", "created_at": created, "updated_at": updated}));
        let secret = id();
        rows.entry("shared_credentials")
            .or_default()
            .push(json!({"id": secret, "organization_id": organization, "credentials": sealed(d), "created_at": created, "updated_at": updated}));
        let app = id();
        rows.entry("provider_apps")
            .or_default()
            .push(json!({"id": app, "organization_id": organization, "name": "app", "fullname": d.text(), "provider": "x", "client_id": d.text(),
            "client_secret": secret, "redirect_uris": d.json(), "scopes": d.json(), "created_at": created, "updated_at": updated}));
        rows.entry("app_checks").or_default().push(json!({"provider_app_id": app, "organization_id": organization, "kind": "token", "subject": d.text(), "at": d.time(),
            "outcome": "good", "detail": d.json()}));
        rows.entry("clocks").or_default().push(json!({"owner_kind": "provider_app", "owner_id": app, "token": "main", "clock": "secret", "organization_id": organization,
            "at": d.time()}));
        let (hook, signing) = (id(), id());
        rows.entry("organization_webhooks").or_default().push(json!({"id": hook, "organization_id": organization, "name": "hook", "fullname": d.text(), "environment": "prod",
            "filters": d.json(), "url": "https://hooks.example", "credential_id": signing, "created_at": created, "updated_at": updated}));
        rows.entry("credentials").or_default().push(json!({"id": signing, "organization_id": organization, "owner_type": "organization_webhook", "owner_id": hook,
            "organization_webhook_id": hook, "name": "signs", "fullname": d.text(), "kind": "secret", "public_config": d.json(), "sealed_at": "shared", "shared_credential_id": secret,
            "managed": true, "created_at": created, "updated_at": updated}));
        let delivery = id();
        rows.entry("webhook_deliveries").or_default().push(json!({"id": delivery, "organization_id": organization, "webhook_id": hook, "event": "account_created",
            "payload": "{\"b\": 1,  \"a\": 1e2}", "state": "failed", "attempts": 2, "next_attempt_at": created, "last_status": 500, "created_at": created, "updated_at": updated}));
        for attempt in 1..=2 {
            rows.entry("webhook_attempts").or_default().push(json!({"delivery_id": delivery, "organization_id": organization, "number": attempt, "created_at": created,
                "status": 500, "response": d.text(), "duration_ms": i64::MAX}));
        }
        let container = id();
        rows.entry("token_containers").or_default().push(json!({"id": container, "organization_id": organization, "owner_type": "organization", "owner_id": organization,
            "member_id": member, "name": "default", "fullname": d.text(), "token_type": "default", "authority": d.json(), "access_ttl_seconds": 1, "expires": created,
            "created_at": created, "updated_at": updated, "last_used_at": d.time()}));
        for kind in ["organization_access", "refresh"] {
            rows.entry("token_secrets").or_default().push(json!({"hash": base64(d), "organization_id": organization, "container_id": container, "kind": kind, "slot": "primary",
                "expires": created}));
        }
        rows.entry("web_sessions").or_default().push(json!({"id": id(), "hash": base64(d), "organization_id": organization, "member_id": member, "authority": d.json(),
            "user_agent": d.text(), "expires": created, "last_seen_at": created, "created_at": created}));
        rows.entry("one_time_links").or_default().push(json!({"hash": base64(d), "organization_id": organization, "member_id": member, "purpose": "reset", "expires": created,
            "created_at": created}));
        for account_number in 0..3 {
            let account = id();
            rows.entry("accounts").or_default().push(json!({"id": account, "organization_id": organization, "name": format!("a{account_number}"), "fullname": d.text(),
                "environment": "test", "labels": d.json(), "external_id": format!("{account_number}{}", d.text()), "created_at": created, "updated_at": updated}));
            let person = id();
            rows.entry("end_users").or_default().push(json!({"id": person, "organization_id": organization, "account_id": account, "name": "eve", "fullname": d.text(),
                "email": d.some(json!("eve@example.com")), "created_at": created, "updated_at": updated}));
            rows.entry("public_links").or_default().push(json!({"id": id(), "organization_id": organization, "account_id": account, "integration_point_id": d.some(point.clone()),
                "end_user_id": person, "member_id": member, "purpose": "connect", "hash": base64(d), "settings": d.json(), "expires": created, "uses_left": 1, "created_at": created}));
            for integration_number in 0..5 {
                let integration = id();
                let attention = integration_number == 0;
                rows.entry("integration_instances").or_default().push(json!({"id": integration, "organization_id": organization, "account_id": account, "integration_id": definition,
                    "name": format!("i{integration_number}"), "fullname": d.text(), "provider": format!("provider-{number}"), "connector": "ticketing", "integration_point_id": d.some(point.clone()),
                    "status": if attention { "needs_attention" } else { "active" }, "status_cause": attention.then_some("x"), "status_since": created, "credentials": sealed(d),
                    "config": d.json(), "webhook_config": d.some(json!([{"a": 1}])), "refresh_token_id": id(), "last_used_at": d.time(), "created_at": created, "updated_at": updated}));
                rows.entry("integration_counters").or_default().push(json!({"integration_id": integration, "organization_id": organization, "account_id": account, "requests": 5,
                    "failed": 1, "in_bytes": 1_i64 << 40, "out_bytes": 0, "updated_at": updated, "cpu_time_us": 1, "db_ops": 2, "api_ops": 3}));
                let credential = id();
                rows.entry("credentials").or_default().push(json!({"id": credential, "organization_id": organization, "owner_type": "integration", "owner_id": integration,
                    "account_id": account, "integration_id": integration, "name": "own", "fullname": d.text(), "kind": "token", "public_config": d.json(), "sealed_at": "integration",
                    "sealed_integration_id": integration, "provider_app_id": app, "expires": d.time(), "managed": false, "created_at": created, "updated_at": updated}));
                rows.entry("integration_credential_references")
                    .or_default()
                    .push(json!({"integration_id": integration, "organization_id": organization, "credential_id": credential}));
                rows.entry("refresh_journal").or_default().push(json!({"credential_id": credential, "organization_id": organization, "account_id": account, "intent_id": id(),
                    "owner": d.text(), "lease_until": created, "state": "settled", "sealed_table": "integration_instances", "sealed_row": integration, "previous": sealed(d),
                    "created_at": created, "updated_at": updated, "token": "main", "sent_fp": base64(d), "first_sent_at": d.time(), "sends": 2, "reason": "due", "witnessed": true}));
                rows.entry("refresh_flights").or_default().push(json!({"id": id(), "credential_id": credential, "organization_id": organization, "account_id": account,
                    "token": "user", "intent_id": id(), "owner": d.text(), "lease_until": created, "state": "settled", "sealed_table": "integration_instances",
                    "sealed_row": integration, "previous": sealed(d), "sent_fp": base64(d), "first_sent_at": d.time(), "sends": 2, "reason": "due", "witnessed": true,
                    "created_at": created, "updated_at": updated}));
                rows.entry("clocks").or_default().push(json!({"owner_kind": "credential", "owner_id": credential, "token": "main", "clock": "access",
                    "organization_id": organization, "account_id": account, "at": d.time(), "renew_at": d.some(updated.clone())}));
                let attempt = id();
                for number in 0..2 {
                    rows.entry("refresh_steps").or_default().push(json!({"credential_id": credential, "attempt_id": attempt, "number": number, "organization_id": organization,
                        "account_id": account, "at": created, "step": "intent", "token": "main", "owner": d.text(), "fp": base64(d), "spent": number == 1, "note": d.json()}));
                }
                rows.entry("revocations").or_default().push(json!({"id": id(), "organization_id": organization, "account_id": account, "integration_id": integration,
                    "integration_name": d.text(), "provider": "x", "definition_id": definition, "provider_app_id": app, "reason": "deleted", "state": "pending",
                    "tokens": sealed(d), "proof": d.json(), "attempts": 1, "next_attempt_at": created, "created_at": created, "updated_at": updated}));
                let session = id();
                rows.entry("connect_legs").or_default().push(json!({"id": id(), "organization_id": organization, "account_id": account, "session_id": session, "number": 1,
                    "route": "browser", "redirect_uri": "https://x", "state": "opened", "state_hash": base64(d), "secrets": sealed(d), "expires": created, "created_at": created,
                    "updated_at": updated}));
                rows.entry("flight_steps").or_default().push(json!({"session_id": session, "number": 1, "organization_id": organization, "account_id": account, "at": created,
                    "kind": "opened", "detail": d.json()}));
                rows.entry("connect_sessions").or_default().push(json!({"id": session, "organization_id": organization, "account_id": account, "integration_id": integration,
                    "provider_app_id": app, "member_id": member, "route": "browser", "redirect_uri": "https://x", "scopes": d.json(), "state": "begun", "state_hash": base64(d),
                    "verifier": sealed(d), "expires": created, "created_at": created, "updated_at": updated, "end_user_id": person, "form": d.json(), "recorded": 3}));
                rows.entry("consent_receipts").or_default().push(json!({"id": id(), "organization_id": organization, "account_id": account, "integration_id": integration,
                    "end_user_id": person, "provider": "x", "scopes": d.json(), "granted_at": created}));
                rows.entry("definition_moves").or_default().push(json!({"id": id(), "organization_id": organization, "account_id": account, "integration_id": integration,
                    "from_definition": definition, "to_definition": definition, "config_before": d.json(), "config_after": d.json(), "member_id": member, "moved_at": created}));
                rows.entry("status_events").or_default().push(json!({"id": id(), "organization_id": organization, "account_id": account, "integration_id": integration,
                    "created_at": created, "status": "active", "error": d.text(), "request": 1}));
                for minute in 0..20 {
                    rows.entry("status_minutes").or_default().push(json!({"integration_id": integration, "minute": time(minute * 60).to_string(), "organization_id": organization,
                        "account_id": account, "succeeded": minute, "failed": 0, "cpu_time_us": 1, "in_bytes": 1, "out_bytes": 1}));
                }
                for document in ["1", "a/b", "ü"] {
                    rows.entry("local_documents").or_default().push(json!({"integration_id": integration, "organization_id": organization, "account_id": account,
                        "collection": "tickets", "document_id": document, "position": 1, "body": d.json()}));
                }
                rows.entry("local_document_numbers").or_default().push(json!({"integration_id": integration, "organization_id": organization, "account_id": account,
                    "collection": "tickets", "last_number": 3}));
            }
            rows.entry("deletions")
                .or_default()
                .push(json!({"id": id(), "organization_id": organization, "account_id": account, "kind": "account", "object_id": id(), "deleted_at": created}));
            for number in 0..200 {
                rows.entry("audit_events").or_default().push(json!({"id": id(), "organization_id": organization, "created_at": d.time(), "origin": "api", "audit_type": "API",
                    "operation": "accounts.create", "method": "POST", "path": d.text(), "status": 201, "code": "", "remote_addr": "::1", "user_agent": d.text(), "account_id": account,
                    "body": d.json(), "response": d.some(json!([{"z": 1, "a": [2]}])), "before": d.json(), "after": d.json(), "secret_replaced": number % 2 == 0}));
            }
        }
    }
    rows
}

fn base64(d: &mut Dice) -> Value {
    let digits: String = (0..40).map(|_| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"[d.roll(32) as usize])).collect();
    json!(digits)
}

/// The header of the store's image.
async fn header(place: &Place) -> Value {
    serde_json::to_value(place.store.image(time(7)).await.unwrap().header()).unwrap()
}

#[tokio::test]
async fn every_row_of_every_table_comes_back() {
    on_every_backend(async |place: &Place| {
        let mut header = header(place).await;
        header["made_at"] = json!(time(7).to_string());
        for seed in 1..4 {
            let rows = everything(seed);
            let empty: Vec<_> = header["tables"].as_array().unwrap().iter().filter(|table| !rows.contains_key(table["name"].as_str().unwrap())).collect();
            assert!(empty.is_empty(), "a table without rows is not tried: {empty:?}");
            let given = by_hand(&header, &rows);
            let directory = Directory::new();
            let store = filled(&directory, &given).await.unwrap();
            let text = text_of(&store).await;
            let mut sorted = rows;
            // Rows come in the order of their keys, structures with their keys in order: what was given by hand is put into it.
            let keys = |table: &str| -> &[&str] {
                match table {
                    "token_secrets" | "one_time_links" => &["hash"],
                    "integration_counters" => &["integration_id"],
                    "integration_credential_references" => &["integration_id", "credential_id"],
                    "refresh_journal" => &["credential_id"],
                    "refresh_steps" => &["credential_id", "attempt_id", "number"],
                    "clocks" => &["owner_id", "token", "clock"],
                    "app_checks" => &["provider_app_id", "kind", "subject"],
                    "flight_steps" => &["session_id", "number"],
                    "webhook_attempts" => &["delivery_id", "number"],
                    "status_minutes" => &["integration_id", "minute"],
                    "local_documents" => &["integration_id", "collection", "document_id"],
                    "local_document_numbers" => &["integration_id", "collection"],
                    _ => &["id"],
                }
            };
            for (table, rows) in &mut sorted {
                // Base64 does not sort as its bytes do, but does for these letters.
                rows.sort_by_key(|row| keys(table).iter().map(|key| row[*key].to_string().trim_matches('"').to_owned()).collect::<Vec<_>>());
                for row in rows {
                    *row = patchbay_model::json::canonical(row);
                }
            }
            let expected = by_hand(&header, &sorted);
            for (number, (found, wanted)) in text.lines().zip(expected.lines()).enumerate() {
                assert_eq!(found, wanted, "line {} of seed {seed}", number + 1);
            }
            assert_eq!(text, expected);
            assert_eq!(read(text.as_bytes()).unwrap(), read(expected.as_bytes()).unwrap());
            let findings = store.verify_structure().await.unwrap();
            assert!(findings.iter().all(|finding| finding.check != "references"), "{findings:?}");
            store.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_image_that_was_cut_off_or_changed_is_refused_with_its_place() {
    let place = Place::new(Backend::Sqlite).await;
    let text = text_of(&place.store).await;
    read(text.as_bytes()).unwrap();
    let lines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    // At the end of every line, before it, and in its middle.
    let middles = lines.windows(2).map(|pair| (pair[0] + pair[1]) / 2);
    for cut in lines.iter().copied().chain(lines.iter().map(|at| at - 1)).chain(middles).filter(|cut| *cut < text.len()) {
        let number = text[..cut].matches('\n').count() as u64 + 1;
        match read(&text.as_bytes()[..cut]) {
            Err(StoreError::Image { line, what, .. }) => assert!(line == number && what.contains("cut off"), "cut at {cut}: line {line} of {number}, {what}"),
            other => panic!("cut at {cut}: {other:?}"),
        }
    }
    for at in (0..text.len()).step_by(7) {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        assert!(read(&changed).is_err(), "a changed byte at {at} of {:?}", &text[at.saturating_sub(20)..at]);
    }
    for more in ["\n", "{}\n", "[1]"] {
        assert!(matches!(read(format!("{text}{more}").as_bytes()), Err(StoreError::Image { what, .. }) if what.contains("behind its end")), "{more:?}");
    }
    // A row less, with its count left alone; a row twice; two rows exchanged; a table gone.
    let all: Vec<&str> = text.lines().collect();
    let first = all.iter().position(|line| line.starts_with('[')).unwrap();
    let without: Vec<&str> = all.iter().enumerate().filter(|(number, _)| *number != first).map(|(_, line)| *line).collect();
    match read((without.join("\n") + "\n").as_bytes()) {
        Err(StoreError::Image { table, what, .. }) => assert!(table == "organizations" && what.contains("rows"), "{table}: {what}"),
        other => panic!("a row is missing: {other:?}"),
    }
    let mut exchanged = all.clone();
    exchanged.swap(first, first + 1);
    assert!(read((exchanged.join("\n") + "\n").as_bytes()).is_err());
    let problem = Problem::from(read(&text.as_bytes()[..text.len() / 2]).unwrap_err());
    assert!(problem.code == Code::InvalidImage && problem.message.contains("line") && problem.message.contains("table"), "{}", problem.message);
}

#[tokio::test]
async fn what_is_no_image_or_a_newer_one_is_refused() {
    let place = Place::new(Backend::Sqlite).await;
    let good = header(&place).await;
    for bad in ["", "\n", "{}\n", "hello\n", "[1]\n", "{\"patchbay_image\":0}\n", "SQLite format 3\u{0}\n"] {
        assert!(matches!(read(bad.as_bytes()), Err(StoreError::Image { line: 1, .. })), "{bad:?}");
    }
    let with = |change: &dyn Fn(&mut Value)| {
        let mut header = good.clone();
        change(&mut header);
        read(by_hand(&header, &BTreeMap::new()).as_bytes())
    };
    assert!(with(&|_| {}).is_ok());
    assert!(matches!(with(&|header| header["schema"] = json!(99)), Err(StoreError::NewerImage { found: 99, .. })));
    assert!(matches!(
        with(&|header| {
            header["patchbay_image"] = json!(2);
            header["new"] = json!(1);
        }),
        Err(StoreError::NewerImage { .. })
    ));
    for change in [
        &(|header: &mut Value| header["organization"] = id()) as &dyn Fn(&mut Value),
        &|header| header["key_header"] = Value::Null,
        &|header| header["tables"][0]["name"] = json!("store_header"),
        &|header| header["tables"][0]["columns"][0] = json!("id; DROP TABLE accounts"),
        &|header| header["tables"][1]["columns"][2] = json!("id"),
        &|header| header["tables"].as_array_mut().unwrap().swap(1, 2),
        &|header| drop(header["tables"].as_array_mut().unwrap().remove(3)),
        &|header| drop(header["tables"][2]["columns"].as_array_mut().unwrap().pop()),
    ] {
        assert!(matches!(with(change), Err(StoreError::Image { line: 1, .. })));
    }
    // One of before a column came still goes in.
    let older = |header: &mut Value| {
        header["schema"] = json!(1);
        drop(header["tables"][2]["columns"].as_array_mut().unwrap().pop());
    };
    assert!(with(&older).is_ok());
}

#[tokio::test]
async fn an_image_goes_into_an_empty_store_only_and_whole() {
    on_every_backend(async |place: &Place| {
        let mut tx = place.store.write(Scope::System, Origin::Cli).await.unwrap();
        let refused = tx.require_empty().await.unwrap_err();
        assert!(matches!(&refused, StoreError::NotEmpty { what } if what.contains("organizations")), "{refused}");
        tx.rollback().await.unwrap();
        // Rows that refer to nothing, and two of the same name, are refused by table, and leave nothing behind.
        let header = header(place).await;
        for (table, change) in [
            ("accounts", &(|rows: &mut Vec<Value>| rows[0]["organization_id"] = id()) as &dyn Fn(&mut Vec<Value>)),
            ("accounts", &|rows| rows[1]["name"] = rows[0]["name"].clone()),
            ("integration_instances", &|rows| rows[0]["status"] = json!("fine")),
        ] {
            let mut rows = everything(9);
            change(rows.get_mut(table).unwrap());
            let directory = Directory::new();
            match filled(&directory, &by_hand(&header, &rows)).await {
                Err(StoreError::Image { table: found, .. }) => assert_eq!(found, table),
                Err(other) => panic!("{other}"),
                Ok(_) => panic!("a bad row of {table} was taken"),
            }
            assert!(matches!(Store::open(&directory.file()).await, Err(StoreError::NotAStore(_))), "what was not filled is no store");
        }
        // A tenant's transaction writes no image.
        let text = text_of(&place.store).await;
        let mut decoder = ImageDecoder::open(text.as_bytes()).unwrap();
        let batch = decoder.next_batch().unwrap().unwrap();
        let mut tx = place.write().await;
        assert!(matches!(tx.insert_image(&batch).await, Err(StoreError::WrongScope { .. })));
        assert!(matches!(tx.require_empty().await, Err(StoreError::WrongScope { .. })));
    })
    .await;
}

#[tokio::test]
async fn an_image_is_one_snapshot() {
    on_every_backend(async |place: &Place| {
        let before = text_of(&place.store).await;
        let source = place.store.image(time(7)).await.unwrap();
        let mut tx = place.write().await;
        tx.insert_account(&account(place.ours.organization.id, "later")).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(encode(source).await.0, before, "what is written meanwhile is not in it");
        assert_ne!(text_of(&place.store).await, before);
    })
    .await;
}

#[tokio::test]
async fn an_organization_travels_alone_and_without_hashes() {
    on_every_backend(async |place: &Place| {
        let (ours, theirs) = (&place.ours, &place.theirs);
        let keyless = encode(place.store.image_of(ours.organization.id, time(7)).await.unwrap()).await.0;
        assert!(matches!(read(keyless.as_bytes()), Err(StoreError::Image { line: 1, .. })), "without the keys of its transfer it is of no use");
        let mut source = place.store.image_of(ours.organization.id, time(7)).await.unwrap();
        source.travel(json!({"of": "this transfer"}), TransferKey::new(Secret::new("a key")));
        let (text, sums) = encode(source).await;
        assert_eq!(read(text.as_bytes()).unwrap(), sums);
        assert!(text.contains(&ours.organization.id.to_string()) && !text.contains(&theirs.organization.id.to_string()), "nothing of another organization");
        for other in [theirs.member.id.uuid(), theirs.accounts[0].account.id.uuid(), theirs.accounts[0].token.id.uuid()] {
            assert!(!text.contains(&other.to_string()));
        }
        assert!(!text.contains("token_secrets") && !text.contains("web_sessions") && !text.contains("one_time_links"));
        let sum = |table: &str| sums.iter().find(|sum| sum.table == table).unwrap().rows;
        assert_eq!((sum("organizations"), sum("accounts"), sum("integration_definitions"), sum("token_containers")), (1, 2, 1, 2));
        // A batch says whose it is.
        let mut decoder = ImageDecoder::open(text.as_bytes()).unwrap();
        while let Some(mut batch) = decoder.next_batch().unwrap() {
            batch.require_owner(ours.organization.id).unwrap();
            if batch.table() != "integration_definitions" {
                assert!(matches!(batch.require_owner(theirs.organization.id), Err(StoreError::Image { .. })), "{}", batch.table());
            }
            let own = Uuid::from_u128(1);
            let mut known = std::collections::HashMap::new();
            if batch.table() == "integration_instances" {
                assert!(batch.exchange_definitions(&known).is_err(), "a definition that is not there");
                known.insert(place.definition.id.uuid(), own);
                batch.exchange_definitions(&known).unwrap();
            }
            for cell in batch.sealed().unwrap() {
                assert_eq!(cell.organization_id, ours.organization.id);
                assert!(!cell.envelope.ct.is_empty() && cell.sealed_for_table == cell.table);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn sums_tell_rows_apart_and_take_the_seals_word() {
    let place = Place::new(Backend::Sqlite).await;
    let sums = async |of: &mut dyn FnMut() -> String| {
        let mut source = place.store.image(time(1)).await.unwrap();
        let mut sums = ImageSums::new(source.header());
        while let Some(batch) = source.next().await.unwrap() {
            sums.add(&batch, &mut *of);
        }
        sums.finish()
    };
    let one = sums(&mut || "sealed".to_owned()).await;
    assert_eq!(one, sums(&mut || "sealed".to_owned()).await);
    let mut number = 0;
    let other = sums(&mut || {
        number += 1;
        format!("sealed {number}")
    })
    .await;
    let differing: Vec<_> = one.iter().zip(&other).filter(|(a, b)| a != b).map(|(a, _)| a.table.as_str()).collect();
    assert_eq!(differing, ["integration_instances", "shared_credentials", "connect_sessions"], "only tables with sealed values differ");
}
