//! The pool: constant product, a fee that stays in it, shares.

use cicada_core::fixed::product;
use cicada_core::pair::PoolError;
use cicada_traits::pair::PairError;

use super::{ceil, floor, floor_or_most, Answer, Done, Model};
use crate::op::PoolOp;
use crate::people::{Coin, Who};

/// The fee of a trade.
pub const FEE_BPS: u16 = 30;
/// Shares of the first deposit that are nobody's.
const LOCKED: u128 = 1_000;
/// The most that a reserve may hold.
const MOST: u128 = (1 << 112) - 1;
/// The two tokens: the first is the one with a price.
const COINS: [Coin; 2] = [Coin::Tao20, Coin::Tao];

/// The pool.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    pub reserves: [u128; 2],
    pub shares: u128,
    /// Price times milliseconds, up to a time.
    pub sum_e18: u128,
    pub summed_ms: u64,
}

impl Pool {
    /// The price of an index token at scale 10¹⁸; none of an empty pool.
    fn price_e18(&self) -> u128 {
        let [tokens, tao] = self.reserves;
        if tokens == 0 {
            return 0;
        }
        let scaled = product(tao, 1_000_000_000_000_000_000_000_000_000);
        u128::try_from(scaled / product(tokens, 1)).unwrap_or(u128::MAX)
    }

    /// The sum up to now.
    pub fn sum_at(&self, now_ms: u64) -> u128 {
        let more = self.price_e18().wrapping_mul(u128::from(now_ms - self.summed_ms));
        self.sum_e18.wrapping_add(more)
    }

    fn sum_up(&mut self, now_ms: u64) {
        (self.sum_e18, self.summed_ms) = (self.sum_at(now_ms), now_ms);
    }
}

impl Model {
    pub(super) fn trade(&mut self, op: &PoolOp) -> Answer {
        match op {
            PoolOp::Add { by, most, least, deadline_ms } => {
                self.in_pool_time(*deadline_ms)?;
                Ok(Done::Amount(self.add_liquidity(*by, *most, *least)?))
            }
            PoolOp::Remove { by, shares, least, deadline_ms } => {
                self.in_pool_time(*deadline_ms)?;
                let [a, b] = self.remove_liquidity(*by, *shares, *least)?;
                Ok(Done::Amounts(a, b))
            }
            PoolOp::Sell { by, coin, amount, least, deadline_ms } => {
                self.in_pool_time(*deadline_ms)?;
                let side = side(*coin)?;
                let out = self.quote_out(side, *amount).map_err(PairError::Pool)?;
                if out < *least {
                    return Err(PairError::TooLittle.into());
                }
                self.exchange(*by, side, *amount, out)?;
                Ok(Done::Amount(out))
            }
            PoolOp::Buy { by, coin, amount, most, deadline_ms } => {
                self.in_pool_time(*deadline_ms)?;
                let side = side(*coin)?;
                let cost = self.quote_in(side, *amount).map_err(PairError::Pool)?;
                if cost > *most {
                    return Err(PairError::TooMuch.into());
                }
                self.exchange(*by, side, cost, *amount)?;
                Ok(Done::Amount(cost))
            }
            PoolOp::Skim { to, .. } => self.skim(*to),
        }
    }

    fn in_pool_time(&self, deadline_ms: u64) -> Result<(), PairError> {
        if self.now_ms >= deadline_ms {
            return Err(PairError::TooLate);
        }
        Ok(())
    }

    fn add_liquidity(&mut self, by: Who, most: [u128; 2], least: u128) -> Result<u128, PairError> {
        let Pool { reserves, shares: before, .. } = self.pool;
        let (amounts, shares, locked) = if before == 0 {
            let root = u128::try_from(product(most[0], most[1]).integer_sqrt()).expect("fits");
            (most, root.saturating_sub(LOCKED), LOCKED)
        } else {
            // A limit for more shares than can be told does not bind.
            let by_each = [0, 1].map(|side| floor_or_most(most[side], before, reserves[side]));
            let shares = by_each[0].min(by_each[1]);
            ([0, 1].map(|side| ceil(shares, reserves[side], before)), shares, 0)
        };
        if shares == 0 {
            return Err(PoolError::ZeroAmount.into());
        }
        if [0, 1].iter().any(|side| reserves[*side] + amounts[*side] > MOST) {
            return Err(PoolError::ReserveTooLarge.into());
        }
        if shares < least {
            return Err(PairError::TooLittle);
        }
        self.pool.sum_up(self.now_ms);
        for side in [0, 1] {
            if !self.pull(COINS[side], by, Who::Pair, amounts[side]) {
                return Err(PairError::TokenRefused);
            }
            self.pool.reserves[side] += amounts[side];
        }
        self.pool.shares += shares + locked;
        self.put(Coin::Share, by, shares);
        self.put(Coin::Share, Who::Pair, locked);
        Ok(shares)
    }

