//! An exchange that trades with itself: blocks of events for tests and benchmarks, with the state
//! that they lead to, kept apart from the program's own way to it.

use crate::block::{Block, Bytes, Emitted, Ranking};
use crate::store::Identity;
use crate::types::{Digest, Id, Name, Way};
use cicada_core::exchange::{Side, MAX_FILLS, TICK};
use cicada_core::hash::{Hasher, Native};
use cicada_core::quote::{Framework, Quote};
use parity_scale_codec::Encode;
use std::collections::BTreeMap;

/// 1 February 2025.
const START_MS: u64 = 1_738_425_600_000;
const BLOCK_MS: u64 = 6_000;
const FRAMEWORKS: [(&str, u64); 3] = [("claude", 50_000), ("openai", 45_000), ("ollama", 7)];
/// What everybody begins with, and what each reserve begins with.
const MMC: u128 = 1_000_000_000_000_000_000;
const ACCOUNTS: u64 = 40;
/// The market maker's account, and the number of MMC among the tokens.
const MAKER: u64 = 0;
const CURRENCY: u32 = 0;

/// A stream of numbers that a seed determines (SplitMix64).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    fn amount(&mut self, most: u128) -> u128 {
        u128::from(self.below(u64::try_from(most.min(500)).unwrap_or(1))) + 1
    }
}

/// An order that rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Its number.
    pub id: u64,
    /// Which market.
    pub market: u32,
    /// Whose.
    pub owner: Id,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: u128,
    /// What is left.
    pub left: u128,
}

