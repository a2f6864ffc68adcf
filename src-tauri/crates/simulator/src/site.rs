//! A provider with one configuration, and everything that it tells of itself: addresses, what answers carry beside tokens, what lookups find.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_model::credential::CredentialKind;
use patchbay_providers::Provider;
use patchbay_providers::manifest::answer::{Keep, Pointer};
use patchbay_providers::manifest::call::{Lookup, Pick};
use patchbay_providers::manifest::{Auth, Base, CredentialOption, Endpoints, Filter, Manifest, Part, Server, Slot, Template, sample_config, sample_config_of};
use serde_json::{Map, Value};

use crate::capture::{Values, fill};
use crate::wire::scalar;

/// A provider as one customer has it.
pub(crate) struct Site {
    pub(crate) provider: Arc<Provider>,
    pub(crate) config: Map<String, Value>,
    /// What templates are filled with on this side.
    pub(crate) values: Values,
    /// What the wire carries under a kept key, where that is a word that stands for something.
    raw: BTreeMap<String, String>,
}

impl Site {
    /// A site with the sample configuration of its manifest and of each of its ways.
    pub(crate) fn sample(provider: &Arc<Provider>) -> Self {
        let manifest = provider.manifest();
        let mut config = sample_config(manifest);
        for way in &manifest.credential {
            config.extend(sample_config_of(manifest, way));
        }
        Self::new(provider, config)
    }

    pub(crate) fn new(provider: &Arc<Provider>, config: Map<String, Value>) -> Self {
        let mut site = Self { provider: provider.clone(), config, values: Values::new(), raw: BTreeMap::new() };
        site.configure();
        site.keep();
        site.locate();
        let manifest = provider.manifest();
        for (name, template) in &manifest.bases {
            if let Some(address) = fill(template, &site.values) {
                site.values.insert(Slot::Base(name.clone()), address);
            }
        }
        let userinfo = manifest.server.values().find_map(|server| site.endpoint(server, Endpoint::Userinfo));
        site.values.extend(userinfo.map(|address| (Slot::Userinfo, address)));
        site
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        self.provider.manifest()
    }

    fn configure(&mut self) {
        let manifest = self.provider.manifest();
        for property in manifest.config.iter().chain(manifest.credential.iter().flat_map(|way| &way.config)) {
            let Some(text) = self.config.get(&property.name).or(property.fallback()).and_then(scalar) else { continue };
            for (key, meaning) in property.means.get(&text).into_iter().flatten() {
                self.values.insert(Slot::Meaning(property.name.clone(), key.clone()), meaning.clone());
            }
            self.values.insert(Slot::Config(property.name.clone()), text);
        }
        for server in manifest.server.values() {
            for property in &server.app {
                let sample = property.examples.first().or(property.fallback()).and_then(scalar).unwrap_or_else(|| "example".to_owned());
                self.values.insert(Slot::App(property.name.clone()), sample);
            }
        }
    }

    /// Chooses what answers and callbacks bring.
    fn keep(&mut self) {
        let provider = self.provider.clone();
        let manifest = provider.manifest();
        let minted = manifest.credential.iter().filter_map(|way| if let Auth::Mint(mint) = &way.auth { Some(&mint.keep) } else { None });
        let kept: Vec<(&String, Option<&Keep>)> = manifest
            .server
            .values()
            .flat_map(|server| server.answer.keep.iter().map(|(key, keep)| (key, Some(keep))).chain(server.callback.keep.iter().map(|key| (key, None))))
            .chain(minted.flatten().map(|(key, keep)| (key, Some(keep))))
            .collect();
        for (key, keep) in kept {
            let value = match keep.and_then(|keep| keep.means.iter().next()) {
                Some((word, meaning)) => {
                    self.raw.insert(key.clone(), word.clone());
                    meaning.clone()
                }
                None => self.address_kept(key).unwrap_or_else(|| format!("sim-{}", key.to_lowercase().replace('_', "-"))),
            };
            self.values.insert(Slot::Kept(key.clone()), value);
        }
    }

