//! `cicada-node`: a development chain for ink! contracts.
//!
//! A block is sealed as soon as there is a transaction for it, and finalized a moment later. The chain
//! has one node and no peers; any other Substrate node with `pallet-contracts` can take its place.

mod chain_spec;
mod cli;
mod rpc;
mod seal;
mod service;

use sc_cli::SubstrateCli;

fn main() -> sc_cli::Result<()> {
    let cli = cli::Cli::parse();
    let finality_delay = cli.finality_delay();
    cli.create_runner(&cli.run)?
        .run_node_until_exit(|config| async move { service::start(config, finality_delay) })
        .map_err(sc_cli::Error::Service)
}
