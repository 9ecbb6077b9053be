//! One of the nodes that agree on leaderboards, and on NAV, basket and rewards of the index.

use clap::Parser;
use paxos_node::options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    cicada_program::logs();
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
