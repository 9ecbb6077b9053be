//! Miners: the program `miner`, one look at a time, so that a slot has its order.

use crate::stage::Stage;
use crate::story::{Story, MINERS, POLL};
use anyhow::{ensure, Context, Result};
use cicada_chain::{account_of, signer, Call, Signer};
use cicada_core::basket::holdings::amounts_to_mint_ceil;
use cicada_core::Account;
use cicada_deploy::say;
use cicada_localnet::{Localnet, Part};
use serde_json::Value;
use std::fs::{self, File};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;
use tokio::task::block_in_place;

/// For fees of the chain, in base units of its currency.
const FUNDS: u128 = 1_000_000_000_000_000;
/// How long one look may take, its transactions included.
const PATIENCE: Duration = Duration::from_secs(180);

/// Someone who trades the price back to the NAV.
pub struct Miner {
    /// What people call it.
    pub name: String,
    /// Where it answers while it stays up.
    pub url: String,
    number: usize,
    signer: Signer,
}

/// A trade that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// What.
    pub kind: String,
    /// What the account gained, in units of TAO.
    pub gained: i128,
}

impl Miner {
    /// The miner of the network, from 0.
    ///
    /// # Errors
    /// In words.
    pub fn new(number: usize, net: &Localnet) -> Result<Self> {
        let secret = net.config.miners.get(number).context("no such miner")?;
        Ok(Self {
            name: format!("miner {}", number + 1),
            number,
            url: net.miner_url(number),
            signer: signer(secret)?,
        })
    }

    /// Its account.
    pub fn account(&self) -> Account {
        account_of(&self.signer)
    }

    /// Gives it TAO and the tokens of `baskets` index tokens, and writes its configuration.
    ///
    /// # Errors
    /// In words; so with all that follow.
    pub async fn equip(
        &self,
        stage: &Stage,
        net: &Localnet,
        tao: u128,
        baskets: u128,
    ) -> Result<()> {
        let market = stage.market().await?;
        let amounts = amounts_to_mint_ceil(&market.holdings, market.supply, baskets, false)
            .map_err(|error| anyhow::anyhow!("a basket: {error:?}"))?;
        let tokens = market.holdings.iter().map(|held| held.token);
        let subnets: Vec<(Account, u128)> = tokens.zip(amounts).collect();
        stage.chain.send(&Call::transfer(&self.account(), FUNDS), &stage.owner).await?;
        stage.equip(&self.signer, tao, &subnets).await?;
        // What it earned on an earlier chain is nothing here.
        if let Some(folder) = net.configure_miner(self.number)?.parent() {
            let _ = fs::remove_dir_all(folder);
        }
        net.configure_miner(self.number).map(|_| ())
    }

    /// Looks once, and trades if that pays.
    ///
    /// # Errors
    /// In words; a transaction that failed is one.
    pub async fn act(&self, net: &Localnet) -> Result<Option<Trade>> {
        let config = net.configure_miner(self.number)?;
        let log = File::options().create(true).append(true).open(config.with_extension("log"))?;
        let look = Command::new(net.config.programs.join("miner"))
            .args(["run", "--once", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, look).await.with_context(|| self.name.clone());
        let output = output?.with_context(|| self.name.clone())?;
        ensure!(output.status.success(), "{}: {}: see its log", self.name, output.status);
        let looked = serde_json::from_slice(&output.stdout).with_context(|| self.name.clone())?;
        trade(&looked).with_context(|| self.name.clone())
    }
}

/// What a look came to.
fn trade(looked: &Value) -> Result<Option<Trade>> {
    let batch = &looked["recent"][0];
    if batch.is_null() {
        return Ok(None);
    }
    let failure = &batch["done"]["failure"];
    ensure!(failure.is_null(), "{failure}");
    let kind = batch["planned"]["kind"].as_str().context("a batch of no kind")?;
    let gained = batch["gained"].as_str().context("a batch without a gain")?.parse()?;
    Ok(Some(Trade { kind: kind.into(), gained }))
}

impl Story {
    /// Lets all miners look, another one first in each slot. How many traded.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn trade(&self, slot: u64) -> Result<usize> {
        let mut trades = 0;
        let first = usize::try_from(slot)? % self.miners.len();
        let (last, rest) = self.miners.split_at(first);
        for miner in rest.iter().chain(last) {
            if let Some(trade) = miner.act(&self.net).await? {
                trades += 1;
                say(format!(
                    "slot {slot}, {}: {}, {} units of TAO gained",
                    miner.name, trade.kind, trade.gained
                ));
            }
        }
        Ok(trades)
    }

    /// Starts the miners as services, and asks each what it did.
    ///
    /// # Errors
    /// In words.
    pub async fn miners_stay_up(&mut self) -> Result<()> {
        block_in_place(|| self.net.up(&[Part::Miners]))?;
        let routes = |route| self.miners.iter().map(move |miner| format!("{}/{route}", miner.url));
        let (status, performance) = (routes("status").collect::<Vec<_>>(), routes("performance"));
        let performance: Vec<String> = performance.collect();
        let begin = Instant::now();
        for url in &status {
            // Figures are there after the first look.
            while self.get(url).await?["last_look_ms"] == 0 {
                ensure!(begin.elapsed() < PATIENCE, "{url}: no look at the market in {PATIENCE:?}");
                tokio::time::sleep(POLL).await;
            }
        }
        let mut holds = true;
        for url in &performance {
            let told = self.get(url).await?;
            let count = |key: &str| told[key].as_u64().unwrap_or(0);
            holds &= count("batches") > 0 && count("failed") == 0;
        }
        self.check(format!("{MINERS} miners answer; each did a batch, and none failed"), holds);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_miner_prints_is_understood() {
        let looked = |failure: Value| {
            let planned = json!({ "kind": "mint_and_sell", "profit": "9" });
            let done = json!({ "failure": failure, "transactions": 2 });
            json!({ "recent": [{ "planned": planned, "gained": "-7", "done": done }] })
        };
        let good = Trade { kind: "mint_and_sell".into(), gained: -7 };
        assert_eq!(trade(&looked(Value::Null)).unwrap(), Some(good));
        let failed = trade(&looked("TooLittle".into())).unwrap_err();
        assert!(failed.to_string().contains("TooLittle"));
        assert_eq!(trade(&json!({ "recent": [] })).unwrap(), None);
        assert!(trade(&json!({ "recent": [{ "gained": "1" }] })).is_err());
    }
}
