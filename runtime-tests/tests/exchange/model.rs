//! The exchange in plain maps: what every message must do.

use std::collections::BTreeMap;

use crate::stage::*;
use cicada_core::exchange::terms::NOTICE_MS;
use cicada_core::exchange::{ExchangeError, Limits, Side, Trade};
use cicada_core::prices::HOUR_MS;

pub type Name = &'static str;

#[derive(Clone, Copy, Debug)]
pub enum Op {
    Buy { amount: u128, max_cost: u128 },
    Sell { amount: u128, min_proceeds: u128 },
    Place { side: Side, price: u128, amount: u128 },
    Cancel { order: u64 },
    Fill { order: u64 },
    Deposit(u128),
    Announce(u128),
    Withdraw(u128),
    Limits(Limits),
    Score(u64),
    Wait(u64),
}

/// What a message answers, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Traded(Trade),
    Placed(Trade, Option<u64>),
    Count(u128),
    Nothing,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Resting {
    pub owner: Name,
    pub side: Side,
    pub price: u128,
    pub amount: u128,
}

/// A trade with the market maker, and what was true before it.
#[derive(Clone, Copy, Debug)]
pub struct AtQuote {
    pub now_ms: u64,
    pub who: Name,
    pub side: Side,
    pub amount: u128,
    pub value: u128,
    pub bid: u128,
    pub reserve: u128,
    pub limits: Limits,
    /// What it counts in the hour.
    pub counted: u128,
}

/// Amounts here are far below 2¹²⁸: nothing overflows.
#[derive(Clone, Debug)]
pub struct Model {
    /// MMC and tokens of each. Less than nothing only within a message, which is then refused.
    pub people: BTreeMap<Name, (i128, i128)>,
    /// By number: the lower came first.
    pub orders: BTreeMap<u64, Resting>,
    pub newest: u64,
    pub reserve: u128,
    pub outstanding: u128,
    /// All trades with the market maker.
    pub trades: Vec<AtQuote>,
    /// Amount, from when on.
    pub announced: Option<(u128, u64)>,
    /// The bids that were seen, and when.
    pub seen: Vec<(u128, u64)>,
    /// Score, time of the quote.
    pub score: (u64, u64),
    pub now_ms: u64,
    pub limits: Limits,
    /// What was announced, and from when on it acts.
    pub next: Option<(Limits, u64)>,
    /// For the control: an order meets the youngest instead of the oldest at its price.
    pub wrong: bool,
}

type Answer = Result<Done, ExchangeError>;

fn require(holds: bool, error: ExchangeError) -> Result<(), ExchangeError> {
    holds.then_some(()).ok_or(error)
}

impl Model {
    pub fn new(reserve: u128, now_ms: u64) -> Self {
        let mut people: BTreeMap<_, _> = PEOPLE.map(|name| (name, (HELD as i128, 0))).into();
        people.get_mut(OWNER).expect("she is there").0 -= reserve as i128;
        Self {
            people,
            orders: BTreeMap::new(),
            newest: 0,
            reserve,
            outstanding: 0,
            trades: vec![],
            announced: None,
            seen: vec![],
            score: (50_000, now_ms),
            now_ms,
            limits: LIMITS,
            next: None,
            wrong: false,
        }
    }

    /// What the operation answers; without success nothing changes.
    pub fn apply(&mut self, who: Name, op: Op) -> Answer {
        let mut after = self.clone();
        let answer = after.run(who, op)?;
        let solvent = after.people.values().all(|held| held.0 >= 0 && held.1 >= 0);
        require(solvent, ExchangeError::TokenRefused)?;
        *self = after;
        Ok(answer)
    }

