//! One feed as the log builds it: its newest report, and where its slots stand.

use crate::settled::Settled;
use cicada_consensus::{AttestationRequest, Now, Position};
use cicada_core::hash::{Digest, Native};
use cicada_core::nav::ROUND_MS;
use cicada_core::report::{Feed, FeedError, FeedState, Report, MAX_TIME_AHEAD_MS};
use cicada_network::{Network, Rules};
use std::collections::{BTreeMap, BTreeSet};

/// How old the time of a new report may be by this node's clock.
pub const MAX_SKEW_MS: u64 = MAX_TIME_AHEAD_MS;
/// How far it may lie ahead: a time to come would hold up the feed until it is over.
const MAX_AHEAD_MS: u64 = 2_000;

/// When the reports of a feed come.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// How old the time of a new report may be by this node's clock, in milliseconds.
    pub(super) late_ms: u64,
    /// How far it may lie ahead.
    pub(super) ahead_ms: u64,
    /// Whether what one says rests on what the chain made of the one before, so that it waits until
    /// that is settled.
    pub(super) one_by_one: bool,
}

impl Pace {
    /// With the time at which it is proposed.
    pub(super) const AT_ONCE: Self =
        Self { late_ms: MAX_SKEW_MS, ahead_ms: MAX_AHEAD_MS, one_by_one: true };
    /// With the time of its round, which others may have to propose again.
    pub(super) const SCHEDULED: Self =
        Self { late_ms: MAX_SKEW_MS.saturating_add(ROUND_MS), ..Self::AT_ONCE };
}

/// How much of a feed may wait for the chain.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    /// As much as anybody votes for.
    Vote,
    /// As much as a leader proposes.
    Lead,
}

/// The reports of one feed.
pub struct Line {
    feed: Feed,
    pace: Pace,
    config_digest: Digest,
    rules: Rules,
    settled: Settled,
    state: FeedState,
    history: BTreeMap<u64, (Position, Digest)>,
    certified: BTreeSet<u64>,
}

impl Line {
    /// An empty feed of a network; `settled` is what the chain has of it.
    pub(super) fn new(feed: Feed, network: &Network, pace: Pace, settled: Settled) -> Self {
        Self {
            feed,
            pace,
            config_digest: network.config_digest(),
            rules: network.rules,
            settled,
            state: FeedState::EMPTY,
            history: BTreeMap::new(),
            certified: BTreeSet::new(),
        }
    }

    /// What reports call it.
    pub fn feed(&self) -> Feed {
        self.feed
    }

    /// The newest decided report.
    pub fn state(&self) -> FeedState {
        self.state
    }

    /// Decided slots after `slot`: where in the log they stand, and their digests.
    pub fn after(&self, slot: u64) -> impl Iterator<Item = (u64, Position, Digest)> + '_ {
        let from = slot.saturating_add(1);
        let range = self.history.range(from..);
        range.map(|(slot, (position, digest))| (*slot, *position, *digest))
    }

    /// Where a slot stands in the log, and the digest of its report.
    pub fn slot(&self, slot: u64) -> Option<(Position, Digest)> {
        self.history.get(&slot).copied()
    }

    /// The newest slot that the chain was seen to have.
    pub fn settled(&self) -> u64 {
        self.settled.slot(&self.feed)
    }

    /// Whether a report comes next, now.
    pub(super) fn follows(
        &self,
        report: &Report,
        (now, limit): (Now, Limit),
    ) -> Result<(), String> {
        self.state
            .check_next(&self.feed, report, now.wall_ms)
            .map_err(|error| explain(error, self.state.slot))?;
        if report.time_ms == self.state.time_ms && self.state.slot > 0 {
            return Err("its time is that of the report before it".into());
        }
        let most = self.pace.late_ms;
        let late = now.wall_ms.saturating_sub(report.time_ms);
        if late > most {
            return Err(format!("its time is {late} ms before my clock, more than {most} ms"));
        }
        if report.time_ms.saturating_sub(now.wall_ms) > self.pace.ahead_ms {
            return Err(explain(FeedError::TimeAhead, self.state.slot));
        }
        self.keeps_distance(report, now)?;
        self.is_awaited(report, limit)
    }

    // Whether it comes long enough after the report before, by its own time and by this clock.
    fn keeps_distance(&self, report: &Report, now: Now) -> Result<(), String> {
        if self.state.slot == 0 {
            return Ok(());
        }
        let (before, distances) = (self.state.time_ms, &self.rules.distance_ms);
        let (kind, earliest) = (self.feed.kind, distances.earliest(self.feed.kind, before));
        let words = |what: &str, time_ms: u64| {
            let (after, least) = (time_ms.saturating_sub(before), distances.of(kind).max(1));
            format!("{what} is {after} ms after the report before it, less than {least} ms")
        };
        if report.time_ms < earliest {
            return Err(words("its time", report.time_ms));
        }
        match now.wall_ms < earliest {
            true => Err(words("my clock", now.wall_ms)),
            false => Ok(()),
        }
    }

    // Whether the chain has as much of the feed as the next report needs there.
    fn is_awaited(&self, report: &Report, limit: Limit) -> Result<(), String> {
        let Rules { backlog, leader_backlog, .. } = self.rules;
        if backlog == 0 {
            return Ok(());
        }
        let settled = self.settled();
        if self.pace.one_by_one && report.slot > settled.saturating_add(1) {
            let before = report.slot.saturating_sub(1);
            return Err(format!("slot {before} before it is not on the chain yet"));
        }
        let most = match limit {
            Limit::Vote => backlog,
            Limit::Lead => leader_backlog.saturating_sub(1),
        };
        let waiting = self.certified.range(settled.saturating_add(1)..).count();
        match u64::try_from(waiting).is_ok_and(|waiting| waiting <= most) {
            true => Ok(()),
            false => {
                Err(format!("{waiting} certified slots are not on the chain yet, more than {most}"))
            }
        }
    }

    /// Whether a decided report comes next. No clock here: every node must come to the same.
    pub(super) fn continues(&self, report: &Report) -> bool {
        self.state.check_next(&self.feed, report, u64::MAX).is_ok()
    }

    /// Takes the next report, which stands at `position` of the log.
    pub(super) fn extend(&mut self, position: Position, report: Report) -> AttestationRequest {
        let digest = report.digest::<Native>();
        self.state = FeedState::after(&report, digest);
        self.history.insert(report.slot, (position, digest));
        let message = report.attestation_message::<Native>(&self.config_digest);
        AttestationRequest { message, report }
    }

    /// Notes that a slot is certified. Of those that are on the chain none is kept.
    pub(super) fn certify(&mut self, slot: u64) {
        self.certified.insert(slot);
        let next = self.settled().saturating_add(1);
        self.certified = self.certified.split_off(&next);
    }
}

/// What is said to a report of no feed that this node knows.
pub(super) const ANOTHER_FEED: &str = "a report of another feed or contract";

fn explain(error: FeedError, newest: u64) -> String {
    match error {
        FeedError::UnknownVersion => "a report of a version that I do not read".into(),
        FeedError::WrongFeed => ANOTHER_FEED.into(),
        FeedError::SlotSkipped { expected } => {
            format!("a slot is left out: the next is {expected}")
        }
        FeedError::SlotTaken => format!("stale: slots up to {newest} are decided already"),
        FeedError::WrongPrevious => "it does not name the report before it".into(),
        FeedError::TimeReversed => "it is older than the report before it".into(),
        FeedError::TimeAhead => "its time lies in the future".into(),
    }
}
