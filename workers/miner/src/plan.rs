//! What a miner does about what it sees: pure, so that it can be tested without a chain.
//!
//! One look gives at most one [`Batch`]: several trades in one direction, each within the limits,
//! each planned on the pool that the ones before it leave. What needs no market, minting and
//! redeeming, is done once for all of them.

use crate::gas::Costs;
use crate::seen::{total, with_margin_ceil, worth_floor, Seen, UNIT_SCALE};
use cicada_core::arbitrage::{
    inventory, plan, spread_bps_toward_zero, Action, ArbitrageError, Halt, Inventory, Limits,
    Market, Outcome, Wallet,
};
use cicada_core::basket::after_fee_floor;
use cicada_core::fixed::{add, mul_div_ceil, mul_div_floor, sub, sum, MathError, BPS};
use cicada_core::pair::{amount_out_floor, price_e18_floor, PoolError};
use serde::Serialize;

/// What the configuration says about trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Sizes, inventory and losses.
    pub limits: Limits,
    /// The most trades of one look.
    pub max_trades: u32,
    /// How much worse than planned a transaction may turn out, in bps.
    pub slippage_bps: u128,
    /// Volume for its own sake, if it is wanted.
    pub neutral: Option<Neutral>,
}

/// Mints and redemptions of the same amount, which move no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neutral {
    /// The value that is minted, in units of TAO.
    pub size: u128,
    /// The time from one to the next.
    pub every_ms: u64,
    /// The most that it may cost in fees and gas, in units of TAO.
    pub max_cost: u128,
}

/// A trade in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Trade {
    /// What is paid in: index tokens of a sale, TAO of a purchase.
    #[serde(with = "crate::tao::text")]
    pub pays: u128,
    /// What should come out.
    #[serde(with = "crate::tao::text")]
    pub gets: u128,
    /// The least that is accepted.
    #[serde(with = "crate::tao::text")]
    pub least: u128,
}

/// What to do now. Index tokens and TAO in smallest units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Batch {
    /// Mint, then sell what the fee leaves.
    MintAndSell {
        /// Index tokens that are paid for.
        #[serde(with = "crate::tao::text")]
        tokens: u128,
        /// The sales.
        trades: Vec<Trade>,
    },
    /// Buy, then redeem what was bought.
    BuyAndRedeem {
        /// The purchases.
        trades: Vec<Trade>,
    },
    /// Sell index tokens that are there already.
    SellStock {
        /// The sales.
        trades: Vec<Trade>,
    },
    /// Redeem index tokens that are there already.
    RedeemStock {
        /// How many.
        #[serde(with = "crate::tao::text")]
        tokens: u128,
    },
    /// Mint, and redeem what the fee leaves.
    NeutralVolume {
        /// Index tokens that are paid for.
        #[serde(with = "crate::tao::text")]
        tokens: u128,
    },
}

impl Batch {
    /// Its kind, in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MintAndSell { .. } => "mint_and_sell",
            Self::BuyAndRedeem { .. } => "buy_and_redeem",
            Self::SellStock { .. } => "sell_stock",
            Self::RedeemStock { .. } => "redeem_stock",
            Self::NeutralVolume { .. } => "neutral_volume",
        }
    }
}

/// Why nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Idle {
    /// There is no settled NAV, or it is too old.
    NoFreshNav,
    /// The pool is empty.
    EmptyPool,
    /// The index has no tokens yet: the first mint is not ours.
    NoSupply,
    /// The losses of the day have reached their limit.
    DailyLoss,
    /// The losses in all have reached their limit; `miner resume` ends that.
    StopLoss,
    /// The price is near enough to NAV.
    SmallSpread,
    /// Too many index tokens to take on more.
    FullInventory,
    /// Minting is paused.
    MintingPaused,
    /// No trade within the limits earns more than it costs.
    NothingPays,
}

impl From<Halt> for Idle {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::DailyLoss => Self::DailyLoss,
            Halt::StopLoss => Self::StopLoss,
        }
    }
}

