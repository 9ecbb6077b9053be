//! What a miner does about what it sees: pure, so that it can be tested without a chain.
//!
//! One look gives at most one [`Batch`]: several trades in one direction, each within the limits,
//! each planned on the pool that the ones before it leave. What needs no market, minting and
//! redeeming, is done once for all of them.

use crate::seen::{total, with_margin_ceil, worth_floor, Seen, UNIT_SCALE};
use cicada_amounts::Units;
use cicada_core::arbitrage::{
    inventory, plan, spread_bps_toward_zero, Action, ArbitrageError, Inventory, Limits, Market,
    Outcome, Wallet,
};
use cicada_core::basket::after_fee_floor;
use cicada_core::fixed::{add, mul_div_ceil, mul_div_floor, sub, sum, MathError, BPS};
use cicada_core::pair::{amount_out_floor, price_e18_floor, PoolError};

mod types;

pub use types::{Batch, Decision, Idle, Moment, Neutral, Planned, Rules, Trade};

type Result<T> = std::result::Result<T, ArbitrageError>;

/// What to do now.
///
/// # Errors
/// [`ArbitrageError`] if a calculation has no result.
pub fn decide(seen: &Seen, rules: &Rules, moment: &Moment) -> Result<Decision> {
    let nothing =
        |idle| Decision { price_e18: Units(0), spread_bps: 0, batch: None, idle: Some(idle) };
    let price_e18 = match price_e18_floor(seen.pool.b, seen.pool.a) {
        Err(PoolError::InsufficientLiquidity) => return Ok(nothing(Idle::EmptyPool)),
        other => Units(other?),
    };
    if moment.nav_e18 == 0 {
        return Ok(Decision { price_e18, ..nothing(Idle::NoFreshNav) });
    }
    let spread_bps = spread_bps_toward_zero(price_e18.0, moment.nav_e18)?;
    let desk = Desk { seen, rules, moment, market: seen.market(moment.nav_e18) };
    let outcome = if seen.index.supply == 0 {
        Err(Idle::NoSupply)
    } else if let Some(halt) = moment.halt {
        Err(halt.into())
    } else {
        desk.act(spread_bps)?
    };
    let outcome = match outcome {
        // Nothing to earn, so there is time.
        Err(Idle::SmallSpread | Idle::NothingPays) if moment.neutral_due => {
            desk.neutral()?.ok_or(Idle::NothingPays)
        }
        other => other,
    };
    let (batch, idle) = match outcome {
        Ok(planned) => (Some(planned), None),
        Err(idle) => (None, Some(idle)),
    };
    Ok(Decision { price_e18, spread_bps, batch, idle })
}

/// One look at the market.
struct Desk<'a> {
    seen: &'a Seen,
    rules: &'a Rules,
    moment: &'a Moment,
    market: Market,
}

/// What one trade costs in gas: the first of a batch carries the mint or the redemption.
#[derive(Clone, Copy)]
struct Gas {
    first: u128,
    other: u128,
}

/// Trades that were found, and what they earn.
#[derive(Default)]
struct Found {
    /// What is minted, or spent.
    size: u128,
    trades: Vec<Trade>,
    profit: u128,
}

