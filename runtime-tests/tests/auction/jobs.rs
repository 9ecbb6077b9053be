//! An assignment from the start to the stars.

use crate::stage::*;
use auction::events::JobAdvanced;
use cicada_core::escrow::{Ending, State};
use cicada_core::market::{InvalidTerms, Status};
use cicada_core::reputation::START_POINTS;
use cicada_runtime_tests::account;
use cicada_traits::auction::AuctionError;

#[test]
fn a_job_is_started_delivered_and_paid() {
    let mut stage = Stage::new();
    let before = stage.balance_of(PROVIDER);
    let job = stage.assigned(|_| {});
    let event = stage.start(PROVIDER, job).succeeds().event::<JobAdvanced>(&stage.auction);
    assert_eq!((event.assignment, event.status, event.paid), (job, Status::InProgress, 0));
    assert_eq!((event.requester, event.provider), (account(REQUESTER), account(PROVIDER)));
    let event = stage.complete(PROVIDER, job).succeeds().event::<JobAdvanced>(&stage.auction);
    assert_eq!(event.status, Status::Delivered);
    assert_eq!(stage.escrow_of(job).result, Some(RESULT));
    let event = stage.settle(REQUESTER, job, None).succeeds().event::<JobAdvanced>(&stage.auction);
    assert_eq!((event.status, event.paid), (Status::Completed, 5_000));
    assert_eq!(stage.balance_of(PROVIDER), before + 5_000);
    let escrow = stage.escrow_of(job);
    assert_eq!((escrow.state, escrow.ending), (State::Released, Some(Ending::Settled)));
    assert_eq!(stage.success(), (1, 1));
    stage.check_books();
}

#[test]
fn a_completed_job_earns_twelve_points_if_it_was_started_quickly() {
    let mut stage = Stage::new();
    let job = stage.assigned(|_| {});
    stage.world.advance(MINUTE - 1);
    let _ = stage.start(PROVIDER, job).succeeds();
    let _ = stage.complete(PROVIDER, job).succeeds();
    let _ = stage.settle(REQUESTER, job, None).succeeds();
    assert_eq!(stage.points(PROVIDER), START_POINTS + 12);
    assert_eq!(stage.points(REQUESTER), START_POINTS);
}

#[test]
fn a_completed_job_earns_ten_points_if_it_was_not() {
    let mut stage = Stage::new();
    let job = stage.assigned(|_| {});
    stage.world.advance(MINUTE);
    let _ = stage.start(PROVIDER, job).succeeds();
    let _ = stage.complete(PROVIDER, job).succeeds();
    let _ = stage.settle(REQUESTER, job, None).succeeds();
    assert_eq!(stage.points(PROVIDER), START_POINTS + 10);
}

#[test]
fn only_the_provider_starts_delivers_and_declines() {
    let mut stage = Stage::new();
    let job = stage.assigned(|_| {});
    for who in [REQUESTER, OTHER, STRANGER] {
        assert_eq!(stage.start(who, job).fails(), AuctionError::NotAllowed);
        assert_eq!(stage.decline(who, job).fails(), AuctionError::NotAllowed);
    }
    let _ = stage.start(PROVIDER, job).succeeds();
    for who in [REQUESTER, OTHER, STRANGER] {
        assert_eq!(stage.complete(who, job).fails(), AuctionError::NotAllowed);
    }
}

#[test]
fn only_the_requester_settles() {
    let mut stage = Stage::new();
    let job = stage.delivered(|_| {});
    for who in [PROVIDER, OTHER, STRANGER] {
        assert_eq!(stage.settle(who, job, None).fails(), AuctionError::NotAllowed);
    }
}

#[test]
fn nothing_happens_out_of_turn() {
    let mut stage = Stage::new();
    let job = stage.assigned(|_| {});
    let wrong = AuctionError::WrongStatus;
    assert_eq!(stage.complete(PROVIDER, job).fails(), wrong);
    assert_eq!(stage.settle(REQUESTER, job, None).fails(), wrong);
    assert_eq!(stage.feedback(REQUESTER, job, 5).fails(), wrong);
    assert_eq!(stage.hand_over(REQUESTER, job, CID, SALT).fails(), wrong);
    let _ = stage.start(PROVIDER, job).succeeds();
    assert_eq!(stage.start(PROVIDER, job).fails(), wrong);
    assert_eq!(stage.settle(REQUESTER, job, None).fails(), wrong);
    let missed = report(None, &[]).unwrap();
    assert_eq!(stage.report(REQUESTER, job, missed).fails(), wrong);
    let _ = stage.complete(PROVIDER, job).succeeds();
    assert_eq!(stage.start(PROVIDER, job).fails(), wrong);
    assert_eq!(stage.decline(PROVIDER, job).fails(), wrong);
}

