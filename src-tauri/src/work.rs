//! Long work on the open store that a window follows: looking through it, copying it. One piece at a time; what came of it is
//! kept until the next.

use std::sync::{Arc, Mutex, PoisonError};

use patchbay_api::wire;
use patchbay_api::wire::host::{StoreWork, WorkKind, WorkOutcome, WorkStep};
use patchbay_engine::moving::Step;
use patchbay_model::{Code, Problem, Timestamp};

/// A piece of work, and the store that it is about.
struct Piece {
    /// Rises with each piece, so that one that was given up does not write into the next.
    number: u64,
    store: String,
    work: StoreWork,
}

/// The board on which the present piece of work stands. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Work {
    piece: Arc<Mutex<Option<Piece>>>,
}

/// The hand that does one piece.
pub(crate) struct Hand {
    work: Work,
    number: u64,
}

impl Work {
    /// The piece about this store, under way or ended.
    pub(crate) fn of(&self, store: &str) -> Option<StoreWork> {
        self.with(|piece| piece.as_ref().filter(|piece| piece.store == store).map(|piece| piece.work.clone()))
    }

    /// Puts a new piece on the board.
    ///
    /// # Errors
    /// `store_busy` while another one is under way.
    pub(crate) fn begin(&self, store: &str, kind: WorkKind, to: Option<String>, begun_at: Timestamp) -> Result<(Hand, StoreWork), Problem> {
        self.with(|piece| {
            let before = piece.as_ref().map_or(0, |piece| piece.number);
            if let Some(Piece { work: StoreWork { ended_at: None, kind, .. }, store, .. }) = piece {
                let doing = match kind {
                    WorkKind::Verify => "looked through",
                    WorkKind::Copy => "copied",
                };
                return Err(Problem::new(Code::StoreBusy, format!("The store {store} is being {doing} just now. Wait until that has ended.")));
            }
            let work = StoreWork { kind, to, begun_at, step: None, ended_at: None, outcome: None };
            *piece = Some(Piece { number: before + 1, store: store.to_owned(), work: work.clone() });
            Ok((Hand { work: self.clone(), number: before + 1 }, work))
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Option<Piece>) -> T) -> T {
        change(&mut self.piece.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Hand {
    /// Tells how far it has come.
    pub(crate) fn step(&self, step: Step) {
        self.change(|work| work.step = Some(WorkStep { doing: step.doing.to_owned(), table: step.table.to_owned(), rows: step.rows, of: step.of }));
    }

    /// Tells what came of it.
    pub(crate) fn end(self, at: Timestamp, outcome: Result<WorkOutcome, wire::problem::Problem>) {
        self.change(|work| {
            work.ended_at = Some(at);
            work.outcome = Some(outcome.unwrap_or_else(|problem| WorkOutcome::Failed { problem: Box::new(problem) }));
        });
    }

    fn change(&self, change: impl FnOnce(&mut StoreWork)) {
        self.work.with(|piece| {
            if let Some(piece) = piece.as_mut().filter(|piece| piece.number == self.number && piece.work.ended_at.is_none()) {
                change(&mut piece.work);
            }
        });
    }
}

/// A hand that lets go without a word has failed: its task was ended.
impl Drop for Hand {
    fn drop(&mut self) {
        self.change(|work| work.ended_at = Some(work.begun_at));
    }
}

#[cfg(test)]
mod tests {
    use patchbay_vault::system_context;

    use super::*;

    fn verified() -> WorkOutcome {
        WorkOutcome::Verified { findings: Vec::new(), rows: 3, sealed_values: 1 }
    }

    #[test]
    fn one_piece_is_done_at_a_time_and_is_told_of_its_own_store() {
        let (work, now) = (Work::default(), system_context().now());
        assert!(work.of("a").is_none());
        let (hand, _) = work.begin("a", WorkKind::Verify, None, now).unwrap();
        assert_eq!(work.begin("b", WorkKind::Copy, None, now).err().unwrap().code, Code::StoreBusy);
        hand.step(Step { doing: "Looking through", table: "accounts", rows: 2, of: 3 });
        assert_eq!(work.of("a").unwrap().step.unwrap().rows, 2);
        assert!(work.of("b").is_none(), "what is found in one store is not shown in another");
        hand.end(now, Ok(verified()));
        assert!(matches!(work.of("a").unwrap().outcome, Some(WorkOutcome::Verified { rows: 3, .. })), "it stays until the next");
        assert!(work.begin("b", WorkKind::Copy, None, now).is_ok());
    }

    #[test]
    fn a_task_that_was_ended_blocks_nothing() {
        let (work, now) = (Work::default(), system_context().now());
        drop(work.begin("a", WorkKind::Verify, None, now).unwrap());
        let stopped = work.of("a").unwrap();
        assert!(stopped.ended_at.is_some() && stopped.outcome.is_none());
        assert!(work.begin("a", WorkKind::Verify, None, now).is_ok());
    }
}
