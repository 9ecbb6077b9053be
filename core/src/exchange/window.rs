//! What was counted lately, in slots of equal length.

use crate::prices::HOUR_MS;
use parity_scale_codec::{Decode, Encode};

/// A ten-minute slot of [`LastHour`].
pub const SLOT_MS: u64 = 600_000;

/// A day, in milliseconds.
pub const DAY_MS: u64 = 86_400_000;

/// Figures of the present slot and of the ones before it: always the same size, so that no trade costs
/// more than another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Window<const SLOTS: usize, const MS: u64> {
    /// The number since 1970 of the newest slot.
    newest: u64,
    /// Its figure and those of the slots before it, the newest first.
    slots: [u128; SLOTS],
}

/// Tokens of the present hour and the 23 before it.
pub type Volume = Window<24, HOUR_MS>;

/// Money of the present ten minutes and the hour before them: whatever lies within any sixty
/// minutes is counted together.
pub type LastHour = Window<7, SLOT_MS>;

/// The highest bids of the present day and of the seven before it: whatever was seen within seven days
/// is among them.
pub type Peak = Window<8, DAY_MS>;

/// Moves the figures of a window on by so many slots.
#[inline(never)]
fn age(slots: &mut [u128], by: u64) {
    let by = usize::try_from(by).unwrap_or(usize::MAX).min(slots.len());
    slots.rotate_right(by);
    slots.iter_mut().take(by).for_each(|slot| *slot = 0);
}

impl<const SLOTS: usize, const MS: u64> Default for Window<SLOTS, MS> {
    fn default() -> Self {
        Self { newest: 0, slots: [0; SLOTS] }
    }
}

impl<const SLOTS: usize, const MS: u64> Window<SLOTS, MS> {
    /// The window as it looks at this time; one that is past changes nothing.
    fn at(&self, now_ms: u64) -> Self {
        let slot = now_ms.checked_div(MS).unwrap_or(0).max(self.newest);
        let mut slots = self.slots;
        age(&mut slots, slot.saturating_sub(self.newest));
        Self { newest: slot, slots }
    }

    /// The figure of the present slot.
    fn present(&mut self, now_ms: u64) -> Option<&mut u128> {
        *self = self.at(now_ms);
        self.slots.first_mut()
    }

    /// Counts. `now_ms` never falls from call to call. A sum beyond 128 bits stays at their end.
    #[inline(never)]
    pub fn record(&mut self, now_ms: u64, amount: u128) {
        if let Some(sum) = self.present(now_ms) {
            *sum = sum.saturating_add(amount);
        }
    }

    /// Remembers, unless the slot has seen more. `now_ms` never falls from call to call.
    #[inline(never)]
    pub fn raise(&mut self, now_ms: u64, amount: u128) {
        if let Some(highest) = self.present(now_ms) {
            *highest = amount.max(*highest);
        }
    }

    /// The sum of all slots.
    #[inline(never)]
    pub fn sum(&self, now_ms: u64) -> u128 {
        self.at(now_ms).slots.into_iter().fold(0, u128::saturating_add)
    }

    /// The highest of all slots.
    #[inline(never)]
    pub fn highest(&self, now_ms: u64) -> u128 {
        self.at(now_ms).slots.into_iter().fold(0, u128::max)
    }

    /// The highest of all slots as they were when something was remembered last.
    pub fn highest_then(&self) -> u128 {
        self.highest(0)
    }
}
