//! The epoch of rewards: settled, claimed, and compared with what was published.

use crate::stage::Stage;
use crate::story::Story;
use anyhow::{ensure, Context, Result};
use cicada_contracts::types::RewardsError;
use cicada_contracts::{rewards, Message};
use cicada_core::hash::Digest;
use cicada_core::Account;
use cicada_deploy::{say, Steps};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Who is asked: any validator knows.
const WHOM: u8 = 0;
/// How long after the end of an epoch its award may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often claims are fetched anew because the next epoch came in between.
const ATTEMPTS: usize = 3;

/// What an account was paid.
#[derive(Clone, Debug)]
pub struct Payout {
    /// Who.
    pub who: String,
    /// Address.
    pub account: String,
    /// By the published table, in units of TAO.
    pub published: u128,
    /// By the balance of the account.
    pub paid: u128,
}

fn number(value: &Value) -> Result<u128> {
    value.as_str().context("not a string")?.parse().context("not a number")
}

/// What each account is due by the published table of all epochs that are on the chain.
fn published(rewards: &Value) -> Result<BTreeMap<Account, u128>> {
    let mut due = BTreeMap::<Account, u128>::new();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for epoch in list(&rewards["epochs"]) {
        if epoch["on_chain"] != true {
            continue;
        }
        for miner in list(&epoch["miners"]) {
            let account = miner["miner"].as_str().context("no miner")?.parse()?;
            *due.entry(account).or_default() += number(&miner["base"])? + number(&miner["bonus"])?;
        }
        for validator in list(&epoch["validators"]) {
            let account = validator["validator"].as_str().context("no validator")?.parse()?;
            *due.entry(account).or_default() += number(&validator["amount"])?;
        }
    }
    due.retain(|_, amount| *amount > 0);
    Ok(due)
}

/// What claims for an account.
fn claim_for(account: &Account, claim: &Value) -> Result<Message<u128, RewardsError>> {
    let index = u32::try_from(claim["index"].as_u64().context("no index")?)?;
    let proof: Vec<Digest> = serde_json::from_value(claim["proof"].clone()).context("no proof")?;
    let epoch = claim["epoch"].as_u64().context("no epoch")?;
    Ok(rewards::claim_for(account, epoch, number(&claim["cumulative"])?, index, &proof))
}

impl Story {
    /// Waits for the epoch of the last trade, claims for everybody, and compares.
    ///
    /// # Errors
    /// In words.
    pub async fn rewards(&mut self) -> Result<Vec<Payout>> {
        self.await_epoch().await?;
        let (mut attempt, mut balances) = (1, BTreeMap::new());
        let payouts = loop {
            match self.claim(&mut balances).await {
                Ok(payouts) => break payouts,
                Err(error) if attempt < ATTEMPTS => {
                    say(format!("claiming again: {error:#}"));
                    attempt += 1;
                    tokio::time::sleep(Duration::from_secs(3)).await;
                }
                Err(error) => return Err(error),
            }
        };
        let exact = payouts.iter().all(|one| one.paid == one.published);
        let sum: u128 = payouts.iter().map(|one| one.paid).sum();
        let paid = self.stage.of_rewards(&rewards::paid()).await?;
        let miners = payouts.iter().filter(|one| one.who.starts_with("miner")).count();
        self.check(
            format!("{} claims are paid to the unit of the published table: {sum}", payouts.len()),
            exact && sum == paid && !payouts.is_empty(),
        );
        // The miners turn their tokens round, which pays them their spread and no rewards.
        self.check(
            format!("some validators are paid, and {miners} miners whose tokens stayed an epoch"),
            payouts.len() > miners,
        );
        Ok(payouts)
    }

