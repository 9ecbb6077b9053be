//! What the index holds, token by token, and what a certified basket makes of it.

use super::{
    check, first_mint_amounts_ceil, mint_amounts_ceil, redeem_amounts_floor, BasketError, Target,
};
use crate::arrays::decode_as_block;
use crate::fixed::{add, product, sub, MathError, BPS};
use crate::hash::{Digest, Hasher};
use crate::merkle;
use crate::report::{Feed, FeedState, Report};
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::Encode;
use primitive_types::U256;

/// The most tokens that the index holds or prices: the targets, and as many that leave.
pub const MAX_HOLDINGS: usize = 40;

/// Index tokens of the first mint that belong to nobody for ever: 0.001 token. Without them the
/// owner of all tokens could redeem all but one unit, whose share of the rounding would then set a
/// price of the whole that nobody can pay.
pub const LOCKED_SUPPLY: u128 = 1_000_000_000_000_000;

/// The highest minimum size of a mint or a redemption: one index token.
pub const MAX_MINIMUM: u128 = 1_000_000_000_000_000_000;

/// For how long a token that leaves may be without a price in every basket, in milliseconds: a day.
pub const UNPRICED_MS: u64 = 86_400_000;

/// The encoded length of an entry.
const ENTRY_LEN: usize = 2 + 32 + 2 + 16;

/// The encoded length of a holding.
const HOLDING_LEN: usize = 32 + 2 + 2 + 16 + 16 + 8;

/// A token in a certified basket. One of weight 0 leaves the basket and is only priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Entry {
    /// The subnet's number.
    pub netuid: u16,
    /// The contract of its token.
    pub token: Account,
    /// Its share of the basket in bps. All sum to 10,000.
    pub weight_bps: u16,
    /// Price of one token in TAO, at scale 10¹⁸, not 0.
    pub price_e18: u128,
}

decode_as_block!(Entry, ENTRY_LEN, netuid: u16, token: Account, weight_bps: u16, price_e18: u128);

/// What the index holds of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Holding {
    /// The contract of the token.
    pub token: Account,
    /// The subnet's number.
    pub netuid: u16,
    /// Its share of the basket in bps; 0 for a token that leaves.
    pub weight_bps: u16,
    /// Its price in the newest basket, at scale 10¹⁸; 0 if that has none.
    pub price_e18: u128,
    /// Smallest units held.
    pub amount: u128,
    /// The time of the first of the newest baskets that have no price of it, in milliseconds since
    /// 1970; 0 if the newest has one.
    pub unpriced_ms: u64,
}

decode_as_block!(
    Holding, HOLDING_LEN,
    token: Account, netuid: u16, weight_bps: u16, price_e18: u128, amount: u128, unpriced_ms: u64
);

/// Checks a basket for the index with this token: at most [`MAX_HOLDINGS`] tokens, all different,
/// none the index token itself, all with a price; first the target weights, then those without.
///
/// # Errors
/// [`BasketError::TooManyHoldings`], [`BasketError::NotInOrder`], [`BasketError::OwnToken`], [`BasketError::NoPrice`],
/// [`BasketError::RepeatedSubnet`], [`BasketError::RepeatedToken`], and those of [`check`].
pub fn check_entries(entries: &[Entry], index_token: &Account) -> Result<(), BasketError> {
    if entries.len() > MAX_HOLDINGS {
        return Err(BasketError::TooManyHoldings);
    }
    let mut targets: Vec<Target> = Vec::with_capacity(entries.len());
    let mut rest = entries;
    while let Some((entry, others)) = rest.split_first() {
        if entry.weight_bps > 0 {
            targets.push(Target { netuid: entry.netuid, weight_bps: entry.weight_bps });
        } else if others.iter().any(|other| other.weight_bps > 0) {
            return Err(BasketError::NotInOrder);
        }
        if entry.token == *index_token {
            return Err(BasketError::OwnToken);
        }
        if entry.price_e18 == 0 {
            return Err(BasketError::NoPrice);
        }
        for other in others {
            if other.netuid == entry.netuid {
                return Err(BasketError::RepeatedSubnet);
            }
            if other.token == entry.token {
                return Err(BasketError::RepeatedToken);
            }
        }
        rest = others;
    }
    check(&targets)
}

