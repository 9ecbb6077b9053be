//! The tree against a set, the book against a list, the window against a list, sums and edges.

use super::book::{key_of, price_of, reach, Book, Fill, Queue, Resting, Shelf};
use super::maker::is_fresh;
use super::maker::Offer;
use super::matching::{MarketRecord, Taker};
use super::tree::{above, insert, remove, Node, Word, Words};
use super::window::{LastHour, Volume};
use super::{ExchangeError, Level, Limits, Side, MAX_FILLS, MAX_LEVELS, TICK};
use crate::prices::HOUR_MS;
use crate::Account;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;
use proptest::prelude::*;

/// A shelf in memory, which counts what is touched and keeps nothing empty.
#[derive(Clone, Debug, Default)]
struct Memory {
    words: BTreeMap<Node, Word>,
    queues: BTreeMap<u32, Queue>,
    orders: BTreeMap<u64, Resting>,
    touched: Cell<u32>,
}

impl Memory {
    fn touch(&self) {
        self.touched.set(self.touched.get() + 1);
    }
}

impl Words for Memory {
    fn word(&self, node: Node) -> Word {
        self.touch();
        self.words.get(&node).copied().unwrap_or_default()
    }

    fn set_word(&mut self, node: Node, word: Word) {
        self.touch();
        if word.is_empty() {
            self.words.remove(&node);
        } else {
            self.words.insert(node, word);
        }
    }
}

impl Shelf for Memory {
    fn queue(&self, key: u32) -> Queue {
        self.touch();
        self.queues.get(&key).copied().unwrap_or_default()
    }

    fn set_queue(&mut self, key: u32, queue: &Queue) {
        self.touch();
        if queue.orders == 0 {
            self.queues.remove(&key);
        } else {
            self.queues.insert(key, *queue);
        }
    }

    fn order(&self, id: u64) -> Option<Resting> {
        self.touch();
        self.orders.get(&id).copied()
    }

    fn set_order(&mut self, id: u64, order: &Resting) {
        self.touch();
        if order.amount == 0 {
            self.orders.remove(&id);
        } else {
            self.orders.insert(id, *order);
        }
    }
}

/// Keys near each other, far from each other, and at the edges of words.
fn keys() -> impl Strategy<Value = u32> {
    prop_oneof![
        1..600_u32,
        any::<u32>(),
        (any::<u8>(), 0..4_u32).prop_map(|(byte, place)| u32::from(byte) << (8 * place)),
        (0..4_u32, 0..3_u32).prop_map(|(place, off)| (1_u32 << (8 * place)) - 1 + off),
        u32::MAX - 300..=u32::MAX,
    ]
}

proptest! {
    #[test]
    fn the_tree_is_a_set(steps in prop::collection::vec((keys(), any::<bool>()), 0..120), asked in keys()) {
        let (mut tree, mut set) = (Memory::default(), BTreeSet::new());
        for (key, present) in steps {
            tree.touched.set(0);
            if present {
                insert(&mut tree, key);
                set.insert(key);
            } else {
                remove(&mut tree, key);
                set.remove(&key);
            }
            prop_assert!(tree.touched.get() <= 8, "{} words", tree.touched.get());
            for from in [asked, key, key.wrapping_sub(1), key.wrapping_add(1)] {
                tree.touched.set(0);
                let next = from.checked_add(1).and_then(|first| set.range(first..).next());
                prop_assert_eq!(above(&tree, from), next.copied());
                prop_assert!(tree.touched.get() <= 7, "{} words", tree.touched.get());
            }
        }
        for key in &set {
            remove(&mut tree, *key);
        }
        prop_assert!(tree.words.is_empty(), "nothing is kept for nothing");
    }

    #[test]
    fn a_key_has_one_price_and_rises_from_the_best(tick in 1..u32::MAX, other in 1..u32::MAX) {
        let [price, second] = [tick, other].map(|tick| u128::from(tick) * TICK);
        for side in [Side::Buy, Side::Sell] {
            let key = key_of(side, price).unwrap();
            prop_assert_eq!(price_of(side, key), price);
            prop_assert_eq!(reach(side, price), key);
            let better = if side == Side::Buy { price > second } else { price < second };
            prop_assert_eq!(key < key_of(side, second).unwrap(), better);
        }
    }

    #[test]
    fn a_level_is_reached_by_who_accepts_its_price(tick in 1..u32::MAX, limit: u128, near in -30..30_i64) {
        let price = u128::from(tick) * TICK;
        for limit in [limit, price.saturating_add_signed(near.into())] {
            let met = |resting| key_of(resting, price).unwrap() <= reach(resting, limit);
            prop_assert_eq!(met(Side::Sell), Side::Buy.accepts(limit, price));
            prop_assert_eq!(met(Side::Buy), Side::Sell.accepts(limit, price));
        }
    }

    #[test]
    fn the_window_is_that_of_a_list_of_all_trades(
        trades in prop::collection::vec((0..10 * HOUR_MS, 0..1_000_u128), 0..60),
        later in 0..40 * HOUR_MS,
    ) {
        let (mut volume, mut now, mut all) = (Volume::default(), 0, vec![]);
        for (after, amount) in trades {
            now += after;
            volume.record(now, amount);
            all.push((now / HOUR_MS, amount));
        }
        now += later;
        let counts = |(hour, _): &&(u64, u128)| hour + 24 > now / HOUR_MS;
        prop_assert_eq!(volume.sum(now), all.iter().filter(counts).map(|trade| trade.1).sum::<u128>());
    }

    #[test]
    fn the_last_hour_holds_every_hour_and_no_more_than_ten_minutes_besides(
        trades in prop::collection::vec((0..HOUR_MS, 1..1_000_u128), 0..30),
        later in 0..2 * HOUR_MS,
    ) {
        let (mut hour, mut now, mut all) = (LastHour::default(), 7_000_000, vec![]);
        for (after, amount) in trades {
            now += after;
            hour.record(now, amount);
            all.push((now, amount));
        }
        now += later;
        let since = |age: u64| -> u128 {
            all.iter().filter(|(time, _)| now - time < age).map(|trade| trade.1).sum()
        };
        let sum = hour.sum(now);
        prop_assert!(since(HOUR_MS) <= sum && sum <= since(HOUR_MS + 600_000), "{sum}");
    }
}

