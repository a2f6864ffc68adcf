//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use patchbay_engine::installation::StoreUrl;
use patchbay_vault::KeySource;

use crate::failure::Failure;

mod catalog;
mod connect;
mod revocation;
mod store;

pub(crate) use catalog::*;
pub(crate) use connect::*;
pub(crate) use revocation::*;
pub(crate) use store::*;

/// Patchbay, headless: who is connected to what, and one API for all of it.
#[derive(Parser)]
#[command(name = "patchbay", version, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// How to print the result: words for people, or one JSON object.
    #[arg(long, global = true, value_enum, default_value_t = Format::Words, value_name = "FORMAT")]
    pub(crate) output: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Words,
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create a store with an organization, or add an organization to a store.
    Init(Init),
    /// Serve the API and the web interface.
    Serve(Serve),
    /// Play the providers of the catalog on this computer, for rehearsals and tests.
    Simulate(Simulate),
    /// Say what is wrong with this installation and how to mend it.
    Doctor(Doctor),
    /// Write the organization's configuration as patchbay.yaml.
    Export(Export),
    /// Make accounts and integrations from a file of JSON Lines.
    Import(Import),
    /// Look after a store.
    Store(Store),
    /// Look after the keys of a store.
    Key(Key),
    /// Mint, list, reset and revoke tokens.
    Token(Token),
    /// Call a connector operation of an integration.
    Call(Call),
    /// Take an integration's access back: it is removed here and ended at the provider.
    Disconnect(Disconnect),
    /// Show who agreed to what for an integration, or make the link to it for whoever agreed.
    Receipts(Receipts),
    /// Show what is taken back at providers, and say what a person has ended there.
    Revocation(Revocation),
    /// Show what was done and what was refused, or carry it away as a file.
    Audit(Audit),
    /// Take a change back.
    Undo(Undo),
    /// Let a person authorize the provider of an integration: the link is printed, and the outcome waited for.
    Connect(Connect),
    /// Show what ends by itself and what is to be done, or write it as a calendar.
    Deadlines(Deadlines),
    /// Propose an external id and the trust policy with which a customer's AWS role trusts your organization's principal.
    Trust(Trust),
    /// Test provider apps without a person: client, redirect URIs and scopes. Fails where one is bad.
    Preflight(Preflight),
    /// Show the providers that this build knows, judge files that describe others, and add those to an organization.
    Catalog(CatalogArguments),
}

/// The store and what opens it: a key where it lies here, a token where it is a server's.
#[derive(Args)]
pub(crate) struct StoreArguments {
    /// The store: sqlite:PATH, postgres://USER@HOST/DATABASE, or https://HOST for a Patchbay server.
    #[arg(long, value_name = "URL", value_parser = store_url)]
    pub(crate) store: StoreUrl,

    /// The same PostgreSQL database with a second login, which alone opens sealed values.
    #[arg(long, env = "PATCHBAY_STORE_SVC", hide_env_values = true, value_name = "URL", value_parser = store_url)]
    store_svc: Option<StoreUrl>,

    #[command(flatten)]
    pub(crate) key: KeyArguments,

    /// For a server: a file that holds an organization access token and that only you can read. Without it the token is taken
    /// from PATCHBAY_TOKEN. A token is never an argument.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

impl StoreArguments {
    /// The store with both its logins.
    pub(crate) fn url(&self) -> Result<StoreUrl, Failure> {
        with_both_logins(&self.store, self.store_svc.as_ref())
    }
}

fn with_both_logins(store: &StoreUrl, second: Option<&StoreUrl>) -> Result<StoreUrl, Failure> {
    two_logins(store, second, "--store-svc")
}

/// `given` is where the second login comes from, for people.
fn two_logins(store: &StoreUrl, second: Option<&StoreUrl>, given: &str) -> Result<StoreUrl, Failure> {
    match (store, second) {
        (store, None) => Ok(store.clone()),
        (StoreUrl::Postgres(store), Some(StoreUrl::Postgres(second))) => Ok(StoreUrl::Postgres(store.clone().with_second_login(Some(second.clone())))),
        _ => Err(Failure::usage(format!("{given} is the second login of a PostgreSQL store: both addresses must begin with postgres://."))),
    }
}

#[derive(Args)]
pub(crate) struct KeyArguments {
    /// Where the master key comes from: keyring, passphrase, file:PATH, env:NAME or systemd. There is no default.
    // Read by hand: clap would repeat a value that cannot be read, and somebody may have given the key itself.
    #[arg(long, env = "PATCHBAY_KEY_SOURCE", hide_env_values = true, value_name = "SOURCE")]
    key_source: Option<String>,
}

impl KeyArguments {
    /// The source that was named, if one was. An empty variable names none.
    pub(crate) fn source(&self) -> Result<Option<KeySource>, Failure> {
        source(self.key_source.as_deref())
    }
}

fn source(text: Option<&str>) -> Result<Option<KeySource>, Failure> {
    let named = text.filter(|text| !text.is_empty());
    named.map(|text| text.parse().map_err(|problem: patchbay_model::Problem| Failure::usage(problem.message))).transpose()
}

/// Which organization of the store.
#[derive(Args)]
pub(crate) struct OrganizationArguments {
    /// Name or id of the organization; needed where the store has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) organization: Option<String>,
}

#[derive(Args)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    /// Name of the new organization.
    #[arg(long, value_name = "NAME", required_unless_present = "sample")]
    pub(crate) organization: Option<String>,

