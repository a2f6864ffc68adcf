//! The simulator itself: finds whose a request is, and lets faults happen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use patchbay_model::{Context, ProviderId, Timestamp};
use patchbay_providers::manifest::{Auth, Base};
use patchbay_providers::{Catalog, Provider};
use serde_json::{Map, Value};
use url::Url;

use crate::api::{Calling, calls};
use crate::fault::{self, Fault, Stage};
use crate::keys::{self, SIGNING_KEY, SampleKey};
use crate::page::{LOGIN, PASSWORD};
use crate::routing::{Call, Role, Route, Routes, is_below, method};
use crate::site::{Endpoint, Site, address_in};
use crate::tokens::Asking;
use crate::wire::{SimAnswer, SimReply, SimRequest, scalar};
use crate::world::{Client, Entry, World};
use crate::{clients, control, metadata, sigv4};

/// Redirect URIs that every client has from the start: one of each kind that manifests speak of.
const REDIRECT_URIS: [&str; 4] =
    ["http://127.0.0.1:8085/oauth/callback", "http://localhost:8085/oauth/callback", "https://localhost:8085/oauth/callback", "https://patchbay.sim.invalid/oauth/callback"];

/// In place of a server's name, where there is none.
const PRINCIPAL: &str = "";

/// Providers of a catalog, from their own side. Clones are the same providers.
#[derive(Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

struct Inner {
    sites: Vec<Site>,
    routes: Routes,
    context: Context,
    world: Mutex<World>,
}

/// What somebody needs to register and to sign in at one simulated provider.
#[derive(Clone, PartialEq, Debug)]
pub struct Setup {
    /// Which provider.
    pub provider: ProviderId,
    /// The registered client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its redirect URIs.
    pub redirect_uris: Vec<String>,
    /// A configuration with which the provider is found here.
    pub config: Map<String, Value>,
    /// Login and password of the person.
    pub person: (&'static str, &'static str),
}

/// The secret of the client that is registered at a provider.
pub(crate) fn client_secret(provider: &ProviderId) -> String {
    format!("sim_secret_{provider}")
}

impl Simulator {
    /// Every provider of a catalog in its newest version, each with its sample configuration.
    pub fn new(catalog: &Catalog, context: Context) -> Self {
        Self::of(catalog.providers(), context)
    }

    /// These providers alone.
    pub fn of(providers: &[Arc<Provider>], context: Context) -> Self {
        let sites: Vec<Site> = providers.iter().filter(|provider| !provider.is_local()).map(Site::sample).collect();
        let mut routes = Routes::default();
        let mut world = World::default();
        for (number, site) in sites.iter().enumerate() {
            routes.add(number, site);
            let manifest = site.manifest();
            let provider = site.provider.id();
            world.families.insert(provider.clone(), manifest.family.clone());
            // Where there is no server, the client is the principal that assumes roles.
            let none = (PRINCIPAL.to_owned(), false);
            let servers = manifest.server.iter().map(|(name, server)| (name.clone(), clients::only_assertions(server)));
            for (server, asserts) in servers.chain(manifest.server.is_empty().then_some(none)) {
                let secret = if asserts { SIGNING_KEY.to_owned() } else { client_secret(provider) };
                let redirect_uris = REDIRECT_URIS.map(str::to_owned).to_vec();
                world.clients.insert(client_id(provider, &server), Client { provider: provider.clone(), server, secret, redirect_uris });
            }
        }
        Self { inner: Arc::new(Inner { sites, routes, context, world: Mutex::new(world) }) }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.inner.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn site(&self, provider: &ProviderId) -> Option<&Site> {
        self.inner.sites.iter().find(|site| site.provider.id() == provider)
    }

    /// The time at the simulated providers.
    pub fn now(&self) -> Timestamp {
        self.inner.context.now().plus(self.world().ahead)
    }

    /// What is needed to use a provider, with the client of its first server; none for one that has no network.
    pub fn setup(&self, provider: &ProviderId) -> Option<Setup> {
        self.setup_at(provider, first(self.site(provider)?))
    }

    /// The same with the client of this server.
    pub fn setup_at(&self, provider: &ProviderId, server: &str) -> Option<Setup> {
        let site = self.site(provider)?;
        let client_id = client_id(provider, server);
        let client = self.world().clients.get(&client_id).cloned()?;
        Some(Setup {
            provider: provider.clone(),
            client_id,
            client_secret: client.secret,
            redirect_uris: client.redirect_uris,
            config: site.config.clone(),
            person: (LOGIN, PASSWORD),
        })
    }

    /// Where a way to authenticate would be proven or its address looked up, and how.
    pub fn addresses(&self, provider: &ProviderId, way: &str) -> Vec<(&'static str, Url)> {
        let Some(site) = self.site(provider) else { return Vec::new() };
        let way = site.manifest().credential.iter().position(|option| option.word == way);
        [Call::Lookup(way), Call::Probe(way)].iter().filter_map(|call| address(site, call)).collect()
    }

    /// Every provider that is simulated.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderId> {
        self.inner.sites.iter().map(|site| site.provider.id())
    }

