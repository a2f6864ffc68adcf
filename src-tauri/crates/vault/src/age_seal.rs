//! Sealing to an age recipient (age-encryption.org/v1), for secrets that leave the store in an export.

use patchbay_model::{Code, Problem, Secret};
use zeroize::Zeroizing;

/// A public key, `age1...`.
#[derive(Clone)]
pub struct AgeRecipient(age::x25519::Recipient);

impl AgeRecipient {
    pub(crate) fn for_age(&self) -> &dyn age::Recipient {
        &self.0
    }

    /// Reads an X25519 recipient.
    ///
    /// # Errors
    /// `invalid_field` when it is none; an identity (the secret half) is told apart and not repeated.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if text.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("age-secret-key-")) {
            return Err(Problem::new(
                Code::InvalidField,
                "This is an age identity, the secret half. Give the recipient, the line that begins with age1, and keep the identity to yourself.",
            ));
        }
        text.parse().map(Self).map_err(|_| {
            let shown: String = text.chars().take(80).collect();
            Problem::new(Code::InvalidField, format!("`{shown}` is not an age recipient. Give the line that begins with age1, as age-keygen prints it."))
        })
    }
}

/// The public text, `age1...`.
impl std::fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A secret key, `AGE-SECRET-KEY-1...`.
pub struct AgeIdentity(age::x25519::Identity);

impl AgeIdentity {
    /// A new identity, for one transfer. Its randomness is age's own, from the operating system.
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// The line that [`Self::parse`] reads.
    pub fn to_text(&self) -> Secret {
        use age::secrecy::ExposeSecret;
        Secret::new(self.0.to_string().expose_secret())
    }

    pub(crate) fn for_age(&self) -> &dyn age::Identity {
        &self.0
    }

    /// Reads an X25519 identity.
    ///
    /// # Errors
    /// `invalid_field` when it is none; the text is not repeated.
    pub fn parse(text: &Secret) -> Result<Self, Problem> {
        text.expose().trim().parse().map(Self).map_err(|_| Problem::new(Code::InvalidField, "This is not an age identity. Give the line that begins with AGE-SECRET-KEY-1."))
    }

    /// The recipient of what this identity opens.
    pub fn recipient(&self) -> AgeRecipient {
        AgeRecipient(self.0.to_public())
    }

    /// Opens what was sealed to this identity, armored or not.
    ///
    /// # Errors
    /// `seal_broken` when it was sealed to others or is damaged.
    pub fn open(&self, sealed: &str) -> Result<Secret, Problem> {
        age::decrypt(&self.0, sealed.as_bytes())
            .ok()
            .map(Zeroizing::new)
            .and_then(|mut plain| Secret::from_utf8(std::mem::take(&mut *plain)))
            .ok_or_else(|| Problem::new(Code::SealBroken, "This age file does not open with this identity. It was sealed to another recipient, or it is damaged."))
    }
}

/// Seals a secret to one recipient, as armored text. The randomness of it is age's own, from the operating system.
///
/// # Errors
/// `internal` when sealing fails, which cannot be brought about.
pub fn seal_to_age(recipient: &AgeRecipient, plain: &Secret) -> Result<String, Problem> {
    age::encrypt_and_armor(&recipient.0, plain.expose().as_bytes()).map_err(|_| Problem::internal("a secret could not be sealed to an age recipient"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pair made for this test with age-keygen's format; it protects nothing.
    fn identity() -> AgeIdentity {
        AgeIdentity(age::x25519::Identity::generate())
    }

    #[test]
    fn what_is_sealed_opens_with_the_identity_and_no_other() {
        let ours = identity();
        let sealed = seal_to_age(&AgeRecipient::parse(&ours.recipient().to_string()).unwrap(), &Secret::new("s3cret ü")).unwrap();
        assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{sealed}");
        assert!(!sealed.contains("s3cret"), "the secret is not in the armor");
        assert_eq!(ours.open(&sealed).ok().unwrap().expose(), "s3cret ü");
        assert_eq!(identity().open(&sealed).err().unwrap().code, Code::SealBroken);
        let mut lines: Vec<String> = sealed.lines().map(str::to_owned).collect();
        let swapped: String = lines[2].chars().map(|c| if c == 'A' { 'B' } else { 'A' }).collect();
        lines[2] = swapped;
        assert_eq!(ours.open(&lines.join("\n")).err().unwrap().code, Code::SealBroken);
    }

    #[test]
    fn an_identity_is_not_taken_for_a_recipient_and_not_repeated() {
        use age::secrecy::ExposeSecret;
        let secret = age::x25519::Identity::generate().to_string();
        let problem = AgeRecipient::parse(secret.expose_secret()).err().unwrap();
        assert!(problem.message.contains("secret half") && !problem.message.contains(&secret.expose_secret()[15..]), "{}", problem.message);
        for bad in ["", "age1", "age1qqqq", "ssh-ed25519 AAAA", "ä"] {
            assert_eq!(AgeRecipient::parse(bad).err().unwrap().code, Code::InvalidField, "{bad:?}");
        }
    }

    /// The pair of the age specification's own test kit, so that we agree with other implementations on what a key is.
    #[test]
    fn a_known_identity_has_its_known_recipient() {
        let identity = AgeIdentity::parse(&Secret::new("AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33")).ok().unwrap();
        assert_eq!(identity.recipient().to_string(), "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa");
    }
}
