//! The adapters, by provider.

mod jira;
mod mock_ticketing;
mod openid;
mod redmine;

use patchbay_model::connector::ticketing::{PageRequest, TicketingAnswer, TicketingOperation};
use patchbay_model::problem::Location;
use patchbay_model::{Code, Problem};
use serde_json::Value;
use url::Url;

use crate::exchange::{Method, ProviderRequest};
use crate::reading;
use crate::refusal::refused;
use crate::step::{AdapterContext, Identity, Step};

/// What an adapter does. Where the API is, the manifest says. Operations arrive only when the manifest offers them and their filters have been checked against it.
pub(crate) trait Adapter: Sync {
    /// Proves the credential.
    fn probe(&self, context: &AdapterContext) -> Result<Step<Identity>, Problem>;

    /// Starts a ticketing operation.
    fn ticketing(&self, operation: TicketingOperation, _context: &AdapterContext) -> Result<Step<TicketingAnswer>, Problem> {
        Err(Problem::internal(format!("there is no mapping for `{}`", operation.name())))
    }
}

/// The adapter of a provider.
pub(crate) fn find(provider: &str) -> Option<&'static dyn Adapter> {
    Some(match provider {
        "identity_openid" => &openid::OpenId,
        "ticketing_jira" => &jira::Jira,
        "ticketing_mock_ticketing" => &mock_ticketing::MockTicketing,
        "ticketing_redmine" => &redmine::Redmine,
        _ => return None,
    })
}

/// An address below the base address. Segments are escaped, so that an id out of a request cannot leave its place.
pub(crate) fn endpoint(context: &AdapterContext, segments: &[&str]) -> Result<Url, Problem> {
    let mut url = context.base_url.clone().ok_or_else(|| Problem::internal("the provider's address is missing"))?;
    // `.` and `..` survive escaping and would be resolved away.
    if segments.iter().any(|segment| segment.is_empty() || *segment == "." || *segment == "..") {
        return Err(Problem::new(Code::NotFound, "An id in the request is empty or a dot. Check the id."));
    }
    url.path_segments_mut().map_err(|()| Problem::internal("the provider's address has no path"))?.pop_if_empty().extend(segments);
    Ok(url)
}

/// Reads a cursor that is a count of rows to skip.
pub(crate) fn offset(page: &PageRequest) -> Result<usize, Problem> {
    match page.cursor.as_deref() {
        None | Some("") => Ok(0),
        Some(cursor) => cursor
            .parse()
            .ok()
            .filter(|offset| *offset <= u32::MAX as usize)
            .ok_or_else(|| Problem::new(Code::InvalidCursor, "The cursor is not one that this list gave out. Begin again without a cursor.").at(Location::Query, "cursor")),
    }
}

/// A GET whose answer is JSON. `noun` and `reference` name what is asked for, in refusals.
pub(crate) fn get<T: 'static>(
    provider: &'static str,
    url: Url,
    noun: &'static str,
    reference: String,
    then: impl FnOnce(Value) -> Result<Step<T>, Problem> + Send + 'static,
) -> Result<Step<T>, Problem> {
    ask(provider, ProviderRequest::new(Method::Get, url), noun, reference, then)
}

/// A request whose answer is JSON.
pub(crate) fn ask<T: 'static>(
    provider: &'static str,
    request: ProviderRequest,
    noun: &'static str,
    reference: String,
    then: impl FnOnce(Value) -> Result<Step<T>, Problem> + Send + 'static,
) -> Result<Step<T>, Problem> {
    Ok(Step::send(request, move |response| {
        if !response.ok() {
            return Err(refused(provider, &response, noun, &reference));
        }
        then(reading::json(provider, &response)?)
    }))
}

/// A request that must succeed; the content of its answer does not matter.
pub(crate) fn perform<T: 'static>(
    provider: &'static str,
    request: ProviderRequest,
    noun: &'static str,
    reference: String,
    then: impl FnOnce() -> Result<Step<T>, Problem> + Send + 'static,
) -> Result<Step<T>, Problem> {
    Ok(Step::send(request, move |response| if response.ok() { then() } else { Err(refused(provider, &response, noun, &reference)) }))
}

/// A field that the provider has no place for, told beside the answer rather than dropped in silence.
pub(crate) fn left_out(provider: &str, field: &str) -> Problem {
    Problem::field(&format!("/{field}"), format!("{provider} has no place for `{field}`; it was left out. Everything else was done."))
}
