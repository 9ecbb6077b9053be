//! What other nodes ask: signed SCALE. And the same routes for people: JSON, as a question.

use super::{answer, Failure, Service};
use crate::engine::Command;
use crate::envelope::{answer_message, request_message, SEAT_HEADER, SIGNATURE_HEADER};
use crate::metrics::count;
use crate::peers::route;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use cicada_consensus::{Application, Ballot, Config, Input, Now, Refusal, Request, Seat};
use cicada_core::hash::Digest;
use cicada_node_api::{Opaque, Scale};
use parity_scale_codec::{DecodeAll, Encode};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a question for a verdict keeps its place: so many a second are answered at most.
const REST: Duration = Duration::from_millis(200);
/// How long the engine may take.
const PATIENCE: Duration = Duration::from_secs(5);

type Answered = Result<Response, Failure>;

/// A request of any of these routes. Of two of them people may ask what this node would answer.
pub(super) async fn serve(
    State(service): State<Arc<Service>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    match uri.path() {
        "/paxos/prepare" if is_json(&headers) => asked_prepare(&service, &body).await,
        "/paxos/accept" if is_json(&headers) => asked_accept(&service, &body).await,
        path => signed(&service, &headers, &body, path).await,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

async fn signed(service: &Service, headers: &HeaderMap, body: &[u8], path: &str) -> Answered {
    let busy = || {
        count(&service.metrics.refused, "busy");
        Failure::busy()
    };
    let room = service.node_room.clone().try_acquire_owned().map_err(|_| busy())?;
    let claimed = claimed(service, headers)?;
    // Before the signature is looked at: checking it is the work to be saved.
    let seat_room = service.seat_room.get(usize::from(claimed.seat)).cloned();
    let quota = seat_room.and_then(|room| room.try_acquire_owned().ok()).ok_or_else(|| {
        count(&service.metrics.refused, "quota");
        let error = "too many requests of this seat are in work";
        Failure::new(StatusCode::TOO_MANY_REQUESTS, error)
    })?;
    let from = claimed.seat;
    let message = authenticate(service, &claimed, body)?;
    service.peers.note(from, true);
    let request = Request::decode_all(&mut &body[..])
        .ok()
        .filter(|request| route(request) == path)
        .ok_or_else(|| {
            count(&service.metrics.refused, "malformed");
            Failure::bad("not a request of this route")
        })?;
    count(&service.metrics.requests, request.name());
    if let Some(value) = judged(&request) {
        if !service.observe(value).await {
            return Err(busy());
        }
    }
    let (reply, receive) = oneshot::channel();
    let input = Input::Request { from, request };
    if !service.engine.offer(Command::Request(input, reply)) {
        return Err(busy());
    }
    // The places are taken as long as the engine may have it before it, also if who asked has gone.
    let answered = tokio::spawn(async move {
        let answered = tokio::time::timeout(PATIENCE, receive).await;
        drop((room, quota));
        answered.ok()?.ok()
    });
    let answered = answered.await.ok().flatten().ok_or_else(busy)?;
    let body = answered.encode();
    let peers = &service.peers;
    let signed = answer_message(peers.rules_digest(), peers.seat(), &Digest(message), &body);
    let headers = [
        (CONTENT_TYPE.as_str(), "application/octet-stream".to_owned()),
        (SIGNATURE_HEADER, peers.sign(&signed)),
    ];
    Ok((headers, body).into_response())
}

// The value that the node will check by its own observation.
fn judged(request: &Request) -> Option<&[u8]> {
    match request {
        Request::Accept { value, .. } | Request::Suggest { value } => Some(value),
        Request::Propose { proposal, .. } => Some(&proposal.value),
        _ => None,
    }
}

// Who somebody claims to be.
struct Claimed<'a> {
    seat: Seat,
    signature: &'a str,
}

fn refuse(service: &Service, reason: &'static str, error: &str) -> Failure {
    count(&service.metrics.refused, reason);
    Failure::new(StatusCode::UNAUTHORIZED, error)
}

// Who claims to ask. Strangers are turned away here, before any signature work.
fn claimed<'a>(service: &Service, headers: &'a HeaderMap) -> Result<Claimed<'a>, Failure> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let seat = text(SEAT_HEADER).and_then(|seat| seat.parse::<Seat>().ok());
    let known = seat.filter(|seat| service.peers.has(*seat));
    let seat =
        known.ok_or_else(|| refuse(service, "stranger", "not from a node of this network"))?;
    let signature = text(SIGNATURE_HEADER).filter(|signature| signature.len() == 128);
    let signature =
        signature.ok_or_else(|| refuse(service, "unsigned", "the request is not signed"))?;
    Ok(Claimed { seat, signature })
}

