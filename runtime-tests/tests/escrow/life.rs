//! From creation to an end: states, callers, deadlines.

use crate::stage::*;
use cicada_core::escrow::*;
use cicada_core::Account;
use cicada_runtime_tests::{address, on};
use cicada_traits::escrow::Escrow;

#[test]
fn a_new_contract_has_no_escrow() {
    let mut stage = Stage::new();
    assert_eq!(stage.world.read(on(&stage.escrow).count()), 0);
    assert_eq!(stage.world.read(on(&stage.escrow).genesis()), GENESIS);
    assert_eq!(stage.world.read(on(&stage.escrow).terms(0)), None);
    assert!(stage.audit(0).is_empty());
    assert!(stage.world.read(on(&stage.escrow).votes(0)).is_empty());
    assert!(stage.world.read(on(&stage.escrow).evidence(0, 0)).is_empty());
}

#[test]
fn a_job_goes_from_creation_to_release() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.created(&terms);
    assert_eq!(stage.state(escrow), State::Created);
    assert_eq!(stage.world.read(on(&stage.escrow).terms(escrow)), Some(terms.clone()));
    assert_eq!(stage.summary(escrow).due_ms, Some(terms.fund_by_ms));

    let _ = stage.fund(REQUESTER, escrow).succeeds();
    let summary = stage.summary(escrow);
    assert_eq!((summary.state, summary.locked, summary.amount), (State::Funded, AMOUNT, AMOUNT));
    assert_eq!(summary.due_ms, Some(terms.milestones[0].complete_by_ms));
    assert_eq!(stage.balance_of(REQUESTER), SUPPLY - AMOUNT);

    let _ = stage.complete(PROVIDER, escrow).succeeds();
    let summary = stage.summary(escrow);
    assert_eq!((summary.state, summary.result), (State::Completed, Some(RESULT)));
    assert_eq!(summary.due_ms, Some(stage.now() + terms.review_ms));

    let _ = stage.release(REQUESTER, escrow).succeeds();
    let summary = stage.summary(escrow);
    assert_eq!((summary.state, summary.locked), (State::Released, 0));
    assert_eq!((summary.ending, summary.due_ms), (Some(Ending::Decided), None));
    assert_eq!((summary.requester, summary.provider), (id(REQUESTER), id(PROVIDER)));
    assert_eq!((summary.token, summary.operator), (Account::of(&address(&stage.token)), None));
    assert_eq!(stage.balance_of(PROVIDER), AMOUNT);
    assert_eq!(stage.paid(escrow), (AMOUNT, 0));
}

#[test]
fn either_party_creates_and_nobody_else() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    assert_eq!(stage.create(REQUESTER, &terms).succeeds().value, 0);
    assert_eq!(stage.create(PROVIDER, &terms).succeeds().value, 1);
    for who in [STRANGER, ARBITRATORS[0], OPERATOR] {
        assert_eq!(stage.create(who, &terms).fails(), EscrowError::NotAllowed);
    }
}

#[test]
fn terms_that_make_no_escrow_are_refused() {
    let mut stage = Stage::new();
    let good = stage.terms();
    let now = stage.now();
    let milestone = good.milestones[0];
    let change = |change: &dyn Fn(&mut Terms)| {
        let mut terms = good.clone();
        change(&mut terms);
        terms
    };
    use TermsError::*;
    let cases: Vec<(TermsError, Terms)> = vec![
        (WrongParty, change(&|t| t.provider = t.requester)),
        (WrongParty, change(&|t| t.provider = Account::NOBODY)),
        (WrongMilestones, change(&|t| t.milestones.clear())),
        (WrongMilestones, change(&|t| t.milestones = vec![milestone; 17])),
        (WrongAmount, change(&|t| t.milestones[0].amount = 0)),
        (WrongWindow, change(&|t| t.review_ms = MINUTE - 1)),
        (WrongWindow, change(&|t| t.dispute_ms = MINUTE - 1)),
        (WrongWindow, change(&|t| t.review_ms = 100 * HOUR + 1)),
        (WrongWindow, change(&|t| t.dispute_ms = u64::MAX)),
        (WrongDeadline, change(&|t| t.fund_by_ms = now)),
        (WrongDeadline, change(&|t| t.fund_by_ms = t.milestones[0].complete_by_ms - MINUTE + 1)),
        (
            WrongDeadline,
            change(&|t| t.milestones[0].complete_by_ms = t.fund_by_ms + 1_000 * HOUR + 1),
        ),
        (WrongDeadline, change(&|t| t.milestones = vec![milestone; 2])),
        (
            WrongDeadline,
            change(&|t| t.rule = Rule::TimeLocked { release_after_ms: now + MAX_TERM_MS + 1 }),
        ),
        (WrongFallback, change(&|t| t.fallback = Fallback::Split { provider_bps: 10_001 })),
    ];
    for (error, terms) in cases {
        assert_eq!(stage.create(REQUESTER, &terms).fails(), error.into(), "{terms:?}");
    }
}

