//! Which passwords are taken: 8 to 71 characters, not to be guessed (synqly-wire.md section 7).

use patchbay_model::member::Member;
use patchbay_model::organization::Organization;
use patchbay_model::{Code, Problem, Secret};

/// Fewest characters, whatever the organization says.
const SHORTEST: usize = 8;
/// Most characters.
const LONGEST: usize = 71;
/// Fewest different characters.
const DIFFERENT: usize = 5;

/// What guessers try first, without digits and signs at the ends.
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "passw",
    "qwerty",
    "qwertz",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "abcdefgh",
    "abc",
    "letmein",
    "welcome",
    "willkommen",
    "admin",
    "administrator",
    "iloveyou",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "superman",
    "batman",
    "trustno",
    "sunshine",
    "princess",
    "master",
    "shadow",
    "michael",
    "changeme",
    "default",
    "secret",
    "geheim",
    "hallo",
    "login",
    "starwars",
    "whatever",
    "freedom",
    "computer",
    "internet",
    "samsung",
    "summer",
    "winter",
    "spring",
    "autumn",
    "patchbay",
    "test",
    "testtest",
    "hunter",
    "access",
    "guest",
    "root",
    "toor",
    "qazwsx",
    "zaqxsw",
];

/// Checks a new password of a member against the rules of its organization.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_for(secret: &Secret, organization: &Organization, member: &Member, pointer: &str) -> Result<(), Problem> {
    let related = [member.name.as_str(), member.fullname.as_str(), organization.name.as_str(), organization.fullname.as_str()];
    check(secret, organization.options.minimum_password_length, &related, pointer)
}

/// Checks a new password against the rules. `minimum` is the organization's own, `related` are words that belong to the
/// member and would be guessed first: name, full name, name of the organization.
///
/// # Errors
/// `weak_password`, saying which rule; the password never stands in it.
pub(crate) fn check(secret: &Secret, minimum: Option<u32>, related: &[&str], pointer: &str) -> Result<(), Problem> {
    let weak = |why: String| Problem::new(Code::WeakPassword, format!("{why} Choose another password, such as four words that do not belong together.")).at_body(pointer);
    let text = secret.expose();
    let minimum = minimum.map_or(SHORTEST, |minimum| (minimum as usize).clamp(SHORTEST, LONGEST));
    if text.chars().count() < minimum || text.chars().count() > LONGEST {
        return Err(weak(format!("The password must have {minimum} to {LONGEST} characters.")));
    }
    if text.chars().any(char::is_control) {
        return Err(weak("The password must not have control characters.".to_owned()));
    }
    let folded = text.to_lowercase();
    let mut different: Vec<char> = folded.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < DIFFERENT || is_run(&folded) {
        return Err(weak("The password repeats or counts and is easily guessed.".to_owned()));
    }
    let core = bare(&folded);
    if core.is_empty() || COMMON.contains(&core.as_str()) {
        return Err(weak("The password is one of those that guessers try first.".to_owned()));
    }
    // The whole of it, such as an address, as well as its parts.
    let parts = related.iter().flat_map(|word| word.split(|c: char| !c.is_alphanumeric()));
    for word in related.iter().copied().chain(parts).map(str::to_lowercase) {
        if word.chars().count() >= 4 && (core == word || (folded.contains(&word) && folded.chars().count() < word.chars().count() + 8)) {
            return Err(weak("The password is made from the member's or the organization's name.".to_owned()));
        }
    }
    Ok(())
}

/// The word within a password: usual replacements of letters undone, digits and signs at both ends taken off.
fn bare(folded: &str) -> String {
    let trimmed = folded.trim_matches(|c: char| !c.is_alphabetic());
    trimmed
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .filter(|c| c.is_alphabetic())
        .collect()
}

/// Whether every character follows the one before by the same step: `12345678`, `hgfedcba`.
fn is_run(text: &str) -> bool {
    let steps: Vec<i64> = text.chars().zip(text.chars().skip(1)).map(|(a, b)| i64::from(u32::from(b)) - i64::from(u32::from(a))).collect();
    steps.windows(2).all(|pair| matches!(pair, [a, b] if a == b)) && steps.first().is_some_and(|step| step.abs() <= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused() {
        let related = ["ada@example.com", "Ada Lovelace", "northwind"];
        let refused = [
            "",
            "short1!",
            "aaaaaaaaaa",
            "12345678",
            "abcdefgh",
            "Password1!",
            "p4ssw0rd!!",
            "qwertyuiop",
            "Lovelace1815",
            "northwind!9",
            "ababababab",
            "ada@example.com",
            "Ada Lovelace",
        ];
        for bad in refused {
            assert_eq!(check(&Secret::new(bad), None, &related, "/secret").unwrap_err().code, Code::WeakPassword, "{bad}");
        }
        assert!(check(&Secret::new("x".repeat(30) + "abcdefg12345678901234567890123456789012345"), None, &related, "/secret").is_err(), "72 characters are too many");
        for good in ["correct horse battery", "vY8$kq-Lm2", "zwölf Äpfel im Mai"] {
            assert!(check(&Secret::new(good), None, &related, "/secret").is_ok(), "{good}");
        }
        assert!(check(&Secret::new("vY8$kq-Lm2"), Some(12), &related, "/secret").is_err(), "the organization wants 12");
    }
}
