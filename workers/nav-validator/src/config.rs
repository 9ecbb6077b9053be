//! The configuration: a TOML file; relative paths in it start at its folder.

use anyhow::{ensure, Result};
use cicada_chain::Chain;
use cicada_core::basket::observed::BASKET_MS;
use cicada_core::Account;
use cicada_network::{refuse_moved, ContractName, Deployment};
use cicada_program::{local, ms, Millis};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// All settings. The page `docs/nav-validator.md` explains them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The network file that `deploy` wrote: it names the index, its rewards and the tokens of subnets.
    network: PathBuf,
    /// Address of a node of this validator's own, instead of the network file's.
    pub url: Option<String>,
    /// The block from which on events are read, instead of that in which the index was made.
    from_block: Option<u64>,
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
    #[serde(default = "ms::<BASKET_MS>")]
    pub basket_interval: Millis,
    /// The seat's consensus node; without it nothing is proposed or settled.
    pub paxos: Option<String>,
    /// The other validators.
    #[serde(default)]
    pub peers: Vec<String>,
    /// Where HTTP is served.
    #[serde(default = "local::<8081>")]
    pub listen: SocketAddr,
    /// Names under which `listen` is reached, beside its address: those of its peers' lists.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The time between NAVs, by which they are scheduled. All validators need the same.
    #[serde(default = "ms::<60_000>")]
    pub nav_interval: Millis,
    /// Whether this validator begins no NAV by itself.
    #[serde(default)]
    pub nav_on_demand: bool,
    /// Where what was observed is written for the consensus node; without it, nowhere.
    pub nav: Option<PathBuf>,
    /// How often the chain is looked at.
    #[serde(default = "ms::<1_000>")]
    pub poll: Millis,
    /// The length of an epoch; by default the shortest that the contract allows.
    pub epoch: Option<Millis>,
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
        refuse_moved(text, &["index", "rewards", "token"]).map_err(anyhow::Error::msg)?;
        let mut config: Self = toml::from_str(text)?;
        let paths = [&mut config.awards, &mut config.keys, &mut config.prices];
        let more = [&mut config.emissions, &mut config.basket, &mut config.nav];
        let paths = paths.into_iter().chain(more).flatten();
        for path in paths.chain([&mut config.data, &mut config.network]) {
            *path = folder.join(&path);
        }
        for url in config.peers.iter_mut().chain(&mut config.paxos) {
            ensure!(url.starts_with("http://"), "'{url}' is no address: http://HOST:PORT");
            url.truncate(url.trim_end_matches('/').len());
        }
        ensure!(config.poll.0 > 0, "poll is not 0");
        ensure!(config.nav_interval.0 > 0, "nav_interval is not 0: see nav_on_demand");
        ensure!(config.basket_interval.0 > 0, "basket_interval is not 0");
        let emissions = config.emissions.is_some();
        ensure!(emissions == config.basket.is_some(), "emissions and basket go together");
        ensure!(!emissions || config.prices.is_some(), "a basket needs prices");
        Ok(config)
    }

    /// Reads the network file.
    ///
    /// # Errors
    /// If it cannot be read, or there is no index.
    pub fn place(&self) -> Result<Place> {
        let network = Deployment::load(&self.network)?;
        let tokens = network.tokens.subnets.iter().map(|subnet| (subnet.netuid, subnet.token));
        Ok(Place {
            index: network.need(ContractName::Index)?,
            rewards: network.contracts.get(ContractName::Rewards),
            from_block: self.from_block.unwrap_or(network.first_block(&[ContractName::Index])),
            tokens: tokens.collect(),
            url: self.url.clone(),
            network,
        })
    }
}

/// Where the index is, as the network file says it.
#[derive(Clone, Debug)]
pub struct Place {
    network: Deployment,
    url: Option<String>,
    /// The index; it names its token and the contract of validators.
    pub index: Account,
    /// The contract of rewards; without it there are no epochs, scores and awards.
    pub rewards: Option<Account>,
    /// The block from which on events are read.
    pub from_block: u64,
    /// The token of each subnet that may come into the basket.
    pub tokens: BTreeMap<u16, Account>,
}

impl Place {
    /// Connects to its chain.
    ///
    /// # Errors
    /// As [`Deployment::connect`].
    pub async fn connect(&self) -> Result<Chain> {
        Ok(self.network.connect(self.url.as_deref()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_network::{ChainSection, Subnet};

    fn example() -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("nav-validator.example.toml");
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_example_has_every_key_and_is_valid() {
        let config = Config::parse(&example(), Path::new("/home")).unwrap();
        assert_eq!(config.data, PathBuf::from("/home/data"));
        assert_eq!((config.nav_interval, config.listen.port()), (Millis(60_000), 8081));
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

    const KEYS: [&str; 19] = [
        "network",
        "url",
        "from_block",
        "data",
        "awards",
        "keys",
        "prices",
        "emissions",
        "basket",
        "basket_interval",
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
        let text = "data = \"d\"\nnetwork = \"network.toml\"\n";
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse(text, folder.path()).unwrap();
        assert_eq!((&config.keys, config.epoch), (&None, None));
        assert_eq!((config.nav_interval, config.nav_on_demand), (Millis(60_000), false));
        assert_eq!(config.basket_interval, Millis(300_000));
        assert_eq!(config.listen.to_string(), "127.0.0.1:8081");
        assert!(config.place().unwrap_err().to_string().contains("network.toml"));
        let path = folder.path().join("network.toml");
        let mut file = Deployment::new(&path, ChainSection::unasked());
        file.contracts.set(ContractName::Index, Account([5; 32]));
        file.blocks.insert(ContractName::Index, 40);
        file.tokens.subnets = vec![Subnet { netuid: 7, token: Account([7; 32]) }];
        file.save().unwrap();
        let place = config.place().unwrap();
        assert_eq!((place.index, place.rewards, place.from_block), (Account([5; 32]), None, 40));
        assert_eq!(place.tokens, [(7, Account([7; 32]))].into());
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
        assert!(wrong("network =", "index =").contains("write network ="));
        assert!(wrong("emissions = \"emissions.jsonl\"\n", "").contains("go together"));
        assert!(wrong("prices = \"prices.jsonl\"\n", "").contains("needs prices"));
    }
}
