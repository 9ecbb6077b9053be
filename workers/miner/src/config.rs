//! The configuration: a TOML file; relative paths in it start at its folder.

use crate::gas::Rates;
use crate::plan::{Neutral, Rules};
use anyhow::{bail, ensure, Result};
use cicada_amounts::{Tao, TAO};
use cicada_chain::{signer, Signer};
use cicada_core::arbitrage::Limits;
use cicada_core::fixed::BPS;
use cicada_core::nav::STALENESS_MS;
use cicada_network::refuse_moved;
use cicada_program::{local, ms, secret_is_kept, secret_of, wrong_at, Millis};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The most trades of one look.
const MAX_TRADES: u32 = 32;
/// The most that a transaction may turn out worse than planned, in bps.
const MAX_SLIPPAGE_BPS: u128 = 1_000;

/// All settings. The page `docs/miner.md` explains them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The network file that `deploy` wrote: it names the index and its pool.
    pub network: PathBuf,
    /// Address of a node of the miner's own, instead of the network file's.
    pub url: Option<String>,
    /// Secret of the miner's account: for development accounts such as `//Bob`.
    pub suri: Option<String>,
    /// A file with that secret, readable by its owner only.
    pub account: Option<PathBuf>,
    /// The file of what was earned and lost.
    pub ledger: PathBuf,
    /// Where HTTP is served.
    #[serde(default = "local::<8080>")]
    pub listen: SocketAddr,
    /// Names under which `listen` is reached, beside its address.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How often the market is looked at.
    #[serde(default = "ms::<6_000>")]
    pub poll: Millis,
    /// The oldest NAV that is traded on.
    #[serde(default = "ms::<STALENESS_MS>")]
    pub nav_max_age: Millis,
    /// How long a transaction may wait.
    #[serde(default = "ms::<120_000>")]
    pub deadline: Millis,
    /// How much worse than planned a transaction may turn out, in bps.
    #[serde(default = "half_percent")]
    pub slippage_bps: u16,
    /// The most trades of one look.
    #[serde(default = "four")]
    pub max_trades: u32,
    /// For how many batches of the same size an approval is given.
    #[serde(default = "ten")]
    pub approvals: u32,
    /// The price of a second of computation on the chain, in TAO.
    #[serde(default = "hundredth")]
    pub gas_second: Tao,
    /// The price of a MiB of proof, in TAO.
    #[serde(default = "thousandth")]
    pub gas_mib: Tao,
    /// Sizes, inventory and losses.
    #[serde(default)]
    limits: LimitsTable,
    /// Volume for its own sake; without this table there is none.
    neutral: Option<NeutralTable>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    min_spread_bps: u16,
    max_size: Tao,
    min_size: Tao,
    balance_bps: u16,
    max_inventory_bps: u16,
    rebalance_bps: u16,
    max_daily_loss_bps: u16,
    stop_loss_bps: u16,
}

