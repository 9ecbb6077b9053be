//! Resting orders: where they rest, what lies in them, who takes them back.

use crate::stage::*;
use cicada_core::exchange::{Level, Limits, Order, Side, Trade, TICK};
use cicada_core::fixed::MathError;
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::exchange::{Exchange, ExchangeError, Placed};
use exchange::exchange::{OrderCancelled, OrderPlaced, Traded};

/// The highest price of the book.
const HIGHEST: u128 = (u32::MAX as u128 - 1) * TICK;

#[test]
fn a_bid_locks_its_money_and_gives_it_back() {
    let mut stage = Stage::new();
    let placed = stage.place("bob", Side::Buy, 40_000_000, 10).succeeds();
    assert_eq!(placed.value, Placed { trade: Trade::default(), order: Some(1) });
    let event = placed.event::<OrderPlaced>(&stage.exchange);
    assert_eq!((event.framework, event.owner, event.order), (framework(CLAUDE), account("bob"), 1));
    assert_eq!((event.side, event.price, event.amount), (Side::Buy, 40_000_000, 10));
    assert!(placed.events::<Traded>(&stage.exchange).is_empty());
    assert_eq!(stage.spent("bob"), 400_000_000);
    let order = Order {
        owner: Account::of(&account("bob")),
        framework: framework(CLAUDE),
        side: Side::Buy,
        price: 40_000_000,
        amount: 10,
    };
    assert_eq!(stage.order(1), Some(order));
    stage.check();
    let cancelled = stage.cancel("bob", 1).succeeds();
    assert_eq!(cancelled.value, 10);
    let event = cancelled.event::<OrderCancelled>(&stage.exchange);
    assert_eq!((event.framework, event.owner), (framework(CLAUDE), account("bob")));
    assert_eq!((event.order, event.amount), (1, 10));
    assert_eq!((stage.spent("bob"), stage.order(1)), (0, None));
    assert!(stage.depth(Side::Buy).is_empty());
    assert_eq!(stage.volume(), 0);
    stage.check();
}

#[test]
fn an_ask_hands_its_tokens_over_and_gets_them_back() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10).succeeds();
    let order = stage.rest("bob", Side::Sell, 60_000_000, 7);
    assert_eq!(stage.tokens("bob"), 3);
    assert_eq!(stage.holdings(address(&stage.exchange.clone())).1, 7);
    stage.check();
    assert_eq!(stage.cancel("bob", order).succeeds().value, 7);
    assert_eq!(stage.tokens("bob"), 10);
    stage.check();
}

#[test]
fn only_its_owner_cancels_an_order_and_only_once() {
    let mut stage = Stage::new();
    let order = stage.rest("bob", Side::Buy, 1_000, 1);
    for who in [OWNER, "charlie"] {
        assert_eq!(stage.cancel(who, order).fails(), ExchangeError::NotOrderOwner);
    }
    let _ = stage.cancel("bob", order).succeeds();
    assert_eq!(stage.cancel("bob", order).fails(), ExchangeError::UnknownOrder);
    assert_eq!(stage.cancel("bob", 0).fails(), ExchangeError::UnknownOrder);
    assert_eq!(stage.cancel("bob", 999).fails(), ExchangeError::UnknownOrder);
}

