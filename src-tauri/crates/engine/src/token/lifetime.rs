//! Lifetimes of secrets (product.md section 3, synqly-wire.md section 6).

use std::time::Duration;

use patchbay_model::time::parse_lifetime;
use patchbay_model::{Code, Problem};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Access to the Management API, where no lifetime is asked for.
pub(crate) const ORGANIZATION: Duration = Duration::from_secs(DAY);
/// Access to the Connector API, where no lifetime is asked for.
pub(crate) const INTEGRATION: Duration = Duration::from_secs(10 * 60);
/// Refresh, counted anew at each refresh.
pub(crate) const REFRESH: Duration = Duration::from_secs(90 * DAY);
/// The longest that may be asked for: a service member's token in a pipeline.
pub(crate) const LONGEST: Duration = Duration::from_secs(90 * DAY);
/// A member's logon, where the member says nothing.
pub(crate) const LOGON: Duration = Duration::from_secs(HOUR);
/// The longest logon of a person.
pub(crate) const LONGEST_PERSONAL_LOGON: Duration = Duration::from_secs(DAY);

/// Reads a `token_ttl`.
///
/// # Errors
/// `invalid_field` when it cannot be read or is longer than `longest`.
pub(crate) fn parse(text: Option<&str>, default: Duration, longest: Duration, pointer: &str) -> Result<Duration, Problem> {
    let Some(text) = text else { return Ok(default) };
    parse_lifetime(text).filter(|lifetime| *lifetime <= longest).ok_or_else(|| {
        Problem::new(
            Code::InvalidField,
            format!("{pointer} must be a lifetime of hours, minutes and seconds such as `24h` or `1h30m`, at most {}.", patchbay_model::time::format_lifetime(longest)),
        )
        .at_body(pointer)
    })
}
