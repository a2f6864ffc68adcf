//! The receipt of a consent: what a person agreed to, for whom, until when, and how it is taken back.

use std::collections::HashMap;

use axum::response::Response;
use maud::{Markup, html};
use patchbay_engine::receipt::{self, OpenReceipt};
use patchbay_model::{Code, Origin, Problem, Timestamp};

use super::guard::{self, Browser, Guest};
use super::page::{Brand, page, trouble};
use crate::body;
use crate::serving::Visit;

/// `GET /connect/receipt/{link}`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let (guest, _) = Guest::of(visit);
    let open = match open(&guest).await {
        Ok(open) => open,
        Err(problem) => return Ok(trouble(&problem, None)),
    };
    shown(&guest, &open)
}

/// `POST /connect/receipt/{link}/withdraw`: asks once more, and then takes the consent back.
pub(crate) async fn withdraw(visit: Visit) -> Result<Response, Problem> {
    let (guest, body) = Guest::of(visit);
    let open = match open(&guest).await {
        Ok(open) => open,
        Err(problem) => return Ok(trouble(&problem, None)),
    };
    let brand = Brand::of(&open.organization, &open.account);
    let entered: HashMap<String, String> = match body::form(&guest.head.headers, body).await {
        Ok(entered) => entered.into_iter().collect(),
        Err(problem) => return Ok(trouble(&problem, Some(&brand))),
    };
    let text = |name: &str| entered.get(name).map(String::as_str).unwrap_or_default();
    if let Err(problem) = guard::written_for(&guest.app, &guest.head, open.link.id.uuid(), text("form")) {
        return Ok(trouble(&problem, Some(&brand)));
    }
    if text("sure") != "yes" {
        return Ok(asked(&guest, &open, &brand));
    }
    if let Err(problem) = receipt::withdraw(&guest.app.engine, &open, &guest.head.info(Origin::Web)).await {
        return Ok(trouble(&problem, Some(&brand)));
    }
    let after = match self::open(&guest).await {
        Ok(after) => after,
        Err(problem) => return Ok(trouble(&problem, Some(&brand))),
    };
    shown(&guest, &after)
}

/// Opens the receipt of a visit. A link that does not work counts against the address that tried it.
async fn open(guest: &Guest) -> Result<OpenReceipt, Problem> {
    guard::admit(&guest.app, &guest.head)?;
    let opened = receipt::open(&guest.app.engine, guest.part("link")).await;
    if opened.as_ref().is_err_and(|problem| problem.code == Code::LinkInvalid) {
        guest.app.limiter.failed(guest.head.caller.address, guest.app.engine.now());
    }
    opened
}

fn shown(guest: &Guest, open: &OpenReceipt) -> Result<Response, Problem> {
    let browser = Browser::of(&guest.app, &guest.head);
    let brand = Brand::of(&open.organization, &open.account);
    let receipt = &open.receipt;
    let main = html! {
        h1 { "What you agreed to" }
        @if let Some(ended) = receipt.ended_at {
            p.note role="status" { "This consent ended on " (day(ended)) ". " (after(open)) }
        }
        dl {
            dt { "System" } dd { (open.provider) }
            dt { "Used by" } dd { (brand.name()) ", for " (brand.customer()) }
            @if let Some(person) = &open.person { dt { "Agreed by" } dd { (person.fullname.as_str()) } }
            dt { "Agreed on" } dd { (day(receipt.granted_at)) }
            dt { "Until" } dd { (until(open)) }
        }
        @if !open.granted.is_empty() {
            h2 { "What it allows" }
            ul.scopes {
                @for granted in &open.granted {
                    li { @match &granted.words { Some(words) => { (words) " " code { (granted.scope) } }, None => code { (granted.scope) } } }
                }
            }
        }
        @if receipt.ended_at.is_none() {
            h2 { "Taking it back" }
            p { "You can take it back here at any time. " (brand.name()) " then loses its access, and " (open.provider) " is asked to end it." }
            form method="post" action=(action(guest)) {
                input type="hidden" name="form" value=(browser.token(&guest.app.engine, open.link.id.uuid()));
                button type="submit" { "Withdraw consent" }
            }
            p.quiet { "Or do it at " (open.provider) " itself:" }
        } @else {
            h2 { "At " (open.provider) " itself" }
        }
        (steps(open))
    };
    let mut response = page(200, "Receipt", Some(&brand), &main);
    browser.keep(&guest.app, &guest.head, &mut response)?;
    Ok(response)
}

/// The page that asks once more.
fn asked(guest: &Guest, open: &OpenReceipt, brand: &Brand) -> Response {
    let browser = Browser::of(&guest.app, &guest.head);
    let main = html! {
        h1 { "Withdraw your consent?" }
        p { (brand.name()) " can no longer use " (open.provider) " for " (brand.customer()) ". What depends on that stops working at once, and somebody has to agree anew to bring it back." }
        form method="post" action=(action(guest)) {
            input type="hidden" name="form" value=(browser.token(&guest.app.engine, open.link.id.uuid()));
            input type="hidden" name="sure" value="yes";
            button type="submit" { "Withdraw consent" }
        }
        p { a.back href={ "/connect/receipt/" (guest.part("link")) } { "Back" } }
    };
    page(200, "Withdraw consent", Some(brand), &main)
}

fn action(guest: &Guest) -> String {
    format!("/connect/receipt/{}/withdraw", guest.part("link"))
}

/// What became of the access at the provider.
fn after(open: &OpenReceipt) -> String {
    match &open.revocation {
        Some(revocation) if revocation.proof.confirmed_at.is_some() => "It was ended at the provider by hand.".to_owned(),
        Some(revocation) => revocation.state.words().to_owned(),
        None => "The access was removed here.".to_owned(),
    }
}

/// Until when it holds, in words.
fn until(open: &OpenReceipt) -> String {
    match (open.receipt.ended_at, open.receipt.expires_at) {
        (Some(ended), _) => format!("{}, when it ended", day(ended)),
        (None, Some(expires)) => format!("{}, or until you take it back", day(expires)),
        (None, None) => "You take it back".to_owned(),
    }
}

fn steps(open: &OpenReceipt) -> Markup {
    html! {
        ol { @for step in &open.manual { li { (step) } } }
        @if let Some(url) = open.manual_url.as_ref().filter(|url| url.starts_with("https://") || url.starts_with("http://")) { p { a href=(url) rel="noreferrer" { (url) } } }
    }
}

/// A day, as every reader understands it.
fn day(at: Timestamp) -> String {
    at.utc().format("%-d %B %Y").to_string()
}