#[test]
fn parts_whose_sum_overflows_are_refused() {
    let mut stage = Stage::new();
    let terms = stage.parts(&[u128::MAX, 1]);
    assert_eq!(stage.create(REQUESTER, &terms).fails(), TermsError::WrongAmount.into());
}

#[test]
fn only_the_requester_funds_and_only_once() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.created(&terms);
    for who in [PROVIDER, STRANGER, ARBITRATORS[0]] {
        assert_eq!(stage.fund(who, escrow).fails(), EscrowError::NotAllowed);
    }
    let _ = stage.fund(REQUESTER, escrow).succeeds();
    assert_eq!(stage.fund(REQUESTER, escrow).fails(), EscrowError::WrongState);
    assert_eq!(stage.fund(REQUESTER, 9).fails(), EscrowError::NotFound);
    stage.check_books();
}

#[test]
fn funding_needs_balance_and_allowance() {
    let mut stage = Stage::new();
    let terms = stage.parts(&[SUPPLY + 1]);
    let escrow = stage.created(&terms);
    assert_eq!(stage.fund(REQUESTER, escrow).fails(), EscrowError::TokenRefused);
    let terms = stage.terms();
    let escrow = stage.created(&terms);
    stage.approve(AMOUNT - 1);
    assert_eq!(stage.fund(REQUESTER, escrow).fails(), EscrowError::TokenRefused);
    assert_eq!(stage.state(escrow), State::Created);
    stage.approve(AMOUNT);
    let _ = stage.fund(REQUESTER, escrow).succeeds();
}

#[test]
fn money_comes_before_its_deadline_and_not_at_it() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let (early, late) = (stage.created(&terms), stage.created(&terms));
    stage.world.at(terms.fund_by_ms - 1);
    assert_eq!(stage.expire(STRANGER, early).fails(), EscrowError::NotDue);
    let _ = stage.fund(REQUESTER, early).succeeds();
    stage.world.at(terms.fund_by_ms);
    assert_eq!(stage.fund(REQUESTER, late).fails(), EscrowError::TooLate);
    let _ = stage.expire(STRANGER, late).succeeds();
    assert_eq!(stage.state(late), State::Expired);
    assert_eq!(stage.summary(late).ending, Some(Ending::TimedOut));
    assert_eq!(stage.paid(late), (0, 0));
    assert_eq!(stage.state(early), State::Funded);
}

#[test]
fn only_the_provider_completes_and_only_what_is_funded() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.created(&terms);
    assert_eq!(stage.complete(PROVIDER, escrow).fails(), EscrowError::WrongState);
    let _ = stage.fund(REQUESTER, escrow).succeeds();
    for who in [REQUESTER, STRANGER, ARBITRATORS[0]] {
        assert_eq!(stage.complete(who, escrow).fails(), EscrowError::NotAllowed);
    }
    let _ = stage.complete(PROVIDER, escrow).succeeds();
    assert_eq!(stage.complete(PROVIDER, escrow).fails(), EscrowError::WrongState);
    assert_eq!(stage.complete(PROVIDER, 7).fails(), EscrowError::NotFound);
}

#[test]
fn work_comes_before_its_deadline_and_at_it_the_money_goes_back() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let (done, undone) = (stage.funded(&terms), stage.funded(&terms));
    let due = terms.milestones[0].complete_by_ms;
    stage.world.at(due - 1);
    assert_eq!(stage.expire(STRANGER, undone).fails(), EscrowError::NotDue);
    let _ = stage.complete(PROVIDER, done).succeeds();
    stage.world.at(due);
    assert_eq!(stage.complete(PROVIDER, undone).fails(), EscrowError::TooLate);
    assert_eq!(stage.raise(PROVIDER, undone).fails(), EscrowError::WrongState);
    assert_eq!(stage.release(REQUESTER, undone).fails(), EscrowError::TooLate);
    let _ = stage.expire(STRANGER, undone).succeeds();
    assert_eq!((stage.state(undone), stage.paid(undone)), (State::Refunded, (0, AMOUNT)));
    assert_eq!(stage.state(done), State::Completed);
}

