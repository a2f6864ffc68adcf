//! Steps of providers that live inside Patchbay: their documents lie in the store, under the integration.

use patchbay_model::{IntegrationId, Origin, Problem, Scope};
use patchbay_providers::{LocalAnswer, LocalOp};

use crate::Engine;
use crate::contention::again;

/// Does one step on the integration's own documents.
///
/// # Errors
/// Problems of the store.
pub(super) async fn perform(engine: &Engine, scope: Scope, integration: IntegrationId, op: LocalOp) -> Result<LocalAnswer, Problem> {
    let account = scope.account().ok_or_else(|| Problem::internal("a call runs outside an account"))?;
    Ok(match op {
        LocalOp::Get { collection, id } => {
            let mut tx = engine.store().read(scope).await?;
            LocalAnswer::Document(tx.document(integration, collection, &id).await?.map(|document| document.body))
        }
        LocalOp::List { collection, after, prefix, limit } => {
            let mut tx = engine.store().read(scope).await?;
            let found = tx.documents_by_id(integration, collection, after.as_deref(), prefix.as_deref(), limit).await?;
            LocalAnswer::Documents(found.into_iter().map(|document| (document.id, document.body)).collect())
        }
        LocalOp::Put { collection, id, body } => {
            again!(engine, {
                let mut tx = engine.store().write(scope, Origin::Background).await?;
                tx.put_document(account, integration, collection, &id, &body).await?;
                tx.commit().await?;
                Ok(LocalAnswer::Stored)
            })
        }
        LocalOp::Remove { collection, id } => {
            again!(engine, {
                let mut tx = engine.store().write(scope, Origin::Background).await?;
                let removed = tx.remove_document(integration, collection, &id).await?;
                tx.commit().await?;
                Ok(LocalAnswer::Removed(removed))
            })
        }
    })
}

/// Bytes that a step puts into documents, as JSON.
pub(super) fn sent(op: &LocalOp) -> usize {
    match op {
        LocalOp::Put { body, .. } => body.to_string().len(),
        LocalOp::Get { .. } | LocalOp::List { .. } | LocalOp::Remove { .. } => 0,
    }
}

/// Bytes that a step reads out of documents, as JSON.
pub(super) fn received(answer: &LocalAnswer) -> usize {
    match answer {
        LocalAnswer::Document(document) => document.as_ref().map_or(0, |document| document.to_string().len()),
        LocalAnswer::Documents(documents) => documents.iter().map(|(_, document)| document.to_string().len()).sum(),
        LocalAnswer::Stored | LocalAnswer::Removed(_) => 0,
    }
}
