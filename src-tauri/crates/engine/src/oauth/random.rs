//! States, verifiers and tickets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use patchbay_model::{Entropy, Secret};

/// 256 random bits in 43 characters, all of which RFC 7636 section 4.1 allows.
pub(crate) fn random(entropy: &dyn Entropy) -> Secret {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}