    fn run(&mut self, who: Name, op: Op) -> Answer {
        match op {
            Op::Buy { amount, max_cost } => self.market_order(who, Side::Buy, amount, max_cost),
            Op::Sell { amount, min_proceeds } => {
                self.market_order(who, Side::Sell, amount, min_proceeds)
            }
            Op::Place { side, price, amount } => self.place(who, side, price, amount),
            Op::Cancel { order } => self.cancel(who, order),
            Op::Fill { order } => self.fill(order),
            Op::Deposit(amount) => {
                require(amount > 0, ExchangeError::ZeroAmount)?;
                self.pay(who, amount);
                self.reserve += amount;
                Ok(Done::Nothing)
            }
            Op::Announce(amount) => {
                require(who == OWNER, ExchangeError::NotOwner)?;
                require(amount > 0, ExchangeError::ZeroAmount)?;
                self.look();
                self.announced = Some((amount, self.now_ms + NOTICE_MS));
                Ok(Done::Nothing)
            }
            Op::Withdraw(amount) => self.withdraw(who, amount),
            Op::Limits(limits) => {
                require(who == OWNER, ExchangeError::NotOwner)?;
                self.next = Some((limits, self.now_ms + NOTICE_MS));
                Ok(Done::Nothing)
            }
            Op::Score(score) => {
                self.score = (score, self.now_ms);
                Ok(Done::Nothing)
            }
            Op::Wait(ms) => {
                self.now_ms += ms;
                if let Some((limits, _)) = self.next.filter(|next| next.1 <= self.now_ms) {
                    (self.limits, self.next) = (limits, None);
                }
                Ok(Done::Nothing)
            }
        }
    }

    fn pay(&mut self, who: Name, amount: u128) {
        self.people.get_mut(who).expect("known").0 -= amount as i128;
    }

    fn give(&mut self, who: Name, amount: u128) {
        self.people.get_mut(who).expect("known").1 -= amount as i128;
    }

    fn receive(&mut self, who: Name, money: u128, tokens: u128) {
        let held = self.people.get_mut(who).expect("known");
        *held = (held.0 + money as i128, held.1 + tokens as i128);
    }

    /// The price of the market maker for who trades on this side.
    pub fn price(&self, side: Side) -> u128 {
        let rate = if side == Side::Buy { 1_010 } else { 990 };
        rate * u128::from(self.score.0)
    }

    pub fn is_fresh(&self) -> bool {
        self.fresh().is_ok() && self.score.0 > 0
    }

    /// Tokens traded with the market maker in this hour and the 23 before it.
    pub fn volume_24h(&self) -> u128 {
        let hour = |ms: u64| ms / HOUR_MS;
        let counts = |trade: &&AtQuote| hour(self.now_ms) - hour(trade.now_ms) < 24;
        self.trades.iter().filter(counts).map(|trade| trade.amount).sum()
    }

    fn fresh(&self) -> Result<(), ExchangeError> {
        require(self.now_ms - self.score.1 < MAX_AGE_MS, ExchangeError::StaleQuote)
    }

    /// What the market maker traded on a side in these ten minutes and the hour before them, with
    /// everybody or with one.
    pub fn lately(&self, side: Side, who: Option<Name>) -> u128 {
        let slot = |ms: u64| ms / (HOUR_MS / 6);
        let counts = |trade: &&AtQuote| {
            trade.side == side
                && who.is_none_or(|who| trade.who == who)
                && slot(self.now_ms) - slot(trade.now_ms) <= 6
        };
        self.trades.iter().filter(counts).map(|trade| trade.counted).sum()
    }

    /// Whether the reserve buys all tokens back at the bid.
    pub fn covers(&self) -> bool {
        self.reserve > 0 && self.outstanding * self.price(Side::Sell) <= self.reserve
    }

    /// The highest bid that was seen on the day of a time, or on the seven days before.
    pub fn peak(&self, now_ms: u64) -> u128 {
        let day = |ms: u64| ms / (24 * HOUR_MS);
        let lately = self.seen.iter().filter(|seen| day(now_ms) <= day(seen.1) + 7);
        lately.map(|seen| seen.0).max().unwrap_or(0)
    }

    /// What a token counts in the hour.
    fn weight(&self, side: Side) -> u128 {
        match side {
            Side::Buy => [
                self.price(Side::Buy),
                self.price(Side::Sell),
                self.peak(self.now_ms),
                self.reserve.checked_div(self.limits.max_outstanding).unwrap_or(0),
            ]
            .into_iter()
            .fold(0, u128::max),
            Side::Sell => self.price(Side::Sell),
        }
    }

    /// The most tokens that can be added so that the reserve buys all back at the peak.
    fn creatable(&self) -> u128 {
        let peak = self.peak(self.now_ms).max(self.price(Side::Sell));
        let ask = self.price(Side::Buy);
        let bound = self.outstanding * peak;
        match (bound <= self.reserve && self.reserve > 0, peak > ask) {
            (false, _) => 0,
            (true, false) => u128::MAX,
            (true, true) => (self.reserve - bound) / (peak - ask),
        }
    }

