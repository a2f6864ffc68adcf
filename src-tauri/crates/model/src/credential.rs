//! Credentials: metadata that lists show, pointing at a sealed value that only calls open.

use serde::{Deserialize, Serialize};

use crate::{AccountId, CredentialId, Fullname, IntegrationId, IntegrationPointId, Name, OrganizationId, SharedCredentialId, Timestamp, WebhookId};

/// Who owns a credential, for life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CredentialOwner {
    /// Shared by the integrations of an account.
    Account(AccountId),
    /// Of one integration.
    Integration(AccountId, IntegrationId),
    /// Shared by all integrations under a point.
    IntegrationPoint(IntegrationPointId),
    /// Signs what an organization webhook is sent.
    OrganizationWebhook(WebhookId),
}

impl CredentialOwner {
    /// `owner_type` on the wire.
    pub const fn owner_type(self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Integration(..) => "integration",
            Self::IntegrationPoint(_) => "integration_point",
            Self::OrganizationWebhook(_) => "organization_webhook",
        }
    }

    /// The account within which it is visible, if one.
    pub const fn account(self) -> Option<AccountId> {
        match self {
            Self::Account(account) | Self::Integration(account, _) => Some(account),
            Self::IntegrationPoint(_) | Self::OrganizationWebhook(_) => None,
        }
    }
}

/// The kind of a credential: `type` of its config on the wire (synqly-wire.md section 7), and `o_auth_user`, ours, for
/// what a person authorized by consent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// AWS access key.
    Aws,
    /// AWS role to assume.
    AwsRole,
    /// One bearer secret.
    Token,
    /// User name and password or API token.
    Basic,
    /// Any other single secret.
    Secret,
    /// Client credentials grant (RFC 6749 section 4.4).
    OAuthClient,
    /// Client certificate.
    TlsCertificate,
    /// Tokens obtained by authorization code grant (RFC 6749 section 4.1).
    OAuthUser,
}

impl CredentialKind {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsRole => "aws_role",
            Self::Token => "token",
            Self::Basic => "basic",
            Self::Secret => "secret",
            Self::OAuthClient => "o_auth_client",
            Self::TlsCertificate => "tls_certificate",
            Self::OAuthUser => "o_auth_user",
        }
    }

    /// Reads the word of [`Self::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Aws, Self::AwsRole, Self::Token, Self::Basic, Self::Secret, Self::OAuthClient, Self::TlsCertificate, Self::OAuthUser].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Where the sealed value lies (product.md section 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealedAt {
    /// In `integration_instances.credentials` of this integration.
    Integration(IntegrationId),
    /// In `shared_credentials.credentials`.
    Shared(SharedCredentialId),
    /// Nowhere yet: a consent is awaited, or the value was given back.
    Nowhere,
}

/// A credential's metadata as stored. Non-secret parts (user name, client id) are in `public_config`.
#[derive(Clone, PartialEq, Debug)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Whose credential.
    pub organization_id: OrganizationId,
    /// Its owner.
    pub owner: CredentialOwner,
    /// Its slug, unique per owner.
    pub name: Name,
    /// Its name for people.
    pub fullname: Fullname,
    /// Its kind.
    pub kind: CredentialKind,
    /// The parts that are no secret, as on the wire.
    pub public_config: serde_json::Map<String, serde_json::Value>,
    /// Where the sealed value lies.
    pub sealed_at: SealedAt,
    /// When it ends, if known: of a set of tokens, when the access token does.
    pub expires: Option<Timestamp>,
    /// Whether Patchbay made it from an inline secret or a consent (`Managed`), or a person did (`Unmanaged`).
    pub managed: bool,
    /// When the secret was last entered or obtained.
    pub secret_set_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An AEAD envelope as it stands in a `credentials` column. What it holds can be opened by the vault alone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// Version of the format; 1.
    pub v: u32,
    /// Id of the data key under which it is sealed.
    pub key_id: String,
    /// Base64 of nonce and ciphertext.
    pub ct: String,
}
