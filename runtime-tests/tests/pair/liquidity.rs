//! Deposits and withdrawals: exact figures, the lock, and that shares are never diluted.

use crate::stage::*;
use cicada_core::pair::{Deposit, Pool, PoolError, MAX_RESERVE, MINIMUM_LIQUIDITY};
use cicada_runtime_tests::{account, address, on};
use cicada_traits::pair::{Pair, PairError};
use cicada_traits::psp22::PSP22;
use pair::pair::{LiquidityAdded, LiquidityRemoved, Transfer};

const ZERO: PairError = PairError::Pool(PoolError::ZeroAmount);

#[test]
fn a_new_pool_is_empty() {
    let mut stage = Stage::new();
    assert_eq!(stage.pool(), Pool::default());
    let tokens = stage.world.read(on(&stage.pair).tokens());
    assert_eq!(tokens, (stage.a(), stage.b()));
    assert_eq!(stage.world.read(on(&stage.pair).fee_bps()), FEE_BPS);
    assert_eq!(stage.remove(PROVIDER, 1).fails(), PairError::InsufficientShares);
}

#[test]
fn the_first_deposit_takes_all_and_locks_a_thousand_shares() {
    let mut stage = Stage::new();
    let receipt = stage.add(PROVIDER, POOL.a, POOL.b).succeeds();
    let deposit = Deposit { a: POOL.a, b: POOL.b, shares: 1_999_000, locked: 1_000 };
    assert_eq!(receipt.value, deposit);
    let provider = account(PROVIDER);
    assert_eq!(stage.holdings(provider), (HELD - POOL.a, HELD - POOL.b, 1_999_000));
    assert_eq!(stage.held(), (POOL.a, POOL.b, MINIMUM_LIQUIDITY));
    assert_eq!(stage.world.read(on(&stage.pair).total_supply()), 2_000_000);
    let event = receipt.event::<LiquidityAdded>(&stage.pair);
    assert_eq!((event.provider, event.shares), (provider, 1_999_000));
    assert_eq!((event.amount_a, event.amount_b), (POOL.a, POOL.b));
    assert_eq!((event.reserve_a, event.reserve_b), (POOL.a, POOL.b));
    let created = |to, value| Transfer { from: None, to: Some(to), value };
    let transfers = receipt.events::<Transfer>(&stage.pair);
    let locked = created(address(&stage.pair), 1_000);
    assert_eq!(transfers, [locked, created(provider, 1_999_000)]);
}

#[test]
fn a_later_deposit_takes_no_more_than_its_shares_need() {
    let mut stage = Stage::filled();
    // The second token is the scarce one: 100 of it are 50 shares, 25 of the first.
    let receipt = stage.add(TRADER, 1_000, 100).succeeds();
    assert_eq!(receipt.value, Deposit { a: 25, b: 100, shares: 50, locked: 0 });
    assert_eq!(stage.holdings(account(TRADER)), (HELD - 25, HELD - 100, 50));
    assert_eq!(stage.pool(), Pool { a: 1_000_025, b: 4_000_100, shares: 2_000_050 });
    assert_eq!(receipt.events::<Transfer>(&stage.pair).len(), 1);
}

#[test]
fn a_deposit_may_leave_one_limit_open() {
    let mut stage = Stage::filled();
    let bound_by_b = Deposit { a: 25, b: 100, shares: 50, locked: 0 };
    assert_eq!(stage.add(TRADER, u128::MAX, 100).succeeds().value, bound_by_b);
    let bound_by_a = Deposit { a: 25, b: 100, shares: 50, locked: 0 };
    assert_eq!(stage.add(TRADER, 25, u128::MAX).succeeds().value, bound_by_a);
    assert_eq!(stage.pool(), Pool { a: 1_000_050, b: 4_000_200, shares: 2_000_100 });
    let large = PoolError::ReserveTooLarge;
    assert_eq!(stage.add(TRADER, u128::MAX, u128::MAX).fails(), large.into());
}

#[test]
fn who_would_get_fewer_shares_than_he_accepts_deposits_nothing() {
    let mut stage = Stage::filled();
    let more = on(&stage.pair).add_liquidity(1_000, 100, 51, stage.soon());
    assert_eq!(stage.call(TRADER, more).fails(), PairError::TooLittle);
    assert_eq!(stage.pool(), POOL);
    let exact = on(&stage.pair).add_liquidity(1_000, 100, 50, stage.soon());
    assert_eq!(stage.call(TRADER, exact).succeeds().value.shares, 50);
}

#[test]
fn deposits_that_are_worth_no_share_are_refused() {
    let mut stage = Stage::new();
    assert_eq!(stage.add(PROVIDER, 1_000, 1_000).fails(), ZERO, "no more than the lock");
    assert_eq!(stage.add(PROVIDER, 0, HELD).fails(), ZERO);
    let large = PoolError::ReserveTooLarge;
    assert_eq!(stage.add(PROVIDER, MAX_RESERVE + 1, 5).fails(), large.into());
    assert_eq!(stage.add(PROVIDER, 1_001, 1_001).succeeds().value.shares, 1);
    let mut stage = Stage::filled();
    assert_eq!(stage.add(TRADER, 0, 100).fails(), ZERO);
    assert_eq!(stage.add(TRADER, 100, 1).fails(), ZERO, "half a share");
}

