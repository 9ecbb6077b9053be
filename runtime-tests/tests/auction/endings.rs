//! Endings that came about at the escrow contract: `finalize` draws the conclusions.

use crate::stage::*;
use auction::events::JobAdvanced;
use cicada_core::escrow::{Decision, EscrowError, Fallback, Verdict};
use cicada_core::market::Status;
use cicada_core::reputation::START_POINTS;
use cicada_traits::auction::AuctionError;

/// A bonded job of 100 units: 5,000 are escrowed, 300 are the bond.
fn bonded(stage: &mut Stage, firm: bool, start: bool) -> u64 {
    let request = stage.request(|_| {});
    let offer = stage.offer(PROVIDER, |terms| {
        terms.bond = 3;
        terms.units = 100;
        terms.firm_from = firm.then_some(50);
    });
    let who = if firm { REQUESTER } else { PROVIDER };
    let job = stage.accept(who, request, offer, 100).succeeds().value.unwrap();
    if start {
        let _ = stage.start(PROVIDER, job).succeeds();
    }
    job
}

/// What both sides have gained, from this state on.
struct Before(u128, u128);

impl Before {
    fn of(stage: &mut Stage) -> Self {
        Self(stage.balance_of(REQUESTER), stage.balance_of(PROVIDER))
    }

    fn gained(&self, stage: &mut Stage) -> (i128, i128) {
        let gained = |now: u128, before: u128| now as i128 - before as i128;
        (gained(stage.balance_of(REQUESTER), self.0), gained(stage.balance_of(PROVIDER), self.1))
    }
}

#[test]
fn a_job_whose_escrow_runs_is_not_concluded() {
    let mut stage = Stage::new();
    let job = stage.assigned(|_| {});
    assert_eq!(stage.finalize(job).fails(), AuctionError::NotEnded);
    let _ = stage.start(PROVIDER, job).succeeds();
    assert_eq!(stage.finalize(job).fails(), AuctionError::NotEnded);
    let _ = stage.complete(PROVIDER, job).succeeds();
    assert_eq!(stage.finalize(job).fails(), AuctionError::NotEnded);
    stage.dispute(REQUESTER, job);
    assert_eq!(stage.finalize(job).fails(), AuctionError::NotEnded);
}

#[test]
fn a_release_at_the_escrow_contract_completes_the_job() {
    let mut stage = Stage::new();
    let job = stage.delivered(|_| {});
    stage.decide(REQUESTER, job, Decision::Release);
    let event = stage.finalize(job).succeeds().event::<JobAdvanced>(&stage.auction);
    assert_eq!((event.status, event.paid), (Status::Completed, 5_000));
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS + 12, (1, 1)));
    assert_eq!(stage.prices().unwrap().count, 1);
    assert_eq!(stage.finalize(job).fails(), AuctionError::WrongStatus);
    stage.check_books();
}

#[test]
fn a_release_before_the_delivery_completes_the_job_too() {
    let mut stage = Stage::new();
    let job = stage.assigned(|terms| terms.sla = sla(0, 1_000));
    stage.decide(REQUESTER, job, Decision::Release);
    let _ = stage.start(PROVIDER, job).succeeds();
    let error = stage.complete(PROVIDER, job).fails();
    assert_eq!(error, AuctionError::Escrow(EscrowError::WrongState));
    let _ = stage.finalize(job).succeeds();
    assert_eq!((stage.status(job), stage.job(job).paid), (Status::Completed, 5_000));
    stage.check_books();
}

#[test]
fn a_requester_who_keeps_silent_pays_in_the_end() {
    let mut stage = Stage::new();
    let job = stage.delivered(|_| {});
    stage.world.advance(2 * HOUR);
    stage.expire(job);
    let _ = stage.finalize(job).succeeds();
    assert_eq!((stage.status(job), stage.job(job).paid), (Status::Completed, 5_000));
    stage.check_books();
}

