//! Disputes: evidence, votes, splits, the fallback.

use crate::stage::*;
use cicada_core::escrow::*;
use cicada_runtime_tests::on;
use cicada_traits::escrow::Escrow;

fn split(provider_share: u128, requester_share: u128) -> Verdict {
    Verdict::Split { provider_share, requester_share }
}

#[test]
fn either_party_raises_a_dispute_over_a_completed_part() {
    for who in [REQUESTER, PROVIDER] {
        let mut stage = Stage::new();
        let terms = stage.terms();
        let escrow = stage.completed(&terms);
        for other in [STRANGER, ARBITRATORS[0], OPERATOR] {
            assert_eq!(stage.raise(other, escrow).fails(), EscrowError::NotAllowed);
        }
        let _ = stage.raise(who, escrow).succeeds();
        let side = if who == REQUESTER { Side::Requester } else { Side::Provider };
        let summary = stage.summary(escrow);
        assert_eq!((summary.state, summary.raised_by), (State::Disputed, Some(side)));
        assert_eq!(summary.due_ms, Some(stage.now() + terms.dispute_ms));
        assert_eq!(stage.raise(who, escrow).fails(), EscrowError::WrongState);
    }
}

#[test]
fn nobody_is_paid_for_nothing_by_a_dispute() {
    let mut stage = Stage::new();
    let terms = Terms { fallback: Fallback::Release, ..stage.parts(&[100, 400, 500]) };
    let escrow = stage.funded(&terms);
    for who in [PROVIDER, REQUESTER] {
        assert_eq!(stage.raise(who, escrow).fails(), EscrowError::WrongState);
    }
    stage.wait_for(escrow, 0);
    let _ = stage.expire(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Refunded, (0, AMOUNT)));
}

#[test]
fn a_fallback_pays_the_part_in_dispute_and_no_later_one() {
    let mut stage = Stage::new();
    let terms = Terms { fallback: Fallback::Release, ..stage.parts(&[100, 400, 500]) };
    let escrow = stage.completed(&terms);
    let _ = stage.raise(PROVIDER, escrow).succeeds();
    stage.wait_for(escrow, 0);
    let _ = stage.expire(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Funded, (100, 0)));
    // The time of the dispute is not taken from the next part.
    let due = terms.milestones[1].complete_by_ms + terms.dispute_ms;
    assert_eq!(stage.summary(escrow).due_ms, Some(due));
}

#[test]
fn a_dispute_that_is_meant_for_a_paid_part_is_none_over_the_next() {
    let mut stage = Stage::new();
    let terms = stage.parts(&[100, 900]);
    let escrow = stage.completed(&terms);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    let _ = stage.complete(PROVIDER, escrow).succeeds();
    let late = on(&stage.escrow).raise_dispute(escrow, 0, vec![]);
    assert_eq!(stage.call(REQUESTER, late).fails(), EscrowError::WrongPart);
    let _ = stage.raise(REQUESTER, escrow).succeeds();
    let vote = on(&stage.escrow).vote(escrow, 0, Verdict::Refund);
    assert_eq!(stage.call(ARBITRATORS[0], vote).fails(), EscrowError::WrongPart);
}

#[test]
fn there_is_no_dispute_before_there_is_money() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.created(&terms);
    assert_eq!(stage.raise(REQUESTER, escrow).fails(), EscrowError::WrongState);
    assert_eq!(stage.raise(REQUESTER, 5).fails(), EscrowError::NotFound);
}

#[test]
fn both_sides_add_evidence_until_the_deadline() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.disputed(&terms);
    let _ = stage.add_evidence(PROVIDER, escrow, b"bafy-answer").succeeds();
    let deadline = stage.now() + terms.dispute_ms;
    stage.world.at(deadline - 1);
    let _ = stage.add_evidence(REQUESTER, escrow, b"bafy-last").succeeds();
    stage.world.at(deadline);
    let late = stage.add_evidence(REQUESTER, escrow, b"bafy-late");
    assert_eq!(late.fails(), EscrowError::TooLate);
    let piece = |by, cid: &[u8]| Evidence { by, cid: cid.to_vec() };
    let expected = [
        piece(Side::Requester, b"bafy-first"),
        piece(Side::Provider, b"bafy-answer"),
        piece(Side::Requester, b"bafy-last"),
    ];
    assert_eq!(stage.world.read(on(&stage.escrow).evidence(escrow, 0)), expected);
}

