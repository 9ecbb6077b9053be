//! What this node agrees to: leaderboards that it can recompute from its own results.

use crate::ranking::Ranking;
use cicada_consensus::{
    Application, AttestationRequest, Keys, Now, Origin, Position, Refusal, Seat,
};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::committee::Member;
use cicada_core::hash::{Hash, Native};
use cicada_core::leaderboard::{check, matches, Proposal, Standing};
use cicada_core::quote::Framework;
use cicada_core::report::{Feed, FeedError, FeedState, MAX_TIME_AHEAD_MS};
use cicada_network::{NodeKeys, PublicKeys};
use parity_scale_codec::DecodeAll;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// How far the time of a new leaderboard may lie from this node's clock.
pub const MAX_SKEW_MS: u64 = MAX_TIME_AHEAD_MS;

/// The leaderboard's feed, as the log builds it.
pub struct Board {
    feed: Feed,
    config_digest: Hash,
    results: Ranking,
    state: FeedState,
    frameworks: Vec<Framework>,
    history: BTreeMap<u64, (Position, Hash)>,
    slots: BTreeMap<Position, u64>,
}

impl Board {
    /// An empty feed; `results` is read anew whenever the file has changed.
    pub fn new(feed: Feed, config_digest: Hash, results: PathBuf) -> Self {
        Self {
            feed,
            config_digest,
            results: Ranking::new(results),
            state: FeedState::EMPTY,
            frameworks: Vec::new(),
            history: BTreeMap::new(),
            slots: BTreeMap::new(),
        }
    }

    /// The newest decided report.
    pub fn state(&self) -> FeedState {
        self.state
    }

    /// Decided slots after `slot`: where in the log they stand, and their digests.
    pub fn after(&self, slot: u64) -> impl Iterator<Item = (u64, Position, Hash)> + '_ {
        let from = slot.saturating_add(1);
        let range = self.history.range(from..);
        range.map(|(slot, (position, digest))| (*slot, *position, *digest))
    }

    /// Where a slot stands in the log, and the digest of its report.
    pub fn slot(&self, slot: u64) -> Option<(Position, Hash)> {
        self.history.get(&slot).copied()
    }

    /// The slot whose report stands at a position of the log.
    pub fn slot_at(&self, position: Position) -> Option<u64> {
        self.slots.get(&position).copied()
    }

    fn recompute(&self, proposal: &Proposal, now: Now) -> Result<(), String> {
        let mine = self
            .results
            .at(proposal.report.time_ms, now.wall_ms)
            .map_err(|error| format!("cannot read my results {error}"))?;
        let row = |rows: &[Standing], at: usize| match rows.get(at) {
            Some(row) => format!("{} with {} points", row.framework.as_str(), row.score),
            None => "nothing".to_owned(),
        };
        let rows = mine.len().max(proposal.standings.len());
        match (0..rows).find(|at| mine.get(*at) != proposal.standings.get(*at)) {
            None => Ok(()),
            Some(at) => Err(format!(
                "rank {}: proposed is {}, my own results give {}",
                at.saturating_add(1),
                row(&proposal.standings, at),
                row(&mine, at)
            )),
        }
    }

    fn examine(&self, value: &[u8], origin: Origin, now: Now) -> Result<(), String> {
        let proposal =
            Proposal::decode_all(&mut &value[..]).map_err(|_| "not a leaderboard".to_owned())?;
        if origin == Origin::Fresh {
            self.follows(&proposal, now)?;
        }
        check(&proposal.standings).map_err(|error| format!("not a leaderboard: {error:?}"))?;
        if !matches::<Native>(&proposal.report, &proposal.standings) {
            return Err("the report's root is not that of its rows".into());
        }
        if proposal.standings.iter().any(|row| row.volume_24h != 0) {
            return Err("a 24-hour volume, but there is no exchange yet".into());
        }
        self.recompute(&proposal, now)
    }

    // Whether it comes next, now.
    fn follows(&self, proposal: &Proposal, now: Now) -> Result<(), String> {
        let report = &proposal.report;
        self.state
            .check_next(&self.feed, report, now.wall_ms)
            .map_err(|error| explain(error, self.state.slot))?;
        let skew = report.time_ms.abs_diff(now.wall_ms);
        if skew > MAX_SKEW_MS {
            return Err(format!("its time is {skew} ms from my clock, more than {MAX_SKEW_MS} ms"));
        }
        let ranked = |name: &Framework| proposal.standings.iter().any(|r| r.framework == *name);
        match self.frameworks.iter().find(|name| !ranked(name)) {
            Some(gone) => Err(format!("{} is missing: it was ranked before", gone.as_str())),
            None => Ok(()),
        }
    }
}

fn explain(error: FeedError, newest: u64) -> String {
    match error {
        FeedError::UnknownVersion => "a report of a version that I do not read".into(),
        FeedError::WrongFeed => "a report of another feed or contract".into(),
        FeedError::SlotSkipped { expected } => {
            format!("a slot is left out: the next is {expected}")
        }
        FeedError::SlotTaken => format!("stale: slots up to {newest} are decided already"),
        FeedError::WrongPrevious => "it does not name the report before it".into(),
        FeedError::TimeReversed => "it is older than the report before it".into(),
        FeedError::TimeAhead => "its time lies in the future".into(),
    }
}

impl Application for Board {
    fn check(&self, value: &[u8], origin: Origin, now: Now) -> Result<(), Refusal> {
        self.examine(value, origin, now).map_err(Refusal)
    }

    fn apply(&mut self, position: Position, value: &[u8]) -> Option<AttestationRequest> {
        let proposal = Proposal::decode_all(&mut &value[..]).ok()?;
        let report = proposal.report;
        // No clock here: every node must come to the same.
        self.state.check_next(&self.feed, &report, u64::MAX).ok()?;
        if check(&proposal.standings).is_err() || !matches::<Native>(&report, &proposal.standings) {
            return None;
        }
        let digest = report.digest::<Native>();
        self.state = FeedState::after(&report, digest);
        self.history.insert(report.slot, (position, digest));
        self.slots.insert(position, report.slot);
        self.frameworks = proposal.standings.into_iter().map(|row| row.framework).collect();
        Some(AttestationRequest {
            message: report.attestation_message::<Native>(&self.config_digest),
            report,
        })
    }
}

/// This node's keys, and everybody's public ones.
#[derive(Clone)]
pub struct Keyring {
    own: Arc<NodeKeys>,
    members: Arc<PublicKeys>,
}

impl Keyring {
    /// `members` are the committee's in seat order.
    pub fn new(own: Arc<NodeKeys>, members: Vec<Member>) -> Self {
        Self { own, members: Arc::new(PublicKeys::new(&members)) }
    }
}

impl Keys for Keyring {
    fn attest(&self, message: &Hash) -> Signature {
        self.own.attest(message)
    }

    fn verify_attestation(&self, seat: Seat, message: &Hash, signature: &Signature) -> bool {
        self.members.verify_attestation(seat, message, signature)
    }

    fn verify_certificate(&self, certificate: &Certificate, message: &Hash) -> bool {
        self.members.verify_certificate(certificate, message)
    }

    fn sign(&self, message: &Hash) -> Signature {
        self.own.sign(message)
    }

    fn verify(&self, seat: Seat, message: &Hash, signature: &Signature) -> bool {
        self.members.verify_consensus(seat, message, signature)
    }
}