#[test]
fn a_job_that_is_not_done_in_time_costs_the_bond_and_twenty_points() {
    let mut stage = Stage::new();
    let job = bonded(&mut stage, false, false);
    let before = Before::of(&mut stage);
    stage.world.advance(10 * HOUR);
    stage.expire(job);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.status(job), Status::Failed);
    assert_eq!(before.gained(&mut stage), (5_300, 0));
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS - 20, (0, 1)));
    assert_eq!(stage.finalize(job).fails(), AuctionError::WrongStatus);
    assert_eq!(before.gained(&mut stage), (5_300, 0));
    assert_eq!(stage.feedback(PROVIDER, job, 1).fails(), AuctionError::WrongStatus);
    stage.check_books();
}

#[test]
fn a_firm_offer_that_was_never_started_costs_nothing() {
    let mut stage = Stage::new();
    let job = bonded(&mut stage, true, false);
    let before = Before::of(&mut stage);
    stage.world.advance(10 * HOUR);
    stage.expire(job);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.status(job), Status::Void);
    assert_eq!(before.gained(&mut stage), (5_000, 300));
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS, (0, 0)));
    assert_eq!(stage.feedback(REQUESTER, job, 1).fails(), AuctionError::WrongStatus);
    stage.check_books();
}

#[test]
fn a_firm_offer_that_was_started_must_be_done() {
    let mut stage = Stage::new();
    let job = bonded(&mut stage, true, true);
    let before = Before::of(&mut stage);
    stage.world.advance(10 * HOUR);
    stage.expire(job);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.status(job), Status::Failed);
    assert_eq!(before.gained(&mut stage), (5_300, 0));
    stage.check_books();
}

#[test]
fn a_private_job_that_was_never_handed_over_is_nobodys_failure() {
    let mut stage = Stage::new();
    let job = stage.assigned(|terms| terms.privacy = private());
    stage.world.advance(10 * HOUR);
    stage.expire(job);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.status(job), Status::Void);
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS, (0, 0)));
    stage.check_books();
}

#[test]
fn a_provider_who_gives_a_started_job_back_loses_bond_and_points() {
    let mut stage = Stage::new();
    let job = bonded(&mut stage, true, true);
    let before = Before::of(&mut stage);
    stage.decide(PROVIDER, job, Decision::Refund);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.status(job), Status::Declined);
    assert_eq!(before.gained(&mut stage), (5_300, 0));
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS - 20, (0, 1)));
    stage.check_books();
}

#[test]
fn a_refund_after_the_deadline_is_no_goodwill() {
    let mut stage = Stage::new();
    let job = bonded(&mut stage, false, false);
    let before = Before::of(&mut stage);
    stage.world.advance(10 * HOUR);
    stage.decide(PROVIDER, job, Decision::Refund);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.status(job), Status::Failed);
    assert_eq!(before.gained(&mut stage), (5_300, 0));
    stage.check_books();
}

#[test]
fn a_firm_offer_that_was_not_started_cannot_lose_a_dispute() {
    let mut stage = Stage::new();
    let job = bonded(&mut stage, true, false);
    stage.dispute(REQUESTER, job);
    stage.decide_dispute(job, Verdict::Refund);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.status(job), Status::Void);
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS, (0, 0)));
    assert_eq!(stage.points(REQUESTER), START_POINTS);
    stage.check_books();
}

#[test]
fn a_void_job_puts_its_units_on_offer_again() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.privacy = private());
    let offer = stage.offer(PROVIDER, |terms| {
        terms.bond = 3;
        terms.units = 100;
        terms.firm_from = Some(50);
    });
    let job = stage.accept(REQUESTER, request, offer, 100).succeeds().value.unwrap();
    assert_eq!(stage.offer_of(offer).left, 0);
    let before = Before::of(&mut stage);
    let _ = stage.decline(PROVIDER, job).succeeds();
    assert_eq!((stage.status(job), stage.offer_of(offer).left), (Status::Void, 100));
    assert_eq!(before.gained(&mut stage), (5_000, 0), "the bond is for the next job");
    stage.check_books();
    let cancel = stage.cancel_offer(PROVIDER, offer);
    let _ = cancel.succeeds();
    assert_eq!(before.gained(&mut stage), (5_000, 300));
    stage.check_books();
}