    /// An address, where the value of this key is used as one.
    fn address_kept(&self, key: &str) -> Option<String> {
        let manifest = self.provider.manifest();
        for base in manifest.credential.iter().filter_map(|way| way.base.as_ref()).chain([&manifest.base]) {
            if let Base::Kept { key: known, template, hosts } = base
                && known == key
                && template.as_ref().is_none_or(|template| is_address(template, &Slot::Kept(key.to_owned())))
            {
                return Some(address_in(hosts, manifest));
            }
        }
        for server in manifest.server.values() {
            if let Endpoints::Fixed(fixed) = &server.endpoints
                && fixed.each().any(|(_, template)| is_address(template, &Slot::Kept(key.to_owned())))
            {
                return Some(address_in(&server.hosts, manifest));
            }
        }
        None
    }

    /// Chooses what lookups find.
    fn locate(&mut self) {
        let provider = self.provider.clone();
        let manifest = provider.manifest();
        for lookup in lookups(manifest) {
            for (key, pointer) in &lookup.take {
                let slot = Slot::Located(key.clone());
                let told = match &lookup.pick {
                    Pick::Equals { pointer: at, template } if at == pointer => fill(template, &self.values),
                    _ => None,
                };
                let value = told.unwrap_or_else(|| if is_address(&lookup.url, &slot) { address_in(&lookup.hosts, manifest) } else { format!("sim-{}", key.replace('_', "-")) });
                self.values.insert(slot, value);
            }
        }
    }

    /// The row that a lookup answers with, to be written at `Lookup::items`.
    pub(crate) fn located(&self, lookup: &Lookup) -> Value {
        let mut row = Value::Object(Map::new());
        for (key, pointer) in &lookup.take {
            let value = self.values.get(&Slot::Located(key.clone())).cloned().unwrap_or_default();
            put(&mut row, pointer, Value::String(value));
        }
        match &lookup.pick {
            Pick::Equals { pointer, template } => {
                if let Some(value) = fill(template, &self.values) {
                    put(&mut row, pointer, Value::String(value));
                }
            }
            Pick::IsTrue { pointer } => put(&mut row, pointer, Value::Bool(true)),
            Pick::Asked { label, id } => {
                for (pointer, value) in [(label, "Simulated"), (id, "sim-1")] {
                    if pointer.of(&row).is_none() {
                        put(&mut row, pointer, Value::String(value.to_owned()));
                    }
                }
            }
            Pick::Only | Pick::First => {}
        }
        row
    }

    /// So many rows as a person may choose among; the first is the one that is known here.
    pub(crate) fn places(&self, lookup: &Lookup, count: u32) -> Value {
        let row = self.located(lookup);
        let Pick::Asked { label, id } = &lookup.pick else { return Value::Array(vec![row]) };
        let numbered = |number: u32| {
            let mut other = row.clone();
            for pointer in [label, id].into_iter().filter(|_| number > 0) {
                let value = pointer.of(&row).and_then(Value::as_str).unwrap_or_default();
                put(&mut other, pointer, Value::String(format!("{value}-{}", number + 1)));
            }
            other
        };
        // The known one comes last: whoever takes the first has chosen nothing.
        Value::Array((0..count).rev().map(numbered).collect())
    }

    /// What is written of a kept value.
    pub(crate) fn kept(&self, key: &str) -> String {
        self.raw.get(key).or_else(|| self.values.get(&Slot::Kept(key.to_owned()))).cloned().unwrap_or_default()
    }

    pub(crate) fn fill(&self, template: &Template) -> Option<String> {
        fill(template, &self.values)
    }

    /// Where the API is for a way. None inside Patchbay, and where the secret is the address.
    pub(crate) fn base(&self, way: Option<&CredentialOption>) -> Option<String> {
        match way.and_then(|way| way.base.as_ref()).unwrap_or(&self.manifest().base) {
            Base::Local | Base::Secret { .. } => None,
            Base::Config { property, otherwise } => {
                self.values.get(&Slot::Config(property.clone())).cloned().or_else(|| otherwise.as_ref().and_then(|template| self.fill(template)))
            }
            Base::Fixed { url } => Some(url.clone()),
            Base::Template { url } => self.fill(url),
            Base::Kept { key, template: None, .. } => self.values.get(&Slot::Kept(key.clone())).cloned(),
            Base::Kept { template: Some(template), .. } => self.fill(template),
            Base::Lookup(lookup) => self.fill(&lookup.url),
        }
    }

