//! Requests and offers: what is accepted, what they lock, how they are cancelled and closed.

use crate::stage::*;
use auction::auction::AuctionContractRef;
use auction::events::{Order, OrderClosed, OrderPlaced};
use cicada_core::escrow::{EscrowError, Fallback, Panel, Range, MAX_CID_LEN};
use cicada_core::hash::Digest;
use cicada_core::market::consent::MAX_ACCEPTED;
use cicada_core::market::limits::*;
use cicada_core::market::matching::AUCTION_MS;
use cicada_core::market::{
    AuctionStatus, InvalidTerms, Offer, Parameters, Privacy, Request, Unqualified,
};
use cicada_core::sla::Sla;
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on};
use cicada_traits::auction::{AuctionError, AuctionView};

#[test]
fn a_request_locks_the_maximum_price_of_all_units() {
    let mut stage = Stage::new();
    let before = stage.balance_of(REQUESTER);
    let terms = stage.terms();
    let receipt = stage.place(REQUESTER, &terms).succeeds();
    assert_eq!(receipt.value, 1);
    let event = receipt.event::<OrderPlaced>(&stage.auction);
    assert_eq!((event.order, event.owner), (Order::Request(1), account(REQUESTER)));
    assert_eq!((event.units, event.price), (100, 100));
    assert_eq!(event.until_ms, stage.now() + AUCTION_MS);
    assert_eq!(stage.balance_of(REQUESTER), before - 10_000);
    let record = stage.request_of(1);
    assert_eq!((record.budget, record.left, record.assigned), (10_000, 100, 0));
    assert_eq!((record.terms, record.requester), (terms, id(REQUESTER)));
    stage.check_books();
}

#[test]
fn an_offer_locks_the_bond_of_all_units() {
    let mut stage = Stage::new();
    let before = stage.balance_of(PROVIDER);
    let terms = Offer { bond: 3, ..stage.terms_of_offer() };
    let receipt = stage.bid(PROVIDER, &terms).succeeds();
    let event = receipt.event::<OrderPlaced>(&stage.auction);
    assert_eq!((event.order, event.owner), (Order::Offer(1), account(PROVIDER)));
    assert_eq!((event.units, event.price, event.until_ms), (1_000, 100, terms.expires_ms));
    assert_eq!(stage.balance_of(PROVIDER), before - 3_000);
    assert_eq!(stage.offer_of(1).terms, terms);
    stage.check_books();
}

#[test]
fn an_offer_without_a_bond_needs_no_permission() {
    let mut stage = Stage::new();
    stage.permit(PROVIDER, false);
    stage.offer(PROVIDER, |_| {});
    let bonded = Offer { bond: 1, ..stage.terms_of_offer() };
    let error = stage.bid(PROVIDER, &bonded).fails();
    assert_eq!(error, AuctionError::Escrow(EscrowError::NotAllowed));
}

#[test]
fn a_request_without_permission_or_money_is_refused() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    stage.permit(REQUESTER, false);
    let error = stage.place(REQUESTER, &terms).fails();
    assert_eq!(error, AuctionError::Escrow(EscrowError::NotAllowed));
    let dear = Request { max_price: POCKET, ..stage.terms() };
    let error = stage.place(STRANGER, &dear).fails();
    assert_eq!(error, AuctionError::Escrow(EscrowError::TokenRefused));
}

/// The terms with one thing changed are refused for this reason.
#[track_caller]
fn refused(stage: &mut Stage, why: InvalidTerms, change: impl FnOnce(&mut Request)) {
    let mut terms = stage.terms();
    change(&mut terms);
    assert_eq!(stage.place(REQUESTER, &terms).fails(), AuctionError::Invalid(why));
}

#[track_caller]
fn refused_offer(stage: &mut Stage, why: InvalidTerms, change: impl FnOnce(&mut Offer)) {
    let mut terms = stage.terms_of_offer();
    change(&mut terms);
    assert_eq!(stage.bid(PROVIDER, &terms).fails(), AuctionError::Invalid(why));
}

