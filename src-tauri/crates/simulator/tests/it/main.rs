//! Judges of the simulator: what goes over the wire, asked for by hand.
//!
//! The modules say `cfg(test)` so that the lints take their plain functions for tests too.

#[cfg(test)]
mod catalog;
#[cfg(test)]
mod client;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod jira;
#[cfg(test)]
mod machines;
#[cfg(test)]
mod quirks;
