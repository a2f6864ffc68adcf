//! Random requests. A command names objects by number, so that it keeps its meaning when others are shrunk away; what it
//! sends is put together from the state that the model has when its turn comes.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::lists::{Filter, OPERATORS, Type, fields, ordered, value};
use crate::model::{Kind, Model, Row};
use crate::world::Call;

/// How a path names an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    Id,
    UpperId,
    Name,
    UpperName,
    /// Something that may name one, or none.
    Word(&'static str),
}

/// One object of a kind, live ones far more often than deleted ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick {
    number: u8,
    by: By,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Create { kind: Kind, owner: Pick, point: Pick, name: Option<&'static str>, fullname: Option<&'static str>, variant: u8 },
    Read { kind: Kind, target: Pick },
    Update { kind: Kind, target: Pick, name: Option<&'static str>, fullname: Option<&'static str>, point: Pick, variant: u8 },
    Patch { kind: Kind, target: Pick, operations: Vec<u8> },
    Delete { kind: Kind, target: Pick },
    Undo { back: u8 },
    Turn { target: Pick, pause: bool },
    Mint { target: Pick, name: Option<&'static str> },
    Token { target: Pick, verb: &'static str },
    List(List),
    Wait { seconds: u32 },
}

/// A list, and how it is read.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) kind: Kind,
    owner: Option<Pick>,
    filters: Vec<Wish>,
    orders: Vec<(u8, bool)>,
    pub(crate) limit: u8,
    pub(crate) expand: Option<&'static str>,
    /// Which row's bare key the page begins behind; all pages are read where none is given.
    pub(crate) behind: Option<u8>,
    pub(crate) mistake: Option<(&'static str, &'static str, &'static str)>,
}

#[derive(Clone, Debug)]
struct Wish {
    field: u8,
    operator: u8,
    values: Vec<(u8, u8)>,
}

const NAMES: &[&str] = &["acme", "ACME", "globex", "a_b", "a-b", "axb", "~tilde", "initech", "verify", "Lookup", "two words", "", "0198c0de-0000-7000-8000-000000000000"];
const ADDRESSES: &[&str] = &["ada@example.com", "ADA@example.com", "grace@example.org", "robot", "no@dot", "Ünal@example.com"];
const FULLNAMES: &[&str] = &["Acme", "acme", "Smith, John", "Äcme", "äcme", "50% off", "Globex & Sons", "under_score", "info", " padded ", "", "two\nlines", "*", "Ω"];
const EXTERNAL: [&str; 3] = ["t-1", "t-2", ""];
const WORDS: &[&str] = &["acme", "globex", "nothing-here", "0198c0de-0000-7000-8000-000000000000", "default"];

/// Sequences that were answered differently once, the shortest of each.
pub(crate) fn known() -> Vec<Vec<Command>> {
    let first = Pick { number: 0, by: By::Id };
    let create = |kind, name, variant| Command::Create { kind, owner: first, point: first, name: Some(name), fullname: None, variant };
    let delete = |kind| Command::Delete { kind, target: first };
    // The name was given away: PostgreSQL refuses every statement after one that failed.
    let given_away =
        vec![create(Kind::Account, "acme", 1), create(Kind::Integration, "a-b", 3), delete(Kind::Integration), create(Kind::Integration, "a-b", 3), Command::Undo { back: 0 }];
    // What it belongs to went too.
    let parentless = vec![create(Kind::Account, "acme", 1), create(Kind::Integration, "a-b", 3), delete(Kind::Integration), delete(Kind::Account), Command::Undo { back: 1 }];
    vec![given_away, parentless]
}

fn pick() -> impl Strategy<Value = Pick> {
    let by = prop_oneof![6 => Just(By::Id), 1 => Just(By::UpperId), 4 => Just(By::Name), 2 => Just(By::UpperName), 1 => select(WORDS).prop_map(By::Word)];
    (any::<u8>(), by).prop_map(|(number, by)| Pick { number, by })
}

fn kinds(weights: [u32; 9]) -> impl Strategy<Value = Kind> {
    let weighted: Vec<Kind> = Kind::ALL.into_iter().zip(weights).flat_map(|(kind, weight)| std::iter::repeat_n(kind, weight as usize)).collect();
    select(weighted)
}

fn named(kind: Kind) -> impl Strategy<Value = Option<&'static str>> {
    let pool = if kind == Kind::Member { ADDRESSES } else { NAMES };
    proptest::option::weighted(0.6, select(pool))
}

