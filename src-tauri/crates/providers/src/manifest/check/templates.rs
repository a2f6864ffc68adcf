//! Templates in their places: every name known, nothing secret in an address, no host that an answer could choose.

use std::collections::BTreeSet;

use patchbay_model::credential::CredentialKind;
use serde_json::Value;

use super::Faults;
use crate::manifest::call::{Base, CallBody, CallFacts, Lookup};
use crate::manifest::credential::{Assertion, Auth, CredentialOption, Mint};
use crate::manifest::place::SigV4;
use crate::manifest::revoke::How;
use crate::manifest::server::{Audience, ClientAuth, Endpoints, Server};
use crate::manifest::template::{Filter, Part, Slot, Template, is_label};
use crate::manifest::{ConfigProperty, Manifest};

/// What may stand in a template of some place, beside the configuration, time and ids.
#[derive(Clone, Copy, Default)]
struct Scene<'a> {
    /// What was entered or granted this way.
    way: Option<&'a CredentialOption>,
    /// Client, and settings of the provider app, of this server.
    server: Option<&'a Server>,
    /// What the exchange knows: `redirect_uri`, `refresh_token`.
    exchange: bool,
    /// Hosts to which kept or looked up values may lead.
    hosts: &'a [String],
    /// `{located.x}` is known already.
    located: bool,
    /// `{access_token}` and `{token.x}` are known already.
    granted: bool,
    /// `{assertion}`.
    assertion: bool,
    /// `{scopes}`.
    scopes: bool,
}

pub(super) fn check(faults: &mut Faults<'_>) {
    let manifest = faults.manifest;
    for (name, server) in &manifest.server {
        self::server(&format!("server.{name}"), server, faults);
    }
    self::base("base", &manifest.base, None, faults);
    for (name, template) in &manifest.bases {
        address(&format!("bases.{name}"), template, Scene { located: true, granted: true, ..Scene::default() }, faults);
    }
    if let Some(probe) = &manifest.probe {
        call("probe.call", &probe.call, Scene { located: true, granted: true, ..Scene::default() }, faults);
    }
    for option in &manifest.credential {
        let key = format!("credential.{}", option.word);
        auth(&key, option, faults);
        place(&key, option, faults);
        let scene = Scene { way: Some(option), located: true, granted: true, ..Scene::default() };
        if let Some(own) = &option.base {
            self::base(&format!("{key}.base"), own, Some(option), faults);
        }
        if let Some(probe) = &option.probe {
            call(&format!("{key}.probe.call"), &probe.call, scene, faults);
        }
        if let Some(revocation) = &option.revocation {
            if let How::Call(facts) = &revocation.how {
                call(&format!("{key}.revocation.how.call"), facts, scene, faults);
            }
            if let Some(url) = &revocation.manual.url {
                address(&format!("{key}.revocation.manual.url"), url, scene, faults);
            }
        }
    }
}

fn server(key: &str, server: &Server, faults: &mut Faults<'_>) {
    let scene = Scene { server: Some(server), hosts: &server.hosts, scopes: true, ..Scene::default() };
    match &server.endpoints {
        Endpoints::Discovery { issuer, metadata } => {
            chosen_host(&format!("{key}.endpoints.discovery.issuer"), issuer, server, faults);
            for (name, template) in std::iter::once(("issuer", issuer)).chain(metadata.as_ref().map(|template| ("metadata", template))) {
                address(&format!("{key}.endpoints.discovery.{name}"), template, scene, faults);
            }
        }
        Endpoints::Fixed(fixed) => {
            for (name, template) in fixed.each() {
                chosen_host(&format!("{key}.endpoints.fixed.{name}"), template, server, faults);
                address(&format!("{key}.endpoints.fixed.{name}"), template, scene, faults);
            }
        }
    }
    for method in &server.client_auth {
        if let ClientAuth::PrivateKeyJwt { audience: Audience::Fixed(template), .. } = method {
            text(&format!("{key}.client_auth"), template, scene, faults);
        }
    }
    let exchange = Scene { exchange: true, ..scene };
    for (table, name) in [(&server.token_headers, "token_headers"), (&server.token_params, "token_params"), (&server.refresh_params, "refresh_params")] {
        for (parameter, template) in table {
            text(&format!("{key}.{name}.{parameter}"), template, exchange, faults);
        }
    }
    if let Some(signed) = &server.callback.signed {
        text(&format!("{key}.callback.signed.key"), &signed.key, scene, faults);
    }
    for (parameter, template) in &server.callback.expect {
        public(&format!("{key}.callback.expect.{parameter}"), template, scene, faults);
    }
    for (parameter, template) in &server.authorize_params {
        public(&format!("{key}.authorize_params.{parameter}"), template, scene, faults);
    }
    if let How::Call(facts) = &server.revocation.how {
        call(&format!("{key}.revocation.how.call"), facts, Scene { exchange: true, granted: true, located: true, ..scene }, faults);
    }
    if let Some(url) = &server.revocation.manual.url {
        address(&format!("{key}.revocation.manual.url"), url, scene, faults);
    }
}

