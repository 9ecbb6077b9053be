//! Reputation hears of penalties, and can neither stop one nor be kept from hearing.

use cicada_core::reputation::{Event, START_POINTS};
use cicada_core::slashing::Severity;
use cicada_runtime_tests::{account, address, on, AccountId};
use cicada_traits::reputation::{ReputationView, Writers};
use cicada_traits::staking::{Staking, StakingError};

use crate::stage::{node, Stage, OWNER, SILENT, STAKE, STRANGER, TRAPS};

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
    assert_eq!(AccountId::from(entry.writer), address(&stage.validators));
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
fn a_call_that_is_broken_off_fails_the_penalty() {
    let mut stage = Stage::new();
    let traps = stage.deploy_raw(TRAPS);
    stage.enforce_terms(|terms| terms.reputation = Some(traps));
    let unavailable = StakingError::ReputationUnavailable;
    assert_eq!(stage.report(1, &[(0, 501)]).fails(), unavailable);
    let navs = stage.two_navs(1, 9, 4);
    assert_eq!(stage.convict_observer(navs.clone()).fails(), unavailable);
    // The owner names another, and nothing was used up.
    stage.enforce_terms(|_| ());
    let _ = stage.report(1, &[(0, 501)]).succeeds();
    let _ = stage.convict_observer(navs).succeeds();
    // An answer that is none is no trap.
    let is_silent = stage.deploy_raw(SILENT);
    stage.enforce_terms(|terms| terms.reputation = Some(is_silent));
    let _ = stage.report(2, &[(0, 501)]).succeeds();
}

#[test]
fn no_limit_of_gas_keeps_a_penalty_from_being_told() {
    let mut stage = Stage::new();
    let evidence = stage.two_navs(1, 9, 4);
    let message = |stage: &Stage| on(&stage.validators).convict_observer(evidence.clone());
    let start = stage.world.snapshot();
    let full = message(&stage);
    let needed = stage.world.as_(account(STRANGER)).call(full).succeeds().gas;
    stage.world.restore(&start);

    let (mut told, mut failed) = (0, 0);
    for step in 0..=120u64 {
        // From nothing to a tenth more than is needed; the last sixth in small steps.
        let percent_x10 = if step < 40 { step * 23 } else { 900 + (step - 40) * 5 / 2 };
        let limit = needed.ref_time / 1_000 * percent_x10;
        let call = message(&stage);
        let actor = stage.world.as_(account(STRANGER)).with_gas_limit(limit, u64::MAX);
        match actor.try_call(call) {
            Ok(receipt) if receipt.value.is_ok() => {
                assert_eq!(stage.points(node(9)), 0, "with {limit} of {}", needed.ref_time);
                told += 1;
                stage.world.restore(&start);
            }
            _ => {
                assert_eq!(stage.amounts(node(9)), (STAKE, 0));
                failed += 1;
            }
        }
    }
    assert!(told > 5 && failed > 40, "{told} told, {failed} failed");
}
