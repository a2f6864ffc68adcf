//! Makes an end user.

use patchbay_model::end_user::EndUser;
use patchbay_model::name::name_and_fullname;
use patchbay_model::{EndUserId, Fullname, Name, Operation, Problem};

use super::CreateEndUser;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Makes an end user of an account.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, account: &str, new: CreateEndUser) -> Result<EndUser, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let account = reach::account(&mut tx, grant, account).await?;
    grant.require(Operation::EndUsersCreate, Some(&account))?;
    let now = engine.now();
    let id = EndUserId::from_uuid(engine.context().new_uuid());
    let email = email(new.email)?;
    let fullname = new
        .fullname
        .filter(|text| !text.is_empty())
        .map(Ok)
        .or_else(|| email.as_deref().filter(|_| new.name.is_none()).map(|email| Fullname::cut(email).map(|cut| cut.to_string())))
        .transpose()?;
    let (name, fullname) = name_and_fullname(new.name.as_deref(), fullname.as_deref(), id.uuid())?;
    let person = EndUser {
        id,
        organization_id: account.organization_id,
        account_id: account.id,
        name,
        fullname,
        email,
        external_id: external_id(new.external_id)?,
        last_seen_at: None,
        created_at: now,
        updated_at: now,
    };
    tx.insert_end_user(&person).await?;
    record(engine, &mut tx, grant, Done::created(Operation::EndUsersCreate).in_account(account.id).after(&person).giving(id, person.name.as_str())).await?;
    tx.commit().await?;
    Ok(person)
}

/// Reads an e-mail address; it is kept as it is written.
pub(super) fn email(text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else { return Ok(None) };
    Name::parse_email(&text).map_err(|_| Problem::field("/email", "The email must be an e-mail address, such as ada@example.com. Correct it, or leave it out."))?;
    Ok(Some(text))
}

/// Reads an external id.
pub(super) fn external_id(text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > 200 || text.trim() != text || text.chars().any(char::is_control) {
        return Err(Problem::field("/external_id", "The external_id must be 1 to 200 characters without blanks at its ends. Correct it."));
    }
    Ok(Some(text))
}
