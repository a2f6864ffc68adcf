//! Where what is secret would go by a manifest, for whoever is about to let an organization go by it.

use std::collections::BTreeMap;

use super::call::{Base, CallFacts};
use super::credential::Auth;
use super::revoke::How;
use super::{Endpoints, Manifest, Template};

/// A host to which requests with something secret go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// The host as the manifest says it: `slack.com`, or with what is filled in as `{config.url}`.
    pub host: String,
    /// Where a host that is filled in may lie; empty: anywhere, or it is written out.
    pub only: Vec<String>,
    /// What goes there.
    pub uses: Vec<Use>,
}

/// What goes to a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Use {
    /// The dotted name of the fact that says so.
    pub fact: String,
    /// What goes there.
    pub carries: Carries,
}

/// What a request brings to a host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Carries {
    /// A person enters their password on its pages.
    People,
    /// Codes, client secrets and refresh tokens.
    Grants,
    /// The tokens and keys with which the API is called, and what is sent to it.
    Credentials,
}

impl Carries {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Grants => "grants",
            Self::Credentials => "credentials",
        }
    }
}

struct Gathered<'a> {
    manifest: &'a Manifest,
    hosts: BTreeMap<String, Destination>,
}

impl Manifest {
    /// Every host to which something secret goes, by name.
    pub fn destinations(&self) -> Vec<Destination> {
        let mut all = Gathered { manifest: self, hosts: BTreeMap::new() };
        for (name, server) in &self.server {
            let at = format!("server.{name}");
            match &server.endpoints {
                Endpoints::Discovery { issuer, metadata } => {
                    all.template(format!("{at}.endpoints.discovery.issuer"), issuer, Carries::People, &server.hosts);
                    all.template(format!("{at}.endpoints.discovery.issuer"), issuer, Carries::Grants, &server.hosts);
                    if let Some(metadata) = metadata {
                        all.template(format!("{at}.endpoints.discovery.metadata"), metadata, Carries::Grants, &server.hosts);
                    }
                }
                Endpoints::Fixed(fixed) => {
                    for (endpoint, template) in fixed.each().filter(|(endpoint, _)| *endpoint != "issuer") {
                        let carries = match endpoint {
                            "authorize" => Carries::People,
                            "userinfo" => Carries::Credentials,
                            _ => Carries::Grants,
                        };
                        all.template(format!("{at}.endpoints.fixed.{endpoint}"), template, carries, &server.hosts);
                    }
                }
            }
            if let How::Call(call) = &server.revocation.how {
                all.call(format!("{at}.revocation.how.call"), call);
            }
        }
        all.base("base", &self.base);
        for (name, template) in &self.bases {
            all.template(format!("bases.{name}"), template, Carries::Credentials, &[]);
        }
        if let Some(probe) = &self.probe {
            all.call("probe.call".to_owned(), &probe.call);
        }
        for way in &self.credential {
            let at = format!("credential.{}", way.word);
            match &way.auth {
                Auth::Mint(mint) => {
                    all.call(format!("{at}.auth.mint.request"), &mint.request);
                    if let Some(end) = &mint.end {
                        all.call(format!("{at}.auth.mint.end"), end);
                    }
                }
                Auth::AwsRole { sts, .. } => all.template(format!("{at}.auth.aws_role.sts"), sts, Carries::Credentials, &[]),
                Auth::Plain | Auth::Consent { .. } | Auth::ClientCredentials { .. } | Auth::JwtBearer { .. } | Auth::SelfSigned { .. } | Auth::AwsKey { .. } => {}
            }
            if let Some(base) = &way.base {
                all.base(&format!("{at}.base"), base);
            }
            if let Some(probe) = &way.probe {
                all.call(format!("{at}.probe.call"), &probe.call);
            }
            if let Some(How::Call(call)) = way.revocation.as_ref().map(|revocation| &revocation.how) {
                all.call(format!("{at}.revocation.how.call"), call);
            }
        }
        all.hosts.into_values().collect()
    }
}

