//! `cicada-node`: a development chain for ink! contracts.
//!
//! A block is sealed as soon as there is a transaction for it, and finalized a moment later. The chain
//! has one node and no peers; any other Substrate node with `pallet-contracts` can take its place.

// The SDK's error types are large; they are made once, when the node gives up.
#![allow(clippy::result_large_err)]

mod chain_spec;
mod cli;
mod rpc;
mod seal;
mod service;

use sc_cli::SubstrateCli;

fn main() -> sc_cli::Result<()> {
    let cli = cli::Cli::parse();
    let runner = cli.create_runner(&cli.run)?;
    runner
        .run_node_until_exit(|config| async { service::start(config, cli.node) })
        .map_err(sc_cli::Error::Service)
}