    /// Registers a redirect URI more for the clients at a provider.
    pub fn register(&self, provider: &ProviderId, redirect_uri: &str) {
        for client in self.world().clients.values_mut().filter(|client| client.provider == *provider) {
            client.redirect_uris.push(redirect_uri.to_owned());
        }
    }

    /// Makes a key for a way to authenticate, as a person would at the provider. Those made before stay good.
    pub fn issue(&self, provider: &ProviderId, way: &str) -> Option<SampleKey> {
        let site = self.site(provider)?;
        let way = site.provider.way(way)?;
        Some(keys::make(&mut self.world(), site, way))
    }

    /// The owner of a role writes this external id into its trust policy: with any other it is no longer given out.
    pub fn trust(&self, key: &SampleKey, external_id: &str) {
        keys::trust(&mut self.world(), &key.provider, &key.fields, external_id);
    }

    /// The fields of a key that is made while the world is held.
    pub(crate) fn made(&self, world: &mut World, provider: &ProviderId, way: &str) -> Option<Map<String, Value>> {
        let site = self.site(provider)?;
        Some(keys::make(world, site, site.provider.way(way)?).fields)
    }

    pub(crate) fn config(&self, provider: &ProviderId) -> Option<&Map<String, Value>> {
        self.site(provider).map(|site| &site.config)
    }

    /// Ends a key at the provider, and what was minted with it.
    pub fn withdraw(&self, key: &SampleKey) {
        for known in self.world().keys.iter_mut().filter(|known| known.provider == key.provider && known.fields == key.fields) {
            known.ended = true;
        }
    }

    /// Orders a fault. What happens at once has happened when this returns.
    pub fn order(&self, order: fault::FaultOrder) {
        let now = self.now();
        control::order(&mut self.world(), order, now);
    }

    /// What was asked, from the oldest on that is kept.
    pub fn log(&self) -> Vec<Entry> {
        self.world().log.clone()
    }

    /// The answer to a request.
    pub fn answer(&self, request: &SimRequest) -> SimReply {
        if request.host == "-" {
            return SimReply::Answer(control::answer(self, &mut self.world(), self.inner.context.now(), request));
        }
        let mut world = self.world();
        let now = self.inner.context.now().plus(world.ahead);
        let mut entry = Entry {
            at: now.to_string(),
            address: format!("{}{}", request.host, request.path),
            request_id: request.header("x-request-id").map(str::to_owned),
            outcome: "not_found".to_owned(),
            ..Entry::default()
        };
        let mut reply = self.reply(&mut world, request, now, &mut entry);
        entry.delivered = matches!(&reply, SimReply::Answer(answer) if answer.delay.is_zero());
        let number = world.note(entry);
        if let SimReply::Answer(answer) = &mut reply {
            answer.number = number;
        }
        reply
    }

    /// Says that an answer that took its time was handed to the connection after all.
    pub fn handed_over(&self, answer: &SimAnswer) {
        let mut world = self.world();
        if let Some(entry) = world.log.iter_mut().rev().find(|entry| entry.number == answer.number) {
            entry.delivered = true;
        }
    }

    fn reply(&self, world: &mut World, request: &SimRequest, now: Timestamp, entry: &mut Entry) -> SimReply {
        let at_key = |route: &Route| {
            let site = self.inner.sites.get(route.site)?;
            let Role::Call(call) = &route.role else { return None };
            let facts = call.facts(site)?;
            let below = |key: &&SampleKey| key.provider == *site.provider.id() && key.text("secret").is_some_and(|secret| is_below(request, secret, site, facts));
            world.keys.iter().find(below).map(|_| crate::capture::Values::new())
        };
        let found = self.inner.routes.find(request, &at_key);
        let endpoint = found.iter().filter(|found| !matches!(found.route.role, Role::Call(_) | Role::Endpoint(_, Endpoint::Userinfo))).collect::<Vec<_>>();
        let login = found.iter().any(|found| matches!(found.route.role, Role::Call(Call::Mint(_))));
        let chosen = self.whose(world, request, &endpoint, login);
        let stage = match chosen.map(|route| &route.role) {
            Some(Role::Endpoint(_, Endpoint::Authorize) | Role::Activate(_)) => Stage::Page,
            Some(Role::Endpoint(..) | Role::Sts(_)) => Stage::Token,
            _ => Stage::Api,
        };
        let site = chosen.map(|route| route.site).or(found.first().map(|found| found.route.site)).and_then(|site| self.inner.sites.get(site));
        let Some(site) = site else {
            return SimReply::Answer(SimAnswer::nothing_here(if self.inner.routes.knows(&request.host) {
                "the provider has nothing at this path"
            } else {
                "no provider has this host"
            }));
        };
        entry.provider = site.provider.id().to_string();
        if world.outages.get(site.provider.id()).is_some_and(|until| *until > now) {
            "outage".clone_into(&mut entry.outcome);
            return SimReply::Answer(SimAnswer::of(503, "text/plain", "simulated outage"));
        }
        let fault = fault::take(&mut world.faults, site.provider.id(), stage, |fault| !fault.of_grant() && stage != Stage::Page);
        if let Some(reply) = before(site, fault.as_ref(), entry) {
            return reply;
        }
        let answer = match chosen {
            Some(route) => self.at_endpoint(world, site, route, request, now, entry),
            None => {
                let candidates = calls(&found);
                let calling = Calling { sites: &self.inner.sites, request, now };
                calling.answer(world, &candidates, entry)
            }
        };
        after(answer, fault)
    }

