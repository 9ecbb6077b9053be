//! The seed's trading example with real parts: what the command, the indexer and the chain say is
//! what a hand calculation says.
//!
//! Ignored by default because it needs the built contracts and a node: `scripts/test e2e`.

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use cicada_chain::{account_of, signer};
use cicada_contracts::{exchange, token};
use cicada_core::exchange::Market;
use cicada_core::quote::Framework;
use cicada_network::ContractName;
use serde_json::{json, Value};
use std::fs::File;
use std::io::Write;
use support::trading::Indexer;
use support::Deployment;

const ALICE: &str = "//Alice";
const NEEDED: &str = "the chain answers";

/// A deployment with open markets, and its indexer.
struct Place {
    deployment: Deployment,
    indexer: Indexer,
}

impl Place {
    /// What `cicada71 … --json` answers.
    fn says(&self, words: &str) -> Value {
        let words: Vec<&str> = words.split(' ').collect();
        self.deployment.cicada71(&self.indexer, ALICE, &words)
    }

    /// Tokens of a framework that the chain says //Alice has, and the market.
    async fn on_chain(&self, framework: &str) -> (u128, Market) {
        let (chain, network) = (self.deployment.chain().await, self.deployment.network());
        let account = network.contracts.get(ContractName::Exchange).expect("there is an exchange");
        let framework = Framework::new(framework).expect("a name");
        let market = chain.read(&account, &exchange::market(&framework)).await.expect(NEEDED);
        let market = market.expect("a market");
        let alice = account_of(&signer(ALICE).expect("a development account"));
        let held = chain.read(&market.token, &token::balance_of(&alice)).await;
        (held.expect(NEEDED), market)
    }

    /// A row of `LEADERBOARD.md`.
    fn row(&self, framework: &str) -> String {
        let page = std::fs::read_to_string(self.deployment.leaderboard_file()).expect("the page");
        let found = page.lines().find(|line| line.contains(&format!("| {framework} |")));
        found.unwrap_or_else(|| panic!("no {framework} in {page}")).to_owned()
    }
}

