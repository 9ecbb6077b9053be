//! Puts the contracts on a chain, one subcommand for each part of a deployment.

use anyhow::Result;
use cicada_deploy::{addresses, committee, exchange, index, market, SiteArgs};
use cicada_program::{options, quiet_logs, status};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  deploy committee && deploy exchange
  deploy committee && deploy index
  deploy market --network /tmp/m/network.toml --url ws://127.0.0.1:9955

Exit status: 0 if all of it is deployed, now or before; 1 if not.";

/// Puts the contracts on a chain and writes into the network file where they are. Every program reads
/// that file.
///
/// Safe to run again: what is there and answers is left as it is, and a run that broke off is continued.
/// What does not answer as it should is not replaced unless --replace says so.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Options {
    #[command(flatten)]
    site: SiteArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Committee(committee::CommitteeArgs),
    Exchange(exchange::ExchangeArgs),
    Index(index::IndexArgs),
    Market(market::MarketArgs),
    Addresses(addresses::AddressesArgs),
}

async fn run(options: Options) -> Result<()> {
    let site = &options.site;
    match options.command {
        Command::Committee(args) => committee::run(site, &args).await,
        Command::Exchange(args) => exchange::run(site, &args).await,
        Command::Index(args) => index::run(site, &args).await,
        Command::Market(args) => market::run(site, &args).await,
        Command::Addresses(args) => {
            addresses::run(&site.network, site.url.as_deref(), &site.name, &args).await
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    quiet_logs();
    status("error", run(options::<Options>()).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        let read = |line: &str| Options::try_parse_from(line.split(' '));
        assert!(read("deploy").is_err(), "which part?");
        let site = read("deploy market --network n.toml --replace").unwrap().site;
        assert_eq!((site.network.to_str(), site.replace), (Some("n.toml"), true));
        for bad in [
            "committee --nodes 33",
            "committee --fault-model none",
            "market --priority-ms 60001",
            "market --slack-ms 0",
            "index --pair-fee-bps 101",
            "index --epoch-seconds 0",
        ] {
            assert!(read(&format!("deploy {bad}")).is_err(), "{bad}");
        }
    }
}
