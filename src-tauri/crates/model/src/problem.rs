//! The closed table of errors (product.md section 7, synqly-wire.md section 3).
//!
//! One object serves the HTTP APIs, the window's IPC and the command line. A code is added only together with the place
//! that raises it. Messages say what happened, to which object, and what to do.

use serde::Serialize;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:literal, $title:literal;)+) => {
        /// Why something was refused or failed.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, serde::Deserialize, ts_rs::TS, schemars::JsonSchema)]
        pub enum Code {$(
            $(#[$doc])*
            #[serde(rename = $text)]
            $variant,
        )+}

        impl Code {
            /// Every code, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code on the wire; also the end of `urn:patchbay:problem:CODE`.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text),+ } }

            /// The HTTP status.
            pub const fn status(self) -> u16 { match self { $(Self::$variant => $status),+ } }

            /// A short title that is the same for every occurrence.
            pub const fn title(self) -> &'static str { match self { $(Self::$variant => $title),+ } }
        }
    };
}

codes! {
    /// The request as a whole cannot be understood.
    InvalidRequest = "invalid_request", 400, "Invalid request";
    /// The body is not the JSON that the operation takes.
    InvalidBody = "invalid_body", 400, "Invalid body";
    /// One field or parameter has a value that is not allowed.
    InvalidField = "invalid_field", 400, "Invalid field";
    /// A filter cannot be read or names an unknown field.
    InvalidFilter = "invalid_filter", 400, "Invalid filter";
    /// An order cannot be read or names an unknown field.
    InvalidOrder = "invalid_order", 400, "Invalid order";
    /// A cursor or `start_after` is not one that was given out.
    InvalidCursor = "invalid_cursor", 400, "Invalid cursor";
    /// A JSON Patch (RFC 6902) cannot be applied.
    InvalidPatch = "invalid_patch", 400, "Invalid patch";
    /// A change cannot be taken back.
    NotUndoable = "not_undoable", 400, "Cannot be undone";
    /// A provider configuration does not match the provider's schema.
    InvalidConfig = "invalid_config", 400, "Invalid provider configuration";
    /// A manifest cannot be read, contradicts itself, or does not go with the catalog.
    ManifestInvalid = "manifest_invalid", 400, "Manifest not valid";
    /// An image of a store or organization is not whole, was changed, or does not fit.
    InvalidImage = "invalid_image", 400, "Image cannot be used";
    /// A password is too short, too long or easy to guess.
    WeakPassword = "weak_password", 400, "Weak password";
    /// The integration point does not allow this provider in this environment.
    ProviderNotAllowed = "provider_not_allowed", 400, "Provider not allowed";
    /// This version of the provider's definition was withdrawn and must not be pinned anew.
    DefinitionWithdrawn = "definition_withdrawn", 400, "Definition withdrawn";
    /// The integration's status does not allow calls.
    IntegrationNotActive = "integration_not_active", 400, "Integration not active";
    /// The provider no longer accepts the credential; a person must connect again.
    NeedsReconnect = "needs_reconnect", 400, "Reconnect needed";
    /// No provider app with a client id is set up for a provider that needs one.
    ProviderAppMissing = "provider_app_missing", 400, "Provider app missing";
    /// A consent link or answer is older than it may be.
    ConsentExpired = "consent_expired", 400, "Consent expired";
    /// The state of a callback belongs to no running consent.
    ConsentUnknown = "consent_unknown", 400, "Consent unknown";
    /// The callback was used before.
    ConsentReplayed = "consent_replayed", 400, "Consent already finished";
    /// The callback came to another address than the one that was registered for it.
    ConsentCallbackMismatch = "consent_callback_mismatch", 400, "Wrong callback address";
    /// The callback names another issuer (RFC 9207).
    ConsentIssuerMismatch = "consent_issuer_mismatch", 400, "Wrong issuer";
    /// The person or the provider refused.
    ConsentDenied = "consent_denied", 400, "Consent denied";
    /// The answer was brought by another browser than the one that the consent was begun in.
    ConsentOtherBrowser = "consent_other_browser", 400, "Another browser";
    /// The provider or this place does not allow this way to consent.
    ConsentRouteUnavailable = "consent_route_unavailable", 400, "Way not available";
    /// No token was sent.
    TokenMissing = "token_missing", 401, "Token missing";
    /// The token is malformed, unknown, expired or revoked.
    TokenInvalid = "token_invalid", 401, "Token not valid";
    /// Name or password are wrong, or the member may not sign in.
    LogonFailed = "logon_failed", 401, "Logon failed";
    /// The password is right, and the member was switched off.
    MemberDisabled = "member_disabled", 401, "Member disabled";
    /// The password is right, and the member has yet to accept its invitation.
    MemberInvited = "member_invited", 401, "Member invited";
    /// The password is right, and an administrator locked the member.
    MemberLocked = "member_locked", 401, "Member locked";
    /// A token of one kind was used where the other kind is needed.
    WrongTokenKind = "wrong_token_kind", 403, "Wrong kind of token";
    /// The token's permissions do not cover this.
    PermissionDenied = "permission_denied", 403, "Permission denied";
    /// There is no such object within reach.
    NotFound = "not_found", 404, "Not found";
    /// A public link is unknown, used, too old or taken back, or its maker lost the right to it.
    LinkInvalid = "link_invalid", 404, "Link not valid";
    /// The path exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// The name is used already.
    NameTaken = "name_taken", 409, "Name taken";
    /// The object is used by others and cannot go.
    InUse = "in_use", 409, "In use";
    /// The object changed since it was read.
    UpdateConflict = "update_conflict", 409, "Update conflict";
    /// The request is larger than allowed.
    PayloadTooLarge = "payload_too_large", 413, "Payload too large";
    /// The body is not of a type that the operation takes.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type";
    /// The caller sends too much.
    RateLimited = "rate_limited", 429, "Rate limited";
    /// The provider asked us to slow down.
    ProviderRateLimited = "provider_rate_limited", 429, "Rate limited by the provider";
    /// A fault of ours.
    Internal = "internal", 500, "Internal error";
    /// A sealed value does not open: moved, damaged, or sealed under a lost key.
    SealBroken = "seal_broken", 500, "Sealed value does not open";
    /// The provider does not offer this operation.
    OperationUnsupported = "operation_unsupported", 501, "Operation not supported";
    /// The provider refused the request.
    ProviderRefused = "provider_refused", 502, "Provider refused";
    /// The provider cannot be reached.
    ProviderUnreachable = "provider_unreachable", 502, "Provider unreachable";
    /// The provider's answer cannot be used.
    ProviderInvalidAnswer = "provider_invalid_answer", 502, "Unusable answer from the provider";
    /// The target address is private or loopback, and the operator does not allow those.
    PrivateTarget = "private_target", 502, "Private target refused";
    /// The store is busy with another writer.
    StoreBusy = "store_busy", 503, "Store busy";
    /// The disk is full or the file system read-only.
    StoreReadOnly = "store_read_only", 503, "Store cannot be written";
    /// The server of the store's database does not prove who it is.
    StoreUntrusted = "store_untrusted", 500, "Store's server not trusted";
    /// The server of the store's database does not let the login in.
    StoreRefused = "store_refused", 500, "Store's server refuses the login";
    /// A backup of the store could not be made.
    BackupFailed = "backup_failed", 503, "Backup failed";
    /// The server is about to end and takes no new work.
    ShuttingDown = "shutting_down", 503, "Shutting down";
    /// The provider did not answer in time.
    ProviderTimeout = "provider_timeout", 504, "Provider timed out";
    /// The Patchbay server that is the store cannot be reached.
    ServerUnreachable = "server_unreachable", 503, "Server unreachable";
    /// The server is of a version that does not fit, or is no Patchbay.
    ServerIncompatible = "server_incompatible", 502, "Server of another version";
    /// There is no store at the given place.
    StoreMissing = "store_missing", 500, "Store missing";
    /// The file is not a Patchbay store or is damaged.
    StoreDamaged = "store_damaged", 500, "Store damaged";
    /// The store was written by a newer Patchbay.
    StoreNewer = "store_newer", 500, "Store too new";
    /// The database cannot be a store yet: a right, a role or a newer server is missing.
    StoreUnprepared = "store_unprepared", 500, "Store not prepared";
    /// Another process holds the store exclusively.
    StoreLocked = "store_locked", 503, "Store locked";
    /// The master key does not belong to this store.
    WrongKey = "wrong_key", 500, "Wrong key";
    /// The source of the master key cannot be used.
    KeyUnavailable = "key_unavailable", 500, "Key unavailable";
}