#[test]
fn evidence_is_for_the_parties_in_a_dispute() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let calm = stage.completed(&terms);
    assert_eq!(stage.add_evidence(PROVIDER, calm, b"x").fails(), EscrowError::WrongState);
    let escrow = stage.disputed(&terms);
    for who in [STRANGER, ARBITRATORS[0]] {
        assert_eq!(stage.add_evidence(who, escrow, b"x").fails(), EscrowError::NotAllowed);
    }
}

#[test]
fn evidence_is_bounded_in_number_and_length() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    let longest = vec![b'c'; MAX_CID_LEN];
    let raise = |cids: Vec<Vec<u8>>| on(&stage.escrow).raise_dispute(escrow, 0, cids);
    let (nine, long, empty) =
        (raise(vec![longest.clone(); 9]), raise(vec![vec![0; 97]]), raise(vec![vec![]]));
    let eight = raise(vec![longest.clone(); 8]);
    assert_eq!(stage.call(REQUESTER, nine).fails(), EscrowError::TooMuchEvidence);
    assert_eq!(stage.call(REQUESTER, long).fails(), EscrowError::WrongCid);
    assert_eq!(stage.call(REQUESTER, empty).fails(), EscrowError::WrongCid);
    let _ = stage.call(REQUESTER, eight).succeeds();
    let more = stage.add_evidence(REQUESTER, escrow, b"x");
    assert_eq!(more.fails(), EscrowError::TooMuchEvidence);
    assert_eq!(stage.add_evidence(PROVIDER, escrow, b"").fails(), EscrowError::WrongCid);
    for _ in 0..8 {
        let _ = stage.add_evidence(PROVIDER, escrow, &longest).succeeds();
    }
    let more = stage.add_evidence(PROVIDER, escrow, b"x");
    assert_eq!(more.fails(), EscrowError::TooMuchEvidence);
}

#[test]
fn one_arbitrator_of_two_required_decides_nothing() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.disputed(&terms);
    for _ in 0..3 {
        let _ = stage.vote(ARBITRATORS[0], escrow, Verdict::Refund).succeeds();
    }
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Disputed, (0, 0)));
    let _ = stage.vote(ARBITRATORS[1], escrow, Verdict::Refund).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Resolved, (0, AMOUNT)));
    let ending = Ending::Voted { provider_share: 0 };
    assert_eq!(stage.summary(escrow).ending, Some(ending));
}

#[test]
fn arbitrators_release_in_a_dispute() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.disputed(&terms);
    for who in &ARBITRATORS[1..] {
        let _ = stage.vote(who, escrow, Verdict::Release).succeeds();
    }
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Resolved, (AMOUNT, 0)));
}

#[test]
fn arbitrators_split_seventy_to_thirty() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.disputed(&terms);
    for who in &ARBITRATORS[..2] {
        let _ = stage.vote(who, escrow, split(700, 300)).succeeds();
    }
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Resolved, (700, 300)));
}

#[test]
fn verdicts_count_together_only_if_they_are_equal() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.disputed(&terms);
    let _ = stage.vote(ARBITRATORS[0], escrow, split(700, 300)).succeeds();
    let _ = stage.vote(ARBITRATORS[1], escrow, split(600, 400)).succeeds();
    let _ = stage.vote(ARBITRATORS[2], escrow, Verdict::Release).succeeds();
    assert_eq!(stage.state(escrow), State::Disputed);
    assert_eq!(stage.world.read(on(&stage.escrow).votes(escrow)).len(), 3);
    let _ = stage.vote(ARBITRATORS[2], escrow, split(600, 400)).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Resolved, (600, 400)));
}

#[test]
fn a_split_must_be_the_part() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.disputed(&terms);
    let wrong = [
        (AMOUNT, 1),
        (0, 0),
        (AMOUNT - 1, 0),
        // Sums that wrap round to the amount, in 128 bits and in 64.
        (u128::MAX, AMOUNT + 1),
        (u128::MAX - 1, AMOUNT + 2),
        (u128::from(u64::MAX), AMOUNT + 1),
    ];
    for (provider, requester) in wrong {
        let answer = stage.vote(ARBITRATORS[0], escrow, split(provider, requester));
        assert_eq!(answer.fails(), EscrowError::WrongAmount);
    }
    assert_eq!(stage.paid(escrow), (0, 0));
}

