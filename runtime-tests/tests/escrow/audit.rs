//! The log: an entry and an event for every change, each bound to the one before.

use crate::stage::*;
use cicada_core::escrow::*;
use cicada_core::hash::Native;
use cicada_core::Account;
use cicada_runtime_tests::{address, on, Emitted};
use cicada_traits::escrow::{Escrow, EscrowOperator};
use escrow::escrow::EscrowAdvanced;
use parity_scale_codec::Decode;

/// Where the log of an escrow starts.
fn start(stage: &Stage, escrow: u64) -> AuditHead {
    AuditHead::start::<Native>(&GENESIS, &Account::of(&address(&stage.escrow)), escrow)
}

/// The log as its events tell it, checked link by link.
fn from_events(stage: &Stage, emitted: &[Emitted], escrow: u64) -> Vec<AuditEntry> {
    let signature = <EscrowAdvanced as ink::env::Event>::SIGNATURE_TOPIC;
    let mut head = start(stage, escrow);
    let mut log = Vec::new();
    for event in emitted {
        if event.contract != address(&stage.escrow) || event.topics.first() != signature.as_ref() {
            continue;
        }
        let event = EscrowAdvanced::decode(&mut &event.data[..]).expect("the event decodes");
        if event.escrow != escrow {
            continue;
        }
        let entry = AuditEntry {
            actor: Account::of(&event.actor),
            action: event.action,
            from: event.from,
            to: event.to,
            time_ms: event.time_ms,
            detail: event.detail,
        };
        assert_eq!(head.append::<Native>(&entry), event.index);
        assert_eq!(head.digest, event.digest, "the link of entry {}", event.index);
        log.push(entry);
    }
    log
}

#[test]
fn the_log_can_be_recomputed_from_events_and_from_the_view() {
    let mut stage = Stage::new();
    let mut terms = Terms { rule: Rule::BothParties, ..stage.parts(&[400, 600]) };
    terms.panel.fee_bps = 500;
    let mut emitted = Vec::new();
    let noise = stage.funded(&stage.terms());
    let created = stage.create(PROVIDER, &terms);
    emitted.extend(created.emitted.clone());
    let escrow = created.succeeds().value;
    let part = Part { milestone: 0, completed: true };
    let one = SignedDecision { part, ..stage.statement(PROVIDER, escrow, Decision::Release, 3) };
    emitted.extend(stage.fund(REQUESTER, escrow).emitted);
    emitted.extend(stage.release(REQUESTER, noise).emitted);
    stage.world.next_block();
    emitted.extend(stage.complete(PROVIDER, escrow).emitted);
    emitted.extend(stage.release(REQUESTER, escrow).emitted);
    emitted.extend(stage.bring_signed(PROVIDER, &one).emitted);
    stage.world.next_block();
    emitted.extend(stage.complete(PROVIDER, escrow).emitted);
    emitted.extend(stage.raise(REQUESTER, escrow).emitted);
    emitted.extend(stage.add_evidence(PROVIDER, escrow, b"bafy-2").emitted);
    let verdict = Verdict::Split { provider_share: 200, requester_share: 400 };
    emitted.extend(stage.vote(ARBITRATORS[0], escrow, verdict).emitted);
    emitted.extend(stage.vote(ARBITRATORS[1], escrow, verdict).emitted);

    let log = stage.audit(escrow);
    assert_eq!(from_events(&stage, &emitted, escrow), log);
    let head = chain::<Native>(start(&stage, escrow), &log);
    let summary = stage.summary(escrow);
    assert_eq!((summary.audit_len, summary.audit_head), (head.len, head.digest));

    let nothing = Payout::default();
    let acts = [
        (Act::Create(terms_digest::<Native>(&terms)), nothing),
        (Act::Fund(terms_digest::<Native>(&terms)), nothing),
        (Act::Complete { milestone: 0, result: RESULT }, nothing),
        (Act::Decide { part, decision: Decision::Release }, nothing),
        (
            Act::DecideSigned { part, decision: Decision::Release, nonce: 3 },
            Payout { provider: 400, ..nothing },
        ),
        (Act::Complete { milestone: 1, result: RESULT }, nothing),
        (
            Act::Raise { milestone: 1, evidence: vec![b"bafy-first".to_vec()] },
            Payout { fee: 30, ..nothing },
        ),
        (Act::AddEvidence(b"bafy-2".to_vec()), nothing),
        (Act::Vote { milestone: 1, verdict }, nothing),
        (Act::Vote { milestone: 1, verdict }, Payout { provider: 200, requester: 400, fee: 30 }),
    ];
    assert_eq!(log.len(), acts.len());
    for (entry, (act, payout)) in log.iter().zip(&acts) {
        assert_eq!(entry.action, act.action());
        assert_eq!(entry.detail, detail::<Native>(act, payout), "{act:?}");
    }
    let states: Vec<_> = log.iter().map(|entry| entry.to).collect();
    use State::*;
    assert_eq!(
        states,
        [
            Created, Funded, Completed, Completed, Funded, Completed, Disputed, Disputed, Disputed,
            Resolved
        ]
    );
    assert!(log.windows(2).all(|pair| pair[0].to == pair[1].from));
    let actors: Vec<_> = log.iter().map(|entry| entry.actor).collect();
    let (a, b) = (id(REQUESTER), id(PROVIDER));
    assert_eq!(actors, [b, a, b, a, b, b, a, b, id(ARBITRATORS[0]), id(ARBITRATORS[1])]);
}