/// Secrets of a provider app follow endpoints. A host that the configuration names whole must be bound: to hosts of the vendor, or to the one
/// address that the provider app is of.
fn chosen_host(key: &str, template: &Template, server: &Server, faults: &mut Faults<'_>) {
    let open = template.chosen_by();
    // Where no person consents, whoever gives the secret gives the address too.
    let consents = |way: &CredentialOption| matches!(&way.auth, Auth::Consent { server: name, .. } if faults.manifest.server.get(name) == Some(server));
    let Some(name) = open.filter(|_| !server.self_hosted && faults.manifest.credential.iter().any(consents)) else { return };
    let bound =
        faults.manifest.config.iter().chain(faults.manifest.credential.iter().flat_map(|way| &way.config)).any(|property| property.name == name && !property.hosts.is_empty());
    if !bound {
        faults.add(
            key,
            format!("whoever fills in `{name}` would choose where client secrets go; give the property `hosts` (of the vendor's cloud, such as `.example.com`), or write `self_hosted = true` where it runs at the customer's"),
        );
    }
}

fn auth(key: &str, option: &CredentialOption, faults: &mut Faults<'_>) {
    let manifest = faults.manifest;
    let key = format!("{key}.auth");
    let scene = Scene { way: Some(option), ..Scene::default() };
    match &option.auth {
        Auth::Plain | Auth::Consent { .. } => {}
        Auth::ClientCredentials { server, scopes, audience, params, .. } => {
            let scene = Scene { server: manifest.server.get(server), ..scene };
            scopes.iter().chain(audience).chain(params.values()).for_each(|template| text(&key, template, scene, faults));
        }
        Auth::JwtBearer { server, assertion, scopes, params } => {
            let scene = Scene { server: manifest.server.get(server), ..scene };
            signed(&key, assertion, Scene { scopes: true, ..scene }, faults);
            scopes.iter().chain(params.values()).for_each(|template| text(&key, template, scene, faults));
        }
        Auth::SelfSigned { assertion } => signed(&key, assertion, scene, faults),
        Auth::Mint(mint) => {
            let Mint { assertion, request, end, .. } = &**mint;
            if let Some(assertion) = assertion {
                signed(&format!("{key}.mint.assertion"), assertion, scene, faults);
            }
            call(&format!("{key}.mint.request"), request, Scene { assertion: assertion.is_some(), ..scene }, faults);
            if let Some(end) = end {
                call(&format!("{key}.mint.end"), end, Scene { granted: true, ..scene }, faults);
            }
        }
        Auth::AwsKey { service, region } => [service, region].into_iter().for_each(|template| text(&format!("{key}.aws_key"), template, scene, faults)),
        Auth::AwsRole { service, region, sts, .. } => {
            [service, region].into_iter().for_each(|template| text(&format!("{key}.aws_role"), template, scene, faults));
            address(&format!("{key}.aws_role.sts"), sts, scene, faults);
        }
    }
}

