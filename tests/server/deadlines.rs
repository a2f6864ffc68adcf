//! Deadlines over HTTP: the list with its parameters, and the calendar as programs for calendars take it.

use serde_json::json;

use crate::world::{World, text};

#[tokio::test]
async fn what_ends_is_listed_and_carried_away_as_a_calendar() {
    let world = World::new().await;
    let account = world.account.clone();
    let soon = patchbay_vault::system_context().now().plus(std::time::Duration::from_secs(20 * 86_400)).to_string();
    let key = json!({"name": "api-key", "fullname": "API key", "expires": soon, "config": {"type": "token", "secret": "PLANTED"}});
    let made = world.api("POST", &format!("/v1/credentials/{account}"), Some(&key)).await.status(201).result();
    let app = json!({"name": "jira", "fullname": "Our app", "provider": "ticketing_jira", "client_id": "c", "client_secret": "PLANTED", "secret_expires": soon});
    let app = world.api("POST", "/v1/x/provider-apps", Some(&app)).await.status(201).result();
    assert_eq!(app["secret_expires"].as_str(), Some(soon.as_str()));

    let listed = world.api("GET", "/v1/x/deadlines?within=30d&kind=secret&who=person", None).await.status(200).result();
    let names: Vec<String> = listed["deadlines"].as_array().unwrap().iter().map(|one| text(&one["object"]["name"])).collect();
    assert_eq!((names.len(), listed["more"].as_bool()), (2, Some(false)), "{listed}");
    assert!(names.contains(&"API key".to_owned()) && names.contains(&"Our app".to_owned()));
    let one = world.api("GET", "/v1/x/deadlines?limit=1", None).await.status(200).result();
    assert_eq!((one["deadlines"].as_array().unwrap().len(), one["more"].as_bool()), (1, Some(true)));
    for (wrong, parameter) in [
        ("within=soon", "within"),
        ("within=0d", "within"),
        ("within=99999d", "within"),
        ("kind=pause", "kind"),
        ("who=nobody", "who"),
        ("limit=0", "limit"),
        ("account_id=x", "account_id"),
    ] {
        let problem = world.api("GET", &format!("/v1/x/deadlines?{wrong}"), None).await.problem(400, "invalid_field");
        assert!(text(&problem["message"]).contains(parameter), "{problem}");
    }

    let calendar = world.api("GET", "/v1/x/deadlines.ics", None).await.status(200);
    assert_eq!(calendar.header("content-type"), "text/calendar; charset=utf-8");
    assert!(calendar.header("content-disposition").contains("patchbay-deadlines.ics"));
    let unfolded = calendar.text.replace("\r\n ", "");
    assert_eq!(unfolded.matches("BEGIN:VEVENT").count(), 2, "{unfolded}");
    assert!(unfolded.contains(&format!("UID:secret-main-{}@patchbay", text(&made["id"]))) && !unfolded.contains("PLANTED"), "{unfolded}");

    // Whoever reaches one customer alone is told of nothing else.
    let narrowed = json!({"permission_set": "viewer", "resources": {"accounts": {"ids": [account]}}});
    let narrowed = text(&world.api("POST", "/v1/tokens", Some(&narrowed)).await.result()["primary"]["access"]["secret"]);
    let theirs = world.ask("GET", "/v1/x/deadlines?kind=secret").bearer(&narrowed).send().await.status(200).result();
    assert!(theirs["deadlines"].as_array().unwrap().iter().any(|one| one["object"]["name"] == "API key"), "{theirs}");

    // A browser gets the calendar as the result of a command.
    let cookie = world.sign_in(&json!({"token": world.access})).await;
    let result = world.rpc(&cookie, "deadlines.feed", json!({})).await.status(200).result();
    assert!(text(&result["content"]).starts_with("BEGIN:VCALENDAR\r\n") && result["file_name"] == "patchbay-deadlines.ics");
}

#[tokio::test]
async fn a_calendar_reads_them_at_an_address_of_its_own_until_it_is_taken_back() {
    let world = World::new().await;
    let soon = patchbay_vault::system_context().now().plus(std::time::Duration::from_secs(20 * 86_400)).to_string();
    let key = json!({"name": "api-key", "fullname": "API key", "expires": soon, "config": {"type": "token", "secret": "PLANTED"}});
    world.api("POST", &format!("/v1/credentials/{}", world.account), Some(&key)).await.status(201);
    assert_eq!(world.api("GET", "/v1/x/deadlines/feed", None).await.status(200).result()["exists"], false);
    let make = async || text(&world.api("POST", "/v1/x/deadlines/feed", None).await.status(201).result()["url"]);
    let path = |url: &str| url.split_once("/calendar/").map(|(_, file)| format!("/calendar/{file}")).unwrap();
    let first = path(&make().await);
    assert!(first.starts_with("/calendar/pbf_") && first.ends_with(".ics"), "{first}");
    let calendar = world.ask("GET", &first).send().await.status(200);
    assert_eq!(calendar.header("content-type"), "text/calendar; charset=utf-8");
    assert!(calendar.text.contains("API key") && !calendar.text.contains("PLANTED"), "{}", calendar.text);
    let told = world.api("GET", "/v1/x/deadlines/feed", None).await.status(200).result();
    assert!(told["exists"] == true && !told.to_string().contains("pbf_"), "{told}");

    // A new one takes its place, and a token of another kind is none.
    let second = path(&make().await);
    world.ask("GET", &first).send().await.problem(404, "link_invalid");
    world.ask("GET", &second).send().await.status(200);
    world.ask("GET", &format!("/calendar/{}.ics", world.access)).send().await.problem(404, "link_invalid");
    world.ask("GET", "/calendar/nothing").send().await.problem(404, "link_invalid");
    world.api("DELETE", "/v1/x/deadlines/feed", None).await.status(204);
    world.ask("GET", &second).send().await.problem(404, "link_invalid");
    assert_eq!(world.api("GET", "/v1/x/deadlines/feed", None).await.status(200).result()["exists"], false);
}
