//! Calls of the manifests: what proves a credential, where the API is, logins, ends, and roles of AWS.

use std::collections::BTreeMap;
use std::time::Duration;

use patchbay_model::Timestamp;
use patchbay_model::credential::CredentialKind;
use patchbay_providers::manifest::call::{CallBody, CallFacts, Lookup, Pick};
use patchbay_providers::manifest::credential::Mint;
use patchbay_providers::manifest::revoke::Ends;
use patchbay_providers::manifest::{At, Auth, Base, CredentialOption, Place, Probe, Slot, Template};
use serde_json::{Map, Value, json};

use crate::capture::{Pattern, Values, fill, json_fits};
use crate::routing::{Call, Role};
use crate::sigv4;
use crate::site::{Site, consents, put};
use crate::tokens::end_token;
use crate::wire::{SimAnswer, SimRequest, scalar};
use crate::world::{Access, Client, Entry, World};
use crate::writing::{self, put_once};
use crate::{jwt, routing};

/// Who the organization's principal is at simulated AWS.
const PRINCIPAL_ARN: &str = "arn:aws:iam::123456789012:user/simulated";

/// Whose credential came with a request.
#[derive(Clone, Default, Debug)]
struct Holder {
    /// The access token, if it was one.
    access: Option<String>,
    key: Option<usize>,
    /// A client that spoke for itself.
    client: Option<String>,
}

/// Why a call is not answered as asked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum No {
    /// The request is not what the manifest writes.
    Unlike(String),
    /// The credential is none.
    Credential(&'static str),
}

/// A request for what could be one of several calls.
pub(crate) struct Calling<'a> {
    pub(crate) sites: &'a [Site],
    pub(crate) request: &'a SimRequest,
    pub(crate) now: Timestamp,
}

