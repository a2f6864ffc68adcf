//! The Jira adapter: every request it can send, judged by Atlassian's description, and its answers as unified objects.

use std::collections::{BTreeMap, BTreeSet};

use patchbay_model::connector::ticketing::{CreateAttachment, CreateComment, CreateTicket, PageRequest, TicketingAnswer, TicketingOperation as Op};
use patchbay_model::list::{Filter, Order};
use patchbay_model::{Code, Problem};
use patchbay_providers::{AdapterContext, Catalog, LocateContext, Method, ProviderRequest, ProviderResponse, RequestBody};
use serde_json::{Value, json};

use crate::description::Description;
use crate::drive::{answer, context, exchange, object, start};
use crate::fixture::{expect, response};

const JIRA: &str = "ticketing_jira";
const BASE: &str = "https://example.atlassian.net";

pub(crate) fn site() -> AdapterContext {
    let mappings = json!([
        { "name": "tier", "project_id": "*", "provider_field_path": "$.fields.customfield_10042" },
        { "name": "notes", "project_id": "10000", "provider_field_path": "customfield_10043" },
        { "name": "points", "project_id": "*", "provider_field_path": "/fields/customfield_10044" },
        { "name": "deep", "project_id": "*", "provider_field_path": "$.fields.customfield_10042.child.value" },
    ]);
    context(json!({ "url": BASE, "default_project": "DEMO", "custom_field_mappings": mappings }), Some(BASE))
}