#[test]
fn a_price_has_a_place_in_the_book_or_is_refused() {
    let mut stage = Stage::new();
    for price in [0, 1, TICK - 1, TICK + 1, HIGHEST + 1, HIGHEST + TICK, u128::MAX] {
        for side in [Side::Buy, Side::Sell] {
            let error = stage.place("bob", side, price, 1).fails();
            assert_eq!(error, ExchangeError::InvalidPrice, "{price}");
        }
    }
    assert_eq!(stage.place("bob", Side::Buy, TICK, 0).fails(), ExchangeError::ZeroAmount);
    let _ = stage.buy("bob", 2).succeeds();
    let bid = stage.rest("charlie", Side::Buy, TICK, 1);
    let ask = stage.rest("bob", Side::Sell, HIGHEST, 1);
    let dearer = stage.place("bob", Side::Sell, TICK, 1).succeeds().value;
    // The market maker pays more than the one tick.
    assert_eq!((dearer.trade.value, dearer.order), (BID, None));
    let depth = [stage.depth(Side::Buy), stage.depth(Side::Sell)];
    let level = |price| Level { price, amount: 1, orders: 1 };
    assert_eq!(depth, [vec![level(TICK)], vec![level(HIGHEST)]]);
    stage.check();
    let _ = stage.cancel("charlie", bid).succeeds();
    let _ = stage.cancel("bob", ask).succeeds();
    stage.check();
}

#[test]
fn an_order_beyond_measure_is_refused() {
    let mut stage = Stage::new();
    let overflow = ExchangeError::Math(MathError::Overflow);
    assert_eq!(stage.place("bob", Side::Buy, TICK, u128::MAX).fails(), overflow);
    let most = u128::MAX / TICK;
    assert_eq!(stage.place("bob", Side::Buy, TICK, most).fails(), ExchangeError::TokenRefused);
    let order = stage.place("bob", Side::Sell, HIGHEST, u128::MAX).fails();
    assert_eq!(order, ExchangeError::TokenRefused);
    // All that bob has, at the lowest price.
    let order = stage.rest("bob", Side::Buy, TICK, HELD / TICK);
    assert_eq!(stage.held("bob").0, 0);
    stage.check();
    let _ = stage.cancel("bob", order).succeeds();
    assert_eq!(stage.spent("bob"), 0);
}

#[test]
fn levels_are_told_from_the_best_on() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 100).succeeds();
    for (price, amount) in [(300, 1), (700, 2), (500, 3), (700, 4)] {
        let _ = stage.rest("charlie", Side::Buy, price, amount);
        let _ = stage.rest("bob", Side::Sell, 60_000_000 + price, amount);
    }
    let level = |price, amount, orders| Level { price, amount, orders };
    let bids = [level(700, 6, 2), level(500, 3, 1), level(300, 1, 1)];
    assert_eq!(stage.depth(Side::Buy), bids);
    let asks = [level(60_000_300, 1, 1), level(60_000_500, 3, 1), level(60_000_700, 6, 2)];
    assert_eq!(stage.depth(Side::Sell), asks);
    for limit in 0..4 {
        let message = on(&stage.exchange).depth(framework(CLAUDE), Side::Buy, limit);
        let depth = stage.world.read(message);
        assert_eq!(depth, &bids[..bids.len().min(limit as usize)]);
    }
    stage.check();
}

#[test]
fn no_more_than_fifty_levels_are_told_at_once() {
    let mut stage = Stage::new();
    for tick in 1..=52 {
        let _ = stage.rest("bob", Side::Buy, tick * TICK, 1);
    }
    let message = on(&stage.exchange).depth(framework(CLAUDE), Side::Buy, u32::MAX);
    let depth = stage.world.read(message);
    let prices: Vec<_> = depth.iter().map(|level| level.price / TICK).collect();
    assert_eq!(prices, (3..=52).rev().collect::<Vec<_>>());
}

#[test]
fn any_order_of_a_level_can_be_cancelled_and_the_others_keep_their_turn() {
    // Of four orders at one price, first one and then another is cancelled; the rest is sold to.
    for first in 0..4 {
        for second in (0..4).filter(|second| *second != first) {
            let mut stage = Stage::new();
            let _ = stage.buy("dave", 10).succeeds();
            let price = BID + TICK;
            let orders = [(); 4].map(|()| stage.rest("bob", Side::Buy, price, 1));
            for gone in [first, second] {
                let _ = stage.cancel("bob", orders[gone]).succeeds();
                stage.check();
            }
            let late = stage.rest("charlie", Side::Buy, price, 1);
            let mut left: Vec<_> = orders.to_vec();
            left.retain(|order| *order != orders[first] && *order != orders[second]);
            left.push(late);
            let sold = stage.sell("dave", 4).succeeds();
            let met: Vec<_> =
                sold.events::<Traded>(&stage.exchange).iter().map(|event| event.order).collect();
            let mut expected: Vec<_> = left.into_iter().map(Some).collect();
            expected.push(None);
            assert_eq!(met, expected, "without {first} and {second}");
            stage.check();
        }
    }
}

