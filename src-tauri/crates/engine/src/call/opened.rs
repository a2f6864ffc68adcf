//! A credential in clear, for the length of one call.

use base64::Engine as _;
use patchbay_model::credential::{Credential, CredentialKind};
use patchbay_model::{Code, Problem, Secret};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::auth::{AwsKeys, ClientFields, RoleFields};
use crate::http::Mask;
use crate::oauth::TokenSet;

/// What goes with requests.
#[derive(Clone)]
pub(crate) enum Opened {
    /// The provider needs no credential.
    Nothing,
    /// User name and password or API token.
    Pair {
        /// RFC 7617 section 2.
        username: String,
        /// Password or token.
        secret: Secret,
    },
    /// A single secret.
    Single(Secret),
    /// What a person just authorized and is not stored yet.
    Fresh(Box<TokenSet>),
    /// A client, which mostly gets a token first.
    Client(Box<ClientFields>),
    /// An access key of AWS.
    Aws(Box<AwsKeys>),
    /// A role of AWS, of which nothing is secret.
    Role(Box<RoleFields>),
    /// What a person authorized. It is renewed on the way where that is due.
    Tokens {
        /// Whose tokens.
        credential: Box<Credential>,
        /// The set in force.
        set: TokenSet,
    },
}

#[derive(Deserialize)]
struct SecretField {
    secret: Secret,
}

impl Opened {
    /// Reads the plain text of a sealed value (its form stands in `crate::sealing`).
    ///
    /// # Errors
    /// `internal` when it is not of the kind's form.
    pub(crate) fn of(kind: CredentialKind, public: &Map<String, Value>, plain: &Secret) -> Result<Self, Problem> {
        // Of the parser's words nothing is passed on: they could quote the value.
        let other = || Problem::internal("a sealed credential has another form than Patchbay writes");
        let secret = || serde_json::from_str::<SecretField>(plain.expose()).map(|fields| fields.secret).map_err(|_| other());
        match kind {
            CredentialKind::Basic => Ok(Self::Pair { username: public.get("username").and_then(Value::as_str).unwrap_or_default().to_owned(), secret: secret()? }),
            CredentialKind::Token | CredentialKind::Secret => Ok(Self::Single(secret()?)),
            CredentialKind::OAuthUser => Err(Problem::internal("tokens were opened without their credential")),
            CredentialKind::OAuthClient => ClientFields::read(public, plain).map(|client| Self::Client(Box::new(client))).ok_or_else(other),
            CredentialKind::Aws => AwsKeys::read(public, plain).map(|keys| Self::Aws(Box::new(keys))).ok_or_else(other),
            CredentialKind::AwsRole => RoleFields::read(public).map(|role| Self::Role(Box::new(role))).ok_or_else(other),
            CredentialKind::TlsCertificate => Err(Problem::new(
                Code::InvalidConfig,
                "This version of Patchbay cannot authenticate with a certificate yet, and no provider of the catalog asks for one. Choose another way to authenticate.",
            )),
        }
    }

    /// What a person authorized, where somebody did.
    pub(crate) fn set(&self) -> Option<&TokenSet> {
        match self {
            Self::Fresh(set) => Some(set),
            Self::Tokens { set, .. } => Some(set),
            _ => None,
        }
    }

    /// Tells a mask what to cover.
    pub(crate) fn cover(&self, mask: &mut Mask) {
        match self {
            Self::Nothing | Self::Role(_) => {}
            Self::Pair { username, secret } => {
                mask.cover(secret);
                mask.cover(&Secret::new(base64(username, secret)));
            }
            Self::Single(secret) => mask.cover(secret),
            Self::Aws(keys) => keys.secrets().for_each(|secret| mask.cover(secret)),
            Self::Client(client) => {
                client.secrets().for_each(|secret| mask.cover(secret));
                mask.cover(&Secret::new(base64(&client.id, &client.secret)));
            }
            Self::Fresh(_) | Self::Tokens { .. } => {
                self.set().into_iter().flat_map(TokenSet::secrets).for_each(|secret| mask.cover(secret));
            }
        }
    }
}

fn base64(username: &str, secret: &Secret) -> String {
    base64::engine::general_purpose::STANDARD.encode(Secret::new(format!("{username}:{}", secret.expose())).expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_by_its_kind() {
        let public = |value: Value| value.as_object().cloned().unwrap();
        let role = public(serde_json::json!({ "role_arn": "arn:aws:iam::1:role/x", "external_id": "e" }));
        assert!(matches!(Opened::of(CredentialKind::AwsRole, &role, &Secret::new("{}")), Ok(Opened::Role(_))));
        let keys = public(serde_json::json!({ "access_key_id": "AKIA" }));
        assert!(matches!(Opened::of(CredentialKind::Aws, &keys, &Secret::new(r#"{"secret_access_key":"s","session":"t"}"#)), Ok(Opened::Aws(keys)) if keys.session.is_some()));
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_being_quoted() {
        for kind in [CredentialKind::Token, CredentialKind::Aws, CredentialKind::OAuthClient] {
            let problem = Opened::of(kind, &Map::new(), &Secret::new(r#"{"token":"PLANTED"}"#)).err().unwrap();
            assert!(!problem.message.contains("PLANTED"), "{}", problem.message);
        }
    }
}
