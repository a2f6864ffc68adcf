//! A value that must not be seen.

use zeroize::{Zeroize, Zeroizing};

/// A secret text: a password, token, key or client secret. It has neither `Debug` nor `Display` nor `Serialize`, so it
/// cannot be printed, logged or sent by accident, and its memory is cleared when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text as secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Takes bytes that must be UTF-8; gives nothing (and clears them) otherwise.
    pub fn from_utf8(bytes: Vec<u8>) -> Option<Self> {
        match String::from_utf8(bytes) {
            Ok(text) => Some(Self::new(text)),
            Err(error) => {
                error.into_bytes().zeroize();
                None
            }
        }
    }

    /// The secret in clear. Every use of this is a place to review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of the secret in UTF-8.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Secrets come in with requests, so they can be read; they can never be written.
impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
