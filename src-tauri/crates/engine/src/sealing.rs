//! Which place a sealed value belongs to. Sealing and opening use the same functions, so that the two cannot drift apart.
//!
//! The plain text of a credential is a JSON object of its secret fields as on the wire (`{"secret": "..."}`); the fields
//! that are no secret lie in `public_config`. Of an `o_auth_user` it is the set of tokens.

use patchbay_model::consent::{ConnectLeg, ConnectSession};
use patchbay_model::revocation::Revocation;
use patchbay_model::{AccountId, IntegrationId, OrganizationId, SharedCredentialId};
use patchbay_vault::Aad;

/// `integration_instances.credentials` of one integration.
pub(crate) fn integration_place(organization: OrganizationId, account: AccountId, integration: IntegrationId) -> Aad<'static> {
    Aad::new(organization, Some(account), "integration_instances", integration.uuid())
}

/// `shared_credentials.credentials`; `account` is none for what belongs to a point or to the organization.
pub(crate) fn shared_place(organization: OrganizationId, account: Option<AccountId>, shared: SharedCredentialId) -> Aad<'static> {
    Aad::new(organization, account, "shared_credentials", shared.uuid())
}

/// `connect_sessions.verifier` of one consent.
pub(crate) fn verifier_place(session: &ConnectSession) -> Aad<'static> {
    Aad::new(session.organization_id, Some(session.account_id), "connect_sessions", session.id.uuid())
}

/// `connect_legs.secrets` of one leg.
pub(crate) fn leg_place(leg: &ConnectLeg) -> Aad<'static> {
    Aad::new(leg.organization_id, Some(leg.account_id), "connect_legs", leg.id.uuid())
}

/// `revocations.tokens` of one revocation.
pub(crate) fn revocation_place(revocation: &Revocation) -> Aad<'static> {
    Aad::new(revocation.organization_id, Some(revocation.account_id), "revocations", revocation.id.uuid())
}
