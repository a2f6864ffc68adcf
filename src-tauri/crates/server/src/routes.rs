//! The table of everything that is served, with the rule of each route. The router is built from it and from nothing else.

use patchbay_api::{operation, ticketing};
use patchbay_model::Operation;
use patchbay_model::connector::Connector;

use crate::missing::{MISSING, Missing};

/// Who may call a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Organization access tokens whose permissions cover the operation.
    Management(Operation),
    /// The container's own refresh secret, and organization access tokens as under `Management`.
    RefreshOrManagement(Operation),
    /// Organization access tokens of whatever permissions: there is nothing behind it but the news that it is missing.
    Missing,
    /// Integration access tokens.
    Connector,
    /// A signed-in browser; never a token.
    Session,
    /// A signed-in browser, or an organization access token: what another Patchbay speaks, for which this one is the store.
    SessionOrManagement,
    /// Anybody. What it gives is public, or the request itself holds the proof (a password, a one-time link, a consent's state).
    Public,
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// HTTP method; HEAD follows GET.
    pub method: &'static str,
    /// Path with `{name}` for parameters and `{*name}` for a rest.
    pub path: &'static str,
    /// Who may call.
    pub rule: Rule,
    pub(crate) target: Target,
}

/// What answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Management(&'static operation::Route),
    Missing(&'static Missing),
    Ticketing(&'static ticketing::Route),
    /// A connector that has no provider here: 501 for all of it.
    NotOffered(Connector),
    Host(Host),
}

/// Routes of the server itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Host {
    SignIn,
    LookAtLink,
    Who,
    SignOut,
    Rpc,
    Events,
    Healthy,
    Ready,
    Version,
    Callback,
    ConnectChoose,
    ConnectEnter,
    ConnectFill,
    ConnectStyle,
    ConnectStart,
    SessionShow,
    SessionGo,
    SessionSwitch,
    SessionStop,
    SessionChoose,
    SessionAgain,
    ReceiptShow,
    ReceiptWithdraw,
    Calendar,
}

const HOST: &[(&str, &str, Rule, Host)] = &[
    ("POST", "/session", Rule::Public, Host::SignIn),
    ("POST", "/session/link", Rule::Public, Host::LookAtLink),
    ("GET", "/session", Rule::Session, Host::Who),
    ("DELETE", "/session", Rule::Session, Host::SignOut),
    ("POST", "/rpc", Rule::SessionOrManagement, Host::Rpc),
    ("GET", "/events", Rule::SessionOrManagement, Host::Events),
    ("GET", "/healthz", Rule::Public, Host::Healthy),
    ("GET", "/readyz", Rule::Public, Host::Ready),
    ("GET", "/v1/version", Rule::Public, Host::Version),
    ("GET", "/oauth/callback", Rule::Public, Host::Callback),
    ("GET", "/connect/page.css", Rule::Public, Host::ConnectStyle),
    ("GET", "/connect/{link}", Rule::Public, Host::ConnectChoose),
    ("GET", "/connect/{link}/{provider}", Rule::Public, Host::ConnectEnter),
    ("POST", "/connect/{link}/{provider}", Rule::Public, Host::ConnectFill),
    ("GET", "/connect/start/{ticket}", Rule::Public, Host::ConnectStart),
    ("GET", "/connect/session/{session}", Rule::Public, Host::SessionShow),
    ("GET", "/connect/session/{session}/go", Rule::Public, Host::SessionGo),
    ("POST", "/connect/session/{session}/switch", Rule::Public, Host::SessionSwitch),
    ("POST", "/connect/session/{session}/stop", Rule::Public, Host::SessionStop),
    ("POST", "/connect/session/{session}/choose", Rule::Public, Host::SessionChoose),
    ("POST", "/connect/session/{session}/again", Rule::Public, Host::SessionAgain),
    ("GET", "/connect/receipt/{link}", Rule::Public, Host::ReceiptShow),
    ("POST", "/connect/receipt/{link}/withdraw", Rule::Public, Host::ReceiptWithdraw),
    ("GET", "/calendar/{file}", Rule::Public, Host::Calendar),
];

