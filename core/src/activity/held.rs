//! How much of an index token lay still: the least balances of accounts, from its transfers.

use super::Window;
use crate::fixed::{add, sub, MathError};
use crate::Account;
use alloc::collections::BTreeMap;
use parity_scale_codec::{Decode, Encode};

/// The least balances of an account, in smallest units of the index token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// In the epoch before.
    pub before: u128,
    /// In this one, up to now.
    pub now: u128,
}

/// A transfer of index tokens that is final on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Movement {
    /// The time of its block, in milliseconds since 1970.
    pub time_ms: u64,
    /// Whose they were; none if they were created.
    pub from: Option<Account>,
    /// Whose they are; none if they were destroyed.
    pub to: Option<Account>,
    /// How many, in smallest units.
    pub tokens: u128,
}

impl Movement {
    /// Moves the balances, one after the other in the order of the chain; `window` is the epoch for
    /// which is counted. Who is not in `holders` holds nothing.
    ///
    /// # Errors
    /// [`MathError::Overflow`] if somebody gives more than he has: an earlier transfer is missing.
    pub fn apply(
        &self,
        holders: &mut BTreeMap<Account, Holder>,
        window: &Window,
    ) -> Result<(), MathError> {
        if self.from == self.to {
            return Ok(());
        }
        if let Some(from) = self.from {
            let holder = holders.entry(from).or_default();
            *holder = holder.at_time(self.time_ms, window);
            holder.tokens = sub(holder.tokens, self.tokens)?;
            holder.least = holder.least.min(holder.tokens);
        }
        if let Some(to) = self.to {
            let holder = holders.entry(to).or_default();
            *holder = holder.at_time(self.time_ms, window);
            holder.tokens = add(holder.tokens, self.tokens)?;
        }
        Ok(())
    }
}

/// An account after its newest transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Holder {
    /// When the epoch of that transfer began.
    start_ms: u64,
    /// Its balance since.
    tokens: u128,
    /// Its least balance in that epoch.
    least: u128,
    /// Its least balance in the epoch before that.
    least_before: u128,
}

impl Holder {
    /// Its least balances in the epoch of a window and in the one before.
    pub fn held(&self, window: &Window) -> Held {
        let now = self.at(window.start_ms(), window.before().start_ms());
        Held { before: now.least_before, now: now.least }
    }

    /// In the epoch of a time, which is that of the window, the one before, or an older.
    fn at_time(self, time_ms: u64, window: &Window) -> Self {
        let before = window.before();
        if time_ms >= window.start_ms() {
            self.at(window.start_ms(), before.start_ms())
        } else if time_ms >= before.start_ms() {
            self.at(before.start_ms(), 0)
        } else {
            self.at(0, 0)
        }
    }

    /// In the epoch that begins at `start_ms`, after the one that begins at `before_ms`.
    fn at(self, start_ms: u64, before_ms: u64) -> Self {
        if self.start_ms == start_ms {
            return self;
        }
        let moved_before = self.start_ms == before_ms;
        let least_before = if moved_before { self.least } else { self.tokens };
        Self { start_ms, tokens: self.tokens, least: self.tokens, least_before }
    }
}

#[cfg(test)]
mod tests;
