//! What of a miner's mints and redemptions counts in an epoch (requirements 004-against-gaming, d-21): capital that stayed.
//!
//! A pure function of the events and balances: their order of arrival, a replay and the clock of
//! whoever computes it make no difference.

use crate::fixed::{add, mul_div_floor, product, sub, MathError};
use crate::nav::{INDEX_UNITS_PER_TAO_UNIT, ONE_E18};
use crate::Account;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use held::Held;
use parity_scale_codec::{Decode, Encode};

pub mod held;

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

    /// When it begins, in milliseconds since 1970.
    pub fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// The time of the same length before it; what lies before 1970 is left out.
    pub fn before(&self) -> Self {
        let length = self.end_ms.saturating_sub(self.start_ms);
        Self { start_ms: self.start_ms.saturating_sub(length), end_ms: self.start_ms }
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
    /// Index tokens minted or redeemed, in their smallest units.
    pub tokens: u128,
    /// Their value at NAV, in units of TAO.
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
    /// It lies outside the epoch and the one before it.
    OutsideEpoch,
    /// Below [`MIN_VALUE`].
    TooSmall,
    /// The miner has [`MAX_PER_MINUTE`] that count in the minute that ends with it.
    TooFrequent,
    /// What was minted did not stay, or what was redeemed had not been there for an epoch.
    NotHeld,
}

/// What counts of one miner.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Activity {
    /// Who.
    pub miner: Account,
    /// Value minted in the epoch before that stayed for this one, in units of TAO.
    pub minted: u128,
    /// Value redeemed in this epoch that had stayed for the one before.
    pub redeemed: u128,
    /// Events of which anything counts.
    pub transactions: u64,
    /// Value of each hour, idle hours as 0: a mint is in the hour of its own epoch.
    pub hourly: Vec<u128>,
    /// When the last event that counts was, in milliseconds since 1970.
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

/// Applies the rules to the events of an epoch and of the one before it, in any order and with
/// repetitions.
///
/// - An event counts once, by block and index.
/// - One below [`MIN_VALUE`] does not count.
/// - Of one miner at most [`MAX_PER_MINUTE`] count within any minute; those above do not.
/// - Of an account count its mints of the epoch before, up to its least balance in this one, and its
///   redemptions of this one, up to its least balance in the one before; the oldest first, and of
///   the last in proportion. `held` names these balances. So what counts is bounded by what lay
///   still for a whole epoch, however often, by whatever accounts and in whatever pieces it moved.
///
/// # Errors
/// [`MathError::Overflow`] if values sum to more than 128 bits.
pub fn tally(
    events: &[Event],
    window: &Window,
    held: impl Fn(&Account) -> Held,
) -> Result<Tally, MathError> {
    let mut ordered: Vec<&Event> = events.iter().collect();
    ordered.sort_unstable();
    let mut ignored = Vec::new();
    let mut recent: BTreeMap<Account, VecDeque<u64>> = BTreeMap::new();
    let mut left: BTreeMap<(Account, Side), u128> = BTreeMap::new();
    let mut activities: BTreeMap<Account, Activity> = BTreeMap::new();
    let earlier = window.before();
    let mut last = None;
    for event in ordered {
        let id = (event.block, event.index);
        let repeated = last == Some(id);
        last = Some(id);
        let (mine, other) = match event.side {
            Side::Mint => (&earlier, window),
            Side::Redeem => (window, &earlier),
        };
        let hour = mine.hour_of(event.time_ms);
        let outside = hour.is_none() && other.hour_of(event.time_ms).is_none();
        let judged = judge(event, repeated, outside, &mut recent);
        if let Err(reason) = judged {
            if hour.is_some() || outside {
                ignored.push((*event, reason));
            }
            continue;
        }
        // Otherwise it counts in the epoch after this one, or did in the one before.
        let Some(hour) = hour else {
            continue;
        };
        let left = left.entry((event.miner, event.side)).or_insert_with(|| {
            let held = held(&event.miner);
            match event.side {
                Side::Mint => held.now,
                Side::Redeem => held.before,
            }
        });
        match stayed(event, left)? {
            0 => ignored.push((*event, Ignored::NotHeld)),
            value => count(&mut activities, event, value, hour, window)?,
        }
    }
    Ok(Tally { activities: activities.into_values().collect(), ignored })
}

/// The value of that part of an event for which tokens are left, which it takes.
fn stayed(event: &Event, left: &mut u128) -> Result<u128, MathError> {
    let tokens = event.tokens.min(*left);
    *left = sub(*left, tokens)?;
    if tokens == event.tokens {
        return Ok(event.value);
    }
    mul_div_floor(event.value, tokens, event.tokens)
}

/// Why an event does not count, whatever stayed.
fn judge(
    event: &Event,
    repeated: bool,
    outside: bool,
    recent: &mut BTreeMap<Account, VecDeque<u64>>,
) -> Result<(), Ignored> {
    if repeated {
        return Err(Ignored::Repeated);
    }
    if outside {
        return Err(Ignored::OutsideEpoch);
    }
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
    Ok(())
}

fn count(
    activities: &mut BTreeMap<Account, Activity>,
    event: &Event,
    value: u128,
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
    *side = add(*side, value)?;
    if let Some(bucket) = activity.hourly.get_mut(hour) {
        *bucket = add(*bucket, value)?;
    }
    activity.transactions = activity.transactions.saturating_add(1);
    activity.last_ms = activity.last_ms.max(event.time_ms);
    Ok(())
}

/// Whether a miner's value in an epoch is above [`SPIKE`] times its average of earlier epochs:
/// a flag for the other validators, not a penalty. A miner without a past has no spike.
pub fn is_spike(value: u128, earlier_sum: u128, earlier_epochs: u32) -> bool {
    earlier_sum > 0 && product(value, u128::from(earlier_epochs)) > product(earlier_sum, SPIKE)
}

#[cfg(test)]
mod tests;
