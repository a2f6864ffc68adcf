//! `patchbay connect`: a person authorizes a provider, from a terminal. The link is printed and the outcome is waited for.

mod link;

use std::io::{BufRead, IsTerminal};
use std::time::Duration;

use patchbay_engine::NetworkPolicy;
use patchbay_engine::consent::loopback::Loopback;
use patchbay_engine::installation::StoreUrl;
use patchbay_model::consent::ConsentRoute;
use patchbay_model::{Code, Operation, Problem};
use patchbay_vault::system_context;
use serde_json::{Value, json};
use url::Url;

use crate::arguments::{Connect, ConnectOne};
use crate::failure::Failure;
use crate::installation::{only_samples, rehearsal};
use crate::opened::{Opened, Request, on};
use crate::output::Output;
use crate::table::{field, table};

/// How often a server is asked what became of a consent.
const LOOK: Duration = Duration::from_secs(1);
/// How long a consent is waited for; the session itself ends no later.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// The longest address that is pasted.
const LONGEST: usize = 16 << 10;

pub(crate) async fn run(arguments: Connect, output: &Output) -> Result<(), Failure> {
    let one = match arguments {
        Connect::Link(command) => return link::run(*command, output).await,
        Connect::One(one) => one,
    };
    let rehearsal = one.rehearse.as_deref().map(rehearsal).transpose()?;
    if rehearsal.is_some() {
        only_samples(&one.store).await?;
    }
    let network = NetworkPolicy { allow_private: one.allow_private_networks, rehearsal };
    let here = !matches!(one.store.store, StoreUrl::Remote(_));
    let told = on(&one.store, &one.organization, network, async |opened| connect(opened, &one, here, output).await).await?;
    output.result(&told.words, &told.value);
    if told.connected { Ok(()) } else { Err(Failure::Found) }
}

/// What is said at the end.
struct Told {
    words: String,
    value: Value,
    connected: bool,
}

async fn connect(opened: &Opened, one: &ConnectOne, here: bool, output: &Output) -> Result<Told, Failure> {
    let (account, name) = &one.integration;
    let found = opened.run(Operation::IntegrationsGet, Request::on([("account_id", account), ("integration_id", name)])).await?;
    let (account, integration) = (field(&found, "account_id"), field(&found, "id"));
    let path = || Request::on([("account_id", &account), ("integration_id", &integration)]);
    let offers = opened.run(Operation::ConnectRoutes, path().with_query(vec![("browser", "true".to_owned())])).await?;
    let route = route(&offers, one.route.map(ConsentRoute::from), here)?;
    let session = match route {
        ConsentRoute::Browser => in_browser(opened, &integration, one, &offers, output).await?,
        ConsentRoute::Paste => by_paste(opened, &integration, one, output).await?,
        ConsentRoute::Device => by_code(opened, &integration, one, output).await?,
        ConsentRoute::Window | ConsentRoute::Link => by_link(opened, &integration, one, output).await?,
    };
    let session = if field(&session, "state") == "choosing" { choose(opened, session, one.place.as_deref(), output).await? } else { session };
    let connected = field(&session, "state") == "completed";
    let mut words = if connected {
        let status = opened.run(Operation::IntegrationsGet, path()).await?;
        let status = status.pointer("/x_patchbay/status").and_then(Value::as_str).unwrap_or_default().replace('_', " ");
        format!("Connected. The integration is {status}.")
    } else {
        let message = field(&session, "message");
        if message.is_empty() { "Nobody authorized it; the consent was cancelled.".to_owned() } else { message }
    };
    let mut value = json!({ "session": session });
    if one.proof {
        let journal = opened.run(Operation::IntegrationsJournal, path()).await?;
        words.push_str(&proof(&journal));
        if let Some(members) = value.as_object_mut() {
            members.insert("proof".to_owned(), journal);
        }
    }
    Ok(Told { words, value, connected })
}

