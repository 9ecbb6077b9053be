//! Questions that change nothing: status, log, certificates, figures.

use super::{answer, Failure, Service};
use crate::engine::{Command, FeedView};
use crate::feeds::open;
use crate::peers::Reach;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cicada_consensus::{digest, Entry, Input};
use cicada_core::hash::Digest;
use cicada_core::report::ReportKind;
use cicada_node_api::{
    Attestation, Decided, FeedStatus, Log, LogEntry, Opaque, Reached, Scale, Status, Vote,
};
use cicada_program::http::{figures, Figures};
use serde::Deserialize;
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
    let votes = status.votes.iter().map(|(position, ballot, digest)| Vote {
        position: *position,
        round: ballot.round,
        seat: ballot.seat,
        digest: *digest,
    });
    let with = |wanted: Reach| -> Vec<u8> {
        let reach = service.peers.reach();
        reach.into_iter().filter(|(_, r)| *r == wanted).map(|(s, _)| s).collect()
    };
    let board = snapshot.feed(ReportKind::Leaderboard);
    let feeds = snapshot.feeds.iter().map(|feed| (feed.kind.name().to_owned(), feed_status(feed)));
    let body = Status {
        node_id: service.peers.seat(),
        fault_model: network.fault_model,
        // In crash mode there are no views: the promise names the leader, if there is one.
        view: service.config.byzantine().then_some(status.promised.round),
        leader: (status.promised.round > 0).then_some(status.promised.seat),
        leading: status.leading.is_some(),
        decided_position: status.decided,
        certified_slot: board.map_or(0, |board| board.certified_slot),
        nodes: network.nodes.len(),
        quorum: network.quorum().size(),
        attestation_quorum: network.attestation_quorum().size(),
        epoch: network.epoch,
        config_digest: network.config_digest(),
        rules_digest: *service.peers.rules_digest(),
        rules: network.rules,
        promised_proposal: status.promised.round,
        promised_proposer: status.promised.seat,
        accepted: votes.collect(),
        proposals_waiting: status.proposals,
        has_value: status.decided > 0 || !status.votes.is_empty(),
        feeds: feeds.collect(),
        peers: Reached { reachable: with(Reach::Reachable), unreachable: with(Reach::Unreachable) },
        engine_lag_ms: service.engine.lag_ms(),
        uptime_seconds: service.started.elapsed().as_secs(),
    };
    answer(StatusCode::OK, body)
}

fn feed_status(feed: &FeedView) -> FeedStatus {
    FeedStatus {
        slot: feed.newest.slot,
        digest: feed.newest.digest,
        time_ms: feed.newest.time_ms,
        certified_slot: feed.certified_slot,
        settled_slot: feed.settled_slot,
        uncertified_slots: feed.uncertified_slots.clone(),
    }
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
    let entries = entries.into_iter().map(|entry| LogEntry {
        position: entry.position,
        digest: digest(&entry.value),
        proposer: open(&entry.value).1.map(|proposer| proposer.seat),
        value: Scale(Opaque(entry.value)),
        certificate: entry.certificate.map(Scale),
    });
    let decided_position = service.engine.snapshot().status.decided;
    Ok(answer(StatusCode::OK, Log { decided_position, entries: entries.collect() }))
}

/// The kind of the feed of this name; the leaderboard, if none is named.
fn kind(service: &Service, name: Option<&str>) -> Result<ReportKind, Failure> {
    let kind = name.map_or(Some(ReportKind::Leaderboard), ReportKind::named);
    let snapshot = service.engine.snapshot();
    kind.filter(|kind| snapshot.feed(*kind).is_some()).ok_or_else(|| {
        let names: Vec<&str> = snapshot.feeds.iter().map(|feed| feed.kind.name()).collect();
        let error = format!("the feeds of this network are: {}", names.join(", "));
        Failure::new(StatusCode::NOT_FOUND, error)
    })
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
    let kind = kind(&service, slots.feed.as_deref())?;
    let place = service.questions.place(from)?;
    let limit = slots.limit.unwrap_or(64).min(LIMIT);
    let found = service.engine.look(move |node| {
        let line = node.application().of(kind);
        let entry = |(slot, position, digest)| {
            let entry = node.entries(position, 1).pop()?;
            Some((slot, digest, entry))
        };
        let newer = line.into_iter().flat_map(|line| line.after(slots.after));
        let mut room = LONGEST_LIST;
        let fits = |(_, _, entry): &(u64, Digest, Entry)| {
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
        let (value, proposer) = open(&entry.value);
        Decided {
            slot,
            digest: Scale(digest),
            proposal: Scale(Opaque(value.to_vec())),
            proposer: proposer.map(|proposer| proposer.seat),
            certificate: entry.certificate.map(Scale),
        }
    });
    Ok(answer(StatusCode::OK, found.collect::<Vec<_>>()))
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
    let kind = kind(&service, of.feed.as_deref())?;
    let place = service.questions.place(from)?;
    let signed = service.engine.look(move |node| {
        let signed = || {
            let line = node.application().of(kind)?;
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
    let (seat, signature) = (service.peers.seat(), Scale(signature));
    Ok(answer(StatusCode::OK, Attestation { seat, slot: of.slot, signature }))
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

pub(super) async fn metrics(State(service): State<Arc<Service>>) -> Figures {
    service.metrics.engine_lag_ms.set(service.engine.lag_ms());
    figures(service.metrics.text())
}
