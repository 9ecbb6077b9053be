//! Disputes that nobody decides, their times, and votes that pay the same.

use super::*;

/// An escrow whose first part was completed at the start, with this deduction.
fn completed(terms: &Terms, deduction: u128) -> Progress {
    let amount = terms.amount().unwrap();
    Progress { state: State::Completed, since_ms: START, deduction, ..Progress::funded(amount) }
}

fn does(progress: &mut Progress, terms: &Terms, at_ms: u64, actor: Account, act: Act) -> Payout {
    let case = Case { terms, operator: Some(OPERATOR), actor, now_ms: START + at_ms };
    progress.apply(&case, &act, &mut Papers::default()).unwrap()
}

proptest! {
    #[test]
    fn nobody_gains_by_a_dispute_that_nobody_decides(
        fallback in fallback(), deduction in 0..=70u128, reported in prop::option::of(0..=70u128),
    ) {
        let terms = Terms { fallback, ..terms() };
        let mut silent = completed(&terms, deduction);
        let without = does(&mut silent, &terms, 300, STRANGER, Act::Expire);
        let raise = || Act::Raise { milestone: 0, evidence: vec![] };

        let mut theirs = completed(&terms, deduction);
        does(&mut theirs, &terms, 100, REQUESTER, raise());
        let with = does(&mut theirs, &terms, 500, STRANGER, Act::Expire);
        let silent_but_for_the_fee = Payout { fee: 3, ..without };
        prop_assert_eq!(with, silent_but_for_the_fee, "he pays as if he had been silent");
        prop_assert_eq!((theirs.state, theirs.milestone), (State::Funded, 1), "and it goes on");

        let mut own = completed(&terms, deduction);
        does(&mut own, &terms, 100, PROVIDER, raise());
        if let Some(deduction) = reported {
            does(&mut own, &terms, 200, OPERATOR, Act::Report { milestone: 0, deduction });
        }
        let with = does(&mut own, &terms, 500, STRANGER, Act::Expire);
        prop_assert!(with.provider <= without.provider);
        prop_assert!(with.provider <= 70 - deduction.max(reported.unwrap_or(0)));
    }

    #[test]
    fn no_dispute_that_nobody_decides_ends_before_silence_would_have_paid(
        rule in rule(), fallback in fallback(), raised in 0..300u64, by_requester: bool,
    ) {
        let terms = Terms { rule, fallback, ..terms() };
        let mut progress = completed(&terms, 0);
        let silent = progress.due_ms(&terms).unwrap();
        let actor = if by_requester { REQUESTER } else { PROVIDER };
        does(&mut progress, &terms, raised, actor, Act::Raise { milestone: 0, evidence: vec![] });
        let due = progress.due_ms(&terms).unwrap();
        prop_assert_eq!(due, silent.max(START + raised + 400));
        let case = Case { terms: &terms, operator: None, actor: STRANGER, now_ms: due - 1 };
        let early = progress.apply(&case, &Act::Expire, &mut Papers::default());
        prop_assert_eq!(early, Err(EscrowError::NotDue));
        does(&mut progress, &terms, due - START, STRANGER, Act::Expire);
    }

    #[test]
    fn a_dispute_takes_nothing_from_the_time_for_the_next_part(decided: bool, lasts in 1..400u64) {
        let terms = terms();
        let mut progress = completed(&terms, 0);
        does(&mut progress, &terms, 100, REQUESTER, Act::Raise { milestone: 0, evidence: vec![] });
        let end = if decided { lasts } else { 400 + lasts };
        let mut papers = Papers::default();
        let acts = if decided {
            let vote = |number| (member(number), Act::Vote { milestone: 0, verdict: Verdict::Release });
            vec![vote(0), vote(1)]
        } else {
            vec![(STRANGER, Act::Expire)]
        };
        for (actor, act) in acts {
            let case = Case { terms: &terms, operator: None, actor, now_ms: START + 100 + end };
            progress.apply(&case, &act, &mut papers).unwrap();
        }
        // Nor does it give more than it may take: whoever notes its end when.
        prop_assert_eq!(progress.due_ms(&terms), Some(START + 2_000 + end.min(400)));
    }
}

#[test]
fn votes_that_pay_the_same_agree_however_they_are_spelled() {
    let terms = terms();
    let split =
        |provider_share, requester_share| Verdict::Split { provider_share, requester_share };
    for (one, other, paid) in
        [(Verdict::Release, split(70, 0), (60, 10)), (Verdict::Refund, split(0, 70), (0, 100))]
    {
        let mut progress = completed(&terms, 10);
        does(&mut progress, &terms, 1, PROVIDER, Act::Raise { milestone: 0, evidence: vec![] });
        let mut papers = Papers::default();
        let mut payout = Payout::default();
        for (number, verdict) in [(0, one), (2, other)] {
            let actor = member(number);
            let case = Case { terms: &terms, operator: None, actor, now_ms: START + 2 };
            let act = Act::Vote { milestone: 0, verdict };
            payout = progress.apply(&case, &act, &mut papers).unwrap();
        }
        assert_eq!((payout.provider, payout.requester), paid, "{one:?}");
    }
}

#[test]
fn a_lock_opens_at_the_later_of_its_time_and_the_end_of_the_review() {
    for (release_after_ms, due) in [(START + 100, START + 300), (START + 900, START + 900)] {
        let terms = Terms { rule: Rule::TimeLocked { release_after_ms }, ..terms() };
        assert_eq!(completed(&terms, 0).due_ms(&terms), Some(due));
    }
}

#[test]
fn a_dispute_opens_no_lock_and_gives_the_next_part_no_more_than_it_may_take() {
    let opens = START + 1_500;
    let terms = Terms {
        rule: Rule::TimeLocked { release_after_ms: opens },
        fallback: Fallback::Release,
        ..terms()
    };
    for actor in [REQUESTER, PROVIDER] {
        let mut progress = completed(&terms, 0);
        does(&mut progress, &terms, 0, actor, Act::Raise { milestone: 0, evidence: vec![] });
        assert_eq!(progress.due_ms(&terms), Some(opens));
        let paid = does(&mut progress, &terms, 1_500, STRANGER, Act::Expire);
        assert_eq!((paid.provider, progress.moved_ms), (70, 400));
    }
}
