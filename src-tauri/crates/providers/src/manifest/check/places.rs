//! Which way to authenticate fits which kind of credential and which server.

use patchbay_model::credential::CredentialKind;

use super::Faults;
use crate::manifest::credential::{Auth, CredentialOption, Flow};
use crate::manifest::redirect::{Loopback, Port};
use crate::manifest::revoke::{ErrorMatch, How, Proof, TokenTest};
use crate::manifest::server::{Endpoints, Par, Server};
use crate::manifest::template::is_label;
use crate::manifest::{Base, ErrorRule};

pub(crate) fn check(faults: &mut Faults<'_>) {
    let manifest = faults.manifest;
    for (name, server) in &manifest.server {
        self::server(&format!("server.{name}"), server, faults);
        let used = manifest.credential.iter().any(|option| option.auth.server() == Some(name));
        if !used {
            faults.add(format!("server.{name}"), "no credential uses it; name it in the `auth` of one, or leave it out");
        }
    }
    for property in manifest.config.iter().chain(manifest.credential.iter().flat_map(|way| &way.config)) {
        hosts(&format!("config.{}.hosts", property.name), &property.hosts, faults);
    }
    base("base", &manifest.base, faults);
    for option in &manifest.credential {
        way(&format!("credential.{}", option.word), option, faults);
    }
    for (at, rule) in manifest.error.iter().enumerate() {
        if rule.pattern() == ErrorMatch::default() {
            faults.add(format!("error.{at}"), "says nothing of what it matches; give code, contains or status");
        }
        let ErrorRule { words, .. } = rule;
        if words.trim().is_empty() {
            faults.add(format!("error.{at}.words"), "must tell a person what to do");
        }
    }
}

