//! What a network is made of: by flags, by environment, by a file, in this order.

use crate::chain::{ChainUrl, Kind};
use crate::ports::{free_ports, free_range};
use anyhow::{ensure, Context, Result};
use cicada_network::{Distances, FaultModelName};
use cicada_program::{is_development, secret_is_kept, BUNDLES};
use clap::{Args, ValueEnum};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most nodes that a committee may have.
const MAX_NODES: u8 = 32;

/// What can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// A chain, unless one answers
    Chain,
    /// Token, committee and leaderboard, and the Paxos nodes
    Committee,
    /// The exchange of performance tokens
    Exchange,
    /// The contracts of the index
    Index,
    /// The validators of the index, one for each node
    Validators,
    /// Miners, who trade the index back to its value
    Miners,
    /// History of the exchange over HTTP
    Indexer,
    /// The contracts of the compute market
    Market,
}

/// The settings. Each can stand in the file of `--config` under the same name, with _ for -; paths in
/// it are relative to its folder.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// A TOML file with any of these settings
    #[arg(long, env = "CICADA_LOCALNET", global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// What up starts when it is not told, as a list (default chain, committee, exchange)
    #[arg(skip)]
    pub parts: Option<Vec<Part>>,
    /// The network file (default network.toml in the state folder)
    #[arg(long, env = "CICADA_NETWORK", global = true)]
    pub network: Option<PathBuf>,
    /// Everything that is written: keys, logs, disks (default .demo in the checkout)
    #[arg(long, env = "CICADA_STATE", global = true)]
    pub state: Option<PathBuf>,
    /// Address of a node of the chain; if none answers there, one is started (default
    /// ws://127.0.0.1:9944)
    #[arg(long, env = "CICADA_URL", global = true)]
    pub url: Option<ChainUrl>,
    /// Which chain is started
    #[arg(long, env = "CICADA_CHAIN", value_enum, global = true)]
    pub chain: Option<Kind>,
    /// The same as --chain substrate
    #[arg(long, global = true, conflicts_with = "chain")]
    #[serde(skip)]
    pub node: bool,
    /// The program of the chain (default: that of the environment's CICADA_CHAIN_BINARY,
    /// substrate-contracts-node of the PATH for a Substrate node, or what scripts/node build makes)
    #[arg(long, global = true)]
    pub chain_program: Option<PathBuf>,
    /// Start the chain empty, and forget it at its end
    #[arg(long, global = true)]
    pub tmp: bool,
    /// How long a block takes to be final, in seconds (default 0, of a Substrate node 1)
    #[arg(long, global = true)]
    pub finalize_delay_sec: Option<u8>,
    /// Make a block every so many ms even if nothing happens; only of the embedded chain
    #[arg(long, global = true)]
    pub block_interval_ms: Option<u64>,
    /// Folder of the built programs (default: this program's)
    #[arg(long, env = "CICADA_PROGRAMS", global = true)]
    pub programs: Option<PathBuf>,
    /// Folder of the built contracts
    #[arg(long, env = "CICADA_BUNDLES", global = true)]
    pub bundles: Option<PathBuf>,
    /// Number of nodes of the committee, 1 to 32 (default 23)
    #[arg(long, env = "CICADA_NODES", global = true, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_NODES)))]
    #[serde(deserialize_with = "nodes")]
    pub nodes: Option<u8>,
    /// Node i listens on this port + i, on loopback (default 7100)
    #[arg(long, env = "CICADA_BASE_PORT", global = true)]
    pub base_port: Option<u16>,
    /// byzantine (default: 7 of 23 nodes may lie) or crash (11 of 23 may stop)
    #[arg(long, env = "CICADA_FAULT_MODEL", global = true)]
    pub fault_model: Option<FaultModelName>,
    /// The least time between two reports of a feed, in ms, such as leaderboard=500,basket=1000, or
    /// all=0 (default leaderboard 10000, nav 10000, basket 300000, rewards 60000)
    #[arg(long, env = "CICADA_DISTANCES", global = true, value_parser = distances)]
    #[serde(deserialize_with = "checked_distances")]
    pub distances: Option<String>,
    /// How long each seat waits for the one before it with a NAV, a basket or an award, in ms (default 2000)
    #[arg(long, env = "CICADA_TURN_DELAY_MS", global = true)]
    pub turn_delay_ms: Option<u64>,
    /// How long all others wait for the first of them besides, in ms (default 2000)
    #[arg(long, env = "CICADA_DUE_AFTER_MS", global = true)]
    pub due_after_ms: Option<u64>,
    /// How long after the last a leaderboard comes that says the same, in ms (default 240000)
    #[arg(long, env = "CICADA_SAME_MS", global = true)]
    pub same_ms: Option<u64>,
    /// Evaluation results of the nodes (default examples/results.jsonl)
    #[arg(long, env = "CICADA_RESULTS", global = true)]
    pub results: Option<PathBuf>,
    /// Where to write the contracts' addresses for JavaScript (default
    /// frontend-abi/addresses/local.json; with a state folder of your own, addresses.json in it)
    #[arg(long, global = true)]
    pub addresses: Option<PathBuf>,
    /// Validator i listens on this port + i (default 8081)
    #[arg(long, env = "CICADA_VALIDATOR_PORT", global = true)]
    pub validator_port: Option<u16>,
    /// Prices that the validators read, JSON lines (default prices.jsonl in the state folder)
    #[arg(long, env = "CICADA_VALIDATOR_PRICES", global = true)]
    pub validator_prices: Option<PathBuf>,
    /// What subnets emitted, JSON lines (default emissions.jsonl in the state folder)
    #[arg(long, env = "CICADA_EMISSIONS", global = true)]
    pub emissions: Option<PathBuf>,
    /// How often the validators attest the index's value, such as 1m; 0s: when they are asked (default 1m)
    #[arg(long, env = "CICADA_NAV_INTERVAL", global = true, value_parser = interval)]
    #[serde(deserialize_with = "checked_interval")]
    pub nav_interval: Option<String>,
    /// Length of an epoch of the index's rewards, in seconds (default a day)
    #[arg(long, env = "CICADA_EPOCH_SECONDS", global = true)]
    pub epoch_seconds: Option<u64>,
    /// Development accounts of the miners, one miner for each, such as //Bob; other secrets stand in the
    /// file of --config, which only its owner may read then
    #[arg(long, env = "CICADA_MINERS", global = true, value_delimiter = ',', hide_env_values = true,
        value_parser = development)]
    pub miners: Option<Vec<String>>,
    /// Miner i listens on this port + i (default 8078)
    #[arg(long, env = "CICADA_MINER_PORT", global = true)]
    pub miner_port: Option<u16>,
    /// Where the indexer listens (default 7171)
    #[arg(long, env = "CICADA_INDEXER_PORT", global = true)]
    pub indexer_port: Option<u16>,
}

