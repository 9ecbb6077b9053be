//! Figures for Prometheus.

use cicada_core::nav::INDEX_UNITS_PER_TAO_UNIT;
use cicada_program::{figures_text, Outcome};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

type Level = Gauge<u64, AtomicU64>;

/// Figures of one validator.
#[derive(Default)]
pub struct Metrics {
    registry: Registry,
    /// The newest block that was taken over.
    pub block: Level,
    /// Mints and redemptions in the store.
    pub events: Level,
    /// The newest slot of the NAV that is settled.
    pub slot: Level,
    /// The newest epoch that is over.
    pub epoch: Level,
    /// The newest NAV of our own, in units of TAO.
    pub nav: Level,
    /// Requests for observations: signed, refused.
    pub observations: Family<Outcome, Counter>,
    /// Rounds of agreement about the NAV: settled, failed.
    pub nav_rounds: Family<Outcome, Counter>,
    /// Rounds of agreement about rewards: settled, failed.
    pub reward_rounds: Family<Outcome, Counter>,
    /// Seats that signed two NAVs for a slot: convicted, known, or the proof failed to come there.
    pub convictions: Family<Outcome, Counter>,
    /// Looks at the chain: ok, failed.
    pub looks: Family<Outcome, Counter>,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut all = Self { registry: Registry::with_prefix("nav_validator"), ..Self::default() };
        let r = &mut all.registry;
        r.register("block", "Newest block that was taken over", all.block.clone());
        r.register("events", "Mints and redemptions in the store", all.events.clone());
        r.register("slot", "Newest settled slot of the NAV", all.slot.clone());
        r.register("epoch", "Newest epoch that is over", all.epoch.clone());
        r.register("nav", "Newest own NAV, in units of TAO for one token", all.nav.clone());
        let observations = all.observations.clone();
        r.register("observations", "Requests for observations, by outcome", observations);
        r.register("nav_rounds", "Rounds about the NAV, by outcome", all.nav_rounds.clone());
        r.register("reward_rounds", "Rounds about rewards, by outcome", all.reward_rounds.clone());
        let convictions = all.convictions.clone();
        r.register("convictions", "Seats that signed twice, by outcome", convictions);
        r.register("looks", "Looks at the chain, by outcome", all.looks.clone());
        all
    }

    /// Notes our own NAV.
    pub fn set_nav(&self, nav_e18: u128) {
        // Units of TAO for one token, as far as a gauge reaches.
        self.nav.set(u64::try_from(nav_e18 / INDEX_UNITS_PER_TAO_UNIT).unwrap_or(u64::MAX));
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
        count(&metrics.nav_rounds, "settled");
        let text = metrics.text();
        assert!(text.contains("nav_validator_block 7"), "{text}");
        assert!(text.contains("nav_validator_nav_rounds_total{outcome=\"settled\"} 1"), "{text}");
    }
}
