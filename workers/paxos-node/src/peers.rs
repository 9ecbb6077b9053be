//! Requests to the other nodes.

use crate::engine::{Command, Engine};
use crate::envelope::{
    answer_message, decode, request_message, sign, SEAT_HEADER, SIGNATURE_HEADER,
};
use crate::metrics::{count, Metrics};
use bytes::Bytes;
use cicada_consensus::{Answer, Input, Request, Seat};
use cicada_core::certificate::Signature;
use cicada_core::hash::Digest;
use cicada_network::{Network, NodeKeys, PublicKeys};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use parity_scale_codec::{DecodeAll, Encode};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long another node may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many requests to one node may be under way; more are dropped, the core repeats itself.
const AT_ONCE: usize = 16;

/// What is known about the way to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Not tried yet.
    Unknown,
    /// It answered last time.
    Reachable,
    /// It did not.
    Unreachable,
}

struct Peer {
    url: String,
    room: Arc<Semaphore>,
    reach: AtomicU8,
}

/// The other nodes, by seat.
pub struct Peers {
    seat: Seat,
    rules_digest: Digest,
    keys: Arc<NodeKeys>,
    public: PublicKeys,
    peers: Vec<Peer>,
    client: Client<HttpConnector, Full<Bytes>>,
    metrics: Arc<Metrics>,
    longest_answer: usize,
}

impl Peers {
    /// The nodes of a network, seen from `seat`; answers have at most `longest_answer` bytes.
    pub fn new(
        network: &Network,
        seat: Seat,
        keys: Arc<NodeKeys>,
        metrics: Arc<Metrics>,
        longest_answer: usize,
    ) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(PATIENCE));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(4)
            .build(connector);
        let nodes = network.nodes.iter();
        let peers = nodes.map(|node| Peer {
            url: node.url.trim_end_matches('/').to_owned(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
            reach: AtomicU8::new(0),
        });
        Self {
            seat,
            rules_digest: network.rules_digest(),
            keys,
            public: PublicKeys::new(&network.members()),
            peers: peers.collect(),
            client,
            metrics,
            longest_answer,
        }
    }

    /// Whether this is the seat of another node.
    pub fn has(&self, seat: Seat) -> bool {
        seat != self.seat && usize::from(seat) < self.peers.len()
    }

    /// Whether this is a seat's signature, in hex, of a message.
    pub fn verify(&self, seat: Seat, message: &Digest, signature: &str) -> bool {
        decode(signature).is_some_and(|s| self.public.verify_consensus(seat, &message.0, &s))
    }

    /// Signs as this node.
    pub fn signature(&self, message: &Digest) -> Signature {
        self.keys.sign(&message.0)
    }

    /// The same, in hex.
    pub fn sign(&self, message: &Digest) -> String {
        sign(&self.keys, message)
    }

    /// The digest that all messages between nodes bind.
    pub fn rules_digest(&self) -> &Digest {
        &self.rules_digest
    }

    /// This node's seat.
    pub fn seat(&self) -> Seat {
        self.seat
    }

    /// What is known about the way to each other node.
    pub fn reach(&self) -> Vec<(Seat, Reach)> {
        let reach = |peer: &Peer| match peer.reach.load(Ordering::Relaxed) {
            0 => Reach::Unknown,
            1 => Reach::Reachable,
            _ => Reach::Unreachable,
        };
        let all = (0..).zip(&self.peers);
        all.filter(|(seat, _)| *seat != self.seat).map(|(seat, peer)| (seat, reach(peer))).collect()
    }

    /// A node was heard, or not.
    pub fn note(&self, seat: Seat, heard: bool) {
        if let Some(peer) = self.peers.get(usize::from(seat)) {
            peer.reach.store(if heard { 1 } else { 2 }, Ordering::Relaxed);
        }
    }

    /// Sends a request to some nodes; their answers go to the engine.
    pub fn send(self: &Arc<Self>, to: Vec<Seat>, request: &Request, engine: &Engine) {
        let body = Bytes::from(request.encode());
        let route = route(request);
        for seat in to {
            let Some(peer) = self.peers.get(usize::from(seat)) else {
                continue;
            };
            let Ok(permit) = peer.room.clone().try_acquire_owned() else {
                count(&self.metrics.sent, "dropped");
                continue;
            };
            let (peers, engine, body) = (self.clone(), engine.clone(), body.clone());
            let runtime = engine.runtime().clone();
            runtime.spawn(async move {
                let asked = tokio::time::timeout(PATIENCE, peers.ask(seat, route, body)).await;
                drop(permit);
                match asked.unwrap_or_else(|_| Err("timed out".into())) {
                    Ok(answer) => {
                        peers.note(seat, true);
                        count(&peers.metrics.sent, "answered");
                        let input = Input::Answer { from: seat, answer };
                        engine.offer(Command::Input(input));
                    }
                    Err(error) => {
                        peers.note(seat, false);
                        count(&peers.metrics.sent, "failed");
                        tracing::debug!(seat, route, error, "no answer");
                    }
                }
            });
        }
    }

    async fn ask(&self, seat: Seat, route: &str, body: Bytes) -> Result<Answer, String> {
        let peer = self.peers.get(usize::from(seat)).ok_or("no such seat")?;
        let message = request_message(&self.rules_digest, self.seat, seat, &body);
        let request = hyper::Request::post(format!("{}{route}", peer.url))
            .header("content-type", "application/octet-stream")
            .header(SEAT_HEADER, self.seat.to_string())
            .header(SIGNATURE_HEADER, self.sign(&message))
            .body(Full::new(body))
            .map_err(|e| e.to_string())?;
        let response = self.client.request(request).await.map_err(|e| e.to_string())?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, self.longest_answer);
        let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        if head.status != hyper::StatusCode::OK {
            return Err(format!("{}: {}", head.status, String::from_utf8_lossy(&body)));
        }
        let signature = head.headers.get(SIGNATURE_HEADER);
        let signature = signature.and_then(|s| s.to_str().ok()).unwrap_or_default();
        let expected = answer_message(&self.rules_digest, seat, &message, &body);
        if !self.verify(seat, &expected, signature) {
            return Err("the answer is not signed by that seat".into());
        }
        Answer::decode_all(&mut &body[..]).map_err(|e| e.to_string())
    }
}

/// The path of a request.
pub fn route(request: &Request) -> &'static str {
    match request {
        Request::PreVote { .. } | Request::Prepare { .. } | Request::Lead { .. } => {
            "/paxos/prepare"
        }
        Request::Accept { .. } | Request::Propose { .. } => "/paxos/accept",
        Request::Commit { .. } => "/paxos/commit",
        Request::Decided { .. } | Request::Certified { .. } => "/paxos/decided",
        Request::Timeout { .. } => "/paxos/timeout",
        Request::Suggest { .. } => "/paxos/suggest",
        Request::Fetch { .. } => "/paxos/log",
    }
}
