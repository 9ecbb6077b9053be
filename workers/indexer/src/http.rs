//! What can be asked. The description at `/openapi.json` follows from the functions here.

use crate::metrics::Metrics;
use crate::queries::{self, audit, STATES};
use crate::readers::Readers;
use crate::store::{apply::STEPS_MS, Identity};
use crate::views::{
    Absent, AuditEntry, Busy, Candles, Holder, Holdings, Market, Order, Page, Portfolio, Problem,
    Trade, Wrong,
};
use ask::{holder, limit, place, Asked, Named};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Json, Router};
use cicada_core::quote::Framework;
use cicada_core::Account;
use cicada_program::count;
use cicada_program::http::Failure;
use serde::Deserialize;
use std::sync::{Arc, Mutex, PoisonError};
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

mod ask;
mod status;

/// What requests share.
pub struct App {
    /// What the store is about.
    pub identity: Identity,
    /// The store.
    pub readers: Readers,
    /// Figures.
    pub metrics: Metrics,
    /// Why the chain cannot be followed now.
    problem: Mutex<Option<String>>,
}

impl App {
    /// Of a store.
    pub fn new(identity: Identity, readers: Readers) -> Arc<Self> {
        let (metrics, problem) = (Metrics::new(), Mutex::default());
        Arc::new(Self { identity, readers, metrics, problem })
    }

    /// Notes why the chain cannot be followed, or that it can.
    pub fn set_problem(&self, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

type Answer<T> = Result<Json<T>, Failure>;
type Shared = State<Arc<App>>;

#[derive(OpenApi)]
#[openapi(info(
    title = "Cicada-71 indexer",
    description = "History of the exchange, as final blocks tell it. Amounts are decimal strings \
        in smallest units: base units of MMC (10^-6), whole performance tokens. Times are \
        milliseconds since 1970, accounts SS58 (0x and 64 digits are read too). In a quote, prices \
        are exact numbers of MMC, its time is in seconds."
))]
struct Description;

/// All routes, and their description.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(status::status))
        .routes(routes!(status::metrics))
        .routes(routes!(status::openapi))
        .routes(routes!(markets))
        .routes(routes!(market))
        .routes(routes!(trades))
        .routes(routes!(candles))
        .routes(routes!(holdings))
        .routes(routes!(portfolio))
        .routes(routes!(orders))
        .routes(routes!(holders))
        .routes(routes!(audit_of_account))
        .routes(routes!(audit_of_block))
}

/// What answers requests.
pub fn router(app: Arc<App>) -> Router {
    let (router, _) = routes().split_for_parts();
    let absent = || async { Failure::absent("there is nothing here; see /openapi.json") };
    let not_so = || async { Failure::new(StatusCode::METHOD_NOT_ALLOWED, "only GET") };
    let counting = axum::middleware::map_response_with_state(app.clone(), counted);
    router.fallback(absent).method_not_allowed_fallback(not_so).layer(counting).with_state(app)
}

async fn counted(State(app): Shared, response: Response) -> Response {
    let outcome = match response.status() {
        StatusCode::NOT_FOUND => "absent",
        status if status.is_client_error() => "wrong",
        status if status.is_server_error() => "failed",
        _ => "ok",
    };
    count(&app.metrics.requests, outcome);
    response
}

/// All markets in the order of their listing.
#[utoipa::path(get, path = "/markets", responses((status = 200, body = Vec<Market>), Busy))]
async fn markets(State(app): Shared) -> Answer<Vec<Market>> {
    Ok(Json(app.readers.ask(queries::markets).await?))
}

/// The market of a framework: reserve, tokens, volume, quote.
#[utoipa::path(get, path = "/markets/{framework}",
    params(("framework" = String, Path, description = "such as claude")), responses(
    (status = 200, body = Market),
    (status = 400, body = Problem, description = "no name of a framework"),
    Absent, Busy,
))]
async fn market(State(app): Shared, Named(name): Named<Framework>) -> Answer<Market> {
    Ok(Json(app.readers.ask(move |database| queries::market(database, &name)).await?))
}

/// Which trades.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Trades {
    /// Only of this framework.
    #[param(value_type = Option<String>)]
    framework: Option<Framework>,
    /// Only of this account, as taker or maker.
    #[param(value_type = Option<String>)]
    account: Option<Account>,
    /// Go on here: `next` of the page before.
    before: Option<String>,
    /// Entries of a page, 100 unless asked otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Trades, the newest first.
#[utoipa::path(get, path = "/trades", params(Trades), responses(
    (status = 200, body = Page<Trade>), Wrong, Absent, Busy,
))]
async fn trades(State(app): Shared, Asked(asked): Asked<Trades>) -> Answer<Page<Trade>> {
    let (limit, before) = (limit(asked.limit)?, place(asked.before.as_deref())?);
    let Trades { framework, account, .. } = asked;
    let ask = app
        .readers
        .ask(move |database| queries::trades(database, framework.as_ref(), account, before, limit));
    Ok(Json(ask.await?))
}

/// The length of a candle.
#[derive(Clone, Copy, Deserialize, ToSchema)]
enum Interval {
    /// A minute.
    #[serde(rename = "1m")]
    Minute,
    /// Five minutes.
    #[serde(rename = "5m")]
    Five,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// A day of UTC.
    #[serde(rename = "1d")]
    Day,
}

impl Interval {
    fn ms(self) -> u64 {
        let [minute, five, hour, day] = STEPS_MS;
        match self {
            Self::Minute => minute,
            Self::Five => five,
            Self::Hour => hour,
            Self::Day => day,
        }
    }
}