    /// Makes blocks until the epoch of the last trade is settled.
    async fn await_epoch(&self) -> Result<()> {
        let terms = self.stage.of_rewards(&rewards::terms()).await?;
        // The epoch that runs ends at most a whole one from now.
        let deadline = Instant::now() + Duration::from_millis(terms.min_epoch_ms) + PATIENCE;
        say("waiting for the end of the epoch of rewards");
        loop {
            let state = self.stage.of_rewards(&rewards::state()).await?;
            let known = self.ask(WHOM, "/status").await?["epochs_on_chain"].as_u64();
            let covers = state.epoch > 0 && state.end_ms > self.last_ms;
            if covers && known == Some(state.epoch) {
                say(format!("epoch {} is settled: {} claims", state.epoch, state.claims));
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "no award of the epoch in {PATIENCE:?}");
            // The chain makes blocks on demand, and only a block ends an epoch.
            let owner = &self.stage.owner;
            self.stage.chain.freshen(owner, Duration::from_secs(2)).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn name_of(&self, account: &Account) -> String {
        let miner = self.miners.iter().find(|miner| miner.account() == *account);
        let seat = self.network.nodes.iter().position(|node| node.operator == *account);
        match (miner, seat) {
            (Some(miner), _) => miner.name.clone(),
            (None, Some(seat)) => format!("seat {seat}"),
            (None, None) => "somebody".into(),
        }
    }

    /// Claims for everybody. `balances` are those before the first try.
    async fn claim(&self, balances: &mut BTreeMap<Account, u128>) -> Result<Vec<Payout>> {
        let stage: &Stage = &self.stage;
        let due = published(&self.ask(WHOM, "/rewards").await?)?;
        let mut steps = Steps::new(&stage.chain, &stage.owner);
        for (account, amount) in &due {
            let claim = self.ask(WHOM, &format!("/claims?account={}", account)).await?;
            let cumulative = number(&claim["cumulative"])?;
            ensure!(cumulative == *amount, "{}: the tree says {cumulative}", account);
            let balance = stage.balance(&stage.at.tao, account).await?;
            balances.entry(*account).or_insert(balance);
            let paid = stage.of_rewards(&rewards::paid_of(account)).await?;
            if paid < cumulative {
                steps.add(&stage.at.rewards, claim_for(account, &claim)?);
            }
        }
        steps.call().await.context("claiming")?;
        let mut payouts = Vec::new();
        for (account, amount) in &due {
            let before = balances.get(account).copied().unwrap_or(0);
            let after = stage.balance(&stage.at.tao, account).await?;
            payouts.push(Payout {
                who: self.name_of(account),
                account: account.to_string(),
                published: *amount,
                paid: after.saturating_sub(before),
            });
        }
        payouts.sort_by_key(|one| std::cmp::Reverse(one.published));
        Ok(payouts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table_is_summed_over_epochs_that_are_on_the_chain() {
        let (miner, seat) = (Account([1; 32]).to_string(), Account([2; 32]).to_string());
        let epoch = |on_chain: bool| {
            json!({
                "on_chain": on_chain,
                "miners": [{"miner": miner, "base": "70", "bonus": "10"}],
                "validators": [{"validator": seat, "amount": "5"},
                               {"validator": Account([3; 32]).to_string(), "amount": "0"}],
            })
        };
        let epochs = json!({ "epochs": [epoch(false), epoch(true), epoch(true)] });
        let due = published(&epochs).unwrap();
        assert_eq!(due, BTreeMap::from([(Account([1; 32]), 160), (Account([2; 32]), 10)]));
        assert!(published(&json!({ "epochs": [{ "on_chain": true, "miners": [{}] }] })).is_err());
    }

    #[test]
    fn a_claim_becomes_a_call() {
        let hash = format!("0x{}", "0b".repeat(32));
        let claim = json!({ "epoch": 4, "cumulative": "7", "index": 3, "proof": [hash] });
        let expected = rewards::claim_for(&Account([1; 32]), 4, 7, 3, &[Digest([11; 32])]);
        assert_eq!(claim_for(&Account([1; 32]), &claim).unwrap().input(), expected.input());
        assert!(claim_for(&Account([1; 32]), &json!({})).is_err());
    }
}
