//! What an operation gives back, before it becomes an HTTP answer or the result of a command.

use patchbay_model::Problem;
use serde::Serialize;
use serde_json::Value;

use crate::wire::audit::ExportedAudit;
use crate::wire::deadline::ExportedCalendar;
use crate::wire::envelope::{Answer, Deletion, Done, Listed};

/// The answer of an operation.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status; a 204 has no body on HTTP, a command still gives it.
    pub status: u16,
    /// The envelope, as JSON text: it is written once and goes out as it is.
    pub body: String,
    /// `start_after` of the next page; the header `X-Next-Start-After` on HTTP, `next` in the result of a command.
    pub next: Option<String>,
    /// What undoes a delete; the header `X-Patchbay-Deletion` on HTTP.
    pub deletion: Option<String>,
}

impl Reply {
    /// The result of a command: the envelope, with `next` in it.
    ///
    /// # Errors
    /// `internal` when the envelope is not JSON, which it always is.
    pub fn into_result(self) -> Result<Value, Problem> {
        let mut body: Value = serde_json::from_str(&self.body).map_err(unwritable)?;
        if let (Some(next), Some(body)) = (self.next, body.as_object_mut()) {
            body.insert("next".to_owned(), Value::String(next));
        }
        Ok(body)
    }

    /// An answer with this envelope.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn of(status: u16, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(body).map_err(unwritable)?;
        Ok(Self { status, body, next: None, deletion: None })
    }
}

/// What can be answered.
pub trait IntoReply {
    /// Makes the answer.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    fn into_reply(self, status: u16) -> Result<Reply, Problem>;
}

fn unwritable(error: serde_json::Error) -> Problem {
    Problem::internal(format_args!("an answer cannot be written: {error}"))
}

impl<T: Serialize> IntoReply for Answer<T> {
    fn into_reply(self, status: u16) -> Result<Reply, Problem> {
        Reply::of(status, &self)
    }
}

impl<T: Serialize> IntoReply for Listed<T> {
    fn into_reply(mut self, status: u16) -> Result<Reply, Problem> {
        let next = self.next.take();
        Ok(Reply { next, ..Reply::of(status, &self)? })
    }
}

/// The answer of a delete that can be undone.
#[derive(Clone, Debug)]
pub struct Deleted(pub Deletion);

impl IntoReply for Deleted {
    fn into_reply(self, status: u16) -> Result<Reply, Problem> {
        let deletion = Some(self.0.id.clone());
        Ok(Reply { deletion, ..Reply::of(status, &Answer::of(self.0))? })
    }
}

/// The answer of an operation that gives nothing.
#[derive(Clone, Copy, Debug)]
pub struct Empty;

impl IntoReply for Empty {
    fn into_reply(self, status: u16) -> Result<Reply, Problem> {
        Reply::of(status, &Answer::of(Done {}))
    }
}

/// An OpenAPI document, which has no envelope.
#[derive(Clone, Debug)]
pub struct Document(pub Value);

impl IntoReply for Document {
    fn into_reply(self, status: u16) -> Result<Reply, Problem> {
        Reply::of(status, &self.0)
    }
}

/// A JSON Schema, which has no envelope either.
#[derive(Clone, Debug)]
pub struct SchemaDocument(pub Value);

impl IntoReply for SchemaDocument {
    fn into_reply(self, status: u16) -> Result<Reply, Problem> {
        Reply::of(status, &self.0)
    }
}

/// The audit log as a file: over HTTP the file is the body, a command's result holds it.
#[derive(Clone, Debug)]
pub struct AuditFile(pub ExportedAudit);

impl IntoReply for AuditFile {
    fn into_reply(self, status: u16) -> Result<Reply, Problem> {
        Reply::of(status, &Answer::of(self.0))
    }
}

/// A calendar as a file: over HTTP the file is the body, a command's result holds it.
#[derive(Clone, Debug)]
pub struct CalendarFile(pub ExportedCalendar);

impl IntoReply for CalendarFile {
    fn into_reply(self, status: u16) -> Result<Reply, Problem> {
        Reply::of(status, &Answer::of(self.0))
    }
}

macro_rules! plain {
    ($($view:path),+) => {$(
        impl IntoReply for $view {
            fn into_reply(self, status: u16) -> Result<Reply, Problem> {
                Reply::of(status, &self)
            }
        }
    )+};
}

plain!(crate::wire::integration::IntegrationUpdated, crate::wire::integration::Verified);