#[test]
fn a_volume_beyond_128_bits_stays_at_their_end() {
    let mut volume = Volume::default();
    volume.record(0, u128::MAX);
    volume.record(0, 1);
    volume.record(HOUR_MS, 5);
    assert_eq!(volume.sum(HOUR_MS), u128::MAX);
    assert_eq!(volume.sum(24 * HOUR_MS), 5);
}

#[test]
fn prices_without_a_place_are_refused() {
    let highest = u128::from(u32::MAX - 1) * TICK;
    for side in [Side::Buy, Side::Sell] {
        for price in [0, 1, 9, 11, highest + 1, highest + TICK, u128::from(u64::MAX), u128::MAX] {
            assert_eq!(key_of(side, price), Err(ExchangeError::InvalidPrice), "{price}");
        }
        assert!(key_of(side, TICK).is_ok() && key_of(side, highest).is_ok());
    }
}

#[test]
fn a_quote_is_fresh_from_its_time_until_its_age() {
    assert!(!is_fresh(1_000, 999, 50) && is_fresh(1_000, 1_000, 50));
    assert!(is_fresh(1_000, 1_049, 50) && !is_fresh(1_000, 1_050, 50));
    assert!(!is_fresh(0, u64::MAX, u64::MAX) && is_fresh(1, u64::MAX, u64::MAX));
}

/// An order of the plain book: number, owner, tick, amount.
type Plain = (u64, u8, u32, u128);

#[derive(Clone, Copy, Debug)]
enum Step {
    Rest(u8, u32, u128),
    /// Takes so many tokens out of an order, or all if it has fewer.
    Reduce(usize, u128),
    Take(u8, u32, u128),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tick = || prop_oneof![4 => 1..12_u32, 1 => 1..100_000_u32];
    let step = prop_oneof![
        4 => (0..4_u8, tick(), 1..20_u128).prop_map(|(owner, tick, amount)| Step::Rest(owner, tick, amount)),
        2 => (any::<usize>(), 1..25_u128).prop_map(|(which, by)| Step::Reduce(which, by)),
        2 => (0..6_u8, tick(), 1..150_u128).prop_map(|(owner, tick, amount)| Step::Take(owner, tick, amount)),
    ];
    prop::collection::vec(step, 0..150)
}

/// The best and then the oldest first.
fn sort(side: Side, orders: &mut [Plain]) {
    orders.sort_by_key(|(id, _, tick, _)| {
        (if side == Side::Buy { -i64::from(*tick) } else { i64::from(*tick) }, *id)
    });
}