fn nodes<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u8>, D::Error> {
    let nodes = u8::deserialize(d)?;
    let known = (1..=MAX_NODES).contains(&nodes);
    known.then_some(Some(nodes)).ok_or_else(|| D::Error::custom("a committee has 1 to 32 nodes"))
}

fn development(suri: &str) -> Result<String, String> {
    match is_development(suri) {
        true => Ok(suri.to_owned()),
        false => Err("every user of this machine can read arguments: it takes development accounts such as //Bob; put other secrets into `miners` of the file of --config".into()),
    }
}

fn interval(text: &str) -> Result<String, String> {
    cicada_program::parse_ms(text).map(|_| text.to_owned())
}

fn checked_interval<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    interval(&String::deserialize(d)?).map(Some).map_err(D::Error::custom)
}

/// Settings that are complete; all paths are absolute.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each field is explained in Options")]
pub struct Config {
    pub parts: Vec<Part>,
    pub network: PathBuf,
    pub state: PathBuf,
    pub url: ChainUrl,
    pub chain: Kind,
    pub chain_program: Option<PathBuf>,
    pub tmp: bool,
    pub finalize_delay_sec: u8,
    pub block_interval_ms: Option<u64>,
    pub programs: PathBuf,
    pub bundles: PathBuf,
    pub nodes: u8,
    pub base_port: u16,
    pub fault_model: FaultModelName,
    pub distances: Option<String>,
    pub turn_delay_ms: Option<u64>,
    pub due_after_ms: Option<u64>,
    pub same_ms: Option<u64>,
    pub results: PathBuf,
    pub addresses: PathBuf,
    pub validator_port: u16,
    pub validator_prices: PathBuf,
    pub emissions: PathBuf,
    pub nav_interval: String,
    pub epoch_seconds: Option<u64>,
    pub miners: Vec<String>,
    pub miner_port: u16,
    pub indexer_port: u16,
    /// Validators that read other prices than the rest.
    pub prices_of: BTreeMap<u8, PathBuf>,
    /// Validators that the others ask at another address than their own.
    pub front_of: BTreeMap<u8, String>,
}

