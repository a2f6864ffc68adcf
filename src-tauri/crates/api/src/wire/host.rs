//! What a window asks its host: the desktop application or the server behind the browser.

use patchbay_model::consent::ConsentRoute;
use patchbay_model::permission::PermissionSet;
use patchbay_model::web::LinkPurpose;
use patchbay_model::{Code, Fullname, MemberId, Name, Secret, Timestamp, TokenId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::organization::Organization;
use super::problem::Problem;

/// Where the interface runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// A window of the application.
    Desktop,
    /// A browser on `patchbay serve`.
    Web,
}

/// Who is signed in, where.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct SessionInfo {
    /// Where the interface runs.
    pub host: Host,
    /// The store that is open.
    pub store: StoreInfo,
    /// The organization.
    pub organization: Organization,
    /// Who acts.
    pub member: SessionMember,
    /// What the member may do; absent when roles of the organization's own decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub permission_set: Option<PermissionSet>,
    /// Whether the organization is the sample.
    pub sample: bool,
    /// Whether nothing can be changed here.
    pub read_only: bool,
    /// The address at which programs reach the APIs, where it is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub public_url: Option<String>,
    /// The redirect URI of the consent route `link`, where it is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub link_redirect_uri: Option<String>,
    /// Version of Patchbay.
    pub version: String,
    /// The token container that the session came from, where it came from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token_id: Option<TokenId>,
    /// When the session ends; absent in the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires: Option<Timestamp>,
}

/// Who acts in a session.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct SessionMember {
    /// Its id.
    pub id: MemberId,
    /// E-mail address, or slug of a service member.
    pub name: Name,
    /// Name for people.
    pub fullname: Fullname,
}

/// What a store is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// One local file.
    Sqlite,
    /// A PostgreSQL database.
    Postgres,
    /// Another Patchbay.
    Remote,
}

impl From<&patchbay_engine::installation::StoreUrl> for StoreKind {
    fn from(url: &patchbay_engine::installation::StoreUrl) -> Self {
        use patchbay_engine::installation::StoreUrl;
        match url {
            StoreUrl::Sqlite(_) => Self::Sqlite,
            StoreUrl::Postgres(_) => Self::Postgres,
            StoreUrl::Remote(_) => Self::Remote,
        }
    }
}

/// What a store is for, as the person marked it. The interface shows the mark everywhere, in colour and in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreMark {
    /// Nothing real depends on it.
    Test,
    /// Customers depend on it.
    Prod,
}

/// The store that is open.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct StoreInfo {
    /// A name for people: the one the person gave, the file's or the server's.
    pub label: String,
    /// What it is.
    pub kind: StoreKind,
    /// Where it is, without secrets; absent in a browser, whose server does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the person marked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<StoreMark>,
    /// Since when the other Patchbay does not answer; absent while it does, and for other kinds. Where it did not at the start,
    /// when it last did. What is read meanwhile was kept earlier, and nothing can be changed. Told by a change of the
    /// organization when it begins and when it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline_since: Option<Timestamp>,
}

/// Whether the application has a store open.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AppState {
    /// First run.
    NoStore {
        /// Where a new store would be made.
        default_path: String,
    },
    /// The store of last time is being opened, which takes a while over a network.
    Opening {
        /// The store.
        store: RecentStore,
        /// Where a new store would be made.
        default_path: String,
    },
    /// There is a store, but it does not open.
    Locked {
        /// The store.
        store: RecentStore,
        /// Why, for what the window offers to do about it.
        code: Code,
        /// What happened and what to do.
        message: String,
        /// Where a new store would be made.
        default_path: String,
    },
    /// A store is open.
    Open {
        /// The store.
        store: RecentStore,
    },
}

/// Params of `app.create_store`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CreateStore {
    /// `sqlite:PATH`, or a path; the usual place where left out.
    pub url: Option<String>,
    /// Name of the organization.
    pub organization: String,
    /// `keyring`, `passphrase` or `file:PATH`.
    pub key_source: String,
    /// For `passphrase`.
    #[ts(optional, type = "string")]
    pub passphrase: Option<Secret>,
}

/// Params of `app.open_store`. A store that was open before is opened by its address alone, unless it needs a secret that
/// nothing keeps.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct OpenStore {
    /// `sqlite:PATH` or a path, `postgres://USER@HOST/DATABASE`, or `https://HOST`. A password in the address of a database is
    /// taken out of it and kept in the keyring.
    pub url: String,
    /// `keyring`, `passphrase` or `file:PATH`; the one of last time where left out. None for another Patchbay.
    pub key_source: Option<String>,
    /// For `passphrase`.
    #[ts(optional, type = "string")]
    pub passphrase: Option<Secret>,
    /// Of the database's user, where its server asks for one; kept in the keyring and needed once.
    #[ts(optional, type = "string")]
    pub password: Option<Secret>,
    /// An organization access token of the other Patchbay; kept in the keyring and needed once.
    #[ts(optional, type = "string")]
    pub token: Option<Secret>,
    /// The refresh secret that came with the token, with which a new one is fetched before it ends; kept in the keyring.
    #[ts(optional, type = "string")]
    pub refresh: Option<Secret>,
}

/// Params of `app.forget_store`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
pub struct ForgetStore {
    /// Which, as `app.recent` names it.
    pub url: String,
}

/// Params of `app.mark_store`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct MarkStore {
    /// Which, as `app.recent` names it.
    pub url: String,
    /// What it is for; no mark where left out.
    pub mark: Option<StoreMark>,
    /// A name for people; the file's or server's where left out.
    pub label: Option<String>,
}

