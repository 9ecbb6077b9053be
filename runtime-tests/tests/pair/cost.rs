//! The size of the code and the gas of each message.

use crate::stage::*;
use cicada_runtime_tests::{account, check_gas, check_size, on, Bundle};
use cicada_traits::pair::Pair;
use cicada_traits::psp22::PSP22;

#[test]
fn the_contract_stays_below_45_kilobytes() {
    check_size("pair");
    assert!(Bundle::load("pair").wasm.len() <= 45_000);
}

#[test]
fn calls_cost_what_they_did() {
    let mut stage = Stage::new();
    let (a, b) = (stage.a(), stage.b());
    check_gas("pair.add_liquidity: first", &stage.add(PROVIDER, POOL.a, POOL.b).succeeds());
    stage.world.next_block();
    check_gas("pair.add_liquidity: later", &stage.add(TRADER, 5_000, 20_000).succeeds());
    stage.world.next_block();
    check_gas("pair.swap_exact_in", &stage.sell(TRADER, a, 1_000).succeeds());
    stage.world.next_block();
    check_gas("pair.swap_exact_out", &stage.buy(TRADER, b, 1_000).succeeds());
    check_gas("pair.remove_liquidity", &stage.remove(TRADER, 5_000).succeeds());
    let message = on(&stage.pair).transfer(account(STRANGER), 1_000, vec![]);
    check_gas(
        "pair.transfer: first shares of an account",
        &stage.call(PROVIDER, message).succeeds(),
    );
    let message = on(&stage.pair).approve(account(STRANGER), 1_000);
    check_gas("pair.approve", &stage.call(PROVIDER, message).succeeds());
    stage.donate(TRADER, 7, 7);
    let message = on(&stage.pair).skim(account(TRADER));
    check_gas("pair.skim", &stage.call(STRANGER, message).succeeds());
    let message = on(&stage.pair).reserves();
    check_gas("pair.reserves", &stage.call(STRANGER, message));
    let message = on(&stage.pair).cumulative_price();
    check_gas("pair.cumulative_price", &stage.call(STRANGER, message));
}
