//! Penalties for being off, reported by a judge.

use cicada_core::report::{Feed, ReportKind};
use cicada_core::slashing::{OffenceKind, Severity, Standing, JUDGED_MS, MIN_STAKE};
use cicada_core::Account;
use cicada_runtime_tests::world::FUNDS;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::psp22::PSP22;
use cicada_traits::staking::{Staking, StakingError};
use validators::validators::Slashed;

use crate::stage::{
    bounty, everybody, node, Stage, DELAY, JUDGE, OWNER, STAKE, STRANGER, TREASURY,
};

/// A rate of `amount`, rounded up: the plain definition.
fn part(amount: u128, percent: u128) -> u128 {
    (amount * percent).div_ceil(100)
}

#[test]
fn each_band_costs_its_rate_up_to_its_very_end() {
    let mut stage = Stage::new();
    // STAKE is one unit above a round figure: every rate has a rest and is rounded up.
    let cases = [
        (0, 0, 0),
        (1, 50, 0),
        (2, 51, 1),
        (3, 100, 1),
        (4, 101, 5),
        (5, 200, 5),
        (6, 500, 5),
        (7, 501, 15),
        (8, u32::MAX, 15),
    ];
    let deviations: Vec<(u8, u32)> = cases.iter().map(|(seat, bps, _)| (*seat, *bps)).collect();
    let receipt = stage.report(1, &deviations).succeeds();
    let mut treasury = 0;
    for (seat, bps, percent) in cases {
        let penalty = part(STAKE, percent);
        assert_eq!(stage.amounts(node(seat)), (STAKE - penalty, 0), "{bps} bps");
        assert_eq!(stage.standing(node(seat)), Standing::Active, "distance takes no seat");
        treasury += penalty;
    }
    assert_eq!(part(STAKE, 1), STAKE / 100 + 1, "rounded up by a unit");
    assert_eq!(stage.balance(account(TREASURY)), treasury);
    assert_eq!(stage.held(), 23 * STAKE - treasury);
    assert_eq!(receipt.events::<Slashed>(&stage.validators).len(), 7, "none within tolerance");
    assert_eq!(stage.world.read(on(&stage.validators).barred(None)), 0);
}

#[test]
fn rankings_have_bands_and_a_quorum_of_their_own() {
    let mut stage = Stage::new();
    let cases = [
        (0, 500, 0),
        (1, 501, 1),
        (2, 1_000, 1),
        (3, 1_001, 5),
        (4, 1_500, 5),
        (5, 1_501, 15),
        (6, 10_000, 15),
    ];
    let mut deviations: Vec<(u8, u32)> = cases.iter().map(|(seat, bps, _)| (*seat, *bps)).collect();
    // Nine of the sixteen that signed an award agree, of which the first is one.
    deviations.extend((7..14).map(|seat| (seat, 0)));
    let _ = stage.report_as(JUDGE, ReportKind::Rewards, 1, &deviations).succeeds();
    assert_eq!(stage.held(), 23 * STAKE, "eight are too few");
    deviations.push((14, 0));
    let _ = stage.report_as(JUDGE, ReportKind::Rewards, 1, &deviations).succeeds();
    for (seat, bps, percent) in cases {
        assert_eq!(stage.amounts(node(seat)).0, STAKE - part(STAKE, percent), "{bps} bps");
    }
}

#[test]
fn nobody_pays_where_more_are_off_than_may_lie() {
    let mut stage = Stage::new();
    let off = |count: u8| -> Vec<(u8, u32)> { (0..count).map(|seat| (seat, 2_000)).collect() };
    let receipt = stage.report(1, &off(8)).succeeds();
    assert!(receipt.emitted.is_empty(), "eight off are a fault of the feed");
    // Sixteen were heard, ten of them liars' victims: the attack of six heavy seats.
    let sixteen: Vec<(u8, u32)> =
        (0..16).map(|seat| (seat, if seat < 10 { 1_667 } else { 0 })).collect();
    let _ = stage.report_as(JUDGE, ReportKind::Nav, 2, &sixteen).succeeds();
    // Fifteen agree, and one is off.
    let mut few = everybody(&[(3, 60)]);
    few.truncate(16);
    let _ = stage.report_as(JUDGE, ReportKind::Nav, 3, &few).succeeds();
    assert_eq!(stage.held(), 23 * STAKE);
    let _ = stage.report(4, &off(7)).succeeds();
    assert_eq!(stage.held(), 23 * STAKE - 7 * part(STAKE, 15));
}