/// The server that a way uses, and what it must have.
fn server_of(auth: &Auth) -> Option<(&str, &'static [Need])> {
    match auth {
        Auth::Consent { server, flows } => Some((
            server,
            match (flows.contains(&Flow::Code), flows.contains(&Flow::Device)) {
                (true, true) => &[Need::Authorize, Need::Token, Need::Device],
                (false, true) => &[Need::Token, Need::Device],
                _ => &[Need::Authorize, Need::Token],
            },
        )),
        Auth::ClientCredentials { server, .. } | Auth::JwtBearer { server, .. } => Some((server, &[Need::Token])),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Need {
    Authorize,
    Token,
    Device,
}

fn server(key: &str, server: &Server, faults: &mut Faults<'_>) {
    if server.client_auth.is_empty() {
        faults.add(format!("{key}.client_auth"), "names no way; give the ways that the provider takes, the preferred one first");
    }
    if server.answer.tokens.is_empty() {
        faults.add(format!("{key}.answer.tokens"), "names no token; leave `tokens` out where the answer is as RFC 6749 says");
    }
    for (name, keep) in &server.answer.keep {
        if keep.at.is_some() == keep.header.is_some() {
            faults.add(format!("{key}.answer.keep.{name}"), "needs either `at` or `header`");
        }
    }
    if server.redirect.loopback == Loopback::No && server.redirect.port == Port::Any {
        faults.add(format!("{key}.redirect.port"), "is of no use without loopback; leave it out");
    }
    if let Endpoints::Fixed(fixed) = &server.endpoints {
        if server.par != Par::No && fixed.par.is_none() {
            faults.add(format!("{key}.par"), "the endpoint is missing; give endpoints.fixed.par or write `no`");
        }
        if matches!(server.revocation.how, How::Rfc7009 { .. }) && fixed.revocation.is_none() {
            faults.add(format!("{key}.revocation.how"), "the endpoint is missing; give endpoints.fixed.revocation");
        }
        if server.revocation.proof == Proof::Introspection && fixed.introspection.is_none() {
            faults.add(format!("{key}.revocation.proof"), "the endpoint is missing; give endpoints.fixed.introspection");
        }
    }
    if server.revocation.manual.steps.is_empty() {
        faults.add(format!("{key}.revocation.manual.steps"), "there is always a way by hand; tell it step by step");
    }
    if let TokenTest::Tells { good, bad } = &server.preflight.token
        && good.iter().chain(bad).any(|pattern| *pattern == ErrorMatch::default())
    {
        faults.add(format!("{key}.preflight.token"), "a match says nothing; give code, contains or status");
    }
    hosts(&format!("{key}.hosts"), &server.hosts, faults);
}

/// Hosts, or suffixes with a dot in front.
fn hosts(key: &str, list: &[String], faults: &mut Faults<'_>) {
    for host in list {
        let name = host.strip_prefix('.').unwrap_or(host);
        if !is_label(name) || !name.contains('.') {
            faults.add(key, format!("`{host}` is neither a host nor a suffix such as `.example.com`"));
        }
    }
}

fn base(key: &str, base: &Base, faults: &mut Faults<'_>) {
    let manifest = faults.manifest;
    match base {
        Base::Config { property, otherwise }
            if !manifest.config.iter().any(|known| &known.name == property && (known.required || known.fallback().is_some() || otherwise.is_some())) =>
        {
            faults.add(format!("{key}.config.property"), format!("`{property}` is no property that is required or has a default; give `otherwise` where it may be missing"));
        }
        Base::Fixed { url } if crate::schema::web_address(url).is_none_or(|url| url.scheme() != "https") => {
            faults.add(format!("{key}.fixed.url"), "is no https address");
        }
        Base::Kept { hosts: list, .. } if list.is_empty() => {
            faults.add(format!("{key}.kept.hosts"), "must name the hosts to which an answer may lead, or suffixes such as `.example.com`");
        }
        Base::Kept { hosts: list, .. } | Base::Secret { hosts: list, .. } => hosts(&format!("{key}.hosts"), list, faults),
        Base::Lookup(lookup) => hosts(&format!("{key}.lookup.hosts"), &lookup.hosts, faults),
        _ => {}
    }
}

fn way(key: &str, option: &CredentialOption, faults: &mut Faults<'_>) {
    let manifest = faults.manifest;
    let fits = match &option.auth {
        Auth::Plain => option.kind != CredentialKind::OAuthUser && option.kind != CredentialKind::AwsRole,
        Auth::Consent { .. } => option.kind == CredentialKind::OAuthUser,
        Auth::ClientCredentials { .. } | Auth::JwtBearer { .. } | Auth::SelfSigned { .. } => option.kind == CredentialKind::OAuthClient,
        Auth::Mint(_) => option.kind != CredentialKind::OAuthUser,
        Auth::AwsKey { .. } => option.kind == CredentialKind::Aws,
        Auth::AwsRole { .. } => option.kind == CredentialKind::AwsRole,
    };
    if !fits {
        faults.add(
            format!("{key}.kind"),
            format!(
                "`{}` does not fit `auth`; consent needs o_auth_user, client_credentials, jwt_bearer and self_signed o_auth_client, aws_key aws, aws_role aws_role",
                option.kind.as_str()
            ),
        );
    }
    if option.place.is_signed() != matches!(option.auth, Auth::AwsKey { .. } | Auth::AwsRole { .. }) {
        faults.add(format!("{key}.place"), "sigv4 (or `sign`) and auth by aws_key or aws_role need one another");
    }
    if matches!(&option.auth, Auth::Consent { flows, .. } if flows.is_empty()) {
        faults.add(format!("{key}.auth.consent.flows"), "names no flow; give `code`, `device` or both");
    }
    if let Some((name, needs)) = server_of(&option.auth) {
        match manifest.server.get(name) {
            None => faults.add(format!("{key}.auth"), format!("there is no [server.{name}]; write it, or put `family` where it stands")),
            Some(server) => {
                if let Endpoints::Fixed(fixed) = &server.endpoints {
                    for need in needs {
                        let (word, there) = match need {
                            Need::Authorize => ("authorize", fixed.authorize.is_some()),
                            Need::Token => ("token", fixed.token.is_some()),
                            Need::Device => ("device", fixed.device.is_some()),
                        };
                        if !there {
                            faults.add(format!("server.{name}.endpoints.fixed.{word}"), format!("is missing; `{}` needs it", option.word));
                        }
                    }
                }
            }
        }
    }
    if !option.extra.is_empty() && !matches!(option.kind, CredentialKind::OAuthClient | CredentialKind::TlsCertificate) {
        faults.add(format!("{key}.extra"), "only o_auth_client and tls_certificate have `extra`; use kind o_auth_client, or `config` for what is no secret");
    }
    if let Auth::Mint(mint) = &option.auth
        && mint.token.is_some() == mint.token_header.is_some()
    {
        faults.add(format!("{key}.auth.mint.token"), "give either `token` or `token_header`");
    }
    if let Auth::Mint(mint) = &option.auth
        && ((mint.expires.at.is_none() && mint.expires.seconds.is_none()) || mint.expires.at.is_some() != mint.expires.unit.is_some())
    {
        faults.add(format!("{key}.auth.mint.expires"), "give `at` with `unit`, or `seconds`, or both");
    }
    if let Some(own) = &option.base {
        base(&format!("{key}.base"), own, faults);
    }
}
