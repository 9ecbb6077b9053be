//! The exchange's records, and how a message ends.

use cicada_core::exchange::book::{Queue, Resting, Shelf};
use cicada_core::exchange::matching::MarketRecord;
use cicada_core::exchange::tree::{Node, Word, Words};
use cicada_core::exchange::window::LastHour;
use cicada_core::exchange::Side;
use cicada_core::quote::Framework;
use cicada_core::Account;
use cicada_traits::bytes::{pack, Encoded};
use cicada_traits::exchange::ExchangeError;
use ink::env::ReturnFlags;
use ink::prelude::vec;
use ink::prelude::vec::Vec;
use ink::scale::{Decode, Encode};
use ink::storage::traits::ManualKey;
use ink::storage::Mapping;

/// What there is a record of.
#[derive(Clone)]
#[ink::scale_derive(Encode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum Cell {
    /// The [`MarketRecord`] of a framework.
    Market(Framework),
    /// The [`Framework`] of a market's number.
    Name(u32),
    /// The number of the newest order, a `u64`.
    Newest,
    /// A [`Resting`] order.
    Order(u64),
    /// The [`Queue`] of a market, a side and a level.
    Queue(u32, Side, u32),
    /// What the market maker traded with an account on a side of a market, a [`LastHour`].
    Hour(u32, Side, Account),
    /// 256 bits of a market, a side and a place in the tree of levels: depth and prefix.
    Word(u32, Side, u8, [u8; 3]),
}

/// All records, encoded. One map instead of six spares the code of five.
pub type Cells = Mapping<Cell, Vec<u8>, ManualKey<0x4345_4c4c>>;

#[inline(never)]
fn bytes(cell: Cell) -> Option<Vec<u8>> {
    Cells::new().get(cell)
}

#[inline(never)]
fn save_bytes(cell: Cell, record: Vec<u8>) {
    Cells::new().insert(cell, &record);
}

#[inline(never)]
fn remove(cell: Cell) {
    Cells::new().remove(cell);
}

fn find<T: Decode>(cell: Cell) -> Option<T> {
    T::decode(&mut bytes(cell)?.as_slice()).ok()
}

/// Whether a framework has a market.
pub fn is_listed(framework: &Framework) -> bool {
    bytes(Cell::Market(framework.clone())).is_some()
}

/// The market of a framework.
#[inline(never)]
pub fn find_market(framework: &Framework) -> Result<MarketRecord, ExchangeError> {
    find(Cell::Market(framework.clone())).ok_or(ExchangeError::UnknownFramework)
}

/// Writes a market.
#[inline(never)]
pub fn save_market(framework: &Framework, market: &MarketRecord) {
    save_bytes(Cell::Market(framework.clone()), pack(market));
}

/// The framework of a market's number.
#[inline(never)]
pub fn find_name(market: u32) -> Option<Framework> {
    find(Cell::Name(market))
}

/// Writes the framework of a market's number.
pub fn save_name(market: u32, framework: &Framework) {
    save_bytes(Cell::Name(market), pack(framework));
}

/// An order and its framework.
#[inline(never)]
pub fn find_order(order: u64) -> Result<(Resting, Framework), ExchangeError> {
    let resting: Option<Resting> = find(Cell::Order(order));
    let named = resting.and_then(|resting| Some((resting, find_name(resting.market)?)));
    named.ok_or(ExchangeError::UnknownOrder)
}

/// The number of the next order, from 1. Each is a paid transaction: nobody lives to see 2^64.
#[inline(never)]
pub fn next_order() -> u64 {
    let number = find(Cell::Newest).unwrap_or(0_u64).saturating_add(1);
    save_bytes(Cell::Newest, pack(&number));
    number
}

/// What the market maker of a market traded with an account on a side.
#[inline(never)]
pub fn find_hour(market: u32, side: Side, account: &Account) -> LastHour {
    find(Cell::Hour(market, side, *account)).unwrap_or_default()
}

/// Writes what the market maker of a market traded with an account on a side.
#[inline(never)]
pub fn save_hour(market: u32, side: Side, account: &Account, hour: &LastHour) {
    save_bytes(Cell::Hour(market, side, *account), pack(hour));
}

/// One side of the book of a market.
pub struct Orders {
    /// Which market.
    pub market: u32,
    /// Which side.
    pub side: Side,
}

impl Orders {
    fn word_cell(&self, node: Node) -> Cell {
        Cell::Word(self.market, self.side, node.depth, node.prefix)
    }
}

impl Words for Orders {
    #[inline(never)]
    fn word(&self, node: Node) -> Word {
        find(self.word_cell(node)).map(Word).unwrap_or_default()
    }

    #[inline(never)]
    fn set_word(&mut self, node: Node, word: Word) {
        let cell = self.word_cell(node);
        if word.is_empty() {
            remove(cell);
        } else {
            save_bytes(cell, pack(&word.0));
        }
    }
}

impl Shelf for Orders {
    #[inline(never)]
    fn queue(&self, key: u32) -> Queue {
        find(Cell::Queue(self.market, self.side, key)).unwrap_or_default()
    }

    #[inline(never)]
    fn set_queue(&mut self, key: u32, queue: &Queue) {
        let cell = Cell::Queue(self.market, self.side, key);
        if queue.orders == 0 {
            remove(cell);
        } else {
            save_bytes(cell, pack(queue));
        }
    }

    #[inline(never)]
    fn order(&self, id: u64) -> Option<Resting> {
        find(Cell::Order(id))
    }

    #[inline(never)]
    fn set_order(&mut self, id: u64, order: &Resting) {
        if order.amount == 0 {
            remove(Cell::Order(id));
        } else {
            save_bytes(Cell::Order(id), pack(order));
        }
    }
}

/// Ends a message with an answer in bytes. Returning would make ink! write the root after each
/// message that may change something, though few change the root, and would cost a fifth of a
/// kilobyte of code for every type of answer.
#[inline(never)]
fn reply(answer: &[u8], flags: ReturnFlags) -> ! {
    let mut bytes = vec![0];
    bytes.extend_from_slice(answer);
    ink::env::return_value(flags, &Encoded(&bytes))
}

#[inline(never)]
fn finish_with(answer: Result<Vec<u8>, ExchangeError>) -> ! {
    let (mut bytes, rest, flags) = match answer {
        Ok(value) => (vec![0], value, ReturnFlags::empty()),
        Err(error) => (vec![1], pack(&error), ReturnFlags::REVERT),
    };
    bytes.extend(rest);
    reply(&bytes, flags)
}

/// Ends a message that left the root as it was. An error undoes everything.
pub fn finish<T: Encode>(answer: Result<T, ExchangeError>) -> ! {
    finish_with(answer.map(|value| pack(&value)))
}

/// Ends a view with its answer.
pub fn tell<T: Encode>(answer: &T) -> ! {
    reply(&pack(answer), ReturnFlags::empty())
}
