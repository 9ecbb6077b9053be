use super::*;
use crate::hash::Native;
use crate::report::ReportKind;
use alloc::vec;
use num_bigint::BigUint;
use num_rational::Ratio;
use parity_scale_codec::DecodeAll;
use proptest::prelude::*;

const NOW: u64 = 1_738_425_600_000;
const FEED: Feed = Feed { kind: ReportKind::Nav, contract: [3; 32] };

fn observed(seat: u8, nav_e18: u128) -> Observation {
    Observation { seat, nav_e18, time_ms: NOW, signature: [seat; 64] }
}

fn sixteen() -> Vec<Observation> {
    (0..16).map(|seat| observed(seat, ONE_E18)).collect()
}

fn changed(change: impl Fn(&mut Vec<Observation>)) -> Result<(), ObservationError> {
    let mut list = sixteen();
    change(&mut list);
    check(&list, 23, MIN_OBSERVATIONS, NOW)
}

#[test]
fn an_index_without_tokens_is_worth_one_tao_a_token() {
    assert_eq!(nav_e18_floor(&[], 0), Ok(ONE_E18));
    let dust = [Position { holding: 5, price_e18: ONE_E18 }];
    assert_eq!(nav_e18_floor(&dust, 0), Ok(ONE_E18));
    assert_eq!(nav_e18_floor(&[], 1), Ok(0));
}

#[test]
fn ten_tokens_that_hold_fifteen_tao_are_worth_one_and_a_half_each() {
    let tao = 1_000_000_000;
    let positions = [
        Position { holding: 20 * tao, price_e18: ONE_E18 / 2 },
        Position { holding: 2 * tao, price_e18: 5 * ONE_E18 / 2 },
    ];
    assert_eq!(value_floor(&positions), Ok(15 * tao));
    assert_eq!(nav_e18_floor(&positions, 10 * ONE_E18), Ok(3 * ONE_E18 / 2));
    assert_eq!(nav_e18_floor(&positions, 7 * ONE_E18), Ok(2_142_857_142_857_142_857));
}

#[test]
fn a_nav_beyond_128_bits_is_an_error() {
    let huge = [Position { holding: u128::MAX, price_e18: u128::MAX }; 2];
    assert_eq!(nav_e18_floor(&huge, u128::MAX), Err(MathError::Overflow));
    assert_eq!(nav_e18_floor(&huge[..1], u128::MAX), Err(MathError::Overflow));
    assert_eq!(value_floor(&huge[..1]), Err(MathError::Overflow));
}

#[test]
fn a_nav_is_fresh_for_exactly_300_seconds() {
    assert!(!is_stale(NOW, NOW + 300_000));
    assert!(is_stale(NOW, NOW + 300_001));
    assert!(!is_stale(NOW + 1, NOW), "not even begun");
}

#[test]
fn sixteen_of_23_must_observe_and_each_once() {
    assert_eq!(min_observations(23), Some(MIN_OBSERVATIONS));
    assert_eq!((min_observations(4), min_observations(0)), (Some(3), None));
    assert_eq!(changed(|_| ()), Ok(()));
    assert_eq!(changed(|l| l.truncate(15)), Err(ObservationError::TooFew { needed: 16 }));
    assert_eq!(changed(|l| l[1].seat = 0), Err(ObservationError::NotInOrder));
    assert_eq!(changed(|l| l.swap(3, 4)), Err(ObservationError::NotInOrder));
    assert_eq!(changed(|l| l[15].seat = 22), Ok(()));
    assert_eq!(changed(|l| l[15].seat = 23), Err(ObservationError::UnknownSeat));
    assert_eq!(changed(|l| l[2].nav_e18 = 0), Err(ObservationError::ZeroNav));
    assert_eq!(changed(|l| l[2].time_ms = NOW + 1), Err(ObservationError::TimeAhead));
    assert_eq!(changed(|l| l[2].time_ms = NOW - 300_000), Ok(()));
    assert_eq!(changed(|l| l[2].time_ms = NOW - 300_001), Err(ObservationError::Stale));
}

