//! NAV: settled slot by slot from signed observations; who is off is punished, once.

use crate::common::{quorum, Committee, SEATS};
use crate::observers::*;
use crate::stage::*;
use cicada_core::certificate::CertificateError;
use cicada_core::committee::members_root;
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::nav::{self, Observation, ObservationError, Record, STALENESS_MS};
use cicada_core::report::{Feed, FeedError, FeedState, Report, ReportKind};
use cicada_core::slashing::{Standing, MIN_STAKE};
use cicada_runtime_tests::{account, address, check_gas, on};
use cicada_traits::index::{Index, IndexError};
use cicada_traits::staking::{DoubleObservation, Staking, StakingError};
use cicada_traits::validators::Validators;
use index::index::{Minted, NavSettled, Redeemed};

#[test]
fn a_nav_is_settled_from_sixteen_observations() {
    let mut stage = staked();
    assert_eq!((stage.newest(), stage.nav_state()), (None, FeedState::EMPTY));
    let mut values = same(16, ONE);
    values[15].0 = 22;
    let observations = stage.observe(&values);
    let report = stage.nav_report(&observations);
    let receipt = stage.bring_nav(report, &observations).succeeds();
    check_gas("index.settle_nav: sixteen agree", &receipt);
    assert_eq!(receipt.value, Settlement::Recorded);
    let record = Record {
        slot: 1,
        digest: report.digest::<Native>(),
        time_ms: report.time_ms,
        epoch: 1,
        signers: 0xffff,
        observers: 0x40_7fff,
        nav_e18: ONE,
    };
    assert_eq!(stage.newest(), Some(record));
    assert_eq!(stage.world.read(on(&stage.index).nav(1)), Some(record));
    assert_eq!(stage.world.read(on(&stage.index).nav(2)), None);
    let event = receipt.event::<NavSettled>(&stage.index);
    assert_eq!((event.slot, event.digest, event.nav_e18), (1, record.digest, ONE));
    assert_eq!((event.observers, event.signers), (record.observers, record.signers));
    let state = FeedState { slot: 1, digest: record.digest, time_ms: record.time_ms };
    assert_eq!(stage.nav_state(), state);
}

#[test]
fn fifteen_observations_are_too_few() {
    let mut stage = staked();
    let few = ObservationError::TooFew { needed: 16 };
    assert_eq!(stage.settle(&same(15, ONE)).fails(), few.into());
    assert_eq!(stage.settle(&[]).fails(), few.into());
    let _ = stage.settle(&same(16, ONE)).succeeds();
}

#[test]
fn observations_that_make_no_nav_are_refused() {
    let mut stage = staked();
    let now = stage.world.now();
    type Change<'a> = &'a dyn Fn(&mut Vec<Observation>);
    let cases: [(Change, ObservationError); 6] = [
        (&|l| l.swap(3, 4), ObservationError::NotInOrder),
        (&|l| l[4] = l[3], ObservationError::NotInOrder),
        (&|l| l[15].seat = 23, ObservationError::UnknownSeat),
        (&|l| l[2].nav_e18 = 0, ObservationError::ZeroNav),
        (&|l| l[2].time_ms = now + 1, ObservationError::TimeAhead),
        (&|l| l[2].time_ms = now - STALENESS_MS - 1, ObservationError::Stale),
    ];
    for (change, reason) in cases {
        let mut observations = stage.observe(&same(16, ONE));
        change(&mut observations);
        let report = stage.nav_report(&observations);
        assert_eq!(stage.bring_nav(report, &observations).fails(), reason.into());
    }
    // Exactly 300 s old is not too old.
    let mut observations = stage.observe(&same(16, ONE));
    observations[2].time_ms = now - STALENESS_MS;
    observations[2] = stage.sign(1, observations[2]);
    let report = stage.nav_report(&observations);
    let _ = stage.bring_nav(report, &observations).succeeds();
}

