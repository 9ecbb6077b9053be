//! The state machine under random stories, and the edge values of terms.

use super::*;
use crate::hash::Native;
use proptest::prelude::*;

mod disputes;

const REQUESTER: Account = Account([1; 32]);
const PROVIDER: Account = Account([2; 32]);
const OPERATOR: Account = Account([3; 32]);
const STRANGER: Account = Account([4; 32]);
const START: u64 = 1_000_000;

fn member(number: u8) -> Account {
    Account([100 + number; 32])
}

const fn range(least_ms: u64, most_ms: u64) -> Range {
    Range { least_ms, most_ms }
}

const LIMITS: Limits =
    Limits { review: range(200, 9_000), dispute: range(100, 9_000), completion: range(400, 9_000) };

fn terms() -> Terms {
    let part = |amount, complete_by_ms| Milestone { amount, complete_by_ms };
    Terms {
        requester: REQUESTER,
        provider: PROVIDER,
        token: Account([9; 32]),
        milestones: vec![part(70, START + 1_000), part(30, START + 2_000)],
        rule: Rule::Single,
        panel: Panel { required: 2, members: (0..3).map(member).collect(), fee_bps: 500 },
        fund_by_ms: START + 500,
        review_ms: 300,
        dispute_ms: 400,
        fallback: Fallback::Refund,
        job: Digest([7; 32]),
    }
}

fn changed(change: impl Fn(&mut Terms)) -> Result<(), TermsError> {
    let mut terms = terms();
    change(&mut terms);
    terms.check(START, &LIMITS)
}

#[test]
fn terms_are_checked_at_their_edges() {
    use TermsError::{WrongAmount, WrongDeadline, WrongFallback, WrongWindow};
    assert_eq!(changed(|_| ()), Ok(()));
    assert_eq!(changed(|t| t.fund_by_ms = START + 1), Ok(()));
    assert_eq!(changed(|t| t.fund_by_ms = START), Err(WrongDeadline));
    // The first part has 400 ms at least after the money came, the second after the latest release.
    assert_eq!(changed(|t| t.fund_by_ms = START + 600), Ok(()));
    assert_eq!(changed(|t| t.fund_by_ms = START + 601), Err(WrongDeadline));
    assert_eq!(changed(|t| t.milestones[1].complete_by_ms = START + 1_700), Ok(()));
    assert_eq!(changed(|t| t.milestones[1].complete_by_ms = START + 1_699), Err(WrongDeadline));
    assert_eq!(changed(|t| t.milestones[1].complete_by_ms = START + 10_300), Ok(()));
    assert_eq!(changed(|t| t.milestones[1].complete_by_ms = START + 10_301), Err(WrongDeadline));
    let locked = |ms| changed(|t| t.rule = Rule::TimeLocked { release_after_ms: START + ms });
    assert_eq!((locked(1_600), locked(1_601)), (Ok(()), Err(WrongDeadline)));
    assert_eq!(
        (changed(|t| t.dispute_ms = 100), changed(|t| t.dispute_ms = 9_000)),
        (Ok(()), Ok(()))
    );
    assert_eq!(changed(|t| t.dispute_ms = 99), Err(WrongWindow));
    assert_eq!(changed(|t| t.dispute_ms = 9_001), Err(WrongWindow));
    assert_eq!(changed(|t| t.review_ms = 199), Err(WrongWindow));
    assert_eq!(changed(|t| t.milestones[1].amount = u128::MAX - 70), Ok(()));
    assert_eq!(changed(|t| t.milestones[1].amount = u128::MAX - 69), Err(WrongAmount));
    let split = |provider_bps| changed(|t| t.fallback = Fallback::Split { provider_bps });
    assert_eq!((split(10_000), split(10_001)), (Ok(()), Err(WrongFallback)));
}

#[test]
fn a_panel_is_a_majority_of_distinct_people_with_a_bounded_fee() {
    let panel = |change: fn(&mut Panel)| changed(|t| change(&mut t.panel));
    let wrong = Err(TermsError::WrongPanel);
    assert_eq!(panel(|p| p.required = 3), Ok(()));
    assert_eq!(panel(|p| p.required = 1), wrong, "one of three is no majority");
    assert_eq!(panel(|p| p.required = 4), wrong);
    assert_eq!(panel(|p| p.members.truncate(2)), Ok(()));
    assert_eq!(panel(|p| p.members.push(member(9))), wrong, "two of four neither");
    assert_eq!(panel(|p| p.members[1] = member(0)), wrong);
    assert_eq!(panel(|p| p.members[1] = PROVIDER), wrong);
    assert_eq!(panel(|p| p.members[1] = Account::NOBODY), wrong);
    assert_eq!(panel(|p| p.fee_bps = 501), wrong);
    assert_eq!(panel(|p| *p = Panel::NONE), Ok(()));
    assert_eq!(panel(|p| *p = Panel { fee_bps: 1, ..Panel::NONE }), wrong);
    assert_eq!(changed(|t| t.provider = REQUESTER), Err(TermsError::WrongParty));
    assert_eq!(changed(|t| t.provider = Account::NOBODY), Err(TermsError::WrongParty));
}