    fn remove_liquidity(
        &mut self,
        by: Who,
        shares: u128,
        least: [u128; 2],
    ) -> Result<[u128; 2], PairError> {
        let Pool { reserves, shares: before, .. } = self.pool;
        if !self.take(Coin::Share, by, shares) {
            return Err(PairError::InsufficientShares);
        }
        if shares == 0 {
            return Err(PoolError::ZeroAmount.into());
        }
        let amounts = reserves.map(|reserve| floor(shares, reserve, before));
        if amounts[0] < least[0] || amounts[1] < least[1] {
            return Err(PairError::TooLittle);
        }
        self.pool.sum_up(self.now_ms);
        self.pool.shares -= shares;
        for side in [0, 1] {
            self.pool.reserves[side] -= amounts[side];
            if !self.pay(COINS[side], Who::Pair, by, amounts[side]) {
                return Err(PairError::TokenRefused);
            }
        }
        Ok(amounts)
    }

    /// What an amount buys.
    pub fn quote_out(&self, side: usize, amount: u128) -> Result<u128, PoolError> {
        let (into, from) = (self.pool.reserves[side], self.pool.reserves[1 - side]);
        if amount == 0 {
            return Err(PoolError::ZeroAmount);
        }
        if into == 0 || from == 0 {
            return Err(PoolError::InsufficientLiquidity);
        }
        if into + amount > MOST {
            return Err(PoolError::ReserveTooLarge);
        }
        let kept = amount * u128::from(10_000 - FEE_BPS);
        match floor(from, kept, into * 10_000 + kept) {
            0 => Err(PoolError::ZeroAmount),
            out => Ok(out),
        }
    }

    /// What an amount costs.
    pub fn quote_in(&self, side: usize, amount: u128) -> Result<u128, PoolError> {
        let (into, from) = (self.pool.reserves[side], self.pool.reserves[1 - side]);
        if amount == 0 {
            return Err(PoolError::ZeroAmount);
        }
        if into == 0 || from == 0 || amount >= from {
            return Err(PoolError::InsufficientLiquidity);
        }
        let cost = ceil(into, amount * 10_000, (from - amount) * u128::from(10_000 - FEE_BPS));
        if into + cost > MOST {
            return Err(PoolError::ReserveTooLarge);
        }
        Ok(cost)
    }

    fn exchange(&mut self, by: Who, side: usize, paid: u128, out: u128) -> Result<(), PairError> {
        self.pool.sum_up(self.now_ms);
        let done = self.pull(COINS[side], by, Who::Pair, paid)
            && self.pay(COINS[1 - side], Who::Pair, by, out);
        if !done {
            return Err(PairError::TokenRefused);
        }
        self.pool.reserves[side] += paid;
        self.pool.reserves[1 - side] -= out;
        Ok(())
    }

    fn skim(&mut self, to: Who) -> Answer {
        if COINS.iter().any(|coin| self.is_frozen(*coin)) {
            return Err(PairError::TokenRefused.into());
        }
        let surplus =
            [0, 1].map(|side| self.balance(COINS[side], Who::Pair) - self.pool.reserves[side]);
        for side in [0, 1] {
            if !self.pay(COINS[side], Who::Pair, to, surplus[side]) {
                return Err(PairError::TokenRefused.into());
            }
        }
        Ok(Done::Amounts(surplus[0], surplus[1]))
    }
}

/// Which of the two a token is.
fn side(coin: Coin) -> Result<usize, PairError> {
    COINS.iter().position(|one| *one == coin).ok_or(PairError::UnknownToken)
}