impl Calling<'_> {
    /// The answer to calls that share an address: the first whose credential is good decides whose they are.
    pub(crate) fn answer(&self, world: &mut World, candidates: &[(usize, Call, Values)], entry: &mut Entry) -> SimAnswer {
        let mut why: Option<(usize, &Call, No)> = None;
        for (number, call, captured) in candidates {
            match self.judge(world, &self.sites[*number], call, captured) {
                Ok(holder) => {
                    let site = &self.sites[*number];
                    entry.provider = site.provider.id().to_string();
                    entry.what = format!("{call:?}").split(['(', ' ']).next().unwrap_or_default().to_lowercase();
                    entry.sent.clone_from(&holder.access);
                    "ok".clone_into(&mut entry.outcome);
                    let same: Vec<&Call> = candidates.iter().filter(|(other, known, _)| other == number && known.way() == call.way()).map(|(_, call, _)| call).collect();
                    return self.act(world, site, call, &same, &holder, entry);
                }
                Err(no) => {
                    if why.as_ref().is_none_or(|(_, _, known)| *known < no) {
                        why = Some((*number, call, no));
                    }
                }
            }
        }
        let Some((number, call, no)) = why else { return SimAnswer::nothing_here("nothing is here") };
        let site = &self.sites[number];
        entry.provider = site.provider.id().to_string();
        entry.what = format!("{call:?}").split(['(', ' ']).next().unwrap_or_default().to_lowercase();
        match no {
            No::Unlike(words) => {
                "unlike".clone_into(&mut entry.outcome);
                SimAnswer::json(400, &json!({ "error": "invalid_request", "error_description": words }))
            }
            No::Credential(words) => {
                "refused".clone_into(&mut entry.outcome);
                refused(site, call, words)
            }
        }
    }

    fn judge(&self, world: &World, site: &Site, call: &Call, captured: &Values) -> Result<Holder, No> {
        let facts = call.facts(site).ok_or_else(|| No::Unlike("there is no such call".to_owned()))?;
        let ways: Vec<&CredentialOption> = match (call, call.way()) {
            (_, Some(way)) => site.manifest().credential.get(way).into_iter().collect(),
            (Call::RevokeGrant(name), None) => site.manifest().credential.iter().filter(|way| matches!(&way.auth, Auth::Consent { server, .. } if server == name)).collect(),
            _ => Vec::new(),
        };
        if facts.as_client {
            return self.as_client(world, site, facts, captured);
        }
        if facts.authenticated && !ways.is_empty() {
            let mut last = No::Credential("the credential is not known");
            for way in ways {
                match self.placed(world, site, way, facts, matches!(call, Call::Lookup(_))) {
                    Ok((holder, mut values)) => {
                        values.extend(captured.clone());
                        return self.fits(site, facts, &mut values).map(|()| holder);
                    }
                    Err(no) => last = last.max(no),
                }
            }
            return Err(last);
        }
        self.told(world, site, call, ways.first().copied(), facts, captured)
    }

    /// A call that carries nothing at the credential's place: what it carries elsewhere must be a key or a token.
    fn told(&self, world: &World, site: &Site, call: &Call, way: Option<&CredentialOption>, facts: &CallFacts, captured: &Values) -> Result<Holder, No> {
        let mut values = captured.clone();
        let first = self.fits(site, facts, &mut values);
        if let Some(way) = way.filter(|_| matches!(call, Call::Mint(_) | Call::RevokeKey(_))) {
            first?;
            let mut why = "the key is not known";
            for (number, key) in live(world, site, way) {
                let known = key.values();
                // What the manifest puts into the request of this key's must be this key's.
                if values
                    .iter()
                    .any(|(slot, value)| matches!(slot, Slot::Secret | Slot::Username | Slot::ClientId | Slot::ClientSecret | Slot::Extra(_)) && known.get(slot) != Some(value))
                {
                    continue;
                }
                if let Auth::Mint(mint) = &way.auth
                    && let Some(written) = &mint.assertion
                {
                    let token = values.get(&Slot::Assertion).map(String::as_str).unwrap_or_default();
                    if let Err(words) = jwt::judge(written, site, key, token, self.now) {
                        why = words;
                        continue;
                    }
                }
                return Ok(Holder { key: Some(number), ..Holder::default() });
            }
            return Err(No::Credential(why));
        }
        first?;
        if let Some(token) = values.get(&Slot::AccessToken).or(values.get(&Slot::RefreshToken)) {
            return if world.refresh.contains_key(token) { Ok(Holder { access: Some(token.clone()), ..Holder::default() }) } else { self.token(world, site, token) };
        }
        if let Some(id) = values.get(&Slot::ClientId) {
            let client = world.clients.get(id).ok_or(No::Credential("nobody knows this client"))?;
            if values.get(&Slot::ClientSecret).is_some_and(|secret| *secret != client.secret) {
                return Err(No::Credential("the client secret is wrong"));
            }
            return Ok(Holder { client: Some(id.clone()), ..Holder::default() });
        }
        Ok(Holder::default())
    }

    fn as_client(&self, world: &World, site: &Site, facts: &CallFacts, captured: &Values) -> Result<Holder, No> {
        let (id, secret) = self.request.basic().ok_or(No::Credential("the client did not say who it is"))?;
        let client = world.clients.get(&id).filter(|client| client.secret == secret).ok_or(No::Credential("nobody knows this client, or its secret is another"))?;
        if !world.kin(&client.provider, site.provider.id()) {
            return Err(No::Credential("the client is another provider's"));
        }
        let mut values = captured.clone();
        values.insert(Slot::ClientId, id.clone());
        let mut merged = site.values.clone();
        merged.insert(Slot::ClientId, id.clone());
        self.fits_with(&merged, facts, &mut values)?;
        let access = values.get(&Slot::AccessToken).or(values.get(&Slot::RefreshToken)).cloned();
        if let Some(token) = &access
            && !world.access.contains_key(token)
            && !world.refresh.contains_key(token)
        {
            return Err(No::Credential("nobody knows this token"));
        }
        Ok(Holder { access, client: Some(id), key: None })
    }

    /// Whether method, parameters, headers and body are what the manifest writes.
    fn fits(&self, site: &Site, facts: &CallFacts, found: &mut Values) -> Result<(), No> {
        self.fits_with(&site.values, facts, found)
    }

    fn fits_with(&self, values: &Values, facts: &CallFacts, found: &mut Values) -> Result<(), No> {
        let unlike = |what: &str| No::Unlike(format!("{what} is not what the manifest writes"));
        let params = self.request.params();
        let mut look = |what: &str, pattern: Option<Pattern>, sent: Option<&str>| match pattern {
            None => Ok(()),
            Some(pattern) => match sent.and_then(|sent| pattern.capture(sent)) {
                Some(more) => {
                    found.extend(more);
                    Ok(())
                }
                None => Err(unlike(what)),
            },
        };
        for (name, template) in &facts.query {
            look(name, Pattern::of(template, values), params.get(name).map(String::as_str))?;
        }
        for (name, template) in &facts.headers {
            // Of several media types the sender may choose how it writes their parameters.
            let sent = self.request.header(name);
            look(name, Pattern::of(template, values), sent)?;
        }
        match &facts.body {
            CallBody::Empty => Ok(()),
            CallBody::Form(form) => {
                let fields: BTreeMap<String, String> = if self.request.is_form() { self.request.fields() } else { return Err(unlike("the body")) };
                form.iter().try_for_each(|(name, template)| look(name, Pattern::of(template, values), fields.get(name).map(String::as_str)))
            }
            CallBody::Json(written) => {
                if json_fits(written, self.request.json().as_ref(), values, found) {
                    Ok(())
                } else {
                    Err(unlike("the body"))
                }
            }
        }
    }

    /// The credential at its place. What a lookup tells is not known while it is `locating`.
    fn placed(&self, world: &World, site: &Site, way: &CredentialOption, facts: &CallFacts, locating: bool) -> Result<(Holder, Values), No> {
        if way.place.is_signed() {
            return self.signed(world, site, way).map(|holder| (holder, Values::new()));
        }
        if let Base::Secret { .. } = way.base.as_ref().unwrap_or(&site.manifest().base) {
            let key = live(world, site, way).find(|(_, key)| key.text("secret").is_some_and(|secret| routing::is_below(self.request, secret, site, facts)));
            return key.map(|(number, _)| (Holder { key: Some(number), ..Holder::default() }, Values::new())).ok_or(No::Credential("nobody knows this address"));
        }
        if way.auth == Auth::Plain {
            for (number, key) in live(world, site, way) {
                let mut values = site.values.clone();
                values.extend(key.values());
                if carried(&way.place, way.kind, &values, self.request, locating).is_some_and(|rest| rest.is_empty()) {
                    return Ok((Holder { key: Some(number), ..Holder::default() }, key.values()));
                }
            }
            return Err(No::Credential("nobody knows this key"));
        }
        let found = carried(&way.place, way.kind, &site.values, self.request, locating).ok_or(No::Credential("there is no credential at its place"))?;
        if let Auth::SelfSigned { assertion } = &way.auth {
            let token = found.get(&Slot::Assertion).map(String::as_str).unwrap_or_default();
            let mut why = "nobody knows this key";
            for (number, key) in live(world, site, way) {
                match jwt::judge(assertion, site, key, token, self.now) {
                    Ok(()) => return Ok((Holder { key: Some(number), ..Holder::default() }, found)),
                    Err(words) => why = words,
                }
            }
            return Err(No::Credential(why));
        }
        let token = found.get(&Slot::AccessToken).map(String::as_str).unwrap_or_default();
        let holder = self.token(world, site, token)?;
        // A token of one way is none of another.
        let access = world.access.get(token);
        let fits = match &way.auth {
            Auth::Consent { server, .. } => access.and_then(|access| access.grant).and_then(|grant| world.grants.get(grant)).is_some_and(|grant| grant.server == *server),
            _ => access.and_then(|access| access.key).and_then(|key| world.keys.get(key)).is_some_and(|key| key.way == way.word),
        };
        if fits { Ok((holder, found)) } else { Err(No::Credential("the token is of another kind")) }
    }

    fn token(&self, world: &World, site: &Site, token: &str) -> Result<Holder, No> {
        let access = world.access.get(token).ok_or(No::Credential("nobody knows this token"))?;
        let key = access.key.and_then(|key| world.keys.get(key));
        if !world.kin(&access.provider, site.provider.id()) || access.ended || !world.alive(access.grant) || key.is_some_and(|key| key.ended) {
            return Err(No::Credential("the token has been taken back"));
        }
        if access.until.is_some_and(|until| until <= self.now) {
            return Err(No::Credential("the token has ended"));
        }
        Ok(Holder { access: Some(token.to_owned()), key: access.key, client: None })
    }

    fn signed(&self, world: &World, site: &Site, way: &CredentialOption) -> Result<Holder, No> {
        let signed = sigv4::read(self.request).ok_or(No::Credential("the request is not signed"))?;
        let (holder, secret) = match self.request.header("x-amz-security-token") {
            Some(session) => {
                let holder = self.token(world, site, session)?;
                let secret = world.access.get(session).and_then(|access| access.signs.clone());
                (holder, secret.ok_or(No::Credential("the session is none"))?)
            }
            None => {
                let key = live(world, site, way).find(|(_, key)| key.text("access_key_id") == Some(&signed.access_key));
                let (number, key) = key.ok_or(No::Credential("nobody knows this access key"))?;
                (Holder { key: Some(number), ..Holder::default() }, key.text("secret_access_key").unwrap_or_default().to_owned())
            }
        };
        if way.kind == CredentialKind::AwsRole && holder.access.is_none() {
            return Err(No::Credential("the role was not assumed"));
        }
        signed.verifies(self.request, &secret, self.now).map(|()| holder).map_err(No::Credential)
    }

    fn act(&self, world: &mut World, site: &Site, call: &Call, same: &[&Call], holder: &Holder, entry: &mut Entry) -> SimAnswer {
        if let Some(access) = holder.access.as_ref().and_then(|token| world.access.get_mut(token))
            && let Some(idle) = access.idle
        {
            access.until = Some(self.now.plus(Duration::from_secs(idle)));
        }
        match call {
            Call::Mint(way) => {
                let Some(Auth::Mint(mint)) = site.manifest().credential.get(*way).map(|way| &way.auth) else { return SimAnswer::nothing_here("that is no login") };
                let answer = self.minted(world, site, mint, holder, entry);
                "granted".clone_into(&mut entry.outcome);
                answer
            }
            Call::MintEnd(_) => {
                if let Some(access) = holder.access.as_ref().and_then(|token| world.access.get_mut(token)) {
                    access.ended = true;
                }
                good(call.facts(site))
            }
            Call::RevokeGrant(server) => {
                let ends = site.manifest().server.get(server).and_then(|server| server.revocation.ends).unwrap_or(Ends::Grant);
                match &holder.access {
                    Some(token) => end_token(world, token, ends, None),
                    None => {
                        let provider = site.provider.id();
                        for grant in world.grants.iter_mut().filter(|grant| grant.provider == *provider && grant.server == *server) {
                            grant.ended |= holder.client.as_ref().is_none_or(|client| *client == grant.client);
                        }
                    }
                }
                good(call.facts(site))
            }
            Call::RevokeKey(_) => {
                if let Some(key) = holder.key.and_then(|key| world.keys.get_mut(key)) {
                    key.ended = true;
                }
                good(call.facts(site))
            }
            Call::Probe(_) | Call::Lookup(_) => read(site, same, world.places.unwrap_or(1)),
        }
    }

    /// A login: a token of its own.
    fn minted(&self, world: &mut World, site: &Site, mint: &Mint, holder: &Holder, entry: &mut Entry) -> SimAnswer {
        let token = format!("sim_session_{}", world.next());
        let seconds = mint.expires.seconds.unwrap_or(3600);
        let state = Access {
            provider: site.provider.id().clone(),
            grant: None,
            key: holder.key,
            until: Some(self.now.plus(Duration::from_secs(seconds))),
            idle: mint.expires.idle.then_some(seconds),
            ended: false,
            beside: None,
            signs: None,
        };
        world.access.insert(token.clone(), state);
        entry.gave = vec![token.clone()];
        let mut body = Value::Object(Map::new());
        put_once(&mut body, mint.token.as_ref(), json!(token));
        if let (Some(at), Some(unit)) = (&mint.expires.at, mint.expires.unit) {
            put(&mut body, at, writing::end(unit, seconds, self.now));
        }
        for (key, keep) in &mint.keep {
            put_once(&mut body, keep.at.as_ref(), json!(site.kept(key)));
        }
        if let Some(ok) = &mint.request.ok {
            put_once(&mut body, Some(&ok.pointer), ok.equals.clone().unwrap_or(Value::Bool(true)));
        }
        let mut answer = SimAnswer::json(200, &body);
        answer.headers.extend(mint.token_header.as_ref().map(|name| (name.to_ascii_lowercase(), token)));
        answer
    }

    /// STS: `AssumeRole`, and `GetCallerIdentity` of the principal.
    pub(crate) fn assume(&self, world: &mut World, site: &Site, way: usize, entry: &mut Entry) -> SimAnswer {
        entry.provider = site.provider.id().to_string();
        let fields = self.request.fields();
        if fields.get("Action").map(String::as_str) == Some("GetCallerIdentity") {
            "identity".clone_into(&mut entry.what);
            return match self.principal(world) {
                Ok(_) => {
                    "ok".clone_into(&mut entry.outcome);
                    let who = json!({ "UserId": "AIDASIM", "Account": "123456789012", "Arn": PRINCIPAL_ARN });
                    SimAnswer::of(200, "text/xml", xml(&json!({ "GetCallerIdentityResponse": { "GetCallerIdentityResult": who } })))
                }
                Err(no) => refused_by_sts(no, entry),
            };
        }
        "assume_role".clone_into(&mut entry.what);
        let outcome = self.assumed(world, site, way, &fields);
        match outcome {
            Ok((session, body)) => {
                "granted".clone_into(&mut entry.outcome);
                entry.gave = vec![session];
                SimAnswer::of(200, "text/xml", xml(&body))
            }
            Err(no) => refused_by_sts(no, entry),
        }
    }

    /// Whose key signed a request to STS.
    fn principal<'w>(&self, world: &'w World) -> Result<&'w Client, (u16, &'static str, &'static str)> {
        let signed = sigv4::read(self.request).ok_or((403, "MissingAuthenticationToken", "the request is not signed"))?;
        let principal = world.clients.get(&signed.access_key).ok_or((403, "InvalidClientTokenId", "nobody knows this access key"))?;
        if signed.service != "sts" {
            return Err((403, "SignatureDoesNotMatch", "the signature is for another service"));
        }
        signed.verifies(self.request, &principal.secret, self.now).map_err(|words| (403, "SignatureDoesNotMatch", words))?;
        Ok(principal)
    }

    fn assumed(&self, world: &mut World, site: &Site, way: usize, fields: &BTreeMap<String, String>) -> Result<(String, Value), (u16, &'static str, &'static str)> {
        let denied = |words| (403, "AccessDenied", words);
        let way = site.manifest().credential.get(way).ok_or((400, "ValidationError", "there is no such role"))?;
        let Auth::AwsRole { max_seconds, .. } = &way.auth else { return Err((400, "ValidationError", "that is no role")) };
        self.principal(world)?;
        let field = |name: &str| fields.get(name).map(String::as_str);
        if field("RoleSessionName").is_none_or(str::is_empty) {
            return Err((400, "ValidationError", "RoleSessionName is missing"));
        }
        let seconds: u64 = field("DurationSeconds").map_or(Ok(3600), str::parse).map_err(|_| (400, "ValidationError", "DurationSeconds is no number"))?;
        if !(900..=*max_seconds).contains(&seconds) {
            return Err((400, "ValidationError", "the role allows no session of that length"));
        }
        let role = live(world, site, way).find(|(_, key)| key.text("role_arn") == field("RoleArn")).map(|(number, key)| (number, key.text("external_id") == field("ExternalId")));
        let Some((number, true)) = role else { return Err(denied("not allowed to perform: sts:AssumeRole")) };
        let next = world.next();
        let (id, secret, session) = (format!("ASIASIM{next:013}"), format!("sim_session_secret_{next}"), format!("sim_session_{next}"));
        let until = self.now.plus(Duration::from_secs(seconds));
        let state = Access {
            provider: site.provider.id().clone(),
            grant: None,
            key: Some(number),
            until: Some(until),
            idle: None,
            ended: false,
            beside: None,
            signs: Some(secret.clone()),
        };
        world.access.insert(session.clone(), state);
        let credentials = json!({ "AccessKeyId": id, "SecretAccessKey": secret, "SessionToken": session, "Expiration": until.to_string() });
        Ok((session, json!({ "AssumeRoleResponse": { "AssumeRoleResult": { "Credentials": credentials } } })))
    }
}

