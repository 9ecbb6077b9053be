//! The storage queries of `chainHead_v1_storage` and `archive_v1_storage`.

use super::{error, length::Length, state};
use crate::state::View;
use cicada_runtime::Hash;
use jsonrpsee::types::ErrorObjectOwned;
use serde::{Deserialize, Serialize};
use sp_core::{bytes, storage::ChildInfo, Bytes};
use sp_state_machine::backend::Backend;
use sp_trie::MerkleValue;

type Answer<T> = Result<T, ErrorObjectOwned>;

/// What an item is long besides its bytes, which are written in hexadecimal digits.
const ITEM_BYTES: usize = 50;

/// What is asked about a key.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Value,
    Hash,
    ClosestDescendantMerkleValue,
    DescendantsValues,
    DescendantsHashes,
}

/// One item of a query.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    key: HexBytes,
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    pagination_start_key: Option<HexBytes>,
}

/// Bytes in hexadecimal; unlike [`Bytes`], none at all may be the empty string.
#[derive(Clone, Debug)]
pub(super) struct HexBytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        bytes::from_hex(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// One item of an answer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    key: Bytes,
    #[serde(flatten)]
    found: Found,
    #[serde(skip_serializing_if = "Option::is_none")]
    child_trie_key: Option<Bytes>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Found {
    Value(Bytes),
    Hash(Hash),
    ClosestDescendantMerkleValue(Bytes),
}

impl Found {
    fn bytes(&self) -> usize {
        match self {
            Self::Value(value) | Self::ClosestDescendantMerkleValue(value) => value.len(),
            Self::Hash(hash) => hash.as_bytes().len(),
        }
    }
}

/// The items of one answer, which together are no longer than a message.
struct Items {
    found: Vec<Item>,
    child_trie_key: Option<Bytes>,
    length: Length,
}

impl Items {
    fn add(&mut self, key: Vec<u8>, found: Option<Found>) -> Answer<()> {
        let Some(found) = found else { return Ok(()) };
        let child = self.child_trie_key.as_ref().map_or(0, |key| key.len());
        self.length.add(key.len() + found.bytes() + child, ITEM_BYTES)?;
        let child_trie_key = self.child_trie_key.clone();
        self.found.push(Item { key: Bytes(key), found, child_trie_key });
        Ok(())
    }
}

/// What a state answers to `queries`, of the main trie or of the child named `child`.
///
/// # Errors
/// If there are more queries, or would be more bytes found, than one request gets; if the state cannot
/// be read, or a start key is given where there is nothing to start.
pub(super) fn run(view: &View, queries: &[Query], child: Option<HexBytes>) -> Answer<Vec<Item>> {
    if queries.len() > state::KEYS {
        return Err(error::count(queries.len(), state::KEYS));
    }
    let child_trie_key = child.clone().map(|child| Bytes(child.0));
    let trie = child.map(|child| ChildInfo::new_default_from_vec(child.0));
    let mut items = Items { found: Vec::new(), child_trie_key, length: Length::default() };
    let value = |key: &[u8]| -> Answer<_> {
        Ok(state::value(view, &trie, key)?.map(|value| Found::Value(Bytes(value.0))))
    };
    let hash =
        |key: &[u8]| -> Answer<_> { Ok(state::value_hash(view, &trie, key)?.map(Found::Hash)) };
    for Query { key: HexBytes(key), kind, pagination_start_key } in queries {
        let descendants = matches!(kind, Kind::DescendantsValues | Kind::DescendantsHashes);
        if pagination_start_key.is_some() && !descendants {
            return Err(error::params("paginationStartKey: only descendants have one"));
        }
        let after = pagination_start_key.as_ref().map(|key| &key.0[..]);
        match kind {
            Kind::Value => items.add(key.clone(), value(key)?)?,
            Kind::Hash => items.add(key.clone(), hash(key)?)?,
            Kind::ClosestDescendantMerkleValue => {
                items.add(key.clone(), closest(view, &trie, key)?)?;
            }
            Kind::DescendantsValues => {
                for key in state::keys_from(view, &trie, key, after)? {
                    let key = key?.0;
                    let found = value(&key)?;
                    items.add(key, found)?;
                }
            }
            Kind::DescendantsHashes => {
                for key in state::keys_from(view, &trie, key, after)? {
                    let key = key?.0;
                    let found = hash(&key)?;
                    items.add(key, found)?;
                }
            }
        }
    }
    Ok(items.found)
}

fn closest(view: &View, trie: &Option<ChildInfo>, key: &[u8]) -> Answer<Option<Found>> {
    let found = match trie {
        None => view.closest_merkle_value(key),
        Some(child) => view.child_closest_merkle_value(child, key),
    };
    let found = found.map_err(error::state)?.map(|value| match value {
        MerkleValue::Node(node) => Bytes(node),
        MerkleValue::Hash(hash) => Bytes(hash.as_bytes().to_vec()),
    });
    Ok(found.map(Found::ClosestDescendantMerkleValue))
}
