//! How a server leaves without a failed request.
//!
//! First it only says so: `/readyz` answers 503 and every answer closes its connection, while new connections are still taken,
//! until those who send requests have noticed. Then nothing new is taken, and what is running finishes. Whoever asks to end
//! does not wait for longer than that, and can cut it short.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// How long running requests may take once the server ends: as long as a whole call of a connector may.
pub(crate) const FAREWELL: Duration = Duration::from_secs(65);
/// How long connections without a request in them are kept at the very end: one may just be on its way.
const QUIET: Duration = Duration::from_millis(500);
/// How often it is looked whether the last request has been answered.
const LOOK: Duration = Duration::from_millis(20);

/// Requests that are being answered.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<AtomicUsize>);

impl Running {
    /// Counts a request until the turn is dropped.
    pub(crate) fn begin(&self) -> Turn {
        self.0.fetch_add(1, Ordering::SeqCst);
        Turn(Arc::clone(&self.0))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Returns when there has been none for a moment.
    pub(crate) async fn quiet(&self) {
        loop {
            while self.count() > 0 {
                tokio::time::sleep(LOOK).await;
            }
            tokio::time::sleep(QUIET).await;
            if self.count() == 0 {
                return;
            }
        }
    }
}

/// A request that is being answered.
pub(crate) struct Turn(Arc<AtomicUsize>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A body that counts as running until its last byte was handed on.
pub(crate) struct Counted {
    body: Body,
    _turn: Turn,
}

impl Counted {
    pub(crate) fn new(body: Body, turn: Turn) -> Self {
        Self { body, _turn: turn }
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
