//! Validators on a real chain: NAV by NAV, an epoch of rewards, a claim, and what becomes of one
//! that is 2 % off and of one that signs two NAVs.
//!
//! Needs a chain and the built contracts, so it runs when it is asked for:
//! `cargo test --test chain -- --ignored`
//! With `NAV_TEST_PAXOS=PATH/paxos-node` real consensus nodes decide, else a server in their place.

mod nodes;
mod stage;

use cicada_amounts::TAO;
use cicada_chain::account_of;
use cicada_contracts::{index, rewards};
use cicada_core::hash::Digest;
use cicada_stage::TOKEN;
use serde_json::Value;
use stage::{Stage, LIAR, SEATS, TWO_FACED};
use std::time::{Duration, Instant};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Asks again until there is an answer.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "no {what} in {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn get(url: &str) -> Value {
    let answer = reqwest::get(url).await.unwrap();
    let (status, body) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status.as_u16(), 200, "{url}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|_| panic!("{url}: {body}"))
}

async fn slot(stage: &Stage) -> u64 {
    let (_, nav) = stage.read("index", &index::feeds()).await;
    nav.slot
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a node: scripts/test e2e"]
async fn validators_attest_reward_punish_and_survive_a_kill() {
    let stage = Stage::build().await;
    let program = std::env::var("NAV_TEST_PAXOS").ok();
    let real = program.map(|program| stage.real_nodes(&program)).unwrap_or_default();
    let paxos: Vec<String> = if real.is_empty() {
        vec![nodes::serve(stage.committee()).await; usize::from(SEATS)]
    } else {
        real.iter().map(|node| node.url.clone()).collect()
    };
    let two_faced = stage.two_faced(2);
    let its_address = nodes::serve_two_faced(two_faced.clone()).await;
    let mut validators = stage.validators(&paxos, &its_address);
    let base: Vec<String> = validators.iter().map(|one| one.url.clone()).collect();
    two_faced.honest.set(base[0].clone()).unwrap();

    // NAVs are settled one after the other.
    until("second NAV", async || (slot(&stage).await >= 2).then_some(())).await;
    let record = stage.read("index", &index::newest_nav()).await;
    let record = record.unwrap();
    assert!(record.observers.count_ones() >= 4, "{record:?}");
    let exact = stage.exact_nav().await;
    assert_eq!(record.nav_e18, exact, "the median is the honest validators'");

    // Who is 2 % off pays 5 % of what is left, once an hour; who signs twice pays half, once.
    let by = |slashing: &Value, offence: &str| -> Vec<Value> {
        let all = slashing["penalties"].as_array().unwrap().iter();
        all.filter(|penalty| penalty["offence"] == offence).cloned().collect()
    };
    let slashing = until("penalty of the two-faced one and the liar", async || {
        let slashing = get(&format!("{}/slashing", base[0])).await;
        let both = ["equivocation", "nav_deviation"].map(|offence| by(&slashing, offence).len());
        (both[0] > 0 && both[1] > 0).then_some(slashing)
    })
    .await;
    let off = by(&slashing, "nav_deviation");
    assert_eq!(off.len(), 1, "{off:?}");
    for penalty in &off {
        assert_eq!(penalty["operator"], stage.keys[LIAR].operator().to_string());
        assert_eq!((&penalty["severity"], &penalty["feed"]), (&"moderate".into(), &"nav".into()));
    }
    assert_eq!(off[0]["amount"], (250 * TAO).to_string());

    // A mint at a fresh NAV counts in the next epoch; one validator is killed and takes it over at its next start.
    validators[1].kill();
    stage.mint(5 * TOKEN).await;
    validators[1].start();
    let ranked = until("ranking", async || {
        let one = get(&format!("{}/rankings", base[0])).await;
        let other = get(&format!("{}/rankings", base[2])).await;
        let some = one["rankings"].as_array().is_some_and(|rows| !rows.is_empty());
        (some && one["rankings"] == other["rankings"]).then_some(one)
    })
    .await;
    let alice = account_of(&stage.alice);
    assert_eq!(ranked["rankings"][0]["miner"], alice.to_string());
    assert_eq!(ranked["rankings"][0]["tier"], "diamond");

    // The epoch ends, the award is certified and settled, and Alice claims.
    until("epoch with an award for Alice", async || {
        let state = stage.read("rewards", &rewards::state()).await;
        let url = format!("{}/claims?account={}", base[1], alice);
        (state.claims > 0 && reqwest::get(url).await.ok()?.status().is_success()).then_some(())
    })
    .await;
    let claim = get(&format!("{}/claims?account={}", base[1], alice)).await;
    let cumulative: u128 = claim["cumulative"].as_str().unwrap().parse().unwrap();
    let index = u32::try_from(claim["index"].as_u64().unwrap()).unwrap();
    let epoch = claim["epoch"].as_u64().unwrap();
    let proof: Vec<Digest> = serde_json::from_value(claim["proof"].clone()).unwrap();
    stage.call("rewards", &rewards::claim(epoch, cumulative, index, &proof)).await;
    let paid = stage.read("rewards", &rewards::paid_of(&alice)).await;
    assert_eq!(paid, cumulative);
    // What empty epochs could not pay was carried, so it may be more than one pool.
    let state = stage.read("rewards", &rewards::state()).await;
    let paid_in_all = stage.read("rewards", &rewards::paid()).await;
    assert!(paid > 100 * TAO / 2 && paid == paid_in_all && paid <= state.total, "{paid}");

    // Who saw an epoch from its beginning signed its ranking, which is shown once it is settled.
    until("signed ranking of a settled epoch", async || {
        let state = stage.read("rewards", &rewards::state()).await;
        let url = format!("{}/ranking?epoch={}", base[0], state.epoch);
        let answer = reqwest::get(url).await.ok()?.text().await.ok()?;
        let shown: Value = serde_json::from_str(&answer).ok()?;
        shown["ranking"].is_array().then_some(())
    })
    .await;

    // By now everybody has brought the proof, and it counted once.
    let slashing = get(&format!("{}/slashing", base[0])).await;
    let [twice] = &by(&slashing, "equivocation")[..] else {
        panic!("not one penalty: {slashing}");
    };
    assert_eq!(twice["operator"], stage.keys[TWO_FACED].operator().to_string());
    assert_eq!((&twice["severity"], &twice["slot"]), (&"critical".into(), &2.into()));
    assert_eq!(twice["amount"], (2_500 * TAO).to_string());

    // A NAV on demand, and every route answers.
    let before = slot(&stage).await;
    let begin = reqwest::Client::new().post(format!("{}/nav", base[0]));
    let begun = begin.header(nav_validator::http::BEGIN, "yes").send().await.unwrap();
    assert_eq!(begun.status().as_u16(), 200);
    until("NAV on demand", async || (slot(&stage).await > before).then_some(())).await;
    for url in &base {
        for route in ["status", "consensus", "rankings", "slashing", "nav", "rewards"] {
            let answer = get(&format!("{url}/{route}")).await;
            println!("{route}: {answer}");
        }
    }
    let metrics = reqwest::get(format!("{}/metrics", base[0])).await.unwrap();
    assert!(metrics.text().await.unwrap().contains("nav_validator_events 2"), "two mints");
    let consensus = get(&format!("{}/consensus", base[0])).await;
    assert_eq!(consensus["members"].as_array().unwrap().len(), usize::from(SEATS));
    let early = reqwest::get(format!("{}/observation?slot=999", base[0])).await.unwrap();
    assert_eq!(early.status().as_u16(), 409, "only the next slot is signed");
}
