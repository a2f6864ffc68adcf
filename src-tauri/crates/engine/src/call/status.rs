//! What a call tells about the state of an integration.

use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus};
use patchbay_model::{Origin, Problem, Scope};

use super::drive::DriveState;
use crate::Engine;
use crate::contention::again;

/// Statuses out of which a call may move an integration; an administrator's pause and a revocation stay. The store looks at
/// the word alone, so one cause stands for all.
pub(crate) const LIVE: [IntegrationStatus; 2] = [IntegrationStatus::Active, IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused }];

/// The status of an integration that goes on without a token that no call carries. Only a new consent mends that.
pub(crate) const TOKEN_LOST: IntegrationStatus = IntegrationStatus::NeedsAttention { cause: AttentionCause::TokenLost };

/// What a call makes of the status: the new one, where it is another.
pub(crate) fn after_call(before: IntegrationStatus, state: &DriveState, succeeded: bool) -> Option<IntegrationStatus> {
    let attention = |cause| Some(IntegrationStatus::NeedsAttention { cause });
    let after = if state.refused {
        attention(AttentionCause::CredentialRefused)
    } else if state.unreachable {
        attention(AttentionCause::ProviderUnreachable)
    } else if succeeded
        || (state.accepted
            && matches!(
                before,
                IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused | AttentionCause::ClientRefused | AttentionCause::ProviderUnreachable }
            ))
    {
        Some(IntegrationStatus::Active)
    } else {
        None
    };
    after.filter(|after| *after != before && (before != TOKEN_LOST || *after != IntegrationStatus::Active))
}

/// Writes a changed status down; nothing is written where nothing changed.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn write(engine: &Engine, scope: Scope, integration: &Integration, to: IntegrationStatus) -> Result<(), Problem> {
    let connected = to == IntegrationStatus::Active;
    again!(engine, {
        let mut tx = engine.store().write(scope, Origin::Background).await?;
        tx.set_integration_status(integration.id, &LIVE, to, engine.now(), connected).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_move_the_status_and_mend_it() {
        let (active, refused, unreachable) = (
            IntegrationStatus::Active,
            IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused },
            IntegrationStatus::NeedsAttention { cause: AttentionCause::ProviderUnreachable },
        );
        let state = |set: fn(&mut DriveState)| {
            let mut state = DriveState::begin();
            set(&mut state);
            state
        };
        assert_eq!(after_call(active, &state(|state| state.refused = true), false), Some(refused));
        assert_eq!(after_call(refused, &state(|state| state.refused = true), false), None, "nothing to write");
        assert_eq!(after_call(active, &state(|state| state.unreachable = true), false), Some(unreachable));
        assert_eq!(after_call(active, &state(|state| state.accepted = true), true), None);
        assert_eq!(after_call(refused, &state(|state| state.accepted = true), true), Some(active));
        assert_eq!(after_call(refused, &state(|state| state.accepted = true), false), Some(active), "a ticket not found was looked for with a good credential");
        assert_eq!(after_call(TOKEN_LOST, &state(|state| state.accepted = true), true), None, "what works is not what was lost");
        assert_eq!(after_call(TOKEN_LOST, &state(|state| state.refused = true), false), Some(refused), "now nothing works");
        assert_eq!(after_call(active, &state(|state| state.timed_out = true), false), None, "one slow answer is no trouble of the connection");
    }
}
