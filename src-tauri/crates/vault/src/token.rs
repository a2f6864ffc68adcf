//! Shape of token secrets: prefix, 256 random bits in base 62, checksum.
//!
//! A secret that was mistyped, cut off or is of another kind is refused by its shape, before anything is looked up; and
//! secret scanners can recognise it.

use patchbay_model::token::SecretKind;
use patchbay_model::{Entropy, Secret};
use zeroize::Zeroize;

/// Digits, upper case, lower case: the order of ASCII, so that no table of values is needed elsewhere.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The fewest base 62 digits that hold 256 bits.
const BODY: usize = 43;
/// The fewest base 62 digits that hold a CRC-32.
const CHECKSUM: usize = 6;

/// Why a text has not the shape of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenShape {
    /// It begins with none of the prefixes.
    #[error("it does not begin like a Patchbay token (pbo_, pbi_, pbr_, ...)")]
    Prefix,
    /// It is shorter or longer than a token.
    #[error("it is not as long as a Patchbay token; perhaps it was cut off when it was copied")]
    Length,
    /// Its checksum does not fit, or it has a character that no token has.
    #[error("its checksum does not fit; perhaps it was changed when it was copied")]
    Checksum,
}

/// A text that has the shape of a token of a known kind. Whether it is a live one, only a look-up tells.
pub struct ParsedToken {
    kind: SecretKind,
    secret: Secret,
}

impl ParsedToken {
    /// Its kind, by its prefix.
    pub fn kind(&self) -> SecretKind {
        self.kind
    }

    /// The whole secret, prefix and checksum included.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// Makes a new secret of a kind. It is to be shown once and stored as [`crate::Vault::token_hash`] only.
pub fn mint_token(kind: SecretKind, entropy: &dyn Entropy) -> Secret {
    let mut random = [0; 32];
    entropy.fill(&mut random);
    let mut text = String::with_capacity(kind.prefix().len() + BODY + CHECKSUM);
    text.push_str(kind.prefix());
    push_body(&mut text, &mut random);
    random.zeroize();
    let checksum = crc32fast::hash(text.as_bytes());
    push_checksum(&mut text, checksum);
    Secret::new(text)
}

/// Reads the shape of a token.
///
/// # Errors
/// Says what is wrong with the shape, without repeating the text.
pub fn parse_token(text: &str) -> Result<ParsedToken, TokenShape> {
    let kind = SecretKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix())).ok_or(TokenShape::Prefix)?;
    if text.len() != kind.prefix().len() + BODY + CHECKSUM {
        return Err(TokenShape::Length);
    }
    let (signed, checksum) = text.split_at_checked(text.len() - CHECKSUM).ok_or(TokenShape::Checksum)?;
    let good_characters = signed.bytes().skip(kind.prefix().len()).all(|byte| byte.is_ascii_alphanumeric());
    let mut expected = String::with_capacity(CHECKSUM);
    push_checksum(&mut expected, crc32fast::hash(signed.as_bytes()));
    if good_characters && crate::same_bytes(expected.as_bytes(), checksum.as_bytes()) { Ok(ParsedToken { kind, secret: Secret::new(text) }) } else { Err(TokenShape::Checksum) }
}

/// Writes 256 bits as 43 digits, the least significant first, by long division. Uses the bytes up.
fn push_body(text: &mut String, bytes: &mut [u8; 32]) {
    for _ in 0..BODY {
        let mut remainder = 0u32;
        for byte in bytes.iter_mut() {
            let value = remainder << 8 | u32::from(*byte);
            // A remainder below 62 keeps the quotient below 256.
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        push_digit(text, remainder);
    }
}

fn push_checksum(text: &mut String, mut checksum: u32) {
    for _ in 0..CHECKSUM {
        push_digit(text, checksum % 62);
        checksum /= 62;
    }
}

fn push_digit(text: &mut String, digit: u32) {
    text.push(char::from(ALPHABET[(digit % 62) as usize]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn every_kind_is_minted_and_read_back() {
        for kind in SecretKind::ALL {
            let secret = mint_token(kind, &OsEntropy);
            assert_eq!(secret.len(), 4 + 43 + 6, "{kind:?} has the length of a token");
            assert!(secret.expose().starts_with(kind.prefix()), "{kind:?} has its prefix");
            let parsed = parse_token(secret.expose()).ok().unwrap();
            assert!(parsed.kind() == kind && parsed.secret().expose() == secret.expose(), "{kind:?} is read back");
        }
    }

    /// Computed once with Python's `int`, `zlib.crc32` and the alphabet above.
    #[test]
    fn known_tokens() {
        assert_eq!(mint_token(SecretKind::OrganizationAccess, &Fixed(0)).expose(), KNOWN_ZERO);
        assert_eq!(mint_token(SecretKind::Refresh, &Fixed(0xff)).expose(), KNOWN_ONES);
    }
    const KNOWN_ZERO: &str = "pbo_0000000000000000000000000000000000000000000F8tm74";
    const KNOWN_ONES: &str = "pbr_1pX8wOr5j2ACunjH7GLL8mWZWHmY1LA1ZO6AdwksjhyLcZfn1";

    #[test]
    fn any_changed_character_is_noticed() {
        let secret = mint_token(SecretKind::IntegrationAccess, &OsEntropy);
        for position in 4..secret.len() {
            let mut bytes = secret.expose().as_bytes().to_vec();
            bytes[position] = if bytes[position] == b'a' { b'b' } else { b'a' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(parse_token(&changed).err(), Some(TokenShape::Checksum), "a change at {position} is noticed");
        }
        // The prefix is under the checksum too: one kind cannot be rewritten into another.
        let other = secret.expose().replacen("pbi_", "pbo_", 1);
        assert_eq!(parse_token(&other).err(), Some(TokenShape::Checksum));
    }

    #[test]
    fn other_shapes_are_refused() {
        let secret = mint_token(SecretKind::Refresh, &OsEntropy);
        let text = secret.expose();
        for (text, shape) in [
            ("", TokenShape::Prefix),
            ("Bearer x", TokenShape::Prefix),
            ("pbz_0000000000000000000000000000000000000000000000000", TokenShape::Prefix),
            ("pbr_", TokenShape::Length),
            (&text[..text.len() - 1], TokenShape::Length),
            (&format!("{text}0"), TokenShape::Length),
            (&format!(" {text}"), TokenShape::Prefix),
            (&format!("pbr_{}ü", "0".repeat(47)), TokenShape::Checksum),
            (&format!("pbr_{}üü{}", "0".repeat(40), "0".repeat(5)), TokenShape::Checksum),
            (&format!("pbr_{}", "ü".repeat(24)), TokenShape::Length),
        ] {
            assert_eq!(parse_token(text).err(), Some(shape), "{text:?}");
        }
    }
}
