//! `patchbay catalog`: what this build knows of providers, judging files that describe others, and adding those to an organization.

mod own;

use std::path::Path;

use patchbay_model::connector::Connector;
use patchbay_model::{Problem, Timestamp};
use patchbay_providers::manifest::{Families, Finding, Source, Sunset, judge};
use patchbay_providers::{Catalog, Provider};
use patchbay_vault::system_context;
use serde_json::{Value, json};

use crate::arguments::{CatalogArguments, CatalogCheck, CatalogCommand, CatalogList, CatalogShow};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::table;

pub(crate) async fn run(arguments: &CatalogArguments, output: &Output) -> Result<(), Failure> {
    let catalog = Catalog::builtin().map_err(|error| Problem::internal(format!("the catalog of providers is broken: {error}")))?;
    let now = system_context().now();
    match &arguments.command {
        CatalogCommand::List(arguments) => list(&catalog, arguments, now, output),
        CatalogCommand::Show(arguments) => show(&catalog, arguments, now, output),
        CatalogCommand::Schema => {
            output.text("schema", patchbay_providers::manifest::JSON_SCHEMA);
            Ok(())
        }
        CatalogCommand::Check(arguments) => check(&catalog, arguments, output),
        CatalogCommand::Add(arguments) => own::add(arguments, output).await,
        CatalogCommand::Withdraw(arguments) => own::withdraw(arguments, output).await,
    }
}

fn list(catalog: &Catalog, arguments: &CatalogList, now: Timestamp, output: &Output) -> Result<(), Failure> {
    let wanted = match &arguments.connector {
        None => None,
        Some(word) => {
            let known = Connector::ALL.iter().copied().find(|connector| connector.as_str() == word);
            Some(known.ok_or_else(|| Failure::usage(format!("`{word}` is no connector; `patchbay catalog list` names those that have providers.")))?)
        }
    };
    let rows: Vec<Value> = catalog
        .providers()
        .iter()
        .filter(|provider| wanted.is_none_or(|connector| provider.connector() == connector))
        .map(|provider| {
            let manifest = provider.manifest();
            json!({
                "id": provider.id(),
                "version": provider.version(),
                "name": provider.fullname(),
                "credentials": provider.auth_type(),
                "operations": manifest.operation.len(),
                "facts": provider.facts().len(),
                "unverified": manifest.unverified(),
                "sunsets": manifest.sunset.iter().map(|sunset| ending(sunset, now)).collect::<Vec<_>>(),
            })
        })
        .collect();
    let shown: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            let count = row["sunsets"].as_array().map_or(0, Vec::len);
            row["sunsets"] = if count == 0 { Value::Null } else { count.into() };
            row
        })
        .collect();
    let sum = |name: &str| rows.iter().filter_map(|row| row[name].as_u64()).sum::<u64>();
    let (facts, unverified) = (sum("facts"), sum("unverified"));
    let mut words = table(&shown, &["id", "version", "name", "credentials", "operations", "facts", "unverified", "sunsets"]);
    words.push_str(&format!("\n{} providers, {facts} facts, {unverified} of them unverified.", rows.len()));
    output.result(&words, &json!({ "providers": rows, "facts": facts, "unverified": unverified }));
    Ok(())
}

fn ending(sunset: &Sunset, now: Timestamp) -> Value {
    json!({
        "date": sunset.date,
        "what": sunset.what,
        "ended": sunset.from().is_some_and(|from| from <= now),
        "reason": sunset.reason,
        "instead": sunset.instead,
        "source": sunset.source.to_string(),
    })
}

