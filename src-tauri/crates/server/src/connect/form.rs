//! A provider's form, made from the schemas of its definition, and what a person entered in it.

use std::collections::HashMap;

use maud::{Markup, html};
use patchbay_engine::connect_link::{LinkOffer, OpenLink, RoleToMake};
use patchbay_model::Problem;
use patchbay_model::credential::CredentialKind;
use patchbay_model::integration::RUNTIME_MEMBERS;
use patchbay_model::point::ProviderPolicy;
use serde_json::{Map, Value};

/// What a field is drawn as.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Input {
    /// One line of this type.
    Line(&'static str),
    /// A secret in one line.
    Secret,
    /// Several lines, a key or certificate among them.
    Long,
    /// A number, whole or not.
    Number { whole: bool },
    /// Yes or no.
    Tick,
    /// One of these.
    Choice(Vec<String>),
    /// Several texts, one a line.
    Lines,
}

/// One field.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Field {
    /// Its name in the form, with the part that it belongs to.
    name: String,
    /// Where it stands in a request to the engine, which speaks of faults by that place.
    pointer: String,
    member: String,
    label: String,
    help: String,
    example: Option<String>,
    required: bool,
    most: Option<u64>,
    complete: &'static str,
    input: Input,
    value: String,
    error: Option<String>,
}

/// One way to sign in at the provider.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Way {
    pub(super) word: String,
    pub(super) title: String,
    description: String,
    /// Whether a person authorizes it on the provider's own page.
    pub(super) consent: bool,
}

/// The whole form of a provider.
pub(super) struct Form {
    provider: String,
    /// The ways to sign in, the recommended one first.
    pub(super) ways: Vec<Way>,
    /// The one that is filled in.
    pub(super) way: Option<Way>,
    /// What is set already and cannot be changed here.
    fixed: Vec<(String, String)>,
    fields: Vec<Field>,
    /// What is to be made at the provider first.
    role: Option<RoleToMake>,
}

/// Where the fields of the credential stand in a request to the engine.
const CREDENTIAL: &str = "/provider_config/credential/";

