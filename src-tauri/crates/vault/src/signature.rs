//! Signatures of what is sent to webhooks, and of what providers send back through a browser.

use std::fmt::Write;

use hmac::{Hmac, Mac};
use patchbay_model::Secret;
use sha2::Sha256;

/// `sha256=` and the HMAC-SHA-256 (RFC 2104) of a body in hexadecimal digits, under a secret that both sides know
/// (synqly-wire.md section 17).
pub fn webhook_signature(secret: &Secret, body: &[u8]) -> String {
    let mut text = String::from("sha256=");
    // A key of any length is taken, so that there is nothing to refuse.
    if let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(secret.expose().as_bytes()) {
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
    }
    text
}

/// Whether `signature`, in hexadecimal digits, is the HMAC-SHA-256 of `message` under this key. Compared in constant time.
pub fn signs_callback(key: &Secret, message: &str, signature: &str) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = signature
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    let Some(bytes) = bytes else { return false };
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key.expose().as_bytes()) else { return false };
    mac.update(message.as_bytes());
    mac.verify_slice(&bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_is_signed_by_its_key_alone() {
        let key = Secret::new("Jefe");
        let good = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let signs = |signature: &str| signs_callback(&key, "what do ya want for nothing?", signature);
        assert!(signs(good) && signs(&good.to_ascii_uppercase()));
        for bad in ["", "5", "zz", &good[..62], &good[..63], &good.replace('5', "6"), "é", &format!("{good}00")] {
            assert!(!signs(bad), "{bad}");
        }
        assert!(!signs_callback(&key, "what do ya want for nothing", good));
    }

    #[test]
    fn known_answers() {
        // RFC 4231 section 4.3, and section 4.7 with a key longer than a block.
        assert_eq!(webhook_signature(&Secret::new("Jefe"), b"what do ya want for nothing?"), "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long = Secret::new("a".repeat(200));
        assert_eq!(webhook_signature(&long, b"").len(), "sha256=".len() + 64);
        assert_ne!(webhook_signature(&long, b""), webhook_signature(&Secret::new("a".repeat(199)), b""));
    }
}
