//! Amounts of TAO as people write them, exact, and large numbers in JSON.

use serde::{Deserialize, Deserializer, Serializer};
use std::fmt::Display;
use std::str::FromStr;

/// Smallest units of one TAO.
pub const TAO: u128 = 1_000_000_000;

const DIGITS: usize = 9;

/// Reads an amount such as `10`, `0.1` or `1_000.25`, in smallest units.
///
/// # Errors
/// In words.
pub fn parse_tao(text: &str) -> Result<u128, String> {
    let bad = || {
        format!("'{text}' is no amount of TAO: write for example 10 or 0.1, with at most {DIGITS} digits after the point")
    };
    let plain = text.replace('_', "");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > DIGITS {
        return Err(bad());
    }
    let units: u128 = format!("{fraction:0<DIGITS$}").parse().map_err(|_| bad())?;
    let whole: u128 = whole.parse().map_err(|_| bad())?;
    whole.checked_mul(TAO).and_then(|whole| whole.checked_add(units)).ok_or_else(bad)
}

/// Writes an amount, without zeros at the end: `0.5`.
pub fn tao(units: u128) -> String {
    let fraction = format!("{:0DIGITS$}", units % TAO);
    match fraction.trim_end_matches('0') {
        "" => (units / TAO).to_string(),
        fraction => format!("{}.{fraction}", units / TAO),
    }
}

/// For a key of the configuration: an amount as a string.
///
/// # Errors
/// As [`parse_tao`].
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_in_both_directions() {
        for (text, units) in
            [("0", 0), ("10", 10 * TAO), ("0.1", TAO / 10), ("1.000000001", 1_000_000_001)]
        {
            assert_eq!(parse_tao(text), Ok(units));
            assert_eq!(tao(units), text);
        }
        assert_eq!(parse_tao("1_000.25"), Ok(1_000 * TAO + TAO / 4));
        for bad in ["", ".", "1.", ".5", "-1", "1e3", "0.0000000001", "1,5", &"9".repeat(40)] {
            assert!(parse_tao(bad).is_err(), "{bad}");
        }
    }
}