/// An error of STS.
fn refused_by_sts((status, code, words): (u16, &'static str, &'static str), entry: &mut Entry) -> SimAnswer {
    code.clone_into(&mut entry.outcome);
    SimAnswer::of(status, "text/xml", xml(&json!({ "ErrorResponse": { "Error": { "Type": "Sender", "Code": code, "Message": words } } })))
}

/// Keys of this way that are still good.
fn live<'a>(world: &'a World, site: &'a Site, way: &'a CredentialOption) -> impl Iterator<Item = (usize, &'a crate::keys::SampleKey)> {
    world.keys.iter().enumerate().filter(|(_, key)| !key.ended && key.way == way.word && world.kin(&key.provider, site.provider.id()))
}

/// What stands at the place of a credential, beyond what is known. None: something else stands there, or nothing.
fn carried(place: &Place, kind: CredentialKind, values: &Values, request: &SimRequest, locating: bool) -> Option<Values> {
    let main = if values.contains_key(&Slot::Secret) {
        Slot::Secret
    } else if kind == CredentialKind::OAuthClient && values.contains_key(&Slot::ClientSecret) {
        Slot::ClientSecret
    } else {
        Slot::AccessToken
    };
    let mut found = Values::new();
    let mut take = |slot: Slot, sent: &str| match values.get(&slot) {
        Some(known) => known == sent,
        None => found.insert(slot, sent.to_owned()).is_none_or(|known| known == sent),
    };
    let pair = |user: &str, password: &str, sent: Option<(String, String)>| sent.filter(|(name, word)| name == user && word == password).map(|_| ());
    match place {
        Place::Bearer => take(main, request.bearer()?).then_some(())?,
        Place::Basic => {
            let (user, password) = request.basic()?;
            let (name, word) = if kind == CredentialKind::OAuthClient { (Slot::ClientId, Slot::ClientSecret) } else { (Slot::Username, Slot::Secret) };
            (take(name, &user) && take(word, &password)).then_some(())?;
        }
        Place::Nowhere | Place::Sigv4 => {}
        Place::Parts(parts) => {
            if let Some(name) = &parts.header {
                take(main.clone(), request.header(name)?).then_some(())?;
            }
            let secret = values.get(&main).cloned().unwrap_or_default();
            if let Some(password) = &parts.user_is_key {
                pair(&secret, password, request.basic())?;
            }
            if let Some(user) = &parts.password_is_key {
                pair(user, &secret, request.basic())?;
            }
            if let Some(written) = &parts.pair {
                pair(&fill(&written.user, values)?, &fill(&written.password, values)?, request.basic())?;
            }
            let later = |template: &Template| locating && template.slots().any(|slot| matches!(slot, Slot::Located(_)));
            for (name, template) in parts.headers.iter().filter(|(_, template)| !later(template)) {
                if let Some(pattern) = Pattern::of(template, values) {
                    found.extend(pattern.capture(request.header(name)?)?);
                }
            }
            let params = request.params();
            for (name, template) in parts.query.iter().filter(|(_, template)| !later(template)) {
                if let Some(pattern) = Pattern::of(template, values) {
                    found.extend(pattern.capture(params.get(name)?)?);
                }
            }
        }
    }
    Some(found)
}

