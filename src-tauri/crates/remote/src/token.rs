//! The token pair of a server: where it lies, and how it is kept fresh.
//!
//! A refresh makes a new pair and leaves the one before working, so a lost answer or a kill between the refresh and the keyring
//! loses nothing: the pair in the keyring still refreshes. That holds for one refresh and no more, which is why a pair that
//! could not be kept is not refreshed again before it is.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use patchbay_model::time::parse_lifetime;
use patchbay_model::{Code, Context, Problem, Secret, Timestamp};
use patchbay_vault::KeyringItem;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::answer::{self, Outcome};
use crate::client::Failure;
use crate::transport::Transport;

/// How long a refresh may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the token of a server lies between runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenPlace {
    /// In the keyring.
    Keyring(KeyringItem),
    /// Nowhere: for the time of one command.
    Memory,
}

/// An access secret and what renews it. It can be written into a keyring and nowhere else.
#[derive(Clone)]
pub struct Held {
    access: Secret,
    renewal: Option<Renewal>,
    obtained: Timestamp,
}

/// What renews an access secret.
#[derive(Clone)]
struct Renewal {
    refresh: Secret,
    /// The container's id.
    container: String,
    /// How long the access secret lives from when it was obtained. A length and not a date, since the two machines' clocks may
    /// differ.
    life: Duration,
}

/// A pair as it lies in the keyring.
#[derive(Serialize)]
struct Written<'a> {
    v: u8,
    access: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    life: Option<u64>,
    obtained: Timestamp,
}

#[derive(Deserialize)]
struct Read {
    v: u8,
    access: Secret,
    refresh: Option<Secret>,
    container: Option<String>,
    life: Option<u64>,
    obtained: Timestamp,
}

impl Held {
    /// An access secret that nothing renews: it works until it ends.
    pub fn access_only(access: Secret, now: Timestamp) -> Self {
        Self { access, renewal: None, obtained: now }
    }

    /// Both halves of a pair whose remaining life is not known, so that it is refreshed before anything else.
    pub(crate) fn pair(access: Secret, refresh: Secret, container: String, now: Timestamp) -> Self {
        Self { access, renewal: Some(Renewal { refresh, container, life: Duration::ZERO }), obtained: now }
    }

    /// Whether it renews itself.
    pub fn renews(&self) -> bool {
        self.renewal.is_some()
    }

    fn written(&self) -> Result<Secret, Problem> {
        let renewal = self.renewal.as_ref();
        let written = Written {
            v: 1,
            access: self.access.expose(),
            refresh: renewal.map(|renewal| renewal.refresh.expose()),
            container: renewal.map(|renewal| renewal.container.as_str()),
            life: renewal.map(|renewal| renewal.life.as_secs()),
            obtained: self.obtained,
        };
        serde_json::to_string(&written).map(Secret::new).map_err(|_| Problem::internal("a token cannot be written"))
    }

    fn read(text: &Secret) -> Option<Self> {
        let Read { v: 1, access, refresh, container, life, obtained } = serde_json::from_str(text.expose()).ok()? else { return None };
        let renewal = match (refresh, container) {
            (Some(refresh), Some(container)) => Some(Renewal { refresh, container, life: Duration::from_secs(life.unwrap_or_default()) }),
            _ => None,
        };
        Some(Self { access, renewal, obtained })
    }

    /// When it is to be renewed: at two thirds of its life (product.md section 3).
    fn due(&self) -> Option<Timestamp> {
        self.renewal.as_ref().map(|renewal| self.obtained.plus(renewal.life * 2 / 3))
    }

    fn over(&self, now: Timestamp) -> bool {
        self.renewal.as_ref().is_some_and(|renewal| now >= self.obtained.plus(renewal.life))
    }
}

/// Reads the pair that lies in the keyring.
///
/// # Errors
/// `key_unavailable` when the keyring cannot be used.
pub(crate) async fn kept(item: KeyringItem) -> Result<Option<Held>, Problem> {
    let read = tokio::task::spawn_blocking(move || item.read()).await.map_err(|_| Problem::internal("reading the keyring was interrupted"))??;
    Ok(read.as_ref().and_then(Held::read))
}

struct State {
    held: Held,
    /// Rises with every new pair, so that a caller knows whether the one that was refused is still the newest.
    turn: u64,
    /// Whether the pair lies where it belongs.
    kept: bool,
}

