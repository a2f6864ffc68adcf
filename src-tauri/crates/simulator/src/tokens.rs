//! The token endpoint, and what belongs to it: pushed requests, devices, revocation, introspection.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use patchbay_model::Timestamp;
use patchbay_providers::manifest::lifetime::{Reuse, Rotation, Silent};
use patchbay_providers::manifest::revoke::{Ends, How};
use patchbay_providers::manifest::server::TokenBody;
use patchbay_providers::manifest::{Auth, Cause, Server};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::capture::Pattern;
use crate::clients::{self, Caller};
use crate::fault::{self, Fault, Stage};
use crate::jwt;
use crate::site::{Endpoint, Site};
use crate::wire::{SimAnswer, SimRequest};
use crate::world::{Access, Asked, DeviceState, Entry, Grant, Pushed, Refresh, World};
use crate::writing::{self, Issued};

/// Seconds that an access token lives where the manifest does not say.
const USUAL: u64 = 3600;
/// Seconds for which a device waits, and between two of its questions.
const DEVICE: u64 = 600;
const INTERVAL: u64 = 5;
/// Seconds that a pushed request is good for.
const PUSHED: u64 = 60;

/// A request at one server of one site.
pub(crate) struct Asking<'a> {
    pub(crate) site: &'a Site,
    pub(crate) number: usize,
    pub(crate) name: &'a str,
    pub(crate) server: &'a Server,
    pub(crate) request: &'a SimRequest,
    pub(crate) now: Timestamp,
}

