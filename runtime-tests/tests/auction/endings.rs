//! Endings that came about at the escrow contract: `finalize` draws the conclusions.

use crate::stage::*;
use auction::events::JobAdvanced;
use cicada_core::escrow::{Decision, EscrowError};
use cicada_core::market::{Status, Unqualified};
use cicada_core::reputation::START_POINTS;
use cicada_traits::auction::AuctionError;
use escrow::escrow::ReserveReturned;

/// A bonded job of 100 units: 5,000 are escrowed, 300 are the bond.
pub fn bonded(stage: &mut Stage, firm: bool, start: bool) -> u64 {
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
pub struct Before(u128, u128);

impl Before {
    pub fn of(stage: &mut Stage) -> Self {
        Self(stage.balance_of(REQUESTER), stage.balance_of(PROVIDER))
    }

    pub fn gained(&self, stage: &mut Stage) -> (i128, i128) {
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
fn a_release_before_the_delivery_is_a_gift_and_counts_for_nothing() {
    let mut stage = Stage::new();
    let job = stage.assigned(|terms| terms.sla = sla(0, 1_000));
    stage.decide(REQUESTER, job, Decision::Release);
    assert_eq!(stage.start(PROVIDER, job).fails(), AuctionError::WrongStatus);
    let _ = stage.finalize(job).succeeds();
    assert_eq!((stage.status(job), stage.job(job).paid), (Status::Gift, 5_000));
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS, (0, 0)));
    assert_eq!(stage.prices(), None);
    assert_eq!(stage.feedback(REQUESTER, job, 5).fails(), AuctionError::WrongStatus);
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
    assert_eq!(before.gained(&mut stage), (10_300, 0), "nobody can take it any more");
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS - 20, (0, 1)));
    assert_eq!(stage.finalize(job).fails(), AuctionError::WrongStatus);
    assert_eq!(stage.feedback(PROVIDER, job, 1).fails(), AuctionError::WrongStatus);
    stage.check_books();
}

#[test]
fn a_firm_offer_must_be_done_or_handed_back_like_any_other() {
    for start in [false, true] {
        let mut stage = Stage::new();
        let job = bonded(&mut stage, true, start);
        let before = Before::of(&mut stage);
        stage.world.advance(10 * HOUR);
        stage.expire(job);
        let _ = stage.finalize(job).succeeds();
        assert_eq!(stage.status(job), Status::Failed);
        assert_eq!(before.gained(&mut stage), (10_300, 0));
        stage.check_books();
    }
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

/// What the requester has of the bond of 300 of a job that is handed back after this time, which
/// way ever, with points and success.
fn handed_back(after_ms: u64, start: bool, at_the_escrow: bool) -> (i128, u32, (u32, u32)) {
    let mut stage = Stage::new();
    let job = bonded(&mut stage, false, start);
    let before = Before::of(&mut stage);
    stage.world.advance(after_ms);
    if at_the_escrow {
        stage.decide(PROVIDER, job, Decision::Refund);
        // Whenever somebody draws the conclusions, the moment of the refund counts.
        stage.world.advance(10 * HOUR);
        let _ = stage.finalize(job).succeeds();
    } else {
        let _ = stage.decline(PROVIDER, job).succeeds();
    }
    assert_eq!(stage.status(job), Status::Declined);
    stage.check_books();
    let request = stage.job(job).request;
    if !stage.request_of(request).closed {
        let _ = stage.cancel_request(REQUESTER, request).succeeds();
    }
    // 5,000 of the job, 5,000 that it did not need.
    let (requester, provider) = before.gained(&mut stage);
    let offer = stage.job(job).offer;
    let still_locked = i128::from(stage.offer_of(offer).left) * 3;
    assert_eq!(requester - 10_000 + provider + still_locked, 300);
    assert_eq!(stage.feedback(REQUESTER, job, 1).fails(), AuctionError::WrongStatus);
    (requester - 10_000, stage.points(PROVIDER), stage.success())
}

#[test]
fn a_job_is_handed_back_for_nothing_soon_and_for_twice_the_share_of_the_time_later() {
    // An hour and two minutes of time: 3,720 s.
    let quarter = (HOUR + 2 * SLACK) / 4;
    for start in [false, true] {
        for at_the_escrow in [false, true] {
            let back = |after_ms| handed_back(after_ms, start, at_the_escrow);
            assert_eq!(back(FREE), (0, START_POINTS, (0, 0)));
            assert_eq!(back(quarter), (100, START_POINTS, (0, 0)), "one of three, rounded down");
            assert_eq!(back(2 * quarter - 1), (200, START_POINTS, (0, 0)));
            assert_eq!(back(2 * quarter), (300, START_POINTS - 20, (0, 1)));
            assert_eq!(back(4 * quarter - 1), (300, START_POINTS - 20, (0, 1)));
        }
    }
}

#[test]
fn a_hand_over_that_overtakes_the_handing_back_costs_nothing() {
    let mut stage = Stage::new();
    for round in 0..5 {
        let request = stage.request(|terms| terms.privacy = private());
        let offer = stage.offer(PROVIDER, |_| {});
        let job = stage.accept(PROVIDER, request, offer, 100).succeeds().value.unwrap();
        // Whatever it opens: nobody can judge a payload before he sees it.
        let _ = stage.hand_over(REQUESTER, job, CID, SALT).succeeds();
        stage.world.advance(FREE);
        let _ = stage.decline(PROVIDER, job).succeeds();
        assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS, (0, 0)), "{round}");
    }
    let request = stage.request(|_| {});
    let offer = stage.offer(PROVIDER, |_| {});
    assert_eq!(stage.quote(request, offer), Ok(50), "he is in trade as before");
}