    /// Make a sample organization with believable data, for trying out and for rehearsals.
    #[arg(long, conflicts_with = "organization")]
    pub(crate) sample: bool,
}

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// The address under which others reach this server, for links and callbacks.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// Certificate chain for HTTPS, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Private key for HTTPS, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Network of a reverse proxy that ends HTTPS in front of this server, such as 10.0.0.0/8; may be repeated.
    #[arg(long, value_name = "CIDR")]
    pub(crate) trusted_proxy: Vec<String>,

    /// Allow providers on loopback and private addresses.
    #[arg(long)]
    pub(crate) allow_private_networks: bool,

    /// Talk with simulated providers (`patchbay simulate`) at this address and with nobody else. Only for stores all of whose organizations are samples.
    #[arg(long, value_name = "URL")]
    pub(crate) rehearse: Option<String>,

    /// Seconds for which, after SIGTERM, requests are still taken while /readyz says that this server ends: longer than the one in front takes to notice.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) drain: u64,

    /// Print a one-time link that signs a browser in, for the first set-up.
    #[arg(long)]
    pub(crate) setup_link: bool,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,
}

#[derive(Args)]
pub(crate) struct Simulate {
    /// Address and port of this computer to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// Id of a provider to play; may be repeated. Without it, all are.
    #[arg(long, value_name = "ID")]
    pub(crate) provider: Vec<String>,

    /// A manifest of your own to play beside them or in place of the one with its id; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Vec<PathBuf>,

    /// A fault that happens from the start: its word, such as lose_after, or JSON such as {"fault":"status","code":503,"times":3}; may be repeated.
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// The store to look at: sqlite:PATH, postgres://USER@HOST/DATABASE, or https://HOST for a Patchbay server. Without it only the
    /// surroundings are checked.
    #[arg(long, value_name = "URL", value_parser = store_url)]
    store: Option<StoreUrl>,

    /// The same PostgreSQL database with a second login, which alone opens sealed values.
    #[arg(long, env = "PATCHBAY_STORE_SVC", hide_env_values = true, value_name = "URL", value_parser = store_url)]
    store_svc: Option<StoreUrl>,

    #[command(flatten)]
    pub(crate) key: KeyArguments,

    /// For a server: a file that holds an organization access token and that only you can read, instead of PATCHBAY_TOKEN.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

impl Doctor {
    /// The store to look at, with both its logins.
    pub(crate) fn url(&self) -> Result<Option<StoreUrl>, Failure> {
        self.store.as_ref().map(|store| with_both_logins(store, self.store_svc.as_ref())).transpose()
    }
}

#[derive(Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// The file, or - for standard input. Each line is {"account": {...}} or {"integration": {"account": NAME, ...}} with the
    /// body of a create. A name that is there already is left as it is, so an import that stopped is run again to go on.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// File to write, or folder to write patchbay.yaml into; standard output where missing.
    #[arg(long, value_name = "FILE or DIR")]
    pub(crate) to: Option<PathBuf>,

    /// What becomes of secrets.
    #[arg(long, value_enum, default_value_t = Secrets::Omitted)]
    pub(crate) secrets: Secrets,