/// Keeps the pair of one server. Clones share it.
#[derive(Clone)]
pub(crate) struct Keeper {
    state: Arc<RwLock<State>>,
    /// Whoever holds it refreshes; the others wait or go on with what there is.
    flight: Arc<Mutex<()>>,
    place: TokenPlace,
    context: Context,
}

impl Keeper {
    /// `kept` is whether the pair lies in its place already.
    pub(crate) fn new(held: Held, kept: bool, place: TokenPlace, context: Context) -> Self {
        let kept = kept || place == TokenPlace::Memory;
        Self { state: Arc::new(RwLock::new(State { held, turn: 0, kept })), flight: Arc::default(), place, context }
    }

    /// The pair and its turn.
    fn now(&self) -> (Held, u64) {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        (state.held.clone(), state.turn)
    }

    /// Whether the pair lies where it belongs.
    pub(crate) fn is_kept(&self) -> bool {
        self.state.read().unwrap_or_else(PoisonError::into_inner).kept
    }

    /// How long until the pair is to be renewed; none for one that nothing renews.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        self.now().0.due().map(|due| due.since(self.context.now()))
    }

    /// The access secret for a request, renewed where that is due, and its turn.
    ///
    /// # Errors
    /// `token_invalid` when the refresh secret has ended too; [`Failure::Lost`] when the access secret is over and the server cannot be
    /// reached.
    pub(crate) async fn access(&self, transport: &Transport) -> Result<(Secret, u64), Failure> {
        let (held, turn) = self.now();
        let now = self.context.now();
        if held.due().is_none_or(|due| now < due) {
            return Ok((held.access, turn));
        }
        let renewed = if held.over(now) {
            let flight = self.flight.lock().await;
            self.renew(transport, turn, &flight).await
        } else {
            // The secret still works; one caller renews it, the others need not wait.
            match self.flight.try_lock() {
                Ok(flight) => self.renew(transport, turn, &flight).await,
                Err(_) => return Ok((held.access, turn)),
            }
        };
        match renewed {
            Ok(()) => {}
            Err(failure) if held.over(now) => return Err(failure),
            // A third of its life is left to try again.
            Err(failure) => tracing::info!("a token could not be refreshed yet: {}", failure.words()),
        }
        let (held, turn) = self.now();
        Ok((held.access, turn))
    }

    /// Another access secret than the one of `turn`, which the server refused; none when there is no way to get one.
    ///
    /// # Errors
    /// Those of [`Self::access`].
    pub(crate) async fn instead_of(&self, transport: &Transport, turn: u64) -> Result<Option<(Secret, u64)>, Failure> {
        let flight = self.flight.lock().await;
        let (held, newest) = self.now();
        if newest != turn {
            return Ok(Some((held.access, newest)));
        }
        if !held.renews() {
            return Ok(None);
        }
        self.renew(transport, turn, &flight).await?;
        let (held, turn) = self.now();
        Ok(Some((held.access, turn)))
    }

    /// Renews the pair unless somebody else did so since `turn`. `_flight` proves that nobody else is at it.
    async fn renew(&self, transport: &Transport, turn: u64, _flight: &tokio::sync::MutexGuard<'_, ()>) -> Result<(), Failure> {
        let (held, newest) = self.now();
        if newest != turn {
            return Ok(());
        }
        let Some(renewal) = &held.renewal else { return Ok(()) };
        // A second refresh would end the pair that lies in the keyring.
        if !self.is_kept() {
            self.keep().await.map_err(Failure::Problem)?;
        }
        let path = format!("/v1/tokens/{}/refresh", renewal.container);
        let answered = transport.send(Method::PUT, &path, Some(&renewal.refresh), None, PATIENCE).await.map_err(Failure::Lost)?;
        let fresh = match answer::read(transport.url(), &answered) {
            Outcome::Done(body) => fresh(body, self.context.now()).ok_or_else(|| {
                Failure::Problem(Problem::new(
                    Code::ServerIncompatible,
                    format!("{} refreshed the token in a way that this Patchbay does not understand. Update the older of the two.", transport.url()),
                ))
            })?,
            Outcome::Refused(problem) => return Err(Failure::Problem(problem)),
            Outcome::Foreign(lost) => return Err(Failure::Lost(lost)),
        };
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            *state = State { held: fresh, turn: turn + 1, kept: self.place == TokenPlace::Memory };
        }
        // The new pair is in use; one that cannot be kept now is kept before the next refresh, and told if that fails too.
        if let Err(problem) = self.keep().await {
            tracing::warn!("the new token is not in the keyring yet: {}", problem.message);
        }
        Ok(())
    }

    /// Puts the pair where it belongs.
    ///
    /// # Errors
    /// `key_unavailable` when the keyring cannot be used.
    pub(crate) async fn keep(&self) -> Result<(), Problem> {
        let TokenPlace::Keyring(item) = &self.place else { return Ok(()) };
        let (held, turn) = self.now();
        let (item, text) = (item.clone(), held.written()?);
        tokio::task::spawn_blocking(move || item.write(text)).await.map_err(|_| Problem::internal("writing to the keyring was interrupted"))??;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.kept |= state.turn == turn;
        Ok(())
    }
}

