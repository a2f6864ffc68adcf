//! Redmine 5 over its REST API (https://www.redmine.org/projects/redmine/wiki/Rest_api).

use patchbay_model::Problem;

use super::{Adapter, endpoint};
use crate::exchange::{Method, ProviderRequest};
use crate::reading::{invalid, json, text};
use crate::refusal::refused;
use crate::step::{AdapterContext, Identity, Step};

const NAME: &str = "Redmine";

/// The adapter of `ticketing_redmine`.
pub(crate) struct Redmine;

impl Adapter for Redmine {
    fn probe(&self, context: &AdapterContext) -> Result<Step<Identity>, Problem> {
        let url = endpoint(context, &["users", "current.json"])?;
        Ok(Step::send(ProviderRequest::new(Method::Get, url), |response| {
            if !response.ok() {
                return Err(refused(NAME, &response, "current user", ""));
            }
            let answer = json(NAME, &response)?;
            let user = answer.get("user").filter(|user| user.is_object()).ok_or_else(|| invalid(NAME, "has no user"))?;
            Ok(Step::Done(Identity { id: text(user, "id"), name: text(user, "login") }))
        }))
    }
}
