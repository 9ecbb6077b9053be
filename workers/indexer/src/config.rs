//! The configuration: a TOML file; relative paths in it start at its folder.

use crate::types::Id;
use anyhow::{ensure, Context, Result};
use cicada_program::duration;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// All settings. The page `docs/indexer.md` explains them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of a node of the chain.
    #[serde(default = "local_node")]
    pub url: String,
    /// The exchange; it names MMC and the leaderboard. By default that of `addresses`.
    pub exchange: Option<Id>,
    /// The file of addresses that a deployment wrote.
    pub addresses: Option<PathBuf>,
    /// The block from which on events are read. By default the oldest of token, leaderboard and
    /// exchange in `addresses`, or 0.
    pub from_block: Option<u64>,
    /// The folder of the store. One process per folder.
    pub data: PathBuf,
    /// Where HTTP is served.
    #[serde(default = "port_7171")]
    pub listen: SocketAddr,
    /// Names under which `listen` is reached, beside its address: of a proxy in front of it.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How often the chain is looked at.
    #[serde(default = "second", deserialize_with = "duration")]
    pub poll: u64,
}

fn local_node() -> String {
    "ws://127.0.0.1:9944".into()
}
fn port_7171() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 7171).into()
}
fn second() -> u64 {
    1_000
}

/// A file of addresses, as far as it matters here.
#[derive(Deserialize)]
struct Addresses {
    contracts: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    address: Id,
    block: Option<u64>,
}

/// The contracts whose first block counts: MMC, its quotes, the exchange.
const NEEDED: [&str; 3] = ["token", "leaderboard", "exchange"];

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// In words.
    pub fn load(path: &Path) -> Result<Self> {
        cicada_program::load(path, "workers/indexer/indexer.example.toml", Self::parse)
    }

    fn parse(text: &str, folder: &Path) -> Result<Self> {
        let mut config: Self = toml::from_str(text)?;
        for path in std::iter::once(&mut config.data).chain(&mut config.addresses) {
            *path = folder.join(&path);
        }
        ensure!(config.poll > 0, "poll is not 0");
        let known = config.exchange.is_some() || config.addresses.is_some();
        ensure!(known, "give `exchange`, or `addresses`, a file in which it stands");
        Ok(config)
    }

    /// The exchange, and the first block, from here and from the file of addresses.
    ///
    /// # Errors
    /// If the file cannot be read, or has no exchange.
    pub fn place(&self) -> Result<(Id, u64)> {
        let Some(path) = &self.addresses else {
            let exchange = self.exchange.context("no exchange is given")?;
            return Ok((exchange, self.from_block.unwrap_or(0)));
        };
        let place = || path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(place)?;
        let text = text.trim_start_matches('\u{feff}');
        let Addresses { contracts } = serde_json::from_str(text).with_context(place)?;
        let there = contracts.get("exchange").map(|entry| entry.address);
        let exchange = self.exchange.or(there);
        let exchange = exchange.with_context(|| format!("{}: no exchange is in it", place()))?;
        // Only if all of them are known, and the exchange is the one of the file.
        let blocks =
            NEEDED.iter().map(|name| contracts.get(*name)?.block).collect::<Option<Vec<_>>>();
        let oldest = blocks.filter(|_| there == Some(exchange)).and_then(|b| b.into_iter().min());
        Ok((exchange, self.from_block.or(oldest).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_chain::address;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    const KEYS: [&str; 8] =
        ["url", "exchange", "addresses", "from_block", "data", "listen", "hosts", "poll"];

    fn example() -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("indexer.example.toml");
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_example_has_every_key_and_is_valid() {
        let config = Config::parse(&example(), Path::new("/home")).unwrap();
        assert_eq!(config.data, PathBuf::from("/home/data"));
        assert_eq!((config.poll, config.listen.port()), (1_000, 7171));
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/indexer.md");
        let page = std::fs::read_to_string(page).unwrap();
        let table: toml::Table = example().parse().unwrap();
        for key in table.keys() {
            assert!(page.contains(&format!("| `{key}`")), "{key} is not in the page");
            assert!(KEYS.contains(&key.as_str()), "{key} is not in the test");
        }
        for key in KEYS {
            assert!(table.contains_key(key), "{key} is not in the example");
        }
    }

    #[test]
    fn little_is_needed() {
        let text = format!("data = \"d\"\nexchange = \"{ALICE}\"\n");
        let config = Config::parse(&text, Path::new("")).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:7171");
        let (exchange, from) = config.place().unwrap();
        assert_eq!((address(&exchange.0).as_str(), from), (ALICE, 0));
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |from: &str, to: &str| {
            let text = example().replace(from, to);
            assert_ne!(text, example(), "{from} is not there");
            format!("{:#}", Config::parse(&text, Path::new("")).unwrap_err())
        };
        assert!(wrong("listen", "listenn").contains("listenn"));
        assert!(wrong("\"1s\"", "\"1\"").contains("duration"));
        assert!(wrong("\"1s\"", "\"0s\"").contains("poll"));
        let error = Config::parse("data = \"d\"\n", Path::new("")).unwrap_err();
        assert!(error.to_string().contains("give `exchange`"), "{error}");
        let error = format!("{:#}", Config::load(Path::new("/nowhere/x.toml")).unwrap_err());
        assert!(error.contains("indexer.example.toml"), "{error}");
    }

    #[test]
    fn the_first_block_is_that_of_the_oldest_contract() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.json");
        let entry = |block: Option<u64>| serde_json::json!({"address": ALICE, "code_hash": "0x", "block": block});
        let place = |blocks: [Option<u64>; 3], more: &str| {
            let [token, leaderboard, exchange] = blocks.map(entry);
            let contracts = serde_json::json!({"network": "local", "contracts":
                {"token": token, "leaderboard": leaderboard, "exchange": exchange}});
            std::fs::write(&path, contracts.to_string()).unwrap();
            let text = format!("data = \"d\"\naddresses = \"local.json\"\n{more}");
            Config::parse(&text, folder.path()).unwrap().place().unwrap()
        };
        assert_eq!(place([Some(7), Some(5), Some(9)], "").1, 5);
        assert_eq!(place([Some(7), None, Some(9)], "").1, 0, "one is not known");
        assert_eq!(place([Some(7), Some(5), Some(9)], "from_block = 6").1, 6);
        let other = format!("exchange = \"0x{}\"", "07".repeat(32));
        assert_eq!(place([Some(7), Some(5), Some(9)], &other), (Id([7; 32]), 0));
    }
}