#[test]
fn an_operators_escrow_is_logged_in_the_same_way() {
    let mut stage = Stage::new();
    let reserve = stage.reserved(AMOUNT);
    let terms = stage.terms();
    let drawn = stage.draw(OPERATOR, reserve, &terms);
    let mut emitted = drawn.emitted.clone();
    let escrow = drawn.succeeds().value;
    emitted.extend(stage.complete_for(OPERATOR, escrow, 5).emitted);
    emitted.extend(stage.settle(OPERATOR, escrow, 900).emitted);
    let log = stage.audit(escrow);
    assert_eq!(from_events(&stage, &emitted, escrow), log);
    let digest = terms_digest::<Native>(&terms);
    let acts = [
        (Act::Draw { reserve, terms: digest }, Payout::default()),
        (Act::CompleteFor { milestone: 0, result: RESULT, deduction: 5 }, Payout::default()),
        (Act::Settle(900), Payout { provider: 900, requester: 100, fee: 0 }),
    ];
    assert_eq!(log.len(), 3);
    for (entry, (act, payout)) in log.iter().zip(&acts) {
        assert_eq!((entry.actor, entry.action), (id(OPERATOR), act.action()));
        assert_eq!(entry.detail, detail::<Native>(act, payout));
    }
}

#[test]
fn a_timeout_is_logged_with_who_triggered_it_and_the_states_before_and_after() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    stage.world.advance(terms.review_ms);
    let event = stage.expire(STRANGER, escrow).succeeds().event::<EscrowAdvanced>(&stage.escrow);
    assert_eq!((Account::of(&event.actor), event.action), (id(STRANGER), Action::Expired));
    assert_eq!((event.from, event.to), (State::Completed, State::Released));
    assert_eq!(event.time_ms, stage.now());
    let payout = Payout { provider: AMOUNT, requester: 0, fee: 0 };
    assert_eq!(event.detail, detail::<Native>(&Act::Expire, &payout));
}

#[test]
fn two_escrows_with_equal_stories_have_different_logs() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let (one, two) = (stage.funded(&terms), stage.funded(&terms));
    assert_eq!(stage.audit(one), stage.audit(two));
    assert_ne!(stage.summary(one).audit_head, stage.summary(two).audit_head);
}

#[test]
fn a_changed_or_missing_entry_changes_the_head() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    let log = stage.audit(escrow);
    let head = stage.summary(escrow).audit_head;
    assert_eq!(chain::<Native>(start(&stage, escrow), &log).digest, head);
    assert_ne!(chain::<Native>(start(&stage, escrow), &log[..2]).digest, head);
    assert_ne!(chain::<Native>(start(&stage, escrow), &log[1..]).digest, head);
    let mut changed = log.clone();
    changed[1].actor = id(STRANGER);
    assert_ne!(chain::<Native>(start(&stage, escrow), &changed).digest, head);
    assert_eq!(chain::<Native>(start(&stage, escrow), &[]), start(&stage, escrow));
}

#[test]
fn the_log_is_read_by_page() {
    let mut stage = Stage::new();
    let terms = stage.under(Rule::BothParties);
    let escrow = stage.funded(&terms);
    for turn in 0..51 {
        let decision = if turn % 2 == 0 { Decision::Release } else { Decision::Refund };
        let _ = stage.decide(REQUESTER, escrow, decision).succeeds();
    }
    let all = stage.audit(escrow);
    assert_eq!(all.len(), 53);
    assert_eq!(
        chain::<Native>(start(&stage, escrow), &all).digest,
        stage.summary(escrow).audit_head
    );
    let mut page = |from, limit| stage.world.read(on(&stage.escrow).audit(escrow, from, limit));
    assert_eq!(page(0, 2), all[..2]);
    assert_eq!(page(0, u32::MAX), all[..MAX_PAGE as usize]);
    assert_eq!(page(50, 50), all[50..]);
    assert_eq!(page(52, 1), all[52..]);
    assert!(page(53, 50).is_empty());
    assert!(page(0, 0).is_empty());
    assert!(page(u32::MAX, 50).is_empty());
}

#[test]
fn what_fails_leaves_no_entry() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.funded(&terms);
    let before = stage.summary(escrow);
    let _ = stage.complete(STRANGER, escrow).fails();
    let _ = stage.expire(STRANGER, escrow).fails();
    assert_eq!(stage.summary(escrow), before);
    assert!(stage.world.read(on(&stage.escrow).reserve_of(0)).is_none());
}

#[test]
fn logs_of_two_contracts_have_no_digest_in_common() {
    let (mut one, mut two) = (Stage::new(), Stage::new());
    // The same story, in a contract at another address.
    let constructor = escrow::escrow::EscrowContractRef::new(GENESIS, LIMITS);
    let other =
        two.world.as_(cicada_runtime_tests::account(REQUESTER)).deploy("escrow", constructor);
    two.escrow = other.expect("limits in order");
    let terms = one.terms();
    let (a, b) = (one.created(&terms), two.created(&terms));
    assert_eq!(a, b);
    assert_eq!(one.audit(a), two.audit(b));
    assert_ne!(one.summary(a).audit_head, two.summary(b).audit_head);
}
