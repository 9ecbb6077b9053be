//! Deploys the compute market.

use cicada_chain::BUNDLES;
use cicada_core::market::limits::{MAX_SLACK_MS, MIN_HAND_BACK_MS, MIN_SLACK_MS};
use cicada_core::market::Parameters;
use cicada_deploy::market::{deploy, Plan};
use cicada_program::{options, quiet_logs, status};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Puts the contracts of the compute market on a chain (reputation, capabilities, escrow and auction, and the
/// token MMC unless a network file names one), lets the auction write reputation, makes the
/// deployer a minter of MMC, and writes the market file that cicada71 and cicada71-provider read.
///
/// Safe to run again: a market that is there and answers is left as it is. One that does not answer
/// as it should is not replaced unless --anew says so.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Options {
    /// Address of a node of the chain.
    #[arg(long, env = "CICADA_URL", default_value = "ws://127.0.0.1:9944")]
    url: String,
    /// Folder of the built contracts.
    #[arg(long, env = "CICADA_BUNDLES", default_value = BUNDLES)]
    bundles: PathBuf,
    /// The market file to write.
    #[arg(long, env = "CICADA_MARKET", default_value = ".demo/market.toml")]
    out: PathBuf,
    /// The network file of deploy-paxos: its token and its committee serve the market too. If
    /// there is none, the market gets its own, and a committee without members.
    #[arg(long, env = "CICADA_NETWORK", default_value = ".demo/network.toml")]
    network: PathBuf,
    /// Secret of the account that deploys and owns the contracts.
    #[arg(long, env = "CICADA_SURI", default_value = "//Alice", hide_env_values = true)]
    suri: String,
    /// Deploy new contracts although the market file names some; it is kept under another name.
    #[arg(long)]
    anew: bool,
    /// How long accepts only wait in line, by reputation, in ms; 0: the first one gets the job.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=60_000))]
    priority_ms: u64,
    /// Points of reputation that a missed service level costs.
    #[arg(long, default_value_t = 5)]
    violation_points: u32,
    /// A job started in less than this earns 2 points, in ms.
    #[arg(long, default_value_t = 60_000)]
    fast_response_ms: u64,
    /// What hand-over, response and execution get beside their own times, in ms: at least four blocks.
    #[arg(long, default_value_t = 24_000, value_parser = clap::value_parser!(u64).range(MIN_SLACK_MS..=MAX_SLACK_MS))]
    slack_ms: u64,
    /// How long after the hand-over a job may be handed back without a mark, in ms.
    #[arg(long, default_value_t = 120_000, value_parser = clap::value_parser!(u64).range(MIN_HAND_BACK_MS..=MAX_SLACK_MS))]
    hand_back_ms: u64,
    /// The length of an epoch of reputation, in ms.
    #[arg(long, default_value_t = 86_400_000)]
    decay_epoch_ms: u64,
    /// How much of its distance to the start a score loses in an epoch, in basis points.
    #[arg(long, default_value_t = 100)]
    decay_bps: u16,
    /// Also write the contracts' addresses for frontends to this JSON file.
    #[arg(long)]
    addresses: Option<PathBuf>,
    /// The network's name in that file.
    #[arg(long, default_value = "local")]
    name: String,
}

const EXAMPLES: &str = "\
Examples:
  deploy-market
  deploy-market --url ws://127.0.0.1:9955 --out /tmp/m/market.toml
  deploy-market --priority-ms 5000 --addresses frontend-abi/addresses/local.json";

impl Options {
    fn plan(self) -> Plan {
        Plan {
            url: self.url,
            bundles: self.bundles,
            out: self.out,
            suri: self.suri,
            anew: self.anew,
            network: Some(self.network),
            addresses: self.addresses.map(|path| (path, self.name)),
            parameters: Parameters {
                priority_ms: self.priority_ms,
                violation_points: self.violation_points,
                fast_response_ms: self.fast_response_ms,
                slack_ms: self.slack_ms,
                hand_back_ms: self.hand_back_ms,
            },
            decay: (self.decay_epoch_ms, self.decay_bps),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    quiet_logs();
    status("error", deploy(&options::<Options>().plan()).await.map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        assert!(Options::try_parse_from(["x", "--priority-ms", "60001"]).is_err());
        assert!(Options::try_parse_from(["x", "--slack-ms", "0"]).is_err());
        let plan = Options::try_parse_from(["x"]).unwrap().plan();
        assert_eq!(plan.out, PathBuf::from(".demo/market.toml"));
    }
}