/// The way that was asked for, else the first that can be gone: from here by this computer's browser, at a server by its pages.
fn route(offers: &Value, wanted: Option<ConsentRoute>, here: bool) -> Result<ConsentRoute, Problem> {
    let why_not = |route: ConsentRoute| {
        let offer = offers.as_array().into_iter().flatten().find(|offer| field(offer, "route") == route.as_str());
        match offer {
            Some(offer) => offer.get("why_not").and_then(Value::as_str).map(ToOwned::to_owned),
            None => Some(format!("The way `{}` is not offered.", route.as_str())),
        }
    };
    if let Some(route) = wanted {
        return match why_not(route) {
            None => Ok(route),
            Some(why) => Err(Problem::new(Code::ConsentRouteUnavailable, why)),
        };
    }
    let order = if here { [ConsentRoute::Browser, ConsentRoute::Link, ConsentRoute::Paste] } else { [ConsentRoute::Link, ConsentRoute::Browser, ConsentRoute::Paste] };
    let first = order.into_iter().find(|route| why_not(*route).is_none());
    first.ok_or_else(|| {
        let reasons: Vec<String> = order.into_iter().filter_map(why_not).collect();
        Problem::new(Code::ConsentRouteUnavailable, format!("There is no way to the provider's page from here. {}", reasons.join(" ")))
    })
}

async fn begin(opened: &Opened, integration: &str, one: &ConnectOne, route: ConsentRoute, redirect_uri: Option<&Url>) -> Result<Value, Problem> {
    let body = json!({ "integration_id": integration, "route": route, "redirect_uri": redirect_uri, "end_user_id": one.end_user });
    opened.run(Operation::ConnectBegin, Request::default().with_body(body)).await
}

/// The answer comes to an address of this computer, which is listened to until it did.
async fn in_browser(opened: &Opened, integration: &str, one: &ConnectOne, offers: &Value, output: &Output) -> Result<Value, Problem> {
    let offer = offers.as_array().into_iter().flatten().find(|offer| field(offer, "route") == ConsentRoute::Browser.as_str());
    let registered = offer.map(|offer| address(offer, "redirect_uri")).transpose()?.ok_or_else(|| Problem::internal("a way was told without its redirect URI"))?;
    let any_port = offer.and_then(|offer| offer.get("any_port")).and_then(Value::as_bool).unwrap_or_default();
    let listener = Loopback::bind(&system_context(), &registered, any_port).await?;
    let begun = begin(opened, integration, one, ConsentRoute::Browser, Some(listener.redirect_uri())).await?;
    let page = address(&begun, "authorize_url")?;
    tell(output, listener.start_url().as_str(), "Open this link in a browser on this computer:");
    let session = field(&begun, "id");
    let answer = tokio::select! {
        answer = listener.wait(&page, PATIENCE) => answer,
        () = given_up() => return cancel(opened, &session).await,
    };
    match answer {
        Ok(callback) => finish(opened, &session, callback.as_str()).await,
        Err(problem) => {
            cancel(opened, &session).await?;
            Err(problem)
        }
    }
}

/// The answer comes to the server, which is asked what became of it.
async fn by_link(opened: &Opened, integration: &str, one: &ConnectOne, output: &Output) -> Result<Value, Problem> {
    let begun = begin(opened, integration, one, ConsentRoute::Link, None).await?;
    tell(output, address(&begun, "start_url")?.as_str(), "Open this link in a browser, or send it to the person:");
    wait(opened, &field(&begun, "id")).await
}

/// The person enters a code in a browser on any device; asking what became of it asks the provider.
async fn by_code(opened: &Opened, integration: &str, one: &ConnectOne, output: &Output) -> Result<Value, Problem> {
    let begun = begin(opened, integration, one, ConsentRoute::Device, None).await?;
    let prompt = begun.get("device").ok_or_else(|| Problem::internal("a consent by a code was told without one"))?;
    tell(output, address(prompt, "verification_uri")?.as_str(), &format!("Open this address in a browser on any device, and enter the code {} there:", field(prompt, "user_code")));
    wait(opened, &field(&begun, "id")).await
}

