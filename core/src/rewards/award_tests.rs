use super::*;
use crate::hash::Native;
use crate::merkle::Tree;
use crate::report::{Feed, FeedState, ReportKind};
use proptest::prelude::*;

const STATE: AwardState = AwardState {
    epoch: 4,
    end_ms: 1_000,
    carried: 30,
    claims_root: Digest([4; 32]),
    claims: 7,
    total: 500,
};
const BOUNDS: Bounds = Bounds { emission: 100, min_epoch_ms: 60, funded: 650, observed_ms: 1_060 };
const NEXT: Award = Award {
    epoch: 5,
    start_ms: 1_000,
    end_ms: 1_060,
    pool: 100,
    carried_in: 30,
    awarded: 110,
    carried_out: 20,
    claims_root: Digest([5; 32]),
    claims: 7,
    total: 610,
    ranking: Digest([6; 32]),
};

fn check(change: impl Fn(&mut Award)) -> Result<(), AwardError> {
    let mut award = NEXT;
    change(&mut award);
    award.check_next(&STATE, &BOUNDS)
}

#[test]
fn epochs_follow_without_gaps_in_number_and_time() {
    assert_eq!(check(|_| ()), Ok(()));
    assert_eq!(check(|a| a.epoch = 4), Err(AwardError::WrongEpoch { expected: 5 }));
    assert_eq!(check(|a| a.epoch = 6), Err(AwardError::WrongEpoch { expected: 5 }));
    assert_eq!(check(|a| a.start_ms = 999), Err(AwardError::WrongStart));
    assert_eq!(check(|a| a.start_ms = 1_001), Err(AwardError::WrongStart));
    assert_eq!(check(|a| a.end_ms = 1_059), Err(AwardError::TooShort));
    assert_eq!(check(|a| a.end_ms = 0), Err(AwardError::TooShort));
    assert_eq!(check(|a| a.end_ms = 1_061), Err(AwardError::NotOver));
    let later = Bounds { observed_ms: 9_000, ..BOUNDS };
    assert_eq!(Award { end_ms: 9_000, ..NEXT }.check_next(&STATE, &later), Ok(()), "longer");
    let no_minimum = Bounds { min_epoch_ms: 0, ..BOUNDS };
    let none = Award { end_ms: 1_000, ..NEXT };
    assert_eq!(none.check_next(&STATE, &no_minimum), Err(AwardError::TooShort));
}

#[test]
fn no_unit_is_awarded_that_is_not_there() {
    assert_eq!(check(|a| a.carried_in = 29), Err(AwardError::WrongCarry));
    assert_eq!(check(|a| a.pool = 101), Err(AwardError::AboveEmission));
    assert_eq!(check(|a| a.awarded = 111), Err(AwardError::Unbalanced));
    assert_eq!(check(|a| a.carried_out = 19), Err(AwardError::Unbalanced));
    assert_eq!(check(|a| a.total = 611), Err(AwardError::WrongTotal));
    let overflow = AwardError::Math(MathError::Overflow);
    assert_eq!(check(|a| a.awarded = u128::MAX), Err(overflow));
    // 650 were paid in, 500 are awarded and 30 carried: 120 are free.
    assert_eq!(STATE.free(650), Ok(120));
    assert_eq!((STATE.next_pool(100, 650), STATE.next_pool(121, 650)), (Ok(100), Ok(120)));
    assert_eq!(STATE.free(529), Err(MathError::Overflow));
    let with = |pool: u128, funded| {
        let award = Award { pool, awarded: 10 + pool, total: 510 + pool, ..NEXT };
        award.check_next(&STATE, &Bounds { emission: u128::MAX, funded, ..BOUNDS })
    };
    assert_eq!(with(120, 650), Ok(()));
    assert_eq!(with(121, 650), Err(AwardError::AboveFunding));
    assert_eq!(with(0, 530), Ok(()));
    assert_eq!(with(1, 530), Err(AwardError::AboveFunding));
}

#[test]
fn the_number_of_claims_is_bounded_and_never_falls() {
    assert_eq!(check(|a| a.claims = 6), Err(AwardError::WrongCount));
    assert_eq!(check(|a| a.claims = MAX_CLAIMS), Ok(()));
    assert_eq!(check(|a| a.claims = MAX_CLAIMS + 1), Err(AwardError::WrongCount));
    assert_eq!(1usize << MAX_PROOF, usize::try_from(MAX_CLAIMS).unwrap());
}

