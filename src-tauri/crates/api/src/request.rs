//! A request to a management operation, the same whether it came over HTTP or as a command: named path parameters, query
//! pairs and a JSON body. Reading it into types is where wrong types are refused, with a pointer to the place.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use patchbay_engine::deadline::{self, DeadlineQuery};
use patchbay_engine::status::Interval;
use patchbay_model::deadline::{Actor, DeadlineKind};
use patchbay_model::list::{Filter, ListQuery, Order};
use patchbay_model::problem::Location;
use patchbay_model::{AccountId, Code, Problem};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use ts_rs::TS;

use crate::contract::Types;
use crate::openapi::Schemas;
use crate::wire::audit::{ExportFormat, ExportParams};
use crate::wire::consent::PlaceParams;
use crate::wire::deadline::DeadlineParams;
use crate::wire::query::{ExpandParams, JsonPatch, ListParams, PatchOperation};
use crate::wire::revocation::DeleteParams;
use crate::wire::status::TimeseriesParams;

/// A request before its parts are read into types.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Path parameters by name, percent-decoded.
    pub path: Vec<(String, String)>,
    /// Query parameters in order; a repeated one stands as often as it was sent.
    pub query: Vec<(String, String)>,
    /// The body; nothing when none was sent.
    pub body: Option<Value>,
}

impl Request {
    /// A path parameter, an id or a name.
    ///
    /// # Errors
    /// `invalid_request` when a command was sent without it; a route always has it.
    pub fn path(&self, name: &str) -> Result<&str, Problem> {
        let found = self.path.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match found {
            Some(value) if !value.is_empty() && value.len() <= 300 => Ok(value),
            Some(value) if !value.is_empty() => Err(Problem::not_found("object", value)),
            _ => Err(Problem::new(Code::InvalidRequest, format!("The path parameter `{name}` is missing. Give it in `path`.")).at(Location::Path, name)),
        }
    }

    /// All values of a query parameter.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a query is read into.
pub trait ReadQuery: Sized {
    /// Reads the parameters that the operation knows; others are tolerated, as the SDK sends none.
    ///
    /// # Errors
    /// `invalid_field`, `invalid_filter` or `invalid_order`, pointing at the parameter.
    fn read(request: &Request) -> Result<Self, Problem>;

    /// The TypeScript of the parameters; nothing when there are none.
    fn typescript(types: &mut Types) -> Option<String>;

    /// The parameters as OpenAPI describes them.
    fn parameters(schemas: &Schemas) -> Vec<Value>;
}

/// No query parameters.
#[derive(Clone, Copy, Debug)]
pub struct NoQuery;

impl ReadQuery for NoQuery {
    fn read(_: &Request) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn typescript(_: &mut Types) -> Option<String> {
        None
    }

    fn parameters(_: &Schemas) -> Vec<Value> {
        Vec::new()
    }
}

/// Parameters of a list.
#[derive(Clone, Debug, Default)]
pub struct ListOf {
    /// Paging, order and filters.
    pub list: ListQuery,
    /// Parts to put in.
    pub expand: Expand,
}

impl ReadQuery for ListOf {
    fn read(request: &Request) -> Result<Self, Problem> {
        let limit = request.values("limit").last().map(|text| read_limit(text, ListQuery::MAX_LIMIT)).transpose()?;
        let total = match request.values("total").last() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Problem::new(Code::InvalidField, "The parameter `total` must be true or false.").at(Location::Query, "total")),
        };
        let list = ListQuery {
            filters: read_all(request, "filter", Filter::parse)?,
            orders: read_all(request, "order", Order::parse)?,
            start_after: request.values("start_after").last().filter(|text| !text.is_empty()).map(ToOwned::to_owned),
            limit,
            total,
        };
        if list.start_after.as_ref().is_some_and(|text| text.len() > 2000) {
            return Err(Problem::new(
                Code::InvalidCursor,
                "The parameter `start_after` is too long. Give the value of `X-Next-Start-After`, or the sort key of the last row seen.",
            )
            .at(Location::Query, "start_after"));
        }
        Ok(Self { list, expand: Expand::read(request)? })
    }

    fn typescript(types: &mut Types) -> Option<String> {
        Some(types.name::<ListParams>())
    }

    fn parameters(schemas: &Schemas) -> Vec<Value> {
        schemas.parameters::<ListParams>()
    }
}

