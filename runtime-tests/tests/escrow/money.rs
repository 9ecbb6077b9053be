//! The money: per escrow, per token, per account, to the unit.

use crate::stage::*;
use cicada_core::escrow::*;
use cicada_core::hash::Native;
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::escrow::Escrow;
use cicada_traits::psp22::PSP22;
use token::token::TokenRef;

#[test]
fn holdings_show_what_is_available_and_what_is_locked() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.funded(&terms);
    let _ = stage.reserved(200);
    let token = address(&stage.token);
    let of = |stage: &mut Stage, who| {
        stage.world.read(on(&stage.escrow).holdings(account(who), token)).unwrap()
    };
    let available = SUPPLY - AMOUNT - 200;
    assert_eq!(of(&mut stage, REQUESTER), Holdings { available, locked: AMOUNT + 200, credit: 0 });
    assert_eq!(of(&mut stage, PROVIDER), Holdings { available: 0, locked: 0, credit: 0 });
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!(of(&mut stage, REQUESTER), Holdings { available, locked: 200, credit: 0 });
    assert_eq!(of(&mut stage, PROVIDER), Holdings { available: AMOUNT, locked: 0, credit: 0 });
    let none = on(&stage.escrow).holdings(account(REQUESTER), account("heidi"));
    assert_eq!(stage.world.read(none), Err(EscrowError::TokenRefused));
}

#[test]
fn one_escrow_never_pays_from_another() {
    let mut stage = Stage::new();
    let (small, large) = (stage.parts(&[10]), stage.parts(&[5_000]));
    let (one, two) = (stage.completed(&small), stage.funded(&large));
    let _ = stage.raise(REQUESTER, one).succeeds();
    let verdict = Verdict::Split { provider_share: 5_000, requester_share: 10 };
    let greedy = stage.vote(ARBITRATORS[0], one, verdict);
    assert_eq!(greedy.fails(), EscrowError::WrongAmount);
    for who in &ARBITRATORS[..2] {
        let _ = stage.vote(who, one, Verdict::Release).succeeds();
    }
    assert_eq!((stage.paid(one), stage.summary(two).locked), ((10, 0), 5_000));
    let _ = stage.refund(PROVIDER, two).succeeds();
    assert_eq!(stage.paid(two), (0, 5_000));
}

#[test]
fn an_escrow_of_everything_there_is_adds_up() {
    let mut stage = Stage::with_supply(u128::MAX);
    let terms = Terms {
        fallback: Fallback::Split { provider_bps: 3_333 },
        ..stage.parts(&[u128::MAX - 1, 1])
    };
    let escrow = stage.completed(&terms);
    assert_eq!((stage.balance_of(REQUESTER), stage.locked(REQUESTER)), (0, u128::MAX));
    let _ = stage.raise(PROVIDER, escrow).succeeds();
    stage.world.advance(terms.dispute_ms);
    let _ = stage.expire(STRANGER, escrow).succeeds();
    let provider = cicada_core::fixed::mul_div_floor(u128::MAX - 1, 3_333, 10_000).unwrap();
    assert_eq!(stage.paid(escrow), (provider, u128::MAX - 1 - provider));
    let _ = stage.refund(PROVIDER, escrow).succeeds();
    assert_eq!(stage.paid(escrow), (provider, u128::MAX - provider));
}

#[test]
fn what_locks_more_than_there_can_be_is_refused() {
    let mut stage = Stage::with_supply(u128::MAX);
    let terms = stage.parts(&[u128::MAX]);
    let (one, two) = (stage.funded(&terms), stage.created(&terms));
    assert_eq!(stage.fund(REQUESTER, two).fails(), EscrowError::WrongAmount);
    let _ = stage.refund(PROVIDER, one).succeeds();
    // No allowance is infinite: the first escrow has used it up.
    stage.approve(u128::MAX);
    let _ = stage.fund(REQUESTER, two).succeeds();
}