fn list() -> impl Strategy<Value = List> {
    let wish = (any::<u8>(), any::<u8>(), prop::collection::vec((any::<u8>(), 0..8u8), 1..4)).prop_map(|(field, operator, values)| Wish { field, operator, values });
    let mistakes = select(&[
        ("limit", "0", "invalid_field"),
        ("limit", "1001", "invalid_field"),
        ("total", "maybe", "invalid_field"),
        ("order", "nonsense", "invalid_order"),
        ("order", "name[up]", "invalid_order"),
        ("filter", "nonsense[eq]x", "invalid_filter"),
        ("filter", "name[is]x", "invalid_filter"),
        ("filter", "name", "invalid_filter"),
    ]);
    let parts =
        (kinds([5, 2, 5, 2, 2, 2, 1, 1, 1]), proptest::option::weighted(0.3, pick()), prop::collection::vec(wish, 0..3), prop::collection::vec((any::<u8>(), any::<bool>()), 0..3));
    let reading = (1..5u8, proptest::option::weighted(0.3, select(&["account", "accounts", "integration_point", "all"])), proptest::option::weighted(0.2, any::<u8>()));
    (parts, reading, proptest::option::weighted(0.04, mistakes)).prop_map(|((kind, owner, filters, orders), (limit, expand, behind), mistake)| List {
        kind,
        owner,
        filters,
        orders,
        limit,
        expand,
        behind,
        mistake,
    })
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    let create = (kinds([6, 2, 5, 2, 2, 1, 1, 1, 1]), pick(), pick(), proptest::option::weighted(0.5, select(FULLNAMES)), any::<u8>())
        .prop_flat_map(|(kind, owner, point, fullname, variant)| named(kind).prop_map(move |name| Command::Create { kind, owner, point, name, fullname, variant }));
    let update = (kinds([4, 2, 4, 2, 2, 0, 1, 1, 1]), pick(), proptest::option::weighted(0.5, select(FULLNAMES)), pick(), any::<u8>())
        .prop_flat_map(|(kind, target, fullname, point, variant)| named(kind).prop_map(move |name| Command::Update { kind, target, name, fullname, point, variant }));
    let verbs = select(&["refresh", "rotate", "reset", "remove_secondary"]);
    prop_oneof![
        12 => create,
        2 => (kinds([1; 9]), pick()).prop_map(|(kind, target)| Command::Read { kind, target }),
        5 => update,
        4 => (kinds([4, 2, 3, 2, 2, 0, 0, 1, 1]), pick(), prop::collection::vec(0..17u8, 1..4)).prop_map(|(kind, target, operations)| Command::Patch { kind, target, operations }),
        5 => (kinds([3, 2, 3, 3, 2, 1, 1, 2, 1]), pick()).prop_map(|(kind, target)| Command::Delete { kind, target }),
        4 => (0..4u8).prop_map(|back| Command::Undo { back }),
        1 => (pick(), any::<bool>()).prop_map(|(target, pause)| Command::Turn { target, pause }),
        1 => (pick(), named(Kind::Token)).prop_map(|(target, name)| Command::Mint { target, name }),
        2 => (pick(), verbs).prop_map(|(target, verb)| Command::Token { target, verb }),
        10 => list().prop_map(Command::List),
        2 => select(&[1u32, 30, 599, 601, 90_000]).prop_map(|seconds| Command::Wait { seconds }),
    ]
}

