//! The Redmine adapter on recorded answers.

use patchbay_model::Code;
use patchbay_model::connector::ticketing::{CreateTicket, PageRequest, TicketingAnswer, TicketingOperation as Op};
use patchbay_providers::{AdapterContext, Method, ProviderRequest, ProviderResponse};
use serde_json::{Value, json};

use crate::drive::{answer, context, exchange, start};
use crate::fixture::{expect, response};

const REDMINE: &str = "ticketing_redmine";

pub(crate) fn site() -> AdapterContext {
    context(json!({ "url": "https://redmine.example.com/sub", "default_project": "support", "default_issue_type": "Bug" }), Some("https://redmine.example.com/sub"))
}

/// Answers as the recorded server did.
pub(crate) fn recorded(request: &ProviderRequest) -> ProviderResponse {
    let path = request.url.path().strip_prefix("/sub").expect("requests stay below the configured address");
    let name = match (request.method, path) {
        (Method::Get, "/issues.json") => "issues",
        (Method::Get, "/issues/1.json") => "issue",
        (Method::Post, "/issues.json") => return answer(201, &response("redmine", "issue")),
        (Method::Put, "/issues/1.json" | "/journals/1.json") | (Method::Delete, "/attachments/1.json") => return ProviderResponse { status: 204, headers: vec![], body: vec![] },
        (Method::Post, "/uploads.json") => return answer(201, &json!({ "upload": { "id": 1, "token": "1.abc" } })),
        (Method::Get, "/attachments/download/1/notes.txt") => return ProviderResponse { status: 200, headers: vec![], body: vec![b'x'; 27] },
        (Method::Get, "/projects.json") => "projects",
        (Method::Get, "/issue_statuses.json") => "statuses",
        (Method::Get, "/trackers.json") => "trackers",
        (Method::Get, "/enumerations/issue_priorities.json") => "priorities",
        (Method::Get, "/projects/support/memberships.json" | "/projects/1/memberships.json") => "memberships",
        (Method::Get, "/users/current.json") => "user",
        (Method::Get, "/custom_fields.json") => return ProviderResponse { status: 403, headers: vec![], body: vec![] },
        _ => return ProviderResponse { status: 404, headers: vec![], body: vec![] },
    };
    answer(200, &response("redmine", name))
}

fn run(operation: Op) -> (TicketingAnswer, Vec<ProviderRequest>) {
    let (result, sent) = exchange(start(REDMINE, operation, &site()), recorded);
    (result.unwrap(), sent)
}

#[test]
fn recorded_answers_become_unified_objects() {
    let (TicketingAnswer::Ticket(ticket), _) = run(Op::GetTicket("1".into())) else { panic!() };
    expect("redmine", "issue", &ticket);
    let (TicketingAnswer::Tickets(tickets, next), sent) = run(Op::QueryTickets { page: PageRequest { cursor: None, limit: 2 }, filters: vec![], orders: vec![] }) else { panic!() };
    expect("redmine", "issues", &tickets);
    assert_eq!(next, "2");
    assert_eq!(sent[0].url.as_str(), "https://redmine.example.com/sub/issues.json?status_id=*&include=attachments&sort=id&offset=0&limit=2");
    let (TicketingAnswer::Comments(comments), _) = run(Op::ListComments("1".into())) else { panic!() };
    expect("redmine", "comments", &comments);
    let (TicketingAnswer::Attachments(attachments), _) = run(Op::ListAttachments("1".into())) else { panic!() };
    expect("redmine", "attachments", &attachments);
    let (TicketingAnswer::Projects(projects, next), _) = run(Op::ListProjects(PageRequest { cursor: None, limit: 50 })) else { panic!() };
    expect("redmine", "projects", &projects);
    assert_eq!(next, "");
}

#[test]
fn names_are_looked_up_before_anything_is_written() {
    let new: CreateTicket =
        serde_json::from_value(json!({ "name": "x", "priority": "URGENT", "status": "resolved", "assignee": "ada lovelace", "due_date": "2026-12-24T10:00:00Z" })).unwrap();
    let (_, sent) = run(Op::CreateTicket(Box::new(new)));
    let last = sent.last().unwrap();
    assert_eq!(last.method, Method::Post);
    assert!(!last.idempotent, "making a ticket is not repeated");
    let patchbay_providers::RequestBody::Json(body) = &last.body else { panic!() };
    assert_eq!(
        *body,
        json!({ "issue": { "project_id": "support", "subject": "x", "due_date": "2026-12-24", "tracker_id": "1", "status_id": "3", "priority_id": "5", "assigned_to_id": "5" } })
    );
    assert!(sent[..sent.len() - 1].iter().all(|request| request.method == Method::Get));
    for (field, value) in [("status", "Nowhere"), ("issue_type", "Frob"), ("assignee", "Nobody")] {
        let new: CreateTicket = serde_json::from_value(json!({ "name": "x", field: value })).unwrap();
        let (result, sent) = exchange(start(REDMINE, Op::CreateTicket(Box::new(new)), &site()), recorded);
        let problem = result.unwrap_err();
        assert_eq!((problem.code, problem.context.parameter.unwrap().id), (Code::InvalidField, format!("/{field}")));
        assert!(sent.iter().all(|request| request.method == Method::Get), "{field}");
    }
}

