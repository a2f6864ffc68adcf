use patchbay_engine::configuration::{ExportOptions, SecretsMode, export};
use patchbay_engine::credential::{self, CreateCredential};
use patchbay_engine::integration::{self, CreateIntegration};
use patchbay_engine::member::{self, CreateMember};
use patchbay_engine::provider_app::{self, CreateProviderApp};
use patchbay_model::member::MemberType;
use patchbay_model::{Code, Environment, Secret};
use patchbay_vault::AgeIdentity;
use serde_json::json;

use crate::world::World;

/// An identity of 32 bytes 0x42: good for tests alone.
const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

async fn filled() -> World {
    let world = World::new().await;
    world.account("t-alpha", Environment::Prod, &["gold"]).await;
    world.account("t-beta", Environment::Test, &[]).await;
    world.redmine("t-alpha", "redmine", "PLANTED-inline").await;
    let new = CreateCredential { name: Some("shared".to_owned()), config: Some(json!({ "type": "token", "secret": "PLANTED-shared" })), ..CreateCredential::default() };
    credential::create(&world.engine, &world.grant, "t-alpha", new).await.unwrap();
    let config = json!({ "type": "ticketing_redmine", "url": "http://127.0.0.1:9", "credential": { "type": "token_id", "value": "shared" } });
    integration::create(&world.engine, &world.grant, "t-alpha", CreateIntegration { name: Some("second".to_owned()), provider_config: config, ..CreateIntegration::default() })
        .await
        .unwrap();
    let app = CreateProviderApp {
        name: Some("sso".to_owned()),
        fullname: None,
        provider: "identity_openid".to_owned(),
        issuer: Some("https://issuer.example".to_owned()),
        client_id: "client".to_owned(),
        client_secret: Some(Secret::new("PLANTED-client")),
        redirect_uris: vec!["http://127.0.0.1:7000/callback".to_owned()],
        scopes: vec![],
        secret_expires: None,
    };
    provider_app::create(&world.engine, &world.grant, app).await.unwrap();
    let member = CreateMember {
        name: "ada@example.com".to_owned(),
        fullname: None,
        nickname: None,
        picture: None,
        secret: Some(Secret::new("PLANTED-password of hers")),
        role_binding: vec!["viewer".to_owned()],
        member_type: MemberType::Personal,
        ttl: None,
        token_ttl: None,
        options: vec![],
    };
    member::create(&world.engine, &world.grant, member).await.unwrap();
    world
}

#[tokio::test]
async fn an_export_is_stable_free_of_secrets_and_says_so() {
    let world = filled().await;
    let first = export(&world.engine, &world.grant, ExportOptions::default()).await.unwrap();
    world.advance(3600);
    let second = export(&world.engine, &world.grant, ExportOptions::default()).await.unwrap();
    assert_eq!(first, second, "the same configuration is the same text");
    assert!(!first.contains("PLANTED"), "{first}");
    assert!(!first.contains("$argon2"), "no password hash");
    assert!(!first.contains(&world.created.organization.id.to_string()), "no ids");
    assert!(!first.contains("2026-"), "no times");
    assert_eq!(first.matches("secret: omitted").count(), 3, "each secret is marked: {first}");
    for expected in ["version: 1", "  t-alpha:\n", "account_credential: shared", "url: http://127.0.0.1:9", "client_id: client", "- viewer"] {
        assert!(first.contains(expected), "{expected} in {first}");
    }
}

#[tokio::test]
async fn a_sealed_export_opens_with_the_identity_alone() {
    let world = filled().await;
    let identity = AgeIdentity::parse(&Secret::new(identity_text())).unwrap();
    let recipient = identity.recipient().to_string();
    let text = export(&world.engine, &world.grant, ExportOptions { secrets: SecretsMode::Sealed { recipient } }).await.unwrap();
    assert!(!text.contains("PLANTED") && text.matches("sealed: |").count() == 3, "{text}");
    let mut opened: Vec<String> = text
        .split("-----BEGIN AGE ENCRYPTED FILE-----")
        .skip(1)
        .map(|rest| {
            let body = rest.split("-----END AGE ENCRYPTED FILE-----").next().unwrap();
            let lines: Vec<&str> = body.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            let armored = format!("-----BEGIN AGE ENCRYPTED FILE-----\n{}\n-----END AGE ENCRYPTED FILE-----\n", lines.join("\n"));
            identity.open(&armored).unwrap().expose().to_owned()
        })
        .collect();
    opened.sort();
    assert_eq!(opened, ["PLANTED-client", "PLANTED-inline", "PLANTED-shared"]);

    let problem = export(&world.engine, &world.grant, ExportOptions { secrets: SecretsMode::Sealed { recipient: identity_text() } }).await.unwrap_err();
    assert!(problem.code == Code::InvalidField && !problem.message.contains("GFPYYSJZ"), "an identity is not taken for a recipient: {}", problem.message);
}

fn identity_text() -> String {
    IDENTITY.to_owned()
}
