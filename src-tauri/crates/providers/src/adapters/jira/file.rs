//! Attachments of Jira's issues. They are reached through their issue, so that an id of another issue's is not found.

use patchbay_model::Problem;
use patchbay_model::connector::ticketing::{Attachment, AttachmentMetadata, CreateAttachment, TicketingAnswer};

use super::{NAME, Next, get, issue, issue_id, number, path};
use crate::adapters::{ask, perform};
use crate::attachment;
use crate::exchange::{Method, Part, ProviderRequest, RequestBody};
use crate::reading::{at, invalid, rows, text};
use crate::refusal::refused;
use crate::step::{AdapterContext, Step};

fn of_ticket(context: &AdapterContext, id: &str, then: impl FnOnce(Vec<AttachmentMetadata>) -> Next + Send + 'static) -> Next {
    let mut url = path(context, &["issue", issue_id("ticket", id)?])?;
    url.query_pairs_mut().append_pair("fields", "attachment");
    get(url, "ticket", id, |answer| {
        let id = text(&answer, "id").unwrap_or_default();
        then(issue::attachments(&id, rows(at(&answer, &["fields"]), "attachment")))
    })
}

fn find(context: &AdapterContext, id: &str, attachment: String, then: impl FnOnce(AttachmentMetadata) -> Next + Send + 'static) -> Next {
    number("attachment", &attachment)?;
    of_ticket(context, id, move |list| match list.into_iter().find(|known| known.id == attachment) {
        Some(metadata) => then(metadata),
        None => Err(Problem::not_found("attachment", attachment)),
    })
}

/// What is attached.
pub(super) fn list(context: &AdapterContext, id: &str) -> Next {
    of_ticket(context, id, |list| Ok(Step::Done(TicketingAnswer::Attachments(list))))
}

/// Attaches a file. The header is asked for against cross-site requests.
pub(super) fn create(context: &AdapterContext, id: &str, new: &CreateAttachment) -> Next {
    let (file_name, bytes) = attachment::decode(new)?;
    let url = path(context, &["issue", issue_id("ticket", id)?, "attachments"])?;
    let mut request = ProviderRequest::new(Method::Post, url).header("x-atlassian-token", "no-check");
    let content_type = Some(attachment::media_type(&file_name).to_owned());
    request.body = RequestBody::Multipart(vec![Part { name: "file".to_owned(), file_name: Some(file_name), content_type, bytes }]);
    let id = id.to_owned();
    ask(NAME, request, "ticket", id.clone(), move |answer| {
        let list = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        let metadata = issue::attachments(&id, list).into_iter().next().ok_or_else(|| invalid(NAME, "has no attachment"))?;
        Ok(Step::Done(TicketingAnswer::AttachmentMetadata(Box::new(metadata))))
    })
}

/// Gives a file. Without the redirect, so that the credential goes nowhere else.
pub(super) fn download(context: AdapterContext, id: &str, attachment: String) -> Next {
    find(&context.clone(), id, attachment, move |metadata| {
        let mut url = path(&context, &["attachment", "content", &metadata.id])?;
        url.query_pairs_mut().append_pair("redirect", "false");
        let mut request = ProviderRequest::new(Method::Get, url).header("accept", "*/*");
        request.max_answer_bytes = ProviderRequest::MAX_FILE;
        Ok(Step::send(request, move |response| {
            if !response.ok() {
                return Err(refused(NAME, &response, "attachment", &metadata.id));
            }
            if metadata.file_size.is_some_and(|size| size != response.body.len() as u64) {
                return Err(invalid(NAME, "is not as long as the file"));
            }
            Ok(Step::Done(TicketingAnswer::Attachment(Box::new(Attachment { content: attachment::encode(&response.body), metadata }))))
        }))
    })
}

/// Removes a file.
pub(super) fn delete(context: AdapterContext, id: &str, attachment: String) -> Next {
    find(&context.clone(), id, attachment, move |metadata| {
        let url = path(&context, &["attachment", &metadata.id])?;
        perform(NAME, ProviderRequest::new(Method::Delete, url), "attachment", metadata.id, || Ok(Step::Done(TicketingAnswer::Done)))
    })
}