/// Where in the request the trouble lies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// A header; the id is its name.
    Header,
    /// A segment of the path; the id is its name.
    Path,
    /// A query parameter; the id is its name.
    Query,
    /// The body; the id is a JSON Pointer (RFC 6901).
    Body,
}

/// A request parameter that a problem speaks of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ts_rs::TS, schemars::JsonSchema)]
pub struct Parameter {
    /// Name, or JSON Pointer for the body.
    pub id: String,
    /// Which part of the request.
    pub location: Location,
    /// The value, unless it could be secret or is long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub value: Option<String>,
}

/// An object that a problem speaks of (`resources` on the wire).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ts_rs::TS, schemars::JsonSchema)]
pub struct Resource {
    /// `account`, `integration`, `credential`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: String,
    /// `affected` or `cause`.
    pub rel: String,
}

/// The parts of a problem that machines read.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ts_rs::TS, schemars::JsonSchema)]
pub struct ProblemContext {
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parameter: Option<Parameter>,
    /// Objects involved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// The provider's own words, bounded and without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub raw_error: Option<String>,
    /// The provider's status, request id and the like.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[ts(type = "Record<string, unknown>")]
    pub provider_details: serde_json::Map<String, serde_json::Value>,
}

/// What went wrong. On the wire it gets `status`, `title`, `type`, `occurred_at` and `instance` (see the `api` crate).
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// The code out of the closed table.
    pub code: Code,
    /// What happened, to which object, and what to do. Never a secret.
    pub message: String,
    /// More of the same, for those who want to know.
    pub detail: Option<String>,
    /// What to do, where it needs more than the message.
    pub remediation: Option<String>,
    /// For machines. Boxed: most problems have none.
    pub context: Box<ProblemContext>,
    /// Seconds after which trying again makes sense (`Retry-After`).
    pub retry_after: Option<u64>,
    /// Whether nothing more happened than that another transaction came between: the same again, at once, will do.
    pub contended: bool,
}

