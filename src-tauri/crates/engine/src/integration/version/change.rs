//! What a move between two versions of a definition changes, and what forbids it.

use patchbay_model::account::Account;
use patchbay_model::definition::{Definition, DefinitionStatus};
use patchbay_model::integration::Integration;
use patchbay_model::point::IntegrationPoint;
use patchbay_model::{Code, DefinitionId, Problem};
use patchbay_store::ReadTx;
use serde_json::{Map, Value};

use super::{SchemaChange, Target};
use crate::call::whole_settings;
use crate::governance::{self, Subject};
use crate::integration::config::{escaped, place};
use crate::{Engine, schema};

/// A move, thought through.
pub(super) struct Change {
    pub(super) from: Definition,
    pub(super) to: Definition,
    pub(super) before: Map<String, Value>,
    pub(super) after: Map<String, Value>,
    pub(super) problems: Vec<Problem>,
}

impl Change {
    /// The whole configuration as the move would store it: `type` and the credential's reference stay.
    pub(super) fn stored(&self, integration: &Integration) -> Value {
        let mut config = Map::new();
        for member in ["type", "credential"] {
            if let Some(value) = integration.config.get(member) {
                config.insert(member.to_owned(), value.clone());
            }
        }
        config.extend(self.after.clone());
        Value::Object(config)
    }
}

/// Thinks a move through.
///
/// # Errors
/// `invalid_field` for a target that is not there or belongs to another provider; problems of the store.
pub(super) async fn planned(
    engine: &Engine,
    tx: &mut ReadTx,
    account: &Account,
    integration: &Integration,
    point: Option<&IntegrationPoint>,
    target: &Target,
) -> Result<Change, Problem> {
    let versions = tx.definitions_of(&integration.provider).await?;
    let gone = || Problem::internal("an integration pins a definition that is not there");
    let from = versions.iter().find(|definition| definition.id == integration.definition).cloned().ok_or_else(gone)?;
    let to = wanted(&versions, integration, target)?.clone();
    let before = whole_settings(&integration.config);
    let after = match &target.config {
        Some(config) => config.clone(),
        None => carried(&before, &to),
    };
    let mut change = Change { from, to, before, after, problems: Vec::new() };
    if let Some(point) = point {
        for (member, value) in governance::locked(point, &change.to) {
            change.after.entry(member.to_owned()).or_insert_with(|| value.clone());
        }
    }
    change.problems = problems(engine, account, integration, point, &change);
    Ok(change)
}

/// The version that is named.
fn wanted<'a>(versions: &'a [Definition], integration: &Integration, target: &Target) -> Result<&'a Definition, Problem> {
    let (at, named) = match (&target.definition, &target.version) {
        (Some(id), None) => ("/definition_id", id.parse::<DefinitionId>().ok().and_then(|id| versions.iter().find(|definition| definition.id == id))),
        (None, Some(version)) => ("/version", versions.iter().find(|definition| definition.version == *version)),
        _ => return Err(Problem::field("/version", "Give either `version` or `definition_id`, to say where the integration shall move.")),
    };
    named.ok_or_else(|| {
        let known = versions.iter().map(|definition| definition.version.as_str()).collect::<Vec<_>>().join(", ");
        Problem::field(at, format!("{at} names no version of {}. There are {known}.", integration.provider))
    })
}

/// The present configuration as far as the version knows it, and the schema's own defaults where a member must be given and is not.
fn carried(before: &Map<String, Value>, to: &Definition) -> Map<String, Value> {
    let mut after: Map<String, Value> = before.iter().filter(|(member, _)| to.config_member(member).is_some()).map(|(member, value)| (member.clone(), value.clone())).collect();
    for (member, schema) in to.config_members() {
        if to.config_requires(member)
            && let Some(default) = schema.get("default")
        {
            after.entry(member.to_owned()).or_insert_with(|| default.clone());
        }
    }
    after
}