/// Parameters of an export of the audit log.
#[derive(Clone, Debug, Default)]
pub struct ExportOf {
    /// Where it begins, order and filters.
    pub list: ListQuery,
    /// How it is written.
    pub format: ExportFormat,
}

impl ReadQuery for ExportOf {
    fn read(request: &Request) -> Result<Self, Problem> {
        let format = match request.values("format").last() {
            None | Some("jsonl") => ExportFormat::Jsonl,
            Some("csv") => ExportFormat::Csv,
            Some(_) => return Err(Problem::new(Code::InvalidField, "The parameter `format` must be jsonl or csv.").at(Location::Query, "format")),
        };
        Ok(Self { list: ListOf::read(request)?.list, format })
    }

    fn typescript(types: &mut Types) -> Option<String> {
        Some(types.name::<ExportParams>())
    }

    fn parameters(schemas: &Schemas) -> Vec<Value> {
        schemas.parameters::<ExportParams>()
    }
}

/// Most filters or sort keys of one request: enough for any screen, few enough to stay a query.
pub(crate) const MAX_CONDITIONS: usize = 20;

fn read_all<T>(request: &Request, name: &'static str, parse: fn(&str) -> Result<T, Problem>) -> Result<Vec<T>, Problem> {
    if request.values(name).count() > MAX_CONDITIONS {
        return Err(Problem::new(Code::InvalidField, format!("The parameter `{name}` may be given at most {MAX_CONDITIONS} times.")).at(Location::Query, name));
    }
    request.values(name).map(parse).collect()
}

/// Reads a `limit` of 1 to `most`.
///
/// # Errors
/// `invalid_field` for anything else.
pub fn read_limit(text: &str, most: u32) -> Result<u32, Problem> {
    text.parse()
        .ok()
        .filter(|limit| (1..=most).contains(limit))
        .ok_or_else(|| Problem::new(Code::InvalidField, format!("The parameter `limit` must be a whole number from 1 to {most}.")).at(Location::Query, "limit"))
}

/// Parts to put in. Words that are not known are refused, so that a mistake is not taken for an empty part.
#[derive(Clone, Debug, Default)]
pub struct Expand(Vec<String>);

impl Expand {
    const KNOWN: &'static [&'static str] = &[
        "all",
        "account",
        "accounts",
        "integration",
        "integrations",
        "integration_point",
        "integration_points",
        "connector",
        "providers",
        "operations",
        "provider_config",
        "request_body",
        "facts",
    ];

    fn read(request: &Request) -> Result<Self, Problem> {
        let words: Vec<String> = request.values("expand").flat_map(|text| text.split(',')).map(|word| word.trim().to_owned()).collect();
        match words.iter().find(|word| !Self::KNOWN.contains(&word.as_str())) {
            None => Ok(Self(words)),
            Some(word) => {
                let shown: String = word.chars().take(60).collect();
                Err(Problem::new(Code::InvalidField, format!("`{shown}` cannot be expanded. Known are {}.", Self::KNOWN.join(", "))).at(Location::Query, "expand"))
            }
        }
    }

    /// Whether this part was asked for, in singular or plural, or all were.
    pub fn has(&self, word: &str) -> bool {
        self.0.iter().any(|given| given == "all" || given == word || given.strip_suffix('s') == Some(word))
    }
}

impl ReadQuery for Expand {
    fn read(request: &Request) -> Result<Self, Problem> {
        Self::read(request)
    }

    fn typescript(types: &mut Types) -> Option<String> {
        Some(types.name::<ExpandParams>())
    }

    fn parameters(schemas: &Schemas) -> Vec<Value> {
        schemas.parameters::<ExpandParams>()
    }
}

/// What the program can do that asks for the ways of a consent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// It can show a window of its own.
    pub window: bool,
    /// It can open the system's browser and listen on its machine.
    pub browser: bool,
}

