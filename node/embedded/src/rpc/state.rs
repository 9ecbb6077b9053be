//! `state_*` and `childstate_*`: the storage of any block, and calls of the runtime.

use super::{chain, error, length::Length, subscription, Api, Args};
use crate::{
    chain::{Block, Event},
    runtime,
    state::View,
    App,
};
use cicada_runtime::Hash;
use jsonrpsee::{types::ErrorObjectOwned, PendingSubscriptionSink};
use serde::Serialize;
use sp_core::{
    storage::{
        ChildInfo, ChildType, PrefixedStorageKey, StorageChangeSet, StorageData, StorageKey,
    },
    Bytes,
};
use sp_state_machine::{backend::Backend, IterArgs};
use sp_version::RuntimeVersion;
use std::sync::Arc;

type Answer<T> = Result<T, ErrorObjectOwned>;

/// How many keys a page has at most.
const PAGE: usize = 1000;
/// How many keys one request may ask for or watch.
pub(super) const KEYS: usize = 10_000;
/// What each text is long besides its digits: quotation marks, `0x`, a comma.
const AROUND: usize = 5;
/// How many pairs of block and key `state_queryStorage` compares.
const COMPARISONS: usize = 1_000_000;

pub(super) fn register(api: &mut Api) {
    api.slow("state_call", call, &["state_callAt"]);
    api.slow("state_getMetadata", metadata, &[]);
    api.quick("state_getRuntimeVersion", version_at, &["chain_getRuntimeVersion"]);
    api.slow("state_getReadProof", read_proof, &[]);
    api.slow("state_queryStorage", query_storage, &[]);
    api.slow("state_queryStorageAt", query_storage_at, &[]);
    api.slow("state_getPairs", pairs, &[]);
    api.subscribe(
        ("state_subscribeStorage", "state_storage", "state_unsubscribeStorage"),
        subscribe_storage,
        &[],
    );
    api.subscribe(
        (
            "state_subscribeRuntimeVersion",
            "state_runtimeVersion",
            "state_unsubscribeRuntimeVersion",
        ),
        subscribe_version,
        &[("chain_subscribeRuntimeVersion", "chain_unsubscribeRuntimeVersion")],
    );

    api.quick("state_getStorage", |app, args| storage(app, args, top), &["state_getStorageAt"]);
    api.quick(
        "state_getStorageHash",
        |app, args| storage_hash(app, args, top),
        &["state_getStorageHashAt"],
    );
    api.slow(
        "state_getStorageSize",
        |app, args| storage_size(app, args, top),
        &["state_getStorageSizeAt"],
    );
    api.slow("state_getKeys", |app, args| keys(app, args, top), &[]);
    api.slow(
        "state_getKeysPaged",
        |app, args| keys_paged(app, args, top),
        &["state_getKeysPagedAt"],
    );

    api.quick("childstate_getStorage", |app, args| storage(app, args, child), &[]);
    api.quick("childstate_getStorageHash", |app, args| storage_hash(app, args, child), &[]);
    api.slow("childstate_getStorageSize", |app, args| storage_size(app, args, child), &[]);
    api.slow("childstate_getStorageEntries", child_entries, &[]);
    api.slow("childstate_getKeys", |app, args| keys(app, args, child), &[]);
    api.slow(
        "childstate_getKeysPaged",
        |app, args| keys_paged(app, args, child),
        &["childstate_getKeysPagedAt"],
    );
}

/// Which trie a request is about: the main one, or a child such as a contract's.
type Trie = Option<ChildInfo>;
type TakeTrie = fn(&mut Args) -> Answer<Trie>;

fn top(_args: &mut Args) -> Answer<Trie> {
    Ok(None)
}

fn child(args: &mut Args) -> Answer<Trie> {
    let key: PrefixedStorageKey = args.next("childStorageKey")?;
    match ChildType::from_prefixed_key(&key) {
        Some((ChildType::ParentKeyId, key)) => Ok(Some(ChildInfo::new_default(key))),
        None => Err(error::params("childStorageKey: it must begin with :child_storage:default:")),
    }
}

/// The value at `key`.
pub(super) fn value(view: &View, trie: &Trie, key: &[u8]) -> Answer<Option<StorageData>> {
    let value = match trie {
        None => view.storage(key),
        Some(child) => view.child_storage(child, key),
    };
    Ok(value.map_err(error::state)?.map(StorageData))
}

/// The hash of the value at `key`.
pub(super) fn value_hash(view: &View, trie: &Trie, key: &[u8]) -> Answer<Option<Hash>> {
    let hash = match trie {
        None => view.storage_hash(key),
        Some(child) => view.child_storage_hash(child, key),
    };
    hash.map_err(error::state)
}

