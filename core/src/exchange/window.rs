//! What was counted lately, in slots of equal length.

use crate::prices::HOUR_MS;
use parity_scale_codec::{Decode, Encode};

/// A ten-minute slot of [`LastHour`].
pub const SLOT_MS: u64 = 600_000;

/// Sums of the present slot and of the ones before it: always the same size, so that no trade costs
/// more than another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Window<const SLOTS: usize, const MS: u64> {
    /// The number since 1970 of the newest slot.
    newest: u64,
    /// Its sum and those of the slots before it, the newest first.
    sums: [u128; SLOTS],
}

/// Tokens of the present hour and the 23 before it.
pub type Volume = Window<24, HOUR_MS>;

/// Money of the present ten minutes and the hour before them: whatever lies within any sixty
/// minutes is counted together.
pub type LastHour = Window<7, SLOT_MS>;

impl<const SLOTS: usize, const MS: u64> Default for Window<SLOTS, MS> {
    fn default() -> Self {
        Self { newest: 0, sums: [0; SLOTS] }
    }
}

impl<const SLOTS: usize, const MS: u64> Window<SLOTS, MS> {
    fn slot_of(now_ms: u64) -> u64 {
        now_ms.checked_div(MS).unwrap_or(0)
    }

    /// The window as it looks in this slot.
    #[inline(never)]
    fn at(&self, slot: u64) -> Self {
        let age = usize::try_from(slot.saturating_sub(self.newest)).unwrap_or(SLOTS);
        let mut sums = [0; SLOTS];
        let kept = sums.iter_mut().skip(age);
        kept.zip(self.sums).for_each(|(to, from)| *to = from);
        Self { newest: slot.max(self.newest), sums }
    }

    /// Counts. `now_ms` never falls from call to call. A sum beyond 128 bits stays at their end.
    #[inline(never)]
    pub fn record(&mut self, now_ms: u64, amount: u128) {
        *self = self.at(Self::slot_of(now_ms));
        if let Some(present) = self.sums.first_mut() {
            *present = present.saturating_add(amount);
        }
    }

    /// The sum of all slots.
    #[inline(never)]
    pub fn sum(&self, now_ms: u64) -> u128 {
        self.at(Self::slot_of(now_ms)).sums.into_iter().fold(0, u128::saturating_add)
    }
}
