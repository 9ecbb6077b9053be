//! Whom a trade meets: the best price first, then the oldest, eight at most, never oneself.

use crate::stage::*;
use cicada_core::exchange::{Limits, Side, Trade, MAX_FILLS, TICK};
use cicada_runtime_tests::{account, Receipt};
use cicada_traits::exchange::ExchangeError;
use exchange::exchange::Traded;

/// Order and amount of each fill, in the order of the events.
fn fills<T>(stage: &Stage, receipt: &Receipt<T>) -> Vec<(Option<u64>, u128, u128)> {
    let events = receipt.events::<Traded>(&stage.exchange);
    events.iter().map(|event| (event.order, event.price, event.amount)).collect()
}

/// A stage where everybody but alice has tokens.
fn stocked() -> Stage {
    let mut stage = Stage::new();
    for who in ["bob", "charlie", "dave"] {
        let _ = stage.buy(who, 100).succeeds();
    }
    stage.score(50_000);
    stage
}

#[test]
fn a_buyer_meets_the_cheapest_then_the_oldest_then_the_market_maker() {
    let mut stage = stocked();
    let dear = stage.rest("bob", Side::Sell, ASK - TICK, 3);
    let cheap = stage.rest("bob", Side::Sell, ASK - 3 * TICK, 4);
    let younger = stage.rest("charlie", Side::Sell, ASK - 3 * TICK, 5);
    let beyond = stage.rest("charlie", Side::Sell, ASK + TICK, 6);
    let before = (stage.spent("bob"), stage.spent("charlie"), stage.spent("dave"));
    let bought = stage.buy("dave", 20).succeeds();
    let expected = [
        (Some(cheap), ASK - 3 * TICK, 4),
        (Some(younger), ASK - 3 * TICK, 5),
        (Some(dear), ASK - TICK, 3),
        (None, ASK, 8),
    ];
    assert_eq!(fills(&stage, &bought), expected);
    let resting = 9 * (ASK - 3 * TICK) + 3 * (ASK - TICK);
    let value = resting + 8 * ASK;
    assert_eq!(bought.value, Trade { amount: 20, value, at_quote: 8, fills: 3 });
    assert_eq!(stage.spent("dave") - before.2, value as i128);
    let bobs = 4 * (ASK - 3 * TICK) + 3 * (ASK - TICK);
    assert_eq!(before.0 - stage.spent("bob"), bobs as i128);
    assert_eq!(before.1 - stage.spent("charlie"), (5 * (ASK - 3 * TICK)) as i128);
    assert_eq!(stage.tokens("dave"), 120);
    assert_eq!(stage.order(beyond).expect("it rests").amount, 6);
    let events = bought.events::<Traded>(&stage.exchange);
    assert!(events.iter().all(|event| event.taker == account("dave") && event.side == Side::Buy));
    let makers: Vec<_> = events.iter().map(|event| event.maker).collect();
    let [bob, charlie] = ["bob", "charlie"].map(|name| Some(account(name)));
    assert_eq!(makers, [bob, charlie, bob, None]);
    stage.check();
}

#[test]
fn a_seller_meets_the_dearest_then_the_oldest_then_the_market_maker() {
    let mut stage = stocked();
    let low = stage.rest("bob", Side::Buy, BID + TICK, 3);
    let high = stage.rest("bob", Side::Buy, BID + 3 * TICK, 4);
    let younger = stage.rest("charlie", Side::Buy, BID + 3 * TICK, 5);
    let beyond = stage.rest("charlie", Side::Buy, BID - TICK, 6);
    let before = stage.spent("dave");
    let sold = stage.sell("dave", 20).succeeds();
    let expected = [
        (Some(high), BID + 3 * TICK, 4),
        (Some(younger), BID + 3 * TICK, 5),
        (Some(low), BID + TICK, 3),
        (None, BID, 8),
    ];
    assert_eq!(fills(&stage, &sold), expected);
    let value = 9 * (BID + 3 * TICK) + 3 * (BID + TICK) + 8 * BID;
    assert_eq!(sold.value, Trade { amount: 20, value, at_quote: 8, fills: 3 });
    assert_eq!(before - stage.spent("dave"), value as i128);
    assert_eq!(["bob", "charlie", "dave"].map(|who| stage.tokens(who)), [107, 105, 80]);
    assert_eq!(stage.order(beyond).expect("it rests").amount, 6);
    stage.check();
}

