//! The net asset value of the index and what the validators observe of it (requirements 004-21, d-19).
//!
//! NAV = Σ holding · price / supply, in TAO for one token, at scale 10¹⁸. Each validator signs
//! the NAV that it computed; the consensus is the stake-weighted lower median of at least
//! [`MIN_OBSERVATIONS`] of 23, which a contract recomputes from the observations.

use crate::arrays::decode_as_block;
use crate::certificate::Signature;
use crate::committee::seat_bit;
use crate::fixed::{add, div_floor, mul_div_ceil, product, sub, sum, MathError, BPS};
use crate::hash::{tagged, Digest, Hasher};
use crate::merkle;
use crate::quorum::{FaultModel, Quorum};
use crate::report::{Feed, FeedState, Report};
use crate::slashing::Deviation;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};
use primitive_types::U256;

mod agreed;

pub(crate) use agreed::is_left_out;
pub use agreed::{Difference, Own, Proposal, AGREE_BPS, HEARD_MS};

/// The NAV of an index without tokens: one TAO for one token.
pub const ONE_E18: u128 = 1_000_000_000_000_000_000;

/// Smallest units of the index token (18 decimals) for one of TAO and subnet tokens (9).
pub const INDEX_UNITS_PER_TAO_UNIT: u128 = 1_000_000_000;

/// Observations that a NAV needs, of 23 validators.
pub const MIN_OBSERVATIONS: u8 = 16;

/// The age in milliseconds up to which a NAV is fresh: 300 s.
pub const STALENESS_MS: u64 = 300_000;

/// How long after a scheduled time the next round of the same slot is scheduled, in milliseconds.
pub const ROUND_MS: u64 = STALENESS_MS;

const OBSERVATION_TAG: &[u8] = b"cicada71/nav-observation/v1";

/// The encoded length of an observation.
const OBSERVATION_LEN: usize = 1 + 16 + 8 + 64;

/// What the index holds of one subnet token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Position {
    /// Smallest units held.
    pub holding: u128,
    /// Price of one token in TAO, at scale 10¹⁸.
    pub price_e18: u128,
}

/// The value of all positions in the smallest unit of TAO, rounded down.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn value_floor(positions: &[Position]) -> Result<u128, MathError> {
    div_floor(value_e18(positions)?, U256::from(ONE_E18))
}

/// NAV at scale 10¹⁸, rounded down, so that no token ever counts for more than it holds;
/// [`ONE_E18`] if `supply` is 0.
///
/// Every NAV that fits 128 bits has a result: what overflows in between is beyond that anyway.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn nav_e18_floor(positions: &[Position], supply: u128) -> Result<u128, MathError> {
    if supply == 0 {
        return Ok(ONE_E18);
    }
    let scale = U256::from(INDEX_UNITS_PER_TAO_UNIT);
    let value = value_e18(positions)?.checked_mul(scale).ok_or(MathError::Overflow)?;
    div_floor(value, U256::from(supply))
}

fn value_e18(positions: &[Position]) -> Result<U256, MathError> {
    positions.iter().try_fold(U256::zero(), |value, position| {
        let more = product(position.holding, position.price_e18);
        value.checked_add(more).ok_or(MathError::Overflow)
    })
}

/// One validator's NAV for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Observation {
    /// The validator's seat in the committee.
    pub seat: u8,
    /// NAV at scale 10¹⁸, not 0.
    pub nav_e18: u128,
    /// The scheduled time of which it is, in milliseconds since 1970.
    pub time_ms: u64,
    /// Signature of the seat's attestation key under [`Observation::message`].
    pub signature: Signature,
}

decode_as_block!(
    Observation, OBSERVATION_LEN,
    seat: u8, nav_e18: u128, time_ms: u64, signature: Signature
);

impl Observation {
    /// What the seat signs: committee, feed, slot, seat, value and time.
    pub fn message<H: Hasher>(&self, config_digest: &Digest, feed: &Feed, slot: u64) -> Digest {
        let signed = (config_digest, feed, slot, self.seat, self.nav_e18, self.time_ms);
        tagged::<H>(OBSERVATION_TAG, &signed)
    }

    /// Whether an honest seat could not have signed both for one slot: two values of one time. Of
    /// another round it may sign another.
    pub fn contradicts(&self, other: &Self) -> bool {
        self.seat == other.seat && self.time_ms == other.time_ms && self.nav_e18 != other.nav_e18
    }