/// Why there are no tokens: what it means, the word of RFC 6749, and what is wrong.
pub(crate) type Refusal = (Cause, &'static str, String);

fn refusal(cause: Cause, code: &'static str, words: impl Into<String>) -> Refusal {
    (cause, code, words.into())
}

fn spent(words: &str) -> Refusal {
    refusal(Cause::TokenSpent, "invalid_grant", words)
}

fn over(words: &str) -> Refusal {
    refusal(Cause::GrantEnded, "invalid_grant", words)
}

fn wrong(words: impl Into<String>) -> Refusal {
    refusal(Cause::Unknown, "invalid_request", words)
}

/// What was given out.
struct Granted {
    issued: Vec<Issued>,
    scopes: Vec<String>,
    rotated: bool,
}

impl Asking<'_> {
    /// An answer of one of the endpoints beside the authorization page.
    pub(crate) fn answer(&self, world: &mut World, endpoint: Endpoint, entry: &mut Entry) -> SimAnswer {
        let fields = self.request.fields();
        entry.what = fields.get("grant_type").cloned().unwrap_or_else(|| endpoint.word().to_owned());
        entry.sent = ["refresh_token", "code", "device_code", "token", "assertion"].iter().find_map(|name| fields.get(*name).cloned());
        let outcome = match endpoint {
            Endpoint::Token | Endpoint::Refresh => return self.tokens(world, &fields, endpoint, entry),
            Endpoint::Par => self.pushed(world, &fields).map(|body| SimAnswer::json(201, &body)),
            Endpoint::Device => self.device(world, &fields).map(|body| SimAnswer::json(200, &body)),
            Endpoint::Revocation => self.revoked(world, &fields),
            Endpoint::Introspection => self.introspected(world, &fields).map(|body| SimAnswer::json(200, &body)),
            Endpoint::Authorize | Endpoint::Userinfo => Err(wrong("that is no such endpoint")),
        };
        match outcome {
            Ok(answer) => {
                "ok".clone_into(&mut entry.outcome);
                answer
            }
            Err(refusal) => self.refused(refusal, entry),
        }
    }

    fn refused(&self, (cause, code, words): Refusal, entry: &mut Entry) -> SimAnswer {
        let (answer, code) = writing::refused(self.site, self.server, cause, code, &words);
        entry.outcome = code;
        answer
    }

    fn tokens(&self, world: &mut World, fields: &BTreeMap<String, String>, endpoint: Endpoint, entry: &mut Entry) -> SimAnswer {
        match self.granted(world, fields, endpoint) {
            Ok(granted) => {
                "granted".clone_into(&mut entry.outcome);
                entry.rotated = granted.rotated;
                entry.gave = granted.issued.iter().flat_map(|tokens| [Some(tokens.access.clone()), tokens.refresh.clone()]).flatten().collect();
                let fault = fault::take(&mut world.faults, self.site.provider.id(), Stage::Token, Fault::of_grant);
                writing::granted(self.site, self.server, &granted.issued, &granted.scopes, fault.as_ref(), self.now)
            }
            Err(refusal) => self.refused(refusal, entry),
        }
    }

    fn granted(&self, world: &mut World, fields: &BTreeMap<String, String>, endpoint: Endpoint) -> Result<Granted, Refusal> {
        self.shape(fields)?;
        let grant_type = fields.get("grant_type").map(String::as_str).unwrap_or_default();
        let field = |name: &str| fields.get(name).map(String::as_str).ok_or_else(|| wrong(format!("{name} is missing")));
        if endpoint == Endpoint::Refresh && grant_type != "refresh_token" {
            return Err(refusal(Cause::Unknown, "unsupported_grant_type", "refreshes alone come here"));
        }
        if endpoint == Endpoint::Token && grant_type == "refresh_token" && self.site.endpoint(self.server, Endpoint::Refresh).is_some() {
            return Err(refusal(Cause::Unknown, "unsupported_grant_type", "refreshes have an address of their own"));
        }
        if grant_type == "urn:ietf:params:oauth:grant-type:jwt-bearer" {
            return self.by_assertion(world, field("assertion")?, fields);
        }
        let caller = self.caller(world, fields)?;
        match grant_type {
            "authorization_code" => self.by_code(world, &caller, field("code")?, field("redirect_uri")?, fields.get("code_verifier").map(String::as_str)),
            "refresh_token" => {
                for (name, template) in &self.server.refresh_params {
                    let sent = field(name)?;
                    if Pattern::of(template, &self.site.values).is_some_and(|pattern| pattern.capture(sent).is_none()) {
                        return Err(wrong(format!("{name} is not what the provider wants")));
                    }
                }
                self.by_refresh(world, &caller, field("refresh_token")?)
            }
            "urn:ietf:params:oauth:grant-type:device_code" => self.by_device(world, &caller, field("device_code")?),
            other => self.by_key(world, &caller, other, fields),
        }
    }

    fn caller(&self, world: &World, fields: &BTreeMap<String, String>) -> Result<Caller, Refusal> {
        clients::authenticate(world, self.site, self.server, self.request, fields, self.now).map_err(|words| refusal(Cause::WrongSecret, "invalid_client", words))
    }

    /// Body, headers and parameters as the manifest says.
    fn shape(&self, fields: &BTreeMap<String, String>) -> Result<(), Refusal> {
        let written = match self.server.token_body {
            TokenBody::Form => self.request.is_form(),
            TokenBody::Json => self.request.is_json(),
        };
        if !written {
            return Err(wrong("the body is written otherwise than this provider takes it"));
        }
        for (name, template) in &self.server.token_headers {
            let wanted = Pattern::of(template, &self.site.values);
            if wanted.is_some_and(|wanted| self.request.header(name).and_then(|sent| wanted.capture(sent)).is_none()) {
                return Err(wrong(format!("the header {name} is not what this provider wants")));
            }
        }
        for (name, template) in &self.server.token_params {
            let wanted = Pattern::of(template, &self.site.values);
            if wanted.is_some_and(|wanted| fields.get(name).and_then(|sent| wanted.capture(sent)).is_none()) {
                return Err(wrong(format!("{name} is not what this provider wants")));
            }
        }
        Ok(())
    }

    fn by_code(&self, world: &mut World, caller: &Caller, code: &str, redirect_uri: &str, verifier: Option<&str>) -> Result<Granted, Refusal> {
        let state = world.codes.get(code).cloned().ok_or_else(|| spent("nobody knows this code"))?;
        if let Some(grant) = state.used {
            // RFC 6749 section 4.1.2: what came of it is ended.
            world.end(grant);
            return Err(spent("the code was used before"));
        }
        if state.client != caller.id || state.server != self.name {
            return Err(refusal(Cause::Unknown, "invalid_grant", "the code is another client's"));
        }
        if state.until <= self.now {
            return Err(spent("the code has ended"));
        }
        if state.redirect_uri != redirect_uri {
            return Err(refusal(Cause::RedirectMismatch, "invalid_grant", "redirect_uri is another than the code was given for"));
        }
        let fits = match (&state.challenge, verifier) {
            (Some(challenge), Some(verifier)) => (43..=128).contains(&verifier.len()) && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == *challenge,
            (None, None) => true,
            _ => false,
        };
        if !fits {
            return Err(refusal(Cause::PkceRefused, "invalid_grant", "code_verifier does not belong to the code"));
        }
        let grant = self.grant(world, &caller.id, state.asked.clone());
        if let Some(state) = world.codes.get_mut(code) {
            state.used = Some(grant);
        }
        Ok(self.issue(world, grant, None))
    }

    fn by_device(&self, world: &mut World, caller: &Caller, code: &str) -> Result<Granted, Refusal> {
        let now = self.now;
        let state = world
            .devices
            .get_mut(code)
            .filter(|state| state.client == caller.id && state.site == self.number && state.server == self.name)
            .ok_or_else(|| spent("nobody knows this device"))?;
        if state.until <= now {
            return Err(refusal(Cause::GrantEnded, "expired_token", "the person took too long"));
        }
        let early = state.last_poll.is_some_and(|last| now.since(last) < Duration::from_secs(INTERVAL));
        state.last_poll = Some(now);
        match state.allowed {
            None if early => Err(refusal(Cause::RateLimited, "slow_down", "asked too soon")),
            None => Err(refusal(Cause::Unknown, "authorization_pending", "the person has not answered yet")),
            Some(false) => Err(refusal(Cause::PersonRefused, "access_denied", "the person said no")),
            Some(true) => {
                let asked = state.asked.clone();
                world.devices.remove(code);
                let grant = self.grant(world, &caller.id, asked);
                Ok(self.issue(world, grant, None))
            }
        }
    }

    fn by_refresh(&self, world: &mut World, caller: &Caller, token: &str) -> Result<Granted, Refusal> {
        let now = self.now;
        let state = world.refresh.get(token).cloned().ok_or_else(|| spent("nobody knows this refresh token"))?;
        let grant = world.grants.get(state.grant).cloned().ok_or_else(|| over("the grant has ended"))?;
        if grant.client != caller.id {
            return Err(refusal(Cause::UnknownClient, "invalid_grant", "the refresh token is another client's"));
        }
        if grant.ended || state.ended {
            return Err(over("the grant has ended"));
        }
        let lifetime = &self.server.lifetime;
        if lifetime.idle_seconds.is_some_and(|idle| now.since(state.used).as_secs() >= idle) {
            return Err(over("the refresh token was not used for too long"));
        }
        if lifetime.absolute_seconds.is_some_and(|absolute| now.since(grant.made).as_secs() >= absolute) {
            return Err(over("the consent is too old"));
        }
        let (rotates, grace, until_used, reuse) = match self.server.rotation {
            Rotation::None => (false, 0, false, Reuse::Refused),
            // Of what is not known the hardest is assumed.
            Rotation::Unknown => (true, 0, false, Reuse::EndsFamily),
            Rotation::Rotates { grace_seconds, until_used, reuse } => (true, grace_seconds, until_used, reuse),
        };
        if rotates && state.stolen {
            if reuse != Reuse::Refused {
                world.end(state.grant);
            }
            return Err(spent("the refresh token was used before, by somebody else"));
        }
        if let Some(rotated) = state.rotated {
            let next_used = state.next.as_ref().and_then(|next| world.refresh.get(next)).is_none_or(|next| next.rotated.is_some() || next.ended);
            let spared = (grace > 0 && now.since(rotated).as_secs() < grace) || (until_used && !next_used);
            if !spared {
                if reuse != Reuse::Refused {
                    world.end(state.grant);
                }
                return Err(spent("the refresh token was used before"));
            }
        }
        if let Some(state) = world.refresh.get_mut(token) {
            state.used = now;
        }
        if !rotates {
            return Ok(self.renew(world, &state, None));
        }
        Ok(self.renew(world, &state, Some(token)))
    }

    /// The next tokens under one name, which take the first place of the answer. `rotated` is the refresh token that is replaced.
    fn renew(&self, world: &mut World, state: &Refresh, rotated: Option<&str>) -> Granted {
        let place = self.server.answer.tokens.iter().position(|place| place.name == state.name).unwrap_or_default();
        let mut tokens = self.token(world, Some(state.grant), None, place, rotated.is_some());
        tokens.place = 0;
        if let (Some(old), Some(next)) = (rotated.and_then(|token| world.refresh.get_mut(token)), &tokens.refresh) {
            old.rotated = old.rotated.or(Some(self.now));
            old.next = Some(next.clone());
        }
        let scopes = world.grants.get(state.grant).map(|grant| grant.asked.scopes.clone()).unwrap_or_default();
        Granted { issued: vec![tokens], scopes, rotated: rotated.is_some() }
    }

    fn grant(&self, world: &mut World, client: &str, asked: Asked) -> usize {
        let provider = self.site.provider.id().clone();
        world.grants.push(Grant { provider: provider.clone(), server: self.name.to_owned(), client: client.to_owned(), asked, made: self.now, ended: false });
        if let Some(limit) = self.server.lifetime.per_user_limit {
            let alive: Vec<usize> =
                world.grants.iter().enumerate().filter(|(_, grant)| !grant.ended && grant.provider == provider && grant.client == client).map(|(number, _)| number).collect();
            for oldest in alive.iter().take(alive.len().saturating_sub(limit as usize)) {
                world.end(*oldest);
            }
        }
        world.grants.len() - 1
    }

    /// Every token that a new grant gives.
    fn issue(&self, world: &mut World, grant: usize, key: Option<usize>) -> Granted {
        let asked = world.grants.get(grant).map(|grant| grant.asked.clone()).unwrap_or_default();
        let renewable = key.is_none() && self.server.scopes.offline.as_ref().is_none_or(|offline| asked.scopes.contains(offline));
        let mut issued = Vec::new();
        for (place, facts) in self.server.answer.tokens.iter().enumerate() {
            if facts.optional && !asked.also {
                continue;
            }
            issued.push(self.token(world, Some(grant), key, place, renewable));
        }
        Granted { issued, scopes: asked.scopes, rotated: false }
    }

    fn token(&self, world: &mut World, grant: Option<usize>, key: Option<usize>, place: usize, renewable: bool) -> Issued {
        let facts = self.server.answer.tokens.get(place);
        let lifetime = &self.server.lifetime;
        // Where tokens without an end are renewed nevertheless, the app chose ends at the provider: that is the case played here.
        let endless = matches!(lifetime.access.silent, Silent::NonExpiring { .. }) && !matches!(self.server.rotation, Rotation::Rotates { .. });
        let seconds = (!endless).then(|| lifetime.access.seconds.unwrap_or(USUAL));
        let number = world.next();
        let mut access = format!("sim_access_{number}");
        if lifetime.access.silent == Silent::JwtExp {
            let issuer = self.site.issuer(self.server).unwrap_or_default();
            access = jwt::issue(&access, &issuer, crate::page::LOGIN, self.now, seconds.unwrap_or(USUAL));
        }
        let refresh = (renewable && !endless && facts.is_some_and(|facts| facts.refresh.is_some())).then(|| format!("sim_refresh_{number}"));
        if let (Some(refresh), Some(grant)) = (&refresh, grant) {
            let name = facts.map(|facts| facts.name.clone()).unwrap_or_default();
            world.refresh.insert(refresh.clone(), Refresh { grant, name, used: self.now, rotated: None, next: None, ended: false, stolen: false });
        }
        let state = Access {
            provider: self.site.provider.id().clone(),
            grant,
            key,
            until: seconds.map(|seconds| self.now.plus(Duration::from_secs(seconds))),
            idle: None,
            ended: false,
            beside: refresh.clone(),
            signs: None,
        };
        world.access.insert(access.clone(), state);
        let made = grant.and_then(|grant| world.grants.get(grant)).map_or(self.now, |grant| grant.made);
        let absolute = lifetime.absolute_seconds.map(|seconds| made.plus(Duration::from_secs(seconds)));
        let refresh_seconds = refresh.as_ref().and(lifetime.idle_seconds.or(absolute.map(|at| at.since(self.now).as_secs())).or(Some(90 * 86_400)));
        Issued { place, access, refresh, seconds, refresh_seconds, absolute }
    }

    /// Client credentials, under whatever name the provider has for them.
    fn by_key(&self, world: &mut World, caller: &Caller, grant_type: &str, fields: &BTreeMap<String, String>) -> Result<Granted, Refusal> {
        let unsupported = || refusal(Cause::Unknown, "unsupported_grant_type", format!("`{grant_type}` is no grant of this provider"));
        let key = caller.key.ok_or_else(unsupported)?;
        let word = world.keys[key].way.clone();
        let Some(Auth::ClientCredentials { server, scopes, audience, grant_type: wanted, params }) = self.site.provider.way(&word).map(|way| &way.auth) else {
            return Err(refusal(Cause::Unknown, "unauthorized_client", "this client is for another grant"));
        };
        if server != self.name || wanted.as_deref().unwrap_or("client_credentials") != grant_type {
            return Err(unsupported());
        }
        let mut values = self.site.values.clone();
        values.extend(world.keys[key].values());
        let fits = |template, name: &str| Pattern::of(template, &values).is_none_or(|pattern| fields.get(name).is_some_and(|sent| pattern.capture(sent).is_some()));
        if !audience.iter().all(|template| fits(template, "audience")) {
            return Err(wrong("audience is not what this provider wants"));
        }
        if let Some((name, _)) = params.iter().find(|(name, template)| !fits(template, name)) {
            return Err(wrong(format!("{name} is not what this provider wants")));
        }
        let sent = fields.get(&self.server.scopes.param).map(String::as_str).unwrap_or_default();
        let sent: Vec<String> = sent.split(self.server.scopes.separator.as_str()).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let missing = scopes
            .iter()
            .filter_map(|template| crate::capture::fill(template, &values))
            .find(|wanted| wanted.split(self.server.scopes.separator.as_str()).any(|scope| !scope.is_empty() && !sent.iter().any(|known| known == scope)));
        if let Some(missing) = missing {
            return Err(refusal(Cause::ScopeNotAllowed, "invalid_scope", format!("`{missing}` was not asked for")));
        }
        Ok(self.mint(world, key, sent))
    }

    fn by_assertion(&self, world: &mut World, assertion: &str, fields: &BTreeMap<String, String>) -> Result<Granted, Refusal> {
        let mut why = "nobody knows this client";
        for number in 0..world.keys.len() {
            let key = &world.keys[number];
            if key.ended || key.provider != *self.site.provider.id() {
                continue;
            }
            let Some(Auth::JwtBearer { server, assertion: written, params, .. }) = self.site.provider.way(&key.way).map(|way| &way.auth) else { continue };
            if server != self.name {
                continue;
            }
            match jwt::judge(written, self.site, key, assertion, self.now) {
                Ok(()) => {
                    let missing = params.iter().find(|(name, template)| {
                        Pattern::of(template, &self.site.values).is_some_and(|pattern| fields.get(*name).and_then(|sent| pattern.capture(sent)).is_none())
                    });
                    return match missing {
                        Some((name, _)) => Err(wrong(format!("{name} is not what this provider wants"))),
                        None => Ok(self.mint(world, number, Vec::new())),
                    };
                }
                Err(words) => why = words,
            }
        }
        Err(refusal(Cause::Unknown, "invalid_grant", why))
    }

    /// A token for a key: nothing renews it.
    fn mint(&self, world: &mut World, key: usize, scopes: Vec<String>) -> Granted {
        Granted { issued: vec![self.token(world, None, Some(key), 0, false)], scopes, rotated: false }
    }

    fn pushed(&self, world: &mut World, fields: &BTreeMap<String, String>) -> Result<serde_json::Value, Refusal> {
        let caller = self.caller(world, fields)?;
        if fields.contains_key("request_uri") {
            return Err(wrong("a pushed request names no other"));
        }
        let uri = format!("urn:ietf:params:oauth:request_uri:sim_par_{}", world.next());
        let params = fields.iter().filter(|(name, _)| !name.starts_with("client_") || *name == "client_id").map(|(name, value)| (name.clone(), value.clone())).collect();
        world.pushed.insert(uri.clone(), Pushed { client: caller.id, params, until: self.now.plus(Duration::from_secs(PUSHED)) });
        Ok(json!({ "request_uri": uri, "expires_in": PUSHED }))
    }

    fn device(&self, world: &mut World, fields: &BTreeMap<String, String>) -> Result<serde_json::Value, Refusal> {
        let id = fields.get("client_id").cloned().unwrap_or_default();
        // A device may name itself alone, wherever its kind of client is known (RFC 8628 section 3.1).
        let caller = match self.caller(world, fields) {
            Ok(caller) => caller,
            Err(_) if world.clients.contains_key(&id) && !fields.contains_key("client_secret") => Caller { id, key: None },
            Err(refusal) => return Err(refusal),
        };
        let scopes = fields.get(&self.server.scopes.param).map(String::as_str).unwrap_or_default();
        let asked = Asked { scopes: scopes.split(self.server.scopes.separator.as_str()).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(), also: false };
        let number = world.next();
        let (code, user_code) = (format!("sim_device_{number}"), format!("SIM-{number:04}"));
        let page = self.site.endpoint(self.server, Endpoint::Device).map(|device| activation(&device)).unwrap_or_default();
        world.devices.insert(
            code.clone(),
            DeviceState {
                client: caller.id,
                site: self.number,
                server: self.name.to_owned(),
                user_code: user_code.clone(),
                asked,
                until: self.now.plus(Duration::from_secs(DEVICE)),
                last_poll: None,
                allowed: None,
            },
        );
        let complete = format!("{page}?user_code={user_code}");
        Ok(json!({ "device_code": code, "user_code": user_code, "verification_uri": page, "verification_uri_complete": complete, "expires_in": DEVICE, "interval": INTERVAL }))
    }

    fn revoked(&self, world: &mut World, fields: &BTreeMap<String, String>) -> Result<SimAnswer, Refusal> {
        let How::Rfc7009 { ends, body, .. } = &self.server.revocation.how else { return Err(wrong("nothing can be revoked here")) };
        let written = match body {
            TokenBody::Form => self.request.is_form(),
            TokenBody::Json => self.request.is_json(),
        };
        if !written {
            return Err(wrong("the body is written otherwise than this provider takes it"));
        }
        let caller = self.caller(world, fields)?;
        let token = fields.get("token").ok_or_else(|| wrong("token is missing"))?;
        end_token(world, token, *ends, Some(&caller.id));
        // Whether anything ended is not told (RFC 7009 section 2.2).
        Ok(SimAnswer::of(200, "application/json", "{}"))
    }

    fn introspected(&self, world: &mut World, fields: &BTreeMap<String, String>) -> Result<serde_json::Value, Refusal> {
        let written = match self.server.introspection_body {
            TokenBody::Form => self.request.is_form(),
            TokenBody::Json => self.request.is_json(),
        };
        if !written {
            return Err(wrong("the body is written otherwise than this provider takes it"));
        }
        self.caller(world, fields)?;
        let token = fields.get("token").map(String::as_str).unwrap_or_default();
        let active = match (world.access.get(token), world.refresh.get(token)) {
            (Some(access), _) => !access.ended && world.alive(access.grant) && access.until.is_none_or(|until| until > self.now),
            (None, Some(refresh)) => !refresh.ended && refresh.rotated.is_none() && world.alive(Some(refresh.grant)),
            (None, None) => false,
        };
        Ok(if active { json!({ "active": true, "username": crate::page::LOGIN }) } else { json!({ "active": false }) })
    }
}

