//! What the provider shows of itself: `/status` as JSON, `/metrics` for Prometheus.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use cicada_program::http::{figures, Figures};
use cicada_program::Outcomes;
use prometheus_client::metrics::gauge::Gauge;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

cicada_program::figures! { "provider":
    requests: Outcomes = "requests", "Requests looked at, by outcome";
    jobs: Outcomes = "jobs", "Jobs, by outcome";
    running: Gauge = "running", "Jobs that run now";
    rounds: Outcomes = "rounds", "Rounds over the market, by outcome";
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
