//! Who gets to see a payload, and when.

use crate::common::seated;
use crate::stage::*;
use auction::events::JobAdvanced;
use cicada_core::capability::CapabilityRow;
use cicada_core::escrow::Decision;
use cicada_core::hash::Native;
use cicada_core::market::limits::SEALED_KEY_LEN;
use cicada_core::market::{HandOver, InvalidTerms, Privacy, Status, Unqualified};
use cicada_core::privacy::commitment;
use cicada_core::report::{Feed, ReportKind};
use cicada_core::Account;
use cicada_runtime_tests::{address, on, World};
use cicada_traits::auction::{Auction, AuctionError, AuctionView};
use cicada_traits::capabilities::Capabilities;
use cicada_traits::stored::Opaque;

fn private_job(stage: &mut Stage) -> u64 {
    stage.assigned(|terms| terms.privacy = private())
}

fn confidential(allowed: &[&str]) -> Privacy {
    Privacy::Confidential {
        commitment: commitment::<Native>(CID, &SALT),
        capability: name("tee"),
        allowed: allowed.iter().map(|who| id(who)).collect(),
    }
}

#[test]
fn a_private_job_waits_for_its_payload() {
    let mut stage = Stage::new();
    let job = private_job(&mut stage);
    assert_eq!(stage.status(job), Status::AwaitingPayload);
    assert_eq!(stage.start(PROVIDER, job).fails(), AuctionError::WrongStatus);
    stage.world.advance(HOUR);
    let receipt = stage.hand_over(REQUESTER, job, CID, SALT).succeeds();
    let event = receipt.event::<JobAdvanced>(&stage.auction);
    assert_eq!((event.assignment, event.status), (job, Status::Assigned));
    let payload = stage.world.read(on(&stage.auction).payload_of(job)).expect("handed over");
    assert_eq!(payload, HandOver { cid: CID.to_vec(), salt: SALT, sealed_key: vec![3; 80] });
    assert_eq!(stage.job(job).ready_ms, stage.now());
    let _ = stage.start(PROVIDER, job).succeeds();
}

#[test]
fn the_response_time_counts_from_the_hand_over() {
    let mut stage = Stage::new();
    let job = stage.assigned(|terms| {
        terms.privacy = private();
        terms.sla = sla(MINUTE, 1_000);
    });
    stage.world.advance(HOUR);
    let _ = stage.hand_over(REQUESTER, job, CID, SALT).succeeds();
    stage.world.advance(MINUTE);
    let _ = stage.start(PROVIDER, job).succeeds();
    let _ = stage.complete(PROVIDER, job).succeeds();
    assert!(!stage.job(job).violations.any());
}

#[test]
fn only_what_was_committed_to_is_handed_over() {
    let mut stage = Stage::new();
    let job = private_job(&mut stage);
    for (cid, salt) in [(&b"bafy-other"[..], SALT), (CID, [8; 32])] {
        let error = stage.hand_over(REQUESTER, job, cid, salt).fails();
        assert_eq!(error, AuctionError::WrongOpening);
    }
    assert_eq!(stage.world.read(on(&stage.auction).payload_of(job)), None);
}

#[test]
fn only_the_requester_hands_over_and_once() {
    let mut stage = Stage::new();
    let job = private_job(&mut stage);
    for who in [PROVIDER, OTHER, STRANGER] {
        assert_eq!(stage.hand_over(who, job, CID, SALT).fails(), AuctionError::NotAllowed);
    }
    let _ = stage.hand_over(REQUESTER, job, CID, SALT).succeeds();
    assert_eq!(stage.hand_over(REQUESTER, job, CID, SALT).fails(), AuctionError::WrongStatus);
}

#[test]
fn a_payload_is_handed_over_in_its_time_and_the_job_has_its_own_from_then_on() {
    let mut stage = Stage::new();
    let (one, two) = (private_job(&mut stage), private_job(&mut stage));
    let latest = stage.job(one).assigned_ms + 2 * HOUR + SLACK;
    stage.world.at(latest - 1);
    let _ = stage.hand_over(REQUESTER, one, CID, SALT).succeeds();
    stage.world.at(latest);
    assert_eq!(stage.hand_over(REQUESTER, two, CID, SALT).fails(), AuctionError::TooLate);
    // Whoever responds within the slack and works for all of his time is in time.
    stage.world.advance(SLACK);
    let _ = stage.start(PROVIDER, one).succeeds();
    stage.world.advance(HOUR);
    let _ = stage.complete(PROVIDER, one).succeeds();
    let due = stage.job(two).complete_by_ms;
    stage.world.at(due);
    stage.expire(two);
    let _ = stage.finalize(two).succeeds();
    assert_eq!(stage.status(two), Status::Void, "the payload never came");
}

