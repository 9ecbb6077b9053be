//! Penalties for being off, reported by a judge.

use cicada_core::report::{Feed, ReportKind};
use cicada_core::slashing::{OffenceKind, Severity, Standing, MIN_STAKE};
use cicada_runtime_tests::world::FUNDS;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::psp22::PSP22;
use cicada_traits::staking::{Staking, StakingError};
use validators::validators::Slashed;

use crate::stage::{node, Stage, DELAY, JUDGE, OWNER, STAKE, STRANGER, TREASURY};

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
        (8, 1_500, 15),
        (9, 1_501, 50),
        (10, u128::MAX, 50),
    ];
    let deviations: Vec<(u8, u128)> = cases.iter().map(|(seat, bps, _)| (*seat, *bps)).collect();
    let receipt = stage.report(1, &deviations).succeeds();
    let mut treasury = 0;
    for (seat, bps, percent) in cases {
        let penalty = part(STAKE, percent);
        assert_eq!(stage.amounts(node(seat)), (STAKE - penalty, 0), "{bps} bps");
        treasury += penalty;
    }
    assert_eq!(part(STAKE, 1), STAKE / 100 + 1, "rounded up by a unit");
    assert_eq!(stage.balance(account(TREASURY)), treasury);
    assert_eq!(stage.held(), 23 * STAKE - treasury);
    assert_eq!(receipt.events::<Slashed>(&stage.validators).len(), 9, "none within tolerance");
}

#[test]
fn rankings_have_bands_of_their_own() {
    let mut stage = Stage::new();
    let cases = [
        (0, 500, 0),
        (1, 501, 1),
        (2, 1_000, 1),
        (3, 1_001, 5),
        (4, 1_500, 5),
        (5, 1_501, 15),
        (6, 3_000, 15),
        (7, 3_001, 50),
    ];
    let deviations: Vec<(u8, u128)> = cases.iter().map(|(seat, bps, _)| (*seat, *bps)).collect();
    let kind = OffenceKind::RankingDeviation;
    let _ = stage.report_as(JUDGE, ReportKind::Rewards, 1, kind, &deviations).succeeds();
    for (seat, bps, percent) in cases {
        assert_eq!(stage.amounts(node(seat)).0, STAKE - part(STAKE, percent), "{bps} bps");
    }
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
        feed: Feed { kind: ReportKind::Nav, contract: *account(JUDGE).as_ref() },
        slot: 17,
        severity: Severity::Moderate,
        amount: part(STAKE, 5),
    };
    assert_eq!(event, expected);
}

#[test]
fn an_offence_is_punished_once() {
    let mut stage = Stage::new();
    let _ = stage.report(1, &[(5, 200)]).succeeds();
    let after = stage.amounts(node(5));
    // The same again, worse than before, twice in one call, beside another.
    for again in [&[(5, 200)][..], &[(5, 9_999)], &[(5, 60), (5, 2_000)], &[(6, 0), (5, 200)]] {
        let receipt = stage.report(1, again).succeeds();
        assert!(receipt.events::<Slashed>(&stage.validators).is_empty());
        assert_eq!(stage.amounts(node(5)), after);
    }
    assert_eq!(stage.balance(account(TREASURY)), part(STAKE, 5));
    // Twice in one call, and not yet punished: once.
    let receipt = stage.report(1, &[(7, 60), (7, 2_000), (7, 60)]).succeeds();
    assert_eq!(receipt.events::<Slashed>(&stage.validators).len(), 1);
    assert_eq!(stage.amounts(node(7)).0, STAKE - part(STAKE, 1));
    // What was within tolerance was no offence, so nothing stands against it.
    let _ = stage.report(1, &[(6, 60)]).succeeds();
    assert_eq!(stage.amounts(node(6)).0, STAKE - part(STAKE, 1));
}

#[test]
fn another_slot_feed_kind_or_judge_is_another_offence() {
    let mut stage = Stage::new();
    let list = on(&stage.validators).set_judge(account(STRANGER), true);
    let _ = stage.world.as_(account(OWNER)).call(list).succeeds();
    let nav = OffenceKind::NavDeviation;
    let mut left = STAKE;
    let reports = [
        (JUDGE, ReportKind::Nav, 1, nav),
        (JUDGE, ReportKind::Nav, 2, nav),
        (JUDGE, ReportKind::Basket, 1, nav),
        (STRANGER, ReportKind::Nav, 1, nav),
        (JUDGE, ReportKind::Nav, 1, OffenceKind::RankingDeviation),
    ];
    for (judge, kind, slot, offence) in reports {
        let _ = stage.report_as(judge, kind, slot, offence, &[(5, 1_500)]).succeeds();
        let percent = if offence == nav { 15 } else { 5 };
        left -= part(left, percent);
        assert_eq!(stage.amounts(node(5)).0, left);
    }
    stage.next_epoch();
    let _ = stage.report(1, &[(5, 1_500)]).succeeds();
    assert_eq!(stage.amounts(node(5)).0, left - part(left, 15), "another epoch");
}

