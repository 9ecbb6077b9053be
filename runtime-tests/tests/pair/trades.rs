//! Trades: exact figures, slippage, deadlines, and that no round trip gains.

use crate::stage::*;
use cicada_core::fixed::MathError;
use cicada_core::pair::{Pool, PoolError, MAX_RESERVE};
use cicada_runtime_tests::{account, address, on};
use cicada_traits::pair::{Pair, PairError};
use cicada_traits::psp22::PSP22;
use pair::pair::{PairContractRef, Swapped};

#[test]
fn selling_pays_what_the_formula_says() {
    let mut stage = Stage::filled();
    let (a, trader) = (stage.a(), account(TRADER));
    let quote = on(&stage.pair).quote_out(a, 1_000);
    assert_eq!(stage.world.read(quote), Ok(3_984));
    // 1,000 in, 997 after the fee: 997 · 4,000,000 / (1,000,000 + 997) = 3,984.03…
    let receipt = stage.sell(TRADER, a, 1_000).succeeds();
    assert_eq!(receipt.value, 3_984);
    assert_eq!(stage.holdings(trader), (HELD - 1_000, HELD + 3_984, 0));
    assert_eq!(stage.pool(), Pool { a: 1_001_000, b: 3_996_016, ..POOL });
    assert_eq!(stage.held(), (1_001_000, 3_996_016, 1_000), "the contract holds its reserves");
    let event = receipt.event::<Swapped>(&stage.pair);
    assert_eq!((event.trader, event.token_in), (trader, a));
    assert_eq!((event.amount_in, event.amount_out), (1_000, 3_984));
    assert_eq!((event.reserve_a, event.reserve_b), (1_001_000, 3_996_016));
}

#[test]
fn buying_costs_what_the_formula_says() {
    let mut stage = Stage::filled();
    let (b, trader) = (stage.b(), account(TRADER));
    // 996 of A: 996 · 4,000,000 / (999,004 · 0.997) = 3,999.97…
    let quote = on(&stage.pair).quote_in(b, 996);
    assert_eq!(stage.world.read(quote), Ok(4_000));
    let receipt = stage.buy(TRADER, b, 996).succeeds();
    assert_eq!(receipt.value, 4_000);
    assert_eq!(stage.holdings(trader), (HELD + 996, HELD - 4_000, 0));
    assert_eq!(stage.pool(), Pool { a: 999_004, b: 4_004_000, ..POOL });
    let event = receipt.event::<Swapped>(&stage.pair);
    assert_eq!((event.token_in, event.amount_in, event.amount_out), (b, 4_000, 996));
    assert_eq!((event.reserve_a, event.reserve_b), (999_004, 4_004_000));
}

#[test]
fn the_fee_stays_in_the_pool() {
    for (fee_bps, out) in [(0, 3_996), (30, 3_984), (100, 3_956)] {
        let mut stage = Stage::filled_with(fee_bps);
        assert_eq!(stage.world.read(on(&stage.pair).fee_bps()), fee_bps);
        let a = stage.a();
        assert_eq!(stage.sell(TRADER, a, 1_000).succeeds().value, out, "at {fee_bps} bps");
        assert_eq!(stage.pool().b, POOL.b - out);
    }
}

#[test]
fn a_pool_that_makes_no_sense_is_not_created() {
    let mut stage = Stage::new();
    let (a, b) = (stage.a(), stage.b());
    let mut create = |a, b, fee_bps| {
        let constructor = PairContractRef::new(a, b, fee_bps);
        let deployed = stage.world.as_(account(STRANGER)).try_deploy("pair", constructor);
        deployed.expect("the chain runs it").value.map(|_| ())
    };
    assert_eq!(create(a, a, 30), Err(PairError::SameToken));
    assert_eq!(create(a, b, 101), Err(PairError::Pool(PoolError::FeeTooHigh)));
    assert_eq!(create(a, b, 100), Ok(()));
    assert_eq!(create(b, a, 0), Ok(()));
}

