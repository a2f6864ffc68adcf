//! The page of a consent under way, and of what came of it. It is shown in the browser alone that the consent is bound to; the id in its
//! address opens nothing anywhere else. While something is awaited it loads itself anew, which the person can switch off.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use maud::{Markup, PreEscaped, html};
use patchbay_api::picture;
use patchbay_engine::consent::hosted::{self, Agreed, HostedConsent, Over, Stage};
use patchbay_engine::receipt::Granted;
use patchbay_model::consent::{ConsentRoute, DevicePrompt, Place};
use patchbay_model::{Code, ConnectSessionId, Origin, Problem, Timestamp};

use super::guard::{self, Guest};
use super::page::{Brand, page, trouble};
use super::words;
use crate::management::query;
use crate::serving::Visit;
use crate::{body, start};

/// Seconds between two loads while the person is at the provider.
const AWAY: u32 = 10;
/// The same while an answer is checked.
const CHECKING: u32 = 3;
/// The same at most and at least while a code is entered elsewhere; the provider says how often it may be asked.
const DEVICE: (u32, u32) = (5, 30);

/// `GET /connect/session/{session}`: how far the consent is, or what came of it.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let (guest, _) = Guest::of(visit);
    Ok(match guard::consent(&guest).await {
        Ok(seen) => drawn(&guest, &seen, None)?,
        Err(problem) => not_here(&problem),
    })
}

/// `GET /connect/session/{session}/go`: leads the person to the provider.
pub(crate) async fn go(visit: Visit) -> Result<Response, Problem> {
    let (guest, _) = Guest::of(visit);
    if start::looks_ahead(&guest.head) {
        return Ok(start::plain(StatusCode::NO_CONTENT));
    }
    if let Err(problem) = guard::admit(&guest.app, &guest.head) {
        return Ok(not_here(&problem));
    }
    let (browser, _) = start::browser(&guest.app, &guest.head);
    match hosted::set_out(&guest.app.engine, guest.part("session"), &browser).await {
        Ok(page) => start::away(&page),
        Err(problem) => told(&guest, &problem).await,
    }
}

/// `POST /connect/session/{session}/switch`: goes on in another way.
pub(crate) async fn switch(visit: Visit) -> Result<Response, Problem> {
    acted(visit, Act::Switch).await
}

/// `POST /connect/session/{session}/stop`: gives the consent up.
pub(crate) async fn stop(visit: Visit) -> Result<Response, Problem> {
    acted(visit, Act::Stop).await
}

/// `POST /connect/session/{session}/choose`: takes one of the places that were granted.
pub(crate) async fn choose(visit: Visit) -> Result<Response, Problem> {
    acted(visit, Act::Choose).await
}

/// `POST /connect/session/{session}/again`: begins one that gave nothing anew.
pub(crate) async fn again(visit: Visit) -> Result<Response, Problem> {
    acted(visit, Act::Again).await
}

/// What a form of the page asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Switch,
    Stop,
    Choose,
    Again,
}

async fn acted(visit: Visit, act: Act) -> Result<Response, Problem> {
    let (guest, body) = Guest::of(visit);
    if let Err(problem) = guard::admit(&guest.app, &guest.head) {
        return Ok(not_here(&problem));
    }
    let Ok(session) = guest.part("session").parse::<ConnectSessionId>() else {
        guest.app.limiter.failed(guest.head.caller.address, guest.app.engine.now());
        return Ok(not_here(&Problem::new(Code::LinkInvalid, "There is nothing at this address.")));
    };
    let entered = match body::form(&guest.head.headers, body).await {
        Ok(entered) => entered,
        Err(problem) => return Ok(trouble(&problem, None)),
    };
    let field = |name: &str| entered.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    if let Err(problem) = guard::written_for(&guest.app, &guest.head, session.uuid(), field("form")) {
        return Ok(trouble(&problem, None));
    }
    let (engine, caller) = (&guest.app.engine, guest.head.info(Origin::Web));
    let (browser, _) = start::browser(&guest.app, &guest.head);
    let id = session.to_string();
    let done = match act {
        Act::Switch => {
            let route = if field("route") == ConsentRoute::Device.as_str() { ConsentRoute::Device } else { ConsentRoute::Link };
            hosted::turn(engine, &id, &browser, route, &caller).await.map(|()| session)
        }
        Act::Stop => hosted::stop(engine, &id, &browser, &caller).await.map(|()| session),
        Act::Choose => hosted::choose(engine, &id, &browser, field("place"), &caller).await.map(|()| session),
        Act::Again => hosted::begin_again(engine, &id, &browser, &caller).await,
    };
    match done {
        Ok(next) => Ok(see(next)),
        Err(problem) => told(&guest, &problem).await,
    }
}