async fn wait(opened: &Opened, session: &String) -> Result<Value, Problem> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = given_up() => return cancel(opened, session).await,
        }
        let now = opened.run(Operation::ConnectGet, Request::on([("connect_session_id", session)])).await?;
        if !matches!(field(&now, "state").as_str(), "begun" | "exchanging") {
            return Ok(now);
        }
    }
}

/// The person pastes the address at which the browser ended.
async fn by_paste(opened: &Opened, integration: &str, one: &ConnectOne, output: &Output) -> Result<Value, Problem> {
    let begun = begin(opened, integration, one, ConsentRoute::Paste, None).await?;
    let session = field(&begun, "id");
    tell(output, address(&begun, "authorize_url")?.as_str(), "Open this link in a browser:");
    output.progress("At its end the browser shows a page that cannot be opened. Paste the address of that page here:");
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let pasted = tokio::select! {
        read = read => read.ok().and_then(Result::ok).unwrap_or_default(),
        () = given_up() => return cancel(opened, &session).await,
    };
    let pasted = pasted.trim();
    if pasted.is_empty() || pasted.len() > LONGEST {
        cancel(opened, &session).await?;
        return Err(Problem::new(Code::InvalidField, "No address was pasted, so the consent was cancelled. Begin again."));
    }
    finish(opened, &session, pasted).await
}

/// The consent gives access to several places: that of the arguments is taken, or a person at a terminal is asked.
async fn choose(opened: &Opened, session: Value, wanted: Option<&str>, output: &Output) -> Result<Value, Problem> {
    let id = field(&session, "id");
    let places: Vec<(String, String)> = session.get("places").and_then(Value::as_array).into_iter().flatten().map(|place| (field(place, "id"), field(place, "name"))).collect();
    let chosen = match wanted {
        Some(wanted) => one_of(&places, wanted),
        None if std::io::stdin().is_terminal() => {
            output.progress("The consent gives access to several places. For which one shall it be?");
            for (number, (place, name)) in places.iter().enumerate() {
                output.progress(&format!("  {}  {name} ({place})", number + 1));
            }
            output.progress("Its number:");
            let read = tokio::task::spawn_blocking(|| {
                let mut line = String::new();
                std::io::stdin().lock().read_line(&mut line).map(|_| line)
            });
            let line = tokio::select! {
                read = read => read.ok().and_then(Result::ok).unwrap_or_default(),
                () = given_up() => return cancel(opened, &id).await,
            };
            let number = line.trim().parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            number.and_then(|number| places.get(number)).map(|(place, _)| place.clone()).ok_or_else(|| Problem::new(Code::InvalidField, "That is none of the numbers."))
        }
        None => Err(Problem::new(Code::InvalidField, format!("The consent gives access to several places: {}. Say by --place which one it shall be for.", named(&places)))),
    };
    match chosen {
        Ok(place) => opened.run(Operation::ConnectChoose, Request::on([("connect_session_id", &id)]).with_body(json!({ "place": place }))).await,
        Err(problem) => {
            // Nothing of it is kept, here or at the provider.
            cancel(opened, &id).await?;
            Err(Problem { message: format!("{} The consent was cancelled; begin again.", problem.message), ..problem })
        }
    }
}

/// The id of the place that has this id, or alone has this name.
fn one_of(places: &[(String, String)], wanted: &str) -> Result<String, Problem> {
    let by_id = places.iter().find(|(id, _)| id == wanted);
    let mut by_name = places.iter().filter(|(_, name)| name == wanted);
    match (by_id, by_name.next(), by_name.next()) {
        (Some((id, _)), ..) | (None, Some((id, _)), None) => Ok(id.clone()),
        (None, Some(_), Some(_)) => Err(Problem::new(Code::InvalidField, format!("Several places have this name: {}. Say the id.", named(places)))),
        (None, None, _) => Err(Problem::new(Code::InvalidField, format!("The consent gives access to other places: {}.", named(places)))),
    }
}