/// The keys that begin with `prefix`, those after `after` only, in order.
pub(super) fn keys_from<'a, 'n>(
    view: &'a View<'n>,
    trie: &Trie,
    prefix: &'a [u8],
    after: Option<&'a [u8]>,
) -> Answer<impl Iterator<Item = Answer<StorageKey>> + use<'a, 'n>> {
    let mut arguments = IterArgs::default();
    arguments.prefix = Some(prefix);
    arguments.start_at = after;
    arguments.start_at_exclusive = after.is_some();
    arguments.child_info = trie.clone();
    let keys = view.keys(arguments).map_err(error::state)?;
    Ok(keys.map(|key| key.map(StorageKey).map_err(error::state)))
}

fn call(app: &App, mut args: Args) -> Answer<Bytes> {
    let method: String = args.next("name")?;
    let input: Bytes = args.next("bytes")?;
    let block = chain::at(app, args.next("hash")?)?;
    let answer = runtime::query_raw(&app.node.state(&block), &method, &input);
    answer.map(Bytes).map_err(error::state)
}

fn metadata(app: &App, mut args: Args) -> Answer<Bytes> {
    let block = chain::at(app, args.next("hash")?)?;
    let metadata = runtime::query(&app.node.state(&block), "Metadata_metadata", &());
    metadata.map(Bytes).map_err(error::state)
}

/// The runtime of a block.
pub(super) fn version(app: &App, block: &Block) -> Answer<RuntimeVersion> {
    runtime::query(&app.node.state(block), "Core_version", &()).map_err(error::state)
}

fn version_at(app: &App, mut args: Args) -> Answer<RuntimeVersion> {
    version(app, &*chain::at(app, args.next("hash")?)?)
}

fn storage(app: &App, mut args: Args, trie: TakeTrie) -> Answer<Option<StorageData>> {
    let trie = trie(&mut args)?;
    let key: StorageKey = args.next("key")?;
    let block = chain::at(app, args.next("hash")?)?;
    value(&app.node.state(&block), &trie, &key.0)
}

fn storage_hash(app: &App, mut args: Args, trie: TakeTrie) -> Answer<Option<Hash>> {
    let trie = trie(&mut args)?;
    let key: StorageKey = args.next("key")?;
    let block = chain::at(app, args.next("hash")?)?;
    value_hash(&app.node.state(&block), &trie, &key.0)
}

/// The size of a value or, if there is none, of all values whose keys begin so, in bytes.
fn storage_size(app: &App, mut args: Args, trie: TakeTrie) -> Answer<Option<u64>> {
    let trie = trie(&mut args)?;
    let key: StorageKey = args.next("key")?;
    let block = chain::at(app, args.next("hash")?)?;
    let view = app.node.state(&block);
    if let Some(value) = value(&view, &trie, &key.0)? {
        return Ok(Some(value.0.len() as u64));
    }
    let mut sum = 0;
    for key in keys_from(&view, &trie, &key.0, None)? {
        sum += value(&view, &trie, &key?.0)?.map_or(0, |value| value.0.len() as u64);
    }
    Ok((sum > 0).then_some(sum))
}

fn keys(app: &App, mut args: Args, trie: TakeTrie) -> Answer<Vec<StorageKey>> {
    let trie = trie(&mut args)?;
    let prefix: StorageKey = args.next("prefix")?;
    let block = chain::at(app, args.next("hash")?)?;
    let view = app.node.state(&block);
    let mut length = Length::default();
    let keys = keys_from(&view, &trie, &prefix.0, None)?.map(|key| {
        let key = key?;
        length.add(key.0.len(), AROUND)?;
        Ok(key)
    });
    keys.collect()
}

fn keys_paged(app: &App, mut args: Args, trie: TakeTrie) -> Answer<Vec<StorageKey>> {
    let trie = trie(&mut args)?;
    let prefix: Option<StorageKey> = args.next("prefix")?;
    let count: usize = args.next("count")?;
    let after: Option<StorageKey> = args.next("startKey")?;
    let block = chain::at(app, args.next("hash")?)?;
    if count > PAGE {
        return Err(error::count(count, PAGE));
    }
    let prefix = prefix.map(|prefix| prefix.0).unwrap_or_default();
    let view = app.node.state(&block);
    let after = after.as_ref().map(|key| &key.0[..]);
    let keys = keys_from(&view, &trie, &prefix, after)?.take(count).collect();
    keys
}

fn pairs(app: &App, mut args: Args) -> Answer<Vec<(StorageKey, StorageData)>> {
    let prefix: StorageKey = args.next("prefix")?;
    let block = chain::at(app, args.next("hash")?)?;
    let view = app.node.state(&block);
    let mut length = Length::default();
    let pairs = keys_from(&view, &None, &prefix.0, None)?.map(|key| {
        let key = key?;
        let value = value(&view, &None, &key.0)?.unwrap_or_else(|| StorageData(Vec::new()));
        length.add(key.0.len() + value.0.len(), 2 * AROUND)?;
        Ok((key, value))
    });
    pairs.collect()
}

fn child_entries(app: &App, mut args: Args) -> Answer<Vec<Option<StorageData>>> {
    let trie = child(&mut args)?;
    let keys: Vec<StorageKey> = limited(args.next("keys")?)?;
    let block = chain::at(app, args.next("hash")?)?;
    let view = app.node.state(&block);
    let mut length = Length::default();
    let entries = keys.iter().map(|key| {
        let value = value(&view, &trie, &key.0)?;
        length.add(bytes_of(&value), AROUND)?;
        Ok(value)
    });
    entries.collect()
}