/// The root of the checkout.
pub fn repository() -> PathBuf {
    let compiled = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = std::env::var_os("CICADA_ROOT").map_or_else(compiled, PathBuf::from);
    root.canonicalize().unwrap_or(root)
}

/// The folder of the programs that were built with this one.
pub fn programs() -> PathBuf {
    let this = std::env::current_exe().unwrap_or_default();
    // A test lies one deeper than a program.
    let folder = this.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    folder.unwrap_or(Path::new("")).to_owned()
}

fn distances(text: &str) -> Result<String, String> {
    text.parse::<Distances>().map(|_| text.to_owned())
}

fn checked_distances<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    distances(&String::deserialize(d)?).map(Some).map_err(D::Error::custom)
}

impl Options {
    /// Completes the settings from the file and by the defaults, and checks them.
    ///
    /// # Errors
    /// In words: with the key and the line, if it is in the file.
    pub fn settle(self) -> Result<Config> {
        let file = match &self.config {
            Some(path) => Self::load(path)?,
            None => Self::default(),
        };
        let (root, here) = (repository(), std::env::current_dir()?);
        let at = |given: Option<PathBuf>| given.map(|path| here.join(path));
        let default_chain = if self.node { Some(Kind::Substrate) } else { None };
        let chain = default_chain.or(self.chain).or(file.chain).unwrap_or(Kind::Embedded);
        let own_state = at(self.state.or(file.state));
        let addresses = match &own_state {
            Some(state) => state.join("addresses.json"),
            None => root.join("frontend-abi/addresses/local.json"),
        };
        let state = own_state.unwrap_or_else(|| root.join(".demo"));
        let in_state = |name: &str| state.join(name);
        let config = Config {
            parts: (self.parts.or(file.parts)).unwrap_or(vec![
                Part::Chain,
                Part::Committee,
                Part::Exchange,
            ]),
            network: at(self.network.or(file.network)).unwrap_or_else(|| in_state("network.toml")),
            url: self.url.or(file.url).unwrap_or_default(),
            chain,
            chain_program: at(self.chain_program.or(file.chain_program)),
            tmp: self.tmp || file.tmp,
            finalize_delay_sec: (self.finalize_delay_sec.or(file.finalize_delay_sec))
                .unwrap_or(chain.finalize_delay_sec()),
            block_interval_ms: self.block_interval_ms.or(file.block_interval_ms),
            programs: at(self.programs.or(file.programs)).unwrap_or_else(programs),
            bundles: at(self.bundles.or(file.bundles)).unwrap_or_else(|| root.join(BUNDLES)),
            nodes: self.nodes.or(file.nodes).unwrap_or(cicada_core::quorum::COMMITTEE),
            base_port: self.base_port.or(file.base_port).unwrap_or(7100),
            fault_model: (self.fault_model.or(file.fault_model))
                .unwrap_or(FaultModelName::Byzantine),
            distances: self.distances.or(file.distances),
            turn_delay_ms: self.turn_delay_ms.or(file.turn_delay_ms),
            due_after_ms: self.due_after_ms.or(file.due_after_ms),
            same_ms: self.same_ms.or(file.same_ms),
            results: (at(self.results.or(file.results)))
                .unwrap_or_else(|| root.join("examples/results.jsonl")),
            addresses: at(self.addresses.or(file.addresses)).unwrap_or(addresses),
            validator_port: self.validator_port.or(file.validator_port).unwrap_or(8081),
            validator_prices: at(self.validator_prices.or(file.validator_prices))
                .unwrap_or_else(|| in_state("prices.jsonl")),
            emissions: (at(self.emissions.or(file.emissions)))
                .unwrap_or_else(|| in_state("emissions.jsonl")),
            nav_interval: self.nav_interval.or(file.nav_interval).unwrap_or("1m".into()),
            epoch_seconds: self.epoch_seconds.or(file.epoch_seconds),
            miners: self.miners.or(file.miners).unwrap_or_default(),
            miner_port: self.miner_port.or(file.miner_port).unwrap_or(8078),
            indexer_port: self.indexer_port.or(file.indexer_port).unwrap_or(7171),
            prices_of: BTreeMap::new(),
            front_of: BTreeMap::new(),
            state,
        };
        config.check()?;
        Ok(config)
    }