/// A store that was open before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct RecentStore {
    /// `sqlite:PATH`, `postgres://...` or `https://...`, without secrets.
    pub url: String,
    /// What it is.
    pub kind: StoreKind,
    /// A name for people: the one the person gave, the file's or the server's.
    pub label: String,
    /// Whether the person gave the name.
    pub named: bool,
    /// Whether the person marked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<StoreMark>,
    /// The key source that opened it; absent for another Patchbay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_source: Option<String>,
    /// Who acts there: the member at another Patchbay, the role in a database. Never a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// Long work on the open store.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct StoreWork {
    /// What is done.
    pub kind: WorkKind,
    /// Where a copy goes, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// When it began.
    pub begun_at: Timestamp,
    /// How far it has come; absent at the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<WorkStep>,
    /// When it ended; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What came of it; absent while it goes on, and when it was broken off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<WorkOutcome>,
}

/// What is done with the open store.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// It is looked through.
    Verify,
    /// It is copied into a new one.
    Copy,
}

/// How far long work has come.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct WorkStep {
    /// What is being done, in words.
    pub doing: String,
    /// Which table.
    pub table: String,
    /// Rows done.
    pub rows: u64,
    /// Rows in all.
    pub of: u64,
}

/// What came of long work.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
#[serde(tag = "came", rename_all = "snake_case")]
pub enum WorkOutcome {
    /// The store was looked through.
    Verified {
        /// What is wrong, a sentence each; empty when all is well.
        findings: Vec<String>,
        /// Rows that were read.
        rows: u64,
        /// Sealed values that were opened.
        sealed_values: u64,
    },
    /// The store was copied, and the copy read back and compared.
    Copied {
        /// Rows in it.
        rows: u64,
        /// Sealed values among them.
        sealed_values: u64,
    },
    /// It could not be done.
    Failed {
        /// Why.
        problem: Box<Problem>,
    },
}

/// Params of `store.copy`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CopyStore {
    /// Where the copy shall be: `sqlite:PATH` or a path, or `postgres://USER@HOST/DATABASE`. No store may be there.
    pub url: String,
    /// What protects the copy's secrets: `keyring`, `passphrase` or `file:PATH`. It has keys of its own.
    pub key_source: String,
    /// For `passphrase`.
    #[ts(optional, type = "string")]
    pub passphrase: Option<Secret>,
}

/// Params of `consent.connect`: the application begins the consent and takes the person there. The page's address stays
/// outside the web view; the outcome is read with `connect.get` when a change of the session is told.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
pub struct Connect {
    /// Of which account.
    pub account_id: String,
    /// Which integration.
    pub integration_id: String,
    /// `window`, `browser` or `paste`.
    pub route: ConsentRoute,
}

/// Params of `consent.switch`: the application goes on with a consent on another way.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
pub struct SwitchRoute {
    /// Which consent.
    pub connect_session_id: String,
    /// `window`, `browser` or `paste`.
    pub route: ConsentRoute,
}

/// Params of `app.handed`.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
pub struct AwaitHanded {
    /// The number of the last one that was seen; 0 for none.
    pub after: u32,
}

/// What became of what the application was started with a second time. `app.handed` answers when there is one.
#[derive(Clone, Debug, Default, Serialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct HandedOver {
    /// Rises with each.
    pub number: u32,
    /// The connection that works now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<Connected>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// A connection that was authorized.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Connected {
    /// Of which account.
    pub account_id: String,
    /// Which integration.
    pub integration_id: String,
}

/// Params of `file.save`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
pub struct SaveFile {
    /// Offered in the dialog.
    pub suggested_name: String,
    /// Text to write.
    pub content: String,
}

/// Result of `file.save`.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct SavedFile {
    /// Where it was written; absent when the person cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Body of `POST /session`: one of an organization token, a member's logon, or a one-time link.
#[derive(Clone, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct SignIn {
    /// An organization access token.
    #[ts(optional, type = "string")]
    pub token: Option<Secret>,
    /// Name or id of the organization, for a logon; may be left out when the store holds one.
    pub organization: Option<String>,
    /// The member's name, for a logon.
    pub name: Option<String>,
    /// The member's password, for a logon; the new password, with a one-time link.
    #[ts(optional, type = "string")]
    pub secret: Option<Secret>,
    /// The secret of a one-time link: alone for a set-up link, with `secret` for an invitation or reset.
    #[ts(optional, type = "string")]
    pub setup: Option<Secret>,
}

/// Body of `POST /session/link`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
pub struct LookAtLink {
    /// The secret of an invitation or reset.
    #[ts(type = "string")]
    pub link: Secret,
}

/// What an invitation or reset is for, told to its holder.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct LinkOffer {
    /// What it is for.
    #[ts(type = "\"invitation\" | \"reset\"")]
    pub purpose: LinkPurpose,
    /// Name of the organization, for people.
    pub organization: Fullname,
    /// The member's name, with which to sign in from then on.
    pub name: Name,
    /// The member's name for people.
    pub fullname: Fullname,
    /// Fewest characters of the new password; the most are 71.
    pub minimum_password_length: u32,
    /// Until when it works.
    pub expires: Timestamp,
}

impl From<patchbay_engine::member::LinkOffer> for LinkOffer {
    fn from(offer: patchbay_engine::member::LinkOffer) -> Self {
        Self {
            purpose: offer.purpose,
            minimum_password_length: offer.organization.options.minimum_password_length.unwrap_or(8),
            organization: offer.organization.fullname,
            name: offer.member.name,
            fullname: offer.member.fullname,
            expires: offer.expires,
        }
    }
}