#[test]
fn orders_need_no_quote_but_meet_no_market_maker_without_one() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10).succeeds();
    stage.world.advance(MAX_AGE_MS);
    assert_eq!(stage.quote(), Err(ExchangeError::StaleQuote));
    // Far above the ask, and far below the bid: nobody is there.
    let bid = stage.rest("charlie", Side::Buy, 2 * ASK, 3);
    let sold = stage.place("bob", Side::Sell, TICK, 5).succeeds().value;
    assert_eq!(sold.trade, Trade { amount: 3, value: 6 * ASK, at_quote: 0, fills: 1 });
    assert_eq!(stage.order(bid), None);
    assert_eq!(stage.order(sold.order.expect("two rest")).expect("it rests").amount, 2);
    assert_eq!(stage.tokens("charlie"), 3);
    stage.check();
}

#[test]
fn an_order_is_as_good_as_its_price_and_no_better() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 100).succeeds();
    // Between the market maker's prices it rests; at them it trades.
    let inside = stage.rest("charlie", Side::Buy, ASK - TICK, 5);
    let bought = stage.place("dave", Side::Buy, ASK, 5).succeeds().value;
    assert_eq!(bought.trade, Trade { amount: 5, value: 5 * ASK, at_quote: 5, fills: 0 });
    let cheaper = stage.place("dave", Side::Buy, ASK + 50 * TICK, 5).succeeds().value;
    assert_eq!(cheaper.trade.value, 5 * ASK, "he pays the ask, not his limit");
    let _ = stage.cancel("charlie", inside).succeeds();
    let inside = stage.rest("bob", Side::Sell, BID + TICK, 5);
    let sold = stage.place("bob", Side::Sell, BID, 5).succeeds().value;
    assert_eq!(sold.trade, Trade { amount: 5, value: 5 * BID, at_quote: 5, fills: 0 });
    let dearer = stage.place("bob", Side::Sell, TICK, 5).succeeds().value;
    assert_eq!(dearer.trade.value, 5 * BID);
    let _ = stage.cancel("bob", inside).succeeds();
    stage.check();
}

#[test]
fn what_the_market_maker_does_not_take_rests() {
    let mut stage = Stage::new();
    // Of a hundred tokens that may exist an hour sells a tenth.
    stage.limit(Limits { max_outstanding: 100, ..LIMITS });
    let bought = stage.place("bob", Side::Buy, ASK + TICK, 15).succeeds().value;
    assert_eq!(bought.trade, Trade { amount: 10, value: 10 * ASK, at_quote: 10, fills: 0 });
    let rest = stage.order(bought.order.expect("five rest")).expect("it rests");
    assert_eq!((rest.price, rest.amount), (ASK + TICK, 5));
    stage.check();
    // Likewise what an hour does not pay.
    let mut stage = Stage::with_score(50_000);
    let _ = stage.deposit(OWNER, 10_000 * MMC).succeeds();
    let _ = stage.buy("bob", 19).succeeds();
    stage.score(200_000);
    let sold = stage.place("bob", Side::Sell, 198_000_000, 10).succeeds().value;
    assert_eq!(sold.trade, Trade { amount: 5, value: 990_000_000, at_quote: 5, fills: 0 });
    assert_eq!(stage.order(sold.order.expect("five rest")).expect("it rests").amount, 5);
    assert_eq!(stage.market().reserve, 10_000 * MMC + 19 * ASK - 990_000_000);
    stage.check();
}
