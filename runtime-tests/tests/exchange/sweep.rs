//! `fill_order`: what a new quote has reached is filled by the market maker, at its price.

use crate::stage::*;
use cicada_core::exchange::{Limits, Side, TICK};
use cicada_runtime_tests::account;
use cicada_traits::exchange::ExchangeError;
use exchange::exchange::Traded;

#[test]
fn a_bid_at_or_above_the_ask_is_filled_at_the_ask() {
    let mut stage = Stage::new();
    let best = stage.rest("bob", Side::Buy, 45_000_000, 3);
    let exact = stage.rest("charlie", Side::Buy, 40_400_000, 4);
    let below = stage.rest("charlie", Side::Buy, 40_400_000 - TICK, 5);
    assert_eq!(stage.fill_order("dave", best).fails(), ExchangeError::NotReached);
    stage.score(40_000);
    let ask = 40_400_000;
    let reserve = stage.market().reserve;
    // In any order: nobody waits for who stands before him.
    for (who, order, amount) in [("charlie", exact, 4), ("bob", best, 3)] {
        let filled = stage.fill_order("dave", order).succeeds();
        assert_eq!(filled.value, amount);
        let event = filled.event::<Traded>(&stage.exchange);
        assert_eq!((event.taker, event.maker), (account(who), None));
        assert_eq!((event.order, event.amount), (Some(order), amount));
        assert_eq!((event.price, event.side), (ask, Side::Buy));
        stage.check();
    }
    assert_eq!(stage.fill_order("dave", below).fails(), ExchangeError::NotReached);
    assert_eq!(stage.fill_order("dave", best).fails(), ExchangeError::UnknownOrder);
    // Bob paid 45 and gets back what is above the ask.
    assert_eq!((stage.spent("bob"), stage.tokens("bob")), ((3 * ask) as i128, 3));
    assert_eq!(stage.tokens("charlie"), 4);
    let market = stage.market();
    assert_eq!((market.reserve - reserve, market.outstanding), (7 * ask, 7));
    assert_eq!((market.risked, market.volume_24h), (7 * ask, 7));
    assert!(stage.order(below).is_some());
}

#[test]
fn an_ask_at_or_below_the_bid_is_filled_at_the_bid() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 20).succeeds();
    let best = stage.rest("bob", Side::Sell, 55_000_000, 3);
    let exact = stage.rest("bob", Side::Sell, 59_400_000, 4);
    let above = stage.rest("bob", Side::Sell, 59_400_000 + TICK, 5);
    stage.score(60_000);
    let bid = 59_400_000;
    let (spent, market) = (stage.spent("bob"), stage.market());
    for (order, amount) in [(exact, 4), (best, 3)] {
        let filled = stage.fill_order("dave", order).succeeds();
        let event = filled.event::<Traded>(&stage.exchange);
        assert_eq!((event.price, event.order, event.amount), (bid, Some(order), amount));
    }
    assert_eq!(spent - stage.spent("bob"), (7 * bid) as i128, "the bid, not his limit");
    let after = stage.market();
    assert_eq!((market.reserve - after.reserve, after.outstanding), (7 * bid, 13));
    assert_eq!(after.paid, 7 * bid);
    assert_eq!(stage.fill_order("dave", above).fails(), ExchangeError::NotReached);
    stage.check();
}

#[test]
fn a_limit_fills_an_order_in_part_and_keeps_its_turn() {
    let mut stage = Stage::guarded();
    // A quarter of a hundredth of the reserve: 250,000 MMC, 6,188 tokens at 40.4.
    let order = stage.rest("bob", Side::Buy, 45_000_000, 7_000);
    let behind = stage.rest("charlie", Side::Buy, 45_000_000, 5);
    stage.score(40_000);
    assert_eq!(stage.fill_order("dave", order).succeeds().value, 6_188);
    // What he paid made the reserve larger.
    assert_eq!(stage.fill_order("dave", order).succeeds().value, 15);
    assert_eq!(stage.order(order).expect("it rests").amount, 797);
    assert_eq!(stage.fill_order("dave", order).fails(), ExchangeError::LimitReached);
    stage.check();
    // Who stands behind somebody who has used up his part is served nevertheless.
    assert_eq!(stage.fill_order("dave", behind).succeeds().value, 5);
    stage.wait(FORGOTTEN_MS);
    assert_eq!(stage.fill_order("dave", order).succeeds().value, 797);
    assert_eq!((stage.order(order), stage.tokens("bob")), (None, 7_000));
    stage.check();
}

#[test]
fn resting_an_order_gives_no_more_room_than_buying() {
    let mut stage = Stage::guarded();
    let order = stage.rest("bob", Side::Buy, 45_000_000, 100);
    stage.score(40_000);
    stage.exhaust("bob", Side::Buy);
    assert_eq!(stage.fill_order("dave", order).fails(), ExchangeError::LimitReached);
    let _ = stage.cancel("bob", order).succeeds();
}

#[test]
fn a_reserve_fills_an_order_as_far_as_it_goes() {
    let mut stage = Stage::with_score(50_000);
    let _ = stage.deposit(OWNER, 1_000 * MMC).succeeds();
    let _ = stage.buy("bob", 1).succeeds();
    let _ = stage.deposit("dave", 1).succeeds();
    let order = stage.rest("bob", Side::Sell, 99_000_000, 1);
    stage.limit(Limits::DEFAULT);
    stage.score(2_000_000);
    // The reserve of 1,050 MMC pays no token at 1,980.
    assert_eq!(stage.fill_order("dave", order).fails(), ExchangeError::InsufficientReserve);
    let _ = stage.deposit("dave", 1_000 * MMC).succeeds();
    assert_eq!(stage.fill_order("dave", order).succeeds().value, 1);
    assert_eq!(stage.market().reserve, 2_000 * MMC + ASK + 1 - 1_980 * MMC);
    stage.check();
}

#[test]
fn whoever_comes_first_meets_an_order_that_the_quote_has_passed_at_its_own_price() {
    let mut stage = Stage::new();
    let _ = stage.buy("dave", 10).succeeds();
    let order = stage.rest("bob", Side::Buy, 45_000_000, 3);
    stage.score(40_000);
    // Bob offered 45; nobody has filled him at the ask of 40.4 yet.
    let sold = stage.sell("dave", 4).succeeds().value;
    assert_eq!(sold.value, 3 * 45_000_000 + 39_600_000);
    assert_eq!(stage.fill_order("dave", order).fails(), ExchangeError::UnknownOrder);
    stage.check();
}

#[test]
fn the_owner_of_an_order_may_have_it_filled() {
    let mut stage = Stage::new();
    let order = stage.rest("bob", Side::Buy, 45_000_000, 3);
    stage.score(40_000);
    assert_eq!(stage.fill_order("bob", order).succeeds().value, 3);
    assert_eq!(stage.tokens("bob"), 3);
    stage.check();
}

#[test]
fn a_pause_stops_filling() {
    let mut stage = Stage::new();
    let order = stage.rest("bob", Side::Buy, 45_000_000, 3);
    stage.score(40_000);
    let _ = stage.set_paused(OWNER, true).succeeds();
    assert_eq!(stage.fill_order("dave", order).fails(), ExchangeError::Paused);
    stage.resume();
    assert_eq!(stage.fill_order("dave", order).succeeds().value, 3);
}
