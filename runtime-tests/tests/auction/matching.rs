//! Who gets a request, how much of it, and at which price.

use crate::stage::*;
use auction::events::{Assigned, OrderClosed};
use cicada_core::escrow::{EscrowError, State};
use cicada_core::market::matching::max_providers;
use cicada_core::market::{AuctionStatus, InvalidTerms, Status, Unqualified};
use cicada_runtime_tests::{account, on};
use cicada_traits::auction::{AuctionError, AuctionView};

/// What the quote and the accept of this request and offer both answer.
#[track_caller]
fn unqualified(stage: &mut Stage, request: u64, offer: u64, why: Unqualified) {
    let error = AuctionError::Unqualified(why);
    assert_eq!(stage.quote(request, offer), Err(error));
    assert_eq!(stage.accept(PROVIDER, request, offer, 1).fails(), error);
}

#[test]
fn the_first_provider_to_accept_gets_the_job() {
    let mut stage = Stage::new();
    let (request, offer) = (stage.request(|_| {}), stage.offer(PROVIDER, |_| {}));
    let late = stage.offer(OTHER, |_| {});
    let receipt = stage.accept(PROVIDER, request, offer, 100).succeeds();
    let event = receipt.event::<Assigned>(&stage.auction);
    assert_eq!(receipt.value, Some(event.assignment));
    assert_eq!((event.requester, event.provider), (account(REQUESTER), account(PROVIDER)));
    assert_eq!((event.units, event.price), (100, 50));
    let job = stage.job(event.assignment);
    assert_eq!(job.status, Status::Assigned);
    assert_eq!(job.complete_by_ms, stage.now() + HOUR + 2 * SLACK);
    let escrow = stage.escrow_of(event.assignment);
    assert_eq!((escrow.state, escrow.amount), (State::Funded, 5_000));
    assert_eq!((escrow.requester, escrow.provider), (id(REQUESTER), id(PROVIDER)));
    let error = stage.accept(OTHER, request, late, 1).fails();
    assert_eq!(error, AuctionError::Unqualified(Unqualified::RequestClosed));
    stage.check_books();
}

#[test]
fn what_a_filled_request_did_not_need_comes_back_with_the_end_of_its_last_job() {
    let mut stage = Stage::new();
    let before = stage.balance_of(REQUESTER);
    let (request, offer) = (stage.request(|_| {}), stage.offer(PROVIDER, |_| {}));
    let job = stage.accept(PROVIDER, request, offer, 100).succeeds().value.unwrap();
    // Its units may come back, and then cost more.
    assert!(!stage.request_of(request).closed);
    assert_eq!(stage.close_request(request).fails(), AuctionError::StillOpen);
    let _ = stage.start(PROVIDER, job).succeeds();
    let _ = stage.complete(PROVIDER, job).succeeds();
    let receipt = stage.settle(REQUESTER, job, None).succeeds();
    let event = receipt.event::<OrderClosed>(&stage.auction);
    assert_eq!((event.owner, event.returned), (account(REQUESTER), 5_000));
    assert_eq!(stage.balance_of(REQUESTER), before - 5_000);
    assert!(stage.request_of(request).closed);
    stage.check_books();
}

#[test]
fn nobody_deals_with_himself() {
    let mut stage = Stage::new();
    let request = stage.request(|_| {});
    let own = stage.offer(REQUESTER, |terms| terms.firm_from = Some(1));
    let error = AuctionError::Unqualified(Unqualified::OwnRequest);
    assert_eq!(stage.quote(request, own), Err(error));
    assert_eq!(stage.accept(REQUESTER, request, own, 1).fails(), error);
}

#[test]
fn another_kind_of_work_does_not_qualify() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.task_type = name("training"));
    let offer = stage.offer(PROVIDER, |_| {});
    unqualified(&mut stage, request, offer, Unqualified::TaskType);
}

#[test]
fn every_required_capability_must_be_offered() {
    let mut stage = Stage::new();
    let offer = stage.offer(PROVIDER, |_| {});
    let missing = stage.request(|terms| terms.capabilities = names(&["gpu", "tpu"]));
    unqualified(&mut stage, missing, offer, Unqualified::Capability);
    for enough in [&["cuda", "gpu"][..], &["cuda"], &[]] {
        let request = stage.request(|terms| terms.capabilities = names(enough));
        assert_eq!(stage.quote(request, offer), Ok(50));
    }
}

#[test]
fn reputation_below_the_minimum_does_not_qualify() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.min_reputation = Some(51));
    let offer = stage.offer(PROVIDER, |_| {});
    unqualified(&mut stage, request, offer, Unqualified::Reputation);
    stage.set_points(PROVIDER, 51);
    assert_eq!(stage.quote(request, offer), Ok(51));
}

