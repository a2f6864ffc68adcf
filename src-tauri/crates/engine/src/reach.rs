//! Finding what a caller names, within the caller's reach. In a path an id or a name may stand; an id wins.

use patchbay_model::account::Account;
use patchbay_model::integration::Integration;
use patchbay_model::list::ListQuery;
use patchbay_model::point::IntegrationPoint;
use patchbay_model::{AccountId, Code, Operation, Problem, Scope, Timestamp};
use patchbay_store::{ReadTx, SecretWriteTx, WriteTx};

use crate::Engine;
use crate::grant::ManagementGrant;

/// The account of this id or name.
///
/// # Errors
/// `not_found` when there is none, or it is out of the caller's reach: which of the two is not told.
pub(crate) async fn account(tx: &mut ReadTx, grant: &ManagementGrant, reference: &str) -> Result<Account, Problem> {
    let found = tx.find_account(reference).await?;
    found.filter(|account| grant.reaches(account)).ok_or_else(|| Problem::not_found("account", reference))
}

/// The integration of this id or name in the account of that id or name.
///
/// # Errors
/// `not_found` as for [`account`].
pub(crate) async fn integration(tx: &mut ReadTx, grant: &ManagementGrant, account_reference: &str, reference: &str) -> Result<(Account, Integration), Problem> {
    let account = account(tx, grant, account_reference).await?;
    let found = tx.find_integration(account.id, reference).await?;
    match found.filter(|integration| grant.reaches_category(&account, integration.connector)) {
        Some(integration) => Ok((account, integration)),
        None => Err(Problem::not_found("integration", reference)),
    }
}

/// The integration of this id or name with its account, for an operation that the caller may run on it.
///
/// # Errors
/// `not_found` as for [`account`]; `permission_denied`.
pub(crate) async fn permitted(tx: &mut ReadTx, grant: &ManagementGrant, operation: Operation, account_reference: &str, reference: &str) -> Result<(Account, Integration), Problem> {
    let (account, integration) = integration(tx, grant, account_reference, reference).await?;
    grant.require_in(operation, &account, integration.connector)?;
    Ok((account, integration))
}

/// Every integration of an account, page by page.
pub(crate) async fn all_integrations(tx: &mut ReadTx, account: AccountId) -> Result<Vec<Integration>, Problem> {
    let mut query = ListQuery { limit: Some(ListQuery::MAX_LIMIT), ..ListQuery::default() };
    let mut all = Vec::new();
    loop {
        let page = tx.integrations(Some(account), &query).await?;
        all.extend(page.items);
        if page.next.is_none() {
            return Ok(all);
        }
        query.start_after = page.next;
    }
}

/// The integration point of this id or name.
///
/// # Errors
/// `not_found` when there is none.
pub(crate) async fn point(tx: &mut ReadTx, reference: &str) -> Result<IntegrationPoint, Problem> {
    tx.find_point(reference).await?.ok_or_else(|| Problem::not_found("integration point", reference))
}

/// A transaction for a list: the permission is checked and the list narrowed to what the caller reaches.
///
/// # Errors
/// `permission_denied`, and problems of the store.
pub(crate) async fn listing(engine: &Engine, grant: &ManagementGrant, operation: Operation) -> Result<ReadTx, Problem> {
    grant.require(operation, None)?;
    let mut tx = engine.store().read(grant.scope()).await?;
    tx.narrow_lists(grant.scopes(operation));
    Ok(tx)
}

/// As [`listing`], for one page. Only with a total there are two questions whose answers must agree.
///
/// # Errors
/// As there.
pub(crate) async fn paging(engine: &Engine, grant: &ManagementGrant, operation: Operation, query: &ListQuery) -> Result<ReadTx, Problem> {
    if query.total {
        return listing(engine, grant, operation).await;
    }
    grant.require(operation, None)?;
    let mut tx = engine.store().look(grant.scope()).await?;
    tx.narrow_lists(grant.scopes(operation));
    Ok(tx)
}

/// A transaction that reads with the caller's scope.
pub(crate) async fn reading(engine: &Engine, grant: &ManagementGrant) -> Result<ReadTx, Problem> {
    Ok(engine.store().read(grant.scope()).await?)
}

/// A transaction that writes with the caller's scope.
pub(crate) async fn writing(engine: &Engine, grant: &ManagementGrant) -> Result<WriteTx, Problem> {
    Ok(engine.store().write(grant.scope(), grant.caller().origin).await?)
}

/// As [`writing`], and may read sealed values.
pub(crate) async fn writing_secrets(engine: &Engine, grant: &ManagementGrant) -> Result<SecretWriteTx, Problem> {
    Ok(engine.store().write_secrets(grant.scope(), grant.caller().origin).await?)
}

/// A transaction that writes what belongs to the organization as a whole.
pub(crate) async fn writing_organization(engine: &Engine, grant: &ManagementGrant) -> Result<WriteTx, Problem> {
    Ok(engine.store().write(Scope::Organization(grant.organization()), grant.caller().origin).await?)
}

/// As [`writing_organization`], and may read sealed values.
pub(crate) async fn writing_organization_secrets(engine: &Engine, grant: &ManagementGrant) -> Result<SecretWriteTx, Problem> {
    Ok(engine.store().write_secrets(Scope::Organization(grant.organization()), grant.caller().origin).await?)
}

/// Refuses a change that was made from an older state.
///
/// # Errors
/// `update_conflict`.
pub(crate) fn unchanged(expected: Option<Timestamp>, updated_at: Timestamp, noun: &str, id: impl std::fmt::Display) -> Result<(), Problem> {
    if expected.is_none_or(|expected| expected == updated_at) {
        return Ok(());
    }
    Err(Problem::new(Code::UpdateConflict, format!("The {noun} {id} was changed by somebody else since it was read. Read it again and repeat the change."))
        .with_resource(noun, id, "affected"))
}
