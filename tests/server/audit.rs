//! The audit log over HTTP: refusals of every kind, bounds, export.

use serde_json::{Value, json};

use crate::world::{World, text};

async fn rows(world: &World, filter: &str) -> Vec<Value> {
    world.api("GET", &format!("/v1/audit/organizations?{filter}&order=created_at[desc]&limit=1000"), None).await.result().as_array().unwrap().clone()
}

#[tokio::test]
async fn every_refusal_leaves_a_row() {
    let world = World::new().await;
    let viewer = world.token("viewer").await;
    let body = json!({"name": "fresh"});
    world.ask("POST", "/v1/accounts").json(&body).send().await.problem(401, "token_missing");
    world.ask("POST", "/v1/accounts").bearer("pbo_nonsense").json(&body).send().await.problem(401, "token_invalid");
    world.ask("POST", "/v1/accounts").bearer(&viewer).json(&body).send().await.problem(403, "permission_denied");
    world.ask("POST", "/v1/accounts").bearer(&world.integration_access).json(&body).send().await.problem(403, "wrong_token_kind");
    world.api("GET", "/v1/accounts/nobody", None).await.problem(404, "not_found");
    world.api("POST", "/v1/accounts", Some(&json!({"name": "alpha"}))).await.problem(409, "name_taken");
    world.api("POST", "/v1/accounts", Some(&json!({"name": 7}))).await.status(400);
    world.api("PUT", "/v1/accounts", Some(&body)).await.problem(405, "method_not_allowed");
    world.api("GET", "/v1/nowhere", None).await.problem(404, "not_found");
    world.api("GET", "/v1/accounts?limit=0", None).await.problem(400, "invalid_field");
    world.ask("POST", &format!("/v1/auth/logon/{}", world.organization)).json(&json!({"name": "a@b.example", "secret": "wrong"})).send().await.problem(401, "logon_failed");
    world.ask("POST", "/rpc").json(&body).send().await.problem(401, "token_missing");
    let kept = rows(&world, "filter=audit_type[eq]ERROR").await;
    let told: Vec<(String, String)> = kept.iter().map(|row| (text(&row["x_patchbay"]["operation"]), text(&row["x_patchbay"]["problem"]))).collect();
    for (operation, problem) in [
        ("accounts.create", "token_missing"),
        ("accounts.create", "token_invalid"),
        ("accounts.create", "permission_denied"),
        ("accounts.create", "wrong_token_kind"),
        ("accounts.get", "not_found"),
        ("accounts.create", "name_taken"),
        ("accounts.create", "invalid_field"),
        ("http.unserved", "method_not_allowed"),
        ("http.unserved", "not_found"),
        ("accounts.list", "invalid_field"),
        ("auth.logon", "logon_failed"),
        ("rpc", "token_missing"),
    ] {
        assert!(told.contains(&(operation.to_owned(), problem.to_owned())), "{operation} {problem} is not in {told:?}");
    }
    // The wire calls the HTTP status code and the problem's code status; filters speak the wire's language.
    let denied = rows(&world, "filter=code[eq]403&filter=status[eq]permission_denied&filter=operation[eq]accounts.create").await;
    assert_eq!(denied.len(), 1);
    assert_eq!((&denied[0]["code"], &denied[0]["status"], &denied[0]["method"]), (&json!("403"), &json!("permission_denied"), &json!("POST")));
    assert!(!denied[0].to_string().contains("pbo_"));
}

#[tokio::test]
async fn a_flood_of_strangers_is_counted_and_not_kept() {
    let world = World::new().await;
    for _ in 0..200 {
        world.ask("GET", "/v1/accounts").bearer("pbo_nonsense").send().await.status(401);
    }
    let kept = rows(&world, "filter=audit_type[eq]ERROR&filter=operation[eq]accounts.list").await;
    // The minute may turn once while the test runs.
    assert!((30..=60).contains(&kept.len()), "{} rows", kept.len());
    world.api("GET", "/v1/accounts/nobody", None).await.problem(404, "not_found");
    assert_eq!(rows(&world, "filter=operation[eq]accounts.get&filter=audit_type[eq]ERROR").await.len(), 1, "who shows a token is heard all the same");
}

