//! The pages of a link: what can be connected, the form of a provider, and what came of it.

use std::collections::HashMap;

use axum::response::Response;
use maud::{Markup, html};
use patchbay_engine::connect_link::{self, LinkOffer, LinkOutcome, OpenLink};
use patchbay_model::{Code, Problem};

use super::form::Form;
use super::guard::{self, Browser, Guest};
use super::page::{Brand, page, trouble};
use super::{progress, words};
use crate::body;
use crate::management::query;
use crate::serving::Visit;

/// `GET /connect/{link}`: who asks, and what can be connected. With one provider, its form at once.
pub(crate) async fn choose(visit: Visit) -> Result<Response, Problem> {
    let (guest, _) = Guest::of(visit);
    let open = match guard::open(&guest).await {
        Ok(open) => open,
        Err(problem) => return Ok(trouble(&problem, None)),
    };
    if let [only] = open.offers.as_slice() {
        return shown(&guest, &open, only, None).await;
    }
    let brand = Brand::of_link(&open);
    let main = html! {
        h1 { "What do you want to connect?" }
        p { (greeting(&open)) (brand.name()) " asks you to connect one of these systems." }
        ul.list {
            @for offer in &open.offers {
                li { a href=(address(&guest, offer)) { (offer.fullname) } }
            }
        }
        p.quiet { "Nothing is connected before you say so. " (until(&open)) }
    };
    let mut response = page(200, "Connect", Some(&brand), &main);
    Browser::of(&guest.app, &guest.head).keep(&guest.app, &guest.head, &mut response)?;
    Ok(response)
}

/// `GET /connect/{link}/{provider}`: the form of a provider.
pub(crate) async fn enter(visit: Visit) -> Result<Response, Problem> {
    let (guest, _) = Guest::of(visit);
    let open = match guard::open(&guest).await {
        Ok(open) => open,
        Err(problem) => return Ok(trouble(&problem, None)),
    };
    let Some(offer) = offered(&guest, &open) else { return Ok(trouble(&not_offered(), Some(&Brand::of_link(&open)))) };
    let way = query(&guest.head.uri)?.into_iter().find(|(name, _)| name == "way").map(|(_, word)| word);
    shown(&guest, &open, offer, way.as_deref()).await
}

/// `POST /connect/{link}/{provider}`: what was entered.
pub(crate) async fn fill(visit: Visit) -> Result<Response, Problem> {
    let (guest, body) = Guest::of(visit);
    let open = match guard::open(&guest).await {
        Ok(open) => open,
        Err(problem) => return Ok(trouble(&problem, None)),
    };
    let brand = Brand::of_link(&open);
    let Some(offer) = offered(&guest, &open) else { return Ok(trouble(&not_offered(), Some(&brand))) };
    let entered = match body::form(&guest.head.headers, body).await {
        Ok(entered) => entered,
        Err(problem) => return Ok(trouble(&problem, Some(&brand))),
    };
    let entered: HashMap<String, String> = entered.into_iter().collect();
    if let Err(problem) = guard::written_here(&guest.app, &guest.head, &open, entered.get("form").map(String::as_str).unwrap_or_default()) {
        return Ok(trouble(&problem, Some(&brand)));
    }
    let mut form = match form_of(&guest, &open, offer, entered.get("way").map(String::as_str)).await {
        Ok(form) => form,
        Err(problem) => return Ok(cannot_begin(&brand, offer, &problem)),
    };
    let Some(config) = form.read(&entered) else { return filled(&guest, &open, offer, &form, None) };
    let outcome = match connect_link::connect(&guest.app.engine, &open, &offer.definition.provider, config).await {
        Ok(outcome) => outcome,
        Err(problem) if matches!(problem.code, Code::InvalidConfig | Code::InvalidField) => {
            let beside = form.tell(&problem);
            return filled(&guest, &open, offer, &form, (!beside).then_some(problem.message.as_str()));
        }
        Err(problem) => return Ok(trouble(&problem, Some(&brand))),
    };
    if outcome.works() {
        return Ok(connected(&brand, &open, offer));
    }
    if outcome.consent {
        let Some(browser) = Browser::of(&guest.app, &guest.head).nonce() else { return Err(Problem::internal("what a browser is known by has another shape")) };
        // Its own page leads on, since browsers hold a form to this site even where it is sent on.
        return Ok(match connect_link::begin(&guest.app.engine, &open, &outcome.integration, &browser).await {
            Ok(begun) => progress::see(begun.session.id),
            Err(problem) => cannot_begin(&brand, offer, &problem),
        });
    }
    refused(&guest, &open, offer, &form, &outcome)
}

/// The consent cannot begin; who can change that.
fn cannot_begin(brand: &Brand, offer: &LinkOffer, problem: &Problem) -> Response {
    if problem.code != Code::ProviderAppMissing {
        let told = Problem::new(problem.code, words::hindrance(problem, &offer.fullname, brand.name()));
        return trouble(&told, Some(brand));
    }
    let title = format!("{} is not set up yet", offer.fullname);
    let main = html! {
        h1 { (title) }
        p role="alert" { (brand.name()) " has not registered with " (offer.fullname) " yet, so nobody can agree there. Tell whoever sent you the link." }
        p.quiet { "Nothing was connected. The link stays good." }
    };
    page(problem.code.status(), &title, Some(brand), &main)
}