fn picked(model: &Model, kind: Kind, pick: Pick) -> Option<&Row> {
    let of_kind: Vec<&Row> = model.rows.iter().filter(|row| row.kind == kind && (row.gone.is_none() || pick.number >= 224) && Some(&row.id) != model.spared.as_ref()).collect();
    (!of_kind.is_empty()).then(|| of_kind[usize::from(pick.number) % of_kind.len()])
}

fn text(row: Option<&Row>, by: By) -> String {
    match (row, by) {
        (_, By::Word(word)) => word.to_owned(),
        (None, _) => "nothing-here".to_owned(),
        (Some(row), By::Id) => row.id.clone(),
        (Some(row), By::UpperId) => row.id.to_uppercase(),
        (Some(row), By::Name) => row.text("name").to_owned(),
        (Some(row), By::UpperName) => row.text("name").to_uppercase(),
    }
}

fn call(operation: &'static str, path: &[(&'static str, String)], body: Option<Value>) -> Call {
    Call { operation, path: path.to_vec(), query: Vec::new(), body }
}

/// The operation of a kind; they are few enough to be spelled out.
pub(crate) fn operation(kind: Kind, verb: &str) -> &'static str {
    let id = format!("{}.{verb}", kind.resource());
    patchbay_model::Operation::from_id(&id).map_or("", |operation| operation.id())
}

/// The path to a row by ids.
pub(crate) fn path_of(model: &Model, row: &Row) -> Vec<(&'static str, String)> {
    let number = model.rows.iter().filter(|known| known.kind == row.kind && known.gone.is_none()).position(|known| known.id == row.id);
    path(model, row.kind, Pick { number: number.and_then(|number| u8::try_from(number).ok()).unwrap_or_default(), by: By::Id })
}

/// The path to an object that exists or does not.
fn path(model: &Model, kind: Kind, pick: Pick) -> Vec<(&'static str, String)> {
    let row = picked(model, kind, pick);
    let own = text(row, pick.by);
    let within = |kind: Kind, name: &'static str| {
        let parent = row.and_then(|row| model.rows.iter().find(|known| known.id == row.parent || (kind == Kind::Account && known.id == row.text("account_id"))));
        (name, text(parent, if matches!(pick.by, By::Word(_)) { By::Name } else { pick.by }))
    };
    match kind {
        Kind::Account => vec![("account_id", own)],
        Kind::Point => vec![("integration_point_id", own)],
        Kind::Integration => vec![within(Kind::Account, "account_id"), ("integration_id", own)],
        Kind::Credential => vec![within(Kind::Credential, "owner_id"), ("credential_id", own)],
        Kind::Member => vec![("member_id", own)],
        Kind::Token => vec![("refresh_token_id", own)],
        Kind::App => vec![("provider_app_id", own)],
        Kind::Role => vec![("role_id", own)],
        Kind::Webhook => vec![("webhook_id", own)],
    }
}

