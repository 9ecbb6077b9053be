//! Amounts of TAO in the configuration, and large numbers in JSON.

use cicada_amounts::parse_tao;
use serde::{Deserialize, Deserializer, Serializer};
use std::fmt::Display;
use std::str::FromStr;

/// For a key of the configuration: an amount as a string.
///
/// # Errors
/// If it is none.
pub fn amount<'de, D: Deserializer<'de>>(d: D) -> Result<u128, D::Error> {
    parse_tao(&String::deserialize(d)?).map_err(serde::de::Error::custom)
}

/// Numbers that may be beyond what JSON readers take, as strings: `#[serde(with = "text")]`.
pub mod text {
    use super::*;

    /// Writes a number.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<T: Display, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    /// Reads a number.
    ///
    /// # Errors
    /// If it is none.
    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(|_| serde::de::Error::custom(format!("'{text}' is no number")))
    }
}
