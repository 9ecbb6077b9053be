//! The constant-product pool in which the index token is traded (requirement d-16).
//!
//! Every amount is rounded against whoever trades or deposits, so the product of the reserves
//! never falls in a trade, nor the reserves behind one share in any operation.

use crate::fixed::{
    add, div_ceil, div_floor, mul_div_ceil, mul_div_floor, product, sub, MathError, BPS,
};
use crate::nav::{INDEX_UNITS_PER_TAO_UNIT, ONE_E18};
use parity_scale_codec::{Decode, Encode};
use primitive_types::U256;

mod book;

pub use book::{PriceSum, Side};

/// Shares of the first deposit that belong to nobody for ever, which makes it dear to inflate
/// the price of one share.
pub const MINIMUM_LIQUIDITY: u128 = 1_000;

/// The most that a reserve may hold: with it, every product here fits 256 bits.
pub const MAX_RESERVE: u128 = (1 << 112) - 1;

/// The highest fee of a trade, in bps.
pub const MAX_FEE_BPS: u128 = 100;

/// Why a pool cannot do what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum PoolError {
    /// Nothing is paid in, or nothing would come out.
    ZeroAmount,
    /// A reserve is empty, or holds less than what is to come out.
    InsufficientLiquidity,
    /// A reserve would exceed [`MAX_RESERVE`].
    ReserveTooLarge,
    /// The fee is above [`MAX_FEE_BPS`].
    FeeTooHigh,
    /// A calculation has no result.
    Math(MathError),
}

impl From<MathError> for PoolError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// A pool of two tokens, `a` and `b`, and the shares in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Pool {
    /// Smallest units of the first token.
    pub a: u128,
    /// Smallest units of the second token.
    pub b: u128,
    /// Shares, those locked for ever included.
    pub shares: u128,
}

/// What a deposit takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Deposit {
    /// Units of the first token that are taken.
    pub a: u128,
    /// Units of the second token that are taken.
    pub b: u128,
    /// Shares for the depositor.
    pub shares: u128,
    /// Shares that are locked: [`MINIMUM_LIQUIDITY`] in the first deposit, else 0.
    pub locked: u128,
}

/// What comes out for `amount_in`, rounded down; less than `reserve_out`.
///
/// # Errors
/// [`PoolError`].
pub fn amount_out_floor(
    amount_in: u128,
    reserve_in: u128,
    reserve_out: u128,
    fee_bps: u128,
) -> Result<u128, PoolError> {
    if amount_in == 0 {
        return Err(PoolError::ZeroAmount);
    }
    let kept = check(reserve_in, reserve_out, fee_bps)?;
    check_reserve(add(reserve_in, amount_in)?)?;
    // Below 2^126, and its product with a reserve below 2^238.
    let paid = mul_div_floor(amount_in, kept, 1)?;
    let whole = add(mul_div_floor(reserve_in, BPS, 1)?, paid)?;
    let out = div_floor(product(paid, reserve_out), U256::from(whole))?;
    if out == 0 {
        return Err(PoolError::ZeroAmount);
    }
    Ok(out)
}

/// What must be paid in for `amount_out`, rounded up: the least for which [`amount_out_floor`]
/// gives that much.
///
/// # Errors
/// [`PoolError`].
pub fn amount_in_ceil(
    amount_out: u128,
    reserve_in: u128,
    reserve_out: u128,
    fee_bps: u128,
) -> Result<u128, PoolError> {
    if amount_out == 0 {
        return Err(PoolError::ZeroAmount);
    }
    let kept = check(reserve_in, reserve_out, fee_bps)?;
    if amount_out >= reserve_out {
        return Err(PoolError::InsufficientLiquidity);
    }
    let left = sub(reserve_out, amount_out)?;
    let whole = product(reserve_in, mul_div_floor(amount_out, BPS, 1)?);
    let amount_in = div_ceil(whole, product(left, kept))?;
    check_reserve(add(reserve_in, amount_in)?)?;
    Ok(amount_in)
}

/// Checks reserves and fee of a trade; the bps of what is paid in that the fee leaves.
fn check(reserve_in: u128, reserve_out: u128, fee_bps: u128) -> Result<u128, PoolError> {
    if fee_bps > MAX_FEE_BPS {
        return Err(PoolError::FeeTooHigh);
    }
    if reserve_in == 0 || reserve_out == 0 {
        return Err(PoolError::InsufficientLiquidity);
    }
    check_reserve(reserve_in)?;
    check_reserve(reserve_out)?;
    Ok(sub(BPS, fee_bps)?)
}

fn check_reserve(reserve: u128) -> Result<(), PoolError> {
    if reserve > MAX_RESERVE {
        return Err(PoolError::ReserveTooLarge);
    }
    Ok(())
}

