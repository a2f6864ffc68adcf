//! Creates a store, and organizations in it.

use std::path::Path;

use patchbay_model::member::{Member, MemberState, MemberType};
use patchbay_model::name::name_and_fullname;
use patchbay_model::organization::{Organization, OrganizationOptions};
use patchbay_model::permission::RoleName;
use patchbay_model::token::{Authority, TokenOwner, TokenType};
use patchbay_model::{Code, Context, Fullname, MemberId, Name, OrganizationId, Origin, Problem, Scope, TokenId};
use patchbay_store::{PostgresAddress, Store, StoreError, StoreHeader};
use patchbay_vault::{KeyAccess, Vault};

use super::open::{catalog, hand_over_database_key, start, sync, unlock};
use super::{Created, StoreUrl};
use crate::audit::record::{Done, record_for};
use crate::contention::again;
use crate::token::issue::{NewContainer, issue_as};
use crate::token::lifetime;
use crate::{CallerInfo, Engine, NetworkPolicy};

/// Creates the store, or opens the one that is there, and makes an organization in it with its first member and token.
///
/// # Errors
/// `name_taken` when the store has an organization of this name; `key_unavailable`, `wrong_key`, `weak_password`; problems
/// of the store. Nothing is left behind of a store that could not be completed.
pub async fn create(store: &StoreUrl, keys: &KeyAccess, organization: &str, context: Context) -> Result<(Engine, Created), Problem> {
    make(store, keys, organization, false, context).await
}

/// The engine that this gives has the strictest network policy; open the store anew for another.
pub(super) async fn make(url: &StoreUrl, keys: &KeyAccess, organization: &str, sample: bool, context: Context) -> Result<(Engine, Created), Problem> {
    let origin = Origin::Cli;
    let network = NetworkPolicy::default();
    // Read before anything is made, so that a name that cannot be leaves no store behind.
    let id = OrganizationId::from_uuid(context.new_uuid());
    if organization.trim().is_empty() {
        return Err(Problem::field("/name", "The organization needs a name. Give one."));
    }
    let names = name_and_fullname(None, Some(organization), id.uuid())?;
    let (store, vault) = match url {
        StoreUrl::Sqlite(path) => open_or_create(path, keys, &context).await?,
        StoreUrl::Postgres(url) => open_or_prepare(&PostgresAddress::of(url)?, keys, &context).await?,
        StoreUrl::Remote(url) => return Err(super::url::not_here(url)),
    };
    let engine = start(store, vault, keys, catalog()?, context, network, origin)?;
    match added(&engine, id, names, sample, origin).await {
        Ok(created) => Ok((engine, created)),
        Err(problem) => {
            engine.shutdown().await;
            Err(problem)
        }
    }
}

