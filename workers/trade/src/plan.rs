//! What a trade would come to, before anything is sent.

use crate::{Error, Snapshot};
use cicada_core::exchange::{Level, Side, MAX_FILLS, TICK};
use cicada_core::fixed::{mul_div_ceil, mul_div_floor, MathError};
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;

/// Basis points of the whole.
const WHOLE_BPS: u16 = 10_000;

impl From<MathError> for Error {
    fn from(_: MathError) -> Self {
        Self::Overflow
    }
}

/// The worst that somebody accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many basis points worse than what is expected now, at most 10,000.
    Bps(u16),
    /// The most that a purchase may cost, or the least that a sale must yield.
    Value(u128),
}

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Which token.
    pub framework: Framework,
    /// Whether to buy or sell.
    pub side: Side,
    /// Tokens.
    pub amount: u128,
    /// The worst that he accepts.
    pub limit: Limit,
}

/// What a trade would come to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Paid or received.
    pub value: u128,
    /// Those of the tokens that would be traded with the market maker.
    pub at_quote: u128,
    /// Whether it is exact. Where more orders rest at a price than one call fills, it may turn out
    /// better for who trades.
    pub exact: bool,
}

/// What a trade would come to at a quote, with these levels of the side that it meets, the best
/// first.
///
/// # Errors
/// [`Error::ZeroPrice`], [`Error::Overflow`].
pub fn expected(
    side: Side,
    amount: u128,
    quote: &Quote,
    levels: &[Level],
) -> Result<Expected, Error> {
    let price = side.quoted(quote).ok_or_else(|| Error::ZeroPrice(quote.framework.clone()))?;
    let reached = |level: &&Level| side.accepts(price, level.price);
    let (mut left, mut value, mut exact) = (amount, 0u128, true);
    let mut fills = MAX_FILLS;
    for level in levels.iter().take_while(reached) {
        if left == 0 || fills == 0 {
            break;
        }
        // How the tokens spread over a level's orders is not known: all of it or none.
        let Some(after) = fills.checked_sub(level.orders) else {
            exact = false;
            break;
        };
        let taken = level.amount.min(left);
        value = sum(value, level.price, taken)?;
        (left, fills) = (left - taken, after);
    }
    Ok(Expected { value: sum(value, price, left)?, at_quote: left, exact })
}

/// `so_far + price · amount`.
fn sum(so_far: u128, price: u128, amount: u128) -> Result<u128, Error> {
    let value = price.checked_mul(amount).ok_or(Error::Overflow)?;
    so_far.checked_add(value).ok_or(Error::Overflow)
}

/// The worst value that is accepted of an expected one. Rounded so that it is never worse than
/// asked for: down for a purchase, up for a sale.
///
/// # Errors
/// [`Error::Overflow`].
pub fn limit(side: Side, expected: u128, limit: Limit) -> Result<u128, Error> {
    let whole = u128::from(WHOLE_BPS);
    Ok(match (limit, side) {
        (Limit::Value(value), _) => value,
        (Limit::Bps(bps), Side::Buy) => {
            mul_div_floor(expected, whole.saturating_add(bps.into()), whole)?
        }
        (Limit::Bps(bps), Side::Sell) => {
            mul_div_ceil(expected, whole.saturating_sub(bps.into()), whole)?
        }
    })
}

/// What the exchange takes of a token for a trade or an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The contract of MMC, or of the performance token.
    pub token: Account,
    /// At most this, in its smallest units.
    pub amount: u128,
    /// How much more than now the account has to allow first; 0 if it allows enough.
    pub more: u128,
}

/// A trade that can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is wanted.
    pub intent: Intent,
    /// The quote that it is reckoned at.
    pub quote: Quote,
    /// What it would come to now.
    pub expected: Expected,
    /// The most that a purchase may cost, or the least that a sale must yield.
    pub limit: u128,
    /// What the exchange takes for it.
    pub need: Need,
}

/// An order that can be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPlan {
    /// Which token.
    pub framework: Framework,
    /// Whether to buy or sell.
    pub side: Side,
    /// Base units of MMC for one token.
    pub price: u128,
    /// Tokens.
    pub amount: u128,
    /// What the exchange takes for it.
    pub need: Need,
}

