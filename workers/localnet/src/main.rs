//! Starts and looks after a whole network on this machine.

use anyhow::Result;
use cicada_localnet::{Lie, Localnet, Options, Part};
use cicada_program::{status, termination};
use clap::{Parser, Subcommand};
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  localnet up
  localnet up chain --tmp --url ws://127.0.0.1:9955
  localnet --config localnet.toml up --foreground
  localnet kill 5 && localnet restart 5
  localnet logs node-05 --follow

Exit status: 0 if it is done; 1 if not; 2 for a wrong command line; 3 of status if something does not
answer. docs/localnet.md explains every setting.";

/// How much of a log is shown, in bytes.
const SHOWN: u64 = 10_000;
/// How often a log that is followed, and what runs in the foreground, is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// The exit status of `status` if something does not answer.
const SILENT: u8 = 3;

/// Starts and looks after a whole network on this machine: chain, contracts, committee, validators of
/// the index, miners, indexer.
#[derive(Debug, Parser)]
#[command(name = "localnet", version, after_help = EXAMPLES)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts what is missing, and waits until it answers. Safe to run again
    Up {
        /// What (default: the key parts of --config, or chain, committee, exchange)
        #[arg(value_enum)]
        parts: Vec<Part>,
        /// Stay, say if a process ends, and take everything down on Ctrl-C or SIGTERM
        #[arg(long)]
        foreground: bool,
    },
    /// Stops what up started. A chain that was started alone goes only if it is named
    Down {
        /// What (default: everything)
        #[arg(value_enum)]
        parts: Vec<Part>,
    },
    /// What runs
    Status {
        /// What (default: as of up)
        #[arg(value_enum)]
        parts: Vec<Part>,
    },
    /// The end of the log of chain, indexer, node-05, validator-05 or miner-1
    Logs {
        /// Whose
        #[arg(default_value = "chain")]
        name: String,
        /// And what follows
        #[arg(long, short)]
        follow: bool,
    },
    /// Kills a node of the committee at once, as a crash would (kill -9)
    Kill {
        /// Its seat, from 0
        seat: u8,
    },
    /// Stops a node if it runs, and starts it again: an honest one
    Restart {
        /// Its seat, from 0
        seat: u8,
    },
    /// Replaces a node by one that lies
    Lie {
        /// Its seat, from 0
        seat: u8,
        /// How: see paxos-liar --help
        #[arg(value_enum)]
        lie: Lie,
    },
    /// Replaces as many nodes as may lie, 7 of 23: the leader and the next equivocate, others forge,
    /// replay, and keep silent
    Liars,
    /// Opens the exchange's markets of the newest leaderboard and fills them up, with money for //Alice
    Fill,
}

/// Notes Ctrl-C and SIGTERM.
fn note_the_end(ending: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        if let Ok(runtime) = runtime.enable_all().build() {
            let _ = runtime.block_on(termination());
        }
        ending.store(true, Ordering::Relaxed);
    });
}

/// Stays until somebody ends it, or a process of its own ends; nothing stays then.
fn foreground(net: &Localnet, parts: &[Part]) -> Result<()> {
    let ending = net.broken_off();
    note_the_end(ending.clone());
    let mut ended = net.up(parts);
    if ended.is_ok() {
        cicada_program::complain!("==> everything is up; Ctrl-C ends it");
    }
    while ended.is_ok() && !ending.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
        ended = net.check();
    }
    let down = net.down(&[]);
    match ending.load(Ordering::Relaxed) {
        true => down,
        false => ended.and(down),
    }
}

fn show_log(net: &Localnet, name: &str, follow: bool) -> Result<()> {
    let mut file = std::fs::File::open(net.log(name)?)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(SHOWN)))?;
    let mut text = Vec::new();
    loop {
        text.clear();
        file.read_to_end(&mut text)?;
        std::io::stdout().write_all(&text)?;
        std::io::stdout().flush()?;
        if !follow {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
}

fn run(line: CommandLine) -> Result<ExitCode> {
    let config = line.options.settle()?;
    let net = Localnet::new(config);
    let or_default = |parts: Vec<Part>| match parts.is_empty() {
        true => net.config.parts.clone(),
        false => parts,
    };
    match line.command {
        Command::Up { parts, foreground: true } => foreground(&net, &or_default(parts))?,
        Command::Up { parts, foreground: false } => net.up(&or_default(parts))?,
        Command::Down { parts } => net.down(&parts)?,
        Command::Status { parts } => {
            let (text, well) = net.status(&or_default(parts));
            print!("{text}");
            return Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(SILENT) });
        }
        Command::Logs { name, follow } => show_log(&net, &name, follow)?,
        Command::Kill { seat } => net.kill(seat)?,
        Command::Restart { seat } => net.restart(seat)?,
        Command::Lie { seat, lie } => net.lie(seat, lie)?,
        Command::Liars => net.liars()?,
        Command::Fill => net.fill()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn main() -> ExitCode {
    match run(CommandLine::parse()) {
        Ok(code) => code,
        Err(error) => status("error", Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
        for bad in [["up", "everything"], ["kill", "five"], ["lie", "3"]] {
            assert!(CommandLine::try_parse_from([&["localnet"][..], &bad].concat()).is_err());
        }
    }
}
