//! The four release rules.

use crate::stage::*;
use cicada_core::escrow::*;
use cicada_core::Account;
use cicada_runtime_tests::on;
use cicada_traits::escrow::Escrow;

const BOTH: Rule = Rule::BothParties;

#[test]
fn under_single_the_requester_releases_and_nobody_else() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    for who in [PROVIDER, STRANGER, ARBITRATORS[0], OPERATOR] {
        assert_eq!(stage.release(who, escrow).fails(), EscrowError::NotAllowed);
    }
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!(stage.paid(escrow), (AMOUNT, 0));
}

#[test]
fn under_single_the_provider_refunds_and_nobody_else() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    for who in [REQUESTER, STRANGER, ARBITRATORS[0], OPERATOR] {
        assert_eq!(stage.refund(who, escrow).fails(), EscrowError::NotAllowed);
    }
    let _ = stage.refund(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Refunded, (0, AMOUNT)));
}

#[test]
fn a_requester_may_pay_before_the_work_is_done() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.funded(&terms);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (AMOUNT, 0)));
}

#[test]
fn nobody_decides_before_there_is_money() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.created(&terms);
    assert_eq!(stage.release(REQUESTER, escrow).fails(), EscrowError::WrongState);
    assert_eq!(stage.refund(PROVIDER, escrow).fails(), EscrowError::WrongState);
    assert_eq!(stage.release(REQUESTER, 3).fails(), EscrowError::NotFound);
}

#[test]
fn both_parties_release_with_two_calls() {
    let mut stage = Stage::new();
    let terms = stage.under(BOTH);
    let escrow = stage.completed(&terms);
    let _ = stage.release(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Completed, (0, 0)));
    let ballot = Ballot { by: id(PROVIDER), verdict: Verdict::Release };
    assert_eq!(stage.world.read(on(&stage.escrow).votes(escrow)), [ballot]);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (AMOUNT, 0)));
}

#[test]
fn both_parties_refund_with_two_calls() {
    let mut stage = Stage::new();
    let terms = stage.under(BOTH);
    let escrow = stage.funded(&terms);
    let _ = stage.refund(REQUESTER, escrow).succeeds();
    let _ = stage.refund(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Refunded, (0, AMOUNT)));
}

#[test]
fn the_same_party_twice_is_not_both() {
    let mut stage = Stage::new();
    let terms = stage.under(BOTH);
    let escrow = stage.completed(&terms);
    for _ in 0..3 {
        let _ = stage.release(PROVIDER, escrow).succeeds();
    }
    for who in [STRANGER, ARBITRATORS[0]] {
        assert_eq!(stage.release(who, escrow).fails(), EscrowError::NotAllowed);
    }
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Completed, (0, 0)));
}

#[test]
fn parties_who_disagree_pay_nobody_until_one_changes_his_mind() {
    let mut stage = Stage::new();
    let terms = stage.under(BOTH);
    let escrow = stage.completed(&terms);
    let _ = stage.release(PROVIDER, escrow).succeeds();
    let _ = stage.refund(REQUESTER, escrow).succeeds();
    assert_eq!(stage.state(escrow), State::Completed);
    let _ = stage.refund(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Refunded, (0, AMOUNT)));
}

#[test]
fn a_decision_that_was_taken_back_does_not_count() {
    let mut stage = Stage::new();
    let terms = stage.under(BOTH);
    let escrow = stage.completed(&terms);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    let _ = stage.refund(REQUESTER, escrow).succeeds();
    let _ = stage.release(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Completed, (0, 0)));
}

#[test]
fn approvals_of_one_part_say_nothing_about_the_next() {
    let mut stage = Stage::new();
    let terms = Terms { rule: BOTH, ..stage.parts(&[100, 300]) };
    let escrow = stage.completed(&terms);
    let _ = stage.release(PROVIDER, escrow).succeeds();
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Funded, (100, 0)));
    assert!(stage.world.read(on(&stage.escrow).votes(escrow)).is_empty());
    let _ = stage.release(PROVIDER, escrow).succeeds();
    assert_eq!(stage.paid(escrow), (100, 0));
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (400, 0)));
}

#[test]
fn approvals_of_a_part_that_timed_out_say_nothing_about_the_next() {
    let mut stage = Stage::new();
    let terms = Terms { rule: BOTH, ..stage.parts(&[100, 300]) };
    let escrow = stage.completed(&terms);
    let _ = stage.release(PROVIDER, escrow).succeeds();
    stage.world.advance(terms.review_ms);
    let _ = stage.expire(PROVIDER, escrow).succeeds();
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Funded, (100, 0)));
}

