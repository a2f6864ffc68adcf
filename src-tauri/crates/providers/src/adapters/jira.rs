//! Jira Cloud over its platform REST API version 3.

use patchbay_model::Problem;

use super::{Adapter, endpoint};
use crate::exchange::{Method, ProviderRequest};
use crate::reading::{json, text};
use crate::refusal::refused;
use crate::step::{AdapterContext, Identity, Step};

const NAME: &str = "Jira";

/// The adapter of `ticketing_jira`.
pub(crate) struct Jira;

impl Adapter for Jira {
    fn probe(&self, context: &AdapterContext) -> Result<Step<Identity>, Problem> {
        let url = endpoint(context, &["rest", "api", "3", "myself"])?;
        Ok(Step::send(ProviderRequest::new(Method::Get, url), |response| {
            if !response.ok() {
                return Err(refused(NAME, &response, "own user", ""));
            }
            let user = json(NAME, &response)?;
            Ok(Step::Done(Identity { id: text(&user, "accountId"), name: text(&user, "displayName") }))
        }))
    }
}
