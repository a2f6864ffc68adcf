//! The operating system's clock and randomness: the only place that reads them.

use std::sync::Arc;

use patchbay_model::{Clock, Context, Entropy, Timestamp};

/// The operating system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that the rule sends everybody to")]
        let now = chrono::Utc::now();
        Timestamp::from(now)
    }
}

/// The operating system's CSPRNG.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is the randomness that the rule sends everybody to")]
        let filled = getrandom::fill(bytes);
        if let Err(error) = filled {
            // Going on would make keys that can be guessed, and unwinding could be caught. Nothing good can follow.
            tracing::error!(%error, "the operating system gives no randomness; Patchbay ends here");
            std::process::abort();
        }
    }
}

/// The context of a running program: real clock, real randomness.
pub fn system_context() -> Context {
    Context::new(Arc::new(SystemClock), Arc::new(OsEntropy))
}
