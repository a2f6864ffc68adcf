//! Whatever can be undone is: the change, its undo, the undo of that, over the API, object by object.

use serde_json::{Value, json};

use crate::world::{World, text};

/// A kind of object: how one is made, and where it is.
struct Kind {
    noun: &'static str,
    make: (String, Value),
    /// Where in the answer the object stands.
    object: &'static str,
    /// Its place, with `{}` for the id.
    place: String,
    /// PATCH, or PUT of the whole object with this changed.
    put: bool,
}

async fn kinds(world: &World) -> Vec<Kind> {
    let kind = |noun, path: &str, body, object, place: &str| Kind { noun, make: (path.to_owned(), body), object, place: place.to_owned(), put: false };
    let account = &world.account;
    vec![
        kind("account", "/v1/accounts", json!({"name": "undone", "labels": ["gold", "silver"], "environment": "test"}), "/account", "/v1/accounts/{}"),
        kind(
            "integration_point",
            "/v1/integration-points",
            json!({"name": "undone", "connector": "ticketing", "environments": {"prod": ["ticketing_mock_ticketing"]}}),
            "",
            "/v1/integration-points/{}",
        ),
        kind(
            "integration",
            &format!("/v1/integrations/{account}"),
            json!({"name": "undone", "provider_config": {"type": "ticketing_mock_ticketing"}}),
            "/integration",
            &format!("/v1/integrations/{account}/{{}}"),
        ),
        kind(
            "credential",
            &format!("/v1/credentials/{account}"),
            json!({"name": "undone", "config": {"type": "basic", "username": "u", "secret": "s3cret-undone"}}),
            "",
            &format!("/v1/credentials/{account}/{{}}"),
        ),
        kind("member", "/v1/members", json!({"name": "undone@example.com", "secret": "correct horse battery 9", "role_binding": ["viewer"]}), "/member", "/v1/members/{}"),
        kind("role", "/v1/roles", json!({"name": "undone", "permission_set": "viewer", "resources": {"accounts": {"ids": [account]}}}), "", "/v1/roles/{}"),
        kind(
            "organization_webhook",
            "/v1/organization/webhooks",
            json!({"name": "undone", "environment": "prod", "filters": ["account_create"], "url": "https://example.com/hook", "secret": {"value": "a-secret-of-twenty-four-bytes"}}),
            "",
            "/v1/organization/webhooks/{}",
        ),
        Kind {
            put: true,
            ..kind(
                "provider_app",
                "/v1/x/provider-apps",
                json!({"name": "undone", "provider": "identity_openid", "issuer": "https://issuer.example", "client_id": "c", "client_secret": "s3cret", "redirect_uris": ["http://127.0.0.1/cb"], "scopes": ["openid"]}),
                "",
                "/v1/x/provider-apps/{}",
            )
        },
    ]
}

impl World {
    /// The newest row about an object.
    pub(crate) async fn newest(&self, object: &str) -> Value {
        let rows = self.api("GET", &format!("/v1/audit/organizations?filter=object_id[eq]{object}&order=created_at[desc]&limit=1"), None).await.result();
        assert_eq!(rows.as_array().unwrap().len(), 1, "there is no row about {object}");
        rows[0].clone()
    }

    async fn undo(&self, row: &Value) -> Value {
        let row = self.api("POST", &format!("/v1/x/audit/{}/undo", text(&row["x_patchbay"]["id"])), None).await.status(200).result();
        assert!(row["x_patchbay"]["undo_of"].is_string(), "an undo says of what: {row}");
        row
    }

    /// The object as it is, but for what every change moves.
    async fn state(&self, place: &str) -> Option<Value> {
        let seen = self.api("GET", place, None).await;
        if seen.status == 404 {
            return None;
        }
        let mut object = seen.result();
        object.as_object_mut().unwrap().remove("updated_at");
        Some(object)
    }
}

