//! Redmine's issues as unified tickets, comments and attachments.

use patchbay_model::connector::ticketing::{AttachmentMetadata, Comment, Priority, Ticket};
use serde_json::{Map, Value};

use crate::priority::{self, Names};
use crate::reading::{at, day, rows, text, time, unmapped};

/// Redmine's priorities as installed (Low, Normal, High, Urgent, Immediate) and usual further ones, by rank.
pub(super) const PRIORITIES: Names = &[
    (Priority::Urgent, &["immediate", "blocker", "highest", "urgent"]),
    (Priority::Critical, &["urgent", "critical", "immediate"]),
    (Priority::High, &["high", "major"]),
    (Priority::Medium, &["normal", "medium"]),
    (Priority::Moderate, &["moderate", "normal", "medium"]),
    (Priority::Low, &["low", "minor"]),
    (Priority::Planning, &["planning", "lowest", "trivial", "low"]),
];

/// Priorities read by name: `Urgent` is the second of Redmine's five, though it may stand in for the first.
pub(super) fn read_priority(name: &str) -> Option<Priority> {
    if name.trim().eq_ignore_ascii_case("urgent") { Some(Priority::Critical) } else { priority::read(PRIORITIES, name) }
}

/// A ticket. Everything may be missing; what is there is taken.
pub(super) fn ticket(issue: &Value) -> Ticket {
    let id = text(issue, "id").unwrap_or_default();
    let attachments = attachments(issue);
    let custom_fields: Map<String, Value> = rows(issue, "custom_fields")
        .iter()
        .filter_map(|field| Some((text(field, "name")?, field.get("value")?.clone())))
        .filter(|(_, value)| !value.is_null() && value.as_str() != Some("") && value.as_array().is_none_or(|list| !list.is_empty()))
        .collect();
    let mut extra = unmapped(issue, &["category", "fixed_version", "start_date", "done_ratio", "is_private", "estimated_hours", "spent_hours"]).unwrap_or_default();
    // Names are shown in the unified fields; the ids that filters and writes take stand here.
    for (key, object) in [("creator_id", "author"), ("assignee_id", "assigned_to"), ("priority_name", "priority"), ("project_name", "project")] {
        let part = if key.ends_with("_id") { "id" } else { "name" };
        if let Some(value) = text(at(issue, &[object]), part) {
            extra.insert(key.to_owned(), value.into());
        }
    }
    Ticket {
        name: id.clone(),
        summary: text(issue, "subject").unwrap_or_default(),
        creator: text(at(issue, &["author"]), "name"),
        assignee: text(at(issue, &["assigned_to"]), "name"),
        contact: None,
        description: text(issue, "description"),
        priority: text(at(issue, &["priority"]), "name").and_then(|name| read_priority(&name)),
        due_date: day(issue, "due_date"),
        completion_date: time(issue, "closed_on"),
        status: text(at(issue, &["status"]), "name"),
        project: text(at(issue, &["project"]), "id"),
        issue_type: text(at(issue, &["tracker"]), "name"),
        parent: text(at(issue, &["parent"]), "id"),
        tags: None,
        attachments: issue.get("attachments").is_some().then_some(attachments),
        custom_fields: (!custom_fields.is_empty()).then_some(custom_fields),
        unmapped: (!extra.is_empty()).then_some(extra),
        created_at: time(issue, "created_on"),
        updated_at: time(issue, "updated_on"),
        id,
    }
}

/// The journals that have notes, oldest first.
pub(super) fn comments(issue: &Value) -> Vec<Comment> {
    let ticket_id = text(issue, "id").unwrap_or_default();
    rows(issue, "journals")
        .iter()
        .filter_map(|journal| {
            Some(Comment {
                content: text(journal, "notes").filter(|notes| !notes.trim().is_empty())?,
                id: text(journal, "id")?,
                ticket_id: ticket_id.clone(),
                creator: text(at(journal, &["user"]), "name").unwrap_or_default(),
                created_at: time(journal, "created_on"),
                updated_at: time(journal, "updated_on"),
                unmapped: unmapped(journal, &["private_notes"]),
            })
        })
        .collect()
}

/// The attachments that an issue was read with.
pub(super) fn attachments(issue: &Value) -> Vec<AttachmentMetadata> {
    let ticket_id = text(issue, "id").unwrap_or_default();
    rows(issue, "attachments")
        .iter()
        .filter_map(|attachment| {
            let file_name = text(attachment, "filename").unwrap_or_default();
            Some(AttachmentMetadata {
                id: text(attachment, "id")?,
                ticket_id: ticket_id.clone(),
                file_type: text(attachment, "content_type").unwrap_or_else(|| crate::attachment::media_type(&file_name).to_owned()),
                file_name,
                file_size: attachment.get("filesize").and_then(Value::as_u64),
                created_date: time(attachment, "created_on"),
                creator: text(at(attachment, &["author"]), "name").unwrap_or_default(),
            })
        })
        .collect()
}
