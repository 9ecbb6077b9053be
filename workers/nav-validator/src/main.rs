//! The validator's program.

use anyhow::{Context, Result};
use cicada_program::{on_two_threads, say, status, tao20_logs};
use clap::{Args, Parser};
use nav_validator::bench;
use nav_validator::config::Config;
use nav_validator::epochs::Schedule;
use nav_validator::recording::{contiguous, generate, read, write, START_MS};
use nav_validator::replay::Replay;
use nav_validator::service;
use nav_validator::store::Store;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Follows the index, scores its miners, signs the NAV once a slot, and takes part in the
/// agreement of the 23 about NAV and rewards.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
enum Command {
    /// Follows the chain and works, until Ctrl-C or SIGTERM.
    Run(Settings),
    /// Checks the configuration, and what it needs on the chain.
    Check(Settings),
    /// Takes recorded events over, goes on after a kill, and prints the scores as JSON.
    Replay {
        /// Recorded events, one JSON object a line.
        file: PathBuf,
        /// The folder of the store.
        #[arg(long)]
        data: PathBuf,
        /// The length of an epoch in milliseconds; epochs begin on 1 February 2025.
        #[arg(long, default_value_t = bench::EPOCH_MS)]
        epoch_ms: u64,
        /// The pool of each epoch, in units of TAO.
        #[arg(long, default_value_t = 1_000_000_000_000)]
        pool: u128,
        /// How many blocks go into one transaction.
        #[arg(long, default_value_t = bench::CATCH_UP)]
        batch: usize,
        /// Says on standard error which block is on disk.
        #[arg(long)]
        progress: bool,
    },
    /// Writes generated events as `replay` reads them.
    Generate {
        /// The file.
        file: PathBuf,
        /// How many.
        #[arg(long, default_value_t = 100_000)]
        events: u64,
        /// Of how many miners.
        #[arg(long, default_value_t = 300)]
        miners: u64,
        /// The same seed gives the same events.
        #[arg(long, default_value_t = 71)]
        seed: u64,
    },
    /// Measures how many events a minute store and scores take, beside the scores alone.
    Bench {
        /// How many.
        #[arg(long, default_value_t = 100_000)]
        events: u64,
        /// Where the stores are made, and left; by default the system's place for temporary files.
        #[arg(long)]
        data: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct Settings {
    /// The configuration file.
    #[arg(long, env = "CICADA_NAV_VALIDATOR", default_value = "nav-validator.toml")]
    config: PathBuf,
    /// Where awards are written for the consensus node, instead of the file's.
    #[arg(long)]
    awards: Option<PathBuf>,
    /// Where HTTP is served, instead of the file's.
    #[arg(long)]
    listen: Option<std::net::SocketAddr>,
}

impl Settings {
    fn load(self) -> Result<Config> {
        let mut config = Config::load(&self.config)?;
        config.awards = self.awards.or(config.awards);
        config.listen = self.listen.unwrap_or(config.listen);
        Ok(config)
    }
}

const EXAMPLES: &str = "\
Examples:
  nav-validator check --config nav-validator.toml
  nav-validator run --config nav-validator.toml --awards /var/lib/paxos/awards
  nav-validator generate events.jsonl --events 100000
  nav-validator replay events.jsonl --data /tmp/replay
  nav-validator bench --events 100000

The log level comes from TAO20_LOG_LEVEL, or CICADA_LOG: error, warn, info (default), debug, trace.
The configuration is explained in docs/nav-validator.md.
Exit status: 0 done, 1 failed, 2 wrong usage.";

fn main() -> ExitCode {
    let command = Command::parse();
    tao20_logs();
    status("nav-validator", run(command))
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Run(settings) => on_two_threads(service::run(settings.load()?)),
        Command::Check(settings) => on_two_threads(service::check(settings.load()?)),
        Command::Replay { file, data, epoch_ms, pool, batch, progress } => {
            let schedule = Schedule::new(START_MS, epoch_ms);
            let schedule = schedule.context("an epoch has 1 ms to 31 days")?;
            replay(&file, &data, &Replay { schedule, pool, batch }, progress)
        }
        Command::Generate { file, events, miners, seed } => {
            let output = File::create(&file).with_context(|| file.display().to_string())?;
            write(&generate(seed, events, miners), BufWriter::new(output))?;
            Ok(())
        }
        Command::Bench { events, data } => {
            let temporary = tempfile::tempdir()?;
            let folder = data.unwrap_or_else(|| temporary.path().into());
            say!("{}", bench::table(&bench::measure(events, &folder)?).trim_end());
            Ok(())
        }
    }
}

fn replay(file: &Path, data: &Path, replay: &Replay, progress: bool) -> Result<()> {
    let input = File::open(file).with_context(|| file.display().to_string())?;
    let recorded = read(BufReader::new(input)).with_context(|| file.display().to_string())?;
    let store = Store::open(data, b"replay")?;
    replay.run(&store, contiguous(recorded), |block| {
        if progress {
            eprintln!("{block}");
        }
    })?;
    let mut output = std::io::stdout().lock();
    serde_json::to_writer(&mut output, &replay.results(&store)?)?;
    writeln!(output)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Command::command().debug_assert();
        assert!(Command::try_parse_from(["x", "run", "--awards", "a"]).is_ok());
        assert!(Command::try_parse_from(["x", "replay", "f"]).is_err(), "a store is needed");
    }
}
