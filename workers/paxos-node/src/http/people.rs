//! Questions that change nothing: status, log, certificates, figures.

use super::{answer, Failure, Service};
use crate::engine::{Command, FeedView};
use crate::feeds::{open, LEADERBOARD};
use crate::peers::Reach;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cicada_consensus::{digest, Entry, Input};
use cicada_core::hash::Hash;
use parity_scale_codec::Encode;
use serde::Deserialize;
use serde_json::{json, Map, Value};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most entries in one answer.
const LIMIT: u16 = 256;
/// Values of one answer begin within so many bytes, as in [`log`]: those of baskets are long.
const LONGEST_LIST: usize = 512 * 1024;

pub(super) async fn status(State(service): State<Arc<Service>>) -> Response {
    let snapshot = service.engine.snapshot();
    let status = &snapshot.status;
    let network = &service.network;
    let votes = status.votes.iter().map(|(position, ballot, digest)| {
        json!({
            "position": position,
            "round": ballot.round,
            "seat": ballot.seat,
            "digest": hex::encode(digest),
        })
    });
    let with = |wanted: Reach| -> Vec<u8> {
        let reach = service.peers.reach();
        reach.into_iter().filter(|(_, r)| *r == wanted).map(|(s, _)| s).collect()
    };
    // In crash mode there are no views: the promise names the leader, if there is one.
    let view = service.config.byzantine().then_some(status.promised.round);
    let leader = (status.promised.round > 0).then_some(status.promised.seat);
    let board = snapshot.feeds.first();
    let feeds = snapshot.feeds.iter().map(|feed| (feed.name.to_owned(), feed_view(feed)));
    let body = json!({
        "node_id": service.peers.seat(),
        "fault_model": network.fault_model,
        "view": view,
        "leader": leader,
        "leading": status.leading.is_some(),
        "decided_position": status.decided,
        "certified_slot": board.map_or(0, |board| board.certified_slot),
        "nodes": network.nodes.len(),
        "quorum": network.quorum().size(),
        "attestation_quorum": network.attestation_quorum().size(),
        "epoch": network.epoch,
        "config_digest": hex::encode(network.config_digest()),
        "rules_digest": hex::encode(service.peers.rules_digest()),
        "rules": network.rules,
        "promised_proposal": status.promised.round,
        "promised_proposer": status.promised.seat,
        "accepted": votes.collect::<Vec<Value>>(),
        "proposals_waiting": status.proposals,
        "has_value": status.decided > 0 || !status.votes.is_empty(),
        "feeds": feeds.collect::<Map<String, Value>>(),
        "peers": {
            "reachable": with(Reach::Reachable),
            "unreachable": with(Reach::Unreachable),
        },
        "engine_lag_ms": service.engine.lag_ms(),
        "uptime_seconds": service.started.elapsed().as_secs(),
    });
    answer(StatusCode::OK, body)
}

fn feed_view(feed: &FeedView) -> Value {
    json!({
        "slot": feed.newest.slot,
        "digest": hex::encode(feed.newest.digest),
        "time_ms": feed.newest.time_ms,
        "certified_slot": feed.certified_slot,
        "settled_slot": feed.settled_slot,
        "uncertified_slots": feed.uncertified_slots,
    })
}

#[derive(Deserialize)]
pub(super) struct LogRange {
    #[serde(default)]
    from: u64,
    limit: Option<u16>,
}

pub(super) async fn log(
    State(service): State<Arc<Service>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Query(range): Query<LogRange>,
) -> Result<Response, Failure> {
    let place = service.questions.place(from)?;
    let limit = range.limit.unwrap_or(64).min(LIMIT);
    let entries = service.engine.look(move |node| (node.entries(range.from, limit), place));
    let (entries, _place) = entries.await.ok_or_else(Failure::busy)?;
    let entries = entries.into_iter().map(|entry| {
        json!({
            "position": entry.position,
            "digest": hex::encode(digest(&entry.value)),
            "value": hex::encode(&entry.value),
            "proposer": open(&entry.value).1.map(|proposer| proposer.seat),
            "certificate": entry.certificate.map(|c| hex::encode(c.encode())),
        })
    });
    let body = json!({
        "decided_position": service.engine.snapshot().status.decided,
        "entries": entries.collect::<Vec<Value>>(),
    });
    Ok(answer(StatusCode::OK, body))
}

