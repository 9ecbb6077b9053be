//! The chain's time: the wall clock's, moved by whoever develops.

use codec::{Decode, Encode};
use std::time::{SystemTime, UNIX_EPOCH};

/// The last moment that can be set: the end of the year 9999, in milliseconds since 1970.
pub const LATEST_MS: u64 = 253_402_300_799_999;

/// Why the time cannot be set so.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ClockError {
    /// Time moves strictly from block to block.
    #[error("the newest block's time is {newest} ms: the next must be later, not {asked}")]
    Backwards {
        /// The newest block's time, in milliseconds since 1970.
        newest: u64,
        /// The moment that was asked for, in milliseconds since 1970.
        asked: u64,
    },
    /// Nobody needs such a time.
    #[error("the time must be {LATEST_MS} ms since 1970 at most")]
    TooLate,
}

/// The wall clock and how far the chain's time is from it.
#[derive(Clone, Copy, Debug, Default, Decode, Encode, PartialEq)]
pub struct Clock {
    /// Milliseconds that the chain is ahead of the wall clock; negative if behind.
    offset: i64,
    /// The next block's very time, if one was asked for.
    next: Option<u64>,
}

impl Clock {
    /// The time that a block would have that is made now, in milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.next.unwrap_or_else(|| wall().saturating_add_signed(self.offset).min(LATEST_MS))
    }

    /// Says that a block was made at [`Self::now`]: the clock runs again if it had been set.
    pub fn passed(&mut self) {
        if let Some(moment) = self.next.take() {
            self.offset = difference(moment, wall());
        }
    }

    /// Gives the next block the time `moment`; the clock goes on from there.
    ///
    /// # Errors
    /// If that is not after `newest`, the time of the newest block, or too far away.
    pub fn set(&mut self, moment: u64, newest: u64) -> Result<(), ClockError> {
        if moment > LATEST_MS {
            return Err(ClockError::TooLate);
        }
        if moment <= newest {
            return Err(ClockError::Backwards { newest, asked: moment });
        }
        self.next = Some(moment);
        Ok(())
    }

    /// Moves the clock forward by `by` milliseconds, counted from the newest block if the clock is behind it.
    ///
    /// # Errors
    /// If that is too far away.
    pub fn travel(&mut self, by: u64, newest: u64) -> Result<(), ClockError> {
        let from = self.now().max(newest);
        let moment = from.checked_add(by).ok_or(ClockError::TooLate)?;
        if moment > LATEST_MS {
            return Err(ClockError::TooLate);
        }
        match &mut self.next {
            Some(next) => *next = moment,
            None => self.offset = difference(moment, wall()),
        }
        Ok(())
    }
}

fn wall() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(LATEST_MS).min(LATEST_MS)
}

/// Both are at most [`LATEST_MS`], so the difference fits.
fn difference(moment: u64, from: u64) -> i64 {
    moment as i64 - from as i64
}
