//! The market of a framework at one block.

use crate::{Error, Snapshot};
use cicada_contracts::types::ExchangeTerms;
use cicada_core::exchange::maker::{is_fresh, Offer, Position};
use cicada_core::exchange::{Gate, Level, Limits, MakerTerms, Market, Schedule, Side};
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;

/// A market as people look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketView {
    /// Which token.
    pub framework: Framework,
    /// The block at which it was read.
    pub block: u64,
    /// When it was looked at, in milliseconds since 1970.
    pub now_ms: u64,
    /// Parameters of the exchange.
    pub terms: ExchangeTerms,
    /// Reserve, tokens, volume.
    pub market: Market,
    /// The newest quote, also if it is stale.
    pub quote: Option<Quote>,
    /// Levels of resting orders that buy, the highest first.
    pub bids: Vec<Level>,
    /// Levels of resting orders that sell, the lowest first.
    pub asks: Vec<Level>,
}

/// A price level of one side, or the market maker's price among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Base units of MMC for one token.
    pub price: u128,
    /// Tokens; of the market maker what it trades at most now.
    pub amount: u128,
    /// How many orders; none is the market maker.
    pub orders: Option<u32>,
}

impl Snapshot<'_> {
    /// Everything about a market.
    ///
    /// # Errors
    /// [`Error::NotListed`].
    pub async fn view(&self, framework: &Framework) -> Result<MarketView, Error> {
        let (terms, market, quote, bids, asks) = futures::try_join!(
            self.terms(),
            self.market(framework),
            self.newest_quote(framework),
            self.depth(framework, Side::Buy),
            self.depth(framework, Side::Sell),
        )?;
        let (framework, block, now_ms) = (framework.clone(), self.block, self.now_ms);
        Ok(MarketView { framework, block, now_ms, terms, market, quote, bids, asks })
    }
}

impl MarketView {
    /// An example for documentation and tests: 50,000 points, 1,000 tokens, a reserve of 5,050,000 MMC,
    /// of whose hundredth 30,300 MMC were risked in the last hour.
    #[doc(hidden)]
    #[allow(clippy::missing_panics_doc)]
    pub fn example() -> Self {
        let framework = Framework::new("claude").expect("a name");
        let level = |price: u128, amount, orders| Level { price: price * 10_000, amount, orders };
        Self {
            block: 7,
            now_ms: 601_000,
            terms: ExchangeTerms {
                currency: Account([1; 32]),
                leaderboard: Account([2; 32]),
                token_code: [3; 32],
                maker: Schedule {
                    present: MakerTerms {
                        max_quote_age_ms: 600_001,
                        limits: Limits { max_outstanding: 1_000_000, ..Limits::DEFAULT },
                    },
                    next: None,
                },
                gate: Gate::OPEN,
                markets: 1,
            },
            market: Market {
                token: Account([4; 32]),
                reserve: 5_050_000_000_000,
                outstanding: 1_000,
                volume_24h: 1_000,
                risked: 30_300_000_000,
                paid: 0,
                peak_bid: 49_500_000,
                withdrawal: None,
            },
            quote: Some(Quote::new(framework.clone(), 50_000, 0, 1_000)),
            bids: vec![level(5_000, 10, 2), level(4_950, 5, 1), level(4_900, 9, 3)],
            asks: vec![level(5_040, 4, 1), level(5_100, 1, 1)],
            framework,
        }
    }

    /// How old the quote is, in milliseconds.
    pub fn age_ms(&self) -> Option<u64> {
        self.quote.as_ref().map(|quote| self.now_ms.saturating_sub(quote.time_ms))
    }

    /// The quote, if the market maker trades at it.
    ///
    /// # Errors
    /// [`Error::Paused`], [`Error::NoQuote`], [`Error::Stale`], [`Error::ZeroPrice`].
    pub fn tradable(&self) -> Result<&Quote, Error> {
        let framework = || self.framework.clone();
        if !self.terms.gate.is_open(self.now_ms) {
            return Err(Error::Paused);
        }
        let quote = self.quote.as_ref().ok_or_else(|| Error::NoQuote(framework()))?;
        let max_ms = self.terms.maker.present.max_quote_age_ms;
        if !is_fresh(quote.time_ms, self.now_ms, max_ms) {
            let age_ms = self.age_ms().unwrap_or_default();
            return Err(Error::Stale { framework: framework(), age_ms, max_ms });
        }
        if quote.bid == 0 {
            return Err(Error::ZeroPrice(framework()));
        }
        Ok(quote)
    }