/// What a look comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The market price, at scale 10¹⁸.
    #[serde(with = "crate::tao::text")]
    pub price_e18: u128,
    /// `(price − NAV) / NAV` in bps, rounded towards zero.
    pub spread_bps: i128,
    /// What to do, and what that should earn after fees and gas in units of TAO; negative for
    /// giving up inventory and for neutral volume.
    pub batch: Option<Planned>,
    /// Why nothing is done, if so.
    pub idle: Option<Idle>,
}

/// A batch and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// What to do.
    #[serde(flatten)]
    pub batch: Batch,
    /// In units of TAO, net.
    #[serde(with = "crate::tao::text")]
    pub profit: i128,
}

/// What a plan depends on besides the chain and the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The NAV, at scale 10¹⁸; 0 if there is none that is fresh.
    pub nav_e18: u128,
    /// What transactions cost.
    pub costs: Costs,
    /// Whether losses have reached a limit.
    pub halt: Option<Halt>,
    /// Whether it is time for neutral volume.
    pub neutral_due: bool,
}

type Result<T> = std::result::Result<T, ArbitrageError>;

/// What to do now.
///
/// # Errors
/// [`ArbitrageError`] if a calculation has no result.
pub fn decide(seen: &Seen, rules: &Rules, moment: &Moment) -> Result<Decision> {
    let nothing = |idle| Decision { price_e18: 0, spread_bps: 0, batch: None, idle: Some(idle) };
    let price_e18 = match price_e18_floor(seen.pool.b, seen.pool.a) {
        Err(PoolError::InsufficientLiquidity) => return Ok(nothing(Idle::EmptyPool)),
        other => other?,
    };
    if moment.nav_e18 == 0 {
        return Ok(Decision { price_e18, ..nothing(Idle::NoFreshNav) });
    }
    let spread_bps = spread_bps_toward_zero(price_e18, moment.nav_e18)?;
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
        Ok(planned(found, |found| Batch::MintAndSell { tokens: found.size, trades: found.trades }))
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
            let (size, value, pays, gets) = match plan.action {
                Action::MintAndSell { tokens } => {
                    let pays = after_fee_floor(tokens, market.index_fee_bps)?;
                    let value = mul_div_ceil(tokens, market.nav_e18, UNIT_SCALE)?;
                    market.index_tokens = add(market.index_tokens, pays)?;
                    market.tao = sub(market.tao, plan.outcome.received)?;
                    wallet.basket = wallet.basket.saturating_sub(value);
                    (tokens, value, pays, plan.outcome.received)
                }
                Action::BuyAndRedeem { tao } => {
                    let fee = market.pair_fee_bps;
                    let bought = amount_out_floor(tao, market.tao, market.index_tokens, fee)?;
                    market.tao = add(market.tao, tao)?;
                    market.index_tokens = sub(market.index_tokens, bought)?;
                    wallet.tao = wallet.tao.saturating_sub(tao);
                    (tao, worth_floor(bought, market.nav_e18)?, tao, bought)
                }
            };
            room = room.saturating_sub(value);
            found.size = add(found.size, size)?;
            found.profit = add(found.profit, plan.outcome.profit().unwrap_or(0))?;
            found.trades.push(Trade { pays, gets, least: self.least(gets)? });
        }
        Ok(found)
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
                let trades = vec![Trade { pays: to_sell, gets, least: self.least(gets)? }];
                let profit = earned(to_sell, gets, costs.trade)?;
                Some(Planned { batch: Batch::SellStock { trades }, profit })
            }
            Err(_) => None,
        };
        let redemption = match kept {
            Ok(kept) => {
                let profit = earned(to_redeem, worth_floor(kept, self.nav())?, costs.redeem)?;
                Some(Planned { batch: Batch::RedeemStock { tokens: to_redeem }, profit })
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
        let profit = net(&Outcome { spent: cost, received: 0 })?;
        Ok(Some(Planned { batch: Batch::NeutralVolume { tokens }, profit }))
    }
}

fn planned(found: Found, batch: impl FnOnce(Found) -> Batch) -> std::result::Result<Planned, Idle> {
    if found.trades.is_empty() {
        return Err(Idle::NothingPays);
    }
    let profit = i128::try_from(found.profit).unwrap_or(i128::MAX);
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