#[test]
fn the_median_is_the_lower_one_and_weighs_stake() {
    let list = [observed(0, 30), observed(1, 10), observed(2, 20), observed(3, 40)];
    assert_eq!(median_e18(&list, &[1, 1, 1, 1]), Ok(20), "half is reached at the second");
    assert_eq!(median_e18(&list, &[3, 1, 1, 1]), Ok(30));
    assert_eq!(median_e18(&list, &[1, 1, 1, 4]), Ok(40));
    assert_eq!(median_e18(&list, &[0, 0, 0, 1]), Ok(40), "what has no stake has no vote");
    assert_eq!(median_e18(&list, &[0; 4]), Err(ObservationError::NoStake));
    assert_eq!(median_e18(&list, &[1; 3]), Err(ObservationError::UnknownSeat));
    assert_eq!(median_e18(&[], &[]), Err(ObservationError::NoStake));
    let overflow = Err(ObservationError::Math(MathError::Overflow));
    assert_eq!(median_e18(&list, &[u128::MAX, 1, 0, 0]), overflow);
    assert_eq!(median_e18(&list, &[0, u128::MAX, 0, 0]), Ok(10));
}

#[test]
fn deviations_round_up_and_never_fail() {
    assert_eq!(deviation_bps_ceil(10_050, 10_000), 50);
    assert_eq!(deviation_bps_ceil(9_950, 10_000), 50);
    assert_eq!(deviation_bps_ceil(1_005_001, 1_000_000), 51);
    assert_eq!(deviation_bps_ceil(7, 7), 0);
    assert_eq!(deviation_bps_ceil(0, 0), 0);
    assert_eq!(deviation_bps_ceil(0, 5), 10_000);
    assert_eq!(deviation_bps_ceil(1, 0), u128::MAX);
    assert_eq!(deviation_bps_ceil(u128::MAX, 1), u128::MAX);
}

#[test]
fn a_signature_binds_committee_feed_slot_seat_value_and_time() {
    let one = observed(1, 5);
    let base = one.message::<Native>(&[1; 32], &FEED, 1);
    let other_feed = Feed { contract: [4; 32], ..FEED };
    let others = [
        one.message::<Native>(&[2; 32], &FEED, 1),
        one.message::<Native>(&[1; 32], &other_feed, 1),
        one.message::<Native>(&[1; 32], &FEED, 2),
        Observation { seat: 2, ..one }.message::<Native>(&[1; 32], &FEED, 1),
        Observation { nav_e18: 6, ..one }.message::<Native>(&[1; 32], &FEED, 1),
        Observation { time_ms: 1, ..one }.message::<Native>(&[1; 32], &FEED, 1),
    ];
    assert!(others.iter().all(|other| *other != base));
    assert_eq!(one.encode().len(), OBSERVATION_LEN);
}

#[test]
fn two_values_of_one_seat_for_one_slot_convict_it() {
    // A stand-in that binds key and message; contracts and workers test real signatures.
    let signature = |message: Hash, seat: u8| {
        let mut signature = [seat; 64];
        signature[..32].copy_from_slice(&message);
        signature
    };
    let sign = |slot: u64, observation: Observation| {
        let message = observation.message::<Native>(&[1; 32], &FEED, slot);
        Observation { signature: signature(message, observation.seat), ..observation }
    };
    let convicts = |one: &Observation, other: &Observation| {
        one.convicts::<Native>(other, &[1; 32], &FEED, 7, |found, message, seat| {
            *found == signature(*message, seat)
        })
    };
    let one = sign(7, observed(3, 100));
    assert!(convicts(&one, &sign(7, observed(3, 101))));
    let repeated = sign(7, Observation { time_ms: NOW + 1, ..observed(3, 100) });
    assert!(!convicts(&one, &repeated), "the same value again");
    let at = |ms: u64| sign(7, Observation { time_ms: one.time_ms + ms, ..observed(3, 101) });
    assert!(convicts(&one, &at(STALENESS_MS)) && convicts(&at(STALENESS_MS), &one));
    assert!(!convicts(&one, &at(STALENESS_MS + 1)), "the first is stale by then");
    assert!(!convicts(&one, &sign(7, observed(4, 101))), "another seat");
    assert!(!convicts(&one, &sign(8, observed(3, 101))), "another slot");
    assert!(!convicts(&one, &observed(3, 101)), "not signed");
    assert!(!convicts(&observed(3, 101), &one), "not signed");
}