impl Desk<'_> {
    fn nav(&self) -> u128 {
        self.moment.nav_e18
    }

    fn act(&self, spread_bps: i128) -> Result<std::result::Result<Planned, Idle>> {
        let limits = &self.rules.limits;
        let wealth = self.seen.wealth(self.nav())?;
        let state = inventory(&wealth, limits)?;
        if let Inventory::Rebalance { excess } = state {
            return Ok(self.give_up(excess)?.ok_or(Idle::FullInventory));
        }
        if spread_bps.unsigned_abs() < limits.min_spread_bps {
            return Ok(Err(Idle::SmallSpread));
        }
        let full = state == Inventory::Full;
        // What may be added to the index tokens, even if only until the next transaction.
        let allowed = mul_div_floor(total(&wealth)?, limits.max_inventory_bps, BPS)?;
        let room = allowed.saturating_sub(wealth.index);
        if spread_bps > 0 {
            return self.sell(room, full);
        }
        if full {
            return Ok(Err(Idle::FullInventory));
        }
        let costs = self.moment.costs;
        let gas = Gas { first: add(costs.trade, costs.redeem)?, other: costs.trade };
        let wallet = Wallet { tao: self.seen.purse.tao, ..Wallet::default() };
        let found = self.trades(self.market, wallet, room, gas)?;
        // What is bought must be enough to be redeemed, even if it is the least.
        if sum(found.trades.iter().map(|trade| trade.least.0))? < self.seen.index.minimum {
            return Ok(Err(Idle::NothingPays));
        }
        Ok(planned(found, |found| Batch::BuyAndRedeem { trades: found.trades }))
    }

    /// Above NAV: what is there is sold first, because it need not be minted.
    fn sell(&self, room: u128, full: bool) -> Result<std::result::Result<Planned, Idle>> {
        let costs = self.moment.costs;
        let wallet = self.seen.wallet(self.nav())?;
        // To sell without minting is as if minting had no fee.
        let unminted = Market { index_fee_bps: 0, ..self.market };
        let stock = Wallet { basket: wallet.index, ..Wallet::default() };
        let gas = Gas { first: costs.trade, other: costs.trade };
        let found = self.trades(unminted, stock, u128::MAX, gas)?;
        if !found.trades.is_empty() {
            return Ok(planned(found, |found| Batch::SellStock { trades: found.trades }));
        }
        if full {
            return Ok(Err(Idle::FullInventory));
        }
        if self.seen.index.minting_paused {
            return Ok(Err(Idle::MintingPaused));
        }
        let gas = Gas { first: add(costs.mint, costs.trade)?, other: costs.trade };
        let baskets = Wallet { basket: wallet.basket, ..Wallet::default() };
        let found = self.trades(self.market, baskets, room, gas)?;
        if found.size < self.seen.index.minimum {
            return Ok(Err(Idle::NothingPays));
        }
        Ok(planned(found, |found| Batch::MintAndSell {
            tokens: Units(found.size),
            trades: found.trades,
        }))
    }

    /// Trades one after the other, each the best within the limits on what the others left.
    fn trades(
        &self,
        mut market: Market,
        mut wallet: Wallet,
        mut room: u128,
        gas: Gas,
    ) -> Result<Found> {
        let mut found = Found::default();
        for place in 0..self.rules.max_trades {
            market.gas = if place == 0 { gas.first } else { gas.other };
            let max_size = self.rules.limits.max_size.min(room);
            let limits = Limits { max_size, ..self.rules.limits };
            let Some(plan) = plan(&market, &wallet, &limits)? else { break };
            let (size, value, pays, gets, even) = match plan.action {
                Action::MintAndSell { tokens } => {
                    let pays = after_fee_floor(tokens, market.index_fee_bps)?;
                    let value = mul_div_ceil(tokens, market.nav_e18, UNIT_SCALE)?;
                    market.index_tokens = add(market.index_tokens, pays)?;
                    market.tao = sub(market.tao, plan.outcome.received)?;
                    wallet.basket = wallet.basket.saturating_sub(value);
                    (tokens, value, pays, plan.outcome.received, plan.outcome.spent)
                }
                Action::BuyAndRedeem { tao } => {
                    let fee = market.pair_fee_bps;
                    let bought = amount_out_floor(tao, market.tao, market.index_tokens, fee)?;
                    market.tao = add(market.tao, tao)?;
                    market.index_tokens = sub(market.index_tokens, bought)?;
                    wallet.tao = wallet.tao.saturating_sub(tao);
                    let even = self.redeemed_for_ceil(plan.outcome.spent)?;
                    (tao, worth_floor(bought, market.nav_e18)?, tao, bought, even)
                }
            };
            room = room.saturating_sub(value);
            found.size = add(found.size, size)?;
            found.profit = add(found.profit, plan.outcome.profit().unwrap_or(0))?;
            // Never what is a loss at NAV, fees and gas included: rather it keeps what it has.
            let least = self.least(gets)?.max(even).min(gets);
            found.trades.push(Trade { pays: Units(pays), gets: Units(gets), least: Units(least) });
        }
        Ok(found)
    }

    /// How many index tokens bring this value when they are redeemed.
    fn redeemed_for_ceil(&self, value: u128) -> std::result::Result<u128, MathError> {
        let left = mul_div_ceil(value, UNIT_SCALE, self.nav())?;
        mul_div_ceil(left, BPS, sub(BPS, self.market.index_fee_bps)?)
    }

    fn least(&self, gets: u128) -> std::result::Result<u128, MathError> {
        mul_div_floor(gets, sub(BPS, self.rules.slippage_bps)?, BPS)
    }

    /// Gives up index tokens of a value: sells them or redeems them, whichever brings more. A sale
    /// is one trade, so at most the largest size.
    fn give_up(&self, excess: u128) -> Result<Option<Planned>> {
        let (costs, market) = (self.moment.costs, self.market);
        let own = self.seen.purse.index;
        let tokens = |value| mul_div_ceil(value, UNIT_SCALE, self.nav());
        let to_sell = tokens(excess.min(self.rules.limits.max_size))?.min(own);
        let to_redeem = tokens(excess)?.max(self.seen.index.minimum).min(own);
        let sold = amount_out_floor(to_sell, market.index_tokens, market.tao, market.pair_fee_bps);
        let kept = after_fee_floor(to_redeem, market.index_fee_bps);
        let earned = |spent: u128, received: u128, gas| -> Result<i128> {
            Ok(net(&Outcome { spent: add(worth_floor(spent, self.nav())?, gas)?, received })?)
        };
        let sale = match sold {
            Ok(gets) => {
                let least = Units(self.least(gets)?);
                let trades = vec![Trade { pays: Units(to_sell), gets: Units(gets), least }];
                let profit = Units(earned(to_sell, gets, costs.trade)?);
                Some(Planned { batch: Batch::SellStock { trades }, profit })
            }
            Err(_) => None,
        };
        let redemption = match kept {
            Ok(kept) => {
                let profit = earned(to_redeem, worth_floor(kept, self.nav())?, costs.redeem)?;
                let (tokens, profit) = (Units(to_redeem), Units(profit));
                Some(Planned { batch: Batch::RedeemStock { tokens }, profit })
            }
            Err(_) => None,
        };
        Ok([sale, redemption].into_iter().flatten().max_by_key(|planned| planned.profit))
    }

    /// A mint and a redemption of it, if they are wanted and cheap enough.
    fn neutral(&self) -> Result<Option<Planned>> {
        let Some(neutral) = self.rules.neutral else { return Ok(None) };
        let index = &self.seen.index;
        let tokens = mul_div_floor(neutral.size, UNIT_SCALE, self.nav())?;
        let Ok(credited) = after_fee_floor(tokens, index.fee_bps) else { return Ok(None) };
        let Ok(left) = after_fee_floor(credited, index.fee_bps) else { return Ok(None) };
        let fees = mul_div_ceil(sub(tokens, left)?, self.nav(), UNIT_SCALE)?;
        let cost = sum([fees, self.moment.costs.mint, self.moment.costs.redeem])?;
        let possible = !index.minting_paused
            && tokens <= self.seen.mintable_floor()
            && credited >= index.minimum;
        if !possible || cost > neutral.max_cost {
            return Ok(None);
        }
        let profit = Units(net(&Outcome { spent: cost, received: 0 })?);
        Ok(Some(Planned { batch: Batch::NeutralVolume { tokens: Units(tokens) }, profit }))
    }
}

