//! Changes the organization.

use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
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
    organization.picture = logo(change.picture)?;
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

/// Most bytes of a picture that lies in the organization itself.
const LARGEST_LOGO: usize = 96 << 10;

/// Reads the organization's picture: the address of one, or the picture itself, which pages show without asking another server.
fn logo(text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(data) = text.as_deref().and_then(|text| text.strip_prefix("data:")) else { return picture(text) };
    let refuse = |what: &str| {
        Err(Problem::field("/picture", format!("{what} Give a PNG, JPEG or WebP picture of at most {} kB as a data: URL, or the URL of a picture.", LARGEST_LOGO >> 10)))
    };
    let Some((kind, encoded)) = data.split_once(";base64,") else { return refuse("The picture is not in base64.") };
    if encoded.len() > LARGEST_LOGO.div_ceil(3) * 4 {
        return refuse("The picture is too large.");
    }
    let Ok(bytes) = LENIENT.decode(encoded) else { return refuse("The picture is not in base64.") };
    if bytes.len() > LARGEST_LOGO {
        return refuse("The picture is too large.");
    }
    // What it is, it must also say: pages hand it to browsers under that name.
    let good = match kind {
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => bytes.starts_with(&[0xff, 0xd8, 0xff]),
        "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        _ => return refuse("The picture is of a type that pages do not show."),
    };
    if good { Ok(text) } else { refuse("The picture is not of the type that it says.") }
}

/// Base64 as pages write it, whatever stands in the bits that no byte uses.
const LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_a_picture_of_the_type_that_it_says() {
        let good = |text: &str| logo(Some(text.to_owned())).is_ok_and(|picture| picture.as_deref() == Some(text));
        assert!(good("data:image/png;base64,iVBORw0KGgo="));
        assert!(good("data:image/jpeg;base64,/9j/4A=="));
        assert!(good("data:image/webp;base64,UklGRgAAAABXRUJQ"));
        assert!(good("https://example.com/logo.png"));
        for bad in [
            "data:image/jpeg;base64,iVBORw0KGgo=",
            "data:image/svg+xml;base64,PHN2Zy8+",
            "data:text/html;base64,PHNjcmlwdD4=",
            "data:image/png,iVBORw0KGgo=",
            "data:image/png;base64,iVBORw0KGgo",
            "data:image/png;base64,iVBORw0KGgo=\" onerror=\"x",
            "javascript:alert(1)",
        ] {
            assert!(logo(Some(bad.to_owned())).is_err(), "{bad}");
        }
        assert!(good(&format!("data:image/jpeg;base64,/9j/{}", "A".repeat((LARGEST_LOGO - 3) / 3 * 4))));
        assert!(logo(Some(format!("data:image/jpeg;base64,/9j/{}", "A".repeat(LARGEST_LOGO / 3 * 4 + 4)))).is_err());
        assert_eq!(logo(Some(String::new())).unwrap(), None);
    }
}
