//! One way to write a structure, whichever database it comes from.

use serde_json::{Map, Number, Value};

/// The same value as every store gives it: the members of objects in the order of their keys, and a number without a
/// fraction as a whole number. PostgreSQL keeps neither the order of keys nor the way a number was written (`1e16`).
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            Value::Object(sorted.into_iter().map(|(key, value)| (key.clone(), canonical(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        Value::Number(number) => Value::Number(whole(number)),
        other => other.clone(),
    }
}

/// 2^63 and 2^64, the ends of whole numbers of 64 bits.
const SIGNED: f64 = 9_223_372_036_854_775_808.0;
const UNSIGNED: f64 = 18_446_744_073_709_551_616.0;

fn whole(number: &Number) -> Number {
    match number.as_f64() {
        // Only of floats: a whole number may have more digits than a float keeps. The bounds keep the casts exact.
        Some(float) if number.is_f64() && float.fract() == 0.0 && (-SIGNED..SIGNED).contains(&float) => Number::from(float as i64),
        Some(float) if number.is_f64() && (SIGNED..UNSIGNED).contains(&float) => Number::from(float as u64),
        _ => number.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_numbers_written_one_way() {
        for (given, written) in [
            (r#"{"b":1,"a":{"d":[{"z":1,"y":2}],"c":null}}"#, r#"{"a":{"c":null,"d":[{"y":2,"z":1}]},"b":1}"#),
            (
                "[1.0, 1e16, 1e19, -0.0, 0.5, 18446744073709551615, -9223372036854775808, 1e300]",
                "[1,10000000000000000,10000000000000000000,0,0.5,18446744073709551615,-9223372036854775808,1e+300]",
            ),
        ] {
            assert_eq!(canonical(&serde_json::from_str(given).unwrap()).to_string(), written);
        }
    }
}