#[test]
fn a_verdict_is_about_its_part_and_a_refund_ends_all() {
    let mut stage = Stage::new();
    let terms = stage.parts(&[100, 300, 600]);
    for (verdict, state, paid) in
        [(split(200, 100), State::Funded, (300, 100)), (split(0, 300), State::Resolved, (100, 900))]
    {
        let escrow = stage.completed(&terms);
        let _ = stage.release(REQUESTER, escrow).succeeds();
        let _ = stage.complete(PROVIDER, escrow).succeeds();
        let _ = stage.raise(PROVIDER, escrow).succeeds();
        let whole = stage.vote(ARBITRATORS[0], escrow, split(500, 400));
        assert_eq!(whole.fails(), EscrowError::WrongAmount);
        for who in &ARBITRATORS[..2] {
            let _ = stage.vote(who, escrow, verdict).succeeds();
        }
        assert_eq!((stage.state(escrow), stage.paid(escrow)), (state, paid));
    }
}

#[test]
fn verdicts_that_pay_the_same_are_the_same() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    for (one, other, paid) in [
        (Verdict::Release, split(AMOUNT, 0), (AMOUNT, 0)),
        (split(0, AMOUNT), Verdict::Refund, (0, AMOUNT)),
    ] {
        let escrow = stage.disputed(&terms);
        let _ = stage.vote(ARBITRATORS[0], escrow, one).succeeds();
        let _ = stage.vote(ARBITRATORS[1], escrow, other).succeeds();
        assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Resolved, paid));
    }
}

#[test]
fn a_fee_is_deposited_with_the_dispute_and_earned_by_those_who_decide() {
    let mut stage = Stage::new();
    let terms = stage.with_fee(305);
    let escrow = stage.completed(&terms);
    assert_eq!(stage.raise(PROVIDER, escrow).fails(), EscrowError::TokenRefused);
    let before = stage.balance_of(REQUESTER);
    let _ = stage.raise(REQUESTER, escrow).succeeds();
    assert_eq!(before - stage.balance_of(REQUESTER), 30, "305 bps of 1,000");
    assert_eq!(stage.locked(REQUESTER), AMOUNT + 30);
    let _ = stage.vote(ARBITRATORS[2], escrow, Verdict::Refund).succeeds();
    for who in &ARBITRATORS[..2] {
        let _ = stage.vote(who, escrow, Verdict::Release).succeeds();
    }
    assert_eq!(ARBITRATORS.map(|who| stage.credit(who)), [15, 15, 0]);
    assert_eq!((stage.locked(REQUESTER), stage.balance_of(PROVIDER)), (0, AMOUNT));
    let token = cicada_runtime_tests::address(&stage.token);
    let claim = on(&stage.escrow).claim(token);
    assert_eq!(stage.call(ARBITRATORS[0], claim).succeeds().value, 15);
    let claim = on(&stage.escrow).claim(token);
    assert_eq!(stage.call(ARBITRATORS[0], claim).fails(), EscrowError::WrongAmount);
    assert_eq!((stage.balance_of(ARBITRATORS[0]), stage.credit(ARBITRATORS[0])), (15, 0));
}

#[test]
fn a_fee_comes_back_if_nobody_decides() {
    let mut stage = Stage::new();
    let terms = stage.with_fee(500);
    let escrow = stage.completed(&terms);
    let before = stage.balance_of(REQUESTER);
    let _ = stage.raise(REQUESTER, escrow).succeeds();
    stage.wait_for(escrow, 0);
    let _ = stage.expire(STRANGER, escrow).succeeds();
    assert_eq!(stage.balance_of(REQUESTER), before);
    assert_eq!(stage.paid(escrow), (AMOUNT, 0));
}

#[test]
fn only_listed_arbitrators_vote_and_only_in_a_dispute() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let calm = stage.completed(&terms);
    let early = stage.vote(ARBITRATORS[0], calm, Verdict::Release);
    assert_eq!(early.fails(), EscrowError::WrongState);
    let escrow = stage.disputed(&terms);
    for who in [REQUESTER, PROVIDER, STRANGER, OPERATOR] {
        let vote = stage.vote(who, escrow, Verdict::Release);
        assert_eq!(vote.fails(), EscrowError::NotAllowed);
    }
    assert_eq!(stage.vote(STRANGER, 77, Verdict::Release).fails(), EscrowError::NotFound);
}