#[test]
fn what_is_handed_back_can_be_taken_again_by_others() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| (terms.units, terms.min_units) = (199, None));
    let (offer, other) = (stage.offer(PROVIDER, |_| {}), stage.offer(OTHER, |_| {}));
    let end = stage.request_of(request).ends_ms();
    let job = stage.accept(PROVIDER, request, offer, 199).succeeds().value.unwrap();
    let closed = AuctionError::Unqualified(Unqualified::RequestClosed);
    assert_eq!(stage.accept(OTHER, request, other, 199).fails(), closed);
    stage.world.advance(FREE);
    let (escrow, declined) = (stage.job(job).escrow, stage.decline(PROVIDER, job).succeeds());
    let record = stage.request_of(request);
    let returned = declined.event::<ReserveReturned>(&stage.escrow);
    let reserve = record.reserve;
    assert_eq!(returned, ReserveReturned { reserve, amount: 199 * 50, escrow });
    assert_eq!((record.left, record.assigned, record.closed), (199, 0, false));
    assert_eq!(record.budget, 19_900, "all of its money");
    assert_eq!(record.ends_ms(), end + FREE, "it lost no time");
    assert_eq!(stage.offer_of(offer).left, 1_000);
    let again = AuctionError::Unqualified(Unqualified::HasPlace);
    assert_eq!(stage.accept(PROVIDER, request, offer, 199).fails(), again);
    stage.check_books();
    stage.world.at(end + FREE - 1);
    let job = stage.accept(OTHER, request, other, 199).succeeds().value.unwrap();
    assert_eq!(stage.job(job).provider, id(OTHER));
    stage.check_books();
}

#[test]
fn a_request_that_is_closed_takes_nothing_back() {
    let mut stage = Stage::new();
    let before = stage.balance_of(REQUESTER);
    let request = stage.request(|_| {});
    let offer = stage.offer(PROVIDER, |_| {});
    let job = stage.accept(PROVIDER, request, offer, 100).succeeds().value.unwrap();
    let _ = stage.cancel_request(REQUESTER, request).succeeds();
    assert_eq!(stage.balance_of(REQUESTER), before - 5_000);
    let _ = stage.decline(PROVIDER, job).succeeds();
    assert_eq!(stage.balance_of(REQUESTER), before);
    assert_eq!(stage.request_of(request).left, 0);
    stage.check_books();
}

#[test]
fn who_gives_back_takes_no_more_of_that_request_for_whatever_reason() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.privacy = private());
    let offer = stage.offer(PROVIDER, |_| {});
    let job = stage.accept(PROVIDER, request, offer, 100).succeeds().value.unwrap();
    let _ = stage.decline(PROVIDER, job).succeeds();
    assert_eq!(stage.status(job), Status::Void);
    let placed = AuctionError::Unqualified(Unqualified::HasPlace);
    assert_eq!(stage.accept(PROVIDER, request, offer, 100).fails(), placed);
    let other = stage.offer(OTHER, |_| {});
    let _ = stage.accept(OTHER, request, other, 100).succeeds();
    stage.check_books();
}

#[test]
fn delivered_work_that_the_provider_refunds_costs_the_bond() {
    let mut stage = Stage::new();
    let job = bonded(&mut stage, false, true);
    let _ = stage.complete(PROVIDER, job).succeeds();
    let before = Before::of(&mut stage);
    stage.decide(PROVIDER, job, Decision::Refund);
    let _ = stage.finalize(job).succeeds();
    assert_eq!(stage.status(job), Status::Failed);
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS - 20, (0, 1)));
    let request = stage.job(job).request;
    let _ = stage.cancel_request(REQUESTER, request).succeeds();
    assert_eq!(before.gained(&mut stage), (10_300, 0));
    stage.check_books();
}

#[test]
fn nothing_undone_is_paid_or_judged_by_a_dispute() {
    for firm in [false, true] {
        for start in [false, true] {
            let mut stage = Stage::new();
            let job = bonded(&mut stage, firm, start);
            for who in [PROVIDER, REQUESTER] {
                assert_eq!(stage.try_dispute(who, job).fails(), EscrowError::WrongState);
            }
            let due = stage.job(job).complete_by_ms;
            stage.world.at(due);
            stage.expire(job);
            let _ = stage.finalize(job).succeeds();
            assert_eq!((stage.status(job), stage.job(job).paid), (Status::Failed, 0));
        }
    }
    let mut stage = Stage::new();
    let job = stage.assigned(|terms| terms.privacy = private());
    assert_eq!(stage.try_dispute(REQUESTER, job).fails(), EscrowError::WrongState);
    assert_eq!(stage.status(job), Status::AwaitingPayload);
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
    assert_eq!(before.gained(&mut stage), (10_300, 0));
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
    assert_eq!(before.gained(&mut stage), (0, 0), "bond and price are for the next job");
    stage.check_books();
    let _ = stage.cancel_offer(PROVIDER, offer).succeeds();
    assert_eq!(before.gained(&mut stage), (0, 300));
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
    assert_eq!(before.gained(&mut stage), (5_000, 5_300), "and what the request did not need");
    stage.check_books();
}
