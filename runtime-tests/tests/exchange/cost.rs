//! The size of the code, the gas of each message, and that neither orders nor holders make it dearer.

use crate::stage::*;
use cicada_core::exchange::terms::NOTICE_MS;
use cicada_core::exchange::{Side, TICK};
use cicada_runtime_tests::{at, check_gas, check_size, on, AccountId, Bundle, Gas};
use cicada_traits::exchange::Exchange;
use cicada_traits::psp22::PSP22;
use token::token::TokenRef;

#[test]
fn the_contract_stays_below_52_kilobytes() {
    check_size("exchange");
    assert!(Bundle::load("exchange").wasm.len() <= 52_000);
}

#[test]
fn calls_cost_what_they_did() {
    let mut stage = Stage::bare();
    stage.rank(&[(CLAUDE, 50_000), ("openai", 45_000), ("gemini", 41_230)]);
    check_gas("exchange.list", &stage.list("bob", "openai").succeeds());
    stage.open(CLAUDE);
    check_gas("exchange.deposit", &stage.deposit(OWNER, RESERVE).succeeds());
    check_gas("exchange.buy: first tokens of an account", &stage.buy("bob", 100).succeeds());
    check_gas("exchange.buy: at the quote", &stage.buy("bob", 100).succeeds());
    check_gas("exchange.sell: at the quote", &stage.sell("bob", 50).succeeds());
    let placed = stage.place("bob", Side::Sell, ASK - TICK, 1).succeeds();
    check_gas("exchange.place: first of a book", &placed);
    let placed = stage.place("bob", Side::Sell, ASK - TICK, 1).succeeds();
    check_gas("exchange.place: at a level that is there", &placed);
    let placed = stage.place("bob", Side::Sell, ASK - 2 * TICK, 1).succeeds();
    check_gas("exchange.place: a new level beside another", &placed);
    check_gas("exchange.buy: one order, empties its level", &stage.buy("charlie", 1).succeeds());
    let order = placed.value.order.expect("it rested") - 1;
    check_gas("exchange.cancel: empties no level", &stage.cancel("bob", order).succeeds());
    for _ in 0..8 {
        let _ = stage.rest("bob", Side::Sell, ASK - TICK, 1);
        let _ = stage.rest("charlie", Side::Buy, 45_000_000, 1);
    }
    let eight = stage.place("dave", Side::Buy, ASK, 9).succeeds();
    assert_eq!(eight.value.trade.fills, 8);
    check_gas("exchange.place: eight fills", &eight);
    let depth = on(&stage.exchange).depth(framework(CLAUDE), Side::Buy, 50);
    check_gas("exchange.depth: one level", &stage.call("bob", depth));
    let market = on(&stage.exchange).market(framework(CLAUDE));
    check_gas("exchange.market", &stage.call("bob", market));
    stage.score(40_000);
    let bid = stage.rest("dave", Side::Buy, 40_000_000, 1);
    stage.score(39_000);
    check_gas("exchange.fill_order", &stage.fill_order("bob", bid).succeeds());
    check_gas("exchange.announce_withdrawal", &stage.announce(OWNER, 2 * MMC).succeeds());
    stage.wait(NOTICE_MS);
    check_gas("exchange.withdraw", &stage.withdraw(OWNER, MMC).succeeds());
}

/// What messages cost among so many orders of each side and so many holders.
fn costs(count: u128) -> Vec<(&'static str, u64)> {
    let mut stage = Stage::new();
    let _ = stage.buy("bob", 10 * count + 1_000).succeeds();
    let _ = stage.buy("charlie", 100).succeeds();
    let _ = stage.buy("dave", 100).succeeds();
    let token = at::<TokenRef>(stage.market().token.0.into());
    for i in 0..count {
        let mut holder = [7; 32];
        holder[..16].copy_from_slice(&i.to_le_bytes());
        let gift = on(&token).transfer(AccountId::from(holder), 1, vec![]);
        let _ = stage.call("bob", gift).succeeds();
        // At a thousand prices, near and far.
        let away = TICK * (100 + i % 997 * 1_009);
        let _ = stage.rest("bob", Side::Sell, ASK + away, 1);
        let _ = stage.rest("bob", Side::Buy, BID - away, 1);
    }
    let mut costs = vec![];
    let mut note = |what, gas: Gas| costs.push((what, gas.ref_time));
    note("buy at the quote", stage.buy("dave", 1).succeeds().gas);
    note("sell at the quote", stage.sell("dave", 1).succeeds().gas);
    note("place a best ask", stage.place("charlie", Side::Sell, ASK - TICK, 1).succeeds().gas);
    note("buy from it", stage.buy("dave", 1).succeeds().gas);
    note("place a best bid", stage.place("charlie", Side::Buy, BID + TICK, 1).succeeds().gas);
    note("sell to it", stage.sell("dave", 1).succeeds().gas);
    let between = ASK + TICK * 101;
    let placed = stage.place("charlie", Side::Sell, between, 1).succeeds();
    note("place among the others", placed.gas);
    let order = placed.value.order.expect("it rests");
    note("cancel it", stage.cancel("charlie", order).succeeds().gas);
    costs
}

fn do_not_depend_on_the_number(count: u128) {
    for ((what, few), (_, many)) in costs(10).into_iter().zip(costs(count)) {
        let percent = 100.0 * (many as f64 - few as f64) / few as f64;
        println!("{what}: {few} among 10, {many} among {count} ({percent:+.2} %)");
        assert!(few.abs_diff(many) * 50 <= few, "{what}: {few} among 10, {many} among {count}");
    }
}

#[test]
fn costs_do_not_depend_on_the_number_of_orders_and_holders() {
    do_not_depend_on_the_number(1_000);
}

#[test]
#[ignore = "takes minutes: run with --ignored"]
fn nor_do_they_at_ten_thousand_of_each() {
    do_not_depend_on_the_number(10_000);
}
