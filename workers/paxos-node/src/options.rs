//! What a node is told: by flags, by environment, by a configuration file, in this order.

use crate::feeds::{OwnOption, ALL};
use cicada_core::quote::Framework;
use cicada_core::report::ReportKind;
use cicada_program::{complain, logs, on_two_threads, status};
use clap::{value_parser, Arg, ArgMatches, Args, Command, FromArgMatches, Parser};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use toml::Table;

const EXAMPLES: &str = "Examples:
  paxos-node --network network.toml --seat 3 --keys keys/node-03.json \\
             --data data/node-03 --results examples/results.jsonl \\
             --awards data/validator-03/awards --basket data/validator-03/basket.scale \
             --nav data/validator-03/nav.scale
  paxos-node --config node-03.toml
  curl -s http://127.0.0.1:7103/paxos/status";

/// One of the nodes that agree on leaderboards, and on NAV, basket and rewards of the index.
///
/// The feeds of the index and of the rewards are there if the network file has their contracts.
/// Each option can also stand in the configuration file, under the same name.
#[derive(Clone, Debug, Default, Parser, Deserialize)]
#[command(version, after_help = EXAMPLES)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// A TOML file with any of these options
    #[arg(long, env = "PAXOS_NODE_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// The network file: chain, contracts, committee, addresses
    #[arg(long, env = "CICADA_NETWORK")]
    pub network: Option<PathBuf>,
    /// This node's seat in the committee, from 0
    #[arg(long, env = "PAXOS_NODE_SEAT")]
    pub seat: Option<u8>,
    /// This node's key file
    #[arg(long, env = "PAXOS_NODE_KEYS")]
    pub keys: Option<PathBuf>,
    /// The directory for what must survive a restart. The node also writes proposals.token there:
    /// who shows it from this machine may propose
    #[arg(long, env = "PAXOS_NODE_DATA")]
    pub data: Option<PathBuf>,
    /// This node's own copy of the evaluation results, as JSON lines
    #[arg(long, env = "PAXOS_NODE_RESULTS")]
    pub results: Option<PathBuf>,
    /// A framework that may leave the leaderboard again, such as a misspelt name; with commas
    /// between several. It goes when a quorum of the nodes has no result of it and is told so
    #[arg(long, env = "PAXOS_NODE_WITHDRAW", value_delimiter = ',', value_name = "FRAMEWORK")]
    #[serde(default)]
    pub withdraw: Vec<String>,
    /// Where this node's own validator writes, by the feeds
    #[command(flatten)]
    #[serde(skip)]
    pub own: Own,
    /// Where to listen; by default the address of the seat in the network file
    #[arg(long, env = "PAXOS_NODE_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// A name under which this node is reached, beside its addresses and that of its seat: of a
    /// proxy in front of it, for example. With commas between several
    #[arg(long, env = "PAXOS_NODE_HOSTS", value_delimiter = ',', value_name = "NAME")]
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Vote although this identity has voted from another disk before. Only for one who knows
    /// that nothing it promised there still counts
    #[arg(long)]
    #[serde(default)]
    pub init: bool,
}

/// Where a node's own validator writes: the feeds say by which options it is told.
#[derive(Clone, Debug, Default)]
pub struct Own(BTreeMap<ReportKind, PathBuf>);

impl Own {
    fn options() -> impl Iterator<Item = (ReportKind, OwnOption)> {
        ALL.iter().filter_map(|declared| Some((declared.kind, declared.option?)))
    }

    // Takes them out of a configuration file.
    fn take(file: &mut Table) -> Result<Self, toml::de::Error> {
        let given = Self::options().filter_map(|(kind, option)| {
            let value = file.remove(option.name)?;
            Some(value.try_into().map(|path| (kind, path)))
        });
        given.collect::<Result<_, _>>().map(Self)
    }
}