fn signed(key: &str, assertion: &Assertion, scene: Scene<'_>, faults: &mut Faults<'_>) {
    [Some(&assertion.issuer), assertion.subject.as_ref(), assertion.audience.as_ref(), assertion.key_id.as_ref()]
        .into_iter()
        .flatten()
        .for_each(|template| text(key, template, scene, faults));
    for (name, claim) in &assertion.claims {
        texts_in(&format!("{key}.claims.{name}"), claim, scene, faults);
    }
}

fn place(key: &str, option: &CredentialOption, faults: &mut Faults<'_>) {
    let key = format!("{key}.place");
    let self_signed = matches!(option.auth, Auth::SelfSigned { .. });
    let scene = Scene { way: Some(option), located: true, granted: true, assertion: self_signed, ..Scene::default() };
    let Some(parts) = option.place.parts() else { return };
    let pair = parts.pair.iter().flat_map(|pair| [&pair.user, &pair.password]);
    let sign = parts.sign.iter().flat_map(|sign| [&sign.service, &sign.region]);
    pair.chain(sign).chain(parts.headers.values()).chain(parts.query.values()).for_each(|template| text(&key, template, scene, faults));
    for name in parts.header.iter().chain(parts.headers.keys()) {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            faults.add(&key, format!("`{name}` is no name of a header"));
        }
    }
    let one_of = [parts.header.is_some(), parts.user_is_key.is_some(), parts.password_is_key.is_some(), parts.pair.is_some()];
    if one_of.into_iter().filter(|said| *said).count() > 1 {
        faults.add(&key, "header, user_is_key, password_is_key and pair exclude one another");
    }
}

fn base(key: &str, base: &Base, way: Option<&CredentialOption>, faults: &mut Faults<'_>) {
    let scene = Scene { way, granted: true, ..Scene::default() };
    match base {
        Base::Template { url } => address(&format!("{key}.template.url"), url, scene, faults),
        Base::Kept { key: name, template, hosts } => {
            known(&format!("{key}.kept.key"), &Slot::Kept(name.clone()), scene, faults);
            if let Some(template) = template {
                address(&format!("{key}.kept.template"), template, Scene { hosts, ..scene }, faults);
            }
        }
        Base::Lookup(lookup) => {
            let Lookup { call: facts, url, otherwise, hosts, pick, .. } = &**lookup;
            call(&format!("{key}.lookup.call"), facts, scene, faults);
            if let crate::manifest::call::Pick::Equals { template, .. } = pick {
                text(&format!("{key}.lookup.pick"), template, scene, faults);
            }
            address(&format!("{key}.lookup.url"), url, Scene { located: true, hosts, ..scene }, faults);
            if let Some(otherwise) = otherwise {
                address(&format!("{key}.lookup.otherwise"), otherwise, scene, faults);
            }
        }
        Base::Config { otherwise: Some(url), .. } => address(&format!("{key}.config.otherwise"), url, scene, faults),
        Base::Local | Base::Config { .. } | Base::Fixed { .. } | Base::Secret { .. } => {}
    }
}

fn call(key: &str, facts: &CallFacts, scene: Scene<'_>, faults: &mut Faults<'_>) {
    if facts.url.parts().is_empty() {
        // The base address itself.
    } else if facts.url.as_str().starts_with('/') {
        behind_host(&format!("{key}.url"), facts.url.parts(), scene, faults);
    } else {
        address(&format!("{key}.url"), &facts.url, scene, faults);
    }
    for (name, template) in &facts.headers {
        text(&format!("{key}.headers.{name}"), template, scene, faults);
    }
    for (name, template) in &facts.query {
        public(&format!("{key}.query.{name}"), template, scene, faults);
    }
    if let Some(SigV4 { service, region }) = &facts.sign {
        [service, region].into_iter().for_each(|template| text(&format!("{key}.sign"), template, scene, faults));
    }
    match &facts.body {
        CallBody::Empty => {}
        CallBody::Form(form) => form.iter().for_each(|(name, template)| text(&format!("{key}.body.form.{name}"), template, scene, faults)),
        CallBody::Json(value) => texts_in(&format!("{key}.body.json"), value, scene, faults),
    }
}