#[test]
fn figures_out_of_range_make_no_request() {
    let stage = &mut Stage::new();
    let now = stage.now();
    refused(stage, InvalidTerms::Units, |terms| terms.units = 0);
    refused(stage, InvalidTerms::Units, |terms| terms.units = MAX_UNITS + 1);
    refused(stage, InvalidTerms::Price, |terms| terms.max_price = 0);
    refused(stage, InvalidTerms::Price, |terms| terms.max_price = MAX_PRICE + 1);
    refused(stage, InvalidTerms::Price, |terms| terms.min_bond = MAX_PRICE + 1);
    refused(stage, InvalidTerms::Duration, |terms| terms.max_duration_ms = 0);
    refused(stage, InvalidTerms::Duration, |terms| terms.max_duration_ms = 1_000 * HOUR);
    refused(stage, InvalidTerms::Duration, |terms| terms.sla = sla(1_000 * HOUR, 1));
    refused(stage, InvalidTerms::Duration, |terms| terms.hand_over_within_ms = 1);
    refused(stage, InvalidTerms::Duration, |terms| {
        (terms.privacy, terms.hand_over_within_ms) = (private(), MAX_TERM_MS + 1);
    });
    refused(stage, InvalidTerms::Duration, |terms| terms.review_ms = MINUTE - 1);
    refused(stage, InvalidTerms::Duration, |terms| terms.review_ms = 1_000 * HOUR + 1);
    refused(stage, InvalidTerms::Duration, |terms| terms.dispute_ms = MINUTE - 1);
    refused(stage, InvalidTerms::Units, |terms| terms.min_units = Some(0));
    refused(stage, InvalidTerms::Deadline, |terms| terms.deadline_ms = now);
    stage.request(|terms| terms.deadline_ms = now + 1);
}

