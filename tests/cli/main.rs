//! The headless program, run as a stranger runs it: a process, its arguments, its output, its exit status.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test, and print what a person needs to repeat it")]

mod bench;
mod catalog;
mod cluster;
mod connect;
mod connections;
mod copying;
mod crowd;
mod database;
mod full;
mod hooks;
mod init;
mod keys;
mod kill;
mod moving;
mod remote;
mod rotation;
mod serve;
mod trouble;
mod usage;
mod work;
