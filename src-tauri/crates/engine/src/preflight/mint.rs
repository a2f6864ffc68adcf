//! Whether the provider takes the client, where the exchange of a code that is none tells nothing: the client asks for a token of its own
//! (RFC 6749 section 4.4), which is thrown away.

use patchbay_model::preflight::CheckOutcome;
use patchbay_model::{Problem, Secret};
use patchbay_providers::CredentialOption;
use patchbay_providers::manifest::revoke::{Ends, How, TokenKind, TokenTest};
use patchbay_providers::manifest::{At, Auth};

use super::Flight;
use super::token::{Said, of_client};
use crate::auth::{ClientFields, request_for_client};
use crate::oauth::{self, MAIN, NewTokens, Prepared};

impl Flight<'_> {
    /// What a token of the client's own tells, where nothing else did.
    pub(super) async fn mint(&self, untold: CheckOutcome) -> CheckOutcome {
        if !matches!(untold, CheckOutcome::CannotTell { .. }) || matches!(self.authority.server.preflight.token, TokenTest::Skip { .. }) {
            return untold;
        }
        let Some((way, secret)) = self.own_way().zip(self.client.secret.clone()) else { return untold };
        match self.minted(way, secret).await {
            Ok(Said::Granted(tokens)) => {
                self.throw_away(*tokens).await;
                CheckOutcome::Good
            }
            // A client that may not ask for a token of its own was known before that was found (RFC 6749 section 5.2), but not everybody
            // uses the word so.
            Ok(Said::Trouble(trouble)) if trouble.code.as_deref() != Some("unauthorized_client") => match self.cause(&[At::Token], &trouble) {
                Some((cause, said)) if of_client(cause) => self.bad("", cause, said, &trouble),
                _ => untold,
            },
            Ok(Said::Trouble(_)) | Err(_) => untold,
        }
    }

    /// The way by which the client speaks for itself at the server at which people consent.
    fn own_way(&self) -> Option<&CredentialOption> {
        let manifest = self.authority.provider.manifest();
        let here = |name: &str| manifest.server.get(name).is_some_and(|server| *server == self.authority.server);
        manifest.credential.iter().find(|way| matches!(&way.auth, Auth::ClientCredentials { server, .. } if here(server)))
    }

    async fn minted(&self, way: &CredentialOption, secret: Secret) -> Result<Said, Problem> {
        let client = ClientFields { id: self.client.id.clone(), secret, extra: std::collections::BTreeMap::new() };
        let (_, prepared) = request_for_client(self.engine, &self.authority.provider, way, &self.config, &client).await?;
        self.said(prepared).await
    }

    /// Ends the token where that ends it alone; elsewhere it ends by itself.
    async fn throw_away(&self, tokens: NewTokens) {
        let How::Rfc7009 { ends: Ends::Token | Ends::Set, body, .. } = self.authority.server.revocation.how else { return };
        let Some(token) = tokens.tokens.get(MAIN) else { return };
        if let Ok(prepared) = Prepared::revoke(self.engine.context(), &self.authority, &self.client, TokenKind::Access, &token.access, body)
            && let Err(problem) = oauth::send(self.engine, prepared, self.engine.context().new_uuid()).await.answer()
        {
            tracing::debug!(provider = %self.authority.provider.id(), code = problem.code.as_str(), "a token that was got for a test could not be ended; it ends by itself");
        }
    }
}
