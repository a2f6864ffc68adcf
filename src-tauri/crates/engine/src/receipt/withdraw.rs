//! A person takes back what it had agreed to.

use patchbay_model::end_user::Withdrawal;
use patchbay_model::revocation::RevocationReason;
use patchbay_model::{Problem, Scope};

use super::OpenReceipt;
use crate::audit::record::record_for;
use crate::contention::again;
use crate::integration::disconnect::{noted, take_back};
use crate::{CallerInfo, Engine};

/// Takes a consent back in the person's own name: the integration is disconnected, and the provider is asked to end the access. Of one that
/// has ended nothing changes.
///
/// # Errors
/// `store_busy` while the access is being renewed; problems of the store.
pub async fn withdraw(engine: &Engine, open: &OpenReceipt, caller: &CallerInfo) -> Result<(), Problem> {
    let receipt = &open.receipt;
    again!(engine, {
        let mut tx = engine.store().write_secrets(Scope::Account(receipt.organization_id, receipt.account_id), caller.origin).await?;
        let live = tx.receipt(receipt.id).await?.is_some_and(|receipt| receipt.ended_at.is_none());
        let (Some(before), Some(account), true) = (tx.integration(receipt.integration_id).await?, tx.account(receipt.account_id).await?, live) else { return Ok(()) };
        let done = take_back(engine, &mut tx, &before, RevocationReason::Withdrawn, Some(Withdrawal::Person)).await?;
        record_for(engine, &mut tx, receipt.organization_id, None, caller, noted(&account, &before, &done)).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}
