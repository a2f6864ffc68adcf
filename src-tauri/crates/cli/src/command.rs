//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod call;
pub(crate) mod catalog;
pub(crate) mod connect;
mod copy;
pub(crate) mod deadlines;
pub(crate) mod disconnect;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod preflight;
pub(crate) mod receipts;
pub(crate) mod revocation;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod store;
pub(crate) mod token;
pub(crate) mod trust;
pub(crate) mod undo;