    /// The issuer of a server, where it has one.
    pub(crate) fn issuer(&self, server: &Server) -> Option<String> {
        match &server.endpoints {
            Endpoints::Discovery { issuer, .. } => self.fill(issuer),
            Endpoints::Fixed(fixed) => fixed.issuer.as_ref().and_then(|issuer| self.fill(issuer)),
        }
    }

    /// An address of a server: as the manifest writes it, else as the metadata of this simulator tells it.
    pub(crate) fn endpoint(&self, server: &Server, endpoint: Endpoint) -> Option<String> {
        match &server.endpoints {
            Endpoints::Fixed(fixed) => {
                let template = match endpoint {
                    Endpoint::Authorize => &fixed.authorize,
                    Endpoint::Token => &fixed.token,
                    Endpoint::Refresh => &fixed.refresh,
                    Endpoint::Par => &fixed.par,
                    Endpoint::Device => &fixed.device,
                    Endpoint::Revocation => &fixed.revocation,
                    Endpoint::Introspection => &fixed.introspection,
                    Endpoint::Userinfo => &fixed.userinfo,
                };
                template.as_ref().and_then(|template| self.fill(template))
            }
            Endpoints::Discovery { issuer, .. } if endpoint != Endpoint::Refresh => {
                self.fill(issuer).map(|issuer| format!("{}/sim/{}", issuer.trim_end_matches('/'), endpoint.word()))
            }
            Endpoints::Discovery { .. } => None,
        }
    }
}

/// An endpoint of an authorization server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Endpoint {
    Authorize,
    Token,
    Refresh,
    Par,
    Device,
    Revocation,
    Introspection,
    Userinfo,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 8] = [Self::Authorize, Self::Token, Self::Refresh, Self::Par, Self::Device, Self::Revocation, Self::Introspection, Self::Userinfo];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Refresh => "refresh",
            Self::Par => "par",
            Self::Device => "device",
            Self::Revocation => "revocation",
            Self::Introspection => "introspection",
            Self::Userinfo => "userinfo",
        }
    }
}

/// Every lookup of a manifest.
pub(crate) fn lookups(manifest: &Manifest) -> impl Iterator<Item = &Lookup> {
    manifest.credential.iter().filter_map(|way| way.base.as_ref()).chain([&manifest.base]).filter_map(|base| if let Base::Lookup(lookup) = base { Some(&**lookup) } else { None })
}

/// Whether a template uses a value as an address or as a host.
fn is_address(template: &Template, slot: &Slot) -> bool {
    let leads = matches!(template.parts().first(), Some(Part::Value(first, None | Some(Filter::Origin))) if first == slot);
    leads || template.parts().iter().any(|part| matches!(part, Part::Value(known, Some(Filter::Host)) if known == slot))
}

/// An address that these hosts allow.
pub(crate) fn address_in(hosts: &[String], manifest: &Manifest) -> String {
    match hosts.first() {
        Some(suffix) if suffix.starts_with('.') => format!("https://sim{suffix}"),
        Some(host) => format!("https://{host}"),
        None => format!("https://api.{}.sim.invalid", manifest.id.as_str().replace('_', "-")),
    }
}

/// Writes a value at a place, and what lies on the way to it.
pub(crate) fn put(document: &mut Value, pointer: &Pointer, value: Value) {
    let mut place = document;
    for segment in pointer.as_str().split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        match name.parse::<usize>() {
            Ok(number) if place.is_array() || place.as_object().is_none_or(Map::is_empty) => {
                if !place.is_array() {
                    *place = Value::Array(Vec::new());
                }
                let Value::Array(list) = place else { return };
                while list.len() <= number.min(16) {
                    list.push(Value::Null);
                }
                place = &mut list[number.min(16)];
            }
            _ => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                let Value::Object(members) = place else { return };
                place = members.entry(name).or_insert(Value::Null);
            }
        }
    }
    *place = value;
}

/// Whether a way is one in which a person consents.
pub(crate) fn consents(way: &CredentialOption) -> bool {
    way.kind == CredentialKind::OAuthUser
}