#[test]
fn arbitrators_release_when_as_many_as_required_agree() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::Arbitrators);
    let escrow = stage.completed(&terms);
    let _ = stage.release(ARBITRATORS[0], escrow).succeeds();
    let _ = stage.refund(ARBITRATORS[1], escrow).succeeds();
    assert_eq!(stage.state(escrow), State::Completed);
    let _ = stage.release(ARBITRATORS[2], escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (AMOUNT, 0)));
    assert_eq!(stage.summary(escrow).ending, Some(Ending::Decided));
}

#[test]
fn arbitrators_refund_in_the_same_way() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::Arbitrators);
    let escrow = stage.funded(&terms);
    let _ = stage.refund(ARBITRATORS[2], escrow).succeeds();
    let _ = stage.refund(ARBITRATORS[1], escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Refunded, (0, AMOUNT)));
}

#[test]
fn under_arbitrators_the_parties_have_no_say() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::Arbitrators);
    let escrow = stage.completed(&terms);
    for who in [REQUESTER, PROVIDER, STRANGER] {
        assert_eq!(stage.release(who, escrow).fails(), EscrowError::NotAllowed);
        assert_eq!(stage.refund(who, escrow).fails(), EscrowError::NotAllowed);
    }
}

#[test]
fn an_arbitrator_who_calls_twice_is_one() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::Arbitrators);
    let escrow = stage.completed(&terms);
    for _ in 0..3 {
        let _ = stage.release(ARBITRATORS[0], escrow).succeeds();
    }
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Completed, (0, 0)));
}

#[test]
fn a_panel_is_refused_with_duplicates_parties_or_a_wrong_majority() {
    let mut stage = Stage::new();
    let members = ARBITRATORS.map(id).to_vec();
    let with = |more: &str| [members.clone(), vec![id(more)]].concat();
    let many: Vec<_> = (1..17u8).map(|i| Account([i; 32])).collect();
    let panels = [
        (2, with(ARBITRATORS[0])),
        (2, with(REQUESTER)),
        (2, with(PROVIDER)),
        (0, members.clone()),
        (4, members.clone()),
        (1, members.clone()),
        (2, [members.clone(), vec![id("heidi")]].concat()),
        (2, [members[..2].to_vec(), vec![Account::NOBODY]].concat()),
        (1, vec![]),
        (9, many),
    ];
    for (required, members) in panels {
        let terms = Terms { panel: Panel { required, members, fee_bps: 0 }, ..stage.terms() };
        assert_eq!(stage.create(REQUESTER, &terms).fails(), TermsError::WrongPanel.into());
    }
    let nobody = Panel::NONE;
    let terms = Terms { panel: nobody.clone(), ..stage.under(Rule::Arbitrators) };
    assert_eq!(stage.create(REQUESTER, &terms).fails(), TermsError::WrongPanel.into());
    let terms = Terms { panel: nobody, ..stage.terms() };
    let _ = stage.create(REQUESTER, &terms).succeeds();
    let members = (1..16u8).map(|i| Account([i; 32])).collect();
    let fifteen = Panel { required: 15, members, fee_bps: 500 };
    let terms = Terms { panel: fifteen, ..stage.terms() };
    let _ = stage.create(REQUESTER, &terms).succeeds();
}

/// Locked until then, with ten hours of review.
fn locked_for(stage: &Stage, hours: u64) -> Terms {
    let rule = Rule::TimeLocked { release_after_ms: stage.now() + hours * HOUR };
    Terms { review_ms: 10 * HOUR, ..stage.under(rule) }
}

#[test]
fn a_time_lock_opens_for_anybody_once_its_time_and_the_review_are_over() {
    let mut stage = Stage::new();
    for (hours, opens_after) in [(20, 20), (5, 10), (0, 10)] {
        let terms = locked_for(&stage, hours);
        let escrow = stage.completed(&terms);
        let opens = stage.now() + opens_after * HOUR;
        assert_eq!(stage.summary(escrow).due_ms, Some(opens));
        stage.world.at(opens - 1);
        assert_eq!(stage.expire(STRANGER, escrow).fails(), EscrowError::NotDue);
        stage.world.at(opens);
        let _ = stage.expire(STRANGER, escrow).succeeds();
        assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (AMOUNT, 0)));
    }
}