    /// How many tokens the market maker trades with somebody who is on this side.
    pub fn room(&self, who: Name, side: Side) -> u128 {
        let Limits { max_outstanding, hourly_bps, account_bps } = self.limits;
        let price = self.price(side);
        let mut all = self.reserve * u128::from(hourly_bps) / 10_000;
        let most = match side {
            Side::Buy => max_outstanding.saturating_sub(self.outstanding).min(self.creatable()),
            Side::Sell => self.outstanding.min(self.reserve.checked_div(price).unwrap_or(0)),
        };
        if side == Side::Sell {
            all = all.max(4 * price);
        }
        let mut one = all * u128::from(account_bps) / 10_000;
        if side == Side::Sell {
            one = one.max(price);
        }
        let left = all
            .saturating_sub(self.lately(side, None))
            .min(one.saturating_sub(self.lately(side, Some(who))));
        most.min(left.checked_div(self.weight(side)).unwrap_or(0))
    }

    /// The number of the best order of a side.
    pub fn best(&self, side: Side) -> Option<u64> {
        let of_side = self.orders.iter().filter(|(_, order)| order.side == side);
        let rank = |(id, order): &(&u64, &Resting)| {
            let price = order.price as i128;
            let age = **id as i128;
            let age = if self.wrong { -age } else { age };
            (if side == Side::Buy { -price } else { price }, age)
        };
        of_side.min_by_key(rank).map(|(id, _)| *id)
    }

    fn reaches(side: Side, limit: u128, price: u128) -> bool {
        if side == Side::Buy {
            price <= limit
        } else {
            price >= limit
        }
    }

    /// Meets resting orders up to a price; his money and tokens move with each.
    fn meet(
        &mut self,
        who: Name,
        side: Side,
        limit: u128,
        left: &mut u128,
        trade: &mut Trade,
    ) -> Result<(), ExchangeError> {
        let other = if side == Side::Buy { Side::Sell } else { Side::Buy };
        while *left > 0 && trade.fills < 8 {
            let Some(id) = self.best(other) else { break };
            let order = self.orders[&id].clone();
            if !Self::reaches(side, limit, order.price) {
                break;
            }
            require(order.owner != who, ExchangeError::OwnOrder)?;
            let amount = order.amount.min(*left);
            let value = amount * order.price;
            match side {
                Side::Buy => {
                    self.pay(who, value);
                    self.receive(who, 0, amount);
                    self.receive(order.owner, value, 0);
                }
                Side::Sell => {
                    self.give(who, amount);
                    self.receive(who, value, 0);
                    self.receive(order.owner, 0, amount);
                }
            }
            *left -= amount;
            trade.amount += amount;
            trade.value += value;
            trade.fills += 1;
            self.shrink(id, amount);
        }
        Ok(())
    }

    fn shrink(&mut self, id: u64, amount: u128) {
        let order = self.orders.get_mut(&id).expect("it rests");
        order.amount -= amount;
        if order.amount == 0 {
            self.orders.remove(&id);
        }
    }

    /// The market maker's part; what moves of it.
    fn maker(&mut self, who: Name, side: Side, amount: u128) -> u128 {
        let price = self.price(side);
        let value = amount * price;
        let (now_ms, reserve, limits) = (self.now_ms, self.reserve, self.limits);
        let (bid, counted) = (self.price(Side::Sell), amount * self.weight(side));
        self.seen.push((bid, now_ms));
        self.trades.push(AtQuote {
            now_ms,
            who,
            side,
            amount,
            value,
            bid,
            reserve,
            limits,
            counted,
        });
        match side {
            Side::Buy => {
                self.reserve += value;
                self.outstanding += amount;
            }
            Side::Sell => {
                self.reserve -= value;
                self.outstanding -= amount;
            }
        }
        value
    }

    fn with_maker(&mut self, who: Name, side: Side, left: &mut u128, trade: &mut Trade) {
        let amount = self.room(who, side).min(*left);
        let value = self.maker(who, side, amount);
        match side {
            Side::Buy => {
                self.pay(who, value);
                self.receive(who, 0, amount);
            }
            Side::Sell => {
                self.give(who, amount);
                self.receive(who, value, 0);
            }
        }
        *left -= amount;
        trade.amount += amount;
        trade.value += value;
        trade.at_quote = amount;
    }

