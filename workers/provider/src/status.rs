//! What the provider shows of itself: `/status` as JSON, `/metrics` for Prometheus.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use cicada_program::http::{figures, Figures};
use cicada_program::{figures_text, Outcome};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Figures of one provider.
#[derive(Default)]
pub struct Metrics {
    registry: Registry,
    /// Requests looked at: accepted, left, refused.
    pub requests: Family<Outcome, Counter>,
    /// Jobs: delivered, failed (and delivered as such), given_up, declined.
    pub jobs: Family<Outcome, Counter>,
    /// Jobs that run now.
    pub running: Gauge,
    /// Rounds over the market: ok, failed.
    pub rounds: Family<Outcome, Counter>,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut metrics = Self { registry: Registry::with_prefix("provider"), ..Self::default() };
        let r = &mut metrics.registry;
        r.register("requests", "Requests looked at, by outcome", metrics.requests.clone());
        r.register("jobs", "Jobs, by outcome", metrics.jobs.clone());
        r.register("running", "Jobs that run now", metrics.running.clone());
        r.register("rounds", "Rounds over the market, by outcome", metrics.rounds.clone());
        metrics
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        figures_text(&self.registry)
    }
}

/// What `/status` says.
#[derive(Clone, Debug, Default, Serialize)]
pub struct View {
    /// The provider's address.
    pub account: String,
    /// The public key to which payload keys are sealed.
    pub payload_key: String,
    /// Whether requests are accepted without asking.
    pub auto_accept: bool,
    /// Whether jobs are cut off from the network.
    pub network_isolated: bool,
    /// Whether each job has a world of its own: processes, files, users.
    pub jobs_isolated: bool,
    /// The time of the last round, in ms since 1970.
    pub last_round_ms: u64,
    /// The number of the offer of each task type.
    pub offers: BTreeMap<String, u64>,
    /// Assignments that have not ended, and where they stand.
    pub assignments: BTreeMap<u64, String>,
    /// Those whose job runs now.
    pub running: Vec<u64>,
}

/// What the handlers share.
#[derive(Clone)]
pub struct Shown {
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// The newest view.
    pub view: Arc<Mutex<View>>,
}

/// All routes.
pub fn router(shown: Shown) -> Router {
    Router::new().route("/status", get(status)).route("/metrics", get(metrics)).with_state(shown)
}

async fn status(State(shown): State<Shown>) -> Json<View> {
    Json(shown.view.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

async fn metrics(State(shown): State<Shown>) -> Figures {
    figures(shown.metrics.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_program::count;

    #[test]
    fn figures_have_their_names() {
        let metrics = Metrics::new();
        count(&metrics.jobs, "delivered");
        metrics.running.set(2);
        let text = metrics.text();
        assert!(text.contains("provider_jobs_total{outcome=\"delivered\"} 1"), "{text}");
        assert!(text.contains("provider_running 2"), "{text}");
    }
}