#[test]
fn a_hand_over_is_bounded() {
    let mut stage = Stage::new();
    let job = private_job(&mut stage);
    let key = vec![0; SEALED_KEY_LEN];
    for (cid, sealed_key) in [
        (CID.to_vec(), vec![0; SEALED_KEY_LEN + 1]),
        (CID.to_vec(), vec![]),
        (vec![], key.clone()),
        (vec![1; 97], key),
    ] {
        let payload = HandOver { cid, salt: SALT, sealed_key };
        let message = on(&stage.auction).hand_over(job, payload);
        let error = stage.call(REQUESTER, message).fails();
        assert_eq!(error, AuctionError::Invalid(InvalidTerms::Payload));
    }
}

#[test]
fn nothing_is_handed_over_or_started_once_the_money_has_gone() {
    let mut stage = Stage::new();
    let (one, two) = (private_job(&mut stage), stage.assigned(|_| {}));
    for job in [one, two] {
        stage.decide(PROVIDER, job, Decision::Refund);
    }
    assert_eq!(stage.hand_over(REQUESTER, one, CID, SALT).fails(), AuctionError::WrongStatus);
    assert_eq!(stage.start(PROVIDER, two).fails(), AuctionError::WrongStatus);
    let _ = stage.finalize(one).succeeds();
    assert_eq!((stage.status(one), stage.points(PROVIDER)), (Status::Void, 50));
}

#[test]
fn a_private_job_may_be_declined_before_the_hand_over() {
    let mut stage = Stage::new();
    let job = private_job(&mut stage);
    let _ = stage.decline(PROVIDER, job).succeeds();
    assert_eq!(stage.hand_over(REQUESTER, job, CID, SALT).fails(), AuctionError::WrongStatus);
    stage.check_books();
}

#[test]
fn a_confidential_request_goes_to_those_on_its_list() {
    let mut stage = Stage::new();
    let request = stage.request(|terms| terms.privacy = confidential(&[PROVIDER]));
    let (listed, not) = (stage.offer(PROVIDER, |_| {}), stage.offer(OTHER, |_| {}));
    let error = AuctionError::Unqualified(Unqualified::Privacy);
    assert_eq!(stage.quote(request, not), Err(error));
    assert_eq!(stage.accept(OTHER, request, not, 1).fails(), error);
    let job = stage.accept(PROVIDER, request, listed, 100).succeeds().value.unwrap();
    assert_eq!(stage.status(job), Status::AwaitingPayload);
    let _ = stage.hand_over(REQUESTER, job, CID, SALT).succeeds();
}

#[test]
fn a_confidential_request_goes_to_those_the_committee_attests() {
    let mut world = World::new();
    let (validators, committee) = seated(&mut world);
    let mut stage = Stage::with_register(world, address(&validators), 0);
    let request = stage.request(|terms| terms.privacy = confidential(&[]));
    let (attested, not) = (stage.offer(PROVIDER, |_| {}), stage.offer(OTHER, |_| {}));
    let error = AuctionError::Unqualified(Unqualified::Privacy);
    assert_eq!(stage.quote(request, attested), Err(error));

    let until_ms = stage.now() + MINUTE;
    let rows = vec![CapabilityRow { account: id(PROVIDER), capability: name("tee"), until_ms }];
    let contract = Account::of(&address(&stage.capabilities));
    let feed = Feed { kind: ReportKind::Capability, contract };
    let latest = stage.world.read(on(&stage.capabilities).latest());
    let report = cicada_core::capability::report::<Native>(feed, &latest, &rows, stage.now());
    let certificate = Opaque::from(&committee.certify(&validators, &report));
    let message = on(&stage.capabilities).attest_capabilities(report, rows, certificate);
    let _ = stage.call(STRANGER, message).succeeds();

    assert_eq!(stage.quote(request, attested), Ok(50));
    assert_eq!(stage.quote(request, not), Err(error));
    let job = stage.accept(PROVIDER, request, attested, 100).succeeds().value.unwrap();
    let other = stage.request(|terms| terms.privacy = confidential(&[]));
    stage.world.at(until_ms);
    assert_eq!(stage.quote(other, attested), Err(error), "an attestation ends");
    // Also between the assignment and the moment when the secret moves.
    assert_eq!(stage.hand_over(REQUESTER, job, CID, SALT).fails(), error);
}
