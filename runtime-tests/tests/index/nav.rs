//! NAV: settled slot by slot from signed observations.

use crate::common::SEATS;
use crate::observers::*;
use crate::stage::*;
use cicada_core::certificate::CertificateError;
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::nav::{self, Observation, Record, STALENESS_MS};
use cicada_core::report::{FeedError, FeedState, Report, ReportKind};
use cicada_core::slashing::MIN_STAKE;
use cicada_runtime_tests::{account, check_gas, on};
use cicada_traits::index::{Index, IndexError};
use cicada_traits::staking::{DoubleObservation, Judged, Staking, StakingError};
use cicada_traits::validators::Validators;
use index::index::{Minted, NavSettled, Redeemed, SlotVoid};

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
fn certified_observations_that_make_no_nav_take_their_slot_and_nothing_else() {
    let mut stage = staked();
    let _ = stage.settle(&same(16, ONE)).succeeds();
    let now = stage.world.now();
    type Change<'a> = &'a dyn Fn(&Stage, &mut Vec<Observation>);
    let cases: [Change; 10] = [
        &|_, l| l.truncate(15),
        &|_, l| l.clear(),
        &|_, l| l.swap(3, 4),
        &|_, l| l[4] = l[3],
        &|_, l| l[15].seat = 23,
        &|_, l| l[2].nav_e18 = 0,
        &|s, l| l[2] = s.sign(9, Observation { time_ms: now - 1, ..l[2] }),
        // Not signed by its seat, for this value, this slot.
        &|_, l| l[9].nav_e18 += 1,
        &|_, l| l[9].signature = l[8].signature,
        &|s, l| l[9] = s.sign(99, l[9]),
    ];
    for (slot, change) in (2..).zip(cases) {
        let mut observations = stage.observe(&same(16, 2 * ONE));
        change(&stage, &mut observations);
        let report = stage.nav_report(&observations);
        let receipt = stage.bring_nav(report, &observations).succeeds();
        assert_eq!(receipt.value, Settlement::Void);
        let event = receipt.event::<SlotVoid>(&stage.index);
        assert_eq!((event.kind, event.slot), (ReportKind::Nav, slot));
        assert_eq!(stage.nav_state().digest, report.digest::<Native>());
        assert_eq!(stage.world.read(on(&stage.index).nav(slot)), None);
        assert_eq!(stage.newest().map(|record| record.slot), Some(1), "the newest that is one");
        let again = stage.bring_nav(report, &observations).succeeds();
        assert_eq!((again.value, again.emitted.len()), (Settlement::AlreadyDone, 0));
        assert_eq!(stage.judge_nav().fails(), IndexError::NothingToJudge);
    }
    let _ = stage.settle(&same(16, 2 * ONE)).succeeds();
    assert_eq!(stage.newest().map(|record| (record.slot, record.nav_e18)), Some((12, 2 * ONE)));
}

