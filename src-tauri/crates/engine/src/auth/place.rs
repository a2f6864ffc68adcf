//! Where a credential goes in a request: what the manifest says of its place, written into the request last of all.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_model::{Code, Context, Problem, Secret};
use patchbay_providers::manifest::place::SigV4;
use patchbay_providers::manifest::template::ClaimOf;
use patchbay_providers::manifest::{Auth, Base, Slot, Template};
use patchbay_providers::{CredentialOption, Place, Provider, SignedFor, Values, is_allowed_host, is_secret_address};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use url::Url;

use super::{AwsKeys, MintedToken, sigv4};
use crate::call::opened::Opened;
use crate::http::HttpRequest;

/// Shortest part of a secret address that is secret by itself.
const TELLING: usize = 8;

/// A credential on its way into requests of one integration.
pub(crate) struct Carried<'a> {
    pub(crate) provider: &'a Provider,
    pub(crate) way: &'a CredentialOption,
    /// The configuration as adapters see it.
    pub(crate) settings: &'a Map<String, Value>,
    /// What answers and callbacks brought, without what is secret.
    pub(crate) kept: &'a BTreeMap<String, String>,
    /// What the lookup of the address took.
    pub(crate) located: &'a BTreeMap<String, String>,
    pub(crate) opened: &'a Opened,
    /// The token that was got with it, where one is got first.
    pub(crate) minted: Option<&'a MintedToken>,
}

