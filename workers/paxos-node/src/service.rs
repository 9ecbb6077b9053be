//! Start and end of a node.

use crate::engine::{Command, Engine, FeedsNode, Machine, Parts};
use crate::evidence::Evidence;
use crate::feeds::{Feeds, Sources, LONGEST_VALUE};
use crate::http::{max_proposals, Readers, Service};
use crate::keyring::Keyring;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::options::Settings;
use crate::peers::Peers;
use crate::ranking::{self, Results};
use crate::settled::{self, Contracts, Kept, Settled};
use crate::store::{Owner, Store};
use crate::volumes::{Connection, Reader, Seen};
use cicada_consensus::{Config, Node, Seat};
use cicada_core::report::ReportKind;
use cicada_network::{make_token, Network, NodeKeys, TOKEN_FILE};
use cicada_program::{termination, Server};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

type Failure = Box<dyn Error + Send + Sync>;

/// Runs a node until Ctrl-C or SIGTERM.
///
/// # Errors
/// In words, if it cannot start.
pub async fn run(settings: Settings) -> Result<(), Failure> {
    run_as(settings, |node, _, _| Box::new(node)).await
}

/// Runs what `wrap` makes of a node with its constants and its keys.
///
/// # Errors
/// In words, if it cannot start.
pub async fn run_as(
    settings: Settings,
    wrap: impl FnOnce(FeedsNode, Config, Keyring) -> Box<dyn Machine>,
) -> Result<(), Failure> {
    let network = Network::load(&settings.network)?;
    let keys = own_keys(&settings, &network)?;
    let seat = settings.seat;
    let config = config(&network, seat);
    let owner = Owner {
        config_digest: network.config_digest(),
        seat,
        consensus_key: keys.consensus_key(),
        key_file: &settings.keys,
    };
    let store = Store::open(&settings.data, &owner, settings.init)?;
    let evidence = Evidence::open(&settings.data)?;
    let keyring = Keyring::new(keys.clone(), network.members());
    let connection = Connection::of(&network);
    let contracts = Contracts::of(&network);
    let token = make_token(&settings.data.join(TOKEN_FILE))?;
    let (results, reader) = ranking::Reader::start(settings.results.clone()).map_err(|error| {
        format!("{error}: name the results with --results; without any yet, make an empty file")
    })?;
    let sources = sources(&settings, results);
    let (seen, settled) = (sources.volumes.clone(), sources.settled.clone());
    let feeds = Feeds::new(&network, &keyring.members(), &sources);
    let node = Node::recover(config.clone(), feeds, keyring.clone(), store.records()?)?;
    let machine = wrap(node, config.clone(), keyring);
    let metrics = Arc::new(Metrics::new());
    let longest = Limits::of(&config).answer;
    let peers = Arc::new(Peers::new(&network, seat, keys, metrics.clone(), longest));
    let address = listen_address(&settings, &network)?;
    let server = Server::bind(address).await?.known_as(hosts(&settings, &network));
    let parts = Parts { machine, store, evidence, peers: peers.clone(), metrics: metrics.clone() };
    let (engine, thread) = Engine::start(parts)?;
    tracing::info!(seat, %address, fault_model = %network.fault_model, "ready");
    let feed = network.feed(ReportKind::Leaderboard);
    let traded = feed.zip(connection);
    let volumes = traded.map(|(feed, connection)| Reader::start(feed, seen, connection));
    let settled = contracts.map(|contracts| settled::Reader::start(settled, Kept::new(contracts)));
    let readers = Readers { results: reader, volumes, settled };
    let service = Service::new(engine.clone(), peers, metrics, network, config, (readers, token));
    serve(server, service, engine, thread).await
}

// Serves until the signal to end, then lets the engine finish what it has in hand.
async fn serve(
    server: Server,
    service: Arc<Service>,
    engine: Engine,
    thread: JoinHandle<()>,
) -> Result<(), Failure> {
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let server = server.within(service.limits());
    let server = tokio::spawn(server.serve(service.router(), async { drop(ended.await) }));
    let mut thread = tokio::task::spawn_blocking(move || thread.join());
    let panicked = || Failure::from("the engine has panicked: the node ends");
    tokio::select! {
        ended = termination() => ended?,
        // Without it, the last view would be shown for ever.
        joined = &mut thread => {
            joined?.map_err(|_| panicked())?;
            return Err("the engine has ended".into());
        }
    }
    drop(end);
    let _ = server.await;
    // Blocks while the queue is full, so not on a thread of the runtime.
    tokio::task::spawn_blocking(move || engine.stop()).await?;
    thread.await?.map_err(|_| panicked())
}

// The names under which a node is reached.
fn hosts(settings: &Settings, network: &Network) -> Vec<String> {
    let own = network.nodes.get(usize::from(settings.seat)).and_then(|node| {
        let host = node.url.split_once("://")?.1.split('/').next()?;
        Some(host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned())
    });
    settings.hosts.iter().cloned().chain(own).collect()
}

fn sources(settings: &Settings, results: Results) -> Sources {
    Sources {
        results,
        withdrawn: settings.withdrawn.clone(),
        own: settings.own.clone(),
        volumes: Seen::default(),
        settled: Settled::default(),
    }
}

// The keys of the seat.
fn own_keys(settings: &Settings, network: &Network) -> Result<Arc<NodeKeys>, Failure> {
    let keys = NodeKeys::load(&settings.keys)?;
    let seat = settings.seat;
    let member = network.members().into_iter().nth(usize::from(seat));
    let member = member.ok_or_else(|| format!("the network has no seat {seat}"))?;
    if (member.consensus_key, member.attestation_key)
        != (keys.consensus_key(), keys.attestation_key())
    {
        let file = settings.keys.display();
        return Err(format!("{file} does not hold the keys of seat {seat}").into());
    }
    Ok(Arc::new(keys))
}

fn config(network: &Network, seat: Seat) -> Config {
    let mut config = Config::new(
        seat,
        network.quorum(),
        network.attestation_quorum(),
        network.epoch,
        network.config_digest(),
    );
    config.max_proposals = max_proposals(network.nodes.len());
    config.max_value_len = LONGEST_VALUE;
    config
}

fn listen_address(settings: &Settings, network: &Network) -> Result<SocketAddr, Failure> {
    if let Some(address) = settings.listen {
        return Ok(address);
    }
    let node = network.nodes.get(usize::from(settings.seat));
    let url = node.map(|node| node.url.as_str()).unwrap_or_default();
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    host.parse().map_err(|_| {
        let text = format!("{url} is no http://ADDRESS:PORT to listen on: give --listen");
        Failure::from(text)
    })
}

impl Engine {
    // Ends the engine after what it has in hand.
    fn stop(&self) {
        self.command(Command::Stop);
    }
}
