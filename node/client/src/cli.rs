//! The command line.

use crate::chain_spec;
use clap::{CommandFactory, FromArgMatches};
use sc_cli::{ChainSpec, RunCmd, SubstrateCli};
use std::path::PathBuf;

/// What the node is told at its start.
#[derive(Debug, clap::Parser)]
#[command(after_long_help = "Examples:
  cicada-node --dev                                   a fresh chain, gone when the node stops
  cicada-node --dev --base-path chain                 a chain that outlives the node
  cicada-node --dev --tmp --rpc-port 9955             a second chain beside the first
  cicada-node --dev --finalize-delay-sec 6            finality as slow as on a real chain")]
pub struct Cli {
    /// The options that all Substrate nodes share.
    #[command(flatten)]
    pub run: RunCmd,

    /// The options of this node.
    #[command(flatten)]
    pub node: NodeParams,
}

/// What this node can be told beyond the options that all Substrate nodes share.
#[derive(Clone, Debug, clap::Args)]
pub struct NodeParams {
    /// Seconds from a block's import to its finalization.
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    pub finalize_delay_sec: u32,

    /// Keep the compiled runtime in this folder: compiling it is most of what a start costs.
    #[arg(long, value_name = "FOLDER")]
    pub runtime_cache: Option<PathBuf>,
}

impl Cli {
    /// What the command line says; on an error or a request for help, says so and exits.
    pub fn parse() -> Self {
        // Forks cannot happen here, and the simpler pool waits longer for finality.
        let command = Self::setup_command(Self::command())
            .mut_arg("pool_type", |arg| arg.default_value("single-state"));
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Cicada Node".into()
    }

    fn impl_version() -> String {
        env!("CARGO_PKG_VERSION").into()
    }

    fn description() -> String {
        env!("CARGO_PKG_DESCRIPTION").into()
    }

    fn author() -> String {
        "Cicada-71".into()
    }

    fn support_url() -> String {
        "the issue tracker of the Cicada-71 repository".into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn ChainSpec>, String> {
        match id {
            "" | "dev" => Ok(Box::new(chain_spec::development()?)),
            other => Err(format!(
                "this node runs the development chain only, not '{other}': leave --chain out"
            )),
        }
    }
}
