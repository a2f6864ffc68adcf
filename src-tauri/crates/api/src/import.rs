//! Import of accounts and integrations from JSON Lines, each line the body of a create:
//!
//! ```json
//! {"account": {"name": "globex", "environment": "prod", "labels": ["gold"]}}
//! {"integration": {"account": "globex", "name": "tickets", "provider_config": {"type": "ticketing_mock_ticketing"}}}
//! ```

use std::io::{BufRead, Read};

use patchbay_engine::import::{Import, Imported};
use patchbay_engine::{Engine, ManagementGrant};
use patchbay_model::{Code, Operation, Problem};
use serde::Deserialize;
use serde_json::Value;

use crate::handle::{account, integration};
use crate::request::{Request, from_value};
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
pub async fn run(engine: &Engine, grant: &ManagementGrant, input: impl BufRead, mut tell: impl FnMut(Progress)) -> Result<Progress, Stopped> {
    let mut import = Import::new(engine, grant);
    let make = async |number: u64, line: &[u8]| {
        let made = one(&mut import, line).await.map_err(|problem| at_line(problem, number))?;
        let due = import.is_due();
        if due {
            import.save().await?;
        }
        Ok((made, due))
    };
    let (done, saved) = each(input, make, &mut tell).await?;
    import.save().await.map_err(|problem| Stopped { saved, problem })?;
    tell(done);
    Ok(done)
}

/// Imports through a server, which is asked to make one object after the other: each is durable when it is answered.
///
/// # Errors
/// [`Stopped`] at the first line that cannot be read or made.
pub async fn through(mut ask: impl AsyncFnMut(Operation, Request) -> Result<Value, Problem>, input: impl BufRead, mut tell: impl FnMut(Progress)) -> Result<Progress, Stopped> {
    let make = async |number: u64, line: &[u8]| {
        let Some((kind, operation, request)) = asked(line).map_err(|problem| at_line(problem, number))? else { return Ok((None, true)) };
        match ask(operation, request).await {
            Ok(_) => Ok((Some((kind, Imported::Made)), true)),
            Err(problem) if problem.code == Code::NameTaken => Ok((Some((kind, Imported::AlreadyThere)), true)),
            Err(problem) => Err(at_line(problem, number)),
        }
    };
    let (done, _) = each(input, make, &mut tell).await?;
    tell(done);
    Ok(done)
}

/// Reads line by line and has each made. `make` gives what it made, and whether everything up to there is durable. Gives how far it
/// came, and how much of that is durable.
async fn each(
    mut input: impl BufRead,
    mut make: impl AsyncFnMut(u64, &[u8]) -> Result<(Option<(Kind, Imported)>, bool), Problem>,
    tell: &mut impl FnMut(Progress),
) -> Result<(Progress, Progress), Stopped> {
    let (mut saved, mut now) = (Progress::default(), Progress::default());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut input).take(LONGEST + 1).read_until(b'\n', &mut line);
        let number = now.lines + 1;
        let stopped = |problem: Problem| Stopped { saved, problem: at_line(problem, number) };
        let read = read.map_err(|error| stopped(Problem::new(Code::InvalidBody, format!("The input cannot be read: {error}. Check the file."))))?;
        if read == 0 {
            return Ok((now, saved));
        }
        if line.len() as u64 > LONGEST {
            return Err(stopped(Problem::new(Code::PayloadTooLarge, "The line is longer than 1 MiB. Split it, or check that each object stands on a line of its own.")));
        }
        let (made, durable) = make(number, &line).await.map_err(|problem| Stopped { saved, problem })?;
        now.lines += 1;
        now.bytes += read as u64;
        match made {
            Some((Kind::Account, Imported::Made)) => now.accounts += 1,
            Some((Kind::Integration, Imported::Made)) => now.integrations += 1,
            Some((_, Imported::AlreadyThere)) => now.already_there += 1,
            None => {}
        }
        if durable {
            saved = now;
            tell(saved);
        }
    }
}

enum Kind {
    Account,
    Integration,
}

/// Makes what stands on a line; nothing of an empty one.
async fn one(import: &mut Import<'_>, line: &[u8]) -> Result<Option<(Kind, Imported)>, Problem> {
    let Some(value) = read(line)? else { return Ok(None) };
    Ok(Some(match from_value(value)? {
        Line::Account(body) => (Kind::Account, import.account(account::new(*body)).await?),
        Line::Integration(body) => (Kind::Integration, import.integration(&body.account, integration::new(body.integration)?).await?),
    }))
}

/// What a server is asked for a line; nothing for an empty one.
fn asked(line: &[u8]) -> Result<Option<(Kind, Operation, Request)>, Problem> {
    let Some(value) = read(line)? else { return Ok(None) };
    // Read as it would be made here, so that a line that cannot be is told in the same words.
    let account = match from_value(value.clone())? {
        Line::Account(_) => None,
        Line::Integration(body) => Some(body.account),
    };
    let mut body = value.as_object().and_then(|line| line.values().next()).cloned().unwrap_or_default();
    Ok(Some(match account {
        None => (Kind::Account, Operation::AccountsCreate, Request { body: Some(body), ..Request::default() }),
        Some(account) => {
            if let Some(members) = body.as_object_mut() {
                members.remove("account");
            }
            (Kind::Integration, Operation::IntegrationsCreate, Request { path: vec![("account_id".to_owned(), account)], body: Some(body), ..Request::default() })
        }
    }))
}

/// The JSON object on a line; nothing of an empty one.
fn read(line: &[u8]) -> Result<Option<Value>, Problem> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if line.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(line).map(Some).map_err(|error| {
        Problem::new(
            Code::InvalidBody,
            format!("This is not one JSON object on one line (column {}). Write {{\"account\": {{...}}}} or {{\"integration\": {{...}}}}.", error.column()),
        )
    })
}

fn at_line(mut problem: Problem, line: u64) -> Problem {
    problem.message = format!("Line {line}: {}", problem.message);
    problem
}