#[test]
fn what_is_on_its_way_out_is_reached() {
    let mut stage = Stage::new();
    // Two thirds are on their way out.
    let _ = stage.unbond(node(5), 2 * MIN_STAKE).succeeds();
    let all = STAKE;
    let _ = stage.report(1, &[(5, 1_501)]).succeeds();
    let penalty = part(all, 50);
    assert_eq!(stage.amounts(node(5)), (0, all - penalty), "bonded first, then the rest");
    // Free by now but not withdrawn: still within reach.
    stage.world.advance(DELAY);
    let left = all - penalty;
    let _ = stage.report(2, &[(5, 1_501)]).succeeds();
    assert_eq!(stage.amounts(node(5)), (0, left - part(left, 50)));
    assert_eq!(stage.withdraw(node(5)).succeeds().value, left - part(left, 50));
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
    assert_eq!((electorate.stakes[5], electorate.stakes[6]), (0, 2 * MIN_STAKE));
    assert_eq!(stage.verify_by(0..16), Ok(()), "it still signs");
    let _ = stage.bond(node(5), part(STAKE, 1)).succeeds();
    assert_eq!(stage.standing(node(5)), Standing::Active);
    assert_eq!(stage.electorate().stakes[5], MIN_STAKE);
}

#[test]
fn only_judges_report_and_only_on_seats_in_office() {
    let mut stage = Stage::new();
    let nav = OffenceKind::NavDeviation;
    for name in [STRANGER, OWNER, "node-3"] {
        let error = stage.report_as(name, ReportKind::Nav, 1, nav, &[(0, 60)]).fails();
        assert_eq!(error, StakingError::NotJudge);
    }
    assert_eq!(stage.report(1, &[(0, 60), (23, 0)]).fails(), StakingError::UnknownSeat);
    assert_eq!(stage.report(1, &[(255, 60)]).fails(), StakingError::UnknownSeat);
    assert_eq!(stage.report(1, &[(0, 60); 24]).fails(), StakingError::TooMany);
    assert_eq!(stage.amounts(node(0)), (STAKE, 0), "all or nothing");
    let _ = stage.report(1, &[(0, 60); 23]).succeeds();
    let receipt = stage.report(1, &[]).succeeds();
    assert!(receipt.emitted.is_empty());
}

#[test]
fn a_judge_may_find_what_needs_no_measure() {
    let mut stage = Stage::new();
    let kind = OffenceKind::Falsification;
    let _ = stage.report_as(JUDGE, ReportKind::Nav, 1, kind, &[(2, 0)]).succeeds();
    assert_eq!(stage.amounts(node(2)).0, STAKE - part(STAKE, 50));
    assert_eq!(stage.standing(node(2)), Standing::Ejected);
}

#[test]
fn a_token_that_does_not_pay_stops_the_penalty() {
    let mut stage = Stage::new();
    // The contract's tokens are gone, as if the token had lost them.
    let (here, held) = (address(&stage.validators), stage.held());
    stage.world.fund(here, FUNDS);
    let lose = on(&stage.token).transfer(account(STRANGER), held, vec![]);
    let _ = stage.world.as_(here).call(lose).succeeds();
    let navs = stage.two_navs(1, 3, 1);
    assert_eq!(stage.report(1, &[(5, 200)]).fails(), StakingError::TokenRefused);
    assert_eq!(stage.convict_observer(navs.clone()).fails(), StakingError::TokenRefused);
    assert_eq!(stage.amounts(node(5)), (STAKE, 0));
    assert_eq!(stage.world.read(on(&stage.validators).barred()), 0);
    // It pays again: the offence was not used up.
    let find = on(&stage.token).transfer(here, held, vec![]);
    let _ = stage.world.as_(account(STRANGER)).call(find).succeeds();
    let _ = stage.report(1, &[(5, 200)]).succeeds();
    let _ = stage.convict_observer(navs).succeeds();
}