#[test]
fn names_lists_and_payloads_out_of_range_make_no_request() {
    let stage = &mut Stage::new();
    let many: Vec<String> = (0..13).map(|i| format!("c{i:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    refused(stage, InvalidTerms::Names, |terms| terms.capabilities = names(&["b", "a"]));
    refused(stage, InvalidTerms::Names, |terms| terms.capabilities = names(&["a", "a"]));
    refused(stage, InvalidTerms::Names, |terms| terms.capabilities = names(&many));
    refused(stage, InvalidTerms::Payload, |terms| {
        terms.privacy = Privacy::Public { payload: vec![] };
    });
    refused(stage, InvalidTerms::Payload, |terms| {
        terms.privacy = Privacy::Public { payload: vec![1; MAX_CID_LEN + 1] };
    });
    // What the escrow contract would refuse at every accept.
    let panel = |required, members: &[&str]| Panel {
        required,
        members: members.iter().map(|who| id(who)).collect(),
        fee_bps: 0,
    };
    for wrong in [panel(9, &["eve", "eve"]), panel(1, &["eve", "grace"]), panel(1, &[REQUESTER])] {
        refused(stage, InvalidTerms::Panel, |terms| terms.panel = wrong);
    }
    refused(stage, InvalidTerms::Panel, |terms| terms.panel.members[0] = Account::NOBODY);
    refused(stage, InvalidTerms::Panel, |terms| terms.panel.fee_bps = 501);
    refused(stage, InvalidTerms::Fallback, |terms| {
        terms.fallback = Fallback::Split { provider_bps: 10_001 };
    });
    stage.request(|terms| terms.panel = Panel::NONE);
    refused(stage, InvalidTerms::Accounts, |terms| {
        let allowed = vec![Account([1; 32]); MAX_ALLOWED + 1];
        let (commitment, capability) = (Digest::ZERO, name("tee"));
        terms.privacy = Privacy::Confidential { commitment, capability, allowed };
    });
    let level = |quality: &[(&str, u16)], uptime_bps| {
        let quality = quality.iter().map(|(name, bps)| metric(name, *bps)).collect();
        Some(Sla { uptime_bps, max_response_ms: 1, violation_penalty: 1, quality })
    };
    refused(stage, InvalidTerms::Names, |terms| terms.sla = level(&[("b", 1), ("a", 1)], None));
    refused(stage, InvalidTerms::Names, |terms| terms.sla = level(&[("a", 1), ("a", 1)], None));
    refused(stage, InvalidTerms::BasisPoints, |terms| terms.sla = level(&[("a", 10_001)], None));
    refused(stage, InvalidTerms::BasisPoints, |terms| terms.sla = level(&[], Some(10_001)));
    stage.request(|terms| terms.capabilities = names(&many[..12]));
}

#[test]
fn figures_out_of_range_make_no_offer() {
    let stage = &mut Stage::new();
    let now = stage.now();
    refused_offer(stage, InvalidTerms::Units, |terms| terms.units = 0);
    refused_offer(stage, InvalidTerms::Units, |terms| terms.units = MAX_UNITS + 1);
    refused_offer(stage, InvalidTerms::Price, |terms| terms.price = 0);
    refused_offer(stage, InvalidTerms::Price, |terms| terms.price = MAX_PRICE + 1);
    refused_offer(stage, InvalidTerms::Price, |terms| terms.bond = MAX_PRICE + 1);
    refused_offer(stage, InvalidTerms::Deadline, |terms| terms.expires_ms = now);
    refused_offer(stage, InvalidTerms::Names, |terms| terms.capabilities = names(&["b", "a"]));
    refused_offer(stage, InvalidTerms::Payload, |terms| terms.payload_key = [0; 32]);
    let reversed = Range { least_ms: 2, most_ms: 1 };
    refused_offer(stage, InvalidTerms::Duration, |terms| terms.consent.review = reversed);
    refused_offer(stage, InvalidTerms::Duration, |terms| terms.consent.dispute = reversed);
    refused_offer(stage, InvalidTerms::BasisPoints, |terms| terms.consent.max_penalty_bps = 10_001);
    let crowd = vec![Account([1; 32]); MAX_ACCEPTED + 1];
    refused_offer(stage, InvalidTerms::Accounts, |terms| terms.consent.arbitrators = crowd);
    refused_offer(stage, InvalidTerms::Accounts, |terms| {
        terms.consent.arbitrators = vec![Account::NOBODY]
    });
}

#[test]
fn a_request_must_outlive_the_waiting_line() {
    let mut stage = Stage::with_priority(5_000);
    let now = stage.now();
    refused(&mut stage, InvalidTerms::Deadline, |terms| terms.deadline_ms = now + 5_000);
    stage.request(|terms| terms.deadline_ms = now + 5_001);
}

#[test]
fn a_market_has_parameters_within_their_ranges() {
    let mut stage = Stage::new();
    let info = stage.world.read(on(&stage.auction).market());
    let (token, escrow) = (address(&stage.token), address(&stage.escrow));
    let (reputation, capabilities) = (address(&stage.reputation), address(&stage.capabilities));
    assert_eq!((info.token, info.escrow), (token, escrow));
    assert_eq!((info.reputation, info.capabilities), (reputation, capabilities));
    assert_eq!((info.parameters, info.limits), (Stage::parameters(0), LIMITS));
    let mut deploy = |parameters| {
        let constructor =
            AuctionContractRef::new(token, escrow, reputation, capabilities, parameters);
        stage.world.as_(account(STRANGER)).deploy("auction", constructor)
    };
    assert!(deploy(Stage::parameters(MAX_PRIORITY_MS)).is_ok());
    for wrong in [
        Stage::parameters(MAX_PRIORITY_MS + 1),
        Parameters { slack_ms: MIN_SLACK_MS - 1, ..Stage::parameters(0) },
        Parameters { hand_back_ms: MIN_HAND_BACK_MS - 1, ..Stage::parameters(0) },
        Parameters { slack_ms: MAX_SLACK_MS + 1, ..Stage::parameters(0) },
        Parameters { hand_back_ms: MAX_SLACK_MS + 1, ..Stage::parameters(0) },
    ] {
        let error = deploy(wrong).err();
        assert_eq!(error, Some(AuctionError::Invalid(InvalidTerms::Parameter)));
    }
}

#[test]
fn the_requester_cancels_what_is_unfilled_and_gets_its_money() {
    let mut stage = Stage::new();
    let before = stage.balance_of(REQUESTER);
    let request = stage.request(|terms| terms.units = 300);
    let offer = stage.offer(PROVIDER, |_| {});
    let _ = stage.accept(PROVIDER, request, offer, 100).succeeds();
    let error = stage.cancel_request(PROVIDER, request).fails();
    assert_eq!(error, AuctionError::NotAllowed);
    let receipt = stage.cancel_request(REQUESTER, request).succeeds();
    let event = receipt.event::<OrderClosed>(&stage.auction);
    assert_eq!((event.order, event.returned), (Order::Request(request), 30_000 - 5_000));
    assert_eq!(event.owner, account(REQUESTER));
    assert_eq!(stage.balance_of(REQUESTER), before - 5_000, "the job's money stays");
    stage.check_books();
    for error in
        [stage.cancel_request(REQUESTER, request).fails(), stage.close_request(request).fails()]
    {
        assert_eq!(error, AuctionError::AlreadyClosed);
    }
    let error = stage.accept(PROVIDER, request, offer, 100).fails();
    assert_eq!(error, AuctionError::Unqualified(Unqualified::RequestClosed));
}

#[test]
fn the_provider_cancels_what_is_left_and_gets_its_bond() {
    let mut stage = Stage::new();
    let before = stage.balance_of(PROVIDER);
    let request = stage.request(|_| {});
    let offer = stage.offer(PROVIDER, |terms| terms.bond = 10);
    let _ = stage.accept(PROVIDER, request, offer, 40).succeeds();
    assert_eq!(stage.cancel_offer(REQUESTER, offer).fails(), AuctionError::NotAllowed);
    let receipt = stage.cancel_offer(PROVIDER, offer).succeeds();
    let event = receipt.event::<OrderClosed>(&stage.auction);
    assert_eq!((event.order, event.returned), (Order::Offer(offer), 9_600));
    assert_eq!(stage.balance_of(PROVIDER), before - 400, "the job's bond stays");
    stage.check_books();
    for error in [stage.cancel_offer(PROVIDER, offer).fails(), stage.close_offer(offer).fails()] {
        assert_eq!(error, AuctionError::AlreadyClosed);
    }
    let other = stage.request(|_| {});
    let error = stage.accept(PROVIDER, other, offer, 1).fails();
    assert_eq!(error, AuctionError::Unqualified(Unqualified::OfferClosed));
}

#[test]
fn anybody_closes_a_request_once_its_auction_has_ended() {
    let mut stage = Stage::new();
    let before = stage.balance_of(REQUESTER);
    let request = stage.request(|_| {});
    stage.world.advance(AUCTION_MS - 1);
    assert_eq!(stage.close_request(request).fails(), AuctionError::StillOpen);
    stage.world.advance(1);
    let _ = stage.close_request(request).succeeds();
    assert_eq!(stage.balance_of(REQUESTER), before);
    assert_eq!(stage.request_of(request).budget, 0);
    stage.check_books();
}

#[test]
fn anybody_closes_an_offer_once_it_has_expired() {
    let mut stage = Stage::new();
    let before = stage.balance_of(PROVIDER);
    let offer = stage.offer(PROVIDER, |terms| terms.bond = 2);
    stage.world.advance(HOUR - 1);
    assert_eq!(stage.close_offer(offer).fails(), AuctionError::StillOpen);
    stage.world.advance(1);
    let _ = stage.close_offer(offer).succeeds();
    assert_eq!(stage.balance_of(PROVIDER), before);
    stage.check_books();
}

#[test]
fn an_auction_ends_at_the_earlier_of_its_deadline_and_fifteen_minutes() {
    let mut stage = Stage::new();
    let soon = stage.now() + 2 * MINUTE;
    let (short, long) = (stage.request(|terms| terms.deadline_ms = soon), stage.request(|_| {}));
    let offer = stage.offer(PROVIDER, |_| {});
    let status = |stage: &mut Stage, request| {
        stage.world.read(on(&stage.auction).status_of(request)).expect("it is there")
    };
    stage.world.at(soon - 1);
    assert_eq!(status(&mut stage, short), AuctionStatus::Open);
    assert_eq!(stage.quote(short, offer), Ok(50));
    stage.world.at(soon);
    assert_eq!(status(&mut stage, short), AuctionStatus::Closed);
    let error = AuctionError::Unqualified(Unqualified::RequestClosed);
    assert_eq!(stage.accept(PROVIDER, short, offer, 1).fails(), error);
    stage.world.at(soon - 2 * MINUTE + AUCTION_MS - 1);
    assert_eq!(stage.quote(long, offer), Ok(50));
    stage.world.advance(1);
    assert_eq!(stage.quote(long, offer), Err(error));
}

#[test]
fn numbers_that_are_not_there_are_not_found() {
    let mut stage = Stage::new();
    let (request, offer) = (stage.request(|_| {}), stage.offer(PROVIDER, |_| {}));
    let errors = [
        stage.accept(PROVIDER, 2, offer, 1).fails(),
        stage.accept(PROVIDER, request, 2, 1).fails(),
        stage.accept(PROVIDER, 0, 0, 1).fails(),
        stage.assign_next(2).fails(),
        stage.cancel_request(REQUESTER, 2).fails(),
        stage.cancel_offer(PROVIDER, 2).fails(),
        stage.close_request(2).fails(),
        stage.close_offer(2).fails(),
        stage.hand_over(REQUESTER, 1, CID, SALT).fails(),
        stage.start(PROVIDER, 1).fails(),
        stage.decline(PROVIDER, 1).fails(),
        stage.complete(PROVIDER, 1).fails(),
        stage.settle(REQUESTER, 1, None).fails(),
        stage.finalize(1).fails(),
        stage.feedback(REQUESTER, 1, 5).fails(),
        stage.quote(2, offer).unwrap_err(),
    ];
    assert_eq!(errors, [AuctionError::NotFound; 16]);
    assert_eq!(stage.world.read(on(&stage.auction).request_of(2)), None);
    assert_eq!(stage.world.read(on(&stage.auction).offer_of(2)), None);
    assert_eq!(stage.world.read(on(&stage.auction).assignment_of(1)), None);
    assert_eq!(stage.world.read(on(&stage.auction).payload_of(1)), None);
    assert_eq!(stage.world.read(on(&stage.auction).status_of(2)), None);
    assert_eq!(stage.prices(), None);
    assert_eq!(stage.success(), (0, 0));
}
