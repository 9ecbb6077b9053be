//! The state machine under random stories, and the edge values of terms.

use super::*;
use crate::hash::Native;
use proptest::prelude::*;

const REQUESTER: Account = [1; 32];
const PROVIDER: Account = [2; 32];
const OPERATOR: Account = [3; 32];
const STRANGER: Account = [4; 32];
const START: u64 = 1_000_000;

fn member(number: u8) -> Account {
    [100 + number; 32]
}

fn terms() -> Terms {
    let part = |amount, complete_by_ms| Milestone { amount, complete_by_ms };
    Terms {
        requester: REQUESTER,
        provider: PROVIDER,
        token: [9; 32],
        milestones: vec![part(70, START + 1_000), part(30, START + 2_000)],
        rule: Rule::Single,
        panel: Panel { required: 2, members: (0..3).map(member).collect() },
        fund_by_ms: START + 500,
        review_ms: 300,
        dispute_ms: 400,
        fallback: Fallback::Refund,
        job: [7; 32],
    }
}

fn changed(change: impl Fn(&mut Terms)) -> Result<(), TermsError> {
    let mut terms = terms();
    change(&mut terms);
    terms.check(START)
}

#[test]
fn terms_are_checked_at_their_edges() {
    assert_eq!(changed(|_| ()), Ok(()));
    assert_eq!(changed(|t| t.fund_by_ms = START + 1), Ok(()));
    assert_eq!(changed(|t| t.fund_by_ms = START), Err(TermsError::WrongDeadline));
    assert_eq!(changed(|t| t.fund_by_ms = START + 1_000), Ok(()));
    assert_eq!(changed(|t| t.fund_by_ms = START + 1_001), Err(TermsError::WrongDeadline));
    assert_eq!(changed(|t| t.milestones[1].complete_by_ms = START + 1_300), Ok(()));
    let close = changed(|t| t.milestones[1].complete_by_ms = START + 1_299);
    assert_eq!(close, Err(TermsError::WrongDeadline));
    assert_eq!(changed(|t| t.milestones[1].complete_by_ms = START + MAX_TERM_MS), Ok(()));
    let far = changed(|t| t.milestones[1].complete_by_ms = START + MAX_TERM_MS + 1);
    assert_eq!(far, Err(TermsError::WrongDeadline));
    assert_eq!(changed(|t| t.dispute_ms = MAX_WINDOW_MS), Ok(()));
    assert_eq!(changed(|t| t.dispute_ms = MAX_WINDOW_MS + 1), Err(TermsError::WrongWindow));
    assert_eq!(changed(|t| t.milestones[1].amount = u128::MAX - 70), Ok(()));
    assert_eq!(changed(|t| t.milestones[1].amount = u128::MAX - 69), Err(TermsError::WrongAmount));
    let split = |provider_bps| changed(|t| t.fallback = Fallback::Split { provider_bps });
    assert_eq!(split(10_000), Ok(()));
    assert_eq!(split(10_001), Err(TermsError::WrongFallback));
}

#[test]
fn terms_funded_at_once_need_no_time_for_funding() {
    let late = Terms { fund_by_ms: 0, ..terms() };
    assert_eq!(late.check(START), Err(TermsError::WrongDeadline));
    assert_eq!(late.check_funded(START), Ok(()));
    assert_eq!(late.check_funded(START + 999), Ok(()));
    assert_eq!(late.check_funded(START + 1_000), Err(TermsError::WrongDeadline));
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
        genesis: [1; 32],
        contract: [2; 32],
        escrow: 3,
        milestone: 4,
        decision: Decision::Release,
        signer: [5; 32],
        nonce: 6,
        expires_ms: 7,
    };
    let others = [
        SignedDecision { genesis: [0; 32], ..signed },
        SignedDecision { contract: [0; 32], ..signed },
        SignedDecision { escrow: 0, ..signed },
        SignedDecision { milestone: 0, ..signed },
        SignedDecision { decision: Decision::Refund, ..signed },
        SignedDecision { signer: [0; 32], ..signed },
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
        detail: detail::<Native>(&Act::Fund, &Payout::default()),
    };
    let (a, b) = (entry(Action::Created), entry(Action::Funded));
    let head = chain::<Native>(1, &[a, b]);
    assert_eq!(head.len, 2);
    assert_ne!(head, chain::<Native>(2, &[a, b]));
    assert_ne!(head, chain::<Native>(1, &[b, a]));
    assert_ne!(
        detail::<Native>(&Act::Fund, &Payout::default()),
        detail::<Native>(&Act::Fund, &Payout { provider: 0, requester: 1 })
    );
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
        Just(split(20, 80)),
        Just(split(20, 10)),
        (any::<u128>(), any::<u128>()).prop_map(move |(a, b)| split(a, b)),
    ]
}

fn decision() -> impl Strategy<Value = Decision> {
    prop_oneof![Just(Decision::Release), Just(Decision::Refund)]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Fund),
        3 => Just(Act::Complete([5; 32])),
        3 => (0..80u128).prop_map(|deduction| Act::CompleteFor { result: [6; 32], deduction }),
        6 => decision().prop_map(Act::Decide),
        1 => decision().prop_map(|decision| Act::DecideSigned { decision, nonce: 1 }),
        2 => Just(Act::Raise(vec![vec![1; 46]])),
        1 => Just(Act::AddEvidence(vec![2; 46])),
        6 => verdict().prop_map(Act::Vote),
        3 => Just(Act::Expire),
        1 => (0..110u128).prop_map(Act::Settle),
        1 => Just(Act::Create([0; 32])),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let locked = (0..3_000u64).prop_map(|ms| Rule::TimeLocked { release_after_ms: START + ms });
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
        if matches!(act, Act::Fund) && outcome.is_ok() {
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
            assert!(matches!(act, Act::Vote(_) | Act::Expire));
        }
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
        prop_assert_eq!(terms.check(START), Ok(()));
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
        story.extend(vec![(10_000, STRANGER, Act::Expire); 5]);
        let end = play(&terms, operated.then_some(OPERATOR), story);
        prop_assert!(end.ending.is_some(), "{:?}", end.state);
        prop_assert_eq!(end.locked, 0);
    }
}
