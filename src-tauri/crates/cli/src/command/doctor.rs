//! `patchbay doctor`: what is wrong with this installation, in words, and what to do about it.

mod backups;
mod server;

use std::path::Path;

use patchbay_engine::installation::{StoreUrl, Weight};
use patchbay_engine::{Engine, NetworkPolicy};
use patchbay_model::list::ListQuery;
use patchbay_model::{Code, Context, Origin, Problem, Timestamp};
use patchbay_vault::{KeyAccess, KeySource, probe_keyring, system_context};
use serde::Serialize;
use serde_json::json;

use crate::arguments::Doctor;
use crate::failure::Failure;
use crate::installation::{key_access, open_url};
use crate::output::Output;

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    /// Not wrong, but worth knowing.
    Note,
    Bad,
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    state: State,
    /// What was found and, unless all is good, what to do.
    words: String,
}

impl Check {
    fn good(name: &'static str, words: impl Into<String>) -> Self {
        Self { name, state: State::Good, words: words.into() }
    }

    fn note(name: &'static str, words: impl Into<String>) -> Self {
        Self { name, state: State::Note, words: words.into() }
    }

    fn bad(name: &'static str, words: impl Into<String>) -> Self {
        Self { name, state: State::Bad, words: words.into() }
    }

    fn problem(name: &'static str, problem: &Problem) -> Self {
        Self::bad(name, [Some(&problem.message), problem.detail.as_ref(), problem.remediation.as_ref()].into_iter().flatten().cloned().collect::<Vec<_>>().join(" "))
    }
}

pub(crate) async fn run(arguments: Doctor, output: &Output) -> Result<(), Failure> {
    let context = system_context();
    let mut checks = vec![clock(context.now()), catalog(context.now())];
    let named = arguments.key.source()?;
    let named_store = arguments.url()?;
    // The passphrase is asked for only where there is a store to open with it.
    let keys = match &named {
        Some(KeySource::Passphrase) if named_store.is_none() => None,
        Some(_) => Some(key_access(&arguments.key, false)?),
        None => None,
    };
    checks.extend(key(named.as_ref(), keys.as_ref(), &context).await);
    match &named_store {
        Some(StoreUrl::Remote(url)) => checks.extend(server::checks(url, arguments.token_file.as_deref()).await),
        Some(url) => {
            if let Some(path) = url.file() {
                checks.extend(file(path, context.now()));
            }
            checks.extend(store(url, keys.as_ref()).await);
        }
        None => checks.push(Check::note("store", "No store was named, so none was looked at. Name one with --store.")),
    }
    let healthy = checks.iter().all(|check| check.state != State::Bad);
    let mut words = String::new();
    for check in &checks {
        let mark = match check.state {
            State::Good => "ok   ",
            State::Note => "note ",
            State::Bad => "BAD  ",
        };
        words.push_str(&format!("{mark}{}: {}\n", check.name, check.words));
    }
    words.push_str(if healthy { "Nothing is wrong." } else { "Something is wrong: mend what is marked BAD, and run this again." });
    output.result(&words, &json!({ "healthy": healthy, "checks": checks }));
    if healthy { Ok(()) } else { Err(Failure::Found) }
}

/// Tokens and consents live by the clock: one that is far off makes everything expired, or nothing.
fn clock(now: Timestamp) -> Check {
    // The year of this version, and a year that no installation of it will see.
    let sane = ("2026-01-01T00:00:00Z".parse::<Timestamp>(), "2100-01-01T00:00:00Z".parse::<Timestamp>());
    match sane {
        (Ok(first), Ok(last)) if (first..last).contains(&now) => Check::good("clock", format!("It is {now}.")),
        _ => Check::bad("clock", format!("The clock says {now}, which cannot be. Set the clock, for example by NTP: tokens would be expired at once, or never.")),
    }
}

fn catalog(now: Timestamp) -> Check {
    match patchbay_providers::Catalog::builtin() {
        Ok(catalog) => {
            let ends = catalog.providers().iter().filter(|provider| !provider.manifest().sunset.is_empty()).count();
            let count =
                format!("{} providers are built in. Of {ends} something ends or has ended at the provider; `patchbay catalog show PROVIDER` tells it.", catalog.providers().len());
            let gone: Vec<&str> = catalog.providers().iter().filter(|provider| provider.withdrawn(now)).map(|provider| provider.fullname()).collect();
            if gone.is_empty() { Check::good("catalog", count) } else { Check::note("catalog", format!("{count} Not for new integrations any more: {}.", gone.join(", "))) }
        }
        Err(error) => Check::bad("catalog", format!("The built-in catalog cannot be read: {error}. Install Patchbay anew.")),
    }
}