#[test]
fn the_event_says_who_what_and_how_much() {
    let mut stage = Stage::new();
    let receipt = stage.report(17, &[(5, 200)]).succeeds();
    let event = receipt.event::<Slashed>(&stage.validators);
    let expected = Slashed {
        operator: node(5),
        offence: OffenceKind::NavDeviation,
        epoch: 1,
        feed: Feed { kind: ReportKind::Nav, contract: Account::of(&account(JUDGE)) },
        slot: 17,
        severity: Severity::Moderate,
        amount: part(STAKE, 5),
    };
    assert_eq!(event, expected);
}

#[test]
fn distance_costs_once_an_hour_and_then_only_what_is_worse() {
    let mut stage = Stage::new();
    let start = stage.world.now();
    let at = |stage: &mut Stage, ms: u64, bps| {
        let list = everybody(&[(5, bps)]);
        let receipt = stage.report_of(JUDGE, ReportKind::Nav, (ms, start + ms), 1, &list);
        let slashed = receipt.succeeds().events::<Slashed>(&stage.validators);
        slashed.iter().map(|event| event.amount).sum::<u128>()
    };
    let first = part(STAKE, 1);
    assert_eq!(at(&mut stage, 0, 60), first);
    for again in [0, 10_000, JUDGED_MS - 1] {
        assert_eq!(at(&mut stage, again, 60), 0, "the same hour, whatever slot");
    }
    let left = STAKE - first;
    assert_eq!(at(&mut stage, 10_000, 9_999), part(left, 14), "severe, of which 1 % is paid");
    assert_eq!(at(&mut stage, 20_000, 9_999), 0);
    assert_eq!(stage.amounts(node(5)).0, left - part(left, 14));
    assert!(at(&mut stage, JUDGED_MS, 60) > 0, "the next hour");
    let left = stage.amounts(node(5)).0;
    assert_eq!(at(&mut stage, JUDGED_MS / 2, 9_999), part(left, 14));
    assert_eq!(at(&mut stage, 0, 9_999), 0, "what is older costs nothing any more");
}

#[test]
fn what_is_on_its_way_out_is_reached() {
    let mut stage = Stage::new();
    // Two thirds are on their way out.
    let _ = stage.unbond(node(5), 2 * MIN_STAKE).succeeds();
    let _ = stage.convict_observer(stage.two_navs(1, 5, 1)).succeeds();
    let penalty = part(STAKE, 50);
    assert_eq!(stage.amounts(node(5)), (0, STAKE - penalty), "bonded first, then the rest");
    // Free by now but not withdrawn: still within reach.
    stage.world.advance(DELAY);
    let left = STAKE - penalty;
    let _ = stage.report(2, &[(5, 1_501)]).succeeds();
    let rest = left - part(left, 15);
    assert_eq!(stage.amounts(node(5)), (0, rest));
    assert_eq!(stage.withdraw(node(5)).succeeds().value, rest);
    // Withdrawn in time: nothing is there, and the offence counts all the same.
    let receipt = stage.report(3, &[(5, 9_999)]).succeeds();
    assert_eq!(receipt.event::<Slashed>(&stage.validators).amount, 0);
    let _ = stage.bond(node(5), MIN_STAKE).succeeds();
    let _ = stage.report(3, &[(5, 9_999)]).succeeds();
    assert_eq!(stage.amounts(node(5)), (MIN_STAKE, 0), "punished before, for nothing");
    assert_eq!(stage.held(), 22 * STAKE + MIN_STAKE);
}

