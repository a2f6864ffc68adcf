//! The contract with the user interface: TypeScript of every wire object and of every command, generated from the tables and
//! committed as `ui/src/lib/contract/contract.ts`. A test proves it fresh.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use patchbay_model::Operation;
use patchbay_model::change::Change;
use schemars::JsonSchema;
use serde_json::json;
use ts_rs::{Config, TS, TypeVisitor};

use crate::openapi::{Answered, Schemas};
use crate::operation;
use crate::reply::{AuditFile, CalendarFile, Deleted, Document, Empty, SchemaDocument};
use crate::request::{ReadBody, ReadQuery};
use crate::wire::audit::ExportedAudit;
use crate::wire::deadline::ExportedCalendar;
use crate::wire::envelope::{Answer, Deletion, Done, Listed};
use crate::wire::host;
use crate::wire::integration::{IntegrationUpdated, Verified};
use crate::wire::problem::Problem;
use crate::wire::rehearsal;

/// Version of the contract between a program and a server of another version. It rises with every change that one of the two
/// would not understand: an operation or member that goes or means something else. What is only added leaves it as it is.
pub const CONTRACT: u32 = 1;

/// Declarations that have been met so far, by name.
pub struct Types {
    config: Config,
    declarations: BTreeMap<String, String>,
}

impl Types {
    fn new() -> Self {
        // Sequence numbers and counts stay far below 2^53, so a number holds them.
        Self { config: Config::new().with_large_int("number"), declarations: BTreeMap::new() }
    }

    /// The name of a type; it and everything in it is declared.
    pub fn name<T: TS + 'static + ?Sized>(&mut self) -> String {
        self.visit::<T>();
        T::name(&self.config)
    }
}

impl TypeVisitor for Types {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_some() {
            let ident = T::ident(&self.config);
            if self.declarations.contains_key(&ident) {
                T::visit_generics(self);
                return;
            }
            let docs = T::docs().unwrap_or_default();
            self.declarations.insert(ident, format!("{docs}export {}\n", T::decl(&self.config)));
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

/// A result that the contract can name.
pub trait ResultType {
    /// Its TypeScript.
    fn typescript(types: &mut Types) -> String;

    /// What it is over HTTP.
    fn answered(schemas: &mut Schemas) -> Answered;
}

impl<T: TS + JsonSchema + 'static> ResultType for Answer<T> {
    fn typescript(types: &mut Types) -> String {
        types.name::<Self>()
    }

    fn answered(schemas: &mut Schemas) -> Answered {
        Answered::Json(schemas.answer::<Self>())
    }
}

impl<T: TS + JsonSchema + 'static> ResultType for Listed<T> {
    fn typescript(types: &mut Types) -> String {
        types.name::<Self>()
    }

    fn answered(schemas: &mut Schemas) -> Answered {
        Answered::Page(schemas.answer::<Self>())
    }
}

impl ResultType for Deleted {
    fn typescript(types: &mut Types) -> String {
        types.name::<Answer<Deletion>>()
    }

    fn answered(_: &mut Schemas) -> Answered {
        Answered::Deleted
    }
}

impl ResultType for Empty {
    fn typescript(types: &mut Types) -> String {
        types.name::<Answer<Done>>()
    }

    fn answered(_: &mut Schemas) -> Answered {
        Answered::Nothing
    }
}

impl ResultType for IntegrationUpdated {
    fn typescript(types: &mut Types) -> String {
        types.name::<Self>()
    }

    fn answered(schemas: &mut Schemas) -> Answered {
        Answered::Json(schemas.answer::<Self>())
    }
}

impl ResultType for Verified {
    fn typescript(types: &mut Types) -> String {
        types.name::<Self>()
    }

    fn answered(schemas: &mut Schemas) -> Answered {
        Answered::Json(schemas.answer::<Self>())
    }
}

impl ResultType for AuditFile {
    fn typescript(types: &mut Types) -> String {
        types.name::<Answer<ExportedAudit>>()
    }

    fn answered(_: &mut Schemas) -> Answered {
        Answered::File(&["application/x-ndjson", "text/csv"])
    }
}

impl ResultType for CalendarFile {
    fn typescript(types: &mut Types) -> String {
        types.name::<Answer<ExportedCalendar>>()
    }

    fn answered(_: &mut Schemas) -> Answered {
        Answered::File(&["text/calendar"])
    }
}

impl ResultType for Document {
    fn typescript(_: &mut Types) -> String {
        "Record<string, unknown>".to_owned()
    }

    fn answered(_: &mut Schemas) -> Answered {
        Answered::Json(json!({
            "type": "object",
            "description": "An OpenAPI document.",
            "properties": {
                "openapi": { "type": "string", "pattern": "^3\\.1\\.[0-9]+$" },
                "info": { "type": "object" },
                "paths": { "type": "object" },
                "components": { "type": "object" },
            },
            "required": ["openapi", "info", "paths", "components"],
        }))
    }
}

