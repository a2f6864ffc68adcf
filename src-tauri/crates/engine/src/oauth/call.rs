//! Sending a prepared request, once.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use patchbay_model::Problem;
use uuid::Uuid;

use super::request::Prepared;
use crate::Engine;
use crate::http::{HttpAnswer, Limits, Repeat};

/// Answers of authorization servers are small.
const LARGEST: usize = 1 << 20;
/// Within the lease of a refresh, so that nobody else begins one while this one may still be answered.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long a request waits for its turn: less than the time within which a refresh that was written down must leave.
const TURN: Duration = Duration::from_secs(8);
/// Requests to one server that may be under way at once.
const WIDTH: usize = 4;

/// What came of a request. Only in the first case nothing can have happened at the provider.
pub(crate) enum Sent {
    /// It never left.
    Unsent(Problem),
    /// It was answered, with whatever status.
    Answered(HttpAnswer),
    /// Nobody knows whether it arrived.
    Lost(Problem),
}

impl Sent {
    /// The answer, for those to whom it is all the same why there is none.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn answer(self) -> Result<HttpAnswer, Problem> {
        match self {
            Self::Answered(answer) => Ok(answer),
            Self::Unsent(problem) | Self::Lost(problem) => Err(problem),
        }
    }
}

/// Sends a request under the id of an attempt. What was sent is covered in what is told of it.
pub(crate) async fn send(engine: &Engine, prepared: Prepared, attempt: Uuid) -> Sent {
    let mask = prepared.mask();
    let now = Instant::now();
    let lane = match engine.outbound().authorities.enter(place(&prepared), Some(WIDTH), now + TURN).await {
        Ok(turn) => turn,
        Err(problem) => return Sent::Unsent(problem),
    };
    // A code and a rotating refresh token are good for one request, so only what never left may be repeated.
    let limits = Limits { deadline: now + PATIENCE, max_bytes: LARGEST, repeat: Repeat::OnlyUnsent };
    match engine.http().send(&prepared.into_request(attempt), limits, Some(lane.lane()), None).await {
        Ok(answer) => Sent::Answered(answer),
        Err(failure) if failure.never_sent() => Sent::Unsent(mask.problem(failure.into())),
        Err(failure) => Sent::Lost(mask.problem(failure.into())),
    }
}

/// The lane of an authorization server. Two servers in one lane would be slower and nothing else.
fn place(prepared: &Prepared) -> Uuid {
    let mut hasher = DefaultHasher::new();
    prepared.url().origin().ascii_serialization().hash(&mut hasher);
    Uuid::from_u64_pair(hasher.finish(), 0)
}
