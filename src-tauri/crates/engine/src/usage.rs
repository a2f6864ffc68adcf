//! Counters of calls, gathered in memory and written in batches: a call never waits for the disk. A kill may lose what was
//! not written yet, at most half a minute, and nothing else (product.md section 4).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use patchbay_model::{AccountId, IntegrationId, OrganizationId, Problem, Timestamp, TokenId};

use crate::Engine;

/// What one connector call used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct CallUse {
    /// Whether it ended in a problem.
    pub(crate) failed: bool,
    /// Bytes from the provider.
    pub(crate) in_bytes: u64,
    /// Bytes to the provider.
    pub(crate) out_bytes: u64,
}

/// What is not written yet, per integration.
#[derive(Default)]
pub(crate) struct Usage {
    pending: Mutex<HashMap<IntegrationId, Pending>>,
}

struct Pending {
    organization: OrganizationId,
    account: AccountId,
    requests: u64,
    failed: u64,
    in_bytes: u64,
    out_bytes: u64,
    last_used_at: Timestamp,
    last_connected_at: Option<Timestamp>,
}

/// When tokens were last shown, as far as it is not written yet.
#[derive(Default)]
pub(crate) struct TokenUses(Mutex<HashMap<TokenId, Timestamp>>);

impl Usage {
    fn take(&self) -> HashMap<IntegrationId, Pending> {
        std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Engine {
    /// Notes that a container's secret was shown and taken.
    pub(crate) fn note_token(&self, token: TokenId) {
        self.token_uses().0.lock().unwrap_or_else(PoisonError::into_inner).insert(token, self.now());
    }

    /// Counts a connector call.
    pub(crate) fn note_use(&self, organization: OrganizationId, account: AccountId, integration: IntegrationId, used: CallUse) {
        let now = self.now();
        let mut pending = self.usage().pending.lock().unwrap_or_else(PoisonError::into_inner);
        let entry =
            pending.entry(integration).or_insert(Pending { organization, account, requests: 0, failed: 0, in_bytes: 0, out_bytes: 0, last_used_at: now, last_connected_at: None });
        entry.requests += 1;
        entry.failed += u64::from(used.failed);
        entry.in_bytes += used.in_bytes;
        entry.out_bytes += used.out_bytes;
        entry.last_used_at = now;
        if !used.failed {
            entry.last_connected_at = Some(now);
        }
    }
}

/// Writes what is pending. What cannot be written is lost, since counting must never hold up a call.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn flush(engine: &Engine) -> Result<(), Problem> {
    if engine.read_only() {
        return Ok(());
    }
    let tokens: Vec<(TokenId, Timestamp)> = std::mem::take(&mut *engine.token_uses().0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect();
    engine.store().flush_token_uses(&tokens).await?;
    let batch: Vec<_> = engine
        .usage()
        .take()
        .into_iter()
        .map(|(integration_id, pending)| patchbay_store::Usage {
            organization_id: pending.organization,
            account_id: pending.account,
            integration_id,
            last_used_at: pending.last_used_at,
            last_connected_at: pending.last_connected_at,
            requests: pending.requests,
            failed: pending.failed,
            in_bytes: pending.in_bytes,
            out_bytes: pending.out_bytes,
        })
        .collect();
    Ok(engine.store().flush_usage(&batch).await?)
}
