//! `patchbay connect`.

use clap::{Args, Subcommand, ValueEnum};
use patchbay_model::consent::ConsentRoute;

use super::{OrganizationArguments, StoreArguments, account_and_name};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, arg_required_else_help = true)]
pub(crate) struct Connect {
    #[command(subcommand)]
    pub(crate) command: Option<ConnectCommand>,

    #[command(flatten)]
    pub(crate) one: Option<ConnectOne>,
}

#[derive(Subcommand)]
pub(crate) enum ConnectCommand {
    /// Links by which a customer's person connects a provider without signing in.
    Link {
        #[command(subcommand)]
        command: ConnectLinkCommand,
    },
}

#[derive(Args)]
pub(crate) struct ConnectOne {
    /// The integration, by ids or names.
    #[arg(long, value_name = "ACCOUNT/NAME", value_parser = account_and_name, required = true)]
    pub(crate) integration: Option<(String, String)>,

    #[command(flatten)]
    pub(crate) store: Option<StoreArguments>,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// The way to the provider's page. Without it: this computer's browser where the store is here, the server's own pages where it is a server's.
    #[arg(long, value_enum, value_name = "ROUTE")]
    pub(crate) route: Option<Route>,

    /// Who is asked to agree, by id or name of the end user.
    #[arg(long, value_name = "END_USER")]
    pub(crate) end_user: Option<String>,

    /// Show afterwards what the journal of renewals says.
    #[arg(long)]
    pub(crate) proof: bool,

    /// Allow providers on loopback and private addresses.
    #[arg(long)]
    pub(crate) allow_private_networks: bool,

    /// Talk with the providers that `patchbay simulate` plays at this address; for stores of samples only.
    #[arg(long, value_name = "URL")]
    pub(crate) rehearse: Option<String>,
}

/// Ways that a command line can go.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Route {
    /// A browser on this computer; its answer comes to a loopback address.
    Browser,
    /// A browser anywhere; its answer comes to the server.
    Link,
    /// A browser anywhere; the address at which it ends is pasted here.
    Paste,
}

impl From<Route> for ConsentRoute {
    fn from(route: Route) -> Self {
        match route {
            Route::Browser => Self::Browser,
            Route::Link => Self::Link,
            Route::Paste => Self::Paste,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum ConnectLinkCommand {
    /// Make a link; its address is shown this once.
    Create(ConnectLinkCreate),
    /// List links, never what stands in their addresses.
    List(ConnectLinkList),
    /// Take a link back.
    Revoke(ConnectLinkRevoke),
}

#[derive(Args)]
pub(crate) struct ConnectLinkCreate {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// For which account, by id or name.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: String,

    /// An integration of the account, to connect it or to connect it anew.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["point", "provider"], conflicts_with_all = ["point", "provider"])]
    pub(crate) integration: Option<String>,

    /// An integration point: the person chooses one of the providers that it allows.
    #[arg(long, value_name = "NAME", conflicts_with = "provider")]
    pub(crate) point: Option<String>,

    /// A provider, for an integration that no point governs.
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) provider: Option<String>,

    /// For whom, by id or name of the end user.
    #[arg(long, value_name = "END_USER")]
    pub(crate) end_user: Option<String>,

    /// How long it works, such as 24h; seven days where left out, thirty at most.
    #[arg(long, value_name = "DURATION")]
    pub(crate) ttl: Option<String>,

    /// How many connections can be made with it; one where left out.
    #[arg(long, value_name = "N")]
    pub(crate) uses: Option<u32>,

    /// Where its last page leads back to.
    #[arg(long, value_name = "URL")]
    pub(crate) return_url: Option<String>,
}

#[derive(Args)]
pub(crate) struct ConnectLinkList {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Conditions such as account_id[eq]ID; may be repeated.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Vec<String>,

    /// Most links to list.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
}

#[derive(Args)]
pub(crate) struct ConnectLinkRevoke {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Id of the link.
    #[arg(value_name = "LINK")]
    pub(crate) link: String,
}
