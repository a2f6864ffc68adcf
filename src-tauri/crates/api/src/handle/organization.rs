//! `organization.*`

use patchbay_engine::organization;
use patchbay_model::organization::OrganizationOptions;
use patchbay_model::time::parse_lifetime;
use patchbay_model::{Problem, Timestamp};

use super::{Bare, With};
use crate::patch::{self, Writable};
use crate::request::{Json, Patch, from_value};
use crate::wire::envelope::Answer;
use crate::wire::organization::{self as wire, Organization, UpdateOrganization};

const WRITABLE: Writable = Writable { fields: &["name", "fullname", "contact", "reply_to", "picture", "options"], lists: &[] };

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<Organization>, Problem> {
    organization::get(call.engine, call.grant).await.map(|organization| Answer::of(organization.into()))
}

pub(crate) async fn update(call: With<'_, Json<UpdateOrganization>>) -> Result<Answer<Organization>, Problem> {
    let expected = call.body.0.x_patchbay.as_ref().and_then(|extra| extra.expected_updated_at);
    let change = change(call.body.0, expected)?;
    organization::update(call.engine, call.grant, change).await.map(|organization| Answer::of(organization.into()))
}

pub(crate) async fn patch(call: With<'_, Patch>) -> Result<Answer<Organization>, Problem> {
    let current = Organization::from(organization::get(call.engine, call.grant).await?);
    let expected = current.updated_at;
    let change = change(from_value(patch::apply(&current, call.body, &WRITABLE)?)?, Some(expected))?;
    organization::update(call.engine, call.grant, change).await.map(|organization| Answer::of(organization.into()))
}

fn change(body: UpdateOrganization, expected: Option<Timestamp>) -> Result<organization::UpdateOrganization, Problem> {
    Ok(organization::UpdateOrganization {
        name: body.name,
        fullname: Some(body.fullname),
        contact: body.contact,
        reply_to: body.reply_to,
        picture: body.picture,
        options: options(body.options.unwrap_or_default())?,
        expected,
    })
}

fn options(options: wire::OrganizationOptions) -> Result<OrganizationOptions, Problem> {
    let lifetime = |text: Option<String>, field: &str| match text {
        None => Ok(None),
        Some(text) => {
            parse_lifetime(&text).map(Some).ok_or_else(|| Problem::field(&format!("/options/{field}"), format!("The field {field} must be a lifetime such as 24h or 30m.")))
        }
    };
    Ok(OrganizationOptions {
        invite_duration: lifetime(options.invite_duration, "invite_duration")?,
        forgot_duration: lifetime(options.forgot_duration, "forgot_duration")?,
        password_duration: lifetime(options.password_duration, "password_duration")?,
        minimum_password_length: options.minimum_password_length,
    })
}
