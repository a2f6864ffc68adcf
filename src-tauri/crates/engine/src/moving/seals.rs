//! Sealed values on their way from one store to another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_model::{Context, Problem, Secret};
use patchbay_store::{Batch, SealedCell};
use patchbay_vault::{Aad, Vault};

/// Where a value lies, as its seal has it.
fn place<'a>(cell: &'a SealedCell<'_>) -> Aad<'a> {
    Aad::new(cell.organization_id, cell.account_id, &cell.sealed_for_table, cell.sealed_for_row)
}

/// Opens one value.
///
/// # Errors
/// `seal_broken`, with the row.
pub(super) fn open(vault: &Vault, cell: &SealedCell<'_>) -> Result<Secret, Problem> {
    vault
        .open(&place(cell), cell.envelope)
        .map_err(|problem| Problem::new(problem.code, format!("The sealed value of {} {} does not open. {}", cell.table, cell.row, problem.message)))
}

/// Opens every value of the rows and seals it under other keys. It is in clear in memory alone. Gives what stands for each
/// value in checksums, and how many there were.
///
/// # Errors
/// `seal_broken`, with the row.
pub(super) fn exchange(batch: &mut Batch, from: &Vault, to: &Vault, context: &Context) -> Result<Marks, Problem> {
    let mut marks = Vec::new();
    for cell in batch.sealed()? {
        let plain = open(from, &cell)?;
        marks.push(mark(from, &cell, &plain));
        let envelope = to.seal(&place(&cell), &plain, context.entropy())?;
        *cell.envelope = envelope;
    }
    Ok(Marks(marks.into_iter()))
}

/// Opens every value of the rows. Gives what stands for each in checksums.
///
/// # Errors
/// `seal_broken`, with the row.
pub(super) fn look(batch: &mut Batch, vault: &Vault) -> Result<Marks, Problem> {
    let mut marks = Vec::new();
    for cell in batch.sealed()? {
        let plain = open(vault, &cell)?;
        marks.push(mark(vault, &cell, &plain));
    }
    Ok(Marks(marks.into_iter()))
}

/// What stands for a value in the checksums of a copy: a hash of it under the key of token hashes, which a copy has in common
/// with its source, so that nobody can try guesses on it.
fn mark(vault: &Vault, cell: &SealedCell<'_>, plain: &Secret) -> String {
    let row = cell.row.to_string();
    STANDARD.encode(vault.keyed_hash("copy", &[row.as_bytes(), plain.expose().as_bytes()].concat()))
}

/// What stands for the sealed values of some rows, in their order.
pub(super) struct Marks(std::vec::IntoIter<String>);

impl Marks {
    /// How many values there are.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// The next one.
    pub(super) fn next(&mut self) -> String {
        self.0.next().unwrap_or_default()
    }
}