impl Default for LimitsTable {
    fn default() -> Self {
        // Those of the specification; a test compares them with `Limits::default()`.
        Self {
            min_spread_bps: 50,
            max_size: Tao(10 * TAO),
            min_size: Tao(TAO / 10),
            balance_bps: 8_000,
            max_inventory_bps: 5_000,
            rebalance_bps: 8_000,
            max_daily_loss_bps: 500,
            stop_loss_bps: 1_000,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NeutralTable {
    size: Tao,
    every: Millis,
    max_cost: Tao,
}

fn half_percent() -> u16 {
    50
}
fn four() -> u32 {
    4
}
fn ten() -> u32 {
    10
}
fn hundredth() -> Tao {
    Tao(TAO / 100)
}
fn thousandth() -> Tao {
    Tao(TAO / 1_000)
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// In words.
    pub fn load(path: &Path) -> Result<Self> {
        let config = cicada_program::load(path, "workers/miner/miner.example.toml", Self::parse)?;
        secret_is_kept(path, config.suri.as_deref())?;
        Ok(config)
    }

    fn parse(text: &str, folder: &Path) -> Result<Self> {
        refuse_moved(text, &["index", "pair"]).map_err(anyhow::Error::msg)?;
        let mut config: Self =
            toml::from_str(text).map_err(|error| wrong_at(text, error.span(), error.message()))?;
        for path in
            [&mut config.ledger, &mut config.network].into_iter().chain(config.account.as_mut())
        {
            *path = folder.join(&path);
        }
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        if self.suri.is_some() == self.account.is_some() {
            bail!("give one of suri and account");
        }
        ensure!(self.poll.0 > 0, "poll is not 0");
        ensure!(self.deadline.0 > 0, "deadline is not 0");
        ensure!(self.nav_max_age.0 <= STALENESS_MS, "nav_max_age is at most 5m");
        let trades = 1..=MAX_TRADES;
        ensure!(trades.contains(&self.max_trades), "max_trades is 1 to {MAX_TRADES}");
        ensure!(self.approvals > 0, "approvals is at least 1");
        let slippage = u128::from(self.slippage_bps);
        ensure!(slippage <= MAX_SLIPPAGE_BPS, "slippage_bps is at most {MAX_SLIPPAGE_BPS}");
        let Limits { balance_bps, max_inventory_bps, rebalance_bps, .. } = self.rules().limits;
        let parts = [balance_bps, max_inventory_bps, rebalance_bps];
        ensure!(parts.iter().all(|part| (1..=BPS).contains(part)), "parts are 1 to {BPS} bps");
        ensure!(max_inventory_bps <= rebalance_bps, "max_inventory_bps is above rebalance_bps");
        let limits = &self.limits;
        ensure!(limits.min_size <= limits.max_size, "min_size is above max_size");
        ensure!(limits.min_spread_bps > 0, "min_spread_bps is not 0");
        if let Some(neutral) = &self.neutral {
            ensure!(
                neutral.size.0 > 0 && neutral.every.0 > 0,
                "neutral volume needs size and every"
            );
            ensure!(neutral.size <= limits.max_size, "neutral.size is above limits.max_size");
        }
        Ok(())
    }

    /// What it says about trading.
    pub fn rules(&self) -> Rules {
        let table = &self.limits;
        let neutral = self.neutral.as_ref().map(|neutral| Neutral {
            size: neutral.size.0,
            every_ms: neutral.every.0,
            max_cost: neutral.max_cost.0,
        });
        Rules {
            limits: Limits {
                min_spread_bps: table.min_spread_bps.into(),
                max_size: table.max_size.0,
                min_size: table.min_size.0,
                balance_bps: table.balance_bps.into(),
                max_inventory_bps: table.max_inventory_bps.into(),
                rebalance_bps: table.rebalance_bps.into(),
                max_daily_loss_bps: table.max_daily_loss_bps.into(),
                stop_loss_bps: table.stop_loss_bps.into(),
            },
            max_trades: self.max_trades,
            slippage_bps: self.slippage_bps.into(),
            neutral,
        }
    }

    /// The price of gas.
    pub fn rates(&self) -> Rates {
        Rates { second: self.gas_second.0, mib: self.gas_mib.0 }
    }

    /// The account that signs.
    ///
    /// # Errors
    /// In words that do not repeat the secret.
    pub fn signer(&self) -> Result<Signer> {
        Ok(signer(&secret_of(self.suri.as_deref(), self.account.as_deref())?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = r#"
        network = "network.toml"
        suri = "//Bob"
        ledger = "ledger.json"
    "#;

    fn example() -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("miner.example.toml");
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_example_is_valid_and_says_the_defaults() {
        let config = Config::parse(&example(), Path::new("/home")).unwrap();
        let short = Config::parse(SHORT, Path::new("/home")).unwrap();
        assert_eq!(config.ledger, PathBuf::from("/home/miner-ledger.json"));
        let neutral = config.rules().neutral;
        assert!(neutral.is_some());
        assert_eq!(config.rules(), Rules { neutral, ..short.rules() });
        assert_eq!(config.rates(), short.rates());
        let settings = |of: &Config| {
            let times = (of.poll, of.nav_max_age, of.deadline);
            (of.listen, times, of.approvals)
        };
        assert_eq!(settings(&config), settings(&short));
    }

    #[test]
    fn the_defaults_are_those_of_the_specification() {
        let config = Config::parse(SHORT, Path::new("/home")).unwrap();
        assert_eq!(config.rules().limits, Limits::default());
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.ledger, PathBuf::from("/home/ledger.json"));
        assert_eq!((&config.url, config.nav_max_age), (&None, Millis(300_000)));
        assert!(config.rules().neutral.is_none());
    }

    #[test]
    fn every_key_of_the_example_is_on_the_page() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/miner.md");
        let page = std::fs::read_to_string(page).unwrap();
        let mut table = String::new();
        for line in example().lines() {
            let line = line.trim_start_matches("# ");
            if let Some(name) = line.strip_prefix('[') {
                table = format!("{}.", name.trim_end_matches(']'));
            }
            if let Some((key, _)) = line.split_once(" = ") {
                assert!(page.contains(&format!("| `{table}{key}` |")), "{table}{key}");
            }
        }
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |line: &str| {
            let text = format!("{line}\n{SHORT}");
            format!("{:#}", Config::parse(&text, Path::new("")).unwrap_err())
        };
        assert!(wrong("pol = \"1s\"").contains("pol"));
        assert!(wrong("pair = \"x\"").contains("write network ="));
        assert!(wrong("poll = \"0s\"").contains("poll"));
        assert!(wrong("account = \"file\"").contains("suri"));
        assert!(wrong("nav_max_age = \"301s\"").contains("nav_max_age"));
        assert!(wrong("max_trades = 0").contains("max_trades"));
        assert!(wrong("approvals = 0").contains("approvals"));
        assert!(wrong("slippage_bps = 1001").contains("slippage_bps"));
        assert!(wrong("gas_second = \"cheap\"").contains("cheap"));
        let table = |lines: &str| {
            let text = format!("{SHORT}\n{lines}");
            format!("{:#}", Config::parse(&text, Path::new("")).unwrap_err())
        };
        assert!(table("[limits]\nmax_size = \"0.05\"").contains("min_size"));
        assert!(table("[limits]\nmax_inventory_bps = 9000").contains("rebalance_bps"));
        assert!(table("[limits]\nbalance_bps = 10001").contains("10000 bps"));
        assert!(table("[limits]\nmin_spread_bps = 0").contains("min_spread_bps"));
        let large = "[neutral]\nsize = \"11\"\nevery = \"1h\"\nmax_cost = \"1\"";
        assert!(table(large).contains("neutral.size"));
    }
}