impl Command {
    /// The request; lists and waiting are more than one, or none.
    pub(crate) fn call(&self, model: &Model) -> Option<Call> {
        Some(match self {
            Self::Create { kind, owner, point, name, fullname, variant } => {
                let mut body = json!({});
                for (member, text) in [("name", name), ("fullname", fullname)] {
                    if let Some(text) = text {
                        body[member] = json!(text);
                    }
                }
                let path = created(model, *kind, *owner, *point, usize::from(*variant), &mut body);
                call(operation(*kind, if *kind == Kind::Token { "create_token" } else { "create" }), &path, Some(body))
            }
            Self::Read { kind, target } => call(operation(*kind, "get"), &path(model, *kind, *target), None),
            Self::Update { kind, target, name, fullname, point, variant } => {
                let mut body = picked(model, *kind, *target).map_or(json!({ "fullname": "x" }), |row| row.wire.clone());
                changed(model, *kind, *point, usize::from(*variant), &mut body);
                for (member, text) in [("name", name), ("fullname", fullname)] {
                    if let Some(text) = text {
                        body[member] = json!(text);
                    }
                }
                call(operation(*kind, "update"), &path(model, *kind, *target), Some(body))
            }
            Self::Patch { kind, target, operations } => {
                let row = picked(model, *kind, *target);
                let operations = operations.iter().map(|number| patched(row, *number)).collect();
                call(operation(*kind, "patch"), &path(model, *kind, *target), Some(Value::Array(operations)))
            }
            Self::Delete { kind, target } => call(operation(*kind, "delete"), &path(model, *kind, *target), None),
            Self::Undo { back } => call("deletions.undo", &[("deletion_id", model.deletion(usize::from(*back)))], None),
            Self::Turn { target, pause } => call(if *pause { "integrations.pause" } else { "integrations.resume" }, &path(model, Kind::Integration, *target), None),
            Self::Mint { target, name } => {
                call("tokens.create_integration_token", &path(model, Kind::Integration, *target), Some(name.map_or(json!({}), |name| json!({ "name": name }))))
            }
            Self::Token { target, verb } => {
                let mut path = path(model, Kind::Token, *target);
                let owner = picked(model, Kind::Token, *target).map_or_else(|| model.organization.clone(), |row| row.parent.clone());
                path.push(("owner_id", if target.number.is_multiple_of(16) { model.actor.clone() } else { owner }));
                call(operation(Kind::Token, verb), &path, None)
            }
            Self::List(_) | Self::Wait { .. } => return None,
        })
    }
}

