//! Escrows that a contract runs for both parties, and its reserves.

use crate::stage::*;
use cicada_core::escrow::*;
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::escrow::EscrowOperator;
use escrow::escrow::{OperatorSet, ReserveOpened, ReserveSpent};

#[test]
fn an_account_permits_and_forbids_its_operator() {
    let mut stage = Stage::new();
    let (owner, operator) = (account(REQUESTER), account(OPERATOR));
    let is = |stage: &mut Stage| stage.world.read(on(&stage.escrow).is_operator(owner, operator));
    assert!(!is(&mut stage));
    for allowed in [true, true, false, false] {
        let message = on(&stage.escrow).set_operator(operator, allowed);
        let receipt = stage.call(REQUESTER, message).succeeds();
        assert_eq!(
            receipt.event::<OperatorSet>(&stage.escrow),
            OperatorSet { owner, operator, allowed }
        );
        assert_eq!(is(&mut stage), allowed);
    }
    let other = on(&stage.escrow).is_operator(operator, owner);
    assert!(!stage.world.read(other));
}

#[test]
fn only_a_permitted_operator_reserves() {
    let mut stage = Stage::new();
    assert_eq!(stage.reserve(OPERATOR, 10).fails(), EscrowError::NotAllowed);
    assert_eq!(stage.reserve(REQUESTER, 10).fails(), EscrowError::NotAllowed);
    stage.permit(REQUESTER);
    assert_eq!(stage.reserve(STRANGER, 10).fails(), EscrowError::NotAllowed);
    assert_eq!(stage.reserve(OPERATOR, 0).fails(), EscrowError::WrongAmount);
    assert_eq!(stage.reserve(OPERATOR, SUPPLY + 1).fails(), EscrowError::TokenRefused);
    let receipt = stage.reserve(OPERATOR, 10).succeeds();
    let event = receipt.event::<ReserveOpened>(&stage.escrow);
    let (owner, operator, token) = (account(REQUESTER), account(OPERATOR), address(&stage.token));
    assert_eq!(event, ReserveOpened { reserve: 0, owner, operator, token, amount: 10 });
    let expected = Reserve {
        owner: id(REQUESTER),
        operator: id(OPERATOR),
        token: Account::of(&token),
        balance: 10,
        closed: false,
    };
    assert_eq!(stage.world.read(on(&stage.escrow).reserve_of(0)), Some(expected));
    assert_eq!(stage.locked(REQUESTER), 10);
    stage.check_books();
}

#[test]
fn an_operator_spends_his_reserve_and_nobody_elses() {
    let mut stage = Stage::new();
    let reserve = stage.reserved(100);
    for who in [REQUESTER, PROVIDER, STRANGER] {
        let answer = stage.spend(who, reserve, who, 1);
        assert_eq!(answer.fails(), EscrowError::NotAllowed);
    }
    assert_eq!(stage.spend(OPERATOR, 9, PROVIDER, 1).fails(), EscrowError::NotFound);
    let more = stage.spend(OPERATOR, reserve, PROVIDER, 101);
    assert_eq!(more.fails(), EscrowError::ReserveTooSmall);
    let receipt = stage.spend(OPERATOR, reserve, PROVIDER, 60).succeeds();
    let event = receipt.event::<ReserveSpent>(&stage.escrow);
    let to = account(PROVIDER);
    assert_eq!(event, ReserveSpent { reserve, to, amount: 60, escrow: None });
    stage.check_books();
    let _ = stage.spend(OPERATOR, reserve, REQUESTER, 40).succeeds();
    assert_eq!((stage.balance_of(PROVIDER), stage.locked(REQUESTER)), (60, 0));
    let empty = stage.spend(OPERATOR, reserve, REQUESTER, 1);
    assert_eq!(empty.fails(), EscrowError::ReserveTooSmall);
    let _ = stage.spend(OPERATOR, reserve, REQUESTER, 0).succeeds();
    stage.check_books();
}

#[test]
fn a_reserve_serves_those_who_were_permitted_when_it_was_made() {
    let mut stage = Stage::new();
    let reserve = stage.reserved(100);
    let message = on(&stage.escrow).set_operator(account(OPERATOR), false);
    let _ = stage.call(REQUESTER, message).succeeds();
    assert_eq!(stage.reserve(OPERATOR, 1).fails(), EscrowError::NotAllowed);
    let _ = stage.spend(OPERATOR, reserve, REQUESTER, 100).succeeds();
    stage.check_books();
}

