//! Trading: what is moved when the rules of `core` have decided.

use crate::calls::{burn, create_token, mint, newest_quote};
use crate::cells::{
    find_market, find_order, is_listed, next_order, save_market, save_name, Orders,
};
use crate::events::{Deposited, MarketListed, OrderCancelled, OrderPlaced, Traded, Withdrawn};
use cicada_core::exchange::book::{key_of, Resting};
use cicada_core::exchange::maker::{grow, is_fresh, shrink, value};
use cicada_core::exchange::matching::{MarketRecord, Offer, Outcome, Taker};
use cicada_core::exchange::{Side, Trade, MAX_FILLS};
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;
use cicada_traits::exchange::{ExchangeError, ExchangeTerms, Placed};
use cicada_traits::payment::{pay, pull};
use ink::env::{emit_event, DefaultEnvironment};
use ink::primitives::AccountId;

/// The exchange on the terms of the root.
pub struct Desk<'a>(pub &'a ExchangeTerms);

/// The block's time.
#[inline(never)]
pub fn now() -> u64 {
    ink::env::block_timestamp::<DefaultEnvironment>()
}

/// Who calls.
#[inline(never)]
pub fn caller() -> AccountId {
    ink::env::caller::<DefaultEnvironment>()
}

/// This contract.
#[inline(never)]
fn this() -> AccountId {
    ink::env::account_id::<DefaultEnvironment>()
}

fn ensure(holds: bool, error: ExchangeError) -> Result<(), ExchangeError> {
    if holds {
        Ok(())
    } else {
        Err(error)
    }
}

#[inline(never)]
fn emit_traded(event: Traded) {
    emit_event::<DefaultEnvironment, _>(event);
}

