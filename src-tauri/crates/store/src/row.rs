//! From columns to the model and back. Rows are private; what leaves the crate is the model's.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};

use crate::dialect::At;
use crate::error::{Result, StoreError};
use patchbay_model::Timestamp;

/// Reads a stored word of one of the model's enumerations.
pub(crate) fn word<T: DeserializeOwned>(table: &'static str, column: &'static str, text: &str) -> Result<T> {
    let reader: StrDeserializer<'_, WordError> = text.into_deserializer();
    T::deserialize(reader).map_err(|error| StoreError::BadRow { table, column, detail: error.to_string() })
}

/// A value that the parser of its type refuses.
pub(crate) fn bad(table: &'static str, column: &'static str, detail: impl Into<String>) -> StoreError {
    StoreError::BadRow { table, column, detail: detail.into() }
}

/// The word under which serde writes a plain enumeration.
pub(crate) fn as_word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// Whole seconds for a column.
pub(crate) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// A lifetime out of a column of seconds.
pub(crate) fn duration(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

/// An optional time for a column.
pub(crate) fn at(time: Option<Timestamp>) -> Option<At> {
    time.map(At)
}

/// A count out of a column.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