#[test]
fn an_escrow_is_drawn_from_a_reserve_and_is_funded_at_once() {
    let mut stage = Stage::new();
    let reserve = stage.reserved(2_500);
    let mut terms = stage.terms();
    terms.fund_by_ms = 0;
    let receipt = stage.draw(OPERATOR, reserve, &terms).succeeds();
    let escrow = receipt.value;
    let event = receipt.event::<ReserveSpent>(&stage.escrow);
    let to = address(&stage.escrow);
    assert_eq!(event, ReserveSpent { reserve, to, amount: AMOUNT, escrow: Some(escrow) });
    let summary = stage.summary(escrow);
    assert_eq!((summary.state, summary.locked), (State::Funded, AMOUNT));
    assert_eq!(summary.operator, Some(id(OPERATOR)));
    assert_eq!(stage.locked(REQUESTER), 2_500);
    stage.check_books();
    let _ = stage.draw(OPERATOR, reserve, &terms).succeeds();
    let third = stage.draw(OPERATOR, reserve, &terms).fails();
    assert_eq!(third, EscrowError::ReserveTooSmall);
    let left = stage.world.read(on(&stage.escrow).reserve_of(reserve)).unwrap();
    assert_eq!(left.balance, 500);
}

#[test]
fn drawing_needs_the_reserves_operator_owner_and_token_and_the_providers_permission() {
    let mut stage = Stage::new();
    let reserve = stage.reserved(AMOUNT);
    let terms = stage.terms();
    assert_eq!(stage.draw(STRANGER, reserve, &terms).fails(), EscrowError::NotAllowed);
    assert_eq!(stage.draw(REQUESTER, reserve, &terms).fails(), EscrowError::NotAllowed);
    assert_eq!(stage.draw(OPERATOR, 5, &terms).fails(), EscrowError::NotFound);
    let other = Terms { requester: id("heidi"), ..terms.clone() };
    assert_eq!(stage.draw(OPERATOR, reserve, &other).fails(), EscrowError::NotAllowed);
    let other = Terms { token: id("heidi"), ..terms.clone() };
    assert_eq!(stage.draw(OPERATOR, reserve, &other).fails(), EscrowError::NotAllowed);
    let other = Terms { provider: id("heidi"), ..terms.clone() };
    assert_eq!(stage.draw(OPERATOR, reserve, &other).fails(), EscrowError::NotAllowed);
    let bad = Terms { provider: id(REQUESTER), ..terms };
    assert_eq!(stage.draw(OPERATOR, reserve, &bad).fails(), TermsError::WrongParty.into());
    stage.check_books();
}

#[test]
fn where_an_operator_measures_the_provider_does_not_complete_himself() {
    let mut stage = Stage::new();
    let escrow = stage.drawn();
    assert_eq!(stage.complete(PROVIDER, escrow).fails(), EscrowError::NotAllowed);
    for who in [PROVIDER, REQUESTER, STRANGER] {
        assert_eq!(stage.complete_for(who, escrow, 0).fails(), EscrowError::NotAllowed);
    }
    let _ = stage.complete_for(OPERATOR, escrow, 0).succeeds();
    assert_eq!(stage.state(escrow), State::Completed);
    assert_eq!(stage.complete_for(OPERATOR, escrow, 0).fails(), EscrowError::WrongState);
}

#[test]
fn an_operator_has_no_say_in_escrows_of_others() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.funded(&terms);
    stage.permit(REQUESTER);
    stage.permit(PROVIDER);
    assert_eq!(stage.complete_for(OPERATOR, escrow, 0).fails(), EscrowError::NotAllowed);
    assert_eq!(stage.settle(OPERATOR, escrow, 0).fails(), EscrowError::NotAllowed);
    assert_eq!(stage.settle(OPERATOR, 44, 0).fails(), EscrowError::NotFound);
    assert_eq!(stage.complete_for(OPERATOR, 44, 0).fails(), EscrowError::NotFound);
}

#[test]
fn an_operator_completes_in_time_only() {
    let mut stage = Stage::new();
    let escrow = stage.drawn();
    stage.wait_for(escrow, 0);
    assert_eq!(stage.complete_for(OPERATOR, escrow, 0).fails(), EscrowError::TooLate);
    let _ = stage.expire(STRANGER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Refunded, (0, AMOUNT)));
}

