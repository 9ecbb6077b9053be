use super::*;
use crate::hash::Native;
use crate::report::ReportKind;
use alloc::vec::Vec;
use num_bigint::BigUint;
use num_rational::Ratio;
use proptest::prelude::*;
use Severity::{Critical, Minor, Moderate, None as Nothing, Severe};

const ALL: [Severity; 5] = [Nothing, Minor, Moderate, Severe, Critical];

fn weights(list: &[(u8, u128)]) -> Vec<Weight> {
    list.iter().map(|(account, weight)| (Account([*account; 32]), *weight)).collect()
}

fn distance(a: &[(u8, u128)], b: &[(u8, u128)]) -> Result<u128, NotInOrder> {
    ranking_distance_bps_ceil(&weights(a), &weights(b))
}

#[test]
fn the_upper_bounds_belong_to_their_bands() {
    let edges = |bands: Bands, list: [u32; 4]| {
        let mut found = Vec::new();
        for bound in list {
            found.push(bands.severity(bound));
        }
        found
    };
    assert_eq!(edges(Bands::NAV, [50, 100, 500, u32::MAX]), ALL[..4], "never critical");
    assert_eq!(edges(Bands::NAV, [0, 51, 101, 501]), ALL[..4]);
    assert_eq!(edges(Bands::RANKING, [500, 1_000, 1_500, 10_000]), ALL[..4]);
    assert_eq!(edges(Bands::RANKING, [0, 501, 1_001, 1_501]), ALL[..4]);
    assert_eq!(Bands::NAV.severity(200), Moderate, "two per cent off");
}

#[test]
fn parameters_must_rise_to_at_most_the_whole() {
    assert_eq!((Bands::NAV.check(), Bands::RANKING.check()), (Ok(()), Ok(())));
    let falling = Bands { minor_bps: 49, ..Bands::NAV };
    assert_eq!(falling.check(), Err(ParameterError::NotRising));
    assert_eq!(Rates::DEFAULT.check(), Ok(()));
    let falling = Rates { severe_bps: 499, ..Rates::DEFAULT };
    assert_eq!(falling.check(), Err(ParameterError::NotRising));
    let whole = Rates { critical_bps: 10_000, ..Rates::DEFAULT };
    assert_eq!(whole.check(), Ok(()));
    let above = Rates { critical_bps: 10_001, ..Rates::DEFAULT };
    assert_eq!(above.check(), Err(ParameterError::AboveWhole));
    assert_eq!(penalty_ceil(10_001, 7), 7, "not even then more than there is");
    let floor = Rates { minor_bps: 0, moderate_bps: 0, severe_bps: 0, critical_bps: 1_000 };
    assert_eq!(floor.check(), Ok(()));
    assert_eq!(Rates { critical_bps: 999, ..floor }.check(), Err(ParameterError::BelowFloor));
    assert_eq!(check_unbonding(MIN_UNBONDING_MS), Ok(()));
    assert_eq!(check_unbonding(MIN_UNBONDING_MS - 1), Err(ParameterError::DelayTooShort));
    assert_eq!(check_unbonding(MAX_UNBONDING_MS), Ok(()));
    assert_eq!(check_unbonding(MAX_UNBONDING_MS + 1), Err(ParameterError::DelayTooLong));
    assert_eq!(MAX_UNBONDING_MS, 366 * 24 * 60 * 60 * 1_000);
}

#[test]
fn penalties_round_up_and_stop_at_the_stake() {
    let cost = |stake| ALL.map(|severity| penalty_ceil(Rates::DEFAULT.of(severity), stake));
    assert_eq!(cost(10_000), [0, 100, 500, 1_500, 5_000]);
    assert_eq!(cost(101), [0, 2, 6, 16, 51]);
    assert_eq!(cost(1), [0, 1, 1, 1, 1]);
    assert_eq!(cost(0), [0; 5]);
    assert_eq!(cost(u128::MAX)[4], u128::MAX / 2 + 1);
}

#[test]
fn what_is_being_taken_out_is_reached_too() {
    let stake = Stake { bonded: 400, unbonding: 600 };
    let slash = |severity| stake.slash_ceil(Rates::DEFAULT.of(severity)).unwrap();
    assert_eq!(slash(Severe), (Stake { bonded: 250, unbonding: 600 }, 150));
    assert_eq!(slash(Critical), (Stake { bonded: 0, unbonding: 500 }, 500));
    assert_eq!(slash(Nothing), (stake, 0));
    let too_much = Stake { bonded: u128::MAX, unbonding: 1 };
    assert_eq!(too_much.slash_ceil(100), Err(MathError::Overflow));
}

