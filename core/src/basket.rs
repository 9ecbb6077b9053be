//! The basket of the index: which subnet tokens, in what weights, and what a mint or a
//! redemption moves (requirements d-17, d-18).
//!
//! Minting and redeeming are in kind and in proportion to what the index holds, so they need no
//! price. Mints are rounded up and redemptions down: what is behind one token never falls.

use crate::fixed::{
    div_ceil, mul_div_ceil, mul_div_floor, product, split_largest_remainder, sub, sum, MathError,
    BPS,
};
use crate::hash::{Digest, Hasher};
use crate::merkle;
use crate::nav::{INDEX_UNITS_PER_TAO_UNIT, ONE_E18};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};
use primitive_types::U256;

pub mod agreed;
pub mod holdings;
pub mod observed;
pub mod rebalance;
pub mod sheet;

/// Subnet tokens in the basket.
pub const BASKET_SIZE: usize = 20;

/// Days over which emission is averaged.
pub const EMISSION_DAYS: usize = 14;

/// The highest fee of a mint or a redemption, in bps.
pub const MAX_FEE_BPS: u128 = 100;

/// Why there is no basket, mint or redemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum BasketError {
    /// No candidate has emission, or there is no target.
    Empty,
    /// More than [`BASKET_SIZE`] targets.
    TooLarge,
    /// A subnet stands twice in the list.
    RepeatedSubnet,
    /// The weights do not sum to 10,000 bps.
    WrongSum,
    /// A subnet token of the target weights has no price.
    NoPrice,
    /// The fee is above [`MAX_FEE_BPS`].
    FeeTooHigh,
    /// No tokens, or none are left after the fee.
    ZeroAmount,
    /// There are tokens, but the index holds nothing behind them.
    Unbacked,
    /// More tokens than there are.
    BeyondSupply,
    /// A calculation has no result.
    Math(MathError),
    /// A token stands twice in the list.
    RepeatedToken,
    /// More tokens than the index can hold.
    TooManyHoldings,
    /// The index token cannot be in its own basket.
    OwnToken,
    /// The prices are out of date.
    StalePrices,
    /// The index does not hold this token, nor is it a target.
    UnknownToken,
    /// What is given is not below its target.
    NotBelowTarget,
    /// What is taken is not above its target.
    NotAboveTarget,
    /// A swap would carry one side beyond its target.
    CrossesTarget,
    /// A token without weight stands before one with.
    NotInOrder,
    /// The token has no weight: nothing is taken in of it.
    NoWeight,
}

impl From<MathError> for BasketError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// A subnet and what it emitted on each of the last days. A day without figures counts as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Candidate {
    /// The subnet's number.
    pub netuid: u16,
    /// Emission of each day, in the smallest unit of TAO.
    pub emission: [u128; EMISSION_DAYS],
}

impl Candidate {
    /// Emission of all days, which ranks as the average does and is exact.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn total(&self) -> Result<u128, MathError> {
        sum(self.emission)
    }
}

/// A subnet's share of the basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Target {
    /// The subnet's number.
    pub netuid: u16,
    /// Its share in bps. All sum to 10,000.
    pub weight_bps: u16,
}

/// The basket: the [`BASKET_SIZE`] subnets of highest average emission, of equal ones the lower
/// number, in proportion to it, by largest remainder. Subnets without emission are left out.
///
/// # Errors
/// [`BasketError::Empty`], [`BasketError::RepeatedSubnet`], [`BasketError::Math`].
pub fn select(candidates: &[Candidate]) -> Result<Vec<Target>, BasketError> {
    let ranked = ranked(candidates)?;
    let totals: Vec<u128> = ranked.iter().map(|(_, total)| *total).collect();
    let weights = split_largest_remainder(BPS, &totals)?;
    let targets = ranked.iter().zip(weights).map(|((netuid, _), weight)| {
        let weight_bps = u16::try_from(weight).map_err(|_| MathError::Overflow)?;
        Ok(Target { netuid: *netuid, weight_bps })
    });
    targets.collect()
}

/// The [`BASKET_SIZE`] subnets of highest emission, the highest first, of equal ones the lower
/// number, each with its emission of all days. Subnets without emission are left out.
///
/// # Errors
/// As [`select`].
pub fn ranked(candidates: &[Candidate]) -> Result<Vec<(u16, u128)>, BasketError> {
    let mut ranked = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        ranked.push((candidate.netuid, candidate.total()?));
    }
    ranked.sort_unstable();
    if ranked.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
        return Err(BasketError::RepeatedSubnet);
    }
    ranked.retain(|(_, total)| *total > 0);
    // By number already, and the sort is stable.
    ranked.sort_by_key(|(_, total)| core::cmp::Reverse(*total));
    ranked.truncate(BASKET_SIZE);
    if ranked.is_empty() {
        return Err(BasketError::Empty);
    }
    Ok(ranked)
}