impl Gathered<'_> {
    fn base(&mut self, at: &str, base: &Base) {
        match base {
            Base::Local => {}
            Base::Config { property, otherwise } => {
                self.add(format!("{at}.config.property"), format!("{{config.{property}}}"), Carries::Credentials, &[]);
                if let Some(otherwise) = otherwise {
                    self.template(format!("{at}.config.otherwise"), otherwise, Carries::Credentials, &[]);
                }
            }
            Base::Fixed { url } => match Template::parse(&url.replace('{', "{{").replace('}', "}}")) {
                Ok(template) => self.template(format!("{at}.fixed.url"), &template, Carries::Credentials, &[]),
                Err(_) => self.add(format!("{at}.fixed.url"), url.clone(), Carries::Credentials, &[]),
            },
            Base::Template { url } => self.template(format!("{at}.template.url"), url, Carries::Credentials, &[]),
            Base::Kept { key, template, hosts } => match template {
                Some(template) => self.template(format!("{at}.kept.template"), template, Carries::Credentials, hosts),
                None => self.add(format!("{at}.kept.key"), format!("{{kept.{key}}}"), Carries::Credentials, hosts),
            },
            Base::Secret { hosts, .. } => self.add(format!("{at}.secret"), "{secret}".to_owned(), Carries::Credentials, hosts),
            Base::Lookup(lookup) => {
                self.call(format!("{at}.lookup.call"), &lookup.call);
                self.template(format!("{at}.lookup.url"), &lookup.url, Carries::Credentials, &lookup.hosts);
                if let Some(otherwise) = &lookup.otherwise {
                    self.template(format!("{at}.lookup.otherwise"), otherwise, Carries::Credentials, &lookup.hosts);
                }
            }
        }
    }

    fn call(&mut self, at: String, call: &CallFacts) {
        let carries = if call.as_client { Carries::Grants } else { Carries::Credentials };
        self.template(format!("{at}.url"), &call.url, carries, &[]);
    }

    fn template(&mut self, fact: String, template: &Template, carries: Carries, only: &[String]) {
        // What begins with a slash, a named base or the userinfo endpoint is below an address that stands here anyway.
        if let Some(host) = host(template.as_str()).filter(|host| !host.is_empty() && !host.starts_with("{base.") && host != "{userinfo}") {
            let chosen = template.chosen_by().and_then(|name| self.property(name));
            let only = if only.is_empty() { chosen.unwrap_or_default() } else { only.to_vec() };
            // A host that is written out is not limited any further.
            let only = if host.contains('{') { only } else { Vec::new() };
            self.add(fact, host, carries, &only);
        }
    }

    fn property(&self, name: &str) -> Option<Vec<String>> {
        let all = self.manifest.config.iter().chain(self.manifest.credential.iter().flat_map(|way| &way.config));
        all.filter(|property| property.name == name).map(|property| property.hosts.clone()).next()
    }

    fn add(&mut self, fact: String, host: String, carries: Carries, only: &[String]) {
        let found = self.hosts.entry(host.clone()).or_insert_with(|| Destination { host, only: only.to_vec(), uses: Vec::new() });
        let named = Use { fact, carries };
        if !found.uses.contains(&named) {
            found.uses.push(named);
        }
    }
}

/// The host of an address with places in braces; their filters are left out. Nothing for what is below another address.
fn host(text: &str) -> Option<String> {
    let behind = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('{') => rest,
        _ if text.starts_with('{') && !text.starts_with("{{") => text,
        _ => return None,
    };
    let (mut host, mut braces, mut skipping) = (String::new(), false, false);
    for letter in behind.chars() {
        match letter {
            '{' => braces = true,
            '}' => (braces, skipping) = (false, false),
            '|' if braces => skipping = true,
            '/' | '?' | '#' if !braces => break,
            _ => {}
        }
        if !skipping {
            host.push(if braces { letter } else { letter.to_ascii_lowercase() });
        }
    }
    Some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;

    #[test]
    fn hosts_are_read_out_of_templates() {
        for (text, wanted) in [
            ("https://slack.com/api/oauth.v2.access", Some("slack.com")),
            ("https://{config.site|label}.zendesk.com/oauth/tokens", Some("{config.site}.zendesk.com")),
            ("{config.url|origin}/rest", Some("{config.url}")),
            ("https://{config.url|host}?x=1", Some("{config.url}")),
            ("/users/me", None),
            ("", None),
        ] {
            assert_eq!(host(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn every_provider_that_is_asked_has_a_destination() {
        let catalog = Catalog::builtin().unwrap();
        for provider in catalog.providers() {
            let all = provider.manifest().destinations();
            assert_eq!(all.is_empty(), provider.is_local(), "{}: {all:?}", provider.id());
            if provider.has_consent() {
                let of = |carries: Carries| all.iter().any(|one| one.uses.iter().any(|used| used.carries == carries));
                assert!(of(Carries::People) && of(Carries::Grants), "{}: {all:?}", provider.id());
            }
        }
        let slack = catalog.find("chat_slack").unwrap().manifest().destinations();
        assert!(slack.iter().any(|one| one.host == "slack.com" && one.uses.iter().any(|used| used.fact == "server.main.endpoints.fixed.token")), "{slack:?}");
    }
}