#[test]
fn who_would_get_less_than_he_accepts_keeps_his_money() {
    let mut stage = Stage::filled();
    let (a, soon) = (stage.a(), stage.soon());
    let more = on(&stage.pair).swap_exact_in(a, 1_000, 3_985, soon);
    assert_eq!(stage.call(TRADER, more).fails(), PairError::TooLittle);
    let cheaper = on(&stage.pair).swap_exact_out(a, 999, 3_984, soon);
    assert_eq!(stage.call(TRADER, cheaper).fails(), PairError::TooMuch);
    assert_eq!(stage.holdings(account(TRADER)), (HELD, HELD, 0));
    let exact = on(&stage.pair).swap_exact_in(a, 1_000, 3_984, soon);
    assert_eq!(stage.call(TRADER, exact).succeeds().value, 3_984);
    let mut stage = Stage::filled();
    let exact = on(&stage.pair).swap_exact_out(a, 1_000, 3_984, soon);
    assert_eq!(stage.call(TRADER, exact).succeeds().value, 1_000);
}

#[test]
fn exactly_at_the_deadline_it_is_too_late() {
    let mut stage = Stage::filled();
    let (a, now) = (stage.a(), stage.world.now());
    for deadline in [0, now - 1, now] {
        let message = on(&stage.pair).swap_exact_in(a, 1_000, 0, deadline);
        assert_eq!(stage.call(TRADER, message).fails(), PairError::TooLate);
        let message = on(&stage.pair).swap_exact_out(a, 9_999, 9, deadline);
        assert_eq!(stage.call(TRADER, message).fails(), PairError::TooLate);
        let message = on(&stage.pair).add_liquidity(100, 400, 0, deadline);
        assert_eq!(stage.call(TRADER, message).fails(), PairError::TooLate);
        let message = on(&stage.pair).remove_liquidity(1, 0, 0, deadline);
        assert_eq!(stage.call(PROVIDER, message).fails(), PairError::TooLate);
    }
    assert_eq!(stage.pool(), POOL);
    let message = on(&stage.pair).swap_exact_in(a, 1_000, 0, now + 1);
    let _ = stage.call(TRADER, message).succeeds();
}

#[test]
fn what_cannot_be_traded_is_refused() {
    let mut stage = Stage::filled();
    let (a, b, other) = (stage.a(), stage.b(), account("heidi"));
    assert_eq!(stage.sell(TRADER, other, 5).fails(), PairError::UnknownToken);
    assert_eq!(stage.buy(TRADER, other, 5).fails(), PairError::UnknownToken);
    let itself = address(&stage.pair);
    assert_eq!(stage.sell(TRADER, itself, 5).fails(), PairError::UnknownToken);
    assert_eq!(stage.world.read(on(&stage.pair).quote_out(other, 5)), Err(PairError::UnknownToken));
    assert_eq!(stage.world.read(on(&stage.pair).quote_in(other, 5)), Err(PairError::UnknownToken));
    let zero = PairError::Pool(PoolError::ZeroAmount);
    assert_eq!(stage.sell(TRADER, a, 0).fails(), zero);
    assert_eq!(stage.buy(TRADER, a, 0).fails(), zero);
    assert_eq!(stage.sell(TRADER, b, 1).fails(), zero, "all rounded away");
    let dry = PairError::Pool(PoolError::InsufficientLiquidity);
    assert_eq!(stage.buy(TRADER, a, POOL.b).fails(), dry);
    assert_eq!(stage.buy(TRADER, a, u128::MAX).fails(), dry);
    assert_eq!(stage.sell(TRADER, a, MAX_RESERVE).fails(), PoolError::ReserveTooLarge.into());
    assert_eq!(
        stage.sell(TRADER, a, u128::MAX).fails(),
        PoolError::Math(MathError::Overflow).into()
    );
    assert_eq!(stage.pool(), POOL);
    let mut empty = Stage::new();
    let a = empty.a();
    assert_eq!(empty.sell(TRADER, a, 5).fails(), dry);
    assert_eq!(empty.buy(TRADER, a, 5).fails(), dry);
}

#[test]
fn all_but_one_unit_can_be_bought() {
    let mut stage = Stage::with(FEE_BPS, 1_000 * HELD);
    let _ = stage.add(PROVIDER, POOL.a, POOL.b).succeeds();
    let a = stage.a();
    let _ = stage.buy(TRADER, a, POOL.b - 1).succeeds();
    let pool = stage.pool();
    assert_eq!(pool.b, 1);
    let b = stage.b();
    let _ = stage.sell(STRANGER, b, POOL.b).succeeds();
    assert!(stage.pool().a > 0);
}

