//! Which orders a trade meets, at which prices, and what the market maker adds.

use super::book::{reach, Book, Fill, Resting, Shelf};
use super::maker::{grow, shrink, value, Maker, Offer};
use super::window::{LastHour, Volume};
use super::{ExchangeError, Market, Side, Trade};
use crate::quote::Quote;
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// The market of one framework, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MarketRecord {
    /// Its number, in order of listing, from 0.
    pub id: u32,
    /// The contract of its performance token.
    pub token: Account,
    /// What the market maker has and risks.
    pub maker: Maker,
    /// The key of the highest resting bid.
    pub best_bid: Option<u32>,
    /// The key of the lowest resting ask.
    pub best_ask: Option<u32>,
    /// Tokens traded with the market maker. What people trade with each other costs them nothing,
    /// so it says nothing.
    pub volume: Volume,
}

/// Who trades how much.
#[derive(Clone, Copy, Debug)]
pub struct Taker {
    /// Who.
    pub account: Account,
    /// Whether he buys or sells.
    pub side: Side,
    /// Tokens; more than 0.
    pub amount: u128,
}

/// What happened to a taker's amount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Fills of resting orders, each at its own price.
    pub fills: Vec<Fill>,
    /// Tokens traded with the market maker.
    pub at_quote: u128,
    /// The price at which they were.
    pub quote_price: u128,
    /// Base units of MMC for them.
    pub quote_value: u128,
    /// Tokens not traded.
    pub left: u128,
}

impl Side {
    /// Who buys meets who sells.
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Whether an order of this side with a limit of `limit` trades at `price`.
    pub fn accepts(self, limit: u128, price: u128) -> bool {
        match self {
            Self::Buy => price <= limit,
            Self::Sell => price >= limit,
        }
    }

    /// The market maker's price for who trades on this side; none at a score of 0.
    pub fn quoted(self, quote: &Quote) -> Option<u128> {
        let price = match self {
            Self::Buy => quote.ask,
            Self::Sell => quote.bid,
        };
        (price > 0).then_some(price)
    }
}

impl Outcome {
    /// What the trade came to.
    ///
    /// # Errors
    /// `Math`.
    #[inline(never)]
    pub fn trade(&self) -> Result<Trade, ExchangeError> {
        let mut trade = Trade {
            amount: self.at_quote,
            value: self.quote_value,
            at_quote: self.at_quote,
            fills: u32::try_from(self.fills.len()).unwrap_or(u32::MAX),
        };
        for fill in &self.fills {
            grow(&mut trade.amount, fill.amount)?;
            grow(&mut trade.value, value(fill.price, fill.amount)?)?;
        }
        Ok(trade)
    }
}

impl MarketRecord {
    /// A market without money or orders.
    pub fn new(id: u32, token: Account) -> Self {
        let (maker, volume) = (Maker::default(), Volume::default());
        Self { id, token, maker, best_bid: None, best_ask: None, volume }
    }

    /// The market as the world sees it.
    pub fn view(&self, now_ms: u64) -> Market {
        let Maker { reserve, outstanding, risked, paid, peak, withdrawal } = &self.maker;
        Market {
            token: Account(self.token.0),
            reserve: *reserve,
            outstanding: *outstanding,
            volume_24h: self.volume.sum(now_ms),
            risked: risked.sum(now_ms),
            paid: paid.sum(now_ms),
            peak_bid: peak.highest(now_ms),
            withdrawal: *withdrawal,
        }
    }

    /// The resting orders of a side.
    pub fn book<'a, S: Shelf>(&'a mut self, side: Side, shelf: &'a mut S) -> Book<'a, S> {
        let best = match side {
            Side::Buy => &mut self.best_bid,
            Side::Sell => &mut self.best_ask,
        };
        Book { shelf, side, best }
    }

    /// The market maker trades as much of `amount` as it may with an account; how much, and its value.
    #[inline(never)]
    fn with_maker(
        &mut self,
        side: Side,
        offer: &Offer,
        amount: u128,
        account: &mut LastHour,
    ) -> Result<(u128, u128), ExchangeError> {
        let amount = self.maker.room(side, offer, account).min(amount);
        let value = self.maker.trade(side, offer, amount, account)?;
        self.volume.record(offer.now_ms, amount);
        Ok((amount, value))
    }

    /// Trades `taker`'s amount, as far as it goes: with resting orders that are as good as the
    /// market maker's price or better, then with the market maker, then, if he named a limit, with
    /// what rests up to it. `offer` is none if the market maker does not trade, and counts for
    /// nothing if the limit excludes it; without either nothing is traded. `hour` is what his
    /// trades with the market maker on this side count.
    ///
    /// # Errors
    /// `OwnOrder`, `Math`.
    #[inline(never)]
    pub fn cross<S: Shelf>(
        &mut self,
        shelf: &mut S,
        taker: &Taker,
        offer: Option<&Offer>,
        limit: Option<u128>,
        hour: &mut LastHour,
    ) -> Result<Outcome, ExchangeError> {
        let Taker { account, side, amount } = *taker;
        let mut outcome = Outcome { left: amount, ..Outcome::default() };
        let resting = side.opposite();
        let Outcome { fills, at_quote, quote_price, quote_value, left } = &mut outcome;
        let accepted = |offer: &&Offer| limit.is_none_or(|limit| side.accepts(limit, offer.price));
        if let Some(offer) = offer.filter(accepted) {
            let reach = reach(resting, offer.price);
            self.book(resting, shelf).take(reach, left, &account, fills)?;
            *quote_price = offer.price;
            (*at_quote, *quote_value) = self.with_maker(side, offer, *left, hour)?;
            shrink(left, *at_quote)?;
        }
        if let Some(limit) = limit {
            let reach = reach(resting, limit);
            self.book(resting, shelf).take(reach, left, &account, fills)?;
        }
        Ok(outcome)
    }

    /// Whether an order of this side at this price would meet one of the other.
    #[inline(never)]
    pub fn crosses(&self, side: Side, price: u128) -> bool {
        let (resting, best) = match side {
            Side::Buy => (Side::Sell, self.best_ask),
            Side::Sell => (Side::Buy, self.best_bid),
        };
        best.is_some_and(|key| key <= reach(resting, price))
    }

    /// The market maker fills a resting order that its price has reached, at that price, as far as it
    /// may; how many tokens. `hour` is what its trades with the owner on this side count.
    ///
    /// # Errors
    /// `NotReached`; `LimitReached` or `InsufficientReserve` if it may trade nothing; `Math`.
    #[inline(never)]
    pub fn fill<S: Shelf>(
        &mut self,
        shelf: &mut S,
        id: u64,
        order: &Resting,
        offer: &Offer,
        hour: &mut LastHour,
    ) -> Result<u128, ExchangeError> {
        if !order.side.accepts(order.price(), offer.price) {
            return Err(ExchangeError::NotReached);
        }
        let (amount, _) = self.with_maker(order.side, offer, order.amount, hour)?;
        if amount == 0 {
            return Err(self.maker.shortage(order.side, offer));
        }
        self.book(order.side, shelf).reduce(id, order, amount)?;
        Ok(amount)
    }
}
