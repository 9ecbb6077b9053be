//! `author_*`: transactions on their way into a block.

use super::{error, subscription, Api, Args};
use crate::{
    pool::{self, Status},
    App,
};
use cicada_runtime::Hash;
use codec::{Decode, Encode};
use jsonrpsee::{types::ErrorObjectOwned, PendingSubscriptionSink};
use serde_json::{json, Value};
use sp_core::Bytes;
use sp_runtime::OpaqueExtrinsic;
use std::sync::Arc;
use tokio::sync::mpsc;

pub(super) fn register(api: &mut Api) {
    api.slow("author_submitExtrinsic", submit, &[]);
    api.quick("author_pendingExtrinsics", pending, &[]);
    api.subscribe(
        ("author_submitAndWatchExtrinsic", "author_extrinsicUpdate", "author_unwatchExtrinsic"),
        submit_and_watch,
        &[],
    );
}

fn extrinsic(args: &mut Args) -> Result<OpaqueExtrinsic, ErrorObjectOwned> {
    let bytes: Bytes = args.next("extrinsic")?;
    OpaqueExtrinsic::decode(&mut &bytes[..]).map_err(|error| error::extrinsic_format(&error))
}

fn submit(app: &App, mut args: Args) -> Result<Hash, ErrorObjectOwned> {
    app.node.submit(extrinsic(&mut args)?, None).map_err(error::pool)
}

fn pending(app: &App, _args: Args) -> Result<Vec<Bytes>, ErrorObjectOwned> {
    let ready = app.node.pool(pool::Pool::ready);
    Ok(ready.into_iter().map(|(_, extrinsic)| Bytes(extrinsic.encode())).collect())
}

async fn submit_and_watch(app: Arc<App>, mut args: Args, pending: PendingSubscriptionSink) {
    let (watcher, mut news) = mpsc::channel(pool::NEWS);
    let submitted = match extrinsic(&mut args) {
        Ok(extrinsic) => {
            let submit = move || app.node.submit(extrinsic, Some(watcher)).map_err(error::pool);
            tokio::task::spawn_blocking(submit)
                .await
                .unwrap_or_else(|error| Err(error::internal(error)))
        }
        Err(error) => Err(error),
    };
    if let Err(error) = submitted {
        return pending.reject(error).await;
    }
    let Ok(sink) = pending.accept().await else { return };
    loop {
        let status = tokio::select! {
            status = news.recv() => status,
            () = sink.closed() => return,
        };
        let Some(status) = status else { return };
        if !subscription::send(&sink, &shown(status)).await {
            return;
        }
    }
}

/// A status as clients of `author_submitAndWatchExtrinsic` know it.
fn shown(status: Status) -> Value {
    match status {
        Status::Future => json!("future"),
        Status::Ready => json!("ready"),
        Status::InBlock(block, _) => json!({ "inBlock": block }),
        Status::Retracted(block) => json!({ "retracted": block }),
        Status::Finalized(block, _) => json!({ "finalized": block }),
        Status::Usurped(by) => json!({ "usurped": by }),
        Status::Dropped => json!("dropped"),
        Status::Invalid => json!("invalid"),
    }
}
