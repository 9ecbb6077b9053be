//! A value of any feed to decide: the node leads it to its certificate.

use super::{answer, Failure, Service};
use crate::engine::{Command, FeedsNode};
use crate::feeds::report_of;
use crate::metrics::count;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use cicada_consensus::{Application, Entry, Now, Outcome, Position, Refusal, Seat};
use cicada_core::hash::{Hash, Hasher, Native};
use cicada_network::{proposal_message, SEAT_HEADER, SIGNATURE_HEADER, TOKEN_HEADER};
use parity_scale_codec::Encode;
use serde::Deserialize;
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long a proposal may take, unless the request says otherwise.
const DEFAULT_MS: u64 = 10_000;
/// The longest that it may say.
const LONGEST_MS: u64 = 60_000;

#[derive(Deserialize)]
pub(super) struct Patience {
    timeout_ms: Option<u64>,
}

pub(super) async fn propose(
    State(service): State<Arc<Service>>,
    Query(patience): Query<Patience>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    admit(&service, from, &headers, &body)?;
    let _permit = service.proposal_room.try_acquire().map_err(|_| Failure::busy())?;
    let report = report_of(&body)
        .ok_or_else(|| Failure::bad("the body is not the SCALE encoding of a value of any feed"))?;
    let slot = report.slot;
    let digest = report.digest::<Native>();
    let patience = patience.timeout_ms.unwrap_or(DEFAULT_MS).min(LONGEST_MS);
    let begin = Instant::now();
    let deadline = begin + Duration::from_millis(patience);
    let known = service.engine.look(move |node| node.application().line(&report.feed)?.slot(slot));
    let known = known.await.ok_or_else(Failure::busy)?;
    let outcome = match known {
        // Decided before: perhaps the answer was lost on its way.
        Some((position, decided)) if decided == digest => {
            wait_for_certificate(&service, position, deadline).await?
        }
        _ => {
            if !service.observe(&body).await {
                return Err(Failure::busy());
            }
            let (reply, receive) = oneshot::channel();
            let wait = deadline.saturating_duration_since(Instant::now());
            let command = Command::Propose(body.to_vec(), wait, reply);
            if !service.engine.offer(command) {
                return Err(Failure::busy());
            }
            receive.await.map_err(|_| Failure::busy())?
        }
    };
    let outcome = own_view(&service, body.to_vec(), outcome).await;
    if matches!(outcome, Outcome::Certified { .. }) {
        let took = begin.elapsed().as_secs_f64();
        service.metrics.propose_seconds.observe(took);
    }
    respond(&service, slot, digest, outcome).await
}

// Whether this comes from a seat, or from a program of this machine that can read the token. A
// stranger takes no room.
fn admit(
    service: &Service,
    from: SocketAddr,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Failure> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let refuse = |reason, error: &str| {
        count(&service.metrics.refused, reason);
        Err(Failure::new(StatusCode::UNAUTHORIZED, error))
    };
    if let Some(token) = text(TOKEN_HEADER) {
        // Compared by digest: how long that takes tells nothing.
        let same = Native::sha256(token.as_bytes()) == Native::sha256(service.token.as_bytes());
        return match same && from.ip().to_canonical().is_loopback() {
            true => Ok(()),
            false => refuse("token", "not the token of this node, or not from its machine"),
        };
    }
    let seat = text(SEAT_HEADER).and_then(|seat| seat.parse::<Seat>().ok());
    let signature = text(SIGNATURE_HEADER).filter(|signature| signature.len() == 128);
    let (Some(seat), Some(signature)) = (seat, signature) else {
        let error = "a proposal is signed by a seat, or comes from this machine with the token";
        return refuse("unsigned", error);
    };
    let peers = &service.peers;
    let message = proposal_message(peers.rules_digest(), body);
    match peers.verify(seat, &message, signature) {
        true => Ok(()),
        false => refuse("forged", "the signature is not that of a seat under the rules here"),
    }
}