impl Snapshot<'_> {
    /// Plans a trade of an account: everything that would make it fail and can be known is found
    /// before anything is sent.
    ///
    /// # Errors
    /// [`Error::Paused`], [`Error::NotListed`], [`Error::NoQuote`], [`Error::Stale`],
    /// [`Error::ZeroPrice`], [`Error::ZeroAmount`], [`Error::Room`], [`Error::OutsideLimit`],
    /// [`Error::TooPoor`], [`Error::Overflow`].
    pub async fn plan(&self, owner: &Account, intent: Intent) -> Result<Plan, Error> {
        let Intent { framework, side, amount, .. } = &intent;
        let view = self.view(framework).await?;
        let quote = view.tradable()?.clone();
        if *amount == 0 {
            return Err(Error::ZeroAmount);
        }
        let met = match side {
            Side::Buy => &view.asks,
            Side::Sell => &view.bids,
        };
        let expected = expected(*side, *amount, &quote, met)?;
        let limit = limit(*side, expected.value, intent.limit)?;
        inside(*side, expected.value, limit)?;
        let need = match side {
            Side::Buy => self.need(owner, self.exchange.mmc, expected.value, limit).await?,
            Side::Sell => self.need(owner, view.market.token, *amount, *amount).await?,
        };
        // Only where it is certain: the chain decides the rest.
        let room = self.room(framework, *side, owner).await?;
        if expected.exact && expected.at_quote > room {
            let (amount, room) = (expected.at_quote, room);
            return Err(Error::Room { framework: framework.clone(), amount, room });
        }
        Ok(Plan { quote, expected, limit, need, intent })
    }

    /// Plans an order of an account.
    ///
    /// # Errors
    /// [`Error::Paused`], [`Error::NotListed`], [`Error::ZeroAmount`], [`Error::BadPrice`],
    /// [`Error::TooPoor`], [`Error::Overflow`].
    pub async fn plan_order(
        &self,
        owner: &Account,
        framework: Framework,
        side: Side,
        price: u128,
        amount: u128,
    ) -> Result<OrderPlan, Error> {
        if !self.terms().await?.gate.is_open(self.now_ms) {
            return Err(Error::Paused);
        }
        if amount == 0 {
            return Err(Error::ZeroAmount);
        }
        if price == 0 || !price.is_multiple_of(TICK) {
            return Err(Error::BadPrice { tick: cicada_amounts::mmc(TICK) });
        }
        let market = self.market(&framework).await?;
        let need = match side {
            Side::Buy => {
                let cost = price.checked_mul(amount).ok_or(Error::Overflow)?;
                self.need(owner, self.exchange.mmc, cost, cost).await?
            }
            Side::Sell => self.need(owner, market.token, amount, amount).await?,
        };
        Ok(OrderPlan { framework, side, price, amount, need })
    }

    /// What has to be allowed so that the exchange may take `amount` base units of MMC.
    ///
    /// # Errors
    /// [`Error::TooPoor`].
    pub async fn mmc_need(&self, owner: &Account, amount: u128) -> Result<Need, Error> {
        self.need(owner, self.exchange.mmc, amount, amount).await
    }

    /// What of a token is needed: `amount` is there, `most` is allowed.
    async fn need(
        &self,
        owner: &Account,
        token: Account,
        amount: u128,
        most: u128,
    ) -> Result<Need, Error> {
        let has = self.balance(&token, owner).await?;
        if has < amount {
            let (shown, unit): (fn(u128) -> String, _) = match token == self.exchange.mmc {
                true => (cicada_amounts::mmc, "MMC"),
                false => (cicada_amounts::thousands, "performance tokens"),
            };
            let (needed, has) = (shown(amount), shown(has));
            return Err(Error::TooPoor { needed, has, unit: unit.into() });
        }
        let more = most.saturating_sub(self.allowance(&token, owner).await?);
        Ok(Need { token, amount: most, more })
    }
}