    /// The age recipient (age1...) that can open sealed secrets.
    #[arg(long, value_name = "AGE", required_if_eq("secrets", "sealed"))]
    pub(crate) recipient: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Secrets {
    /// Each secret is marked as omitted.
    Omitted,
    /// Each secret is sealed to the recipient.
    Sealed,
}

#[derive(Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Tell how the keys stand: whether they open the store, what lies under them, rotations. Never a key.
    Status(StoreArguments),
    /// Rotate the master key, the data key, or both where neither is named. May be stopped and run again to go on.
    Rotate(KeyRotate),
    /// Remove replaced master keys from the keyring. Copies and backups from before a rotation open no more.
    Forget(StoreArguments),
}

#[derive(Args)]
pub(crate) struct KeyRotate {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    /// Rotate the master key, which wraps the others.
    #[arg(long)]
    pub(crate) master: bool,

    /// Rotate the data key, under which secrets are sealed: every one is sealed anew, beside everything else.
    #[arg(long)]
    pub(crate) data: bool,

    /// Where the next master key comes from: keyring, passphrase, file:PATH, env:NAME or systemd (as the credential
    /// patchbay-key-next). Where missing, a new key at the present source.
    // Read by hand, as the key source is.
    #[arg(long, value_name = "SOURCE")]
    to: Option<String>,
}

impl KeyRotate {
    /// Whether the next master key was given a source, which means that key alone.
    pub(crate) fn names_source(&self) -> bool {
        self.to.is_some()
    }

    /// The source of the next master key, if one was named.
    pub(crate) fn to(&self) -> Result<Option<KeySource>, Failure> {
        let to = self.to.as_deref().map(|text| text.parse().map_err(|problem: patchbay_model::Problem| Failure::usage(problem.message))).transpose()?;
        if to.is_some() && self.data && !self.master {
            return Err(Failure::usage("--to goes with the master key: a data key lies in the store. Leave --to out, or name --master."));
        }
        Ok(to)
    }
}

#[derive(Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Mint a token for the Management API or for one integration.
    Mint(TokenMint),
    /// List the tokens of the organization, without secrets.
    List(TokenList),
    /// Give a token a new pair of secrets; the ones before stop working at once.
    Reset(TokenOne),
    /// End a token and all its secrets for good.
    Revoke(TokenOne),
}

#[derive(Args)]
pub(crate) struct TokenMint {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Mint a token for the Connector API of this integration, instead of one for the Management API.
    #[arg(long, value_name = "ACCOUNT/NAME", value_parser = account_and_name, conflicts_with_all = ["permission_set", "account"])]
    pub(crate) integration: Option<(String, String)>,

    /// Which operations the organization token may use.
    #[arg(long, value_name = "SET", default_value = "administrator")]
    pub(crate) permission_set: String,

    /// Narrow the organization token to this account, by id or name; may be repeated.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Vec<String>,

    /// Lifetime of the access secret, such as 24h or 10m.
    #[arg(long, value_name = "DURATION")]
    pub(crate) ttl: Option<String>,

    /// Name of the token.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Args)]
pub(crate) struct TokenList {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Conditions such as name[like]ci-%; may be repeated.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Vec<String>,

    /// Most tokens to list.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
}

#[derive(Args)]
pub(crate) struct TokenOne {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Id or name of the token.
    #[arg(value_name = "TOKEN")]
    pub(crate) token: String,
}

#[derive(Args)]
pub(crate) struct Call {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// The integration, by ids or names.
    #[arg(long, value_name = "ACCOUNT/NAME", value_parser = account_and_name)]
    pub(crate) integration: (String, String),

    /// The operation as it is named in capabilities, such as query_tickets.
    #[arg(value_name = "OPERATION")]
    pub(crate) operation: String,

    /// Ids that the operation takes, in the order of its path: a ticket, then a comment or attachment.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,

    /// Most rows of a list.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,

    /// Cursor of the page before.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,

    /// Conditions such as status[eq]Open; may be repeated.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Vec<String>,

    /// Sort keys such as created_at[desc]; may be repeated.
    #[arg(long, value_name = "ORDER")]
    pub(crate) order: Vec<String>,

    /// JSON body of the operation: the JSON itself, @FILE, or - for standard input.
    #[arg(long, value_name = "JSON")]
    pub(crate) body: Option<String>,

    /// Show what went to the provider and what came back, secrets masked.
    #[arg(long)]
    pub(crate) trace: bool,