impl ReadQuery for Place {
    fn read(request: &Request) -> Result<Self, Problem> {
        let said = |name: &'static str| match request.values(name).last() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::new(Code::InvalidField, format!("The parameter `{name}` must be true or false.")).at(Location::Query, name)),
        };
        Ok(Self { window: said("window")?, browser: said("browser")? })
    }

    fn typescript(types: &mut Types) -> Option<String> {
        Some(types.name::<PlaceParams>())
    }

    fn parameters(schemas: &Schemas) -> Vec<Value> {
        schemas.parameters::<PlaceParams>()
    }
}

/// Whether a delete takes access back at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Revoking {
    /// At once, and not only when it can no longer be undone.
    pub now: bool,
}

impl ReadQuery for Revoking {
    fn read(request: &Request) -> Result<Self, Problem> {
        match request.values("revoke").last() {
            None => Ok(Self { now: false }),
            Some("now") => Ok(Self { now: true }),
            Some(_) => Err(Problem::new(Code::InvalidField, "The parameter `revoke` must be now, or left out.").at(Location::Query, "revoke")),
        }
    }

    fn typescript(types: &mut Types) -> Option<String> {
        Some(types.name::<DeleteParams>())
    }

    fn parameters(schemas: &Schemas) -> Vec<Value> {
        schemas.parameters::<DeleteParams>()
    }
}

/// Parameters of a time series.
#[derive(Clone, Copy, Debug)]
pub struct Timeseries {
    /// Its steps.
    pub interval: Interval,
}

impl ReadQuery for Timeseries {
    fn read(request: &Request) -> Result<Self, Problem> {
        let interval = match request.values("interval").last() {
            None => Interval::default(),
            Some(text) => text.parse().map_err(|()| Problem::new(Code::InvalidField, "The parameter `interval` must be hour, minute or day.").at(Location::Query, "interval"))?,
        };
        Ok(Self { interval })
    }

    fn typescript(types: &mut Types) -> Option<String> {
        Some(types.name::<TimeseriesParams>())
    }

    fn parameters(schemas: &Schemas) -> Vec<Value> {
        schemas.parameters::<TimeseriesParams>()
    }
}

/// Parameters of a list of deadlines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadlinesOf(pub DeadlineQuery);

impl DeadlinesOf {
    /// How far ahead is looked where nothing is said.
    const WITHIN: Duration = Duration::from_secs(90 * 86_400);
    /// Reads `30d`, `12h` or `8w`.
    fn within(text: &str) -> Option<Duration> {
        let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "h" => 3600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return None,
        };
        // At most 999, as the described pattern says: weeks reach nineteen years ahead.
        let sound = digits.len() <= 3 && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = digits.parse().ok().filter(|_| sound)?;
        Some(Duration::from_secs(number * seconds))
    }
}

impl ReadQuery for DeadlinesOf {
    fn read(request: &Request) -> Result<Self, Problem> {
        let wrong = |name: &'static str, words: &str| Problem::new(Code::InvalidField, format!("The parameter `{name}` must be {words}.")).at(Location::Query, name);
        let last = |name| request.values(name).last();
        let within =
            last("within").map(|text| Self::within(text).ok_or_else(|| wrong("within", "a time ahead of 1 to 999 hours, days or weeks, such as 30d, 12h or 8w"))).transpose()?;
        let words: Vec<&str> = request.values("kind").flat_map(|text| text.split(',')).filter(|word| !word.is_empty()).collect();
        let kinds = words.iter().map(|word| DeadlineKind::from_word(word)).collect::<Option<Vec<_>>>().ok_or_else(|| {
            let known: Vec<&str> = DeadlineKind::ALL.iter().map(|kind| kind.as_str()).collect();
            wrong("kind", &format!("one of: {}", known.join(", ")))
        })?;
        let who = match last("who") {
            None => None,
            Some("person") => Some(Actor::Person),
            Some("patchbay") => Some(Actor::Patchbay),
            Some(_) => return Err(wrong("who", "person or patchbay")),
        };
        let account = last("account_id").map(|text| text.parse::<AccountId>().map_err(|_| wrong("account_id", "the id of an account"))).transpose()?;
        let limit = last("limit").map(|text| read_limit(text, deadline::MOST)).transpose()?;
        Ok(Self(DeadlineQuery { within: within.unwrap_or(Self::WITHIN), kinds: (!kinds.is_empty()).then_some(kinds), who, account, limit: limit.unwrap_or(deadline::MOST) }))
    }