async fn open_or_create(path: &Path, keys: &KeyAccess, context: &Context) -> Result<(Store, Vault), Problem> {
    match Store::open(path).await {
        Ok(store) => complete_store(store, keys, context).await,
        // A file whose creation was interrupted is no store yet; `create` tells it from another program's file.
        Err(StoreError::Missing(_) | StoreError::NotAStore(_)) => {
            let fresh = !path.exists();
            match Store::create(path).await {
                Ok(store) => new_store(store, fresh, keys, context).await,
                // Another process made it in the meantime.
                Err(StoreError::Exists(_)) => complete_store(Store::open(path).await?, keys, context).await,
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

async fn open_or_prepare(address: &PostgresAddress, keys: &KeyAccess, context: &Context) -> Result<(Store, Vault), Problem> {
    let store = Store::create_in(address).await?;
    if store.is_complete().await? {
        return complete_store(store, keys, context).await;
    }
    match new_store(store, false, keys, context).await {
        // Two that begin at once both find it incomplete; there is room for one header.
        Err(problem) if problem.code == Code::NameTaken => complete_store(Store::connect(address).await?, keys, context).await,
        outcome => outcome,
    }
}

/// Makes a store without a header, which is filled by an image and counts as none before.
///
/// # Errors
/// `in_use` when there is a store; problems of the store.
pub(crate) async fn create_empty(url: &StoreUrl) -> Result<Store, Problem> {
    let made = match url {
        StoreUrl::Sqlite(path) => Store::create(path).await,
        StoreUrl::Postgres(url) => {
            let store = Store::create_in(&PostgresAddress::of(url)?).await?;
            if store.is_complete().await? {
                store.close().await;
                return Err(Problem::new(Code::InUse, format!("There is a store in {url} already. Name another database: a whole store goes only where none is.")));
            }
            Ok(store)
        }
        StoreUrl::Remote(url) => return Err(super::url::not_here(url)),
    };
    made.map_err(|error| match error {
        StoreError::Exists(_) => Problem::new(Code::InUse, format!("There is a store at {url} already. Name another place: a whole store goes only where none is.")),
        other => other.into(),
    })
}

async fn complete_store(store: Store, keys: &KeyAccess, context: &Context) -> Result<(Store, Vault), Problem> {
    let vault = unlock(&store, keys).await?;
    sync(&store, &catalog()?, context).await?;
    Ok((store, vault))
}

async fn new_store(store: Store, fresh: bool, keys: &KeyAccess, context: &Context) -> Result<(Store, Vault), Problem> {
    let id = context.new_uuid();
    let made = {
        let (keys, context, in_file) = (keys.clone(), context.clone(), store.path().is_some());
        tokio::task::spawn_blocking(move || if in_file { keys.create_vault(id, &context) } else { keys.create_database_vault(id, &context) })
            .await
            .map_err(|_| Problem::internal("making the keys was interrupted"))?
    };
    let outcome = match made {
        Ok((vault, header)) => match complete(&store, id, &header, context).await {
            Ok(()) => {
                hand_over_database_key(&store, &vault);
                return Ok((store, vault));
            }
            Err(problem) => {
                let keys = keys.clone();
                // The entry belongs to a store that was not made; that it stays behind harms nobody.
                let _ = tokio::task::spawn_blocking(move || keys.forget(id)).await;
                problem
            }
        },
        Err(problem) => problem,
    };
    let path = store.path().map(Path::to_owned);
    store.close().await;
    if let Some(path) = path.filter(|_| fresh) {
        remove(&path);
    }
    Err(outcome)
}

async fn complete(store: &Store, id: uuid::Uuid, header: &patchbay_vault::KeyHeader, context: &Context) -> Result<(), Problem> {
    let key_header = serde_json::to_value(header).map_err(|_| Problem::internal("the key header cannot be written as JSON"))?;
    let mut tx = store.write(Scope::System, Origin::Background).await?;
    tx.insert_header(&StoreHeader { id, key_header, created_at: context.now() }).await?;
    tx.commit().await?;
    sync(store, &catalog()?, context).await
}

/// Removes the files of a store that did not exist before and was not completed.
pub(crate) fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm", "-lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        // What is not there need not go; what stays is an empty store, which the next `init` completes.
        let _ = std::fs::remove_file(name);
    }
}

async fn added(engine: &Engine, id: OrganizationId, names: (Name, Fullname), sample: bool, origin: Origin) -> Result<Created, Problem> {
    Ok(again!(engine, { add_organization(engine, id, names.clone(), sample, origin).await }))
}

async fn add_organization(engine: &Engine, id: OrganizationId, (name, fullname): (Name, Fullname), sample: bool, origin: Origin) -> Result<Created, Problem> {
    let now = engine.now();
    let token_id = TokenId::from_uuid(engine.context().new_uuid());
    let organization = Organization {
        id,
        name,
        fullname,
        refresh_token_id: token_id,
        contact: None,
        reply_to: None,
        picture: None,
        options: OrganizationOptions::default(),
        sample,
        created_at: now,
        updated_at: now,
    };
    let member = Member {
        id: MemberId::from_uuid(engine.context().new_uuid()),
        organization_id: id,
        name: Name::parse_email(&format!("administrator@{}.local", organization.name.as_str().trim_start_matches('~')))?,
        fullname: Fullname::parse("Administrator")?,
        nickname: None,
        picture: None,
        member_type: MemberType::Personal,
        state: MemberState::Enabled,
        role_binding: vec![RoleName::root_administrator()],
        ttl: None,
        token_ttl: lifetime::LOGON,
        expires: None,
        pin_expires: None,
        failed_logons: 0,
        locked_until: None,
        has_password: false,
        last_logon: None,
        created_at: now,
        updated_at: now,
    };
    let mut tx = engine.store().write(Scope::System, origin).await?;
    if tx.find_organization(organization.name.as_str()).await?.is_some() {
        return Err(Problem::new(Code::NameTaken, format!("There is an organization `{}` in this store already. Open the store, or choose another name.", organization.name))
            .at_body("/name"));
    }
    tx.enter(Scope::Organization(id))?;
    tx.insert_organization(&organization).await?;
    tx.insert_member(&member).await?;
    let container = NewContainer {
        owner: TokenOwner::Organization(id),
        member: member.id,
        name: Some("default".to_owned()),
        fullname: Some("First token of the organization".to_owned()),
        fullname_given: false,
        token_type: TokenType::Default,
        authority: Authority::Roles(member.role_binding.clone()),
        access_ttl: lifetime::ORGANIZATION,
        refresh_ttl: Some(lifetime::REFRESH),
    };
    let token = issue_as(engine, &mut tx, id, token_id, container).await?;
    let caller = CallerInfo { path: "init".to_owned(), ..CallerInfo::local(origin) };
    record_for(engine, &mut tx, id, Some(member.id), &caller, Done::created_organization().after(&organization).giving(id, organization.name.as_str())).await?;
    tx.commit().await?;
    Ok(Created { organization, member, token })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_catalog_of_this_build_is_usable() {
        assert!(super::super::open::catalog().is_ok());
    }
}