#[test]
fn every_observation_is_signed_by_its_seat_for_this_slot_and_feed() {
    let mut stage = staked();
    let good = stage.observe(&same(16, ONE));
    let mut other_value = good.clone();
    other_value[9].nav_e18 += 1;
    let mut other_time = good.clone();
    other_time[9].time_ms -= 1;
    let mut other_seat = good.clone();
    other_seat[9].signature = good[8].signature;
    let mut other_slot = good.clone();
    other_slot[9] = stage.sign(2, good[9]);
    for forged in [other_value, other_time, other_seat, other_slot] {
        let report = stage.nav_report(&forged);
        let error = stage.bring_nav(report, &forged).fails();
        assert_eq!(error, IndexError::BadObservation { seat: 9 });
    }
    assert_eq!(stage.newest(), None);
    let report = stage.nav_report(&good);
    let _ = stage.bring_nav(report, &good).succeeds();
}

#[test]
fn a_changed_list_or_a_bad_certificate_is_refused() {
    let mut stage = staked();
    let good = stage.observe(&same(17, ONE));
    let report = stage.nav_report(&good);
    let fewer = good[..16].to_vec();
    assert_eq!(stage.bring_nav(report, &fewer).fails(), IndexError::ContentMismatch);
    // With the root changed too, the certificate is no longer theirs.
    let forged = stage.nav_report(&fewer);
    let certificate = stage.committee.certify(&stage.validators, &report);
    let message = on(&stage.index).settle_nav(forged, fewer, (&certificate).into());
    let error = stage.world.as_(account("heidi")).call(message).fails();
    assert_eq!(error, CertificateError::BadSignature { seat: 0 }.into());
    let mut old = stage.committee.certify(&stage.validators, &report);
    old.epoch = 0;
    let message = on(&stage.index).settle_nav(report, good.clone(), (&old).into());
    let error = stage.world.as_(account("heidi")).call(message).fails();
    assert_eq!(error, CertificateError::WrongEpoch { expected: 1 }.into());
    let _ = stage.bring_nav(report, &good).succeeds();
}

#[test]
fn slots_follow_one_another_and_a_settled_one_stays() {
    let mut stage = staked();
    let list = stage.observe(&same(16, ONE));
    let first = stage.nav_report(&list);
    let cases: [(Report, FeedError); 5] = [
        (Report { version: 2, ..first }, FeedError::UnknownVersion),
        (Report { feed: stage.feed(ReportKind::Basket), ..first }, FeedError::WrongFeed),
        (Report { slot: 2, ..first }, FeedError::SlotSkipped { expected: 1 }),
        (Report { previous: [1; 32], ..first }, FeedError::WrongPrevious),
        (Report { time_ms: first.time_ms + 30_001, ..first }, FeedError::TimeAhead),
    ];
    for (report, reason) in cases {
        assert_eq!(stage.bring_nav(report, &list).fails(), reason.into());
    }
    let _ = stage.bring_nav(first, &list).succeeds();
    stage.world.advance(60_000);
    let _ = stage.settle(&same(16, 2 * ONE)).succeeds();
    let again = stage.bring_nav(first, &list).succeeds();
    check_gas("index.settle_nav: already done", &again);
    assert_eq!((again.value, again.emitted.len()), (Settlement::AlreadyDone, 0));
    let rival = Report { time_ms: first.time_ms - 1, ..first };
    assert_eq!(stage.bring_nav(rival, &list).fails(), FeedError::SlotTaken.into());
    assert_eq!(stage.newest().map(|record| (record.slot, record.nav_e18)), Some((2, 2 * ONE)));
    let kept = stage.world.read(on(&stage.index).nav(1));
    assert_eq!(kept.map(|record| record.nav_e18), Some(ONE));
}