/// The rest of a body for a new object, and the path to where it belongs.
fn created(model: &Model, kind: Kind, owner: Pick, point: Pick, variant: usize, body: &mut Value) -> Vec<(&'static str, String)> {
    match kind {
        Kind::Account => {
            body["environment"] = [Value::Null, json!("test"), json!("prod"), json!("test"), Value::Null, json!("prod"), Value::Null, json!("stage")][variant % 8].clone();
            body["labels"] = [Value::Null, json!(["gold"]), json!(["eu:1", "gold", "gold"]), json!(["Gold"]), json!([]), json!(["not good"])][variant / 8 % 6].clone();
            if variant.is_multiple_of(5) {
                body["x_patchbay"] = json!({ "external_id": EXTERNAL[variant / 5 % 3] });
            }
            Vec::new()
        }
        Kind::Point => {
            body["connector"] = json!(if variant % 8 == 7 { "identity" } else { "ticketing" });
            body["environments"] = environments(variant / 8);
            body["description"] = if variant.is_multiple_of(3) { json!("What it is for") } else { Value::Null };
            Vec::new()
        }
        Kind::Integration => {
            let credential = picked(model, Kind::Credential, Pick { number: point.number % 224, ..point });
            let of_credential = credential.and_then(|row| model.rows.iter().find(|known| known.id == row.text("account_id")));
            let account = if (5..7).contains(&(variant % 9)) { of_credential } else { picked(model, Kind::Account, owner) };
            let redmine = |credential: Value| json!({ "type": "ticketing_redmine", "url": "http://127.0.0.1:9", "credential": credential });
            body["provider_config"] = match variant % 9 {
                4 => redmine(json!({ "type": "token", "secret": "abc" })),
                5 => redmine(json!({ "type": "token_id", "value": text(credential, By::Id) })),
                6 => redmine(json!({ "type": "token_id", "value": text(credential, By::Name) })),
                7 => json!({ "type": "nonsense" }),
                8 => json!({ "type": "ticketing_mock_ticketing", "credential": { "type": "token", "secret": "abc" } }),
                _ => json!({ "type": "ticketing_mock_ticketing" }),
            };
            if variant / 9 % 2 == 1 {
                body["integration_point_id"] = json!(text(picked(model, Kind::Point, point), point.by));
            }
            vec![("account_id", text(account, owner.by))]
        }
        Kind::Credential => {
            let kind = [Kind::Account, Kind::Account, Kind::Account, Kind::Point, Kind::Integration][variant % 5];
            body["config"] = [
                json!({ "type": "token", "secret": "s" }),
                json!({ "type": "basic", "username": "u", "secret": "s" }),
                json!({ "type": "secret" }),
                json!({ "type": "token", "secret": "s" }),
            ][variant / 5 % 4]
                .clone();
            body["expires"] = [Value::Null, json!("2027-01-31T12:00:00.000000Z"), Value::Null, json!("2020-01-31T12:00:00.000000Z")][variant / 20 % 4].clone();
            vec![("owner_id", text(picked(model, kind, owner), owner.by))]
        }
        Kind::Member => {
            body["type"] = if body["name"] == "robot" || variant.is_multiple_of(5) { json!("service") } else { Value::Null };
            body["role_binding"] = roles(variant / 5);
            body["nickname"] = if variant.is_multiple_of(2) { json!("Nick") } else { Value::Null };
            if body["name"].is_null() {
                body["name"] = json!(format!("member-{variant}@example.com"));
            }
            Vec::new()
        }
        Kind::Token => {
            body["permission_set"] = json!(SETS[variant % 5]);
            body["resources"] = json!({});
            Vec::new()
        }
        Kind::Webhook => {
            body["environment"] = [Value::Null, json!("test"), json!("prod"), json!("stage")][variant % 4].clone();
            body["filters"] = [json!(["all"]), json!(["account_create", "integration_delete"]), json!([])][variant / 4 % 3].clone();
            body["url"] = json!(["https://127.0.0.1:9/hook", "https://127.0.0.1:9/other", "ftp://127.0.0.1/hook"][variant / 12 % 3]);
            body["secret"] = json!({ "value": "a long and random text" });
            Vec::new()
        }
        Kind::Role => {
            body["permission_set"] = json!(SETS[variant % 5]);
            body["description"] = if variant.is_multiple_of(2) { json!("What it is for") } else { Value::Null };
            Vec::new()
        }
        Kind::App => {
            body["provider"] = json!(if variant % 7 == 6 { "ticketing_redmine" } else { "identity_openid" });
            body["client_id"] = json!(if variant % 6 == 5 { "" } else { "client" });
            body["issuer"] = if variant.is_multiple_of(2) { json!("https://id.example.com") } else { Value::Null };
            body["redirect_uris"] = [json!([]), json!(["https://a.example.com/back"]), json!(["http://a.example.com/back"])][variant / 2 % 3].clone();
            Vec::new()
        }
    }
}

const SETS: [&str; 5] = ["administrator", "viewer", "member", "account-manager", "everything"];

fn environments(variant: usize) -> Value {
    [
        json!({ "prod": ["*"], "test": ["*"] }),
        json!({ "prod": ["ticketing_mock_ticketing"] }),
        json!({ "test": ["ticketing_redmine"], "prod": [] }),
        json!({}),
        json!({ "prod": ["*"] }),
        json!({ "prod": ["nonsense"] }),
    ][variant % 6]
        .clone()
}

fn roles(variant: usize) -> Value {
    [Value::Null, json!(["acme"]), json!(["root_administrator", "globex"]), json!(["viewer", "viewer"]), json!([]), json!(["nobody"]), json!(["acme", "viewer"]), json!(["a-b"])]
        [variant % 8]
        .clone()
}

