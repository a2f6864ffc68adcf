//! Whether the provider takes the client: by the exchange of a code that is none.

use patchbay_model::preflight::CheckOutcome;
use patchbay_model::{Problem, Secret};
use patchbay_providers::manifest::revoke::{ErrorMatch, TokenTest};
use patchbay_providers::manifest::{At, Cause, ClientAuth};
use reqwest::header::CONTENT_TYPE;

use super::{Flight, page, unknown};
use crate::consent::explain::Trouble;
use crate::oauth::{self, Answer, NewTokens, Prepared, random};

/// Sent by an app that names no redirect URI; nobody is there (RFC 2606).
const NOWHERE: &str = "https://patchbay.invalid/oauth/callback";

/// What a token endpoint says.
pub(super) enum Said {
    Granted(Box<NewTokens>),
    Trouble(Trouble),
}

impl Flight<'_> {
    /// What the token endpoint says of the client.
    pub(super) async fn token(&self) -> CheckOutcome {
        let server = &self.authority.server;
        let none: &[ErrorMatch] = &[];
        let (good, bad) = match &server.preflight.token {
            TokenTest::Standard => (none, none),
            TokenTest::Tells { good, bad } => (&good[..], &bad[..]),
            TokenTest::CannotTell { why } | TokenTest::Skip { why } => return unknown(why),
        };
        if self.client.secret.is_none() && !server.client_auth.iter().any(|way| matches!(way, ClientAuth::None | ClientAuth::Discovered)) {
            return self.bad("", Cause::WrongSecret, Some("No client secret is stored, and the provider wants one. Enter it."), &Trouble::default());
        }
        match self.bogus().await {
            Ok(Said::Trouble(trouble)) => self.client_by(good, bad, &trouble),
            Ok(Said::Granted(_)) => unknown("The provider gave tokens for a code that is none, so that nothing can be told by it."),
            Err(problem) => unknown(&problem.message),
        }
    }

    /// Exchanges a code that is none.
    async fn bogus(&self) -> Result<Said, Problem> {
        let (engine, authority) = (self.engine, &self.authority);
        let entropy = engine.context().entropy();
        let code = Secret::new(format!("patchbay-preflight-{}", random(entropy).expose()));
        let verifier = authority.pkce.then(|| random(entropy));
        let redirect_uri = self.app.redirect_uris.first().map_or(NOWHERE, String::as_str);
        self.said(Prepared::code(engine.context(), authority, &self.client, &code, redirect_uri, verifier.as_ref())?).await
    }

    /// What the token endpoint says to a request.
    pub(super) async fn said(&self, prepared: Prepared) -> Result<Said, Problem> {
        let (engine, authority) = (self.engine, &self.authority);
        let mask = prepared.mask();
        let answer = oauth::send(engine, prepared, engine.context().new_uuid()).await.answer()?;
        let status = answer.status.as_u16();
        let covered = |text: &str| mask.text(text).into_owned();
        let content_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next()).map(|value| value.trim().to_owned());
        let trouble = Trouble { status: Some(status), content_type, ..Trouble::default() };
        Ok(match oauth::read(&authority.server, status, &answer.headers, &answer.body, engine.now()) {
            Answer::Granted(tokens) => Said::Granted(tokens),
            Answer::Refused(refusal) => Said::Trouble(Trouble { code: Some(covered(&refusal.error)), words: refusal.description.as_deref().map(covered), ..trouble }),
            Answer::Nonsense => Said::Trouble(Trouble { words: Some(covered(&page::text(&answer.body))), ..trouble }),
        })
    }

    fn client_by(&self, good: &[ErrorMatch], bad: &[ErrorMatch], trouble: &Trouble) -> CheckOutcome {
        let seen = trouble.seen();
        let told = self.cause(&[At::Token], trouble);
        // Two rules of a manifest can speak of one answer; the one that names the fault goes before.
        if bad.iter().any(|rule| rule.holds(&seen)) {
            let (cause, said) = told.filter(|(cause, _)| of_client(*cause)).unwrap_or((Cause::WrongSecret, None));
            return self.bad("", cause, said, trouble);
        }
        if good.iter().any(|rule| rule.holds(&seen)) {
            return CheckOutcome::Good;
        }
        match told {
            Some((cause, said)) if of_client(cause) => self.bad("", cause, said, trouble),
            // The code was looked at, which comes after the client.
            Some((Cause::TokenSpent | Cause::GrantEnded | Cause::PkceRefused, _)) => CheckOutcome::Good,
            _ => unknown(&said_otherwise(trouble)),
        }
    }
}

/// Whether something is wrong with the client.
pub(super) const fn of_client(cause: Cause) -> bool {
    matches!(cause, Cause::WrongSecret | Cause::UnknownClient | Cause::AppSuspended | Cause::AppNotApproved | Cause::ClockWrong)
}

/// What was answered that says nothing.
pub(super) fn said_otherwise(trouble: &Trouble) -> String {
    let status = trouble.status.map(|status| format!(" with status {status}")).unwrap_or_default();
    match &trouble.code {
        Some(code) => format!("The provider answers{status} and `{}`, which does not tell.", patchbay_model::flight::words(code, 80)),
        None => format!("The provider answers{status} and nothing that tells."),
    }
}
