//! A final block as this program takes it over, and its form in a file of recorded blocks.

use anyhow::{Context, Result};
use cicada_core::hash::Digest;
use cicada_core::quote::Framework;
use cicada_core::Account;
use parity_scale_codec::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write};

/// The newest block that was taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Its number.
    pub block: u64,
    /// Its hash.
    pub hash: Digest,
    /// Its time, in milliseconds since 1970.
    pub time_ms: u64,
}

/// A final block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: Digest,
    /// The hash of the block before it.
    pub parent: Digest,
    /// Its time, in milliseconds since 1970.
    pub time_ms: u64,
    /// The events of the contracts, in order.
    pub events: Vec<Emitted>,
    /// The leaderboards that became final in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rankings: Vec<Ranking>,
}

/// An event as a contract emitted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emitted {
    /// Its position among all events of the block.
    pub index: u32,
    /// The transaction that caused it, by its position in the block; none for the block itself.
    pub extrinsic: Option<u32>,
    /// Which contract.
    pub contract: Account,
    /// The event's name; none if the contract has none of its kind.
    pub name: Option<String>,
    /// Its fields in SCALE.
    pub data: Bytes,
}

/// The rows of a final leaderboard.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranking {
    /// Its slot.
    pub slot: u64,
    /// When it was observed, in milliseconds since 1970.
    pub time_ms: u64,
    /// Frameworks with their points and the tokens traded in the 24 hours before.
    pub standings: Vec<(Framework, u64, u128)>,
}

/// Bytes, in JSON hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Block {
    /// Where one stands after it.
    pub fn cursor(&self) -> Cursor {
        Cursor { block: self.number, hash: self.hash, time_ms: self.time_ms }
    }
}

/// Reads recorded blocks, one JSON object a line.
///
/// # Errors
/// In words, with the line.
pub fn read(input: impl BufRead) -> Result<Vec<Block>> {
    let line = |(number, text): (u64, std::io::Result<String>)| {
        let place = || format!("line {number}");
        serde_json::from_str(&text.with_context(place)?).with_context(place)
    };
    (1u64..).zip(input.lines()).map(line).collect()
}

/// Writes blocks as [`read`] reads them.
///
/// # Errors
/// If they cannot be written.
pub fn write(blocks: &[Block], mut output: impl Write) -> std::io::Result<()> {
    for block in blocks {
        serde_json::to_writer(&mut output, block)?;
        output.write_all(b"\n")?;
    }
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let event = Emitted {
            index: 3,
            extrinsic: Some(1),
            contract: Account([4; 32]),
            name: Some("Transfer".into()),
            data: Bytes(vec![1, 2]),
        };
        let name = Framework::new("claude").unwrap();
        let block = Block {
            number: 7,
            hash: Digest([1; 32]),
            parent: Digest([2; 32]),
            time_ms: 9,
            events: vec![event],
            rankings: vec![Ranking { slot: 1, time_ms: 8, standings: vec![(name, 50_000, 1_000)] }],
        };
        let mut text = Vec::new();
        write(&[block.clone(), block.clone()], &mut text).unwrap();
        assert_eq!(read(&text[..]).unwrap(), [block.clone(), block]);
        let bad = [&text[..], b"{}\n"].concat();
        assert!(format!("{:#}", read(&bad[..]).unwrap_err()).contains("line 3"));
    }
}
