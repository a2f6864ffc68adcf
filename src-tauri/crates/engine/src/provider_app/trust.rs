//! What a customer puts into the trust policy of a role, so that the organization's principal may assume it and nobody else.

use patchbay_model::{Operation, Problem, Scope};
use patchbay_providers::manifest::Auth;
use patchbay_providers::{CredentialOption, Provider, sample_config_of};
use serde_json::{Map, Value, json};

use crate::auth::identify;
use crate::{Engine, ManagementGrant, reach};

/// What to paste at AWS, and what to enter here.
#[derive(Clone, PartialEq, Debug)]
pub struct Trust {
    /// The ARN of the organization's principal.
    pub principal: String,
    /// A new external id, for one role of one customer.
    pub external_id: String,
    /// The trust policy of the role, as JSON.
    pub policy: String,
}

/// Proposes an external id and the trust policy that goes with it, for a provider at which roles are assumed. Nothing is stored.
///
/// # Errors
/// `permission_denied`, `invalid_field`; `provider_app_missing` while the organization has no principal; why AWS does not say who it is.
pub async fn trust(engine: &Engine, grant: &ManagementGrant, provider: &str, settings: Map<String, Value>) -> Result<Trust, Problem> {
    grant.require(Operation::ProviderAppsTrust, None)?;
    let unfit = || {
        let shown: String = provider.chars().take(80).collect();
        Problem::field("/provider", format!("`{shown}` is not a provider at which roles are assumed. Take one whose credentials include `aws_role`."))
    };
    let catalog = engine.catalog_of(&mut reach::reading(engine, grant).await?).await?;
    let known = catalog.find(provider).cloned().ok_or_else(unfit)?;
    let way = known.manifest().credential.iter().find(|way| matches!(way.auth, Auth::AwsRole { .. })).ok_or_else(unfit)?;
    proposal(engine, grant.scope(), &known, way, settings, external_id(engine)).await
}

/// The trust policy for the organization's principal with this external id.
///
/// # Errors
/// `provider_app_missing` while the organization has no principal; why AWS does not say who it is.
pub(crate) async fn proposal(
    engine: &Engine,
    scope: Scope,
    provider: &Provider,
    way: &CredentialOption,
    settings: Map<String, Value>,
    external_id: String,
) -> Result<Trust, Problem> {
    // Region and partition are all that is needed; what is not given is as in the examples.
    let mut config = sample_config_of(provider.manifest(), way);
    config.extend(settings.into_iter().filter(|(_, value)| !value.is_null() && value.as_str() != Some("")));
    let principal = identify(engine, scope, provider, way, &config).await?;
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": principal },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": external_id } },
        }],
    });
    let policy = serde_json::to_string_pretty(&policy).map_err(|_| Problem::internal("a policy could not be written"))?;
    Ok(Trust { principal, external_id, policy })
}

/// Not to be guessed, though it is no secret: whoever knows it must still be the principal.
fn external_id(engine: &Engine) -> String {
    let mut random = [0; 16];
    engine.context().entropy().fill(&mut random);
    format!("patchbay-{}", uuid::Uuid::from_bytes(random).simple())
}
