//! What of a miner's mints and redemptions counts in an epoch (seed 004).
//!
//! A pure function of the events: their order of arrival, a replay and the clock of whoever
//! computes it make no difference.

use crate::fixed::{add, mul_div_floor, product, sub, MathError};
use crate::nav::{INDEX_UNITS_PER_TAO_UNIT, ONE_E18};
use crate::Account;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// The least value of an event that counts, in units of TAO: 0.01 TAO.
pub const MIN_VALUE: u128 = 10_000_000;

/// How many events of one miner count within any [`MINUTE_MS`].
pub const MAX_PER_MINUTE: usize = 10;

/// A minute, in milliseconds.
pub const MINUTE_MS: u64 = 60_000;

/// An hour, in milliseconds.
pub const HOUR_MS: u64 = 3_600_000;

/// The longest epoch, in hours: 31 days.
pub const MAX_HOURS: usize = 744;

/// Above how many times its own average a miner's volume is a spike.
pub const SPIKE: u128 = 10;

/// The time of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Window {
    start_ms: u64,
    end_ms: u64,
}

impl Window {
    /// From `start_ms` on and before `end_ms`; `None` if that is no time or over [`MAX_HOURS`].
    pub fn new(start_ms: u64, end_ms: u64) -> Option<Self> {
        let window = Self { start_ms, end_ms };
        let valid = start_ms < end_ms && window.hours() <= MAX_HOURS;
        valid.then_some(window)
    }

    /// Its hours; a last one that is not full counts.
    pub fn hours(&self) -> usize {
        let hours = self.end_ms.saturating_sub(self.start_ms).div_ceil(HOUR_MS);
        usize::try_from(hours).unwrap_or(usize::MAX)
    }

    /// The hour of a time, from 0; `None` outside the epoch.
    pub fn hour_of(&self, time_ms: u64) -> Option<usize> {
        let since = time_ms.checked_sub(self.start_ms)?;
        (time_ms < self.end_ms).then(|| usize::try_from(since / HOUR_MS).ok())?
    }
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Side {
    /// Index tokens were minted.
    Mint,
    /// Index tokens were redeemed.
    Redeem,
}

/// A mint or a redemption that is final on the chain. Block and index identify it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Event {
    /// The number of its block.
    pub block: u64,
    /// Its position among the events of the block.
    pub index: u32,
    /// The time of the block, in milliseconds since 1970.
    pub time_ms: u64,
    /// Who minted or redeemed.
    pub miner: Account,
    /// Which way.
    pub side: Side,
    /// Value at NAV, in units of TAO.
    pub value: u128,
}

/// The value of index tokens at a NAV, in units of TAO, rounded down; 0 without a NAV, so that such
/// an event does not count.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn value_floor(tokens: u128, nav_e18: u128) -> Result<u128, MathError> {
    mul_div_floor(tokens, nav_e18, ONE_E18.saturating_mul(INDEX_UNITS_PER_TAO_UNIT))
}

/// Why an event does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Ignored {
    /// Block and index are those of an event before it in the list.
    Repeated,
    /// It lies outside the epoch.
    OutsideEpoch,
    /// Below [`MIN_VALUE`].
    TooSmall,
    /// The miner has [`MAX_PER_MINUTE`] that count in the minute that ends with it.
    TooFrequent,
}

/// What counts of one miner. The value of a round trip is in it once, as redeemed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Activity {
    /// Who.
    pub miner: Account,
    /// Value minted and not redeemed again, in units of TAO.
    pub minted: u128,
    /// Value redeemed.
    pub redeemed: u128,
    /// Events, without mints that were redeemed whole.
    pub transactions: u64,
    /// Value of each hour of the epoch, idle hours as 0.
    pub hourly: Vec<u128>,
    /// When the last event was, in milliseconds since 1970.
    pub last_ms: u64,
}

impl Activity {
    /// Value minted and redeemed.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn value(&self) -> Result<u128, MathError> {
        add(self.minted, self.redeemed)
    }
}

/// What counts in an epoch, and what does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Miners with something that counts, in order of addresses.
    pub activities: Vec<Activity>,
    /// The events that do not count, in order of block and index.
    pub ignored: Vec<(Event, Ignored)>,
}

/// A mint, or what is left of it, that a redemption may close.
struct OpenMint {
    miner: Account,
    hour: usize,
    value: u128,
}