#[test]
fn a_deduction_goes_to_the_requester_at_release() {
    let mut stage = Stage::new();
    let escrow = stage.drawn();
    let more = stage.complete_for(OPERATOR, escrow, AMOUNT + 1);
    assert_eq!(more.fails(), EscrowError::WrongAmount);
    let _ = stage.complete_for(OPERATOR, escrow, 250).succeeds();
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (750, 250)));
}

#[test]
fn a_deduction_counts_in_a_release_by_timeout_too() {
    let mut stage = Stage::new();
    let escrow = stage.drawn();
    let _ = stage.complete_for(OPERATOR, escrow, AMOUNT).succeeds();
    stage.wait_for(escrow, 0);
    let _ = stage.expire(STRANGER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (0, AMOUNT)));
}

#[test]
fn a_deduction_of_one_part_is_none_of_the_next() {
    let mut stage = Stage::new();
    let reserve = stage.reserved(AMOUNT);
    let terms = stage.parts(&[400, 600]);
    let escrow = stage.draw(OPERATOR, reserve, &terms).succeeds().value;
    let _ = stage.complete_for(OPERATOR, escrow, 400).succeeds();
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Funded, (0, 400)));
    let _ = stage.complete_for(OPERATOR, escrow, 0).succeeds();
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (600, 400)));
}

#[test]
fn an_operator_settles_all_that_is_left() {
    for (share, state) in [(AMOUNT, State::Released), (700, State::Released), (0, State::Released)]
    {
        let mut stage = Stage::new();
        let escrow = stage.drawn();
        for who in [REQUESTER, PROVIDER, STRANGER] {
            assert_eq!(stage.settle(who, escrow, share).fails(), EscrowError::NotAllowed);
        }
        let more = stage.settle(OPERATOR, escrow, AMOUNT + 1);
        assert_eq!(more.fails(), EscrowError::WrongAmount);
        let _ = stage.complete_for(OPERATOR, escrow, 100).succeeds();
        let _ = stage.settle(OPERATOR, escrow, share).succeeds();
        assert_eq!((stage.state(escrow), stage.paid(escrow)), (state, (share, AMOUNT - share)));
        assert_eq!(stage.summary(escrow).ending, Some(Ending::Settled));
    }
}

#[test]
fn an_operator_cannot_settle_against_a_timeout() {
    let mut stage = Stage::new();
    let late = stage.drawn();
    stage.wait_for(late, 0);
    assert_eq!(stage.settle(OPERATOR, late, 1).fails(), EscrowError::TooLate);
    let _ = stage.settle(OPERATOR, late, 0).succeeds();
    assert_eq!(stage.paid(late), (0, AMOUNT));
    let silent = stage.drawn();
    let _ = stage.complete_for(OPERATOR, silent, 100).succeeds();
    stage.wait_for(silent, 0);
    for share in [0, 900, AMOUNT] {
        assert_eq!(stage.settle(OPERATOR, silent, share).fails(), EscrowError::TooLate);
    }
    let _ = stage.expire(STRANGER, silent).succeeds();
    assert_eq!(stage.paid(silent), (900, 100));
}

#[test]
fn in_a_dispute_the_operator_has_no_say() {
    let mut stage = Stage::new();
    let escrow = stage.drawn();
    let _ = stage.complete_for(OPERATOR, escrow, 0).succeeds();
    let _ = stage.raise(PROVIDER, escrow).succeeds();
    assert_eq!(stage.settle(OPERATOR, escrow, 0).fails(), EscrowError::WrongState);
    assert_eq!(stage.complete_for(OPERATOR, escrow, 0).fails(), EscrowError::WrongState);
    let vote = stage.vote(OPERATOR, escrow, Verdict::Refund);
    assert_eq!(vote.fails(), EscrowError::NotAllowed);
    for who in &ARBITRATORS[..2] {
        let _ = stage.vote(who, escrow, Verdict::Release).succeeds();
    }
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Resolved, (AMOUNT, 0)));
}

