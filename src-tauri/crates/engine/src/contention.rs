//! Running again what another transaction came between.
//!
//! On PostgreSQL every write is serializable: of two transactions that cannot both have come first, one fails with nothing
//! changed, and the problem says so by [`Problem::contended`]. A problem that still says so when it leaves a verb is a promise:
//! nothing was stored, nothing was sent, and the whole verb may be run again. What a verb stores after it has asked somebody
//! outside, or after an earlier transaction of its own, it runs again by itself; given up, such a problem says so no more.

use std::time::Duration;

use patchbay_model::{Context, Problem};

/// How often something is tried.
const ATTEMPTS: u32 = 8;
/// The pause before the second attempt; each later one is twice as long, and each is drawn between half and all of it.
const FIRST_PAUSE: Duration = Duration::from_millis(8);

/// The attempts at one piece of work: `loop { match work().await { Err(problem) => turns.again(problem).await?, done => return done } }`.
pub struct Turns<'a> {
    context: &'a Context,
    taken: u32,
}

impl<'a> Turns<'a> {
    /// None taken yet.
    pub fn new(context: &'a Context) -> Self {
        Self { context, taken: 0 }
    }

    /// Waits a moment, where the failure was that another transaction came between and the work was not tried too often.
    ///
    /// # Errors
    /// The problem itself otherwise.
    pub async fn again(&mut self, problem: impl Into<Problem>) -> Result<(), Problem> {
        let problem = problem.into();
        self.taken += 1;
        if !problem.contended || self.taken >= ATTEMPTS {
            return Err(Problem { contended: false, ..problem });
        }
        let pause = pause(self.taken, self.context);
        tracing::debug!(attempt = self.taken, ?pause, "another transaction came between; once more");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Runs a block that gives a result, and again as long as another transaction comes between and it was not tried too often. It
/// must begin its own transaction; everything in it happens as often as it is run.
macro_rules! again {
    ($engine:expr, $work:block) => {{
        let mut turns = $crate::contention::Turns::new($engine.context());
        loop {
            let outcome: Result<_, patchbay_model::Problem> = async { $work }.await;
            match outcome {
                Err(problem) => turns.again(problem).await?,
                Ok(done) => break done,
            }
        }
    }};
}

pub(crate) use again;

fn pause(taken: u32, context: &Context) -> Duration {
    let longest = FIRST_PAUSE * (1 << taken.saturating_sub(1).min(ATTEMPTS));
    let mut chance = [0; 2];
    context.entropy().fill(&mut chance);
    longest / 2 + longest / 2 * u32::from(u16::from_le_bytes(chance)) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use patchbay_model::Code;
    use patchbay_vault::system_context;

    use super::*;

    fn contended() -> Problem {
        Problem { contended: true, ..Problem::new(Code::StoreBusy, "Another change came between.") }
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        let context = system_context();
        for taken in 1..ATTEMPTS {
            let longest = FIRST_PAUSE * (1 << (taken - 1));
            let drawn = pause(taken, &context);
            assert!(drawn >= longest / 2 && drawn <= longest, "{taken}: {drawn:?}");
        }
        assert!((1..ATTEMPTS).map(|taken| FIRST_PAUSE * (1 << (taken - 1))).sum::<Duration>() < Duration::from_secs(2), "whoever waits is told in time");
    }

    #[tokio::test]
    async fn work_is_tried_so_often_and_then_given_up_for_good() {
        let context = system_context();
        let mut turns = Turns::new(&context);
        turns.again(contended()).await.unwrap();
        turns.taken = ATTEMPTS - 1;
        let given_up = turns.again(contended()).await.unwrap_err();
        assert!(!given_up.contended, "whoever is outside must not run it again: it may not be the first that was stored");
        let other = Problem::new(Code::NameTaken, "The name is used already.");
        assert_eq!(Turns::new(&context).again(other.clone()).await.unwrap_err(), other, "any other problem is told at once");
    }
}