#[test]
fn a_deployment_needs_ranges_that_terms_can_lie_in() {
    assert_eq!(LIMITS.check(), Ok(()));
    for bad in [range(0, 1), range(2, 1), range(1, MAX_TERM_MS + 1)] {
        assert_eq!(Limits { review: bad, ..LIMITS }.check(), Err(TermsError::WrongWindow));
        assert_eq!(Limits { dispute: bad, ..LIMITS }.check(), Err(TermsError::WrongWindow));
        assert_eq!(Limits { completion: bad, ..LIMITS }.check(), Err(TermsError::WrongWindow));
    }
}

#[test]
fn terms_funded_at_once_need_no_time_for_funding() {
    let late = Terms { fund_by_ms: 0, ..terms() };
    assert_eq!(late.check(START, &LIMITS), Err(TermsError::WrongDeadline));
    assert_eq!(late.check_funded(START, &LIMITS), Ok(()));
    assert_eq!(late.check_funded(START + 600, &LIMITS), Ok(()));
    assert_eq!(late.check_funded(START + 601, &LIMITS), Err(TermsError::WrongDeadline));
}

#[test]
fn a_fee_is_shared_to_the_unit_by_those_who_decided() {
    let ballot = |number, verdict| Ballot { by: member(number), verdict };
    let ballots = [
        ballot(0, Verdict::Release),
        ballot(1, Verdict::Refund),
        ballot(2, Verdict::Release),
        ballot(3, Verdict::Release),
    ];
    let shares = fee_shares(&ballots, &member(3), 11);
    assert_eq!(shares, [(member(0), 4), (member(2), 4), (member(3), 3)]);
}

#[test]
fn an_end_of_time_overflows_nothing() {
    let mut terms = terms();
    terms.review_ms = MAX_WINDOW_MS;
    let progress =
        Progress { state: State::Completed, since_ms: u64::MAX - 1, ..Progress::funded(100) };
    assert_eq!(progress.due_ms(&terms), Some(u64::MAX));
}

#[test]
fn what_is_signed_differs_in_every_field() {
    let signed = SignedDecision {
        genesis: Digest([1; 32]),
        contract: Account([2; 32]),
        escrow: 3,
        part: Part { milestone: 4, completed: true },
        decision: Decision::Release,
        signer: Account([5; 32]),
        nonce: 6,
        expires_ms: 7,
    };
    let others = [
        SignedDecision { genesis: Digest::ZERO, ..signed },
        SignedDecision { contract: Account::NOBODY, ..signed },
        SignedDecision { escrow: 0, ..signed },
        SignedDecision { part: Part { milestone: 0, completed: true }, ..signed },
        SignedDecision { part: Part { milestone: 4, completed: false }, ..signed },
        SignedDecision { decision: Decision::Refund, ..signed },
        SignedDecision { signer: Account::NOBODY, ..signed },
        SignedDecision { nonce: 0, ..signed },
        SignedDecision { expires_ms: 0, ..signed },
    ];
    for other in others {
        assert_ne!(signed.digest::<Native>(), other.digest::<Native>(), "{other:?}");
    }
}

#[test]
fn a_log_is_bound_to_its_escrow_and_its_order() {
    let entry = |action| AuditEntry {
        actor: REQUESTER,
        action,
        from: State::Created,
        to: State::Created,
        time_ms: START,
        detail: detail::<Native>(&Act::Fund(Digest::ZERO), &Payout::default()),
    };
    let (a, b) = (entry(Action::Created), entry(Action::Funded));
    let log = |genesis, contract, escrow, entries: &[AuditEntry]| {
        chain::<Native>(
            AuditHead::start::<Native>(&Digest([genesis; 32]), &Account([contract; 32]), escrow),
            entries,
        )
    };
    let head = log(1, 1, 1, &[a, b]);
    assert_eq!(head.len, 2);
    assert_ne!(head, log(2, 1, 1, &[a, b]), "another chain");
    assert_ne!(head, log(1, 2, 1, &[a, b]), "another contract");
    assert_ne!(head, log(1, 1, 2, &[a, b]), "another escrow");
    assert_ne!(head, log(1, 1, 1, &[b, a]), "another order");
    let nothing = Payout::default();
    for other in [Payout { requester: 1, ..nothing }, Payout { fee: 1, ..nothing }] {
        let of = |payout| detail::<Native>(&Act::Fund(Digest::ZERO), payout);
        assert_ne!(of(&nothing), of(&other), "what was paid");
    }
}