/// Other changes than of names to a whole object.
fn changed(model: &Model, kind: Kind, point: Pick, variant: usize, body: &mut Value) {
    match kind {
        Kind::Account if variant.is_multiple_of(3) => body["environment"] = json!(["test", "prod", "stage"][variant / 3 % 3]),
        Kind::Account if variant % 3 == 1 => body["labels"] = [json!(["silver"]), json!([]), Value::Null, json!(["not good"])][variant / 3 % 4].clone(),
        Kind::Account if variant % 7 == 2 => body["x_patchbay"] = json!({ "external_id": EXTERNAL[variant / 7 % 3] }),
        Kind::Point if variant.is_multiple_of(3) => body["environments"] = environments(variant / 3),
        Kind::Point if variant % 5 == 1 => body["connector"] = json!("identity"),
        Kind::Point if variant % 3 == 2 => body["description"] = json!("Another"),
        Kind::Integration if variant.is_multiple_of(2) => {
            body["integration_point_id"] = if variant.is_multiple_of(4) { Value::Null } else { json!(text(picked(model, Kind::Point, point), point.by)) }
        }
        Kind::Integration if variant % 7 == 1 => body["provider_config"] = json!({ "type": "ticketing_redmine" }),
        Kind::Credential if variant.is_multiple_of(3) => {
            body["expires"] = [Value::Null, json!("2027-01-31T12:00:00.000000Z"), json!("2020-01-31T12:00:00.000000Z")][variant / 3 % 3].clone()
        }
        Kind::Credential if variant % 5 == 1 => body["config"] = json!({ "type": "aws" }),
        Kind::Member if variant.is_multiple_of(3) => body["role_binding"] = roles(variant / 3),
        Kind::Member if variant % 3 == 1 => body["nickname"] = Value::Null,
        Kind::Webhook if variant.is_multiple_of(3) => body["environment"] = json!(["test", "prod"][variant / 3 % 2]),
        Kind::Webhook if variant % 3 == 1 => body["filters"] = [json!(["account_delete"]), json!([])][variant / 3 % 2].clone(),
        Kind::Role if variant.is_multiple_of(2) => body["permission_set"] = json!(SETS[variant / 2 % 5]),
        Kind::Role if variant.is_multiple_of(3) => body["description"] = Value::Null,
        Kind::App if variant.is_multiple_of(3) => body["client_id"] = json!(["other", ""][variant / 3 % 2]),
        _ => {}
    }
    if variant.is_multiple_of(11) {
        let extra = json!(if variant.is_multiple_of(2) { body["updated_at"].clone() } else { json!("2026-01-01T00:00:00.000000Z") });
        match body["x_patchbay"].as_object_mut() {
            Some(object) => drop(object.insert("expected_updated_at".to_owned(), extra)),
            None => body["x_patchbay"] = json!({ "expected_updated_at": extra }),
        }
    }
}

fn patched(row: Option<&Row>, number: u8) -> Value {
    let name = row.map_or("", |row| row.text("name"));
    match number {
        0 => json!({ "op": "replace", "path": "/fullname", "value": "Patched" }),
        1 => json!({ "op": "replace", "path": "/name", "value": "Patched" }),
        2 => json!({ "op": "test", "path": "/name", "value": name }),
        3 => json!({ "op": "test", "path": "/name", "value": "nonsense" }),
        4 => json!({ "op": "remove", "path": "/description" }),
        5 => json!({ "op": "copy", "from": "/name", "path": "/fullname" }),
        6 => json!({ "op": "move", "from": "/fullname", "path": "/name" }),
        7 => json!({ "op": "replace", "path": "/id", "value": "0198c0de-0000-7000-8000-000000000000" }),
        8 => json!({ "op": "add", "path": "/labels/-", "value": "gold" }),
        9 => json!({ "op": "remove", "path": "/labels/0" }),
        10 => json!({ "op": "add", "path": "/nonsense", "value": 1 }),
        11 => json!({ "op": "twist", "path": "/name" }),
        12 => json!({ "op": "replace", "path": "", "value": [] }),
        13 => json!({ "op": "replace", "path": "/environment", "value": "test" }),
        14 => json!({ "op": "move", "from": "/labels/0", "path": "/labels/-" }),
        15 => json!({ "op": "remove", "path": "/integration_point_id" }),
        _ => json!({ "op": "remove", "path": "/nickname" }),
    }
}