fn good(facts: Option<&CallFacts>) -> SimAnswer {
    let mut body = Value::Object(Map::new());
    if let Some(ok) = facts.and_then(|facts| facts.ok.as_ref()) {
        put_once(&mut body, Some(&ok.pointer), ok.equals.clone().unwrap_or(Value::Bool(true)));
    }
    SimAnswer::json(200, &body)
}

/// What is read: rows of a lookup, whose the credential is, or both where one address tells both.
fn read(site: &Site, same: &[&Call], places: u32) -> SimAnswer {
    let mut body = Value::Null;
    let manifest = site.manifest();
    let mut signed = false;
    for call in same {
        let way = call.way().and_then(|way| manifest.credential.get(way));
        signed |= way.is_some_and(|way| way.place.is_signed());
        if let (Call::Lookup(_), Base::Lookup(lookup)) = (call, way.and_then(|way| way.base.as_ref()).unwrap_or(&manifest.base)) {
            put(&mut body, &lookup.items, rows(site, lookup, places));
        }
    }
    for call in same {
        let way = call.way().and_then(|way| manifest.credential.get(way));
        // Of no place nothing is told, where the same address tells both.
        let empty = places == 0 && same.iter().any(|call| matches!(call, Call::Lookup(_)));
        if let Call::Probe(_) = call
            && !empty
            && let Some(probe) = way.and_then(|way| way.probe.as_ref()).or(manifest.probe.as_ref())
        {
            identity(&mut body, probe, way.is_some_and(consents));
        }
    }
    if body.is_null() {
        body = Value::Object(Map::new());
    }
    let query_service = body.as_object().is_some_and(|members| members.keys().any(|name| name.ends_with("Response")));
    match (signed, body.as_object().is_some_and(Map::is_empty)) {
        (true, true) => SimAnswer::of(200, "application/xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Result/>"),
        (true, false) if query_service => SimAnswer::of(200, "text/xml", xml(&body)),
        _ => SimAnswer::json(200, &body),
    }
}

