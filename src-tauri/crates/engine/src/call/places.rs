//! Where providers' APIs were found, for those that have to be asked. In memory alone: what a consent found lies with its
//! credential, and asking again costs one request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use patchbay_model::credential::Credential;
use patchbay_model::{CredentialId, Timestamp};
use patchbay_providers::Located;
use serde_json::{Map, Value};

/// How long an answer is believed.
const FRESH: Duration = Duration::from_secs(3600);
/// How many are remembered.
const REMEMBERED: usize = 4096;

/// Places by credential.
#[derive(Default)]
pub(crate) struct Places {
    kept: Mutex<HashMap<CredentialId, Place>>,
}

struct Place {
    /// The secret with which it was found.
    secret_set_at: Option<Timestamp>,
    /// The configuration for which it was found.
    settings: Map<String, Value>,
    located: Located,
    at: Instant,
}

impl Places {
    pub(super) fn find(&self, credential: &Credential, settings: &Map<String, Value>) -> Option<Located> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.get(&credential.id)?;
        let fits = place.secret_set_at == credential.secret_set_at && place.settings == *settings && place.at.elapsed() < FRESH;
        fits.then(|| place.located.clone())
    }

    pub(super) fn keep(&self, credential: &Credential, settings: Map<String, Value>, located: Located) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= REMEMBERED {
            kept.clear();
        }
        kept.insert(credential.id, Place { secret_set_at: credential.secret_set_at, settings, located, at: Instant::now() });
    }
}
