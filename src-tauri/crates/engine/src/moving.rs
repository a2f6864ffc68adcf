//! Moving and keeping a whole store: backup, restore, copy, and looking whether all is well.
//!
//! All of it goes by the store's image, row by row, so that a store of any size needs no more memory than some pages of it.
//! What is written is complete or not there: a backup gets its name when it is on the disk, a store counts as one when its
//! header is written, which is the last thing of the one transaction that fills it.

mod backup;
mod copy;
mod organization;
mod read;
mod restore;
mod seals;
mod target;
mod verify;
mod write;

pub use patchbay_store::TableSum;

pub use backup::{backup, file_name, write_backup};
pub use copy::{Copied, copy};
pub use organization::{Filled, copy_in, copy_out, fill, recipient};
pub use restore::{Restored, restore};
pub use verify::{verify, verify_backup};

/// How far a piece of long work has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// What is being done, in words for people: `Copying`.
    pub doing: &'static str,
    /// Which table.
    pub table: &'static str,
    /// Rows done.
    pub rows: u64,
    /// Rows in all.
    pub of: u64,
}

/// Told how far the work has come, after every page of rows.
pub type Progress<'a> = &'a mut (dyn FnMut(Step) + Send);

/// The rows of a store as they were moved.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Rows and checksum of each table.
    pub tables: Vec<TableSum>,
    /// Sealed values among them.
    pub sealed_values: u64,
}

impl Counts {
    /// All rows.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}