    fn market_order(&mut self, who: Name, side: Side, amount: u128, bound: u128) -> Answer {
        require(amount > 0, ExchangeError::ZeroAmount)?;
        self.fresh()?;
        require(self.price(side) > 0, ExchangeError::ZeroPrice)?;
        let (mut left, mut trade) = (amount, Trade::default());
        self.meet(who, side, self.price(side), &mut left, &mut trade)?;
        self.with_maker(who, side, &mut left, &mut trade);
        require(left == 0, ExchangeError::LimitReached)?;
        match side {
            Side::Buy => require(trade.value <= bound, ExchangeError::TooMuch)?,
            Side::Sell => require(trade.value >= bound, ExchangeError::TooLittle)?,
        }
        Ok(Done::Traded(trade))
    }

    fn place(&mut self, who: Name, side: Side, price: u128, amount: u128) -> Answer {
        require(amount > 0, ExchangeError::ZeroAmount)?;
        let valid = price > 0 && price.is_multiple_of(10) && price / 10 < u128::from(u32::MAX);
        require(valid, ExchangeError::InvalidPrice)?;
        let (mut left, mut trade) = (amount, Trade::default());
        if self.fresh().is_ok() {
            let quote = self.price(side);
            if quote > 0 && Self::reaches(side, price, quote) {
                self.meet(who, side, quote, &mut left, &mut trade)?;
                self.with_maker(who, side, &mut left, &mut trade);
            }
        }
        self.meet(who, side, price, &mut left, &mut trade)?;
        let other = if side == Side::Buy { Side::Sell } else { Side::Buy };
        let crosses =
            self.best(other).is_some_and(|id| Self::reaches(side, price, self.orders[&id].price));
        if left == 0 || crosses {
            return Ok(Done::Placed(trade, None));
        }
        match side {
            Side::Buy => self.pay(who, price * left),
            Side::Sell => self.give(who, left),
        }
        self.newest += 1;
        self.orders.insert(self.newest, Resting { owner: who, side, price, amount: left });
        Ok(Done::Placed(trade, Some(self.newest)))
    }

    fn cancel(&mut self, who: Name, id: u64) -> Answer {
        let order = self.orders.get(&id).cloned().ok_or(ExchangeError::UnknownOrder)?;
        require(order.owner == who, ExchangeError::NotOrderOwner)?;
        self.orders.remove(&id);
        match order.side {
            Side::Buy => self.receive(who, order.price * order.amount, 0),
            Side::Sell => self.receive(who, 0, order.amount),
        }
        Ok(Done::Count(order.amount))
    }

    fn fill(&mut self, id: u64) -> Answer {
        let order = self.orders.get(&id).cloned().ok_or(ExchangeError::UnknownOrder)?;
        self.fresh()?;
        let (side, quote) = (order.side, self.price(order.side));
        require(quote > 0, ExchangeError::ZeroPrice)?;
        require(Self::reaches(side, order.price, quote), ExchangeError::NotReached)?;
        let amount = order.amount.min(self.room(order.owner, side));
        require(amount > 0, ExchangeError::LimitReached)?;
        let value = self.maker(order.owner, side, amount);
        match side {
            Side::Buy => self.receive(order.owner, order.price * amount - value, amount),
            Side::Sell => self.receive(order.owner, value, 0),
        }
        self.shrink(id, amount);
        Ok(Done::Count(amount))
    }

    /// The owner looks at the newest bid; the one at which all tokens must be bought back.
    fn look(&mut self) -> u128 {
        let bid = self.price(Side::Sell);
        if self.outstanding > 0 && self.is_fresh() {
            self.seen.push((bid, self.now_ms));
        }
        let last = self.seen.iter().map(|seen| seen.1).max().unwrap_or(0);
        self.peak(last).max(bid)
    }

    fn withdraw(&mut self, who: Name, amount: u128) -> Answer {
        require(who == OWNER, ExchangeError::NotOwner)?;
        require(amount > 0, ExchangeError::ZeroAmount)?;
        let (most, from_ms) = self.announced.ok_or(ExchangeError::NotAnnounced)?;
        require(self.now_ms >= from_ms, ExchangeError::TooEarly)?;
        let known = amount <= most && self.now_ms < from_ms + 24 * HOUR_MS;
        require(known, ExchangeError::NotAnnounced)?;
        let bound = self.outstanding * self.look();
        require(amount + bound <= self.reserve, ExchangeError::InsufficientReserve)?;
        self.announced = Some((most - amount, from_ms));
        self.reserve -= amount;
        self.receive(who, amount, 0);
        Ok(Done::Nothing)
    }
}