/// Fills of the plain book; none if the taker would meet himself.
fn take_plain(
    side: Side,
    orders: &mut Vec<Plain>,
    taker: u8,
    limit: u32,
    amount: u128,
) -> Option<Vec<Fill>> {
    let (mut left, mut fills) = (amount, vec![]);
    sort(side, orders);
    for (id, owner, tick, resting) in orders.iter_mut() {
        let reached = if side == Side::Buy { *tick >= limit } else { *tick <= limit };
        if left == 0 || fills.len() as u32 == MAX_FILLS || !reached {
            break;
        }
        if *owner == taker {
            return None;
        }
        let amount = left.min(*resting);
        (left, *resting) = (left - amount, *resting - amount);
        let price = u128::from(*tick) * TICK;
        fills.push(Fill { order: *id, owner: Account([*owner; 32]), price, amount });
    }
    orders.retain(|order| order.3 > 0);
    Some(fills)
}

fn levels(side: Side, orders: &mut [Plain]) -> Vec<Level> {
    sort(side, orders);
    let mut levels: Vec<Level> = vec![];
    for (_, _, tick, amount) in orders {
        let price = u128::from(*tick) * TICK;
        match levels.last_mut() {
            Some(level) if level.price == price => {
                level.amount += *amount;
                level.orders += 1;
            }
            _ => levels.push(Level { price, amount: *amount, orders: 1 }),
        }
    }
    levels
}