#[test]
fn the_median_weighs_stake() {
    // Ten of one weight against six of twice that; more than twice counts for nobody.
    let mut stakes = [MIN_STAKE; SEATS as usize];
    stakes[10..16].fill(2 * MIN_STAKE);
    let mut values = same(16, ONE);
    values[10..].iter_mut().for_each(|value| value.1 += ONE / 1_000);
    let mut stage = with_stakes(&stakes, 1, true);
    let _ = stage.settle(&values).succeeds();
    assert_eq!(stage.newest().map(|record| record.nav_e18), Some(ONE + ONE / 1_000));
    stakes.fill(MIN_STAKE);
    stakes[15] = 100 * MIN_STAKE;
    let mut stage = with_stakes(&stakes, 1, true);
    let _ = stage.settle(&values).succeeds();
    assert_eq!(stage.newest().map(|record| record.nav_e18), Some(ONE), "no purse has its way");
}

#[test]
fn of_two_halves_the_lower_value_counts() {
    let mut stage = staked();
    let values: Vec<_> = (0..16).map(|seat| (seat, ONE + u128::from(seat) * 1_000)).collect();
    let _ = stage.settle(&values).succeeds();
    assert_eq!(stage.newest().map(|record| record.nav_e18), Some(ONE + 7_000));
}

#[test]
fn without_stake_there_is_no_nav() {
    let mut stage = Stage::with_coins(1);
    assert_eq!(stage.settle(&same(16, ONE)).fails(), ObservationError::NoStake.into());
}

#[test]
fn who_is_off_is_slashed_by_band_and_only_once() {
    let mut stage = staked();
    let mut values = same(20, ONE);
    // Tolerated, minor, moderate, severe, critical; up or down.
    for (seat, bps, up) in
        [(0, 50, true), (1, 51, false), (2, 200, true), (3, 1_500, false), (4, 1_501, true)]
    {
        let off = ONE / 10_000 * bps;
        values[seat].1 = if up { ONE + off } else { ONE - off };
    }
    let observations = stage.observe(&values);
    let report = stage.nav_report(&observations);
    let receipt = stage.bring_nav(report, &observations).succeeds();
    check_gas("index.settle_nav: five are off", &receipt);
    assert_eq!(stage.newest().map(|record| record.nav_e18), Some(ONE));
    let left = |rate: u128| STAKE - STAKE * rate / 10_000;
    let expected = [left(0), left(100), left(500), left(1_500), left(5_000), left(0)];
    let bonded: Vec<u128> = (0..6).map(|seat| stage.bonded(seat)).collect();
    assert_eq!(bonded, expected);
    let standing = stage.world.read(on(&stage.validators).stake_of(node(4))).standing;
    assert_eq!(standing, Standing::Ejected);
    let again = stage.bring_nav(report, &observations).succeeds();
    assert_eq!(again.value, Settlement::AlreadyDone);
    let bonded: Vec<u128> = (0..6).map(|seat| stage.bonded(seat)).collect();
    assert_eq!(bonded, expected, "not twice");
}

#[test]
fn one_that_signs_two_values_loses_half_and_its_seat() {
    let mut stage = staked();
    let values = same(16, ONE);
    let observations = stage.observe(&values);
    let other = stage.observe(&[(5, 2 * ONE)])[0];
    let report = stage.nav_report(&observations);
    let _ = stage.bring_nav(report, &observations).succeeds();
    let evidence = DoubleObservation {
        epoch: 1,
        feed: stage.feed(ReportKind::Nav),
        slot: 1,
        one: observations[5],
        other,
    };
    let convict = on(&stage.validators).convict_observer(evidence.clone());
    let _ = stage.world.as_(account("heidi")).call(convict).succeeds();
    assert_eq!(stage.bonded(5), STAKE / 2);
    let convict = on(&stage.validators).convict_observer(evidence);
    let again = stage.world.as_(account("heidi")).call(convict).fails();
    assert_eq!(again, StakingError::AlreadyPunished);
    // Its certificate signature counts no more; sixteen others still settle.
    stage.world.advance(60_000);
    let seats: Vec<u8> = (0..23).filter(|seat| *seat != 5).collect();
    let values: Vec<_> = seats.iter().map(|seat| (*seat, ONE)).collect();
    let list = stage.observe(&values);
    let next = stage.nav_report(&list);
    assert_eq!(
        stage.bring_nav(next, &list).fails(),
        CertificateError::BarredSigner { seat: 5 }.into()
    );
    let certificate = stage.committee.certify_by(&stage.validators, &next, seats);
    let message = on(&stage.index).settle_nav(next, list, (&certificate).into());
    let _ = stage.world.as_(account("heidi")).call(message).succeeds();
}