fn bytes_of(value: &Option<StorageData>) -> usize {
    value.as_ref().map_or(0, |value| value.0.len())
}

fn limited(keys: Vec<StorageKey>) -> Answer<Vec<StorageKey>> {
    if keys.len() > KEYS {
        return Err(error::count(keys.len(), KEYS));
    }
    Ok(keys)
}

#[derive(Clone, Serialize)]
struct ReadProof {
    at: Hash,
    proof: Vec<Bytes>,
}

fn read_proof(app: &App, mut args: Args) -> Answer<ReadProof> {
    let keys = limited(args.next("keys")?)?;
    let block = chain::at(app, args.next("hash")?)?;
    let keys = keys.iter().map(|key| &key.0[..]);
    let proof = sp_state_machine::prove_read(app.node.state(&block), keys);
    let proof = proof.map_err(error::state)?.into_iter_nodes().map(Bytes).collect();
    Ok(ReadProof { at: block.hash, proof })
}

/// The values of `keys` in a block that differ from `known`, which is brought up to date. All of them
/// together are no longer than a message, and neither is the `answer` that the changes become part of.
fn changes(
    app: &App,
    block: &Block,
    keys: &[StorageKey],
    known: &mut Vec<Option<StorageData>>,
    answer: &mut Length,
) -> Answer<StorageChangeSet<Hash>> {
    let view = app.node.state(block);
    let first = known.is_empty();
    known.resize(keys.len(), None);
    let mut changes = Vec::new();
    let mut all = Length::default();
    for (key, known) in keys.iter().zip(known) {
        let value = value(&view, &None, &key.0)?;
        all.add(key.0.len() + bytes_of(&value), 2 * AROUND)?;
        if first || value != *known {
            answer.add(key.0.len() + bytes_of(&value), 2 * AROUND)?;
            changes.push((key.clone(), value.clone()));
        }
        *known = value;
    }
    Ok(StorageChangeSet { block: block.hash, changes })
}

fn query_storage_at(app: &App, mut args: Args) -> Answer<Vec<StorageChangeSet<Hash>>> {
    let keys = limited(args.next("keys")?)?;
    let block = chain::at(app, args.next("at")?)?;
    Ok(vec![changes(app, &block, &keys, &mut Vec::new(), &mut Length::default())?])
}

fn query_storage(app: &App, mut args: Args) -> Answer<Vec<StorageChangeSet<Hash>>> {
    let keys = limited(args.next("keys")?)?;
    let from = chain::at(app, Some(args.next("block")?))?;
    let to = chain::at(app, args.next("hash")?)?;
    if from.number() > to.number() {
        return Err(error::block_range("from number > to number"));
    }
    let blocks = app.node.chain(|chain| chain.range(from.number(), to.number()).to_vec());
    let comparisons = blocks.len().saturating_mul(keys.len());
    if comparisons > COMPARISONS {
        return Err(error::count(comparisons, COMPARISONS));
    }
    let mut known = Vec::new();
    let mut sets = Vec::new();
    let mut answer = Length::default();
    for block in blocks {
        let set = changes(app, &block, &keys, &mut known, &mut answer)?;
        if !set.changes.is_empty() {
            sets.push(set);
        }
    }
    Ok(sets)
}

async fn subscribe_storage(app: Arc<App>, mut args: Args, pending: PendingSubscriptionSink) {
    let keys: Answer<Option<Vec<StorageKey>>> = args.next("keys");
    let keys = keys.and_then(|keys| {
        keys.filter(|keys| !keys.is_empty()).ok_or_else(|| error::params("keys: name some"))
    });
    let keys = match keys.and_then(limited) {
        Ok(keys) => keys,
        Err(error) => return pending.reject(error).await,
    };
    let present = app.node.best();
    if let Err(error) = changes(&app, &present, &keys, &mut Vec::new(), &mut Length::default()) {
        return pending.reject(error).await;
    }
    let mut known = Vec::new();
    let reader = app.clone();
    let best = |event| match event {
        Event::Imported(block) | Event::Reverted { best: block, .. } => Some(block),
        Event::Finalized(_) => None,
    };
    subscription::run(
        app,
        pending,
        |chain| chain.best().clone(),
        best,
        move |block| {
            let first = known.is_empty();
            // A block may be reverted before it is read here; the event that says so comes next. What has
            // become longer than a message cannot be told.
            let set = changes(&reader, &block, &keys, &mut known, &mut Length::default()).ok()?;
            (first || !set.changes.is_empty()).then_some(set)
        },
    )
    .await;
}

async fn subscribe_version(app: Arc<App>, _args: Args, pending: PendingSubscriptionSink) {
    let reader = app.clone();
    let never = |_| None;
    subscription::run(
        app,
        pending,
        |chain| chain.best().clone(),
        never,
        |block| version(&reader, &block).ok(),
    )
    .await;
}