#[test]
fn a_slot_is_void_only_with_the_very_content_under_a_certificate_that_is_good() {
    let mut stage = staked();
    let few = stage.observe(&same(15, ONE));
    let good = stage.observe(&same(16, ONE));
    let report = stage.nav_report(&good);
    // A true certificate with rubbish, and rubbish without one.
    assert_eq!(stage.bring_nav(report, &few).fails(), IndexError::ContentMismatch);
    let rubbish = stage.nav_report(&few);
    let certificate = stage.committee.certify(&stage.validators, &report);
    let message = on(&stage.index).settle_nav(rubbish, few, (&certificate).into());
    let error = stage.world.as_(account("heidi")).call(message).fails();
    assert_eq!(error, CertificateError::BadSignature { seat: 0 }.into());
    assert_eq!(stage.nav_state().slot, 0);
    // Too little gas for what is inside changes nothing either.
    let certificate = stage.committee.certify(&stage.validators, &report);
    let call = on(&stage.index).settle_nav(report, good.clone(), (&certificate).into());
    let needed = stage.world.as_(account("heidi")).call(call).succeeds().gas.ref_time;
    stage = staked();
    for part in 1..20 {
        let certificate = stage.committee.certify(&stage.validators, &report);
        let call = on(&stage.index).settle_nav(report, good.clone(), (&certificate).into());
        let limit = needed / 20 * part;
        let _ = stage.world.as_(account("heidi")).with_gas_limit(limit, u64::MAX).try_call(call);
        assert_eq!(stage.nav_state().slot, 0, "with {part} twentieths");
    }
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
        (Report { previous: Digest([1; 32]), ..first }, FeedError::WrongPrevious),
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
fn the_median_weighs_stake_up_to_five_quarters_of_the_minimum() {
    // Nine of the minimum against seven of more: below half at any stake.
    let mut values = same(16, ONE);
    values[9..].iter_mut().for_each(|value| value.1 += ONE / 1_000);
    for heavy in [MIN_STAKE * 5 / 4, MIN_STAKE * 129 / 100, 2 * MIN_STAKE, 100 * MIN_STAKE] {
        let mut stakes = [MIN_STAKE; SEATS as usize];
        stakes[9..16].fill(heavy);
        let mut stage = with_stakes(&stakes, 1, true);
        let _ = stage.settle(&values).succeeds();
        assert_eq!(stage.newest().map(|record| record.nav_e18), Some(ONE), "no purse has its way");
    }
    // Eight are more than may lie.
    values[8].1 += ONE / 1_000;
    let mut stakes = [MIN_STAKE; SEATS as usize];
    stakes[8..16].fill(MIN_STAKE * 5 / 4);
    let mut stage = with_stakes(&stakes, 1, true);
    let _ = stage.settle(&values).succeeds();
    assert_eq!(stage.newest().map(|record| record.nav_e18), Some(ONE + ONE / 1_000));
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
    assert_eq!(stage.settle(&same(16, ONE)).succeeds().value, Settlement::Void);
}

#[test]
fn seats_without_weight_fill_no_quorum() {
    let mut stakes = [MIN_STAKE; SEATS as usize];
    stakes[..15].fill(MIN_STAKE + MIN_STAKE / 100);
    let mut stage = with_stakes(&stakes, 1, true);
    for seat in 0..7 {
        let out = on(&stage.validators).unbond(MIN_STAKE / 100);
        let _ = stage.world.as_(node(seat)).call(out).succeeds();
    }
    // Seven are off by little, once: they have no weight now.
    let mut values = same(23, ONE);
    values[..7].iter_mut().for_each(|value| value.1 += 6 * ONE / 1_000);
    let _ = stage.settle(&values).succeeds();
    let _ = stage.judge_nav().succeeds();
    let weights = stage.world.read(on(&stage.validators).electorate(None)).stakes;
    assert!(weights[..7].iter().all(|weight| *weight == 0));
    stage.world.advance(10_000);
    assert_eq!(stage.settle(&same(22, ONE)).succeeds().value, Settlement::Void, "fifteen count");
    assert_eq!(stage.settle(&same(23, ONE)).succeeds().value, Settlement::Recorded);
}

#[test]
fn the_first_nav_is_scheduled_from_the_first_basket_on() {
    let mut stage = staked();
    let first = stage.world.now();
    stage.set_usual();
    stage.world.advance(600_000);
    stage.set_usual();
    assert_eq!(stage.nav_state(), FeedState { time_ms: first, ..FeedState::EMPTY });
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
    let certificate = stage.committee.certify(&stage.validators, &next);
    let message = on(&stage.index).settle_nav(next, list.clone(), (&certificate).into());
    let error = stage.world.as_(account("heidi")).call(message).fails();
    assert_eq!(error, CertificateError::BarredSigner { seat: 5 }.into());
    let receipt = stage.bring_nav(next, &list).succeeds();
    assert_eq!(receipt.value, Settlement::Recorded);
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