fn actor() -> impl Strategy<Value = Account> {
    let members = (0..3u8).prop_map(member);
    prop_oneof![
        4 => Just(REQUESTER), 4 => Just(PROVIDER), 3 => members, 2 => Just(OPERATOR), 1 => Just(STRANGER)
    ]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let split =
        |provider_share, requester_share| Verdict::Split { provider_share, requester_share };
    prop_oneof![
        Just(Verdict::Release),
        Just(Verdict::Refund),
        Just(split(20, 50)),
        Just(split(20, 10)),
        Just(split(0, 70)),
        Just(split(70, 0)),
        (any::<u128>(), any::<u128>()).prop_map(move |(a, b)| split(a, b)),
    ]
}

fn decision() -> impl Strategy<Value = Decision> {
    prop_oneof![Just(Decision::Release), Just(Decision::Refund)]
}

/// Mostly the part that can be meant; that of the story decides what is drawn.
fn act() -> impl Strategy<Value = Act> {
    let part = (0..2u8, any::<bool>());
    let part = part.prop_map(|(milestone, completed)| Part { milestone, completed });
    let m = 0..2u8;
    prop_oneof![
        3 => Just(Act::Fund(Digest::ZERO)),
        4 => m.clone().prop_map(|milestone| Act::Complete { milestone, result: Digest([5; 32]) }),
        4 => (m.clone(), 0..80u128)
            .prop_map(|(milestone, deduction)| Act::CompleteFor { milestone, result: Digest([6; 32]), deduction }),
        9 => (part.clone(), decision()).prop_map(|(part, decision)| Act::Decide { part, decision }),
        1 => (part, decision())
            .prop_map(|(part, decision)| Act::DecideSigned { part, decision, nonce: 1 }),
        4 => m.clone().prop_map(|milestone| Act::Raise { milestone, evidence: vec![vec![1; 46]] }),
        1 => Just(Act::AddEvidence(vec![2; 46])),
        2 => (m.clone(), 0..80u128)
            .prop_map(|(milestone, deduction)| Act::Report { milestone, deduction }),
        8 => (m, verdict()).prop_map(|(milestone, verdict)| Act::Vote { milestone, verdict }),
        3 => Just(Act::Expire),
        1 => (0..110u128).prop_map(Act::Settle),
        1 => Just(Act::Create(Digest::ZERO)),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let locked = (0..1_600u64).prop_map(|ms| Rule::TimeLocked { release_after_ms: START + ms });
    prop_oneof![Just(Rule::Single), Just(Rule::BothParties), Just(Rule::Arbitrators), locked]
}

fn fallback() -> impl Strategy<Value = Fallback> {
    let split = (0..=10_000u16).prop_map(|provider_bps| Fallback::Split { provider_bps });
    prop_oneof![Just(Fallback::Refund), Just(Fallback::Release), split]
}

/// Acts until the end of the story; what each of them did is checked.
fn play(terms: &Terms, operator: Option<Account>, story: Vec<(u64, Account, Act)>) -> Progress {
    let amount = terms.amount().unwrap();
    let mut progress = match operator {
        Some(_) => Progress::funded(amount),
        None => Progress::CREATED,
    };
    let mut rounds = std::collections::BTreeMap::<u8, Vec<Ballot>>::new();
    let mut evidence = Vec::new();
    let mut now_ms = START;
    for (wait, actor, act) in story {
        now_ms += wait;
        let case = Case { terms, operator, actor, now_ms };
        let round = progress.round();
        let ballots = rounds.get(&round).cloned().unwrap_or_default();
        let mut papers = Papers { ballots, evidence: std::mem::take(&mut evidence) };
        let (before, kept) = (progress.clone(), papers.clone());
        let due = before.due_ms(terms);
        let outcome = progress.apply(&case, &act, &mut papers);
        if outcome.is_err() {
            // As the chain does after an error.
            progress = before.clone();
            papers = kept;
        }
        let payout = outcome.unwrap_or_default();
        let paid = payout.provider + payout.requester;

        // Money: nothing is made, nothing is lost.
        let (p, r) = (progress.provider_paid, progress.requester_paid);
        assert_eq!(p, before.provider_paid + payout.provider);
        assert_eq!(r, before.requester_paid + payout.requester);
        if matches!(act, Act::Fund(_)) && outcome.is_ok() {
            assert_eq!((before.locked, progress.locked, paid), (0, amount, 0));
        } else {
            assert_eq!(progress.locked + paid, before.locked);
        }
        let came_in = !matches!(progress.state, State::Created | State::Expired);
        assert_eq!(progress.locked + p + r, if came_in { amount } else { 0 });

        // Ends are final and hold nothing; what has not ended has a deadline.
        if due.is_none() {
            assert!(outcome.is_err(), "{act:?} moved {:?}", before.state);
        }
        let ended = progress.due_ms(terms).is_none();
        assert_eq!(ended, progress.ending.is_some());
        assert!(!ended || progress.locked == 0);

        // The deadline: at and after it nothing pays against the timeout; before it no timeout.
        let late = due.is_some_and(|due| now_ms >= due);
        if matches!(act, Act::Expire) {
            assert_eq!(outcome.is_ok(), late, "{:?}", before.state);
        } else if late && outcome.is_ok() {
            match before.state {
                State::Funded => assert_eq!(payout.provider, 0),
                State::Completed => assert!(progress.state != State::Refunded),
                state => panic!("{act:?} after the deadline of {state:?}"),
            }
        }
        // In a dispute only votes and the deadline pay.
        if before.state == State::Disputed && paid > 0 {
            assert!(matches!(act, Act::Vote { .. } | Act::Expire));
        }
        // Who got something did something, or those who may give it said so.
        if payout.provider > 0 {
            let delivered = matches!(before.state, State::Completed | State::Disputed);
            let said =
                matches!(act, Act::Decide { .. } | Act::DecideSigned { .. } | Act::Settle(_));
            assert!(delivered || said, "{act:?} paid undone work");
        }
        // What is said about one part does nothing to another, nor to itself at another time.
        if outcome.is_ok() {
            let now = (before.milestone, before.state == State::Completed);
            match act {
                Act::Decide { part, .. } | Act::DecideSigned { part, .. } => {
                    assert_eq!((part.milestone, part.completed), now);
                }
                Act::Complete { milestone, .. }
                | Act::CompleteFor { milestone, .. }
                | Act::Raise { milestone, .. }
                | Act::Report { milestone, .. }
                | Act::Vote { milestone, .. } => assert_eq!(milestone, now.0),
                _ => {}
            }
        }
        // A dispute is about delivered work, and takes no more than that part from anybody.
        if progress.state == State::Disputed && before.state != State::Disputed {
            assert_eq!(before.state, State::Completed);
            assert_eq!(
                progress.deposit,
                terms.milestones[usize::from(before.milestone)].amount / 20
            );
        }
        if before.state == State::Disputed && payout.provider > 0 {
            assert_eq!(paid, terms.milestones[usize::from(before.milestone)].amount);
        }
        assert!(progress.deposit == 0 || progress.state == State::Disputed);
        assert_eq!(payout.fee, before.deposit.abs_diff(progress.deposit), "no fee moves unnamed");
        // Nobody pays himself.
        if terms.rule == Rule::Single && act.action() == Action::Decided {
            assert!(payout.provider == 0 || actor == REQUESTER);
            assert!(payout.requester == 0 || actor == PROVIDER || operator.is_some());
        }
        assert!(papers.ballots.len() <= 3 && papers.evidence.len() <= 16);
        rounds.insert(round, papers.ballots);
        evidence = papers.evidence;
    }
    progress
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn no_story_breaks_the_rules(
        rule in rule(),
        fallback in fallback(),
        operated: bool,
        story in prop::collection::vec((0..250u64, actor(), act()), 1..60),
    ) {
        let terms = Terms { rule, fallback, ..terms() };
        prop_assert_eq!(terms.check(START, &LIMITS), Ok(()));
        play(&terms, operated.then_some(OPERATOR), story);
    }

    #[test]
    fn whatever_happens_a_stranger_can_end_it(
        rule in rule(),
        fallback in fallback(),
        operated: bool,
        mut story in prop::collection::vec((0..100u64, actor(), act()), 0..30),
    ) {
        let terms = Terms { rule, fallback, ..terms() };
        // At most: funding, two parts in work and two in review, or a dispute.
        story.extend(vec![(30_000, STRANGER, Act::Expire); 5]);
        let end = play(&terms, operated.then_some(OPERATOR), story);
        prop_assert!(end.ending.is_some(), "{:?}", end.state);
        prop_assert_eq!(end.locked, 0);
    }
}
