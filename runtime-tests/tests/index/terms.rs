//! What the owner may, and that he may nothing else.

use crate::stage::*;
use cicada_core::basket::holdings::MAX_MINIMUM;
use cicada_core::basket::BasketError;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::index::{AnnouncedCharges, IndexError, IndexTerms, NOTICE_MS};
use cicada_traits::ownable::{Ownable, OwnableError};
use index::index::{OwnershipAccepted, OwnershipProposed, Redeemed, TermsSet};

#[test]
fn a_new_index_has_no_fee_no_minimum_and_is_its_makers() {
    let mut stage = Stage::bare();
    let (validators, token) = (address(&stage.validators), address(&stage.token));
    let terms = IndexTerms { validators, token, fee_bps: 0, minimum: 0, minting_paused: false };
    assert_eq!(stage.terms(), terms);
    assert_eq!(stage.world.read(on(&stage.index).owner()), account(OWNER));
}

#[test]
fn the_owner_sets_the_terms_and_nobody_else() {
    let mut stage = Stage::bare();
    for who in ["bob", "heidi", "node-0"] {
        assert_eq!(stage.set_terms(who, 0, 0, true).fails(), IndexError::NotOwner);
    }
    // Before the first basket, which nobody can hold a part of, they act at once.
    let receipt = stage.set_terms(OWNER, 100, MAX_MINIMUM, true).succeeds();
    let event = receipt.event::<TermsSet>(&stage.index);
    assert_eq!((event.from_ms, stage.announced()), (stage.world.now(), None));
    assert_eq!((event.fee_bps, event.minimum, event.minting_paused), (100, MAX_MINIMUM, true));
    let terms = stage.terms();
    assert_eq!((terms.fee_bps, terms.minimum, terms.minting_paused), (100, MAX_MINIMUM, true));
    let dear = stage.set_terms(OWNER, 101, 0, false);
    assert_eq!(dear.fails(), IndexError::Basket(BasketError::FeeTooHigh));
    let high = stage.set_terms(OWNER, 0, MAX_MINIMUM + 1, false);
    assert_eq!(high.fails(), IndexError::MinimumTooHigh);
    assert_eq!(stage.terms(), terms);
}

#[test]
fn fee_and_minimum_are_announced_and_a_pause_acts_at_once() {
    let mut stage = Stage::minted();
    let from_ms = stage.world.now() + NOTICE_MS;
    let receipt = stage.set_terms(OWNER, 100, ONE, true).succeeds();
    assert_eq!(receipt.event::<TermsSet>(&stage.index).from_ms, from_ms);
    let announced = AnnouncedCharges { fee_bps: 100, minimum: ONE, from_ms };
    assert_eq!(stage.announced(), Some(announced));
    let terms = stage.terms();
    assert_eq!((terms.fee_bps, terms.minimum, terms.minting_paused), (0, 0, true));
    stage.world.at(from_ms - 1);
    let receipt = stage.redeem("bob", ONE / 2).succeeds();
    assert_eq!(receipt.event::<Redeemed>(&stage.index).fee, 0, "who leaves in time pays nothing");
    stage.world.at(from_ms);
    let receipt = stage.redeem("bob", ONE).succeeds();
    assert_eq!(receipt.event::<Redeemed>(&stage.index).fee, ONE / 100);
    assert_eq!(stage.redeem("bob", ONE - 1).fails(), IndexError::BelowMinimum);
    assert_eq!(stage.announced(), None);
    let terms = stage.terms();
    assert_eq!((terms.fee_bps, terms.minimum, terms.minting_paused), (100, ONE, true));
}

#[test]
fn an_announcement_takes_the_place_of_another_or_takes_it_back() {
    let mut stage = Stage::minted();
    let fee = |stage: &mut Stage| stage.terms().fee_bps;
    let _ = stage.set_terms(OWNER, 10, 0, false).succeeds();
    stage.world.advance(NOTICE_MS - 1);
    let _ = stage.set_terms(OWNER, 20, 0, false).succeeds();
    stage.world.advance(NOTICE_MS - 1);
    assert_eq!(fee(&mut stage), 0, "the first is forgotten");
    stage.world.advance(1);
    assert_eq!(fee(&mut stage), 20);
    // Those in force, with a pause or without one, leave nothing to wait for.
    let _ = stage.set_terms(OWNER, 30, 0, false).succeeds();
    let _ = stage.set_terms(OWNER, 20, 0, true).succeeds();
    assert_eq!(stage.announced(), None);
    stage.world.advance(2 * NOTICE_MS);
    assert_eq!(fee(&mut stage), 20);
}

#[test]
fn ownership_is_handed_on_in_two_steps() {
    let mut stage = Stage::bare();
    let (alice, bob) = (account(OWNER), account("bob"));
    let propose = on(&stage.index).propose_owner(bob);
    let stranger = stage.world.as_(bob).call(propose).fails();
    assert_eq!(stranger, OwnableError::NotOwner);
    let accept = stage.world.as_(bob).call(on(&stage.index).accept_ownership());
    assert_eq!(accept.fails(), OwnableError::NotProposed);
    let propose = on(&stage.index).propose_owner(bob);
    let receipt = stage.world.as_(alice).call(propose).succeeds();
    let event = receipt.event::<OwnershipProposed>(&stage.index);
    assert_eq!((event.owner, event.proposed), (alice, bob));
    let _ = stage.set_terms(OWNER, 1, 0, false).succeeds();
    let receipt = stage.world.as_(bob).call(on(&stage.index).accept_ownership()).succeeds();
    assert_eq!(receipt.event::<OwnershipAccepted>(&stage.index).owner, bob);
    assert_eq!(stage.set_terms(OWNER, 2, 0, false).fails(), IndexError::NotOwner);
    let _ = stage.set_terms("bob", 2, 0, false).succeeds();
    let again = stage.world.as_(bob).call(on(&stage.index).accept_ownership());
    assert_eq!(again.fails(), OwnableError::NotProposed);
}
