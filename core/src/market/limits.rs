//! What is accepted as a request, an offer, a report.

use super::{times, HandOver, Offer, Parameters, Privacy, Request};
use crate::escrow::{Fallback, MAX_ARBITRATORS, MAX_CID_LEN};
use crate::name::Name;
use crate::sla::{Metric, QualityReport, Sla, MAX_METRICS};
use parity_scale_codec::{Decode, Encode};

/// The most compute units of a request or an offer.
pub const MAX_UNITS: u64 = 1_000_000_000;
/// The highest price, and the highest bond, per unit.
pub const MAX_PRICE: u128 = 1_000_000_000_000_000_000_000_000;
/// The most capabilities of a request or an offer.
pub const MAX_CAPABILITIES: usize = 12;
/// The most accounts on the list of a confidential request.
pub const MAX_ALLOWED: usize = 16;
/// The most providers that wait for one request.
pub const MAX_LINE: usize = 10;
/// The longest sealed key, in bytes.
pub const MAX_SEALED_KEY_LEN: usize = 256;
/// The longest time for completion, review or a dispute: 366 days, in ms.
pub const MAX_TERM_MS: u64 = 366 * 24 * 3_600_000;
/// The longest time that accepts only wait in line, in ms.
pub const MAX_PRIORITY_MS: u64 = 60_000;
/// The whole in basis points.
const WHOLE_BPS: u16 = 10_000;

/// Why terms are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum InvalidTerms {
    /// 0 units, or too many.
    Units,
    /// A price of 0, or a price or bond that is too high.
    Price,
    /// A duration of 0 or beyond the limit, or less time for completion than for execution.
    Duration,
    /// The deadline has passed already, or passes before the waiting line is served.
    Deadline,
    /// Too many capabilities or metrics, not ascending, or one twice.
    Names,
    /// A basis-point figure above 10,000.
    BasisPoints,
    /// No content identifier, or one that is too long; or a sealed key that is.
    Payload,
    /// Too many accounts on the list or in the panel; or none in the panel, and a dispute refunds.
    Accounts,
    /// A parameter of the market is out of its range.
    Parameter,
    /// Stars are 1 to 5.
    Stars,
}

/// `Err(why)` unless `holds`.
fn ensure(holds: bool, why: InvalidTerms) -> Result<(), InvalidTerms> {
    if holds {
        Ok(())
    } else {
        Err(why)
    }
}

fn is_cid(cid: &[u8]) -> bool {
    !cid.is_empty() && cid.len() <= MAX_CID_LEN
}

fn check_units(units: u64) -> Result<(), InvalidTerms> {
    ensure((1..=MAX_UNITS).contains(&units), InvalidTerms::Units)
}

fn check_price(price: u128, bond: u128) -> Result<(), InvalidTerms> {
    ensure((1..=MAX_PRICE).contains(&price) && bond <= MAX_PRICE, InvalidTerms::Price)
}

fn check_capabilities(names: &[Name]) -> Result<(), InvalidTerms> {
    // `zip`, not `windows`: the latter's bound checks are code that a contract pays for.
    let ascending = names.iter().zip(names.iter().skip(1)).all(|(a, b)| a < b);
    ensure(names.len() <= MAX_CAPABILITIES && ascending, InvalidTerms::Names)
}

fn check_metrics(metrics: &[Metric]) -> Result<(), InvalidTerms> {
    ensure(metrics.len() <= MAX_METRICS, InvalidTerms::Names)?;
    ensure(metrics.iter().all(|metric| metric.bps <= WHOLE_BPS), InvalidTerms::BasisPoints)
}

impl Parameters {
    /// Whether a market may be made with these.
    ///
    /// # Errors
    /// [`InvalidTerms::Parameter`].
    pub fn check(&self) -> Result<(), InvalidTerms> {
        ensure(self.priority_ms <= MAX_PRIORITY_MS, InvalidTerms::Parameter)
    }
}

