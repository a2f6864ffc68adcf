//! One organization on its way from one Patchbay to another, through a server.
//!
//! The image is sealed to the caller's age recipient. Within it, every sealed value lies under a key that was made for this one
//! transfer and travels in the image: so nothing is in clear in any file, and no key of either store leaves it.
//!
//! On the other side the image takes the place of the caller's own organization, which must be empty. Objects keep their ids.
//! Hashes of tokens are of use under the key of one store alone and stay behind; the token by which the caller came goes on
//! working, for the organization that it brought.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek, SeekFrom};

use patchbay_model::list::{Direction, ListQuery, Order};
use patchbay_model::token::{Authority, TokenContainer, TokenOwner};
use patchbay_model::{Code, Context, MemberId, Name, Operation, OrganizationId, Origin, Problem, ProviderId, Scope, TokenId};
use patchbay_providers::UserManifest;
use patchbay_store::{Batch, ImageDefinition, ImageSource, TransferKey, WriteTx};
use patchbay_vault::{AgeIdentity, AgeRecipient, FileKey, FileSeal, KeyHeader, MasterKey, SourceKind, Vault};
use uuid::Uuid;

use super::read::{Reading, read_image};
use super::target::{Keys, Rows, Target, new_keys, store_header};
use super::write::{Source, write_image};
use super::{Counts, Progress, seals};
use crate::audit::record::{Done, record, record_for};
use crate::installation::StoreUrl;
use crate::session::is_root;
use crate::{CallerInfo, Engine, ManagementGrant, reach};

/// To whom an image is sealed that [`fill`] is to take: a key that is derived from this store's own.
///
/// # Errors
/// `permission_denied`.
pub async fn recipient(engine: &Engine, grant: &ManagementGrant) -> Result<AgeRecipient, Problem> {
    grant.require(Operation::ConfigurationRecipient, None)?;
    Ok(engine.vault().backup_identity()?.recipient())
}

/// Writes the caller's organization, with its secrets, into an open file that only the recipient can open. Gives the file
/// back, and what is in it.
///
/// # Errors
/// `permission_denied`; `invalid_field` for a recipient that is none; `seal_broken` for a sealed value that does not open;
/// `backup_failed` when the file cannot be written; problems of the store.
pub async fn copy_out(engine: &Engine, grant: &ManagementGrant, recipient: &str, file: File, progress: Progress<'_>) -> Result<(File, Counts), Problem> {
    grant.require(Operation::ConfigurationCopy, None)?;
    let seal = FileSeal::recipients([recipient]).map_err(|problem| problem.at_body("/recipient"))?;
    // Noted before anything leaves.
    let mut tx = reach::writing_organization(engine, grant).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::ConfigurationCopy)).await?;
    tx.commit().await?;
    let mut image = engine.store().image_of(grant.organization(), engine.now()).await?;
    let transfer = Transfer::make(&mut image, engine.context())?;
    let vault = engine.vault();
    let source = Resealed { image, from: &vault, to: &transfer, context: engine.context() };
    write_image(source, file, Some(seal), progress).await
}

/// The keys of one transfer.
struct Transfer;

impl Transfer {
    /// Makes them, and puts them into the image's header.
    fn make(image: &mut ImageSource, context: &Context) -> Result<Vault, Problem> {
        let master = MasterKey::generate(context.entropy());
        let (vault, header) = Vault::create(&master, context.new_uuid(), SourceKind::File, None, context)?;
        let header = serde_json::to_value(header).map_err(|_| Problem::internal("the key header cannot be written as JSON"))?;
        image.travel(header, TransferKey::new(master.to_base64()));
        Ok(vault)
    }

    /// Takes them out of the header of an image.
    fn take(reading: &Reading) -> Result<Vault, Problem> {
        let no = || Problem::new(Code::InvalidImage, "The image is not of one organization, or its keys cannot be read. Make the copy anew.");
        let key = reading.header().transfer_key.as_ref().ok_or_else(no)?;
        let master = MasterKey::from_base64(key.secret()).ok_or_else(no)?;
        let header: KeyHeader = reading.header().key_header.clone().and_then(|header| serde_json::from_value(header).ok()).ok_or_else(no)?;
        Vault::unlock(&master, &header).map_err(|_| no())
    }
}

/// Rows of one organization, with their sealed values under the keys of the transfer.
struct Resealed<'a> {
    image: ImageSource,
    from: &'a Vault,
    to: &'a Vault,
    context: &'a Context,
}

impl Source for Resealed<'_> {
    fn image(&self) -> &ImageSource {
        &self.image
    }

    async fn next(&mut self) -> Result<Option<Batch>, Problem> {
        let Some(mut batch) = self.image.next().await? else { return Ok(None) };
        seals::exchange(&mut batch, self.from, self.to, self.context)?;
        Ok(Some(batch))
    }

    async fn end(self) -> Result<(), Problem> {
        Ok(self.image.end().await?)
    }
}

