//! Minting: exact figures, limits, what undoes it.

use crate::stage::*;
use cicada_core::basket::holdings::LOCKED_SUPPLY;
use cicada_core::basket::BasketError;
use cicada_core::nav::STALENESS_MS;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::index::IndexError;
use cicada_traits::psp22::{Role, Roles};
use index::index::Minted;

#[test]
fn the_first_mint_goes_by_weights_and_prices_at_one_tao_a_token() {
    let mut stage = Stage::new();
    let receipt = stage.mint("bob", 1_000 * ONE).succeeds();
    // 1,000 TAO: of a token with weight w bps and price p tenths of a TAO, w / p units · 10^9.
    let expected: Vec<u128> = (0u128..20)
        .map(|coin| ceil(405 + 10 * coin, 1_000_000_000_000, 1_000 * (coin + 1)))
        .collect();
    assert_eq!(expected[0], 405_000_000_000);
    assert_eq!(stage.amounts(), expected);
    assert_eq!(stage.purse("bob"), less(&[FUNDS; COINS], &expected));
    assert_eq!(stage.supply(), 1_000 * ONE);
    assert_eq!(stage.tokens(account("bob")), 1_000 * ONE - LOCKED_SUPPLY);
    assert_eq!(stage.tokens(address(&stage.index)), LOCKED_SUPPLY);
    let event = receipt.event::<Minted>(&stage.index);
    assert_eq!((event.who, event.tokens, event.fee), (account("bob"), 1_000 * ONE, 0));
    assert_eq!(event.nav_e18, 0, "nobody has attested a NAV");
    stage.check_books(0);
}

#[test]
fn every_other_mint_is_in_proportion_and_rounded_up() {
    let mut stage = Stage::minted();
    let held = stage.amounts();
    let tokens = 7 * ONE / 3;
    let _ = stage.mint("charlie", tokens).succeeds();
    let paid: Vec<u128> = held.iter().map(|held| ceil(*held, tokens, 1_000 * ONE)).collect();
    assert_eq!(less(&[FUNDS; COINS], &stage.purse("charlie")), paid);
    assert_eq!(stage.tokens(account("charlie")), tokens);
    stage.check_books(0);
    // One unit of the index token still costs a unit of each.
    let _ = stage.mint("charlie", 1).succeeds();
    let more = less(&[FUNDS; COINS], &stage.purse("charlie"));
    assert_eq!(less(&more, &paid), vec![1; COINS]);
    stage.check_books(0);
}

#[test]
fn the_fee_is_not_credited_and_stays_in_the_basket() {
    let mut stage = Stage::minted();
    let held = stage.amounts();
    stage.enforce_terms(100, 0, false);
    let receipt = stage.mint("charlie", 100 * ONE).succeeds();
    assert_eq!(stage.tokens(account("charlie")), 99 * ONE);
    assert_eq!(stage.supply(), 1_099 * ONE);
    let event = receipt.event::<Minted>(&stage.index);
    assert_eq!((event.tokens, event.fee), (100 * ONE, ONE));
    let paid = held.iter().map(|held| ceil(*held, 1, 10)).collect::<Vec<_>>();
    assert_eq!(less(&[FUNDS; COINS], &stage.purse("charlie")), paid);
    stage.check_books(0);
}

#[test]
fn the_first_mint_needs_fresh_prices_and_any_other_none() {
    let mut stage = Stage::new();
    let start = stage.world.now();
    stage.world.at(start + STALENESS_MS + 1);
    let stale = IndexError::Basket(BasketError::StalePrices);
    assert_eq!(stage.mint("bob", ONE).fails(), stale);
    stage.set_usual();
    stage.world.advance(STALENESS_MS);
    let _ = stage.mint("bob", ONE).succeeds();
    stage.world.advance(30 * 86_400_000);
    let _ = stage.mint("charlie", ONE).succeeds();
    stage.check_books(0);
}

#[test]
fn without_a_basket_nothing_is_minted() {
    let mut stage = Stage::bare();
    assert_eq!(stage.mint("bob", ONE).fails(), IndexError::Basket(BasketError::StalePrices));
    assert_eq!(stage.supply(), 0);
}

#[test]
fn the_first_mint_must_exceed_what_is_locked() {
    let mut stage = Stage::new();
    let none = IndexError::Basket(BasketError::ZeroAmount);
    for tokens in [0, 1, LOCKED_SUPPLY] {
        assert_eq!(stage.mint("bob", tokens).fails(), none);
    }
    let _ = stage.mint("bob", LOCKED_SUPPLY + 1).succeeds();
    assert_eq!(stage.tokens(account("bob")), 1);
    assert_eq!(stage.mint("bob", 0).fails(), none);
}