    fn typescript(types: &mut Types) -> Option<String> {
        Some(types.name::<DeadlineParams>())
    }

    fn parameters(schemas: &Schemas) -> Vec<Value> {
        schemas.parameters::<DeadlineParams>()
    }
}

/// What a body is read into.
pub trait ReadBody: Sized {
    /// Reads the body.
    ///
    /// # Errors
    /// `invalid_body` or `invalid_field` with the JSON Pointer of the place.
    fn read(body: Option<Value>) -> Result<Self, Problem>;

    /// Whether it may be left out, and its TypeScript; nothing when there is none.
    fn typescript(types: &mut Types) -> Option<(bool, String)>;

    /// Whether it may be left out, and its JSON Schema; nothing when there is none.
    fn body(schemas: &mut Schemas) -> Option<(bool, Value)>;
}

/// No body. One that is sent all the same is ignored: some programs send `{}` everywhere.
#[derive(Clone, Copy, Debug)]
pub struct NoBody;

impl ReadBody for NoBody {
    fn read(_: Option<Value>) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn typescript(_: &mut Types) -> Option<(bool, String)> {
        None
    }

    fn body(_: &mut Schemas) -> Option<(bool, Value)> {
        None
    }
}

/// A JSON body.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + TS + JsonSchema + 'static> ReadBody for Json<T> {
    fn read(body: Option<Value>) -> Result<Self, Problem> {
        let body = body.ok_or_else(|| Problem::new(Code::InvalidBody, "A body is missing. Send the JSON that this operation takes."))?;
        if !body.is_object() {
            return Err(Problem::new(Code::InvalidBody, "The body must be a JSON object. Send the object that this operation takes.").at_body(""));
        }
        from_value(body).map(Self)
    }

    fn typescript(types: &mut Types) -> Option<(bool, String)> {
        Some((false, types.name::<T>()))
    }

    fn body(schemas: &mut Schemas) -> Option<(bool, Value)> {
        Some((false, schemas.request::<T>()))
    }
}

/// A JSON body that may be left out.
#[derive(Clone, Debug)]
pub struct MaybeJson<T>(pub Option<T>);

impl<T: DeserializeOwned + TS + JsonSchema + 'static> ReadBody for MaybeJson<T> {
    fn read(body: Option<Value>) -> Result<Self, Problem> {
        match body {
            None => Ok(Self(None)),
            Some(body) => Json::read(Some(body)).map(|Json(body)| Self(Some(body))),
        }
    }

    fn typescript(types: &mut Types) -> Option<(bool, String)> {
        Some((true, types.name::<T>()))
    }

    fn body(schemas: &mut Schemas) -> Option<(bool, Value)> {
        Some((true, schemas.request::<T>()))
    }
}

/// A JSON Patch: a bare array of operations (RFC 6902).
#[derive(Clone, Debug)]
pub struct Patch(pub Value);

impl ReadBody for Patch {
    fn read(body: Option<Value>) -> Result<Self, Problem> {
        match body {
            Some(Value::Array(operations)) if operations.len() <= 100 => Ok(Self(Value::Array(operations))),
            Some(Value::Array(_)) => Err(Problem::new(Code::InvalidPatch, "A patch may have at most 100 operations. Send several patches.").at_body("")),
            _ => Err(Problem::new(
                Code::InvalidPatch,
                "The body of a PATCH must be an array of JSON Patch operations (RFC 6902), such as [{\"op\":\"replace\",\"path\":\"/fullname\",\"value\":\"Acme\"}].",
            )
            .at_body("")),
        }
    }

