//! The miner's program.

use anyhow::Result;
use cicada_amounts::plain_tao;
use cicada_miner::config::Config;
use cicada_miner::contracts::Contracts;
use cicada_miner::ledger::Ledger;
use cicada_miner::service;
use cicada_program::{on_two_threads, say, status, tao20_logs};
use clap::{Args, Parser};
use std::path::PathBuf;
use std::process::ExitCode;

/// Trades the index towards its NAV: mints and sells above it, buys and redeems below it.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
enum Command {
    /// Watches the market and trades, until Ctrl-C or SIGTERM.
    Run {
        #[command(flatten)]
        config: ConfigFile,
        /// Sends nothing; prints what it would do, one JSON object a look.
        #[arg(long)]
        dry_run: bool,
        /// Looks once, acts, prints the outcome as JSON, and ends. Serves no HTTP.
        #[arg(long)]
        once: bool,
    },
    /// Checks the configuration, and says what the account has.
    Check(ConfigFile),
    /// Forgets earlier losses, so that a miner that they stopped goes on. Not while it runs.
    Resume(ConfigFile),
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(long, env = "CICADA_MINER", default_value = "miner.toml")]
    config: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  miner check --config miner.toml
  miner run --config miner.toml --dry-run
  miner run --config miner.toml
  TAO20_LOG_LEVEL=debug miner run --once
  miner resume

A configuration is explained in docs/miner.md.
Exit status: 0 done, 1 refused or failed, 2 wrong usage.";

fn main() -> ExitCode {
    let command = Command::parse();
    tao20_logs();
    status("miner", on_two_threads(run(command)))
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Run { config, dry_run, once } => {
            let config = Config::load(&config.config)?;
            if once {
                service::once(&config, dry_run).await?;
            } else {
                service::run(&config, dry_run).await?;
            }
        }
        Command::Check(file) => check(&Config::load(&file.config)?).await?,
        Command::Resume(file) => {
            let config = Config::load(&file.config)?;
            let mut ledger = Ledger::load(&config.ledger)?;
            ledger.resume();
            ledger.save(&config.ledger)?;
            say!("{}: earlier losses are forgotten", config.ledger.display());
        }
    }
    Ok(())
}

async fn check(config: &Config) -> Result<()> {
    let contracts = Contracts::connect(config).await?;
    let ledger = Ledger::load_of(&config.ledger, &contracts.place)?;
    let seen = contracts.see().await?;
    let units = cicada_core::nav::INDEX_UNITS_PER_TAO_UNIT;
    say!("account {}", contracts.own.to_string());
    say!("TAO {}", plain_tao(seen.purse.tao));
    say!("index tokens {}", plain_tao(seen.purse.index / units));
    say!("can mint {}", plain_tao(seen.mintable_floor() / units));
    match seen.index.nav {
        Some(record) => {
            say!("NAV {} (slot {})", plain_tao(record.nav_e18 / units), record.slot)
        }
        None => say!("no NAV is settled yet"),
    }
    if ledger.stopped {
        say!("stopped for its losses: 'miner resume' lets it go on");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Command::command().debug_assert();
        assert!(Command::try_parse_from(["x", "run", "--dry-run", "--once"]).is_ok());
        assert!(Command::try_parse_from(["x", "resume", "--dry-run"]).is_err());
    }
}
