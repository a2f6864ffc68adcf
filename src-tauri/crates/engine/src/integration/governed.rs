//! Governance: what the integration point says of a provider in an account.

use patchbay_model::account::Account;
use patchbay_model::point::IntegrationPoint;
use patchbay_model::{Code, Problem};
use patchbay_providers::Provider;
use patchbay_store::ReadTx;

use crate::reach;

/// The point of this id or name, when it allows the provider in the account's environment. Without a point nothing governs.
///
/// # Errors
/// `provider_not_allowed` naming point and environment; `invalid_field` for a point that is not there or governs another
/// connector.
pub(super) async fn point(tx: &mut ReadTx, account: &Account, provider: &Provider, reference: Option<&str>) -> Result<Option<IntegrationPoint>, Problem> {
    const AT: &str = "/integration_point_id";
    let Some(reference) = reference.filter(|reference| !reference.is_empty()) else { return Ok(None) };
    let point = reach::point(tx, reference).await.map_err(|problem| match problem.code {
        Code::NotFound => Problem::field(AT, format!("There is no integration point `{}` here. Check its id or name.", reference.chars().take(200).collect::<String>())),
        _ => problem,
    })?;
    if point.connector != provider.connector() {
        return Err(Problem::field(
            AT,
            format!(
                "Integration point `{}` governs the connector `{}`, and {} belongs to `{}`. Choose another point or provider.",
                point.name,
                point.connector.as_str(),
                provider.id(),
                provider.connector().as_str()
            ),
        ));
    }
    if !point.allows(account.environment, provider.id()) {
        return Err(Problem::new(
            Code::ProviderNotAllowed,
            format!(
                "Integration point `{}` does not allow {} for `{}` accounts such as `{}`. Allow the provider in the point's `{}` environment, or choose another.",
                point.name,
                provider.id(),
                account.environment.as_str(),
                account.name,
                account.environment.as_str()
            ),
        )
        .at_body("/provider_config/type")
        .with_resource("integration_point", point.id, "cause")
        .with_resource("account", account.id, "affected"));
    }
    Ok(Some(point))
}