async fn wait_for_certificate(
    service: &Service,
    position: Position,
    deadline: Instant,
) -> Result<Outcome, Failure> {
    service.hurry();
    let mut changes = service.engine.changes();
    let certified = changes.wait_for(|snapshot| !snapshot.status.uncertified.contains(&position));
    let certified = tokio::time::timeout_at(deadline.into(), certified).await.is_ok();
    Ok(if certified {
        Outcome::Certified { position, promised: BTreeSet::new(), accepted: BTreeSet::new() }
    } else {
        let look = service.engine.look(move |node| node.without_share(position));
        Outcome::Failed {
            decided: Some(position),
            missing: look.await.ok_or_else(Failure::busy)?,
            refusals: BTreeMap::new(),
        }
    })
}

// A node that does not lead learns from the others that they refuse a value. If it refuses the
// value itself, that is the answer.
async fn own_view(service: &Service, value: Vec<u8>, outcome: Outcome) -> Outcome {
    match &outcome {
        Outcome::Failed { decided: None, refusals, .. } if !refusals.is_empty() => {}
        _ => return outcome,
    }
    let now = Now { timer_ms: 0, wall_ms: super::wall_ms() };
    let check = move |node: &FeedsNode| node.application().wants(&value, now);
    match service.engine.look(check).await {
        Some(Err(refusal)) => Outcome::Refused(refusal),
        _ => outcome,
    }
}

async fn respond(
    service: &Service,
    slot: u64,
    digest: Hash,
    outcome: Outcome,
) -> Result<Response, Failure> {
    let (name, status, body) = match outcome {
        Outcome::Certified { position, promised, accepted } => {
            let entry = service.engine.look(move |node| node.entries(position, 1).pop());
            let entry = entry.await.flatten().ok_or_else(Failure::busy)?;
            let body = certified(slot, digest, &entry, &promised, &accepted);
            ("certified", StatusCode::OK, body)
        }
        Outcome::PassedOver { position } => {
            let error = format!("decided at position {position}, but its slot was taken before");
            ("passed_over", StatusCode::CONFLICT, json!({ "error": error }))
        }
        Outcome::Refused(Refusal(error)) => {
            ("refused", StatusCode::CONFLICT, json!({ "error": error }))
        }
        Outcome::Busy => return Err(Failure::busy()),
        Outcome::Failed { decided, missing, refusals } => {
            let body = failed(service, slot, decided, &missing, &refusals);
            ("failed", StatusCode::SERVICE_UNAVAILABLE, body)
        }
    };
    count(&service.metrics.proposals, name);
    Ok(answer(status, body))
}

fn certified(
    slot: u64,
    digest: Hash,
    entry: &Entry,
    promised: &BTreeSet<Seat>,
    accepted: &BTreeSet<Seat>,
) -> Value {
    // Who led counted the votes; in the Byzantine form everybody has the proof with them.
    let proof: Option<BTreeSet<Seat>> = entry.proof.as_ref().map(|proof| proof.seats().collect());
    let accepted = proof.as_ref().filter(|_| accepted.is_empty()).unwrap_or(accepted);
    let certificate = entry.certificate.as_ref();
    let attested = certificate.map(|c| c.seats().collect::<Vec<_>>());
    json!({
        "position": entry.position,
        "slot": slot,
        "digest": hex::encode(digest),
        "proposal": hex::encode(&entry.value),
        "certificate": certificate.map(|c| hex::encode(c.encode())),
        "promised": promised,
        "accepted": accepted,
        "attested": attested.unwrap_or_default(),
    })
}

fn failed(
    service: &Service,
    slot: u64,
    decided: Option<Position>,
    missing: &BTreeSet<Seat>,
    refusals: &BTreeMap<Seat, String>,
) -> Value {
    let network = &service.network;
    let present = network.nodes.len().saturating_sub(missing.len());
    let error = match decided {
        Some(_) => format!(
            "slot {slot} is decided, but only {present} of the {} attestations that it needs \
             came in time; it will be certified when more nodes answer",
            network.attestation_quorum().size()
        ),
        None if !refusals.is_empty() => {
            format!("not decided: {} nodes refuse it", refusals.len())
        }
        None => format!(
            "not decided in time: {present} nodes answer, {} must accept",
            network.quorum().size()
        ),
    };
    let refusals = refusals.iter().map(|(seat, reason)| json!({ "seat": seat, "reason": reason }));
    json!({
        "error": error,
        "slot": slot,
        "position": decided,
        "missing": missing,
        "refusals": refusals.collect::<Vec<_>>(),
    })
}