impl Form {
    /// The form of an offer, for this way to sign in.
    pub(super) fn of(open: &OpenLink, offer: &LinkOffer, way: Option<&str>) -> Self {
        let definition = &offer.definition;
        let ways: Vec<Way> = definition
            .credentials()
            .map(|(word, schema)| Way {
                word: word.to_owned(),
                title: text(schema, "title"),
                description: text(schema, "description"),
                consent: word == CredentialKind::OAuthUser.as_str(),
            })
            .collect();
        let present =
            open.integration.as_ref().and_then(|integration| integration.config.pointer("/credential/type")?.as_str()).map(|word| word.strip_suffix("_id").unwrap_or(word));
        let wanted = way.or(present);
        let way = ways.iter().find(|way| Some(way.word.as_str()) == wanted).or(ways.first()).cloned();
        let nothing = ProviderPolicy::default();
        let policy = open.point.as_ref().and_then(|point| point.policy_of(&definition.provider)).unwrap_or(&nothing);
        let (mut fixed, mut fields) = (Vec::new(), Vec::new());
        for (member, schema) in definition.config_members().filter(|(member, _)| !RUNTIME_MEMBERS.contains(member)) {
            if let Some(locked) = policy.locked.get(member) {
                fixed.push((label(schema, member), shown(locked)));
                continue;
            }
            let known = open.integration.as_ref().and_then(|integration| integration.config.get(member)).or_else(|| policy.defaults.get(member)).or_else(|| schema.get("default"));
            let field = Field::of("config", "/provider_config", member, schema, definition.config_requires(member));
            fields.extend(field.map(|field| Field { value: known.map(shown).unwrap_or_default(), ..field }));
        }
        let credential = definition.credentials().find(|(word, _)| way.as_ref().is_some_and(|way| way.word == *word)).map(|(_, schema)| schema);
        if let Some(schema) = credential {
            let required: Vec<&str> = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            for (member, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten().filter(|(member, _)| *member != "type") {
                fields.extend(Field::of("credential", "/provider_config/credential", member, schema, required.contains(&member.as_str())));
            }
        }
        Self { provider: definition.provider.to_string(), ways, way, fixed, fields, role: None }
    }

    /// The same with the role that is to be made first. Its external id is the customer's own, so it is shown and not asked.
    pub(super) fn with_role(mut self, role: RoleToMake) -> Self {
        self.fields.retain(|field| field.pointer != format!("{CREDENTIAL}external_id"));
        self.role = Some(role);
        self
    }

    /// Whether it is filled in by authorizing on the provider's page.
    pub(super) fn by_consent(&self) -> bool {
        self.way.as_ref().is_some_and(|way| way.consent)
    }

    /// Takes what was entered: the configuration as the engine reads it. None where something is missing, which is then said
    /// beside the field.
    pub(super) fn read(&mut self, entered: &HashMap<String, String>) -> Option<Value> {
        let (mut config, mut credential) = (Map::new(), Map::new());
        config.insert("type".to_owned(), self.provider.clone().into());
        let mut whole = true;
        for field in &mut self.fields {
            let given = entered.get(&field.name).map(String::as_str).unwrap_or_default();
            let given = if matches!(field.input, Input::Secret | Input::Long) { given } else { given.trim() };
            // What is secret is not sent back.
            given.clone_into(&mut field.value);
            let Some(value) = field.value(given) else {
                if field.required {
                    field.error = Some(format!("Enter the {}.", lower(&field.label)));
                    whole = false;
                }
                continue;
            };
            let part = if field.pointer.starts_with(CREDENTIAL) { &mut credential } else { &mut config };
            part.insert(field.member.clone(), value);
        }
        if let Some(way) = &self.way {
            credential.insert("type".to_owned(), way.word.clone().into());
            config.insert("credential".to_owned(), Value::Object(credential));
        }
        whole.then_some(Value::Object(config))
    }

    /// Puts a fault beside the field that it speaks of; says whether there is one.
    pub(super) fn tell(&mut self, problem: &Problem) -> bool {
        let Some(parameter) = &problem.context.parameter else { return false };
        let place = |field: &&mut Field| parameter.id == field.pointer || parameter.id.starts_with(&format!("{}/", field.pointer));
        let Some(field) = self.fields.iter_mut().find(place) else { return false };
        let words = problem.message.strip_prefix(&parameter.id).unwrap_or(&problem.message).replace(" Correct it and send the request again.", "");
        let words = words.trim();
        field.error = Some(if words.starts_with("must") || words.starts_with("is ") { format!("{} {words}", field.label) } else { words.to_owned() });
        true
    }

    /// Whether a fault stands beside a field.
    pub(super) fn has_faults(&self) -> bool {
        self.fields.iter().any(|field| field.error.is_some())
    }

    /// Whether there is anything to fill in.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields, and before them what is set already.
    pub(super) fn draw(&self) -> Markup {
        let first = self.fields.iter().position(|field| field.error.is_some());
        let of_credential = self.fields.iter().position(|field| field.pointer.starts_with(CREDENTIAL));
        html! {
            @if let Some(way) = &self.way { @if !way.description.is_empty() { p.quiet { (way.description) } } }
            @if !self.fixed.is_empty() {
                dl { @for (label, value) in &self.fixed { dt { (label) } dd { (value) } } }
            }
            @for (index, field) in self.fields.iter().enumerate() {
                @if Some(index) == of_credential { @if let Some(role) = &self.role { (steps(role)) } }
                (field.draw(first == Some(index)))
            }
        }
    }
}

impl Field {
    /// A field for a member; none for one that no form has room for and that need not be given.
    fn of(part: &str, base: &str, member: &str, schema: &Value, required: bool) -> Option<Self> {
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or("string");
        let secret = schema.get("writeOnly") == Some(&Value::Bool(true));
        let pem = matches!(member, "private_key" | "certificate") || (secret && text(schema, "title").to_ascii_lowercase().contains("key (pem"));
        let choices = schema.get("enum").and_then(Value::as_array).map(|choices| choices.iter().map(shown).collect::<Vec<_>>());
        let input = match (kind, choices) {
            (_, Some(choices)) => Input::Choice(choices),
            ("string", None) if pem => Input::Long,
            ("string", None) if secret => Input::Secret,
            ("string", None) => Input::Line(match schema.get("format").and_then(Value::as_str) {
                Some("uri") => "url",
                Some("email") => "email",
                _ => "text",
            }),
            ("integer", None) => Input::Number { whole: true },
            ("number", None) => Input::Number { whole: false },
            ("boolean", None) => Input::Tick,
            ("array", None) => Input::Lines,
            _ if required => Input::Long,
            _ => return None,
        };
        let complete = match (&input, member) {
            (Input::Line("url"), _) => "url",
            (Input::Line("email"), _) => "email",
            (_, "username") => "username",
            // A password of the provider is nothing that the browser should keep for this address.
            _ => "off",
        };
        Some(Self {
            name: format!("{part}.{member}"),
            pointer: format!("{base}/{}", member.replace('~', "~0").replace('/', "~1")),
            member: member.to_owned(),
            label: label(schema, member),
            help: text(schema, "description"),
            example: schema.get("examples").and_then(Value::as_array).and_then(|examples| examples.first()).map(shown),
            required: required && input != Input::Tick,
            most: schema.get("maxLength").and_then(Value::as_u64),
            complete,
            input,
            value: String::new(),
            error: None,
        })
    }

