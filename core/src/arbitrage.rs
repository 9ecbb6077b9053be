//! When and how much a miner trades to bring the market price of the index to its NAV (requirements 004-2, 004-miner).
//!
//! Above NAV it mints in kind and sells; below, it buys and redeems in kind. All values are in
//! the smallest unit of TAO. Nothing is random: the same market gives the same plan.

use crate::basket::{after_fee_floor, BasketError};
use crate::fixed::{add, mul_div_ceil, mul_div_floor, product, sub, MathError, BPS};
use crate::pair::{self, amount_out_floor, PoolError};
use primitive_types::{U256, U512};

/// Value of one unit of the index token is `nav_e18 / UNIT_SCALE` units of TAO: 10¹⁸ for the scale,
/// 10⁹ for the decimals.
const UNIT_SCALE: u128 = 1_000_000_000_000_000_000_000_000_000;

/// Bounds of a miner. The defaults are those of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The least spread that is traded, in bps of NAV: 50.
    pub min_spread_bps: u128,
    /// The largest trade, in units of TAO: 10 TAO.
    pub max_size: u128,
    /// The smallest trade: 0.1 TAO.
    pub min_size: u128,
    /// The part of what the miner has that one trade may take: 8,000.
    pub balance_bps: u128,
    /// The part of its wealth that may be index tokens: 5,000.
    pub max_inventory_bps: u128,
    /// The part from which it gives index tokens up again: 8,000.
    pub rebalance_bps: u128,
    /// The loss within a day at which it stops, of the day's start: 500.
    pub max_daily_loss_bps: u128,
    /// The loss at which it stops, of its highest wealth: 1,000.
    pub stop_loss_bps: u128,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_spread_bps: 50,
            max_size: 10_000_000_000,
            min_size: 100_000_000,
            balance_bps: 8_000,
            max_inventory_bps: 5_000,
            rebalance_bps: 8_000,
            max_daily_loss_bps: 500,
            stop_loss_bps: 1_000,
        }
    }
}

/// Why there is no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArbitrageError {
    /// The pool cannot trade.
    Pair(PoolError),
    /// The index cannot mint or redeem.
    Basket(BasketError),
    /// A calculation has no result.
    Math(MathError),
}

impl From<MathError> for ArbitrageError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

impl From<PoolError> for ArbitrageError {
    fn from(error: PoolError) -> Self {
        Self::Pair(error)
    }
}

impl From<BasketError> for ArbitrageError {
    fn from(error: BasketError) -> Self {
        Self::Basket(error)
    }
}

/// What the miner sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market {
    /// NAV at scale 10¹⁸, not 0.
    pub nav_e18: u128,
    /// The pool's reserve of TAO.
    pub tao: u128,
    /// The pool's reserve of index tokens.
    pub index_tokens: u128,
    /// Fee of the pool.
    pub pair_fee_bps: u128,
    /// Fee of a mint or a redemption.
    pub index_fee_bps: u128,
    /// Gas of both transactions together, in units of TAO.
    pub gas: u128,
}

/// What the miner has, in units of TAO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wallet {
    /// TAO.
    pub tao: u128,
    /// Value of the complete baskets that it could mint from.
    pub basket: u128,
    /// Value of its index tokens at NAV.
    pub index: u128,
}

/// A pair of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Mint this many units of the index token in kind, and sell what the fee leaves.
    MintAndSell {
        /// Units that are paid for.
        tokens: u128,
    },
    /// Buy for this much TAO, and redeem in kind what comes out.
    BuyAndRedeem {
        /// Units of TAO.
        tao: u128,
    },
}

/// What an action costs and brings at NAV, in units of TAO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Value given away, gas included; rounded up.
    pub spent: u128,
    /// Value received after all fees; rounded down.
    pub received: u128,
}

impl Outcome {
    /// What is earned, if anything is.
    pub fn profit(&self) -> Option<u128> {
        self.received.checked_sub(self.spent).filter(|profit| *profit > 0)
    }
}

/// An action and what it is expected to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What to do.
    pub action: Action,
    /// What it costs and brings if nobody is faster.
    pub outcome: Outcome,
    /// The spread that it answers, in bps.
    pub spread_bps: i128,
}