    /// Allow providers on loopback and private addresses.
    #[arg(long)]
    pub(crate) allow_private_networks: bool,
}

#[derive(Args)]
pub(crate) struct Preflight {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Id or name of the provider app.
    #[arg(value_name = "APP", required_unless_present = "all")]
    pub(crate) app: Option<String>,

    /// Every provider app.
    #[arg(long, conflicts_with = "app")]
    pub(crate) all: bool,

    /// Allow providers on loopback and private addresses.
    #[arg(long)]
    pub(crate) allow_private_networks: bool,
}

#[derive(Args)]
pub(crate) struct Deadlines {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// How far to look ahead, such as 30d, 12h or 8w; 90 days where missing.
    #[arg(long, value_name = "TIME")]
    pub(crate) within: Option<String>,

    /// Only of this kind: access, refresh_idle, refresh_absolute, secret, certificate, key, nonexpiring_probe, token, member or
    /// sunset; may be repeated.
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,

    /// What Patchbay renews by itself too, not only what a person has to see to.
    #[arg(long)]
    pub(crate) all: bool,

    /// Make an address at which a calendar reads the deadlines; the one before opens nothing any more.
    #[arg(long, conflicts_with_all = ["ics", "within", "kind", "all"])]
    pub(crate) feed_link: bool,

    /// Revoke that address.
    #[arg(long, conflicts_with_all = ["ics", "within", "kind", "all", "feed_link"])]
    pub(crate) revoke_feed_link: bool,

    /// Write a calendar (iCalendar) of what a person has to see to within two years into this file, or - for standard output.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["within", "kind", "all"])]
    pub(crate) ics: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Trust {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// The provider at which the role is to be assumed, such as storage_aws_s3.
    #[arg(value_name = "PROVIDER")]
    pub(crate) provider: String,

    /// The region whose token service is asked; the one of the example where missing.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// aws, aws-cn or aws-us-gov.
    #[arg(long, value_name = "PARTITION")]
    pub(crate) partition: Option<String>,
}

#[derive(Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// List rows, newest first.
    List(AuditList),
    /// Show one row with what changed, field by field.
    Show(AuditOne),
    /// Write every row that passes the filters, oldest first.
    Export(AuditExportArguments),
}

#[derive(Args)]
pub(crate) struct AuditList {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Conditions such as operation[eq]accounts.delete or created_at[gte]2026-01-01T00:00:00Z; may be repeated.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Vec<String>,

    /// Sort keys such as created_at[asc]; may be repeated.
    #[arg(long, value_name = "ORDER")]
    pub(crate) order: Vec<String>,

    /// Most rows to list.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
}

#[derive(Args)]
pub(crate) struct AuditOne {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Id of the row.
    #[arg(value_name = "AUDIT_ID")]
    pub(crate) audit: String,
}

#[derive(Args)]
pub(crate) struct AuditExportArguments {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// How to write it.
    #[arg(long, value_enum, default_value_t = LogFormat::Jsonl)]
    pub(crate) format: LogFormat,

    /// Conditions such as audit_type[eq]ERROR; may be repeated.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Vec<String>,

    /// Sort keys such as created_at[desc]; may be repeated.
    #[arg(long, value_name = "ORDER")]
    pub(crate) order: Vec<String>,

    /// File to write; standard output where missing.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// JSON Lines: one row per line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
}

#[derive(Args)]
pub(crate) struct Undo {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    #[command(flatten)]
    pub(crate) organization: OrganizationArguments,

    /// Id of the audit row whose change to take back.
    #[arg(value_name = "AUDIT_ID", required_unless_present = "last")]
    pub(crate) audit: Option<String>,

    /// Take back the newest change that was made by yourself and is not taken back yet.
    #[arg(long, conflicts_with = "audit")]
    pub(crate) last: bool,
}

fn store_url(text: &str) -> Result<StoreUrl, String> {
    text.parse().map_err(|problem: patchbay_model::Problem| problem.message)
}

fn account_and_name(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((account, name)) if !account.is_empty() && !name.is_empty() && !name.contains('/') => Ok((account.to_owned(), name.to_owned())),
        _ => Err("write it as ACCOUNT/NAME, for example acme/jira".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn integrations_are_an_account_and_a_name() {
        assert_eq!(account_and_name("acme/jira"), Ok(("acme".to_owned(), "jira".to_owned())));
        for bad in ["", "acme", "/jira", "acme/", "a/b/c"] {
            assert!(account_and_name(bad).is_err(), "{bad:?} must be refused");
        }
    }
}