#[test]
fn no_owner_of_everything_can_make_the_token_too_dear_for_others() {
    let mut stage = Stage::minted();
    let all = stage.tokens(account("bob"));
    let _ = stage.redeem("bob", all - 1).succeeds();
    // What rounding leaves behind the last unit is shared with what is locked: a token still costs
    // what it did, within a thousandth of a percent.
    let before = stage.purse("charlie");
    let _ = stage.mint("charlie", 1_000 * ONE).succeeds();
    for (coin, paid) in less(&before, &stage.purse("charlie")).into_iter().enumerate() {
        let coin = coin as u128;
        let fair = ceil(405 + 10 * coin, 1_000_000_000_000, 1_000 * (coin + 1));
        assert!(paid >= fair && paid <= fair + fair / 10_000, "coin {coin}: {paid} for {fair}");
    }
    stage.check_books(0);
}

#[test]
fn at_its_deadline_it_is_too_late() {
    let mut stage = Stage::new();
    let now = stage.world.now();
    let limits = || vec![u128::MAX; COINS];
    for deadline in [0, now - 1, now] {
        let late = stage.mint_within("bob", ONE, 0, limits(), deadline);
        assert_eq!(late.fails(), IndexError::Expired);
    }
    let _ = stage.mint_within("bob", ONE, 0, limits(), now + 1).succeeds();
}

#[test]
fn no_more_is_taken_and_no_less_credited_than_the_caller_says() {
    let mut stage = Stage::minted();
    let deadline = stage.world.now() + 1;
    let exact: Vec<u128> = stage.amounts().iter().map(|held| ceil(*held, 1, 1_000)).collect();
    for coin in [0, 7, 19] {
        let mut limits = exact.clone();
        limits[coin] -= 1;
        let dear = stage.mint_within("charlie", ONE, 0, limits, deadline);
        assert_eq!(dear.fails(), IndexError::BeyondLimit);
    }
    for count in [0, 19, 21] {
        let limits = vec![u128::MAX; count];
        let wrong = stage.mint_within("charlie", ONE, 0, limits, deadline);
        assert_eq!(wrong.fails(), IndexError::WrongLength);
    }
    stage.enforce_terms(10, 0, false);
    let deadline = stage.world.now() + 1;
    let received = ONE / 1_000 * 999;
    let few = stage.mint_within("charlie", ONE, received + 1, exact.clone(), deadline);
    assert_eq!(few.fails(), IndexError::BeyondLimit);
    let _ = stage.mint_within("charlie", ONE, received, exact, deadline).succeeds();
}

#[test]
fn one_token_that_refuses_undoes_the_whole_mint() {
    let mut stage = Stage::minted();
    stage.approve("charlie", Some(19), 1);
    let before = (stage.purse("charlie"), stage.amounts());
    assert_eq!(stage.mint("charlie", ONE).fails(), IndexError::TokenRefused);
    assert_eq!((stage.purse("charlie"), stage.amounts()), before);
    let poor = stage.mint("bob", 1_000_000_000 * ONE);
    assert_eq!(poor.fails(), IndexError::TokenRefused, "nobody has that much");
    stage.check_books(0);
}

#[test]
fn without_its_roles_the_index_mints_and_burns_nothing() {
    let mut stage = Stage::minted();
    for (role, mint) in [(Role::Minter, true), (Role::Burner, false)] {
        let revoke = on(&stage.token).revoke_role(role, address(&stage.index));
        let _ = stage.world.as_(account(OWNER)).call(revoke).succeeds();
        let refused = if mint { stage.mint("charlie", ONE) } else { stage.redeem("bob", ONE) };
        assert_eq!(refused.fails(), IndexError::IndexTokenRefused);
    }
    stage.check_books(0);
}

#[test]
fn supply_from_elsewhere_without_a_basket_is_not_sold() {
    let mut stage = Stage::new();
    let owner = account(OWNER);
    let grant = on(&stage.token).grant_role(Role::Minter, owner);
    let _ = stage.world.as_(owner).call(grant).succeeds();
    let mint = cicada_traits::psp22::Supply::mint(&mut on(&stage.token), owner, 5);
    let _ = stage.world.as_(owner).call(mint).succeeds();
    assert_eq!(stage.mint("bob", ONE).fails(), IndexError::Basket(BasketError::Unbacked));
}
