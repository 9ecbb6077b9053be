//! Figures for Prometheus.

use cicada_program::{Level, Outcomes};

cicada_program::figures! { "cicada_indexer":
    block: Level = "block", "Newest block that was taken over";
    final_block: Level = "final_block", "Newest final block of the node";
    events: Level = "events", "Events in the store";
    trades: Level = "trades", "Trades in the store";
    unknown: Level = "unknown_events", "Events whose kind is not known";
    looks: Outcomes = "looks", "Looks at the chain, by outcome";
    requests: Outcomes = "requests", "Requests, by outcome";
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
