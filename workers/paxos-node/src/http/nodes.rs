//! What other nodes ask: signed SCALE. And the same routes for people: JSON, as a question.

use super::{answer, Failure, Service};
use crate::engine::Command;
use crate::envelope::{answer_message, request_message, verify, SEAT_HEADER, SIGNATURE_HEADER};
use crate::metrics::count;
use crate::peers::route;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use cicada_consensus::{Application, Input, Now, Origin, Refusal, Request, Seat};
use parity_scale_codec::{DecodeAll, Encode};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

/// How long the engine may take.
const PATIENCE: Duration = Duration::from_secs(5);

type Answered = Result<Response, Failure>;

pub(super) async fn prepare(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    if is_json(&headers) {
        return asked_prepare(&service, &body).await;
    }
    serve(&service, &headers, &body, "/paxos/prepare").await
}

pub(super) async fn accept(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    if is_json(&headers) {
        return asked_accept(&service, &body).await;
    }
    serve(&service, &headers, &body, "/paxos/accept").await
}

pub(super) async fn commit(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    serve(&service, &headers, &body, "/paxos/commit").await
}

pub(super) async fn decided(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    serve(&service, &headers, &body, "/paxos/decided").await
}

pub(super) async fn timeout(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    serve(&service, &headers, &body, "/paxos/timeout").await
}

pub(super) async fn suggest(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    serve(&service, &headers, &body, "/paxos/suggest").await
}

pub(super) async fn fetch(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    serve(&service, &headers, &body, "/paxos/log").await
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

async fn serve(service: &Service, headers: &HeaderMap, body: &[u8], path: &str) -> Answered {
    let _permit = service.node_room.try_acquire().map_err(|_| {
        count(&service.metrics.dropped, "busy");
        Failure::busy()
    })?;
    let (from, message) = authenticate(service, headers, body)?;
    service.peers.note(from, true);
    let request = Request::decode_all(&mut &body[..])
        .ok()
        .filter(|request| route(request) == path)
        .ok_or_else(|| {
            count(&service.metrics.dropped, "malformed");
            Failure::bad("not a request of this route")
        })?;
    count(&service.metrics.requests, request.name());
    let (reply, receive) = oneshot::channel();
    let input = Input::Request { from, request };
    if !service.engine.offer(Command::Request(input, reply)) {
        return Err(Failure::busy());
    }
    let answered = tokio::time::timeout(PATIENCE, receive).await;
    let Ok(Ok(answered)) = answered else {
        return Err(Failure::busy());
    };
    let body = answered.encode();
    let peers = &service.peers;
    let signed = answer_message(peers.config_digest(), peers.seat(), &message, &body);
    let headers = [
        (CONTENT_TYPE.as_str(), "application/octet-stream".to_owned()),
        (SIGNATURE_HEADER, peers.sign(&signed)),
    ];
    Ok((headers, body).into_response())
}

// Who asks, and the message that was signed. Strangers are turned away before any signature
// work.
fn authenticate(
    service: &Service,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Seat, [u8; 32]), Failure> {
    let refuse = |reason: &'static str, error: &str| {
        count(&service.metrics.dropped, reason);
        Failure::new(StatusCode::UNAUTHORIZED, error)
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let seat = text(SEAT_HEADER).and_then(|seat| seat.parse::<Seat>().ok());
    let known = seat.and_then(|seat| Some((seat, service.peers.key(seat)?)));
    let (from, key) = known.ok_or_else(|| refuse("stranger", "not from a node of this network"))?;
    let signature = text(SIGNATURE_HEADER).filter(|signature| signature.len() == 128);
    let signature = signature.ok_or_else(|| refuse("unsigned", "the request is not signed"))?;
    let peers = &service.peers;
    let message = request_message(peers.config_digest(), from, peers.seat(), body);
    if !verify(signature, &message, key) {
        return Err(refuse("forged", "the signature is not that of the seat"));
    }
    Ok((from, message))
}

#[derive(Deserialize)]
struct Question {
    proposal_number: u64,
    #[serde(default)]
    proposer_id: u8,
    // SCALE of a proposal in hex, for accept.
    #[serde(default)]
    proposal: Option<String>,
}

const NOTE: &str =
    "an answer to a question: nothing was promised or accepted; only signed messages of nodes are";

impl Question {
    fn read(body: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(body).map_err(|error| Failure::bad(error.to_string()))
    }
}

// Would this node promise?
async fn asked_prepare(service: &Service, body: &[u8]) -> Answered {
    let question = Question::read(body)?;
    let status = &service.engine.snapshot().status;
    let ballot = (question.proposal_number, question.proposer_id);
    let promised = (status.promised.round, status.promised.seat);
    let accepted = status.votes.last().map(|(position, ballot, digest)| {
        json!({
            "position": position,
            "proposal_number": ballot.round,
            "proposer_id": ballot.seat,
            "digest": hex::encode(digest),
        })
    });
    Ok(answer(
        StatusCode::OK,
        json!({
            "acceptor_id": service.peers.seat(),
            "proposal_number": question.proposal_number,
            "promised": ballot >= promised && question.proposal_number > 0,
            "promised_proposal": status.promised.round,
            "promised_proposer": status.promised.seat,
            "accepted_value": accepted,
            "note": NOTE,
        }),
    ))
}

// Would this node accept?
async fn asked_accept(service: &Service, body: &[u8]) -> Answered {
    let question = Question::read(body)?;
    let _permit = service.question_room.try_acquire().map_err(|_| Failure::busy())?;
    let hex = question.proposal.ok_or_else(|| Failure::bad("`proposal` (hex) is missing"))?;
    let value = hex::decode(hex.trim_start_matches("0x"))
        .map_err(|_| Failure::bad("`proposal` is not hex"))?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Now { timer_ms: 0, wall_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX) };
    let checked = service.engine.look(move |node| {
        let checked = node.application().check(&value, Origin::Fresh, now);
        (checked, node.status().promised)
    });
    let (checked, promised) = checked.await.ok_or_else(Failure::busy)?;
    let ballot = (question.proposal_number, question.proposer_id);
    let reason = if ballot < (promised.round, promised.seat) {
        Some(format!("the ballot {promised} has this node's promise"))
    } else {
        checked.err().map(|Refusal(reason)| reason)
    };
    Ok(answer(
        StatusCode::OK,
        json!({
            "acceptor_id": service.peers.seat(),
            "proposal_number": question.proposal_number,
            "accepted": reason.is_none(),
            "error": reason,
            "note": NOTE,
        }),
    ))
}
