//! The development chain in one small process: the project's own runtime, compiled natively and executed in
//! memory, behind the JSON-RPC that clients of Substrate nodes use.
//!
//! With the Wasm of the Substrate node as its genesis' code, its blocks are the node's, hash for hash.

pub mod chain;
pub mod clock;
pub mod file;
pub mod guard;
pub mod node;
pub mod pool;
pub mod rpc;
pub mod runtime;
pub mod state;

use node::Node;
use std::path::PathBuf;

/// What the methods of JSON-RPC work on.
pub struct App {
    /// The chain.
    pub node: Node,
    /// Where the chain is kept between runs.
    pub state_file: Option<PathBuf>,
}
