//! Service levels: what is measured, what is stated, what it costs.

use crate::stage::*;
use cicada_core::escrow::Decision;
use cicada_core::market::{InvalidTerms, Request, Status};
use cicada_core::reputation::START_POINTS;
use cicada_core::sla::Sla;
use cicada_traits::auction::AuctionError;

/// A minute to respond, an hour of work, 1,001 a violation, uptime 99 %, accuracy 90 %, recall 80 %.
fn full(terms: &mut Request) {
    terms.sla = Some(Sla {
        uptime_bps: Some(9_900),
        max_response_ms: MINUTE,
        violation_penalty: 1_001,
        quality: vec![metric("accuracy", 9_000), metric("recall", 8_000)],
    });
}

/// The first response and the first execution that miss the level.
const LATE: u64 = MINUTE + SLACK + 1;
const LONG: u64 = HOUR + SLACK + 1;

/// A job under this service level with these times.
fn timed(stage: &mut Stage, level: fn(&mut Request), response: u64, execution: u64) -> u64 {
    let job = stage.assigned(level);
    stage.world.advance(response);
    let _ = stage.start(PROVIDER, job).succeeds();
    stage.world.advance(execution);
    let _ = stage.complete(PROVIDER, job).succeeds();
    job
}

/// What the provider is paid of 5,000 after these times and this report.
fn paid(
    response: u64,
    execution: u64,
    report: Option<cicada_core::sla::QualityReport>,
) -> (Status, u128, u32) {
    let mut stage = Stage::new();
    let job = timed(&mut stage, full, response, execution);
    let _ = stage.settle(REQUESTER, job, report).succeeds();
    stage.check_books();
    let found = stage.job(job);
    (found.status, found.paid, found.violations.count())
}

fn good() -> Option<cicada_core::sla::QualityReport> {
    report(Some(9_900), &[("accuracy", 9_000), ("recall", 8_000)])
}

#[test]
fn levels_that_are_just_kept_cost_nothing() {
    // Each time has its slack: nobody is late by the length of a block.
    assert_eq!(paid(LATE - 1, HOUR, good()), (Status::Completed, 5_000, 0));
    assert_eq!(paid(MINUTE, LONG - 1, good()), (Status::Completed, 5_000, 0));
    assert_eq!(paid(0, 0, None), (Status::Completed, 5_000, 0));
}

#[test]
fn late_response_and_long_execution_cost_the_penalty_each() {
    assert_eq!(paid(LATE, HOUR, good()), (Status::SlaViolated, 3_999, 1));
    assert_eq!(paid(MINUTE, LONG, good()), (Status::SlaViolated, 3_999, 1));
}

#[test]
fn uptime_and_each_metric_cost_half_of_it_rounded_down() {
    let low_uptime = report(Some(9_899), &[("accuracy", 9_000), ("recall", 8_000)]);
    assert_eq!(paid(0, 0, low_uptime), (Status::SlaViolated, 4_500, 1));
    let low_recall = report(Some(10_000), &[("recall", 7_999), ("accuracy", 10_000)]);
    assert_eq!(paid(0, 0, low_recall), (Status::SlaViolated, 4_500, 1));
    let low_both = report(Some(10_000), &[("accuracy", 0), ("recall", 0)]);
    assert_eq!(paid(0, 0, low_both), (Status::SlaViolated, 4_000, 2));
}

#[test]
fn what_a_report_leaves_out_is_missed() {
    assert_eq!(paid(0, 0, report(None, &[])), (Status::SlaViolated, 3_500, 3));
    let no_recall = report(Some(9_900), &[("accuracy", 9_000), ("speed", 10_000)]);
    assert_eq!(paid(0, 0, no_recall), (Status::SlaViolated, 4_500, 1));
}

#[test]
fn without_a_report_the_measured_penalty_remains() {
    assert_eq!(paid(LATE, 0, None), (Status::SlaViolated, 3_999, 1));
}

#[test]
fn all_penalties_add_up() {
    // Who misses both times is not in time at all.
    let all = paid(LATE, HOUR, report(None, &[]));
    assert_eq!(all, (Status::SlaViolated, 5_000 - 1_001 - 3 * 500, 4));
}