/// The exchange, its tokens and its people.
pub struct Simulation {
    numbers: Numbers,
    next: u64,
    parent: Digest,
    slot: u64,
    scores: Vec<u64>,
    /// What the token contracts know: by token and account.
    balances: BTreeMap<(u32, Id), u128>,
    /// The reserve of each market.
    pub reserves: Vec<u128>,
    /// The resting orders, the oldest first.
    pub book: Vec<Resting>,
    next_order: u64,
    /// Trades so far.
    pub trades: u64,
    // The transaction that is being made: events of the exchange, events of tokens.
    own: Vec<(Id, &'static str, Vec<u8>)>,
    moved: Vec<(Id, &'static str, Vec<u8>)>,
}

/// An account that a number names.
pub fn account(kind: &str, number: u64) -> Id {
    Id(Native::sha256(&[kind.as_bytes(), &number.to_le_bytes()].concat()))
}

/// The account of a person.
pub fn person(number: u64) -> Id {
    account("person", number)
}

/// Whose blocks these are.
pub fn identity() -> Identity {
    Identity {
        genesis: Digest(account("genesis", 0).0),
        exchange: account("exchange", 0),
        currency: account("token", CURRENCY.into()),
        leaderboard: account("leaderboard", 0),
    }
}

fn token(number: u32) -> Id {
    account("token", number.into())
}

fn framework(market: u32) -> Framework {
    let name = FRAMEWORKS.get(usize::try_from(market).unwrap_or(0)).map_or("x", |(name, _)| name);
    Framework::new(name).unwrap_or_else(|_| unreachable!("the names above are valid"))
}

impl Simulation {
    /// Before the first block.
    pub fn new(seed: u64) -> Self {
        Self {
            numbers: Numbers::new(seed),
            next: 1,
            parent: Digest([0; 32]),
            slot: 0,
            scores: FRAMEWORKS.iter().map(|(_, score)| *score).collect(),
            balances: BTreeMap::new(),
            reserves: vec![0; FRAMEWORKS.len()],
            book: Vec::new(),
            next_order: 1,
            trades: 0,
            own: Vec::new(),
            moved: Vec::new(),
        }
    }

    /// All that accounts have: amount and, of it, what rests in orders.
    pub fn holdings(&self) -> BTreeMap<(u32, Id), (u128, u128)> {
        let mut all: BTreeMap<(u32, Id), (u128, u128)> =
            self.balances.iter().map(|(key, amount)| (*key, (*amount, 0))).collect();
        for order in &self.book {
            let (token, locked) = match order.side {
                Side::Buy => (CURRENCY, order.price * order.left),
                Side::Sell => (order.market + 1, order.left),
            };
            all.entry((token, identity().exchange)).or_default().0 -= locked;
            all.entry((token, order.owner)).or_default().1 += locked;
        }
        all.retain(|_, (amount, in_orders)| *amount + *in_orders > 0);
        all
    }

    /// Blocks with at least so many trades.
    pub fn blocks(&mut self, trades: u64) -> Vec<Block> {
        let mut blocks = Vec::new();
        while self.trades < trades {
            blocks.push(self.block());
        }
        blocks
    }

    /// The next block.
    pub fn block(&mut self) -> Block {
        let number = self.next;
        let mut made = Block {
            number,
            hash: Digest(account("block", number).0),
            parent: self.parent,
            time_ms: START_MS + number * BLOCK_MS,
            events: Vec::new(),
            rankings: Vec::new(),
        };
        if number == 1 {
            self.opening(&mut made);
        } else {
            if self.numbers.below(50) == 0 {
                self.requote(&mut made);
            }
            // A third of all blocks are empty.
            for _ in 0..self.numbers.below(6).saturating_sub(1) {
                self.anything();
                self.end(&mut made);
            }
        }
        self.next += 1;
        self.parent = made.hash;
        made
    }

    /// The transaction is over: its events go into the block, now and then those of tokens first.
    fn end(&mut self, block: &mut Block) {
        let extrinsic = block.events.last().and_then(|event| event.extrinsic).map_or(1, |e| e + 1);
        let (own, moved) = (std::mem::take(&mut self.own), std::mem::take(&mut self.moved));
        let parts = if self.numbers.below(2) == 0 { [own, moved] } else { [moved, own] };
        for (contract, name, data) in parts.into_iter().flatten() {
            block.events.push(Emitted {
                index: block.events.last().map_or(2, |event| event.index + 2),
                extrinsic: Some(extrinsic),
                contract,
                name: Some(name.into()),
                data: Bytes(data),
            });
        }
    }

    fn emit(&mut self, name: &'static str, data: impl Encode) {
        self.own.push((identity().exchange, name, data.encode()));
    }

    fn transfer(&mut self, number: u32, from: Option<Id>, to: Option<Id>, value: u128) {
        if let Some(from) = from {
            *self.balances.entry((number, from)).or_default() -= value;
        }
        if let Some(to) = to {
            *self.balances.entry((number, to)).or_default() += value;
        }
        self.moved.push((token(number), "Transfer", (from, to, value).encode()));
    }

    fn opening(&mut self, block: &mut Block) {
        for number in 0..ACCOUNTS {
            let begin = if number == MAKER { 4 * MMC } else { MMC };
            self.transfer(CURRENCY, None, Some(person(number)), begin);
            self.end(block);
        }
        self.requote(block);
        for market in 0..3u32 {
            self.emit("MarketListed", (framework(market), token(market + 1), market));
            self.end(block);
            self.transfer(CURRENCY, Some(person(MAKER)), Some(identity().exchange), MMC);
            self.reserves[market as usize] += MMC;
            self.emit("Deposited", (framework(market), person(MAKER), MMC));
            self.end(block);
        }
    }

    fn requote(&mut self, block: &mut Block) {
        self.slot += 1;
        for score in &mut self.scores {
            *score = (*score * (95 + self.numbers.below(11)) / 100).max(5);
        }
        let scores = (0..3u32).zip(&self.scores);
        let scores = scores.map(|(market, score)| (Name(framework(market)), *score)).collect();
        block.rankings.push(Ranking { slot: self.slot, time_ms: block.time_ms - 100, scores });
        let data = (self.slot, [7u8; 32], 1u32, 0xffffu32, block.time_ms - 100).encode();
        self.own.push((identity().leaderboard, "LeaderboardFinalized", data));
        self.end(block);
    }

    fn quote(&self, market: u32) -> (u128, u128) {
        let quote = Quote::new(framework(market), self.scores[market as usize], 0, 0);
        (quote.bid, quote.ask)
    }

    fn balance(&self, number: u32, account: Id) -> u128 {
        self.balances.get(&(number, account)).copied().unwrap_or(0)
    }

    fn anything(&mut self) {
        let market = u32::try_from(self.numbers.below(3)).unwrap_or(0);
        let who = person(self.numbers.below(ACCOUNTS));
        let held = self.balance(market + 1, who);
        let (bid, ask) = self.quote(market);
        match self.numbers.below(20) {
            0..=6 => {
                let amount = self.numbers.amount(500);
                self.take(market, who, Side::Buy, amount, u128::MAX);
            }
            7..=11 if held > 0 => {
                let amount = self.numbers.amount(held).min(held);
                self.take(market, who, Side::Sell, amount, 0);
            }
            12..=14 => {
                let price = (ask - u128::from(self.numbers.below(40)) * TICK).max(TICK);
                let amount = self.numbers.amount(100);
                self.place(market, who, Side::Buy, price, amount);
            }
            15..=16 if held > 0 => {
                let price = bid + u128::from(self.numbers.below(40)) * TICK;
                let amount = self.numbers.amount(held).min(held);
                self.place(market, who, Side::Sell, price, amount);
            }
            17 => self.fill_reached(market),
            18 if !self.book.is_empty() => {
                let place = self.numbers.below(self.book.len() as u64) as usize;
                self.cancel(place);
            }
            19 if held > 0 => {
                let amount = self.numbers.amount(held).min(held);
                let to = person(self.numbers.below(ACCOUNTS));
                self.transfer(market + 1, Some(who), Some(to), amount);
            }
            _ => {
                self.transfer(CURRENCY, Some(person(MAKER)), Some(who), 1);
                let data = (person(MAKER), who, 5u128).encode();
                self.moved.push((token(CURRENCY), "Approval", data));
            }
        }
    }

    /// The best order that somebody with this limit can trade with, unless the maker is better.
    fn best(&self, market: u32, taker: Side, limit: u128) -> Option<usize> {
        let (bid, ask) = self.quote(market);
        let good = |order: &&(usize, &Resting)| {
            order.1.market == market
                && match taker {
                    Side::Buy => {
                        order.1.side == Side::Sell && order.1.price <= limit && order.1.price < ask
                    }
                    Side::Sell => {
                        order.1.side == Side::Buy && order.1.price >= limit && order.1.price > bid
                    }
                }
        };
        let all: Vec<(usize, &Resting)> = self.book.iter().enumerate().collect();
        let mut found = all.iter().filter(good).collect::<Vec<_>>();
        found.sort_by_key(|(place, order)| match taker {
            Side::Buy => (order.price, *place),
            Side::Sell => (u128::MAX - order.price, *place),
        });
        found.first().map(|(place, _)| *place)
    }

    /// Trades at once what the limit allows; what is left is the answer.
    fn take(&mut self, market: u32, who: Id, side: Side, mut left: u128, limit: u128) -> u128 {
        for _ in 0..MAX_FILLS {
            let Some(place) = self.best(market, side, limit).filter(|_| left > 0) else { break };
            let amount = left.min(self.book[place].left);
            let order = self.book[place].clone();
            left -= amount;
            self.traded(
                market,
                who,
                (Some(order.owner), Some(order.id)),
                side,
                (order.price, amount),
            );
            let value = order.price * amount;
            let exchange = identity().exchange;
            if side == Side::Buy {
                self.transfer(market + 1, Some(exchange), Some(who), amount);
                self.transfer(CURRENCY, Some(who), Some(order.owner), value);
            } else {
                self.transfer(market + 1, Some(who), Some(order.owner), amount);
                self.transfer(CURRENCY, Some(exchange), Some(who), value);
            }
            self.shrink(place, amount);
        }
        let (bid, ask) = self.quote(market);
        let price = if side == Side::Buy { ask } else { bid };
        let allowed = if side == Side::Buy { price <= limit } else { price >= limit };
        let exchange = identity().exchange;
        if left > 0 && allowed {
            self.traded(market, who, (None, None), side, (price, left));
            let value = price * left;
            if side == Side::Buy {
                self.transfer(CURRENCY, Some(who), Some(exchange), value);
                self.transfer(market + 1, None, Some(who), left);
            } else {
                self.transfer(market + 1, Some(who), None, left);
                self.transfer(CURRENCY, Some(exchange), Some(who), value);
            }
            left = 0;
        }
        left
    }

    fn traded(
        &mut self,
        market: u32,
        taker: Id,
        (maker, order): (Option<Id>, Option<u64>),
        side: Side,
        (price, amount): (u128, u128),
    ) {
        self.trades += 1;
        if maker.is_none() {
            let reserve = &mut self.reserves[market as usize];
            let value = price * amount;
            *reserve = if side == Side::Buy { *reserve + value } else { *reserve - value };
        }
        self.emit("Traded", (framework(market), taker, maker, side, price, amount, order));
    }

    fn shrink(&mut self, place: usize, amount: u128) {
        self.book[place].left -= amount;
        if self.book[place].left == 0 {
            self.book.remove(place);
        }
    }

    fn place(&mut self, market: u32, owner: Id, side: Side, price: u128, amount: u128) {
        let left = self.take(market, owner, side, amount, price);
        if left == 0 {
            return;
        }
        let exchange = Some(identity().exchange);
        match side {
            Side::Buy => self.transfer(CURRENCY, Some(owner), exchange, price * left),
            Side::Sell => self.transfer(market + 1, Some(owner), exchange, left),
        }
        let id = self.next_order;
        self.next_order += 1;
        self.book.push(Resting { id, market, owner, side, price, left });
        self.emit("OrderPlaced", (framework(market), owner, id, side, price, left));
    }

    fn cancel(&mut self, place: usize) {
        let order = self.book.remove(place);
        let exchange = Some(identity().exchange);
        match order.side {
            Side::Buy => {
                self.transfer(CURRENCY, exchange, Some(order.owner), order.price * order.left);
            }
            Side::Sell => {
                self.transfer(order.market + 1, exchange, Some(order.owner), order.left);
            }
        }
        self.emit("OrderCancelled", (framework(order.market), order.owner, order.id, order.left));
    }

    /// Resting orders that the quote has reached trade with the market maker.
    fn fill_reached(&mut self, market: u32) {
        let (bid, ask) = self.quote(market);
        let exchange = Some(identity().exchange);
        for _ in 0..MAX_FILLS {
            let reached = |order: &Resting| {
                order.market == market
                    && match order.side {
                        Side::Buy => order.price >= ask,
                        Side::Sell => order.price <= bid,
                    }
            };
            let Some(place) = self.book.iter().position(reached) else { return };
            let order = self.book[place].clone();
            let price = if order.side == Side::Buy { ask } else { bid };
            let by = (None, Some(order.id));
            self.traded(market, order.owner, by, order.side, (price, order.left));
            match order.side {
                Side::Buy => {
                    self.transfer(market + 1, None, Some(order.owner), order.left);
                    let cheaper = (order.price - price) * order.left;
                    self.transfer(CURRENCY, exchange, Some(order.owner), cheaper);
                }
                Side::Sell => {
                    self.transfer(market + 1, exchange, None, order.left);
                    self.transfer(CURRENCY, exchange, Some(order.owner), price * order.left);
                }
            }
            self.shrink(place, order.left);
        }
    }
}

/// The side, for comparisons.
pub fn way(side: Side) -> Way {
    Way(side)
}