/// Every text in a JSON value is a template.
fn texts_in(key: &str, value: &Value, scene: Scene<'_>, faults: &mut Faults<'_>) {
    match value {
        Value::String(written) => match Template::parse(written) {
            Ok(template) => text(key, &template, scene, faults),
            Err(error) => faults.add(key, error.to_string()),
        },
        Value::Array(values) => values.iter().for_each(|value| texts_in(key, value, scene, faults)),
        Value::Object(members) => members.iter().for_each(|(name, value)| texts_in(&format!("{key}.{name}"), value, scene, faults)),
        _ => {}
    }
}

/// A template in a header, a parameter or a body. One that is nothing but a property is left out where that is not given.
fn text(key: &str, template: &Template, scene: Scene<'_>, faults: &mut Faults<'_>) {
    if let [Part::Value(Slot::Config(name), None)] = template.parts()
        && property(faults.manifest, scene, name).is_some()
    {
        return;
    }
    template.slots().for_each(|slot| known(key, slot, scene, faults));
}

/// A template that may be seen: nothing secret in it.
fn public(key: &str, template: &Template, scene: Scene<'_>, faults: &mut Faults<'_>) {
    text(key, template, scene, faults);
    no_secret(key, template.slots(), faults);
}

fn no_secret<'a>(key: &str, slots: impl Iterator<Item = &'a Slot>, faults: &mut Faults<'_>) {
    for slot in slots.filter(|slot| slot.is_secret()) {
        faults.add(
            key,
            format!("`{{{slot}}}` is secret and must not stand in an address; put it into a header or a body, or into `place.parts.query` where the provider wants it there"),
        );
    }
}

/// A template of a whole address: `https://` and a host, or the address of a property in front.
fn address(key: &str, template: &Template, scene: Scene<'_>, faults: &mut Faults<'_>) {
    no_secret(key, template.slots(), faults);
    match template.parts() {
        [Part::Value(slot, filter @ (None | Some(Filter::Origin))), rest @ ..] => {
            known(key, slot, scene, faults);
            match slot {
                Slot::Config(name) if is_address(faults.manifest, scene, name) => {}
                Slot::Kept(_) | Slot::Located(_) if !scene.hosts.is_empty() => {}
                Slot::Kept(_) | Slot::Located(_) => faults.add(key, format!("`{{{slot}}}` comes from an answer; name the `hosts` to which it may lead")),
                Slot::Meaning(..) | Slot::Userinfo | Slot::Base(_) if filter.is_none() => {}
                _ => faults.add(key, format!("`{{{slot}}}` is no address; begin with https:// or with a property whose schema has format uri")),
            }
            if let Some(Part::Text(next)) = rest.first()
                && !next.starts_with(['/', '?'])
            {
                faults.add(key, "what follows an address begins with a slash");
            }
            behind_host(key, rest, scene, faults);
        }
        [Part::Text(first), rest @ ..] => match first.strip_prefix("https://") {
            None => faults.add(key, "must begin with https:// or with a property that holds an address"),
            Some(behind) => {
                let end = behind.find(['/', '?', '#']);
                let begin = &behind[..end.unwrap_or(behind.len())];
                if begin.contains(['@', ' ', '\\']) {
                    faults.add(key, "the host must be a plain one");
                }
                if end.is_some() { behind_host(key, rest, scene, faults) } else { in_host(key, begin, rest, scene, faults) }
            }
        },
        _ => faults.add(key, "must begin with https:// or with a property that holds an address"),
    }
}

