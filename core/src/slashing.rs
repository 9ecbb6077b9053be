//! What a validator loses for being off, or for lying (requirement 004-slashing).

use crate::arrays::codec_as_array;
use crate::fixed::{div_ceil, sub, MathError, BPS};
use crate::hash::{tagged, Digest, Hasher};
use crate::report::Feed;
use crate::reputation::Event;
use crate::Account;
use parity_scale_codec::{Decode, Encode};
use primitive_types::U256;

mod account;
mod judgement;

pub use account::{weight_cap, weights, JudgedHour, StakeAccount, StakeError, JUDGED_MS};
pub use judgement::{judge, Deviation, JudgementError};

/// The stake that a seat needs: 1,000 TAO.
pub const MIN_STAKE: u128 = 1_000_000_000_000;

const OFFENCE_TAG: &[u8] = b"cicada71/offence/v1";

/// How bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Severity {
    /// Within tolerance.
    #[default]
    None,
    /// 1 %.
    Minor,
    /// 5 %.
    Moderate,
    /// 15 %.
    Severe,
    /// 50 % and the seat, for two signed statements that contradict each other; never for distance.
    Critical,
}

impl Severity {
    /// Points of reputation that a penalty of this severity costs: one for each percent of the
    /// stake at [`Rates::DEFAULT`], so that a critical one costs all that everybody starts with.
    /// The sources name no figure.
    pub const fn reputation_points(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Minor => 1,
            Self::Moderate => 5,
            Self::Severe => 15,
            Self::Critical => 50,
        }
    }
}

/// What a reputation contract is told of a penalty: the level of service that a seat owes was missed.
pub const fn reputation_event(points: u32) -> Event {
    Event::SlaViolated { points }
}

/// Why parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum ParameterError {
    /// Bounds or rates fall from one severity to the next.
    NotRising,
    /// A rate is above 10,000 bps.
    AboveWhole,
    /// Stake would wait longer than [`MAX_UNBONDING_MS`].
    DelayTooLong,
    /// Stake would wait shorter than [`MIN_UNBONDING_MS`].
    DelayTooShort,
    /// What is proven would cost less than [`MIN_PROVEN_BPS`].
    BelowFloor,
    /// A seat would need no stake.
    NoMinimum,
    /// A seat would need more than twice what it needs now.
    MinimumTooHigh,
}

/// The least that a proven offence costs, in bps of the stake.
pub const MIN_PROVEN_BPS: u32 = 1_000;

/// The part of a penalty that goes to whoever brings the proof, in bps.
pub const BOUNTY_BPS: u128 = 500;

/// The shortest that stake waits on its way out, in milliseconds: a day.
pub const MIN_UNBONDING_MS: u64 = 86_400_000;

/// The longest that stake may wait on its way out, in milliseconds: 366 days.
pub const MAX_UNBONDING_MS: u64 = 31_622_400_000;

/// Checks how long stake waits on its way out.
///
/// # Errors
/// [`ParameterError::DelayTooShort`], [`ParameterError::DelayTooLong`].
pub fn check_unbonding(delay_ms: u64) -> Result<(), ParameterError> {
    if delay_ms < MIN_UNBONDING_MS {
        return Err(ParameterError::DelayTooShort);
    }
    if delay_ms > MAX_UNBONDING_MS {
        return Err(ParameterError::DelayTooLong);
    }
    Ok(())
}

/// The greatest deviation, in bps and inclusive, of each severity; beyond the last it is severe.
///
/// Distance alone is never critical: it may be the fault of what was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Bands {
    /// Up to here nothing is lost.
    pub none_bps: u32,
    /// Up to here it is minor.
    pub minor_bps: u32,
    /// Up to here it is moderate.
    pub moderate_bps: u32,
}

codec_as_array!(Bands, [u32; 3], none_bps, minor_bps, moderate_bps);