impl Sla {
    /// Whether it may stand in a request.
    ///
    /// # Errors
    /// [`InvalidTerms::Names`], [`InvalidTerms::BasisPoints`].
    pub fn check(&self) -> Result<(), InvalidTerms> {
        check_metrics(&self.quality)?;
        let metrics = &self.quality;
        let ascending = metrics.iter().zip(metrics.iter().skip(1)).all(|(a, b)| a.name < b.name);
        ensure(ascending, InvalidTerms::Names)?;
        ensure(self.uptime_bps.is_none_or(|bps| bps <= WHOLE_BPS), InvalidTerms::BasisPoints)
    }
}

impl QualityReport {
    /// Whether it may be brought.
    ///
    /// # Errors
    /// [`InvalidTerms::Names`], [`InvalidTerms::BasisPoints`].
    pub fn check(&self) -> Result<(), InvalidTerms> {
        check_metrics(&self.quality)?;
        ensure(self.uptime_bps.is_none_or(|bps| bps <= WHOLE_BPS), InvalidTerms::BasisPoints)
    }
}

impl Privacy {
    /// Whether it may stand in a request.
    ///
    /// # Errors
    /// [`InvalidTerms::Payload`], [`InvalidTerms::Accounts`].
    pub fn check(&self) -> Result<(), InvalidTerms> {
        match self {
            Self::Public { payload } => ensure(is_cid(payload), InvalidTerms::Payload),
            Self::Private { .. } => Ok(()),
            Self::Confidential { allowed, .. } => {
                ensure(allowed.len() <= MAX_ALLOWED, InvalidTerms::Accounts)
            }
        }
    }
}

impl HandOver {
    /// Whether it may be brought.
    ///
    /// # Errors
    /// [`InvalidTerms::Payload`].
    pub fn check(&self) -> Result<(), InvalidTerms> {
        let fits = is_cid(&self.cid) && self.sealed_key.len() <= MAX_SEALED_KEY_LEN;
        ensure(fits, InvalidTerms::Payload)
    }
}

impl Request {
    /// Whether it may be placed at `now_ms` in a market where accepts wait for `priority_ms`.
    ///
    /// # Errors
    /// [`InvalidTerms`].
    pub fn check(&self, now_ms: u64, priority_ms: u64) -> Result<(), InvalidTerms> {
        check_units(self.units)?;
        check_price(self.max_price, self.min_bond)?;
        let durations =
            [self.max_duration_ms, self.complete_within_ms, self.review_ms, self.dispute_ms];
        let bounded = durations.iter().all(|duration| (1..=MAX_TERM_MS).contains(duration))
            && self.max_duration_ms <= self.complete_within_ms;
        ensure(bounded, InvalidTerms::Duration)?;
        let line_ends = now_ms.saturating_add(priority_ms);
        ensure(self.deadline_ms > line_ends, InvalidTerms::Deadline)?;
        check_capabilities(&self.capabilities)?;
        self.privacy.check()?;
        // What else a panel must be is the escrow contract's business.
        ensure(self.panel.members.len() <= MAX_ARBITRATORS, InvalidTerms::Accounts)?;
        // Else a dispute that nobody can decide would be work for nothing.
        let decided = !self.panel.members.is_empty() || self.fallback != Fallback::Refund;
        ensure(decided, InvalidTerms::Accounts)?;
        self.sla.as_ref().map_or(Ok(()), Sla::check)
    }

    /// What is locked for it: the maximum price of all units.
    pub fn budget(&self) -> u128 {
        // At most 10^24 · 10^9 after the check, which is below 2^128.
        times(self.max_price, self.units)
    }
}

impl Offer {
    /// Whether it may be placed at `now_ms`.
    ///
    /// # Errors
    /// [`InvalidTerms`].
    pub fn check(&self, now_ms: u64) -> Result<(), InvalidTerms> {
        check_units(self.units)?;
        check_price(self.price, self.bond)?;
        ensure(self.expires_ms > now_ms, InvalidTerms::Deadline)?;
        check_capabilities(&self.capabilities)
    }

    /// The bond of so many units.
    pub fn bond_of(&self, units: u64) -> u128 {
        // As `Request::budget`.
        times(self.bond, units)
    }
}
