//! Handlers of the management operations. Each reads the wire, calls one verb of the engine, and shows what came of it; a
//! handler that decides anything holds a verb that belongs in the engine.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod backup;
pub(crate) mod capability;
pub(crate) mod connect;
pub(crate) mod connect_link;
pub(crate) mod credential;
pub(crate) mod deadline;
pub(crate) mod definition;
pub(crate) mod end_user;
pub(crate) mod integration;
pub(crate) mod key;
pub(crate) mod manifest_entry;
pub(crate) mod member;
pub(crate) mod meta;
pub(crate) mod moving;
pub(crate) mod organization;
pub(crate) mod overview;
pub(crate) mod point;
pub(crate) mod provider_app;
pub(crate) mod receipt;
pub(crate) mod resources;
pub(crate) mod revocation;
pub(crate) mod role;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod trial;
pub(crate) mod webhook;

use patchbay_engine::deletion;
use patchbay_engine::{Engine, ManagementGrant};
use patchbay_model::list;
use patchbay_model::{Code, Problem};
use serde_json::Value;

use crate::reply::{Deleted, Empty};
use crate::request::{NoBody, NoQuery, Request};
use crate::wire::envelope::{Deletion, Listed, Messages};
use crate::wire::problem;

/// A request with its parts read.
pub(crate) struct Call<'a, Q, B> {
    pub(crate) engine: &'a Engine,
    pub(crate) grant: &'a ManagementGrant,
    pub(crate) request: &'a Request,
    pub(crate) query: Q,
    pub(crate) body: B,
}

impl<Q, B> Call<'_, Q, B> {
    /// A path parameter.
    pub(crate) fn path(&self, name: &str) -> Result<&str, Problem> {
        self.request.path(name)
    }
}

/// A call without query and body.
pub(crate) type Bare<'a> = Call<'a, NoQuery, NoBody>;
/// A call with a body.
pub(crate) type With<'a, B> = Call<'a, NoQuery, B>;

fn deleted(deletion: deletion::Deletion) -> Deleted {
    Deleted(Deletion { id: deletion.id.to_string(), undo_until: deletion.undo_until })
}

fn page<T, U>(listed: list::Listed<T>, rows: impl IntoIterator<Item = U>) -> Listed<U> {
    Listed { result: rows.into_iter().collect(), total: listed.total, next: listed.next }
}

fn listed<T, U: From<T>>(listed: list::Listed<T>) -> Listed<U> {
    Listed { result: listed.items.into_iter().map(U::from).collect(), total: listed.total, next: listed.next }
}

/// Soft problems, each stamped as if it had been answered.
pub(crate) fn messages(engine: &Engine, problems: Vec<Problem>) -> Option<Messages> {
    Messages::of(problems.iter().map(|problem| problem::Problem::new(problem, engine.now(), engine.context().new_uuid())).collect())
}

/// Refuses parts of the wire that nothing here would heed; storing and ignoring them would be worse (product.md section 1).
fn not_offered(given: &[(&str, Option<&Value>)]) -> Result<(), Problem> {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match given.iter().find(|(_, value)| value.is_some_and(|value| !empty(value))) {
        None => Ok(()),
        Some((field, _)) => {
            Err(Problem::new(Code::OperationUnsupported, format!("This version of Patchbay does not offer `{field}`. Leave it out.")).at_body(&format!("/{field}")))
        }
    }
}

/// A name as given; an empty one counts as left out, in a PUT as in the creation (synqly-wire.md section 4).
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn array(items: Option<Vec<Value>>) -> Option<Value> {
    items.map(Value::Array)
}

/// `deletions.undo`
pub(crate) async fn undo(call: Bare<'_>) -> Result<Empty, Problem> {
    deletion::undo(call.engine, call.grant, call.path("deletion_id")?).await?;
    Ok(Empty)
}