/// Answers as a Jira site would.
pub(crate) fn recorded(request: &ProviderRequest) -> ProviderResponse {
    let body = |name: &str| answer(200, &response("jira", name));
    let path = request.url.path().strip_prefix("/rest/api/3/").expect("requests stay below the API");
    let query = |name: &str| request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let nothing = ProviderResponse { status: 204, headers: vec![], body: vec![] };
    match (request.method, path) {
        (Method::Get, "myself") => body("user"),
        (Method::Get, "field") => body("fields"),
        (Method::Get, "priority") => body("priorities"),
        (Method::Get, "project/search") => body("projects"),
        (Method::Get, "user/search") => body("users"),
        (Method::Post, "search/jql") => {
            let RequestBody::Json(sent) = &request.body else { panic!("a search without JSON") };
            body(if sent.get("nextPageToken").is_some() { "search-2" } else { "search-1" })
        }
        (Method::Post, "issue") => answer(201, &response("jira", "created")),
        (Method::Get, "issue/DEMO-12" | "issue/10100") => body("issue"),
        (Method::Put, "issue/10100") | (Method::Post, "issue/10100/transitions") | (Method::Delete, "issue/DEMO-12/comment/10203" | "attachment/10001") => nothing,
        (Method::Get, "issue/10100/transitions") => body("transitions"),
        (Method::Get, "issue/DEMO-12/comment") => body(if query("startAt").as_deref() == Some("0") { "comments-1" } else { "comments-2" }),
        (Method::Post, "issue/DEMO-12/comment") => answer(201, &response("jira", "comment")),
        (Method::Post, "issue/DEMO-12/attachments") => body("attachments"),
        (Method::Get, "attachment/content/10001") => ProviderResponse { status: 200, headers: vec![], body: vec![1, 2, 3, 4] },
        _ => answer(404, &json!({ "errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {} })),
    }
}

fn run(operation: Op) -> (Result<TicketingAnswer, Problem>, Vec<ProviderRequest>) {
    exchange(start(JIRA, operation, &site()), recorded)
}

fn query(filters: &[&str], orders: &[&str], cursor: Option<&str>) -> Op {
    Op::QueryTickets {
        page: PageRequest { cursor: cursor.map(str::to_owned), limit: 1_000 },
        filters: filters.iter().map(|text| Filter::parse(text).unwrap()).collect(),
        orders: orders.iter().map(|text| Order::parse(text).unwrap()).collect(),
    }
}

fn create(body: Value) -> Op {
    Op::CreateTicket(Box::new(serde_json::from_value::<CreateTicket>(body).unwrap()))
}

fn patch(body: Value) -> Op {
    Op::PatchTicket("DEMO-12".into(), serde_json::from_value(body).unwrap())
}

/// Every operation with every part that makes another request.
pub(crate) fn everything() -> Vec<Op> {
    let text = "Ask @[Ada](5b10ac8d82e05b22cc7d4ef5)\n\n- a\n  - b\n1. one\n\n```sh\nx\n```";
    vec![
        Op::ListRemoteFields,
        Op::ListProjects(PageRequest { cursor: None, limit: 50 }),
        Op::ListProjects(PageRequest { cursor: Some("50".into()), limit: 5_000 }),
        query(&[], &[], None),
        query(&[], &[], Some("CAEaAggD")),
        query(
            &[
                "id[in]10100,DEMO-12",
                "name[ne]DEMO-9",
                "summary[like]%it's \"here\"%",
                "status[not in]Done,\"To Do\"",
                "priority[in]HIGH,URGENT",
                "project[eq]DEMO",
                "issue_type[eq]Task",
                "assignee[eq]Ada Lovelace",
                "creator[ne]zoë müller",
                "tags[in]a,b",
                "parent[eq]DEMO-1",
                "created_at[gte]2026-01-01T00:00:00Z",
                "updated_at[lt]2026-02-01T00:00:00Z",
                "due_date[eq]2026-01-01T00:00:00Z",
            ],
            &["created_at[desc]", "updated_at", "due_date", "priority", "status", "summary"],
            None,
        ),
        Op::GetTicket("DEMO-12".into()),
        create(json!({ "name": "x" })),
        create(json!({
            "name": "n", "summary": "s", "description": text, "priority": "HIGH", "status": "In Progress", "project": "10000", "issue_type": "10002", "parent": "DEMO-3", "tags": ["a"], "creator": "ada@example.com",
            "assignee": "712020:0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0", "due_date": "2026-12-24T00:00:00Z", "contact": "c", "custom_fields": { "tier": "Gold", "notes": "long\n\ntext", "points": "3", "deep": "x", "customfield_10044": 5 },
        })),
        patch(json!([{ "op": "replace", "path": "/status", "value": "done" }])),
        patch(json!([
            { "op": "replace", "path": "/summary", "value": "new" }, { "op": "replace", "path": "/description", "value": text }, { "op": "replace", "path": "/status", "value": "In Progress" },
            { "op": "replace", "path": "/priority", "value": "LOW" }, { "op": "remove", "path": "/assignee" }, { "op": "replace", "path": "/creator", "value": "Zoë Müller" }, { "op": "remove", "path": "/due_date" },
            { "op": "add", "path": "/tags/-", "value": "c" }, { "op": "replace", "path": "/parent", "value": "10051" }, { "op": "replace", "path": "/issue_type", "value": "Bug" }, { "op": "add", "path": "/custom_fields/notes", "value": "y" },
        ])),
        patch(
            json!([{ "op": "remove", "path": "/description" }, { "op": "remove", "path": "/priority" }, { "op": "remove", "path": "/parent" }, { "op": "remove", "path": "/custom_fields/tier" }, { "op": "replace", "path": "/assignee", "value": "Ada Lovelace" }]),
        ),
        Op::ListComments("DEMO-12".into()),
        Op::CreateComment("DEMO-12".into(), CreateComment { content: text.into(), creator: Some("x".into()) }),
        Op::DeleteComment("DEMO-12".into(), "10203".into()),
        Op::ListAttachments("DEMO-12".into()),
        Op::CreateAttachment("DEMO-12".into(), CreateAttachment { file_name: "Grüße.txt".into(), content: "AQIDBA==".into() }),
        Op::DownloadAttachment("DEMO-12".into(), "10001".into()),
        Op::DeleteAttachment("DEMO-12".into(), "10001".into()),
    ]
}

/// Every request that the adapter sends, one by one.
fn requests() -> Vec<(&'static str, ProviderRequest)> {
    let mut all = Vec::new();
    for operation in everything() {
        let name = operation.name();
        let (result, sent) = run(operation.clone());
        assert!(result.is_ok(), "{operation:?}: {result:?}");
        all.extend(sent.into_iter().map(|request| (name, request)));
    }
    let catalog = Catalog::builtin().unwrap();
    let (_, sent) = exchange(catalog.find(JIRA).unwrap().probe(&site()), recorded);
    all.extend(sent.into_iter().map(|request| ("probe", request)));
    all
}

#[test]
fn every_request_is_what_atlassian_describes() {
    let descriptions = [Some(Description::reduced()), Description::full()];
    for description in descriptions.iter().flatten() {
        let (mut seen, mut names) = (BTreeSet::new(), BTreeSet::new());
        for (name, request) in requests() {
            let operation = description.judge(&request, BASE).unwrap_or_else(|why| panic!("{name}: {} {}: {why}\n{:?}", request.method.as_str(), request.url, request.body));
            names.insert(name);
            seen.insert(format!("{} {}", operation.1, operation.0));
        }
        let expected = [
            "delete /rest/api/3/attachment/{id}",
            "delete /rest/api/3/issue/{issueIdOrKey}/comment/{id}",
            "get /rest/api/3/attachment/content/{id}",
            "get /rest/api/3/field",
            "get /rest/api/3/issue/{issueIdOrKey}",
            "get /rest/api/3/issue/{issueIdOrKey}/comment",
            "get /rest/api/3/issue/{issueIdOrKey}/transitions",
            "get /rest/api/3/myself",
            "get /rest/api/3/priority",
            "get /rest/api/3/project/search",
            "get /rest/api/3/user/search",
            "post /rest/api/3/issue",
            "post /rest/api/3/issue/{issueIdOrKey}/attachments",
            "post /rest/api/3/issue/{issueIdOrKey}/comment",
            "post /rest/api/3/issue/{issueIdOrKey}/transitions",
            "post /rest/api/3/search/jql",
            "put /rest/api/3/issue/{issueIdOrKey}",
        ];
        assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
        // Every operation that the manifest offers was tried.
        let catalog = Catalog::builtin().unwrap();
        for facts in &catalog.find(JIRA).unwrap().manifest().operation {
            assert!(names.contains(facts.name.as_str()), "{} was not tried", facts.name);
        }
    }
}

#[test]
fn no_request_needs_more_than_the_scopes_asked_for_or_is_going_away() {
    let description = Description::reduced();
    let catalog = Catalog::builtin().unwrap();
    let scopes = &catalog.find(JIRA).unwrap().server("main").unwrap().scopes.default;
    for (name, request) in requests() {
        let (path, method) = description.judge(&request, BASE).unwrap();
        let operation = &description.document()["paths"][&path][&method];
        let needed: Vec<&str> = operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|way| way.get("OAuth2"))
            .flat_map(|scopes| scopes.as_array().unwrap())
            .map(|scope| scope.as_str().unwrap())
            .collect();
        assert!(needed.iter().all(|scope| scopes.iter().any(|asked| asked == scope)), "{name}: {path} needs {needed:?}");
        // The list of priorities is called old since 2021, and its successor needs an administrator's scope.
        assert!(operation["deprecated"] != true || path == "/rest/api/3/priority", "{name}: {path} is deprecated");
    }
}

#[test]
fn the_judge_refuses_what_is_wrong() {
    let description = Description::reduced();
    let good: ProviderRequest = requests().into_iter().find(|(_, request)| request.url.path().ends_with("/search/jql")).unwrap().1;
    assert!(description.judge(&good, BASE).is_ok());
    let change = |change: &dyn Fn(&mut ProviderRequest)| {
        let mut request = good.clone();
        change(&mut request);
        description.judge(&request, BASE).unwrap_err()
    };
    let json = |body: Value| move |request: &mut ProviderRequest| request.body = RequestBody::Json(body.clone());
    assert!(change(&json(json!({ "jql": 5 }))).contains("at /jql"));
    assert!(change(&json(json!({ "jqll": "x" }))).contains("jqll"));
    assert!(change(&|request| request.method = Method::Delete).contains("no operation"));
    assert!(change(&|request| request.url.set_path("/rest/api/3/search/jqll")).contains("no operation"));
    assert!(change(&|request| request.url.set_query(Some("frob=1"))).contains("unknown query parameter"));
    assert!(change(&|request| request.body = RequestBody::Empty).contains("missing"));
    assert!(change(&|request| request.headers.push(("x-frob".into(), "1".into()))).contains("x-frob"));
    let mut comment = ProviderRequest::new(Method::Post, format!("{BASE}/rest/api/3/issue/X-1/comment").parse().unwrap()).json(json!({ "id": "1", "body": {} }));
    assert!(description.judge(&comment, BASE).unwrap_err().contains("read-only"));
    comment.url = format!("{BASE}/rest/api/3/project/search?maxResults=many").parse().unwrap();
    comment.method = Method::Get;
    assert!(description.judge(&comment, BASE).unwrap_err().contains("no integer"));
}

#[test]
fn the_reduced_description_is_the_full_one_cut() {
    let Some(full) = Description::full() else { return };
    let reduced = Description::reduced();
    for (path, item) in reduced.document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let whole = &full.document()["paths"][path][method];
            let names = |operation: &Value| operation["parameters"].as_array().into_iter().flatten().map(|parameter| parameter["name"].clone()).collect::<Vec<_>>();
            assert_eq!(names(operation), names(whole), "{method} {path}");
            assert_eq!(operation["security"], whole["security"], "{method} {path}");
            assert_eq!(operation["requestBody"].is_null(), whole["requestBody"].is_null(), "{method} {path}");
        }
    }
    for (name, schema) in reduced.document()["components"]["schemas"].as_object().unwrap() {
        let whole = &full.document()["components"]["schemas"][name];
        let properties = |schema: &Value| schema["properties"].as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
        assert_eq!(properties(schema), properties(whole), "{name}");
        assert_eq!(schema["required"], whole["required"], "{name}");
    }
    assert_eq!(reduced.document()["info"]["version"], full.document()["info"]["version"]);
}

