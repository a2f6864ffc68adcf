//! A server as a store: the client against a real one, over real connections that can be cut.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test, and print what a person needs to repeat it")]

mod commands;
mod offline;
mod tokens;
mod world;