/// `(price − NAV) / NAV` in bps, rounded towards zero: it reaches a threshold of whole bps exactly
/// if the true spread does.
///
/// # Errors
/// [`MathError::DivisionByZero`] if NAV is 0, [`MathError::Overflow`].
pub fn spread_bps_toward_zero(price_e18: u128, nav_e18: u128) -> Result<i128, MathError> {
    let size = mul_div_floor(price_e18.abs_diff(nav_e18), BPS, nav_e18)?;
    let size = i128::try_from(size).map_err(|_| MathError::Overflow)?;
    if price_e18 < nav_e18 {
        return size.checked_neg().ok_or(MathError::Overflow);
    }
    Ok(size)
}

/// How much may be traded of `available`: the lesser of the maximum and the allowed part, rounded
/// down; `None` if that is below the minimum.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn size_floor(limits: &Limits, available: u128) -> Result<Option<u128>, MathError> {
    let size = mul_div_floor(available, limits.balance_bps, BPS)?.min(limits.max_size);
    Ok((size >= limits.min_size).then_some(size))
}

impl Market {
    /// Cost and proceeds of minting `tokens` and selling them.
    ///
    /// # Errors
    /// [`ArbitrageError`].
    pub fn mint_and_sell(&self, tokens: u128) -> Result<Outcome, ArbitrageError> {
        let credited = after_fee_floor(tokens, self.index_fee_bps)?;
        let received = amount_out_floor(credited, self.index_tokens, self.tao, self.pair_fee_bps)?;
        let spent = add(mul_div_ceil(tokens, self.nav_e18, UNIT_SCALE)?, self.gas)?;
        Ok(Outcome { spent, received })
    }

    /// Cost and proceeds of buying for `tao` and redeeming what comes out.
    ///
    /// # Errors
    /// [`ArbitrageError`].
    pub fn buy_and_redeem(&self, tao: u128) -> Result<Outcome, ArbitrageError> {
        let bought = amount_out_floor(tao, self.tao, self.index_tokens, self.pair_fee_bps)?;
        let redeemed = after_fee_floor(bought, self.index_fee_bps)?;
        let received = mul_div_floor(redeemed, self.nav_e18, UNIT_SCALE)?;
        Ok(Outcome { spent: add(tao, self.gas)?, received })
    }

    /// The tokens to mint and sell for the highest profit, rounded down; 0 if none pays.
    ///
    /// The last token sold then brings what it costs: with `g` and `m` what pool and index leave
    /// after their fees and `c` the value of a token, `reserve + g · sold = √(g · m · tao · reserve / c)`.
    ///
    /// # Errors
    /// [`MathError`].
    pub fn best_mint_floor(&self) -> Result<u128, MathError> {
        let (pool, index) = self.left_by_fees()?;
        let above = self.product_after_fees(UNIT_SCALE)?;
        let below = U512::from(product(self.nav_e18, product_of_bps()));
        let target = root_floor(above, below)?;
        let credited = mul_div_floor(target.saturating_sub(self.index_tokens), BPS, pool)?;
        mul_div_floor(credited, BPS, index)
    }

    /// The TAO to buy and redeem for with the highest profit, rounded down; 0 if none pays.
    ///
    /// # Errors
    /// [`MathError`].
    pub fn best_buy_floor(&self) -> Result<u128, MathError> {
        let (pool, _) = self.left_by_fees()?;
        let above = self.product_after_fees(self.nav_e18)?;
        let below = U512::from(product(UNIT_SCALE, product_of_bps()));
        let target = root_floor(above, below)?;
        mul_div_floor(target.saturating_sub(self.tao), BPS, pool)
    }

    /// The bps that the fees of pool and index leave.
    fn left_by_fees(&self) -> Result<(u128, u128), MathError> {
        Ok((sub(BPS, self.pair_fee_bps)?, sub(BPS, self.index_fee_bps)?))
    }