#[tokio::test]
async fn filters_and_pages_of_the_log() {
    let world = World::new().await;
    let test = text(&world.api("POST", "/v1/accounts", Some(&json!({"name": "lab", "environment": "test"}))).await.result()["account"]["id"]);
    for (filter, least) in [
        ("operation[eq]accounts.create", 2),
        ("method[eq]POST", 2),
        ("code[eq]201", 2),
        ("object_kind[eq]account", 2),
        ("origin[eq]api", 2),
        ("audit_type[eq]API", 3),
        ("environment[eq]test", 1),
        ("path[like]/v1/acc*", 2),
    ] {
        assert!(rows(&world, &format!("filter={filter}")).await.len() >= least, "{filter}");
    }
    let of_lab = rows(&world, &format!("filter=account_id[eq]{test}&filter=object_id[eq]{test}")).await;
    assert_eq!((of_lab.len(), &of_lab[0]["environment"]), (1, &json!("test")));
    for wrong in ["filter=nothing[eq]1", "filter=code[eq]many", "order=body"] {
        world.api("GET", &format!("/v1/audit/organizations?{wrong}"), None).await.status(400);
    }
    let all: Vec<String> = rows(&world, "").await.iter().map(|row| text(&row["x_patchbay"]["id"])).collect();
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.api("GET", &format!("/v1/audit/organizations?order=created_at[desc]&limit=2&start_after={after}"), None).await;
        after = page.header("x-next-start-after").replace('+', "%2B");
        paged.extend(page.result().as_array().unwrap().iter().map(|row| text(&row["x_patchbay"]["id"])));
        if after.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn the_log_is_carried_away_as_lines_and_as_cells() {
    let world = World::new().await;
    world.api("POST", "/v1/accounts", Some(&json!({"name": "formula", "fullname": "=HYPERLINK(\"x\"),\"quoted\""}))).await.status(201);
    let agent = "=cmd|' /C calc'!A0";
    world.ask("GET", "/v1/accounts/nobody").bearer(&world.access).header("user-agent", agent).send().await.status(404);
    for number in 0..450 {
        world.api("POST", "/v1/accounts", Some(&json!({"name": format!("many-{number}")}))).await.status(201);
    }

    let lines = world.api("GET", "/v1/x/audit/export", None).await.status(200);
    assert_eq!(lines.header("content-type"), "application/x-ndjson; charset=utf-8");
    assert!(lines.header("content-disposition").contains("audit.jsonl"));
    let lines: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 450);
    assert!(lines.windows(2).all(|pair| text(&pair[0]["created_at"]) <= text(&pair[1]["created_at"])), "oldest first");
    let made = lines.iter().find(|line| line["after"]["name"] == "formula").unwrap();
    assert_eq!(made["x_patchbay"]["operation"], "accounts.create");
    assert_eq!(lines.last().unwrap()["x_patchbay"]["operation"], "audit.export", "who carried it away stands in it");

    let cells = world.api("GET", "/v1/x/audit/export?format=csv", None).await.status(200);
    assert_eq!(cells.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert!(cells.text.starts_with("id,created_at,origin,") && cells.text.contains("\r\n"));
    assert!(cells.text.contains("'=cmd|' /C calc'!A0") && !cells.text.contains(",=cmd"), "what begins like a formula is disarmed");
    assert!(cells.text.matches("\r\n").count() > lines.len(), "a header and every row");

    let few = world.api("GET", "/v1/x/audit/export?filter=object_kind[eq]account&filter=operation[eq]accounts.create&order=created_at[desc]", None).await.status(200);
    assert_eq!(few.text.lines().count(), 452);
    world.api("GET", "/v1/x/audit/export?format=xml", None).await.problem(400, "invalid_field");
    world.api("GET", "/v1/x/audit/export?filter=nothing[eq]1", None).await.problem(400, "invalid_filter");
    let narrowed = json!({"permission_set": "viewer", "resources": {"accounts": {"ids": [world.account]}}});
    let narrowed = text(&world.api("POST", "/v1/tokens", Some(&narrowed)).await.result()["primary"]["access"]["secret"]);
    world.ask("GET", "/v1/x/audit/export").bearer(&narrowed).send().await.problem(403, "permission_denied");

    // A browser gets it as the result of a command.
    let cookie = world.sign_in(&json!({"token": world.access})).await;
    let result = world.rpc(&cookie, "audit.export", json!({"query": {"format": "csv", "filter": ["operation[eq]accounts.create"]}})).await.status(200).result();
    assert_eq!((result["file_name"].as_str(), result.get("next")), (Some("audit.csv"), None));
    assert!(text(&result["content"]).starts_with("id,"));
}