#[test]
fn a_bond_below_the_minimum_does_not_qualify() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.min_bond = 5);
    let low = stage.offer(PROVIDER, |terms| terms.bond = 4);
    unqualified(&mut stage, request, low, Unqualified::Bond);
    let enough = stage.offer(PROVIDER, |terms| terms.bond = 5);
    assert_eq!(stage.quote(request, enough), Ok(50));
}

#[test]
fn the_requester_never_pays_more_than_his_maximum() {
    let mut stage = Stage::new();
    let request = stage.request(|_| {});
    stage.set_points(PROVIDER, 200);
    let exact = stage.offer(PROVIDER, |terms| terms.price = 50);
    let above = stage.offer(PROVIDER, |terms| terms.price = 51);
    assert_eq!(stage.quote(request, exact), Ok(100));
    unqualified(&mut stage, request, above, Unqualified::PriceTooHigh);
}

#[test]
fn a_price_that_rounds_to_nothing_does_not_qualify() {
    let mut stage = Stage::new();
    let request = stage.request(|_| {});
    let offer = stage.offer(PROVIDER, |terms| terms.price = 1);
    unqualified(&mut stage, request, offer, Unqualified::PriceTooLow);
}

#[test]
fn the_provider_never_gets_less_than_he_said() {
    let mut stage = Stage::new();
    let (request, offer) = (stage.request(|_| {}), stage.offer(PROVIDER, |_| {}));
    let error = stage.accept_from(PROVIDER, request, offer, 1, 51).fails();
    assert_eq!(error, AuctionError::Unqualified(Unqualified::PriceTooLow));
    let _ = stage.accept_from(PROVIDER, request, offer, 1, 50).succeeds();
}

#[test]
fn reputation_weighs_the_price_between_a_half_and_the_double() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.max_price = 10_000);
    let offer = stage.offer(PROVIDER, |terms| terms.price = 1_000);
    for (points, price) in [
        (0, 500),
        (49, 500),
        (50, 500),
        (51, 510),
        (100, 1_000),
        (199, 1_990),
        (200, 2_000),
        (300, 2_000),
    ] {
        stage.set_points(PROVIDER, points);
        assert_eq!(stage.quote(request, offer), Ok(price), "with {points} points");
    }
}

#[test]
fn failures_lower_the_price_and_never_to_nothing() {
    let mut stage = Stage::new();
    stage.fail_once();
    let request = |stage: &mut Stage| stage.request(|terms| terms.max_price = 1_000);
    let offer = stage.offer(PROVIDER, |terms| terms.price = 1_000);
    stage.set_points(PROVIDER, 100);
    let asked = request(&mut stage);
    assert_eq!((stage.success(), stage.quote(asked, offer)), ((0, 1), Ok(666)), "2 of 3");
    stage.succeed_once();
    stage.set_points(PROVIDER, 100);
    assert_eq!((stage.success(), stage.quote(asked, offer)), ((1, 2), Ok(750)), "3 of 4");
    for _ in 0..4 {
        stage.fail_once();
    }
    stage.set_points(PROVIDER, 100);
    let asked = request(&mut stage);
    assert_eq!((stage.success(), stage.quote(asked, offer)), ((1, 6), Ok(375)), "3 of 8");
    // In another kind of work he is a newcomer.
    let other = stage.request(|terms| terms.task_type = name("training"));
    let fresh = stage.offer(PROVIDER, |terms| terms.task_type = name("training"));
    assert_eq!(stage.quote(other, fresh), Ok(100));
}

/// Ten providers.
fn crowd(stage: &mut Stage) -> Vec<String> {
    let names: Vec<String> = (0..10).map(|i| format!("p{i}")).collect();
    names.iter().for_each(|who| stage.join(who));
    names
}

#[test]
fn the_number_of_providers_is_a_hundredth_of_the_units_one_to_ten() {
    let mut stage = Stage::new();
    let people = crowd(&mut stage);
    let units = [(1, 1), (99, 1), (199, 1), (200, 2), (1_000, 10), (5_000, 10)];
    for (units, most) in units {
        assert_eq!(max_providers(units), most);
        let request = stage.request(|terms| terms.units = units);
        for who in &people[..usize::from(most)] {
            let offer = stage.offer(who, |_| {});
            let _ = stage.accept(who, request, offer, 1).succeeds();
        }
        let offer = stage.offer(PROVIDER, |_| {});
        let error = stage.accept(PROVIDER, request, offer, 1).fails();
        assert_eq!(error, AuctionError::Unqualified(Unqualified::RequestClosed), "{units} units");
        assert_eq!(stage.request_of(request).assigned, most);
    }
    stage.check_books();
}

