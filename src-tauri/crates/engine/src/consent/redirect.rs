//! Which redirect URI a consent uses. Providers compare it character by character, so the exact one is chosen, shown and kept.

use patchbay_model::consent::{ConsentRoute, ProviderApp};
use patchbay_model::{Code, Problem};
use url::{Host, Url};

use super::loopback::CALLBACK_PATH;

/// Longest redirect URI.
const LONGEST: usize = 2000;

/// The redirect URI for a consent. `any_port` is whether the provider takes any port of a loopback address (RFC 8252
/// section 7.3).
///
/// # Errors
/// `invalid_field` when it is no address that an answer may be sent to, or is not registered.
pub(super) fn choose(route: ConsentRoute, given: Option<&str>, app: &ProviderApp, any_port: bool) -> Result<String, Problem> {
    let refuse = |message: String| Err(Problem::new(Code::InvalidField, message).at_body("/redirect_uri").with_resource("provider_app", app.id, "cause"));
    let registered = || app.redirect_uris.join(", ");
    let Some(given) = given else {
        let loopback = |uri: &&String| Url::parse(uri).is_ok_and(|url| is_loopback(&url));
        let found = match route {
            // A window sees every address before it is called, so nothing has to listen there.
            // Where an address is pasted, nobody should be there to take the answer.
            ConsentRoute::Window | ConsentRoute::Paste => app.redirect_uris.iter().find(loopback).or_else(|| app.redirect_uris.first()),
            ConsentRoute::Browser => app.redirect_uris.iter().find(loopback),
            ConsentRoute::Link | ConsentRoute::Device => None,
        };
        return match found {
            Some(uri) => Ok(uri.clone()),
            // Any port of the loopback address will do, and neither needs one.
            None if matches!(route, ConsentRoute::Window | ConsentRoute::Paste) && any_port && app.redirect_uris.is_empty() => Ok(format!("http://127.0.0.1{CALLBACK_PATH}")),
            None => refuse(format!("No redirect URI was given, and provider app `{}` has none registered that fits. Give the one to which the provider shall answer.", app.name)),
        };
    };
    let Some(url) = Url::parse(given).ok().filter(|url| given.len() <= LONGEST && acceptable(url)) else {
        return refuse("The redirect URI must be an https address without fragment, or an http address on this machine (127.0.0.1, [::1], localhost).".to_owned());
    };
    let fits = |known: &String| known == given || (any_port && Url::parse(known).is_ok_and(|known| same_but_for_port(&known, &url)));
    if app.redirect_uris.is_empty() || app.redirect_uris.iter().any(fits) {
        Ok(given.to_owned())
    } else {
        refuse(format!(
            "The redirect URI {given} is not among those of provider app `{}` ({}). Register exactly this one at the provider, then add it to the app.",
            app.name,
            registered()
        ))
    }
}

fn acceptable(url: &Url) -> bool {
    let target = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    };
    target && url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
}

fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
}

fn same_but_for_port(a: &Url, b: &Url) -> bool {
    is_loopback(a) && is_loopback(b) && a.host() == b.host() && a.path() == b.path() && a.query() == b.query()
}

#[cfg(test)]
mod tests {
    use patchbay_model::{Fullname, Name, OrganizationId, ProviderAppId, ProviderId, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn app(uris: &[&str]) -> ProviderApp {
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        ProviderApp {
            id: ProviderAppId::from_uuid(Uuid::nil()),
            organization_id: OrganizationId::from_uuid(Uuid::nil()),
            name: Name::parse("app").unwrap(),
            fullname: Fullname::parse("App").unwrap(),
            provider: ProviderId::parse("identity_openid").unwrap(),
            issuer: None,
            client_id: "c".to_owned(),
            client_secret: None,
            redirect_uris: uris.iter().map(|&uri| uri.to_owned()).collect(),
            scopes: Vec::new(),
            secret_expires: None,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn any_port_of_a_registered_loopback_address_will_do_where_the_provider_says_so() {
        let app = app(&["http://127.0.0.1/oauth/callback"]);
        let uri = "http://127.0.0.1:4711/oauth/callback";
        assert_eq!(choose(ConsentRoute::Browser, Some(uri), &app, true).unwrap(), uri);
        for wrong in ["http://localhost:4711/oauth/callback", "http://127.0.0.1:4711/other", "https://127.0.0.1:4711/oauth/callback"] {
            assert!(choose(ConsentRoute::Browser, Some(wrong), &app, true).is_err(), "{wrong} was not registered");
        }
        let problem = choose(ConsentRoute::Browser, Some(uri), &app, false).unwrap_err();
        assert!(problem.message.contains(uri) && problem.message.contains("http://127.0.0.1/oauth/callback"), "{}", problem.message);
    }

    #[test]
    fn without_one_a_registered_one_that_fits_is_taken() {
        let app = app(&["https://x.test/oauth/callback", "http://127.0.0.1:9/oauth/callback"]);
        assert_eq!(choose(ConsentRoute::Window, None, &app, true).unwrap(), "http://127.0.0.1:9/oauth/callback");
        assert!(choose(ConsentRoute::Link, None, &app, true).is_err(), "only the server knows its own address");
        assert!(choose(ConsentRoute::Browser, None, &self::app(&["https://x.test/cb"]), true).is_err());
        assert_eq!(choose(ConsentRoute::Window, None, &self::app(&[]), true).unwrap(), "http://127.0.0.1/oauth/callback");
        assert!(choose(ConsentRoute::Window, None, &self::app(&[]), false).is_err());
    }

    #[test]
    fn answers_are_not_sent_just_anywhere() {
        for bad in ["http://x.test/cb", "ftp://127.0.0.1/", "javascript:alert(1)", "https://x.test/cb#f", "https://u:p@x.test/cb", "cb", ""] {
            assert_eq!(choose(ConsentRoute::Link, Some(bad), &app(&[]), true).unwrap_err().code, Code::InvalidField, "{bad} is refused");
        }
        assert!(choose(ConsentRoute::Link, Some("https://x.test/oauth/callback"), &app(&[]), true).is_ok());
    }
}
