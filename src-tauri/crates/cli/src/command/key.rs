//! `patchbay key`: how the keys of a store stand, and from one to the next.

use patchbay_api::wire::key::{DataKeyStatus, KeyStatus};
use patchbay_engine::key::{self, MasterRotated, Progress};
use patchbay_engine::{CallerInfo, Engine, ManagementGrant, NetworkPolicy};
use patchbay_model::{Code, Operation, Origin, Problem};
use patchbay_vault::{KeyAccess, KeySource, system_context};
use serde_json::{Value, json};

use crate::arguments::{Key, KeyCommand, KeyRotate, StoreArguments};
use crate::failure::Failure;
use crate::installation::{key_access, new_passphrase, open, open_url};
use crate::output::Output;

/// Progress is told whenever so many percent more are done.
const STEP: u64 = 5;

pub(crate) async fn run(arguments: Key, output: &Output) -> Result<(), Failure> {
    match arguments.command {
        KeyCommand::Status(arguments) => status(&arguments, output).await,
        KeyCommand::Rotate(arguments) => rotate(&arguments, output).await,
        KeyCommand::Forget(arguments) => forget(&arguments, output).await,
    }
}

/// Exit status 1 when the key does not open the store; what can be told without it is told all the same.
async fn status(arguments: &StoreArguments, output: &Output) -> Result<(), Failure> {
    let (keys, store) = (key_access(&arguments.key, false)?, arguments.url()?);
    let engine = match open_url(&store, &keys, NetworkPolicy::default()).await {
        Ok(engine) => engine,
        Err(Failure::Problem(problem)) if matches!(problem.code, Code::WrongKey | Code::KeyUnavailable) => {
            let status: KeyStatus = key::look(&store, &system_context()).await?.into();
            let words = format!("{} does not open this store. {}\n\n{}", keys.source(), problem.message, described(&status));
            output.result(&words, &merged(json!({ "opens": false, "key_source": keys.source().to_string(), "problem": problem.message }), &status)?);
            return Err(Failure::Found);
        }
        Err(failure) => return Err(failure),
    };
    let done = async {
        let grant = holder(&engine, Operation::KeysStatus).await?;
        Ok::<KeyStatus, Problem>(key::status(&engine, &grant).await?.into())
    }
    .await;
    engine.shutdown().await;
    let status = done?;
    let words = format!("{} opens this store.\n\n{}", keys.source(), described(&status));
    output.result(&words, &merged(json!({ "opens": true, "key_source": keys.source().to_string() }), &status)?);
    Ok(())
}

/// The two as one object.
fn merged(mut first: Value, status: &KeyStatus) -> Result<Value, Problem> {
    let status = serde_json::to_value(status).map_err(Problem::internal)?;
    if let (Some(into), Value::Object(status)) = (first.as_object_mut(), status) {
        into.extend(status);
    }
    Ok(first)
}

fn described(status: &KeyStatus) -> String {
    let mut lines = Vec::new();
    let master = &status.master;
    lines.push(match &master.rotated_at {
        Some(at) => format!("Master key:   from {}, rotated at {at}.", kind(&master.source)),
        None => format!("Master key:   from {}, never rotated.", kind(&master.source)),
    });
    if let Some(pending) = &master.pending {
        let which = if pending.opened_here { "The next key has opened it here." } else { "The key before has opened it here." };
        lines.push(format!(
            "              A rotation to {} was begun at {} and is not finished: both keys open the store. {which} Run `patchbay key rotate --master` to finish it.",
            kind(&pending.source),
            pending.begun_at
        ));
    }
    if master.replaced > 0 {
        lines.push(format!(
            "              The keyring still holds {} replaced by a rotation, for copies and backups from before. `patchbay key forget` removes {}.",
            plural(master.replaced, "key", "keys"),
            if master.replaced == 1 { "it" } else { "them" }
        ));
    }
    lines.extend(status.data_keys.iter().map(|key| one("Data key:     ", key)));
    lines.extend(status.database_keys.iter().map(|key| one("Database key: ", key)));
    match &status.data_rotated_at {
        Some(at) => lines.push(format!("              The data key was rotated at {at}.")),
        None => lines.push("              The data key was never rotated.".to_owned()),
    }
    if let Some(rotation) = &status.rotation {
        let who = if rotation.running { "A program is at it." } else { "The next program that has the store open goes on with it, or `patchbay key rotate --data`." };
        lines.push(format!("              A rotation was begun at {}; {} to go. {who}", rotation.begun_at, plural(rotation.remaining, "value", "values")));
    }
    lines.join("\n")
}