/// Checks an expected value against a limit.
fn inside(side: Side, expected: u128, limit: u128) -> Result<(), Error> {
    let (bad, verb, option) = match side {
        Side::Buy => (expected > limit, "costs", "--max-cost"),
        Side::Sell => (expected < limit, "yields", "--min-proceeds"),
    };
    if bad {
        let [expected, limit] = [expected, limit].map(cicada_amounts::mmc);
        return Err(Error::OutsideLimit { verb, expected, limit, option });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quote() -> Quote {
        Quote::new(Framework::new("claude").unwrap(), 50_000, 0, 1)
    }

    fn level(price: u128, amount: u128, orders: u32) -> Level {
        Level { price, amount, orders }
    }

    fn come_to(side: Side, amount: u128, levels: &[Level]) -> (u128, u128, bool) {
        let expected = expected(side, amount, &quote(), levels).unwrap();
        (expected.value, expected.at_quote, expected.exact)
    }

    #[test]
    fn without_orders_the_market_maker_trades_all() {
        // 1,000 tokens at 50.50 and at 49.50: the example of requirements 000-28 and 000-29.
        assert_eq!(come_to(Side::Buy, 1_000, &[]), (50_500_000_000, 1_000, true));
        assert_eq!(come_to(Side::Sell, 1_000, &[]), (49_500_000_000, 1_000, true));
    }

    #[test]
    fn better_orders_come_first_and_worse_ones_not_at_all() {
        let asks = [level(50_000_000, 10, 2), level(50_500_000, 5, 1), level(51_000_000, 99, 1)];
        let value = 10 * 50_000_000 + 5 * 50_500_000 + 5 * 50_500_000;
        assert_eq!(come_to(Side::Buy, 20, &asks), (value, 5, true));
        assert_eq!(come_to(Side::Buy, 4, &asks), (4 * 50_000_000, 0, true));
        let bids = [level(50_000_000, 3, 1), level(49_000_000, 99, 1)];
        assert_eq!(come_to(Side::Sell, 5, &bids), (3 * 50_000_000 + 2 * 49_500_000, 2, true));
    }

    #[test]
    fn where_fills_run_out_the_worst_is_expected() {
        let asks = [level(50_000_000, 10, 8), level(50_100_000, 10, 1)];
        assert_eq!(come_to(Side::Buy, 20, &asks), (500_000_000 + 505_000_000, 10, true));
        let crowded = [level(50_000_000, 10, 9)];
        assert_eq!(come_to(Side::Buy, 10, &crowded), (505_000_000, 10, false));
        let too_much = expected(Side::Buy, u128::MAX, &quote(), &[]);
        assert!(matches!(too_much, Err(Error::Overflow)));
    }

    #[test]
    fn limits_are_never_worse_than_asked_for() {
        let of = |side, value, bps| limit(side, value, Limit::Bps(bps)).unwrap();
        assert_eq!(of(Side::Buy, 50_500, 100), 51_005);
        assert_eq!(of(Side::Buy, 99, 100), 99, "down");
        assert_eq!(of(Side::Sell, 49_500, 100), 49_005);
        assert_eq!(of(Side::Sell, 99, 100), 99, "up");
        assert_eq!(of(Side::Sell, 99, 10_000), 0);
        assert_eq!(limit(Side::Buy, 5, Limit::Value(7)).unwrap(), 7);
        assert!(inside(Side::Buy, 8, 7).is_err() && inside(Side::Buy, 7, 7).is_ok());
        let error = inside(Side::Sell, 6_000_000, 7_500_000).unwrap_err().to_string();
        assert_eq!(error, "it yields 6 MMC now and the limit is 7.5 MMC: change --min-proceeds");
    }

    proptest! {
        #[test]
        fn nothing_is_expected_to_be_worse_than_the_quote(
            amount in 1u128..10_000,
            levels in prop::collection::vec((1u128..100, 1u128..500, 1u32..4), 0..12),
            buy: bool,
        ) {
            let side = if buy { Side::Buy } else { Side::Sell };
            let mut levels: Vec<Level> = levels
                .into_iter()
                .map(|(price, amount, orders)| level(price * 1_000_000, amount, orders))
                .collect();
            levels.sort_by_key(|level| level.price);
            if !buy {
                levels.reverse();
            }
            let (value, at_quote, _) = come_to(side, amount, &levels);
            prop_assert!(at_quote <= amount);
            match side {
                Side::Buy => prop_assert!(value <= amount * quote().ask),
                Side::Sell => prop_assert!(value >= amount * quote().bid),
            }
        }
    }
}
