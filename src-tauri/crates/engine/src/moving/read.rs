//! An image on its way out of a file. The disk and the seal have a thread of their own; rows are given page by page.

use std::fs::File;
use std::io::{BufRead, BufReader};

use patchbay_model::{Code, Problem};
use patchbay_store::{Batch, ImageDecoder, ImageHeader, TableSum};
use patchbay_vault::{FileKey, KeyAccess, is_sealed_file, open_file};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::backup::read_header;

/// Pages between the file and the store.
const WAITING: usize = 2;

/// An image being read. What it gives is not to be kept before [`Self::next`] has given none: only then every count and sum
/// of the file was right.
pub(super) struct Reading {
    header: ImageHeader,
    receive: mpsc::Receiver<Batch>,
    disk: Option<JoinHandle<Result<Vec<TableSum>, Problem>>>,
    sums: Vec<TableSum>,
}

/// How a backup begins that a store made by itself.
const BY_ITSELF: &[u8] = b"{\"patchbay_backup\":";

/// Begins to read a file: one that somebody asked for, which `key` opens; one that the store made by itself, which its master
/// key opens; or a bare image.
///
/// # Errors
/// `seal_broken` when the key does not open it; `invalid_field` when it needs another one; `invalid_image` for a file that is
/// none, `store_newer` for one of a newer Patchbay; `wrong_key` and `key_unavailable`.
pub(super) async fn read(file: File, key: Option<FileKey>, access: &KeyAccess) -> Result<Reading, Problem> {
    let access = access.clone();
    begin(move |tell, send| open(BufReader::with_capacity(1 << 18, file), key, &access, tell, send)).await
}

/// Begins to read a file that is sealed to a key of ours.
///
/// # Errors
/// `invalid_image` when it is not, or when it is no image; `store_newer` for one of a newer Patchbay.
pub(super) async fn read_image(file: File, key: FileKey) -> Result<Reading, Problem> {
    // It came from outside: that it does not open is no fault of this store.
    let foreign = |problem: Problem| Problem::new(Code::InvalidImage, problem.message);
    begin(move |tell, send| decode(BufReader::with_capacity(1 << 18, open_file(&key, BufReader::with_capacity(1 << 18, file)).map_err(foreign)?), tell, send)).await
}

async fn begin<F>(work: F) -> Result<Reading, Problem>
where
    F: FnOnce(oneshot::Sender<ImageHeader>, &mpsc::Sender<Batch>) -> Result<Vec<TableSum>, Problem> + Send + 'static,
{
    let (send, receive) = mpsc::channel(WAITING);
    let (tell, told) = oneshot::channel();
    let mut disk = tokio::task::spawn_blocking(move || work(tell, &send));
    match told.await {
        Ok(header) => Ok(Reading { header, receive, disk: Some(disk), sums: Vec::new() }),
        Err(_) => match (&mut disk).await {
            Ok(Err(problem)) => Err(problem),
            _ => Err(Problem::internal("reading an image was interrupted")),
        },
    }
}

fn open(mut input: BufReader<File>, key: Option<FileKey>, access: &KeyAccess, tell: oneshot::Sender<ImageHeader>, send: &mpsc::Sender<Batch>) -> Result<Vec<TableSum>, Problem> {
    let unreadable = |error: std::io::Error| Problem::new(Code::InvalidField, format!("The file cannot be read: {error}. Check the disk that it lies on."));
    match (is_sealed_file(&mut input).map_err(unreadable)?, key) {
        (true, Some(key)) => decode(BufReader::with_capacity(1 << 18, open_file(&key, input)?), tell, send),
        (true, None) => Err(Problem::new(Code::InvalidField, "The file is sealed with age. Name what opens it: the file of an identity, or a passphrase.")),
        (false, _) if input.buffer().starts_with(BY_ITSELF) => {
            let header = read_header(&mut input)?;
            let identity = access.open_vault(&header.key_header)?.backup_identity()?;
            decode(BufReader::with_capacity(1 << 18, open_file(&FileKey::Identities(vec![identity]), input)?), tell, send)
        }
        // What is not sealed needs no key; one that was given is no harm.
        (false, _) => decode(input, tell, send),
    }
}

fn decode(input: impl BufRead, tell: oneshot::Sender<ImageHeader>, send: &mpsc::Sender<Batch>) -> Result<Vec<TableSum>, Problem> {
    let mut decoder = ImageDecoder::open(input)?;
    let interrupted = || Problem::internal("nobody reads the image any more");
    tell.send(decoder.header().clone()).map_err(|_| interrupted())?;
    while let Some(batch) = decoder.next_batch()? {
        send.blocking_send(batch).map_err(|_| interrupted())?;
    }
    Ok(decoder.finish())
}

impl Reading {
    /// What the image says of itself.
    pub(super) fn header(&self) -> &ImageHeader {
        &self.header
    }

    /// The next rows; none when the file was right to its end.
    ///
    /// # Errors
    /// `invalid_image` with the place where it is not as it was written.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, Problem> {
        if let Some(batch) = self.receive.recv().await {
            return Ok(Some(batch));
        }
        if let Some(disk) = self.disk.take() {
            self.sums = disk.await.map_err(|_| Problem::internal("reading an image was interrupted"))??;
        }
        Ok(None)
    }

    /// The counts and sums of all tables, behind the end.
    pub(super) fn sums(self) -> Vec<TableSum> {
        self.sums
    }
}
