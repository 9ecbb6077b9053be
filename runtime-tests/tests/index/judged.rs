//! Who was off a settled NAV pays, in the order of the slots, and once.

use crate::common::SEATS;
use crate::observers::*;
use crate::stage::*;
use cicada_core::leaderboard::Settlement;
use cicada_core::slashing::{Standing, MIN_STAKE};
use cicada_runtime_tests::{account, check_gas, on};
use cicada_traits::index::{Index, IndexError};
use cicada_traits::staking::Staking;

#[test]
fn who_is_off_is_slashed_by_band_once_and_later() {
    let mut stage = staked();
    let mut values = same(20, ONE);
    // Tolerated, minor, moderate, severe; up or down.
    for (seat, bps, up) in [(0, 50, true), (1, 51, false), (2, 200, true), (3, 1_501, false)] {
        let off = ONE / 10_000 * bps;
        values[seat].1 = if up { ONE + off } else { ONE - off };
    }
    let observations = stage.observe(&values);
    let report = stage.nav_report(&observations);
    let receipt = stage.bring_nav(report, &observations).succeeds();
    check_gas("index.settle_nav: four are off", &receipt);
    assert_eq!(stage.newest().map(|record| record.nav_e18), Some(ONE));
    assert_eq!(stage.staked_by_all(), 23 * STAKE, "settling costs nobody anything");
    let receipt = stage.judge_nav().succeeds();
    check_gas("index.judge_nav: four are off", &receipt);
    let left = |rate: u128| STAKE - STAKE * rate / 10_000;
    let expected = [left(0), left(100), left(500), left(1_500), left(0)];
    let bonded: Vec<u128> = (0..5).map(|seat| stage.bonded(seat)).collect();
    assert_eq!(bonded, expected);
    let standing = stage.world.read(on(&stage.validators).stake_of(node(3))).standing;
    assert_eq!(standing, Standing::Active);
    assert_eq!(stage.judge_nav().fails(), IndexError::NothingToJudge, "not twice");
    let again = stage.bring_nav(report, &observations).succeeds();
    assert_eq!(again.value, Settlement::AlreadyDone);
    let bonded: Vec<u128> = (0..5).map(|seat| stage.bonded(seat)).collect();
    assert_eq!(bonded, expected);
}

#[test]
fn where_all_agree_there_is_nothing_to_judge() {
    let mut stage = staked();
    let mut values = same(16, ONE);
    // As far as a node agrees to.
    values[3].1 += ONE / 10_000 * 50;
    let _ = stage.settle(&values).succeeds();
    assert_eq!(stage.unjudged(), None);
    assert_eq!(stage.judge_nav().fails(), IndexError::NothingToJudge);
}

#[test]
fn the_oldest_slot_is_judged_first_so_that_a_small_fault_washes_no_great_one_away() {
    let mut stage = staked();
    let start = stage.world.now();
    // Severe, an hour later minor, and nothing in between that anybody brings.
    for (slot, minutes, bps) in [(1, 0, 600), (2, 30, 0), (3, 61, 51)] {
        stage.world.at(start + minutes * 60_000);
        let mut values = same(23, ONE);
        values[5].1 += ONE / 10_000 * bps;
        let _ = stage.settle(&values).succeeds();
        assert_eq!(stage.newest().map(|record| record.slot), Some(slot));
    }
    let severe = STAKE - STAKE * 15 / 100;
    for (slot, left) in [(1, severe), (3, severe - severe / 100)] {
        assert_eq!(stage.unjudged(), Some(slot));
        let _ = stage.judge_nav().succeeds();
        assert_eq!(stage.bonded(5), left);
    }
    assert_eq!(stage.unjudged(), None);
}

#[test]
fn a_slot_of_a_committee_that_is_gone_blocks_no_other() {
    let mut stage = staked();
    for seat in [4, 6, 7] {
        let mut values = same(23, ONE);
        values[seat].1 += ONE;
        let _ = stage.settle(&values).succeeds();
        if seat < 7 {
            stage.rotate();
        }
    }
    let left = [STAKE, STAKE * 85 / 100, STAKE * 85 / 100];
    for (seat, left) in [4, 6, 7].into_iter().zip(left) {
        let _ = stage.judge_nav().succeeds();
        assert_eq!(stage.bonded(seat), left, "of two changes ago nobody pays");
    }
    assert_eq!(stage.judge_nav().fails(), IndexError::NothingToJudge);
}

#[test]
fn six_heavy_seats_neither_make_the_nav_nor_hurt_the_honest() {
    let mut stakes = [MIN_STAKE; SEATS as usize];
    stakes[17..].fill(2 * MIN_STAKE);
    let mut stage = with_stakes(&stakes, 1, true);
    let before = stage.staked_by_all();
    for _ in 0..3 {
        stage.world.advance(10_000);
        let mut values = same(10, ONE);
        values.extend((17..23).map(|seat| (seat, ONE * 12 / 10)));
        let _ = stage.settle(&values).succeeds();
        assert_eq!(stage.newest().map(|record| record.nav_e18), Some(ONE));
        let _ = stage.judge_nav().succeeds();
    }
    assert_eq!(stage.staked_by_all(), before, "ten agree, and sixteen are needed");
    // With all honest seats heard, the liars pay.
    let mut values = same(17, ONE);
    values.extend((17..23).map(|seat| (seat, ONE * 12 / 10)));
    let _ = stage.settle(&values).succeeds();
    let _ = stage.judge_nav().succeeds();
    assert!((0..17).all(|seat| stage.bonded(seat) == MIN_STAKE));
    assert!((17..23).all(|seat| stage.bonded(seat) == 2 * MIN_STAKE * 85 / 100));
}

#[test]
fn an_index_that_is_no_judge_settles_all_the_same() {
    let mut stage = with_stakes(&[STAKE; SEATS as usize], 1, false);
    let mut values = same(20, ONE);
    values[2].1 += ONE;
    let _ = stage.settle(&values).succeeds();
    assert_eq!(stage.judge_nav().fails(), IndexError::PenaltiesRefused);
    assert_eq!(stage.judge_nav().fails(), IndexError::PenaltiesRefused, "it is not used up");
    assert_eq!(stage.unjudged(), Some(1));
}

#[test]
fn what_was_certified_before_a_change_of_committee_is_settled_and_judged_after_it() {
    let mut stage = staked();
    let mut values = same(23, ONE);
    values[4].1 += ONE;
    let old = stage.observe(&values);
    let report = stage.nav_report(&old);
    let certificate = stage.committee.certify(&stage.validators, &report);
    stage.rotate();
    let message = on(&stage.index).settle_nav(report, old.clone(), (&certificate).into());
    let receipt = stage.world.as_(account("heidi")).call(message).succeeds();
    assert_eq!(receipt.value, Settlement::Recorded);
    assert_eq!(stage.newest().map(|record| record.epoch), Some(1));
    let _ = stage.judge_nav().succeeds();
    assert_eq!(stage.bonded(4), STAKE * 85 / 100);
    stage.rotate();
    let _ = stage.settle(&same(16, ONE)).succeeds();
    assert_eq!(stage.newest().map(|record| record.epoch), Some(3));
}
