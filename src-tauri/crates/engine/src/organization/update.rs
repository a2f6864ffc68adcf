//! Changes the organization.

use std::time::Duration;

use patchbay_model::organization::{Organization, OrganizationOptions};
use patchbay_model::{Fullname, Name, Operation, Problem};

use super::UpdateOrganization;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Changes the organization.
///
/// # Errors
/// `permission_denied`, `invalid_field`, `name_taken`, `update_conflict`; problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, change: UpdateOrganization) -> Result<Organization, Problem> {
    grant.require(Operation::OrganizationUpdate, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let mut organization = tx.organization().await?;
    let before = organization.clone();
    reach::unchanged(change.expected, organization.updated_at, "organization", organization.id)?;
    if let Some(name) = change.name.filter(|name| *name != organization.name.as_str()) {
        organization.name = Name::parse(&name)?;
    }
    if let Some(fullname) = change.fullname {
        organization.fullname = Fullname::parse(&fullname)?;
    }
    organization.contact = address(change.contact, "/contact")?;
    organization.reply_to = address(change.reply_to, "/reply_to")?;
    organization.picture = picture(change.picture)?;
    organization.options = checked(change.options)?;
    organization.updated_at = engine.now();
    tx.update_organization(&organization).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::OrganizationUpdate).before(&before).after(&organization).giving(organization.id, organization.name.as_str())).await?;
    tx.commit().await?;
    Ok(organization)
}

fn address(text: Option<String>, pointer: &str) -> Result<Option<String>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    Name::parse_email(&text).map_err(|_| Problem::field(pointer, format!("{pointer} must be an e-mail address, such as ada@example.com.")))?;
    Ok(Some(text))
}

/// Reads the URL of a picture.
pub(crate) fn picture(text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let good = text.len() <= 2000 && url::Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if good { Ok(Some(text)) } else { Err(Problem::field("/picture", "The picture must be an http or https URL of at most 2000 characters.")) }
}

/// The bounds of the wire's `OrganizationOptions`; of the password's length those of a password.
fn checked(options: OrganizationOptions) -> Result<OrganizationOptions, Problem> {
    const DAY: u64 = 24;
    const WEEK: u64 = 7 * DAY;
    if options.minimum_password_length.is_some_and(|length| !(8..=71).contains(&length)) {
        return Err(Problem::field("/options/minimum_password_length", "The minimum password length must be between 8 and 71."));
    }
    for (duration, most, pointer) in [
        (options.invite_duration, WEEK, "/options/invite_duration"),
        (options.forgot_duration, WEEK, "/options/forgot_duration"),
        (options.password_duration, 365 * DAY, "/options/password_duration"),
    ] {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        if duration.is_some_and(|duration| duration < hours(DAY) || duration > hours(most)) {
            return Err(Problem::field(pointer, format!("{pointer} must be between {DAY}h and {most}h, one day and {} days.", most / 24)));
        }
    }
    Ok(options)
}