/// The rest of the host, then what is behind it.
fn in_host(key: &str, begin: &str, parts: &[Part], scene: Scene<'_>, faults: &mut Faults<'_>) {
    if parts.is_empty() && begin.is_empty() {
        faults.add(key, "has no host");
    }
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Text(plain) => match plain.find(['/', '?', '#']) {
                Some(_) => return behind_host(key, &parts[at + 1..], scene, faults),
                None if plain.contains(['@', ' ', '\\']) => faults.add(key, "the host must be a plain one"),
                None => {}
            },
            Part::Value(slot, filter) => {
                known(key, slot, scene, faults);
                match (slot, filter) {
                    (Slot::Meaning(property, name), None) => labels_only(key, property, name, scene, faults),
                    (Slot::Kept(_) | Slot::Located(_), Some(Filter::Label | Filter::Host)) if scene.hosts.is_empty() => {
                        // A label alone cannot leave the domain that is written behind it; a whole host can.
                        let last = !matches!(parts.get(at + 1), Some(Part::Text(next)) if next.starts_with('.'));
                        if last || *filter == Some(Filter::Host) {
                            faults.add(key, format!("`{{{slot}}}` comes from an answer; name the `hosts` to which it may lead"));
                        }
                    }
                    (_, Some(Filter::Label | Filter::Host)) => {}
                    _ => faults.add(key, format!("`{{{slot}}}` stands in a host; write `{{{slot}|label}}` (labels of a host) or `{{{slot}|host}}` (the host of an address)")),
                }
            }
        }
    }
}

fn behind_host(key: &str, parts: &[Part], scene: Scene<'_>, faults: &mut Faults<'_>) {
    no_secret(key, parts.iter().filter_map(|part| if let Part::Value(slot, _) = part { Some(slot) } else { None }), faults);
    for part in parts {
        if let Part::Value(slot, filter) = part {
            known(key, slot, scene, faults);
            if !matches!(filter, Some(Filter::Path | Filter::Query | Filter::Label)) && !matches!(slot, Slot::Meaning(..) | Slot::Uuid | Slot::Now) {
                faults.add(key, format!("`{{{slot}}}` stands in an address; write `{{{slot}|path}}` or `{{{slot}|query}}`"));
            }
        }
    }
}

/// A property of the configuration, or of the way that is looked at.
fn property<'a>(manifest: &'a Manifest, scene: Scene<'a>, name: &str) -> Option<&'a ConfigProperty> {
    let own = scene.way.map(|way| way.config.as_slice()).unwrap_or_default();
    let ways = manifest.credential.iter().filter(|_| scene.way.is_none() && scene.server.is_some()).flat_map(|way| &way.config);
    manifest.config.iter().chain(own).chain(ways).find(|property| property.name == name)
}

fn is_address(manifest: &Manifest, scene: Scene<'_>, name: &str) -> bool {
    property(manifest, scene, name).is_some_and(|property| property.schema.get("format").and_then(Value::as_str) == Some("uri"))
}

fn labels_only(key: &str, name: &str, meaning: &str, scene: Scene<'_>, faults: &mut Faults<'_>) {
    let Some(property) = property(faults.manifest, scene, name) else { return };
    for value in property.means.values().filter_map(|meanings| meanings.get(meaning)) {
        if !is_label(value) {
            faults.add(key, format!("`{value}` of `config.{name}.means` stands in a host and is none"));
        }
    }
}