impl Bands {
    /// For `|nav − median| / median`.
    pub const NAV: Self = Self { none_bps: 50, minor_bps: 100, moderate_bps: 500 };

    /// For the distance of ranking vectors, [`ranking_distance_bps_ceil`].
    pub const RANKING: Self = Self { none_bps: 500, minor_bps: 1_000, moderate_bps: 1_500 };

    /// Checks that the bounds rise.
    ///
    /// # Errors
    /// [`ParameterError::NotRising`].
    pub fn check(&self) -> Result<(), ParameterError> {
        check_rising(&[self.none_bps, self.minor_bps, self.moderate_bps])
    }

    /// The severity of a deviation that was rounded up to whole bps.
    pub fn severity(&self, deviation_bps: u32) -> Severity {
        let within = |bound: u32| deviation_bps <= bound;
        if within(self.none_bps) {
            Severity::None
        } else if within(self.minor_bps) {
            Severity::Minor
        } else if within(self.moderate_bps) {
            Severity::Moderate
        } else {
            Severity::Severe
        }
    }
}

fn check_rising(values: &[u32]) -> Result<(), ParameterError> {
    let mut before = 0;
    for value in values {
        if *value < before {
            return Err(ParameterError::NotRising);
        }
        before = *value;
    }
    Ok(())
}

/// The part of the remaining stake that each severity costs, in bps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Rates {
    /// For [`Severity::Minor`].
    pub minor_bps: u32,
    /// For [`Severity::Moderate`].
    pub moderate_bps: u32,
    /// For [`Severity::Severe`].
    pub severe_bps: u32,
    /// For [`Severity::Critical`].
    pub critical_bps: u32,
}

codec_as_array!(Rates, [u32; 4], minor_bps, moderate_bps, severe_bps, critical_bps);

impl Rates {
    /// 1, 5, 15 and 50 %.
    pub const DEFAULT: Self =
        Self { minor_bps: 100, moderate_bps: 500, severe_bps: 1_500, critical_bps: 5_000 };

    /// Checks that the rates rise to at most the whole, and that what is proven costs something.
    ///
    /// # Errors
    /// [`ParameterError`].
    pub fn check(&self) -> Result<(), ParameterError> {
        let rates = [self.minor_bps, self.moderate_bps, self.severe_bps, self.critical_bps];
        check_rising(&rates)?;
        if u128::from(self.critical_bps) > BPS {
            return Err(ParameterError::AboveWhole);
        }
        if self.critical_bps < MIN_PROVEN_BPS {
            return Err(ParameterError::BelowFloor);
        }
        Ok(())
    }

    /// The rate of a severity.
    pub fn of(&self, severity: Severity) -> u32 {
        match severity {
            Severity::None => 0,
            Severity::Minor => self.minor_bps,
            Severity::Moderate => self.moderate_bps,
            Severity::Severe => self.severe_bps,
            Severity::Critical => self.critical_bps,
        }
    }
}

/// A rate in bps of `remaining` stake, rounded up, never above it.
pub fn penalty_ceil(rate_bps: u32, remaining: u128) -> u128 {
    // At a rate of at most 10,000 bps nothing here saturates; at any other it is all there is.
    let rate = u128::from(rate_bps).min(BPS);
    let of_wholes = (remaining / BPS).saturating_mul(rate);
    let of_rest = (remaining % BPS).saturating_mul(rate).div_ceil(BPS);
    of_wholes.saturating_add(of_rest)
}

/// The stake of a validator, in units of TAO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Stake {
    /// What counts for its seat.
    pub bonded: u128,
    /// What it is taking out, which a penalty still reaches.
    pub unbonding: u128,
}