#[test]
fn escrows_in_different_tokens_do_not_touch_each_other() {
    let mut stage = Stage::new();
    let worthless = TokenRef::new("Nothing".into(), "NIL".into(), 0, u128::MAX);
    let worthless = stage.world.as_(account(STRANGER)).deploy("token", worthless);
    let approve = on(&worthless).approve(address(&stage.escrow), u128::MAX);
    let _ = stage.call(STRANGER, approve).succeeds();
    let honest = stage.funded(&stage.terms());
    let mut terms = stage.parts(&[u128::MAX]);
    terms.requester = id(STRANGER);
    terms.token = Account::of(&address(&worthless));
    let escrow = stage.create(STRANGER, &terms).succeeds().value;
    let _ = stage.fund(STRANGER, escrow).succeeds();
    let _ = stage.release(STRANGER, escrow).succeeds();
    assert_eq!(stage.world.read(on(&worthless).balance_of(account(PROVIDER))), u128::MAX);
    assert_eq!(stage.balance_of(PROVIDER), 0);
    assert_eq!(stage.summary(honest).locked, AMOUNT);
    stage.check_books();
}

#[test]
fn what_is_no_token_funds_nothing_and_stops_nobody() {
    let mut stage = Stage::new();
    let honest = stage.funded(&stage.terms());
    for token in [Account([9; 32]), id("heidi")] {
        let terms = Terms { token, ..stage.terms() };
        let escrow = stage.created(&terms);
        assert_eq!(stage.fund(REQUESTER, escrow).fails(), EscrowError::TokenRefused);
        assert_eq!(stage.state(escrow), State::Created);
    }
    let _ = stage.release(REQUESTER, honest).succeeds();
    assert_eq!(stage.paid(honest), (AMOUNT, 0));
}

#[test]
fn a_token_that_calls_back_is_not_let_in() {
    let mut stage = Stage::new();
    let itself = Account::of(&address(&stage.escrow));
    let terms = Terms { token: itself, ..stage.terms() };
    let escrow = stage.created(&terms);
    let message = on(&stage.escrow).fund(escrow, terms_digest::<Native>(&terms));
    let refusal = stage.world.as_(account(REQUESTER)).try_call(message).unwrap_err();
    assert!(refusal.is("ReentranceDenied"), "{refusal}");
    assert_eq!(stage.state(escrow), State::Created);
}

#[test]
fn money_sent_without_asking_belongs_to_no_escrow() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.funded(&terms);
    let gift = on(&stage.token).transfer(address(&stage.escrow), 500, vec![]);
    let _ = stage.call(REQUESTER, gift).succeeds();
    assert_eq!((stage.summary(escrow).locked, stage.locked(REQUESTER)), (AMOUNT, AMOUNT));
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!(stage.balance_of(PROVIDER), AMOUNT);
    let holder = address(&stage.escrow);
    assert_eq!(stage.balance(holder), 500);
}

// ---- what the original got wrong, where no other test says it already ----

#[test]
fn a_dispute_vote_does_not_overwrite_the_funding() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.disputed(&terms);
    let _ = stage.vote(ARBITRATORS[0], escrow, Verdict::Release).succeeds();
    let actions: Vec<_> = stage.audit(escrow).iter().map(|entry| entry.action).collect();
    use Action::*;
    assert_eq!(actions, [Created, Funded, Completed, Disputed, Voted]);
    let funder = stage.audit(escrow)[1].actor;
    assert_eq!(funder, id(REQUESTER));
}

#[test]
fn money_that_is_locked_cannot_be_spent_elsewhere() {
    let mut stage = Stage::with_supply(AMOUNT);
    let terms = stage.terms();
    let (one, two) = (stage.funded(&terms), stage.created(&terms));
    assert_eq!(stage.fund(REQUESTER, two).fails(), EscrowError::TokenRefused);
    let elsewhere = on(&stage.token).transfer(account(STRANGER), 1, vec![]);
    let _ = stage.call(REQUESTER, elsewhere).fails();
    assert_eq!(stage.paid(one), (0, 0));
}

#[test]
fn one_escrow_that_cannot_end_does_not_keep_another_from_expiring() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let stuck = stage.disputed(&terms);
    let other = stage.completed(&terms);
    stage.world.advance(terms.review_ms);
    assert_eq!(stage.expire(STRANGER, stuck).fails(), EscrowError::NotDue);
    let _ = stage.expire(STRANGER, other).succeeds();
    assert_eq!(stage.state(other), State::Released);
}

#[test]
fn the_same_call_twice_pays_once() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let other = stage.funded(&terms);
    let escrow = stage.completed(&terms);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!(stage.release(REQUESTER, escrow).fails(), EscrowError::WrongState);
    assert_eq!(stage.paid(escrow), (AMOUNT, 0));
    assert_eq!(stage.summary(other).locked, AMOUNT);
}
