//! What a manifest declares, as steps: where the API is, and what proves a credential. Secrets are not known here; the engine adds the
//! credential at its place.

use std::collections::BTreeMap;

use patchbay_model::consent::Place;
use patchbay_model::{Code, Problem};
use serde_json::{Map, Value};
use url::Url;

use crate::exchange::{Method, ProviderRequest, ProviderResponse, RequestBody, SignedFor};
use crate::manifest::call::{CallBody, CallFacts, CallMethod, Lookup, Pick};
use crate::manifest::{At, Base, Cause, Manifest, Probe, Seen, Slot, Template};
use crate::reading::{self, invalid, scalar};
use crate::refusal::refused;
use crate::schema::web_address;
use crate::step::{Identity, Step};
use crate::values::{Values, unfit};
use crate::xml;

/// Largest answer that is looked at for a refusal.
const LARGEST_REFUSAL: usize = 64 << 10;

/// Under which key the id of the place that a person chose is kept with what answers and callbacks brought. No manifest's key has a dot.
pub const CHOSEN: &str = "chosen.place";

/// The longest name of a place that is shown.
const LONGEST_NAME: usize = 200;

/// Stands for an address that is itself a secret. Whoever adds the credential puts the address in its place.
const SECRET_ADDRESS: &str = "https://secret-address.invalid";

/// Whether an address stands for one that is itself the secret.
pub fn is_secret_address(url: &Url) -> bool {
    url.host_str() == SECRET_ADDRESS.strip_prefix("https://")
}

/// What is known when the API of an integration is looked for.
#[derive(Clone, Copy, Debug)]
pub struct LocateContext<'a> {
    /// `provider_config` without `type` and `credential`.
    pub config: &'a Map<String, Value>,
    /// `type` of its credential, inline or `_id`.
    pub credential: Option<&'a str>,
    /// What answers and callbacks brought beside the tokens.
    pub kept: &'a BTreeMap<String, String>,
}

/// Where the API of an integration is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Located {
    /// Its address. None inside Patchbay; where the secret is the address, one that stands for it ([`is_secret_address`]).
    pub base_url: Option<Url>,
    /// What a lookup took, for `{located.x}`.
    pub values: BTreeMap<String, String>,
}

impl Located {
    fn at(base_url: Url) -> Self {
        Self { base_url: Some(base_url), values: BTreeMap::new() }
    }
}

/// How the API is found with a credential of this `type`.
fn base<'a>(manifest: &'a Manifest, credential: Option<&str>) -> &'a Base {
    let way = credential.map(|word| word.strip_suffix("_id").unwrap_or(word));
    let own = manifest.credential.iter().find(|option| Some(option.word.as_str()) == way).and_then(|option| option.base.as_ref());
    own.unwrap_or(&manifest.base)
}

/// Finds the API.
pub(crate) fn locate(manifest: &Manifest, context: &LocateContext<'_>) -> Result<Step<Located>, Problem> {
    let values = Values::of(manifest, context.config, context.kept, &BTreeMap::new());
    match base(manifest, context.credential) {
        Base::Local => Ok(Step::Done(Located::default())),
        Base::Secret { .. } => web_address(SECRET_ADDRESS).map(|url| Step::Done(Located::at(url))).ok_or_else(|| Problem::internal("a fixed address does not parse")),
        Base::Config { property, otherwise: Some(template) } if values.get(&Slot::Config(property.clone())).is_none() => {
            address(manifest, &values, template).map(|url| Step::Done(Located::at(url)))
        }
        Base::Config { property, .. } => {
            // Whatever is asked later, a wrong address is told at its own place.
            configured(manifest, &values, property).map(|url| Step::Done(Located::at(url)))
        }
        Base::Fixed { url } => web_address(url).map(|url| Step::Done(Located::at(url))).ok_or_else(|| Problem::internal("the address in the manifest does not parse")),
        Base::Template { url } => address(manifest, &values, url).map(|url| Step::Done(Located::at(url))),
        Base::Kept { key, template, hosts } => {
            let text = match template {
                Some(template) => values.fill(template).ok(),
                None => context.kept.get(key).cloned(),
            };
            let url = text.as_deref().and_then(web_address).filter(|url| url.scheme() == "https" && allowed(url, hosts));
            url.map(|url| Step::Done(Located::at(url))).ok_or_else(|| {
                Problem::new(
                    Code::ProviderInvalidAnswer,
                    format!("{} did not tell where its API is, or told an address that its tokens must not be sent to. Connect again.", manifest.fullname),
                )
            })
        }
        Base::Lookup(lookup) => look_up(manifest, (**lookup).clone(), values),
    }
}

