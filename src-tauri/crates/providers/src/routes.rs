//! The ways to consent that a server allows, in the order in which they are offered.

use patchbay_model::consent::ConsentRoute;
use url::{Host, Url};

use crate::manifest::Server;
use crate::manifest::credential::Flow;
use crate::manifest::redirect::{Loopback, Port, Window};

/// What the place has from which a person would consent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Platform<'a> {
    /// It can show a window of its own.
    pub window: bool,
    /// It can open the system's browser and listen on loopback.
    pub browser: bool,
    /// The address to which hosted links come back, where a server is reachable.
    pub hosted: Option<&'a str>,
}

/// A way, whether it can be gone, and why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// The way.
    pub route: ConsentRoute,
    /// The redirect URI that would be sent; that of a browser gets the port of the listener where any will do.
    pub redirect_uri: Option<String>,
    /// Whether that URI may have any port, of a listener on loopback.
    pub any_port: bool,
    /// Why it cannot be gone; none: it can.
    pub refused: Option<String>,
}

impl Offer {
    /// Whether it can be gone.
    pub const fn possible(&self) -> bool {
        self.refused.is_none()
    }
}

/// Every way, the recommended one first: those that can be gone before those that cannot. `flows` are those of the credential,
/// `registered` the redirect URIs of the provider app.
pub fn routes(server: &Server, flows: &[Flow], registered: &[String], platform: &Platform<'_>) -> Vec<Offer> {
    let parsed: Vec<(&str, Url)> = registered.iter().filter_map(|uri| Some((uri.as_str(), Url::parse(uri).ok()?))).collect();
    let anywhere = parsed.first().map(|(uri, _)| *uri);
    // Nobody has a certificate for this computer, so that nothing here could answer at an https address.
    let loopback = parsed.iter().find(|(_, url)| server.redirect.plain_http_loopback && is_loopback(url) && takes(server, url)).map(|(uri, _)| *uri);
    let missing = || "The provider app has no redirect URI. Enter the one that is registered at the provider.".to_owned();

    let window = match (&server.window, platform.window) {
        (_, false) => Some("There is no window here.".to_owned()),
        (Window::Refused { words }, true) => Some(words.clone()),
        (Window::Works | Window::Untested, true) => anywhere.is_none().then(missing),
    };
    let browser = if !platform.browser {
        Some("No browser can be opened from here.".to_owned())
    } else if server.redirect.loopback == Loopback::No || !server.redirect.plain_http_loopback {
        Some("The provider takes no redirect URI on this computer.".to_owned())
    } else {
        loopback.is_none().then(|| "The provider app has no redirect URI on this computer that the provider would take. Register one.".to_owned())
    };
    let hosted = platform.hosted.and_then(|uri| parsed.iter().find(|(known, _)| *known == uri)).map(|(uri, _)| *uri);
    let link = match (platform.hosted, hosted) {
        (None, _) => Some("No server of Patchbay can be reached from outside.".to_owned()),
        (Some(uri), None) => Some(format!("The provider app does not have the redirect URI {uri}. Register it.")),
        (Some(_), Some(_)) => None,
    };
    let owned = |uri: Option<&str>| uri.map(str::to_owned);
    let mut offers = vec![
        Offer { route: ConsentRoute::Window, redirect_uri: owned(anywhere), any_port: false, refused: window },
        Offer { route: ConsentRoute::Browser, redirect_uri: owned(loopback), any_port: any_port(server), refused: browser },
        Offer { route: ConsentRoute::Link, redirect_uri: owned(hosted), any_port: false, refused: link },
        Offer { route: ConsentRoute::Paste, redirect_uri: owned(anywhere), any_port: false, refused: anywhere.is_none().then(missing) },
    ];
    if !flows.contains(&Flow::Code) {
        for offer in &mut offers {
            offer.refused = Some("The provider has no page to which a person could be sent. Connect with a code.".to_owned());
        }
    }
    // It needs neither window nor redirect URI, and one step more of the person.
    if flows.contains(&Flow::Device) {
        offers.push(Offer { route: ConsentRoute::Device, redirect_uri: None, any_port: false, refused: None });
    }
    // What nobody has tried comes behind what is sure to work; a sort keeps the order otherwise.
    offers.sort_by_key(|offer| {
        (!offer.possible(), offer.route == ConsentRoute::Paste, offer.route == ConsentRoute::Device, offer.route == ConsentRoute::Window && server.window == Window::Untested)
    });
    offers
}

/// Whether a redirect URI may be used on loopback with any port.
pub fn any_port(server: &Server) -> bool {
    server.redirect.loopback != Loopback::No && server.redirect.port == Port::Any
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

/// Whether the provider takes this form of loopback.
fn takes(server: &Server, url: &Url) -> bool {
    let named = matches!(url.host(), Some(Host::Domain(_)));
    match server.redirect.loopback {
        Loopback::No => false,
        Loopback::Ip => !named,
        Loopback::Localhost => named,
        Loopback::Either => true,
    }
}
