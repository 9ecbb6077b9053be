//! Values in SCALE, as JSON has them.

use cicada_core::report::Report;
use parity_scale_codec::{Decode, DecodeAll, Encode, Error, Input, Output};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;

/// A value as the hexadecimal digits of its SCALE: written after `0x`, read with it or without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scale<T>(pub T);

/// Why a text is no such value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScaleError {
    /// Other characters than digits, or an odd number of them.
    #[error("is not hexadecimal: {0}")]
    NoHex(#[from] hex::FromHexError),
    /// The bytes are of no such value, or there are too many.
    #[error("cannot be decoded: {0}")]
    NoValue(#[from] Error),
}

impl<T: Decode> FromStr for Scale<T> {
    type Err = ScaleError;

    fn from_str(text: &str) -> Result<Self, ScaleError> {
        let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text))?;
        Ok(Self(T::decode_all(&mut &bytes[..])?))
    }
}

impl<T: Encode> std::fmt::Display for Scale<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{}", hex::encode(self.0.encode()))
    }
}

impl<T: Encode> Serialize for Scale<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: Decode> Deserialize<'de> for Scale<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The SCALE of a value of any type, not looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opaque(pub Vec<u8>);

impl Opaque {
    /// The report that a value of a feed begins with.
    ///
    /// # Errors
    /// If it does not.
    pub fn report(&self) -> Result<Report, Error> {
        Report::decode(&mut &self.0[..])
    }

    /// The value as one of its type.
    ///
    /// # Errors
    /// If it is none.
    pub fn read<T: Decode>(&self) -> Result<T, Error> {
        T::decode_all(&mut &self.0[..])
    }
}

impl Encode for Opaque {
    fn size_hint(&self) -> usize {
        self.0.len()
    }

    fn encode_to<O: Output + ?Sized>(&self, output: &mut O) {
        output.write(&self.0);
    }
}

impl Decode for Opaque {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let mut bytes = vec![0; input.remaining_len()?.ok_or("an input without end")?];
        input.read(&mut bytes)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_with_a_prefix_or_without() {
        assert_eq!(Scale(258u16).to_string(), "0x0201");
        let json = serde_json::to_string(&Scale([1u8; 2])).unwrap();
        assert_eq!(json, "\"0x0101\"");
        for text in ["0x0201", "0201"] {
            assert_eq!(text.parse(), Ok(Scale(258u16)));
            assert_eq!(text.parse(), Ok(Scale(Opaque(vec![2, 1]))));
        }
        let error = |text: &str| text.parse::<Scale<u16>>().unwrap_err().to_string();
        assert!(error("0x0x0201").starts_with("is not hexadecimal"));
        assert!(error("0x02").starts_with("cannot be decoded"));
        assert!(error("0x020100").starts_with("cannot be decoded"), "too long");
    }

    #[test]
    fn what_is_not_looked_into_stays_as_it_is() {
        let opaque = Opaque((7u32, vec![1u8, 2]).encode());
        assert_eq!(opaque.encode(), opaque.0);
        assert_eq!(opaque.read::<(u32, Vec<u8>)>(), Ok((7, vec![1, 2])));
        assert!(opaque.read::<u32>().is_err(), "too long");
        assert!(opaque.report().is_err());
    }
}