proptest! {
    #[test]
    fn the_book_is_a_sorted_list(steps in steps(), buys: bool) {
        let side = if buys { Side::Buy } else { Side::Sell };
        let (mut shelf, mut best, mut plain, mut newest) = (Memory::default(), None, vec![], 0);
        for step in steps {
            let saved = (shelf.clone(), best, plain.clone());
            let mut book = Book { shelf: &mut shelf, side, best: &mut best };
            book.shelf.touched.set(0);
            match step {
                Step::Rest(owner, tick, amount) => {
                    newest += 1;
                    let key = key_of(side, u128::from(tick) * TICK).unwrap();
                    book.rest(newest, Resting::new(Account([owner; 32]), 0, side, key, amount)).unwrap();
                    plain.push((newest, owner, tick, amount));
                    prop_assert!(book.shelf.touched.get() <= 13);
                }
                Step::Reduce(..) if plain.is_empty() => {}
                Step::Reduce(which, by) => {
                    let which = which % plain.len();
                    let found = &mut plain[which];
                    let order = book.shelf.order(found.0).unwrap();
                    prop_assert_eq!(order.amount, found.3);
                    let by = by.min(found.3);
                    book.reduce(found.0, &order, by).unwrap();
                    prop_assert!(book.shelf.touched.get() <= 23);
                    found.3 -= by;
                    plain.retain(|order| order.3 > 0);
                }
                Step::Take(taker, tick, amount) => {
                    let (mut left, mut fills) = (amount, vec![]);
                    let reach = reach(side, u128::from(tick) * TICK);
                    let taken = book.take(reach, &mut left, &Account([taker; 32]), &mut fills);
                    match take_plain(side, &mut plain, taker, tick, amount) {
                        Some(expected) => {
                            prop_assert_eq!(taken, Ok(()));
                            let filled: u128 = expected.iter().map(|fill| fill.amount).sum();
                            prop_assert_eq!((fills, left), (expected, amount - filled));
                        }
                        None => {
                            prop_assert_eq!(taken, Err(ExchangeError::OwnOrder));
                            // As the chain does: an error undoes everything.
                            (shelf, best, plain) = saved;
                        }
                    }
                }
            }
            let book = Book { shelf: &mut shelf, side, best: &mut best };
            let mut expected = levels(side, &mut plain);
            expected.truncate(MAX_LEVELS as usize);
            prop_assert_eq!(book.levels(u32::MAX), expected);
            prop_assert_eq!(shelf.orders.len(), plain.len(), "nothing is kept for nothing");
        }
    }

    #[test]
    fn a_crossing_conserves_tokens_and_is_never_worse_than_offer_and_limit(
        resting in prop::collection::vec((1..40_u32, 1..20_u128), 0..14),
        amount in 1..200_u128,
        offered in prop::option::of((1..40_u32, 10..=1_000_u16, 1_000..=10_000_u16)),
        limit in prop::option::of(1..40_u32),
        buys: bool,
    ) {
        let side = if buys { Side::Buy } else { Side::Sell };
        let mut market = MarketRecord::new(0, Account([9; 32]));
        (market.maker.reserve, market.maker.outstanding) = (50_000, 150);
        let mut shelf = Memory::default();
        for (id, (tick, amount)) in (1..).zip(&resting) {
            let key = key_of(side.opposite(), u128::from(*tick) * TICK).unwrap();
            let order = Resting::new(Account([1; 32]), 0, side.opposite(), key, *amount);
            market.book(side.opposite(), &mut shelf).rest(id, order).unwrap();
        }
        let before = market.maker.clone();
        let limit = limit.map(|tick| u128::from(tick) * TICK);
        let offer = offered.map(|(tick, hourly_bps, account_bps)| Offer {
            price: u128::from(tick) * TICK,
            bid: u128::from(tick) * TICK,
            limits: Limits { max_outstanding: u128::MAX, hourly_bps, account_bps },
            now_ms: 5,
        });
        let taker = Taker { account: Account([2; 32]), side, amount };
        let mut hour = LastHour::default();
        let outcome = market.cross(&mut shelf, &taker, offer.as_ref(), limit, &mut hour).unwrap();
        let trade = outcome.trade().unwrap();
        prop_assert_eq!(trade.amount + outcome.left, amount);
        prop_assert!(trade.fills <= MAX_FILLS);
        let worst = [limit, offer.map(|offer| offer.price)];
        for fill in &outcome.fills {
            let accepted = |price: &Option<u128>| price.is_some_and(|price| side.accepts(price, fill.price));
            prop_assert!(worst.iter().any(accepted));
            prop_assert!(limit.is_none_or(|limit| side.accepts(limit, fill.price)));
        }
        let left: u128 = shelf.orders.values().map(|order| order.amount).sum();
        let all: u128 = resting.iter().map(|order| order.1).sum();
        prop_assert_eq!(left + trade.amount - trade.at_quote, all);
        let value = outcome.quote_value;
        match side {
            Side::Buy => {
                prop_assert_eq!(market.maker.reserve, before.reserve + value);
                prop_assert_eq!(market.maker.outstanding, before.outstanding + outcome.at_quote);
            }
            Side::Sell => {
                prop_assert_eq!(market.maker.reserve + value, before.reserve);
                prop_assert_eq!(market.maker.outstanding + outcome.at_quote, before.outstanding);
            }
        }
        let lately = if side == Side::Buy { &market.maker.risked } else { &market.maker.paid };
        prop_assert_eq!((hour.sum(5), lately.sum(5)), (value, value));
        prop_assert_eq!(market.volume.sum(5), outcome.at_quote);
        // What is left of a limit crosses nothing, unless there were too many to meet.
        if let Some(limit) = limit.filter(|_| outcome.left > 0) {
            prop_assert!(!market.crosses(side, limit) || trade.fills == MAX_FILLS);
        }
    }

    #[test]
    fn an_order_is_filled_wherever_it_stands(
        resting in prop::collection::vec((1..6_u32, 1..20_u128), 1..14),
        which: prop::sample::Index,
        tick in 1..6_u32,
        buys: bool,
    ) {
        let side = if buys { Side::Buy } else { Side::Sell };
        let mut market = MarketRecord::new(0, Account([9; 32]));
        (market.maker.reserve, market.maker.outstanding) = (50_000, 500);
        let mut shelf = Memory::default();
        for (id, (tick, amount)) in (1..).zip(&resting) {
            let key = key_of(side, u128::from(*tick) * TICK).unwrap();
            market.book(side, &mut shelf).rest(id, Resting::new(Account([1; 32]), 0, side, key, *amount)).unwrap();
        }
        let id = which.index(resting.len()) as u64 + 1;
        let order = shelf.orders[&id];
        let price = u128::from(tick) * TICK;
        let offer = Offer { price, bid: price, limits: Limits::DEFAULT, now_ms: 5 };
        let (saved, mut hour) = ((shelf.clone(), market.clone()), LastHour::default());
        let room = market.maker.room(side, &offer, &hour);
        let filled = market.fill(&mut shelf, id, &order, &offer, &mut hour);
        if side.accepts(order.price(), price) {
            let amount = order.amount.min(room);
            prop_assert_eq!(filled, Ok(amount));
            let left = shelf.orders.get(&id).map_or(0, |order| order.amount);
            prop_assert_eq!((left, hour.sum(5)), (order.amount - amount, price * amount));
            let depth = |shelf: &mut Memory, mut market: MarketRecord| -> u128 {
                market.book(side, shelf).levels(50).iter().map(|level| level.amount).sum()
            };
            let (mut before, all) = saved;
            prop_assert_eq!(depth(&mut shelf, market), depth(&mut before, all) - amount);
        } else {
            prop_assert_eq!(filled, Err(ExchangeError::NotReached));
            prop_assert_eq!(shelf.orders, saved.0.orders);
        }
    }
}
