//! Erases an end user: the person's data is removed everywhere, and what the person connected keeps working.

use patchbay_model::change::ChangeKind;
use patchbay_model::end_user::{EndUser, Erasure};
use patchbay_model::{Operation, Problem};
use patchbay_store::{AuditTexts, ReadTx};
use serde_json::{Map, Value, json};

use super::get::reached;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// What stands where data of the person was.
const ERASED: &str = "[erased]";

/// What an erasure takes, asked before it is done. It cannot be undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErasureImpact {
    /// Receipts that lose person and subject; that somebody agreed, to what and when, stays known.
    pub receipts: u64,
    /// Integrations that the person authorized and that keep working.
    pub integrations: u64,
    /// Rows of the audit log in which the person's data is redacted.
    pub audit_events: u64,
}

/// What an erasure takes.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, account: &str, person: &str) -> Result<ErasureImpact, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (_, person) = reached(&mut tx, grant, Operation::EndUsersImpact, account, person).await?;
    let Erasure { receipts, in_force } = tx.erasure(&person).await?;
    let traces = Traces::gather(&mut tx, &person).await?;
    let audit_events = traces.rows(&mut tx, &person).await?.len() as u64;
    Ok(ErasureImpact { receipts, integrations: in_force, audit_events })
}

/// Erases an end user for good: the row, person and subject of the receipts, the name in ended consents, and every mention
/// in the audit log of the account. Integrations that the person authorized keep working. It cannot be undone.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn erase(engine: &Engine, grant: &ManagementGrant, account: &str, person: &str) -> Result<(), Problem> {
    // Rows of the log without an account may speak of the person too, and the log is the organization's.
    let mut tx = reach::writing_organization(engine, grant).await?;
    let (account, person) = reached(&mut tx, grant, Operation::EndUsersErase, account, person).await?;
    let traces = Traces::gather(&mut tx, &person).await?;
    tx.erase_end_user(&person, engine.now()).await?;
    // Without the state before: that is what is to be forgotten.
    let done = Done::deleted(Operation::EndUsersErase).in_account(account.id).object(ChangeKind::EndUser, person.id.uuid()).giving(person.id, ERASED);
    record(engine, &mut tx, grant, done).await?;
    // Behind the record, whose path may name the person.
    for row in traces.rows(&mut tx, &person).await? {
        let redacted = traces.redacted(row, &person);
        tx.redact_audit(&redacted).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// By what a person is recognised in texts, now and as it was before its changes.
struct Traces {
    /// Slugs, in paths and as whole texts.
    names: Vec<String>,
    /// What is telling even inside of a longer text: e-mail addresses.
    anywhere: Vec<String>,
    /// What says something only as a whole text: full names, external ids, subjects at providers.
    whole: Vec<String>,
}

impl Traces {
    async fn gather(tx: &mut ReadTx, person: &EndUser) -> Result<Self, Problem> {
        let mut traces = Self { names: Vec::new(), anywhere: Vec::new(), whole: tx.subjects_of(person).await? };
        traces.take(&crate::audit::snapshot::Snapshot::snapshot(person));
        for row in tx.audit_texts_of(person).await? {
            for state in [row.before, row.after].into_iter().flatten() {
                traces.take(&state);
            }
        }
        for list in [&mut traces.names, &mut traces.anywhere, &mut traces.whole] {
            for text in list.iter_mut() {
                text.make_ascii_lowercase();
            }
            list.sort();
            list.dedup();
        }
        Ok(traces)
    }

    /// Takes the traces out of a snapshot.
    fn take(&mut self, state: &Value) {
        let text = |key: &str| state.get(key).and_then(Value::as_str).filter(|text| !text.is_empty() && *text != ERASED).map(str::to_owned);
        self.names.extend(text("name"));
        self.anywhere.extend(text("email"));
        self.whole.extend(text("fullname").into_iter().chain(text("external_id")));
    }

    async fn rows(&self, tx: &mut ReadTx, person: &EndUser) -> Result<Vec<AuditTexts>, Problem> {
        let mut found = tx.audit_texts_of(person).await?;
        for text in self.names.iter().chain(&self.anywhere).chain(&self.whole) {
            found.extend(tx.audit_texts_mentioning(person.account_id, text).await?);
        }
        found.sort_by_key(|row| row.id);
        found.dedup_by_key(|row| row.id);
        // What was found by a part of a word changes nothing.
        Ok(found.into_iter().filter(|row| self.redacted(row.clone(), person) != *row).collect())
    }

    fn redacted(&self, row: AuditTexts, person: &EndUser) -> AuditTexts {
        let about = row.object == Some(person.id.uuid());
        let state = |state: Option<Value>| match state {
            Some(state) if about => Some(without_person(&state)),
            other => other.map(|state| self.walk(state)),
        };
        AuditTexts {
            path: self.path(&row.path),
            body: row.body.map(|body| if about { Value::String(ERASED.to_owned()) } else { self.walk(body) }),
            response: row.response.map(|response| if about { without_person(&response) } else { self.walk(response) }),
            before: state(row.before),
            after: state(row.after),
            ..row
        }
    }

    fn path(&self, path: &str) -> String {
        let mut behind = false;
        let segments = path.split('/').map(|segment| {
            let named = behind && self.names.iter().any(|name| name.eq_ignore_ascii_case(segment));
            behind = segment == "end-users";
            if named { ERASED } else { segment }
        });
        segments.collect::<Vec<_>>().join("/")
    }

    fn walk(&self, value: Value) -> Value {
        match value {
            Value::String(text) if self.tells(&text) => Value::String(ERASED.to_owned()),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.walk(item)).collect()),
            Value::Object(members) => Value::Object(members.into_iter().map(|(key, value)| (key, self.walk(value))).collect::<Map<_, _>>()),
            other => other,
        }
    }

    fn tells(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        self.anywhere.iter().any(|trace| text.contains(trace.as_str())) || self.whole.contains(&text)
    }
}

/// What is left of the state of a person: its id.
fn without_person(state: &Value) -> Value {
    json!({ "id": state.get("id"), "name": ERASED })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_in_texts_and_paths() {
        let traces = Traces { names: vec!["ada".into()], anywhere: vec!["ada@example.com".into()], whole: vec!["ada lovelace".into(), "7".into()] };
        assert_eq!(traces.path("/v1/x/accounts/ada/end-users/Ada/receipts"), "/v1/x/accounts/ada/end-users/[erased]/receipts", "an account of that name is no person");
        let body = json!({ "to": ["write to Ada@Example.com now"], "who": "Ada Lovelace", "count": "77", "subject": "7", "city": "Adana" });
        assert_eq!(traces.walk(body), json!({ "to": [ERASED], "who": ERASED, "count": "77", "subject": ERASED, "city": "Adana" }));
    }
}
