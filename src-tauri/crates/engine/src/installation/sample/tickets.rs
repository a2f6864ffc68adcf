//! Tickets and comments of a sample desk, as the documents of the mock ticket system.

use std::time::Duration;

use patchbay_model::connector::ticketing::{Comment, Priority, Ticket};
use patchbay_model::{Context, Problem};
use serde_json::Value;

/// What happened, in whose words, how urgent, with what tags.
const STORIES: &[(&str, &str, Priority, &[&str])] = &[
    (
        "Label printer in receiving prints blank pages",
        "Since this morning every second label comes out blank. Power cycling helped once.",
        Priority::Medium,
        &["printer", "receiving"],
    ),
    ("Cannot sign in after the password change", "The new password works in the mail client but not on the intranet. Two colleagues have the same.", Priority::High, &["access"]),
    ("Monthly report misses the last two days", "The export of the month ends on the 28th although the source has all days.", Priority::Low, &["reporting"]),
    ("Handheld scanners lose the network in aisle 14", "Signal drops between racks 14 and 16; scanning resumes when leaving the aisle.", Priority::High, &["network", "warehouse"]),
    ("New starter needs an account by Monday", "Starts on Monday in accounting, same rights as the colleague she follows.", Priority::Moderate, &["access", "onboarding"]),
    (
        "Customer portal answers slowly between 9 and 10",
        "Pages take up to ten seconds in that hour, and are quick for the rest of the day.",
        Priority::Urgent,
        &["portal", "performance"],
    ),
    ("Duplicate order confirmations", "Some customers got the same confirmation three times, all within one minute.", Priority::Critical, &["mail", "orders"]),
    ("Screen in meeting room 2 stays dark", "Cable and source are fine on another screen.", Priority::Low, &["hardware"]),
    ("Certificate of the test system expires next week", "Monitoring warns; the renewal needs an approval.", Priority::Medium, &["certificates"]),
    ("Wrong currency on invoices of the Oslo branch", "Amounts are right, but the currency sign is that of head office.", Priority::High, &["invoices"]),
    ("Backup job of the file server was skipped twice", "Skipped on Saturday and Sunday, no error in the log. Monday ran well.", Priority::Critical, &["backup"]),
    ("Phone queue sends callers back to the start", "After choosing 2 one hears the greeting again.", Priority::Medium, &["telephony"]),
];

const STATUSES: &[&str] = &["Open", "In Progress", "Waiting for customer", "Done", "Open", "Done"];
const PEOPLE: &[&str] = &["ana.ruiz", "ben.carter", "chidi.eze", "dora.novak", "emil.berg"];
const REMARKS: &[&str] = &[
    "Reproduced. I am looking into it.",
    "Could you send the exact time when you saw it last?",
    "It happened again today at 8:40.",
    "A fix is on the test system; please have a look.",
    "Confirmed by the customer, closing.",
];

/// Collection, id and body of every document of desk number `desk`.
///
/// # Errors
/// `internal` when a document cannot be written as JSON.
pub(super) fn documents(context: &Context, desk: usize) -> Result<Vec<(&'static str, String, Value)>, Problem> {
    let now = context.now();
    let mut documents = Vec::new();
    let number = 6 + desk % 5;
    for index in 0..number {
        let pick = desk * 5 + index * 7;
        let (summary, description, priority, tags) = STORIES.get(pick % STORIES.len()).copied().unwrap_or(("Question", "A question.", Priority::Low, &[]));
        let status = STATUSES.get((desk + index) % STATUSES.len()).copied().unwrap_or("Open");
        let person = |offset: usize| PEOPLE.get((pick + offset) % PEOPLE.len()).map(|&person| person.to_owned());
        let created = now.minus(Duration::from_secs(86_400 * (number - index) as u64 * 3 + 1_117 * pick as u64));
        let updated = created.plus(Duration::from_secs(5_400 * (1 + index as u64)));
        let id = context.new_uuid().to_string();
        let ticket = Ticket {
            id: id.clone(),
            name: format!("DESK-{}", 101 + index),
            summary: summary.to_owned(),
            creator: person(0),
            assignee: if status == "Open" { None } else { person(2) },
            description: Some(description.to_owned()),
            priority: Some(priority),
            due_date: (status != "Done").then(|| now.plus(Duration::from_secs(86_400 * (2 + index as u64)))),
            completion_date: (status == "Done").then_some(updated),
            status: Some(status.to_owned()),
            project: Some("DESK".to_owned()),
            issue_type: Some(if index % 3 == 0 { "Incident" } else { "Request" }.to_owned()),
            tags: Some(tags.iter().map(|&tag| tag.to_owned()).collect()),
            created_at: Some(created),
            updated_at: Some(updated),
            ..Ticket::default()
        };
        documents.push(("tickets", id.clone(), json(&ticket)?));
        for remark in 0..(pick % 4) {
            let comment = Comment {
                id: context.new_uuid().to_string(),
                ticket_id: id.clone(),
                creator: person(remark).unwrap_or_default(),
                content: REMARKS.get((pick + remark) % REMARKS.len()).copied().unwrap_or_default().to_owned(),
                created_at: Some(created.plus(Duration::from_secs(1_800 * (remark as u64 + 1)))),
                ..Comment::default()
            };
            documents.push(("comments", format!("{id}/{}", comment.id), json(&comment)?));
        }
    }
    Ok(documents)
}

fn json<T: serde::Serialize>(value: &T) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|_| Problem::internal("a sample document cannot be written as JSON"))
}