#[test]
fn a_done_job_returns_the_bond() {
    let mut stage = Stage::new();
    let job = bonded(&mut stage, false, true);
    let before = Before::of(&mut stage);
    let _ = stage.complete(PROVIDER, job).succeeds();
    assert_eq!(before.gained(&mut stage), (0, 0), "not before the end");
    let _ = stage.settle(REQUESTER, job, None).succeeds();
    assert_eq!(before.gained(&mut stage), (0, 5_300));
    stage.check_books();
}

/// A disputed job that two arbitrators decide: its status, and both sides' points since.
fn disputed(verdict: Verdict) -> (Status, i64, i64, (u32, u32)) {
    let mut stage = Stage::new();
    let job = stage.delivered(|_| {});
    stage.dispute(REQUESTER, job);
    stage.decide_dispute(job, verdict);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.prices(), None, "a disputed price is none");
    stage.check_books();
    let gained = |points: u32| i64::from(points) - i64::from(START_POINTS);
    let (provider, requester) = (stage.points(PROVIDER), stage.points(REQUESTER));
    (stage.status(job), gained(provider), gained(requester), stage.success())
}

#[test]
fn who_gets_more_than_half_has_won_the_dispute() {
    let split =
        |provider_share, requester_share| Verdict::Split { provider_share, requester_share };
    let won = (Status::ProviderWon, 15, -25, (1, 1));
    let lost = (Status::RequesterWon, -25, 15, (0, 1));
    assert_eq!(disputed(Verdict::Release), won);
    assert_eq!(disputed(split(2_501, 2_499)), won);
    assert_eq!(disputed(split(2_499, 2_501)), lost);
    assert_eq!(disputed(Verdict::Refund), lost);
}

#[test]
fn nobody_wins_an_exact_half() {
    let half = Verdict::Split { provider_share: 2_500, requester_share: 2_500 };
    assert_eq!(disputed(half), (Status::Undecided, 0, 0, (0, 0)));
}

#[test]
fn nobody_wins_a_dispute_that_is_not_decided() {
    let mut stage = Stage::new();
    let job = stage.delivered(|terms| terms.fallback = Fallback::Release);
    stage.dispute(REQUESTER, job);
    stage.world.advance(3 * HOUR);
    stage.expire(job);
    let _ = stage.finalize(job).succeeds();
    assert_eq!((stage.status(job), stage.job(job).paid), (Status::Undecided, 5_000));
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS, (0, 0)));
    let _ = stage.feedback(PROVIDER, job, 3).succeeds();
    stage.check_books();
}

#[test]
fn what_was_measured_holds_when_nobody_decides_a_dispute() {
    for (fallback, paid) in [
        (Fallback::Release, 4_000),
        (Fallback::Split { provider_bps: 2_500 }, 1_000),
        (Fallback::Refund, 0),
    ] {
        let mut stage = Stage::new();
        let job = stage.started(|terms| {
            terms.sla = sla(HOUR, 1_000);
            terms.fallback = fallback;
        });
        stage.world.advance(2 * HOUR);
        let _ = stage.complete(PROVIDER, job).succeeds();
        stage.dispute(PROVIDER, job);
        stage.world.advance(3 * HOUR);
        stage.expire(job);
        let _ = stage.finalize(job).succeeds();
        assert_eq!((stage.status(job), stage.job(job).paid), (Status::Undecided, paid));
        stage.check_books();
    }
}

#[test]
fn a_dispute_of_a_job_in_work_stops_its_delivery() {
    let mut stage = Stage::new();
    let job = stage.started(|_| {});
    stage.dispute(PROVIDER, job);
    let error = stage.complete(PROVIDER, job).fails();
    assert_eq!(error, AuctionError::Escrow(EscrowError::WrongState));
    stage.decide_dispute(job, Verdict::Refund);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.status(job), Status::RequesterWon);
}

#[test]
fn a_dispute_ends_the_requesters_own_settlement() {
    let mut stage = Stage::new();
    let job = stage.delivered(|terms| terms.sla = sla(HOUR, 1_000));
    stage.dispute(PROVIDER, job);
    let error = stage.settle(REQUESTER, job, report(None, &[])).fails();
    assert_eq!(error, AuctionError::Escrow(EscrowError::WrongState));
    stage.check_books();
}
