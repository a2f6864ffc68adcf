//! Import of accounts and integrations from JSON Lines, each line the body of a create:
//!
//! ```json
//! {"account": {"name": "globex", "environment": "prod", "labels": ["gold"]}}
//! {"integration": {"account": "globex", "name": "tickets", "provider_config": {"type": "ticketing_mock_ticketing"}}}
//! ```

use std::io::{BufRead, Read};

use patchbay_engine::import::{Import, Imported};
use patchbay_engine::{Engine, ManagementGrant};
use patchbay_model::{Code, Problem};
use serde::Deserialize;
use serde_json::Value;

use crate::handle::{account, integration};
use crate::request::from_value;
use crate::wire::account::CreateAccount;
use crate::wire::integration::CreateIntegration;

/// Longest line, in bytes: as much as the body of a create may have.
const LONGEST: u64 = 1 << 20;

/// One line.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Account(Box<CreateAccount>),
    Integration(Box<InAccount>),
}

#[derive(Deserialize)]
struct InAccount {
    /// Id or name.
    account: String,
    #[serde(flatten)]
    integration: CreateIntegration,
}

/// How far an import is, counting what is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Progress {
    /// Lines read.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Accounts made.
    pub accounts: u64,
    /// Integrations made.
    pub integrations: u64,
    /// Lines whose name was there already; what has it was left as it is.
    pub already_there: u64,
}

/// An import that ended early. Everything up to `saved` is kept, so the same import run again goes on from there.
#[derive(Clone, PartialEq, Debug)]
pub struct Stopped {
    /// What is durable.
    pub saved: Progress,
    /// Why it ended, with the number of the line.
    pub problem: Problem,
}

/// Imports line by line, in batches that are durable one by one, and tells of each. Reading may block, so it is for a program
/// that does nothing else.
///
/// # Errors
/// [`Stopped`] at the first line that cannot be read or made.
pub async fn run(engine: &Engine, grant: &ManagementGrant, mut input: impl BufRead, mut tell: impl FnMut(Progress)) -> Result<Progress, Stopped> {
    let mut import = Import::new(engine, grant);
    let (mut saved, mut now) = (Progress::default(), Progress::default());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut input).take(LONGEST + 1).read_until(b'\n', &mut line);
        let stopped = |problem: Problem| Stopped { saved, problem: at_line(problem, now.lines + 1) };
        let read = read.map_err(|error| stopped(Problem::new(Code::InvalidBody, format!("The input cannot be read: {error}. Check the file."))))?;
        if read == 0 {
            break;
        }
        if line.len() as u64 > LONGEST {
            return Err(stopped(Problem::new(Code::PayloadTooLarge, "The line is longer than 1 MiB. Split it, or check that each object stands on a line of its own.")));
        }
        let outcome = one(&mut import, &line).await.map_err(stopped)?;
        now.lines += 1;
        now.bytes += read as u64;
        match outcome {
            Some((Kind::Account, Imported::Made)) => now.accounts += 1,
            Some((Kind::Integration, Imported::Made)) => now.integrations += 1,
            Some((_, Imported::AlreadyThere)) => now.already_there += 1,
            None => {}
        }
        if import.is_due() {
            import.save().await.map_err(|problem| Stopped { saved, problem })?;
            saved = now;
            tell(saved);
        }
    }
    import.save().await.map_err(|problem| Stopped { saved, problem })?;
    tell(now);
    Ok(now)
}

enum Kind {
    Account,
    Integration,
}

/// Makes what stands on a line; nothing of an empty one.
async fn one(import: &mut Import<'_>, line: &[u8]) -> Result<Option<(Kind, Imported)>, Problem> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if line.is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        Problem::new(
            Code::InvalidBody,
            format!("This is not one JSON object on one line (column {}). Write {{\"account\": {{...}}}} or {{\"integration\": {{...}}}}.", error.column()),
        )
    })?;
    Ok(Some(match from_value(value)? {
        Line::Account(body) => (Kind::Account, import.account(account::new(*body)).await?),
        Line::Integration(body) => (Kind::Integration, import.integration(&body.account, integration::new(body.integration)?).await?),
    }))
}

fn at_line(mut problem: Problem, line: u64) -> Problem {
    problem.message = format!("Line {line}: {}", problem.message);
    problem
}