#[test]
fn below_the_minimum_is_inactive_and_critical_is_ejected() {
    assert_eq!(standing(MIN_STAKE, MIN_STAKE, false), Standing::Active);
    assert_eq!(standing(MIN_STAKE - 1, MIN_STAKE, false), Standing::Inactive);
    assert_eq!(standing(MIN_STAKE * 9, MIN_STAKE, true), Standing::Ejected);
    let exactly = Stake { bonded: MIN_STAKE, unbonding: 0 };
    let (after, _) = exactly.slash_ceil(100).unwrap();
    assert_eq!(standing(after.bonded, MIN_STAKE, false), Standing::Inactive);
}

#[test]
fn rankings_are_compared_by_account() {
    assert_eq!(distance(&[], &[]), Ok(0));
    assert_eq!(distance(&[(1, 0)], &[]), Ok(0));
    assert_eq!(distance(&[(1, 5), (2, 5)], &[(1, 5), (2, 5)]), Ok(0));
    assert_eq!(distance(&[(1, 5)], &[(2, 5)]), Ok(10_000));
    assert_eq!(distance(&[(1, 6), (2, 4)], &[(1, 4), (2, 6)]), Ok(2_000));
    assert_eq!(distance(&[(1, 1)], &[(1, 2)]), Ok(3_334));
    assert_eq!(distance(&[(1, u128::MAX), (2, u128::MAX)], &[]), Ok(10_000));
    assert_eq!(distance(&[(2, 5), (1, 5)], &[]), Err(NotInOrder));
    assert_eq!(distance(&[], &[(1, 5), (1, 5)]), Err(NotInOrder));
}

#[test]
fn an_offence_has_one_id_and_another_offence_another() {
    let feed = Feed { kind: ReportKind::Nav, contract: Account([3; 32]) };
    let kind = OffenceKind::NavDeviation;
    let base = Offence { operator: Account([1; 32]), epoch: 2, feed, slot: 5, kind };
    let others = [
        Offence { operator: Account([2; 32]), ..base },
        Offence { epoch: 3, ..base },
        Offence { feed: Feed { contract: Account([4; 32]), ..feed }, ..base },
        Offence { slot: 6, ..base },
        Offence { kind: OffenceKind::Equivocation, ..base },
    ];
    assert!(others.iter().all(|other| other.id::<Native>() != base.id::<Native>()));
}

#[test]
fn reputation_falls_by_a_point_for_each_percent() {
    for severity in ALL {
        let points = severity.reputation_points();
        assert_eq!(points * 100, Rates::DEFAULT.of(severity));
        assert_eq!(reputation_event(points), Event::SlaViolated { points });
    }
    assert_eq!(Critical.reputation_points(), crate::reputation::START_POINTS);
}

proptest! {
    #[test]
    fn penalties_match_big_rationals(stake: u128, pick in 0usize..5) {
        let rate = [0u32, 100, 500, 1_500, 5_000][pick];
        let exact = Ratio::new(BigUint::from(stake) * rate, BigUint::from(10_000u32));
        let penalty = penalty_ceil(Rates::DEFAULT.of(ALL[pick]), stake);
        prop_assert_eq!(BigUint::from(penalty), exact.ceil().to_integer());
        prop_assert!(penalty <= stake);
    }

    #[test]
    fn a_penalty_leaves_the_stake_exactly(
        bonded in 0..=u128::MAX / 2, unbonding in 0..=u128::MAX / 2, pick in 0usize..5,
    ) {
        let stake = Stake { bonded, unbonding };
        let (after, penalty) = stake.slash_ceil(Rates::DEFAULT.of(ALL[pick])).unwrap();
        prop_assert_eq!(after.remaining().unwrap() + penalty, stake.remaining().unwrap());
        prop_assert!(after.unbonding == unbonding || after.bonded == 0);
    }

    #[test]
    fn the_distance_of_rankings_matches_big_rationals(
        a in prop::collection::btree_map(0u8..30, any::<u128>(), 0..20),
        b in prop::collection::btree_map(0u8..30, any::<u128>(), 0..20),
    ) {
        let (mut off, mut total) = (BigUint::ZERO, BigUint::ZERO);
        for account in 0u8..30 {
            let of = |list: &alloc::collections::BTreeMap<u8, u128>| {
                list.get(&account).copied().unwrap_or(0)
            };
            off += of(&a).abs_diff(of(&b));
            total += BigUint::from(of(&a)) + of(&b);
        }
        prop_assume!(total > BigUint::ZERO);
        let exact = Ratio::new(off * 10_000u32, total).ceil().to_integer();
        let (a, b): (Vec<_>, Vec<_>) = (a.into_iter().collect(), b.into_iter().collect());
        let found = distance(&a, &b).unwrap();
        prop_assert_eq!(BigUint::from(found), exact);
        prop_assert_eq!(distance(&b, &a), Ok(found));
    }
}