impl Stake {
    /// All that a penalty reaches.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn remaining(&self) -> Result<u128, MathError> {
        crate::fixed::add(self.bonded, self.unbonding)
    }

    /// The stake after a penalty, and the penalty. It is taken from what is bonded first.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn slash_ceil(&self, rate_bps: u32) -> Result<(Self, u128), MathError> {
        let penalty = penalty_ceil(rate_bps, self.remaining()?);
        let from_bonded = penalty.min(self.bonded);
        let after = Self {
            bonded: sub(self.bonded, from_bonded)?,
            unbonding: sub(self.unbonding, sub(penalty, from_bonded)?)?,
        };
        Ok((after, penalty))
    }
}

/// Whether a validator may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Standing {
    /// Bonded with at least the minimum.
    Active,
    /// Below the minimum: may top up.
    Inactive,
    /// Convicted of something critical: its keys are barred for the epoch, whatever its stake.
    Ejected,
}

/// The standing that follows from what is bonded and whether a critical offence was found in this
/// epoch. Exactly the minimum is enough.
pub fn standing(bonded: u128, minimum: u128, critical: bool) -> Standing {
    if critical {
        Standing::Ejected
    } else if bonded < minimum {
        Standing::Inactive
    } else {
        Standing::Active
    }
}

/// A miner's weight in a ranking.
pub type Weight = (Account, u128);

/// Rankings that cannot be compared: accounts do not rise strictly in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct NotInOrder;

/// Whether accounts rise strictly.
pub(crate) fn is_in_order(ranking: &[Weight]) -> bool {
    ranking.windows(2).all(|pair| matches!(pair, [low, high] if low.0 < high.0))
}

/// The distance of two ranking vectors in bps, rounded up: `Σ |aᵢ − bᵢ| / (Σ a + Σ b)`. An account
/// that one of them lacks has weight 0 there; two without any weight are alike.
///
/// Rounded up for the reason of [`crate::nav::deviation_bps_ceil`]; it is at most 10,000.
///
/// # Errors
/// [`NotInOrder`] unless both are in strict order of accounts.
pub fn ranking_distance_bps_ceil(a: &[Weight], b: &[Weight]) -> Result<u128, NotInOrder> {
    if ![a, b].into_iter().all(is_in_order) {
        return Err(NotInOrder);
    }
    // 2^128 weights below 2^128 would be needed to leave 256 bits: nothing saturates.
    let plus = |sum: U256, value: u128| sum.saturating_add(U256::from(value));
    let (mut distance, mut total) = (U256::zero(), U256::zero());
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let account = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) => x.0.min(y.0),
            (Some(one), None) | (None, Some(one)) => one.0,
            (None, None) => break,
        };
        let x = a.next_if(|(other, _)| *other == account).map_or(0, |(_, weight)| *weight);
        let y = b.next_if(|(other, _)| *other == account).map_or(0, |(_, weight)| *weight);
        distance = plus(distance, x.abs_diff(y));
        total = plus(plus(total, x), y);
    }
    if total.is_zero() {
        return Ok(0);
    }
    // The distance is not above the total, so the quotient is at most 10,000.
    let scaled = distance.saturating_mul(U256::from(BPS));
    Ok(div_ceil(scaled, total).unwrap_or(BPS))
}

/// What a validator is accused of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum OffenceKind {
    /// Its NAV was off the median.
    NavDeviation,
    /// Its ranking was off the consensus.
    RankingDeviation,
    /// It signed two values for one slot.
    Equivocation,
}

/// A proven offence: who did what, and where. It is punished once, whoever brings which proof of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Offence {
    /// The validator.
    pub operator: Account,
    /// The committee in which it signed.
    pub epoch: u32,
    /// The feed.
    pub feed: Feed,
    /// The slot.
    pub slot: u64,
    /// What it did there.
    pub kind: OffenceKind,
}

impl Offence {
    /// By which a contract knows what it has punished. Proofs are not in it: a third signature, or
    /// the same two in another wrapping, is no second offence.
    pub fn id<H: Hasher>(&self) -> Digest {
        tagged::<H>(OFFENCE_TAG, self)
    }
}

#[cfg(test)]
mod tests;
