//! Whether a token is sent again after a request whose outcome nobody knows. There is no third way: what had rotated is lost
//! already, and what had not is recovered by sending it once more.

use std::time::Duration;

use patchbay_model::refresh::RefreshReason;

/// What the provider does with a refresh token that was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rotation {
    /// It stays good.
    Stays,
    /// It is replaced, and bears being sent again for a while.
    Grace(Duration),
    /// It is replaced; sent again, it ends whatever came of it. Also where nobody knows.
    Ends,
}

/// A request whose outcome is not known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) rotation: Rotation,
    pub(super) reason: RefreshReason,
    /// Whether the access token in force still works.
    pub(super) usable: bool,
    /// Since the first request with this token.
    pub(super) since_first: Duration,
    /// Since the last one.
    pub(super) since_last: Duration,
    /// How many there were.
    pub(super) sends: u32,
    /// What the provider says of the token when it is asked.
    pub(super) said: Said,
}

/// What a provider says of a refresh token, where it can be asked without using it up (RFC 7662).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// It cannot be asked, or did not say it.
    Nothing,
    /// It was not asked yet.
    NotAsked,
    /// The token is alive: the request did not arrive, or changed nothing.
    Alive,
    /// The token is dead: it was replaced, and what came in its place is lost.
    Dead,
}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Send nothing while the access token works.
    UseUp,
    /// Send it again.
    Send,
    /// Send it again, but later.
    Wait(Duration),
    /// Ask the provider whether it is alive.
    Ask,
    /// It is dead: a person must connect again.
    GiveUp,
}

/// The pause before each further request.
const PAUSES: [Duration; 4] = [Duration::ZERO, Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];

/// Judges.
pub(super) fn judge(case: Case) -> Verdict {
    match case.rotation {
        Rotation::Stays => return Verdict::Send,
        // Used up first, the grace would be over.
        Rotation::Grace(grace) if case.since_first < grace => return Verdict::Send,
        Rotation::Grace(_) | Rotation::Ends => {}
    }
    if case.usable && case.reason == RefreshReason::Due {
        return Verdict::UseUp;
    }
    match case.said {
        Said::NotAsked => return Verdict::Ask,
        Said::Alive => return Verdict::Send,
        Said::Dead => return Verdict::GiveUp,
        Said::Nothing => {}
    }
    let place = usize::try_from(case.sends.saturating_sub(1)).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    match PAUSES[place].checked_sub(case.since_last).filter(|left| !left.is_zero()) {
        Some(left) => Verdict::Wait(left),
        None => Verdict::Send,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_doubt() {
        use RefreshReason::{Due, Refused};
        use Rotation::{Ends, Grace, Stays};
        let seconds = Duration::from_secs;
        let grace = Grace(seconds(60));
        for (rotation, reason, usable, since_first, since_last, sends, verdict) in [
            (Stays, Due, true, 5, 5, 1, Verdict::Send),
            (Stays, Refused, false, 5, 0, 9, Verdict::Send),
            (grace, Due, true, 59, 59, 1, Verdict::Send),
            (grace, Due, true, 60, 60, 1, Verdict::UseUp),
            (grace, Due, false, 60, 60, 1, Verdict::Send),
            (grace, Refused, true, 61, 1, 2, Verdict::Wait(seconds(29))),
            (Ends, Due, true, 5, 5, 1, Verdict::UseUp),
            (Ends, Due, true, 5000, 5000, 3, Verdict::UseUp),
            (Ends, Due, false, 5, 0, 1, Verdict::Send),
            (Ends, Refused, true, 5, 0, 1, Verdict::Send),
            (Ends, Due, false, 5, 0, 2, Verdict::Wait(seconds(30))),
            (Ends, Due, false, 40, 30, 2, Verdict::Send),
            (Ends, Refused, false, 100, 20, 3, Verdict::Wait(seconds(100))),
            (Ends, Due, false, 1000, 599, 4, Verdict::Wait(seconds(1))),
            (Ends, Due, false, 9000, 600, 40, Verdict::Send),
        ] {
            let case = Case { rotation, reason, usable, since_first: seconds(since_first), since_last: seconds(since_last), sends, said: Said::Nothing };
            assert_eq!(judge(case), verdict, "{case:?}");
        }
    }

    #[test]
    fn a_provider_that_can_be_asked_ends_the_doubt() {
        use RefreshReason::{Due, Refused};
        let seconds = Duration::from_secs;
        let case = |rotation, reason, usable, said| Case { rotation, reason, usable, since_first: seconds(70), since_last: Duration::ZERO, sends: 5, said };
        for (said, verdict) in [(Said::NotAsked, Verdict::Ask), (Said::Alive, Verdict::Send), (Said::Dead, Verdict::GiveUp), (Said::Nothing, Verdict::Wait(seconds(600)))] {
            for rotation in [Rotation::Ends, Rotation::Grace(seconds(60))] {
                assert_eq!(judge(case(rotation, Refused, false, said)), verdict, "{said:?}");
                assert_eq!(judge(case(rotation, Due, true, said)), Verdict::UseUp, "what still works is used up, whatever is said of the other");
            }
            assert_eq!(judge(case(Rotation::Stays, Refused, false, said)), Verdict::Send, "it does no harm");
            assert_eq!(judge(case(Rotation::Grace(seconds(71)), Due, false, said)), Verdict::Send, "the provider bears it");
        }
    }
}
