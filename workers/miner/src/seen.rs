//! What the chain shows at one look, and what it is worth.

use cicada_core::arbitrage::{Market, Wallet};
use cicada_core::basket::holdings::Holding;
use cicada_core::fixed::{add, mul_div_floor, sum, MathError};
use cicada_core::nav::{
    is_stale, value_floor, Position, Record, INDEX_UNITS_PER_TAO_UNIT, ONE_E18,
};
use cicada_core::pair::Pool;

/// Value of one unit of the index token is NAV divided by this, in units of TAO.
pub const UNIT_SCALE: u128 = ONE_E18.saturating_mul(INDEX_UNITS_PER_TAO_UNIT);

/// The index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// What it holds; limits of mints and redemptions stand in this order.
    pub holdings: Vec<Holding>,
    /// Index tokens, in smallest units.
    pub supply: u128,
    /// Fee of a mint or a redemption.
    pub fee_bps: u128,
    /// The least that is minted or redeemed, in units of the index token.
    pub minimum: u128,
    /// Whether nobody can mint.
    pub minting_paused: bool,
    /// The newest settled NAV.
    pub nav: Option<Record>,
}

/// What the miner's account has, in smallest units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    /// TAO.
    pub tao: u128,
    /// Index tokens.
    pub index: u128,
    /// Subnet tokens, in the order of the holdings.
    pub basket: Vec<u128>,
}

/// Everything that a plan depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The final block that was read.
    pub block: u64,
    /// The index.
    pub index: Index,
    /// The pool: index tokens, TAO, shares.
    pub pool: Pool,
    /// Fee of a trade in the pool.
    pub pair_fee_bps: u128,
    /// What the miner has.
    pub purse: Purse,
}

impl Seen {
    /// The newest NAV, unless it is out of date at `now_ms`: by the contract's 300 s, or by less
    /// if `max_age_ms` is less.
    pub fn fresh_nav(&self, max_age_ms: u64, now_ms: u64) -> Option<u128> {
        let record = self.index.nav?;
        let young = now_ms.saturating_sub(record.time_ms) <= max_age_ms;
        (young && !is_stale(record.time_ms, now_ms)).then_some(record.nav_e18)
    }

    /// The market, without gas.
    pub fn market(&self, nav_e18: u128) -> Market {
        Market {
            nav_e18,
            tao: self.pool.b,
            index_tokens: self.pool.a,
            pair_fee_bps: self.pair_fee_bps,
            index_fee_bps: self.index.fee_bps,
            gas: 0,
        }
    }

    /// Index tokens that can be minted from what the miner has of all subnet tokens, rounded down.
    pub fn mintable_floor(&self) -> u128 {
        let held = self.index.holdings.iter().map(|holding| holding.amount);
        let limits = held.zip(&self.purse.basket).filter(|(held, _)| *held > 0);
        let limits = limits.map(|(held, own)| {
            // More than can be told is no limit.
            mul_div_floor(*own, self.index.supply, held).unwrap_or(u128::MAX)
        });
        limits.min().unwrap_or(0).min(self.index.supply)
    }

    /// What the miner can act with: TAO, complete baskets, index tokens.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn wallet(&self, nav_e18: u128) -> Result<Wallet, MathError> {
        Ok(Wallet {
            tao: self.purse.tao,
            basket: worth_floor(self.mintable_floor(), nav_e18)?,
            index: worth_floor(self.purse.index, nav_e18)?,
        })
    }

    /// What the miner has, subnet tokens outside of complete baskets included.
    ///
    /// They count at the prices of the newest basket, scaled so that all that the index holds is
    /// worth its NAV: then a mint or a redemption changes nothing, and a change of the basket does
    /// not look like a loss. Without any such price, complete baskets count.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn wealth(&self, nav_e18: u128) -> Result<Wallet, MathError> {
        let wallet = self.wallet(nav_e18)?;
        let at_prices = |amounts: &mut dyn Iterator<Item = u128>| {
            let holdings = self.index.holdings.iter();
            let position =
                |(held, holding): (&Holding, u128)| Position { holding, price_e18: held.price_e18 };
            let positions: Vec<Position> = holdings.zip(amounts).map(position).collect();
            value_floor(&positions)
        };
        let of_index = at_prices(&mut self.index.holdings.iter().map(|held| held.amount))?;
        if of_index == 0 {
            return Ok(wallet);
        }
        let own = at_prices(&mut self.purse.basket.iter().copied())?;
        let index = worth_floor(self.index.supply, nav_e18)?;
        Ok(Wallet { basket: mul_div_floor(own, index, of_index)?, ..wallet })
    }
}

/// The value of index tokens in units of TAO, rounded down.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn worth_floor(tokens: u128, nav_e18: u128) -> Result<u128, MathError> {
    mul_div_floor(tokens, nav_e18, UNIT_SCALE)
}

/// Everything in a wallet.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn total(wallet: &Wallet) -> Result<u128, MathError> {
    sum([wallet.tao, wallet.basket, wallet.index])
}

/// `amount` and `bps` of it more, rounded up.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn with_margin_ceil(amount: u128, bps: u128) -> Result<u128, MathError> {
    add(amount, cicada_core::fixed::mul_div_ceil(amount, bps, cicada_core::fixed::BPS)?)
}

#[cfg(test)]
mod tests;
