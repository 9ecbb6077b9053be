//! Our consensus core beside its peers: 23 nodes in one process and one thread, messages in
//! memory, no disk. Prints tables, all of one run.

mod keys;
mod malachite;
mod measure;
mod omni;
mod ours;
mod table;
mod work;

use anyhow::Result;
use cicada_core::quorum::FaultModel;
use clap::Parser;
use keys::Scheme;
use malachite::OwnCertificates;
use measure::{Row, Sample};
use omni::{Flush, Reading};
use std::process::ExitCode;
use table::Table;
use work::Work;

const EXAMPLES: &str = "\
Examples:
  cicada-consensus-bench
  cicada-consensus-bench --rounds 9 --values 5000 --heights 500
  cicada-consensus-bench --json > consensus.json";

/// Measures our consensus core beside omnipaxos (crash mode) and malachite (Byzantine form).
///
/// One thread drives all nodes of a cluster in a loop until every value is decided at every
/// node. The runs of a table are interleaved; each figure is the median of the rounds. Messages,
/// signatures and processor time are those of all nodes, per decision; the speeds are compared
/// by processor time.
#[derive(Debug, Parser)]
#[command(name = "cicada-consensus-bench", version, after_help = EXAMPLES)]
struct Options {
    /// Nodes of each cluster, 4 to 32.
    #[arg(long, default_value_t = 23, value_parser = clap::value_parser!(u8).range(4..=32))]
    nodes: u8,
    /// Rounds, whose medians are printed.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Values per run in crash mode; a quarter of that for the longer ones.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(64..))]
    values: u64,
    /// Values, that is heights, per run in the Byzantine form; ten times as many without
    /// signatures.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    heights: u64,
    /// Only the tables whose title contains this, such as "Crash" or "256 bytes".
    #[arg(long, default_value = "")]
    only: String,
    /// Only the rows whose name contains this, such as "ours".
    #[arg(long, default_value = "")]
    row: String,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
}

/// How many values are undecided at once where they are pipelined.
const PIPELINED: u64 = 64;

type Run<'a> = (&'a str, Box<dyn Fn() -> Result<Sample> + 'a>);

// Every run once per round, in turn, so that what else the machine does hits all alike.
fn interleave(title: String, options: &Options, mut runs: Vec<Run>) -> Result<Table> {
    runs.retain(|(name, _)| title.contains(&options.only) && name.contains(&options.row));
    let rounds = options.rounds;
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); runs.len()];
    for round in 1..=rounds {
        for ((name, run), samples) in runs.iter().zip(&mut samples) {
            eprintln!("{title}, round {round} of {rounds}: {name}");
            samples.push(run()?);
        }
    }
    let rows = runs.iter().zip(&samples).map(|((name, _), samples)| Row::of(name, samples));
    Ok(Table { title, rows: rows.collect::<Result<_>>()? })
}

fn crash(options: &Options, values: u64, value_len: usize, outstanding: u64) -> Result<Table> {
    let n = options.nodes;
    let work = Work { values, value_len, outstanding };
    let how = match outstanding {
        1 => "one after the other".to_owned(),
        many => format!("{many} outstanding"),
    };
    let ours = || ours::run(n, FaultModel::Crash, Scheme::Mock, &work);
    let mut runs: Vec<Run> = vec![
        ("ours", Box::new(ours)),
        ("omnipaxos 0.2.4", Box::new(|| omni::run(n, Flush::Each, Reading::None, &work))),
        (
            "omnipaxos 0.2.4, values hashed",
            Box::new(|| omni::run(n, Flush::Each, Reading::Digest, &work)),
        ),
    ];
    if outstanding > 1 {
        let batching = || omni::run(n, Flush::Inbox, Reading::Digest, &work);
        runs.push(("omnipaxos 0.2.4, batching, values hashed", Box::new(batching)));
        // Our form of batching: the values of a window as one.
        let packed = Work {
            values: values / outstanding,
            value_len: value_len * usize::try_from(outstanding)?,
            outstanding: 1,
        };
        let ours = move || {
            let mut sample = ours::run(n, FaultModel::Crash, Scheme::Mock, &packed)?;
            sample.decisions = packed.values * outstanding;
            Ok(sample)
        };
        runs.push(("ours, 64 in one value", Box::new(ours)));
    }
    interleave(format!("Crash mode, {value_len} bytes, {how}"), options, runs)
}

fn byzantine(options: &Options, scheme: Scheme, value_len: usize) -> Result<Table> {
    let n = options.nodes;
    let (values, signed) = match scheme {
        Scheme::Real => (options.heights, "ed25519"),
        Scheme::Mock => (options.heights.saturating_mul(10), "mock signatures"),
    };
    let work = Work { values, value_len, outstanding: 1 };
    let peer = |policy| move || malachite::run(n, scheme, policy, &work);
    let runs: Vec<Run> = vec![
        ("ours", Box::new(|| ours::run(n, FaultModel::Byzantine, scheme, &work))),
        ("malachite 0.8.2", Box::new(peer(OwnCertificates::Verified))),
        ("malachite 0.8.2, own certificates trusted", Box::new(peer(OwnCertificates::Trusted))),
    ];
    interleave(format!("Byzantine form, {value_len} bytes, {signed}"), options, runs)
}

fn run(options: &Options) -> Result<()> {
    let mut tables = Vec::new();
    for (value_len, values) in [(256, options.values), (8_192, options.values / 4)] {
        for outstanding in [1, PIPELINED] {
            tables.push(crash(options, values, value_len, outstanding)?);
        }
    }
    for scheme in [Scheme::Real, Scheme::Mock] {
        for value_len in [256, 8_192] {
            tables.push(byzantine(options, scheme, value_len)?);
        }
    }
    tables.retain(|table| !table.rows.is_empty());
    if options.json {
        println!("{}", serde_json::to_string_pretty(&tables)?);
    } else {
        tables.iter().for_each(|table| print!("{table}"));
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cicada-consensus-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Work = Work { values: 200, value_len: 100, outstanding: 8 };

    #[test]
    fn every_cluster_decides_everything_everywhere() {
        for model in [FaultModel::Crash, FaultModel::Byzantine] {
            ours::run(7, model, Scheme::Mock, &WORK).unwrap();
        }
        for flush in [Flush::Each, Flush::Inbox] {
            for reading in [Reading::None, Reading::Digest] {
                omni::run(7, flush, reading, &WORK).unwrap();
            }
        }
        for policy in [OwnCertificates::Verified, OwnCertificates::Trusted] {
            malachite::run(7, Scheme::Mock, policy, &WORK).unwrap();
        }
    }

    #[test]
    fn signatures_are_counted_and_checked() {
        let work = Work { values: 2, outstanding: 1, ..WORK };
        let sample = ours::run(4, FaultModel::Byzantine, Scheme::Real, &work).unwrap();
        // Per decision: a proposal, and two votes of each node.
        assert_eq!(sample.signs, 2 * (1 + 2 * 4));
        let peer = malachite::run(4, Scheme::Real, OwnCertificates::Trusted, &work).unwrap();
        assert_eq!(peer.signs, 2 * (1 + 2 * 4));
    }
}
