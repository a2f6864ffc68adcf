//! Changes an account.

use patchbay_model::account::Account;
use patchbay_model::{Code, Fullname, Name, Operation, Problem};
use patchbay_store::ReadTx;

use super::UpdateAccount;
use super::create::{external_id, labels};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Changes an account.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`, `update_conflict`; `provider_not_allowed` when another
/// environment would break the governance of its integrations; problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, account: &str, change: UpdateAccount) -> Result<Account, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let before = reach::account(&mut tx, grant, account).await?;
    grant.require(Operation::AccountsUpdate, Some(&before))?;
    reach::unchanged(change.expected, before.updated_at, "account", before.id)?;
    let mut after = before.clone();
    if let Some(name) = change.name.filter(|name| *name != before.name.as_str()) {
        after.name = Name::parse(&name)?;
    }
    if let Some(fullname) = change.fullname {
        after.fullname = Fullname::parse(&fullname)?;
    }
    if let Some(text) = change.external_id {
        after.external_id = external_id(text)?;
    }
    after.environment = change.environment.unwrap_or(before.environment);
    after.labels = labels(&change.labels)?;
    after.updated_at = engine.now();
    // Neither may it be moved out of the caller's own reach.
    grant.require_new(Operation::AccountsUpdate, &after)?;
    if after.environment != before.environment {
        still_governed(&mut tx, &after).await?;
    }
    tx.update_account(&after).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::AccountsUpdate).in_account(after.id).before(&before).after(&after).giving(after.id, after.name.as_str())).await?;
    tx.commit().await?;
    Ok(after)
}

/// In its new environment every integration of the account must still be allowed by its point.
async fn still_governed(tx: &mut ReadTx, account: &Account) -> Result<(), Problem> {
    let integrations = reach::all_integrations(tx, account.id).await?;
    for integration in integrations {
        let Some(point) = integration.integration_point_id else { continue };
        let Some(point) = tx.point(point).await? else { continue };
        if !point.allows(account.environment, &integration.provider) {
            return Err(Problem::new(
                Code::ProviderNotAllowed,
                format!(
                    "The account cannot become `{}`: its integration `{}` uses {}, which the integration point `{}` does not allow there. Allow it in the point, or delete the integration.",
                    account.environment.as_str(),
                    integration.name,
                    integration.provider,
                    point.name
                ),
            )
            .at_body("/environment")
            .with_resource("integration", integration.id, "cause")
            .with_resource("integration_point", point.id, "cause"));
        }
    }
    Ok(())
}
