//! Mints tokens.

use patchbay_model::token::{Authority, TokenOwner, TokenType};
use patchbay_model::{Operation, Problem};

use super::issue::{NewContainer, issue};
use super::{ContainerState, CreateToken, lifetime, narrow};
use crate::audit::record::{Done, record};
use crate::grant::Permit;
use crate::{Engine, ManagementGrant, reach};

/// Mints an organization token, never wider than the caller.
///
/// # Errors
/// `permission_denied`, also for a token that would exceed the caller; `invalid_field`, `name_taken`; problems of the store.
pub async fn mint(engine: &Engine, grant: &ManagementGrant, new: CreateToken) -> Result<ContainerState, Problem> {
    grant.require(Operation::TokensCreate, None)?;
    let access_ttl = lifetime::parse(new.token_ttl.as_deref(), lifetime::ORGANIZATION, lifetime::LONGEST, "/token_ttl")?;
    let permit = narrow::narrowed(grant, Operation::TokensCreate, Permit { permission_set: new.permission_set, resources: new.resources })?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let container = NewContainer {
        owner: TokenOwner::Organization(grant.organization()),
        member: grant.member(),
        name: new.name,
        fullname: new.fullname,
        fullname_given: true,
        token_type: TokenType::Adhoc,
        authority: Authority::Adhoc { resources: permit.resources, permission_set: permit.permission_set },
        access_ttl,
        refresh_ttl: Some(lifetime::REFRESH),
    };
    let made = issue(engine, &mut tx, grant.organization(), container).await?;
    record(engine, &mut tx, grant, Done::created(Operation::TokensCreate).after(&made.container).giving(made.container.id, made.container.name.as_str())).await?;
    tx.commit().await?;
    Ok(made)
}

/// Mints a single access token for one integration, 10 minutes where no lifetime is given.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`; problems of the store.
pub async fn mint_integration(
    engine: &Engine,
    grant: &ManagementGrant,
    account: &str,
    integration: &str,
    name: Option<String>,
    token_ttl: Option<String>,
) -> Result<ContainerState, Problem> {
    let access_ttl = lifetime::parse(token_ttl.as_deref(), lifetime::INTEGRATION, lifetime::LONGEST, "/token_ttl")?;
    let mut tx = reach::writing(engine, grant).await?;
    let (account, integration) = reach::permitted(&mut tx, grant, Operation::TokensCreateIntegration, account, integration).await?;
    let container = NewContainer {
        owner: TokenOwner::Integration(account.id, integration.id),
        member: grant.member(),
        name,
        fullname: None,
        fullname_given: false,
        token_type: TokenType::Adhoc,
        authority: Authority::Roles(Vec::new()),
        access_ttl,
        refresh_ttl: None,
    };
    let made = issue(engine, &mut tx, grant.organization(), container).await?;
    let done = Done::created(Operation::TokensCreateIntegration).in_account(account.id).on_integration(integration.id).after(&made.container);
    record(engine, &mut tx, grant, done.giving(made.container.id, made.container.name.as_str())).await?;
    tx.commit().await?;
    Ok(made)
}
