//! Service levels, their violations and penalties (requirements 001-14, 002-service-levels).
//!
//! The chain measures response and execution time; uptime and quality are stated by the
//! requester, never by the provider alone. What a report leaves out counts as missed.

use crate::market::times;
use crate::name::Name;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// The most quality metrics of a service level, and of a report.
pub const MAX_METRICS: usize = 8;

/// A quality metric and its value or minimum.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Metric {
    /// Which.
    pub name: Name,
    /// In basis points.
    pub bps: u16,
}

/// What is promised.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Sla {
    /// The least uptime in basis points, at most 10,000.
    pub uptime_bps: Option<u16>,
    /// The longest time from the assignment (or hand-over) to the start, in ms.
    pub max_response_ms: u64,
    /// What each miss of response or execution time costs, in the smallest unit of the token; of
    /// uptime and of each quality metric half of it, rounded down.
    pub violation_penalty: u128,
    /// The least value of each metric; at most [`MAX_METRICS`], names ascending, none twice.
    pub quality: Vec<Metric>,
}

/// What the requester states about a finished job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct QualityReport {
    /// Measured uptime in basis points.
    pub uptime_bps: Option<u16>,
    /// Measured values; at most [`MAX_METRICS`]; of a name twice the first counts.
    pub quality: Vec<Metric>,
}

/// What was missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Violations {
    /// It was started too late.
    pub response: bool,
    /// The execution took too long.
    pub execution: bool,
    /// How many of uptime and quality metrics were below their minimum, or not reported.
    pub stated: u8,
}

impl Violations {
    /// Whether anything was missed.
    pub fn any(&self) -> bool {
        self.count() > 0
    }

    /// How many.
    pub fn count(&self) -> u32 {
        self.measured().saturating_add(u32::from(self.stated))
    }

    /// How many the chain measured. What only the requester states costs money that the offer agreed
    /// to, and no mark: nobody has judged it.
    pub fn measured(&self) -> u32 {
        u32::from(self.response).saturating_add(u32::from(self.execution))
    }
}

impl Sla {
    /// What the chain measures, in blocks: each time has its slack, of which the last moment is
    /// kept. Otherwise a limit of the length of a block would be missed by everybody.
    pub fn measured(
        &self,
        (response_ms, execution_ms): (u64, u64),
        max_ms: u64,
        slack_ms: u64,
    ) -> Violations {
        let missed = |took_ms: u64, limit_ms: u64| took_ms > limit_ms.saturating_add(slack_ms);
        Violations {
            response: missed(response_ms, self.max_response_ms),
            execution: missed(execution_ms, max_ms),
            stated: 0,
        }
    }

    /// How many of uptime and metrics the report does not show to be kept.
    pub fn stated(&self, report: &QualityReport) -> u8 {
        let below = |least: u16, value: Option<u16>| value.is_none_or(|value| value < least);
        let uptime = self.uptime_bps.is_some_and(|least| below(least, report.uptime_bps));
        let missed = |least: &&Metric| {
            let found = report.quality.iter().find(|metric| metric.name == least.name);
            below(least.bps, found.map(|metric| metric.bps))
        };
        let missed = self.quality.iter().filter(missed).count();
        // At most MAX_METRICS.
        u8::try_from(missed).unwrap_or(u8::MAX).saturating_add(u8::from(uptime))
    }

    /// What all violations together cost, at most `amount`.
    pub fn most_penalty(&self, amount: u128) -> u128 {
        let stated = self.quality.len().saturating_add(self.uptime_bps.is_some().into());
        // At most MAX_METRICS and one.
        let stated = u8::try_from(stated).unwrap_or(u8::MAX);
        self.penalty(&Violations { response: true, execution: true, stated }, amount)
    }

    /// What the violations cost: the penalty for each of the two times, half of it, rounded down,
    /// for each of the others; at most `amount`.
    pub fn penalty(&self, violations: &Violations, amount: u128) -> u128 {
        let full = u64::from(violations.response).saturating_add(violations.execution.into());
        let half = self.violation_penalty >> 1;
        // Saturated or not, it is capped.
        let total = times(self.violation_penalty, full);
        total.saturating_add(times(half, violations.stated.into())).min(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn metric(name: &str, bps: u16) -> Metric {
        Metric { name: Name::new(name).unwrap(), bps }
    }

    fn sla(violation_penalty: u128) -> Sla {
        let quality = vec![metric("accuracy", 9_000), metric("recall", 8_000)];
        Sla { uptime_bps: Some(9_900), max_response_ms: 60, violation_penalty, quality }
    }

    #[test]
    fn exactly_the_limit_and_its_slack_are_kept() {
        let level = sla(100);
        let measured = |response_ms, execution_ms| {
            let found = level.measured((response_ms, execution_ms), 1_000, 24);
            (found.response, found.execution)
        };
        assert_eq!(measured(84, 1_024), (false, false));
        assert_eq!(measured(85, 1_024), (true, false));
        assert_eq!(measured(84, 1_025), (false, true));
        assert!(!level.measured((60, u64::MAX), u64::MAX, 24).any());
        let just = QualityReport {
            uptime_bps: Some(9_900),
            quality: vec![metric("recall", 8_000), metric("accuracy", 9_000)],
        };
        assert_eq!(level.stated(&just), 0);
    }

    #[test]
    fn what_is_missing_or_below_is_missed() {
        let level = sla(100);
        let stated = |uptime_bps, quality| level.stated(&QualityReport { uptime_bps, quality });
        assert_eq!(stated(None, vec![]), 3);
        assert_eq!(stated(Some(9_899), vec![metric("accuracy", 9_000)]), 2);
        assert_eq!(
            stated(Some(9_900), vec![metric("accuracy", 8_999), metric("recall", 8_000)]),
            1
        );
        // Of a name twice the first counts.
        let twice = vec![metric("accuracy", 0), metric("accuracy", 9_000), metric("recall", 8_000)];
        assert_eq!(stated(Some(9_900), twice), 1);
        let plain = Sla { uptime_bps: None, quality: vec![], ..sla(100) };
        assert_eq!(plain.stated(&QualityReport { uptime_bps: None, quality: vec![] }), 0);
    }

    #[test]
    fn half_a_penalty_is_rounded_down() {
        let violations = Violations { response: true, execution: false, stated: 3 };
        assert_eq!(sla(101).penalty(&violations, 1_000), 101 + 3 * 50);
        assert_eq!(sla(1).penalty(&violations, 1_000), 1);
        assert_eq!(sla(u128::MAX).penalty(&violations, 1_000), 1_000);
    }

    proptest! {
        #[test]
        fn a_penalty_is_the_sum_but_never_above_the_amount(
            each in 0..u128::MAX / 32, response: bool, execution: bool, stated in 0..10u8,
            amount: u128,
        ) {
            let violations = Violations { response, execution, stated };
            let sum = each * (u128::from(response) + u128::from(execution))
                + each / 2 * u128::from(stated);
            let penalty = sla(each).penalty(&violations, amount);
            prop_assert_eq!(penalty, sum.min(amount));
            prop_assert_eq!(violations.any(), violations.count() > 0);
        }
    }
}
