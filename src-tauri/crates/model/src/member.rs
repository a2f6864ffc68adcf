//! Members: persons and service accounts that act within an organization.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::permission::RoleName;
use crate::web::LinkPurpose;
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

/// What moves a member from one state to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemberMove {
    /// An administrator lets it sign in; one that has no password yet is invited instead.
    Enable {
        /// Whether there is a password to sign in with.
        has_password: bool,
    },
    /// An administrator switches it off.
    Disable,
    /// An administrator locks it, until one unlocks it.
    Lock,
    /// An invitation is made for it.
    Invite,
    /// A reset link is made for it; its old password is worth nothing from then on.
    Forget,
    /// Wrong passwords came one after the other.
    LockOut,
    /// The lock for wrong passwords is over.
    LockOver,
    /// It chose its password through the link that its state waits for.
    Redeem(LinkPurpose),
}

impl MemberState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Enabled, Self::Disabled, Self::Invited, Self::Locked, Self::Forgotten];

    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Invited => "invited",
            Self::Locked => "locked",
            Self::Forgotten => "forgotten",
        }
    }

    /// The state after a move; none where the move cannot be made from this state.
    pub const fn after(self, step: MemberMove) -> Option<Self> {
        match (step, self) {
            (MemberMove::Enable { has_password: true }, _) => Some(Self::Enabled),
            (MemberMove::Enable { has_password: false } | MemberMove::Invite, Self::Disabled | Self::Invited | Self::Locked | Self::Forgotten) => Some(Self::Invited),
            (MemberMove::Disable, _) => Some(Self::Disabled),
            (MemberMove::Lock, _) => Some(Self::Locked),
            // A link for a member that is switched off would let it in again.
            (MemberMove::Forget, Self::Enabled | Self::Locked | Self::Forgotten) => Some(Self::Forgotten),
            (MemberMove::LockOut, Self::Enabled) => Some(Self::Locked),
            (MemberMove::LockOver, Self::Locked) => Some(Self::Enabled),
            (MemberMove::Redeem(LinkPurpose::Invitation), Self::Invited) | (MemberMove::Redeem(LinkPurpose::Reset), Self::Forgotten) => Some(Self::Enabled),
            _ => None,
        }
    }
}

/// What can be asked for of a new member (`options.options` on the wire).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberOption {
    /// It begins switched off.
    Disabled,
    /// Its password must be changed at the first logon.
    Expired,
    /// Its password is good for nothing; a reset link is passed on.
    Forgotten,
    /// It chooses its password itself, through an invitation.
    Invited,
    /// It begins locked, until an administrator unlocks it.
    Locked,
}

impl MemberOption {
    /// The state in which a member with this option begins.
    pub const fn state(self) -> Option<MemberState> {
        match self {
            Self::Disabled => Some(MemberState::Disabled),
            Self::Forgotten => Some(MemberState::Forgotten),
            Self::Invited => Some(MemberState::Invited),
            Self::Locked => Some(MemberState::Locked),
            Self::Expired => None,
        }
    }
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
    /// Failed logons in a row, since the last good one or the last lock.
    pub failed_logons: u32,
    /// Until when no password is looked at, after too many wrong ones. Without it, `locked` lasts until an administrator
    /// unlocks.
    pub locked_until: Option<Timestamp>,
    /// Whether there is a password.
    pub has_password: bool,
    /// Last good logon.
    pub last_logon: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Member {
    /// Whether its logons are refused unseen, after too many wrong passwords.
    pub fn locked_out(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| until > now)
    }

    /// Whether tokens of the member work. A lock is against guessing of the password and a reset is about a forgotten one:
    /// tokens that were issued before keep working, so that nobody can be shut out by wrong passwords alone.
    pub fn acts(&self) -> bool {
        matches!(self.state, MemberState::Enabled | MemberState::Locked | MemberState::Forgotten)
    }

    /// Whether it must change its password before anything else: the password or the member itself has expired.
    pub fn must_change_password(&self, now: Timestamp) -> bool {
        self.expired(now) || self.pin_expires.is_some_and(|expires| expires <= now)
    }

    /// Whether the member's own time is over; a change of its password begins it anew.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether it can sign in without an administrator's help, now or as soon as a lock for wrong passwords is over.
    pub fn comes_in_alone(&self) -> bool {
        self.has_password && (self.state == MemberState::Enabled || (self.state == MemberState::Locked && self.locked_until.is_some()))
    }

    /// Whether it is a root administrator, who can do everything.
    pub fn is_root(&self) -> bool {
        self.role_binding.iter().any(|role| role.as_str() == RoleName::ROOT_ADMINISTRATOR)
    }

    /// Makes a move, where the present state allows it. Says whether it was made.
    #[must_use = "a move that the state does not allow changes nothing"]
    pub fn make(&mut self, step: MemberMove) -> bool {
        let Some(state) = self.state.after(step) else { return false };
        self.state = state;
        if step != MemberMove::LockOut {
            self.failed_logons = 0;
            self.locked_until = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_allows_its_moves_and_no_other() {
        use MemberState::{Disabled, Enabled, Forgotten, Invited, Locked};
        let table: [(MemberMove, [Option<MemberState>; 5]); 9] = [
            (MemberMove::Enable { has_password: true }, [Some(Enabled); 5]),
            (MemberMove::Enable { has_password: false }, [None, Some(Invited), Some(Invited), Some(Invited), Some(Invited)]),
            (MemberMove::Disable, [Some(Disabled); 5]),
            (MemberMove::Lock, [Some(Locked); 5]),
            (MemberMove::Invite, [None, Some(Invited), Some(Invited), Some(Invited), Some(Invited)]),
            (MemberMove::Forget, [Some(Forgotten), None, None, Some(Forgotten), Some(Forgotten)]),
            (MemberMove::LockOut, [Some(Locked), None, None, None, None]),
            (MemberMove::Redeem(LinkPurpose::Invitation), [None, None, Some(Enabled), None, None]),
            (MemberMove::Redeem(LinkPurpose::Reset), [None, None, None, None, Some(Enabled)]),
        ];
        for (step, expected) in table {
            for (state, expected) in MemberState::ALL.into_iter().zip(expected) {
                assert_eq!(state.after(step), expected, "{step:?} from {}", state.as_str());
            }
        }
        assert!(MemberState::ALL.into_iter().all(|state| state.after(MemberMove::Redeem(LinkPurpose::Setup)).is_none()), "a set-up link changes no password");
    }
}
