//! A value of any feed to decide: the node leads it to its certificate, under the name of who
//! proposes it.

use super::{answer, Failure, Service};
use crate::engine::{Command, FeedsNode};
use crate::envelope::decode;
use crate::feeds::{open, report_of, seal, Proposer};
use crate::metrics::count;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use cicada_consensus::{Application, Entry, Now, Outcome, Position, Refusal, Seat};
use cicada_core::hash::{Digest, Hasher, Native};
use cicada_core::report::Report;
use cicada_network::{
    proposal_message, proposer_message, PROPOSER_HEADER, SEAT_HEADER, SIGNATURE_HEADER,
    TOKEN_HEADER,
};
use cicada_node_api as api;
use cicada_node_api::{Opaque, Scale};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, OwnedSemaphorePermit};

/// How long a proposal may take, unless the request says otherwise.
const DEFAULT_MS: u64 = 10_000;
/// The longest that it may say.
const LONGEST_MS: u64 = 60_000;
/// The same of another seat.
const LONGEST_OF_OTHERS_MS: u64 = 15_000;

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
    let seat = admit(&service, from, &headers, &body)?;
    let place = place(&service, seat)?;
    let report = report_of(&body)
        .ok_or_else(|| Failure::bad("the body is not the SCALE encoding of a value of any feed"))?;
    let slot = report.slot;
    let digest = report.digest::<Native>();
    let longest = if seat == service.peers.seat() { LONGEST_MS } else { LONGEST_OF_OTHERS_MS };
    let patience = patience.timeout_ms.unwrap_or(DEFAULT_MS).min(longest);
    let begin = Instant::now();
    let deadline = begin + Duration::from_millis(patience);
    // Decided before: perhaps the answer was lost on its way.
    let outcome = match decided(&service, &report, &digest).await? {
        Some(position) => wait_for_certificate(&service, position, deadline).await?,
        None => {
            let value = seal(&report, &body, &proposer(&service, seat, &headers, &body)?);
            match lead(&service, &value, deadline, place).await? {
                outcome if is_done(&outcome) => outcome,
                // Perhaps another seat has proposed the same report.
                outcome => match decided(&service, &report, &digest).await? {
                    Some(position) => wait_for_certificate(&service, position, deadline).await?,
                    None => outcome,
                },
            }
        }
    };
    if matches!(outcome, Outcome::Certified { .. }) {
        let took = begin.elapsed().as_secs_f64();
        service.metrics.propose_seconds.observe(took);
    }
    respond(&service, slot, digest, outcome).await
}

// Where a report stands in the log, if it does.
async fn decided(
    service: &Service,
    report: &Report,
    digest: &Digest,
) -> Result<Option<Position>, Failure> {
    let (feed, slot) = (report.feed, report.slot);
    let known = service.engine.look(move |node| node.application().line(&feed)?.slot(slot));
    let known = known.await.ok_or_else(Failure::busy)?;
    Ok(known.filter(|(_, decided)| decided == digest).map(|(position, _)| position))
}

// Whether a value has got as far as it could within its time.
fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Certified { .. } | Outcome::Failed { decided: Some(_), .. })
}

// Room for one more proposal of a seat.
fn place(service: &Service, seat: Seat) -> Result<OwnedSemaphorePermit, Failure> {
    let room = service.proposal_rooms.get(usize::from(seat)).cloned();
    room.and_then(|room| room.try_acquire_owned().ok()).ok_or_else(|| {
        count(&service.metrics.refused, "quota");
        let error = "too many proposals of this seat are in work";
        Failure::new(StatusCode::TOO_MANY_REQUESTS, error)
    })
}

// Gets a value decided that this node itself would propose. Others hear of no other ones.
async fn lead(
    service: &Service,
    value: &[u8],
    deadline: Instant,
    place: OwnedSemaphorePermit,
) -> Result<Outcome, Failure> {
    if !service.observe(value).await {
        return Err(Failure::busy());
    }
    if let Err(refusal) = wants(service, value).await.ok_or_else(Failure::busy)? {
        return Ok(Outcome::Refused(refusal));
    }
    let (reply, receive) = oneshot::channel();
    let wait = deadline.saturating_duration_since(Instant::now());
    if !service.engine.offer(Command::Propose(value.to_vec(), wait, reply)) {
        return Err(Failure::busy());
    }
    // The place is taken as long as the value is in work, also if who brought it has gone.
    let ended = tokio::spawn(async move {
        let outcome = receive.await;
        drop(place);
        outcome.ok()
    });
    let outcome = ended.await.ok().flatten().ok_or_else(Failure::busy)?;
    Ok(own_view(service, value, outcome).await)
}

// Whether this node would propose a value now; `None` if it is too busy to say.
async fn wants(service: &Service, value: &[u8]) -> Option<Result<(), Refusal>> {
    let (value, now) = (value.to_vec(), Now { timer_ms: 0, wall_ms: super::now_ms() });
    let check = move |node: &FeedsNode| node.application().wants(&value, now);
    service.engine.look(check).await
}

