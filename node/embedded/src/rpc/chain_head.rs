//! `chainHead_v1_*`: following the head, and operations on the blocks that it pins.

use super::{
    error,
    followers::{Follower, Followers, Operation},
    state,
    storage_query::{self, HexBytes, Query},
    subscription, Api, Args,
};
use crate::{
    chain::{Block, Chain, Event},
    runtime, App,
};
use cicada_runtime::{BlockNumber, Hash};
use codec::Encode;
use jsonrpsee::{
    server::ResponsePayload, types::ErrorObjectOwned, ConnectionId, PendingSubscriptionSink,
    SubscriptionSink,
};
use serde_json::{json, Map, Value};
use sp_core::{bytes, Bytes};
use sp_rpc::list::ListOrValue;
use std::{collections::HashSet, future::Future, sync::Arc};
use tokio::{sync::broadcast, sync::mpsc, task::spawn_blocking};

type Answer<T> = Result<T, ErrorObjectOwned>;
type Payload = ResponsePayload<'static, Value>;

/// How many final blocks a follower is told of at the start.
const FINAL: BlockNumber = 16;
/// How many storage items are sent as one message.
const ITEMS: usize = 64;

pub(super) fn register(api: &mut Api) {
    let followers = Arc::new(Followers::default());
    let all = followers.clone();
    api.subscribe(
        ("chainHead_v1_follow", "chainHead_v1_followEvent", "chainHead_v1_unfollow"),
        move |app, args, pending| follow(app, args, pending, all.clone()),
        &[],
    );
    let all = followers.clone();
    api.connected("chainHead_v1_header", move |_, args, connection| {
        match header(&all, args, connection) {
            Ok(header) => Payload::success(json!(header)),
            Err(error) => Payload::error(error),
        }
    });
    let all = followers.clone();
    api.connected("chainHead_v1_body", move |_, args, connection| {
        payload(body(&all, args, connection))
    });
    let all = followers.clone();
    api.connected("chainHead_v1_call", move |app, args, connection| {
        payload(call(&all, app, args, connection))
    });
    let all = followers.clone();
    api.connected("chainHead_v1_storage", move |app, args, connection| {
        payload(storage(&all, app, args, connection))
    });
    let all = followers.clone();
    api.connected("chainHead_v1_unpin", move |_, args, connection| {
        nothing(unpin(&all, args, connection))
    });
    let all = followers.clone();
    api.connected("chainHead_v1_stopOperation", move |_, args, connection| {
        nothing(stop(&all, args, connection))
    });
    api.connected("chainHead_v1_continue", move |_, args, connection| {
        nothing(go_on(&followers, args, connection))
    });
}

fn payload(answer: Answer<Payload>) -> Payload {
    answer.unwrap_or_else(Payload::error)
}

fn nothing(answer: Answer<()>) -> Payload {
    payload(answer.map(|()| Payload::success(Value::Null)))
}

fn limit_reached() -> Payload {
    Payload::success(json!({ "result": "limitReached" }))
}

/// The final blocks that a new follower hears of, oldest first, and those after them.
type Present = (Vec<Arc<Block>>, Vec<Arc<Block>>);

fn present(chain: &Chain) -> Present {
    let (finalized, best) = (chain.finalized().number(), chain.best().number());
    let first = finalized.saturating_sub(FINAL - 1);
    (chain.range(first, finalized).to_vec(), chain.range(finalized + 1, best).to_vec())
}

async fn follow(
    app: Arc<App>,
    mut args: Args,
    pending: PendingSubscriptionSink,
    followers: Arc<Followers>,
) {
    let with_runtime = match args.next("withRuntime") {
        Ok(with_runtime) => with_runtime,
        Err(error) => return pending.reject(error).await,
    };
    let connection = pending.connection_id();
    if !followers.has_room(connection) {
        return pending.reject(error::too_many_followers()).await;
    }
    let (present, events) = app.node.follow(present);
    let Ok(sink) = pending.accept().await else { return };
    let name = serde_json::to_value(sink.subscription_id()).unwrap_or_default();
    let name = name.as_str().unwrap_or_default().to_owned();
    let (follower, results, _following) = followers.add(connection, name, with_runtime);
    let mut told = Told { app, sink, follower, finalized: 0 };
    if told.begin(present).await {
        told.go_on(events, results).await;
    }
}