/// The key source by itself, without a store.
async fn key(named: Option<&KeySource>, keys: Option<&KeyAccess>, context: &Context) -> Option<Check> {
    let blocking = |name: &'static str, work: Box<dyn FnOnce() -> Result<(), Problem> + Send>, good: String, required: bool| async move {
        // A keyring may wait for a person, so it runs off the async threads.
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(())) => Check::good(name, good),
            Ok(Err(problem)) if required => Check::problem(name, &problem),
            Ok(Err(problem)) => Check::note(name, problem.message),
            Err(error) => Check::problem(name, &Problem::internal(error)),
        }
    };
    let context = context.clone();
    match (named, keys) {
        (None, _) => {
            let check =
                blocking("keyring", Box::new(move || probe_keyring(&context)), "The system keyring keeps secrets; --key-source keyring can be used.".to_owned(), false).await;
            Some(check)
        }
        (Some(KeySource::File(path)), Some(_)) if !path.exists() => Some(Check::bad(
            "key source",
            format!("The key file {} is not there. Check its path; without it the store cannot be opened. `patchbay init` makes one for a new store.", path.display()),
        )),
        (Some(source), Some(keys)) => {
            let keys = keys.clone();
            let name = if *source == KeySource::Keyring { "keyring" } else { "key source" };
            Some(blocking(name, Box::new(move || keys.check(&context)), format!("{source} can be used."), true).await)
        }
        (Some(source), None) => Some(Check::note("key source", format!("{source} is checked when a store is named."))),
    }
}

/// The file and its folder, as the operating system sees them.
fn file(path: &Path, now: Timestamp) -> Vec<Check> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return vec![Check::bad("store file", format!("{} is not a file. Name the store's file.", path.display()))],
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![Check::bad("store file", format!("There is no file {}. Check the path, or create a store with `patchbay init`.", path.display()))];
        }
        Err(error) => return vec![Check::bad("store file", format!("{} cannot be looked at: {error}. Run this as the user that Patchbay runs as.", path.display()))],
    };
    let mut checks = Vec::new();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let writable = std::fs::OpenOptions::new().write(true).open(path).map(drop).and_then(|()| {
        // The log and the lock lie beside the file, so the folder must take new files as well.
        let trial = folder.join(format!(".patchbay-doctor-{}", std::process::id()));
        std::fs::OpenOptions::new().write(true).create_new(true).open(&trial).map(drop).and_then(|()| std::fs::remove_file(&trial))
    });
    checks.push(match writable {
        Ok(()) => Check::good("store file", format!("{} and its folder can be written, {} bytes.", path.display(), metadata.len())),
        Err(error) => Check::bad(
            "store file",
            format!(
                "{} or its folder cannot be written: {error}. It opens for reading only; make both writable for this user, or move the store to a disk that is.",
                path.display()
            ),
        ),
    });
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777;
        checks.push(if mode & 0o077 == 0 {
            Check::good("permissions", "Only its owner can read the store.")
        } else {
            Check::note("permissions", format!("Others can read the store (mode {mode:04o}). Its secrets are sealed, its names are not: run `chmod 600 {}`.", path.display()))
        });
    }
    let modified = metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .and_then(Timestamp::from_unix_micros);
    if let Some(modified) = modified.filter(|modified| modified.since(now).as_secs() > 3600) {
        checks.push(Check::bad("clock", format!("The store was last changed at {modified}, which is in the future. Set the clock.")));
    }
    checks
}

