//! Judges a manifest before it is added: whether it can be, where secrets would go, and what would be different.

use patchbay_model::definition::Definition;
use patchbay_model::{Operation, Problem};
use patchbay_providers::manifest::{Destination, Difference, Finding, judge};
use patchbay_providers::{Catalog, Manifest, UserManifest};
use patchbay_store::ReadTx;

use crate::{Engine, ManagementGrant, reach};

/// The longest manifest that is read, in bytes; the largest of the catalog has 40 kB.
const LONGEST: usize = 256 << 10;

/// What is to be said of a manifest.
#[derive(Clone, PartialEq, Debug)]
pub struct Checked {
    /// What it says, where it can be read.
    pub manifest: Option<Manifest>,
    /// What is wrong, in the order of its lines. Empty: it can be added.
    pub findings: Vec<Finding>,
    /// The version of what it takes the place of, with the organization's own mark where that is one of its own.
    pub overrides: Option<String>,
    /// What it says otherwise than that.
    pub differences: Vec<Difference>,
    /// Where secrets would go.
    pub destinations: Vec<Destination>,
    /// The version under which it would be kept.
    pub version: Option<String>,
}

/// Judges the text of a manifest. Nothing is stored.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn check(engine: &Engine, grant: &ManagementGrant, text: &str) -> Result<Checked, Problem> {
    grant.require(Operation::ManifestsCheck, None)?;
    let mut tx = reach::reading(engine, grant).await?;
    checked(engine, &mut tx, grant, text).await
}

/// The same within a transaction.
pub(super) async fn checked(engine: &Engine, tx: &mut ReadTx, grant: &ManagementGrant, text: &str) -> Result<Checked, Problem> {
    let nothing = |findings| Checked { manifest: None, findings, overrides: None, differences: Vec::new(), destinations: Vec::new(), version: None };
    if text.len() > LONGEST {
        return Ok(nothing(vec![finding(text, "", format!("a manifest has at most {} kB; this one is longer", LONGEST >> 10))]));
    }
    let manifest = match judge(text, engine.catalog().families()) {
        Ok(manifest) => manifest,
        Err(findings) => return Ok(nothing(findings)),
    };
    let catalog = engine.catalog_of(tx).await?;
    let version = kept_as(&manifest, grant, &tx.definitions_of(&manifest.id).await?);
    let findings = faults(&catalog, &manifest, text, &version);
    let before = catalog.get(&manifest.id);
    Ok(Checked {
        overrides: before.map(|before| before.version().to_owned()),
        differences: before.map(|before| without_version(before.manifest().differences(&manifest))).unwrap_or_default(),
        destinations: manifest.destinations(),
        version: Some(version),
        findings,
        manifest: Some(manifest),
    })
}

/// That it has another version is no news: it is kept under one of its own.
fn without_version(differences: Vec<Difference>) -> Vec<Difference> {
    differences.into_iter().filter(|difference| difference.path != "version").collect()
}

/// What is wrong with a manifest that can be read, as one of an organization's own.
fn faults(catalog: &Catalog, manifest: &Manifest, text: &str, version: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(known) = catalog.get(&manifest.id).filter(|known| known.connector() != manifest.connector) {
        let message = format!("{} is a provider of the connector `{}`; keep that, or choose another id", known.fullname(), known.connector().as_str());
        findings.push(finding(text, "connector", message));
    }
    if manifest.version.is_empty() || manifest.version.len() > 40 || !manifest.version.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        findings.push(finding(text, "version", "must be 1 to 40 letters, digits, dots, hyphens and underscores; the rest of the version is added".to_owned()));
    }
    let given = UserManifest { id: manifest.id.clone(), version: version.to_owned(), text: text.to_owned() };
    if let Err(error) = catalog.own(&given) {
        findings.push(finding(text, "id", error.to_string()));
    }
    findings
}

/// A finding at the line on which a key begins.
fn finding(text: &str, key: &str, message: String) -> Finding {
    let line = text.lines().position(|line| !key.is_empty() && line.split('=').next().is_some_and(|name| name.trim() == key)).unwrap_or_default() + 1;
    Finding { line, column: 1, key: (!key.is_empty()).then(|| key.to_owned()), message }
}

/// The version under which it is kept: its own word, the organization's mark and a number, so that it is the only one in the store.
fn kept_as(manifest: &Manifest, grant: &ManagementGrant, known: &[Definition]) -> String {
    let mark: String = grant.organization().uuid().simple().to_string().chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect();
    let own = known.iter().filter(|definition| definition.organization.is_some()).count();
    format!("{}+{mark}.{}", manifest.version, own + 1)
}
