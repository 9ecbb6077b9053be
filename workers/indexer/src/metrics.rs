//! Figures for Prometheus.

use cicada_program::{figures_text, Outcome};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

type Level = Gauge<u64, AtomicU64>;

/// Figures of one indexer.
#[derive(Default)]
pub struct Metrics {
    registry: Registry,
    /// The newest block that was taken over.
    pub block: Level,
    /// The newest final block of the node.
    pub final_block: Level,
    /// Events in the store.
    pub events: Level,
    /// Trades in the store.
    pub trades: Level,
    /// Events whose kind is not known.
    pub unknown: Level,
    /// Looks at the chain: ok, failed.
    pub looks: Family<Outcome, Counter>,
    /// Requests: ok, wrong, absent, failed.
    pub requests: Family<Outcome, Counter>,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut all = Self { registry: Registry::with_prefix("cicada_indexer"), ..Self::default() };
        let r = &mut all.registry;
        r.register("block", "Newest block that was taken over", all.block.clone());
        r.register("final_block", "Newest final block of the node", all.final_block.clone());
        r.register("events", "Events in the store", all.events.clone());
        r.register("trades", "Trades in the store", all.trades.clone());
        r.register("unknown_events", "Events whose kind is not known", all.unknown.clone());
        r.register("looks", "Looks at the chain, by outcome", all.looks.clone());
        r.register("requests", "Requests, by outcome", all.requests.clone());
        all
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        figures_text(&self.registry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_program::count;

    #[test]
    fn figures_have_their_names() {
        let metrics = Metrics::new();
        metrics.block.set(7);
        count(&metrics.requests, "ok");
        let text = metrics.text();
        assert!(text.contains("cicada_indexer_block 7"), "{text}");
        assert!(text.contains("cicada_indexer_requests_total{outcome=\"ok\"} 1"), "{text}");
    }
}
