//! Preflight: testing a provider app without a person, before a customer has to try. The provider is asked what it would be asked in
//! a consent, with a code that is none and without cookies; what it answers tells whether it knows client, redirect URIs and scopes. Where
//! that tells nothing of the client, it asks for a token of its own, which is thrown away; of a key at AWS, AWS says whose it is.

mod authorize;
mod mint;
mod nightly;
mod page;
mod place;
mod principal;
mod token;

use std::collections::HashMap;

use patchbay_model::consent::ProviderApp;
use patchbay_model::flight::Explanation;
use patchbay_model::preflight::{AppCheck, CheckKind, CheckOutcome, CheckWord};
use patchbay_model::{Code, Operation, Problem, ProviderAppId, Scope, Timestamp};
use patchbay_providers::Provider;
use patchbay_providers::manifest::{At, Cause};
use serde_json::{Map, Value};

pub(crate) use nightly::run_due;
pub use nightly::test_due;

use crate::consent::client_of;
use crate::consent::explain::{self, Asked, Trouble, explanation};
use crate::contention::again;
use crate::oauth::{Authority, OAuthClient, authority};
use crate::{Engine, ManagementGrant, reach};

/// What was last found about an app, and when it is looked at next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checks {
    /// Row by row; none for an app that was never tested, or was changed since.
    pub checks: Vec<AppCheck>,
    /// The next night in which it is tested by itself.
    pub next: Option<Timestamp>,
}

/// What was last found about an app.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn checks(engine: &Engine, grant: &ManagementGrant, app: &str) -> Result<Checks, Problem> {
    grant.require(Operation::ProviderAppsChecks, None)?;
    let mut tx = reach::reading(engine, grant).await?;
    let app = crate::provider_app::find(&mut tx, app).await?;
    Ok(Checks { checks: tx.app_checks(app.id).await?, next: tx.next_app_check(app.id).await? })
}

/// Of each app that was tested: the worst outcome.
///
/// # Errors
/// Problems of the store.
pub async fn worst(engine: &Engine, grant: &ManagementGrant) -> Result<HashMap<ProviderAppId, CheckWord>, Problem> {
    grant.require(Operation::ProviderAppsGet, None)?;
    Ok(reach::reading(engine, grant).await?.worst_app_checks().await?)
}

/// Tests an app now. Nothing is changed at the provider, and here only what was found.
///
/// # Errors
/// `not_found`, `permission_denied`, `update_conflict` when the app was changed meanwhile; problems of the store. What is wrong with the
/// app or the provider is none: it is what was found.
pub async fn preflight(engine: &Engine, grant: &ManagementGrant, app: &str) -> Result<Checks, Problem> {
    grant.require(Operation::ProviderAppsPreflight, None)?;
    let mut tx = reach::reading(engine, grant).await?;
    let app = crate::provider_app::find(&mut tx, app).await?;
    drop(tx);
    test(engine, &app).await?;
    let mut tx = reach::reading(engine, grant).await?;
    Ok(Checks { checks: tx.app_checks(app.id).await?, next: tx.next_app_check(app.id).await? })
}

/// Tests an app and writes down what was found.
async fn test(engine: &Engine, app: &ProviderApp) -> Result<(), Problem> {
    let scope = Scope::Organization(app.organization_id);
    let found = run(engine, scope, app).await?;
    let turned = again!(engine, {
        let mut tx = engine.store().write(scope, patchbay_model::Origin::Background).await?;
        let now = tx.provider_app(app.id).await?.ok_or_else(|| Problem::not_found("provider app", app.id))?;
        if now.updated_at != app.updated_at {
            return Err(Problem::new(Code::UpdateConflict, "The provider app was changed while it was tested. Test it again."));
        }
        let turned = turned_bad(&tx.app_checks(app.id).await?, &found);
        tx.put_app_checks(app.id, &found).await?;
        tx.commit().await?;
        Ok(turned)
    });
    for kind in turned {
        tracing::warn!(app = app.name.as_str(), provider = app.provider.as_str(), check = kind.as_str(), "what a provider took before it refuses now");
    }
    Ok(())
}

/// What was good and is bad.
fn turned_bad(before: &[AppCheck], now: &[AppCheck]) -> Vec<CheckKind> {
    let was_good = |check: &&AppCheck| before.iter().any(|old| old.kind == check.kind && old.subject == check.subject && old.outcome == CheckOutcome::Good);
    now.iter().filter(|check| matches!(check.outcome, CheckOutcome::Bad(_))).filter(was_good).map(|check| check.kind).collect()
}

/// An app that is being tested.
struct Flight<'a> {
    engine: &'a Engine,
    app: &'a ProviderApp,
    authority: Authority,
    client: OAuthClient,
    /// The scopes that a consent would ask for.
    scopes: Vec<String>,
    /// The configuration that leads to the server.
    config: Map<String, Value>,
}

