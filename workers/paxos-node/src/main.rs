//! One of the nodes that agree on leaderboards, and on NAV, basket and rewards of the index.

use clap::Parser;
use paxos_node::options::Options;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let settings = match options.settle() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("paxos-node: {error}");
            return ExitCode::from(2);
        }
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(paxos_node::service::run(settings)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("paxos-node: {error}");
            ExitCode::FAILURE
        }
    }
}