/// Rows of an image, with their sealed values under the keys of the store that they go into.
struct Opened<'a> {
    reading: Reading,
    organization: OrganizationId,
    from: &'a Vault,
    to: &'a Vault,
    context: &'a Context,
    sealed_values: u64,
}

impl Rows for Opened<'_> {
    async fn next(&mut self) -> Result<Option<Batch>, Problem> {
        let Some(mut batch) = self.reading.next().await? else { return Ok(None) };
        batch.require_owner(self.organization)?;
        self.sealed_values += seals::exchange(&mut batch, self.from, self.to, self.context)?.len();
        Ok(Some(batch))
    }
}

/// What an organization's image made.
#[derive(Clone, Debug)]
pub struct Filled {
    /// The organization that was brought.
    pub organization: OrganizationId,
    /// Its rows.
    pub counts: Counts,
}

/// Makes a new store of an organization's image that was sealed to `identity`. Its tokens have no live secrets there.
///
/// # Errors
/// `seal_broken`, `invalid_image`, `store_newer` for a file that cannot be used; `in_use` when there is a store already;
/// `key_unavailable`; problems of the store. Nothing is left then that counts as a store.
pub async fn copy_in(file: File, identity: AgeIdentity, url: &StoreUrl, keys: &patchbay_vault::KeyAccess, context: &Context, progress: Progress<'_>) -> Result<Filled, Problem> {
    let reading = read_image(file, FileKey::Identities(vec![identity])).await?;
    let target = Target::create(url).await?;
    let id = context.new_uuid();
    match into_new(reading, &target, id, keys, context, progress).await {
        Ok(filled) => {
            target.close().await;
            Ok(filled)
        }
        Err(problem) => {
            let keys = keys.clone();
            // As of a copy that failed.
            let _ = tokio::task::spawn_blocking(move || keys.forget(id)).await;
            target.give_up().await;
            Err(problem)
        }
    }
}

async fn into_new(reading: Reading, target: &Target, id: Uuid, access: &patchbay_vault::KeyAccess, context: &Context, progress: Progress<'_>) -> Result<Filled, Problem> {
    let organization = owner(&reading)?;
    let from = Transfer::take(&reading)?;
    let keys: Keys = new_keys(None, target, id, access, context).await?;
    keys.unlock(target);
    let of = reading.header().rows();
    let header = store_header(id, &keys.header, context.now())?;
    let mut rows = Opened { reading, organization, from: &from, to: &keys.vault, context, sealed_values: 0 };
    target.fill(&mut rows, header, of, progress).await?;
    let Opened { reading, sealed_values, .. } = rows;
    Ok(Filled { organization, counts: Counts { tables: reading.sums(), sealed_values } })
}

fn owner(reading: &Reading) -> Result<OrganizationId, Problem> {
    reading.header().organization.ok_or_else(|| Problem::new(Code::InvalidImage, "The image is of a whole store, not of one organization. Make the copy anew."))
}

/// Puts an organization's image, sealed to [`recipient`], in the place of the caller's own organization, which must be empty.
/// The file is read to its end before anything is changed; then all of it happens in one transaction.
///
/// # Errors
/// `permission_denied`; `in_use` when the caller's organization is not empty or the other one is in this store already;
/// `seal_broken`, `invalid_image`, `store_newer` for a file that cannot be used; problems of the store.
pub async fn fill(engine: &Engine, grant: &ManagementGrant, file: File, progress: Progress<'_>) -> Result<Filled, Problem> {
    grant.require(Operation::ConfigurationFill, None)?;
    let Some(container) = grant.container() else {
        return Err(Problem::new(
            Code::PermissionDenied,
            "An organization is brought by a program with a token, which goes on working for it. Use `patchbay store copy` with an organization access token.",
        ));
    };
    let (mut again, key) = (file.try_clone().map_err(unreadable)?, || engine.vault().backup_identity().map(|identity| FileKey::Identities(vec![identity])));
    // Read to its end first: what is cut off or changed is found before anything is written.
    let mut looked = read_image(file, key()?).await?;
    let organization = owner(&looked)?;
    let of = looked.header().rows();
    while let Some(batch) = looked.next().await? {
        batch.require_owner(organization)?;
    }
    again.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let reading = read_image(again, key()?).await?;
    let from = Transfer::take(&reading)?;
    let vault = engine.vault();
    let mut rows = Opened { reading, organization, from: &from, to: &vault, context: engine.context(), sealed_values: 0 };
    let bearer = Bearer::read(engine, grant.organization(), container).await?;
    let mut tx = engine.store().write(Scope::System, Origin::Api).await?;
    let known = tx.definitions().await?;
    tx.clear_organization(grant.organization()).await?;
    let mut written = 0;
    let mut definitions = HashMap::new();
    while let Some(mut batch) = rows.next().await? {
        written += batch.len() as u64;
        // Definitions belong to this store, which has its own: the image's are looked up by provider and version.
        if batch.table() == "integration_definitions" {
            let mut own_ones = Vec::new();
            for found in batch.definitions() {
                // Manifests of the organization's own come along, if this Patchbay can read them.
                if found.organization.is_some() || found.manifest.is_some() {
                    readable(engine, organization, &found)?;
                    own_ones.push(found.id);
                    definitions.insert(found.id, found.id);
                    continue;
                }
                let ImageDefinition { id, provider, version, .. } = found;
                let own = known.iter().find(|own| own.organization.is_none() && own.provider.as_str() == provider && own.version == version).ok_or_else(|| {
                    Problem::new(
                        Code::InvalidImage,
                        format!("This Patchbay does not know version {version} of the provider {provider}, which an integration uses. Update it, then copy again."),
                    )
                })?;
                definitions.insert(id, own.id.uuid());
            }
            batch.keep_only(&own_ones);
            tx.insert_image(&batch).await?;
            continue;
        }
        batch.exchange_definitions(&definitions)?;
        tx.insert_image(&batch).await?;
        progress(super::Step { doing: "Filling", table: batch.table(), rows: written, of });
    }
    tx.enter(Scope::Organization(organization))?;
    let member = first_root(&mut tx).await?;
    bearer.bring(&mut tx, organization, member).await?;
    // What was sent is the image itself, which has no place in the log.
    let caller = CallerInfo { body: None, ..grant.caller().clone() };
    record_for(engine, &mut tx, organization, Some(member), &caller, Done::changed(Operation::ConfigurationFill)).await?;
    tx.commit().await?;
    let Opened { reading, sealed_values, .. } = rows;
    Ok(Filled { organization, counts: Counts { tables: reading.sums(), sealed_values } })
}

