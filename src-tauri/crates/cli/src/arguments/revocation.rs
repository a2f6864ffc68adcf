//! Taking access back: `disconnect`, `receipts`, `revocation`.

use clap::{Args, Subcommand};

use super::{OrganizationArguments, StoreArguments, account_and_name};

#[derive(Args)]
pub(crate) struct Disconnect {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// The integration, by ids or names.
    #[arg(long, value_name = "ACCOUNT/NAME", value_parser = account_and_name)]
    pub(crate) integration: (String, String),

    /// Only say what would be done.
    #[arg(long)]
    pub(crate) preview: bool,

    /// Seconds to wait for the provider; what it has not answered by then is asked on by whichever process has the store open.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) wait: u64,

    /// Allow providers on loopback and private addresses.
    #[arg(long)]
    pub(crate) allow_private_networks: bool,
}

#[derive(Args)]
pub(crate) struct Receipts {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// The integration, by ids or names.
    #[arg(long, value_name = "ACCOUNT/NAME", value_parser = account_and_name)]
    pub(crate) integration: (String, String),

    /// Make a link to the receipt of the consent in force, for the person who agreed.
    #[arg(long)]
    pub(crate) link: bool,
}

/// `patchbay revocation`.
#[derive(Args)]
pub(crate) struct Revocation {
    #[command(subcommand)]
    pub(crate) command: RevocationCommand,
}

#[derive(Subcommand)]
pub(crate) enum RevocationCommand {
    /// List what is taken back, the latest first.
    List(RevocationList),
    /// Show how far one is, and what proves it.
    Show(RevocationOne),
    /// Say that a person has ended the access at the provider.
    Confirm(RevocationOne),
    /// Ask the provider now.
    Retry(RevocationOne),
}

#[derive(Args)]
pub(crate) struct RevocationList {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Conditions such as state[eq]manual; may be repeated.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Vec<String>,

    /// Most rows.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
}

#[derive(Args)]
pub(crate) struct RevocationOne {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Its id.
    #[arg(value_name = "REVOCATION")]
    pub(crate) revocation: String,
}