fn show(catalog: &Catalog, arguments: &CatalogShow, now: Timestamp, output: &Output) -> Result<(), Failure> {
    let id = &arguments.provider;
    let provider = catalog.find(id).ok_or_else(|| Failure::usage(format!("`{id}` is no provider that this build knows; `patchbay catalog list` names them.")))?;
    let manifest = provider.manifest();
    let facts: Vec<Value> = provider
        .facts()
        .into_iter()
        .filter(|fact| !arguments.unverified || !fact.source.as_ref().is_some_and(Source::is_verified))
        .map(|fact| json!({ "fact": fact.path, "source": fact.source.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string) }))
        .collect();
    let sunsets: Vec<Value> = manifest.sunset.iter().map(|sunset| ending(sunset, now)).collect();
    let mut words = format!("{}, version {}: {}\n{}\n", provider.fullname(), provider.version(), provider.id(), manifest.description);
    for way in &manifest.credential {
        words.push_str(&format!("Credential {}: {}. {}\n", way.word, way.title, way.description));
    }
    words.push_str(&offered(provider));
    for sunset in &manifest.sunset {
        let when = if sunset.from().is_some_and(|from| from <= now) { "Ended" } else { "Ends" };
        let instead = sunset.instead.as_ref().map(|instead| format!(" Instead: {instead}")).unwrap_or_default();
        words.push_str(&format!("{when} {}: {}. {}{instead} ({})\n", sunset.date, sunset.what, sunset.reason, sunset.source));
    }
    // A source is not cut like a column: it is there to be opened.
    let widest = facts.iter().filter_map(|fact| fact["fact"].as_str()).map(str::len).max().unwrap_or_default();
    for fact in &facts {
        words.push_str(&format!("{:widest$}  {}\n", fact["fact"].as_str().unwrap_or_default(), fact["source"].as_str().unwrap_or_default()));
    }
    words.push_str(&format!("{} facts, {} of them unverified.", provider.facts().len(), manifest.unverified()));
    output.result(&words, &json!({ "manifest": manifest, "facts": facts, "unverified": manifest.unverified(), "sunsets": sunsets }));
    Ok(())
}

fn offered(provider: &Provider) -> String {
    match provider.manifest().operation.len() {
        0 => "No unified operation yet: it can be connected and tested, and calls answer 501.\n".to_owned(),
        count => format!("{count} unified operations.\n"),
    }
}

/// What was found in one file.
struct Judged {
    findings: Vec<Finding>,
    facts: usize,
    unverified: usize,
}

fn check(catalog: &Catalog, arguments: &CatalogCheck, output: &Output) -> Result<(), Failure> {
    let mut words = String::new();
    let mut files = Vec::new();
    let mut good = true;
    for path in &arguments.files {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{} cannot be read: {error}.", path.display())))?;
        let judged = judged(path, &text, catalog.families());
        good &= judged.findings.is_empty();
        for finding in &judged.findings {
            words.push_str(&format!("{}:{finding}\n", path.display()));
        }
        if judged.findings.is_empty() {
            words.push_str(&format!("{}: good. {} facts, {} of them unverified.\n", path.display(), judged.facts, judged.unverified));
        }
        let findings: Vec<Value> =
            judged.findings.iter().map(|finding| json!({ "line": finding.line, "column": finding.column, "key": finding.key, "message": finding.message })).collect();
        files.push(json!({ "file": path.display().to_string(), "findings": findings, "facts": judged.facts, "unverified": judged.unverified }));
    }
    output.result(&words, &json!({ "good": good, "files": files }));
    if good { Ok(()) } else { Err(Failure::Found) }
}

fn judged(path: &Path, text: &str, families: &Families) -> Judged {
    let manifest = match judge(text, families) {
        Ok(manifest) => manifest,
        Err(findings) => return Judged { findings, facts: 0, unverified: 0 },
    };
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut findings = Vec::new();
    if stem.split('@').next() != Some(manifest.id.as_str()) {
        let message = format!("`{}` is not the name of the file; name the file {}.toml", manifest.id, manifest.id);
        findings.push(Finding { line: 1, column: 1, key: Some("id".to_owned()), message });
    }
    Judged { findings, facts: manifest.facts().len(), unverified: manifest.unverified() }
}