/// The provider does not take what was entered, or cannot be asked.
fn refused(guest: &Guest, open: &OpenLink, offer: &LinkOffer, form: &Form, outcome: &LinkOutcome) -> Result<Response, Problem> {
    let words = match &outcome.problem {
        // What is set up on our side is none of the person's business.
        Some(problem) if problem.code == Code::ProviderAppMissing || problem.context.resources.iter().any(|resource| resource.kind == "provider_app") => {
            words::hindrance(problem, &offer.fullname, open.organization.fullname.as_str())
        }
        Some(problem) if problem.code == Code::ProviderUnreachable => format!("{} could not be reached. {}", offer.fullname, problem.message),
        Some(problem) => problem.message.clone(),
        None => format!("{} does not work with what was entered.", offer.fullname),
    };
    filled(guest, open, offer, form, Some(&words))
}

/// The last page of a link.
fn connected(brand: &Brand, open: &OpenLink, offer: &LinkOffer) -> Response {
    let title = format!("{} is connected", offer.fullname);
    let main = html! {
        h1 { (title) }
        p.note.good role="status" { "The connection was tested and works." }
        p { (brand.name()) " can now use " (offer.fullname) " for " (brand.customer()) "." }
        (back(open.link.settings.return_url.as_deref()))
    };
    page(200, &title, Some(brand), &main)
}

/// The way back to where the person came from, or the end.
pub(super) fn back(return_url: Option<&str>) -> Markup {
    html! {
        @match return_url {
            Some(url) => p { a.button href=(url) rel="noreferrer" { "Continue" } },
            None => p.quiet { "You can close this page." },
        }
    }
}

async fn shown(guest: &Guest, open: &OpenLink, offer: &LinkOffer, way: Option<&str>) -> Result<Response, Problem> {
    match form_of(guest, open, offer, way).await {
        Ok(form) => filled(guest, open, offer, &form, None),
        Err(problem) => Ok(cannot_begin(&Brand::of_link(open), offer, &problem)),
    }
}

/// The form of an offer for this way to sign in, with what is to be made at the provider first.
async fn form_of(guest: &Guest, open: &OpenLink, offer: &LinkOffer, way: Option<&str>) -> Result<Form, Problem> {
    let form = Form::of(open, offer, way);
    let role = match &form.way {
        Some(way) => connect_link::role(&guest.app.engine, open, offer, &way.word).await?,
        None => None,
    };
    Ok(match role {
        Some(role) => form.with_role(role),
        None => form,
    })
}

/// The page with the form, as far as it is filled in.
fn filled(guest: &Guest, open: &OpenLink, offer: &LinkOffer, form: &Form, trouble: Option<&str>) -> Result<Response, Problem> {
    let browser = Browser::of(&guest.app, &guest.head);
    let brand = Brand::of_link(open);
    let action = address(guest, offer);
    let title = format!("Connect {}", offer.fullname);
    let main = html! {
        h1 { (title) }
        p { (greeting(open)) (brand.name()) " asks for access to " (offer.fullname) " of " (open.account.fullname.as_str()) "." }
        @if let Some(words) = trouble { p.note.bad role="alert" { (words) } }
        @if trouble.is_none() && form.has_faults() { p.note.bad role="alert" { "Something is missing or cannot be right. It is marked below." } }
        @if form.ways.len() > 1 {
            nav.ways aria-label="How to sign in" {
                ul {
                    @for way in &form.ways {
                        li { a href={ (action) "?way=" (way.word) } aria-current=[form.way.as_ref().is_some_and(|present| present.word == way.word).then_some("true")] { (way.title) } }
                    }
                }
            }
        }
        form method="post" action=(action) autocomplete="on" novalidate {
            input type="hidden" name="form" value=(browser.form_token(&guest.app.engine, open));
            @if let Some(way) = &form.way { input type="hidden" name="way" value=(way.word); }
            (form.draw())
            @if form.is_empty() && !form.by_consent() { p.quiet { "There is nothing to fill in." } }
            button type="submit" { @if form.by_consent() { "Next" } @else { "Connect" } }
        }
        @if open.offers.len() > 1 { p { a.back href={ "/connect/" (secret(guest)) } { "Choose another system" } } }
        p.quiet { (until(open)) }
    };
    let status = if trouble.is_some() || form.has_faults() { 400 } else { 200 };
    let mut response = page(status, &title, Some(&brand), &main);
    browser.keep(&guest.app, &guest.head, &mut response)?;
    Ok(response)
}

fn not_offered() -> Problem {
    Problem::new(Code::NotFound, "This link does not offer that system. Open the link again and choose one that it offers.")
}

/// What stands in the address of the link, which is open by now.
fn secret(guest: &Guest) -> &str {
    guest.part("link")
}

fn offered<'a>(guest: &Guest, open: &'a OpenLink) -> Option<&'a LinkOffer> {
    open.offer(guest.part("provider"))
}

fn address(guest: &Guest, offer: &LinkOffer) -> String {
    format!("/connect/{}/{}", secret(guest), offer.definition.provider)
}

fn greeting(open: &OpenLink) -> Markup {
    html! { @if let Some(person) = &open.end_user { "Hello " (person.fullname.as_str()) ". " } }
}

/// Until when the link works, to the day in words that every reader understands the same.
fn until(open: &OpenLink) -> String {
    let day = open.link.expires.to_string();
    format!("This link works until {} UTC.", day.get(..16).unwrap_or(&day).replace('T', ", "))
}
