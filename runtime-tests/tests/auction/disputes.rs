//! Endings by a dispute: who raised it, and who lost it.

use crate::endings::bonded;
use crate::stage::*;
use auction::events::JobAdvanced;
use cicada_core::escrow::{EscrowError, Fallback, Panel, Side, Verdict};
use cicada_core::market::{Request, Status};
use cicada_core::reputation::START_POINTS;
use cicada_traits::auction::AuctionError;

/// A job that somebody disputes and two arbitrators decide: its status, both sides' points since,
/// successes, what the requester has of the bond of 300, and the price of a unit.
fn disputed(who: &str, verdict: Verdict) -> (Status, i64, i64, (u32, u32), u128, Option<u128>) {
    let mut stage = Stage::new();
    let job = bonded(&mut stage, false, true);
    let _ = stage.complete(PROVIDER, job).succeeds();
    stage.dispute(who, job);
    stage.decide_dispute(job, verdict);
    let before = stage.balance_of(REQUESTER);
    let event = stage.finalize(job).succeeds().event::<JobAdvanced>(&stage.auction);
    let side = if who == REQUESTER { Side::Requester } else { Side::Provider };
    assert_eq!(event.raised_by, Some(side));
    stage.check_books();
    let gained = |points: u32| i64::from(points) - i64::from(START_POINTS);
    let (provider, requester) = (stage.points(PROVIDER), stage.points(REQUESTER));
    let price = stage.prices().map(|prices| prices.average);
    // The request is over and gives back the 5,000 that it did not need.
    let bond = stage.balance_of(REQUESTER) - before - 5_000;
    (stage.status(job), gained(provider), gained(requester), stage.success(), bond, price)
}

#[test]
fn a_verdict_that_pays_anything_is_a_success_and_one_that_pays_nothing_costs_the_bond() {
    let split =
        |provider_share, requester_share| Verdict::Split { provider_share, requester_share };
    let won = |price| (Status::ProviderWon, 15, -25, (1, 1), 0, Some(price));
    // As if nobody had disputed it: done, and done at once.
    let done = |price| (Status::Completed, 12, 0, (1, 1), 0, price);
    let lost = (Status::RequesterWon, -25, 15, (0, 1), 300, None);
    assert_eq!(disputed(REQUESTER, Verdict::Release), won(50));
    assert_eq!(disputed(REQUESTER, split(2_501, 2_499)), won(25));
    assert_eq!(disputed(REQUESTER, split(2_500, 2_500)), done(Some(25)));
    assert_eq!(disputed(REQUESTER, split(1, 4_999)), done(None));
    assert_eq!(disputed(PROVIDER, Verdict::Release), done(Some(50)), "he gains nothing by it");
    assert_eq!(disputed(PROVIDER, split(2_501, 2_499)), done(Some(25)));
    for who in [REQUESTER, PROVIDER] {
        assert_eq!(disputed(who, split(0, 5_000)), lost);
        assert_eq!(disputed(who, Verdict::Refund), lost);
    }
}

#[test]
fn a_dispute_of_the_providers_own_washes_no_missed_level_away() {
    for verdict in [Some(Verdict::Release), None] {
        let mut stage = Stage::new();
        let job = stage.started(|terms| {
            terms.sla = sla(HOUR, 1_000);
            terms.fallback = Fallback::Release;
        });
        stage.world.advance(2 * HOUR);
        let _ = stage.complete(PROVIDER, job).succeeds();
        stage.dispute(PROVIDER, job);
        // What the requester says meanwhile is for the panel, if there is a verdict.
        match verdict {
            Some(verdict) => {
                let _ = stage.report(REQUESTER, job, report(None, &[]).unwrap()).succeeds();
                stage.decide_dispute(job, verdict);
            }
            None => {
                stage.world.advance(3 * HOUR);
                stage.expire(job);
            }
        }
        let _ = stage.finalize(job).succeeds();
        assert_eq!((stage.status(job), stage.job(job).paid), (Status::SlaViolated, 4_000));
        // Started at once, as two points say.
        assert_eq!(stage.points(PROVIDER), START_POINTS + 2 - VIOLATION_POINTS);
        assert_eq!((stage.success(), stage.points(REQUESTER)), ((0, 1), START_POINTS));
        stage.check_books();
    }
}

#[test]
fn a_dispute_of_the_requesters_that_nobody_decides_pays_the_work() {
    let panels: [fn(&mut Request); 3] = [
        |terms| terms.panel = Panel::NONE,
        |terms| terms.dispute_ms = MINUTE,
        |terms| terms.fallback = Fallback::Split { provider_bps: 0 },
    ];
    for change in panels {
        let mut stage = Stage::new();
        let job = stage.delivered(change);
        stage.dispute(REQUESTER, job);
        stage.world.advance(3 * HOUR);
        stage.expire(job);
        let _ = stage.finalize(job).succeeds();
        assert_eq!((stage.status(job), stage.job(job).paid), (Status::Completed, 5_000));
        assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS + 12, (1, 1)));
        assert_eq!(stage.prices().unwrap().average, 50);
        let _ = stage.feedback(PROVIDER, job, 3).succeeds();
        stage.check_books();
    }
}

#[test]
fn what_was_measured_holds_when_nobody_decides_a_dispute_of_the_providers() {
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
        assert_eq!((stage.status(job), stage.job(job).paid), (Status::SlaViolated, paid));
        stage.check_books();
    }
}

#[test]
fn a_dispute_of_the_providers_that_nobody_decides_counts_for_nothing() {
    let mut stage = Stage::new();
    let job = stage.delivered(|terms| terms.fallback = Fallback::Release);
    stage.dispute(PROVIDER, job);
    stage.world.advance(3 * HOUR);
    stage.expire(job);
    let _ = stage.finalize(job).succeeds();
    assert_eq!((stage.status(job), stage.job(job).paid), (Status::Undecided, 5_000));
    assert_eq!((stage.points(PROVIDER), stage.success()), (START_POINTS, (0, 0)));
    assert_eq!(stage.prices(), None);
    let _ = stage.feedback(PROVIDER, job, 3).succeeds();
    stage.check_books();
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