/// The page with why something could not be done.
async fn told(guest: &Guest, problem: &Problem) -> Result<Response, Problem> {
    match guard::consent(guest).await {
        // The page itself says that it is over.
        Ok(seen) if matches!(problem.code, Code::ConsentReplayed | Code::ConsentExpired) => Ok(see(seen.session.id)),
        Ok(seen) => drawn(guest, &seen, Some(problem)),
        Err(problem) => Ok(not_here(&problem)),
    }
}

/// Sends a browser to the page of a consent.
pub(crate) fn see(session: ConnectSessionId) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    // An id has no letter that a header could not have.
    headers.insert(LOCATION, HeaderValue::from_str(&address(session)).unwrap_or(HeaderValue::from_static("/")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn address(session: ConnectSessionId) -> String {
    format!("/connect/session/{session}")
}

/// What everybody sees to whom a consent does not belong, be there one or none.
fn not_here(problem: &Problem) -> Response {
    if problem.code != Code::LinkInvalid {
        return trouble(problem, None);
    }
    let title = "Nothing to see here";
    let main = html! {
        h1 { (title) }
        p role="alert" { "This page can be seen only in the browser in which it was begun, and for a day." }
        p.quiet { "Go on there, or open the link again that you were given." }
    };
    page(problem.code.status(), title, None, &main)
}

/// The page of a consent; with why something could not be done just now.
fn drawn(guest: &Guest, seen: &HostedConsent, hindered: Option<&Problem>) -> Result<Response, Problem> {
    let brand = Brand::of(&seen.organization, &seen.account);
    let sheet = Sheet { seen, brand: &brand, proof: guard::token_of(guest, seen.session.id.uuid()) };
    let (title, main, every) = match &seen.stage {
        Stage::Ready { host } => sheet.ready(host.as_deref()),
        Stage::Away { host } => sheet.away(host.as_deref()),
        Stage::Device { prompt, until, seconds } => sheet.device(prompt, *until, *seconds),
        Stage::Elsewhere => sheet.elsewhere(),
        Stage::Checking => sheet.checking(),
        Stage::Choose { places } => sheet.choose(places, hindered),
        Stage::Connected(agreed) => sheet.connected(agreed),
        Stage::Over(over) => sheet.over(*over),
    };
    let still = query(&guest.head.uri)?.iter().any(|(name, _)| name == "still");
    let here = address(seen.session.id);
    let main = html! {
        h1 { (title) }
        @if let Some(problem) = hindered.filter(|problem| !unchosen(problem)) { p.note.bad role="alert" { (words::hindrance(problem, &seen.provider, brand.name())) } }
        (main)
        @if let Some(seconds) = every {
            p.quiet {
                @if still { a.back href=(here) { "Look again" } }
                @else { "This page looks again every " (seconds) " seconds. " a.back href={ (here) "?still" } { "Do not load it by itself" } }
            }
        }
    };
    let status = hindered.map_or(200, |problem| problem.code.status());
    let mut response = page(status, &title, Some(&brand), &main);
    if let Some(seconds) = every.filter(|_| !still && hindered.is_none()) {
        // A header, since it is an offer that the person can decline.
        response.headers_mut().insert("refresh", HeaderValue::from(seconds));
    }
    Ok(response)
}

/// Everything that the parts of the page need.
struct Sheet<'a> {
    seen: &'a HostedConsent,
    brand: &'a Brand,
    proof: String,
}

/// A title, what stands below it, and after how many seconds it is looked again.
type Drawn = (String, Markup, Option<u32>);

impl Sheet<'_> {
    fn ready(&self, host: Option<&str>) -> Drawn {
        let (x, by) = (&self.seen.provider, self.brand.name());
        let main = html! {
            p { "You sign in at " @match host { Some(host) => strong { (host) }, None => (x) } " and agree there. " (by) " never sees your password." }
            @if !self.seen.asks.is_empty() { h2 { (by) " asks for" } (granted(&self.seen.asks)) }
            a.button href={ (address(self.seen.session.id)) "/go" } rel="noreferrer" { "Continue to " (x) }
            (self.ways())
            p.quiet { "This step works until " (minute(self.seen.session.expires)) ", in this browser. To change what you entered, open the link again that you were given." }
        };
        (format!("Continue at {x}"), main, None)
    }

    fn away(&self, host: Option<&str>) -> Drawn {
        let x = &self.seen.provider;
        let main = html! {
            p role="status" { "You went to " @match host { Some(host) => strong { (host) }, None => (x) } " and have not come back yet. When you have agreed there you are sent back here, and this page says what came of it." }
            a.button href={ (address(self.seen.session.id)) "/go" } rel="noreferrer" { "Go to " (x) " again" }
            (self.ways())
            p.quiet { "This step works until " (minute(self.seen.session.expires)) ", in this browser." }
        };
        (format!("Waiting for {x}"), main, Some(AWAY))
    }

    fn device(&self, prompt: &DevicePrompt, until: Timestamp, seconds: u32) -> Drawn {
        let (x, by) = (&self.seen.provider, self.brand.name());
        let whole = prompt.verification_uri_complete.as_deref().unwrap_or(&prompt.verification_uri);
        let link = Some(prompt.verification_uri.as_str()).filter(|url| url.starts_with("https://") || url.starts_with("http://"));
        let main = html! {
            ol.steps {
                li {
                    "Open this address, here or on your phone: "
                    @match link { Some(url) => a.address href=(url) target="_blank" rel="noopener noreferrer" { (url) " (opens a new tab)" }, None => code { (prompt.verification_uri) } }
                }
                li { "Enter this code: " strong.code { (prompt.user_code) } }
                li { "Sign in there and agree. " (by) " never sees your password." }
            }
            @if let Ok(picture) = picture::of(whole) {
                div.qr role="img" aria-label="QR code of the address" { (PreEscaped(bare(&picture))) }
                p.quiet { "Or point the camera of your phone at the picture." }
            }
            @if !self.seen.asks.is_empty() { h2 { (by) " asks for" } (granted(&self.seen.asks)) }
            p role="status" { "Waiting for you to agree. This page says when it is done." }
            (self.ways())
            p.quiet { "The code works until " (minute(until)) ". Enter it only if you began this yourself." }
        };
        (format!("Enter a code at {x}"), main, Some(seconds.clamp(DEVICE.0, DEVICE.1)))
    }

    fn elsewhere(&self) -> Drawn {
        let x = &self.seen.provider;
        let main = html! { p role="status" { (self.brand.name()) " goes on with this in another way. There is nothing for you to do here." } };
        (format!("{x} is being connected"), main, Some(AWAY))
    }

    fn checking(&self) -> Drawn {
        let x = &self.seen.provider;
        let main = html! { p role="status" { "You have come back from " (x) ". " (self.brand.name()) " is checking that the connection works, which takes a few seconds." } };
        (format!("Checking with {x}"), main, Some(CHECKING))
    }

    fn choose(&self, places: &[Place], hindered: Option<&Problem>) -> Drawn {
        let (x, by) = (&self.seen.provider, self.brand.name());
        let title = format!("Which one at {x}?");
        let fault = hindered.is_some_and(unchosen);
        let main = html! {
            p { "What you agreed to at " (x) " is good for several places. " (by) " uses the one that you choose, and no other." }
            @if self.seen.link_lives {
                form method="post" action={ (address(self.seen.session.id)) "/choose" } {
                    input type="hidden" name="form" value=(self.proof);
                    fieldset aria-describedby=[fault.then_some("place-error")] {
                        legend { "Use for " (self.brand.customer()) }
                        @for (number, place) in places.iter().enumerate() {
                            label.pick for={ "place-" (number) } {
                                input type="radio" id={ "place-" (number) } name="place" value=(place.id) required autofocus[fault && number == 0];
                                span { (place.name) }
                            }
                        }
                        @if fault { span.error id="place-error" role="alert" { "Choose one of these." } }
                    }
                    button type="submit" { "Use this one" }
                }
                (self.form("stop", None, "Stop"))
            } @else { p role="status" { "Whoever began this chooses one of them in Patchbay. You can close this page." } }
            p.quiet { "This works until " (minute(self.seen.session.expires)) ", in this browser. Nothing is used before you choose." }
        };
        (title, main, None)
    }

    fn connected(&self, agreed: &Agreed) -> Drawn {
        let (x, by) = (&self.seen.provider, self.brand.name());
        if let Some(ended) = agreed.ended {
            let main = html! {
                p.note role="status" { "What you agreed to ended on " (day(ended)) "." }
                (receipt(agreed))
            };
            return (format!("{x} is no longer connected"), main, None);
        }
        let main = html! {
            p.note.good role="status" { "The connection was tested and works." }
            p { (by) " can now use " (x) " for " (self.brand.customer()) "." }
            @if !agreed.granted.is_empty() { h2 { "What you agreed to" } (granted(&agreed.granted)) }
            @if let Some(expires) = agreed.expires { p { "Until " (day(expires)) ", or until you take it back." } }
            h2 { "Taking it back" }
            (receipt(agreed))
            @if !agreed.manual.is_empty() {
                details { summary { "Or do it at " (x) " itself" } ol { @for step in &agreed.manual { li { (step) } } } }
            }
            (super::link::back(self.seen.return_url.as_deref()))
        };
        (format!("{x} is connected"), main, None)
    }

    fn over(&self, over: Over) -> Drawn {
        let (x, by) = (&self.seen.provider, self.brand.name());
        match over {
            Over::Replaced { newer } => {
                let main = html! {
                    p role="status" { "Connecting " (x) " was begun once more, and only the newest try works." }
                    @match newer {
                        Some(newer) => a.button href=(address(newer)) { "Go on there" },
                        None => p.quiet { "Go on where it was begun. You can close this page." },
                    }
                };
                ("This was begun anew".to_owned(), main, None)
            }
            Over::Cancelled => {
                let main = html! { p role="status" { "This was stopped before " (x) " was connected. Nothing was changed." } (self.once_more()) };
                ("Nothing was connected".to_owned(), main, None)
            }
            Over::Expired => {
                let main = html! { p role="status" { "Nobody agreed at " (x) " in time, so nothing was connected. The time is short so that nobody else can use what was left open." } (self.once_more()) };
                ("The time for this step is over".to_owned(), main, None)
            }
            Over::Failed { code } => {
                let told = words::failure(self.seen, code, by);
                let main = html! {
                    p.note.bad role="alert" { (told.what) }
                    h2 { "What to do" }
                    p { (told.next) }
                    @if let Some(quote) = &told.quote { p.quiet { (x) " says: " q { (quote) } } }
                    (self.once_more())
                    p.quiet { "Nothing was connected. Reference " code { (self.seen.session.id) } ", " code { (told.cause) } }
                };
                (format!("{x} was not connected"), main, None)
            }
        }
    }

    /// The other ways to go on, and the way out.
    fn ways(&self) -> Markup {
        let x = &self.seen.provider;
        html! {
            @for way in &self.seen.ways {
                (self.form("switch", Some(way.as_str()), &if *way == ConsentRoute::Device { "Use a code on another device instead".to_owned() } else { format!("Sign in at {x} in this browser instead") }))
            }
            @if self.seen.link_lives { (self.form("stop", None, "Stop")) }
        }
    }

    /// The way to try again, where the link still allows it.
    fn once_more(&self) -> Markup {
        html! {
            @if self.seen.link_lives {
                form method="post" action={ (address(self.seen.session.id)) "/again" } {
                    input type="hidden" name="form" value=(self.proof);
                    button type="submit" { "Try again" }
                }
            } @else if self.seen.by_link { p.quiet { "To try again, ask whoever sent you here for a new link." } }
            @else { p.quiet { "To try again, begin once more where you came from. You can close this page." } }
        }
    }

    fn form(&self, act: &str, route: Option<&str>, label: &str) -> Markup {
        html! {
            form method="post" action={ (address(self.seen.session.id)) "/" (act) } {
                input type="hidden" name="form" value=(self.proof);
                @if let Some(route) = route { input type="hidden" name="route" value=(route); }
                button.plain type="submit" { (label) }
            }
        }
    }
}

fn receipt(agreed: &Agreed) -> Markup {
    html! {
        @if let Some(receipt) = &agreed.receipt {
            p { "Your receipt says what you agreed to. Keep its address: there you can take it back." }
            p { a.back href={ "/connect/receipt/" (receipt.expose()) } { "Your receipt" } }
        }
    }
}

fn granted(all: &[Granted]) -> Markup {
    html! {
        ul.scopes {
            @for one in all {
                li { @match &one.words { Some(words) => { (words) " " code { (one.scope) } }, None => code { (one.scope) } } }
            }
        }
    }
}

/// Whether no place was chosen, or none that there is.
fn unchosen(problem: &Problem) -> bool {
    problem.code == Code::InvalidField
}

/// A picture as it stands in a page: without the line that belongs to a file.
fn bare(picture: &str) -> &str {
    picture.find("<svg").and_then(|at| picture.get(at..)).unwrap_or_default()
}

/// A moment, as every reader understands it.
fn minute(at: Timestamp) -> String {
    at.utc().format("%H:%M UTC").to_string()
}

fn day(at: Timestamp) -> String {
    at.utc().format("%-d %B %Y").to_string()
}
