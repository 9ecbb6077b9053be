//! Where the indexer stands, and what it offers.

use super::{Answer, App, Shared};
use crate::follow::behind as behind_text;
use crate::store::cursor;
use crate::store::schema::VERSION;
use crate::views::{Busy, Status};
use axum::extract::State;
use axum::Json;
use cicada_program::http::{figures, Figures};
use cicada_program::now_ms;
use std::sync::Arc;

/// Where the indexer stands: its newest block, how far that is behind, what is wrong if anything is.
#[utoipa::path(get, path = "/status", responses((status = 200, body = Status), Busy))]
pub async fn status(State(app): Shared) -> Answer<Status> {
    let at = app.readers.ask(|database| Ok(cursor(database)?)).await?;
    let (at, counts) = at.map_or((None, None), |(at, counts)| (Some(at), Some(counts)));
    let counts = counts.unwrap_or_default();
    let final_block = Some(app.metrics.final_block.get()).filter(|block| *block > 0);
    let identity = app.identity;
    let behind = final_block.zip(at).filter(|(newest, at)| *newest < at.block);
    let behind = behind.map(|(newest, at)| behind_text(newest, at.block));
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").into(),
        schema: u64::try_from(VERSION).unwrap_or(0),
        genesis: identity.genesis,
        exchange: identity.exchange,
        currency: identity.currency,
        leaderboard: identity.leaderboard,
        block: at.map(|at| at.block),
        block_hash: at.map(|at| at.hash),
        block_time_ms: at.map(|at| at.time_ms),
        final_block,
        lag_blocks: final_block.zip(at).map(|(newest, at)| newest.saturating_sub(at.block)),
        lag_ms: at.map(|at| now_ms().saturating_sub(at.time_ms)),
        events: counts.events,
        trades: counts.trades,
        unknown_events: counts.unknown,
        problem: app.problem().or(behind),
    }))
}

/// Figures for Prometheus.
#[utoipa::path(get, path = "/metrics", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
))]
pub async fn metrics(State(app): State<Arc<App>>) -> Figures {
    figures(app.metrics.text())
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", responses(
    (status = 200, description = "OpenAPI 3.1", body = Object),
))]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(super::routes().into_openapi())
}