#[test]
fn at_the_market_makers_price_resting_orders_come_first() {
    let mut stage = stocked();
    // While the quote is stale, the market maker does not take them.
    let rest = |stage: &mut Stage, side, price| {
        stage.world.advance(MAX_AGE_MS);
        let order = stage.rest("bob", side, price, 5);
        stage.score(50_000);
        order
    };
    let ask = rest(&mut stage, Side::Sell, ASK);
    let bought = stage.buy("dave", 7).succeeds();
    assert_eq!(fills(&stage, &bought), [(Some(ask), ASK, 5), (None, ASK, 2)]);
    let bid = rest(&mut stage, Side::Buy, BID);
    let sold = stage.sell("dave", 7).succeeds();
    assert_eq!(fills(&stage, &sold), [(Some(bid), BID, 5), (None, BID, 2)]);
    stage.check();
}

#[test]
fn an_order_is_filled_in_parts_and_keeps_its_turn() {
    let mut stage = stocked();
    let first = stage.rest("bob", Side::Sell, ASK - TICK, 10);
    let second = stage.rest("charlie", Side::Sell, ASK - TICK, 10);
    for (amount, expected) in [
        (4, vec![(Some(first), ASK - TICK, 4)]),
        (6, vec![(Some(first), ASK - TICK, 6)]),
        (3, vec![(Some(second), ASK - TICK, 3)]),
    ] {
        let bought = stage.buy("dave", amount).succeeds();
        assert_eq!(fills(&stage, &bought), expected);
        stage.check();
    }
    assert_eq!(stage.order(first), None);
    assert_eq!(stage.cancel("charlie", second).succeeds().value, 7);
    assert_eq!(stage.volume(), 300, "what people trade with each other is not counted");
    stage.check();
}

#[test]
fn after_eight_fills_the_rest_is_traded_at_the_quote() {
    let mut stage = stocked();
    let orders: Vec<_> = (0..10).map(|_| stage.rest("bob", Side::Sell, ASK - TICK, 2)).collect();
    let bought = stage.buy("dave", 20).succeeds();
    assert_eq!(bought.value.fills, MAX_FILLS);
    assert_eq!((bought.value.at_quote, bought.value.amount), (4, 20));
    assert_eq!(bought.value.value, 16 * (ASK - TICK) + 4 * ASK);
    assert_eq!(fills(&stage, &bought).last(), Some(&(None, ASK, 4)));
    assert!(stage.order(orders[7]).is_none() && stage.order(orders[8]).is_some());
    stage.check();
}

#[test]
fn after_eight_fills_no_rest_is_left_that_would_cross_the_book() {
    let mut stage = stocked();
    stage.world.advance(MAX_AGE_MS); // Without the market maker.
    for _ in 0..9 {
        let _ = stage.rest("bob", Side::Sell, 1_000, 2);
    }
    let before = stage.spent("dave");
    let placed = stage.place("dave", Side::Buy, 1_000, 30).succeeds().value;
    assert_eq!(placed.trade, Trade { amount: 16, value: 16_000, at_quote: 0, fills: 8 });
    assert_eq!(placed.order, None, "a ninth order is there to be met");
    assert_eq!(stage.spent("dave") - before, 16_000, "he keeps the money of the rest");
    stage.check();
    let placed = stage.place("dave", Side::Buy, 1_000, 14).succeeds().value;
    assert_eq!((placed.trade.amount, placed.trade.fills), (2, 1));
    assert_eq!(stage.order(placed.order.expect("twelve rest")).expect("it rests").amount, 12);
    stage.check();
}

