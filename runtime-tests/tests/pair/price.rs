//! The price, its average over time, and what gifts do to it.

use crate::stage::*;
use cicada_core::fixed::MathError;
use cicada_core::pair::{average_e18_floor, PoolError, PriceSum};
use cicada_runtime_tests::{account, on};
use cicada_traits::pair::{Pair, PairError};

const TAO20: u128 = 1_000_000_000_000_000_000;
const TAO: u128 = 1_000_000_000;
const ONE_E18: u128 = 1_000_000_000_000_000_000;

/// A pool of 100 index tokens and 200 TAO, without fee: one index token costs 2 TAO.
fn priced() -> Stage {
    let mut stage = Stage::with(0, 1_000_000 * TAO20);
    let _ = stage.add(PROVIDER, 100 * TAO20, 200 * TAO).succeeds();
    stage
}

fn price(stage: &mut Stage) -> Result<u128, PairError> {
    stage.world.read(on(&stage.pair).price_e18())
}

fn average(stage: &mut Stage, since: PriceSum) -> u128 {
    let now = stage.prices();
    let elapsed = now.time_ms - since.time_ms;
    average_e18_floor(since.cumulative_e18, now.cumulative_e18, elapsed).expect("time passed")
}

#[test]
fn the_price_is_told_in_tao_for_one_index_token() {
    let mut empty = Stage::new();
    assert_eq!(price(&mut empty), Err(PairError::Pool(PoolError::InsufficientLiquidity)));
    let mut stage = priced();
    assert_eq!(price(&mut stage), Ok(2 * ONE_E18));
    // 200 TAO more double the TAO and halve the index tokens: 8 TAO.
    let b = stage.b();
    assert_eq!(stage.sell(TRADER, b, 200 * TAO).succeeds().value, 50 * TAO20);
    assert_eq!(price(&mut stage), Ok(8 * ONE_E18));
}

#[test]
fn the_average_weighs_each_price_by_the_time_it_stood() {
    let mut stage = priced();
    let start = stage.prices();
    assert_eq!(start.time_ms, stage.world.now());
    stage.world.advance(60_000);
    let minute = stage.prices();
    assert_eq!(minute.cumulative_e18 - start.cumulative_e18, 2 * ONE_E18 * 60_000);
    assert_eq!(average(&mut stage, start), 2 * ONE_E18, "the view counts the time since");

    let b = stage.b();
    let _ = stage.sell(TRADER, b, 200 * TAO).succeeds();
    assert_eq!(stage.prices(), minute, "the old price, until the very change");
    assert_eq!(average(&mut stage, start), 2 * ONE_E18);
    stage.world.advance(30_000);
    // 60 s at 2 TAO and 30 s at 8: 4 on average.
    assert_eq!(average(&mut stage, start), 4 * ONE_E18);
    assert_eq!(average(&mut stage, minute), 8 * ONE_E18);

    // Deposits and withdrawals sum up too, and do not move the price.
    let _ = stage.add(TRADER, 50 * TAO20, 400 * TAO).succeeds();
    let deposited = stage.prices();
    stage.world.advance(15_000);
    let shares = stage.holdings(account(TRADER)).2;
    let _ = stage.remove(TRADER, shares).succeeds();
    stage.world.advance(15_000);
    assert_eq!(average(&mut stage, deposited) / TAO, 8 * ONE_E18 / TAO, "but for rounding");
    let whole = average(&mut stage, start);
    assert_eq!(whole / TAO, 5 * ONE_E18 / TAO, "60 s at 2 TAO and 60 s at 8");
}

#[test]
fn a_price_that_stands_for_no_time_does_not_count() {
    let mut stage = priced();
    let start = stage.prices();
    stage.world.advance(10_000);
    // Up and down again in one block.
    let b = stage.b();
    let bought = stage.sell(TRADER, b, 1_000 * TAO).succeeds().value;
    let a = stage.a();
    let _ = stage.sell(TRADER, a, bought).succeeds();
    stage.world.advance(10_000);
    assert_eq!(average(&mut stage, start) / TAO, 2 * ONE_E18 / TAO, "but for rounding");
}

#[test]
fn before_the_first_deposit_there_is_no_price_to_sum() {
    let mut stage = Stage::new();
    stage.world.advance(1_000_000);
    let now = stage.world.now();
    assert_eq!(stage.prices(), PriceSum { cumulative_e18: 0, time_ms: now });
    let _ = stage.add(PROVIDER, POOL.a, POOL.b).succeeds();
    assert_eq!(stage.prices(), PriceSum { cumulative_e18: 0, time_ms: now });
}

#[test]
fn a_price_beyond_telling_stops_nobody() {
    // 2¹⁰⁰ units of TAO for 1,000 of the index token: 10⁵⁴ at scale 10¹⁸.
    let mut stage = Stage::with(0, 1 << 110);
    let _ = stage.add(PROVIDER, 1_000, 1 << 100).succeeds();
    let overflow = PoolError::Math(MathError::Overflow);
    assert_eq!(price(&mut stage), Err(PairError::Pool(overflow)));
    stage.world.advance(5);
    assert_eq!(stage.prices().cumulative_e18, u128::MAX - 4, "5 · (2¹²⁸ − 1), wrapped around");
    let a = stage.a();
    let _ = stage.sell(TRADER, a, 1_000).succeeds();
    stage.world.advance(5);
    let shares = stage.holdings(account(PROVIDER)).2;
    let _ = stage.remove(PROVIDER, shares).succeeds();
}

#[test]
fn gifts_move_neither_price_nor_reserves_and_go_to_who_asks_first() {
    let mut stage = Stage::filled();
    let before = (stage.pool(), price(&mut stage));
    stage.donate(TRADER, 5_000, 70_000);
    assert_eq!((stage.pool(), price(&mut stage)), before);
    let a = stage.a();
    let quote = on(&stage.pair).quote_out(a, 1_000);
    assert_eq!(stage.world.read(quote), Ok(3_984));

    let skim = || on(&stage.pair).skim(account(TRADER));
    let (first, second) = (skim(), skim());
    assert_eq!(stage.call(STRANGER, first).succeeds().value, (5_000, 70_000));
    assert_eq!(stage.holdings(account(TRADER)), (HELD, HELD, 0));
    assert_eq!(stage.call(STRANGER, second).succeeds().value, (0, 0));
    assert_eq!(stage.held(), (POOL.a, POOL.b, 1_000));
    assert_eq!((stage.pool(), price(&mut stage)), before);
}

#[test]
fn skimming_a_frozen_token_is_refused() {
    let mut stage = Stage::filled();
    stage.donate(TRADER, 5, 5);
    let b = stage.b();
    stage.freeze(b);
    let skim = on(&stage.pair).skim(account(TRADER));
    assert_eq!(stage.call(STRANGER, skim).fails(), PairError::TokenRefused);
}