#[tokio::test]
async fn every_kind_of_object_is_made_changed_deleted_and_all_of_it_undone() {
    let world = World::new().await;
    for kind in kinds(&world).await {
        let noun = kind.noun;
        let made = world.api("POST", &kind.make.0, Some(&kind.make.1)).await.status(201).result();
        let id = text(&made.pointer(kind.object).unwrap()["id"]);
        let place = kind.place.replace("{}", &id);
        let create = world.newest(&id).await;
        assert_eq!((&create["x_patchbay"]["object_kind"], &create["x_patchbay"]["has_before"], &create["x_patchbay"]["has_after"]), (&json!(noun), &json!(false), &json!(true)));
        assert_eq!(create["x_patchbay"]["undoable"], true, "{noun}");
        let first = world.state(&place).await.unwrap();

        // Changed, and changed back, and again.
        if kind.put {
            let mut whole = first.clone();
            whole["fullname"] = json!("Changed");
            whole["scopes"] = json!(["openid", "email"]);
            world.api("PUT", &place, Some(&whole)).await.status(200);
        } else {
            world.api("PATCH", &place, Some(&json!([{"op": "replace", "path": "/fullname", "value": "Changed"}]))).await.status(200);
        }
        let changed = world.state(&place).await.unwrap();
        assert_ne!(first, changed, "{noun}");
        let change = world.newest(&id).await;
        let detail = world.api("GET", &format!("/v1/x/audit/{}", text(&change["x_patchbay"]["id"])), None).await.result();
        let fullname = detail["diff"].as_array().unwrap().iter().find(|one| one["path"] == "/fullname").unwrap();
        assert_eq!((&fullname["op"], &fullname["value"]), (&json!("replace"), &json!("Changed")), "{noun}");
        assert_eq!(detail["before"]["fullname"], fullname["was"], "{noun}");
        let undo = world.undo(&change).await;
        assert_eq!(world.state(&place).await.unwrap(), first, "{noun}: undone");
        world.api("POST", &format!("/v1/x/audit/{}/undo", text(&change["x_patchbay"]["id"])), None).await.problem(409, "update_conflict");
        let again = world.undo(&undo).await;
        assert_eq!(world.state(&place).await.unwrap(), changed, "{noun}: done again");
        world.undo(&again).await;
        assert_eq!(world.state(&place).await.unwrap(), first, "{noun}: and undone again");

        // Deleted and brought back, both ways of asking.
        world.api("DELETE", &place, None).await.status(204);
        let delete = world.newest(&id).await;
        assert_eq!(
            (&delete["x_patchbay"]["has_before"], &delete["x_patchbay"]["has_after"], &delete["x_patchbay"]["undoable"]),
            (&json!(true), &json!(false), &json!(true)),
            "{noun}"
        );
        let back = world.undo(&delete).await;
        assert_eq!(world.state(&place).await.unwrap(), first, "{noun}: brought back");
        let gone = world.undo(&back).await;
        assert_eq!(world.state(&place).await, None, "{noun}: deleted again");
        world.undo(&gone).await;
        assert_eq!(world.state(&place).await.unwrap(), first, "{noun}: brought back again");
        let deletion = world.api("DELETE", &place, None).await.status(204).header("x-patchbay-deletion").to_owned();
        let delete = world.newest(&id).await;
        world.api("POST", &format!("/v1/x/deletions/{deletion}/undo"), None).await.status(204);
        let delete = world.api("GET", &format!("/v1/x/audit/{}", text(&delete["x_patchbay"]["id"])), None).await.result();
        assert!(delete["x_patchbay"]["undone_by"].is_string() && delete["x_patchbay"]["undoable"] == false, "{noun}: the log knows of every undo");

        // Never made.
        world.undo(&create).await;
        assert_eq!(world.state(&place).await, None, "{noun}: as if it had not been made");
    }
}

#[tokio::test]
async fn organization_pause_and_tokens_are_undone_as_well() {
    let world = World::new().await;
    let before = world.state("/v1/organization").await.unwrap();
    let patch = json!([{"op": "add", "path": "/contact", "value": "ada@example.com"}, {"op": "add", "path": "/options", "value": {"password_duration": "720h", "minimum_password_length": 12}}]);
    world.api("PATCH", "/v1/organization", Some(&patch)).await.status(200);
    let row = world.newest(&world.organization).await;
    world.undo(&row).await;
    assert_eq!(world.state("/v1/organization").await.unwrap(), before);

    let place = format!("/v1/integrations/{}/{}", world.account, world.integration);
    world.api("POST", &format!("{}/pause", place.replace("/v1/", "/v1/x/")), None).await.status(200);
    let paused = world.newest(&world.integration).await;
    let resumed = world.undo(&paused).await;
    assert_eq!(world.state(&place).await.unwrap()["x_patchbay"]["status"], "active");
    assert_eq!(resumed["x_patchbay"]["operation"], "integrations.resume");
    world.undo(&resumed).await;
    assert_eq!(world.state(&place).await.unwrap()["x_patchbay"]["status"], "paused");

    let minted = world.api("POST", "/v1/tokens", Some(&json!({"permission_set": "viewer", "resources": {}}))).await.status(201).result();
    let (id, secret) = (text(&minted["id"]), text(&minted["primary"]["access"]["secret"]));
    world.ask("GET", "/v1/accounts").bearer(&secret).send().await.status(200);
    let row = world.newest(&id).await;
    world.undo(&row).await;
    world.ask("GET", "/v1/accounts").bearer(&secret).send().await.problem(401, "token_invalid");
}