#[test]
fn after_eight_fills_a_rest_that_crosses_nothing_rests() {
    let mut stage = stocked();
    stage.world.advance(MAX_AGE_MS);
    for _ in 0..8 {
        let _ = stage.rest("bob", Side::Buy, 1_000, 2);
    }
    let _ = stage.rest("bob", Side::Buy, 990, 2);
    let placed = stage.place("dave", Side::Sell, 1_000, 20).succeeds().value;
    assert_eq!((placed.trade.amount, placed.trade.fills), (16, 8));
    assert_eq!(stage.order(placed.order.expect("four rest")).expect("it rests").amount, 4);
    stage.check();
}

#[test]
fn an_order_goes_past_the_market_maker_when_his_limit_ends() {
    let mut stage = stocked();
    stage.limit(Limits { max_outstanding: 310, ..LIMITS });
    let below = stage.rest("bob", Side::Sell, ASK - TICK, 2);
    let above = stage.rest("bob", Side::Sell, ASK + TICK, 2);
    let placed = stage.place("dave", Side::Buy, ASK + 2 * TICK, 15).succeeds();
    let expected = [(Some(below), ASK - TICK, 2), (Some(above), ASK + TICK, 2), (None, ASK, 10)];
    assert_eq!(fills(&stage, &placed), expected);
    let rest = placed.value.order.expect("one rests");
    assert_eq!(stage.order(rest).expect("it rests").amount, 1);
    stage.check();
    // A purchase goes no further than the quote.
    assert_eq!(stage.buy("charlie", 1).fails(), ExchangeError::LimitReached);
}

#[test]
fn nobody_trades_with_himself() {
    let mut stage = stocked();
    let first = stage.rest("charlie", Side::Sell, ASK - 2 * TICK, 5);
    let own = stage.rest("bob", Side::Sell, ASK - TICK, 5);
    let volume = stage.volume();
    assert_eq!(stage.buy("bob", 6).fails(), ExchangeError::OwnOrder);
    let crossing = stage.place("bob", Side::Buy, ASK - TICK, 6).fails();
    assert_eq!(crossing, ExchangeError::OwnOrder);
    assert_eq!(stage.volume(), volume);
    // What does not reach his order is free.
    assert_eq!(stage.buy("bob", 5).succeeds().value.fills, 1);
    assert_eq!(stage.order(first), None);
    let below = stage.rest("bob", Side::Buy, ASK - 2 * TICK, 1);
    let _ = stage.cancel("bob", own).succeeds();
    assert_eq!(stage.buy("bob", 6).succeeds().value.at_quote, 6);
    assert_eq!(stage.sell("bob", 1).fails(), ExchangeError::OwnOrder);
    let _ = stage.cancel("bob", below).succeeds();
    let _ = stage.sell("bob", 1).succeeds();
    stage.check();
}

#[test]
fn a_cost_that_is_exceeded_undoes_every_fill() {
    let mut stage = stocked();
    let order = stage.rest("bob", Side::Sell, ASK - TICK, 5);
    let cost = 5 * (ASK - TICK) + 5 * ASK;
    assert_eq!(stage.buy_for("dave", 10, cost - 1).fails(), ExchangeError::TooMuch);
    assert_eq!(stage.order(order).expect("it rests").amount, 5);
    assert_eq!(stage.buy_for("dave", 10, cost).succeeds().value.value, cost);
    let order = stage.rest("bob", Side::Buy, BID + TICK, 5);
    let proceeds = 5 * (BID + TICK) + 5 * BID;
    assert_eq!(stage.sell_for("dave", 10, proceeds + 1).fails(), ExchangeError::TooLittle);
    assert_eq!(stage.order(order).expect("it rests").amount, 5);
    assert_eq!(stage.sell_for("dave", 10, proceeds).succeeds().value.value, proceeds);
    stage.check();
}

#[test]
fn at_no_points_orders_trade_among_themselves_only() {
    let mut stage = stocked();
    stage.score(0);
    let _ = stage.rest("bob", Side::Buy, TICK, 5);
    assert_eq!(stage.sell("dave", 5).fails(), ExchangeError::ZeroPrice);
    let sold = stage.place("dave", Side::Sell, TICK, 5).succeeds().value;
    assert_eq!(sold.trade, Trade { amount: 5, value: 5 * TICK, at_quote: 0, fills: 1 });
    stage.check();
}
