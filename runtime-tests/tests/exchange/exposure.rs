//! What can be won from the market maker, and by whom: nothing by a new quote, little by knowing it.

use crate::stage::*;
use cicada_core::exchange::{Limits, Side, TICK};
use cicada_core::prices::HOUR_MS;
use cicada_dice::Dice;
use cicada_traits::exchange::ExchangeError;

/// A hundredth of the reserve, and a quarter of that.
const AN_HOUR: u128 = RESERVE / 100;
const OF_ONE: u128 = AN_HOUR / 4;

#[test]
fn a_new_quote_gives_no_new_room() {
    let mut stage = Stage::guarded();
    // Bob knows that he will hand in results worth 10,000 points. First he buys, ten quotes long.
    let _ = stage.buy("bob", OF_ONE / ASK).succeeds();
    for _ in 0..10 {
        assert!(stage.room("bob", Side::Buy) < 200, "a quarter of what he added to the reserve");
        assert_eq!(stage.buy("bob", 200).fails(), ExchangeError::LimitReached);
        stage.score(50_000);
    }
    stage.score(60_000);
    let bid = 59_400_000;
    let room = stage.room("bob", Side::Sell);
    let _ = stage.sell("bob", room).succeeds();
    for _ in 0..10 {
        stage.score(60_000);
        assert_eq!(stage.room("bob", Side::Sell), 0);
    }
    let won = -stage.spent("bob") + (stage.tokens("bob") * bid) as i128;
    assert!(won <= (OF_ONE / ASK * (bid - ASK)) as i128, "{won}");
    stage.check();
}

#[test]
fn what_an_hour_gives_at_a_low_score_is_a_hundredth_of_the_reserve_at_a_high_one() {
    let mut stage = Stage::with_score(100);
    let reserve = 25_000_000 * MMC;
    let _ = stage.deposit(OWNER, reserve).succeeds();
    stage.limit(Limits::DEFAULT);
    for who in PEOPLE {
        stage.exhaust(who, Side::Buy);
    }
    assert!(stage.market().outstanding * BID <= reserve / 100);
    // For an hour all results are missing but one; it gives as little.
    stage.wait(FORGOTTEN_MS);
    stage.score(50_000);
    let _ = stage.buy("bob", 1).succeeds();
    let before = stage.market().outstanding;
    stage.wait(FORGOTTEN_MS);
    stage.score(1);
    for who in PEOPLE {
        stage.exhaust(who, Side::Buy);
    }
    let given = stage.market().outstanding - before;
    assert!(given * BID <= reserve * 101 / 10_000, "{given}");
    stage.check();
}

#[test]
fn one_step_of_the_score_does_not_empty_the_reserve() {
    let mut stage = Stage::guarded();
    let people = ["alice", "bob", "charlie", "dave"];
    // All of them know that the score will rise by a tenth.
    for who in people {
        let room = stage.room(who, Side::Buy);
        let _ = stage.buy(who, room).succeeds();
    }
    let most = RESERVE + AN_HOUR * 102 / 100;
    let reserve = stage.market().reserve;
    assert!(reserve <= most, "{reserve}");
    stage.score(55_000);
    for who in people {
        let room = stage.room(who, Side::Sell).min(stage.tokens(who));
        let _ = stage.sell(who, room).succeeds();
    }
    let lost = reserve - stage.market().reserve;
    assert!(lost <= most / 100, "{lost} within an hour");
    assert_eq!(stage.room("heidi", Side::Sell), 0, "whoever comes");
    stage.check();
}

#[test]
fn one_account_does_not_use_the_hour_up() {
    let mut stage = Stage::guarded();
    let _ = stage.buy("charlie", 100).succeeds();
    for _ in 0..3 {
        stage.score(50_000);
        for side in [Side::Buy, Side::Sell] {
            stage.exhaust("bob", side);
        }
        let _ = stage.buy("charlie", 1).succeeds();
        let _ = stage.sell("charlie", 1).succeeds();
    }
    // With four accounts he can, at 2 % of an hour's money: it goes to the market maker.
    stage.wait(FORGOTTEN_MS);
    let reserve = stage.market().reserve;
    for who in ["alice", "bob", "charlie", "dave"] {
        let room = stage.room(who, Side::Buy);
        let _ = stage.buy(who, room).succeeds();
        let _ = stage.sell(who, room).succeeds();
    }
    let paid = stage.market().reserve - reserve;
    assert!(paid > AN_HOUR * 19 / 1_000, "{paid}");
    stage.check();
}