fn rows(site: &Site, lookup: &Lookup, places: u32) -> Value {
    if lookup.items.as_str().is_empty() && lookup.pick == Pick::Only { site.located(lookup) } else { site.places(lookup, places) }
}

fn identity(body: &mut Value, probe: &Probe, person: bool) {
    put_once(body, probe.id.as_ref(), json!("sim-1"));
    put_once(body, probe.name.as_ref(), json!(if person { "Ada Lovelace" } else { "Simulated" }));
    put_once(body, probe.email.as_ref(), json!(crate::page::LOGIN));
    put_once(body, probe.granted.as_ref(), json!("simulated"));
    if let Some(ok) = &probe.call.ok {
        match &ok.equals {
            Some(value) => put(body, &ok.pointer, value.clone()),
            None => put_once(body, Some(&ok.pointer), Value::Bool(true)),
        }
    }
}

/// A refusal in the provider's own way.
fn refused(site: &Site, call: &Call, words: &str) -> SimAnswer {
    let manifest = site.manifest();
    let way = call.way().and_then(|way| manifest.credential.get(way));
    let probe = way.and_then(|way| way.probe.as_ref()).or(manifest.probe.as_ref());
    let told = probe.and_then(|probe| probe.refused.first());
    let mut body = Value::Object(Map::new());
    let of_aws = way.filter(|way| way.place.is_signed()).map(|_| aws_code(words)).filter(|code| {
        // As AWS itself does it, where the manifest says what that means.
        manifest.error.iter().any(|rule| rule.at == At::Api && rule.code.as_deref() == Some(code))
    });
    let code = told.and_then(|told| told.code.clone()).or(of_aws.map(str::to_owned)).unwrap_or_else(|| "unauthorized".to_owned());
    let text = told.and_then(|told| told.contains.as_ref()).map_or_else(|| words.to_owned(), |contains| format!("{contains} ({words})"));
    let places = manifest.api_error.iter().flat_map(|error| &error.code).chain(manifest.server.values().flat_map(|server| &server.answer.error));
    match places.into_iter().next() {
        Some(pointer) => put(&mut body, pointer, json!(code)),
        None => body = json!({ "error": code }),
    }
    let explained = manifest.api_error.as_ref().and_then(|error| error.words.first());
    put_once(&mut body, explained, json!(text));
    if explained.is_none()
        && let Some(members) = body.as_object_mut()
    {
        members.entry("message").or_insert_with(|| json!(text));
    }
    if let Some(ok) = call.facts(site).and_then(|facts| facts.ok.as_ref()).filter(|ok| ok.equals == Some(Value::Bool(true))) {
        put(&mut body, &ok.pointer, Value::Bool(false));
    }
    if of_aws.is_some() && told.is_none() {
        let nested = body.as_object().is_some_and(|members| members.len() == 1 && members.values().all(Value::is_object));
        return if nested { SimAnswer::of(403, "text/xml", xml(&body)) } else { SimAnswer::json(403, &body) };
    }
    // A match by a word alone is for answers that look good by their status.
    let usual = if told.is_some_and(|told| told.code.is_some()) { 200 } else { 401 };
    SimAnswer::json(told.map_or(usual, |told| told.status.unwrap_or(usual)), &body)
}

/// What AWS calls a credential that is none.
fn aws_code(words: &str) -> &'static str {
    match words {
        "the token has ended" => "ExpiredToken",
        words if words.contains("signature") => "SignatureDoesNotMatch",
        _ => "InvalidClientTokenId",
    }
}

/// Nested objects as XML, by element names.
fn xml(body: &Value) -> String {
    fn write(text: &mut String, name: &str, value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| write(text, name, value)),
            Value::Object(members) => {
                text.push_str(&format!("<{name}>"));
                members.iter().for_each(|(name, value)| write(text, name, value));
                text.push_str(&format!("</{name}>"));
            }
            other => {
                let plain = scalar(other).unwrap_or_default().replace('&', "&amp;").replace('<', "&lt;");
                text.push_str(&format!("<{name}>{plain}</{name}>"));
            }
        }
    }
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
    body.as_object().into_iter().flatten().for_each(|(name, value)| write(&mut text, name, value));
    text
}

/// The calls among what a request can be.
pub(crate) fn calls(found: &[crate::routing::Found<'_>]) -> Vec<(usize, Call, Values)> {
    found.iter().filter_map(|found| if let Role::Call(call) = &found.route.role { Some((found.route.site, call.clone(), found.values.clone())) } else { None }).collect()
}