#[test]
fn a_token_that_refuses_fails_the_trade_as_a_whole() {
    let mut stage = Stage::filled();
    let (a, b, pool) = (stage.a(), stage.b(), address(&stage.pair));
    let approve = |amount| on(&stage.index).approve(pool, amount);
    let (less, enough) = (approve(999), approve(1_000));
    let _ = stage.call(TRADER, less).succeeds();
    assert_eq!(stage.sell(TRADER, a, 1_000).fails(), PairError::TokenRefused);
    let _ = stage.call(TRADER, enough).succeeds();
    let _ = stage.sell(TRADER, a, 1_000).succeeds();
    // More than he has.
    assert_eq!(stage.sell(STRANGER, a, HELD + 1).fails(), PairError::TokenRefused);
    let before = stage.pool();
    stage.freeze(b);
    assert_eq!(stage.sell(STRANGER, a, 1_000).fails(), PairError::TokenRefused, "cannot pay");
    assert_eq!(stage.sell(STRANGER, b, 1_000).fails(), PairError::TokenRefused, "cannot take");
    let index = on(&stage.index).balance_of(account(STRANGER));
    assert_eq!((stage.pool(), stage.world.read(index)), (before, HELD));
}

#[test]
fn what_is_no_token_makes_no_pool_move() {
    let mut stage = Stage::new();
    let constructor = PairContractRef::new(stage.a(), account("heidi"), 30);
    stage.pair = stage.world.as_(account(STRANGER)).deploy("pair", constructor).unwrap();
    let approval = on(&stage.index).approve(address(&stage.pair), u128::MAX);
    let _ = stage.call(PROVIDER, approval).succeeds();
    assert_eq!(stage.add(PROVIDER, 5_000, 5_000).fails(), PairError::TokenRefused);
    assert_eq!(stage.pool(), Pool::default());
    assert_eq!(stage.holdings(account(PROVIDER)), (HELD, HELD, 0), "the first token is back");
}

#[test]
fn a_round_trip_never_gains() {
    let mut tried = 0;
    for fee_bps in [0, 30] {
        let mut stage = Stage::filled_with(fee_bps);
        for amount in [1u128, 2, 5, 7, 999, 1_000, 12_345, 1_000_000, 77_777_777] {
            for (token, back) in [(stage.a(), stage.b()), (stage.b(), stage.a())] {
                // What is too little to be worth a unit is refused.
                if let Ok(out) = stage.sell(TRADER, token, amount).value {
                    let again = stage.sell(TRADER, back, out).value.unwrap_or(0);
                    assert!(again <= amount, "{amount} became {again} at {fee_bps} bps");
                    tried += 1;
                }
                if let Ok(cost) = stage.buy(TRADER, token, amount).value {
                    let again = stage.sell(TRADER, back, amount).value.unwrap_or(0);
                    assert!(again <= cost, "{cost} became {again} at {fee_bps} bps");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 50, "{tried} round trips");
}

#[test]
fn the_largest_reserves_trade_without_overflow() {
    let mut stage = Stage::with(30, MAX_RESERVE);
    let half = MAX_RESERVE / 2;
    let deposit = stage.add(PROVIDER, half, half).succeeds().value;
    assert_eq!(deposit.shares, half - 1_000);
    let (a, b) = (stage.a(), stage.b());
    let rest = MAX_RESERVE - half;
    assert_eq!(stage.sell(TRADER, a, rest + 1).fails(), PoolError::ReserveTooLarge.into());
    let out = stage.sell(TRADER, a, rest).succeeds().value;
    assert_eq!(stage.pool().a, MAX_RESERVE);
    assert_eq!(stage.sell(TRADER, a, 1_000).fails(), PoolError::ReserveTooLarge.into());
    assert_eq!(stage.add(TRADER, 9, 9).fails(), PoolError::ReserveTooLarge.into());
    // The other way is open.
    let back = stage.sell(TRADER, b, out).succeeds().value;
    assert!(back <= rest);
    let shares = stage.holdings(account(PROVIDER)).2;
    let _ = stage.remove(PROVIDER, shares).succeeds();
    assert!(stage.pool().a > 0 && stage.pool().b > 0);
}
