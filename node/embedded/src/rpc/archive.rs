//! `archive_v1_*`: any block, by hash or height.

use super::{
    chain,
    storage_query::{self, HexBytes, Query},
    subscription, Api, Args,
};
use crate::{runtime, App};
use cicada_runtime::{BlockNumber, Hash};
use codec::Encode;
use jsonrpsee::{types::ErrorObjectOwned, PendingSubscriptionSink};
use serde_json::{json, Value};
use sp_core::Bytes;
use sp_runtime::OpaqueExtrinsic;
use std::sync::Arc;
use tokio::task::spawn_blocking;

type Answer<T> = Result<T, ErrorObjectOwned>;

pub(super) fn register(api: &mut Api) {
    api.quick(
        "archive_v1_genesisHash",
        |app, _| Ok(app.node.chain(|chain| chain.genesis().hash)),
        &[],
    );
    api.quick(
        "archive_v1_finalizedHeight",
        |app, _| Ok(app.node.chain(|chain| chain.finalized().number())),
        &[],
    );
    api.quick("archive_v1_hashByHeight", hash_by_height, &[]);
    api.quick("archive_v1_header", header, &[]);
    api.quick("archive_v1_body", body, &[]);
    api.slow("archive_v1_call", call, &[]);
    api.subscribe(
        ("archive_v1_storage", "archive_v1_storageEvent", "archive_v1_stopStorage"),
        storage,
        &[],
    );
}

fn hash_by_height(app: &App, mut args: Args) -> Answer<Vec<Hash>> {
    let height: u64 = args.next("height")?;
    let number = BlockNumber::try_from(height).ok();
    let hash = app.node.chain(|chain| Some(chain.at(number?)?.hash));
    Ok(hash.into_iter().collect())
}

fn header(app: &App, mut args: Args) -> Answer<Option<Bytes>> {
    let hash: Hash = args.next("hash")?;
    Ok(chain::lookup(app, Some(hash)).map(|block| Bytes(block.header.encode())))
}

fn body(app: &App, mut args: Args) -> Answer<Option<Vec<OpaqueExtrinsic>>> {
    let hash: Hash = args.next("hash")?;
    Ok(chain::lookup(app, Some(hash)).map(|block| block.extrinsics.clone()))
}

fn call(app: &App, mut args: Args) -> Answer<Value> {
    let hash: Hash = args.next("hash")?;
    let function: String = args.next("function")?;
    let HexBytes(parameters) = args.next("callParameters")?;
    let block = chain::at(app, Some(hash))?;
    Ok(match runtime::query_raw(&app.node.state(&block), &function, &parameters) {
        Ok(value) => json!({ "success": true, "value": Bytes(value) }),
        Err(error) => json!({ "success": false, "error": error.to_string() }),
    })
}

async fn storage(app: Arc<App>, mut args: Args, pending: PendingSubscriptionSink) {
    let mut take = || -> Answer<(Hash, Vec<Query>, Option<HexBytes>)> {
        Ok((args.next("hash")?, args.next("items")?, args.next("childTrie")?))
    };
    let (hash, queries, child) = match take() {
        Ok(taken) => taken,
        Err(error) => return pending.reject(error).await,
    };
    let found = spawn_blocking(move || {
        let block = chain::at(&app, Some(hash))?;
        storage_query::run(&app.node.state(&block), &queries, child)
    });
    let found = found.await;
    let Ok(sink) = pending.accept().await else { return };
    let last = match found {
        Ok(Ok(items)) => {
            for item in items {
                let mut event = json!(item);
                event["event"] = json!("storage");
                if !subscription::send(&sink, &event).await {
                    return;
                }
            }
            json!({ "event": "storageDone" })
        }
        Ok(Err(error)) => json!({ "event": "storageError", "error": error.message() }),
        Err(error) => json!({ "event": "storageError", "error": error.to_string() }),
    };
    subscription::send(&sink, &last).await;
}
