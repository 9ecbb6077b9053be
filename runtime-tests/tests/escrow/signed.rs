//! Decisions signed off line and brought by anybody.

use crate::stage::*;
use cicada_core::escrow::*;
use cicada_core::hash::Digest;
use cicada_core::Account;
use cicada_runtime_tests::{account, on};
use cicada_traits::escrow::Escrow;

#[test]
fn a_signed_release_counts_whoever_brings_it() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    let statement = stage.statement(REQUESTER, escrow, Decision::Release, 1);
    let _ = stage.bring_signed(REQUESTER, &statement).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Released, (AMOUNT, 0)));
    let last = *stage.audit(escrow).last().unwrap();
    assert_eq!((last.actor, last.action), (id(REQUESTER), Action::DecidedSigned));
}

#[test]
fn a_signed_refund_counts_too() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.funded(&terms);
    let statement = stage.statement(PROVIDER, escrow, Decision::Refund, 1);
    let _ = stage.bring_signed(PROVIDER, &statement).succeeds();
    assert_eq!(stage.paid(escrow), (0, AMOUNT));
}

#[test]
fn a_signature_gives_no_more_rights_than_a_call() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    for (who, decision) in [
        (PROVIDER, Decision::Release),
        (REQUESTER, Decision::Refund),
        (STRANGER, Decision::Release),
        (ARBITRATORS[0], Decision::Release),
    ] {
        let statement = stage.statement(who, escrow, decision, 1);
        assert_eq!(stage.bring_signed(who, &statement).fails(), EscrowError::NotAllowed);
    }
    let created = stage.created(&terms);
    let statement = stage.statement(REQUESTER, created, Decision::Release, 1);
    assert_eq!(stage.bring_signed(REQUESTER, &statement).fails(), EscrowError::WrongState);
    let missing = stage.statement(REQUESTER, 99, Decision::Release, 1);
    assert_eq!(stage.bring_signed(REQUESTER, &missing).fails(), EscrowError::NotFound);
}

#[test]
fn a_signature_and_a_call_together_are_both_parties() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::BothParties);
    let escrow = stage.completed(&terms);
    let statement = stage.statement(PROVIDER, escrow, Decision::Release, 1);
    let _ = stage.bring_signed(PROVIDER, &statement).succeeds();
    assert_eq!(stage.state(escrow), State::Completed);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    assert_eq!(stage.paid(escrow), (AMOUNT, 0));
}

#[test]
fn signatures_of_arbitrators_count_under_their_rule() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::Arbitrators);
    let escrow = stage.completed(&terms);
    for who in &ARBITRATORS[..2] {
        let statement = stage.statement(who, escrow, Decision::Release, 1);
        let _ = stage.bring_signed(who, &statement).succeeds();
    }
    assert_eq!(stage.paid(escrow), (AMOUNT, 0));
}

#[test]
fn a_signature_counts_once() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::BothParties);
    let escrow = stage.completed(&terms);
    let statement = stage.statement(REQUESTER, escrow, Decision::Release, 1);
    let _ = stage.bring_signed(REQUESTER, &statement).succeeds();
    // The requester takes it back; the old signature does not bring it back.
    let _ = stage.refund(REQUESTER, escrow).succeeds();
    assert_eq!(stage.bring_signed(REQUESTER, &statement).fails(), EscrowError::StaleNonce);
    let _ = stage.release(PROVIDER, escrow).succeeds();
    assert_eq!((stage.state(escrow), stage.paid(escrow)), (State::Completed, (0, 0)));
}

#[test]
fn an_older_signature_never_counts_after_a_newer_one() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::BothParties);
    let escrow = stage.completed(&terms);
    let old = stage.statement(REQUESTER, escrow, Decision::Release, 4);
    let new = stage.statement(REQUESTER, escrow, Decision::Refund, 5);
    let nonce =
        |stage: &mut Stage, who| stage.world.read(on(&stage.escrow).nonce(escrow, account(who)));
    assert_eq!(nonce(&mut stage, REQUESTER), 0);
    let _ = stage.bring_signed(REQUESTER, &new).succeeds();
    assert_eq!((nonce(&mut stage, REQUESTER), nonce(&mut stage, PROVIDER)), (5, 0));
    assert_eq!(stage.bring_signed(REQUESTER, &old).fails(), EscrowError::StaleNonce);
    let zero = stage.statement(PROVIDER, escrow, Decision::Release, 0);
    assert_eq!(stage.bring_signed(PROVIDER, &zero).fails(), EscrowError::StaleNonce);
}

