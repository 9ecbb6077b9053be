//! Deploys the index.

use anyhow::Result;
use cicada_amounts::TAO;
use cicada_chain::BUNDLES;
use cicada_deploy::index::{deploy, Plan, Terms};
use cicada_deploy::receiver;
use cicada_program::{options, quiet_logs, status};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Puts the contracts of the index beside a committee that deploy-paxos has seated: TAO, 20 subnet
/// tokens, the index token, index, pair and rewards; sets the rules of stake, makes index and
/// rewards judges, bonds the operators' stake, funds the rewards; writes index and rewards into the network
/// file and all addresses into the index file.
///
/// Safe to run again: an index that is there and answers is left as it is. One that does not answer
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
    /// The network file of deploy-paxos.
    #[arg(long, env = "CICADA_NETWORK", default_value = ".demo/network.toml")]
    network: PathBuf,
    /// Folder of the operators' key files, which deploy-paxos made.
    #[arg(long, default_value = ".demo/keys")]
    keys: PathBuf,
    /// The index file to write.
    #[arg(long, env = "CICADA_INDEX", default_value = ".demo/index.toml")]
    out: PathBuf,
    /// Secret of the account that deploys and owns the contracts.
    #[arg(long, env = "CICADA_SURI", default_value = "//Alice", hide_env_values = true)]
    suri: String,
    /// Deploy new contracts although the index file names some; it is kept under another name.
    #[arg(long)]
    anew: bool,
    /// The account that penalties go to, which can never be changed: an address, or the secret of a
    /// development account [default: //Treasury, if the deployer is a development account, too].
    #[arg(long)]
    treasury: Option<String>,
    /// What a seat needs, in TAO.
    #[arg(long, default_value_t = 1_000)]
    minimum: u64,
    /// What each operator bonds, in TAO.
    #[arg(long, default_value_t = 2_000)]
    bond: u64,
    /// How long stake that is taken out can be slashed, in hours.
    #[arg(long, default_value_t = 168, value_parser = clap::value_parser!(u64).range(..=8_784))]
    unbonding_hours: u64,
    /// Fee of the pool, in bps.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(..=100))]
    pair_fee_bps: u16,
    /// The shortest epoch of rewards, in seconds.
    #[arg(long, default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(1..=2_678_400))]
    epoch_seconds: u64,
    /// The largest pool of an epoch, in TAO.
    #[arg(long, default_value_t = 100)]
    emission: u64,
    /// What is paid into the rewards at once, in TAO.
    #[arg(long, default_value_t = 10_000)]
    funds: u64,
    /// Also write the contracts' addresses for frontends to this JSON file.
    #[arg(long)]
    addresses: Option<PathBuf>,
    /// The network's name in that file.
    #[arg(long, default_value = "local")]
    name: String,
}

const EXAMPLES: &str = "\
Examples:
  deploy-paxos && deploy-index
  deploy-index --epoch-seconds 300 --emission 50
  deploy-index --network /tmp/n/network.toml --keys /tmp/n/keys --out /tmp/n/index.toml";

impl Options {
    fn plan(self) -> Result<Plan> {
        let tao = |amount: u64| u128::from(amount).saturating_mul(TAO);
        let terms = Terms {
            minimum: tao(self.minimum),
            bond: tao(self.bond),
            unbonding_ms: self.unbonding_hours.saturating_mul(3_600_000),
            pair_fee_bps: self.pair_fee_bps,
            epoch_ms: self.epoch_seconds.saturating_mul(1_000),
            emission: tao(self.emission),
            funds: tao(self.funds),
        };
        let treasury = self.treasury.as_deref();
        let treasury = receiver("--treasury", treasury, "//Treasury", &self.suri)?;
        Ok(Plan {
            url: self.url,
            bundles: self.bundles,
            network: self.network,
            keys: self.keys,
            out: self.out,
            anew: self.anew,
            suri: self.suri,
            treasury,
            terms,
            addresses: self.addresses.map(|path| (path, self.name)),
        })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    quiet_logs();
    let deployed = async { deploy(&options::<Options>().plan()?).await };
    status("error", deployed.await.map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        assert!(Options::try_parse_from(["x", "--pair-fee-bps", "101"]).is_err());
        assert!(Options::try_parse_from(["x", "--epoch-seconds", "0"]).is_err());
        let plan = Options::try_parse_from(["x"]).unwrap().plan().unwrap();
        assert_eq!((plan.terms.minimum, plan.terms.bond), (1_000 * TAO, 2_000 * TAO));
        assert_eq!(plan.out, PathBuf::from(".demo/index.toml"));
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let named = Options::try_parse_from(["x", "--treasury", alice]).unwrap().plan().unwrap();
        assert_eq!(cicada_chain::address(&named.treasury), alice);
        let mut real = Options::try_parse_from(["x"]).unwrap();
        real.suri = "old orchard".into();
        assert!(real.plan().unwrap_err().to_string().contains("--treasury"));
    }
}
