//! The waiting line: higher reputation first, then the earlier.

use crate::stage::*;
use auction::events::{AcceptDropped, AcceptQueued};
use cicada_core::market::limits::MAX_LINE;
use cicada_core::market::Unqualified;
use cicada_runtime_tests::account;
use cicada_traits::auction::AuctionError;

const PRIORITY: u64 = 30_000;

/// A market with a line, a request, and providers with these points who wait in this order.
fn lined(points: &[u32]) -> (Stage, u64) {
    let mut stage = Stage::with_priority(PRIORITY);
    let request = stage.request(|terms| terms.units = 1_000);
    for (i, points) in points.iter().enumerate() {
        let who = format!("p{i}");
        assert_eq!(wait(&mut stage, request, &who, *points).succeeds().value, None);
    }
    (stage, request)
}

/// A new provider with these points joins the line.
fn wait(stage: &mut Stage, request: u64, who: &str, points: u32) -> Accepted {
    stage.join(who);
    stage.set_points(who, points);
    let offer = stage.offer(who, |_| {});
    stage.accept(who, request, offer, 10)
}

fn order(stage: &mut Stage, request: u64) -> Vec<u32> {
    stage.request_of(request).line.iter().map(|waiting| waiting.points).collect()
}

#[test]
fn accepts_wait_in_line_by_reputation() {
    let (mut stage, request) = lined(&[60, 80, 70]);
    assert_eq!(order(&mut stage, request), [80, 70, 60]);
    assert_eq!(stage.request_of(request).assigned, 0);
    let receipt = wait(&mut stage, request, "p9", 75).succeeds();
    let event = receipt.event::<AcceptQueued>(&stage.auction);
    assert_eq!((event.request, event.provider, event.points), (request, account("p9"), 75));
    assert_eq!(order(&mut stage, request), [80, 75, 70, 60]);
    stage.check_books();
}

#[test]
fn of_equal_reputation_the_earlier_goes_first() {
    let (mut stage, request) = lined(&[60, 80, 60, 80]);
    let line: Vec<_> = stage.request_of(request).line.iter().map(|w| w.provider).collect();
    assert_eq!(line, [id("p1"), id("p3"), id("p0"), id("p2")]);
}

#[test]
fn a_full_line_gives_way_to_more_reputation_only() {
    let (mut stage, request) = lined(&[60; MAX_LINE]);
    assert_eq!(wait(&mut stage, request, "late", 60).fails(), AuctionError::LineFull);
    let receipt = wait(&mut stage, request, "better", 61).succeeds();
    let dropped = receipt.event::<AcceptDropped>(&stage.auction);
    assert_eq!((dropped.request, dropped.provider), (request, account("p9")));
    let line = stage.request_of(request).line;
    assert_eq!((line.len(), line[0].provider), (MAX_LINE, id("better")));
    assert!(line.iter().all(|waiting| waiting.provider != id("p9")), "the last had to leave");
}

#[test]
fn nobody_stands_in_line_twice() {
    let (mut stage, request) = lined(&[60]);
    let second = stage.offer("p0", |_| {});
    let error = stage.accept("p0", request, second, 1).fails();
    assert_eq!(error, AuctionError::AlreadyWaiting);
}

#[test]
fn the_line_is_served_in_order_once_it_takes_no_more() {
    let (mut stage, request) = lined(&[60, 80]);
    let opened = stage.request_of(request).created_ms;
    stage.world.at(opened + PRIORITY - 1);
    assert_eq!(stage.assign_next(request).fails(), AuctionError::LineOpen);
    stage.world.at(opened + PRIORITY);
    let first = stage.assign_next(request).succeeds().value.expect("somebody waits");
    assert_eq!((stage.job(first).provider, stage.job(first).units), (id("p1"), 10));
    let second = stage.assign_next(request).succeeds().value.expect("somebody waits");
    assert_eq!(stage.job(second).provider, id("p0"));
    assert_eq!(stage.assign_next(request).succeeds().value, None);
    stage.check_books();
}

#[test]
fn nobody_overtakes_those_who_wait() {
    let (mut stage, request) = lined(&[60]);
    let offer = stage.offer(PROVIDER, |_| {});
    stage.world.advance(PRIORITY);
    let error = stage.accept(PROVIDER, request, offer, 10).fails();
    assert_eq!(error, AuctionError::LineWaiting);
    let _ = stage.assign_next(request).succeeds();
    assert!(stage.accept(PROVIDER, request, offer, 10).succeeds().value.is_some());
}

