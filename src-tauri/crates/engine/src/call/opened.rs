//! A credential in clear, for the length of one call.

use base64::Engine as _;
use patchbay_model::credential::{Credential, CredentialKind};
use patchbay_model::{Code, Problem, Secret};
use patchbay_providers::Place;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::auth::ClientFields;
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
    /// An access token that was just given and is not stored yet, or never is.
    Fresh(Secret),
    /// A client, which mostly gets a token first.
    Client(Box<ClientFields>),
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
        let secret = || {
            serde_json::from_str::<SecretField>(plain.expose())
                .map(|fields| fields.secret)
                .map_err(|_| Problem::internal("a sealed credential has another form than Patchbay writes"))
        };
        match kind {
            CredentialKind::Basic => Ok(Self::Pair { username: public.get("username").and_then(Value::as_str).unwrap_or_default().to_owned(), secret: secret()? }),
            CredentialKind::Token | CredentialKind::Secret => Ok(Self::Single(secret()?)),
            CredentialKind::OAuthUser => Err(Problem::internal("tokens were opened without their credential")),
            CredentialKind::OAuthClient => ClientFields::read(public, plain)
                .map(|client| Self::Client(Box::new(client)))
                .ok_or_else(|| Problem::internal("a sealed credential has another form than Patchbay writes")),
            CredentialKind::Aws | CredentialKind::AwsRole | CredentialKind::TlsCertificate => Err(Problem::new(
                Code::InvalidConfig,
                format!("This version of Patchbay cannot use a credential of type `{}` yet. Choose another way to authenticate.", kind.as_str()),
            )),
        }
    }

    /// The header that carries it.
    ///
    /// # Errors
    /// `invalid_config` when the secret cannot stand in a header.
    pub(crate) fn header(&self, place: &Place) -> Result<Option<(HeaderName, HeaderValue)>, Problem> {
        let single = match self {
            Self::Nothing => return Ok(None),
            Self::Pair { secret, .. } | Self::Single(secret) | Self::Fresh(secret) => secret,
            Self::Client(client) => &client.secret,
            Self::Tokens { set, .. } => &set.main.access,
        };
        let (name, value) = match (place, self) {
            (Place::Basic, Self::Pair { username, secret }) => (AUTHORIZATION, Secret::new(format!("Basic {}", base64(username, secret)))),
            (Place::Basic, Self::Client(client)) => (AUTHORIZATION, Secret::new(format!("Basic {}", base64(&client.id, &client.secret)))),
            // What is to be exchanged for a token is never sent in its place.
            (_, Self::Client(_)) => return Err(unsupported()),
            (Place::Basic, _) => return Err(Problem::internal("a provider wants a user name, and the credential has none")),
            (Place::Bearer, _) => (AUTHORIZATION, Secret::new(format!("Bearer {}", single.expose()))),
            (Place::Nowhere, _) => return Ok(None),
            (place, _) => {
                let name = place.header().ok_or_else(unsupported)?;
                (HeaderName::from_bytes(name.as_bytes()).map_err(|_| Problem::internal("a manifest names an impossible header"))?, single.clone())
            }
        };
        let mut value = HeaderValue::from_bytes(value.expose().as_bytes())
            .map_err(|_| Problem::new(Code::InvalidConfig, "The stored secret has a line break or another character that cannot be sent. Enter it again."))?;
        // Keeps it out of debug output and out of the compression state of HTTP/2.
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    /// Tells a mask what to cover.
    pub(crate) fn cover(&self, mask: &mut Mask) {
        match self {
            Self::Nothing => {}
            Self::Pair { username, secret } => {
                mask.cover(secret);
                mask.cover(&Secret::new(base64(username, secret)));
            }
            Self::Single(secret) | Self::Fresh(secret) => mask.cover(secret),
            Self::Client(client) => {
                client.secrets().for_each(|secret| mask.cover(secret));
                mask.cover(&Secret::new(base64(&client.id, &client.secret)));
            }
            Self::Tokens { set, .. } => {
                set.secrets().for_each(|secret| mask.cover(secret));
            }
        }
    }
}

fn unsupported() -> Problem {
    Problem::new(Code::OperationUnsupported, "This version of Patchbay cannot send this credential the way the provider wants it. Choose another way to authenticate.")
}

fn base64(username: &str, secret: &Secret) -> String {
    base64::engine::general_purpose::STANDARD.encode(Secret::new(format!("{username}:{}", secret.expose())).expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(opened: &Opened, place: &Place) -> (String, String) {
        let (name, value) = opened.header(place).unwrap().unwrap();
        assert!(value.is_sensitive());
        (name.to_string(), String::from_utf8(value.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn a_credential_goes_where_the_manifest_says() {
        let public = serde_json::json!({ "username": "Aladdin" }).as_object().unwrap().clone();
        // The example of RFC 7617 section 2.
        let pair = Opened::of(CredentialKind::Basic, &public, &Secret::new(r#"{"secret":"open sesame"}"#)).unwrap();
        assert_eq!(header(&pair, &Place::Basic), ("authorization".to_owned(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned()));
        let single = Opened::of(CredentialKind::Token, &Map::new(), &Secret::new(r#"{"secret":"k"}"#)).unwrap();
        assert_eq!(header(&single, &serde_json::from_str(r#"{"header":"X-Redmine-API-Key"}"#).unwrap()), ("x-redmine-api-key".to_owned(), "k".to_owned()));
        assert_eq!(header(&single, &Place::Bearer).1, "Bearer k");
        assert!(Opened::Nothing.header(&Place::Bearer).unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_being_quoted() {
        let split = Opened::Single(Secret::new("PLANTED\r\nx-admin: 1"));
        let problem = split.header(&Place::Bearer).unwrap_err();
        assert!(problem.code == Code::InvalidConfig && !problem.message.contains("PLANTED"));
        let problem = Opened::of(CredentialKind::Token, &Map::new(), &Secret::new(r#"{"token":"PLANTED"}"#)).err().unwrap();
        assert!(!problem.message.contains("PLANTED"), "{}", problem.message);
    }
}
