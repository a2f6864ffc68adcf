//! `patchbay export`: the organization's configuration as patchbay.yaml.

use std::path::{Path, PathBuf};

use patchbay_engine::NetworkPolicy;
use patchbay_model::{Code, Operation, Problem};
use serde_json::json;

use crate::arguments::{Export, Secrets};
use crate::failure::Failure;
use crate::opened::{Request, on};
use crate::output::Output;
use crate::table::field;

/// Name of the file in a folder.
const FILE: &str = "patchbay.yaml";

pub(crate) async fn run(arguments: Export, output: &Output) -> Result<(), Failure> {
    let how = match (arguments.secrets, arguments.recipient) {
        (Secrets::Omitted, None) => json!({ "secrets": "omitted" }),
        (Secrets::Sealed, Some(recipient)) => {
            // Read before the store is opened: a recipient that cannot be read is wrong usage, not a failed export.
            patchbay_vault::AgeRecipient::parse(&recipient).map_err(|problem| Failure::usage(problem.message))?;
            json!({ "secrets": "sealed", "recipient": recipient })
        }
        (Secrets::Omitted, Some(_)) => return Err(Failure::usage("--recipient is of use only with --secrets sealed")),
        (Secrets::Sealed, None) => return Err(Failure::usage("--secrets sealed needs --recipient, a line that begins with age1")),
    };
    let request = Request::default().with_body(how);
    let exported = on(&arguments.store, &arguments.organization, NetworkPolicy::default(), async |opened| Ok(opened.run(Operation::ConfigurationExport, request).await?)).await?;
    let text = field(&exported, "content");
    match arguments.to {
        None => output.text("configuration", &text),
        Some(place) => {
            let path = if place.is_dir() { place.join(FILE) } else { place };
            write_whole(&path, &text).map_err(|error| {
                Problem::new(Code::InvalidField, format!("{} cannot be written: {error}. Choose another place with --to; nothing was left half-written.", path.display()))
            })?;
            output.result(&format!("The configuration is in {}.", path.display()), &json!({ "written": path.display().to_string() }));
        }
    }
    Ok(())
}

/// Writes beside the target and renames, so that an earlier export is replaced whole or not at all.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.draft", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = std::fs::write(&draft, text).and_then(|()| std::fs::File::open(&draft)?.sync_all()).and_then(|()| std::fs::rename(&draft, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written
}