#[test]
fn until_a_time_lock_opens_the_requester_may_object() {
    let mut stage = Stage::new();
    for hours in [0, 20] {
        let terms = locked_for(&stage, hours);
        let escrow = stage.completed(&terms);
        stage.wait_for(escrow, 1);
        let _ = stage.raise(REQUESTER, escrow).succeeds();
    }
}

#[test]
fn no_dispute_opens_a_time_lock() {
    let mut stage = Stage::new();
    for who in [REQUESTER, PROVIDER] {
        let terms = Terms { fallback: Fallback::Release, ..locked_for(&stage, 20) };
        let escrow = stage.completed(&terms);
        let opens = stage.now() + 20 * HOUR;
        let _ = stage.raise(who, escrow).succeeds();
        assert_eq!(stage.summary(escrow).due_ms, Some(opens));
        stage.world.at(opens - 1);
        assert_eq!(stage.expire(PROVIDER, escrow).fails(), EscrowError::NotDue);
        stage.world.at(opens);
        let _ = stage.expire(STRANGER, escrow).succeeds();
        assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Resolved, (AMOUNT, 0)));
    }
}

#[test]
fn no_dispute_cuts_a_review_short() {
    for who in [REQUESTER, PROVIDER] {
        let mut stage = Stage::new();
        let terms =
            Terms { fallback: Fallback::Release, dispute_ms: MINUTE, ..stage.parts(&[100, 900]) };
        let escrow = stage.completed(&terms);
        let review_ends = stage.now() + terms.review_ms;
        let _ = stage.raise(who, escrow).succeeds();
        stage.world.at(review_ends - 1);
        assert_eq!(stage.expire(STRANGER, escrow).fails(), EscrowError::NotDue);
        // Whenever somebody notes its end: the next part has no more than the dispute may take.
        stage.world.at(review_ends + HOUR);
        let _ = stage.expire(STRANGER, escrow).succeeds();
        assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Funded, (100, 0)));
        let due = terms.milestones[1].complete_by_ms + terms.dispute_ms;
        assert_eq!(stage.summary(escrow).due_ms, Some(due));
    }
}

#[test]
fn before_its_time_a_time_lock_needs_both() {
    let mut stage = Stage::new();
    let terms = locked_for(&stage, 20);
    let escrow = stage.completed(&terms);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!(stage.state(escrow), State::Completed);
    let _ = stage.release(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (AMOUNT, 0)));
}

#[test]
fn a_time_lock_pays_no_undone_work() {
    let mut stage = Stage::new();
    let terms = locked_for(&stage, 5);
    let escrow = stage.funded(&terms);
    stage.world.advance(6 * HOUR);
    assert_eq!(stage.expire(PROVIDER, escrow).fails(), EscrowError::NotDue);
    stage.world.advance(4 * HOUR);
    let _ = stage.expire(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Refunded, (0, AMOUNT)));
}

#[test]
fn a_silent_requester_releases_under_every_rule() {
    let mut stage = Stage::new();
    let past = Rule::TimeLocked { release_after_ms: 0 };
    for rule in [Rule::Single, Rule::BothParties, Rule::Arbitrators, past] {
        let terms = stage.under(rule);
        let escrow = stage.completed(&terms);
        stage.world.advance(terms.review_ms);
        let _ = stage.expire(STRANGER, escrow).succeeds();
        assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (AMOUNT, 0)));
    }
}

#[test]
fn what_was_said_before_a_delivery_does_not_count_after_it() {
    let mut stage = Stage::new();
    let rule = Rule::TimeLocked { release_after_ms: stage.now() + 100 * HOUR };
    for rule in [BOTH, rule] {
        let terms = stage.under(rule);
        let escrow = stage.funded(&terms);
        // "Shall we call it off?" Nobody answers, and he does the work after all.
        let _ = stage.refund(PROVIDER, escrow).succeeds();
        let _ = stage.complete(PROVIDER, escrow).succeeds();
        let _ = stage.refund(REQUESTER, escrow).succeeds();
        assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Completed, (0, 0)));
    }
    let terms = stage.under(Rule::Arbitrators);
    let escrow = stage.funded(&terms);
    let _ = stage.refund(ARBITRATORS[0], escrow).succeeds();
    let _ = stage.complete(PROVIDER, escrow).succeeds();
    let _ = stage.refund(ARBITRATORS[1], escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Completed, (0, 0)));
}
