//! In place of the consensus nodes: one server that decides what comes first and certifies it with
//! all keys, behind the routes of a node.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use cicada_core::certificate::Certificate;
use cicada_core::hash::{Hash, Native};
use cicada_core::report::{Report, ReportKind};
use cicada_network::NodeKeys;
use parity_scale_codec::{Decode, Encode};
use serde::Deserialize;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

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
