//! Figures for Prometheus.

use cicada_core::nav::INDEX_UNITS_PER_TAO_UNIT;
use cicada_program::{Level, Outcomes};

cicada_program::figures! { "nav_validator":
    block: Level = "block", "Newest block that was taken over";
    events: Level = "events", "Mints and redemptions in the store";
    slot: Level = "slot", "Newest settled slot of the NAV";
    epoch: Level = "epoch", "Newest epoch that is over";
    nav: Level = "nav", "Newest own NAV, in units of TAO for one token";
    observations: Outcomes = "observations", "Requests for observations, by outcome";
    nav_rounds: Outcomes = "nav_rounds", "Rounds about the NAV, by outcome";
    reward_rounds: Outcomes = "reward_rounds", "Rounds about rewards, by outcome";
    convictions: Outcomes = "convictions", "Seats that signed twice, by outcome";
    looks: Outcomes = "looks", "Looks at the chain, by outcome";
}

impl Metrics {
    /// Notes our own NAV.
    pub fn set_nav(&self, nav_e18: u128) {
        // Units of TAO for one token, as far as a gauge reaches.
        self.nav.set(u64::try_from(nav_e18 / INDEX_UNITS_PER_TAO_UNIT).unwrap_or(u64::MAX));
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