/// Whether a name is known where it stands.
fn known(key: &str, slot: &Slot, scene: Scene<'_>, faults: &mut Faults<'_>) {
    let manifest = faults.manifest;
    let kind = scene.way.map(|way| way.kind);
    let consented = scene.server.is_some() || kind == Some(CredentialKind::OAuthUser);
    let complaint = match slot {
        Slot::Config(name) | Slot::Meaning(name, _) => {
            let meaning = if let Slot::Meaning(_, meaning) = slot { Some(meaning) } else { None };
            match (property(manifest, scene, name), meaning) {
                (None, _) => Some("there is no such property in [[config]]".to_owned()),
                (Some(property), _) if !property.required && property.fallback().is_none() => Some("the property may be missing; make it required or give it a default".to_owned()),
                (Some(_), None) => None,
                (Some(property), Some(meaning)) => {
                    (!property.means.values().next().is_some_and(|meanings| meanings.contains_key(meaning))).then(|| format!("`means` of the property has no `{meaning}`"))
                }
            }
        }
        Slot::Secret => {
            let there = matches!(kind, Some(CredentialKind::Token | CredentialKind::Basic | CredentialKind::Secret));
            (!there).then(|| "only credentials of kind token, basic and secret have it".to_owned())
        }
        Slot::Username => (kind != Some(CredentialKind::Basic)).then(|| "only credentials of kind basic have it".to_owned()),
        Slot::ClientId | Slot::ClientSecret => {
            (!consented && kind != Some(CredentialKind::OAuthClient)).then(|| "only o_auth_client and what a person consents to have it".to_owned())
        }
        Slot::Extra(name) => {
            let there = match scene.way {
                Some(way) => way.extra.iter().any(|field| &field.name == name),
                None => scene.server.is_some() && manifest.credential.iter().any(|way| way.extra.iter().any(|field| &field.name == name)),
            };
            (!there).then(|| "there is no such field in `extra` of the credential".to_owned())
        }
        Slot::AccessToken => {
            let there = scene.granted && scene.way.is_none_or(|way| way.auth != Auth::Plain);
            (!there).then(|| "there is no access token here; with auth plain it is `{secret}`".to_owned())
        }
        Slot::RefreshToken => (!scene.exchange && !scene.granted).then(|| "there is no refresh token here".to_owned()),
        Slot::Token(name) => {
            let there = scene.granted && manifest.server.values().any(|server| server.answer.tokens.iter().any(|token| &token.name == name));
            (!there).then(|| "no `answer.tokens` of a server has this name".to_owned())
        }
        Slot::Kept(name) => {
            let there: BTreeSet<&str> = manifest
                .server
                .values()
                .flat_map(|server| {
                    server.callback.keep.iter().map(String::as_str).chain(server.callback.without_code.as_deref()).chain(server.answer.keep.keys().map(String::as_str))
                })
                .chain(manifest.credential.iter().flat_map(|way| match &way.auth {
                    Auth::Mint(mint) => mint.keep.keys().map(String::as_str).collect::<Vec<_>>(),
                    _ => Vec::new(),
                }))
                .collect();
            (!there.contains(name.as_str())).then(|| "nothing keeps it; name it in callback.keep, answer.keep or mint.keep".to_owned())
        }
        Slot::Located(name) => {
            let bases = std::iter::once(&manifest.base).chain(manifest.credential.iter().filter_map(|way| way.base.as_ref()));
            let there = scene.located && bases.into_iter().any(|base| matches!(base, Base::Lookup(lookup) if lookup.take.contains_key(name)));
            (!there).then(|| "no `base.lookup.take` has it, or it is not known here yet".to_owned())
        }
        Slot::Base(name) => (!manifest.bases.contains_key(name)).then(|| "there is no such address in [bases]".to_owned()),
        Slot::KeyFingerprint => (kind != Some(CredentialKind::OAuthClient)).then(|| "only o_auth_client has a key".to_owned()),
        Slot::Userinfo => {
            let there = manifest.server.values().any(|server| match &server.endpoints {
                Endpoints::Discovery { .. } => true,
                Endpoints::Fixed(fixed) => fixed.userinfo.is_some(),
            });
            (!there).then(|| "no server has a userinfo endpoint".to_owned())
        }
        Slot::Scopes => (!scene.scopes).then(|| "there are no scopes here".to_owned()),
        Slot::Claim(..) => (!scene.granted).then(|| "there is no token here yet".to_owned()),
        Slot::Assertion => (!scene.assertion).then(|| "there is no assertion here".to_owned()),
        Slot::RedirectUri => (!scene.exchange).then(|| "it is known in token requests alone".to_owned()),
        Slot::App(name) => {
            let there = match scene.server {
                Some(server) => server.app.iter().any(|property| &property.name == name),
                None => manifest.server.values().any(|server| server.app.iter().any(|property| &property.name == name)),
            };
            (!there).then(|| "there is no such setting in `app` of the server".to_owned())
        }
        Slot::Now | Slot::Uuid | Slot::IntegrationId => None,
    };
    if let Some(complaint) = complaint {
        faults.add(key, format!("`{{{slot}}}`: {complaint}"));
    }
}
