//! Passwords of members: Argon2id in PHC strings.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use patchbay_model::{Entropy, Problem, Secret};

/// 19 MiB, two passes, one lane: what OWASP's password storage sheet asks of Argon2id, and little enough for several logons at once.
fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes a password. Takes some hundredths of a second: run it off the async runtime.
///
/// # Errors
/// `internal` when hashing fails, which takes a password of 4 GiB.
pub fn hash_password(password: &Secret, entropy: &dyn Entropy) -> Result<String, Problem> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let failed = |_| Problem::internal("a password could not be hashed");
    let salt = SaltString::encode_b64(&salt).map_err(failed)?;
    Ok(hasher().hash_password(password.expose().as_bytes(), &salt).map_err(failed)?.to_string())
}

/// Whether the password is the one that was hashed. Takes as long as hashing: run it off the async runtime.
///
/// Give `None` for a member that does not exist or has no password: the answer is no, after the same time, so that the
/// time does not tell which names exist.
pub fn verify_password(password: &Secret, hash: Option<&str>) -> bool {
    let stored = hash.and_then(|hash| PasswordHash::new(hash).ok());
    match stored {
        Some(stored) => hasher().verify_password(password.expose().as_bytes(), &stored).is_ok(),
        None => {
            let mut spent = [0; 32];
            // Only its time matters.
            let _ = hasher().hash_password_into(password.expose().as_bytes(), &[0; 16], &mut spent);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    #[test]
    fn a_password_verifies_and_others_do_not() {
        let hash = hash_password(&Secret::new("correct horse"), &OsEntropy).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify_password(&Secret::new("correct horse"), Some(&hash)));
        assert!(!verify_password(&Secret::new("correct horsf"), Some(&hash)));
        assert!(!verify_password(&Secret::new("correct horse"), None));
        assert!(!verify_password(&Secret::new("correct horse"), Some("damaged")));
        assert_ne!(hash, hash_password(&Secret::new("correct horse"), &OsEntropy).unwrap(), "each has a salt of its own");
    }

    /// Made by the reference implementation: `echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32`
    /// (test.c of github.com/P-H-C/phc-winner-argon2).
    #[test]
    fn a_hash_of_the_reference_implementation_verifies() {
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(verify_password(&Secret::new("password"), Some(hash)));
        assert!(!verify_password(&Secret::new("passwore"), Some(hash)));
    }
}
