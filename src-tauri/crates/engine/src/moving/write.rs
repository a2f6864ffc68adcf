//! An image on its way into a file. The rows are read here; the sealing and the disk have a thread of their own.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};

use patchbay_model::{Code, Problem};
use patchbay_store::{Batch, ImageEncoder, ImageSource};
use patchbay_vault::{FileSeal, seal_file};
use tokio::sync::mpsc;

use super::{Counts, Progress, Step};

/// Pieces of text between the reader and the disk.
const WAITING: usize = 4;

/// Writes an image into an open file, sealed where a seal is given, and waits for the disk. Gives the file back.
///
/// # Errors
/// `backup_failed` when the file cannot be written; problems of the store.
pub(super) async fn write_image<S: Source>(mut source: S, file: File, seal: Option<FileSeal>, progress: Progress<'_>) -> Result<(File, Counts), Problem> {
    let (send, receive) = mpsc::channel::<String>(WAITING);
    let disk = tokio::task::spawn_blocking(move || to_disk(file, seal, receive));
    let read = pump(&mut source, &send, progress).await;
    // Without an end the file is not whole, whoever looks at it.
    drop(send);
    let written = disk.await.map_err(|_| Problem::internal("writing an image was interrupted"))?;
    let counts = read?;
    source.end().await?;
    Ok((written?, counts))
}

/// An image, as it is to be written.
pub(super) trait Source: Send {
    /// The image below.
    fn image(&self) -> &ImageSource;
    /// The next rows; none at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Batch>, Problem>> + Send;
    /// Ends the snapshot.
    fn end(self) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// The image of a store, with every value sealed as it is.
pub(super) struct AsItIs(pub(super) ImageSource);

impl Source for AsItIs {
    fn image(&self) -> &ImageSource {
        &self.0
    }

    async fn next(&mut self) -> Result<Option<Batch>, Problem> {
        Ok(self.0.next().await?)
    }

    async fn end(self) -> Result<(), Problem> {
        Ok(self.0.end().await?)
    }
}

async fn pump<S: Source>(source: &mut S, send: &mpsc::Sender<String>, progress: Progress<'_>) -> Result<Counts, Problem> {
    let of = source.image().header().rows();
    let (mut encoder, header) = ImageEncoder::new(source.image().header());
    let (mut rows, mut sealed_values) = (0, 0);
    // When nobody takes any more, the disk has failed, and says so itself.
    let mut taken = send.send(header).await.is_ok();
    while taken && let Some(mut batch) = source.next().await? {
        rows += batch.len() as u64;
        sealed_values += batch.sealed()?.len() as u64;
        progress(Step { doing: "Writing", table: batch.table(), rows, of });
        taken = send.send(encoder.batch(&batch)).await.is_ok();
    }
    let (end, tables) = encoder.finish();
    if taken {
        // As above.
        let _ = send.send(end).await;
    }
    Ok(Counts { tables, sealed_values })
}

fn to_disk(file: File, seal: Option<FileSeal>, receive: mpsc::Receiver<String>) -> Result<File, Problem> {
    let buffered = BufWriter::with_capacity(1 << 18, file);
    let file = match seal {
        None => drain(buffered, receive).and_then(unwrap),
        Some(seal) => seal_file(&seal, buffered)?.and_then(|writer| drain(writer, receive)).and_then(|writer| unwrap(writer.finish()?)),
    };
    file.and_then(|file| file.sync_all().map(|()| file)).map_err(|error| unwritable(&error))
}

fn drain<W: Write>(mut writer: W, mut receive: mpsc::Receiver<String>) -> io::Result<W> {
    while let Some(text) = receive.blocking_recv() {
        writer.write_all(text.as_bytes())?;
    }
    Ok(writer)
}

fn unwrap(writer: BufWriter<File>) -> io::Result<File> {
    writer.into_inner().map_err(io::IntoInnerError::into_error)
}

/// In words, what a disk that fails means.
pub(super) fn unwritable(error: &io::Error) -> Problem {
    let why = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "The disk is full. Free some space, or name another place.".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "The disk is read-only. Make it writable, or name another place.".to_owned(),
        ErrorKind::PermissionDenied => "The place cannot be written. Name another one, or make it writable.".to_owned(),
        _ => format!("The disk does not take it ({error}). Check it, or name another place."),
    };
    Problem::new(Code::BackupFailed, format!("The backup could not be written. {why} Nothing was left half-written."))
}