impl ResultType for SchemaDocument {
    fn typescript(_: &mut Types) -> String {
        "Record<string, unknown>".to_owned()
    }

    fn answered(_: &mut Schemas) -> Answered {
        Answered::Json(json!({
            "type": "object",
            "description": "A JSON Schema.",
            "properties": { "$schema": { "type": "string" }, "type": { "const": "object" }, "properties": { "type": "object" }, "$defs": { "type": "object" } },
            "required": ["$schema", "type", "properties"],
        }))
    }
}

/// The interface of all commands while it is written.
pub struct Commands {
    types: Types,
    rows: String,
}

impl Commands {
    /// Adds a management operation.
    pub fn operation<Q: ReadQuery, B: ReadBody, R: ResultType>(&mut self, operation: Operation, path: &str) {
        let mut params = Vec::new();
        let names: Vec<String> = operation::path_parameters(path).map(|name| format!("{name}: string")).collect();
        if !names.is_empty() {
            params.push(format!("path: {{ {} }}", names.join(", ")));
        }
        if let Some(query) = Q::typescript(&mut self.types) {
            params.push(format!("query?: {query}"));
        }
        if let Some((optional, body)) = B::typescript(&mut self.types) {
            params.push(format!("body{}: {body}", if optional { "?" } else { "" }));
        }
        let params = if params.is_empty() { "Record<string, never>".to_owned() } else { format!("{{ {} }}", params.join(", ")) };
        let result = R::typescript(&mut self.types);
        self.row(operation.id(), &params, &result);
    }

    fn host<P: TS + 'static, R: TS + 'static>(&mut self, id: &str) {
        let params = self.types.name::<P>();
        let params = if params == "null" { "Record<string, never>".to_owned() } else { params };
        let result = self.types.name::<R>();
        self.row(id, &params, &result);
    }

    fn row(&mut self, id: &str, params: &str, result: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.rows, "  \"{id}\": {{ params: {params}; result: {result} }};");
    }
}

/// The whole TypeScript file.
pub fn typescript() -> String {
    let mut commands = Commands { types: Types::new(), rows: String::new() };
    operation::describe(&mut commands);
    commands.host::<(), host::SessionInfo>("session.info");
    commands.host::<(), host::AppState>("app.state");
    commands.host::<host::CreateStore, host::AppState>("app.create_store");
    commands.host::<host::OpenStore, host::AppState>("app.open_store");
    commands.host::<(), host::AppState>("app.create_sample");
    commands.host::<(), Vec<host::RecentStore>>("app.recent");
    commands.host::<(), host::AppState>("app.reconnect");
    commands.host::<host::AwaitHanded, host::HandedOver>("app.handed");
    commands.host::<host::ForgetStore, Vec<host::RecentStore>>("app.forget_store");
    commands.host::<host::MarkStore, Vec<host::RecentStore>>("app.mark_store");
    commands.host::<(), Option<host::StoreWork>>("store.work");
    commands.host::<(), host::StoreWork>("store.verify");
    commands.host::<host::CopyStore, host::StoreWork>("store.copy");
    commands.host::<host::Connect, crate::wire::consent::ConnectSession>("consent.connect");
    commands.host::<host::SwitchRoute, crate::wire::consent::ConnectSession>("consent.switch");
    commands.host::<host::SaveFile, host::SavedFile>("file.save");
    commands.host::<rehearsal::StartRehearsal, rehearsal::Rehearsal>("rehearse.start");
    commands.host::<rehearsal::StepRehearsal, rehearsal::Rehearsal>("rehearse.step");
    commands.host::<rehearsal::RehearsalId, rehearsal::Rehearsal>("rehearse.state");
    commands.host::<rehearsal::RehearsalId, ()>("rehearse.end");
    let Commands { mut types, rows } = commands;
    types.visit::<Problem>();
    types.visit::<Change>();
    types.visit::<host::SignIn>();
    types.visit::<host::LookAtLink>();
    types.visit::<host::LinkOffer>();
    types.visit::<patchbay_model::Code>();
    let declarations: Vec<String> = types.declarations.into_values().collect();
    let text = format!(
        "// Generated from the crates `model` and `api`; do not edit. To make it anew: PATCHBAY_BLESS=1 cargo test -p patchbay-api contract\n\n{}\n/** Every command of `/rpc` and of the window: its params and its result. */\nexport interface Commands {{\n{rows}}}\n",
        declarations.join("\n"),
    );
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_contract_is_fresh() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/lib/contract/contract.ts");
        let fresh = typescript();
        if std::env::var_os("PATCHBAY_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &fresh).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == fresh, "ui/src/lib/contract/contract.ts is stale: run PATCHBAY_BLESS=1 cargo test -p patchbay-api contract and commit it");
    }

    #[test]
    fn every_operation_is_a_command() {
        let text = typescript();
        for operation in Operation::ALL {
            assert!(text.contains(&format!("\"{}\": {{ params:", operation.id())), "{} is missing from the contract", operation.id());
        }
        assert!(!text.contains("bigint"), "large integers must be numbers");
    }
}