    fn typescript(types: &mut Types) -> Option<(bool, String)> {
        Some((false, types.name::<Vec<PatchOperation>>()))
    }

    fn body(schemas: &mut Schemas) -> Option<(bool, Value)> {
        Some((false, schemas.request::<JsonPatch>()))
    }
}

/// Reads an object member into a struct. Derived readers take an array for a struct as well; this refuses it.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Object(PhantomData))
}

/// The same for a member that may be left out.
pub(crate) fn optional_object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    struct Maybe<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Maybe<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            object(deserializer).map(Some)
        }
    }

    deserializer.deserialize_option(Maybe(PhantomData))
}

/// Reads a JSON value into a type; the problem points at the place that does not fit.
///
/// # Errors
/// `invalid_body` when the whole has another shape, `invalid_field` when a part of it has.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut pointer = pointer(error.path());
        let reason = error.into_inner().to_string();
        // serde names a missing field in its message and leaves the path at the object that lacks it.
        if let Some(field) = reason.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            pointer.push('/');
            pointer.push_str(&escape(field));
        }
        let reason = demand(&reason);
        if pointer.is_empty() {
            Problem::new(Code::InvalidBody, format!("The body does not fit this operation: {reason}.")).at_body("")
        } else {
            Problem::field(&pointer, format!("The field {pointer} does not fit: {reason}."))
        }
    })
}

/// What is demanded, without what was sent: that may be a secret in the wrong place.
fn demand(reason: &str) -> String {
    let demanded = if reason.starts_with("invalid ") {
        reason.rsplit_once(", expected ").map(|(_, expected)| format!("it must be {expected}"))
    } else if reason.starts_with("unknown variant ") {
        reason.rsplit_once(", expected ").map(|(_, expected)| format!("it must be {expected}"))
    } else {
        Some(reason.to_owned())
    };
    demanded.unwrap_or_else(|| "its value is not allowed".to_owned()).chars().take(300).collect()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut pointer, segment| {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
        pointer
    })
}

/// Escapes a key for a JSON Pointer (RFC 6901 section 3).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::account::CreateAccount;

    fn refusal(body: Value) -> (Code, String) {
        let problem = Json::<CreateAccount>::read(Some(body)).map(|_| ()).unwrap_err();
        (problem.code, problem.context.parameter.unwrap().id)
    }

    #[test]
    fn wrong_types_are_refused_with_a_pointer() {
        assert_eq!(refusal(json!([])), (Code::InvalidBody, String::new()));
        assert_eq!(refusal(json!({"name": 7})), (Code::InvalidField, "/name".to_owned()));
        assert_eq!(refusal(json!({"labels": ["a", 1]})), (Code::InvalidField, "/labels/1".to_owned()));
        assert_eq!(refusal(json!({"environment": "stage"})), (Code::InvalidField, "/environment".to_owned()));
        assert_eq!(refusal(json!({"token": {}})), (Code::InvalidField, "/token/permission_set".to_owned()));
        assert_eq!(refusal(json!({"token": []})), (Code::InvalidField, "/token".to_owned()));
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        for body in [json!({"environment": "hunter2"}), json!({"token": "hunter2"}), json!({"labels": "hunter2"}), json!({"token": {"permission_set": "hunter2"}})] {
            let problem = Json::<CreateAccount>::read(Some(body)).map(|_| ()).unwrap_err();
            assert!(!problem.message.contains("hunter2") && problem.message.contains("must be"), "{}", problem.message);
        }
    }

    #[test]
    fn unknown_fields_are_tolerated() {
        assert!(Json::<CreateAccount>::read(Some(json!({"name": "a", "colour": "red"}))).is_ok());
    }

    #[test]
    fn limits_stay_in_bounds() {
        for bad in ["0", "1001", "-1", "x", "", "1.5", "99999999999"] {
            let request = Request { query: vec![("limit".into(), bad.into())], ..Request::default() };
            let problem = ListOf::read(&request).unwrap_err();
            assert_eq!(problem.context.parameter.unwrap().id, "limit", "{bad:?} must be refused");
        }
    }
}
