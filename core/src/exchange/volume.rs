//! Tokens traded in the last 24 hours, in hourly buckets.

use crate::prices::{HOUR_MS, WINDOW_HOURS};
use parity_scale_codec::{Decode, Encode};

/// As many buckets as hours.
const BUCKETS: usize = 24;

/// The window: always the same size, so that no trade costs more than another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Volume {
    /// The hour since 1970 of the newest trade.
    hour: u64,
    /// Tokens of that hour and of the 23 before it, that hour first.
    tokens: [u128; BUCKETS],
}

impl Volume {
    /// The window as it looks in this hour.
    #[inline(never)]
    fn at(&self, hour: u64) -> Self {
        let age = usize::try_from(hour.saturating_sub(self.hour).min(WINDOW_HOURS));
        let mut tokens = [0; BUCKETS];
        let kept = tokens.iter_mut().skip(age.unwrap_or(BUCKETS));
        kept.zip(self.tokens).for_each(|(to, from)| *to = from);
        Self { hour: hour.max(self.hour), tokens }
    }

    /// Counts traded tokens. `now_ms` never falls from call to call. A sum beyond 128 bits stays
    /// at their end: it is no money.
    #[inline(never)]
    pub fn record(&mut self, now_ms: u64, amount: u128) {
        *self = self.at(hour_of(now_ms));
        let [present, ..] = &mut self.tokens;
        *present = present.saturating_add(amount);
    }

    /// Tokens traded in the present hour and the 23 before it.
    #[inline(never)]
    pub fn sum(&self, now_ms: u64) -> u128 {
        self.at(hour_of(now_ms)).tokens.into_iter().fold(0, u128::saturating_add)
    }
}

fn hour_of(now_ms: u64) -> u64 {
    now_ms.checked_div(HOUR_MS).unwrap_or(0)
}
