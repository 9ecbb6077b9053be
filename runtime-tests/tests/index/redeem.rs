//! Redeeming: exact figures, limits, and that nothing stops it.

use crate::stage::*;
use cicada_core::basket::BasketError;
use cicada_runtime_tests::account;
use cicada_traits::index::IndexError;
use index::index::Redeemed;

#[test]
fn a_redemption_is_in_proportion_and_rounded_down() {
    let mut stage = Stage::minted();
    let (held, before) = (stage.amounts(), stage.purse("bob"));
    let tokens = 700 * ONE / 3;
    let receipt = stage.redeem("bob", tokens).succeeds();
    let paid: Vec<u128> = held.iter().map(|held| floor(*held, tokens, 1_000 * ONE)).collect();
    assert_eq!(less(&stage.purse("bob"), &before), paid);
    assert_eq!(stage.amounts(), less(&held, &paid));
    assert_eq!(stage.supply(), 1_000 * ONE - tokens);
    let event = receipt.event::<Redeemed>(&stage.index);
    assert_eq!((event.who, event.tokens), (account("bob"), tokens));
    assert_eq!((event.fee, event.nav_e18), (0, 0));
    stage.check_books(0);
}

#[test]
fn the_fee_is_not_paid_out_and_stays_in_the_basket() {
    let mut stage = Stage::minted();
    let (held, before) = (stage.amounts(), stage.purse("bob"));
    stage.enforce_terms(100, 0, false);
    let receipt = stage.redeem("bob", 100 * ONE).succeeds();
    let paid: Vec<u128> = held.iter().map(|held| floor(*held, 99, 1_000)).collect();
    assert_eq!(less(&stage.purse("bob"), &before), paid);
    assert_eq!(stage.supply(), 900 * ONE);
    let event = receipt.event::<Redeemed>(&stage.index);
    assert_eq!((event.tokens, event.fee), (100 * ONE, ONE));
    stage.check_books(0);
}

#[test]
fn a_pause_old_prices_and_no_nav_for_a_day_stop_no_redemption() {
    let mut stage = Stage::minted();
    let _ = stage.set_terms(OWNER, 0, 0, true).succeeds();
    assert_eq!(stage.mint("bob", ONE).fails(), IndexError::Paused);
    stage.world.advance(86_400_000);
    let _ = stage.redeem("bob", 500 * ONE).succeeds();
    let all = stage.tokens(account("bob"));
    let _ = stage.redeem("bob", all).succeeds();
    assert_eq!(stage.tokens(account("bob")), 0);
    stage.check_books(0);
    let _ = stage.set_terms(OWNER, 0, 0, false).succeeds();
    let _ = stage.mint("bob", ONE).succeeds();
}

#[test]
fn round_trips_gain_nothing() {
    let mut stage = Stage::minted();
    let _ = stage.mint("charlie", 3 * ONE + 1).succeeds();
    for (round, fee) in [(1u128, 0), (2, 1), (3, 100), (4, 0)] {
        stage.enforce_terms(fee, 0, false);
        let before = stage.purse("dave");
        let _ = stage.mint("dave", round * ONE / 7 + round).succeeds();
        let all = stage.tokens(account("dave"));
        let _ = stage.redeem("dave", all).succeeds();
        let after = stage.purse("dave");
        assert!(after.iter().zip(&before).all(|(after, before)| after <= before));
        stage.check_books(0);
    }
}

#[test]
fn at_its_deadline_it_is_too_late() {
    let mut stage = Stage::minted();
    let now = stage.world.now();
    for deadline in [now - 1, now] {
        let late = stage.redeem_within("bob", ONE, vec![0; COINS], deadline);
        assert_eq!(late.fails(), IndexError::Expired);
    }
    let _ = stage.redeem_within("bob", ONE, vec![0; COINS], now + 1).succeeds();
}

#[test]
fn no_less_is_paid_than_the_caller_says() {
    let mut stage = Stage::minted();
    let deadline = stage.world.now() + 1;
    let exact: Vec<u128> = stage.amounts().iter().map(|held| floor(*held, 1, 1_000)).collect();
    for coin in [0, 7, 19] {
        let mut limits = exact.clone();
        limits[coin] += 1;
        let few = stage.redeem_within("bob", ONE, limits, deadline);
        assert_eq!(few.fails(), IndexError::BeyondLimit);
    }
    for count in [0, 19, 21] {
        let wrong = stage.redeem_within("bob", ONE, vec![0; count], deadline);
        assert_eq!(wrong.fails(), IndexError::WrongLength);
    }
    let _ = stage.redeem_within("bob", ONE, exact, deadline).succeeds();
}

#[test]
fn nobody_redeems_more_than_he_has_or_without_approval() {
    let mut stage = Stage::minted();
    let all = stage.tokens(account("bob"));
    assert_eq!(stage.redeem("bob", all + 1).fails(), IndexError::IndexTokenRefused);
    assert_eq!(stage.redeem("charlie", 1).fails(), IndexError::IndexTokenRefused);
    let more = IndexError::Basket(BasketError::BeyondSupply);
    assert_eq!(stage.redeem("bob", 1_000 * ONE + 1).fails(), more);
    let none = IndexError::Basket(BasketError::ZeroAmount);
    assert_eq!(stage.redeem("bob", 0).fails(), none);
    stage.approve("bob", None, ONE - 1);
    assert_eq!(stage.redeem("bob", ONE).fails(), IndexError::IndexTokenRefused);
    let _ = stage.redeem("bob", ONE - 1).succeeds();
    stage.check_books(0);
}

#[test]
fn who_has_less_than_the_minimum_can_redeem_all_of_it() {
    let mut stage = Stage::minted();
    let _ = stage.mint("charlie", ONE / 2).succeeds();
    stage.enforce_terms(0, ONE, false);
    assert_eq!(stage.mint("charlie", ONE - 1).fails(), IndexError::BelowMinimum);
    assert_eq!(stage.redeem("bob", ONE - 1).fails(), IndexError::BelowMinimum);
    assert_eq!(stage.redeem("charlie", ONE / 2 - 1).fails(), IndexError::BelowMinimum);
    let _ = stage.redeem("charlie", ONE / 2).succeeds();
    let _ = stage.redeem("bob", ONE).succeeds();
    let _ = stage.mint("charlie", ONE).succeeds();
    stage.check_books(0);
}