    /// Of several providers at one address, the one whose client asks.
    fn whose<'a>(&self, world: &World, request: &SimRequest, found: &[&crate::routing::Found<'a>], login: bool) -> Option<&'a Route> {
        let id = request.basic().map(|(user, _)| user).or_else(|| request.fields().get("client_id").cloned()).or_else(|| request.params().get("client_id").cloned());
        let fields = request.fields();
        let client = id.as_ref().and_then(|id| world.clients.get(id));
        let key = id.as_ref().and_then(|id| world.keys.iter().find(|key| key.text("client_id") == Some(id)));
        let provider = client.map(|client| client.provider.clone()).or_else(|| key.map(|key| key.provider.clone()));
        // A refresh says it by its token.
        let granted = fields.get("refresh_token").and_then(|token| world.refresh.get(token)).and_then(|refresh| world.grants.get(refresh.grant));
        let told = granted.map(|grant| grant.provider.clone());
        // Several servers of a provider can share their addresses.
        let of_key = key.and_then(|key| self.site(&key.provider)?.provider.way(&key.way)?.auth.server().map(str::to_owned));
        let at = granted.map(|grant| grant.server.clone()).or_else(|| client.map(|client| client.server.clone())).or(of_key);
        let role = fields.get("RoleArn").and_then(|role| world.keys.iter().find(|key| key.text("role_arn") == Some(role))).map(|key| key.provider.clone());
        let code = fields.get("code").and_then(|code| world.codes.get(code));
        let wanted = [told, role, provider].into_iter().flatten().next();
        let of = |found: &&&crate::routing::Found<'a>| match wanted.as_ref() {
            Some(wanted) => self.inner.sites[found.route.site].provider.id() == wanted,
            None => false,
        };
        let server = |found: &&&crate::routing::Found<'a>| match (&found.route.role, code) {
            (Role::Endpoint(name, _), Some(code)) => *name == code.server && found.route.site == code.site,
            (Role::Endpoint(name, _), None) => at.as_ref().is_none_or(|at| at == name),
            _ => true,
        };
        // STS has an address that calls of the API have as well.
        let for_sts = match fields.get("Action").map(String::as_str) {
            Some("AssumeRole") => true,
            Some("GetCallerIdentity") => sigv4::read(request).is_some_and(|signed| world.clients.contains_key(&signed.access_key)),
            _ => false,
        };
        let sts = |found: &&&crate::routing::Found<'a>| for_sts || !matches!(found.route.role, Role::Sts(_));
        let usable: Vec<_> = found.iter().filter(sts).collect();
        // What nobody has registered as a client may be a login that the manifest writes, at an address that is an endpoint too.
        if login && wanted.is_none() && id.is_some() {
            return None;
        }
        // An assertion says by itself whose it is; where several servers share an address, it is for the one that takes it.
        let asserted = |found: &&&crate::routing::Found<'a>| {
            let ways = &self.inner.sites[found.route.site].manifest().credential;
            matches!(&found.route.role, Role::Endpoint(name, _) if ways.iter().any(|way| matches!(&way.auth, Auth::JwtBearer { server, .. } if server == name)))
        };
        let by_assertion = || usable.iter().copied().find(|found| fields.contains_key("assertion") && asserted(found));
        let exact = usable.iter().copied().find(|found| of(found) && server(found));
        exact.or_else(|| usable.iter().copied().find(|found| of(found))).or_else(by_assertion).or(usable.first().copied()).map(|found| found.route)
    }

    fn at_endpoint(&self, world: &mut World, site: &Site, route: &Route, request: &SimRequest, now: Timestamp, entry: &mut Entry) -> SimAnswer {
        let (name, endpoint) = match &route.role {
            Role::Endpoint(name, endpoint) => (name, Some(*endpoint)),
            Role::Activate(name) | Role::Metadata(name) => (name, None),
            Role::Jwks => {
                "ok".clone_into(&mut entry.outcome);
                return SimAnswer::json(200, &serde_json::json!({ "keys": [] }));
            }
            Role::Sts(way) => return Calling { sites: &self.inner.sites, request, now }.assume(world, site, *way, entry),
            Role::Call(_) => return SimAnswer::nothing_here("that is no endpoint"),
        };
        let Some(server) = site.manifest().server.get(name) else { return SimAnswer::nothing_here("there is no such server") };
        let asking = Asking { site, number: route.site, name, server, request, now };
        match (&route.role, endpoint) {
            (Role::Metadata(_), _) => {
                "metadata".clone_into(&mut entry.what);
                "ok".clone_into(&mut entry.outcome);
                SimAnswer::json(200, &metadata::document(site, name, server))
            }
            (Role::Activate(_), _) => asking.activate(world, entry),
            (_, Some(Endpoint::Authorize)) => asking.page(world, entry),
            (_, Some(endpoint)) if request.method == "POST" => asking.answer(world, endpoint, entry),
            _ => SimAnswer::of(405, "text/plain", "simulated: POST alone"),
        }
    }
}

