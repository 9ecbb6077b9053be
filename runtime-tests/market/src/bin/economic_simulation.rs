//! An economy on the real contracts, beside the same people without the mechanism.

use cicada_market_simulation::baseline;
use cicada_market_simulation::economy::Economy;
use cicada_market_simulation::metrics::{Figures, Record, DEFINITIONS};
use cicada_market_simulation::plot::{draw, Line};
use cicada_market_simulation::population::{Population, Size, MMC};
use clap::Parser;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use std::path::PathBuf;

/// Runs a compute market for some rounds of an hour and prints what came of it.
///
/// Token, escrow, reputation and auction are the built contracts, in an in-process chain. The same
/// seed gives the same run. Ends with status 1 if money appears or disappears.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  economic_simulation --seed 71 --rounds 100 --plot prices.svg
  economic_simulation --rounds 10000"
)]
struct Options {
    /// Draws people, wishes and conduct.
    #[arg(long, default_value_t = 71)]
    seed: u64,
    /// Rounds of one hour.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(4..=10_000))]
    rounds: u32,
    /// Requesters.
    #[arg(long, default_value_t = 20)]
    requesters: usize,
    /// Providers.
    #[arg(long, default_value_t = 30)]
    providers: usize,
    /// Task types.
    #[arg(long, default_value_t = 5)]
    tasks: usize,
    /// Where to write the prices as a plot (SVG).
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Says nothing while it runs.
    #[arg(long)]
    quiet: bool,
}

/// What the seeds state, and how our figure must stand to it.
const GOALS: [(&str, f64); 3] =
    [("match rate", 0.894), ("SLA compliance", 0.912), ("price convergence", 0.732)];

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let size = Size {
        rounds: options.rounds,
        requesters: options.requesters.max(1),
        providers: options.providers.max(options.tasks.max(1)),
        tasks: options.tasks.max(1),
    };
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let people = Population::draw(&size, &mut random);
    let without = baseline::run(&size, &people, &mut random.clone());
    let mut economy = Economy::new(size, people, random);
    while economy.round() < size.rounds {
        economy.play();
        if !options.quiet && economy.round().is_multiple_of(10) {
            eprintln!("round {} of {}", economy.round(), size.rounds);
        }
    }
    print(&options, &economy.record, &without);
    if let Some(path) = &options.plot {
        draw(path, "Prices of the compute market", &lines(&economy.record, &without))?;
        println!("plot: {}", path.display());
    }
    Ok(())
}

fn print(options: &Options, market: &Record, without: &Record) {
    let (with, base) = (market.figures(), without.figures());
    println!(
        "seed {}, {} rounds, {} requesters, {} providers, {} task types: {} jobs on the contracts, {} in the baseline\n",
        options.seed, options.rounds, options.requesters, options.providers, options.tasks, with.jobs, base.jobs
    );
    println!("{:<20}{:>10}{:>12}{:>11}{:>9}", "", "market", "baseline", "margin", "goal");
    let row = |label: &str, of: fn(&Figures) -> f64| {
        let goal = GOALS.iter().find(|(name, _)| *name == label).map(|(_, goal)| *goal);
        let (a, b) = (of(&with), of(&base));
        let verdict = goal.map_or(String::new(), |goal| {
            format!("{:>8.1} % {}", goal * 100.0, if a >= goal { "reached" } else { "MISSED" })
        });
        println!(
            "{label:<20}{:>8.1} %{:>10.1} %{:>+9.1} %{verdict}",
            a * 100.0,
            b * 100.0,
            (a - b) * 100.0
        );
    };
    row("match rate", |figures| figures.match_rate);
    row("fill rate", |figures| figures.fill_rate);
    row("SLA compliance", |figures| figures.compliance);
    row("price convergence", |figures| figures.convergence);
    row("liquidity", |figures| figures.liquidity);
    let percent = |premium: Option<f64>| {
        premium.map_or("none".into(), |premium| format!("{:+.1} %", premium * 100.0))
    };
    let inside = with.premium.is_some_and(|premium| (0.15..=0.25).contains(&premium));
    println!(
        "{:<20}{:>10}{:>12}{:>11}   15–25 % {}",
        "reputation premium",
        percent(with.premium),
        "none",
        "",
        if inside { "reached" } else { "MISSED" }
    );
    let quarter = options.rounds.div_ceil(4);
    println!(
        "\nprice convergence of the first quarter: {:.1} %, of the last: {:.1} %",
        market.convergence_of(0..quarter) * 100.0,
        market.convergence_of(options.rounds - quarter..options.rounds) * 100.0
    );
    println!("tokens conserved to the unit after each round\n\nWhat the figures are:");
    for (name, meaning) in DEFINITIONS {
        println!("  {name}: {meaning}");
    }
    println!("  baseline: the same people and wishes; each asks one provider of the kind at random and settles at a uniformly random price between cost and value; no reputation, no published prices");
}

fn lines(market: &Record, without: &Record) -> Vec<Line> {
    let line = |record: &Record, task, aside| {
        let in_mmc = |(round, price): (u32, f64)| (round, price / MMC as f64);
        Line {
            label: format!("task-{task}{}", if aside { ", baseline" } else { "" }),
            points: record.prices_by_round(task).into_iter().map(in_mmc).collect(),
            aside,
        }
    };
    let with = market.tasks().map(|task| line(market, task, false));
    with.chain(without.tasks().take(1).map(|task| line(without, task, true))).collect()
}
