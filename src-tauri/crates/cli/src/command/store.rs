//! `patchbay store`: moving and keeping a whole store.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use patchbay_engine::NetworkPolicy;
use patchbay_engine::installation::{VerifyReport, provisioning_script};
use patchbay_engine::moving::{self, Step, TableSum};
use patchbay_model::{Code, Context, Problem, Secret, Timestamp};
use patchbay_vault::{FileKey, FileSeal, system_context};
use serde_json::{Value, json};

use crate::arguments::{OpenerArguments, Store, StoreBackup, StoreCommand, StoreRestore, StoreVerify};
use crate::failure::Failure;
use crate::installation::{backup_passphrase, key_access, open, open_named};
use crate::output::Output;

/// How often progress is told.
const TELL: Duration = Duration::from_secs(1);

/// Most bytes of a file of identities.
const LONGEST_IDENTITIES: u64 = 1 << 16;

pub(crate) async fn run(arguments: Store, output: &Output) -> Result<(), Failure> {
    match arguments.command {
        StoreCommand::Backup(arguments) => backup(&arguments, output).await,
        StoreCommand::Restore(arguments) => restore(&arguments, output).await,
        StoreCommand::Copy(arguments) => super::copy::run(&arguments, output).await,
        StoreCommand::Verify(arguments) => verify(&arguments, output).await,
        StoreCommand::Sql(arguments) => {
            output.text("sql", &provisioning_script(&arguments.management, arguments.svc.as_deref()));
            Ok(())
        }
    }
}

async fn backup(arguments: &StoreBackup, output: &Output) -> Result<(), Failure> {
    // Read before the store is opened: what cannot be read is wrong usage, not a failed backup.
    let seal = if arguments.passphrase {
        FileSeal::passphrase(backup_passphrase(true)?)?
    } else {
        FileSeal::recipients(arguments.recipient.iter().map(String::as_str)).map_err(|problem| Failure::usage(problem.message))?
    };
    let context = system_context();
    let name = moving::file_name(&arguments.store.store.label(), context.now());
    let path = match &arguments.to {
        None => name.into(),
        Some(place) if place.is_dir() => place.join(name),
        Some(file) => file.clone(),
    };
    let engine = open(&arguments.store, NetworkPolicy::default()).await?;
    let mut teller = Teller::new(output, context);
    let counts = moving::backup(&engine, &path, seal, &mut |step| teller.tell(step)).await;
    engine.shutdown().await;
    let counts = counts?;
    let bytes = std::fs::metadata(&path).map(|file| file.len()).unwrap_or_default();
    let words = format!(
        "The backup is in {}: {} rows, {} sealed values among them. To restore it, the master key of the store is needed too.",
        path.display(),
        counts.rows(),
        counts.sealed_values
    );
    let mut value = counted(&counts.tables, counts.sealed_values);
    add(&mut value, [("written", json!(path.display().to_string())), ("bytes", json!(bytes))]);
    output.result(&words, &json!({ "backup": value }));
    Ok(())
}

async fn restore(arguments: &StoreRestore, output: &Output) -> Result<(), Failure> {
    let key = opener(&arguments.opener)?;
    let file = readable(&arguments.file)?;
    arguments.store.store.opened_here()?;
    let keys = key_access(&arguments.store.key, false)?;
    let context = system_context();
    let mut teller = Teller::new(output, context.clone());
    let url = &arguments.store.url()?;
    let restored = moving::restore(file, key, url, &keys, arguments.replace, &context, &mut |step| teller.tell(step)).await?;
    let mut words = format!("The store of {} is in {url}: {} rows, {} sealed values opened.", restored.made_at, restored.counts.rows(), restored.counts.sealed_values);
    if let Some(kept) = &restored.kept {
        words.push_str(&format!("\nThe store before is kept in {}.", kept.display()));
    }
    let whole = restored.findings.is_empty();
    if !whole {
        words.push_str(&format!("\n{}", told(&restored.findings, "were wrong with the store when the backup was made, and are wrong with this one")));
    }
    let mut value = counted(&restored.counts.tables, restored.counts.sealed_values);
    let kept = restored.kept.as_ref().map(|kept| kept.display().to_string());
    add(
        &mut value,
        [
            ("store", json!(url.to_string())),
            ("store_id", json!(restored.store_id)),
            ("made_at", json!(restored.made_at)),
            ("kept", json!(kept)),
            ("findings", json!(restored.findings)),
        ],
    );
    output.result(&words, &json!({ "restored": value }));
    if whole { Ok(()) } else { Err(Failure::Found) }
}

