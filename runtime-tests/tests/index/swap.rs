//! Rebalancing: towards the targets, at certified prices, never beyond.

use crate::stage::*;
use cicada_core::basket::rebalance::swap_room_floor;
use cicada_core::basket::BasketError;
use cicada_core::nav::STALENESS_MS;
use cicada_core::Account;
use cicada_runtime_tests::{account, on};
use cicada_traits::index::{Index, IndexError};
use index::index::{Swapped, Synced};

/// Four tokens of a quarter each, at 0.1, 0.2, 0.3 and 0.4 TAO, 1,000 TAO in all; then the first
/// doubles in price.
fn moved() -> Stage {
    let mut stage = Stage::with_coins(4);
    stage.set_usual();
    let _ = stage.mint("bob", 1_000 * ONE).succeeds();
    let mut entries = stage.usual();
    entries[0].price_e18 *= 2;
    let _ = stage.set_basket(&entries).succeeds();
    stage.world.advance(FAIR);
    stage
}

/// The age at which the spread is just not nothing yet: 200 of 220 bps have fallen, but for 60 of the
/// 3 · 10⁹ parts that there are.
const FAIR: u64 = STALENESS_MS * 10 / 11;

/// The value of the basket at its prices, exact.
fn value(stage: &mut Stage) -> u128 {
    stage.holdings().iter().map(|held| held.amount * (held.price_e18 / (ONE / 10))).sum()
}

fn room(stage: &mut Stage, give: usize, take: usize) -> Result<u128, BasketError> {
    let tokens = [give, take].map(|coin| Account::of(&stage.coin(coin)));
    let taken = stage.world.read(on(&stage.index).basket_taken_ms());
    let age = stage.world.now() - taken;
    swap_room_floor(&stage.holdings(), &tokens[0], &tokens[1], age)
}

#[test]
fn what_is_too_little_is_given_for_what_is_too_much_at_the_certified_prices() {
    let mut stage = moved();
    let (before, worth) = (stage.purse("charlie"), value(&mut stage));
    // 500 of 1,250 TAO in the first, 250 in each other; 312.5 are wanted in each: 62.5 more, less
    // what the first mint rounded up.
    let most = 208_333_333_332;
    assert_eq!(room(&mut stage, 2, 0), Ok(most));
    let given = 1_000_000_000;
    let receipt = stage.swap("charlie", 2, given, 0).succeeds();
    let event = receipt.event::<Swapped>(&stage.index);
    assert_eq!(
        (event.who, event.give, event.take),
        (account("charlie"), stage.coin(2), stage.coin(0))
    );
    assert_eq!((event.given, event.taken), (given, given * 3 / 2 - 30));
    let after = stage.purse("charlie");
    assert_eq!((after[0] - before[0], before[2] - after[2]), (event.taken, given));
    assert_eq!(value(&mut stage), worth + 60, "30 of 0.2 TAO");
    stage.check_books(0);
}

#[test]
fn the_spread_falls_until_somebody_takes_it() {
    let mut stage = moved();
    stage.set_usual();
    let mut entries = stage.usual();
    entries[0].price_e18 *= 2;
    let _ = stage.set_basket(&entries).succeeds();
    let given = 1_000_000_000;
    let taken = |stage: &mut Stage| {
        stage.swap("charlie", 2, given, 0).succeeds().event::<Swapped>(&stage.index).taken
    };
    assert_eq!(taken(&mut stage), given * 3 / 2 * 98 / 100, "2 % stay in the basket");
    stage.world.advance(STALENESS_MS / 2);
    assert_eq!(taken(&mut stage), given * 3 / 2 * 991 / 1_000);
    stage.world.advance(STALENESS_MS / 2);
    assert_eq!(taken(&mut stage), given * 3 / 2 * 1_002 / 1_000, "and at last 0.2 % go");
    stage.check_books(0);
}

#[test]
fn whoever_holds_a_certificate_back_has_no_part_of_the_fall() {
    let mut stage = moved();
    let mut entries = stage.usual();
    entries[0].price_e18 *= 2;
    let report = stage.basket_report(&entries);
    stage.world.advance(STALENESS_MS - 1_000);
    let _ = stage.bring_basket(report, &entries).succeeds();
    let now = stage.world.now();
    assert_eq!(stage.world.read(on(&stage.index).basket_taken_ms()), now);
    let given = 1_000_000_000;
    let receipt = stage.swap("charlie", 2, given, 0).succeeds();
    let taken = receipt.event::<Swapped>(&stage.index).taken;
    assert_eq!(taken, given * 3 / 2 * 98 / 100, "the whole spread, however old the prices are");
    // The prices are no younger for it.
    stage.world.advance(1_001);
    let stale = IndexError::Basket(BasketError::StalePrices);
    assert_eq!(stage.swap("charlie", 2, given, 0).fails(), stale);
}