#[test]
fn an_index_that_is_no_judge_settles_what_all_agree_on_and_nothing_else() {
    let mut stage = with_stakes(&[STAKE; SEATS as usize], 1, false);
    let mut values = same(16, ONE);
    values[2].1 += 1;
    assert_eq!(stage.settle(&values).fails(), IndexError::PenaltiesRefused);
    assert_eq!(stage.newest(), None, "nothing remains of it");
    let _ = stage.settle(&same(16, ONE)).succeeds();
}

#[test]
fn mints_and_redemptions_say_the_newest_nav_while_it_is_fresh() {
    let mut stage = staked();
    stage.set_usual();
    let receipt = stage.mint("bob", 10 * ONE).succeeds();
    assert_eq!(receipt.event::<Minted>(&stage.index).nav_e18, 0);
    let _ = stage.settle(&same(16, 3 * ONE / 2)).succeeds();
    stage.world.advance(STALENESS_MS);
    let receipt = stage.mint("bob", ONE).succeeds();
    assert_eq!(receipt.event::<Minted>(&stage.index).nav_e18, 3 * ONE / 2);
    let receipt = stage.redeem("bob", ONE).succeeds();
    assert_eq!(receipt.event::<Redeemed>(&stage.index).nav_e18, 3 * ONE / 2);
    stage.world.advance(1);
    let receipt = stage.redeem("bob", ONE).succeeds();
    assert_eq!(receipt.event::<Redeemed>(&stage.index).nav_e18, 0);
}

#[test]
fn a_nav_equals_what_the_basket_is_worth() {
    let mut stage = with_stakes(&[STAKE; SEATS as usize], COINS, true);
    stage.set_usual();
    let _ = stage.mint("bob", 1_000 * ONE).succeeds();
    let positions: Vec<_> = stage
        .holdings()
        .iter()
        .map(|held| nav::Position { holding: held.amount, price_e18: held.price_e18 })
        .collect();
    let supply = stage.supply();
    let exact = nav::nav_e18_floor(&positions, supply).expect("it fits");
    let _ = stage.settle(&same(23, exact)).succeeds();
    let settled = stage.newest().expect("settled").nav_e18;
    // At least one TAO a token, and more by at most a unit of each token.
    assert!(settled >= ONE && settled - ONE <= 20 * 2 * ONE / 1_000_000_000_000);
    let seats = stage.world.read(on(&stage.validators).seats());
    assert_eq!(seats, SEATS);
}

#[test]
fn what_an_older_committee_signed_counts_no_more() {
    let mut stage = staked();
    let next = Committee::named("node", 2);
    let contract = *address(&stage.validators).as_ref();
    let change = Report {
        feed: Feed { kind: ReportKind::Committee, contract },
        root: members_root::<Native>(&quorum(), &next.members()),
        ..stage.nav_report(&[])
    };
    let certificate = stage.committee.certify(&stage.validators, &change);
    let rotate = on(&stage.validators).rotate(change, next.members(), certificate);
    let _ = stage.world.as_(account("heidi")).call(rotate).succeeds();
    let old = stage.observe(&same(16, ONE));
    let report = stage.nav_report(&old);
    let reason = CertificateError::WrongEpoch { expected: 2 };
    assert_eq!(stage.bring_nav(report, &old).fails(), reason.into());
    stage.committee = next;
    assert_eq!(stage.bring_nav(report, &old).fails(), IndexError::BadObservation { seat: 0 });
    let _ = stage.settle(&same(16, ONE)).succeeds();
    assert_eq!(stage.newest().map(|record| record.epoch), Some(2));
}
