//! `patchbay catalog`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{OrganizationArguments, StoreArguments};

/// `patchbay catalog`.
#[derive(Args)]
pub(crate) struct CatalogArguments {
    #[command(subcommand)]
    pub(crate) command: CatalogCommand,
}

#[derive(Subcommand)]
pub(crate) enum CatalogCommand {
    /// List the providers of this build, how much of each is known for sure, and what ends.
    List(CatalogList),
    /// Show what is claimed of a provider, and who says so.
    Show(CatalogShow),
    /// Print the JSON Schema of manifests.
    Schema,
    /// Judge manifests without a store: what is wrong, on which line, and how to mend it.
    Check(CatalogCheck),
    /// Add a manifest of the organization's own, after telling where secrets go by it and what it changes.
    Add(CatalogAdd),
    /// Withdraw a manifest of the organization's own.
    Withdraw(CatalogWithdraw),
}

#[derive(Args)]
pub(crate) struct CatalogAdd {
    /// The manifest.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Only tell where secrets would go and what would change.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,
}

#[derive(Args)]
pub(crate) struct CatalogWithdraw {
    /// The id of the manifest, or of its provider for the one in force.
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifest: String,

    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,
}

#[derive(Args)]
pub(crate) struct CatalogList {
    /// Only providers of this connector, such as ticketing.
    #[arg(long, value_name = "CONNECTOR")]
    pub(crate) connector: Option<String>,
}

#[derive(Args)]
pub(crate) struct CatalogShow {
    /// The provider's id, such as ticketing_jira.
    #[arg(value_name = "PROVIDER")]
    pub(crate) provider: String,

    /// Only facts that nobody stands behind yet.
    #[arg(long)]
    pub(crate) unverified: bool,
}

#[derive(Args)]
pub(crate) struct CatalogCheck {
    /// Files of manifests, each named by the id of its provider.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}