#[test]
fn below_the_minimum_a_seat_has_no_weight_until_topped_up() {
    let mut stage = Stage::new();
    let _ = stage.unbond(node(5), STAKE - MIN_STAKE).succeeds();
    assert_eq!(stage.standing(node(5)), Standing::Active);
    assert_eq!(stage.electorate().stakes[5], MIN_STAKE, "what leaves has no weight");
    let _ = stage.report(1, &[(5, 51)]).succeeds();
    assert_eq!(stage.standing(node(5)), Standing::Inactive);
    let electorate = stage.electorate();
    assert_eq!((electorate.stakes[5], electorate.stakes[6]), (0, MIN_STAKE * 5 / 4));
    assert_eq!(stage.verify_by(0..16), Ok(()), "it still signs");
    let _ = stage.bond(node(5), part(STAKE, 1)).succeeds();
    assert_eq!(stage.standing(node(5)), Standing::Active);
    assert_eq!(stage.electorate().stakes[5], MIN_STAKE);
}

#[test]
fn only_judges_report_and_only_on_seats_of_a_committee_that_still_counts() {
    let mut stage = Stage::new();
    let list = everybody(&[(0, 60)]);
    for name in [STRANGER, OWNER, "node-3"] {
        let error = stage.report_as(name, ReportKind::Nav, 1, &list).fails();
        assert_eq!(error, StakingError::NotJudge);
    }
    let report =
        |stage: &mut Stage, list: &[(u8, u32)]| stage.report_as(JUDGE, ReportKind::Nav, 1, list);
    assert_eq!(report(&mut stage, &[(0, 60), (23, 0)]).fails(), StakingError::UnknownSeat);
    assert_eq!(report(&mut stage, &[(4, 60), (4, 60)]).fails(), StakingError::NotInOrder);
    let many: Vec<(u8, u32)> = (0..24).map(|seat| (seat, 0)).collect();
    assert_eq!(report(&mut stage, &many).fails(), StakingError::TooMany);
    let of = |stage: &mut Stage, epoch| {
        stage.report_of(JUDGE, ReportKind::Nav, (1, JUDGED_MS), epoch, &everybody(&[(0, 60)]))
    };
    for epoch in [0, 2] {
        assert_eq!(of(&mut stage, epoch).fails(), StakingError::UnknownEpoch);
    }
    assert_eq!(stage.amounts(node(0)), (STAKE, 0), "all or nothing");
    stage.next_epoch();
    let _ = of(&mut stage, 1).succeeds();
    assert_eq!(stage.amounts(node(0)).0, STAKE - part(STAKE, 1), "settled before, judged after");
    stage.next_epoch();
    let receipt = of(&mut stage, 1).succeeds();
    assert!(receipt.emitted.is_empty(), "two changes ago: passed over");
    let receipt = report(&mut stage, &[]).succeeds();
    assert!(receipt.emitted.is_empty());
}

#[test]
fn a_token_that_does_not_pay_stops_the_penalty() {
    let mut stage = Stage::new();
    // The contract's tokens are gone, as if the token had lost them.
    let (here, held) = (address(&stage.validators), stage.held());
    stage.world.fund(here, FUNDS);
    let lose = on(&stage.token).transfer(account(OWNER), held, vec![]);
    let _ = stage.world.as_(here).call(lose).succeeds();
    let navs = stage.two_navs(1, 3, 1);
    assert_eq!(stage.report(1, &[(5, 200)]).fails(), StakingError::TokenRefused);
    assert_eq!(stage.convict_observer(navs.clone()).fails(), StakingError::TokenRefused);
    assert_eq!(stage.amounts(node(5)), (STAKE, 0));
    assert_eq!(stage.world.read(on(&stage.validators).barred(None)), 0);
    // It pays again: the offence was not used up.
    let find = on(&stage.token).transfer(here, held, vec![]);
    let _ = stage.world.as_(account(OWNER)).call(find).succeeds();
    let _ = stage.report(1, &[(5, 200)]).succeeds();
    let _ = stage.convict_observer(navs).succeeds();
    assert_eq!(stage.balance(account(STRANGER)), bounty(part(STAKE, 50)), "the bringer's part");
}
