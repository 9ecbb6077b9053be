//! One of the nodes that agree on leaderboards, and on NAV, basket and rewards of the index.

use clap::Parser;
use paxos_node::options::{serve, Options};
use paxos_node::service::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    serve("paxos-node", Options::parse(), run)
}
