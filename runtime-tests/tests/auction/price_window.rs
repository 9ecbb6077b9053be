//! Prices over 24 hourly buckets: of settled and paid jobs between two people, and no others.

use crate::stage::*;
use cicada_core::prices::{Prices, HOUR_MS, WINDOW_HOURS};
use cicada_runtime_tests::on;
use cicada_traits::auction::AuctionView;

/// A settled job of so many units at this effective price.
fn trade(stage: &mut Stage, price: u128, units: u64) {
    stage.set_points(PROVIDER, 100);
    let request = stage.request(|terms| {
        terms.units = units;
        terms.max_price = 1_000;
    });
    // Successes alone: the share does not lower the price.
    let offer = stage.offer(PROVIDER, |terms| terms.price = price);
    let job = stage.accept(PROVIDER, request, offer, units).succeeds().value.unwrap();
    assert_eq!(stage.job(job).price, price);
    let _ = stage.start(PROVIDER, job).succeeds();
    let _ = stage.complete(PROVIDER, job).succeeds();
    let _ = stage.settle(REQUESTER, job, None).succeeds();
}

#[test]
fn average_vwap_lowest_highest_volume_and_count() {
    let mut stage = Stage::new();
    trade(&mut stage, 100, 10);
    trade(&mut stage, 201, 30);
    let expected = Prices { average: 150, vwap: 175, min: 100, max: 201, volume: 40, count: 2 };
    assert_eq!(stage.prices(), Some(expected));
    let other = stage.world.read(on(&stage.auction).prices(name("training")));
    assert_eq!(other, None);
}

#[test]
fn a_job_counts_for_the_present_hour_and_the_23_that_follow() {
    let mut stage = Stage::new();
    let hour = stage.now().next_multiple_of(HOUR_MS);
    stage.world.at(hour);
    trade(&mut stage, 100, 1);
    stage.world.at(hour + WINDOW_HOURS * HOUR_MS - 1);
    assert_eq!(stage.prices().unwrap().count, 1);
    trade(&mut stage, 200, 1);
    assert_eq!(stage.prices().unwrap().average, 150);
    stage.world.advance(1);
    let left = stage.prices().unwrap();
    assert_eq!((left.average, left.count), (200, 1));
    stage.world.advance(23 * HOUR_MS);
    assert_eq!(stage.prices(), None);
}

#[test]
fn a_day_without_trade_has_no_price() {
    let mut stage = Stage::new();
    trade(&mut stage, 100, 1);
    stage.world.advance(WINDOW_HOURS * HOUR_MS);
    assert_eq!(stage.prices(), None);
    trade(&mut stage, 300, 2);
    assert_eq!(stage.prices().unwrap().vwap, 300);
}

#[test]
fn a_job_that_is_not_settled_has_no_price() {
    let mut stage = Stage::new();
    let job = stage.delivered(|_| {});
    assert_eq!(stage.prices(), None);
    let declined = stage.assigned(|_| {});
    let _ = stage.decline(PROVIDER, declined).succeeds();
    let failed = stage.assigned(|_| {});
    let due = stage.job(failed).complete_by_ms;
    let _ = stage.settle(REQUESTER, job, None).succeeds();
    let before = stage.prices();
    stage.world.at(due);
    stage.expire(failed);
    let _ = stage.finalize(failed).succeeds();
    assert_eq!((stage.prices(), before.unwrap().count), (before, 1));
}

#[test]
fn a_job_with_a_penalty_counts_with_what_was_paid() {
    let mut stage = Stage::new();
    let job = stage.assigned(|terms| terms.sla = sla(0, 1_000));
    stage.world.advance(SLACK + 1);
    let _ = stage.start(PROVIDER, job).succeeds();
    let _ = stage.complete(PROVIDER, job).succeeds();
    let _ = stage.settle(REQUESTER, job, None).succeeds();
    assert_eq!(stage.job(job).paid, 4_000);
    let prices = stage.prices().unwrap();
    assert_eq!((prices.average, prices.max, prices.volume), (40, 40, 100));
}

#[test]
fn what_is_paid_without_a_delivery_makes_no_price() {
    let mut stage = Stage::new();
    let gift = stage.assigned(|_| {});
    stage.decide(REQUESTER, gift, cicada_core::escrow::Decision::Release);
    let _ = stage.finalize(gift).succeeds();
    assert_eq!(stage.prices(), None);
}
