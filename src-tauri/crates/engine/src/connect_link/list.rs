//! Lists connect links.

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::public_link::{PublicLink, PublicLinkPurpose};
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Lists the connect links within reach, dead ones too until they are removed a month after their end.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<PublicLink>, Problem> {
    Ok(reach::paging(engine, grant, Operation::ConnectLinksList, &query).await?.public_links(PublicLinkPurpose::Connect, &query).await?)
}