/// Opens the store as `serve` would, which tells apart a damaged file, a newer schema and a wrong key.
async fn store(url: &StoreUrl, keys: Option<&KeyAccess>) -> Vec<Check> {
    let Some(keys) = keys else {
        return vec![Check::note("store", "The store was not opened, because no key source was named. Name one with --key-source.")];
    };
    let engine = match open_url(url, keys, NetworkPolicy::default()).await {
        Ok(engine) => engine,
        Err(Failure::Problem(problem)) => {
            let name = match problem.code {
                Code::WrongKey | Code::KeyUnavailable => "key",
                Code::StoreNewer => "schema",
                _ => "store",
            };
            return vec![Check::problem(name, &problem)];
        }
        Err(_) => return vec![Check::bad("store", "The store cannot be opened.")],
    };
    let mut checks = vec![Check::good("key", format!("{} opens this store.", keys.source())), Check::good("schema", "The schema is the one that this Patchbay writes.")];
    match engine.remarks().await {
        Ok(remarks) => checks.extend(remarks.into_iter().map(|remark| match remark.weight {
            Weight::Good => Check::good(remark.subject, remark.words),
            Weight::Note => Check::note(remark.subject, remark.words),
            Weight::Bad => Check::bad(remark.subject, remark.words),
        })),
        Err(problem) => checks.push(Check::problem("database", &problem)),
    }
    checks.push(backups::backups(&engine));
    checks.extend(organizations(&engine).await);
    engine.shutdown().await;
    checks
}

async fn organizations(engine: &Engine) -> Vec<Check> {
    let organizations = match engine.organizations().await {
        Ok(organizations) => organizations,
        Err(problem) => return vec![Check::problem("store", &problem)],
    };
    let mut checks = Vec::new();
    if organizations.is_empty() {
        checks.push(Check::bad("organizations", "The store has no organization. Add one with `patchbay init`."));
    }
    for organization in organizations {
        match private_targets(engine, &organization).await {
            Ok(targets) if targets.is_empty() => checks.push(Check::good("private networks", format!("No integration of `{}` names a private address.", organization.name))),
            Ok(targets) => checks.push(Check::note(
                "private networks",
                format!(
                    "{} of `{}` name private addresses, to which calls are refused unless serve runs with --allow-private-networks: {}.",
                    targets.len(),
                    organization.name,
                    targets.join(", ")
                ),
            )),
            Err(problem) => checks.push(Check::problem("private networks", &problem)),
        }
    }
    checks
}

/// Integrations whose configuration has the URL of a private host, as `name (host)`. Names that only resolve to private
/// addresses show themselves when they are called.
async fn private_targets(engine: &Engine, organization: &patchbay_model::organization::Organization) -> Result<Vec<String>, Problem> {
    let grant = engine.local_grant(organization.id, Origin::Cli).await?;
    let mut query = ListQuery { limit: Some(ListQuery::MAX_LIMIT), ..ListQuery::default() };
    let mut found = Vec::new();
    loop {
        let page = patchbay_engine::integration::list(engine, &grant, query.clone()).await?;
        for integration in &page.items {
            let hosts = integration.config.as_object().into_iter().flat_map(|config| config.values()).filter_map(|value| value.as_str()).filter_map(private_host);
            found.extend(hosts.map(|host| format!("{} ({host})", integration.name)));
        }
        match page.next {
            Some(next) => query.start_after = Some(next),
            None => return Ok(found),
        }
    }
}

/// The host of a URL that is `localhost` or a private address.
fn private_host(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let private = match url.host()? {
        url::Host::Domain(domain) => domain == "localhost" || domain.ends_with(".localhost"),
        url::Host::Ipv4(address) => patchbay_engine::http::is_private(address.into()),
        url::Host::Ipv6(address) => patchbay_engine::http::is_private(address.into()),
    };
    private.then(|| url.host_str().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_hosts_are_recognised_in_urls_only() {
        for (text, host) in [
            ("http://127.0.0.1:3000/x", Some("127.0.0.1")),
            ("https://10.1.2.3", Some("10.1.2.3")),
            ("http://localhost", Some("localhost")),
            ("http://[::1]:80/", Some("[::1]")),
            ("https://example.com", None),
            ("127.0.0.1", None),
            ("ftp://127.0.0.1", None),
        ] {
            assert_eq!(private_host(text).as_deref(), host, "{text}");
        }
    }

    #[test]
    fn a_clock_that_cannot_be_is_bad() {
        assert!(clock("1970-01-01T00:00:00Z".parse().unwrap()).state == State::Bad);
        assert!(clock("2126-01-01T00:00:00Z".parse().unwrap()).state == State::Bad);
        assert!(clock("2026-11-22T00:00:00Z".parse().unwrap()).state == State::Good);
    }
}
