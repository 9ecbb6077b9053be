//! What it costs: the size of the code, the gas of each message.

use crate::stage::*;
use cicada_runtime_tests::{account, check_gas, check_size, on, Bundle};
use cicada_traits::index::Index;

#[test]
fn the_contract_stays_below_52_kilobytes() {
    check_size("index");
    assert!(Bundle::load("index").wasm.len() <= 52_000);
}

/// Part of a second of the reference machine that a block of a usual chain may fill: 1.5 s.
const BLOCK: u64 = 1_500_000_000_000;

#[test]
fn twenty_tokens_fit_a_block() {
    let mut stage = Stage::bare();
    let entries = stage.usual();
    let first = stage.set_basket(&entries).succeeds();
    check_gas("index.set_basket: twenty tokens", &first);
    let mint = stage.mint("bob", 1_000 * ONE).succeeds();
    check_gas("index.mint: first, twenty tokens", &mint);
    let mint = stage.mint("charlie", 10 * ONE).succeeds();
    check_gas("index.mint: twenty tokens", &mint);
    assert!(mint.gas.ref_time < BLOCK / 10);
    let redeem = stage.redeem("charlie", 5 * ONE).succeeds();
    check_gas("index.redeem: twenty tokens", &redeem);
    assert!(redeem.gas.ref_time < BLOCK / 10);
    let mut moved = stage.usual();
    moved[0].price_e18 *= 2;
    let again = stage.set_basket(&moved).succeeds();
    check_gas("index.set_basket: new prices", &again);
    check_gas("index.swap", &stage.swap("dave", 5, 1_000, 0).succeeds());
    stage.donate("dave", 3, 5);
    check_gas("index.sync", &stage.sync(3).succeeds());
    check_gas("index.set_terms", &stage.set_terms(OWNER, 1, 1, false).succeeds());
    let view = stage.world.as_(account("bob")).call(on(&stage.index).holdings());
    check_gas("index.holdings: twenty tokens", &view);
}

#[test]
fn one_frozen_token_costs_little() {
    let mut stage = Stage::minted();
    let info = stage.remove(7);
    check_gas("index.redeem: one is owed", &stage.redeem("bob", ONE).succeeds());
    stage.restore(7, &info);
    check_gas("index.claim_owed", &stage.claim("bob", 7).succeeds());
}
