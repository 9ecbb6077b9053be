//! The real node, for tests of the launcher: cargo builds examples with them.

use clap::Parser;
use paxos_node::options::Options;

fn main() -> Result<(), String> {
    let settings = Options::parse().settle()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(paxos_node::service::run(settings)).map_err(|error| error.to_string())
}
