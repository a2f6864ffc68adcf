//! From one store straight into another.

use patchbay_model::{Context, Problem};
use patchbay_store::{Batch, ImageSource, ImageSums, Store, TableSum};
use patchbay_vault::{KeyAccess, Vault};
use uuid::Uuid;

use super::target::{Rows, Target, new_keys, store_header};
use super::{Counts, Progress, Step, seals};
use crate::Engine;
use crate::installation::{StoreUrl, open_store};

/// A store that was copied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copied {
    /// What is in the copy, as it was read back. The checksums are over the rows with each sealed value as a hash of what is
    /// in it, so that they are those of the source.
    pub counts: Counts,
    /// Id of the copy, which has keys of its own.
    pub store_id: Uuid,
}

/// Copies the whole store into a new one, under keys of its own: every sealed value is opened and sealed anew, in memory.
/// Objects keep their ids, and the key of token hashes goes along (wrapped under the copy's master key), so that tokens,
/// sessions and links go on working. It happens in one transaction on either side; afterwards the copy is read back and
/// compared.
///
/// Both stores would renew the same tokens and tell the same webhooks: go on with one of them.
///
/// # Errors
/// `in_use` when there is a store already; `seal_broken` for a sealed value that does not open; `key_unavailable`; problems
/// of the stores. Nothing is left then that counts as a store.
pub async fn copy(source: &Engine, url: &StoreUrl, keys: &KeyAccess, context: &Context, progress: Progress<'_>) -> Result<Copied, Problem> {
    let target = Target::create(url).await?;
    let id = context.new_uuid();
    let filled = fill(source, &target, id, keys, context, progress).await;
    let given = match filled {
        Ok(given) => {
            target.close().await;
            given
        }
        Err(problem) => {
            let keys = keys.clone();
            // The entry belongs to a store that was not made; that it stays behind harms nobody.
            let _ = tokio::task::spawn_blocking(move || keys.forget(id)).await;
            target.give_up().await;
            return Err(problem);
        }
    };
    let (store, vault) = open_store(url, keys).await?;
    let found = look(&store, &vault, context, progress).await;
    store.close().await;
    let found = found?;
    match difference(&given.tables, &found.tables) {
        None => Ok(Copied { counts: found, store_id: id }),
        Some(table) => Err(Problem::internal(format_args!("the copy differs from its source in the table {table}; do not use it"))),
    }
}

async fn fill(source: &Engine, target: &Target, id: Uuid, access: &KeyAccess, context: &Context, progress: Progress<'_>) -> Result<Counts, Problem> {
    let from = source.vault();
    let keys = new_keys(Some(&from), target, id, access, context).await?;
    keys.unlock(target);
    let image = source.store().image(context.now()).await?;
    // Behind the view, so that no value in it lies under a key of which this process has not heard yet.
    crate::key::reload(source).await?;
    let from = source.vault();
    let of = image.header().rows();
    let header = store_header(id, &keys.header, context.now())?;
    let sums = ImageSums::new(image.header());
    let mut rows = Exchanged { image, from: &from, to: &keys.vault, context, sums, sealed_values: 0 };
    target.fill(&mut rows, header, of, progress).await?;
    let Exchanged { image, sums, sealed_values, .. } = rows;
    image.end().await?;
    Ok(Counts { tables: sums.finish(), sealed_values })
}

/// Rows of a store, with their sealed values under other keys.
struct Exchanged<'a> {
    image: ImageSource,
    from: &'a Vault,
    to: &'a Vault,
    context: &'a Context,
    sums: ImageSums,
    sealed_values: u64,
}

impl Rows for Exchanged<'_> {
    async fn next(&mut self) -> Result<Option<Batch>, Problem> {
        let Some(mut batch) = self.image.next().await? else { return Ok(None) };
        let mut marks = seals::exchange(&mut batch, self.from, self.to, self.context)?;
        self.sealed_values += marks.len();
        self.sums.add(&batch, || marks.next());
        Ok(Some(batch))
    }
}

/// Reads a whole store, every sealed value with it.
async fn look(store: &Store, vault: &Vault, context: &Context, progress: Progress<'_>) -> Result<Counts, Problem> {
    let mut image = store.image(context.now()).await?;
    let of = image.header().rows();
    let mut sums = ImageSums::new(image.header());
    let (mut rows, mut sealed_values) = (0, 0);
    while let Some(mut batch) = image.next().await? {
        let mut marks = seals::look(&mut batch, vault)?;
        sealed_values += marks.len();
        sums.add(&batch, || marks.next());
        rows += batch.len() as u64;
        progress(Step { doing: "Reading back", table: batch.table(), rows, of });
    }
    image.end().await?;
    Ok(Counts { tables: sums.finish(), sealed_values })
}

/// The first table that is not the same.
fn difference<'a>(one: &'a [TableSum], other: &[TableSum]) -> Option<&'a str> {
    let first = one.iter().enumerate().find(|(place, sum)| other.get(*place) != Some(sum));
    first.map(|(_, sum)| sum.table.as_str()).or_else(|| (one.len() != other.len()).then_some("that is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let sum = |table: &str, rows| TableSum { table: table.to_owned(), rows, sha256: String::new() };
        let one = [sum("a", 1), sum("b", 2)];
        assert_eq!(difference(&one, &one), None);
        assert_eq!(difference(&one, &[sum("a", 1), sum("b", 3)]), Some("b"));
        assert_eq!(difference(&one, &one[..1]), Some("b"));
        assert_eq!(difference(&one[..1], &one), Some("that is missing"));
    }
}