#[test]
fn each_signer_and_each_escrow_count_their_own_nonces() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::BothParties);
    for _ in 0..2 {
        let escrow = stage.completed(&terms);
        for who in [REQUESTER, PROVIDER] {
            let statement = stage.statement(who, escrow, Decision::Release, 1);
            let _ = stage.bring_signed(who, &statement).succeeds();
        }
        assert_eq!(stage.paid(escrow), (AMOUNT, 0));
    }
}

#[test]
fn a_signature_counts_before_it_expires_and_not_at_that_time() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::BothParties);
    let escrow = stage.completed(&terms);
    let expires_ms = stage.now() + HOUR;
    let statement = |stage: &mut Stage, who| SignedDecision {
        expires_ms,
        ..stage.statement(who, escrow, Decision::Release, 1)
    };
    let (first, second) = (statement(&mut stage, REQUESTER), statement(&mut stage, PROVIDER));
    stage.world.at(expires_ms - 1);
    let _ = stage.bring_signed(REQUESTER, &first).succeeds();
    stage.world.at(expires_ms);
    assert_eq!(stage.bring_signed(PROVIDER, &second).fails(), EscrowError::SignatureExpired);
}

#[test]
fn a_signature_for_anything_else_is_none_for_this() {
    let mut stage = Stage::new();
    let terms = stage.parts(&[100, 900]);
    let escrow = stage.completed(&terms);
    let told = stage.statement(REQUESTER, escrow, Decision::Release, 2);
    let others = [
        ("chain", SignedDecision { genesis: Digest::ZERO, ..told }),
        ("contract", SignedDecision { contract: Account::NOBODY, ..told }),
        ("escrow", SignedDecision { escrow: escrow + 1, ..told }),
        ("part", SignedDecision { part: Part { milestone: 1, ..told.part }, ..told }),
        (
            "time",
            SignedDecision { part: Part { completed: !told.part.completed, ..told.part }, ..told },
        ),
        ("decision", SignedDecision { decision: Decision::Refund, ..told }),
        ("signer", SignedDecision { signer: id(PROVIDER), ..told }),
        ("nonce", SignedDecision { nonce: 1, ..told }),
        ("expiry", SignedDecision { expires_ms: told.expires_ms - 1, ..told }),
    ];
    for (what, signed) in others {
        let error = stage.bring(&told, &signed, REQUESTER).fails();
        assert_eq!(error, EscrowError::BadSignature, "another {what}");
    }
    let forged = stage.bring(&told, &told, PROVIDER).fails();
    assert_eq!(forged, EscrowError::BadSignature, "another key");
    let _ = stage.bring_signed(REQUESTER, &told).succeeds();
    assert_eq!(stage.paid(escrow), (100, 0));
}

#[test]
fn a_signature_for_a_part_that_is_paid_does_not_pay_the_next() {
    let mut stage = Stage::new();
    let terms = stage.parts(&[100, 900]);
    let escrow = stage.completed(&terms);
    let spare = stage.statement(REQUESTER, escrow, Decision::Release, 2);
    let _ = stage.release(REQUESTER, escrow).succeeds();
    let _ = stage.complete(PROVIDER, escrow).succeeds();
    assert_eq!(stage.bring_signed(REQUESTER, &spare).fails(), EscrowError::WrongPart);
    let second = SignedDecision { part: Part { milestone: 1, completed: true }, ..spare };
    let _ = stage.bring_signed(REQUESTER, &second).succeeds();
    assert_eq!(stage.paid(escrow), (AMOUNT, 0));
}

#[test]
fn a_signed_decision_obeys_the_deadlines() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.funded(&terms);
    let statement = stage.statement(REQUESTER, escrow, Decision::Release, 1);
    stage.world.at(terms.milestones[0].complete_by_ms);
    assert_eq!(stage.bring_signed(REQUESTER, &statement).fails(), EscrowError::TooLate);
}

#[test]
fn the_account_of_zeros_signs_nothing() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    // Valid for the key of zeros by the rules of the curve.
    let mut signature = [0u8; 64];
    signature[63] = 0x80;
    let part = stage.part(escrow);
    let message = on(&stage.escrow).decide_signed(
        escrow,
        part,
        Decision::Release,
        Account::NOBODY.0.into(),
        1,
        u64::MAX,
        signature,
    );
    assert_eq!(stage.call(STRANGER, message).fails(), EscrowError::BadSignature);
}
