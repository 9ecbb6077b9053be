//! The indexer's program.

use anyhow::{Context, Result};
use cicada_indexer::block::{read, write};
use cicada_indexer::config::Config;
use cicada_indexer::simulation::{identity, Simulation};
use cicada_indexer::store::{dump::dump, reader, Store, Taken};
use cicada_indexer::{bench, service};
use cicada_program::{logs, on_two_threads, say, status};
use clap::{Args, Parser};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Follows the exchange in final blocks, and serves history, candles, holdings, portfolios and audit
/// trails over HTTP.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
enum Command {
    /// Follows the chain and answers, until Ctrl-C or SIGTERM.
    Run(Settings),
    /// Checks the configuration, and what it needs on the chain.
    Check(Settings),
    /// Prints each table's rows and digest as JSON: equal stores have equal ones.
    Dump {
        /// The folder of the store.
        data: PathBuf,
    },
    /// Prints the description of the HTTP routes, OpenAPI in JSON.
    Openapi,
    /// Takes recorded blocks over, goes on after a kill, and prints what `dump` prints.
    Replay {
        /// Recorded blocks, one JSON object a line.
        file: PathBuf,
        /// The folder of the store.
        #[arg(long)]
        data: PathBuf,
        /// Says on standard error which block is in the store.
        #[arg(long)]
        progress: bool,
    },
    /// Writes blocks of a simulated exchange as `replay` reads them.
    Generate {
        /// The file.
        file: PathBuf,
        /// With how many trades, or a few more.
        #[arg(long, default_value_t = 1_000)]
        trades: u64,
        /// The same seed gives the same blocks.
        #[arg(long, default_value_t = 71)]
        seed: u64,
    },
    /// Measures how many events a minute the store takes.
    Bench {
        /// With how many trades.
        #[arg(long, default_value_t = 10_000)]
        trades: u64,
        /// Where the store is made, and left; by default the system's place for temporary files.
        #[arg(long)]
        data: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct Settings {
    /// The configuration file.
    #[arg(long, env = "CICADA_INDEXER", default_value = "indexer.toml")]
    config: PathBuf,
    /// The network file, instead of the one that the file names.
    #[arg(long, env = "CICADA_NETWORK")]
    network: Option<PathBuf>,
    /// Address of a node, instead of the file's.
    #[arg(long)]
    url: Option<String>,
    /// The first block, if the store is empty, instead of the file's.
    #[arg(long)]
    from_block: Option<u64>,
    /// The folder of the store, instead of the file's.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where HTTP is served, instead of the file's.
    #[arg(long)]
    listen: Option<std::net::SocketAddr>,
}

impl Settings {
    fn load(self) -> Result<Config> {
        let mut config = Config::load(&self.config)?;
        config.network = self.network.unwrap_or(config.network);
        config.url = self.url.or(config.url);
        config.from_block = self.from_block.or(config.from_block);
        config.data = self.data.unwrap_or(config.data);
        config.listen = self.listen.unwrap_or(config.listen);
        Ok(config)
    }
}

const EXAMPLES: &str = "\
Examples:
  cicada71-indexer check --config indexer.toml
  cicada71-indexer run --config indexer.toml --listen 127.0.0.1:7171
  curl -s '127.0.0.1:7171/trades?framework=claude&limit=10'
  cicada71-indexer openapi > openapi.json
  cicada71-indexer generate blocks.jsonl --trades 1000
  cicada71-indexer replay blocks.jsonl --data /tmp/replay
  cicada71-indexer bench --trades 10000

CICADA_LOG is the level of logs, or one for each module: error, warn, info (default), debug, trace.
The configuration is explained in docs/indexer.md.
Exit status: 0 done, 1 failed, 2 wrong usage.";

fn main() -> ExitCode {
    let command = Command::parse();
    logs();
    status("cicada71-indexer", run(command))
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Run(settings) => on_two_threads(service::run(settings.load()?)),
        Command::Check(settings) => on_two_threads(service::check(settings.load()?)),
        Command::Dump { data } => print_dump(&data),
        Command::Openapi => {
            let (_, description) = cicada_indexer::http::routes().split_for_parts();
            say!("{}", description.to_pretty_json()?);
            Ok(())
        }
        Command::Replay { file, data, progress } => replay(&file, &data, progress),
        Command::Generate { file, trades, seed } => {
            let output = File::create(&file).with_context(|| file.display().to_string())?;
            write(&Simulation::new(seed).blocks(trades), BufWriter::new(output))?;
            Ok(())
        }
        Command::Bench { trades, data } => {
            let temporary = tempfile::tempdir()?;
            let folder = data.unwrap_or_else(|| temporary.path().into());
            say!("{}", bench::table(&bench::measure(trades, &folder)?).trim_end());
            Ok(())
        }
    }
}

fn replay(file: &Path, data: &Path, progress: bool) -> Result<()> {
    let input = File::open(file).with_context(|| file.display().to_string())?;
    let blocks = read(BufReader::new(input)).with_context(|| file.display().to_string())?;
    let mut store = Store::open(data, &identity())?;
    for block in &blocks {
        if store.take(block)? == Taken::Now && progress {
            eprintln!("{}", block.number);
        }
    }
    print_dump(data)
}

fn print_dump(data: &Path) -> Result<()> {
    say!("{}", serde_json::to_string(&dump(&reader(data)?)?)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Command::command().debug_assert();
        assert!(Command::try_parse_from(["x", "run", "--from-block", "7"]).is_ok());
        assert!(Command::try_parse_from(["x", "replay", "f"]).is_err(), "a store is needed");
    }
}
