//! An image as it is read from its lines, with every count and sum compared.

use std::io::{BufRead, Read};

use serde::Deserialize;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::encode::{ImageSums, hex};
use super::tables::{self, Column, ImageTable};
use super::value::Value;
use super::{Batch, ImageHeader, TableSum};
use crate::error::{Result, StoreError};

/// Longest line: a row with the largest document that a store takes has room in it.
const LONGEST: u64 = 128 << 20;

/// Rows that are handed over at once, unless their lines grow beyond [`ENOUGH`].
const ROWS: usize = 250;
const ENOUGH: usize = 4 << 20;

/// Reads an image. Nothing that it gives is to be believed before [`Self::next_batch`] has given none: only then every count and
/// sum was right.
pub struct ImageDecoder<R> {
    input: R,
    header: ImageHeader,
    all: Sha256,
    /// Lines read.
    line: u64,
    text: Vec<u8>,
    sums: ImageSums,
    /// The table whose rows are read.
    table: Option<(&'static ImageTable, Vec<Column>)>,
    rows: u64,
    ended: bool,
}

/// A line that is no row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Mark {
    Begin { table: String },
    Close { rows: u64, sha256: String },
    End { end: End },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    rows: u64,
    sha256: String,
}

impl<R: BufRead> ImageDecoder<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`StoreError::Image`] for anything that is no image, [`StoreError::NewerImage`].
    pub fn open(mut input: R) -> Result<Self> {
        let mut text = Vec::new();
        read_line(&mut input, &mut text, 1, "")?;
        let mut all = Sha256::new();
        all.update(&text);
        let image = |what: &str| StoreError::Image { table: String::new(), line: 1, what: what.to_owned() };
        // The version first: the rest may have changed with it.
        let header: Json = serde_json::from_slice(&text).map_err(|_| image("it does not begin as the image of a store does"))?;
        let version = header.get("patchbay_image").and_then(Json::as_u64).ok_or_else(|| image("it does not begin as the image of a store does"))?;
        if version > u64::from(super::IMAGE_VERSION) {
            let found = header.get("schema").and_then(Json::as_i64).unwrap_or_default();
            return Err(StoreError::NewerImage { found, known: crate::file::newest_schema() });
        }
        let header: ImageHeader = serde_json::from_value(header).map_err(|error| image(&format!("its header cannot be read ({error})")))?;
        header.check()?;
        let sums = ImageSums::new(&header);
        Ok(Self { input, header, all, line: 1, text, sums, table: None, rows: 0, ended: false })
    }

    /// What the image says of itself.
    pub fn header(&self) -> &ImageHeader {
        &self.header
    }

    /// Lines read so far, which is where a fault lies.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next rows, all of one table; none behind the end.
    ///
    /// # Errors
    /// [`StoreError::Image`] with the table and line of what is not as it was written.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut rows = Vec::new();
        let mut size = 0;
        while !self.ended {
            let name = self.table.as_ref().map_or("", |(table, _)| table.name);
            read_line(&mut self.input, &mut self.text, self.line + 1, name)?;
            self.line += 1;
            if self.text.first() == Some(&b'[') {
                let row = self.row()?;
                size += self.text.len();
                rows.push(row);
                if rows.len() >= ROWS || size >= ENOUGH {
                    return Ok(self.batch(rows));
                }
            } else {
                let before = self.table.as_ref().map(|(table, columns)| (*table, columns.clone()));
                self.mark()?;
                if let Some((table, columns)) = before.filter(|_| !rows.is_empty()) {
                    return Ok(Some(Batch { table, columns, rows }));
                }
            }
        }
        Ok(None)
    }

    /// The counts and sums of all tables, behind the end.
    pub fn finish(self) -> Vec<TableSum> {
        self.sums.finish()
    }

    fn batch(&self, rows: Vec<Vec<Value>>) -> Option<Batch> {
        self.table.as_ref().map(|(table, columns)| Batch { table, columns: columns.clone(), rows })
    }

    fn wrong(&self, what: impl Into<String>) -> StoreError {
        let table = self.table.as_ref().map_or_else(String::new, |(table, _)| table.name.to_owned());
        StoreError::Image { table, line: self.line, what: what.into() }
    }

    fn row(&mut self) -> Result<Vec<Value>> {
        let Some((_, columns)) = &self.table else { return Err(self.wrong("a row stands outside of every table")) };
        let values: Vec<Json> = serde_json::from_slice(&self.text).map_err(|_| self.wrong("a row cannot be read"))?;
        if values.len() != columns.len() {
            return Err(self.wrong(format!("a row has {} values, but the table has {} columns", values.len(), columns.len())));
        }
        let mut row = Vec::with_capacity(values.len());
        for (json, (column, kind)) in values.into_iter().zip(columns) {
            row.push(Value::from_json(*kind, json).ok_or_else(|| self.wrong(format!("the value of `{column}` is of another type")))?);
        }
        self.sums.row(&self.text);
        self.all.update(&self.text);
        self.rows += 1;
        Ok(row)
    }

    fn mark(&mut self) -> Result<()> {
        let mark = serde_json::from_slice(&self.text).map_err(|_| self.wrong("a line cannot be read"))?;
        match (mark, self.table.is_some()) {
            (Mark::Begin { table }, false) => {
                let expected = self.header.tables.get(self.sums.done());
                let Some(named) = expected.filter(|named| named.name == table) else { return Err(self.wrong(format!("the table `{table}` stands in the wrong place"))) };
                let known = tables::table(&named.name).ok_or_else(|| self.wrong(format!("there is no table `{table}`")))?;
                let columns = named.columns.iter().filter_map(|column| known.position(column).and_then(|place| known.columns.get(place)).copied()).collect();
                self.table = Some((known, columns));
                self.all.update(&self.text);
            }
            (Mark::Close { rows, sha256 }, true) => {
                let promised = self.header.tables.get(self.sums.done()).map(|table| table.rows);
                let sum = self.sums.close();
                if sum.rows != rows || promised != Some(rows) {
                    return Err(self.wrong(format!("it has {} rows, but should have {rows}", sum.rows)));
                }
                if sum.sha256 != sha256 {
                    return Err(self.wrong("its checksum does not fit: a row was changed"));
                }
                self.table = None;
                self.all.update(&self.text);
            }
            (Mark::End { end }, false) => {
                if self.sums.done() != self.header.tables.len() {
                    return Err(self.wrong("it ends before its last table"));
                }
                if end.rows != self.rows || end.sha256 != hex(&std::mem::take(&mut self.all).finalize()) {
                    return Err(self.wrong("the checksum of the whole does not fit: something was changed"));
                }
                self.text.clear();
                let more = self.input.by_ref().take(1).read_to_end(&mut self.text).map_err(|error| self.wrong(reading(&error)))?;
                if more > 0 {
                    return Err(self.wrong("something stands behind its end"));
                }
                self.ended = true;
            }
            _ => return Err(self.wrong("a line stands in the wrong place")),
        }
        Ok(())
    }
}

/// Reads a line with its end.
fn read_line(input: &mut impl BufRead, text: &mut Vec<u8>, line: u64, table: &str) -> Result<()> {
    let wrong = |what: String| StoreError::Image { table: table.to_owned(), line, what };
    text.clear();
    input.take(LONGEST).read_until(b'\n', text).map_err(|error| wrong(reading(&error)))?;
    match text.last() {
        Some(b'\n') => Ok(()),
        _ if text.len() as u64 >= LONGEST => Err(wrong("a line is longer than any row can be".to_owned())),
        _ => Err(wrong("it ends here, before its end: it was cut off".to_owned())),
    }
}

/// What a failed read means: under a seal, that the file was changed or cut off.
fn reading(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "it ends here, before its end: it was cut off".to_owned(),
        std::io::ErrorKind::InvalidData => "it was changed here, or cut off".to_owned(),
        _ => format!("it cannot be read further ({error})"),
    }
}
