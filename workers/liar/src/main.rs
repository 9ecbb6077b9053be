//! A node of the committee that lies.

use cicada_consensus::{Input, Now, Output};
use clap::Parser;
use paxos_liar::{other_time, Liar, Lie};
use paxos_node::engine::{FeedsNode, Machine};
use paxos_node::feeds::Feeds;
use paxos_node::keyring::Keyring;
use paxos_node::options::{serve, Options};
use paxos_node::service;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  paxos-liar --lie equivocate --network network.toml --seat 3 --keys keys/node-03.json \\
             --data data/node-03 --results examples/results.jsonl
  scripts/deploy_paxos.sh lie 3 forge";

/// A Paxos node that lies, to show what the others withstand.
///
/// It takes the options of paxos-node, and needs the real keys of a seat: what it signs can be
/// held against that seat for ever. For tests only.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct LyingOptions {
    #[command(flatten)]
    options: Options,
    /// What it does: equivocate, forge, replay, silent, all (by turns), or none: the truth
    #[arg(long, value_parser = lie)]
    lie: Choice,
}

#[derive(Clone, Copy, Debug)]
struct Choice(Option<Lie>);

fn lie(name: &str) -> Result<Choice, String> {
    match name {
        "none" => Ok(Choice(None)),
        lie => lie.parse().map(|lie| Choice(Some(lie))),
    }
}

struct Lying(Liar<Feeds, Keyring>);

impl Machine for Lying {
    fn node(&self) -> &FeedsNode {
        self.0.node()
    }

    fn step(&mut self, now: Now, input: Input) -> Vec<Output> {
        self.0.step(now, input)
    }
}

fn main() -> ExitCode {
    let LyingOptions { options, lie } = LyingOptions::parse();
    serve("paxos-liar", options, |settings| {
        service::run_as(settings, move |node, config, keys| match lie.0 {
            Some(lie) => Box::new(Lying(Liar::new(node, config, keys, lie, other_time))),
            None => Box::new(node),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        LyingOptions::command().debug_assert();
        for name in Lie::NAMES {
            assert_eq!(lie(name).unwrap().0.unwrap().to_string(), name);
        }
        assert!(lie("none").unwrap().0.is_none());
        assert!(lie("fib").is_err());
    }
}
