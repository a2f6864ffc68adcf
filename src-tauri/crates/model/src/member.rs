//! Members: persons and service accounts that act within an organization.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::permission::RoleName;
use crate::{Fullname, MemberId, Name, OrganizationId, Timestamp};

/// Person or program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberType {
    /// A person; the name is an e-mail address.
    #[default]
    Personal,
    /// A program; the name is a slug.
    Service,
}

/// Whether a member can sign in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// May sign in.
    Enabled,
    /// Switched off by an administrator.
    Disabled,
    /// Has an invitation and no password of its own yet.
    Invited,
    /// Locked after repeated failures.
    Locked,
    /// Has a reset link.
    Forgotten,
}

/// A member as stored. The password's hash is kept by the store beside it and is not part of this.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    /// Its id.
    pub id: MemberId,
    /// Whose member.
    pub organization_id: OrganizationId,
    /// E-mail address, or slug of a service member.
    pub name: Name,
    /// Name for people.
    pub fullname: Fullname,
    /// Short name.
    pub nickname: Option<String>,
    /// URL of a picture.
    pub picture: Option<String>,
    /// Person or program.
    pub member_type: MemberType,
    /// Whether it can sign in.
    pub state: MemberState,
    /// Roles bound to it.
    pub role_binding: Vec<RoleName>,
    /// How long the member lives after its creation, if limited.
    pub ttl: Option<Duration>,
    /// Lifetime of the tokens of a logon.
    pub token_ttl: Duration,
    /// When the member ends.
    pub expires: Option<Timestamp>,
    /// When the password must be changed.
    pub pin_expires: Option<Timestamp>,
    /// Failed logons since the last good one.
    pub failed_logons: u32,
    /// Last good logon.
    pub last_logon: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