/// Every test, in the order in which they are read.
async fn run(engine: &Engine, scope: Scope, app: &ProviderApp) -> Result<Vec<AppCheck>, Problem> {
    let now = engine.now();
    let check = |kind, subject: &str, outcome| AppCheck { kind, subject: subject.to_owned(), at: now, outcome };
    let mut tx = engine.store().read_secrets(scope).await?;
    let Some(provider) = engine.catalog_of(&mut tx).await?.get(&app.provider).cloned() else {
        return Ok(vec![check(CheckKind::Reached, "", unknown("The provider is not in the catalog of this version of Patchbay."))]);
    };
    let client = client_of(engine, &mut tx, app).await;
    let Some(server) = place::server(&provider) else {
        let Some(way) = principal::way(&provider) else {
            return Ok(vec![check(CheckKind::Reached, "", unknown("No person consents at this provider, so there is nothing to ask in their place."))]);
        };
        let config = principal::config(&mut tx, &provider, way).await?;
        drop(tx);
        return Ok(match client {
            Ok(client) => principal::test(engine, app, &provider, (way, &config), client).await,
            Err(problem) => vec![check(CheckKind::Client, "", unreadable(&Asked { redirect_uri: "", scopes: &[], app }, &provider, &problem))],
        });
    };
    let config = place::config(&mut tx, &provider, server, app).await?;
    drop(tx);
    let Some(config) = config else {
        return Ok(vec![check(
            CheckKind::Reached,
            "",
            unknown("Where the provider is stands in the configuration of integrations, and no integration has it yet. Add one, then test again."),
        )]);
    };
    let asked = Asked { redirect_uri: app.redirect_uris.first().map(String::as_str).unwrap_or_default(), scopes: &app.scopes, app };
    if let Some(issuer) = place::issuer(&provider, server, &config) {
        // What was believed until now is no proof that it is so.
        engine.outbound().metadata.forget(&issuer);
    }
    let authority = match authority(engine.http(), &engine.outbound().metadata, &provider, server, &config).await {
        Ok(authority) => authority,
        Err(problem) => return Ok(vec![check(CheckKind::Reached, "", unreached(&asked, &provider, &problem))]),
    };
    let client = match client {
        Ok(client) => client,
        Err(problem) => return Ok(vec![check(CheckKind::Client, "", unreadable(&asked, &provider, &problem))]),
    };
    let reached = place::reached(engine, &authority).await.map_or_else(|problem| unreached(&asked, &provider, &problem), |()| CheckOutcome::Good);
    let mut checks = vec![check(CheckKind::Reached, "", reached.clone())];
    if !matches!(reached, CheckOutcome::Good) {
        return Ok(checks);
    }
    let scopes = if app.scopes.is_empty() { server.scopes.default.clone() } else { app.scopes.clone() };
    let flight = Flight { engine, app, authority, client, scopes, config };
    checks.push(check(CheckKind::Client, "", flight.mint(flight.token().await).await));
    let (redirects, scopes) = flight.authorize().await;
    checks.extend(redirects.into_iter().map(|(uri, outcome)| check(CheckKind::RedirectUri, &uri, outcome)));
    checks.push(check(CheckKind::Scopes, "", scopes));
    Ok(checks)
}

impl Flight<'_> {
    /// A consent with this redirect URI.
    fn asked<'a>(&'a self, redirect_uri: &'a str) -> Asked<'a> {
        Asked { redirect_uri, scopes: &self.scopes, app: self.app }
    }

    /// What is bad, by what it means.
    fn bad(&self, redirect_uri: &str, cause: Cause, said: Option<&str>, trouble: &Trouble) -> CheckOutcome {
        bad(explanation(&self.asked(redirect_uri), &self.authority.provider, cause, said, trouble.quote()))
    }

    /// What an error means by the manifest's rules at any of these places.
    fn told(&self, places: &[At], trouble: &Trouble) -> Option<(Cause, Option<&str>)> {
        places.iter().find_map(|at| explain::told(&self.authority.provider, *at, trouble)).map(|(cause, said)| (cause, Some(said)))
    }

    /// The same, else by the standards.
    fn cause(&self, places: &[At], trouble: &Trouble) -> Option<(Cause, Option<&str>)> {
        self.told(places, trouble).or_else(|| places.first().and_then(|at| explain::usual(*at, trouble)).map(|cause| (cause, None)))
    }
}

/// A secret that cannot be opened here.
fn unreadable(asked: &Asked<'_>, provider: &Provider, problem: &Problem) -> CheckOutcome {
    bad(explanation(asked, provider, Cause::WrongSecret, Some(&problem.message), None))
}

fn unreached(asked: &Asked<'_>, provider: &Provider, problem: &Problem) -> CheckOutcome {
    match problem.code {
        Code::ProviderUnreachable | Code::ProviderTimeout => bad(explanation(asked, provider, Cause::Outage, Some(&problem.message), None)),
        Code::ProviderInvalidAnswer | Code::InvalidConfig => bad(explanation(asked, provider, Cause::Unknown, Some(&problem.message), None)),
        _ => unknown(&problem.message),
    }
}

fn bad(explanation: Explanation) -> CheckOutcome {
    CheckOutcome::Bad(Box::new(explanation))
}

fn unknown(why: &str) -> CheckOutcome {
    CheckOutcome::CannotTell { why: why.to_owned() }
}

#[cfg(test)]
mod tests;