impl Carried<'_> {
    /// Everything that templates of the manifest can have.
    pub(crate) fn values(&self, context: &Context) -> Values {
        let mut values = self.provider.values(self.settings, self.kept, self.located);
        values.set(Slot::Now, context.now().unix_millis().div_euclid(1000).to_string());
        values.set(Slot::Uuid, context.new_uuid().to_string());
        match self.opened {
            Opened::Nothing | Opened::Aws(_) | Opened::Role(_) => {}
            Opened::Pair { username, secret } => {
                values.set(Slot::Username, username.as_str());
                values.set_secret(Slot::Secret, secret.clone());
            }
            Opened::Single(secret) => values.set_secret(Slot::Secret, secret.clone()),
            Opened::Client(client) => {
                values.set(Slot::ClientId, client.id.as_str());
                values.set_secret(Slot::ClientSecret, client.secret.clone());
                client.extra.iter().for_each(|(name, value)| values.set_secret(Slot::Extra(name.clone()), value.clone()));
            }
            Opened::Fresh(_) | Opened::Tokens { .. } => {}
        }
        if let Some(set) = self.opened.set() {
            values.set_secret(Slot::AccessToken, set.main.access.clone());
            set.tokens().for_each(|(name, token)| values.set_secret(Slot::Token(name.to_owned()), token.access.clone()));
            set.kept.iter().for_each(|(name, value)| values.set_secret(Slot::Kept(name.clone()), value.clone()));
            claims(&mut values, &set.main.access);
        }
        if let Some(minted) = self.minted {
            values.set_secret(Slot::AccessToken, minted.token.clone());
            if matches!(self.way.auth, Auth::SelfSigned { .. }) {
                values.set_secret(Slot::Assertion, minted.token.clone());
            }
            minted.more.iter().for_each(|(name, value)| values.set_secret(Slot::Kept(name.clone()), value.clone()));
            minted.kept.iter().for_each(|(name, value)| values.set(Slot::Kept(name.clone()), value.as_str()));
            claims(&mut values, &minted.token);
        }
        values
    }

    /// Writes the credential into a request that has everything else, and gives what of it must not be shown.
    ///
    /// # Errors
    /// `invalid_config` when it cannot stand where it belongs, or the configuration does not suffice.
    pub(crate) fn apply(&self, context: &Context, request: &mut HttpRequest, signed_for: Option<&SignedFor>) -> Result<Vec<Secret>, Problem> {
        let mut covers = Vec::new();
        let place = &self.way.place;
        match place {
            Place::Nowhere => {}
            Place::Bearer => put(request, &mut covers, AUTHORIZATION, Secret::new(format!("Bearer {}", self.main()?.expose())))?,
            Place::Basic => {
                let basic = match self.opened {
                    Opened::Pair { username, secret } => basic(username, secret.expose()),
                    Opened::Client(client) if self.minted.is_none() => basic(&client.id, client.secret.expose()),
                    _ => return Err(Problem::internal("a provider wants a user name, and the credential has none")),
                };
                put(request, &mut covers, AUTHORIZATION, basic)?;
            }
            Place::Sigv4 => {}
            Place::Parts(parts) => {
                let values = self.values(context);
                if let Some(name) = &parts.header {
                    put(request, &mut covers, name_of(name)?, self.main()?.clone())?;
                }
                if let Some(password) = &parts.user_is_key {
                    put(request, &mut covers, AUTHORIZATION, basic(self.main()?.expose(), password))?;
                }
                if let Some(user) = &parts.password_is_key {
                    put(request, &mut covers, AUTHORIZATION, basic(user, self.main()?.expose()))?;
                }
                if let Some(pair) = &parts.pair {
                    let filled = |template: &Template| self.text(&values, template).map(Option::unwrap_or_default);
                    put(request, &mut covers, AUTHORIZATION, basic(&filled(&pair.user)?, &filled(&pair.password)?))?;
                }
                for (name, template) in &parts.headers {
                    if let Some(value) = self.text(&values, template)? {
                        let mut shown = Vec::new();
                        let hidden = template.slots().any(Slot::is_secret);
                        put(request, if hidden { &mut covers } else { &mut shown }, name_of(name)?, Secret::new(value))?;
                    }
                }
                for (name, template) in &parts.query {
                    if let Some(value) = self.text(&values, template)? {
                        request.url.query_pairs_mut().append_pair(name, &value);
                        covers.push(Secret::new(value));
                    }
                }
            }
        }
        if let Some((keys, service, region)) = self.signing(context, signed_for)? {
            sigv4::sign(request, &keys, &service, &region, context.now())?;
        }
        Ok(covers)
    }

    /// Puts the address that is the secret where one stands for it, and gives what of it must not be shown.
    ///
    /// # Errors
    /// `invalid_config` when the secret is no address, or one that this provider cannot have.
    pub(crate) fn address(&self, request: &mut HttpRequest) -> Result<Vec<Secret>, Problem> {
        if !is_secret_address(&request.url) {
            return Ok(Vec::new());
        }
        let Base::Secret { hosts, .. } = self.provider.base(Some(&self.way.word)) else {
            return Err(Problem::internal("an address stands for a secret one where there is none"));
        };
        let unfit =
            || Problem::new(Code::InvalidConfig, format!("What is stored is not an https address of {}. Enter it again, as the provider shows it.", self.provider.fullname()));
        let secret = Url::parse(self.main()?.expose().trim()).map_err(|_| unfit())?;
        let good = secret.scheme() == "https" && secret.has_host() && secret.username().is_empty() && secret.password().is_none();
        if !good || !(hosts.is_empty() || is_allowed_host(&secret, hosts)) {
            return Err(unfit());
        }
        let mut url = secret.clone();
        let path = format!("{}{}", secret.path().trim_end_matches('/'), request.url.path().trim_end_matches('/'));
        url.set_path(&path);
        let query: Vec<&str> = [secret.query(), request.url.query()].into_iter().flatten().filter(|query| !query.is_empty()).collect();
        url.set_query(Some(query.join("&")).filter(|query| !query.is_empty()).as_deref());
        url.set_fragment(None);
        let mut covers = vec![Secret::new(secret.path().trim_end_matches('/'))];
        covers.extend(secret.path_segments().into_iter().flatten().filter(|part| part.len() >= TELLING).map(Secret::new));
        for (_, value) in secret.query_pairs().filter(|(_, value)| value.len() >= TELLING) {
            covers.push(Secret::new(value.as_ref()));
        }
        request.url = url;
        Ok(covers)
    }

    /// The one secret that goes where no template says more.
    fn main(&self) -> Result<&Secret, Problem> {
        if let Some(minted) = self.minted {
            return Ok(&minted.token);
        }
        match (self.opened, self.opened.set()) {
            // What is to be exchanged for something else is never sent in its place.
            _ if super::is_minted(&self.way.auth) => Err(Problem::internal("a credential was to be sent before it was exchanged")),
            (_, Some(set)) => Ok(&set.main.access),
            (Opened::Pair { secret, .. } | Opened::Single(secret), None) => Ok(secret),
            (Opened::Client(client), None) => Ok(&client.secret),
            (Opened::Nothing | Opened::Aws(_) | Opened::Role(_) | Opened::Fresh(_) | Opened::Tokens { .. }, None) => {
                Err(Problem::internal("a provider wants a secret, and the credential has none"))
            }
        }
    }

    /// A text of the place. None where it is nothing but a value that is not known yet, which a secret never is.
    fn text(&self, values: &Values, template: &Template) -> Result<Option<String>, Problem> {
        if self.minted.is_none() && super::is_minted(&self.way.auth) {
            return Err(Problem::internal("a credential was to be sent before it was exchanged"));
        }
        let text = values.text(self.provider.manifest(), template)?;
        if text.is_none() && template.slots().any(Slot::is_secret) {
            return Err(Problem::new(
                Code::InvalidConfig,
                format!("The credential lacks something that {} wants with each request. Enter it again, with every field.", self.provider.fullname()),
            ));
        }
        Ok(text)
    }

    /// With what, and for what, the request is signed.
    fn signing(&self, context: &Context, signed_for: Option<&SignedFor>) -> Result<Option<(AwsKeys, String, String)>, Problem> {
        if !self.way.place.is_signed() {
            return Ok(None);
        }
        let keys = match (self.opened, self.minted) {
            (_, Some(minted)) => AwsKeys::of_session(minted)?,
            (Opened::Aws(keys), None) => (**keys).clone(),
            _ => return Err(Problem::internal("a request is to be signed with something else than keys")),
        };
        if let Some(SignedFor { service, region }) = signed_for {
            return Ok(Some((keys, service.clone(), region.clone())));
        }
        let parts = self.way.place.parts().and_then(|parts| parts.sign.as_ref()).map(|SigV4 { service, region }| (service, region));
        let of_auth = match &self.way.auth {
            Auth::AwsKey { service, region } | Auth::AwsRole { service, region, .. } => Some((service, region)),
            _ => None,
        };
        let (service, region) = parts.or(of_auth).ok_or_else(|| Problem::internal("a manifest does not say for what requests are signed"))?;
        let values = self.values(context);
        let filled = |template: &Template| values.text(self.provider.manifest(), template).map(Option::unwrap_or_default);
        Ok(Some((keys, filled(service)?, filled(region)?)))
    }
}

