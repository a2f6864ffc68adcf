//! What a revocation needs to speak with the provider, sealed into its row: the integration may be gone by then.

use std::collections::BTreeMap;

use patchbay_model::credential::CredentialKind;
use patchbay_model::{Problem, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::opened::Opened;
use crate::call::{kept_of, settings_of};
use crate::consent::REDIRECT_KEY;
use crate::oauth::TokenSet;

/// What is kept until the end.
#[derive(Deserialize)]
pub(super) struct Kept {
    /// Of which kind the credential was.
    pub(super) kind: CredentialKind,
    /// `type` of the credential in the configuration.
    #[serde(default)]
    pub(super) word: Option<String>,
    /// The integration's configuration.
    pub(super) config: Value,
    /// Fields of the credential that are no secret.
    pub(super) public: Map<String, Value>,
    /// The plain text of the credential, in the form in which it was sealed before.
    pub(super) plain: Secret,
}

#[derive(Serialize)]
struct Written<'a> {
    kind: CredentialKind,
    word: Option<&'a str>,
    config: &'a Value,
    public: &'a Map<String, Value>,
    plain: &'a str,
}

impl Kept {
    /// Reads what [`Self::to_secret`] wrote.
    ///
    /// # Errors
    /// `internal` when it is something else; nothing of it is quoted.
    pub(super) fn from_secret(secret: &Secret) -> Result<Self, Problem> {
        serde_json::from_str(secret.expose()).map_err(|_| Problem::internal("what a revocation keeps has another form than Patchbay writes"))
    }

    /// The plain text to seal.
    ///
    /// # Errors
    /// Never in practice.
    pub(super) fn to_secret(&self) -> Result<Secret, Problem> {
        let written = Written { kind: self.kind, word: self.word.as_deref(), config: &self.config, public: &self.public, plain: self.plain.expose() };
        serde_json::to_string(&written).map(Secret::new).map_err(|_| Problem::internal("what a revocation keeps could not be written"))
    }

    /// The tokens, where a person had authorized them.
    ///
    /// # Errors
    /// `internal` when they have another form than Patchbay writes.
    pub(super) fn set(&self) -> Result<Option<TokenSet>, Problem> {
        match self.kind {
            CredentialKind::OAuthUser => TokenSet::from_secret(&self.plain).map(Some),
            _ => Ok(None),
        }
    }

    /// The configuration as adapters see it.
    pub(super) fn settings(&self) -> Map<String, Value> {
        settings_of(&self.config)
    }

    /// The address to which the consent came back.
    pub(super) fn redirect_uri(&self) -> Option<&str> {
        self.public.get(REDIRECT_KEY).and_then(Value::as_str)
    }

    /// What answers and callbacks brought beside the tokens, secrets aside.
    pub(super) fn beside(&self) -> BTreeMap<String, String> {
        kept_of(&self.public)
    }

    /// What was entered, to go with a request.
    ///
    /// # Errors
    /// As [`Opened::of`].
    pub(super) fn entered(&self) -> Result<Opened, Problem> {
        Opened::of(self.kind, &self.public, &self.plain)
    }
}

/// When the main access token of a set ends by itself; none where it has no end.
pub(super) fn end_of(set: &TokenSet) -> Option<Timestamp> {
    set.main.end()
}