#[test]
fn files_never_come_from_another_host() {
    let mut issue = response("redmine", "issue");
    issue["issue"]["attachments"][0]["content_url"] = Value::from("https://evil.example.com/steal");
    let (result, sent) = exchange(start(REDMINE, Op::DownloadAttachment("1".into(), "1".into()), &site()), |request| {
        if request.url.path().ends_with("/issues/1.json") { answer(200, &issue) } else { recorded(request) }
    });
    assert!(result.is_ok());
    assert!(sent.iter().all(|request| request.url.host_str() == Some("redmine.example.com")), "{sent:?}");
}

#[test]
fn refusals_carry_what_redmine_says() {
    let cases: [(u16, &str, Code, &str); 7] = [
        (401, "", Code::ProviderRefused, "Replace the credential"),
        (403, "", Code::ProviderRefused, "permission"),
        (404, "", Code::NotFound, "ticket `1`"),
        (422, r#"{"errors":["Subject cannot be blank"]}"#, Code::ProviderRefused, "Subject cannot be blank"),
        (429, "", Code::ProviderRateLimited, "slow down"),
        (503, "<html><body>Bad key=SECRET</body></html>", Code::ProviderUnreachable, "out of order"),
        (200, "<html>login</html>", Code::ProviderInvalidAnswer, "not JSON"),
    ];
    for (status, body, code, words) in cases {
        let (result, _) = exchange(start(REDMINE, Op::GetTicket("1".into()), &site()), |_| ProviderResponse {
            status,
            headers: vec![("Retry-After".into(), "7".into()), ("X-Request-Id".into(), "req-1".into())],
            body: body.as_bytes().to_vec(),
        });
        let problem = result.unwrap_err();
        assert_eq!(problem.code, code, "{status}");
        assert!(problem.message.contains(words), "{status}: {}", problem.message);
        assert!(!problem.message.contains("SECRET") && !problem.message.contains('<'), "{}", problem.message);
        assert_eq!(problem.retry_after, matches!(status, 429 | 503).then_some(7));
        if status != 200 {
            assert_eq!(problem.context.provider_details["request_id"], "req-1");
            assert_eq!(problem.context.provider_details["status"], status);
        }
    }
}

#[test]
fn a_server_that_repeats_pages_does_not_hold_us() {
    // The same two rows for ever, with a total that is never reached.
    let (result, sent) = exchange(start(REDMINE, Op::ListRemoteFields, &site()), |request| {
        if request.url.path().ends_with("/projects.json") {
            answer(200, &json!({ "projects": [{ "id": 1, "issue_custom_fields": [{ "id": 1, "name": "a" }] }], "total_count": 1_000_000_000 }))
        } else {
            recorded(request)
        }
    });
    assert_eq!(result.unwrap_err().code, Code::ProviderInvalidAnswer);
    assert!(sent.len() <= 102, "{} requests", sent.len());
}

/// Every operation with every part that makes another request.
pub(crate) fn everything() -> Vec<Op> {
    let create = |body: Value| Op::CreateTicket(Box::new(serde_json::from_value(body).unwrap()));
    let patch = |body: Value| Op::PatchTicket("1".into(), serde_json::from_value(body).unwrap());
    let filters = ["status[in]New,closed", "priority[ne]LOW", "issue_type[eq]bug", "summary[like]%x%", "created_at[gte]2026-01-01T00:00:00Z"];
    vec![
        Op::ListRemoteFields,
        Op::ListProjects(PageRequest { cursor: None, limit: 50 }),
        Op::QueryTickets {
            page: PageRequest { cursor: Some("2".into()), limit: 10 },
            filters: filters.iter().map(|text| patchbay_model::list::Filter::parse(text).unwrap()).collect(),
            orders: vec![],
        },
        Op::GetTicket("1".into()),
        create(json!({ "name": "x", "priority": "HIGH", "status": "New", "assignee": "Ada Lovelace", "tags": ["x"], "custom_fields": { "Customer reference": 5 }, "parent": "1" })),
        patch(
            json!([{ "op": "replace", "path": "/status", "value": "New" }, { "op": "replace", "path": "/summary", "value": "y" }, { "op": "replace", "path": "/custom_fields", "value": { "Customer reference": "z" } }, { "op": "replace", "path": "/assignee", "value": "Ada Lovelace" }]),
        ),
        Op::ListComments("1".into()),
        Op::CreateComment("1".into(), patchbay_model::connector::ticketing::CreateComment { content: "x".into(), creator: None }),
        Op::DeleteComment("1".into(), "1".into()),
        Op::ListAttachments("1".into()),
        Op::CreateAttachment("1".into(), patchbay_model::connector::ticketing::CreateAttachment { file_name: "notes.txt".into(), content: "AAEC".into() }),
        Op::DownloadAttachment("1".into(), "1".into()),
        Op::DeleteAttachment("1".into(), "1".into()),
    ]
}
