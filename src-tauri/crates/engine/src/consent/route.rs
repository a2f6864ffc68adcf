//! The ways on which an integration can be connected, and the one that is taken.

use patchbay_model::consent::{ConsentRoute, ProviderApp};
use patchbay_model::integration::Integration;
use patchbay_model::{Code, Operation, Problem, Secret};
use patchbay_providers::manifest::credential::Flow;
use patchbay_providers::manifest::redirect::{Loopback, Window};
use patchbay_providers::routes::any_port;
use patchbay_providers::{Offer, Provider, Server};

use super::begin::{self, awaited};
use super::loopback::CALLBACK_PATH;
use super::{client, redirect};
use crate::{Engine, ManagementGrant, definition, reach};

/// What the program can do that asks for a consent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Platform {
    /// It can show a window of its own.
    pub window: bool,
    /// It can open the system's browser and listen on this machine for what comes back.
    pub browser: bool,
}

/// Every way on which an integration can be connected, the recommended one first.
///
/// # Errors
/// `not_found`, `provider_app_missing`, and problems of permission.
pub async fn routes(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, platform: Platform) -> Result<Vec<Offer>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (_, integration) = reach::permitted(&mut tx, grant, Operation::ConnectRoutes, account, integration).await?;
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let provider = engine.provider_of(&definition).ok_or_else(|| Problem::internal("the provider of an integration is not in the catalog"))?;
    let server = awaited(&integration, &provider)?;
    let app = client::app_for(&mut tx, &provider, server, &integration).await?;
    Ok(offers(engine, server, provider.flows(begin::word(&integration)), &app, platform))
}

/// The start address of a leg that is opened when somebody comes there; none where nothing is served.
pub fn start_url(engine: &Engine, ticket: &Secret) -> Option<String> {
    engine.public_url().map(|url| format!("{url}/connect/start/{}", ticket.expose()))
}

/// The address to which a server's links come back.
pub(super) fn hosted(engine: &Engine) -> Option<String> {
    engine.public_url().map(|url| format!("{url}{CALLBACK_PATH}"))
}

fn offers(engine: &Engine, server: &Server, flows: &[Flow], app: &ProviderApp, platform: Platform) -> Vec<Offer> {
    let hosted = hosted(engine);
    let place = patchbay_providers::Platform { window: platform.window, browser: platform.browser, hosted: hosted.as_deref() };
    if !app.redirect_uris.is_empty() {
        return patchbay_providers::routes(server, flows, &app.redirect_uris, &place);
    }
    // Of an app that names none it is not known what is registered; whatever the provider would take can be tried.
    let host = if server.redirect.loopback == Loopback::Localhost { "localhost" } else { "127.0.0.1" };
    let own = any_port(server).then(|| format!("http://{host}{CALLBACK_PATH}"));
    patchbay_providers::routes(server, flows, &own.into_iter().chain(hosted.clone()).collect::<Vec<_>>(), &place)
}

/// The way that is taken, and its redirect URI: the one that was asked for, else the first that can be gone.
///
/// # Errors
/// `consent_route_unavailable`, and `invalid_field` for a redirect URI that is not registered.
pub(super) fn chosen(
    engine: &Engine,
    provider: &Provider,
    integration: &Integration,
    app: &ProviderApp,
    platform: Platform,
    route: Option<ConsentRoute>,
    given: Option<&str>,
) -> Result<(ConsentRoute, String), Problem> {
    let server = awaited(integration, provider)?;
    let flows = provider.flows(begin::word(integration));
    let unavailable = |words: String| Problem::new(Code::ConsentRouteUnavailable, words).at_body("/route").with_resource("provider_app", app.id, "cause");
    let route = match route {
        Some(route) => route,
        None => {
            let offers = offers(engine, server, flows, app, platform);
            let why = |offers: &[Offer]| offers.iter().filter_map(|offer| offer.refused.as_deref()).collect::<Vec<_>>().join(" ");
            offers.iter().find(|offer| offer.possible()).map(|offer| offer.route).ok_or_else(|| unavailable(format!("There is no way to connect. {}", why(&offers))))?
        }
    };
    match route {
        ConsentRoute::Window => {
            if let Window::Refused { words } = &server.window {
                return Err(unavailable(format!("{words} Connect in the browser.")));
            }
        }
        ConsentRoute::Device if flows.contains(&Flow::Device) => return Ok((route, String::new())),
        ConsentRoute::Device => return Err(unavailable("The provider has no page where a code of another device is entered. Choose another way.".to_owned())),
        ConsentRoute::Browser | ConsentRoute::Link | ConsentRoute::Paste => {}
    }
    let own = match route {
        ConsentRoute::Link => {
            Some(hosted(engine).ok_or_else(|| unavailable("No server of Patchbay can be reached from outside, so no link can be given. Choose another way.".to_owned()))?)
        }
        _ => None,
    };
    let redirect_uri = redirect::choose(route, given.or(own.as_deref()), app, any_port(server))?;
    Ok((route, redirect_uri))
}
