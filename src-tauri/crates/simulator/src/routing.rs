//! Which provider an address belongs to, and what it is there.

use std::collections::BTreeMap;

use patchbay_providers::manifest::call::{CallFacts, CallMethod};
use patchbay_providers::manifest::revoke::How;
use patchbay_providers::manifest::{Auth, Base, Template};
use url::Url;

use crate::capture::{Address, Values};
use crate::site::{Endpoint, Site};
use crate::tokens::activation;
use crate::wire::SimRequest;

/// What an address is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// An endpoint of an authorization server.
    Endpoint(String, Endpoint),
    /// The page on which a person enters the code of a device.
    Activate(String),
    /// Metadata of an issuer.
    Metadata(String),
    /// The keys of an issuer.
    Jwks,
    /// STS of AWS, for the way of this number.
    Sts(usize),
    /// A call that the manifest writes.
    Call(Call),
}

/// Calls of a manifest. Numbers are those of ways.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Probe(Option<usize>),
    Lookup(Option<usize>),
    Mint(usize),
    MintEnd(usize),
    /// Ends what a person granted at this server.
    RevokeGrant(String),
    /// Ends a key.
    RevokeKey(usize),
}

impl Call {
    /// The way whose credential comes with it.
    pub(crate) const fn way(&self) -> Option<usize> {
        match self {
            Self::Probe(way) | Self::Lookup(way) => *way,
            Self::Mint(way) | Self::MintEnd(way) | Self::RevokeKey(way) => Some(*way),
            Self::RevokeGrant(_) => None,
        }
    }

    /// How the manifest writes it.
    pub(crate) fn facts<'a>(&self, site: &'a Site) -> Option<&'a CallFacts> {
        let manifest = site.manifest();
        let way = self.way().and_then(|way| manifest.credential.get(way));
        match self {
            Self::Probe(_) => way.and_then(|way| way.probe.as_ref()).or(manifest.probe.as_ref()).map(|probe| &probe.call),
            Self::Lookup(_) => match way.and_then(|way| way.base.as_ref()).unwrap_or(&manifest.base) {
                Base::Lookup(lookup) => Some(&lookup.call),
                _ => None,
            },
            Self::Mint(_) | Self::MintEnd(_) => match &way?.auth {
                Auth::Mint(mint) if matches!(self, Self::Mint(_)) => Some(&mint.request),
                Auth::Mint(mint) => mint.end.as_ref(),
                _ => None,
            },
            Self::RevokeGrant(server) => called(&manifest.server.get(server)?.revocation.how),
            Self::RevokeKey(_) => called(&way?.revocation.as_ref()?.how),
        }
    }
}

fn called(how: &How) -> Option<&CallFacts> {
    if let How::Call(call) = how { Some(call) } else { None }
}

/// An address of a site.
pub(crate) struct Route {
    pub(crate) site: usize,
    pub(crate) role: Role,
    method: Option<&'static str>,
    address: Place,
}

enum Place {
    At(Address),
    /// Below the addresses that keys of the site are.
    Key,
}

/// Every address of every site.
#[derive(Default)]
pub(crate) struct Routes(Vec<Route>);

/// An address that a request is for, and what stands in its places.
pub(crate) struct Found<'a> {
    pub(crate) route: &'a Route,
    pub(crate) values: Values,
}