impl Problem {
    /// A problem with its message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None, remediation: None, context: Box::default(), retry_after: None, contended: false }
    }

    /// A field of the body is not valid; `pointer` is its JSON Pointer.
    pub fn field(pointer: &str, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidField, message).at_body(pointer)
    }

    /// There is no such object within reach; `noun` is its word, `reference` the id or name as asked.
    pub fn not_found(noun: &str, reference: impl std::fmt::Display) -> Self {
        let reference: String = reference.to_string().chars().take(200).collect();
        Self::new(Code::NotFound, format!("There is no {noun} `{reference}` here. Check the id or name, and that the token covers it."))
    }

    /// A fault of ours; `what` must hold no secret.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::new(Code::Internal, format!("Patchbay failed inside: {what}. Nothing was changed; try again, and report it if it comes back."))
    }

    /// Points at a part of the body.
    #[must_use]
    pub fn at_body(self, pointer: &str) -> Self {
        self.at(Location::Body, pointer)
    }

    /// Points at a part of the request.
    #[must_use]
    pub fn at(mut self, location: Location, id: &str) -> Self {
        self.context.parameter = Some(Parameter { id: id.to_owned(), location, value: None });
        self
    }

    /// Adds an object that is involved.
    #[must_use]
    pub fn with_resource(mut self, kind: &str, id: impl std::fmt::Display, rel: &str) -> Self {
        self.context.resources.push(Resource { kind: kind.to_owned(), id: id.to_string(), rel: rel.to_owned() });
        self
    }

    /// Adds more words.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_remediation(mut self, remediation: impl Into<String>) -> Self {
        self.remediation = Some(remediation.into());
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_statuses_are_errors() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} stands twice", code.as_str());
            assert!((400..600).contains(&code.status()), "{} has status {}", code.as_str(), code.status());
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str(), "the serialised code is its text");
        }
    }
}