#[test]
fn a_withdrawal_pays_the_part_of_both_reserves() {
    let mut stage = Stage::filled();
    let receipt = stage.remove(PROVIDER, 1_000_001).succeeds();
    assert_eq!(receipt.value, (500_000, 2_000_002), "500,000.5 rounded down");
    let provider = account(PROVIDER);
    let left = (HELD - 500_000, HELD - 1_999_998, 998_999);
    assert_eq!(stage.holdings(provider), left);
    assert_eq!(stage.pool(), Pool { a: 500_000, b: 1_999_998, shares: 999_999 });
    assert_eq!(stage.held(), (500_000, 1_999_998, 1_000));
    let event = receipt.event::<LiquidityRemoved>(&stage.pair);
    assert_eq!((event.provider, event.shares), (provider, 1_000_001));
    assert_eq!((event.amount_a, event.amount_b), (500_000, 2_000_002));
    assert_eq!((event.reserve_a, event.reserve_b), (500_000, 1_999_998));
    let given_back = Transfer { from: Some(provider), to: None, value: 1_000_001 };
    assert_eq!(receipt.events::<Transfer>(&stage.pair), [given_back]);
}

#[test]
fn who_would_be_paid_less_than_he_accepts_keeps_his_shares() {
    let mut stage = Stage::filled();
    let soon = stage.soon();
    for (min_a, min_b) in [(501, 0), (0, 2_001)] {
        let message = on(&stage.pair).remove_liquidity(1_000, min_a, min_b, soon);
        assert_eq!(stage.call(PROVIDER, message).fails(), PairError::TooLittle);
    }
    assert_eq!(stage.pool(), POOL);
    let exact = on(&stage.pair).remove_liquidity(1_000, 500, 2_000, soon);
    assert_eq!(stage.call(PROVIDER, exact).succeeds().value, (500, 2_000));
}

#[test]
fn nobody_takes_out_what_is_not_his() {
    let mut stage = Stage::filled();
    assert_eq!(stage.remove(STRANGER, 1).fails(), PairError::InsufficientShares);
    assert_eq!(stage.remove(PROVIDER, 1_999_001).fails(), PairError::InsufficientShares);
    assert_eq!(stage.remove(PROVIDER, u128::MAX).fails(), PairError::InsufficientShares);
    assert_eq!(stage.remove(PROVIDER, 0).fails(), ZERO);
    assert_eq!(stage.pool(), POOL);
}

#[test]
fn shares_that_were_given_away_are_paid_to_whom_they_were_given() {
    let mut stage = Stage::filled();
    let gift = on(&stage.pair).transfer(account(STRANGER), 2_000, vec![]);
    let _ = stage.call(PROVIDER, gift).succeeds();
    assert_eq!(stage.remove(STRANGER, 2_000).succeeds().value, (1_000, 4_000));
    assert_eq!(stage.holdings(account(STRANGER)), (HELD + 1_000, HELD + 4_000, 0));
}

#[test]
fn removing_everything_leaves_the_lock() {
    let mut stage = Stage::filled();
    let receipt = stage.remove(PROVIDER, 1_999_000).succeeds();
    assert_eq!(receipt.value, (999_500, 3_998_000));
    assert_eq!(stage.pool(), Pool { a: 500, b: 2_000, shares: MINIMUM_LIQUIDITY });
    assert_eq!(stage.held(), (500, 2_000, MINIMUM_LIQUIDITY));
    assert_eq!(stage.remove(PROVIDER, 1).fails(), PairError::InsufficientShares);
    // Nobody can move what is locked.
    let pool = address(&stage.pair);
    let theft = on(&stage.pair).transfer_from(pool, account(STRANGER), 1, vec![]);
    assert!(stage.call(STRANGER, theft).value.is_err());
    // The pool still works, at the price that it had.
    let deposit = stage.add(TRADER, 1_000_000, 4_000_000).succeeds().value;
    assert_eq!((deposit.shares, deposit.locked), (2_000_000, 0));
}

#[test]
fn the_first_depositor_cannot_inflate_a_share() {
    // He deposits the least, takes all but one share out, and sends a fortune to the contract.
    let mut stage = Stage::new();
    let _ = stage.add(PROVIDER, 1_001, 1_001).succeeds();
    stage.donate(PROVIDER, 1_000_000_000, 1_000_000_000);
    assert_eq!(stage.pool(), Pool { a: 1_001, b: 1_001, shares: 1_001 }, "a gift is no reserve");
    // The next one gets the shares he paid for, and his money back but for rounding.
    let deposit = stage.add(TRADER, 999_999, 999_999).succeeds().value;
    assert_eq!(deposit.shares, 999_999);
    assert_eq!(stage.remove(TRADER, 999_999).succeeds().value, (999_999, 999_999));
    // Reserves can be inflated by losing trades alone, and a thousandth of them is the attacker's.
    let a = stage.a();
    let cost = stage.sell(PROVIDER, a, 1_000_000_000).succeeds();
    let mine = stage.remove(PROVIDER, 1).succeeds().value;
    assert!(mine.0 <= 1_000_000_000 / 1_000 && cost.value <= 1_001, "{mine:?}");
}

#[test]
fn a_token_that_refuses_lets_nothing_in_or_out() {
    let mut stage = Stage::filled();
    let (b, pool) = (stage.b(), address(&stage.pair));
    // The first token is taken, the second refuses: both stay where they were.
    let forbid = on(&stage.tao).approve(pool, 99);
    let _ = stage.call(TRADER, forbid).succeeds();
    assert_eq!(stage.add(TRADER, 1_000, 100).fails(), PairError::TokenRefused);
    assert_eq!(stage.holdings(account(TRADER)), (HELD, HELD, 0));
    assert_eq!(stage.add(TRADER, 1_000, 99).succeeds().value.shares, 49);
    let before = stage.pool();
    stage.freeze(b);
    assert_eq!(stage.remove(PROVIDER, 1_000).fails(), PairError::TokenRefused);
    let shares = on(&stage.pair).balance_of(account(PROVIDER));
    assert_eq!((stage.pool(), stage.world.read(shares)), (before, 1_999_000));
}
