//! Reputation hears of penalties, and can neither stop one nor be kept from hearing.

use cicada_core::reputation::{Event, START_POINTS};
use cicada_core::slashing::Severity;
use cicada_runtime_tests::world::GAS_LIMIT;
use cicada_runtime_tests::{account, address, on, AccountId, Gas};
use cicada_traits::reputation::{ReputationView, Writers};
use cicada_traits::staking::{Staking, TELL_REF_TIME};

use crate::stage::{node, Stage, ENDLESS, OWNER, SILENT, STAKE, STRANGER, TRAPS};

#[test]
fn points_fall_with_the_severity() {
    let mut stage = Stage::new();
    let _ = stage.report(1, &[(0, 50), (1, 51), (2, 101), (3, 501)]).succeeds();
    let _ = stage.convict_observer(stage.two_navs(1, 4, 1)).succeeds();
    let points: Vec<u32> = (0..5).map(|seat| stage.points(node(seat))).collect();
    assert_eq!(points, [50, 49, 45, 35, 0]);
    let history = stage.world.read(on(&stage.reputation).history(node(2), 0, 9));
    assert_eq!(history.len(), 1);
    let entry = history[0].open().unwrap();
    assert_eq!(entry.event, Event::SlaViolated { points: 5 });
    assert_eq!(Severity::Moderate.reputation_points(), 5);
    assert_eq!(AccountId::from(entry.writer.0), address(&stage.validators));
    // Without a penalty, without a word; what is worse in the same hour costs the difference.
    let _ = stage.report(1, &[(2, 101)]).succeeds();
    assert_eq!(stage.points(node(2)), 45);
    let _ = stage.report(1, &[(2, 600)]).succeeds();
    assert_eq!(stage.points(node(2)), 35);
}

#[test]
fn a_refusal_stops_no_penalty() {
    let mut stage = Stage::new();
    // It does not let this contract write.
    let off = on(&stage.reputation).set_writer(address(&stage.validators), false);
    let _ = stage.world.as_(account(OWNER)).call(off).succeeds();
    let _ = stage.report(1, &[(0, 501)]).succeeds();
    assert_eq!(stage.points(node(0)), START_POINTS);
    // A contract that knows no such message, an account that is no contract, nobody at all.
    let token = address(&stage.token);
    for (slot, reputation) in [(2, Some(token)), (3, Some(account(STRANGER))), (4, None)] {
        stage.enforce_terms(|terms| terms.reputation = reputation);
        let before = stage.amounts(node(0)).0;
        let _ = stage.report(slot, &[(0, 501)]).succeeds();
        assert!(stage.amounts(node(0)).0 < before);
    }
}

#[test]
fn neither_does_one_that_traps_or_burns_all_its_gas() {
    let mut stage = Stage::new();
    for (slot, code) in [(1, TRAPS), (2, SILENT), (3, ENDLESS)] {
        let reputation = stage.deploy_raw(code);
        stage.enforce_terms(|terms| terms.reputation = Some(reputation));
        let before = stage.amounts(node(0)).0;
        let receipt = stage.report(slot, &[(0, 501)]).succeeds();
        assert_eq!(stage.amounts(node(0)).0, before - (before * 15).div_ceil(100));
        let navs = stage.two_navs(1, 9, slot);
        let convicted = stage.convict_observer(navs).succeeds();
        let most = 12_000_000_000 + TELL_REF_TIME;
        assert!(receipt.gas.ref_time < most && convicted.gas.ref_time < most);
    }
}

#[test]
fn what_a_dry_run_says_and_a_fifth_is_enough_for_one_that_traps() {
    let mut stage = Stage::new();
    let traps = stage.deploy_raw(TRAPS);
    stage.enforce_terms(|terms| terms.reputation = Some(traps));
    let navs = stage.two_navs(1, 9, 4);
    let start = stage.world.snapshot();
    let needed = stage.convict_observer(navs.clone()).succeeds().gas.ref_time;
    stage.world.restore(&start);
    let message = on(&stage.validators).convict_observer(navs);
    let actor = stage.world.as_(account(STRANGER)).with_gas_limit(needed / 5 * 6, u64::MAX);
    let _ = actor.call(message).succeeds();
}

/// Tries 121 limits of time and proof, from nothing to more than is needed: no penalty happens that is
/// not told. How many were told, and how many failed.
fn tell_within(limit_of: impl Fn(Gas, u64) -> (u64, u64)) -> (u32, u32) {
    let mut stage = Stage::new();
    let evidence = stage.two_navs(1, 9, 4);
    let message = |stage: &Stage| on(&stage.validators).convict_observer(evidence.clone());
    let start = stage.world.snapshot();
    let full = message(&stage);
    let needed = stage.world.as_(account(STRANGER)).call(full).succeeds().gas;
    stage.world.restore(&start);

    let (mut told, mut failed) = (0, 0);
    for step in 0..=120u64 {
        let (time, proof) = limit_of(needed, step);
        let call = message(&stage);
        let actor = stage.world.as_(account(STRANGER)).with_gas_limit(time, proof);
        match actor.try_call(call) {
            Ok(receipt) if receipt.value.is_ok() => {
                assert_eq!(stage.points(node(9)), 0, "with {time} ps and {proof} B");
                told += 1;
                stage.world.restore(&start);
            }
            _ => {
                assert_eq!(stage.amounts(node(9)), (STAKE, 0));
                failed += 1;
            }
        }
    }
    (told, failed)
}

#[test]
fn no_limit_of_gas_keeps_a_penalty_from_being_told() {
    // The last sixth in small steps.
    let part = |step| if step < 40 { step * 23 } else { 900 + (step - 40) * 5 / 2 };
    let times = tell_within(|needed, step| (needed.ref_time / 1_000 * part(step), u64::MAX));
    assert!(times.0 > 5 && times.1 > 40, "{times:?} told and failed");
    let all = GAS_LIMIT.ref_time();
    // Reads are charged for the most that they may bring first: more is needed than is used.
    let proofs = tell_within(|needed, step| (all, needed.proof_size * step / 60));
    assert!(proofs.0 > 5 && proofs.1 > 40, "{proofs:?} told and failed");
}
