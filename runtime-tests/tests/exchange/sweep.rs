//! `fill_orders`: what a new quote has reached is filled by the market maker, at its price.

use crate::stage::*;
use cicada_core::exchange::{Side, MAX_FILLS, TICK};
use cicada_runtime_tests::account;
use cicada_traits::exchange::ExchangeError;
use exchange::exchange::Traded;

#[test]
fn bids_at_or_above_the_ask_are_filled_at_the_ask() {
    let mut stage = Stage::new();
    let best = stage.rest("bob", Side::Buy, 45_000_000, 3);
    let exact = stage.rest("charlie", Side::Buy, 40_400_000, 4);
    let below = stage.rest("charlie", Side::Buy, 40_400_000 - TICK, 5);
    assert_eq!(stage.fill_orders("dave").succeeds().value, 0, "the quote is above them");
    stage.score(40_000);
    let ask = 40_400_000;
    let reserve = stage.market().reserve;
    let filled = stage.fill_orders("dave").succeeds();
    assert_eq!(filled.value, 2);
    let events = filled.events::<Traded>(&stage.exchange);
    let told: Vec<_> =
        events.iter().map(|event| (event.taker, event.order, event.amount)).collect();
    let expected = [(account("bob"), Some(best), 3), (account("charlie"), Some(exact), 4)];
    assert_eq!(told, expected);
    let at_ask =
        |event: &Traded| event.maker.is_none() && event.price == ask && event.side == Side::Buy;
    assert!(events.iter().all(at_ask));
    // Bob paid 45 and gets back what is above the ask.
    assert_eq!((stage.spent("bob"), stage.tokens("bob")), ((3 * ask) as i128, 3));
    assert_eq!(stage.tokens("charlie"), 4);
    let market = stage.market();
    assert_eq!((market.reserve - reserve, market.outstanding), (7 * ask, 7));
    assert_eq!((market.created, market.volume_24h), (7, 7));
    assert!(stage.order(below).is_some() && stage.order(best).is_none());
    stage.check();
}

#[test]
fn asks_at_or_below_the_bid_are_filled_at_the_bid() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 20).succeeds();
    let best = stage.rest("bob", Side::Sell, 55_000_000, 3);
    let exact = stage.rest("bob", Side::Sell, 59_400_000, 4);
    let above = stage.rest("bob", Side::Sell, 59_400_000 + TICK, 5);
    stage.score(60_000);
    let bid = 59_400_000;
    let (spent, market) = (stage.spent("bob"), stage.market());
    let filled = stage.fill_orders("dave").succeeds();
    assert_eq!(filled.value, 2);
    let events = filled.events::<Traded>(&stage.exchange);
    let told: Vec<_> =
        events.iter().map(|event| (event.price, event.order, event.amount)).collect();
    assert_eq!(told, [(bid, Some(best), 3), (bid, Some(exact), 4)]);
    assert_eq!(spent - stage.spent("bob"), (7 * bid) as i128, "the bid, not his limit");
    let after = stage.market();
    assert_eq!((market.reserve - after.reserve, after.outstanding), (7 * bid, 13));
    assert_eq!(after.destroyed, 7);
    assert!(stage.order(above).is_some());
    stage.check();
}

#[test]
fn a_limit_fills_an_order_in_part() {
    let mut stage = Stage::new();
    let order = stage.rest("bob", Side::Buy, 45_000_000, 25);
    stage.score(40_000);
    stage.set_limits(u128::MAX, 10);
    for left in [15, 5] {
        assert_eq!(stage.fill_orders("dave").succeeds().value, 1);
        assert_eq!(stage.order(order).expect("it rests").amount, left);
        assert_eq!(stage.fill_orders("dave").succeeds().value, 0, "no more at this quote");
        stage.check();
        stage.score(40_000);
    }
    assert_eq!(stage.fill_orders("dave").succeeds().value, 1);
    assert_eq!((stage.order(order), stage.tokens("bob")), (None, 25));
    stage.check();
}

#[test]
fn a_reserve_fills_an_order_as_far_as_it_goes() {
    let mut stage = Stage::with_score(50_000);
    let _ = stage.buy("bob", 10).succeeds();
    let order = stage.rest("bob", Side::Sell, 99_000_000, 10);
    stage.score(100_000);
    // 505 MMC pay for five at 99.
    assert_eq!(stage.fill_orders("dave").succeeds().value, 1);
    assert_eq!(stage.order(order).expect("it rests").amount, 5);
    assert_eq!(stage.market().reserve, 10 * ASK - 5 * 99_000_000);
    assert_eq!(stage.fill_orders("dave").succeeds().value, 0);
    stage.check();
}

#[test]
fn eight_orders_are_filled_at_a_time() {
    let mut stage = Stage::new();
    for _ in 0..10 {
        let _ = stage.rest("bob", Side::Buy, 45_000_000, 1);
    }
    stage.score(40_000);
    assert_eq!(stage.fill_orders("dave").succeeds().value, MAX_FILLS);
    assert_eq!(stage.fill_orders("dave").succeeds().value, 2);
    assert_eq!(stage.fill_orders("dave").succeeds().value, 0);
    assert_eq!(stage.tokens("bob"), 10);
    stage.check();
}

#[test]
fn whoever_comes_first_meets_an_order_that_the_quote_has_passed_at_its_own_price() {
    let mut stage = Stage::new();
    let _ = stage.buy("dave", 10).succeeds();
    let _ = stage.rest("bob", Side::Buy, 45_000_000, 3);
    stage.score(40_000);
    // Bob offered 45; nobody has filled him at the ask of 40.4 yet.
    let sold = stage.sell("dave", 4).succeeds().value;
    assert_eq!(sold.value, 3 * 45_000_000 + 39_600_000);
    assert_eq!(stage.fill_orders("dave").succeeds().value, 0);
    stage.check();
}

#[test]
fn the_owner_of_an_order_may_have_it_filled() {
    let mut stage = Stage::new();
    let _ = stage.rest("bob", Side::Buy, 45_000_000, 3);
    stage.score(40_000);
    assert_eq!(stage.fill_orders("bob").succeeds().value, 1);
    assert_eq!(stage.tokens("bob"), 3);
    stage.check();
}

#[test]
fn a_pause_stops_filling() {
    let mut stage = Stage::new();
    let _ = stage.rest("bob", Side::Buy, 45_000_000, 3);
    stage.score(40_000);
    stage.pause(true);
    assert_eq!(stage.fill_orders("dave").fails(), ExchangeError::Paused);
    stage.pause(false);
    assert_eq!(stage.fill_orders("dave").succeeds().value, 1);
}