#[derive(Deserialize)]
pub(super) struct Slots {
    feed: Option<String>,
    #[serde(default)]
    after: u64,
    limit: Option<u16>,
}

pub(super) async fn certificates(
    State(service): State<Arc<Service>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Query(slots): Query<Slots>,
) -> Result<Response, Failure> {
    let name = slots.feed.unwrap_or_else(|| LEADERBOARD.to_owned());
    let snapshot = service.engine.snapshot();
    if snapshot.feeds.iter().all(|feed| feed.name != name) {
        let names: Vec<&str> = snapshot.feeds.iter().map(|feed| feed.name).collect();
        let error = format!("the feeds of this network are: {}", names.join(", "));
        return Err(Failure::new(StatusCode::NOT_FOUND, error));
    }
    let place = service.questions.place(from)?;
    let limit = slots.limit.unwrap_or(64).min(LIMIT);
    let found = service.engine.look(move |node| {
        let line = node.application().named(&name);
        let entry = |(slot, position, digest)| {
            let entry = node.entries(position, 1).pop()?;
            Some((slot, digest, entry))
        };
        let newer = line.into_iter().flat_map(|line| line.after(slots.after));
        let mut room = LONGEST_LIST;
        let fits = |(_, _, entry): &(u64, Hash, Entry)| {
            let begun = room > 0;
            room = room.saturating_sub(entry.value.len());
            begun
        };
        let found = newer.take(usize::from(limit)).filter_map(entry).take_while(fits);
        (found.collect::<Vec<_>>(), place)
    });
    let (found, _place) = found.await.ok_or_else(Failure::busy)?;
    if found.iter().any(|(_, _, entry)| entry.certificate.is_none()) {
        service.hurry();
    }
    let found = found.into_iter().map(|(slot, digest, entry)| {
        json!({
            "slot": slot,
            "digest": hex::encode(digest),
            "proposal": hex::encode(open(&entry.value).0),
            "proposer": open(&entry.value).1.map(|proposer| proposer.seat),
            "certificate": entry.certificate.map(|c| hex::encode(c.encode())),
        })
    });
    Ok(answer(StatusCode::OK, found.collect::<Vec<Value>>()))
}

#[derive(Deserialize)]
pub(super) struct Slot {
    feed: Option<String>,
    slot: u64,
}

pub(super) async fn attestation(
    State(service): State<Arc<Service>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Query(of): Query<Slot>,
) -> Result<Response, Failure> {
    let name = of.feed.unwrap_or_else(|| LEADERBOARD.to_owned());
    let place = service.questions.place(from)?;
    let signed = service.engine.look(move |node| {
        let signed = || {
            let line = node.application().named(&name)?;
            let (slot, position, _) = line.after(of.slot.checked_sub(1)?).next()?;
            (slot == of.slot).then(|| node.attestation(position)).flatten()
        };
        (signed(), place)
    });
    let (signature, _place) = signed.await.ok_or_else(Failure::busy)?;
    let signature = signature.ok_or_else(|| {
        let error = format!("slot {} is not decided here, or I attested another report", of.slot);
        Failure::new(StatusCode::NOT_FOUND, error)
    })?;
    let signature = hex::encode(signature);
    let body = json!({ "seat": service.peers.seat(), "slot": of.slot, "signature": signature });
    Ok(answer(StatusCode::OK, body))
}

impl Service {
    /// Asks again for missing attestations, at most every three seconds, whoever asks.
    pub(super) fn hurry(&self) {
        let mut again = match self.certify_again.lock() {
            Ok(again) => again,
            Err(poisoned) => poisoned.into_inner(),
        };
        let now = Instant::now();
        if *again <= now {
            *again = now + Duration::from_secs(3);
            self.engine.offer(Command::Input(Input::Certify));
        }
    }
}

pub(super) async fn metrics(State(service): State<Arc<Service>>) -> Response {
    service.metrics.engine_lag_ms.set(service.engine.lag_ms());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], service.metrics.text()).into_response()
}