// The message that was signed, if the claim is true.
fn authenticate(service: &Service, claimed: &Claimed, body: &[u8]) -> Result<[u8; 32], Failure> {
    let peers = &service.peers;
    let message = request_message(peers.rules_digest(), claimed.seat, peers.seat(), body);
    match peers.verify(claimed.seat, &message, claimed.signature) {
        true => Ok(message.0),
        false => Err(refuse(service, "forged", "the signature is not that of the seat")),
    }
}

#[derive(Deserialize)]
struct Question {
    // The ballot's round; in the Byzantine form the view.
    proposal_number: u64,
    // In the Byzantine form the view's leader, unless it is given.
    #[serde(default)]
    proposer_id: Option<u8>,
    // For accept.
    #[serde(default)]
    proposal: Option<Scale<Opaque>>,
}

const NOTE: &str =
    "an answer to a question: nothing was promised or accepted; only signed messages of nodes are";

impl Question {
    fn read(body: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(body).map_err(|error| Failure::bad(error.to_string()))
    }

    fn proposer(&self, config: &Config) -> Seat {
        let leader = if config.byzantine() { config.leader(self.proposal_number) } else { 0 };
        self.proposer_id.unwrap_or(leader)
    }

    // Why this node would not even look at the value, if it would not.
    fn objection(&self, config: &Config, promised: Ballot) -> Option<String> {
        let number = self.proposal_number;
        let asked = Ballot { round: number, seat: self.proposer(config) };
        if number == 0 {
            return Some("proposal numbers start at 1".into());
        }
        if !config.byzantine() {
            let below = asked < promised;
            return below.then(|| format!("the ballot {promised} has this node's promise"));
        }
        let leader = config.leader(number);
        if asked.seat != leader {
            return Some(format!("view {number} is led by seat {leader}"));
        }
        let below = number < promised.round;
        below.then(|| {
            format!("this node is in view {}, led by seat {}", promised.round, promised.seat)
        })
    }
}

// Would this node promise? In the Byzantine form: pledge to that view, once a quorum wishes for
// it.
async fn asked_prepare(service: &Service, body: &[u8]) -> Answered {
    let question = Question::read(body)?;
    let status = &service.engine.snapshot().status;
    let objection = question.objection(&service.config, status.promised);
    let accepted = status.votes.last().map(|(position, ballot, digest)| {
        json!({
            "position": position,
            "proposal_number": ballot.round,
            "proposer_id": ballot.seat,
            "digest": digest,
        })
    });
    Ok(answer(
        StatusCode::OK,
        json!({
            "acceptor_id": service.peers.seat(),
            "proposal_number": question.proposal_number,
            "proposer_id": question.proposer(&service.config),
            "promised": objection.is_none(),
            "error": objection,
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
    let permit = service.verdict_room.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Failure::busy())?;
    tokio::spawn(async move {
        tokio::time::sleep(REST).await;
        drop(permit);
    });
    let value = question.proposal.clone();
    let Scale(Opaque(value)) = value.ok_or_else(|| Failure::bad("`proposal` (hex) is missing"))?;
    let now = Now { timer_ms: 0, wall_ms: super::now_ms() };
    let checked = service.engine.look(move |node| {
        let checked = node.application().check(&value, now);
        (checked, node.status().promised)
    });
    let (checked, promised) = checked.await.ok_or_else(Failure::busy)?;
    let objection = question.objection(&service.config, promised);
    let reason = objection.or(checked.err().map(|Refusal(reason)| reason));
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
