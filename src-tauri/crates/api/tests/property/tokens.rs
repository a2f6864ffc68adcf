//! The reference model of tokens (synqly-wire.md section 6, product.md section 3): containers with a primary and a secondary
//! pair, whose secrets are shown once.

use std::time::Duration;

use patchbay_model::Timestamp;
use serde_json::{Value, json};

use crate::model::{Against, Expected, Kind, Model, Row};
use crate::names::{derived, fullname, id_of, slug};
use crate::world::Call;

/// How long a container lives without being refreshed, and a single token of an integration, in seconds.
const LIVES: Duration = Duration::from_secs(90 * 86_400);
const SINGLE: Duration = Duration::from_secs(600);

/// A secret that was shown once.
pub(crate) struct Shown {
    pub(crate) secret: String,
    container: String,
    secondary: bool,
    ended: bool,
    expires: Timestamp,
}

impl Model {
    /// A container of tokens as it is made.
    pub(crate) fn container(&self, owner: &str, owner_type: &str, name: &Value, full: &Value, token_type: &str, id: &str) -> Expected {
        let mut against = Against::default();
        let given = full.as_str().filter(|text| !text.is_empty()).map(|text| against.field(fullname(text)));
        let name = match name.as_str().filter(|text| !text.is_empty()) {
            Some(name) => against.field(slug(name)),
            None => given.as_deref().and_then(derived).unwrap_or_else(|| id.to_owned()),
        };
        against.unless(!self.rows.iter().any(|row| row.is(Kind::Token, Some(owner)) && row.text("name") == name), "name_taken");
        let expires = self.now.plus(if owner_type == "integration" && token_type == "adhoc" { SINGLE } else { LIVES });
        let wire = json!({
            "id": id, "name": name, "fullname": given.unwrap_or_else(|| name.clone()), "member_id": self.actor, "owner_id": owner, "owner_type": owner_type,
            "token_type": token_type, "expires": expires, "created_at": self.now, "updated_at": self.now
        });
        against.end().map(|()| wire)
    }

    pub(crate) fn issue(&mut self, wire: Value, owner: &str, pair: &Value) {
        let id = wire["id"].as_str().unwrap_or_default().to_owned();
        self.show(&id, pair);
        self.rows.push(Row { kind: Kind::Token, id, parent: owner.to_owned(), wire, gone: None });
    }

    fn show(&mut self, container: &str, pair: &Value) {
        for half in ["access", "refresh"] {
            let secret = pair[half]["secret"].as_str().unwrap_or_default().to_owned();
            let expires = pair[half]["expires"].as_str().and_then(|text| text.parse().ok());
            if let (Some(expires), false) = (expires, secret.is_empty()) {
                self.shown.push(Shown { secret, container: container.to_owned(), secondary: false, ended: false, expires });
            }
        }
    }

    pub(crate) fn end(&mut self, container: &str, which: impl Fn(&Shown) -> bool) {
        self.shown.iter_mut().filter(|shown| shown.container == container && which(shown)).for_each(|shown| shown.ended = true);
    }

    /// Refresh and rotate keep the old pair as secondary; reset keeps nothing.
    pub(crate) fn token(&mut self, row: usize, verb: &str, call: &Call, made: &Value) -> Expected {
        let (id, owner) = (self.rows[row].id.clone(), self.rows[row].parent.clone());
        if ["rotate", "reset"].contains(&verb) && id_of(call.path("owner_id")).as_ref() != Some(&owner) {
            return Err(vec!["not_found"]);
        }
        self.end(&id, |shown| shown.secondary || verb == "reset");
        self.rows[row].wire["updated_at"] = json!(self.now);
        if verb == "remove_secondary" {
            return Ok(Value::Null);
        }
        for shown in self.shown.iter_mut().filter(|shown| shown.container == id) {
            shown.secondary = true;
        }
        self.show(&id, &made["primary"]);
        let single = self.rows[row].text("owner_type") == "integration" && self.rows[row].text("token_type") == "adhoc";
        self.rows[row].wire["expires"] = json!(self.now.plus(if single { SINGLE } else { LIVES }));
        Ok(self.rows[row].wire.clone())
    }

    /// Whether a secret still opens anything.
    pub(crate) fn lives(&self, shown: &Shown) -> bool {
        !shown.ended && shown.expires > self.now && self.rows.iter().any(|row| row.is(Kind::Token, None) && row.id == shown.container)
    }
}