/// The address in a property.
fn configured(manifest: &Manifest, values: &Values, property: &str) -> Result<Url, Problem> {
    let text = values.get(&Slot::Config(property.to_owned())).unwrap_or_default();
    web_address(text).ok_or_else(|| {
        Problem::new(
            Code::InvalidConfig,
            format!("`{property}` of the {} integration is not an http or https address. Correct it, for example https://example.com.", manifest.fullname),
        )
        .at_body(&format!("/provider_config/{property}"))
    })
}

fn address(manifest: &Manifest, values: &Values, template: &Template) -> Result<Url, Problem> {
    let text = values.fill(template).map_err(|error| unfit(manifest, &error))?;
    web_address(&text).ok_or_else(|| {
        Problem::new(Code::InvalidConfig, format!("`{}` of the {} integration is no address. Correct the configuration.", reading::cut(&text, 200), manifest.fullname))
    })
}

/// Whether a host is one of these, or ends in one that begins with a dot.
pub fn allowed(url: &Url, hosts: &[String]) -> bool {
    let Some(host) = url.host_str() else { return false };
    hosts.iter().any(|known| if known.starts_with('.') { host.ends_with(known.as_str()) } else { host == known })
}

fn look_up(manifest: &Manifest, lookup: Lookup, values: Values) -> Result<Step<Located>, Problem> {
    // A lookup asks below the configured address or elsewhere; a wrong one is told before anything is asked.
    if let Base::Config { property, .. } = &manifest.base {
        configured(manifest, &values, property)?;
    }
    let request = request(manifest, &lookup.call, None, &values)?;
    let manifest = manifest.clone();
    Ok(Step::send(request, move |response| {
        let found = found(&manifest, &lookup, &values, &response);
        match (found, &lookup.otherwise) {
            (Ok(located), _) => Ok(Step::Done(located)),
            (Err(_), Some(template)) => address(&manifest, &values, template).map(|url| Step::Done(Located::at(url))),
            (Err(problem), None) => Err(problem),
        }
    }))
}

fn found(manifest: &Manifest, lookup: &Lookup, values: &Values, response: &ProviderResponse) -> Result<Located, Problem> {
    let name = manifest.fullname.as_str();
    let answer = good(manifest, &lookup.call, response, "address of its API")?;
    let rows = rows_of(manifest, lookup, &answer)?;
    let chosen = values.get(&Slot::Kept(CHOSEN.to_owned()));
    let row = match &lookup.pick {
        Pick::First => rows.first().copied(),
        Pick::IsTrue { pointer } => rows.iter().copied().find(|row| pointer.of(row) == Some(&Value::Bool(true))),
        Pick::Equals { pointer, template } => {
            let wanted = values.fill(template).map_err(|error| unfit(manifest, &error))?;
            let row = rows.iter().copied().find(|row| pointer.of(row).and_then(scalar).is_some_and(|text| same(&text, &wanted)));
            if row.is_none() {
                let granted = if rows.is_empty() { "nothing".to_owned() } else { reading::listed(rows.iter().filter_map(|row| pointer.of(row).and_then(scalar))) };
                return Err(Problem::new(
                    Code::InvalidConfig,
                    format!("The credential does not cover {}; it covers {granted}. Correct the configuration, or connect again and choose it.", reading::cut(&wanted, 200)),
                ));
            }
            row
        }
        Pick::Asked { id, .. } if chosen.is_some() => {
            let row = rows.iter().copied().find(|row| id.of(row).and_then(scalar).as_deref() == chosen);
            if row.is_none() {
                return Err(Problem::new(
                    Code::InvalidConfig,
                    format!("The credential does not cover the place of {name} any more that was chosen. Connect again and choose one."),
                ));
            }
            row
        }
        Pick::Only | Pick::Asked { .. } if rows.len() > 1 => {
            return Err(Problem::new(Code::InvalidConfig, format!("The credential covers {} places of {name}. Connect again and choose one.", rows.len())));
        }
        Pick::Only | Pick::Asked { .. } => rows.first().copied(),
    };
    let row = row.ok_or_else(|| invalid(name, "does not say where its API is"))?;
    let taken: BTreeMap<String, String> = lookup.take.iter().filter_map(|(key, pointer)| Some((key.clone(), scalar(pointer.of(row)?)?))).collect();
    let mut values = values.clone();
    taken.iter().for_each(|(key, value)| values.set(Slot::Located(key.clone()), value.clone()));
    let url = values.fill(&lookup.url).ok().as_deref().and_then(web_address).filter(|url| lookup.hosts.is_empty() || allowed(url, &lookup.hosts));
    let base_url = url.ok_or_else(|| invalid(name, "names an address for its API that cannot be one"))?;
    Ok(Located { base_url: Some(base_url), values: taken })
}