#[test]
fn one_provider_gets_one_place() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.units = 1_000);
    let offer = stage.offer(PROVIDER, |_| {});
    let _ = stage.accept(PROVIDER, request, offer, 1).succeeds();
    unqualified(&mut stage, request, offer, Unqualified::HasPlace);
    let second = stage.offer(PROVIDER, |_| {});
    unqualified(&mut stage, request, second, Unqualified::HasPlace);
    let record = stage.request_of(request);
    assert_eq!((record.assigned, record.left), (1, 999));
}

#[test]
fn nobody_takes_less_than_an_equal_part_unless_the_request_says_so() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| (terms.units, terms.min_units) = (1_000, None));
    let (offer, other) = (stage.offer(PROVIDER, |_| {}), stage.offer(OTHER, |_| {}));
    let few = AuctionError::Unqualified(Unqualified::TooFew);
    assert_eq!(stage.accept(PROVIDER, request, offer, 99).fails(), few);
    let _ = stage.accept(PROVIDER, request, offer, 900).succeeds();
    assert_eq!(stage.accept(OTHER, request, other, 11).fails(), few, "a ninth of 100, rounded up");
    let _ = stage.accept(OTHER, request, other, 12).succeeds();
    let small = stage.offer(PROVIDER, |terms| terms.units = 98);
    let whole = stage.request(|terms| terms.min_units = None);
    assert_eq!(stage.quote(whole, small), Err(few), "one place, all of its units");
    let named = stage.request(|terms| terms.min_units = Some(98));
    assert_eq!(stage.quote(named, small), Ok(50));
}

#[test]
fn a_request_beyond_what_an_offer_agrees_to_does_not_get_it() {
    let mut stage = Stage::new();
    let offer = stage.offer(PROVIDER, |terms| {
        terms.firm_from = Some(1);
        let consent = &mut terms.consent;
        consent.review.most_ms = 3 * HOUR;
        consent.dispute.least_ms = 2 * HOUR;
        consent.max_penalty_bps = 2_000;
        consent.min_response_ms = MINUTE;
        consent.min_duration_ms = MINUTE;
        consent.min_required = 2;
        consent.max_fee_bps = 100;
    });
    type Change = fn(&mut cicada_core::market::Request);
    let changes: [(Unqualified, Change); 9] = [
        (Unqualified::ReviewTime, |t| t.review_ms = 366 * 24 * HOUR / 10),
        (Unqualified::DisputeTime, |t| t.dispute_ms = MINUTE),
        // 100 units at 50: two whole penalties above 1,000.
        (Unqualified::Penalty, |t| t.sla = sla(MINUTE, 501)),
        (Unqualified::WorkTime, |t| t.sla = sla(0, 0)),
        (Unqualified::WorkTime, |t| t.max_duration_ms = 1),
        (Unqualified::Arbitrators, |t| t.panel = cicada_core::escrow::Panel::NONE),
        // His own judges.
        (Unqualified::Arbitrators, |t| t.panel.members = vec![id("mallory-1"), id("mallory-2")]),
        (Unqualified::Arbitrators, |t| {
            t.panel.members.push(id("mallory-1"));
            t.panel.required = 3;
        }),
        (Unqualified::Arbitrators, |t| t.panel.fee_bps = 101),
    ];
    for (why, change) in changes {
        let request = stage.request(change);
        unqualified(&mut stage, request, offer, why);
        let taken = stage.accept(REQUESTER, request, offer, 100).fails();
        assert_eq!(taken, AuctionError::Unqualified(why), "a firm offer too");
    }
    let request = stage.request(|terms| terms.sla = sla(MINUTE, 500));
    let _ = stage.accept(REQUESTER, request, offer, 100).succeeds();
}

#[test]
fn the_auction_is_open_then_has_enough_then_is_closed() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.units = 250);
    let mut seen = Vec::new();
    for who in [PROVIDER, OTHER] {
        seen.push(stage.world.read(on(&stage.auction).status_of(request)).unwrap());
        let offer = stage.offer(who, |_| {});
        let _ = stage.accept(who, request, offer, 10).succeeds();
    }
    seen.push(stage.world.read(on(&stage.auction).status_of(request)).unwrap());
    use AuctionStatus::{Closed, MinReached, Open};
    assert_eq!(seen, [Open, MinReached, Closed]);
}

