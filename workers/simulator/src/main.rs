//! Simulates committees, seed after seed.

use cicada_core::quorum::FaultModel;
use cicada_simulator::mutants::BUGS;
use cicada_simulator::plan::Setup;
use cicada_simulator::run::{run, Summary};
use clap::{Parser, ValueEnum};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    Crash,
    Byzantine,
}

/// Runs a committee in one thread from one seed: real nodes, a bad network, liars.
///
/// The same seed gives the same run; the trace hash tells.
#[derive(Clone, Debug, Parser)]
#[command(
    version,
    after_help = "Examples:
  simulate --seed 7 --nodes 23 --liars 7
  simulate --seed 0 --seeds 1000 --nodes 23 --liars 7
  simulate --mode crash --nodes 5 --seeds 2000"
)]
struct Options {
    /// The first seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many seeds, one after the other
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// How many nodes, 1 to 32
    #[arg(long, default_value_t = 23, value_parser = clap::value_parser!(u8).range(1..=32))]
    nodes: u8,
    /// How many of them lie
    #[arg(long, default_value_t = 0)]
    liars: u8,
    /// The fault model of the consensus
    #[arg(long, value_enum, default_value = "byzantine")]
    mode: Mode,
    /// How many committees, one after the other; without it the committee changes in every
    /// eighth seed of the Byzantine form
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=2))]
    epochs: Option<u8>,
    /// Threads
    #[arg(long, default_value_t = 2)]
    threads: u8,
    /// Instead: seed every known bug and count the seeds until it is noticed, at most --seeds
    #[arg(long)]
    mutants: bool,
    /// Say nothing of single seeds
    #[arg(long)]
    quiet: bool,
}

impl Options {
    fn setup(&self, seed: u64) -> Setup {
        let model = match self.mode {
            Mode::Crash => FaultModel::Crash,
            Mode::Byzantine => FaultModel::Byzantine,
        };
        let (nodes, liars) = (self.nodes, self.liars.min(self.nodes));
        let setup = match model {
            FaultModel::Crash => Setup { liars, ..Setup::crash(seed, nodes) },
            FaultModel::Byzantine => Setup::byzantine(seed, nodes, liars),
        };
        let changes = model == FaultModel::Byzantine;
        let epochs = self.epochs.filter(|_| changes).unwrap_or(setup.epochs);
        Setup { epochs, ..setup }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.mutants {
        return hunt(&options);
    }
    let next = AtomicU64::new(0);
    let total = Mutex::new((Summary::default(), Vec::new()));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| work(&options, &next, &total));
        }
    });
    let (sum, failures) = total.into_inner().unwrap_or_else(|broken| broken.into_inner());
    let seconds = begin.elapsed().as_secs_f64();
    for failure in &failures {
        println!("{failure}");
    }
    println!(
        "{} seeds, {} nodes, {} liars: {} violations; {} decided, {} certified, {} refused, \
         {} events; {:.1} s, {:.0} seeds/h, {:.0}x real time",
        options.seeds,
        options.nodes,
        options.liars,
        failures.len(),
        sum.decided,
        sum.certified,
        sum.refused,
        sum.steps,
        seconds,
        options.seeds as f64 * 3_600.0 / seconds,
        sum.time_ms as f64 / 1_000.0 / seconds,
    );
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

// The table of bugs; fails if one survives.
fn hunt(options: &Options) -> ExitCode {
    let next = AtomicU64::new(0);
    let table = Mutex::new(vec![None; BUGS.len()]);
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| loop {
                let index = next.fetch_add(1, Ordering::Relaxed) as usize;
                let Some(bug) = BUGS.get(index) else {
                    return;
                };
                let found = bug.hunt(options.seeds);
                table.lock().unwrap_or_else(|broken| broken.into_inner())[index] = found;
            });
        }
    });
    let table = table.into_inner().unwrap_or_else(|broken| broken.into_inner());
    let mut survivors = 0;
    println!("| bug | seeds | rule broken |\n|---|---|---|");
    for (bug, found) in BUGS.iter().zip(table) {
        match found {
            Some((seeds, rule)) => println!("| {bug:?} | {seeds} | {rule} |"),
            None => {
                survivors += 1;
                println!("| {bug:?} | survives {} | |", options.seeds);
            }
        }
    }
    println!("\n{} bugs, {survivors} survive", BUGS.len());
    if survivors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn work(options: &Options, next: &AtomicU64, total: &Mutex<(Summary, Vec<String>)>) {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= options.seeds {
            return;
        }
        let seed = options.seed.wrapping_add(index);
        let result = run(options.setup(seed));
        let mut total = total.lock().unwrap_or_else(|broken| broken.into_inner());
        match result {
            Ok(one) => {
                if !options.quiet {
                    println!(
                        "seed {seed}: trace {:016x}, {} decided, {} certified, {} views, {} events",
                        one.trace, one.decided, one.certified, one.views, one.steps
                    );
                }
                total.0.add(&one);
            }
            Err(failure) => {
                println!("seed {seed}: VIOLATION: {}", failure.rule);
                if !failure.culprits.is_empty() {
                    let (named, liars) = (failure.culprits.len(), failure.liars.len());
                    println!("  audit convicts {named} of {liars} liars: {:?}", failure.culprits);
                }
                total.1.push(failure.to_string());
            }
        }
    }
}
