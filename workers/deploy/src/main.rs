//! Deploys the contracts, registers the nodes and forms the committee.

mod deploy;

use cicada_chain::BUNDLES;
use cicada_network::{Distances, FaultModelName, Rules};
use cicada_program::{options, quiet_logs, status};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Prepares a chain for a network of Paxos nodes: makes their keys, funds their accounts,
/// deploys token, validators and leaderboard, registers every node with a proof that it holds
/// its keys, forms the committee, and writes the network file that all processes read.
///
/// Safe to run again: a network that is there and answers is left as it is. One that does not answer
/// as it should is not replaced unless --anew says so.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Options {
    /// Address of a node of the chain.
    #[arg(long, env = "CICADA_URL", default_value = "ws://127.0.0.1:9944")]
    url: String,
    /// Folder of the built contracts.
    #[arg(long, env = "CICADA_BUNDLES", default_value = BUNDLES)]
    bundles: PathBuf,
    /// The network file to write.
    #[arg(long, env = "CICADA_NETWORK", default_value = ".demo/network.toml")]
    out: PathBuf,
    /// Folder of the nodes' key files, node-00.toml and so on; missing ones are made.
    #[arg(long, env = "CICADA_KEYS", default_value = ".demo/keys")]
    keys: PathBuf,
    /// Number of nodes.
    #[arg(long, default_value_t = cicada_core::quorum::COMMITTEE,
        value_parser = clap::value_parser!(u8).range(1..=32))]
    nodes: u8,
    /// Node i listens on this port + i, on loopback.
    #[arg(long, default_value_t = 7100)]
    base_port: u16,
    /// What the consensus withstands: byzantine (7 of 23 nodes may lie) or crash (11 of 23 may
    /// stop, none may lie).
    #[arg(long, env = "CICADA_FAULT_MODEL", default_value = "byzantine")]
    fault_model: FaultModelName,
    /// The least time between two reports of a feed, in ms, such as leaderboard=500,basket=1000; all=0
    /// for every feed [default: leaderboard 10000, nav 10000, basket 300000, rewards 60000]. It stands
    /// in the network file, and all nodes must have the same.
    #[arg(long, env = "CICADA_DISTANCES", default_value = "", hide_default_value = true,
        value_parser = distances)]
    distances: Distances,
    /// How long each seat waits for the one before it with a NAV, a basket or an award, in ms; 0: not at
    /// all. As the distances.
    #[arg(long, env = "CICADA_TURN_DELAY_MS", default_value_t = Rules::default().turn_delay_ms)]
    turn_delay_ms: u64,
    /// How long all others wait for the first of them besides, in ms: until a block is final.
    #[arg(long, env = "CICADA_DUE_AFTER_MS", default_value_t = Rules::default().due_after_ms)]
    due_after_ms: u64,
    /// How long after the last a leaderboard comes that says the same, in ms; 0: as any other.
    #[arg(long, env = "CICADA_SAME_MS", default_value_t = Rules::default().same_ms)]
    same_ms: u64,
    /// Secret of the account that deploys and owns the contracts.
    #[arg(long, env = "CICADA_SURI", default_value = "//Alice", hide_env_values = true)]
    suri: String,
    /// Deploy new contracts although the network file names some; it is kept under another name.
    #[arg(long)]
    anew: bool,
    /// What an operator's account is filled up to, in base units of the chain's currency.
    #[arg(long, default_value_t = 100_000_000_000_000)]
    funds: u128,
    /// Also write the contracts' addresses for frontends to this JSON file.
    #[arg(long)]
    addresses: Option<PathBuf>,
    /// The network's name in that file.
    #[arg(long, default_value = "local")]
    name: String,
}

const EXAMPLES: &str = "\
Examples:
  deploy-paxos
  deploy-paxos --url ws://127.0.0.1:9955 --out /tmp/n/network.toml --keys /tmp/n/keys --base-port 7200
  deploy-paxos --fault-model crash
  deploy-paxos --addresses frontend-abi/addresses/local.json";

fn distances(text: &str) -> Result<Distances, String> {
    match text {
        "" => Ok(Distances::default()),
        text => text.parse(),
    }
}

impl Options {
    /// What the nodes of the network keep to.
    fn rules(&self) -> Rules {
        Rules {
            turn_delay_ms: self.turn_delay_ms,
            due_after_ms: self.due_after_ms,
            same_ms: self.same_ms,
            distance_ms: self.distances,
            ..Rules::default()
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    quiet_logs();
    status("error", deploy::run(&options::<Options>()).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        assert!(Options::try_parse_from(["x", "--nodes", "33"]).is_err());
        assert!(Options::try_parse_from(["x", "--fault-model", "none"]).is_err());
        let options = Options::try_parse_from(["x"]).unwrap();
        assert_eq!((options.nodes, options.base_port), (23, 7100));
        assert_eq!(options.fault_model, FaultModelName::Byzantine);
        assert_eq!(options.rules(), Rules::default());
        let faster = ["x", "--turn-delay-ms", "7", "--due-after-ms", "8", "--same-ms", "9"];
        let (turn_delay_ms, due_after_ms, same_ms) = (7, 8, 9);
        let expected = Rules { turn_delay_ms, due_after_ms, same_ms, ..Rules::default() };
        assert_eq!(Options::try_parse_from(faster).unwrap().rules(), expected);
        let crash = Options::try_parse_from(["x", "--fault-model", "crash"]).unwrap();
        assert_eq!(crash.fault_model, FaultModelName::Crash);
    }
}