fn problems(engine: &Engine, account: &Account, integration: &Integration, point: Option<&IntegrationPoint>, change: &Change) -> Vec<Problem> {
    let to = &change.to;
    let mut problems = Vec::new();
    if to.id == change.from.id {
        problems.push(Problem::field("/version", format!("Integration `{}` pins version {} already.", integration.name, to.version)));
    }
    if to.status == DefinitionStatus::Withdrawn {
        let provider = engine.provider_of(to);
        let sunset = provider.as_ref().and_then(|provider| provider.manifest().version_sunset());
        let reason = sunset.map_or("It must not be used any more.", |sunset| sunset.reason.as_str());
        problems.push(Problem::new(Code::DefinitionWithdrawn, format!("Version {} of {} was withdrawn. {reason} Choose another version.", to.version, to.provider)));
    }
    let given = Value::Object(change.after.clone());
    problems.extend(schema::check_at(&to.config_schema, &given, &|path| format!("/config{path}")).err());
    problems.extend(credential(integration, to));
    if let Some(point) = point {
        let subject = Subject { environment: account.environment, definition: to, config: &given };
        for violation in governance::violations(point, &subject) {
            let problem = match &violation.member {
                Some(member) => Problem::new(Code::InvalidConfig, violation.message).at_body(&format!("/config/{}", escaped(member))),
                None => Problem::new(Code::ProviderNotAllowed, violation.message),
            };
            problems.push(problem.with_resource("integration_point", point.id, "cause"));
        }
    }
    problems
}

/// The credential that is in use must be one that the version takes; a move does not touch it.
fn credential(integration: &Integration, to: &Definition) -> Option<Problem> {
    let word = integration.config.pointer("/credential/type").and_then(Value::as_str).map(|word| word.strip_suffix("_id").unwrap_or(word));
    let accepted: Vec<&str> = to.credentials().map(|(word, _)| word).collect();
    let refused = |message: String| Some(Problem::new(Code::InvalidConfig, message).at_body(&place("/credential/type")).with_resource("integration", integration.id, "affected"));
    match word {
        Some(word) if accepted.contains(&word) => None,
        Some(word) if accepted.is_empty() => {
            refused(format!("Version {} of {} takes no credential, and the integration has one of type `{word}`. Make another integration.", to.version, to.provider))
        }
        Some(word) => refused(format!(
            "Version {} of {} does not take the integration's credential of type `{word}` any more; it takes {}. Give the integration such a credential first, or make another integration.",
            to.version,
            to.provider,
            accepted.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        )),
        None if accepted.is_empty() => None,
        None => refused(format!("Version {} of {} needs a credential, and the integration has none. Make another integration.", to.version, to.provider)),
    }
}

/// How the members of the configuration differ.
pub(super) fn schema_changes(from: &Definition, to: &Definition) -> Vec<SchemaChange> {
    let required = |member: &str| (from.config_requires(member), to.config_requires(member));
    let before: Vec<_> = from.config_members().collect();
    let after: Vec<_> = to.config_members().collect();
    differences(&before, &after, &required)
}

/// How the credentials that are taken differ.
pub(super) fn credential_changes(from: &Definition, to: &Definition) -> Vec<SchemaChange> {
    let before: Vec<_> = from.credentials().collect();
    let after: Vec<_> = to.credentials().collect();
    differences(&before, &after, &|_| (false, false))
}

/// In the order of the newer version, what is gone behind it.
fn differences(before: &[(&str, &Value)], after: &[(&str, &Value)], required: &dyn Fn(&str) -> (bool, bool)) -> Vec<SchemaChange> {
    let find = |side: &[(&str, &Value)], member: &str| side.iter().find(|(known, _)| *known == member).map(|(_, schema)| (*schema).clone());
    let gone = before.iter().filter(|(member, _)| find(after, member).is_none());
    after
        .iter()
        .chain(gone)
        .map(|(member, _)| SchemaChange { member: (*member).to_owned(), before: find(before, member), after: find(after, member), required: required(member) })
        .filter(|change| change.before != change.after || (change.required.0 != change.required.1 && change.before.is_some()))
        .collect()
}
