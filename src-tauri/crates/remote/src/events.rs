//! The server's changes as they happen (`GET /events`, server-sent events).

use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use patchbay_model::change::Change;
use sse_stream::{Error, Sse, SseByteStream};

use crate::client::{Client, Failure};
use crate::transport::Lost;

/// The longest wait that a server may ask for.
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// What a listener is told.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// Something changed.
    Change(Change),
    /// Changes may have been missed: read everything anew.
    Everything,
}

/// An open stream of changes.
pub(crate) struct Listening {
    stream: Pin<Box<dyn Stream<Item = Result<Sse, Lost>> + Send>>,
}

/// One piece of the stream.
pub(crate) struct Piece {
    /// What to tell; nothing for the greeting, and for what this version does not know.
    pub(crate) event: Option<Event>,
    /// Behind which change to go on after a gap.
    pub(crate) id: Option<String>,
    /// How long to wait before coming back, where the server says so.
    pub(crate) retry: Option<Duration>,
}

impl Listening {
    /// Opens the stream behind the last change seen.
    ///
    /// # Errors
    /// What the server refuses, or why it cannot be reached.
    pub(crate) async fn open(client: &Client, last: Option<&str>) -> Result<Self, Failure> {
        let response = client.events(last).await?;
        let client = client.clone();
        let lost = move |error: Error| match error {
            // The library hands over what reqwest gave it.
            Error::Body(error) => match error.downcast::<reqwest::Error>() {
                Ok(error) => client.lost(*error),
                Err(error) => client.broken(&error),
            },
            error => client.broken(&error),
        };
        Ok(Self { stream: Box::pin(SseByteStream::new(response.bytes_stream()).map(move |piece| piece.map_err(&lost))) })
    }

    /// The next piece; nothing at the stream's end.
    ///
    /// # Errors
    /// Why the stream broke. After a silence that is longer than the server's signs of life it counts as broken.
    pub(crate) async fn next(&mut self) -> Result<Option<Piece>, Lost> {
        Ok(self.stream.next().await.transpose()?.map(piece))
    }
}

fn piece(sse: Sse) -> Piece {
    let event = match sse.event.as_deref() {
        // A change of a kind that a newer server has is still a change.
        Some("change") => Some(sse.data.as_deref().and_then(|data| serde_json::from_str(data).ok()).map_or(Event::Everything, Event::Change)),
        Some("gap") => Some(Event::Everything),
        _ => None,
    };
    Piece { event, id: sse.id.filter(|id| id.len() <= 40), retry: sse.retry.map(Duration::from_millis).map(|retry| retry.min(LONGEST_RETRY)) }
}

#[cfg(test)]
mod tests {
    use patchbay_model::Origin;
    use patchbay_model::change::ChangeKind;

    use super::*;

    #[test]
    fn changes_are_read_and_unknown_ones_mean_everything() {
        let data = r#"{"sequence":7,"kind":"account","id":"a","origin":"api"}"#;
        let known = piece(Sse::default().event("change").data(data).id("7"));
        assert_eq!(known.event, Some(Event::Change(Change { sequence: 7, kind: ChangeKind::Account, id: "a".to_owned(), account_id: None, origin: Origin::Api })));
        assert_eq!(known.id.as_deref(), Some("7"));
        assert_eq!(piece(Sse::default().event("change").data(data.replace("account", "from_the_future"))).event, Some(Event::Everything));
        assert_eq!(piece(Sse::default().event("gap").data("{}")).event, Some(Event::Everything));
        let greeting = piece(Sse::default().id("41"));
        assert!(greeting.event.is_none() && greeting.id.as_deref() == Some("41"));
        let away = piece(Sse::default().event("reconnect").data("{}").retry(700));
        assert!(away.event.is_none() && away.retry == Some(Duration::from_millis(700)));
    }
}
