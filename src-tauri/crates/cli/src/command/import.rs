//! `patchbay import`: accounts and integrations from JSON Lines, with progress.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use patchbay_api::import::{self, Progress, Stopped};
use patchbay_engine::NetworkPolicy;
use patchbay_model::{Code, Problem, Timestamp};
use patchbay_vault::system_context;
use serde_json::json;

use crate::arguments::Import;
use crate::failure::Failure;
use crate::opened::{Opened, Request, on};
use crate::output::Output;

/// How often progress is told.
const TELL: Duration = Duration::from_secs(1);

pub(crate) async fn run(arguments: Import, output: &Output) -> Result<(), Failure> {
    let (input, size) = input(&arguments.file)?;
    let done = on(&arguments.store, &arguments.organization, NetworkPolicy::default(), async |opened| {
        let clock = system_context();
        let begun = clock.now();
        let mut told = begun;
        let tell = |progress: Progress| {
            let now = clock.now();
            if now >= told.plus(TELL) {
                told = now;
                output.progress(&words(progress, size, begun, now));
            }
        };
        match opened {
            Opened::Local { engine, grant } => import::run(engine, grant, input, tell).await,
            Opened::Remote { .. } => import::through(async |operation, request| opened.run(operation, Request::from(request)).await, input, tell).await,
        }
        .map_err(failed)
    })
    .await?;
    output.result(&format!("Made {} accounts and {} integrations; {} were there already.", done.accounts, done.integrations, done.already_there), &json!({ "imported": done }));
    Ok(())
}

/// The lines to read, and how many bytes there are where that is known.
fn input(file: &Path) -> Result<(Box<dyn BufRead>, Option<u64>), Failure> {
    if file == Path::new("-") {
        return Ok((Box::new(BufReader::new(std::io::stdin())), None));
    }
    let unreadable = |error: std::io::Error| Problem::new(Code::InvalidField, format!("{} cannot be read: {error}. Check the path; nothing was imported.", file.display()));
    let opened = File::open(file).map_err(unreadable)?;
    let size = opened.metadata().map_err(unreadable)?.len();
    Ok((Box::new(BufReader::with_capacity(1 << 16, opened)), Some(size)))
}

fn words(progress: Progress, size: Option<u64>, begun: Timestamp, now: Timestamp) -> String {
    let part = size.filter(|size| *size > 0).map(|size| format!("{} %, ", progress.bytes * 100 / size)).unwrap_or_default();
    let seconds = now.since(begun).as_secs().max(1);
    let made = progress.accounts + progress.integrations;
    format!(
        "{part}line {}: {} accounts, {} integrations, {} there already, {} a second",
        progress.lines,
        progress.accounts,
        progress.integrations,
        progress.already_there,
        made / seconds
    )
}

fn failed(stopped: Stopped) -> Failure {
    let saved = stopped.saved;
    let kept = format!(
        "Up to line {} everything is kept ({} accounts, {} integrations made). Mend the line and run the same import again.",
        saved.lines, saved.accounts, saved.integrations
    );
    stopped.problem.with_remediation(kept).into()
}
