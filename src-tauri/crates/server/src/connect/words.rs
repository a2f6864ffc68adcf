//! What the person of a consent is told of what went wrong: what it means to them, and the one thing that they can do. What only whoever
//! administers the organization can use (client ids, registered addresses, names of provider apps) stands in the flight recorder, not here.

use patchbay_engine::consent::hosted::HostedConsent;
use patchbay_model::flight::Changer;
use patchbay_model::{Code, Problem};

/// What went wrong, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Told {
    /// What it means.
    pub(super) what: String,
    /// The one thing to do.
    pub(super) next: String,
    /// What the provider said itself, where that is of use to the person.
    pub(super) quote: Option<String>,
    /// By which word whoever administers the organization finds it.
    pub(super) cause: String,
}

/// Why a consent failed. `by` is who asked for it.
pub(super) fn failure(seen: &HostedConsent, code: Code, by: &str) -> Told {
    let (x, customer) = (seen.provider.as_str(), seen.account.fullname.as_str());
    let Some(explanation) = &seen.session.explanation else {
        let (what, next) = unexplained(code, x, by);
        return Told { what, next, quote: None, cause: code.as_str().to_owned() };
    };
    let ours = || format!("Only {by} can change that. Tell whoever sent you here, with the reference below.");
    let later = || "Wait a few minutes, then try again.".to_owned();
    let (what, next) = match explanation.cause.as_str() {
        "person_refused" => (format!("You said no at {x}, or {x} did for you."), format!("If that was not meant, try again and agree at {x}.")),
        "person_not_allowed" => (
            format!("Your account at {x} may not agree to this."),
            format!("Sign in at {x} with an account that may, or ask an administrator of {x} at {customer} for the right. Then try again."),
        ),
        "admin_consent_needed" => (format!("An administrator of {x} at {customer} has to approve {by} first."), format!("Ask them to approve it at {x}. Then try again.")),
        "token_spent" | "grant_ended" => (format!("The answer of {x} came too late, or a second time."), "Try again.".to_owned()),
        "rate_limited" => (format!("{x} was asked too often."), later()),
        "outage" => (format!("{x} is out of order at this moment."), later()),
        "window_refused" => (
            format!("{x} does not show its page in this kind of window."),
            "Open this page in the browser that you use otherwise, by the link that you were given. Then try again.".to_owned(),
        ),
        "test_mode" => {
            (format!("{by} is still being tested at {x}, and your account is none of those that may try it."), format!("Ask {by} to add your account at {x}. Then try again."))
        }
        "redirect_mismatch" => (format!("{x} does not know the address to which it should send you back."), ours()),
        "unknown_client" | "wrong_secret" => (format!("{x} does not recognise {by}."), ours()),
        "scope_unknown" | "scope_not_allowed" => (format!("{by} asks {x} for something that {x} does not give it."), ours()),
        "app_not_approved" => (format!("{x} has not approved {by} yet."), ours()),
        "app_suspended" => (format!("{x} has switched {by} off."), ours()),
        "pkce_refused" | "clock_wrong" => (format!("{x} did not accept the way in which {by} asked."), ours()),
        _ => (format!("{x} gives no reason that is known here."), "Try again. If it comes back, tell whoever sent you here, with the reference below.".to_owned()),
    };
    let of_administrator = explanation.change.as_ref().is_some_and(|change| change.who == Changer::Administrator);
    Told { what, next, quote: explanation.quote.clone().filter(|_| !of_administrator), cause: explanation.cause.clone() }
}

/// The same where nothing explains it.
fn unexplained(code: Code, x: &str, by: &str) -> (String, String) {
    match code {
        Code::ConsentDenied => (format!("{x} did not give access."), format!("If that was not meant, try again and agree at {x}.")),
        Code::ConsentIssuerMismatch | Code::ConsentCallbackMismatch => {
            ("The answer did not come from where it was asked for, so it was not used.".to_owned(), format!("Try again. If it comes back, somebody may be interfering: tell {by}."))
        }
        Code::ProviderUnreachable | Code::ProviderRateLimited => (format!("{x} could not be reached to finish this."), "Wait a few minutes, then try again.".to_owned()),
        Code::ProviderInvalidAnswer => {
            (format!("{x} did not answer as it should."), "Wait a few minutes, then try again. If it comes back, tell whoever sent you here, with the reference below.".to_owned())
        }
        Code::ProviderRefused => (
            format!("{x} let you agree, and then refused what {by} asked for."),
            format!("Make sure that you sign in at {x} with an account that may use what is to be connected, and try again. If it comes back, tell whoever sent you here."),
        ),
        Code::IntegrationNotActive => (format!("{by} has paused this connection."), "Ask whoever sent you here to resume it. Then try again.".to_owned()),
        _ => ("It could not be finished.".to_owned(), "Try again. If it comes back, tell whoever sent you here, with the reference below.".to_owned()),
    }
}

/// Why something cannot be done now, in words that show nothing of what is set up.
pub(super) fn hindrance(problem: &Problem, x: &str, by: &str) -> String {
    let set_up = || format!("{by} is not set up for that at {x}. Nothing was changed. Tell whoever sent you here.");
    match problem.code {
        _ if problem.context.resources.iter().any(|resource| resource.kind == "provider_app") => set_up(),
        Code::ProviderAppMissing | Code::ConsentRouteUnavailable | Code::ProviderNotAllowed | Code::InvalidConfig | Code::InvalidField => set_up(),
        Code::ProviderUnreachable | Code::ProviderRateLimited => format!("{x} could not be reached. Wait a few minutes, then try again."),
        Code::ProviderRefused | Code::ProviderInvalidAnswer => format!("{x} does not take the request of {by}. Try again. If it comes back, tell whoever sent you here."),
        Code::IntegrationNotActive => format!("{by} has paused this connection. Ask whoever sent you here to resume it."),
        Code::ConsentOtherBrowser | Code::LinkInvalid => problem.message.clone(),
        Code::StoreBusy | Code::ShuttingDown | Code::RateLimited => "This is not possible at this moment. Try again in a moment.".to_owned(),
        _ => "This did not work. Try again. If it comes back, tell whoever sent you here.".to_owned(),
    }
}
