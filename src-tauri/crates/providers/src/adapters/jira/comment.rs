//! Comments of Jira's issues.

use patchbay_model::Problem;
use patchbay_model::connector::ticketing::{Comment, CreateComment, TicketingAnswer};
use serde_json::{Value, json};

use super::{MAX_PAGE, NAME, Next, adf, get, issue, issue_id, next_start, number, path};
use crate::adapters::{ask, left_out, perform};
use crate::exchange::{Method, ProviderRequest};
use crate::reading::{Pages, at, invalid, rows, text, time, unmapped};
use crate::step::{AdapterContext, Step};

fn comment(ticket_id: &str, value: &Value) -> Option<Comment> {
    Some(Comment {
        id: text(value, "id")?,
        ticket_id: ticket_id.to_owned(),
        creator: issue::user(at(value, &["author"])).unwrap_or_default(),
        content: adf::text(at(value, &["body"])),
        created_at: time(value, "created"),
        updated_at: time(value, "updated"),
        unmapped: unmapped(value, &["visibility", "jsdPublic"]),
    })
}

/// All comments, oldest first, page after page.
pub(super) fn list(context: &AdapterContext, id: &str, pages: Pages, from: usize, mut so_far: Vec<Comment>) -> Next {
    let mut url = path(context, &["issue", issue_id("ticket", id)?, "comment"])?;
    url.query_pairs_mut().append_pair("startAt", &from.to_string()).append_pair("maxResults", &MAX_PAGE.to_string()).append_pair("orderBy", "created");
    let (context, id) = (context.clone(), id.to_owned());
    get(url, "ticket", &id.clone(), move |answer| {
        let given = rows(&answer, "comments");
        so_far.extend(given.iter().filter_map(|value| comment(&id, value)));
        match next_start(&answer, from, given.len()).parse() {
            Ok(next) => list(&context, &id, pages.next(NAME)?, next, so_far),
            _ => Ok(Step::Done(TicketingAnswer::Comments(so_far))),
        }
    })
}

/// Adds a comment.
pub(super) fn create(context: &AdapterContext, id: &str, new: CreateComment) -> Next {
    if new.content.trim().is_empty() {
        return Err(Problem::field("/content", "A comment needs content. Write some."));
    }
    let url = path(context, &["issue", issue_id("ticket", id)?, "comment"])?;
    let request = ProviderRequest::new(Method::Post, url).json(json!({ "body": adf::document(&new.content) }));
    let notice = new.creator.is_some().then(|| left_out(NAME, "creator"));
    let id = id.to_owned();
    ask(NAME, request, "ticket", id.clone(), move |answer| {
        let made = comment(&id, &answer).ok_or_else(|| invalid(NAME, "has no comment"))?;
        Ok(Step::Done(TicketingAnswer::Comment(Box::new(made))).noting(notice))
    })
}

/// Removes a comment.
pub(super) fn delete(context: &AdapterContext, id: &str, comment: String) -> Next {
    let url = path(context, &["issue", issue_id("ticket", id)?, "comment", number("comment", &comment)?])?;
    perform(NAME, ProviderRequest::new(Method::Delete, url), "comment", comment, || Ok(Step::Done(TicketingAnswer::Done)))
}