#[test]
fn who_no_longer_qualifies_leaves_the_line() {
    let (mut stage, request) = lined(&[90, 80, 70, 60]);
    // The first cancels, the second forbids the market, the third's price rises above the maximum.
    let line = stage.request_of(request).line;
    let _ = stage.cancel_offer("p0", line[0].offer).succeeds();
    stage.permit("p1", false);
    stage.set_points("p2", 150);
    stage.world.advance(PRIORITY);
    let receipt = stage.assign_next(request).succeeds();
    let dropped = receipt.events::<AcceptDropped>(&stage.auction);
    let dropped: Vec<_> = dropped.iter().map(|event| event.provider).collect();
    assert_eq!(dropped, ["p0", "p1", "p2"].map(account));
    let job = receipt.value.expect("the fourth still qualifies");
    assert_eq!(stage.job(job).provider, id("p3"));
    assert!(stage.request_of(request).line.is_empty());
    stage.check_books();
}

#[test]
fn a_line_of_none_who_qualifies_is_empty_afterwards() {
    let (mut stage, request) = lined(&[60]);
    let offer = stage.request_of(request).line[0].offer;
    let _ = stage.cancel_offer("p0", offer).succeeds();
    stage.world.advance(PRIORITY);
    assert_eq!(stage.assign_next(request).succeeds().value, None);
    let offer = stage.offer(PROVIDER, |_| {});
    assert!(stage.accept(PROVIDER, request, offer, 10).succeeds().value.is_some());
}

#[test]
fn who_waits_keeps_his_least_price() {
    let mut stage = Stage::with_priority(PRIORITY);
    let request = stage.request(|_| {});
    let offer = stage.offer(PROVIDER, |_| {});
    let _ = stage.accept_from(PROVIDER, request, offer, 10, 50).succeeds();
    stage.world.advance(PRIORITY);
    // Below 50 points a price is not weighed any lower: only his failures make it fall.
    fail(&mut stage);
    assert_eq!(stage.assign_next(request).succeeds().value, None, "his price has fallen");
}

#[test]
fn a_line_whose_auction_has_ended_is_served_no_more() {
    let (mut stage, request) = lined(&[60]);
    let ends = stage.request_of(request).ends_ms();
    stage.world.at(ends);
    let error = stage.assign_next(request).fails();
    assert_eq!(error, AuctionError::Unqualified(Unqualified::RequestClosed));
    let _ = stage.close_request(request).succeeds();
    assert!(stage.request_of(request).line.is_empty());
    stage.check_books();
}

#[test]
fn the_requester_may_cancel_while_others_wait() {
    let (mut stage, request) = lined(&[60]);
    let _ = stage.cancel_request(REQUESTER, request).succeeds();
    stage.world.advance(PRIORITY);
    let error = stage.assign_next(request).fails();
    assert_eq!(error, AuctionError::Unqualified(Unqualified::RequestClosed));
    stage.check_books();
}

#[test]
fn a_firm_offer_that_the_requester_takes_waits_too() {
    let mut stage = Stage::with_priority(PRIORITY);
    let request = stage.request(|_| {});
    let offer = stage.offer(PROVIDER, |terms| terms.firm_from = Some(50));
    assert_eq!(stage.accept(REQUESTER, request, offer, 10).succeeds().value, None);
    let waiting = stage.request_of(request).line[0];
    assert_eq!((waiting.provider, waiting.min_price), (id(PROVIDER), 50));
    stage.world.advance(PRIORITY);
    let job = stage.assign_next(request).succeeds().value.expect("he qualifies");
    assert_eq!(stage.job(job).provider, id(PROVIDER));
}

/// The provider accepts a job and hands it back late.
fn fail(stage: &mut Stage) {
    let request = stage.request(|terms| {
        terms.units = 1;
        terms.max_duration_ms = MINUTE;
    });
    let offer = stage.offer(PROVIDER, |_| {});
    let _ = stage.accept(PROVIDER, request, offer, 1).succeeds();
    stage.world.advance(PRIORITY);
    let job = stage.assign_next(request).succeeds().value.expect("he qualifies");
    stage.world.advance(2 * MINUTE);
    let _ = stage.decline(PROVIDER, job).succeeds();
}