/// The position of a framework in a portfolio.
fn position<'a>(portfolio: &'a Value, framework: &str) -> &'a Value {
    let mut all = portfolio["positions"].as_array().expect("positions").iter();
    all.find(|one| one["framework"] == framework).unwrap_or_else(|| panic!("{portfolio}"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a node: scripts/test e2e"]
async fn the_seeds_trading_example_works_and_all_figures_agree() {
    let deployment = Deployment::start();
    assert!(deployment.finalizes().starts_with("finalized feed=leaderboard slot=1 "));
    deployment.net.fill().expect("markets");
    let indexer = Indexer::start(&deployment);
    let place = Place { deployment, indexer };

    let rehearsed = place.says("buy --framework claude --amount 1000 --dry-run");
    assert_eq!((&rehearsed["value"], &rehearsed["dry_run"]), (&json!("50500"), &json!(true)));
    assert_eq!(place.on_chain("claude").await.0, 0, "nothing was sent");
    let bought = place.says("buy --framework claude --amount 1000");
    assert_eq!(bought["value"], "50500", "1,000 at an ask of 50.5");
    // 500 of openai were bought for the example when its market was opened.
    let sold = place.says("sell --framework openai --amount 500");
    assert_eq!(sold["value"], "22275", "500 at a bid of 44.55");
    let block = sold["block"].as_u64().expect("a block");

    all_agree(&place, block).await;
    an_order_rests_and_goes(&place).await;
    the_next_leaderboard_counts_for_the_next_trade(&place).await;
}

/// After the example: 1,000 of claude at 50.5 each, none of openai any more.
async fn all_agree(place: &Place, block: u64) {
    let alice = account_of(&signer(ALICE).expect("a development account")).to_string();
    let indexed = place.indexer.get_at(block, &format!("/portfolio/{alice}")).await;
    let indexed = position(&indexed, "claude");
    for (key, figure) in [
        ("amount", "1000"),
        ("cost", "50500000000"),
        ("value", "49500000000"),
        ("unrealised", "-1000000000"),
        ("realised", "0"),
    ] {
        assert_eq!(indexed[key], figure, "{key} of {indexed}");
    }
    let portfolio = place.says("portfolio");
    let shown = position(&portfolio, "claude");
    for (key, figure) in [
        ("amount", "1000"),
        ("cost", "50500"),
        ("bid", "49.5"),
        ("value", "49500"),
        ("unrealised", "-1000"),
    ] {
        assert_eq!(shown[key], figure, "{key} of {shown}");
    }
    let (held, claude) = place.on_chain("claude").await;
    assert_eq!((held, claude.outstanding, claude.volume_24h), (1_000, 1_000, 1_000));
    let (held, openai) = place.on_chain("openai").await;
    assert_eq!((held, openai.outstanding, openai.volume_24h), (0, 0, 1_000));
    let market = place.says("market --framework claude");
    let quote = &market["quote"];
    assert_eq!((&quote["bid"], &quote["ask"]), (&json!(49.5), &json!(50.5)));
    assert_eq!((&market["volume_24h"], &market["solvent"]), (&json!("1000"), &json!(true)));
    let history = place.says("history --framework claude");
    assert_eq!(history["trades"][0]["price"], "50.5", "{history}");
}

/// A bid between the market maker's prices.
async fn an_order_rests_and_goes(place: &Place) {
    let line = "order place --framework claude --side buy --price 50 --amount 10";
    let placed = place.says(line);
    let (order, block) = (&placed["order"], placed["traded"]["block"].as_u64().expect("a block"));
    place.indexer.get_at(block, "/status").await;
    let open = place.says("orders");
    assert_eq!(open["orders"][0]["order"], *order, "{open}");
    let market = place.says("market --framework claude");
    assert_eq!(market["bids"][0]["price"], "50", "{market}");
    let cancelled = place.says(&format!("order cancel {order}"));
    assert_eq!(cancelled["amount"], "10");
    let market = place.says("market --framework claude");
    assert_eq!(market["bids"][0]["price"], "49.5", "the market maker's is the best again");
}

/// 1,000 points more for claude.
async fn the_next_leaderboard_counts_for_the_next_trade(place: &Place) {
    let mut results = File::options().append(true).open(place.deployment.results()).expect("it");
    let line = json!({
        "framework": "claude", "shard": 0, "challenge": "shard-00/level-extra", "points": 1000,
        "success": true, "evaluator": "evaluator-0", "answer_hash": "ab".repeat(32),
        "time": 1_738_400_000_000_u64,
    });
    writeln!(results, "{line}").expect("a result is appended");
    let (before, _) = place.on_chain("claude").await;
    assert!(place.deployment.finalizes().starts_with("finalized feed=leaderboard slot=2 "));
    assert_eq!(place.row("claude"), "| 1 | claude | 51,000 | 51 MMC | 50.49 | 51.51 | 1,000 |");
    assert_eq!(place.row("openai"), "| 2 | openai | 45,000 | 45 MMC | 44.55 | 45.45 | 1,000 |");
    let (after, _) = place.on_chain("claude").await;
    assert_eq!(before, after, "what was traded stays as it was");

    let bought = place.says("buy --framework claude --amount 100");
    assert_eq!(bought["value"], "5151", "100 at the new ask of 51.51");
    let block = bought["block"].as_u64().expect("a block");
    place.indexer.get_at(block, "/status").await;
    let portfolio = place.says("portfolio");
    let shown = position(&portfolio, "claude");
    assert_eq!((&shown["cost"], &shown["value"]), (&json!("55651"), &json!("55539")), "{shown}");
    let history = place.says("history --framework claude");
    let prices = [&history["trades"][0]["price"], &history["trades"][1]["price"]];
    assert_eq!(prices, ["51.51", "50.5"]);
}