#[test]
fn a_penalty_is_never_more_than_the_job() {
    let mut stage = Stage::new();
    let level = |terms: &mut Request| terms.sla = sla(MINUTE, u128::MAX);
    let before = stage.balance_of(PROVIDER);
    let job = timed(&mut stage, level, LATE, HOUR);
    let _ = stage.settle(REQUESTER, job, None).succeeds();
    assert_eq!((stage.status(job), stage.job(job).paid), (Status::SlaViolated, 0));
    assert_eq!(stage.balance_of(PROVIDER), before);
    assert_eq!(stage.prices(), None, "nothing was paid");
    stage.check_books();
}

#[test]
fn each_measured_violation_costs_points_and_the_job_is_no_success() {
    let mut stage = Stage::new();
    let job = timed(&mut stage, full, LATE, HOUR);
    // The three that he states count for nothing.
    let _ = stage.settle(REQUESTER, job, report(None, &[])).succeeds();
    assert_eq!(stage.points(PROVIDER), START_POINTS - VIOLATION_POINTS);
    assert_eq!(stage.success(), (0, 1));
}

#[test]
fn what_only_the_requester_states_costs_money_and_no_mark() {
    let mut stage = Stage::new();
    let job = timed(&mut stage, full, 0, HOUR);
    let _ = stage.settle(REQUESTER, job, report(None, &[])).succeeds();
    assert_eq!((stage.status(job), stage.job(job).paid), (Status::SlaViolated, 3_500));
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS, (0, 0)));
    stage.check_books();
}

#[test]
fn the_measured_penalty_holds_whoever_releases() {
    for silent in [false, true] {
        let mut stage = Stage::new();
        let job = timed(&mut stage, full, LATE, HOUR);
        if silent {
            stage.world.advance(2 * HOUR);
            stage.expire(job);
        } else {
            stage.decide(REQUESTER, job, Decision::Release);
        }
        let _ = stage.finalize(job).succeeds();
        assert_eq!((stage.status(job), stage.job(job).paid), (Status::SlaViolated, 3_999));
        stage.check_books();
    }
}

#[test]
fn without_a_service_level_a_report_says_nothing() {
    let mut stage = Stage::new();
    let job = timed(&mut stage, |_| {}, 0, LONG);
    let _ = stage.settle(REQUESTER, job, report(Some(0), &[])).succeeds();
    assert_eq!((stage.status(job), stage.job(job).paid), (Status::Completed, 5_000));
}

#[test]
fn a_report_is_bounded() {
    let mut stage = Stage::new();
    let job = stage.delivered(full);
    let nine = [("a", 1); 9];
    let error = stage.settle(REQUESTER, job, report(None, &nine)).fails();
    assert_eq!(error, AuctionError::Invalid(InvalidTerms::Names));
    for wrong in [report(Some(10_001), &[]), report(None, &[("a", 10_001)])] {
        let error = stage.settle(REQUESTER, job, wrong).fails();
        assert_eq!(error, AuctionError::Invalid(InvalidTerms::BasisPoints));
    }
}

#[test]
fn a_report_is_taken_while_a_dispute_runs_and_counts_if_nobody_decides() {
    for who in [PROVIDER, REQUESTER] {
        let mut stage = Stage::new();
        let job = stage.delivered(|terms| {
            full(terms);
            terms.fallback = cicada_core::escrow::Fallback::Release;
        });
        let missed = report(None, &[]).unwrap();
        let early = stage.report(REQUESTER, job, missed.clone()).fails();
        assert_eq!(early, AuctionError::Escrow(cicada_core::escrow::EscrowError::WrongState));
        // Dodging the report by a dispute does not help.
        stage.dispute(who, job);
        for other in [PROVIDER, STRANGER] {
            let error = stage.report(other, job, missed.clone()).fails();
            assert_eq!(error, AuctionError::NotAllowed);
        }
        let _ = stage.report(REQUESTER, job, missed).succeeds();
        stage.world.advance(3 * HOUR);
        stage.expire(job);
        let _ = stage.finalize(job).succeeds();
        assert_eq!((stage.status(job), stage.job(job).paid), (Status::SlaViolated, 3_500));
        assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS, (0, 0)));
        stage.check_books();
    }
}
