//! The authorization endpoint: what it takes, the person's answer, and the way back (RFC 6749 section 4.1, RFC 9126, RFC 9207).

use std::collections::BTreeMap;
use std::time::Duration;

use patchbay_providers::manifest::redirect::{Loopback, Matching, Mismatch, Port, Window};
use patchbay_providers::manifest::server::{Iss, Par};
use patchbay_providers::manifest::{At, Cause, Endpoints, Pkce, Slot};
use url::{Host, Url};

use crate::capture::Pattern;
use crate::fault::{self, Fault, Stage};
use crate::page::{self, LOGIN, PASSWORD};
use crate::sigv4::{hex, sign};
use crate::tokens::Asking;
use crate::wire::SimAnswer;
use crate::world::{Asked, Client, CodeState, Entry, SignedIn, World};
use crate::writing::Complaint;

/// Seconds that a code is good for, where the manifest does not say; the longest that RFC 6749 section 4.1.2 recommends.
const CODE: u64 = 600;
/// Seconds for which a person may look at the page.
const PATIENCE: u64 = 1800;

/// A request that can be shown to a person.
struct Checked {
    client: String,
    redirect_uri: Url,
    state: Option<String>,
    challenge: Option<String>,
    asked: Asked,
}

/// What is wrong with a request: told on a page, or to the client.
enum Wrong {
    Page(Cause, &'static str, String),
    Back(Box<Url>, Option<String>, &'static str, String),
}

impl Asking<'_> {
    pub(crate) fn page(&self, world: &mut World, entry: &mut Entry) -> SimAnswer {
        "authorize".clone_into(&mut entry.what);
        let provider = self.site.manifest().fullname.as_str();
        // Faults of the way back are for the person's answer, not for the pages before it.
        let answering = self.request.fields().contains_key("ticket");
        let fault = fault::take(&mut world.faults, self.site.provider.id(), Stage::Page, |fault| *fault == Fault::RefuseWindow || answering);
        let agent = self.request.header("user-agent").unwrap_or_default();
        let embedded = agent.contains("AppleWebKit") && !agent.contains("Chrome") && matches!(self.server.window, Window::Refused { .. });
        if embedded || fault == Some(Fault::RefuseWindow) {
            "window_refused".clone_into(&mut entry.outcome);
            let complaint = Complaint::of(self.site.manifest(), At::Page, Cause::WindowRefused, "disallowed_useragent", "This browser or app may not be secure.");
            let words = format!("Error 403: {}. {}", complaint.code, complaint.words);
            return SimAnswer::page(403, page::notice(provider, "Couldn't sign you in", &words));
        }
        let checked = match self.checked(world) {
            Ok(checked) => checked,
            Err(Wrong::Page(cause, code, words)) => {
                let complaint = Complaint::of(self.site.manifest(), At::Page, cause, code, &words);
                entry.outcome.clone_from(&complaint.code);
                let words = format!("{}: {}", complaint.code, complaint.words);
                return SimAnswer::page(complaint.status.unwrap_or(400), page::notice(provider, "Request refused", &words));
            }
            Err(Wrong::Back(to, state, code, words)) => {
                code.clone_into(&mut entry.outcome);
                return self.back(*to, state, &[("error", code), ("error_description", &words)], None);
            }
        };
        self.person(world, checked, fault, entry)
    }

    /// Sign-in, then the question, then the way back.
    fn person(&self, world: &mut World, checked: Checked, fault: Option<Fault>, entry: &mut Entry) -> SimAnswer {
        let provider = self.site.manifest().fullname.as_str();
        "shown".clone_into(&mut entry.outcome);
        if self.request.method != "POST" {
            return SimAnswer::page(200, page::sign_in(provider, &[], false));
        }
        let fields = self.request.fields();
        if let Some(login) = fields.get("login") {
            if login != LOGIN || fields.get("password").map(String::as_str) != Some(PASSWORD) {
                return SimAnswer::page(200, page::sign_in(provider, &[], true));
            }
            let ticket = format!("sim_signed_in_{}", world.next());
            world.signed_in.insert(ticket.clone(), SignedIn { until: self.now.plus(Duration::from_secs(PATIENCE)) });
            let words = |scope: &String| (scope.clone(), self.server.scopes.words.get(scope).cloned());
            let scopes: Vec<_> = checked.asked.scopes.iter().map(words).collect();
            return SimAnswer::page(200, page::allow(provider, &checked.client, &scopes, &[("ticket", &ticket)]));
        }
        let ticket = fields.get("ticket").map(String::as_str).unwrap_or_default();
        if world.signed_in.remove(ticket).is_none_or(|signed_in| signed_in.until <= self.now) {
            return SimAnswer::page(200, page::sign_in(provider, &[], false));
        }
        let error = match &fault {
            Some(Fault::Deny) => Some("access_denied".to_owned()),
            Some(Fault::AuthorizeError { code }) => Some(code.clone()),
            _ if fields.get("answer").map(String::as_str) != Some("allow") => {
                Some(Complaint::of(self.site.manifest(), At::Callback, Cause::PersonRefused, "access_denied", "").code)
            }
            _ => None,
        };
        if let Some(error) = error {
            entry.outcome.clone_from(&error);
            return self.back(checked.redirect_uri, checked.state, &[("error", &error), ("error_description", "The person said no.")], fault.as_ref());
        }
        let code = format!("sim_code_{}", world.next());
        let until = self.now.plus(Duration::from_secs(self.server.lifetime.code_seconds.unwrap_or(CODE)));
        let sent = self.request.params();
        let redirect_uri = sent.get("redirect_uri").cloned().unwrap_or_else(|| checked.redirect_uri.to_string());
        let state = CodeState {
            client: checked.client,
            site: self.number,
            server: self.name.to_owned(),
            redirect_uri: self.params(world, &sent).ok().and_then(|params| params.get("redirect_uri").cloned()).unwrap_or(redirect_uri),
            challenge: checked.challenge,
            asked: checked.asked,
            until,
            used: None,
        };
        world.codes.insert(code.clone(), state);
        "granted".clone_into(&mut entry.outcome);
        entry.gave = vec![code.clone()];
        self.back(checked.redirect_uri, checked.state, &[(&self.server.callback.code, &code)], fault.as_ref())
    }

    /// The parameters, out of a pushed request where there is one.
    fn params(&self, world: &World, sent: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Wrong> {
        let refused = |words: &str| Wrong::Page(Cause::Unknown, "invalid_request", words.to_owned());
        match (sent.get("request_uri"), self.server.par) {
            (Some(_), Par::No) => Err(refused("Requests cannot be pushed here.")),
            (None, Par::Required) => Err(refused("The request was not pushed.")),
            (None, _) => Ok(sent.clone()),
            (Some(uri), _) => match world.pushed.get(uri).filter(|pushed| pushed.until > self.now || self.request.method == "POST") {
                Some(pushed) if sent.get("client_id") == Some(&pushed.client) => {
                    let mut params = pushed.params.clone();
                    params.insert("client_id".to_owned(), pushed.client.clone());
                    Ok(params)
                }
                _ => Err(refused("Nobody knows this request_uri, or it has ended.")),
            },
        }
    }

    fn checked(&self, world: &World) -> Result<Checked, Wrong> {
        let params = self.params(world, &self.request.params())?;
        let param = |name: &str| params.get(name).map(String::as_str);
        let id = param("client_id").unwrap_or_default();
        let client = world.clients.get(id).ok_or_else(|| Wrong::Page(Cause::UnknownClient, "invalid_client", format!("The client `{id}` is not registered.")))?;
        let redirect_uri = self.redirect(client, param("redirect_uri").unwrap_or_default())?;
        let state = param("state").map(str::to_owned);
        let back = |code: &'static str, words: String| Wrong::Back(Box::new(redirect_uri.clone()), state.clone(), code, words);
        if param("response_type").is_some_and(|kind| kind != "code") {
            return Err(back("unsupported_response_type", "response_type is not code".to_owned()));
        }
        for (name, template) in &self.server.authorize_params {
            // What the person's app says is not known here.
            let wanted = Pattern::of(template, &self.site.values);
            if wanted.is_some_and(|wanted| param(name).and_then(|sent| wanted.capture(sent)).is_none()) {
                return Err(back("invalid_request", format!("{name} is not what this provider wants")));
            }
        }
        let challenge = self.challenge(&params).map_err(|words| back("invalid_request", words.to_owned()))?;
        let asked = self.asked(&params).map_err(|scope| back("invalid_scope", format!("`{scope}` is no scope")))?;
        Ok(Checked { client: id.to_owned(), redirect_uri: redirect_uri.clone(), state: state.clone(), challenge, asked })
    }

    fn challenge(&self, params: &BTreeMap<String, String>) -> Result<Option<String>, &'static str> {
        let challenge = params.get("code_challenge");
        if challenge.is_some() && params.get("code_challenge_method").map(String::as_str) != Some("S256") {
            return Err("code_challenge_method is not S256");
        }
        match self.server.pkce {
            Pkce::Required if challenge.is_none() => Err("code_challenge is missing"),
            Pkce::Forbidden if challenge.is_some() => Err("code_challenge is not known here"),
            Pkce::Required | Pkce::Allowed | Pkce::Forbidden | Pkce::ByApp => Ok(challenge.cloned()),
        }
    }

    fn asked(&self, params: &BTreeMap<String, String>) -> Result<Asked, String> {
        let facts = &self.server.scopes;
        let split = |text: Option<&String>, separator: &str| -> Vec<String> {
            text.map(|text| text.split(separator).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()).unwrap_or_default()
        };
        let scopes = split(params.get(&facts.param), &facts.separator);
        let mut also = false;
        let mut every = scopes.clone();
        for (name, group) in &facts.also {
            let more = split(params.get(name), &group.separator);
            also |= !more.is_empty();
            every.extend(more);
        }
        // A scope with a separator inside was written with the wrong one; single scopes never hold one.
        match every.into_iter().find(|scope| scope.contains([' ', ',']) || scope.starts_with("sim_unknown")) {
            Some(scope) => Err(scope),
            None => Ok(Asked { scopes, also }),
        }
    }

    fn redirect(&self, client: &Client, sent: &str) -> Result<Url, Wrong> {
        let facts = &self.server.redirect;
        let exact = client.redirect_uris.iter().any(|known| match facts.matching {
            Matching::Exact => known == sent,
            Matching::Prefix => sent.starts_with(known.as_str()),
        });
        let parsed = Url::parse(sent).ok().filter(|url| url.fragment().is_none());
        let looped = parsed.as_ref().and_then(loopback);
        let allowed = match (looped, facts.loopback) {
            (None, _) => parsed.as_ref().is_some_and(|url| url.scheme() == "https"),
            (Some(_), Loopback::No) => false,
            (Some(named), Loopback::Ip) => !named,
            (Some(named), Loopback::Localhost) => named,
            (Some(_), Loopback::Either) => true,
        };
        let plain = parsed.as_ref().is_some_and(|url| url.scheme() == "http") && !facts.plain_http_loopback;
        let any_port = facts.port == Port::Any && looped.is_some() && parsed.as_ref().is_some_and(|url| client.redirect_uris.iter().any(|known| same_but_port(known, url)));
        if let Some(url) = parsed.filter(|_| (exact || any_port) && allowed && !plain) {
            return Ok(url);
        }
        match (facts.mismatch, client.redirect_uris.first().and_then(|first| Url::parse(first).ok())) {
            (Mismatch::GoesToFirst, Some(first)) => Ok(first),
            _ => Err(Wrong::Page(Cause::RedirectMismatch, "redirect_uri_mismatch", format!("The redirect URI {sent} is not registered."))),
        }
    }

    /// The way back.
    fn back(&self, mut to: Url, state: Option<String>, params: &[(&str, &str)], fault: Option<&Fault>) -> SimAnswer {
        if fault == Some(&Fault::RedirectElsewhere) {
            let path = format!("{}/elsewhere", to.path().trim_end_matches('/'));
            to.set_path(&path);
        }
        let mut all: Vec<(String, String)> = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if fault == Some(&Fault::DoubleParam) {
            all.extend(params.first().map(|(name, _)| ((*name).to_owned(), "sim_code_another".to_owned())));
        }
        let state = if fault == Some(&Fault::WrongState) { Some("sim_another_state".to_owned()) } else { state };
        all.extend(state.map(|state| ("state".to_owned(), state)));
        let good = params.iter().all(|(name, _)| *name != "error");
        let signed = self.server.callback.signed.as_ref();
        for name in self.server.callback.keep.iter().filter(|_| good) {
            if signed.is_none_or(|signed| signed.param != *name) {
                let asked = self.server.callback.expect.get(name).and_then(|template| self.site.fill(template));
                all.push((name.clone(), asked.unwrap_or_else(|| self.site.kept(name))));
            }
        }
        let names_itself = match self.server.callback.iss {
            Iss::Always => true,
            Iss::Never => false,
            Iss::Discovered => matches!(self.server.endpoints, Endpoints::Discovery { .. }) || self.site.issuer(self.server).is_some(),
        };
        if let Some(issuer) = self.site.issuer(self.server).filter(|_| names_itself && fault != Some(&Fault::NoIss)) {
            all.push(("iss".to_owned(), if fault == Some(&Fault::WrongIss) { "https://issuer.sim.invalid".to_owned() } else { issuer }));
        }
        if let Some(signed) = signed {
            let mut sorted = all.clone();
            sorted.sort();
            let text = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
            let mut values = self.site.values.clone();
            values.insert(Slot::ClientSecret, crate::simulator::client_secret(self.site.provider.id()));
            let key = crate::capture::fill(&signed.key, &values).unwrap_or_default();
            all.push((signed.param.clone(), hex(&sign(key.as_bytes(), &text))));
        }
        to.query_pairs_mut().extend_pairs(all);
        SimAnswer::redirect(to.as_str())
    }

    /// Where a person enters the code of a device.
    pub(crate) fn activate(&self, world: &mut World, entry: &mut Entry) -> SimAnswer {
        "activate".clone_into(&mut entry.what);
        "shown".clone_into(&mut entry.outcome);
        let provider = self.site.manifest().fullname.as_str();
        let fields = self.request.fields();
        let given = fields.get("user_code").or(self.request.params().get("user_code")).cloned().unwrap_or_default();
        if self.request.method != "POST" {
            return SimAnswer::page(200, page::device(provider, &given, false));
        }
        let known = fields.get("login").map(String::as_str) == Some(LOGIN) && fields.get("password").map(String::as_str) == Some(PASSWORD);
        let now = self.now;
        let waiting = world.devices.values_mut().find(|device| device.user_code == given && device.allowed.is_none() && device.until > now);
        let Some(device) = waiting.filter(|_| known) else { return SimAnswer::page(200, page::device(provider, &given, true)) };
        let allowed = fields.get("answer").map(String::as_str) == Some("allow");
        device.allowed = Some(allowed);
        entry.outcome = if allowed { "granted" } else { "access_denied" }.to_owned();
        SimAnswer::page(200, page::notice(provider, "Done", "You can go back to the device."))
    }
}

/// Whether an address is this computer, and whether by its name.
fn loopback(url: &Url) -> Option<bool> {
    match url.host()? {
        Host::Ipv4(address) => address.is_loopback().then_some(false),
        Host::Ipv6(address) => address.is_loopback().then_some(false),
        Host::Domain(name) => (name == "localhost").then_some(true),
    }
}

/// RFC 8252 section 7.3.
fn same_but_port(known: &str, sent: &Url) -> bool {
    let Ok(mut known) = Url::parse(known) else { return false };
    known.set_port(sent.port()).is_ok() && known == *sent
}