    /// Whether the two are proof that their seat signed two values for one slot: genuine, and they
    /// contradict each other. `verify` checks one signature under the key of the given seat.
    pub fn convicts<H: Hasher>(
        &self,
        other: &Self,
        config_digest: &Digest,
        feed: &Feed,
        slot: u64,
        verify: impl Fn(&Signature, &Digest, u8) -> bool,
    ) -> bool {
        let signed = |one: &Self| {
            verify(&one.signature, &one.message::<H>(config_digest, feed, slot), one.seat)
        };
        self.contradicts(other) && signed(self) && signed(other)
    }
}

/// Why observations give no NAV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum ObservationError {
    /// Fewer of seats with weight than needed.
    TooFew {
        /// How many are needed.
        needed: u8,
    },
    /// Not in order of rising seats, or a seat observes twice.
    NotInOrder,
    /// The committee has no such seat.
    UnknownSeat,
    /// An observation of 0: a validator without a NAV stays silent.
    ZeroNav,
    /// Of another time than the report.
    WrongTime,
    /// The seats that observed have no stake.
    NoStake,
    /// Stakes sum to more than 128 bits.
    Math(MathError),
}

impl From<MathError> for ObservationError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// How many of `seats` validators must observe: the Byzantine quorum under either fault model,
/// 16 of 23; `None` if there is no committee of that size.
pub fn min_observations(seats: u8) -> Option<u8> {
    Quorum::of(FaultModel::Byzantine, seats).map(|quorum| quorum.size())
}

/// Whether something of `time_ms` is out of date at `now_ms`; at exactly 300 s it is not.
pub fn is_stale(time_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(time_ms) > STALENESS_MS
}

/// The newest scheduled time of the slot after a report of `previous_ms` that is not later than
/// `now_ms`; none before the first.
pub fn scheduled(previous_ms: u64, interval_ms: u64, now_ms: u64) -> Option<u64> {
    let first = previous_ms.saturating_add(interval_ms);
    let late = now_ms.checked_sub(first)?;
    Some(now_ms.saturating_sub(late % ROUND_MS))
}

/// Checks observations: of at least `needed` seats with weight, one of a seat, in order of seats,
/// none 0, all of the report's time. `weights` are in seat order.
///
/// # Errors
/// [`ObservationError`].
pub fn check(
    observations: &[Observation],
    weights: &[u128],
    needed: u8,
    time_ms: u64,
) -> Result<(), ObservationError> {
    if observations.iter().any(|observation| observation.nav_e18 == 0) {
        return Err(ObservationError::ZeroNav);
    }
    let said = observations.iter().map(|observation| (observation.seat, observation.time_ms));
    check_seats(said, weights, needed, time_ms)
}

/// Checks who observed and of which time: at least `needed` seats with weight, one observation of
/// a seat, in order of seats, all of `time_ms`. `weights` are in seat order.
///
/// # Errors
/// [`ObservationError`].
pub fn check_seats(
    observations: impl Iterator<Item = (u8, u64)>,
    weights: &[u128],
    needed: u8,
    time_ms: u64,
) -> Result<(), ObservationError> {
    let (mut heard, mut before) = (0u8, None);
    for (seat, of_ms) in observations {
        if before.is_some_and(|before| seat <= before) {
            return Err(ObservationError::NotInOrder);
        }
        before = Some(seat);
        match weights.get(usize::from(seat)) {
            None => return Err(ObservationError::UnknownSeat),
            Some(weight) => heard = heard.saturating_add(u8::from(*weight > 0)),
        }
        if of_ms != time_ms {
            return Err(ObservationError::WrongTime);
        }
    }
    if heard < needed {
        return Err(ObservationError::TooFew { needed });
    }
    Ok(())
}

/// The stake-weighted lower median: of the values in rising order, the first where twice the
/// stake so far reaches the stake of all that observed. `stakes` are in seat order.
///
/// # Errors
/// [`ObservationError::UnknownSeat`], [`ObservationError::NoStake`], [`ObservationError::Math`].
pub fn median_e18(observations: &[Observation], stakes: &[u128]) -> Result<u128, ObservationError> {
    let mut values = Vec::with_capacity(observations.len());
    for observation in observations {
        let stake = stakes.get(usize::from(observation.seat));
        values.push((observation.nav_e18, *stake.ok_or(ObservationError::UnknownSeat)?));
    }
    weighted_lower_median(&mut values)?.ok_or(ObservationError::NoStake)
}