fn rows_of<'a>(manifest: &Manifest, lookup: &Lookup, answer: &'a Value) -> Result<Vec<&'a Value>, Problem> {
    match lookup.items.of(answer) {
        Some(Value::Array(rows)) => Ok(rows.iter().take(reading::MAX_ROWS).collect()),
        Some(row @ Value::Object(_)) => Ok(vec![row]),
        _ => Err(invalid(manifest.fullname.as_str(), "does not say where its API is")),
    }
}

/// Asks for the places among which a person chooses. None where nobody is asked.
pub(crate) fn places(manifest: &Manifest, context: &LocateContext<'_>) -> Option<Result<Step<Vec<Place>>, Problem>> {
    let Base::Lookup(lookup) = base(manifest, context.credential) else { return None };
    let Pick::Asked { label, id } = lookup.pick.clone() else { return None };
    let values = Values::of(manifest, context.config, context.kept, &BTreeMap::new());
    let (manifest, lookup) = (manifest.clone(), (**lookup).clone());
    let place = move |row: &Value| {
        let id = id.of(row).and_then(scalar)?;
        let name = label.of(row).and_then(scalar).filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.clone());
        Some(Place { name: reading::cut(&name, LONGEST_NAME).to_owned(), id })
    };
    Some(request(&manifest, &lookup.call, None, &values).map(|request| {
        Step::send(request, move |response| {
            let answer = good(&manifest, &lookup.call, &response, "address of its API")?;
            Ok(Step::Done(rows_of(&manifest, &lookup, &answer)?.into_iter().filter_map(place).collect()))
        })
    }))
}

/// Whether two texts are the same; of two addresses their origins are compared.
fn same(one: &str, other: &str) -> bool {
    match (web_address(one), web_address(other)) {
        (Some(one), Some(other)) => one.origin() == other.origin(),
        _ => one == other,
    }
}

/// Starts the probe that the manifest declares.
pub(crate) fn probe(manifest: &Manifest, probe: &Probe, base: Option<&Url>, values: &Values) -> Result<Step<Identity>, Problem> {
    let request = request(manifest, &probe.call, base, values)?;
    let (manifest, probe) = (manifest.clone(), probe.clone());
    Ok(Step::send(request, move |response| {
        if told_off(&manifest, Some(&probe), &response) {
            return Err(Problem::new(Code::ProviderRefused, format!("{} refuses the credential. Replace the credential, then test the connection.", manifest.fullname)));
        }
        let answer = good(&manifest, &probe.call, &response, "own user")?;
        let told = |pointer: Option<&crate::manifest::answer::Pointer>| pointer.and_then(|pointer| pointer.of(&answer)).and_then(scalar);
        Ok(Step::Done(Identity { id: told(probe.id.as_ref()), name: told(probe.name.as_ref()), email: told(probe.email.as_ref()) }))
    }))
}

/// Whether an answer says that the credential is none (any more): by its status, by what the probe says of refusals, or by a rule of the
/// manifest for answers that are errors.
pub(crate) fn refuses(manifest: &Manifest, probe: Option<&Probe>, response: &ProviderResponse) -> bool {
    let meant = |cause| matches!(cause, Cause::WrongSecret | Cause::UnknownClient | Cause::TokenSpent | Cause::GrantEnded);
    response.status == 401
        || told_off(manifest, probe, response)
        || (matches!(response.status, 400..=499) && explained(manifest, At::Api, response).is_some_and(|(cause, _)| meant(cause)))
}

/// What an answer means by the first rule that speaks of it, and what to do.
pub(crate) fn explained<'a>(manifest: &'a Manifest, at: At, response: &ProviderResponse) -> Option<(Cause, &'a str)> {
    let (code, text) = (code(manifest, response), String::from_utf8_lossy(&response.body));
    let seen = Seen { code: code.as_deref(), words: Some(&text), status: Some(response.status), ..Seen::default() };
    manifest.error.iter().find(|rule| rule.holds(at, &seen)).map(|rule| (rule.cause, rule.words.as_str()))
}

/// Whether an answer is one of those that the probe names as refusals.
fn told_off(manifest: &Manifest, probe: Option<&Probe>, response: &ProviderResponse) -> bool {
    let Some(probe) = probe.filter(|probe| !probe.refused.is_empty() && response.body.len() <= LARGEST_REFUSAL) else { return false };
    let (code, text) = (code(manifest, response), String::from_utf8_lossy(&response.body));
    let seen = Seen { code: code.as_deref(), words: Some(&text), status: Some(response.status), ..Seen::default() };
    probe.refused.iter().any(|pattern| pattern.holds(&seen))
}

