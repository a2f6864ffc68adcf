//! The command line of `patchbay store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use patchbay_engine::installation::StoreUrl;
use patchbay_vault::KeySource;

use super::{KeyArguments, OrganizationArguments, StoreArguments, source, store_url, two_logins, with_both_logins};
use crate::failure::Failure;

#[derive(Args)]
pub(crate) struct Store {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Write the whole store into one sealed file, while others go on using it.
    Backup(StoreBackup),
    /// Make a store from a backup.
    Restore(StoreRestore),
    /// Copy a whole store into a new one with keys of its own; tokens go on working.
    Copy(Box<StoreCopy>),
    /// Look through a store or a backup: structure, references, every row, every sealed value.
    Verify(StoreVerify),
    /// Print the SQL that makes a PostgreSQL database a store, for an administrator of it to run.
    Sql(StoreSql),
}

#[derive(Args)]
pub(crate) struct StoreBackup {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    /// File to write, or folder to write a file named after the store and the time into; the present folder where missing.
    /// A file that is there already is not replaced.
    #[arg(long, value_name = "FILE or DIR")]
    pub(crate) to: Option<PathBuf>,

    /// The age recipient (age1...) that can open the backup; may be repeated.
    #[arg(long, value_name = "AGE", required_unless_present = "passphrase", conflicts_with = "passphrase")]
    pub(crate) recipient: Vec<String>,

    /// Seal it with a passphrase instead, from PATCHBAY_BACKUP_PASSPHRASE or asked for.
    #[arg(long)]
    pub(crate) passphrase: bool,
}

/// What opens a backup.
#[derive(Args)]
pub(crate) struct OpenerArguments {
    /// File with the age identity (AGE-SECRET-KEY-1...) that opens the backup.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    pub(crate) identity: Option<PathBuf>,

    /// Open it with a passphrase, from PATCHBAY_BACKUP_PASSPHRASE or asked for.
    #[arg(long)]
    pub(crate) passphrase: bool,
}

#[derive(Args)]
pub(crate) struct StoreRestore {
    /// The backup.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) opener: OpenerArguments,

    /// Take the place of the store that is there. It is kept beside, under a name with the time.
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Args)]
pub(crate) struct StoreCopy {
    /// The store to copy.
    #[arg(value_name = "FROM", value_parser = store_url)]
    from: StoreUrl,

    /// Where the copy goes: a place where no store is, or a server.
    #[arg(value_name = "TO", value_parser = store_url)]
    to: StoreUrl,

    /// FROM with a second login, which alone opens sealed values, where it is a PostgreSQL database; also PATCHBAY_STORE_SVC.
    #[arg(long, env = "PATCHBAY_STORE_SVC", hide_env_values = true, value_name = "URL", value_parser = store_url)]
    store_svc: Option<StoreUrl>,

    /// The same for TO; also PATCHBAY_TO_STORE_SVC.
    #[arg(long, env = "PATCHBAY_TO_STORE_SVC", hide_env_values = true, value_name = "URL", value_parser = store_url)]
    to_store_svc: Option<StoreUrl>,

    #[command(flatten)]
    pub(crate) key: KeyArguments,

    /// Where the master key of the copy comes from, as --key-source; also PATCHBAY_TO_KEY_SOURCE. A passphrase is taken from
    /// PATCHBAY_TO_PASSPHRASE or asked for.
    // Read by hand, as --key-source is.
    #[arg(long, env = "PATCHBAY_TO_KEY_SOURCE", hide_env_values = true, value_name = "SOURCE")]
    to_key_source: Option<String>,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// For a server: a file that holds an organization access token and that only you can read, else PATCHBAY_TOKEN. Of two
    /// servers that of FROM. A server gives and takes one organization: the token's own, which must be empty to take another.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// The same for TO, when FROM is a server too; else PATCHBAY_TO_TOKEN.
    #[arg(long, value_name = "FILE")]
    pub(crate) to_token_file: Option<PathBuf>,
}

impl StoreCopy {
    /// The store to copy, with both its logins.
    pub(crate) fn source_url(&self) -> Result<StoreUrl, Failure> {
        two_logins(&self.from, self.store_svc.as_ref(), "--store-svc (or PATCHBAY_STORE_SVC)")
    }

    /// Where the copy goes, with both logins.
    pub(crate) fn target_url(&self) -> Result<StoreUrl, Failure> {
        two_logins(&self.to, self.to_store_svc.as_ref(), "--to-store-svc (or PATCHBAY_TO_STORE_SVC)")
    }

    /// The source of the copy's key, if one was named.
    pub(crate) fn to_source(&self) -> Result<Option<KeySource>, Failure> {
        source(self.to_key_source.as_deref())
    }
}

#[derive(Args)]
pub(crate) struct StoreVerify {
    /// The store: sqlite:PATH or postgres://...
    #[arg(long, value_name = "URL", value_parser = store_url, required_unless_present = "backup", conflicts_with = "backup")]
    store: Option<StoreUrl>,

    /// The same PostgreSQL database with a second login, which alone opens sealed values.
    #[arg(long, env = "PATCHBAY_STORE_SVC", hide_env_values = true, value_name = "URL", value_parser = store_url)]
    store_svc: Option<StoreUrl>,

    /// Look through this backup instead, without restoring it anywhere that stays.
    #[arg(long, value_name = "FILE")]
    pub(crate) backup: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) key: KeyArguments,

    #[command(flatten)]
    pub(crate) opener: OpenerArguments,
}

impl StoreVerify {
    /// The store to look through, with both its logins.
    pub(crate) fn url(&self) -> Result<Option<StoreUrl>, Failure> {
        self.store.as_ref().map(|store| with_both_logins(store, self.store_svc.as_ref())).transpose()
    }
}

#[derive(Args)]
pub(crate) struct StoreSql {
    /// The login under which Patchbay will work.
    #[arg(long, value_name = "LOGIN", default_value = "patchbay")]
    pub(crate) management: String,

    /// A second login for everything that opens secrets, so that the first one cannot read them.
    #[arg(long, value_name = "LOGIN")]
    pub(crate) svc: Option<String>,
}
