//! `patchbay`: the headless program. Parses arguments, runs one command on a store, prints its result.
//!
//! Results go to standard output, everything else to standard error. Exit status: 0 done, 1 failed, 64 wrong usage.

mod arguments;
mod command;
mod failure;
mod installation;
mod journal;
mod opened;
mod output;
mod table;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::output::Output;

/// See Cargo.toml.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return output::usage(&error, matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)),
    };
    let output = Output::new(arguments.output);
    journal::start(matches!(arguments.command, Command::Serve(_)));
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Schemas are compiled by recursion, for which the usual 2 MiB are too few without optimisation. What is not used costs nothing.
        .thread_stack_size(8 << 20)
        .build()
        .map_err(|error| Failure::from(patchbay_model::Problem::internal(format_args!("the runtime does not start ({error})"))))
        .and_then(|runtime| runtime.block_on(run(arguments.command, &output)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.failure(&failure),
    }
}

async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Init(arguments) => command::init::run(arguments, output).await,
        Command::Serve(arguments) => command::serve::run(arguments, output).await,
        Command::Simulate(arguments) => command::simulate::run(arguments, output).await,
        Command::Doctor(arguments) => command::doctor::run(arguments, output).await,
        Command::Export(arguments) => command::export::run(arguments, output).await,
        Command::Import(arguments) => command::import::run(arguments, output).await,
        Command::Key(arguments) => command::key::run(arguments, output).await,
        Command::Store(arguments) => command::store::run(arguments, output).await,
        Command::Token(arguments) => command::token::run(arguments, output).await,
        Command::Call(arguments) => command::call::run(arguments, output).await,
        Command::Disconnect(arguments) => command::disconnect::run(arguments, output).await,
        Command::Receipts(arguments) => command::receipts::run(arguments, output).await,
        Command::Revocation(arguments) => command::revocation::run(arguments, output).await,
        Command::Audit(arguments) => command::audit::run(arguments, output).await,
        Command::Connect(arguments) => command::connect::run(arguments, output).await,
        Command::Deadlines(arguments) => command::deadlines::run(arguments, output).await,
        Command::Preflight(arguments) => command::preflight::run(arguments, output).await,
        Command::Undo(arguments) => command::undo::run(arguments, output).await,
        Command::Trust(arguments) => command::trust::run(arguments, output).await,
        Command::Catalog(arguments) => command::catalog::run(&arguments, output).await,
    }
}
