//! What the miner shows of itself: JSON for people and programs, `/metrics` for Prometheus.

use crate::ledger::{Done, Ledger};
use crate::plan::{Decision, Planned};
use axum::extract::State;
use axum::routing::{get, MethodRouter};
use axum::{Json, Router};
use cicada_amounts::Units;
use cicada_program::http::{figures, Figures};
use cicada_program::Outcomes;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many batches are shown.
const RECENT: usize = 32;

/// What became of a batch of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfKind {
    /// Its kind.
    pub kind: &'static str,
    /// Its outcome: done, failed.
    pub outcome: &'static str,
}

cicada_program::figures! { "miner":
    looks: Outcomes = "looks", "Looks at the market, by outcome";
    batches: Family<OfKind, Counter> = "batches", "Batches of transactions, by kind and outcome";
    slot: Gauge = "nav_slot", "Newest settled slot of the NAV";
    nav: Gauge = "nav", "Newest NAV, in units of TAO for one token";
    price: Gauge = "price", "Market price, in units of TAO for one token";
    spread: Gauge = "spread_bps", "(price - NAV) / NAV, in bps";
    wealth: Gauge = "wealth", "All that the miner has, in units of TAO";
    inventory: Gauge = "inventory_bps", "Part of it that is index tokens";
    earned: Gauge = "earned", "Gain of all batches after gas, in units of TAO";
    halted: Gauge = "halted", "1 if losses stopped the miner";
}

/// A figure as a gauge takes it.
pub fn level<T: TryInto<i64>>(figure: T) -> i64 {
    figure.try_into().unwrap_or(i64::MAX)
}

/// `/status`. Amounts in smallest units, times in milliseconds since 1970.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// The miner's address.
    pub account: String,
    /// The index.
    pub index: String,
    /// The pool.
    pub pair: String,
    /// Whether nothing is sent.
    pub dry_run: bool,
    /// Since when it runs.
    pub started_ms: u64,
    /// When the market was last seen.
    pub last_look_ms: u64,
    /// The newest final block then.
    pub block: u64,
    /// Why the last look failed, if it did.
    pub problem: Option<String>,
    /// The newest settled slot of the NAV; 0 if there is none.
    pub nav_slot: u64,
    /// The time of its report.
    pub nav_time_ms: u64,
    /// TAO.
    pub tao: Units,
    /// Index tokens.
    pub index_tokens: Units,
    /// Index tokens that can be minted from the subnet tokens.
    pub mintable: Units,
}

/// `/performance`, besides the ledger.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Performance {
    /// What is kept on disk.
    #[serde(flatten)]
    pub ledger: Ledger,
    /// Value of TAO, in its units.
    pub value_tao: Units,
    /// Value of subnet tokens.
    pub value_basket: Units,
    /// Value of index tokens.
    pub value_index: Units,
    /// The part of all that is index tokens, in bps.
    pub inventory_bps: u64,
}

/// A batch that was done.
#[derive(Clone, Debug, Serialize)]
pub struct Recent {
    /// When it was over.
    pub time_ms: u64,
    /// What it was.
    pub planned: Planned,
    /// What the account gained at the NAV before, without gas, in units of TAO.
    pub gained: Units<i128>,
    /// What was done.
    pub done: Done,
}

/// `/arbitrage`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Arbitrage {
    /// The NAV that the decision used; 0 if none was fresh.
    pub nav_e18: Units,
    /// The newest decision.
    pub decision: Option<Decision>,
    /// The newest batches, newest first.
    pub recent: VecDeque<Recent>,
}

impl Arbitrage {
    /// Notes a batch.
    pub fn add(&mut self, batch: Recent) {
        self.recent.push_front(batch);
        self.recent.truncate(RECENT);
    }
}

/// Everything that is shown.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// `/status`.
    pub status: Status,
    /// `/performance`.
    pub performance: Performance,
    /// `/arbitrage`.
    pub arbitrage: Arbitrage,
}

/// What the handlers share.
#[derive(Clone)]
pub struct Shown {
    /// Figures.
    pub metrics: Arc<Metrics>,
    view: Arc<Mutex<View>>,
}

impl Shown {
    /// Shows a view.
    pub fn new(view: View) -> Self {
        Self { metrics: Arc::new(Metrics::new()), view: Arc::new(Mutex::new(view)) }
    }

    /// The view, to read or to change.
    pub fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All routes.
pub fn router(shown: Shown) -> Router {
    Router::new()
        .route("/status", part(|view| view.status.clone()))
        .route("/performance", part(|view| view.performance.clone()))
        .route("/arbitrage", part(|view| view.arbitrage.clone()))
        .route("/metrics", get(metrics))
        .with_state(shown)
}

fn part<T: Serialize + 'static>(of: fn(&View) -> T) -> MethodRouter<Shown> {
    get(move |State(shown): State<Shown>| async move { Json(of(&shown.view())) })
}

async fn metrics(State(shown): State<Shown>) -> Figures {
    figures(shown.metrics.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{World, RULES};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn get(address: std::net::SocketAddr, path: &str) -> (String, String) {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().into(), body.into())
    }

    #[tokio::test]
    async fn every_route_answers() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shown = Shown::new(View::default());
        {
            let mut view = shown.view();
            view.status.account = "5Grw".into();
            view.performance.value_tao = Units(u128::MAX);
            let decision = World::at_price(10_300).decide(&RULES);
            let planned = decision.batch.clone().unwrap();
            view.arbitrage.decision = Some(decision);
            for time_ms in 0..40 {
                let (planned, done) = (planned.clone(), Done::default());
                view.arbitrage.add(Recent { time_ms, planned, gained: Units(-7), done });
            }
        }
        shown.metrics.spread.set(-42);
        tokio::spawn(async move { axum::serve(listener, router(shown)).await });
        let json = async |path: &str| -> serde_json::Value {
            let (head, body) = get(address, path).await;
            assert_eq!(head, "HTTP/1.1 200 OK", "{path}");
            serde_json::from_str(&body).unwrap_or_else(|_| panic!("{path}: {body}"))
        };
        assert_eq!(json("/status").await["account"], "5Grw");
        let performance = json("/performance").await;
        assert_eq!(performance["value_tao"], u128::MAX.to_string());
        assert_eq!(performance["earned"], "0");
        let arbitrage = json("/arbitrage").await;
        assert_eq!(arbitrage["decision"]["spread_bps"], 300);
        assert_eq!(arbitrage["decision"]["batch"]["kind"], "mint_and_sell");
        assert_eq!(arbitrage["recent"].as_array().unwrap().len(), RECENT);
        assert_eq!(arbitrage["recent"][0]["time_ms"], 39);
        assert_eq!(arbitrage["recent"][0]["gained"], "-7");
        let (_, metrics) = get(address, "/metrics").await;
        assert!(metrics.contains("miner_spread_bps -42"), "{metrics}");
        assert_eq!(get(address, "/nothing").await.0, "HTTP/1.1 404 Not Found");
    }

    #[test]
    fn figures_have_their_names() {
        let metrics = Metrics::new();
        metrics.batches.get_or_create(&OfKind { kind: "sell_stock", outcome: "done" }).inc();
        let text = metrics.text();
        let line = "miner_batches_total{kind=\"sell_stock\",outcome=\"done\"} 1";
        assert!(text.contains(line), "{text}");
        assert_eq!((level(u128::MAX), level(-3i128)), (i64::MAX, -3));
    }
}
