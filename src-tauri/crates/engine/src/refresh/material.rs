//! What a renewal needs beside the refresh token: the client that the tokens were given to, and the token endpoint.

use std::time::Duration;

use patchbay_model::credential::{Credential, CredentialOwner};
use patchbay_model::deadline::Clock;
use patchbay_model::integration::Integration;
use patchbay_model::{Code, Problem, ProviderAppId, Scope, Secret};
use patchbay_providers::manifest::lifetime::Rotation as Fact;
use patchbay_providers::manifest::revoke::TokenKind;
use patchbay_providers::{CredentialOption, Server};
use patchbay_store::PROVIDER_APP_KEY;
use serde_json::Value;
use uuid::Uuid;

use super::By;
use super::ahead;
use super::doubt::Rotation;
use super::outcome::{self, Outcome};
use crate::call::kept_of;
use crate::consent::{REDIRECT_KEY, client_of};
use crate::oauth::{self, Authority, MAIN, OAuthClient, Prepared, TokenSet, authority};
use crate::{Engine, definition};

/// Gathered before the lease is taken.
pub(super) struct Material {
    pub(super) integration: Integration,
    pub(super) by: By,
    /// The name of the token that is renewed.
    pub(super) token: String,
    /// Whether calls carry it: without it nothing works.
    pub(super) carried: bool,
    server: Server,
    authority: Authority,
    client: OAuthClient,
    /// Where the consent came back to: some want to see it at each renewal.
    redirect_uri: Option<String>,
}

/// Finds the client and the endpoint of a credential.
///
/// # Errors
/// `provider_app_missing` when the client that the tokens were given to is gone; trouble with the provider's metadata.
pub(super) async fn gather(engine: &Engine, scope: Scope, credential: &Credential, token: &str, by: By) -> Result<Material, Problem> {
    let mut tx = engine.store().read_secrets(scope).await?;
    let CredentialOwner::Integration(_, id) = credential.owner else {
        return Err(Problem::internal("tokens of a person are shared by several integrations"));
    };
    let integration = tx.integration(id).await?.ok_or_else(|| Problem::not_found("integration", id))?;
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let provider = engine.provider_of(&definition).ok_or_else(|| Problem::internal("the provider of an integration is not in the catalog"))?;
    let word = integration.config.pointer("/credential/type").and_then(Value::as_str).unwrap_or_default();
    let carried = carries(provider.way(word), token);
    let server = provider.consent(word).cloned().ok_or_else(|| Problem::internal("tokens belong to a credential without an authorization server"))?;
    let missing = || {
        Problem::new(
            Code::ProviderAppMissing,
            format!("The provider app with which integration `{}` was connected is gone. Set one up for {} and connect again.", integration.name, provider.fullname()),
        )
        .with_resource("integration", integration.id, "affected")
    };
    let app: ProviderAppId = credential.public_config.get(PROVIDER_APP_KEY).and_then(Value::as_str).and_then(|id| id.parse().ok()).ok_or_else(missing)?;
    let app = tx.provider_app(app).await?.ok_or_else(missing)?;
    let client = client_of(engine, &mut tx, &app).await?;
    drop(tx);
    // What was connected before this was kept came back to the address that is registered.
    let redirect_uri = credential.public_config.get(REDIRECT_KEY).and_then(Value::as_str).or(app.redirect_uris.first().map(String::as_str)).map(str::to_owned);
    let config = integration.config.as_object().cloned().unwrap_or_default();
    let authority = authority(engine.http(), &engine.outbound().metadata, &provider, &server, &config).await?.knowing(&kept_of(&credential.public_config));
    Ok(Material { integration, by, token: token.to_owned(), carried, server, authority, client, redirect_uri })
}

/// Whether requests with a credential entered this way carry the token of this name.
pub(super) fn carries(way: Option<&CredentialOption>, token: &str) -> bool {
    token == MAIN || way.is_some_and(|way| way.place.tokens().any(|name| name == token))
}

impl Material {
    /// The clocks of a set that was just granted.
    pub(super) fn clocks(&self, engine: &Engine, set: &TokenSet) -> Vec<Clock> {
        let used = self.by == By::Call || ahead::in_use(&self.integration, engine.now());
        ahead::clocks(engine.context(), &self.server, set, used)
    }

    /// What the provider does with a refresh token that was used.
    pub(super) fn rotation(&self) -> Rotation {
        match self.server.rotation {
            Fact::None => Rotation::Stays,
            Fact::Rotates { grace_seconds: seconds @ 1.., .. } => Rotation::Grace(Duration::from_secs(seconds)),
            Fact::Rotates { .. } | Fact::Unknown => Rotation::Ends,
        }
    }

    /// Whether the provider can be asked after a token without using it up.
    pub(super) fn introspects(&self) -> bool {
        self.authority.introspection().is_ok()
    }

    /// Whether a refresh token is alive, where the provider says it.
    pub(super) async fn introspect(&self, engine: &Engine, refresh_token: &Secret) -> Option<bool> {
        oauth::introspect(engine, &self.authority, &self.client, TokenKind::Refresh, refresh_token).await
    }

    /// Asks for new tokens, once, under the id of the attempt.
    ///
    /// # Errors
    /// When no request could be made.
    pub(super) async fn ask(&self, engine: &Engine, refresh_token: &Secret, attempt: Uuid) -> Result<Outcome, Problem> {
        let prepared = Prepared::refresh(engine.context(), &self.authority, &self.client, refresh_token, self.redirect_uri.as_deref())?;
        // A provider may quote what it was sent.
        let mask = prepared.mask();
        let covered = |problem| mask.problem(problem);
        let outcome = outcome::of(&self.authority.provider, &self.server, oauth::send(engine, prepared, attempt).await, engine.now());
        Ok(match outcome {
            Outcome::Unchanged(problem) => Outcome::Unchanged(covered(problem)),
            Outcome::Lost(problem) => Outcome::Lost(covered(problem)),
            Outcome::ClientRefused(problem) => Outcome::ClientRefused(covered(problem)),
            granted_or_dead => granted_or_dead,
        })
    }
}
