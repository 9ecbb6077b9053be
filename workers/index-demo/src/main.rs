//! The index with real parts, from the first basket to the claims of an epoch.

mod double;
mod feed;
mod front;
mod liars;
mod miners;
mod misranked;
mod opening;
mod outcome;
mod payouts;
mod stage;
mod story;

use anyhow::{bail, Context, Result};
use cicada_amounts::TAO;
use cicada_contracts::validators;
use cicada_core::fixed::BPS;
use cicada_core::slashing::BOUNTY_BPS;
use cicada_deploy::say;
use cicada_program::{options, status, termination};
use clap::Parser;
use outcome::{chart, table};
use payouts::Payout;
use std::path::PathBuf;
use std::process::ExitCode;
use story::{Plan, Story, MINERS, SHOCK};

/// Puts a new committee and a new index on a chain, runs nodes and validators of all seats, moves
/// prices, has the NAV settled slot by slot, lets three miners trade and four seats lie, pays the
/// rewards of an epoch, and checks what came of it. The exit status is 0 if all of it holds.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    net: cicada_localnet::Options,
    /// Secret of the account that deploys.
    #[arg(long, env = "CICADA_SURI", default_value = "//Alice", hide_env_values = true)]
    suri: String,
    /// Draws prices and emissions.
    #[arg(long, default_value_t = 71)]
    seed: u64,
    /// How many slots of the NAV.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(8..=1_000))]
    slots: u64,
    /// A file of recorded prices instead of drawn ones.
    #[arg(long)]
    prices: Option<PathBuf>,
    /// Where the chart goes (default index-demo.svg in the state folder).
    #[arg(long)]
    chart: Option<PathBuf>,
    /// End after the checks instead of staying up.
    #[arg(long)]
    once: bool,
}

impl Options {
    fn plan(&self) -> Result<Plan> {
        let mut net = self.net.clone().settle()?;
        // On demand only: whoever runs the demo says when a slot begins.
        net.nav_interval = "0s".into();
        // What it writes and begins anew lies in its folder, whatever files a deployment names.
        net.network = net.state.join("index-demo.toml");
        net.validator_prices = net.state.join("prices.jsonl");
        net.emissions = net.state.join("emissions.jsonl");
        net.addresses = net.state.join("addresses.json");
        net.miners = (1..=MINERS).map(|number| format!("//Miner{number}")).collect();
        Ok(Plan { net, suri: self.suri.clone(), seed: self.seed, recorded: self.prices.clone() })
    }
}

/// All slots, the rewards and the checks; whether all hold.
async fn tell(options: &Options) -> Result<bool> {
    let mut story = Story::begin(options.plan()?).await?;
    for _ in 0..options.slots {
        story.slot().await?;
    }
    check_arbitrage(&mut story);
    story.attest_twice().await?;
    let payouts = story.rewards().await?;
    story.rank_wrongly().await?;
    check_others(&mut story).await?;
    story.miners_stay_up().await?;
    println!("{}", table(&story.slots));
    print_payouts(&payouts);
    let path =
        options.chart.clone().unwrap_or_else(|| story.net.config.state.join("index-demo.svg"));
    std::fs::write(&path, chart(&story.slots)).with_context(|| path.display().to_string())?;
    println!("chart: {}", path.display());
    let all = print_checks(&story);
    if !options.once {
        let (validator, miner) = (story.net.validator_url(0), story.net.miner_url(0));
        say(format!("everything stays up; Ctrl-C ends it. Look at {validator}/nav, /rewards, /slashing, and {miner}/arbitrage"));
        tokio::signal::ctrl_c().await?;
    }
    Ok(all)
}

/// From about 2 % to under 0.5 % within three slots, from above and from below. The NAV is that of a
/// time before the price was moved, so that its own move comes on top.
fn check_arbitrage(story: &mut Story) {
    for (from, side) in [(1, "above"), (SHOCK, "below")] {
        let three = || story.slots.iter().filter(|slot| (from..from + 3).contains(&slot.number));
        let first = three().next().map_or(0.0, outcome::Slot::before);
        let best = three().map(outcome::Slot::after).fold(f64::MAX, f64::min);
        let count = three().take_while(|slot| slot.after() >= 0.5).count() + 1;
        let what = format!(
            "a price {first:.3} % {side} the NAV comes to {best:.3} %, under 0.5 % after {count} slots"
        );
        story.check(what, (1.5..2.5).contains(&first) && best < 0.5 && count <= 3);
    }
    let mean = |of: fn(&outcome::Slot) -> f64| {
        story.slots.iter().map(of).sum::<f64>() / story.slots.len().max(1) as f64
    };
    let (before, after) = (mean(outcome::Slot::before), mean(outcome::Slot::after));
    story.check(
        format!("tracking error: {before:.3} % before arbitrage, {after:.3} % after"),
        after < before,
    );
}

/// Who did nothing wrong lost nothing, and the treasury has what the others lost, less the part of
/// whoever brought the proof of two signatures.
async fn check_others(story: &mut Story) -> Result<()> {
    let caught = story.caught;
    story.check(format!("seat {} lied and was caught", story::LIAR), caught);
    let (mut lost, mut bounties, mut wronged) = (0, 0, 0);
    for seat in 0..story.seats()? {
        let missing = story.stake - story.stake_of(seat).await?.bonded;
        lost += missing;
        let proven = [story::DOUBLE, story::TWICE_ATTESTED].contains(&seat);
        if proven {
            bounties += missing * BOUNTY_BPS / BPS;
        }
        let off = [story::LIAR, story::MISRANKED].contains(&seat);
        wronged += usize::from(missing > 0 && !proven && !off);
    }
    let terms = story.stage.of_validators(&validators::terms()).await?;
    let treasury = terms.context("there are no rules of stake")?.treasury;
    let treasury = story.stage.balance(&story.stage.at.tao, &treasury).await?;
    story.check(
        format!(
            "{wronged} honest seats lost stake; {lost} were lost, the treasury has {treasury} and \
             who brought proofs {bounties}"
        ),
        wronged == 0 && treasury + bounties == lost,
    );
    Ok(())
}

fn print_payouts(payouts: &[Payout]) {
    println!(
        "payout      account                                           published, TAO   paid, TAO"
    );
    for one in payouts {
        println!(
            "{:<10}  {}  {:>14.9}  {:>10.9}",
            one.who,
            one.account,
            one.published as f64 / TAO as f64,
            one.paid as f64 / TAO as f64
        );
    }
    println!();
}

fn print_checks(story: &Story) -> bool {
    for check in &story.checks {
        println!("{}  {}", if check.holds { "ok  " } else { "FAIL" }, check.what);
    }
    let failed = story.checks.iter().filter(|check| !check.holds).count();
    println!("\n{} checks, {failed} fail", story.checks.len());
    failed == 0
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = options::<Options>();
    // What was started is stopped when the story is dropped, also when it is broken off.
    let told = tokio::select! {
        biased;
        told = tell(&options) => told,
        ended = termination() => ended.and_then(|()| bail!("broken off")),
    };
    match told {
        Ok(false) => ExitCode::FAILURE,
        told => status("error", told.map(drop)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        assert!(Options::try_parse_from(["x", "--slots", "7"]).is_err());
        let options = Options::try_parse_from(["x", "--once"]).unwrap();
        assert!(options.once && options.slots == 10);
    }
}