/// A list as it will be asked for.
pub(crate) struct Asked {
    pub(crate) call: Call,
    pub(crate) parent: Option<String>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) orders: Vec<(&'static str, bool)>,
}

impl List {
    /// The request, and what the model needs to answer it. Nothing for credentials while nobody can own any.
    pub(crate) fn asked(&self, model: &Model) -> Option<Asked> {
        let owned = matches!(self.kind, Kind::Integration | Kind::Credential);
        let owner = match (self.kind, self.owner) {
            (Kind::Credential, owner) => picked(model, Kind::Account, owner.unwrap_or(Pick { number: self.limit, by: By::Id })),
            (_, owner) => owner.filter(|_| owned).and_then(|owner| picked(model, Kind::Account, Pick { number: owner.number % 224, ..owner })),
        };
        let owner = owner.filter(|row| row.gone.is_none());
        if self.kind == Kind::Credential && owner.is_none() {
            return None;
        }
        let filters: Vec<Filter> = self.filters.iter().map(|wish| self.filter(model, wish)).collect();
        let known = fields(self.kind);
        let mut orders: Vec<(&'static str, bool)> = Vec::new();
        for (number, descending) in &self.orders {
            let (field, of) = known[usize::from(*number) % known.len()];
            if ordered(field, of, orders.is_empty()) && !orders.iter().any(|(known, _)| *known == field) {
                orders.push((field, *descending));
            }
        }
        let mut query: Vec<(&'static str, String)> = vec![("limit", self.limit.to_string()), ("total", "true".to_owned())];
        query.extend(filters.iter().map(|filter| ("filter", filter.to_string())));
        query.extend(orders.iter().map(|(field, descending)| ("order", if *descending { format!("{field}[desc]") } else { (*field).to_owned() })));
        query.extend(self.expand.filter(|_| self.kind == Kind::Integration).map(|word| ("expand", word.to_owned())));
        let path: Vec<(&'static str, String)> = owner.map(|row| (if self.kind == Kind::Credential { "owner_id" } else { "account_id" }, row.id.clone())).into_iter().collect();
        let verb = if self.kind == Kind::Integration && owner.is_some() { "list_account" } else { "list" };
        let call = Call { operation: operation(self.kind, verb), path, query, body: None };
        Some(Asked { call, parent: owner.map(|row| row.id.clone()), filters, orders })
    }

    fn filter(&self, model: &Model, wish: &Wish) -> Filter {
        let known = fields(self.kind);
        let (field, of) = known[usize::from(wish.field) % known.len()];
        let operator = OPERATORS[usize::from(wish.operator) % OPERATORS.len()];
        let values = wish.values.iter().map(|(number, twist)| {
            let row = picked(model, self.kind, Pick { number: *number, by: By::Id });
            let labels = ["gold", "eu:1", "Gold", "viewer", "member"];
            let text =
                row.and_then(|row| value(model, row, field)).unwrap_or(if of == Type::Texts { labels[usize::from(*number) % 5] } else { FULLNAMES[usize::from(*number) % 4] });
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            match (twist, operator) {
                (1, "like" | "not like") => format!("{half}%"),
                (2, "like" | "not like") => format!("*{}", text.strip_prefix(&half).unwrap_or_default()),
                (3, "like" | "not like") => format!("%{half}*").to_uppercase(),
                (4, _) => text.to_uppercase(),
                (5, _) => "nonsense".to_owned(),
                _ => text.to_owned(),
            }
        });
        let most = if operator.ends_with("in") { 3 } else { 1 };
        Filter { field, of, operator, values: values.take(most).collect() }
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quoted = |value: &String| if value.contains(',') || value.len().is_multiple_of(2) { format!("\"{value}\"") } else { value.clone() };
        let values: Vec<String> = self.values.iter().map(quoted).collect();
        write!(f, "{}[{}]{}", self.field, self.operator, values.join(if self.values.len().is_multiple_of(2) { ", " } else { "," }))
    }
}