#[test]
fn a_provider_who_gives_up_after_the_deadline_may_still_give_back() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.funded(&terms);
    stage.world.at(terms.milestones[0].complete_by_ms);
    let _ = stage.refund(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Refunded, (0, AMOUNT)));
}

#[test]
fn a_silent_requester_pays_when_the_review_ends() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    let due = stage.now() + terms.review_ms;
    stage.world.at(due - 1);
    assert_eq!(stage.expire(STRANGER, escrow).fails(), EscrowError::NotDue);
    stage.world.at(due);
    let _ = stage.expire(STRANGER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (AMOUNT, 0)));
    assert_eq!(stage.summary(escrow).ending, Some(Ending::TimedOut));
}

#[test]
fn after_the_review_only_release_is_left() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    stage.world.advance(terms.review_ms);
    assert_eq!(stage.raise(REQUESTER, escrow).fails(), EscrowError::TooLate);
    assert_eq!(stage.raise(PROVIDER, escrow).fails(), EscrowError::TooLate);
    assert_eq!(stage.refund(PROVIDER, escrow).fails(), EscrowError::TooLate);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!(stage.paid(escrow), (AMOUNT, 0));
}

#[test]
fn nothing_moves_an_escrow_that_has_ended() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let released = stage.completed(&terms);
    let _ = stage.release(REQUESTER, released).succeeds();
    let refunded = stage.funded(&terms);
    let _ = stage.refund(PROVIDER, refunded).succeeds();
    let resolved = stage.disputed(&terms);
    for who in &ARBITRATORS[..2] {
        let _ = stage.vote(who, resolved, Verdict::Release).succeeds();
    }
    let expired = stage.created(&terms);
    stage.world.advance(500 * HOUR);
    let _ = stage.expire(STRANGER, expired).succeeds();
    for escrow in [released, refunded, resolved, expired] {
        let before = stage.summary(escrow);
        assert_eq!(stage.fund(REQUESTER, escrow).fails(), EscrowError::WrongState);
        assert_eq!(stage.complete(PROVIDER, escrow).fails(), EscrowError::WrongState);
        assert_eq!(stage.release(REQUESTER, escrow).fails(), EscrowError::WrongState);
        assert_eq!(stage.refund(PROVIDER, escrow).fails(), EscrowError::WrongState);
        assert_eq!(stage.raise(REQUESTER, escrow).fails(), EscrowError::WrongState);
        assert_eq!(stage.add_evidence(PROVIDER, escrow, b"x").fails(), EscrowError::WrongState);
        let vote = stage.vote(ARBITRATORS[2], escrow, Verdict::Refund);
        assert_eq!(vote.fails(), EscrowError::WrongState);
        assert_eq!(stage.expire(STRANGER, escrow).fails(), EscrowError::NotDue);
        assert_eq!(stage.settle(OPERATOR, escrow, 0).fails(), EscrowError::WrongState);
        assert_eq!(stage.summary(escrow), before);
    }
    stage.check_books();
}

#[test]
fn parts_are_paid_one_after_the_other() {
    let mut stage = Stage::new();
    let terms = stage.parts(&[100, 300, 600]);
    let escrow = stage.funded(&terms);
    let mut earned = 0;
    for (part, amount) in [100, 300, 600].into_iter().enumerate() {
        assert_eq!(stage.summary(escrow).milestone, part as u8);
        assert_eq!(stage.summary(escrow).due_ms, Some(terms.milestones[part].complete_by_ms));
        let _ = stage.complete(PROVIDER, escrow).succeeds();
        let _ = stage.release(REQUESTER, escrow).succeeds();
        earned += amount;
        assert_eq!(stage.paid(escrow), (earned, 0));
    }
    assert_eq!(stage.state(escrow), State::Released);
}

#[test]
fn a_part_that_is_not_done_in_time_gives_back_all_that_is_left() {
    let mut stage = Stage::new();
    let terms = stage.parts(&[100, 300, 600]);
    let escrow = stage.completed(&terms);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!(stage.state(escrow), State::Funded);
    stage.world.at(terms.milestones[1].complete_by_ms - 1);
    assert_eq!(stage.expire(STRANGER, escrow).fails(), EscrowError::NotDue);
    stage.world.at(terms.milestones[1].complete_by_ms);
    let _ = stage.expire(STRANGER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Refunded, (100, 900)));
}

