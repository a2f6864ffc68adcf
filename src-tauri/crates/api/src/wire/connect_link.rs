//! Connect links, ours alone.
#![expect(missing_docs, reason = "fields are those of the model")]

use patchbay_model::public_link::{LinkState, PublicLink};
use patchbay_model::schema::Lifetime;
use patchbay_model::{AccountId, EndUserId, IntegrationId, IntegrationPointId, MemberId, ProviderId, PublicLinkId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An address by which a customer's person connects a provider without signing in.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ConnectLink {
    pub id: PublicLinkId,
    pub account_id: AccountId,
    /// The integration that it connects, if it is for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_id: Option<IntegrationId>,
    /// The point of whose providers the person chooses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_point_id: Option<IntegrationPointId>,
    /// The provider, where it is for one that no point governs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub provider: Option<ProviderId>,
    /// For whom, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub end_user_id: Option<EndUserId>,
    /// Who made it; what is done by it is done in this member's name.
    pub member_id: MemberId,
    pub state: LinkState,
    /// How many connections can still be made with it.
    pub uses_left: u32,
    /// Where its last page leads back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub return_url: Option<String>,
    pub expires: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// Result of `connect_links.create`.
#[derive(Clone, Serialize, TS, JsonSchema)]
pub struct ConnectLinkCreated {
    #[serde(flatten)]
    pub link: ConnectLink,
    /// The address; shown this once.
    pub url: String,
    /// The address as a QR code, an SVG picture. Absent where nothing serves the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub qr: Option<String>,
    /// What there is to know about the address, where it does not work as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
}

/// Body of `connect_links.create`: one of integration, point and provider says what is connected.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CreateConnectLink {
    /// Id or name of the account.
    #[schemars(with = "patchbay_model::schema::IdOrName")]
    pub account_id: String,
    /// Id or name of an integration of the account, to connect it or to connect it anew.
    pub integration_id: Option<String>,
    /// Id or name of a point: the person chooses one of the providers that it allows.
    pub integration_point_id: Option<String>,
    /// Id of a provider, for an integration that no point governs.
    pub provider: Option<String>,
    /// Id or name of the end user whom the link is for.
    pub end_user_id: Option<String>,
    /// How long it works, such as `168h`: seven days where left out, thirty at most.
    #[schemars(with = "Option<Lifetime>")]
    pub ttl: Option<String>,
    /// How many connections can be made with it; one where left out.
    #[schemars(range(min = 1, max = 1000))]
    pub uses: Option<u32>,
    /// Where its last page leads back to.
    #[schemars(length(max = 2000), regex(pattern = r"^$|^https?://[A-Za-z0-9][^\s@\\\x00-\x1f]*$"))]
    pub return_url: Option<String>,
}

impl ConnectLink {
    /// The view of a link at a point in time; none of one that is not for an account.
    pub fn view(link: PublicLink, now: Timestamp) -> Option<Self> {
        let state = link.state(now);
        Some(Self {
            id: link.id,
            account_id: link.account_id?,
            integration_id: link.integration_id,
            integration_point_id: link.integration_point_id,
            provider: link.settings.provider,
            end_user_id: link.end_user_id,
            member_id: link.member_id,
            state,
            uses_left: link.uses_left.unwrap_or_default(),
            return_url: link.settings.return_url,
            expires: link.expires,
            last_used_at: link.last_used_at,
            revoked_at: link.revoked_at,
            created_at: link.created_at,
        })
    }
}
