//! The log: lines on standard error, with everything that looks like a secret of ours covered.

use std::io::Write;

use patchbay_model::token::SecretKind;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Begins of secrets that must not get into a log, whoever writes them there: our tokens and age identities.
const AGE_IDENTITY: &str = "AGE-SECRET-KEY-1";

/// Starts the log. `PATCHBAY_LOG` sets what is logged, in the syntax of tracing's `EnvFilter`; a server tells more of itself.
pub(crate) fn start(serves: bool) {
    let usual = if serves { "info,sqlx=warn,hyper=warn,reqwest=warn" } else { "warn,sqlx=error" };
    let filter = std::env::var("PATCHBAY_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new(usual));
    // A second start would be a test's; the first one stays.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Covered).try_init();
}

/// Makes writers that cover secrets.
struct Covered;

impl<'a> MakeWriter<'a> for Covered {
    type Writer = CoveredLine;

    fn make_writer(&'a self) -> Self::Writer {
        CoveredLine
    }
}

/// Writes whole events, as the formatter hands them over, with secrets covered.
struct CoveredLine;

impl Write for CoveredLine {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        std::io::stderr().lock().write_all(cover(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().lock().flush()
    }
}

/// The text with each secret cut down to its prefix.
fn cover(text: &str) -> String {
    let prefixes: Vec<&str> = SecretKind::ALL.iter().map(|kind| kind.prefix()).chain([AGE_IDENTITY]).collect();
    let mut covered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, prefix)) = prefixes.iter().filter_map(|prefix| rest.find(prefix).map(|at| (at, *prefix))).min() {
        let (before, from) = rest.split_at(at);
        covered.push_str(before);
        covered.push_str(prefix);
        let body = from.get(prefix.len()..).unwrap_or_default();
        let length = body.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(body.len());
        // Shorter ones are words that only begin alike.
        if length >= 16 {
            covered.push('…');
            rest = body.get(length..).unwrap_or_default();
        } else {
            rest = body;
        }
    }
    covered.push_str(rest);
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_covered_wherever_they_stand() {
        let token = patchbay_vault::mint_token(SecretKind::OrganizationAccess, &patchbay_vault::OsEntropy);
        let token = token.expose();
        let line = format!("GET /x?t={token} {token},{token}\n");
        assert_eq!(cover(&line), "GET /x?t=pbo_… pbo_…,pbo_…\n");
        assert_eq!(cover("pbo_ and pbr_short and pb"), "pbo_ and pbr_short and pb");
        assert_eq!(cover(&format!("ü {AGE_IDENTITY}GQ9778VQXMMJVE8SK7J6VT8UJ4HDQ ü")), "ü AGE-SECRET-KEY-1… ü");
    }
}
