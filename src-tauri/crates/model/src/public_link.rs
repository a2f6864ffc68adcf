//! Public links: addresses that open one thing for whoever holds them, without a sign-in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccountId, EndUserId, IntegrationId, IntegrationPointId, MemberId, OrganizationId, ProviderId, PublicLinkId, ReceiptId, Timestamp};

/// What a public link opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublicLinkPurpose {
    /// The pages on which a customer's person connects a provider.
    Connect,
    /// The receipt of one consent.
    Receipt,
    /// The calendar of deadlines.
    Calendar,
}

impl PublicLinkPurpose {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Receipt => "receipt",
            Self::Calendar => "calendar",
        }
    }
}

/// What else is known of a link.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkSettings {
    /// The one provider that it offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// Where the last page leads back to. It stands in the page as a link; nobody is sent there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Integrations that it made and that do not work yet, by provider: whoever tries again goes on with them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unfinished: BTreeMap<ProviderId, IntegrationId>,
}

/// Whether a link opens anything, and if not, why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// It works.
    Live,
    /// It was used as often as it may be.
    Used,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

/// A public link, as stored. Its secret is kept as a keyed hash.
#[derive(Clone, PartialEq, Debug)]
pub struct PublicLink {
    /// Its id.
    pub id: PublicLinkId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// In which account, if in one.
    pub account_id: Option<AccountId>,
    /// For which integration, if for one that is there.
    pub integration_id: Option<IntegrationId>,
    /// Under which point, if under one.
    pub integration_point_id: Option<IntegrationPointId>,
    /// For whom, where that is known.
    pub end_user_id: Option<EndUserId>,
    /// Of which consent, for a receipt.
    pub receipt_id: Option<ReceiptId>,
    /// Who made it; what is done by the link is done in this member's name.
    pub member_id: MemberId,
    /// What it opens.
    pub purpose: PublicLinkPurpose,
    /// What else is known of it.
    pub settings: LinkSettings,
    /// When it ends.
    pub expires: Timestamp,
    /// How often it can still be used; none: as often as one likes.
    pub uses_left: Option<u32>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl PublicLink {
    /// Whether it works now.
    pub fn state(&self, now: Timestamp) -> LinkState {
        if self.revoked_at.is_some() {
            LinkState::Revoked
        } else if self.uses_left == Some(0) {
            LinkState::Used
        } else if self.expires <= now {
            LinkState::Expired
        } else {
            LinkState::Live
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_link_works_until_it_is_used_over_or_taken_back() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let live = PublicLink {
            id: PublicLinkId::from_uuid(Uuid::nil()),
            organization_id: OrganizationId::from_uuid(Uuid::nil()),
            account_id: None,
            integration_id: None,
            integration_point_id: None,
            end_user_id: None,
            receipt_id: None,
            member_id: MemberId::from_uuid(Uuid::nil()),
            purpose: PublicLinkPurpose::Connect,
            settings: LinkSettings::default(),
            expires: now.plus(std::time::Duration::from_secs(1)),
            uses_left: Some(1),
            last_used_at: None,
            revoked_at: None,
            created_at: now,
        };
        assert_eq!(live.state(now), LinkState::Live);
        assert_eq!(live.state(live.expires), LinkState::Expired, "at its end it is over");
        assert_eq!(PublicLink { uses_left: Some(0), ..live.clone() }.state(now), LinkState::Used);
        assert_eq!(PublicLink { uses_left: None, ..live.clone() }.state(now), LinkState::Live);
        assert_eq!(PublicLink { revoked_at: Some(now), uses_left: Some(0), ..live }.state(now), LinkState::Revoked);
    }
}
