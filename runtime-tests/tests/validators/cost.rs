//! What each message costs, and that it does not grow with the number of those who staked.

use cicada_core::slashing::MIN_STAKE;
use cicada_runtime_tests::{account, check_gas, on, World};
use cicada_traits::staking::Judged;

use crate::stage::{node, Stage, DELAY, JUDGE, STRANGER};

#[test]
fn every_message_of_stake_has_its_price() {
    let mut stage = Stage::bare();
    let terms = stage.usual_terms();
    check_gas("validators.set_terms: first", &stage.set_terms(terms).succeeds());
    let terms = stage.usual_terms();
    check_gas("validators.set_terms: announced", &stage.set_terms(terms).succeeds());
    check_gas("validators.bond: first", &stage.bond(node(0), MIN_STAKE).succeeds());
    check_gas("validators.resign", &stage.resign(node(0)).succeeds());
    check_gas("validators.unbond: first", &stage.unbond(node(0), MIN_STAKE).succeeds());
    stage.world.advance(DELAY);
    check_gas("validators.withdraw: all", &stage.withdraw(node(0)).succeeds());
}

#[test]
fn every_penalty_has_its_price() {
    let mut stage = Stage::new();
    let read = on(&stage.validators).electorate(None);
    check_gas("validators.electorate: 23 seats", &stage.world.as_(account(JUDGE)).call(read));
    check_gas("validators.report_deviations: nobody off", &stage.report(1, &[(0, 9)]).succeeds());
    check_gas("validators.report_deviations: one off", &stage.report(1, &[(0, 200)]).succeeds());
    let seven: Vec<(u8, u32)> = (0..7).map(|seat| (seat, 200)).collect();
    check_gas("validators.report_deviations: seven off", &stage.report(2, &seven).succeeds());
    let navs = stage.two_navs(1, 9, 4);
    check_gas("validators.convict_observer", &stage.convict_observer(navs).succeeds());
    let reports = stage.two_reports(1, 8, stage.a_report(4, 1), stage.a_report(4, 2));
    check_gas("validators.convict", &stage.convict(reports).succeeds());
}

#[test]
fn a_committee_with_stake_costs_more_to_seat() {
    let mut stage = Stage::new();
    let everybody: Vec<u8> = (0..23).collect();
    let receipt = stage.rotate_to("node", &everybody).succeeds();
    check_gas("validators.rotate: 23 seats with stake", &receipt);
}

#[test]
fn more_operators_make_nothing_dearer() {
    let mut few = Stage::new();
    let mut many = Stage::new();
    for index in 0..60 {
        let name = account(&format!("operator-{index}"));
        many.world.fund(name, cicada_runtime_tests::world::FUNDS);
        many.give(name, MIN_STAKE);
        let _ = many.bond(name, MIN_STAKE).succeeds();
    }
    let costs = |stage: &mut Stage| {
        let navs = stage.two_navs(1, 9, 4);
        let electorate = on(&stage.validators).electorate(None);
        let as_stranger = |world: &mut World, message| world.as_(account(STRANGER)).call(message);
        [
            as_stranger(&mut stage.world, electorate).gas,
            stage.bond(node(0), 5).succeeds().gas,
            stage.report(1, &[(0, 200), (5, 600)]).succeeds().gas,
            stage.convict_observer(navs).succeeds().gas,
        ]
    };
    assert_eq!(costs(&mut few), costs(&mut many));
}
