//! The indexer on a real chain: 1,000 trades, 20 kills, and what it says then is what the contracts
//! say.
//!
//! Needs a chain and the built contracts, so it runs when it is asked for:
//! `cargo test --test chain -- --ignored`
//! `INDEXER_TEST_TRADES` is the least number of trades, 1,000 unless it says otherwise.

mod stage;

use cicada_amounts::QuoteJson;
use cicada_contracts::exchange;
use cicada_core::quote::Framework;
use cicada_dice::Dice;
use cicada_stage::Service;
use serde_json::Value;
use stage::{Stage, FRAMEWORKS};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

const KILLS: u64 = 20;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

async fn ask(url: &str) -> Option<Value> {
    let answer = reqwest::get(url).await.ok()?;
    serde_json::from_str(&answer.text().await.ok()?).ok()
}

async fn get(url: &str) -> Value {
    let begin = Instant::now();
    loop {
        if let Some(found) = ask(url).await {
            assert_eq!(found["error"], Value::Null, "{url}: {found}");
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "no {url}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until an indexer has a block.
async fn reaches(process: &Service, block: u64) {
    let begin = Instant::now();
    loop {
        let status = get(&format!("{}/status", process.url)).await;
        assert_eq!(status["problem"], Value::Null);
        if status["block"].as_u64() >= Some(block) {
            assert_eq!(status["unknown_events"], 0, "{status}");
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "not at block {block}: {status}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn units(value: &Value) -> u128 {
    value.as_str().unwrap_or_else(|| panic!("{value}")).parse().unwrap()
}

/// What `dump` prints.
fn dump(data: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cicada71-indexer"));
    let output = command.arg("dump").arg(data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a node: scripts/test e2e"]
async fn twenty_kills_during_a_thousand_trades_end_with_the_chains_state() {
    let wanted = std::env::var("INDEXER_TEST_TRADES").map_or(1_000, |n| n.parse().unwrap());
    let stage = Arc::new(Stage::build().await);
    let mut process = stage.indexer("killed");
    let (done, trades) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let trading = {
        let (stage, done, trades) = (stage.clone(), done.clone(), trades.clone());
        tokio::spawn(async move {
            stage.trade(wanted, &trades).await;
            done.store(true, Ordering::Relaxed);
        })
    };
    // A kill now and then, at the latest when so many more trades are done.
    let mut numbers = Dice::new(20);
    for kill in 1..=KILLS {
        while trades.load(Ordering::Relaxed) < wanted * kill / (KILLS + 1)
            && !done.load(Ordering::Relaxed)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(numbers.below(700))).await;
        process.kill();
        process.start();
    }
    trading.await.unwrap();
    let newest = stage.chain.final_block().await.unwrap();
    reaches(&process, newest).await;
    let said = get(&format!("{}/status", process.url)).await;
    assert!(said["trades"].as_u64().unwrap() >= wanted, "{said}");
    eprintln!("{said}");
    same_as_the_chain(&stage, &process.url).await;

    // One that was never killed has the same in every table.
    let undisturbed = stage.indexer("undisturbed");
    reaches(&undisturbed, newest).await;
    process.kill();
    drop(undisturbed);
    let [killed, whole] = ["killed", "undisturbed"].map(|name| dump(&stage.data(name)));
    let cursor = |dump: &Value| dump["cursor"].clone();
    if cursor(&killed) == cursor(&whole) {
        assert_eq!(killed, whole);
    } else {
        // Somebody else made a block meanwhile.
        panic!("the chain moved on: use a node of its own");
    }
}

/// Compares with what the contracts say.
async fn same_as_the_chain(stage: &Stage, url: &str) {
    let mut open = 0;
    for (market, name) in FRAMEWORKS.iter().enumerate() {
        let framework = Framework::new(*name).unwrap();
        let chain = stage.read("exchange", &exchange::market(&framework)).await.unwrap();
        let said = get(&format!("{url}/markets/{name}")).await;
        assert_eq!(said["token"], chain.token.to_string());
        assert_eq!(units(&said["reserve"]), chain.reserve, "{name}");
        assert_eq!(units(&said["outstanding"]), chain.outstanding, "{name}");
        assert_eq!(units(&said["volume_24h"]), chain.volume_24h, "{name}");
        let quote = stage.quote(&framework).await;
        let shown: QuoteJson = serde_json::from_str(&said["quote"].to_string()).unwrap();
        assert_eq!(shown, QuoteJson::from(&quote));
        for person in stage.people() {
            let whose = person.to_string();
            let said = get(&format!("{url}/portfolio/{whose}")).await;
            let positions = said["positions"].as_array().unwrap();
            let position = positions.iter().find(|position| position["framework"] == *name);
            let holdings = get(&format!("{url}/holdings/{whose}")).await;
            let holding = holdings["holdings"].as_array().unwrap().iter();
            let amount = |framework: Value| {
                let found = holding.clone().find(|holding| holding["framework"] == framework);
                found.map_or(0, |holding| units(&holding["amount"]))
            };
            assert_eq!(amount((*name).into()), stage.balance(&chain.token, &person).await);
            assert_eq!(amount(Value::Null), stage.mmc_of(&person).await);
            if let Some(position) = position {
                let in_orders = units(&position["in_orders"]);
                let total = units(&position["amount"]);
                assert_eq!(total, stage.balance(&chain.token, &person).await + in_orders);
                assert_eq!(units(&position["value"]), total * quote.bid);
            }
        }
        // Every open order is in the book with what is left; every other one is not.
        let orders = get(&format!("{url}/orders?framework={name}&limit=500")).await;
        for order in orders["items"].as_array().unwrap() {
            let id = order["id"].as_u64().unwrap();
            let chain = stage.read("exchange", &exchange::order(id)).await;
            assert_eq!(order["state"] == "open", chain.is_some(), "{order} in market {market}");
            if let Some(chain) = chain {
                open += 1;
                assert_eq!(units(&order["remaining"]), chain.amount);
                assert_eq!(units(&order["price"]), chain.price);
                assert_eq!(order["owner"], chain.owner.to_string());
            }
        }
    }
    assert!(open > 0, "without resting orders this shows little");
    eprintln!("{open} orders rest");
}
