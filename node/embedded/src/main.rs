//! `cicada-chain`: the embedded development chain.

mod cli;

use cicada_embedded::{
    chain::Chain,
    clock::Clock,
    file,
    node::{self, Node, NO_CODE},
    rpc, runtime,
    state::Nodes,
    App,
};
use clap::Parser;
use cli::Cli;
use std::{
    fs,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    path::Path,
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::signal::unix::{signal, SignalKind};

/// The stack of each thread: the runtime nests contracts and calls deeply, and natively on this stack.
const STACK: usize = 256 * 1024 * 1024;
/// How many calls of the runtime are computed at once; others wait.
const CALLS: usize = 16;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cicada-chain: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), String> {
    tracing_subscriber::fmt()
        .with_env_filter(&cli.log)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init()
        .map_err(|error| error.to_string())?;
    runtime::quiet_panics();
    let (nodes, chain, clock) = open(cli.state.as_deref(), cli.code.as_deref())?;
    let delay = Duration::from_secs(cli.finalize_delay_sec.into());
    let node = Node::new(nodes, chain, clock, delay);
    let app = Arc::new(App { node, state_file: cli.state });
    author(app.clone(), cli.block_interval_ms.map(Duration::from_millis))?;
    let tasks = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .max_blocking_threads(CALLS)
        .build()
        .map_err(|error| error.to_string())?;
    let address = SocketAddr::new(cli.listen, cli.rpc_port);
    tasks.block_on(serve(app.clone(), address, cli.max_connections, &cli.hosts))?;
    // Whoever still computes is not waited for.
    tasks.shutdown_background();
    match &app.state_file {
        Some(path) => {
            file::save(&app.node, path).map_err(|error| format!("{}: {error}", path.display()))
        }
        None => Ok(()),
    }
}

/// The chain in the state file, or a new one if there is no such file.
fn open(state: Option<&Path>, code: Option<&Path>) -> Result<(Nodes, Chain, Clock), String> {
    let said = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let named = match code {
        Some(path) => Some(fs::read(path).map_err(|error| said(path, &error))?),
        None => None,
    };
    let nodes = Nodes::default();
    let chain = node::genesis(&nodes, named.as_deref().unwrap_or(NO_CODE))?;
    match state {
        Some(path) if path.exists() => {
            let asked = named.map(|_| chain.genesis().hash);
            file::load(path, asked).map_err(|error| said(path, &error))
        }
        _ => Ok((nodes, chain, Clock::default())),
    }
}

/// Starts the thread that makes blocks.
fn author(app: Arc<App>, interval: Option<Duration>) -> Result<(), String> {
    let make = move || loop {
        match interval {
            Some(interval) => thread::sleep(interval),
            None => app.node.wait_ready(),
        }
        if let Err(error) = app.node.new_block(interval.is_some()) {
            log::error!("No block could be made: {error}");
            thread::sleep(Duration::from_secs(1));
        }
    };
    let thread = thread::Builder::new().name("author".into()).stack_size(STACK);
    thread.spawn(make).map(drop).map_err(|error| error.to_string())
}

/// Answers requests until a signal asks for the end.
async fn serve(
    app: Arc<App>,
    address: SocketAddr,
    max_connections: u32,
    hosts: &[String],
) -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let (address, answering) = rpc::serve(app.clone(), address, max_connections, hosts)
        .await
        .map_err(|error| format!("{address}: {error}; choose another port with --rpc-port"))?;
    println!("ws://{address}");
    io::stdout().flush().map_err(failed)?;
    tokio::select! {
        () = answering => {}
        () = app.node.finalize() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
