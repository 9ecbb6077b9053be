//! Trading: what is moved when the rules of `core` have decided.

use crate::calls::{burn, create_token, mint, newest_quote};
use crate::cells::{
    find_hour, find_market, find_order, is_listed, next_order, save_hour, save_market, save_name,
    Orders,
};
use crate::events::{
    Deposited, MarketListed, OrderCancelled, OrderPlaced, Traded, WithdrawalAnnounced, Withdrawn,
};
use cicada_core::exchange::book::{key_of, Resting};
use cicada_core::exchange::maker::{grow, is_fresh, shrink, value, Look, Offer};
use cicada_core::exchange::matching::{MarketRecord, Outcome, Taker};
use cicada_core::exchange::{MakerTerms, Side, Trade};
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

/// Writes a market after a trade, and tells of its fills.
#[inline(never)]
fn record(framework: &Framework, market: &MarketRecord, taker: &Taker, outcome: &Outcome) {
    save_market(framework, market);
    let traded = |maker: Option<Account>, price, amount, order| {
        emit_traded(Traded {
            framework: framework.clone(),
            taker: taker.account.0.into(),
            maker: maker.map(|maker| maker.0.into()),
            side: taker.side,
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
}

impl Desk<'_> {
    fn maker(&self) -> MakerTerms {
        self.0.maker.at(now()).present
    }

    #[inline(never)]
    pub fn ensure_open(&self) -> Result<(), ExchangeError> {
        ensure(self.0.gate.is_open(now()), ExchangeError::Paused)
    }

    /// Exactly at the deadline it is too late.
    #[inline(never)]
    fn ensure_trading(&self, amount: u128, deadline_ms: u64) -> Result<(), ExchangeError> {
        self.ensure_open()?;
        ensure(now() < deadline_ms, ExchangeError::TooLate)?;
        ensure(amount > 0, ExchangeError::ZeroAmount)
    }

    #[inline(never)]
    fn is_fresh(&self, quote: &Quote) -> bool {
        is_fresh(quote.time_ms, now(), self.maker().max_quote_age_ms)
    }

    /// The newest quote, if it is fresh.
    #[inline(never)]
    pub fn quote(&self, framework: &Framework) -> Result<Quote, ExchangeError> {
        let quote = newest_quote(self.0.leaderboard, framework)?;
        ensure(self.is_fresh(&quote), ExchangeError::StaleQuote)?;
        Ok(quote)
    }

    /// What the market maker offers who trades on this side.
    #[inline(never)]
    fn offer(&self, side: Side, quote: &Quote) -> Option<Offer> {
        Offer::new(side, quote, self.maker().limits, now())
    }

    /// What it offers at the newest quote.
    #[inline(never)]
    fn offer_now(&self, side: Side, framework: &Framework) -> Result<Offer, ExchangeError> {
        self.offer(side, &self.quote(framework)?).ok_or(ExchangeError::ZeroPrice)
    }

    /// How many tokens the market maker trades now with an account.
    pub fn room(
        &self,
        framework: &Framework,
        side: Side,
        account: &Account,
    ) -> Result<u128, ExchangeError> {
        self.ensure_open()?;
        let market = find_market(framework)?;
        let offer = self.offer_now(side, framework)?;
        Ok(market.maker.room(side, &offer, &find_hour(market.id, side, account)))
    }

    /// Opens a market. The root is to be written after it.
    pub fn list(&self, framework: &Framework) -> Result<AccountId, ExchangeError> {
        self.ensure_open()?;
        ensure(!is_listed(framework), ExchangeError::AlreadyListed)?;
        newest_quote(self.0.leaderboard, framework)?;
        let market = self.0.markets;
        let token = create_token(self.0.token_code, this(), framework, market)?;
        save_market(framework, &MarketRecord::new(market, Account::of(&token)));
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
            (Ok(quote), _) => self.offer(taker.side, &quote),
            (Err(ExchangeError::NoQuote | ExchangeError::StaleQuote), Some(_)) => None,
            (Err(error), _) => return Err(error),
        };
        let mut orders = Orders { market: market.id, side: taker.side.opposite() };
        let mut hour = find_hour(market.id, taker.side, &taker.account);
        let outcome = market.cross(&mut orders, taker, offer.as_ref(), limit, &mut hour)?;
        if limit.is_none() && outcome.left > 0 {
            let short = |offer: &Offer| market.maker.shortage(taker.side, offer);
            return Err(offer.as_ref().map_or(ExchangeError::ZeroPrice, short));
        }
        if outcome.at_quote > 0 {
            save_hour(market.id, taker.side, &taker.account, &hour);
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
        let taker = Taker { account: Account::of(&caller()), side, amount };
        let (market, outcome, trade) = self.cross(framework, &taker, None)?;
        match side {
            Side::Buy => ensure(trade.value <= bound, ExchangeError::TooMuch)?,
            Side::Sell => ensure(trade.value >= bound, ExchangeError::TooLittle)?,
        }
        record(framework, &market, &taker, &outcome);
        self.settle(&market, &taker, &outcome, &trade, 0)?;
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
        let taker = Taker { account: Account::of(&owner), side, amount };
        let (mut market, outcome, trade) = self.cross(framework, &taker, Some(price))?;
        let amount = outcome.left;
        if amount == 0 || market.crosses(side, price) {
            record(framework, &market, &taker, &outcome);
            self.settle(&market, &taker, &outcome, &trade, 0)?;
            return Ok(Placed { trade, order: None });
        }
        let order = next_order();
        let resting = Resting::new(taker.account, market.id, side, key, amount);
        let mut orders = Orders { market: market.id, side };
        market.book(side, &mut orders).rest(order, resting)?;
        let locked = match side {
            Side::Buy => value(price, amount)?,
            Side::Sell => amount,
        };
        record(framework, &market, &taker, &outcome);
        let framework = framework.clone();
        let placed = OrderPlaced { framework, owner, order, side, price, amount };
        emit_event::<DefaultEnvironment, _>(placed);
        self.settle(&market, &taker, &outcome, &trade, locked)?;
        Ok(Placed { trade, order: Some(order) })
    }

    /// Moves what the taker and those whom he met give and get. He also hands over what is `locked`
    /// for his order: MMC of a buyer, tokens of a seller.
    #[inline(never)]
    fn settle(
        &self,
        market: &MarketRecord,
        taker: &Taker,
        outcome: &Outcome,
        trade: &Trade,
        locked: u128,
    ) -> Result<(), ExchangeError> {
        let (side, account) = (taker.side, AccountId::from(taker.account.0));
        let (token, currency) = (AccountId::from(market.token.0), self.0.currency);
        for fill in &outcome.fills {
            // What the other side gives lies here already.
            let (given, amount) = match side {
                Side::Buy => (currency, value(fill.price, fill.amount)?),
                Side::Sell => (token, fill.amount),
            };
            pull(given, account, fill.owner.0.into(), amount)?;
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
        ensure(owner == resting.owner.0.into(), ExchangeError::NotOrderOwner)?;
        let mut market = find_market(&framework)?;
        let mut orders = Orders { market: market.id, side: resting.side };
        market.book(resting.side, &mut orders).reduce(order, &resting, resting.amount)?;
        save_market(&framework, &market);
        let amount = resting.amount;
        emit_event::<DefaultEnvironment, _>(OrderCancelled { framework, owner, order, amount });
        match resting.side {
            Side::Buy => pay(self.0.currency, owner, value(resting.price(), amount)?)?,
            Side::Sell => pay(market.token.0.into(), owner, amount)?,
        }
        Ok(amount)
    }

    /// Has the market maker fill a resting order.
    #[inline(never)]
    pub fn fill_order(&self, order: u64) -> Result<u128, ExchangeError> {
        self.ensure_open()?;
        let (resting, framework) = find_order(order)?;
        let (side, owner) = (resting.side, resting.owner);
        let offer = self.offer_now(side, &framework)?;
        let mut market = find_market(&framework)?;
        let mut hour = find_hour(market.id, side, &owner);
        let mut orders = Orders { market: market.id, side };
        let amount = market.fill(&mut orders, order, &resting, &offer, &mut hour)?;
        save_hour(market.id, side, &owner, &hour);
        save_market(&framework, &market);
        let (taker, price) = (owner.0.into(), offer.price);
        let order = Some(order);
        emit_traded(Traded { framework, taker, maker: None, side, price, amount, order });
        let token = AccountId::from(market.token.0);
        let mut due = price;
        match side {
            Side::Sell => burn(token, this(), amount)?,
            Side::Buy => {
                mint(token, taker, amount)?;
                // He paid his own price; the difference is his.
                due = resting.price();
                shrink(&mut due, price)?;
            }
        }
        pay(self.0.currency, taker, value(due, amount)?)?;
        Ok(amount)
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

    /// The bid that a withdrawal must respect. Without tokens there is nothing that a price could be
    /// asked for; with them a bid of 0 is none, since the score may rise again.
    #[inline(never)]
    fn look(&self, framework: &Framework, market: &MarketRecord) -> Result<Look, ExchangeError> {
        if market.maker.outstanding == 0 {
            return Ok(Look::default());
        }
        match newest_quote(self.0.leaderboard, framework) {
            Ok(quote) => Ok(Look { bid: quote.bid, fresh: quote.bid > 0 && self.is_fresh(&quote) }),
            Err(ExchangeError::NoQuote) => Ok(Look::default()),
            Err(error) => Err(error),
        }
    }

    /// Announces a withdrawal, for the owner; from when on it can be taken.
    #[inline(never)]
    pub fn announce(&self, framework: Framework, amount: u128) -> Result<u64, ExchangeError> {
        self.ensure_open()?;
        let mut market = find_market(&framework)?;
        ensure(amount > 0, ExchangeError::ZeroAmount)?;
        let look = self.look(&framework, &market)?;
        let from_ms = market.maker.announce(look, amount, now());
        save_market(&framework, &market);
        let announced = WithdrawalAnnounced { framework, amount, from_ms };
        emit_event::<DefaultEnvironment, _>(announced);
        Ok(from_ms)
    }

    /// Takes of what was announced out of a reserve, for the caller, who is the owner.
    #[inline(never)]
    pub fn withdraw(&self, framework: Framework, amount: u128) -> Result<(), ExchangeError> {
        self.ensure_open()?;
        let mut market = find_market(&framework)?;
        ensure(amount > 0, ExchangeError::ZeroAmount)?;
        let look = self.look(&framework, &market)?;
        let open_from_ms = self.0.gate.open_from_ms.unwrap_or(u64::MAX);
        market.maker.withdraw(look, amount, open_from_ms, now())?;
        save_market(&framework, &market);
        let to = caller();
        emit_event::<DefaultEnvironment, _>(Withdrawn { framework, to, amount });
        Ok(pay(self.0.currency, to, amount)?)
    }
}
