//! The book of resting orders: per side a tree of price levels, per level a queue of orders.
//!
//! A level is found by its key, which rises from the best price to the worst on both sides: the
//! tick of an ask, the complement of the tick of a bid. What an order costs to place, fill or
//! cancel does not depend on how many there are.

use super::maker::{grow, shrink};
use super::tree::{above, insert, remove, Words};
use super::{ExchangeError, Level, Side, MAX_FILLS, MAX_LEVELS, TICK};
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};

/// [`TICK`], for a division that Wasm has an instruction for.
const TICK_U64: u64 = 10;

/// An order as the book keeps it. Orders are numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Resting {
    /// Whose.
    pub owner: Account,
    /// The number of its market.
    pub market: u32,
    /// Whether it buys or sells.
    pub side: Side,
    /// The key of its level.
    pub key: u32,
    /// Tokens not traded yet; more than 0.
    pub amount: u128,
    /// The order before it; says nothing in the first of a level.
    before: u64,
    /// The order after it; says nothing in the last of a level.
    after: u64,
}

/// The orders at one price, the oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Queue {
    first: u64,
    last: u64,
    /// Tokens of all its orders.
    pub amount: u128,
    /// How many; 0 if it is not kept.
    pub orders: u32,
}

/// Where one side of a book is kept.
pub trait Shelf: Words {
    /// The queue of a level; the default where there is none.
    fn queue(&self, key: u32) -> Queue;
    /// Writes a queue; one without orders needs not be kept.
    fn set_queue(&mut self, key: u32, queue: &Queue);
    /// An order.
    fn order(&self, id: u64) -> Option<Resting>;
    /// Writes an order; one of nothing is removed.
    fn set_order(&mut self, id: u64, order: &Resting);
}

/// A fill of a resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Its number.
    pub order: u64,
    /// Whose.
    pub owner: Account,
    /// Its price.
    pub price: u128,
    /// Tokens.
    pub amount: u128,
}

/// The key of a price on a side.
///
/// # Errors
/// [`ExchangeError::InvalidPrice`] for 0, no multiple of [`TICK`], or a tick of 2³²−1 or more.
#[inline(never)]
pub fn key_of(side: Side, price: u128) -> Result<u32, ExchangeError> {
    let tick = tick_floor(price).filter(|tick| *tick != 0 && price_at(*tick) == price);
    Ok(oriented(side, tick.ok_or(ExchangeError::InvalidPrice)?))
}

/// The tick at or below a price, if it is below 2³²−1.
fn tick_floor(price: u128) -> Option<u32> {
    let tick = u64::try_from(price).ok()?.checked_div(TICK_U64)?;
    u32::try_from(tick).ok().filter(|tick| *tick != u32::MAX)
}

/// The price of a key on a side.
#[inline(never)]
pub fn price_of(side: Side, key: u32) -> u128 {
    price_at(oriented(side, key))
}

/// The key of the worst level that is as good as `price` for who meets it; a level of that
/// key need not be possible.
#[inline(never)]
pub fn reach(side: Side, price: u128) -> u32 {
    let price = match side {
        Side::Sell => price,
        // A bid is met by who asks for no more than it, so the price is rounded up.
        Side::Buy => price.saturating_add(TICK - 1),
    };
    // At a tick beyond the book: all asks are below it, no bid reaches it.
    oriented(side, tick_floor(price).unwrap_or(u32::MAX))
}

fn oriented(side: Side, tick: u32) -> u32 {
    match side {
        Side::Sell => tick,
        Side::Buy => !tick,
    }
}

fn price_at(tick: u32) -> u128 {
    // Below 2^36: nothing saturates.
    u128::from(tick).saturating_mul(TICK)
}

/// One side of a book, with the key of its best level at hand.
pub struct Book<'a, S> {
    /// Where it is kept.
    pub shelf: &'a mut S,
    /// Which side.
    pub side: Side,
    /// The key of the best level.
    pub best: &'a mut Option<u32>,
}