#[test]
fn the_answers_kept_here_are_what_atlassian_describes() {
    let description = Description::reduced();
    for (name, path, method, status) in [
        ("user", "/rest/api/3/myself", "get", "200"),
        ("fields", "/rest/api/3/field", "get", "200"),
        ("priorities", "/rest/api/3/priority", "get", "200"),
        ("projects", "/rest/api/3/project/search", "get", "200"),
        ("users", "/rest/api/3/user/search", "get", "200"),
        ("search-1", "/rest/api/3/search/jql", "post", "200"),
        ("search-2", "/rest/api/3/search/jql", "post", "200"),
        ("created", "/rest/api/3/issue", "post", "201"),
        ("issue", "/rest/api/3/issue/{issueIdOrKey}", "get", "200"),
        ("transitions", "/rest/api/3/issue/{issueIdOrKey}/transitions", "get", "200"),
        ("comments-1", "/rest/api/3/issue/{issueIdOrKey}/comment", "get", "200"),
        ("comments-2", "/rest/api/3/issue/{issueIdOrKey}/comment", "get", "200"),
        ("comment", "/rest/api/3/issue/{issueIdOrKey}/comment", "post", "201"),
        ("attachments", "/rest/api/3/issue/{issueIdOrKey}/attachments", "post", "200"),
    ] {
        let schema =
            description.document()["paths"][path][method]["responses"][status]["content"]["application/json"].get("schema").unwrap_or_else(|| panic!("{path} has no schema"));
        description.validate_answer(schema, &response("jira", name)).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
    assert_eq!(crate::fixture::responses("jira").len(), 14, "every answer is checked above");
}

#[test]
fn answers_become_unified_objects() {
    let (Ok(TicketingAnswer::Ticket(ticket)), _) = run(Op::GetTicket("DEMO-12".into())) else { panic!() };
    expect("jira", "issue", &ticket);
    let (Ok(TicketingAnswer::Tickets(first, next)), _) = run(query(&[], &[], None)) else { panic!() };
    expect("jira", "search-1", &first);
    let (Ok(TicketingAnswer::Tickets(second, end)), _) = run(query(&[], &[], Some(&next))) else { panic!() };
    expect("jira", "search-2", &second);
    assert_eq!((next.as_str(), end.as_str()), ("CAEaAggD", ""));
    let (Ok(TicketingAnswer::Comments(comments)), sent) = run(Op::ListComments("DEMO-12".into())) else { panic!() };
    expect("jira", "comments", &comments);
    assert_eq!(sent.len(), 2, "two pages");
    let (Ok(TicketingAnswer::RemoteFields(fields)), _) = run(Op::ListRemoteFields) else { panic!() };
    expect("jira", "fields", &fields);
    let (Ok(TicketingAnswer::Projects(projects, _)), _) = run(Op::ListProjects(PageRequest { cursor: None, limit: 50 })) else { panic!() };
    expect("jira", "projects", &projects);
    let (Ok(TicketingAnswer::Attachment(file)), _) = run(Op::DownloadAttachment("DEMO-12".into(), "10001".into())) else { panic!() };
    expect("jira", "attachment", &file);
}

#[test]
fn what_is_written_is_what_was_meant() {
    let written = |operation: Op, method: Method, end: &str| {
        let (result, sent) = run(operation);
        result.unwrap();
        let request = sent.into_iter().find(|request| request.method == method && request.url.path().ends_with(end)).unwrap();
        let RequestBody::Json(body) = request.body else { panic!() };
        body
    };
    let all = everything();
    let creates: Vec<&Op> = all.iter().filter(|operation| operation.name() == "create_ticket").collect();
    expect("jira", "create", &written(creates[1].clone(), Method::Post, "/issue"));
    let patches: Vec<&Op> = all.iter().filter(|operation| operation.name() == "patch_ticket").collect();
    assert_eq!(written(patches[0].clone(), Method::Post, "/transitions"), json!({ "transition": { "id": "31" } }));
    expect("jira", "patch", &written(patches[1].clone(), Method::Put, "/10100"));
    expect("jira", "patch-removing", &written(patches[2].clone(), Method::Put, "/10100"));
    expect("jira", "query", &written(all[5].clone(), Method::Post, "/search/jql"));
}

#[test]
fn a_status_that_cannot_be_reached_changes_nothing() {
    let (result, sent) = run(patch(json!([{ "op": "replace", "path": "/summary", "value": "new" }, { "op": "replace", "path": "/status", "value": "Frob" }])));
    let problem = result.unwrap_err();
    assert_eq!(problem.code, Code::InvalidField);
    assert!(problem.message.contains("In Progress, Done"), "{}", problem.message);
    assert!(sent.iter().all(|request| request.method == Method::Get));
}

#[test]
fn once_made_a_ticket_is_given_back_whatever_follows() {
    let (result, sent) = exchange(start(JIRA, create(json!({ "name": "x", "status": "Done" })), &site()), |request| match (request.method, request.url.path()) {
        (Method::Post, "/rest/api/3/issue") => recorded(request),
        _ => ProviderResponse { status: 500, headers: vec![], body: vec![] },
    });
    let TicketingAnswer::Ticket(ticket) = result.unwrap() else { panic!() };
    assert_eq!((ticket.id.as_str(), ticket.name.as_str(), ticket.summary.as_str()), ("10100", "DEMO-12", "x"));
    assert_eq!(sent.iter().filter(|request| request.method == Method::Post && !request.idempotent).count(), 1);
}

#[test]
fn the_api_is_found_by_the_kind_of_credential() {
    let catalog = Catalog::builtin().unwrap();
    let provider = catalog.find(JIRA).unwrap();
    let config = object(json!({ "url": BASE }));
    let kept = BTreeMap::new();
    let locate = |config, credential| provider.locate(&LocateContext { config, credential: Some(credential), kept: &kept });
    let (found, sent) = exchange(locate(&config, "basic_id"), |_| panic!());
    assert_eq!((found.unwrap().base_url.unwrap().as_str(), sent.len()), ("https://example.atlassian.net/", 0));

    let (found, sent) = exchange(locate(&config, "service_account"), |_| answer(200, &json!({ "cloudId": "1a2b-3c" })));
    assert_eq!(found.unwrap().base_url.unwrap().as_str(), "https://api.atlassian.com/ex/jira/1a2b-3c");
    assert_eq!((sent[0].url.as_str(), sent[0].authenticated), ("https://example.atlassian.net/_edge/tenant_info", false));
    for (status, body) in [(404, json!(null)), (200, json!({ "cloudId": "../../evil" })), (200, json!([])), (302, json!({}))] {
        let (found, _) = exchange(locate(&config, "service_account_id"), |_| answer(status, &body));
        assert_eq!(found.unwrap().base_url.unwrap().as_str(), "https://example.atlassian.net/", "{body}");
    }

    let sites = json!([{ "id": "other", "url": "https://other.atlassian.net" }, { "id": "1a2b-3c", "url": "https://example.atlassian.net", "scopes": [] }]);
    let (found, sent) = exchange(locate(&config, "o_auth_user_id"), |_| answer(200, &sites));
    assert_eq!(found.unwrap().base_url.unwrap().as_str(), "https://api.atlassian.com/ex/jira/1a2b-3c");
    assert_eq!((sent[0].url.as_str(), sent[0].authenticated), ("https://api.atlassian.com/oauth/token/accessible-resources", true));
    let (found, _) = exchange(locate(&config, "o_auth_user"), |_| answer(200, &json!([{ "id": "other", "url": "https://other.atlassian.net" }])));
    let problem = found.unwrap_err();
    assert_eq!(problem.code, Code::InvalidConfig);
    assert!(problem.message.contains("https://other.atlassian.net"), "{}", problem.message);
    for bad in ["", "ftp://x", "https://user:pw@x", "x"].map(|bad| object(json!({ "url": bad }))) {
        let context = LocateContext { config: &bad, credential: Some("basic"), kept: &kept };
        assert_eq!(provider.locate(&context).err().unwrap().code, Code::InvalidConfig, "{bad:?}");
    }
}

#[test]
fn ids_cannot_leave_their_place() {
    for id in ["", ".", "..", "../myself", "10100/comment", "DEMO-12?x", "createmeta", "bulk", "DEMO", "-1"] {
        let operations = [
            Op::GetTicket(id.into()),
            Op::ListComments(id.into()),
            Op::DeleteComment("DEMO-12".into(), id.into()),
            Op::DownloadAttachment("DEMO-12".into(), id.into()),
            Op::PatchTicket(id.into(), vec![]),
        ];
        for operation in operations {
            let (result, sent) = run(operation.clone());
            assert_eq!(result.unwrap_err().code, Code::NotFound, "{operation:?}");
            assert_eq!(sent.len(), 0, "{operation:?}");
        }
    }
}

#[test]
fn a_page_that_leads_to_itself_is_refused() {
    let (result, _) = exchange(start(JIRA, query(&[], &[], Some("T")), &site()), |_| answer(200, &json!({ "issues": [], "nextPageToken": "T" })));
    assert_eq!(result.unwrap_err().code, Code::ProviderInvalidAnswer);
    let (result, sent) = exchange(start(JIRA, Op::ListComments("DEMO-12".into()), &site()), |_| answer(200, &json!({ "comments": [{ "id": "1" }], "total": 1_000_000_000 })));
    assert_eq!(result.unwrap_err().code, Code::ProviderInvalidAnswer);
    assert!(sent.len() <= 102);
}

#[test]
fn a_search_that_jira_refuses_is_the_filters_fault() {
    let body = json!({ "errorMessages": ["The value 'Frob' does not exist for the field 'status'."], "errors": {} });
    let (result, _) = exchange(start(JIRA, query(&["status[eq]Frob"], &[], None), &site()), |_| answer(400, &body));
    let problem = result.unwrap_err();
    assert_eq!(problem.code, Code::InvalidFilter);
    assert!(problem.message.contains("'Frob' does not exist"), "{}", problem.message);
}