#[test]
fn the_parties_of_an_operators_escrow_keep_their_rights() {
    let mut stage = Stage::new();
    let early = stage.drawn();
    let _ = stage.release(REQUESTER, early).succeeds();
    assert_eq!(stage.paid(early), (AMOUNT, 0));
    let given_up = stage.drawn();
    let _ = stage.refund(PROVIDER, given_up).succeeds();
    assert_eq!(stage.paid(given_up), (0, AMOUNT));
}

#[test]
fn what_an_undone_escrow_gives_back_goes_to_its_reserve_while_that_is_open() {
    let mut stage = Stage::new();
    let reserve = stage.reserved(3 * AMOUNT);
    let terms = stage.terms();
    let drawn = [(); 3].map(|()| stage.draw(OPERATOR, reserve, &terms).succeeds().value);
    assert_eq!(stage.reserve_of(reserve).balance, 0);
    let _ = stage.refund(PROVIDER, drawn[0]).succeeds();
    assert_eq!((stage.reserve_of(reserve).balance, stage.paid(drawn[0])), (AMOUNT, (0, AMOUNT)));
    // What comes back can be drawn again.
    let again = stage.draw(OPERATOR, reserve, &terms).succeeds().value;
    let _ = stage.settle(OPERATOR, again, 0).succeeds();
    stage.world.at(terms.milestones[0].complete_by_ms);
    let _ = stage.expire(STRANGER, drawn[1]).succeeds();
    assert_eq!(stage.reserve_of(reserve).balance, 2 * AMOUNT);
    for who in [REQUESTER, STRANGER] {
        assert_eq!(stage.close_reserve(who, reserve).fails(), EscrowError::NotAllowed);
    }
    assert_eq!(stage.close_reserve(OPERATOR, 9).fails(), EscrowError::NotFound);
    assert_eq!(stage.close_reserve(OPERATOR, reserve).succeeds().value, 2 * AMOUNT);
    stage.check_books();
    // From then on it goes to the owner.
    let before = stage.balance_of(REQUESTER);
    let _ = stage.expire(STRANGER, drawn[2]).succeeds();
    assert_eq!(stage.balance_of(REQUESTER), before + AMOUNT);
    let left = stage.reserve_of(reserve);
    assert_eq!((left.balance, left.closed, stage.locked(REQUESTER)), (0, true, 0));
}

#[test]
fn what_is_reported_counts_if_nobody_decides() {
    let mut stage = Stage::new();
    for (measured, reported, paid) in [(100, 300, 700), (300, 100, 700), (0, AMOUNT, 0)] {
        let reserve = stage.reserved(AMOUNT);
        let terms = Terms { fallback: Fallback::Release, ..stage.terms() };
        let escrow = stage.draw(OPERATOR, reserve, &terms).succeeds().value;
        assert_eq!(stage.report(OPERATOR, escrow, 1).fails(), EscrowError::WrongState);
        let _ = stage.complete_for(OPERATOR, escrow, measured).succeeds();
        // He dodges the report by a dispute.
        let _ = stage.raise(PROVIDER, escrow).succeeds();
        for who in [REQUESTER, PROVIDER] {
            assert_eq!(stage.report(who, escrow, 1).fails(), EscrowError::NotAllowed);
        }
        let more = stage.report(OPERATOR, escrow, AMOUNT + 1);
        assert_eq!(more.fails(), EscrowError::WrongAmount);
        let _ = stage.report(OPERATOR, escrow, reported).succeeds();
        stage.wait_for(escrow, 0);
        assert_eq!(stage.report(OPERATOR, escrow, 0).fails(), EscrowError::TooLate);
        let _ = stage.expire(STRANGER, escrow).succeeds();
        assert_eq!(stage.paid(escrow), (paid, AMOUNT - paid));
    }
}

#[test]
fn what_was_measured_is_taken_off_a_verdict_too() {
    let mut stage = Stage::new();
    let split = Verdict::Split { provider_share: 600, requester_share: 400 };
    for (verdict, paid) in [(Verdict::Release, 900), (split, 500), (Verdict::Refund, 0)] {
        let escrow = stage.drawn();
        let _ = stage.complete_for(OPERATOR, escrow, 100).succeeds();
        let _ = stage.raise(PROVIDER, escrow).succeeds();
        for who in &ARBITRATORS[..2] {
            let _ = stage.vote(who, escrow, verdict).succeeds();
        }
        assert_eq!(stage.paid(escrow), (paid, AMOUNT - paid));
    }
}
