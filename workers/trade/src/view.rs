//! The market of a framework at one block.

use crate::{Error, Snapshot, Terms};
use cicada_core::exchange::{Level, Market, Side};
use cicada_core::quote::{Framework, Quote};

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
    pub terms: Terms,
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
    /// Tokens.
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
    /// How old the quote is, in milliseconds.
    pub fn age_ms(&self) -> Option<u64> {
        self.quote.as_ref().map(|quote| self.now_ms.saturating_sub(quote.time_ms))
    }

    /// The quote, if the market maker trades at it.
    ///
    /// # Errors
    /// [`Error::Paused`], [`Error::NoQuote`], [`Error::Stale`].
    pub fn tradable(&self) -> Result<&Quote, Error> {
        let framework = || self.framework.clone();
        if self.terms.paused {
            return Err(Error::Paused);
        }
        let quote = self.quote.as_ref().ok_or_else(|| Error::NoQuote(framework()))?;
        let max_ms = self.terms.max_quote_age_ms;
        if !is_fresh(quote.time_ms, self.now_ms, max_ms) {
            let age_ms = self.age_ms().unwrap_or_default();
            return Err(Error::Stale { framework: framework(), age_ms, max_ms });
        }
        Ok(quote)
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
            let behind = |row: &Row| match side {
                Side::Buy => row.price < maker.price,
                Side::Sell => row.price > maker.price,
            };
            let place = rows.iter().position(behind).unwrap_or(rows.len());
            rows.insert(place, maker);
        }
        rows
    }
}
