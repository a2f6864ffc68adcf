//! Connect links: an address by which a customer's person connects a provider without being signed in. What is done by a
//! link is done in the name of the member who made it, in its account and category alone, and only as long as that member
//! may do so itself.

pub(crate) mod act;
mod create;
mod list;
mod open;
mod revoke;
mod role;

use patchbay_model::public_link::PublicLink;
use patchbay_model::{Problem, Secret};

pub(crate) use act::bind;
pub use act::{LinkOutcome, begin, connect};
pub use create::create;
pub use list::list;
pub(crate) use open::behind;
pub use open::{LinkOffer, OpenLink, browser_secret, form_proves, form_token, open};
pub use revoke::revoke;
pub use role::{RoleToMake, role};

/// A new connect link. Exactly one of integration, point and provider says what it connects.
#[derive(Clone, Debug, Default)]
pub struct CreateConnectLink {
    /// Id or name of the account.
    pub account: String,
    /// Id or name of an integration that is to be connected, or connected anew.
    pub integration: Option<String>,
    /// Id or name of a point, of whose providers the person chooses one.
    pub integration_point: Option<String>,
    /// A provider, of which an integration is made that no point governs.
    pub provider: Option<String>,
    /// Id or name of the end user whom the link is for.
    pub end_user: Option<String>,
    /// How long it works, such as `168h`; seven days where missing, thirty at most.
    pub ttl: Option<String>,
    /// How many connections can be made with it; one where missing.
    pub uses: Option<u32>,
    /// Where its last page leads back to.
    pub return_url: Option<String>,
}

/// A link just made.
#[derive(Clone)]
pub struct MadeLink {
    /// The link.
    pub link: PublicLink,
    /// What stands in its address; shown once.
    pub secret: Secret,
}

/// The one answer to a link that does not work: which of the reasons it is, is not told.
pub(crate) fn dead() -> Problem {
    Problem::new(
        patchbay_model::Code::LinkInvalid,
        "This link does not work. It may have been used already, be too old, or have been taken back. Ask whoever sent it for a new one.",
    )
}