/// The root of a basket: one leaf, the canonical encoding of the entries as they stand.
pub fn entries_root<H: Hasher>(entries: &[Entry]) -> Digest {
    let length = entries.len().saturating_mul(ENTRY_LEN).saturating_add(2);
    let mut bytes = Vec::with_capacity(length);
    entries.encode_to(&mut bytes);
    merkle::leaf_hash::<H>(&bytes)
}

/// The report of a basket that follows `state` in its feed.
pub fn report<H: Hasher>(feed: Feed, state: &FeedState, entries: &[Entry], time_ms: u64) -> Report {
    state.next_report(feed, time_ms, entries_root::<H>(entries))
}

/// Whether the entries are the content of the report.
pub fn matches<H: Hasher>(report: &Report, entries: &[Entry]) -> bool {
    report.leaf_count == 1 && report.root == entries_root::<H>(entries)
}

/// What a new basket makes of the holdings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebased {
    /// What is held from now on.
    pub held: Vec<Holding>,
    /// What is written off: it is in no mint, redemption or NAV any more.
    pub written_off: Vec<Holding>,
}

/// The holdings under a new basket of `time_ms`: its entries in their order, with what is held of
/// each, and after them what is held of others, without weight and price. What has no weight and is
/// not held is left out. What has no weight is written off if it is worth less than 1 bps of all
/// that has a price, or had no price in every basket of [`UNPRICED_MS`].
///
/// # Errors
/// [`BasketError::TooManyHoldings`] if more than [`MAX_HOLDINGS`] are left; [`BasketError::Math`].
pub fn rebased(
    holdings: &[Holding],
    entries: &[Entry],
    time_ms: u64,
) -> Result<Rebased, BasketError> {
    let mut next: Vec<Holding> = Vec::with_capacity(MAX_HOLDINGS);
    for entry in entries {
        let amount = find(holdings, &entry.token).map_or(0, |held| held.amount);
        if entry.weight_bps > 0 || amount > 0 {
            let Entry { netuid, token, weight_bps, price_e18 } = *entry;
            next.push(Holding { token, netuid, weight_bps, price_e18, amount, unpriced_ms: 0 });
        }
    }
    for held in holdings {
        let named = entries.iter().any(|entry| entry.token == held.token);
        if held.amount > 0 && !named {
            let unpriced_ms = if held.unpriced_ms == 0 { time_ms } else { held.unpriced_ms };
            next.push(Holding { weight_bps: 0, price_e18: 0, unpriced_ms, ..*held });
        }
    }
    let total = value_e18(&next)?;
    let mut rebased = Rebased { held: Vec::with_capacity(next.len()), written_off: Vec::new() };
    for held in next {
        match is_written_off(&held, &total, time_ms)? {
            true => rebased.written_off.push(held),
            false => rebased.held.push(held),
        }
    }
    if rebased.held.len() > MAX_HOLDINGS {
        return Err(BasketError::TooManyHoldings);
    }
    Ok(rebased)
}

fn is_written_off(held: &Holding, total: &U256, time_ms: u64) -> Result<bool, MathError> {
    if held.weight_bps > 0 {
        return Ok(false);
    }
    if held.price_e18 == 0 {
        return Ok(time_ms.saturating_sub(held.unpriced_ms) >= UNPRICED_MS);
    }
    let value = product(held.amount, held.price_e18);
    Ok(value.checked_mul(U256::from(BPS)).ok_or(MathError::Overflow)? < *total)
}

/// The value of all that has a price, at scale 10¹⁸.
#[inline(never)]
pub(super) fn value_e18(holdings: &[Holding]) -> Result<U256, MathError> {
    holdings.iter().try_fold(U256::zero(), |total, holding| {
        total.checked_add(product(holding.amount, holding.price_e18)).ok_or(MathError::Overflow)
    })
}

/// What is held of a token.
pub fn find<'a>(holdings: &'a [Holding], token: &Account) -> Option<&'a Holding> {
    holdings.iter().find(|holding| holding.token == *token)
}