#[test]
fn several_offers_never_get_more_than_the_request_has() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.units = 250);
    let (first, second) = (stage.offer(PROVIDER, |_| {}), stage.offer(OTHER, |_| {}));
    let one = stage.accept(PROVIDER, request, first, 200).succeeds().value.unwrap();
    let two = stage.accept(OTHER, request, second, 200).succeeds().value.unwrap();
    assert_eq!((stage.job(one).units, stage.job(two).units), (200, 50));
    assert_eq!(stage.request_of(request).left, 0);
    assert_eq!(stage.offer_of(second).left, 950);
    stage.check_books();
}

#[test]
fn one_offer_never_gives_more_than_it_has() {
    let mut stage = Stage::new();
    let offer = stage.offer(PROVIDER, |terms| terms.units = 150);
    let (first, second) = (stage.request(|_| {}), stage.request(|_| {}));
    let one = stage.accept(PROVIDER, first, offer, u64::MAX).succeeds().value.unwrap();
    let two = stage.accept(PROVIDER, second, offer, u64::MAX).succeeds().value.unwrap();
    assert_eq!((stage.job(one).units, stage.job(two).units), (100, 50));
    assert_eq!(stage.offer_of(offer).left, 0);
    let third = stage.request(|_| {});
    unqualified(&mut stage, third, offer, Unqualified::OfferClosed);
    // What comes back of it later is then not on offer again.
    let _ = stage.cancel_offer(PROVIDER, offer).succeeds();
    let _ = stage.decline(PROVIDER, one).succeeds();
    assert_eq!(stage.offer_of(offer).left, 0);
    stage.check_books();
}

#[test]
fn nothing_is_accepted_for_no_units() {
    let mut stage = Stage::new();
    let (request, offer) = (stage.request(|_| {}), stage.offer(PROVIDER, |_| {}));
    let error = stage.accept(PROVIDER, request, offer, 0).fails();
    assert_eq!(error, AuctionError::Invalid(InvalidTerms::Units));
}

#[test]
fn an_expired_offer_never_matches() {
    let mut stage = Stage::new();
    let request = stage.request(|_| {});
    let soon = stage.now() + MINUTE;
    let offer = stage.offer(PROVIDER, |terms| terms.expires_ms = soon);
    stage.world.at(soon - 1);
    assert_eq!(stage.quote(request, offer), Ok(50));
    stage.world.at(soon);
    unqualified(&mut stage, request, offer, Unqualified::OfferClosed);
}

#[test]
fn only_the_provider_accepts_an_offer_that_is_not_firm() {
    let mut stage = Stage::new();
    let (request, offer) = (stage.request(|_| {}), stage.offer(PROVIDER, |_| {}));
    for who in [REQUESTER, OTHER, STRANGER] {
        let error = stage.accept(who, request, offer, 1).fails();
        assert_eq!(error, AuctionError::NotAllowed, "{who}");
    }
}

#[test]
fn the_requester_takes_a_resting_firm_offer() {
    let mut stage = Stage::new();
    let offer = stage.offer(PROVIDER, |terms| terms.firm_from = Some(50));
    let request = stage.request(|_| {});
    assert_eq!(stage.accept(STRANGER, request, offer, 1).fails(), AuctionError::NotAllowed);
    let job = stage.accept(REQUESTER, request, offer, 100).succeeds().value.unwrap();
    let job = stage.job(job);
    assert_eq!((job.provider, job.price), (id(PROVIDER), 50));
    stage.check_books();
}

#[test]
fn a_firm_offer_is_not_taken_below_its_least_price() {
    let mut stage = Stage::new();
    let offer = stage.offer(PROVIDER, |terms| terms.firm_from = Some(51));
    let request = stage.request(|_| {});
    let error = stage.accept_from(REQUESTER, request, offer, 1, 0).fails();
    assert_eq!(error, AuctionError::Unqualified(Unqualified::PriceTooLow));
    stage.set_points(PROVIDER, 51);
    let _ = stage.accept(REQUESTER, request, offer, 1).succeeds();
}

#[test]
fn a_provider_who_did_not_permit_the_market_gets_nothing() {
    let mut stage = Stage::new();
    let (request, offer) = (stage.request(|_| {}), stage.offer(PROVIDER, |_| {}));
    stage.permit(PROVIDER, false);
    let error = stage.accept(PROVIDER, request, offer, 1).fails();
    assert_eq!(error, AuctionError::Escrow(EscrowError::NotAllowed));
    stage.permit(PROVIDER, true);
    let _ = stage.accept(PROVIDER, request, offer, 1).succeeds();
}

#[test]
fn an_arbitrator_of_the_request_does_not_get_it() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.panel.members[0] = id(PROVIDER));
    let offer = stage.offer(PROVIDER, |terms| terms.consent.arbitrators.push(id(PROVIDER)));
    unqualified(&mut stage, request, offer, Unqualified::Arbitrators);
}