#[test]
fn what_was_traded_counts_for_an_hour_whatever_the_slot() {
    for start in [0, 599_999] {
        let mut stage = Stage::guarded();
        let slot = (stage.world.now() / 600_000 + 1) * 600_000;
        stage.world.at(slot + start);
        stage.rank(&[(CLAUDE, 50_000)]);
        let _ = stage.buy("bob", OF_ONE / ASK).succeeds();
        stage.wait(HOUR_MS - 1);
        assert_eq!(stage.buy("bob", 200).fails(), ExchangeError::LimitReached);
        stage.wait(600_001);
        let _ = stage.buy("bob", OF_ONE / ASK).succeeds();
    }
}

#[test]
fn without_a_reserve_the_market_maker_does_not_trade() {
    let mut stage = Stage::with_score(50_000);
    assert_eq!(stage.room("bob", Side::Buy), 0);
    assert_eq!(stage.buy("bob", 1).fails(), ExchangeError::InsufficientReserve);
    // The first token that an account can buy needs a reserve of 400 of them at most.
    stage.limit(Limits::DEFAULT);
    let _ = stage.deposit(OWNER, 400 * ASK).succeeds();
    let _ = stage.buy("bob", 1).succeeds();
    stage.check();
}

#[test]
fn who_buys_is_not_paid_out_to_who_sells() {
    let mut stage = Stage::new();
    stage.limit(LIMITS);
    let _ = stage.buy("bob", 190_000).succeeds();
    // At a bid of 990 the reserve is short.
    stage.score(1_000_000);
    assert_eq!(stage.room("charlie", Side::Buy), 0);
    assert_eq!(stage.buy("charlie", 1).fails(), ExchangeError::InsufficientReserve);
    let bid = stage.place("charlie", Side::Buy, 1_010 * MMC, 1).succeeds().value;
    assert_eq!((bid.trade.amount, bid.order.is_some()), (0, true), "it may rest");
    // Who sells gets the bid, no more than a tenth of what is left in an hour.
    let reserve = stage.market().reserve;
    let room = stage.room("bob", Side::Sell);
    assert_eq!(room, reserve / 10 / (990 * MMC));
    let _ = stage.sell("bob", room).succeeds();
    assert!(stage.market().reserve >= reserve * 9 / 10);
    stage.check();
}

/// What each trade came to, and what the market had after it.
type Played = (Vec<Result<u128, ExchangeError>>, Vec<(u128, u128)>);

/// Answers of random trades and the money of all at the end, with a quote of the same score before
/// each of them, or without.
fn trades(seed: u64, again: bool) -> Played {
    let mut stage = Stage::guarded();
    let mut dice = Dice::new(seed);
    let mut answers = Vec::new();
    for step in 0..40 {
        stage.world.next_block();
        if again || step % 10 == 0 {
            stage.rank(&[(CLAUDE, 50_000)]);
        }
        let who = PEOPLE[dice.below(4) as usize];
        let amount = 1 + u128::from(dice.below(5_000));
        let answer = match dice.below(3) {
            0 => stage.sell(who, amount),
            _ => stage.buy(who, amount),
        };
        answers.push(answer.value.map(|trade| trade.value));
    }
    (answers, PEOPLE.map(|who| stage.held(who)).into())
}

#[test]
fn nobody_gains_or_loses_by_a_quote_of_the_same_score() {
    for seed in [71, 72] {
        let once = trades(seed, false);
        assert_eq!(once, trades(seed, true));
        let refused = once.0.iter().filter(|answer| answer.is_err()).count();
        assert!((3..37).contains(&refused), "{refused} of 40 refused");
    }
}

#[test]
fn volume_is_made_of_nothing_no_more() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10_000).succeeds();
    let start = stage.volume();
    for turn in 0..4 {
        let (seller, buyer) = if turn % 2 == 0 { ("bob", "charlie") } else { ("charlie", "bob") };
        let _ = stage.rest(seller, Side::Sell, BID + TICK, 10_000);
        assert_eq!(stage.buy(buyer, 10_000).succeeds().value.at_quote, 0);
    }
    assert_eq!(stage.volume(), start, "they traded with each other");
}

#[test]
fn dust_in_the_way_costs_who_leaves_it_more_than_who_meets_it() {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 100).succeeds();
    let plain = stage.buy("dave", 100).succeeds();
    let mut placing = 0;
    for step in 1..=8 {
        let placed = stage.place("bob", Side::Sell, ASK - step * TICK, 1).succeeds();
        placing += placed.gas.ref_time;
    }
    let met = stage.buy("dave", 100).succeeds();
    assert_eq!((met.value.fills, met.value.at_quote), (8, 92), "nobody is stopped");
    assert!(met.value.value < 100 * ASK, "and it is cheaper");
    let more = met.gas.ref_time - plain.gas.ref_time;
    println!("eight orders: {placing} to place, {more} more to meet; deposit {}", met.deposit);
    assert!(more < placing);
    assert!(met.deposit < 0, "what was deposited for them goes to who meets them");
}
