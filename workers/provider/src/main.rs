//! The provider's program.

use anyhow::{bail, Context, Result};
use cicada_contracts::auction;
use cicada_payload::ProviderKey;
use cicada_program::{logs, on_two_threads, say, status};
use cicada_provider::accept::{self, Taken};
use cicada_provider::config::Config;
use cicada_provider::restrict::{self, RUN_RESTRICTED};
use cicada_provider::service;
use cicada_provider::status::Metrics;
use cicada_provider::worker::Worker;
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Offers compute on the market, accepts requests, runs them as local commands in restricted
/// processes, and delivers the results.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
enum Command {
    /// Makes the key file to which requesters seal payload keys; never overwrites one.
    Keys {
        /// The file.
        #[arg(long, default_value = "provider-key.toml")]
        out: PathBuf,
    },
    /// Follows the market and works, until Ctrl-C or SIGTERM.
    Run(ConfigFile),
    /// Accepts a request by hand; a running provider then does the work.
    Accept {
        #[command(flatten)]
        config: ConfigFile,
        /// The number of the request.
        request: u64,
        /// How many units; by default what the configuration allows.
        #[arg(long)]
        units: Option<u64>,
    },
    /// Gives an assignment back that has not been started.
    Decline {
        #[command(flatten)]
        config: ConfigFile,
        /// The number of the assignment.
        assignment: u64,
    },
    /// Checks the configuration, and says how jobs are kept apart here.
    Check(ConfigFile),
}

#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(long, env = "CICADA_PROVIDER", default_value = "provider.toml")]
    config: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  cicada71-provider keys --out provider-key.toml
  cicada71-provider check --config provider.toml
  cicada71-provider run --config provider.toml
  cicada71-provider accept --config provider.toml 7 --units 50
  cicada71-provider decline --config provider.toml 3

A configuration is explained in docs/compute-market.md.
Exit status: 0 done, 1 refused or failed, 2 wrong usage.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // A job's process, before anything has started a thread.
    if args.first().is_some_and(|word| word == RUN_RESTRICTED) {
        return restrict::run(&args[1..]);
    }
    let command = Command::parse();
    logs();
    status("cicada71-provider", on_two_threads(run(command)))
}

/// What a provider of these settings works with.
async fn connect(file: &ConfigFile) -> Result<Worker> {
    service::connect(&Config::load(&file.config)?, Arc::new(Metrics::new())).await
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Keys { out } => {
            let key = ProviderKey::create(&out)?;
            say!("{}: payload key 0x{}", out.display(), hex::encode(key.public()));
        }
        Command::Run(file) => service::run(&Config::load(&file.config)?).await?,
        Command::Accept { config, request, units } => by_hand(&config, request, units).await?,
        Command::Decline { config, assignment } => {
            let worker = connect(&config).await?;
            worker.market().act(&auction::decline(assignment), &worker.signer).await?;
            say!("declined assignment {assignment}");
        }
        Command::Check(file) => {
            let worker = connect(&file).await?;
            let isolation = worker.isolation.in_words();
            say!("account {}", worker.own);
            say!("payload key 0x{}", hex::encode(worker.key.public()));
            say!("{} task types; jobs have {isolation}", worker.config.tasks.len());
            if worker.isolation.sandbox.is_none() {
                say!(
                    "private requests are left alone: {}",
                    cicada_provider::policy::Leave::NotApart
                );
            }
        }
    }
    Ok(())
}

async fn by_hand(file: &ConfigFile, request: u64, units: Option<u64>) -> Result<()> {
    let worker = connect(file).await?;
    let task = worker.market().request(request).await?.terms.task_type;
    let offer = accept::own_offer(&worker, &task).await?;
    let offer = offer.with_context(|| {
        format!("there is no open offer for {}: start the provider first", task.as_str())
    })?;
    match accept::take(&worker, request, offer, units).await? {
        Taken::Assigned(assignment) => say!("assignment {assignment} of request {request}"),
        Taken::Waiting => say!("waiting in line for request {request}"),
        Taken::Left(why) => bail!("request {request} is left alone: {why}"),
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
        assert!(Command::try_parse_from(["x", "accept", "7", "--units", "5"]).is_ok());
        assert!(Command::try_parse_from(["x", "accept"]).is_err());
    }
}
