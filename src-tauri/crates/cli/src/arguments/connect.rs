//! `patchbay connect`.

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum};
use patchbay_model::consent::ConsentRoute;

use super::{OrganizationArguments, StoreArguments, account_and_name};

const LINK: &str = "link";

/// One consent, or the links by which others are begun. Read by hand: clap's own reading of arguments beside subcommands knows no arguments that only one of
/// the two needs.
pub(crate) enum Connect {
    /// One consent.
    One(Box<ConnectOne>),
    /// Links by which a customer's person connects a provider without signing in.
    Link(Box<ConnectLinkCommand>),
}

impl FromArgMatches for Connect {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match matches.subcommand() {
            Some((LINK, matches)) => ConnectLinkCommand::from_arg_matches(matches).map(|command| Self::Link(Box::new(command))),
            _ => ConnectOne::from_arg_matches(matches).map(|one| Self::One(Box::new(one))),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Connect {
    fn augment_args(command: Command) -> Command {
        let link = Command::new(LINK).about("Links by which a customer's person connects a provider without signing in").subcommand_required(true).arg_required_else_help(true);
        ConnectOne::augment_args(command).subcommand(ConnectLinkCommand::augment_subcommands(link)).args_conflicts_with_subcommands(true).subcommand_negates_reqs(true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

#[derive(Args)]
pub(crate) struct ConnectOne {
    /// The integration, by ids or names.
    #[arg(long, value_name = "ACCOUNT/NAME", value_parser = account_and_name)]
    pub(crate) integration: (String, String),

    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// The way to the provider's page. Without it: this computer's browser where the store is here, the server's own pages where it is a server's.
    #[arg(long, value_enum, value_name = "ROUTE")]
    pub(crate) route: Option<Route>,

    /// Who is asked to agree, by id or name of the end user.
    #[arg(long, value_name = "END_USER")]
    pub(crate) end_user: Option<String>,

    /// Where the consent gives access to several places: the one that it shall be for, by id or name. Without it, a terminal asks.
    #[arg(long, value_name = "PLACE")]
    pub(crate) place: Option<String>,

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
    /// A browser anywhere; a code that is shown here is entered there.
    Device,
    /// A browser anywhere; the address at which it ends is pasted here.
    Paste,
}

impl From<Route> for ConsentRoute {
    fn from(route: Route) -> Self {
        match route {
            Route::Browser => Self::Browser,
            Route::Link => Self::Link,
            Route::Device => Self::Device,
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