/// Puts a header, and remembers what of it must not be shown.
fn put(request: &mut HttpRequest, covers: &mut Vec<Secret>, name: HeaderName, value: Secret) -> Result<(), Problem> {
    let mut header = HeaderValue::from_bytes(value.expose().as_bytes())
        .map_err(|_| Problem::new(Code::InvalidConfig, "The stored secret has a line break or another character that cannot be sent. Enter it again."))?;
    // Keeps it out of debug output and out of the compression state of HTTP/2.
    header.set_sensitive(true);
    request.headers.insert(name, header);
    // Of a scheme and a secret only the secret must not be shown.
    let bare = value.expose().split_once(' ').map_or(value.expose(), |(_, behind)| behind);
    covers.push(Secret::new(bare));
    covers.push(value);
    Ok(())
}

fn name_of(name: &str) -> Result<HeaderName, Problem> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| Problem::internal("a manifest names an impossible header"))
}

/// RFC 7617 section 2.
fn basic(user: &str, password: &str) -> Secret {
    Secret::new(format!("Basic {}", STANDARD.encode(Secret::new(format!("{user}:{password}")).expose())))
}

/// What a token says of itself, read without trust in it.
fn claims(values: &mut Values, token: &Secret) {
    for (name, value) in patchbay_vault::unverified_claims(token.expose()).into_iter().flatten() {
        if let Value::String(text) = value {
            values.set(Slot::Claim(ClaimOf::Access, name), text);
        }
    }
}

#[cfg(test)]
mod tests;
