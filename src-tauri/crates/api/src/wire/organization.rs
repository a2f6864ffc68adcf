//! The organization on the wire.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use patchbay_model::schema::Lifetime;
use patchbay_model::time::format_lifetime;
use patchbay_model::{Fullname, Name, OrganizationId, Timestamp, TokenId, organization};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::query::UpdateExtra;

/// The organization of the token.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Organization {
    pub id: OrganizationId,
    pub refresh_token_id: TokenId,
    /// Always `root`: there are no sub-organizations.
    pub organization_type: String,
    pub name: Name,
    pub fullname: Fullname,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub contact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reply_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub options: Option<OrganizationOptions>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub x_patchbay: Option<OrganizationExtra>,
}

/// What is ours on an organization.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct OrganizationExtra {
    /// Whether it is the sample, filled with believable data on mock providers.
    pub sample: bool,
}

/// Policy for members; lifetimes as `24h`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct OrganizationOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Lifetime>")]
    pub invite_duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Lifetime>")]
    pub forgot_duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Lifetime>")]
    pub password_duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 8, max = 71))]
    pub minimum_password_length: Option<u32>,
}

/// A URL of at most 2000 characters; or a picture in base64 that begins as its type does.
const PICTURE: &str = r"^$|^https?://[^\s\x00-\x1f]{1,1990}$|^data:image/(png;base64,iVBORw0KGg[opqr][A-Za-z0-9+/]|jpeg;base64,/9j/|webp;base64,UklGR[A-Za-z0-9+/]{5}[BFJNRVZdhlptx159]XRUJQ)([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

/// PUT of the organization: the whole object; what is read-only in it is ignored.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct UpdateOrganization {
    #[schemars(with = "Option<Name>")]
    pub name: Option<String>,
    #[schemars(with = "Fullname")]
    pub fullname: String,
    #[schemars(with = "Option<patchbay_model::schema::NewEmail>")]
    pub contact: Option<String>,
    #[schemars(with = "Option<patchbay_model::schema::NewEmail>")]
    pub reply_to: Option<String>,
    /// The URL of a picture, or a PNG, JPEG or WebP picture of at most 96 kB as a data: URL. Connect pages show the latter.
    #[schemars(length(max = 131_200), regex(pattern = PICTURE))]
    pub picture: Option<String>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub options: Option<OrganizationOptions>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<UpdateExtra>,
}

impl From<&organization::OrganizationOptions> for OrganizationOptions {
    fn from(options: &organization::OrganizationOptions) -> Self {
        Self {
            invite_duration: options.invite_duration.map(format_lifetime),
            forgot_duration: options.forgot_duration.map(format_lifetime),
            password_duration: options.password_duration.map(format_lifetime),
            minimum_password_length: options.minimum_password_length,
        }
    }
}

impl From<organization::Organization> for Organization {
    fn from(organization: organization::Organization) -> Self {
        let options = (organization.options != organization::OrganizationOptions::default()).then(|| (&organization.options).into());
        Self {
            id: organization.id,
            refresh_token_id: organization.refresh_token_id,
            organization_type: "root".to_owned(),
            name: organization.name,
            fullname: organization.fullname,
            contact: organization.contact,
            reply_to: organization.reply_to,
            picture: organization.picture,
            options,
            created_at: organization.created_at,
            updated_at: organization.updated_at,
            x_patchbay: Some(OrganizationExtra { sample: organization.sample }),
        }
    }
}
