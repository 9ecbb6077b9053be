//! The configuration: a TOML file; relative paths in it start at its folder.

use anyhow::{ensure, Result};
use cicada_chain::account_setting;
use cicada_core::basket::observed::BASKET_MS;
use cicada_core::Account;
use cicada_program::duration;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// All settings. The page `docs/nav-validator.md` explains them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of a node of the chain.
    #[serde(default = "local_node")]
    pub url: String,
    /// The index; it names its token and the contract of validators.
    #[serde(deserialize_with = "account_setting")]
    pub index: Account,
    /// The contract of rewards; without it there are no epochs, scores and awards.
    #[serde(default, deserialize_with = "maybe_account")]
    pub rewards: Option<Account>,
    /// The block from which on events are read: that in which the index was made.
    #[serde(default)]
    pub from_block: u64,
    /// The folder of the store. One process per folder.
    pub data: PathBuf,
    /// Where awards are written for the consensus node; without it, nowhere.
    pub awards: Option<PathBuf>,
    /// The key file of the seat; without it this process watches and signs nothing.
    pub keys: Option<PathBuf>,
    /// The file of prices; without it there is no NAV of our own.
    pub prices: Option<PathBuf>,
    /// The file of emissions, from which weights of the basket follow; with `basket` and `prices`.
    pub emissions: Option<PathBuf>,
    /// Where what was observed for the basket is written for the consensus node; without it, nowhere.
    pub basket: Option<PathBuf>,
    /// Baskets are of whole multiples of this. All validators need the same.
    #[serde(default = "five_minutes", deserialize_with = "duration")]
    pub basket_interval: u64,
    /// The tokens of subnets that may come into the basket.
    #[serde(default)]
    token: Vec<Listed>,
    /// The seat's consensus node; without it nothing is proposed or settled.
    pub paxos: Option<String>,
    /// The other validators.
    #[serde(default)]
    pub peers: Vec<String>,
    /// Where HTTP is served.
    #[serde(default = "port_8081")]
    pub listen: SocketAddr,
    /// Names under which `listen` is reached, beside its address: those of its peers' lists.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The time between NAVs, by which they are scheduled. All validators need the same.
    #[serde(default = "minute", deserialize_with = "duration")]
    pub nav_interval: u64,
    /// Whether this validator begins no NAV by itself.
    #[serde(default)]
    pub nav_on_demand: bool,
    /// Where what was observed is written for the consensus node; without it, nowhere.
    pub nav: Option<PathBuf>,
    /// How often the chain is looked at.
    #[serde(default = "second", deserialize_with = "duration")]
    pub poll: u64,
    /// The length of an epoch; by default the shortest that the contract allows.
    #[serde(default, deserialize_with = "maybe_duration")]
    pub epoch: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    netuid: u16,
    #[serde(deserialize_with = "account_setting")]
    account: Account,
}

fn local_node() -> String {
    "ws://127.0.0.1:9944".into()
}
fn port_8081() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 8081).into()
}
fn minute() -> u64 {
    60_000
}
fn five_minutes() -> u64 {
    BASKET_MS
}
fn second() -> u64 {
    1_000
}

fn maybe_duration<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u64>, D::Error> {
    duration(d).map(Some)
}

fn maybe_account<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Account>, D::Error> {
    account_setting(d).map(Some)
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// In words.
    pub fn load(path: &Path) -> Result<Self> {
        cicada_program::load(path, "workers/nav-validator/nav-validator.example.toml", Self::parse)
    }

    fn parse(text: &str, folder: &Path) -> Result<Self> {
        let mut config: Self = toml::from_str(text)?;
        let paths = [&mut config.awards, &mut config.keys, &mut config.prices];
        let more = [&mut config.emissions, &mut config.basket, &mut config.nav];
        let paths = paths.into_iter().chain(more).flatten();
        for path in paths.chain([&mut config.data]) {
            *path = folder.join(&path);
        }
        for url in config.peers.iter_mut().chain(&mut config.paxos) {
            ensure!(url.starts_with("http://"), "'{url}' is no address: http://HOST:PORT");
            url.truncate(url.trim_end_matches('/').len());
        }
        ensure!(config.poll > 0, "poll is not 0");
        ensure!(config.nav_interval > 0, "nav_interval is not 0: see nav_on_demand");
        ensure!(config.basket_interval > 0, "basket_interval is not 0");
        let emissions = config.emissions.is_some();
        ensure!(emissions == config.basket.is_some(), "emissions and basket go together");
        ensure!(!emissions || config.prices.is_some(), "a basket needs prices");
        ensure!(config.tokens().len() == config.token.len(), "a subnet has two tokens");
        Ok(config)
    }

    /// The token of each subnet that may come into the basket.
    pub fn tokens(&self) -> BTreeMap<u16, Account> {
        self.token.iter().map(|listed| (listed.netuid, listed.account)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    fn example() -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("nav-validator.example.toml");
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_example_has_every_key_and_is_valid() {
        let config = Config::parse(&example(), Path::new("/home")).unwrap();
        assert_eq!(config.data, PathBuf::from("/home/data"));
        assert_eq!((config.nav_interval, config.listen.port()), (60_000, 8081));
        assert_eq!(config.peers.len(), 2);
        assert_eq!(config.paxos.as_deref(), Some("http://127.0.0.1:7103"));
        // Every key of the struct is written down with its meaning.
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/nav-validator.md");
        let page = std::fs::read_to_string(page).unwrap();
        let table: toml::Table = example().parse().unwrap();
        for key in table.keys() {
            assert!(page.contains(&format!("| `{key}`")), "{key} is not in the page");
        }
        for key in KEYS {
            assert!(table.contains_key(key), "{key} is not in the example");
        }
    }

    const KEYS: [&str; 21] = [
        "url",
        "index",
        "rewards",
        "from_block",
        "data",
        "awards",
        "keys",
        "prices",
        "emissions",
        "basket",
        "basket_interval",
        "token",
        "paxos",
        "peers",
        "listen",
        "hosts",
        "nav_interval",
        "nav_on_demand",
        "nav",
        "poll",
        "epoch",
    ];

    #[test]
    fn little_is_needed() {
        let text = format!("data = \"d\"\nindex = \"{ALICE}\"\n");
        let config = Config::parse(&text, Path::new("")).unwrap();
        assert_eq!((config.rewards, config.keys, config.epoch), (None, None, None));
        assert_eq!((config.nav_interval, config.nav_on_demand), (60_000, false));
        assert_eq!(config.basket_interval, 300_000);
        assert_eq!(config.listen.to_string(), "127.0.0.1:8081");
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |from: &str, to: &str| {
            let text = example().replace(from, to);
            assert_ne!(text, example(), "{from} is not there");
            format!("{:#}", Config::parse(&text, Path::new("")).unwrap_err())
        };
        assert!(wrong("nav_interval", "nav_intervall").contains("nav_intervall"));
        assert!(wrong("\"1m\"", "\"1\"").contains("duration"));
        assert!(wrong("\"1m\"", "\"0s\"").contains("nav_on_demand"));
        assert!(wrong("http://127.0.0.1:7103", "127.0.0.1:7103").contains("http://HOST:PORT"));
        assert!(wrong("index = \"5", "index = \"6").contains("address"));
        assert!(wrong("emissions = \"emissions.jsonl\"\n", "").contains("go together"));
        assert!(wrong("prices = \"prices.jsonl\"\n", "").contains("needs prices"));
        assert!(wrong("netuid = 8", "netuid = 7").contains("two tokens"));
    }
}
