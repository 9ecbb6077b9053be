//! What it costs: the size of the code, the gas of each message, and that neither grows.

use crate::stage::*;
use cicada_core::escrow::*;
use cicada_runtime_tests::{account, address, check_gas, check_size, on, Bundle, Gas, Receipt};
use cicada_traits::escrow::{Escrow, EscrowOperator};

#[test]
fn the_contract_stays_below_64_kilobytes() {
    check_size("escrow");
    assert!(Bundle::load("escrow").wasm.len() <= 64_000);
}

/// Every message once, with the receipt of each.
struct Costs(Vec<(&'static str, Gas)>);

impl Costs {
    fn add<T>(&mut self, name: &'static str, snapshot: bool, receipt: &Receipt<T>) {
        if snapshot {
            check_gas(name, receipt);
        }
        self.0.push((name, receipt.gas));
    }
}

/// Walks through all messages in this state of the contract.
fn measure(stage: &mut Stage, snapshot: bool) -> Vec<(&'static str, Gas)> {
    let mut costs = Costs(Vec::new());
    let mut add = |name, receipt: Answer| {
        let receipt = receipt.succeeds();
        costs.add(name, snapshot, &receipt);
    };
    let terms = stage.under(Rule::BothParties);
    let escrow = stage.created(&terms);
    add("escrow.fund", stage.fund(REQUESTER, escrow));
    add("escrow.complete", stage.complete(PROVIDER, escrow));
    add("escrow.decide: first of two", stage.release(PROVIDER, escrow));
    add("escrow.decide: pays", stage.release(REQUESTER, escrow));
    let escrow = stage.completed(&stage.terms());
    let statement = stage.statement(REQUESTER, escrow, Decision::Release, 1);
    add("escrow.decide_signed", stage.bring_signed(REQUESTER, &statement));
    let escrow = stage.completed(&stage.terms());
    add("escrow.raise_dispute", stage.raise(REQUESTER, escrow));
    add("escrow.add_evidence", stage.add_evidence(PROVIDER, escrow, b"bafy-second"));
    let verdict = Verdict::Split { provider_share: 700, requester_share: 300 };
    add("escrow.vote: first", stage.vote(ARBITRATORS[0], escrow, verdict));
    add("escrow.vote: splits", stage.vote(ARBITRATORS[1], escrow, verdict));
    stage.permit(REQUESTER);
    stage.permit(PROVIDER);
    let reserve = stage.reserve(OPERATOR, 5 * AMOUNT).succeeds().value;
    add("escrow.spend", stage.spend(OPERATOR, reserve, PROVIDER, 1));
    let terms = stage.terms();
    let drawn = stage.draw(OPERATOR, reserve, &terms).succeeds().value;
    add("escrow.complete_for", stage.complete_for(OPERATOR, drawn, 10));
    add("escrow.settle", stage.settle(OPERATOR, drawn, 900));
    let message = on(&stage.escrow).set_operator(account(OPERATOR), true);
    add("escrow.set_operator", stage.call(STRANGER, message));
    let terms = stage.terms();
    costs.add("escrow.create", snapshot, &stage.create(REQUESTER, &terms).succeeds());
    costs.add("escrow.reserve", snapshot, &stage.reserve(OPERATOR, 10).succeeds());
    costs.add("escrow.create_funded", snapshot, &stage.create_funded(REQUESTER, &terms).succeeds());
    costs.add("escrow.draw", snapshot, &stage.draw(OPERATOR, reserve, &terms).succeeds());
    let view = on(&stage.escrow).summary(escrow);
    costs.add("escrow.summary", snapshot, &stage.call(STRANGER, view));
    let view = on(&stage.escrow).audit(escrow, 0, 50);
    costs.add("escrow.audit", snapshot, &stage.call(STRANGER, view));
    let view = on(&stage.escrow).holdings(account(REQUESTER), address(&stage.token));
    costs.add("escrow.holdings", snapshot, &stage.call(STRANGER, view));
    let late = stage.completed(&terms);
    stage.wait_for(late, 0);
    let receipt = stage.expire(STRANGER, late).succeeds();
    costs.add("escrow.expire: releases", snapshot, &receipt);
    costs.0
}

/// Creates escrows until there are this many.
fn fill(stage: &mut Stage, escrows: u64) {
    let terms = Terms { fund_by_ms: stage.now() + 9 * HOUR, ..stage.terms() };
    while stage.created(&terms) + 1 < escrows {}
}

/// The gas of every message with 10 escrows in storage and with `many`.
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
            assert!(difference * 50 <= few, "{name}: {few} with 10 escrows, {many} with more");
        }
    }
}

#[test]
fn every_message_costs_what_it_did() {
    let mut stage = Stage::new();
    assert_eq!(measure(&mut stage, true).len(), 21);
}

#[test]
fn gas_is_the_same_with_ten_and_with_a_thousand_escrows() {
    compare(1_000);
}

#[test]
#[ignore = "some minutes"]
fn gas_is_the_same_with_ten_and_with_ten_thousand_escrows() {
    compare(10_000);
}
