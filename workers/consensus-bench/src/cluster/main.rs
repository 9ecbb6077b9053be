//! The nodes as processes: leaderboards from proposal to certificate over HTTP, with real keys
//! and a real database, and the time until a killed leader is replaced.

mod processes;

use anyhow::{Context, Result};
use cicada_consensus::Seat;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{report, Board, Proposal};
use cicada_core::report::{FeedState, ReportKind};
use cicada_network::FaultModelName;
use cicada_program::now_ms;
use clap::{Parser, ValueEnum};
use processes::Cluster;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Leaderboards that do not count: connections are made and the leader is found.
const WARM_UP: u32 = 10;

const EXAMPLES: &str = "\
Examples:
  cicada-cluster-bench --node target/release/paxos-node
  cicada-cluster-bench --node target/release/paxos-node --model byzantine --proposals 500 --kills 9";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Model {
    Crash,
    Byzantine,
}

/// Measures a committee of paxos-node processes on this machine.
///
/// Leaderboards are proposed one after the other at the leader, since each needs the one before;
/// the time is that of the whole answer with its certificate. Then the leader is killed (-9) and
/// a value is proposed elsewhere: the time to its certificate includes the election.
#[derive(Debug, Parser)]
#[command(name = "cicada-cluster-bench", version, after_help = EXAMPLES)]
struct Options {
    /// The built paxos-node.
    #[arg(long, default_value = "target/release/paxos-node")]
    node: PathBuf,
    /// Which faults the committee is meant to withstand.
    #[arg(long, value_enum, default_value = "crash")]
    model: Model,
    /// The results that the leaderboards are computed from.
    #[arg(long, default_value = "examples/results.jsonl")]
    results: PathBuf,
    /// Nodes, 4 to 32.
    #[arg(long, default_value_t = 23, value_parser = clap::value_parser!(u8).range(4..=32))]
    nodes: u8,
    /// The port of seat 0; the others follow.
    #[arg(long, default_value_t = 7500)]
    base_port: u16,
    /// Where the nodes keep their data while they run; a folder in memory shows what the disk
    /// costs.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    data: PathBuf,
    /// Leaderboards to certify; the first 10 do not count.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(11..))]
    proposals: u32,
    /// How often the leader is killed.
    #[arg(long, default_value_t = 5)]
    kills: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

struct Bench {
    cluster: Cluster,
    board: Board,
    state: FeedState,
    leader: Seat,
    nodes: u8,
}

impl Bench {
    fn next_proposal(&self) -> Result<Proposal> {
        let feed = self
            .cluster
            .network
            .feed(ReportKind::Leaderboard)
            .context("the network has no leaderboard")?;
        // Later than the one before.
        let time_ms = now_ms().max(self.state.time_ms.saturating_add(1));
        let report = report::<Native>(feed, &self.state, &self.board, time_ms);
        Ok(Proposal { report, board: self.board.clone() })
    }

    // From the proposal to the certificate.
    fn certify(&mut self, seat: Seat, begin: Instant) -> Result<Duration> {
        let proposal = self.next_proposal()?;
        self.cluster.propose(seat, &proposal)?;
        let took = begin.elapsed();
        self.state = FeedState::after(&proposal.report, proposal.report.digest::<Native>());
        Ok(took)
    }

    fn find_leader(&mut self, asked: Seat) -> Result<()> {
        self.leader = self.cluster.status(asked)?.promised_proposer;
        Ok(())
    }

    fn fail_over(&mut self) -> Result<Duration> {
        let victim = self.leader;
        let other = (victim + self.nodes / 2) % self.nodes;
        self.cluster.kill(victim)?;
        let took = self.certify(other, Instant::now())?;
        self.cluster.spawn(victim)?;
        self.cluster.wait(victim)?;
        self.find_leader(other)?;
        // The new leader leads undisturbed before it is its turn.
        self.certify(self.leader, Instant::now())?;
        Ok(took)
    }
}

// The duration that a share of the sorted ones does not exceed, in milliseconds.
fn quantile(sorted: &[Duration], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (last as f64 * share).round() as usize;
    sorted.get(at).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
}

fn run(options: &Options) -> Result<()> {
    let model = match options.model {
        Model::Crash => FaultModelName::Crash,
        Model::Byzantine => FaultModelName::Byzantine,
    };
    eprintln!("starting {} nodes", options.nodes);
    let results = cicada_results::read(&options.results, now_ms())?;
    let board = Board::of::<Native>(&results.tally, |_| 0);
    let (program, base) = (&options.node, options.base_port);
    let (results, data) = (&options.results, &options.data);
    let cluster = Cluster::start(program, results, options.nodes, model, base, data)?;
    let state = FeedState::EMPTY;
    let mut bench = Bench { cluster, board, state, leader: 0, nodes: options.nodes };
    bench.certify(0, Instant::now())?;
    bench.find_leader(0)?;
    let mut took = Vec::new();
    let mut ticks = 0;
    for number in 1..options.proposals {
        if number == WARM_UP {
            ticks = bench.cluster.cpu_ticks()?;
        }
        if number % 50 == 0 {
            eprintln!("{number} of {} certified", options.proposals);
        }
        took.push(bench.certify(bench.leader, Instant::now())?);
    }
    let ticks = bench.cluster.cpu_ticks()?.saturating_sub(ticks);
    let mut took = took.split_off(WARM_UP as usize - 1);
    let cpu = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
    let cpu_ms = cpu * 1e3 / took.len() as f64;
    let total: Duration = took.iter().sum();
    let slots = took.len() as f64 / total.as_secs_f64();
    let mut elections = Vec::new();
    for _ in 0..options.kills {
        eprintln!("killing the leader, seat {}", bench.leader);
        elections.push(bench.fail_over()?);
    }
    took.sort_unstable();
    elections.sort_unstable();
    let (half, most) = (quantile(&took, 0.5), quantile(&took, 0.99));
    let (usual, worst) = (quantile(&elections, 0.5), quantile(&elections, 1.0));
    if options.json {
        let model = format!("{:?}", options.model).to_lowercase();
        let figures = json!({
            "model": model, "nodes": options.nodes, "slots_per_second": slots,
            "cpu_ms_per_slot": cpu_ms, "certificate_p50_ms": half, "certificate_p99_ms": most,
            "new_leader_p50_ms": usual, "new_leader_max_ms": worst,
            "proposals": took.len(), "kills": options.kills,
        });
        println!("{figures}");
        return Ok(());
    }
    println!("| {} processes, {:?} | |\n|---|---|", options.nodes, options.model);
    println!("| slots certified per second, one after the other | {slots:.1} |");
    println!("| processor time of all nodes per slot | {cpu_ms:.1} ms |");
    println!("| proposal to certificate, median | {half:.1} ms |");
    println!("| proposal to certificate, 99 % of {} | {most:.1} ms |", took.len());
    if !elections.is_empty() {
        println!("| kill -9 of the leader to the next certificate, median | {usual:.0} ms |");
        println!("| the same, longest of {} | {worst:.0} ms |", elections.len());
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cicada-cluster-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
