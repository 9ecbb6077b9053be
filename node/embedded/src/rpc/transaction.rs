//! `transaction_v1_*` and `transactionWatch_v1_*`: transactions on their way into a block, by the newer rules.

use super::{error, subscription, Api, Args};
use crate::{
    chain::Event,
    pool::{self, PoolError, Status, Watcher},
    App,
};
use codec::Decode;
use jsonrpsee::{
    server::ResponsePayload, types::ErrorObjectOwned, ConnectionId, PendingSubscriptionSink,
};
use parking_lot::Mutex;
use serde_json::{json, Value};
use sp_core::Bytes;
use sp_runtime::OpaqueExtrinsic;
use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    task::{spawn_blocking, AbortHandle},
};

/// How many transactions a connection may have on their way.
const PER_CONNECTION: usize = 16;
/// How many transactions may be on their way in all.
const BROADCASTS: usize = 1024;

pub(super) fn register(api: &mut Api) {
    api.subscribe(
        (
            "transactionWatch_v1_submitAndWatch",
            "transactionWatch_v1_watchEvent",
            "transactionWatch_v1_unwatch",
        ),
        submit_and_watch,
        &[],
    );
    let broadcasts = Arc::new(Broadcasts::default());
    let all = broadcasts.clone();
    api.connected("transaction_v1_broadcast", move |app, args, connection| {
        all.begin(app, args, connection).unwrap_or_else(ResponsePayload::error)
    });
    api.connected("transaction_v1_stop", move |_, mut args, connection| {
        let stopped = args.next("operationId").and_then(|id: String| {
            let task = broadcasts.going_on.lock().remove(&(connection, id));
            task.ok_or_else(|| error::params("operationId: there is no such operation"))
        });
        match stopped {
            Ok(task) => {
                task.abort();
                ResponsePayload::success(Value::Null)
            }
            Err(error) => ResponsePayload::error(error),
        }
    });
}

fn extrinsic(args: &mut Args) -> Result<OpaqueExtrinsic, ErrorObjectOwned> {
    let bytes: Bytes = args.next("transaction")?;
    OpaqueExtrinsic::decode(&mut &bytes[..])
        .map_err(|error| error::params(format!("transaction: {error}")))
}

async fn submit(
    app: &Arc<App>,
    extrinsic: &OpaqueExtrinsic,
    watcher: Watcher,
) -> Result<(), PoolError> {
    let (app, extrinsic) = (app.clone(), extrinsic.clone());
    spawn_blocking(move || app.node.submit(extrinsic, Some(watcher)).map(drop))
        .await
        .unwrap_or_else(|error| Err(PoolError::Failed(error.to_string())))
}

async fn submit_and_watch(app: Arc<App>, mut args: Args, pending: PendingSubscriptionSink) {
    let extrinsic = match extrinsic(&mut args) {
        Ok(extrinsic) => extrinsic,
        Err(error) => return pending.reject(error).await,
    };
    let Ok(sink) = pending.accept().await else { return };
    let (watcher, mut news) = mpsc::channel(pool::NEWS);
    if let Err(error) = submit(&app, &extrinsic, watcher).await {
        let error = error::pool(error);
        let reason = error.data().map(|data| data.get()).unwrap_or_default();
        let reason = format!("{} {reason}", error.message());
        subscription::send(&sink, &json!({ "event": "invalid", "error": reason })).await;
        return;
    }
    let mut validated = false;
    loop {
        let status = tokio::select! {
            status = news.recv() => status,
            () = sink.closed() => return,
        };
        let Some(status) = status else { return };
        if matches!(status, Status::Ready | Status::Future)
            && std::mem::replace(&mut validated, true)
        {
            continue;
        }
        if !subscription::send(&sink, &shown(status)).await {
            return;
        }
    }
}

/// A status as clients of `transactionWatch_v1_submitAndWatch` know it.
fn shown(status: Status) -> Value {
    let block = |hash, index| json!({ "hash": hash, "index": index });
    match status {
        Status::Future | Status::Ready => json!({ "event": "validated" }),
        Status::InBlock(hash, index) => {
            json!({ "event": "bestChainBlockIncluded", "block": block(hash, index) })
        }
        Status::Retracted(_) => json!({ "event": "bestChainBlockIncluded", "block": null }),
        Status::Finalized(hash, index) => {
            json!({ "event": "finalized", "block": block(hash, index) })
        }
        Status::Usurped(_) => {
            json!({ "event": "invalid", "error": "another transaction took its place" })
        }
        Status::Dropped => json!({ "event": "dropped", "error": "it had to leave the pool" }),
        Status::Invalid => json!({ "event": "invalid", "error": "it became invalid" }),
    }
}

/// Transactions on their way, by whose they are and their name.
#[derive(Default)]
struct Broadcasts {
    going_on: Mutex<HashMap<(ConnectionId, String), AbortHandle>>,
    begun: AtomicU64,
}

impl Broadcasts {
    /// Begins to bring a transaction into a block; the answer is the operation's name, or `null` at a limit.
    fn begin(
        self: &Arc<Self>,
        app: &Arc<App>,
        mut args: Args,
        connection: ConnectionId,
    ) -> Result<ResponsePayload<'static, Value>, ErrorObjectOwned> {
        let extrinsic = extrinsic(&mut args)?;
        let mut all = self.going_on.lock();
        let own = all.keys().filter(|(other, _)| *other == connection).count();
        if own >= PER_CONNECTION || all.len() >= BROADCASTS {
            return Ok(ResponsePayload::success(Value::Null));
        }
        let id = self.begun.fetch_add(1, Ordering::Relaxed).to_string();
        let key = (connection, id.clone());
        let (broadcasts, app, done) = (self.clone(), app.clone(), key.clone());
        let task = tokio::spawn(async move {
            bring(&app, &extrinsic).await;
            broadcasts.going_on.lock().remove(&done);
        });
        all.insert(key, task.abort_handle());
        Ok(ResponsePayload::success(json!(id)))
    }
}

/// Submits a transaction until it is final or can no longer be valid.
async fn bring(app: &Arc<App>, extrinsic: &OpaqueExtrinsic) {
    let mut events = app.node.events();
    loop {
        let (watcher, mut news) = mpsc::channel(pool::NEWS);
        match submit(app, extrinsic, watcher).await {
            Ok(()) => loop {
                match news.recv().await {
                    Some(Status::Finalized(..) | Status::Invalid | Status::Usurped(_)) => return,
                    Some(Status::Dropped) | None => break,
                    Some(_) => {}
                }
            },
            Err(PoolError::ImmediatelyDropped | PoolError::AlreadyImported(_)) => {}
            Err(_) => return,
        }
        loop {
            match events.recv().await {
                Ok(Event::Imported(_) | Event::Reverted { .. }) | Err(RecvError::Lagged(_)) => {
                    break
                }
                Ok(Event::Finalized(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}
