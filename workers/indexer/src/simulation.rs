//! An exchange that trades with itself: blocks of events for tests and benchmarks, with the state
//! that they lead to, kept apart from the program's own way to it.

use crate::block::{Block, Bytes, Emitted, Ranking};
use crate::store::Identity;
use cicada_contracts::exchange::events::{Deposited, MarketListed};
use cicada_contracts::leaderboard::events::LeaderboardFinalized;
use cicada_contracts::token::events::Transfer;
use cicada_contracts::Event;
use cicada_core::exchange::Side;
use cicada_core::hash::{Digest, Hasher, Native};
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;
use cicada_dice::Dice;
use parity_scale_codec::Encode;
use std::collections::BTreeMap;

mod trading;

/// 1 February 2025.
const START_MS: u64 = 1_738_425_600_000;
const BLOCK_MS: u64 = 6_000;
const FRAMEWORKS: [(&str, u64); 3] = [("claude", 50_000), ("openai", 45_000), ("ollama", 7)];
/// What everybody begins with, and what each reserve begins with.
const PURSE: u128 = 1_000_000_000_000_000_000;
const ACCOUNTS: u64 = 40;
/// The market maker's account, and the number of MMC among the tokens.
const MAKER: u64 = 0;
const CURRENCY: u32 = 0;

/// An order that rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Its number.
    pub id: u64,
    /// Which market.
    pub market: u32,
    /// Whose.
    pub owner: Account,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: u128,
    /// What is left.
    pub left: u128,
}

impl Resting {
    /// What the exchange holds for it: of which token, and how much.
    fn locked(&self) -> (u32, u128) {
        match self.side {
            Side::Buy => (CURRENCY, self.price * self.left),
            Side::Sell => (self.market + 1, self.left),
        }
    }
}

/// An event: of which contract, its name and its fields.
type Said = (Account, &'static str, Vec<u8>);

fn said<E: Event + Encode>(contract: Account, event: &E) -> Said {
    (contract, E::NAME, event.encode())
}

/// The exchange, its tokens and its people.
pub struct Simulation {
    dice: Dice,
    next: u64,
    parent: Digest,
    slot: u64,
    scores: Vec<u64>,
    /// What the token contracts know: by token and account.
    balances: BTreeMap<(u32, Account), u128>,
    /// The reserve of each market.
    pub reserves: Vec<u128>,
    /// The resting orders, the oldest first.
    pub book: Vec<Resting>,
    next_order: u64,
    /// Trades so far.
    pub trades: u64,
    // The transaction that is being made: events of the exchange, events of tokens.
    own: Vec<Said>,
    moved: Vec<Said>,
}

/// An account that a number names.
pub fn account(kind: &str, number: u64) -> Account {
    Account(Native::sha256(&[kind.as_bytes(), &number.to_le_bytes()].concat()).0)
}

/// The account of a person.
pub fn person(number: u64) -> Account {
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

fn token(number: u32) -> Account {
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
            dice: Dice::new(seed),
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
    pub fn holdings(&self) -> BTreeMap<(u32, Account), (u128, u128)> {
        let mut all: BTreeMap<(u32, Account), (u128, u128)> =
            self.balances.iter().map(|(key, amount)| (*key, (*amount, 0))).collect();
        for order in &self.book {
            let (token, locked) = order.locked();
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
            if self.dice.below(50) == 0 {
                self.requote(&mut made);
            }
            // A third of all blocks are empty.
            for _ in 0..self.dice.below(6).saturating_sub(1) {
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
        let parts = if self.dice.below(2) == 0 { [own, moved] } else { [moved, own] };
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

    fn emit(&mut self, event: &(impl Event + Encode)) {
        self.own.push(said(identity().exchange, event));
    }

    fn transfer(&mut self, number: u32, from: Option<Account>, to: Option<Account>, value: u128) {
        if let Some(from) = from {
            *self.balances.entry((number, from)).or_default() -= value;
        }
        if let Some(to) = to {
            *self.balances.entry((number, to)).or_default() += value;
        }
        let event = Transfer { from, to, value };
        self.moved.push(said(token(number), &event));
    }

    fn opening(&mut self, block: &mut Block) {
        for number in 0..ACCOUNTS {
            let begin = if number == MAKER { 4 * PURSE } else { PURSE };
            self.transfer(CURRENCY, None, Some(person(number)), begin);
            self.end(block);
        }
        self.requote(block);
        for market in 0..3u32 {
            let (framework, token) = (framework(market), token(market + 1));
            self.emit(&MarketListed { framework: framework.clone(), token, market });
            self.end(block);
            self.transfer(CURRENCY, Some(person(MAKER)), Some(identity().exchange), PURSE);
            self.reserves[market as usize] += PURSE;
            self.emit(&Deposited { framework, from: person(MAKER), amount: PURSE });
            self.end(block);
        }
    }

    fn requote(&mut self, block: &mut Block) {
        self.slot += 1;
        for score in &mut self.scores {
            *score = (*score * (95 + self.dice.below(11)) / 100).max(5);
        }
        let scores = (0..3u32).zip(&self.scores);
        let standings = scores.map(|(market, score)| (framework(market), *score, 7));
        let (time_ms, standings) = (block.time_ms - 100, standings.collect());
        block.rankings.push(Ranking { slot: self.slot, time_ms, standings });
        let event = LeaderboardFinalized {
            slot: self.slot,
            digest: Digest([7; 32]),
            epoch: 1,
            signers: 0xffff,
            time_ms: block.time_ms - 100,
        };
        self.own.push(said(identity().leaderboard, &event));
        self.end(block);
    }

    fn quote(&self, market: u32) -> (u128, u128) {
        let quote = Quote::new(framework(market), self.scores[market as usize], 0, 0);
        (quote.bid, quote.ask)
    }

    fn balance(&self, number: u32, account: Account) -> u128 {
        self.balances.get(&(number, account)).copied().unwrap_or(0)
    }
}
