//! Stake goes in, waits, and comes out.

use cicada_core::slashing::{Standing, MIN_STAKE};
use cicada_runtime_tests::{account, address, on};
use cicada_traits::staking::{Staking, StakingError};
use validators::validators::{Bonded, Unbonding, Withdrawn};

use crate::stage::{node, Stage, DAY, DELAY, PURSE, SILENT, STAKE, STRANGER, TRAPS};

#[test]
fn bonding_takes_the_tokens() {
    let mut stage = Stage::with_terms();
    let receipt = stage.bond(node(0), MIN_STAKE - 1).succeeds();
    let event = receipt.event::<Bonded>(&stage.validators);
    assert_eq!((event.operator, event.amount), (node(0), MIN_STAKE - 1));
    assert_eq!(stage.amounts(node(0)), (MIN_STAKE - 1, 0));
    assert_eq!(stage.standing(node(0)), Standing::Inactive);
    assert_eq!((stage.held(), stage.balance(node(0))), (MIN_STAKE - 1, PURSE - MIN_STAKE + 1));
    let _ = stage.bond(node(0), 1).succeeds();
    assert_eq!(stage.standing(node(0)), Standing::Active, "topped up");
    assert_eq!(stage.held(), MIN_STAKE);
}

#[test]
fn a_token_that_refuses_changes_nothing() {
    let mut stage = Stage::with_terms();
    assert_eq!(stage.bond(node(0), 0).fails(), StakingError::ZeroAmount);
    // More than there is, more than allowed, nothing at all.
    assert_eq!(stage.bond(node(0), PURSE + 1).fails(), StakingError::TokenRefused);
    stage.approve(node(0), 5);
    assert_eq!(stage.bond(node(0), 6).fails(), StakingError::TokenRefused);
    assert_eq!(stage.bond(account(STRANGER), 1).fails(), StakingError::TokenRefused);
    assert_eq!(stage.bond(account(STRANGER), u128::MAX).fails(), StakingError::TokenRefused);
    assert_eq!(stage.amounts(node(0)), (0, 0));
    assert_eq!(stage.held(), 0);
    let _ = stage.bond(node(0), 5).succeeds();
}

#[test]
fn an_account_that_is_no_token_refuses() {
    let mut stage = Stage::bare();
    // An ordinary account, and a contract that knows no such message.
    let no_contract = account(STRANGER);
    // And contracts that trap or answer nothing.
    let traps = stage.deploy_raw(TRAPS);
    let is_silent = stage.deploy_raw(SILENT);
    let before = stage.world.snapshot();
    for token in [no_contract, address(&stage.reputation), traps, is_silent] {
        let _ = stage.change_terms(|terms| terms.token = token).succeeds();
        assert_eq!(stage.bond(node(0), 1).fails(), StakingError::TokenRefused);
        assert_eq!(stage.amounts(node(0)), (0, 0));
        stage.world.restore(&before);
    }
}

#[test]
fn stake_comes_out_exactly_after_the_delay() {
    let mut stage = Stage::new();
    let start = stage.world.now();
    assert_eq!(stage.withdraw(node(0)).fails(), StakingError::ZeroAmount);
    assert_eq!(stage.unbond(node(0), 0).fails(), StakingError::ZeroAmount);
    assert_eq!(stage.unbond(node(0), STAKE + 1).fails(), StakingError::BeyondStake);
    let receipt = stage.unbond(node(0), MIN_STAKE).succeeds();
    let event = receipt.event::<Unbonding>(&stage.validators);
    assert_eq!((event.operator, event.amount), (node(0), MIN_STAKE));
    assert_eq!(event.releases_ms, start + DELAY);
    assert_eq!(stage.amounts(node(0)), (STAKE - MIN_STAKE, MIN_STAKE));
    assert_eq!(stage.stake(node(0)).releases_ms, start + DELAY);

    stage.world.at(start + DELAY - 1);
    assert_eq!(stage.withdraw(node(0)).fails(), StakingError::StillUnbonding);
    stage.world.at(start + DELAY);
    let receipt = stage.withdraw(node(0)).succeeds();
    assert_eq!(receipt.value, MIN_STAKE);
    let event = receipt.event::<Withdrawn>(&stage.validators);
    assert_eq!((event.operator, event.amount), (node(0), MIN_STAKE));
    assert_eq!(stage.amounts(node(0)), (STAKE - MIN_STAKE, 0));
    assert_eq!(stage.stake(node(0)).releases_ms, 0);
    assert_eq!(stage.balance(node(0)), PURSE - STAKE + MIN_STAKE);
    assert_eq!(stage.held(), 23 * STAKE - MIN_STAKE);
    assert_eq!(stage.withdraw(node(0)).fails(), StakingError::ZeroAmount);
}

#[test]
fn adding_to_what_comes_out_starts_its_clock_again() {
    let mut stage = Stage::new();
    let start = stage.world.now();
    let _ = stage.unbond(node(0), 10).succeeds();
    stage.world.at(start + DELAY - 1);
    let _ = stage.unbond(node(0), 1).succeeds();
    stage.world.at(start + 2 * DELAY - 2);
    assert_eq!(stage.withdraw(node(0)).fails(), StakingError::StillUnbonding);
    stage.world.at(start + 2 * DELAY - 1);
    assert_eq!(stage.withdraw(node(0)).succeeds().value, 11);
}

#[test]
fn another_delay_moves_no_lot_that_waits() {
    let mut stage = Stage::new();
    let start = stage.world.now();
    let _ = stage.unbond(node(0), 10).succeeds();
    let _ = stage.unbond(node(1), 10).succeeds();
    stage.enforce_terms(|terms| terms.unbonding_ms = 100 * DAY);
    assert_eq!(stage.stake(node(0)).releases_ms, start + DELAY);
    let later = stage.world.now();
    let _ = stage.unbond(node(2), 10).succeeds();
    assert_eq!(stage.stake(node(2)).releases_ms, later + 100 * DAY);
    assert_eq!(stage.withdraw(node(0)).succeeds().value, 10);
    assert_eq!(stage.withdraw(node(1)).succeeds().value, 10);
}

#[test]
fn anybody_may_take_out_all_and_leave_no_trace() {
    let mut stage = Stage::with_terms();
    let deposit = stage.bond(node(0), 7).succeeds().deposit;
    let _ = stage.unbond(node(0), 7).succeeds();
    stage.world.advance(DELAY);
    let returned = stage.withdraw(node(0)).succeeds().deposit;
    assert_eq!(stage.held(), 0);
    assert!(deposit > 0 && returned < 0, "{deposit} in, {returned} out");
    let stake = stage.world.read(on(&stage.validators).stake_of(node(0)));
    assert_eq!((stake.bonded, stake.unbonding, stake.releases_ms), (0, 0, 0));
}