/// Applies the rules to the events of an epoch, in any order and with repetitions.
///
/// - An event counts once, by block and index.
/// - One below [`MIN_VALUE`] does not count.
/// - Of one miner at most [`MAX_PER_MINUTE`] count within any minute; those above do not.
/// - `group_of` names the group of related accounts that an account belongs to: itself, if it has
///   no relations. What a group mints and then redeems within the epoch is a round trip. It counts
///   once, at the lower figure: the redemption, as it is, and no longer the minted value that it
///   closes, oldest first. Cutting a round trip into pieces changes nothing.
///
/// # Errors
/// [`MathError::Overflow`] if values sum to more than 128 bits.
pub fn tally(
    events: &[Event],
    window: &Window,
    group_of: impl Fn(&Account) -> Account,
) -> Result<Tally, MathError> {
    let mut ordered: Vec<&Event> = events.iter().collect();
    ordered.sort_unstable();
    let mut ignored = Vec::new();
    let mut recent: BTreeMap<Account, VecDeque<u64>> = BTreeMap::new();
    let mut open: BTreeMap<Account, VecDeque<OpenMint>> = BTreeMap::new();
    let mut activities: BTreeMap<Account, Activity> = BTreeMap::new();
    let mut before = None;
    for event in ordered {
        let id = (event.block, event.index);
        let repeated = before == Some(id);
        before = Some(id);
        let hour = match judge(event, repeated, window, &mut recent) {
            Ok(hour) => hour,
            Err(reason) => {
                ignored.push((*event, reason));
                continue;
            }
        };
        let open = open.entry(group_of(&event.miner)).or_default();
        count(&mut activities, event, hour, window)?;
        match event.side {
            Side::Mint => {
                open.push_back(OpenMint { miner: event.miner, hour, value: event.value });
            }
            Side::Redeem => close(&mut activities, open, event.value)?,
        }
    }
    let mut activities: Vec<Activity> = activities.into_values().collect();
    activities.retain(|activity| activity.transactions > 0);
    Ok(Tally { activities, ignored })
}

/// The hour in which an event counts, or why it does not.
fn judge(
    event: &Event,
    repeated: bool,
    window: &Window,
    recent: &mut BTreeMap<Account, VecDeque<u64>>,
) -> Result<usize, Ignored> {
    if repeated {
        return Err(Ignored::Repeated);
    }
    let hour = window.hour_of(event.time_ms).ok_or(Ignored::OutsideEpoch)?;
    if event.value < MIN_VALUE {
        return Err(Ignored::TooSmall);
    }
    let times = recent.entry(event.miner).or_default();
    while times.front().is_some_and(|time| event.time_ms.saturating_sub(*time) >= MINUTE_MS) {
        times.pop_front();
    }
    if times.len() >= MAX_PER_MINUTE {
        return Err(Ignored::TooFrequent);
    }
    times.push_back(event.time_ms);
    Ok(hour)
}

fn count(
    activities: &mut BTreeMap<Account, Activity>,
    event: &Event,
    hour: usize,
    window: &Window,
) -> Result<(), MathError> {
    let activity = activities.entry(event.miner).or_insert_with(|| Activity {
        miner: event.miner,
        minted: 0,
        redeemed: 0,
        transactions: 0,
        hourly: vec![0; window.hours()],
        last_ms: 0,
    });
    let side = match event.side {
        Side::Mint => &mut activity.minted,
        Side::Redeem => &mut activity.redeemed,
    };
    *side = add(*side, event.value)?;
    if let Some(bucket) = activity.hourly.get_mut(hour) {
        *bucket = add(*bucket, event.value)?;
    }
    activity.transactions = activity.transactions.saturating_add(1);
    activity.last_ms = activity.last_ms.max(event.time_ms);
    Ok(())
}

/// Takes minted value that was redeemed out of what counts.
fn close(
    activities: &mut BTreeMap<Account, Activity>,
    open: &mut VecDeque<OpenMint>,
    redeemed: u128,
) -> Result<(), MathError> {
    let mut left = redeemed;
    while left > 0 {
        let Some(mint) = open.front_mut() else {
            break;
        };
        let closed = mint.value.min(left);
        left = sub(left, closed)?;
        mint.value = sub(mint.value, closed)?;
        let whole = mint.value == 0;
        if let Some(activity) = activities.get_mut(&mint.miner) {
            activity.minted = sub(activity.minted, closed)?;
            if let Some(bucket) = activity.hourly.get_mut(mint.hour) {
                *bucket = sub(*bucket, closed)?;
            }
            if whole {
                activity.transactions = activity.transactions.saturating_sub(1);
            }
        }
        if whole {
            open.pop_front();
        }
    }
    Ok(())
}

/// Whether a miner's value in an epoch is above [`SPIKE`] times its average of earlier epochs:
/// a flag for the other validators, not a penalty. A miner without a past has no spike.
pub fn is_spike(value: u128, earlier_sum: u128, earlier_epochs: u32) -> bool {
    earlier_sum > 0 && product(value, u128::from(earlier_epochs)) > product(earlier_sum, SPIKE)
}

#[cfg(test)]
mod tests;