fn named(places: &[(String, String)]) -> String {
    places.iter().map(|(id, name)| format!("{name} ({id})")).collect::<Vec<_>>().join(", ")
}

/// Ctrl C. Where that cannot be heard, nobody gives up.
async fn given_up() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn finish(opened: &Opened, session: &String, callback: &str) -> Result<Value, Problem> {
    opened.run(Operation::ConnectFinish, Request::on([("connect_session_id", session)]).with_body(json!({ "callback_url": callback }))).await
}

async fn cancel(opened: &Opened, session: &String) -> Result<Value, Problem> {
    opened.run(Operation::ConnectCancel, Request::on([("connect_session_id", session)])).await
}

/// The address is what a program waits for, and what a person copies.
fn tell(output: &Output, address: &str, words: &str) {
    output.line_for_programs(&json!({ "open": address }));
    output.progress(&format!("{words}\n  {address}"));
    if std::io::stderr().is_terminal() {
        output.progress("Waiting. Ctrl C gives up.");
    }
}

/// What the journal says, an attempt on a line.
fn proof(journal: &Value) -> String {
    let rows: Vec<Value> = journal
        .as_array()
        .into_iter()
        .flatten()
        .map(|attempt| {
            let steps = attempt.get("steps").and_then(Value::as_array).into_iter().flatten();
            let words: Vec<String> = steps.clone().map(|step| field(step, "step")).collect();
            json!({
                "at": steps.clone().next().map(|step| field(step, "at")).unwrap_or_default(),
                "of": field(attempt, "token"),
                "token": field(attempt, "token_before"),
                "became": field(attempt, "token_after"),
                "steps": words.join(", "),
            })
        })
        .collect();
    if rows.is_empty() { "\nNo renewal yet.".to_owned() } else { format!("\n{}", table(&rows, &["at", "of", "token", "became", "steps"])) }
}

fn address(value: &Value, name: &str) -> Result<Url, Problem> {
    let url = field(value, name).parse::<Url>().ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    url.ok_or_else(|| {
        Problem::new(Code::ProviderInvalidAnswer, format!("The consent has no web address to go to ({name}). Nothing was opened; correct the provider's configuration."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_by_id_or_by_a_name_of_its_own() {
        let places = [("1", "Acme"), ("2", "Acme"), ("3", "Globex"), ("Globex", "Other")].map(|(id, name)| (id.to_owned(), name.to_owned()));
        assert_eq!(one_of(&places, "2").unwrap(), "2");
        assert_eq!(one_of(&places, "Other").unwrap(), "Globex");
        assert_eq!(one_of(&places, "Globex").unwrap(), "Globex", "ids go before names");
        assert!(one_of(&places, "Acme").unwrap_err().message.contains("Say the id"));
        assert!(one_of(&places, "acme").unwrap_err().message.contains("Globex (3)"));
    }

    #[test]
    fn the_first_way_depends_on_where_the_store_is() {
        let offers = json!([{ "route": "link" }, { "route": "browser", "redirect_uri": "http://127.0.0.1/x" }, { "route": "paste", "why_not": "No address." }]);
        assert_eq!(route(&offers, None, true).unwrap(), ConsentRoute::Browser);
        assert_eq!(route(&offers, None, false).unwrap(), ConsentRoute::Link);
        assert_eq!(route(&offers, Some(ConsentRoute::Paste), true).unwrap_err().message, "No address.");
        let none = json!([{ "route": "link", "why_not": "No server." }]);
        let refused = route(&none, None, true).unwrap_err();
        assert!(refused.code == Code::ConsentRouteUnavailable && refused.message.contains("No server."), "{}", refused.message);
    }
}