proptest! {
    #[test]
    fn nav_matches_big_rationals(
        positions in prop::collection::vec((any::<u128>(), 0u128..1 << 100), 0..20),
        supply in 1..=u128::MAX,
    ) {
        let exact = positions.iter().fold(BigUint::ZERO, |value, (holding, price)| {
            value + BigUint::from(*holding) * *price
        });
        let exact = Ratio::new(exact * 1_000_000_000u64, BigUint::from(supply)).floor();
        let exact = u128::try_from(exact.to_integer()).map_err(|_| MathError::Overflow);
        let positions: Vec<_> = positions
            .into_iter()
            .map(|(holding, price_e18)| Position { holding, price_e18 })
            .collect();
        prop_assert_eq!(nav_e18_floor(&positions, supply), exact);
    }

    #[test]
    fn the_median_is_that_of_the_stakes_written_out(
        votes in prop::collection::vec((0u128..50, 0u128..8), 1..23),
    ) {
        // Each value as often as it has stake; the lower median of that list.
        let mut plain: Vec<u128> =
            votes.iter().flat_map(|(value, weight)| vec![*value; *weight as usize]).collect();
        plain.sort_unstable();
        let expected = (!plain.is_empty()).then(|| plain[(plain.len() - 1) / 2]);
        prop_assert_eq!(weighted_lower_median(&mut votes.clone()), Ok(expected));
    }

    #[test]
    fn less_than_half_of_the_stake_cannot_leave_the_honest_range(
        honest in prop::collection::vec(900u128..1_100, 16), lie: u128, liars in 0usize..8,
    ) {
        let (low, high) = (*honest.iter().min().unwrap(), *honest.iter().max().unwrap());
        let values = honest.into_iter().chain(vec![lie; liars]);
        let mut votes: Vec<_> = values.map(|value| (value, 1_000)).collect();
        let median = weighted_lower_median(&mut votes).unwrap().unwrap();
        prop_assert!((low..=high).contains(&median));
    }

    #[test]
    fn a_rounded_deviation_is_above_a_bound_exactly_if_the_true_one_is(
        nav in 1u128..1 << 100, median in 1u128..1 << 100, near in 0u128..3_000, bound in 0u128..20_000,
    ) {
        for nav in [nav, median + median * near / 10_000, median + median * near / 10_000 + 1] {
            let rounded = deviation_bps_ceil(nav, median);
            for bound in [bound, near] {
                let off = BigUint::from(nav.abs_diff(median)) * 10_000u32;
                prop_assert_eq!(rounded > bound, off > BigUint::from(median) * bound);
            }
        }
    }

    #[test]
    fn a_root_binds_every_observation(pick in 0usize..16, bit in 0u8..8, place: prop::sample::Index) {
        let list = sixteen();
        let report = report::<Native>(FEED, &FeedState::EMPTY, &list, NOW);
        prop_assert!(matches::<Native>(&report, &list));
        let mut bytes = list[pick].encode();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let mut other = list.clone();
        other[pick] = Observation::decode_all(&mut &bytes[..]).unwrap();
        prop_assert!(!matches::<Native>(&report, &other));
        prop_assert!(!matches::<Native>(&report, &list[1..]));
        let split = Report { leaf_count: 2, ..report };
        prop_assert!(!matches::<Native>(&split, &list));
    }
}
