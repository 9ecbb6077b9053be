//! When the time of a job runs, for how long a request stays open, how many jobs an offer bears.

use crate::endings::Before;
use crate::stage::*;
use cicada_core::escrow::Decision;
use cicada_core::market::{Status, Unqualified};
use cicada_core::reputation::START_POINTS;
use cicada_traits::auction::AuctionError;

/// A private job of 100 units with a bond of 300, two hours for the hand-over, handed over after
/// so long.
fn handed_over(stage: &mut Stage, after_ms: u64) -> u64 {
    let request = stage.request(|terms| {
        terms.privacy = private();
        terms.hand_over_within_ms = 2 * HOUR;
    });
    let offer = stage.offer(PROVIDER, |terms| (terms.bond, terms.units) = (3, 100));
    let job = stage.accept(PROVIDER, request, offer, 100).succeeds().value.unwrap();
    stage.world.advance(after_ms);
    let _ = stage.hand_over(REQUESTER, job, CID, SALT).succeeds();
    job
}

#[test]
fn the_time_of_a_private_job_runs_from_its_hand_over() {
    for after_ms in [0, MINUTE, 2 * HOUR] {
        let mut stage = Stage::new();
        let job = handed_over(&mut stage, after_ms);
        let time = HOUR + 2 * SLACK;
        let found = stage.job(job);
        assert_eq!(found.complete_by_ms, found.ready_ms + time);
        let before = Before::of(&mut stage);
        stage.world.at(found.ready_ms + time / 2);
        let _ = stage.decline(PROVIDER, job).succeeds();
        assert_eq!(stage.status(job), Status::Declined);
        assert_eq!(stage.points(PROVIDER), START_POINTS - 20, "half of it was over");
        let request = found.request;
        if !stage.request_of(request).closed {
            let _ = stage.cancel_request(REQUESTER, request).succeeds();
        }
        assert_eq!(before.gained(&mut stage), (10_300, 0));
        stage.check_books();
    }
}

#[test]
fn a_private_job_that_is_not_done_in_its_own_time_ends_then() {
    for (start, at_the_escrow) in [(false, false), (true, false), (true, true)] {
        let mut stage = Stage::new();
        let job = handed_over(&mut stage, MINUTE);
        if start {
            let _ = stage.start(PROVIDER, job).succeeds();
        }
        let before = Before::of(&mut stage);
        let due = stage.job(job).complete_by_ms;
        stage.world.at(due - 1);
        assert_eq!(stage.finalize(job).fails(), AuctionError::NotEnded);
        stage.world.at(due);
        assert_eq!(stage.decline(PROVIDER, job).fails(), AuctionError::TooLate);
        if start {
            assert_eq!(stage.complete(PROVIDER, job).fails(), AuctionError::TooLate);
        } else {
            assert_eq!(stage.start(PROVIDER, job).fails(), AuctionError::TooLate);
        }
        if at_the_escrow {
            stage.decide(PROVIDER, job, Decision::Refund);
        }
        stage.world.advance(10 * HOUR);
        let _ = stage.finalize(job).succeeds();
        let found = stage.job(job);
        assert_eq!((found.status, found.paid, found.ended_ms), (Status::Failed, 0, Some(due)));
        assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS - 20, (0, 1)));
        assert_eq!(before.gained(&mut stage), (10_300, 0));
        assert_eq!(stage.finalize(job).fails(), AuctionError::WrongStatus);
        stage.check_books();
    }
}

#[test]
fn a_job_without_a_payload_waits_for_the_whole_of_its_time() {
    let mut stage = Stage::new();
    let job = stage.assigned(|terms| terms.privacy = private());
    let due = stage.job(job).complete_by_ms;
    stage.world.at(due);
    // No deadline of the provider's: that of the escrow.
    assert_eq!(stage.finalize(job).fails(), AuctionError::NotEnded);
    stage.expire(job);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.status(job), Status::Void);
}

#[test]
fn places_that_are_away_at_the_same_time_move_the_end_once() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| (terms.units, terms.min_units) = (300, Some(1)));
    let end = stage.request_of(request).ends_ms();
    let mut jobs = vec![];
    for who in [PROVIDER, OTHER] {
        let offer = stage.offer(who, |_| {});
        jobs.push((who, stage.accept(who, request, offer, 100).succeeds().value.unwrap()));
    }
    let left = end - stage.job(jobs[1].1).assigned_ms;
    stage.world.advance(30 * MINUTE);
    for (who, job) in jobs {
        let _ = stage.decline(who, job).succeeds();
    }
    let record = stage.request_of(request);
    assert!(!record.closed);
    assert!(record.ends_ms() <= stage.now() + left + MINUTE, "half an hour, not twice");
    stage.check_books();
}

#[test]
fn whoever_draws_the_conclusions_late_keeps_no_request_open() {
    let mut stage = Stage::new();
    let before = stage.balance_of(REQUESTER);
    let job = stage.assigned(|_| {});
    stage.decide(PROVIDER, job, Decision::Refund);
    stage.world.advance(30 * 24 * HOUR);
    let _ = stage.finalize(job).succeeds();
    let request = stage.job(job).request;
    assert!(stage.request_of(request).closed, "its auction ended a month ago");
    assert_eq!(stage.balance_of(REQUESTER), before);
    stage.check_books();
}

#[test]
fn a_firm_offer_bears_no_more_jobs_than_its_least_take_allows() {
    let mut stage = Stage::new();
    let offer = stage.offer(PROVIDER, |terms| {
        (terms.units, terms.min_units, terms.bond) = (200, 80, 3);
        terms.firm_from = Some(1);
    });
    let few = AuctionError::Unqualified(Unqualified::TooFew);
    let one = stage.request(|terms| terms.units = 1);
    assert_eq!(stage.accept(REQUESTER, one, offer, 1).fails(), few);
    for (units, taken) in [(79, None), (80, Some(80)), (79, None), (80, Some(80)), (39, None)] {
        let request = stage.request(|_| {});
        let accepted = stage.accept(REQUESTER, request, offer, units);
        match taken {
            None => assert_eq!(accepted.fails(), few),
            Some(units) => {
                let job = accepted.succeeds().value.unwrap();
                assert_eq!(stage.job(job).units, units);
            }
        }
    }
    // The rest, which is less, goes as a whole.
    let request = stage.request(|_| {});
    let job = stage.accept(REQUESTER, request, offer, 100).succeeds().value.unwrap();
    assert_eq!((stage.job(job).units, stage.offer_of(offer).left), (40, 0));
    stage.check_books();
}

#[test]
fn nobody_binds_a_provider_for_longer_than_he_agreed_to() {
    let mut stage = Stage::new();
    let offer = stage.offer(PROVIDER, |terms| {
        terms.firm_from = Some(1);
        terms.consent.max_time_ms = 2 * HOUR;
    });
    let long = AuctionError::Unqualified(Unqualified::WorkTime);
    for (within, fits) in [(HOUR, true), (HOUR + 1, false), (900 * HOUR, false)] {
        let request = stage.request(|terms| {
            terms.privacy = private();
            terms.hand_over_within_ms = within;
        });
        let accepted = stage.accept(REQUESTER, request, offer, 100);
        if fits {
            let _ = accepted.succeeds();
        } else {
            assert_eq!(accepted.fails(), long);
        }
    }
}
