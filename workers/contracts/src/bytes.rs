//! Bytes in a bundle.

use serde::{Deserialize, Deserializer};

/// Bytes in hex, with or without `0x`.
///
/// # Errors
/// If it is no text, no hex, or of another length.
pub fn bytes<'de, const N: usize, D: Deserializer<'de>>(from: D) -> Result<[u8; N], D::Error> {
    let text = String::deserialize(from)?;
    let mut bytes = [0; N];
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut bytes)
        .map_err(serde::de::Error::custom)?;
    Ok(bytes)
}