#[test]
fn a_silent_requester_cannot_use_up_the_time_for_the_next_part() {
    let mut stage = Stage::new();
    let mut terms = stage.parts(&[100, 300]);
    let first = terms.milestones[0].complete_by_ms;
    terms.milestones[1].complete_by_ms = first + terms.review_ms + MINUTE - 1;
    assert_eq!(stage.create(REQUESTER, &terms).fails(), TermsError::WrongDeadline.into());
    terms.milestones[1].complete_by_ms = first + terms.review_ms + MINUTE;
    let escrow = stage.funded(&terms);
    stage.world.at(first - 1);
    let _ = stage.complete(PROVIDER, escrow).succeeds();
    stage.world.advance(terms.review_ms);
    let _ = stage.expire(PROVIDER, escrow).succeeds();
    let _ = stage.complete(PROVIDER, escrow).succeeds();
    assert_eq!(stage.paid(escrow), (100, 0));
}

#[test]
fn a_call_that_is_sent_twice_or_overtaken_does_nothing_to_the_next_part() {
    let part = |milestone, completed| Part { milestone, completed };
    let mut stage = Stage::new();
    let first = part(0, true);
    // The wallet tries again; or the provider's `expire` goes first.
    for expires in [false, true] {
        let terms = stage.parts(&[100, 900]);
        let escrow = stage.completed(&terms);
        if expires {
            stage.wait_for(escrow, 0);
            let _ = stage.expire(PROVIDER, escrow).succeeds();
        } else {
            let _ = stage.decide_about(REQUESTER, escrow, first, Decision::Release).succeeds();
        }
        let again = stage.decide_about(REQUESTER, escrow, first, Decision::Release);
        assert_eq!(again.fails(), EscrowError::WrongPart);
        assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Funded, (100, 0)));
    }
    // Paid early; the delivery of that part was on its way.
    let terms = stage.parts(&[100, 900]);
    let escrow = stage.funded(&terms);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    let late = on(&stage.escrow).complete(escrow, 0, RESULT);
    assert_eq!(stage.call(PROVIDER, late).fails(), EscrowError::WrongPart);
    // A release before the delivery and one after it are two.
    let escrow = stage.completed(&terms);
    let early = stage.decide_about(REQUESTER, escrow, part(0, false), Decision::Release);
    assert_eq!(early.fails(), EscrowError::WrongPart);
}

#[test]
fn only_the_terms_that_the_requester_names_are_funded() {
    let mut stage = Stage::new();
    let mine = stage.terms();
    // Somebody overtakes with terms of his own, which get the number.
    let theirs = Terms { provider: id(STRANGER), ..stage.parts(&[SUPPLY]) };
    let taken = stage.create(STRANGER, &theirs).succeeds().value;
    let _ = stage.created(&mine);
    let answer = stage.fund_these(REQUESTER, taken, &mine);
    assert_eq!(answer.fails(), EscrowError::OtherTerms);
    assert_eq!((stage.state(taken), stage.balance_of(REQUESTER)), (State::Created, SUPPLY));
}

#[test]
fn the_requester_creates_and_funds_in_one_call() {
    let mut stage = Stage::new();
    let terms = Terms { fund_by_ms: 0, ..stage.terms() };
    for who in [PROVIDER, STRANGER] {
        assert_eq!(stage.create_funded(who, &terms).fails(), EscrowError::NotAllowed);
    }
    let escrow = stage.create_funded(REQUESTER, &terms).succeeds().value;
    assert_eq!((stage.state(escrow), stage.summary(escrow).locked), (State::Funded, AMOUNT));
    stage.approve(AMOUNT - 1);
    let more = stage.create_funded(REQUESTER, &terms);
    assert_eq!(more.fails(), EscrowError::TokenRefused);
    assert_eq!(stage.world.read(on(&stage.escrow).count()), 1);
    stage.check_books();
}

#[test]
fn a_deployment_has_limits_that_it_shows() {
    let mut stage = Stage::new();
    assert_eq!(stage.world.read(on(&stage.escrow).limits()), LIMITS);
    let none = Limits { review: Range { least_ms: 0, most_ms: 1 }, ..LIMITS };
    let constructor = escrow::escrow::EscrowContractRef::new(GENESIS, none);
    let made =
        stage.world.as_(cicada_runtime_tests::account(STRANGER)).deploy("escrow", constructor);
    assert_eq!(made.err(), Some(TermsError::WrongWindow.into()));
}