/// Which candles.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CandlesAsked {
    /// Of which framework.
    #[param(value_type = String)]
    framework: Framework,
    /// Of which length.
    #[param(inline)]
    interval: Interval,
    /// Only those that begin then or later; by default 1,000 intervals before `to`.
    from: Option<u64>,
    /// Only those that begin before; by default the time after the newest block.
    to: Option<u64>,
}

/// Candles: open, high, low, close and volume by minute, five minutes, hour or day, at most 1,000.
#[utoipa::path(get, path = "/candles", params(CandlesAsked), responses(
    (status = 200, body = Candles),
    (status = 400, body = Problem, description = "a wrong parameter, or too many candles"),
    Absent, Busy,
))]
async fn candles(State(app): Shared, Asked(asked): Asked<CandlesAsked>) -> Answer<Candles> {
    let ask = app.readers.ask(move |database| {
        let interval = asked.interval.ms();
        queries::candles(database, &asked.framework, interval, asked.from, asked.to)
    });
    Ok(Json(ask.await?))
}

/// What an account has: MMC and performance tokens, at hand and in resting orders.
#[utoipa::path(get, path = "/holdings/{account}",
    params(("account" = String, Path, description = "SS58, or 0x and 64 digits")), responses(
    (status = 200, body = Holdings),
    (status = 400, body = Problem, description = "no account"),
    Busy,
))]
async fn holdings(State(app): Shared, Named(account): Named<Account>) -> Answer<Holdings> {
    Ok(Json(app.readers.ask(move |database| queries::holdings(database, account)).await?))
}

/// An account's positions at the newest bids: cost, value, profit and loss.
#[utoipa::path(get, path = "/portfolio/{account}",
    params(("account" = String, Path, description = "SS58, or 0x and 64 digits")), responses(
    (status = 200, body = Portfolio),
    (status = 400, body = Problem, description = "no account"),
    Busy,
))]
async fn portfolio(State(app): Shared, Named(account): Named<Account>) -> Answer<Portfolio> {
    Ok(Json(app.readers.ask(move |database| queries::portfolio(database, account)).await?))
}

/// Which orders.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Orders {
    /// Only of this account.
    #[param(value_type = Option<String>)]
    account: Option<Account>,
    /// Only of this framework.
    #[param(value_type = Option<String>)]
    framework: Option<Framework>,
    /// Only these: open, filled or cancelled.
    state: Option<String>,
    /// Go on here: `next` of the page before.
    before: Option<u64>,
    /// Entries of a page, 100 unless asked otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Orders that rest or rested, the newest first.
#[utoipa::path(get, path = "/orders", params(Orders), responses(
    (status = 200, body = Page<Order>), Wrong, Absent, Busy,
))]
async fn orders(State(app): Shared, Asked(asked): Asked<Orders>) -> Answer<Page<Order>> {
    let limit = limit(asked.limit)?;
    let Orders { account, framework, state, before, .. } = asked;
    if state.as_ref().is_some_and(|state| !STATES.contains(&state.as_str())) {
        return Err(Failure::bad(format!("state is one of {}", STATES.join(", "))));
    }
    let ask = app.readers.ask(move |database| {
        let framework = framework.as_ref();
        queries::orders(database, account, framework, state.as_deref(), before, limit)
    });
    Ok(Json(ask.await?))
}

/// Which holders, or which part of a block.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Holders {
    /// Go on here: `next` of the page before.
    after: Option<String>,
    /// Entries of a page, 100 unless asked otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// The holders of a framework's tokens, the largest first. Tokens in resting orders are their
/// owners', not the exchange's.
#[utoipa::path(get, path = "/holders/{framework}",
    params(("framework" = String, Path, description = "such as claude"), Holders), responses(
    (status = 200, body = Page<Holder>), Wrong, Absent, Busy,
))]
async fn holders(
    State(app): Shared,
    Named(name): Named<Framework>,
    Asked(asked): Asked<Holders>,
) -> Answer<Page<Holder>> {
    let limit = limit(asked.limit)?;
    let after = asked.after.as_deref().map(holder).transpose()?;
    let ask = app.readers.ask(move |database| queries::holders(database, &name, after, limit));
    Ok(Json(ask.await?))
}

/// Which events of an account.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Trail {
    /// Go on here: `next` of the page before.
    before: Option<String>,
    /// Entries of a page, 100 unless asked otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Every event that names an account, the newest first.
#[utoipa::path(get, path = "/audit/{account}",
    params(("account" = String, Path, description = "SS58, or 0x and 64 digits"), Trail),
    responses(
    (status = 200, body = Page<AuditEntry>), Wrong, Busy,
))]
async fn audit_of_account(
    State(app): Shared,
    Named(account): Named<Account>,
    Asked(asked): Asked<Trail>,
) -> Answer<Page<AuditEntry>> {
    let (limit, before) = (limit(asked.limit)?, place(asked.before.as_deref())?);
    let ask = app.readers.ask(move |database| audit::of_account(database, account, before, limit));
    Ok(Json(ask.await?))
}

/// Which events of a block.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfBlock {
    /// Of which block.
    block: u64,
    /// Only those after this index: `next` of the page before.
    after: Option<u32>,
    /// Entries of a page, 100 unless asked otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Every event of a block, in order.
#[utoipa::path(get, path = "/audit", params(OfBlock), responses(
    (status = 200, body = Page<AuditEntry>), Wrong, Busy,
))]
async fn audit_of_block(
    State(app): Shared,
    Asked(asked): Asked<OfBlock>,
) -> Answer<Page<AuditEntry>> {
    let limit = limit(asked.limit)?;
    let OfBlock { block, after, .. } = asked;
    let ask = app.readers.ask(move |database| audit::of_block(database, block, after, limit));
    Ok(Json(ask.await?))
}
