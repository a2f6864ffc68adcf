//! `GET /events`: changes as server-sent events. Each process on the store wakes its listeners; what a listener is told is
//! read from the store in the listener's own scope, so nothing outside it can slip through, and a listener that comes back
//! with `Last-Event-ID` misses nothing, whichever server on the store it comes to. A server that ends says so and sends its
//! listeners away before it takes nothing more.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Response;
use futures_util::stream;
use patchbay_engine::{CallerInfo, ManagementGrant, changes};
use patchbay_model::change::Change;
use patchbay_model::{Code, Problem};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::app::App;
use crate::gate::Shown;
use crate::serving::Visit;

/// Between two signs of life. Proxies close streams that are silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Changes told one by one; a listener that missed more reads everything anew.
const MOST: u32 = 500;
/// Milliseconds after which a browser comes back.
const RETRY: &str = "retry: 3000\n: connected\n\n";
/// The shortest and the longest time, in milliseconds, after which a listener comes back that was sent away: not all at once.
const AWAY: (u64, u64) = (200, 2000);
/// Tells the listener that changes were missed.
const GAP: &str = "event: gap\ndata: {}\n\n";

struct Listener {
    app: App,
    shown: Shown,
    caller: CallerInfo,
    grant: ManagementGrant,
    wake: Receiver<Change>,
    ending: watch::Receiver<bool>,
    /// The last change that was told, or before the first one.
    last: Option<i64>,
    /// Whether the listener was sent away.
    away: bool,
    ready: VecDeque<String>,
    beat: tokio::time::Interval,
    _place: OwnedSemaphorePermit,
}

pub(crate) async fn listen(visit: Visit) -> Result<Response, Problem> {
    let Visit { app, head, .. } = visit;
    let shown = Shown::of(&app, &head)?;
    let caller = head.info(shown.origin());
    let grant = shown.grant(&app, caller.clone()).await?;
    let place = app
        .event_streams
        .clone()
        .try_acquire_owned()
        .map_err(|_| Problem::new(Code::RateLimited, "Too many windows listen for changes. Close some, or reload this one later.").retry_after(30))?;
    let resumed = head.headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|text| text.trim().parse::<i64>().ok()).filter(|sequence| *sequence >= 0);
    let mut listener = Listener {
        wake: app.engine.subscribe(),
        ending: app.ending.clone(),
        shown,
        caller,
        grant,
        last: resumed,
        away: false,
        ready: VecDeque::from([RETRY.to_owned()]),
        beat: tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT),
        app,
        _place: place,
    };
    if resumed.is_some() {
        listener.read().await;
    } else {
        // From here on the listener can come back to any server, though it may have been told of nothing until then.
        let newest = changes::latest(&listener.app.engine).await?;
        listener.last = Some(newest);
        listener.ready.push_back(format!("id: {newest}\n\n"));
    }
    let events = stream::unfold(listener, |mut listener| async move {
        let text = listener.next().await?;
        Some((Ok::<_, Infallible>(text), listener))
    });
    let mut response = Response::new(Body::from_stream(events));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

impl Listener {
    /// The next piece of the stream; nothing at its end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(text) = self.ready.pop_front() {
                return Some(text);
            }
            if self.away {
                return None;
            }
            tokio::select! {
                () = ended(&mut self.ending) => {
                    self.away = true;
                    let (least, most) = AWAY;
                    let chance = self.app.engine.context().new_uuid().as_u64_pair().1 % (most - least);
                    self.ready.push_back(format!("retry: {}\nevent: reconnect\ndata: {{}}\n\n", least + chance));
                }
                _ = self.beat.tick() => {
                    // The session or token may have ended, or its member's roles have changed.
                    self.grant = self.shown.grant(&self.app, self.caller.clone()).await.ok()?;
                    self.ready.push_back(": beat\n\n".to_owned());
                }
                woken = self.wake.recv() => match woken {
                    Ok(change) => {
                        self.last.get_or_insert(change.sequence - 1);
                        // Several changes in a row need one reading.
                        let mut newest = change.sequence;
                        while let Ok(change) = self.wake.try_recv() {
                            newest = change.sequence;
                        }
                        if self.read().await {
                            self.last = self.last.max(Some(newest));
                        }
                    }
                    Err(RecvError::Lagged(_)) if self.last.is_some() => { self.read().await; }
                    Err(RecvError::Lagged(_)) => self.ready.push_back(GAP.to_owned()),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// Reads what changed since the last one told; whether all of it was told.
    async fn read(&mut self) -> bool {
        let Some(last) = self.last else { return false };
        match changes::since(&self.app.engine, &self.grant, last, MOST).await {
            Ok(changes) => {
                let whole = changes.len() < usize::try_from(MOST).unwrap_or(usize::MAX);
                if let Some(newest) = changes.last() {
                    self.last = Some(newest.sequence);
                }
                if whole {
                    self.ready.extend(changes.iter().filter_map(event));
                } else {
                    self.last = None;
                    self.ready.push_back(GAP.to_owned());
                }
                whole
            }
            Err(problem) => {
                tracing::warn!(code = problem.code.as_str(), "changes cannot be read for a listener: {}", problem.code.title());
                self.ready.push_back(GAP.to_owned());
                false
            }
        }
    }
}

/// Returns when the server has begun to end.
async fn ended(ending: &mut watch::Receiver<bool>) {
    if ending.wait_for(|ending| *ending).await.is_err() {
        // The sender is gone only in tests without a running server; then there is no end to wait for.
        std::future::pending::<()>().await;
    }
}

fn event(change: &Change) -> Option<String> {
    let data = serde_json::to_string(change).ok()?;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write!(text, "id: {}\nevent: change\ndata: {data}\n\n", change.sequence);
    Some(text)
}