#[test]
fn votes_count_before_the_deadline_and_the_fallback_from_it_on() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let (voted, silent) = (stage.disputed(&terms), stage.disputed(&terms));
    let deadline = stage.now() + terms.dispute_ms;
    for escrow in [voted, silent] {
        let _ = stage.vote(ARBITRATORS[0], escrow, Verdict::Release).succeeds();
    }
    stage.world.at(deadline - 1);
    let _ = stage.vote(ARBITRATORS[1], voted, Verdict::Release).succeeds();
    assert_eq!(stage.expire(STRANGER, silent).fails(), EscrowError::NotDue);
    stage.world.at(deadline);
    let late = stage.vote(ARBITRATORS[1], silent, Verdict::Release);
    assert_eq!(late.fails(), EscrowError::TooLate);
    let _ = stage.expire(STRANGER, silent).succeeds();
    assert_eq!((stage.state(voted), stage.paid(voted)), (State::Resolved, (AMOUNT, 0)));
    assert_eq!((stage.state(silent), stage.paid(silent)), (State::Resolved, (AMOUNT, 0)));
    assert_eq!(stage.summary(silent).ending, Some(Ending::FellBack));
}

#[test]
fn a_dispute_that_nobody_decides_pays_its_raiser_no_more_than_none() {
    let cases = [
        (Fallback::Refund, (0, AMOUNT)),
        (Fallback::Release, (AMOUNT, 0)),
        (Fallback::Split { provider_bps: 7_000 }, (700, 300)),
        (Fallback::Split { provider_bps: 3_333 }, (333, 667)),
        (Fallback::Split { provider_bps: 0 }, (0, AMOUNT)),
        (Fallback::Split { provider_bps: 10_000 }, (AMOUNT, 0)),
    ];
    let mut stage = Stage::new();
    for (fallback, paid) in cases {
        for (who, paid) in [(PROVIDER, paid), (REQUESTER, (AMOUNT, 0))] {
            let terms = Terms { fallback, ..stage.terms() };
            let escrow = stage.completed(&terms);
            let _ = stage.raise(who, escrow).succeeds();
            stage.world.advance(terms.dispute_ms);
            let _ = stage.expire(STRANGER, escrow).succeeds();
            assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Resolved, paid));
            assert_eq!(stage.summary(escrow).ending, Some(Ending::FellBack));
        }
    }
}

#[test]
fn without_arbitrators_only_the_deadline_ends_a_dispute() {
    let mut stage = Stage::new();
    let fallback = Fallback::Split { provider_bps: 5_000 };
    let terms = Terms { panel: Panel::NONE, fallback, ..stage.terms() };
    let escrow = stage.completed(&terms);
    let _ = stage.raise(PROVIDER, escrow).succeeds();
    let vote = stage.vote(ARBITRATORS[0], escrow, Verdict::Refund);
    assert_eq!(vote.fails(), EscrowError::NotAllowed);
    stage.world.advance(terms.dispute_ms);
    let _ = stage.expire(STRANGER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Resolved, (500, 500)));
}

#[test]
fn in_a_dispute_no_other_path_pays() {
    let mut stage = Stage::new();
    for rule in [Rule::Single, Rule::BothParties, Rule::Arbitrators] {
        let terms = stage.under(rule);
        let escrow = stage.disputed(&terms);
        for who in [REQUESTER, PROVIDER, ARBITRATORS[0], ARBITRATORS[1]] {
            assert_eq!(stage.release(who, escrow).fails(), EscrowError::WrongState);
            assert_eq!(stage.refund(who, escrow).fails(), EscrowError::WrongState);
        }
        assert_eq!(stage.complete(PROVIDER, escrow).fails(), EscrowError::WrongState);
        assert_eq!(stage.fund(REQUESTER, escrow).fails(), EscrowError::WrongState);
        let statement = stage.statement(REQUESTER, escrow, Decision::Release, 1);
        let signed = stage.bring_signed(REQUESTER, &statement);
        assert_eq!(signed.fails(), EscrowError::WrongState);
        stage.wait_for(escrow, 1);
        assert_eq!(stage.expire(STRANGER, escrow).fails(), EscrowError::NotDue);
        assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Disputed, (0, 0)));
    }
}

#[test]
fn decisions_from_before_a_dispute_are_no_votes_in_it() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::Arbitrators);
    let escrow = stage.completed(&terms);
    let _ = stage.release(ARBITRATORS[0], escrow).succeeds();
    let _ = stage.raise(REQUESTER, escrow).succeeds();
    let _ = stage.vote(ARBITRATORS[1], escrow, Verdict::Release).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Disputed, (0, 0)));
}