/// The runtime of a block as followers know it.
fn runtime_spec(app: &App, block: &Block) -> Value {
    match state::version(app, block) {
        Ok(version) => {
            let apis: Map<String, Value> = version
                .apis
                .iter()
                .map(|(id, version)| (bytes::to_hex(id, false), json!(version)))
                .collect();
            json!({ "type": "valid", "spec": {
                "specName": version.spec_name,
                "implName": version.impl_name,
                "specVersion": version.spec_version,
                "implVersion": version.impl_version,
                "transactionVersion": version.transaction_version,
                "apis": apis,
            }})
        }
        Err(error) => json!({ "type": "invalid", "error": error.message() }),
    }
}

/// A follower and what it was told.
struct Told {
    app: Arc<App>,
    sink: SubscriptionSink,
    follower: Arc<Follower>,
    finalized: BlockNumber,
}

impl Told {
    async fn begin(&mut self, (finalized, later): Present) -> bool {
        let Some(last) = finalized.last().cloned() else { return false };
        self.finalized = last.number();
        let hashes: Vec<Hash> = finalized.iter().map(|block| block.hash).collect();
        let mut initialized = json!({ "event": "initialized", "finalizedBlockHashes": hashes });
        if self.follower.with_runtime {
            initialized["finalizedBlockRuntime"] = runtime_spec(&self.app, &last);
        }
        for block in finalized {
            self.follower.pin(block);
        }
        if !subscription::send(&self.sink, &initialized).await {
            return false;
        }
        let best = later.last().map_or(last.hash, |block| block.hash);
        for block in later {
            if !self.new_block(block).await {
                return false;
            }
        }
        self.best_block(best).await
    }

    async fn new_block(&self, block: Arc<Block>) -> bool {
        let mut event = json!({
            "event": "newBlock",
            "blockHash": block.hash,
            "parentBlockHash": block.header.parent_hash,
        });
        if self.follower.with_runtime {
            event["newRuntime"] = Value::Null;
        }
        self.follower.pin(block) && subscription::send(&self.sink, &event).await
    }

    async fn best_block(&self, hash: Hash) -> bool {
        let event = json!({ "event": "bestBlockChanged", "bestBlockHash": hash });
        subscription::send(&self.sink, &event).await
    }

    async fn finalized(&mut self, block: Arc<Block>) -> bool {
        let hashes: Vec<Hash> = self.app.node.chain(|chain| {
            let blocks = chain.range(self.finalized + 1, block.number());
            blocks.iter().map(|block| block.hash).collect()
        });
        self.finalized = block.number();
        let event = json!({
            "event": "finalized",
            "finalizedBlockHashes": hashes,
            "prunedBlockHashes": [],
        });
        subscription::send(&self.sink, &event).await
    }

    async fn go_on(
        mut self,
        mut events: broadcast::Receiver<Event>,
        mut results: mpsc::Receiver<Value>,
    ) {
        loop {
            let sent = tokio::select! {
                () = self.sink.closed() => return,
                Some(result) = results.recv() => subscription::send(&self.sink, &result).await,
                event = events.recv() => match event {
                    Ok(Event::Imported(block)) => {
                        let hash = block.hash;
                        self.new_block(block).await && self.best_block(hash).await
                    }
                    Ok(Event::Finalized(block)) => self.finalized(block).await,
                    // After a revert, or too far behind: it has to begin again.
                    Ok(Event::Reverted { .. }) | Err(_) => false,
                },
            };
            if !sent {
                subscription::send(&self.sink, &json!({ "event": "stop" })).await;
                return;
            }
        }
    }
}

/// The follower that a request names and the block, which must be pinned; `None` if there is no such follower.
fn pinned(
    followers: &Followers,
    args: &mut Args,
    connection: ConnectionId,
) -> Answer<Option<(Arc<Follower>, Arc<Block>)>> {
    let name: String = args.next("followSubscription")?;
    let hash: Hash = args.next("hash")?;
    let Some(follower) = followers.get(connection, &name) else { return Ok(None) };
    let block = follower.pinned(&hash).ok_or_else(error::not_pinned)?;
    Ok(Some((follower, block)))
}

fn header(
    followers: &Followers,
    mut args: Args,
    connection: ConnectionId,
) -> Answer<Option<Bytes>> {
    let pinned = pinned(followers, &mut args, connection)?;
    Ok(pinned.map(|(_, block)| Bytes(block.header.encode())))
}