/// Ends what a revocation ends. A token that nobody knows, or another client's, ends nothing.
pub(crate) fn end_token(world: &mut World, token: &str, ends: Ends, client: Option<&str>) {
    let access = world.access.get(token).cloned();
    let refresh = world.refresh.get(token).cloned();
    let grant = access.as_ref().and_then(|access| access.grant).or(refresh.as_ref().map(|refresh| refresh.grant));
    let of = grant.and_then(|grant| world.grants.get(grant)).cloned();
    if let (Some(of), Some(client)) = (&of, client)
        && of.client != client
    {
        return;
    }
    if let (Ends::Grant, Some(of)) = (ends, of) {
        // All that the person granted to this app.
        for grant in world.grants.iter_mut().filter(|grant| grant.provider == of.provider && grant.client == of.client && grant.server == of.server) {
            grant.ended = true;
        }
        return;
    }
    if let (Ends::Set, Some(of)) = (ends, grant.and_then(|grant| world.grants.get_mut(grant))) {
        of.ended = true;
        return;
    }
    if refresh.is_some() {
        if let Some(refresh) = world.refresh.get_mut(token) {
            refresh.ended = true;
        }
        for access in world.access.values_mut().filter(|access| access.beside.as_deref() == Some(token)) {
            access.ended = true;
        }
    }
    if let Some(access) = world.access.get_mut(token) {
        access.ended = true;
    }
}

/// Where a person enters the code of a device.
pub(crate) fn activation(device: &str) -> String {
    url::Url::parse(device).map(|url| format!("{}/sim/activate", url.origin().ascii_serialization())).unwrap_or_default()
}
