//! What the market maker has and risks on one framework.

use super::{ExchangeError, Limits};
use crate::fixed::MathError;
use parity_scale_codec::{Decode, Encode};

/// The longest time in which a quote can be fresh: 7 days, in milliseconds.
pub const MAX_QUOTE_AGE_MS: u64 = 604_800_000;

/// Whether a quote of `time_ms` is fresh: not from the future, and younger than `max_age_ms`.
pub fn is_fresh(time_ms: u64, now_ms: u64, max_age_ms: u64) -> bool {
    now_ms.checked_sub(time_ms).is_some_and(|age| age < max_age_ms)
}

/// `price · amount`, base units of MMC.
///
/// # Errors
/// [`MathError::Overflow`].
#[inline(never)]
pub fn value(price: u128, amount: u128) -> Result<u128, MathError> {
    price.checked_mul(amount).ok_or(MathError::Overflow)
}

/// Adds to an amount where it stands, which is shorter than a sum that is passed on.
///
/// # Errors
/// `Math`.
#[inline(never)]
pub fn grow(amount: &mut u128, by: u128) -> Result<(), ExchangeError> {
    *amount = amount.checked_add(by).ok_or(MathError::Overflow)?;
    Ok(())
}

/// Takes from an amount where it stands.
///
/// # Errors
/// `Math` if it is less.
#[inline(never)]
pub fn shrink(amount: &mut u128, by: u128) -> Result<(), ExchangeError> {
    *amount = amount.checked_sub(by).ok_or(MathError::Overflow)?;
    Ok(())
}

/// The market maker's side of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Maker {
    /// Base units of MMC with which it buys tokens back.
    pub reserve: u128,
    /// Tokens that exist.
    pub outstanding: u128,
    /// The time of the quote that the next two are about; 0 before the first.
    pub quote_ms: u64,
    /// Tokens created at that quote.
    pub created: u128,
    /// Tokens destroyed at that quote.
    pub destroyed: u128,
}

impl Maker {
    /// A quote of another time begins with nothing created or destroyed.
    #[inline(never)]
    pub fn turn_to(&mut self, quote_ms: u64) {
        if self.quote_ms != quote_ms {
            *self = Self { quote_ms, created: 0, destroyed: 0, ..*self };
        }
    }

    /// How many tokens it may still create at the present quote.
    pub fn may_create(&self, limits: &Limits) -> u128 {
        // Below zero after the owner lowered a limit: then none.
        let room = limits.max_outstanding.saturating_sub(self.outstanding);
        room.min(limits.max_per_quote.saturating_sub(self.created))
    }

    /// How many tokens it may still destroy at the present quote.
    #[inline(never)]
    pub fn may_destroy(&self, limits: &Limits) -> u128 {
        self.outstanding.min(limits.max_per_quote.saturating_sub(self.destroyed))
    }

    /// How many tokens the reserve can pay at this bid; none at a bid of 0.
    pub fn can_pay(&self, bid: u128) -> u128 {
        self.reserve.checked_div(bid).unwrap_or(0)
    }

    /// Creates `amount` at `ask`; what they cost.
    ///
    /// # Errors
    /// `Math`; the limits are the caller's to check.
    #[inline(never)]
    pub fn create(&mut self, ask: u128, amount: u128) -> Result<u128, ExchangeError> {
        let cost = value(ask, amount)?;
        grow(&mut self.reserve, cost)?;
        grow(&mut self.outstanding, amount)?;
        grow(&mut self.created, amount)?;
        Ok(cost)
    }

    /// Destroys `amount` at `bid`; what they yield.
    ///
    /// # Errors
    /// `InsufficientReserve`, `Math`; the limits are the caller's to check.
    #[inline(never)]
    pub fn destroy(&mut self, bid: u128, amount: u128) -> Result<u128, ExchangeError> {
        let proceeds = value(bid, amount)?;
        shrink(&mut self.reserve, proceeds).map_err(|_| ExchangeError::InsufficientReserve)?;
        shrink(&mut self.outstanding, amount)?;
        grow(&mut self.destroyed, amount)?;
        Ok(proceeds)
    }

    /// Takes `amount` out of the reserve, of which enough stays to buy all tokens back at `bid`.
    ///
    /// # Errors
    /// `InsufficientReserve`, `Math`.
    #[inline(never)]
    pub fn withdraw(&mut self, bid: u128, amount: u128) -> Result<(), ExchangeError> {
        let bound = value(bid, self.outstanding)?;
        let mut free = self.reserve;
        let enough = shrink(&mut free, bound).and_then(|()| shrink(&mut free, amount));
        enough.map_err(|_| ExchangeError::InsufficientReserve)?;
        shrink(&mut self.reserve, amount)
    }
}
