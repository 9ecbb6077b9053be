//! Deploys the exchange.

use anyhow::Result;
use cicada_amounts::MMC;
use cicada_chain::BUNDLES;
use cicada_core::exchange::{Limits, MakerTerms};
use cicada_core::quote::Framework;
use cicada_deploy::exchange::{deploy, Plan, Stock};
use cicada_deploy::receiver;
use cicada_program::{options, quiet_logs, status};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Puts the exchange of performance tokens on a chain, for the token and the leaderboard of a
/// network file, and writes it into that file: restart the nodes then, so that leaderboards have
/// its volumes. With --fill it also opens a market for every framework of the newest leaderboard,
/// fills up the market maker's reserves, and gives the trader money.
///
/// Safe to run again: an exchange that is there and answers is left as it is, and only what is
/// missing is filled up. One that does not answer as it should is not replaced unless --anew says so.
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
    /// Secret of the account that deploys and owns the exchange: the market maker, who also must be
    /// an admin of the token MMC to make money.
    #[arg(long, env = "CICADA_SURI", default_value = "//Alice", hide_env_values = true)]
    suri: String,
    /// Deploy a new exchange although the network file names one; the file is kept under another name.
    #[arg(long)]
    anew: bool,
    /// The age from which on a quote is too old to trade at, in hours: so long can anybody trade at a
    /// price of which he knows better.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=168))]
    max_quote_age_hours: u64,
    /// The most tokens of a framework that may exist [default: one for each 50 MMC of --reserve]. What
    /// an hour sells is a hundredth of the reserve up to a price of reserve / max-outstanding, and more
    /// above it: a market's reserve should be this number times the highest price that is thought
    /// possible, also where it is paid in later.
    #[arg(long)]
    max_outstanding: Option<u128>,
    /// The most that the tokens which the market maker sells within an hour may come to be worth, and
    /// the most that it pays within one: basis points of the reserve.
    #[arg(long, default_value_t = Limits::DEFAULT.hourly_bps,
        value_parser = clap::value_parser!(u16).range(10..=1_000))]
    hourly_bps: u16,
    /// The most of that for one account, in basis points.
    #[arg(long, default_value_t = Limits::DEFAULT.account_bps,
        value_parser = clap::value_parser!(u16).range(1_000..=10_000))]
    account_bps: u16,
    /// Open the markets of the newest leaderboard and fill them up.
    #[arg(long)]
    fill: bool,
    /// What each market's reserve is filled up to, in MMC.
    #[arg(long, default_value_t = 25_000_000)]
    reserve: u64,
    /// Who gets money to trade with: an address, or the secret of a development account [default:
    /// //Alice, if the owner is a development account, too].
    #[arg(long)]
    trader: Option<String>,
    /// What the trader's balance is filled up to, in MMC.
    #[arg(long, default_value_t = 1_000_000)]
    funds: u64,
    /// Tokens that the trader gets when their market is opened: FRAMEWORK=AMOUNT. May be repeated.
    #[arg(long = "hold", value_parser = holding)]
    holdings: Vec<(Framework, u128)>,
    /// Also write the contract's address for frontends to this JSON file.
    #[arg(long)]
    addresses: Option<PathBuf>,
    /// The network's name in that file.
    #[arg(long, default_value = "local")]
    name: String,
}

const EXAMPLES: &str = "\
Examples:
  deploy-paxos && deploy-exchange
  paxos-market && deploy-exchange --fill --hold openai=500
  deploy-exchange --network /tmp/n/network.toml --addresses /tmp/n/addresses.json";

fn holding(text: &str) -> Result<(Framework, u128), String> {
    let (name, amount) = text.split_once('=').ok_or("write FRAMEWORK=AMOUNT")?;
    let framework = Framework::new(name).map_err(|error| error.to_string())?;
    let amount = amount.parse().map_err(|_| format!("'{amount}' is no number of tokens"))?;
    Ok((framework, amount))
}

/// MMC of a reserve for each token that may exist by default.
const COVER: u128 = 50;

impl Options {
    fn plan(self) -> Result<Plan> {
        let mmc = |amount: u64| u128::from(amount).saturating_mul(MMC);
        let stock = match self.fill {
            true => Some(Stock {
                reserve: mmc(self.reserve),
                trader: receiver("--trader", self.trader.as_deref(), "//Alice", &self.suri)?,
                funds: mmc(self.funds),
                holdings: self.holdings,
            }),
            false => None,
        };
        let covered = u128::from(self.reserve) / COVER;
        Ok(Plan {
            url: self.url,
            bundles: self.bundles,
            network: self.network,
            suri: self.suri,
            anew: self.anew,
            terms: MakerTerms {
                max_quote_age_ms: self.max_quote_age_hours.saturating_mul(3_600_000),
                limits: Limits {
                    max_outstanding: self.max_outstanding.unwrap_or(covered),
                    hourly_bps: self.hourly_bps,
                    account_bps: self.account_bps,
                },
            },
            stock,
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
        let read = |more: &[&str]| Options::try_parse_from(["x"].iter().chain(more));
        let plan = |more: &[&str]| read(more).map(|options| options.plan().unwrap());
        let bare = plan(&[]).unwrap();
        assert_eq!((bare.terms.max_quote_age_ms, bare.stock.is_none()), (3_600_000, true));
        assert_eq!(bare.terms.limits, Limits::DEFAULT);
        let stock = plan(&["--fill", "--hold", "openai=500"]).unwrap().stock.unwrap();
        assert_eq!((stock.reserve, stock.funds), (25_000_000_000_000, 1_000_000_000_000));
        assert_eq!(stock.holdings, [(Framework::new("openai").unwrap(), 500)]);
        assert_eq!(stock.trader, cicada_deploy::account("//Alice").unwrap());
        let mut real = read(&["--fill"]).unwrap();
        real.suri = "old orchard".into();
        assert!(real.plan().unwrap_err().to_string().contains("--trader"));
        for bad in [["--hold", "openai"], ["--hold", "Open AI=5"], ["--hold", "openai=-5"]] {
            assert!(plan(&bad).is_err(), "{bad:?}");
        }
        assert!(plan(&["--max-quote-age-hours", "169"]).is_err());
        for bad in [["--hourly-bps", "9"], ["--hourly-bps", "1001"], ["--account-bps", "999"]] {
            assert!(plan(&bad).is_err(), "{bad:?}");
        }
        assert_eq!(bare.terms.check(), Ok(()));
    }

    #[test]
    fn with_a_smaller_reserve_fewer_tokens_may_exist() {
        let of = |more: &[&str]| {
            let options = Options::try_parse_from(["x", "--fill"].iter().chain(more)).unwrap();
            let plan = options.plan().unwrap();
            (plan.stock.unwrap().reserve, plan.terms.limits)
        };
        let (reserve, small) = of(&["--reserve", "250000"]);
        assert_eq!(small.max_outstanding, 5_000);
        // What an hour sells comes to 1 % of the reserve at 49.5 MMC, the bid at 50,000 points.
        let an_hour = small.max_outstanding * u128::from(small.hourly_bps) / 10_000;
        assert!(an_hour * 49_500_000 <= reserve / 100, "{an_hour} tokens");
        let chosen = of(&["--reserve", "250000", "--max-outstanding", "7"]).1;
        assert_eq!(chosen.max_outstanding, 7);
    }
}