#[test]
fn a_swap_is_rounded_against_the_taker() {
    let mut stage = moved();
    let worth = value(&mut stage);
    // One unit of 0.3 TAO buys 1.5 units of 0.2.
    let receipt = stage.swap("charlie", 2, 1, 0).succeeds();
    assert_eq!(receipt.event::<Swapped>(&stage.index).taken, 1);
    assert_eq!(value(&mut stage), worth + 1);
    stage.check_books(0);
}

#[test]
fn neither_side_crosses_its_target() {
    let mut stage = moved();
    let most = room(&mut stage, 2, 0).unwrap();
    let crosses = IndexError::Basket(BasketError::CrossesTarget);
    assert_eq!(stage.swap("charlie", 2, most + 1, 0).fails(), crosses);
    let _ = stage.swap("charlie", 2, most, 0).succeeds();
    let wrong = |error| IndexError::Basket(error);
    assert_eq!(stage.swap("charlie", 0, 1, 1).fails(), wrong(BasketError::NotBelowTarget));
    assert_eq!(stage.swap("charlie", 1, 1, 2).fails(), wrong(BasketError::NotAboveTarget));
    assert_eq!(stage.swap("charlie", 1, 0, 0).fails(), wrong(BasketError::ZeroAmount));
    stage.add_coin(4);
    assert_eq!(stage.swap("charlie", 4, 1, 0).fails(), wrong(BasketError::UnknownToken));
    stage.check_books(0);
}

#[test]
fn swaps_bring_the_basket_to_its_targets() {
    let mut stage = moved();
    let worth = value(&mut stage);
    for coin in 1..4 {
        let most = room(&mut stage, coin, 0).unwrap();
        let _ = stage.swap("dave", coin, most, 0).succeeds();
    }
    for (coin, held) in stage.holdings().iter().enumerate() {
        let off = (held.amount * (held.price_e18 / (ONE / 10))).abs_diff(worth / 4);
        assert!(off <= worth / 100_000_000, "coin {coin} is {off} off");
    }
    assert!(value(&mut stage) >= worth);
    stage.check_books(0);
}

#[test]
fn at_old_prices_nothing_is_swapped() {
    let mut stage = moved();
    stage.world.advance(STALENESS_MS - FAIR);
    let _ = stage.swap("charlie", 2, 10, 0).succeeds();
    stage.world.advance(1);
    let stale = IndexError::Basket(BasketError::StalePrices);
    assert_eq!(stage.swap("charlie", 2, 10, 0).fails(), stale);
}

#[test]
fn a_swap_keeps_deadline_and_limit_and_needs_approval() {
    let mut stage = moved();
    let now = stage.world.now();
    let late = stage.swap_within("charlie", (2, 100), (0, 0), now);
    assert_eq!(late.fails(), IndexError::Expired);
    let few = stage.swap_within("charlie", (2, 100), (0, 150), now + 1);
    assert_eq!(few.fails(), IndexError::BeyondLimit);
    stage.approve("charlie", Some(2), 99);
    let poor = stage.swap_within("charlie", (2, 100), (0, 149), now + 1);
    assert_eq!(poor.fails(), IndexError::TokenRefused);
    stage.approve("charlie", Some(2), 100);
    let _ = stage.swap_within("charlie", (2, 100), (0, 149), now + 1).succeeds();
    stage.check_books(0);
}

#[test]
fn a_gift_counts_only_once_somebody_says_so() {
    let mut stage = Stage::minted();
    let held = stage.amounts();
    stage.donate("dave", 3, 12_345);
    assert_eq!(stage.amounts(), held, "it moves nothing by itself");
    let receipt = stage.sync(3).succeeds();
    let event = receipt.event::<Synced>(&stage.index);
    assert_eq!((event.token, event.amount), (stage.coin(3), 12_345));
    assert_eq!(stage.amounts()[3], held[3] + 12_345);
    let nothing = IndexError::Basket(BasketError::ZeroAmount);
    assert_eq!(stage.sync(3).fails(), nothing);
    stage.check_books(0);
    stage.add_coin(20);
    assert_eq!(stage.sync(20).fails(), IndexError::Basket(BasketError::UnknownToken));
}
