//! Asking an authorization server whether a token is alive (RFC 7662).

use patchbay_model::Secret;
use patchbay_providers::manifest::revoke::TokenKind;
use serde_json::Value;

use super::authority::Authority;
use super::call::send;
use super::client::OAuthClient;
use super::request::Prepared;
use crate::Engine;

/// Whether a token is alive; none where the server does not say it: it has no such endpoint, does not take the client there, or answers
/// something else.
pub(crate) async fn introspect(engine: &Engine, authority: &Authority, client: &OAuthClient, kind: TokenKind, token: &Secret) -> Option<bool> {
    let prepared = Prepared::introspect(engine.context(), authority, client, kind, token).ok()?;
    let answer = send(engine, prepared, engine.context().new_uuid()).await.answer().ok()?;
    if !answer.status.is_success() {
        return None;
    }
    serde_json::from_slice::<Value>(&answer.body).ok()?.get("active")?.as_bool()
}
