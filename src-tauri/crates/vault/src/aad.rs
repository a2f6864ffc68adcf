//! The place that a sealed value belongs to.

use patchbay_model::{AccountId, OrganizationId};
use uuid::Uuid;

/// Associated data of an envelope: the row that the value belongs to. A ciphertext that is moved to another organization,
/// account, table or row does not open.
#[derive(Clone, Copy)]
pub struct Aad<'a> {
    organization: OrganizationId,
    account: Option<AccountId>,
    table: &'a str,
    row: Uuid,
}

impl<'a> Aad<'a> {
    /// Names the place. Where a table has several sealed columns, `table` is written `table.column`, so that the columns
    /// of one row cannot be exchanged either.
    pub const fn new(organization: OrganizationId, account: Option<AccountId>, table: &'a str, row: Uuid) -> Self {
        Self { organization, account, table, row }
    }

    /// The bytes that are authenticated: each part with its length before it, so that no two places give the same bytes.
    /// The key's id is among them because it stands in clear beside the ciphertext.
    pub(crate) fn bytes(&self, key_id: &str) -> Vec<u8> {
        let account = self.account.map(|account| account.uuid().into_bytes());
        framed(
            "patchbay envelope 1",
            &[
                key_id.as_bytes(),
                self.organization.uuid().as_bytes(),
                // Sixteen bytes or none: "no account" is unlike every account, the nil UUID included.
                account.as_ref().map_or(&[][..], |bytes| &bytes[..]),
                self.table.as_bytes(),
                self.row.as_bytes(),
            ],
        )
    }
}

/// A label and parts, each with its length in 64 bits before it.
pub(crate) fn framed(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(label.len() + 8 + parts.iter().map(|part| part.len() + 8).sum::<usize>());
    for part in std::iter::once(&label.as_bytes()).chain(parts) {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
