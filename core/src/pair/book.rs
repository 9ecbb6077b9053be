//! What the pool's contract keeps: the pool after each operation, and the sum of its prices.

use super::{
    amount_in_ceil, amount_out_floor, check_reserve, cumulate_e18, price_e18_floor, PairError, Pool,
};
use crate::fixed::{add, sub, MathError};
use parity_scale_codec::{Decode, Encode};

/// One of the pool's two tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum Side {
    /// The first: the index token.
    A,
    /// The second: TAO, in which prices are told.
    B,
}

impl Pool {
    /// The reserves of the token that is paid in and of the one that is paid out.
    fn reserves(&self, paid_in: Side) -> (u128, u128) {
        match paid_in {
            Side::A => (self.a, self.b),
            Side::B => (self.b, self.a),
        }
    }

    /// What comes out for `amount_in`, rounded down.
    ///
    /// # Errors
    /// Those of [`amount_out_floor`].
    pub fn out_floor(
        &self,
        paid_in: Side,
        amount_in: u128,
        fee_bps: u128,
    ) -> Result<u128, PairError> {
        let (reserve_in, reserve_out) = self.reserves(paid_in);
        amount_out_floor(amount_in, reserve_in, reserve_out, fee_bps)
    }

    /// What must be paid in for `amount_out`, rounded up.
    ///
    /// # Errors
    /// Those of [`amount_in_ceil`].
    pub fn in_ceil(
        &self,
        paid_in: Side,
        amount_out: u128,
        fee_bps: u128,
    ) -> Result<u128, PairError> {
        let (reserve_in, reserve_out) = self.reserves(paid_in);
        amount_in_ceil(amount_out, reserve_in, reserve_out, fee_bps)
    }

    /// The pool after a trade.
    ///
    /// # Errors
    /// [`PairError::ReserveTooLarge`], [`PairError::Math`].
    pub fn after_trade(
        &self,
        paid_in: Side,
        amount_in: u128,
        amount_out: u128,
    ) -> Result<Self, PairError> {
        let (reserve_in, reserve_out) = self.reserves(paid_in);
        let (more, less) = (add(reserve_in, amount_in)?, sub(reserve_out, amount_out)?);
        check_reserve(more)?;
        let (a, b) = match paid_in {
            Side::A => (more, less),
            Side::B => (less, more),
        };
        Ok(Self { a, b, shares: self.shares })
    }

    /// The pool after `shares` were paid out with `a` and `b`.
    ///
    /// # Errors
    /// [`MathError::Overflow`] for more than there is.
    pub fn after_withdrawal(&self, shares: u128, a: u128, b: u128) -> Result<Self, MathError> {
        Ok(Self { a: sub(self.a, a)?, b: sub(self.b, b)?, shares: sub(self.shares, shares)? })
    }

    /// The price of one index token (the first) in TAO (the second), at scale 10¹⁸, rounded down.
    ///
    /// # Errors
    /// Those of [`price_e18_floor`].
    pub fn price_e18_floor(&self) -> Result<u128, PairError> {
        price_e18_floor(self.b, self.a)
    }
}

/// The sum of price · milliseconds up to a time. It wraps around: only differences of two sums
/// mean something, see [`super::average_e18_floor`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct PriceSum {
    /// The sum, at scale 10¹⁸, modulo 2¹²⁸.
    pub cumulative_e18: u128,
    /// Up to when, in milliseconds since 1970.
    pub time_ms: u64,
}

impl PriceSum {
    /// The sum at `now_ms`, if `pool` was as it is since this sum. To be taken before each change
    /// of the pool.
    ///
    /// It has no error, because it must not stop a trade: while a pool is empty it has no price
    /// and adds nothing; a price beyond 128 bits, which only a pool with nearly no index token
    /// has, adds the largest that there is.
    #[must_use]
    pub fn at(&self, pool: &Pool, now_ms: u64) -> Self {
        let price_e18 = match pool.price_e18_floor() {
            Ok(price_e18) => price_e18,
            Err(PairError::Math(_)) => u128::MAX,
            Err(_) => 0,
        };
        let elapsed_ms = now_ms.saturating_sub(self.time_ms);
        let cumulative_e18 = cumulate_e18(self.cumulative_e18, price_e18, elapsed_ms);
        Self { cumulative_e18, time_ms: now_ms }
    }
}