// The seat that this comes from; a program of this machine that can read the token speaks for the
// own one. A stranger takes no room.
fn admit(
    service: &Service,
    from: SocketAddr,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Seat, Failure> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let refuse = |reason, error: &str| {
        count(&service.metrics.refused, reason);
        Err(Failure::new(StatusCode::UNAUTHORIZED, error))
    };
    if let Some(token) = text(TOKEN_HEADER) {
        // Compared by digest: how long that takes tells nothing.
        let same = Native::sha256(token.as_bytes()) == Native::sha256(service.token.as_bytes());
        return match same && from.ip().to_canonical().is_loopback() {
            true => Ok(service.peers.seat()),
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
    let message = proposal_message(peers.rules_digest(), peers.seat(), body);
    match peers.verify(seat, &message, signature) {
        true => Ok(seat),
        false => refuse("forged", "the signature is not that of a seat under the rules here"),
    }
}

// Who proposes, for all nodes. For its own seat this node signs.
fn proposer(
    service: &Service,
    seat: Seat,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Proposer, Failure> {
    let peers = &service.peers;
    if seat == peers.seat() {
        let signature = peers.signature(&proposer_message(peers.rules_digest(), body));
        return Ok(Proposer { seat, signature });
    }
    let signature = headers.get(PROPOSER_HEADER).and_then(|value| value.to_str().ok());
    let signature = signature.and_then(decode).ok_or_else(|| {
        Failure::bad(format!("the signature of the proposer, {PROPOSER_HEADER}, is missing"))
    })?;
    Ok(Proposer { seat, signature })
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

// What was right at first may not be so any more. If this node refuses the value itself by now, that
// is the answer, whatever the others say.
async fn own_view(service: &Service, value: &[u8], outcome: Outcome) -> Outcome {
    match &outcome {
        Outcome::Failed { decided: None, refusals, .. } if !refusals.is_empty() => {}
        _ => return outcome,
    }
    match wants(service, value).await {
        Some(Err(refusal)) => Outcome::Refused(refusal),
        _ => outcome,
    }
}

async fn respond(
    service: &Service,
    slot: u64,
    digest: Digest,
    outcome: Outcome,
) -> Result<Response, Failure> {
    let (name, answered) = match outcome {
        Outcome::Certified { position, promised, accepted } => {
            let entry = service.engine.look(move |node| node.entries(position, 1).pop());
            let entry = entry.await.flatten().ok_or_else(Failure::busy)?;
            let body = certified(slot, digest, entry, promised, accepted);
            let body = body.ok_or_else(Failure::busy)?;
            ("certified", Ok(answer(StatusCode::OK, body)))
        }
        Outcome::PassedOver { position } => {
            let error = format!("decided at position {position}, but its slot was taken before");
            ("passed_over", Err(Failure::new(StatusCode::CONFLICT, error)))
        }
        Outcome::Refused(Refusal(error)) => {
            ("refused", Err(Failure::new(StatusCode::CONFLICT, error)))
        }
        Outcome::Busy => return Err(Failure::busy()),
        Outcome::Failed { decided, missing, refusals } => {
            let body = failed(service, slot, decided, missing, refusals);
            ("failed", Ok(answer(StatusCode::SERVICE_UNAVAILABLE, body)))
        }
    };
    count(&service.metrics.proposals, name);
    answered
}

// None if its certificate has gone.
fn certified(
    slot: u64,
    digest: Digest,
    entry: Entry,
    promised: BTreeSet<Seat>,
    accepted: BTreeSet<Seat>,
) -> Option<api::Certified> {
    // Who led counted the votes; in the Byzantine form everybody has the proof with them.
    let proof: Option<BTreeSet<Seat>> = entry.proof.as_ref().map(|proof| proof.seats().collect());
    let accepted = proof.filter(|_| accepted.is_empty()).unwrap_or(accepted);
    let certificate = entry.certificate?;
    let (value, proposer) = open(&entry.value);
    Some(api::Certified {
        position: entry.position,
        slot,
        digest,
        proposal: Scale(Opaque(value.to_vec())),
        proposer: proposer.map(|proposer| proposer.seat),
        promised: promised.into_iter().collect(),
        accepted: accepted.into_iter().collect(),
        attested: certificate.seats().collect(),
        certificate: Scale(certificate),
    })
}

fn failed(
    service: &Service,
    slot: u64,
    decided: Option<Position>,
    missing: BTreeSet<Seat>,
    refusals: BTreeMap<Seat, String>,
) -> api::Failed {
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
    let refusals = refusals.into_iter().map(|(seat, words)| api::Refusal::new(seat, words));
    api::Failed {
        error,
        slot: Some(slot),
        position: decided,
        missing: missing.into_iter().collect(),
        refusals: refusals.collect(),
    }
}