/// Begins an operation: the answer is its name; `work`, which sends its results, begins when that is sent.
fn begin<F: Future<Output = ()> + Send + 'static>(
    follower: &Arc<Follower>,
    mut started: Value,
    work: impl FnOnce(Operation) -> F + Send + 'static,
) -> Payload {
    let Some(operation) = follower.begin() else { return limit_reached() };
    started["result"] = json!("started");
    started["operationId"] = json!(operation.id);
    let (payload, sent) = Payload::success(started).notify_on_completion();
    tokio::spawn(async move {
        if sent.await.is_ok() {
            work(operation).await;
        }
    });
    payload
}

fn body(followers: &Followers, mut args: Args, connection: ConnectionId) -> Answer<Payload> {
    let Some((follower, block)) = pinned(followers, &mut args, connection)? else {
        return Ok(limit_reached());
    };
    Ok(begin(&follower, json!({}), |operation| async move {
        let event = json!({
            "event": "operationBodyDone",
            "operationId": operation.id,
            "value": block.extrinsics,
        });
        operation.send(event).await;
    }))
}

fn call(
    followers: &Followers,
    app: &Arc<App>,
    mut args: Args,
    connection: ConnectionId,
) -> Answer<Payload> {
    let Some((follower, block)) = pinned(followers, &mut args, connection)? else {
        return Ok(limit_reached());
    };
    let function: String = args.next("function")?;
    let HexBytes(parameters) = args.next("callParameters")?;
    if !follower.with_runtime {
        return Err(error::without_runtime());
    }
    let app = app.clone();
    Ok(begin(&follower, json!({}), |operation| async move {
        let output = spawn_blocking(move || {
            runtime::query_raw(&app.node.state(&block), &function, &parameters)
                .map(Bytes)
                .map_err(|error| error.to_string())
        });
        let event = match output.await.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(output) => json!({
                "event": "operationCallDone",
                "operationId": operation.id,
                "output": output,
            }),
            Err(error) => failed(&operation, &error),
        };
        operation.send(event).await;
    }))
}

fn failed(operation: &Operation, error: &str) -> Value {
    json!({ "event": "operationError", "operationId": operation.id, "error": error })
}

fn storage(
    followers: &Followers,
    app: &Arc<App>,
    mut args: Args,
    connection: ConnectionId,
) -> Answer<Payload> {
    let Some((follower, block)) = pinned(followers, &mut args, connection)? else {
        return Ok(limit_reached());
    };
    let queries: Vec<Query> = args.next("items")?;
    let child: Option<HexBytes> = args.next("childTrie")?;
    let app = app.clone();
    Ok(begin(&follower, json!({ "discardedItems": 0 }), |operation| async move {
        let items =
            spawn_blocking(move || storage_query::run(&app.node.state(&block), &queries, child));
        let items = match items.await.unwrap_or_else(|error| Err(error::internal(error))) {
            Ok(items) => items,
            Err(error) => {
                operation.send(failed(&operation, error.message())).await;
                return;
            }
        };
        for items in items.chunks(ITEMS) {
            let event = json!({
                "event": "operationStorageItems",
                "operationId": operation.id,
                "items": items,
            });
            if !operation.send(event).await {
                return;
            }
        }
        let done = json!({ "event": "operationStorageDone", "operationId": operation.id });
        operation.send(done).await;
    }))
}

fn unpin(followers: &Followers, mut args: Args, connection: ConnectionId) -> Answer<()> {
    let name: String = args.next("followSubscription")?;
    let hashes: ListOrValue<Hash> = args.next("hashOrHashes")?;
    let hashes = match hashes {
        ListOrValue::List(hashes) => hashes,
        ListOrValue::Value(hash) => vec![hash],
    };
    let Some(follower) = followers.get(connection, &name) else { return Ok(()) };
    if hashes.iter().collect::<HashSet<_>>().len() < hashes.len() {
        return Err(error::unpinned_twice());
    }
    if follower.unpin(&hashes) {
        Ok(())
    } else {
        Err(error::not_pinned())
    }
}

fn stop(followers: &Followers, mut args: Args, connection: ConnectionId) -> Answer<()> {
    let name: String = args.next("followSubscription")?;
    let operation: String = args.next("operationId")?;
    if let Some(follower) = followers.get(connection, &name) {
        follower.stop(&operation);
    }
    Ok(())
}

/// No operation ever waits to be continued.
fn go_on(followers: &Followers, mut args: Args, connection: ConnectionId) -> Answer<()> {
    let name: String = args.next("followSubscription")?;
    let operation: String = args.next("operationId")?;
    match followers.get(connection, &name) {
        Some(follower) if follower.is_going_on(&operation) => Err(error::not_waiting()),
        _ => Ok(()),
    }
}