    /// What was entered, as the schema wants it; none where nothing was.
    fn value(&self, given: &str) -> Option<Value> {
        match &self.input {
            Input::Tick => Some(Value::Bool(given == "yes")),
            _ if given.is_empty() => None,
            Input::Number { whole: true } => Some(given.parse::<i64>().map_or_else(|_| given.into(), Value::from)),
            Input::Number { whole: false } => Some(given.parse::<f64>().map_or_else(|_| given.into(), Value::from)),
            Input::Lines => Some(given.lines().map(str::trim).filter(|line| !line.is_empty()).map(Value::from).collect()),
            // Browsers send what stands in several lines with a carriage return.
            Input::Long => Some(given.replace("\r\n", "\n").into()),
            Input::Line(_) | Input::Secret | Input::Choice(_) => Some(given.into()),
        }
    }

    fn draw(&self, focused: bool) -> Markup {
        let hint = format!("{}-hint", self.name);
        let fault = format!("{}-error", self.name);
        let has_hint = !self.help.is_empty() || self.example.is_some();
        let told = [(has_hint, &hint), (self.error.is_some(), &fault)].into_iter().filter(|(there, _)| *there).map(|(_, id)| id.as_str()).collect::<Vec<_>>().join(" ");
        let described = (!told.is_empty()).then_some(told);
        let invalid = self.error.is_some().then_some("true");
        let multiple = matches!(self.input, Input::Long | Input::Lines);
        let after = html! {
            @if has_hint {
                span.hint id=(hint) { (self.help) @if let Some(example) = &self.example { @if !self.help.is_empty() { " " } "For example " (example) } }
            }
        };
        let wrong = html! { @if let Some(error) = &self.error { span.error id=(fault) { (error) } } };
        html! {
            div.field {
                @if self.input == Input::Tick {
                    div.tick {
                        input type="checkbox" id=(self.name) name=(self.name) value="yes" checked[self.value == "yes" || self.value == "true"] aria-describedby=[described] aria-invalid=[invalid] autofocus[focused];
                        label for=(self.name) { (self.label) }
                    }
                    (after) (wrong)
                } @else {
                    label for=(self.name) { (self.label) @if !self.required { span.quiet { " (optional)" } } }
                    (after)
                    @if multiple {
                        textarea id=(self.name) name=(self.name) rows="6" spellcheck="false" autocapitalize="off" autocomplete="off" maxlength=[self.most] required[self.required] aria-describedby=[described] aria-invalid=[invalid] autofocus[focused] {
                            @if self.input == Input::Lines { (self.value) }
                        }
                    } @else if let Input::Choice(choices) = &self.input {
                        select id=(self.name) name=(self.name) required[self.required] aria-describedby=[described] aria-invalid=[invalid] autofocus[focused] {
                            @if !self.required || self.value.is_empty() { option value="" { "Choose" } }
                            @for choice in choices { option value=(choice) selected[*choice == self.value] { (choice) } }
                        }
                    } @else {
                        @let (kind, mode) = match &self.input {
                            Input::Line(kind) => (*kind, None),
                            Input::Secret => ("password", None),
                            Input::Number { whole: true } => ("text", Some("numeric")),
                            _ => ("text", Some("decimal")),
                        };
                        input type=(kind) inputmode=[mode] id=(self.name) name=(self.name) value=[(self.input != Input::Secret).then_some(&self.value)] spellcheck="false" autocapitalize="off" autocomplete=(self.complete) maxlength=[self.most] required[self.required] aria-describedby=[described] aria-invalid=[invalid] autofocus[focused];
                    }
                    (wrong)
                }
            }
        }
    }
}

/// What is done at AWS before the form can be filled in.
fn steps(role: &RoleToMake) -> Markup {
    html! {
        section aria-labelledby="role" {
            h2 id="role" { "Make the role" }
            ol.steps {
                li { "In the AWS console open IAM, Roles, Create role, and choose Custom trust policy." }
                li {
                    label for="policy" { "Put this trust policy in place of what stands there" }
                    textarea id="policy" rows="20" readonly spellcheck="false" { (role.trust.policy) }
                }
                @for right in &role.rights { li { (right) } }
                li { "Create the role, and copy its ARN into the field below." }
            }
            p.quiet {
                "The external id in the policy, " code { (role.trust.external_id) } ", is yours alone. When you press Connect the role is asked for, and once more with a wrong external id: a role that is given out then is open to others, and is refused."
            }
        }
    }
}

fn text(schema: &Value, member: &str) -> String {
    schema.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn label(schema: &Value, member: &str) -> String {
    let title = text(schema, "title");
    if title.is_empty() { member.replace('_', " ") } else { title }
}

/// The label in the middle of a sentence; abbreviations stay as they are.
fn lower(label: &str) -> String {
    let mut letters = label.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => first.to_lowercase().chain(label.chars().skip(1)).collect(),
        _ => label.to_owned(),
    }
}

/// A value as a field shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join("\n"),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(member: &str, schema: &Value, required: bool) -> Option<Field> {
        Field::of("config", "/provider_config", member, schema, required)
    }

    #[test]
    fn a_schema_decides_what_is_drawn() {
        let drawn = |schema: Value| field("x", &schema, true).unwrap().draw(false).into_string();
        assert!(drawn(json!({"type": "string", "format": "uri"})).contains("type=\"url\""));
        assert!(drawn(json!({"type": "integer"})).contains("inputmode=\"numeric\""));
        assert!(drawn(json!({"type": "boolean"})).contains("type=\"checkbox\""));
        assert!(drawn(json!({"type": "string", "enum": ["a", "b"]})).contains("<option value=\"b\">"));
        assert!(field("x", &json!({"type": "object"}), false).is_none(), "what no form has room for is left out where it can be");
    }

    #[test]
    fn a_secret_is_never_sent_back() {
        let mut secret = field("secret", &json!({"type": "string", "writeOnly": true, "title": "API key"}), true).unwrap();
        secret.value = "PLANTED".to_owned();
        secret.error = Some("The provider refuses it.".to_owned());
        let drawn = secret.draw(true).into_string();
        assert!(!drawn.contains("PLANTED") && drawn.contains("type=\"password\"") && drawn.contains("aria-invalid=\"true\""), "{drawn}");
        assert!(drawn.contains("aria-describedby=\"config.secret-error\""), "{drawn}");
    }

    #[test]
    fn texts_of_a_provider_cannot_become_markup() {
        let odd = field("x", &json!({"type": "string", "title": "<script>", "description": "\"><img src=x>", "examples": ["</label>"]}), true).unwrap();
        let drawn = Field { value: "\" onfocus=\"x".to_owned(), ..odd }.draw(false).into_string();
        assert!(!drawn.contains("<script>") && !drawn.contains("<img") && !drawn.contains("\" onfocus"), "{drawn}");
    }

    #[test]
    fn entries_become_values_of_their_type() {
        let value = |schema: Value, given: &str| field("x", &schema, true).unwrap().value(given);
        assert_eq!(value(json!({"type": "integer"}), "7"), Some(json!(7)));
        assert_eq!(value(json!({"type": "integer"}), "seven"), Some(json!("seven")), "the schema says what is wrong with it");
        assert_eq!(value(json!({"type": "boolean"}), ""), Some(json!(false)));
        assert_eq!(value(json!({"type": "array"}), "a\r\n\r\n b "), Some(json!(["a", "b"])));
        assert_eq!(value(json!({"type": "string"}), ""), None);
    }
}
