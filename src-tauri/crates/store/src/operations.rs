//! Counting the transactions that a piece of work begins, for the telemetry of calls.

use std::cell::Cell;

tokio::task_local! {
    static BEGUN: Cell<u64>;
}

/// Runs `work` and counts the transactions that it begins in its own task. What it spawns is not counted.
pub async fn count_operations<F: Future>(work: F) -> (F::Output, u64) {
    BEGUN
        .scope(Cell::new(0), async move {
            let output = work.await;
            (output, BEGUN.with(Cell::get))
        })
        .await
}

/// Notes that a transaction begins, where somebody counts.
pub(crate) fn begun() {
    // Nobody counting is no error.
    let _ = BEGUN.try_with(|number| number.set(number.get() + 1));
}