impl<S: Shelf> Book<'_, S> {
    /// Appends an order to the queue of its level. Its neighbours are set here.
    ///
    /// # Errors
    /// `Math`.
    #[inline(never)]
    pub fn rest(&mut self, id: u64, mut order: Resting) -> Result<(), ExchangeError> {
        let mut queue = self.shelf.queue(order.key);
        grow(&mut queue.amount, order.amount)?;
        if queue.orders == 0 {
            queue.first = id;
            insert(self.shelf, order.key);
            if self.best.is_none_or(|best| order.key < best) {
                *self.best = Some(order.key);
            }
        } else if let Some(mut last) = self.shelf.order(queue.last) {
            last.after = id;
            self.shelf.set_order(queue.last, &last);
        }
        order.before = queue.last;
        // Each order is a paid transaction: nobody lives to see 2^32 at one price.
        queue.orders = queue.orders.saturating_add(1);
        queue.last = id;
        self.shelf.set_order(id, &order);
        self.shelf.set_queue(order.key, &queue);
        Ok(())
    }

    /// Fills orders up to the level `reach`, the best and then the oldest first, until `left` is
    /// nothing or there are [`MAX_FILLS`].
    ///
    /// # Errors
    /// `OwnOrder` if an order of `taker` is next; `Math` never.
    #[inline(never)]
    pub fn take(
        &mut self,
        reach: u32,
        left: &mut u128,
        taker: &Account,
        fills: &mut Vec<Fill>,
    ) -> Result<(), ExchangeError> {
        // Each round but the last fills an order.
        while *left > 0 && !is_full(fills) {
            let Some(key) = self.best.filter(|key| *key <= reach) else { break };
            let mut queue = self.shelf.queue(key);
            while *left > 0 && queue.orders > 0 && !is_full(fills) {
                self.fill_first(key, &mut queue, left, taker, fills)?;
            }
            self.keep(key, &queue);
        }
        Ok(())
    }

    #[inline(never)]
    fn fill_first(
        &mut self,
        key: u32,
        queue: &mut Queue,
        left: &mut u128,
        taker: &Account,
        fills: &mut Vec<Fill>,
    ) -> Result<(), ExchangeError> {
        let id = queue.first;
        let mut order = self.shelf.order(id).ok_or(ExchangeError::UnknownOrder)?;
        if *taker == order.owner {
            return Err(ExchangeError::OwnOrder);
        }
        let amount = order.amount.min(*left);
        shrink(&mut order.amount, amount)?;
        shrink(&mut queue.amount, amount)?;
        shrink(left, amount)?;
        if order.amount == 0 {
            queue.first = order.after;
            queue.orders = queue.orders.saturating_sub(1);
        }
        self.shelf.set_order(id, &order);
        fills.push(Fill { order: id, owner: order.owner, price: price_of(self.side, key), amount });
        Ok(())
    }

    /// Takes tokens out of an order, wherever it stands; with the last of them the order goes.
    ///
    /// # Errors
    /// `Math` if it has less.
    #[inline(never)]
    pub fn reduce(&mut self, id: u64, order: &Resting, by: u128) -> Result<(), ExchangeError> {
        let mut left = *order;
        shrink(&mut left.amount, by)?;
        let mut queue = self.shelf.queue(order.key);
        shrink(&mut queue.amount, by)?;
        if left.amount == 0 {
            self.unlink(id, order, &mut queue);
        }
        self.shelf.set_order(id, &left);
        self.keep(order.key, &queue);
        Ok(())
    }

    fn unlink(&mut self, id: u64, order: &Resting, queue: &mut Queue) {
        queue.orders = queue.orders.saturating_sub(1);
        let (is_first, is_last) = (queue.first == id, queue.last == id);
        if is_first {
            queue.first = order.after;
        } else {
            self.relink(order.before, |before| before.after = order.after);
        }
        if is_last {
            queue.last = order.before;
        } else if !is_first {
            self.relink(order.after, |after| after.before = order.before);
        }
    }

    fn relink(&mut self, id: u64, change: impl Fn(&mut Resting)) {
        if let Some(mut order) = self.shelf.order(id) {
            change(&mut order);
            self.shelf.set_order(id, &order);
        }
    }

    /// Writes a queue; with its last order its level goes.
    #[inline(never)]
    fn keep(&mut self, key: u32, queue: &Queue) {
        self.shelf.set_queue(key, queue);
        if queue.orders == 0 {
            remove(self.shelf, key);
            if *self.best == Some(key) {
                *self.best = above(self.shelf, key);
            }
        }
    }

    /// The best levels, at most [`MAX_LEVELS`].
    #[inline(never)]
    pub fn levels(&self, limit: u32) -> Vec<Level> {
        let mut levels = Vec::new();
        let mut next = *self.best;
        for _ in 0..limit.min(MAX_LEVELS) {
            let Some(key) = next else { break };
            let Queue { amount, orders, .. } = self.shelf.queue(key);
            levels.push(Level { price: price_of(self.side, key), amount, orders });
            next = above(self.shelf, key);
        }
        levels
    }
}

impl Resting {
    /// An order that is not in the book yet.
    pub fn new(owner: Account, market: u32, side: Side, key: u32, amount: u128) -> Self {
        Self { owner, market, side, key, amount, before: 0, after: 0 }
    }

    /// Base units of MMC for one token.
    pub fn price(&self) -> u128 {
        price_of(self.side, self.key)
    }
}

/// Whether there are as many fills as one call may make.
pub(super) fn is_full(fills: &[Fill]) -> bool {
    u32::try_from(fills.len()).map_or(true, |count| count >= MAX_FILLS)
}
