//! An image as lines, and the sums over them.

use std::fmt::Write;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::value::Value;
use super::{Batch, ImageHeader, TableSum};

/// Counts and sums the rows of an image, table by table, in the order of the header.
pub struct ImageSums {
    tables: Vec<String>,
    at: usize,
    rows: u64,
    sum: Sha256,
    done: Vec<TableSum>,
}

impl ImageSums {
    /// For the tables of an image.
    pub fn new(header: &ImageHeader) -> Self {
        Self { tables: header.tables.iter().map(|table| table.name.clone()).collect(), at: 0, rows: 0, sum: Sha256::new(), done: Vec::new() }
    }

    /// Adds rows as they are written, with each sealed value as `sealed` has it: the envelopes of two stores differ, what is
    /// in them need not. It is asked in the order of the rows, for those that have one.
    pub fn add(&mut self, batch: &Batch, mut sealed: impl FnMut() -> String) {
        while self.tables.get(self.at).is_some_and(|table| table != batch.table()) {
            self.close();
        }
        let mut line = String::new();
        for row in &batch.rows {
            line.clear();
            write_row(&mut line, row, |_| Json::String(sealed()));
            self.row(line.as_bytes());
        }
    }

    /// How many tables are behind.
    pub(crate) fn done(&self) -> usize {
        self.done.len()
    }

    pub(crate) fn row(&mut self, line: &[u8]) {
        self.rows += 1;
        self.sum.update(line);
    }

    /// Ends a table. Gives its sum.
    pub(crate) fn close(&mut self) -> TableSum {
        let sum =
            TableSum { table: self.tables.get(self.at).cloned().unwrap_or_default(), rows: std::mem::take(&mut self.rows), sha256: hex(&std::mem::take(&mut self.sum).finalize()) };
        self.at += 1;
        self.done.push(sum.clone());
        sum
    }

    /// The sums of all tables.
    pub fn finish(mut self) -> Vec<TableSum> {
        while self.at < self.tables.len() {
            self.close();
        }
        self.done
    }
}

/// Writes the lines of an image.
pub struct ImageEncoder {
    sums: ImageSums,
    /// Whether the line that begins the present table is written.
    begun: bool,
    all: Sha256,
    rows: u64,
}

impl ImageEncoder {
    /// Begins an image. Gives its first line.
    pub fn new(header: &ImageHeader) -> (Self, String) {
        let mut encoder = Self { sums: ImageSums::new(header), begun: false, all: Sha256::new(), rows: 0 };
        // A header is plain data, of which every member can be written.
        let mut line = serde_json::to_string(header).unwrap_or_default();
        line.push('\n');
        encoder.all.update(&line);
        (encoder, line)
    }

    /// The lines of some rows, and of what stands before them.
    pub fn batch(&mut self, batch: &Batch) -> String {
        let mut text = String::new();
        while self.sums.tables.get(self.sums.at).is_some_and(|table| table != batch.table()) {
            self.close(&mut text);
        }
        self.begin(&mut text);
        for row in &batch.rows {
            let from = text.len();
            write_row(&mut text, row, Value::to_json);
            self.sums.row(text.get(from..).unwrap_or_default().as_bytes());
            self.rows += 1;
        }
        self.all.update(&text);
        text
    }

    /// The end of the image, and the sums.
    pub fn finish(mut self) -> (String, Vec<TableSum>) {
        let mut text = String::new();
        while self.sums.at < self.sums.tables.len() {
            self.close(&mut text);
        }
        self.all.update(&text);
        let end = serde_json::json!({ "end": { "rows": self.rows, "sha256": hex(&self.all.finalize()) } });
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{end}");
        (text, self.sums.done)
    }

    fn begin(&mut self, text: &mut String) {
        if !self.begun {
            let table = self.sums.tables.get(self.sums.at);
            let _ = writeln!(text, "{}", serde_json::json!({ "table": table }));
            self.begun = true;
        }
    }

    fn close(&mut self, text: &mut String) {
        self.begin(text);
        let sum = self.sums.close();
        let _ = writeln!(text, "{}", serde_json::json!({ "rows": sum.rows, "sha256": sum.sha256 }));
        self.begun = false;
    }
}

/// A row as its line.
fn write_row(text: &mut String, row: &[Value], mut sealed: impl FnMut(&Value) -> Json) {
    for (place, value) in row.iter().enumerate() {
        let json = if matches!(value, Value::Sealed(_)) { sealed(value) } else { value.to_json() };
        let _ = write!(text, "{}{json}", if place == 0 { '[' } else { ',' });
    }
    text.push_str("]\n");
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