/// What a mint of `tokens` takes of each holding, in their order, rounded up: in proportion, or
/// while there is no supply by target weights at prices that are `fresh`.
///
/// # Errors
/// [`BasketError::StalePrices`] for a first mint without fresh prices, [`BasketError::ZeroAmount`]
/// for one that leaves nothing beyond [`LOCKED_SUPPLY`]; those of [`mint_amounts_ceil`] and
/// [`first_mint_amounts_ceil`].
pub fn amounts_to_mint_ceil(
    holdings: &[Holding],
    supply: u128,
    tokens: u128,
    fresh: bool,
) -> Result<Vec<u128>, BasketError> {
    if supply > 0 {
        return mint_amounts_ceil(&amounts(holdings), supply, tokens);
    }
    if !fresh {
        return Err(BasketError::StalePrices);
    }
    let (mut targets, mut prices) = (Vec::new(), Vec::new());
    // The targets stand before what leaves.
    for holding in holdings.iter().filter(|holding| holding.weight_bps > 0) {
        targets.push(Target { netuid: holding.netuid, weight_bps: holding.weight_bps });
        prices.push(holding.price_e18);
    }
    let mut taken = first_mint_amounts_ceil(&targets, &prices, tokens)?;
    taken.resize(holdings.len(), 0);
    Ok(taken)
}

/// Who gets what of a mint that credits `credited` tokens: the caller, and nobody for ever, which
/// is [`LOCKED_SUPPLY`] of the first mint and nothing of any other.
///
/// # Errors
/// [`BasketError::ZeroAmount`] if nothing is left for the caller.
pub fn split_credit(credited: u128, supply: u128) -> Result<(u128, u128), BasketError> {
    let locked = if supply == 0 { LOCKED_SUPPLY } else { 0 };
    match credited.checked_sub(locked) {
        None | Some(0) => Err(BasketError::ZeroAmount),
        Some(rest) => Ok((rest, locked)),
    }
}

/// What a redemption of `tokens` pays of each holding, in their order, rounded down.
///
/// # Errors
/// Those of [`redeem_amounts_floor`].
pub fn amounts_to_redeem_floor(
    holdings: &[Holding],
    supply: u128,
    tokens: u128,
) -> Result<Vec<u128>, BasketError> {
    redeem_amounts_floor(&amounts(holdings), supply, tokens)
}

fn amounts(holdings: &[Holding]) -> Vec<u128> {
    holdings.iter().map(|holding| holding.amount).collect()
}

/// Adds what a mint took, in the order of the holdings.
///
/// # Errors
/// [`BasketError::Math`].
pub fn deposit(holdings: &mut [Holding], amounts: &[u128]) -> Result<(), BasketError> {
    change(holdings, amounts, add)
}

/// Takes off what a redemption pays, in the order of the holdings.
///
/// # Errors
/// [`BasketError::Math`].
pub fn withdraw(holdings: &mut [Holding], amounts: &[u128]) -> Result<(), BasketError> {
    change(holdings, amounts, sub)
}

#[inline(never)]
fn change(
    holdings: &mut [Holding],
    amounts: &[u128],
    by: fn(u128, u128) -> Result<u128, MathError>,
) -> Result<(), BasketError> {
    for (holding, amount) in holdings.iter_mut().zip(amounts) {
        holding.amount = by(holding.amount, *amount)?;
    }
    Ok(())
}

/// Takes what came in unasked into the holding of a token with weight: all of `balance` that is
/// neither `owed` nor written off, which the caller counts in. Returns how much that is.
///
/// # Errors
/// [`BasketError::UnknownToken`], [`BasketError::NoWeight`], [`BasketError::ZeroAmount`] if there
/// is nothing.
pub fn take_surplus(
    holdings: &mut [Holding],
    token: &Account,
    balance: u128,
    owed: u128,
) -> Result<u128, BasketError> {
    let holding = holdings.iter_mut().find(|holding| holding.token == *token);
    let holding = holding.ok_or(BasketError::UnknownToken)?;
    if holding.weight_bps == 0 {
        return Err(BasketError::NoWeight);
    }
    let surplus = balance.checked_sub(owed).and_then(|own| own.checked_sub(holding.amount));
    match surplus {
        None | Some(0) => Err(BasketError::ZeroAmount),
        Some(surplus) => {
            holding.amount = add(holding.amount, surplus)?;
            Ok(surplus)
        }
    }
}

#[cfg(test)]
mod tests;