impl Routes {
    pub(crate) fn add(&mut self, number: usize, site: &Site) {
        let manifest = site.manifest();
        for (name, server) in &manifest.server {
            for endpoint in Endpoint::ALL {
                self.fixed(number, Role::Endpoint(name.clone(), endpoint), site.endpoint(server, endpoint));
            }
            self.fixed(number, Role::Activate(name.clone()), site.endpoint(server, Endpoint::Device).map(|device| activation(&device)));
            if let Some(issuer) = site.issuer(server) {
                for address in crate::metadata::addresses(site, server, &issuer) {
                    self.fixed(number, Role::Metadata(name.clone()), Some(address));
                }
                self.fixed(number, Role::Jwks, Some(crate::metadata::keys(&issuer)));
            }
            self.call(number, site, Call::RevokeGrant(name.clone()));
        }
        if manifest.credential.is_empty() {
            self.call(number, site, Call::Probe(None));
            self.call(number, site, Call::Lookup(None));
        }
        for (way, option) in manifest.credential.iter().enumerate() {
            self.call(number, site, Call::Lookup(Some(way)));
            self.call(number, site, Call::Probe(Some(way)));
            self.call(number, site, Call::Mint(way));
            self.call(number, site, Call::MintEnd(way));
            self.call(number, site, Call::RevokeKey(way));
            if let Auth::AwsRole { sts, .. } = &option.auth {
                self.fixed(number, Role::Sts(way), site.fill(sts));
            }
        }
    }

    fn fixed(&mut self, site: usize, role: Role, address: Option<String>) {
        // Nothing of it is a template any more; braces in it would be escaped.
        let address = address.and_then(|address| Template::parse(&address).ok()).and_then(|address| Address::of(&address, None, &Values::new()));
        self.0.extend(address.map(|address| Route { site, role, method: None, address: Place::At(address) }));
    }

    fn call(&mut self, number: usize, site: &Site, call: Call) {
        let Some(facts) = call.facts(site) else { return };
        let way = call.way().and_then(|way| site.manifest().credential.get(way));
        // A call of a server goes below the base of those who consent there.
        let way =
            way.or_else(|| site.manifest().credential.iter().find(|way| matches!((&way.auth, &call), (Auth::Consent { server, .. }, Call::RevokeGrant(name)) if server == name)));
        let base = site.base(way);
        let secret = matches!(way.and_then(|way| way.base.as_ref()).unwrap_or(&site.manifest().base), Base::Secret { .. });
        let below = facts.url.as_str().is_empty() || facts.url.as_str().starts_with('/');
        let address = if secret && below { Some(Place::Key) } else { Address::of(&facts.url, base.as_deref(), &site.values).map(Place::At) };
        let method = method(facts.method);
        self.0.extend(address.map(|address| Route { site: number, role: Role::Call(call), method: Some(method), address }));
    }

    /// What a request can be, in the order of the manifests.
    pub(crate) fn find<'a>(&'a self, request: &SimRequest, keys: &dyn Fn(&Route) -> Option<Values>) -> Vec<Found<'a>> {
        let params: BTreeMap<String, String> = request.params();
        let path = if request.path.is_empty() { "/" } else { request.path.as_str() };
        self.0
            .iter()
            .filter(|route| route.method.is_none_or(|method| method == request.method))
            .filter_map(|route| {
                let values = match &route.address {
                    Place::At(address) => address.capture(&request.host, path, &params)?,
                    Place::Key => keys(route)?,
                };
                Some(Found { route, values })
            })
            .collect()
    }

    /// Whether the host is one of a provider here.
    pub(crate) fn knows(&self, host: &str) -> bool {
        self.0.iter().any(|route| matches!(&route.address, Place::At(address) if address.host.eq_ignore_ascii_case(host)))
    }
}

pub(crate) const fn method(method: CallMethod) -> &'static str {
    match method {
        CallMethod::Get => "GET",
        CallMethod::Post => "POST",
        CallMethod::Put => "PUT",
        CallMethod::Patch => "PATCH",
        CallMethod::Delete => "DELETE",
    }
}

/// Whether a request is for an address that is itself a key.
pub(crate) fn is_below(request: &SimRequest, secret: &str, site: &Site, facts: &CallFacts) -> bool {
    let (Ok(secret), Some(below)) = (Url::parse(secret), site.fill(&facts.url)) else { return false };
    let path = format!("{}{}", secret.path().trim_end_matches('/'), below.trim_end_matches('/'));
    let params = request.params();
    request.host.eq_ignore_ascii_case(&secret[url::Position::BeforeHost..url::Position::AfterPort])
        && request.path == path
        && secret.query_pairs().all(|(name, value)| params.get(name.as_ref()).map(String::as_str) == Some(value.as_ref()))
}
