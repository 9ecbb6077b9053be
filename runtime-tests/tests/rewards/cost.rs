//! The size of the code and the gas of each message; claims are in `claims`.

use crate::stage::*;
use cicada_runtime_tests::{check_gas, check_size, on, Bundle};
use cicada_traits::rewards::Rewards;

#[test]
fn the_contract_stays_below_48_kilobytes() {
    check_size("rewards");
    assert!(Bundle::load("rewards").wasm.len() <= 48_000);
}

#[test]
fn calls_cost_what_they_did() {
    let mut stage = Stage::new();
    check_gas("rewards.fund", &stage.fund(OWNER, 1_000_000).succeeds());
    let epoch = stage.next(&scores(10, 1), &validators(), 1_000);
    let award = epoch.award;
    let report = stage.report(&award);
    let certificate = stage.certify(&report);
    check_gas("rewards.settle_epoch", &stage.settled(epoch));
    let again = stage.bring(report, award, &certificate).succeeds();
    check_gas("rewards.settle_epoch: already done", &again);
    let message = on(&stage.rewards).set_emission(99, 5);
    check_gas("rewards.set_emission", &stage.call(OWNER, message).succeeds());
    let message = on(&stage.rewards).state();
    check_gas("rewards.state", &stage.call(OWNER, message));
}
