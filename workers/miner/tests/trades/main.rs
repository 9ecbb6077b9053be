//! A miner on a real chain: a price above NAV, one below, neutral volume, a dry run.
//!
//! Needs a chain and the built contracts, so it runs when it is asked for:
//! `cargo test --test trades -- --ignored`

mod stage;

use cicada_amounts::TAO;
use cicada_localnet::{free_ports, text, Process};
use cicada_miner::config::Config;
use cicada_miner::contracts::Contracts;
use cicada_miner::looks::Miner;
use cicada_miner::plan::Idle;
use cicada_miner::status::{Arbitrage, Shown, View};
use cicada_stage::TOKEN;
use stage::Stage;
use std::process::Command;
use std::time::Duration;

/// How long the program may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

async fn miner(config: &Config) -> (Miner, Shown) {
    let contracts = Contracts::connect(config).await.unwrap();
    let shown = Shown::new(View::default());
    (Miner::new(contracts, config, false, shown.clone()).unwrap(), shown)
}

/// Looks until it waits; what it shows then.
async fn settle(miner: &mut Miner, shown: &Shown) -> Arbitrage {
    for _ in 0..6 {
        miner.look().await.unwrap();
        let arbitrage = shown.view().arbitrage.clone();
        if arbitrage.decision.as_ref().unwrap().idle.is_some() {
            return arbitrage;
        }
    }
    panic!("it never rests: {:?}", shown.view().arbitrage);
}

fn check(arbitrage: &Arbitrage, kind: &str) {
    for batch in &arbitrage.recent {
        assert_eq!(batch.done.failure, None, "{batch:?}");
    }
    let newest = &arbitrage.recent[0];
    assert_eq!(newest.planned.batch.kind(), kind);
    // Nobody else traded, so what was planned came true; gas is known better afterwards.
    let gas = i128::try_from(newest.done.gas.0).unwrap();
    let off = newest.planned.profit.0 - (newest.gained.0 - gas);
    println!("{kind}: {newest:?}");
    assert!(off.abs() < i128::try_from(TAO / 100).unwrap(), "{off} off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a node: scripts/test e2e"]
async fn prices_come_back_to_nav_and_the_miner_earns() {
    let stage = Stage::build().await;
    let config = Config::load(&stage.config).unwrap();
    let (mut one, shown) = miner(&config).await;

    // Without a NAV nothing happens.
    one.look().await.unwrap();
    assert_eq!(shown.view().arbitrage.decision.as_ref().unwrap().idle, Some(Idle::NoFreshNav));

    // The price is 4 % too high: mint and sell.
    stage.settle_nav(TOKEN).await;
    stage.trade("TAO", 20 * TAO).await;
    let before = stage.bobs("TAO").await;
    let arbitrage = settle(&mut one, &shown).await;
    check(&arbitrage, "mint_and_sell");
    assert!(arbitrage.decision.unwrap().spread_bps.abs() < 50);
    assert!(stage.bobs("TAO").await > before);
    assert_eq!(stage.bobs("TAO20").await, 0);

    // A dry run says what it would do about a price that is too low, and does nothing.
    stage.trade("TAO20", 30 * TOKEN).await;
    stage.settle_nav(TOKEN).await;
    let before = stage.bobs("TAO").await;
    let output = Command::new(env!("CARGO_BIN_EXE_miner"))
        .args(["run", "--dry-run", "--once", "--config"])
        .arg(&stage.config)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["batch"]["kind"], "buy_and_redeem", "{said}");
    assert_eq!(said["approvals"], 2, "{said}");
    assert_eq!(stage.bobs("TAO").await, before);

    // Buy and redeem.
    let arbitrage = settle(&mut one, &shown).await;
    check(&arbitrage, "buy_and_redeem");
    assert!(arbitrage.decision.unwrap().spread_bps.abs() < 50);
    assert!(stage.bobs("TAO").await < before);
    assert_eq!(stage.bobs("TAO20").await, 0);
    let ledger = shown.view().performance.ledger.clone();
    assert!(ledger.earned.0 > 0 && ledger.failed == 0, "{ledger:?}");
    assert!(ledger.minted.0 > 0 && ledger.redeemed.0 > 0 && ledger.chain_fees.0 > 0, "{ledger:?}");
    println!("{ledger:?}");

    // Another start goes on with the ledger, and makes neutral volume once.
    let neutral = "[neutral]\nsize = \"1\"\nevery = \"1h\"\nmax_cost = \"0.1\"";
    let (mut next, shown) = miner(&stage.config_with(neutral)).await;
    let arbitrage = settle(&mut next, &shown).await;
    assert_eq!(arbitrage.recent.len(), 1);
    check(&arbitrage, "neutral_volume");
    let again = shown.view().performance.ledger.clone();
    assert_eq!(again.minted.0, ledger.minted.0 + TOKEN);
    assert_eq!(again.redeemed.0, ledger.redeemed.0 + TOKEN);

    // Index tokens that are there, as after a sale that somebody was faster than, are sold first.
    stage.settle_nav(TOKEN).await;
    stage.give_bob("TAO20", 5 * TOKEN).await;
    stage.trade("TAO", 30 * TAO).await;
    next.look().await.unwrap();
    check(&shown.view().arbitrage, "sell_stock");
    assert!(stage.bobs("TAO20").await < 5 * TOKEN / 4, "four fifths, several times");
    serves_and_ends(&stage).await;
}

/// The program trades on, answers over HTTP, and SIGTERM ends it in order.
async fn serves_and_ends(stage: &Stage) {
    let address = format!("127.0.0.1:{}", free_ports(1)[0]);
    let page = |path: &str| text(&format!("http://{address}{path}"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_miner"));
    command.args(["run", "--config"]).arg(stage.config_at(&address)).env("TAO20_LOG_LEVEL", "warn");
    let log = stage.config.with_extension("log");
    let mut process = Process::start("the miner", &mut command, &log).unwrap();
    let rests = |arbitrage: String| arbitrage.contains("\"idle\":\"small_spread\"");
    process.until(PATIENCE, || page("/arbitrage").is_some_and(rests)).unwrap();
    let status = page("/status").unwrap();
    assert!(status.contains("\"problem\":null"), "{status}");
    assert!(status.contains("\"nav_slot\":3"), "{status}");
    assert!(page("/performance").unwrap().contains("\"stopped\":false"));
    assert!(page("/metrics").unwrap().contains("miner_nav_slot 3"));
    assert!(process.stop(PATIENCE).unwrap().success());
}