/// Exit status 1 when something is wrong, and a line for each thing.
async fn verify(arguments: &StoreVerify, output: &Output) -> Result<(), Failure> {
    let context = system_context();
    let mut teller = Teller::new(output, context.clone());
    let mut tell = |step| teller.tell(step);
    let store = arguments.url()?;
    let (what, mend, report) = match (&store, &arguments.backup) {
        (Some(url), _) => {
            let engine = open_named(url, &arguments.key, NetworkPolicy::default()).await?;
            output.progress("Checking the structure, reading every row and opening every sealed value ...");
            let report = moving::verify(&engine, &mut tell).await;
            engine.shutdown().await;
            ("store", "Stop every Patchbay that uses it, keep a copy, and restore it from a backup.", report?)
        }
        (None, Some(file)) => {
            let (key, opened) = (opener(&arguments.opener)?, readable(file)?);
            let keys = key_access(&arguments.key, false)?;
            ("backup", "Look through the store that it was made of, and keep an older backup.", moving::verify_backup(opened, key, &keys, &context, &mut tell).await?)
        }
        (None, None) => return Err(Failure::usage("name a store with --store, or a backup with --backup")),
    };
    let VerifyReport { findings, sealed_values, tables } = &report;
    let clean = findings.is_empty();
    let words = if clean {
        format!("The {what} is clean: its structure is whole, all {} rows can be read, and all {sealed_values} sealed values open.", rows(tables))
    } else {
        format!("{}{mend}", told(findings, &format!("are wrong with the {what}")))
    };
    let mut value = counted(tables, *sealed_values);
    add(&mut value, [("clean", json!(clean)), ("findings", json!(findings))]);
    output.result(&words, &value);
    if clean { Ok(()) } else { Err(Failure::Found) }
}

/// What opens a backup; nothing for one that is not sealed.
fn opener(arguments: &OpenerArguments) -> Result<Option<FileKey>, Failure> {
    if arguments.passphrase {
        return Ok(Some(FileKey::Passphrase(backup_passphrase(false)?)));
    }
    let Some(path) = &arguments.identity else { return Ok(None) };
    let unreadable = |error: std::io::Error| Problem::new(Code::InvalidField, format!("The file of the identity, {}, cannot be read: {error}. Check the path.", path.display()));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST_IDENTITIES).read_to_end(&mut bytes)).map_err(unreadable)?;
    let text = Secret::from_utf8(bytes).ok_or_else(|| Problem::new(Code::InvalidField, format!("{} is no file of age identities.", path.display())))?;
    Ok(Some(FileKey::identities(&text)?))
}

fn readable(path: &Path) -> Result<File, Failure> {
    Ok(File::open(path)
        .map_err(|error| Problem::new(Code::InvalidField, format!("The backup {} cannot be read: {error}. Check the path; nothing was changed.", path.display())))?)
}

pub(super) fn rows(tables: &[TableSum]) -> u64 {
    tables.iter().map(|table| table.rows).sum()
}

pub(super) fn counted(tables: &[TableSum], sealed_values: u64) -> Value {
    json!({ "rows": rows(tables), "sealed_values": sealed_values, "tables": tables })
}

pub(super) fn add<const N: usize>(value: &mut Value, members: [(&str, Value); N]) {
    if let Value::Object(object) = value {
        object.extend(members.map(|(name, value)| (name.to_owned(), value)));
    }
}

fn told(findings: &[String], how: &str) -> String {
    let mut words = format!("{} things {how}:\n", findings.len());
    for finding in findings {
        words.push_str(&format!("- {finding}\n"));
    }
    words
}

/// Tells how far the work has come, once a second.
pub(super) struct Teller<'a> {
    output: &'a Output,
    context: Context,
    told: Timestamp,
}

impl<'a> Teller<'a> {
    pub(super) fn new(output: &'a Output, context: Context) -> Self {
        Self { output, told: context.now(), context }
    }

    pub(super) fn tell(&mut self, step: Step) {
        let now = self.context.now();
        if now >= self.told.plus(TELL) {
            self.told = now;
            let Step { doing, table, rows, of } = step;
            self.output.progress(&format!("{doing} {table}: {} %, {rows} of {of} rows", rows * 100 / of.max(1)));
        }
    }
}