/// Everything under a connector's segment. One row for each connector without a provider in this build.
const fn rest(connector: Connector) -> &'static str {
    match connector {
        Connector::Appsec => "/v1/app-sec/{*rest}",
        Connector::Assets => "/v1/assets/{*rest}",
        Connector::Chat => "/v1/chat/{*rest}",
        Connector::Cloudsecurity => "/v1/cloudsecurity/{*rest}",
        Connector::Accounting => "/v1/accounting/{*rest}",
        Connector::Crm => "/v1/crm/{*rest}",
        Connector::Custom => "/v1/custom/{*rest}",
        Connector::Edr => "/v1/edr/{*rest}",
        Connector::Emailsecurity => "/v1/email-security/{*rest}",
        Connector::Endpointmanagement => "/v1/endpoint-management/{*rest}",
        Connector::Grc => "/v1/grc/{*rest}",
        Connector::Identity => "/v1/identity/{*rest}",
        Connector::Incidentresponse => "/v1/incident-response/{*rest}",
        Connector::Networksecurity => "/v1/network-security/{*rest}",
        Connector::Notifications => "/v1/notifications/{*rest}",
        Connector::Securityawareness => "/v1/security-awareness/{*rest}",
        Connector::Siem => "/v1/siem/{*rest}",
        Connector::Sink => "/v1/sink/{*rest}",
        Connector::Storage => "/v1/storage/{*rest}",
        Connector::Threatintel => "/v1/threat-intel/{*rest}",
        // Its routes are a table of their own.
        Connector::Ticketing => "/v1/ticketing/{*rest}",
        Connector::Vulnerabilities => "/v1/vulnerabilities/{*rest}",
    }
}

/// Every route.
pub fn entries() -> Vec<Entry> {
    let management = operation::ROUTES.iter().map(|route| Entry {
        method: route.method.as_str(),
        path: route.path,
        rule: match route.rule {
            operation::Rule::Management => Rule::Management(route.operation),
            operation::Rule::RefreshOrManagement => Rule::RefreshOrManagement(route.operation),
            operation::Rule::Logon => Rule::Public,
        },
        target: Target::Management(route),
    });
    let missing = MISSING.iter().map(|missing| Entry { method: missing.method, path: missing.path, rule: Rule::Missing, target: Target::Missing(missing) });
    let ticketing = ticketing::ROUTES.iter().map(|route| Entry { method: route.method.as_str(), path: route.path, rule: Rule::Connector, target: Target::Ticketing(route) });
    let not_offered = Connector::ALL.iter().copied().filter(|connector| *connector != Connector::Ticketing).flat_map(|connector| {
        ["GET", "POST", "PUT", "PATCH", "DELETE"].map(|method| Entry { method, path: rest(connector), rule: Rule::Connector, target: Target::NotOffered(connector) })
    });
    let host = HOST.iter().map(|&(method, path, rule, host)| Entry { method, path, rule, target: Target::Host(host) });
    management.chain(missing).chain(ticketing).chain(not_offered).chain(host).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_stand_under_their_segment() {
        for connector in Connector::ALL {
            assert_eq!(rest(*connector), format!("/v1/{}/{{*rest}}", connector.path_segment()));
        }
    }

    #[test]
    fn no_two_paths_of_the_table_conflict() {
        let paths: std::collections::BTreeSet<_> = entries().into_iter().map(|entry| entry.path).collect();
        let mut router = axum::Router::<()>::new();
        for path in paths {
            router = router.route(path, axum::routing::any(|| async {}));
        }
        assert!(router.has_routes());
    }

    #[test]
    fn what_is_public_is_listed_here() {
        let public: Vec<_> = entries().into_iter().filter(|entry| entry.rule == Rule::Public).map(|entry| format!("{} {}", entry.method, entry.path)).collect();
        let reviewed = [
            "POST /v1/auth/logon/{organization_id}",
            "POST /session",
            // Tells whom a one-time link is for, to whoever holds the link, and nothing to anybody else; tries are counted.
            "POST /session/link",
            "GET /healthz",
            "GET /readyz",
            "GET /v1/version",
            "GET /oauth/callback",
            "GET /connect/page.css",
            // What a customer's person sees who holds a link; whoever guesses is slowed, and a form is taken from the browser
            // alone that it was shown in.
            "GET /connect/{link}",
            "GET /connect/{link}/{provider}",
            "POST /connect/{link}/{provider}",
            // Gives whoever has the ticket the provider's page, once; whoever guesses is slowed.
            "GET /connect/start/{ticket}",
            // How far a consent is, to the browser alone that it is bound to, and the ways to go on with it, by forms that were shown in
            // that browser. For any other there is nothing at any of these addresses; whoever guesses is slowed.
            "GET /connect/session/{session}",
            "GET /connect/session/{session}/go",
            "POST /connect/session/{session}/switch",
            "POST /connect/session/{session}/stop",
            "POST /connect/session/{session}/choose",
            "POST /connect/session/{session}/again",
            // What a person agreed to who holds the link of the receipt, and its withdrawal, by a form that was shown in this
            // browser; whoever guesses is slowed.
            "GET /connect/receipt/{link}",
            "POST /connect/receipt/{link}/withdraw",
            // What its maker may see at this moment, to whoever holds the address; whoever guesses is slowed.
            "GET /calendar/{file}",
        ];
        assert_eq!(public, reviewed, "a public route is added only with a review of what it gives away");
    }
}
