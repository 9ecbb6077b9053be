//! How the index comes to its target weights: anybody gives what it has too little of, and takes
//! what it has too much of, at the certified prices less a spread that falls with their age.
//!
//! The spread is an auction: it leaves the index at first more than prices can be wrong, and whoever
//! bids first at what the swap is worth has it. Neither side crosses its target.

use super::holdings::{value_e18, Holding};
use super::BasketError;
use crate::fixed::{add, div_floor, product, sub, MathError, BPS};
use crate::nav::STALENESS_MS;
use crate::Account;
use primitive_types::U256;

/// What a swap leaves to the index at the time of the prices, in bps of what is given.
pub const SPREAD_BPS: u64 = 200;

/// What it pays on top when the prices are [`STALENESS_MS`] old, in bps.
pub const LAST_BONUS_BPS: u64 = 20;

/// A side of a swap.
struct Side {
    place: usize,
    price: u128,
    /// How far it is off its target, in value · 10,000.
    gap: U256,
}

/// What is taken for a value given at prices of this age, in parts of `BPS · STALENESS_MS`: the
/// spread falls in a straight line.
fn part(age_ms: u64) -> u64 {
    let fall = (SPREAD_BPS + LAST_BONUS_BPS).saturating_mul(age_ms.min(STALENESS_MS));
    (WHOLE - SPREAD_BPS * STALENESS_MS).saturating_add(fall)
}

/// The whole of [`part`].
const WHOLE: u64 = 10_000 * STALENESS_MS;

/// Swaps `give_amount` of one token for what it is worth of another less the spread at this age of
/// the prices, rounded down, and returns that. The target of a token is its weight's part of the value of all that have a price; the
/// value before the swap counts.
///
/// # Errors
/// [`BasketError::UnknownToken`], [`BasketError::NoPrice`]; [`BasketError::NotBelowTarget`] and
/// [`BasketError::NotAboveTarget`] for the wrong tokens; [`BasketError::CrossesTarget`] for too
/// much of the right ones; [`BasketError::ZeroAmount`], [`BasketError::Math`].
pub fn swap_floor(
    holdings: &mut [Holding],
    give: &Account,
    give_amount: u128,
    take: &Account,
    age_ms: u64,
) -> Result<u128, BasketError> {
    let total = value_e18(holdings)?;
    let given = side(holdings, &total, give, true)?;
    let taken = side(holdings, &total, take, false)?;
    let amount = given.within(give_amount).and_then(|value| {
        let scaled = times(&value, part(age_ms).into())?;
        let amount = div_floor(scaled, product(taken.price, WHOLE.into()))?;
        taken.within(amount)?;
        Ok(amount)
    })?;
    if let Some(holding) = holdings.get_mut(given.place) {
        holding.amount = add(holding.amount, give_amount)?;
    }
    if let Some(holding) = holdings.get_mut(taken.place) {
        holding.amount = sub(holding.amount, amount)?;
    }
    Ok(amount)
}

/// How much may be given in one [`swap_floor`]: with it neither side crosses its target. A little
/// more may do, since what is taken is rounded.
///
/// # Errors
/// As [`swap_floor`].
pub fn swap_room_floor(
    holdings: &[Holding],
    give: &Account,
    take: &Account,
    age_ms: u64,
) -> Result<u128, BasketError> {
    let total = value_e18(holdings)?;
    let given = side(holdings, &total, give, true)?;
    let taken = side(holdings, &total, take, false)?;
    // What has to be given for all that may be taken.
    let whole = times(&taken.gap, WHOLE.into())?.checked_div(U256::from(part(age_ms)));
    let most = given.gap.min(whole.ok_or(MathError::DivisionByZero)?);
    Ok(div_floor(most, product(given.price, BPS))?)
}

impl Side {
    /// The value of an amount that does not cross the target.
    #[inline(never)]
    fn within(&self, amount: u128) -> Result<U256, BasketError> {
        if amount == 0 {
            return Err(BasketError::ZeroAmount);
        }
        let value = product(amount, self.price);
        if times(&value, BPS)? > self.gap {
            return Err(BasketError::CrossesTarget);
        }
        Ok(value)
    }
}

#[inline(never)]
fn side(
    holdings: &[Holding],
    total: &U256,
    token: &Account,
    below: bool,
) -> Result<Side, BasketError> {
    let found = holdings.iter().enumerate().find(|(_, holding)| holding.token == *token);
    let (place, holding) = found.ok_or(BasketError::UnknownToken)?;
    let price = holding.price_e18;
    if price == 0 {
        return Err(BasketError::NoPrice);
    }
    let target = times(total, u128::from(holding.weight_bps))?;
    let value = times(&product(holding.amount, price), BPS)?;
    let (high, low, none) = match below {
        true => (target, value, BasketError::NotBelowTarget),
        false => (value, target, BasketError::NotAboveTarget),
    };
    match high.checked_sub(low) {
        Some(gap) if !gap.is_zero() => Ok(Side { place, price, gap }),
        _ => Err(none),
    }
}

#[inline(never)]
fn times(value: &U256, factor: u128) -> Result<U256, MathError> {
    value.checked_mul(U256::from(factor)).ok_or(MathError::Overflow)
}

#[cfg(test)]
mod tests;
