//! The adapters, by provider.

mod jira;
mod mock_ticketing;
mod openid;
mod redmine;

use patchbay_model::Problem;
use patchbay_model::connector::ticketing::{TicketingAnswer, TicketingOperation};
use patchbay_model::credential::CredentialKind;
use url::Url;

use crate::step::{AdapterContext, Identity, Step};

/// What an adapter does. Operations arrive only when the manifest offers them and their filters have been checked against it.
pub(crate) trait Adapter: Sync {
    /// Finds the API, given the configured address.
    fn locate(&self, configured: Url, _credential: Option<CredentialKind>) -> Result<Step<Option<Url>>, Problem> {
        Ok(Step::Done(Some(configured)))
    }

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
        return Err(Problem::new(patchbay_model::Code::NotFound, "An id in the request is empty or a dot. Check the id."));
    }
    url.path_segments_mut().map_err(|()| Problem::internal("the provider's address has no path"))?.pop_if_empty().extend(segments);
    Ok(url)
}
