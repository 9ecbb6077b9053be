//! The HTTP interface: one side for nodes, one for people and programs.

mod nodes;
mod people;
mod propose;

use crate::engine::Engine;
use crate::feeds::begin;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::peers::Peers;
use crate::ranking;
use crate::settled;
use crate::volumes::Reader;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cicada_consensus::Config;
use cicada_network::Network;
use cicada_program::http::Failure;
use cicada_program::now_ms;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests of nodes in work at once.
const NODE_REQUESTS: usize = 384;
/// Requests of one node in work at once: as many as a correct one has under way. Seven liars
/// together leave most of the room to the others.
const PER_SEAT: usize = 16;
/// Questions of strangers in work at once. Each may hold the engine, and half a megabyte of values.
const QUESTIONS: usize = 16;
/// Questions of programs of this machine: of the seat's own validator first of all.
const OWN_QUESTIONS: usize = 64;
/// Questions for this node's verdict on a value; its engine answers them.
const VERDICTS: usize = 4;
/// Proposals in work at once that the own seat, or a program of this machine, brings.
const PROPOSALS: usize = 16;
/// Those that each other seat brings: what one of them does takes no room from the rest.
const PROPOSALS_PER_SEAT: usize = 2;
/// The longest that a request may take.
const LONGEST: Duration = Duration::from_secs(70);

/// The most proposals in work at once in a network of so many nodes.
pub(crate) fn max_proposals(nodes: usize) -> usize {
    let others = nodes.saturating_sub(1).saturating_mul(PROPOSALS_PER_SEAT);
    PROPOSALS.saturating_add(others)
}

/// What is read before the node judges a value.
pub struct Readers {
    /// Its results.
    pub results: ranking::Reader,
    /// The exchange's volumes, if there is an exchange.
    pub volumes: Option<Reader>,
    /// What the chain has settled, if the rules ask for it.
    pub settled: Option<settled::Reader>,
}

/// Room for questions that the engine answers: however many strangers ask, a program of this machine
/// finds its own.
struct Questions {
    own: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

impl Default for Questions {
    fn default() -> Self {
        let [own, others] = [OWN_QUESTIONS, QUESTIONS].map(|room| Arc::new(Semaphore::new(room)));
        Self { own, others }
    }
}

impl Questions {
    /// A place for one more; it is to be kept until the engine has answered, also if who asked has gone.
    fn place(&self, from: SocketAddr) -> Result<OwnedSemaphorePermit, Failure> {
        let room = match from.ip().to_canonical().is_loopback() {
            true => &self.own,
            false => &self.others,
        };
        room.clone().try_acquire_owned().map_err(|_| Failure::busy())
    }
}

/// What the handlers share.
pub struct Service {
    engine: Engine,
    peers: Arc<Peers>,
    metrics: Arc<Metrics>,
    network: Network,
    config: Config,
    sources: Readers,
    token: String,
    started: Instant,
    certify_again: Mutex<Instant>,
    node_room: Arc<Semaphore>,
    seat_room: Vec<Arc<Semaphore>>,
    questions: Questions,
    verdict_room: Arc<Semaphore>,
    // By the seat that brings them.
    proposal_rooms: Vec<Arc<Semaphore>>,
}

impl Service {
    /// The service of one node; who shows the `token` from its own machine may propose.
    pub fn new(
        engine: Engine,
        peers: Arc<Peers>,
        metrics: Arc<Metrics>,
        network: Network,
        config: Config,
        (sources, token): (Readers, String),
    ) -> Arc<Self> {
        let seat_room = network.nodes.iter().map(|_| Arc::new(Semaphore::new(PER_SEAT)));
        let own = usize::from(peers.seat());
        let places = |seat| if seat == own { PROPOSALS } else { PROPOSALS_PER_SEAT };
        let proposal_rooms = (0..network.nodes.len()).map(|seat| Semaphore::new(places(seat)));
        Arc::new(Self {
            seat_room: seat_room.collect(),
            proposal_rooms: proposal_rooms.map(Arc::new).collect(),
            config,
            sources,
            token,
            engine,
            peers,
            metrics,
            network,
            started: Instant::now(),
            certify_again: Mutex::new(Instant::now()),
            node_room: Arc::new(Semaphore::new(NODE_REQUESTS)),
            questions: Questions::default(),
            verdict_room: Arc::new(Semaphore::new(VERDICTS)),
        })
    }

    /// Reads what the node must know to judge a value. Whether that came to an end.
    async fn observe(&self, value: &[u8]) -> bool {
        let report = begin(value);
        let ranked = async {
            if let Some(report) = &report {
                self.sources.results.observe(report).await;
            }
        };
        let settled = async {
            if let (Some(settled), Some(report)) = (&self.sources.settled, &report) {
                settled.observe(&report.feed, report.slot).await;
            }
        };
        let traded = async {
            match &self.sources.volumes {
                Some(volumes) => volumes.observe(value, now_ms()).await,
                None => true,
            }
        };
        tokio::join!(ranked, settled, traded).2
    }

    /// What a server allows the clients of this service.
    pub fn limits(&self) -> cicada_program::Limits {
        let Limits { proposal, request, .. } = Limits::of(&self.config);
        let body_bytes = proposal.max(request);
        cicada_program::Limits { body_bytes, answer: LONGEST, ..Default::default() }
    }

    /// All routes.
    pub fn router(self: Arc<Self>) -> Router {
        let limits = Limits::of(&self.config);
        let people = DefaultBodyLimit::max(limits.proposal);
        Router::new()
            .route("/paxos/prepare", post(nodes::serve))
            .route("/paxos/accept", post(nodes::serve))
            .route("/paxos/commit", post(nodes::serve))
            .route("/paxos/decided", post(nodes::serve))
            .route("/paxos/timeout", post(nodes::serve))
            .route("/paxos/suggest", post(nodes::serve))
            .route("/paxos/log", post(nodes::serve).get(people::log))
            .route("/paxos/propose", post(propose::propose).layer(people))
            .route("/paxos/status", get(people::status))
            .route("/paxos/certificates", get(people::certificates))
            .route("/paxos/attestation", get(people::attestation))
            .route("/metrics", get(people::metrics))
            .layer(DefaultBodyLimit::max(limits.request))
            .with_state(self)
    }
}

fn answer(status: StatusCode, body: impl Serialize) -> Response {
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_take_no_place_of_a_program_of_this_machine() {
        let questions = Questions::default();
        let place = |from: &str| questions.place(from.parse().unwrap());
        let taken: Vec<_> = (0..10_000).map_while(|_| place("203.0.113.5:9000").ok()).collect();
        assert_eq!(taken.len(), QUESTIONS);
        let busy = place("[2001:db8::1]:9000").err().unwrap();
        assert_eq!(busy.status, StatusCode::SERVICE_UNAVAILABLE);
        for own in ["127.0.0.1:1", "127.0.0.2:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(place(own).is_ok(), "{own}");
        }
        drop(taken);
        assert!(place("203.0.113.5:9000").is_ok());
    }
}
