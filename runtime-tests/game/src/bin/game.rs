//! Looks for gains that the rules do not allow.

use cicada_game::exchange::{owner::Owner, trader::Trader};
use cicada_game::market::{
    arbitrators::Arbitrators, provider::Provider, requester::Requester, Aim,
};
use cicada_game::miner::{Goal, Miner};
use cicada_game::role::Role;
use cicada_game::search::{search, Budget};
use cicada_game::validator::Validator;
use clap::{Parser, ValueEnum};
use std::process::ExitCode;
use std::time::Duration;

/// Lets each role search, on the built contracts in an in-process chain, for acts and moments that win
/// more than the rules allow it. Ends with status 1 if one finds something.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  game --seconds 60
  game --role trader --seed 5 --seconds 600"
)]
struct Options {
    /// Which role; may be repeated. All of them if none is named.
    #[arg(long = "role")]
    roles: Vec<Who>,
    /// Draws the plans.
    #[arg(long, default_value_t = 71)]
    seed: u64,
    /// How long each role searches.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Stops a role at its first find.
    #[arg(long)]
    first: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Who {
    Trader,
    Owner,
    Provider,
    Requester,
    Arbitrators,
    Validator,
    /// For the basket.
    Miner,
    /// For the rewards.
    MinerOfRewards,
}

fn run<R: Role>(name: &str, mut role: R, options: &Options) -> bool {
    let budget = Budget::Time(Duration::from_secs(options.seconds));
    let outcome = search(&mut role, options.seed, budget, options.first);
    let best = &outcome.best;
    println!(
        "{name}: {} plays; the best won {} of {} allowed",
        outcome.plays, best.gain, best.allowed
    );
    let Some(first) = &outcome.first else { return false };
    println!("  FOUND in play {}, after {:.1} s", first.play, first.after.as_secs_f64());
    for (moment, act) in &best.plan {
        println!("  at {moment}: {act:?}");
    }
    true
}

/// First for money, then for points.
fn run_both<R: Role>(name: &str, role: impl Fn(Aim) -> R, options: &Options) -> bool {
    let money = run(&format!("{name}, money"), role(Aim::Money), options);
    run(&format!("{name}, points"), role(Aim::Points), options) || money
}

fn main() -> ExitCode {
    let options = Options::parse();
    let roles = match options.roles.is_empty() {
        true => Who::value_variants().to_vec(),
        false => options.roles.clone(),
    };
    let found = roles.into_iter().map(|who| match who {
        Who::Trader => run("trader", Trader::new(), &options),
        Who::Owner => run("owner", Owner::new(), &options),
        Who::Provider => run_both("provider", Provider::new, &options),
        Who::Requester => run_both("requester", Requester::new, &options),
        Who::Arbitrators => run_both("arbitrators", Arbitrators::new, &options),
        Who::Validator => run("validator", Validator::new(), &options),
        Who::Miner => run("miner", Miner::new(Goal::Basket), &options),
        Who::MinerOfRewards => run("miner of rewards", Miner::new(Goal::Rewards), &options),
    });
    ExitCode::from(u8::from(found.filter(|found| *found).count() > 0))
}
