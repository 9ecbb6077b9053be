use super::*;
use crate::hash::Native;
use crate::report::ReportKind;
use crate::Account;
use alloc::vec;
use num_bigint::BigUint;
use num_rational::Ratio;
use parity_scale_codec::DecodeAll;
use proptest::prelude::*;

const NOW: u64 = 1_738_425_600_000;
const FEED: Feed = Feed { kind: ReportKind::Nav, contract: Account([3; 32]) };

fn observed(seat: u8, nav_e18: u128) -> Observation {
    Observation { seat, nav_e18, time_ms: NOW, signature: [seat; 64] }
}

fn sixteen() -> Vec<Observation> {
    (0..16).map(|seat| observed(seat, ONE_E18)).collect()
}

fn changed(change: impl Fn(&mut Vec<Observation>)) -> Result<(), ObservationError> {
    let mut list = sixteen();
    change(&mut list);
    check(&list, &[1; 23], MIN_OBSERVATIONS, NOW)
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
    assert_eq!(changed(|l| l[2].time_ms = NOW + 1), Err(ObservationError::WrongTime));
    assert_eq!(changed(|l| l[2].time_ms = NOW - 1), Err(ObservationError::WrongTime));
}

#[test]
fn seats_without_weight_fill_no_quorum() {
    let mut weights = [1; 23];
    weights[3] = 0;
    let few = Err(ObservationError::TooFew { needed: 16 });
    assert_eq!(check(&sixteen(), &weights, 16, NOW), few);
    let mut more = sixteen();
    more.push(observed(16, ONE_E18));
    assert_eq!(check(&more, &weights, 16, NOW), Ok(()), "it may stand beside them");
    let said = deviations(&more, &weights, ONE_E18);
    assert!(said.len() == 16 && said.iter().all(|one| one.seat != 3), "and is not judged");
}

#[test]
fn a_slot_is_of_scheduled_times_only() {
    let at = |now| scheduled(NOW, 10_000, now);
    assert_eq!(at(NOW + 9_999), None);
    assert_eq!(at(NOW + 10_000), Some(NOW + 10_000));
    assert_eq!(at(NOW + 309_999), Some(NOW + 10_000));
    assert_eq!(at(NOW + 310_000), Some(NOW + 310_000), "the next round");
    let is = |time| at(time) == Some(time);
    assert!(is(NOW + 10_000) && is(NOW + 610_000));
    assert!(!is(NOW + 10_001) && !is(NOW) && !is(0));
}

fn own(nav_e18: u128) -> Own {
    Own { slot: 1, observation: observed(5, nav_e18), signed_ms: NOW + 10, weights: vec![1; 23] }
}

fn asked(own: &Own, list: &[Observation], later_ms: u64) -> Result<(), Difference> {
    let report = report::<Native>(FEED, &FeedState::EMPTY, list, NOW);
    own.agrees(&report, list, MIN_OBSERVATIONS, own.signed_ms + later_ms)
}

#[test]
fn a_node_agrees_to_what_is_near_its_own_validator() {
    let off = |bps: u128| ONE_E18 + ONE_E18 * bps / 10_000;
    let six_lie = |by| {
        let mut list: Vec<_> = (1..17).map(|seat| observed(seat, ONE_E18)).collect();
        list[10..].iter_mut().for_each(|lie| lie.nav_e18 = by);
        list
    };
    let mut heavy = own(ONE_E18);
    heavy.weights[11..17].fill(2);
    assert_eq!(asked(&heavy, &six_lie(off(50)), 0), Ok(()));
    let beyond = Err(Difference::Median { off_bps: 51 });
    assert_eq!(asked(&heavy, &six_lie(off(51)), 0), beyond, "whatever their stake");
    let mut few = heavy.clone();
    few.weights[2] = 0;
    let error = ObservationError::TooFew { needed: 16 };
    assert_eq!(asked(&few, &six_lie(ONE_E18), 0), Err(Difference::Observations(error)));
    let other = Own { slot: 2, ..heavy.clone() };
    assert_eq!(asked(&other, &six_lie(ONE_E18), 0), Err(Difference::Unseen));
    let earlier = Observation { time_ms: NOW - 1, ..heavy.observation };
    let earlier = Own { observation: earlier, ..heavy };
    assert_eq!(asked(&earlier, &six_lie(ONE_E18), 0), Err(Difference::Unseen));
}

