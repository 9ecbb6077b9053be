//! The configuration: a TOML file; relative paths in it start at its folder.

use anyhow::{ensure, Result};
use cicada_core::Account;
use cicada_network::{refuse_moved, ContractName, Deployment};
use cicada_program::{local, ms, Millis};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// All settings. The page `docs/indexer.md` explains them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The network file that `deploy` wrote: it names the exchange.
    pub network: PathBuf,
    /// Address of a node of the indexer's own, instead of the network file's: one that keeps the state
    /// of all blocks.
    pub url: Option<String>,
    /// The block from which on events are read. By default the oldest of token, leaderboard and
    /// exchange in the network file, or 0.
    pub from_block: Option<u64>,
    /// The folder of the store. One process per folder.
    pub data: PathBuf,
    /// Where HTTP is served.
    #[serde(default = "local::<7171>")]
    pub listen: SocketAddr,
    /// Names under which `listen` is reached, beside its address: of a proxy in front of it.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How often the chain is looked at.
    #[serde(default = "ms::<1_000>")]
    pub poll: Millis,
}

/// The contracts whose first block counts: MMC, its quotes, the exchange.
const NEEDED: [ContractName; 3] =
    [ContractName::Token, ContractName::Leaderboard, ContractName::Exchange];

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// In words.
    pub fn load(path: &Path) -> Result<Self> {
        cicada_program::load(path, "workers/indexer/indexer.example.toml", Self::parse)
    }

    fn parse(text: &str, folder: &Path) -> Result<Self> {
        refuse_moved(text, &["addresses", "exchange"]).map_err(anyhow::Error::msg)?;
        let mut config: Self = toml::from_str(text)?;
        for path in [&mut config.data, &mut config.network] {
            *path = folder.join(&path);
        }
        ensure!(config.poll.0 > 0, "poll is not 0");
        Ok(config)
    }

    /// The network file, its exchange, and the first block.
    ///
    /// # Errors
    /// If the file cannot be read, or has no exchange.
    pub fn place(&self) -> Result<(Deployment, Account, u64)> {
        let network = Deployment::load(&self.network)?;
        let exchange = network.need(ContractName::Exchange)?;
        let from_block = self.from_block.unwrap_or(network.first_block(&NEEDED));
        Ok((network, exchange, from_block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_network::ChainSection;

    const KEYS: [&str; 7] = ["network", "url", "from_block", "data", "listen", "hosts", "poll"];

    fn example() -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("indexer.example.toml");
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_example_has_every_key_and_is_valid() {
        let config = Config::parse(&example(), Path::new("/home")).unwrap();
        assert_eq!(config.data, PathBuf::from("/home/data"));
        assert_eq!((config.poll, config.listen.port()), (Millis(1_000), 7171));
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
        let text = "data = \"d\"\nnetwork = \"n.toml\"\n";
        let config = Config::parse(text, Path::new("/nowhere")).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:7171");
        assert!(config.place().unwrap_err().to_string().contains("/nowhere/n.toml"));
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
        assert!(wrong("network =", "addresses =").contains("write network ="));
        let error = format!("{:#}", Config::load(Path::new("/nowhere/x.toml")).unwrap_err());
        assert!(error.contains("indexer.example.toml"), "{error}");
    }

    #[test]
    fn the_first_block_is_that_of_the_oldest_contract() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.toml");
        let place = |blocks: [Option<u64>; 3], more: &str| {
            let mut file = Deployment::new(&path, ChainSection::unasked());
            for (name, block) in NEEDED.into_iter().zip(blocks) {
                file.contracts.set(name, Account([7; 32]));
                file.blocks.extend(block.map(|block| (name, block)));
            }
            file.save().unwrap();
            let text = format!("data = \"d\"\nnetwork = \"network.toml\"\n{more}");
            let (_, exchange, from) = Config::parse(&text, folder.path()).unwrap().place().unwrap();
            assert_eq!(exchange, Account([7; 32]));
            from
        };
        assert_eq!(place([Some(7), Some(5), Some(9)], ""), 5);
        assert_eq!(place([Some(7), None, Some(9)], ""), 0, "one is not known");
        assert_eq!(place([Some(7), Some(5), Some(9)], "from_block = 6"), 6);
    }
}