    fn load(path: &Path) -> Result<Self> {
        let place = || path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(place)?;
        let mut options: Self = toml::from_str(&text).with_context(place)?;
        for secret in options.miners.iter().flatten() {
            secret_is_kept(path, Some(secret))?;
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let paths = [
            &mut options.network,
            &mut options.state,
            &mut options.chain_program,
            &mut options.programs,
            &mut options.bundles,
            &mut options.results,
            &mut options.addresses,
            &mut options.validator_prices,
            &mut options.emissions,
        ];
        for path in paths.into_iter().flatten() {
            *path = folder.join(&path);
        }
        Ok(options)
    }
}

impl Config {
    /// A network with an empty chain, everything in one folder, nodes and chain on neighbouring ports: for
    /// tests. Of the environment only `CICADA_CHAIN` and `CICADA_CHAIN_BINARY` count.
    ///
    /// # Errors
    /// In words.
    pub fn for_test(state: &Path) -> Result<Self> {
        let nodes = cicada_core::quorum::COMMITTEE;
        let first = free_range(u16::from(nodes) + 1);
        let mut config = Options {
            state: Some(state.into()),
            url: Some(ChainUrl::local(first + u16::from(nodes))),
            base_port: Some(first),
            chain: Some(Kind::of_environment()?),
            tmp: true,
            // Tests settle one report after the other, also if it says the same.
            distances: Some("all=0".into()),
            same_ms: Some(0),
            ..Options::default()
        }
        .settle()?;
        config.indexer_port = free_ports(1)[0];
        Ok(config)
    }

    /// No port is meant for two.
    fn check(&self) -> Result<()> {
        let seats = u16::from(self.nodes);
        let miners = u16::try_from(self.miners.len()).context("so many miners have no ports")?;
        let ranges = [
            ("base_port", self.base_port, seats),
            ("validator_port", self.validator_port, seats),
            ("miner_port", self.miner_port, miners),
            ("indexer_port", self.indexer_port, 1),
            ("url", self.url.port(), 1),
        ];
        for (at, (name, first, count)) in ranges.iter().enumerate() {
            let end = first.checked_add(*count).with_context(|| {
                format!("{name} = {first} leaves no room for {count} ports below 65535")
            })?;
            for (other, start, many) in &ranges[..at] {
                let apart = end <= *start || start + many <= *first;
                ensure!(apart || *count == 0 || *many == 0, "{other} = {start} and {name} = {first} mean the same ports: {many} and {count} of them are needed");
            }
        }
        Ok(())
    }
}