fn planned(found: Found, batch: impl FnOnce(Found) -> Batch) -> std::result::Result<Planned, Idle> {
    if found.trades.is_empty() {
        return Err(Idle::NothingPays);
    }
    let profit = Units(i128::try_from(found.profit).unwrap_or(i128::MAX));
    Ok(Planned { batch: batch(found), profit })
}

/// What is earned or lost.
fn net(outcome: &Outcome) -> std::result::Result<i128, MathError> {
    let [spent, received] =
        [outcome.spent, outcome.received].map(|units| i128::try_from(units).ok());
    received.zip(spent).and_then(|(got, gave)| got.checked_sub(gave)).ok_or(MathError::Overflow)
}

/// The most of each holding that a mint may take: what it takes now, and the slippage more.
///
/// # Errors
/// [`ArbitrageError`].
pub fn mint_limits(seen: &Seen, tokens: u128, rules: &Rules) -> Result<Vec<u128>> {
    let index = &seen.index;
    let amounts = cicada_core::basket::holdings::amounts_to_mint_ceil(
        &index.holdings,
        index.supply,
        tokens,
        false,
    )?;
    let more = |amount| with_margin_ceil(amount, rules.slippage_bps);
    Ok(amounts.into_iter().map(more).collect::<std::result::Result<_, _>>()?)
}

/// The least of each holding that a redemption must pay.
///
/// # Errors
/// [`ArbitrageError`].
pub fn redeem_limits(seen: &Seen, tokens: u128, rules: &Rules) -> Result<Vec<u128>> {
    let index = &seen.index;
    let left = after_fee_floor(tokens, index.fee_bps)?;
    let amounts = cicada_core::basket::holdings::amounts_to_redeem_floor(
        &index.holdings,
        index.supply,
        left,
    )?;
    let kept = sub(BPS, rules.slippage_bps)?;
    let less = |amount| mul_div_floor(amount, kept, BPS);
    Ok(amounts.into_iter().map(less).collect::<std::result::Result<_, _>>()?)
}

#[cfg(test)]
mod tests;
