//! The command line.

use std::{net::IpAddr, path::PathBuf};

/// The development chain in one small process: ink! contracts, blocks on demand, time travel.
#[derive(Debug, clap::Parser)]
#[command(
    name = "cicada-chain",
    version,
    after_long_help = "Examples:
  cicada-chain                                      a fresh chain at ws://127.0.0.1:9944
  cicada-chain --rpc-port 0                         at a free port, which it prints
  cicada-chain --state chain.state                  a chain that outlives the process
  cicada-chain --block-interval-ms 6000             a block every six seconds, also an empty one"
)]
pub struct Cli {
    /// The port of JSON-RPC, by HTTP and WebSocket; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 9944)]
    pub rpc_port: u16,

    /// The address to listen at. Whoever reaches it may do everything, so leave it on this machine.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub listen: IpAddr,

    /// Names under which it is reached, beside addresses and localhost; requests under other names are refused.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub hosts: Vec<String>,

    /// Seconds from a block to its finalization; 0 finalizes at once.
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    pub finalize_delay_sec: u32,

    /// Make a block at this interval, also without transactions, instead of as soon as there are some.
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub block_interval_ms: Option<u64>,

    /// Go on with the chain in this file if there is one, and write it there at the end.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// The Wasm that the genesis names as the runtime's code: with the Substrate node's the two chains are equal.
    /// The code that runs is the one compiled in.
    #[arg(long, value_name = "FILE")]
    pub code: Option<PathBuf>,

    /// How many connections may be open.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub max_connections: u32,

    /// What to log to stderr: error, warn, info, debug, trace, or a filter such as `cicada_embedded=debug`.
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    pub log: String,
}
