//! Tokens that a credential gets without a person: client credentials, signed assertions, logins, roles. They live in memory alone:
//! nothing lies at rest, nothing can be lost, and each process gets its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use patchbay_model::{Context, Problem, Secret, Timestamp};

use crate::http::Mask;

/// How many are remembered.
const REMEMBERED: usize = 4096;
/// How long a token that still works is used after the next one could not be got.
const REST: Duration = Duration::from_secs(30);
/// So long before its end a token is of no more use: a request takes time to arrive.
const MARGIN: Duration = Duration::from_secs(5);

/// By what a token is known again: a keyed hash of everything that it was got with, so that nobody is given one that was got with
/// something else.
pub(crate) type MintKey = [u8; 32];

/// A token that was got, and what came with it.
#[derive(Clone)]
pub(crate) struct MintedToken {
    /// What requests carry.
    pub(crate) token: Secret,
    /// What came with it and is secret, by name: the key that belongs to a session of AWS.
    pub(crate) more: BTreeMap<String, Secret>,
    /// What came with it and may be shown: the address of the API.
    pub(crate) kept: BTreeMap<String, String>,
    /// When it came.
    pub(crate) obtained: Timestamp,
    /// When it ends.
    pub(crate) expires: Timestamp,
}

impl MintedToken {
    /// Tells a mask what to cover.
    pub(crate) fn cover(&self, mask: &mut Mask) {
        mask.cover(&self.token);
        self.more.values().for_each(|secret| mask.cover(secret));
    }
}

/// Why there is no token.
#[derive(Clone, Debug)]
pub(crate) struct Unminted {
    /// What to tell.
    pub(crate) problem: Problem,
    /// Whether it was the credential that was refused.
    pub(crate) refused: bool,
}

impl From<Problem> for Unminted {
    fn from(problem: Problem) -> Self {
        Self { problem, refused: false }
    }
}

/// Tokens by what they were got with.
#[derive(Default)]
pub(crate) struct Minted {
    slots: Mutex<HashMap<MintKey, Arc<tokio::sync::Mutex<Slot>>>>,
}

/// One token, and the turn of whoever gets the next.
#[derive(Default)]
struct Slot {
    kept: Option<Kept>,
    /// When nothing came of it the last time, and why.
    failed: Option<(Instant, Unminted)>,
}

struct Kept {
    minted: MintedToken,
    renew: Timestamp,
}

impl Minted {
    /// The token under a key: the one that is known, else one that `mint` gets, whoever else wants it waiting meanwhile. After two
    /// thirds of its life it is got anew, somewhat earlier by chance, so that many processes do not ask at once. `refused` is one
    /// that the provider did not take: if it is the known one, that is dropped.
    ///
    /// # Errors
    /// Why none could be got, to all who waited for it.
    pub(crate) async fn get<F, M>(&self, context: &Context, key: MintKey, refused: Option<&Secret>, mint: F) -> Result<MintedToken, Unminted>
    where
        F: FnOnce() -> M,
        M: Future<Output = Result<MintedToken, Unminted>>,
    {
        let began = Instant::now();
        let slot = self.slot(key);
        let mut slot = slot.lock().await;
        if let (Some(refused), Some(known)) = (refused, &slot.kept)
            && known.minted.token.expose() == refused.expose()
        {
            slot.kept = None;
        }
        let now = context.now();
        let usable = |known: &&Kept| now < known.minted.expires.minus(MARGIN);
        if let Some(known) = slot.kept.as_ref().filter(usable).filter(|known| now < known.renew) {
            return Ok(known.minted.clone());
        }
        // Who waited while nothing came of it does not ask once more on top of that.
        if let Some((_, unminted)) = slot.failed.as_ref().filter(|(at, _)| *at >= began) {
            return slot.kept.as_ref().filter(usable).map(|known| known.minted.clone()).ok_or_else(|| unminted.clone());
        }
        match mint().await {
            Ok(minted) => {
                *slot = Slot { kept: Some(Kept { renew: renewal(context, &minted), minted: minted.clone() }), failed: None };
                Ok(minted)
            }
            Err(unminted) => {
                slot.failed = Some((Instant::now(), unminted.clone()));
                let now = context.now();
                match slot.kept.as_mut().filter(|known| now < known.minted.expires.minus(MARGIN)) {
                    // What still works is used up while whoever gives tokens is out of order.
                    Some(known) => {
                        tracing::warn!(problem = %unminted.problem, "a token could not be got anew; the old one still works");
                        known.renew = now.plus(REST);
                        Ok(known.minted.clone())
                    }
                    None => Err(unminted),
                }
            }
        }
    }