#[test]
fn a_node_does_not_let_its_own_validator_be_left_out() {
    let without: Vec<_> = (6..22).map(|seat| observed(seat, ONE_E18)).collect();
    assert_eq!(asked(&own(ONE_E18), &without, HEARD_MS - 1), Ok(()), "perhaps nobody heard it");
    assert_eq!(asked(&own(ONE_E18), &without, HEARD_MS), Err(Difference::LeftOut));
    assert_eq!(asked(&own(ONE_E18), &sixteen(), HEARD_MS), Ok(()));
    assert_eq!(asked(&own(ONE_E18 + 1), &sixteen(), 0), Err(Difference::LeftOut), "another's word");
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
    let base = one.message::<Native>(&Digest([1; 32]), &FEED, 1);
    let other_feed = Feed { contract: Account([4; 32]), ..FEED };
    let others = [
        one.message::<Native>(&Digest([2; 32]), &FEED, 1),
        one.message::<Native>(&Digest([1; 32]), &other_feed, 1),
        one.message::<Native>(&Digest([1; 32]), &FEED, 2),
        Observation { seat: 2, ..one }.message::<Native>(&Digest([1; 32]), &FEED, 1),
        Observation { nav_e18: 6, ..one }.message::<Native>(&Digest([1; 32]), &FEED, 1),
        Observation { time_ms: 1, ..one }.message::<Native>(&Digest([1; 32]), &FEED, 1),
    ];
    assert!(others.iter().all(|other| *other != base));
    assert_eq!(one.encode().len(), OBSERVATION_LEN);
}

#[test]
fn two_values_of_one_seat_for_one_slot_convict_it() {
    // A stand-in that binds key and message; contracts and workers test real signatures.
    let signature = |message: Digest, seat: u8| {
        let mut signature = [seat; 64];
        signature[..32].copy_from_slice(&message.0);
        signature
    };
    let sign = |slot: u64, observation: Observation| {
        let message = observation.message::<Native>(&Digest([1; 32]), &FEED, slot);
        Observation { signature: signature(message, observation.seat), ..observation }
    };
    let convicts = |one: &Observation, other: &Observation| {
        one.convicts::<Native>(other, &Digest([1; 32]), &FEED, 7, |found, message, seat| {
            *found == signature(*message, seat)
        })
    };
    let one = sign(7, observed(3, 100));
    assert!(convicts(&one, &sign(7, observed(3, 101))));
    assert!(!convicts(&one, &one), "the same value again");
    let later = sign(7, Observation { time_ms: NOW + ROUND_MS, ..observed(3, 101) });
    assert!(!convicts(&one, &later), "another round is another question");
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

    /// Whatever 7 of 23 stake and say, and whoever is left out: the median is one of what honest
    /// seats saw, and at the guards' bounds no honest seat pays.
    #[test]
    fn seven_liars_of_any_stakes_move_nothing_and_hurt_nobody(
        stakes in prop::collection::vec(1_000u128..100_000, 23),
        lies in prop::collection::vec(prop_oneof![Just(1u128), 9_000u128..11_100, any::<u128>()], 7),
        spread in prop::collection::vec(0u128..50, 16),
        heard in prop::sample::subsequence((7u8..23).collect::<Vec<_>>(), 9..=16),
    ) {
        use crate::quorum::{FaultModel, Quorum};
        use crate::slashing::{judge, weight_cap, Bands};
        let weights: Vec<u128> = stakes.iter().map(|stake| (*stake).min(weight_cap(1_000))).collect();
        let honest = |seat: u8| observed(seat, 10_000 + spread[usize::from(seat) - 7] / 2);
        let mut list: Vec<_> = (0..7).map(|seat| observed(seat, lies[usize::from(seat)].max(1))).collect();
        list.extend(heard.iter().map(|seat| honest(*seat)));
        prop_assert_eq!(check(&list, &weights, 16, NOW), Ok(()));
        let median = median_e18(&list, &weights).unwrap();
        let seen: Vec<u128> = list[7..].iter().map(|one| one.nav_e18).collect();
        prop_assert!(seen.iter().min().unwrap() <= &median && &median <= seen.iter().max().unwrap());
        let quorum = Quorum::of(FaultModel::Byzantine, 23).unwrap();
        let said = deviations(&list, &weights, median);
        let punished = judge(&quorum, &Bands::NAV, 16, &said).unwrap();
        prop_assert!(punished.iter().all(|one| one.seat < 7));
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