impl Desk<'_> {
    #[inline(never)]
    fn ensure_open(&self) -> Result<(), ExchangeError> {
        ensure(!self.0.paused, ExchangeError::Paused)
    }

    /// Exactly at the deadline it is too late.
    #[inline(never)]
    fn ensure_trading(&self, amount: u128, deadline_ms: u64) -> Result<(), ExchangeError> {
        self.ensure_open()?;
        ensure(now() < deadline_ms, ExchangeError::TooLate)?;
        ensure(amount > 0, ExchangeError::ZeroAmount)
    }

    /// The newest quote, if it is fresh.
    #[inline(never)]
    pub fn quote(&self, framework: &Framework) -> Result<Quote, ExchangeError> {
        let quote = newest_quote(self.0.leaderboard, framework)?;
        let fresh = is_fresh(quote.time_ms, now(), self.0.max_quote_age_ms);
        ensure(fresh, ExchangeError::StaleQuote)?;
        Ok(quote)
    }

    /// The market maker's price for who trades on this side.
    fn offer(&self, side: Side, quote: &Quote) -> Option<Offer> {
        Some(Offer { price: side.quoted(quote)?, limits: self.0.limits })
    }

    /// Opens a market. The root is to be written after it.
    pub fn list(&self, framework: &Framework) -> Result<AccountId, ExchangeError> {
        self.ensure_open()?;
        ensure(!is_listed(framework), ExchangeError::AlreadyListed)?;
        newest_quote(self.0.leaderboard, framework)?;
        let market = self.0.markets;
        let token = create_token(self.0.token_code, this(), framework, market)?;
        save_market(framework, &MarketRecord::new(market, *token.as_ref()));
        save_name(market, framework);
        let framework = framework.clone();
        emit_event::<DefaultEnvironment, _>(MarketListed { framework, token, market });
        Ok(token)
    }

    /// Trades as far as it goes, in the book and the market's record. With a limit price, the
    /// market maker takes part if there is a fresh quote that is as good; without, there must be
    /// one, and it takes all that is left.
    #[inline(never)]
    fn cross(
        &self,
        framework: &Framework,
        taker: &Taker,
        limit: Option<u128>,
    ) -> Result<(MarketRecord, Outcome, Trade), ExchangeError> {
        let mut market = find_market(framework)?;
        let offer = match (self.quote(framework), limit) {
            (Ok(quote), _) => {
                market.maker.turn_to(quote.time_ms);
                self.offer(taker.side, &quote)
            }
            (Err(ExchangeError::NoQuote | ExchangeError::StaleQuote), Some(_)) => None,
            (Err(error), _) => return Err(error),
        };
        let mut orders = Orders { market: market.id, side: taker.side.opposite() };
        let outcome = market.cross(&mut orders, taker, offer.as_ref(), limit)?;
        if limit.is_none() && outcome.left > 0 {
            return Err(market.shortage(taker.side, offer.as_ref(), outcome.left));
        }
        let trade = outcome.trade()?;
        Ok((market, outcome, trade))
    }

    /// Buys for at most, or sells for at least `bound`: all of it or nothing.
    #[inline(never)]
    pub fn trade(
        &self,
        side: Side,
        framework: &Framework,
        amount: u128,
        bound: u128,
        deadline_ms: u64,
    ) -> Result<Trade, ExchangeError> {
        self.ensure_trading(amount, deadline_ms)?;
        let taker = Taker { account: *caller().as_ref(), side, amount };
        let (mut market, outcome, trade) = self.cross(framework, &taker, None)?;
        match side {
            Side::Buy => ensure(trade.value <= bound, ExchangeError::TooMuch)?,
            Side::Sell => ensure(trade.value >= bound, ExchangeError::TooLittle)?,
        }
        self.settle(framework, &mut market, &taker, &outcome, &trade, 0)?;
        Ok(trade)
    }

    /// Trades what a limit allows, and leaves the rest in the book.
    #[inline(never)]
    pub fn place(
        &self,
        framework: &Framework,
        side: Side,
        price: u128,
        amount: u128,
        deadline_ms: u64,
    ) -> Result<Placed, ExchangeError> {
        self.ensure_trading(amount, deadline_ms)?;
        let key = key_of(side, price)?;
        let owner = caller();
        let taker = Taker { account: *owner.as_ref(), side, amount };
        let (mut market, outcome, trade) = self.cross(framework, &taker, Some(price))?;
        let (rest, mut locked, mut order) = (outcome.left, 0, None);
        if rest > 0 && !market.crosses(side, price) {
            let id = next_order();
            let resting = Resting::new(taker.account, market.id, side, key, rest);
            let mut orders = Orders { market: market.id, side };
            market.book(side, &mut orders).rest(id, resting)?;
            locked = match side {
                Side::Buy => value(price, rest)?,
                Side::Sell => rest,
            };
            order = Some(id);
        }
        self.settle(framework, &mut market, &taker, &outcome, &trade, locked)?;
        if let Some(order) = order {
            let framework = framework.clone();
            let placed = OrderPlaced { framework, owner, order, side, price, amount: rest };
            emit_event::<DefaultEnvironment, _>(placed);
        }
        Ok(Placed { trade, order })
    }

    /// Writes a market after a trade, and moves what the taker and those whom he met get. He also
    /// hands over what is `locked` for his order: MMC of a buyer, tokens of a seller.
    #[inline(never)]
    fn settle(
        &self,
        framework: &Framework,
        market: &mut MarketRecord,
        taker: &Taker,
        outcome: &Outcome,
        trade: &Trade,
        locked: u128,
    ) -> Result<(), ExchangeError> {
        market.volume.record(now(), trade.amount);
        save_market(framework, market);
        let side = taker.side;
        let account = AccountId::from(taker.account);
        let traded = |maker: Option<Account>, price, amount, order| {
            emit_traded(Traded {
                framework: framework.clone(),
                taker: account,
                maker: maker.map(AccountId::from),
                side,
                price,
                amount,
                order,
            });
        };
        for fill in &outcome.fills {
            traded(Some(fill.owner), fill.price, fill.amount, Some(fill.order));
        }
        if outcome.at_quote > 0 {
            traded(None, outcome.quote_price, outcome.at_quote, None);
        }

        let (token, currency) = (AccountId::from(market.token), self.0.currency);
        for fill in &outcome.fills {
            // What the other side gives lies here already.
            let (given, amount) = match side {
                Side::Buy => (currency, value(fill.price, fill.amount)?),
                Side::Sell => (token, fill.amount),
            };
            pull(given, account, fill.owner.into(), amount)?;
        }
        match side {
            Side::Buy => {
                let mut kept = outcome.quote_value;
                grow(&mut kept, locked)?;
                pull(currency, account, this(), kept)?;
                let mut resting = trade.amount;
                shrink(&mut resting, outcome.at_quote)?;
                pay(token, account, resting)?;
                mint(token, account, outcome.at_quote)
            }
            Side::Sell => {
                pull(token, account, this(), locked)?;
                burn(token, account, outcome.at_quote)?;
                Ok(pay(currency, account, trade.value)?)
            }
        }
    }

    /// Takes an order out of the book and gives back what is locked for it.
    #[inline(never)]
    pub fn cancel(&self, order: u64) -> Result<u128, ExchangeError> {
        let (resting, framework) = find_order(order)?;
        let owner = caller();
        ensure(owner == resting.owner.into(), ExchangeError::NotOrderOwner)?;
        let mut market = find_market(&framework)?;
        let mut orders = Orders { market: market.id, side: resting.side };
        market.book(resting.side, &mut orders).cancel(order, &resting)?;
        save_market(&framework, &market);
        let amount = resting.amount;
        emit_event::<DefaultEnvironment, _>(OrderCancelled { framework, owner, order, amount });
        match resting.side {
            Side::Buy => pay(self.0.currency, owner, value(resting.price(), amount)?)?,
            Side::Sell => pay(market.token.into(), owner, amount)?,
        }
        Ok(amount)
    }

    /// Fills resting orders that the quote has reached, with the market maker.
    #[inline(never)]
    pub fn fill_orders(&self, framework: &Framework) -> Result<u32, ExchangeError> {
        self.ensure_open()?;
        let mut market = find_market(framework)?;
        let quote = self.quote(framework)?;
        market.maker.turn_to(quote.time_ms);
        // The book is never crossed, so the quote has reached at most one of its sides.
        for side in [Side::Buy, Side::Sell] {
            let Some(offer) = self.offer(side, &quote) else { continue };
            let mut orders = Orders { market: market.id, side };
            let outcome = market.sweep(&mut orders, side, &offer)?;
            if !outcome.fills.is_empty() {
                return self.settle_sweep(framework, &mut market, side, &outcome);
            }
        }
        Ok(0)
    }

    /// Writes a market after a sweep, and moves what the owners of the orders get.
    #[inline(never)]
    fn settle_sweep(
        &self,
        framework: &Framework,
        market: &mut MarketRecord,
        side: Side,
        outcome: &Outcome,
    ) -> Result<u32, ExchangeError> {
        let price = outcome.quote_price;
        market.volume.record(now(), outcome.at_quote);
        save_market(framework, market);
        for fill in &outcome.fills {
            emit_traded(Traded {
                framework: framework.clone(),
                taker: fill.owner.into(),
                maker: None,
                side,
                price,
                amount: fill.amount,
                order: Some(fill.order),
            });
        }
        let token = AccountId::from(market.token);
        if side == Side::Sell {
            burn(token, this(), outcome.at_quote)?;
        }
        for fill in &outcome.fills {
            let owner = fill.owner.into();
            let mut due = price;
            if side == Side::Buy {
                mint(token, owner, fill.amount)?;
                // He paid his own price; the difference is his.
                due = fill.price;
                shrink(&mut due, price)?;
            }
            pay(self.0.currency, owner, value(due, fill.amount)?)?;
        }
        Ok(u32::try_from(outcome.fills.len()).unwrap_or(MAX_FILLS))
    }

    /// Adds to a reserve.
    #[inline(never)]
    pub fn deposit(&self, framework: Framework, amount: u128) -> Result<(), ExchangeError> {
        let mut market = find_market(&framework)?;
        ensure(amount > 0, ExchangeError::ZeroAmount)?;
        grow(&mut market.maker.reserve, amount)?;
        save_market(&framework, &market);
        let from = caller();
        emit_event::<DefaultEnvironment, _>(Deposited { framework, from, amount });
        Ok(pull(self.0.currency, from, this(), amount)?)
    }

    /// Takes out of a reserve, for the caller, who is the owner.
    #[inline(never)]
    pub fn withdraw(&self, framework: Framework, amount: u128) -> Result<(), ExchangeError> {
        let mut market = find_market(&framework)?;
        ensure(amount > 0, ExchangeError::ZeroAmount)?;
        // Without tokens there is nothing that a price could be asked for.
        let bid = if market.maker.outstanding > 0 { self.quote(&framework)?.bid } else { 0 };
        market.maker.withdraw(bid, amount)?;
        save_market(&framework, &market);
        let to = caller();
        emit_event::<DefaultEnvironment, _>(Withdrawn { framework, to, amount });
        Ok(pay(self.0.currency, to, amount)?)
    }
}
