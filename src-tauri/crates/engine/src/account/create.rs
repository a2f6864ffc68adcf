//! Makes an account.

use patchbay_model::account::Account;
use patchbay_model::name::name_and_fullname;
use patchbay_model::permission::{AccountSelector, IdOrAll, PermissionSet, ResourceScope};
use patchbay_model::token::{Authority, TokenOwner, TokenType};
use patchbay_model::{AccountId, Label, Operation, Problem};
use patchbay_store::WriteTx;

use super::{CreateAccount, CreatedAccount, FirstToken};
use crate::audit::record::{Done, record};
use crate::grant::Permit;
use crate::token::issue::{NewContainer, issue};
use crate::token::{ContainerState, lifetime, narrow};
use crate::{Engine, ManagementGrant, permission, reach};

/// Makes an account, and its first token where one is wanted.
///
/// # Errors
/// `permission_denied`, also for an account that the caller would not reach; `invalid_field`, `name_taken`; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreateAccount) -> Result<CreatedAccount, Problem> {
    let draft = draft(engine, grant, &new)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let made = insert(engine, &mut tx, grant, draft, new.token).await?;
    tx.commit().await?;
    Ok(made)
}

/// The account as it would be; nothing is written.
///
/// # Errors
/// `permission_denied`, `invalid_field`.
pub(crate) fn draft(engine: &Engine, grant: &ManagementGrant, new: &CreateAccount) -> Result<Account, Problem> {
    let now = engine.now();
    let id = AccountId::from_uuid(engine.context().new_uuid());
    let (name, fullname) = name_and_fullname(new.name.as_deref(), new.fullname.as_deref(), id.uuid())?;
    let external_id = match &new.external_id {
        Some(text) => external_id(text.clone())?,
        None => name.to_string(),
    };
    let account = Account {
        id,
        organization_id: grant.organization(),
        name,
        fullname,
        environment: new.environment.unwrap_or_default(),
        labels: labels(&new.labels)?,
        external_id,
        created_at: now,
        updated_at: now,
    };
    grant.require_new(Operation::AccountsCreate, &account)?;
    Ok(account)
}

/// Writes the account with its audit row, and its first token where one is wanted.
///
/// # Errors
/// `name_taken`, `permission_denied` and `invalid_field` of the token; problems of the store.
pub(crate) async fn insert(engine: &Engine, tx: &mut WriteTx, grant: &ManagementGrant, account: Account, token: Option<FirstToken>) -> Result<CreatedAccount, Problem> {
    tx.insert_account(&account).await?;
    let token = match token {
        Some(wanted) => Some(first_token(engine, tx, grant, &account, wanted).await?),
        None => None,
    };
    record(engine, tx, grant, Done::created(Operation::AccountsCreate).in_account(account.id).after(&account).giving(account.id, account.name.as_str())).await?;
    Ok(CreatedAccount { account, token })
}

/// The sets that a first token may have (synqly-wire.md section 7).
pub(crate) const FIRST: [PermissionSet; 3] = [PermissionSet::AccountManager, PermissionSet::ConnectUi, PermissionSet::TokenIssuer];

async fn first_token(engine: &Engine, tx: &mut WriteTx, grant: &ManagementGrant, account: &Account, wanted: FirstToken) -> Result<ContainerState, Problem> {
    if !FIRST.contains(&wanted.permission_set) {
        return Err(Problem::field("/token/permission_set", "The first token of an account can be `account-manager`, `connect-ui` or `token-issuer`. Choose one of these."));
    }
    let access_ttl = lifetime::parse(wanted.token_ttl.as_deref(), lifetime::ORGANIZATION, lifetime::LONGEST, "/token/token_ttl")?;
    let resources = ResourceScope { accounts: Some(AccountSelector { ids: Some(vec![IdOrAll::Id(account.id)]), ..AccountSelector::default() }), ..ResourceScope::default() };
    // A provisioner may hand out the first token of the account that it has just made, though not use one itself: that is
    // what its set is for. Everybody else gives no more than they have.
    let may = |permit: &&Permit| {
        permit.covers(account)
            && (permit.permission_set == PermissionSet::AccountProvisioner
                || (permit.allows(Operation::TokensCreate) && permission::within(wanted.permission_set, permit.permission_set)))
    };
    let resources = grant.permits().iter().filter(may).find_map(|permit| narrow::within(&resources, &permit.resources));
    let resources = resources.ok_or_else(|| narrow::exceeds(wanted.permission_set).at_body("/token/permission_set"))?;
    let new = NewContainer {
        owner: TokenOwner::Organization(grant.organization()),
        member: grant.member(),
        name: wanted.name,
        fullname_given: wanted.fullname.is_some(),
        fullname: wanted.fullname.or_else(|| Some(format!("First token of {}", account.fullname))),
        token_type: TokenType::Adhoc,
        authority: Authority::Adhoc { resources, permission_set: wanted.permission_set },
        access_ttl,
        refresh_ttl: Some(lifetime::REFRESH),
    };
    issue(engine, tx, grant.organization(), new).await
}

/// Reads labels, sorts them and drops doubles.
pub(super) fn labels(texts: &[String]) -> Result<Vec<Label>, Problem> {
    const MOST: usize = 64;
    if texts.len() > MOST {
        return Err(Problem::field("/labels", format!("An account can have at most {MOST} labels. Leave some out.")));
    }
    let mut labels =
        texts.iter().enumerate().map(|(index, text)| Label::parse(text).map_err(|problem| problem.at_body(&format!("/labels/{index}")))).collect::<Result<Vec<_>, _>>()?;
    labels.sort();
    labels.dedup();
    Ok(labels)
}

/// Reads an external id.
pub(super) fn external_id(text: String) -> Result<String, Problem> {
    if text.is_empty() || text.chars().count() > 200 || text.trim() != text || text.chars().any(char::is_control) {
        return Err(Problem::field("/x_patchbay/external_id", "The external_id must be 1 to 200 characters without blanks at its ends. Correct it."));
    }
    Ok(text)
}