/// The new pair in the answer to a refresh (synqly-wire.md section 6). What was taken out of it is no secret of the answer any more.
fn fresh(body: Value, now: Timestamp) -> Option<Held> {
    #[derive(Deserialize)]
    struct Answer {
        result: Container,
    }
    #[derive(Deserialize)]
    struct Container {
        id: String,
        token_ttl: String,
        primary: Pair,
    }
    #[derive(Deserialize)]
    struct Pair {
        access: Half,
        refresh: Half,
    }
    #[derive(Deserialize)]
    struct Half {
        secret: Secret,
    }
    let Answer { result } = serde_json::from_value(body).ok()?;
    let life = parse_lifetime(&result.token_ttl)?;
    let (access, refresh) = (result.primary.access.secret, result.primary.refresh.secret);
    (!access.is_empty() && !refresh.is_empty()).then(|| Held { access, renewal: Some(Renewal { refresh, container: result.id, life }), obtained: now })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_pair_is_due_at_two_thirds_of_its_life() {
        let held = Held {
            access: Secret::new("a"),
            renewal: Some(Renewal { refresh: Secret::new("r"), container: "c".to_owned(), life: Duration::from_secs(24 * 3600) }),
            obtained: at("2026-11-22T00:00:00Z"),
        };
        assert_eq!(held.due(), Some(at("2026-11-22T16:00:00Z")));
        assert!(!held.over(at("2026-11-22T23:59:59Z")) && held.over(at("2026-11-23T00:00:00Z")));
        let alone = Held::access_only(Secret::new("a"), at("2026-11-22T00:00:00Z"));
        assert!(alone.due().is_none() && !alone.over(at("2030-01-01T00:00:00Z")), "only the server knows when it ends");
    }

    #[test]
    fn a_pair_comes_back_out_of_the_keyring_as_it_went_in() {
        let held = Held {
            access: Secret::new("pbo_a"),
            renewal: Some(Renewal { refresh: Secret::new("pbr_r"), container: "c".to_owned(), life: Duration::from_secs(600) }),
            obtained: at("2026-11-22T00:00:00Z"),
        };
        let written = held.written().unwrap();
        assert!(written.len() < 600, "{} bytes fit every keyring", written.len());
        let read = Held::read(&written).unwrap();
        assert_eq!((read.access.expose(), read.due(), read.renewal.unwrap().refresh.expose()), ("pbo_a", held.due(), "pbr_r"));
        let alone = Held::read(&Held::access_only(Secret::new("pbo_b"), at("2026-11-22T00:00:00Z")).written().unwrap()).unwrap();
        assert!(!alone.renews());
        for bad in ["", "{}", "pbo_x", r#"{"v":2,"access":"a","obtained":"2026-11-22T00:00:00Z"}"#] {
            assert!(Held::read(&Secret::new(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_answer_to_a_refresh_gives_a_whole_pair_or_none() {
        let answer = |access: &str, ttl: &str| serde_json::json!({"result": {"id": "c", "token_ttl": ttl, "primary": {"access": {"secret": access, "expires": "2026-11-23T00:00:00Z"}, "refresh": {"secret": "pbr_r"}}}});
        let held = fresh(answer("pbo_a", "24h"), at("2026-11-22T00:00:00Z")).unwrap();
        assert_eq!(held.due(), Some(at("2026-11-22T16:00:00Z")));
        assert!(fresh(answer("", "24h"), at("2026-11-22T00:00:00Z")).is_none() && fresh(answer("a", "soon"), at("2026-11-22T00:00:00Z")).is_none());
    }
}