/// Where a call goes, and how, as long as nothing but the site's own values stands in its address.
fn address(site: &Site, call: &Call) -> Option<(&'static str, Url)> {
    let facts = call.facts(site)?;
    let way = call.way().and_then(|way| site.manifest().credential.get(way));
    if let Base::Secret { hosts, .. } = way.and_then(|way| way.base.as_ref()).unwrap_or(&site.manifest().base) {
        return Some((method(facts.method), Url::parse(&address_in(hosts, site.manifest())).ok()?));
    }
    let written = site.fill(&facts.url)?;
    let text = if written.is_empty() || written.starts_with('/') { format!("{}{written}", site.base(way)?.trim_end_matches('/')) } else { written };
    let mut url = Url::parse(&text).ok()?;
    for (name, template) in &facts.query {
        if let Some(value) = site.fill(template) {
            url.query_pairs_mut().append_pair(name, &value);
        }
    }
    Some((method(facts.method), url))
}

/// The id of the client at a server; the usual server has no name in it.
pub(crate) fn client_id(provider: &ProviderId, server: &str) -> String {
    match server {
        "main" | PRINCIPAL => format!("sim_client_{provider}"),
        other => format!("sim_client_{provider}_{other}"),
    }
}

/// The server at which a provider's clients are, where nothing else is said.
fn first(site: &Site) -> &str {
    let servers = &site.manifest().server;
    if servers.contains_key("main") { "main" } else { servers.keys().next().map_or(PRINCIPAL, String::as_str) }
}

/// Faults in whose way nothing is done.
fn before(site: &Site, fault: Option<&Fault>, entry: &mut Entry) -> Option<SimReply> {
    let reply = match fault? {
        Fault::LoseBefore => SimReply::Drop,
        Fault::Endless => SimReply::Endless,
        Fault::Html => SimReply::Answer(SimAnswer::page(200, crate::page::notice(&site.manifest().fullname, "Please wait", "We are checking your browser."))),
        Fault::Status { code, retry_after } => {
            let mut answer = SimAnswer::of(*code, "text/plain", "simulated");
            let header = site.manifest().limits.headers.as_ref().and_then(|headers| headers.retry_after.clone()).unwrap_or_else(|| "retry-after".to_owned());
            answer.headers.extend(retry_after.map(|seconds| (header.to_ascii_lowercase(), seconds.to_string())));
            SimReply::Answer(answer)
        }
        _ => return None,
    };
    "fault".clone_into(&mut entry.outcome);
    Some(reply)
}

/// Faults on the way of an answer that was made.
fn after(mut answer: SimAnswer, fault: Option<Fault>) -> SimReply {
    match fault {
        Some(Fault::LoseAfter) => SimReply::Drop,
        Some(Fault::Stall) => SimReply::Stall,
        Some(Fault::Empty) => SimReply::Answer(SimAnswer { body: Vec::new(), ..answer }),
        Some(Fault::Truncated) => {
            let half = answer.body.len() / 2;
            SimReply::DropAfter(answer, half)
        }
        Some(Fault::Slow { ms }) => {
            answer.delay = Duration::from_millis(ms);
            SimReply::Answer(answer)
        }
        _ => SimReply::Answer(answer),
    }
}

/// What is configured, as text.
pub(crate) fn shown(config: &Map<String, Value>) -> BTreeMap<String, String> {
    config.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect()
}
