//! Who agreed, to what, and when: the receipt of a consent, and the end user behind it.

use patchbay_model::consent::ConnectSession;
use patchbay_model::end_user::{ConsentReceipt, EndUser, Subject};
use patchbay_model::integration::Integration;
use patchbay_model::name::name_and_fullname;
use patchbay_model::{EndUserId, Fullname, Name, Operation, Problem, ReceiptId, Timestamp};
use patchbay_store::WriteTx;

use crate::audit::record::{Done, record_for};
use crate::call::ProbeOutcome;
use crate::oauth::bounded;
use crate::{CallerInfo, Engine};

/// The scopes that were granted: those of the answer, else those asked for (RFC 6749 section 5.1).
pub(super) fn granted(answered: Option<&str>, asked: &[String], separator: &str) -> Vec<String> {
    let Some(answered) = answered else { return asked.to_vec() };
    let separator = separator.trim();
    let parts = answered.split(|c: char| c.is_whitespace() || separator.contains(c)).filter(|scope| !scope.is_empty());
    let mut scopes: Vec<String> = Vec::new();
    for scope in parts {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}

/// Writes the receipt of a consent, in the transaction that stores its tokens; earlier receipts of the integration end. The
/// person is the one whom the consent was begun for, else the one whom the provider names; a person seen for the first time
/// is made.
///
/// # Errors
/// Problems of the store.
pub(super) async fn write(
    engine: &Engine,
    tx: &mut WriteTx,
    caller: &CallerInfo,
    session: &ConnectSession,
    integration: &Integration,
    (scopes, expires_at): (Vec<String>, Option<Timestamp>),
    outcome: Option<&ProbeOutcome>,
) -> Result<(), Problem> {
    let now = engine.now();
    let subject = outcome.and_then(|outcome| outcome.id.clone()).map(|subject| Subject { provider: integration.provider.clone(), issuer: session.issuer.clone(), subject });
    let person = match session.end_user_id {
        Some(id) => tx.end_user(id).await?.filter(|person| person.account_id == integration.account_id),
        None => None,
    };
    let person = match (person, &subject) {
        (None, Some(subject)) => tx.end_user_by_subject(integration.account_id, subject).await?,
        (person, _) => person,
    };
    let person = match (person, outcome) {
        (Some(mut person), outcome) => {
            person.last_seen_at = Some(now);
            if let (None, Some(email)) = (&person.email, outcome.and_then(email)) {
                person.email = Some(email);
                person.updated_at = now;
            }
            tx.update_end_user(&person).await?;
            Some(person)
        }
        (None, Some(outcome)) if outcome.id.is_some() => Some(made(engine, tx, caller, session, integration, outcome).await?),
        (None, _) => None,
    };
    let receipt = ConsentReceipt {
        id: ReceiptId::from_uuid(engine.context().new_uuid()),
        organization_id: integration.organization_id,
        account_id: integration.account_id,
        integration_id: integration.id,
        end_user_id: person.map(|person| person.id),
        connect_session_id: Some(session.id),
        provider: integration.provider.clone(),
        issuer: subject.as_ref().and_then(|subject| subject.issuer.clone()),
        scopes,
        subject: subject.map(|subject| subject.subject),
        granted_at: now,
        ended_at: None,
        erased_at: None,
        expires_at,
        revocation_id: None,
        withdrawn_by: None,
    };
    Ok(tx.insert_receipt(&receipt).await?)
}

/// An end user out of what the provider tells of the person.
async fn made(engine: &Engine, tx: &mut WriteTx, caller: &CallerInfo, session: &ConnectSession, integration: &Integration, outcome: &ProbeOutcome) -> Result<EndUser, Problem> {
    let now = engine.now();
    let id = EndUserId::from_uuid(engine.context().new_uuid());
    let email = email(outcome);
    let told = outcome.name.as_deref().map(bounded).filter(|name| !name.is_empty()).or_else(|| email.clone());
    let fullname = told.and_then(|told| Fullname::parse(&told).ok());
    let (mut name, _) = name_and_fullname(None, fullname.as_ref().map(Fullname::as_str), id.uuid())?;
    let fullname = match fullname {
        Some(fullname) => fullname,
        None => Fullname::parse(&format!("Person at {}", integration.provider))?,
    };
    if tx.find_end_user(integration.account_id, name.as_str()).await?.is_some() {
        // Two persons of one name: the end of the id tells them apart.
        let text = id.to_string();
        let tail = text.rsplit('-').next().unwrap_or_default();
        let stem: String = name.as_str().chars().take(Name::MAX - tail.len() - 1).collect();
        name = Name::parse(&format!("{stem}-{tail}"))?;
    }
    let person = EndUser {
        id,
        organization_id: integration.organization_id,
        account_id: integration.account_id,
        name,
        fullname,
        email,
        external_id: None,
        last_seen_at: Some(now),
        created_at: now,
        updated_at: now,
    };
    tx.insert_end_user(&person).await?;
    let done = Done::created(Operation::EndUsersCreate).in_account(person.account_id).on_integration(integration.id).after(&person).giving(person.id, person.name.as_str());
    record_for(engine, tx, person.organization_id, Some(session.member_id), caller, done).await?;
    Ok(person)
}

/// The address that a provider tells, where it has the shape of one.
fn email(outcome: &ProbeOutcome) -> Option<String> {
    outcome.email.as_deref().map(str::trim).filter(|text| Name::parse_email(text).is_ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::granted;

    #[test]
    fn scopes_are_those_of_the_answer_else_those_asked_for() {
        let asked = ["openid".to_owned(), "email".to_owned()];
        assert_eq!(granted(None, &asked, " "), asked);
        assert_eq!(granted(Some("openid  email openid"), &[], " "), asked);
        assert_eq!(granted(Some("openid,email"), &[], ","), asked);
        assert_eq!(granted(Some("openid,email"), &[], " "), ["openid,email"], "a comma separates only where the provider says so");
    }
}
