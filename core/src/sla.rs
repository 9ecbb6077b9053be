//! Service levels, their violations and penalties (seeds 001, 002).
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
        let measured = u32::from(self.response).saturating_add(u32::from(self.execution));
        measured.saturating_add(u32::from(self.stated))
    }
}

impl Sla {
    /// What the chain measures; exactly the limit is kept.
    pub fn measured(&self, response_ms: u64, execution_ms: u64, max_ms: u64) -> Violations {
        let response = response_ms > self.max_response_ms;
        Violations { response, execution: execution_ms > max_ms, stated: 0 }
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