fn one(title: &str, key: &DataKeyStatus) -> String {
    let made = key.created_at.map(|at| format!(", made at {at}")).unwrap_or_default();
    format!("{title}{}, {}{made}: {}.", key.id, if key.active { "active" } else { "old" }, plural(key.values, "value", "values"))
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn kind(word: &str) -> &str {
    match word {
        "keyring" => "the system keyring",
        "passphrase" => "a passphrase",
        "file" => "a key file",
        "env" => "an environment variable",
        "systemd" => "a systemd credential",
        other => other,
    }
}

async fn rotate(arguments: &KeyRotate, output: &Output) -> Result<(), Failure> {
    let (master, data) = match (arguments.master, arguments.data) {
        (false, false) => (true, !arguments.names_source()),
        chosen => chosen,
    };
    let to = arguments.to()?;
    let keys = key_access(&arguments.store.key, false)?;
    // Asked before anything is begun, so that nothing waits half-way for a person.
    let to = match (master, to.unwrap_or_else(|| keys.source().clone())) {
        (false, _) => None,
        (true, KeySource::Passphrase) => Some(KeyAccess::with_passphrase(new_passphrase()?)),
        (true, source) => Some(KeyAccess::from(source)),
    };
    let engine = open_url(&arguments.store.url()?, &keys, NetworkPolicy::default()).await?;
    let done = rotate_in(&engine, to, data, output).await;
    engine.shutdown().await;
    let (words, value) = done?;
    output.result(&words, &value);
    Ok(())
}

async fn rotate_in(engine: &Engine, master: Option<KeyAccess>, data: bool, output: &Output) -> Result<(String, Value), Problem> {
    let grant = holder(engine, Operation::KeysRotate).await?;
    let mut words = Vec::new();
    let mut value = json!({});
    if let Some(to) = master {
        output.progress("Rotating the master key ...");
        let rotated = key::rotate_master(engine, &grant, Some(to)).await?;
        words.extend(told(&rotated));
        value["master"] = json!({
            "key_source": rotated.source.to_string(),
            "resumed": rotated.resumed,
            "kept_file": rotated.kept_file.as_ref().map(|path| path.display().to_string()),
            "kept_entry": rotated.kept_entry,
        });
    }
    if data {
        output.progress("Rotating the data key ...");
        let mut told = None;
        let sealed = key::rotate_data(engine, &grant, |progress| tell(output, progress, &mut told)).await?;
        words.push(format!("The data key was rotated: {} sealed anew, and nothing lies under the key before.", plural(sealed.done, "value was", "values were")));
        value["data"] = json!({ "sealed_anew": sealed.done });
    }
    Ok((words.join("\n"), value))
}

/// Tells how far it is, in steps of some percent.
fn tell(output: &Output, progress: Progress, told: &mut Option<u64>) {
    let Some(percent) = (progress.done * 100).checked_div(progress.total) else { return };
    let step = percent / STEP;
    if told.is_none_or(|told| step > told) {
        output.progress(&format!("{} of {} sealed anew ({} %)", progress.done, plural(progress.total, "value", "values"), step * STEP));
        *told = Some(step);
    }
}

fn told(rotated: &MasterRotated) -> Vec<String> {
    let mut words = vec![format!(
        "The master key {}; the store opens with {} from now on.",
        if rotated.resumed { "rotation that had been begun is finished" } else { "was rotated" },
        rotated.source
    )];
    if let Some(path) = &rotated.kept_file {
        words.push(format!(
            "The key before is kept in {}: other stores may use it, and copies and backups from before open with it alone. Remove it when nothing needs it.",
            path.display()
        ));
    } else if rotated.kept_entry {
        words.push("The keyring keeps the key before, with which copies and backups from before open; `patchbay key forget` removes it.".to_owned());
    } else {
        words.push("Keep the key before for as long as you keep copies and backups from before: they open with it alone.".to_owned());
    }
    words
}

async fn forget(arguments: &StoreArguments, output: &Output) -> Result<(), Failure> {
    let engine = open(arguments, NetworkPolicy::default()).await?;
    let done = async {
        let grant = holder(&engine, Operation::KeysForget).await?;
        key::forget_replaced(&engine, &grant).await
    }
    .await;
    engine.shutdown().await;
    let gone = done?;
    let words = match gone {
        0 => "The keyring holds no replaced key of this store.".to_owned(),
        gone => format!("{} removed from the keyring. Copies and backups from before open no more.", plural(gone, "replaced key was", "replaced keys were")),
    };
    output.result(&words, &json!({ "removed": gone }));
    Ok(())
}

/// The grant of the holder of the key. Keys belong to the store and not to an organization; the first one's member acts, and
/// every organization's log tells of it.
async fn holder(engine: &Engine, operation: Operation) -> Result<ManagementGrant, Problem> {
    let first = engine.organizations().await?.into_iter().next();
    let organization = first.ok_or_else(|| Problem::new(Code::NotFound, "This store has no organization. Add one with `patchbay init`."))?;
    let grant = engine.local_grant(organization.id, Origin::Cli).await?;
    Ok(grant.with_caller(CallerInfo { path: operation.id().to_owned(), ..CallerInfo::local(Origin::Cli) }))
}
