//! How the index comes to its target weights: anybody gives what it has too little of, and takes
//! what it has too much of, at the certified prices.
//!
//! What is taken is never worth more than what is given, and neither side crosses its target.

use super::holdings::Holding;
use super::BasketError;
use crate::fixed::{add, div_floor, product, sub, MathError, BPS};
use crate::Account;
use primitive_types::U256;

/// Where a swap stands: the two holdings and how far, in value · 10,000, each is off its target.
struct Sides {
    give: usize,
    take: usize,
    give_price: u128,
    take_price: u128,
    room: U256,
    excess: U256,
}

/// Swaps `give_amount` of one token for what it is worth of another, rounded down, and returns
/// that. The target of a token is its weight's part of the value of all that have a price; the
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
) -> Result<u128, BasketError> {
    let sides = sides(holdings, give, take)?;
    let given = product(give_amount, sides.give_price);
    if scaled(given)? > sides.room {
        return Err(BasketError::CrossesTarget);
    }
    let taken = div_floor(given, U256::from(sides.take_price))?;
    if taken == 0 {
        return Err(BasketError::ZeroAmount);
    }
    if scaled(product(taken, sides.take_price))? > sides.excess {
        return Err(BasketError::CrossesTarget);
    }
    for (place, holding) in holdings.iter_mut().enumerate() {
        if place == sides.give {
            holding.amount = add(holding.amount, give_amount)?;
        } else if place == sides.take {
            holding.amount = sub(holding.amount, taken)?;
        }
    }
    Ok(taken)
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
) -> Result<u128, BasketError> {
    let sides = sides(holdings, give, take)?;
    let price = product(sides.give_price, BPS);
    Ok(div_floor(sides.room.min(sides.excess), price)?)
}

fn sides(holdings: &[Holding], give: &Account, take: &Account) -> Result<Sides, BasketError> {
    let place = |token: &Account| {
        let found = holdings.iter().enumerate().find(|(_, holding)| holding.token == *token);
        found.ok_or(BasketError::UnknownToken)
    };
    let ((give, given), (take, taken)) = (place(give)?, place(take)?);
    if given.price_e18 == 0 || taken.price_e18 == 0 {
        return Err(BasketError::NoPrice);
    }
    let total = holdings.iter().try_fold(U256::zero(), |total, holding| {
        total.checked_add(product(holding.amount, holding.price_e18)).ok_or(MathError::Overflow)
    })?;
    let target = |holding: &Holding| {
        total.checked_mul(U256::from(holding.weight_bps)).ok_or(MathError::Overflow)
    };
    let value = |holding: &Holding| scaled(product(holding.amount, holding.price_e18));
    let room = target(given)?.checked_sub(value(given)?);
    let excess = value(taken)?.checked_sub(target(taken)?);
    Ok(Sides {
        give,
        take,
        give_price: given.price_e18,
        take_price: taken.price_e18,
        room: room.filter(|room| !room.is_zero()).ok_or(BasketError::NotBelowTarget)?,
        excess: excess.filter(|excess| !excess.is_zero()).ok_or(BasketError::NotAboveTarget)?,
    })
}

fn scaled(value: U256) -> Result<U256, MathError> {
    value.checked_mul(U256::from(BPS)).ok_or(MathError::Overflow)
}

#[cfg(test)]
mod tests;