#[test]
fn a_report_holds_one_award() {
    let feed = Feed { kind: ReportKind::Rewards, contract: Account([9; 32]) };
    let state = FeedState { slot: 4, digest: Digest([1; 32]), time_ms: 900 };
    let report = NEXT.report::<Native>(0b11, feed, &state, 1_060);
    assert_eq!((report.slot, report.previous, report.time_ms), (5, Digest([1; 32]), 1_060));
    assert!(NEXT.matches::<Native>(0b11, &report));
    assert!(!Award { pool: 99, ..NEXT }.matches::<Native>(0b11, &report));
    let two = crate::report::Report { leaf_count: 2, ..report };
    assert!(!NEXT.matches::<Native>(0b11, &two));
}

#[test]
fn emission_changes_only_for_epochs_to_come() {
    // `epoch` is settled and ended at 1,000; none is shorter than 60.
    let changed = |emission: &Emission, epoch: u64, from: u64, amount: u128| {
        emission.changed(&AwardState { epoch, ..STATE }, 60, 1_000, from, amount)
    };
    let start = Emission::constant(100);
    assert_eq!((start.at(1), start.at(u64::MAX)), (100, 100));
    assert_eq!(changed(&start, 2, 3, 50), None, "the epoch that runs");
    assert_eq!(changed(&start, 2, 2, 50), None);
    let planned = changed(&start, 2, 4, 50).unwrap();
    assert_eq!((planned.at(3), planned.at(4), planned.at(9)), (100, 50, 50));
    let replaced = changed(&planned, 2, 8, 70).unwrap();
    assert_eq!((replaced.at(4), replaced.at(7), replaced.at(8)), (100, 100, 70));
    let after = changed(&planned, 3, 6, 70).unwrap();
    assert_eq!((after.at(4), after.at(5), after.at(6)), (50, 50, 70));
}

#[test]
fn emission_of_epochs_that_can_be_over_unsettled_stays() {
    // Epoch 4 ended at 1,000 and nothing is settled since: 5 runs, or is over.
    let start = Emission::constant(100);
    let changed =
        |emission: &Emission, now_ms, from| emission.changed(&STATE, 60, now_ms, from, 50);
    for (epoch, begins_ms) in [(6, 1_060), (7, 1_120), (10, 1_300)] {
        assert_eq!(STATE.earliest_start_ms(epoch, 60), begins_ms);
        assert!(changed(&start, begins_ms - 1, epoch).is_some());
        assert_eq!(changed(&start, begins_ms, epoch), None, "exactly then it begins");
        assert_eq!(changed(&start, begins_ms + 10_000, epoch), None);
    }
    assert_eq!(changed(&start, 0, 5), None, "the one that runs never");
    assert_eq!((STATE.earliest_start_ms(5, 60), STATE.earliest_start_ms(1, 60)), (1_000, 1_000));
    // A change for 7 binds 7 and what follows, as soon as 7 can have begun.
    let planned = changed(&start, 1_000, 7).unwrap();
    assert!(changed(&planned, 1_119, 20).is_some());
    assert_eq!(changed(&planned, 1_120, 20), None, "7 would fall back to 100");
    let settled = AwardState { epoch: 6, end_ms: 1_120, ..STATE };
    assert!(planned.changed(&settled, 60, 1_179, 8, 70).is_some(), "now 7 runs, with 50");
    // Nothing overflows.
    assert_eq!(STATE.earliest_start_ms(u64::MAX, u64::MAX), u64::MAX);
    assert!(changed(&start, 9_999, u64::MAX).is_some());
    assert_eq!(start.changed(&STATE, u64::MAX, u64::MAX, u64::MAX, 1), None);
    let last = AwardState { epoch: u64::MAX, ..STATE };
    assert_eq!(start.changed(&last, 60, 0, u64::MAX, 1), None);
}

#[test]
fn epochs_have_a_length_and_begin_within_a_year() {
    assert_eq!(MAX_EPOCH_MS, 31_622_400_000);
    assert_eq!(LONGEST_EPOCH_MS, 744 * 3_600_000, "what scores can hold");
    let lengths = [0, 1, LONGEST_EPOCH_MS, LONGEST_EPOCH_MS + 1, MAX_EPOCH_MS].map(is_epoch_length);
    assert_eq!(lengths, [false, true, true, false, false]);
    assert!(starts_soon(0, 5) && starts_soon(5, 5) && starts_soon(5 + MAX_EPOCH_MS, 5));
    assert!(!starts_soon(6 + MAX_EPOCH_MS, 5) && starts_soon(u64::MAX, u64::MAX));
}

fn account(number: u32) -> Account {
    let mut account = [0; 32];
    account[..4].copy_from_slice(&number.to_be_bytes());
    Account(account)
}

