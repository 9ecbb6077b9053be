//! Measures the contracts on a node, beside what others publish, in one run.

mod settlement;
mod table;
mod token;

use anyhow::{Context, Result};
use cicada_chain::{signer, Bundle, Chain, Signer, BUNDLES};
use cicada_program::{options, quiet_logs, status};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use table::Table;

/// Measures size and weight of our contracts beside a peer's, on a node, and prints tables.
///
/// Gas is what the contract consumed by the node's dry run; the dispatch weight is what the block
/// was charged for the transaction that followed. Both are `ref_time`, in picoseconds.
#[derive(Debug, Parser)]
#[command(name = "bench", version, after_help = EXAMPLES)]
struct Options {
    /// Address of a node of the chain; every run makes new contracts there.
    #[arg(long, env = "CICADA_URL", default_value = "ws://127.0.0.1:9944")]
    url: String,
    /// Folder of the built contracts.
    #[arg(long, env = "CICADA_BUNDLES", default_value = BUNDLES)]
    bundles: PathBuf,
    /// Bundle of the peer's token, psp22 2.0.0.
    #[arg(long)]
    peer: PathBuf,
    /// Bundle of the contract that counts separate votes.
    #[arg(long)]
    votes: PathBuf,
    /// Secret of the account that deploys and pays.
    #[arg(long, env = "CICADA_SURI", default_value = "//Alice", hide_env_values = true)]
    suri: String,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  scripts/bench
  bench --url ws://127.0.0.1:9955 --peer /tmp/psp22.contract --votes /tmp/votes.contract --json";

/// What every measurement needs.
struct Bench {
    chain: Chain,
    payer: Signer,
    bundles: PathBuf,
    /// Makes the contracts of this run different from those of earlier ones.
    salt: [u8; 16],
}

impl Bench {
    /// One of our contracts.
    fn bundle(&self, name: &str) -> Result<Bundle> {
        load(&self.bundles.join(format!("{name}.contract")))
    }
}

fn load(path: &Path) -> Result<Bundle> {
    Bundle::load(path).context("run scripts/bench, which builds the contracts first")
}

/// A contract of others: what can be called there, only its bundle says, which is kept to the end.
fn peer(path: &Path) -> Result<&'static Bundle> {
    Ok(Box::leak(Box::new(load(path)?)))
}

async fn run(options: &Options) -> Result<()> {
    let bench = Bench {
        chain: Chain::connect(&options.url).await?,
        payer: signer(&options.suri)?,
        bundles: options.bundles.clone(),
        salt: std::time::UNIX_EPOCH
            .elapsed()
            .context("the clock is before 1970")?
            .as_nanos()
            .to_le_bytes(),
    };
    let node = bench.chain.name().await?;
    let (token, votes) = (peer(&options.peer)?, peer(&options.votes)?);
    let tables =
        vec![token::measure(&bench, token).await?, settlement::measure(&bench, votes).await?];
    if options.json {
        println!("{}", serde_json::to_string_pretty(&tables)?);
    } else {
        println!("measured on {node}, ref_time in picoseconds\n");
        tables.iter().for_each(|table: &Table| println!("{table}"));
    }
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    quiet_logs();
    status("error", run(&options::<Options>()).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        assert!(Options::try_parse_from(["bench"]).is_err(), "no peer");
    }
}
