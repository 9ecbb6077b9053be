//! What it costs: the size of the code, the gas of each message, and that neither grows.

use crate::stage::*;
use cicada_core::escrow::Decision;
use cicada_runtime_tests::{account, check_gas, check_size, on, Bundle, Gas, Receipt};
use cicada_traits::auction::AuctionView;

#[test]
fn the_contract_stays_below_64_kilobytes() {
    check_size("auction");
    assert!(Bundle::load("auction").wasm.len() <= 64_000);
}

/// Every message once, with the gas of each.
struct Costs {
    rows: Vec<(&'static str, Gas)>,
    snapshot: bool,
}

impl Costs {
    fn add<T>(&mut self, name: &'static str, receipt: &Receipt<T>) {
        if self.snapshot {
            check_gas(name, receipt);
        }
        self.rows.push((name, receipt.gas));
    }
}

/// Walks through all messages in this state of the contracts.
fn measure(stage: &mut Stage, snapshot: bool) -> Vec<(&'static str, Gas)> {
    let mut costs = Costs { rows: Vec::new(), snapshot };
    let (terms, bid) = (stage.terms(), stage.terms_of_offer());
    let request = stage.place(REQUESTER, &terms).succeeds();
    costs.add("auction.request", &request);
    let offer = stage.bid(PROVIDER, &bid).succeeds();
    costs.add("auction.offer: no bond", &offer);
    let bonded = stage
        .bid(PROVIDER, &{
            let mut bid = bid;
            bid.bond = 1;
            bid
        })
        .succeeds();
    costs.add("auction.offer: bonded", &bonded);
    costs.add("auction.cancel_offer", &stage.cancel_offer(PROVIDER, bonded.value).succeeds());
    let accepted = stage.accept(PROVIDER, request.value, offer.value, 100).succeeds();
    costs.add("auction.accept: fills", &accepted);
    let job = accepted.value.expect("no line");
    costs.add("auction.start", &stage.start(PROVIDER, job).succeeds());
    costs.add("auction.complete", &stage.complete(PROVIDER, job).succeeds());
    costs.add("auction.settle", &stage.settle(REQUESTER, job, None).succeeds());
    costs.add("auction.feedback", &stage.feedback(REQUESTER, job, 5).succeeds());
    let private_job = stage.assigned(|terms| terms.privacy = private());
    let receipt = stage.hand_over(REQUESTER, private_job, CID, SALT).succeeds();
    costs.add("auction.hand_over", &receipt);
    costs.add("auction.decline", &stage.decline(PROVIDER, private_job).succeeds());
    let released = stage.delivered(|_| {});
    stage.decide(REQUESTER, released, Decision::Release);
    costs.add("auction.finalize", &stage.finalize(released).succeeds());
    let open = stage.request(|_| {});
    costs.add("auction.cancel_request", &stage.cancel_request(REQUESTER, open).succeeds());
    let views = on(&stage.auction);
    costs.add("auction.request_of", &stage.call(STRANGER, views.request_of(open)));
    costs
        .add("auction.prices", &stage.call(STRANGER, on(&stage.auction).prices(name("inference"))));
    let view = on(&stage.auction).success_of(account(PROVIDER), name("inference"));
    costs.add("auction.success_of", &stage.call(STRANGER, view));
    costs.rows
}

/// Places requests and offers until there are this many of each.
fn fill(stage: &mut Stage, many: u64) {
    while stage.world.read(on(&stage.auction).market()).requests < many {
        stage.request(|_| {});
        stage.offer(OTHER, |_| {});
    }
}

fn compare(many: u64) {
    let mut stage = Stage::new();
    fill(&mut stage, 10);
    let start = stage.world.snapshot();
    let few = measure(&mut stage, false);
    stage.world.restore(&start);
    fill(&mut stage, many);
    for ((name, few), (_, many)) in few.into_iter().zip(measure(&mut stage, false)) {
        for (few, many) in [(few.ref_time, many.ref_time), (few.proof_size, many.proof_size)] {
            let difference = few.abs_diff(many);
            assert!(difference * 50 <= few, "{name}: {few} with 10 orders, {many} with more");
        }
    }
}

#[test]
fn every_message_costs_what_it_did() {
    let mut stage = Stage::new();
    assert_eq!(measure(&mut stage, true).len(), 16);
}

#[test]
fn a_full_line_costs_what_it_did() {
    let mut stage = Stage::with_priority(30_000);
    let request = stage.request(|_| {});
    let mut last = None;
    for i in 0..10 {
        let who = format!("p{i}");
        stage.join(&who);
        let offer = stage.offer(&who, |_| {});
        last = Some(stage.accept(&who, request, offer, 1).succeeds());
        // All but the last no longer qualify: the most that one call has to skip.
        if i < 9 {
            let _ = stage.cancel_offer(&who, offer).succeeds();
        }
    }
    check_gas("auction.accept: tenth in line", &last.expect("ten wait"));
    stage.world.advance(30_000);
    let receipt = stage.assign_next(request).succeeds();
    assert!(receipt.value.is_some());
    check_gas("auction.assign_next: skips nine", &receipt);
}

#[test]
fn gas_is_the_same_with_ten_and_with_a_thousand_orders() {
    compare(1_000);
}

#[test]
#[ignore = "some minutes"]
fn gas_is_the_same_with_ten_and_with_ten_thousand_orders() {
    compare(10_000);
}