    fn product_after_fees(&self, scale: u128) -> Result<U512, MathError> {
        let (pool, index) = self.left_by_fees()?;
        let factor = product(scale, pool).checked_mul(U256::from(index));
        let factor = factor.ok_or(MathError::Overflow)?;
        Ok(product(self.tao, self.index_tokens).full_mul(factor))
    }
}

/// `10⁴ · 10⁴`, as bps of two fees.
fn product_of_bps() -> u128 {
    BPS.saturating_mul(BPS)
}

fn root_floor(above: U512, below: U512) -> Result<u128, MathError> {
    let quotient = above.checked_div(below).ok_or(MathError::DivisionByZero)?;
    quotient.integer_sqrt().try_into().map_err(|_| MathError::Overflow)
}

/// What a miner does now: the most profitable trade within its limits, or nothing, if the spread
/// is too small, the trade is, or it earns nothing after fees and gas.
///
/// # Errors
/// [`ArbitrageError`].
pub fn plan(
    market: &Market,
    wallet: &Wallet,
    limits: &Limits,
) -> Result<Option<Plan>, ArbitrageError> {
    let price_e18 = pair::price_e18_floor(market.tao, market.index_tokens)?;
    let spread_bps = spread_bps_toward_zero(price_e18, market.nav_e18)?;
    if spread_bps.unsigned_abs() < limits.min_spread_bps {
        return Ok(None);
    }
    let mints = spread_bps > 0;
    let available = if mints { wallet.basket } else { wallet.tao };
    let Some(size) = size_floor(limits, available)? else {
        return Ok(None);
    };
    let (action, outcome) = if mints {
        let affordable = mul_div_floor(size, UNIT_SCALE, market.nav_e18)?;
        let tokens = market.best_mint_floor()?.min(affordable);
        let value = mul_div_floor(tokens, market.nav_e18, UNIT_SCALE)?;
        if value < limits.min_size {
            return Ok(None);
        }
        (Action::MintAndSell { tokens }, market.mint_and_sell(tokens)?)
    } else {
        let tao = market.best_buy_floor()?.min(size);
        if tao < limits.min_size {
            return Ok(None);
        }
        (Action::BuyAndRedeem { tao }, market.buy_and_redeem(tao)?)
    };
    Ok(outcome.profit().map(|_| Plan { action, outcome, spread_bps }))
}

/// How much of a miner's wealth is index tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inventory {
    /// At most the maximum.
    Balanced,
    /// Above the maximum: take on no more.
    Full,
    /// At the bound of rebalancing or above it: give up this value of index tokens, after which
    /// they are at most the maximum again.
    Rebalance {
        /// In units of TAO, rounded up.
        excess: u128,
    },
}

/// Judges a wallet's inventory, exactly.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn inventory(wallet: &Wallet, limits: &Limits) -> Result<Inventory, MathError> {
    let wealth = add(add(wallet.tao, wallet.basket)?, wallet.index)?;
    let allowed = mul_div_floor(wealth, limits.max_inventory_bps, BPS)?;
    let share = product(wallet.index, BPS);
    if wallet.index <= allowed {
        Ok(Inventory::Balanced)
    } else if share < product(wealth, limits.rebalance_bps) {
        Ok(Inventory::Full)
    } else {
        Ok(Inventory::Rebalance { excess: sub(wallet.index, allowed)? })
    }
}

/// A miner's wealth at three times, in units of TAO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wealth {
    /// When the day began.
    pub day_start: u128,
    /// At its highest.
    pub peak: u128,
    /// Now.
    pub now: u128,
}

/// Why a miner must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// It lost what it may lose in a day.
    DailyLoss,
    /// It lost what it may lose at all.
    StopLoss,
}

/// Whether losses have reached a limit; a loss of exactly the limit stops.
pub fn halt(wealth: &Wealth, limits: &Limits) -> Option<Halt> {
    let lost = |from: u128, limit_bps: u128| {
        let loss = from.saturating_sub(wealth.now);
        loss > 0 && product(loss, BPS) >= product(from, limit_bps)
    };
    if lost(wealth.peak, limits.stop_loss_bps) {
        Some(Halt::StopLoss)
    } else if lost(wealth.day_start, limits.max_daily_loss_bps) {
        Some(Halt::DailyLoss)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
