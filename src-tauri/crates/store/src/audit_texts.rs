//! The one change that rows of the audit log see: the data of a person who is erased is taken out of them.

use patchbay_model::end_user::EndUser;
use patchbay_model::{AccountId, AuditId};
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::error::Result;
use crate::transaction::{ReadTx, WriteTx};

/// What a row of the log holds of bodies and states.
#[derive(Clone, PartialEq, Debug)]
pub struct AuditTexts {
    /// Its id.
    pub id: AuditId,
    /// On which object it was.
    pub object: Option<Uuid>,
    /// The request's path.
    pub path: String,
    /// The request's body.
    pub body: Option<Value>,
    /// What came of it.
    pub response: Option<Value>,
    /// The object before.
    pub before: Option<Value>,
    /// The object after.
    pub after: Option<Value>,
}

#[derive(FromRow)]
struct TextsRow {
    id: Uuid,
    object_id: Option<Uuid>,
    path: String,
    body: Option<Json<Value>>,
    response: Option<Json<Value>>,
    before: Option<Json<Value>>,
    after: Option<Json<Value>>,
}

impl From<TextsRow> for AuditTexts {
    fn from(row: TextsRow) -> Self {
        let open = |json: Option<Json<Value>>| json.map(|json| json.0);
        Self {
            id: AuditId::from_uuid(row.id),
            object: row.object_id,
            path: row.path,
            body: open(row.body),
            response: open(row.response),
            before: open(row.before),
            after: open(row.after),
        }
    }
}

impl ReadTx {
    /// What the log holds on changes of a person.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn audit_texts_of(&mut self, person: &EndUser) -> Result<Vec<AuditTexts>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<TextsRow> = db::query_as("SELECT id, object_id, path, body, response, before, after FROM audit_events WHERE organization_id = $1 AND object_id = $2 AND (account_id = $3 OR $3 IS NULL) ORDER BY created_at, id")
            .bind(organization)
            .bind(person.id.uuid())
            .bind(account)
            .fetch_all(&mut self.tx)
            .await?;
        Ok(rows.into_iter().map(AuditTexts::from).collect())
    }

    /// What the log of an account holds in which a text occurs, ignoring the case of ASCII; and of refused calls about end
    /// users that belong to no account.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn audit_texts_mentioning(&mut self, account: AccountId, text: &str) -> Result<Vec<AuditTexts>> {
        let (organization, bound) = self.bound()?;
        let rows: Vec<TextsRow> = db::query_as("SELECT id, object_id, path, body, response, before, after FROM audit_events WHERE organization_id = $1 AND (account_id = $2 OR (account_id IS NULL AND operation LIKE 'end_users.%')) AND (account_id = $3 OR $3 IS NULL) AND lower(path || ' ' || coalesce(body, '') || ' ' || coalesce(response, '') || ' ' || coalesce(before, '') || ' ' || coalesce(after, '')) LIKE $4 ESCAPE '\\' ORDER BY created_at, id")
            .bind(organization)
            .bind(account.uuid())
            .bind(bound)
            .bind(pattern(text))
            .fetch_all(&mut self.tx)
            .await?;
        Ok(rows.into_iter().map(AuditTexts::from).collect())
    }
}

/// A pattern for a text as it stands inside of JSON.
fn pattern(text: &str) -> String {
    let quoted = Value::String(text.to_ascii_lowercase()).to_string();
    let inner = quoted.trim_start_matches('"').strip_suffix('"').unwrap_or(&quoted);
    let mut pattern = String::from("%");
    for c in inner.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl WriteTx {
    /// Writes back what is left of a row without a person.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn redact_audit(&mut self, texts: &AuditTexts) -> Result<()> {
        let organization = self.whole_organization("the audit log")?;
        db::query("UPDATE audit_events SET path = $3, body = $4, response = $5, before = $6, after = $7 WHERE id = $1 AND organization_id = $2")
            .bind(texts.id.uuid())
            .bind(organization)
            .bind(&texts.path)
            .bind(texts.body.as_ref().map(Json))
            .bind(texts.response.as_ref().map(Json))
            .bind(texts.before.as_ref().map(Json))
            .bind(texts.after.as_ref().map(Json))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_pattern_matches_the_text_as_json_holds_it() {
        assert_eq!(super::pattern("A_b%"), "%a\\_b\\%%");
        assert_eq!(super::pattern("say \"hi\""), "%say \\\\\"hi\\\\\"%", "quotes are escaped in JSON, and the backslash of that in the pattern");
    }
}