/// That a manifest in an image is the organization's own, and one that this Patchbay can read.
fn readable(engine: &Engine, organization: OrganizationId, found: &ImageDefinition) -> Result<(), Problem> {
    let refused = |why: String| Problem::new(Code::InvalidImage, format!("The manifest {} of the provider {} cannot be brought: {why}.", found.version, found.provider));
    let id = ProviderId::parse(&found.provider).map_err(|_| refused("its provider has no id".to_owned()))?;
    let Some(text) = found.manifest.clone().filter(|_| found.organization == Some(organization.uuid())) else {
        return Err(refused("it is not the organization's own".to_owned()));
    };
    engine.catalog().own(&UserManifest { id, version: found.version.clone(), text }).map(drop).map_err(|error| refused(error.to_string()))
}

fn unreadable(error: std::io::Error) -> Problem {
    Problem::internal(format_args!("the file of an image cannot be read ({error})"))
}

/// The token by which the caller came, as it goes over to the organization that was brought.
struct Bearer {
    container: TokenContainer,
    secrets: Vec<(Vec<u8>, patchbay_model::token::TokenSecret)>,
}

impl Bearer {
    async fn read(engine: &Engine, organization: OrganizationId, id: TokenId) -> Result<Self, Problem> {
        let mut tx = engine.store().read(Scope::Organization(organization)).await?;
        let container = tx.token(id).await?.ok_or_else(|| Problem::not_found(TokenId::NOUN, id))?;
        let secrets = tx.token_hashes(id).await?;
        Ok(Self { container, secrets })
    }

    async fn bring(self, tx: &mut WriteTx, organization: OrganizationId, member: MemberId) -> Result<(), Problem> {
        let Self { mut container, secrets } = self;
        container.organization_id = organization;
        container.owner = TokenOwner::Organization(organization);
        container.member_id = member;
        // The roles of before are not those of this organization; what it may do is what its member may.
        if let Authority::Roles(roles) = &mut container.authority {
            *roles = vec![patchbay_model::permission::RoleName::root_administrator()];
        }
        container.name = Name::from_stored(format!("copied-{}", container.id.uuid().simple()));
        tx.insert_token(&container).await?;
        tx.insert_token_secrets(container.id, &secrets).await?;
        Ok(())
    }
}

/// The oldest root administrator of the organization in whose scope the transaction is.
async fn first_root(tx: &mut WriteTx) -> Result<MemberId, Problem> {
    let oldest = Order { field: "created_at".to_owned(), direction: Direction::Asc };
    let mut query = ListQuery { orders: vec![oldest], limit: Some(ListQuery::MAX_LIMIT), ..ListQuery::default() };
    loop {
        let page = tx.members(&query).await?;
        if let Some(member) = page.items.into_iter().find(|member| is_root(member) && member.acts()) {
            return Ok(member.id);
        }
        match page.next {
            Some(next) => query.start_after = Some(next),
            None => return Err(Problem::new(Code::InvalidImage, "The organization in the image has no root administrator. Make the copy anew from one that has.")),
        }
    }
}
