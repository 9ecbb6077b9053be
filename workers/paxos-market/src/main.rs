//! Proposes a leaderboard to the nodes and settles it on chain.

mod board;
mod format;
mod market;
mod pass;
#[cfg(test)]
mod testing;
mod transcript;

use cicada_network::NETWORK_FILE;
use cicada_program::{options, quiet_logs, status};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Reads the evaluation results, makes the market's quotes, has the 23 nodes agree on them,
/// settles their certificate on the chain, and writes the leaderboard that the chain returns.
///
/// A slot that the nodes decided earlier and that is not on the chain yet is settled first, so
/// running it again always continues.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Options {
    /// The network file that deploy wrote.
    #[arg(long, env = "CICADA_NETWORK", default_value = NETWORK_FILE)]
    network: PathBuf,
    /// Evaluation results, one JSON object per line.
    #[arg(long, env = "CICADA_RESULTS", default_value = "examples/results.jsonl")]
    results: PathBuf,
    /// The page to write.
    #[arg(long, env = "CICADA_LEADERBOARD_PAGE", default_value = "LEADERBOARD.md")]
    out: PathBuf,
    /// Address of a node of the chain, instead of the network file's.
    #[arg(long, env = "CICADA_URL")]
    url: Option<String>,
    /// Secret of the account that pays for the transaction; any account may.
    #[arg(long, env = "CICADA_SURI", default_value = "//Alice", hide_env_values = true)]
    suri: String,
    /// The seat of the node that is asked first; without it, another one for each slot.
    #[arg(long)]
    seat: Option<u8>,
    /// Key file of a seat, whose signature lets the proposal into any node [default: keys/node-00.toml
    /// beside the network file].
    #[arg(long, env = "CICADA_NODE_KEYS", conflicts_with = "token")]
    keys: Option<PathBuf>,
    /// Instead, the file proposals.token in the data folder of the node of --seat, on this machine; only
    /// that node is asked then.
    #[arg(long, env = "CICADA_NODE_TOKEN", requires = "seat")]
    token: Option<PathBuf>,
    /// Print the quotes as JSON on standard output; all else goes to standard error.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  paxos-market
  paxos-market --results my-results.jsonl --out /tmp/LEADERBOARD.md
  paxos-market --seat 3 --token data/node-03/proposals.token
  paxos-market --json | jq '.quotes[0].bid'

Exit status: 0 if the leaderboard is final on the chain and its page written, 1 if not. What the chain says
already is not settled again before 240 s have passed (same_ms in the network file). If others settle
8 slots with other boards meanwhile, it is the last of theirs.";

#[tokio::main]
async fn main() -> ExitCode {
    quiet_logs();
    status("error", market::run(&options::<Options>()).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        let options = Options::try_parse_from(["paxos-market"]).unwrap();
        assert_eq!(options.out, PathBuf::from("LEADERBOARD.md"));
        let alone = ["paxos-market", "--token", "t"];
        assert!(Options::try_parse_from(alone).is_err(), "a token is that of one node");
    }
}