/// Uneven scores, ties among them; in each epoch another twentieth is idle.
fn scores(miners: u32, epoch: u32) -> Vec<Score> {
    let moved = |number: u32| match (number + epoch) % 20 {
        0 => 0,
        _ => u128::from((number * 7_919 + epoch * 104_729) % 5_003) + 1,
    };
    (0..miners)
        .map(|number| Score {
            miner: account(number),
            weighted_tenths: moved(number),
            volume_e9: 0,
            frequency_e9: 0,
            consistency_e9: 0,
            final_e9: moved(number),
            last_ms: u64::from(number % 17),
            registered: number % 5 > 0,
        })
        .collect()
}

#[test]
fn twenty_four_epochs_of_ten_thousand_miners_are_proved_with_fourteen_hashes() {
    const MINERS: u32 = 10_000;
    let validators: Vec<_> = (0..23)
        .map(|seat| Validator {
            account: account(1_000_000 + seat),
            stake: 1_000 + u128::from(seat),
            participation_bps: 10_000,
        })
        .collect();
    let (mut state, mut claims) = (AwardState::starting(0), Vec::new());
    let mut expected = alloc::collections::BTreeMap::<Account, u128>::new();
    for epoch in 1u32..=24 {
        let bounds = Bounds {
            emission: 1_000_000_007,
            min_epoch_ms: 3_600_000,
            funded: 25_000_000_000,
            observed_ms: u64::from(epoch) * 3_600_000,
        };
        let pool = state.next_pool(bounds.emission, bounds.funded).unwrap();
        let scores = scores(MINERS, epoch);
        let computed = Award::compute::<Native>(
            &state,
            bounds.observed_ms,
            pool,
            &scores,
            &validators,
            &claims,
        );
        let (award, distribution, after) = computed.unwrap();
        assert_eq!(award.check_next(&state, &bounds), Ok(()));
        for payout in distribution.payouts().unwrap() {
            *expected.entry(payout.account).or_default() += payout.amount;
        }
        let tree = Tree::new::<Native>(leaves::<Native>(&after));
        assert_eq!(tree.root(), award.claims_root);
        for (index, claim) in (0u32..).zip(&after) {
            let proof = tree.prove(index as usize).unwrap();
            assert!(proof.len() <= 14);
            let leaf = claim.leaf::<Native>();
            assert!(merkle::verify::<Native>(
                &award.claims_root,
                award.claims,
                index,
                &leaf,
                &proof
            ));
        }
        (state, claims) = (AwardState::after(&award), after);
    }
    assert_eq!(claims.len(), 10_023);
    assert!(claims.iter().all(|claim| expected[&claim.account] == claim.cumulative));
    assert_eq!(claims.iter().map(|claim| claim.cumulative).sum::<u128>(), state.total);
    assert_eq!(state.total + state.carried, 24 * 1_000_000_007);
}

proptest! {
    #[test]
    fn no_change_reaches_an_epoch_that_has_begun(
        lengths in proptest::collection::vec(60u64..200, 1..12),
        changes in proptest::collection::vec((0u64..25, 0u64..2_000), 1..6),
    ) {
        // The epochs as they are, none of them settled; number 5 begins at 1,000.
        let mut emission = Emission::constant(100);
        let mut now_ms = 1_000;
        for ((from, later_ms), amount) in changes.into_iter().zip(1u128..) {
            now_ms += later_ms;
            let Some(next) = emission.changed(&STATE, 60, now_ms, from, amount) else {
                continue;
            };
            let mut begins_ms = STATE.end_ms;
            for (epoch, length) in (5u64..).zip(&lengths) {
                if begins_ms <= now_ms {
                    prop_assert_eq!(next.at(epoch), emission.at(epoch));
                }
                begins_ms += length;
            }
            prop_assert_eq!(next.at(from), amount);
            emission = next;
        }
    }

    #[test]
    fn what_is_computed_always_follows_and_loses_nothing(
        pools in proptest::collection::vec((0u128..1 << 90, 0u32..30), 1..8),
    ) {
        let (mut state, mut claims, mut taken) = (AwardState::starting(5), Vec::new(), 0u128);
        let funded = pools.iter().map(|(pool, _)| pool).sum();
        for ((pool, miners), epoch) in pools.into_iter().zip(1u32..) {
            let scores = scores(miners, epoch);
            let end_ms = state.end_ms + 10;
            let (award, _, after) =
                Award::compute::<Native>(&state, end_ms, pool, &scores, &[], &claims).unwrap();
            let bounds =
                Bounds { emission: pool, min_epoch_ms: 10, funded, observed_ms: end_ms };
            prop_assert_eq!(award.check_next(&state, &bounds), Ok(()));
            taken += pool;
            (state, claims) = (AwardState::after(&award), after);
            let claimed: u128 = claims.iter().map(|claim| claim.cumulative).sum();
            prop_assert_eq!(claimed, state.total);
            prop_assert_eq!(state.total + state.carried, taken);
        }
    }
}
