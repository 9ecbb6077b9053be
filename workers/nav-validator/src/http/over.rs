//! What is over, or adds up: read from the store, of all miners, so not on the threads that answer the
//! others.

use super::{Answer, Failure, Shared};
use crate::view;
use axum::extract::{Query, State};
use axum::Json;
use serde::Deserialize;
use serde_json::{json, Value};
use tokio::task::spawn_blocking;

/// Epochs that `/rewards` shows.
const EPOCHS: usize = 24;
/// Miners that it shows of each of them.
const MINERS: usize = 100;

pub(super) async fn rankings(State(app): Shared) -> Answer {
    let block = app.store.cursor()?.map(|cursor| cursor.block);
    let mut cached = app.rankings.lock().await;
    if let Some((_, value)) = cached.as_ref().filter(|(at, _)| *at == block) {
        return Ok(Json(value.clone()));
    }
    let own = app.clone();
    let value = spawn_blocking(move || view::rankings(&own)).await??;
    let value = value.ok_or_else(|| Failure::absent("no contract of rewards is configured"))?;
    *cached = Some((block, value.clone()));
    Ok(Json(value))
}

pub(super) async fn slashing(State(app): Shared) -> Answer {
    Ok(Json(spawn_blocking(move || view::slashing(&app)).await??))
}

#[derive(Deserialize)]
pub(super) struct OfEpoch {
    epoch: Option<u64>,
}

pub(super) async fn rewards(State(app): Shared, Query(of): Query<OfEpoch>) -> Answer {
    let work = move || -> Result<Value, Failure> {
        let settled = app.epoch_on_chain();
        let epochs: Vec<Value> = match of.epoch {
            None => {
                let newest = app.store.newest_epochs(EPOCHS)?;
                newest.iter().map(|epoch| view::epoch(epoch, settled, MINERS)).collect()
            }
            Some(number) => {
                let epoch = app.store.epoch(number)?;
                let epoch = epoch.ok_or_else(|| Failure::absent("that epoch is not over"))?;
                vec![view::epoch(&epoch, settled, usize::MAX)]
            }
        };
        Ok(json!({ "epochs": epochs }))
    };
    spawn_blocking(work).await?.map(Json)
}