/// The word of an error of the API.
fn code(manifest: &Manifest, response: &ProviderResponse) -> Option<String> {
    let answer: Option<Value> = serde_json::from_slice(&response.body).ok().or_else(|| xml::of(response));
    let places = manifest.api_error.iter().flat_map(|place| &place.code).chain(manifest.server.values().flat_map(|server| &server.answer.error));
    let in_body = answer.as_ref().and_then(|answer| places.filter_map(|pointer| pointer.of(answer).and_then(scalar)).next());
    let header = manifest.api_error.as_ref().and_then(|place| place.header.as_deref());
    let word = in_body.or_else(|| header.and_then(|name| response.header(name)).map(|word| reading::cut(word, 200).to_owned()))?;
    // AWS writes names of its own around it: `com.amazonaws.sqs#Word`, `Word:http://...`, `Word;Sender`.
    let bare = word.rsplit('#').next().and_then(|word| word.split([':', ';']).next()).filter(|_| manifest.credential.iter().any(|way| way.place.is_signed()));
    Some(bare.map(str::to_owned).unwrap_or(word))
}

/// The JSON of an answer that is good by its status and by what the call says of it. An empty one is `null`, one in XML its elements.
pub(crate) fn good(manifest: &Manifest, call: &CallFacts, response: &ProviderResponse, noun: &str) -> Result<Value, Problem> {
    let name = manifest.fullname.as_str();
    if !response.ok() {
        let mut problem = refused(name, response, noun, "");
        // The manifest knows more than the status.
        if let (Code::ProviderRefused, Some((_, words))) = (problem.code, explained(manifest, At::Api, response)) {
            let says = problem.context.raw_error.as_deref().map(|says| format!(" It says: {says}")).unwrap_or_default();
            problem.message = format!("{words}{says}");
        }
        return Err(problem);
    }
    let answer = match xml::of(response) {
        Some(answer) => answer,
        None if response.body.is_empty() && call.ok.is_none() => Value::Null,
        None => reading::json(name, response)?,
    };
    if call.ok.as_ref().is_some_and(|ok| !ok.holds(&answer)) {
        return Err(Problem::new(Code::ProviderRefused, format!("{name} answers that the request failed. Replace the credential, then test the connection.")));
    }
    Ok(answer)
}

/// A request as the manifest writes it.
pub(crate) fn request(manifest: &Manifest, call: &CallFacts, base: Option<&Url>, values: &Values) -> Result<ProviderRequest, Problem> {
    let written = values.fill(&call.url).map_err(|error| unfit(manifest, &error))?;
    let text = match base.filter(|_| written.is_empty() || written.starts_with('/')) {
        Some(base) => format!("{}{written}", base.as_str().trim_end_matches('/')),
        None => written,
    };
    let mut url = Url::parse(&text)
        .map_err(|_| Problem::new(Code::InvalidConfig, format!("The address of a request to {} cannot be made. Correct the configuration.", manifest.fullname)))?;
    for (name, template) in &call.query {
        if let Some(value) = values.text(manifest, template)? {
            url.query_pairs_mut().append_pair(name, &value);
        }
    }
    let method = match call.method {
        CallMethod::Get => Method::Get,
        CallMethod::Post => Method::Post,
        CallMethod::Put => Method::Put,
        CallMethod::Patch => Method::Patch,
        CallMethod::Delete => Method::Delete,
    };
    let mut request = ProviderRequest::new(method, url);
    request.authenticated = call.authenticated;
    if let Some(sign) = &call.sign {
        let filled = |template: &Template| values.fill(template).map_err(|error| unfit(manifest, &error));
        request.signed_for = Some(SignedFor { service: filled(&sign.service)?, region: filled(&sign.region)? });
    }
    for (name, template) in &call.headers {
        if let Some(value) = values.text(manifest, template)? {
            request = request.header(&name.to_ascii_lowercase(), &value);
        }
    }
    request.body = match &call.body {
        CallBody::Empty => RequestBody::Empty,
        CallBody::Form(form) => {
            let mut written = url::form_urlencoded::Serializer::new(String::new());
            for (name, template) in form {
                if let Some(value) = values.text(manifest, template)? {
                    written.append_pair(name, &value);
                }
            }
            RequestBody::Bytes { content_type: "application/x-www-form-urlencoded".to_owned(), bytes: written.finish().into_bytes() }
        }
        CallBody::Json(value) => RequestBody::Json(values.json(manifest, value)?),
    };
    Ok(request)
}
