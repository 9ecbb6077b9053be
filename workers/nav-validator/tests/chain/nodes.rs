//! In place of the consensus nodes: one server that decides what comes first and certifies it with
//! a quorum of keys, behind the routes of a node. And a validator that says one thing and another.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use cicada_core::certificate::Certificate;
use cicada_core::hash::{Digest, Native};
use cicada_core::nav::Observation;
use cicada_core::report::{Feed, Report, ReportKind};
use cicada_network::{FaultModelName, NodeKeys, Rules};
use cicada_node_api::{Certified, Decided, Opaque, Reached, Scale, Status};
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
    pub config_digest: Digest,
}

type Held = (Opaque, Certificate);

struct Nodes {
    committee: Committee,
    decided: Mutex<BTreeMap<(ReportKind, u64), Held>>,
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

async fn status() -> Json<Status> {
    Json(Status {
        node_id: 0,
        fault_model: FaultModelName::Crash,
        view: None,
        leader: None,
        leading: true,
        decided_position: 0,
        certified_slot: 0,
        nodes: 1,
        quorum: 1,
        attestation_quorum: 1,
        epoch: 1,
        config_digest: Digest::ZERO,
        rules_digest: Digest([7; 32]),
        rules: Rules { turn_delay_ms: 1_000, ..Rules::UNASKED },
        promised_proposal: 0,
        promised_proposer: 0,
        accepted: Vec::new(),
        proposals_waiting: 0,
        has_value: false,
        feeds: BTreeMap::new(),
        peers: Reached::default(),
        engine_lag_ms: 0,
        uptime_seconds: 0,
    })
}

async fn propose(State(nodes): State<Arc<Nodes>>, body: Bytes) -> Json<Certified> {
    let report = Report::decode(&mut &body[..]).unwrap();
    let mut decided = nodes.decided.lock().unwrap();
    let decided = decided.entry((report.feed.kind, report.slot)).or_insert_with(|| {
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
        (Opaque(body.to_vec()), certificate)
    });
    let (value, certificate) = decided.clone();
    Json(Certified {
        position: 1,
        slot: report.slot,
        digest: digest_of(&value),
        proposal: Scale(value),
        proposer: None,
        promised: Vec::new(),
        accepted: Vec::new(),
        attested: certificate.seats().collect(),
        certificate: Scale(certificate),
    })
}

fn digest_of(value: &Opaque) -> Digest {
    value.report().unwrap().digest::<Native>()
}

async fn certificates(
    State(nodes): State<Arc<Nodes>>,
    Query(wanted): Query<Wanted>,
) -> Json<Vec<Decided>> {
    let kind = ReportKind::named(&wanted.feed).unwrap();
    let decided = nodes.decided.lock().unwrap();
    let newer = decided.iter().filter(|((of, slot), _)| *of == kind && *slot > wanted.after);
    let entry = |((_, slot), (value, certificate)): (&(ReportKind, u64), &Held)| Decided {
        slot: *slot,
        digest: Scale(digest_of(value)),
        proposal: Scale(value.clone()),
        proposer: None,
        certificate: Some(Scale(certificate.clone())),
    };
    Json(newer.map(entry).collect())
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
        "config_digest": config_digest,
        "scale": hex::encode(observation.encode()),
    }))
}