#[test]
fn a_job_is_delivered_settled_and_concluded_once() {
    let mut stage = Stage::new();
    let job = stage.delivered(|_| {});
    let wrong = AuctionError::WrongStatus;
    assert_eq!(stage.complete(PROVIDER, job).fails(), wrong);
    let _ = stage.settle(REQUESTER, job, None).succeeds();
    let points = stage.points(PROVIDER);
    assert_eq!(stage.settle(REQUESTER, job, None).fails(), wrong);
    assert_eq!(stage.finalize(job).fails(), wrong);
    assert_eq!((stage.points(PROVIDER), stage.success()), (points, (1, 1)));
    stage.check_books();
}

#[test]
fn work_starts_and_is_delivered_before_the_deadline() {
    let mut stage = Stage::new();
    let (one, two) = (stage.assigned(|_| {}), stage.assigned(|_| {}));
    let due = stage.job(one).complete_by_ms;
    stage.world.at(due - 1);
    let _ = stage.start(PROVIDER, one).succeeds();
    stage.world.at(due);
    assert_eq!(stage.complete(PROVIDER, one).fails(), AuctionError::TooLate);
    assert_eq!(stage.start(PROVIDER, two).fails(), AuctionError::TooLate);
    assert_eq!(stage.decline(PROVIDER, two).fails(), AuctionError::TooLate);
}

#[test]
fn a_job_may_be_delivered_just_before_the_deadline() {
    let mut stage = Stage::new();
    let job = stage.started(|_| {});
    let due = stage.job(job).complete_by_ms;
    stage.world.at(due - 1);
    let _ = stage.complete(PROVIDER, job).succeeds();
}

#[test]
fn the_requester_settles_within_the_review_alone() {
    let mut stage = Stage::new();
    let (one, two) = (stage.delivered(|_| {}), stage.delivered(|_| {}));
    let ends = stage.job(one).completed_ms.unwrap() + 2 * HOUR;
    stage.world.at(ends - 1);
    let _ = stage.settle(REQUESTER, one, None).succeeds();
    stage.world.at(ends);
    assert_eq!(stage.settle(REQUESTER, two, None).fails(), AuctionError::TooLate);
}

#[test]
fn each_side_gives_stars_once() {
    let mut stage = Stage::new();
    let job = stage.settled(|_| {});
    let points = stage.points(PROVIDER);
    let _ = stage.feedback(REQUESTER, job, 4).succeeds();
    assert_eq!(stage.points(PROVIDER), points + 5);
    let _ = stage.feedback(PROVIDER, job, 2).succeeds();
    assert_eq!(stage.points(REQUESTER), START_POINTS - 10);
    for who in [REQUESTER, PROVIDER] {
        assert_eq!(stage.feedback(who, job, 5).fails(), AuctionError::AlreadyRated);
    }
    for who in [OTHER, STRANGER] {
        assert_eq!(stage.feedback(who, job, 5).fails(), AuctionError::NotAllowed);
    }
    let found = stage.job(job);
    assert!(found.rated_by_requester && found.rated_by_provider);
}

#[test]
fn stars_are_one_to_five() {
    let mut stage = Stage::new();
    let job = stage.settled(|_| {});
    for stars in [0, 6, u8::MAX] {
        let error = stage.feedback(REQUESTER, job, stars).fails();
        assert_eq!(error, AuctionError::Invalid(InvalidTerms::Stars));
    }
    let points = stage.points(PROVIDER);
    let _ = stage.feedback(REQUESTER, job, 3).succeeds();
    assert_eq!(stage.points(PROVIDER), points, "three stars say nothing");
}

#[test]
fn stars_wait_for_the_end() {
    let mut stage = Stage::new();
    let job = stage.delivered(|_| {});
    assert_eq!(stage.feedback(REQUESTER, job, 5).fails(), AuctionError::WrongStatus);
    assert_eq!(stage.feedback(PROVIDER, job, 5).fails(), AuctionError::WrongStatus);
}

#[test]
fn a_reputation_contract_that_refuses_does_not_hold_up_the_money() {
    let mut stage = Stage::new();
    let job = stage.delivered(|_| {});
    stage.forbid_writing();
    let _ = stage.settle(REQUESTER, job, None).succeeds();
    assert_eq!(stage.points(PROVIDER), START_POINTS);
    let error = stage.feedback(REQUESTER, job, 5).fails();
    assert_eq!(error, AuctionError::ReputationUnavailable);
    assert!(!stage.job(job).rated_by_requester);
    stage.check_books();
}
