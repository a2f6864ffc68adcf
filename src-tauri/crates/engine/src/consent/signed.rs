//! Answers that a provider signs with the client secret (Shopify): nobody else can have written them, and nobody has altered them on
//! their way through a browser.

use std::collections::BTreeMap;

use patchbay_model::{Code, Problem, Secret};
use patchbay_providers::manifest::{Slot, Template};
use patchbay_vault::signs_callback;

use super::callback::Callback;
use crate::oauth::{Authority, OAuthClient, bounded};

/// Holds an answer against its signature, and against what the manifest says that it must repeat, such as the shop that was asked.
///
/// # Errors
/// `consent_issuer_mismatch` when it is not signed, or otherwise than it should be, or speaks of something else than was asked for.
pub(super) fn check(authority: &Authority, client: &OAuthClient, callback: &Callback) -> Result<(), Problem> {
    let facts = &authority.server.callback;
    if let Some(signed) = &facts.signed {
        let came = callback.said(&signed.param)?;
        // Whether refusals are signed is not known of every provider; without a code there is nothing to be taken from them.
        if came.is_none() && callback.error.is_some() {
            return Ok(());
        }
        let came = came.ok_or_else(|| tampered(format!("The answer is not signed (`{}` is missing), although this provider signs its answers.", signed.param)))?;
        let secret = client.secret.as_ref().ok_or_else(|| {
            Problem::new(
                Code::ProviderAppMissing,
                "The provider signs its answers with the client secret, and the provider app has none. Enter it there, then begin the consent again.",
            )
        })?;
        let key = filled(authority, &signed.key, &[(Slot::ClientSecret, secret.expose()), (Slot::ClientId, &client.id)])?;
        if !signs_callback(&Secret::new(key), &message(callback, &signed.param), came) {
            return Err(tampered(
                "The signature of the answer is not that of the provider app's client secret. Either the secret is not the one of the app at the provider, or the answer was altered on its way.".to_owned(),
            ));
        }
    }
    for (name, template) in facts.expect.iter().filter(|_| callback.error.is_none()) {
        let asked = filled(authority, template, &[])?;
        match callback.said(name)? {
            Some(came) if came.eq_ignore_ascii_case(&asked) => {}
            Some(came) => return Err(tampered(format!("The answer speaks of `{}`, and `{}` was asked for (`{name}`).", bounded(came), bounded(&asked)))),
            None => return Err(tampered(format!("The answer does not say of what it speaks (`{name}` is missing)."))),
        }
    }
    Ok(())
}

/// What is signed: every other parameter in the order of the names, as `name=value`, joined by `&`. In names and values `%` and `&`
/// are escaped, in names `=` too.
fn message(callback: &Callback, param: &str) -> String {
    let escaped = |text: &str| text.replace('%', "%25").replace('&', "%26");
    let mut pairs: Vec<(String, String)> =
        callback.pairs.iter().filter(|(name, _)| name != param).map(|(name, value)| (escaped(name).replace('=', "%3D"), escaped(value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn filled(authority: &Authority, template: &Template, known: &[(Slot, &str)]) -> Result<String, Problem> {
    let one = BTreeMap::from([(String::new(), template.clone())]);
    authority.texts(&one, known)?.remove("").ok_or_else(|| Problem::internal("what an answer is held against cannot be made of the configuration"))
}

fn tampered(what: String) -> Problem {
    Problem::new(Code::ConsentIssuerMismatch, format!("{what} The code was not used. Begin the consent again; if it comes back, somebody may be tampering with it."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::callback::parse;

    /// The example of Shopify's documentation.
    #[test]
    fn the_signature_of_the_providers_own_example_holds_and_no_other() {
        let good = "code=0907a61c0c8d55e99db179b68161bc00&hmac=700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf&shop=some-shop.myshopify.com&state=0.6784241404160823&timestamp=1337178173";
        let holds = |query: &str, secret: &str| {
            let (_, callback) = parse(&format!("https://x.test/cb?{query}")).unwrap();
            signs_callback(&Secret::new(secret), &message(&callback, "hmac"), callback.said("hmac").unwrap().unwrap())
        };
        assert!(holds(good, "hush"));
        assert!(holds(&good.split('&').rev().collect::<Vec<_>>().join("&"), "hush"), "in whichever order they come");
        assert!(!holds(good, "hush "), "another secret");
        for (from, to) in
            [("0907", "0908"), ("some-shop", "other-shop"), ("=0.67", "=0.68"), ("178173", "178174"), ("700e", "700f"), ("hmac=700e", "hmac=700E0"), ("&shop=", "&shop=x&shop=")]
        {
            assert!(!holds(&good.replace(from, to), "hush"), "{to}");
        }
        assert!(!holds(&format!("{good}&prefix=x"), "hush"), "what was added is signed too");
    }
}