    fn slot(&self, key: MintKey) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= REMEMBERED && !slots.contains_key(&key) {
            // Those that are being got at this moment stay.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

/// Between 56 and 67 hundredths of its life.
fn renewal(context: &Context, minted: &MintedToken) -> Timestamp {
    let mut random = [0; 2];
    context.entropy().fill(&mut random);
    let chance = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
    minted.obtained.plus(minted.expires.since(minted.obtained).mul_f64(2.0 / 3.0 - chance / 9.0))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    use patchbay_model::{Clock, Code};
    use patchbay_vault::OsEntropy;

    use super::*;

    struct MovedClock(AtomicI64);

    impl Clock for MovedClock {
        fn now(&self) -> Timestamp {
            let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
            start.plus(Duration::from_secs(self.0.load(Ordering::SeqCst).unsigned_abs()))
        }
    }

    /// Gives `token N`, each for an hour, and counts.
    struct Giver {
        context: Context,
        clock: Arc<MovedClock>,
        asked: AtomicUsize,
        broken: AtomicUsize,
    }

    impl Giver {
        fn new() -> Arc<Self> {
            let clock = Arc::new(MovedClock(AtomicI64::new(0)));
            Arc::new(Self { context: Context::new(clock.clone(), Arc::new(OsEntropy)), clock, asked: AtomicUsize::new(0), broken: AtomicUsize::new(0) })
        }

        async fn get(&self, minted: &Minted, refused: Option<&str>) -> Result<String, Unminted> {
            let refused = refused.map(Secret::new);
            let got = minted.get(&self.context, [7; 32], refused.as_ref(), || async {
                let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::task::yield_now().await;
                if self.broken.load(Ordering::SeqCst) > 0 {
                    return Err(Problem::new(Code::ProviderUnreachable, "out of order").into());
                }
                let obtained = self.context.now();
                Ok(MintedToken {
                    token: Secret::new(format!("token {number}")),
                    more: BTreeMap::new(),
                    kept: BTreeMap::new(),
                    obtained,
                    expires: obtained.plus(Duration::from_secs(3600)),
                })
            });
            got.await.map(|got| got.token.expose().to_owned())
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        fn advance(&self, seconds: i64) {
            self.clock.0.fetch_add(seconds, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn one_gets_it_for_all_and_before_its_end_it_is_got_anew() {
        let (minted, giver) = (Arc::new(Minted::default()), Giver::new());
        let wanting: Vec<_> = (0..20)
            .map(|_| {
                let (minted, giver) = (minted.clone(), giver.clone());
                tokio::spawn(async move { giver.get(&minted, None).await })
            })
            .collect();
        for task in wanting {
            assert_eq!(task.await.unwrap().unwrap(), "token 1");
        }
        giver.advance(1990);
        assert_eq!((giver.get(&minted, None).await.unwrap().as_str(), giver.asked()), ("token 1", 1));
        giver.advance(411);
        assert_eq!((giver.get(&minted, None).await.unwrap().as_str(), giver.asked()), ("token 2", 2));
    }

    #[tokio::test]
    async fn one_that_is_refused_is_dropped_once() {
        let (minted, giver) = (Minted::default(), Giver::new());
        assert_eq!(giver.get(&minted, None).await.unwrap(), "token 1");
        assert_eq!(giver.get(&minted, Some("token 1")).await.unwrap(), "token 2");
        assert_eq!(giver.get(&minted, Some("token 1")).await.unwrap(), "token 2", "somebody else has got another one meanwhile");
        assert_eq!(giver.asked(), 2);
        giver.broken.store(1, Ordering::SeqCst);
        assert_eq!(giver.get(&minted, Some("token 2")).await.unwrap_err().problem.code, Code::ProviderUnreachable);
        assert!(giver.get(&minted, None).await.is_err(), "what was refused does not come back");
    }

    #[tokio::test]
    async fn what_still_works_is_used_up_and_one_failure_is_told_to_all() {
        let (minted, giver) = (Arc::new(Minted::default()), Giver::new());
        assert_eq!(giver.get(&minted, None).await.unwrap(), "token 1");
        giver.broken.store(1, Ordering::SeqCst);
        giver.advance(3000);
        assert_eq!((giver.get(&minted, None).await.unwrap().as_str(), giver.asked()), ("token 1", 2));
        assert_eq!((giver.get(&minted, None).await.unwrap().as_str(), giver.asked()), ("token 1", 2), "not asked again at once");
        giver.advance(596);
        let wanting: Vec<_> = (0..5)
            .map(|_| {
                let (minted, giver) = (minted.clone(), giver.clone());
                tokio::spawn(async move { giver.get(&minted, None).await })
            })
            .collect();
        for task in wanting {
            assert_eq!(task.await.unwrap().unwrap_err().problem.message, "out of order");
        }
        assert_eq!(giver.asked(), 3, "those who waited are told the same");
        giver.broken.store(0, Ordering::SeqCst);
        assert_eq!(giver.get(&minted, None).await.unwrap(), "token 4");
    }
}
