//! Opening and sealing of credentials, at the place where their metadata says they lie.

use patchbay_model::credential::{Credential, Envelope, SealedAt};
use patchbay_model::{Problem, Secret};
use patchbay_store::{ReadTx, WriteTx};
use patchbay_vault::Aad;

use crate::{Engine, sealing};

/// The plain text of a credential's sealed value.
///
/// # Errors
/// `seal_broken`.
pub(crate) async fn open(engine: &Engine, credential: &Credential, envelope: &Envelope) -> Result<Secret, Problem> {
    engine.open_sealed(&place(credential)?, envelope).await
}

/// The same within a transaction.
///
/// # Errors
/// `seal_broken`.
pub(crate) async fn open_in(engine: &Engine, tx: &mut ReadTx, credential: &Credential, envelope: &Envelope) -> Result<Secret, Problem> {
    engine.open_sealed_in(tx, &place(credential)?, envelope).await
}

/// A sealed value for the place where the credential lies.
///
/// # Errors
/// `internal` when it lies nowhere.
pub(crate) async fn seal(engine: &Engine, tx: &mut WriteTx, credential: &Credential, plain: &Secret) -> Result<Envelope, Problem> {
    engine.seal(tx, &place(credential)?, plain).await
}

fn place(credential: &Credential) -> Result<Aad<'static>, Problem> {
    match (credential.sealed_at, credential.owner.account()) {
        (SealedAt::Integration(integration), Some(account)) => Ok(sealing::integration_place(credential.organization_id, account, integration)),
        (SealedAt::Shared(shared), account) => Ok(sealing::shared_place(credential.organization_id, account, shared)),
        (SealedAt::Integration(_) | SealedAt::Nowhere, _) => Err(Problem::internal("a credential has no sealed value")),
    }
}
