//! In place of the consensus nodes: one server that decides what comes first and certifies it with
//! a quorum of keys, behind the routes of a node. And a validator that says one thing and another.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use cicada_core::certificate::Certificate;
use cicada_core::hash::{Hash, Native};
use cicada_core::nav::Observation;
use cicada_core::report::{Feed, Report, ReportKind};
use cicada_network::{NodeKeys, Rules};
use parity_scale_codec::{Decode, Encode};
use serde::Deserialize;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Who certifies.
pub struct Committee {
    /// Keys in seat order.
    pub keys: Arc<Vec<NodeKeys>>,
    /// The digest that they sign with.
    pub config_digest: Hash,
}

type Decided = (Vec<u8>, Certificate);

struct Nodes {
    committee: Committee,
    decided: Mutex<BTreeMap<(ReportKind, u64), Decided>>,
}

#[derive(Deserialize)]
struct Wanted {
    feed: String,
    after: u64,
}

/// Serves on a free port; its address.
pub async fn serve(committee: Committee) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let nodes = Arc::new(Nodes { committee, decided: Mutex::default() });
    let routes = Router::new()
        .route("/paxos/propose", post(propose))
        .route("/paxos/status", get(status))
        .route("/paxos/certificates", get(certificates))
        .with_state(nodes);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

fn entry(slot: u64, (value, certificate): &Decided) -> Value {
    json!({
        "slot": slot,
        "proposal": hex::encode(value),
        "certificate": hex::encode(certificate.encode()),
    })
}

async fn status() -> Json<Value> {
    let rules = Rules { turn_delay_ms: 1_000, ..Rules::UNASKED };
    Json(json!({ "node_id": 0, "rules_digest": hex::encode([7; 32]), "rules": rules }))
}

async fn propose(State(nodes): State<Arc<Nodes>>, body: Bytes) -> Json<Value> {
    let report = Report::decode(&mut &body[..]).unwrap();
    let mut decided = nodes.decided.lock().unwrap();
    let value = decided.entry((report.feed.kind, report.slot)).or_insert_with(|| {
        let message = report.attestation_message::<Native>(&nodes.committee.config_digest);
        let keys = &nodes.committee.keys;
        // A quorum, not one more.
        let quorum = keys.len() - keys.len() / 4;
        let certificate = Certificate {
            scheme: 1,
            epoch: 1,
            signers: (1 << quorum) - 1,
            signatures: keys[..quorum].iter().map(|keys| keys.attest(&message)).collect(),
        };
        (body.to_vec(), certificate)
    });
    Json(entry(report.slot, value))
}

async fn certificates(
    State(nodes): State<Arc<Nodes>>,
    Query(wanted): Query<Wanted>,
) -> Json<Vec<Value>> {
    let kind = match wanted.feed.as_str() {
        "nav" => ReportKind::Nav,
        "rewards" => ReportKind::Rewards,
        other => panic!("no feed {other}"),
    };
    let decided = nodes.decided.lock().unwrap();
    let newer = decided.iter().filter(|((of, slot), _)| *of == kind && *slot > wanted.after);
    Json(newer.map(|((_, slot), value)| entry(*slot, value)).collect())
}

/// A seat that signs two NAVs for one slot, and one for each other.
pub struct TwoFaced {
    /// Who it is one of.
    pub committee: Committee,
    /// Its seat.
    pub seat: u8,
    /// The feed.
    pub feed: Feed,
    /// What it says in honest moments.
    pub nav_e18: u128,
    /// The slot for which it signs two.
    pub slot: u64,
    /// How often it was asked for that one.
    pub asked: AtomicU64,
    /// Where an honest validator answers, from whom it has the scheduled times.
    pub honest: OnceLock<String>,
}

impl TwoFaced {
    async fn scheduled(&self, slot: u64) -> Option<u64> {
        let url = format!("{}/observation?slot={slot}", self.honest.get()?);
        let answer = reqwest::get(url).await.ok()?.text().await.ok()?;
        let answer: Value = serde_json::from_str(&answer).ok()?;
        answer["time_ms"].as_u64()
    }
}

#[derive(Deserialize)]
struct OfSlot {
    slot: u64,
}

/// Serves it on a free port; its address without the scheme.
pub async fn serve_two_faced(one: Arc<TwoFaced>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let routes = Router::new().route("/observation", get(say)).with_state(one);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

async fn say(State(one): State<Arc<TwoFaced>>, Query(of): Query<OfSlot>) -> Json<Value> {
    let Some(time_ms) = one.scheduled(of.slot).await else {
        return Json(json!({ "error": "too soon" }));
    };
    let lie = of.slot == one.slot && one.asked.fetch_add(1, Ordering::Relaxed) % 2 == 1;
    let nav_e18 = one.nav_e18 + u128::from(lie);
    let mut observation = Observation { seat: one.seat, nav_e18, time_ms, signature: [0; 64] };
    let config_digest = one.committee.config_digest;
    let message = observation.message::<Native>(&config_digest, &one.feed, of.slot);
    observation.signature = one.committee.keys[usize::from(one.seat)].attest(&message);
    Json(json!({
        "config_digest": hex::encode(config_digest),
        "scale": hex::encode(observation.encode()),
    }))
}