#[tokio::test]
async fn what_cannot_be_undone_says_why() {
    let world = World::new().await;
    let refuse = async |object: &str, why: &str| {
        let row = world.newest(object).await;
        assert_eq!(row["x_patchbay"]["undoable"], false, "{row}");
        let problem = world.api("POST", &format!("/v1/x/audit/{}/undo", text(&row["x_patchbay"]["id"])), None).await.problem(400, "not_undoable");
        assert!(text(&problem["message"]).contains(why), "{problem}");
    };
    let token = world.api("POST", "/v1/tokens", Some(&json!({"permission_set": "viewer", "resources": {}}))).await.result();
    let id = text(&token["id"]);
    world.api("PUT", &format!("/v1/tokens/{}/{id}/reset", world.organization), None).await.status(200);
    refuse(&id, "secret").await;
    world.api("DELETE", &format!("/v1/tokens/{id}"), None).await.status(204);
    refuse(&id, "secret").await;

    let made = world.api("POST", &format!("/v1/credentials/{}", world.account), Some(&json!({"name": "c", "config": {"type": "token", "secret": "one-secret"}}))).await.result();
    let id = text(&made["id"]);
    world
        .api("PATCH", &format!("/v1/credentials/{}/{id}", world.account), Some(&json!([{"op": "replace", "path": "/config/secret", "value": "another-secret"}])))
        .await
        .status(200);
    refuse(&id, "secret").await;

    // A refused call changed nothing.
    world.api("POST", "/v1/accounts", Some(&json!({"name": "not a name"}))).await.problem(400, "invalid_field");
    let rows = world.api("GET", "/v1/audit/organizations?filter=audit_type[eq]ERROR&order=created_at[desc]&limit=1", None).await.result();
    world.api("POST", &format!("/v1/x/audit/{}/undo", text(&rows[0]["x_patchbay"]["id"])), None).await.problem(400, "not_undoable");
    world.api("POST", "/v1/x/audit/nonsense/undo", None).await.problem(404, "not_found");
    world.api("POST", &format!("/v1/x/audit/{}/undo", world.organization), None).await.problem(404, "not_found");
}

#[tokio::test]
async fn later_changes_come_first_and_rules_still_hold() {
    let world = World::new().await;
    let place = format!("/v1/accounts/{}", world.account);
    let rename = async |value: &str| {
        world.api("PATCH", &place, Some(&json!([{"op": "replace", "path": "/fullname", "value": value}]))).await.status(200);
        world.newest(&world.account).await
    };
    let (one, two) = (rename("One").await, rename("Two").await);
    let conflict = world.api("POST", &format!("/v1/x/audit/{}/undo", text(&one["x_patchbay"]["id"])), None).await.problem(409, "update_conflict");
    assert!(text(&conflict["message"]).contains("changed again"), "{conflict}");
    assert_eq!(world.state(&place).await.unwrap()["fullname"], "Two", "nothing happened");
    world.undo(&two).await;
    world.undo(&one).await;
    assert_eq!(world.state(&place).await.unwrap()["fullname"], "alpha");

    // The name that an undo would give back was given away meanwhile.
    let made = world.api("POST", "/v1/accounts", Some(&json!({"name": "beta"}))).await.result();
    let beta = text(&made["account"]["id"]);
    world.api("PATCH", &format!("/v1/accounts/{beta}"), Some(&json!([{"op": "replace", "path": "/name", "value": "gamma"}]))).await.status(200);
    let renamed = world.newest(&beta).await;
    world.api("POST", "/v1/accounts", Some(&json!({"name": "beta", "x_patchbay": {"external_id": "another"}}))).await.status(201);
    world.api("POST", &format!("/v1/x/audit/{}/undo", text(&renamed["x_patchbay"]["id"])), None).await.problem(409, "name_taken");

    // A point in use is not deleted by undoing that it was made.
    let point = world.api("POST", "/v1/integration-points", Some(&json!({"name": "used", "connector": "ticketing", "environments": {"prod": ["*"]}}))).await.result();
    let row = world.newest(&text(&point["id"])).await;
    let body = json!({"name": "under", "integration_point_id": point["id"], "provider_config": {"type": "ticketing_mock_ticketing"}});
    world.api("POST", &format!("/v1/integrations/{}", world.account), Some(&body)).await.status(201);
    world.api("POST", &format!("/v1/x/audit/{}/undo", text(&row["x_patchbay"]["id"])), None).await.problem(409, "in_use");
}

#[tokio::test]
async fn an_undo_needs_the_permission_of_what_it_does() {
    let world = World::new().await;
    let other = text(&world.api("POST", "/v1/accounts", Some(&json!({"name": "other"}))).await.result()["account"]["id"]);
    let patch = json!([{"op": "replace", "path": "/fullname", "value": "Changed"}]);
    world.api("PATCH", &format!("/v1/accounts/{}", world.account), Some(&patch)).await.status(200);
    let row = text(&world.newest(&world.account).await["x_patchbay"]["id"]);
    let undo = async |secret: &str| world.ask("POST", &format!("/v1/x/audit/{row}/undo")).bearer(secret).send().await;
    undo(&world.token("viewer").await).await.problem(403, "permission_denied");
    undo(&world.token("connect-ui").await).await.problem(403, "permission_denied");
    let narrow = async |account: &str| {
        let body = json!({"permission_set": "account-manager", "resources": {"accounts": {"ids": [account]}}});
        text(&world.api("POST", "/v1/tokens", Some(&body)).await.status(201).result()["primary"]["access"]["secret"])
    };
    undo(&narrow(&other).await).await.problem(404, "not_found");
    undo(&world.integration_access).await.problem(403, "wrong_token_kind");
    undo(&narrow(&world.account).await).await.status(200);
    assert_eq!(world.state(&format!("/v1/accounts/{}", world.account)).await.unwrap()["fullname"], "alpha");
}
