//! Members and their logon on the wire.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use patchbay_model::member::{self, MemberOption, MemberState, MemberType};
use patchbay_model::permission::RoleName;
use patchbay_model::schema::{Lifetime, LifetimeOrNone, MemberName, NewFullname};
use patchbay_model::time::format_lifetime;
use patchbay_model::web::LinkPurpose;
use patchbay_model::{Fullname, MemberId, Name, Secret, Timestamp, TokenId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::organization::Organization;
use super::query::UpdateExtra;
use super::token::TokenPair;

/// A person or program that acts within the organization.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Member {
    pub id: MemberId,
    pub name: Name,
    pub fullname: Fullname,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub picture: Option<String>,
    pub state: MemberState,
    /// The wire has no way to say never: then it is 1970-01-01.
    pub last_logon: Timestamp,
    /// As `24h`; `0s` when the member does not end.
    pub ttl: String,
    pub token_ttl: String,
    /// The wire has no way to say never: then it is 9999-12-31.
    pub expires: Timestamp,
    /// The wire has no way to say never: then it is 9999-12-31.
    pub pin_expires: Timestamp,
    pub role_binding: Vec<RoleName>,
    #[serde(rename = "type")]
    pub member_type: MemberType,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub x_patchbay: Option<MemberExtra>,
}

/// What is ours on a member.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct MemberExtra {
    /// Failed logons in a row.
    pub failed_logons: u32,
    /// Until when no password is looked at, after too many wrong ones. A member that is `locked` without it was locked by an
    /// administrator, until one unlocks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub locked_until: Option<Timestamp>,
    /// Whether it has a password; without one it can be invited, not enabled.
    pub has_password: bool,
}

/// Body of `members.create_link`.
#[derive(Clone, Copy, Debug, Deserialize, TS, JsonSchema)]
pub struct CreateLink {
    /// `invitation` for a member that has yet to choose its first password, `reset` for one that needs a new one: its old
    /// password is worth nothing from then on.
    #[ts(type = "\"invitation\" | \"reset\"")]
    pub purpose: LinkPurpose,
}

/// Result of `members.create_link`: shown once, to be passed on.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct MemberLink {
    /// Where the person chooses a password, once. Without a served Patchbay it is only the end of the address.
    pub url: String,
    #[ts(type = "\"invitation\" | \"reset\"")]
    pub purpose: LinkPurpose,
    /// Until when it works.
    pub expires: Timestamp,
    /// What is missing for the link to work, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
}

/// Body of `members.create`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CreateMember {
    /// E-mail address of a person, slug of a program.
    #[schemars(with = "MemberName")]
    pub name: String,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
    #[schemars(length(max = 100), regex(pattern = r"^[^\x00-\x1f\x7f-\x9f]*$"))]
    pub nickname: Option<String>,
    #[schemars(length(max = 2000), regex(pattern = r"^$|^https?://[^\s\x00-\x1f]+$"))]
    pub picture: Option<String>,
    /// 8 to 71 characters, not easy to guess. A member without one is invited and cannot sign in yet.
    #[ts(optional, type = "string")]
    pub secret: Option<Secret>,
    #[schemars(with = "Option<Vec<RoleName>>")]
    pub role_binding: Option<Vec<String>>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub options: Option<MemberOptions>,
    #[serde(rename = "type")]
    pub member_type: Option<MemberType>,
}

/// Options of a new member.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct MemberOptions {
    #[schemars(with = "Option<Lifetime>")]
    pub ttl: Option<String>,
    /// `expired` forces a change of password at the first logon; at most one of the others says in which state it begins.
    pub options: Option<Vec<MemberOption>>,
    #[schemars(with = "Option<Lifetime>")]
    pub token_ttl: Option<String>,
}

/// Result of `members.create`.
#[derive(Clone, Serialize, TS, JsonSchema)]
pub struct MemberCreated {
    pub member: Member,
}

/// PUT of a member: the whole object; what is read-only in it is ignored.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct UpdateMember {
    #[schemars(with = "Option<MemberName>")]
    pub name: Option<String>,
    #[schemars(with = "Fullname")]
    pub fullname: String,
    #[schemars(length(max = 100), regex(pattern = r"^[^\x00-\x1f\x7f-\x9f]*$"))]
    pub nickname: Option<String>,
    #[schemars(length(max = 2000), regex(pattern = r"^$|^https?://[^\s\x00-\x1f]+$"))]
    pub picture: Option<String>,
    pub state: Option<MemberState>,
    /// Counted from now where it changes.
    #[schemars(with = "Option<LifetimeOrNone>")]
    pub ttl: Option<String>,
    #[schemars(with = "Option<Lifetime>")]
    pub token_ttl: Option<String>,
    pub expires: Option<Timestamp>,
    pub pin_expires: Option<Timestamp>,
    #[schemars(with = "Option<Vec<RoleName>>")]
    pub role_binding: Option<Vec<String>>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<UpdateExtra>,
}

/// Body of `auth.logon`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
pub struct Logon {
    pub name: String,
    #[ts(type = "string")]
    pub secret: Secret,
}

/// Result of `auth.logon`.
#[derive(Clone, Serialize, TS, JsonSchema)]
pub struct LoggedOn {
    /// `success`, or `expired` when the password must be changed.
    pub auth_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub auth_msg: Option<String>,
    pub refresh_token_id: TokenId,
    pub token: TokenPair,
    pub organization: Organization,
    pub member: Member,
}

/// Body of `auth.change_password`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
pub struct ChangePassword {
    #[ts(type = "string")]
    pub old_secret: Secret,
    #[ts(type = "string")]
    pub new_secret: Secret,
}

/// Result of `auth.change_password`.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct PasswordChanged {
    /// `success`.
    pub auth_code: String,
}

/// The `ttl` of a member that does not end.
pub(crate) const NO_END: &str = "0s";

/// 9999-12-31T23:59:59Z in microseconds: a point that programs take for never.
const NEVER_MICROS: i64 = 253_402_300_799_000_000;

/// A point in time as a PUT gives it back; none for the one that stands for never.
pub(crate) fn unless_never(at: Timestamp) -> Option<Timestamp> {
    (at.unix_micros() < NEVER_MICROS).then_some(at)
}

impl From<member::Member> for Member {
    fn from(member: member::Member) -> Self {
        let never = Timestamp::from_unix_micros(NEVER_MICROS).unwrap_or(member.created_at);
        let before = Timestamp::from_unix_micros(0).unwrap_or(member.created_at);
        Self {
            id: member.id,
            name: member.name,
            fullname: member.fullname,
            nickname: member.nickname,
            picture: member.picture,
            state: member.state,
            last_logon: member.last_logon.unwrap_or(before),
            ttl: member.ttl.map_or_else(|| NO_END.to_owned(), format_lifetime),
            token_ttl: format_lifetime(member.token_ttl),
            expires: member.expires.unwrap_or(never),
            pin_expires: member.pin_expires.unwrap_or(never),
            role_binding: member.role_binding,
            member_type: member.member_type,
            created_at: member.created_at,
            updated_at: member.updated_at,
            x_patchbay: Some(MemberExtra { failed_logons: member.failed_logons, locked_until: member.locked_until, has_password: member.has_password }),
        }
    }
}