/// Checks target weights that someone else made: at most 20, no subnet twice, 10,000 bps in all.
///
/// # Errors
/// [`BasketError`].
pub fn check(targets: &[Target]) -> Result<(), BasketError> {
    if targets.is_empty() {
        return Err(BasketError::Empty);
    }
    if targets.len() > BASKET_SIZE {
        return Err(BasketError::TooLarge);
    }
    let mut rest = targets;
    while let Some((target, others)) = rest.split_first() {
        if others.iter().any(|other| other.netuid == target.netuid) {
            return Err(BasketError::RepeatedSubnet);
        }
        rest = others;
    }
    if sum(targets.iter().map(|target| u128::from(target.weight_bps)))? != BPS {
        return Err(BasketError::WrongSum);
    }
    Ok(())
}

/// The root of target weights in a report: one leaf, their canonical encoding in order of rank.
pub fn root<H: Hasher>(targets: &[Target]) -> Digest {
    merkle::leaf_hash::<H>(&targets.encode())
}

/// The tokens that a fee leaves of `tokens`; the fee is rounded up.
///
/// A mint of `tokens` is paid for in full and credits what the fee leaves; a redemption burns
/// `tokens` and pays out what the fee leaves. Either way the fee's part of the basket stays in it.
///
/// # Errors
/// [`BasketError::FeeTooHigh`], [`BasketError::ZeroAmount`] if nothing is left.
pub fn after_fee_floor(tokens: u128, fee_bps: u128) -> Result<u128, BasketError> {
    if fee_bps > MAX_FEE_BPS {
        return Err(BasketError::FeeTooHigh);
    }
    let left = sub(tokens, mul_div_ceil(tokens, fee_bps, BPS)?)?;
    if left == 0 {
        return Err(BasketError::ZeroAmount);
    }
    Ok(left)
}

/// What a mint of `tokens` takes of each subnet token, in proportion to `holdings`, rounded up.
///
/// # Errors
/// [`BasketError::ZeroAmount`], [`BasketError::Unbacked`] if nothing is held, so that no token is
/// given away; [`BasketError::BeyondSupply`] if there is no supply: the first mint goes by
/// [`first_mint_amounts_ceil`].
pub fn mint_amounts_ceil(
    holdings: &[u128],
    supply: u128,
    tokens: u128,
) -> Result<Vec<u128>, BasketError> {
    if tokens == 0 {
        return Err(BasketError::ZeroAmount);
    }
    if supply == 0 {
        return Err(BasketError::BeyondSupply);
    }
    if holdings.iter().all(|holding| *holding == 0) {
        return Err(BasketError::Unbacked);
    }
    parts(holdings, tokens, supply, mul_div_ceil)
}

/// The same part of each holding.
#[inline(never)]
fn parts(
    holdings: &[u128],
    tokens: u128,
    supply: u128,
    part: fn(u128, u128, u128) -> Result<u128, MathError>,
) -> Result<Vec<u128>, BasketError> {
    let mut amounts = Vec::with_capacity(holdings.len());
    for holding in holdings {
        amounts.push(part(*holding, tokens, supply)?);
    }
    Ok(amounts)
}

/// What a mint of `tokens` takes of each subnet token while there is no supply: one TAO of value
/// for a token, by target weights and prices at scale 10¹⁸, rounded up.
///
/// # Errors
/// [`BasketError::ZeroAmount`], [`BasketError::NoPrice`], [`BasketError::Math`], and those of
/// [`check`]. Prices stand in the order of the targets.
pub fn first_mint_amounts_ceil(
    targets: &[Target],
    prices_e18: &[u128],
    tokens: u128,
) -> Result<Vec<u128>, BasketError> {
    check(targets)?;
    if tokens == 0 {
        return Err(BasketError::ZeroAmount);
    }
    let mut amounts = Vec::with_capacity(targets.len());
    for (place, target) in targets.iter().enumerate() {
        let price = prices_e18.get(place).copied().unwrap_or(0);
        if price == 0 {
            return Err(BasketError::NoPrice);
        }
        // tokens / 10^9 is the value, weight / 10^4 its part, 10^18 / price the amount.
        let scale = ONE_E18.saturating_div(INDEX_UNITS_PER_TAO_UNIT);
        let share = product(u128::from(target.weight_bps), scale);
        let value = product(tokens, 1).checked_mul(share).ok_or(MathError::Overflow)?;
        amounts.push(div_ceil(value, product(price, BPS))?);
    }
    Ok(amounts)
}

/// What a redemption of `tokens` pays out of each subnet token, in proportion to `holdings`,
/// rounded down. It needs no price; a token that is frozen is owed its amount.
///
/// # Errors
/// [`BasketError::ZeroAmount`], [`BasketError::BeyondSupply`].
pub fn redeem_amounts_floor(
    holdings: &[u128],
    supply: u128,
    tokens: u128,
) -> Result<Vec<u128>, BasketError> {
    if tokens == 0 {
        return Err(BasketError::ZeroAmount);
    }
    if tokens > supply {
        return Err(BasketError::BeyondSupply);
    }
    parts(holdings, tokens, supply, mul_div_floor)
}

/// Whether nothing behind one token fell between two states of holdings and supply.
pub fn keeps_backing(before: (&[u128], u128), after: (&[u128], u128)) -> bool {
    let per_token = |holding: u128, supply: u128| -> U256 { product(holding, supply) };
    before.0.len() == after.0.len()
        && before
            .0
            .iter()
            .zip(after.0)
            .all(|(old, new)| per_token(*new, before.1) >= per_token(*old, after.1))
}

#[cfg(test)]
mod tests;
