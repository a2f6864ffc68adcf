//! Versions: an integration pins one of its provider's definition and moves to another on purpose, after a look at what
//! would change. A move can be rolled back as long as nobody edited the integration since.

mod change;
mod list;
mod preview;
mod rollback;
mod set;

use patchbay_model::definition::Definition;
use patchbay_model::{Problem, Timestamp};
use serde_json::{Map, Value};

pub use list::{Version, list};
pub use preview::preview;
pub use rollback::rollback;
pub use set::set;

/// Where an integration shall move.
#[derive(Clone, Default)]
pub struct Target {
    /// Id of the definition.
    pub definition: Option<String>,
    /// Or its version, of the integration's own provider.
    pub version: Option<String>,
    /// The whole configuration then: members of the definition's schema, without `type` and `credential`. Where missing, the
    /// present one goes along, without the members that the version no longer knows and with the defaults of new ones that
    /// must be given.
    pub config: Option<Map<String, Value>>,
    /// The `updated_at` that the move was prepared from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

/// What a move would be.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What is pinned now.
    pub from: Definition,
    /// What would be pinned.
    pub to: Definition,
    /// How the schema of the configuration differs.
    pub schema: Vec<SchemaChange>,
    /// How the credentials that are taken differ.
    pub credentials: Vec<SchemaChange>,
    /// The configuration now, without `type` and `credential`.
    pub config_before: Map<String, Value>,
    /// The configuration that the move would write.
    pub config_after: Map<String, Value>,
    /// What forbids the move; nothing when it can be made.
    pub problems: Vec<Problem>,
}

/// How a member differs between two versions.
#[derive(Clone, PartialEq, Debug)]
pub struct SchemaChange {
    /// The member of the configuration, or the `type` of the credential.
    pub member: String,
    /// Its JSON Schema before; none when it is new.
    pub before: Option<Value>,
    /// Its JSON Schema afterwards; none when it is gone.
    pub after: Option<Value>,
    /// Whether it must be given, before and afterwards.
    pub required: (bool, bool),
}
