//! What is accepted as a request, an offer, a report.

use super::{times, HandOver, Offer, Parameters, Privacy, Request};
use crate::escrow::{Limits, MAX_CID_LEN};
use crate::name::Name;
use crate::sla::{Metric, QualityReport, Sla, MAX_METRICS};
use crate::Account;
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
/// The length of a sealed key, in bytes: an X25519 key, the payload's key, a tag.
pub const SEALED_KEY_LEN: usize = 80;
/// The longest time for hand-over, response, execution: 366 days, in ms.
pub const MAX_TERM_MS: u64 = 366 * 24 * 3_600_000;
/// The longest time that accepts only wait in line, in ms.
pub const MAX_PRIORITY_MS: u64 = 60_000;
/// The shortest slack: four blocks of a second, in ms. With longer blocks it must be more.
pub const MIN_SLACK_MS: u64 = 4_000;
/// The shortest time to hand a job back without a mark: a minute, in ms.
pub const MIN_HAND_BACK_MS: u64 = 60_000;
/// The longest slack, and the longest time to hand a job back without a mark: an hour, in ms.
pub const MAX_SLACK_MS: u64 = 3_600_000;
/// The whole in basis points.
pub(super) const WHOLE_BPS: u16 = 10_000;

/// Why terms are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum InvalidTerms {
    /// 0 units, too many, or a least take of 0 or of more than there is.
    Units,
    /// A price of 0, or a price or bond that is too high.
    Price,
    /// A time of 0 or beyond the limit; a review, dispute or time for the job that the escrow
    /// contract does not permit; a time for the hand-over of a public payload; or a least time
    /// above the most.
    Duration,
    /// The deadline has passed already, or passes before the waiting line is served.
    Deadline,
    /// Too many capabilities or metrics, not ascending, or one twice.
    Names,
    /// A basis-point figure above 10,000.
    BasisPoints,
    /// No content identifier, or one that is too long; a sealed key of another length; or a key
    /// of zeros.
    Payload,
    /// Too many accounts on the list, or the account of zeros, on it or as the caller.
    Accounts,
    /// A panel that the escrow contract would refuse.
    Panel,
    /// A fallback that it would refuse.
    Fallback,
    /// A parameter of the market is out of its range.
    Parameter,
    /// Stars are 1 to 5.
    Stars,
}

/// `Err(why)` unless `holds`.
pub(super) fn ensure(holds: bool, why: InvalidTerms) -> Result<(), InvalidTerms> {
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
        let slack = MIN_SLACK_MS <= self.slack_ms && self.slack_ms <= MAX_SLACK_MS;
        let free = MIN_HAND_BACK_MS <= self.hand_back_ms && self.hand_back_ms <= MAX_SLACK_MS;
        ensure(slack && free && self.priority_ms <= MAX_PRIORITY_MS, InvalidTerms::Parameter)
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
                let people = allowed.len() <= MAX_ALLOWED && !allowed.contains(&Account::NOBODY);
                ensure(people, InvalidTerms::Accounts)
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
        let fits = is_cid(&self.cid) && self.sealed_key.len() == SEALED_KEY_LEN;
        ensure(fits, InvalidTerms::Payload)
    }
}

impl Request {
    /// Whether `requester` may place it at `now_ms` in a market with these parameters, whose money
    /// lies at an escrow contract with these limits.
    ///
    /// # Errors
    /// [`InvalidTerms`].
    pub fn check(
        &self,
        requester: &Account,
        now_ms: u64,
        parameters: &Parameters,
        limits: &Limits,
    ) -> Result<(), InvalidTerms> {
        ensure(*requester != Account::NOBODY, InvalidTerms::Accounts)?;
        check_units(self.units)?;
        ensure(self.min_units.is_none_or(|least| least > 0), InvalidTerms::Units)?;
        check_price(self.max_price, self.min_bond)?;
        let response_ms = self.sla.as_ref().map_or(0, |sla| sla.max_response_ms);
        let mut bounded = [self.hand_over_within_ms, response_ms, self.max_duration_ms]
            .iter()
            .all(|time| *time <= MAX_TERM_MS);
        bounded = bounded && self.max_duration_ms > 0;
        bounded = bounded && !(self.privacy.is_public() && self.hand_over_within_ms > 0);
        bounded = bounded && limits.review.contains(self.review_ms);
        bounded = bounded && limits.dispute.contains(self.dispute_ms);
        bounded = bounded && limits.completion.contains(self.complete_within_ms(parameters));
        ensure(bounded, InvalidTerms::Duration)?;
        let line_ends = now_ms.saturating_add(parameters.priority_ms);
        ensure(self.deadline_ms > line_ends, InvalidTerms::Deadline)?;
        check_capabilities(&self.capabilities)?;
        self.privacy.check()?;
        let panel = self.panel.check().is_ok() && !self.panel.members.contains(requester);
        ensure(panel, InvalidTerms::Panel)?;
        ensure(self.fallback.check().is_ok(), InvalidTerms::Fallback)?;
        self.sla.as_ref().map_or(Ok(()), Sla::check)
    }

    /// How long after the assignment a private payload may be handed over, in ms.
    pub fn hand_over_ms(&self, parameters: &Parameters) -> u64 {
        match self.privacy {
            Privacy::Public { .. } => 0,
            _ => self.hand_over_within_ms.saturating_add(parameters.slack_ms),
        }
    }

    /// The times for the response and the execution, in ms.
    fn own_ms(&self) -> u64 {
        let response_ms = self.sla.as_ref().map_or(0, |sla| sla.max_response_ms);
        response_ms.saturating_add(self.max_duration_ms)
    }

    /// The times for the hand-over, the response and the execution, in ms.
    pub fn time_ms(&self) -> u64 {
        self.own_ms().saturating_add(self.hand_over_within_ms)
    }

    /// How long after the hand-over (of a public payload: the assignment) the result must be there,
    /// in ms: the times for the response and the execution, each with its slack.
    pub fn work_within_ms(&self, parameters: &Parameters) -> u64 {
        self.own_ms().saturating_add(parameters.slack_ms.saturating_mul(2))
    }

    /// How long after the assignment the result must be there at the latest, in ms.
    pub fn complete_within_ms(&self, parameters: &Parameters) -> u64 {
        self.hand_over_ms(parameters).saturating_add(self.work_within_ms(parameters))
    }

    /// What is locked for it: the maximum price of all units.
    pub fn budget(&self) -> u128 {
        // At most 10^24 · 10^9 after the check, which is below 2^128.
        times(self.max_price, self.units)
    }
}

impl Offer {
    /// Whether `provider` may place it at `now_ms`.
    ///
    /// # Errors
    /// [`InvalidTerms`].
    pub fn check(&self, provider: &Account, now_ms: u64) -> Result<(), InvalidTerms> {
        ensure(*provider != Account::NOBODY, InvalidTerms::Accounts)?;
        check_units(self.units)?;
        ensure((1..=self.units).contains(&self.min_units), InvalidTerms::Units)?;
        check_price(self.price, self.bond)?;
        ensure(self.expires_ms > now_ms, InvalidTerms::Deadline)?;
        check_capabilities(&self.capabilities)?;
        // Whose secret half everybody knows.
        ensure(self.payload_key != [0; 32], InvalidTerms::Payload)?;
        self.consent.check()
    }

    /// The bond of so many units.
    pub fn bond_of(&self, units: u64) -> u128 {
        // As `Request::budget`.
        times(self.bond, units)
    }
}