impl Args for Own {
    fn augment_args(command: Command) -> Command {
        command.args(Self::options().map(|(_, option)| {
            Arg::new(option.name)
                .long(option.name)
                .env(option.env)
                .value_name(option.takes)
                .value_parser(value_parser!(PathBuf))
                .help(option.help)
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Own {
    fn from_arg_matches(given: &ArgMatches) -> Result<Self, clap::Error> {
        let mut own = Self::default();
        own.update_from_arg_matches(given)?;
        Ok(own)
    }

    fn update_from_arg_matches(&mut self, given: &ArgMatches) -> Result<(), clap::Error> {
        let path = |option: OwnOption| given.get_one::<PathBuf>(option.name).cloned();
        self.0.extend(Self::options().filter_map(|(kind, option)| Some((kind, path(option)?))));
        Ok(())
    }
}

/// Options that are complete.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The network file.
    pub network: PathBuf,
    /// The seat.
    pub seat: u8,
    /// The key file.
    pub keys: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// The results file.
    pub results: PathBuf,
    /// Frameworks that may leave the leaderboard.
    pub withdrawn: Vec<Framework>,
    /// Where its own validator writes, by feed.
    pub own: BTreeMap<ReportKind, PathBuf>,
    /// Where to listen, if not at the seat's address.
    pub listen: Option<SocketAddr>,
    /// Names under which the node is reached.
    pub hosts: Vec<String>,
    /// Whether an identity may start anew.
    pub init: bool,
}

impl Options {
    /// Completes the options from the configuration file.
    ///
    /// # Errors
    /// In words, if the file cannot be read or an option is missing.
    pub fn settle(self) -> Result<Settings, String> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => Self::default(),
        };
        let first = |flags: Vec<String>, file| if flags.is_empty() { file } else { flags };
        let withdrawn = first(self.withdraw, file.withdraw).into_iter().map(|name| {
            let said = format!("--withdraw {name}: no name of a framework");
            Framework::new(name).map_err(|_| said)
        });
        let missing = |name: &str| format!("--{name} is missing (see paxos-node --help)");
        Ok(Settings {
            network: self.network.or(file.network).ok_or_else(|| missing("network"))?,
            seat: self.seat.or(file.seat).ok_or_else(|| missing("seat"))?,
            keys: self.keys.or(file.keys).ok_or_else(|| missing("keys"))?,
            data: self.data.or(file.data).ok_or_else(|| missing("data"))?,
            results: self.results.or(file.results).ok_or_else(|| missing("results"))?,
            withdrawn: withdrawn.collect::<Result<_, _>>()?,
            own: file.own.0.into_iter().chain(self.own.0).collect(),
            listen: self.listen.or(file.listen),
            hosts: first(self.hosts, file.hosts),
            init: self.init || file.init,
        })
    }
}

/// A program that is such a node: status 2 if an option is wrong, 1 if the node fails.
pub fn serve<F: Future<Output = Result<(), Box<dyn Error + Send + Sync>>>>(
    program: &str,
    options: Options,
    node: impl FnOnce(Settings) -> F,
) -> ExitCode {
    logs();
    match options.settle() {
        Ok(settings) => {
            let ended = async { node(settings).await.map_err(anyhow::Error::from_boxed) };
            status(program, on_two_threads(ended))
        }
        Err(error) => {
            complain!("{program}: {error}");
            ExitCode::from(2)
        }
    }
}

fn read(path: &Path) -> Result<Options, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let said = |error| format!("{}: {error}", path.display());
    let mut file: Table = toml::from_str(&text).map_err(said)?;
    let own = Own::take(&mut file).map_err(said)?;
    Ok(Options { own, ..file.try_into().map_err(said)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn what_a_validator_writes_is_optional_and_can_stand_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        let text = "network = 'n'\nseat = 3\nkeys = 'k'\ndata = 'd'\nresults = 'r'\n";
        std::fs::write(&path, text).unwrap();
        let settle = |more: &[&str]| {
            let options = ["paxos-node", "--config", path.to_str().unwrap()];
            let options = Options::parse_from(options.iter().chain(more));
            let settings = options.settle().unwrap();
            let own = |kind| settings.own.get(&kind).cloned();
            (own(ReportKind::Rewards), own(ReportKind::Basket))
        };
        assert_eq!(settle(&[]), (None, None));
        std::fs::write(&path, format!("{text}awards = 'a'\nbasket = 'b'\n")).unwrap();
        let some = |name: &str| Some(PathBuf::from(name));
        assert_eq!(settle(&[]), (some("a"), some("b")));
        assert_eq!(settle(&["--awards", "c"]), (some("c"), some("b")));
    }

    #[test]
    fn flags_come_before_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        let text = "network = 'n'\nseat = 3\nkeys = 'k'\ndata = 'd'\nresults = 'r'\n";
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        let options = Options::parse_from(["paxos-node", "--config", path, "--seat", "4"]);
        let settings = options.settle().unwrap();
        assert_eq!((settings.seat, settings.data), (4, PathBuf::from("d")));
        let incomplete = Options::parse_from(["paxos-node", "--seat", "4"]);
        assert!(incomplete.settle().unwrap_err().contains("--network"));
        std::fs::write(path, "seet = 3").unwrap();
        let typo = Options::parse_from(["paxos-node", "--config", path]);
        assert!(typo.settle().unwrap_err().contains("seet"));
    }
}
