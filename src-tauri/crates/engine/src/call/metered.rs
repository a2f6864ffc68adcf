//! How long the task of a call really worked, waiting left out.

use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

/// Runs `work` and measures the time in which it ran: each turn that its task got, not what lies between them. Work that it
/// hands to other threads (the database's, the resolver's) is not its own.
pub(super) async fn metered<F: Future>(work: F) -> (F::Output, Duration) {
    let mut worked = Duration::ZERO;
    let mut work = pin!(work);
    let output = std::future::poll_fn(|context| {
        let began = Instant::now();
        let turn = Pin::as_mut(&mut work).poll(context);
        worked += began.elapsed();
        turn
    })
    .await;
    (output, worked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_is_not_work() {
        let (answer, worked) = metered(async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            (0..100_000_u64).map(std::hint::black_box).sum::<u64>()
        })
        .await;
        assert_eq!(answer, 4_999_950_000);
        assert!(worked > Duration::ZERO && worked < Duration::from_millis(150), "{worked:?}");
    }
}