    /// How many tokens the market maker sells (at the ask) or buys (at the bid) now, to all accounts
    /// together.
    pub fn room(&self, side: Side) -> u128 {
        let Ok(quote) = self.tradable() else { return 0 };
        let (trader, limits) = (side.opposite(), self.terms.maker.present.limits);
        let Market { reserve, outstanding, risked, paid, peak_bid, .. } = self.market;
        let lately = if trader == Side::Buy { risked } else { paid };
        let peak_bid = peak_bid.max(quote.bid);
        let position = Position { reserve, outstanding, peak_bid, lately };
        let offer = Offer::new(trader, quote, limits, self.now_ms);
        offer.map_or(0, |offer| offer.room(trader, &position))
    }

    /// The market maker's own row; none where it trades nothing.
    fn maker(&self, side: Side) -> Option<Row> {
        let price = side.opposite().quoted(self.tradable().ok()?)?;
        let amount = self.room(side);
        (amount > 0).then_some(Row { price, amount, orders: None })
    }

    /// What buying all tokens back at the bid would cost; none without a quote, or if it has no
    /// place in 128 bits.
    pub fn obligation(&self) -> Option<u128> {
        self.quote.as_ref()?.bid.checked_mul(self.market.outstanding)
    }

    /// Whether the reserve suffices to buy all tokens back at the bid.
    pub fn solvent(&self) -> Option<bool> {
        self.obligation().map(|cost| self.market.reserve >= cost)
    }

    /// One side of the book with the market maker's price in its place, the best first. Of equal
    /// prices, orders come first. The market maker is left out where it trades nothing.
    pub fn rows(&self, side: Side) -> Vec<Row> {
        let levels = match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        };
        let row = |level: &Level| Row {
            price: level.price,
            amount: level.amount,
            orders: Some(level.orders),
        };
        let mut rows: Vec<Row> = levels.iter().map(row).collect();
        if let Some(maker) = self.maker(side) {
            let behind = |row: &Row| !side.opposite().accepts(maker.price, row.price);
            let place = rows.iter().position(behind).unwrap_or(rows.len());
            rows.insert(place, maker);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(view: &MarketView, side: Side) -> Vec<(u128, u128, Option<u32>)> {
        view.rows(side).iter().map(|row| (row.price / 10_000, row.amount, row.orders)).collect()
    }

    #[test]
    fn the_market_maker_stands_among_the_orders() {
        let view = MarketView::example();
        let bids =
            [(5_000, 10, Some(2)), (4_950, 5, Some(1)), (4_950, 1_000, None), (4_900, 9, Some(3))];
        assert_eq!(rows(&view, Side::Buy), bids);
        let asks = [(5_040, 4, Some(1)), (5_050, 400, None), (5_100, 1, Some(1))];
        assert_eq!(rows(&view, Side::Sell), asks);
    }

    #[test]
    fn without_a_fresh_quote_it_is_left_out() {
        let mut view = MarketView::example();
        assert!(view.tradable().is_ok());
        view.now_ms += 1;
        assert!(matches!(
            view.tradable(),
            Err(Error::Stale { age_ms: 600_001, max_ms: 600_001, .. })
        ));
        assert_eq!((rows(&view, Side::Buy).len(), rows(&view, Side::Sell).len()), (3, 2));
        view.quote = None;
        assert!(matches!(view.tradable(), Err(Error::NoQuote(_))));
        assert_eq!((view.age_ms(), view.solvent(), view.room(Side::Sell)), (None, None, 0));
        view.terms.gate = Gate { open_from_ms: None };
        assert!(matches!(view.tradable(), Err(Error::Paused)));
        let mut worthless = MarketView::example();
        worthless.quote = Some(Quote::new(worthless.framework.clone(), 0, 0, 1_000));
        assert!(matches!(worthless.tradable(), Err(Error::ZeroPrice(_))));
    }

    #[test]
    fn solvency_is_reserve_against_the_bid() {
        let mut view = MarketView::example();
        assert_eq!((view.obligation(), view.solvent()), (Some(49_500_000_000), Some(true)));
        view.market.reserve = 49_499_999_999;
        assert_eq!(view.solvent(), Some(false));
        assert_eq!((view.room(Side::Buy), view.room(Side::Sell)), (9, 0), "a hundredth; nothing");
    }
}
