//! The storage queries of `chainHead_v1_storage` and `archive_v1_storage`.

use super::{error, state};
use crate::state::View;
use cicada_runtime::Hash;
use jsonrpsee::types::ErrorObjectOwned;
use serde::{Deserialize, Serialize};
use sp_core::{bytes, storage::ChildInfo, Bytes};
use sp_state_machine::backend::Backend;
use sp_trie::MerkleValue;

type Answer<T> = Result<T, ErrorObjectOwned>;

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

/// What a state answers to `queries`, of the main trie or of the child named `child`.
///
/// # Errors
/// If the state cannot be read, or a start key is given where there is nothing to start.
pub(super) fn run(view: &View, queries: &[Query], child: Option<HexBytes>) -> Answer<Vec<Item>> {
    let child_trie_key = child.clone().map(|child| Bytes(child.0));
    let trie = child.map(|child| ChildInfo::new_default_from_vec(child.0));
    let mut items = Vec::new();
    let mut add = |key: Vec<u8>, found: Option<Found>| {
        let child_trie_key = child_trie_key.clone();
        items.extend(found.map(|found| Item { key: Bytes(key), found, child_trie_key }));
    };
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
            Kind::Value => add(key.clone(), value(key)?),
            Kind::Hash => add(key.clone(), hash(key)?),
            Kind::ClosestDescendantMerkleValue => {
                add(key.clone(), closest(view, &trie, key)?);
            }
            Kind::DescendantsValues => {
                for key in state::keys_from(view, &trie, key, after)? {
                    let key = key?.0;
                    let found = value(&key)?;
                    add(key, found);
                }
            }
            Kind::DescendantsHashes => {
                for key in state::keys_from(view, &trie, key, after)? {
                    let key = key?.0;
                    let found = hash(&key)?;
                    add(key, found);
                }
            }
        }
    }
    Ok(items)
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
