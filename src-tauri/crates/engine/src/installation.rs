//! Creating and opening an installation: a store with its key.

use std::path::PathBuf;
use std::str::FromStr;

use patchbay_model::member::Member;
use patchbay_model::organization::Organization;
use patchbay_model::{Code, Context, Origin, OrganizationId, Problem};
use patchbay_vault::KeyAccess;

use crate::token::ContainerState;
use crate::{Engine, ManagementGrant, NetworkPolicy};

/// Where a store lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreUrl {
    /// `sqlite:PATH`: one local file.
    Sqlite(PathBuf),
}

impl FromStr for StoreUrl {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
        match path {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            _ => Err(Problem::new(Code::InvalidField, "The store must be given as sqlite:PATH, for example sqlite:patchbay.db. Other kinds of stores are not supported by this version.")),
        }
    }
}

impl std::fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

/// A new organization with its first member and its first token.
#[derive(Clone)]
pub struct Created {
    /// The organization.
    pub organization: Organization,
    /// The member as whom the holder of the key acts.
    pub member: Member,
    /// The first token, with secrets.
    pub token: ContainerState,
}

/// What `store verify` found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct VerifyReport {
    /// What is wrong; empty when all is well.
    pub findings: Vec<String>,
    /// Sealed values that were opened.
    pub sealed_values: u64,
}

impl Engine {
    /// The grant of the holder of the store's key: the organization's first member, everything allowed.
    ///
    /// # Errors
    /// `not_found` when the store has no such organization.
    pub async fn local_grant(&self, organization: OrganizationId, origin: Origin) -> Result<ManagementGrant, Problem> {
        let _ = (organization, origin);
        Err(crate::pending(self))
    }

    /// Every organization in the store, for the holder of the key.
    ///
    /// # Errors
    /// Problems of the store.
    pub async fn organizations(&self) -> Result<Vec<Organization>, Problem> {
        Err(crate::pending(self))
    }

    /// Checks the store's structure and opens every sealed value.
    ///
    /// # Errors
    /// Problems of reading; what is wrong with the data stands in the report.
    pub async fn verify_store(&self) -> Result<VerifyReport, Problem> {
        Err(crate::pending(self))
    }

    /// Writes out counters and stops the tasks beside the verbs. Call it before the program ends.
    pub async fn shutdown(&self) {}
}

/// Creates a store with its first organization, or adds an organization to a store that exists.
///
/// Blocks for the key source (keyring prompt, Argon2id) off the runtime.
///
/// # Errors
/// `name_taken` for an organization that exists, problems of the key and of the store.
pub async fn create(store: &StoreUrl, keys: &KeyAccess, organization: &str, context: Context) -> Result<(Engine, Created), Problem> {
    let _ = (store, keys, organization, context);
    Err(Problem::internal("the verb is not connected to the store yet"))
}

/// Creates a store with a sample organization, filled with believable data on mock providers.
///
/// # Errors
/// Like [`create`].
pub async fn create_sample(store: &StoreUrl, keys: &KeyAccess, context: Context) -> Result<(Engine, Created), Problem> {
    let _ = (store, keys, context);
    Err(Problem::internal("the verb is not connected to the store yet"))
}

/// Opens a store that exists.
///
/// # Errors
/// Problems of the store (no key is needed to meet them) and of the key.
pub async fn open(store: &StoreUrl, keys: &KeyAccess, context: Context, network: NetworkPolicy, origin: Origin) -> Result<Engine, Problem> {
    let _ = (store, keys, context, network, origin);
    Err(Problem::internal("the verb is not connected to the store yet"))
}