/// The lower median of `(value, weight)`, which it sorts; `None` if nothing has weight.
///
/// # Errors
/// [`MathError::Overflow`] if the weights sum to more than 128 bits.
pub fn weighted_lower_median(values: &mut [(u128, u128)]) -> Result<Option<u128>, MathError> {
    sort(values);
    let total = sum(values.iter().map(|(_, weight)| *weight))?;
    if total == 0 {
        return Ok(None);
    }
    let mut cumulative = 0;
    for (value, weight) in values.iter() {
        cumulative = add(cumulative, *weight)?;
        // 2 · cumulative ≥ total, without the product.
        if cumulative >= sub(total, cumulative)? {
            return Ok(Some(*value));
        }
    }
    Ok(None)
}

/// Sorts a committee's values: insertion is quick enough for 32, and the library's sort would be a
/// sixth of a contract.
fn sort(values: &mut [(u128, u128)]) {
    for end in 1..values.len() {
        let mut place = end;
        while let Some([low, high]) = values.get_mut(place.saturating_sub(1)..=place) {
            if low <= high {
                break;
            }
            core::mem::swap(low, high);
            place = place.saturating_sub(1);
        }
    }
}

/// `|nav − median| / median` in bps, rounded up.
///
/// Up, because the bands of slashing end at whole bps and include their ends: the rounded figure
/// is above a bound exactly if the true one is. What is off by more than 128 bits can tell, or off
/// a median of 0, is `u128::MAX`: no report escapes judgement by being absurd.
pub fn deviation_bps_ceil(nav_e18: u128, median_e18: u128) -> u128 {
    let off = nav_e18.abs_diff(median_e18);
    if off == 0 {
        return 0;
    }
    mul_div_ceil(off, BPS, median_e18).unwrap_or(u128::MAX)
}

/// How far each seat with weight is off a median.
pub fn deviations(
    observations: &[Observation],
    weights: &[u128],
    median_e18: u128,
) -> Vec<Deviation> {
    let mut found = Vec::with_capacity(observations.len());
    for Observation { seat, nav_e18, .. } in observations {
        if weights.get(usize::from(*seat)).is_some_and(|weight| *weight > 0) {
            let off = deviation_bps_ceil(*nav_e18, median_e18);
            let bps = u32::try_from(off).unwrap_or(u32::MAX);
            found.push(Deviation { seat: *seat, bps });
        }
    }
    found
}

/// The seats with weight that observed, as [`deviations`] names them: bit `i` is set for seat `i`. Who
/// has no weight is not judged, and takes no part.
pub fn observers(judged: &[Deviation]) -> u32 {
    judged.iter().fold(0, |seats, one| seats | seat_bit(one.seat))
}

/// The root of observations: one leaf, their canonical encoding in order of seats.
///
/// One leaf for all, because they are settled together, and a contract pays for each hash.
pub fn root<H: Hasher>(observations: &[Observation]) -> Digest {
    // A count below 64 takes one byte, any other here two.
    let length = observations.len().saturating_mul(OBSERVATION_LEN).saturating_add(2);
    let mut bytes = Vec::with_capacity(length);
    observations.encode_to(&mut bytes);
    merkle::leaf_hash::<H>(&bytes)
}

/// The report of observations that follows `state` in its feed.
pub fn report<H: Hasher>(
    feed: Feed,
    state: &FeedState,
    observations: &[Observation],
    time_ms: u64,
) -> Report {
    state.next_report(feed, time_ms, root::<H>(observations))
}

/// Whether the observations are the content of the report.
pub fn matches<H: Hasher>(report: &Report, observations: &[Observation]) -> bool {
    report.leaf_count == 1 && report.root == root::<H>(observations)
}

/// A settled NAV, as the chain keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Record {
    /// Its slot.
    pub slot: u64,
    /// The digest of its report.
    pub digest: Digest,
    /// The time of its report, in milliseconds since 1970.
    pub time_ms: u64,
    /// The committee that attested it.
    pub epoch: u32,
    /// Bit `i` is set if seat `i` signed the certificate.
    pub signers: u32,
    /// Bit `i` is set if seat `i` observed and had weight.
    pub observers: u32,
    /// The median, at scale 10¹⁸.
    pub nav_e18: u128,
}

#[cfg(test)]
mod tests;