/// Whether the product of the reserves did not fall.
pub fn keeps_product(before: (u128, u128), after: (u128, u128)) -> bool {
    product(after.0, after.1) >= product(before.0, before.1)
}

impl Pool {
    /// What a deposit of at most `max_a` and `max_b` takes and gives: shares rounded down, and
    /// then no more of each token than they need, rounded up. The first deposit takes all and
    /// gives `⌊√(a · b)⌋` shares, of which [`MINIMUM_LIQUIDITY`] are locked.
    ///
    /// # Errors
    /// [`PoolError`]; [`PoolError::ZeroAmount`] if the depositor would get no share.
    pub fn deposit(&self, max_a: u128, max_b: u128) -> Result<Deposit, PoolError> {
        let deposit = if self.shares == 0 {
            let shares = u128::try_from(product(max_a, max_b).integer_sqrt())
                .map_err(|_| MathError::Overflow)?
                .saturating_sub(MINIMUM_LIQUIDITY);
            Deposit { a: max_a, b: max_b, shares, locked: MINIMUM_LIQUIDITY }
        } else {
            if self.a == 0 || self.b == 0 {
                return Err(PoolError::InsufficientLiquidity);
            }
            let by_a = mul_div_floor(max_a, self.shares, self.a);
            let by_b = mul_div_floor(max_b, self.shares, self.b);
            // A limit for more shares than can be told does not bind: the other does.
            let shares = match (by_a, by_b) {
                (Ok(by_a), Ok(by_b)) => by_a.min(by_b),
                (by_a, by_b) => by_a.or(by_b)?,
            };
            let a = mul_div_ceil(shares, self.a, self.shares)?;
            let b = mul_div_ceil(shares, self.b, self.shares)?;
            Deposit { a, b, shares, locked: 0 }
        };
        if deposit.shares == 0 {
            return Err(PoolError::ZeroAmount);
        }
        check_reserve(add(self.a, deposit.a)?)?;
        check_reserve(add(self.b, deposit.b)?)?;
        Ok(deposit)
    }

    /// The pool after a deposit.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn after_deposit(&self, deposit: &Deposit) -> Result<Self, MathError> {
        Ok(Self {
            a: add(self.a, deposit.a)?,
            b: add(self.b, deposit.b)?,
            shares: add(add(self.shares, deposit.shares)?, deposit.locked)?,
        })
    }

    /// What `shares` are paid out with, in both tokens, rounded down.
    ///
    /// # Errors
    /// [`PoolError::InsufficientLiquidity`] beyond the shares that are not locked,
    /// [`PoolError::ZeroAmount`] for none.
    pub fn withdrawal_floor(&self, shares: u128) -> Result<(u128, u128), PoolError> {
        if shares == 0 {
            return Err(PoolError::ZeroAmount);
        }
        if shares > self.shares.saturating_sub(MINIMUM_LIQUIDITY) {
            return Err(PoolError::InsufficientLiquidity);
        }
        let a = mul_div_floor(shares, self.a, self.shares)?;
        let b = mul_div_floor(shares, self.b, self.shares)?;
        Ok((a, b))
    }
}

/// The price of one index token in TAO at scale 10¹⁸, rounded down, of a pool with these
/// reserves of TAO (9 decimals) and index tokens (18).
///
/// # Errors
/// [`PoolError::InsufficientLiquidity`] if there is no index token, [`PoolError::Math`].
pub fn price_e18_floor(tao: u128, index_tokens: u128) -> Result<u128, PoolError> {
    if index_tokens == 0 {
        return Err(PoolError::InsufficientLiquidity);
    }
    // 10^27 is far below 2^128: nothing saturates.
    let scale = ONE_E18.saturating_mul(INDEX_UNITS_PER_TAO_UNIT);
    Ok(mul_div_floor(tao, scale, index_tokens)?)
}

/// The sum of price · milliseconds after a price stood for `elapsed_ms`. It wraps around at
/// 2¹²⁸; only differences have a meaning.
pub fn cumulate_e18(cumulative: u128, price_e18: u128, elapsed_ms: u64) -> u128 {
    cumulative.wrapping_add(price_e18.wrapping_mul(u128::from(elapsed_ms)))
}

/// The time-weighted average price between two sums, rounded down. Right as long as the average
/// times `elapsed_ms` is below 2¹²⁸: a price of 10⁹ TAO through ten years.
///
/// # Errors
/// [`MathError::DivisionByZero`] over no time.
pub fn average_e18_floor(before: u128, after: u128, elapsed_ms: u64) -> Result<u128, MathError> {
    mul_div_floor(after.wrapping_sub(before), 1, u128::from(elapsed_ms))
}

#[cfg(test)]
mod book_tests;
#[cfg(test)]
mod tests;
